"""The finite sums and both iterations against plain computations."""

from __future__ import annotations

import numpy as np
import pytest

import opcheck
from opcheck_paper_repro.cai2024_vr_halpern.halpern import (
    finite_sum,
    full_halpern,
    inexact_halpern,
    mean_cost,
    variance_reduced,
)


def test_every_part_has_the_stated_constant_and_none_a_better_one() -> None:
    problem = finite_sum(30, 5, shared=0.3)
    ways = np.random.default_rng(1).standard_normal((500, 5))
    quotients = [
        np.linalg.norm(ways @ B.T, axis=1) ** 2 / np.einsum("ri,ri->r", ways @ B.T, ways)
        for B in problem.parts
    ]
    assert np.max(quotients) <= problem.L * (1 + 1e-12)
    assert (np.max(quotients, axis=1) > 0.95 * problem.L).all()
    B = problem.mean
    tightest = np.linalg.norm(ways @ B.T, axis=1) ** 2 / np.einsum("ri,ri->r", ways @ B.T, ways)
    assert 0.9 * problem.L_F < tightest.max() <= problem.L_F * (1 + 1e-12)


def test_with_one_operator_it_is_halpern_with_its_weights() -> None:
    problem = finite_sum(1, 4, shared=0.3)
    run = variance_reduced(problem, steps=30, repetitions=2, seed=0)
    u = problem.start
    for k in range(31):
        F = problem.mean @ (u - problem.solution)
        np.testing.assert_allclose(run.residual[:, k], np.linalg.norm(F), rtol=1e-10)
        u = 2 / (k + 4) * problem.start + (1 - 2 / (k + 4)) * u - F / (4 * problem.L)


def test_the_estimate_is_the_operator_in_the_mean() -> None:
    problem = finite_sum(9, 3, shared=0.0)
    many = variance_reduced(problem, steps=2, repetitions=40_000, seed=0)
    # one step is certain, and the second step's estimate has mean F u₁: its square is above
    assert np.ptp(many.residual[:, 1]) == pytest.approx(0, abs=1e-12)
    u1 = problem.start / 2 + problem.start / 2
    u1 = u1 - problem.mean @ (problem.start - problem.solution) / (4 * problem.L)
    F1 = problem.mean @ (u1 - problem.solution)
    u2 = 0.4 * problem.start + 0.6 * u1 - F1 / (4 * problem.L)
    exact = np.linalg.norm(problem.mean @ (u2 - problem.solution))
    assert many.residual[:, 2].mean() == pytest.approx(exact, rel=0.01)
    assert many.calls[:, 2].mean() == pytest.approx(mean_cost(9, 2), rel=0.01)


def test_full_steps_are_those_of_the_registered_method() -> None:
    problem = finite_sum(7, 4, shared=0.2)
    F = opcheck.linear(problem.mean)
    game = opcheck.Problem(F, name="sum", start=problem.start - problem.solution)
    ours = full_halpern(problem, steps=20)
    theirs = opcheck.run("anchored_gradient", game, 20, gamma=2 / problem.L_F)
    np.testing.assert_allclose(ours.residual[0] ** 2, theirs["residual"], rtol=1e-8)


def test_inexact_steps_without_errors_have_halperns_bound() -> None:
    residuals, bounds = inexact_halpern(-np.eye(1), np.ones(1), np.zeros((12, 1)))
    np.testing.assert_allclose(bounds, 2 / np.arange(1.0, 13))
    np.testing.assert_allclose(residuals[::2], bounds[::2])
    assert (residuals <= bounds + 1e-15).all()
