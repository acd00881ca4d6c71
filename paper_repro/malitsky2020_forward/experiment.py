"""How long the step of forward-reflected-backward may be on monotone linear maps."""

from __future__ import annotations

import numpy as np

from opcheck import Table

SPEEDS = np.linspace(0.02, 1, 50)
TURNS = np.linspace(0, np.pi / 2, 46)


def ranges() -> dict[str, Table]:
    """Spectral radii of FRB, FBF and forward-backward on the worst monotone linear map, L = 1.

    On F = f, in the complex line: λ² − (1 − 2γf)λ − γf = 0, 1 − γf + γ²f², 1 − γf.
    """
    f = np.concatenate([np.exp(1j * TURNS), 1j * SPEEDS])
    rows = []
    for step in np.linspace(0.1, 1.1, 101):
        half = (1 - 2 * step * f) / 2
        root = np.sqrt(half**2 + step * f)
        radii = {
            "FRB": np.maximum(np.abs(half + root), np.abs(half - root)),
            "FBF": np.abs(1 - step * f + (step * f) ** 2),
            "forward-backward": np.abs(1 - step * f),
        }
        rows += [(name, step, float(values.max())) for name, values in radii.items()]
    method, step, radius = zip(*rows, strict=True)
    columns = {"method": list(method), "step": np.array(step), "radius": np.array(radius)}
    columns["over"] = columns["radius"] > 1 + 1e-12
    return {"ranges": Table(columns, {"step": "1/L"}, "The worst monotone linear map by step")}
