"""Papers for people: what there is, a paper regenerated with its page, and what came out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from opcheck import registry
from opcheck.model.paper import Paper
from opcheck.report.page import counted, headline, write_page
from opcheck.report.reproduce import Reproduction, reproduce, units_of
from opcheck.report.terminal import grid
from opcheck.watchdog import Interrupted

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {"reproduced": "green", "differs": "yellow", "not reproduced": "red", "waiting": "dim"}


def contents(key: str) -> list[dict[str, str]]:
    """What is redrawn of a paper, and what is not, in the order of the manifest.

    Raises OpcheckError for an unknown paper.
    """
    entry: Paper = registry.get("papers", key)
    drawn = [
        {"figure": f.id, "number": f.number, "parameters": f.parameters, "caption": f.caption}
        for f in entry.figures
    ]
    left = [
        {"figure": "", "number": number, "parameters": "", "caption": f"not redrawn: {why}"}
        for number, why in entry.missing.items()
    ]
    return drawn + left


def lines_of(key: str) -> Iterator[str]:
    """A line for each figure and claim of a paper."""
    entry: Paper = registry.get("papers", key)
    yield entry.citation
    for row in contents(key):
        whose = {"paper": "the paper's parameters; ", "ours": "our parameters; ", "": ""}
        number = f"{row['number']}, " if row["number"] and row["figure"] else row["number"]
        yield f"{number}{row['figure']}: {whose[row['parameters']]}{row['caption']}"
    for claim in entry.claims:
        yield f"claim {claim.id}: {claim.says}"


def listed() -> list[dict[str, Any]]:
    """Every paper, with what there is of it."""
    entries = [registry.get("papers", name) for name in registry.names("papers")]
    return [
        {
            "paper": entry.key,
            "citation": entry.citation,
            "figures": [f.id for f in entry.figures],
            "claims": [c.id for c in entry.claims],
        }
        for entry in entries
    ]


def lines_of_all() -> Iterator[str]:
    """A line for each paper."""
    for row in listed():
        counts = f"{len(row['figures'])} figures, {len(row['claims'])} claims"
        yield f"{row['paper']}: {counts}. {row['citation']}"


def work(key: str, figures: Sequence[str]) -> int:
    """How many pieces of work there are. Raises OpcheckError for an unknown paper or figure."""
    entry: Paper = registry.get("papers", key)
    drawn = [f for name in figures for f in entry.named(name)] or entry.figures
    return len(list(units_of(entry, drawn, theorems=not figures)))


def regenerate(key: str, out: str, figures: Sequence[str], **options: Any) -> Reproduction:
    """``reproduce`` into the paper's folder in ``out``; with all its figures, also its page.

    Raises as ``reproduce``; where that was interrupted, the page holds what is finished.
    """
    folder = Path(out) / key
    try:
        result = reproduce(key, figures=figures or None, out=folder, **options)
    except Interrupted as stop:
        if not figures:
            write_page(stop.finished, folder)
        raise
    if not figures:
        write_page(result, folder)
    return result


def show(results: Sequence[Reproduction], console: Console, *, figures: bool) -> None:
    """Figures with what was seen in them, then the claims, then what is not redrawn."""
    for result in results:
        if figures:
            for figure in result.figures:
                console.print(headline(figure), style="bold", highlight=False, markup=False)
                for line in figure.lines():
                    console.print(line, highlight=False, markup=False)
        if result.claims:
            console.print(f"{result.paper}: {counted(result)}", style="bold", highlight=False)
            cells = [
                (
                    escape(claim.claim),
                    f"[{STYLES[claim.outcome]}]{claim.outcome}[/]",
                    escape(claim.says),
                    escape(claim.numbers),
                )
                for claim in result.claims
            ]
            grid(console, ["claim", "outcome", "what it says", "numbers"], cells)
        if figures:
            for number, why in result.missing.items():
                console.print(f"{number} is not redrawn: {why}", highlight=False, markup=False)
