"""The main verb: theorems on problems, verdicts in a report."""

from __future__ import annotations

import functools
import itertools
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from opcheck import registry
from opcheck.arguments import asked, integer, words
from opcheck.engine.guard import confirm, guard_method
from opcheck.engine.jit import foreign
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.facts import admit
from opcheck.evidence.operators.subject import Given, method_values, subject
from opcheck.evidence.simulation.adjudication import adjudicate
from opcheck.evidence.simulation.comparison import compare, conclude
from opcheck.evidence.statement.evaluation import needs_solution
from opcheck.evidence.statement.hypotheses import Inapplicable, match
from opcheck.evidence.statement.parameters import Empty, parts
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.model.drawn import Drawn
from opcheck.model.problem import Problem
from opcheck.model.property import Provenance, weakest
from opcheck.model.result import Result
from opcheck.model.theorem import OfA, Theorem, theorem_of
from opcheck.model.verdict import Status, Verdict, fitted_order
from opcheck.processes import over_processes
from opcheck.watchdog import Interrupted

SCHEMA = 1
A_IS: dict[OfA, str] = {  # parts of "A maximally monotone" that a complete coverage enters
    "zero": "0",
    "subdifferential": "a subdifferential",
    "monotone": "no subdifferential",
}


def confront(theorem: Theorem, problem: Problem, **parameters: Any) -> Verdict:
    """The verdict of one theorem on one problem; on a noisy one it is about the mean operator.

    Args:
        parameters: instead of the sample; all that the theorem leaves open.

    Raises OpcheckError for parameters outside the theorem's range. An operator that fails, or a
    declaration that is not one, is a verdict with status ``error``.
    """
    name = f"{problem.name} (mean)" if problem.oracle else problem.name
    blank = Verdict(theorem.name, name, "inapplicable")
    try:
        known = match(theorem, problem)
        if needs_solution(theorem) and problem.solution_near(problem.start) is None:
            return replace(blank, reason="its solution is not known")
        blank = replace(blank, provenance=known.provenance)
        compared = compare(theorem, problem, known, fixed=parameters, weaken=True)
    except Inapplicable as mismatch:
        return replace(blank, reason=str(mismatch))
    except Empty as reason:
        if parameters:
            raise
        return replace(blank, reason=str(reason))
    except OpcheckError as error:
        if parameters:
            raise
        return replace(blank, status="error", reason=str(error))
    decided = [
        adjudicate(theorem, problem, c) if c.close and c.status == "holds" else c for c in compared
    ]
    verdict = conclude(theorem, blank, decided)
    if theorem.A != "monotone" or not verdict.compared:
        return verdict
    kind = {A_IS[_of_a(problem)]: verdict.compared}
    return replace(verdict, entered={**verdict.entered, "A": kind})


def _of_a(problem: Problem) -> OfA:
    """What A of a problem is known to be."""
    if not problem.constrained:
        return "zero"
    return "subdifferential" if problem.resolvent.subdifferential else "monotone"


@dataclass(frozen=True)
class Summary(Result):
    """One theorem over all problems.

    Attributes:
        selected: the problems were named, and are not the library.
        status: ``violated`` if it is anywhere, else ``error``, ``attained``, ``holds``,
            ``inconclusive``, the first that occurs, and ``inconclusive`` too where the statement
            switches at a k that no comparison reached; else ``inapplicable`` to selected problems,
            and ``untried`` over a library, where the statement was confronted with nothing.
        reason: why it was not tried, or not decided anywhere.
        worst: the verdict with the largest measured/bound among those that were decided; for a
            violation the one that shows it.
        provenance: of the weakest constant that a decided verdict used.
    """

    theorem: Theorem
    verdicts: tuple[Verdict, ...]
    selected: bool = False

    @property
    def admissible(self) -> list[Verdict]:
        """Verdicts on the problems that satisfy the hypotheses."""
        return [v for v in self.verdicts if v.status != "inapplicable"]

    @property
    def status(self) -> Status:
        """Over all problems."""
        order: tuple[Status, ...] = ("violated", "error", "attained", "holds", "inconclusive")
        statuses = {v.status for v in self.verdicts}
        status: Status = "inapplicable" if self.selected else "untried"
        status = next((s for s in order if s in statuses), status)
        return "inconclusive" if self.late and status in ("attained", "holds") else status

    @property
    def late(self) -> dict[str, int]:
        """Parts of the statement behind whose switch nothing was compared -> the first such k."""
        decided = [v for v in self.decided if v.switches]
        parts = {part: at for v in reversed(decided) for part, at in v.switches.items()}
        return {
            p: at
            for p, at in parts.items()
            if all(p in v.untried for v in decided if p in v.switches)
        }

    @property
    def ok(self) -> bool:
        """Nothing failed and, over a library, something was decided."""
        failing = ("violated", "error", *(() if self.selected else ("untried", "inconclusive")))
        return self.status not in failing

    @property
    def decided(self) -> list[Verdict]:
        """Verdicts that rest on a comparison."""
        return [v for v in self.admissible if v.status in ("holds", "attained", "violated")]

    @property
    def reason(self) -> str:
        """Why it isn't decided: the commonest reason over all problems; "" where it is."""
        if self.late and self.decided and self.status == "inconclusive":
            part, at = max(self.late.items(), key=lambda item: item[1])
            turn = part.removeprefix("past ")
            return f"nothing was compared from k = {at} on, where {turn} switches"
        said = [v.reason for v in self.admissible if v.reason]
        said = said or [v.reason for v in self.verdicts if _is_a_range(v)]
        said = said or [v.reason for v in self.verdicts if v.reason]
        if self.status not in ("untried", "inconclusive") or not said:
            return ""
        return max(dict.fromkeys(said), key=said.count)

    @property
    def worst(self) -> Verdict | None:
        """Where measured/bound is largest."""
        pool = [v for v in self.decided if v.status == "violated"]
        return max(pool or self.decided, key=lambda v: (v.ratio, v.k), default=None)

    @property
    def entered(self) -> dict[str, dict[str, int]]:
        """Symbol -> part of its range -> comparisons decided there, over all problems.

        Of a theorem about every maximally monotone A also "A" -> what A was.
        """
        counts: dict[str, dict[str, int]] = {
            symbol: dict.fromkeys(some, 0) for symbol, some in parts(self.theorem).items()
        }
        if self.theorem.A == "monotone" and not self.theorem.on:
            counts["A"] = dict.fromkeys(A_IS.values(), 0)
        for v in self.verdicts:
            for symbol, cover in v.entered.items():
                own = counts.setdefault(symbol, {})
                for part, count in cover.items():
                    own[part] = own.get(part, 0) + count
        return counts

    @property
    def words_of_a(self) -> str:
        """On how many problems A was what, of a theorem about every maximally monotone A."""
        if "A" not in self.entered:
            return ""
        kinds = [kind for v in self.decided for kind in v.entered.get("A", ())]
        return "A was " + ", ".join(f"{kind} on {kinds.count(kind)}" for kind in A_IS.values())

    @property
    def holes(self) -> list[str]:
        """Parts of the hypothesis range in which nothing was decided, as ``rho: negative low``.

        Of a statement about one family, whose constants are not free, ρ < 0 is one part.
        """
        holes = []
        for symbol, cover in self.entered.items():
            empty = [part for part, count in cover.items() if not count]
            if symbol == "rho" and self.theorem.on and len(empty) < len(parts(self.theorem)["rho"]):
                empty = []
            holes += [f"{symbol}: {part}" for part in empty]
        return holes

    @property
    def order(self) -> float | None:
        """Fitted exponent p of the worst case over all problems, measured ~ k^p."""
        return fitted_order([v.profile for v in self.admissible if v.status != "inconclusive"])

    @property
    def provenance(self) -> Provenance:
        """Of the weakest constant that a decided verdict used, or any where none is decided."""
        return weakest(v.provenance for v in self.decided or self.admissible)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        t, worst = self.theorem, self.worst
        return {
            "name": t.name,
            "statement": {
                "method": t.method,
                "given": t.hypotheses,
                "where": t.where,
                "let": dict(t.let),
                "measure": t.measure,
                "bound": t.bound,
                "claim": t.claim,
                "order": t.order,
                "source": str(t.source),
            },
            "status": self.status,
            "reason": self.reason,
            "compared": sum(v.compared for v in self.verdicts),
            "entered": self.entered,
            "holes": self.holes,
            "problems": len(self.admissible),
            "ratio": worst.ratio if worst else None,
            "where": worst.problem if worst else None,
            "order": self.order,
            "provenance": self.provenance,
            "verdicts": [v.as_dict() for v in self.verdicts],
        }


@dataclass(frozen=True)
class Report(Drawn, Result):
    """Verdicts of several theorems over several problems.

    Attributes:
        interrupted: it ended before all theorems were confronted.
    """

    summaries: tuple[Summary, ...]
    interrupted: bool = False
    picture: ClassVar[str] = "ratios"

    @property
    def ok(self) -> bool:
        """All is done, nothing is violated or failed, and nothing passed without a comparison."""
        return not self.interrupted and all(s.ok for s in self.summaries)

    @property
    def covered(self) -> bool:
        """Whether every part of every hypothesis range was entered by decided comparisons."""
        return not self.interrupted and not any(s.holes for s in self.summaries)

    @property
    def worst(self) -> Verdict | None:
        """The verdict with the largest measured/bound, violations first; claims to fail aside."""
        decided = [
            s.worst
            for s in self.summaries
            if s.worst is not None and s.theorem.claim != "must fail"
        ]
        return max(decided, key=lambda v: (v.status == "violated", v.ratio), default=None)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, the same bytes for the same input."""
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "covered": self.covered,
            "interrupted": self.interrupted,
            "not_loaded": registry.failures(),
            "theorems": [s.as_dict() for s in self.summaries],
        }


def _is_a_range(verdict: Verdict) -> bool:
    # "1 / L <= gamma < 1 / L is empty: 1 / L = 1", and not "Monotone of F is not known of it"
    return " fails: " in verdict.reason or " is empty" in verdict.reason


def in_order(theorem: Theorem) -> list[Problem]:
    """The library, in the order in which a theorem meets it.

    One that is about every maximally monotone A first meets those that are no subdifferential: few
    of the library are, and a cover without them would say nothing of such.
    """
    if theorem.A != "monotone":
        return list(library())
    return sorted(library(), key=lambda p: p.resolvent.subdifferential)


COVERAGE = 44  # problems on which a theorem is run unless all are asked for


@functools.cache
def library() -> tuple[Problem, ...]:
    """Every built-in and plugged-in problem: each family's default, then first presets, and so on.

    Negative controls are included: they carry true facts, so a theorem whose hypothesis one breaks
    is inapplicable to it. Raises OpcheckError where a family fails to build.
    """
    # by a hash, so that a cover of a part of them is not one of the first letters
    names = sorted(registry.names("problems"), key=lambda name: zlib.crc32(name.encode()))
    families = [registry.get("problems", name).instances() for name in names]
    for name, problems in zip(names, families, strict=True):
        if foreign(registry.get("problems", name).function):
            for problem in problems:
                admit(problem)
    rounds = itertools.zip_longest(*families)
    return tuple(p for some in rounds for p in some if p is not None)


def summary(
    theorem: str | Theorem, problems: Sequence[Problem] | None = None, *, everything: bool = False
) -> Summary:
    """One theorem over the library, or over given problems.

    Unless ``everything`` is asked for, the first COVERAGE problems that satisfy the hypotheses are
    run; the library's order makes that every family once before any family twice.
    """
    theorem = theorem_of(theorem)
    for family in theorem.on:
        if problems is None and family not in registry.names("problems"):
            raise OpcheckError(
                f"{theorem.name} is about {family!r}, and no problem is named so; "
                "'opcheck list problems' shows them"
            )
    if problems is not None:
        return Summary(theorem, tuple(confront(theorem, p) for p in problems), selected=True)
    verdicts: list[Verdict] = []
    admissible = 0
    for problem in in_order(theorem):
        if admissible < COVERAGE or everything:
            verdicts.append(confront(theorem, problem))
            admissible += verdicts[-1].status != "inapplicable"
    return Summary(theorem, tuple(verdicts))


@asked
def verify(
    selector: str | Theorem | Iterable[str | Theorem] = (),
    problem: Given | None = None,
    *,
    jobs: int = 1,
    progress: Callable[[str], None] | None = None,
    everything: bool = False,
    **parameters: Any,
) -> Report | Verdict:
    """Confront theorems with problems.

    Args:
        selector: a theorem, a prefix of several, or a list of such; all by default.
        problem: one problem instead of the library: whatever ``subject`` takes. Of anything but a
            Problem of which no constants are stated they are searched for, as ``check`` does.
        jobs: processes.
        progress: called with the name of each theorem when it is done.
        everything: every admissible problem, not the first COVERAGE of them.
        parameters: of the method, instead of the sample (with one theorem and one problem).

    Returns:
        A Verdict for one theorem by full name on one problem, else a Report.

    Raises OpcheckError for an unknown name, for parameters outside the theorem's range, for a
    method that fails its guards, and for an operator that changes meanwhile.
    """
    jobs = integer(jobs, "jobs", 1)
    theorems, exact = _selected(selector)
    target = None if problem is None else subject(problem)
    if target is not None:
        admit(target)
    if target is not None and target is not problem:
        from opcheck.evidence.operators.relied_on import (
            with_constants,  # it confronts with theorems, too
        )

        target = with_constants(target)
    for theorem in theorems.values():  # a wrong method is one error, and not one on each problem
        if target or not theorem.on:
            guard_method(theorem.iteration, target.dim if target else 2)
        if not _is_own(theorem):  # of opcheck's own statements that is known by its tests
            well_posed(theorem)
    if target is not None:
        if len(theorems) == 1 and exact:
            numbers = method_values(parameters, target, only_numbers=True)
            verdict = confront(next(iter(theorems.values())), target, **numbers)
            confirm(target)
            return verdict
        if parameters:
            raise OpcheckError("parameters go with one theorem by its full name and one problem")
        report = Report(tuple(summary(theorem, [target]) for theorem in theorems.values()))
        confirm(target)
        return report
    if parameters:
        raise OpcheckError("parameters go with one theorem by its full name and one problem")
    unregistered = {n: t for n, t in theorems.items() if not _is_registered(t)}
    work = functools.partial(_summary, unregistered, everything=everything)
    try:
        return Report(tuple(over_processes(work, list(theorems), jobs, progress)))
    except Interrupted as stop:
        raise Interrupted(Report(tuple(stop.finished), interrupted=True)) from None


def _is_registered(theorem: Theorem) -> bool:
    return registry.entered("theorems").get(theorem.name) is theorem


def _is_own(theorem: Theorem) -> bool:
    """Whether a statement comes with opcheck."""
    place = registry.place("theorems", theorem.name) if _is_registered(theorem) else ""
    return registry.is_own(place)


def _summary(unregistered: Mapping[str, Theorem], name: str, *, everything: bool) -> Summary:
    return summary(unregistered.get(name, name), everything=everything)


def _selected(
    selector: str | Theorem | Iterable[str | Theorem],
) -> tuple[dict[str, Theorem], bool]:
    """Theorems by name, and whether each is one in full: itself, its name, or a file's.

    A theorem that is given stands for itself, also where another is registered by its name.
    """
    several = [selector] if isinstance(selector, str | Theorem) else selector
    if not isinstance(several, Iterable):
        raise OpcheckError(f"{selector!r} is no theorem; give a name, a theorem, or a list of them")
    several = list(several)
    patterns = words([getattr(p, "name", p) for p in several], "selector")
    theorems: dict[str, Theorem] = {}
    for pattern, entry in zip(patterns, several, strict=True):
        if isinstance(entry, Theorem):
            theorems[entry.name] = entry
        elif pattern:
            for name in registry.select("theorems", [pattern]):
                theorems.setdefault(name, registry.get("theorems", name))
    if not any(patterns):
        theorems = {name: registry.get("theorems", name) for name in registry.names("theorems")}
    return theorems, patterns == list(theorems) or any(".py" in p for p in patterns)
