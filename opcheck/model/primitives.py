"""The vocabulary of kernels: plain loops, the same text under every reading.

A primitive with an attribute ``compiled`` has another text for float64; the interpreted text then
belongs to the other readings (balls, rationals, intervals, vectors known by name). A number, an
index or an operator of such a reading needs + − · / and, beyond that, what one of the protocols
below says, or nothing.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from opcheck.errors import OpcheckError


@runtime_checkable
class Enclosure(Protocol):
    """A number that encloses an unknown one, as a ball does."""

    def middle(self) -> Any:
        """A number near it that is known exactly."""

    def within(self, error: Any) -> Any:
        """All numbers that lie within ``error`` ≥ 0 of it."""


@runtime_checkable
class EveryIndex(Protocol):
    """An index that stands for every k at once."""

    def phase(self, period: int) -> int:
        """k mod period. Raises Undecided where that depends on k."""


@runtime_checkable
class PlacedIndex(EveryIndex, Protocol):
    """One of a few steps from an arbitrary k on: its sequences are laid out from there on."""

    offset: int  # which of the steps it is, ≥ 0


@runtime_checkable
class Read(Protocol):
    """An operator under a reading that answers by itself for the resolvent of a sum."""

    reading: Any  # its ``resolvent_of_sum`` takes the same arguments as the primitive


@runtime_checkable
class Stored(Protocol):
    """Numbers read from a float buffer whose bits hold indices as well."""

    raw: Any  # the buffer: float64, shape (size,)


# Rows that the driver adds after a method's own: the point before the step, the solution, then, so
# that a view from any row on still holds them, the second argument and the scratch of measures.
BEFORE, SOLUTION, OTHER, WORK_2, WORK = -5, -4, -3, -2, -1
EXTRA_ROWS = 5


def axpy(out, x, a, y):
    """out = x + a y."""
    for i in range(x.shape[0]):
        out[i] = x[i] + a * y[i]


def copy(out, x):
    """out = x."""
    for i in range(x.shape[0]):
        out[i] = x[i]


def combine(out, a, x, b, y):
    """out = a x + b y."""
    for i in range(x.shape[0]):
        out[i] = a * x[i] + b * y[i]


def subtract(out, x, y):
    """out = x − y."""
    for i in range(x.shape[0]):
        out[i] = x[i] - y[i]


def norm2(x):
    """‖x‖²."""
    total = x[0] * x[0]
    for i in range(1, x.shape[0]):
        total += x[i] * x[i]
    return total


def dot(x, y):
    """⟨x, y⟩."""
    total = x[0] * y[0]
    for i in range(1, x.shape[0]):
        total += x[i] * y[i]
    return total


def distance2(x, y):
    """‖x − y‖²."""
    total = (x[0] - y[0]) * (x[0] - y[0])
    for i in range(1, x.shape[0]):
        total += (x[i] - y[i]) * (x[i] - y[i])
    return total


def _at(params, i, k):
    return params[min(i + int(k), params.shape[0] - 1)]


def at(params, i, k):
    """Entry k of the parameter sequence that starts at i; its last value is kept from then on."""
    return _at(params, i, k.offset if isinstance(k, PlacedIndex) else k)


at.compiled = _at  # type: ignore[attr-defined]


def _phase(k, period):
    return int(k) % period


def phase(k, period):
    """k mod period, a whole number."""
    # k + j has a phase too, and no offset
    return k.phase(period) if hasattr(k, "phase") else _phase(k, period)


phase.compiled = _phase  # type: ignore[attr-defined]


def identity(z, gamma, out, data):
    """The resolvent of A = 0."""
    for i in range(z.shape[0]):
        out[i] = z[i]


def _unchanged(x):
    return x


def middle(x):
    """A number near x that is known exactly: a ball's midpoint, a float itself.

    An iteration runs on it; what it finds is then enclosed by ``within``. Raises OpcheckError for
    a rational, on which an iteration to rounding has no end.
    """
    if isinstance(x, float | int):
        return x
    if not isinstance(x, Enclosure):
        raise OpcheckError("an iteration to rounding has no value in exact rationals")
    return x.middle()


middle.compiled = _unchanged  # type: ignore[attr-defined]


def _nearest(x, error):
    return x


def within(x, error):
    """Where a number is known to lie within ``error`` of x: a wider ball, x itself in float64."""
    return x.within(error) if isinstance(x, Enclosure) else x


within.compiled = _nearest  # type: ignore[attr-defined]


def _slack(size):
    return 4e-15 * size


def slack(size):
    """What rounding may leave of a sum of terms of this size; the exact readings leave nothing."""
    return _slack(size) if isinstance(size, float) else 0


slack.compiled = _slack  # type: ignore[attr-defined]


def _indices(data, start, count):
    return data[start : start + (count + 1) // 2].view(np.uint32)


def indices(data, start, count):
    """``count`` unsigned 32-bit indices stored in the float buffer from entry ``start`` on."""
    return _indices(data.raw if isinstance(data, Stored) else data, start, count)


indices.compiled = _indices  # type: ignore[attr-defined]
