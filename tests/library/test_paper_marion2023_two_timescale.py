"""The network, its loss and its limit against independent computations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from opcheck_paper_repro.marion2023_two_timescale import network as net
from opcheck_paper_repro.marion2023_two_timescale.limit import (
    arrival,
    deviation,
    flanks,
    implicit_steps,
    loss_curve,
    slow_eigenvalues,
    time_to,
    two_in_each_piece,
)


def positions() -> np.ndarray:
    u = net.positions(1)
    assert two_in_each_piece(u, net.JUMPS)
    return u


def step(z: np.ndarray) -> np.ndarray:
    return np.piecewise(
        z,
        [z <= -0.5, (z > -0.5) & (z < 0), (z >= 0) & (z < 0.5)],
        [0, lambda t: 4 * (t + 0.5) ** 3, lambda t: 1 - 4 * (0.5 - t) ** 3, 1],
    )


def test_the_compiled_loop_is_sgd_as_numpy_does_it() -> None:
    u, a, h, epsilon = net.positions(3), np.zeros(net.NEURONS + 1), 0.01, 0.3
    run = net.train(u, h=h, epsilon=epsilon, horizon=h * epsilon * 200, seed=5, records=2)
    random = np.random.default_rng(5)
    for _ in range(200):  # rounding grows: later the two part
        x = random.random()
        label = net.target(np.array([x]))[0] + 2 * random.random() - 1
        z = (x - u) / net.WIDTH
        values = np.concatenate([[1.0], step(z)])
        slope = np.where(np.abs(z) < 0.5, 12 * (0.5 - np.abs(z)) ** 2, 0) / net.WIDTH
        residual = label - a @ values
        u, a = u - 2 * h * epsilon * residual * a[1:] * slope, a + 2 * h * residual * values
    np.testing.assert_allclose(run.a[-1], a, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.u[-1], u, rtol=0, atol=1e-9)
    assert (run.u[-1] != run.u[0]).any()


@pytest.mark.ci
def test_the_loss_is_the_integral_and_its_slopes_those_of_the_update() -> None:
    random = np.random.default_rng(0)
    a, u = random.standard_normal(net.NEURONS + 1), positions()
    x = (np.arange(2_000_000) + 0.5) / 2_000_000
    residual = net.target(x) - net.network(a, u, x)
    assert net.loss(a, u) == pytest.approx(float((residual**2).mean()), rel=1e-5)
    j, small = 7, 1e-6
    moved = u + small * (np.arange(net.NEURONS) == j)
    z = (x - u[j]) / net.WIDTH
    slope = np.where(np.abs(z) < 0.5, 12 * (0.5 - np.abs(z)) ** 2, 0) / net.WIDTH
    derivative = 2 * float((residual * a[j + 1] * slope).mean())
    assert (net.loss(a, moved) - net.loss(a, u)) / small == pytest.approx(derivative, rel=1e-3)


@pytest.mark.parametrize("start", [(0.3, 1.0), (1.0, 0.3), (0.9, 1.0), (0.01, 2.0)])
def test_the_arrival_is_that_of_the_flow(start: tuple[float, float]) -> None:
    W = 1.5

    def field(_: float, z: np.ndarray) -> np.ndarray:
        return -((W * z[::-1] / z.sum()) ** 2)

    def near(_: float, z: np.ndarray) -> float:
        return float(z.min() - 0.1 * min(start))

    near.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(field, (0, 100), np.array(start), events=near, rtol=1e-11, atol=1e-13)
    assert time_to(0.1 * min(start), start, W) == pytest.approx(run.t[-1], rel=1e-8)
    assert min(start) / W**2 <= arrival(start, W) <= 4 * min(start) / W**2


def test_the_limit_is_the_least_squares_over_steps() -> None:
    u = positions()
    x = (np.arange(40_000) + 0.5) / 40_000
    basis = np.column_stack([np.ones_like(x), x[:, None] >= u])
    residual = np.linalg.lstsq(basis, net.target(x), rcond=None)[1][0] / len(x)
    ours = loss_curve(u, net.JUMPS, net.WEIGHTS[1:], np.array([0.0]))[0]
    assert ours == pytest.approx(residual, rel=3e-3)


def test_the_limit_curve_is_that_of_the_flow_of_all_neurons() -> None:
    x, y = flanks(positions(), net.JUMPS)
    heights = np.abs(net.WEIGHTS[1:])
    time = 0.9 * min(arrival(s, W) for *s, W in zip(x, y, heights, strict=True))

    def field(_: float, z: np.ndarray) -> np.ndarray:
        a, b = z.reshape(2, -1)
        return -np.concatenate([(heights * b / (a + b)) ** 2, (heights * a / (a + b)) ** 2])

    run = solve_ivp(field, (0, time), np.concatenate([x, y]), rtol=1e-10, atol=1e-12)
    a, b = run.y[:, -1].reshape(2, -1)
    loss = float((heights**2 * a * b / (a + b)).sum())
    assert loss_curve(positions(), net.JUMPS, heights, np.array([time]))[0] == pytest.approx(
        loss, rel=1e-4
    )


def test_too_few_neurons_in_a_piece_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer than two"):
        flanks(np.linspace(0.01, 0.19, 20), net.JUMPS)


def test_the_quadratic_flow_is_that_of_an_integrator() -> None:
    H = np.array([[2.0, 0.5, 0.3], [0.5, 1.0, 0.2], [0.3, 0.2, 0.7]])
    epsilon, times = 0.05, np.linspace(0, 2, 201)
    schur = H[2, 2] - H[2, :2] @ np.linalg.solve(H[:2, :2], H[:2, 2])
    start = np.append(-np.linalg.solve(H[:2, :2], H[:2, 2]), 1.0)
    scale = np.array([1 / epsilon, 1 / epsilon, 1.0])
    run = solve_ivp(
        lambda _, z: -scale * (H @ z), (0, 2), start, t_eval=times, rtol=1e-10, atol=1e-12
    )
    apart = np.abs(run.y[2] - np.exp(-schur * times)).max()
    assert deviation(H, 2, epsilon, 2.0) == pytest.approx(apart, rel=1e-4)


def test_the_flow_moves_against_the_gradient_of_the_loss() -> None:
    u, step, epsilon = positions(), 1e-3, 0.2
    run = net.flow(u, epsilon=epsilon, horizon=400 * step * epsilon, step=step, records=400)
    a, v = run.a[-2], run.u[-2]
    small = 1e-6
    for j in (0, 3, 11):
        moved = a + small * (np.arange(len(a)) == j)
        slope = (net.loss(moved, v) - net.loss(2 * a - moved, v)) / (2 * small)
        assert (run.a[-1] - a)[j] == pytest.approx(-step * slope, rel=1e-5, abs=1e-10)
    for j in (2, 9, 15):
        moved = v + small * (np.arange(len(v)) == j)
        slope = (net.loss(a, moved) - net.loss(a, 2 * v - moved)) / (2 * small)
        assert (run.u[-1] - v)[j] == pytest.approx(-step * epsilon * slope, rel=1e-4, abs=1e-10)
    losses = [net.loss(*state) for state in zip(run.a, run.u, strict=True)]
    assert (np.diff(losses) < 0).all()


def test_half_the_step_of_the_flow_is_the_same_flow() -> None:
    steps = (2e-3, 1e-3)  # the first is the default
    runs = [net.flow(positions(), epsilon=0.01, horizon=0.05, step=step) for step in steps]
    np.testing.assert_allclose(runs[0].u[-1], runs[1].u[-1], atol=1e-4)


def test_implicit_steps_and_slow_eigenvalues_are_those_of_one_slow_variable() -> None:
    """With one slow variable the marginal is ½ μ u², whose implicit step is u/(1 + τ μ)."""
    H = np.array([[2.0, 0.5, 0.3], [0.5, 1.0, 0.2], [0.3, 0.2, 0.7]])
    np.testing.assert_allclose(implicit_steps(H, 2, 1.5, steps=5), 1, rtol=1e-12)
    schur = H[2, 2] - H[2, :2] @ np.linalg.solve(H[:2, :2], H[:2, 2])
    values = np.linalg.eigvals(np.diag([100.0, 100.0, 1.0]) @ H)
    assert slow_eigenvalues(H, 2, 0.01) == pytest.approx(abs(values.min() - schur), rel=1e-8)
