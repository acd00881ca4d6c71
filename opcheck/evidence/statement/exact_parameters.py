"""Rational constants and parameters at which a worst case is computed.

L = 1 by scaling; other constants take representative values. Parameters lie in the ranges of
``where``; what is irrational is rounded inward, into the range, and a note says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, fmpq

from opcheck.engine.forms import dyadic, form_arithmetic
from opcheck.engine.numbers import Ball, rational
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.statement.parameters import (
    Values,
    exact_base_scope,
    settle,
    worse_constants,
)
from opcheck.evidence.statement.places import PLACES, Place, patterns
from opcheck.model import grammar
from opcheck.model.grammar import Name
from opcheck.model.property import Property
from opcheck.model.text import Chain, Text, text
from opcheck.model.theorem import Theorem

# tried in order until the ranges are not empty; L = 1 is a choice of scale
CONSTANTS: dict[str, tuple[Fraction, ...]] = {
    "Lipschitz": (Fraction(1), Fraction(1, 2)),
    "StronglyMonotone": (Fraction(1, 2), Fraction(1, 8)),
    "Cocoercive": (Fraction(1, 2), Fraction(1)),
    "ConicallyNonexpansive": (Fraction(3, 2), Fraction(3, 4)),
}
BEST = {"StronglyMonotone": 1, "Cocoercive": -1}  # as powers of L
OTHERS = (Fraction(-1, 8), Fraction(-1, 16), Fraction(0), Fraction(1, 8))
NEAR = fmpq(1, 64)  # how close to an open end an edge is taken, in units of the range
BEYOND = {  # above a lower end without an upper one
    "low": fmpq(1, 4),
    "low side": fmpq(1, 2),
    "middle": fmpq(1),
    "high side": fmpq(2),
    "high": fmpq(4),
}
UPWARDS = {"low": 0, "low side": 1, "middle": 1, "high side": 2, "high": 2}  # of whole numbers


@dataclass(frozen=True)
class Setting:
    """A theorem at rational numbers.

    Attributes:
        k: the index that is claimed about.
        values: every symbol: constants, parameters, ``let``; sequences are arrays over k.
        constants, parameters: those that were chosen, for reports.
        notes: what was rounded, and how.
    """

    theorem: Theorem
    k: int
    values: Mapping[str, Any]
    constants: Mapping[str, Fraction]
    parameters: Mapping[str, Fraction]
    notes: tuple[str, ...]


def setting(
    theorem: Theorem,
    k: int,
    horizon: int,
    place: Place | Sequence[Place] = "middle",
    fixed: Mapping[str, Any] = {},
) -> Setting:
    """Constants and parameters of a theorem, in the middle of their ranges or close to an end.

    Args:
        horizon: up to which the sequences run.
        place: in every range, or one for each range.
        fixed: constants or parameters to use instead: numbers or formulas, as ``1/sqrt(2)``.

    Raises OpcheckError where no choice satisfies the ranges, with the range that is left.
    """
    pattern = [place] * len(theorem.chains) if isinstance(place, str) else list(place)
    for name in pattern:
        if name not in PLACES:
            raise OpcheckError(f"place {name!r} is none of {', '.join(PLACES)}")
    kinds = {p.symbol: p.kind.name for p in theorem.asked if p.symbol is not None}
    own = [*kinds, *(c.name for c in theorem.chains)]
    unknown = [name for name in fixed if name not in own]
    if unknown:
        raise OpcheckError(
            f"{theorem.name} leaves {', '.join(own) or 'nothing'} to choose, not {unknown[0]}"
        )
    reason = ""
    for constants in _constants(theorem, kinds, fixed):
        try:
            return _with(theorem, k, horizon, pattern=pattern, fixed=fixed, constants=constants)
        except _Outside as outside:
            reason = reason or str(outside)
    raise EmptyRange(f"{theorem.name}: {reason}")


def along(
    theorem: Theorem, name: str, k: int, horizon: int, fixed: Mapping[str, Any] = {}
) -> list[tuple[str, Fraction]]:
    """(where it lies, value) of five values of a parameter in its range, or fewer whole ones.

    Constants and earlier parameters are those of ``setting`` in the middle. Raises OpcheckError for
    a name without a range, and as ``setting`` does.
    """
    chains = {c.name: c for c in theorem.chains}
    if name not in chains or name in fixed:
        known = ", ".join(n for n in chains if n not in fixed) or "nothing"
        raise OpcheckError(f"{theorem.name} leaves {known} to vary, not {name}")
    chain = chains[name]
    middle = setting(theorem, k, horizon, "middle", fixed)
    values, constants = dict(middle.values), {n: _exact(v) for n, v in middle.constants.items()}
    ends = [
        fmpq(_pick(theorem, chain, p, values=values, constants=constants, notes=[]))
        for p in ("low", "high")
    ]
    formulas = [_end(chain.lo, values), _end(chain.hi, values)]
    words = [
        "far up, no end"
        if end is None
        else f"{side} end"
        if isinstance(end, fmpq) and value == end
        else f"near the {side} end"
        for side, value, end in zip(("low", "high"), ends, formulas, strict=True)
    ]
    parts = {"a quarter": fmpq(1, 4), "the middle": fmpq(1, 2), "three quarters": fmpq(3, 4)}
    points = {words[0]: ends[0]}
    points |= {word: ends[0] + part * (ends[1] - ends[0]) for word, part in parts.items()}
    points[words[1]] = ends[1]
    if _whole(theorem, chain):
        points = {word: fmpq(value.floor()) for word, value in points.items()}
    rows = {_fraction(value): word for word, value in reversed(points.items())}
    return [(word, value) for value, word in sorted(rows.items())]


def at_ends(
    theorem: Theorem, k: int, horizon: int, fixed: Mapping[str, Any] = {}
) -> Iterator[Setting]:
    """The theorem wherever runs on problems try it: at ends of ranges, with other constants.

    Parameters as ``patterns`` lays them out; each constant of its own at the ends of its range and
    made worse, with all parameters at one end. An open end is approached; what leaves no admissible
    choice is left out. Raises OpcheckError as ``setting`` does where there is none at all.
    """
    middle = setting(theorem, k, horizon, "middle", fixed)
    seen = [(dict(middle.constants), dict(middle.parameters))]
    count = len(theorem.chains)
    tries: list[tuple[Sequence[Place], Mapping[str, Any]]]
    tries = [*((pattern, fixed) for pattern in patterns(count))]
    for hypothesis in theorem.asked:
        name = str(hypothesis.constant)
        if name not in middle.constants or name in fixed or _is_scale(theorem, name):
            continue
        for value in _other_constants(theorem, hypothesis, middle):
            together: tuple[Place, ...] = ("low", "middle", "high")
            ends = dict.fromkeys((place,) * count for place in together)
            tries += [(end, {**fixed, name: value}) for end in ends]
    for pattern, numbers in tries:
        try:
            edge = setting(theorem, k, horizon, pattern, numbers)
        except OpcheckError:
            continue
        both = dict(edge.constants), dict(edge.parameters)
        if both not in seen:
            seen.append(both)
            yield edge


def _is_scale(theorem: Theorem, name: str) -> bool:
    """Whether a constant is the one that is 1 by scaling."""
    kinds = {p.symbol: p.kind.name for p in theorem.asked if p.symbol is not None}
    return name == next((n for n, kind in kinds.items() if kind == "Lipschitz"), "")


def _other_constants(theorem: Theorem, hypothesis: Property, middle: Setting) -> list[Fraction]:
    """The ends of a constant's range, and from its value the least and the most it is made worse.

    Of an operator that is L-Lipschitz μ ≤ L and β ≤ 1/L, unless it is constant, are such ends.

    What is no short fraction is rounded towards its value.
    """
    name = str(hypothesis.constant)
    best = middle.constants[name]
    others = _ends_of(theorem, name, middle.values)
    constants = {n: float(v) for n, v in middle.constants.items()}
    if "L" in middle.constants and hypothesis.kind.name in BEST:
        others.append(middle.constants["L"] ** BEST[hypothesis.kind.name])
    if hypothesis.kind.better is not None:
        worse = worse_constants(theorem, hypothesis, float(best), constants)
        for value in (min(worse, default=None), max(worse, default=None)):
            if value is not None:
                exact = _exact(Fraction(value))
                near = exact + (_exact(best) - exact) * NEAR
                others.append(_fraction(simplest(min(exact, near), max(exact, near))))
    return list(dict.fromkeys(value for value in others if value != best))


def _ends_of(theorem: Theorem, name: str, values: Mapping[str, Any]) -> list[Fraction]:
    """The ends that ``where`` gives a constant beside the other constants, open ones moved inward.

    By ``NEAR`` of the way to the value that it has.
    """
    ends = []
    for condition in theorem.conditions:
        if condition.name == name:
            for formula, strict in zip((condition.lo, condition.hi), condition.strict, strict=True):
                end = _end(formula, dict(values))
                if end is None:
                    continue
                inward = not isinstance(end, fmpq) or strict
                end = end if isinstance(end, fmpq) else dyadic(end.ball.mid())
                ends.append(_fraction(end + (values[name] - end) * NEAR * inward))
    return ends


class EmptyRange(OpcheckError):
    """No constants that were tried leave an admissible parameter."""


class _Outside(OpcheckError):
    """A choice of constants leaves no admissible parameter."""


def _in_ranges(theorem: Theorem, name: str) -> list[fmpq]:
    """A number within each range of numbers that ``where`` gives a constant."""
    within = []
    for condition in theorem.conditions:
        ends = [e if e is None else grammar.constant(e.tree) for e in (condition.lo, condition.hi)]
        middle = grammar.constant(grammar.parse(condition.name))
        if condition.name != name and middle is not None:  # as in beta <= 1/100
            of_name = [e is not None and e.tree == Name(name) for e in (condition.lo, condition.hi)]
            ends = [middle if of_name[1] else None, middle if of_name[0] else None]
        elif condition.name != name:
            continue
        match [end if end is None else _exact(Fraction(end)) for end in ends]:
            case fmpq() as low, fmpq() as high:
                within.append((low + high) / 2)
            case fmpq() as low, None:
                within.append(low + 1)
            case None, fmpq() as high:
                within.append(high / 2 if high > 0 else high - 1)
    return within


def _constants(
    theorem: Theorem, kinds: Mapping[str, str], fixed: Mapping[str, Any]
) -> Iterator[dict[str, fmpq]]:
    pools = []
    for name, kind in kinds.items():
        if name in fixed:
            value = number(fixed[name])
            if not isinstance(value, fmpq):
                raise OpcheckError(
                    f"{name} = {fixed[name]} is irrational; give a rational constant"
                )
            pools.append([value])
        else:
            usual = [_exact(v) for v in CONSTANTS.get(kind, OTHERS)]
            pools.append([*usual, *_in_ranges(theorem, name)])
    for combination in itertools.product(*pools):
        yield dict(zip(kinds, combination, strict=True))


def _with(
    theorem: Theorem,
    k: int,
    horizon: int,
    pattern: Sequence[Place],
    fixed: Mapping[str, Any],
    constants: Mapping[str, fmpq],
) -> Setting:
    arithmetic = form_arithmetic()
    values = exact_base_scope(constants, horizon)
    settle(theorem, values, arithmetic)
    for condition in theorem.conditions:
        middle = text(condition.name).evaluate(values, arithmetic)
        if not _between(condition, middle, values):
            raise _Outside(f"{condition} fails with {_shown(constants)}")
    notes: list[str] = []
    for chain, place in zip(theorem.chains, pattern, strict=True):
        if chain.name in fixed:
            value = _given(theorem, chain, fixed[chain.name], values, notes)
        else:
            value = _pick(theorem, chain, place, values=values, constants=constants, notes=notes)
        values[chain.name] = value
        settle(theorem, values, arithmetic)
    _round_parameters(theorem, values, notes)
    return Setting(
        theorem=theorem,
        k=k,
        values=values,
        constants={n: _fraction(v) for n, v in constants.items()},
        parameters={c.name: _fraction(values[c.name]) for c in theorem.chains},
        notes=tuple(notes),
    )


def _round_parameters(theorem: Theorem, values: Values, notes: list[str]) -> None:
    """A parameter that ``let`` makes irrational can't be rounded: it is what the statement says."""
    for p in theorem.iteration.parameters:
        for entry in np.atleast_1d(values.get(p.symbol, 0)):
            if isinstance(entry, Ball):
                raise OpcheckError(
                    f"{theorem.name} sets {p.symbol} = {theorem.let.get(p.symbol)}, which is "
                    "irrational here; give other constants with -p"
                )


def _pick(
    theorem: Theorem,
    chain: Chain,
    place: Place,
    values: Values,
    constants: Mapping[str, fmpq],
    notes: list[str],
) -> Any:
    lo, hi = _end(chain.lo, values), _end(chain.hi, values)
    if lo is None:
        raise OpcheckError(f"{theorem.name}: {chain} needs a lower end to choose from")
    if _whole(theorem, chain):
        return _pick_whole(chain, place, lo, hi, constants)
    if hi is None:
        return _up(lo) + BEYOND[place]
    bottom, top = _up(lo), _down(hi)
    if bottom > top or (bottom == top and any(chain.strict)):
        raise _Outside(f"{chain} is empty with {_shown(constants)}")
    width = top - bottom
    above = place.startswith("high")
    closed = not chain.strict[above] and not place.endswith("side")
    rounded = not isinstance(hi if above else lo, fmpq)
    if place == "middle" or width == 0:
        exact = isinstance(lo, fmpq) and isinstance(hi, fmpq)
        middle = (bottom + top) / 2
        return middle if exact else simplest(middle - width / 16, middle + width / 16)
    end, sign = (top, -1) if above else (bottom, 1)
    if closed and not rounded:
        return end
    # an open end is approached, an irrational one rounded inward
    near = end + sign * width * NEAR
    value = simplest(min(near, (end + near) / 2), max(near, (end + near) / 2))
    if rounded:
        formula = chain.hi if above else chain.lo
        notes.append(f"{chain.name} = {value} stands inward of the irrational end {formula}")
    return value


def _pick_whole(chain: Chain, place: Place, lo: Any, hi: Any, constants: Mapping[str, fmpq]) -> int:
    low = int(Ball(lo).ceil()) + (1 if chain.strict[0] and lo == int(Ball(lo).ceil()) else 0)
    value = low + UPWARDS[place]
    if hi is not None:
        top = -int((-Ball(hi)).ceil())
        top -= int(chain.strict[1] and bool(hi == top))
        if top < low:
            raise _Outside(f"{chain} is empty with {_shown(constants)}")
        value = min(value, top)
    return value


def _given(theorem: Theorem, chain: Chain, value: Any, values: Values, notes: list[str]) -> Any:
    read = number(value)
    if isinstance(read, Ball):
        # both neighbours are tried: the one inside the range, on the side of its middle
        low = simplest(_down(read) - fmpq(1, 10**6), _down(read))
        high = simplest(_up(read), _up(read) + fmpq(1, 10**6))
        lo, hi = _end(chain.lo, values), _end(chain.hi, values)
        ends = [float(Ball(v).ball.mid()) for v in (lo, hi) if v is not None]
        middle = sum(ends) / len(ends) if ends else 0.0
        inward = low if float(low) > middle else high
        notes.append(f"{chain.name} = {value} is irrational: rounded inward to {inward}")
        read = inward
    if _whole(theorem, chain):
        if read.q != 1 or read < 1:
            raise OpcheckError(f"{chain.name} = {value} must be a whole number from 1 on")
        read = int(read)
    if not _between(chain, read, values):
        raise OpcheckError(f"{theorem.name} needs {chain}, which fails: {chain.name} = {value}")
    return read


def _whole(theorem: Theorem, chain: Chain) -> bool:
    return any(p.symbol == chain.name and p.integer for p in theorem.iteration.parameters)


def number(value: Any) -> Any:
    """A rational, or a ball around an irrational number, from a number or a formula.

    Raises OpcheckError for anything else.
    """
    if isinstance(value, Fraction):
        return _exact(value)
    try:
        quantity = text(value).evaluate({}, form_arithmetic()) if isinstance(value, str) else value
        if isinstance(quantity, Ball) and not quantity.ball.is_finite():
            raise ValueError("it is not finite")
        return quantity if isinstance(quantity, Ball) else rational(quantity)
    except (TypeError, Undecided, OverflowError, ValueError) as error:
        raise OpcheckError(f"{value!r} is no number: {error}") from error


def _between(chain: Chain, value: Any, values: Values) -> bool:
    lo, hi = _end(chain.lo, values), _end(chain.hi, values)
    try:
        above = lo is None or (lo < value if chain.strict[0] else lo <= value)
        return bool(above and (hi is None or (value < hi if chain.strict[1] else value <= hi)))
    except Undecided:
        return False


def _end(formula: Text | None, values: Values) -> Any:
    if formula is None:
        return None
    end = formula.evaluate(values, form_arithmetic())
    return fmpq(end) if isinstance(end, int) else end


def _down(value: Any) -> fmpq:
    return value if isinstance(value, fmpq) else dyadic(arb(value.ball.lower()))


def _up(value: Any) -> fmpq:
    return value if isinstance(value, fmpq) else dyadic(arb(value.ball.upper()))


def simplest(lo: fmpq, hi: fmpq) -> fmpq:
    """The rational with the smallest denominator in [lo, hi]."""
    whole = lo.ceil()
    if whole <= hi:
        return fmpq(whole) if lo > 0 else fmpq(min(0, int(hi.floor()))) if hi < 0 else fmpq(0)
    base = fmpq(lo.floor())
    return base + 1 / simplest(1 / (hi - base), 1 / (lo - base))


def _exact(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    q = fmpq(value)
    return Fraction(int(q.p), int(q.q))


def _shown(constants: Mapping[str, fmpq]) -> str:
    return ", ".join(f"{n} = {v}" for n, v in constants.items()) or "no constants"
