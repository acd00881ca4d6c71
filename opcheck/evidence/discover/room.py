"""V and multipliers as polynomials of one parameter, by one program at many points of its range.

Where a bound leaves room nothing has to be guessed: coefficients of V and multipliers are
polynomials in Bernstein's form, and the program asks for all of them with the largest margin; that
is what rounding may use up. Whether the argument holds between the points too, ``prove`` says.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq

from opcheck.engine.ratio import Ratio
from opcheck.evidence.discover.program import Block, Floats, Program, Term
from opcheck.evidence.discover.search import SHARE, Argument, Search
from opcheck.model import grammar

PARTS = ("start", "step", "end")
OF_V = (0, 1, 2)  # degrees of the coefficients of V
DEGREES = (0, 1, 2, 4)  # of the multipliers
STEPS = (0, 1, 2)  # k at which a step is looked at: the first may be others
POINTS = 2  # of the range, for each coefficient of a polynomial
MARGIN = 1e-7  # below which there is no room
KEPT = 0.3  # part of the largest margin that is kept for rounding
DENOMINATORS = (2**5, 2**8, 2**12, 2**16, 2**24)


def arguments(search: Search) -> Iterator[Argument]:
    """Arguments with room for a statement about a range of one parameter between two numbers.

    None where there are more parameters, or where V or the bound moves with k other than by a
    power. Whether one is a proof, ``prove`` says.
    """
    span = _range(search)
    if span is None:
        return
    joint = Joint(search, *span)
    for degree in OF_V:
        potential = joint.potential({}, degree)
        if potential is None:
            continue
        for denominator in DENOMINATORS:
            joint.pin(potential[1], denominator)
            argument = joint.argument(denominator, PARTS)
            if argument is not None:
                yield argument
        joint.release()


def _range(search: Search) -> tuple[str, fmpq, fmpq] | None:
    """The parameter and the ends of its range."""
    theorem, reading = search.theorem, search.reading
    names = [name for name in reading.field.known if name != reading.index]
    chains = [chain for chain in theorem.chains if [chain.name] == names]
    if search.period != 1 or search.ansatz.at_most == "0" or len(chains) != 1:
        return None
    search.ready()
    forms = [reading.total(term) for _, term in search.terms] + [reading.total(theorem.measure)]
    symbols = {name for form in forms for c in form.terms.values() for name in c.symbols}
    if (symbols | search.bounds[0].factor.symbols) - {*names}:
        return None
    low, high = chains[0].lo, chains[0].hi
    if low is None or high is None:
        return None
    ends = [grammar.constant(low.tree), grammar.constant(high.tree)]
    first, last = (None if v is None else fmpq(v.numerator, v.denominator) for v in ends)
    if first is None or last is None or not first < last:
        return None
    return names[0], first, last


class Joint:
    """One program for V and multipliers at many points of the range of a parameter.

    Args:
        scaled: the bound may be any multiple C of what it is, and C is found.
    """

    def __init__(
        self, search: Search, parameter: str, low: fmpq, high: fmpq, *, scaled: bool = False
    ) -> None:
        self.search, self.parameter, self.low, self.high = search, parameter, low, high
        self.scaled = scaled
        self.pinned: dict[int, Ratio] = {}
        self.left_out: set[int] = set()
        seen: list[Any] = []
        for i, (_, term) in enumerate(search.terms):
            total = search.reading.total(term)
            if any(not (total - other).terms for other in seen):
                self.left_out.add(i)
            seen.append(total)
        self.same = set(self.left_out)

    def has_room(self, rates: Mapping[str, fmpq]) -> bool:
        """Whether there is a V with these values of other symbols, says the solver."""
        return self._at(rates, OF_V[-1])[1] > MARGIN

    def _at(self, rates: Mapping[str, fmpq], degree: int) -> tuple[Program, float]:
        program = self._program(PARTS, DEGREES[-2], degree, rates)
        return program, -1.0 if program.equal else program.margin()[0]

    def potential(
        self, rates: Mapping[str, fmpq], degree: int
    ) -> tuple[float, dict[int, list[float]]] | None:
        """1/C, as large as it is with room left, and V of a degree in the parameter."""
        program, margin = self._at(rates, degree)
        if margin <= MARGIN:
            return None
        for i in reversed(range(len(self.search.terms))):
            if i in self.left_out:
                continue
            self.left_out.add(i)
            fewer, left = self._at(rates, degree)
            if left > max(MARGIN, KEPT * margin):
                program = fewer
            else:
                self.left_out.discard(i)
        left_out, self.left_out = self.left_out, set(self.same)
        x = program.minimum({SHARE: -1.0} if self.scaled else {}, KEPT * margin)
        if x is None:
            return None
        entries = {
            i: [_entry(program, x, (i, d)) for d in range(degree + 1)]
            for i in range(len(self.search.terms))
            if i not in left_out
        }
        return _entry(program, x, SHARE) if self.scaled else 1.0, entries

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
                terms, signed = search.terms_of(part, k, p, scaled=self.scaled)
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

    def release(self) -> None:
        """Know nothing of V again."""
        self.pinned, self.left_out = {}, set(self.same)

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
    if not block.place:
        return
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
