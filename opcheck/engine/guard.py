"""What is checked of a foreign operator or method: before it runs compiled, or interpreted."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from opcheck.engine.jit import foreign, visible
from opcheck.watchdog import limited
from opcheck.errors import OpcheckError
from opcheck.model.measure import Measure
from opcheck.model.method import Method
from opcheck.model.operator import Vector
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, SOLUTION, WORK, WORK_2, identity
from opcheck.model.problem import Problem, points


def guard(problem: Problem) -> None:
    """Run a foreign operator interpreted, on fresh arrays, at the start and a few points about it.

    Raises OpcheckError, naming the operator and the mend, if it raises, indexes past an end,
    returns NaN, leaves entries unset, changes its input, or answers twice differently.
    """
    kernel = problem.operator.kernel
    if foreign(kernel):
        _guard(problem.name, _Key(problem))


class _Key:
    """A problem that compares by what its operator computes."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        op = problem.operator
        self.identity = (op.kernel, op.data.tobytes(), problem.start.tobytes(), problem.region)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)


@functools.lru_cache(maxsize=256)
def _guard(name: str, key: _Key) -> None:
    problem = key.problem
    near = problem.start + 0.01 * np.random.default_rng(0).standard_normal((2, problem.dim))
    inside = points(problem, 1, np.random.default_rng(0)) if problem.region else near[:0]
    for z in np.concatenate([problem.start[None], near, inside]):
        first, second = _call(problem, z, 0.0), _call(problem, z, 1.0)
        if not np.isfinite(first).all():
            raise OpcheckError(
                f"the operator of {name!r} returns {first.tolist()} at {z.tolist()}; "
                "it must be finite there"
            )
        if not np.array_equal(first, second):
            again = _call(problem, z, 0.0)
            if np.array_equal(first, again):
                raise OpcheckError(
                    f"the operator of {name!r} leaves entries of out unset or adds to what is "
                    "there; write every out[i]"
                )
            raise OpcheckError(
                f"the operator of {name!r} is not deterministic: at {z.tolist()} it returns "
                f"{first.tolist()} and then {again.tolist()}; draw noise outside the operator"
            )


def _call(problem: Problem, z: Vector, fill: float) -> Vector:
    op, name = problem.operator, problem.name
    point, data = z.copy(), op.data.copy()
    out = np.full(problem.dim, fill)
    try:
        with limited(f"the operator of {name!r} at {z.tolist()}"):
            op.kernel(point, out, data)
    except OpcheckError:
        raise
    except Exception as error:
        raise blame(problem, error, z) from error
    if not np.array_equal(point, z):
        raise OpcheckError(f"the operator of {name!r} changes its input z; write only to out")
    if not np.array_equal(data, op.data, equal_nan=True):
        raise OpcheckError(f"the operator of {name!r} changes its data; data is read-only")
    return out


def blame(problem: Problem, error: Exception, z: Vector | None = None) -> OpcheckError:
    """What an operator raised, at z or somewhere in a compiled run, as an error that names it."""
    op, name = problem.operator, problem.name
    where = "in the run" if z is None else f"at {z.tolist()}"
    if isinstance(error, IndexError):
        return OpcheckError(
            f"the operator of {name!r} reads or writes past an array {where}: {error}; "
            f"z and out have {problem.dim} entries, data {op.data.size}"
        )
    return OpcheckError(f"the operator of {name!r} raises {type(error).__name__} {where}: {error}")


def watched(problem: Problem) -> Callable[[Vector, Vector, Vector], None]:
    """The operator's text with inputs that are read-only, as the compiled signature has them."""

    def F(z: Vector, out: Vector, data: Vector) -> None:
        point, constants = z.view(), data.view()
        point.flags.writeable = constants.flags.writeable = False
        try:
            problem.operator.kernel(point, out, constants)
        except OpcheckError:
            raise
        except Exception as error:
            raise blame(problem, error, z) from error

    return F


# ---- methods -------------------------------------------------------------------------------------

STRETCHES = ((0, 3), (5, 20))  # (k, n): steps that are made in one call and one by one
LARGE = 64  # coordinates of the largest space that a method is tried in
CHOSEN = {"tau": 2.0, "lam": 0.375, "phi": 1.5}  # parameters; others are small, so that runs stay


def guard_method(method: Method, dimension: int = 2) -> None:
    """Run a foreign method interpreted on random affine operators, before it is used.

    Raises OpcheckError, naming the method and what is wrong, if its text raises or reads past its
    rows, if n steps in one call are not n single ones, if it changes params or data, makes other
    calls of F than it declares, or declares a form with A ≠ 0 and never calls J.
    """
    if not trusted(method):
        guard_text(method, min(dimension, LARGE))


@functools.lru_cache(maxsize=256)
def trusted(method: Method) -> bool:
    """Whether all of a method's text, and of its base's, comes with opcheck."""
    return not any(foreign(f) for f in visible(method.kernel))


@functools.lru_cache(maxsize=256)
def guard_text(method: Method, dimension: int) -> None:
    """The same of any method."""
    rng = np.random.default_rng(0)
    for constrained in (False, True) if method.constrained else (False,):
        for k, n in STRETCHES:
            trial = _Trial(method, dimension, constrained, rng)
            start = trial.start(k, rng)
            together = trial.advance(start, k, n)
            single, counts = start, []
            for j in range(k, k + n):
                trial.calls = 0
                single = trial.advance(single, j, 1)
                counts.append(trial.calls)
            again = trial.advance(start, k, n)
            if not np.array_equal(together, again, equal_nan=True):
                raise OpcheckError(
                    f"{method.name} gives two answers from one state: it keeps something outside "
                    "of its rows; declare a row for it"
                )
            if not np.array_equal(together, single, equal_nan=True):
                names = [
                    name
                    for name, u, v in zip(method.rows, together, single, strict=True)
                    if not np.array_equal(u, v, equal_nan=True)
                ]
                raise OpcheckError(
                    f"{method.name}: {n} steps from k = {k} in one call are not {n} "
                    f"single ones (row {names[0]} differs); count k += 1 within a call, use n for "
                    "nothing but the loop, and keep what is carried over in a row"
                )
            if k:
                trial.compare(counts, k)
            if constrained and not trial.resolvents:
                raise OpcheckError(
                    f"{method.name} is declared constrained=True and never calls J; call "
                    "J(z, gamma, out, J_data), or declare constrained=False"
                )


@functools.lru_cache(maxsize=256)
def guard_measure(measure: Measure) -> None:
    """Take a foreign measure of random rows, interpreted, before it is used.

    Raises OpcheckError, naming the measure, if it raises, changes what it is to look at, or answers
    twice differently. The second argument and the scratch rows are its own.
    """
    if not any(foreign(f) for f in visible(measure.kernel)):
        return
    rng = np.random.default_rng(0)
    matrix = 0.25 * rng.standard_normal((3, 3))
    state = rng.standard_normal((1 + EXTRA_ROWS, 3))
    params = 0.25 + 0.25 * rng.random(16)

    def F(z: Vector, out: Vector, data: Vector) -> None:
        out[:] = matrix @ z

    answers = []
    for scratch in (0.0, 7.0):
        own = state.copy()
        own[[WORK, WORK_2]] = scratch
        try:
            with np.errstate(all="ignore"), limited(f"the measure {measure.name!r}"):
                answers.append(measure.kernel(F, own[0], identity, own[0], own, params.copy(), 3.0))
        except Exception as error:
            if isinstance(error, OpcheckError):
                raise
            raise OpcheckError(
                f"the measure {measure.name!r} raises {type(error).__name__}: {error}; its rows "
                "are state[0], state[OTHER], state[BEFORE], state[SOLUTION], state[WORK] and WORK_2"
            ) from error
        looked = [0, BEFORE, SOLUTION]
        if not np.array_equal(own[looked], state[looked]):
            raise OpcheckError(
                f"the measure {measure.name!r} changes what it is to look at; write to state[WORK] "
                "and state[WORK_2] only"
            )
    if not np.array_equal(answers[0], answers[1], equal_nan=True):
        raise OpcheckError(
            f"the measure {measure.name!r} gives two answers for the same rows: it reads scratch "
            "that it has not written, or keeps something between calls"
        )


class _Trial:
    """A method on one affine operator, and where constrained on one resolvent, both counting."""

    def __init__(
        self, method: Method, dimension: int, constrained: bool, rng: np.random.Generator
    ) -> None:
        self.method, self.constrained = method, constrained
        self.matrix = 0.25 * rng.standard_normal((dimension, dimension))
        self.offset, self.pull = rng.standard_normal((2, dimension))
        self.data = np.zeros(1)
        self.data.flags.writeable = False
        self.calls = self.resolvents = 0
        self.reading = self  # resolvents of the sum are asked for here

        def value(name: str, integer: bool) -> Any:
            entry = CHOSEN.get(name, 0.125 + 0.125 * rng.random())
            return int(CHOSEN["tau"]) if integer else entry

        length = sum(STRETCHES[-1]) + 1
        self.values = {
            p.name: [value(p.symbol, p.integer) + p.integer * (i % 2) for i in range(length)]
            if p.sequence
            else value(p.symbol, p.integer)
            for p in method.parameters
        }
        self.params = np.array(method.pack(self.values, length), dtype=float)
        self.params.flags.writeable = False

    def start(self, k: int, rng: np.random.Generator) -> Vector:
        """Rows at the start of a run, or any."""
        rows, dimension = len(self.method.rows), self.offset.size
        if k:
            return rng.standard_normal((rows, dimension))
        state = np.repeat(rng.standard_normal((1, dimension)), rows, axis=0)
        for name in self.method.zero:
            state[self.method.rows.index(name)] = 0
        return state

    def advance(self, state: Vector, k: int, n: int) -> Vector:
        """The rows after n steps. Raises OpcheckError for what the text raises."""
        own = state.copy()
        J = self.resolvent if self.constrained else identity
        try:
            with np.errstate(all="ignore"), limited(f"the method {self.method.name!r}"):
                self.method.kernel(self, self.data, J, self.data, own, self.params, float(k), n)
        except OpcheckError:
            raise
        except Exception as error:
            raise blame_method(self.method, error) from error
        return own

    def compare(self, counts: list[int], k: int) -> None:
        """Raise OpcheckError where steps make other calls than are declared.

        One that starts a method anew, as every τ-th of Lookahead, may make more.
        """
        declared = np.atleast_1d(self.method.calls_at(self.values))
        should = declared[np.minimum(np.arange(k, k + len(counts)), declared.size - 1)]
        j = int(np.argmin(counts - should))
        if counts[j] != should[j]:
            raise OpcheckError(
                f"{self.method.name} declares calls={self.method.calls}, {should[j]:g} at "
                f"k = {k + j}, and calls F {counts[j]} times there"
            )

    def __call__(self, z: Vector, out: Vector, data: Vector) -> None:
        if np.shares_memory(z, out):
            raise OpcheckError(
                f"{self.method.name} calls F(z, z, F_data): F may read z after it has written to "
                "out; give it another row"
            )
        self.calls += 1
        out[:] = self.matrix @ z + self.offset

    def resolvent(self, z: Vector, gamma: float, out: Vector, data: Vector) -> None:
        """Of A(z) = z + pull."""
        self._positive(gamma)
        out[:] = (z - gamma * self.pull) / (1 + gamma)

    def resolvent_of_sum(
        self,
        F: Any,
        F_data: Any,
        J: Any,
        J_data: Any,
        z: Vector,
        gamma: float,
        out: Vector,
    ) -> None:
        """Of F + A, or of F alone."""
        matrix, right = np.eye(z.size) + gamma * self.matrix, z - gamma * self.offset
        if J is not identity:
            self._positive(gamma)
            matrix, right = matrix + gamma * np.eye(z.size), right - gamma * self.pull
        out[:] = np.linalg.solve(matrix, right)

    def _positive(self, gamma: float) -> None:
        if not gamma > 0:
            raise OpcheckError(
                f"{self.method.name} calls J with gamma = {gamma}; a resolvent has a positive step"
            )
        self.resolvents += 1


def blame_run(
    problem: Problem, method: Method, measures: Sequence[Measure], error: Exception
) -> OpcheckError:
    """What a run raised, as an error that names the foreign texts that it can be of."""
    foreigners = [f"measure {m.name}" for m in measures if foreign(m.kernel)]
    if not trusted(method):
        foreigners.append(method.name)
        if len(foreigners) == 1 and not foreign(problem.operator.kernel):
            return blame_method(method, error)
    if not foreigners:
        return blame(problem, error)
    if foreign(problem.operator.kernel):
        foreigners.append(f"the operator of {problem.name!r}")
    return OpcheckError(
        f"{' or '.join(foreigners)} raises {type(error).__name__} in the run: {error}"
    )


def blame_method(method: Method, error: Exception) -> OpcheckError:
    """What a method's text raised, as an error that names it."""
    if isinstance(error, IndexError):
        return OpcheckError(
            f"{method.name} reads or writes past an array: {error}; it has the rows "
            f"{', '.join(method.rows)} and no others, its params are "
            f"{', '.join(p.name for p in method.parameters) or 'none'}"
        )
    if isinstance(error, ValueError) and "read-only" in str(error):
        return OpcheckError(
            f"{method.name} writes to params or to data, which are read-only; copy the number"
        )
    return OpcheckError(
        f"{method.name} raises {type(error).__name__}: {error}; a method is a function of "
        "(F, F_data, J, J_data, state, params, k, n)"
    )
