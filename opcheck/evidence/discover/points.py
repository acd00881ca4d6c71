"""Parameter points of a statement at which programs are solved: short rationals in its range."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping

from flint import fmpq

from opcheck.evidence.discover.reading import Point, Reading
from opcheck.evidence.discover.scale import Degrees
from opcheck.evidence.statement.positivity import Domain

CHARTS = 12  # ways to write the range
DRAWS = 60  # points of each
PLACES = tuple(
    fmpq(*pair)
    for pair in ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (1, 5), (4, 1), (9, 1), (1, 12))
)

FAR = (fmpq(30), fmpq(1, 40), fmpq(12), fmpq(1, 9))
INWARD = (fmpq(0), fmpq(1, 256), fmpq(1, 16))  # of the way to another point
WIDE = 60  # points at which functions are held against numbers before they are proved


def unit_of(reading: Reading, degrees: Degrees, live: set[str]) -> str:
    """A symbol that may be 1 by scaling: a constant of a property first; "" for none."""
    constants = [p.symbol for p in reading.theorem.given if p.kind.positive]
    names = [n for n in constants if n] + degrees.names
    positive = reading.domain()
    for name in names:
        moving = name in degrees.moving and name in live
        if moving and positive.positive(reading.field.symbol(name)):
            return name
    return ""


def live_symbols(reading: Reading, sources: list[str]) -> set[str]:
    """Symbols that the forms of an argument depend on."""
    live: set[str] = set()
    for source in sources:
        try:
            total = reading.total(source)
        except Exception:
            continue
        for c in total.terms.values():
            live |= c.symbols
    return live & set(reading.field.known) - {reading.index}


def points(
    reading: Reading, degrees: Degrees, unit: str, live: set[str], count: int
) -> list[Point]:
    """Points of the range, the shortest first, that differ in the symbols that matter.

    The unit is 1 at each.
    """
    names = [n for n in reading.field.known if n != reading.index]
    drawn = _drawn(reading, degrees, unit, live, PLACES)
    ordered = sorted(drawn, key=lambda p: (_height(p), repr(p)))
    return _spread(ordered, [n for n in names if n in live and n != unit], count)


def far_points(reading: Reading, degrees: Degrees, unit: str, live: set[str]) -> list[Point]:
    """More points of the range, also close to its ends."""
    drawn = _drawn(reading, degrees, unit, live, (*PLACES, *FAR))[:WIDE]
    domain = reading.domain()
    names = [n for n in reading.field.known if n != reading.index]
    # where prove looks for a refutation; what lies at an end is moved a little inward
    for point in domain.points({*names}) if drawn else ():
        own = {n: v for n, v in point.items() if n in names}
        scaled = _scaled(own, degrees, unit) if len(own) == len(names) else None
        if scaled is None:
            continue
        middle = drawn[0]
        for part in INWARD:
            near = {n: v + (middle[n] - v) * part for n, v in scaled.items()}
            if inside(domain, near):
                drawn.append(near)
    return drawn


def _drawn(
    reading: Reading, degrees: Degrees, unit: str, live: set[str], places: tuple[fmpq, ...]
) -> list[Point]:
    domain = reading.domain()
    names = [n for n in reading.field.known if n != reading.index]
    draw = random.Random(0)
    drawn: dict[tuple[fmpq, ...], Point] = {}
    for chart in itertools.islice(domain.charts({*names}), CHARTS):
        for _ in range(DRAWS):
            at = {n: draw.choice(places) for n in chart.images}
            values = {n: reading.field.value(v, at) for n, v in chart.images.items()}
            point = {n: v for n, v in values.items() if v is not None and n in names}
            if len(point) < len(names) or not inside(domain, point):
                continue
            scaled = _scaled(point, degrees, unit)
            if scaled is None:
                continue
            key = tuple(scaled[n] for n in names if n in live)
            if key not in drawn or _height(scaled) < _height(drawn[key]):
                drawn[key] = scaled
    return [*drawn.values()]


def _scaled(point: Mapping[str, fmpq], degrees: Degrees, unit: str) -> dict[str, fmpq] | None:
    if not unit:
        return dict(point)
    power = degrees.of[unit]
    factor = 1 / point[unit] if power == 1 else point[unit] if power == -1 else None
    if factor is None:
        return None
    scaled = {}
    for name, v in point.items():
        degree = degrees.of.get(name, fmpq(0))
        if degree.q != 1:
            return None
        scaled[name] = v * factor ** int(degree.p)
    return scaled


def inside(domain: Domain, point: Mapping[str, fmpq]) -> bool:
    """Whether a point lies in the interior of a range."""
    for constraint in domain.constraints:
        if not constraint.value.symbols <= point.keys():
            continue
        v = domain.field.value(constraint.value, point)
        if v is None or v <= 0:  # in the interior: at a closed end a program may have no room
            return False
    return True


def _height(point: Mapping[str, fmpq]) -> float:
    return sum(math.log2(abs(int(v.p)) * int(v.q) + 1) for v in point.values())


def _spread(ordered: list[Point], names: list[str], count: int) -> list[Point]:
    """The shortest points, but no value of a symbol more often than the others can bear."""
    kept: list[Point] = []
    for limit in range(1, len(ordered) + 1):
        for point in ordered:
            if len(kept) == count:
                return kept
            often = [sum(p[n] == point[n] for p in kept) for n in names]
            if point not in kept and all(n < limit for n in often):
                kept.append(point)
        if len(kept) == len(ordered):
            break
    return kept
