"""Our own parts against each other: what one has shown, no other may refute.

A theorem that is proved and a run that violates it, a certificate below what an operator reaches,
an upper bound below a lower one: each is an error of ours, whichever part is wrong.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from opcheck import registry
from opcheck.engine.jit import TRUSTED
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import NotCertified, certify
from opcheck.evidence.proofs.prove import attempt
from opcheck.evidence.simulation.verify import Report, confront, library
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.worst_case import ABOVE, worst
from opcheck.model.brief import brief
from opcheck.model.problem import Problem
from opcheck.model.theorem import Theorem
from opcheck.model.verdict import Verdict
from opcheck.processes import over_processes

PROBLEMS = 8  # of the library that are run for each statement
BUDGET = 120  # operators that an attack tries at each k
SLACK = 1e-6  # of a ratio: what a solver's tolerance and rounding may make


@brief
@dataclass(frozen=True)
class CrossCheck:
    """What each part says of one statement.

    Attributes:
        proof: "proved", "in part", "not proved", "none" or "refused".
        certified: by k, the multiple of the bound that is certified; none where that failed.
        worst: by k, measured/bound in the worst case by the solver.
        reached: by k, the largest measured/bound that the attack reached.
        problems: on how many it was run.
        violated: those on which a run violates it.
        disagreements: sentences; each is an error of opcheck.
    """

    theorem: str
    proof: str
    certified: dict[int, str]
    worst: dict[int, float]
    reached: dict[int, float]
    problems: int
    violated: tuple[str, ...]
    disagreements: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no two parts disagree."""
        return not self.disagreements

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)


def cross_check(
    theorem: str | Theorem, *, ks: Sequence[int] = (), problems: Sequence[Problem] | None = None
) -> CrossCheck:
    """Prove, certify, bound, attack and verify one statement, and compare what they say.

    Args:
        ks: indices, by default the first two that the statement is about, from 1 on.
        problems: on which it is verified; by default ``PROBLEMS`` admissible ones of the library.

    Raises OpcheckError for a statement that has no meaning: that is refused by every part alike.
    """
    entry: Theorem = registry.get("theorems", theorem) if isinstance(theorem, str) else theorem
    well_posed(entry)
    first = max(entry.first, 1)
    chosen = list(ks) or [first, first + 1]
    proof = attempt(entry).status
    certified: dict[int, Fraction] = {}
    bounded: dict[int, float] = {}
    reached: dict[int, float] = {}
    for k in chosen:
        bare = dataclasses.replace(entry, proof=None)
        for statement in (entry, bare) if entry.proof is not None else (entry,):
            # with its argument and, by the solver, without it
            try:
                ratio = certify(statement, k).ratio
                certified[k] = min(ratio, certified.get(k, ratio))
            except NotCertified:
                pass
            except OpcheckError:
                break
        with contextlib.suppress(OpcheckError):
            bounded[k] = worst(entry, k).ratio
        with contextlib.suppress(OpcheckError):
            reached[k] = attack(entry, k, budget=BUDGET, ends=False).ratio
    tried, violated = _violations(entry, problems)
    return CrossCheck(
        entry.name,
        proof,
        {k: str(v) for k, v in certified.items()},
        bounded,
        reached,
        tried,
        tuple(violated),
        tuple(_disagreements(entry, proof, certified, bounded, reached, violated)),
    )


def _violations(theorem: Theorem, problems: Sequence[Problem] | None) -> tuple[int, list[str]]:
    """On how many problems a theorem was run, and those that violate it."""
    violated, tried = [], 0
    for problem in library() if problems is None else problems:
        if problems is None and tried == PROBLEMS:
            break
        verdict = confront(theorem, problem)
        tried += verdict.status != "inapplicable"
        if verdict.status == "violated":
            violated.append(verdict.problem)
    return tried, violated


def _disagreements(
    theorem: Theorem,
    proof: str,
    certified: dict[int, Fraction],
    bounded: dict[int, float],
    reached: dict[int, float],
    violated: Sequence[str],
) -> list[str]:
    sentences = []
    if proof == "proved" and theorem.claim != "must fail":
        sentences += [f"proved, and violated on {name}" for name in violated]
        sentences += [
            f"proved, and an operator of its class reaches {value:.9g} times the bound at k = {k}"
            for k, value in reached.items()
            if value > 1 + SLACK
        ]
    for k, value in reached.items():
        if k in certified and value > float(certified[k]) * (1 + SLACK):
            sentences.append(
                f"certified at {certified[k]} times the bound at k = {k}, and an operator reaches "
                f"{value:.9g}"
            )
        if k in bounded and value > bounded[k] * (1 + SLACK) + SLACK:
            sentences.append(
                f"the worst case at k = {k} is {bounded[k]:.9g} times the bound, and an operator "
                f"reaches {value:.9g}"
            )
    for k, value in bounded.items():
        if certified.get(k) == 1 and value > 1 + 10 * ABOVE and theorem.proof is None:
            sentences.append(
                f"certified at the bound at k = {k}, where the worst case is {value:.9g} times it"
            )
    return sentences


def contradictions(found: Report | Verdict) -> list[str]:
    """Sentences about theorems that are proved, and that a run violates all the same."""
    verdicts = (
        [found] if isinstance(found, Verdict) else [v for s in found.summaries for v in s.verdicts]
    )
    return [
        f"{v.theorem} is proved, and violated on {v.problem}" for v in _proved(verdicts, ours=True)
    ]


def suspicions(found: Report | Verdict) -> list[str]:
    """Sentences about problems of others on which a theorem is violated that is proved."""
    verdicts = (
        [found] if isinstance(found, Verdict) else [v for s in found.summaries for v in s.verdicts]
    )
    return [
        f"{v.theorem} is proved, so something that is stated of {v.problem} (a fact, its solution) "
        "is wrong: opcheck check tells what"
        for v in _proved(verdicts, ours=False)
    ]


def _proved(verdicts: Sequence[Verdict], *, ours: bool) -> list[Verdict]:
    """The first violation of each theorem that is proved, on problems of opcheck or of others."""
    own = {p.name for p in library() if _is_ours(p.name)}
    first: dict[str, Verdict] = {}
    for v in verdicts:
        known = v.problem.removesuffix(" (mean)") in own and v.provenance in ("exact", "certified")
        if v.status == "violated" and known is ours:
            first.setdefault(v.theorem, v)
    return [v for n, v in first.items() if attempt(registry.get("theorems", n)).status == "proved"]


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
