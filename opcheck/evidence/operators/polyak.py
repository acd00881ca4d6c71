"""The constant μ of PLStar: ½‖F z‖² ≥ μ(f(z) − f*) for F = ∇f, f* the value at the solution.

A search over points bounds it from above. A proof on a box subdivides it: away from the solution
z* the difference of the two sides is enclosed by the mean value theorem, its gradient being
(∇F − μI)F. Near z* both sides vanish to second order; there ∇F ⪰ μI between z and z* decides,
since f* ≥ f(z) + ⟨F z, z* − z⟩ + ½μ‖z* − z‖² ≥ f(z) − ‖F z‖²/(2μ).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.intervals import Intervals, enclosure, values
from opcheck.engine.numbers import Ball, ball_arithmetic, rational
from opcheck.engine.run import graph_at
from opcheck.errors import OpcheckError
from opcheck.evidence.operators import boxes, enclose
from opcheck.evidence.operators.branch_and_bound import cover, middles
from opcheck.evidence.operators.climb import Pace, Points, climb
from opcheck.model import matrix_facts
from opcheck.model.operator import Operator
from opcheck.model.problem import Problem, Region
from opcheck.model.property import StronglyMonotone

Floats = NDArray[np.float64]
RUNS, ROUNDS = 64, 400  # of the search: independent runs, steps of each
SEARCHED = f"search over points, {RUNS} runs of {ROUNDS} steps"
CANCELLED = 1e-6  # least f(z) − f* in units of both: nearer, the difference rounds
SLACK = (0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)  # relative, tried in turn
BOXES = 60_000  # that all attempts may look at


def search(problem: Problem, seed: int = 0) -> float:
    """The least ½‖F z‖²/(f(z) − f*) found, rounded up; 0 where f falls below f*.

    Args:
        problem: with a potential and a solution; points are taken from its region, else about the
            solution at several scales.

    Raises OpcheckError for an operator that fails its guards.
    """
    assert problem.operator.potential is not None
    assert problem.solution is not None
    generator = np.random.default_rng(seed)
    region = problem.region
    potential = problem.operator.potential
    at_solution = float(values(potential, problem.solution[None])[0, 0])
    lowest = at_solution

    @np.errstate(all="ignore")  # a point at which f overflows counts for nothing
    def ratio(z: Floats) -> Floats:
        nonlocal lowest
        z = z if region is None else region.clip(z)
        f = values(potential, z)[:, 0]
        lowest = min(lowest, float(np.nanmin(f)))
        F = graph_at(problem, z)[1]
        gap, both = f - at_solution, np.abs(f) + abs(at_solution)
        quotient = (F * F).sum(axis=1) / 2 / gap
        return np.where((gap > CANCELLED * both) & np.isfinite(quotient), quotient, np.inf)

    scale = 10 * (1 + float(np.abs(problem.solution).max()))
    scale = scale if region is None else min(region.size, scale)
    size = scale * 10.0 ** generator.uniform(-3, 0, (RUNS, 1))
    start = problem.solution + size * generator.standard_normal((RUNS, problem.dim))

    def propose(points: Points, step: Floats) -> Points:
        (z,) = points
        return ((z + step[:, None] * generator.standard_normal(z.shape))[None],)

    best = -climb(
        lambda z: -ratio(z),
        propose,
        (start,),
        step=size[:, 0],
        pace=Pace(shrink=0.9, least=1e-9 * scale, again=0.1 * scale, jump=True),
        rounds=ROUNDS,
    )[1]
    if lowest < at_solution - CANCELLED * (1 + abs(at_solution)):
        return 0.0  # the solution is no minimum
    return float(best.min()) * (1 + 64 * np.finfo(float).eps / CANCELLED)


def prove(problem: Problem, best: float) -> tuple[float | None, str]:
    """A proved μ close to the best that a search found in the region, or None and the reason.

    Of a ball the bounding box is subdivided.

    Args:
        best: from ``search``.

    Raises OpcheckError for an operator that has no enclosure.
    """
    operator, zero = problem.operator, problem.solution
    assert zero is not None
    if operator.matrix is not None:
        # for F(z) = Mz + q with M ⪰ μI the two sides differ by ½⟨M(M − μI)d, d⟩
        try:
            mu = matrix_facts.monotone_below(operator.matrix)
        except (OpcheckError, np.linalg.LinAlgError):
            mu = 0.0
        return (mu, matrix_facts.NOTE) if mu > 0 else (None, "M is singular")
    region = problem.region
    if region is None or not region.bounded:
        return None, "a proof needs a bounded region"
    if not _is_zero(operator, zero) or not region.contains(zero):
        return None, "the solution is not known exactly in the region"
    proved, note, left = None, f"not proved on {BOXES} boxes", BOXES
    for slack in SLACK:
        mu = best * (1 - slack)
        done, looked = on_box(operator, mu, zero, region, left)
        left -= looked
        if not done:
            break
        proved, note = mu, f"the two sides enclosed on {looked} boxes"
    return proved, note


def _is_zero(operator: Operator, z: Floats) -> bool:
    """Whether F vanishes at a float point exactly."""
    out = np.empty(operator.dim, dtype=object)
    at = np.array([Ball(rational(v)) for v in z.tolist()], dtype=object)
    operator.kernel(at, out, operator.data_in(ball_arithmetic(), lambda v: rational(float(v))))
    return all(Ball(v).ball == 0 for v in out)


def on_box(
    operator: Operator, mu: float, zero: Floats, region: Region, most: int = BOXES
) -> tuple[bool, int]:
    """Whether PLStar(mu) is shown on a region's box against an exact zero, and on how many boxes.

    Raises OpcheckError for an operator that has no enclosure.
    """

    def test(lo: Floats, hi: Floats) -> tuple[NDArray[np.bool_], Floats]:
        shown = _far(operator, mu, zero, lo=lo, hi=hi, middle=middles(lo, hi)).lo >= 0
        shown[~shown] = _near(operator, mu, zero, lo[~shown], hi[~shown])
        return shown, np.full_like(lo, np.inf)  # cut by width

    lo, hi = (end[None] for end in region.ends(operator.dim))
    result = cover(test, lo, hi, most)
    return result.shown is True, result.looked


def _far(
    operator: Operator, mu: float, zero: Floats, lo: Floats, hi: Floats, middle: Floats
) -> Intervals:
    """½‖F z‖² − μ(f(z) − f*) over boxes, by the mean value theorem."""
    assert operator.slopes is not None
    assert operator.potential is not None
    d, half, m = operator.dim, boxes.point(0.5), boxes.point(mu)
    at_zero = Intervals(*(e[0, 0] for e in enclosure(operator.potential, zero[None], zero[None])))
    here = Intervals(*(e[:, 0] for e in enclosure(operator.potential, middle, middle)))
    value = m * (at_zero - here)
    F, slopes = (
        boxes.split(*enclosure(operator, lo, hi)),
        boxes.split(*enclosure(operator.slopes, lo, hi)),
    )
    for u in boxes.split(*enclosure(operator, middle, middle)):
        value = value + half * u**2
    for i in range(d):
        pulled = -(m * F[i])
        for j in range(d):
            pulled = pulled + slopes[j * d + i] * F[j]
        step = Intervals(lo[:, i], hi[:, i]) - Intervals(middle[:, i], middle[:, i])
        value = value + pulled * step
    return value


def _near(operator: Operator, mu: float, zero: Floats, lo: Floats, hi: Floats) -> NDArray[np.bool_]:
    """Whether ∇F ⪰ μI is shown between each box and the zero."""
    assert operator.slopes is not None
    shape = (-1, operator.dim, operator.dim)
    hull = enclosure(operator.slopes, np.minimum(lo, zero), np.maximum(hi, zero))
    form = StronglyMonotone.form(mu)
    return enclose.nonnegative(form, *(e.reshape(shape) for e in hull))
