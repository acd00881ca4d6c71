"""Boxes as one interval for each coordinate, each over all boxes at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.intervals import Intervals

Floats = NDArray[np.float64]


def split(lo: Floats, hi: Floats) -> list[Intervals]:
    """The coordinates of boxes with ends of shape (m, d)."""
    low = [lo[:, i] for i in range(lo.shape[1])]
    high = low if hi is lo else [hi[:, i] for i in range(lo.shape[1])]
    return [Intervals(p, q) for p, q in zip(low, high, strict=True)]


def ends(z: list[Intervals]) -> tuple[Floats, Floats]:
    """Lower and upper ends of shape (m, d)."""
    return np.stack([v.lo for v in z], axis=1), np.stack([v.hi for v in z], axis=1)


def total(terms: Iterable[Intervals]) -> Intervals:
    """The sum of one term or more."""
    first, *rest = terms
    return sum(rest, first)


def hull(p: Intervals, q: Intervals) -> Intervals:
    """What holds both."""
    return Intervals(np.minimum(p.lo, q.lo), np.maximum(p.hi, q.hi))


def meet(p: Intervals, q: Intervals) -> Intervals:
    """What two enclosures of one number leave."""
    return Intervals(np.maximum(p.lo, q.lo), np.minimum(p.hi, q.hi))


def point(value: float) -> Intervals:
    """One float."""
    at = np.array(value)
    return Intervals(at, at)
