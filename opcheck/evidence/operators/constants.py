"""Constants of a problem: searched for, and enclosed where its formula or matrix is known.

Every kind of property has one critical constant on a pair of points, the one that makes its form
vanish there; the constant of the operator is the worst of them. A search finds bad pairs, and so
bounds it from one side; a proof over a subdivision of the region bounds it from the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.arguments import asked
from opcheck.engine.budget import FREE, budget, share
from opcheck.engine.guard import confirm
from opcheck.engine.intervals import enclosure, values
from opcheck.engine.numbers import rational
from opcheck.errors import InternalError, OpcheckError
from opcheck.evidence.operators import enclose, growth, polyak
from opcheck.evidence.operators.effort import unaffordable
from opcheck.evidence.operators.facts import defined
from opcheck.evidence.operators.pairs import Pair
from opcheck.evidence.operators.search import (
    Found,
    Graph,
    critical,
    met,
    moved,
    uses_u,
    without_set,
)
from opcheck.evidence.operators.search import search as search_pairs
from opcheck.evidence.operators.subject import Given, subject
from opcheck.model import matrix_facts
from opcheck.model.problem import Problem, Region, as_region
from opcheck.model.problem import points as points_of
from opcheck.model.property import (
    Comonotone,
    Fact,
    Kind,
    Lipschitz,
    Of,
    PLStar,
    Property,
    Provenance,
    StronglyMonotone,
    WeakMinty,
)
from opcheck.model.region import ends_of
from opcheck.model.result import Result

Floats = NDArray[np.float64]
KINDS = (Lipschitz, Comonotone, StronglyMonotone, WeakMinty)
OF: tuple[Of, ...] = ("F", "S")
STARTS, KEPT, ZOOMS = 4096, 24, 80  # of the search over slopes: points, those moved, steps
ELIMINATED = "M + Mᵀ ⪰ 0, block by block, by eliminations in rationals or factorisations"
UNDECIDED = "M + Mᵀ is 0 on some direction to rounding, which leaves its sign open"
UNITS = 2.0**-46  # relative; what rounding leaves between an eigenvector and a proof
HUGE = 1e6  # a value beyond it, in units of a common slope or its inverse, counts as infinite
SETTLED = 2.0  # by what factor independent searches for a modulus may differ
EXACT = 60  # dimensions up to which a matrix is eliminated in rationals


@dataclass(frozen=True)
class Constant(Result):
    """What is known of one constant: it lies in [lower, upper].

    Attributes:
        kind, of: which constant, as ``Comonotone`` of ``S``.
        lower, upper: the enclosure; an infinite end is unknown.
        provenance: ``certified`` where the side that a theorem needs is proved, else ``estimated``.
        region: on which it is meant; None for the whole space.
        note: how it was found, and why no more was.
        pairs: the worst points that the search met; they may refute properties of other kinds.
        spread: how far independent searches differ; 0 where nothing was sought.
        unit: what a search takes as a common size of the constant; infinite where none was made.
        settled: whether searches agree so far that the best they found may be taken for the value.

    Raises OpcheckError where the two sides contradict each other, a fault of opcheck's own.
    """

    kind: Kind
    of: Of
    lower: float
    upper: float
    provenance: Provenance
    region: Region | None
    note: str
    pairs: tuple[Pair, ...] = field(default=(), repr=False, compare=False)
    spread: float = field(default=0.0, repr=False, compare=False)
    unit: float = field(default=np.inf, repr=False, compare=False)
    settled: bool = True

    def __post_init__(self) -> None:
        """A proof and a pair of points can't both be right if they exclude each other."""
        if self.lower > self.upper:
            raise InternalError(
                f"internal error: {self.kind.symbol} of {self.of} is shown to lie in "
                f"[{self.lower!r}, {self.upper!r}], an empty interval; please report the operator"
            )

    @property
    def value(self) -> float:
        """The side that a theorem needs if it is proved, else the best that the search found.

        Infinite where the search did not settle.
        """
        if not self.settled and self.provenance != "certified":
            return np.inf if self.kind.better == "smaller" else -np.inf
        proved, found = (
            (self.upper, self.lower) if self.kind.better == "smaller" else (self.lower, self.upper)
        )
        return proved if self.provenance == "certified" else found

    @property
    def fact(self) -> Fact:
        """The constant as a fact; an estimate is no more than that."""
        note = self.note if self.provenance == "certified" else f"no worse pair found; {self.note}"
        local = self.region is not None
        return Fact(Property(self.kind, self.value, self.of), self.provenance, local, note)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "kind": self.kind.name,
            "symbol": self.kind.symbol,
            "of": self.of,
            "lower": self.lower,
            "upper": self.upper,
            "provenance": self.provenance,
            "region": None if self.region is None else self.region.as_dict(),
            "note": self.note,
        }


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
    if budget().until == FREE and (said := unaffordable(problem, None)):
        raise OpcheckError(said)
    defined(problem)
    operator = problem.operator
    known = operator.slopes is not None or operator.matrix is not None
    if rigorous and not known and operator.sparse_matrix() is None:
        raise OpcheckError(
            f"nothing can be proved of {problem.name!r}: only a kernel of its operator is known; "
            "give it as a matrix (opcheck.linear) or a formula (opcheck.minmax, opcheck.field), or "
            "leave out --rigorous"
        )
    found = _of_all(problem, rigorous, rigorous and known, seed)
    if operator.potential is not None and problem.solution is not None and not problem.constrained:
        found.append(_polyak(problem, rigorous, seed))
    for implied in (_by_sum, _by_pairs):
        found = [implied(c, found) for c in found]
    confirm(problem)
    return found


def _of_all(problem: Problem, rigorous: bool, provable: bool, seed: int) -> list[Constant]:
    """Every constant on its own, and then by the pairs that were met for the others."""
    operator, where = problem.operator, problem.region
    set_known = problem.constrained and problem.resolvent.contains is not None
    # of a kernel with a set, what theorems need: F on the set
    on_set = set_known and operator.slopes is None and operator.matrix is None
    graphs = {of: Graph(problem, of, on_set, seed) for of in OF}
    found: list[Constant] = []
    for kind in KINDS:
        if kind.star and (problem.solution is None or problem.constrained):
            continue
        if (matrix := operator.sparse_matrix()) is not None:
            if not kind.star:
                found.append(_sparse(kind, matrix, where))
        elif operator.matrix is not None:
            # on all pairs, against a solution and on a region are one for an affine operator
            before = [replace(c, kind=kind) for c in found if kind.star and c.kind is Comonotone]
            found.append(before[0] if before else _affine(problem, kind, rigorous))
        else:
            with share(len(KINDS) * (1 + problem.constrained) - len(found)):
                found.append(_constant(graphs["F"], kind, provable, found))
            no_L = kind is Lipschitz and found[-1].lower == np.inf
            if no_L and set_known and not on_set:
                return _of_all(_as_kernel(problem), False, False, seed)
    for kind in KINDS[1:] if problem.constrained else []:
        if not kind.star or problem.solution is not None:
            with share(max(2 * len(KINDS) - len(found), 1)):
                found.append(_constant(graphs["S"], kind, provable, found))
    return [_with_pairs(c, graphs[c.of]) for c in found]


def _as_kernel(problem: Problem) -> Problem:
    """The same without its formula: where that has no L on the region, the set may have one."""
    operator = replace(problem.operator, derive=None, conditions=())
    return replace(problem, operator=operator)


def _with_pairs(one: Constant, graph: Graph) -> Constant:
    """A constant made worse by what a search for another kind met."""
    value, pair = met(graph, one.kind)
    if pair is None or not one.pairs:
        return one
    if one.kind.better == "smaller":
        lower = min(max(one.lower, value), one.upper)
        return replace(one, lower=lower, pairs=(pair, *one.pairs)) if lower > one.lower else one
    upper = max(min(one.upper, value), one.lower)
    return replace(one, upper=upper, pairs=(pair, *one.pairs)) if upper < one.upper else one


def _proved(one: Constant, lower: float, note: str) -> Constant:
    """A constant of S with a proved lower end, which pairs in floats may miss by rounding."""
    usual = one.unit if np.isfinite(one.unit) else 1.0
    upper = one.upper if one.upper > -np.inf else np.inf  # a search that settled on no value
    upper = max(upper, lower) if upper > lower - UNITS * usual else upper
    return replace(one, lower=lower, upper=upper, provenance="certified", note=note)


def _by_sum(one: Constant, others: list[Constant]) -> Constant:
    """What monotone A leaves of F: μ, and ρ = 0 where F is monotone; not a ρ < 0."""
    if one.of != "S" or one.kind not in (StronglyMonotone, Comonotone):
        return one
    for c in others:
        if (c.kind, c.of, c.provenance) != (StronglyMonotone, "F", "certified"):
            continue
        if one.kind is StronglyMonotone and c.lower > one.lower:
            lower = min(c.lower, one.upper) if one.upper > -np.inf else c.lower
            return _proved(one, lower, "that of F: A is monotone")
        if one.kind is Comonotone and c.lower >= 0 > one.lower:
            return _proved(one, 0.0, "F and A are monotone")
    if one.kind is Comonotone:
        why = "ρ < 0 of F says nothing of F + A: a normal that jumps at a corner undoes it"
        return replace(one, note=f"{one.note}; {why}" if one.upper < 0 else one.note)
    return one


def _polyak(problem: Problem, rigorous: bool, seed: int) -> Constant:
    best = polyak.search(problem, seed)
    seen = Constant(PLStar, "F", -np.inf, best, "estimated", problem.region, polyak.SEARCHED)
    if not rigorous or not best > 0:
        return seen
    if (reason := enclose.singular(problem)) is not None:
        return replace(seen, note=f"{polyak.SEARCHED}; {reason}")
    proved, note = polyak.prove(problem, best)
    if proved is None:
        return replace(seen, note=f"{polyak.SEARCHED}; {note}")
    return replace(seen, lower=proved, provenance="certified", note=note)


def _by_pairs(one: Constant, others: list[Constant]) -> Constant:
    """What holds on all pairs holds against a solution."""
    if one.kind is not WeakMinty:
        return one
    pairs = [c for c in others if c.kind is Comonotone and c.of == one.of]
    for c in pairs:
        if c.provenance == "certified" and c.lower > one.lower:
            return _proved(one, c.lower, "from all pairs")
    return one


def _constant(graph: Graph, kind: Kind, rigorous: bool, others: Sequence[Constant]) -> Constant:
    problem, of = graph.problem, graph.of
    smaller = kind.better == "smaller"
    best, found, pairs, spread, unit, settled = _worst(graph, kind, others)
    lower, upper = (best, np.inf) if smaller else (-np.inf, best)
    region = problem.region
    if of == "F" and graph.on_set:
        region = _of_set(region)
    seen = Constant(
        kind, of, lower, upper, "estimated", region, found, pairs, spread, unit, settled
    )
    if not rigorous or not np.isfinite(best):
        return seen
    if of == "S" and not kind.star:
        return seen
    proved, note = enclose.constant(problem, kind, best, of)
    if proved is None:
        return replace(seen, note=f"{found}; {note}")
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
        near, pairs = _steepest(problem, kind, of, graph.seed)
        graph.meet(pairs)
        smooth = enclose.singular(problem, of)
    far = search_pairs(graph, kind)
    settled, best = _credible(kind, far, others), far.worst
    if near is not None and np.isfinite(near):
        best = worst(near, best)
        settled = settled or abs(best - near) <= 1e-3 * abs(near)  # by slopes
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


def _credible(kind: Kind, found: Found, others: Sequence[Constant]) -> bool:
    """Whether a value that was found bounds the constant, or only shows that there is none.

    Where slopes are bounded so is μ; a modulus against ‖Δu‖² counts against a common slope.
    """
    if kind is Lipschitz or not np.isfinite(found.worst):
        return True
    steepest_known = [c.lower for c in others if c.kind is Lipschitz and c.of == found.of]
    finite = any(np.isfinite(v) for v in steepest_known)
    if not uses_u(kind):
        return finite or not found.typical or abs(found.worst) <= HUGE * found.typical
    low, _, high = sorted(abs(v) for v in (*found.spread, found.worst))
    if found.worst < 0 and high > SETTLED * low:
        return False  # independent searches would go on to ever worse pairs
    return not found.typical or abs(found.worst) * found.typical <= HUGE


def _affine(problem: Problem, kind: Kind, rigorous: bool) -> Constant:
    """A constant of F(z) = Mz + q: the pair by an eigenvector, the proof by a factorisation."""
    operator = problem.operator
    assert operator.matrix is not None
    with np.errstate(all="ignore"):
        if operator.entries is not None:
            return _of_size_one(problem, kind, rigorous)
        matrix, power, lost = matrix_facts.of_size_one(operator.matrix)
        scaled = replace(problem, operator=replace(operator, matrix=matrix))
        try:
            if lost and uses_u(kind):
                raise OverflowError("what is lost decides ρ")
            found = _of_size_one(scaled, kind, rigorous)
        except (OverflowError, np.linalg.LinAlgError):
            note = "entries are too far apart for float64"
            return Constant(kind, "F", -np.inf, np.inf, "estimated", problem.region, note)
    lower, upper = found.lower, found.upper
    if lost:  # L and μ move by no more than M does
        lower, upper = np.nextafter(lower - lost, -np.inf), np.nextafter(upper + lost, np.inf)
    power = -power if uses_u(kind) else power
    lower, upper = _times_power(lower, power, -np.inf), _times_power(upper, power, np.inf)
    if lost and kind is StronglyMonotone and lower < 0 and _semidefinite(operator.matrix):
        lower = 0.0
    return replace(found, lower=lower, upper=upper)


def _times_power(bound: float, power: int, outward: float) -> float:
    """bound · 2^power, moved outward where that is no float64."""
    value = float(np.ldexp(bound, power))
    exact = float(np.ldexp(value, -power)) == bound
    return value if exact else float(np.nextafter(value, outward))


def _of_size_one(problem: Problem, kind: Kind, rigorous: bool) -> Constant:
    operator, matrix, region = problem.operator, problem.operator.matrix, problem.region
    assert matrix is not None
    smaller = kind.better == "smaller"
    if not matrix.any() and kind in (Comonotone, WeakMinty):
        return Constant(kind, "F", -np.inf, np.inf, "estimated", region, "M = 0: any value holds")
    w = _worst_direction(kind, matrix)
    exact = operator.entries is None
    semidefinite = kind is not Lipschitz and exact and _semidefinite(matrix)
    # of a large singular M + Mᵀ floats can't tell; what is 0 to rounding is said to be no more
    undecided = kind is not Lipschitz and not semidefinite and len(matrix) > EXACT
    undecided = undecided and _nearly_semidefinite(matrix)
    if w is None:
        if semidefinite:
            return Constant(kind, "F", 0.0, np.inf, "certified", region, ELIMINATED)
        if undecided or (exact and len(matrix) <= EXACT and not _endless(matrix)):
            return Constant(kind, "F", -np.inf, np.inf, "estimated", region, UNDECIDED)
        return Constant(kind, "F", -np.inf, -np.inf, "estimated", region, "M has no EP inverse")
    if not np.isfinite(w).all():
        raise OverflowError("the worst direction leaves float64")
    pairs = (Pair(w, np.zeros(len(w))),)
    best = _of_direction(kind, matrix, w, exact)
    proved, note = None, "an eigenvector"
    if operator.entries is None:
        prove: dict[Kind, Callable[[Floats], float]] = {
            Lipschitz: matrix_facts.lipschitz_above,
            StronglyMonotone: matrix_facts.monotone_below,
            Comonotone: matrix_facts.comonotone_below,
        }
        try:
            proved, note = prove[kind](matrix), matrix_facts.NOTE
        except (OpcheckError, np.linalg.LinAlgError):
            note = "an eigenvector; too badly conditioned, or singular, for a proof"
    elif rigorous:
        proved, note = enclose.constant(problem, kind, best)
    if semidefinite and (proved is None or proved < 0):
        proved, note = 0.0, ELIMINATED
    lower, upper = (best, np.inf) if smaller else (-np.inf, best)
    if undecided and kind is StronglyMonotone:
        return Constant(kind, "F", lower, max(upper, 0.0), "estimated", region, UNDECIDED, pairs)
    if proved is None:
        return Constant(kind, "F", lower, upper, "estimated", region, note, pairs)
    if abs(best - proved) <= UNITS * abs(proved):
        best = proved  # the pair decides a last unit
    lower, upper = (best, proved) if smaller else (proved, best)
    return Constant(kind, "F", lower, upper, "certified", region, note, pairs)


def _of_direction(kind: Kind, matrix: Floats, w: Floats, floats: bool) -> float:
    """The critical constant of Mw against w: exact where a small M is its floats."""
    if floats and len(w) <= EXACT:
        from flint import fmpq_mat

        def exact(values: Floats) -> Any:
            rows, columns = values.shape
            return fmpq_mat(rows, columns, [rational(float(v)) for v in values.ravel()])

        x = exact(w[:, None])
        u = exact(matrix) * x
        dots = [(p.transpose() * q)[0, 0] for p, q in ((x, x), (x, u), (u, u))]
        scale = dots[0]
        if dots[2] == 0:
            return 0.0 if kind in (Lipschitz, StronglyMonotone) else np.inf
        b, c = (Fraction(int(v.p), int(v.q)) for v in (dots[1] / scale, dots[2] / scale))
        # the float nearest to each ratio: within a few units of the exact constant
        if kind is Lipschitz:
            return float(np.sqrt(float(c)))
        return float(b) if kind is StronglyMonotone else float(b / c)
    du = matrix @ w
    size = np.linalg.norm(w)
    dots = [np.array([float(p @ q)]) for p, q in ((w, w), (w, du), (du, du))]
    best = float(critical(kind, *dots)[0])
    lost = 64 * len(w) * np.finfo(float).eps
    terms = float(np.linalg.norm(np.abs(matrix) @ np.abs(w)))
    steep = float(np.sqrt(dots[2][0])) / size
    lost *= abs(best) + (
        terms / size if kind in (Lipschitz, StronglyMonotone) else terms / (size * steep**2)
    )
    return best + (-lost if kind.better == "smaller" else lost)


def _endless(matrix: Floats) -> bool:
    """Whether M sends to 0 what Mᵀ doesn't, in rationals: then ρ = −∞."""
    from flint import fmpq_mat

    rows = [[rational(float(v)) for v in row] for row in matrix]
    columns = [list(column) for column in zip(*rows, strict=True)]
    d = len(rows)
    own = fmpq_mat(d, d, [v for row in rows for v in row])
    both = fmpq_mat(2 * d, d, [v for row in (*rows, *columns) for v in row])
    return bool(own.rank() < both.rank())


def _nearly_semidefinite(matrix: Floats) -> bool:
    """Whether the least eigenvalue of M + Mᵀ is 0 to rounding."""
    least = float(np.linalg.eigvalsh(matrix + matrix.T)[0])
    room = 64 * len(matrix) * float(np.finfo(float).eps)
    return bool(abs(least) <= room * np.linalg.norm(matrix, 2))


def _semidefinite(matrix: Floats) -> bool:
    """Whether M + Mᵀ ⪰ 0 is shown, also where it is singular: block by block of what is coupled.

    A small block by an elimination in rationals, a large one by its diagonal, which outweighs the
    rest of each row, or by a factorisation, which needs it to be definite.
    """
    from scipy.sparse.csgraph import connected_components

    twice = matrix + matrix.T  # an entry is 0 only where the two cancel
    if (np.diag(twice) < 0).any():
        return False
    count, label = connected_components(twice != 0, directed=False)
    sizes = np.bincount(label, minlength=count)
    for k in np.flatnonzero(sizes > 1):
        inside = np.flatnonzero(label == k)
        block = matrix[np.ix_(inside, inside)]
        if len(block) <= EXACT:
            shown = _eliminated(block)
        else:
            shown = _dominant(block)
            if not shown:
                try:
                    shown = matrix_facts.monotone_below(block) >= 0
                except (OpcheckError, np.linalg.LinAlgError):
                    shown = False
        if not shown:
            return False
    return True


def _dominant(matrix: Floats) -> bool:
    """Whether each diagonal entry of M + Mᵀ is at least the sum of the others' absolute values."""
    signs = np.sign(matrix + matrix.T)
    np.fill_diagonal(signs, -1.0)
    # a correctly rounded sum has the right sign
    terms = np.concatenate([-signs * matrix, -signs * matrix.T], axis=1)
    return all(math.fsum(row) >= 0 for row in terms)


def _eliminated(matrix: Floats) -> bool:
    """Whether M + Mᵀ ⪰ 0, by an elimination LDLᵀ in rationals."""
    d = len(matrix)
    exact = [[rational(float(v)) for v in row] for row in matrix]
    K = [[exact[i][j] + exact[j][i] for j in range(d)] for i in range(d)]
    for k in range(d):
        pivot = K[k][k]
        if pivot < 0:
            return False
        if pivot == 0:
            if any(K[k][j] != 0 for j in range(k + 1, d)):
                return False
            continue
        for i in range(k + 1, d):
            if K[k][i] != 0:
                factor = K[k][i] / pivot
                for j in range(i, d):
                    K[i][j] -= factor * K[k][j]
    return True


def _sparse(kind: Kind, matrix: Any, region: Region | None) -> Constant:
    """Bounds by norms and Gershgorin discs, in one pass over the entries; no search."""
    L, mu = matrix_facts.sparse_bounds(matrix)
    note = "norms and Gershgorin discs"
    if kind is Lipschitz:
        columns = np.sqrt((matrix.power(2)).sum(axis=0).max())  # ‖M e_i‖ of the longest column
        return Constant(kind, "F", float(columns) * (1 - 1e-12), L, "certified", region, note)
    top = float(matrix.diagonal().min())  # ⟨M e_i, e_i⟩
    if kind is StronglyMonotone:
        return Constant(kind, "F", mu, max(mu, top), "certified", region, note)
    # ⟨Mx, x⟩ ≥ μ‖x‖² ≥ (μ/L²)‖Mx‖² for μ ≥ 0
    low = mu / L**2 * (1 - 1e-12) if mu > 0 else 0.0 if mu == 0 else -np.inf
    grade: Provenance = "certified" if np.isfinite(low) else "estimated"
    return Constant(kind, "F", low, np.inf, grade, region, note)


def _worst_direction(kind: Kind, matrix: Floats) -> Floats | None:
    """The Δx on which the form of an affine operator is worst; None where there is no bound."""
    if kind is Lipschitz:
        return np.asarray(np.linalg.eigh(matrix.T @ matrix)[1][:, -1])
    if kind is StronglyMonotone:
        return np.asarray(np.linalg.eigh((matrix + matrix.T) / 2)[1][:, 0])
    if np.linalg.cond(matrix, 1) < 1e12:
        inverse = np.linalg.inv(matrix)
        w = inverse @ np.linalg.eigh(inverse + inverse.T)[1][:, 0]
        return np.asarray(w / np.linalg.norm(w))
    U, s, V = np.linalg.svd(matrix)
    rank = int((s > s[0] * len(s) * np.finfo(float).eps * 8).sum())
    gap = np.linalg.norm(U[:, rank:].T @ V[:rank].T)
    if gap > 1e-9:
        return None  # a direction that M sends to 0 is not orthogonal to its range
    inverse = (V[:rank].T / s[:rank]) @ U[:, :rank].T
    basis = U[:, :rank]
    inner = basis.T @ (inverse + inverse.T) @ basis / 2
    w = inverse @ (basis @ np.linalg.eigh(inner)[1][:, 0])
    return np.asarray(w / np.linalg.norm(w))


def steepest(problem: Problem, kind: Kind, of: Of = "F", seed: int = 0) -> float:
    """The value of ``_steepest`` alone."""
    return _steepest(problem, kind, of, seed)[0]


def _steepest(problem: Problem, kind: Kind, of: Of, seed: int) -> tuple[float, tuple[Pair, ...]]:
    """The worst critical constant of the slopes in the region: of pairs infinitely close.

    Points spread over the region are tried; the worst are moved at random, by less and less.
    Against a solution only its own slopes count. For S = F + A, A the normal cone of a box, these
    are the slopes of F in the box, where a normal is 0.

    Returns:
        The value, rounded away from what it could overstate, ±∞ where no bound seems to exist; and
        pairs about the point, along its worst direction.

    Raises OpcheckError where no formula for the slopes is known.
    """
    slopes = problem.operator.slopes
    if slopes is None:
        raise OpcheckError("no formula for the slopes is known")
    d, worse = problem.dim, 1.0 if kind.better == "smaller" else -1.0
    low, high = ends_of(problem.region, d)
    if of == "S" and problem.resolvent.ends is not None:
        low, high = (
            np.maximum(low, problem.resolvent.ends[0]),
            np.minimum(high, problem.resolvent.ends[1]),
        )

    def value(points: Floats) -> Floats:
        matrices = values(slopes, points).reshape(-1, d, d)
        finite = np.isfinite(matrices).all(axis=(1, 2))
        matrices[~finite] = 0.0
        found = _on_slopes(kind, matrices, np.zeros_like(matrices))
        return np.where(finite, worse * found, -np.inf)

    if kind.star:
        assert problem.solution is not None
        best = problem.solution
        typical = values(slopes, best[None])
    else:
        generator = np.random.default_rng(seed)
        at = points_of(problem, STARTS, generator)
        typical = values(slopes, at)
        end = np.where(generator.uniform(size=at.shape) < 0.5, low, high)
        corner = generator.uniform(size=at.shape) < 0.25  # on faces, edges and at corners
        at = np.clip(np.where(corner & np.isfinite(end), end, at), low, high)
        at = at if problem.region is None else problem.region.clip(at)
        got = value(at)
        kept = np.argsort(-got, kind="stable")[:KEPT]
        at, got = at[kept], got[kept]
        width = (high - low) / 2
        size = np.where(np.isfinite(width), width, 1 + np.abs(at).max(axis=1, keepdims=True))
        for zoom in range(ZOOMS):
            step = size * 0.75**zoom * generator.uniform(-1, 1, (8, *at.shape))
            tried = np.clip(at + step, low, high)
            tried = tried if problem.region is None else problem.region.clip(tried)
            new = value(tried.reshape(-1, d)).reshape(8, -1)
            first, rows = new.argmax(axis=0), np.arange(len(at))
            better = new[first, rows] > got
            at[better], got[better] = tried[first, rows][better], new[first, rows][better]
        best = at[got.argmax()]
        # a slope that is steep at one scale about a centre only
        fine = growth.scales_about(problem, seed)
        fine = fine[((low <= fine) & (fine <= high)).all(axis=1)]
        if len(fine) and (there := value(fine)).max() > got.max():
            best = fine[there.argmax()]
    below, above = (e.reshape(1, d, d) for e in enclosure(slopes, best[None], best[None]))
    middle = below / 2 + above / 2
    top = float(worse * _on_slopes(kind, middle, above - below)[0])
    top = max(top, 0.0) if kind is Lipschitz else top
    if not abs(top) <= HUGE * _unit(kind, np.linalg.norm(typical, axis=1)):
        top = np.inf
    if not np.isfinite(middle).all():
        return worse * top, ()
    w = _directions(kind, middle)[0]
    steps = (1 + np.abs(best).max()) * np.array([1e-2, 1e-4, 1e-6])
    pairs = tuple(
        Pair(np.clip(best + t * w, low, high), np.clip(best - t * w, low, high)) for t in steps
    )
    if kind.star:
        pairs = tuple(Pair(pair.first, None) for pair in pairs)
    return worse * top, pairs


def _unit(kind: Kind, slopes: Floats) -> float:
    """What a constant is measured in: a common slope, its inverse for a modulus against ‖Δu‖²;
    ∞ for L, which is finite unless it grows."""
    slopes = slopes[np.isfinite(slopes) & (slopes > 0)]
    if kind is Lipschitz or not len(slopes):
        return np.inf if kind is Lipschitz else 1.0
    unit = float(np.median(slopes))
    return 1 / unit if kind.form(1)[0] == 0 and kind.form(1)[2] != 0 else unit


def _inside(problem: Problem, kind: Kind) -> bool:
    """Whether A is the normal cone of a box with an inside, where also a star property looks."""
    if problem.resolvent.ends is None:
        return False
    low, high = problem.resolvent.ends
    zero = problem.solution if kind.star else None
    return bool((low < high).all() and (zero is None or ((low < zero) & (zero < high)).all()))


@np.errstate(all="ignore")
def _directions(kind: Kind, matrices: Floats) -> Floats:
    """The direction on which the form of each matrix is worst, shape (m, d)."""
    if kind is Lipschitz:
        return np.asarray(np.linalg.eigh(matrices.transpose(0, 2, 1) @ matrices)[1][:, :, -1])
    if kind is StronglyMonotone:
        return np.asarray(np.linalg.eigh(matrices + matrices.transpose(0, 2, 1))[1][:, :, 0])
    # w = M⁻¹u for the u on which M⁻¹ is least; a singular M is seen as one that is nearly so
    size = np.linalg.norm(matrices, axis=(1, 2))[:, None, None]
    size = np.where(np.isfinite(size) & (size > 0), size, 1.0)
    eye = np.eye(matrices.shape[1])
    nearly = matrices / size + 1e-300 * eye
    singular = np.linalg.det(nearly) == 0
    nearly[singular] += 1e-9 * eye
    inverse = np.linalg.inv(nearly)
    u = np.linalg.eigh(inverse + inverse.transpose(0, 2, 1))[1][:, :, 0]
    w = np.einsum("mij,mj->mi", inverse, u)
    return np.asarray(w / np.linalg.norm(w, axis=1, keepdims=True))


@np.errstate(all="ignore")
def _on_slopes(kind: Kind, matrices: Floats, width: Floats) -> Floats:
    """The critical constant of each matrix on its worst direction, less what rounding may add."""
    worse = 1.0 if kind.better == "smaller" else -1.0
    w = _directions(kind, matrices)
    du = np.einsum("mij,mj->mi", matrices, w)
    xx, xu, uu = ((p * q).sum(axis=1) for p, q in ((w, w), (w, du), (du, du)))
    found = critical(kind, xx, xu, uu)
    size = np.linalg.norm(matrices, axis=(1, 2))
    lost = 16 * matrices.shape[1] * np.finfo(float).eps * size + np.linalg.norm(width, axis=(1, 2))
    lost = moved(lost, found, xx, uu, uses_u(kind))
    return np.asarray(np.where(np.isnan(found), -worse * np.inf, found - worse * lost))


def search(problem: Problem, kind: Kind, of: Of = "F", seed: int = 0) -> float:
    """The worst constant that a search over pairs finds; ±∞ where no bound seems to exist.

    Raises OpcheckError for an operator that fails its guards.
    """
    on_set = problem.operator.slopes is None and problem.resolvent.contains is not None
    found = search_pairs(Graph(problem, of, on_set and problem.constrained, seed), kind)
    return found.worst if _credible(kind, found, ()) else -_better(kind) * np.inf
