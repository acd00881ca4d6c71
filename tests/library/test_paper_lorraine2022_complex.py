"""The spectral radii of the paper's figures, against matrices and iterations written out anew."""

from __future__ import annotations

import numpy as np
import pytest

from opcheck_paper_repro.lorraine2022_complex.experiment import (
    alternating,
    criterion,
    of_matrix,
    simultaneous,
)

RANDOM = np.random.default_rng(2102)
STEPS = 3000


def test_cardano_gives_the_radius_of_the_matrix() -> None:
    eigenvalues = RANDOM.standard_normal(5) + 1j * RANDOM.standard_normal(5)
    gamma = RANDOM.uniform(0.01, 2, 40)
    beta = np.sqrt(RANDOM.random(40)) * np.exp(1j * RANDOM.uniform(0, np.pi, 40))
    ours = simultaneous(eigenvalues, gamma, beta)
    theirs = [of_matrix(eigenvalues, g, b) for g, b in zip(gamma, beta, strict=True)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("sigma", [1.0, 0.3])
@pytest.mark.parametrize("beta", [-0.3, 0.5, 0.4j, 0.6 * np.exp(0.8j), -0.2 + 0.1j])
def test_alternating_play_grows_by_the_radius_of_its_matrix(sigma: float, beta: complex) -> None:
    gamma = 0.7
    x, y, first, second, logarithm = 1.0, 0.5, 0j, 0j, 0.0
    sizes = []
    for _ in range(STEPS):
        first = beta * first - sigma * y
        x += gamma * first.real
        second = beta * second + sigma * x
        y += gamma * second.real
        size = np.sqrt(x * x + y * y + abs(first) ** 2 + abs(second) ** 2)
        x, y, first, second, logarithm = (
            x / size,
            y / size,
            first / size,
            second / size,
            (logarithm + np.log(size)),
        )
        sizes.append(logarithm)
    grown = np.exp((sizes[-1] - sizes[STEPS // 3 - 1]) / (STEPS - STEPS // 3))
    assert grown == pytest.approx(alternating(sigma, np.array(gamma), np.array(beta)), abs=2e-3)


def test_a_real_momentum_meets_the_bound_of_schur_and_cohn() -> None:
    """r² − (1 + a − iγ)r + a has a root outside: |c − a c̄| = (1 + a)√((1 − a)² + γ²) ≥ 1 − a²."""
    gamma, a = RANDOM.uniform(1e-3, 3, 200), RANDOM.uniform(-1, 1, 200)
    assert (simultaneous(np.array([1j]), gamma, a + 0j) >= 1).all()
    assert (criterion(a, 0 * a) < 0).all()
