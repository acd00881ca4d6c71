"""Proofs of constants: a form is shown to be nonnegative on the slopes at every point of a region.

For a differentiable F and Δu = J̄ Δx, with J̄ an average of Jacobians, a property with the form
(a, b, c) asks for a I + b (J̄ + J̄ᵀ) + c J̄ᵀJ̄ ⪰ 0. Where c ≤ 0 the left side is concave in J̄, so
that the Jacobians at single points suffice, on any convex region. Where c > 0 (ρ < 0) they suffice
on the whole space: I + 2|ρ|F then has slopes of least singular value ≥ 1, is a diffeomorphism by
Hadamard's theorem, and its inverse is nonexpansive. On a bounded region they are only necessary.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.intervals import Intervals, enclosure
from opcheck.engine.numbers import Ball, ball_arithmetic, rational
from opcheck.errors import OpcheckError
from opcheck.model.operator import Operator
from opcheck.model.problem import Problem
from opcheck.model.property import Form, Kind

Floats = NDArray[np.float64]
UNIT = 2.0**-53
SLACK = (0.3, 0.03, 3e-3, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-12)  # relative, tried in turn
BOXES = 150_000  # that all attempts may look at
FAR = 1e100  # beyond it a box is not cut any more


def constant(problem: Problem, kind: Kind, best: float, radius: float) -> tuple[float | None, str]:
    """A proved constant close to the best that a search found, or None and the reason.

    Args:
        best: the value on the worst pair found.
        radius: of the region ‖z‖∞ ≤ r; infinite for the whole space.
    """
    operator = problem.operator
    zero = None
    if kind.star:
        zero = problem.solution
        if zero is None or not _is_zero(operator, zero):
            return None, "the solution is not known exactly"
    sign = 1 if kind.better == "smaller" else -1
    scale = abs(best) or 1.0
    proved, note, left = None, f"not proved on {BOXES} boxes", BOXES
    for slack, finer in zip(SLACK, (*SLACK[1:], 0.0), strict=True):
        value = best + sign * slack * scale
        form = kind.form(value)
        if form[2] > 0 and np.isfinite(radius) and operator.matrix is None and zero is None:
            return None, (
                "on a bounded region slopes bound a negative ρ from above only; "
                "a proof needs the whole space"
            )
        outcome, looked = everywhere(operator, form, radius, left, zero)
        left -= looked
        if outcome is True:
            proved, note = value, f"slopes enclosed on {looked} boxes"
            if looked * slack > left * finer:
                break  # the boxes grow about as the slack shrinks
        elif proved is not None or left <= 0:
            break
    return proved, note


def everywhere(
    operator: Operator,
    form: Form,
    radius: float,
    most: int = BOXES,
    zero: Floats | None = None,
) -> tuple[bool | None, int]:
    """Whether a form is shown to be nonnegative on all slopes in ‖z‖∞ ≤ radius.

    Args:
        most: boxes that may be looked at.
        zero: the solution that a star property is against, with F(zero) = 0 exactly.

    Returns:
        True if proved, False if refuted at a point, None where the boxes were used up; and how
        many boxes were looked at.

    Raises OpcheckError for an operator that has no enclosure.
    """
    d = operator.dim
    if operator.matrix is not None:
        lo, hi = slopes_of_affine(operator)
        return (True if bool(nonnegative(form, lo, hi).all()) else None), 1
    if operator.slopes is None:
        raise OpcheckError("no formula for the slopes is known")
    lo, hi = np.full((1, d), -radius), np.full((1, d), radius)
    looked = 0
    while len(lo):
        looked += len(lo)
        if looked > most:
            return None, looked
        left = ~_shown(operator, form, lo, hi, zero)
        lo, hi = lo[left], hi[left]
        if not len(lo):
            break
        middle = _middle(lo, hi)
        if np.abs(middle).max() > FAR:
            return None, looked
        if not _possible(operator, form, middle, zero):
            return False, looked
        lo, hi = _bisect(lo, hi, middle)
    return True, looked


def slopes_of_affine(operator: Operator) -> tuple[Floats, Floats]:
    """Bounds on M, shape (1, d, d), from the columns F(e_i) − F(0) of the operator's own text."""
    d = operator.dim
    points = np.concatenate([np.zeros((1, d)), np.eye(d)])
    lo, hi = enclosure(operator, points, points)
    below = np.nextafter(lo[1:] - hi[0], -np.inf)
    above = np.nextafter(hi[1:] - lo[0], np.inf)
    return below.T[None], above.T[None]


def _is_zero(operator: Operator, z: Floats) -> bool:
    """Whether F vanishes at a float point exactly."""
    out = np.empty(operator.dim, dtype=object)
    at = np.array([Ball(rational(v)) for v in z.tolist()], dtype=object)
    operator.kernel(at, out, operator.data_in(ball_arithmetic(), lambda v: rational(float(v))))
    return all(Ball(v).ball == 0 for v in out)


def _shown(
    operator: Operator, form: Form, lo: Floats, hi: Floats, zero: Floats | None
) -> NDArray[np.bool_]:
    assert operator.slopes is not None
    d = lo.shape[1]
    if zero is None:
        below, above = (e.reshape(-1, d, d) for e in enclosure(operator.slopes, lo, hi))
        return nonnegative(form, below, above)
    # Δu = J̄ Δx with J̄ in the hull of the slopes between a box and the zero; far from it F itself
    hull = enclosure(operator.slopes, np.minimum(lo, zero), np.maximum(hi, zero))
    shown = nonnegative(form, *(e.reshape(-1, d, d) for e in hull))
    rest = ~shown
    if rest.any():
        shown[rest] = _against(operator, form, lo[rest], hi[rest], zero).lo >= 0
    return shown


def _against(operator: Operator, form: Form, lo: Floats, hi: Floats, zero: Floats) -> Intervals:
    """The form on Δx = z − zero, Δu = F(z), over boxes of z, by the mean value theorem.

    Its gradient is 2 (a Δx + b (Δu + JᵀΔx) + c JᵀΔu), so that a box of width w costs w², not w.
    """
    assert operator.slopes is not None
    d = len(zero)
    a, b, c = (_point(np.array(float(v))) for v in form)
    middle = np.clip(_middle(lo, hi), lo, hi)
    x, u = _graph(operator, lo, hi, zero)
    slopes = _split(*enclosure(operator.slopes, lo, hi))
    at, value = _graph(operator, middle, middle, zero)
    total = _point(np.zeros(len(lo)))
    for i in range(d):
        total = total + a * at[i] ** 2 + (b + b) * at[i] * value[i] + c * value[i] ** 2
        turned = [slopes[j * d + i] * x[j] for j in range(d)]
        pulled = [slopes[j * d + i] * u[j] for j in range(d)]
        half = a * x[i] + b * (u[i] + sum(turned[1:], turned[0]))
        half = half + c * sum(pulled[1:], pulled[0])
        step = Intervals(lo[:, i], hi[:, i]) - _point(middle[:, i])
        total = total + (half + half) * step
    return total


def _graph(
    operator: Operator, lo: Floats, hi: Floats, zero: Floats
) -> tuple[list[Intervals], list[Intervals]]:
    """z − zero and F(z), coordinate by coordinate."""
    x = [Intervals(lo[:, i], hi[:, i]) - _point(np.array(v)) for i, v in enumerate(zero)]
    return x, _split(*enclosure(operator, lo, hi))


def _split(lo: Floats, hi: Floats) -> list[Intervals]:
    return [Intervals(lo[:, i], hi[:, i]) for i in range(lo.shape[1])]


def _point(value: Floats) -> Intervals:
    return Intervals(value, value)


def nonnegative(form: Form, lo: Floats, hi: Floats) -> NDArray[np.bool_]:
    """Whether a I + b (J + Jᵀ) + c JᵀJ ⪰ 0 is shown for every J in [lo, hi], for each of m.

    The form at the midpoint M is K. With |J − M| ≤ R entry by entry it moves by at most
    |N|ᵀR + Rᵀ|N| + |c| RᵀR, N = bI + cM, the last only where c < 0. A factorisation K ≈ QΛQᵀ
    with Λ ≥ t shows K ⪰ t − ‖K − QΛQᵀ‖ − t‖QQᵀ − I‖ whatever Q is.

    Args:
        lo, hi: shape (m, d, d).
    """
    a, b, c = (float(v) for v in form)
    d = lo.shape[1]
    known = np.isfinite(lo).all(axis=(1, 2)) & np.isfinite(hi).all(axis=(1, 2))
    shown = np.zeros(len(lo), dtype=bool)
    if not known.any():
        return shown
    lo, hi = lo[known], hi[known]
    M = lo / 2 + hi / 2
    R = np.nextafter(np.maximum(hi - M, M - lo), np.inf)
    T = M.transpose(0, 2, 1)
    K = a * np.eye(d) + b * (M + T) + c * (T @ M)
    N = np.abs(b * np.eye(d) + c * M)
    D = N.transpose(0, 2, 1) @ R
    moved = np.linalg.norm(D + D.transpose(0, 2, 1), axis=(1, 2))
    moved += max(-c, 0.0) * (R * R).sum(axis=(1, 2))
    size = np.linalg.norm(M, axis=(1, 2))
    terms = abs(a) * np.sqrt(d) + 2 * abs(b) * size + abs(c) * size * size
    with np.errstate(all="ignore"):
        w, Q = np.linalg.eigh(K)
        defect = np.linalg.norm(K - (Q * w[:, None, :]) @ Q.transpose(0, 2, 1), axis=(1, 2))
        turned = np.linalg.norm(Q @ Q.transpose(0, 2, 1) - np.eye(d), axis=(1, 2))
    # each sum above has at most d + 4 terms, and Q is orthogonal to rounding
    rounding = 8 * (d + 4) * UNIT * (terms + np.abs(w).sum(axis=1) * (1 + turned))
    t = w[:, 0]
    shown[known] = t - np.abs(t) * turned - defect - 1.0001 * moved - rounding >= 0
    return shown


def _possible(operator: Operator, form: Form, points: Floats, zero: Floats | None) -> bool:
    """False if the form is negative at one of the points beyond any rounding."""
    if zero is not None:
        return not bool((_against(operator, form, points, points, zero).hi < 0).any())
    assert operator.slopes is not None
    a, b, c = (float(v) for v in form)
    d = points.shape[1]
    lo, hi = (e.reshape(-1, d, d) for e in enclosure(operator.slopes, points, points))
    M = lo / 2 + hi / 2
    T = M.transpose(0, 2, 1)
    K = a * np.eye(d) + b * (M + T) + c * (T @ M)
    K = K[np.isfinite(K).all(axis=(1, 2))]
    room = 1e-12 * (1 + np.abs(K).sum(axis=(1, 2)))
    return bool((np.linalg.eigvalsh(K)[:, 0] >= -room).all())


def _middle(lo: Floats, hi: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        middle = lo / 2 + hi / 2
    right = np.isinf(hi) & np.isfinite(lo)
    left = np.isinf(lo) & np.isfinite(hi)
    middle = np.where(right, np.where(lo < 0, 0.0, 2 * lo + 1), middle)
    middle = np.where(left, np.where(hi > 0, 0.0, 2 * hi - 1), middle)
    return np.where(np.isinf(lo) & np.isinf(hi), 0.0, middle)


def _bisect(lo: Floats, hi: Floats, middle: Floats) -> tuple[Floats, Floats]:
    """Each box cut in two along its longest side; an infinite one counts less the farther out."""
    rows = np.arange(len(lo))
    with np.errstate(over="ignore"):
        width = hi - lo
    end = np.where(np.isinf(hi), np.abs(lo), np.abs(hi))
    side = np.where(np.isinf(width), 4 / (1 + np.where(np.isinf(end), 0, end)), width).argmax(
        axis=1
    )
    cut = middle[rows, side]
    top, bottom = hi.copy(), lo.copy()
    top[rows, side], bottom[rows, side] = cut, cut
    return np.concatenate([lo, bottom]), np.concatenate([top, hi])
