"""Where in a plane of two parameters a method does what: a map, and a theory's boundary on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError
from opcheck.plugin import figure
from opcheck_figures.columns import Floats, Limit, draw_limits, named, names_in, numbers
from opcheck_figures.style import MARKERS, SCALES, areas, literally, scaled, swatch
from opcheck_figures.symbols import heading, name_of

if TYPE_CHECKING:
    from opcheck import Table

# outcomes that have an order of their own, from light to dark
USUAL = (
    ("converges", "convergent", "holds", "reached", "inside", "True"),
    ("stays", "cycles", "bounded", "slow", "undecided"),
    ("diverges", "divergent", "fails", "violated", "outside", "False"),
)
LEVELS = 7  # of a number, between which lines are drawn


@figure("region", of="table")
def region(
    axes: Any,
    table: Table,
    x: str = "rhoL",
    y: str = "gammaL",
    outcome: str = "outcome",
    boundary: str | Mapping[str, Limit] = "",
    order: str | Sequence[str] = (),
    scale: str = "linear",
    contour: float | None = None,
    low: float | None = None,
    high: float | None = None,
    horizontal: str = "linear",
    vertical: str = "linear",
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
) -> tuple[str, Table]:
    """A map over two columns, coloured by a third; dashed on top, boundaries.

    Words, truths and whole numbers are kinds of areas, each darker than the last; of numbers the
    map is shaded continuously, darker for larger ones. Rows that fill a grid are drawn as cells
    around their points, others as points.

    Args:
        x: column of abscissae.
        y: column of ordinates.
        outcome: column that colours.
        boundary: columns, or label -> column, function of x or (x, y), drawn dashed on top.
        order: of the kinds, from light to dark; default: what converges before what does not,
            others in the order of their first row.
        scale: of the colours of numbers, "linear" or "log".
        contour: of numbers, a solid line where they have this value, as the end of what converges.
        low: number of the lightest colour; default the smallest.
        high: number of the darkest colour; default the largest.
        horizontal: scale of the axis of x, "linear" or "log".
        vertical: scale of the axis of y.
        xlabel: default the column's name and unit.
        ylabel: default the same of y.

    Raises OpcheckError for columns that are not there, words as coordinates, more kinds than are
    told apart in grey, and a table without rows.
    """
    at, up = numbers(table, x), numbers(table, y)
    if not len(table):
        raise OpcheckError("the table has no rows; there is nothing to draw")
    scaled(axes, horizontal, vertical)
    grid = _grid(at, up)
    if table[outcome].dtype.kind == "f":
        values = numbers(table, outcome)
        _shade(axes, (at, up, values), grid, scale, (low, high), heading(table, outcome))
        if contour is not None:
            if grid is None:
                raise OpcheckError(
                    "a contour needs rows that fill a grid, and one row for each of its points"
                )
            columns, rows, index = grid
            line = {"colors": "black", "linewidths": 1.2, "levels": [contour]}
            axes.contour(columns, rows, values[index], **line)
            axes.plot(
                [], [], color="black", linewidth=1.2, label=f"{name_of(outcome)} = {contour:g}"
            )
        said = f"Shaded: {outcome}, darker for larger values."
    else:
        names = _in_order([named(v) for v in table[outcome].tolist()], names_in(order))
        kinds = np.array([names.index(named(v)) for v in table[outcome].tolist()])
        _paint(axes, (at, up, kinds), grid, names)
        counts = ", ".join(f"{name} {np.sum(kinds == i)}" for i, name in enumerate(names))
        said = f"Of {len(table)} points: {counts}."
    ends = axes.get_xlim(), axes.get_ylim()
    drawn = draw_limits(axes, table, x, boundary or None)
    for _, points, line in drawn:  # white below the dashes: seen on every colour of the map
        axes.plot(points, line, color="white", linewidth=2.6, zorder=3.5)
    axes.set(xlim=ends[0], ylim=ends[1])
    axes.set_xlabel(xlabel or heading(table, x))
    axes.set_ylabel(ylabel or heading(table, y))
    axes.set_title(title)
    if table.caption:
        said = f"{table.caption.rstrip('.')}. {said}"
    return said + (f" Dashed: {', '.join(name for name, *_ in drawn)}." if drawn else ""), table


Grid = tuple[Floats, Floats, Any]
Points = tuple[Floats, Floats, Any]


def _grid(x: Floats, y: Floats) -> Grid | None:
    """Columns and rows of a grid and, shape (rows, columns), which point is where; None of none."""
    columns, i = np.unique(x, return_inverse=True)
    rows, j = np.unique(y, return_inverse=True)
    if len(columns) * len(rows) != len(x) or min(len(columns), len(rows)) < 2:
        return None
    index = np.full((len(rows), len(columns)), -1)
    index[j, i] = np.arange(len(x))
    return (columns, rows, index) if (index >= 0).all() else None


def _edges(centres: Floats, scale: str) -> Floats:
    """Ends of cells about centres, half-way between them on the axis."""
    at = np.log(centres) if scale == "log" else centres
    middle = (at[1:] + at[:-1]) / 2
    edges = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return np.exp(edges) if scale == "log" else edges


def _cells(axes: Any, grid: Grid, values: Any, **looks: Any) -> Any:
    columns, rows, index = grid
    edges = _edges(columns, axes.get_xscale()), _edges(rows, axes.get_yscale())
    # one picture of pixels instead of a path for each cell, which would leave seams between them
    mesh = axes.pcolormesh(*edges, values[index], rasterized=True, zorder=0, **looks)
    axes.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    return mesh


def _shade(
    axes: Any, points: Points, grid: Grid | None, scale: str, ends: tuple[Any, Any], label: str
) -> None:
    from matplotlib.colors import LogNorm, Normalize

    if scale not in SCALES:
        raise OpcheckError(f"scale={scale!r}; give 'linear' or 'log'")
    x, y, values = points
    usable = values[np.isfinite(values) & ((scale == "linear") | (values > 0))]
    if not usable.size:
        raise OpcheckError(f"no value of the map can be shown on a {scale} scale of colours")
    low = float(usable.min()) if ends[0] is None else ends[0]
    high = float(usable.max()) if ends[1] is None else ends[1]
    norm = (LogNorm if scale == "log" else Normalize)(low, high if high > low else low + 1)
    looks = {"cmap": "cividis_r", "norm": norm}
    beyond = (usable.min() < low, usable.max() > high)
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[beyond]
    if grid is None:
        drawn = axes.scatter(x, y, c=values, s=14, linewidths=0, **looks)
    else:
        drawn = _cells(axes, grid, np.ma.masked_invalid(values), **looks)
    bar = axes.figure.colorbar(drawn, ax=axes, extend=extend, pad=0.02, aspect=28)
    bar.outline.set_linewidth(0.5)
    bar.set_label(label)


def _paint(axes: Any, points: Points, grid: Grid | None, names: list[str]) -> None:
    from matplotlib.colors import ListedColormap

    x, y, kinds = points
    colours = areas(names)
    if grid is not None:
        palette = ListedColormap(colours)
        _cells(axes, grid, kinds, cmap=palette, vmin=-0.5, vmax=len(names) - 0.5)
        for name, colour in zip(names, colours, strict=True):
            swatch(axes, colour, literally(name))
        return
    for i, (name, colour) in enumerate(zip(names, colours, strict=True)):
        here = kinds == i
        look = {"s": 14, "color": colour, "edgecolors": "#404040", "linewidths": 0.4}
        axes.scatter(x[here], y[here], marker=MARKERS[i], label=literally(name), **look)


def _in_order(names: Sequence[str], order: Sequence[str]) -> list[str]:
    there = list(dict.fromkeys(names))
    asked = [name for name in order if name]
    for name in asked:
        if name not in there:
            raise OpcheckError(f"order names {name!r}, and the outcomes are {', '.join(there)}")
    rank = {name: i for i, some in enumerate(USUAL) for name in some}
    rest = sorted((n for n in there if n not in asked), key=lambda n: rank.get(n, 1))
    return [*asked, *rest]
