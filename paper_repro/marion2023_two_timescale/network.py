"""A network of smoothed steps on [0, 1], trained by SGD on a piecewise constant target.

f(x) = a₀ + Σ_j a_j s((x − u_j)/η) with the cubic s of the authors' code, 0 below −1/2 and 1 above
1/2. The target is w₀ + Σ_i w_i 1{x ≥ v_i}. Both step sizes act on one sample: h on a, ε h on u.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opcheck.plugin import compiled

Floats = NDArray[np.float64]

WEIGHTS = np.array([1.0, 4.0, -4.0, 2.0, -2.0, 4.0])  # w₀, then the jumps
JUMPS = np.linspace(0.2, 0.8, 5)
NEURONS = 20
WIDTH = 4e-3  # η
NOISE = 1.0  # labels carry a uniform error in [−NOISE, NOISE]


def smooth_step(z):
    """The authors' s: 0 below −1/2, 1 above 1/2, two cubics between, its slope continuous."""
    if z <= -0.5:
        return 0.0
    if z >= 0.5:
        return 1.0
    return 4 * (z + 0.5) ** 3 if z < 0 else 1 - 4 * (0.5 - z) ** 3


def slope_of(z, rectangular):
    """s′, or the 1 on [−1/2, 1/2] that the authors' code has in its place."""
    if z <= -0.5 or z >= 0.5:
        return 0.0
    if rectangular:
        return 1.0
    return 12 * (0.5 - abs(z)) ** 2


@compiled
def _train(
    a, u, weights, jumps, width, noise, h, epsilon, rectangular, steps, every, random, states
):
    """SGD in place; ``states`` receives (a, u) after each ``every`` steps."""
    m = u.shape[0]
    half, row = width / 2, 0
    for t in range(steps):
        x = random.random()
        residual = weights[0] + noise * (2 * random.random() - 1) - a[0]
        for i in range(jumps.shape[0]):
            if x >= jumps[i]:
                residual += weights[i + 1]
        for j in range(m):
            beyond = x - u[j]
            if beyond >= half:
                residual -= a[j + 1]
            elif beyond > -half:
                residual -= a[j + 1] * smooth_step(beyond / width)
        change = 2 * h * residual
        a[0] += change
        for j in range(m):
            beyond = x - u[j]
            if beyond >= half:
                a[j + 1] += change
            elif beyond > -half:
                z = beyond / width
                u[j] -= epsilon * change * a[j + 1] * slope_of(z, rectangular) / width
                a[j + 1] += change * smooth_step(z)
        if (t + 1) % every == 0:
            states[row, : m + 1] = a
            states[row, m + 1 :] = u
            row += 1


NODES, SHARES = np.polynomial.legendre.leggauss(4)  # exact up to degree 7


@compiled
def _flow(a, u, weights, jumps, width, step, epsilon, steps, every, nodes, shares, states):
    """Euler steps of the gradient flow in place; integrals are exact between kinks."""
    m, n = u.shape[0], jumps.shape[0]
    half, row = width / 2, 0
    ends = np.zeros(3 * m + n + 2)
    da, du, values = np.zeros(m + 1), np.zeros(m), np.zeros(m)
    for t in range(steps):
        ends[0], ends[1] = 0.0, 1.0
        for i in range(n):
            ends[2 + i] = jumps[i]
        for j in range(m):
            ends[2 + n + 3 * j] = min(max(u[j] - half, 0.0), 1.0)
            ends[3 + n + 3 * j] = min(max(u[j], 0.0), 1.0)
            ends[4 + n + 3 * j] = min(max(u[j] + half, 0.0), 1.0)
        ends.sort()
        da[:] = 0
        du[:] = 0
        for c in range(ends.shape[0] - 1):
            length = ends[c + 1] - ends[c]
            if length <= 0:
                continue
            for q in range(nodes.shape[0]):
                x = ends[c] + length * (nodes[q] + 1) / 2
                residual = weights[0] - a[0]
                for i in range(n):
                    if x >= jumps[i]:
                        residual += weights[i + 1]
                for j in range(m):
                    values[j] = smooth_step((x - u[j]) / width)
                    residual -= a[j + 1] * values[j]
                pull = length * shares[q] * residual  # twice the weight of the node, halved
                da[0] += pull
                for j in range(m):
                    da[j + 1] += pull * values[j]
                    if 0 < values[j] < 1:
                        slope = slope_of((x - u[j]) / width, False)
                        du[j] -= pull * a[j + 1] * slope / width
        for j in range(m):
            u[j] += step * epsilon * du[j]
        for j in range(m + 1):
            a[j] += step * da[j]
        if (t + 1) % every == 0:
            states[row, : m + 1] = a
            states[row, m + 1 :] = u
            row += 1


@dataclass(frozen=True)
class Training:
    """A run of SGD, or of the gradient flow.

    Attributes:
        slow_time: τ = ε h t of what was recorded, shape (r,).
        a: a₀, …, a_m then, shape (r, m + 1).
        u: u₁, …, u_m then, shape (r, m).
    """

    slow_time: Floats
    a: Floats
    u: Floats


def positions(seed: int, *, neurons: int = NEURONS) -> Floats:
    """u₁ ≤ … ≤ u_m, independent and uniform on [0, 1] before they are sorted."""
    return np.sort(np.random.default_rng(seed).random(neurons))


def train(
    u: Floats,
    *,
    h: float,
    epsilon: float,
    horizon: float,
    seed: int,
    records: int = 100,
    rectangular: bool = False,
) -> Training:
    """SGD from a = 0 and positions u, shape (m,), up to slow time ``horizon``.

    Args:
        h: step of a; that of u is ε h.
        records: number of times at which (a, u) is kept, besides the start.
        rectangular: whether u moves with the rectangular slope of the authors' code.
    """
    every = max(1, round(horizon / (epsilon * h) / records))
    a, moving = np.zeros(len(u) + 1), u.copy()
    states = np.empty((records, 2 * len(u) + 1))
    random = np.random.default_rng(seed)
    _train(
        *(a, moving, WEIGHTS, JUMPS, WIDTH, NOISE),
        *(h, epsilon, rectangular, every * records, every, random, states),
    )
    first = np.concatenate([np.zeros(len(u) + 1), u])
    rows = np.vstack([first, states])
    slow_time = epsilon * h * every * np.arange(records + 1)
    return Training(slow_time, rows[:, : len(u) + 1], rows[:, len(u) + 1 :])


def flow(
    u: Floats, *, epsilon: float, horizon: float, step: float = 0.0, records: int = 100
) -> Training:
    """The gradient flow of the loss itself from a = 0 and positions u, by Euler steps.

    Args:
        horizon: of the slow time τ = ε t.
        step: of t; default 0.02, half the inverse of the fastest rate 2(m + 1) of a, and at most
            2e-5/ε, so that no neuron moves by more than its width.
        records: number of times at which (a, u) is kept, besides the start.
    """
    step = step or min(0.02, 2e-5 / epsilon)
    every = max(1, round(horizon / (epsilon * step) / records))
    a, moving = np.zeros(len(u) + 1), u.copy()
    states = np.empty((records, 2 * len(u) + 1))
    _flow(
        *(a, moving, WEIGHTS, JUMPS, WIDTH, step, epsilon),
        *(every * records, every, NODES, SHARES, states),
    )
    rows = np.vstack([np.concatenate([np.zeros(len(u) + 1), u]), states])
    slow_time = epsilon * step * every * np.arange(records + 1)
    return Training(slow_time, rows[:, : len(u) + 1], rows[:, len(u) + 1 :])


def target(x: Floats) -> Floats:
    """w₀ + Σ_i w_i 1{x ≥ v_i}."""
    return WEIGHTS[0] + (x[:, None] >= JUMPS).astype(float) @ WEIGHTS[1:]


def network(a: Floats, u: Floats, x: Floats) -> Floats:
    """f at the points x."""
    z = (x[:, None] - u) / WIDTH
    rising = np.where(z < 0, 4 * np.maximum(z + 0.5, 0) ** 3, 1 - 4 * np.maximum(0.5 - z, 0) ** 3)
    return a[0] + rising @ a[1:]


def loss(a: Floats, u: Floats) -> float:
    """∫₀¹ (f − f*)², by a rule that is exact: f − f* is a cubic between its kinks."""
    kinks = np.concatenate([[0, 1], JUMPS, u - WIDTH / 2, u, u + WIDTH / 2])
    ends = np.unique(np.clip(kinks, 0, 1))
    half = np.diff(ends)[:, None] / 2
    x = ends[:-1, None] + half * (NODES + 1)
    error = (network(a, u, x.ravel()) - target(x.ravel())).reshape(x.shape)
    return float((half * SHARES * error**2).sum())


def uncovered(u: Floats) -> float:
    """The largest distance from a jump to the nearest neuron."""
    return float(np.abs(JUMPS[:, None] - u).min(axis=1).max())
