"""Exact means against all draws enumerated, and the statements on deliberately wrong constants."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from opcheck_paper_repro.garrigos2023_handbook import SAYS
from opcheck_paper_repro.garrigos2023_handbook.experiment import huber, statements
from opcheck_paper_repro.garrigos2023_handbook.moments import momentum, random_problem, sgd

SMALL = {"n": 3, "d": 2}


def f(p, x: np.ndarray) -> float:
    return float(((p.a @ x - p.y) ** 2).mean() / 2)


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("b", [1, 2])
def test_means_of_sgd_are_those_over_all_draws(constrained: bool, b: int) -> None:
    p, steps = random_problem(0, **SMALL, constrained=constrained), 3
    gammas, weights = [0.2, 0.1, 0.05], [1.0, 3.0, 0.5]
    means = sgd(p, lambda t: gammas[min(t, 2)], steps=steps, b=b,
                weight=lambda t: weights[min(t, 2)])  # fmt: skip
    ends, averages = [], []
    for draw in itertools.product(itertools.combinations(range(3), b), repeat=steps):
        x, total = p.start, np.zeros(2)
        for t, i in enumerate(draw):
            total = total + weights[t] * x
            i = list(i)
            x = x - gammas[t] * p.a[i].T @ (p.a[i] @ x - p.y[i]) / b
            if p.normal is not None:
                x = x - (p.normal @ x - p.level) * p.normal
        ends.append(x)
        averages.append(total / sum(weights))
    distance = np.mean([((x - p.solution) ** 2).sum() for x in ends])
    assert means["distance"][-1] == pytest.approx(distance, rel=1e-12)
    if not constrained:
        least = f(p, p.solution)
        gap = np.mean([f(p, x) for x in ends]) - least
        assert means["gap"][-1] == pytest.approx(gap, rel=1e-10)
        average = np.mean([f(p, x) for x in averages]) - least
        assert means["average"][-1] == pytest.approx(average, rel=1e-10)


def test_means_of_momentum_are_those_over_all_draws() -> None:
    p, gamma = random_problem(1, **SMALL), 0.1
    ends = []
    for draw in itertools.product(range(3), repeat=3):
        x = z = p.start
        for t, i in enumerate(draw):
            z = z - gamma * p.a[i] * (p.a[i] @ x - p.y[i])
            x = ((t + 1) / 2 * x + z) / ((t + 1) / 2 + 1)
        ends.append(f(p, x))
    exact = np.mean(ends) - f(p, p.solution)
    assert momentum(p, gamma, steps=3)[-1] == pytest.approx(exact, rel=1e-10)


def test_solutions_are_those_of_an_optimiser() -> None:
    p = random_problem(2)
    np.testing.assert_allclose(minimize(lambda x: f(p, x), p.start).x, p.solution, atol=1e-5)
    q = random_problem(2, constrained=True)
    held = [{"type": "eq", "fun": lambda x: q.normal @ x - q.level}]
    best = minimize(lambda x: f(q, x), q.start, constraints=held, options={"ftol": 1e-14}).x
    np.testing.assert_allclose(best, q.solution, atol=1e-5)
    few = random_problem(0, n=4, d=6)
    assert few.least == pytest.approx(0, abs=1e-20)


def test_the_worst_function_of_gradient_descent_attains_half_the_bound() -> None:
    for steps in (1, 2, 7):
        values, D = huber(steps)
        assert values[-1] == pytest.approx(D**2 / (4 * steps + 2), rel=1e-12)


@pytest.mark.slow
def test_every_statement_is_measured_and_none_fails() -> None:
    table = statements()["statements"]
    assert set(table["statement"]) == set(SAYS)
    assert (table["ratio"] <= 1).all()
    assert (table["least"] > 0).all()
