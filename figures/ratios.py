"""The worst measured/bound of each theorem in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError
from opcheck.plugin import WIDTHS, figure
from opcheck_figures.style import COLOURS

if TYPE_CHECKING:
    from opcheck import Report

ROW = 0.15  # inches
SMALLEST, LARGEST = 1e-4, 1e2  # a ratio outside is drawn at the edge
LOOKS = {
    "holds": {"marker": "o", "color": COLOURS[0], "markerfacecolor": "white"},
    "attained": {"marker": "s", "color": COLOURS[2]},
    "violated": {"marker": "X", "color": COLOURS[3]},
}


@figure("ratios", of="report")
def ratios(axes: Any, report: Report, title: str = "") -> str:
    """The largest measured/bound of each theorem, largest on top; beyond 1 it is violated.

    Theorems that no problem decided and claims that must fail are left out; a ratio outside
    [1e-4, 1e2] is drawn at that edge.

    Raises OpcheckError for a report with nothing to draw.
    """
    rows = [
        (s.worst.ratio, s.theorem.name, s.worst.status)
        for s in report.summaries
        if s.worst is not None and s.theorem.claim != "must fail"
    ]
    if not rows:
        raise OpcheckError("the report compares no theorem with a bound; there is nothing to draw")
    rows.sort()
    shown = np.clip([ratio for ratio, _, _ in rows], SMALLEST, LARGEST)
    axes.figure.set_size_inches(WIDTHS["double"], 0.8 + ROW * len(rows))
    for status, look in LOOKS.items():
        at = [i for i, (_, _, s) in enumerate(rows) if s == status]
        if at:
            axes.plot(shown[at], at, linestyle="", label=status, clip_on=False, **look)
    axes.axvline(1, color="#404040", linestyle=(0, (5, 2)), linewidth=1, label="bound", zorder=1)
    axes.set_xscale("log")
    axes.set_xlim(10 ** np.floor(np.log10(shown.min())) / 1.2, max(2, shown.max()))
    axes.set_yticks(range(len(rows)), [name for _, name, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(axis="x", color="#dddddd", linewidth=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("largest measured/bound")
    axes.set_title(title)
    return (
        "The largest measured/bound of each theorem over all problems, parameters and k (no unit)."
    )
