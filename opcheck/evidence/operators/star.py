"""Proofs of constants against one solution: a form is shown along every ray that leaves it.

For z = z* + t s the pair (z − z*, F(z)) is t (s, f) with f = F(z)/t, so that a form (a, b, c) asks
for q(t, s) = a‖s‖² + 2b⟨s, f⟩ + c‖f‖² ≥ 0. On the rays q stays smooth down to t = 0, where
f = J(z*)s: what is critical near the solution costs no more boxes than what is critical far away.
For S = F + N_C, C a box, the normals at a point of a face are all multiples of one per active
coordinate, and the worst of each is known in closed form.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.intervals import Intervals, derivatives_over, enclosure
from opcheck.evidence.operators import boxes
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
    J = boxes.split(*(e[block].reshape(1, -1) for e in slopes))
    F = boxes.split(*value)
    image = []
    for i in range(d):
        total = boxes.point(middle[i])
        for k in range(d):
            total = total - boxes.point(inverse[i, k]) * F[k]
            pull = boxes.point(float(i == k))
            for j in range(d):
                pull = pull - boxes.point(inverse[i, j]) * J[j * d + k]
            total = total + pull * (Intervals(lo[k], hi[k]) - boxes.point(middle[k]))
        image.append((total.lo.item(), total.hi.item()))
    below, above = np.array(image).T
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
    cones = []
    for k, side in itertools.product(range(d), (left, right)):
        lo, hi = left[0].copy(), right[1].copy()
        lo[k], hi[k] = side[0][k], side[1][k]
        cones.append((np.append(0.0, lo), np.append(top, hi)))
    lo, hi = (np.array(part) for part in zip(*cones, strict=True))
    return lo, hi


def _less(end: Floats, zero: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return np.nextafter(end - zero[1], -np.inf), np.nextafter(end - zero[0], np.inf)


@dataclass(frozen=True)
class _Quadratic:
    """a‖s‖² + 2b⟨s, f⟩ + c‖f‖² as numbers that enclose a, b, c."""

    a: Intervals
    b: Intervals
    c: Intervals

    def value(self, s: list[Intervals], f: list[Intervals]) -> Intervals:
        """q = a‖s‖² + 2b⟨s, f⟩ + c‖f‖²."""
        a, b, c = self.a, self.b, self.c
        return boxes.total(a * x**2 + (b + b) * x * y + c * y**2 for x, y in zip(s, f, strict=True))

    def of_jacobian(self, J: list[Intervals], d: int) -> list[list[Intervals]]:
        """K(J) = a I + b (J + Jᵀ) + c JᵀJ, which is q on s for f = Js."""
        rows = [J[i * d : (i + 1) * d] for i in range(d)]
        return [
            [
                (self.a if i == k else boxes.point(0.0))
                + self.b * (rows[i][k] + rows[k][i])
                + self.c * boxes.total(rows[j][i] * rows[j][k] for j in range(d))
                for k in range(d)
            ]
            for i in range(d)
        ]

    def half_gradient(self, p: _Expansion) -> list[Intervals]:
        """½ ∂q/∂t = ⟨bs + cf, v⟩ and ½ ∂q/∂s = K(J)s − t (bI + cJᵀ)v.

        Since f = Js − tv; K is 0 in the worst case, and not a difference.
        """
        b, c, d = self.b, self.c, len(p.s)
        K = self.of_jacobian(p.J, d)
        by_t = boxes.total((b * p.s[j] + c * p.f[j]) * p.v[j] for j in range(d))
        by_s = []
        for i in range(d):
            turned = b * p.v[i] + c * boxes.total(p.J[j * d + i] * p.v[j] for j in range(d))
            by_s.append(boxes.total(K[i][k] * p.s[k] for k in range(d)) - p.t * turned)
        return [by_t, *by_s]

    def half_hessian(
        self, p: _Expansion, G: list[Intervals], w: list[Intervals]
    ) -> list[list[Intervals]]:
        """Half the second derivatives of q, with weight u = bs + cf, and G = F'' at the point:

        ½ ∂²q/∂t² = c‖v‖² + ⟨u, w⟩,   ½ ∂²q/∂t∂s = bv + cJᵀv + ⟨u, G s⟩,
        ½ ∂²q/∂s² = K(J) + t ⟨u, G⟩.
        """
        b, c, d = self.b, self.c, len(p.s)
        K = self.of_jacobian(p.J, d)
        weight = [b * p.s[j] + c * p.f[j] for j in range(d)]
        Gs = [
            [boxes.total(G[(j * d + i) * d + k] * p.s[k] for k in range(d)) for i in range(d)]
            for j in range(d)
        ]
        mixed = [
            b * p.v[i]
            + boxes.total(c * p.v[j] * p.J[j * d + i] + weight[j] * Gs[j][i] for j in range(d))
            for i in range(d)
        ]
        rows = [[boxes.total(c * p.v[j] ** 2 + weight[j] * w[j] for j in range(d)), *mixed]]
        for i in range(d):
            bent = [
                boxes.total(weight[j] * G[(j * d + i) * d + k] for j in range(d)) for k in range(d)
            ]
            rows.append([mixed[i], *(K[i][k] + p.t * bent[k] for k in range(d))])
        return rows


@dataclass(frozen=True)
class _Expansion:
    """Points z* + t s with f = F(z)/t, the slopes J of F there, and v = ∂f/∂t = (Js − f)/t."""

    t: Intervals
    s: list[Intervals]
    f: list[Intervals]
    J: list[Intervals]
    v: list[Intervals]


@dataclass(frozen=True)
class _Rays:
    """The statement that q ≥ 0 on boxes (t, s), by a Taylor polynomial and its remainder.

    Attributes:
        zero: the box that holds z*.
    """

    operator: Operator
    q: _Quadratic
    zero: tuple[Floats, Floats]

    def at(self, t: Intervals, s: list[Intervals]) -> tuple[Floats, Floats]:
        """The boxes of z = z* + t s."""
        below, above = self.zero
        return boxes.ends([Intervals(below[i], above[i]) + t * x for i, x in enumerate(s)])

    def derivatives(self, order: int, box: tuple[Floats, Floats]) -> list[Intervals]:
        """The partial derivatives of F of an order over boxes, in one row."""
        bounds = derivatives_over(self.operator, order, *box)
        return boxes.split(*(e.reshape(-1, self.operator.dim ** (order + 1)) for e in bounds))

    def quotient(self, t: Intervals, s: list[Intervals]) -> list[Intervals]:
        """f = F(z* + t s)/t, for t away from 0."""
        return [v / t for v in boxes.split(*enclosure(self.operator, *self.at(t, s)))]

    def __call__(self, lo: Floats, hi: Floats) -> tuple[NDArray[np.bool_], Floats] | None:
        """By f = J̄s, J̄ in the hull of the slopes between z* and the box; then by the expansion."""
        t, *s = boxes.split(lo, hi)
        hull = self.at(Intervals(np.zeros_like(t.lo), t.hi), s)
        f = _times(self.derivatives(1, hull), s)
        shown, cost = self.q.value(s, f).lo >= 0, np.full_like(lo, np.inf)
        left = ~shown
        if not left.any():
            return shown, cost
        f = [Intervals(v.lo[left], v.hi[left]) for v in f]
        expanded = self._expanded(lo[left], hi[left], (hull[0][left], hull[1][left]), f)
        if expanded is None:
            return None
        shown[left], cost[left] = expanded
        return shown, cost

    def _expanded(
        self, lo: Floats, hi: Floats, hull: tuple[Floats, Floats], f: list[Intervals]
    ) -> tuple[NDArray[np.bool_], Floats] | None:
        """By q(centre) + gradient at the centre + second derivatives over the box; None: refuted.

        Args:
            hull: boxes that hold the segments from z* to each box.
            f: enclosures of F(z)/t.
        """
        middle = middles(lo, hi)
        tc, *sc = boxes.split(middle, middle)
        fc = self.quotient(tc, sc)
        centre = self.q.value(sc, fc)
        if (centre.hi < 0).any():
            return None
        t, *s = boxes.split(lo, hi)
        dt, ds = t - tc, [p - m for p, m in zip(s, sc, strict=True)]
        G = self.derivatives(2, self.at(t, s))
        over = self._narrowed(t, s, f, v=self._mean(2, hull, s), fc=fc, dt=dt, ds=ds)
        Jc = self.derivatives(1, self.at(tc, sc))
        vc = [(p - m) / tc for p, m in zip(_times(Jc, sc), fc, strict=True)]
        vc = [boxes.meet(p, m) for p, m in zip(over.v, vc, strict=True)]
        gradient = boxes.ends(self.q.half_gradient(_Expansion(tc, sc, fc, Jc, vc)))
        w = self._second(over, G, self._mean(3, hull, s))
        rows = [boxes.ends(row) for row in self.q.half_hessian(over, G, w)]
        H = np.stack([row[0] for row in rows], axis=1), np.stack([row[1] for row in rows], axis=1)
        reach = np.stack([np.maximum(p.hi, -p.lo) for p in (dt, *ds)], axis=1)
        shown = self.q.value(s, over.f).lo >= 0
        shown |= least(centre.lo / 2, gradient, H, reach) >= 0
        with np.errstate(all="ignore"):
            # a mixed term is charged to both its sides: the wider one is to blame
            cost = np.einsum("mij,mj->mi", H[1] - H[0], reach) * reach * np.sqrt(reach)
        return shown, cost

    def _mean(self, order: int, hull: tuple[Floats, Floats], s: list[Intervals]) -> list[Intervals]:
        """∂ⁿf/∂tⁿ = ∫₀¹ τⁿ F⁽ⁿ⁺¹⁾(z* + τ t s)(s, ..., s) dτ, for n + 1 the order given: a share of
        1/order of what is in the hull."""
        share, tensor = 1 / boxes.point(float(order)), self.derivatives(order, hull)
        for _ in range(order):
            tensor = _times(tensor, s)
        return [share * p for p in tensor]

    def _narrowed(
        self,
        t: Intervals,
        s: list[Intervals],
        f: list[Intervals],
        v: list[Intervals],
        fc: list[Intervals],
        dt: Intervals,
        ds: list[Intervals],
    ) -> _Expansion:
        """The box with f and v narrowed by each other.

        f(t) is an average of f at the least t and of slopes in the box; v = (Js − f)/t; and
        f = f(centre) + v dt + J ds, by the mean value theorem.
        """
        J = self.derivatives(1, self.at(t, s))
        Js, moved = _times(J, s), _times(J, ds)
        start = self.quotient(Intervals(t.lo, t.lo), s)
        f = [boxes.meet(v, boxes.hull(w, z)) for v, w, z in zip(f, start, Js, strict=True)]
        for _ in range(2):  # the second time with an f that the first has narrowed
            v = [boxes.meet(p, (q - r) / t) for p, q, r in zip(v, Js, f, strict=True)]
            f = [boxes.meet(p, o + q * dt + m) for p, o, q, m in zip(f, fc, v, moved, strict=True)]
        return _Expansion(t, s, f, J, v)

    def _second(self, p: _Expansion, G: list[Intervals], w: list[Intervals]) -> list[Intervals]:
        """∂²f/∂t² = (G(s, s) − 2v)/t within bounds w."""
        Gss = _times(_times(G, p.s), p.s)
        return [boxes.meet(m, (g - (v + v)) / p.t) for m, g, v in zip(w, Gss, p.v, strict=True)]


def _along(operator: Operator, form: Form, zero: tuple[Floats, Floats]) -> Test:
    """The statement that the form is nonnegative on all of a box of rays."""
    return _Rays(operator, _Quadratic(*(boxes.point(float(v)) for v in form)), zero)


def _times(A: list[Intervals], s: list[Intervals]) -> list[Intervals]:
    """A tensor, row by row, with a vector in place of its last index."""
    d = len(s)
    return [boxes.total(A[i + k] * s[k] for k in range(d)) for i in range(0, len(A), d)]


def _faces(
    low: Floats, high: Floats, box: tuple[Floats, Floats]
) -> list[tuple[dict[int, float], tuple[Floats, Floats]]]:
    """The faces of a box within another: the sign of the normals by coordinate; corners."""
    faces = []
    for signs in itertools.product((0.0, -1.0, 1.0), repeat=len(low)):
        lo, hi = np.maximum(low, box[0]), np.minimum(high, box[1])
        active = {k: sign for k, sign in enumerate(signs) if sign}
        for k, sign in active.items():
            lo[k] = hi[k] = high[k] if sign > 0 else low[k]
        ends = np.array([lo[k] for k in active])
        least, most = (np.array([end[k] for k in active]) for end in box)
        if active and (np.isfinite(ends) & (least <= ends) & (ends <= most)).all():
            faces.append((active, (lo[None], hi[None])))
    return faces


def _on_face(
    operator: Operator, form: Form, zero: tuple[Floats, Floats], active: dict[int, float]
) -> Test:
    """The statement that q ≥ 0 at (z − z*, F(z) + n) for every normal n, on boxes of a face.

    The form is a sum over coordinates. An active one, with normals σν, ν ≥ 0, and |x| its distance
    from the solution, is least at σF + ν = max(σF, −b|x|/c): there it is (r² − b²x²)/c,
    r = max(b|x| + cσF, 0), where c > 0; and at ν = 0 where c = 0.
    """
    _, b, c = (boxes.point(float(v)) for v in form)
    d, flat = operator.dim, float(form[2]) == 0
    star = [Intervals(zero[0][i], zero[1][i]) for i in range(d)]

    def slope(j: int, x: Intervals, F: Intervals) -> Intervals:
        """Half the derivative of term j by F_j."""
        half = b * x + c * F
        if j not in active:
            return half
        if active[j] > 0:
            return Intervals(np.maximum(half.lo, 0), np.maximum(half.hi, 0))
        return Intervals(np.minimum(half.lo, 0), np.minimum(half.hi, 0))

    def q(x: list[Intervals], F: list[Intervals]) -> Intervals:
        terms = []
        for j in range(d):
            if j in active and not flat:
                terms.append((slope(j, x[j], F[j]) ** 2 - (b * x[j]) ** 2) / c)
            else:
                terms.append((b + b) * x[j] * F[j] + c * F[j] ** 2)
        return boxes.total(terms)

    def test(lo: Floats, hi: Floats) -> tuple[NDArray[np.bool_], Floats] | None:
        middle = middles(lo, hi)
        z, m = boxes.split(lo, hi), boxes.split(middle, middle)
        x, xm = ([p - o for p, o in zip(v, star, strict=True)] for v in (z, m))
        F, Fm = (
            boxes.split(*enclosure(operator, lo, hi)),
            boxes.split(*enclosure(operator, middle, middle)),
        )
        J = boxes.split(*(e.reshape(-1, d * d) for e in derivatives_over(operator, 1, lo, hi)))
        centre = total = q(xm, Fm)
        if (centre.hi < 0).any():
            return None
        weight = [slope(j, x[j], F[j]) for j in range(d)]
        cost = np.zeros_like(lo)
        for i in set(range(d)) - set(active):
            half = b * F[i] + boxes.total(weight[j] * J[j * d + i] for j in range(d))
            total = total + (half + half) * (z[i] - m[i])
            cost[:, i] = (half.hi - half.lo) * (hi[:, i] - lo[:, i])
        return (total.lo >= 0) | (q(x, F).lo >= 0), cost

    return test
