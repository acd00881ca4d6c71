"""The least constant that a form of V shows, read as a function and proved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from flint import fmpq

from opcheck.engine.ratio import Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.ansatz import Ansatz
from opcheck.evidence.discover.discover import TimeIsUp, Try, forms, tried, until
from opcheck.evidence.discover.improvement import (
    NEAR,
    End,
    Improvement,
    changed,
    excluded,
    next_to,
    nothing,
    shown_by,
)
from opcheck.evidence.discover.multipliers import Open
from opcheck.evidence.discover.reading import Reading
from opcheck.evidence.discover.search import Search
from opcheck.evidence.discover.simple import Ends, Floats, shortest
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Negative, Node, Number
from opcheck.model.theorem import Theorem, theorem_of, without_proof

SAME = 1e-4  # by which a factor differs from 1 that the solver may have missed
READ = 2e-6  # relative error of the solver's least factor
LOOSER = 5e-5
FEW = 4  # points of which none is left out
SHARES = (0.03, 0.1, 0.25, 0.5)  # of the way back to the declared bound
MORE = 8  # further points at which the least factors are sought
FURTHER = ((200,), (200, 3000))  # k beside the first ones: k → ∞ may decide a constant
SHOWN = 3  # points at which the end of a form is told


@dataclass(frozen=True)
class Least:
    """The least factors that one form shows.

    Attributes:
        factors: lists of one a point of the search, at more and more k.
    """

    ansatz: Ansatz
    search: Search
    factors: tuple[tuple[float, ...], ...]

    @property
    def size(self) -> float:
        """The geometric mean of the factors, coarsely."""
        return round(math.exp(sum(map(math.log, self.factors[0])) / len(self.factors[0])), 3)


def tighten(
    theorem: str | Theorem,
    *,
    time_limit: float = 60.0,
    progress: Callable[[str], None] = lambda _: None,
) -> Improvement:
    """Search for the least c such that a potential shows a statement with the bound c · bound.

    c is a number or a function of the statement's parameters that is nowhere above 1. A declared
    proof is not looked at. The result has been accepted by ``prove`` or is none.

    Args:
        time_limit: seconds of work; it is looked at between programs, so a little more may pass.
        progress: told what is tried.

    Raises OpcheckError for an unknown theorem, and one that no potential can show.
    """
    entry = without_proof(theorem_of(theorem))
    in_time = until(time_limit)
    tries: list[Try] = []
    none = nothing(entry, "bound", entry.bound, tries, False)
    leasts: list[Least] = []
    improvement, shows = none, None
    try:
        for ansatz in forms(entry):
            progress(ansatz.family)
            leasts += _least(entry, ansatz, in_time)
        leasts.sort(key=lambda least: least.size)
        for least, factor in _candidates(leasts):
            in_time()
            bound = times(least.search.reading, entry.bound, least.search.reading.written(factor))
            progress(f"{least.ansatz.family}: {bound}")
            better = changed(entry, bound=bound)
            outcome, reason, proof = tried(better, least.ansatz, in_time)
            family = f"{least.ansatz.family}, {bound}"
            tries.append(Try(family, least.ansatz.terms, outcome, reason))
            if proof is not None:
                improvement = shown_by(
                    none,
                    better,
                    proof,
                    improved=bound,
                    factor=least.search.reading.written(factor),
                    family=least.ansatz.family,
                    only=reason,
                )
                shows = least
                break
        improvement = replace(improvement, finished=True)
    except TimeIsUp:
        pass
    improvement = replace(improvement, tries=tuple(tries))
    shows = shows or (leasts[0] if leasts else None)
    if shows is None:
        return improvement
    ends = tuple(_end(entry, shows, p) for p in range(min(SHOWN, len(shows.factors[0]))))
    return replace(improvement, ends=ends, family=shows.ansatz.family)


def _least(theorem: Theorem, ansatz: Ansatz, in_time: Callable[[], None]) -> Iterator[Least]:
    """What one form shows, where that is the statement at least."""
    try:
        search = Search(theorem, ansatz, check=in_time)
        factors = [search.least(p) for p in range(len(search.points))]
        if not all(c <= 1 + SAME for c in factors):
            return
        wider = [p for p in search.wide if p not in search.points]
        for point in wider[:: max(1, len(wider) // MORE)][:MORE]:
            search.points.append(point)
            factor = search.least(len(search.points) - 1)
            if factor <= 1 + SAME:
                factors.append(factor)
            else:  # close to an end of the range the solver may err
                search.points.pop()
        lists = [tuple(factors)]
        for further in FURTHER if search.moving else ():
            lists.append(tuple(search.least(p, further) for p in range(len(search.points))))
    except (OpcheckError, Undecided, Open):
        return
    search.functions.learn_plain()
    yield Least(ansatz, search, tuple(lists))


def _candidates(leasts: list[Least]) -> Iterator[tuple[Least, Ratio]]:
    """Factors to be proved: those that the solver ends at, then some nearer to 1."""
    seen: set[tuple[int, str]] = set()
    for share in (0.0, *SHARES):
        for n, least in enumerate(leasts):
            for factors in least.factors:
                # at more k the solver may err, and c is never less there
                usable = all(math.isfinite(c) and c <= 1 + SAME for c in factors)
                if not usable or min(factors) > 1 - SAME:
                    continue
                for factor in _read(least.search, np.array(factors), share):
                    key = n, repr(factor)
                    if key not in seen and _smaller(least.search, factor):
                        seen.add(key)
                        yield least, factor


def _read(search: Search, least: Floats, share: float) -> Iterator[Ratio]:
    """The simplest functions between the least factors and a share of the way from there to 1."""
    one = search.reading.field.number(1)
    spots = [(p, 0) for p in range(len(least))]
    if share:
        high = least + share * np.maximum(1 - least, 0)
        every = [Ends(spots, least, high).widened(READ)]
    else:
        every = [Ends(spots, least, least).widened(by) for by in (READ, LOOSER)]
        # the solver may be wrong at one point
        every += [every[0].without(n) for n in range(len(spots))] if len(spots) > FEW else []
    middle = float(np.sort(least)[len(least) // 2])
    if not share and np.isclose(least, middle, rtol=READ).mean() > 0.5:
        yield one * _near(middle)
    for ends in every:
        factor = search.functions.between(ends, 0.0, [one])
        if factor is not None:
            yield factor
    if not share:
        yield one * _near(float(least.max()))


def _near(number: float) -> fmpq:
    simple = shortest(number * (1 - READ), number * (1 + READ))
    return fmpq(*(simple or Fraction(number)).as_integer_ratio())


def _smaller(search: Search, factor: Ratio) -> bool:
    """Whether a factor is between 0 and 1 wherever the statement holds, and not always 1."""
    domain = search.reading.domain()
    one = search.reading.field.number(1)
    return factor != one and domain.positive(factor) and domain.nonnegative(one - factor)


def _end(theorem: Theorem, least: Least, p: int) -> End:
    """Where a form ends at a point, with exact weights where they are met."""
    search, reached = least.search, least.factors[0][p]
    point = search.points[p]
    beyond, parts = "", tuple[str, ...]()
    for by in NEAR:
        factor = next_to(reached, by, -1)
        smaller = changed(theorem, bound=times(search.reading, theorem.bound, str(factor)))
        if parts := excluded(smaller, least.ansatz, point):
            beyond = str(factor)
            break
    names = {n: str(v) for n, v in point.items()}
    return End(least.ansatz.family, names, reached, beyond, parts)


def times(reading: Reading, text: str, factor: str) -> str:
    """A product as one text, its numbers multiplied and equal factors cancelled."""
    return Product(reading).by(grammar.parse(text)).by(grammar.parse(factor)).text


class Product:
    """A number times powers of texts, gathered from trees."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.number = Fraction(1)
        self.powers: dict[str, int] = {}

    def by(self, node: Node, power: int = 1) -> Product:
        """The product with a power of a tree."""
        match node:
            case Number(value):
                self.number *= Fraction(value) ** power
            case Negative(operand):
                self.number *= (-1) ** power
                self.by(operand, power)
            case Binary("*", left, right):
                self.by(left, power).by(right, power)
            case Binary("/", left, right):
                self.by(left, power).by(right, -power)
            case Binary("**", base, Number(int(own))) if own > 0:
                self.by(base, own * power)
            case _:
                self._of_text(grammar.unparse(node), power)
        return self

    def _of_text(self, text: str, power: int) -> None:
        value = self._value(text)
        for other in self.powers:
            known = self._value(other)
            if text != other and (value is None or known is None or value not in (known, -known)):
                continue
            if text != other and value != known:
                self.number *= (-1) ** power
            text = other
            break
        self.powers[text] = self.powers.get(text, 0) + power

    def _value(self, text: str) -> Ratio | None:
        try:
            value = self.reading.general.read(text)
        except (OpcheckError, Undecided, TypeError):
            return None
        return value if isinstance(value, Ratio) else None

    @property
    def text(self) -> str:
        """A fraction."""
        above = [_power(base, own) for base, own in self.powers.items() if own > 0]
        below = [_power(base, -own) for base, own in self.powers.items() if own < 0]
        if self.number.numerator != 1 or not above:
            above.insert(0, str(self.number.numerator))
        if self.number.denominator != 1:
            below.insert(0, str(self.number.denominator))
        if not below:
            whole = "*".join(above)
            return grammar.unparse(grammar.parse(whole))
        whole = below[0] if len(below) == 1 else f"({'*'.join(below)})"
        return f"{'*'.join(above)}/{whole}"


def _power(base: str, own: int) -> str:
    node = grammar.parse(base)
    return grammar.unparse(Binary("**", node, Number(own)) if own != 1 else node, 3)
