"""Which theorems apply to a problem: hypotheses matched with facts, never assumed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

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


def constants(theorem: Theorem, problem: Problem) -> Constants | str:
    """The constants with which the hypotheses hold, or the sentence that says which one fails."""
    if theorem.on and problem.name.partition("(")[0] not in theorem.on:
        return f"it is about {' or '.join(theorem.on)} only"
    if problem.constrained and not theorem.constrained:
        return "it needs A = 0"
    if problem.constrained and not theorem.iteration.constrained:
        return f"{theorem.iteration.name} has no form with A ≠ 0"
    if theorem.A == "subdifferential" and not problem.resolvent.subdifferential:
        return (
            f"it is about {WORDS_OF_A['subdifferential']}, which A = {problem.resolvent.name} is "
            "not known to be; give its resolvent contains= or value="
        )
    values: dict[str, float] = dict(problem.parameters) if theorem.on else {}
    formulas: dict[str, str] = {}
    used: list[Fact] = []
    for wanted in theorem.asked:
        facts = [f for f in problem.all_facts() if _speaks_of(f.property, wanted, problem)]
        found, by = _best(wanted, facts, problem)
        if found is None:
            return f"{wanted.kind.name} of {wanted.of} is not known of it"
        used += by
        if wanted.number is not None and wanted.kind.better is not None:
            stated = float(wanted.number)
            if found > stated if wanted.kind.better == "smaller" else found < stated:
                return f"it is {replace(wanted, constant=f'{found:.6g}')}, and {wanted} is asked"
        elif wanted.kind.better is not None:
            values[wanted.constant] = found
            irrational = False
            for fact in by:
                irrational |= _is_rounded(fact, problem)
                # another property's formula is this one's only where the two are one inequality
                same = wanted.kind.of_values or (fact.property.form(found) == wanted.form(found))
                stated = fact.property.constant
                if same and isinstance(stated, str) and problem.constant(fact) == found:
                    formulas[wanted.constant] = stated
            if irrational and wanted.constant not in formulas:
                # worked out from a float that stands for an irrational number: to the safe side
                slack = 8 * np.finfo(float).eps * abs(found)
                values[wanted.constant] += -slack if wanted.kind.better == "larger" else slack
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
    found = []
    for of in of_all:
        for kind in KINDS:
            if of != "T" and kind in (Nonexpansive, QuasiNonexpansive, ConicallyNonexpansive):
                continue
            wanted = Property(kind, None, of)
            value, by = _best(
                wanted, [f for f in facts if _speaks_of(f.property, wanted, problem)], problem
            )
            if value is None or (kind in (StronglyMonotone, Cocoercive) and value <= 0):
                continue
            constant = value if kind.better is not None else None
            local = any(f.local for f in by)
            grade = weakest(f.provenance for f in by)
            found.append(Fact(Property(kind, constant, of), grade, local))
    return found


def _is_rounded(fact: Fact, problem: Problem) -> bool:
    stated = fact.property.constant
    if not isinstance(stated, str):
        return False
    return rational_value(stated, problem.parameters) != problem.constant(fact)


def _speaks_of(known: Property, wanted: Property, problem: Problem) -> bool:
    if known.kind.of_values != wanted.kind.of_values:
        return False
    return known.of == wanted.of if problem.constrained else known.of != "A"


def _best(wanted: Property, facts: list[Fact], problem: Problem) -> tuple[float | None, list[Fact]]:
    """The strongest constant and the facts that give it, the best-known facts first."""
    for grade in ("exact", "certified", "estimated", "claimed"):
        trusted = [f for f in facts if weakest([f.provenance, grade]) == grade]
        premises = tuple(replace(f.property, constant=problem.constant(f)) for f in trusted)
        bare = replace(wanted, constant=None)
        found = _strongest(bare, premises)
        if found is not None:
            # what no fact gives alone is taken to rest on all of them
            pairs = zip(trusted, premises, strict=True)
            by = [f for f, p in pairs if _strongest(bare, (p,)) == found]
            return found[0], by or trusted
    return None, []


@functools.lru_cache(maxsize=4096)
def _strongest(wanted: Property, premises: tuple[Property, ...]) -> tuple[float] | None:
    same = [p.constant for p in premises if p.kind is wanted.kind and p.of == wanted.of]
    best = strongest(wanted, premises)
    if best is None:
        return None
    if wanted.kind.better is None:
        return (0.0,)
    choose = max if wanted.kind.better == "larger" else min
    value = float(best)
    if same and choose(value, choose(same)) == choose(same):
        return (float(choose(same)),)
    if value != best:  # rounded: step to the weaker side
        value = float(np.nextafter(value, -np.inf if wanted.kind.better == "larger" else np.inf))
    return (value,)
