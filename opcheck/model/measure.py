"""Measures: the number that a statement bounds, taken from a state row during a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from opcheck import registry

# Rows that hold the point of index k between steps: what is measured there is indexed by k. Every
# other row is written during a step and is indexed by that step.
STANDING = frozenset({"z", "anchor", "solution"})


@dataclass(frozen=True)
class Measure:
    """A number taken from a state.

    Attributes:
        kernel: ``kernel(F, F_data, J, J_data, state, params, k)``; the row in question is
            ``state[0]``, a second one is ``state[OTHER]``.
        rows: the rows it is taken at where the statement names none.
        doc: the formula.
    """

    name: str
    kernel: Callable[..., float]
    rows: tuple[str, ...]
    doc: str


def measure(name: str, rows: str = "z") -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register a measure of one row, or of two (``rows="z solution"``)."""

    def enter(function: Callable[..., float]) -> Callable[..., float]:
        doc = inspect.cleandoc(function.__doc__ or "")
        entry = Measure(name, function, tuple(rows.split()), doc)
        registry.register("measures", name, entry, registry.place_of(function))
        return function

    return enter


def written_in_step(rows: tuple[str, ...]) -> bool:
    """Whether a measure of these rows belongs to a step (k = 0..K−1) instead of to a point."""
    return not STANDING.issuperset(rows)
