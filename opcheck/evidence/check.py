"""Everything opcheck can say of one operator: constants, classes, theorems, verdicts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.arguments import asked, integer
from opcheck.engine.budget import allotted
from opcheck.engine.jit import foreign
from opcheck.engine.run import graph_at, interpreted
from opcheck.errors import OpcheckError
from opcheck.evidence.choices import Empty, choices
from opcheck.evidence.compare import solves_sum
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
from opcheck.watchdog import Interrupted

ZERO = 1e-6  # an estimated modulus below it, against L or 1/L, is taken for 0
FAST = 3e-6  # seconds a call below which F is called as often as anything asks
SLOW_SECONDS = 9.0  # what calls of a slower F may take in all
SEARCH, APPLY = 0.4, 60  # share of them for the constants; theorems that share the rest
TIMED, TOLD = (4, 64, 1024), 2e-3  # calls that are timed, more where they took less than this
DRIVEN = 3e-5  # seconds a call that a method costs where it runs interpreted
QUICK = (4000.0, 400.0)  # calls of a quick check: for the search, for each theorem
QUICKLY = "quick: shorter searches, and a few short runs of each theorem; leave out --quick for all"
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
        left_out: what was not done, or with less effort, a sentence each.
    """

    problem: Problem
    constants: tuple[Constant, ...]
    contradictions: tuple[Contradiction, ...]
    classes: tuple[Fact, ...]
    verdicts: tuple[Verdict, ...]
    left_out: tuple[str, ...] = ()

    def in_order(self) -> Check:
        """With the verdicts by name."""
        return replace(self, verdicts=tuple(sorted(self.verdicts, key=lambda v: v.theorem)))

    def without(self, names: Sequence[str], why: str) -> Check:
        """With a sentence about theorems that were not run."""
        left = [n for n in names if _could_apply(n, self.problem)]
        shown = ", ".join(left[:6]) + (", ..." if len(left) > 6 else "")
        said = f"{why} came before {len(left)} theorems that may apply: {shown}"
        return replace(self, left_out=(*self.left_out, said)) if left else self

    def interrupted(self, doing: str) -> Check:
        """With a sentence that says where it was interrupted."""
        if not self.constants:
            said = "interrupted at its constants: they, and all theorems, are missing"
            return replace(self, left_out=(*self.left_out, said))
        names = theorems_in_order()
        rest = names[names.index(doing) :] if doing in names else names
        return self.without(rest, "the interruption")

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
            "left_out": list(self.left_out),
        }


@asked
def check(
    problem: Given,
    rigorous: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
    quick: bool = False,
    time_limit: float | None = None,
) -> Check:
    """Find the constants of a problem and run every theorem that applies.

    Args:
        problem: whatever ``subject`` takes: a name, a Problem, an operator, a function, a matrix.
        rigorous: prove constants instead of estimating them; takes a matrix or a formula.
        seed: of the search.
        progress: called with the name of each theorem when it is done.
        quick: with few calls of F: shorter searches, and a few short runs of each theorem.
        time_limit: seconds after which no more is begun; what was left out is said.

    Raises OpcheckError for an operator that fails its guards, a rigorous request on a kernel, or a
    time limit that is not positive; Interrupted, with what is finished, where Ctrl-C ends it.
    """
    found = None
    for found in checking(problem, rigorous, seed, quick, time_limit):
        if progress and found.verdicts:
            progress(found.verdicts[-1].theorem)
    assert found is not None
    return found


def checking(
    problem: Given,
    rigorous: bool = False,
    seed: int = 0,
    quick: bool = False,
    time_limit: float | None = None,
) -> Iterator[Check]:
    """``check``, as it comes: the problem, its constants and classes, verdict after verdict.

    The last one has the verdicts by name. Arguments and errors as ``check``.
    """
    number = isinstance(time_limit, int | float | np.number | None)
    if not number or (time_limit is not None and not 0 < time_limit < np.inf):
        raise OpcheckError(f"time_limit = {time_limit!r} must be a positive number of seconds")
    seed = integer(seed, "seed")
    where = subject(problem)
    found = Check(where, (), (), (), ())
    done = "reading the problem"
    try:
        with allotted(seconds=np.inf if time_limit is None else time_limit) as whole:
            yield found
            done = "its constants"
            effort = Effort.of(where, quick, time_limit)
            with allotted(effort.search, (time_limit or np.inf) / 3):
                found = _with_constants(found, rigorous, seed)
            found = replace(found, left_out=tuple(effort.sentences))
            yield found
            names = theorems_in_order()
            for i, name in enumerate(names):
                done = name
                if whole.late:
                    found = found.without(names[i:], f"the time limit of {time_limit:g} s")
                    break
                with allotted(effort.run):
                    verdict = confront(registry.get("theorems", name), found.problem)
                if verdict.status != "inapplicable":
                    found = replace(found, verdicts=(*found.verdicts, verdict))
                    yield found
    except KeyboardInterrupt:
        raise Interrupted(found.in_order().interrupted(done)) from None
    yield found.in_order()


def _with_constants(found: Check, rigorous: bool, seed: int) -> Check:
    """Its constants, as the facts that theorems rely on, and what contradicts the stated ones."""
    problem = found.problem
    of_problem = constants(problem, rigorous, seed=seed)
    wrong = tuple(contradictions(problem, of_problem))
    where = with_facts(problem, of_problem, wrong)
    return Check(where, tuple(of_problem), wrong, tuple(classes(where)), ())


def with_constants(problem: Problem, seed: int = 0) -> Problem:
    """The problem with the constants that a search finds, where none are stated; else as it is."""
    if problem.facts:
        return problem
    with allotted(Effort.of(problem, False, None).search):
        return _with_constants(Check(problem, (), (), (), ()), False, seed).problem


def theorems_in_order() -> list[str]:
    """Names of all theorems; those whose steps solve for a resolvent of the sum come last."""
    names = registry.names("theorems")
    return sorted(names, key=lambda name: solves_sum(registry.get("theorems", name)))


@dataclass(frozen=True)
class Effort:
    """How much of a check fits: calls of F for the search and for each theorem.

    An F that runs interpreted may take a millisecond or a second a call; the number of calls is
    what fits into ``SLOW_SECONDS``, or the time limit, rounded so that most runs agree on it.
    """

    search: float = np.inf
    run: float = np.inf
    sentences: tuple[str, ...] = ()

    @classmethod
    def of(cls, problem: Problem, quick: bool, time_limit: float | None) -> Effort:
        """Of a problem whose calls are timed here."""
        own = cls(*QUICK, (QUICKLY,)) if quick else cls()
        each = seconds_a_call(problem)
        if each < FAST:
            return own
        seconds = SLOW_SECONDS if time_limit is None else time_limit
        calls = 10.0 ** (np.floor(4 * np.log10(seconds / each)) / 4)
        search = min(own.search, np.ceil(SEARCH * calls))
        run = min(own.run, np.ceil((1 - SEARCH) * calls / APPLY))
        if (search, run) == (own.search, own.run):
            return own
        said = (
            f"F is slow, {each:.1g} s a call: about {search:.0f} calls were made for the constants "
            f"and up to {run:.0f} for each theorem, so runs are few and short; --time-limit "
            "SECONDS allows more"
        )
        return cls(search, run, (*own.sentences, said))


def seconds_a_call(problem: Problem) -> float:
    """What a call of a foreign F costs where it runs as the searches and runs call it; else 0."""
    if not foreign(problem.operator.kernel):
        return 0.0
    graph_at(problem, problem.start[None])  # compiled, and guarded
    taken = 0.0
    for count in TIMED:
        begun = time.perf_counter()
        graph_at(problem, problem.start + np.zeros((count, 1)))
        taken = (time.perf_counter() - begun) / count
        if taken * count > TOLD:
            break
    return taken + (DRIVEN if interpreted(problem) else 0.0)


def _could_apply(name: str, problem: Problem) -> bool:
    return not isinstance(constants_of(registry.get("theorems", name), problem), str)


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
    less = max(MARGIN * abs(value), constant.spread if value else 0.0)
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
