"""Proofs of constants: a form is shown to be nonnegative on the slopes at every point of a region.

For a differentiable F and Δu = J̄ Δx, with J̄ an average of Jacobians, a property with the form
(a, b, c) asks for a I + b (J̄ + J̄ᵀ) + c J̄ᵀJ̄ ⪰ 0. Where c ≤ 0 the left side is concave in J̄, so
that the Jacobians at single points suffice, on any convex region. Where c > 0 (ρ < 0) they suffice
on the whole space: I + 2|ρ|F then has slopes of least singular value ≥ 1, is a diffeomorphism by
Hadamard's theorem, and its inverse is nonexpansive. On a bounded region they are only necessary.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.intervals import derivatives_over, enclosure
from opcheck.evidence.operators import star
from opcheck.evidence.operators.branch_and_bound import (
    BOXES,
    ZERO,
    Cover,
    Test,
    cover,
    descend,
    middles,
)
from opcheck.evidence.operators.quadratic import ROUNDING, least
from opcheck.model.operator import Condition, Operator
from opcheck.model.problem import Problem, Region
from opcheck.model.property import Form, Kind, Of
from opcheck.model.region import ends_of, on_region
from opcheck.model.text import Arithmetic

Floats = NDArray[np.float64]
UNIT = 2.0**-53
FEW = 20_000  # boxes on which a condition of the formula may be looked at
CORNERS = 6  # dimensions up to which the 2^d corners of a box are tried one by one


@np.errstate(all="ignore")  # slopes that overflow show nothing
def constant(problem: Problem, kind: Kind, best: float, of: Of = "F") -> tuple[float | None, str]:
    """A constant proved on the problem's region, close to the best that a search found, or None
    and the reason. Of a ball the bounding box is subdivided.

    Args:
        best: the value on the worst pair found.
        of: F, or for a star property S = F + A.
    """
    operator = problem.operator
    sign = 1 if kind.better == "smaller" else -1
    if (reason := singular(problem, of)) is not None:
        return None, reason
    if kind.star:
        proved, note = star.constant(problem, kind, best, of)
        return proved, note + in_box(problem.region) if proved is not None else note
    if operator.matrix is not None and 0 <= -sign * best <= ZERO and _skew(operator):
        return 0.0, "M + Mᵀ = 0 in symbols"
    if kind.form(best)[2] > 0 and problem.region is not None and operator.matrix is None:
        return None, (
            "on a region slopes bound a negative ρ from above only; a proof needs the whole space"
        )

    def attempt(value: float, lo: Floats, hi: Floats, most: int) -> Cover:
        return _attempt(operator, kind.form(value), lo, hi, most)

    lo, hi = (end[None] for end in ends_of(problem.region, operator.dim))
    proved, note = descend(attempt, best, sign, lo, hi)
    return proved, note + in_box(problem.region) if proved is not None else note


@np.errstate(all="ignore")  # slopes that overflow show nothing
def everywhere(
    operator: Operator, form: Form, region: Region | None, most: int = BOXES
) -> tuple[bool | None, int]:
    """Whether a form is shown to be nonnegative on all slopes in the box of a region.

    Args:
        most: boxes that may be looked at.

    Returns:
        True if proved, False if refuted at a point, None where the boxes were used up; and how
        many boxes were looked at.

    Raises OpcheckError for an operator that has no enclosure.
    """
    lo, hi = (end[None] for end in ends_of(region, operator.dim))
    if any(not cover(_holds(c), lo, hi, FEW).shown for c in operator.conditions):
        return None, 0
    covered = _attempt(operator, form, lo, hi, most)
    return covered.shown, covered.looked


def in_box(region: Region | None) -> str:
    """What a note on a proof over a ball adds."""
    return ", in the bounding box of the ball" if region is not None and region.ball else ""


@np.errstate(all="ignore")  # slopes that overflow show nothing
def singular(problem: Problem, of: Of = "F") -> str | None:
    """Why F is not shown to be smooth on the problem's region, or None if it is.

    Every denominator, root and logarithm of the formula as written must stay away from where it is
    singular: what sympy cancels, as in sin(x)/cos(x) under atan, would hide a jump.

    Args:
        of: ``S`` for the part of the region that lies in the box of A.
    """
    d = problem.dim
    low, high = ends_of(problem.region, d)
    if of == "S" and problem.resolvent.ends is not None:
        low = np.maximum(low, problem.resolvent.ends[0])
        high = np.minimum(high, problem.resolvent.ends[1])
    for condition in problem.operator.conditions:
        if not cover(_holds(condition), low[None], high[None], FEW).shown:
            on = on_region(problem.region)
            return f"not proved: the formula needs {condition}, which is not shown {on}"
    return None


def _holds(condition: Condition) -> Test:
    """The statement that a condition of the formula holds on a box."""

    def test(lo: Floats, hi: Floats) -> tuple[NDArray[np.bool_], Floats] | None:
        def away(lo: Floats, hi: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
            below, above = enclosure(condition.of, lo, hi)
            known = ~np.isnan(below[:, 0]) & ~np.isnan(above[:, 0])
            return known & (below[:, 0] > 0), known & (above[:, 0] < 0)

        above, below = away(lo, hi)
        middle = middles(lo, hi)
        over, under = away(middle, middle)
        if condition.positive:
            return None if under.any() else (above, np.full_like(lo, np.inf))
        # one sign here and the other there: a zero between
        refuted = over.any() and under.any()
        return None if refuted else (above | below, np.full_like(lo, np.inf))

    return test


def _attempt(operator: Operator, form: Form, lo: Floats, hi: Floats, most: int) -> Cover:
    if operator.matrix is not None:
        shown = bool(nonnegative(form, *derivatives_over(operator, 1, lo, hi)).all())
        return Cover(shown or None, 1, lo, hi)
    return cover(_test(operator, form), lo, hi, most)


def _test(operator: Operator, form: Form) -> Test:
    """The statement that the form is nonnegative on the slopes of a box."""

    def test(lo: Floats, hi: Floats) -> tuple[NDArray[np.bool_], Floats] | None:
        shown = nonnegative(form, *derivatives_over(operator, 1, lo, hi))
        cost = np.full_like(lo, np.inf)
        left = ~shown
        if not left.any():
            return shown, cost
        middle = middles(lo[left], hi[left])
        at = derivatives_over(operator, 1, middle, middle)
        if not _possible(form, *at):
            return None
        if lo.shape[1] <= CORNERS:
            shown[left], cost[left] = _centred(
                operator, form, lo[left], hi=hi[left], middle=middle, at=at
            )
        return shown, cost

    return test


def _skew(operator: Operator) -> bool:
    """Whether M + Mᵀ = 0, decided on the formulas of the entries where M is given by such."""
    matrix = operator.matrix
    assert matrix is not None
    if np.abs(matrix + matrix.T).max() > 1e-9 * np.abs(matrix).max(initial=0):
        return False
    if operator.entries is None:
        return not (matrix + matrix.T).any()
    import sympy

    functions = {
        **{name: getattr(sympy, name) for name in ("sqrt", "exp", "log", "sin", "cos", "atan")},
        **{"abs": sympy.Abs, "ceil": sympy.ceiling, "max": sympy.Max, "min": sympy.Min},
    }
    symbolic = Arithmetic(
        literal=sympy.Rational,
        divide=lambda p, q: sympy.sympify(p) / q,
        power=lambda p, q: sympy.sympify(p) ** q,
        pi=sympy.pi,
        functions=functions,
    )
    d = operator.dim
    entries = operator.data_in(symbolic, sympy.Rational)[: d * d].reshape(d, d)
    twice = (entries + entries.T).ravel()
    return all(sympy.simplify(entry) == 0 for entry in twice)


@np.errstate(all="ignore")  # slopes that overflow show nothing
def nonnegative(form: Form, lo: Floats, hi: Floats) -> NDArray[np.bool_]:
    """Whether a I + b (J + Jᵀ) + c JᵀJ ⪰ 0 is shown for every J in [lo, hi], for each of m.

    Args:
        lo, hi: shape (m, d, d).
    """
    known = np.isfinite(lo).all(axis=(1, 2)) & np.isfinite(hi).all(axis=(1, 2))
    shown = _monotone(lo, hi) if form[0] == 0 == form[2] else np.zeros(len(lo), dtype=bool)
    known &= ~shown
    if known.any():
        middle, radius = _centre(lo[known], hi[known])
        shown[known] = _definite(_least(form, middle, radius))
    return shown


def _centre(lo: Floats, hi: Floats) -> tuple[Floats, Floats]:
    middle = lo / 2 + hi / 2
    return middle, np.nextafter(np.maximum(hi - middle, middle - lo), np.inf)


def _monotone(lo: Floats, hi: Floats) -> NDArray[np.bool_]:
    """Whether J + Jᵀ is diagonal and ⪰ 0, without rounding: no other way sees what borders on 0."""
    d = lo.shape[1]
    off = ~np.eye(d, dtype=bool)
    skew = (lo == hi) & (lo == -lo.transpose(0, 2, 1))
    return np.asarray(skew[:, off].all(axis=1) & (lo[:, ~off] >= 0).all(axis=1))


def _least(form: Form, M: Floats, R: Floats, D: Floats | None = None) -> Floats:
    """A matrix that the form is ⪰ of for every J with |J − M| ≤ R entry by entry.

    K, the form at M, moves by at most Δ = |N|ᵀR + Rᵀ|N| + |c| RᵀR entry by entry, N = bI + cM, the
    last only where c < 0; and a symmetric E with |E| ≤ Δ is ⪰ −diag(Δ1).

    Args:
        D: where given and c > 0, K is made less by c DᵀD.
    """
    a, b, c = (float(v) for v in form)
    d = M.shape[1]
    eye = np.eye(d)
    T = M.transpose(0, 2, 1)
    K = a * eye + b * (M + T) + c * (T @ M)
    size = np.linalg.norm(M, axis=(1, 2))
    terms = abs(a) + 2 * abs(b) * size + abs(c) * size * size
    if D is not None and c > 0:
        K -= c * (D.transpose(0, 2, 1) @ D)
        terms += c * (D * D).sum(axis=(1, 2))
    # N is off by a unit of cM and one of itself, and what else is summed has one sign
    N = np.abs(b * eye + c * M) + 4 * UNIT * abs(c) * np.abs(M)
    moved = N.transpose(0, 2, 1) @ R
    moved = moved + moved.transpose(0, 2, 1)
    if c < 0:
        moved -= c * (R.transpose(0, 2, 1) @ R)
    # each entry above is a sum of at most d + 4 terms; a matrix is at most d times its entries
    rounding = 4 * d * (d + 4) * UNIT * terms
    less = (1 + 16 * (d + 4) * UNIT) * moved.sum(axis=2) + rounding[:, None]
    return np.asarray(K - less[:, :, None] * eye)


def _definite(K: Floats) -> NDArray[np.bool_]:
    """Whether each K, of which the upper triangle counts, is shown to be ⪰ 0 by an elimination.

    If it ends with positive pivots, K + E = LDLᵀ ⪰ 0 with ‖E‖ ≤ γ tr K/(1 − γ) (Rump 2006, with the
    pivots in place of their roots); that much is taken off first, with room.
    """
    d = K.shape[1]
    A = K - (8 * (d + 2) * UNIT * np.abs(K).sum(axis=(1, 2)) + 1e-290)[:, None, None] * np.eye(d)
    shown = np.ones(len(A), dtype=bool)
    for k in range(d):
        pivot = A[:, k, k]
        shown &= pivot > 0
        row = A[:, k, k + 1 :]
        with np.errstate(all="ignore"):
            A[:, k + 1 :, k + 1 :] -= row[:, :, None] * row[:, None, :] / pivot[:, None, None]
    return shown


def _centred(
    operator: Operator,
    form: Form,
    lo: Floats,
    hi: Floats,
    middle: Floats,
    at: tuple[Floats, Floats],
) -> tuple[NDArray[np.bool_], Floats]:
    """The form on finite boxes by second derivatives, and what each side costs.

    J(z) = M + D(δ) + E, D linear in δ = z − middle and |E| of second order. For a fixed E the form
    is concave in δ where c ≤ 0, and is above its tangent, a linear one, where c > 0: either way it
    is least at a corner of the box.
    """
    m, d = lo.shape
    below, above = derivatives_over(operator, 2, lo, hi)
    half = np.nextafter(np.maximum(hi - middle, middle - lo), np.inf)
    shown, cost = np.zeros(m, dtype=bool), np.full((m, d), np.inf)
    known = np.isfinite(below).all(axis=(1, 2, 3)) & np.isfinite(above).all(axis=(1, 2, 3))
    known &= np.isfinite(half).all(axis=1)
    if not known.any():
        return shown, cost
    half = half[known][:, None, None, :]
    G, spread = _centre(below[known], above[known])
    M, R = _centre(at[0][known], at[1][known])
    lost = spread * half
    size = np.abs(G) * half
    # the linear part is summed in floats
    total = size.sum(axis=3)
    R = (R + lost.sum(axis=3)) * (1 + 8 * d * UNIT) + 4 * (d + 2) * UNIT * (np.abs(M) + total)
    ok, worst = np.ones(len(M), dtype=bool), np.empty_like(M)
    for signs in itertools.product((-1.0, 1.0), repeat=d):
        D = (G * half * np.array(signs)).sum(axis=3)
        rows = np.flatnonzero(ok)
        worst[rows] = _least(form, (M + D)[rows], R[rows], D[rows])
        ok[rows] = _definite(worst[rows])
    # a side costs what it adds to the error in the direction in which the form is least
    v = np.linalg.eigh(worst)[1][:, :, 0]
    _, b, c = (float(value) for value in form)
    normal = np.abs(b * v + c * np.einsum("mij,mj->mi", M, v))
    price = 2 * np.einsum("mi,mijk,mj->mk", normal, lost, np.abs(v))
    price += max(c, 0.0) * (np.einsum("mijk,mj->mik", size, np.abs(v)) ** 2).sum(axis=1)
    cost[known] = price
    left = np.flatnonzero(known)[~ok]
    if len(left):
        ok[~ok] = _curved(
            operator, form, lo[left], hi=hi[left], middle=middle[left], half=half[~ok, 0, 0]
        )
    shown[known] = ok
    return shown, cost


@dataclass(frozen=True)
class _MidRad:
    """Matrices and tensors within ``radius`` of ``middle``, entry by entry."""

    middle: Floats
    radius: Floats

    @classmethod
    def of(cls, operator: Operator, order: int, lo: Floats, hi: Floats) -> _MidRad:
        """The derivatives of F of an order over boxes."""
        return cls(*_centre(*derivatives_over(operator, order, lo, hi)))

    @property
    def size(self) -> Floats:
        """The largest absolute value of each entry."""
        return np.abs(self.middle) + self.radius

    def turned(self, Q: Floats) -> _MidRad:
        """Qᵀ(X + Xᵀ)Q over the first two indices of X."""
        size = np.abs(Q)
        wide = self.radius + ROUNDING * np.abs(self.middle)
        y = np.einsum("mai,mab...,mbj->mij...", Q, self.middle, Q)
        w = np.einsum("mai,mab...,mbj->mij...", size, wide, size)
        return _MidRad(y + y.swapaxes(1, 2), w + w.swapaxes(1, 2))

    def pulled(self, by: _MidRad) -> _MidRad:
        """NᵀX over the first index of X, N = ``by``."""
        N = np.abs(by.middle)
        wide = np.einsum("mka,mkb...->mab...", N, self.radius)
        wide += np.einsum("mka,mkb...->mab...", by.radius, self.size)
        rounding = ROUNDING * np.einsum("mka,mkb...->mab...", N, np.abs(self.middle))
        return _MidRad(np.einsum("mka,mkb...->mab...", by.middle, self.middle), wide + rounding)


@dataclass(frozen=True)
class _Expansion:
    """K(δ) of a form and its derivatives in an eigenbasis (v, V) of its middle, v first.

    Attributes:
        value, first: at the middle of each box, shape (m, d, d) and (m, d, d, d).
        second: over the box, shape (m, d, d, d, d).
    """

    value: _MidRad
    first: _MidRad
    second: _MidRad

    @classmethod
    def of(
        cls,
        form: tuple[float, float, float],
        Q: Floats,
        at: tuple[_MidRad, _MidRad],
        over: tuple[_MidRad, _MidRad, _MidRad],
    ) -> _Expansion:
        """Of K = aI + b(J + Jᵀ) + cJᵀJ = X + Xᵀ, X = aI/2 + bJ + cJᵀJ/2.

        With N = bI + cJ and G_i, H_ij the derivatives of J, ∂_i X may be taken as NᵀG_i, and
        ∂_ij X as NᵀH_ij + cG_iᵀG_j.

        Args:
            at: J and G at the middles.
            over: J, G and H over the boxes.
        """
        a, b, c = form
        (M, S), (J, G, H) = at, over
        eye = np.eye(Q.shape[1])
        m, R = M.middle, M.radius
        T, size = m.transpose(0, 2, 1), np.abs(m)
        N = _of_form(form, M)
        value = _MidRad(
            a * eye / 2 + b * m + c / 2 * (T @ m),
            np.abs(N.middle).transpose(0, 2, 1) @ R
            + abs(c) * (R.transpose(0, 2, 1) @ R)
            + ROUNDING * (abs(a) * eye + abs(b) * size + abs(c) * (size.transpose(0, 2, 1) @ size)),
        )
        bent, top = H.pulled(_of_form(form, J)), G.size
        loose = G.radius + ROUNDING * top
        products = [np.einsum("mkai,mkbj->mabij", *p) for p in ((top, loose), (loose, top))]
        second = _MidRad(
            bent.middle + c * np.einsum("mkai,mkbj->mabij", G.middle, G.middle),
            bent.radius + abs(c) * (products[0] + products[1]),
        )
        return cls(value.turned(Q), S.pulled(N).turned(Q), second.turned(Q))

    def shown(self, half: Floats) -> NDArray[np.bool_]:
        """Whether vᵀKv ≥ ‖VᵀKv‖²/κ for all |δ| ≤ half, where VᵀKV ⪰ κI with κ > 0.

        With VᵀKv = p + Bδ + e the right side is at most ‖p + Bδ‖²/κ + (2|p + Bδ| + |e|)|e|/κ, so
        that the difference is a quadratic in δ, up to third order.
        """
        value, first, second = self.value, self.first, self.second
        tilt, far = self._moved(half)
        kappa = self._least_of_rest(tilt + far)
        top, p = value.middle[:, 0, 0], value.middle[:, 1:, 0]
        slope, B = first.middle[:, 0, 0], first.middle[:, 1:, 0]
        e = far[:, 1:, 0]
        reach = np.abs(p) + tilt[:, 1:, 0]
        taken = (((2 * reach + e) * e).sum(axis=1) + (p * p).sum(axis=1)) / kappa
        taken *= 1 + 2 * ROUNDING
        # the constant, the linear and the quadratic part
        start = top - value.radius[:, 0, 0] - taken
        start -= ROUNDING * (np.abs(top) + taken)
        pull = 2 * np.einsum("mr,mri->mi", np.abs(p), np.abs(B)) / kappa[:, None]
        spread = first.radius[:, 0, 0] + ROUNDING * (np.abs(slope) + pull)
        slope = slope - 2 * np.einsum("mr,mri->mi", p, B) / kappa[:, None]
        squares = 2 * np.einsum("mri,mrj->mij", np.abs(B), np.abs(B)) / kappa[:, None, None]
        bend = second.middle[:, 0, 0]
        wide = second.radius[:, 0, 0] + ROUNDING * (np.abs(bend) + squares)
        bend = bend - 2 * np.einsum("mri,mrj->mij", B, B) / kappa[:, None, None]
        lowest = least(start, (slope - spread, slope + spread), (bend - wide, bend + wide), half)
        return np.asarray((kappa > 0) & (lowest >= 0))

    def _moved(self, half: Floats) -> tuple[Floats, Floats]:
        """How far each entry of K moves by its tangent, and how far it is from that beside."""
        tilt = np.einsum("mabi,mi->mab", np.abs(self.first.middle), half)
        far = self.value.radius + np.einsum("mabi,mi->mab", self.first.radius, half)
        far += np.einsum("mabij,mi,mj->mab", self.second.size, half, half) / 2
        return tilt, far

    def _least_of_rest(self, moved: Floats) -> Floats:
        """κ with VᵀKV ⪰ κI, by discs about the diagonal of its middle."""
        middle = self.value.middle
        block = np.diagonal(middle, axis1=1, axis2=2)[:, 1:]
        off = np.abs(middle[:, 1:, 1:]) * (1 - np.eye(middle.shape[1] - 1))
        discs = (moved[:, 1:, 1:] + off).sum(axis=2)
        ends = block - discs - ROUNDING * (np.abs(block) + discs)
        return np.asarray(ends.min(axis=1, initial=np.inf))


def _of_form(form: tuple[float, float, float], J: _MidRad) -> _MidRad:
    """N = bI + cJ."""
    _, b, c = form
    eye = np.eye(J.middle.shape[1])
    rounding = ROUNDING * (abs(b) * eye + abs(c) * np.abs(J.middle))
    return _MidRad(b * eye + c * J.middle, abs(c) * J.radius + rounding)


def _curved(
    operator: Operator, form: Form, lo: Floats, hi: Floats, middle: Floats, half: Floats
) -> NDArray[np.bool_]:
    """The form on boxes by third derivatives, for one that is least on a curve.

    In an eigenbasis (v, V) of K at the middle the form is ⪰ 0 where VᵀKV ⪰ κI, κ > 0, and
    vᵀKv ≥ ‖VᵀKv‖²/κ.
    """
    a, b, c = (float(value) for value in form)
    eye = np.eye(lo.shape[1])
    at = M, _ = _MidRad.of(operator, 1, middle, middle), _MidRad.of(operator, 2, middle, middle)
    J, G, H = (_MidRad.of(operator, order, lo, hi) for order in (1, 2, 3))
    T = M.middle.transpose(0, 2, 1)
    K = a * eye + b * (M.middle + T) + c * (T @ M.middle)
    parts = (K, G.middle, H.middle)
    known = np.logical_and.reduce([np.isfinite(x).reshape(len(x), -1).all(1) for x in parts])
    Q = np.broadcast_to(eye, K.shape).copy()
    Q[known] = np.linalg.eigh(K[known])[1]
    with np.errstate(all="ignore"):
        return np.asarray(known & _Expansion.of((a, b, c), Q, at, (J, G, H)).shown(half))


def _possible(form: Form, lo: Floats, hi: Floats) -> bool:
    """False if the form is negative on one of the slopes beyond any rounding."""
    a, b, c = (float(v) for v in form)
    M = lo / 2 + hi / 2
    T = M.transpose(0, 2, 1)
    K = a * np.eye(M.shape[1]) + b * (M + T) + c * (T @ M)
    K = K[np.isfinite(K).all(axis=(1, 2))]
    room = 1e-12 * (1 + np.abs(K).sum(axis=(1, 2)))
    return bool((np.linalg.eigvalsh(K)[:, 0] >= -room).all())
