"""Bounded sets, half-spaces and subspaces: the projections, resolvents of their normal cones.

Comparisons are written so that a NaN comes out as it went in.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model.operator import Resolvent, Vector
from opcheck.model.primitives import copy, distance2, identity, middle, norm2, within
from opcheck.model.problem import resolvent_family
from opcheck.model.written import arguments, fitted
from opcheck_problems.kernel_parts import (
    ROUNDING,
    clip,
    count_of,
    dot,
    gap,
    in_floats,
    length,
    positive_part,
    size_of,
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


@resolvent_family
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
    inside = size <= radius * radius
    if in_floats(size):
        inside = gap(z, centre) <= radius
    if inside:
        copy(out, z)
    else:
        scale = radius / gap(z, centre)
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


EXACT = 20000  # rows² × columns up to which a system is made orthogonal in rationals


@resolvent_family
def affine_subspace(A: ArrayLike = ((1.0, 1.0),), b: ArrayLike = (1.0,)) -> Resolvent:
    """Projection onto {z : Az = b}: onto one hyperplane after the other of an orthogonal system.

    Rows are made orthogonal in exact rationals of the given floats, so that nearly dependent ones
    are no trouble; where the orthogonal ones are floats, the projection is exact in exact
    arithmetic. Of many rows (rows² columns > 20000) by a QR factorisation, true to rounding.

    Raises OpcheckError where A is not a matrix, b doesn't fit, the rows are dependent, or many and
    nearly so.
    """
    rows, right = matrix(A, "A"), vector(b, "b")
    require(
        len(rows) == right.size,
        f"{right.size} right-hand sides do not fit a matrix of shape {rows.shape}",
    )
    require(
        len(rows) <= rows.shape[1],
        f"{len(rows)} rows of {rows.shape[1]} entries are linearly dependent; leave the "
        "superfluous ones out",
    )
    stated, offset = rows, right
    if len(rows) * rows.size <= EXACT:
        rows, right = _orthogonal(rows, right)
    else:
        q, r = np.linalg.qr((rows / np.linalg.norm(rows, axis=1)[:, None]).T)
        least = float(abs(np.diag(r)).min())
        require(
            least > 1e-8,
            f"the rows of A are linearly dependent, or too nearly so for float64 ({least:.1e}); "
            "leave the superfluous ones out",
        )
        rows, right = q.T, np.linalg.solve(r.T, right / np.linalg.norm(rows, axis=1))
    return Resolvent(
        project_affine,
        np.column_stack([rows, right]).ravel(),
        rows.shape[1],
        "affine subspace",
        lambda z: bool(
            np.all(abs(stated @ z - offset) <= ROUNDING * (abs(stated) @ abs(z) + abs(offset)))
        ),
    )


def _orthogonal(rows: NDArray[np.float64], right: Vector) -> tuple[NDArray[np.float64], Vector]:
    """Gram and Schmidt's system of the equations, in rationals, each then as near as floats are.

    Raises OpcheckError for a row that depends on those before it.
    """
    done: list[list[Fraction]] = []
    for i, row in enumerate(np.column_stack([rows, right]).tolist()):
        own = [Fraction(v) for v in row]
        for other in done:
            size = sum(v * v for v in other[:-1])
            share = sum(u * v for u, v in zip(own[:-1], other[:-1], strict=True)) / size
            own = [u - share * v for u, v in zip(own, other, strict=True)] if share else own
        require(
            any(own[:-1]),
            f"row {i + 1} of A is zero or linearly dependent on those before it; leave it out",
        )
        done.append(own)
    out = np.array([_in_float_units(own) for own in done])
    return out[:, :-1], out[:, -1]


def _in_float_units(equation: list[Fraction]) -> list[float]:
    """The multiple of an equation whose largest entry is in [1, 2): exactly, where floats can."""
    top = max(abs(v) for v in equation[:-1])
    unit = Fraction(2) ** (top.numerator.bit_length() - top.denominator.bit_length())
    unit = unit if unit <= top else unit / 2
    scaled = [v / unit for v in equation]
    require(abs(scaled[-1]) < 2**1000, "a hyperplane of Az = b is further off than float64 reaches")
    if any(Fraction(float(v)) != v for v in scaled):
        whole = math.lcm(*(v.denominator for v in scaled))
        numerators = [int(v * whole) for v in scaled]
        numerators = [n // math.gcd(*numerators) for n in numerators]
        if max(map(abs, numerators)) < 2**53:
            unit = Fraction(2) ** (max(map(abs, numerators[:-1])).bit_length() - 1)
            scaled = [n / unit for n in numerators]
    return [float(v) for v in scaled]


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
def product(
    first: Resolvent | str | None = None,
    second: Resolvent | str | None = None,
    n: int = 0,
    m: int = 0,
) -> Resolvent:
    """J of A₁ × A₂, block by block; nest it for more blocks.

    A factor is a resolvent, or the name of a set, also with arguments as ``"box(0, 1)"``. ``n`` and
    ``m`` say on how many coordinates a factor acts that works on any number.

    Raises OpcheckError for a factor whose number of coordinates is not known, or is another.
    """
    left = _of_dimension(_named(whole_space() if first is None else first, "product"), n, "n")
    right = _of_dimension(_named(ball() if second is None else second, "product"), m, "m")
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


def _named(value: Resolvent | str, taker: str) -> Resolvent:
    """A resolvent, or that of a registered set by its name and arguments."""
    if isinstance(value, str):
        call = arguments(value)
        function = registry.get("sets", call[0]).function
        try:
            value = function(**fitted(function, call))
        except TypeError as error:
            raise OpcheckError(f"the set {value} can't be made: {error}") from error
    require(isinstance(value, Resolvent), f"{taker} takes a resolvent, not {value!r}")
    return value


def _of_dimension(factor: Resolvent, size: int, name: str) -> Resolvent:
    size = whole(size, name, 0)
    require(
        bool(factor.dim or size),
        f"a factor of a product needs a fixed dimension, and {factor.name} has none; give {name}",
    )
    require(
        size in (0, factor.dim) or not factor.dim,
        f"{factor.name} acts on {factor.dim} coordinates, not on {name} = {size}",
    )
    return factor if factor.dim else dataclasses.replace(factor, dim=size)


_products: dict[tuple[Callable[..., None], Callable[..., None]], Callable[..., None]] = {}


def _blocks(left: Callable[..., None], right: Callable[..., None]) -> Callable[..., None]:
    """One text for each pair of kernels, so that it is compiled once."""

    def project_product(z, gamma, out, data):
        n, m = count_of(data[0]), count_of(data[1])
        left(z[:n], gamma, out[:n], data[2 : 2 + m])
        right(z[n:], gamma, out[n:], data[2 + m :])

    return _products.setdefault((left, right), project_product)


@resolvent_family
def conjugate(g: Resolvent | str | None = None) -> Resolvent:
    """Proximal map of the conjugate g* of the function that another resolvent belongs to.

    In general J of γA⁻¹ for J of A, by Moreau: z − γ J_{A/γ}(z/γ). ``g`` is a resolvent or the name
    of a set or regulariser, also with arguments as ``"l1(0.5)"``. Default: g* = ‖·‖ of the unit
    ball of the plane. Values of g* are those that one long proximal step from 0 gives, and
    infinite where one of four times the length goes three times as far.

    Raises OpcheckError for what is no resolvent. Source: Moreau (1965); Bauschke and Combettes
    (2017), Proposition 23.20.
    """
    inner = _named(ball() if g is None else g, "conjugate")
    return Resolvent(
        _inverse(inner.kernel),
        inner.data,
        inner.dim,
        f"conjugate of {inner.name}",
        value=_conjugate_value(inner),
    )


_inverses: dict[Callable[..., None], Callable[..., None]] = {}


def _inverse(kernel: Callable[..., None]) -> Callable[..., None]:
    """One text for each kernel, so that it is compiled once."""

    def moreau(z, gamma, out, data):
        x = z.copy()
        for i in range(z.shape[0]):
            x[i] = z[i] / gamma
        kernel(x, 1 / gamma, x, data)
        for i in range(z.shape[0]):
            out[i] = z[i] - gamma * x[i]

    return _inverses.setdefault(kernel, moreau)


LONG = 2.0**20  # how far the step goes at whose end a maximum is looked for


def _conjugate_value(inner: Resolvent) -> Callable[[Vector], float] | None:
    """u ↦ sup ⟨x, u⟩ − g(x)."""
    of = _value(inner)
    if of is None:
        return None

    def value(u: Vector) -> float:
        size = size_of(u)
        step = LONG / min(max(size, 1e-100), 1.0)
        x, further = inner(step * u, step), inner(4 * step * u, 4 * step)
        if size_of(x) <= ROUNDING * step * size:
            u = u - x / step  # where the supremum is at x; as near to u as rounding is
        elif size_of(further) > 3 * size_of(x):
            return np.inf  # it goes on in proportion to the step
        return float(x @ u) - of(x)

    return value
