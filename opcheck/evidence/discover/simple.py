"""The simplest function between ends that are known at numbers.

A candidate is a constant times powers of the statement's own symbols and of the factors of its own
formulas. It must lie between the ends at every point; the shortest wins. Where the ends are as good
as equal, a sum of two such is tried. Nothing rests on the choice: it is proved afterwards.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from opcheck.engine.ratio import Ratio, factorised
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.reading import Point, Reading
from opcheck.evidence.discover.scale import Degrees
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Comparison, Negative, Node

Floats = NDArray[np.float64]
EXPONENTS = range(-2, 4)  # of a symbol in a candidate
POWERS = 4  # of symbols together
FACTORS = 14  # of the statement's formulas that are used
DENOMINATOR = 5000  # of a constant, at most
PAIRS = 1200  # candidates of which sums of two are tried
SHORTEST = 30  # candidates of which sums between wide ends are made, with plain constants
PLAIN = tuple(Fraction(sign * n, 2) for n in range(1, 9) for sign in (1, -1))
CLOSE = 2e-3  # relative width below which a value is as good as known
LOOSE = 2e-6  # by which the solver's ends are widened


@dataclass(frozen=True)
class Ends:
    """Between which numbers a function must lie.

    Attributes:
        spots: (which parameter point, k).
        low, high: one a spot.
    """

    spots: list[tuple[int, int]]
    low: Floats
    high: Floats

    def widened(self, by: float = LOOSE) -> Ends:
        """The ends, apart by what the solver may have missed."""
        low = self.low - by * np.maximum(1e-2, np.abs(self.low))
        high = self.high + by * np.maximum(1e-2, np.abs(self.high))
        return Ends(self.spots, low, high)

    def inside(self, share: float) -> Ends:
        """The ends, each moved towards the other."""
        width = self.high - self.low
        return Ends(self.spots, self.low + share * width, self.high - share * width)

    def without(self, n: int) -> Ends:
        """The ends at all spots but one."""
        spots = [*self.spots[:n], *self.spots[n + 1 :]]
        return Ends(spots, np.delete(self.low, n), np.delete(self.high, n))

    @property
    def known(self) -> bool:
        """Whether the value is as good as known everywhere."""
        return bool((self.high - self.low < CLOSE * max(np.abs(self.high).max(), 1e-9)).all())

    @property
    def zero(self) -> bool:
        """Whether it is 0 for all that is known."""
        return bool(((self.low <= 0) & (self.high >= 0) & (self.high - self.low < 1e-4)).all())


class Functions:
    """Candidates over the symbols and the formulas of a statement, at its points.

    Args:
        points: of the parameters; the symbol ``unit`` is 1 at each.
        unit: a symbol whose power makes the degree right; "" where there is no scaling.
        without: a symbol that no candidate has; "".
    """

    def __init__(
        self,
        reading: Reading,
        degrees: Degrees,
        points: Sequence[Point],
        unit: str,
        live: set[str],
        *,
        without: str = "",
    ) -> None:
        self.without = without
        self.reading, self.degrees, self.points, self.unit = reading, degrees, points, unit
        field = reading.field
        self.names = [n for n in field.known if n in live and n != unit]
        self.symbols = [field.symbol(n) for n in self.names]
        self.factors: dict[str, Ratio] = {}
        for formula in _formulas(reading):
            self.learn(formula)

    def learn(self, function: Ratio) -> None:
        """Let the factors of a function be factors of candidates."""
        field = self.reading.field
        for name in function.symbols:
            if name in (self.reading.index, "k", self.without):
                return
        for polynomial in (function.num, function.den):
            several = [f for f, _ in factorised(polynomial)[1] if len(f.to_dict()) > 1]
            if 2 <= len(several) <= 3:  # as 1 − q², which stands for its factors together
                several.append(functools.reduce(operator.mul, several))
            for factor in several:
                if len(self.factors) < FACTORS:
                    self.factors.setdefault(str(factor), Ratio(field, factor, field.one))
        self.forget()

    def learn_plain(self) -> None:
        """Let 1 ± q and their kin be factors, for symbols q as they are without scaling."""
        one = self.reading.field.number(1)
        for q in self.symbols:
            if self.unit:
                power = -fraction(self.degrees.ratio(q)) / fraction(self.degrees.of[self.unit])
                if power.denominator != 1:
                    continue
                q = q * self.reading.field.symbol(self.unit) ** int(power)
            for part in (q, -q, q * q, -2 * q * q, -q / 2, q / 2, -2 * q, 2 * q):
                self.learn(one + part)

    def forget(self) -> None:
        """Points or factors were added."""
        self.__dict__.pop("_products", None)

    def _made(self) -> tuple[list[Ratio], NDArray[np.int64], Floats, Floats, Floats]:
        """Atoms, exponents of each product, its values at the points, degree and length."""
        if "_products" not in self.__dict__:
            self._products = self._make()
        return self._products

    def _make(self) -> tuple[list[Ratio], NDArray[np.int64], Floats, Floats, Floats]:
        atoms = [*self.symbols, *self.factors.values()]
        n, m = len(self.symbols), len(self.factors)
        few: list[tuple[tuple[int, int], ...]] = [()]
        few += [((i, e),) for i in range(m) for e in (1, -1, 2, -2)]
        few += [
            ((i, e), (j, f))
            for i, j in itertools.combinations(range(m), 2)
            for e in (1, -1)
            for f in (1, -1)
        ]
        rows = []
        for own in itertools.product(EXPONENTS, repeat=n):
            if sum(map(abs, own)) > POWERS:
                continue
            for signs in few:
                row = [*own, *(0,) * m]
                for i, e in signs:
                    row[n + i] = e
                rows.append(row)
        exponents = np.array(rows, dtype=np.int64).reshape(len(rows), n + m)
        values = np.array([[self.reading.scalar(a, p) for a in atoms] for p in self.points])
        values = values.reshape(len(self.points), n + m)
        degree = np.array([float(fraction(self.degrees.ratio(a))) for a in atoms])
        with np.errstate(all="ignore"):
            size = exponents @ np.log(np.abs(np.where(values == 0, 1.0, values))).T
            sign = 1.0 - 2.0 * ((np.abs(exponents) % 2) @ (values < 0).T.astype(int) % 2)
            table = np.exp(size) * sign
        gone = (values == 0).T.astype(float)
        table = np.where((exponents > 0) @ gone > 0, 0.0, table)
        table = np.where((exponents < 0) @ gone > 0, np.nan, table)
        table = np.where(np.isnan(values).any(axis=1)[None, :], np.nan, table)
        length = np.abs(exponents[:, :n]).sum(axis=1) + 2.0 * np.abs(exponents[:, n:]).sum(axis=1)
        return atoms, exponents, table, exponents @ degree, length

    def _product(self, row: int, degree: float) -> Ratio:
        atoms, exponents, _, degrees, _ = self._made()
        product = self.reading.field.number(1)
        for atom, e in zip(atoms, exponents[row], strict=True):
            product = product * atom ** int(e)
        if self.unit:
            product = product * self.reading.field.symbol(self.unit) ** self._missing(
                degree - degrees[row]
            )
        return product

    @staticmethod
    def _times(a: Ratio, b: Ratio) -> Ratio:
        product: Ratio = a * b
        return product

    def _missing(self, degree: float) -> int:
        return round(degree / float(fraction(self.degrees.of[self.unit])))

    def _lengths(self, degree: float) -> Floats:
        """How long each product is with the power of the unit that its degree lacks."""
        _, _, _, degrees, length = self._made()
        if not self.unit:
            return length
        power = (degree - degrees) / float(fraction(self.degrees.of[self.unit]))
        whole = np.abs(power - np.round(power)) < 1e-9
        return np.where(whole & (np.abs(power) <= 4), length + 0.5 * np.abs(power), np.inf)

    def between(self, ends: Ends, degree: float, along: Sequence[Ratio]) -> Ratio | None:
        """The simplest candidate between the ends; None where there is none.

        Args:
            along: functions of k that may be factors, the constant 1 among them.
        """
        if ends.zero:
            return self.reading.field.number(0)
        single = self._single(ends, degree, along)
        if single is None and ends.known:
            return self._sum(ends, degree, along)
        return single

    def _along(self, ends: Ends, along: Sequence[Ratio]) -> Iterator[tuple[float, Ratio, Floats]]:
        for ratio in along:
            values = [self.reading.scalar(ratio, self.points[p], k) for p, k in ends.spots]
            yield 0.25 * (len(repr(ratio)) - 1) ** 0.5, ratio, np.array(values)

    def _single(self, ends: Ends, degree: float, along: Sequence[Ratio]) -> Ratio | None:
        _, _, table, _, _ = self._made()
        lengths = self._lengths(degree)
        at = [p for p, _ in ends.spots]
        best: tuple[float, int, Fraction, Ratio] | None = None
        usable = np.flatnonzero(np.isfinite(lengths) & np.isfinite(table).all(axis=1))
        for extra, factor, values in self._along(ends, along):
            if not np.isfinite(values).all():
                continue
            w = table[usable][:, at] * values
            with np.errstate(all="ignore"):
                at_low, at_high = ends.low / w, ends.high / w
            none = w == 0
            low = np.where(none, -np.inf, np.where(w > 0, at_low, at_high)).max(axis=1)
            high = np.where(none, np.inf, np.where(w > 0, at_high, at_low)).min(axis=1)
            fine = (~none | ((ends.low <= 0) & (ends.high >= 0))).all(axis=1) & (low <= high)
            good = usable[fine]
            lows, highs = low[fine], high[fine]
            order = np.argsort(lengths[good], kind="stable")[:60]
            for j in order:
                c = shortest(lows[j], highs[j])
                if c is None or c == 0 or c.denominator > DENOMINATOR:
                    continue
                score = lengths[good[j]] + extra + _weight(c)
                if best is None or score < best[0] - 1e-9:
                    best = float(score), int(good[j]), c, factor
        if best is None:
            return None
        product = self._product(best[1], degree) * fmpq(*best[2].as_integer_ratio())
        return self._times(product, best[3])

    def two_terms(self, ends: Ends, degree: float) -> Ratio | None:
        """The simplest sum of two candidates between ends that may be far apart; None for none."""
        _, _, table, _, _ = self._made()
        lengths = self._lengths(degree)
        at = [p for p, _ in ends.spots]
        usable = np.flatnonzero(np.isfinite(lengths) & np.isfinite(table).all(axis=1))
        usable = usable[np.argsort(lengths[usable], kind="stable")][:SHORTEST]
        weights = [_weight(c) for c in PLAIN]
        best: tuple[float, int, Fraction, int, Fraction] | None = None
        numbers = np.array([float(c) for c in PLAIN])
        for n, i in enumerate(usable):
            for j in usable[n + 1 :]:
                sums = numbers[:, None, None] * table[i, at] + numbers[None, :, None] * table[j, at]
                fine = ((sums >= ends.low) & (sums <= ends.high)).all(axis=2)
                for a, b in np.argwhere(fine):
                    score = float(lengths[i] + lengths[j] + weights[a] + weights[b])
                    if best is None or score < best[0] - 1e-9:
                        best = score, int(i), PLAIN[a], int(j), PLAIN[b]
        if best is None:
            return None
        total = self.reading.field.number(0)
        for row, c in ((best[1], best[2]), (best[3], best[4])):
            total = total + self._product(row, degree) * fmpq(*c.as_integer_ratio())
        return total

    def _sum(self, ends: Ends, degree: float, along: Sequence[Ratio]) -> Ratio | None:
        """A sum of two candidates, where the value is as good as known."""
        _, _, table, _, _ = self._made()
        lengths = self._lengths(degree)
        at = [p for p, _ in ends.spots]
        usable = np.flatnonzero(np.isfinite(lengths) & np.isfinite(table).all(axis=1))
        usable = usable[np.argsort(lengths[usable], kind="stable")]
        kept: list[tuple[float, int, Ratio]] = []
        rows: list[Floats] = []
        seen: set[tuple[float, ...]] = set()
        candidates = [
            (lengths[i] + extra, i, factor, values)
            for extra, factor, values in self._along(ends, along)
            if np.isfinite(values).all()
            for i in usable[: PAIRS // len(along)]
        ]
        for length, i, factor, values in sorted(candidates, key=lambda c: c[0]):
            row = table[i, at] * values
            top = np.abs(row).max()
            shape = tuple(np.round(row / top, 9)) if top > 0 else ()
            if shape and shape not in seen:
                seen.add(shape)
                kept.append((float(length), int(i), factor))
                rows.append(row)
        if len(rows) < 2:
            return None
        weight = 1 / np.maximum(ends.high - ends.low, 1e-9)
        A, b = np.array(rows) * weight, (ends.low + ends.high) / 2 * weight
        gram, right, whole = A @ A.T, A @ b, float(b @ b)
        best: tuple[float, int, Fraction, int, Fraction] | None = None
        for i in range(len(rows) - 1):
            others = np.arange(i + 1, len(rows))
            diagonal = np.diag(gram)[others]
            det = gram[i, i] * diagonal - gram[i, others] ** 2
            with np.errstate(all="ignore"):
                u = (right[i] * diagonal - right[others] * gram[i, others]) / det
                v = (right[others] * gram[i, i] - right[i] * gram[i, others]) / det
                rest = whole - u * right[i] - v * right[others]
            close = (rest < 4 * len(b)) & (det > 1e-10 * gram[i, i] * diagonal)
            for t in np.flatnonzero(close):
                f, g = (Fraction(float(w)).limit_denominator(24) for w in (u[t], v[t]))
                j = int(others[t])
                row = rows[i] * float(f) + rows[j] * float(g)
                if not f or not g or not ((ends.low <= row) & (row <= ends.high)).all():
                    continue
                score = kept[i][0] + kept[j][0] + _weight(f) + _weight(g)
                if best is None or score < best[0] - 1e-9:
                    best = score, i, f, j, g
        if best is None:
            return None
        total = self.reading.field.number(0)
        for n, c in ((best[1], best[2]), (best[3], best[4])):
            _, row_of, factor = kept[n]
            total = total + self._product(row_of, degree) * fmpq(*c.as_integer_ratio()) * factor
        return total


def _formulas(reading: Reading) -> Iterator[Ratio]:
    """Every part of the statement's formulas that is a function of its symbols alone."""
    theorem = reading.theorem
    trees = [theorem.right.tree, theorem.left.tree]
    trees += [grammar.parse(source) for source in theorem.let.values()]
    for chain in [*theorem.chains, *theorem.conditions]:
        trees += [end.tree for end in (chain.lo, chain.hi) if end is not None]
    seen: set[str] = set()
    for tree in trees:
        for node in grammar.walk(tree):
            if not isinstance(node, Binary | Negative) or _speaks_of_runs(node):
                continue
            text = grammar.unparse(node)
            if text in seen:
                continue
            seen.add(text)
            try:
                value = reading.general.read(node)
            except (OpcheckError, Undecided, TypeError):
                continue
            if isinstance(value, Ratio) and value.symbols <= {*reading.field.known}:
                yield value


def _speaks_of_runs(node: Node) -> bool:
    return any(isinstance(part, Call | Comparison) for part in grammar.walk(node)) or bool(
        grammar.names(node) & {"k", "K", "R"}
    )


def shortest(low: float, high: float) -> Fraction | None:
    """The rational of smallest denominator in an interval; 0 where 0 is in it."""
    if not (math.isfinite(low) and math.isfinite(high)) or max(abs(low), abs(high)) > 1e9:
        return None
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -_positive(Fraction(-high), Fraction(-low))
    return _positive(Fraction(low), Fraction(high))


def _positive(low: Fraction, high: Fraction) -> Fraction:
    whole = math.ceil(low)
    if whole <= high:
        return Fraction(whole)
    below = math.floor(low)
    return below + 1 / _positive(1 / (high - below), 1 / (low - below))


def _weight(c: Fraction) -> float:
    """How long a constant is; powers of two are the shortest."""
    n, d = abs(c.numerator), c.denominator
    plain = n in (1, 2, 4, 8) and d in (1, 2, 4, 8)
    return 0.1 * (c < 0) + 0.25 * math.log2(n * d) * (1 if plain else 2.5) + 0.3 * (d > 1)


def fraction(number: fmpq) -> Fraction:
    """The same number."""
    return Fraction(int(number.p), int(number.q))
