"""How large the second step of OGDA+ may be, and the polar game of the author's code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import Table

FIRST = np.arange(1, 400) / 400  # a = γ₁, in 1/L
SECOND = np.arange(1, 400) / 400
RHO = -np.arange(0, 40) / 40
GRID = 2001  # points of r² on the box


def steps() -> dict[str, Table]:
    """The largest second step γa (1/L) over all a: as stated, as registered, as linear F allows.

    Stated: aL ≤ (1 − γ)/(1 + γ) and a > −2ρ. Registered: the range of boehm2023_ogda_plus.
    Linear: both spectral radii below 1 on L·I and on L times the rotation with cos θ = ρL,
    by a grid of both steps.
    """
    share = (1 - FIRST) / (1 + FIRST)
    rows: dict[str, list[float]] = {"rhoL": [], "stated": [], "registered": [], "linear": []}
    a, eta = (axis.ravel() for axis in np.meshgrid(FIRST[1::2], SECOND[1::2]))
    for rho in RHO:
        proved = 2 * (FIRST + rho) * (1 - FIRST**2) / (1 + FIRST**2 + 2 * FIRST * rho)
        turns = (1.0, rho + 1j * np.sqrt(1 - rho**2))
        stable = np.max([radius(a, eta, f) for f in turns], axis=0) < 1
        stated = np.where(-2 * rho < FIRST, share * FIRST, 0.0)
        rows["rhoL"].append(rho)
        rows["stated"].append(float(stated.max()))
        rows["registered"].append(float(proved.max(initial=0.0, where=-rho < FIRST)))
        rows["linear"].append(float(eta.max(initial=0.0, where=stable)))
    units = dict.fromkeys(("stated", "registered", "linear"), "1/L")
    columns = {name: np.array(values) for name, values in rows.items()}
    return {"steps": Table(columns, units, "The largest second step of OGDA+")}


def radius(a: NDArray[Any], eta: NDArray[Any], f: complex) -> NDArray[Any]:
    """Spectral radius of z̄ = z − aF z̄₋, z⁺ = z − ηF z̄ on (z, z̄₋), for F = f.

    λ² − (1 − (η + a)f)λ − af = 0.
    """
    half = (1 - (eta + a) * f) / 2
    root = np.sqrt(half**2 + a * f + 0j)
    return np.maximum(np.abs(half + root), np.abs(half - root))


def polar() -> dict[str, Table]:
    """ρL of the author's polar game on the box |x|, |y| ≤ 11/10, by a grid.

    With w = (a/4)(r² − 1)(4r² − 1) it is F = (wx − y, wy + x), so ⟨F z, z⟩/‖F z‖² = w/(1 + w²)
    and ‖JF‖ is that of w I + 2w' zzᵀ + J, largest over r² ≤ 2·1.1².
    """
    rows = []
    for a in sorted({*np.arange(2, 31) / 20, 1 / 3}):
        square = np.linspace(0, 2 * 1.1**2, GRID)
        w = a / 4 * (square - 1) * (4 * square - 1)
        slope = a / 4 * (8 * square - 5)
        # in the frame of z the Jacobian is [[w + 2r²w', −1], [1, w]]
        jacobians = np.array([[w + 2 * square * slope, -np.ones_like(w)], [np.ones_like(w), w]])
        lipschitz = float(np.linalg.norm(jacobians.transpose(2, 0, 1), 2, axis=(1, 2)).max())
        rho = float((w / (1 + w**2)).min())
        rows.append((a, rho, lipschitz, rho * lipschitz))
    a, rho, lipschitz, product = map(np.array, zip(*rows, strict=True))
    columns = {"a": a, "rho": rho, "L": lipschitz, "rhoL": product}
    columns["guaranteed"] = product > -0.5
    return {"polar": Table(columns, caption="The author's polar game on the box of 11/10")}
