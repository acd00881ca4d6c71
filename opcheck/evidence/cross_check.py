"""Our own parts against each other: what one has shown, no other may refute.

A theorem that is proved and a run that violates it, a certificate below what an operator reaches,
an upper bound below a lower one: each is an error of ours, whichever part is wrong.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from opcheck import registry
from opcheck.arguments import asked, indices
from opcheck.engine.jit import TRUSTED
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import NotCertified, certify
from opcheck.evidence.operators.subject import Given, subject
from opcheck.evidence.proofs.prove import attempt
from opcheck.evidence.simulation.verify import Report, Summary, confront, in_order, library
from opcheck.evidence.statement.evaluation import plan
from opcheck.evidence.statement.exact_parameters import setting
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.evidence.worst_case.attack import Reached, attack
from opcheck.evidence.worst_case.claim import calls
from opcheck.evidence.worst_case.folded import takes_long
from opcheck.evidence.worst_case.worst_case import ABOVE, worst
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem, theorem_of, without_proof
from opcheck.model.verdict import Verdict
from opcheck.processes import over_processes

PROBLEMS = 8  # of the library that are run for each statement
BUDGET = 120  # operators that an attack tries at each k
SLACK = 1e-6  # of a ratio: what a solver's tolerance and rounding may make


@dataclass(frozen=True)
class CrossCheck(Result):
    """What each part says of one statement.

    Attributes:
        proof: "proved", "in part", "not proved", "none" or "refused".
        certified: by k, the multiple of the bound that is certified; none where that failed.
        worst: by k, measured/bound in the worst case by the solver.
        reached: by k, the largest measured/bound that the attack reached.
        at_ends: the same at ends of ranges and with other constants, by these in words: the largest
            over all k; ``worst`` and ``certified`` are of the middle of each range.
        problems: on how many it was run.
        compared: how many comparisons of these runs decided something.
        violated: those on which a run violates it.
        late: parts of its texts -> the k at which they switch, behind which no run compared.
        errors: those on which it could not be run, each with the reason.
        disagreements: sentences; each is an error of opcheck.
    """

    theorem: str
    proof: str
    certified: dict[int, str]
    worst: dict[int, float]
    worst_error: dict[int, float]
    reached: dict[int, float]
    problems: int
    violated: tuple[str, ...]
    disagreements: tuple[str, ...]
    compared: int = 0
    errors: tuple[tuple[str, str], ...] = ()
    at_ends: dict[str, float] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether no two parts disagree."""
        return not self.disagreements

    @property
    def attacked(self) -> tuple[int | str, ...]:
        """The k, and the ends of ranges, at which an operator of the class exceeds the bound."""
        both: list[tuple[int | str, float]] = [*self.reached.items(), *self.at_ends.items()]
        return tuple(place for place, value in both if value > 1 + SLACK)

    @property
    def agreement(self) -> str:
        """ "yes", or why the parts do not all speak for the statement."""
        if self.disagreements:
            return "NO"
        if self.violated:
            return "violated"
        if self.attacked:
            return "violated by attack"
        if self.errors:
            return "no: errors"
        if self.late:
            return f"no: nothing compared from k = {max(self.late.values())} on"
        return "yes" if self.compared else "no: nothing compared"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**super().as_dict(), "agreement": self.agreement}


@asked
def cross_check(
    theorem: str | Theorem, *, ks: Sequence[int] = (), problems: Sequence[Given] | None = None
) -> CrossCheck:
    """Prove, certify, bound, attack and verify one statement, and compare what they say.

    Args:
        ks: indices, by default the first two that the statement is about, from 1 on.
        problems: on which it is verified, each as ``subject`` takes it; by default ``PROBLEMS``
            admissible ones of the library.

    Raises OpcheckError for a statement that has no meaning: that is refused by every part alike.
    """
    entry = theorem_of(theorem)
    well_posed(entry)
    first = max(entry.first, 1)
    certified: dict[int, str] = {}
    bounded: dict[int, float] = {}
    open_by: dict[int, float] = {}
    reached: dict[int, float] = {}
    ends: list[Reached] = []
    for k in indices(ks) if len(ks) else (first, first + 1):
        ratios = _certified(entry, k)
        if ratios:
            certified[k] = str(min(ratios))
        with contextlib.suppress(OpcheckError):
            case = worst(entry, k)
            bounded[k], open_by[k] = case.ratio, case.error
        with contextlib.suppress(OpcheckError):
            tried = attack(entry, k, budget=BUDGET)
            for reach in tried.reached:  # a long run stands at a k of its own
                reached[reach.k] = max(reach.ratio, reached.get(reach.k, 0.0))
            ends += tried.ends
    verdicts = _verdicts(entry, problems)
    said = CrossCheck(
        theorem=entry.name,
        proof=attempt(entry).status,
        certified=certified,
        worst=bounded,
        worst_error=open_by,
        reached=reached,
        problems=len(verdicts),
        compared=sum(v.compared for v in verdicts),
        violated=tuple(v.problem for v in verdicts if v.status == "violated"),
        errors=tuple((v.problem, v.reason) for v in verdicts if v.status == "error"),
        disagreements=(),
        late=Summary(entry, tuple(verdicts)).late,
        at_ends={r.at: r.ratio for r in sorted(ends, key=lambda reach: reach.ratio)},
    )
    return replace(said, disagreements=(*_disagreements(entry, said), *_at_ends(entry, ends)))


def _certified(theorem: Theorem, k: int) -> list[Fraction]:
    """Multiples of the bound that are certified: by its argument and, by the solver, without it."""
    ratios = []
    bare = [without_proof(theorem)] if theorem.proof is not None else []
    for statement in [theorem, *bare]:
        try:
            ratios.append(certify(statement, k).ratio)
        except NotCertified:
            continue
        except OpcheckError:
            break
    return ratios


def _verdicts(theorem: Theorem, problems: Sequence[Given] | None) -> list[Verdict]:
    """Of a theorem on the problems to which it applies."""
    verdicts: list[Verdict] = []
    for problem in in_order(theorem) if problems is None else map(subject, problems):
        if problems is None and len(verdicts) == PROBLEMS:
            break
        verdict = confront(theorem, problem)
        verdicts += [verdict] if verdict.status != "inapplicable" else []
    return verdicts


def _disagreements(theorem: Theorem, said: CrossCheck) -> Iterator[str]:
    """Sentences on any two parts of which one refutes what the other has shown."""
    if said.proof == "proved" and theorem.claim != "must fail":
        for name in said.violated:
            yield f"proved, and violated on {name}"
        for k, value in said.reached.items():
            if value > 1 + SLACK:
                yield (
                    f"proved, and an operator of its class reaches {value:.9g} times the bound at "
                    f"k = {k}"
                )
        for at, value in said.at_ends.items():
            if value > 1 + SLACK:
                reached = f"reaches {value:.9g} times the bound at {at}"
                yield f"proved, and an operator of its class {reached}"
    for k, value in said.reached.items():
        if k in said.certified and value > float(Fraction(said.certified[k])) * (1 + SLACK):
            yield (
                f"certified at {said.certified[k]} times the bound at k = {k}, and an operator "
                f"reaches {value:.9g}"
            )
        slack = SLACK + said.worst_error.get(k, 0.0)
        if k in said.worst and value > said.worst[k] * (1 + SLACK) + slack:
            yield (
                f"the worst case at k = {k} is {said.worst[k]:.9g} times the bound, and an "
                f"operator reaches {value:.9g}"
            )
    for k, value in said.worst.items():
        # a declared argument may use more than the solver's inequalities
        at_bound = said.certified.get(k) == "1" and theorem.proof is None
        if at_bound and value > 1 + 10 * ABOVE + said.worst_error.get(k, 0.0):
            yield f"certified at the bound at k = {k}, where the worst case is {value:.9g} times it"


def _at_ends(theorem: Theorem, ends: Sequence[Reached]) -> Iterator[str]:
    """Sentences on what an attack reached at an end of a range, beyond the worst case there."""
    for reach in ends:
        try:
            values: dict[str, Any] = {**reach.values}
            horizon = reach.k + plan(theorem).in_steps
            if takes_long(calls(setting(theorem, reach.k, horizon, fixed=values), horizon)):
                continue  # an inner loop may be of any length at the end of a range
            case = worst(theorem, reach.k, **values)
        except OpcheckError:
            continue
        bound = case.ratio
        # where ratios are small a solver is exact in units of the bound alone
        if reach.ratio > bound * (1 + SLACK) + 10 * ABOVE + case.error:
            yield (
                f"the worst case at k = {reach.k}, {reach.at}, is {bound:.9g} times the bound, and "
                f"an operator reaches {reach.ratio:.9g}"
            )


def contradictions(result: Report | Verdict) -> list[str]:
    """Sentences about theorems that are proved, and that a run violates all the same."""
    return [
        f"{v.theorem} is proved, and violated on {v.problem}" for v in _proved(result, ours=True)
    ]


def suspicions(result: Report | Verdict) -> list[str]:
    """Sentences about problems of others on which a theorem is violated that is proved."""
    return [
        f"{v.theorem} is proved, so something that is stated of {v.problem} (a fact, its solution) "
        "is wrong: opcheck check tells what"
        for v in _proved(result, ours=False)
    ]


def _proved(result: Report | Verdict, *, ours: bool) -> list[Verdict]:
    """The first violation of each theorem that is proved, on problems of opcheck or of others."""
    summaries = () if isinstance(result, Verdict) else result.summaries
    verdicts = [v for s in summaries for v in s.verdicts]
    verdicts += [result] if isinstance(result, Verdict) else []
    own = {p.name for p in library() if _is_ours(p.name)}
    first: dict[str, Verdict] = {}
    for v in verdicts:
        known = v.problem.removesuffix(" (mean)") in own and v.provenance in ("exact", "certified")
        if v.status == "violated" and known is ours:
            first.setdefault(v.theorem, v)
    return [v for name, v in first.items() if attempt(name).status == "proved"]


def _is_ours(problem: str) -> bool:
    """Whether a problem's family comes with opcheck."""
    family = registry.get("problems", problem.partition("(")[0])
    return bool(family.function.__module__.partition(".")[0] in TRUSTED)


def _of(name: str) -> CrossCheck:
    return cross_check(name)


def cross_checks(
    names: Sequence[str], *, jobs: int = 1, progress: Callable[[str], None] | None = None
) -> list[CrossCheck]:
    """Each theorem by name."""
    return over_processes(_of, names, jobs, progress)
