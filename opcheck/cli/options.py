"""The options that several commands share, each written once, and what their words mean."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import click
from click.shell_completion import CompletionItem

from opcheck.cli.emit import ask_for_json
from opcheck.errors import OpcheckError

Command = Callable[..., None]
PLACES = click.Choice(["low", "middle", "high"])
EXACT = "As gamma=1/sqrt(2)."


def names_of(*kinds: str) -> Callable[..., list[CompletionItem]]:
    """Completes a word by registered names of some kinds or, where none begins so, by files."""

    def complete(ctx: click.Context, parameter: click.Parameter, word: str) -> list[CompletionItem]:
        from opcheck import registry

        names = [n for kind in kinds for n in registry.names(kind) if n.startswith(word)]
        return [CompletionItem(n) for n in names] or [CompletionItem(word, type="file")]

    return complete


def _numbers(_: click.Context, __: click.Parameter, assignments: tuple[str, ...]) -> dict[str, Any]:
    """Numbers, lists of them, and formulas, which are evaluated where their symbols are known."""
    from opcheck.model.text import text
    from opcheck.model.written import number, parts

    values: dict[str, Any] = {}
    for item in assignments:
        name, equals, value = item.partition("=")
        said = f"-p {item!r} is no parameter; write -p name=number, or a formula as 1/2 or 1/(k+2)"
        if not equals or not value.strip() or not name.strip():
            raise OpcheckError(said)
        cut = parts(value)
        try:
            numbers = [float(number(v)) for v in cut]
        except (OpcheckError, ValueError, OverflowError):
            if len(cut) > 1:
                raise OpcheckError(said) from None
            try:
                text(value)
            except OpcheckError as error:
                raise OpcheckError(f"-p {item!r} is no parameter: {error}") from None
            values[name.strip()] = value.strip()
        else:
            values[name.strip()] = numbers[0] if len(numbers) == 1 else numbers
    return values


def _texts(_: click.Context, __: click.Parameter, assignments: tuple[str, ...]) -> dict[str, str]:
    """Values as they were written, which are read as exact ones."""
    values = {}
    for item in assignments:
        name, equals, value = item.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise OpcheckError(f"-p {item!r} is no parameter; write -p name=number")
        values[name.strip()] = value.strip()
    return values


def _indices(_: click.Context, __: click.Parameter, source: str) -> list[int]:
    """``3``, ``1..6`` or ``1,2,5``."""
    ks: list[int] = []
    try:
        for part in source.split(","):
            low, dots, high = part.partition("..")
            ks += range(int(low), int(high) + 1) if dots else [int(low)]
    except ValueError:
        ks = []
    if not ks or min(ks) < 0 or len(ks) > 1000:
        raise OpcheckError(f"-k {source!r} is no range of k; write -k 3, -k 1..6 or -k 1,2,5")
    return list(dict.fromkeys(ks))


def _point(_: click.Context, __: click.Parameter, start: str | None) -> list[float] | None:
    if start is None:
        return None
    try:
        return [float(v) for v in start.split(",")]
    except ValueError:
        raise OpcheckError(f"--start {start!r} is no point; write --start 1,0.5") from None


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    callback=ask_for_json,
    help="One JSON document on standard output.",
)
theorem_argument = click.argument("theorem", shell_complete=names_of("theorems"))
place_option = click.option(
    "--place", type=PLACES, default="middle", show_default=True, help="In the ranges."
)
seed_option = click.option("--seed", default=0, show_default=True, help="Of the search.")


def parameters_option(words: str, *, exact: bool = False) -> Callable[[Command], Command]:
    """``-p NAME=VALUE``, again for each: numbers and formulas, or ``exact`` texts."""
    read = _texts if exact else _numbers
    return click.option(
        "-p", "parameters", multiple=True, metavar="NAME=VALUE", callback=read, help=words
    )


def k_option(default: str) -> Callable[[Command], Command]:
    """``-k``, as a list ``ks`` of indices."""
    words = "As 3, 1..6 or 1,2,5."
    return click.option(
        "-k", "ks", default=default, show_default=True, callback=_indices, help=words
    )


def problem_option(words: str) -> Callable[[Command], Command]:
    """``--problem``: whatever check takes."""
    return click.option("--problem", shell_complete=names_of("problems"), help=words)


def out_option(words: str) -> Callable[[Command], Command]:
    """``--out``: a folder."""
    return click.option("--out", type=click.Path(file_okay=False), help=words)


def theorems_or_all(command: Command) -> Command:
    """``[SELECTOR]... | --all``; the command gets the ``names`` of theorems."""

    @wraps(command)
    def with_names(*, selector: tuple[str, ...], everything: bool, **arguments: Any) -> None:
        from opcheck import registry

        if bool(selector) == everything:
            called = click.get_current_context().info_name
            raise OpcheckError(f"{called} takes theorems by name or prefix, or --all")
        command(names=registry.select("theorems", selector), **arguments)

    every = click.option("--all", "everything", is_flag=True, help="Every theorem.")
    return selector_argument(every(with_names))


selector_argument = click.argument("selector", nargs=-1, shell_complete=names_of("theorems"))


def about_a_problem(command: Command) -> Command:
    """What every command that takes a problem lets one add to it; it gets that as ``wishes``."""
    names = ("set_", "start", "dim", "box", "ball", "game")
    options = (
        click.option(
            "--set",
            "set_",
            metavar="SET",
            shell_complete=names_of("sets"),
            help="A, as box:-1,1, simplex, ball:0,0:1.",
        ),
        click.option(
            "--start", metavar="POINT", callback=_point, help="Comma-separated z⁰; gives d too."
        ),
        click.option("--dim", type=int, help="d of a function that works in several."),
        click.option("--box", metavar="REGION", help="Look at ‖z‖∞ ≤ r, or at [.2,2]x[-1,1]."),
        click.option("--ball", metavar="REGION", help="Look at a ball, as 0,0:2 (centre:radius)."),
        click.option("--game", is_flag=True, help="A matrix is the payoff of a game on simplices."),
    )

    @wraps(command)
    def with_wishes(**arguments: Any) -> None:
        said = {name: arguments.pop(name) for name in names}
        box, ball = said["box"], said["ball"]
        if box is not None and ball is not None:
            raise OpcheckError("--box and --ball are two regions; leave one out")
        if ball is not None and ":" not in ball:
            raise OpcheckError(f"--ball {ball} is no ball; write a centre and a radius as 0,0:2")
        wishes = {
            "start": said["start"],
            "dim": said["dim"],
            "region": box if box is not None else ball,
            "constraint": said["set_"],
            "game": said["game"],
        }
        command(**arguments, wishes=wishes)

    for option in reversed(options):
        with_wishes = option(with_wishes)
    return with_wishes


def plotted(command: Command) -> Command:
    """``--plot`` and ``--width``; the command gets a function ``plot`` that draws, or None.

    It takes a run or labelled ones and returns what to say of the file. A name that is no drawing's
    is refused before anything runs.
    """

    @wraps(command)
    def with_plot(*, plot: str | None, width: str, **arguments: Any) -> None:
        if plot is None:
            command(plot=None, **arguments)
            return
        from opcheck.report.figure import drawable
        from opcheck.report.runs import plot as draw

        drawable(plot)
        command(plot=lambda runs: draw(runs, plot, width=width), **arguments)

    column = click.option(
        "--width",
        type=click.Choice(["single", "double"]),
        default="single",
        help="Of the plot: one column of a journal (3.3 in, the default) or two (6.9 in).",
    )
    file = click.option(
        "--plot", type=click.Path(dir_okay=False), help="Rate plot: .svg, .png or .pdf."
    )
    return file(column(with_plot))


def problem_and_rest(
    target: str, parameters: Mapping[str, Any], wishes: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The problem with its own parameters, and the others, which are the method's.

    ``problem.NAME`` is the problem's where both have a NAME.
    """
    from opcheck.evidence.operators.subject import parameters_of, subject

    own = parameters_of(target)
    of_problem, rest = {}, {}
    for key, value in parameters.items():
        short = key.removeprefix("problem.")
        if short in own or short != key:
            of_problem[short] = value
        else:
            rest[key] = value
    return subject(target, parameters=of_problem, **wishes), rest


def problem_alone(target: str, parameters: Mapping[str, Any], wishes: Mapping[str, Any]) -> Any:
    """The problem, where no method is there to take other parameters."""
    problem, rest = problem_and_rest(target, parameters, wishes)
    if rest:
        raise OpcheckError(f"problem {target!r} has no parameter {', '.join(rest)}")
    return problem


def without_a_problem(wishes: Mapping[str, Any]) -> None:
    """Refuse what is said about a problem where none is given."""
    if any(wishes.values()):
        raise OpcheckError("--set, --start and the like go with --problem")


def one_theorem(name: str) -> Any:
    """The theorem that a name or its beginning selects. Raises OpcheckError for none or several."""
    from opcheck import registry

    names = registry.select("theorems", [name])
    if len(names) != 1:
        raise OpcheckError(f"{name!r} selects {len(names)} theorems; name one")
    return registry.get("theorems", names[0])


def symbols(verb: Callable[..., Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters for a verb. Raises OpcheckError for one that is named as an option of it."""
    for name in parameters.keys() & inspect.signature(verb).parameters.keys():
        raise OpcheckError(f"-p {name}=... is no parameter: {name} is an option of {verb.__name__}")
    return parameters
