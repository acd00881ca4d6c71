"""What a search for a better statement gives back, and where its form of V ends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.ansatz import Ansatz
from opcheck.evidence.discover.declaration import block, file_of
from opcheck.evidence.discover.discover import Try, with_proof
from opcheck.evidence.discover.multipliers import Open
from opcheck.evidence.discover.reading import Point
from opcheck.evidence.discover.search import Search
from opcheck.evidence.discover.simple import shortest
from opcheck.evidence.discover.witness import witness
from opcheck.model.proof import Proof
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem

NEAR = (Fraction(1, 1000), Fraction(1, 100), Fraction(1, 20))  # how far beyond an end is looked


@dataclass(frozen=True)
class End(Result):
    """Where a form of V ends at one point.

    Attributes:
        family: the form.
        point: constants and parameters.
        reached: the least factor of the declared bound, or the outermost value of the parameter,
            that the form shows there: a number that the solver says.
        beyond: a factor, or a value, for which exact weights exclude the form there; "" where none
            were met.
        parts: the parts of an argument, with k, that these weigh.
    """

    family: str
    point: Mapping[str, str]
    reached: float
    beyond: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Improvement(Result):
    """What a search for a smaller constant or a wider range came to.

    Attributes:
        of: "bound", or the parameter whose range was sought.
        declared: the bound or range of the statement.
        improved: the one that ``prove`` accepts; "" where none was found.
        factor: new bound over old; "" for a range.
        family: the form of V that shows it; else the one that reaches furthest, says the solver.
        only: the whole parameters that ``prove`` shows it for; "" for all.
        proof, declaration, file: as of a ``Discovery``, of the improved statement.
        ends: where this form ends.
        tries: every proof that was tried, in order.
        finished: whether all were, or the time was up.
    """

    theorem: str
    of: str
    declared: str
    improved: str
    factor: str
    family: str
    only: str
    proof: Proof | None
    declaration: str
    file: str
    ends: tuple[End, ...]
    tries: tuple[Try, ...]
    finished: bool

    @property
    def ok(self) -> bool:
        """Whether a better statement was found."""
        return self.proof is not None

    @property
    def sentence(self) -> str:
        """The outcome in words, which claim no more than was done."""
        better = "smaller constant" if self.of == "bound" else f"wider range of {self.of}"
        if self.proof is not None:
            only = f" for {self.only}" * bool(self.only)
            times = f", {self.factor} times the declared bound" * bool(self.factor)
            return (
                f"{self.theorem}: {self.of} {self.improved}{times}; accepted by prove{only} "
                f"({self.family})"
            )
        done = "in the families tried" if self.finished else "in the time given"
        return f"{self.theorem}: no {better} was shown {done}; that excludes none"

    @property
    def limits(self) -> Iterator[str]:
        """Where the form ends, a sentence a point."""
        for end in self.ends:
            place = ", ".join(f"{n} = {v}" for n, v in end.point.items())
            place = f"at {place} this form" if place else "this form"
            said = f"{end.reached:.5g}"
            if self.of == "bound":
                words = f"{place} shows no less than about {said} times the declared bound"
                further = f"{end.beyond} times it is excluded"
            elif math.isinf(end.reached):
                words = f"{place} goes on as far as was looked"
            else:
                words = f"{place} ends at {self.of} = {said}"
                further = f"{self.of} = {end.beyond} is excluded"
            words += ", says the solver"
            if end.beyond:
                words += f"; {further} at {_gathered(end.parts)}: checked in exact rationals"
            yield words


def nothing(
    theorem: Theorem, of: str, declared: str, tries: list[Try], finished: bool
) -> Improvement:
    """No better statement."""
    return Improvement(
        theorem=theorem.name,
        of=of,
        declared=declared,
        improved="",
        factor="",
        family="",
        only="",
        proof=None,
        declaration="",
        file="",
        ends=(),
        tries=tuple(tries),
        finished=finished,
    )


def shown_by(none: Improvement, theorem: Theorem, proof: Proof, **fields: Any) -> Improvement:
    """The better statement, with the proof that was accepted."""
    file = file_of(with_proof(theorem, proof))
    return replace(none, proof=proof, declaration=block(proof), file=file, **fields)


def changed(theorem: Theorem, **fields: Any) -> Theorem:
    """The same statement with another bound or range."""
    other = replace(theorem, **fields)
    other.__dict__["iteration"] = theorem.iteration
    return other


def excluded(theorem: Theorem, ansatz: Ansatz, point: Point) -> tuple[str, ...]:
    """The parts of exact weights which show that a form has no V at a point; () for none."""
    try:
        search = Search(theorem, ansatz)
        search.points = [point]
        search.ready()
        weights = witness(search, 0)
    except (OpcheckError, Undecided, Open):
        return ()
    return weights.parts if weights else ()


def next_to(value: float, by: Fraction, sign: int) -> Fraction:
    """The simplest number that is beyond a value by a share between ``by`` and twice that."""
    low, high = sorted(value * (1 + sign * n * float(by)) for n in (1, 2))
    simple = shortest(low, high)
    return Fraction(value) if simple is None else simple


def _gathered(parts: Sequence[str]) -> str:
    """Labels as ``step, k = 0`` and ``step, k = 1`` as one."""
    counts: dict[str, list[str]] = {}
    for part in parts:
        name, k = part.split(", k = ")
        counts.setdefault(name, []).append(k)
    return ", ".join(f"{name} (k = {', '.join(ks)})" for name, ks in counts.items())
