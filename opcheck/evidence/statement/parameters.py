"""Admissible parameters: ``where`` is validation, error message and sampler in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from opcheck.errors import OpcheckError
from opcheck.evidence.statement.hypotheses import Constants
from opcheck.evidence.statement.places import PLACES, Place, patterns, worsened
from opcheck.model import grammar
from opcheck.model.grammar import Node
from opcheck.model.property import Property
from opcheck.model.text import FLOAT, Arithmetic, Chain, Text, rational_value, text
from opcheck.model.theorem import Theorem

EDGES = (1e-6, 1e-2)  # how close, in units of the interval, an open end is approached
TRIED = 33  # values of an earlier parameter at which a later range is looked at
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

    Where a range is empty for the values before it, they are moved to where it is not: the sample
    covers the part of each range that leaves the later ones open. Raises Empty where there is no
    admissible value on this problem.
    """
    conditions_hold(theorem, base_scope(known.values, horizon))
    seen: set[tuple[tuple[str, float], ...]] = set()
    none = None
    for fixed in theorem.paper:
        values = base_scope(known.values, horizon)
        settle(theorem, values)
        try:
            for name, formula in fixed.items():
                values[name] = float(text(formula).evaluate(values))
                chain = next(c for c in theorem.chains if c.name == name)
                for end, strict, sign in (
                    (chain.lo, chain.strict[0], 1),
                    (chain.hi, chain.strict[1], -1),
                ):
                    if not strict and values[name] == _end(end, values):
                        values[name] = _inside(
                            theorem, end, values[name], known, values=values, sign=sign
                        )
                settle(theorem, values)
            check(theorem, values)
        except OpcheckError:
            continue  # the paper's own choice is outside the range on this problem
        yield values
    for pattern in patterns(len(theorem.chains)):
        values = base_scope(known.values, horizon)
        settle(theorem, values)
        try:
            values = _filled(theorem, known, pattern, values)
        except Empty as reason:
            none = none or reason
            continue
        key = tuple((c.name, float(values[c.name])) for c in theorem.chains)
        if key not in seen:
            seen.add(key)
            yield values
    if none is not None and not seen:
        raise none


def base_scope(constants: Mapping[str, Any], horizon: int) -> Values:
    """What the texts of a statement speak of before a parameter is chosen, in float64.

    Args:
        constants: symbol -> value.
        horizon: K, the largest k of sequences.
    """
    k = np.arange(horizon + 1.0)
    return {**constants, "K": float(horizon), "k": k, "j": k}


def exact_base_scope(
    constants: Mapping[str, Any], horizon: int, *, last: int | None = None
) -> Values:
    """As ``base_scope``, with k and K as Python's whole numbers, and sequences up to ``last``."""
    k = np.empty((horizon if last is None else last) + 1, dtype=object)
    k[:] = range(k.size)
    return {**constants, "K": horizon, "k": k, "j": k}


def _filled(
    theorem: Theorem, known: Constants, pattern: tuple[Place, ...], values: Values, index: int = 0
) -> Values:
    """A value for every range from ``index`` on. Raises Empty where there is none."""
    if index == len(theorem.chains):
        return values
    chain = theorem.chains[index]
    lo, hi = _open_ends(theorem, chain, values)
    picked = _pick(theorem, chain, (lo, hi), place=pattern[index], known=known, values=values)
    try:
        return _filled(theorem, known, pattern, _with(theorem, values, chain, picked), index + 1)
    except Empty:
        part = _admissible_part(theorem, known, index, (lo, hi), values)
        if part is None:
            raise
        strict = part[0] > lo or chain.strict[0], part[1] < hi or chain.strict[1]
        inner = replace(chain, strict=strict)
        picked = _pick(theorem, inner, part, place=pattern[index], known=known, values=values)
        return _filled(theorem, known, pattern, _with(theorem, values, chain, picked), index + 1)


def _with(theorem: Theorem, values: Values, chain: Chain, value: float) -> Values:
    scope = {**values, chain.name: value}
    settle(theorem, scope)
    return scope


def _admissible_part(
    theorem: Theorem,
    known: Constants,
    index: int,
    interval: tuple[float, float],
    values: Values,
) -> tuple[float, float] | None:
    """The longest part of a range that leaves every later range open; None if none is seen."""
    chain = theorem.chains[index]
    lo, hi = interval
    if _whole(theorem, chain):
        top = hi if np.isfinite(hi) else lo + TRIED
        grid = np.arange(np.floor(lo), min(top, lo + TRIED) + 1)
    elif np.isfinite(hi):
        grid = lo + (hi - lo) * np.linspace(0, 1, TRIED + 2)[1:-1]
    else:
        grid = lo + _unit(lo, values) * np.geomspace(1e-3, 1e3, TRIED)

    def leaves_open(value: float) -> bool:
        scope = _with(theorem, values, chain, value)
        following = index + 1
        if following == len(theorem.chains):
            return True
        later = theorem.chains[following]
        try:
            inner = _open_ends(theorem, later, scope)
            _pick(theorem, later, inner, place="middle", known=known, values=scope)
        except Empty:
            return False
        if following + 1 == len(theorem.chains):
            return True
        return _admissible_part(theorem, known, following, inner, scope) is not None

    fits = [leaves_open(float(v)) for v in grid]
    best: tuple[int, int] | None = None
    begun = None
    for i, fit in enumerate([*fits, False]):
        if fit and begun is None:
            begun = i
        elif not fit and begun is not None:
            if best is None or i - begun > best[1] - best[0]:
                best = begun, i
            begun = None
    if best is None:
        return None
    first, last = float(grid[best[0]]), float(grid[best[1] - 1])
    if _whole(theorem, chain):
        return first, last
    before = float(grid[best[0] - 1]) if best[0] else lo
    after = float(grid[best[1]]) if best[1] < len(grid) else hi
    if best[0] or not leaves_open(lo + EDGES[0] * (first - lo)):
        first = _bisected(leaves_open, first, before)
    else:
        first = lo
    if best[1] < len(grid) or not np.isfinite(hi) or not leaves_open(hi - EDGES[0] * (hi - last)):
        last = _bisected(leaves_open, last, after) if np.isfinite(after) else last
    else:
        last = hi
    return first, last


def _bisected(fits: Callable[[float], bool], inside: float, outside: float) -> float:
    for _ in range(30):
        middle = inside + (outside - inside) / 2
        if fits(middle):
            inside = middle
        else:
            outside = middle
    return inside


def _whole(theorem: Theorem, chain: Chain) -> bool:
    return any(p.symbol == chain.name and p.integer for p in theorem.iteration.parameters)


def _open_ends(theorem: Theorem, chain: Chain, values: Values) -> tuple[float, float]:
    """Both ends of a range that is not empty; an absent upper end is infinite. Raises Empty."""
    lo, hi = ends(chain, values)
    if chain.lo is None:
        raise OpcheckError(f"{theorem.name}: {chain} needs a lower end to be sampled")
    hi = np.inf if chain.hi is None else hi
    crossed = not lo <= hi or not np.isfinite(lo)
    if crossed or (hi == lo and any(chain.strict)):
        raise Empty(f"{chain} is empty: {_numbers((chain.lo, lo), (chain.hi, hi))}")
    return lo, hi


def _unit(lo: float, values: Values) -> float:
    """What an unbounded range is measured in: its lower end, else 1/L, the length of a step."""
    if lo:
        return abs(lo)
    if values.get("L"):
        return 1 / float(values["L"])
    return float(np.max(values.get("beta", 0.0))) or 1.0  # a schedule's largest


def _pick(
    theorem: Theorem,
    chain: Chain,
    interval: tuple[float, float],
    place: Place,
    known: Constants,
    values: Values,
) -> float:
    lo, hi = interval
    position = PLACES.index(place)
    if _whole(theorem, chain):
        low = int(np.floor(lo) + 1) if chain.strict[0] else int(np.ceil(lo))
        top = np.ceil(hi) - 1 if chain.strict[1] else np.floor(hi)
        steps = (low, low + 1, low + 1, 2 * low + 3, 2 * low + 3)
        high = int(top) if np.isfinite(top) else steps[position]
        if high < low:
            raise Empty(f"{chain} is empty: {_numbers((chain.lo, lo), (chain.hi, hi))}")
        return min(steps[position], high)
    if not np.isfinite(hi):
        beyond = (1e-2, 0.1, 1.0, 3.0, 10.0)[position] * _unit(lo, values)
        return lo + beyond if chain.strict[0] or position else lo
    width = hi - lo
    if position in (1, 2, 3):
        return (lo + EDGES[1] * width, lo + width / 2, hi - EDGES[1] * width)[position - 1]
    side = 1 if position == 0 else -1
    end, formula, strict = (
        (lo, chain.lo, chain.strict[0]) if position == 0 else (hi, chain.hi, chain.strict[1])
    )
    if not strict:
        return _inside(theorem, formula, end, known, values=values, sign=side)
    lost = 0.0 if formula is None else 2 * _lost(theorem, formula, end, values)
    if lost > EDGES[1] * width:
        raise Empty(f"{chain} is narrower than rounding leaves it: {_numbers((formula, end))}")
    return end + side * max(EDGES[0] * width, lost)


def weaker(theorem: Theorem, known: Constants) -> list[Constants]:
    """The hypotheses with constants that are worse than the problem's best: they hold as well.

    Larger L and θ, smaller μ and β, ρ down to the end of the theorem's range; and every
    combination. What no parameter is admissible for is left for ``choices`` to find out.
    """
    sample: list[dict[str, float]] = [{}]
    for hypothesis in theorem.asked:
        if hypothesis.kind.better is None or hypothesis.number is not None:
            continue
        symbol = str(hypothesis.constant)
        best = known.values[symbol]
        grown = []
        for values in sample:
            scope = {**known.values, **values}
            worse = worse_constants(theorem, hypothesis, best, scope)
            grown += [{**values, symbol: value} for value in (best, *worse)]
        sample = grown
    weakened = []
    for values in sample:
        moved = {symbol for symbol, value in values.items() if value != known.values[symbol]}
        if moved:
            formulas = {s: f for s, f in known.formulas.items() if s not in moved}
            own = replace(
                known,
                values={**known.values, **values},
                formulas=formulas,
                rounded=known.rounded - moved,
            )
            weakened.append(own)
    return weakened


def worse_constants(
    theorem: Theorem, hypothesis: Property, best: float, values: Values
) -> list[float]:
    """Constants that are worse for a hypothesis than the best: it holds with them as well.

    Args:
        best: constant of the hypothesis.
        values: the constants of all hypotheses.
    """
    if hypothesis.constant == "rho":
        return _lower(theorem, best, values)
    return worsened(best, smaller_is_better=hypothesis.kind.better == "smaller")


def _lower(theorem: Theorem, best: float, values: Values) -> list[float]:
    """ρ below the best: zero, and places between it and the end of the theorem's range."""
    length = 1 / values["L"] if values.get("L") else abs(best)
    if not length or not np.isfinite(length):
        return []
    lo, hi = lowest(theorem) * length, min(best, _highest(theorem, values))
    top = min(hi, 0.0)
    width = top - lo
    lower = [hi, top]
    if width > EDGES[1] * length:
        closed = any(c.name == "rho" and c.lo and not c.strict[0] for c in theorem.conditions)
        lower += [lo if closed else lo + EDGES[0] * width]
        lower += [lo + share * width for share in (EDGES[1], 0.5, 0.9)]
    return [value for value in dict.fromkeys(lower) if value < best]


def _highest(theorem: Theorem, values: Values) -> float:
    tops = [_end(c.hi, values) for c in theorem.conditions if c.name == "rho" and c.hi is not None]
    # "rho <= 0" is read with 0 in the middle
    turned = [c for c in theorem.conditions if c.lo is not None and c.lo.source == "rho"]
    return min([*tops, *(_end(text(c.name), values) for c in turned)], default=np.inf)


def lowest(theorem: Theorem) -> float:
    """The smallest ρL that the theorem's ranges admit, at most 0; -1 where nothing limits it."""
    key = theorem.method, theorem.where, tuple(theorem.let.items()), theorem.asked
    if key not in _LOWEST:
        _LOWEST[key] = _lowest(theorem)
    return _LOWEST[key]


_LOWEST: dict[Any, float] = {}  # found by trial, once a statement


def _lowest(theorem: Theorem) -> float:
    values = {p.symbol: 1.0 for p in theorem.asked if p.symbol is not None}

    def admits(rho: float) -> bool:
        known = Constants({**values, "rho": rho}, {}, "exact", False)
        try:
            next(iter(choices(theorem, known, theorem.horizons[0])))
        except Empty:
            return False
        return True

    grid = np.linspace(-1, 0, 41)
    fits = [admits(float(rho)) for rho in grid]
    first = fits.index(True) if True in fits else len(grid) - 1
    return _bisected(admits, float(grid[first]), float(grid[first - 1])) if first else -1.0


THIRDS = ("low", "middle", "high")


def entered(theorem: Theorem, values: Values) -> dict[str, str]:
    """Of each range the third that a value lies in; of ρ also whether it is zero or positive.

    A range without an upper end is halved in ratio to its lower end or to 1/L; its middle is
    between one and five of them.
    """
    out = {}
    for chain in theorem.chains:
        lo, hi = ends(chain, values)
        value = float(values[chain.name])
        if chain.hi is None or not np.isfinite(hi):
            share = (value - lo) / _unit(lo, values)
            third = 0 if share < 1 else 1 if share < 5 else 2
        else:
            third = min(int(3 * (value - lo) / (hi - lo)), 2) if hi > lo else 1
        out[chain.name] = THIRDS[third]
    if "rho" in values:
        rho, length = float(values["rho"]), 1 / float(values.get("L", 0) or 1)
        lo = lowest(theorem) * length
        if rho < 0:
            third = min(int(3 * (rho - lo) / -lo), 2) if lo < 0 else 2
            out["rho"] = f"negative {THIRDS[max(third, 0)]}"
        else:
            out["rho"] = "positive" if rho > 0 else "zero"
    return out


def parts(theorem: Theorem) -> dict[str, tuple[str, ...]]:
    """What a complete coverage of the hypothesis range enters: parts of each symbol's range."""
    out: dict[str, tuple[str, ...]] = {}
    for chain in theorem.chains:
        out[chain.name] = () if _whole(theorem, chain) else THIRDS
    if any(p.constant == "rho" for p in theorem.asked) and lowest(theorem) < -EDGES[0]:
        out["rho"] = tuple(f"negative {third}" for third in THIRDS)
    return out


def ends(chain: Chain, values: Values) -> tuple[float, float]:
    """Both ends of a range; NaN for an absent one."""
    return _end(chain.lo, values), _end(chain.hi, values)


def _end(formula: Text | None, values: Values) -> float:
    return np.nan if formula is None else float(formula.evaluate(values))


def _inside(
    theorem: Theorem,
    formula: Text | None,
    value: float,
    known: Constants,
    *,
    values: Values,
    sign: int,
) -> float:
    """A closed end that rounding can't have put outside the interval."""
    assert formula is not None
    whole = _unfolded(theorem, formula.tree)  # what let computes is rounded too
    rounded = grammar.names(whole) & known.rounded
    if not rounded and rational_value(grammar.unparse(whole), values) == value:
        return value
    inside = value
    for _ in range(8):  # a root, or a rounded constant: up to some ulp on either side
        inside = float(np.nextafter(inside, sign * np.inf))
    # what cancels in it loses more
    lost = 2 * _lost(theorem, formula, value, values)
    return inside if lost <= abs(inside - value) else value + sign * lost


def _unfolded(theorem: Theorem, tree: Node) -> Node:
    """A formula with what ``let`` says in place of its symbols."""
    inside = grammar.names(tree) & theorem.let.keys()
    trees = {n: _unfolded(theorem, grammar.parse(theorem.let[n])) for n in inside}
    return grammar.replaced(tree, trees)


def _lost(theorem: Theorem, formula: Text, end: float, values: Values) -> float:
    """By how much an end moves where each symbol that it is made of moves by its own rounding."""
    whole = text(grammar.unparse(_unfolded(theorem, formula.tree)))
    lost = 0.0
    for name in whole.names & values.keys():
        if isinstance(values[name], float):
            beside = {**values, name: float(np.nextafter(values[name], np.inf))}
            lost += abs(_end(whole, beside) - end)
    return lost


def _numbers(*shown: tuple[Text | None, float]) -> str:
    # a plain number says by itself what it is
    return ", ".join(f"{e} = {v + 0.0:.6g}" for e, v in shown if e is not None and e.names)


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
