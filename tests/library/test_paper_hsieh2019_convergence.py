"""Exact second moments of stochastic past extragradient, against samples of the iteration."""

from __future__ import annotations

import numpy as np
import pytest

from opcheck_paper_repro.hsieh2019_convergence.experiment import second_moments

COUNT, STEPS = 40_000, 100


@pytest.mark.parametrize(
    ("eigenvalue", "scale", "offset"), [(0.5 + 1j, 3.0, 14), (1 - 2j, 1.5, 10)]
)
def test_second_moments_are_those_of_samples(
    eigenvalue: complex, scale: float, offset: int
) -> None:
    generator = np.random.default_rng(3)

    def noise() -> np.ndarray:
        parts = generator.standard_normal((2, COUNT))
        return (parts[0] + 1j * parts[1]) / np.sqrt(2)

    x, said = np.ones(COUNT, dtype=complex), eigenvalue + noise()
    sampled = []
    for t in range(STEPS):
        gamma = scale / (t + 1 + offset)
        ahead = x - gamma * said
        said = eigenvalue * ahead + noise()
        x = x - gamma * said
        sampled.append(np.mean(np.abs(x) ** 2))
    exact = second_moments(eigenvalue, scale, offset, STEPS)
    np.testing.assert_allclose(sampled, exact[1:], rtol=0.04)
    assert exact[0] == 1


def test_without_pull_the_noise_adds_up() -> None:
    """On F = 0 the last iterate is a sum of independent noises: Σ γ_t² beside |x_0|²."""
    gamma = 3.0 / (np.arange(50) + 15)
    assert second_moments(0j, 3.0, 14, 50)[-1] == pytest.approx(1 + (gamma**2).sum(), rel=1e-13)
