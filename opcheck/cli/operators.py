"""What is known of one operator, or of all in the library."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import click

from opcheck.cli.emit import as_json, console, emit, finished, json_option
from opcheck.cli.options import (
    about_a_problem,
    names_of,
    parameters_option,
    plotted,
    problem_alone,
    seed_option,
)


@click.command()
@click.argument("problem", required=False, shell_complete=names_of("problems"))
@parameters_option(help="Of the family.")
@click.option("--rigorous", is_flag=True, help="Prove them; needs a matrix or a formula.")
@about_a_problem
@seed_option
@json_option
def constants(
    problem: str | None,
    parameters: Mapping[str, Any],
    rigorous: bool,
    wishes: Mapping[str, Any],
    seed: int,
) -> None:
    """L, ρ, μ and the weak Minty constant of PROBLEM, which may be all that check takes.

    Without PROBLEM: a Markdown table of the whole library, proved where that is possible.
    """
    if problem is None:
        _survey(seed)
        return
    from opcheck.evidence.operators.constants import constants as constants_of
    from opcheck.report.terminal import constant_rows, named, pairs

    subject = problem_alone(problem, parameters, wishes)
    found = constants_of(subject, rigorous=rigorous, seed=seed)
    emit(
        {"problem": subject.name, "what": subject.doc, "seed": seed, "constants": found},
        lambda console: pairs([*named(subject), *constant_rows(found), ("seed", seed)], console),
    )


def _survey(seed: int) -> None:
    from opcheck import registry
    from opcheck.evidence.operators.table import survey
    from opcheck.report import terminal

    with terminal.Bar("constants", len(registry.names("problems"))) as step:
        lines, interrupted = finished(lambda: survey((), os.cpu_count() or 1, step, seed))
    emit(
        {"seed": seed, "constants": lines},
        [terminal.survey_table(lines)],
        interrupted="interrupted: the problems that were finished are shown" * interrupted,
        code=int(any("REFUTED" in line.judgement for line in lines)),
    )


@click.command()
@click.argument("target", shell_complete=names_of("problems"))
@parameters_option(help="Of the family.")
@click.option("--rigorous", is_flag=True, help="Prove constants; needs a matrix or a formula.")
@about_a_problem
@seed_option
@click.option("--quick", is_flag=True, help="Shorter searches; few short runs of each theorem.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="Begin nothing more after it.")
@plotted
@json_option
def check(
    target: str,
    parameters: Mapping[str, Any],
    wishes: Mapping[str, Any],
    seed: int,
    plot: Callable[..., list[tuple[str, Any]]] | None,
    **options: Any,
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
    from opcheck.report.terminal import pairs

    subject = problem_alone(target, parameters, wishes)
    shown = Checking(console(), silent=as_json())
    found, interrupted = shown.follow(checking(subject, seed=seed, **options))
    drawn = []
    if plot and not interrupted:
        from opcheck.evidence.picture import pictured

        drawn = plot(pictured(found))

    def show(console: Any) -> None:
        shown.close(found)
        pairs(drawn, console)

    emit(
        found,
        show,
        data=lambda: {**found.as_dict(), "seed": seed, "interrupted": interrupted},
        interrupted="interrupted" * interrupted,
    )
