"""Everything opcheck can say of one operator: constants, classes, theorems, verdicts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from opcheck import registry
from opcheck.arguments import asked, integer
from opcheck.engine.budget import allotted
from opcheck.engine.guard import confirm
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.operators.constants import constants
from opcheck.evidence.operators.effort import SEARCH_SHARE, SOUGHT, Effort, few_calls
from opcheck.evidence.operators.facts import Contradiction
from opcheck.evidence.operators.relied_on import contradictions, out_of_reach, with_facts
from opcheck.evidence.operators.subject import Given, subject
from opcheck.evidence.simulation.runs import solves_sum
from opcheck.evidence.simulation.verify import confront
from opcheck.evidence.statement.hypotheses import Inapplicable, classes, match
from opcheck.evidence.statement.parameters import Empty, choices
from opcheck.model.drawn import Drawn
from opcheck.model.problem import Problem
from opcheck.model.property import Fact
from opcheck.model.result import Result
from opcheck.model.verdict import Verdict
from opcheck.watchdog import Interrupted


@dataclass(frozen=True)
class Check(Drawn, Result):
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
    picture: ClassVar[str] = "rate"

    def _in_picture(self) -> Any:
        """The run that its verdicts are about."""
        from opcheck.evidence.picture import pictured

        return pictured(self)

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
    *,
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
    latest = None
    for latest in checking(
        problem, rigorous=rigorous, seed=seed, quick=quick, time_limit=time_limit
    ):
        if progress and latest.verdicts:
            progress(latest.verdicts[-1].theorem)
    assert latest is not None
    return latest


def checking(
    problem: Given,
    *,
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
    target = subject(problem)
    so_far = Check(target, (), (), (), ())
    done = "reading the problem"
    try:
        with allotted(seconds=np.inf if time_limit is None else time_limit) as whole:
            yield so_far
            done = "its constants"
            effort = Effort.of(target, quick, time_limit)
            share = SOUGHT if time_limit is None else SEARCH_SHARE * time_limit
            searched = few_calls(target, share) is None
            endless = time_limit is None and searched
            with allotted(effort.search, np.inf if endless else share) as spent:
                so_far = _with_constants(so_far, rigorous, seed)
            left = (*effort.sentences(spent.used, searched), *out_of_reach(so_far.constants))
            so_far = replace(so_far, left_out=left)
            yield so_far
            names = theorems_in_order() if effort.runs else []
            for i, name in enumerate(names):
                done = name
                if whole.late:
                    so_far = so_far.without(names[i:], f"the time limit of {time_limit:g} s")
                    break
                with allotted(effort.run):
                    verdict = confront(registry.get("theorems", name), so_far.problem)
                if verdict.status != "inapplicable":
                    so_far = replace(so_far, verdicts=(*so_far.verdicts, verdict))
                    yield so_far
            if not whole.late:
                confirm(target)
    except KeyboardInterrupt:
        raise Interrupted(so_far.in_order().interrupted(done)) from None
    yield so_far.in_order()


def _with_constants(so_far: Check, rigorous: bool, seed: int) -> Check:
    """Its constants, as the facts that theorems rely on, and what contradicts the stated ones."""
    problem = so_far.problem
    of_problem = constants(problem, rigorous=rigorous, seed=seed)
    wrong = tuple(contradictions(problem, of_problem))
    with_all = with_facts(problem, of_problem, wrong)
    return Check(with_all, tuple(of_problem), wrong, tuple(classes(with_all)), ())


def theorems_in_order() -> list[str]:
    """Names of all theorems; those whose steps solve for a resolvent of the sum come last."""
    names = registry.names("theorems")
    return sorted(names, key=lambda name: solves_sum(registry.get("theorems", name)))


def _could_apply(name: str, problem: Problem) -> bool:
    try:
        match(registry.get("theorems", name), problem)
    except Inapplicable:
        return False
    return True


def applicable(problem: Problem) -> list[str]:
    """Names of the theorems whose hypotheses the facts imply, with a range that is not empty."""
    names = []
    for name in registry.names("theorems"):
        theorem = registry.get("theorems", name)
        with contextlib.suppress(Inapplicable, Empty):
            known = match(theorem, problem)
            next(iter(choices(theorem, known, theorem.horizons[0])))
            names.append(name)
    return names


def described(fact: Fact, problem: Problem) -> str:
    """As in ``Lipschitz(2) of F on the region, estimated``."""
    kind = fact.property.kind
    value = "" if kind.better is None else f"({problem.constant(fact):.6g})"
    on = " on the region" if fact.local else ""
    return f"{kind.name}{value} of {fact.property.of}{on}, {fact.provenance}"
