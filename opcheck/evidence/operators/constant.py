"""What is known of one constant of an operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from opcheck.errors import InternalError
from opcheck.evidence.operators.pairs import Pair
from opcheck.model.property import Fact, Kind, Of, Property, Provenance
from opcheck.model.region import Region
from opcheck.model.result import Result


@dataclass(frozen=True)
class Constant(Result):
    """What is known of one constant: it lies in [lower, upper].

    Attributes:
        kind, of: which constant, as ``Comonotone`` of ``S``.
        lower, upper: the enclosure; an infinite end is unknown.
        provenance: ``certified`` where the side that a theorem needs is proved, else ``estimated``.
        region: on which it is meant; None for the whole space.
        note: how it was found, and why no more was.
        pairs: the worst points that the search met; they may refute properties of other kinds.
        spread: how far independent searches differ; 0 where nothing was sought.
        unit: what a search takes as a common size of the constant; infinite where none was made.
        settled: whether searches agree so far that the best they found may be taken for the value.

    Raises OpcheckError where the two sides contradict each other, a fault of opcheck's own.
    """

    kind: Kind
    of: Of
    lower: float
    upper: float
    provenance: Provenance
    region: Region | None
    note: str
    pairs: tuple[Pair, ...] = field(default=(), repr=False, compare=False)
    spread: float = field(default=0.0, repr=False, compare=False)
    unit: float = field(default=np.inf, repr=False, compare=False)
    settled: bool = True

    def __post_init__(self) -> None:
        """A proof and a pair of points can't both be right if they exclude each other."""
        if self.lower > self.upper:
            raise InternalError(
                f"internal error: {self.kind.symbol} of {self.of} is shown to lie in "
                f"[{self.lower!r}, {self.upper!r}], an empty interval; please report the operator"
            )

    @property
    def value(self) -> float:
        """The side that a theorem needs if it is proved, else the best that the search found.

        Infinite where the search did not settle.
        """
        if not self.settled and self.provenance != "certified":
            return np.inf if self.kind.better == "smaller" else -np.inf
        proved, seen = (
            (self.upper, self.lower) if self.kind.better == "smaller" else (self.lower, self.upper)
        )
        return proved if self.provenance == "certified" else seen

    @property
    def fact(self) -> Fact:
        """The constant as a fact; an estimate is no more than that."""
        note = self.note if self.provenance == "certified" else f"no worse pair found; {self.note}"
        local = self.region is not None
        return Fact(Property(self.kind, self.value, self.of), self.provenance, local, note)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "kind": self.kind.name,
            "symbol": self.kind.symbol,
            "of": self.of,
            "lower": self.lower,
            "upper": self.upper,
            "provenance": self.provenance,
            "region": None if self.region is None else self.region.as_dict(),
            "note": self.note,
        }
