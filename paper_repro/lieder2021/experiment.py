"""Halpern's iteration where it is slowest."""

from __future__ import annotations

import numpy as np

import opcheck
from opcheck import Table

HORIZONS = (1, 2, 3, 5, 10, 20, 50, 100)
WEIGHTS = 2001  # angles of rotations in [0, π]
STEPS = 60


def worst() -> dict[str, Table]:
    """‖z_n − Tz_n‖² at k = n on the rotation by π/(n + 1), against 4R²/(n + 1)²."""
    rows = []
    for n in HORIZONS:
        rotation = opcheck.problem("halpern_worst", n=n)
        residual = opcheck.run("halpern", rotation, n)["residual"][n]
        rows.append((n, residual / float(rotation.start @ rotation.start), 4 / (n + 1) ** 2))
    n, measured, bound = map(np.array, zip(*rows, strict=True))
    columns = {"n": n, "measured": measured, "bound": bound}
    columns["off"] = np.abs(measured / bound - 1)
    units = {"measured": "R²", "bound": "R²"}
    return {"worst": Table(columns, units, "Halpern's iteration on the rotation by π/(n + 1)")}


def weights() -> dict[str, Table]:
    """The worst ‖z_k − Tz_k‖² over rotations for weights 1/(k + 2), 2/(k + 3) and 1/2.

    Rotations T = e^{iθ} of the plane, the complex line, with R = 1. The last is the average
    of Krasnosel'skii and Mann.
    """
    turn = np.exp(1j * np.linspace(0, np.pi, WEIGHTS))
    rules = {
        "1/(k + 2)": lambda z, k: 1 / (k + 2) + (1 - 1 / (k + 2)) * turn * z,
        "2/(k + 3)": lambda z, k: 2 / (k + 3) + (1 - 2 / (k + 3)) * turn * z,
        "mean of z and Tz": lambda z, k: (z + turn * z) / 2,
    }
    labels, index, values = [], [], []
    for label, step in rules.items():
        z = np.ones_like(turn)
        for k in range(STEPS + 1):
            labels.append(label)
            index.append(k)
            values.append(float((np.abs(z - turn * z) ** 2).max()))
            z = step(z, k)
    k = np.array(index)
    columns = {"weights": labels, "k": k, "value": np.array(values)}
    columns["scaled"] = columns["value"] * (k + 1) ** 2 / 4
    caption = "The worst squared residual over rotations by weights"
    return {"weights": Table(columns, {"value": "R²"}, caption)}
