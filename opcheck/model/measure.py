"""Measures: the number that a statement bounds, taken from a state row during a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from opcheck import registry
from opcheck.arguments import asked

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
        of_point: what it measures belongs to the point reached, whatever rows it reads: after a
            step from z_k on, to k + 1.
        doc: the formula.
    """

    name: str
    kernel: Callable[..., float]
    rows: tuple[str, ...]
    of_point: bool
    doc: str

    def in_step(self, rows: tuple[str, ...]) -> bool:
        """Whether its values at these rows belong to steps (k = 0..K−1) instead of to points."""
        return not (self.of_point or STANDING.issuperset(rows))


@asked
def measure(
    name: str, rows: str = "z", of_point: bool = False
) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register a measure of one row, or of two (``rows="z solution"``).

    ``of_point``: it speaks of the point reached although it reads what the step has written; what
    it gives at k = 0, before any step, has no meaning.
    """

    def enter(function: Callable[..., float]) -> Callable[..., float]:
        doc = inspect.cleandoc(function.__doc__ or "")
        entry = Measure(name, function, tuple(rows.split()), of_point, doc)
        registry.register("measures", name, entry, registry.place_of(function))
        return function

    return enter
