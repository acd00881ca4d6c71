"""OC-Halpern where it is slowest, and the instance of the lower bound for nonexpansive maps."""

from __future__ import annotations

import numpy as np

from opcheck import Table

FACTORS = (1.01, 1.1, 1.5)  # γ: T is 1/γ-Lipschitz
LONGEST = 40
ANGLES = 1501
CALLS = range(1, 21)


def worst() -> dict[str, Table]:
    """The largest ‖z_n − Tz_n‖² over T = e^{iθ}/g on the complex line, against its bound.

    OC-Halpern is z⁺ = z⁰/φ_{k+1} + (1 − 1/φ_{k+1})Tz with φ_k = Σ_{i≤k} g^{2i}; the bound is
    (1 + 1/g)²R²/(Σ_{i≤n} g^i)². Picard's iteration z⁺ = Tz has (1 + 1/g)²R²/g^{2n}.
    """
    turns = np.linspace(0, np.pi, ANGLES)
    rows = []
    for g in FACTORS:
        # among the angles, those that attain: (gT)^{n+1} = −1
        exact = np.pi * np.array([n / (n + 1) for n in range(1, LONGEST + 1, 2)])
        T = np.exp(1j * np.concatenate([turns, exact])) / g
        z, total, weight = np.ones_like(T), 1.0, 1.0
        for n in range(LONGEST + 1):
            residual = float((np.abs(z - T * z) ** 2).max())
            rows.append((g, n, residual, ((1 + 1 / g) / total) ** 2, ((1 + 1 / g) / g**n) ** 2))
            weight += g ** (2 * n + 2)
            total += g ** (n + 1)
            z = 1 / weight + (1 - 1 / weight) * T * z
    g, n, residual, bound, picard = map(np.array, zip(*rows, strict=True))
    columns = {"g": g, "n": n, "OC-Halpern": residual, "bound": bound, "Picard": picard}
    columns["off"] = np.abs(residual / bound - 1)
    units = {"OC-Halpern": "R²", "bound": "R²", "Picard": "R²"}
    table = Table(columns, units, "OC-Halpern on the worst rotation over g")
    return {f"g_{g}": table.where(g=g) for g in FACTORS}


def lower_bound() -> dict[str, Table]:
    """The least ‖x − Tx‖² in x⁰ + span of N residuals on the instance, against 4R²/(N + 1)².

    T is normal with the n = N + 1 eigenvalues t_j, t_j^n = −1; x⁰ − x* has weights in proportion
    to |α_j|, α_j = (1/n)Σ_{m<n}(m − n/2)t_j^{−m}. Points of the span are p(T)(x⁰ − x*) with
    p(1) = 1 of degree N.
    """
    rows = []
    for calls in CALLS:
        n = calls + 1
        t = np.exp(1j * np.pi * (2 * np.arange(n) + 1) / n)
        m = np.arange(n)
        alpha = np.abs(((m - n / 2) * t[:, None] ** -m).mean(axis=1))
        root = np.sqrt(alpha / alpha.sum())
        # p(t) = 1 + (t − 1)q(t): the residual is (1 − t)p(t)
        columns = np.stack([root * (1 - t) * (t - 1) * t**i for i in range(calls)], axis=1)
        target = -root * (1 - t)
        system = np.concatenate([columns.real, columns.imag])
        right = np.concatenate([target.real, target.imag])
        q = np.linalg.lstsq(system, right, rcond=None)[0]
        rows.append((calls, float(((system @ q - right) ** 2).sum()), 4 / n**2))
    calls, least, bound = map(np.array, zip(*rows, strict=True))
    columns = {"N": calls, "least": least, "bound": bound, "off": np.abs(least / bound - 1)}
    units = {"least": "R²", "bound": "R²"}
    return {"lower": Table(columns, units, "The least residual that N values of T allow")}
