"""CurvatureEG+ on the Forsaken game, thresholds of EG+ and weak Minty constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import opcheck
from opcheck import Table

Vector = NDArray[np.float64]
NU, TAU, SHARE = 0.99, 0.5, 0.99  # of the authors: curvature, backtracking, −2δ/γ
LIPSCHITZ = 12.402569  # of F on the box
HALF_WIDTH = 1.5
CALLS = 3000
START = (1.0, 1.0)
CELLS = 96
STEPS = 200_000


def forsaken(z: Vector) -> Vector:
    """F of the Forsaken game."""
    slopes = z / 2 - 2 * z**3 + z**5
    return np.array([slopes[0] + z[1] - 0.45, slopes[1] - z[0]])


def forsaken_slope(z: Vector) -> float:
    """‖JF(z)‖₂ of the Forsaken game."""
    diagonal = 0.5 - 6 * z**2 + 5 * z**4
    return float(np.linalg.norm([[diagonal[0], 1], [-1, diagonal[1]]], 2))


def curvature_eg_plus(start: Vector, calls: int) -> tuple[Vector, Vector]:
    """Oracle calls and iterates z of CurvatureEG+ with projection onto the box.

    γ starts at ν/‖JF(z)‖ and shrinks by τ until γ‖F z̄ − F z‖ ≤ ν‖z̄ − z‖; then
    z⁺ = z − αg with g = (z − γF z) − (z̄ − γF z̄), α = δ/γ + ⟨z − z̄, g⟩/‖g‖², δ = −0.99γ/2.
    """
    z, used = start, 0
    counts, points = [0], [start]
    while used < calls:
        Fz, gamma = forsaken(z), NU / forsaken_slope(z)
        used += 1
        while True:
            zbar = np.clip(z - gamma * Fz, -HALF_WIDTH, HALF_WIDTH)
            Fbar = forsaken(zbar)
            used += 1
            if gamma * np.linalg.norm(Fbar - Fz) <= NU * np.linalg.norm(zbar - z):
                break
            gamma *= TAU
        g = (z - gamma * Fz) - (zbar - gamma * Fbar)
        if not g.any():
            break
        z = z - (g @ (z - zbar) / (g @ g) - SHARE / 2) * g
        counts.append(used)
        points.append(z)
    return np.array(counts), np.array(points)


def escape() -> dict[str, Any]:
    """EG and EG+ on the Forsaken game as runs, and with CurvatureEG+ as distances."""
    game = opcheck.problem("forsaken")
    solution = game.solution
    runs = {
        label: opcheck.run(
            "ceg_plus", game, CALLS // 2, gamma=1 / LIPSCHITZ, alpha=alpha, iterates=True
        )
        for label, alpha in (("EG", 1.0), ("EG+", 0.5))
    }
    counts, points = curvature_eg_plus(np.array(START), CALLS)
    ways = {label: (r.oracle_calls, r.iterates) for label, r in runs.items()}
    ways["CurvatureEG+"] = counts, points
    table = Table(
        {
            "method": [label for label, (c, _) in ways.items() for _ in c],
            "calls": np.concatenate([c for c, _ in ways.values()]),
            "distance": np.concatenate(
                [np.linalg.norm(p - solution, axis=1) for _, p in ways.values()]
            ),
        },
        caption="Distance from the zero of the Forsaken game",
    )
    return {**runs, "distances": table}


def threshold() -> dict[str, Table]:
    """|1 − αw(1 − w)| with w = L-normalised eigenvalue e^{iθ}, cos θ = −c, at γ = 1/L."""
    cells = np.arange(CELLS)  # of which no centre lies on the line
    axes = np.meshgrid((cells + 0.5) / CELLS, (cells + 0.25) / CELLS / 2)
    alpha, c = (axis.ravel() for axis in axes)
    w = -c + 1j * np.sqrt(1 - c**2)
    radius = np.abs(1 - alpha * w * (1 - w))
    columns = {
        "rhoL": -c,
        "alpha": alpha,
        "radius": radius,
        "outcome": np.where(radius < 1, "converges", "diverges"),
        "inside": alpha < 1 - 2 * c,
    }
    return {"threshold": Table(columns, caption="EG+ with γ = 1/L on L times a rotation")}


def adaptive() -> dict[str, Table]:
    """Σ‖v‖² of AdaptiveEG+ on L times a rotation against R²/(γ²(1/2 + ρ/γ)²), L = R = 1.

    In the complex line F = w, z̄ = z − γwz, g = γv = (1 − γw)γwz and
    α = ρ/γ + Re(ḡ(z − z̄))/|g|², so a step multiplies z by 1 − α(1 − γw)γw.
    """
    rows = []
    for c in (0.05, 0.1, 0.2, 0.3, 0.4, 0.45, 0.49):
        for gamma in (0.999, 1.0):
            w = -c + 1j * np.sqrt(1 - c**2)
            g = (1 - gamma * w) * gamma * w
            alpha = -c / gamma + (g.conjugate() * gamma * w).real / abs(g) ** 2
            left = abs(1 - alpha * g) ** (2 * np.arange(STEPS))
            bound = 1 / (gamma**2 * (0.5 - c / gamma) ** 2)
            rows.append((-c, gamma, alpha, abs(g / gamma) ** 2 * left.sum() / bound))
    rho, gammas, alphas, ratios = map(np.array, zip(*rows, strict=True))
    columns = {"rhoL": rho, "gamma": gammas, "alpha": alphas, "ratio": ratios}
    caption = "AdaptiveEG+ on L times a rotation: Σ‖v‖² against its bound"
    return {"adaptive": Table(columns, {"gamma": "1/L"}, caption)}


def least_ratio(field: Callable[[Vector], Vector], zero: Vector, reach: float) -> float:
    """min ⟨F z, z − z*⟩/‖F z‖² on a box, over a grid that is refined about its best point."""
    centre, width = np.zeros(2), reach
    for _ in range(12):
        axes = [np.clip(np.linspace(c - width, c + width, 161), -reach, reach) for c in centre]
        z = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        values = field(z.T).T
        square = (values**2).sum(axis=1)
        with np.errstate(all="ignore"):
            ratios = np.where(square > 1e-18, ((z - zero) * values).sum(axis=1) / square, np.inf)
        centre, width = z[np.argmin(ratios)], width / 8
    return float(ratios.min())


def polar(a: float) -> Callable[[Vector], Vector]:
    """F of the polar game."""

    def field(z: Vector) -> Vector:
        square = (z**2).sum(axis=0)
        w = a / 16 * (square - 1) * (16 * square - 9)
        return np.array([w * z[0] - z[1], w * z[1] + z[0]])

    return field


def global_forsaken(z: Vector) -> Vector:
    """F of the Global Forsaken game."""
    slopes = 2 * z / 3 - 4 * z**3 / 3 + 4 * z**5 / 7
    return np.array([slopes[0] + z[1], slopes[1] - z[0]])


def constants() -> dict[str, Table]:
    """The weak Minty constants of the examples on their boxes, searched, against those stated."""
    zero = np.zeros(2)
    at = opcheck.problem("forsaken").solution
    games = {
        "polar game, a = 1/3": (polar(1 / 3), zero, 1.1, 6.30609, ""),
        "polar game, a = 1/2": (polar(1 / 2), zero, 1.1, 9.34416, ""),
        "polar game, a = 3/4": (polar(3 / 4), zero, 1.1, 13.93839, ""),
        "polar game, a = 1": (polar(1.0), zero, 1.1, 18.54795, ""),
        "polar game, a = 3/2": (polar(3 / 2), zero, 1.1, 27.78263, ""),
        "Forsaken": (forsaken, at, HALF_WIDTH, LIPSCHITZ, "−0.477761"),
        "Global Forsaken": (global_forsaken, zero, 4 / 3, 3.022398, "−0.119732"),
    }
    rows = [
        (name, least_ratio(field, z, reach), stated, -1 / (2 * lipschitz))
        for name, (field, z, reach, lipschitz, stated) in games.items()
    ]
    names, rho, stated, limits = zip(*rows, strict=True)
    return {
        "constants": Table(
            {
                "game": list(names),
                "rho": np.array(rho),
                "stated": list(stated),
                "limit": np.array(limits),
                "rhoL": np.array(rho) / (-2 * np.array(limits)),
            },
            {"limit": "−1/(2L)"},
            "Weak Minty constants on the box, by search",
        )
    }
