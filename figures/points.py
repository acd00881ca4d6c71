"""Points of a plane, as samples are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError
from opcheck.plugin import figure
from opcheck_figures.columns import groups, numbers
from opcheck_figures.style import COLOURS

if TYPE_CHECKING:
    from opcheck import Table

APART = 1.08  # from one square to the next, in widths of a square
LABELS = 0.25  # inches above the squares


def _height(table: Table, width: float) -> float:
    squares = len(set(table["method"].tolist())) if "method" in table.columns else 1
    return width / (APART * squares) + LABELS


@figure("points", of="table", width="double", height=_height)
def points(
    axes: Any,
    table: Table,
    x: str = "x",
    y: str = "y",
    by: str = "method",
    limit: float = 0.0,
    title: str = "",
) -> str:
    """Rows of a table as dots, a square from −limit to limit for each group.

    Args:
        x: column of abscissae.
        y: column of ordinates.
        by: column whose values part the rows into squares; one square where there is no such.
        limit: the squares' ends; 0 for the largest value. The caption says how many points lie
            outside of their square, where they are not drawn.

    Raises OpcheckError for columns that are not there or hold words, and a negative limit.
    """
    if not limit >= 0:
        raise OpcheckError(f"limit={limit!r} must not be negative; give the end of both axes, or 0")
    largest = max(np.abs(numbers(table, n)).max(initial=0.0) for n in (x, y))
    end = limit or largest or 1.0
    outside = 0
    parts = list(groups(table, by if by in table.columns else ""))
    for i, (label, rows) in enumerate(parts):
        at, up, middle = numbers(rows, x), numbers(rows, y), 2 * APART * end * i
        inside = (np.abs(at) <= end) & (np.abs(up) <= end)
        outside += int((~inside).sum())
        axes.scatter(
            middle + at[inside], up[inside], s=1.5, color=COLOURS[0], linewidths=0, rasterized=True
        )
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) * end
        axes.plot(middle + corners[:, 0], corners[:, 1], color="#404040", linewidth=0.6)
        axes.text(middle, 1.06 * end, label, ha="center", va="bottom")
    axes.set_aspect("equal")
    axes.set_xlim(-APART * end, (2 * len(parts) - 1) * APART * end)
    axes.set_ylim(-1.03 * end, 1.03 * end)
    axes.set_axis_off()
    axes.set_title(title)
    left = f"; {outside} of {len(table)} lie outside and are not drawn" if outside else ""
    return f"Each square reaches from {-end:.3g} to {end:.3g}{left}."
