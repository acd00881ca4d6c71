"""Multipliers of one part of an argument whose potential is known.

A vector whose square can't be left over must vanish from the remainder: that is a linear equation
between functions, and is solved as one. What stays open is taken from intervals at numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opcheck.engine.ratio import Ratio
from opcheck.evidence.discover.program import Program, Term
from opcheck.evidence.discover.reading import Numbers, Point, Reading
from opcheck.evidence.discover.simple import Ends, Functions
from opcheck.evidence.proofs.reader import Total
from opcheck.evidence.statement.positivity import Domain

ENOUGH = -1e-6  # a margin above this counts as none missing
SLACKS = (1e-8, 1e-7, 1e-6)  # by which a tight program is loosened to see how far its ends are
ROUNDS = 5  # of adding a point at which functions fail
SHOWN = 3  # points at which a person is told how far ends are apart
PROBED = 12  # spots at which inequalities are dropped


class Open(Exception):
    """No multipliers were recovered; says what is open."""


@dataclass(frozen=True)
class Part:
    """A form that must be a combination of inequalities and a sum of squares.

    Attributes:
        target: the form, for every k.
        known: inequality -> its form.
        ks: at which k it is looked at.
        degrees: of the multipliers.
    """

    name: str
    target: Total
    known: Mapping[str, Total]
    ks: tuple[int, ...]
    degrees: Mapping[str, float]


class Recovery:
    """Search for the multipliers of one part."""

    def __init__(
        self,
        reading: Reading,
        functions: Functions,
        points: list[Point],
        *,
        along: Sequence[Ratio],
        check: Callable[[], None],
        wide: Sequence[Point] = (),
    ) -> None:
        self.reading, self.functions = reading, functions
        self.points, self.along, self.check = points, along, check
        self.wide = wide
        self.domain: Domain = reading.domain()
        self._numbers: dict[tuple[str, int, int], Numbers] = {}

    def of(self, part: Part) -> dict[str, Ratio]:
        """Multipliers, none of them 0. Raises Open where they are not recovered.

        A point at which they fail is added to ``points``, and they are sought again.
        """
        for _ in range(ROUNDS):
            multipliers = self._sought(part)
            place = self._refuting(part, multipliers)
            if place is None:
                return multipliers
            self.points.append(place)
            self.functions.forget()
        raise Open(f"{part.name}: the simplest functions fail somewhere, time and again")

    def _refuting(self, part: Part, multipliers: Mapping[str, Ratio]) -> Point | None:
        """A point at which functions are no multipliers, where one is met."""
        scalar = self.reading.scalar
        for point in self.wide:
            for k in {part.ks[0], part.ks[-1], part.ks[-1] + 40 * (len(part.ks) > 1)}:
                form = {e: scalar(c, point, k) for e, c in part.target.terms.items()}
                size = max([abs(v) for v in form.values()], default=0.0)
                for name, c in multipliers.items():
                    factor = scalar(c, point, k)
                    if factor < 0:
                        return point
                    for e, v in part.known[name].terms.items():
                        term = factor * scalar(v, point, k)
                        size = max(size, abs(term))
                        form[e] = form.get(e, 0.0) - term
                if not _semidefinite(form, size):
                    return point
        return None

    def _sought(self, part: Part) -> dict[str, Ratio]:
        self._numbers = {}
        spots = [(p, k) for p in range(len(self.points)) for k in part.ks]
        some = spots[:: max(1, len(spots) // PROBED)]
        kept = self._fewest(part, some)
        linear = Linear(self, part, kept)
        linear.reduce()
        while linear.open:
            name, function = self._next(part, linear, spots)
            linear.pin(name, function)
            linear.reduce()
        solved = {name: linear.solved[name] for name in kept}
        return {name: c for name, c in solved.items() if c}

    def _forms(self, part: Part, total: Total, name: str, spot: tuple[int, int]) -> Numbers:
        key = (name, *spot)
        if key not in self._numbers:
            p, k = spot
            self._numbers[key] = {
                e: self.reading.scalar(c, self.points[p], k) for e, c in total.terms.items()
            }
        return self._numbers[key]

    def _program(self, part: Part, names: Sequence[str], spot: tuple[int, int]) -> Program:
        self.check()
        program = Program()
        terms: list[Term] = [(None, self._forms(part, part.target, "", spot))]
        for name in names:
            form = self._forms(part, part.known[name], name, spot)
            terms.append((name, {e: -v for e, v in form.items()}))
        program.add(spot, terms, names)
        program.reduce()
        return program

    def _fits(self, part: Part, names: Sequence[str], spots: Sequence[tuple[int, int]]) -> bool:
        return all(self._program(part, names, s).margin()[0] > ENOUGH for s in spots)

    def _fewest(self, part: Part, spots: Sequence[tuple[int, int]]) -> list[str]:
        """Inequalities of which none can be left out, those of small multipliers left out first."""
        names = list(part.known)
        size = dict.fromkeys(names, 0.0)
        for spot in spots:
            program = self._program(part, names, spot)
            margin, _ = program.margin()
            if margin <= ENOUGH:
                raise Open(f"{part.name}: no multipliers at {self._shown(spot)}")
            x = program.minimum(dict.fromkeys(program.columns, 1.0), min(margin, 0.0) - 1e-8)
            if x is not None:
                for name, i in program.columns.items():
                    size[str(name)] = max(size[str(name)], abs(float(x[i])))
        for name in sorted(names, key=lambda n: (size[n] > 1e-6, size[n], -len(n))):
            fewer = [n for n in names if n != name]
            if self._fits(part, fewer, spots):
                names = fewer
        return names

    def _next(
        self, part: Part, linear: Linear, spots: Sequence[tuple[int, int]]
    ) -> tuple[str, Ratio]:
        """The open multiplier that is known best, and the simplest function it may be."""
        along = self.along if len(part.ks) > 1 else self.along[:1]
        widths: dict[str, float] = {}
        ends: dict[str, Ends] = {}
        for name in linear.open:
            own, low, high = [], [], []
            for spot in spots:
                pair = self._interval(part, linear, name, spot)
                if pair is not None:
                    own.append(spot)
                    low.append(pair[0])
                    high.append(pair[1])
            if len(own) < 0.7 * len(spots):
                continue
            ends[name] = Ends(own, np.array(low), np.array(high)).widened()
            top = np.maximum(np.maximum(np.abs(low), np.abs(high)), 1e-6)
            widths[name] = float(np.median((np.array(high) - np.array(low)) / top))
        for name in sorted(widths, key=lambda n: widths[n]):
            degree = part.degrees[name]
            for root in linear.touching(name):
                if self._fine(part, linear, name, root, spots):
                    return name, root
            # an end may be open: first well inside, where there is room
            for share in (0.0, 0.2, 0.4):
                function = self.functions.between(ends[name].inside(share), degree, along)
                if function is not None and self._fine(part, linear, name, function, spots):
                    return name, function
            for root in linear.vanishing(name):
                if self._fine(part, linear, name, root, spots):
                    return name, root
        raise Open(
            f"{part.name}: multipliers exist at every point tried, but no simple function was "
            f"found for that of {'; '.join(self._in_words(n, ends.get(n)) for n in linear.open)}"
        )

    def _in_words(self, name: str, ends: Ends | None) -> str:
        """A multiplier, and between what it lies at the first few points."""
        if ends is None:
            return name
        few = zip(ends.spots[:SHOWN], ends.low, ends.high, strict=False)
        words = [f"{a:.6g} to {b:.6g} at {self._shown(spot)}" for spot, a, b in few]
        return f"{name} ({'; '.join(words)})"

    def _fine(
        self,
        part: Part,
        linear: Linear,
        name: str,
        function: Ratio,
        spots: Sequence[tuple[int, int]],
    ) -> bool:
        trial = linear.copy()
        trial.pin(name, function)
        few = spots[:: max(1, len(spots) // PROBED)]
        return all(self._reduced(part, trial, spot).margin()[0] > ENOUGH for spot in few)

    def _reduced(self, part: Part, linear: Linear, spot: tuple[int, int]) -> Program:
        """The program in the multipliers that are open, the others being functions of those."""
        self.check()
        p, k = spot
        program, least = Program(), []
        terms: list[Term] = [(None, self._forms(part, part.target, "", spot))]

        def add(column: str | None, form: Mapping[Any, float], factor: float) -> None:
            terms.append((column, {e: factor * v for e, v in form.items()}))

        for name in linear.names:
            form = self._forms(part, part.known[name], name, spot)
            constant, slopes = linear.expression(name)
            number = self.reading.scalar(constant, self.points[p], k)
            add(None, form, -number)
            line: list[tuple[str | None, float]] = [(None, number)]
            for other, c in slopes.items():
                factor = self.reading.scalar(c, self.points[p], k)
                add(other, form, -factor)
                line.append((other, factor))
            if name not in linear.open:
                least.append(line)
        program.add(spot, terms, linear.open)
        for line in least:
            for column, _ in line:
                if column is not None:
                    program.columns.setdefault(column, len(program.columns))
            program.least.append(line)
        program.reduce()
        return program

    def _interval(
        self, part: Part, linear: Linear, name: str, spot: tuple[int, int]
    ) -> tuple[float, float] | None:
        program = self._reduced(part, linear, spot)
        if name not in program.columns:
            return None
        place = program.columns[name]
        for slack in SLACKS:
            pair = [program.minimum({name: sign}, -slack) for sign in (1.0, -1.0)]
            if pair[0] is not None and pair[1] is not None:
                a, b = float(pair[0][place]), float(pair[1][place])
                return min(a, b), max(a, b)
        return None

    def _shown(self, spot: tuple[int, int]) -> str:
        p, k = spot
        numbers = [f"{n} = {v}" for n, v in self.points[p].items()]
        return ", ".join([*numbers, f"k = {k}"])


def _semidefinite(form: Mapping[object, float], size: float) -> bool:
    """Whether a form is a sum of squares, but for rounding."""
    products = {e: v for e, v in form.items() if isinstance(e, tuple)}
    rows = sorted({i for e in products for i in e})
    matrix = np.zeros((len(rows), len(rows)))
    for (i, j), v in products.items():
        a, b = rows.index(i), rows.index(j)
        matrix[a, b] += v / 2
        matrix[b, a] += v / 2
    return not rows or bool(np.linalg.eigvalsh(matrix)[0] >= -1e-9 * size)


class Linear:
    """Multipliers as functions of those that are open."""

    def __init__(self, recovery: Recovery, part: Part, names: Sequence[str]) -> None:
        self.recovery, self.part, self.names = recovery, part, list(names)
        self.number = recovery.reading.field.number
        self.solved: dict[str, Ratio] = {}
        self.dependent: dict[str, tuple[Ratio, dict[str, Ratio]]] = {}
        self.gone: set[int] = set()

    def copy(self) -> Linear:
        """The same, to be changed."""
        other = Linear(self.recovery, self.part, self.names)
        other.solved, other.dependent = dict(self.solved), dict(self.dependent)
        other.gone = set(self.gone)
        return other

    @property
    def open(self) -> list[str]:
        """Multipliers that nothing is known of."""
        return [n for n in self.names if n not in self.solved and n not in self.dependent]

    def expression(self, name: str) -> tuple[Ratio, dict[str, Ratio]]:
        """A multiplier as a constant and factors of open ones."""
        if name in self.solved:
            return self.solved[name], {}
        if name in self.dependent:
            return self.dependent[name]
        return self.number(0), {name: self.number(1)}

    def pin(self, name: str, function: Ratio) -> None:
        """Let an open multiplier be a function."""
        self.solved[name] = function
        self._substitute(name, function, {})

    def _substitute(self, name: str, constant: Ratio, slopes: Mapping[str, Ratio]) -> None:
        for other, (own, by) in list(self.dependent.items()):
            if name not in by:
                continue
            rest = {n: c for n, c in by.items() if n != name}
            for n, c in slopes.items():
                rest[n] = rest.get(n, self.number(0)) + by[name] * c
            rest = {n: c for n, c in rest.items() if c}
            value_ = own + by[name] * constant
            if rest:
                self.dependent[other] = value_, rest
            else:
                del self.dependent[other]
                self.solved[other] = value_

    def reduce(self) -> None:
        """Solve what follows from squares that can't be left. Raises Open on a contradiction."""
        while self._step():
            pass

    def touching(self, name: str) -> Iterator[Ratio]:
        """Where a determinant of two rows has a double root: what an interval of length 0 is.

        Of the only open multiplier; of the determinants that are squares in it.
        """
        if self.open != [name]:
            return
        entries = self._entries()
        rows = sorted({i for key in entries if isinstance(key, tuple) for i in key})
        none = self.number(0)

        def entry(i: int, j: int) -> tuple[Ratio, Ratio]:
            constant, slopes = entries.get((i, j), (none, {}))
            return constant, slopes.get(name, none)

        for i, j in itertools.combinations(rows, 2):
            (a, b), (c, d), (e, f) = entry(i, i), entry(j, j), entry(i, j)
            square, line, rest = (
                4 * b * d - f * f,
                4 * (a * d + b * c) - 2 * e * f,
                4 * a * c - e * e,
            )
            if square and line * line == 4 * square * rest:
                yield -line / (2 * square)

    def vanishing(self, name: str) -> Iterator[Ratio]:
        """Where a square is left with factor 0: what an end of an interval may be.

        Of the only open multiplier.
        """
        if self.open != [name]:
            return
        for key, (constant, slopes) in self._entries().items():
            if isinstance(key, tuple) and key[0] == key[1] and constant and slopes:
                yield -constant / slopes[name]

    def _entries(self) -> dict[object, tuple[Ratio, dict[str, Ratio]]]:
        """What is left, each entry as a constant and factors of open multipliers."""
        entries: dict[object, tuple[Ratio, dict[str, Ratio]]] = {}

        def add(form: Total, constant: Ratio, slopes: Mapping[str, Ratio]) -> None:
            for e, v in form.terms.items():
                own, by = entries.get(e, (self.number(0), {}))
                by = dict(by)
                for n, c in slopes.items():
                    by[n] = by.get(n, self.number(0)) + v * c
                entries[e] = own + v * constant, {n: c for n, c in by.items() if c}

        add(self.part.target, self.number(1), {})
        for name in self.names:
            constant, slopes = self.expression(name)
            add(self.part.known[name], -constant, {n: -c for n, c in slopes.items()})
        return entries

    def _step(self) -> bool:
        entries = self._entries()
        for key, (constant, slopes) in entries.items():
            if not isinstance(key, tuple) and key != "R**2" and (constant or slopes):
                return self._solve(constant, slopes)
        rows = sorted({i for key in entries if isinstance(key, tuple) for i in key})
        positive = self.recovery.domain.nonnegative
        for i in rows:
            constant, slopes = entries.get((i, i), (self.number(0), {}))
            inequality = all(n in self.open for n in slopes)
            if constant or not inequality or not all(positive(-c, 0) for c in slopes.values()):
                continue
            for name in slopes:
                return self._solve(self.number(0), {name: self.number(1)})
            for key, (value_, by) in entries.items():
                if isinstance(key, tuple) and i in key and key != (i, i) and (value_ or by):
                    return self._solve(value_, by)
        return False

    def _solve(self, constant: Ratio, slopes: Mapping[str, Ratio]) -> bool:
        """constant + Σ slopes · open = 0 for one of them."""
        if not slopes:
            raise Open(f"{self.part.name}: a form is left that no multiplier takes away")
        name = min(slopes, key=lambda n: (len(repr(slopes[n])), n))
        pivot = slopes[name]
        rest = {n: -c / pivot for n, c in slopes.items() if n != name}
        own = -constant / pivot
        if rest:
            self.dependent[name] = own, rest
        else:
            self.solved[name] = own
        self._substitute(name, own, rest)
        return True
