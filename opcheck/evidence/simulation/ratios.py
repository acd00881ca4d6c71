"""The largest measured/bound over the library, against k."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from opcheck.errors import OpcheckError
from opcheck.evidence.simulation.comparison import Comparison, compare
from opcheck.evidence.simulation.verify import COVERAGE, library
from opcheck.evidence.statement.evaluation import needs_solution
from opcheck.evidence.statement.hypotheses import Inapplicable, match
from opcheck.evidence.statement.parameters import Empty
from opcheck.model.table import Table
from opcheck.model.theorem import Theorem, theorem_of

CELLS = 120  # parts of a logarithmic axis of k


def largest_ratios(theorem: str | Theorem) -> Table:
    """measured/bound at each k where it is largest: columns ``k``, ``ratio``, ``problem``.

    Over the problems, parameters and horizons of ``verify``; runs that decide nothing are left
    out. Of many k, those at which it is largest in each of 120 parts of a logarithmic axis.

    Raises OpcheckError for an unknown theorem.
    """
    entry = theorem_of(theorem)
    longest = max(entry.horizons) + 1
    top = np.full(longest, -np.inf)
    problems = np.full(longest, "", dtype=object)
    for name, comparison in _comparisons(entry):
        ratio = np.where(np.isfinite(comparison.ratio), comparison.ratio, -np.inf)[:longest]
        larger = np.flatnonzero(ratio > top[: len(ratio)])
        top[larger], problems[larger] = ratio[larger], name
    k = np.flatnonzero(top > -np.inf)
    kept = k[_largest_in_cells(k, top[k])]
    columns = {"k": kept, "ratio": top[kept], "problem": problems[kept].astype(str)}
    return Table(columns, caption=f"The largest measured/bound of {entry.name} over the library")


def _comparisons(theorem: Theorem) -> Iterator[tuple[str, Comparison]]:
    count = 0
    for problem in library():
        if count >= COVERAGE:
            return
        try:
            known = match(theorem, problem)
            if needs_solution(theorem) and problem.solution_near(problem.start) is None:
                continue
            compared = compare(theorem, problem, known, weaken=True)
        except (Inapplicable, Empty):
            continue
        except OpcheckError:  # a verdict of ``verify`` tells it
            count += 1
            continue
        count += 1
        yield from ((problem.name, c) for c in compared if c.status in ("holds", "violated"))


def _largest_in_cells(k: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.intp]:
    if len(k) <= CELLS:
        return np.arange(len(k))
    at = np.log(k + 1.0)
    cell = np.minimum((at - at[0]) / (at[-1] - at[0]) * CELLS, CELLS - 1).astype(int)
    order = np.lexsort((-values, cell))
    return np.asarray(order[np.unique(cell[order], return_index=True)[1]])
