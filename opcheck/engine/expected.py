"""Expectations of squared measures over the samples of an affine oracle: exact, without any draw.

One iteration maps the state s, with 1 appended, to M_ξ s for the samples ξ of its calls. So the
second moments S = E[s sᵀ] obey S⁺ = Σ p_ξ M_ξ S M_ξᵀ, and a measure that is a quadratic form Q of
the state has the expectation tr(Q S). Maps and forms are read off the kernels' own texts.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.run import Take, named_take
from opcheck.errors import OpcheckError
from opcheck.model.method import Method, resolve
from opcheck.model.oracle import ENUMERABLE, SampleOracle
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, OTHER, SOLUTION, identity
from opcheck.model.problem import Problem
from opcheck.model.problem import problem as problem_named

Floats = NDArray[np.float64]
LINEAR = 1e-9  # relative defect above which a step is not taken for affine in the state


def expected(
    method: str | Method,
    problem: str | Problem,
    iterations: int = 100,
    *,
    measures: tuple[str, ...] = ("residual",),
    same_sample: bool = False,
    **parameters: Any,
) -> dict[str, Floats]:
    """E of squared measures at k = 0..iterations, for a method on samples of an affine F.

    Args:
        method: as in ``extragradient``; its step must be affine in its state.
        problem: or its name; A = 0, F(z) = Mz + q, and an oracle of which a finite law is known.
        iterations: number of steps, ≥ 0.
        measures: squared ones, as ``residual``, ``distance``, ``residual(zbar)``.
        same_sample: one sample an iteration instead of a fresh one each call.
        parameters: of the method.

    Returns:
        Each measure's values, shape (iterations + 1,), to rounding.

    Raises OpcheckError where one of these is not so, or there are too many samples to enumerate.
    """
    problem = problem_named(problem) if isinstance(problem, str) else problem
    iteration, oracle = resolve(method), problem.oracle
    if oracle is None or oracle.law is None:
        raise OpcheckError(f"{problem.name!r} has no sample oracle with a known finite law")
    if problem.constrained or problem.operator.matrix is None:
        raise OpcheckError(f"second moments need an affine F and A = 0, not {problem.name!r}")
    packed = np.array(iteration.pack(parameters, iterations + 1), dtype=float)
    calls = np.atleast_1d(iteration.calls_at(parameters)).astype(int)
    takes = [named_take(name) for name in measures]
    forms = [_form(take, iteration, problem, packed) for take in takes]
    state = np.tile(problem.start, (len(iteration.rows), 1))
    for name in iteration.zero:
        state[iteration.rows.index(name)] = 0
    point = np.append(state.ravel(), 1.0)
    S = np.outer(point, point)
    out = np.empty((len(forms), iterations + 1))
    known: tuple[Any, list[tuple[float, Floats]]] | None = None
    for k in range(iterations + 1):
        out[:, k] = [float((Q * S).sum()) for Q in forms]
        count = int(calls[min(k, calls.size - 1)])
        # the map of one sample, not 0, tells whether the step is still the one last read off
        first = _map(iteration, problem, packed, k, [oracle.law[0][-1]] * count)
        if known is None or known[0] != (count, first.tobytes()):
            maps = _maps(
                iteration, problem, oracle, params=packed, k=k, count=count, same=same_sample
            )
            known = (count, first.tobytes()), maps
        S = sum(p * M @ S @ M.T for p, M in known[1])  # type: ignore[assignment]
    return dict(zip(measures, out, strict=True))


def _maps(
    method: Method,
    problem: Problem,
    oracle: SampleOracle,
    params: Floats,
    k: int,
    count: int,
    same: bool,
) -> list[tuple[float, Floats]]:
    """The map of a step for every combination of samples, with its probability."""
    assert oracle.law is not None
    samples, weights = oracle.law
    free = 1 if same else count
    if len(samples) ** free > ENUMERABLE:
        raise OpcheckError(
            f"{len(samples)} samples in {free} calls make more than {ENUMERABLE} combinations"
        )
    maps = []
    for combination in itertools.product(range(len(samples)), repeat=free):
        xi = [samples[i] for i in (combination * count if same else combination)]
        p = float(np.prod(weights[list(combination)]))
        maps.append((p, _map(method, problem, params, k, xi)))
    return maps


def _map(method: Method, problem: Problem, params: Floats, k: int, xi: list[Floats]) -> Floats:
    """The step as a matrix on (state, 1), from its images of 0 and the unit states.

    Raises OpcheckError where it is not affine, or makes other calls than it states.
    """
    rows, d = len(method.rows), problem.dim
    oracle = problem.oracle
    assert oracle is not None

    def step(flat: Floats) -> Floats:
        state, taken = flat.reshape(rows, d).copy(), iter(xi)

        def F(z: Floats, out: Floats, data: Floats) -> None:
            sample = next(taken, None)
            if sample is None:
                raise OpcheckError(f"{method.name} makes more calls than the {len(xi)} it states")
            oracle.kernel(z, sample, out, data)

        method.kernel(F, oracle.data, identity, problem.resolvent.data, state, params, k, 1)
        return state.ravel()

    n = rows * d
    M = np.zeros((n + 1, n + 1))
    M[n, n] = 1
    M[:n, n] = step(np.zeros(n))
    for i in range(n):
        M[:n, i] = step(np.eye(n)[i]) - M[:n, n]
    probe = np.sin(np.arange(1.0, n + 1)) * 3
    wrong = np.abs(step(probe) - M[:n, :n] @ probe - M[:n, n]).max()
    if not wrong <= LINEAR * (1 + np.abs(M).sum()):
        raise OpcheckError(f"a step of {method.name} is not affine in its state")
    return M


def _form(take: Take, method: Method, problem: Problem, params: Floats) -> Floats:
    """A measure as a quadratic form of (state, 1). Raises OpcheckError where it is none."""
    rows, d = len(method.rows), problem.dim
    n = rows * d
    row, second = take.indices(method)
    if rows + EXTRA_ROWS + BEFORE in (row, second):
        raise OpcheckError(f"{take.measure.name} compares two steps; its expectation is not known")
    target = problem.solution_near(problem.start)

    def value(flat: Floats) -> float:
        state = np.zeros((rows + EXTRA_ROWS, d))
        state[:rows] = flat.reshape(rows, d)
        if target is not None:
            state[SOLUTION] = target
        if second != -1:
            state[OTHER] = state[second]
        F, J = problem.operator, problem.resolvent
        return float(
            take.measure.kernel(F.kernel, F.data, J.kernel, J.data, state[row:], params, 0)
        )

    unit, at_zero = np.eye(n), value(np.zeros(n))
    up = np.array([value(e) for e in unit])
    down = np.array([value(-e) for e in unit])
    Q = np.zeros((n + 1, n + 1))
    Q[n, n] = at_zero
    Q[n, :n] = Q[:n, n] = (up - down) / 4
    for i in range(n):
        Q[i, i] = (up[i] + down[i]) / 2 - at_zero
        for j in range(i):
            Q[i, j] = Q[j, i] = (value(unit[i] + unit[j]) - up[i] - up[j] + at_zero) / 2
    probe = np.append(np.cos(np.arange(1.0, n + 1)) * 2, 1.0)
    if not abs(value(probe[:n]) - probe @ Q @ probe) <= LINEAR * (1 + np.abs(Q).sum()):
        raise OpcheckError(f"{take.measure.name} is no quadratic form of the state")
    return Q
