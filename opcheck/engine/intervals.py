"""A fifth reading: a kernel's text on intervals, thousands of boxes at once.

Each number is a pair of float arrays, one entry a box, rounded outwards. It encloses an operator,
or its slopes, on all boxes of a subdivision in one pass of the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from opcheck.engine.numbers import Ball, ball_arithmetic, rational
from opcheck.errors import OpcheckError
from opcheck.model.operator import Operator

Floats = NDArray[np.float64]
STEP, TINY = 2.0**-52, 2.0**-1074  # x ± (|x| STEP + TINY) lies beyond the neighbours of x


class Intervals:
    """[lo, hi] for each of m boxes; ends may be infinite, then meaning every number that large."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo: Floats, hi: Floats) -> None:
        self.lo, self.hi = lo, hi

    def __add__(self, other: Any) -> Intervals:
        o = _interval(other)
        with np.errstate(all="ignore"):
            lo, hi = self.lo + o.lo, self.hi + o.hi
        wide = _outward(lo, hi)
        # a sum of floats is 0 only if it is exactly that
        if (lo == 0).any():
            wide.lo = np.where(lo == 0, 0.0, wide.lo)
        if (hi == 0).any():
            wide.hi = np.where(hi == 0, 0.0, wide.hi)
        return wide

    def __radd__(self, other: Any) -> Intervals:
        return self.__add__(other)

    def __neg__(self) -> Intervals:
        return Intervals(-self.hi, -self.lo)

    def __sub__(self, other: Any) -> Intervals:
        return self.__add__(-_interval(other))

    def __rsub__(self, other: Any) -> Intervals:
        return _interval(other).__add__(-self)

    def __mul__(self, other: Any) -> Intervals:
        same = other is self
        return self**2 if same else _product(self, _interval(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Intervals:
        o = _interval(other)
        with np.errstate(all="ignore"):
            inverse = _outward(1 / o.hi, 1 / o.lo)
        through_zero = (o.lo <= 0) & (o.hi >= 0)
        lo = np.where(through_zero, -np.inf, inverse.lo)
        hi = np.where(through_zero, np.inf, inverse.hi)
        return self * Intervals(lo, hi)

    def __rtruediv__(self, other: Any) -> Intervals:
        return _interval(other) / self

    def __pow__(self, power: int) -> Intervals:
        if power < 1:
            return 1 / self**-power if power else _interval(1)
        base = self
        if power % 2 == 0:
            low = np.maximum(np.maximum(self.lo, -self.hi), 0.0)
            base = Intervals(low, np.maximum(np.abs(self.lo), np.abs(self.hi)))
        # increasing from here on: each end on its own
        left, right = Intervals(base.lo, base.lo), Intervals(base.hi, base.hi)
        least, most = left, right
        for _ in range(power - 1):
            least, most = _product(least, left), _product(most, right)
        return Intervals(least.lo, most.hi)

    def _refuse(self, *_: Any) -> Any:
        raise TypeError("an operator that branches or rounds has no enclosure over boxes")

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __bool__ = __float__ = __int__ = _refuse
    __hash__ = None  # type: ignore[assignment]

    def exp(self) -> Intervals:
        """e^x."""
        return self._increasing(arb.exp)

    def log(self) -> Intervals:
        """ln x."""
        return self._increasing(arb.log)

    def sqrt(self) -> Intervals:
        """√x."""
        return self._increasing(arb.sqrt)

    def tanh(self) -> Intervals:
        """tanh x."""
        return self._increasing(arb.tanh)

    def arctan(self) -> Intervals:
        """arctan x."""
        return self._increasing(arb.atan)

    def sin(self) -> Intervals:
        """sin x."""
        return self._on_balls(arb.sin)

    def cos(self) -> Intervals:
        """cos x."""
        return self._on_balls(arb.cos)

    def _increasing(self, function: Callable[[arb], arb]) -> Intervals:
        return Intervals(
            _lowest(function, self.lo), -_lowest(lambda ball: -function(ball), self.hi)
        )

    def _on_balls(self, function: Callable[[arb], arb]) -> Intervals:
        ends = (self.lo, self.hi)
        return Intervals(_lowest(function, *ends), -_lowest(lambda ball: -function(ball), *ends))


def _lowest(function: Callable[[arb], arb], *ends: Floats) -> Floats:
    """Lower bounds of a function between ends, found once for equal ones.

    Boxes of a subdivision share their sides, so that these are few.
    """
    shape = np.broadcast_shapes(*(e.shape for e in ends))
    rows = np.stack([np.broadcast_to(e, shape).ravel() for e in ends], axis=1)
    once, place = np.unique(rows, axis=0, return_inverse=True)
    bounds = [_below(function(arb(row[0]).union(arb(row[-1])))) for row in once.tolist()]
    return np.array(bounds)[place.ravel()].reshape(shape)


def _below(ball: arb) -> float:
    value = float(ball.lower())
    return -np.inf if np.isnan(value) else float(np.nextafter(value, -np.inf))


def _outward(lo: Floats, hi: Floats) -> Intervals:
    """What encloses sums or products that were rounded to nearest; NaN is no bound at all."""
    with np.errstate(all="ignore"):
        lo = lo - (np.abs(lo) * STEP + TINY)
        hi = hi + (np.abs(hi) * STEP + TINY)
    if np.isnan(lo).any():
        lo = np.where(np.isnan(lo), -np.inf, lo)
    if np.isnan(hi).any():
        hi = np.where(np.isnan(hi), np.inf, hi)
    return Intervals(lo, hi)


def _product(a: Intervals, b: Intervals) -> Intervals:
    with np.errstate(all="ignore"):
        ends = [x * y for x in _distinct(a) for y in _distinct(b)]
        lo, hi = np.minimum.reduce(ends), np.maximum.reduce(ends)
    if np.isnan(lo).any():
        # 0 · ∞ is 0: an infinite end stands for finite numbers only
        ends = [np.where(np.isnan(e), 0.0, e) for e in ends]
        lo, hi = np.minimum.reduce(ends), np.maximum.reduce(ends)
    wide = _outward(lo, hi)
    if (lo == 0).any() or (hi == 0).any():
        # no rounding makes a product of two signs the other one
        alike = ((a.lo >= 0) & (b.lo >= 0)) | ((a.hi <= 0) & (b.hi <= 0))
        unlike = ((a.lo >= 0) & (b.hi <= 0)) | ((a.hi <= 0) & (b.lo >= 0))
        wide.lo = np.where(alike, np.maximum(wide.lo, 0.0), wide.lo)
        wide.hi = np.where(unlike, np.minimum(wide.hi, 0.0), wide.hi)
    return wide


def _distinct(a: Intervals) -> tuple[Floats, ...]:
    return (a.lo,) if a.lo is a.hi else (a.lo, a.hi)


def _interval(value: Any) -> Intervals:
    if isinstance(value, Intervals):
        return value
    if isinstance(value, int | np.integer):
        point = np.array(float(value))
        if int(point) == int(value):
            return Intervals(point, point)
        return Intervals(np.nextafter(point, -np.inf), np.nextafter(point, np.inf))
    raise TypeError(f"{type(value).__name__} {value!r} in an interval computation")


def enclosure(operator: Operator, lo: Floats, hi: Floats) -> tuple[Floats, Floats]:
    """Bounds on every entry of F over each of m boxes.

    Args:
        lo, hi: corners, shape (m, d).

    Returns:
        Lower and upper bounds, shape (m, entries of F).

    Raises OpcheckError for a kernel that branches, or calls what has no enclosure.
    """
    m, d = lo.shape
    z, out = np.empty(d, dtype=object), np.empty(operator.dim, dtype=object)
    z[:] = [Intervals(lo[:, i], hi[:, i]) for i in range(d)]
    exact = operator.data_in(ball_arithmetic(), lambda v: rational(float(v)))
    data = np.empty(len(exact), dtype=object)
    data[:] = [_constant(v) for v in exact]
    try:
        operator.kernel(z, out, data)
        intervals = [_interval(v) for v in out]
    except (TypeError, AttributeError) as error:
        what = operator.formula or "the operator"
        raise OpcheckError(f"{what} has no enclosure over a box: {error}") from error
    return tuple(  # type: ignore[return-value]
        np.stack([np.broadcast_to(getattr(v, end), m) for v in intervals], axis=1)
        for end in ("lo", "hi")
    )


def derivatives_over(
    operator: Operator, order: int, lo: Floats, hi: Floats
) -> tuple[Floats, Floats]:
    """Bounds on the partial derivatives of F of an order ≥ 1 over boxes.

    Returns:
        Lower and upper bounds, shape (m, d, d, ..., d): the component, then ``order`` variables.

    Raises OpcheckError where neither a formula nor a matrix is known.
    """
    m, d = lo.shape
    shape = (m,) + (d,) * (order + 1)
    if operator.matrix is not None:
        if order > 1:
            return np.zeros(shape), np.zeros(shape)
        # the columns F(e_i) − F(0) of the operator's own text
        points = np.concatenate([np.zeros((1, d)), np.eye(d)])
        below, above = enclosure(operator, points, points)
        least, most = (below[1:] - above[0]).T, (above[1:] - below[0]).T
        return (
            np.broadcast_to(np.nextafter(least, -np.inf), shape),
            np.broadcast_to(np.nextafter(most, np.inf), shape),
        )
    of: Operator | None = operator
    for _ in range(order):
        of = None if of is None else of.slopes
    if of is None:
        raise OpcheckError("no formula for the slopes is known")
    below, above = enclosure(of, lo, hi)
    return below.reshape(shape), above.reshape(shape)


def values(operator: Operator, points: Floats) -> Floats:
    """F at m points at once, in plain float64: shape (m, entries of F)."""
    columns, out = np.empty(points.shape[1], object), np.empty(operator.dim, object)
    columns[:] = list(points.T)
    with np.errstate(all="ignore"):
        operator.kernel(columns, out, operator.data)
    return np.stack([np.broadcast_to(v, len(points)) for v in out], axis=1).astype(float)


def _constant(value: Any) -> Intervals:
    ball = Ball(value).ball
    lo, hi = _below(ball), -_below(-ball)
    middle = float(ball)
    if ball == arb(middle):
        lo = hi = middle
    return Intervals(np.array(lo), np.array(hi))
