"""Constants of a problem: searched for, and enclosed where its formula or matrix is known.

Every kind of property has one critical constant on a pair of points, the one that makes its form
vanish there; the constant of the operator is the worst of them. A search finds bad pairs, and so
bounds it from one side; a proof over a subdivision of the region bounds it from the other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from opcheck.arguments import asked
from opcheck.engine.budget import FREE, budget, share, uncounted
from opcheck.engine.guard import confirm
from opcheck.errors import OpcheckError
from opcheck.evidence.operators import enclose, growth, polyak
from opcheck.evidence.operators.affine import UNITS, of_matrix, of_sparse_matrix
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.operators.effort import PATIENT, few_calls
from opcheck.evidence.operators.facts import defined
from opcheck.evidence.operators.few_calls import SAME, as_affine, of_few_calls
from opcheck.evidence.operators.normals import two_normals
from opcheck.evidence.operators.pairs import Pair, shown
from opcheck.evidence.operators.search import (
    Found,
    Graph,
    centres,
    met,
    resolved,
    uses_u,
    without_set,
)
from opcheck.evidence.operators.search import search as search_pairs
from opcheck.evidence.operators.slopes import HUGE, steepest
from opcheck.evidence.operators.subject import Given, subject
from opcheck.model.problem import Problem, Region, as_region
from opcheck.model.property import (
    Comonotone,
    Kind,
    Lipschitz,
    Of,
    PLStar,
    StronglyMonotone,
    WeakMinty,
)

Floats = NDArray[np.float64]
KINDS = (Lipschitz, Comonotone, StronglyMonotone, WeakMinty)
OF: tuple[Of, ...] = ("F", "S")
SETTLED = 2.0  # by what factor independent searches for a modulus may differ
ENOUGH = 20_000  # calls for a search that meets what there is, kinks of a millionth too
STEEP = 50.0  # common slopes: beyond it a slope that was met far out may be steeper farther out
NEAR = 3.0  # of what centres are away from 0: what is met farther out may be worse still beyond


@asked
def constants(
    problem: Given,
    *,
    rigorous: bool = False,
    region: Region | float | str | None = None,
    seed: int = 0,
) -> list[Constant]:
    """L, ρ, μ and the weak Minty constant of F, and the moduli of S = F + A where A ≠ 0.

    Where F = ∇f has a potential and A = 0, the constant of PLStar too.

    Args:
        problem: whatever ``subject`` takes: a name, a Problem, an operator, a function, a matrix.
        rigorous: also prove them, which takes a matrix or a formula.
        region: on which they are meant, or r for ‖z‖∞ ≤ r, or a text as ``[.2,2]x[-1,1]``; default
            the problem's region, else the whole space.
        seed: of the search.

    Raises OpcheckError for a region that is empty or of another dimension, and for a rigorous
    request on an operator of which only a kernel is known; and for one that changes meanwhile.
    """
    if isinstance(problem, Problem) and region is not None:
        problem = replace(problem, region=as_region(region, problem.dim))
    else:  # a solution is sought in the region first
        problem = subject(problem, region=region)
    defined(problem)
    operator = problem.operator
    known = operator.slopes is not None or operator.matrix is not None
    if rigorous and not known and operator.sparse_matrix() is None:
        raise OpcheckError(
            f"nothing can be proved of {problem.name!r}: only a kernel of its operator is known; "
            "give it as a matrix (opcheck.linear) or a formula (opcheck.minmax, opcheck.field), or "
            "leave out --rigorous"
        )
    until = budget().until
    few = few_calls(problem, PATIENT if until == FREE else max(until - time.monotonic(), 0.0))
    if few is not None:
        names = OF if problem.constrained else OF[:1]
        graphs = [Graph(problem, of, _on_set(problem), seed) for of in names]
        bounds = of_few_calls(graphs, KINDS, few, seed)
        confirm(problem)
        return bounds
    counted = budget().left < FREE and not known and operator.sparse_matrix() is None
    if counted:
        of_each = _of_few(problem, seed)
    else:
        of_each = _of_all(problem, rigorous, rigorous and known, seed)
    if operator.potential is not None and problem.solution is not None and not problem.constrained:
        of_each.append(_polyak(problem, rigorous, seed))
    of_each = _implied(of_each)
    confirm(problem)
    return of_each


def _implied(constants: list[Constant]) -> list[Constant]:
    """Constants by what they say of each other."""
    for implied in (_by_sum, _by_pairs, _by_solution):
        constants = [implied(c, constants) for c in constants]
    return constants


def _of_few(problem: Problem, seed: int) -> list[Constant]:
    """Constants by fewer calls than a search takes: settled where F is seen to be affine.

    Of any other F what few calls meet may be far from the worst, and no theorem relies on it.
    """
    calls = budget().left
    affine = as_affine(problem, seed)
    if affine is not None:
        points, F = affine
        note = f"of the matrix of F, which is affine at {points} points to rounding"
        with uncounted():
            exact = _implied(_of_all(replace(problem, operator=F), False, False, seed))
        L = next(c.value for c in exact if c.kind is Lipschitz)
        return [_seen(c, L, note) for c in exact]
    searched = _of_all(problem, False, False, seed)
    if calls >= ENOUGH:
        return searched
    left = f"; {calls:.0f} calls are no whole search, and no theorem relies on it"
    return [replace(c, settled=False, note=c.note + left) for c in searched]


def _seen(constant: Constant, L: float, note: str) -> Constant:
    """What is proved of the matrix that F seems to have, as one side of what F has.

    The matrix is known up to a part ``SAME`` of its L, and so are its moduli in units of L or 1/L.
    """
    if constant.provenance != "certified":
        return replace(constant, note=f"{note}; {constant.note}")
    value = constant.value
    unit = L if not uses_u(constant.kind) else 1 / L if L else 0.0
    ends = (-np.inf, value + SAME * unit)
    if constant.kind.better == "smaller":
        ends = (value - SAME * value if np.isfinite(value) else value, np.inf)
    seen = replace(constant, lower=ends[0], upper=ends[1], provenance="estimated")
    return replace(seen, note=f"{note}; {constant.note}")


def _of_all(problem: Problem, rigorous: bool, provable: bool, seed: int) -> list[Constant]:
    """Every constant on its own, and then by the pairs that were met for the others."""
    operator, region = problem.operator, problem.region
    on_set = _on_set(problem)
    set_known = problem.constrained and problem.resolvent.contains is not None
    graphs = {of: Graph(problem, of, on_set, seed) for of in OF}
    if operator.matrix is None and operator.sparse_matrix() is None:
        _ = graphs["F"].bends  # of all calls, not of those for one constant
    constants: list[Constant] = []
    for kind in KINDS:
        if kind.star and (problem.solution is None or problem.constrained):
            continue
        if (matrix := operator.sparse_matrix()) is not None:
            if not kind.star:
                constants.append(of_sparse_matrix(kind, matrix, region))
        elif operator.matrix is not None:
            # on all pairs, against a solution and on a region are one for an affine operator
            before = [
                replace(c, kind=kind) for c in constants if kind.star and c.kind is Comonotone
            ]
            constants.append(before[0] if before else of_matrix(problem, kind, rigorous))
        else:
            with share(len(KINDS) * (1 + problem.constrained) - len(constants)):
                constants.append(_constant(graphs["F"], kind, provable, constants))
            no_L = kind is Lipschitz and constants[-1].lower == np.inf
            if no_L and set_known and not on_set:
                return _of_all(_as_kernel(problem), False, False, seed)
    if problem.resolvent.contains is not None:
        _meet_on_set(graphs["S"], graphs["F"])
    for kind in KINDS[1:] if problem.constrained else []:
        if not kind.star or problem.solution is not None:
            with share(max(2 * len(KINDS) - len(constants), 1)):
                constants.append(_constant(graphs["S"], kind, provable, constants))
    constants = [_with_pairs(c, graphs[c.of]) for c in constants]
    normals = two_normals(problem, seed)
    return [_with_normals(c, normals, problem, constants) for c in constants]


def _on_set(problem: Problem) -> bool:
    """Whether F is looked at on the set of A alone: of a kernel that is what theorems need."""
    known = problem.operator.slopes is not None or problem.operator.matrix is not None
    return problem.constrained and problem.resolvent.contains is not None and not known


def _meet_on_set(of_sum: Graph, of_F: Graph) -> None:
    """Look at the pairs that were met for F in the set, where 0 is a normal, for F + A too."""
    ends = [resolved(of_F.problem, w) for w in (of_F.first, of_F.second)]
    of_sum.meet([Pair(p, q) for p, q in zip(*ends, strict=True)])


def _with_normals(
    constant: Constant, normals: Pair | None, problem: Problem, others: list[Constant]
) -> Constant:
    """A modulus of F + A no larger than normals, or F on the set, leave it."""
    if constant.of != "S" or problem.resolvent.contains is None:
        return constant
    for c in others:
        on_set = c.region is not None and c.region.in_set
        if on_set and (c.kind, c.of) == (constant.kind, "F") and c.upper < constant.upper:
            note = f"{constant.note}; no more than that of F on the set, where 0 is a normal"
            # its pairs are of F, and show nothing of w outside of the set
            constant = replace(constant, upper=c.upper, note=note, settled=c.settled)
    if normals is None or not uses_u(constant.kind) or constant.upper <= 0:
        return constant
    at = shown(resolved(problem, normals.first[None])[0])
    note = f"{constant.note}; not positive, since normals at {at} have no bound"
    pairs = constant.pairs if constant.kind.star else (normals, *constant.pairs)
    return replace(constant, upper=0.0, note=note, pairs=pairs, settled=True)


def _as_kernel(problem: Problem) -> Problem:
    """The same without its formula: where that has no L on the region, the set may have one."""
    operator = replace(problem.operator, derive=None, conditions=())
    return replace(problem, operator=operator)


def _with_pairs(constant: Constant, graph: Graph) -> Constant:
    """A constant made worse by what a search for another kind met."""
    value, pair = met(graph, constant.kind)
    if pair is None or not constant.pairs:
        return constant
    if constant.kind.better == "smaller":
        lower = min(max(constant.lower, value), constant.upper)
        return (
            replace(constant, lower=lower, pairs=(pair, *constant.pairs))
            if lower > constant.lower
            else constant
        )
    upper = max(min(constant.upper, value), constant.lower)
    return (
        replace(constant, upper=upper, pairs=(pair, *constant.pairs))
        if upper < constant.upper
        else constant
    )


def _proved(constant: Constant, lower: float, note: str) -> Constant:
    """A constant of S with a proved lower end, which pairs in floats may miss by rounding."""
    usual = constant.unit if np.isfinite(constant.unit) else 1.0
    # a search may have settled on no value
    upper = constant.upper if constant.upper > -np.inf else np.inf
    upper = max(upper, lower) if upper > lower - UNITS * usual else upper
    return replace(constant, lower=lower, upper=upper, provenance="certified", note=note)


def _by_sum(constant: Constant, others: list[Constant]) -> Constant:
    """What monotone A leaves of F: μ, and ρ = 0 where F is monotone; not a ρ < 0."""
    if constant.of != "S" or constant.kind not in (StronglyMonotone, Comonotone):
        return constant
    for c in others:
        if (c.kind, c.of, c.provenance) != (StronglyMonotone, "F", "certified"):
            continue
        if constant.kind is StronglyMonotone and c.lower > constant.lower:
            lower = min(c.lower, constant.upper) if constant.upper > -np.inf else c.lower
            return _proved(constant, lower, "that of F: A is monotone")
        if constant.kind is Comonotone and c.lower >= 0 > constant.lower:
            return _proved(constant, 0.0, "F and A are monotone")
    if constant.kind is Comonotone:
        why = "ρ < 0 of F says nothing of F + A: a normal that jumps at a corner undoes it"
        return replace(
            constant, note=f"{constant.note}; {why}" if constant.upper < 0 else constant.note
        )
    return constant


def _polyak(problem: Problem, rigorous: bool, seed: int) -> Constant:
    best = polyak.search(problem, seed)
    seen = Constant(
        kind=PLStar,
        of="F",
        lower=-np.inf,
        upper=best,
        provenance="estimated",
        region=problem.region,
        note=polyak.SEARCHED,
    )
    if not rigorous or not best > 0:
        return seen
    if (reason := enclose.singular(problem)) is not None:
        return replace(seen, note=f"{polyak.SEARCHED}; {reason}")
    proved, note = polyak.prove(problem, best)
    if proved is None:
        return replace(seen, note=f"{polyak.SEARCHED}; {note}")
    return replace(seen, lower=proved, provenance="certified", note=note)


def _by_pairs(constant: Constant, others: list[Constant]) -> Constant:
    """What holds on all pairs holds against a solution."""
    if constant.kind is not WeakMinty:
        return constant
    pairs = [c for c in others if c.kind is Comonotone and c.of == constant.of]
    for c in pairs:
        if c.provenance == "certified" and c.lower > constant.lower:
            return _proved(constant, c.lower, "from all pairs")
    return constant


def _by_solution(constant: Constant, others: list[Constant]) -> Constant:
    """What fails against a solution fails on all pairs: it is one of their points."""
    if constant.kind is not Comonotone or constant.provenance == "certified":
        return constant
    for c in others:
        worse = c.upper < constant.upper or (constant.settled and not c.settled)
        if (c.kind, c.of) == (WeakMinty, constant.of) and worse:
            upper = max(min(c.upper, constant.upper), constant.lower)
            note = f"{constant.note}; no more than against the solution"
            note += "" if c.settled else ", where there may be no finite value"
            pairs = (*c.pairs, *constant.pairs)
            settled = constant.settled and c.settled
            spread = max(c.spread, constant.spread)
            return replace(
                constant, upper=upper, note=note, pairs=pairs, settled=settled, spread=spread
            )
    return constant


def _constant(graph: Graph, kind: Kind, rigorous: bool, others: Sequence[Constant]) -> Constant:
    problem, of = graph.problem, graph.of
    smaller = kind.better == "smaller"
    best, how, pairs, spread, unit, settled = _worst(graph, kind, others)
    lower, upper = (best, np.inf) if smaller else (-np.inf, best)
    region = problem.region
    if of == "F" and graph.on_set:
        region = _of_set(region)
    seen = Constant(
        kind=kind,
        of=of,
        lower=lower,
        upper=upper,
        provenance="estimated",
        region=region,
        note=how,
        pairs=pairs,
        spread=spread,
        unit=unit,
        settled=settled,
    )
    endless = rigorous and kind is Lipschitz and of == "F" and best == np.inf
    if endless and (ray := growth.proved(problem)) is not None:
        return replace(seen, provenance="certified", note=ray)
    # where ever worse pairs are met there is nothing near the last of them to be proved
    if not rigorous or not np.isfinite(best) or not settled:
        return seen
    if of == "S" and not kind.star:
        return seen
    proved, note = enclose.constant(problem, kind, best, of)
    if proved is None:
        return replace(seen, note=f"{how}; {note}")
    side = {"upper": proved} if smaller else {"lower": proved}
    return replace(seen, **side, provenance="certified", note=note)  # type: ignore[arg-type]


def _of_set(region: Region | None) -> Region:
    """The part of a region, or of the whole space, that lies in the set of A."""
    if region is None:
        return Region(in_set=True)
    if region.radius is not None:
        return Region(centre=region.centre, radius=region.radius, in_set=True)
    return Region(lower=region.lower, upper=region.upper, in_set=True)


def _worst(
    graph: Graph, kind: Kind, others: Sequence[Constant]
) -> tuple[float, str, tuple[Pair, ...], float, float, bool]:
    """The worst constant found, where it was sought, pairs, spread, unit, and if it settled.

    Where slopes are known they settle it, and independent searches over pairs need not agree.
    """
    problem, of = graph.problem, graph.of
    worst = max if kind.better == "smaller" else min
    near: float | None = None
    smooth: str | None = None
    pairs: tuple[Pair, ...] = ()
    sloped = problem.operator.slopes is not None and not (kind.star and _away(problem))
    if sloped and (of == "F" or _inside(problem, kind)):
        near, pairs = steepest(problem, kind, of, graph.seed)
        graph.meet(pairs)
        smooth = enclose.singular(problem, of)
    far = search_pairs(graph, kind)
    settled, best = _credible(kind, far, others), far.worst
    if near is not None and np.isfinite(near):
        best = worst(near, best)
        settled = settled or abs(best - near) <= 1e-3 * abs(near)  # by slopes
    elif near is not None and near == -_better(kind) * np.inf:
        settled = False  # slopes get worse than any pair that was met
    shows = pairs[-1:] if best != far.worst or far.pair is None else (far.pair,)
    of_same = [c for c in others if (c.kind, c.of) == (Lipschitz, of)]
    no_L = any(c.lower == np.inf or not c.settled for c in of_same)
    steep = kind is Lipschitz and best > STEEP * far.typical > 0
    if (steep or (no_L and best < 0)) and any(_far_out(graph, p) for p in shows):
        settled = False
    pairs = (*([] if far.pair is None else [far.pair]), *pairs)
    note = far.note if near is None else f"{far.note}, and over slopes"
    note += f"; {smooth}" if smooth is not None else ""
    if kind is not Lipschitz and far.pair is not None and np.isfinite(best):
        endless = growth.of_pair(graph, kind, far.pair)
        if endless is not None:
            return -_better(kind) * np.inf, endless, pairs, 0.0, np.inf, True
    if kind is Lipschitz and of == "F":
        looked = problem if graph.projects or not problem.constrained else without_set(problem)
        grows = growth.unbounded(looked, graph.seed)
        for pair in pairs:
            grows = grows or growth.at_pair(looked, pair)
        if grows is not None:
            return np.inf, grows, pairs, 0.0, np.inf, True
    spread = 0.0 if near is not None or not np.isfinite(best) else far.apart
    unit = 1 / far.typical if uses_u(kind) and far.typical else far.typical
    if not settled:
        note += "; independent searches go on to worse pairs, there may be no finite value"
    return best, note, pairs, spread, unit, settled


def _away(problem: Problem) -> bool:
    """Whether the region is away from the solution, whose own slopes then say nothing of it."""
    region, zero = problem.region, problem.solution
    return region is not None and zero is not None and not bool(region.contains(zero))


def _better(kind: Kind) -> int:
    """1 where a larger constant is the stronger statement, else −1."""
    return 1 if kind.better == "larger" else -1


def _credible(kind: Kind, searched: Found, others: Sequence[Constant]) -> bool:
    """Whether a value that was found bounds the constant, or only shows that there is none.

    Where slopes are bounded so is μ; a modulus against ‖Δu‖² counts against a common slope.
    """
    if kind is Lipschitz or not np.isfinite(searched.worst):
        return True
    steepest_known = [c.lower for c in others if c.kind is Lipschitz and c.of == searched.of]
    finite = any(np.isfinite(v) for v in steepest_known)
    if not uses_u(kind):
        return finite or not searched.typical or abs(searched.worst) <= HUGE * searched.typical
    if searched.worst < 0 and searched.blurred:
        return False  # it goes on below what rounding lets one see
    low, _, high = sorted(abs(v) for v in (*searched.spread, searched.worst))
    if searched.worst < 0 and high > SETTLED * low:
        return False  # independent searches would go on to ever worse pairs
    return not searched.typical or abs(searched.worst) * searched.typical <= HUGE


def _far_out(graph: Graph, pair: Pair) -> bool:
    """Whether a pair was met far out, in a region without an end.

    Where slopes grow without end, a modulus that is worst there is what the end of the search, or
    of floats, left of one that goes on to fall.
    """
    region, middle = graph.problem.region, centres(graph.problem)
    ends = [w for w in (pair.first, pair.second) if w is not None]
    away = max(float(np.abs(w - middle).max(axis=1).min()) for w in ends)
    bounded = region is not None and region.bounded
    return not bounded and away > NEAR * (1 + float(np.abs(middle).max()))


def _inside(problem: Problem, kind: Kind) -> bool:
    """Whether A is the normal cone of a box with an inside, where also a star property looks."""
    if problem.resolvent.ends is None:
        return False
    low, high = problem.resolvent.ends
    zero = problem.solution if kind.star else None
    return bool((low < high).all() and (zero is None or ((low < zero) & (zero < high)).all()))
