"""Whether the slopes of F grow without end: towards a point, or far out; seen, and proved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.budget import budget
from opcheck.engine.intervals import derivatives_over, enclosure, values
from opcheck.engine.run import graph_at
from opcheck.evidence.operators.pairs import Pair
from opcheck.evidence.operators.search import Graph, centres
from opcheck.model.problem import Problem
from opcheck.model.property import Kind

Floats = NDArray[np.float64]
DECADES = 12  # scales from 1e-12 to 1e12 about each centre
LAST = 5  # decades at an end through all of which slopes must grow
POWER = 0.15  # least power of the scale that counts as growth
DIRECTIONS = 32
SEEN = "seen, not proved: no finite"
COUPLED = 8  # dimensions up to which second derivatives are looked at
NOISE = 1e-3  # relative; a difference of values that rounding decides to that much is not looked at


def unbounded(problem: Problem, seed: int = 0) -> str | None:
    """How the slopes grow, as ``the slope grows like |z|^2``, or None where they don't seem to.

    Looked at are points at all scales about 0, the solution and the start, in the region.

    Raises OpcheckError for an operator that fails its guards.
    """
    region = problem.region
    scales, directions = _scales(problem, seed)
    for centre in centres(problem):
        first = centre + scales[:, None, None] * directions[0]
        second = centre + scales[:, None, None] * (directions[0] + directions[1] / 4)
        inside = np.ones(first.shape[:2], dtype=bool)
        if region is not None:
            inside = region.contains(first) & region.contains(second)
        slopes = np.full(inside.shape, np.nan)
        slopes[inside] = _slopes(problem, first[inside], second[inside])
        known = ~np.isnan(slopes)
        steep = np.max(slopes, axis=1, initial=-1.0, where=known)
        steep[~known.any(axis=1)] = np.nan
        near = _power(steep[scales <= 1][::-1])
        if near is not None:
            at = ", ".join(f"{v:.6g}" for v in centre[:6])
            return f"{SEEN} L: the slope grows like t^(-{near:.2g}) at distance t from ({at})"
        if problem.region is None and (far := _power(steep[scales >= 1])) is not None:
            return f"{SEEN} L: the slope grows like |z|^{far:.2g}"
        if problem.region is None and _overflows(steep[scales >= 1]):
            return f"{SEEN} L: the slope grows faster than any power of |z|"
    return None


@np.errstate(all="ignore")  # what overflows shows nothing
def proved(problem: Problem) -> str | None:
    """A ray on which the slopes of F are shown to grow without end, or None.

    Where ∂J_ij/∂z_k ≥ δ > 0 on z = c + t e_k for all t ≥ 1, by an enclosure of the second
    derivatives, J_ij(c + t e_k) ≥ J_ij(c + e_k) + δ(t − 1) by the mean value theorem; and so with
    −J_ij and −e_k. For a region that is not the whole space, or without a formula, None.
    """
    operator, d = problem.operator, problem.dim
    if operator.slopes is None or problem.region is not None or d > COUPLED:
        return None
    starts = np.concatenate([centres(problem), np.ones((1, d))])
    c = np.repeat(starts, 2 * d, axis=0)
    ray = np.arange(len(c))
    k, sign = ray % (2 * d) // 2, np.where(ray % 2, -1.0, 1.0)
    lo, hi = c.copy(), c.copy()
    lo[ray, k] = np.where(sign > 0, c[ray, k] + 1, -np.inf)
    hi[ray, k] = np.where(sign > 0, np.inf, c[ray, k] - 1)
    defined = np.ones(len(c), dtype=bool)
    for condition in operator.conditions:
        below, above = (end[:, 0] for end in enclosure(condition.of, lo, hi))
        defined &= (below > 0) | ((above < 0) & (not condition.positive))
    below, above = (end[ray, :, :, k] for end in derivatives_over(operator, 2, lo, hi))
    least = np.maximum(below, -above).max(axis=(1, 2))
    shown = np.flatnonzero(defined & (least > 0))
    if not len(shown):
        return None
    best = shown[least[shown].argmax()]
    point = ", ".join(f"{v:.6g}" for v in c[best])
    axis = ", ".join(f"{sign[best]:.0f}" if i == k[best] else "0" for i in range(d))
    return (
        f"proved: no finite L, a slope changes by at least {least[best]:.2g} a unit on all of "
        f"({point}) + t({axis}), t ≥ 1"
    )


def of_pair(graph: Graph, kind: Kind, pair: Pair) -> str | None:
    """How a constant grows on a pair that is scaled about 0, solution or start; None if it doesn't.

    Growth counts that goes on through LAST decades and to the end of what floats resolve.
    """
    if pair.second is None and not kind.star:
        return None
    worse = 1.0 if kind.better == "smaller" else -1.0
    for centre in centres(graph.problem):
        for sign, shape in ((1, "|z|^{:.2g}"), (-1, "t^(-{:.2g}) at distance t from ({})")):
            scales = 10.0 ** (sign * np.arange(DECADES + 1.0))[:, None]
            ends = [
                centre + scales * (w - centre) for w in (pair.first, pair.second) if w is not None
            ]
            with np.errstate(all="ignore"):
                value = graph.products(ends[0], None if kind.star else ends[1]).badness(kind)
            power = _power(value)
            if power is not None:
                at = ", ".join(f"{v:.6g}" for v in centre[:6])
                grows = "falls" if worse < 0 else "grows"
                return f"{SEEN} {kind.symbol}: it {grows} like {shape.format(power, at)}"
    return None


def scales_about(problem: Problem, seed: int = 0) -> Floats:
    """Points at all scales about 0, the solution and the start, shape (m, d)."""
    scales, directions = _scales(problem, seed)
    steps = scales[:, None, None] * directions[0]
    around = [
        np.concatenate([c[None], (c + steps).reshape(-1, problem.dim)]) for c in centres(problem)
    ]
    return np.concatenate(around)


def _scales(problem: Problem, seed: int) -> tuple[Floats, Floats]:
    # of counted calls a quarter; each direction takes a pair at every scale of a few centres
    count = int(np.clip(budget().left / (4 * 6 * (2 * DECADES + 1)), 2, DIRECTIONS))
    directions = np.random.default_rng(seed).standard_normal((2, count, problem.dim))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    return np.asarray(10.0 ** np.arange(-DECADES, DECADES + 1), dtype=float), directions


def at_pair(problem: Problem, pair: Pair) -> str | None:
    """How the slope grows when a steep pair is halved again and again, or None if it settles.

    A pair that is close already is first taken apart, so that there is something to halve.
    """
    if pair.second is None:
        return None
    p, q = pair.first, pair.second
    centre, away = p / 2 + q / 2, q / 2 - p / 2
    apart = 1e-3 * (1 + float(np.abs(centre).max()))
    if 0 < np.linalg.norm(away) < apart:
        away *= apart / np.linalg.norm(away)
        p, q = centre - away, centre + 1.01 * away  # no jump is to be at every middle
        if problem.region is not None:
            p, q = problem.region.clip(p), problem.region.clip(q)
    slopes: list[float] = []
    while True:
        middle = p / 2 + q / 2
        if (middle == p).all() or (middle == q).all():
            break
        halves = _slopes(problem, np.array([p, middle]), np.array([middle, q]), True)
        if not np.isfinite(halves).any():
            break
        half = int(np.nanargmax(halves))
        slopes.append(float(halves[half]))
        p, q = (p, middle) if half == 0 else (middle, q)
    if len(slopes) < 3 * LAST or not min(slopes[-2 * LAST :]) > 0:
        return None
    powers = np.diff(np.log2(slopes[-2 * LAST :]))
    if not (powers > POWER).all():
        return None
    at = ", ".join(f"{v:.9g}" for v in p[:6])
    return f"{SEEN} L: the slope grows like t^(-{powers.mean():.2g}) at distance t from ({at})"


@np.errstate(all="ignore")
def _slopes(problem: Problem, first: Floats, second: Floats, differences: bool = False) -> Floats:
    """The norm of the Jacobian at each first point, or of a difference quotient of the two."""
    m, formula = len(first), problem.operator.slopes
    if formula is not None and not differences:
        z = graph_at(problem, first)[0] if problem.constrained else first
        return np.asarray(np.linalg.norm(values(formula, z), axis=1))
    z, u, _ = graph_at(problem, np.concatenate([first, second]))
    dx, du = (np.linalg.norm(v[:m] - v[m:], axis=1) for v in (z, u))
    size, length = (np.linalg.norm(v[:m], axis=1) + np.linalg.norm(v[m:], axis=1) for v in (u, z))
    rounded = 16 * np.finfo(float).eps * (size + length * du / dx)
    return np.where((dx > 0) & (rounded <= NOISE * du), du / dx, np.nan)


def _power(steep: Floats) -> float | None:
    """The power with which the last of some decades grow; None unless all of them do."""
    known = steep[np.isfinite(steep) & (steep > 0)][-LAST - 1 :]
    if len(known) <= LAST:
        return None
    powers = np.diff(np.log10(known))
    return float(powers.mean()) if (powers > POWER).all() else None


def _overflows(steep: Floats) -> bool:
    finite = np.isfinite(steep)
    if finite.all() or not finite[0]:
        return False
    last = steep[: int(np.argmin(finite))][-2:]
    return bool(len(last) == 2 and last[1] > 10 * last[0] > 0)
