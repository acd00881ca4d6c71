"""Colours, markers, bands, frames and legends that figure kinds share.

The colours are those of Okabe and Ito (2008), which the colour-blind tell apart. The first three
differ in lightness and are solid; the others repeat a lightness and are dash-dotted. Markers tell
all of them apart: filled ones, and from the eighth run on hollow ones. Dashes without markers are
kept for bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import OpcheckError

COLOURS = ("#0072B2", "#E69F00", "#000000", "#D55E00", "#56B4E9", "#009E73", "#CC79A7")
LINES = ("-", "-", "-", *[(0, (7, 1.2, 1.4, 1.2))] * 4)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ((5, 2), (2, 1.5), (8, 2, 2, 2))  # one pattern a bound
AREAS = ("#e3eef6", "#f2c14e", "#3f88b5", "#7d3c14", "#000000")  # each darker than the last
MARKS = 9  # markers along a line
LARGEST = 200.0  # decade beyond which the ends of an axis leave float64
SCALES = ("linear", "log")
DECADES = 10**2.2  # ends of a logarithmic axis, as a ratio, below which it shows 1, 2 and 5


def look(i: int) -> dict[str, Any]:
    """Line properties of the i-th run, the same in every panel.

    Raises OpcheckError for the fifteenth, which would look like another.
    """
    count = len(COLOURS)
    if i >= 2 * count:
        raise OpcheckError(f"a figure tells {2 * count} runs apart and no more; draw fewer")
    colour, hollow = COLOURS[i % count], i >= count
    return {
        "color": colour,
        "linestyle": LINES[i % count],
        "marker": MARKERS[i % count],
        "markerfacecolor": "white" if hollow else colour,
        "markeredgecolor": colour if hollow else "white",
        "markeredgewidth": 0.8 if hollow else 0.4,
    }


def dashed(i: int, colour: str = "#303030") -> dict[str, Any]:
    """Line properties of the i-th bound: dashes without markers, above what they bound."""
    dashes = (0, DASHES[i % len(DASHES)])
    return {"color": colour, "linestyle": dashes, "linewidth": 1.4, "zorder": 4}


def areas(names: Sequence[str]) -> list[str]:
    """A colour for each kind of area, from light to dark.

    Raises OpcheckError for more than are told apart in grey.
    """
    if len(names) > len(AREAS):
        raise OpcheckError(
            f"a map tells {len(AREAS)} kinds of areas apart in grey and no more, and these are "
            f"{len(names)}: {', '.join(names[:8])}"
        )
    few = {1: (1,), 2: (0, 2), 3: (0, 1, 3), 4: (0, 1, 2, 4)}
    return [AREAS[i] for i in few.get(len(names), range(len(AREAS)))]


def framed(axes: Any, grid: str = "both") -> None:
    """A thin grid, along "both", "x" or "y"; no frame on top and on the right; legible ticks."""
    for axis in (axes.xaxis, axes.yaxis):
        _few_decades(axis)
    axes.grid(axis=grid, color="#dddddd", linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _few_decades(axis: Any) -> None:
    """Numbers as 0.2, 0.5, 1 on a logarithmic axis that is too short for powers of ten."""
    if axis.get_scale() != "log":
        return
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    if low > 0 and high / low < DECADES:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def marks(x: NDArray[np.float64], horizontal: str) -> list[int]:
    """Indices of increasing abscissae that are evenly spaced along the axis."""
    if not len(x):
        return []
    space = np.geomspace if horizontal == "log" and x[0] > 0 else np.linspace
    nearest = np.searchsorted(x, space(x[0], x[-1], MARKS) * (1 - 1e-12))
    return [int(i) for i in np.unique(np.minimum(nearest, len(x) - 1))]


def shown(values: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """Values that an axis of this scale can show; the rest is a gap."""
    if scale == "log":
        return np.where((values > 10.0**-LARGEST) & (values < 10.0**LARGEST), values, np.nan)
    return np.where(np.abs(values) < 10.0**LARGEST, values, np.nan)


def scaled(axes: Any, horizontal: str, vertical: str) -> None:
    """Set both scales. Raises OpcheckError for another than "linear" or "log"."""
    for name, value in (("horizontal", horizontal), ("vertical", vertical)):
        if value not in SCALES:
            raise OpcheckError(f"{name}={value!r}; give 'linear' or 'log'")
    axes.set_xscale(horizontal)
    axes.set_yscale(vertical)


def swatch(axes: Any, colour: str, label: str) -> None:
    """An entry of the legend for an area."""
    axes.scatter([], [], marker="s", s=36, color=colour, edgecolors="#404040", linewidths=0.4,
                 label=label)  # fmt: skip


def literally(text: str) -> str:
    """A name as it is written, where matplotlib would read mathematics."""
    return text.replace("$", r"\$")
