"""Proximal point steps on their slowest operator, and optimistic steps where ρL = −1/2."""

from __future__ import annotations

from typing import Any

import numpy as np

from opcheck import Table

RHO = 1.0  # F is −ρ-comonotone; the scale of the authors' code
STEPS = (2.05, 3.0)  # γ, beyond 2ρ
LONGEST = 60
TURNS = (1.0, np.exp(2j * np.pi / 3))  # F = L·I and L times the rotation by 120°, at L = 1
GRID = 120


def slowest_operator() -> dict[str, Table]:
    """‖F x_{N+1}‖² of the proximal point method on the rotation that is worst for N, ρ = 1.

    The plane is the complex line: F = f with f = |cos θ| e^{iθ}/ρ, so that Re(1/f) = −ρ, and
    one step divides by 1 + γf. cos θ = −ρ/√(Nγ(γ − 2ρ)) where that is a cosine; before, −1.
    """
    rows: dict[str, list[float]] = {
        name: [] for name in ("gamma", "N", "measured", "upper", "lower")
    }
    for gamma in STEPS:
        share = gamma * (gamma - 2 * RHO)
        for n in range(1, LONGEST):
            cosine = -min(1.0, RHO / np.sqrt(n * share))
            f = -cosine / RHO * np.exp(1j * np.arccos(cosine))
            rows["gamma"].append(gamma)
            rows["N"].append(n)
            rows["measured"].append(abs(f) ** 2 / abs(1 + gamma * f) ** (2 * (n + 1)))
            rows["upper"].append(1 / (share * (n + 1)))
            rows["lower"].append(1 / (share * n * (1 + 1 / n) ** (n + 1)))
    columns = {name: np.array(values) for name, values in rows.items()}
    columns["ratio"] = columns["measured"] / columns["lower"]
    columns["beyond"] = columns["N"] * columns["gamma"] * (columns["gamma"] - 2 * RHO) >= RHO**2
    units = {"measured": "R²/ρ²", "upper": "R²/ρ²", "lower": "R²/ρ²", "gamma": "−ρ"}
    caption = "The last squared residual of N + 1 proximal point steps on the worst rotation for N"
    table = Table(columns, units, caption)
    return {f"gamma_{g}": table.where(gamma=g) for g in STEPS}


def radius(gamma_1: float, gamma_2: float, f: complex) -> float:
    """Spectral radius of x̃ = x − γ₁F x̃₋, x⁺ = x − γ₂F x̃ on (x, F x̃₋) for F = f."""
    step = np.array([[1 - gamma_2 * f, gamma_1 * gamma_2 * f], [f, -gamma_1 * f]])
    return float(np.abs(np.linalg.eigvals(step)).max())


def norm(gamma_1: float, gamma_2: float) -> float:
    """Spectral norm of the same step on (x, x̃₋) for the rotation by 120°."""
    f = TURNS[1]
    step = np.array([[1 - gamma_2 * f, gamma_1 * gamma_2 * f**2], [1, -gamma_1 * f]])
    return float(np.linalg.norm(step, 2))


def largest_second_step(gamma_1: Any) -> Any:
    """γ₂ below which boehm2023_ogda_plus holds at ρ = −1/2, L = 1, of numbers or arrays."""
    top = (2 * gamma_1 - 1) * (1 - gamma_1**2) / (1 + gamma_1**2 - gamma_1)
    return np.where(top > 0, top, np.nan)


def two_steps() -> dict[str, Table]:
    """The larger spectral radius on the two maps over (γ₁, γ₂), at L = 1 and ρ = −1/2."""
    points = np.arange(1, GRID + 1) / GRID
    pairs = [(g1, g2) for g1 in points for g2 in points]
    radii = np.array([max(radius(g1, g2, f) for f in TURNS) for g1, g2 in pairs])
    norms = np.array([norm(g1, g2) for g1, g2 in pairs])
    columns = {
        "gamma_1": np.array([g1 for g1, _ in pairs]),
        "gamma_2": np.array([g2 for _, g2 in pairs]),
        "radius": radii,
        "outcome": np.where(radii < 1, "converges", "diverges"),
        "norm": norms,
        "proved": np.array([g2 < largest_second_step(g1) for g1, g2 in pairs]),
        "same": np.array([g1 == g2 for g1, g2 in pairs]),
    }
    units = {"gamma_1": "1/L", "gamma_2": "1/L"}
    caption = "Optimistic steps on both L·I and L times the rotation by 120°"
    return {"steps": Table(columns, units, caption)}
