"""Problems 0 ∈ F(z) + A(z) with A ≠ 0: boxes, balls, simplices, subspaces, ‖·‖₁, complementarity.

The modulus of F says nothing about S = F + A in general: a face turns a rotation into a line on
which the operator decreases. Facts of S are therefore stated where they can be proved: F monotone;
separable A with an antisymmetric-signed coupling; products of unconstrained and monotone blocks.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from opcheck.model.matrix_facts import certified, facts_of, lipschitz_above
from opcheck.model.operator import Vector, linear
from opcheck.model.problem import Problem, problem_family
from opcheck.model.property import (
    Comonotone,
    Lipschitz,
    Monotone,
    StronglyMonotone,
    WeakMinty,
    exact,
)
from opcheck_problems._checks import positive, require, whole
from opcheck_problems.linear import ASYMMETRIC, asymmetric, rotation_blocks
from opcheck_problems.sets import (
    affine_subspace,
    ball,
    box,
    half_space,
    l1,
    orthant,
    product,
    simplex,
    simplices,
    whole_space,
)

Matrix = NDArray[np.float64]
MONOTONE = (exact(Monotone()),)


def planted(matrix: Matrix, solution: Vector, normal: Vector) -> Vector:
    """q = −M z* − normal, so that z* solves 0 ∈ Mz + q + A(z) when normal ∈ A(z*)."""
    return -(matrix @ solution) - normal


def integer_monotone(n: int, generator: np.random.Generator) -> Matrix:
    """Skew plus nonnegative diagonal, in small integers: monotone without any rounding."""
    draws = generator.integers(-3, 4, (n, n)).astype(float)
    return draws - draws.T + np.diag(generator.integers(0, 3, n).astype(float))


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


def game(payoff: Matrix, x: list[float], y: list[float]) -> Problem:
    """min_x max_y yᵀPx over mixed strategies: F = (Pᵀy, −Px); start at pure strategies."""
    m, n = payoff.shape
    matrix = np.block([[np.zeros((n, n)), payoff.T], [-payoff, np.zeros((m, m))]])
    start = np.zeros(n + m)
    start[0] = start[n + 1] = 1
    return Problem(
        linear(matrix), simplices(n, m), start=start, solution=np.array([*x, *y], dtype=float)
    )


@problem_family("rps", facts=[exact(Lipschitz("sqrt(3)")), exact(Monotone())])
def rps() -> Problem:
    """Rock, paper, scissors: both players mix evenly."""
    payoff = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return game(payoff, [1 / 3] * 3, [1 / 3] * 3)


@problem_family("weighted_rps", facts=[exact(Lipschitz("sqrt(14)")), exact(Monotone())])
def weighted_rps() -> Problem:
    """Rock, paper, scissors with stakes 1, 2, 3: both players mix as (3, 2, 1)/6."""
    payoff = np.array([[0.0, -1, 2], [1, 0, -3], [-2, 3, 0]])
    return game(payoff, [1 / 2, 1 / 3, 1 / 6], [1 / 2, 1 / 3, 1 / 6])


@problem_family("matching_pennies", facts=[exact(Lipschitz(2)), exact(Monotone())])
def matching_pennies() -> Problem:
    """Matching pennies: both players mix evenly."""
    return game(np.array([[1.0, -1], [-1, 1]]), [0.5, 0.5], [0.5, 0.5])


@problem_family("matrix_game", presets=[{"n": 8, "seed": 1}, {"n": 4, "seed": 2}])
def matrix_game(n: int = 4, seed: int = 0) -> Problem:
    """A random n×n matrix game of small integers with zero row and column sums.

    The even mixture is an equilibrium of value 0, in floats exactly so where n is a power of 2; it
    is the only one where the matrix has rank n − 1. L = ‖P‖₂ is proved for the matrix.

    Raises OpcheckError for n < 2.
    """
    n = whole(n, "n", 2)
    generator = np.random.default_rng(seed)
    payoff = np.zeros((n, n))
    while np.linalg.matrix_rank(payoff) < n - 1:
        (i, k), (j, m) = (generator.choice(n, 2, replace=False) for _ in range(2))
        payoff[[i, k], [j, m]] += 1
        payoff[[i, k], [m, j]] -= 1
    made = game(payoff, [1 / n] * n, [1 / n] * n)
    facts = (certified(Lipschitz(lipschitz_above(payoff))), *MONOTONE)
    return dataclasses.replace(made, facts=facts)


def with_certified_constants(matrix: Matrix, problem: Problem) -> Problem:
    """The problem with the proved constants of its matrix, which is monotone by construction."""
    proved = [f for f in facts_of(matrix) if f.property.constant > 0]
    return dataclasses.replace(problem, facts=(*proved, *MONOTONE))


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


COTANGENT = "cos(pi/(4*n))/sin(pi/(4*n))"


@problem_family(
    "sun_murty_lcp",
    facts=[
        exact(Lipschitz(COTANGENT), "a package lists (2n)²", published="4*n**2"),
        exact(Monotone()),
    ],
    presets=[{"n": 4}],
)
def sun_murty_lcp(n: int = 10) -> Problem:
    """Murty's complementarity problem: M unit upper triangular with 2 above the diagonal, q = −1,
    on the orthant; z* = e_n.

    Monotone without strictness, (M + Mᵀ)/2 = 11ᵀ; L = cot(π/(4n)), since M = (I + N)(I − N)⁻¹ with
    N the shift.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    matrix = np.eye(n) + 2 * np.triu(np.ones((n, n)), 1)
    solution = np.zeros(n)
    solution[-1] = 1
    return Problem(linear(matrix, -np.ones(n)), orthant(), solution=solution)


def complementarity(matrix: Matrix, offset: Vector) -> Vector:
    """The solution of z ≥ 0, Mz + q ≥ 0, ⟨z, Mz + q⟩ = 0 for a positive definite M, by principal
    pivots on the least infeasible index (Murty 1974)."""
    n = len(offset)
    basic = np.zeros(n, dtype=bool)
    while True:
        z = np.zeros(n)
        z[basic] = np.linalg.solve(matrix[np.ix_(basic, basic)], -offset[basic])
        wrong = np.flatnonzero(np.where(basic, z, matrix @ z + offset) < 0)
        if wrong.size == 0:
            return z
        basic[wrong[0]] = ~basic[wrong[0]]


def harker_pang_data(n: int, generator: np.random.Generator) -> tuple[Matrix, Vector]:
    """M = EEᵀ + B + D and q, drawn in the order E, B, D, q."""
    factor = generator.uniform(-5, 5, (n, n))
    upper = np.triu(generator.uniform(-5, 5, (n, n)), 1)
    diagonal = np.diag(generator.uniform(0, 0.3, n))
    return factor @ factor.T + upper - upper.T + diagonal, generator.uniform(-500, 0, n)


@problem_family("harker_pang", presets=[{"n": 5, "seed": 1}])
def harker_pang(n: int = 10, seed: int = 0) -> Problem:
    """Linear complementarity with M = EEᵀ + B + D, entries of E and of the skew B uniform on
    (−5, 5), the diagonal D on (0, 0.3), q on (−500, 0) (Harker and Pang 1990).

    Strongly monotone, badly conditioned; the zero is found by pivoting, true to rounding.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    matrix, offset = harker_pang_data(n, np.random.default_rng(seed))
    return Problem(
        linear(matrix, offset),
        orthant(),
        start=np.ones(n),
        solution=complementarity(matrix, offset),
        facts=facts_of(matrix),
    )


@problem_family(
    "braess",
    facts=[
        exact(Lipschitz(31)),
        exact(StronglyMonotone(1)),
        exact(Comonotone("1/31")),
    ],
    start=(6.0, 0.0, 0.0),
    solution=(2.0, 2.0, 2.0),
)
def braess() -> Problem:
    """Traffic equilibrium of Braess: demand 6 on the paths a-c, b-d, a-e-d with link costs 10f,
    f + 50, f + 50, 10f, f + 10 of a, b, c, d, e. Equilibrium (2, 2, 2), where every path costs 92.
    """
    matrix = np.array([[11.0, 0, 10], [0, 11, 10], [10, 10, 21]])
    return Problem(linear(matrix, [50, 50, 10]), simplex(3, 6.0))


@problem_family(
    "braess_closed",
    facts=[exact(Lipschitz(11)), exact(StronglyMonotone(11)), exact(Comonotone("1/11"))],
    start=(6.0, 0.0),
    solution=(3.0, 3.0),
)
def braess_closed() -> Problem:
    """braess without the link e: two paths of cost 11f + 50. Equilibrium (3, 3), where every path
    costs 83, less than the 92 with the additional link.
    """
    return Problem(linear([[11.0, 0], [0, 11]], [50, 50]), simplex(2, 6.0))
