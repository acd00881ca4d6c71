"""Where FEG meets its bound, and how steep the operator of the lower bound is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import opcheck
from opcheck import Table

HORIZONS = (5, 10, 20, 50, 100)
ANGLES = 181


def equality() -> dict[str, Table]:
    """FEG's ‖F z_n‖² against 4R²/((1/L + 2ρ)²n²) on rotations by (2j + 1)π/(3n), L = 1."""
    rows = []
    for n in HORIZONS:
        for j in range(n):
            if not 3 * n <= 2 * (2 * j + 1) < 4 * n:
                continue  # then ρ ≤ 0 and ρL > −1/2
            rotation = opcheck.problem("feg_tight", n=n, j=j)
            rho = float(np.cos((2 * j + 1) * np.pi / (3 * n)))
            residual = opcheck.run("feg", rotation, n, gamma=1.0, rho=rho)["residual"][n]
            rows.append((n, rho, n**2 * residual / float(rotation.start @ rotation.start)))
    n, rho, scaled = map(np.array, zip(*rows, strict=True))
    off = np.abs(scaled * (1 + 2 * rho) ** 2 / 4 - 1)
    columns = {"n": n, "rhoL": rho, "scaled": scaled, "off": off}
    caption = "FEG on the rotations that are worst for n: n²‖F z_n‖²/R² at L = 1"
    return {"equality": Table(columns, caption=caption)}


def line() -> dict[str, Any]:
    """Methods on the operator of Lemma 8.1, ℓ = R = 1, and its difference quotients near 0."""
    valley = opcheck.problem("leekim_line")
    runs = {
        "EG": opcheck.run("extragradient", valley, 200, gamma=0.5),
        "FEG": opcheck.run("feg", valley, 200, gamma=0.5, rho=0.0),
    }
    angles = np.linspace(0, np.pi, ANGLES)
    slopes = [
        np.linalg.norm(_bent(0.1 * np.cos(t), 0.1 * np.sin(t)) - _bent(0, 0)) / 0.1 for t in angles
    ]
    columns = {"angle": np.degrees(angles), "slope": np.array(slopes)}
    units = {"angle": "degrees", "slope": "ℓ"}
    return {**runs, "slopes": Table(columns, units, "‖F z − F 0‖/‖z‖ by the direction of z")}


def _bent(x: float, y: float) -> NDArray[Any]:
    """(h', h') of x − y with h'(d) = min(0, |d| − 1)."""
    return np.full(2, min(0.0, abs(x - y) - 1))
