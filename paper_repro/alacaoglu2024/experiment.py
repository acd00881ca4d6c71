"""Halpern's iteration of the conic part of a resolvent that is computed by an inner loop."""

from __future__ import annotations

import numpy as np

from opcheck import Table

RHO = (-0.3, -0.6, -0.9)  # L = 1
KAPPA = 0.5
STEPS = 1200
SHOWN = 1000  # up to which "from k on" says something
GAMMA = 0.99  # γL of the weights


def inexact() -> dict[str, Table]:
    """Residual and calls on L times the rotation with cos θ = ρL, γ half-way from −ρ to 1/L.

    In the complex line F = w, |w| = 1 = L. J z = z/(1 + γw), and τ steps u ← z − γwu from
    u = z give J z + (−γw)^τ(z − J z). With a = γ/(2(γ + ρ)) and
    τ_k = ⌈log((k + 1)(k + 2)/κ)/log(1/(γL))⌉ the residual is at most 2a e^{2κ}R/(k + 1).
    """
    columns: dict[str, list[float]] = {n: [] for n in ("rhoL", "k", "calls", "residual", "scaled")}
    for rho in RHO:
        w = rho + 1j * np.sqrt(1 - rho**2)
        gamma = (1 - rho) / 2
        a = gamma / (2 * (gamma + rho))
        z, calls = 1.0 + 0j, 0
        for k in range(STEPS + 1):
            step = z - z / (1 + gamma * w)
            columns["rhoL"].append(rho)
            columns["k"].append(k)
            columns["calls"].append(max(calls, 1))
            columns["residual"].append(abs(step) ** 2)
            columns["scaled"].append(abs(step) * (k + 1) / (2 * a))
            inner = int(np.ceil(np.log((k + 1) * (k + 2) / KAPPA) / np.log(1 / gamma)))
            reached = z - step + (-gamma * w) ** inner * step
            z = 1 / (k + 2) + (1 - 1 / (k + 2)) * (z + (reached - z) / a)
            calls += inner
    shape = len(RHO), STEPS + 1
    scaled = np.reshape(columns["scaled"], shape)
    residual = np.reshape(columns["residual"], shape)
    peaks = {
        "peak": np.maximum.accumulate(scaled, axis=1).ravel(),
        "later": np.maximum.accumulate(residual[:, ::-1], axis=1)[:, ::-1].ravel(),
    }
    shown = np.array(columns["k"]) <= SHOWN
    kept = {name: np.array(v)[shown] for name, v in (columns | peaks).items()}
    units = {"residual": "R²", "scaled": "R", "peak": "R", "later": "R²"}
    return {"inexact": Table(kept, units, "Halpern's iteration with an inner loop")}


def weights() -> dict[str, Table]:
    """Where z⁺ = (1 − λ)z + λJ z contracts on L·I and the rotation with cos θ = ρL, γ = 0.99/L."""
    cells = np.arange(80)
    axes = np.meshgrid(-(cells + 0.25) / 80 * 0.99, (cells + 0.5) / 40)
    rho, lam = (axis.ravel() for axis in axes)

    turns = (np.ones_like(rho), rho + 1j * np.sqrt(1 - rho**2))
    radius = np.max([np.abs(1 - lam * GAMMA * f / (1 + GAMMA * f)) for f in turns], axis=0)
    columns = {
        "rhoL": rho,
        "lam": lam,
        "outcome": np.where(radius < 1, "converges", "diverges"),
        "inside": lam < 2 * (1 + rho / GAMMA),
    }
    caption = "Relaxed proximal point steps with γ = 0.99/L on two linear maps"
    return {"weights": Table(columns, caption=caption)}
