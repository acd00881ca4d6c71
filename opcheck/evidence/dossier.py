"""Which rungs of the evidence ladder a theorem stands on, with the numbers and the commands.

Simulated on the library, attacked over its class, worst case by the solver, certified in rationals
at some k and at one choice of constants and parameters, proved for all of them. Beside the ladder:
tight, where the bound is met or nearly so on a concrete problem, and hypotheses needed, where the
statement fails on one that lacks a hypothesis. Each says what it is about, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from opcheck import registry
from opcheck.arguments import asked
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import NotCertified, attempts, certify
from opcheck.evidence.proofs import prove
from opcheck.evidence.simulation.mutants import Mutant, hypothesis_mutants
from opcheck.evidence.simulation.ratios import largest_ratios
from opcheck.evidence.simulation.verify import Report, Summary, summary
from opcheck.evidence.worst_case.attack import Attack, attack
from opcheck.evidence.worst_case.worst_case import ABOVE, each, worst
from opcheck.model.drawn import Drawn
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem, theorem_of
from opcheck.model.verdict import Verdict
from opcheck.processes import over_processes

SPEAKS = ("holds", "attained")  # verdicts that are evidence for a theorem
TIGHT = 1e-4  # how close measured/bound comes to 1 where a bound is called tight
FAR = 1000  # steps of the long runs of the attack
REFUTED = "violated by attack"
REACHED = 0.9  # of the solver's value: an attack that reaches less says so
STEPS = 5  # k that a dossier looks at, from the theorem's first on


@dataclass(frozen=True)
class Rung(Result):
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


@dataclass(frozen=True)
class Standing(Result):
    """The highest of the first five rungs, and whether the other two are there.

    Attributes:
        rung: "simulated", "attacked", "worst case", "certified" or "proved"; "" for none.
        tight: the bound is met, or nearly so, on a problem of the library.
        needed: without some hypothesis the statement fails on one.
        refuted: what an attack reached beyond the bound, "" where none was run or it stays below:
            then the theorem stands on no rung.
    """

    theorem: str
    rung: str
    tight: bool
    needed: bool
    refuted: str = ""

    def __str__(self) -> str:
        """As in ``certified, tight, needed``."""
        if self.refuted:
            return f"{REFUTED}: {self.refuted}"
        marks = (self.rung, "tight" * self.tight, "needed" * self.needed)
        return ", ".join(mark for mark in marks if mark)


@dataclass(frozen=True)
class Dossier(Drawn, Result):
    """The seven rungs of one theorem, in order."""

    theorem: str
    rungs: tuple[Rung, ...]
    picture: ClassVar[str] = "tightness"

    def rung(self, name: str) -> Rung:
        """The rung of that name. Raises OpcheckError for none."""
        for entry in self.rungs:
            if entry.name == name:
                return entry
        raise OpcheckError(f"no rung {name!r}; there are {', '.join(r.name for r in self.rungs)}")

    @property
    def standing(self) -> Standing:
        """The highest of them."""
        *ladder, tight, needed = self.rungs
        refuted = self.rungs[1].data.get("refuted", "")
        if refuted:
            return Standing(self.theorem, "", False, False, refuted)
        reached = [r.name for r in ladder if r.stands]
        return Standing(self.theorem, reached[-1] if reached else "", tight.stands, needed.stands)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        standing = self.standing
        return {**asdict(self), **_marks(standing)}


def _marks(standing: Standing) -> dict[str, Any]:
    """What a theorem stands on, for JSON."""
    marks = {"rung": standing.rung, "tight": standing.tight, "needed": standing.needed}
    return {**marks, "refuted": standing.refuted}


@asked
def dossier(theorem: str | Theorem) -> Dossier:
    """All evidence for a theorem. Raises OpcheckError for an unknown name."""
    entry = theorem_of(theorem)
    simulated = summary(entry)
    tried: Attack | OpcheckError
    try:
        tried = attack(entry, _ks(entry), far=FAR)
        reached = {reach.k: reach.ratio for reach in tried.reached}
    except OpcheckError as refused:
        tried, reached = refused, {}
    return Dossier(
        entry.name,
        (
            _simulated(simulated, [*largest_ratios(entry).rows()]),
            _attacked(entry, tried),
            _bounded(entry, reached),
            _certified(entry),
            _proved(entry),
            _tight(simulated),
            _needed(entry),
        ),
    )


def _simulated(over: Summary, against_k: list[dict[str, Any]]) -> Rung:
    name, top = over.theorem.name, over.worst
    count = len(over.admissible)
    undecided = sum(v.status == "inconclusive" for v in over.verdicts)
    says = [f"{over.status} on {count} problems" + (f", {undecided} undecided" * bool(undecided))]
    if top is not None:
        says.append(f"measured/bound {_ratio(top.ratio)} on {top.problem} at k = {top.k}")
    says += [over.reason] if over.late else []
    says += [over.words_of_a] if over.words_of_a else []
    says += [f"not entered: {hole}" for hole in over.holes]
    data = {
        "status": over.status,
        "problems": count,
        "undecided": undecided,
        "ratio": top.ratio if top else None,
        "where": top.problem if top else None,
        "k": top.k if top else None,
        "against_k": against_k,
    }
    stands = over.status in SPEAKS
    return Rung("simulated", stands, tuple(says), f"opcheck verify {name}", data)


def _attacked(theorem: Theorem, tried: Attack | OpcheckError) -> Rung:
    """From below, by search."""
    command = f"opcheck attack {theorem.name}"
    if isinstance(tried, OpcheckError):
        return Rung("attacked", False, (_short(theorem, tried),), command)
    top, ks = tried.worst, _span(theorem)
    says = (
        f"measured/bound {_ratio(top.ratio)} at k = {top.k} by {top.operator}",
        f"{sum(reach.runs for reach in tried.reached)} operators at {_numbers(tried)}",
    )
    data = {**tried.as_dict(), "refuted": _refutation(tried)}
    return Rung("attacked", tried.ok, says, f"{command} {ks}", data)


def _refutation(tried: Attack) -> str:
    """What an attack reached beyond the bound, as ``1.0072 times the bound at k = 1``."""
    top = tried.worst
    how = "shown exactly" if top.confirmed else "in float64"
    return "" if tried.ok else f"{_ratio(top.ratio)} times the bound at k = {top.k}, {how}"


def _bounded(theorem: Theorem, reached: Mapping[int, float]) -> Rung:
    """From above, by the solver, beside what the search reached."""
    lines, rows = [], []
    stands = True
    try:
        for k, case in zip(_ks(theorem), each(theorem, _ks(theorem)), strict=False):
            stands &= case.ratio <= 1 + ABOVE
            below = reached.get(k)
            at = "every k" if case.covers.every else f"k = {k}"
            line = f"{at}: worst/bound {_ratio(case.ratio)}"
            if below is not None:
                line += f", reached {_ratio(below)}"
                if below < REACHED * case.ratio:
                    line += f"; the search reaches {below / case.ratio:.2f} of it"
            lines.append(line)
            rows.append({"k": k, "ratio": case.ratio, "attack": below})
    except OpcheckError as reason:
        lines, stands = [_short(theorem, reason)], False
    command = f"opcheck worst {theorem.name} {_span(theorem)}"
    return Rung("worst case", stands, tuple(lines), command, {"rows": rows})


def _ks(theorem: Theorem) -> range:
    """The k that a dossier looks at."""
    first = max(theorem.first, 1)
    return range(first, first + STEPS)


def _span(theorem: Theorem) -> str:
    return f"-k {_ks(theorem)[0]}..{_ks(theorem)[-1]}"


def _numbers(tried: Attack) -> str:
    both = {**tried.constants, **tried.parameters}
    return ", ".join(f"{n} = {v}" for n, v in both.items()) or "no parameters"


def _ratio(value: float) -> str:
    """Six digits; 1 is 1 only to rounding."""
    shown, off = f"{value:.6g}", value - 1
    if shown != "1" or abs(off) < 1e-12:
        return shown
    return f"1 {'−' if off < 0 else '+'} {abs(off):.0e}"


def _short(theorem: Theorem, reason: OpcheckError | str) -> str:
    return str(reason).removeprefix(f"{theorem.name}: ")


def _certified(theorem: Theorem) -> Rung:
    tried = attempts(theorem, _ks(theorem))
    whole = [a for a in tried if a.at_bound]
    says = []
    if whole and whole[0].certificate and whole[0].certificate.covers.every:
        says = [str(whole[0].certificate.covers).replace("every k:", "for every k:")]
    elif whole:
        says = ["for every operator of the class at k = " + ", ".join(str(a.k) for a in whole)]
    says += [f"at one choice: {choice}" for choice in dict.fromkeys(a.choice for a in whole)]
    says += dict.fromkeys(_short(theorem, a.reason) for a in tried if a.reason)
    says += dict.fromkeys(_short(theorem, note) for a in tried for note in a.notes)
    data = {"k": [a.k for a in whole], "how": [a.cell for a in tried]}
    command = f"opcheck certify {theorem.name} {_span(theorem)} --out proofs"
    return Rung("certified", bool(whole), tuple(says), command, data)


def _proved(theorem: Theorem) -> Rung:
    tried = prove.attempt(theorem)
    data: dict[str, Any] = {"status": tried.status}
    says = ["no potential argument is declared"]
    if tried.proved is not None:
        potential = tried.proved.potential
        says = [f"for {tried.proved.covers}, all admissible real parameters, in every dimension"]
        says += [f"the author remarks: {tried.proved.remark}"] if tried.proved.remark else []
        says += [f"V = {potential}"] if potential else []
        written = f"opcheck prove {theorem.name} --rocq {theorem.name}.v --check"
        says += [f"for Rocq's kernel to check: {written}"]
        data |= {"covers": tried.proved.covers, "potential": potential}
    elif tried.status == "none" and tried.reason:
        says = [f"no potential argument is declared: {tried.reason}"]
    elif tried.reason:
        says = [_short(theorem, tried.reason)]
    return Rung(
        "proved", tried.status == "proved", tuple(says), f"opcheck prove {theorem.name}", data
    )


def _tight(over: Summary) -> Rung:
    top = over.worst
    stands = _is_tight(over)
    if top is None or not stands:
        says = [f"{_ratio(top.ratio)} of the bound is the most that is reached"] if top else []
    else:
        how = "met with equality" if over.status == "attained" else f"{_ratio(top.ratio)} reached"
        at = ", ".join(f"{n} = {v:.6g}" for n, v in top.parameters.items() if n not in ("R", "K"))
        says = [f"{how} on {top.problem} at k = {top.k}" + (f", {at}" if at else "")]
    data = {"where": top.problem, "k": top.k, "ratio": top.ratio} if top and stands else {}
    command = f"opcheck verify {over.theorem.name}"
    return Rung("tight", stands, tuple(says or ["nothing was decided"]), command, data)


def _is_tight(over: Summary) -> bool:
    """Whether the bound is met, or nearly so, on a problem."""
    top = over.worst
    if over.theorem.claim in ("equality", "must fail") or top is None:
        return False
    return over.status == "attained" or (over.status == "holds" and top.ratio >= 1 - TIGHT)


def _needed(theorem: Theorem) -> Rung:
    dropped = hypothesis_mutants(theorem)
    says = [
        f"{m.change} it fails on {m.by.partition(' on ')[2]}"
        if m.caught
        else f"{m.change} nothing in the library breaks it"
        for m in dropped
    ]
    if not dropped:
        says = ["no hypothesis to drop"]
    data = {"dropped": {m.change.removeprefix("without "): m.by for m in dropped}}
    stands = any(m.caught for m in dropped)
    command = f"opcheck verify {theorem.name} --mutants"
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
    standing = over_processes(_standing, [n for n in names if n in good], jobs, progress)
    known = {entry.theorem: entry for entry in standing}
    tight = {s.theorem.name for s in report.summaries if _is_tight(s)}
    return {
        name: replace(known[name], tight=name in tight and not known[name].refuted)
        if name in known
        else Standing(name, "", False, False)
        for name in names
    }


def in_a_word(over: Summary, standing: Standing | None = None) -> str:
    """The verdict over all problems; one that an attack refutes isn't said to hold."""
    if standing is not None and standing.refuted:
        return REFUTED
    must = over.theorem.claim == "must fail" and over.status == "holds"
    return "fails, as it must" if must else over.status


def document(
    result: Report | Verdict,
    standing: Mapping[str, Standing],
    planted: Sequence[Mutant] | None = None,
) -> dict[str, Any]:
    """Plain data of a report, with what each theorem stands on and the errors that were planted."""
    data = result.as_dict()
    for row in data["theorems"] if standing else ():
        of_theorem = standing[row["name"]]
        row |= _marks(of_theorem)
    return data if planted is None else {**data, "mutants": planted}


def _standing(name: str) -> Standing:
    theorem: Theorem = registry.get("theorems", name)
    proved = prove.attempt(theorem).status == "proved"
    rung, refuted = ("proved", "") if proved else _highest(theorem)
    if refuted:
        return Standing(name, "", False, False, refuted)
    return Standing(name, rung, False, any(m.caught for m in hypothesis_mutants(name)))


def _highest(theorem: Theorem) -> tuple[str, str]:
    """The highest rung below a proof, and what an attack, where it was run, refutes it by."""
    k = max(theorem.first, 1)
    try:
        if certify(theorem, k).ratio <= 1:
            return "certified", ""
    except NotCertified:
        pass
    except OpcheckError:
        return _from_below(theorem, k)
    try:
        if worst(theorem, k).ratio <= 1 + ABOVE:
            return "worst case", ""
    except OpcheckError:
        pass
    return _from_below(theorem, k)


def _from_below(theorem: Theorem, k: int) -> tuple[str, str]:
    try:
        tried = attack(theorem, k)
    except OpcheckError:
        return "simulated", ""
    return "attacked" * tried.ok, _refutation(tried)
