"""One ansatz, tried: feasible at points, its constants as functions, its multipliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq

from opcheck.engine.ratio import Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.ansatz import Ansatz, Bound, readable
from opcheck.evidence.discover.multipliers import ENOUGH, ROUNDS, SLACKS, Open, Part, Recovery
from opcheck.evidence.discover.points import far_points, live_symbols, points, unit_of
from opcheck.evidence.discover.program import Program, Term
from opcheck.evidence.discover.reading import Numbers, Point, Reading
from opcheck.evidence.discover.scale import Degrees
from opcheck.evidence.discover.simple import Ends, Functions
from opcheck.evidence.proofs.reader import Total
from opcheck.model.proof import Proof
from opcheck.model.theorem import Theorem

STEPS = (0, 1, 2, 5, 20, 60)  # k after the first, at which a potential is looked at
FAR = ()  # and further ones for the end
PARTS = (0, 1, 3, 8)  # k after the first for multipliers
POINTS = 6
PROBES = 3


class Infeasible(Exception):
    """At one point there is nothing of this form, says the solver."""

    def __init__(self, point: Point, margin: float) -> None:
        super().__init__(f"the solver finds none at {_shown(point)}: margin {margin:.2g}")
        self.point, self.margin = point, margin


@dataclass
class Argument:
    """What was found: functions for V's constants, and multipliers of each part."""

    potential: Mapping[str, Ratio]
    parts: Mapping[str, Mapping[str, Ratio]]


class Search:
    """An ansatz of a statement, read and ready to be tried.

    Raises OpcheckError where it can't be read.
    """

    def __init__(
        self,
        theorem: Theorem,
        ansatz: Ansatz,
        *,
        fixed: Mapping[str, int] = {},
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.theorem, self.ansatz, self.check = theorem, ansatz, check
        sources = [*ansatz.sources, theorem.measure, theorem.bound]
        begin = ansatz.begin if ansatz.terms else theorem.first
        self.reading = Reading(theorem, sources, begin=begin, fixed=fixed)
        for term in ansatz.terms:
            self.reading.total(term)
            self.reading.total(f"next({term})")
            self.reading.at_begin(term, {})
        self.step = readable(self.reading, ansatz.step, begin)
        self.end = readable(self.reading, ansatz.end, theorem.first)
        self.start = [i for i in ansatz.start if self._starts(i)]
        self.degrees = Degrees(self.reading)
        texts = [*ansatz.terms, *self.step, *self.end, theorem.measure, theorem.bound]
        live = live_symbols(self.reading, texts)
        self.unit = unit_of(self.reading, self.degrees, live)
        self.points = points(self.reading, self.degrees, self.unit, live, POINTS)
        self.wide = far_points(self.reading, self.degrees, self.unit, live)
        if not self.points:
            raise OpcheckError(f"{theorem.name}: no rational point of its range was met")
        if not live - {self.unit}:
            self.points, self.wide = self.points[:1], self.wide[:1]
        self.functions = Functions(self.reading, self.degrees, self.points, self.unit, live)
        self.pool = [self.start, self.step, self.end]
        self._margins: dict[Any, tuple[float, Any, Program]] = {}
        self.pins: dict[int, Ratio] = {}
        self.dropped: set[int] = set()
        self._numbers: dict[Any, Numbers] = {}
        self._ratios: dict[Any, float] = {}

    def _starts(self, inequality: str) -> bool:
        try:
            self.reading.total(inequality, self.reading.begin, started=True)
        except (OpcheckError, Undecided):
            return False
        return True

    # -- without a potential

    def combination(self) -> Argument:
        """The claim itself as a combination. Raises Open where none is recovered."""
        target = self.reading.total(f"({self.theorem.bound}) - ({self.theorem.measure})")
        known = {i: self.reading.total(i) for i in self.end}
        return Argument({}, {"end": self._recovery().of(self._part("end", target, known))})

    def _recovery(self) -> Recovery:
        field, k = self.reading.field, self.reading.field.symbol(self.reading.index)
        one = field.number(1)
        along = [one, k, k + 1, k + 2, k * (k + 1), (k + 1) ** 2, k**2, (k + 1) * (k + 2)]
        along += [(k + 2) ** 2, one / (k + 1), one / (k + 2), (k + 1) / (k + 2)]
        spares = self.reading.general.spares
        sums = [field.symbol(n) for n in spares.sums]
        sums += [field.symbol(n) + term for n, term in spares.sums.items()]
        along += sums + [a / b for a in sums for b in sums if a != b]
        for source in self.theorem.let.values():
            try:
                value = self.reading.general.read(source)
            except (OpcheckError, Undecided, TypeError):
                continue
            if isinstance(value, Ratio) and self.reading.index in value.symbols:
                along += [value, *(s / value for s in sums)]
        return Recovery(
            self.reading, self.degrees, self.functions, self.points, along, self.check, self.wide
        )

    def _part(self, name: str, target: Total, known: Mapping[str, Total]) -> Part:
        reading = self.reading
        forms = [target, *known.values()]
        symbols = set().union(*(c.symbols for form in forms for c in form.terms.values()))
        spares = {*reading.general.spares.sums, *reading.general.spares.powers}
        moving = symbols & {reading.index, *spares}
        first = max(reading.begin + reading.late, 0)
        ks = tuple(first + j for j in PARTS) if moving and name != "start" else (first,)
        return Part(name, target, known, ks)

    # -- the potential

    def argument(self, bound: Bound) -> Argument:
        """V and multipliers. Raises Infeasible, or Open where nothing is recovered."""
        self.bound = bound
        count = len(self.points)
        for _ in range(ROUNDS):
            probes = [*range(min(PROBES, count)), *range(count, len(self.points))]
            self._shape(probes)
            for i in self._order():
                self._settle(i)
            coefficients = {self.ansatz.terms[i]: c for i, c in sorted(self.pins.items()) if c}
            met = len(self.points)
            try:
                return Argument(coefficients, self._multipliers(coefficients))
            except Open:
                # the potential itself may fail at a point that was met on the way
                if self._ok(range(met, len(self.points))):
                    raise
        raise Open("the simplest functions fail somewhere, time and again")

    def _shape(self, probes: Sequence[int]) -> None:
        """As few terms of V as will do. Raises Infeasible where all together do not."""
        terms = self.ansatz.terms
        self.dropped, self.pins = set(), {}
        self._ratios, self._margins = {}, {}
        self.pool = [self.start, self.step, self.end]
        for i, term in enumerate(terms):
            if term.startswith("before("):
                self.pins[i] = self._sum_factor(term)
        for p in probes:
            margin, _, _ = self._margin(p)
            if margin <= ENOUGH:
                raise Infeasible(self.points[p], margin)
        self._prune(probes)
        for i in reversed(range(len(terms))):
            self.check()
            if i in self.pins:
                continue
            self.dropped.add(i)
            if not self._ok(probes):
                self.dropped.discard(i)

    def _prune(self, probes: Sequence[int]) -> None:
        """Leave out the inequalities that a cheapest solution does without, if all at once can be.

        That is for speed: the multipliers of the potential that comes out are sought among all.
        """
        pools = self.start, self.step, self.end
        used: set[tuple[str, str]] = set()
        for p in probes:
            margin, _, program = self._margin(p)
            cost = {c: 1.0 / (1 + c[2]) for c in program.columns if isinstance(c, tuple)}
            x = program.minimum(cost, min(margin, 0.0) - SLACKS[0])
            if x is None:
                return
            top = max((abs(x[program.columns[c]]) for c in cost), default=0.0)
            used |= {c[:2] for c in cost if abs(x[program.columns[c]]) > 1e-6 * top}
        self.pool = [
            [i for i in pool if (part, i) in used]
            for part, pool in zip(("start", "step", "end"), pools, strict=True)
        ]
        self._margins = {}
        if not self._ok(probes):
            self.pool = [*pools]
            self._margins = {}

    def _sum_factor(self, term: str) -> Ratio:
        """The factor of a sum, which the end alone determines. Raises Open where k is in it."""
        (key, unit), *_ = self.reading.total(term).terms.items()
        measured = self.reading.total(self.theorem.measure).terms
        none = self.reading.field.number(0)
        factor = measured.get(key, none) / (unit * self.bound.factor)
        if self.bound.growth is not None and self.ansatz.late:
            factor = factor * self.bound.growth
        if self.reading.index in factor.symbols:
            raise Open(f"the factor of {term} would depend on k: {factor.factored()}")
        return factor

    def _order(self) -> list[int]:
        terms = range(len(self.ansatz.terms))
        return [i for i in terms if i not in self.dropped and i not in self.pins]

    def _ok(self, places: Sequence[int]) -> bool:
        return all(self._margin(p)[0] > ENOUGH for p in places)

    def _margin(self, p: int) -> tuple[float, Any, Program]:
        key = p, frozenset(self.dropped), tuple((i, repr(c)) for i, c in self.pins.items())
        if key not in self._margins:
            self.check()
            program = self._program(p)
            self._margins[key] = (*program.margin(), program)
        return self._margins[key]

    def _settle(self, i: int) -> None:
        """Let a constant of V be the simplest function that is possible at all points."""
        term = self.ansatz.terms[i]
        spots, low, high = [], [], []
        for p in range(len(self.points)):
            self.check()
            pair = self._interval(i, p)
            if pair is not None:
                spots.append((p, 0))
                low.append(pair[0])
                high.append(pair[1])
        if not spots:
            raise Open(f"the solver finds no ends of the factor of {term}")
        ends = Ends(spots, np.array(low), np.array(high)).widened()
        degree = self._degree(term)
        one = self.reading.field.number(1)
        tried: set[str] = set()
        shares = (0.0, 0.15, 0.3, 0.45) if len(self.points) > 1 else (0.3, 0.4, 0.48, 0.15, 0.0)
        for share in shares:
            function = self.functions.between(ends.inside(share), degree, [one])
            if function is None or repr(function) in tried:
                continue
            tried.add(repr(function))
            self.pins[i] = function
            self._ratios = {}
            if self._ok(range(len(self.points))):
                self.functions.learn(function)
                return
            del self.pins[i]
        pairs = ", ".join(f"[{a:.5g}, {b:.5g}]" for a, b in zip(low, high, strict=True))
        raise Open(
            f"a potential exists at all {len(low)} points, but no simple function was found for "
            f"the factor of {term} in {pairs}"
        )

    def _interval(self, i: int, p: int) -> tuple[float, float] | None:
        margin, _, program = self._margin(p)
        if i not in program.columns:
            return 0.0, 0.0
        place = program.columns[i]
        for slack in (0.0, *SLACKS) if margin > 5e-9 else SLACKS:
            pair = [program.minimum({i: sign}, min(margin, 0.0) - slack) for sign in (1.0, -1.0)]
            if pair[0] is not None and pair[1] is not None:
                a, b = float(pair[0][place]), float(pair[1][place])
                return min(a, b), max(a, b)
        return None

    def _degree(self, term: str) -> float:
        base = self.reading.total(self.bound.base)
        degree = self.degrees.total(base) - self.degrees.total(self.reading.total(term))
        return float(int(degree.p) / int(degree.q))

    def _program(self, p: int) -> Program:
        ansatz, first = self.ansatz, self.ansatz.begin
        program = Program()
        program.add("start", self._terms("start", first, p), self._used)
        for k in (first + j for j in STEPS):
            program.add(("step", k), self._terms("step", k, p), self._used)
        first = max(self.theorem.first, first - ansatz.late)
        for k in (first + j for j in (*STEPS, *FAR)):
            program.add(("end", k), self._terms("end", k, p), self._used)
        program.reduce()
        return program

    def _terms(self, part: str, k: int, p: int) -> list[Term]:
        ansatz = self.ansatz
        growth = 1.0 if self.bound.growth is None else self._ratio(self.bound.growth, p, 0)
        self._used: list[Any] = []
        terms: list[Term] = []

        def potential(factor: float, offset: int, *, at_begin: bool = False) -> None:
            for i, term in enumerate(ansatz.terms):
                if i in self.dropped:
                    continue
                form = self._form(term, p, k, offset, at_begin)
                if i in self.pins:
                    c = self._ratio(self.pins[i], p, 0)
                    terms.append((None, {e: factor * c * v for e, v in form.items()}))
                else:
                    terms.append((i, {e: factor * v for e, v in form.items()}))

        if part == "start":
            if ansatz.at_most != "0":
                terms.append((None, self._form(ansatz.at_most, p, k, 0, True)))
            potential(-(growth ** -float(k)), 0, at_begin=True)
        elif part == "step":
            potential(1.0, 0)
            potential(-1.0 / growth, 1)
        else:
            if ansatz.at_most == "0":
                terms.append((None, self._form(self.bound.base, p, k, 0, False)))
            potential(1.0 / growth if ansatz.late else 1.0, int(ansatz.late))
            factor = self._ratio(self.bound.factor, p, k)
            form = self._form(self.theorem.measure, p, k, 0, False)
            terms.append((None, {e: -v / factor for e, v in form.items()}))
        for name in self.pool[("start", "step", "end").index(part)]:
            form = self._form(name, p, k, 0, part == "start")
            column = (part, name, k)
            self._used.append(column)
            terms.append((column, {e: -v for e, v in form.items()}))
        return terms

    def _form(self, text: str, p: int, k: int, offset: int, at_begin: bool) -> Numbers:
        key = (text, p, k, offset, at_begin)
        if key not in self._numbers:
            point = self.points[p]
            self._numbers[key] = (
                self.reading.at_begin(text, point)
                if at_begin
                else self.reading.numbers(text, point, k, offset)
            )
        return self._numbers[key]

    def _ratio(self, ratio: Ratio, p: int, k: int) -> float:
        key = (repr(ratio), p, k)
        if key not in self._ratios:
            self._ratios[key] = self.reading.scalar(ratio, self.points[p], k)
        return self._ratios[key]

    # -- its multipliers

    def _multipliers(self, coefficients: Mapping[str, Ratio]) -> dict[str, dict[str, Ratio]]:
        reading, ansatz, bound = self.reading, self.ansatz, self.bound
        number = reading.field.number
        growth = number(1) if bound.growth is None else bound.growth

        def potential(offset: int) -> Total:
            total = Total({})
            for term, c in coefficients.items():
                total = total + reading.total(term, offset) * c
            return total

        recovery = self._recovery()
        step = potential(0) - potential(1) * (1 / growth)
        end = potential(int(ansatz.late)) * (1 / growth if ansatz.late else number(1))
        end = end - reading.total(self.theorem.measure) * (1 / bound.factor)
        if ansatz.at_most == "0":
            end = end + reading.total(bound.base)
        begin = Total({})
        for term, c in coefficients.items():
            begin = begin + reading.total(term, reading.begin, started=True) * c
        begin = begin * (-1 / growth**reading.begin)
        if ansatz.at_most != "0":
            begin = begin + reading.total(ansatz.at_most, reading.begin, started=True)
        starts = {i: reading.total(i, reading.begin, started=True) for i in self.start}
        steps = {i: reading.total(i) for i in self.step}
        ends = {i: reading.total(i) for i in self.end}
        return {
            "start": recovery.of(self._part("start", begin, starts)),
            "step": recovery.of(self._part("step", step, steps)),
            "end": recovery.of(self._part("end", end, ends)),
        }

    # -- as a declaration

    def proof(self, argument: Argument) -> Proof:
        """The argument as a theorem carries it."""
        written = self.reading.written
        if not argument.potential:
            return Proof(end={i: written(c) for i, c in argument.parts["end"].items()})
        potential = ""
        for term, c in argument.potential.items():
            text = written(c)
            minus, text = text.startswith("-"), text.removeprefix("-")
            sign = (" - " if minus else " + ") if potential else "-" if minus else ""
            potential += sign + (term if text == "1" else f"{text}*{term}")
        growth, power = self.bound.growth, ""
        if growth is not None:
            power = f"({written(growth)})**(-k)"
            potential = f"({potential})*{power}"
        name = "next(potential)" if self.ansatz.late else "potential"
        factor = self.bound.factor
        over = written(factor)
        if growth is not None:
            grown = f"({written(growth)})**k"
            over = grown if over == "1" else f"{over}*{grown}"
        return Proof(
            potential=potential,
            at_most=self.ansatz.at_most,
            begin=self.ansatz.begin,
            start={i: written(c) for i, c in argument.parts["start"].items()},
            step={
                i: f"{written(c)}*{power}" if power else written(c)
                for i, c in argument.parts["step"].items()
            },
            end={name: over, **{i: written(c * factor) for i, c in argument.parts["end"].items()}},
        )


def _shown(point: Mapping[str, fmpq]) -> str:
    return ", ".join(f"{n} = {v}" for n, v in point.items()) or "no parameters"
