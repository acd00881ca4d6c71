"""Which method of the library, or which deviation from one, an optimiser's steps are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.optimize

from opcheck import registry
from opcheck.adapters.game import Observed
from opcheck.adapters.variants import Variant, deviations, right
from opcheck.model.method import Method, Over, resolve
from opcheck.model.operator import Vector

Values = Mapping[str, Any]
SAME = 1e-12  # relative to the farthest point so far; what counts as the same step
LIKE = 1e-9  # what is worth a closer look
FITTED = 10  # steps to which numbers are fitted
BRIEF = 2  # steps that must fit before more are tried
FITS = 1e-7  # what is left of a fit that is one
TRIES = 100  # evaluations of a fit
LONGEST = 12  # steps between two synchronisations that are tried
NEAREST = 6  # methods whose deviations are fitted
STARTS = 2  # from which numbers are fitted
ASSIGNMENTS = 64  # of the optimiser's numbers to a method's parameters
IMPLICIT = 5  # evaluations a step from which a method may stand behind that takes resolvents


@dataclass(frozen=True)
class Candidate:
    """A method that may be meant, and the parts of one over another.

    Attributes:
        known: guesses of its numbers that were made before, of one optimiser.
    """

    method: Method
    over: Over | None = None
    base: Method | None = None
    known: dict[bool, list[dict[str, Any]]] = field(default_factory=dict, compare=False)

    def right(self) -> list[Variant]:
        """What is right."""
        return right(self.method)

    def deviations(self) -> list[Variant]:
        """What is not, by one thing."""
        return deviations(self.method, self.over, self.base)


@dataclass(frozen=True)
class Match:
    """A variant with numbers, and how far its steps are those that were seen.

    Attributes:
        agrees: steps before the first that differs.
        distance: the largest difference of a point, relative, over the steps compared.
    """

    variant: Variant
    values: Values
    agrees: int
    distance: float

    @property
    def plain(self) -> tuple[int, int, int, int, str]:
        """By what it is preferred where several do the same: few changes, numbers and rows."""
        method = self.variant.method
        name = method.name
        numbers = sum(1 + p.sequence for p in method.parameters)
        sizes = len(method.rows), len(name)
        return (numbers, self.variant.rank, *sizes, name)


def differences(variant: Variant, values: Values, seen: Observed) -> Iterator[tuple[float, Vector]]:
    """Of each step: how far the point is from the one seen, relative, and the variant's point."""
    problem = seen.problem
    J = problem.resolvent if problem.constrained else None
    z0 = seen.points[0]
    scale = max(1.0, float(np.abs(z0).max()))
    points = variant.points(values, problem.operator, J, z0)
    with np.errstate(all="ignore"):
        for z, observed in zip(points, seen.points[1:], strict=False):
            scale = max(scale, float(np.abs(observed).max()))
            miss = float(np.abs(z - observed).max()) / scale
            yield (miss if miss == miss else np.inf), z


def compared(
    variant: Variant, values: Values, seen: Observed, steps: int = 0, tolerance: float = SAME
) -> Match:
    """The variant's steps against those seen; it ends at the first that differs.

    Args:
        steps: how many; 0 for all.
        tolerance: what differs more, differs.
    """
    worst, agrees = 0.0, 0
    for miss, _ in itertools.islice(differences(variant, values, seen), steps or None):
        worst = max(worst, miss)
        if miss > tolerance:
            break
        agrees += 1
    return Match(variant, values, agrees, worst)


def candidates(seen: Observed, named: str = "") -> list[Candidate]:
    """The methods that may be meant: the one named, or all that evaluate F as often a step."""
    if named:
        return [_of_name(named)]
    plain = [
        Candidate(entry)
        for entry in (registry.get("methods", n) for n in registry.names("methods"))
        if isinstance(entry, Method)
    ]
    overs = [
        entry
        for entry in (registry.get("methods", n) for n in registry.names("methods"))
        if isinstance(entry, Over)
    ]
    over = [
        Candidate(over(c.method), over, c.method)
        for over in overs
        for c in plain
        if c.method.calls != "0"
    ]
    constrained = seen.problem.constrained
    fitting = [
        c
        for c in [*plain, *over]
        if _as_often(c.method, _each(seen)) and (c.method.constrained or not constrained)
    ]
    return fitting or [c for c in [*plain, *over] if c.method.constrained or not constrained]


def _of_name(name: str) -> Candidate:
    method = resolve(name)
    outer, bracket, rest = name.partition("(")
    if not bracket:
        return Candidate(method)
    over: Over = registry.get("methods", outer.strip())
    return Candidate(method, over, resolve(rest[:-1].strip()))


def _each(seen: Observed) -> int:
    """Evaluations that most steps make."""
    return int(np.median(seen.calls)) if seen.calls.size else 0


def _as_often(method: Method, calls: int) -> bool:
    if method.calls == "0":
        return calls >= IMPLICIT
    return method.calls == str(calls) or not method.calls.isdigit()


def guesses(method: Method, pool: Mapping[str, float], seen: Observed) -> list[dict[str, Any]]:
    """Numbers for a method's parameters, from those that an optimiser shows.

    The first parameter is the step γ, for which one named ``lr`` is taken, or the length of the
    first step; a count that is the number of evaluations is that. Empty where a count is not known.
    """
    each, step = _each(seen), _snapped(_first_step(seen), pool)
    rates = [v for n, v in pool.items() if n.rpartition(".")[2] == "lr"]
    others = [v for n, v in pool.items() if n.rpartition(".")[2] != "lr"]
    shares = list(dict.fromkeys([*(v for v in others if 0 < abs(v) < 10), 0.0, *rates]))
    counts = list(dict.fromkeys(int(v) for v in pool.values() if v == int(v) and 2 <= v <= 1000))
    options: list[list[Any]] = []
    for i, p in enumerate(method.parameters):
        if p.integer:
            inner = next(q for q in method.parameters if q.symbol == p.symbol)
            counted = p is inner and p.symbol in method.calls.split()
            options.append([max(each, 1)] if counted else counts)
        elif i == 0:
            options.append(list(dict.fromkeys(rates or [step, step / 2])))
        else:
            options.append(shares if len(shares) > 2 else [*shares, 0.5])
    names = [p.name for p in method.parameters]
    combinations = itertools.islice(itertools.product(*options), ASSIGNMENTS)
    return [dict(zip(names, values, strict=True)) for values in combinations]


def _first_step(seen: Observed) -> float:
    """The length of the first step in units of F."""
    z0 = seen.points[0]
    slope = float(np.linalg.norm(seen.problem.operator(z0)))
    return float(np.linalg.norm(seen.points[1] - z0)) / slope if slope else 1.0


def matches(
    several: Iterable[Candidate],
    pool: Mapping[str, float],
    seen: Observed,
    *,
    wrong: bool,
    fit: bool,
) -> Iterator[Match]:
    """Variants whose first steps are those seen, with the numbers that make them so.

    Args:
        wrong: whether deviations are tried, or what is right.
        fit: whether numbers are fitted, or taken from the pool as they are.
    """
    steps = min(len(seen.calls), max(FITTED, 3 * LONGEST))
    for candidate in several:
        starts = _starts(candidate, pool, seen, fit=fit)
        variants = sorted(candidate.deviations(), key=lambda v: v.rank) if wrong else None
        rank = np.inf  # of the first that matches: what is less plain is not looked for
        for variant in variants or candidate.right():
            if variant.rank > rank:
                break
            values = _fits(variant, starts, pool, seen) if fit else starts
            for each in values:
                match = compared(variant, each, seen, steps, LIKE)
                if match.agrees == steps:
                    rank = variant.rank
                    yield match
                    break


def _starts(
    candidate: Candidate, pool: Mapping[str, float], seen: Observed, *, fit: bool
) -> list[dict[str, Any]]:
    """Guesses; for a method over a base they are fitted to its first two steps, if not known.

    The base is followed up to the first synchronisation, which tells τ.
    """
    if fit not in candidate.known:
        candidate.known[fit] = _made(candidate, pool, seen, fit=fit)
    return candidate.known[fit]


def _made(
    candidate: Candidate, pool: Mapping[str, float], seen: Observed, *, fit: bool
) -> list[dict[str, Any]]:
    starts = guesses(candidate.method, pool, seen)
    base, own = candidate.base, [p for p in candidate.method.parameters if "." not in p.name]
    if not fit or base is None or [p.integer for p in own] != [False, True]:
        return starts
    share, count = (p.name for p in own)
    guessed = []
    for variant in right(base):
        for values in _fits(variant, guesses(base, pool, seen), pool, seen, steps=BRIEF):
            tau = compared(variant, values, seen, LONGEST, LIKE).agrees + 1
            if 2 <= tau <= LONGEST:
                inner = {f"base.{name}": value for name, value in values.items()}
                guessed.append({**inner, share: 0.5, count: tau})
    return guessed or starts


def _fits(
    variant: Variant,
    starts: list[dict[str, Any]],
    pool: Mapping[str, float],
    seen: Observed,
    steps: int = FITTED,
) -> Iterator[dict[str, Any]]:
    """Numbers fitted by least squares, to the first two steps and then to more, and rounded.

    What does not fit two steps is given up.
    """
    free = [p.name for p in variant.method.parameters if not p.integer]
    if not free:
        yield from starts
        return
    ranked = sorted(starts, key=lambda v: _away(variant, v, seen, BRIEF))
    counts = {tuple(v[p.name] for p in variant.method.parameters if p.integer) for v in starts}
    for start in ranked[: max(STARTS, len(counts))]:
        longest = max((v for v in start.values() if isinstance(v, int)), default=0)
        values, reached = start, True
        for part in (BRIEF, max(steps, 2 * longest * (steps > BRIEF))):
            values, left = _solved(variant, values, free, seen, part)
            reached = reached and left <= FITS
            if not reached:
                break
        if reached:
            yield {n: _snapped(v, pool) if n in free else v for n, v in values.items()}
            yield values


def _solved(
    variant: Variant, start: Values, free: list[str], seen: Observed, steps: int
) -> tuple[dict[str, Any], float]:
    """The numbers nearest to the first steps, and by how much they still miss them."""

    def at(x: Vector) -> dict[str, Any]:
        return {**start, **dict(zip(free, x.tolist(), strict=True))}

    x0 = np.array([float(start[name]) for name in free])
    if x0.size > seen.points.shape[1] * steps:
        return dict(start), np.inf
    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
    solved = scipy.optimize.least_squares(
        lambda x: _residual(variant, at(x), seen, steps), x0, method="lm", max_nfev=TRIES, **tight
    )
    return at(solved.x), float(np.abs(solved.fun).max())


def _residual(variant: Variant, values: Values, seen: Observed, steps: int) -> Vector:
    z0 = seen.points[0]
    J = seen.problem.resolvent if seen.problem.constrained else None
    steps = min(steps, len(seen.calls))
    with np.errstate(all="ignore"):
        points = itertools.islice(variant.points(values, seen.problem.operator, J, z0), steps)
        miss = np.array(list(points)) - seen.points[1 : steps + 1]
    if not np.isfinite(miss).all():
        miss = np.nan_to_num(miss, nan=1e6)
    return np.asarray(np.clip(miss, -1e6, 1e6).ravel())


def _away(variant: Variant, values: Values, seen: Observed, steps: int) -> float:
    return float(np.abs(_residual(variant, values, seen, steps)).max())


def _snapped(value: float, pool: Mapping[str, float]) -> float:
    """A number that the optimiser shows, or one of few digits, where a fitted one is next to it."""
    for number in (0.0, *pool.values(), short(value)):
        if abs(value - number) <= 1e-7 * min(1.0, abs(number) or 1.0):
            return number
    return value


def short(value: float) -> float:
    """The number of six digits next to one."""
    return float(f"{value:.6g}")


def nearest(
    several: Iterable[Candidate], pool: Mapping[str, float], seen: Observed
) -> list[tuple[Candidate, Match]]:
    """Right variants by how many steps agree and then by how far the first steps are away."""
    ranked = []
    for candidate in several:
        best: tuple[tuple[int, float], Match] | None = None
        for variant in candidate.right():
            for values in _starts(candidate, pool, seen, fit=True):
                match = compared(variant, values, seen)
                away = _away(variant, values, seen, FITTED)
                key = (-min(match.agrees, FITTED), away)
                if best is None or key < best[0]:
                    best = (key, match)
        if best is not None:
            ranked.append((best[0], best[1].plain, candidate, best[1]))
    ranked.sort(key=lambda entry: entry[:2])
    return [(candidate, match) for _, _, candidate, match in ranked]
