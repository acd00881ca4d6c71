"""Linear operators that are badly conditioned or far from normal.

The matrices are floats; what is not a closed form is proved of these floats.
"""

from __future__ import annotations

import numpy as np

from opcheck import Lipschitz, Monotone, Problem, StronglyMonotone, exact, linear, problem_family
from opcheck.plugin import Operator, certified, facts_of, lipschitz_above
from opcheck_problems._build import Matrix, orthogonal
from opcheck_problems._checks import positive, require, whole


def bilinear_game(coupling: Matrix, **given: object) -> Problem:
    """min_x max_y xᵀBy: F = (By, −Bᵀx), skew whatever the rounding of B; L = ‖B‖₂ is proved."""
    n, m = coupling.shape
    matrix = np.block([[np.zeros((n, n)), coupling], [-coupling.T, np.zeros((m, m))]])
    facts = (certified(Lipschitz(lipschitz_above(coupling))), exact(Monotone()))
    return Problem(linear(matrix), solution=np.zeros(n + m), facts=facts, **given)  # type: ignore[arg-type]


@problem_family("bilinear_conditioned", presets=[{"n": 3, "kappa": 10.0}, {"n": 8, "seed": 1}])
def bilinear_conditioned(n: int = 2, kappa: float = 1e6, seed: int = 0) -> Problem:
    """min_x max_y xᵀBy with the singular values of B spread geometrically over [1/κ, 1].

    Monotone, μ = ρ = 0, L = 1 up to the rounding of B: methods with a step of order 1/L see the
    slow directions as flat for κ² steps.

    Raises OpcheckError for n < 2 or κ < 1.
    """
    n = whole(n, "n", 2)
    require(1 <= kappa < float("inf"), f"kappa = {kappa} must be at least 1 and finite")
    generator = np.random.default_rng(seed)
    singular = np.diag(np.geomspace(1 / kappa, 1, n))
    return bilinear_game(orthogonal(n, generator) @ singular @ orthogonal(n, generator))


@problem_family("hilbert_bilinear", presets=[{"n": 6}])
def hilbert_bilinear(n: int = 2) -> Problem:
    """min_x max_y xᵀHy with the Hilbert matrix, H_ij = 1/(i + j − 1): condition 19 for n = 2,
    1.5·10⁷ for n = 6. L is proved for the rounded matrix.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    index = np.arange(n)
    return bilinear_game(1 / (index[:, None] + index[None, :] + 1.0))


@problem_family("jordan_block", presets=[{"n": 3, "s": 0.5}, {"n": 40}])
def jordan_block(n: int = 10, s: float = 1.0) -> Problem:
    """F = (I + sN)z with N the shift: one eigenvalue 1 in one Jordan block, far from normal.

    Eigenvalues say that every step size below 2 contracts; the numerical range is the disc about 1
    of radius s cos(π/(n + 1)), so μ = 1 − s cos(π/(n + 1)), and L approaches 1 + s. L and ρ are
    proved for the matrix.

    Raises OpcheckError for n < 2, s ≤ 0, or s cos(π/(n + 1)) ≥ 1, where monotonicity ends.
    """
    n = whole(n, "n", 2)
    positive(s, "s")
    require(
        s * np.cos(np.pi / (n + 1)) < 1, f"s = {s} must stay below 1/cos(pi/(n + 1)) for n = {n}"
    )
    matrix = np.eye(n) + s * np.eye(n, k=1)
    strongly = exact(StronglyMonotone("1 - s + 2*s*sin(pi/(2*(n + 1)))**2"))
    facts = [f for f in facts_of(matrix) if f.property.kind is not StronglyMonotone]
    return Problem(linear(matrix), solution=np.zeros(n), facts=(*facts, strongly))


@problem_family("grcar", presets=[{"n": 6}, {"n": 30}])
def grcar(n: int = 10) -> Problem:
    """Grcar's matrix: 1 on the diagonal and the three superdiagonals, −1 below the diagonal.

    All eigenvalues lie in the right half-plane, yet F is not monotone from n = 6 on: the standard
    example of eigenvalues that mislead about a non-normal matrix. The facts are proved for it.

    Raises OpcheckError for n < 4.
    """
    n = whole(n, "n", 4)
    matrix = sum((np.eye(n, k=k) for k in range(4)), -np.eye(n, k=-1))
    return Problem(linear(matrix), solution=np.zeros(n), facts=facts_of(matrix))


@problem_family(
    "rotation_shift",
    facts=[exact(Lipschitz(1)), exact(Monotone())],
    presets=[{"n": 10, "seed": 1}],
)
def rotation_shift(n: int = 2, seed: int = 0) -> Problem:
    """F = [[0, I], [−I, 0]](z − z*) with z* and the start drawn from the integers 0, ..., 10.

    L = 1, ρ = μ = 0 on every pair. The experiment it comes from (Bot and Chenchene 2024, first)
    centres at a point that is no zero of its operator, and codes L as √n + 1: here z* is the zero.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    generator = np.random.default_rng(seed)
    solution = generator.integers(0, 11, 2 * n).astype(float)
    start = generator.integers(0, 11, 2 * n).astype(float)
    zero, eye = np.zeros((n, n)), np.eye(n)
    matrix = np.block([[zero, eye], [-eye, zero]])
    return Problem(linear(matrix, -(matrix @ solution)), start=start, solution=solution)


def turn_and_project(z, out, data):
    """Data: z*. F = J(z − z*) + P(z) − z*, P the projection onto the unit ball about z*."""
    n = z.shape[0] // 2
    size = (z[0] - data[0]) * (z[0] - data[0])
    for i in range(1, 2 * n):
        size += (z[i] - data[i]) * (z[i] - data[i])
    share = size - size + 1
    if size > 1:
        share = 1 / np.sqrt(size)
    for i in range(n):
        out[i] = z[n + i] - data[n + i] + share * (z[i] - data[i])
        out[n + i] = data[i] - z[i] + share * (z[n + i] - data[n + i])


@problem_family(
    "rotation_ball",
    facts=[
        exact(
            Lipschitz("(1 + sqrt(5))/2"),
            "Boţ and Chenchene's code takes a Frobenius norm, √n + 1",
            published="sqrt(n) + 1",
        ),
        exact(Monotone()),
    ],
)
def rotation_ball(n: int = 1, seed: int = 0) -> Problem:
    """F = [[0, I], [−I, 0]](z − z*) + P(z) − z* with P the projection onto the unit ball about z*,
    an integer point: strongly monotone inside the ball and nearly skew far from it.

    The first experiment of Bot and Chenchene 2024, centred so that z* is a zero, which their point
    is not. They code L = √n + 1 + 1; sampling gives 1.44; the constant is (1 + √5)/2, approached
    just outside the ball, where the Jacobian is [[0, 1], [−1, 1]] on the normal and its rotation.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    generator = np.random.default_rng(seed)
    solution = generator.integers(0, 11, 2 * n).astype(float)
    start = generator.integers(0, 11, 2 * n).astype(float)
    operator = Operator(turn_and_project, solution.copy(), 2 * n, "F = J(z - z*) + P(z) - z*")
    return Problem(operator, start=start, solution=solution)
