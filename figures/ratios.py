"""The worst measured/bound of each theorem in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.style import COLOURS, framed

if TYPE_CHECKING:
    from opcheck import Report

ROW = 0.15  # inches
SMALLEST, LARGEST = 1e-4, 1e2  # a ratio outside is drawn at the edge
LOOKS = {
    "holds": {"marker": "o", "color": COLOURS[0], "markerfacecolor": "white"},
    "attained": {"marker": "s", "color": COLOURS[2]},
    "violated": {"marker": "X", "color": COLOURS[3]},
}


def _height(report: Report, width: float) -> float:
    return 0.8 + ROW * len(_rows(report))


@figure("ratios", of="report", width="double", height=_height)
def ratios(axes: Any, report: Report, title: str = "") -> tuple[str, Table]:
    """The largest measured/bound of each theorem, largest on top; beyond 1 it is violated.

    Theorems that no problem decided and claims that must fail are left out; a ratio outside
    [1e-4, 1e2] is drawn at that edge.

    Raises OpcheckError for a report with nothing to draw.
    """
    rows = _rows(report)
    if not rows:
        raise OpcheckError("the report compares no theorem with a bound; there is nothing to draw")
    shown = np.clip([ratio for ratio, _, _ in rows], SMALLEST, LARGEST)
    for status, look in LOOKS.items():
        at = [i for i, (_, _, s) in enumerate(rows) if s == status]
        if at:
            axes.plot(shown[at], at, linestyle="", label=status, clip_on=False, **look)
    axes.axvline(1, color="#404040", linestyle=(0, (5, 2)), linewidth=1, label="bound", zorder=1)
    axes.set_xscale("log")
    axes.set_xlim(10 ** np.floor(np.log10(shown.min())) / 1.2, max(2, shown.max()))
    axes.set_yticks(range(len(rows)), [name for _, name, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    framed(axes, "x")
    axes.set_xlabel("largest measured/bound")
    axes.set_title(title)
    data = {"theorem": [row[1] for row in rows], "ratio": [row[0] for row in rows]}
    return (
        "The largest measured/bound of each theorem over all problems, parameters and k (no unit).",
        Table({**data, "status": [row[2] for row in rows]}),
    )


def _rows(report: Report) -> list[tuple[float, str, str]]:
    """Ratio, theorem and status of what is drawn, from the bottom up."""
    return sorted(
        (s.worst.ratio, s.theorem.name, s.worst.status)
        for s in report.summaries
        if s.worst is not None and s.theorem.claim != "must fail"
    )
