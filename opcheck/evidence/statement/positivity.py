"""Signs of rational functions on a range of parameters, proved by the coefficients of polynomials.

A range lo < x < hi is the image of s > 0 under x = (lo + hi s)/(1 + s), one without an upper end
of x = lo + s. A polynomial whose coefficients are then all ≥ 0 is ≥ 0. Where it isn't, the range is
cut in two and in two again. Ranges are taken in every order in which they can be resolved.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from flint import fmpq

from opcheck.engine.ratio import Field, Ratio, factorised

DEPTH = 4  # how often a range is halved
CHARTS = 400  # in how many ways a range is resolved at most
LARGEST = 50_000  # terms times degree of a polynomial that is read; a power of 1000 has a million
FEW = 12  # and of those how many are tried when it is cut

SAMPLED = 8  # charts, and points of each, at which a sign is looked up before it is proved
SPOTS = (fmpq(1, 20), fmpq(1, 3), fmpq(1), fmpq(2), fmpq(7), fmpq(40))


@dataclass(frozen=True)
class Constraint:
    """value > 0, or value ≥ 0 where it is not strict."""

    value: Ratio
    strict: bool


@dataclass(frozen=True)
class Chart:
    """Symbols as functions of symbols ≥ 0.

    Attributes:
        open: those that are > 0.
        closed: those that may be infinite, where a range holds its upper end.
    """

    images: dict[str, Ratio]
    open: frozenset[str]
    closed: frozenset[str]


class Domain:
    """The points that satisfy all constraints.

    Args:
        symbols: in the order in which they were introduced.
        most: in how many ways ranges are resolved for one sign; fewer may miss one, and are quick.
    """

    def __init__(
        self,
        field: Field,
        symbols: Sequence[str],
        constraints: Sequence[Constraint],
        most: int = CHARTS,
    ) -> None:
        self.most = most
        self.field, self.symbols = field, list(symbols)
        self.constraints = list(dict.fromkeys(c for c in constraints if c.value.symbols))
        self._charts: dict[frozenset[str], tuple[list[Chart], Iterator[Chart]]] = {}
        self._points: dict[frozenset[str], list[dict[str, fmpq]]] = {}
        self._known: dict[Any, int | None] = {}
        self._lines: dict[tuple[int, str], tuple[Ratio, Ratio]] = {}  # a constraint along a symbol

    def nonnegative(self, value: Ratio, depth: int = DEPTH) -> bool:
        """Whether value ≥ 0 is proved on the domain, cut in two so often."""
        if not value:
            return True
        sign = self._sign(value.num, False, depth)
        below = self._sign(value.den, True)
        return sign is not None and below is not None and sign * below >= 0

    def positive(self, value: Ratio) -> bool:
        """Whether value > 0 is proved on the domain."""
        sign, below = self._sign(value.num, True), self._sign(value.den, True)
        return sign is not None and below is not None and sign * below > 0

    def nonzero(self, value: Ratio) -> bool:
        """Whether value > 0, or value < 0, is proved on the domain."""
        return self._sign(value.num, True) is not None and self._sign(value.den, True) is not None

    def _sign(self, polynomial: Any, strict: bool, depth: int = 0) -> int | None:
        """1, −1, or None where neither is proved; factor by factor."""
        constant, factors = factorised(polynomial)
        total = 1 if constant > 0 else -1
        for factor, power in factors:
            sign = self._factor(factor, strict, depth)
            if sign is None:
                if power % 2 or strict:
                    return None
                continue
            total *= sign if power % 2 else 1
        return total

    def _factor(self, factor: Any, strict: bool, depth: int) -> int | None:
        key = (str(factor), strict, depth)
        if key not in self._known:
            self._known[key] = None  # what is asked for on the way must do without it
            self._known[key] = self._search(factor, strict, depth)
        return self._known[key]

    def _search(self, factor: Any, strict: bool, most: int) -> int | None:
        value = Ratio(self.field, factor, self.field.one)
        if not value.symbols <= {*self.symbols}:
            return None  # of what is no part of the domain nothing is known
        if (sign := self._stated(factor, strict)) is not None:
            return sign
        if _large(factor):
            return None
        for depth in range(most + 1):
            if depth == 1:
                values = [self.field.value(value, p) for p in self.points(value.symbols)]
                if len({v > 0 for v in values if v}) > 1:
                    return None  # both signs occur
            for chart in itertools.islice(
                self.charts(value.symbols), self.most if not depth else FEW
            ):
                sign = on_chart(value, chart, strict, depth)
                if sign is not None:
                    return sign
        return None

    def _stated(self, factor: Any, strict: bool) -> int | None:
        """The sign where some constraint is the factor times what has a known sign."""
        for c in self.constraints:
            constant, factors = factorised(c.value.num)
            if (factor, 1) not in factors or (strict and not c.strict):
                continue
            product = 1 if constant > 0 else -1
            for other, power in [*factors, *factorised(c.value.den)[1]]:
                if other != factor:
                    # an even power too must not vanish: where it does, nothing is said
                    sign = self._factor(other, True, 0) or 0
                    product *= sign if power % 2 else abs(sign)
            if product:
                return product
        return None

    def charts(self, symbols: Set[str]) -> Iterator[Chart]:
        """Ways to write the domain, or a larger one, in terms of symbols ≥ 0."""
        key = frozenset(self._closure(symbols))
        if key not in self._charts:
            names = [s for s in self.symbols if s in key]
            within, beyond = (
                itertools.chain.from_iterable(
                    self._resolve(order, Chart({}, frozenset(), frozenset()), low)
                    for order in itertools.permutations(names)
                )
                for low in (False, True)
            )
            combined = itertools.chain(itertools.islice(within, SAMPLED), beyond)
            self._charts[key] = [], itertools.islice(combined, CHARTS)
        drawn, more = self._charts[key]
        yield from drawn
        for chart in more:  # made when first asked for, kept for the next to ask
            drawn.append(chart)
            yield chart

    def points(self, names: Set[str]) -> list[dict[str, fmpq]]:
        """Some points of the domain: values of the names and of all that they are tied to."""
        key = frozenset(self._closure(names))
        if key not in self._points:
            self._points[key] = self._drawn(names)
        return self._points[key]

    def _drawn(self, names: Set[str]) -> list[dict[str, fmpq]]:
        draw = random.Random(0)
        points = []
        for chart in itertools.islice(self.charts(names), SAMPLED):
            for i in range(SAMPLED):  # all 1 first, where ends of ranges often meet
                at = {n: draw.choice(SPOTS) if i else fmpq(1) for n in chart.images}
                values = [(n, self.field.value(v, at)) for n, v in chart.images.items()]
                point = {n: v for n, v in values if v is not None}
                if len(point) == len(values) and self._inside(point):
                    points.append(point)
        return points

    def _closure(self, symbols: Set[str]) -> Set[str]:
        """The symbols and those that share a constraint with them."""
        closure = set(symbols)
        while True:
            more = set(closure)
            for c in self.constraints:
                if c.value.symbols & closure:
                    more |= c.value.symbols
            if more == closure:
                return closure & set(self.symbols)
            closure = more

    def _inside(self, point: Mapping[str, fmpq]) -> bool:
        spoken = [c for c in self.constraints if c.value.symbols <= point.keys()]
        values = [(self.field.value(c.value, point), c.strict) for c in spoken]
        return all(v is not None and (v > 0 if strict else v >= 0) for v, strict in values)

    def _resolve(self, order: Sequence[str], chart: Chart, beyond: bool) -> Iterator[Chart]:
        """Charts that take symbols in an order; ``beyond``: also below what they are at least."""
        if not order:
            yield chart
            return
        name, rest = order[0], order[1:]
        lows, highs = self._ends(name, chart)
        choices = [(lo, hi) for lo in lows for hi in highs]
        choices += [(lo, None) for lo in lows]
        choices += [(None, hi) for hi in highs] if beyond or not lows else []
        s = self.field.symbol(name)
        for lo, hi in choices:
            inner, closed = chart.open, chart.closed
            if lo is not None and hi is not None:
                image = (lo[0] + hi[0] * s) / (1 + s)
                closed = closed if hi[1] else closed | {name}
            else:
                image = lo[0] + s if lo is not None else hi[0] - s
            if (lo or hi)[1]:
                inner = inner | {name}
            yield from self._resolve(
                rest, Chart(chart.images | {name: image}, inner, closed), beyond
            )

    def _ends(self, name: str, chart: Chart) -> tuple[list[Any], list[Any]]:
        """Lower and upper ends of a symbol in terms of those already resolved."""
        lows: list[Any] = []
        highs: list[Any] = []
        place = self.field.names.index(name)
        for i, c in enumerate(self.constraints):
            if name not in c.value.symbols or c.value.symbols - chart.images.keys() - {name}:
                continue
            if c.value.den.degrees()[place] > 0 or c.value.num.degrees()[place] != 1:
                continue
            if (i, name) not in self._lines:
                rest = self.field.at(c.value, {name: self.field.number(0)})
                slope = self.field.at(c.value, {name: self.field.number(1)}) - rest
                self._lines[i, name] = rest, slope
            rest, slope = (self.field.at(v, chart.images) for v in self._lines[i, name])
            sign = strict_sign(slope, chart)
            if sign is not None:
                (lows if sign > 0 else highs).append((-rest / slope, c.strict))
        return lows, highs


def on_chart(value: Ratio, chart: Chart, strict: bool, depth: int = 0) -> int | None:
    """1 or −1 where a function has that sign on a chart, cut in two so often; else None."""
    image = value.field.at(value, chart.images)
    if strict:
        return strict_sign(image, chart)
    # what clears a denominator is positive at finite symbols; ends follow as limits
    below = _settled(image.den, chart.open)
    return None if below is None else _halved(image.num * below, depth)


def strict_sign(image: Ratio, chart: Chart) -> int | None:
    """1 or −1 where a function of symbols ≥ 0 has that sign, infinite closed ones included."""
    above, below = _settled(image.num, chart.open), _settled(image.den, chart.open)
    if above is None or below is None:
        return None
    for name in chart.closed & image.symbols:
        i = image.field.names.index(name)
        top = max(image.num.degrees()[i], image.den.degrees()[i])
        num, den = (leading(p, i, top) for p in (image.num, image.den))
        if num.is_zero() or den.is_zero():
            return None
        if strict_sign(image.field.ratio(num, den), chart) is None:
            return None
    return above * below


def leading(polynomial: Any, i: int, degree: int) -> Any:
    """The coefficient of a power of symbol i."""
    terms = {
        tuple(0 if j == i else p for j, p in enumerate(powers)): c
        for powers, c in polynomial.to_dict().items()
        if powers[i] == degree
    }
    return polynomial.context().from_dict(terms)


def _settled(polynomial: Any, open: frozenset[str] | set[str]) -> int | None:
    """The sign where all coefficients share it and a term in open symbols alone keeps it from 0."""
    sign = _uniform(polynomial)
    if sign is None:
        return None
    names = polynomial.context().names()
    for powers in polynomial.to_dict():
        if all(not p or name in open for name, p in zip(names, powers, strict=True)):
            return sign
    return None


def _uniform(polynomial: Any) -> int | None:
    coefficients = polynomial.to_dict().values()
    if all(c >= 0 for c in coefficients):
        return 1
    return -1 if all(c <= 0 for c in coefficients) else None


def _halved(polynomial: Any, depth: int) -> int | None:
    """The sign of a polynomial for all symbols ≥ 0; 1 or −1 only where it is proved."""
    sign = _uniform(polynomial)
    if sign is not None or depth == 0:
        return sign
    degrees = polynomial.degrees()
    if _large(polynomial) or _changes(polynomial, degrees):
        return None
    generators = polynomial.context().gens()
    # where a symbol stands in terms of both signs, [0, ∞) is [0, 1] and [1, ∞)
    spots = [i for i, d in enumerate(degrees) if d > 0]
    best = min(spots, key=lambda i: degrees[i])
    for i in sorted(spots, key=lambda i: (i != best, degrees[i])):
        sign = None
        for part in _parts(polynomial, i, generators, degrees[i]):
            own = _halved(part, depth - 1)
            if own is None or own != (sign or own):
                break
            sign = own
        else:
            return sign
    return None


def _large(polynomial: Any) -> bool:
    """Whether a sign would take minutes: it then counts as not shown."""
    return len(polynomial) * max(polynomial.degrees(), default=0) > LARGEST


def _changes(polynomial: Any, degrees: Sequence[int]) -> bool:
    """Whether both signs are met: at 1, or towards corners, each symbol at 0 or ∞."""
    terms = polynomial.to_dict()
    corners = [
        c
        for powers, c in terms.items()
        if all(p in (0, d) for p, d in zip(powers, degrees, strict=True))
    ]
    met = [*corners, sum(terms.values())]
    return bool(min(met) < 0 < max(met))


def _parts(polynomial: Any, i: int, generators: Sequence[Any], degree: int) -> Iterator[Any]:
    moved = list(generators)
    moved[i] = 1 + generators[i]
    yield polynomial.compose(*moved)
    # s = 1/(1 + t), cleared of its denominator
    total = 0
    for powers, coefficient in polynomial.to_dict().items():
        rest = [0 if j == i else p for j, p in enumerate(powers)]
        term = polynomial.context().from_dict({tuple(rest): coefficient})
        total = total + term * (1 + generators[i]) ** (degree - powers[i])
    yield total
