"""Quadratic games and robust least squares: F affine, its constants proved for the floats."""

from __future__ import annotations

import numpy as np

from opcheck import Monotone, Problem, exact, linear, problem_family
from opcheck.plugin import facts_of
from opcheck_problems._build import Matrix, orthogonal
from opcheck_problems._checks import require, whole


@problem_family(
    "quad_minmax",
    presets=[{"b": -0.4, "n": 3, "seed": 1}, {"b": -0.5, "n": 5, "seed": 2}, {"b": 0.3, "n": 4}],
)
def quad_minmax(b: float = -0.2, n: int = 3, seed: int = 0) -> Problem:
    """min max (b/2)‖x‖² + xᵀBy − (b/2)‖y‖² with the singular values of B spread over [1, 2].

    L = √(b² + 4); ρ = b/(b² + 1) for b < 0, ρ = b/(b² + 4) and μ = b for b > 0, up to the rounding
    of B; the facts are proved for the rounded matrix.

    Raises OpcheckError for n < 1 or b = 0.
    """
    n = whole(n, "n")
    require(b != 0, "b = 0 is a bilinear game; take the problem bilinear")
    generator = np.random.default_rng(seed)
    singular = np.linspace(1, 2, n) if n > 1 else np.ones(1)
    coupling = orthogonal(n, generator) @ np.diag(singular) @ orthogonal(n, generator)
    eye = b * np.eye(n)
    matrix = np.block([[eye, coupling], [-coupling.T, eye]])
    return Problem(linear(matrix), solution=np.zeros(2 * n), facts=facts_of(matrix))


@problem_family("robust_ls", rounded=True, presets=[{"lam": 3.0, "seed": 1}])
def robust_ls(lam: float = 1.5, m: int = 6, n: int = 3, seed: int = 0) -> Problem:
    """min_x max_y ‖Ax − y‖²/2 − (λ/2)‖y − y₀‖²: robust least squares, strongly monotone for λ > 1.

    A is m×n with small integer entries, y₀ = Ax* for an integer x*; then y* = y₀.

    Raises OpcheckError for λ ≤ 1 or m < n.
    """
    m, n = whole(m, "m"), whole(n, "n")
    require(lam > 1, f"lam = {lam} must exceed 1, else the inner problem is not concave")
    require(m >= n, f"m = {m} must be at least n = {n}")
    generator = np.random.default_rng(seed)
    A = generator.integers(-2, 3, (m, n)).astype(float)
    A[:n] += 3 * np.eye(n)
    x = generator.integers(-2, 3, n).astype(float)
    matrix = np.block([[A.T @ A, -A.T], [A, (lam - 1) * np.eye(m)]])
    offset = np.concatenate([np.zeros(n), -lam * (A @ x)])
    solution = np.concatenate([x, A @ x])
    return Problem(linear(matrix, offset), solution=solution, facts=facts_of(matrix))


@problem_family(
    "robust_ls_nonconcave",
    presets=[{"delta": 0.3, "n": 4, "seed": 1}],
)
def robust_ls_nonconcave(delta: float = 0.05, n: int = 3, seed: int = 0) -> Problem:
    """min_x max_y ‖Ax − y‖²/2 − ((1 − δ)/2)‖y‖² with A square: ρ = −δ/((1 − δ)σ_min(A)²).

    The singular values of A are spread over [1, 2]; 0 is the zero. The facts are proved for the
    rounded matrix.

    Raises OpcheckError unless 0 < δ < 1.
    """
    n = whole(n, "n")
    require(0 < delta < 1, f"delta = {delta} must lie in (0, 1)")
    generator = np.random.default_rng(seed)
    singular = np.linspace(1, 2, n) if n > 1 else np.ones(1)
    A = orthogonal(n, generator) @ np.diag(singular) @ orthogonal(n, generator)
    matrix = np.block([[A.T @ A, -A.T], [A, -delta * np.eye(n)]])
    return Problem(linear(matrix), solution=np.zeros(2 * n), facts=facts_of(matrix))


@problem_family("quad_game", presets=[{"n": 2, "rank": 1, "seed": 1}, {"n": 5, "rank": 5}])
def quad_game(n: int = 4, rank: int = 2, seed: int = 0) -> Problem:
    """min_x max_y xᵀAx/2 + xᵀBy − yᵀCy/2 + linear, A and C Gram matrices of the given rank.

    All data small integers, so nothing is rounded: monotone, and with a full rank strongly so. B is
    diagonally dominant and M therefore invertible; L, ρ and μ are proved for the matrix.

    Raises OpcheckError unless 1 ≤ rank ≤ n.
    """
    n, rank = whole(n, "n"), whole(rank, "rank")
    require(rank <= n, f"rank = {rank} must be at most n = {n}")
    generator = np.random.default_rng(seed)
    A, C = (_gram(generator.integers(-2, 3, (rank, n)).astype(float)) for _ in range(2))
    B = generator.integers(-1, 2, (n, n)) + 2.0 * n * np.eye(n)
    matrix = np.block([[A, B], [-B.T, C]])
    solution = generator.integers(-3, 4, 2 * n).astype(float)
    facts = [f for f in facts_of(matrix) if f.property.constant > 0]
    return Problem(
        linear(matrix, -(matrix @ solution)),
        start=np.zeros(2 * n),
        solution=solution,
        facts=(*facts, exact(Monotone())),
    )


def _gram(factor: Matrix) -> Matrix:
    return factor.T @ factor
