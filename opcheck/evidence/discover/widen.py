"""The widest range of a parameter in which a form of V shows a statement, read and proved."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from flint import fmpq

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
from opcheck.evidence.discover.points import inside
from opcheck.evidence.discover.reading import Point, Reading
from opcheck.evidence.discover.search import Search
from opcheck.evidence.discover.simple import Ends, Functions, fraction
from opcheck.evidence.statement.ranges import parts_of_end
from opcheck.model import grammar
from opcheck.model.text import FLOAT, Chain, Text, text
from opcheck.model.theorem import Theorem, theorem_of, without_proof

AHEAD = Fraction(1, 200)  # how far beyond an end is looked whether there is more
DOUBLINGS = 8  # of the way out, after which a range counts as open
HALVINGS = 22
INTO = 1e-9  # beyond the declared end, so that a range that is a point has an inside
OPENED = ("not proved", "unreadable")  # outcomes after which the end is left out of the range
READ = (1e-5, 5e-4)  # relative errors of an end, where the program is thin
SHARES = (0.9, 0.75, 0.5)  # of the way from the declared end
FAR = 8  # times the declared end, beyond which the solver may err: then no end is tried as well
PLACES = 4  # points at which an end is sought


@dataclass(frozen=True)
class Side:
    """One end of a range.

    Attributes:
        place: 0 for the low end, 1 for the high one.
    """

    name: str
    place: int

    @property
    def sign(self) -> int:
        """Which way is out."""
        return 1 if self.place else -1

    def of(self, chain: Chain) -> Text | None:
        """The end of a range on this side."""
        return chain.hi if self.place else chain.lo

    def replaced(self, chain: Chain, end: str, *, strict: bool = False) -> Chain:
        """A range with another end; with none for ""."""
        new = Text(end) if end else None
        if self.place:
            return replace(chain, hi=new, strict=(chain.strict[0], strict))
        return replace(chain, lo=new, strict=(strict, chain.strict[1]))


@dataclass(frozen=True)
class Reach:
    """How far out one form goes, at points that differ in the other parameters.

    Attributes:
        search: of the statement without this end.
        points: as of a search, with the parameter inside its range.
        declared, reached: values of the parameter; inf where no end was met.
    """

    ansatz: Ansatz
    side: Side
    search: Search
    points: tuple[Point, ...]
    declared: tuple[float, ...]
    reached: tuple[float, ...]

    @property
    def thin(self) -> list[Point]:
        """The points, each with the parameter a little inside of what is reached there."""
        thin: list[Point] = []
        for point, reached in zip(self.points[:PLACES], self.reached, strict=False):
            if np.isfinite(reached):
                inward = -self.side.sign if reached > 0 else self.side.sign
                value = next_to(reached, NEAR[0], inward)
                thin.append({**point, self.side.name: fmpq(value.numerator, value.denominator)})
        return thin


def widen(
    theorem: str | Theorem,
    name: str,
    *,
    time_limit: float = 60.0,
    progress: Callable[[str], None] = lambda _: None,
) -> Improvement:
    """Search for the widest range of a parameter for which a potential shows a statement.

    The bound keeps its text. A declared proof is not looked at. The result has been accepted by
    ``prove`` or is none. A parameter that ``let`` sets is one whose range is a point.

    Args:
        name: of a parameter that ``where`` ranges over or ``let`` sets.
        time_limit: seconds of work; it is looked at between programs, so a little more may pass.
        progress: told what is tried.

    Raises OpcheckError for an unknown theorem, one that no potential can show, and a name that is
    no parameter of it.
    """
    entry = _ranged(without_proof(theorem_of(theorem)), name)
    in_time = until(time_limit)
    tries: list[Try] = []
    improvement = nothing(entry, name, str(_chain(entry, name)), tries, False)
    current = entry
    shows: dict[Side, Reach] = {}
    try:
        for side in _sides(_chain(entry, name)):
            for ansatz in forms(entry):
                in_time()
                progress(f"{ansatz.family}, {'above' if side.place else 'below'}")
                reach = _reach(current, ansatz, side, in_time)
                if reach is None:
                    continue
                shows.setdefault(side, reach)
                for wider, end in _wider(current, reach):
                    if end and tries[-1].outcome not in OPENED:
                        continue
                    progress(f"{ansatz.family}: {_chain(wider, name)}")
                    outcome, reason, proof = tried(wider, ansatz, in_time)
                    if outcome in ("not recovered", "not proved"):
                        outcome, reason, proof = tried(wider, ansatz, in_time, thin=reach.thin)
                    family = f"{ansatz.family}, {_chain(wider, name)}"
                    tries.append(Try(family, ansatz.terms, outcome, reason))
                    if proof is not None:
                        current, shows[side] = wider, reach
                        improvement = shown_by(
                            improvement,
                            wider,
                            proof,
                            improved=str(_chain(wider, name)),
                            family=ansatz.family,
                            only=reason,
                        )
                        break
        improvement = replace(improvement, finished=True)
    except TimeIsUp:
        pass
    low = Side(name, 0)
    lowest = low.of(_chain(current, name))
    if lowest is not None and grammar.constant(lowest.tree) == 0:
        shows.pop(low, None)  # a step size has a sign: that is no end of the form
    ends = tuple(
        _end(reach, p) for reach in shows.values() for p in range(len(reach.points[:PLACES]))
    )
    family = improvement.family or next((r.ansatz.family for r in shows.values()), "")
    return replace(improvement, tries=tuple(tries), ends=ends, family=family)


def _ranged(theorem: Theorem, name: str) -> Theorem:
    """The statement with a range of the parameter."""
    parameters = {p.symbol for p in theorem.iteration.parameters if not p.integer}
    if any(c.name == name for c in theorem.chains) and name in parameters | {*theorem.free}:
        return theorem
    if name in parameters & theorem.let.keys():
        formula = theorem.let[name]
        let = {n: v for n, v in theorem.let.items() if n != name}
        if "k" not in text(formula).names and not text(formula).names & let.keys():
            where = ", ".join(filter(None, [f"{formula} <= {name} <= {formula}", theorem.where]))
            return changed(theorem, where=where, let=let)
    ranges = ", ".join(c.name for c in theorem.chains) or "none"
    raise OpcheckError(
        f"{theorem.name}: {name} is no real parameter with a range of its own; those are {ranges}"
    )


def _chain(theorem: Theorem, name: str) -> Chain:
    return next(c for c in theorem.chains if c.name == name)


def _sides(chain: Chain) -> Iterator[Side]:
    """The high end, and the low one where it is not 0: a step size has a sign."""
    if chain.hi is not None:
        yield Side(chain.name, 1)
    if chain.lo is not None and grammar.constant(chain.lo.tree) != 0:
        yield Side(chain.name, 0)


def _with_range(theorem: Theorem, chain: Chain) -> Theorem:
    """The statement with another range of a parameter; last where it speaks of later ones."""
    own = [c for c in [*theorem.conditions, *theorem.chains] if c.name != chain.name]
    place = len(theorem.conditions)
    place += [c.name for c in theorem.chains].index(chain.name)
    later = {c.name for c in own[place:] if c.parameter}
    if chain.symbols & later and not any(chain.name in c.symbols for c in own):
        place = len(own)
    parts = [*own[:place], chain, *own[place:]]
    return changed(theorem, where=", ".join(map(str, parts)))


def _reach(
    theorem: Theorem, ansatz: Ansatz, side: Side, in_time: Callable[[], None]
) -> Reach | None:
    """How far a form goes; None where it shows nothing of the statement at one of the points."""
    chain = _chain(theorem, side.name)
    try:
        wide = Search(_with_range(theorem, side.replaced(chain, "")), ansatz, check=in_time)
        if wide.unit == side.name:
            return None
        end = side.of(chain)
        assert end is not None
        points: list[Point] = []
        declared: list[float] = []
        reached: list[float] = []
        for seen, point in enumerate(_places(wide, side)):
            value = _at(theorem, end, point)
            if not _possible(wide, side, point, value + side.sign * INTO * abs(value)):
                if len(points) < PLACES and len(points) == seen:
                    return None
                continue  # far out the solver may err
            points.append(point)
            declared.append(value)
            reached.append(_outermost(wide, side, point, value))
    except (OpcheckError, Undecided, Open):
        return None
    if not points:
        return None
    return Reach(
        ansatz=ansatz,
        side=side,
        search=wide,
        points=tuple(points),
        declared=tuple(declared),
        reached=tuple(reached),
    )


def _places(search: Search, side: Side) -> list[Point]:
    """Points that differ in the other parameters."""
    places: dict[tuple[fmpq, ...], Point] = {}
    for point in [*search.points, *search.wide]:
        places.setdefault(tuple(v for n, v in point.items() if n != side.name), point)
    short = [*places.values()][:PLACES]
    others = [n for n in search.functions.names if n != side.name]
    for name in others:  # an end that is read must hold at those of the other ranges
        for at in (min, max):
            point = at(places.values(), key=operator.itemgetter(name))
            if point not in short:
                short.append(point)
    return short


def _at(theorem: Theorem, end: Text, point: Point) -> float:
    """An end of a range at numbers."""
    values = {n: float(fraction(v)) for n, v in point.items()}
    for name, formula in theorem.let.items():
        if text(formula).names <= values.keys():
            values[name] = float(text(formula).evaluate(values, FLOAT))
    return float(end.evaluate(values, FLOAT))


def _possible(search: Search, side: Side, point: Point, value: float) -> bool:
    """Whether the form exists at a value of the parameter, and the rest of the range admits it."""
    number = Fraction(value).limit_denominator(10**9)
    search.points = [{**point, side.name: fmpq(number.numerator, number.denominator)}]
    search.forget()
    return inside(search.reading.domain(), search.points[0]) and search.possible(0)


def _outermost(search: Search, side: Side, point: Point, start: float) -> float:
    """The last value at which the form exists, bisected from the declared end on."""
    size = abs(start) or 1.0
    inner, step = start, float(AHEAD) * size
    if not _possible(search, side, point, start + side.sign * step):
        return start
    for _ in range(DOUBLINGS):
        inner = start + side.sign * step
        step *= 3
        if not _possible(search, side, point, start + side.sign * step):
            break
    else:
        return side.sign * float("inf")
    outer = start + side.sign * step
    for _ in range(HALVINGS):
        middle = (inner + outer) / 2
        if _possible(search, side, point, middle):
            inner = middle
        else:
            outer = middle
    return inner


def _wider(theorem: Theorem, reach: Reach) -> Iterator[tuple[Theorem, bool]]:
    """Statements with a wider range, the widest first, and whether the end is left out of it."""
    side, search = reach.side, reach.search
    chain = _chain(theorem, side.name)
    declared, reached = np.array(reach.declared), np.array(reach.reached)
    if not (side.sign * (reached - declared) >= 0).all() or (reached == declared).all():
        return
    seen = set()
    ends: list[str] = [""] if (abs(reached) > FAR * abs(declared)).all() else []
    if not side.place and (reached > 0).all() and (FAR * reached < declared).all():
        ends.append("0")  # near it numbers differ too much in size for the solver
    ends += _read(reach) if np.isfinite(reached).all() else []
    for end in ends:
        values = [_at(theorem, Text(end), p) if end else np.inf for p in reach.points]
        if np.allclose(values, declared, rtol=INTO) or not _contains(theorem, reach, end):
            continue
        for strict in (False, True):
            wider = _with_range(theorem, side.replaced(chain, end, strict=strict))
            if str(wider.where) not in seen:
                seen.add(str(wider.where))
                yield wider, strict
    search.forget()


def _contains(theorem: Theorem, reach: Reach, end: str) -> bool:
    """Whether an end is nowhere inside of the declared one."""
    declared = reach.side.of(_chain(theorem, reach.side.name))
    if not end or declared is None:
        return True
    sources, fixed = [theorem.measure, theorem.bound], reach.ansatz.fixed
    reading = Reading(theorem, sources, begin=theorem.first, fixed=fixed)
    domain = reading.domain()
    parts = parts_of_end(declared.tree, "min" if reach.side.place else "max")
    try:
        new = reading.general.read(end)
        gaps = [(new - reading.general.read(part)) * reach.side.sign for part in parts]
    except (OpcheckError, Undecided, TypeError):
        return False  # an irrational one
    return any(domain.nonnegative(gap) for gap in gaps)


def _read(reach: Reach) -> Iterator[str]:
    """The ends as texts, the simplest functions of the other parameters."""
    search, side = reach.search, reach.side
    search.points = [*reach.points]
    names = {*search.functions.names} - {side.name}
    functions = Functions(
        search.reading, search.degrees[0], search.points, search.unit, names, without=side.name
    )
    degree = float(fraction(search.degrees[0].of[side.name]))
    one = search.reading.field.number(1)
    spots = [(p, 0) for p in range(len(reach.points))]
    declared, reached = np.array(reach.declared), np.array(reach.reached)
    tries = [(reached, reached - side.sign * by * np.abs(reached)) for by in READ]
    tries += [(reached, declared + share * (reached - declared)) for share in SHARES]
    for n, pair in enumerate(tries):
        # far out the solver may err, which wide ends forgive
        few = slice(PLACES if n < len(READ) else None)
        low, high = np.minimum(*pair)[few], np.maximum(*pair)[few]
        ends = Ends(spots[few], low, high).widened(READ[0] / 4)
        for function in (functions.between(ends, degree, [one]), functions.two_terms(ends, degree)):
            if function is not None:
                yield search.reading.written(function)


def _end(reach: Reach, p: int) -> End:
    """Where a form ends at a point, with exact weights beyond it where they are met."""
    side, point, reached = reach.side, reach.points[p], reach.reached[p]
    beyond, parts = "", tuple[str, ...]()
    for by in NEAR if np.isfinite(reached) else ():
        value = next_to(reached, by, side.sign if reached > 0 else -side.sign)
        place = {**point, side.name: fmpq(value.numerator, value.denominator)}
        if not inside(reach.search.reading.domain(), place):
            continue
        if parts := excluded(reach.search.theorem, reach.ansatz, place):
            beyond = str(value)
            break
    names = {n: str(v) for n, v in point.items() if n != side.name}
    return End(reach.ansatz.family, names, reached, beyond, parts)
