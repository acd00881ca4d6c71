"""The least value of a quadratic on a box, from below: what is left of a third-order expansion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDING = 2.0**-46  # far above what rounding adds to a dozen terms in a few dimensions


@np.errstate(all="ignore")  # what overflows bounds nothing
def least(
    value: Floats, g: tuple[Floats, Floats], H: tuple[Floats, Floats], half: Floats
) -> Floats:
    """Lower bounds of value + gᵀδ + δᵀHδ/2 over |δ| ≤ half, and over every g and H in bounds.

    In the coordinates u = Qᵀδ of the middle H it is a sum of parabolas, each least on its own; what
    Q lacks of an eigenbasis counts as part of the width of H. The error is of third order where g
    and H are enclosed as well as their variation over the box.

    Args:
        value: shape (m,).
        g: lower and upper bounds, shape (m, n).
        H: lower and upper bounds, shape (m, n, n); only the symmetric part counts.
        half: half-widths of the box, shape (m, n), n at most about ten.

    Returns:
        Shape (m,); −∞ where a bound is not finite.
    """
    parts = (value, *g, *H, half)
    known = np.logical_and.reduce([np.isfinite(p).reshape(len(value), -1).all(1) for p in parts])
    out = np.full(len(value), -np.inf)
    if not known.any():
        return out
    value, half = value[known], half[known]
    (g_lo, g_hi), (H_lo, H_hi) = ((p[known] for p in pair) for pair in (g, H))
    slope, wide = g_lo / 2 + g_hi / 2, g_hi / 2 - g_lo / 2
    middle, spread = H_lo / 2 + H_hi / 2, H_hi / 2 - H_lo / 2
    middle = middle / 2 + middle.transpose(0, 2, 1) / 2
    curve, Q = np.linalg.eigh(middle)
    spread = spread + np.abs(middle - (Q * curve[:, None, :]) @ Q.transpose(0, 2, 1))
    pull = np.einsum("mji,mj->mi", Q, slope)
    reach = np.einsum("mji,mj->mi", np.abs(Q), half) * (1 + ROUNDING)
    inside = (curve > 0) & (np.abs(pull) <= curve * reach)
    lowest = np.where(
        inside,
        -(pull**2) / (2 * curve),
        -np.abs(pull) * reach + curve * reach**2 / 2,
    )
    lost = (wide * half).sum(axis=1) + np.einsum("mij,mi,mj->m", spread, half, half) / 2
    size = (np.abs(pull) * reach + np.abs(curve) * reach**2).sum(axis=1) + lost + np.abs(value)
    size += (np.abs(slope) * half).sum(axis=1)
    bound = value + lowest.sum(axis=1) - lost - ROUNDING * size
    out[known] = np.where(np.isnan(bound), -np.inf, bound)
    return out
