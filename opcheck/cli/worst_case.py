"""The worst case over a class, from above and from below."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from opcheck.cli import options
from opcheck.cli.emit import emit, finished, json_option, progress, working
from opcheck.errors import OpcheckError


@click.command()
@options.theorem_argument
@options.k_option(default="1..5")
@options.exact_parameters_option()
@options.problem_option(help="Take the constants that are known of it: whatever check takes.")
@options.about_a_problem("problem", rest="apart")
@options.place_option
@click.option("--sparse", is_flag=True, help="Also the fewest inequalities that are found to do.")
@click.option("--precise", is_flag=True, help="Solve in 400 bits, not in double precision.")
@json_option
def worst(
    theorem: str, ks: list[int], parameters: options.Values, subject: Any, **ask: Any
) -> None:
    """The worst case of THEOREM at each k over all operators with its hypotheses, by the solver.

    Exit code 1 if the attack reaches an operator that exceeds the bound.

    With --problem the class is that of the constants of one operator: how far from it may another
    with the same constants be? Beside it what the attack reaches: the true worst case lies between
    the two.
    """
    from opcheck.evidence.worst_case import worst_case
    from opcheck.evidence.worst_case.attack import attack
    from opcheck.report import terminal

    entry = options.one_theorem(theorem)
    own = options.symbols(worst_case.worst, parameters)
    values = {**_constants_of(entry, subject), **own}
    cases: list[worst_case.WorstCase] = []
    reached: list[float | None] = []
    interrupted, refuted = "", ""
    try:
        with progress("worst", len(ks)) as step:
            for case in worst_case.each(entry, ks, values, **ask):
                cases.append(case)
                step(f"{entry.name} k = {case.k}")
        with working(f"attack {entry.name}"):
            tried = attack(
                entry, [case.k for case in cases], place=ask["place"], ends=False, **values
            )
        ratios = {reach.k: reach.ratio for reach in tried.reached}  # also of an end beyond them
        reached = [ratios.get(case.k) for case in cases]
        refuted = tried.ground
    except KeyboardInterrupt:
        interrupted = f"interrupted: {len(cases)} of {len(ks)} k were finished, and are shown"
    below = [*reached, *[None] * (len(cases) - len(reached))]
    emit(
        [{**case.as_dict(), "attack": ratio} for case, ratio in zip(cases, below, strict=True)],
        lambda console: terminal.show_worst(cases, console, reached, refuted=refuted),
        interrupted=interrupted,
        code=int(bool(refuted)),
    )


def _constants_of(theorem: Any, subject: Any) -> dict[str, Any]:
    """The constants of a theorem's hypotheses, as they are known of a problem."""
    if subject is None:
        return {}
    from opcheck.evidence.operators.relied_on import with_constants
    from opcheck.evidence.statement.hypotheses import Inapplicable, match

    try:
        return dict(match(theorem, with_constants(subject)).values)
    except Inapplicable as mismatch:
        reference = click.get_current_context().params["problem"]
        raise OpcheckError(f"{theorem.name} does not apply to {reference}: {mismatch}") from None


@click.command()
@options.theorem_argument
@options.k_option(default="1,2,5,10,20")
@options.exact_parameters_option()
@options.place_option
@click.option("--budget", default=2000, show_default=True, help="Operators tried at each k.")
@click.option("--far", default=1000, show_default=True, help="Steps of the long runs; 0: none.")
@options.seed_option
@click.option("--out", type=click.Path(dir_okay=False), help="Write the worst one: a problem, .py.")
@json_option
def attack(
    theorem: str, ks: list[int], parameters: options.Values, out: str | None, **effort: Any
) -> None:
    """Search the class of THEOREM for the operator with the largest measured/bound.

    Exit code 1 if one exceeds the bound. The file of --out declares that operator, which every
    command takes as a problem; its first lines say how.
    """
    from opcheck.evidence.worst_case.attack import attack as search
    from opcheck.evidence.worst_case.export import target_of
    from opcheck.report import terminal

    entry = options.one_theorem(theorem)
    if out is not None:
        target_of(out)  # before the search, which would be lost
    values = options.symbols(search, parameters)
    with working(f"attack {entry.name}"):
        result, interrupted = finished(lambda: search(entry, ks, **effort, **values))
    if out is not None:
        result.save_problem(out)
    emit(
        result,
        partial(terminal.show_attack, result),
        interrupted="interrupted: the k that were finished are shown" * interrupted,
    )
