"""What speaks for statements and against them: runs, proofs, and the parts against each other."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import click

from opcheck.cli import options
from opcheck.cli.emit import emit, finished, json_option, progress, say, shown_of, table_options
from opcheck.errors import OpcheckError


@click.command()
@options.selector_argument
@options.problem_option(help="One problem instead of the library: whatever check takes.")
@options.parameters_option(help="Fix a parameter.")
@options.about_a_problem("problem", rest="kept")
@click.option("--all", "everything", is_flag=True, help="Every admissible problem, not a cover.")
@click.option("--coverage", is_flag=True, help="Show which parts of each range were entered.")
@click.option("--mutants", is_flag=True, help="Also plant errors and report how many are caught.")
@click.option("--jobs", default=0, help="Processes; default one a core.")
@table_options
@json_option
def verify(
    selector: tuple[str, ...],
    subject: Any,
    parameters: options.Values,
    everything: bool,
    coverage: bool,
    mutants: bool,
    jobs: int,
) -> None:
    """Confront theorems (all, or names and prefixes) with every admissible problem.

    Exit code 1 if a statement is violated, on a problem or by the attack that is run where nothing
    shows it, or if nothing in the library decides it; with --coverage also if some part of the
    range of its parameters, or of ρ, or of what A may be, was not entered.
    """
    from opcheck import registry
    from opcheck.evidence.dossier import SPEAKS, Standing, document, standings
    from opcheck.evidence.operators.relied_on import with_constants
    from opcheck.evidence.simulation.mutants import mutants as plant
    from opcheck.evidence.simulation.mutants import work_list
    from opcheck.evidence.simulation.verify import Report
    from opcheck.evidence.simulation.verify import verify as confront
    from opcheck.report import terminal
    from opcheck.report.tables import verdict_table

    jobs = jobs or os.cpu_count() or 1
    names = registry.select("theorems", selector)
    if everything and subject is not None:
        raise OpcheckError("--all is about the whole library; leave out --problem")
    if coverage and subject is not None:
        raise OpcheckError("--coverage is about the whole library; leave out --problem")
    subject = None if subject is None else with_constants(subject)
    said = {"jobs": jobs, "everything": everything, **options.symbols(confront, parameters)}
    with progress("verify", len(names)) as step:
        result, interrupted = finished(lambda: confront(selector, subject, progress=step, **said))
    report = result if isinstance(result, Report) else None
    standing: dict[str, Standing] = {}
    planted = None
    if report and subject is None and not interrupted:
        with progress("evidence", sum(s.status in SPEAKS for s in report.summaries)) as step:
            standing = standings(report, jobs=jobs, progress=step)
    if mutants and not interrupted:
        with progress("mutants", len(work_list(names))) as step:
            planted = plant(names, jobs, step)
    done = len(report.summaries if report else ())
    emit(
        result,
        lambda console: terminal.show_verification(
            result, console, standing=standing, coverage=coverage, planted=planted
        ),
        data=lambda: document(result, standing, planted),
        table=lambda: verdict_table(report or _of_one(result), standing),
        interrupted=shown_of(done, len(names)) * interrupted,
        code=0,
    )
    refuted = any(entry.refuted for entry in standing.values())
    if not result.ok or refuted or (report and coverage and not report.covered):
        click.get_current_context().exit(_blamed(result))


def _of_one(verdict: Any) -> Any:
    """A report of one theorem on one problem."""
    from opcheck import registry
    from opcheck.evidence.simulation.verify import Report, Summary

    theorem = registry.get("theorems", verdict.theorem)
    return Report((Summary(theorem, (verdict,), selected=True),))


def _blamed(result: Any) -> int:
    """Say what may be wrong besides a statement that fails; the exit code."""
    from opcheck import registry
    from opcheck.evidence.cross_check import contradictions, suspicions

    ours = contradictions(result)
    for sentence in registry.failures():
        say(sentence)
    for sentence in ours:
        say(f"internal error, please report it: {sentence}")
    for sentence in suspicions(result):
        say(sentence)
    return 3 if ours else 1


@click.command()
@options.theorems_or_all
@click.option(
    "--rocq",
    metavar="FILE.v|DIR",
    type=click.Path(),
    help="Write the proofs as developments of Rocq.",
)
@click.option("--check", is_flag=True, help="With --rocq: also have coqc compile each.")
@click.option("--latex", is_flag=True, help="The proof of one theorem, as LaTeX.")
@click.option("--markdown", is_flag=True, help="The same as Markdown.")
@json_option
def prove(names: list[str], rocq: str | None, check: bool, latex: bool, markdown: bool) -> None:
    """Check declared potential arguments for all k and all admissible parameters at once.

    Exit code 1 if one does not show its theorem, or, of theorems asked for by name, only a part or
    nothing; with --rocq if a proof has no form in Rocq, and 3 if Rocq refuses what was written.
    """
    from opcheck import registry
    from opcheck.evidence.proofs.prove import attempt
    from opcheck.processes import over_processes
    from opcheck.report import terminal

    if latex and markdown:
        raise OpcheckError("--latex and --markdown are two forms of one text: take one of them")
    form = "latex" if latex else "markdown" if markdown else None

    def tried(name: str) -> Any:
        return attempt(registry.get("theorems", name))

    with progress("prove", len(names)) as step:
        attempts, interrupted = finished(lambda: over_processes(tried, names, 1, step))
    if len(names) == 1 and attempts[0].status == "none":
        why = attempts[0].reason or f"opcheck discover {names[0]} looks for one"
        raise OpcheckError(f"{names[0]} declares no potential argument: {why}")
    # asked for by name, a statement that is shown in part or not at all is not shown
    by_name = not click.get_current_context().params["everything"]
    failing = ("not proved", "in part", "none") if by_name else ("not proved",)
    code = int(any(each.status in failing for each in attempts))
    if form is not None:
        _written(attempts, form, rocq)
        return
    if rocq is None:
        if check:
            raise OpcheckError("--check is of what --rocq writes; say where: --rocq FILE.v")
        emit(
            attempts,
            partial(terminal.show_proofs, attempts),
            interrupted=shown_of(len(attempts), len(names)) * interrupted,
            code=code,
        )
        return
    _export([each.theorem for each in attempts if each.proved], rocq, check=check)
    if code:
        for each in attempts:
            if each.reason:
                say(each.reason)
            elif by_name and each.status == "in part" and each.proved:
                say(f"{each.theorem} is shown for {each.proved.only} alone")
        click.get_current_context().exit(code)


def _written(attempts: list[Any], form: str, rocq: str | None) -> None:
    """One proof as a text to be checked by hand."""
    from opcheck.report import proofs

    if len(attempts) != 1 or rocq is not None:
        raise OpcheckError(
            f"--{form} writes the proof of one theorem, and no other form: name one of a file by "
            "FILE.py:NAME"
        )
    (each,) = attempts
    if not each.proved:
        raise OpcheckError(each.reason)
    click.echo(getattr(proofs, form)(each.theorem), nl=False)


def _counted(exported: list[Any]) -> list[str]:
    """How many were written, and accepted, where there are several."""
    written = sum(bool(each.path) for each in exported)
    accepted = sum(bool(each.checked and each.checked.accepted) for each in exported)
    asked = f"; {accepted} accepted by Rocq" if any(each.checked for each in exported) else ""
    return ["", f"{written} of {len(exported)} proofs are written{asked}."]


def _export(names: list[str], path: str, *, check: bool) -> None:
    """Write developments of Rocq, and say what came of it."""
    from opcheck.rocq.coqc import coqc_version
    from opcheck.rocq.files import write

    missing = ""
    if check:
        try:
            coqc_version()
        except OpcheckError as error:
            missing = str(error)
    with progress("rocq", len(names)) as step:
        exported = write(names, path, check=check and not missing, progress=step)
    lines = [*map(str, exported), *_counted(exported)] if exported[1:] else exported
    emit(exported, lines, code=0)
    if missing:
        raise OpcheckError(f"{missing}; the files are written")
    for each in exported:
        if each.refused:
            say(
                f"internal error, please report it: prove accepts {each.theorem} and Rocq refuses "
                f"{each.path}: {each.checked.reason if each.checked else ''}"
            )
    if any(each.refused for each in exported):
        click.get_current_context().exit(3)
    if not all(each.ok for each in exported):
        click.get_current_context().exit(1)


@click.command("cross-check")
@options.theorems_or_all
@click.option("--jobs", default=0, show_default=True, help="Processes; 0 takes one a core.")
@json_option
def cross_check(names: list[str], jobs: int) -> None:
    """Hold what prove, certify, worst, attack and verify say of a theorem against each other.

    Exit code 3 if two of them disagree: that is an error of opcheck, whatever the theorem. Exit
    code 1 if a run or an operator of the attack violates it, or if no run compared anything.
    """
    from opcheck.evidence.cross_check import cross_checks
    from opcheck.report import terminal

    with progress("cross-check", len(names)) as step:
        checks, interrupted = finished(
            lambda: cross_checks(names, jobs=jobs or os.cpu_count() or 1, progress=step)
        )
    emit(
        checks,
        partial(terminal.show_cross_checks, checks),
        interrupted=shown_of(len(checks), len(names)) * interrupted,
        code=0,
    )
    for check in checks:
        for sentence in check.disagreements:
            say(f"internal error, please report it: {check.theorem} is {sentence}")
        for reason in dict.fromkeys(reason for _, reason in check.errors):
            names = [problem for problem, because in check.errors if because == reason]
            others = f" and {len(names) - 1} others" if names[1:] else ""
            say(f"{check.theorem} on {names[0]}{others}: {reason}")
    if not all(check.ok for check in checks):
        click.get_current_context().exit(3)
    if any(check.agreement != "yes" for check in checks):
        click.get_current_context().exit(1)
