"""What is known of one operator, or of all in the library."""

from __future__ import annotations

import os
from typing import Any

import click

from opcheck.cli import options
from opcheck.cli.emit import (
    as_json,
    console,
    emit,
    finished,
    json_option,
    progress,
    table_options,
    working,
)
from opcheck.errors import OpcheckError


@click.command()
@click.argument("problem", required=False, shell_complete=options.names_of("problems"))
@options.parameters_option(help="Of the family.")
@click.option("--rigorous", is_flag=True, help="Prove them; needs a matrix or a formula.")
@options.about_a_problem("problem", rest="refused")
@options.seed_option
@table_options
@json_option
def constants(subject: Any, rigorous: bool, seed: int) -> None:
    """L, ρ, μ and the weak Minty constant of PROBLEM, which may be all that check takes.

    Without PROBLEM: a Markdown table of the whole library, proved where that is possible.
    Exit code 1 if a constant that is stated of PROBLEM, or in the library, is refuted.
    """
    if subject is None:
        if rigorous:
            raise OpcheckError(
                "--rigorous goes with PROBLEM; the table of the library proves what can be proved"
            )
        _survey(seed)
        return
    from opcheck.evidence.operators.constants import constants as constants_of
    from opcheck.evidence.operators.relied_on import contradictions
    from opcheck.report.tables import constant_table
    from opcheck.report.terminal import constant_rows, named, pairs

    with working(f"constants {subject.name}"):
        enclosures = constants_of(subject, rigorous=rigorous, seed=seed)
    refuted = [str(c) for c in contradictions(subject, enclosures)]
    rows = [*constant_rows(enclosures), *(("wrong", sentence) for sentence in refuted)]
    emit(
        {
            "problem": subject.name,
            "what": subject.doc,
            "seed": seed,
            "constants": enclosures,
            "contradictions": refuted,
        },
        lambda console: pairs([*named(subject), *rows, ("seed", seed)], console),
        table=lambda: constant_table(enclosures),
        code=int(bool(refuted)),
    )


def _survey(seed: int) -> None:
    from opcheck import registry
    from opcheck.evidence.operators.table import survey
    from opcheck.report.tables import survey_table

    with progress("constants", len(registry.names("problems"))) as step:
        lines, interrupted = finished(lambda: survey((), os.cpu_count() or 1, step, seed))
    emit(
        {"seed": seed, "constants": lines},
        [survey_table(lines, code=True).markdown().rstrip()],
        table=lambda: survey_table(lines),
        interrupted="interrupted: the problems that were finished are shown" * interrupted,
        code=int(any("REFUTED" in line.judgement for line in lines)),
    )


def _checking() -> Any:
    from opcheck.report.checking import Checking

    return Checking(console(), silent=as_json())


@click.command()
@click.argument("target", shell_complete=options.names_of("problems"))
@options.parameters_option(help="Of the family.")
@click.option("--rigorous", is_flag=True, help="Prove constants; needs a matrix or a formula.")
@options.about_a_problem("target", rest="refused", reporter=_checking)
@options.seed_option
@click.option("--quick", is_flag=True, help="Shorter searches; few short runs of each theorem.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="Begin nothing more after it.")
@options.plotted
@json_option
def check(subject: Any, report: Any, seed: int, plot: options.Plot, **effort: Any) -> None:
    """Your operator: its constants, its classes, the theorems that apply, and their verdicts.

    TARGET is a problem of the library, also at parameters as "bilinear(L=2)"; FILE.py or
    FILE.py:NAME (a family, an operator, a function F(z, out, data) or F(z), a matrix); a matrix
    file (.npy, .npz, .mtx, .mtx.gz, .csv, .mat); or a payoff such as "x*y + x**2/2".

    What is found is printed as it is found; Ctrl-C ends it with what there is (exit code 130).
    Exit code 1 if a stated constant is refuted or a theorem violated.
    """
    from opcheck.evidence.check import checking
    from opcheck.report.terminal import pairs

    result, interrupted = report.follow(checking(subject, seed=seed, **effort))
    drawn = []
    if plot and not interrupted:
        from opcheck.evidence.picture import pictured

        drawn = plot(pictured(result))

    def show(console: Any) -> None:
        report.close(result)
        pairs(drawn, console)

    emit(
        result,
        show,
        data=lambda: {**result.as_dict(), "seed": seed, "interrupted": interrupted},
        interrupted="interrupted" * interrupted,
    )
