"""What became of a suite: a page of it, and two runs held against each other."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from opcheck.cli import options
from opcheck.cli.emit import emit, finished, json_option, progress
from opcheck.errors import OpcheckError


@click.command()
@click.argument("before", type=click.Path())
@click.argument("after", type=click.Path())
@json_option
def compare(before: str, after: str) -> None:
    """Hold two files of `opcheck verify --json` against each other.

    Says what got worse, is gone, got better, is new or changed, theorem by theorem. Exit code 1 if
    something got worse or is gone.
    """
    from opcheck.report.compare import compare as held

    result = held(before, after)
    emit(result, lines(result))


def lines(result: Any) -> Iterator[str]:
    """What people are told: regressions first, then a line that counts."""
    kinds = ("worse", "gone", "better", "new", "changed")
    for kind in kinds:
        for change in result.of(kind):
            yield f"{kind:8} {change.theorem}: {change.what}"
    counts = ", ".join(f"{len(result.of(kind))} {kind}" for kind in kinds)
    yield f"{counts}; {result.same} as before"


@click.command()
@options.selector_argument
@options.problem_option(help="One problem instead of the library: whatever check takes.")
@options.parameters_option(help="Of the problem.")
@options.about_a_problem("problem", rest="refused")
@click.option("--out", default="report.html", show_default=True, metavar="FILE")
@click.option("--all", "everything", is_flag=True, help="Every admissible problem, not a cover.")
@click.option("--jobs", default=0, help="Processes; default one a core.")
@json_option
def report(selector: tuple[str, ...], subject: Any, out: str, everything: bool, jobs: int) -> None:
    """Verify theorems, and write one page of HTML that needs nothing else of what came out.

    It has a table to filter and sort, every statement with its evidence and its proof written out,
    and every problem with where its constants come from. Exit code 1 where verify has it.
    """
    from opcheck import registry
    from opcheck.evidence.dossier import SPEAKS, Standing, document, in_a_word, standings
    from opcheck.evidence.operators.relied_on import with_constants
    from opcheck.evidence.simulation.verify import Report, Summary, verify
    from opcheck.model.verdict import Verdict
    from opcheck.report.suite import write_suite

    if Path(out).suffix.lower() not in (".html", ".htm"):
        raise OpcheckError(f"{out!r} is no page; end it in .html")
    jobs = jobs or os.cpu_count() or 1
    names = registry.select("theorems", selector)
    problem = None if subject is None else with_constants(subject)
    with progress("verify", len(names)) as step:
        result, interrupted = finished(
            lambda: verify(names, problem, jobs=jobs, everything=everything, progress=step)
        )
    if isinstance(result, Verdict):
        result = Report((Summary(registry.get("theorems", names[0]), (result,), selected=True),))
    standing: dict[str, Standing] = {}
    if problem is None and not interrupted:
        with progress("evidence", sum(s.status in SPEAKS for s in result.summaries)) as step:
            standing = standings(result, jobs=jobs, progress=step)
    page = write_suite(result, standing, out, command=_typed(), problem=problem)
    words = [in_a_word(s, standing.get(s.theorem.name)) for s in result.summaries]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    done = f"{len(result.summaries)} of {len(names)} theorems were finished"
    refuted = any(entry.refuted for entry in standing.values())
    emit(
        result,
        [str(page), f"{len(words)} theorem{'s' * (len(words) != 1)}: {counts}"],
        data=lambda: {**document(result, standing), "page": str(page)},
        interrupted=f"interrupted: {done}, and are on the page" * interrupted,
        code=int(not result.ok or refuted),
    )


def _typed() -> str:
    """This command as it was typed, without what does not change its page."""
    context = click.get_current_context()
    words = ["opcheck", str(context.info_name)]
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if isinstance(parameter, click.Argument):
            words += value or ()
        elif value and value != parameter.default and parameter.name not in ("out", "jobs"):
            values = [value] if isinstance(value, str) else value
            flag = parameter.opts[0]
            words += [flag] if value is True else [w for v in values for w in (flag, str(v))]
    return shlex.join(words)
