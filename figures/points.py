"""Points of a plane, as samples are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opcheck import OpcheckError
from opcheck.plugin import figure
from opcheck_figures.columns import numbers
from opcheck_figures.style import COLOURS

if TYPE_CHECKING:
    from opcheck import Table


def _square(table: Table, width: float) -> float:
    return width


@figure("points", of="table", height=_square)
def points(
    axes: Any, table: Table, x: str = "x", y: str = "y", limit: float = 0.0, title: str = ""
) -> str:
    """Rows of a table as dots, both axes at one scale, from −limit to limit.

    Args:
        x: column of abscissae.
        y: column of ordinates.
        limit: ends of both axes; 0 for those of the points. The caption says how many points lie
            outside.

    Raises OpcheckError for columns that are not there or hold words, and a negative limit.
    """
    if not limit >= 0:
        raise OpcheckError(f"limit={limit!r} must not be negative; give the end of both axes, or 0")
    at, up = numbers(table, x), numbers(table, y)
    axes.scatter(at, up, s=1.2, color=COLOURS[0], linewidths=0, rasterized=True)
    axes.set_aspect("equal", "datalim" if not limit else "box")
    axes.set_title(title)
    axes.tick_params(labelsize=6)
    if not limit:
        return "Each dot is a row."
    axes.set_xlim(-limit, limit)
    axes.set_ylim(-limit, limit)
    outside = int(((abs(at) > limit) | (abs(up) > limit)).sum())
    return f"{outside} of {len(at)} points lie outside." if outside else ""
