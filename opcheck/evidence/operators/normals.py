"""What normals of a set leave of a modulus of F + A: they have no bound, so none is positive.

At a point z of the boundary A(z) holds a normal n and all its multiples. Of (z, F z + n) and
(z, F z + 2n) the difference is (0, n), and 0 ≥ ρ‖n‖² asks ρ ≤ 0; against a solution z* the quotient
⟨F z + tn, z − z*⟩/‖F z + tn‖² tends to 0 as t grows.
"""

from __future__ import annotations

import numpy as np

from opcheck.evidence.operators.pairs import Pair
from opcheck.evidence.operators.search import Graph, pairs_of, resolved
from opcheck.model.problem import Problem

TRIED = 512  # points that are projected to meet the boundary
AWAY = 1e-3  # relative; a normal is longer than this, beyond what a projection rounds


def two_normals(problem: Problem, seed: int = 0) -> Pair | None:
    """Two points that J_A sends to one point of the region: z + n and z + 2n, n a normal at z.

    None where A is no normal cone, or no point of the boundary was met in the region.
    """
    if problem.resolvent.contains is None:
        return None
    w = pairs_of(Graph(problem, "S", False, seed), TRIED, np.random.default_rng([seed, 11]))[0]
    w = np.concatenate([w, 10 * w])
    z = resolved(problem, w)
    n = w - z
    length, size = np.linalg.norm(n, axis=1), 1 + np.linalg.norm(z, axis=1)
    met = np.isfinite(n).all(axis=1) & (length > AWAY * size)
    if problem.region is not None:
        met &= problem.region.contains(z)
    if not met.any():
        return None
    # neither short beside z nor far out, where the difference from 2n rounds
    usual = np.where(met, np.maximum(length / size, size / np.maximum(length, AWAY)), np.inf)
    first = int(np.argmin(usual))
    return Pair(w[first], z[first] + 2 * n[first])
