"""Runs in the plane over the vector field of a two-dimensional problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from opcheck.errors import OpcheckError
from opcheck.model.problem import Problem
from opcheck.report.figure import figure
from opcheck_figures.style import look

if TYPE_CHECKING:
    from opcheck.engine.run import Trajectory

GRID = 41  # points of the field along each axis
MARGIN = 0.06  # beside what is drawn, relative to it
MARKS = 6  # markers along a path
REACH = 3  # how far a run may leave, relative to its start, before the drawing cuts it
FAR = 1e3  # radius of the circle whose projections trace a set


@figure("plane")
def plane(axes: Any, runs: Mapping[str, Trajectory], title: str | None = None) -> None:
    """Iterates of each run over the directions of −F, with start, solution and constraint set.

    Args:
        title: default method and problem, or the problem alone for several runs.

    Raises OpcheckError for a problem that isn't in the plane, runs on different problems, or runs
    that did not keep their iterates.
    """
    first = next(iter(runs.values()))
    where = first.problem
    if where.dim != 2:
        raise OpcheckError(
            f"figure 'plane' draws problems in two variables, and {where.name!r} has {where.dim}; "
            "take 'rate'"
        )
    for label, run in runs.items():
        if run.problem.operator is not where.operator and run.problem.name != where.name:
            raise OpcheckError(f"figure 'plane' draws runs on one problem; {label!r} is on another")
        if not len(run.iterates):
            raise OpcheckError(f"{label!r} kept no iterates; run it with iterates=True")
    paths = {label: _finite(run.iterates) for label, run in runs.items()}
    outline = _outline(where)
    low, high = _view(where, runs, paths, outline)
    _field(axes, where, low, high)
    for i, (label, path) in enumerate(paths.items()):
        marks = np.unique(np.geomspace(1, len(path), MARKS).astype(int) - 1).tolist()
        axes.plot(*path.T, label=label, markevery=marks, linewidth=0.9, **look(i))
    if outline is not None:
        axes.plot(*outline.T, color="#808080", linewidth=0.9, zorder=1, label="constraint set $C$")
    starts = np.unique([run.problem.start for run in runs.values()], axis=0)
    point = {"linestyle": "", "color": "white", "markeredgecolor": "black", "zorder": 4}
    axes.plot(*starts.T, marker="o", markersize=6, label="start $z_0$", **point)
    solution = where.solution_near(where.start)
    if solution is not None:
        axes.plot(*solution.T, marker="*", markersize=10, label="solution $z^*$", **point)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.set_xlabel("$x$")
    axes.set_ylabel("$y$")
    if title is None:
        title = f"{first.method} on {where.name}" if len(runs) == 1 else where.name
    axes.set_title(title)


def _finite(path: NDArray[np.float64]) -> NDArray[np.float64]:
    return path[np.isfinite(path).all(axis=1)]


def _outline(where: Problem) -> NDArray[np.float64] | None:
    """The boundary of C: the projections of a circle far around it."""
    if where.resolvent.contains is None:
        return None
    angle = np.linspace(0, 2 * np.pi, 721)
    circle = FAR * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.array([where.resolvent(where.start + z) for z in circle])


def _view(
    where: Problem,
    runs: Mapping[str, Trajectory],
    paths: Mapping[str, NDArray[np.float64]],
    outline: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of what is shown: all but the far part of runs that leave, and of endless sets."""
    points = np.concatenate(list(paths.values()))
    starts = np.array([run.problem.start for run in runs.values()])
    shown = [starts]
    solution = where.solution_near(where.start)
    if solution is not None:
        shown.append(solution[None])
        reach = REACH * np.abs(starts - solution).max()
        points = points[np.abs(points - solution).max(axis=1) <= reach]
    if outline is not None and np.abs(outline).max() < FAR / 2:
        shown.append(outline)
    shown.append(points)
    everything = np.concatenate(shown)
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = MARGIN * float((high - low).max()) or 1.0
    return low - margin, high + margin


def _field(axes: Any, where: Problem, low: Any, high: Any) -> None:
    x, y = np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID)
    values = [[-where.operator(np.array([a, b])) for a in x] for b in y]
    direction = np.ma.masked_invalid(values)
    axes.streamplot(
        x,
        y,
        direction[..., 0],
        direction[..., 1],
        color="#c8c8c8",
        linewidth=0.5,
        arrowsize=0.6,
        density=1.1,
        zorder=0,
    )
