"""Norms, seminorms and the elastic net: their proximal maps (I + γ∂g)⁻¹."""

from __future__ import annotations

import numpy as np

from opcheck import Resolvent, resolvent_family
from opcheck.kernels import copy, norm2
from opcheck.plugin import ConeProgram, moduli_at_most, stack
from opcheck_problems._checks import positive, whole
from opcheck_problems.sets._kernels import clip, count_of, in_floats, length, soft, threshold_of


def shrink(z, gamma, out, data):
    """Data: λ."""
    threshold = gamma * data[0]
    for i in range(z.shape[0]):
        out[i] = soft(z[i], threshold)


@resolvent_family(
    program=ConeProgram(dim=3, extras=3, says=lambda x, y, one: (y, moduli_at_most(y, x))),
)
def l1(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ‖·‖₁, in any dimension: soft thresholding by γλ.

    Raises OpcheckError for a λ that is not positive and finite.
    """
    positive(lam, "lam")
    return Resolvent(
        shrink, np.array([float(lam)]), 0, f"{lam:g}‖·‖₁", value=lambda z: lam * abs(z).sum()
    )


def shorten(z, out, amount):
    """out = z made shorter by ``amount``, at most to 0: the proximal map of amount ‖·‖."""
    total = norm2(z)
    short = total <= amount * amount
    if in_floats(total):
        short = length(z) <= amount
    if short:
        for i in range(z.shape[0]):
            out[i] = amount - amount
    else:
        scale = 1 - amount / length(z)
        for i in range(z.shape[0]):
            out[i] = scale * z[i]


def shrink_norm(z, gamma, out, data):
    """Data: λ."""
    shorten(z, out, gamma * data[0])


@resolvent_family(
    irrational=True,
    program=ConeProgram(dim=3, extras=1, says=lambda x, y, one: (y, [("norm", stack(y, x))])),
)
def l2(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ‖·‖ (not squared), in any dimension: (1 − γλ/max(‖z‖, γλ)) z.

    Raises OpcheckError for a λ that is not positive and finite. Source: Yuan and Lin (2006).
    """
    positive(lam, "lam")
    return Resolvent(
        shrink_norm,
        np.array([float(lam)]),
        0,
        f"{lam:g}‖·‖",
        value=lambda z: float(lam * np.linalg.norm(z)),
    )


def shrink_groups(z, gamma, out, data):
    """Data: λ, then the size of a group."""
    size = count_of(data[1])
    for first in range(0, z.shape[0], size):
        shorten(z[first : first + size], out[first : first + size], gamma * data[0])


@resolvent_family(
    irrational=True,
    program=ConeProgram(
        dim=4,
        extras=2,
        says=lambda x, y, one: (
            y,
            [("norm", stack(y[0], x[:2])), ("norm", stack(y[1], x[2:]))],
        ),
    ),
)
def group_l2(lam: float = 1.0, groups: int = 2, size: int = 2) -> Resolvent:
    """Proximal map of λ Σ ‖z_G‖ over ``groups`` groups G of ``size`` neighbouring coordinates.

    Raises OpcheckError for a λ that is not positive and finite, groups < 1 or size < 1. Source:
    Yuan and Lin (2006).
    """
    positive(lam, "lam")
    count, each = whole(groups, "groups"), whole(size, "size")
    return Resolvent(
        shrink_groups,
        np.array([float(lam), float(each)]),
        count * each,
        f"{lam:g} group norm",
        value=lambda z: float(lam * np.linalg.norm(z.reshape(count, each), axis=1).sum()),
    )


def shrink_largest_moduli(z, gamma, out, data):
    """Data: λ."""
    # Moreau: what is left of z by its projection onto the l1 ball of radius γλ
    size, radius = np.abs(z), gamma * data[0]
    if np.sum(size) <= radius:
        for i in range(z.shape[0]):
            out[i] = radius - radius
    else:
        top, t = threshold_of(size, radius)
        for i in range(z.shape[0]):
            out[i] = clip(z[i], -(top + t), top + t)


@resolvent_family(
    program=ConeProgram(dim=4, extras=1, says=lambda x, y, one: (y, moduli_at_most(y, x))),
)
def linf(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ‖·‖∞, in any dimension: the largest moduli are cut, γλ in all.

    Raises OpcheckError for a λ that is not positive and finite. Source: Moreau (1965), with
    the projection onto the l1 ball.
    """
    positive(lam, "lam")
    return Resolvent(
        shrink_largest_moduli,
        np.array([float(lam)]),
        0,
        f"{lam:g}‖·‖∞",
        value=lambda z: float(lam * abs(z).max()),
    )


def cut_largest(z, gamma, out, data):
    """Data: λ."""
    # Moreau: what is left of z by its projection onto the simplex of sum γλ
    top, t = threshold_of(z, gamma * data[0])
    for i in range(z.shape[0]):
        out[i] = top + t if z[i] > top + t else z[i]


@resolvent_family(
    program=ConeProgram(dim=4, extras=1, says=lambda x, y, one: (y, [("plus", y - x)])),
)
def largest_entry(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ max_i z_i, in any dimension: the largest entries are cut, γλ in all.

    Raises OpcheckError for a λ that is not positive and finite. Source: Moreau (1965), with the
    projection onto the simplex.
    """
    positive(lam, "lam")
    return Resolvent(
        cut_largest,
        np.array([float(lam)]),
        0,
        f"{lam:g} max",
        value=lambda z: float(lam * z.max()),
    )


def shrink_elastic(z, gamma, out, data):
    """Data: λ, then μ."""
    for i in range(z.shape[0]):
        out[i] = soft(z[i], gamma * data[0]) / (1 + gamma * data[1])


@resolvent_family(
    program=ConeProgram(dim=3, extras=3, says=lambda x, y, one: ((y, x), moduli_at_most(y, x))),
)
def elastic_net(lam: float = 1.0, mu: float = 1.0) -> Resolvent:
    """Proximal map of λ‖·‖₁ + (μ/2)‖·‖², in any dimension: soft thresholding over 1 + γμ.

    Raises OpcheckError for λ or μ not positive and finite. Source: Zou and Hastie (2005).
    """
    positive(lam, "lam")
    positive(mu, "mu")
    return Resolvent(
        shrink_elastic,
        np.array([float(lam), float(mu)]),
        0,
        f"{lam:g}‖·‖₁ + {mu / 2:g}‖·‖²",
        value=lambda z: float(lam * abs(z).sum() + mu / 2 * (z @ z)),
    )


def smooth_line(z, gamma, out, data):
    """Data: λ."""
    # Dynamic programming from left to right. The least cost of z_0 … z_k as a function of p_k has
    # a derivative that is piecewise linear; its knots lie at x[left:right + 1], where slope and
    # intercept jump by a and b. It is cut at −λ and λ, where p_k parts from p_{k+1} for good.
    d, lam = z.shape[0], gamma * data[0]
    if d == 1:
        out[0] = z[0]
        return
    if in_floats(lam):
        # from some λ below this on the image is constant: a larger one would only cost digits
        enough = lam - lam
        for i in range(1, d):
            enough += 2 * abs(z[i] - z[0])
        if enough == 0:
            copy(out, z)
            return
        if enough < lam:
            lam = enough
    x, a, b = np.empty(2 * d, z.dtype), np.empty(2 * d, z.dtype), np.empty(2 * d, z.dtype)
    least, most = z.copy(), z.copy()
    left, right = d - 1, d
    least[0], most[0] = z[0] - lam, z[0] + lam
    x[left], a[left], b[left] = least[0], 1, lam - z[0]
    x[right], a[right], b[right] = most[0], -1, lam + z[0]
    for k in range(1, d):
        floor = -lam if k < d - 1 else lam - lam
        slope, intercept = 1, -lam - z[k]
        while left <= right and not slope * x[left] + intercept > floor:
            slope, intercept = slope + a[left], intercept + b[left]
            left += 1
        least[k] = (floor - intercept) / slope
        if k == d - 1:
            break
        left -= 1
        x[left], a[left], b[left] = least[k], slope, intercept + lam
        slope, intercept = -1, -lam + z[k]
        while right >= left and not -slope * x[right] - intercept < lam:
            slope, intercept = slope + a[right], intercept + b[right]
            right -= 1
        most[k] = -(lam + intercept) / slope
        right += 1
        x[right], a[right], b[right] = most[k], slope, intercept + lam
    # no coordinate moves by more than 2λ, however little of λ is left beside a large z
    room = 3 * lam
    last = clip(least[d - 1], z[d - 1] - room, z[d - 1] + room)
    for k in range(d - 1, -1, -1):
        if k < d - 1:
            last = clip(clip(last, least[k], most[k]), z[k] - room, z[k] + room)
        out[k] = last


@resolvent_family(
    program=ConeProgram(
        dim=8, extras=7, says=lambda x, y, one: (y, moduli_at_most(y, x[1:] - x[:-1]))
    ),
)
def total_variation(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ Σ |z_{i+1} − z_i|, in any dimension.

    Linear in the dimension, whatever the signal.

    Raises OpcheckError for a λ that is not positive and finite. Source: Johnson (2013).
    """
    positive(lam, "lam")
    return Resolvent(
        smooth_line,
        np.array([float(lam)]),
        0,
        f"{lam:g} total variation",
        value=lambda z: float(lam * abs(np.diff(z)).sum()),
    )
