"""Columns of a table as curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError
from opcheck.plugin import figure
from opcheck_figures.columns import Limit, draw_limits, groups, names_in, numbers
from opcheck_figures.style import framed, look, marks, scaled, shown
from opcheck_figures.symbols import heading, name_of

if TYPE_CHECKING:
    from opcheck import Table


@figure("lines", of="table")
def lines(
    axes: Any,
    table: Table,
    x: str = "k",
    y: str | Sequence[str] = "value",
    by: str = "",
    bounds: str | Mapping[str, Limit] = "",
    horizontal: str = "linear",
    vertical: str = "linear",
    dots: bool = False,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
) -> str:
    """Columns against another, a line for each column and each group of rows.

    Rows are joined in the order of x. Values that an axis can't show leave a gap.

    Args:
        x: column of abscissae.
        y: column of ordinates, or several, as a sequence or ``a,b``.
        by: column whose values part the rows into lines; "" for one line of each column.
        bounds: columns, or label -> column, function of x or (x, y), drawn dashed on top.
        horizontal: scale of the axis of x, "linear" or "log".
        vertical: scale of the axis of y.
        dots: mark every point instead of nine along the line.
        xlabel: default the column's name and unit.
        ylabel: default the same of y where that is one column.

    Raises OpcheckError for columns that are not there or hold words, and a table without rows.
    """
    columns = names_in(y)
    scaled(axes, horizontal, vertical)
    count = 0
    for label, rows in groups(table, by):
        at = numbers(rows, x)
        order = np.argsort(at, kind="stable")
        for column in columns:
            values = numbers(rows, column)[order]
            ends = shown(values, vertical)
            names = [name_of(column)] if len(columns) > 1 else []
            text = ", ".join([label] * bool(label) + names) or name_of(column)
            every = None if dots else marks(at[order], horizontal)
            axes.plot(at[order], ends, label=text, markevery=every, **look(count))
            count += 1
    if not any(np.isfinite(line.get_ydata()).any() for line in axes.lines):
        raise OpcheckError(f"{', '.join(columns)}: nothing that a {vertical} axis can show")
    drawn = draw_limits(axes, table, x, bounds or None)
    framed(axes)
    axes.set_xlabel(xlabel or heading(table, x))
    axes.set_ylabel(ylabel or (heading(table, columns[0]) if len(columns) == 1 else ""))
    axes.set_title(title)
    said = table.caption.rstrip(".") or f"{', '.join(columns)} against {x}"
    said += "."
    return f"{said} Dashed: {', '.join(label for label, *_ in drawn)}." if drawn else said
