"""Checks of family parameters: one sentence where a family does not exist."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck import OpcheckError
from opcheck.plugin import Vector


def require(holds: bool, sentence: str) -> None:
    """Raises OpcheckError with the sentence unless ``holds``."""
    if not holds:
        raise OpcheckError(sentence)


def positive(value: float, name: str) -> None:
    """Raises OpcheckError unless the parameter is one number, positive and finite."""
    single = _single(value)
    require(
        single is not None and 0 < single < float("inf"),
        f"{name} = {value} must be positive and finite",
    )


def whole(value: float, name: str, least: int = 1) -> int:
    """The parameter as an int. Raises OpcheckError unless it is whole and at least ``least``."""
    single = _single(value)
    require(
        single is not None and least <= single < float("inf") and single == int(single),
        f"{name} = {value} must be a whole number from {least} on",
    )
    return int(value)


def _single(value: float) -> float | None:
    """One number as a float, or None."""
    found = _numbers(value)
    return float(found[()]) if found is not None and found.ndim == 0 else None


def _numbers(values: ArrayLike) -> NDArray[np.float64] | None:
    """An array of its own, or None where these are not real numbers or none at all."""
    try:
        found = np.array(values)
        if found.dtype.kind not in "biuf":
            return None
    except (TypeError, ValueError):
        return None
    return found.astype(float) if found.size > 0 else None


def _finite(values: ArrayLike) -> NDArray[np.float64] | None:
    found = _numbers(values)
    return found if found is not None and np.isfinite(found).all() else None


def vector(values: ArrayLike, name: str) -> Vector:
    """The parameter as a row of floats. Raises OpcheckError unless all are finite."""
    found = _finite(values)
    require(
        found is not None and found.ndim < 2,
        f"{name} must be finite numbers in one row, not {values}",
    )
    return np.atleast_1d(found)


def _end(values: ArrayLike, name: str, excluded: float) -> Vector:
    found = _numbers(values)
    require(
        found is not None
        and found.ndim < 2
        and not np.isnan(found).any()
        and not (found == excluded).any(),
        f"{name} must be finite numbers or {-excluded:g} in one row, not {values}",
    )
    return np.atleast_1d(found)


def number(value: float, name: str) -> float:
    """The parameter as a float. Raises OpcheckError unless it is one finite number."""
    found = vector(value, name)
    require(found.size == 1, f"{name} must be one number, not {found.size}")
    return float(found[0])


def matrix(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """The parameter as a matrix of floats. Raises OpcheckError unless it is one, and finite."""
    found = _finite(values)
    require(
        found is not None and found.ndim < 3,
        f"{name} must be rows of finite numbers, all of one length, not {values}",
    )
    return np.atleast_2d(found)


def ends(lo: ArrayLike, hi: ArrayLike) -> tuple[Vector, Vector]:
    """The ends of a box, of one length. Raises OpcheckError where there is no such box.

    A lower end may be −inf, an upper one inf.
    """
    low, high = _end(lo, "lo", np.inf), _end(hi, "hi", -np.inf)
    size = max(low.size, high.size)
    require(
        {low.size, high.size} <= {1, size},
        f"a box has {low.size} lower ends but {high.size} upper ends",
    )
    low, high = np.broadcast_to(low, size), np.broadcast_to(high, size)
    i = int(np.argmax(low > high))
    require(low[i] <= high[i], f"the box is empty: lo = {low[i]} exceeds hi = {high[i]}")
    return low, high


def normal_vector(a: ArrayLike) -> Vector:
    """The normal of a hyperplane. Raises OpcheckError for zeros or a number that is not finite."""
    found = vector(a, "a")
    require(bool(found.any()), "a hyperplane or half-space needs a normal a other than 0")
    return found
