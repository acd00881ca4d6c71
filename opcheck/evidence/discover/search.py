"""One ansatz, tried: feasible at points, its constants as functions, its multipliers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq

from opcheck.engine.ratio import Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.ansatz import Ansatz, Bound, bound_of, readable
from opcheck.evidence.discover.multipliers import ENOUGH, ROUNDS, SLACKS, Open, Part, Recovery
from opcheck.evidence.discover.points import far_points, live_symbols, points, unit_of
from opcheck.evidence.discover.program import Program, Term
from opcheck.evidence.discover.reading import Point, Reading
from opcheck.evidence.discover.scale import Degrees
from opcheck.evidence.discover.simple import LOOSE, Ends, Functions
from opcheck.evidence.proofs.reader import Total
from opcheck.model import grammar
from opcheck.model.grammar import Binary
from opcheck.model.proof import Proof
from opcheck.model.theorem import Theorem

STEPS = (0, 1, 2, 5, 20, 60)  # k after the first, at which a potential is looked at
LOOPS = (0, 1, 5)  # loops after the first, of a method that goes in loops
PARTS = (0, 1, 3, 8)  # k after the first for multipliers
POINTS = 6
PROBES = 3
DOUBTFUL = -2e-5  # a margin of all terms together below this means that there is nothing
FEW = 4  # points of which none is left out
SHARE = "share"  # the unknown 1/c of a bound c · bound
# by which ends are widened further where a value is as good as known
LOOSER = (1e-5, 5e-5, 5e-4, 1e-3)


class Infeasible(Exception):
    """At one point there is nothing of this form, says the solver."""

    def __init__(self, point: Point, margin: float, place: int) -> None:
        super().__init__(f"the solver finds none at {shown(point)}: margin {margin:.2g}")
        self.point, self.margin, self.place = point, margin, place


@dataclass
class Argument:
    """What was found.

    Attributes:
        potential: term -> its constant; a second one for the inside of a loop.
        start: inequality -> multiplier.
        step, end: the same for each residue of k.
    """

    potential: Sequence[Mapping[str, Ratio]]
    start: Mapping[str, Ratio]
    step: Sequence[Mapping[str, Ratio]]
    end: Sequence[Mapping[str, Ratio]]


class Search:
    """An ansatz of a statement, read and ready to be tried.

    Raises OpcheckError where it can't be read.
    """

    def __init__(
        self, theorem: Theorem, ansatz: Ansatz, *, check: Callable[[], None] = lambda: None
    ) -> None:
        self.theorem, self.ansatz, self.check = theorem, ansatz, check
        self.period = ansatz.period
        sources = [*ansatz.sources, theorem.measure, theorem.bound]
        begin = ansatz.begin if ansatz.terms else theorem.first
        self.readings = [
            Reading(
                theorem,
                sources,
                begin=begin,
                fixed=ansatz.fixed,
                period=self.period,
                residue=r,
            )
            for r in range(self.period)
        ]
        self.reading = self.readings[0]
        # (whether it is of V inside a loop, text)
        whole = [(0, t) for t in ansatz.terms] + [(1, t) for t in ansatz.inside]
        self.terms = [(kind, term) for kind, term in whole if self._has_values(kind, term)]
        if whole and not self.terms:
            raise OpcheckError(f"{theorem.name}: no term has a value at k = {begin}")
        self.step = self._readable(ansatz.step, begin)
        self.end = self._readable(ansatz.end, theorem.first)
        self.start = [i for i in ansatz.start if self._starts(i)]
        self.degrees = [Degrees(reading) for reading in self.readings]
        texts = [*(t for _, t in self.terms), *self.step, *self.end]
        texts += [theorem.measure, theorem.bound]
        live = set().union(*(live_symbols(reading, texts) for reading in self.readings))
        self.unit = unit_of(self.reading, self.degrees[0], live)
        self.points = points(self.reading, self.degrees[0], self.unit, live, POINTS)
        self.wide = far_points(self.reading, self.degrees[0], self.unit, live)
        if not self.points:
            raise OpcheckError(f"{theorem.name}: no rational point of its range was met")
        if not live - {self.unit}:
            self.points, self.wide = self.points[:1], self.wide[:1]
        self.functions = Functions(self.reading, self.degrees[0], self.points, self.unit, live)
        self.bounds: list[Bound] = []
        self._enough: dict[int, float] = {}
        self.pool = [self.start, self.step, self.end]
        self._margins: dict[Any, tuple[float, Any, Program]] = {}
        self.pins: dict[int, Ratio] = {}
        self.dropped: set[int] = set()
        self.exact = False
        self._numbers: dict[Any, Any] = {}
        self._ratios: dict[Any, Any] = {}

    def _has_values(self, kind: int, term: str) -> bool:
        """Whether a term of V has a value wherever V is spoken of."""
        reading = self.readings[kind]
        try:
            reading.total(term)
            self.readings[-kind].total(f"next({term})")
            last = reading.begin + reading.late + self.ansatz.late
            for at in range(reading.begin, last if not kind else reading.begin):
                reading.total(term, at, started=True)
            if not kind:
                reading.total(term, reading.begin, started=True)
        except (OpcheckError, Undecided):
            return False
        return True

    def _readable(self, inequalities: Sequence[str], k: int) -> list[str]:
        kept = list(inequalities)
        for reading in self.readings:
            kept = readable(reading, kept, k)
        return kept

    def _starts(self, inequality: str) -> bool:
        try:
            self.reading.total(inequality)
            self.reading.total(inequality, self.reading.begin, started=True)
        except (OpcheckError, Undecided):
            return False
        return True

    # -- what is possible at a point

    def least(self, p: int, further: Sequence[int] = ()) -> float:
        """The least c such that this form shows c · bound at a point; inf for none.

        The end is linear in 1/c, which is an unknown of the same program.

        Args:
            further: k after the first, beside those at which a potential is looked at.
        """
        self.ready()
        self.check()
        program = self._program(p, further, scaled=True)
        x = program.minimum({SHARE: -1.0})
        share = 0.0 if x is None or SHARE not in program.columns else x[program.columns[SHARE]]
        return 1 / float(share) if share > 0 else float("inf")

    @property
    def moving(self) -> bool:
        """Whether a program at other k is another one."""
        texts = [*(t for _, t in self.terms), self.theorem.measure, self.theorem.bound]
        totals = [self.reading.total(text) for text in texts]
        names = {self.reading.index, *self.reading.general.spares.sums}
        names |= {*self.reading.general.spares.powers}
        return any(names & c.symbols for total in totals for c in total.terms.values())

    def possible(self, p: int) -> bool:
        """Whether there is an argument of this form at a point, says the solver."""
        self.ready()
        for part, k in self.labels():
            # an end is divided by it
            if part == "end" and self.bounds and not self._ratio(self._bound(k).factor, p, k) > 0:
                return False
        return self._margin(p)[0] > ENOUGH

    def _bound(self, k: int) -> Bound:
        return self.bounds[k % self.period]

    def forget(self) -> None:
        """The points were changed."""
        self._numbers, self._ratios, self._margins = {}, {}, {}

    def ready(self) -> None:
        """Take the bound apart, and know nothing of V but the factors of its sums."""
        if not self.bounds and self.ansatz.terms:
            self.bounds = [bound_of(reading) for reading in self.readings]
            self._unsettle()

    # -- without a potential

    def combination(self) -> Argument:
        """The claim itself as a combination. Raises Open where none is recovered."""
        target = self.reading.total(f"({self.theorem.bound}) - ({self.theorem.measure})")
        known = {i: self.reading.total(i) for i in self.end}
        end = self._recovery(0).of(self._part("end", 0, target, known, target))
        return Argument([], {}, [], [end])

    def _recovery(self, residue: int) -> Recovery:
        reading = self.readings[residue]
        field = reading.field
        k = field.symbol(reading.index) * self.period + residue
        one = field.number(1)
        along = [one, k, k + 1, k + 2, k * (k + 1), (k + 1) ** 2, k**2, (k + 1) * (k + 2)]
        along += [(k + 2) ** 2, one / (k + 1), one / (k + 2), (k + 1) / (k + 2)]
        spares = reading.general.spares
        sums = [field.symbol(n) for n in spares.sums]
        sums += [field.symbol(n) + term for n, term in spares.sums.items()]
        along += sums + [a / b for a in sums for b in sums if a != b]
        for source in self.theorem.let.values():
            try:
                value = reading.general.read(source)
            except (OpcheckError, Undecided, TypeError):
                continue
            if isinstance(value, Ratio) and reading.index in value.symbols:
                along += [value, *(s / value for s in sums)]
        return Recovery(
            reading, self.functions, self.points, along=along, check=self.check, wide=self.wide
        )

    def _part(
        self,
        name: str,
        residue: int,
        target: Total,
        known: Mapping[str, Total],
        base: Total,
    ) -> Part:
        reading, degrees = self.readings[residue], self.degrees[residue]
        forms = [target, *known.values()]
        symbols = set().union(*(c.symbols for form in forms for c in form.terms.values()))
        spares = {*reading.general.spares.sums, *reading.general.spares.powers}
        moving = symbols & {reading.index, *spares}
        first = max(reading.begin + reading.late, 0)
        first += (residue - first) % self.period
        counts = PARTS if moving and name != "start" else (0,)
        ks = tuple(first + j * self.period for j in counts)
        whole = degrees.total(base)
        own = {i: whole - degrees.total(reading.total(i)) for i in known}
        return Part(name, target, known, ks, {i: int(d.p) / int(d.q) for i, d in own.items()})

    # -- the potential

    def argument(self) -> Argument:
        """V and multipliers. Raises Infeasible, or Open where nothing is recovered."""
        self.ready()
        count = len(self.points)
        for _ in range(ROUNDS):
            probes = [*range(min(PROBES, count)), *range(count, len(self.points))]
            self._shape(probes)
            # a term that the probes do without may be needed elsewhere
            while bad := [p for p in range(len(self.points)) if not self._ok([p])]:
                probes.append(bad[0])
                self._shape(probes)
            for i in self._order():
                self._settle(i)
            met = len(self.points)
            try:
                return self._with_multipliers()
            except Open:
                # the potential itself may fail at a point that was met on the way
                if self._ok(range(met, len(self.points))):
                    raise
        raise Open("the simplest functions fail somewhere, time and again")

    def _shape(self, probes: Sequence[int]) -> None:
        """As few terms of V as will do. Raises Infeasible where all together do not."""
        self._enough = {}
        self._unsettle()
        for p in probes:
            margin, _, _ = self._margin(p)
            if margin <= DOUBTFUL:
                raise Infeasible(self.points[p], margin, p)
            self._enough[p] = min(ENOUGH, 1.5 * margin)
        self._prune(probes)
        for i in reversed(range(len(self.terms))):
            self.check()
            if i in self.pins:
                continue
            self.dropped.add(i)
            if not self._ok(probes):
                self.dropped.discard(i)

    def _unsettle(self) -> None:
        """Nothing is known of V but the factors of its sums."""
        self.dropped, self.pins = set(), {}
        self._ratios, self._margins = {}, {}
        self.pool = [self.start, self.step, self.end]
        for i, (kind, term) in enumerate(self.terms):
            if term.startswith("before(") or term == self.theorem.measure:
                factor = self._sum_factor(self.readings[kind], self.bounds[kind], term)
                if factor is not None:
                    self.pins[i] = factor

    def _prune(self, probes: Sequence[int]) -> None:
        """Leave out the inequalities that a cheapest solution does without, if all at once can be.

        That is for speed: the multipliers of the potential that comes out are sought among all.
        """
        pools = self.start, self.step, self.end
        used: set[tuple[str, str]] = set()
        for p in probes:
            margin, _, program = self._margin(p)
            cost: dict[Any, float] = {
                c: 1.0 / (1 + c[2]) for c in program.columns if isinstance(c, tuple)
            }
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

    def _sum_factor(self, reading: Reading, bound: Bound, term: str) -> Ratio | None:
        """The factor of a sum, which the end alone determines; None for a term without sums.

        Raises Open where it would depend on k.
        """
        sums = [e for e in reading.total(term).terms.items() if str(e[0]).startswith("before(")]
        if not sums:
            return None
        (key, unit), *_ = sums
        measured = reading.total(self.theorem.measure).terms
        factor: Ratio = measured.get(key, reading.field.number(0)) / (unit * bound.factor)
        if bound.growth is not None and self.ansatz.late:
            factor = factor * bound.growth
        if reading.index in factor.symbols:
            raise Open(f"the factor of {term} would depend on k: {factor.factored()}")
        return factor

    def _order(self) -> list[int]:
        return [i for i in range(len(self.terms)) if i not in self.dropped and i not in self.pins]

    def _ok(self, places: Sequence[int]) -> bool:
        return all(self._margin(p)[0] > self._enough.get(p, ENOUGH) for p in places)

    def _margin(self, p: int) -> tuple[float, Any, Program]:
        key = p, frozenset(self.dropped), tuple((i, repr(c)) for i, c in self.pins.items())
        if key not in self._margins:
            self.check()
            program = self._program(p)
            self._margins[key] = (*program.margin(), program)
        return self._margins[key]

    def _settle(self, i: int) -> None:
        """Let a constant of V be the simplest function that is possible at all points."""
        kind, term = self.terms[i]
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
        ends = Ends(spots, np.array(low), np.array(high))
        degree = self._degree(kind, term)
        one = self.reading.field.number(1)
        tried: set[str] = set()
        shares = (0.0, 0.15, 0.3, 0.45) if len(self.points) > 1 else (0.3, 0.4, 0.48, 0.15, 0.0)
        wider = [(by, 0.0) for by in LOOSER] if ends.known else []
        tries = [ends.widened(by).inside(s) for by, s in [*((LOOSE, s) for s in shares), *wider]]
        if ends.known and len(spots) > FEW:
            # the solver may be wrong at one point
            tries += [ends.without(n).widened(LOOSER[0]) for n in range(len(spots))]
        for between in tries:
            function = self.functions.between(between, degree, [one])
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

    def _degree(self, kind: int, term: str) -> float:
        reading, degrees = self.readings[kind], self.degrees[kind]
        base = reading.total(self.bounds[0].base)
        degree = degrees.total(base) - degrees.total(reading.total(term))
        return int(degree.p) / int(degree.q)

    def _program(self, p: int, further: Sequence[int] = (), *, scaled: bool = False) -> Program:
        program = Program()
        for part, k in self.labels((*STEPS, *further)):
            program.add((part, k), *self.terms_of(part, k, p, scaled=scaled))
        program.reduce()
        return program

    def labels(self, counts: Sequence[int] = STEPS) -> list[tuple[str, int]]:
        """Each part, and at which k it is looked at."""
        first = self.ansatz.begin
        last = max(self.theorem.first, first - self.ansatz.late)
        ends = [("end", k) for k in self._at(last, counts)]
        if not self.ansatz.terms:
            return ends
        return [("start", first), *(("step", k) for k in self._at(first, counts)), *ends]

    def _at(self, first: int, counts: Sequence[int]) -> list[int]:
        """k of every residue."""
        loops = counts if self.period == 1 else LOOPS
        return [first + j * self.period + r for j in loops for r in range(self.period)]

    def terms_of(
        self, part: str, k: int, p: int, *, scaled: bool = False
    ) -> tuple[list[Term], list[Any]]:
        """The forms of a part, and the unknowns of it that are ≥ 0: multipliers, and 1/c."""
        ansatz = self.ansatz
        one: Any = fmpq(1) if self.exact else 1.0
        share = SHARE if scaled else None
        if not ansatz.terms:
            target: list[Term] = [(None, self._form(self.theorem.bound, p, k, 0, False))]
            measured = self._form(self.theorem.measure, p, k, 0, False)
            target.append((share, {e: -v for e, v in measured.items()}))
            return self._with_inequalities(part, k, p, target, share)
        bound = self._bound(k)
        growth = one if bound.growth is None else self._ratio(bound.growth, p, 0)
        if not growth:
            raise OpcheckError(
                "the ratio by which the bound falls depends on k, and is 0 at the first"
            )
        terms: list[Term] = []

        def potential(factor: Any, offset: int, *, at_begin: bool = False) -> None:
            kind = min((k + offset) % self.period, 1)
            for i, (own, term) in enumerate(self.terms):
                if i in self.dropped or own != kind:
                    continue
                form = self._form(term, p, k, offset, at_begin)
                if i in self.pins:
                    c = self._ratio(self.pins[i], p, 0)
                    terms.append((share, {e: factor * c * v for e, v in form.items()}))
                else:
                    terms.append((i, {e: factor * v for e, v in form.items()}))

        if part == "start":
            if ansatz.at_most != "0":
                terms.append((None, self._form(ansatz.at_most, p, k, 0, True)))
            potential(-one / growth**k, 0, at_begin=True)
        elif part == "step":
            potential(one, 0)
            potential(-one / growth, 1)
        else:
            if ansatz.at_most == "0":
                terms.append((None, self._form(bound.base, p, k, 0, False)))
            potential(one / growth if ansatz.late else one, int(ansatz.late))
            factor = self._ratio(bound.factor, p, k)
            form = self._form(self.theorem.measure, p, k, 0, False)
            terms.append((share, {e: -v / factor for e, v in form.items()}))
        return self._with_inequalities(part, k, p, terms, share)

    def _with_inequalities(
        self, part: str, k: int, p: int, terms: list[Term], share: str | None
    ) -> tuple[list[Term], list[Any]]:
        signed: list[Any] = [share] if share else []
        for name in self.pool[("start", "step", "end").index(part)]:
            form = self._form(name, p, k, 0, part == "start")
            signed.append((part, name, k))
            terms.append((signed[-1], {e: -v for e, v in form.items()}))
        return terms, signed

    def _form(self, text: str, p: int, k: int, offset: int, at_begin: bool) -> Any:
        key = (text, p, k, offset, at_begin, self.exact)
        if key not in self._numbers:
            reading = self.readings[k % self.period]
            read = reading.rationals if self.exact else reading.numbers
            self._numbers[key] = read(text, self.points[p], k, offset, started=at_begin)
        return self._numbers[key]

    def _ratio(self, ratio: Ratio, p: int, k: int) -> Any:
        key = (repr(ratio), p, k, self.exact)
        if key not in self._ratios:
            reading = self.readings[k % self.period]
            read = reading.rational if self.exact else reading.scalar
            self._ratios[key] = read(ratio, self.points[p], k)
        return self._ratios[key]

    def rationals(self, p: int) -> list[tuple[Any, list[tuple[Any, Any]]]]:
        """(part and k, forms by unknown) at a point, exactly; V's constants are numbers there.

        Raises OpcheckError where one is irrational.
        """
        self.exact = True
        try:
            return [(label, [*self.terms_of(*label, p)[0]]) for label in self.labels()]
        finally:
            self.exact = False

    # -- its multipliers

    def _with_multipliers(self) -> Argument:
        kinds: list[dict[str, Ratio]] = [{} for _ in range(min(self.period, 2))]
        for i, c in sorted(self.pins.items()):
            if c:
                kind, term = self.terms[i]
                kinds[kind][term] = c
        steps, ends = [], []
        for residue in range(self.period):
            reading, bound = self.readings[residue], self.bounds[residue]
            growth = reading.field.number(1) if bound.growth is None else bound.growth
            base = reading.total(bound.base)
            recovery = self._recovery(residue)
            after = self._potential(kinds, residue, 1) * (1 / growth)
            step = self._potential(kinds, residue, 0) - after
            known = {i: reading.total(i) for i in self.step}
            steps.append(recovery.of(self._part("step", residue, step, known, base)))
            end = after if self.ansatz.late else self._potential(kinds, residue, 0)
            end = end - reading.total(self.theorem.measure) * (1 / bound.factor)
            if self.ansatz.at_most == "0":
                end = end + base
            known = {i: reading.total(i) for i in self.end}
            ends.append(recovery.of(self._part("end", residue, end, known, base)))
        return Argument(kinds, self._start(kinds), steps, ends)

    def _potential(self, kinds: Sequence[Mapping[str, Ratio]], residue: int, offset: int) -> Total:
        """V at k + offset, as a step from k of this residue sees it."""
        total = Total({})
        for term, c in kinds[min((residue + offset) % self.period, 1)].items():
            total = total + self.readings[residue].total(term, offset) * c
        return total

    def _start(self, kinds: Sequence[Mapping[str, Ratio]]) -> dict[str, Ratio]:
        reading, bound, ansatz = self.reading, self.bounds[0], self.ansatz
        at = reading.begin
        total = Total({})
        for term, c in kinds[0].items():
            total = total + reading.total(term, at, started=True) * c
        growth = reading.field.number(1) if bound.growth is None else bound.growth
        total = total * (-1 / growth**at)
        if ansatz.at_most != "0":
            total = total + reading.total(ansatz.at_most, at, started=True)
        known = {i: reading.total(i, at, started=True) for i in self.start}
        base = reading.total(bound.base)
        return self._recovery(0).of(self._part("start", 0, total, known, base))

    # -- as a declaration

    def proof(self, argument: Argument) -> Proof:
        """The argument as a theorem carries it."""
        cases: Sequence[Mapping[str, str]] = self.ansatz.cases
        if cases != ({},):
            cases = [dict(case) for case in cases]
        if not argument.potential:
            ends = [{i: self.reading.written(c) for i, c in argument.end[0].items()}]
            return Proof(end=self._by_residue(ends), cases=cases)
        bound, power = self.bounds[0], ""
        potential = self.written_potential(argument.potential)
        if bound.power:
            power = f"*({bound.power})**(-1)"
            potential = f"({potential}){power}"
        name = "next(potential)" if self.ansatz.late else "potential"
        steps = [
            {i: reading.written(c) + power for i, c in step.items()}
            for reading, step in zip(self.readings, argument.step, strict=True)
        ]
        ends = [
            {i: reading.written(c * own.factor) for i, c in end.items()}
            for reading, own, end in zip(self.readings, self.bounds, argument.end, strict=True)
        ]
        return Proof(
            potential=potential,
            at_most=self.ansatz.at_most,
            begin=self.ansatz.begin,
            start={i: self.reading.written(c) for i, c in argument.start.items()},
            step=self._by_residue(steps),
            end={name: bound.over, **self._by_residue(ends)},
            cases=cases,
        )

    def written_potential(self, kinds: Sequence[Mapping[str, Ratio]]) -> str:
        first = {t: self.reading.written(c) for t, c in kinds[0].items()}
        if len(kinds) == 1:
            return combined(first)
        inside = {t: self.readings[1].written(c) for t, c in kinds[1].items()}
        both = {t: c for t, c in first.items() if inside.get(t) == c}
        own = [combined({t: c for t, c in v.items() if t not in both}) for v in (first, inside)]
        parts = [f"where(mod(k, {self.ansatz.tau}) == 0, {own[0]}, {own[1]})"] * any(own)
        return " + ".join([*parts, combined(both)]) if both else parts[0]

    def _by_residue(self, parts: Sequence[Mapping[str, str]]) -> dict[str, str]:
        """Multipliers that differ with k are told by cases."""
        names = list(dict.fromkeys(name for part in parts for name in part))
        written = {}
        for name in names:
            values = [part.get(name, "0") for part in parts]
            text = values[-1]
            for residue in reversed(range(len(values) - 1)):
                if len(set(values[residue:])) > 1:
                    test = f"mod(k, {self.ansatz.tau}) == {residue}"
                    text = f"where({test}, {values[residue]}, {text})"
            written[name] = text
        return written


def combined(terms: Mapping[str, str]) -> str:
    """A sum of terms with factors; "0" for none."""
    text = ""
    for term, c in terms.items():
        minus, factor = c.startswith("-"), c.removeprefix("-")
        sign = (" - " if minus else " + ") if text else "-" if minus else ""
        tree = grammar.parse(term)
        whole = f"({term})" if isinstance(tree, Binary) and tree.operator in "+-" else term
        text += sign + (whole if factor == "1" else f"{factor}*{whole}")
    return text or "0"


def shown(point: Mapping[str, fmpq]) -> str:
    return ", ".join(f"{n} = {v}" for n, v in point.items()) or "no parameters"
