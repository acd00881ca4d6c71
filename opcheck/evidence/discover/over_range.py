"""A potential for a whole range of a parameter: V and multipliers as polynomials of it.

Where a bound leaves room nothing has to be guessed. Coefficients of V and multipliers are
polynomials in Bernstein's form, and one program at many points of the range asks for all of them
with the largest margin; that is what rounding may use up. Whether the argument holds between the
points too, ``prove`` says.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from flint import fmpq

from opcheck.document import writing
from opcheck.engine.ratio import Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.ansatz import DISTANCE, Ansatz
from opcheck.evidence.discover.declaration import block, file_of
from opcheck.evidence.discover.discover import claim, forms, with_proof
from opcheck.evidence.discover.program import Block, Floats, Program, Term
from opcheck.evidence.discover.search import SHARE, Argument, Search
from opcheck.evidence.proofs.prove import attempt
from opcheck.evidence.statement.exact_parameters import simplest
from opcheck.model.method import resolve
from opcheck.model.property import Property
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem

RATE = "theta"  # stands for the rate while it is sought
PARTS = ("start", "step", "end")
OF_V = (0, 1, 2)  # degrees of the coefficients of V
DEGREES = (0, 1, 2, 4)  # of the multipliers
STEPS = (0, 1, 2)  # k at which a step is looked at: the first may be others
POINTS = 2  # of the range, for each coefficient of a polynomial
MARGIN = 1e-7  # below which there is no room
HALVINGS = 14
KEPT = 0.3  # part of the largest margin that is kept for rounding
ROOM = Fraction(1, 50)  # part of 1 − θ that is given for room, a simple V and a short fraction
LARGEST = 100  # C in ‖z − z*‖² ≤ C θ^k R²
DENOMINATORS = (2**5, 2**8, 2**12, 2**16, 2**24)


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
        smallest: the least for potentials of this form, says the solver; None where not asked for.
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
    joints = []
    for ansatz in _constant(sought):
        try:
            joints.append(_Joint(Search(sought, ansatz), parameter, low, high))
        except (OpcheckError, Undecided):  # it is made of what this method has not
            continue
    least = None if theta is not None else min([joint.least() for joint in joints], default=1.0)
    rate = theta if theta is not None else _raised(least or 0.0)
    for degree in OF_V if rate < 1 or theta is not None else ():
        for joint in sorted(joints, key=lambda joint: len(joint.search.terms)):
            known = form.proved(joint, rate, degree)
            if known is not None:
                return replace(known, smallest=least)
    rated = f"decreases by θ = {theta}" if theta is not None else "decreases"
    raise NoRoom(
        f"{method}: no potential was found that {rated} for every {parameter} from {low} to {high}"
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
            constrained=self.constrained,
            free=[RATE] if RATE in bound else [],
            name="potential_over_a_range",
        )

    def proved(self, joint: _Joint, rate: Fraction, degree: int) -> OverRange | None:
        """The statement at a rate, as ``prove`` accepts it; None where it does not."""
        potential = joint.potential(rate, degree)
        if potential is None:
            return None
        share, coefficients = potential
        alone = [*coefficients] == [joint.distance]
        if alone:  # V is the distance itself, and C = 1
            coefficients = {joint.distance: [1.0]}
        factor = Fraction(1) if alone else _above(Fraction(1 / share))
        theorem = self.theorem(f"{factor}*R**2*({rate})**k")
        last = _Joint(Search(theorem, joint.search.ansatz), self.parameter, self.low, self.high)
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
                given=tuple(map(str, theorem.given)),
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


class _Joint:
    """One program for V and multipliers at many points of the range."""

    def __init__(self, search: Search, parameter: str, low: fmpq, high: fmpq) -> None:
        self.search, self.parameter, self.low, self.high = search, parameter, low, high
        self.pinned: dict[int, Ratio] = {}
        self.left_out: set[int] = set()
        self.distance = next(i for i, (_, t) in enumerate(search.terms) if t == DISTANCE)
        seen: list[Any] = []
        for i, (_, term) in enumerate(search.terms):
            total = search.reading.total(term)
            if any(not (total - other).terms for other in seen):
                self.left_out.add(i)
            seen.append(total)

    def least(self) -> float:
        """The least θ < 1 for which there is a V, says the solver; 1 for none."""
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if self._at(Fraction(middle), OF_V[-1])[1] <= MARGIN:
                low = middle
            else:
                high = middle
        return high

    def _at(self, rate: Fraction, degree: int) -> tuple[Program, float]:
        program = self._program(PARTS, DEGREES[-2], degree, {RATE: _rational(rate)})
        return program, -1.0 if program.equal else program.margin()[0]

    def potential(self, rate: Fraction, degree: int) -> tuple[float, dict[int, list[float]]] | None:
        """1/C, as large as it is with room left, and V of a degree in the parameter."""
        program, margin = self._at(rate, degree)
        before = set(self.left_out)
        for i in reversed(range(len(self.search.terms))) if margin > MARGIN else ():
            self.left_out.add(i)
            fewer, left = self._at(rate, degree)
            if left > max(MARGIN, KEPT * margin):
                program = fewer
            else:
                self.left_out.discard(i)
        left_out, self.left_out = self.left_out, before
        x = program.minimum({SHARE: -1.0}, KEPT * margin) if margin > MARGIN else None
        if x is None or _entry(program, x, SHARE) <= 1 / LARGEST:
            return None
        entries = {
            i: [_entry(program, x, (i, d)) for d in range(degree + 1)]
            for i in range(len(self.search.terms))
            if i not in left_out
        }
        return _entry(program, x, SHARE), entries

    def _program(
        self,
        parts: Sequence[str],
        degree: int,
        of_v: int,
        rates: Mapping[str, fmpq] = {},
        without: Collection[str] = (),
    ) -> Program:
        """Of these parts, without some inequalities, multipliers and V of these degrees.

        Inequalities that no square can make up for are left out as well, and so are vectors along
        which nothing changes.
        """
        while True:
            program = self._built(parts, degree, of_v, rates, without)
            program.reduce()
            none = {name for line in program.equal for name in _must_vanish(program, line)}
            if not none:
                break
            without = {*without, *none}
        for part in program.blocks:
            _without_constant_directions(part)
        return program

    def _built(
        self,
        parts: Sequence[str],
        degree: int,
        of_v: int,
        rates: Mapping[str, fmpq],
        without: Collection[str],
    ) -> Program:
        search, count = self.search, POINTS * (degree + of_v + 1)
        places = [fmpq(j, count - 1) for j in range(count)]
        search.points = [
            {self.parameter: self.low + (self.high - self.low) * t, **rates} for t in places
        ]
        search.forget()
        search.ready()
        search.dropped, search.pins = set(self.left_out), dict(self.pinned)
        program = Program()
        for p, t in enumerate(places):
            search.check()
            for part, k in search.labels(STEPS):
                if part not in parts:
                    continue
                terms, signed = search.terms_of(part, k, p, scaled=not self.pinned)
                multipliers = {column for column in signed if column != SHARE}
                spread: list[Term] = []
                kept: list[Any] = [c for c in signed if c == SHARE]
                for column, form in terms:
                    if column is None or column == SHARE:
                        spread.append((column, form))
                        continue
                    key: Any = column  # the index of a term of V, or (part, inequality, k)
                    own = column in multipliers
                    if own and key[1] in without:
                        continue
                    key = key[:2] if own else key
                    for d, weight in enumerate(_bernstein(degree if own else of_v, t)):
                        factor = float(Fraction(int(weight.p), int(weight.q)))
                        spread.append(((key, d), {e: factor * v for e, v in form.items()}))
                        kept += [(key, d)] if own else []
                program.add((part, k, p), spread, dict.fromkeys(kept))
        return program

    def pin(self, coefficients: Mapping[int, Sequence[float]], denominator: int) -> None:
        """Let V have these coefficients, rounded."""
        self.pinned = {i: self._polynomial(c, denominator) for i, c in coefficients.items()}
        self.left_out = {*range(len(self.search.terms))} - {*coefficients}

    def argument(self, denominator: int, parts_open: Sequence[str]) -> Argument | None:
        """Multipliers of the pinned V, few and of a low degree; None where there is no room.

        The other parts hold without any.
        """
        parts = [self._part(part, denominator) if part in parts_open else {} for part in PARTS]
        start, step, end = parts
        if start is None or step is None or end is None:
            return None
        terms = self.search.terms
        potential = {terms[i][1]: c for i, c in self.pinned.items() if c}
        return Argument([potential], start, [step], [end])

    def _part(self, part: str, denominator: int) -> dict[str, Ratio] | None:
        for degree in DEGREES:
            margin = self._margin(part, degree, ())
            if margin <= MARGIN:
                continue
            without: list[str] = []
            for name in self.search.pool[PARTS.index(part)]:
                if self._margin(part, degree, [*without, name]) > max(MARGIN, KEPT * margin):
                    without.append(name)
            program = self._program([part], degree, 0, without=without)
            _, x = program.margin()
            multipliers = {}
            columns: list[Any] = [*program.columns]
            for key in dict.fromkeys(key for key, _ in columns):
                entries = [_entry(program, x, (key, d)) for d in range(degree + 1)]
                polynomial = self._polynomial([max(v, 0.0) for v in entries], denominator)
                if polynomial:
                    multipliers[key[1]] = polynomial
            return multipliers
        return None

    def _margin(self, part: str, degree: int, without: Sequence[str]) -> float:
        program = self._program([part], degree, 0, without=without)
        margin = -1.0 if program.equal else program.margin()[0]
        return margin if program.columns else 1.0 if margin >= 0 else -1.0

    def _polynomial(self, coefficients: Sequence[float], denominator: int) -> Ratio:
        """Σ c_d B_d, its coefficients rounded, as a function of the parameter."""
        ring = self.search.reading.field
        width = ring.number(self.high - self.low)
        t = (ring.symbol(self.parameter) - ring.number(self.low)) / width
        total, degree = ring.number(0), len(coefficients) - 1
        for d, c in enumerate(coefficients):
            factor = ring.number(fmpq(round(c * denominator), denominator))
            power = t**d * (1 - t) ** (degree - d)
            total = total + factor * math.comb(degree, d) * power
        return total


def _must_vanish(program: Program, line: Any) -> set[str]:
    """The inequalities of a line that is 0 only where each of its multipliers is."""
    alike = len({weight > 0 for _, weight in line}) == 1
    if not alike or not all(column in program.signed and column != SHARE for column, _ in line):
        return set()
    return {column[0][1] for column, _ in line}


def _without_constant_directions(block: Block) -> None:
    """Leave out a row for each direction along which no form of a block changes, as where F and −A
    are moved by the same vector: its matrix is singular there whatever the unknowns are."""
    constant, matrices = block.matrices()
    stacked = np.vstack([constant, *matrices.values()])
    stacked = stacked / max(float(np.abs(stacked).max(initial=0.0)), 1e-300)
    _, sizes, directions = np.linalg.svd(stacked)
    gone: list[int] = []
    for direction in directions[sizes < 1e-12]:
        free = [0.0 if i in gone else abs(v) for i, v in enumerate(direction)]
        gone.append(int(np.argmax(free)))
    names = [i for i, row in block.place.items() if row not in gone]
    block.forms = {
        column: {e: v for e, v in form.items() if e[0] in names and e[1] in names}
        for column, form in block.forms.items()
    }
    block.place = {i: row for row, i in enumerate(names)}


def _bernstein(degree: int, t: fmpq) -> list[fmpq]:
    return [math.comb(degree, d) * t**d * (1 - t) ** (degree - d) for d in range(degree + 1)]


def _entry(program: Program, x: Floats, column: Any) -> float:
    return float(x[program.columns[column]]) if column in program.columns else 0.0
