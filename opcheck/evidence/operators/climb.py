"""Random local search: many runs at once, each with a step that grows and shrinks by luck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.budget import budget

Floats = NDArray[np.float64]
Points = tuple[Floats, ...]  # one array for points, two for pairs


@dataclass(frozen=True)
class Pace:
    """How the step of a run changes: 1.5 times as long after a better try, else shorter.

    Attributes:
        shrink: the factor after a round without a better try.
        least, again: a step that is no longer than ``least`` becomes ``again``.
        most: the longest step.
        jump: a run whose step is so short goes on from the best of all runs.
    """

    shrink: float
    least: float
    again: float
    most: float = np.inf
    jump: bool = False


def climb(
    value: Callable[..., Floats],
    propose: Callable[[Points, Floats], Points],
    start: Points,
    *,
    step: Floats,
    pace: Pace,
    rounds: int,
) -> tuple[Points, Floats]:
    """Move points or pairs to where a value is larger, as long as calls of F are left.

    Args:
        value: of points or pairs, each argument of shape (m, d); −∞ for what doesn't count.
        propose: tries, each of shape (trials, runs, d), from where the runs are and their steps.
        start: each of shape (runs, d).
        step: the first step of each run, shape (runs,).

    Returns:
        Where the runs ended, and the values there.
    """
    at = tuple(points.copy() for points in start)
    runs, d = at[0].shape
    best, step, rows = value(*at), step.copy(), np.arange(runs)
    for _ in range(rounds):
        if budget().over:
            break
        tries = propose(at, step)
        reached = value(*(points.reshape(-1, d) for points in tries)).reshape(-1, runs)
        lucky = reached.argmax(axis=0)
        better = reached[lucky, rows] > best
        for points, moved in zip(at, tries, strict=True):
            points[better] = moved[lucky, rows][better]
        best[better] = reached[lucky, rows][better]
        step = np.minimum(np.where(better, 1.5 * step, pace.shrink * step), pace.most)
        stuck = step <= pace.least
        step[stuck] = pace.again
        if pace.jump:
            top = best.argmax()
            best[stuck] = best[top]
            for points in at:
                points[stuck] = points[top]
    return at, best
