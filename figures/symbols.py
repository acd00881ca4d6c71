"""Words of a drawing: what is measured, as a symbol and for a caption; titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opcheck.plugin import entered
from opcheck_figures.style import literally

if TYPE_CHECKING:
    from opcheck import Trajectory

ROWS = {
    "z": "z_k",
    "zbar": r"\bar z_k",
    "anchor": "z_0",
    "solution": "z^*",
    "before": "z_{k-1}",
}


def symbol_of(measure: str, run: Trajectory) -> str:
    """As in ``$\\Vert F\\,z_k\\Vert^2$``; of a measure of someone else its text."""
    head, rows = _parts(measure)
    entry = entered("measures").get(head)
    if entry is None or not entry.latex:
        return literally(measure)
    is_set = run.problem.resolvent.contains is not None
    symbols = [ROWS.get(row, rf"\mathrm{{{row}}}_k") for row in rows] + ["", ""]
    return f"${entry.latex.format(*symbols, P='P_C' if is_set else 'J_A')}$"


def caption_of(measure: str, run: Trajectory) -> str:
    """In words, with the unit: ``the squared residual (residual, in squared units of F)``."""
    head, _ = _parts(measure)
    entry = entered("measures").get(head)
    if entry is None:
        return measure
    if entry.words:
        told = measure + (f", in {entry.unit}" if entry.unit else "")
        return f"{entry.words[0].upper()}{entry.words[1:]} ({told})"
    doc = entry.doc.partition("\n\n")[0].replace("\n", " ")
    return f"{measure}: {doc.rstrip('.')}"


def title_of(run: Trajectory, *, alone: bool) -> str:
    """Method and problem of one run; of several the problem they share."""
    problem = literally(run.problem.name)
    title = f"{literally(run.method)} on {problem}" if alone else problem
    return title + (", noisy" if run.noise else "")


def _parts(measure: str) -> tuple[str, tuple[str, ...]]:
    """Name and rows, those named first, then the measure's own."""
    head, _, rest = measure.partition("(")
    head = head.strip()
    named = tuple(r.strip() for r in rest.rstrip(") ").split(",") if r.strip())
    entry = entered("measures").get(head)
    own = ("z",) if entry is None else entry.rows
    return head, (*named, *own[len(named) :])
