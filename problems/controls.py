"""Negative controls: each breaks one hypothesis on purpose, and its stated facts are still true."""

from __future__ import annotations

import numpy as np

from opcheck.model.operator import Operator, linear
from opcheck.model.problem import Problem, problem_family
from opcheck.model.property import Comonotone, Lipschitz, Monotone, Nonexpansive, exact
from opcheck.model.symbolic import minmax
from opcheck_problems.games import huber_saddle
from opcheck_problems.linear import rotation_blocks
from opcheck_problems.parameters import positive, require, whole


@problem_family(
    "ryu_huber_flipped",
    facts=[exact(Lipschitz(1))],
    start=(1.0, 0.0),
    solution=(0.0, 0.0),
    control="Monotone",
)
def ryu_huber_flipped(delta: float = 0.01, eps: float = 5e-5) -> Operator:
    """ryu_huber with the sign of the second player's Huber term turned: convex in y where concave
    is meant, so not monotone. The slopes (1 − δ, −(1 − δ)) give L = (1 − δ) + δ = 1.

    Raises OpcheckError unless 0 < δ < 1 and ε > 0.
    """
    require(0 < delta < 1, f"delta = {delta} must lie in (0, 1)")
    positive(eps, "eps")
    return Operator(huber_saddle, np.array([delta, eps, -1.0]), 2, "F of a flipped Huber saddle")


@problem_family("nilpotent", facts=[exact(Lipschitz("L"))], control="Comonotone")
def nilpotent(L: float = 1.0) -> Problem:
    """F = (L y, 0): Lipschitz, but comonotone and weakly Minty with no ρ at all. Along every method
    that moves within the range of F, |F| never decreases. The zeros are the axis y = 0.

    Raises OpcheckError for L ≤ 0.
    """
    positive(L, "L")
    return Problem(
        "",
        linear([[0, L], [0, 0]]),
        solution=np.zeros(2),
        project=lambda z: np.array([z[0], 0.0]),
    )


@problem_family(
    "scalar_decreasing",
    facts=[exact(Lipschitz("L")), exact(Comonotone("-1/L"))],
    presets=[{"L": 2.0}],
    control="Monotone",
)
def scalar_decreasing(L: float = 1.0) -> Problem:
    """F = −L z on R: ρ = −1/L. A scalar operator that is not monotone has ρ ≤ −1/L, so no theorem
    that needs ρ > −1/(2L) has a scalar instance.

    Raises OpcheckError for L ≤ 0.
    """
    positive(L, "L")
    return Problem("", linear([[-L]]), solution=np.zeros(1))


@problem_family(
    "expansive_map",
    facts=[
        exact(Lipschitz("sqrt(1 - 2*g*cos(theta) + g**2)")),
        exact(Comonotone("(1 - g*cos(theta))/(1 - 2*g*cos(theta) + g**2)")),
    ],
    control="Nonexpansive",
)
def expansive_map(theta: float = 1.0, g: float = 1.1) -> Problem:
    """T = g times the rotation by θ with g > 1: a fixed-point map that stretches every distance.

    Raises OpcheckError unless g > 1.
    """
    require(g > 1, f"g = {g} must exceed 1")
    blocks = rotation_blocks([("1 - g*cos(theta)", "g*sin(theta)")])
    return Problem("", linear(blocks, theta=theta, g=g), solution=np.zeros(2))


@problem_family(
    "cubic_saddle",
    facts=[exact(Monotone())],
    solution=(0.0, 0.0),
    control="Lipschitz",
)
def cubic_saddle() -> Operator:
    """min max x⁴/4 + xy − y⁴/4: F = (x³ + y, −x + y³), monotone and not Lipschitz. Extragradient
    with a fixed step converges from (1, 1) and leaves the numbers from (3, 3).
    """
    return minmax("x**4/4 + x*y - y**4/4")


@problem_family(
    "translation",
    facts=[exact(Nonexpansive(of="T"))],
    control="solution",
)
def translation(v: float = 1.0, n: int = 2) -> Problem:
    """T z = z + v·1: nonexpansive without a fixed point; F = −v·1 never vanishes.

    Raises OpcheckError for v = 0 or n < 1.
    """
    n = whole(n, "n")
    require(v != 0, "v = 0 makes every point a fixed point; take another v")
    return Problem("", linear(np.zeros((n, n)), [-v] * n), start=np.zeros(n))
