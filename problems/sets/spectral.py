"""Sets and norms of matrices by their eigenvalues or singular values.

A matrix is a vector of its entries, row by row. What takes eigenvalues runs on balls too: the
eigenvectors that were found need not be exact, since a residual bounds the distance between what
they make and the projection.
"""

from __future__ import annotations

import numpy as np

from opcheck import Resolvent, resolvent_family
from opcheck.kernels import middle, within
from opcheck.plugin import ConeProgram, Constraints, Rows, Vector, triangle
from opcheck_problems._checks import positive, whole
from opcheck_problems.sets._kernels import (
    ROUNDING,
    clip,
    count_of,
    in_floats,
    positive_part,
    threshold_of,
)


def _jacobi(S):
    S, V = S.copy(), S.copy()
    n = S.shape[0]
    top = middle(S[0, 0] - S[0, 0])
    for i in range(n):
        for j in range(n):
            S[i, j] = middle(S[i, j])
            V[i, j] = 1 if i == j else 0
            if abs(S[i, j]) > top:
                top = abs(S[i, j])
    size = top - top
    for i in range(n):
        for j in range(n):
            S[i, j] = middle(S[i, j] / top) if top > 0 else S[i, j]
            size += S[i, j] * S[i, j]
    size = middle(np.sqrt(size))
    for _ in range(100):
        rotations = 0
        for p in range(n):
            for q in range(p + 1, n):
                if middle(size + S[p, q]) != size:
                    _rotate(S, V, p, q)
                    rotations += 1
        if rotations == 0:
            break
    values = np.diag(S).copy()
    for i in range(n):
        values[i] = middle(values[i] * top) if top > 0 else values[i]
    return values, V


def _rotate(S, V, p, q):
    half = (S[q, q] - S[p, p]) / (2 * S[p, q])
    t = 1 / (abs(half) + np.sqrt(half * half + 1))
    t = middle(-t if half < 0 else t)
    c = middle(1 / np.sqrt(t * t + 1))
    s = middle(t * c)
    move = middle(t * S[p, q])
    S[p, p], S[q, q] = middle(S[p, p] - move), middle(S[q, q] + move)
    S[p, q] = S[q, p] = move - move
    for k in range(S.shape[0]):
        if k not in (p, q):
            a, b = S[k, p], S[k, q]
            S[k, p] = S[p, k] = middle(c * a - s * b)
            S[k, q] = S[q, k] = middle(s * a + c * b)
        a, b = V[k, p], V[k, q]
        V[k, p], V[k, q] = middle(c * a - s * b), middle(s * a + c * b)


def _lapack(S):
    finite = np.isfinite(S).all()
    values, V = np.linalg.eigh(S if finite else np.zeros_like(S))
    if not finite:
        values[:] = np.nan
    return values, np.ascontiguousarray(V)


def eigen(S):
    """Eigenvalues and (as columns) eigenvectors of a symmetric matrix, to rounding.

    Compiled: LAPACK. Otherwise Jacobi's rotations, whose results are exact numbers near the true
    ones.
    """
    return _jacobi(S)


eigen.compiled = _lapack


def positive_matrix(S, values, V, shift, P):
    """P = Σ max(λ_k − shift, 0) v_k v_kᵀ, the positive part of S − shift I, S = Σ λ_k v_k v_kᵀ."""
    n = S.shape[0]
    for i in range(n):
        for j in range(i + 1):
            total = shift - shift
            for k in range(n):
                total += positive_part(values[k] - shift) * V[i, k] * V[j, k]
            P[i, j] = P[j, i] = total
    _enclose_positive(S, values, V, shift, P)


def _enclose_positive(S, values, V, shift, P):
    # With N = Σ max(shift − λ_k, 0) v_k v_kᵀ, P and N are positive semidefinite for any V, and the
    # positive part Q of P − N has ‖Q − P‖² ≤ ⟨N, P − Q⟩ ≤ ⟨N, P⟩, which is of the square of what
    # V lacks in orthogonality. Q is nonexpansive in P − N, which is off S − shift I by a residual.
    if S.dtype != object:
        return
    n = S.shape[0]
    residual, product = shift - shift, shift - shift
    for i in range(n):
        for j in range(n):
            entry = S[i, j] - P[i, j] - (shift if i == j else 0)
            inner = shift - shift
            for k in range(n):
                entry += positive_part(shift - values[k]) * V[i, k] * V[j, k]
                inner += V[k, i] * V[k, j]
            residual += entry * entry
            if i != j:
                weight = positive_part(values[i] - shift) * positive_part(shift - values[j])
                product += weight * inner * inner
    error = np.sqrt(residual) + np.sqrt(product)
    for i in range(n):
        for j in range(n):
            P[i, j] = within(P[i, j], error)


def _nothing(S, values, V, shift, P):
    pass


_enclose_positive.compiled = _nothing


def _symmetric(z):
    # the nearest symmetric matrix, as an array of its own
    n = count_of(np.sqrt(z.shape[0]))
    S = z.copy().reshape((n, n))
    for i in range(n):
        for j in range(i):
            S[i, j] = S[j, i] = (S[i, j] + S[j, i]) / 2
    return S


def project_positive(z, gamma, out, data):
    """Data: 0, as a number of the reading."""
    S = _symmetric(z)
    n = S.shape[0]
    P = S.copy()
    values, V = eigen(S)
    positive_matrix(S, values, V, data[0], P)
    for i in range(n):
        for j in range(n):
            out[i * n + j] = P[i, j]


def _is_positive(z: Vector, n: int) -> bool:
    S = z.reshape(n, n)
    values = np.linalg.eigvalsh((S + S.T) / 2)
    slack = ROUNDING * abs(z).max()
    return bool(abs(S - S.T).max() <= slack and values[0] >= -slack)


def _symmetric_of_two(x: Rows) -> Constraints:
    """A 2×2 matrix is symmetric and positive."""
    return [("zero", x[1:2] - x[2:3]), ("psd", triangle([[x[0], x[1]], [x[2], x[3]]]))]


def _bordered_psd(x: Rows, a: list[Rows], b: list[Rows]) -> tuple[str, Rows]:
    """[A X; Xᵀ B] ⪰ 0 for 2×2 matrices; A and B by their upper triangles."""
    return "psd", triangle(
        [
            [a[0], a[1], x[0], x[1]],
            [a[1], a[2], x[2], x[3]],
            [x[0], x[2], b[0], b[1]],
            [x[1], x[3], b[1], b[2]],
        ]
    )


@resolvent_family(
    irrational=True,
    program=ConeProgram(dim=4, says=lambda x, y, one: (None, _symmetric_of_two(x))),
)
def psd_cone(n: int = 2) -> Resolvent:
    """Projection onto the symmetric positive semidefinite n×n matrices, in R^(n²), row by row.

    The symmetric part loses its negative eigenvalues.

    Raises OpcheckError for n < 1. Source: Higham (1988).
    """
    size = whole(n, "n")
    return Resolvent(
        project_positive,
        np.zeros(1),
        size * size,
        f"psd cone({size})",
        lambda z: _is_positive(z, size),
    )


def project_spectraplex(z, gamma, out, data):
    """Data: the trace."""
    S = _symmetric(z)
    n = S.shape[0]
    P = S.copy()
    values, V = eigen(S)
    top, t = threshold_of(values, data[0])
    # a multiple of I off, which moves no projection: a threshold beside large values is lost
    for i in range(n):
        values[i] = middle(values[i] - top)
        S[i, i] = S[i, i] - top
    positive_matrix(S, values, V, middle(t), P)
    # any shift gives the projection onto its own trace: scaled, of a point as far as it moves
    trace, total = data[0] - data[0], data[0] - data[0]
    for i in range(n):
        trace += P[i, i]
        for j in range(n):
            total += P[i, j] * P[i, j]
    error = np.sqrt(total) * (1 - data[0] / trace)
    for i in range(n):
        for j in range(n):
            out[i * n + j] = within(P[i, j] * data[0] / trace, error)


@resolvent_family(
    irrational=True,
    program=ConeProgram(
        dim=4, says=lambda x, y, one: (None, [*_symmetric_of_two(x), ("zero", x[:1] + x[3:] - one)])
    ),
)
def spectraplex(n: int = 2, trace: float = 1.0) -> Resolvent:
    """Projection onto {X symmetric n×n, X ⪰ 0, tr X = trace}, in R^(n²), row by row.

    The eigenvalues of the symmetric part go onto the simplex.

    Raises OpcheckError for n < 1, or a trace that is not positive and finite. Source: Lewis (1996).
    """
    positive(trace, "trace")
    size = whole(n, "n")
    return Resolvent(
        project_spectraplex,
        np.array([float(trace)]),
        size * size,
        f"spectraplex({size})",
        lambda z: (
            _is_positive(z, size)
            and bool(abs(np.trace(z.reshape(size, size)) - trace) <= ROUNDING * trace)
        ),
    )


def excess(z, rows, columns, level):
    """Σ max(σ_k − level, 0) u_k v_kᵀ of the rows × columns matrix z = Σ σ_k u_k v_kᵀ.

    The symmetric matrix [0 Z; Zᵀ 0] has the eigenvalues ±σ_k; twice the upper right corner of its
    positive part above ``level`` is that sum.
    """
    S = _bordered(z, rows, columns)
    P = S.copy()
    values, V = eigen(S)
    positive_matrix(S, values, V, level, P)
    return P


def _bordered(z, rows, columns):
    n = rows + columns
    S = np.empty((n, n), z.dtype)
    for i in range(n):
        for j in range(n):
            S[i, j] = z[0] - z[0]
    for i in range(rows):
        for j in range(columns):
            S[i, rows + j] = S[rows + j, i] = z[i * columns + j]
    return S


def project_spectral(z, gamma, out, data):
    """Data: the radius, the number of rows and that of columns."""
    rows, columns = count_of(data[1]), count_of(data[2])
    radius = data[0]
    if in_floats(radius):
        # z minus what is in excess would lose the rest beside a large z
        values, V = eigen(_bordered(z, rows, columns))
        for i in range(rows):
            for j in range(columns):
                total = radius - radius
                for k in range(rows + columns):
                    total += clip(values[k], -radius, radius) * V[i, k] * V[rows + j, k]
                out[i * columns + j] = total
    else:
        P = excess(z, rows, columns, radius)
        for i in range(rows):
            for j in range(columns):
                out[i * columns + j] = z[i * columns + j] - 2 * P[i, rows + j]


@resolvent_family(
    irrational=True,
    program=ConeProgram(
        dim=4,
        says=lambda x, y, one: (None, [_bordered_psd(x, [one, 0 * one, one], [one, 0 * one, one])]),
    ),
)
def spectral_ball(m: int = 2, n: int = 2, radius: float = 1.0) -> Resolvent:
    """Projection onto the m×n matrices of spectral norm ≤ radius, in R^(mn), row by row.

    The singular values are clipped.

    Raises OpcheckError for m or n < 1, or a radius that is not positive and finite. Source: Lewis
    (1996).
    """
    positive(radius, "radius")
    shape = (whole(m, "m"), whole(n, "n"))
    return Resolvent(
        project_spectral,
        np.array([float(radius), *map(float, shape)]),
        shape[0] * shape[1],
        f"spectral ball({radius:g})",
        lambda z: bool(np.linalg.norm(z.reshape(shape), 2) <= radius * (1 + ROUNDING)),
    )


def shrink_spectrum(z, gamma, out, data):
    """Data: λ, the number of rows and that of columns."""
    rows, columns = count_of(data[1]), count_of(data[2])
    P = excess(z, rows, columns, gamma * data[0])
    for i in range(rows):
        for j in range(columns):
            out[i * columns + j] = 2 * P[i, rows + j]


@resolvent_family(
    irrational=True,
    program=ConeProgram(
        dim=4,
        extras=6,
        says=lambda x, y, one: (
            (y[:1] + y[2:3] + y[3:4] + y[5:]) / 2,
            [_bordered_psd(x, list(y[:3]), list(y[3:]))],
        ),
    ),
)
def nuclear_norm(lam: float = 1.0, m: int = 2, n: int = 2) -> Resolvent:
    """Proximal map of λ times the sum of the singular values of an m×n matrix, in R^(mn).

    The singular values are thresholded by γλ.

    Raises OpcheckError for m or n < 1, or a λ that is not positive and finite. Source: Cai, Candès
    and Shen (2010).
    """
    positive(lam, "lam")
    shape = (whole(m, "m"), whole(n, "n"))
    return Resolvent(
        shrink_spectrum,
        np.array([float(lam), *map(float, shape)]),
        shape[0] * shape[1],
        f"{lam:g}‖·‖ nuclear",
        value=lambda z: float(lam * np.linalg.norm(z.reshape(shape), "nuc")),
    )
