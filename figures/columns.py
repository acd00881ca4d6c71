"""What figure kinds over tables share: columns as numbers, groups of rows, limits on top."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from opcheck import OpcheckError
from opcheck_figures.style import dashed, literally
from opcheck_figures.symbols import name_of

if TYPE_CHECKING:
    from opcheck import Table

Floats = NDArray[np.float64]
# y of a line over x: a function of x, both as arrays, or the name of a column that holds y at x
Limit = Callable[[Floats], Any] | tuple[Any, Any] | str
FINE = 801  # points of a line that is a function


def numbers(table: Table, column: str) -> Floats:
    """A column of numbers or truths. Raises OpcheckError for words, or no such column."""
    values = table[column]
    if values.dtype.kind == "U":
        raise OpcheckError(f"column {column!r} holds words, as {values[0]!r}, and no numbers")
    return values.astype(float)


def names_in(given: str | Sequence[str]) -> list[str]:
    """``a,b`` or a sequence of names."""
    return [n.strip() for n in given.split(",")] if isinstance(given, str) else list(given)


def groups(table: Table, by: str) -> Iterator[tuple[str, Table]]:
    """A label for each value of a column, and its rows; all rows without one for ``""``.

    Raises OpcheckError for a table without rows, or no such column.
    """
    if not len(table):
        raise OpcheckError("the table has no rows; there is nothing to draw")
    if not by:
        yield "", table
        return
    for (value,), rows in table.groups(by):
        words = isinstance(value, str)
        yield literally(value) if words else f"{name_of(by)} = {named(value)}", rows


def named(value: Any) -> str:
    """A value of a table in a legend."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def draw_limits(
    axes: Any, table: Table, x: str, limits: Mapping[str, Limit] | Limit | None
) -> list[tuple[str, Floats, Floats]]:
    """Dashed lines over the drawing; each with its label, x and y.

    Args:
        limits: label -> line, or one line: the name of a column, which is then its label.

    Raises OpcheckError for a column that is not there.
    """
    if limits is None or (isinstance(limits, str) and not limits):
        return []
    if isinstance(limits, str):
        limits = {name: name for name in names_in(limits)}
    elif not isinstance(limits, Mapping):
        limits = {"bound": limits}
    drawn = []
    for i, (label, limit) in enumerate(limits.items()):
        at, y = _points(axes, table, x, limit)
        text = name_of(label) if label in table.columns else literally(label)
        axes.plot(at, y, label=text, **dashed(i))
        drawn.append((text, at, y))
    return drawn


def _points(axes: Any, table: Table, x: str, limit: Limit) -> tuple[Floats, Floats]:
    values = numbers(table, x)
    if isinstance(limit, str):
        at, index = np.unique(values, return_index=True)
        return at, numbers(table, limit)[index]
    if callable(limit):
        low, high = float(values.min()), float(values.max())
        logarithmic = axes.get_xscale() == "log" and low > 0
        at = np.geomspace(low, high, FINE) if logarithmic else np.linspace(low, high, FINE)
        with np.errstate(all="ignore"):
            y = np.broadcast_to(np.asarray(limit(at), dtype=float), at.shape)
        return at, np.array(y)
    at, y = (np.asarray(part, dtype=float) for part in limit)
    if at.shape != y.shape or at.ndim != 1:
        raise OpcheckError(f"a line needs as many x as y, and has {at.shape} and {y.shape}")
    return at, y
