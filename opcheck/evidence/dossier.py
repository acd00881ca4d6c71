"""Which rungs of the evidence ladder a theorem stands on, with the numbers and the commands.

Simulated on the library, attacked over its class, worst case by the solver, certified in rationals
at some k and at one choice of constants and parameters, proved for all of them. Beside the ladder:
tight, where the bound is met or nearly so on a concrete problem, and hypotheses needed, where the
statement fails on one that lacks a hypothesis. Each says what it is about, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import NotCertified, attempts, certify
from opcheck.evidence.proofs import prove
from opcheck.evidence.simulation.mutants import hypothesis_mutants
from opcheck.evidence.simulation.verify import Report, Summary, summary
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.worst_case import ABOVE, worst
from opcheck.model.brief import brief
from opcheck.model.theorem import Theorem
from opcheck.processes import over_processes

SPEAKS = ("holds", "attained")  # verdicts that are evidence for a theorem
TIGHT = 1e-4  # how close measured/bound comes to 1 where a bound is called tight
FAR = 1000  # steps of the long runs of the attack
REACHED = 0.9  # of the solver's value: an attack that reaches less says so
STEPS = 5  # k that a dossier looks at, from the theorem's first on


@brief
@dataclass(frozen=True)
class Rung:
    """One kind of evidence.

    Attributes:
        stands: whether the theorem has it.
        says: the numbers, or why there are none; one line each.
        command: that reproduces them.
        data: the numbers, plain.
    """

    name: str
    stands: bool
    says: tuple[str, ...]
    command: str
    data: dict[str, Any] = field(default_factory=dict)


@brief
@dataclass(frozen=True)
class Standing:
    """The highest of the first five rungs, and whether the other two are there.

    Attributes:
        rung: "simulated", "attacked", "worst case", "certified" or "proved"; "" for none.
        tight: the bound is met, or nearly so, on a problem of the library.
        needed: without some hypothesis the statement fails on one.
    """

    theorem: str
    rung: str
    tight: bool
    needed: bool

    def __str__(self) -> str:
        """As in ``certified, tight, needed``."""
        marks = (self.rung, "tight" * self.tight, "needed" * self.needed)
        return ", ".join(mark for mark in marks if mark)


@brief
@dataclass(frozen=True)
class Dossier:
    """The seven rungs of one theorem, in order."""

    theorem: str
    rungs: tuple[Rung, ...]

    @property
    def standing(self) -> Standing:
        """The highest of them."""
        *ladder, tight, needed = self.rungs
        reached = [r.name for r in ladder if r.stands]
        return Standing(self.theorem, reached[-1] if reached else "", tight.stands, needed.stands)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        standing = self.standing
        marks = {"rung": standing.rung, "tight": standing.tight, "needed": standing.needed}
        return {**asdict(self), **marks}


def dossier(name: str | Theorem) -> Dossier:
    """All evidence for a theorem. Raises OpcheckError for an unknown name."""
    name = name if isinstance(name, str) else name.name
    theorem: Theorem = registry.get("theorems", name)
    ks = range(max(theorem.first, 1), max(theorem.first, 1) + STEPS)
    found = summary(name)
    ladder = (_simulated(found), *_searched(name, ks), _certified(name, ks), _proved(theorem))
    return Dossier(name, (*ladder, _tight(found), _needed(name)))


def _simulated(found: Summary) -> Rung:
    name, top = found.theorem.name, found.worst
    count, undecided = (
        len(found.admissible),
        sum(v.status == "inconclusive" for v in found.verdicts),
    )
    says = [f"{found.status} on {count} problems" + (f", {undecided} undecided" * bool(undecided))]
    if top is not None:
        says.append(f"measured/bound {_ratio(top.ratio)} on {top.problem} at k = {top.k}")
    says += [f"not entered: {hole}" for hole in found.holes]
    data = {
        "status": found.status,
        "problems": count,
        "undecided": undecided,
        "ratio": top.ratio if top else None,
        "where": top.problem if top else None,
        "k": top.k if top else None,
    }
    stands = found.status in SPEAKS
    return Rung("simulated", stands, tuple(says), f"opcheck verify {name}", data)


def _searched(name: str, ks: Sequence[int]) -> tuple[Rung, Rung]:
    """From below by search, and from above by the solver."""
    span = f"-k {ks[0]}..{ks[-1]}"
    lower: dict[int, float] = {}
    try:
        tried = attack(name, ks, far=FAR)
        lower = {one.k: one.ratio for one in tried.found}
        top = tried.worst
        says: tuple[str, ...] = (
            f"measured/bound {_ratio(top.ratio)} at k = {top.k} by {top.operator}",
            f"{sum(one.runs for one in tried.found)} operators at {_chosen(tried)}",
        )
        data: dict[str, Any] = tried.as_dict()
        attacked = Rung("attacked", tried.ok, says, f"opcheck attack {name} {span}", data)
    except OpcheckError as reason:
        attacked = Rung("attacked", False, (_short(name, reason),), f"opcheck attack {name}")
    lines, rows = [], []
    stands = True
    try:
        for k in ks:
            one = worst(name, k)
            stands &= one.ratio <= 1 + ABOVE
            below = f", reached {_ratio(lower[k])}" if k in lower else ""
            lines.append(f"k = {k}: worst/bound {_ratio(one.ratio)}{below}")
            if k in lower and lower[k] < REACHED * one.ratio:
                lines[-1] += f"; the search reaches {lower[k] / one.ratio:.2f} of it"
            rows.append({"k": k, "ratio": one.ratio, "attack": lower.get(k)})
            if one.covers.startswith("every"):
                lines[-1] = lines[-1].replace(f"k = {k}", "every k", 1)
                break
    except OpcheckError as reason:
        lines, stands = [_short(name, reason)], False
    return attacked, Rung(
        "worst case", stands, tuple(lines), f"opcheck worst {name} {span}", {"rows": rows}
    )


def _chosen(found: Any) -> str:
    both = {**found.constants, **found.parameters}
    return ", ".join(f"{n} = {v}" for n, v in both.items()) or "no parameters"


def _ratio(value: float) -> str:
    """Six digits; 1 is 1 only to rounding."""
    shown, off = f"{value:.6g}", value - 1
    if shown != "1" or abs(off) < 1e-12:
        return shown
    return f"1 {'−' if off < 0 else '+'} {abs(off):.0e}"


def _short(name: str, reason: OpcheckError) -> str:
    return str(reason).removeprefix(f"{name}: ")


def _certified(name: str, ks: Sequence[int]) -> Rung:
    found = attempts(name, ks, "middle", "1", {})
    whole = [a for a in found if a.at_bound]
    if whole and whole[0].certificate and whole[0].certificate.covers.startswith("every"):
        says = [whole[0].certificate.covers.replace("every k:", "for every k:")]
    elif whole:
        says = ["for every operator of the class at k = " + ", ".join(str(a.k) for a in whole)]
    else:
        says = []
    says += [f"at one choice: {one}" for one in dict.fromkeys(a.choice for a in whole)]
    says += list(dict.fromkeys(_short(name, OpcheckError(a.reason)) for a in found if a.reason))
    says += list(dict.fromkeys(n.removeprefix(f"{name}: ") for a in found for n in a.notes))
    data = {"k": [a.k for a in whole], "how": [a.cell for a in found]}
    command = f"opcheck certify {name} -k {ks[0]}..{ks[-1]} --out proofs"
    return Rung("certified", bool(whole), tuple(says), command, data)


def _proved(theorem: Theorem) -> Rung:
    found = prove.attempt(theorem)
    data: dict[str, Any] = {"status": found.status}
    says = ["no potential argument is declared"]
    if found.proved is not None:
        potential = found.proved.potential
        says = [f"for {found.proved.covers}, all admissible real parameters, in every dimension"]
        says += [f"the author remarks: {found.proved.remark}"] if found.proved.remark else []
        says += [f"V = {potential}"] if potential else []
        data |= {"covers": found.proved.covers, "potential": potential}
    elif found.reason:
        says = [_short(theorem.name, OpcheckError(found.reason))]
    return Rung(
        "proved", found.status == "proved", tuple(says), f"opcheck prove {theorem.name}", data
    )


def _tight(found: Summary) -> Rung:
    top = found.worst
    stands = _is_tight(found)
    if top is None or not stands:
        says = [f"{_ratio(top.ratio)} of the bound is the most that is reached"] if top else []
    else:
        how = "met with equality" if found.status == "attained" else f"{_ratio(top.ratio)} reached"
        at = ", ".join(f"{n} = {v:.6g}" for n, v in top.parameters.items() if n not in ("R", "K"))
        says = [f"{how} on {top.problem} at k = {top.k}" + (f", {at}" if at else "")]
    data = {"where": top.problem, "k": top.k, "ratio": top.ratio} if top and stands else {}
    command = f"opcheck verify {found.theorem.name}"
    return Rung("tight", stands, tuple(says or ["nothing was decided"]), command, data)


def _is_tight(found: Summary) -> bool:
    """Whether the bound is met, or nearly so, on a problem."""
    top = found.worst
    if found.theorem.claim in ("equality", "must fail") or top is None:
        return False
    return found.status == "attained" or (found.status == "holds" and top.ratio >= 1 - TIGHT)


def _needed(name: str) -> Rung:
    found = hypothesis_mutants(name)
    says = [
        f"{m.change} it fails on {m.by.partition(' on ')[2]}"
        if m.caught
        else f"{m.change} nothing in the library breaks it"
        for m in found
    ]
    if not found:
        says = ["no hypothesis to drop"]
    data = {"dropped": {m.change.removeprefix("without "): m.by for m in found}}
    stands = any(m.caught for m in found)
    command = f"opcheck verify {name} --mutants"
    return Rung("hypotheses needed", stands, tuple(says), command, data)


# ---- for the table of verify ---------------------------------------------------------------------


def standings(
    report: Report, *, jobs: int = 1, progress: Callable[[str], None] | None = None
) -> dict[str, Standing]:
    """The highest rung of each theorem of a report, certified at its first k.

    Looked for from above, so that what costs most is left out where something stronger is known.
    A theorem that is violated, undecided or without a problem stands on none.
    """
    good = {s.theorem.name for s in report.summaries if s.status in SPEAKS}
    names = [s.theorem.name for s in report.summaries]
    found = over_processes(_standing, [n for n in names if n in good], jobs, progress)
    known = {one.theorem: one for one in found}
    tight = {s.theorem.name for s in report.summaries if _is_tight(s)}
    return {
        name: replace(known[name], tight=name in tight)
        if name in known
        else Standing(name, "", False, False)
        for name in names
    }


def _standing(name: str) -> Standing:
    theorem: Theorem = registry.get("theorems", name)
    rung = "proved" if prove.attempt(theorem).status == "proved" else _highest(theorem)
    return Standing(name, rung, False, any(m.caught for m in hypothesis_mutants(name)))


def _highest(theorem: Theorem) -> str:
    k = max(theorem.first, 1)
    try:
        if certify(theorem, k).ratio <= 1:
            return "certified"
    except NotCertified:
        pass
    except OpcheckError:
        return _attacked(theorem, k)
    try:
        if worst(theorem, k).ratio <= 1 + ABOVE:
            return "worst case"
    except OpcheckError:
        pass
    return _attacked(theorem, k)


def _attacked(theorem: Theorem, k: int) -> str:
    try:
        return "attacked" if attack(theorem, k).ok else "simulated"
    except OpcheckError:
        return "simulated"
