"""The least rate of a method for a whole range of a parameter, by a potential with room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from flint import fmpq

from opcheck import recheck
from opcheck.document import writing
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.ansatz import DISTANCE, Ansatz
from opcheck.evidence.discover.declaration import block, file_of
from opcheck.evidence.discover.discover import claim, forms, with_proof
from opcheck.evidence.discover.room import DENOMINATORS, OF_V, PARTS, Joint
from opcheck.evidence.discover.search import Search
from opcheck.evidence.proofs.prove import attempt
from opcheck.evidence.statement.exact_parameters import simplest
from opcheck.model.method import resolve
from opcheck.model.property import Property
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem

RATE = "theta"  # stands for the rate while it is sought
HALVINGS = 14
ROOM = Fraction(1, 50)  # part of 1 − θ that is given for room, a simple V and a short fraction
SMALL = 8  # terms of a V that is looked at first: with more a program takes seconds
LARGEST = 100  # C in ‖z − z*‖² ≤ C θ^k R²


class NoRoom(OpcheckError):
    """No argument was found, which refutes nothing."""


@dataclass(frozen=True)
class OverRange(Result):
    """‖z − z*‖² ≤ C θ^k R² at every k, for every value of a parameter in a range; proved.

    Attributes:
        parameter: its name; the range is ``low`` to ``high``, both included.
        potential: V at k, as a text; its coefficients may hold the parameter. V at k + 1 ≤ θ V,
            ‖z − z*‖² ≤ C V, and V ≤ R² at the start of a run.
        theta: the rate, exact.
        smallest: below it there is none of this form, says the solver; None where not asked for.
        factor: C.
        theorem: the statement with its proof, which ``prove`` accepts.
    """

    method: str
    given: tuple[str, ...]
    parameters: dict[str, str]
    parameter: str
    low: Fraction
    high: Fraction
    potential: str
    theta: Fraction
    smallest: float | None
    factor: Fraction
    theorem: Theorem

    @property
    def valid(self) -> bool:
        """Whether ``prove`` accepts the argument; run anew each time."""
        return attempt(self.theorem).status == "proved"

    @property
    def declaration(self) -> str:
        """The proof as a text to paste into a theorem."""
        assert self.theorem.proof is not None
        return block(self.theorem.proof)

    def write_certificates(self, folder: str | Path) -> list[Path]:
        """Write a file that declares the statement with its proof: ``opcheck prove FILE`` checks
        it. Raises OpcheckError where that fails."""
        stem = "".join(c if c.isalnum() or c == "_" else "-" for c in self.method).strip("-")
        path = Path(folder) / f"{stem}-over-{self.parameter}.py"
        with writing(path):
            path.write_text(file_of(self.theorem), encoding="utf-8")
        return [path]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        own = {n: str(getattr(self, n)) for n in ("low", "high", "theta", "factor")}
        left = ("method", "given", "parameters", "parameter", "potential", "smallest")
        return {n: getattr(self, n) for n in left} | own | {"proof": self.declaration}


def over_range(
    method: str,
    given: Sequence[str | Property],
    *,
    parameter: str,
    low: fmpq,
    high: fmpq,
    fixed: Mapping[str, fmpq],
    theta: Fraction | None = None,
    constrained: Any = False,
) -> OverRange:
    """A rate of a method for every value of one parameter in a range, with its proof.

    Args:
        given: properties with rational constants.
        fixed: the other parameters.
        theta: the rate to be proved; default the least that is found.
        constrained: as in ``opcheck.theorem``.

    Raises OpcheckError for bad input; NoRoom where no argument is found.
    """
    if low == high:
        raise OpcheckError(f"{parameter} = {low}..{high} is one value: write {parameter} = {low}")
    if not low < high:
        raise OpcheckError(f"{parameter} = {low}..{high} is no range; write the smaller end first")
    form = _Statement(
        method=method,
        given=given,
        parameter=parameter,
        low=low,
        high=high,
        fixed=fixed,
        constrained=constrained,
    )
    sought = form.theorem(f"R**2*{RATE}**k", f"0 < {RATE} < 1")
    if any("last(" in term for ansatz in _constant(sought) for term in ansatz.terms):
        form = replace(form, first=1)  # what is remembered has its values after a step
        sought = form.theorem(f"R**2*{RATE}**k", f"0 < {RATE} < 1")
    joints = []
    for ansatz in _constant(sought):
        if ansatz.begin == form.first:
            try:
                joints.append(Joint(Search(sought, ansatz), parameter, low, high, scaled=True))
            except (OpcheckError, Undecided):  # it is made of what this method has not
                continue
    joints.sort(key=lambda joint: len(joint.search.terms))
    least: float | None = None
    if theta is None:
        least = min([_least(joint) for joint in joints if _small(joint)], default=1.0)
        if least == 1:
            least = min([_least(joint) for joint in joints if not _small(joint)], default=1.0)
    rate = theta if theta is not None else _raised(least or 0.0)
    for degree in OF_V if rate < 1 or theta is not None else ():
        for joint in joints:
            known = form.proved(joint, rate, degree)
            if known is not None:
                return replace(known, smallest=least and least - 2.0**-HALVINGS)
    rated = f"decreases by θ = {theta}" if theta is not None else "decreases"
    raise NoRoom(
        f"{method}: no potential was found that {rated} for every {parameter} from {low} to {high} "
        "and leaves room, which none does at a rate that an operator has"
    )


def _constant(theorem: Theorem) -> Iterator[Ansatz]:
    """The forms of V whose coefficients do not depend on k."""
    for ansatz in forms(theorem):
        terms = tuple(t for t in ansatz.terms if "k*" not in t and not t.startswith("before("))
        if DISTANCE in terms and ansatz.period == 1 and ansatz.at_most != "0":
            yield replace(ansatz, terms=terms)


@dataclass(frozen=True)
class _Statement:
    """What is claimed, but for its numbers."""

    method: str
    given: Sequence[str | Property]
    parameter: str
    low: fmpq
    high: fmpq
    fixed: Mapping[str, fmpq]
    constrained: Any
    first: int = 0

    def theorem(self, bound: str, where: str = "") -> Theorem:
        """‖z − z*‖² ≤ bound on the range."""
        resolve(self.method)
        own = f"{self.low} <= {self.parameter} <= {self.high}"
        return claim(
            method=self.method,
            given=self.given,
            measure="distance",
            bound=bound,
            where=", ".join([own, *([where] if where else [])]),
            let={n: str(v) for n, v in self.fixed.items()},
            first=self.first,
            constrained=self.constrained,
            free=[RATE] if RATE in bound else [],
            name="potential_over_a_range",
        )

    def proved(self, joint: Joint, rate: Fraction, degree: int) -> OverRange | None:
        """The statement at a rate, as ``prove`` accepts it; None where it does not."""
        potential = joint.potential({RATE: _rational(rate)}, degree)
        if potential is None:
            return None
        share, coefficients = potential
        if share <= 1 / LARGEST:
            return None
        alone = [joint.search.terms[i][1] for i in coefficients] == [DISTANCE]
        if alone:  # V is the distance itself, and C = 1
            coefficients = {i: [1.0] for i in coefficients}
        # at least 1: then it holds at k = 0 as well
        factor = Fraction(1) if alone else max(_above(Fraction(1 / share)), Fraction(1))
        theorem = self.theorem(f"{factor}*R**2*({rate})**k")
        last = Joint(Search(theorem, joint.search.ansatz), self.parameter, self.low, self.high)
        for denominator in DENOMINATORS:
            last.pin(coefficients, denominator)
            argument = last.argument(denominator, PARTS[1:2] if alone else PARTS)
            if argument is None:
                continue
            proof = last.search.proof(argument)
            if attempt(with_proof(theorem, proof)).status != "proved":
                continue
            low, high = (Fraction(int(v.p), int(v.q)) for v in (self.low, self.high))
            return OverRange(
                method=self.method,
                given=(*map(str, theorem.given), recheck.OPERATOR_A[theorem.A]),
                parameters={n: str(v) for n, v in self.fixed.items()},
                parameter=self.parameter,
                low=low,
                high=high,
                potential=last.search.written_potential(argument.potential),
                theta=rate,
                smallest=None,
                factor=factor,
                theorem=with_proof(theorem, proof),
            )
        return None


def _small(joint: Joint) -> bool:
    return len(joint.search.terms) <= SMALL


def _least(joint: Joint) -> float:
    """The least θ < 1 for which there is a V, says the solver; 1 for none."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if joint.has_room({RATE: _rational(Fraction(middle))}):
            high = middle
        else:
            low = middle
    return high


def _raised(rate: float) -> Fraction:
    """A short fraction a little above a rate."""
    step = ROOM * Fraction(1 - rate) / 2
    low = Fraction(rate) + step
    value = simplest(_rational(low), _rational(low + step))
    return Fraction(int(value.p), int(value.q))


def _above(value: Fraction) -> Fraction:
    """A short number a few per cent above."""
    short = simplest(_rational(value * Fraction(21, 20)), _rational(value * Fraction(23, 20)))
    return Fraction(int(short.p), int(short.q))


def _rational(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)
