"""What a method does along an eigenvector: its kernel read on complex numbers, F = multiplication.

On z ↦ λz over the complex plane, which is the real matrix ((a, −b), (b, a)) of λ = a + ib, a step
of a method that is linear in its state is a matrix; its spectral radius is the factor by which an
error grows. One pass of the kernel's own text serves all λ at once.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck.arguments import asked
from opcheck.errors import OpcheckError
from opcheck.model.method import Method, resolve
from opcheck.model.primitives import identity
from opcheck.model.problem import Problem
from opcheck.model.table import Table

Complex = NDArray[np.complex128]
FIRST = 2  # periods that may differ from the others, as a first step without a past does
LATER = (97, 1013)  # steps, besides those of the next period, that must be as theirs
PERIOD = 4096  # steps at most until a method begins anew
TRIED = np.array([0.3 + 0.4j, 1.1 - 0.2j, -0.7j])  # λ at which a step is confronted with itself
CLOSE = 1e-9  # relative; what is further off is no rounding
DENSE = 2000  # variables of a Jacobian whose eigenvalues are taken


class _Scaling:
    """F z = λz for an array of λ, of which every coordinate of z is an array."""

    def __init__(self, eigenvalues: Complex) -> None:
        self.eigenvalues = eigenvalues
        self.reading = self

    def __call__(self, z: Any, out: Any, data: Any) -> None:
        for i in range(len(z)):
            out[i] = self.eigenvalues * z[i]

    def resolvent_of_sum(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Any, gamma: Any, out: Any
    ) -> None:
        for i in range(len(z)):
            out[i] = z[i] / (1 + gamma * self.eigenvalues)


@asked
def growth(method: str | Method, eigenvalues: ArrayLike, **parameters: Any) -> NDArray[np.float64]:
    """The factor by which an error along an eigenvector of F grows each iteration, in the long run.

    Below 1 the method converges on F z = λz for complex z, on the real plane F = ((a, −b), (b, a))
    of λ = a + ib. It is the spectral radius of a step, of a method that begins anew after p steps
    (Lookahead) the p-th root of that of p steps; over what z depends on. A first step that differs
    from the others is left out of account.

    Args:
        method: a name, as ``run`` takes it.
        eigenvalues: λ, any shape.
        parameters: of the method; a number for a sequence.

    Returns the factors, of the same shape.

    Raises OpcheckError for an unknown method, wrong parameters, and a method whose step is not
    linear, or depends on k in another way than by a period.
    """
    entry = resolve(method)
    values = np.asarray(eigenvalues, dtype=complex)
    params = np.array(entry.pack(parameters), dtype=float)
    period = _period(entry, params)
    k = FIRST * period
    kept = _rows_of_z(_step(entry, params, TRIED, k=k, steps=period))
    step = _step(entry, params, values.ravel(), k=k, steps=period)[:, kept][:, :, kept]
    with np.errstate(all="ignore"):
        finite = np.isfinite(step).all(axis=(1, 2))
        radii = np.full(len(step), np.inf)
        radii[finite] = np.abs(np.linalg.eigvals(step[finite])).max(axis=1)
    factors: NDArray[np.float64] = radii ** (1 / period)
    return factors.reshape(values.shape)


@asked
def spectrum_of(problem: Problem) -> Table:
    """Eigenvalues of the slopes of F at the solution, else at the start: columns ``re``, ``im``.

    Raises OpcheckError for a problem of more than 2000 variables, or a slope that isn't finite.
    """
    if problem.dim > DENSE:
        raise OpcheckError(
            f"{problem.name!r} has {problem.dim} variables; eigenvalues are taken up to {DENSE}"
        )
    solution = problem.solution_near(problem.start)
    at = problem.start if solution is None else solution
    slopes = np.asarray(problem.operator.jacobian(at))
    if not np.isfinite(slopes).all():
        raise OpcheckError(f"the slopes of {problem.name!r} at {at.tolist()} are not finite")
    values = np.linalg.eigvals(slopes)
    values = values[np.lexsort((values.imag, values.real))]
    place = "" if problem.operator.matrix is not None else " at the solution"
    place = place if solution is not None or not place else " at the start"
    caption = f"Eigenvalues of F on {problem.name}{place}"
    return Table({"re": values.real, "im": values.imag}, caption=caption)


def _run(
    method: Method, params: NDArray[np.float64], eigenvalues: Complex, start: Any, *, k: int, n: int
) -> Complex:
    """The rows after n steps from iteration k on, shape (eigenvalues, rows)."""
    state = np.empty((len(method.rows), 1), dtype=object)
    for i, row in enumerate(start):
        state[i, 0] = np.broadcast_to(np.asarray(row, dtype=complex), eigenvalues.shape)
    empty = np.empty(0)
    try:
        with np.errstate(all="ignore"):
            method.kernel(_Scaling(eigenvalues), empty, identity, empty, state, params, k, n)
        return np.array([np.asarray(row[0], dtype=complex) for row in state]).T
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise OpcheckError(_refused(method, "branches on what it sees")) from error


def _step(
    method: Method, params: NDArray[np.float64], eigenvalues: Complex, *, k: int = 0, steps: int = 1
) -> Complex:
    """The matrix of n steps for each λ, shape (eigenvalues, rows, rows)."""
    units = np.eye(len(method.rows))
    columns = [_run(method, params, eigenvalues, unit, k=k, n=steps) for unit in units]
    return np.stack(columns, axis=2)


def _period(method: Method, params: NDArray[np.float64]) -> int:
    """After how many steps it does the same again. Raises OpcheckError where it never does."""
    k = 2  # behind a first step without a past
    first = _step(method, params, TRIED, k=k)
    generator = np.random.default_rng(0)
    state = generator.standard_normal(len(method.rows))
    after = _run(method, params, TRIED, state, k=k, n=1)
    if not _same(first @ state, after) or _run(method, params, TRIED, 0 * state, k=k, n=1).any():
        raise OpcheckError(_refused(method, "is not linear in the points"))
    whole = [int(v) for p, v in zip(method.parameters, params, strict=False) if p.integer]
    products = {
        math.prod(some) for r in range(len(whole) + 1) for some in itertools.combinations(whole, r)
    }
    for period in sorted(p for p in products if p <= PERIOD):
        places = {FIRST * period + k for k in (*range(min(period, 64)), *LATER)}
        if all(
            _same(_step(method, params, TRIED, k=k), _step(method, params, TRIED, k=k + period))
            for k in sorted(places)
        ):
            return period
    raise OpcheckError(_refused(method, "changes from one k to the next"))


def _same(first: Complex, other: Complex) -> bool:
    return bool(np.allclose(first, other, rtol=CLOSE, atol=CLOSE))


def _rows_of_z(step: Complex) -> list[int]:
    """The rows on which z depends in the long run: others may stay as they are."""
    linked: NDArray[np.bool_] = np.any(np.abs(step) > 0, axis=0)
    kept = {0}
    while True:
        further = {int(r) for q in kept for r in np.flatnonzero(linked[q])} | kept
        if further == kept:
            return sorted(kept)
        kept = further


def _refused(method: Method, why: str) -> str:
    return (
        f"{method.name} has no factor for each eigenvalue: its step {why}; a spectrum is drawn of "
        "methods with one linear step, or a period of them"
    )
