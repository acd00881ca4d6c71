"""Box-plots of a column, one box for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.columns import named, numbers
from opcheck_figures.style import COLOURS, framed, scaled, shown, swatch
from opcheck_figures.symbols import heading, name_of

if TYPE_CHECKING:
    from opcheck_figures.columns import Floats

SPAN = 0.8  # of the place of a group that its boxes take
FILLS = ("#cfe3f1", "#f0b93a", "#7a7a7a", "#d98b5f", "#ffffff")
WHISKER = 1.5  # interquartile ranges
LABELS = 14  # letters of a group's name, from which on names are turned


@figure("boxes", of="table")
def boxes(
    axes: Any,
    table: Table,
    y: str = "value",
    by: str = "method",
    beside: str = "",
    vertical: str = "linear",
    level: float | None = None,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
) -> tuple[str, Table]:
    """Median and quartiles of a column as boxes, whiskers to the last value within 1.5 of their
    difference, what lies beyond as dots.

    Values that are not finite are left out, and the caption says how many.

    Args:
        y: column of the values.
        by: column whose values name the groups along the axis, in the order of their first row.
        beside: column whose values part each group into boxes side by side; "" for one box.
        vertical: scale of the axis of y, "linear" or "log"; on a logarithmic one the whiskers and
            what lies beyond are those of the values, not of their logarithms.
        level: a dashed line at this value.
        xlabel: default the name and unit of ``by``.
        ylabel: default the same of y.

    Raises OpcheckError for columns that are not there, words in place of numbers, and a group
    without a finite value.
    """
    scaled(axes, "linear", vertical)
    names = [value for (value,), _ in table.groups(by)]
    inner = [value for (value,), _ in table.groups(beside)] if beside else [""]
    if len(inner) > len(FILLS):
        raise OpcheckError(f"{beside!r} has {len(inner)} values; at most {len(FILLS)} go beside")
    width = SPAN / len(inner)
    rows: dict[str, list[Any]] = {n: [] for n in (by, *[beside] * bool(beside), *NUMBERS)}
    left_out = 0
    for j, side in enumerate(inner):
        stats, places = [], []
        for i, name in enumerate(names):
            part = table.where(**{by: name}, **({beside: side} if beside else {}))
            values = numbers(part, y)
            finite = values[np.isfinite(shown(values, vertical))]
            left_out += len(values) - len(finite)
            if not len(finite):
                if len(inner) > 1:
                    continue
                raise OpcheckError(f"{by} = {name} has no {y} that a {vertical} axis can show")
            stats.append(_stats(finite))
            places.append(i + width * (j - (len(inner) - 1) / 2))
            line = [name, *[side] * bool(beside), *[stats[-1][n] for n in NUMBERS]]
            for column, value in zip(rows, line, strict=True):
                rows[column].append(value)
        _draw(axes, stats, places, width, FILLS[j])
        if beside:
            label = side if isinstance(side, str) else f"{name_of(beside)} = {named(side)}"
            swatch(axes, FILLS[j], label)
    if level is not None:
        axes.axhline(level, color="#303030", linestyle=(0, (5, 2)), linewidth=1, zorder=1)
    labels = [named(name) for name in names]
    turned = len(labels) > 1 and max(map(len, labels)) > LABELS / max(1, len(labels) / 3)
    axes.set_xticks(range(len(labels)), labels, **TURNED if turned else {})
    axes.set_xlim(-0.6, len(labels) - 0.4)
    framed(axes, "y")
    axes.set_xlabel(xlabel or heading(table, by))
    axes.set_ylabel(ylabel or heading(table, y))
    axes.set_title(title)
    said = table.caption.rstrip(".") + ". " if table.caption else ""
    said += f"Boxes: median and quartiles of {y}; whiskers: the last value within 1.5 quartile "
    said += "distances; dots: beyond."
    said += f" {left_out} values that the axis can't show are left out." if left_out else ""
    return said, Table(rows, {by: table.units.get(by, "")})


NUMBERS = ("whislo", "q1", "med", "q3", "whishi", "count")
TURNED = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}


def _stats(values: Floats) -> dict[str, Any]:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    reach = WHISKER * (high - low)
    inside = values[(values >= low - reach) & (values <= high + reach)]
    outside = values[(values < low - reach) | (values > high + reach)]
    ends = {"whislo": inside.min(), "whishi": inside.max(), "fliers": outside}
    return {"q1": low, "med": middle, "q3": high, "count": len(values), **ends}


def _draw(axes: Any, stats: list[Any], places: list[float], width: float, fill: str) -> None:
    thin = {"color": "#202020", "linewidth": 0.7}
    axes.bxp(
        stats,
        positions=places,
        widths=0.86 * width,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": fill, "edgecolor": "#202020", "linewidth": 0.7},
        medianprops={"color": "#000000", "linewidth": 1.3},
        whiskerprops=thin,
        capprops=thin,
        flierprops={"marker": "o", "markersize": 2, "markeredgewidth": 0.4,
                    "markeredgecolor": COLOURS[3], "markerfacecolor": "none"},
    )  # fmt: skip
