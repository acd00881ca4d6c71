"""Runs in the plane over the vector field of a two-dimensional problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from opcheck import OpcheckError, Problem
from opcheck.plugin import figure
from opcheck_figures.style import literally, look
from opcheck_figures.symbols import title_of

if TYPE_CHECKING:
    from opcheck import Trajectory

GRID = 41  # points of the field along each axis
MARGIN = 0.06  # beside what is drawn, relative to it
MARKS = 6  # markers along a path
REACH = 3  # how far a run may leave, relative to its start, before the drawing cuts it
LENGTH = 10  # widths of the view that are drawn of a path's beginning, and of its end
WIDTH = 0.01  # of the path's size: a smaller cycle is a point
HOLE = 0.05  # of a cycle's largest radius: the smallest
DRIFT, CLOSE = 0.005, 0.05  # of a cycle's radius: how far two rounds lie apart, signed or not
FAR = 1e3  # radius of the circle whose projections trace a set


@figure("plane", needs=("single runs", "two variables", "iterates"))
def plane(
    axes: Any, runs: Mapping[str, Trajectory], cycles: bool = True, title: str | None = None
) -> str:
    """Iterates of each run over the directions of −F, with start, solution and constraint set.

    Of a run that goes round and round, for longer than twenty widths of the view, the first and
    the last ten are drawn.

    Args:
        cycles: draw the closed curve, thick and light, on which a run ends.
        title: default method and problem, or the problem alone for several runs.

    Raises OpcheckError for runs on different problems.
    """
    problem = _shared_problem(runs)
    paths = {label: _finite(run.iterates) for label, run in runs.items()}
    outline = _outline(problem)
    low, high = _view(problem, runs, paths, outline)
    _field(axes, problem, low, high)
    cut = False
    rounds = []
    for i, (label, path) in enumerate(paths.items()):
        drawn = _ends(path, low, high)
        cut = cut or len(drawn) < len(path)
        marks = np.unique(np.geomspace(1, len(drawn), MARKS).astype(int) - 1).tolist()
        axes.plot(*drawn.T, label=literally(label), markevery=marks, linewidth=0.8, **look(i))
        orbit = _cycle(path) if cycles else None
        if orbit is not None:
            rounds.append(label)
            loop = {"color": look(i)["color"], "alpha": 0.3, "linewidth": 4, "zorder": 1.5}
            axes.plot(*orbit.T, label=literally(f"limit cycle of {_method(label)}"), **loop)
    if outline is not None:
        axes.plot(*outline.T, color="#808080", linewidth=0.9, zorder=1, label="constraint set $C$")
    starts = np.unique([run.problem.start for run in runs.values()], axis=0)
    point = {"linestyle": "", "color": "white", "markeredgecolor": "black", "zorder": 4}
    axes.plot(*starts.T, marker="o", markersize=6, label="start $z_0$", **point)
    solution = problem.solution_near(problem.start)
    if solution is not None:
        axes.plot(*solution.T, marker="*", markersize=10, label="solution $z^*$", **point)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.set_xlabel("$x$")
    axes.set_ylabel("$y$")
    first = next(iter(runs.values()))
    axes.set_title(title_of(first, alone=len(runs) == 1) if title is None else title)
    said = "Iterates in the plane of z = (x, y), over lines along −F."
    said += " Of paths that go round and round the first and last parts." if cut else ""
    said += f" Thick: the cycle on which {' and '.join(map(_method, rounds))} ends." * bool(rounds)
    return f"{said} The methods see samples: {first.noise}." if first.noise else said


def _shared_problem(runs: Mapping[str, Trajectory]) -> Problem:
    """The problem of all runs. Raises OpcheckError for runs on different ones."""
    problem = next(iter(runs.values())).problem
    for label, run in runs.items():
        if run.problem.operator is not problem.operator and run.problem.name != problem.name:
            raise OpcheckError(f"figure 'plane' draws runs on one problem; {label!r} is on another")
    return problem


def _ends(
    path: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The path, or of one that fills the view its beginning and its end, with a gap between."""
    length = LENGTH * float((high - low).max())
    inside = ((low <= path) & (path <= high)).all(axis=1)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1) * (inside[1:] & inside[:-1])
    gone = np.concatenate([[0.0], np.cumsum(steps)])
    if not gone[-1] > 2 * length:
        return path
    head, tail = gone <= length, gone >= gone[-1] - length
    return np.concatenate([path[head], np.full((1, 2), np.nan), path[tail]])


def _method(label: str) -> str:
    """A label without its parameters."""
    return label.partition(":")[0]


def _cycle(path: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The closed curve on which a path ends, from point to point about its middle; None for none.

    In its last two quarters it goes round its middle, away from it, on the same curve: seen from
    there the distances agree, and their mean to half a percent.
    """
    count = len(path) // 4
    if count < 16:
        return None
    last = path[-count:]
    middle = (last.max(axis=0) + last.min(axis=0)) / 2
    before, there = _polar(path[-2 * count : -count] - middle)
    angles, radii = _polar(last - middle)
    size = float(np.abs(path - middle).max())
    if not radii.max() > WIDTH * size or radii.min() < HOLE * radii.max():
        return None
    if min(_turns(before), _turns(angles)) < 1:
        return None
    at = np.linspace(-np.pi, np.pi, 721)
    change = np.interp(at, *_sorted(angles, radii), period=2 * np.pi) - np.interp(
        at, *_sorted(before, there), period=2 * np.pi
    )
    if abs(change.mean()) > DRIFT * radii.mean() or np.abs(change).mean() > CLOSE * radii.mean():
        return None
    orbit = last[np.argsort(angles)]
    closed = np.concatenate([orbit, orbit[:1]])
    gaps = np.linalg.norm(np.diff(closed, axis=0), axis=1)
    return closed if gaps.max() <= radii.max() else None


def _polar(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.arctan2(points[:, 1], points[:, 0]), np.linalg.norm(points, axis=1)


def _turns(angles: NDArray[np.float64]) -> float:
    way = np.unwrap(angles)
    return float(abs(way[-1] - way[0]) / (2 * np.pi))


def _sorted(
    angles: NDArray[np.float64], radii: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    order = np.argsort(angles)
    return angles[order], radii[order]


def _finite(path: NDArray[np.float64]) -> NDArray[np.float64]:
    return path[np.isfinite(path).all(axis=1)]


def _outline(problem: Problem) -> NDArray[np.float64] | None:
    """The boundary of C: the projections of a circle far around it."""
    if problem.resolvent.contains is None:
        return None
    angle = np.linspace(0, 2 * np.pi, 721)
    circle = FAR * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.array([problem.resolvent(problem.start + z) for z in circle])


def _view(
    problem: Problem,
    runs: Mapping[str, Trajectory],
    paths: Mapping[str, NDArray[np.float64]],
    outline: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of what is shown: all but the far part of runs that leave, and of endless sets."""
    points = np.concatenate(list(paths.values()))
    starts = np.array([run.problem.start for run in runs.values()])
    shown = [starts]
    solution = problem.solution_near(problem.start)
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


def _field(axes: Any, problem: Problem, low: Any, high: Any) -> None:
    x, y = np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID)
    values = [[-problem.operator(np.array([a, b])) for a in x] for b in y]
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
