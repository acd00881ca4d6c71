"""Everything opcheck can say of one operator: constants, classes, theorems, verdicts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.evidence.choices import Empty, choices
from opcheck.evidence.constants import Constant, constants
from opcheck.evidence.facts import CLOSE, Contradiction, refuted_by, refuting
from opcheck.evidence.hypotheses import classes
from opcheck.evidence.hypotheses import constants as constants_of
from opcheck.evidence.pairs import Pair
from opcheck.evidence.subject import Given, subject
from opcheck.evidence.verify import confront
from opcheck.model.brief import brief
from opcheck.model.problem import Problem
from opcheck.model.property import Fact, Lipschitz, Property, StronglyMonotone
from opcheck.model.verdict import Verdict

ZERO = 1e-6  # an estimated modulus below it, against L or 1/L, is taken for 0
MARGIN = 1e-3  # relative; by how much an estimate is weakened before a theorem relies on it


@brief
@dataclass(frozen=True)
class Check:
    """What was found of one problem.

    Attributes:
        problem: with the facts that the theorems relied on.
        constants: enclosures and estimates.
        contradictions: stated facts that the search refuted.
        classes: the strongest property of each kind that follows.
        verdicts: of every theorem whose hypotheses hold.
    """

    problem: Problem
    constants: tuple[Constant, ...]
    contradictions: tuple[Contradiction, ...]
    classes: tuple[Fact, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """No stated fact is refuted, no theorem violated, nothing failed."""
        bad = any(v.status in ("violated", "error") for v in self.verdicts)
        return not bad and not self.contradictions

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        p = self.problem
        return {
            "problem": p.name,
            "dimension": p.dim,
            "solution": None if p.solution is None else p.solution.tolist(),
            "region": p.region.as_dict() if p.region else None,
            "ok": self.ok,
            "constants": [c.as_dict() for c in self.constants],
            "contradictions": [str(c) for c in self.contradictions],
            "classes": [described(f, p) for f in self.classes],
            "verdicts": [v.as_dict() for v in self.verdicts],
        }


def check(
    problem: Given,
    rigorous: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Check:
    """Find the constants of a problem and run every theorem that applies.

    Args:
        problem: whatever ``subject`` takes: a name, a Problem, an operator, a function, a matrix.
        rigorous: prove constants instead of estimating them; takes a matrix or a formula.
        seed: of the search.
        progress: called with the name of each theorem when it is done.

    Raises OpcheckError for an operator that fails its guards, or a rigorous request on a kernel.
    """
    problem = subject(problem)
    found = constants(problem, rigorous, seed=seed)
    wrong = tuple(contradictions(problem, found))
    where = with_facts(problem, found, wrong)
    verdicts = []
    for name in registry.names("theorems"):
        verdict = confront(registry.get("theorems", name), where)
        if verdict.status != "inapplicable":
            verdicts.append(verdict)
        if progress:
            progress(name)
    return Check(where, tuple(found), wrong, tuple(classes(where)), tuple(verdicts))


def applicable(problem: Problem) -> list[str]:
    """Names of the theorems whose hypotheses the facts imply, with a range that is not empty."""
    found = []
    for name in registry.names("theorems"):
        theorem = registry.get("theorems", name)
        known = constants_of(theorem, problem)
        if isinstance(known, str):
            continue
        with contextlib.suppress(Empty):
            next(iter(choices(theorem, known, theorem.horizons[0])))
            found.append(name)
    return found


def with_facts(
    problem: Problem, found: Sequence[Constant], wrong: Sequence[Contradiction] = ()
) -> Problem:
    """The problem with the facts that theorems may rely on: stated ones, but for those that a pair
    refutes, and what was found beyond them; on the set of A where F was looked at only there."""
    refuted = {id(c.fact) for c in wrong}
    stated = [f for f in problem.facts if id(f) not in refuted]
    L = max((c.lower for c in found if c.kind is Lipschitz), default=np.inf)
    used = [c for c in found if np.isfinite(c.value) and _adds(c, stated, problem)]
    narrow = [c.region for c in used if c.region is not None and c.region.in_set]
    return replace(
        problem,
        facts=(*stated, *(_weakened(c, L, problem) for c in used)),
        region=narrow[0] if narrow else problem.region,
    )


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
    if constant.provenance == "certified":
        return fact
    scale = L if kind is StronglyMonotone else 1 / L if L > 0 else np.inf
    scale = scale if np.isfinite(L) else constant.unit
    if kind.better == "larger" and np.isfinite(scale) and abs(value) <= ZERO * scale:
        zero = Property(kind, 0, constant.of)
        if value > 0 or (constant.pairs and not refuting(problem, zero, 0.0, constant.pairs)):
            value = 0.0
    # what independent searches differ by is no more than a hint of what they all miss
    less = max(MARGIN * abs(value), constant.spread)
    value += less if kind.better == "smaller" else -less
    note = f"{fact.note}; weakened by {less:.3g}"
    return replace(fact, property=Property(kind, value, constant.of), note=note)


def contradictions(problem: Problem, found: Sequence[Constant]) -> list[Contradiction]:
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
            c.region is not None and c.region.within(problem.region) for c in found
        )
        if fact.local and not inside:
            continue
        if property.kind.of_values:
            out += [
                Contradiction(fact, stated, c.upper)
                for c in found
                if c.kind is property.kind and stated - c.upper > CLOSE * abs(stated)
            ]
            continue
        refuted = refuted_by(problem, fact, _pairs(problem, property, found))
        out += [] if refuted is None else [refuted]
    return out


def _pairs(problem: Problem, property: Property, found: Sequence[Constant]) -> list[Pair]:
    """Every pair that a search met; for a star property each point against the solution."""
    pairs = [pair for c in found for pair in c.pairs]
    if not property.kind.star:
        return pairs
    if problem.solution is None:
        return []
    ends = [w for pair in pairs for w in (pair.first, pair.second) if w is not None]
    return [Pair(w, None) for w in ends]


def described(fact: Fact, problem: Problem) -> str:
    """As in ``Lipschitz(2) of F on the region, estimated``."""
    kind = fact.property.kind
    value = "" if kind.better is None else f"({problem.constant(fact):.6g})"
    where = " on the region" if fact.local else ""
    return f"{kind.name}{value} of {fact.property.of}{where}, {fact.provenance}"
