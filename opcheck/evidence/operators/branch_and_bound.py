"""Branch and bound: what is shown on each box of a subdivision is shown on the region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Test = Callable[[Floats, Floats], tuple[NDArray[np.bool_], Floats] | None]
BOXES = 150_000  # that all attempts at one constant may look at
CHUNK = 8192  # boxes of one round: enough to vectorise, few enough for the cache
FAR = 1e100  # beyond it a box is not cut any more
SLACK = (0.3, 0.01, 3e-4, 1e-5, 5e-7)  # relative, tried in turn
ZERO = 1e-6  # a constant below it may well be 0, and is then measured absolutely


@dataclass(frozen=True)
class Cover:
    """What came of a subdivision.

    Attributes:
        shown: True if everywhere, False if refuted at a point, None if the boxes were used up.
        looked: how many boxes were looked at.
        lo, hi: the boxes on which it was shown, shape (m, n); they cover the region if ``shown``.
    """

    shown: bool | None
    looked: int
    lo: Floats
    hi: Floats


def cover(test: Test, lo: Floats, hi: Floats, most: int = BOXES) -> Cover:
    """Look at boxes, and cut in two those on which the statement is not shown yet.

    Args:
        test: of boxes (lo, hi), shape (m, n): whether it is shown on each, and for every side how
            much is lost to its width, shape (m, n); the costliest side is cut. None: refuted.
        lo, hi: the boxes to start from; ends may be infinite.
        most: boxes that may be looked at.
    """
    empty = lo[:0]
    done = [(empty, empty)]
    looked = 0

    def end(shown: bool | None) -> Cover:
        return Cover(shown, looked, *(np.concatenate(part) for part in zip(*done, strict=True)))

    while len(lo):
        # the last come first, so that no more than a path of the tree waits
        some_lo, some_hi = lo[-CHUNK:], hi[-CHUNK:]
        lo, hi = lo[:-CHUNK], hi[:-CHUNK]
        looked += len(some_lo)
        if looked > most:
            return end(None)
        tested = test(some_lo, some_hi)
        if tested is None:
            return end(False)
        shown, cost = tested
        done.append((some_lo[shown], some_hi[shown]))
        left = ~shown
        if left.any():
            middle = middles(some_lo[left], some_hi[left])
            inside = (some_lo[left] < middle) & (middle < some_hi[left])
            if np.abs(middle).max() > FAR or not inside.any(axis=1).all():
                return end(None)
            below, above = bisect(some_lo[left], some_hi[left], middle, cost[left])
            lo, hi = np.concatenate([lo, below]), np.concatenate([hi, above])
    return end(True)


def descend(
    attempt: Callable[[float, Floats, Floats, int], Cover],
    best: float,
    sign: int,
    lo: Floats,
    hi: Floats,
) -> tuple[float | None, str]:
    """Show ever better constants, from far off towards the best that was found.

    Boxes on which one was shown are where the next starts.

    Args:
        attempt: of a constant, boxes and how many more may be looked at.
        best: that no constant can beat.
        sign: 1 where a larger constant is weaker, −1 where a smaller one is.

    Returns:
        The best constant shown, None if none was, and a note.
    """
    proved, looked = None, 0
    if abs(best) <= ZERO and sign * best <= 0:
        tried = attempt(0.0, lo, hi, BOXES // 64)
        looked += tried.looked
        if tried.shown:
            return 0.0, _note(looked)
    for value in steps(best, sign):
        tried = attempt(value, lo, hi, BOXES - looked)
        looked += tried.looked
        if not tried.shown:
            break
        proved, lo, hi = value, tried.lo, tried.hi
    return proved, _note(looked) if proved is not None else f"not proved on {BOXES} boxes"


def steps(best: float, sign: int) -> list[float]:
    """The constants that ``descend`` tries."""
    scale = abs(best) if abs(best) > ZERO else 1.0
    return [best + sign * slack * scale for slack in SLACK]


def _note(looked: int) -> str:
    return f"slopes enclosed on {looked} boxes"


def middles(lo: Floats, hi: Floats) -> Floats:
    """A point inside each box; of an infinite side, one about twice as far out as its end."""
    with np.errstate(invalid="ignore"):
        middle = lo / 2 + hi / 2
    right = np.isinf(hi) & np.isfinite(lo)
    left = np.isinf(lo) & np.isfinite(hi)
    middle = np.where(right, np.where(lo < 0, 0.0, 2 * lo + 1), middle)
    middle = np.where(left, np.where(hi > 0, 0.0, 2 * hi - 1), middle)
    return np.where(np.isinf(lo) & np.isinf(hi), 0.0, middle)


def bisect(lo: Floats, hi: Floats, middle: Floats, cost: Floats) -> tuple[Floats, Floats]:
    """Each box cut in two across its costliest side; where no costs are known by width."""
    rows = np.arange(len(lo))
    with np.errstate(over="ignore", invalid="ignore"):
        width = hi - lo
    # an infinite side counts less the farther out it lies
    end = np.where(np.isinf(hi), np.abs(lo), np.abs(hi))
    open_width = np.where(np.isinf(width), 4 / (1 + np.where(np.isinf(end), 0, end)), width)
    known = np.asarray(np.isfinite(cost).all(axis=1) & (cost > 0).any(axis=1))
    price = np.where(known[:, None], cost, open_width)
    price = np.where((middle > lo) & (middle < hi), price, -1.0)  # no float between its ends
    side = price.argmax(axis=1)
    cut = middle[rows, side]
    top, bottom = hi.copy(), lo.copy()
    top[rows, side], bottom[rows, side] = cut, cut
    return np.concatenate([lo, bottom]), np.concatenate([top, hi])
