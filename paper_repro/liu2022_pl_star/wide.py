"""A network of one hidden layer, and what can be certified of it before it is trained.

F_i(W) = m^(−1/2) Σ_j v_j tanh(W_j · x_i), v_j = ±1 fixed, ‖x_i‖ = 1, and L = ½‖F − y‖². The second
derivative of F_i is block diagonal, so its norm is max_j |tanh″(W_j · x_i)|/√m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CURVATURE = 4 / (3 * np.sqrt(3))  # max |tanh″|
SPREAD = 2.0  # standard deviation of the entries of W at the start


@dataclass(frozen=True)
class Data:
    """Inputs x, shape (n, d), of norm 1; labels y, shape (n,)."""

    x: Floats
    y: Floats


@dataclass(frozen=True)
class Network:
    """Inner weights W, shape (m, d), and signs v, shape (m,)."""

    W: Floats
    v: Floats

    def outputs(self, x: Floats) -> Floats:
        """F at W, shape (n,)."""
        values: Floats = np.tanh(x @ self.W.T) @ self.v / np.sqrt(len(self.v))
        return values

    def jacobian(self, x: Floats) -> Floats:
        """DF at W, shape (n, m d)."""
        slopes = (1 - np.tanh(x @ self.W.T) ** 2) * self.v / np.sqrt(len(self.v))
        return (slopes[:, :, None] * x[:, None, :]).reshape(len(x), -1)

    def curvature(self, x: Floats) -> float:
        """The largest norm of D²F_i at W."""
        t = np.tanh(x @ self.W.T)
        return float(np.abs(2 * t * (1 - t**2)).max() / np.sqrt(len(self.v)))

    def moved(self, change: Floats) -> Network:
        """With W + change, change of shape (m d,)."""
        return Network(self.W + change.reshape(self.W.shape), self.v)


def data(n: int, d: int, size: float, *, seed: int) -> Data:
    """Random directions, and labels uniform in [−size, size]."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, d))
    return Data(x / np.linalg.norm(x, axis=1, keepdims=True), size * random.uniform(-1, 1, n))


def doubled(m: int, d: int, *, seed: int) -> Network:
    """m neurons in pairs of one W and opposite v, so that F = 0 at the start."""
    half = SPREAD * np.random.default_rng(seed).standard_normal((m // 2, d))
    return Network(np.vstack([half, half]), np.repeat([1.0, -1.0], m // 2))


def plain(m: int, d: int, *, seed: int) -> Network:
    """m independent neurons, v a random sign."""
    random = np.random.default_rng(seed)
    return Network(SPREAD * random.standard_normal((m, d)), random.choice([-1.0, 1.0], m))


@dataclass(frozen=True)
class Certificate:
    """What holds on the ball of radius R around the start, before any step.

    Attributes:
        mu: λ_min(DF DFᵀ) ≥ mu there; 0 where no R was found, and then nothing else is said.
        L_F: ‖DF‖ ≤ L_F there.
        beta_F: DF is beta_F-Lipschitz.
        R: 2 L_F r₀/mu.
        step: 1/(L_F² + beta_F r₀).
    """

    mu: float
    L_F: float
    beta_F: float
    R: float
    step: float

    def __bool__(self) -> bool:
        return bool(self.mu > 0)


def certify(jacobian: Floats, r0: float, beta_F: float) -> Certificate:
    """Iterate R ← 2 L_F r₀/σ², σ = σ_min − beta_F R, L_F = σ_max + beta_F R, from R = 0.

    Args:
        jacobian: DF at the start, shape (n, p).
        r0: ‖F − y‖ at the start.

    The iteration increases, so that it converges or σ becomes 0. Each R is enlarged a little, so
    that the last one is no smaller than what it must be.
    """
    values = np.linalg.svd(jacobian, compute_uv=False)
    R = 0.0
    for _ in range(10_000):
        smallest, largest = values[-1] - beta_F * R, values[0] + beta_F * R
        if smallest <= 0:
            break
        larger = 2 * largest * r0 / smallest**2
        if larger <= R:
            step = 1 / (largest**2 + beta_F * r0)
            return Certificate(float(smallest**2), float(largest), beta_F, float(R), float(step))
        R = larger * (1 + 1e-9)
    return Certificate(0.0, np.inf, beta_F, np.inf, 1 / (values[0] ** 2 + beta_F * r0))


@dataclass(frozen=True)
class Descent:
    """Gradient descent on L.

    Attributes:
        losses: L at each step, shape (k + 1,).
        slopes: ½‖∇L‖² there.
        smallest: the least λ_min(DF DFᵀ) on the way.
        moved: ‖W − W₀‖ at its largest.
        change: ‖K − K₀‖/‖K₀‖ at its largest, K = DF DFᵀ.
    """

    losses: Floats
    slopes: Floats
    smallest: float
    moved: float
    change: float


def descend(start: Network, task: Data, step: float, *, steps: int, until: float) -> Descent:
    """At most ``steps`` steps, and no further than L ≤ until."""
    now = start
    D = now.jacobian(task.x)
    first = D @ D.T
    losses, slopes, smallest, moved, change = [], [], np.inf, 0.0, 0.0
    for _ in range(steps + 1):
        residual = now.outputs(task.x) - task.y
        gradient = D.T @ residual
        losses.append(0.5 * float(residual @ residual))
        slopes.append(0.5 * float(gradient @ gradient))
        kernel = D @ D.T
        smallest = min(smallest, float(np.linalg.eigvalsh(kernel)[0]))
        moved = max(moved, float(np.linalg.norm(now.W - start.W)))
        apart = np.linalg.norm(kernel - first, 2) / np.linalg.norm(first, 2)
        change = max(change, float(apart))
        if losses[-1] <= until:
            break
        now = now.moved(-step * gradient)
        D = now.jacobian(task.x)
    return Descent(np.array(losses), np.array(slopes), smallest, moved, change)
