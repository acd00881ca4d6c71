"""Functions on an interval, and points of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opcheck import OpcheckError
from opcheck.plugin import figure
from opcheck_figures.columns import groups, numbers
from opcheck_figures.style import COLOURS, LINES, framed
from opcheck_figures.symbols import heading

if TYPE_CHECKING:
    from opcheck import Table

TICK = 0.06  # height of a tick, in units of the axis


@figure("profile", of="table")
def profile(
    axes: Any,
    table: Table,
    x: str = "x",
    y: str = "f",
    by: str = "series",
    ticks: str = "",
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
) -> str:
    """Functions as lines without markers, and points of the interval as ticks on its axis.

    Args:
        x: column of abscissae.
        y: column of values.
        by: column whose values part the rows into functions; the first is drawn broad and below.
        ticks: the value of ``by`` whose rows are points; their y is not read.
        xlabel: default the column's name and unit.
        ylabel: default the same of y.

    Raises OpcheckError for columns that are not there or hold words, and more than three functions.
    """
    drawn = 0
    for label, rows in groups(table, by):
        at = numbers(rows, x)
        if label == ticks:
            transform = axes.get_xaxis_transform()
            axes.vlines(at, 0, TICK, transform=transform, color=COLOURS[3], linewidth=0.9,
                        label=label, zorder=3)  # fmt: skip
            continue
        if drawn == 3:
            raise OpcheckError("figure 'profile' tells three functions apart and no more")
        broad = drawn == 0
        axes.plot(
            at,
            numbers(rows, y),
            label=label,
            color="#b0b0b0" if broad else COLOURS[drawn - 1],
            linestyle="-" if drawn < 2 else LINES[3],
            linewidth=3.2 if broad else 1.0,
            solid_joinstyle="miter",
        )
        drawn += 1
    framed(axes)
    axes.set_xlabel(xlabel or heading(table, x))
    axes.set_ylabel(ylabel or heading(table, y))
    axes.set_title(title)
    said = table.caption.rstrip(".") or f"{y} over {x}"
    return f"{said[0].upper()}{said[1:]}."
