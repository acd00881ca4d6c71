"""Noise on top of a problem: facts, solution and constraints stay those of the mean operator.

The same in a line for any operator: ``Problem(F, oracle=opcheck.gaussian(F, 0.1))``.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from opcheck import (
    Problem,
    SampleOracle,
    gaussian,
    mini_batch,
    multiplicative,
    pareto,
    problem,
    problem_family,
)
from opcheck_problems.matrix_games import gauss_game


def _over(base: str, oracle: SampleOracle) -> Problem:
    return dataclasses.replace(problem(base), doc="", oracle=oracle)


@problem_family("additive_noise", presets=[{"base": "bilinear_box", "sigma": 1.0}])
def additive_noise(base: str = "tight_linear", sigma: float = 0.1) -> Problem:
    """F̂ = F + N(0, σ²/d I) for the F of another family with its defaults: unbiased, of variance
    E‖F̂ − F‖² = σ² at every z, the classical oracle of stochastic approximation (Robbins and Monro
    1951). With a constant step γ a run on a strongly monotone F ends in a neighbourhood, E‖z − z*‖²
    of order γσ²/μ.

    Codes that write F + s N(0, I) have σ = s√d (Pethick et al. 2023 take s = 0.1 on tight_linear,
    s = 1 on bilinear_box).

    Raises OpcheckError for an unknown base, or unless σ ≥ 0 is finite.
    """
    return _over(base, gaussian(problem(base).operator, sigma))


@problem_family("heavy_tailed", presets=[{"tail": 1.5}])
def heavy_tailed(base: str = "tanh_saddle", scale: float = 0.1, tail: float = 3.0) -> Problem:
    """F̂ = F + ξ with independent symmetric Pareto entries, P(|ξ_i| > t) = (s/t)^α for t ≥ s, for
    the F of another family: unbiased for α > 1, of variance d s² α/(α − 2) for α > 2 and infinite
    variance for α ≤ 2, where every bound in σ² is void (the setting of Zhang et al. 2020 and of
    Gorbunov et al. 2022, who clip such samples).

    Raises OpcheckError for an unknown base, α ≤ 1, or unless s ≥ 0 is finite.
    """
    return _over(base, pareto(problem(base).operator, scale, tail))


@problem_family("multiplicative_noise", presets=[{"base": "finite_sum_scsc", "size": 1.0}])
def multiplicative_noise(base: str = "asym_bilinear", size: float = 0.5) -> Problem:
    """F̂ = (1 ± s) F, either sign with probability 1/2, for the F of another family: the variance
    s²‖F z‖² is relative (Polyak 1987) and vanishes at a zero, so constant steps can converge all
    the way. A method that sees one sample an iteration only has its step perturbed; with fresh
    samples the two calls of extragradient disagree.

    Raises OpcheckError for an unknown base, or unless s ≥ 0 is finite.
    """
    return _over(base, multiplicative(problem(base).operator, size))


@problem_family(
    "sampled_matrix_game", rounded=True, presets=[{"m": 3, "n": 5, "seed": 1, "batch": 8}]
)
def sampled_matrix_game(m: int = 4, n: int = 3, seed: int = 0, batch: int = 1) -> Problem:
    """gauss_game seen through one row i and one column j of P at a time: F̂ = (y_i P_i/r_i,
    −x_j P^j/c_j), drawn independently with r_i = ‖P_i‖²/‖P‖_F² and c_j = ‖P^j‖²/‖P‖_F² (importance
    sampling, as in Alacaoglu and Malitsky 2022).

    Then E‖F̂‖² = ‖P‖_F² ‖z‖² for batch = 1; over a ball no other weights of rows and columns give a
    smaller maximum.

    Raises OpcheckError for m < 2, n < 2 or batch < 1.
    """
    game = gauss_game(m=m, n=n, seed=seed)
    matrix = game.operator.matrix
    assert matrix is not None
    m, n = int(m), int(n)
    payoff = -matrix[n:, :n]
    total = (payoff**2).sum()
    rows, columns = (payoff**2).sum(axis=1) / total, (payoff**2).sum(axis=0) / total
    matrices = np.zeros((m, n, m + n, m + n))
    for i in range(m):
        matrices[i, :, :n, n + i] = payoff[i] / rows[i]
    for j in range(n):
        matrices[:, j, n:, j] = -payoff[:, j] / columns[j]
    flat = matrices.reshape(m * n, m + n, m + n)
    weights = np.outer(rows, columns).ravel()
    oracle = mini_batch(flat, np.zeros((m * n, m + n)), batch, weights)
    return dataclasses.replace(game, doc="", oracle=oracle)
