"""Runs of methods: one as label and value, several as a table and a document, and their plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape

from opcheck import registry
from opcheck.engine.run import Trajectory
from opcheck.errors import OpcheckError
from opcheck.evidence.picture import Series, at_the_end
from opcheck.report.figure import label_of, save, settings
from opcheck.report.terminal import grid, named

Rows = list[tuple[str, Any]]


def plot(runs: Any, path: str | Path, *, width: str = "single") -> Rows:
    """Draw the rate of a run, or of labelled ones; where it was written, and its caption.

    Raises OpcheckError for a file that is no drawing or can't be written.
    """
    drawing = registry.get("figures", "rate")(runs, width=width)
    save(drawing, path)
    return [("plot", str(path)), ("caption", drawing.caption)]


def rows(run: Trajectory, notes: Sequence[str] = ()) -> Rows:
    """A run as label and value: where it ended, what was measured, and the bounds there."""
    z = run.z
    shown = ", ".join(f"{v:.6g}" for v in z[:8]) + (", ..." if z.size > 8 else "")
    values = ", ".join(f"{n} = {_number(v)}" for n, v in run.parameters.items())
    lines: Rows = [
        ("method", run.method),
        *named(run.problem),
        ("parameters", values or "none"),
        ("status", run.status),
        ("iterations", f"{run.k[-1]}, {run.oracle_calls[-1]:.0f} operator calls"),
        ("z", f"({shown})"),
    ]
    lines += [(name, _first_and_last(run, values)) for name, values in run.measures.items()]
    lines += [("noisy", run.noise)] if run.noise else []
    lines += [("seed", run.seed)] if run.seed is not None else []
    lines += [
        ("bound", f"{m} ≤ {v[-1]:.6g} at the end, by {n}")
        for m, of in run.bounds.items()
        for n, v in of.items()
    ]
    return lines + [("note", note) for note in notes]


def _first_and_last(run: Trajectory, values: NDArray[np.float64]) -> str:
    """A measure at the start and at the end; of a run that diverges the last value it has."""
    first = f"{values[0]:.6g} at k = 0"
    known = np.flatnonzero(np.isfinite(values))
    if run.status == "completed" or not known.size or known[-1] == len(values) - 1:
        return f"{first}, {values[-1]:.6g} at the end"
    return f"{first}, {values[known[-1]]:.6g} at k = {run.k[known[-1]]}, none beyond"


def _number(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(f"{v:g}" for v in value[:8])
        return f"({shown})" if len(value) <= 8 else f"({shown}, ... {len(value)} in all)"
    return f"{value:g}"


def labelled(series: Sequence[Series]) -> dict[str, Trajectory | Sequence[Trajectory]]:
    """Label -> run, or the runs of several seeds. Raises OpcheckError where no method ran."""
    drawn = [s for s in series if s.runs]
    if not drawn:
        raise OpcheckError("; ".join(s.note for s in series))
    return {label_of(s.runs[0]): s.runs[0] if len(s.runs) == 1 else s.runs for s in drawn}


def show(series: Sequence[Series], console: Console) -> None:
    """A line for each method, in the order of the command; then how parameters were chosen."""
    ran = [s for s in series if s.runs]
    measure = next(iter(ran[0].runs[0].measures)) if ran else ""
    seeds = max((len(s.runs) for s in ran), default=1)
    ending = f"{measure} at the end" + (f", median of {seeds} seeds (10-90 %)" if seeds > 1 else "")
    bounded = seeds == 1 and any(s.runs[0].bounds.get(measure) for s in ran)
    columns = ["method", "parameters", "k", "calls", ending]
    columns += ["bound at the end"] if bounded else []
    columns += ["status"]
    rows = []
    for s in ran:
        run = s.runs[0]
        low, middle, high = at_the_end(s, measure)
        value = f"{middle:.4g}" + (f" ({low:.2g} to {high:.2g})" if seeds > 1 else "")
        row = [s.name, settings(run.parameters), f"{run.k[-1]}", f"{run.oracle_calls[-1]:.0f}"]
        row += [value, *([_bound(run, measure)] if bounded else []), _status(s)]
        rows.append([escape(cell) for cell in row])
    if rows:
        grid(console, columns, rows, drop="calls parameters")
    for s in series:
        if s.note:
            console.print(f"note: {s.note}", style="dim", highlight=False, markup=False)


def _bound(run: Trajectory, measure: str) -> str:
    ends = {n: float(v[-1]) for n, v in run.bounds.get(measure, {}).items()}
    ends = {n: v for n, v in ends.items() if np.isfinite(v)}
    if not ends:
        return "-"
    name = min(ends, key=lambda n: ends[n])
    return f"{ends[name]:.4g} ({name})"


def _status(series: Series) -> str:
    states = [t.status for t in series.runs]
    odd = [s for s in states if s != "completed"]
    if not odd:
        return "completed"
    return odd[0] if len(states) == 1 else f"{len(odd)} of {len(states)}: {odd[0]}"
