"""EG+ with γ = 1/L and weight 1/2 on rotations: contraction, total residual, limit of ρ."""

from __future__ import annotations

import numpy as np

from opcheck import Table

ALPHA = 0.5
STEPS = 100_000


def rotations() -> dict[str, Table]:
    """One step's factor of ‖z‖² and Σ‖F z̄_k‖²/(L²R²) on L times the rotation with cos θ = ρL.

    In the complex line F = w, |w| = 1 = L, so z̄ = (1 − w)z, F z̄ = w(1 − w)z and
    z⁺ = (1 − αw(1 − w))z.
    """
    c = np.arange(0, 0.32, 0.01)
    w = -c + 1j * np.sqrt(1 - c**2)
    value = w * (1 - w)
    factor = np.abs(1 - ALPHA * value) ** 2
    kept = np.where(factor < 1, factor, np.nan)
    total = np.abs(value) ** 2 * (1 - kept**STEPS) / (1 - kept)
    left = 1 - 2 * c - ALPHA
    bound = np.where(left > 1e-12, 1 / (ALPHA * np.where(left > 1e-12, left, 1)), np.nan)
    columns = {
        "rhoL": -c,
        "factor": factor,
        "total": total,
        "bound": bound,
        "off": np.where(c < 0.245, np.abs(total / bound - 1), 0.0),
    }
    caption = "EG+ with γ = 1/L and weight 1/2 on L times a rotation"
    return {"rotations": Table(columns, {"total": "L²R²", "bound": "L²R²"}, caption)}
