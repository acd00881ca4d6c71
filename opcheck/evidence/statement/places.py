"""Where in the ranges of its parameters and constants a statement is tried.

One list, for runs on problems in float64 and for searches over a class in rationals alike: what one
of them tries the other tries too.
"""

from __future__ import annotations

from typing import Literal

Place = Literal["low", "low side", "middle", "high side", "high"]
PLACES: tuple[Place, ...] = ("low", "low side", "middle", "high side", "high")
TOGETHER: tuple[Place, ...] = ("low side", "high side", "low", "high")
FACTORS = (1.5, 4.0, 16.0)  # by which a constant is made worse than the best


def patterns(count: int) -> list[tuple[Place, ...]]:
    """A place for each of so many ranges, each pattern once.

    All in the middle; each at either end while the others are in the middle; all beside, and all at
    the same end.
    """
    middle: tuple[Place, ...] = ("middle",) * count
    alone: list[tuple[Place, ...]] = [
        (*middle[:i], end, *middle[i + 1 :])
        for i in range(count)
        for end in (PLACES[0], PLACES[-1])
    ]
    return list(dict.fromkeys([middle, *alone, *((place,) * count for place in TOGETHER)]))


def worsened(best: float, *, smaller_is_better: bool) -> list[float]:
    """Constants that are worse than the best one; none where that is not positive."""
    if best <= 0:
        return []
    if smaller_is_better:
        return [best * factor for factor in FACTORS]
    return [best / factor for factor in FACTORS[1:]]
