"""Reading 4: a method as exact linear combinations of its start and of what the oracles returned.

Each call of F, and each application of a resolvent, is a new basis vector; the points at which it
happened are coefficient vectors over the earlier ones. That is all a worst-case problem needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from opcheck.engine.numbers import Coefficient, rational
from opcheck.model.method import Method
from opcheck.model.primitives import identity

Vector = tuple[fmpq, ...]


@dataclass(frozen=True)
class Evaluation:
    """One oracle call: ``F`` at a point, an element of ``A`` at a point, or of ``S``.

    Attributes:
        of: "F", "A" or "S".
        point: where, over the basis {z⁰ − z*, returned vectors in order}.
        value: what was returned, over the same basis.
    """

    of: str
    point: Vector
    value: Vector


@dataclass(frozen=True)
class Trace:
    """n iterations on coefficients.

    Attributes:
        basis: names of the basis vectors, as ``("z0", "F1", "F2", ...)``.
        evaluations: the oracle calls in order.
        iterates: z⁰, ..., zⁿ over the basis.
    """

    basis: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]
    iterates: tuple[Vector, ...]


class _Recorder:
    """The oracles: a call at a point seen before returns the vector it returned then."""

    reading: Any

    def __init__(self, size: int) -> None:
        self.size = size
        self.names = ["z0"]
        self.evaluations: list[Evaluation] = []
        self.reading = self

    def _new(self, of: str) -> Vector:
        if len(self.names) == self.size:
            raise _Full
        self.names.append(f"{of}{len(self.names)}")
        return tuple(fmpq(int(i == len(self.names) - 1)) for i in range(self.size))

    def __call__(self, z: Any, out: Any, data: Any) -> None:
        point = _vector(z)
        known = [e.value for e in self.evaluations if e.of == "F" and e.point == point]
        value = known[0] if known else self._new("F")
        if not known:
            self.evaluations.append(Evaluation("F", point, value))
        out[:] = [Coefficient(v) for v in value]

    def resolvent(self, z: Any, gamma: Any, out: Any, data: Any) -> None:
        """p = z − γ a with a new a ∈ A(p)."""
        before = _vector(z)
        value = self._new("A")
        point = tuple(p - gamma * a for p, a in zip(before, value, strict=True))
        self.evaluations.append(Evaluation("A", point, value))
        out[:] = [Coefficient(v) for v in point]

    def resolvent_of_sum(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Any, gamma: Any, out: Any
    ) -> None:
        """p = z − γ s with a new s ∈ S(p)."""
        before = _vector(z)
        value = self._new("S")
        point = tuple(p - gamma * s for p, s in zip(before, value, strict=True))
        self.evaluations.append(Evaluation("S", point, value))
        out[:] = [Coefficient(v) for v in point]


class _Full(Exception):
    """The basis was taken too small."""


def _vector(z: Any) -> Vector:
    return tuple(c.value for c in z)


def trace(
    method: Method, values: Mapping[str, Any], iterations: int, constrained: bool = False
) -> Trace:
    """Run a fixed-step method on coefficients.

    Args:
        values: parameters; floats count by their exact binary value.
        constrained: with A ≠ 0, so that every resolvent is a basis vector.

    Raises TypeError for a method that is not linear in its points (an adaptive step).
    """
    size = 8
    while True:
        try:
            return _trace(method, values, iterations, constrained, size)
        except _Full:
            size *= 2


def _trace(
    method: Method, values: Mapping[str, Any], iterations: int, constrained: bool, size: int
) -> Trace:
    oracle = _Recorder(size)
    packed = method.pack(values, iterations + 1)
    params: NDArray[Any] = np.empty(len(packed), dtype=object)
    params[:] = [v if isinstance(v, int) else rational(v) for v in packed]
    state: NDArray[Any] = np.empty((len(method.rows), size), dtype=object)
    for i, name in enumerate(method.rows):
        here = name not in method.zero
        state[i] = [Coefficient(fmpq(int(j == 0 and here))) for j in range(size)]
    iterates = [_vector(state[0])]
    J = oracle.resolvent if constrained else identity
    for k in range(iterations):
        method.kernel(oracle, None, J, None, state, params, fmpq(k), 1)
        iterates.append(_vector(state[0]))
    used = len(oracle.names)
    return Trace(
        tuple(oracle.names),
        tuple(Evaluation(e.of, e.point[:used], e.value[:used]) for e in oracle.evaluations),
        tuple(p[:used] for p in iterates),
    )
