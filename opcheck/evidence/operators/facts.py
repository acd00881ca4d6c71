"""What is stated of a problem, held against pairs of points before anything rests on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.guard import guard, undefined
from opcheck.engine.intervals import values
from opcheck.engine.run import graph_at
from opcheck.errors import OpcheckError
from opcheck.evidence.operators import polyak
from opcheck.evidence.operators.pairs import Pair, Products, products
from opcheck.evidence.operators.search import critical
from opcheck.model.operator import NO_CONSTRAINT
from opcheck.model.problem import Problem, points
from opcheck.model.property import Fact, Property

Floats = NDArray[np.float64]
CLOSE = 1e-9  # relative; what the digits of a stated constant may be off by
SAMPLED, SLOW = 192, 48  # points at which a stated fact is held; of F that runs interpreted
SLOWEST = 12  # of them those to which such an F is integrated
NEAR = (1.0, 1e-2, 1e-4)  # relative distances of pairs
STARTS, ZOOMS = 2048, 24  # points at which slopes are looked at, and rounds about the worst
DENSE, CURVED = 300, 16  # dimensions up to which that is done, of a matrix and of a formula
RULES, AGREE = (12, 24), 1e-6  # nodes along a segment, and what integrals may differ by, relative
MARGIN = 1e-3  # relative; by how much an integral must refute a stated constant
WORST = 3  # pairs of each fact that are read in balls


@dataclass(frozen=True)
class Contradiction:
    """A stated fact that a pair of points refutes.

    Attributes:
        stated, attained: the constant, and that of the pair; 0 and the form for a kind without one.
        where: the points, and how F was read there.
    """

    fact: Fact
    stated: float
    attained: float
    where: str = ""

    def __str__(self) -> str:
        """One sentence."""
        kind = self.fact.property.kind
        name = kind.name if kind.better is None else f"{kind.name}({self.stated:.6g})"
        symbol = "its form" if kind.better is None or not kind.symbol else kind.symbol
        return (
            f"{name} of {self.fact.property.of} is stated ({self.fact.provenance}), "
            f"but a pair of points has {symbol} = {self.attained:.6g}{self.where}"
        )


def admit(problem: Problem) -> None:
    """Raises OpcheckError where a problem fails its guards, or a sampled pair refutes a fact."""
    defined(problem)
    for fact in problem.facts:
        refuted = against_samples(problem, fact)
        if refuted is not None:
            raise OpcheckError(f"of {problem.name!r} {refuted}")


def defined(problem: Problem) -> None:
    """Raises OpcheckError for a problem that fails its guards, or is not defined everywhere."""
    guard(problem)
    if gap := partial(problem):
        raise OpcheckError(f"{gap}; give a region in which it is (--box, --ball, region=)")


def partial(problem: Problem) -> str:
    """Where F is not defined on the space, the region or the set, in one sentence; "" else."""
    share, example = undefined(problem)
    if not share:
        return ""
    return (
        f"the operator of {problem.name!r} is not defined at {share:.0%} of the points looked at, "
        f"e.g. {example.tolist()}, and statements are about all of the space"
    )


def against_samples(problem: Problem, fact: Fact) -> Contradiction | None:
    """A stated fact against pairs at several scales; None where none refutes it.

    Raises OpcheckError for a problem that fails its guards.
    """
    property = fact.property
    if property.kind.star and problem.solution is None:
        return None
    if property.kind.of_values:
        return _of_values(problem, fact)
    if property.of in ("F", "T") and problem.constrained and not property.kind.star:
        # F is stated on all of the space, and methods take it outside of the set too
        problem = replace(problem, resolvent=NO_CONSTRAINT, solution=None, project=None)
    if not fact.local:
        problem = replace(problem, region=None)
    first, second = _samples(problem)
    pairs = [Pair(w, None) for w in first]
    if not property.kind.star:
        pairs = [Pair(w, v) for w, v in zip(first, second, strict=True)]
    short = _shortfall(problem, property, problem.constant(fact), first, second)
    worst = np.argsort(short)[:WORST]
    met = [pairs[i] for i in worst if short[i] < 0]
    return refuted_by(problem, fact, [*met, *_along_slopes(problem, fact)])


def _along_slopes(problem: Problem, fact: Fact) -> list[Pair]:
    """Pairs on which a form is least by the Jacobian of F, where a matrix or a formula tells it.

    Of an affine F the first decides the fact, up to rounding.
    """
    operator, property, d = problem.operator, fact.property, problem.dim
    if property.of not in ("F", "T") or d > DENSE:
        return []
    a, b, c = (float(v) for v in property.form(problem.constant(fact)))

    def least(jacobians: Floats) -> tuple[Floats, Floats]:
        """The least value of each form on unit vectors, in units of its terms, and where."""
        turned = jacobians.swapaxes(1, 2)
        size = np.linalg.norm(jacobians, axis=(1, 2))[:, None, None]
        terms = abs(a) + 2 * abs(b) * size + abs(c) * size**2
        form = a * np.eye(d) + b * (jacobians + turned) + c * (turned @ jacobians)
        known = np.isfinite(form).all(axis=(1, 2)) & (terms[:, 0, 0] > 0)
        form[~known] = 0.0
        lowest, vectors = np.linalg.eigh(form / np.where(terms > 0, terms, 1.0))
        return np.where(known, lowest[:, 0], np.inf), vectors[:, :, 0]

    slopes = operator.slopes
    with np.errstate(all="ignore"):
        if operator.matrix is not None:
            direction = least(operator.matrix[None])[1]
            centre = np.zeros((1, d)) if problem.solution is None else problem.solution[None]
        elif slopes is None or d > CURVED:
            return []
        elif property.kind.star:
            assert problem.solution is not None
            centre = problem.solution[None]
            direction = least(values(slopes, centre).reshape(-1, d, d))[1]
        else:
            centre, direction = _steepest(
                problem, lambda z: least(values(slopes, z).reshape(-1, d, d))
            )
    region = problem.region
    pairs = []
    for z, w in zip(centre, direction, strict=True):
        size = 1 + float(np.linalg.norm(z))
        for step in NEAR if operator.matrix is None else (1.0,):
            ends = np.array([z + step * size * w, z - step * size * w])
            ends = ends if region is None else region.clip(ends)
            pairs.append(Pair(ends[0], None if property.kind.star else ends[1]))
    return pairs


def _steepest(
    problem: Problem, least: Callable[[Floats], tuple[Floats, Floats]]
) -> tuple[Floats, Floats]:
    """Points at which a form is worst, moved by less and less, and the directions of it."""
    generator, d, region = np.random.default_rng(0), problem.dim, problem.region
    centres = [np.zeros(d), problem.start]
    scale = 10.0 ** generator.uniform(-3, 3, (STARTS, 1))
    spread = scale * generator.standard_normal((STARTS, d))
    z = np.array(centres)[generator.integers(2, size=STARTS)] + spread
    if region is not None:
        z = points(problem, STARTS, generator)
    for zoom in range(ZOOMS):
        z = z[np.argsort(least(z)[0], kind="stable")[:WORST]]
        width = 0.5**zoom * (1 + np.abs(z).max(axis=1, keepdims=True))
        moved = z + width * generator.uniform(-1, 1, (STARTS // 16, *z.shape))
        moved = moved.reshape(-1, d) if region is None else region.clip(moved.reshape(-1, d))
        z = np.concatenate([z, moved])
    value, direction = least(z)
    worst = np.argsort(value, kind="stable")[:WORST]
    return z[worst], direction[worst]


def refuted_by(problem: Problem, fact: Fact, pairs: Sequence[Pair]) -> Contradiction | None:
    """The worst of the pairs on which a fact's form is negative beyond rounding."""
    property, stated = fact.property, problem.constant(fact)
    worst: list[tuple[float, str]] = []
    for pair, of in refuting(problem, property, stated, pairs):
        value = float(of.form(property, stated).mid())
        shown = "" if of.exact else ", with the kernel's values as floats"
        place = f" (at {pair}: form {value:.3g}{shown})"
        if property.of != "T" and property.kind.better is not None and property.kind.symbol:
            dots = (np.array([float(v.mid())]) for v in (of.xx, of.xu, of.uu))
            value = float(critical(property.kind, *dots)[0])
        worst.append((value, place))
    if not worst:
        return None
    sign = -1 if property.kind.better == "smaller" else 1
    value, place = min(worst, key=lambda w: sign * w[0])
    return Contradiction(fact, stated, value, place)


def refuting(
    problem: Problem, property: Property, constant: float, pairs: Sequence[Pair]
) -> list[tuple[Pair, Products]]:
    """The pairs on which a property's form is negative beyond rounding."""
    out = []
    for pair in pairs:
        if property.kind.star and pair.second is not None:
            continue
        of = products(problem, pair, property.of)
        if of is not None and of.refute(property, constant):
            out.append((pair, of))
    return out


def _samples(problem: Problem) -> tuple[Floats, Floats]:
    """Points of the region, or at scales from 1e-3 to 1e3 about 0, start and solution; partners."""
    generator, d = np.random.default_rng(0), problem.dim
    count = SLOW if problem.operator.interpreted else SAMPLED
    centres = [np.zeros(d), problem.start]
    centres += [] if problem.solution is None else [problem.solution]
    scale = 10.0 ** generator.uniform(-3, 3, (count, 1))
    centre = np.array(centres)[generator.integers(len(centres), size=count)]
    first = centre + scale * generator.standard_normal((count, d))
    step = scale * np.array(NEAR)[generator.integers(len(NEAR), size=count)][:, None]
    if problem.region is None:
        return first, first + step * generator.standard_normal((count, d))
    # half of the way between two points of a convex region lies in it
    start, end = points(problem, count, generator), points(problem, count, generator)
    share = step / scale
    return start, start + share * (end - start)


@np.errstate(all="ignore")
def _shortfall(
    problem: Problem, property: Property, constant: float, first: Floats, second: Floats
) -> Floats:
    """The form of each pair in units of its terms, in floats; ∞ where it is no number."""
    z, F, normal = graph_at(
        problem, first if property.kind.star else np.concatenate([first, second])
    )
    u = {"F": F, "T": F, "A": normal}.get(property.of, F + normal)
    m = len(first)
    if property.kind.star:
        assert problem.solution is not None
        dx, du = z - problem.solution, u
    else:
        dx, du = z[:m] - z[m:], u[:m] - u[m:]
    a, b, c = (float(v) for v in property.form(constant))
    xx, xu, uu = ((p * q).sum(axis=1) for p, q in ((dx, dx), (dx, du), (du, du)))
    terms = abs(a) * xx + 2 * abs(b) * np.sqrt(xx * uu) + abs(c) * uu
    short = (a * xx + 2 * b * xu + c * uu) / terms
    return np.where(np.isfinite(short), short, np.inf)


def _of_values(problem: Problem, fact: Fact) -> Contradiction | None:
    """A fact about values of f, F = ∇f, against f where it is known, else against integrals of F.

    Of an F of which only a kernel is known f(z) − f* is an integral along the segment from the
    solution, by two Gauss rules; points at which they differ say nothing.
    """
    if problem.solution is None:
        return None
    stated = problem.constant(fact)
    if problem.operator.potential is not None:
        value, room, how = polyak.search(problem), CLOSE, ""
    else:
        value, how = _by_integrals(problem), " (values of f are integrals of F from the solution)"
        room = MARGIN
    return Contradiction(fact, stated, value, how) if stated - value > room * abs(stated) else None


@np.errstate(all="ignore")
def _by_integrals(problem: Problem) -> float:
    """The least ½‖F z‖²/(f(z) − f*) at sampled points; 0 where f falls below f*; ∞ at none."""
    solution = problem.solution
    assert solution is not None
    problem = replace(problem, resolvent=NO_CONSTRAINT, project=None)
    z = _samples(problem)[0]
    z = z[:SLOWEST] if problem.operator.interpreted else z
    away, (m, d) = z - solution, z.shape
    gaps = []
    for nodes in RULES:
        t, weights = np.polynomial.legendre.leggauss(nodes)
        between = solution + (t[:, None, None] + 1) / 2 * away
        F = graph_at(problem, between.reshape(-1, d))[1].reshape(nodes, m, d)
        gaps.append(np.einsum("k,kmd,md->m", weights / 2, F, away))
    F = graph_at(problem, z)[1]
    size = np.linalg.norm(F, axis=1) * np.linalg.norm(away, axis=1)
    known = np.abs(gaps[1] - gaps[0]) <= AGREE * np.abs(gaps[1])
    known &= np.abs(gaps[1]) > AGREE * size
    if not known.any():
        return np.inf
    if (gaps[1][known] < 0).any():
        return 0.0
    return float(((F * F).sum(axis=1) / 2 / gaps[1])[known].min())
