"""How much of an operator's values is rounding: that of float64, or of something coarser."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
from numpy.typing import NDArray

from opcheck.model.operator import Vector

ORDER = 8  # of the differences; they vanish on polynomials below it
STEPS = (1e-6, 1e-4, 1e-2, 1e-8, 1e-10)  # relative; a float32 moves in 6e-8, a float16 in 5e-4
LIVE = 6  # of ORDER: values that move less often are rounded in wider steps than these


def floor(F: Callable[[Vector], Vector], z: Vector, direction: Vector, enough: float) -> float:
    """The noise of F at z, in units of its values and of its slope times ‖z‖; 0 where F is flat.

    Along a line smooth values have differences of high order that vanish with the step, noise has
    not. It is the least over several steps, so that a kink or a fast wave in some of them is none.

    Args:
        direction: of the line, of the length of z.
        enough: no smaller noise is looked for.
    """
    least: NDArray[np.float64] = np.full(z.size, np.inf)
    flat = np.ones(z.size, dtype=bool)
    for looked, step in enumerate(STEPS):
        rows = np.array([F(z + j * step * direction) for j in range(ORDER + 1)])
        if not np.isfinite(rows).all():
            continue
        moves = (np.diff(rows, axis=0) != 0).sum(axis=0)
        flat &= moves == 0
        slope = np.abs(rows[-1] - rows[0]) / (ORDER * step)
        size = np.abs(rows).max(axis=0) + slope
        noise = np.abs(np.diff(rows, ORDER, axis=0))[0] / np.sqrt(comb(2 * ORDER, ORDER))
        with np.errstate(all="ignore"):
            share = np.where(size > 0, noise / size, 0.0)
        least = np.where(moves >= LIVE, np.minimum(least, share), least)
        if (least <= enough).all() or (looked and (flat | (least <= enough)).all()):
            break
    return float(np.max(least, initial=0.0, where=~flat & np.isfinite(least)))
