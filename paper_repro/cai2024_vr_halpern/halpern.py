"""Halpern's iteration with a variance-reduced estimate of a finite sum, and without.

F = (1/n) Σ F_i, F_i u = P_iᵀ M P_i (u − u*) with P_i of two rows and M = ((1, c), (−c, 1)), so that
no F_i is a gradient. ⟨F_i d, d⟩ = ‖P_i d‖² ≥ ‖F_i d‖²/((1 + c²)‖P_i‖²), which makes F cocoercive on
average with L = (1 + c²) max ‖P_i‖². All ‖P_i‖ are 1 here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TURN = 1.0  # c


@dataclass(frozen=True)
class Sum:
    """Matrices of the F_i, shape (n, d, d); L of the average; u₀, u*, shape (d,)."""

    parts: Floats
    L: float
    start: Floats
    solution: Floats

    @property
    def mean(self) -> Floats:
        """The matrix of F."""
        return self.parts.mean(axis=0)

    @property
    def D(self) -> float:
        """‖u₀ − u*‖."""
        return float(np.linalg.norm(self.start - self.solution))

    @property
    def L_F(self) -> float:
        """The least L with ⟨F d, d⟩ ≥ ‖F d‖²/L: of the mean, which a full step needs."""
        from scipy.linalg import eigh

        B = self.mean
        return float(eigh(B.T @ B, (B + B.T) / 2, eigvals_only=True)[-1])


def finite_sum(n: int, d: int, *, shared: float, seed: int = 0) -> Sum:
    """Random P_i of norm 1, of which a share in [0, 1) is one plane that all have in common."""
    random = np.random.default_rng(seed)
    rows = random.standard_normal((n, 2, d)) / np.sqrt(d)
    P = np.sqrt(shared) * np.eye(2, d) + np.sqrt(1 - shared) * rows
    P /= np.linalg.norm(P, 2, axis=(1, 2))[:, None, None]
    M = np.array([[1, TURN], [-TURN, 1]])
    L = (1 + TURN**2) * float(np.linalg.norm(P, 2, axis=(1, 2)).max() ** 2)
    parts = np.einsum("nai,ab,nbj->nij", P, M, P)
    return Sum(parts, L, np.zeros(d), random.standard_normal(d) / np.sqrt(d))


@dataclass(frozen=True)
class Residuals:
    """‖F u_k‖ and the calls of an F_i before it, shape (repetitions, k + 1) each."""

    residual: Floats
    calls: Floats


def variance_reduced(problem: Sum, *, steps: int, repetitions: int, seed: int) -> Residuals:
    """u⁺ = λ u₀ + (1 − λ) u − (1/4L) F̃, λ = 2/(k + 4), with the estimate F̃ of PAGE.

    F̃ is F u with probability 4/(k + 5) while k ≤ √n and 4/(√n + 5) later, else the last F̃ and the
    mean of F_i u − F_i u₋ over ⌈√n⌉ draws with replacement, at two calls each.
    """
    random = np.random.default_rng(seed)
    n, root = len(problem.parts), np.sqrt(len(problem.parts))
    batch, B = int(np.ceil(root)), problem.mean
    u = np.tile(problem.start, (repetitions, 1))
    before, estimate = u, np.zeros_like(u)
    calls = np.zeros(repetitions)
    residuals, counts = [], []
    for k in range(steps + 1):
        F = (u - problem.solution) @ B.T
        residuals.append(np.linalg.norm(F, axis=1))
        counts.append(calls)
        full = random.random(repetitions) < (1 if k == 0 else 4 / (min(k, root) + 5))
        drawn = random.integers(n, size=(repetitions, batch))
        change = np.zeros_like(u)
        for r in np.flatnonzero(~full):
            change[r] = problem.parts[drawn[r]].mean(axis=0) @ (u[r] - before[r])
        estimate = np.where(full[:, None], F, estimate + change)
        calls = calls + np.where(full, n, 2 * batch)
        weight = 2 / (k + 4)
        before, u = u, weight * problem.start + (1 - weight) * u - estimate / (4 * problem.L)
    return Residuals(np.array(residuals).T, np.array(counts).T)


def mean_cost(n: int, steps: int) -> float:
    """The expected calls of an F_i in the first steps."""
    root = np.sqrt(n)
    p = np.array([1.0, *4 / (np.minimum(np.arange(1, steps), root) + 5)])
    return float((p * n + (1 - p) * 2 * np.ceil(root)).sum())


def full_halpern(problem: Sum, *, steps: int) -> Residuals:
    """u⁺ = u₀/(k + 2) + (k + 1)/(k + 2) (u − (2/L_F) F u), n calls a step."""
    B, u = problem.mean, problem.start
    residuals = []
    for k in range(steps + 1):
        F = B @ (u - problem.solution)
        residuals.append(np.linalg.norm(F))
        u = (problem.start + (k + 1) * (u - 2 / problem.L_F * F)) / (k + 2)
    calls = len(problem.parts) * np.arange(steps + 1.0)
    return Residuals(np.array([residuals]), calls[None])


def full_extragradient(problem: Sum, *, steps: int) -> Residuals:
    """Extragradient with γ = 0.9/‖F‖, 2n calls a step."""
    B, u = problem.mean, problem.start
    gamma = 0.9 / float(np.linalg.norm(B, 2))
    residuals = []
    for _ in range(steps + 1):
        F = B @ (u - problem.solution)
        residuals.append(np.linalg.norm(F))
        u = u - gamma * B @ (u - gamma * F - problem.solution)
    calls = 2 * len(problem.parts) * np.arange(steps + 1.0)
    return Residuals(np.array([residuals]), calls[None])


def inexact_halpern(T: Floats, u0: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """‖u_k − T u_k‖ of u⁺ = u₀/(k + 2) + (k + 1)/(k + 2) (T u + e_k), and what bounds it.

    The bound is 2/(k + 1) (‖u₀ − u*‖ + Σ_{i<k} (i + 1)‖e_i‖), for a linear T and u* = 0.
    """
    u, gone = u0, 0.0
    residuals, bounds = [], []
    for k, e in enumerate(errors):
        residuals.append(float(np.linalg.norm(u - T @ u)))
        bounds.append(2 / (k + 1) * (float(np.linalg.norm(u0)) + gone))
        gone += (k + 1) * float(np.linalg.norm(e))
        u = (u0 + (k + 1) * (T @ u + e)) / (k + 2)
    return np.array(residuals), np.array(bounds)
