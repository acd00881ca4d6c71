"""Solutions of 0 ∈ F(z) + A(z) where none is known: sought, and taken only where one is.

Small values are no zero: exp(x)·y is as small as one likes and vanishes on a line only. Of a
formula a zero is proved by Krawczyk's test, or its values there are enclosed in [0, 0]; elsewhere
Newton's step must stay near and be exact to rounding, or the residual must vanish, and not because
floats underflow. Else there is nothing to say. Of several, one in the problem's region is taken.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine.budget import allotted, budget
from opcheck.engine.guard import guard, guard_solution, slow
from opcheck.engine.run import graph_at, run_batch
from opcheck.errors import OpcheckError
from opcheck.evidence.operators import star
from opcheck.evidence.operators.effort import seconds_a_call
from opcheck.evidence.operators.search import resolved, without_set
from opcheck.model.operator import Vector
from opcheck.model.problem import Problem, points

Floats = NDArray[np.float64]
EPS = float(np.finfo(float).eps)
NEWTON = 80  # steps
STEPS = (1e-6, 1e-8, 1e-10)  # relative; of differences, shorter ones where kinks are that thin
SEEKING = 2.0  # seconds that calls of a foreign F may take for all of them
WARM = 2000  # iterations of extragradient before them, where A ≠ 0
LARGEST = 300  # dimensions up to which slopes are taken by differences
SLOWEST = 12  # the same of an interpreted operator
NEAR = 1e-9  # relative; what is left of Newton's step at a zero
SINGULAR = 1e-10  # relative; a singular value below it is taken for 0
WARM_INTERPRETED = 100  # the same of an interpreted operator
AROUND = 8  # points of the region that Newton's steps start from too, where no solution is in it
FAR = 1e9  # relative to the start; a point beyond it is taken for a solution only where proved
HALVINGS = 40  # of the way from a zero to the start, on which values are looked at
CLOSE = 2.0**-12  # of that way; where values are looked at first
UNDERFLOWN = 1e-150  # relative; no value so small is met that close to a zero that is one
INSIDE = 1e-6  # relative; a point is inside of a set if that far about it the set holds nothing
DECIMALS = (0, 1, 2, 3, 4, 6, 8)  # of a solution where slopes are singular


def with_solution(problem: Problem) -> Problem:
    """The problem with a solution, where none is known and one is found."""
    if problem.solution is not None or problem.project is not None:
        return problem
    zero = solution(problem)
    return problem if zero is None else replace(problem, solution=zero)


def solution(problem: Problem) -> Vector | None:
    """A point z with 0 ∈ F(z) + A(z) up to rounding, or None where none is found.

    One in the problem's region if one is found there.

    Raises OpcheckError for an operator that fails its guards.
    """
    operator = problem.operator
    affine = operator.matrix is not None or operator.sparse_matrix() is not None
    if affine and not problem.constrained:
        return _of_affine(problem)
    guard(problem)
    if slow(problem):
        return None
    interpreted = operator.interpreted
    each = seconds_a_call(problem)
    with allotted(SEEKING / each if each else np.inf):
        return _sought(problem, interpreted)


def _sought(problem: Problem, interpreted: bool) -> Vector | None:
    """What Newton's steps come to, as long as there are calls of F for them."""
    operator = problem.operator
    if problem.dim > (SLOWEST if interpreted and operator.slopes is None else LARGEST):
        return None
    outside: Vector | None = None
    for start in _starts(problem):
        if budget().over:
            break
        with np.errstate(all="ignore"), contextlib.suppress(np.linalg.LinAlgError):
            zero = _newton(problem, start)
            if zero is None or not _confirmed(problem, zero):
                continue
            if problem.region is None or problem.region.contains(zero[None])[0]:
                return zero
            outside = zero if outside is None else outside
    return outside


def _starts(problem: Problem) -> Iterator[Vector]:
    """Where Newton's steps start, one after the other."""
    simple = [problem.start, np.zeros(problem.dim), 0.1 * problem.start, 10.0 * problem.start]
    if problem.constrained:
        # with a set, where a method leads is a better start than any other
        simple = [resolved(problem, z[None])[0] for z in simple[:2]]
        yield from _led(problem, simple[0])
    yield from simple
    if not problem.constrained:
        # where slopes jump, Newton's steps may end without a zero, and small ones go on
        yield from _led(problem, problem.start)
    if problem.region is not None:
        yield problem.region.clip(np.zeros(problem.dim))
        for z in points(problem, AROUND, np.random.default_rng(0)):
            yield resolved(problem, z[None])[0] if problem.constrained else z


def moved_start(problem: Problem) -> Vector:
    """A start in set and region: the nearest point to the problem's own or, where it has none, to
    ones.

    Where that is a solution already, so that no method would move, or F is not defined, another
    simple point.
    """
    d = problem.dim
    alternating = np.where(np.arange(d) % 2 == 0, 1.0, -0.5)
    region = problem.region
    simple = [np.ones(d), alternating, np.arange(1.0, d + 1) / d, np.arange(d, 0.0, -1.0)]
    simple += [scale * np.ones(d) for scale in (4.0, 0.25, -1.0, -4.0)]
    for z in [problem.start, *simple] if problem.start.size else simple:
        start = z if region is None else region.clip(z)
        start = resolved(problem, start[None])[0] if problem.constrained else start
        if slow(problem):
            return start
        try:
            left, size = _residual(replace(problem, start=start), start[None], 1.0)
        except OpcheckError:
            return start  # the guards say what is wrong
        with np.errstate(all="ignore"):
            solved = not np.linalg.norm(left[0]) > 64 * EPS * size[0]  # or NaN
        if not solved:
            return start
    return np.ones(d)


@np.errstate(all="ignore")  # what is not finite is no residual
def _residual(problem: Problem, z: Floats, gamma: float) -> tuple[Floats, Floats]:
    """z − J(z − γF z), or γF z, of points z; and the size of what it is a difference of."""
    M = problem.operator.matrix
    if M is None:
        values = graph_at(without_set(problem), z)[1]
    else:  # nothing is compiled for the first words on a matrix
        values = z @ M.T + problem.operator.data[M.size :]
    size = np.linalg.norm(z, axis=1) + gamma * np.linalg.norm(values, axis=1)
    if not problem.constrained:
        return gamma * values, size
    return z - _resolved(problem, z - gamma * values, gamma), size


def _resolved(problem: Problem, w: Floats, gamma: float) -> Floats:
    if problem.resolvent.contains is not None:
        return resolved(problem, w)
    return np.array([problem.resolvent(row, gamma) for row in w])


def _of_affine(problem: Problem) -> Vector | None:
    """Of F(z) = Mz + q: by a factorisation, or the least one where M is singular."""
    operator, d = problem.operator, problem.dim
    M: Any = operator.matrix if operator.matrix is not None else operator.sparse_matrix()
    q = operator.data[d * d :] if operator.matrix is not None else operator.data[1 : 1 + d]
    if not q.any():
        return np.zeros(d)
    tries: list[Callable[[], Any]]
    if operator.matrix is not None:
        tries = [lambda: np.linalg.solve(M, -q), lambda: np.linalg.lstsq(M, -q, rcond=None)[0]]
        norm = float(np.linalg.norm(M))
    else:
        from scipy.sparse.linalg import lsmr, spsolve
        from scipy.sparse.linalg import norm as sparse_norm

        tries = [
            lambda: spsolve(M.tocsc(), -q),
            lambda: lsmr(M, -q, atol=1e-15, btol=1e-15, maxiter=20 * d)[0],
        ]
        norm = float(sparse_norm(M))
    for attempt in tries:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                z = np.asarray(attempt())
            except (np.linalg.LinAlgError, RuntimeError):
                continue
            left = float(np.linalg.norm(M @ z + q))
        # far out, rounding alone would pass for a solution of an equation that has none
        near = np.isfinite(z).all() and norm * np.linalg.norm(z) <= 1e9 * np.linalg.norm(q)
        if near and left <= 1e-12 * (norm * float(np.linalg.norm(z)) + float(np.linalg.norm(q))):
            return z
    return None


def _led(problem: Problem, start: Vector) -> list[Vector]:
    """Where extragradient leads, at a step that slopes about the start allow, and at smaller ones.

    Empty where the method or the operator fails.
    """
    short = problem.operator.interpreted and budget().left < 16 * WARM
    warm = WARM_INTERPRETED if short else WARM
    if budget().left < 16 * warm:  # runs of two calls a step are to leave as many for the rest
        return []
    method = registry.get("methods", "extragradient")
    with np.errstate(all="ignore"):
        steep = _steep(problem, start)
    if not np.isfinite(steep):
        return []
    if steep > 0:
        gammas = [0.5 / steep, 0.05 / steep, 0.005 / steep]
    else:  # of an F that is constant there any step will do: these lead far
        length = float(np.linalg.norm(graph_at(without_set(problem), start[None])[1]))
        if not 0 < length < np.inf:
            return []
        gammas = [scale * (1 + float(np.linalg.norm(start))) / length for scale in (1.0, 100.0)]
    try:
        batch = run_batch(
            replace(problem, start=start),
            method,
            [{p.symbol: gamma for p in method.parameters} for gamma in gammas],
            [warm],
            [],
        )
    except (OpcheckError, KeyError):
        return []
    return [z for z in batch.state[:, 0] if np.isfinite(z).all()]


def _steep(problem: Problem, z: Vector) -> float:
    """The norm of the slopes at a point."""
    slope = _slopes(problem, z)
    return float(np.linalg.norm(slope, 2)) if np.isfinite(slope).all() else np.nan


def _slopes(problem: Problem, z: Vector) -> Floats:
    if problem.operator.matrix is not None or problem.operator.slopes is not None:
        return np.asarray(problem.operator.jacobian(z))
    return _differences(lambda w: graph_at(without_set(problem), w)[1], z)


def _differences(f: Any, z: Vector, step: float = STEPS[0]) -> Floats:
    """Slopes of f by central differences, for rows."""
    t = step * (1 + np.abs(z))
    values = f(np.concatenate([z + np.diag(t), z - np.diag(t)]))
    return np.asarray(((values[: len(z)] - values[len(z) :]) / (2 * t[:, None])).T)


def _newton(problem: Problem, start: Vector) -> Vector | None:
    """Where Newton's steps on the natural map end, if that is a solution."""
    z = np.array(start, dtype=float)
    known = problem.operator.matrix is not None or problem.operator.slopes is not None
    gamma, fine = 1.0, 0
    for _ in range(NEWTON):
        if budget().over:
            return None
        if problem.constrained:
            z = resolved(problem, z[None])[0] if problem.resolvent.contains is not None else z
            steep = _steep(problem, z)
            gamma = 1 / steep if steep > 0 else 1.0
        value = _residual(problem, z[None], gamma)[0][0]
        if not np.isfinite(value).all():
            return None
        if not value.any():
            return _judged(problem, z, True)
        slopes = (
            _slopes(problem, z)
            if known and not problem.constrained
            else _differences(lambda w, g=gamma: _residual(problem, w, g)[0], z, STEPS[fine])
        )
        if not np.isfinite(slopes).all():
            return None
        step, left, regular = _step(slopes, value)
        near = NEAR * (1 + float(np.linalg.norm(z)))
        if np.linalg.norm(step) <= near and left <= near * np.linalg.norm(slopes):
            return _judged(problem, _polished(problem, z, step, gamma), regular)
        # no farther than where the residual is no larger, by halves
        for half in range(30):
            trial = z - step / 2**half
            new = _residual(problem, trial[None], gamma)[0][0]
            if np.linalg.norm(new) < np.linalg.norm(value) * (1 - 1e-4 / 2**half):
                break
        else:
            fine += 1
            if fine == len(STEPS):
                return None
            continue
        z = trial
    return None


def _step(slopes: Floats, value: Vector) -> tuple[Vector, float, bool]:
    """Newton's step, the least one where slopes are singular; what it cannot remove; if regular."""
    U, s, V = np.linalg.svd(slopes)
    if not s[0] > 0:
        return np.zeros_like(value), float(np.linalg.norm(value)), False
    rank = int((s > SINGULAR * s[0]).sum())
    inner = U.T @ value
    step = V[:rank].T @ (inner[:rank] / s[:rank])
    return step, float(np.linalg.norm(inner[rank:])), rank == len(s)


def _polished(problem: Problem, z: Vector, step: Vector, gamma: float) -> Vector:
    """A last step, taken where it makes the residual smaller."""
    tries = np.array([z, z - step])
    left = np.linalg.norm(_residual(problem, tries, gamma)[0], axis=1)
    return np.asarray(tries[int(np.argmin(left))])


def _judged(problem: Problem, z: Vector, regular: bool = False) -> Vector | None:
    """The point that Newton's steps came to if it is a solution, rounded where that is exact."""
    for digits in DECIMALS:
        simple = np.round(z, digits) + 0.0
        close = np.abs(simple - z).max() <= 1e-6 * (1 + np.abs(z).max())
        exact = close and not _residual(problem, simple[None], 1.0)[0].any()
        if exact and _is_zero(problem, simple):
            return simple
    # where slopes of F are singular, a point that is exact only counts; at the boundary of a set,
    # where steps end
    return z if (regular or not _free(problem, z).all()) and _is_zero(problem, z) else None


def _is_zero(problem: Problem, z: Vector) -> bool:
    """Whether a point whose residual vanishes in floats may be taken for a solution.

    Of a formula it is proved in the coordinates in which the set does not hold the point.
    """
    free = _free(problem, z)
    if problem.operator.slopes is not None and free.any():
        return star.solution_of(replace(problem, solution=z), free) is not None
    # a method that diverges moves by as little as one likes beside where it is
    far = FAR * (1 + float(np.abs(problem.start).max(initial=0.0)))
    return not float(np.abs(z).max()) > far and not _underflows(problem, z)


def _confirmed(problem: Problem, z: Vector) -> bool:
    """Whether a point that was found here passes as a solution that somebody gives."""
    try:
        guard_solution(replace(problem, solution=z))
    except OpcheckError:
        return False
    return True


def _free(problem: Problem, z: Vector) -> NDArray[np.bool_]:
    """The coordinates in which F alone must vanish at a solution: all of a point inside of the set.

    At the boundary of a set that is no box none is known to be.
    """
    if not problem.constrained:
        return np.ones(problem.dim, dtype=bool)
    if problem.resolvent.ends is not None:
        low, high = problem.resolvent.ends
        return np.broadcast_to((low < z) & (z < high), z.shape)
    if problem.resolvent.contains is None:
        return np.zeros(problem.dim, dtype=bool)
    step = INSIDE * (1 + float(np.abs(z).max())) * np.eye(problem.dim)
    about = np.concatenate([z + step, z - step])
    return np.full(problem.dim, np.array_equal(resolved(problem, about), about))


def _underflows(problem: Problem, z: Vector) -> bool:
    """Whether a coordinate of F vanishes at a point since its values are too small for a float.

    On the way to the start such a coordinate has values that are smaller than any at such a
    distance from a zero, as those of exp far out.
    """

    def values(at: Floats) -> Floats:
        return np.abs(graph_at(without_set(problem), at)[1])

    at_start, near_z, at_z = values(np.array([problem.start, z + CLOSE * (problem.start - z), z]))
    tiny = float(np.finfo(float).tiny)
    # what underflows is that small about z too, and what vanishes is not
    small = (at_z < tiny) & (at_start > 0) & (near_z < np.sqrt(UNDERFLOWN) * at_start)
    for i in np.flatnonzero(small):
        near, far, least = 0.0, 1.0, at_start[i]
        for _ in range(HALVINGS):
            middle = (near + far) / 2
            value = values((z + middle * (problem.start - z))[None])[0, i]
            if value < tiny:
                near = middle
            else:
                far, least = middle, value
        if least < UNDERFLOWN * at_start[i]:
            return True
    return False
