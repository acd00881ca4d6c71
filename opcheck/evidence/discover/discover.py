"""Search for a potential argument of a statement; ``prove`` alone says whether it is one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.ansatz import Ansatz, bound_of, families, without_potential
from opcheck.evidence.discover.declaration import block, file_of
from opcheck.evidence.discover.material import loop_of, material
from opcheck.evidence.discover.multipliers import Open
from opcheck.evidence.discover.reading import Point, Reading
from opcheck.evidence.discover.room import arguments
from opcheck.evidence.discover.search import Infeasible, Search
from opcheck.evidence.discover.witness import Witness, in_words, witness
from opcheck.evidence.proofs.prove import admits, attempt
from opcheck.evidence.statement.expressible import refusal
from opcheck.model import signature
from opcheck.model.method import resolve
from opcheck.model.proof import Proof
from opcheck.model.property import Property, property_of
from opcheck.model.result import Result
from opcheck.model.theorem import Source, Theorem, theorem_of, without_proof

Outcome = Literal[
    "found", "not proved", "not recovered", "none at a point", "not found", "unreadable"
]
SOURCE = Source("found by opcheck discover", derived=True)


@dataclass(frozen=True)
class Try(Result):
    """One form of a potential that was tried.

    Attributes:
        family: in words.
        terms: what V may be a combination of.
        outcome: "found"; "not proved", where ``prove`` refused what came out; "not recovered",
            where arguments exist at the points and no functions were found; "none at a point",
            where exact weights show that there is none of this form; "not found", where the solver
            says so alone; "unreadable".
        reason: in words.
    """

    family: str
    terms: tuple[str, ...]
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Discovery(Result):
    """What a search for a potential argument came to.

    Attributes:
        proof: accepted by ``prove``; None where nothing was found.
        declaration: the proof as a text to paste into a theorem; "".
        file: a file that declares the statement with it; "".
        tries: every form that was tried, in order.
        finished: whether all were, or the time was up.
    """

    theorem: str
    proof: Proof | None
    declaration: str
    file: str
    tries: tuple[Try, ...]
    finished: bool

    @property
    def ok(self) -> bool:
        """Whether a proof was found."""
        return self.proof is not None

    @property
    def limits(self) -> tuple[str, ...]:
        """Where the form of V ends: a proof of the statement as it is says nothing of that."""
        return ()

    @property
    def sentence(self) -> str:
        """The outcome in words, which claim no more than was done."""
        if self.proof is not None:
            last = self.tries[-1]
            only = f" for {last.reason}" * bool(last.reason)
            return f"{self.theorem}: found, and accepted by prove{only} ({last.family})"
        done = "in the families tried" if self.finished else "in the time given"
        return f"{self.theorem}: nothing found {done}; that refutes nothing"


def discover(
    theorem: str | Theorem,
    *,
    time_limit: float = 60.0,
    progress: Callable[[str], None] = lambda _: None,
) -> Discovery:
    """Search for a potential argument that shows a statement for all k and all parameters.

    A declared proof is not looked at. The result has been accepted by ``prove`` or is none.

    Args:
        time_limit: seconds of work; it is looked at between programs, so a little more may pass.
        progress: told what is tried.

    Raises OpcheckError for an unknown theorem, and one that no potential can show.
    """
    entry = without_proof(theorem_of(theorem))
    in_time = until(time_limit)
    tries: list[Try] = []

    try:
        for ansatz in forms(entry):
            in_time()
            progress(ansatz.family)
            outcome, reason, proof = tried(entry, ansatz, in_time)
            tries.append(Try(ansatz.family, ansatz.terms, outcome, reason))
            if proof is not None:
                proved = with_proof(entry, proof)
                return Discovery(
                    theorem=entry.name,
                    proof=proof,
                    declaration=block(proof),
                    file=file_of(proved),
                    tries=tuple(tries),
                    finished=True,
                )
    except TimeIsUp:
        return Discovery(
            theorem=entry.name,
            proof=None,
            declaration="",
            file="",
            tries=tuple(tries),
            finished=False,
        )
    return Discovery(
        theorem=entry.name, proof=None, declaration="", file="", tries=tuple(tries), finished=True
    )


class TimeIsUp(Exception):
    """The time is up."""


def until(time_limit: float) -> Callable[[], None]:
    """What raises TimeIsUp once so many seconds are over. Raises OpcheckError for none."""
    if not time_limit > 0:
        raise OpcheckError(f"time_limit = {time_limit} must be a positive number of seconds")
    ends = time.monotonic() + time_limit

    def in_time() -> None:
        if time.monotonic() > ends:
            raise TimeIsUp

    return in_time


def _showable(theorem: Theorem) -> None:
    if theorem.claim not in ("upper bound", "one-step"):
        raise OpcheckError(
            f"{theorem.name}: a potential shows upper bounds only, and this is a claim of kind "
            f"{theorem.claim!r}"
        )
    if reason := refusal(theorem):
        raise OpcheckError(f"{theorem.name}: {reason}")
    if theorem.at_least:
        raise OpcheckError(
            f"{theorem.name}: it is about every {', '.join(theorem.at_least)} from what let says "
            "on, and a proof would speak of that alone"
        )
    admits(theorem)


def forms(theorem: Theorem) -> Iterator[Ansatz]:
    """What may be tried of a statement, the smallest first.

    Raises OpcheckError for one that no potential can show.
    """
    _showable(theorem)
    sources = [theorem.measure, theorem.bound]
    try:
        loop = loop_of(theorem)
        offered = material(theorem, loop)
        if theorem.claim == "one-step":
            yield without_potential(theorem, offered, loop)
            return
        first, fixed, period = theorem.first, loop.fixed, loop.period
        bound = bound_of(Reading(theorem, sources, begin=first, fixed=fixed, period=period))
    except (OpcheckError, Undecided) as error:
        sentence = str(error).removeprefix(f"{theorem.name}: ")
        raise OpcheckError(
            f"{theorem.name}: it has no reading on a step for all k at once: {sentence}"
        ) from error
    yield from families(theorem, offered, bound, loop)


def tried(
    theorem: Theorem,
    ansatz: Ansatz,
    in_time: Callable[[], None],
    *,
    thin: Sequence[Point] = (),
) -> tuple[Outcome, str, Proof | None]:
    """The outcome of a form, its reason, and a proof that ``prove`` accepts or None.

    Args:
        in_time: is called between programs; what it raises ends the search.
        thin: further points, at which there is little room: they tell functions apart.
    """
    try:
        search = Search(theorem, ansatz, check=in_time)
        search.points += thin
        search.functions.forget()
        proof = search.proof(search.argument() if ansatz.terms else search.combination())
    except Infeasible as none:
        shown = _witness(search, none.place)
        reason = in_words(search, shown) if shown else str(none)
        return ("none at a point" if shown else "not found"), reason, None
    except Open as open_:
        return _with_room(theorem, search, "not recovered", str(open_))
    except (OpcheckError, Undecided) as error:
        return "unreadable", str(error), None
    judged = attempt(with_proof(theorem, proof))
    if judged.status not in ("proved", "in part"):
        return _with_room(theorem, search, "not proved", judged.reason)
    return "found", judged.proved.only if judged.proved else "", proof


def _with_room(
    theorem: Theorem, search: Search, outcome: Outcome, reason: str
) -> tuple[Outcome, str, Proof | None]:
    """What came of it, unless there is an argument with room."""
    try:
        for argument in arguments(search) if search.terms else ():
            proof = search.proof(argument)
            if attempt(with_proof(theorem, proof)).status == "proved":
                return "found", "", proof
    except (OpcheckError, Undecided):
        pass  # it is told why there was none of the other kind
    return outcome, reason, None


def _witness(search: Search, place: int) -> Witness | None:
    try:
        return witness(search, place)
    except OpcheckError:  # a root, or a pole at an end of the range
        return None


def with_proof(theorem: Theorem, proof: Proof) -> Theorem:
    """The same statement with an argument."""
    bare = without_proof(theorem)
    object.__setattr__(bare, "proof", proof)
    return bare


def claim(
    *,
    method: str,
    given: Sequence[str | Property],
    measure: str,
    bound: str,
    where: str = "",
    let: Mapping[str, str] = {},
    first: int = 0,
    one_step: bool = False,
    constrained: Any = False,
    free: Sequence[str] = (),
    name: str = "claim",
) -> Theorem:
    """A statement that is typed and not registered.

    Args:
        given: properties, as ``Lipschitz(L) of F``; their constants are symbols of the rest.
        where, let, measure, bound, first, constrained, free: as in ``opcheck.theorem``.
        one_step: the bound speaks of step k itself.

    Raises OpcheckError for what is no statement.
    """
    resolve(method)
    properties = [property_of(p) for p in given]
    if not properties:
        raise OpcheckError("a claim needs a hypothesis, as --given 'Lipschitz(L) of F'")
    for prop in properties:
        if prop.kind.better is None and prop.constant not in (None, ""):
            raise OpcheckError(f"{prop.kind.name} has no constant, not {prop.constant}")
        if prop.kind.better is not None and not prop.constant:
            raise OpcheckError(f"{prop.kind.name} needs a constant, as {prop.kind.name}(L) of F")
    entry = Theorem(
        name,
        method=method,
        given=properties,
        where=where,
        let=let,
        measure=measure,
        bound=bound,
        claim="one-step" if one_step else "upper bound",
        first=first,
        constrained=constrained,
        free=list(free),
        source=SOURCE,
    )
    signature.check(entry)
    return entry
