"""Running methods, and a paper's figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import click

from opcheck.cli.emit import emit, finished
from opcheck.cli.options import (
    about_a_problem,
    json_option,
    names_of,
    parameters_option,
    plotted,
    problem_and_rest,
    symbols,
)
from opcheck.errors import OpcheckError

Plot = Callable[..., list[tuple[str, Any]]]


@click.command()
@click.argument("method", shell_complete=names_of("methods"))
@click.argument("problem", shell_complete=names_of("problems"))
@parameters_option("A parameter of either.")
@click.option("-n", "iterations", default=1000, show_default=True, help="Number of iterations.")
@about_a_problem
@click.option("--seed", type=int, help="Of the samples of a noisy PROBLEM, else draw the start.")
@click.option("--noise", type=float, metavar="SIGMA", help="Add Gaussian noise of variance SIGMA².")
@click.option("--same-sample", is_flag=True, help="One sample an iteration, not one each call.")
@click.option("--record", default="all", show_default=True, help="all, log, or every so many.")
@click.option("--seeds", type=int, help="So many seeds from --seed on; the plot shows a band.")
@plotted
@json_option
def run(
    method: str,
    problem: str,
    parameters: Mapping[str, Any],
    iterations: int,
    wishes: Mapping[str, Any],
    seed: int | None,
    noise: float | None,
    same_sample: bool,
    record: str,
    seeds: int | None,
    plot: Plot | None,
) -> None:
    """Run METHOD on PROBLEM; show what it measures and the bounds.

    METHOD is a name, as rapp or lookahead(extragradient), or FILE.py:NAME; or several of them,
    separated by commas: then -p NAME=VALUE is for all that have it, -p METHOD.NAME=VALUE for one,
    and what is missing is taken from a theorem that applies. PROBLEM is what check
    takes: a problem of the library, also at parameters as "bilinear(L=2)"; FILE.py or FILE.py:NAME
    (a family, an operator, a matrix, a function F(z) or F(z, out, data)); a matrix file; a payoff.
    """
    from opcheck.evidence.picture import methods_in

    subject, values = problem_and_rest(problem, parameters, wishes)
    if noise is not None:
        subject = _noisy(subject, noise)
    methods = methods_in(method)
    options = {
        "start": wishes["start"],
        "record": int(record) if record.lstrip("-").isdigit() else record,
        "same_sample": same_sample,
    }
    if seeds is None and len(methods) == 1:
        _one_run(method, subject, iterations, values, {**options, "seed": seed}, plot)
    else:
        several = _seeds(seed, seeds)
        _side_by_side(methods, subject, iterations, values, several, options, plot)


def _noisy(problem: Any, deviation: float) -> Any:
    from opcheck.model.oracle import gaussian

    if problem.oracle is not None:
        raise OpcheckError(f"{problem.name!r} is noisy already; leave out --noise")
    return replace(problem, oracle=gaussian(problem.operator, deviation))


def _seeds(first: int | None, count: int | None) -> list[int | None]:
    if count is None:
        return [first]
    if not 1 <= count <= 1000:
        raise OpcheckError(f"--seeds {count} must be from 1 to 1000")
    return [(first or 0) + i for i in range(count)]


def _one_run(
    method: str,
    problem: Any,
    iterations: int,
    parameters: Mapping[str, Any],
    options: Mapping[str, Any],
    plot: Plot | None,
) -> None:
    from opcheck import run as run_method
    from opcheck.evidence.simulation.bounds import bounded_measures, with_bounds
    from opcheck.report.runs import rows
    from opcheck.report.terminal import pairs

    values = symbols(run_method, parameters)
    measures = bounded_measures(method, problem)
    unbounded, interrupted = finished(
        lambda: run_method(method, problem, iterations, measures=measures, **options, **values)
    )
    trajectory, notes = with_bounds(unbounded)
    drawn = plot(trajectory) if plot else []
    emit(
        trajectory,
        lambda console: pairs(rows(trajectory, notes) + drawn, console),
        data=lambda: {**trajectory.as_dict(), "notes": notes},
        interrupted="interrupted" * interrupted,
    )


def _side_by_side(
    methods: list[str],
    problem: Any,
    iterations: int,
    parameters: Mapping[str, Any],
    seeds: list[int | None],
    options: Mapping[str, Any],
    plot: Plot | None,
) -> None:
    """Several methods, or several seeds: a table, and one plot."""
    from opcheck.evidence.picture import each
    from opcheck.report import runs, terminal

    if len(seeds) > 1 and options["start"] is not None and problem.oracle is None:
        raise OpcheckError("--seeds draws starts where nothing is noisy; leave out --start")
    series = each(methods, problem, iterations, parameters=parameters, seeds=seeds, **options)
    labelled = runs.labelled(series)
    drawn = plot(labelled) if plot else []

    def show(console: Any) -> None:
        terminal.pairs(terminal.named(problem), console)
        runs.show(series, console)
        terminal.pairs(drawn, console)

    emit(series, show, data=lambda: {"problem": problem.name, "methods": runs.document(series)})


@click.command()
@click.argument("paper", shell_complete=names_of("papers"))
@click.option("--figure", "figure_id", help="One figure; all by default.")
@click.option("--list", "only_list", is_flag=True, help="List the paper's figures.")
@click.option("--out", default=".", show_default=True, type=click.Path(file_okay=False))
@json_option
def repro(paper: str, figure_id: str | None, only_list: bool, out: str) -> None:
    """Regenerate a paper's figures as SVG and PNG, with the CSV behind them, and check them."""
    from opcheck.report.reproduce import figures_of, reproduce

    figures = figures_of(paper)
    if only_list:
        rows = [{"figure": f.id, "caption": f.caption} for f in figures]
        emit(rows, [f"{f.id}: {f.caption}" for f in figures])
        return
    ids = [figure_id] if figure_id else [f.id for f in figures]
    results = [reproduce(paper, i, out) for i in ids]
    emit(results, [line for r in results for line in _seen(r)])


def _seen(result: Any) -> Iterator[str]:
    yield from map(str, result.paths)
    if result.note:
        yield f"note: {result.note}"
    for sentence, passed in result.checks:
        yield f"{'seen' if passed else 'NOT SEEN'}: {sentence}"
