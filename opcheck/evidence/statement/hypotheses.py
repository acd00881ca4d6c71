"""Which theorems apply to a problem: hypotheses matched with facts, never assumed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from opcheck.errors import OpcheckError
from opcheck.model.problem import Problem
from opcheck.model.property import (
    KINDS,
    Cocoercive,
    ConicallyNonexpansive,
    Fact,
    Nonexpansive,
    Of,
    Property,
    Provenance,
    QuasiNonexpansive,
    StronglyMonotone,
    strongest,
    weakest,
)
from opcheck.model.text import rational_value
from opcheck.model.theorem import WORDS_OF_A, Theorem


@dataclass(frozen=True)
class Constants:
    """The symbols of a theorem on a problem.

    Attributes:
        values: symbol -> float.
        formulas: symbol -> the closed form in the problem's parameters, where there is one.
        rounded: symbols whose float is not their exact value.
        provenance: of the weakest fact used.
        local: some fact used holds only on the problem's region.
    """

    values: Mapping[str, float]
    formulas: Mapping[str, str]
    provenance: Provenance
    local: bool
    rounded: frozenset[str] = frozenset()


class Inapplicable(OpcheckError):
    """A problem lacks a hypothesis of a theorem; the sentence says which."""


def match(theorem: Theorem, problem: Problem) -> Constants:
    """The constants with which the hypotheses of a theorem hold on a problem.

    Raises Inapplicable for the first that is not known to hold.
    """
    if theorem.on and problem.name.partition("(")[0] not in theorem.on:
        raise Inapplicable(f"it is about {' or '.join(theorem.on)} only")
    if problem.constrained and not theorem.constrained:
        raise Inapplicable("it needs A = 0")
    if problem.constrained and not theorem.iteration.constrained:
        raise Inapplicable(f"{theorem.iteration.name} has no form with A ≠ 0")
    if theorem.A == "subdifferential" and not problem.resolvent.subdifferential:
        raise Inapplicable(
            f"it is about {WORDS_OF_A['subdifferential']}, which A = {problem.resolvent.name} is "
            "not known to be; give its resolvent contains= or value="
        )
    values: dict[str, float] = dict(problem.parameters) if theorem.on else {}
    formulas: dict[str, str] = {}
    used: list[Fact] = []
    for hypothesis in theorem.asked:
        facts = [f for f in problem.all_facts() if _speaks_of(f.property, hypothesis, problem)]
        best, by = _best(hypothesis, facts, problem)
        if best is None:
            raise Inapplicable(f"{hypothesis.kind.name} of {hypothesis.of} is not known of it")
        used += by
        if hypothesis.number is not None and hypothesis.kind.better is not None:
            stated = float(hypothesis.number)
            if best > stated if hypothesis.kind.better == "smaller" else best < stated:
                here = replace(hypothesis, constant=f"{best:.6g}")
                raise Inapplicable(f"it is {here}, and {hypothesis} is asked")
        elif hypothesis.kind.better is not None:
            values[hypothesis.constant] = best
            irrational = False
            for fact in by:
                irrational |= _is_rounded(fact, problem)
                # another property's formula is this one's only where the two are one inequality
                same = hypothesis.kind.of_values or (
                    fact.property.form(best) == hypothesis.form(best)
                )
                stated = fact.property.constant
                if same and isinstance(stated, str) and problem.constant(fact) == best:
                    formulas[hypothesis.constant] = stated
            if irrational and hypothesis.constant not in formulas:
                # worked out from a float that stands for an irrational number: to the safe side
                slack = 8 * np.finfo(float).eps * abs(best)
                values[hypothesis.constant] += (
                    -slack if hypothesis.kind.better == "larger" else slack
                )
    return Constants(
        values,
        formulas,
        weakest(f.provenance for f in used),
        any(f.local for f in used),
        frozenset(
            s for s, f in formulas.items() if rational_value(f, problem.parameters) != values[s]
        ),
    )


def classes(problem: Problem) -> list[Fact]:
    """The strongest property of each kind that the facts imply, of F, of S = F + A and of T.

    Properties without content are left out: a modulus of strong monotonicity or a cocoercivity
    that is not positive, and what is known of S only because A = 0 makes it F.
    """
    facts = list(problem.all_facts())
    spoken = {f.property.of for f in facts}
    of_all: list[Of] = ["F", "S"] if problem.constrained else ["F"]
    if "T" in spoken:
        of_all.append("T")
    strongest_facts = []
    for of in of_all:
        for kind in KINDS:
            if of != "T" and kind in (Nonexpansive, QuasiNonexpansive, ConicallyNonexpansive):
                continue
            bare = Property(kind, None, of)
            value, by = _best(
                bare, [f for f in facts if _speaks_of(f.property, bare, problem)], problem
            )
            if value is None or (kind in (StronglyMonotone, Cocoercive) and value <= 0):
                continue
            constant = value if kind.better is not None else None
            local = any(f.local for f in by)
            grade = weakest(f.provenance for f in by)
            strongest_facts.append(Fact(Property(kind, constant, of), grade, local))
    return strongest_facts


def _is_rounded(fact: Fact, problem: Problem) -> bool:
    stated = fact.property.constant
    if not isinstance(stated, str):
        return False
    return rational_value(stated, problem.parameters) != problem.constant(fact)


def _speaks_of(known: Property, hypothesis: Property, problem: Problem) -> bool:
    if known.kind.of_values != hypothesis.kind.of_values:
        return False
    return known.of == hypothesis.of if problem.constrained else known.of != "A"


def _best(
    hypothesis: Property, facts: list[Fact], problem: Problem
) -> tuple[float | None, list[Fact]]:
    """The strongest constant and the facts that give it, the best-known facts first."""
    for grade in ("exact", "certified", "estimated", "claimed"):
        trusted = [f for f in facts if weakest([f.provenance, grade]) == grade]
        premises = tuple(replace(f.property, constant=problem.constant(f)) for f in trusted)
        bare = replace(hypothesis, constant=None)
        best = _strongest(bare, premises)
        if best is not None:
            # what no fact gives alone is taken to rest on all of them
            pairs = zip(trusted, premises, strict=True)
            by = [f for f, p in pairs if _strongest(bare, (p,)) == best]
            return best[0], by or trusted
    return None, []


@functools.lru_cache(maxsize=1 << 16)  # over a library each is asked by many theorems
def _strongest(hypothesis: Property, premises: tuple[Property, ...]) -> tuple[float] | None:
    same = [p.constant for p in premises if p.kind is hypothesis.kind and p.of == hypothesis.of]
    best = strongest(hypothesis, premises)
    if best is None:
        return None
    if hypothesis.kind.better is None:
        return (0.0,)
    larger = hypothesis.kind.better == "larger"
    choose = max if larger else min
    value = float(best)
    if same and choose(value, choose(same)) == choose(same):
        return (float(choose(same)),)
    if value != best:  # rounded: step to the weaker side
        value = float(
            np.nextafter(value, -np.inf if hypothesis.kind.better == "larger" else np.inf)
        )
    return (value,)
