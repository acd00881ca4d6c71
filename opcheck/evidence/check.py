"""Everything opcheck can say of one operator: constants, classes, theorems, verdicts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.engine.run import Trajectory, run
from opcheck.evidence.bounds import with_bounds
from opcheck.evidence.choices import Empty, choices
from opcheck.evidence.constants import Constant, constants
from opcheck.evidence.hypotheses import classes
from opcheck.evidence.hypotheses import constants as constants_of
from opcheck.evidence.pairs import Pair, Products, products
from opcheck.evidence.search import critical
from opcheck.evidence.verify import confront
from opcheck.model.problem import Problem
from opcheck.model.property import Fact, Lipschitz, Property, StronglyMonotone
from opcheck.model.theorem import Theorem
from opcheck.model.verdict import Verdict

ZERO = 1e-6  # an estimated modulus below it, against L or 1/L, is taken for 0
SHOWN = 50  # iterations that a plot of a rate needs
CLOSE = 1e-9  # relative; what the digits of a stated constant may be off by
MARGIN = 1e-3  # relative; by how much an estimate is weakened before a theorem relies on it


@dataclass(frozen=True)
class Contradiction:
    """A stated fact that a pair of points refutes.

    Attributes:
        stated, found: the constant, and that of the pair; 0 and the form for a kind without one.
        where: the points, and how F was read there.
    """

    fact: Fact
    stated: float
    found: float
    where: str = ""

    def __str__(self) -> str:
        """One sentence."""
        kind = self.fact.property.kind
        name = kind.name if kind.better is None else f"{kind.name}({self.stated:.6g})"
        symbol = "its form" if kind.better is None or not kind.symbol else kind.symbol
        return (
            f"{name} of {self.fact.property.of} is stated ({self.fact.provenance}), "
            f"but a pair of points has {symbol} = {self.found:.6g}{self.where}"
        )


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
    problem: Problem,
    rigorous: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Check:
    """Find the constants of a problem and run every theorem that applies.

    Args:
        rigorous: prove constants instead of estimating them; takes a matrix or a formula.
        seed: of the search.
        progress: called with the name of each theorem when it is done.

    Raises OpcheckError for an operator that fails its guards, or a rigorous request on a kernel.
    """
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
        if value > 0 or (constant.pairs and not _refuting(problem, zero, 0.0, constant.pairs)):
            value = 0.0
    # what independent searches differ by is no more than a hint of what they all miss
    less = max(MARGIN * abs(value), constant.spread if value else 0.0)
    value += less if kind.better == "smaller" else -less
    note = f"{fact.note}; weakened by {less:.3g}"
    return replace(fact, property=Property(kind, value, constant.of), note=note)


def _refuting(
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


def tightest_run(found: Check) -> Trajectory | None:
    """The run closest to a rate, a bound that is a formula in k, with the bounds that cover it."""
    for v in sorted(found.verdicts, key=lambda v: -v.ratio):
        theorem: Theorem = registry.get("theorems", v.theorem)
        method = theorem.method
        symbols = {p.symbol for p in method.parameters}
        horizon = int(v.parameters.get("K", theorem.horizons[-1]))
        if not theorem.order or theorem.claim != "upper bound" or horizon < SHOWN:
            continue
        if not symbols <= v.parameters.keys():
            continue
        if theorem.measure not in registry.names("measures") or theorem.right.recorded:
            continue
        values: dict[str, Any] = {p.name: v.parameters[p.symbol] for p in method.parameters}
        whole = {p.name: int(values[p.name]) for p in method.parameters if p.integer}
        made = run(
            method.name, found.problem, horizon, measures=[theorem.measure], **values | whole
        )
        bounded, _ = with_bounds(made)
        if theorem.measure in bounded.bounds:
            return bounded
    return None


def contradictions(problem: Problem, found: Sequence[Constant]) -> list[Contradiction]:
    """Stated facts of any kind that a pair of points refutes, whichever search met it.

    A fact that holds on a region is held only against a search in it. A form counts as negative
    where it is so in balls of 256 bits, and of a kernel that only floats can read, beyond 2⁻³⁶ of
    its values.
    """
    out = []
    for fact in problem.facts:
        property = fact.property
        if property.of == "A":
            continue
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
        worst: list[tuple[float, str]] = []
        for pair, of in _refuting(problem, property, stated, _pairs(problem, property, found)):
            form = of.form(property, stated)
            value = float(form.mid())
            shown = "" if of.exact else ", with the kernel's values as floats"
            place = f" (at {pair}: form {value:.3g}{shown})"
            if property.of != "T" and property.kind.better is not None and property.kind.symbol:
                dots = (np.array([float(v.mid())]) for v in (of.xx, of.xu, of.uu))
                value = float(critical(property.kind, *dots)[0])
            worst.append((value, place))
        if worst:
            sign = -1 if property.kind.better == "smaller" else 1
            value, place = min(worst, key=lambda w: sign * w[0])
            out.append(Contradiction(fact, stated, value, place))
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
