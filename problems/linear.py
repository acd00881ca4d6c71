"""Linear operators F(z) = Mz + q with prescribed constants.

For such an F the modulus of comonotonicity is the least eigenvalue of the symmetric part of M⁻¹.
Matrices with irrational entries are formulas, so that the stated constants are true of the operator
under every reading; random dense ones are floats, and their constants are proved for these floats.
"""

from __future__ import annotations

import numpy as np

from opcheck import (
    Cocoercive,
    Comonotone,
    Lipschitz,
    Monotone,
    Problem,
    StronglyMonotone,
    exact,
    linear,
    problem_family,
)
from opcheck.plugin import facts_of
from opcheck_problems._build import ASYMMETRIC, asymmetric, orthogonal, rotation_blocks
from opcheck_problems._checks import positive, require, whole


def within_class(L: float, rho: float) -> None:
    """Raises OpcheckError unless L > 0 and |ρ| L ≤ 1."""
    positive(L, "L")
    require(
        abs(rho) * L <= 1, f"no operator has rho = {rho} and L = {L} attained: |rho| L exceeds 1"
    )


@problem_family(
    "bilinear",
    facts=[exact(Lipschitz("L")), exact(Monotone())],
    presets=[{"L": 2.0}, {"n": 5}],
)
def bilinear(L: float = 1.0, n: int = 1) -> Problem:
    """min_x max_y L⟨x, y⟩ with x, y ∈ R^n: F = (L y, −L x), zero at 0; ρ = 0 on every pair.

    Raises OpcheckError for L ≤ 0 or n < 1.
    """
    positive(L, "L")
    n = whole(n, "n")
    zero, eye = np.zeros((n, n)), L * np.eye(n)
    operator = linear(np.block([[zero, eye], [-eye, zero]]))
    return Problem(operator, solution=np.zeros(2 * n))


@problem_family(
    "bilinear_slow",
    facts=[exact(Lipschitz(1)), exact(Monotone())],
    presets=[{"K": 10}, {"K": 1000, "gamma": 0.9}],
)
def bilinear_slow(K: int = 100, gamma: float = 0.5) -> Problem:
    """min max x₁y₁ + w x₂y₂ with w = 1/(γ√K): the slow block makes extragradient with step γ decay
    as 1/K after K steps (Golowich et al. 2020).

    Raises OpcheckError for K < 1 or γ√K < 1, where w would exceed L = 1.
    """
    K = whole(K, "K")
    positive(gamma, "gamma")
    require(gamma * gamma * K >= 1, f"gamma = {gamma} needs K >= 1/gamma^2, not {K}")
    blocks = rotation_blocks([("0", "1"), ("0", "1/(gamma*sqrt(K))")])
    return Problem(linear(blocks, K=K, gamma=gamma), solution=np.zeros(4))


@problem_family(
    "tight_linear",
    presets=[
        {"c": 0.0},
        {"c": 0.25},
        {"c": 0.4},
        {"c": 0.45},
        {"c": 0.6},
        {"c": 0.9},
        {"L": 3.0, "c": 1 / 3},
        {"L": 0.5, "c": 0.4},
        {"c": -0.2},
        {"c": -1.0},
        {"c": 0.05},
        {"c": 0.5},
        {"c": 1.0},
        {"L": 2.0, "c": 0.5},
    ],
)
def tight_linear(L: float = 1.0, c: float = 0.1) -> Problem:
    """L times a rotation by the angle with cosine −c: every pair attains L and ρ = −c/L.

    f = a xy + (b/2)(x² − y²) with a = L√(1 − c²), b = −cL (Pethick et al. 2022, Theorem 3.4).
    c < 0 gives a cocoercive rotation, c = −1 the operator L I, c = 1/2 the rotation by 120° (the
    counterexample of Gorbunov et al. 2023), c = 1/3 with L = 3 the figure of Pethick et al. 2022.

    Raises OpcheckError for L ≤ 0 or |c| > 1.
    """
    positive(L, "L")
    require(abs(c) <= 1, f"c = {c} must lie in [-1, 1]: |rho| L cannot exceed 1")
    facts = [exact(Lipschitz("L")), exact(Comonotone("-c/L"))]
    facts += [exact(StronglyMonotone("-c*L"))] if c < 0 else []
    blocks = rotation_blocks([("-c*L", "L*sqrt(1 - c**2)")])
    return Problem(linear(blocks, L=L, c=c), solution=np.zeros(2), facts=tuple(facts))


@problem_family(
    "slow_family",
    facts=[
        exact(Lipschitz("L"), "a bound: the constant itself is 1/√(ρ² + s²)"),
        exact(Comonotone("rho")),
    ],
    presets=[
        {"rho": 0.0, "s": 10.0},
        {"rho": -0.3, "s": 1.0},
        {"rho": -0.3, "s": 20.0},
        {"rho": -0.45, "s": 10.0},
        {"rho": -0.6, "s": 5.0},
    ],
)
def slow_family(rho: float = -0.3, s: float = 5.0, L: float = 1.0) -> Problem:
    """The 2×2 rotation and scaling with eigenvalues μ such that 1/μ = ρ ± i s.

    A member of the class (L, ρ) whenever ρ² + s² ≥ 1/L²; a growing s slows methods with a step
    of order 1/L down, and s = √k shows the decay in k that the class allows.

    Raises OpcheckError for L ≤ 0, s ≤ 0, or ρ² + s² < 1/L².
    """
    positive(L, "L")
    positive(s, "s")
    require(
        (rho * rho + s * s) * L * L >= 1,
        f"rho = {rho} and s = {s} give a Lipschitz constant above L = {L}; take a larger s",
    )
    blocks = rotation_blocks([("rho/(rho**2 + s**2)", "s/(rho**2 + s**2)")])
    return Problem(linear(blocks, rho=rho, s=s), solution=np.zeros(2))


@problem_family(
    "feg_tight",
    facts=[exact(Lipschitz("L")), exact(Comonotone("cos((2*j + 1)*pi/(3*n))/L"))],
    presets=[{"n": 10, "j": 8}, {"n": 20, "j": 17}, {"n": 100, "j": 87}, {"n": 5, "L": 2.0}],
)
def feg_tight(n: int = 5, j: int = 4, L: float = 1.0) -> Problem:
    """L times the rotation by θ = (2j + 1)π/(3n): FEG meets its bound with equality at step n.

    ρ = cos(θ)/L. There |F z_n| = |1 − exp(3inθ)| |z⁰|/(n(1/L + 2ρ)) with |1 − exp(3inθ)| = 2,
    and the bound of Lee and Kim 2021 is 4|z⁰|²/(n(1/L + 2ρ))².

    Raises OpcheckError for L ≤ 0, or unless 3n/2 ≤ 2j + 1 < 2n, so that −1/2 < ρL ≤ 0.
    """
    n, j = whole(n, "n"), whole(j, "j", 0)
    positive(L, "L")
    require(
        3 * n <= 2 * (2 * j + 1) < 4 * n,
        f"j = {j} must satisfy 3n/2 <= 2j + 1 < 2n for n = {n}",
    )
    angle = "(2*j + 1)*pi/(3*n)"
    blocks = rotation_blocks([(f"L*cos({angle})", f"L*sin({angle})")])
    return Problem(linear(blocks, L=L, n=n, j=j), solution=np.zeros(2))


@problem_family(
    "block_rotation",
    presets=[
        {"rho": -0.4, "n": 10},
        {"rho": -0.4, "n": 12, "seed": 1},
        {"rho": -0.7, "n": 4},
        {"rho": 0.2, "n": 6},
        {"rho": -0.1, "L": 3.0, "n": 6},
    ],
)
def block_rotation(n: int = 6, L: float = 1.0, rho: float = -0.3, seed: int = 0) -> Problem:
    """Q diag(s_i rotations) Qᵀ: one plane attains L and ρ, the others have s_i < L and a larger ρ.

    A normal matrix; n is even. The facts are proved for the rounded matrix.

    Raises OpcheckError for an odd n, L ≤ 0 or |ρ| L > 1.
    """
    n = whole(n, "n", 2)
    require(n % 2 == 0, f"n = {n} must be even: the blocks are planes")
    within_class(L, rho)
    generator = np.random.default_rng(seed)
    block = np.zeros((n, n))
    for i in range(n // 2):
        scale = L if i == 0 else L * generator.uniform(0.2, 1.0)
        cosine = rho * L if i == 0 else generator.uniform(max(rho * scale, -1.0), 1.0)
        a, b = scale * cosine, scale * np.sqrt(1 - cosine * cosine)
        block[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[a, b], [-b, a]]
    q = orthogonal(n, generator)
    matrix = q @ block @ q.T
    return Problem(linear(matrix), solution=np.zeros(n), facts=facts_of(matrix))


@problem_family(
    "inverse_skew",
    presets=[
        {"rho": -0.45, "n": 10},
        {"rho": -0.3, "n": 12, "seed": 1},
        {"rho": -0.7, "n": 4},
        {"rho": 0.2, "n": 6},
    ],
)
def inverse_skew(n: int = 6, L: float = 1.0, rho: float = -0.3, seed: int = 0) -> Problem:
    """(ρI + S)⁻¹ with S skew: the symmetric part of the inverse is ρI, so every pair attains ρ.

    The eigenvalues ±iσ of S have σ ≥ √(1/L² − ρ²), once with equality. n is even. The facts are
    proved for the rounded matrix.

    Raises OpcheckError for an odd n, L ≤ 0 or |ρ| L ≥ 1.
    """
    n = whole(n, "n", 2)
    require(n % 2 == 0, f"n = {n} must be even: a skew matrix of odd order is singular")
    within_class(L, rho)
    require(abs(rho) * L < 1, f"|rho| L = {abs(rho) * L} must stay below 1")
    generator = np.random.default_rng(seed)
    least = np.sqrt(1 / (L * L) - rho * rho)
    skew = np.zeros((n, n))
    for i in range(n // 2):
        size = least if i == 0 else least + generator.exponential(1 / L)
        skew[2 * i, 2 * i + 1], skew[2 * i + 1, 2 * i] = size, -size
    q = orthogonal(n, generator)
    matrix = np.linalg.inv(rho * np.eye(n) + q @ skew @ q.T)
    return Problem(linear(matrix), solution=np.zeros(n), facts=facts_of(matrix))


@problem_family(
    "random_comonotone",
    presets=[
        {"rho": -0.45, "n": 10, "seed": 1},
        {"rho": -0.3, "n": 12, "seed": 2},
        {"rho": -0.8, "n": 3, "seed": 3},
        {"rho": -0.1, "L": 2.0, "n": 5, "seed": 4},
    ],
)
def random_comonotone(n: int = 6, L: float = 1.0, rho: float = -0.3, seed: int = 0) -> Problem:
    """(ρI + N)⁻¹ with N monotone and far from normal, scaled so that σ_min(ρI + N) = 1/L.

    N has a symmetric part of half rank, so ρ is the modulus. The facts are proved for the rounded
    matrix.

    Raises OpcheckError for n < 2, L ≤ 0 or |ρ| L > 1.
    """
    n = whole(n, "n", 2)
    within_class(L, rho)
    generator = np.random.default_rng(seed)
    skew, half = generator.standard_normal((n, n)), generator.standard_normal((n, n // 2))
    monotone = skew - skew.T + half @ half.T

    def smallest(scale: float) -> float:
        shifted = rho * np.eye(n) + scale * monotone
        return float(np.linalg.svd(shifted, compute_uv=False)[-1]) - 1 / L

    hi = 1.0
    while smallest(hi) < 0:
        hi *= 2
    lo = hi / 2
    while smallest(lo) > 0 and lo > 1e-9:
        lo /= 2
    for _ in range(100):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if smallest(middle) < 0 else (lo, middle)
    matrix = np.linalg.inv(rho * np.eye(n) + hi * monotone)
    return Problem(linear(matrix), solution=np.zeros(n), facts=facts_of(matrix))


@problem_family(
    "asym_bilinear",
    facts=[exact(Lipschitz("q")), exact(Comonotone(ASYMMETRIC))],
    presets=[{"r": 1 / 1.2}, {"r": 1 / 1.9}, {"r": 0.4}, {"q": 2.0, "r": 1.5}],
)
def asym_bilinear(q: float = 1.0, r: float = 0.625) -> Problem:
    """F = (q y, −r x) with q ≥ r > 0: L = q and ρ = −(q − r)/(2qr), although the eigenvalues
    ±i√(qr) are those of a bilinear game. r = L/(1 + 2c) gives ρ = −c/L.

    Raises OpcheckError unless q ≥ r > 0.
    """
    asymmetric(q, r)
    return Problem(linear([[0, q], [-r, 0]]), solution=np.zeros(2))


@problem_family(
    "ouyang_xu",
    facts=[
        exact(
            Lipschitz(
                "sqrt(2*cos(pi/(2*n + 1))**4/16 + cos(pi/(2*n + 1))**2/4"
                " + sqrt((2*cos(pi/(2*n + 1))**4/16 + cos(pi/(2*n + 1))**2/4)**2"
                " - cos(pi/(2*n + 1))**4/16))"
            ),
            "from σ_max(A) = cos(π/(2n + 1))/2, blockwise; the sources say 1-smooth",
            published=1,
        ),
        exact(Monotone()),
    ],
    presets=[{"n": 20}],
)
def ouyang_xu(n: int = 5) -> Problem:
    """min_x max_y xᵀHx/2 − hᵀx − ⟨Ax − b, y⟩ with H = 2AᵀA, A = 1/4 of the antidiagonal bidiagonal
    matrix, b = 1/4, h = e_n/4 (Ouyang and Xu 2021): x* = (1, ..., n), y* = −1/2, start 0.

    The lower-bound instance of smooth convex-concave problems: monotone with μ = ρ = 0.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    A = np.zeros((n, n))
    for i in range(n):
        A[i, n - 1 - i] = 1 / 4
        if i < n - 1:
            A[i, n - 2 - i] = -1 / 4
    H = 2 * A.T @ A
    h = np.zeros(n)
    h[-1] = 1 / 4
    matrix = np.block([[H, -A.T], [A, np.zeros((n, n))]])
    offset = np.concatenate([-h, np.full(n, -1 / 4)])
    solution = np.concatenate([np.arange(1.0, n + 1), np.full(n, -1 / 2)])
    return Problem(linear(matrix, offset), start=np.zeros(2 * n), solution=solution)


@problem_family(
    "right_shift",
    facts=[exact(Lipschitz("2*cos(pi/(2*n + 1))")), exact(Cocoercive("1/2"))],
    presets=[{"n": 5}],
)
def right_shift(n: int = 40) -> Problem:
    """F(z) = z − Sz − (e₁ − e₂) with S the truncated right shift: 1/2-cocoercive, z* = e₁.

    Start 0.9 e₁ + e₃. A flavour of infinite dimension as long as n exceeds twice the iterations.

    Raises OpcheckError for n < 3.
    """
    n = whole(n, "n", 3)
    matrix = np.eye(n) - np.eye(n, k=-1)
    offset, solution, start = np.zeros(n), np.zeros(n), np.zeros(n)
    offset[0], offset[1], solution[0] = -1, 1, 1
    start[0], start[2] = 0.9, 1
    return Problem(linear(matrix, offset), start=start, solution=solution)


@problem_family(
    "strongly_monotone",
    facts=[
        exact(Lipschitz("L")),
        exact(StronglyMonotone("mu")),
        exact(Comonotone("mu/L**2")),
    ],
    presets=[{"mu": 0.01}, {"mu": 1.0}, {"mu": 0.5, "L": 4.0}],
)
def strongly_monotone(mu: float = 0.1, L: float = 1.0) -> Problem:
    """[[μ, w], [−w, μ]] with w = √(L² − μ²): every pair attains L, μ and ρ = μ/L².

    Raises OpcheckError unless 0 < μ ≤ L.
    """
    require(0 < mu <= L, f"mu = {mu} must be positive and at most L = {L}")
    blocks = rotation_blocks([("mu", "sqrt(L**2 - mu**2)")])
    return Problem(linear(blocks, mu=mu, L=L), solution=np.zeros(2))


@problem_family("dense_monotone", presets=[{"n": 5, "seed": 1}, {"n": 40, "seed": 2}])
def dense_monotone(n: int = 20, seed: int = 0) -> Problem:
    """M = skew + positive definite, dense and not normal, of norm about 1; zero 0.

    The symmetric part has eigenvalues from 0.01 to 0.3. The facts are proved for the rounded
    matrix.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    generator = np.random.default_rng(seed)
    skew, q = generator.standard_normal((n, n)), orthogonal(n, generator)
    skew = (skew - skew.T) / max(float(np.linalg.norm(skew - skew.T, 2)), 1.0)
    matrix = skew + q @ np.diag(np.linspace(0.01, 0.3, n)) @ q.T
    return Problem(linear(matrix), solution=np.zeros(n), facts=facts_of(matrix))
