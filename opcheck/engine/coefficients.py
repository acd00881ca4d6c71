"""Reading 4: a method as exact linear combinations of its start and of what the oracles returned.

Each call of F, and each application of a resolvent, is a new basis vector; the points at which it
happened are combinations of the earlier ones. What a measure's text makes of them is a quadratic
form. That is all a worst-case problem needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from opcheck.engine.drive import drive
from opcheck.engine.forms import AXES, Coefficient, Sparse
from opcheck.engine.numbers import rational
from opcheck.model.method import Method
from opcheck.model.primitives import EXTRA_ROWS, SOLUTION, identity

Vector = tuple[fmpq, ...]
START: Sparse = ((0, fmpq(1)),)


@dataclass(frozen=True)
class Evaluation:
    """One oracle call: ``F`` at a point, an element of ``A`` at a point, or of ``S``.

    Attributes:
        of: "F", "A" or "S".
        point: where, over the basis {z⁰ − z*, returned vectors in order}.
        value: what was returned, over the same basis.
        before: what the resolvent was applied to; the point itself for a call of F.
        gamma: point = before − γ value; 0 for a call of F.
    """

    of: str
    point: Vector
    value: Vector
    before: Vector
    gamma: fmpq


@dataclass(frozen=True)
class Trace:
    """n iterations on coefficients.

    Attributes:
        basis: names of the basis vectors, as ``("z0", "F1", "F2", ...)``.
        evaluations: the oracle calls in order.
        iterates: z⁰, ..., zⁿ over the basis.
        record: forms, [measure, stop].
    """

    basis: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]
    iterates: tuple[Vector, ...]
    record: NDArray[np.object_]


class _Recorder:
    """The oracles: what was asked before is answered as it was then.

    ``split``: a resolvent of S = F + A also asks for F at its point, so that A is known there too.
    """

    reading: Any

    def __init__(self, split: bool, unknown: int = 0) -> None:
        self.names = ["z0", *(f"row{i + 1}" for i in range(unknown))]
        self.calls: list[tuple[str, Sparse, Sparse, Sparse, fmpq]] = []
        self.seen: dict[tuple[str, Sparse, Any], tuple[Sparse, Sparse]] = {}
        self.split = split
        self.reading = self

    def _ask(self, of: str, before: Sparse, gamma: Any) -> tuple[Sparse, Sparse]:
        """Point and value of p = before − γ v with v ∈ of(p)."""
        gamma = fmpq(gamma)
        key = (of, before, gamma)
        if key not in self.seen:
            value: Sparse = ((len(self.names), fmpq(1)),)
            self.names.append(f"{of}{len(self.names)}")
            point = (Coefficient(before) - gamma * Coefficient(value)).vector
            self.calls.append((of, point, value, before, gamma))
            self.seen[key] = point, value
            if of == "S" and self.split:
                self._ask("F", point, 0)
        return self.seen[key]

    def __call__(self, z: Any, out: Any, data: Any) -> None:
        _fill(out, self._ask("F", _vector(z), 0)[1])

    def resolvent(self, z: Any, gamma: Any, out: Any, data: Any) -> None:
        """p = z − γ a with a new a ∈ A(p)."""
        _fill(out, self._ask("A", _vector(z), gamma)[0])

    def resolvent_of_sum(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Any, gamma: Any, out: Any
    ) -> None:
        """p = z − γ s with a new s ∈ S(p)."""
        _fill(out, self._ask("S", _vector(z), gamma)[0])


def _vector(z: Any) -> Sparse:
    first: Coefficient = z[0]
    for axis in AXES:
        if z[axis].axis != axis or z[axis].vector != first.vector:
            raise TypeError("coordinates are treated differently: not a method in every R^d")
    return first.vector


def _fill(out: Any, vector: Sparse) -> None:
    for axis in AXES:
        out[axis] = Coefficient(vector, axis)


def trace(
    method: Method,
    values: Mapping[str, Any],
    iterations: int,
    constrained: bool = False,
    takes: Sequence[Any] = (),
    stops: Sequence[int] | None = None,
) -> Trace:
    """Run a fixed-step method on coefficients.

    Args:
        values: parameters; floats count by their exact binary value.
        constrained: with A ≠ 0, so that every resolvent is a basis vector.
        takes: measures with their rows (``Take``), recorded at ``stops``.
        stops: iteration counts, increasing, at most ``iterations``.

    Raises TypeError for a method that is not linear in its points (an adaptive step), or a measure
    that is no quadratic form.
    """
    chosen = sorted({iterations, *(range(iterations + 1) if stops is None else stops)})
    found = _trace(method, values, chosen, constrained, takes, split=False)
    if constrained and {e.of for e in found.evaluations} >= {"F", "S"}:
        return _trace(method, values, chosen, constrained, takes, split=True)
    return found


def _trace(
    method: Method,
    values: Mapping[str, Any],
    stops: Sequence[int],
    constrained: bool,
    takes: Sequence[Any],
    split: bool,
) -> Trace:
    oracle = _Recorder(split)
    state = _state(method, [START] * len(method.rows))
    params = _params(method, values, stops[-1] + 1)
    record = np.empty((1, len(takes), len(stops)), dtype=object)
    iterates = [START]

    def advance(F: Any, f: Any, J: Any, j: Any, own: Any, p: Any, k: int, n: int) -> None:
        for i in range(n):
            method.kernel(F, f, J, j, own, p, fmpq(k + i), 1)
            iterates.append(_vector(own[0]))

    drive(
        tuple(t.measure.kernel for t in takes),
        np.array([t.indices(method) for t in takes], dtype=np.int64).reshape(-1, 2),
        advance,
        oracle,
        np.empty((1, 0), dtype=object),
        oracle,
        np.empty((1, 0), dtype=object),
        oracle.resolvent if constrained else identity,
        np.empty((1, 0), dtype=object),
        state,
        params,
        0,
        np.array(stops, dtype=object),
        np.arange(len(stops)),
        record,
        np.empty((1, 0, len(AXES)), dtype=object),
        np.zeros(1, dtype=np.int64),
        0,
    )
    size = len(oracle.names)
    calls = [
        Evaluation(of, _dense(p, size), _dense(v, size), _dense(b, size), gamma)
        for of, p, v, b, gamma in oracle.calls
    ]
    return Trace(
        tuple(oracle.names),
        tuple(calls),
        tuple(_dense(z, size) for z in iterates),
        record[0],
    )


def memoryless(method: Method, values: Mapping[str, Any], constrained: bool = False) -> bool:
    """Whether every step is the same function of z alone: then one step stands for all."""
    rows = len(method.rows)
    outcomes = []
    for k in (0, 1, 2):
        oracle = _Recorder(False, rows - 1)
        state = _state(method, [((i, fmpq(1)),) for i in range(rows)], zero=False)
        own = state[0, :rows]
        J = oracle.resolvent if constrained else identity
        method.kernel(oracle, None, J, None, own, _params(method, values, 4)[0], fmpq(k), 1)
        end = _vector(own[0])
        if any(0 < i < rows for vector in (end, *(c[3] for c in oracle.calls)) for i, _ in vector):
            return False
        outcomes.append((end, oracle.calls))
    return outcomes[0] == outcomes[1] == outcomes[2]


def _state(method: Method, rows: Sequence[Sparse], zero: bool = True) -> NDArray[np.object_]:
    state = np.empty((1, len(rows) + EXTRA_ROWS, len(AXES)), dtype=object)
    for i in range(state.shape[1]):
        _fill(state[0, i], rows[i] if i < len(rows) else START)
    for name in method.zero if zero else ():
        _fill(state[0, method.rows.index(name)], ())
    _fill(state[0, SOLUTION], ())
    return state


def _params(method: Method, values: Mapping[str, Any], length: int) -> NDArray[np.object_]:
    packed = method.pack(values, length)
    params = np.empty((1, len(packed)), dtype=object)
    params[0] = [v if isinstance(v, int) else rational(v) for v in packed]
    return params


def _dense(vector: Sparse, size: int) -> Vector:
    found = [fmpq(0)] * size
    for i, v in vector:
        found[i] = v
    return tuple(found)
