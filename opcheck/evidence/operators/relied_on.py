"""The facts that theorems may rely on: stated ones that no pair refutes, and found ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from opcheck.engine.budget import allotted
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.operators.constants import constants
from opcheck.evidence.operators.effort import Effort, unaffordable
from opcheck.evidence.operators.facts import CLOSE, Contradiction, refuted_by, refuting
from opcheck.evidence.operators.pairs import Pair
from opcheck.model.problem import Problem
from opcheck.model.property import LARGEST, Fact, Lipschitz, Property, StronglyMonotone, strongest

ZERO = 1e-6  # an estimated modulus below it, against L or 1/L, is taken for 0
ROUNDING = 2.0**-44  # below it a modulus is rounding, also where no pair is known

MARGIN = 1e-3  # relative; by how much an estimate is weakened before a theorem relies on it


def with_constants(problem: Problem, seed: int = 0) -> Problem:
    """The problem with the constants that a search finds, where none are stated; else as it is."""
    if problem.facts:
        return problem
    if said := unaffordable(problem):
        raise OpcheckError(said)
    with allotted(Effort.of(problem, False, None).search):
        searched = constants(problem, seed=seed)
    return with_facts(problem, searched, contradictions(problem, searched))


def with_facts(
    problem: Problem, constants: Sequence[Constant], wrong: Sequence[Contradiction] = ()
) -> Problem:
    """The problem with the facts that theorems may rely on: stated ones, but for those that a pair
    refutes, and what was found beyond them; on the set of A where F was looked at only there."""
    refuted = {id(c.fact) for c in wrong}
    stated = [f for f in problem.facts if id(f) not in refuted]
    L = max((c.lower for c in constants if c.kind is Lipschitz), default=np.inf)
    used = [c for c in constants if _says_something(c) and _adds(c, stated, problem)]
    facts = [_weakened(c, L, problem) for c in used]
    narrow = [c.region for c in used if c.region is not None and c.region.in_set]
    return replace(
        problem,
        facts=(*stated, *_agreeing(facts, constants, problem)),
        region=narrow[0] if narrow else problem.region,
    )


def out_of_reach(constants: Sequence[Constant]) -> list[str]:
    """A sentence on constants that no theorem relies on since no float64 holds their squares."""
    values = [
        f"{c.kind.symbol} = {c.value:.6g} of {c.of}"
        for c in constants
        if np.isfinite(c.value) and not _squared(c.value)
    ]
    if not values:
        return []
    return [
        f"no theorem relies on {', '.join(dict.fromkeys(values))}: no float64 holds the square; "
        "measure F or z in other units"
    ]


def _squared(value: float) -> bool:
    """Whether a float64 holds the square of a constant, as theorems need it."""
    return value == 0 or 1 / LARGEST <= abs(value) <= LARGEST


def _says_something(constant: Constant) -> bool:
    """Whether a theorem may rely on a constant, or on 0 in place of a larger one."""
    above_zero = constant.kind.better == "larger" and 0 < constant.value < np.inf
    return _squared(constant.value) or (above_zero and not constant.kind.of_values)


def _agreeing(facts: Sequence[Fact], constants: Sequence[Constant], problem: Problem) -> list[Fact]:
    """Estimates that imply nothing which a search refutes, of whatever kind, or leaves open.

    One that implies more is weakened to what the search met where the two have one form, else to 0,
    else left out.
    """
    agreeing: list[Fact] = []
    for fact in facts:
        tries, of, kind = [fact], fact.property.of, fact.property.kind
        if fact.provenance == "estimated" and kind.better == "larger":
            same = [c.value for c in constants if c.kind.form(1) == kind.form(1) and c.of == of]
            weaker = {v for v in (0.0, *same) if -LARGEST <= v < problem.constant(fact)}
            note = f"{fact.note}; weakened to what other searches leave"
            tries += [
                replace(fact, property=Property(kind, v, of), note=note)
                for v in sorted(weaker, reverse=True)
            ]
        if fact.provenance == "estimated":
            tries = [f for f in tries if not _refuted([*agreeing, f], constants, problem)]
        agreeing += tries[:1]
    return agreeing


def _refuted(facts: Sequence[Fact], constants: Sequence[Constant], problem: Problem) -> bool:
    """Whether facts imply more than a constant that was sought allows."""
    for c in constants:
        if c.kind.of_values or c.provenance == "certified":
            continue
        of = (c.of,) if problem.constrained else ("F", "S")
        premises = [f.property for f in facts if f.property.of in of]
        implied = strongest(Property(c.kind, None, c.of), premises)
        if implied is None:
            continue
        sign = 1 if c.kind.better == "larger" else -1
        seen = c.upper if sign > 0 else c.lower
        open_ = not c.settled and seen < 0  # ever worse pairs
        beyond = sign * (float(implied) - seen)
        if open_ or beyond > (CLOSE * abs(seen) if np.isfinite(seen) else 0):
            return True
    return False


def _adds(constant: Constant, stated: Sequence[Fact], problem: Problem) -> bool:
    """Whether nothing of its kind is stated, or it is proved and better than all that is."""
    same = [
        problem.constant(f)
        for f in stated
        if (f.property.kind, f.property.of) == (constant.kind, constant.of)
    ]
    if not same or constant.provenance != "certified":
        return not same
    sign = 1 if constant.kind.better == "larger" else -1
    best = max(sign * v for v in same)
    return sign * constant.value > best + CLOSE * abs(best)


def _weakened(constant: Constant, L: float, problem: Problem) -> Fact:
    """The constant as a fact; an estimate moved to the weaker side, since worse pairs may exist.

    A small positive modulus is no more than 0 to a search; a small negative one is 0 only where
    none of its pairs refutes that beyond rounding.
    """
    fact, kind, value = constant.fact, constant.kind, constant.value
    if not _squared(value):
        return replace(fact, property=Property(kind, 0.0, constant.of))
    if constant.provenance == "certified":
        return fact
    of_F = constant.of == "F" or problem.resolvent.contains is not None
    if kind is StronglyMonotone and of_F:
        value = min(value, L)  # by Cauchy-Schwarz; of a constant F both are 0
    scale = constant.unit  # where L = 0 there is no scale in F
    if 0 < L < np.inf:
        scale = L if kind is StronglyMonotone else 1 / L
    if kind.better == "larger" and np.isfinite(scale) and abs(value) <= ZERO * scale:
        zero = Property(kind, 0, constant.of)
        looked_at = constant.pairs or abs(value) <= ROUNDING * scale
        if value > 0 or (looked_at and not refuting(problem, zero, 0.0, constant.pairs)):
            value = 0.0
    # what independent searches differ by is no more than a hint of what they all miss
    less = max(MARGIN * abs(value), constant.spread if value else 0.0)
    value += less if kind.better == "smaller" else -less
    note = f"{fact.note}; weakened by {less:.3g}"
    return replace(fact, property=Property(kind, value, constant.of), note=note)


def contradictions(problem: Problem, constants: Sequence[Constant]) -> list[Contradiction]:
    """Stated facts of any kind that a pair of points refutes, whichever search met it.

    A fact that holds on a region is held only against a search in it. A form counts as negative
    where it is so in balls of 256 bits, and of a kernel that only floats can read, beyond 2⁻³⁶ of
    its values.
    """
    out = []
    for fact in problem.facts:
        property = fact.property
        stated = problem.constant(fact)
        inside = problem.region is not None and all(
            c.region is not None and c.region.within(problem.region) for c in constants
        )
        if fact.local and not inside:
            continue
        if property.kind.of_values:
            out += [
                Contradiction(fact, stated, c.upper)
                for c in constants
                if c.kind is property.kind and stated - c.upper > CLOSE * abs(stated)
            ]
            continue
        refuted = refuted_by(problem, fact, _pairs(problem, property, constants))
        out += [] if refuted is None else [refuted]
    return out


def _pairs(problem: Problem, property: Property, constants: Sequence[Constant]) -> list[Pair]:
    """Every pair that a search met; for a star property each point against the solution."""
    pairs = [pair for c in constants for pair in c.pairs]
    if not property.kind.star:
        return pairs
    if problem.solution is None:
        return []
    ends = [w for pair in pairs for w in (pair.first, pair.second) if w is not None]
    return [Pair(w, None) for w in ends]
