"""GRAAL with the adaptive step on Sun's problem, and how long fixed steps may be on linear F."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import opcheck
from opcheck import Table

Vector = NDArray[np.float64]
GOLDEN = (1 + np.sqrt(5)) / 2
DIMENSION = 100
STEPS = 400
LIPSCHITZ = 6.1932  # of F on the box of half-width 5/16, as proved for n = 6
RATIOS = (1.2, 1.4, float(GOLDEN), 2.0)


def sun(x: Vector) -> Vector:
    """F_i = x_{i−1}² + x_i² + x_{i−1}x_i + x_i x_{i+1} + x_{i−1} + 4x_i − 2x_{i+1} − 1."""
    before, after = np.concatenate([[0.0], x[:-1]]), np.concatenate([x[1:], [0.0]])
    return before**2 + x**2 + before * x + x * after + before + 4 * x - 2 * after - 1


def project(x: Vector) -> Vector:
    """Onto the box of half-width 1/4."""
    return np.clip(x, -0.25, 0.25)


def graal(z: Vector, steps: int, *, phi: float, step: float) -> list[Vector]:
    """Iterates of GRAAL with a fixed step, one call each."""
    zbar, points = z, [z]
    for _ in range(steps):
        zbar = ((phi - 1) * z + zbar) / phi
        z = project(zbar - step * sun(z))
        points.append(z)
    return points


def adaptive(z: Vector, steps: int, *, phi: float, step: float) -> list[Vector]:
    """Iterates of aGRAAL: the step from the last difference of F, grown by 1/φ + 1/φ² at most."""
    last, Flast, theta, grow = z, sun(z), 1.0, 1 / phi + 1 / phi**2
    z, points = project(z - step * Flast), [z]
    zbar = last
    for _ in range(steps - 1):
        points.append(z)
        Fz = sun(z)
        square = ((Fz - Flast) ** 2).sum()
        longest = phi * theta / (4 * step) * ((z - last) ** 2).sum() / square if square else np.inf
        new = min(grow * step, longest)
        theta, step = phi * new / step, new
        zbar = ((phi - 1) * z + zbar) / phi
        last, Flast = z, Fz
        z = project(zbar - step * Fz)
    return [*points, z]


def forward_backward_forward(z: Vector, steps: int, *, step: float) -> list[Vector]:
    """Iterates of Tseng's method after every second call."""
    points = [z]
    for _ in range(steps // 2):
        Fz = sun(z)
        zbar = project(z - step * Fz)
        z = zbar - step * (sun(zbar) - Fz)
        points += [z, z]
    return points


def adaptive_steps() -> dict[str, Table]:
    """Natural residuals on Sun's problem in 100 dimensions by calls of F, from 0."""
    start = np.zeros(DIMENSION)
    methods: dict[str, Callable[[], list[Vector]]] = {
        "FBF": lambda: forward_backward_forward(start, STEPS, step=0.9 / LIPSCHITZ),
        "GRAAL": lambda: graal(start, STEPS, phi=GOLDEN, step=GOLDEN / (2 * LIPSCHITZ)),
        "aGRAAL": lambda: adaptive(start, STEPS, phi=1.5, step=1 / LIPSCHITZ),
    }
    labels, calls, residuals = [], [], []
    for label, run in methods.items():
        for k, z in enumerate(run()):
            labels.append(label)
            calls.append(k)
            residuals.append(float(np.linalg.norm(z - project(z - sun(z)))))
    columns = {"method": labels, "calls": calls, "residual": residuals}
    return {"adaptive": Table(columns, caption="Sun's problem in 100 dimensions")}


def against_library() -> float:
    """‖z − z*‖∞ of aGRAAL here from the zero that the library states for n = 6."""
    reached = adaptive(np.zeros(6), STEPS, phi=1.5, step=1 / LIPSCHITZ)[-1]
    stated = opcheck.problem("sun_nonlinear").solution
    return float(np.abs(reached - stated).max())


def ranges() -> dict[str, Table]:
    """Spectral radius of GRAAL on the worst of rotations by 0 to 90° and of speeds up to 1."""
    maps = [np.exp(1j * t) for t in np.linspace(0, np.pi / 2, 31)]
    maps += [1j * s for s in np.linspace(0.05, 1, 20)]
    rows = []
    for phi in RATIOS:
        for step in np.linspace(0.4, 1.4, 81):
            radii = [
                np.abs(
                    np.linalg.eigvals(
                        [[-step * f, 1], [-(phi - 1) * step * f / phi, (phi - 1) / phi + 1 / phi]]
                    )
                ).max()
                for f in maps
            ]
            rows.append((round(phi, 3), step, max(radii), phi / 2))
    phi, step, radius, limit = map(np.array, zip(*rows, strict=True))
    columns = {"phi": phi, "step": step, "radius": radius, "proved": (step <= limit) & (phi < 1.7)}
    return {"ranges": Table(columns, {"step": "1/L"}, "GRAAL on monotone linear maps")}
