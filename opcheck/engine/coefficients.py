"""Reading 4: a method as exact linear combinations of its start and of what the oracles returned.

Each call of F, and each application of a resolvent, is a new basis vector; the points at which it
happened are combinations of the earlier ones. What a measure's text makes of them is a quadratic
form. That is all a worst-case problem needs.

Combinations are told for z* = 0, which is no loss where a method and a measure move with their
start and solution. So every row is run with the shift of z* beside it: F and resolvents are asked
at what holds it exactly once, and what a measure says holds it not at all. And the same text has to
say the same in dimensions 1, 2 and 3.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from opcheck.engine.drive import drive
from opcheck.engine.forms import (
    DIMENSION,
    DIMENSIONS,
    SHIFT,
    Coefficient,
    Form,
    Products,
    Scalar,
    Sparse,
    at_origin,
    scalar,
    told,
    weight,
)
from opcheck.engine.guard import guard_method
from opcheck.engine.numbers import rational
from opcheck.engine.ratio import Field, Index, Ratio
from opcheck.engine.rows import (
    DATA,
    Axis,
    ComputedWith,
    Data,
    Dimension,
    Rows,
    Steps,
    bare,
    in_every_dimension,
)
from opcheck.errors import OpcheckError, Undecided
from opcheck.model.method import Method
from opcheck.model.primitives import EXTRA_ROWS, SOLUTION, identity
from opcheck.model.theorem import OfA

Vector = tuple[Any, ...]
STAR = "F*"  # F at the solution, where F and A are felt apart
START: Sparse = ((0, fmpq(1)),)
UNCONSTRAINED = in_every_dimension(identity)
ONE = Steps(1)  # a text may loop over n and do no more with it
FIRST = 3  # steps of a run that are looked at for what has to be so at every step


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

    Calls are known by where they are from the solution; a row that is none such is refused.

    Args:
        subject: whose text is run, for messages.
        split: a resolvent of S = F + A also asks for F at its point, so that A is known there too.
        A: what A is; where it is not 0 a resolvent taken without J is one of F alone.
        names: of the vectors that are there before any call.
        one: the number 1 of the reading.
    """

    reading: Any

    def __init__(
        self,
        subject: str,
        *,
        split: bool,
        A: OfA,
        names: Sequence[str] = ("z0",),
        one: Scalar | None = None,
    ) -> None:
        self.subject = subject
        self.names = [*names]
        self.one = fmpq(1) if one is None else one
        self.calls: list[tuple[str, Sparse, Sparse, Sparse, Scalar]] = []
        self.seen: dict[tuple[str, Sparse, Any], tuple[Sparse, Sparse]] = {}
        self.split = split
        self.A = A
        self.reading = self

    @property
    def solution(self) -> Sparse:
        """The solution as rows hold it."""
        return ((SHIFT, self.one),)

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
            if (of == "F" or self.A == "zero") and gamma != 0:  # where A = 0, S is F
                self.seen["F", point, fmpq(0)] = point, value
            if of == "S" and self.split:
                self.ask("F", point, 0)
        return self.seen[key]

    def star(self) -> Sparse:
        """F at the solution: 0 where A = 0, else a vector of its own."""
        if self.A == "zero":
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
        fill(out, self.value(self._point(z, "F")))

    def resolvent(self, z: Any, gamma: Any, out: Any, data: Any) -> None:
        """p = z − γ a with a new a ∈ A(p). Raises OpcheckError for a number γ ≤ 0."""
        if isinstance(gamma, int | fmpq) and gamma <= 0:
            raise OpcheckError(
                f"{self.subject} calls J with gamma = {gamma}, which is not positive"
            )
        self._fill(out, self.ask("A", self._point(z, "J"), gamma)[0])

    def resolvent_of_sum(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Any, gamma: Any, out: Any
    ) -> None:
        """p = z − γ s with a new s ∈ S(p), or F(p) where A ≠ 0 is left out."""
        of = "F" if self.A != "zero" and J is UNCONSTRAINED else "S"
        self._fill(out, self.ask(of, self._point(z, "the resolvent"), gamma)[0])

    def _point(self, z: Any, what: str) -> Sparse:
        """Where a row is from the solution. Raises OpcheckError for what is no point."""
        vector = vector_of(z)
        if weight(vector) != 1:
            raise OpcheckError(
                f"{self.subject}: {what} is evaluated at a combination whose weights add up to "
                f"{told(weight(vector))}, not 1: it depends on where the origin lies"
            )
        return at_origin(vector)

    def _fill(self, out: Any, point: Sparse) -> None:
        fill(out, (*self.solution, *point))


def settled(method: Method, held: Sequence[Sequence[Scalar]]) -> tuple[Scalar, ...]:
    """How often each row holds the shift after any step: 1 for points, 0 for values.

    Args:
        held: the same after the first step of a run, the second, ...

    Raises OpcheckError where that differs from step to step, as for a sum of points.
    """
    for later in held[1:]:
        for name, earlier, other in zip(method.rows, held[0], later, strict=True):
            if earlier != other:
                raise _drifting(method, name, earlier, "later", other)
    return tuple(held[0])


def keep_weights(method: Method, rows: Sequence[Sparse], expected: Sequence[Scalar]) -> None:
    """Raise OpcheckError where a step changes how often its first rows hold the shift."""
    for name, row, should in zip(method.rows, rows, expected, strict=False):
        if weight(row) != should:
            raise _drifting(method, name, should, "after a step", weight(row))


def _drifting(method: Method, row: str, first: Scalar, when: str, then: Scalar) -> OpcheckError:
    return OpcheckError(
        f"{method.name}: row {row} is a combination whose weights add up to {told(first)} and "
        f"{when} to {told(then)}: it depends on where the origin lies"
    )


def _names(rows: Sequence[str]) -> list[str]:
    """Basis vectors of a state of which nothing is known."""
    return ["z0", *(f"{row}0" for row in rows)]


def vector_of(z: Any) -> Sparse:
    """The combination behind a row. Raises TypeError where its coordinates differ."""
    entries = bare(z)
    first: Coefficient = entries[0]
    for axis, entry in enumerate(entries):
        if not isinstance(entry, Coefficient):
            raise TypeError("a row holds products of coordinates, and is no combination of points")
        if entry.axis != axis or entry.vector != first.vector:
            raise TypeError("coordinates are treated differently: not a method in every R^d")
    return first.vector


def fill(out: Any, vector: Sparse) -> None:
    """Make a row this combination."""
    entries = bare(out)
    for axis in range(len(entries)):
        entries[axis] = Coefficient(vector, axis)


def state_of(rows: Sequence[Sparse], dimension: int = DIMENSION) -> NDArray[np.object_]:
    """Rows that hold these combinations."""
    state = np.empty((len(rows), dimension), dtype=object).view(Rows)
    for own, row in zip(state, rows, strict=True):
        fill(own, row)
    return state


@contextlib.contextmanager
def reading(subject: str, dimension: int) -> Iterator[None]:
    """Raises OpcheckError for a text that is not one of every dimension, or divides by 0."""
    try:
        yield
    except IndexError as error:
        raise OpcheckError(_differs(subject, f"in dimension {dimension}: {error}")) from error
    except ComputedWith as error:
        raise OpcheckError(_differs(subject, str(error))) from error
    except TypeError as error:
        opaque = [
            c.__name__ for c in (Dimension, Axis, Steps, Data) if f"'{c.__name__}'" in str(error)
        ]
        if opaque:
            computed = f"it computes with a {opaque[0].lower()}"
            raise OpcheckError(_differs(subject, computed)) from error
        if "operand type" not in str(error):
            raise
        raise TypeError(
            f"{subject} computes with k, a parameter or a coordinate other than by +, −, ·, / and "
            "comparisons"
        ) from error
    except ZeroDivisionError as error:
        raise OpcheckError(f"{subject} divides by 0") from error


def same_in_all(subject: str, results: Mapping[int, Any]) -> None:
    """Raise OpcheckError where what a text gives is not the same in every dimension."""
    first = results[DIMENSION]
    for dimension, other in results.items():
        if other != first:
            raise OpcheckError(
                _differs(subject, f"it gives other combinations in dimension {dimension}")
            )


def _differs(subject: str, how: str) -> str:
    return f"{subject} does not treat every coordinate alike in every dimension ({how})"


def measured(take: Any, result: Any) -> Any:
    """What a measure's text made of the rows, for z* = 0.

    Raises OpcheckError where it changes with a common translation of start and solution.
    """
    if not isinstance(result, Form):
        return result
    if result.feels_the_shift():
        name = f"{take.measure.name}({', '.join(take.rows)})"
        raise OpcheckError(
            f"{name} depends on where the origin lies, so z* can't be taken as 0; measure a "
            "distance instead"
        )
    return result.at_origin()


def trace(
    method: Method,
    values: Mapping[str, Any],
    iterations: int,
    *,
    A: OfA = "zero",
    takes: Sequence[Any] = (),
    stops: Sequence[int] | None = None,
) -> Trace:
    """Run a fixed-step method on coefficients.

    Args:
        values: parameters; floats count by their exact binary value.
        A: what A is; where it is not 0 every resolvent is a basis vector.
        takes: measures with their rows (``Take``), recorded at ``stops``.
        stops: iteration counts, increasing, at most ``iterations``.

    Raises TypeError for a method that is not linear in its points (an adaptive step), OpcheckError
    for one that depends on where the origin lies or on the dimension. A measure that does, or that
    is no quadratic form, is recorded as a form with that flaw.
    """
    guard_method(method)
    counts = sorted({iterations, *(range(iterations + 1) if stops is None else stops)})
    first = range(min(FIRST, iterations) + 1)
    read = {
        d: _trace(method, values, first, A=A, takes=takes, split=False, dimension=d)
        for d in DIMENSIONS
    }
    for j, use in enumerate(takes):
        forms = {d: [_products(form, d) for form in run.record[j]] for d, run in read.items()}
        same_in_all(use.measure.name, forms)
    same_in_all(method.name, {d: (f.basis, f.evaluations, f.iterates) for d, f in read.items()})
    run = _trace(method, values, counts, A=A, takes=takes, split=False)
    if _told_apart(run, A):
        return _trace(method, values, counts, A=A, takes=takes, split=True)
    return run


def _told_apart(run: Trace, A: OfA, apart: bool = False) -> bool:
    """Whether F is to be asked for at points of S, so that A is known there too."""
    of = {e.of for e in run.evaluations}
    return A != "zero" and "S" in of and (apart or "F" in of)


def _products(form: Any, dimension: int) -> tuple[Products, str]:
    """A recorded form, or why it is none."""
    if not isinstance(form, Form):
        return {}, repr(form)
    try:
        return form.inner_products(dimension), form.flaw
    except TypeError as error:
        return {}, str(error)


def _trace(
    method: Method,
    values: Mapping[str, Any],
    stops: Sequence[int],
    *,
    A: OfA,
    takes: Sequence[Any],
    split: bool,
    dimension: int = DIMENSION,
) -> Trace:
    oracle = Recorder(method.name, split=split, A=A)
    z0 = (*oracle.solution, *START)
    rows = _start(method, oracle)
    rows += [oracle.solution if i == SOLUTION else z0 for i in range(-EXTRA_ROWS, 0)]
    state = state_of(rows, dimension)[None]
    params = _params(method, values, stops[-1] + 1)
    record = np.empty((1, len(takes), len(stops)), dtype=object)
    data = np.empty(1, dtype=object)
    data[0] = DATA
    iterates = [z0]

    def advance(F: Any, f: Any, J: Any, j: Any, own: Any, p: Any, k: int, n: int) -> None:
        for i in range(n):
            in_every_dimension(method.kernel)(F, f, J, j, own, p, fmpq(k + i), ONE)
            iterates.append(vector_of(own[0]))
            keep_weights(method, iterates[-1:], (1,))

    with reading(method.name, dimension):
        in_every_dimension(drive)(
            tuple(_measure(t, oracle, dimension) for t in takes),
            np.array([t.indices(method) for t in takes], dtype=np.int64).reshape(-1, 2),
            advance,
            oracle,
            data,
            oracle,
            data,
            oracle.resolvent if A != "zero" else UNCONSTRAINED,
            data,
            state,
            params,
            0,
            np.array(stops, dtype=object),
            np.arange(len(stops)),
            record,
            np.empty((1, 0, dimension), dtype=object),
            np.zeros(1, dtype=np.int64),
            0,
        )
    size = len(oracle.names)
    return Trace(
        tuple(oracle.names),
        oracle.evaluations(),
        tuple(_dense(at_origin(z), size) for z in iterates),
        record[0],
    )


def _measure(take: Any, oracle: Recorder, dimension: int) -> Callable[..., Any]:
    """A measure's text; what it is no form of may still be left out of a statement."""

    def kernel(*arguments: Any) -> Any:
        subject, oracle.subject = oracle.subject, take.measure.name
        try:
            with reading(take.measure.name, dimension):
                return measured(take, in_every_dimension(take.measure.kernel)(*arguments))
        except OpcheckError as error:
            return Form({}, flaw=str(error))
        finally:
            oracle.subject = subject

    return kernel


def memoryless(method: Method, values: Mapping[str, Any], A: OfA = "zero") -> bool:
    """Whether every step is the same function of z alone: then one step stands for all."""
    try:
        return memory(method, values, A) == ()
    except TypeError:  # not linear in its points, so no function that can be compared
        return False


def memory(
    method: Method,
    values: Mapping[str, Any],
    A: OfA = "zero",
    *,
    steps: int = 1,
    first: int = 0,
) -> tuple[str, ...] | None:
    """The rows beside z that ``steps`` iterations read before they write them, in order.

    Of k = first + m · steps for all m ≥ 0 at once. A row that such rows alone are made of counts
    too. None where k plays a part as well, or where that is not known. Raises TypeError for a
    method that is not linear in its points, OpcheckError for one that depends on where the origin
    lies or on the dimension.
    """
    same = _repeated(method, values, A, steps, first)
    return None if same is None else same[0]


def filled(
    method: Method, values: Mapping[str, Any], A: OfA = "zero", *, steps: int = 1, first: int = 0
) -> tuple[str, ...]:
    """The other rows that ``steps`` iterations make of z and of what ``memory`` names, alike at
    every k, in order; none where ``memory`` names nothing."""
    same = _repeated(method, values, A, steps, first)
    return () if same is None else same[1]


def _repeated(
    method: Method, values: Mapping[str, Any], A: OfA, steps: int, first: int
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """``memory`` and ``filled`` by one reading."""
    guard_method(method)
    still = _constant(method, values, first)
    if still is None:
        return None
    rows, ring = len(method.rows), Field(["m"])
    held = _weights(method, values, A)
    params = _params(method, still, 1)[0]
    k = ring.symbol("m") * steps + first
    read = {}
    for d in DIMENSIONS:
        names = _names(method.rows[1:])
        oracle = Recorder(method.name, split=False, A=A, names=names, one=ring.number(1))
        own = state_of([_row(i, w) for i, w in enumerate(held)], d)
        J = oracle.resolvent if A != "zero" else UNCONSTRAINED
        try:
            with reading(method.name, d):
                for i in range(steps):
                    at = Index(k + i, i, first + i)
                    in_every_dimension(method.kernel)(oracle, DATA, J, DATA, own, params, at, ONE)
        except Undecided:
            return None
        ends = [vector_of(row) for row in own]
        keep_weights(method, ends, held)
        read[d] = [at_origin(end) for end in ends], oracle.calls
    same_in_all(method.name, read)
    ends, calls = read[DIMENSION]
    reads = [{i for i, _ in end if i < rows} for end in ends]
    needed = {0} | reads[0] | {i for call in calls for i, _ in call[3] if i < rows}
    while True:
        more = set().union(*(reads[i] for i in needed)) - needed
        if not more:
            break
        needed |= more
    vectors = [ends[i] for i in needed] + [v for call in calls for v in (call[1], call[3])]
    factors = [c for vector in vectors for _, c in vector] + [call[4] for call in calls]
    if any(_moves(c) for c in factors):
        return None
    others = (i for i in range(rows) if i not in needed and reads[i] <= needed)
    return (
        tuple(method.rows[i] for i in sorted(needed - {0})),
        tuple(method.rows[i] for i in others if not any(_moves(c) for _, c in ends[i])),
    )


def _moves(factor: Scalar) -> bool:
    return isinstance(factor, Ratio) and bool(factor.symbols)


def _constant(method: Method, values: Mapping[str, Any], first: int) -> dict[str, Any] | None:
    """The parameters where each sequence stays what it is at k = ``first``; None where it moves."""
    still = {method.parameter(name).name: value for name, value in values.items()}
    for p in method.parameters:
        if p.sequence and np.ndim(still.get(p.name, 0)):
            entries = [*still[p.name]]
            later = entries[first:] or entries[-1:]
            if any(entry != later[0] for entry in later):
                return None
            still[p.name] = later[0]
    return still


def _row(index: int, held: Scalar) -> Sparse:
    """A vector of the basis, with as much of the shift as its row holds."""
    own: Sparse = ((index, fmpq(1)),)
    return ((SHIFT, fmpq(held)), *own) if held != 0 else own


def _weights(method: Method, values: Mapping[str, Any], A: OfA) -> tuple[Scalar, ...]:
    """How often each row holds the shift, by the first steps of a run."""
    oracle = Recorder(method.name, split=False, A=A)
    own = state_of(_start(method, oracle))
    params = _params(method, values, FIRST)[0]
    J = oracle.resolvent if A != "zero" else UNCONSTRAINED
    held = []
    with reading(method.name, DIMENSION):
        for k in range(FIRST):
            in_every_dimension(method.kernel)(oracle, DATA, J, DATA, own, params, fmpq(k), ONE)
            held.append([weight(vector_of(row)) for row in own])
    return settled(method, held)


def _start(method: Method, oracle: Recorder) -> list[Sparse]:
    """The rows at the start of a run."""
    return [() if name in method.zero else (*oracle.solution, *START) for name in method.rows]


def points(method: Method, values: Mapping[str, Any], A: OfA = "zero") -> tuple[str, ...]:
    """The rows that are points, as z is; the others hold values or differences."""
    held = _weights(method, values, A)
    return tuple(name for name, weight in zip(method.rows, held, strict=True) if weight != 0)


class AtRest(Recorder):
    """Knows too what a resolvent does at a solution, where A z* ∋ −F z*."""

    def ask(self, of: str, before: Sparse, gamma: Any) -> tuple[Sparse, Sparse]:
        """z* and the element of ``of`` there, for a resolvent that stays at it."""
        sign = {"F": 1, "A": -1, "S": 0}[of]
        value = (sign * Coefficient(self.star())).vector
        if before == (scalar(gamma) * Coefficient(value)).vector:
            return (), value
        return super().ask(of, before, gamma)


def resting(
    method: Method, values: Mapping[str, Any], rows: Sequence[str], A: OfA, *, first: int = 0
) -> dict[str, fmpq]:
    """The c ≠ 0 of rows that are c F z* while z stays where it does: of those that steps fill so.

    Other rows are left out, also where they rest at something else.
    """
    oracle = AtRest(method.name, split=False, A=A, names=_names(method.rows[1:]))
    held = _weights(method, values, A)
    stays = Coefficient(oracle.solution)
    if method.shadow and A != "zero":
        stays = stays + values[method.shadow] * Coefficient(oracle.star())
    own = state_of([stays.vector, *(_row(i, w) for i, w in enumerate(held) if i)])
    params = _params(method, values, first + 2)[0]
    J = oracle.resolvent if A != "zero" else UNCONSTRAINED
    ends: list[Sparse] = []
    for k in (first, first + 1):  # the second step finds what the first has filled
        with reading(method.name, DIMENSION):
            in_every_dimension(method.kernel)(oracle, DATA, J, DATA, own, params, fmpq(k), ONE)
        ends = [vector_of(row) for row in own]
        fill(own[0], stays.vector)
    star = dict(oracle.star())
    told = {n: dict(at_origin(ends[method.rows.index(n)])) for n in rows}
    return {n: end[i] for n, end in told.items() for i in star if end.keys() == star.keys()}


def walk(
    method: Method,
    values: Mapping[str, Any],
    rows: Sequence[str],
    blocks: int,
    *,
    steps: int = 1,
    A: OfA = "zero",
    residual: bool = False,
    first: int = 0,
    away: Mapping[str, fmpq] = {},
    filled_rows: Sequence[str] = (),
    apart: bool = False,
) -> tuple[Trace, list[dict[str, Vector]]]:
    """Iterate from a state of which nothing is known: z and ``rows`` are vectors of the basis.

    Args:
        rows: those that matter, as ``memory`` finds them; any other starts as z.
        blocks: how many times ``steps`` iterations are made.
        residual: also ask for F at z before, between and after them; it is told from F z*.
        first: the k of the first iteration.
        away: c of rows that are told from c F z* on.
        filled_rows: other rows, as ``filled`` finds them.
        apart: whether something is known of F or A alone: then both are asked for at points of S.

    Returns:
        The calls and points, and before, between and after the blocks the vectors by name: "z",
        from where the method stays, ``rows``, "F z" where it was asked for, and ``filled_rows``
        after the first block.
    """
    guard_method(method)
    run = functools.partial(
        _walk,
        method,
        values,
        rows,
        blocks,
        steps=steps,
        A=A,
        residual=residual,
        first=first,
        away=away,
        filled_rows=filled_rows,
    )
    read = {d: run(split=False, dimension=d) for d in DIMENSIONS}
    same_in_all(
        method.name, {d: (t.basis, t.evaluations, states) for d, (t, states) in read.items()}
    )
    walked = read[DIMENSION]
    return run(split=True) if _told_apart(walked[0], A, apart) else walked


def _walk(
    method: Method,
    values: Mapping[str, Any],
    rows: Sequence[str],
    blocks: int,
    *,
    steps: int,
    A: OfA,
    residual: bool,
    first: int,
    split: bool,
    away: Mapping[str, fmpq],
    filled_rows: Sequence[str],
    dimension: int = DIMENSION,
) -> tuple[Trace, list[dict[str, Vector]]]:
    oracle = Recorder(method.name, split=split, A=A, names=_names(rows))
    held = _weights(method, values, A)
    places = {name: 1 + i for i, name in enumerate(rows)}
    begun = [_row(places.get(n, 0), w) for n, w in zip(method.rows, held, strict=True)]
    own = state_of(begun, dimension)
    params = _params(method, values, first + blocks * steps + 1)[0]
    J = oracle.resolvent if A != "zero" else UNCONSTRAINED
    states: list[dict[str, Sparse]] = []
    for block in range(blocks + 1):
        ends = [vector_of(row) for row in own]
        keep_weights(method, ends, held)
        known = ("z", *rows, *(filled_rows if block else ()))
        at = {name: at_origin(ends[method.rows.index(name)]) for name in known}
        if method.shadow and A != "zero":  # V is 0 where z stays, which is no solution
            shadow = values[method.shadow] * Coefficient(oracle.star())
            at["z"] = (Coefficient(at["z"]) - shadow).vector
        for name, c in ((n, c) for n, c in away.items() if n in known):
            at[name] = (Coefficient(at[name]) - c * Coefficient(oracle.star())).vector
        if residual:  # told from F z*
            at["F z"] = (Coefficient(oracle.value(at["z"])) - Coefficient(oracle.star())).vector
        states.append(at)
        with reading(method.name, dimension):
            for i in range(steps if block < blocks else 0):
                k = fmpq(first + block * steps + i)
                in_every_dimension(method.kernel)(oracle, DATA, J, DATA, own, params, k, ONE)
    size = len(oracle.names)
    dense = [{name: _dense(v, size) for name, v in at.items()} for at in states]
    trace = Trace(
        tuple(oracle.names),
        oracle.evaluations(),
        tuple(at["z"] for at in dense),
        np.empty((0, 0), dtype=object),
    )
    return trace, dense


def _params(method: Method, values: Mapping[str, Any], length: int) -> NDArray[np.object_]:
    packed = method.pack(values, length)
    params = np.empty((1, len(packed)), dtype=object)
    params[0] = [v if isinstance(v, int) else rational(v) for v in packed]
    return params


def _dense(vector: Sparse, size: int) -> Vector:
    entries = [fmpq(0)] * size
    for i, v in vector:
        entries[i] = v
    return tuple(entries)
