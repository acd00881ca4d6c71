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
from opcheck.engine.forms import AXES, Coefficient, Scalar, Sparse, scalar
from opcheck.engine.numbers import rational
from opcheck.model.method import Method
from opcheck.model.primitives import EXTRA_ROWS, SOLUTION, identity

Vector = tuple[Any, ...]
STAR = "F*"  # F at the solution, where F and A are felt apart
START: Sparse = ((0, fmpq(1)),)


@dataclass(frozen=True)
class Evaluation:
    """One oracle call: ``F`` at a point, an element of ``A`` at a point, or of ``S``.

    Attributes:
        of: "F", "A" or "S".
        point: where, over the basis {z⁰ − z*, returned vectors in order}.
        value: what was returned, over the same basis.
        before: what the resolvent was applied to; the point itself for a call of F.
        gamma: point = before − γ value; 0 for a plain call of F.
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

    @property
    def calls(self) -> list[tuple[str, Evaluation]]:
        """The calls by the names of the vectors that they returned."""
        return [(self.basis[e.value.index(1)], e) for e in self.evaluations]


class Recorder:
    """The oracles: what was asked before is answered as it was then.

    Args:
        split: a resolvent of S = F + A also asks for F at its point, so that A is known there too.
        constrained: A ≠ 0, so that a resolvent taken without J is one of F alone.
        names: of the vectors that are there before any call.
        one: the number 1 of the reading.
        solution: where rows see z*; calls are known by their distance from it.
    """

    reading: Any

    def __init__(
        self,
        split: bool,
        constrained: bool,
        names: Sequence[str] = ("z0",),
        one: Scalar | None = None,
        solution: Sparse = (),
    ) -> None:
        self.solution = Coefficient(solution)
        self.names = [*names]
        self.one = fmpq(1) if one is None else one
        self.calls: list[tuple[str, Sparse, Sparse, Sparse, Scalar]] = []
        self.seen: dict[tuple[str, Sparse, Any], tuple[Sparse, Sparse]] = {}
        self.split = split
        self.constrained = constrained
        self.reading = self

    def ask(self, of: str, before: Sparse, gamma: Any) -> tuple[Sparse, Sparse]:
        """Point and value of p = before − γ v with v ∈ of(p)."""
        gamma = scalar(gamma)
        key = (of, before, gamma)
        if of == "F" and not before and gamma == 0:
            return (), self.star()
        if key not in self.seen:
            value: Sparse = ((len(self.names), self.one),)
            self.names.append(f"{of}{len(self.names)}")
            point = (Coefficient(before) - gamma * Coefficient(value)).vector
            self.calls.append((of, point, value, before, gamma))
            self.seen[key] = point, value
            if of == "F" and gamma != 0:
                self.seen["F", point, fmpq(0)] = point, value
            if of == "S" and self.split:
                self.ask("F", point, 0)
        return self.seen[key]

    def star(self) -> Sparse:
        """F at the solution: 0 where A = 0, else a vector of its own."""
        if not self.constrained:
            return ()
        if STAR not in self.names:
            self.names.append(STAR)
        return ((self.names.index(STAR), self.one),)

    def value(self, point: Sparse) -> Sparse:
        """What F returned at a point, asked for where it was not yet."""
        return self.ask("F", point, 0)[1]

    def evaluations(self) -> tuple[Evaluation, ...]:
        """The calls in order, over the basis."""
        size = len(self.names)
        return tuple(
            Evaluation(of, _dense(p, size), _dense(v, size), _dense(b, size), gamma)
            for of, p, v, b, gamma in self.calls
        )

    def __call__(self, z: Any, out: Any, data: Any) -> None:
        fill(out, self.value(self._from(z)))

    def resolvent(self, z: Any, gamma: Any, out: Any, data: Any) -> None:
        """p = z − γ a with a new a ∈ A(p)."""
        self._to(out, self.ask("A", self._from(z), gamma)[0])

    def resolvent_of_sum(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Any, gamma: Any, out: Any
    ) -> None:
        """p = z − γ s with a new s ∈ S(p), or F(p) where A ≠ 0 is left out."""
        of = "F" if self.constrained and J is identity else "S"
        self._to(out, self.ask(of, self._from(z), gamma)[0])

    def _from(self, z: Any) -> Sparse:
        return (Coefficient(vector_of(z)) - self.solution).vector

    def _to(self, out: Any, point: Sparse) -> None:
        fill(out, (Coefficient(point) + self.solution).vector)


def _names(rows: Sequence[str]) -> list[str]:
    """Basis vectors of a state of which nothing is known."""
    return ["z0", *(f"{row}0" for row in rows)]


def vector_of(z: Any) -> Sparse:
    """The combination behind a row. Raises TypeError where its coordinates differ."""
    first: Coefficient = z[0]
    for axis in AXES:
        if z[axis].axis != axis or z[axis].vector != first.vector:
            raise TypeError("coordinates are treated differently: not a method in every R^d")
    return first.vector


def fill(out: Any, vector: Sparse) -> None:
    """Make a row this combination."""
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
    oracle = Recorder(split, constrained)
    state = _state(method, [START] * len(method.rows))
    params = _params(method, values, stops[-1] + 1)
    record = np.empty((1, len(takes), len(stops)), dtype=object)
    iterates = [START]

    def advance(F: Any, f: Any, J: Any, j: Any, own: Any, p: Any, k: int, n: int) -> None:
        for i in range(n):
            method.kernel(F, f, J, j, own, p, fmpq(k + i), 1)
            iterates.append(vector_of(own[0]))

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
    return Trace(
        tuple(oracle.names),
        oracle.evaluations(),
        tuple(_dense(z, size) for z in iterates),
        record[0],
    )


def memoryless(method: Method, values: Mapping[str, Any], constrained: bool = False) -> bool:
    """Whether every step is the same function of z alone: then one step stands for all."""
    return memory(method, values, constrained) == ()


def memory(
    method: Method,
    values: Mapping[str, Any],
    constrained: bool = False,
    steps: int = 1,
    first: int = 0,
) -> tuple[str, ...] | None:
    """The rows beside z that ``steps`` iterations read before they write them, in order.

    From k = ``first`` on. A row that such rows alone are made of counts too. None where k plays a
    part as well. Raises TypeError for a method that is not linear in its points.
    """
    rows = len(method.rows)
    outcomes = []
    for k in (first, first + steps, first + 2 * steps):
        oracle = Recorder(False, constrained, _names(method.rows[1:]))
        state = _state(method, [((i, fmpq(1)),) for i in range(rows)], zero=False)
        own = state[0, :rows]
        J = oracle.resolvent if constrained else identity
        params = _params(method, values, first + 3 * steps + 1)[0]
        for i in range(steps):
            method.kernel(oracle, None, J, None, own, params, fmpq(k + i), 1)
        ends = [vector_of(own[i]) for i in range(rows)]
        outcomes.append((ends, oracle.calls))
    ends, calls = outcomes[0]
    reads = [{i for i, _ in end if i < rows} for end in ends]
    found = {0} | reads[0] | {i for call in calls for i, _ in call[3] if i < rows}
    while True:
        more = set().union(*(reads[i] for i in found)) - found
        if not more:
            break
        found |= more
    kept = [([ends[i] for i in sorted(found)], calls) for ends, calls in outcomes]
    if kept[0] != kept[1] or kept[0] != kept[2]:
        return None
    return tuple(method.rows[i] for i in sorted(found - {0}))


def walk(
    method: Method,
    values: Mapping[str, Any],
    rows: Sequence[str],
    blocks: int,
    steps: int = 1,
    constrained: bool = False,
    residual: bool = False,
    first: int = 0,
) -> tuple[Trace, list[dict[str, Vector]]]:
    """Iterate from a state of which nothing is known: z and ``rows`` are vectors of the basis.

    Args:
        rows: those that matter, as ``memory`` finds them; any other starts as z.
        blocks: how many times ``steps`` iterations are made.
        residual: also ask for F at z before, between and after them.
        first: the k of the first iteration.

    Returns:
        The calls and points, and before, between and after the blocks the vectors by name: "z",
        ``rows``, and "F z" where it was asked for.
    """
    options = (method, values, rows, blocks, steps, constrained, residual, first)
    found = _walk(*options, split=False)
    if constrained and {e.of for e in found[0].evaluations} >= {"F", "S"}:
        return _walk(*options, split=True)
    return found


def _walk(
    method: Method,
    values: Mapping[str, Any],
    rows: Sequence[str],
    blocks: int,
    steps: int,
    constrained: bool,
    residual: bool,
    first: int,
    split: bool,
) -> tuple[Trace, list[dict[str, Vector]]]:
    oracle = Recorder(split, constrained, _names(rows))
    places = {name: 1 + i for i, name in enumerate(rows)}
    state = _state(method, [((places.get(n, 0), fmpq(1)),) for n in method.rows], zero=False)[0]
    own = state[: len(method.rows)]
    params = _params(method, values, first + blocks * steps + 1)[0]
    J = oracle.resolvent if constrained else identity
    states: list[dict[str, Sparse]] = []
    for block in range(blocks + 1):
        at = {name: vector_of(own[method.rows.index(name)]) for name in ("z", *rows)}
        at |= {"F z": oracle.value(at["z"])} if residual else {}
        states.append(at)
        for i in range(steps if block < blocks else 0):
            method.kernel(oracle, None, J, None, own, params, fmpq(first + block * steps + i), 1)
    size = len(oracle.names)
    dense = [{name: _dense(v, size) for name, v in at.items()} for at in states]
    trace = Trace(
        tuple(oracle.names),
        oracle.evaluations(),
        tuple(at["z"] for at in dense),
        np.empty((0, 0), dtype=object),
    )
    return trace, dense


def _state(method: Method, rows: Sequence[Sparse], zero: bool = True) -> NDArray[np.object_]:
    state = np.empty((1, len(rows) + EXTRA_ROWS, len(AXES)), dtype=object)
    for i in range(state.shape[1]):
        fill(state[0, i], rows[i] if i < len(rows) else START)
    for name in method.zero if zero else ():
        fill(state[0, method.rows.index(name)], ())
    fill(state[0, SOLUTION], ())
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
