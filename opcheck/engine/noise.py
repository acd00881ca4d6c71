"""How much of an operator's values is rounding: that of float64, or of something coarser."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np

from opcheck.model.operator import Vector

ORDER = 8  # of the differences; they vanish on polynomials below it
STEPS = (1e-6, 1e-3)  # relative; a float32 moves in steps of 6e-8, a float16 of 5e-4
ON_A_LINE = len(STEPS) * (ORDER + 1)  # calls of F, where nothing jumps
CANCELLED = 8 * 2.0**-52  # of the largest component
WIDE, NARROW = 1e-11, 1e-14  # relative widths between which continuous values close in


def floor(F: Callable[[Vector], Vector], z: Vector, direction: Vector, enough: float) -> float:
    """The noise of F near z, in units of its values and of its slope times ‖z‖; 0 if less.

    Along a line smooth values have differences of high order that vanish with the step. Where they
    do not, an interval is halved again and again: a kink or a fast wave becomes small with it, the
    step between two rounded values stays.

    Args:
        direction: of the line, of the length of z.
        enough: no smaller noise is looked for.
    """
    worst = 0.0
    for step in STEPS:
        rows = np.array([F(z + j * step * direction) for j in range(ORDER + 1)])
        if not np.isfinite(rows).all():
            continue
        moves = np.diff(rows, axis=0)
        size = np.abs(rows).max(axis=0) + np.abs(moves).max(axis=0) / step
        noise = np.abs(np.diff(rows, ORDER, axis=0))[0] / np.sqrt(comb(2 * ORDER, ORDER))
        with np.errstate(all="ignore"):
            share = np.where(size > 0, noise / size, 0.0)
        c = int(np.argmax(share))
        if share[c] > enough:
            uneven = np.abs(moves[:, c] - moves[:, c].mean())
            j = int(np.argmax(uneven))
            jump = _jump(lambda t, c=c: float(F(z + t * direction)[c]), j * step, (j + 1) * step)  # type: ignore[misc]
            if jump > CANCELLED * size.max():  # else it is what terms that cancel leave in float64
                worst = max(worst, jump / float(size[c]))
    return worst if worst > enough else 0.0


def _jump(f: Callable[[float], float], a: float, b: float) -> float:
    """By how much f jumps in the half, and its half, in which it moves most; 0 if it does not."""
    low, high, wide = f(a), f(b), 0.0
    while b - a > NARROW:
        middle = 0.5 * (a + b)
        value = f(middle)
        if abs(value - low) >= abs(high - value):
            b, high = middle, value
        else:
            a, low = middle, value
        if b - a > WIDE:
            wide = abs(high - low)
    return abs(high - low) if abs(high - low) >= 0.5 * wide else 0.0
