"""The network's derivatives, its certificate and the mean of SGD against other computations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from opcheck_paper_repro.liu2022_pl_star.experiment import _until
from opcheck_paper_repro.liu2022_pl_star.wide import CURVATURE, certify, data, doubled, plain


def test_derivatives_are_those_of_differences() -> None:
    task, start = data(3, 4, 0.1, seed=0), plain(6, 4, seed=1)
    size, small = start.W.size, 1e-5
    moves = small * np.eye(size)
    slopes = [
        (start.moved(m).outputs(task.x) - start.moved(-m).outputs(task.x)) / (2 * small)
        for m in moves
    ]
    np.testing.assert_allclose(start.jacobian(task.x), np.array(slopes).T, atol=1e-9)
    second = [
        (start.moved(m).jacobian(task.x) - start.moved(-m).jacobian(task.x)) / (2 * small)
        for m in moves
    ]
    norms = np.linalg.norm(np.moveaxis(np.array(second), 1, 0), 2, axis=(1, 2))
    assert start.curvature(task.x) == pytest.approx(norms.max(), rel=1e-6)
    assert start.curvature(task.x) <= CURVATURE / np.sqrt(6)


def test_pairs_start_at_zero() -> None:
    task = data(3, 4, 0.1, seed=0)
    np.testing.assert_allclose(doubled(64, 4, seed=1).outputs(task.x), 0, atol=1e-15)


def test_a_certificate_holds_at_points_of_its_ball() -> None:
    task, m = data(3, 4, 0.06, seed=0), 1024
    start = doubled(m, 4, seed=1)
    D = start.jacobian(task.x)
    r0 = float(np.linalg.norm(task.y))
    proof = certify(D, r0, CURVATURE * np.sqrt(3 / m))
    assert proof
    assert 2 * proof.L_F * r0 / proof.mu * (1 - 1e-12) <= proof.R
    random = np.random.default_rng(0)
    for _ in range(20):
        way = random.standard_normal(start.W.size)
        other = start.moved(proof.R * way / np.linalg.norm(way)).jacobian(task.x)
        values = np.linalg.svd(other, compute_uv=False)
        assert values[-1] ** 2 >= proof.mu
        assert values[0] <= proof.L_F
        assert np.linalg.norm(other - D, 2) <= proof.beta_F * proof.R


def test_no_certificate_where_the_labels_are_too_large() -> None:
    task = data(3, 4, 6.0, seed=0)
    D = doubled(256, 4, seed=1).jacobian(task.x)
    assert not certify(D, float(np.linalg.norm(task.y)), CURVATURE * np.sqrt(3 / 256))


def test_the_mean_loss_is_that_over_all_draws() -> None:
    random = np.random.default_rng(0)
    a, error, step, b, rate = random.standard_normal((3, 2)), np.array([1.0, -2.0]), 0.1, 2, 0.9
    H = a.T @ a / 3
    first = error @ H @ error / 2
    draws = [np.mean([np.outer(a[i], a[i]) for i in pair], axis=0) for pair in
             itertools.product(range(3), repeat=b)]  # fmt: skip
    errors, ratio, k, loss = [error], 0.0, 0, first
    while loss > 1e-3 * first and k < 4:
        errors = [e - step * A @ e for e in errors for A in draws]
        k += 1
        loss = float(np.mean([e @ H @ e / 2 for e in errors]))
        ratio = max(ratio, loss / (rate**k * first))
    assert k == 4
    steps, worst = _until(a, error, step, b, rate=rate)
    assert steps >= 4
    assert worst >= ratio * (1 - 1e-12)
    # at the same number of steps the two agree
    share = loss / first * (1 + 1e-12)
    assert _until(a, error, step, b, rate=rate, share=share)[0] == 4
