"""The rate plot: a measure over the run, and the bounds it must stay below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.style import SCALES, dashed, framed, literally, look, marks, scaled
from opcheck_figures.symbols import caption_of, symbol_of, title_of

if TYPE_CHECKING:
    from opcheck import Trajectory

Floats = NDArray[np.float64]
ABSCISSAE = {"k": "iteration $k$", "oracle calls": "oracle calls"}
CELLS = 240  # parts of the axis of which each shows one value
MARGIN = 0.05  # above and below, of the decades shown
LARGEST = 200.0  # decade at which the axis ends on either side
PARTS = 9  # of the last three octaves, of which each gives a point to a fit
DEPTH = 1e-16  # where the axis ends, in units of the first value: float64 tells no more
SAME = 0.01  # relative; bounds that differ by less are one line
BAND = (0.1, 0.5, 0.9)  # quantiles of runs that differ by seed


@figure("rate")
def rate(
    axes: Any,
    runs: Mapping[str, Trajectory | Sequence[Trajectory]],
    against: str = "k",
    measure: str = "",
    horizontal: str = "log",
    floor: float | None = None,
    envelope: bool = False,
    slope: bool = False,
    title: str | None = None,
) -> tuple[str, Table]:
    """A measure of each run, solid with markers, and its bounds, dashed without.

    Of one run the three smallest bounds at its end are drawn, of each of several runs the
    smallest; bounds that can't be told apart are one line. Runs that differ by seed alone are
    drawn as their median and, shaded, their quantiles from 10 to 90 %. Where more points were
    recorded than the axis can tell apart, each of its 240 parts shows the point of the largest
    measure: an upper envelope, which hides no peak.

    Args:
        against: "k" or "oracle calls"; a logarithmic axis leaves out k = 0.
        measure: default the residual: ‖F z‖², or the natural residual with constraints; of one
            run on which that has no bound and others have, the one with the most.
        horizontal: "log" or "linear"; the measure is always on a logarithmic axis.
        floor: the axis of the measure ends here, ≥ 0; 0 shows everything positive; default 1e-16
            of the first value (and 1e16 of it above).
        envelope: of each run draw the largest value from each k on, instead of the value there.
        slope: fit measured ~ k^p to the largest values in nine parts of the last three octaves,
            by least squares of the logarithms; the line is dotted, and p stands in the legend.
        title: default method and problem, or the problem alone for several runs.

    Raises OpcheckError for an abscissa, an axis or a measure that isn't there, a run whose method
    counts no oracle calls against them, and runs with nothing to show on a logarithmic axis.
    """
    if against not in ABSCISSAE:
        raise OpcheckError(f"against={against!r}; give {' or '.join(map(repr, ABSCISSAE))}")
    if horizontal not in SCALES:
        raise OpcheckError(f"horizontal={horizontal!r}; give 'log' or 'linear'")
    groups = {n: [*r] if isinstance(r, Sequence) else [r] for n, r in runs.items()}
    first = next(iter(groups.values()))[0]
    measure = measure or (_bounded(first) if len(groups) == 1 else next(iter(first.measures)))
    relative = any(
        (t.problem.start != s[0].problem.start).any() for s in groups.values() for t in s
    )
    curves = [
        _curve(
            label,
            seeds,
            _Asked(measure, against, horizontal, envelope=envelope, relative=relative),
        )
        for label, seeds in groups.items()
    ]
    bands = [i for i, curve in enumerate(curves) if len(curve.seeds) > 1]
    bounds: list[Floats] = []
    left_out: list[str] = []
    data = _Data()
    for i, curve in enumerate(curves):
        fit = _draw_fit(axes, curve, against) if slope else ""
        _draw_measure(axes, curve, i, horizontal, fit=fit, legend=i in bands[:1])
        data.add(curve.label, curve.x, (curve.low, curve.median, curve.high))
        smallest, weaker = _draw_bounds(axes, curve, i, measure, alone=len(curves) == 1)
        for names, bound in smallest:
            bounds.append(bound)
            data.add(" and ".join(names), curve.x, (bound, bound, bound))
        left_out += weaker
    seen = [y for curve in curves for y in curve.shown]
    firsts = [v for curve in curves for v in curve.first]
    axes.set_ylim(_limits(np.concatenate([*seen, *bounds]), measure, floor, firsts))
    scaled(axes, horizontal, "log")  # with its ends: those of all values may overflow
    axes.set_xlabel(ABSCISSAE[against])
    axes.set_ylabel(symbol_of(measure, first) + (" / its value at $k = 0$" if relative else ""))
    framed(axes)
    axes.set_title(title_of(first, alone=len(runs) == 1) if title is None else title)
    said = [f"{caption_of(measure)}, against {ABSCISSAE[against].replace('$', '')}."]
    if relative:
        said.append("Starts differ, so each run is in units of its first value.")
    if envelope:
        said.append("Upper envelope: the largest value from each k on.")
    if slope:
        said.append("Dotted: fitted to the largest values in nine parts of the last three octaves.")
    if bounds:
        said.append("Dashed: what the named theorems bound it by.")
    if left_out:
        said.append(f"Weaker bounds left out: {', '.join(dict.fromkeys(left_out))}.")
    count = max(map(len, groups.values()))
    if count > 1:
        said.append(f"Median of {count} seeds, shaded the quantiles from 10 to 90 %.")
    if first.noise:
        said.append(f"The methods see samples: {first.noise}. The measure is of the mean F.")
    return " ".join(said), data.table(against)


def _bounded(run: Trajectory) -> str:
    """The first measure where it is bounded, or nothing is; else that with the most bounds."""
    first, bounds = next(iter(run.measures)), run.bounds
    return first if first in bounds else max(bounds, default=first, key=lambda m: len(bounds[m]))


class _Data:
    """The numbers of every line, for a table."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {
            n: [] for n in ("series", "x", "low", "value", "high")
        }

    def add(self, label: str, x: Floats, lines: tuple[Floats, Floats, Floats]) -> None:
        """A line with the band about it."""
        for name, part in zip(self.columns, ([label] * len(x), x, *lines), strict=True):
            self.columns[name] += list(part)

    def table(self, against: str) -> Table:
        """Columns ``series``, the abscissa by its name, ``low``, ``value`` and ``high``."""
        return Table({against if n == "x" else n: v for n, v in self.columns.items()})


@dataclass(frozen=True)
class _Asked:
    """What is drawn of each run, and against what."""

    measure: str
    against: str
    horizontal: str
    envelope: bool
    relative: bool


@dataclass(frozen=True)
class _Curve:
    """What is drawn of one label.

    Attributes:
        seeds: the runs, which differ by seed alone.
        index: of the recorded k that are shown.
        x: abscissae there.
        median, low, high: values there that a logarithmic axis can show, else NaN.
        first: the first positive value, or none.
        bounded: whether a bound may stand beside it: one is about one start.
        every: abscissae and medians of all that was recorded.
    """

    label: str
    seeds: Sequence[Trajectory]
    index: NDArray[np.intp]
    x: Floats
    median: Floats
    low: Floats
    high: Floats
    first: Sequence[float]
    bounded: bool
    every: tuple[Floats, Floats]

    @property
    def shown(self) -> list[Floats]:
        """Every line of it."""
        band = [self.low, self.high] if len(self.seeds) > 1 else []
        return [*band, self.median]


def _curve(label: str, seeds: Sequence[Trajectory], asked: _Asked) -> _Curve:
    run, against = seeds[0], asked.against
    if against == "oracle calls" and run.k[-1] and not run.oracle_calls[-1]:
        raise OpcheckError(f"{label!r} counts no oracle calls; draw it against 'k'")
    x = np.asarray(run.k if against == "k" else run.oracle_calls, dtype=float)
    low, median, high = _quantiles(label, seeds, asked)
    index = _shown(x, median, asked.horizontal)
    return _Curve(
        label,
        seeds,
        index,
        x[index],
        median=_positive(median[index]),
        low=_positive(low[index]),
        high=_positive(high[index]),
        first=list(median[np.isfinite(median) & (median > 0)][:1]),
        bounded=len(seeds) == 1 and not asked.relative,
        every=(x, median),
    )


def _fitted(curve: _Curve) -> tuple[float, float] | None:
    """p and c of c x^p through the largest values in parts of the last three octaves.

    None where fewer than two parts hold a positive value.
    """
    x, values = curve.every
    last = (x > 0) & (x >= x[-1] / 8) & np.isfinite(values) & (values > 0)
    part = np.minimum(np.log2(x[last] / x[-1] * 8) / 3 * PARTS, PARTS - 1).astype(int)
    tops = [np.flatnonzero(last)[part == i] for i in np.unique(part)]
    best = np.array([i[np.argmax(values[i])] for i in tops], dtype=int)
    if len(best) < 2:
        return None
    power, constant = np.polyfit(np.log(x[best]), np.log(values[best]), 1)
    return float(power), float(np.exp(constant))


def _draw_fit(axes: Any, curve: _Curve, against: str) -> str:
    """The fitted line, and what the legend says of it."""
    fitted = _fitted(curve)
    if fitted is None:
        return ""
    power, constant = fitted
    ends = np.array([curve.x[-1] / 8, curve.x[-1]])
    axes.plot(ends, constant * ends**power, color="#303030", linestyle=":", linewidth=1.6, zorder=5)
    variable = "k" if against == "k" else r"\mathrm{calls}"
    return rf" $\sim {variable}^{{{round(power, 2) + 0.0:.2f}}}$"


def _draw_measure(
    axes: Any, curve: _Curve, i: int, horizontal: str, *, fit: str, legend: bool
) -> None:
    """The i-th line and its band; ``legend``: the first band, which speaks for all of them."""
    style = look(i)
    axes.plot(
        curve.x,
        curve.median,
        label=literally(curve.label) + fit,
        markevery=marks(curve.x, horizontal),
        zorder=3,
        **style,
    )
    if len(curve.seeds) > 1:
        told = f"10 to 90 % of {len(curve.seeds)} seeds, line: median"
        axes.fill_between(
            curve.x,
            curve.low,
            curve.high,
            color=style["color"],
            alpha=0.2,
            linewidth=0,
            label=told if legend else "_nolegend_",
        )


def _draw_bounds(
    axes: Any, curve: _Curve, i: int, measure: str, *, alone: bool
) -> tuple[list[tuple[list[str], Floats]], list[str]]:
    """The bounds drawn of the i-th line by their names, and the names of those left out."""
    bounds = curve.seeds[0].bounds.get(measure, {}) if curve.bounded else {}
    smallest, weaker = _told_apart(bounds, curve.index, 3 if alone else 1)
    for j, (names, bound) in enumerate(smallest):
        axes.plot(
            curve.x,
            bound,
            label=literally(" and ".join(names)) + ("" if alone else " (bound)"),
            **dashed(j if alone else i, "#303030" if alone else look(i)["color"]),
        )
    return smallest, weaker


def _quantiles(
    label: str, seeds: Sequence[Trajectory], asked: _Asked
) -> tuple[Floats, Floats, Floats]:
    """The lower and upper end of the band about the median, and it; of one run the run itself."""
    if any(len(t.k) != len(seeds[0].k) or (t.k != seeds[0].k).any() for t in seeds):
        raise OpcheckError(f"the runs of {label!r} recorded different k; record the same")
    rows = np.array([t[asked.measure] for t in seeds])
    if asked.envelope:
        rows = np.fmax.accumulate(rows[:, ::-1], axis=1)[:, ::-1]
    if asked.relative:
        with np.errstate(all="ignore"):
            rows = rows / rows[:, :1]
    if len(rows) == 1:
        return rows[0], rows[0], rows[0]
    left = np.where(np.isnan(rows), np.inf, rows)  # a run that has left the numbers is far out
    low, middle, high = np.quantile(left, BAND, axis=0, method="inverted_cdf")
    return low, middle, high


def _told_apart(
    bounds: Mapping[str, Any], shown: NDArray[np.intp], most: int
) -> tuple[list[tuple[list[str], Floats]], list[str]]:
    """The smallest bounds at the end, those that coincide as one; and the names of the others."""
    groups: list[tuple[list[str], Floats]] = []
    drawn = {n: _positive(np.asarray(v)[shown]) for n, v in bounds.items()}

    def at_end(name: str) -> float:
        finite = drawn[name][np.isfinite(drawn[name])]
        return float(finite[-1]) if finite.size else np.inf

    for name in sorted(drawn, key=at_end):
        values = drawn[name]
        for names, other in groups:
            if np.allclose(values, other, rtol=SAME, atol=0, equal_nan=True):
                names.append(name)
                break
        else:
            groups.append(([name], values))
    return groups[:most], [n for names, _ in groups[most:] for n in names]


def _shown(x: Floats, values: Floats, horizontal: str) -> NDArray[np.intp]:
    """Indices to draw: of each cell of the axis the one with the largest value."""
    index = np.flatnonzero(x > 0) if horizontal == "log" else np.arange(len(x))
    if len(index) <= CELLS:
        return index
    at = np.log(x[index]) if horizontal == "log" else x[index]
    cell = np.minimum(np.floor((at - at[0]) / (at[-1] - at[0]) * CELLS), CELLS - 1)
    size = np.where(np.isfinite(values[index]), values[index], -1)
    order = np.lexsort((-size, cell))
    return index[order[np.unique(cell[order], return_index=True)[1]]]


def _positive(values: Floats) -> Floats:
    """What a logarithmic axis can show; the rest is a gap."""
    return np.where((values > 0) & np.isfinite(values), values, np.nan)


def _limits(
    values: Floats, measure: str, floor: float | None, firsts: Sequence[float]
) -> tuple[float, float]:
    """Ends of the logarithmic axis, where ticks beyond them still fit into float64."""
    seen = values[np.isfinite(values)]
    if not seen.size:
        raise OpcheckError(
            f"{measure!r} is nowhere positive and finite, so a logarithmic axis has nothing to "
            "show; a run of 0 iterations needs horizontal='linear'"
        )
    low, high = np.log10(seen.min()), np.log10(seen.max())
    end = -np.inf if floor is None or floor == 0 else np.log10(floor)
    if floor is None:
        unit, depth = np.log10(max(firsts)), np.log10(DEPTH)
        end, high = unit + depth, min(high, unit - depth)
    high = max(high, max(low, end) + 1)
    margin = MARGIN * (high - max(low, end))
    low = end if floor else max(low - margin, end)
    return 10.0 ** max(low, -LARGEST), 10.0 ** min(high + margin, LARGEST)
