"""Drawing results."""

from __future__ import annotations

import os
from typing import Any

import click

from opcheck.cli import options
from opcheck.cli.emit import emit, json_option, progress, say

RAW = f"{__name__}.parameters"


def _both(ctx: click.Context, parameter: click.Parameter, items: tuple[str, ...]) -> Any:
    """Parameters as numbers, for runs; as they were written they wait for what is exact."""
    ctx.meta[RAW] = options.texts(ctx, parameter, items)
    return options.numbers(ctx, parameter, items)


@click.command()
@click.argument("kind", required=False, shell_complete=options.names_of("figures"))
@click.argument(
    "target", required=False, default="", shell_complete=options.names_of("theorems", "methods")
)
@click.argument("problem", required=False, shell_complete=options.names_of("problems"))
@options.parameters_option(help="A parameter of a method, problem or theorem.", callback=_both)
@options.about_a_problem("problem", rest="kept")
@options.k_option(default=None, help="Of a worst case (1..5) or a certificate (3).")
@click.option("-n", "iterations", default=1000, show_default=True, help="Iterations of a run.")
@click.option("--seeds", default=0, help="Draw so many runs, from seed 0 on.")
@click.option(
    *("-o", "--option", "settings"),
    multiple=True,
    metavar="NAME=VALUE",
    callback=options.settings,
    help="An option of KIND.",
)
@click.option("--width", type=click.Choice(["single", "double"]), help="Column of a journal.")
@click.option("--style", type=click.Choice(["usetex"]), help="Set text by an installed LaTeX.")
@click.option(
    "--out", type=click.Path(dir_okay=False), help="A stem; or .svg, .png, .pdf, .csv, .md, .tex."
)
@json_option
def plot(
    kind: str | None,
    target: str,
    subject: Any,
    parameters: options.Values,
    ks: list[int] | None,
    **ask: Any,
) -> None:
    """Draw KIND, with the numbers that it shows as CSV beside it; alone, list the kinds.

    TARGET is what KIND draws: methods, separated by commas, and PROBLEM, as run takes them (rate,
    plane, comparison, spectrum); a theorem (tightness, gap, certificate); theorems (ratios); a
    certificate's FILE.json; or a table's FILE.csv (region, bands, lines, boxes, table, ...).
    """
    from opcheck import registry
    from opcheck.report import plot as work

    if kind is None:
        return emit(work.listed(), work.lines())
    entry = registry.get("figures", kind)
    settings = work.options_from(entry, ask["settings"])
    out = ask["out"] or kind
    work.check(out)
    with progress(f"plot {kind}", work.steps(entry, target, ks)) as step:
        words = work.Words(
            target,
            subject,
            parameters=parameters,
            exact=click.get_current_context().meta[RAW],
            ks=ks or (),
            iterations=ask["iterations"],
            seeds=tuple(range(ask["seeds"])) or (None,),
            jobs=os.cpu_count() or 1,
            progress=step,
        )
        ready = work.drawable_of(entry, words)
    looks = {name: ask[name] for name in ("width", "style") if ask[name]}
    files, caption = work.draw(entry, ready, out, **settings, **looks)
    for note in ready.notes:
        say(note)
    emit(
        {"kind": kind, "files": [str(file) for file in files], "caption": caption},
        [*map(str, files), *[caption] * bool(caption)],
    )
