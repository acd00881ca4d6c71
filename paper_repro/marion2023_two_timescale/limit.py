"""The flow in the limit ε → 0, then η → 0: the outer layer is always at its least squares.

Where every piece of the target holds two neurons, only those on both sides of a jump move. With
x and y their distances to it and W the height of the jump,

    l = Σ W² x y/(x + y),   x′ = −W² y²/(x + y)²,   y′ = −W² x²/(x + y)².

y³ − x³ stays, so that the time at which the nearer one has come to distance x is an integral.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def velocity(x: Floats, y: Floats, height: Floats) -> tuple[Floats, Floats]:
    """(x′, y′); zero once a neuron is at the jump."""
    still = np.minimum(x, y) <= 0
    total = np.where(still, 1.0, x + y)
    fast, slow = -((height * y / total) ** 2), -((height * x / total) ** 2)
    return np.where(still, 0.0, fast), np.where(still, 0.0, slow)


def loss_of(x: Floats, y: Floats, height: Floats) -> Floats:
    """W² x y/(x + y), 0 at the jump."""
    total = np.where(x + y > 0, x + y, 1.0)
    return height**2 * x * y / total


def time_to(x: float, start: tuple[float, float], height: float) -> float:
    """Slow time at which the nearer neuron has come from x₀ ≤ y₀ to distance x ≥ 0."""
    from scipy.integrate import quad

    near, far = sorted(start)
    invariant = far**3 - near**3

    def inverse_speed(s: float) -> float:
        return (1 + s / max((s**3 + invariant) ** (1 / 3), 1e-300)) ** 2

    value, _ = quad(inverse_speed, x, near, epsabs=1e-13, epsrel=1e-12)
    return float(value) / height**2


def arrival(start: tuple[float, float], height: float) -> float:
    """Slow time at which a neuron reaches the jump."""
    return time_to(0.0, start, height)


def drift_of_invariant(start: tuple[float, float], height: float, share: float = 0.99) -> float:
    """Relative drift of y³ − x³ over an integration up to a share of the arrival.

    The flow is integrated by a Runge-Kutta rule that knows nothing of the invariant.
    """

    from scipy.integrate import solve_ivp

    def field(_: float, z: Floats) -> Floats:
        return np.concatenate(velocity(z[:1], z[1:], np.array([height])))

    end = share * arrival(start, height)
    run = solve_ivp(field, (0, end), start, method="DOP853", rtol=1e-12, atol=1e-14)
    invariant = run.y[1] ** 3 - run.y[0] ** 3
    return float(np.abs(invariant - invariant[0]).max() / max(start) ** 3)


def flanks(u: Floats, jumps: Floats) -> tuple[Floats, Floats]:
    """Distances of each jump to the neurons left and right of it.

    Raises ValueError for positions of which a piece of the target holds fewer than two.
    """
    if not two_in_each_piece(u, jumps):
        raise ValueError("a piece of the target holds fewer than two neurons")
    right = np.searchsorted(u, jumps)
    return jumps - u[right - 1], u[right] - jumps


def two_in_each_piece(u: Floats, jumps: Floats) -> bool:
    """Whether each piece of the target holds two of the sorted positions u."""
    counts = np.diff(np.searchsorted(u, np.concatenate([[0], jumps, [1]])))
    return bool((counts >= 2).all())


def loss_curve(u: Floats, jumps: Floats, heights: Floats, slow_time: Floats) -> Floats:
    """l at the given slow times, each jump by the inverse of its own time."""
    x, y = flanks(u, jumps)
    total = np.zeros_like(slow_time)
    for near, far, height in zip(np.minimum(x, y), np.maximum(x, y), np.abs(heights), strict=True):
        grid = near * np.sin(np.linspace(0, np.pi / 2, 400))  # dense where it is slow
        times = np.array([time_to(s, (near, far), height) for s in grid])
        now = np.interp(slow_time, times[::-1], grid[::-1], right=0.0)
        beyond = (now**3 + far**3 - near**3) ** (1 / 3)
        total += loss_of(now, beyond, np.array(height))
    return total


def deviation(H: Floats, split: int, epsilon: float, horizon: float, times: int = 200) -> float:
    """sup_τ ‖u_ε − u₀‖ of the flow of ½ zᵀH z, z = (a, u), from a at its least squares.

    Args:
        H: positive definite; its first ``split`` variables are a, the fast ones.
        horizon: of τ, the time of u.
    """
    from scipy.linalg import expm

    fast, mixed, slow = H[:split, :split], H[:split, split:], H[split:, split:]
    schur = slow - mixed.T @ np.linalg.solve(fast, mixed)
    u0 = np.ones(len(H) - split)
    z0 = np.concatenate([-np.linalg.solve(fast, mixed @ u0), u0])
    scale = np.concatenate([np.full(split, 1 / epsilon), np.ones(len(u0))])
    step = horizon / times
    full, limit = expm(-step * scale[:, None] * H), expm(-step * schur)
    worst, z, u = 0.0, z0, u0
    for _ in range(times):
        z, u = full @ z, limit @ u
        worst = max(worst, float(np.linalg.norm(z[split:] - u)))
    return worst


def implicit_steps(H: Floats, split: int, tau: float, *, steps: int) -> Floats:
    """‖u_k‖/((1 + τ μ)^(−k) ‖u₀‖) of u⁺ = argmin_u min_a ½zᵀH z + ‖u − u_k‖²/(2τ), k ≥ 1.

    μ is the least eigenvalue of the Schur complement. The step moves a at no cost: it is the
    resolvent of ∇L with the preconditioner diag(0, I). Each is solved for (a, u) together.
    """
    fast, mixed, slow = H[:split, :split], H[:split, split:], H[split:, split:]
    mu = np.linalg.eigvalsh(slow - mixed.T @ np.linalg.solve(fast, mixed))[0]
    prox = H.copy()
    prox[split:, split:] += np.eye(len(slow)) / tau
    u = np.ones(len(slow))
    first, ratios = np.linalg.norm(u), []
    for k in range(1, steps + 1):
        right = np.concatenate([np.zeros(split), u / tau])
        u = np.linalg.solve(prox, right)[split:]
        ratios.append(float(np.linalg.norm(u) * (1 + tau * mu) ** k / first))
    return np.array(ratios)


def slow_eigenvalues(H: Floats, split: int, epsilon: float) -> float:
    """The largest error of the Schur complement's eigenvalues for the slow ones of the flow."""
    fast, mixed, slow = H[:split, :split], H[:split, split:], H[split:, split:]
    schur = np.linalg.eigvalsh(slow - mixed.T @ np.linalg.solve(fast, mixed))
    root = np.sqrt(np.concatenate([np.full(split, 1 / epsilon), np.ones(len(slow))]))
    values = np.linalg.eigvalsh(root[:, None] * H * root)  # similar to diag(1/ε, 1) H
    return float(np.abs(values[: len(slow)] - schur).max())
