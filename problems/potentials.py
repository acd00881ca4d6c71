"""Potential operators F = ∇f with the Polyak-Łojasiewicz inequality ½‖F z‖² ≥ μ(f(z) − f*).

It asks for no convexity and no single minimiser, and gives gradient descent a linear rate in f
(Polyak 1963; Karimi, Nutini and Schmidt 2016, Theorem 1).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    PLStar,
    Problem,
    StronglyMonotone,
    WeakMinty,
    exact,
    gradient,
    linear,
    problem_family,
)
from opcheck.kernels import quadratic
from opcheck.plugin import Fact, Operator, Vector, certified, lipschitz_above, monotone_below
from opcheck_problems._checks import positive, require, whole

SINE = Fact(
    PLStar(0.1755),
    "certified",
    note=(
        "f'²/2 − μf enclosed on |x| ≤ 3; beyond, |f'| ≥ 2|x| − 3 and f ≤ x² + 3; "
        "the best μ is 0.175530986 at x = ±2.2017"
    ),
    published="1/32",
)


@problem_family(
    "polyak_sine",
    start=(3.0,),
    solution=(0.0,),
    facts=[exact(Lipschitz(8)), exact(WeakMinty("1/8")), SINE],
)
def polyak_sine() -> Operator:
    """f(x) = x² + 3 sin²x: not convex, f″ = 2 + 6 cos 2x from −4 to 8, yet its only stationary
    point is the minimum. Karimi, Nutini and Schmidt 2016 state μ = 1/32.

    0 ≤ F(x)/x ≤ 8 gives the weak Minty constant 1/8; no ρ holds on all pairs, since F takes equal
    values at different points.
    """
    return gradient("x**2 + 3*sin(x)**2", "x")


@problem_family(
    "quadratic_potential",
    facts=[
        exact(Lipschitz("L")),
        exact(StronglyMonotone("mu")),
        exact(Comonotone("1/L")),
        exact(PLStar("mu"), "attained along the first axis"),
    ],
    solution=(0.0, 0.0),
    presets=[{"mu": 0.5, "L": 2.0}],
)
def quadratic_potential(mu: float = 0.125, L: float = 1.0) -> Operator:
    """f = (μx² + Ly²)/2, whose PLStar constant is exactly μ: strong convexity is not needed for the
    inequality, but where it holds its modulus is one.

    Raises OpcheckError unless 0 < μ ≤ L.
    """
    positive(mu, "mu")
    require(mu <= L < np.inf, f"mu = {mu} must not exceed L = {L}")
    return gradient("(mu*x**2 + L*y**2)/2", "x y", mu=mu, L=L)


@problem_family("overparameterized_least_squares", presets=[{"n": 3, "d": 8, "seed": 1}])
def overparameterized_least_squares(n: int = 2, d: int = 4, seed: int = 0) -> Problem:
    """f = ‖Az − b‖²/2 with n < d equations that can all be met, A and a solution in small integers:
    a plane of minimisers, so f is not strongly convex, but PLStar holds with μ = λ_min(AAᵀ), since
    F = Aᵀr, f = ‖r‖²/2 with r = Az − b (Liu, Zhu and Belkin 2022 for the linear case).

    Distances are to the nearest minimiser. L and μ are proved for A.

    Raises OpcheckError unless 1 ≤ n < d, or where the rows drawn are dependent.
    """
    n, d = whole(n, "n"), whole(d, "d", 2)
    require(n < d, f"n = {n} must be below d = {d}")
    generator = np.random.default_rng(seed)
    A = generator.integers(-2, 3, (n, d)).astype(float)
    z = generator.integers(-2, 3, d).astype(float)
    require(int(np.linalg.matrix_rank(A)) == n, f"seed = {seed} draws dependent rows")
    M = A.T @ A
    F = linear(M, -(M @ z))
    value = Operator(quadratic, F.data, 1, "‖Az − b‖²/2 − ‖b‖²/2")
    inverse = np.linalg.pinv(A)

    def nearest(point: Vector) -> Vector:
        return np.asarray(point - inverse @ (A @ (point - z)))

    L = lipschitz_above(M)
    facts = (
        certified(Lipschitz(L)),
        exact(Monotone()),
        certified(PLStar(monotone_below(A @ A.T)), "of AAᵀ, by a Cholesky factorisation"),
    )
    return Problem(
        dataclasses.replace(F, potential=value),
        start=np.zeros(d),
        solution=z,
        project=nearest,
        facts=facts,
    )
