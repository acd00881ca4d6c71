"""The options that several commands share, each written once, and what their words mean."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial, wraps
from typing import Any, Literal

import click
from click.shell_completion import CompletionItem

from opcheck.errors import OpcheckError

Command = Callable[..., None]
Values = Mapping[str, Any]
Plot = Callable[..., list[tuple[str, Any]]] | None


def names_of(*kinds: str) -> Callable[..., list[CompletionItem]]:
    """Completes a word by registered names of some kinds or, where none begins so, by files."""

    def complete(ctx: click.Context, parameter: click.Parameter, word: str) -> list[CompletionItem]:
        from opcheck import registry

        names = [n for kind in kinds for n in registry.names(kind) if n.startswith(word)]
        return [CompletionItem(n) for n in names] or [CompletionItem(word, type="file")]

    return complete


def _assigned(
    items: Iterable[str], also: str = "number", flag: str = "-p", word: str = "parameter"
) -> Iterator[tuple[str, str, str]]:
    """Each ``NAME=VALUE``, its name, its value, and the sentence for one that is not."""
    for item in items:
        name, _, value = item.partition("=")
        wrong = f"{flag} {item!r} is no {word}; write {flag} name={also}"
        if not value.strip() or not name.strip():
            raise OpcheckError(wrong)
        yield name.strip(), value.strip(), wrong


def settings(_: click.Context, __: click.Parameter, items: tuple[str, ...]) -> dict[str, str]:
    """Options of a figure, as they were written."""
    return {n: v for n, v, _ in _assigned(items, "value", "-o", "option")}


def texts(_: click.Context, asked: click.Parameter, items: tuple[str, ...]) -> dict[str, str]:
    """Values as they were written, which are read as exact ones."""
    kind = ("formula", "--let", "symbol") if asked.name == "lets" else ("number", "-p", "parameter")
    return {name: value for name, value, _ in _assigned(items, *kind)}


def numbers(_: click.Context, __: click.Parameter, items: tuple[str, ...]) -> dict[str, Any]:
    """Numbers, lists of them, and formulas, which are evaluated where their symbols are known."""
    from opcheck.model.text import text
    from opcheck.model.written import number, parts

    values: dict[str, Any] = {}
    for name, value, wrong in _assigned(items, "number, or a formula as 1/2 or 1/(k+2)"):
        entries = parts(value)
        try:
            numbers = [float(number(entry)) for entry in entries]
            values[name] = numbers[0] if len(numbers) == 1 else numbers
        except (OpcheckError, ValueError, OverflowError):
            if len(entries) > 1:
                raise OpcheckError(wrong) from None
            try:
                text(value)
            except OpcheckError as error:
                raise OpcheckError(f"{wrong.partition(';')[0]}: {error}") from None
            values[name] = value
    return values


def _indices(_: click.Context, __: click.Parameter, source: str | None) -> list[int] | None:
    """``3``, ``1..6`` or ``1,2,5``; None for none."""
    if source is None:
        return None
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
    try:
        return None if start is None else [float(v) for v in start.split(",")]
    except ValueError:
        raise OpcheckError(f"--start {start!r} is no point; write --start 1,0.5") from None


theorem_argument = click.argument("theorem", shell_complete=names_of("theorems"))
selector_argument = click.argument("selector", nargs=-1, shell_complete=names_of("theorems"))
parameters_option = partial(
    click.option, "-p", "parameters", multiple=True, metavar="NAME=VALUE", callback=numbers
)
exact_parameters_option = partial(parameters_option, help="As gamma=1/sqrt(2).", callback=texts)
k_option = partial(
    click.option, "-k", "ks", show_default=True, callback=_indices, help="As 3, 1..6 or 1,2,5."
)
problem_option = partial(click.option, "--problem", shell_complete=names_of("problems"))
place_option = click.option(
    "--place",
    type=click.Choice(["low", "middle", "high"]),
    default="middle",
    show_default=True,
    help="In the ranges.",
)
seed_option = click.option("--seed", default=0, show_default=True, help="Of the search.")
out_option = partial(click.option, "--out", type=click.Path(file_okay=False))


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


ABOUT_A_PROBLEM = (
    click.option(
        *("--set", "constraint"),
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


def about_a_problem(
    target: str,
    *,
    rest: Literal["kept", "refused", "apart"],
    reporter: Callable[[], Any] | None = None,
) -> Callable[[Command], Command]:
    """What every command that takes a problem lets one add to it; the command gets a ``subject``.

    Args:
        target: the parameter that says which, ``--problem`` or an argument; None: no subject.
        rest: what becomes of the parameters that are not the problem's: the command gets them,
            they are wrong, or none is the problem's to begin with.
        reporter: makes the report whose ``reading`` is told what is read, and whose ``read`` of
            the problem before all is known of it; the command gets it as ``report``.
    """

    def decorated(command: Command) -> Command:
        @wraps(command)
        def with_subject(*, box: str | None, ball: str | None, **arguments: Any) -> None:
            if box is not None and ball is not None:
                raise OpcheckError("--box and --ball are two regions; leave one out")
            if ball is not None and ":" not in ball:
                raise OpcheckError(
                    f"--ball {ball} is no ball; write a centre and a radius as 0,0:2"
                )
            wishes = {name: arguments.pop(name) for name in ("constraint", "start", "dim", "game")}
            wishes["region"] = ball if box is None else box
            reference, parameters = arguments.pop(target), arguments.pop("parameters")
            subject = None
            if reference is not None:
                from opcheck.evidence.operators.subject import subject_and_rest

                own = {} if rest == "apart" else parameters
                if reporter is not None:
                    arguments["report"] = reporter()
                    arguments["report"].reading(reference)
                    wishes["on_read"] = arguments["report"].read
                subject, others = subject_and_rest(reference, own, **wishes)
                parameters = parameters if rest == "apart" else others
            elif any(wishes.values()) or (rest == "refused" and parameters):
                which, name = ("-p, ", "PROBLEM") if rest == "refused" else ("", "--problem")
                raise OpcheckError(f"{which}--set, --start and the like go with {name}")
            if rest != "refused":
                arguments["parameters"] = parameters
            elif parameters:
                raise OpcheckError(
                    f"problem {reference!r} has no parameter {', '.join(parameters)}"
                )
            command(subject=subject, **arguments)

        for option in reversed(ABOUT_A_PROBLEM):
            with_subject = option(with_subject)
        return with_subject

    return decorated


def plotted(command: Command) -> Command:
    """``--plot`` and ``--width``; the command gets a function ``plot`` that draws, or None.

    It takes a run or labelled ones and returns what to say of the file. A name that is no drawing's
    is refused before anything runs.
    """

    @wraps(command)
    def with_plot(*, plot: str | None, width: str | None, **arguments: Any) -> None:
        if plot is None:
            if width is not None:
                raise OpcheckError(f"--width {width} is the width of a plot; name one by --plot")
            command(plot=None, **arguments)
            return
        from opcheck.report.figure import drawable
        from opcheck.report.runs import plot as draw

        drawable(plot)
        command(plot=lambda runs: draw(runs, plot, width=width or "single"), **arguments)

    column = click.option(
        "--width",
        type=click.Choice(["single", "double"]),
        help="Of the plot: one column of a journal (3.3 in, the default) or two (6.9 in).",
    )
    path = click.Path(dir_okay=False)
    return click.option("--plot", type=path, help="Rate plot: .svg, .png or .pdf.")(
        column(with_plot)
    )


def one_theorem(name: str) -> Any:
    """The theorem that a name or its beginning selects. Raises OpcheckError for none or several."""
    from opcheck import registry

    return registry.one("theorems", name)


def symbols(verb: Callable[..., Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters for a verb. Raises OpcheckError for one that is named as an option of it."""
    for name in parameters.keys() & inspect.signature(verb).parameters.keys():
        said = f"{name} is an option of {verb.__name__}"
        raise OpcheckError(f"-p {name}={parameters[name]} is no parameter: {said}")
    return parameters
