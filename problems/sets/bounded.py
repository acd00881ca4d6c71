"""Bounded sets: boxes, balls, simplices, ellipsoids. Their resolvents are projections.

Comparisons are written so that a NaN comes out as it went in.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from opcheck import Resolvent, resolvent_family
from opcheck.kernels import copy, distance2, middle, within
from opcheck.plugin import ConeProgram, moduli_at_most, stack, total
from opcheck_problems._checks import ends, positive, require, vector, whole
from opcheck_problems.sets._kernels import (
    ROUNDING,
    clip,
    gap,
    in_floats,
    length,
    positive_part,
    size_of,
    threshold_of,
)


def project_box(z, gamma, out, data):
    """Data: the lower ends, then the upper ends; one of each serves every coordinate."""
    half = data.shape[0] // 2
    for i in range(z.shape[0]):
        j = min(i, half - 1)
        out[i] = clip(z[i], data[j], data[half + j])


def project_open_box(z, gamma, out, data):
    """Data: which lower ends there are, the lower ends, which upper ends there are, these."""
    n = data.shape[0] // 4
    for i in range(z.shape[0]):
        j = min(i, n - 1)
        if data[j] > 0 and z[i] < data[n + j]:
            out[i] = data[n + j]
        elif data[2 * n + j] > 0 and z[i] > data[3 * n + j]:
            out[i] = data[3 * n + j]
        else:
            out[i] = z[i]


@resolvent_family(
    program=ConeProgram(dim=3, says=lambda x, y, one: (None, moduli_at_most(one, x))),
)
def box(lo: ArrayLike = -1.0, hi: ArrayLike = 1.0) -> Resolvent:
    """Projection onto {lo ≤ z ≤ hi}: clipping.

    ``lo`` and ``hi`` are numbers (any dimension), or vectors of d numbers each; an end may be
    infinite: ``box(1, inf)`` is {z ≥ 1}.

    Raises OpcheckError for an empty box, ends that are no numbers or of different lengths.
    """
    low, high = ends(lo, hi)
    kernel, data = project_box, np.concatenate([low, high])
    if not np.isfinite(data).all():  # the exact readings know no infinity
        kernel = project_open_box
        sides = [(np.isfinite(e), np.where(np.isfinite(e), e, 0)) for e in (low, high)]
        data = np.concatenate([part for side in sides for part in side]).astype(float)
    left = f"box[{low[0]:g}" if low[0] > -np.inf else "box(−∞"
    right = f"{high[0]:g}]" if high[0] < np.inf else "∞)"
    return Resolvent(
        kernel,
        data,
        0 if np.ndim(lo) == np.ndim(hi) == 0 else low.size,
        f"{left}, {right}" if low.size == 1 else "box",
        lambda z: bool(np.all((low <= z) & (z <= high))),
        ends=(low, high),
    )


@resolvent_family(
    program=ConeProgram(dim=3, says=lambda x, y, one: (None, moduli_at_most(one, x))),
)
def linf_ball(radius: float = 1.0) -> Resolvent:
    """Projection onto {‖z‖∞ ≤ radius}, in any dimension: clipping.

    Raises OpcheckError for a radius that is not positive and finite.
    """
    positive(radius, "radius")
    return dataclasses.replace(box(-radius, radius), name=f"linf ball({radius:g})")


def project_ball(z, gamma, out, data):
    """Data: the radius, then the centre."""
    radius, centre = data[0], data[1:]
    size = distance2(z, centre)
    inside = size <= radius * radius
    if in_floats(size):
        inside = gap(z, centre) <= radius
    if inside:
        copy(out, z)
    else:
        scale = radius / gap(z, centre)
        for i in range(z.shape[0]):
            out[i] = centre[i] + scale * (z[i] - centre[i])


@resolvent_family(
    irrational=True,
    program=ConeProgram(dim=2, says=lambda x, y, one: (None, [("norm", stack(one, x))])),
)
def ball(radius: float = 1.0, centre: ArrayLike = (0.0, 0.0)) -> Resolvent:
    """Projection onto {‖z − centre‖ ≤ radius}.

    Raises OpcheckError for a radius that is not positive and finite, or an infinite centre.
    """
    positive(radius, "radius")
    point, size = vector(centre, "centre"), float(radius)
    return Resolvent(
        project_ball,
        np.concatenate([[size], point]),
        point.size,
        f"ball({size:g})",
        lambda z: size_of(z - point) <= size + ROUNDING * (size + size_of(point)),
    )


def _stretch(z, axes, centre, mu):
    # ‖p/a‖ of p_i = y_i a_i²/(a_i² + μ), y = z − c, and minus half the derivative of its square
    total, slope = mu - mu, mu - mu
    for i in range(z.shape[0]):
        weight = axes[i] * axes[i] + mu
        s = (z[i] - centre[i]) * axes[i] / weight
        total += s * s
        slope += s * s / weight
    return np.sqrt(total), slope


def project_ellipsoid(z, gamma, out, data):
    """Data: the semi-axes, then the centre."""
    d = z.shape[0]
    axes, centre = data[:d], data[d:]
    mu = axes[0] - axes[0]
    size, slope = _stretch(z, axes, centre, mu)
    if size <= 1:
        copy(out, z)
        return
    # Newton's method for 1/‖p/a‖ = 1 climbs to the μ for which p is the projection, from one at
    # which some coordinate alone makes ‖p/a‖ ≥ 1
    for i in range(d):
        alone = middle(axes[i] * (abs(z[i] - centre[i]) - axes[i]))
        if alone > mu:
            mu = alone
    size, slope = _stretch(z, axes, centre, mu)
    while True:
        new = middle(mu + (size - 1) * size * size / slope)
        if not new > mu:
            break
        mu = new
        size, slope = _stretch(z, axes, centre, mu)
    for i in range(d):
        out[i] = (z[i] - centre[i]) * axes[i] * axes[i] / (axes[i] * axes[i] + mu)
    # p/size is the projection of a point that lies ‖p‖ |1 − 1/size| from z
    error = length(out) * (1 - 1 / size)
    for i in range(d):
        out[i] = centre[i] + within(out[i] / size, error)


@resolvent_family(
    irrational=True,
    program=ConeProgram(
        dim=2, says=lambda x, y, one: (None, [("norm", stack(one, x[0] / 2, x[1]))])
    ),
)
def ellipsoid(axes: ArrayLike = (2.0, 1.0), centre: ArrayLike = 0.0) -> Resolvent:
    """Projection onto {Σ ((z_i − centre_i)/axes_i)² ≤ 1}, by Newton's method on the multiplier.

    ``axes`` are the d semi-axes; ``centre`` is one number or d.

    Raises OpcheckError for semi-axes that are not positive and finite, or a centre that does not
    fit. Source: Moré (1978), whose trust-region step has the same equation.
    """
    lengths, point = vector(axes, "axes"), vector(centre, "centre")
    require(bool((lengths > 0).all()), f"the semi-axes must be positive, not {lengths.tolist()}")
    require(
        point.size in (1, lengths.size), f"{lengths.size} semi-axes but {point.size} coordinates"
    )
    point = np.broadcast_to(point, lengths.size)
    return Resolvent(
        project_ellipsoid,
        np.concatenate([lengths, point]),
        lengths.size,
        "ellipsoid",
        lambda z: bool(
            np.linalg.norm((z - point) / lengths)
            <= 1 + ROUNDING * (1 + (abs(point) / lengths).max())
        ),
    )


def onto_l1_ball(z, out, radius):
    """out = projection of z onto {‖x‖₁ ≤ radius}: soft thresholding."""
    size = np.abs(z)
    if np.sum(size) <= radius:
        copy(out, z)
    else:
        top, t = threshold_of(size, radius)
        for i in range(z.shape[0]):
            left = positive_part((size[i] - top) - t)
            out[i] = -left if z[i] < 0 else left


def project_l1_ball(z, gamma, out, data):
    """Data: the radius."""
    onto_l1_ball(z, out, data[0])


@resolvent_family(
    program=ConeProgram(
        dim=4,
        extras=4,
        says=lambda x, y, one: (None, [*moduli_at_most(y, x), ("plus", one - total(y))]),
    ),
)
def l1_ball(radius: float = 1.0) -> Resolvent:
    """Projection onto {‖z‖₁ ≤ radius}, in any dimension: |z| goes onto the simplex.

    Raises OpcheckError for a radius that is not positive and finite. Source: Duchi,
    Shalev-Shwartz, Singer and Chandra (2008), with Michelot's threshold.
    """
    positive(radius, "radius")
    return Resolvent(
        project_l1_ball,
        np.array([float(radius)]),
        0,
        f"l1 ball({radius:g})",
        lambda z: bool(abs(z).sum() <= radius * (1 + ROUNDING)),
    )


def onto_simplex(z, out, total):
    """out = projection of z onto {x ≥ 0, Σ x_i = total}."""
    top, t = threshold_of(z, total)
    for i in range(z.shape[0]):
        out[i] = positive_part((z[i] - top) - t)


def project_simplex(z, gamma, out, data):
    """Data: the sum."""
    onto_simplex(z, out, data[0])


@resolvent_family(
    program=ConeProgram(
        dim=3, says=lambda x, y, one: (None, [("plus", x), ("zero", total(x) - one)])
    ),
)
def simplex(n: int = 3, scale: float = 1.0) -> Resolvent:
    """Projection onto {z ≥ 0, Σ z_i = scale} in R^n.

    Raises OpcheckError for n < 1 or a scale that is not positive and finite. Source: Michelot
    (1986).
    """
    positive(scale, "scale")
    size = float(scale)
    return Resolvent(
        project_simplex,
        np.array([size]),
        whole(n, "n"),
        f"simplex({n})",
        lambda z: bool(np.all(z >= 0) and abs(z.sum() - size) <= ROUNDING * size),
    )
