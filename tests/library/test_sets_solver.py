"""Every registered set against Clarabel, which knows it as a cone program and not as a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import clarabel
import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray

from opcheck import registry

Vector = NDArray[np.float64]
Rows = NDArray[np.float64]  # affine expressions: a column for each variable, then the constant
Constraints = list[tuple[str, Rows]]  # each says that its expressions lie in a cone
Cost = Rows | tuple[Rows | None, Rows] | None  # a sum of rows; with others that go in by ½‖·‖²
Model = Callable[[Rows, Rows, Rows], tuple[Cost, Constraints]]


def solve(z: Vector, gamma: float, extras: int, model: Model) -> tuple[Vector, float]:
    """argmin ½‖x − z‖² + γ cost over x and y, and how far it may be from the true one.

    ``model(x, y, one)`` is the cost and the constraints. By strong convexity the distance is at
    most the root of twice the gap; the constraints hold to about 1e-10 only, which adds to it.
    """
    d = z.size
    unit = np.eye(d + extras + 1)
    x, y, one = unit[:d], unit[d:-1], unit[-1:]
    cost, constraints = model(x, y, one)
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


def stack(*parts: Rows) -> Rows:
    return np.vstack([np.atleast_2d(p) for p in parts])


def triangle(matrix: Iterable[Iterable[Rows]]) -> Rows:
    """The upper triangle, column by column, as Clarabel scales it."""
    m = [list(row) for row in matrix]
    return stack(
        *(m[i][j] * (1 if i == j else 2**0.5) for j in range(len(m)) for i in range(j + 1))
    )


def both(bound: Rows, of: Rows) -> Constraints:
    """|of| ≤ bound."""
    return [("plus", bound - of), ("plus", bound + of)]


def symmetric_2x2(x: Rows) -> Constraints:
    return [("zero", x[1:2] - x[2:3]), ("psd", triangle([[x[0], x[1]], [x[2], x[3]]]))]


def bordered(x: Rows, a: list[Rows], b: list[Rows]) -> tuple[str, Rows]:
    """[A X; Xᵀ B] ⪰ 0 for 2×2 matrices; A and B by their upper triangles."""
    return "psd", triangle(
        [
            [a[0], a[1], x[0], x[1]],
            [a[1], a[2], x[2], x[3]],
            [x[0], x[2], b[0], b[1]],
            [x[1], x[3], b[1], b[2]],
        ]
    )


def ones(x: Rows) -> Rows:
    return x.sum(axis=0, keepdims=True)


ROOT = np.linalg.cholesky(np.array([[2.0, 1.0], [1.0, 2.0]])).T
# For each set at its defaults: the dimension, how many further variables, and what it says.
MODELS: dict[str, tuple[int, int, Model]] = {
    "affine_subspace": (2, 0, lambda x, y, one: (None, [("zero", ones(x) - one)])),
    "ball": (2, 0, lambda x, y, one: (None, [("norm", stack(one, x))])),
    "box": (3, 0, lambda x, y, one: (None, both(one, x))),
    "box_half_space": (
        3,
        0,
        lambda x, y, one: (
            None,
            [*both(one, x), ("plus", one - x[:1] - 2 * x[1:2] + x[2:])],
        ),
    ),
    "box_hyperplane": (
        3,
        0,
        lambda x, y, one: (
            None,
            [*both(one, x), ("zero", one / 2 - x[:1] + 2 * x[1:2] - x[2:])],
        ),
    ),
    "capped_simplex": (
        4,
        0,
        lambda x, y, one: (
            None,
            [("plus", x), ("plus", one - x), ("zero", ones(x) - 2 * one)],
        ),
    ),
    "conjugate": (2, 1, lambda x, y, one: (y, [("norm", stack(y, x))])),
    "elastic_net": (3, 3, lambda x, y, one: ((y, x), both(y, x))),
    "ellipsoid": (2, 0, lambda x, y, one: (None, [("norm", stack(one, x[0] / 2, x[1]))])),
    "entropy": (
        3,
        3,
        lambda x, y, one: (y, [("exp", stack(-y[i], x[i], one)) for i in range(3)]),
    ),
    "exponential_cone": (3, 0, lambda x, y, one: (None, [("exp", x)])),
    "group_l2": (
        4,
        2,
        lambda x, y, one: (
            y,
            [("norm", stack(y[0], x[:2])), ("norm", stack(y[1], x[2:]))],
        ),
    ),
    "half_space": (2, 0, lambda x, y, one: (None, [("plus", -ones(x))])),
    "hinge": (3, 3, lambda x, y, one: (y, [("plus", y), ("plus", y - one + x)])),
    # h(t) is the least of |t − u| + u²/2
    "huber": (3, 6, lambda x, y, one: ((y[:3], y[3:]), both(y[:3], x - y[3:]))),
    "hyperplane": (2, 0, lambda x, y, one: (None, [("zero", ones(x) - one)])),
    "l1": (3, 3, lambda x, y, one: (y, both(y, x))),
    "l1_ball": (4, 4, lambda x, y, one: (None, [*both(y, x), ("plus", one - ones(y))])),
    "l2": (3, 1, lambda x, y, one: (y, [("norm", stack(y, x))])),
    "largest_entry": (4, 1, lambda x, y, one: (y, [("plus", y - x)])),
    "linf": (4, 1, lambda x, y, one: (y, both(y, x))),
    "linf_ball": (3, 0, lambda x, y, one: (None, both(one, x))),
    "log_barrier": (
        3,
        3,
        lambda x, y, one: (y, [("exp", stack(-y[i], one, x[i])) for i in range(3)]),
    ),
    "monotone_cone": (6, 0, lambda x, y, one: (None, [("plus", x[1:] - x[:-1])])),
    "nuclear_norm": (
        4,
        6,
        lambda x, y, one: (
            (y[:1] + y[2:3] + y[3:4] + y[5:]) / 2,
            [bordered(x, list(y[:3]), list(y[3:]))],
        ),
    ),
    "orthant": (3, 0, lambda x, y, one: (None, [("plus", x)])),
    "pinball": (3, 3, lambda x, y, one: (y, [("plus", y - x / 4), ("plus", y + 3 * x / 4)])),
    "polyhedron": (
        2,
        0,
        lambda x, y, one: (None, [("plus", x), ("plus", 2 * one - x[:1] - 2 * x[1:])]),
    ),
    "product": (4, 0, lambda x, y, one: (None, [("norm", stack(one, x[2:]))])),
    "psd_cone": (4, 0, lambda x, y, one: (None, symmetric_2x2(x))),
    "quadratic": (2, 0, lambda x, y, one: ((None, ROOT @ x), [])),
    "second_order_cone": (3, 0, lambda x, y, one: (None, [("norm", stack(x[2], x[:2]))])),
    "simplex": (3, 0, lambda x, y, one: (None, [("plus", x), ("zero", ones(x) - one)])),
    "simplices": (
        6,
        0,
        lambda x, y, one: (
            None,
            [("plus", x), ("zero", ones(x[:3]) - one), ("zero", ones(x[3:]) - one)],
        ),
    ),
    "slab": (2, 0, lambda x, y, one: (None, both(one, ones(x)))),
    "spectral_ball": (
        4,
        0,
        lambda x, y, one: (None, [bordered(x, [one, 0 * one, one], [one, 0 * one, one])]),
    ),
    "spectraplex": (
        4,
        0,
        lambda x, y, one: (None, [*symmetric_2x2(x), ("zero", x[:1] + x[3:] - one)]),
    ),
    "squared_l2": (3, 0, lambda x, y, one: ((None, x), [])),
    "total_variation": (8, 7, lambda x, y, one: (y, both(y, x[1:] - x[:-1]))),
    "whole_space": (2, 0, lambda x, y, one: (None, [])),
}


def test_every_set_has_a_model() -> None:
    """A new set also says here how a solver sees it."""
    own = {
        name
        for name in registry.names("sets")
        if registry.get("sets", name).function.__module__.startswith("opcheck_")
    }
    assert own == set(MODELS)


def excess(name: str, apply: Callable[[Vector, float], Vector]) -> float:
    """The largest distance to what the solver found, over what the solver may be off."""
    d, extras, model = MODELS[name]
    g = np.random.default_rng(31)
    worst = 0.0
    for gamma in (0.4, 1.7):
        for z in (*(2 * g.standard_normal((4, d))), np.linspace(-1.5, 0.5, d)):
            x, error = solve(z, gamma, extras, model)
            worst = max(worst, float(np.linalg.norm(apply(z, gamma) - x)) / error)
    return worst


@pytest.mark.parametrize("name", MODELS)
def test_resolvent_equals_a_solver(name: str) -> None:
    J = registry.get("sets", name)()
    assert J.dim in (0, MODELS[name][0])
    assert excess(name, J) <= 1
    assert excess(name, lambda z, gamma: J(z, gamma) + 1e-5) > 1
