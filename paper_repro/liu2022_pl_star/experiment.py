"""Certified widths, the size of D²F and of the kernel's change, the relaxed condition, batches."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from opcheck import Table
from opcheck_paper_repro.liu2022_pl_star.wide import (
    CURVATURE,
    Data,
    certify,
    data,
    descend,
    doubled,
    plain,
)

Floats = NDArray[np.float64]

WIDTHS = (64, 256, 512, 1024, 2048, 4096, 16384)
INPUTS, DIMENSION, SIZE = 3, 4, 0.06
STEPS, FLOOR = 400, 1e-22  # of a descent; below the floor L is rounding
BATCHES = tuple(2**i for i in range(13))
SHARE = 1e-3  # of the loss at the start, which SGD is to reach


@functools.cache
def widths() -> dict[str, Table]:
    """Of each width the certificate, and gradient descent with its step."""
    task = data(INPUTS, DIMENSION, SIZE, seed=0)
    names = ("m", "certified", "mu", "start", "least", "R", "moved", "ratio", "last")
    rows: dict[str, list[object]] = {name: [] for name in names}
    curves: dict[str, list[object]] = {"series": [], "k": [], "L/L₀": []}
    for m in WIDTHS:
        start = doubled(m, DIMENSION, seed=1)
        r0 = float(np.linalg.norm(start.outputs(task.x) - task.y))
        D = start.jacobian(task.x)
        proof = certify(D, r0, CURVATURE * np.sqrt(INPUTS / m))
        run = descend(start, task, proof.step, steps=STEPS, until=FLOOR)
        k = np.arange(len(run.losses))
        bound = (1 - proof.step * proof.mu) ** k * run.losses[0]
        ratio = float((run.losses / bound)[1:].max()) if proof else np.nan
        values = (
            *(m, "yes" if proof else "no", proof.mu if proof else np.nan),
            *(float(np.linalg.eigvalsh(D @ D.T)[0]), run.smallest),
            *(proof.R if proof else np.nan, run.moved, ratio, float(run.losses[-1])),
        )
        for name, value in zip(names, values, strict=True):
            rows[name].append(value)
        if proof:
            _add(curves, f"m = {m}", k, run.losses / run.losses[0])
            envelope = 1 - proof.step * proof.mu  # at last that of the largest width
    curves["bound"] = (envelope ** np.array(curves["k"])).tolist()
    units = {"start": "λ_min(K₀)", "least": "λ_min(K)"}
    return {
        "widths": Table(rows, units, "certificates by width"),
        "curves": Table(curves, caption="loss of gradient descent, and its certified envelope"),
    }


@functools.cache
def sizes() -> dict[str, Table]:
    """D²F at the start and the kernel's change in training, over m, for two ways to start."""
    task = data(INPUTS, DIMENSION, SIZE, seed=0)
    rows: dict[str, list[object]] = {n: [] for n in ("start", "m", "hessian", "bound", "change")}
    for name, draw in (("in pairs", doubled), ("independent", plain)):
        for m in WIDTHS:
            start = draw(m, DIMENSION, seed=1)
            norm = np.linalg.norm(start.jacobian(task.x), 2)
            run = descend(start, task, 0.5 / norm**2, steps=STEPS, until=FLOOR)
            values = (name, m, start.curvature(task.x), CURVATURE / np.sqrt(m), run.change)
            for column, value in zip(rows.values(), values, strict=True):
                column.append(value)
    units = {"hessian": "max ‖D²F_i‖", "change": "‖K − K₀‖/‖K₀‖"}
    return {"sizes": Table(rows, units)}


@functools.cache
def relaxed() -> dict[str, Table]:
    """Two equal inputs with different labels: no solution, and descent down to twice the least L.

    With the equal outputs put together, weighted by √2, the system is one that has a solution.
    """
    three = data(INPUTS, DIMENSION, SIZE, seed=0)
    apart = 0.01
    task = Data(
        np.vstack([three.x, three.x[-1:]]),
        np.append(three.y, three.y[-1]) + apart * np.array([0, 0, 0.5, -0.5]),
    )
    least = apart**2 / 4
    m = 4096
    start = doubled(m, DIMENSION, seed=1)
    weights = np.array([1, 1, np.sqrt(2)])
    r0 = float(np.linalg.norm(weights * (start.outputs(three.x) - three.y)))
    proof = certify(
        weights[:, None] * start.jacobian(three.x), r0, CURVATURE * np.sqrt((INPUTS + 1) / m)
    )
    run = descend(start, task, proof.step, steps=60, until=0.0)
    epsilon, mu = 2 * least, proof.mu / 2
    k = np.arange(len(run.losses))
    bound = np.maximum(epsilon, (1 - proof.step * mu) ** k * run.losses[0])
    before = run.losses >= epsilon
    curve = {"k": k, "L": run.losses, "bound": bound, "quotient": run.slopes / run.losses}
    ends = {
        "least quotient over μ, L ≥ ε": [float((run.slopes / run.losses)[before].min() / mu)],
        "last quotient over μ": [float(run.slopes[-1] / run.losses[-1] / mu)],
        "ratio": [float((run.losses / bound)[1:].max())],
        "last": [float(run.losses[-1] / least)],
    }
    return {
        "curve": Table({**curve, "μ": np.full(len(k), mu), "ε": np.full(len(k), epsilon)}),
        "ends": Table(ends),
    }


def nonconvex() -> dict[str, Table]:
    """L = ½(w₁w₂ − 1)² near its solutions: curvatures of either sign, and K = w₁² + w₂²."""
    rows: dict[str, list[float]] = {"w1": [], "w2": [], "L": [], "lowest": [], "kernel": []}
    for first in np.linspace(0.4, 2.5, 43):
        second = (1 + 2e-3) / first
        r = first * second - 1
        H = np.array([[second**2, first * second + r], [first * second + r, first**2]])
        values = (first, second, r**2 / 2, np.linalg.eigvalsh(H)[0], first**2 + second**2)
        for column, value in zip(rows.values(), values, strict=True):
            column.append(float(value))
    units = {"lowest": "least eigenvalue of ∇²L", "kernel": "K"}
    return {"points": Table(rows, units, "curvature of L = ½(w₁w₂ − 1)² at L = 2e-6")}


@functools.cache
def batches() -> dict[str, Table]:
    """Steps of SGD until E L ≤ 1e-3 L₀, exactly, over the batch size, and what bounds them.

    Ten inputs in thirty dimensions, of which their span is all that matters. Of consistent least
    squares E L is ½ tr(H S), and S = E (w − w*)(w − w*)ᵀ has its own linear recursion.
    """
    names = ("instance", "b", "critical", "steps", "bound", "ratio")
    rows: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(3):
        random = np.random.default_rng(seed)
        a = np.linalg.qr(random.standard_normal((30, 10)), mode="r").T  # as 10 inputs in R³⁰
        H = a.T @ a / len(a)
        eigenvalues = np.linalg.eigvalsh(H)
        mu, smooth, beta = eigenvalues[0], eigenvalues[-1], (a**2).sum(axis=1).max()
        error = random.standard_normal(10)
        for b in BATCHES:
            step = b * mu / (smooth * (beta + mu * (b - 1)))
            steps, ratio = _until(a, error, step, b, rate=1 - mu * step)
            most = np.log(SHARE) / np.log1p(-mu * step)
            values = (seed, b, beta / mu, steps, most, ratio)
            for column, value in zip(rows.values(), values, strict=True):
                column.append(float(value))
    units = {"b": "batch", "critical": "β/μ", "steps": "until E L ≤ L₀/1000"}
    return {"batches": Table(rows, units)}


def _until(
    a: Floats, error: Floats, step: float, b: int, *, rate: float, share: float = SHARE
) -> tuple[int, float]:
    """Steps to a share of the first loss, and the largest E L/(rate^k L₀) on the way."""
    H = a.T @ a / len(a)
    S = np.outer(error, error)
    first = loss = float((H * S).sum()) / 2
    ratio, k = 0.0, 0
    while loss > share * first and k < 10**6:
        alone = (a.T * np.einsum("ij,jk,ik->i", a, S, a)) @ a / len(a)
        S = S - step * (H @ S + S @ H) + step**2 * (alone / b + (1 - 1 / b) * H @ S @ H)
        loss, k = float((H * S).sum()) / 2, k + 1
        ratio = max(ratio, loss / (rate**k * first))
    return k, ratio


def _add(rows: dict[str, list[object]], name: str, x: Floats, y: Floats) -> None:
    for column, values in zip(
        rows.values(), ([name] * len(x), x.tolist(), y.tolist()), strict=True
    ):
        column += values
