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
    array = _numbers(value)
    return float(array[()]) if array is not None and array.ndim == 0 else None


def _numbers(values: ArrayLike) -> NDArray[np.float64] | None:
    """An array of its own, or None where these are not real numbers or none at all."""
    try:
        array = np.array(values)
        if array.dtype.kind not in "biuf":
            return None
    except (TypeError, ValueError):
        return None
    return array.astype(float) if array.size > 0 else None


def _finite(values: ArrayLike) -> NDArray[np.float64] | None:
    array = _numbers(values)
    return array if array is not None and np.isfinite(array).all() else None


def vector(values: ArrayLike, name: str) -> Vector:
    """The parameter as a row of floats. Raises OpcheckError unless all are finite."""
    row = _finite(values)
    require(
        row is not None and row.ndim < 2,
        f"{name} must be finite numbers in one row, not {values}",
    )
    return np.atleast_1d(row)


def _end(values: ArrayLike, name: str, excluded: float) -> Vector:
    row = _numbers(values)
    require(
        row is not None
        and row.ndim < 2
        and not np.isnan(row).any()
        and not (row == excluded).any(),
        f"{name} must be finite numbers or {-excluded:g} in one row, not {values}",
    )
    return np.atleast_1d(row)


def number(value: float, name: str) -> float:
    """The parameter as a float. Raises OpcheckError unless it is one finite number."""
    row = vector(value, name)
    require(row.size == 1, f"{name} must be one number, not {row.size}")
    return float(row[0])


def matrix(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """The parameter as a matrix of floats. Raises OpcheckError unless it is one, and finite."""
    array = _finite(values)
    require(
        array is not None and array.ndim < 3,
        f"{name} must be rows of finite numbers, all of one length, not {values}",
    )
    return np.atleast_2d(array)


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
    normal = vector(a, "a")
    require(bool(normal.any()), "a hyperplane or half-space needs a normal a other than 0")
    return normal
