"""Several methods on one problem: a table, a document, and what a figure takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from opcheck.engine.run import Trajectory
from opcheck.errors import OpcheckError
from opcheck.evidence.picture import Series, at_the_end
from opcheck.report.figure import label_of, settings
from opcheck.report.terminal import grid


def labelled(series: Sequence[Series]) -> dict[str, Trajectory | Sequence[Trajectory]]:
    """Label -> run, or the runs of several seeds. Raises OpcheckError where no method ran."""
    drawn = [s for s in series if s.runs]
    if not drawn:
        raise OpcheckError("; ".join(s.note for s in series))
    return {label_of(s.runs[0]): s.runs[0] if len(s.runs) == 1 else s.runs for s in drawn}


def document(series: Sequence[Series]) -> list[dict[str, Any]]:
    """Plain data, for JSON: a row for each method."""
    return [
        {
            "method": s.name,
            "note": s.note or None,
            "runs": [
                {
                    "parameters": dict(t.parameters),
                    "seed": t.seed,
                    "noise": t.noise or None,
                    "status": t.status,
                    "z": t.z.tolist(),
                    "k": t.k.tolist(),
                    "oracle_calls": t.oracle_calls.tolist(),
                    "measures": {n: v.tolist() for n, v in t.measures.items()},
                    "bounds": {
                        m: {n: v.tolist() for n, v in of.items()} for m, of in t.bounds.items()
                    },
                }
                for t in s.runs
            ],
        }
        for s in series
    ]


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
