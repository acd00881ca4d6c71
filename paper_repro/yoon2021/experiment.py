"""Anchored extragradient with both step rules on rotations, and the instance of the lower bound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from opcheck import Table

STEPS = 400
ROTATIONS = 4001  # speeds s in (0, 1] of F = s·rot(90°), L = 1
RULES = ("EAG-C", "EAG-V")
CALLS = range(1, 17)


def steps(rule: str) -> Iterator[float]:
    """α_k of a rule at L = 1: 1/8, or the decreasing steps of EAG-V from 0.618."""
    alpha, k = 0.125 if rule == "EAG-C" else 0.618, 0
    while True:
        yield alpha
        if rule == "EAG-V":
            share = (k + 2) ** 2 / ((k + 1) * (k + 3)) * alpha**2
            alpha *= (1 - share) / (1 - alpha**2)
        k += 1


def worst() -> dict[str, Table]:
    """(k + 1)²‖F z_k‖²/R² for each k on the rotation that is worst for it; also its limit.

    A rotation by 90° times s is F = is on the complex line.
    """
    f = 1j * np.geomspace(1e-4, 1, ROTATIONS)
    columns: dict[str, list[float]] = {"k": [], "constant": [], "share": [], "step": []}
    methods = []
    for rule in RULES:
        z = np.ones_like(f)
        for k, alpha in zip(range(STEPS + 1), steps(rule), strict=False):
            constant = float((np.abs(f * z) ** 2).max()) * (k + 1) ** 2
            bound = 260 if rule == "EAG-C" else 27 * (k + 1) / (k + 2)
            methods.append(rule)
            columns["k"].append(k)
            columns["constant"].append(constant)
            columns["share"].append(constant / bound)
            columns["step"].append(alpha)
            pulled = z + (1 - z) / (k + 2)
            z = pulled - alpha * f * (pulled - alpha * f * z)
    units = {"constant": "L²", "step": "1/L"}
    caption = "The worst (k + 1)²‖F z_k‖²/R² over F = s·rot(90°), s ≤ L"
    return {"worst": Table({"method": methods, **columns}, units, caption)}


def lower_bound() -> dict[str, Table]:
    """The least residual in x⁰ + span of N values of F on the instance, against the lower bound.

    With n = 2⌊N/2⌋ + 1: F = ⊕ s_j·rot(90°), s_j = cos(jπ/n), and |x⁰ − x*|² has the weights
    1/n², 2/(n²cos²(jπ/n)). Points of the span are p(F)(x⁰ − x*) with p(0) = 1 of degree N.
    """
    rows = []
    for calls in CALLS:
        n = 2 * (calls // 2) + 1
        s = np.cos(np.arange(n // 2 + 1) * np.pi / n)
        weights = 2 / (n * s) ** 2
        weights[0] /= 2
        root = np.sqrt(weights) * 1j * s
        powers = np.stack([root * (1j * s) ** m for m in range(calls + 1)], axis=1)
        real = np.concatenate([powers.real, powers.imag])
        rest = np.linalg.lstsq(real[:, 1:], -real[:, 0], rcond=None)[0]
        least = float(((real[:, 0] + real[:, 1:] @ rest) ** 2).sum())
        rows.append((calls, least, 1 / n**2, float(weights.sum())))
    calls, least, bound, weight = map(np.array, zip(*rows, strict=True))
    columns = {"N": calls, "least": least, "bound": bound, "off": np.abs(least / bound - 1)}
    columns["weight"] = weight
    caption = "The least ‖F x‖² that N values of F allow on the instance"
    return {"lower": Table(columns, {"least": "L²R²", "bound": "L²R²"}, caption)}
