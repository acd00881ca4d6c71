"""Projections and proximal maps of a million entries against a full sort of the same array.

    python benchmarks/sets.py [--json | --markdown]

The simplex must be met as the sorting formula meets it before anything is timed. A time is that of
one compiled call, the least of several interleaved repetitions, in CPU time of the thread. Exits 1
if a target is missed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from measuring import Row, arguments, machine, show, side_by_side
from numpy.typing import NDArray

from opcheck.engine import jit as compiler
from opcheck.model.operator import Resolvent
from opcheck_problems import sets

Vector = NDArray[np.float64]
SIZE, REPEATS = 1_000_000, 9


def inputs(generator: np.random.Generator) -> dict[str, Vector]:
    """Arrays that make it easy or hard: for sorting, for the number of passes, for both."""
    halves = -(0.9 ** np.arange(20.0))
    counts = SIZE // 2 ** np.arange(1, 21)
    return {
        "normal": generator.standard_normal(SIZE),
        "uniform in [0, 1]": generator.uniform(size=SIZE),
        "seven values": generator.integers(-3, 4, SIZE).astype(float),
        "half of the rest leaves a pass": generator.permutation(
            np.concatenate([np.repeat(halves, counts), np.zeros(SIZE - counts.sum())])
        ),
    }


def call(J: Resolvent, z: Vector, out: Vector) -> Callable[[], None]:
    """A compiled call of the resolvent, out = J(z)."""
    return functools.partial(compiler.jit(J.kernel, "resolvent"), z, 1.0, out, J.data)


def by_sorting(z: Vector) -> Vector:
    """The projection onto the simplex by the textbook formula."""
    ordered = np.sort(z)[::-1] - z.max()
    shifts = (np.cumsum(ordered) - 1) / np.arange(1, z.size + 1)
    return np.maximum(z - z.max() - shifts[np.flatnonzero(ordered > shifts)[-1]], 0)


def simplex(z: Vector, case: str) -> list[Row]:
    """The simplex against the sort, after a check of its result."""
    out = np.empty(SIZE)
    project = call(sets.simplex(SIZE), z, out)
    project()
    if np.abs(out - by_sorting(z)).max() > 1e-12 or abs(out.sum() - 1) > 1e-12:
        raise RuntimeError(f"the projection onto the simplex is wrong ({case})")
    best = side_by_side({"simplex": project, "sort": lambda: np.sort(z)}, REPEATS)
    return [Row(f"simplex of {SIZE:,}, {case}", best["simplex"], "full sort", best["sort"], 3.0)]


def others(z: Vector) -> list[Row]:
    """Maps that also take a few passes; no target is set for them."""
    maps = {
        "l1 ball": sets.l1_ball(),
        "capped simplex": sets.capped_simplex(SIZE, SIZE / 3, 1.0),
        "monotone cone": sets.monotone_cone(),
        "total variation": sets.total_variation(),
        "entropy": sets.entropy(),
    }
    out = np.empty(SIZE)
    runs: dict[str, Callable[[], object]] = {name: call(J, z, out) for name, J in maps.items()}
    best = side_by_side(runs | {"sort": lambda: np.sort(z)}, 5)
    return [
        Row(f"{name}, {SIZE:,}, normal", best[name], "full sort", best["sort"]) for name in maps
    ]


def main() -> int:
    """Measure everything and print it."""
    form, info = arguments(__doc__).parse_args().form, machine()
    arrays = inputs(np.random.default_rng(0))
    rows = [row for case, z in arrays.items() for row in simplex(z, case)]
    return show([*rows, *others(arrays["normal"])], info, [], form)


if __name__ == "__main__":
    raise SystemExit(main())
