"""Problems 0 ∈ F(z) + A(z) with A ≠ 0: boxes, balls, subspaces, ‖·‖₁.

The modulus of F says nothing about S = F + A in general: a face turns a rotation into a line on
which the operator decreases. Facts of S are therefore stated where they can be proved: F monotone;
separable A with an antisymmetric-signed coupling; products of unconstrained and monotone blocks.
"""

from __future__ import annotations

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    Problem,
    WeakMinty,
    exact,
    linear,
    problem_family,
)
from opcheck.plugin import certified, lipschitz_above
from opcheck_problems._build import (
    ASYMMETRIC,
    MONOTONE,
    asymmetric,
    integer_monotone,
    planted,
    rotation_blocks,
    with_certified_constants,
)
from opcheck_problems._checks import positive, require, whole
from opcheck_problems.sets import affine_subspace, ball, box, half_space, l1, product, whole_space


@problem_family(
    "bilinear_box",
    facts=[exact(Lipschitz("L")), exact(Monotone())],
    presets=[{"off": 0.0}, {"L": 3.0, "off": 0.5}],
    start=(0.0, 0.0),
)
def bilinear_box(L: float = 1.0, off: float = 0.9) -> Problem:
    """min max L(x − off)(y − off) on [−1, 1]²: z* = (off, off).

    Raises OpcheckError for L ≤ 0 or |off| ≥ 1.
    """
    positive(L, "L")
    require(abs(off) < 1, f"off = {off} must lie strictly inside the box [-1, 1]")
    operator = linear([["0", "L"], ["-L", "0"]], ["-L*off", "L*off"], L=L, off=off)
    return Problem(operator, box([-1.0, -1.0], [1.0, 1.0]), solution=np.array([off, off]))


@problem_family(
    "quad_box",
    rounded=True,
    facts=[
        exact(Lipschitz("L")),
        exact(Comonotone("-c/L")),
        exact(WeakMinty("-c/L", of="S")),
    ],
    presets=[{"c": 0.3}, {"c": 0.38}, {"c": 0.02, "off": 0.9}, {"c": 0.2, "off": 0.3, "L": 2.0}],
    start=(0.8, 0.8),
)
def quad_box(c: float = 0.1, off: float = 0.0, L: float = 1.0) -> Problem:
    """The rotation of tight_linear about (off, off) on the box [−1, 1]².

    S = F + N_box is weakly Minty with the ρ = −c/L of F exactly when ⟨n, z − z* + 2(c/L)F(z)⟩ ≥ 0
    for every normal n: for c = sin φ this is tan 2φ ≤ (1 − |off|)/(1 + |off|), so c ≤ sin(π/8) for
    off = 0. S is not comonotone with ρ: on a face F decreases at the rate cL, hence −1/(cL).

    Raises OpcheckError for L ≤ 0, c < 0, |off| ≥ 1, or a c above that threshold.
    """
    positive(L, "L")
    require(abs(off) < 1, f"off = {off} must lie strictly inside the box [-1, 1]")
    require(0 <= c < 1, f"c = {c} must lie in [0, 1)")
    sine, cosine = 2 * c * np.sqrt(1 - c * c), 1 - 2 * c * c
    require(
        sine * (1 + abs(off)) <= cosine * (1 - abs(off)),
        f"with c = {c} and off = {off} the sum with the box is not weakly Minty; take a smaller c",
    )
    a, b = "-c*L", "L*sqrt(1 - c**2)"
    operator = linear(
        rotation_blocks([(a, b)]),
        [f"-(({a}) + {b})*off", f"-(({a}) - {b})*off"],
        L=L,
        c=c,
        off=off,
    )
    return Problem(operator, box([-1.0, -1.0], [1.0, 1.0]), solution=np.array([off, off]))


@problem_family(
    "asym_bilinear_box",
    facts=[
        exact(Lipschitz("q")),
        exact(Comonotone(ASYMMETRIC)),
        exact(Comonotone(ASYMMETRIC, of="S"), "A is separable"),
    ],
    presets=[
        {"r": 1 / 1.2},
        {"r": 1 / 1.9},
        {"x_centre": 2.0, "y_centre": 0.25},
        {"q": 2.0, "r": 1.5, "x_centre": -0.5, "y_centre": 3.0},
    ],
    start=(1.0, 0.75),
)
def asym_bilinear_box(
    q: float = 1.0, r: float = 0.625, x_centre: float = 0.0, y_centre: float = 0.0
) -> Problem:
    """F = (q(y − ŷ), −r(x − x̂)) on the box [−1, 1]², q ≥ r > 0, with (x̂, ŷ) the centre.

    ρ = −(q − r)/(2qr) is the modulus of F and of F + A for every separable maximal monotone A, so
    this is cohypomonotone with a constraint that binds. z* = (x̂, ŷ) where that lies in the box;
    else the zero is a corner: (s, −s) with s = sign x̂ for |x̂| > 1, (s, s) with s = sign ŷ for
    |ŷ| > 1.

    Raises OpcheckError unless q ≥ r > 0 and one of |x̂|, |ŷ| is below 1 and none is 1.
    """
    asymmetric(q, r)
    nearer, further = sorted([abs(x_centre), abs(y_centre)])
    require(
        nearer < 1 and further != 1,
        f"the centre ({x_centre}, {y_centre}) must not lie on the edge of the box, "
        "nor outside in both coordinates",
    )
    solution = [x_centre, y_centre]
    if abs(x_centre) > 1:
        solution = [np.sign(x_centre), -np.sign(x_centre)]
    elif abs(y_centre) > 1:
        solution = [np.sign(y_centre), np.sign(y_centre)]
    operator = linear(
        [["0", "q"], ["-r", "0"]],
        ["-q*y_centre", "r*x_centre"],
        q=q,
        r=r,
        x_centre=x_centre,
        y_centre=y_centre,
    )
    return Problem(operator, box([-1.0, -1.0], [1.0, 1.0]), solution=np.array(solution))


@problem_family(
    "disc_skew",
    rounded=True,
    facts=[exact(Lipschitz(1)), exact(Monotone())],
    presets=[{"q1": 0.3, "q2": 0.4}, {"q1": 3.0, "q2": 4.0}],
    start=(1.0, 0.0),
)
def disc_skew(q1: float = 1.0, q2: float = 2.0) -> Problem:
    """F = Jz + q, J = [[0, 1], [−1, 0]], on the unit disc.

    z* = −J⁻¹q where |q| ≤ 1, else −(J + λI)⁻¹q on the circle with λ = √(|q|² − 1): (0, −1) for the
    default q = (1, 2).
    """
    square = q1 * q1 + q2 * q2
    multiplier = np.sqrt(square - 1) if square > 1 else 0.0
    size = multiplier * multiplier + 1
    solution = np.array([q2 - multiplier * q1, -q1 - multiplier * q2]) / size
    operator = linear([[0, 1], [-1, 0]], [q1, q2])
    return Problem(operator, ball(1.0, [0.0, 0.0]), solution=solution)


@problem_family(
    "product_ball",
    facts=[
        exact(Lipschitz("L")),
        exact(Comonotone("-c/L")),
        exact(Comonotone("-c/L", of="S"), "the second block is monotone"),
    ],
    presets=[{"c": 0.1}, {"c": 0.45}, {"c": 0.6}, {"L": 2.0, "c": 0.25}],
    start=(1.0, 1.0, 0.75, 0.5),
    solution=(0.0, 0.0, 0.0, -1.0),
)
def product_ball(L: float = 1.0, c: float = 0.3) -> Problem:
    """The rotation of tight_linear on R² beside L times the skew VI of disc_skew on the unit disc.

    S is the product of a cohypomonotone block, tight everywhere, and a monotone constrained one, so
    L and ρ = −c/L are those of F and of S.

    Raises OpcheckError for L ≤ 0 or c outside [0, 1].
    """
    positive(L, "L")
    require(0 <= c <= 1, f"c = {c} must lie in [0, 1]")
    blocks = rotation_blocks([("-c*L", "L*sqrt(1 - c**2)"), ("0", "L")])
    operator = linear(blocks, ["0", "0", "L", "2*L"], L=L, c=c)
    return Problem(operator, product(whole_space(2), ball(1.0, [0.0, 0.0])))


@problem_family("affine_monotone", presets=[{"n": 8, "seed": 1}])
def affine_monotone(n: int = 4, seed: int = 0) -> Problem:
    """A monotone linear F on {Σ z_i = b₁, Σ (−1)^i z_i = b₂} in R^n, all data small integers.

    z* is drawn first; q is such that Mz* + q is normal to the subspace.

    Raises OpcheckError for an odd n or n < 4.
    """
    n = whole(n, "n", 4)
    require(n % 2 == 0, f"n = {n} must be even, so that the two equations are orthogonal")
    generator = np.random.default_rng(seed)
    matrix = integer_monotone(n, generator)
    solution = generator.integers(-3, 4, n).astype(float)
    rows = np.array([np.ones(n), [(-1.0) ** i for i in range(n)]])
    offset = planted(matrix, solution, rows.T @ np.array([2.0, -1.0]))
    subspace = affine_subspace(rows, rows @ solution)
    start = solution.copy()
    start[:4] += [3, 2, -3, -2]
    return with_certified_constants(
        matrix, Problem(linear(matrix, offset), subspace, start=start, solution=solution)
    )


@problem_family("half_space_monotone", presets=[{"n": 6, "seed": 1}])
def half_space_monotone(n: int = 3, seed: int = 0) -> Problem:
    """A monotone linear F on a half-space with z* on its edge, all data small integers.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    generator = np.random.default_rng(seed)
    matrix = integer_monotone(n, generator)
    normal = generator.integers(1, 4, n).astype(float)
    solution = generator.integers(-3, 4, n).astype(float)
    offset = planted(matrix, solution, 2 * normal)
    return with_certified_constants(
        matrix,
        Problem(
            linear(matrix, offset),
            half_space(normal, float(normal @ solution)),
            start=np.zeros(n),
            solution=solution,
        ),
    )


@problem_family("l1_skew", presets=[{"n": 8, "lam": 2.0, "seed": 1}])
def l1_skew(n: int = 4, lam: float = 0.5, seed: int = 0) -> Problem:
    """0 ∈ Mz + q + λ∂‖z‖₁ with M skew of small integers and a planted sparse z*.

    On the support of z* the subgradient is λ sign z*, elsewhere λ/2.

    Raises OpcheckError for n < 1 or λ ≤ 0.
    """
    n = whole(n, "n")
    positive(lam, "lam")
    generator = np.random.default_rng(seed)
    draws = generator.integers(-3, 4, (n, n)).astype(float)
    matrix = draws - draws.T
    solution = np.where(np.arange(n) % 2 == 0, generator.integers(1, 4, n), 0).astype(float)
    solution[2::4] *= -1
    subgradient = np.where(solution == 0, lam / 2, lam * np.sign(solution))
    operator = linear(matrix, planted(matrix, solution, subgradient))
    facts = (certified(Lipschitz(lipschitz_above(matrix))), *MONOTONE)
    return Problem(operator, l1(lam), start=np.zeros(n), solution=solution, facts=facts)
