"""The three-point condition of Lipschitz monotone operators, beside the inequalities of pairs.

Pairs alone do not say that values at some points extend to an L-Lipschitz monotone operator of the
whole space. With a_ij = L²‖x_i − x_j‖² − ‖u_i − u_j‖² ≥ 0 and b_ij = 2L⟨u_i − u_j, x_i − x_j⟩ ≥ 0
every three points also have

    a_ij ≤ (√a_ik + √a_jk)² + 2 √b_ij (√b_ik + √b_jk),

and the same with a and b exchanged (Rubbens, Hendrickx, Taylor 2025, Proposition 3.15; necessary,
and not known to be sufficient). By √(uv) = min (αu + βv)/2 over αβ ≥ 1 this is one inequality for
each choice of such factors, linear in the slacks: the multiplier y of −a_ij, with the other factors
on three cones αβ ≥ y².
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.errors import OpcheckError
from opcheck.evidence.worst_case.claim import Claim

Floats = NDArray[np.float64]
CONES = 3  # of each triple: α and β beside y
FACTORS = 1 + 2 * CONES


def three_point(stated: Claim, products: Any) -> Floats:
    """The forms of every triple, shape (triples, FACTORS, entries): of y, then α and β by cone.

    A row times its factor is a part of what is ≥ 0 for every operator of the class.

    Args:
        products: a list of (factor, u, v) as the solver's vector of Σ factor ⟨u, v⟩.

    Raises OpcheckError where the hypotheses are not that one F is Lipschitz and monotone.
    """
    kinds = {p.kind.name: p for p in stated.properties if p.of == "F"}
    strong = kinds.get("StronglyMonotone")  # whose modulus may be negative
    monotone = "Monotone" in kinds or (strong is not None and (strong.number or 0) >= 0)
    if "Lipschitz" not in kinds or not monotone:
        raise OpcheckError(
            f"{stated.setting.theorem.name}: the three-point condition is of Lipschitz monotone F, "
            "and its hypotheses are others; leave --triples out"
        )
    L = float(kinds["Lipschitz"].number or 0)
    points = [
        tuple(np.array([float(c) for c in v]) for v in pair) for pair in stated.graphs["F"].values()
    ]
    slack: dict[tuple[int, int], tuple[Floats, Floats]] = {}
    for i, j in itertools.combinations(range(len(points)), 2):
        x, u = points[i][0] - points[j][0], points[i][1] - points[j][1]
        both = products([(L * L, x, x), (-1.0, u, u)]), products([(2 * L, u, x)])
        slack[i, j] = slack[j, i] = both
    out = []
    for i, j in itertools.combinations(range(len(points)), 2):
        for k in set(range(len(points))) - {i, j}:
            for a, b in ((0, 1), (1, 0)):
                ik, jk, ij = slack[i, k], slack[j, k], slack[i, j]
                out.append(
                    [
                        ik[a] + jk[a] - ij[a],
                        *(ik[a], jk[a]),  # 2 √a_ik √a_jk
                        *(ij[b], ik[b]),  # 2 √b_ij √b_ik
                        *(ij[b], jk[b]),
                    ]
                )
    return np.array(out).reshape(len(out), FACTORS, -1)
