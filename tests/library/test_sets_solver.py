"""Every registered set against Clarabel, which knows it as a cone program and not as a formula."""

from __future__ import annotations

from collections.abc import Callable

import clarabel
import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray

from opcheck import registry
from opcheck.model.cone_program import ConeProgram

Vector = NDArray[np.float64]


def solve(z: Vector, gamma: float, program: ConeProgram) -> tuple[Vector, float]:
    """argmin ½‖x − z‖² + γ cost over x and y, and how far it may be from the true one.

    By strong convexity the distance is at
    most the root of twice the gap; the constraints hold to about 1e-10 only, which adds to it.
    """
    d, extras = z.size, program.extras
    unit = np.eye(d + extras + 1)
    x, y, one = unit[:d], unit[d:-1], unit[-1:]
    cost, constraints = program.says(x, y, one)
    plain, squared = cost if isinstance(cost, tuple) else (cost, np.zeros((0, d + extras + 1)))
    linear = np.zeros(d + extras) if plain is None else gamma * np.sum(plain, axis=0)[:-1]
    linear[:d] -= z
    quadratic = np.diag(np.append(np.ones(d), np.zeros(extras)))
    quadratic += gamma * squared[:, :-1].T @ squared[:, :-1]  # which have no constant
    stacked = [np.atleast_2d(rows) for _, rows in constraints]
    cones = [CONES[name](len(rows)) for (name, _), rows in zip(constraints, stacked, strict=True)]
    every = np.vstack([*stacked, np.zeros((0, d + extras + 1))])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    settings.tol_ktratio = 1e-10
    found = clarabel.DefaultSolver(
        scipy.sparse.csc_matrix(np.triu(quadratic)),
        linear,
        scipy.sparse.csc_matrix(-every[:, :-1]),
        every[:, -1],
        cones,
        settings,
    ).solve()
    assert str(found.status) in ("Solved", "AlmostSolved", "InsufficientProgress"), found.status
    return np.array(found.x[:d]), 1e-6 + (2 * abs(found.obj_val - found.obj_val_dual)) ** 0.5


CONES = {
    "zero": clarabel.ZeroConeT,
    "plus": clarabel.NonnegativeConeT,
    "norm": clarabel.SecondOrderConeT,  # the first expression bounds the norm of the others
    "psd": lambda size: clarabel.PSDTriangleConeT(int((2 * size) ** 0.5)),
    "exp": lambda size: clarabel.ExponentialConeT(),  # b exp(a/b) ≤ c
}


def program_of(name: str) -> ConeProgram:
    program = registry.get("sets", name).program
    assert program is not None, f"{name} has no cone program; see @resolvent_family(program=)"
    return program


def excess(name: str, apply: Callable[[Vector, float], Vector]) -> float:
    """The largest distance to what the solver found, over what the solver may be off."""
    program = program_of(name)
    d = program.dim
    g = np.random.default_rng(31)
    worst = 0.0
    for gamma in (0.4, 1.7):
        for z in (*(2 * g.standard_normal((4, d))), np.linspace(-1.5, 0.5, d)):
            x, error = solve(z, gamma, program)
            worst = max(worst, float(np.linalg.norm(apply(z, gamma) - x)) / error)
    return worst


@pytest.mark.parametrize("name", registry.names("sets"))
def test_resolvent_equals_a_solver(name: str) -> None:
    """A new set also says how a solver sees it: ``@resolvent_family(program=...)``."""
    J = registry.get("sets", name)()
    assert J.dim in (0, program_of(name).dim)
    assert excess(name, J) <= 1
    assert excess(name, lambda z, gamma: J(z, gamma) + 1e-5) > 1
