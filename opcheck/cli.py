"""The command line. Heavy modules load inside the commands that need them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from opcheck.errors import InternalError, OpcheckError, OpcheckWarning

KINDS = ("problems", "methods", "measures", "theorems", "sets", "figures", "papers")


def _names(*kinds: str) -> Callable[..., list[CompletionItem]]:
    """Completes a word by registered names of some kinds or, where none begins so, by files."""

    def complete(ctx: click.Context, parameter: click.Parameter, word: str) -> list[CompletionItem]:
        from opcheck import registry

        names = [n for kind in kinds for n in registry.names(kind) if n.startswith(word)]
        return [CompletionItem(n) for n in names] or [CompletionItem(word, type="file")]

    return complete


class Commands(click.Group):
    """Bad input is one sentence on standard error and exit code 2, a fault of opcheck's own 3."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command; end also where foreign code does not."""
        try:
            return super().main(*arguments, **options)
        except SystemExit as ending:
            from opcheck.watchdog import leave

            leave(ending.code if isinstance(ending.code, int) else int(ending.code is not None))
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; add what plug-ins could not be loaded."""
        debug = ctx.params.get("debug")
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _warned
                result = super().invoke(ctx)
        except OpcheckError as error:
            if debug:
                raise
            _say(str(error))
            ctx.exit(3 if isinstance(error, InternalError) else 2)
        except click.UsageError as error:
            _say(error.format_message())
            ctx.exit(2)
        except MemoryError:
            _say("this needs more memory than there is; record fewer k, or take a smaller problem")
            ctx.exit(2)
        except KeyboardInterrupt:
            _say("interrupted")
            ctx.exit(130)
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if debug:
                raise
            said = " ".join(str(error).split())[:300]
            _say(
                f"internal error, please report it: {type(error).__name__}: {said} "
                "(opcheck --debug ... shows where)"
            )
            ctx.exit(3)
        if "opcheck.registry" in sys.modules:
            from opcheck import registry

            broken = registry.failures()
            for sentence in broken:
                _say(sentence)
            if broken:
                ctx.exit(2)
        return result


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """A warning of opcheck's own is a sentence, without the place in its text where it arose."""
    if issubclass(category, OpcheckWarning):
        _say(str(message))
    else:
        click.echo(
            warnings.formatwarning(message, category, filename, lineno, line).rstrip(), err=True
        )


def _say(sentence: str) -> None:
    click.echo(f"opcheck: {' '.join(sentence.splitlines())}", err=True)


def _finished(work: Callable[[], Any]) -> tuple[Any, bool]:
    """The result of long work; or what is finished of it where Ctrl-C ended it, and True."""
    from opcheck.watchdog import Interrupted

    try:
        return work(), False
    except Interrupted as stop:
        return stop.finished, True


def _end(sentence: str) -> NoReturn:
    """End an interrupted command."""
    _say(sentence)
    click.get_current_context().exit(130)


def _console() -> Any:
    from rich.console import Console

    # a pipe has no width: nothing is cut or wrapped there
    return Console(width=None if sys.stdout.isatty() else 9999, soft_wrap=not sys.stdout.isatty())


def _number(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(f"{v:g}" for v in value[:8])
        return f"({shown})" if len(value) <= 8 else f"({shown}, ... {len(value)} in all)"
    return f"{value:g}"


def _json(value: Any) -> None:
    from opcheck.document import document

    click.echo(document(value))


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"opcheck {version('opcheck')}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
@click.option("--debug", is_flag=True, help="Show tracebacks of bad input.")
def main(debug: bool) -> None:
    """Is this convergence statement true, how tight is it, and where does it stop being true?"""


@main.command("list")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def list_(kind: str | None, as_json: bool) -> None:
    """What there is, by name: problems, methods, measures, theorems, sets, figures, papers."""
    from opcheck import registry

    found = {k: registry.names(k) for k in ([kind] if kind else KINDS)}
    if as_json:
        _json(found[kind] if kind else found)
        return
    import shutil

    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 9999
    for k, names in found.items():
        if not kind:
            click.echo(f"{k} ({len(names)})")
        width = max(map(len, names), default=0)
        for name in names:
            line = f"{'' if kind else '  '}{name:{width}}  {_in_a_line(registry.get(k, name))}"
            click.echo(line if len(line) <= room else line[: room - 1] + "…")


def _in_a_line(entry: Any) -> str:
    """What a registered thing is: a title, a statement, or the first sentence of its text."""
    if hasattr(entry, "bound"):
        sign = {"equality": "=", "must fail": "≤ (must fail)"}.get(entry.claim, "≤")
        return f"{entry.method_name}: {entry.measure} {sign} {entry.bound}"
    doc = getattr(entry, "title", "") or getattr(entry, "doc", "") or entry.__doc__ or ""
    return " ".join(doc.strip().partition("\n\n")[0].split())


@main.command()
@click.argument("name", shell_complete=_names(*KINDS))
@click.option("--evidence", is_flag=True, help="Of a theorem: all that speaks for it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def show(name: str, evidence: bool, as_json: bool) -> None:
    """Anything by name: statement, formula, parameters, source; a theorem's evidence.

    NAME is that of anything listed, FILE.py:NAME, or a problem as check takes it: a payoff, a
    matrix file, "bilinear(L=2)".
    """
    from opcheck.report.describe import describe

    names = _in_file(name) if ".py" in name else [name]
    if evidence:
        for one in names:
            _evidence(one, describe(one), as_json)
        return
    found = [rows for one in names for rows in describe(one)]
    if as_json:
        _json([dict(rows) for rows in found])
        return
    from opcheck.report.terminal import pairs

    for rows in found:
        pairs(rows, _console())


def _in_file(reference: str) -> list[str]:
    """What a user's ``FILE.py``, or ``FILE.py:NAME``, registers, of any kind; theorems first.

    The reference itself where that is nothing: it may be a function or a matrix.
    """
    import contextlib

    from opcheck import registry

    names: list[str] = []
    for kind in ("theorems", "problems", "methods", "measures", "sets"):
        with contextlib.suppress(OpcheckError):
            names += registry.in_file(kind, reference)
    return list(dict.fromkeys(names)) or [reference]


def _evidence(name: str, described: Any, as_json: bool) -> None:
    from opcheck import registry
    from opcheck.evidence.dossier import dossier
    from opcheck.report import terminal

    if name not in registry.names("theorems"):
        raise OpcheckError(f"{name!r} is no theorem; --evidence is about theorems")
    statement = next(rows for rows in described if rows[0][0] == "theorem")
    found = dossier(name)
    if as_json:
        _json({**found.as_dict(), "statement": dict(statement)})
        return
    console = _console()
    terminal.pairs(statement, console)
    console.print()
    terminal.show_dossier(found, console)


def _assignments(values: tuple[str, ...]) -> dict[str, Any]:
    """Numbers, lists of them, and formulas, which are evaluated where their symbols are known."""
    from opcheck.model.text import text
    from opcheck.model.written import number, parts

    found: dict[str, Any] = {}
    for item in values:
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
            found[name.strip()] = value.strip()
        else:
            found[name.strip()] = numbers[0] if len(numbers) == 1 else numbers
    return found


def _about_a_problem(command: Callable[..., None]) -> Callable[..., None]:
    """What every command that takes a problem lets one add to it; it gets that as ``wishes``."""
    names = ("set_", "start", "dim", "box", "ball", "game")
    options = (
        click.option(
            "--set",
            "set_",
            metavar="SET",
            shell_complete=_names("sets"),
            help="A, as box:-1,1, simplex, ball:0,0:1.",
        ),
        click.option("--start", metavar="POINT", help="Comma-separated z⁰; gives d too."),
        click.option("--dim", type=int, help="d of a function that works in several."),
        click.option("--box", metavar="REGION", help="Look at ‖z‖∞ ≤ r, or at [.2,2]x[-1,1]."),
        click.option("--ball", metavar="REGION", help="Look at a ball, as 0,0:2 (centre:radius)."),
        click.option("--game", is_flag=True, help="A matrix is the payoff of a game on simplices."),
    )

    @wraps(command)
    def with_wishes(**arguments: Any) -> None:
        said = {name: arguments.pop(name) for name in names}
        if said["box"] is not None and said["ball"] is not None:
            raise OpcheckError("--box and --ball are two regions; leave one out")
        if said["ball"] is not None and ":" not in said["ball"]:
            raise OpcheckError(
                f"--ball {said['ball']} is no ball; write a centre and a radius as 0,0:2"
            )
        wishes = {
            "start": _point(said["start"]),
            "dim": said["dim"],
            "region": said["box"] if said["box"] is not None else said["ball"],
            "constraint": said["set_"],
            "game": said["game"],
        }
        command(**arguments, wishes=wishes)

    for option in reversed(options):
        with_wishes = option(with_wishes)
    return with_wishes


def _subject(
    target: str, parameters: tuple[str, ...], wishes: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The problem with its own parameters, and the others, which are the method's.

    ``problem.NAME`` is the problem's where both have a NAME.
    """
    from opcheck.evidence.operators.subject import parameters_of, subject

    rest = _assignments(parameters)
    own = parameters_of(target)
    of_problem = {}
    for key in list(rest):
        short = key.removeprefix("problem.")
        if short in own or short != key:
            of_problem[short] = rest.pop(key)
    return subject(target, parameters=of_problem, **wishes), rest


def _plotted(command: Callable[..., None]) -> Callable[..., None]:
    """``--plot`` and ``--width``; the command gets a function that draws, or None.

    It takes a run or labelled ones and returns what to say of the file. A name that is no drawing's
    is refused before anything runs.
    """

    @wraps(command)
    def with_plot(plot: str | None, width: str, **arguments: Any) -> None:
        if plot is None:
            command(plot=None, **arguments)
            return
        from opcheck.report.figure import drawable, save

        target = drawable(plot)

        def draw(runs: Any) -> list[tuple[str, Any]]:
            from opcheck import registry
            from opcheck.evidence.picture import measure_shown

            measure = "" if isinstance(runs, Mapping) else measure_shown(runs)
            drawing = registry.get("figures", "rate")(runs, width=width, measure=measure)
            save(drawing, target)
            return [("plot", plot), ("caption", drawing.caption)]

        command(plot=draw, **arguments)

    for option in (
        click.option(
            "--width",
            type=click.Choice(["single", "double"]),
            default="single",
            help="Of the plot: one column of a journal (3.3 in, the default) or two (6.9 in).",
        ),
        click.option(
            "--plot", type=click.Path(dir_okay=False), help="Rate plot: .svg, .png or .pdf."
        ),
    ):
        with_plot = option(with_plot)
    return with_plot


def _emit(
    as_json: bool, data: Callable[[], Any], show: Callable[[Any], None], paths: Sequence[Any] = ()
) -> None:
    """A result: one JSON document, or what people see in a terminal, with the files written."""
    if as_json:
        _json(data())
        return
    show(_console())
    for path in paths:
        click.echo(path)


@main.command()
@click.argument("method", shell_complete=_names("methods"))
@click.argument("problem", shell_complete=_names("problems"))
@click.option(
    "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of either."
)
@click.option("-n", "iterations", default=1000, show_default=True, help="Number of iterations.")
@_about_a_problem
@click.option("--seed", type=int, help="Of the samples of a noisy PROBLEM, else draw the start.")
@click.option("--noise", type=float, metavar="SIGMA", help="Add Gaussian noise of variance SIGMA².")
@click.option("--same-sample", is_flag=True, help="One sample an iteration, not one each call.")
@click.option("--record", default="all", show_default=True, help="all, log, or every so many.")
@click.option("--seeds", type=int, help="So many seeds from --seed on; the plot shows a band.")
@_plotted
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def run(
    method: str,
    problem: str,
    parameters: tuple[str, ...],
    iterations: int,
    wishes: Mapping[str, Any],
    seed: int | None,
    noise: float | None,
    same_sample: bool,
    record: str,
    seeds: int | None,
    plot: Callable[..., list[tuple[str, Any]]] | None,
    as_json: bool,
) -> None:
    """Run METHOD on PROBLEM; show what it measures and the bounds.

    METHOD is a name, as rapp or lookahead(extragradient), or FILE.py:NAME; or several of them,
    separated by commas: then -p NAME=VALUE is for all that have it, -p METHOD.NAME=VALUE for one,
    and what is missing is taken from a theorem that applies. PROBLEM is what check
    takes: a problem of the library, also at parameters as "bilinear(L=2)"; FILE.py or FILE.py:NAME
    (a family, an operator, a matrix, a function F(z) or F(z, out, data)); a matrix file; a payoff.
    """
    from opcheck.evidence.operators.subject import run as run_method
    from opcheck.evidence.simulation.bounds import bounded_measures, with_bounds

    where, rest = _subject(problem, parameters, wishes)
    if noise is not None:
        from dataclasses import replace

        from opcheck.model.oracle import gaussian

        if where.oracle is not None:
            raise OpcheckError(f"{where.name!r} is noisy already; leave out --noise")
        where = replace(where, oracle=gaussian(where.operator, noise))
    every: Any = int(record) if record.lstrip("-").isdigit() else record
    if seeds is not None or len(_methods(method)) > 1:
        options = {"start": wishes["start"], "record": every, "same_sample": same_sample}
        _side_by_side(
            _methods(method), where, iterations, rest, _seeds(seed, seeds), options, plot, as_json
        )
        return
    made, interrupted = _finished(
        lambda: run_method(
            method,
            where,
            iterations,
            wishes["start"],
            record=every,
            seed=seed,
            same_sample=same_sample,
            measures=bounded_measures(method, where),
            **rest,
        )
    )
    trajectory, notes = with_bounds(made)
    drawn = plot(trajectory) if plot else []
    if as_json:
        _json(
            {
                "method": trajectory.method,
                "problem": trajectory.problem.name,
                "parameters": dict(trajectory.parameters),
                "seed": trajectory.seed,
                "noise": trajectory.noise or None,
                "status": trajectory.status,
                "z": trajectory.z.tolist(),
                "k": trajectory.k.tolist(),
                "oracle_calls": trajectory.oracle_calls.tolist(),
                "measures": {n: v.tolist() for n, v in trajectory.measures.items()},
                "bounds": {
                    m: {n: v.tolist() for n, v in of.items()} for m, of in trajectory.bounds.items()
                },
                "notes": notes,
            }
        )
        if interrupted:
            _end("interrupted")
        return
    from opcheck.report.terminal import named, pairs

    z = trajectory.z
    shown = ", ".join(f"{v:.6g}" for v in z[:8]) + (", ..." if z.size > 8 else "")
    rows: list[tuple[str, Any]] = [
        ("method", trajectory.method),
        *named(trajectory.problem),
        (
            "parameters",
            ", ".join(f"{n} = {_number(v)}" for n, v in trajectory.parameters.items()) or "none",
        ),
        ("status", trajectory.status),
        ("iterations", f"{trajectory.k[-1]}, {trajectory.oracle_calls[-1]:.0f} operator calls"),
        ("z", f"({shown})"),
    ]
    rows += [
        (n, f"{v[0]:.6g} at k = 0, {v[-1]:.6g} at the end") for n, v in trajectory.measures.items()
    ]
    rows += [("noisy", trajectory.noise)] if trajectory.noise else []
    rows += [("seed", trajectory.seed)] if trajectory.seed is not None else []
    rows += [
        ("bound", f"{m} ≤ {v[-1]:.6g} at the end, by {n}")
        for m, of in trajectory.bounds.items()
        for n, v in of.items()
    ]
    rows += [("note", n) for n in notes]
    pairs(rows + drawn, _console())
    if interrupted:
        _end("interrupted")


def _methods(names: str) -> list[str]:
    from opcheck.evidence.picture import methods_in

    return methods_in(names)


def _seeds(first: int | None, count: int | None) -> list[int | None]:
    if count is None:
        return [first]
    if not 1 <= count <= 1000:
        raise OpcheckError(f"--seeds {count} must be from 1 to 1000")
    return [(first or 0) + i for i in range(count)]


def _side_by_side(
    names: list[str],
    where: Any,
    iterations: int,
    parameters: Mapping[str, Any],
    seeds: list[int | None],
    options: Mapping[str, Any],
    plot: Callable[..., list[tuple[str, Any]]] | None,
    as_json: bool,
) -> None:
    """Several methods, or several seeds: a table, and one plot."""
    from opcheck.evidence.picture import each
    from opcheck.report import side_by_side
    from opcheck.report.terminal import named, pairs

    if len(seeds) > 1 and options["start"] is not None and where.oracle is None:
        raise OpcheckError("--seeds draws starts where nothing is noisy; leave out --start")
    found = each(names, where, iterations, parameters=parameters, seeds=seeds, **options)
    labelled = side_by_side.labelled(found)
    drawn = plot(labelled) if plot else []
    if as_json:
        _json({"problem": where.name, "methods": side_by_side.document(found)})
        return
    console = _console()
    pairs(named(where), console)
    side_by_side.show(found, console)
    if drawn:
        pairs(drawn, console)


@main.command()
@click.argument("selector", nargs=-1, shell_complete=_names("theorems"))
@click.option(
    "--problem",
    shell_complete=_names("problems"),
    help="One problem instead of the library: whatever check takes.",
)
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="Fix a parameter.")
@_about_a_problem
@click.option("--all", "everything", is_flag=True, help="Every admissible problem, not a cover.")
@click.option("--coverage", is_flag=True, help="Show which parts of each range were entered.")
@click.option("--mutants", is_flag=True, help="Also plant errors and report how many are caught.")
@click.option("--jobs", default=0, help="Processes; default one a core.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def verify(
    selector: tuple[str, ...],
    problem: str | None,
    parameters: tuple[str, ...],
    wishes: Mapping[str, Any],
    everything: bool,
    coverage: bool,
    mutants: bool,
    jobs: int,
    as_json: bool,
) -> None:
    """Confront theorems (all, or names and prefixes) with every admissible problem.

    Exit code 1 if a statement is violated, or if nothing in the library decides it; with
    --coverage also if some part of the range of its parameters, or of ρ, was not entered.
    """
    import os

    from opcheck import registry
    from opcheck.evidence.simulation.verify import Report
    from opcheck.evidence.simulation.verify import verify as confront
    from opcheck.report import terminal

    workers = jobs or os.cpu_count() or 1
    names = registry.select("theorems", selector)
    where, rest = (None, _assignments(parameters))
    if problem is not None:
        from opcheck.evidence.operators.relied_on import with_constants

        where, rest = _subject(problem, parameters, wishes)
        where = with_constants(where)
    elif any(wishes.values()):
        raise OpcheckError("--set, --start and the like go with --problem")
    if coverage and where is not None:
        raise OpcheckError("--coverage is about the whole library; leave out --problem")
    with terminal.Bar("verify", len(names)) as step:
        found, interrupted = _finished(
            lambda: confront(selector, where, workers, step, everything, **rest)
        )
    standing = {}
    if isinstance(found, Report) and where is None and not interrupted:
        from opcheck.evidence.dossier import SPEAKS, standings

        with terminal.Bar("evidence", sum(s.status in SPEAKS for s in found.summaries)) as step:
            standing = standings(found, workers, step)
    planted = []
    if mutants and not interrupted:
        from opcheck.evidence.simulation.mutants import mutants as plant
        from opcheck.evidence.simulation.mutants import work_list

        with terminal.Bar("mutants", len(work_list(names))) as step:
            planted = plant(names, workers, step)
    if as_json:
        document = found.as_dict()
        for row in document["theorems"] if standing else ():
            one = standing[row["name"]]
            row |= {"rung": one.rung, "tight": one.tight, "needed": one.needed}
        if mutants:
            document["mutants"] = [m.as_dict() for m in planted]
        _json(document)
    else:
        console = _console()
        if isinstance(found, Report):
            terminal.show_report(found, console, standing)
            if coverage:
                console.print()
                terminal.show_coverage(found, console)
        else:
            terminal.show_verdict(found, console)
        if mutants:
            console.print()
            terminal.show_mutants(planted, console)
    if interrupted:
        done = len(found.summaries)
        _end(f"interrupted: {done} of {len(names)} theorems were finished, and are shown")
    bad = not found.ok if isinstance(found, Report) else found.status in ("violated", "error")
    if isinstance(found, Report) and coverage:
        bad |= not found.covered
    if bad:
        from opcheck.evidence.cross_check import contradictions, suspicions

        for sentence in registry.failures():
            _say(sentence)
        against = contradictions(found)
        for sentence in against:
            _say(f"internal error, please report it: {sentence}")
        for sentence in suspicions(found):
            _say(sentence)
        click.get_current_context().exit(3 if against else 1)


def _point(start: str | None) -> list[float] | None:
    if start is None:
        return None
    try:
        return [float(v) for v in start.split(",")]
    except ValueError:
        raise OpcheckError(f"--start {start!r} is no point; write --start 1,0.5") from None


@main.command()
@click.argument("problem", required=False, shell_complete=_names("problems"))
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="Of the family.")
@click.option("--rigorous", is_flag=True, help="Prove them; needs a matrix or a formula.")
@_about_a_problem
@click.option("--seed", default=0, show_default=True, help="Of the search.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def constants(
    problem: str,
    parameters: tuple[str, ...],
    rigorous: bool,
    wishes: Mapping[str, Any],
    seed: int,
    as_json: bool,
) -> None:
    """L, ρ, μ and the weak Minty constant of PROBLEM, which may be all that check takes.

    Without PROBLEM: a Markdown table of the whole library, proved where that is possible.
    """
    if problem is None:
        _survey(seed, as_json)
        return
    from opcheck.evidence.operators.constants import constants as find
    from opcheck.report.terminal import constant_rows, named, pairs

    where = _alone(problem, parameters, wishes)
    found = find(where, rigorous, seed=seed)
    rows = [c.as_dict() for c in found]
    _emit(
        as_json,
        lambda: {"problem": where.name, "what": where.doc, "seed": seed, "constants": rows},
        lambda console: pairs([*named(where), *constant_rows(found), ("seed", seed)], console),
    )


def _alone(target: str, parameters: tuple[str, ...], wishes: Mapping[str, Any]) -> Any:
    """The problem, where no method is there to take other parameters."""
    where, rest = _subject(target, parameters, wishes)
    if rest:
        raise OpcheckError(f"problem {target!r} has no parameter {', '.join(rest)}")
    return where


def _survey(seed: int, as_json: bool) -> None:
    import os

    from opcheck import registry
    from opcheck.evidence.operators.table import survey
    from opcheck.report import terminal

    with terminal.Bar("constants", len(registry.names("problems"))) as step:
        found, interrupted = _finished(lambda: survey((), os.cpu_count() or 1, step, seed))
    if as_json:
        _json({"seed": seed, "constants": [line.as_dict() for line in found]})
    else:
        click.echo(terminal.survey_table(found))
    if interrupted:
        _end("interrupted: the problems that were finished are shown")
    if any("REFUTED" in line.judgement for line in found):
        click.get_current_context().exit(1)


@main.command()
@click.argument("target", shell_complete=_names("problems"))
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="Of the family.")
@click.option("--rigorous", is_flag=True, help="Prove constants; needs a matrix or a formula.")
@_about_a_problem
@click.option("--seed", default=0, show_default=True, help="Of the search.")
@click.option("--quick", is_flag=True, help="Shorter searches; few short runs of each theorem.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="Begin nothing more after it.")
@_plotted
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def check(
    target: str,
    parameters: tuple[str, ...],
    rigorous: bool,
    wishes: Mapping[str, Any],
    seed: int,
    quick: bool,
    time_limit: float | None,
    plot: Callable[..., list[tuple[str, Any]]] | None,
    as_json: bool,
) -> None:
    """Your operator: its constants, its classes, the theorems that apply, and their verdicts.

    TARGET is a problem of the library, also at parameters as "bilinear(L=2)"; FILE.py or
    FILE.py:NAME (a family, an operator, a function F(z, out, data) or F(z), a matrix); a matrix
    file (.npy, .npz, .mtx, .mtx.gz, .csv, .mat); or a payoff such as "x*y + x**2/2".

    What is found is printed as it is found; Ctrl-C ends it with what there is (exit code 130).
    Exit code 1 if a stated constant is refuted or a theorem violated.
    """
    from opcheck.evidence.check import checking
    from opcheck.report.checking import Checking

    where = _alone(target, parameters, wishes)
    shown = Checking(_console())
    interrupted = False
    found: Any = None
    try:
        for found in checking(where, rigorous, seed, quick, time_limit):
            if not as_json:
                shown.update(found)
    except KeyboardInterrupt as stop:
        interrupted = True
        found = getattr(stop, "finished", found)
        if found is None:
            raise
    drawn = []
    if plot and not interrupted:
        from opcheck.evidence.picture import pictured

        drawn = plot(pictured(found))
    if as_json:
        _json({**found.as_dict(), "seed": seed, "interrupted": interrupted})
    else:
        shown.close(found)
        if drawn:
            from opcheck.report.terminal import pairs

            pairs(drawn, _console())
    if interrupted:
        _end("interrupted")
    if not found.ok:
        click.get_current_context().exit(1)


@main.command()
@click.argument("paper", shell_complete=_names("papers"))
@click.option("--figure", "figure_id", help="One figure; all by default.")
@click.option("--list", "only_list", is_flag=True, help="List the paper's figures.")
@click.option("--out", default=".", show_default=True, type=click.Path(file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def repro(paper: str, figure_id: str | None, only_list: bool, out: str, as_json: bool) -> None:
    """Regenerate a paper's figures as SVG and PNG, with the CSV behind them, and check them."""
    from opcheck.report.reproduce import figures_of, reproduce

    figures = figures_of(paper)
    if only_list:
        if as_json:
            _json([{"figure": f.id, "caption": f.caption} for f in figures])
        else:
            for f in figures:
                click.echo(f"{f.id}: {f.caption}")
        return
    results = [
        reproduce(paper, i, out) for i in ([figure_id] if figure_id else [f.id for f in figures])
    ]
    if as_json:
        _json([r.as_dict() for r in results])
    else:
        for r in results:
            for path in r.paths:
                click.echo(path)
            if r.note:
                click.echo(f"note: {r.note}")
            for sentence, passed in r.checks:
                click.echo(f"{'seen' if passed else 'NOT SEEN'}: {sentence}")
    if not all(passed for r in results for _, passed in r.checks):
        click.get_current_context().exit(1)


def _indices(source: str) -> list[int]:
    """``3``, ``1..6`` or ``1,2,5``."""
    found: list[int] = []
    try:
        for part in source.split(","):
            low, dots, high = part.partition("..")
            found += range(int(low), int(high) + 1) if dots else [int(low)]
    except ValueError:
        found = []
    if not found or min(found) < 0 or len(found) > 1000:
        raise OpcheckError(f"-k {source!r} is no range of k; write -k 3, -k 1..6 or -k 1,2,5")
    return list(dict.fromkeys(found))


def _texts(values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for item in values:
        name, equals, value = item.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise OpcheckError(f"-p {item!r} is no parameter; write -p name=number")
        found[name.strip()] = value.strip()
    return found


def _constants_of(theorem: str, problem: str | None, wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The constants of a theorem's hypotheses, as they are known of a problem."""
    from opcheck import registry
    from opcheck.evidence.operators.relied_on import with_constants
    from opcheck.evidence.statement.hypotheses import constants

    if problem is None:
        if any(wishes.values()):
            raise OpcheckError("--set, --start and the like go with --problem")
        return {}
    where = with_constants(_alone(problem, (), wishes))
    known = constants(registry.get("theorems", theorem), where)
    if isinstance(known, str):
        raise OpcheckError(f"{theorem} does not apply to {problem}: {known}")
    return dict(known.values)


PLACES = click.Choice(["low", "middle", "high"])


@main.command()
@click.argument("theorem", shell_complete=_names("theorems"))
@click.option("-k", "ks", default="1..5", show_default=True, help="As 3, 1..6 or 1,2,5.")
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="As gamma=1/sqrt(2).")
@click.option(
    "--problem",
    shell_complete=_names("problems"),
    help="Take the constants that are known of it: whatever check takes.",
)
@_about_a_problem
@click.option("--place", type=PLACES, default="middle", show_default=True, help="In the ranges.")
@click.option("--sparse", is_flag=True, help="Also the fewest inequalities that are found to do.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def worst(
    theorem: str,
    ks: str,
    parameters: tuple[str, ...],
    problem: str | None,
    wishes: Mapping[str, Any],
    place: Any,
    sparse: bool,
    as_json: bool,
) -> None:
    """The worst case of THEOREM at each k over all operators with its hypotheses, by the solver.

    With --problem the class is that of the constants of one operator: how far from it may another
    with the same constants be? Beside it what the attack reaches: the true worst case lies between
    the two.
    """
    from opcheck.evidence.worst_case.attack import BUDGET
    from opcheck.evidence.worst_case.attack import attack as search
    from opcheck.evidence.worst_case.worst_case import each
    from opcheck.report import terminal

    found = []
    (name,) = _one(theorem)
    chosen = _indices(ks)
    given = {**_constants_of(name, problem, wishes), **_texts(parameters)}
    reached: list[float] = []
    interrupted = False
    try:
        with terminal.Bar("worst", len(chosen)) as step:
            for one in each(name, chosen, place, sparse, given):
                found.append(one)
                step(f"{name} k = {one.k}")
        ks_ = [w.k for w in found]
        reached = [w.ratio for w in search(name, ks_, BUDGET, 0, place, 0, False, **given).found]
    except KeyboardInterrupt:
        interrupted = True
    if as_json:
        below = [*reached, *[None] * (len(found) - len(reached))]
        _json([{**one.as_dict(), "attack": b} for one, b in zip(found, below, strict=True)])
    elif found:
        terminal.show_worst(found, _console(), reached)
    if interrupted:
        _end(f"interrupted: {len(found)} of {len(chosen)} k were finished, and are shown")


@main.command()
@click.argument("theorem", shell_complete=_names("theorems"))
@click.option("-k", "ks", default="1,2,5,10,20", show_default=True, help="As 3, 1..6 or 1,2,5.")
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="As gamma=1/sqrt(2).")
@click.option("--place", type=PLACES, default="middle", show_default=True, help="In the ranges.")
@click.option("--budget", default=2000, show_default=True, help="Operators tried at each k.")
@click.option("--far", default=1000, show_default=True, help="Steps of the long runs; 0: none.")
@click.option("--seed", default=0, show_default=True, help="Of the search.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def attack(
    theorem: str,
    ks: str,
    parameters: tuple[str, ...],
    place: Any,
    budget: int,
    far: int,
    seed: int,
    as_json: bool,
) -> None:
    """Search the class of THEOREM for the operator with the largest measured/bound.

    Exit code 1 if one exceeds the bound.
    """
    from opcheck.evidence.worst_case.attack import attack as search
    from opcheck.report import terminal

    (name,) = _one(theorem)
    found, interrupted = _finished(
        lambda: search(name, _indices(ks), budget, seed, place, far, True, **_texts(parameters))
    )
    _emit(as_json, lambda: found.as_dict(), partial(terminal.show_attack, found))
    if interrupted:
        _end("interrupted: the k that were finished are shown")
    if not found.ok:
        click.get_current_context().exit(1)


@main.command()
@click.argument("selector", nargs=-1, shell_complete=_names("theorems"))
@click.option("--all", "everything", is_flag=True, help="Every theorem.")
@click.option("-k", "ks", default="1..5", show_default=True, help="As 3, 1..6 or 1,2,5.")
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="As gamma=1/sqrt(2).")
@click.option("--place", type=PLACES, default="middle", show_default=True, help="In the ranges.")
@click.option("--ratio", default="1", show_default=True, help="Of the bound, as 99/100.")
@click.option("--over", metavar="PARAMETER", help="Of one theorem: five values along its range.")
@click.option("--out", type=click.Path(file_okay=False), help="Write one file a certificate.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def certify(
    selector: tuple[str, ...],
    everything: bool,
    ks: str,
    parameters: tuple[str, ...],
    place: Any,
    ratio: str,
    over: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Prove bounds at each k, for every operator and dimension, in exact rationals.

    A certificate is for one choice of constants and parameters; it names them.

    Exit code 1 if one is not certified.
    """
    from opcheck import registry
    from opcheck.evidence.certificates.certificate import attempts
    from opcheck.report import terminal

    if bool(selector) == everything:
        raise OpcheckError("certify takes theorems by name or prefix, or --all")
    names = registry.select("theorems", selector) if selector else registry.names("theorems")
    chosen = _indices(ks)
    if over is not None:
        _certify_over(names, over, chosen, place, ratio, parameters, out, as_json)
        return
    found = []
    with terminal.Bar("certify", len(names)) as step:
        for name in names:
            found += attempts(name, chosen, place, ratio, _texts(parameters))
            step(name)
    if all(a.kind == "refused" for a in found) and len(names) == 1:
        raise OpcheckError(found[0].reason)
    paths = [a.save(out) for a in found if out and a.certificate]
    _emit(
        as_json, lambda: [a.as_dict() for a in found], partial(terminal.show_attempts, found), paths
    )
    if any(a.kind == "not certified" for a in found):
        click.get_current_context().exit(1)
    if all(a.kind == "refused" for a in found):
        click.get_current_context().exit(2)


def _certify_over(
    names: list[str],
    over: str,
    ks: list[int],
    place: str,
    ratio: str,
    parameters: tuple[str, ...],
    out: str | None,
    as_json: bool,
) -> None:
    from opcheck.evidence.certificates.certificate import certify_over
    from opcheck.report import terminal

    if len(names) != 1 or place != "middle":
        raise OpcheckError("--over takes one theorem, and no --place: it goes along the range")
    found = []
    with terminal.Bar("certify", len(ks)) as step:
        for k in ks:
            points = certify_over(names[0], over, k, ratio=ratio, **_texts(parameters))
            found += [(k, p) for p in points]
            step(f"{names[0]} k = {k}")
    paths = []
    for _, p in found if out else ():
        if p.attempt.certificate is not None:
            value = str(p.value).replace("/", "_")
            stem = f"{names[0]}-k{p.attempt.k}-{over}-{value}"
            paths.append(p.attempt.certificate.save(f"{out}/{stem}.json"))
    rows = [{"value": str(p.value), "place": p.place, **p.attempt.as_dict()} for _, p in found]
    _emit(
        as_json,
        lambda: [{"parameter": over, **row} for row in rows],
        partial(terminal.show_points, over, found),
        paths,
    )
    if any(p.attempt.kind == "not certified" for _, p in found):
        click.get_current_context().exit(1)
    if all(p.attempt.kind == "refused" for _, p in found):
        click.get_current_context().exit(2)


@main.command()
@click.argument("selector", nargs=-1, shell_complete=_names("theorems"))
@click.option("--all", "everything", is_flag=True, help="Every theorem.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def prove(selector: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Check declared potential arguments for all k and all admissible parameters at once.

    Exit code 1 if one does not show its theorem, or, of theorems asked for by name, only a part.
    """
    from opcheck import registry
    from opcheck.evidence.proofs.prove import attempt
    from opcheck.report import terminal

    if bool(selector) == everything:
        raise OpcheckError("prove takes theorems by name or prefix, or --all")
    names = registry.select("theorems", selector) if selector else registry.names("theorems")
    found = []
    with terminal.Bar("prove", len(names)) as step:
        for name in names:
            found.append(attempt(registry.get("theorems", name)))
            step(name)
    if len(names) == 1 and found[0].status == "none":
        raise OpcheckError(f"{names[0]} declares no potential argument (see opcheck.Proof)")
    _emit(as_json, lambda: [one.as_dict() for one in found], partial(terminal.show_proofs, found))
    # asked for by name, a statement that is shown in part is not shown
    failed = ("not proved",) if everything else ("not proved", "in part")
    if any(one.status in failed for one in found):
        click.get_current_context().exit(1)


@main.command("cross-check")
@click.argument("selector", nargs=-1, shell_complete=_names("theorems"))
@click.option("--all", "everything", is_flag=True, help="Every theorem.")
@click.option("--jobs", default=0, show_default=True, help="Processes; 0 takes one a core.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def cross_check(selector: tuple[str, ...], everything: bool, jobs: int, as_json: bool) -> None:
    """Hold what prove, certify, worst, attack and verify say of a theorem against each other.

    Exit code 3 if two of them disagree: that is an error of opcheck, whatever the theorem.
    """
    import os

    from opcheck import registry
    from opcheck.evidence.cross_check import cross_checks
    from opcheck.report import terminal

    if bool(selector) == everything:
        raise OpcheckError("cross-check takes theorems by name or prefix, or --all")
    names = registry.select("theorems", selector) if selector else registry.names("theorems")
    with terminal.Bar("cross-check", len(names)) as step:
        found = cross_checks(names, jobs=jobs or os.cpu_count() or 1, progress=step)
    _emit(
        as_json,
        lambda: [one.as_dict() for one in found],
        partial(terminal.show_cross_checks, found),
    )
    for one in found:
        for sentence in one.disagreements:
            _say(f"internal error, please report it: {one.theorem} is {sentence}")
    if not all(one.ok for one in found):
        click.get_current_context().exit(3)


@main.command()
@click.argument("method", shell_complete=_names("methods"))
@click.option(
    "--given",
    multiple=True,
    required=True,
    metavar="PROPERTY",
    help="As 'Lipschitz(1) of F'; again for each.",
)
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="As gamma=1/4.")
@click.option(
    "--theta", default="smallest", show_default=True, help="The rate, as 7/8 or 1; or smallest."
)
@click.option(
    "--above",
    type=click.Choice(["distance", "residual"]),
    default="distance",
    show_default=True,
    help="What V bounds.",
)
@click.option("--vector", "vectors", multiple=True, help="Of V: z, 'F z', a row; default all.")
@click.option("--steps", default=1, show_default=True, help="Taken together, as Lookahead's τ.")
@click.option("--constrained", is_flag=True, help="A is any maximally monotone operator, not 0.")
@click.option("--out", type=click.Path(file_okay=False), help="Write both certificates.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def lyapunov(
    method: str,
    given: tuple[str, ...],
    parameters: tuple[str, ...],
    theta: str,
    above: Any,
    vectors: tuple[str, ...],
    steps: int,
    constrained: bool,
    out: str | None,
    as_json: bool,
) -> None:
    """Search for a potential of METHOD on a class: V at k + 1 ≤ θ V at k, proved in rationals.

    Exit code 1 if there is none of this shape, or none that rounds.
    """
    from opcheck.evidence.certificates.certificate import NotCertified
    from opcheck.evidence.certificates.lyapunov import lyapunov as search
    from opcheck.report import terminal

    try:
        found = search(
            method, given, theta, above, vectors, steps, constrained, **_texts(parameters)
        )
    except NotCertified as reason:
        if as_json:
            _json({"method": method, "potential": None, "reason": str(reason)})
        else:
            click.echo(str(reason))
        click.get_current_context().exit(1)
    paths = found.save(out) if out else []
    _emit(as_json, lambda: found.as_dict(), partial(terminal.show_potential, found), paths)


@main.command()
@click.argument("file", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--plugin", multiple=True, metavar="FILE.py", help="Where a theorem of yours stands.")
@click.option("--numbers-only", is_flag=True, help="Content where words can't be checked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def recheck(
    file: tuple[str, ...], plugin: tuple[str, ...], numbers_only: bool, as_json: bool
) -> None:
    """Check certificates exactly, without a solver: their numbers, and that their words fit them.

    Words are checked against the theorem and the method known here, and against the texts in the
    file. Exit code 1 if one is rejected, or if its theorem is not known here (then only its numbers
    are checked). ``python recheck.py FILE`` does without opcheck what the file alone allows.
    """
    from opcheck import registry
    from opcheck.evidence.certificates.certificate import NotCertified, recheck_file

    registry.load()
    for path in plugin:
        registry.load_file(path)
    rows, lines = [], []
    for path in file:
        try:
            found = recheck_file(path)
        except NotCertified as rejected:
            rows.append({"file": path, "valid": False, "proved": str(rejected), "run": ""})
            lines.append(str(rejected))
            continue
        status = "numbers only" if found.numbers_only else "words and numbers"
        good = numbers_only or not found.numbers_only
        row = {"file": path, "valid": good, "proved": found.proved, "run": found.run}
        rows.append({**row, "checked": status})
        lines.append(str(found))
    if as_json:
        _json(rows)
    else:
        for line in lines:
            click.echo(line)
    if not all(row["valid"] for row in rows):
        click.get_current_context().exit(1)


def _one(name: str) -> list[str]:
    from opcheck import registry

    found = registry.select("theorems", [name])
    if len(found) != 1:
        raise OpcheckError(f"{name!r} selects {len(found)} theorems; name one")
    return found
