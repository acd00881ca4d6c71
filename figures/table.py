"""A table as a picture, with the rules of a book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opcheck import OpcheckError
from opcheck.plugin import figure
from opcheck_figures.columns import names_in
from opcheck_figures.style import literally
from opcheck_figures.symbols import heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opcheck import Table

ROW = 0.17  # inches
MOST = 60  # rows
LETTER, GAP = 1.0, 2.2  # widths, in letters


def _height(table: Table, width: float) -> float:
    return ROW * (min(len(table), MOST) + 2.2)


@figure("table", of="table", width="double", height=_height)
def table(
    axes: Any,
    table: Table,
    columns: str | Sequence[str] = "",
    digits: int = 4,
    title: str = "",
) -> tuple[str, Table]:
    """The rows of a table under its heads, numbers to the right and words to the left.

    Args:
        columns: which, and in what order; default all.
        digits: of floats, significant.

    Raises OpcheckError for a column that is not there and more than 60 rows.
    """
    names = names_in(columns) if columns else list(table.columns)
    if len(table) > MOST:
        raise OpcheckError(
            f"the table has {len(table)} rows; {MOST} can be read as a picture: draw part of it, "
            "or save it as .csv, .md or .tex"
        )
    cells = [[_cell(v, digits) for v in table[name].tolist()] for name in names]
    heads = [heading(table, name, axis=False) for name in names]
    numeric = [table[name].dtype.kind in "fiu" for name in names]
    widths = [
        max(_letters(text) for text in [head, *column]) + GAP
        for head, column in zip(heads, cells, strict=True)
    ]
    total, left = sum(widths), 0.0
    last = len(table)
    size = _size(axes, total)
    for head, column, right, width in zip(heads, cells, numeric, widths, strict=True):
        at = left + width - GAP / 2 if right else left + GAP / 2
        looks = {"ha": "right" if right else "left", "va": "center", "fontsize": size}
        axes.text(at, -1, head, **looks)
        for i, text in enumerate(column):
            axes.text(at, i, text, **looks)
        left += width
    for y, thick in ((-1.7, 1.0), (-0.45, 0.5), (last - 0.4, 1.0)):
        axes.plot([0, total], [y, y], color="black", linewidth=thick, clip_on=False)
    axes.set(xlim=(0, total), ylim=(last - 0.3, -1.8))
    axes.set_axis_off()
    axes.set_title(title)
    said = table.caption or f"{len(table)} rows of {', '.join(names)}"
    return f"{said.rstrip('.')}.", table


def _cell(value: Any, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float) else literally(str(value))


def _letters(text: str) -> float:
    """About how many letters wide: mathematics is shorter than its source."""
    plain, mathematics = text.split("$")[::2], text.split("$")[1::2]
    inside = sum(2 + m.count(" ") for m in mathematics)
    return LETTER * (sum(map(len, plain)) + inside)


def _size(axes: Any, letters: float) -> float:
    """Points at which a row fits into the width of the panel; at most 8.5."""
    inches = axes.figure.get_figwidth() * axes.get_position().width * 1.1
    return float(min(8.5, max(3.0, inches * 72 / (0.52 * letters))))
