"""What few calls of a slow F show of its constants: every pair of the points it is called at.

That bounds each constant from one side. It is no search: nothing goes on from a bad pair to a worse
one, so no theorem may rely on what comes out.
"""

from __future__ import annotations

import numpy as np

from opcheck.engine.budget import budget
from opcheck.engine.guard import ACCURATE
from opcheck.engine.run import graph_at
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.operators.pairs import Pair
from opcheck.evidence.operators.search import (
    Floats,
    Graph,
    Values,
    by_decades,
    centres,
    points,
    resolved,
    without_set,
)
from opcheck.model.operator import Operator, linear
from opcheck.model.problem import Problem
from opcheck.model.problem import points as points_of
from opcheck.model.property import Kind, Lipschitz

MOST, ROOM = 1000, 8e6  # points, and twice the coordinates of all their pairs
FEWEST = 2
LINES, NEARNESS = 3, 10.0 ** np.arange(-8, 2.5, 0.5)  # each way from a centre, and how far
SAME = 1e-10  # of the terms of a difference: what that of an affine map may be off by
ROUNDED = 64 * np.finfo(float).eps  # of the terms of values
SHORTEST = -6.0  # decades of how near to another every second point lies, relative to its size


def of_few_calls(
    graphs: list[Graph], kinds: tuple[Kind, ...], calls: int, seed: int
) -> list[Constant]:
    """One side of each constant of F, and of F + A, from so many calls of F in all.

    Args:
        graphs: those of F and, where A ≠ 0, of F + A.
        kinds: of constants.
        calls: at least 2 for each graph, else nothing comes out.
        seed: of the points.

    Raises OpcheckError for an operator that fails its guards.
    """
    constants: list[Constant] = []
    for graph in graphs:
        problem = graph.problem
        most = int(min(MOST, np.sqrt(ROOM / problem.dim)))
        count = min(calls // len(graphs), most)
        if count < FEWEST:
            return []
        w = _points(graph, count, np.random.default_rng([seed, 7]))
        at = graph.at(w)
        graph.noise = _noise(at)
        for kind in kinds:
            against_zero = problem.solution is not None and (graph.of == "S") == problem.constrained
            if (graph.of == "F" or kind is not Lipschitz) and (not kind.star or against_zero):
                constants.append(_constant(graph, kind, w, at))
    return constants


def as_affine(problem: Problem, seed: int) -> tuple[int, Operator] | None:
    """F as a matrix and a shift where its values are those of an affine map; else None.

    The map is read off differences about the start, and looked at in the region, and along lines at
    all scales about start, solution and 0: a kink shows on both of its sides.

    Returns:
        How many points it was looked at, and the map.

    Raises OpcheckError for an operator that fails its guards.
    """
    d, region = problem.dim, problem.region
    rng = np.random.default_rng([seed, 11])
    middle = centres(problem)
    along = rng.standard_normal((LINES, *middle.shape))
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    about = np.array([middle + t * w for t in (0.0, *NEARNESS) for w in (*along, *-along)])
    if region is not None:
        about = region.clip(about.reshape(-1, d)).reshape(about.shape)
    wide = points_of(problem, 3 * (d + 1), rng)
    at = np.concatenate([wide, about.reshape(-1, d)])
    if len(at) > budget().left:
        return None
    u = graph_at(without_set(problem), at)[1]
    if not np.isfinite(u).all():
        return None
    fit = np.linalg.lstsq(np.column_stack([wide, np.ones(len(wide))]), u[: len(wide)])[0]
    matrix, shift = fit[:d].T, fit[d]
    # of an entry that moves no value by more than its rounding nothing is known: a constant F has 0
    moves = np.abs(matrix) * np.ptp(wide, axis=0)
    matrix[moves <= ROUNDED * np.abs(u[: len(wide)]).max(axis=0)[:, None]] = 0
    of_about = u[len(wide) :].reshape(about.shape)
    dz, du = about - about[0], of_about - of_about[0]
    dz, du = (
        np.concatenate([v - v[:1], w.reshape(-1, d)]) for v, w in ((wide, dz), (u[: len(wide)], du))
    )
    terms = np.abs(at) @ np.abs(matrix).T + np.abs(u)
    room = SAME * np.abs(dz) @ np.abs(matrix).T + ROUNDED * terms
    if (np.abs(du - dz @ matrix.T) > room.max(axis=1, keepdims=True)).any():
        return None
    return len(at), linear(matrix, shift)


def _points(graph: Graph, count: int, rng: np.random.Generator) -> Floats:
    """Start, solution and 0, points at all scales, and as many near those."""
    problem: Problem = graph.problem
    middle = centres(problem)[:count]
    if graph.projects and problem.resolvent.contains is not None:
        middle = resolved(problem, middle)
    wide = points(graph, max((count - len(middle) + 1) // 2, 1), rng)
    known = np.concatenate([graph.inside(middle), wide])
    base = known[rng.integers(len(known), size=count)]
    size = np.maximum(np.linalg.norm(base, axis=1, keepdims=True), 1.0)
    step = rng.standard_normal(base.shape)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    near = graph.inside(base + size * 10.0 ** rng.uniform(SHORTEST, 0, (count, 1)) * step)
    return np.concatenate([known, near])[:count]


def _noise(at: Values) -> Floats:
    """What values may be off by, by decades of ‖z‖: as much as the guards of F let pass."""
    z, u, _ = at
    size = np.linalg.norm(u, axis=1)
    error = ACCURATE * np.where(size < np.inf, size, 0.0)
    length = np.linalg.norm(z, axis=1)
    return by_decades(length, np.full(len(z), size.max(initial=0.0)), error, 0.0)


def _constant(graph: Graph, kind: Kind, w: Floats, at: Values) -> Constant:
    z, u, terms = at
    if kind.star:
        zero = graph.problem.solution
        assert zero is not None
        against = zero[None], np.zeros_like(zero[None]), np.zeros(1)
        i, j = np.arange(len(w)), None
        value = graph.compared(w, at, None, against).badness(kind)
    else:
        i, j = np.triu_indices(len(w), 1)
        ends = (z[i], u[i], terms[i]), (z[j], u[j], terms[j])
        value = graph.compared(w[i], ends[0], w[j], ends[1]).badness(kind)
    sign = 1.0 if kind.better == "smaller" else -1.0
    top = int(np.argmax(value))
    worst = sign * float(value[top])
    pairs: tuple[Pair, ...] = ()
    if np.isfinite(worst):
        pairs = (Pair(w[i[top]], None if j is None else w[j[top]]),)
    lower, upper = (worst, np.inf) if sign > 0 else (-np.inf, worst)
    if kind is Lipschitz:
        lower = max(lower, 0.0)
    elif not pairs:
        upper = np.inf
    return Constant(
        kind=kind,
        of=graph.of,
        lower=lower,
        upper=upper,
        provenance="estimated",
        region=graph.problem.region,
        note=f"every pair of {len(w)} points; F is too slow for a search",
        pairs=pairs,
        settled=False,
    )
