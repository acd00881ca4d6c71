"""Median and quantiles over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.columns import Floats, Limit, draw_limits, groups, numbers
from opcheck_figures.style import framed, look, marks, scaled, shown
from opcheck_figures.symbols import heading, name_of


@figure("bands", of="table")
def bands(
    axes: Any,
    table: Table,
    x: str = "k",
    y: str = "value",
    seed: str = "seed",
    by: str = "",
    low: float = 0.1,
    high: float = 0.9,
    bounds: str | Mapping[str, Limit] = "",
    horizontal: str = "linear",
    vertical: str = "log",
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
) -> tuple[str, Table]:
    """The median over seeds at each x and, shaded, two quantiles.

    A value that is not a number counts as infinite, so that a seed that has left the numbers is
    far out. A quantile is one of the values: the smallest with that share of the seeds at or
    below it; of an even number of seeds the median is the mean of the two in the middle.

    Args:
        x: column of abscissae.
        y: column of ordinates.
        seed: column that says which rows belong to one seed.
        by: column whose values part the rows into bands; "" for a single one.
        low: share of the seeds below the band, in [0, 0.5].
        high: share below its upper end, in [0.5, 1].
        bounds: columns, or label -> column, function of x or (x, y), drawn dashed on top.
        horizontal: scale of the axis of x, "linear" or "log".
        vertical: scale of the axis of y.
        xlabel: default the column's name and unit.
        ylabel: default the same of y.

    Raises OpcheckError for columns that are not there or hold words, quantiles out of range, and
    seeds that were recorded at different x.
    """
    if not 0 <= low <= 0.5 <= high <= 1:
        raise OpcheckError(f"low={low:g}, high={high:g}; give 0 ≤ low ≤ 0.5 ≤ high ≤ 1")
    scaled(axes, horizontal, vertical)
    data: dict[str, list[Any]] = {name: [] for name in ("series", x, "low", "median", "high")}
    counts = set()
    for i, (label, rows) in enumerate(groups(table, by)):
        at, runs = _by_seed(rows, x, y, seed)
        counts.add(len(runs))
        below, above = np.quantile(runs, (low, high), axis=0, method="inverted_cdf")
        middle = np.median(runs, axis=0)
        text = label or name_of(y)
        ends = [shown(part, vertical) for part in (below, middle, above)]
        style = look(i)
        axes.plot(at, ends[1], label=text, markevery=marks(at, horizontal), zorder=3, **style)
        axes.fill_between(at, ends[0], ends[2], color=style["color"], alpha=0.2, linewidth=0)
        columns = ([text] * len(at), at, below, middle, above)
        for name, part in zip(data, columns, strict=True):
            data[name] += list(part)
    drawn = draw_limits(axes, table, x, bounds or None)
    for text, at, values in drawn:
        for name, part in zip(data, ([text] * len(at), at, values, values, values), strict=True):
            data[name] += list(part)
    framed(axes)
    axes.set_xlabel(xlabel or heading(table, x))
    axes.set_ylabel(ylabel or heading(table, y))
    axes.set_title(title)
    several = " to ".join(str(n) for n in sorted({min(counts), max(counts)}))
    said = table.caption.rstrip(".") + ". " if table.caption else ""
    said += f"Line: median over {several} seeds; shaded: quantiles from {low:.0%} to {high:.0%}."
    said += f" Dashed: {', '.join(text for text, *_ in drawn)}." if drawn else ""
    return said, Table(data, {x: table.units.get(x, "")})


def _by_seed(rows: Table, x: str, y: str, seed: str) -> tuple[Floats, Floats]:
    """Abscissae, and a row of values for each seed."""
    at: Floats | None = None
    runs = []
    for (name,), one in rows.groups(seed):
        order = np.argsort(numbers(one, x), kind="stable")
        own = numbers(one, x)[order]
        if at is not None and not np.array_equal(own, at):
            raise OpcheckError(
                f"{seed} = {name} has other values of {x!r} than the first; record the same"
            )
        at = own
        values = numbers(one, y)[order]
        runs.append(np.where(np.isnan(values), np.inf, values))
    assert at is not None
    return at, np.array(runs)
