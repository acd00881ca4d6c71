"""Sets and regularisers: the resolvents (I + γA)⁻¹ of normal cones and of λ∂‖·‖₁.

Comparisons are written so that a NaN comes out as it went in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck.errors import OpcheckError
from opcheck.model.operator import Resolvent, Vector
from opcheck.model.primitives import copy, distance2, identity, norm2
from opcheck.model.problem import resolvent_family
from opcheck_problems.parameters import positive, whole

ROUNDING = (
    1e-12  # of ``contains``: what projecting in float64 may leave, relative to the set's size
)


def _vector(values: ArrayLike, what: str) -> Vector:
    found = np.atleast_1d(np.array(values, dtype=float))
    if found.ndim != 1 or found.size == 0 or not np.isfinite(found).all():
        raise OpcheckError(f"{what} must be finite numbers in one row, not {values}")
    return found


def count_of(number):
    """A nonnegative whole number of any reading as an int."""
    count = 0
    while count < number:
        count += 1
    return count


def project_box(z, gamma, out, data):
    """Data: the lower ends, then the upper ends; one of each serves every coordinate."""
    half = data.shape[0] // 2
    for i in range(z.shape[0]):
        j = min(i, half - 1)
        if z[i] < data[j]:
            out[i] = data[j]
        elif z[i] > data[half + j]:
            out[i] = data[half + j]
        else:
            out[i] = z[i]


@resolvent_family
def box(lo: ArrayLike = -1.0, hi: ArrayLike = 1.0) -> Resolvent:
    """Projection onto {lo ≤ z ≤ hi}: clipping.

    ``lo`` and ``hi`` are numbers (any dimension), or vectors of d numbers each.

    Raises OpcheckError for an empty box, ends that are not finite or of different lengths.
    """
    low, high = _vector(lo, "lo"), _vector(hi, "hi")
    size = max(low.size, high.size)
    if {low.size, high.size} - {1, size}:
        raise OpcheckError(f"a box has {low.size} lower ends but {high.size} upper ends")
    low, high = np.broadcast_to(low, size), np.broadcast_to(high, size)
    if (low > high).any():
        i = int(np.argmax(low > high))
        raise OpcheckError(f"the box is empty: lo = {low[i]} exceeds hi = {high[i]}")
    return Resolvent(
        project_box,
        np.concatenate([low, high]),
        size if size > 1 else 0,
        f"box[{low[0]:g}, {high[0]:g}]" if size == 1 else "box",
        lambda z: bool(np.all((low <= z) & (z <= high))),
    )


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
    middle, size = _vector(centre, "centre"), float(radius)
    return Resolvent(
        project_ball,
        np.concatenate([[size], middle]),
        middle.size,
        f"ball({size:g})",
        lambda z: bool(np.linalg.norm(z - middle) <= size * (1 + ROUNDING)),
    )


def _onto_simplex(z, out, scale):
    # Michelot's iteration: the threshold τ that the active coordinates {z_i > τ} call for only
    # grows, so the active sets shrink and need not be stored.
    n = z.shape[0]
    active = n
    total = -scale
    for i in range(n):
        total += z[i]
    tau = total / n
    for _ in range(n):
        count = 0
        total = -scale
        for i in range(n):
            if z[i] > tau:
                count += 1
                total += z[i]
        if count == active or count == 0:
            break
        active = count
        tau = total / count
    for i in range(n):
        above = z[i] - tau
        out[i] = (above + abs(above)) / 2


def project_simplex(z, gamma, out, data):
    """Data: the sum."""
    _onto_simplex(z, out, data[0])


@resolvent_family
def simplex(n: int = 3, scale: float = 1.0) -> Resolvent:
    """Projection onto {z ≥ 0, Σ z_i = scale} in R^n, by Michelot's (1986) active sets.

    Raises OpcheckError for n < 1 or a scale that is not positive and finite.
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
    _onto_simplex(z[:n], out[:n], data[1])
    _onto_simplex(z[n:], out[n:], data[1])


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
        lambda z: _holds(first, z[:n]) and _holds(second, z[n:]),
    )


def _holds(factor: Resolvent, z: Vector) -> bool:
    return factor.contains is None or factor.contains(z)


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
    rows, right = np.atleast_2d(np.array(A, dtype=float)), _vector(b, "b")
    if rows.ndim != 2 or not np.isfinite(rows).all() or len(rows) != right.size:
        raise OpcheckError(
            f"{right.size} right-hand sides do not fit a matrix of shape {rows.shape}"
        )
    if np.linalg.matrix_rank(rows) < len(rows):
        raise OpcheckError("the rows of A are linearly dependent; leave the superfluous ones out")
    matrix, offset = rows, right
    if not _orthogonal(rows):
        q, r = np.linalg.qr(rows.T)
        rows, right = q.T, np.linalg.solve(r.T, right)
    return Resolvent(
        project_affine,
        np.column_stack([rows, right]).ravel(),
        rows.shape[1],
        "affine subspace",
        lambda z: bool(
            np.all(abs(matrix @ z - offset) <= ROUNDING * (abs(matrix) @ abs(z) + abs(offset)))
        ),
    )


def _orthogonal(rows: NDArray[np.float64]) -> bool:
    exact = [[Fraction(v) for v in row] for row in rows.tolist()]
    return not any(
        sum(a * b for a, b in zip(exact[i], exact[j], strict=True))
        for i in range(len(exact))
        for j in range(i)
    )


def project_half_space(z, gamma, out, data):
    """Data: a, then b."""
    d = z.shape[0]
    a = data[:d]
    over = -data[d]
    for i in range(d):
        over += a[i] * z[i]
    step = (over + abs(over)) / (2 * norm2(a))
    for i in range(d):
        out[i] = z[i] - step * a[i]


@resolvent_family
def half_space(a: ArrayLike = (1.0, 1.0), b: float = 0.0) -> Resolvent:
    """Projection onto {z : ⟨a, z⟩ ≤ b}.

    Raises OpcheckError for a = 0 or numbers that are not finite.
    """
    normal, right = _vector(a, "a"), float(_vector(b, "b")[0])
    if not normal.any():
        raise OpcheckError("a half-space needs a normal a other than 0")
    return Resolvent(
        project_half_space,
        np.append(normal, right),
        normal.size,
        "half-space",
        lambda z: bool(normal @ z <= right + ROUNDING * (abs(normal) @ abs(z) + abs(right))),
    )


def shrink(z, gamma, out, data):
    """Data: λ."""
    threshold = gamma * data[0]
    for i in range(z.shape[0]):
        if -threshold <= z[i] <= threshold:
            out[i] = threshold - threshold
        elif z[i] > threshold:
            out[i] = z[i] - threshold
        else:
            out[i] = z[i] + threshold


@resolvent_family
def l1(lam: float = 1.0) -> Resolvent:
    """Proximal map of λ‖·‖₁, in any dimension: soft thresholding by γλ.

    Raises OpcheckError for a λ that is not positive and finite.
    """
    positive(lam, "lam")
    return Resolvent(shrink, np.array([float(lam)]), 0, f"{lam:g}‖·‖₁")


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
    indicator = left.contains is not None and right.contains is not None
    return Resolvent(
        _blocks(left.kernel, right.kernel),
        np.concatenate([[float(n), float(left.data.size)], left.data, right.data]),
        n + right.dim,
        f"{left.name} x {right.name}",
        (lambda z: _holds(left, z[:n]) and _holds(right, z[n:])) if indicator else None,
    )


_products: dict[tuple[Callable[..., None], Callable[..., None]], Callable[..., None]] = {}


def _blocks(left: Callable[..., None], right: Callable[..., None]) -> Callable[..., None]:
    """One text for each pair of kernels, so that it is compiled once."""

    def project_product(z, gamma, out, data):
        n, m = count_of(data[0]), count_of(data[1])
        left(z[:n], gamma, out[:n], data[2 : 2 + m])
        right(z[n:], gamma, out[n:], data[2 + m :])

    return _products.setdefault((left, right), project_product)
