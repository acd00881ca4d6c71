"""The rate plot: a measure over the run, and the bounds it must stay below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.report.figure import figure
from opcheck_figures.style import look

if TYPE_CHECKING:
    from opcheck.engine.run import Trajectory

ABSCISSAE = {"k": "iteration $k$", "oracle calls": "oracle calls"}
DASHES = ((5, 2), (2, 1.5), (8, 2, 2, 2))  # one pattern a bound
MARKS = 9  # markers along a line
CELLS = 240  # parts of the axis of which each shows one value
MARGIN = 0.05  # above and below, of the decades shown
LARGEST = 200.0  # decade at which the axis ends on either side


@figure("rate")
def rate(
    axes: Any,
    runs: Mapping[str, Trajectory],
    against: str = "k",
    measure: str = "",
    horizontal: str = "log",
    floor: float = 0.0,
    title: str | None = None,
) -> None:
    """A measure of each run, solid with markers, and its bounds, dashed without.

    Where more points were recorded than the axis can tell apart, each of its 240 parts shows the
    point of the largest measure: an upper envelope, which hides no peak.

    Args:
        against: "k" or "oracle calls"; a logarithmic axis leaves out k = 0.
        measure: default the residual: ‖F z‖², or the natural residual with constraints.
        horizontal: "log" or "linear"; the measure is always on a logarithmic axis.
        floor: the axis of the measure ends here, ≥ 0; 0 shows everything positive.
        title: default method and problem, or the problem alone for several runs.

    Raises OpcheckError for an abscissa, an axis or a measure that isn't there, a run whose method
    counts no oracle calls against them, and runs with nothing to show on a logarithmic axis.
    """
    if against not in ABSCISSAE:
        raise OpcheckError(f"against={against!r}; give {' or '.join(map(repr, ABSCISSAE))}")
    if horizontal not in ("log", "linear"):
        raise OpcheckError(f"horizontal={horizontal!r}; give 'log' or 'linear'")
    first = next(iter(runs.values()))
    taken = measure or next(iter(first.measures))
    for i, (label, run) in enumerate(runs.items()):
        if against == "oracle calls" and run.k[-1] and not run.oracle_calls[-1]:
            raise OpcheckError(f"{label!r} counts no oracle calls; draw it against 'k'")
        x = np.asarray(run.k if against == "k" else run.oracle_calls, dtype=float)
        shown = _shown(x, run[taken], horizontal)
        x, style = x[shown], look(i)
        axes.plot(
            x, _positive(run[taken][shown]), label=label, markevery=_marks(x, horizontal), **style
        )
        for j, (name, values) in enumerate(run.bounds.get(taken, {}).items()):
            of = f"{name} ({label})" if len(runs) > 1 else name
            colour = style["color"] if len(runs) > 1 else "#404040"
            bound = _positive(np.asarray(values)[shown])
            axes.plot(x, bound, label=of, color=colour, linestyle=(0, DASHES[j % 3]), linewidth=1.5)
    axes.set_ylim(_limits(np.concatenate([line.get_ydata() for line in axes.lines]), taken, floor))
    axes.set_xscale(horizontal)
    axes.set_yscale("log")
    axes.set_xlabel(ABSCISSAE[against])
    axes.set_ylabel(_formula(taken, first))
    axes.grid(color="#dddddd", linewidth=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    if title is None:
        where = first.problem.name
        title = f"{first.method} on {where}" if len(runs) == 1 else where
    axes.set_title(title)


def _shown(
    x: NDArray[np.float64], values: NDArray[np.float64], horizontal: str
) -> NDArray[np.intp]:
    """Indices to draw: of each cell of the axis the one with the largest value."""
    index = np.flatnonzero(x > 0) if horizontal == "log" else np.arange(len(x))
    if len(index) <= CELLS:
        return index
    at = np.log(x[index]) if horizontal == "log" else x[index]
    cell = np.minimum(np.floor((at - at[0]) / (at[-1] - at[0]) * CELLS), CELLS - 1)
    size = np.where(np.isfinite(values[index]), values[index], -1)
    order = np.lexsort((-size, cell))
    return index[order[np.unique(cell[order], return_index=True)[1]]]


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a logarithmic axis can show; the rest is a gap."""
    return np.where((values > 0) & np.isfinite(values), values, np.nan)


def _marks(x: NDArray[np.float64], horizontal: str) -> list[int]:
    """Indices evenly spaced along the axis."""
    if not len(x):
        return []
    space = np.geomspace if horizontal == "log" else np.linspace
    nearest = np.searchsorted(x, space(x[0], x[-1], MARKS) * (1 - 1e-12))
    return [int(i) for i in np.unique(np.minimum(nearest, len(x) - 1))]


def _limits(values: NDArray[np.float64], measure: str, floor: float) -> tuple[float, float]:
    """Ends of the logarithmic axis, where ticks beyond them still fit into float64."""
    seen = values[np.isfinite(values)]
    if not seen.size:
        raise OpcheckError(
            f"{measure!r} is nowhere positive and finite, so a logarithmic axis has nothing to "
            "show; a run of 0 iterations needs horizontal='linear'"
        )
    low = np.log10(floor if floor > 0 else seen.min())
    high = max(np.log10(seen.max()), low + 1)
    margin = MARGIN * (high - low)
    low -= 0 if floor > 0 else margin
    return 10.0 ** max(low, -LARGEST), 10.0 ** min(high + margin, LARGEST)


def _formula(measure: str, run: Trajectory) -> str:
    if measure == "residual":
        return r"$\Vert F\,z_k\Vert^2$"
    if measure == "natural_residual":
        is_set = run.problem.resolvent.contains is not None
        return rf"$\Vert z_k - {'P_C' if is_set else 'J_A'}(z_k - F\,z_k)\Vert^2$"
    if measure == "resolvent_residual":
        return r"$\Vert z_k - J_{\gamma S}\,z_k\Vert^2$"
    if measure == "distance":
        return r"$\Vert z_k - z^*\Vert^2$"
    known = registry.names("measures")
    name = measure.partition("(")[0]
    return registry.get("measures", name).doc.partition(",")[0] if name in known else measure
