"""Sets given by linear inequalities: boxes cut by a hyperplane, the monotone cone, {Az ≤ b}."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from opcheck import Resolvent, resolvent_family
from opcheck.kernels import copy, dot, norm2, slack
from opcheck.plugin import ConeProgram, Vector, moduli_at_most, total
from opcheck_problems._checks import (
    ends,
    matrix,
    normal_vector,
    number,
    positive,
    require,
    vector,
    whole,
)
from opcheck_problems.sets._kernels import (
    ROUNDING,
    clip,
    in_floats,
    onto_box_hyperplane,
    solve,
)


def project_box_hyperplane(z, gamma, out, data):
    """Data: a, the lower ends, the upper ends, b."""
    d = z.shape[0]
    _onto_cut(z, out, data[:d], data[d : 2 * d], data[2 * d : 3 * d], data[3 * d])


def _onto_cut(z, out, a, lo, hi, b):
    onto_box_hyperplane(z, out, a, lo, hi, b)
    if in_floats(b):
        # what rounding left of a far z: the projection of a point that is off the set by so much
        # is as near, and this one comes from within the box
        onto_box_hyperplane(out, out, a, lo, hi, b)


def _cut_box(
    a: ArrayLike, b: float, lo: ArrayLike, hi: ArrayLike, equal: bool
) -> tuple[Vector, float, Vector, Vector]:
    """The parameters of a box cut by ⟨a, z⟩ ≤ b, or = b. Raises OpcheckError for an empty set."""
    normal, right = normal_vector(a), number(b, "b")
    low, high = ends(vector(lo, "lo"), vector(hi, "hi"))
    require(low.size in (1, normal.size), f"a has {normal.size} entries, the box {low.size}")
    low, high = np.broadcast_to(low, normal.size), np.broadcast_to(high, normal.size)
    least = float(np.minimum(normal * low, normal * high).sum())
    most = float(np.maximum(normal * low, normal * high).sum())
    rounded = 1e-15 * float(abs(normal) @ np.maximum(abs(low), abs(high)))
    require(
        least <= right + rounded and (not equal or right <= most + rounded),
        f"the set is empty: ⟨a, z⟩ goes from {least:g} to {most:g} on the box, but b = {right:g}",
    )
    return normal, right, low, high


def _near(z: Vector, low: Vector, high: Vector) -> bool:
    return bool(np.all((low <= z) & (z <= high)))


@resolvent_family(
    program=ConeProgram(
        dim=3,
        says=lambda x, y, one: (
            None,
            [*moduli_at_most(one, x), ("zero", one / 2 - x[:1] + 2 * x[1:2] - x[2:])],
        ),
    ),
)
def box_hyperplane(
    a: ArrayLike = (1.0, -2.0, 1.0), b: float = 0.5, lo: ArrayLike = -1.0, hi: ArrayLike = 1.0
) -> Resolvent:
    """Projection onto {lo ≤ z ≤ hi, ⟨a, z⟩ = b}: clip(z − τa) with the τ that meets b.

    ``lo`` and ``hi`` are numbers or d numbers each.

    Raises OpcheckError for a = 0, an empty set, or numbers that are not finite or don't fit.
    Source: Kiwiel (2008), variable fixing for the continuous quadratic knapsack problem.
    """
    normal, right, low, high = _cut_box(a, b, lo, hi, equal=True)
    return Resolvent(
        project_box_hyperplane,
        np.concatenate([normal, low, high, [right]]),
        normal.size,
        "box and hyperplane",
        lambda z: (
            _near(z, low, high)
            and bool(abs(normal @ z - right) <= ROUNDING * (abs(normal) @ abs(z) + abs(right)))
        ),
    )


@resolvent_family(
    program=ConeProgram(
        dim=4,
        says=lambda x, y, one: (
            None,
            [("plus", x), ("plus", one - x), ("zero", total(x) - 2 * one)],
        ),
    ),
)
def capped_simplex(n: int = 4, total: float = 2.0, cap: float = 1.0) -> Resolvent:
    """Projection onto {0 ≤ z ≤ cap, Σ z_i = total} in R^n.

    Raises OpcheckError for n < 1, total or cap not positive and finite, or total > n cap.
    Source: as ``box_hyperplane``.
    """
    positive(total, "total")
    positive(cap, "cap")
    cut = box_hyperplane(np.ones(whole(n, "n")), total, 0.0, cap)
    return dataclasses.replace(cut, name=f"capped simplex({n})")


def project_box_half_space(z, gamma, out, data):
    """Data: a, the lower ends, the upper ends, b."""
    d = z.shape[0]
    a, lo, hi, b = data[:d], data[d : 2 * d], data[2 * d : 3 * d], data[3 * d]
    over = -b
    for i in range(d):
        over += a[i] * clip(z[i], lo[i], hi[i])
    if over > 0:
        _onto_cut(z, out, a, lo, hi, b)
    else:
        for i in range(d):
            out[i] = clip(z[i], lo[i], hi[i])


@resolvent_family(
    program=ConeProgram(
        dim=3,
        says=lambda x, y, one: (
            None,
            [*moduli_at_most(one, x), ("plus", one - x[:1] - 2 * x[1:2] + x[2:])],
        ),
    ),
)
def box_half_space(
    a: ArrayLike = (1.0, 2.0, -1.0), b: float = 1.0, lo: ArrayLike = -1.0, hi: ArrayLike = 1.0
) -> Resolvent:
    """Projection onto {lo ≤ z ≤ hi, ⟨a, z⟩ ≤ b}: clip(z) where it fits, else with ⟨a, z⟩ = b.

    ``lo`` and ``hi`` are numbers or d numbers each.

    Raises OpcheckError for a = 0, an empty set, or numbers that are not finite or don't fit.
    Source: as ``box_hyperplane``.
    """
    normal, right, low, high = _cut_box(a, b, lo, hi, equal=False)
    return Resolvent(
        project_box_half_space,
        np.concatenate([normal, low, high, [right]]),
        normal.size,
        "box and half-space",
        lambda z: (
            _near(z, low, high)
            and bool(normal @ z <= right + ROUNDING * (abs(normal) @ abs(z) + abs(right)))
        ),
    )


def project_monotone(z, gamma, out, data):
    """No data."""
    # pool adjacent violators: each block keeps its sum and where it starts
    d = z.shape[0]
    total, start = z.copy(), np.zeros(d + 1, np.int64)
    blocks = 0
    for i in range(d):
        total[blocks], start[blocks], start[blocks + 1] = z[i], i, i + 1
        blocks += 1
        while blocks > 1:
            last, before = (
                int(i + 1 - start[blocks - 1]),
                int(start[blocks - 1] - start[blocks - 2]),
            )
            if not total[blocks - 2] * last >= total[blocks - 1] * before:
                break
            blocks -= 1
            total[blocks - 1] = total[blocks - 1] + total[blocks]
            start[blocks] = i + 1
    for k in range(blocks):
        mean = total[k] / int(start[k + 1] - start[k])
        for i in range(start[k], start[k + 1]):
            out[i] = mean


@resolvent_family(
    program=ConeProgram(dim=6, says=lambda x, y, one: (None, [("plus", x[1:] - x[:-1])])),
)
def monotone_cone() -> Resolvent:
    """Projection onto {z₁ ≤ z₂ ≤ … ≤ z_d}, in any dimension: isotonic regression.

    Source: Ayer, Brunk, Ewing, Reid and Silverman (1955), pool adjacent violators.
    """
    return Resolvent(
        project_monotone,
        np.zeros(0),
        0,
        "monotone cone",
        lambda z: bool(np.all(np.diff(z) >= -ROUNDING * abs(z).max())),
    )


def project_polyhedron(z, gamma, out, data):
    """Data: for each row a of A its d entries and its b."""
    start = z.copy()
    _onto_rows(start, out, data)
    if in_floats(data[0]):
        # what rounding left of a far z is relative to z: so again from there, until it is near
        for _ in range(40):
            before, after = abs(start[0]), abs(out[0])
            for i in range(1, z.shape[0]):
                before += abs(start[i])
                after += abs(out[i])
            if not before > 1000 * after:
                break
            copy(start, out)
            _onto_rows(start, out, data)


def _onto_rows(z, out, data):
    d = z.shape[0]
    m = data.shape[0] // (d + 1)
    x, normal, r = z.copy(), z.copy(), z.copy()
    gram, u = data.copy(), data[:m].copy()
    rows, inside = np.zeros(m, np.int64), np.zeros(m, np.int64)
    count = 0  # rows[:count] are the constraints held with equality, u their multipliers
    for _ in range(100 * (m + d)):
        row, worst = -1, data[0]
        reach = abs(x[0]) + abs(z[0])
        for j in range(1, d):
            reach += abs(x[j]) + abs(z[j])
        for i in range(m):
            if inside[i] == 0:
                first = i * (d + 1)
                over = _over(x, data, i)
                size = _size(data[first : first + d], data[first + d], reach)
                if over > slack(size) and (row < 0 or over > worst):
                    row, worst = i, over
        if row < 0:
            break
        a = data[row * (d + 1) : row * (d + 1) + d]
        multiplier = data[0] - data[0]
        while True:
            # moving along −normal keeps the active constraints, at the cost of r on their u
            for i in range(count):
                r[i] = dot(data[rows[i] * (d + 1) : rows[i] * (d + 1) + d], a)
            _fill_gram(gram, data, rows, count, d)
            solve(gram, r, count)
            copy(normal, a)
            for i in range(count):
                for j in range(d):
                    normal[j] = normal[j] - r[i] * data[rows[i] * (d + 1) + j]
            length = norm2(normal)
            independent = count < d and length > norm2(a) / 10**9 / 10**9
            leaving, step = -1, data[0]
            for i in range(count):
                if r[i] > 0 and (leaving < 0 or u[i] < step * r[i]):
                    leaving, step = i, u[i] / r[i]
            if not independent and leaving < 0:
                out[0] = np.nan  # the set is empty
                return
            over = _over(x, data, row)
            enters = independent and (leaving < 0 or over <= step * length)
            if enters:
                step = over / length
            for i in range(count):
                u[i] = u[i] - step * r[i]
            multiplier = multiplier + step
            if independent:
                for j in range(d):
                    x[j] = x[j] - step * normal[j]
            if enters:
                rows[count], u[count], inside[row] = row, multiplier, 1
                count += 1
                _onto_planes(z, x, data, rows, count, gram, r)
                break
            inside[rows[leaving]] = 0
            count -= 1
            for i in range(leaving, count):
                rows[i], u[i] = rows[i + 1], u[i + 1]
    else:
        out[0] = np.nan
        return
    copy(out, x)


def _onto_planes(z, x, data, rows, count, gram, r):
    # x = projection of z onto the intersection of the planes of rows[:count]; done anew, so that
    # the rounding of the way is forgotten, and twice, for what the first time leaves
    d = z.shape[0]
    copy(x, z)
    for _ in range(2):
        for i in range(count):
            r[i] = _over(x, data, rows[i])
        _fill_gram(gram, data, rows, count, d)
        solve(gram, r, count)
        for i in range(count):
            for j in range(d):
                x[j] = x[j] - r[i] * data[rows[i] * (d + 1) + j]


def _over(x, data, row):
    # ⟨a, x⟩ − b
    d = x.shape[0]
    first = row * (d + 1)
    return dot(data[first : first + d], x) - data[first + d]


def _size(a, b, reach):
    # what ⟨a, x⟩ − b may be made of, where the coordinates of x come from terms up to ``reach``
    total = abs(a[0])
    for j in range(1, a.shape[0]):
        total += abs(a[j])
    return total * reach + abs(b)


def _fill_gram(gram, data, rows, count, d):
    for i in range(count):
        for k in range(count):
            total = data[0] - data[0]
            for j in range(d):
                total += data[rows[i] * (d + 1) + j] * data[rows[k] * (d + 1) + j]
            gram[i * count + k] = total


@resolvent_family(
    program=ConeProgram(
        dim=2, says=lambda x, y, one: (None, [("plus", x), ("plus", 2 * one - x[:1] - 2 * x[1:])])
    ),
)
def polyhedron(
    A: ArrayLike = ((1.0, 2.0), (-1.0, 0.0), (0.0, -1.0)), b: ArrayLike = (2.0, 0.0, 0.0)
) -> Resolvent:
    """Projection onto {z : Az ≤ b}, by the dual active-set method: finite, exact on rationals.

    Constraints enter one by one, the most violated first; multipliers stay nonnegative. Meant for
    some dozens of rows: each step solves a dense system in the active ones.

    Raises OpcheckError for a row of zeros, an empty set (asked of HiGHS), or numbers that are not
    finite or don't fit. Source: Goldfarb and Idnani (1983).
    """
    from scipy.optimize import linprog

    rows, right = matrix(A, "A"), vector(b, "b")
    m, d = rows.shape
    require(m == right.size, f"{right.size} right-hand sides do not fit {m} rows")
    require(bool(rows.any(axis=1).all()), "a row of A is zero; leave it out")
    sizes = abs(rows).sum(axis=1)
    feasible = linprog(np.zeros(d), A_ub=rows, b_ub=right, bounds=(None, None))
    require(feasible.status != 2, "the polyhedron is empty: no z satisfies Az ≤ b")
    return Resolvent(
        project_polyhedron,
        np.column_stack([rows, right]).ravel(),
        d,
        f"polyhedron of {m} rows",
        lambda z: bool(np.all(rows @ z <= right + ROUNDING * (sizes * abs(z).max() + abs(right)))),
    )
