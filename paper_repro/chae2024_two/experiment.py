"""Spectra of F with two time scales: x moves τ times slower than y, ε = 1/τ.

F = (∇_x f, −∇_y f) has the slopes H = ((A, C), (−Cᵀ, −B)), and two-timescale EG with steps
(η/τ, η) is extragradient with step η on ΛF, Λ = diag(I/τ, I).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from opcheck import Problem, Table, linear
from opcheck.plugin import growth

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
METHODS = {"EG": "extragradient", "GDA": "gradient_descent_ascent"}
ETA = 0.8  # of the example
# one eigenvalue of each branch, and a conjugate pair: B is singular
A, C, B = np.diag([-0.5, 0.2]), np.array([[0.4, 1.0], [0.7, 0.0]]), np.diag([-1.0, 0.0])
INSTANCES, SIZE, RANK = 20, 4, 2  # random ones: n = m = 4, B of rank 2
SMALLEST = 1e-5  # ε of the map
EDGE = 0.03  # of s: nearer to the boundary that ε does not decide


def slopes(A: Floats, C: Floats, B: Floats, epsilon: float) -> Floats:
    """ΛH, shape (n + m, n + m)."""
    return np.block([[epsilon * A, epsilon * C], [-C.T, -B]])


def factor(matrix: Floats, method: str, eta: float) -> float:
    """Spectral radius of the step's own matrix, in numpy."""
    eye = np.eye(len(matrix))
    step = eye - eta * matrix
    if method == "EG":
        step = eye - eta * matrix @ step
    return float(np.abs(np.linalg.eigvals(step)).max())


def predicted(A: Floats, C: Floats, B: Floats, epsilon: float) -> Mapping[str, Complex]:
    """First terms of the eigenvalues of ΛH, by branch.

    With S = A − C B⁺ Cᵀ, N a basis of ker B and C N = Σ σ_j u_j v_jᵀ: ε eig(UᵀSU) for U the
    complement of the u_j, ±i√ε σ_j + ε u_jᵀSu_j/2, and −eig(B) on the range of B.
    """
    values, vectors = np.linalg.eigh(B)
    null = np.abs(values) < 1e-12
    left, sigma, _ = np.linalg.svd(C @ vectors[:, null])
    count = len(sigma)
    schur = A - C @ np.linalg.pinv(B) @ C.T
    u, rest = left[:, :count], left[:, count:]
    turning = 1j * np.sqrt(epsilon) * sigma
    drift = epsilon * np.einsum("ij,ik,kj->j", u, schur, u) / 2
    return {
        "restricted Schur complement": epsilon * np.linalg.eigvalsh(rest.T @ schur @ rest) + 0j,
        "turning": np.concatenate([turning + drift, -turning + drift]),
        "range of B": -values[~null] + 0j,
    }


def degenerate(tau: float, s: float) -> Problem:
    """ΛF of f = s x²/2 + xy, whose Hessian in y vanishes; zero at 0."""
    return Problem(linear([[s / tau, 1 / tau], [-1.0, 0.0]]), solution=np.zeros(2))


def paths() -> Mapping[str, Table]:
    """Eigenvalues of ΛH of the example as τ grows, and the radius of both methods."""
    rows, radii = [], []
    branches = predicted(A, C, B, 1e-4)
    names = ["restricted Schur complement", "turning, +i", "turning, −i", "range of B"]
    last = np.concatenate(list(branches.values()))
    for tau in np.geomspace(1e4, 1, 49):  # from where the branches are known
        matrix = slopes(A, C, B, 1 / tau)
        values = left = np.linalg.eigvals(matrix)
        for i, branch in enumerate(names):
            nearest = int(np.argmin(np.abs(left - last[i])))
            last[i], left = left[nearest], np.delete(left, nearest)
            rows.append((tau, branch, last[i].real, last[i].imag))
        for label, name in METHODS.items():
            kernel = float(growth(name, values, gamma=ETA).max())
            radius = factor(matrix, label, ETA)
            radii.append((tau, label, radius, kernel, tau * (radius - 1)))
    return {
        "paths": _table(("tau", "branch", "re", "im"), rows, "Eigenvalues of ΛH, τ = 1 … 10⁴"),
        "radii": _table(
            ("tau", "method", "radius", "kernel", "scaled"), radii, "Spectral radius of a step"
        ),
    }


def lemma() -> Mapping[str, Table]:
    """Largest error of the predicted eigenvalues over random instances, in units of ε or of 1."""
    generator = np.random.default_rng(2305)
    rows = []
    instances = []
    for _ in range(INSTANCES):
        A, C = generator.standard_normal((2, SIZE, SIZE))
        Q = np.linalg.qr(generator.standard_normal((SIZE, SIZE)))[0]
        least = np.concatenate([-generator.uniform(0.5, 2, RANK), np.zeros(SIZE - RANK)])
        instances.append(((A + A.T) / 2, C, (Q * least) @ Q.T))
    for epsilon in 10.0 ** -np.arange(2, 8):
        worst: dict[str, float] = {}
        for A, C, B in instances:
            values = np.linalg.eigvals(slopes(A, C, B, epsilon))
            for branch, centres in predicted(A, C, B, epsilon).items():
                unit = 1.0 if branch == "range of B" else epsilon
                off = max(float(np.abs(values - centre).min()) for centre in centres) / unit
                worst[branch] = max(worst.get(branch, 0.0), off)
        rows += [(1 / epsilon, branch, off) for branch, off in worst.items()]
    return {"lemma": _table(("tau", "branch", "off"), rows, "Error of the first terms")}


def window() -> Mapping[str, Table]:
    """f = s x²/2 + xy at ε = 10⁻⁵: which methods converge, against the two conditions."""
    rows = []
    for eta in np.linspace(0.05, 0.95, 37):
        for s in np.linspace(-1.2, 1.2, 61):
            matrix = slopes(np.array([[s]]), np.eye(1), np.zeros((1, 1)), SMALLEST)
            eg, gda = (factor(matrix, label, eta) < 1 for label in METHODS)
            outcome = {(True, True): "EG and GDA", (True, False): "EG alone"}.get(
                (eg, gda), "GDA alone" if gda else "neither"
            )
            agrees = (eg == (s > -eta)) and (gda == (s > eta))
            decided = min(abs(s - eta), abs(s + eta)) > EDGE
            rows.append((eta, s, outcome, agrees, decided))
    names = ("eta", "s", "outcome", "agrees", "decided")
    return {"window": _table(names, rows, "f = s x²/2 + xy, σ = 1, τ = 10⁵")}


def saddle() -> Mapping[str, Table]:
    """The example with A₂₂ lowered, so that the restricted Schur complement turns negative."""
    rows = []
    for a in np.linspace(-1.0, 0.5, 31):
        lowered = np.diag([A[0, 0], a])
        least = float(predicted(lowered, C, B, 1.0)["restricted Schur complement"].real.min())
        radius = factor(slopes(lowered, C, B, 1e-4), "EG", ETA)
        rows.append((a, least, radius - 1, (radius < 1) == (least > 0)))
    return {"saddle": _table(("a", "restricted", "excess", "agrees"), rows, "τ = 10⁴, η = 0.8")}


def _table(names: tuple[str, ...], rows: list, caption: str) -> Table:  # type: ignore[type-arg]
    return Table({n: [row[i] for row in rows] for i, n in enumerate(names)}, {}, caption)
