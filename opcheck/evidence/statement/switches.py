"""At which k the texts of a statement switch: a comparison turns, a maximum changes sides.

A bound may be another one from some k on. Runs that end before say nothing of it, so where it
switches is read from its tree, and what lies behind is run or said to be untried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opcheck.errors import OpcheckError
from opcheck.evidence.statement.parameters import Values, settle
from opcheck.model import grammar
from opcheck.model.grammar import ACCUMULATING, Binary, Call, Comparison, Node
from opcheck.model.text import Text
from opcheck.model.theorem import Theorem

DENSE = 2048  # every k up to it is looked at, then every hundredth part further
FARTHEST = 2.0**50  # whole numbers up to it are floats, and so is a half more
MOST = 4  # switches of one part that are looked for
STEPPED = frozenset({"floor", "ceil", "mod", "sin", "cos"})  # of these one: they go on for ever
Floats = NDArray[np.float64]
Side = Callable[[Floats], Floats]


class Turns(NamedTuple):
    """The first k at which a part is on another side than before; or of the horizon alone."""

    at: tuple[int, ...]
    of_k: bool


def switches(theorem: Theorem, values: Values) -> dict[str, Turns]:
    """Parts of a statement's texts -> where each switches.

    Parts are comparisons, ``max``, ``min``, ``abs``, ``floor``, ``ceil`` and ``mod`` in measure,
    bound and ``let``, of k or of the horizon K, which counts as k. Those of recorded values switch
    where runs do, and are left out.

    Args:
        values: constants and parameters of a run.
    """
    own = {"K", "k", "j", *theorem.let}
    fixed = {n: v for n, v in values.items() if np.ndim(v) == 0 and n not in own}
    trees = [theorem.left.tree, theorem.right.tree, *map(grammar.parse, theorem.let.values())]
    parts = {grammar.unparse(node): node for tree in trees for node in grammar.walk(tree)}
    grid = np.geomspace(DENSE, FARTHEST, 3000).round()
    grid = np.unique(np.append(np.arange(DENSE + 0.0), grid))
    grid = grid[grid >= theorem.first]
    parted: dict[str, Turns] = {}
    for written, node in parts.items():
        gap = _gap(node)
        if gap is None:
            continue
        # what goes on for ever is looked at where no turn is missed; the steps in it stand apart
        stepped = isinstance(gap, Call) and gap.function in ("floor", "ceil")
        repeated = bool(STEPPED & grammar.functions(node))
        looked_at = grid[grid < DENSE] if repeated and not stepped else grid
        try:
            turns = _turns(_side(theorem, fixed, gap), looked_at, 1 if repeated else MOST, stepped)
        except OpcheckError:  # it is about recorded values
            continue
        if turns:
            last = _side(theorem, {**fixed, "K": grid[-1]}, gap)(grid)
            parted[written] = Turns(turns, not np.array_equal(last, last[:1] + 0 * grid))
    return parted


def _gap(node: Node) -> Node | None:
    """What changes its sign, or its whole part, where a node switches; None for no such node."""
    gap: Node
    match node:
        case Comparison(_, left, right) | Call("max" | "min", (left, right)):
            gap = Binary("-", left, right)
        case Call("abs", (gap,)):
            pass
        case Call("floor" | "ceil") as step:
            return None if _of_a_run(step) else step
        case Call("mod", (left, right)):
            gap = Call("floor", (Binary("/", left, right),))
        case _:
            return None
    return None if _of_a_run(gap) else gap


def _of_a_run(node: Node) -> bool:
    return bool((ACCUMULATING | {"next"}) & grammar.functions(node))


def _side(theorem: Theorem, fixed: Mapping[str, Any], gap: Node) -> Side:
    formula = Text(gap)

    def value(k: Floats) -> Floats:
        scope: Values = {"K": k, **fixed, "k": k, "j": k}
        settle(theorem, scope)
        known = {n: v for n, v in scope.items() if np.ndim(v) == 0 or np.shape(v) == k.shape}
        return np.asarray(formula.evaluate(known), dtype=float) * np.ones(k.shape)

    return value


def _turns(value: Side, grid: Floats, most: int, stepped: bool) -> tuple[int, ...]:
    """The first whole k at which the sign, or of steps the value, is a new one."""
    values = value(grid)

    def kind(numbers: Floats) -> Floats:
        return numbers if stepped else np.sign(numbers)

    turned = np.isfinite(values[:-1]) & np.isfinite(values[1:])
    turned &= kind(values[:-1]) != kind(values[1:])
    near = np.abs(values)
    dips = np.zeros(len(turned), dtype=bool)  # it may turn and turn back between two of the grid
    dips[1:] = (near[1:-1] < near[:-2]) & (near[1:-1] <= near[2:]) & ~turned[1:] & ~turned[:-1]
    turns: list[int] = []
    for i in np.flatnonzero(turned | dips):
        if len(turns) == most:
            break
        if turned[i]:
            turns.append(_first(value, kind, grid[i], grid[i + 1]))
        elif grid[i + 1] - grid[i - 1] > 2:
            low = _lowest(value, grid[i - 1], grid[i + 1])
            if kind(value(np.array([low])))[0] != kind(values[i : i + 1])[0]:
                turns.append(_first(value, kind, grid[i - 1], low))
                while kind(value(np.array([low]))) != kind(values[i + 1 : i + 2]):
                    low = _first(value, kind, low, grid[i + 1])
                    turns.append(low)
    return tuple(dict.fromkeys(turns))[:most]


def _between(lo: float, hi: float) -> Floats:
    return np.unique(np.linspace(lo, hi, 65).round())


def _first(value: Side, kind: Side, lo: float, hi: float) -> int:
    """The first k in (lo, hi] that is not as lo is, where hi is not."""
    while hi - lo > 1:
        k = _between(lo, hi)
        other = np.flatnonzero(kind(value(k)) != kind(value(k[:1])))
        lo, hi = float(k[other[0] - 1]), float(k[other[0]])
    return int(hi)


def _lowest(value: Side, lo: float, hi: float) -> float:
    """The k between two others at which a side is nearest to zero."""
    while True:
        k = _between(lo, hi)
        i = int(np.argmin(np.abs(value(k))))
        if hi - lo <= 64:
            return float(k[i])
        lo, hi = float(k[max(i - 1, 0)]), float(k[min(i + 1, len(k) - 1)])
