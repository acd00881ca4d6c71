"""argmin ½‖x − z‖² + γ g(x) by means that know no formula of the resolvent of γ∂g."""

from __future__ import annotations

from typing import Any

import clarabel
import numpy as np
import scipy.sparse

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model.cone_program import ConeProgram
from opcheck.model.operator import Resolvent, Vector

CANDIDATES = 400  # points that a value is tried at, at six scales
SCALES = 10.0 ** -np.arange(6)
ROUNDING = 1e-8  # relative; contains() allows for rounding, too


def solve(z: Vector, gamma: float, program: ConeProgram) -> tuple[Vector, float]:
    """argmin ½‖x − z‖² + γ cost over x and y, and how far it may be from the true one.

    By strong convexity the distance is at most the root of twice the gap; the constraints hold to
    about 1e-10 only, which adds to it. Raises OpcheckError where the program has no solution.
    """
    d, extras = z.size, program.extras
    unit = np.eye(d + extras + 1)
    x, y, scale = unit[:d], unit[d:-1], unit[-1:]
    cost, constraints = program.says(x, y, scale)
    plain, squared = cost if isinstance(cost, tuple) else (cost, np.zeros((0, d + extras + 1)))
    slope = np.zeros(d + extras) if plain is None else gamma * np.sum(plain, axis=0)[:-1]
    slope[:d] -= z
    quadratic = np.diag(np.append(np.ones(d), np.zeros(extras)))
    quadratic += gamma * squared[:, :-1].T @ squared[:, :-1]  # which have no constant
    stacked = [np.atleast_2d(rows) for _, rows in constraints]
    cones = [CONES[name](len(rows)) for (name, _), rows in zip(constraints, stacked, strict=True)]
    every = np.vstack([*stacked, np.zeros((0, d + extras + 1))])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    settings.tol_ktratio = 1e-10
    solution = clarabel.DefaultSolver(
        scipy.sparse.csc_matrix(np.triu(quadratic)),
        slope,
        scipy.sparse.csc_matrix(-every[:, :-1]),
        every[:, -1],
        cones,
        settings,
    ).solve()
    status, gap = str(solution.status), abs(solution.obj_val - solution.obj_val_dual)
    if status not in ("Solved", "AlmostSolved", "InsufficientProgress"):
        raise OpcheckError(f"the cone program has no minimiser at z = {z.tolist()}: {status}")
    return np.array(solution.x[:d]), 1e-6 + (2 * gap) ** 0.5


CONES = {
    "zero": clarabel.ZeroConeT,
    "plus": clarabel.NonnegativeConeT,
    "norm": clarabel.SecondOrderConeT,  # the first expression bounds the norm of the others
    "psd": lambda size: clarabel.PSDTriangleConeT(int((2 * size) ** 0.5)),
    "exp": lambda size: clarabel.ExponentialConeT(),  # b exp(a/b) ≤ c
}


def program_of(name: str) -> ConeProgram:
    """The cone program of a registered set. Raises OpcheckError where it declares none."""
    program: ConeProgram | None = registry.get("sets", name).program
    if program is None:
        raise OpcheckError(f"{name} has no cone program; see @resolvent_family(program=)")
    return program


def solver_error(J: Resolvent, program: ConeProgram, off: float = 0.0) -> float:
    """The largest distance from J z to what the solver found, over what the solver may be off.

    Args:
        off: moves what J returns, to ask how much would be told.
    """
    generator = np.random.default_rng(31)
    d = program.dim
    points = [*(2 * generator.standard_normal((4, d))), np.linspace(-1.5, 0.5, d)]
    worst = 0.0
    for gamma in (0.4, 1.7):
        for z in points:
            x, error = solve(z, gamma, program)
            worst = max(worst, float(np.linalg.norm(J(z, gamma) + off - x)) / error)
    return worst


def better(J: Resolvent, dim: int) -> tuple[Vector, float, Vector, Vector] | None:
    """(z, γ, J z, w) with a lower ½‖w − z‖² + γ g(w) at w than at J z; None where none is found.

    g is the declared value, or 0 on the set; w is drawn about J z at six scales, towards z, and
    among the values of J.
    """
    generator = np.random.default_rng(32)
    steps = generator.standard_normal((CANDIDATES, dim)) * np.resize(SCALES, CANDIDATES)[:, None]
    for z in 2 * generator.standard_normal((6, dim)):
        for gamma in (0.4, 1.7):
            p = np.asarray(J(z, gamma), dtype=float)
            around = p + np.linalg.norm(z - p) * steps
            others = [J(w, 1.0) for w in 2 * generator.standard_normal((20, dim))]
            towards = [p + s * (z - p) for s in (*SCALES, 0.5)]
            least = _objective(J, p, z, gamma)
            room = ROUNDING * (abs(least) + float(z @ z) + float(p @ p))
            for w in (*around, *others, *towards):
                if _objective(J, w, z, gamma) < least - room:
                    return z, gamma, p, np.asarray(w)
    return None


def _objective(J: Resolvent, w: Vector, z: Vector, gamma: float) -> float:
    if J.contains is not None and not J.contains(w):
        return float("inf")
    value: Any = 0.0 if J.value is None else J.value(w)
    return float(0.5 * (w - z) @ (w - z) + gamma * float(value))
