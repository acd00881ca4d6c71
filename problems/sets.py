"""Bounded sets, half-spaces and subspaces: the projections, resolvents of their normal cones.

Comparisons are written so that a NaN comes out as it went in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck.errors import OpcheckError
from opcheck.model.operator import Resolvent, Vector
from opcheck.model.primitives import copy, distance2, identity, middle, norm2, within
from opcheck.model.problem import resolvent_family
from opcheck_problems.kernel_parts import (
    ROUNDING,
    clip,
    count_of,
    dot,
    positive_part,
    soft,
    threshold_of,
)
from opcheck_problems.parameters import (
    ends,
    matrix,
    normal_vector,
    number,
    positive,
    require,
    vector,
    whole,
)


def project_box(z, gamma, out, data):
    """Data: the lower ends, then the upper ends; one of each serves every coordinate."""
    half = data.shape[0] // 2
    for i in range(z.shape[0]):
        j = min(i, half - 1)
        out[i] = clip(z[i], data[j], data[half + j])


@resolvent_family
def box(lo: ArrayLike = -1.0, hi: ArrayLike = 1.0) -> Resolvent:
    """Projection onto {lo ≤ z ≤ hi}: clipping.

    ``lo`` and ``hi`` are numbers (any dimension), or vectors of d numbers each.

    Raises OpcheckError for an empty box, ends that are not finite or of different lengths.
    """
    low, high = ends(lo, hi)
    return Resolvent(
        project_box,
        np.concatenate([low, high]),
        0 if np.ndim(lo) == np.ndim(hi) == 0 else low.size,
        f"box[{low[0]:g}, {high[0]:g}]" if low.size == 1 else "box",
        lambda z: bool(np.all((low <= z) & (z <= high))),
        ends=(low, high),
    )


@resolvent_family
def linf_ball(radius: float = 1.0) -> Resolvent:
    """Projection onto {‖z‖∞ ≤ radius}, in any dimension: clipping.

    Raises OpcheckError for a radius that is not positive and finite.
    """
    positive(radius, "radius")
    return dataclasses.replace(box(-radius, radius), name=f"linf ball({radius:g})")


def project_orthant(z, gamma, out, data):
    """Data: 0, as a number of the reading."""
    for i in range(z.shape[0]):
        if z[i] < data[0]:
            out[i] = data[0]
        else:
            out[i] = z[i]


@resolvent_family
def orthant() -> Resolvent:
    """Projection onto {z ≥ 0}, in any dimension."""
    return Resolvent(project_orthant, np.zeros(1), 0, "orthant", lambda z: bool(np.all(z >= 0)))


def project_ball(z, gamma, out, data):
    """Data: the radius, then the centre."""
    radius, centre = data[0], data[1:]
    size = distance2(z, centre)
    if size <= radius * radius:
        copy(out, z)
    else:
        scale = radius / np.sqrt(size)
        for i in range(z.shape[0]):
            out[i] = centre[i] + scale * (z[i] - centre[i])


@resolvent_family
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
        lambda z: bool(np.linalg.norm(z - point) <= size * (1 + ROUNDING)),
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
    # Newton's method for 1/‖p/a‖ = 1 climbs from 0 to the μ for which p is the projection
    while True:
        new = middle(mu + (size - 1) * size * size / slope)
        if not new > mu:
            break
        mu = new
        size, slope = _stretch(z, axes, centre, mu)
    for i in range(d):
        out[i] = (z[i] - centre[i]) * axes[i] * axes[i] / (axes[i] * axes[i] + mu)
    # p/size is the projection of a point that lies ‖p‖ |1 − 1/size| from z
    error = np.sqrt(norm2(out)) * (1 - 1 / size)
    for i in range(d):
        out[i] = centre[i] + within(out[i] / size, error)


@resolvent_family
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


@resolvent_family
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


@resolvent_family
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


def project_simplices(z, gamma, out, data):
    """Data: the length of the first block."""
    n = count_of(data[0])
    onto_simplex(z[:n], out[:n], data[1])
    onto_simplex(z[n:], out[n:], data[1])


@resolvent_family
def simplices(n: int = 3, m: int = 3) -> Resolvent:
    """Projection onto Δ_n × Δ_m, the mixed strategies of two players.

    Raises OpcheckError for n < 1 or m < 1.
    """
    first, second = simplex(whole(n, "n")), simplex(whole(m, "m"))
    return Resolvent(
        project_simplices,
        np.array([float(n), 1.0]),
        n + m,
        f"simplex({n}) x simplex({m})",
        _both_hold(first, second, n),
    )


def _both_hold(left: Resolvent, right: Resolvent, n: int) -> Callable[[Vector], bool] | None:
    """Whether the first n coordinates lie in one set and the others in another."""
    first, second = left.contains, right.contains
    if first is None or second is None:
        return None
    return lambda z: first(z[:n]) and second(z[n:])


def _sum_of(left: Resolvent, right: Resolvent, n: int) -> Callable[[Vector], float] | None:
    """g(z) = g₁(first n coordinates) + g₂(the others)."""
    first, second = _value(left), _value(right)
    if first is None or second is None:
        return None
    return lambda z: first(z[:n]) + second(z[n:])


def _value(factor: Resolvent) -> Callable[[Vector], float] | None:
    contains = factor.contains
    return factor.value if contains is None else lambda z: 0.0 if contains(z) else np.inf


def project_affine(z, gamma, out, data):
    """Data: for each of the orthogonal rows a its d entries and its b."""
    d = z.shape[0]
    copy(out, z)
    for r in range(data.shape[0] // (d + 1)):
        row = data[r * (d + 1) : r * (d + 1) + d]
        over = -data[r * (d + 1) + d]
        for i in range(d):
            over += row[i] * out[i]
        step = over / norm2(row)
        for i in range(d):
            out[i] = out[i] - step * row[i]


@resolvent_family
def affine_subspace(A: ArrayLike = ((1.0, 1.0),), b: ArrayLike = (1.0,)) -> Resolvent:
    """Projection onto {z : Az = b}: onto one hyperplane after the other of an orthogonal system.

    Rows that are orthogonal already are kept, and the projection is then exact in exact
    arithmetic; others are made orthogonal by a QR factorisation, true to rounding.

    Raises OpcheckError where A is not a matrix, b doesn't fit, or the rows are dependent.
    """
    rows, right = matrix(A, "A"), vector(b, "b")
    require(
        len(rows) == right.size,
        f"{right.size} right-hand sides do not fit a matrix of shape {rows.shape}",
    )
    if np.linalg.matrix_rank(rows) < len(rows):
        raise OpcheckError("the rows of A are linearly dependent; leave the superfluous ones out")
    stated, offset = rows, right
    if not _orthogonal(rows):
        q, r = np.linalg.qr(rows.T)
        rows, right = q.T, np.linalg.solve(r.T, right)
    return Resolvent(
        project_affine,
        np.column_stack([rows, right]).ravel(),
        rows.shape[1],
        "affine subspace",
        lambda z: bool(
            np.all(abs(stated @ z - offset) <= ROUNDING * (abs(stated) @ abs(z) + abs(offset)))
        ),
    )


def _orthogonal(rows: NDArray[np.float64]) -> bool:
    exact = [[Fraction(v) for v in row] for row in rows.tolist()]
    return not any(
        sum(a * b for a, b in zip(exact[i], exact[j], strict=True))
        for i in range(len(exact))
        for j in range(i)
    )


@resolvent_family
def hyperplane(a: ArrayLike = (1.0, 1.0), b: float = 1.0) -> Resolvent:
    """Projection onto {z : ⟨a, z⟩ = b}: z − (⟨a, z⟩ − b) a/‖a‖².

    Raises OpcheckError for a = 0 or numbers that are not finite.
    """
    plane = affine_subspace(normal_vector(a), number(b, "b"))
    return dataclasses.replace(plane, name="hyperplane")


def project_half_space(z, gamma, out, data):
    """Data: a, then b."""
    d = z.shape[0]
    a = data[:d]
    step = positive_part(dot(a, z) - data[d]) / norm2(a)
    for i in range(d):
        out[i] = z[i] - step * a[i]


@resolvent_family
def half_space(a: ArrayLike = (1.0, 1.0), b: float = 0.0) -> Resolvent:
    """Projection onto {z : ⟨a, z⟩ ≤ b}: z − max(⟨a, z⟩ − b, 0) a/‖a‖².

    Raises OpcheckError for a = 0 or numbers that are not finite.
    """
    normal, right = normal_vector(a), number(b, "b")
    return Resolvent(
        project_half_space,
        np.append(normal, right),
        normal.size,
        "half-space",
        lambda z: bool(normal @ z <= right + ROUNDING * (abs(normal) @ abs(z) + abs(right))),
    )


def project_slab(z, gamma, out, data):
    """Data: a, then the lower and the upper end."""
    d = z.shape[0]
    a = data[:d]
    level = dot(a, z)
    step = (positive_part(level - data[d + 1]) - positive_part(data[d] - level)) / norm2(a)
    for i in range(d):
        out[i] = z[i] - step * a[i]


@resolvent_family
def slab(a: ArrayLike = (1.0, 1.0), lo: float = -1.0, hi: float = 1.0) -> Resolvent:
    """Projection onto {z : lo ≤ ⟨a, z⟩ ≤ hi}: onto the hyperplane of the end that is passed.

    Raises OpcheckError for a = 0, lo > hi, or numbers that are not finite.
    """
    normal, low, high = normal_vector(a), number(lo, "lo"), number(hi, "hi")
    require(low <= high, f"the slab is empty: lo = {low} exceeds hi = {high}")

    def contains(z: Vector) -> bool:
        slack = ROUNDING * (abs(normal) @ abs(z) + max(abs(low), abs(high)))
        return bool(low - slack <= normal @ z <= high + slack)

    return Resolvent(
        project_slab, np.concatenate([normal, [low, high]]), normal.size, "slab", contains
    )


def shrink(z, gamma, out, data):
    """Data: λ."""
    threshold = gamma * data[0]
    for i in range(z.shape[0]):
        out[i] = soft(z[i], threshold)


@resolvent_family
def l1(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ‖·‖₁, in any dimension: soft thresholding by γλ.

    Raises OpcheckError for a λ that is not positive and finite.
    """
    positive(lam, "lam")
    return Resolvent(
        shrink, np.array([float(lam)]), 0, f"{lam:g}‖·‖₁", value=lambda z: lam * abs(z).sum()
    )


@resolvent_family
def whole_space(n: int = 2) -> Resolvent:
    """The identity on R^n, a factor for ``product``. Raises OpcheckError for n < 1."""
    return Resolvent(identity, np.zeros(0), whole(n, "n"), f"R^{n}", lambda z: True)


@resolvent_family
def product(first: Resolvent | None = None, second: Resolvent | None = None) -> Resolvent:
    """J of A₁ × A₂, block by block; nest it for more blocks.

    Raises OpcheckError for a factor that doesn't say on how many coordinates it acts.
    """
    factors: Sequence[Resolvent] = (first or whole_space(), second or ball())
    for factor in factors:
        if factor.dim == 0:
            raise OpcheckError(
                f"a factor of a product needs a fixed dimension, and {factor.name} has none; "
                "give its parameters as vectors"
            )
    left, right = factors
    n = left.dim
    contains = _both_hold(left, right, n)
    return Resolvent(
        _blocks(left.kernel, right.kernel),
        np.concatenate([[float(n), float(left.data.size)], left.data, right.data]),
        n + right.dim,
        f"{left.name} x {right.name}",
        contains,
        _sum_of(left, right, n) if contains is None else None,
    )


_products: dict[tuple[Callable[..., None], Callable[..., None]], Callable[..., None]] = {}


def _blocks(left: Callable[..., None], right: Callable[..., None]) -> Callable[..., None]:
    """One text for each pair of kernels, so that it is compiled once."""

    def project_product(z, gamma, out, data):
        n, m = count_of(data[0]), count_of(data[1])
        left(z[:n], gamma, out[:n], data[2 : 2 + m])
        right(z[n:], gamma, out[n:], data[2 + m :])

    return _products.setdefault((left, right), project_product)
