"""Negative controls: each breaks one hypothesis on purpose, and its stated facts are still true."""

from __future__ import annotations

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    Nonexpansive,
    Problem,
    WeakMinty,
    exact,
    linear,
    minmax,
    problem_family,
)
from opcheck.plugin import Operator, Vector, facts_of
from opcheck_problems._build import rotation_blocks
from opcheck_problems._checks import positive, require, whole
from opcheck_problems.classical import lq_matrices
from opcheck_problems.games import huber_saddle
from opcheck_problems.sets import box, half_space


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
    return Problem(linear([[-L]]), solution=np.zeros(1))


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
    return Problem(linear(blocks, theta=theta, g=g), solution=np.zeros(2))


@problem_family(
    "spin",
    facts=[exact(Lipschitz("w")), exact(Monotone())],
    control="Cocoercive",
)
def spin(w: float = 1.0) -> Problem:
    """F = w e₃ × z on R³: skew, so monotone and with no β at all; plain gradient steps go outwards.
    The zeros are the third axis.

    Raises OpcheckError for w ≤ 0.
    """
    positive(w, "w")
    return Problem(
        linear([[0, -w, 0], [w, 0, 0], [0, 0, 0]]),
        solution=np.zeros(3),
        project=lambda z: np.array([0.0, 0.0, z[2]]),
    )


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
    return Problem(linear(np.zeros((n, n)), [-v] * n), start=np.zeros(n))


def magnitude(z, out, data):
    """No data: F = |z|, coordinate by coordinate."""
    for i in range(z.shape[0]):
        out[i] = abs(z[i])


@problem_family(
    "absolute_value",
    facts=[exact(Lipschitz(1)), exact(WeakMinty(-1))],
    solution=(0.0,),
    control="Comonotone",
)
def absolute_value() -> Operator:
    """F = |z| on R. At every point but 0 the inverse slope is at least −1, and yet no ρ is a
    modulus: between −δ and δ − ε F falls by ε only. That a Jacobian passes at every point does not
    give comonotonicity with ρ < 0. Against the zero alone ρ = −1.
    """
    return Operator(magnitude, np.empty(0), 1, "F = |z|")


@problem_family(
    "sign_saddle",
    facts=[exact(Monotone())],
    start=(1.0, 0.5),
    solution=(0.0, 0.0),
    control="Lipschitz",
)
def sign_saddle() -> Operator:
    """min max |x| + xy − |y| with sgn 0 = 0: F = (sgn x + y, −x + sgn y), monotone, and it jumps.
    Extragradient with a fixed step stalls at a distance of its order; the resolvent would not.
    """
    return Operator(signs, np.empty(0), 2, "F = (sgn x + y, -x + sgn y)")


def signs(z, out, data):
    """No data."""
    zero = z[0] - z[0]
    for i in range(2):
        if z[i] > zero:
            out[i] = zero + 1
        elif z[i] < zero:
            out[i] = zero - 1
        else:
            out[i] = zero
    out[0] = out[0] + z[1]
    out[1] = out[1] - z[0]


def valley(z, out, data):
    """Data: ℓ, √(ℓR). F = (g, g), g(d) = min(0, ℓ|d| − √(ℓR)) of d = x − y."""
    apart = abs(z[0] - z[1])
    slope = data[0] * apart - data[1]
    if slope > 0:
        slope = slope - slope
    out[0] = slope
    out[1] = slope


@problem_family(
    "leekim_line",
    facts=[exact(Lipschitz("2*ell"), "Lee and Kim 2021 state ℓ", published="ell")],
    start=(0.0, 0.0),
    presets=[{"ell": 4.0}],
    control="Comonotone",
)
def leekim_line(ell: float = 1.0, R: float = 1.0) -> Problem:
    """f(x, y) = h(x − y), h'(d) = min(0, ℓ|d| − √(ℓR)), flat for |d| ≥ √(R/ℓ) (Lee and Kim 2021,
    Lemma 8.1): F = (h', h') points along x = y, so from a start on that line no method that moves
    in the span of F ever leaves it, |F|² = 2ℓR throughout. Every point off the valley is a zero.

    Stated there as ℓ-smooth, wrong of F: its Lipschitz constant is 2ℓ. No ρ is a modulus.

    Raises OpcheckError unless ℓ and R are powers of 4, so that √(ℓR) and √(R/ℓ) are floats.
    """
    for name, value in (("ell", ell), ("R", R)):
        positive(value, name)
        fraction, power = np.frexp(value)
        require(fraction == 0.5 and power % 2 == 1, f"{name} = {value} must be a power of 4")
    width, depth = np.sqrt(R / ell), np.sqrt(ell * R)

    def project(z: Vector) -> Vector:
        apart = z[0] - z[1]
        missing = max(width - abs(apart), 0.0) / 2
        return np.asarray(z + (missing if apart >= 0 else -missing) * np.array([1.0, -1.0]))

    operator = Operator(valley, np.array([ell, depth]), 2, "F = (h', h') of x - y")
    return Problem(operator, solution=np.array([width / 2, -width / 2]), project=project)


@problem_family(
    "no_solution",
    facts=[exact(Lipschitz("L")), exact(Monotone())],
    start=(1.0, 0.0),
    control="solution",
)
def no_solution(L: float = 1.0) -> Problem:
    """F = L(y, −x) on the half-plane x ≥ 1: monotone, maximal with the constraint, and without a
    zero, since −F = (−Ly, Lx) has a vertical part at least L. Iterates run off along y.

    Raises OpcheckError for L ≤ 0.
    """
    positive(L, "L")
    return Problem(linear([[0, L], [-L, 0]]), half_space([-1.0, 0.0], -1.0))


@problem_family(
    "quad_box_three",
    rounded=True,
    facts=[exact(Lipschitz("L")), exact(Comonotone("-c/L"))],
    start=(0.8, 0.8),
    control="WeakMinty",
)
def quad_box_three(c: float = 0.1, off: float = 0.9, L: float = 1.0) -> Problem:
    """quad_box beyond its threshold, the rotation of tight_linear about (off, off) on [−1, 1]²: F
    is cohypomonotone, F + N_box has three zeros and is not weakly Minty at (off, off).

    The parameters c = 0.1, off = 0.9 are those of an example of Pethick et al. 2023 (ICLR), stated
    with ρ = −0.1: wrong for the sum. The other zeros are (1, −0.09499) and (1, −1), where
    extragradient may end; the zero is unique for c < (1 − off)/√((1 + off)² + (1 − off)²) only.

    Raises OpcheckError for L ≤ 0, |off| ≥ 1, c ≥ 1 or a c below that threshold.
    """
    positive(L, "L")
    require(abs(off) < 1, f"off = {off} must lie strictly inside the box [-1, 1]")
    threshold = (1 - off) / np.hypot(1 + off, 1 - off)
    require(threshold < c < 1, f"c = {c} must lie in ({threshold:g}, 1) for off = {off}")
    a, b = "-c*L", "L*sqrt(1 - c**2)"
    offset = [f"-(({a}) + {b})*off", f"-(({a}) - {b})*off"]
    operator = linear(rotation_blocks([(a, b)]), offset, L=L, c=c, off=off)
    return Problem(operator, box([-1.0, -1.0], [1.0, 1.0]), solution=np.array([off, off]))


@problem_family("lq_unequal", rounded=True, control="Monotone")
def lq_unequal(horizon: int = 3, effort: float = 1.0) -> Problem:
    """lq_dynamic_game without constraint, with the semidefinite state costs [[2, 2], [2, 2]] and
    [[2, −2], [−2, 2]]: each player's cost is convex in the own inputs, and yet the pseudo-gradient
    is not monotone, μ = −3.1 for a horizon of 3. The zero is true to rounding.

    Raises OpcheckError for a horizon below 1, or an effort that is not positive or so large that
    the pseudo-gradient is monotone.
    """
    horizon = whole(horizon, "horizon")
    positive(effort, "effort")
    costs = 2 * np.ones((2, 2)), np.array([[2.0, -2.0], [-2.0, 2.0]])
    matrix, offset = lq_matrices(horizon, costs, effort)
    require(
        bool(np.linalg.eigvalsh(matrix + matrix.T)[0] < 0),
        f"with effort = {effort} the game is monotone; take a smaller one",
    )
    return Problem(
        linear(matrix, offset),
        solution=np.linalg.solve(matrix, -offset),
        facts=facts_of(matrix),
    )


@problem_family(
    "flat_valley",
    facts=[exact(Lipschitz("L")), exact(Monotone())],
    presets=[{"L": 2.0}],
    control="StronglyMonotone",
)
def flat_valley(L: float = 1.0) -> Problem:
    """F = L(x, 0): the gradient of Lx²/2 on the plane, monotone and cocoercive, with the line x = 0
    of zeros and therefore no μ.

    Raises OpcheckError for L ≤ 0.
    """
    positive(L, "L")
    return Problem(
        linear([[L, 0], [0, 0]]),
        solution=np.zeros(2),
        project=lambda z: np.array([0.0, z[1]]),
    )
