"""Running methods, and regenerating papers."""

from __future__ import annotations

import functools
import os
from typing import Any

import click

from opcheck.cli import options
from opcheck.cli.emit import emit, finished, json_option, progress, working
from opcheck.errors import OpcheckError


@click.command()
@click.argument("method", shell_complete=options.names_of("methods"))
@click.argument("problem", shell_complete=options.names_of("problems"))
@options.parameters_option(help="A parameter of either.")
@click.option("-n", "iterations", default=1000, show_default=True, help="Number of iterations.")
@options.about_a_problem("problem", rest="kept")
@click.option("--seed", type=int, help="Of the samples of a noisy PROBLEM, else draw the start.")
@click.option("--noise", type=float, metavar="SIGMA", help="Add Gaussian noise of variance SIGMA².")
@click.option("--same-sample", is_flag=True, help="One sample an iteration, not one each call.")
@click.option("--record", default="all", show_default=True, help="all, log, or every so many.")
@click.option("--seeds", type=int, help="So many seeds from --seed on; the plot shows a band.")
@options.plotted
@json_option
def run(
    method: str, subject: Any, parameters: options.Values, plot: options.Plot, **ask: Any
) -> None:
    """Run METHOD on PROBLEM; show what it measures and the bounds.

    METHOD is a name, as rapp or lookahead(extragradient), or FILE.py:NAME; or several of them,
    separated by commas: then -p NAME=VALUE is for all that have it, -p METHOD.NAME=VALUE for one,
    and what is missing is taken from a theorem that applies. PROBLEM is what check
    takes: a problem of the library, also at parameters as "bilinear(L=2)"; FILE.py or FILE.py:NAME
    (a family, an operator, a matrix, a function F(z) or F(z, out, data)); a matrix file; a payoff.
    """
    from opcheck.evidence.picture import methods_in, noisy

    seed, seeds, noise = ask.pop("seed"), ask.pop("seeds"), ask.pop("noise")
    start = click.get_current_context().params["start"]
    every = int(ask["record"]) if ask["record"].lstrip("-").isdigit() else ask["record"]
    ask |= {"record": every, "start": start}
    subject = subject if noise is None else noisy(subject, noise)
    methods = methods_in(method)
    if seeds is None and len(methods) == 1:
        _one_run(method, subject, parameters, plot, seed=seed, **ask)
        return
    if seeds is not None and not 1 <= seeds <= 1000:
        raise OpcheckError(f"--seeds {seeds} must be from 1 to 1000")
    several = [seed] if seeds is None else [(seed or 0) + i for i in range(seeds)]
    if len(several) > 1 and start is not None and subject.oracle is None:
        raise OpcheckError("--seeds draws starts where nothing is noisy; leave out --start")
    _side_by_side(methods, subject, plot, parameters=parameters, seeds=several, **ask)


def _one_run(
    method: str, problem: Any, parameters: options.Values, plot: options.Plot, **ask: Any
) -> None:
    from opcheck.evidence.operators.subject import run as run_method
    from opcheck.evidence.simulation.bounds import bounded_measures, with_bounds
    from opcheck.report.runs import rows
    from opcheck.report.terminal import pairs

    ask |= {"measures": bounded_measures(method, problem)}
    values = options.symbols(run_method, parameters)
    with working(f"run {method}"):
        unbounded, interrupted = finished(lambda: run_method(method, problem, **ask, **values))
    trajectory, notes = with_bounds(unbounded)
    drawn = plot(trajectory) if plot else []
    emit(
        trajectory,
        lambda console: pairs(rows(trajectory, notes) + drawn, console),
        data=lambda: {**trajectory.as_dict(), "notes": notes},
        interrupted="interrupted" * interrupted,
    )


def _side_by_side(methods: list[str], problem: Any, plot: options.Plot, **ask: Any) -> None:
    """Several methods, or several seeds: a table, and one plot."""
    from opcheck.evidence.picture import each
    from opcheck.report import runs, terminal

    series = each(methods, problem, **ask)
    labelled = runs.labelled(series)
    drawn = plot(labelled) if plot else []

    def show(console: Any) -> None:
        terminal.pairs(terminal.named(problem), console)
        runs.show(series, console)
        terminal.pairs(drawn, console)

    emit(series, show, data=lambda: {"problem": problem.name, "methods": series})


@click.command()
@click.argument("paper", required=False, shell_complete=options.names_of("papers"))
@click.option("--all", "everything", is_flag=True, help="Every paper.")
@click.option("--figure", "figures", multiple=True, help="By id or number; all by default.")
@click.option("--list", "only_list", is_flag=True, help="List papers, or a paper's figures.")
@click.option("--claims", "only_claims", is_flag=True, help="Show the table of claims alone.")
@click.option("--gan", metavar="SIZE", help="Train the paper's networks instead: small or full.")
@click.option("--no-gan", "gan", flag_value="", help="Train none, which is the default.")
@click.option("--data", default="", metavar="FOLDER", help="CIFAR-10, python version: --gan full.")
@click.option("--weights", default="", metavar="FILE", help="A TorchScript network for FID.")
@click.option(
    "--precision", default="float32", show_default=True, type=click.Choice(["float32", "bfloat16"])
)
@click.option("--fresh", is_flag=True, help="Do again what is done in the folder.")
@click.option("--jobs", default=0, show_default="one a core", help="Processes.")
@click.option("--out", default=".", show_default=True, type=click.Path(file_okay=False))
@json_option
def repro(
    paper: str | None,
    everything: bool,
    figures: tuple[str, ...],
    only_list: bool,
    only_claims: bool,
    gan: str | None,
    out: str,
    **effort: Any,
) -> None:
    """Regenerate a paper: its figures, with the data behind them, and its claims, weighed.

    Figures (SVG, PNG, PDF, CSV) and a page of the paper (index.html, README.md) go into OUT/PAPER;
    with --all a gallery of them into OUT.
    What is finished there is kept, so that an interrupted run goes on. Exit code 1 if something
    that must be seen is not, or a claim does not come out as the manifest says.

    --gan trains networks, into OUT/PAPER/gan: figures, logs and checkpoints. It takes the extra
    torch, and only "full" takes --data and --weights.
    """
    from opcheck import registry
    from opcheck.report import papers
    from opcheck.report.page import write_gallery

    if only_list and paper is None:
        return emit(papers.listed(), papers.lines_of_all())
    if (paper is None) != everything or (everything and figures):
        raise OpcheckError("repro takes one paper, or --all of them; --list shows which there are")
    of_training = {name: effort.pop(name) for name in ("data", "weights", "precision")}
    if gan:
        if paper is None or figures or only_list or only_claims:
            raise OpcheckError(
                "--gan trains the networks of one paper; leave out the other options"
            )
        return _train(paper, gan, out, **of_training, **effort)
    names = registry.names("papers") if everything else [str(paper)]
    if only_list:
        return emit(papers.contents(names[0]), papers.lines_of(names[0]))
    jobs = effort.pop("jobs") or os.cpu_count() or 1
    results = []
    for name in names:
        with progress(name, papers.work(name, figures)) as step:
            result, interrupted = finished(
                functools.partial(
                    papers.regenerate, name, out, figures, jobs=jobs, progress=step, **effort
                )
            )
        results.append(result)
        if interrupted:
            break
    if everything:
        write_gallery(results, out)
    left = f"{names.index(name)} of {len(names)} papers were finished" * interrupted
    emit(
        results if everything else results[0],
        lambda console: papers.show(results, console, figures=not only_claims),
        interrupted=left,
    )


def _train(paper: str, size: str, out: str, *, jobs: int, **options: Any) -> None:
    """Train the networks of a paper; show its figures and what was seen in them."""
    from opcheck.report import papers
    from opcheck.report.training import retrain, training_of

    total, workers = training_of(paper, size).pieces(size), jobs or os.cpu_count() or 1
    with progress(f"{paper} --gan {size}", total) as step:
        result, interrupted = finished(
            functools.partial(retrain, paper, size, out, jobs=workers, progress=step, **options)
        )
    left = "what was trained is kept; the same command goes on from there" * interrupted
    emit(
        result,
        lambda console: papers.show([result], console, figures=True),
        interrupted=left,
    )
