"""Admissible parameters: ``where`` is validation, error message and sampler in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from opcheck.errors import OpcheckError
from opcheck.evidence.hypotheses import Constants
from opcheck.model.text import FLOAT, Arithmetic, Chain, Text, rational_value, text
from opcheck.model.theorem import Theorem

EDGES = (1e-6, 1e-2)  # how close, in units of the interval, an open end is approached
PLACES = ("low", "low side", "middle", "high side", "high")
Values = dict[str, Any]


class Empty(OpcheckError):
    """No parameter is admissible on this problem."""


def settle(
    theorem: Theorem, values: Values, arithmetic: Arithmetic = FLOAT, keep: Mapping[str, Any] = {}
) -> None:
    """Add every ``let`` whose symbols have values, in place; ``keep`` overrides formulas."""
    waiting = {n: f for n, f in theorem.let.items() if n not in values}
    progress = True
    while waiting and progress:
        progress = False
        for name, formula in list(waiting.items()):
            parsed = text(formula)
            if parsed.names <= values.keys():
                if name in keep:
                    values[name] = keep[name]
                else:
                    with np.errstate(all="ignore"):  # a range checked later may rule out 0/0
                        values[name] = parsed.evaluate(values, arithmetic)
                del waiting[name]
                progress = True


def choices(theorem: Theorem, known: Constants, horizon: int) -> Iterator[Values]:
    """Admissible values: the paper's, all in the middle, each range close to either end.

    Raises Empty where a range is empty on this problem.
    """
    conditions_hold(theorem, _base(known.values, horizon))
    count = len(theorem.chains)
    patterns = [("middle",) * count]
    for i in range(count):
        for place in PLACES:
            if place in ("low", "high"):
                patterns.append(("middle",) * i + (place,) + ("middle",) * (count - i - 1))
    patterns += [("low side",) * count, ("high side",) * count]
    seen: set[tuple[tuple[str, float], ...]] = set()
    for fixed in theorem.paper:
        values = _base(known.values, horizon)
        settle(theorem, values)
        try:
            for name, formula in fixed.items():
                values[name] = float(text(formula).evaluate(values))
                chain = next(c for c in theorem.chains if c.name == name)
                if not chain.strict[1] and values[name] == _end(chain.hi, values):
                    values[name] = _inside(chain.hi, values[name], known, values, -1)
                settle(theorem, values)
            check(theorem, values)
        except OpcheckError:
            continue  # the paper's own choice is outside the range on this problem
        yield values
    for pattern in patterns:
        values = _base(known.values, horizon)
        settle(theorem, values)
        for chain, place in zip(theorem.chains, pattern, strict=True):
            values[chain.name] = _pick(theorem, chain, place, known, values)
            settle(theorem, values)
        key = tuple((c.name, float(values[c.name])) for c in theorem.chains)
        if key not in seen:
            seen.add(key)
            yield values


def _base(constants: Mapping[str, float], horizon: int) -> Values:
    k = np.arange(horizon + 1.0)
    return {**constants, "K": float(horizon), "k": k, "j": k}


def _pick(theorem: Theorem, chain: Chain, place: str, known: Constants, values: Values) -> float:
    lo, hi = ends(chain, values)
    where = PLACES.index(place)
    if any(p.symbol == chain.name and p.integer for p in theorem.method.parameters):
        low = int(np.floor(lo) + 1) if chain.strict[0] else int(np.ceil(lo))
        top = np.ceil(hi) - 1 if chain.strict[1] else np.floor(hi)
        steps = (low, low + 1, low + 1, 2 * low + 3, 2 * low + 3)
        high = int(top) if np.isfinite(top) else steps[where]
        if high < low:
            raise Empty(f"{chain} is empty: {_numbers((chain.lo, lo), (chain.hi, hi))}")
        return min(steps[where], high)
    if not np.isfinite(lo):
        raise OpcheckError(f"{theorem.name}: {chain} needs a lower end to be sampled")
    if not np.isfinite(hi):
        beyond = (1e-2, 0.1, 1.0, 3.0, 10.0)[where]
        return lo + beyond if chain.strict[0] or where else lo
    if hi < lo or (hi == lo and any(chain.strict)):
        raise Empty(f"{chain} is empty: {_numbers((chain.lo, lo), (chain.hi, hi))}")
    width = hi - lo
    if where == 0:
        return lo + EDGES[0] * width if chain.strict[0] else _inside(chain.lo, lo, known, values, 1)
    if where == len(PLACES) - 1:
        return (
            hi - EDGES[0] * width if chain.strict[1] else _inside(chain.hi, hi, known, values, -1)
        )
    return (lo + EDGES[1] * width, lo + width / 2, hi - EDGES[1] * width)[where - 1]


def ends(chain: Chain, values: Values) -> tuple[float, float]:
    """Both ends of a range; NaN for an absent one."""
    return _end(chain.lo, values), _end(chain.hi, values)


def _end(formula: Text | None, values: Values) -> float:
    return np.nan if formula is None else float(formula.evaluate(values))


def _inside(
    formula: Text | None, value: float, known: Constants, values: Values, sign: int
) -> float:
    """A closed end that rounding can't have put outside the interval."""
    assert formula is not None
    if not formula.names & known.rounded and rational_value(formula.source, values) == value:
        return value
    for _ in range(8):  # a root, or a rounded constant: up to some ulp on either side
        value = float(np.nextafter(value, sign * np.inf))
    return value


def _numbers(*shown: tuple[Text | None, float]) -> str:
    # a plain number says by itself what it is
    return ", ".join(f"{e} = {v:.6g}" for e, v in shown if e is not None and e.names)


def check(theorem: Theorem, values: Values) -> None:
    """Raise OpcheckError for the first range that given parameters leave, with the numbers."""
    for chain in theorem.chains:
        failure = _failure(chain, values)
        if failure:
            raise OpcheckError(f"{theorem.name} needs {chain}, which fails: {failure}")


def conditions_hold(theorem: Theorem, values: Values) -> None:
    """Raise Empty for the first condition on the constants that fails, with the numbers."""
    settle(theorem, values)
    for chain in theorem.conditions:
        failure = _failure(chain, values)
        if failure:
            raise Empty(f"{chain} fails: {failure}")


def _failure(chain: Chain, values: Values) -> str:
    lo, hi = ends(chain, values)
    name = text(chain.name)
    value = float(name.evaluate(values))
    below = value <= lo if chain.strict[0] else value < lo
    above = value >= hi if chain.strict[1] else value > hi
    numbers = _numbers((name, value), (chain.lo, lo), (chain.hi, hi))
    return numbers if below or above else ""
