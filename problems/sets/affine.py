"""Subspaces and what one linear inequality cuts off: hyperplanes, half-spaces, slabs.

Comparisons are written so that a NaN comes out as it went in.
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck import Resolvent, resolvent_family
from opcheck.kernels import copy, dot, identity, norm2
from opcheck.plugin import ConeProgram, Vector, moduli_at_most, total
from opcheck_problems._checks import matrix, normal_vector, number, require, vector, whole
from opcheck_problems.sets._kernels import ROUNDING, positive_part


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


@resolvent_family(
    program=ConeProgram(dim=2, says=lambda x, y, one: (None, [("zero", total(x) - one)])),
)
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


@resolvent_family(
    program=ConeProgram(dim=2, says=lambda x, y, one: (None, [("zero", total(x) - one)])),
)
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


@resolvent_family(
    program=ConeProgram(dim=2, says=lambda x, y, one: (None, [("plus", -total(x))])),
)
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


@resolvent_family(
    program=ConeProgram(dim=2, says=lambda x, y, one: (None, moduli_at_most(one, total(x)))),
)
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


@resolvent_family(
    program=ConeProgram(dim=2, says=lambda x, y, one: (None, [])),
)
def whole_space(n: int = 2) -> Resolvent:
    """The identity on R^n, a factor for ``product``. Raises OpcheckError for n < 1."""
    return Resolvent(identity, np.zeros(0), whole(n, "n"), f"R^{n}", lambda z: True)
