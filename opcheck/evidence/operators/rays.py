"""Proofs of constants against one solution: a form is shown along every ray that leaves it.

For z = z* + t s the pair (z − z*, F(z)) is t (s, f) with f = F(z)/t, so that a form (a, b, c) asks
for q(t, s) = a‖s‖² + 2b⟨s, f⟩ + c‖f‖² ≥ 0. On the rays q stays smooth down to t = 0, where
f = J(z*)s: what is critical near the solution costs no more boxes than what is critical far away.
For S = F + N_C, C a box, the normals at a point of a face are all multiples of one per active
coordinate, and the worst of each is known in closed form.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.intervals import Intervals, derivatives_over, enclosure
from opcheck.evidence.operators.branch_and_bound import Cover, Test, cover, descend, middles, steps
from opcheck.evidence.operators.quadratic import least
from opcheck.model.operator import Operator
from opcheck.model.problem import Problem
from opcheck.model.property import Form, Kind, Of
from opcheck.model.region import ends_of

Floats = NDArray[np.float64]
NEAR = 1e-9  # relative; a stated solution is a zero up to that
MANY = 6  # dimensions beyond which there are too many cones to look at
FACES = 4  # the same of the faces of a box


def constant(problem: Problem, kind: Kind, best: float, of: Of) -> tuple[float | None, str]:
    """A proved constant of a star property close to the best found, or None and the reason.

    Args:
        best: the value at the worst point found.
        of: F or S = F + A, A the normal cone of a box with the solution inside.
    """
    operator, d = problem.operator, problem.dim
    if d > (FACES if of == "S" else MANY):
        return None, f"not tried in {d} dimensions"
    box = ends_of(problem.region, d)
    low, high = box
    if of == "S":
        if problem.resolvent.ends is None:
            return None, f"proofs of F + A are for boxes, not for {problem.resolvent.name}"
        best = min(best, 0.0)  # the normals of a box grow without bound
        low, high = (np.broadcast_to(e, (d,)) for e in problem.resolvent.ends)
    zero = solution_of(problem)
    if zero is None:
        return None, "no zero of F is proved to be at the solution"
    faces = _faces(low, high, box) if of == "S" else []
    low, high = np.maximum(low, box[0]), np.minimum(high, box[1])
    if not ((low < zero[0]) & (zero[1] < high)).all():
        return None, "the solution lies on the boundary, or outside the region"
    lo, hi = _cones(low, high, zero)

    def attempt(value: float, lo: Floats, hi: Floats, most: int) -> Cover:
        return cover(_along(operator, kind.form(value), zero), lo, hi, most)

    sign = 1 if kind.better == "smaller" else -1
    proved, note = descend(attempt, best, sign, lo, hi)
    for value in [proved, *steps(best, sign)[::-1]]:
        # the best that holds on the cones may ask for less on a face
        if proved is None or value is None or sign * (value - proved) < 0:
            continue
        form = kind.form(value)
        if all(cover(_on_face(operator, form, zero, *face), *at).shown for *face, at in faces):
            return value, note
    return None, note if proved is None else "normals of the box make it worse than any value tried"


def solution_of(
    problem: Problem, free: NDArray[np.bool_] | None = None
) -> tuple[Floats, Floats] | None:
    """A box that holds exactly one zero of F, about the problem's solution, or None.

    By Krawczyk's operator K(X) = m − YF(m) + (I − YJ(X))(X − m): a zero lies in K(X), and just one
    in X, where K(X) lies inside X (Krawczyk 1969; Moore 1977).

    Args:
        free: the coordinates of z and of F that count; the others of z are those of the solution.
    """
    middle, operator, size = problem.solution, problem.operator, problem.dim
    if middle is None:
        return None
    moving = np.arange(size) if free is None else np.flatnonzero(free)
    d, fixed, block = len(moving), middle, np.ix_(np.arange(1), moving, moving)
    value = tuple(e[:, moving] for e in enclosure(operator, fixed[None], fixed[None]))
    if not (value[0].any() or value[1].any()):
        return fixed, fixed
    middle = fixed[moving]
    slope = [e[block] for e in derivatives_over(operator, 1, fixed[None], fixed[None])]
    try:
        inverse = np.linalg.inv((slope[0] + slope[1])[0] / 2)
    except np.linalg.LinAlgError:
        return None
    step = np.abs(inverse) @ np.maximum(np.abs(value[0]), np.abs(value[1]))[0]
    if not (step <= NEAR * (1 + np.abs(middle))).all():
        return None
    reach = 4 * step + 1e-15 * (1 + np.abs(middle))
    lo, hi = middle - reach, middle + reach
    least, most = fixed.copy(), fixed.copy()
    least[moving], most[moving] = lo, hi
    slopes = derivatives_over(operator, 1, least[None], most[None])
    J = _split(*(e[block].reshape(1, -1) for e in slopes))
    F = _split(*value)
    found = []
    for i in range(d):
        total = _point(middle[i])
        for k in range(d):
            total = total - _point(inverse[i, k]) * F[k]
            pull = _point(float(i == k))
            for j in range(d):
                pull = pull - _point(inverse[i, j]) * J[j * d + k]
            total = total + pull * (Intervals(lo[k], hi[k]) - _point(middle[k]))
        found.append((total.lo.item(), total.hi.item()))
    below, above = np.array(found).T
    if not ((lo < below) & (above < hi)).all():
        return None
    least[moving], most[moving] = below, above
    return least, most


def _cones(low: Floats, high: Floats, zero: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Boxes (t, s): the cones from the zero over each side of low ≤ z ≤ high, t ≤ 1 at the side.

    Of an unbounded region those over the sides of a unit cube about the zero, t unbounded.
    """
    d = len(low)
    if np.isfinite(low).all() and np.isfinite(high).all():
        top, left, right = 1.0, _less(low, zero), _less(high, zero)
    else:
        unit = np.ones(d)
        top, left, right = np.inf, (-unit, -unit), (unit, unit)
    boxes = []
    for k, side in itertools.product(range(d), (left, right)):
        lo, hi = left[0].copy(), right[1].copy()
        lo[k], hi[k] = side[0][k], side[1][k]
        boxes.append((np.append(0.0, lo), np.append(top, hi)))
    lo, hi = (np.array(part) for part in zip(*boxes, strict=True))
    return lo, hi


def _less(end: Floats, zero: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return np.nextafter(end - zero[1], -np.inf), np.nextafter(end - zero[0], np.inf)


def _along(operator: Operator, form: Form, zero: tuple[Floats, Floats]) -> Test:
    """The statement that q ≥ 0 on boxes (t, s), by a Taylor polynomial and its remainder."""
    a, b, c = (_point(float(v)) for v in form)
    d = operator.dim
    star = [Intervals(zero[0][i], zero[1][i]) for i in range(d)]

    def at(t: Intervals, s: list[Intervals]) -> tuple[Floats, Floats]:
        return _corners([star[i] + t * s[i] for i in range(d)])

    def q(s: list[Intervals], f: list[Intervals]) -> Intervals:
        return _sum(a * s[i] ** 2 + (b + b) * s[i] * f[i] + c * f[i] ** 2 for i in range(d))

    def derivatives(order: int, box: tuple[Floats, Floats]) -> list[Intervals]:
        bounds = derivatives_over(operator, order, *box)
        return _split(*(e.reshape(-1, d ** (order + 1)) for e in bounds))

    def form_of(J: list[Intervals]) -> list[list[Intervals]]:
        """a I + b (J + Jᵀ) + c JᵀJ."""
        rows = [J[i * d : (i + 1) * d] for i in range(d)]
        return [
            [
                (a if i == k else _point(0.0))
                + b * (rows[i][k] + rows[k][i])
                + c * _sum(rows[j][i] * rows[j][k] for j in range(d))
                for k in range(d)
            ]
            for i in range(d)
        ]

    def first(
        t: Intervals, s: list[Intervals], f: list[Intervals], J: list[Intervals], v: list[Intervals]
    ) -> list[Intervals]:
        """Half the gradient of q by t and s; with v = ∂f/∂t, f = Js − tv.

        By s it is K(J)s − t (bI + cJᵀ)v, where K is 0 in the worst case and not a difference.
        """
        K = form_of(J)
        found = [_sum((b * s[j] + c * f[j]) * v[j] for j in range(d))]
        for i in range(d):
            turned = b * v[i] + c * _sum(J[j * d + i] * v[j] for j in range(d))
            found.append(_sum(K[i][k] * s[k] for k in range(d)) - t * turned)
        return found

    def second(
        t: Intervals,
        s: list[Intervals],
        f: list[Intervals],
        J: list[Intervals],
        v: list[Intervals],
        G: list[Intervals],
        w: list[Intervals],
    ) -> list[list[Intervals]]:
        """Half the second derivatives of q by t and s; G those of F, w = ∂²f/∂t²."""
        K = form_of(J)
        weight = [b * s[j] + c * f[j] for j in range(d)]
        Gs = [
            [_sum(G[(j * d + i) * d + k] * s[k] for k in range(d)) for i in range(d)]
            for j in range(d)
        ]
        mixed = [
            b * v[i] + _sum(c * v[j] * J[j * d + i] + weight[j] * Gs[j][i] for j in range(d))
            for i in range(d)
        ]
        rows = [[_sum(c * v[j] ** 2 + weight[j] * w[j] for j in range(d)), *mixed]]
        for i in range(d):
            bent = [_sum(weight[j] * G[(j * d + i) * d + k] for j in range(d)) for k in range(d)]
            rows.append([mixed[i], *(K[i][k] + t * bent[k] for k in range(d))])
        return rows

    def test(lo: Floats, hi: Floats) -> tuple[NDArray[np.bool_], Floats] | None:
        t, *s = _split(lo, hi)
        # f = J̄ s, J̄ in the hull of the slopes between the zero and the box
        hull = at(Intervals(np.zeros_like(t.lo), t.hi), s)
        f = _times(derivatives(1, hull), s)
        shown, cost = q(s, f).lo >= 0, np.full_like(lo, np.inf)
        left = ~shown
        if not left.any():
            return shown, cost
        hull = hull[0][left], hull[1][left]
        t, *s = _split(lo[left], hi[left])
        f = [Intervals(v.lo[left], v.hi[left]) for v in f]
        box = at(t, s)
        J, G = derivatives(1, box), derivatives(2, box)
        Js = _times(J, s)
        # f(t) is an average of f at the least t and of slopes in the box
        inner = Intervals(t.lo, t.lo)
        start = [v / inner for v in _split(*enclosure(operator, *at(inner, s)))]
        f = [_meet(v, _hull(w, z)) for v, w, z in zip(f, start, Js, strict=True)]
        middle = middles(lo[left], hi[left])
        tc, *sc = _split(middle, middle)
        point = at(tc, sc)
        fc = [v / tc for v in _split(*enclosure(operator, *point))]
        centre = q(sc, fc)
        if (centre.hi < 0).any():
            return None
        dt, ds = t - tc, [p - m for p, m in zip(s, sc, strict=True)]
        # ∂f/∂t = ∫₀¹ τ F''(z* + τ t s)(s, s) dτ, half of what is in the hull; it is (Js − f)/t too
        half, third = 1 / _point(2.0), 1 / _point(3.0)
        v = [half * p for p in _times(_times(derivatives(2, hull), s), s)]
        for _ in range(2):
            v = [_meet(v[j], (Js[j] - f[j]) / t) for j in range(d)]
            moved = _times(J, ds)
            f = [_meet(f[j], fc[j] + v[j] * dt + moved[j]) for j in range(d)]
        steps = [dt, *ds]
        found = q(s, f).lo >= 0
        # the same of ∂²f/∂t², which is (F''(s, s) − 2 ∂f/∂t)/t
        w = [third * p for p in _times(_times(_times(derivatives(3, hull), s), s), s)]
        Gss = _times(_times(G, s), s)
        w = [_meet(w[j], (Gss[j] - (v[j] + v[j])) / t) for j in range(d)]
        Jc = derivatives(1, point)
        vc = [(p - m) / tc for p, m in zip(_times(Jc, sc), fc, strict=True)]
        vc = [_meet(p, m) for p, m in zip(v, vc, strict=True)]
        g = _corners(first(tc, sc, fc, Jc, vc))
        rows = [_corners(row) for row in second(t, s, f, J, v, G, w)]
        H = np.stack([row[0] for row in rows], axis=1), np.stack([row[1] for row in rows], axis=1)
        reach = np.stack([np.maximum(p.hi, -p.lo) for p in steps], axis=1)
        found |= least(centre.lo / 2, g, H, reach) >= 0
        shown[left] = found
        with np.errstate(all="ignore"):
            # a mixed term is charged to both its sides: the wider one is to blame
            cost[left] = np.einsum("mij,mj->mi", H[1] - H[0], reach) * reach * np.sqrt(reach)
        return shown, cost

    return test


def _times(A: list[Intervals], s: list[Intervals]) -> list[Intervals]:
    """A tensor, row by row, with a vector in place of its last index."""
    d = len(s)
    return [_sum(A[i + k] * s[k] for k in range(d)) for i in range(0, len(A), d)]


def _faces(
    low: Floats, high: Floats, box: tuple[Floats, Floats]
) -> list[tuple[dict[int, float], tuple[Floats, Floats]]]:
    """The faces of a box within another: the sign of the normals by coordinate; corners."""
    found = []
    for signs in itertools.product((0.0, -1.0, 1.0), repeat=len(low)):
        lo, hi = np.maximum(low, box[0]), np.minimum(high, box[1])
        active = {k: sign for k, sign in enumerate(signs) if sign}
        for k, sign in active.items():
            lo[k] = hi[k] = high[k] if sign > 0 else low[k]
        ends = np.array([lo[k] for k in active])
        least, most = (np.array([end[k] for k in active]) for end in box)
        if active and (np.isfinite(ends) & (least <= ends) & (ends <= most)).all():
            found.append((active, (lo[None], hi[None])))
    return found


def _on_face(
    operator: Operator, form: Form, zero: tuple[Floats, Floats], active: dict[int, float]
) -> Test:
    """The statement that q ≥ 0 at (z − z*, F(z) + n) for every normal n, on boxes of a face.

    The form is a sum over coordinates. An active one, with normals σν, ν ≥ 0, and |x| its distance
    from the solution, is least at σF + ν = max(σF, −b|x|/c): there it is (r² − b²x²)/c,
    r = max(b|x| + cσF, 0), where c > 0; and at ν = 0 where c = 0.
    """
    _, b, c = (_point(float(v)) for v in form)
    d, flat = operator.dim, float(form[2]) == 0
    star = [Intervals(zero[0][i], zero[1][i]) for i in range(d)]

    def slope(j: int, x: Intervals, F: Intervals) -> Intervals:
        """Half the derivative of term j by F_j."""
        found = b * x + c * F
        if j not in active:
            return found
        if active[j] > 0:
            return Intervals(np.maximum(found.lo, 0), np.maximum(found.hi, 0))
        return Intervals(np.minimum(found.lo, 0), np.minimum(found.hi, 0))

    def q(x: list[Intervals], F: list[Intervals]) -> Intervals:
        terms = []
        for j in range(d):
            if j in active and not flat:
                terms.append((slope(j, x[j], F[j]) ** 2 - (b * x[j]) ** 2) / c)
            else:
                terms.append((b + b) * x[j] * F[j] + c * F[j] ** 2)
        return _sum(terms)

    def test(lo: Floats, hi: Floats) -> tuple[NDArray[np.bool_], Floats] | None:
        middle = middles(lo, hi)
        z, m = _split(lo, hi), _split(middle, middle)
        x, xm = ([p - o for p, o in zip(v, star, strict=True)] for v in (z, m))
        F, Fm = _split(*enclosure(operator, lo, hi)), _split(*enclosure(operator, middle, middle))
        J = _split(*(e.reshape(-1, d * d) for e in derivatives_over(operator, 1, lo, hi)))
        centre = total = q(xm, Fm)
        if (centre.hi < 0).any():
            return None
        weight = [slope(j, x[j], F[j]) for j in range(d)]
        cost = np.zeros_like(lo)
        for i in set(range(d)) - set(active):
            half = b * F[i] + _sum(weight[j] * J[j * d + i] for j in range(d))
            total = total + (half + half) * (z[i] - m[i])
            cost[:, i] = (half.hi - half.lo) * (hi[:, i] - lo[:, i])
        return (total.lo >= 0) | (q(x, F).lo >= 0), cost

    return test


def _split(lo: Floats, hi: Floats) -> list[Intervals]:
    low = [lo[:, i] for i in range(lo.shape[1])]
    high = low if hi is lo else [hi[:, i] for i in range(lo.shape[1])]
    return [Intervals(p, q) for p, q in zip(low, high, strict=True)]


def _corners(z: list[Intervals]) -> tuple[Floats, Floats]:
    return np.stack([v.lo for v in z], axis=1), np.stack([v.hi for v in z], axis=1)


def _sum(terms: Iterable[Intervals]) -> Intervals:
    first, *rest = terms
    return sum(rest, first)


def _hull(p: Intervals, q: Intervals) -> Intervals:
    return Intervals(np.minimum(p.lo, q.lo), np.maximum(p.hi, q.hi))


def _meet(p: Intervals, q: Intervals) -> Intervals:
    """What two enclosures of one number leave."""
    return Intervals(np.maximum(p.lo, q.lo), np.minimum(p.hi, q.hi))


def _point(value: float) -> Intervals:
    point = np.array(value)
    return Intervals(point, point)
