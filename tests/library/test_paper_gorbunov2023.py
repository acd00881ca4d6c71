"""The closed forms of the figures on negative comonotonicity, against runs and matrices."""

from __future__ import annotations

import numpy as np
import pytest

import opcheck
from opcheck_paper_repro.gorbunov2023.experiment import (
    STEPS,
    largest_second_step,
    radius,
    slowest_operator,
)


@pytest.mark.parametrize("gamma", STEPS)
def test_slowest_operator_is_what_linear_solves_give(gamma):
    table = slowest_operator()[f"gamma_{gamma}"]
    for n in (1, 10, 59):
        cosine = -min(1.0, 1 / np.sqrt(n * gamma * (gamma - 2)))
        sine = np.sqrt(1 - cosine**2)
        F = -cosine * np.array([[cosine, -sine], [sine, cosine]])
        assert np.linalg.eigvalsh((F + F.T) / 2 + F.T @ F)[0] == pytest.approx(0, abs=1e-12)
        x = np.array([0.6, 0.8])
        for _ in range(n + 1):
            x = np.linalg.solve(np.eye(2) + gamma * F, x)
        measured = table["measured"][table["N"] == n]
        assert (F @ x) @ (F @ x) == pytest.approx(float(measured[0]), rel=1e-10)


def test_the_worst_case_is_that_of_the_registered_statement():
    theorem = opcheck.registry.get("theorems", "gorbunov2023_ppm_last")
    for gamma in STEPS:
        table = slowest_operator()[f"gamma_{gamma}"]
        for n, residual in zip(table["N"], table["measured"], strict=True):
            a = gamma / (2 * (gamma - 1))
            scope = {"R": 1.0, "gamma": gamma, "rho": -1.0, "k": float(n), "a": a}
            bound = float(theorem.right.evaluate(scope)) / gamma**2
            assert residual == pytest.approx(bound, rel=1e-9)


@pytest.mark.parametrize(("first", "second"), [(0.75, 0.25), (0.3, 0.3), (0.9, 0.1)])
def test_radius_is_the_growth_of_runs(first, second):
    game = opcheck.problem("tight_linear", c=0.5)
    run = opcheck.run("ogda_plus", game, 400, gamma=first, eta=second)
    grown = (run["distance"][400] / run["distance"][200]) ** (1 / 400)
    assert grown == pytest.approx(radius(first, second, np.exp(2j * np.pi / 3)), rel=0.02)


def test_largest_second_step_is_the_end_of_the_registered_range():
    game = opcheck.problem("tight_linear", c=0.5)
    for first in (0.6, 0.75, 0.9):
        end = float(largest_second_step(first))
        inside = opcheck.verify("boehm2023_ogda_plus", game, gamma=first, eta=0.99 * end)
        assert inside.status in ("holds", "attained")
        with pytest.raises(opcheck.OpcheckError, match="eta"):
            opcheck.verify("boehm2023_ogda_plus", game, gamma=first, eta=1.01 * end)
