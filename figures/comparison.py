"""What methods cost: oracle calls until a measure has fallen to given shares of its first value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from opcheck import OpcheckError, Table
from opcheck.plugin import figure
from opcheck_figures.style import MARKERS, framed, literally
from opcheck_figures.symbols import caption_of, symbol_of, title_of

if TYPE_CHECKING:
    from opcheck import Trajectory

ROW = 0.3  # inches
LINE = 24  # letters of a label
SHADES = ("#000000", "#0072B2", "#E69F00", "#56B4E9", "#CC79A7")


def _height(runs: Any, width: float) -> float:
    return 0.75 + ROW * max(len(runs), 3)


@figure("comparison", height=_height)
def comparison(
    axes: Any,
    runs: Mapping[str, Trajectory | Sequence[Trajectory]],
    measure: str = "",
    shares: Sequence[float] = (1e-2, 1e-4, 1e-8),
    against: str = "oracle calls",
    title: str | None = None,
) -> tuple[str, Table]:
    """Oracle calls until the measure is, and stays, below shares of its first value: a row a run.

    Runs are in the order of what they need for the smallest share that any reaches. A share that a
    run does not reach is a hollow marker at the end of that run; of several seeds the median
    counts, and a seed that does not reach it counts as infinite.

    Args:
        measure: default the residual: ‖F z‖², or the natural residual with constraints.
        shares: at most five, in (0, 1), each of the first value.
        against: "oracle calls" or "k".

    Raises OpcheckError for shares out of range, a measure that was not taken, and runs that start
    at a solution.
    """
    levels = sorted({float(s) for s in np.atleast_1d(shares)}, reverse=True)
    if not levels or len(levels) > len(SHADES) or not all(0 < s < 1 for s in levels):
        raise OpcheckError(f"shares={list(levels)}: give one to {len(SHADES)} numbers in (0, 1)")
    if against not in ("oracle calls", "k"):
        raise OpcheckError(f"against={against!r}; give 'oracle calls' or 'k'")
    groups = {n: [*r] if isinstance(r, Sequence) else [r] for n, r in runs.items()}
    first = next(iter(groups.values()))[0]
    measure = measure or next(iter(first.measures))
    costs = {
        label: [_cost(label, seeds, measure, share, against) for share in levels]
        for label, seeds in groups.items()
    }
    order = sorted(costs, key=lambda label: costs[label][::-1], reverse=True)
    end = {label: float(_abscissae(groups[label][0], against)[-1]) for label in order}
    data: dict[str, list[Any]] = {"run": [], "share": [], against: [], "reached": []}
    for row, label in enumerate(order):
        shown = [c for c in costs[label] if np.isfinite(c)]
        line = [*shown, end[label]] if len(shown) < len(levels) else shown
        axes.plot(line, [row] * len(line), color="#909090", linewidth=0.8, zorder=1)
    for j, share in enumerate(levels):
        points = [(costs[label][j], row) for row, label in enumerate(order)]
        reached = [p for p in points if np.isfinite(p[0])]
        missed = [(end[order[row]], row) for cost, row in points if not np.isfinite(cost)]
        look = {"marker": MARKERS[j], "linestyle": "", "color": SHADES[j], "zorder": 3 + j}
        axes.plot(
            *np.array(reached).reshape(-1, 2).T,
            label=f"{share:g} of the first value",
            markersize=5,
            **look,
        )
        hollow = {"markerfacecolor": "white", "markersize": 3 + 2.5 * (len(levels) - j)}
        axes.plot(*np.array(missed).reshape(-1, 2).T, **look, **hollow)
        for label in order:
            got = bool(np.isfinite(costs[label][j]))
            values = (label, share, costs[label][j] if got else end[label], got)
            for name, value in zip(data, values, strict=True):
                data[name].append(value)
    axes.set_xscale("log")
    axes.set_yticks(range(len(order)), [_folded(label) for label in order])
    axes.set_ylim(-0.6, len(order) - 0.4)
    framed(axes, "x")
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    to = symbol_of(measure, first)
    axes.set_xlabel(f"{'oracle calls' if against != 'k' else 'iterations'} until {to} stays below")
    axes.set_title(title_of(first, alone=False) if title is None else title)
    never = sum(not got for got in data["reached"])
    said = f"{caption_of(measure)}: {against} until it is, and stays, below these shares of its "
    said += "first value."
    said += " Hollow: not reached by the end of the run, where the marker is." if never else ""
    count = max(map(len, groups.values()))
    said += f" Median of {count} seeds." if count > 1 else ""
    return said, Table(data)


def _folded(label: str) -> str:
    """In two lines where it is long: the method, then its parameters."""
    head, colon, rest = label.partition(": ")
    if len(label) <= LINE or not colon:
        return literally(label)
    return literally(f"{head}\n{rest}")


def _abscissae(run: Trajectory, against: str) -> Any:
    return run.k if against == "k" else run.oracle_calls


def _cost(
    label: str, seeds: Sequence[Trajectory], measure: str, share: float, against: str
) -> float:
    costs = []
    for run in seeds:
        at, values = _abscissae(run, against), run[measure]
        if against != "k" and run.k[-1] and not at[-1]:
            raise OpcheckError(f"{label!r} counts no oracle calls; compare against 'k'")
        if not values[0] > 0:
            raise OpcheckError(
                f"{label!r} starts where {measure} is 0; there is nothing to compare"
            )
        above = np.flatnonzero(~(values <= share * values[0]))  # NaN is above
        after = int(above[-1]) + 1 if len(above) else 0
        costs.append(float(at[after]) if after < len(at) else np.inf)
    return float(np.median(costs))
