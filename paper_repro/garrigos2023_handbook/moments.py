"""Means of random affine iterations, without sampling.

Where every step is affine, z⁺ = B_i z with i drawn anew and z = (…, 1), the second moments follow
E z⁺z⁺ᵀ = mean_i B_i E zzᵀ B_iᵀ, and the mean of every quadratic is known at every step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LeastSquares:
    """f = mean of f_i = ½(a_i·x − y_i)²; rows a, shape (n, d), y, shape (n,), and x₀, shape (d,).

    ``normal`` is a unit vector, shape (d,): x stays in a hyperplane through the solution; None
    without constraint.
    """

    a: Floats
    y: Floats
    start: Floats
    normal: Floats | None = None
    level: float = 0.0  # of normal · x

    @property
    def H(self) -> Floats:
        """∇²f."""
        return self.a.T @ self.a / len(self.y)

    @property
    def projection(self) -> Floats:
        """Onto the directions of the constraint."""
        size = len(self.start)
        return (
            np.eye(size)
            if self.normal is None
            else np.eye(size) - np.outer(self.normal, self.normal)
        )

    @property
    def solution(self) -> Floats:
        """x*, of several the nearest to x₀."""
        if self.normal is None:
            off = self.y - self.a @ self.start
            return self.start + np.linalg.lstsq(self.a, off, rcond=None)[0]
        inside = self.level * self.normal
        P = self.projection
        off = P @ self.a.T @ (self.y - self.a @ inside) / len(self.y)
        return inside + np.linalg.pinv(P @ self.H @ P, rcond=1e-12) @ off

    @property
    def gradients(self) -> Floats:
        """∇f_i(x*), shape (n, d)."""
        return self.a * (self.a @ self.solution - self.y)[:, None]

    @property
    def L(self) -> float:
        """The largest eigenvalue of ∇²f."""
        return float(np.linalg.eigvalsh(self.H)[-1])

    @property
    def L_max(self) -> float:
        """The largest of those of ∇²f_i."""
        return float((self.a**2).sum(axis=1).max())

    @property
    def mu(self) -> float:
        """The least positive eigenvalue of ∇²f."""
        values = np.linalg.eigvalsh(self.H)
        return float(values[values > 1e-9 * values[-1]][0])

    @property
    def D2(self) -> float:
        """‖x₀ − x*‖²."""
        return float(((self.start - self.solution) ** 2).sum())

    @property
    def noise(self) -> float:
        """Mean ‖∇f_i(x*) − ∇f(x*)‖²."""
        centred = self.gradients - self.gradients.mean(axis=0)
        return float((centred**2).sum(axis=1).mean())

    @property
    def least(self) -> float:
        """f(x*), and the mean of f_i(x*) − inf f_i, since each f_i has infimum 0."""
        return float(((self.a @ self.solution - self.y) ** 2).mean() / 2)

    def batches(self, b: int) -> tuple[Floats, Floats]:
        """Means of ∇²f_i and of ∇f_i(x*) over all sets of b different i."""
        sets = np.array(list(itertools.combinations(range(len(self.y)), b)))
        squares = np.einsum("ni,nj->nij", self.a, self.a)
        return squares[sets].mean(axis=1), self.gradients[sets].mean(axis=1)


def moments(maps: Callable[[int], Floats], z0: Floats, steps: int) -> Iterator[tuple[int, Floats]]:
    """(t, E zzᵀ), t = 0, …, steps; maps(t) are the equally likely B_i of step t, (N, D, D)."""
    Z = np.outer(z0, z0)
    for t in range(steps + 1):
        yield t, Z
        B = maps(t)
        Z = (B @ Z @ B.transpose(0, 2, 1)).mean(axis=0)


def sgd(
    problem: LeastSquares, step: Callable[[int], float], *, steps: int, b: int = 1, **weigh: Any
) -> dict[str, Floats]:
    """Means over SGD with batches of b different i, projected where there is a constraint.

    Args:
        step: γ_t.
        weigh: ``weight``, t ↦ the weight of x_t in the average; default equal ones.

    Returns: ``distance`` E‖x_t − x*‖², ``gap`` E f(x_t) − f*, shape (steps + 1,), and ``average``,
    E f − f* at the average of x_0, …, x_{t−1}; NaN at t = 0.
    """
    weight: Callable[[int], float] = weigh.get("weight", lambda t: 1.0)
    A, g = problem.batches(b)
    d, P, H = len(problem.start), problem.projection, problem.H

    def maps(t: int) -> Floats:
        B = np.zeros((len(A), 2 * d + 1, 2 * d + 1))
        B[:, :d, :d] = P @ (np.eye(d) - step(t) * A)
        B[:, :d, -1] = -step(t) * g @ P
        B[:, d : 2 * d, d : 2 * d] = np.eye(d)
        B[:, d : 2 * d, :d] = weight(t) * np.eye(d)
        B[:, -1, -1] = 1
        return B

    z0 = np.concatenate([problem.start - problem.solution, np.zeros(d), [1]])
    rows: dict[str, list[float]] = {"distance": [], "gap": [], "average": []}
    total = 0.0
    for t, Z in moments(maps, z0, steps):
        rows["distance"].append(float(np.trace(Z[:d, :d])))
        rows["gap"].append(float((H * Z[:d, :d]).sum() / 2))
        spread = float((H * Z[d : 2 * d, d : 2 * d]).sum() / 2)
        rows["average"].append(spread / total**2 if t else np.nan)
        total += weight(t)
    return {name: np.array(values) for name, values in rows.items()}


def momentum(problem: LeastSquares, gamma: float, *, steps: int) -> Floats:
    """E f(x_t) − f* of z⁺ = z − γ ∇f_i(x), x⁺ = (λ x + z⁺)/(λ + 1), λ = (t + 1)/2."""
    A, g = problem.batches(1)
    d = len(problem.start)

    def maps(t: int) -> Floats:
        weight = (t + 1) / 2
        B = np.zeros((len(A), 2 * d + 1, 2 * d + 1))
        B[:, d : 2 * d, :d] = -gamma * A
        B[:, d : 2 * d, d : 2 * d] = np.eye(d)
        B[:, d : 2 * d, -1] = -gamma * g
        B[:, :d, :] = B[:, d : 2 * d, :] / (weight + 1)
        B[:, :d, :d] += weight / (weight + 1) * np.eye(d)
        B[:, -1, -1] = 1
        return B

    off = problem.start - problem.solution
    z0 = np.concatenate([off, off, [1]])
    gaps = [float((problem.H * Z[:d, :d]).sum() / 2) for _, Z in moments(maps, z0, steps)]
    return np.array(gaps)


def random_problem(seed: int, **fields: Any) -> LeastSquares:
    """Eight terms in four dimensions, or what ``fields`` says.

    Args:
        fields: numbers n and d; ``last``, the scale of the last column of a, the first has 1;
            ``noise`` of y; ``far``, the scale of x₀; whether ``constrained`` to a hyperplane.
    """
    random = np.random.default_rng(seed)
    n, d = fields.get("n", 8), fields.get("d", 4)
    a = random.standard_normal((n, d)) * np.geomspace(1, fields.get("last", 0.5), d)
    y = a @ random.standard_normal(d) + fields.get("noise", 0.5) * random.standard_normal(n)
    normal = None
    if fields.get("constrained"):
        normal = random.standard_normal(d)
        normal /= np.linalg.norm(normal)
    start = fields.get("far", 1.0) * random.standard_normal(d)
    return LeastSquares(a, y, start, normal=normal, level=0.3)
