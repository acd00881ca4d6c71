"""The exact readings: a kernel's own text on balls, on rationals and on coefficients."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat
from numpy.typing import NDArray

from opcheck.engine.budget import budget
from opcheck.engine.drive import drive
from opcheck.engine.jit import foreign
from opcheck.engine.numbers import Ball, ball_arithmetic, exactly, rational
from opcheck.errors import OpcheckError, Undecided
from opcheck.model.method import Method
from opcheck.model.operator import NO_CONSTRAINT, Operator, Resolvent
from opcheck.model.primitives import EXTRA_ROWS, SOLUTION, axpy, distance2, identity
from opcheck.model.problem import Problem
from opcheck.model.text import Arithmetic
from opcheck.watchdog import limited

Objects = NDArray[np.object_]
Take = tuple[Any, int, int]  # measure kernel, row, second row or −1


class TooCostly(OpcheckError):
    """An exact run that would take longer than it was allowed."""


class Oracle:
    """An operator under a reading: called like its kernel; ``reading`` answers for the sum."""

    def __init__(self, reading: Reading, operator: Operator) -> None:
        self.reading = reading
        self.operator = operator
        self.cost = max(operator.data.size, operator.dim)

    def __call__(self, z: Objects, out: Objects, data: Objects) -> None:
        """out = F(z)."""
        self.reading.spend(self.cost)
        budget().spend(1)
        if budget().late:
            raise TooCostly("the exact run would take longer than the time limit leaves")
        carry(self.operator, z, out, data)


def carry(operator: Operator, z: Objects, out: Objects, data: Objects) -> None:
    """out = F(z) on numbers that are no floats.

    Raises OpcheckError where the text is foreign and can't carry them: as one that calls a
    compiled library, which knows floats alone.
    """
    if not foreign(operator.kernel):
        operator.kernel(z, out, data)
        return
    name = operator.formula or "F"
    try:
        with warnings.catch_warnings(), limited(f"the operator {name!r} on exact numbers"):
            warnings.simplefilter("ignore")
            operator.kernel(z, out, data)
    except (OpcheckError, Undecided):
        raise
    except (Exception, SystemExit) as error:  # of any kind: it was written for floats
        raise OpcheckError(f"the operator {name!r} can be read in floats only") from error


class Reading:
    """Numbers of one kind, and what the primitives mean on them."""

    arithmetic: Arithmetic
    allowance = np.inf  # operations left; an arithmetic step on one number is about one
    solves = 1  # resolvents of a sum that the run is going to take

    def spend(self, operations: float) -> None:
        """Take from the allowance. Raises TooCostly when it is used up."""
        self.allowance -= operations
        if self.allowance < 0:
            raise TooCostly("the exact run would take too long")

    def number(self, value: Any) -> Any:
        """The number of this reading that a float or integer denotes exactly."""
        raise OpcheckError("a reading says how it converts numbers")

    def resolvent(self, resolvent: Resolvent) -> Any:
        """J as a callable ``J(z, gamma, out, data)``."""
        return resolvent.kernel

    def solve(self, matrix: list[list[Any]], right: list[Any]) -> list[Any]:
        """The solution of a linear system."""
        raise OpcheckError("a reading says how it solves a linear system")

    def resolvent_of_sum(
        self, F: Oracle, F_data: Any, J: Any, J_data: Any, z: Objects, gamma: Any, out: Objects
    ) -> None:
        """out = (I + γ(F + A))⁻¹ z: an exact solve where F is affine and A = 0."""
        if F.operator.matrix is None or J is not identity:
            self.nonlinear_resolvent(F, F_data, J, J_data, z, gamma, out)
            return
        d = len(z)
        self.spend(d**3 / 3 + d * d)
        column, zero = self.vector([0] * d), self.vector([0] * d)
        F(zero, zero_value := self.vector([0] * d), F_data)
        matrix = [[self.number(int(i == j)) for j in range(d)] for i in range(d)]
        for j in range(d):
            unit = self.vector([int(i == j) for i in range(d)])
            F(unit, column, F_data)
            for i in range(d):
                matrix[i][j] = matrix[i][j] + gamma * (column[i] - zero_value[i])
        right = [z[i] - gamma * zero_value[i] for i in range(d)]
        out[:] = self.solve(matrix, right)

    def nonlinear_resolvent(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Any, gamma: Any, out: Any
    ) -> None:
        """The resolvent of a sum that is not affine. Raises OpcheckError where there is none."""
        raise OpcheckError(
            f"no exact resolvent of {F.operator.formula!r} under this reading: it is not affine, "
            "or there is a constraint"
        )

    def vector(self, values: Sequence[Any]) -> Objects:
        """An object array of this reading's numbers."""
        out = np.empty(len(values), dtype=object)
        for i, v in enumerate(values):
            out[i] = self.number(v)
        return out


class Rationals(Reading):
    """Exact rationals: the reference for the compiled path."""

    def number(self, value: Any) -> Any:
        """The exact binary value of a float."""
        return rational(value)

    def __init__(self) -> None:
        self.arithmetic = ball_arithmetic()

    def solve(self, matrix: list[list[Any]], right: list[Any]) -> list[Any]:
        """Exact. Raises ZeroDivisionError for a singular matrix."""
        solution = fmpq_mat(matrix).solve(fmpq_mat([[v] for v in right]))
        return [solution[i, 0] for i in range(len(right))]


class Balls(Reading):
    """Rigorous enclosures at the working precision.

    ``lipschitz`` is a constant of F: it encloses the resolvent of a sum that has no closed form.
    """

    def __init__(self, allowance: float = np.inf) -> None:
        self.arithmetic = ball_arithmetic()
        self.allowance = allowance
        self.lipschitz: Any | None = None

    def number(self, value: Any) -> Any:
        """A ball around the exact value."""
        return value if isinstance(value, Ball) else Ball(_exact(value))

    def resolvent(self, resolvent: Resolvent) -> Any:
        """J of the midpoint, inflated by the radius in norm: J is nonexpansive."""
        if resolvent is NO_CONSTRAINT:
            return identity

        def J(z: Objects, gamma: Any, out: Objects, data: Objects) -> None:
            middle, radius = _split(z)
            image = np.empty(len(z), dtype=object)
            resolvent.kernel(middle, gamma, image, data)
            _inflate(out, image, radius)

        return J

    def solve(self, matrix: list[list[Any]], right: list[Any]) -> list[Any]:
        """An enclosure. Raises Undecided where the matrix can't be shown regular."""
        try:
            solution = arb_mat([[v.ball for v in row] for row in matrix]).solve(
                arb_mat([[v.ball] for v in right])
            )
        except ZeroDivisionError as error:
            raise Undecided("a linear system that may be singular") from error
        return [Ball(solution[i, 0]) for i in range(len(right))]

    def nonlinear_resolvent(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Any, gamma: Any, out: Any
    ) -> None:
        """Picard's iteration on midpoints, enclosed by q/(1 − q) and the radius of z over 1 − q."""
        if self.lipschitz is None:
            raise Undecided("the resolvent of a sum without a Lipschitz constant")
        q = Ball(gamma) * self.lipschitz
        if not q < 1:
            raise Undecided(f"gamma L = {q} is not below 1: the inner loop does not contract")
        # a bit of accuracy costs 1/log2(1/q) iterations
        slowness = float((Ball(2).log() / (1 / q).log()).ball.upper())
        if slowness * ctx.prec * F.cost * self.solves > self.allowance:
            raise TooCostly("the inner loop contracts too slowly to be enclosed")
        centre, radius = _split(z)
        w, image = centre.copy(), np.empty(len(z), dtype=object)
        last = None
        for _ in range(5000):
            F(w, image, F_data)
            axpy(image, centre, -gamma, image)
            J(image, gamma, image, J_data)
            step = distance2(image, w).sqrt()
            w, _ = _split(image)
            size = float(step.ball.mid())
            if last is not None and not size < last:
                break
            last = size
        F(w, image, F_data)
        axpy(image, centre, -gamma, image)
        J(image, gamma, image, J_data)
        error = distance2(image, w).sqrt() / (1 - q) + Ball(radius) / (1 - q)
        _inflate(out, w, arb(error.ball.upper()))


def _exact(value: Any) -> Any:
    return value if isinstance(value, fmpq | int) else rational(value)


def _split(z: Objects) -> tuple[Objects, arb]:
    middle = np.empty(len(z), dtype=object)
    total = arb(0)
    for i, v in enumerate(z):
        middle[i] = Ball(arb(v.ball.mid()))
        r = arb(v.ball.rad())
        total = total + r * r
    return middle, total.sqrt().upper()


def _inflate(out: Objects, centre: Objects, radius: arb) -> None:
    for i, v in enumerate(centre):
        out[i] = Ball(arb(v.ball.mid(), arb(v.ball.rad()) + radius))


@dataclass(frozen=True)
class ExactRun:
    """What an exact run recorded: [take, stop] object array, and the final z."""

    record: Objects
    z: Objects


def run_exactly(
    reading: Reading,
    problem: Problem,
    method: Method,
    values: Mapping[str, Any],
    stops: Sequence[int],
    takes: Sequence[Take],
) -> ExactRun:
    """The compiled driver's own text under an exact reading.

    Args:
        values: parameters (numbers of the reading, or floats by their exact value).
        stops: iteration counts at which to record, increasing from 0.
        takes: measures with their rows.

    Raises Undecided where balls can't decide a comparison, OpcheckError where the reading has no
    form of a primitive.
    """
    packed = method.pack(values, max(stops) + 1)
    params = np.empty((1, len(packed)), dtype=object)
    params[0] = [v if isinstance(v, int) else reading.number(v) for v in packed]
    state = _first_state(reading, problem, method)
    data = problem.operator.data_in(reading.arithmetic, _number(reading))
    limits = problem.resolvent.data
    J_data = np.empty((1, len(limits)), dtype=object)
    J_data[0] = [reading.number(float(v)) for v in limits]
    record = np.empty((1, len(takes), len(stops)), dtype=object)
    pairs = np.array([[a, b] for _, a, b in takes], dtype=np.int64).reshape(-1, 2)
    batch = data.reshape(1, -1)
    F = Oracle(reading, problem.operator)

    def exact_advance(F: Any, f: Any, J: Any, j: Any, own: Any, p: Any, k: int, n: int) -> None:
        exactly(method.kernel)(F, f, J, j, own, p, fmpq(k), n)

    drive(
        measures=tuple(kernel for kernel, _, _ in takes),
        rows=pairs,
        advance=exact_advance,
        oracle=F,
        oracle_data=batch,
        F=F,
        F_data=batch,
        J=reading.resolvent(problem.resolvent),
        J_data=J_data,
        state=state,
        params=params,
        start=0,
        stops=np.array(stops, dtype=object),
        columns=np.arange(len(stops)),
        record=record,
        path=np.empty((1, 0, problem.dim), dtype=object),
        status=np.zeros(1, dtype=np.int64),
        limit=0,
    )
    return ExactRun(record[0], state[0, 0].copy())


def _first_state(reading: Reading, problem: Problem, method: Method) -> NDArray[Any]:
    """[1, rows, d]: every row at the start but those that begin at 0, and the solution's."""
    rows = len(method.rows) + EXTRA_ROWS
    state = np.empty((1, rows, problem.dim), dtype=object)
    start = reading.vector(problem.start.tolist())
    for i in range(rows):
        state[0, i] = start
    for name in method.zero:
        state[0, method.rows.index(name)] = reading.vector([0] * problem.dim)
    solution = problem.solution_near(problem.start)
    if solution is not None:
        state[0, SOLUTION] = reading.vector(solution.tolist())
    return state


def _number(reading: Reading) -> Any:
    def convert(value: float) -> Any:
        return reading.number(value) if np.isfinite(value) else None

    return convert
