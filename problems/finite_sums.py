"""Finite sums: F is the mean of components F_i, sampled by mini-batches of them.

Components are arrays (matrices M_i, offsets q_i) with F_i(z) = M_i z + q_i. ``batch`` of them are
drawn independently; facts and solution are those of the mean.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    Problem,
    exact,
    linear,
    mini_batch,
    problem_family,
)
from opcheck.plugin import Vector, certified, facts_of, lipschitz_above
from opcheck_problems._build import ASYMMETRIC, Matrix, asymmetric, orthogonal
from opcheck_problems._checks import positive, require, whole

Components = tuple[Matrix, Matrix]  # shapes (count, d, d) and (count, d)


SCALED = "3/odds + (1 - 1/odds)/2"


def centred_at_unit(matrices: Matrix, draws: Matrix) -> Components:
    """The components with offsets whose mean is −M e₁, to rounding: then z* = e₁."""
    centre = np.mean(matrices, axis=0)[:, 0]
    return matrices, draws - np.mean(draws, axis=0) - centre


def mean_problem(components: Components, batch: int) -> Problem:
    """The mean of components that ``centred_at_unit`` made; no rounding moves its zero e₁."""
    matrix, _ = mean(components)
    unit = np.eye(len(matrix))[0]
    operator = linear(matrix, -matrix[:, 0])
    oracle = mini_batch(*components, batch)
    return Problem(operator, start=np.zeros(len(matrix)), solution=unit, oracle=oracle)


def mean(components: Components) -> tuple[Matrix, Vector]:
    """M and q of the mean operator, in float64."""
    matrices, offsets = components
    return np.mean(matrices, axis=0), np.mean(offsets, axis=0)


@problem_family(
    "scaled_lips_bilinear",
    facts=[exact(Lipschitz(SCALED)), exact(Monotone())],
    presets=[{"odds": 3, "centre": 4.0}],
)
def scaled_lips_bilinear(odds: int = 5, centre: float = 5.0, batch: int = 1) -> Problem:
    """The mean of F₁ = 3(y − c, −(x − c)) with probability p = 1/odds and F₂ = (y, −x)/2 else (code
    of Pethick et al. 2023 on stochastic weak Minty problems): (Ly − 3pc, −(Lx − 3pc)) with
    L = 3p + (1 − p)/2, z* = 6c/(5 + odds).

    For p = 1/5 L = 1, while the largest L of a component is 3. The source has c = 1 and z* =
    (0.6, 0.6); with c = 5 the zero (3, 3) is not rounded. The variance grows with z.

    Raises OpcheckError for odds < 2, batch < 1 or a centre that is not finite.
    """
    odds = whole(odds, "odds", 2)
    require(bool(np.isfinite(centre)), f"centre = {centre} must be finite")
    offset = "3*centre/odds"
    operator = linear(
        [["0", SCALED], [f"-({SCALED})", "0"]], [f"-{offset}", offset], odds=odds, centre=centre
    )
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    matrices = np.stack([3 * turn, turn / 2])
    offsets = np.stack([-3 * centre * turn.sum(axis=1), np.zeros(2)])
    oracle = mini_batch(matrices, offsets, batch, (1 / odds, 1 - 1 / odds))
    solution = np.full(2, 6 * centre / (5 + odds))
    return Problem(operator, start=np.zeros(2), solution=solution, oracle=oracle)


def bilinear_components(n: int, seed: int) -> Components:
    """f_i = x_i y_i + ⟨a_i, x⟩ + ⟨b_i, y⟩, a_i and b_i integers from −3 to 3."""
    draws = np.random.default_rng(seed).integers(-3, 4, (n, 2 * n)).astype(float)
    matrices = np.zeros((n, 2 * n, 2 * n))
    index = np.arange(n)
    matrices[index, index, n + index], matrices[index, n + index, index] = 1, -1
    return matrices, draws * np.repeat([1.0, -1.0], n)


@problem_family(
    "finite_sum_bilinear",
    facts=[exact(Lipschitz("1/n")), exact(Monotone())],
    presets=[{"n": 4, "seed": 1}],
)
def finite_sum_bilinear(n: int = 2, seed: int = 0, batch: int = 1) -> Problem:
    """The mean of f_i = x_i y_i + ⟨a_i, x⟩ + ⟨b_i, y⟩, i = 1, ..., n, on R^n × R^n (Chavdarova et
    al. 2020, n = 100, as a sum with L = 1): each component is singular, the mean has L = 1/n.

    x* = −n mean(b), y* = −n mean(a). n is a power of two, so that the mean is not rounded.

    Raises OpcheckError unless n = 1, 2, 4, ... and batch ≥ 1.
    """
    n = whole(n, "n")
    require(n & (n - 1) == 0, f"n = {n} must be a power of two")
    components = bilinear_components(n, seed)
    matrix, offset = mean(components)
    solution = n * np.concatenate([offset[n:], -offset[:n]])
    oracle, start = mini_batch(*components, batch), np.zeros(2 * n)
    return Problem(linear(matrix, offset), start=start, solution=solution, oracle=oracle)


def dense_components(count: int, n: int, seed: int) -> Components:
    """f_i = xᵀA_i y + ⟨b_i, x⟩ + ⟨c_i, y⟩, A_i = A + centred noise, σ(A) in [1, 2], z* = e₁."""
    generator = np.random.default_rng(seed)
    centre = orthogonal(n, generator) @ np.diag(np.linspace(1, 2, n)) @ orthogonal(n, generator)
    noise = 0.1 * generator.standard_normal((count, n, n))
    couplings = centre + noise - noise.mean(axis=0)
    matrices = np.zeros((count, 2 * n, 2 * n))
    matrices[:, :n, n:], matrices[:, n:, :n] = couplings, -couplings.transpose(0, 2, 1)
    return centred_at_unit(matrices, generator.standard_normal((count, 2 * n)) / n)


@problem_family("finite_sum_bilinear_dense", presets=[{"count": 4, "n": 4, "seed": 1}])
def finite_sum_bilinear_dense(count: int = 8, n: int = 2, seed: int = 0, batch: int = 1) -> Problem:
    """The mean of bilinear games with A_i = A + 0.1 noise, the singular values of A spread over
    [1, 2]; the noise is centred over the sample, so that A is the mean to rounding.

    The code it comes from solves with the centre A and draws noise that is not centred, so its
    solution is not that of its finite sum. L is proved for the mean; z* = e₁.

    Raises OpcheckError for count < 2, n < 1 or batch < 1.
    """
    count, n = whole(count, "count", 2), whole(n, "n")
    problem = mean_problem(dense_components(count, n, seed), batch)
    assert problem.operator.matrix is not None
    L = certified(Lipschitz(lipschitz_above(problem.operator.matrix)))
    return dataclasses.replace(problem, facts=(L, exact(Monotone())))


def quadratic_components(count: int, n: int, kappa: float, seed: int) -> Components:
    """f_i = xᵀA_i x/2 + xᵀB_i y − yᵀC_i y/2 + ⟨a_i, x⟩ − ⟨c_i, y⟩: A_i and C_i symmetric with
    spectra in [1/κ, 1], B_i with singular values up to 1; z* = e₁."""
    generator = np.random.default_rng(seed)
    matrices = np.empty((count, 2 * n, 2 * n))
    for i in range(count):
        blocks = []
        for _ in range(2):
            q = orthogonal(n, generator)
            block = q @ np.diag(generator.uniform(1 / kappa, 1, n)) @ q.T
            blocks.append((block + block.T) / 2)
        left, right = orthogonal(n, generator), orthogonal(n, generator)
        coupling = left @ np.diag(generator.uniform(0, 1, n)) @ right
        matrices[i] = np.block([[blocks[0], coupling], [-coupling.T, blocks[1]]])
    return centred_at_unit(matrices, generator.standard_normal((count, 2 * n)))


@problem_family("finite_sum_scsc", presets=[{"kappa": 1.0}, {"kappa": 10.0, "n": 5, "seed": 1}])
def finite_sum_scsc(
    count: int = 8, n: int = 3, kappa: float = 5.0, seed: int = 0, batch: int = 1
) -> Problem:
    """The mean of strongly-convex-strongly-concave quadratics with spectra in [1/κ, 1] (Loizou et
    al. 2021, κ = 1, 5, 10, 100 components): better conditioned than its components.

    L, ρ and μ are proved for the mean; z* = e₁.

    Raises OpcheckError for count < 1, n < 1, κ < 1 or batch < 1.
    """
    count, n = whole(count, "count"), whole(n, "n")
    require(1 <= kappa < float("inf"), f"kappa = {kappa} must be at least 1 and finite")
    problem = mean_problem(quadratic_components(count, n, kappa, seed), batch)
    assert problem.operator.matrix is not None
    return dataclasses.replace(problem, facts=facts_of(problem.operator.matrix))


def cohypomonotone_components(
    count: int, pairs: int, q: float, r: float, spread: float, seed: int
) -> Components:
    """F_i = (M + E_i)z + q_i, M of blocks (q y, −r x), ΣE_i = 0, Σq_i = −count·M·1, all dyadic."""
    generator = np.random.default_rng(seed)
    matrix = np.kron(np.eye(pairs), np.array([[0.0, q], [-r, 0.0]]))
    d = 2 * pairs
    noise = spread * generator.integers(-2, 3, (count, d, d))
    noise[-1] = -noise[:-1].sum(axis=0)
    drift = generator.integers(-2, 3, (count, d)).astype(float)
    drift[-1] = -drift[:-1].sum(axis=0)
    return matrix + noise, drift - matrix @ np.ones(d)


@problem_family(
    "finite_sum_cohypo",
    facts=[exact(Lipschitz("q")), exact(Comonotone(ASYMMETRIC))],
    presets=[{"pairs": 1, "r": 0.75, "seed": 1}],
)
def finite_sum_cohypo(
    count: int = 8,
    pairs: int = 2,
    q: float = 1.0,
    r: float = 0.625,
    seed: int = 0,
    batch: int = 1,
) -> Problem:
    """The mean of F_i = (M + E_i)z + q_i with ΣE_i = 0, M of asym_bilinear: the mean has exactly
    L = q and ρ = −(q − r)/(2qr), while the components break both. z* = 1.

    q and r are multiples of 1/1024 and count a power of two, so that the mean is not rounded.

    Raises OpcheckError unless count = 2, 4, ..., pairs ≥ 1, batch ≥ 1 and q ≥ r > 0 are such
    multiples.
    """
    count, pairs = whole(count, "count", 2), whole(pairs, "pairs")
    require(count & (count - 1) == 0, f"count = {count} must be a power of two")
    positive(r, "r")
    asymmetric(q, r)
    require(
        all(1024 * v == int(1024 * v) for v in (q, r)),
        f"q = {q} and r = {r} must be multiples of 1/1024",
    )
    components = cohypomonotone_components(count, pairs, q, r, 0.25, seed)
    matrix, offset = mean(components)
    d, oracle = 2 * pairs, mini_batch(*components, batch)
    F = linear(matrix, offset)
    return Problem(F, start=np.zeros(d), solution=np.ones(d), oracle=oracle)
