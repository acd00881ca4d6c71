"""What few calls of a slow F show of its constants: every pair of the points it is called at.

That bounds each constant from one side. It is no search: nothing goes on from a bad pair to a worse
one, so no theorem may rely on what comes out.
"""

from __future__ import annotations

import numpy as np

from opcheck.engine.guard import ACCURATE
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
)
from opcheck.model.problem import Problem
from opcheck.model.property import Kind, Lipschitz

MOST, ROOM = 1000, 8e6  # points, and twice the coordinates of all their pairs
FEWEST = 2
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
