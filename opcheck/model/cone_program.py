"""Sets and regularisers as cone programs: how a solver sees what a resolvent computes by formula.

An affine expression is a row with a column for each variable and then its constant, so that rows
add, subtract and scale as what they stand for; several expressions are a matrix of such rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.float64]
Constraints: TypeAlias = list[tuple[str, Rows]]
Cost: TypeAlias = Rows | tuple[Rows | None, Rows] | None


@dataclass(frozen=True, kw_only=True)
class ConeProgram:
    """min cost(x, y) under constraints, for the g of A = ∂g at the default parameters of a family.

    Attributes:
        dim: coordinates of x, which the resolvent acts on.
        extras: further variables y.
        says: ``says(x, y, one)`` returns the cost and the constraints, of the rows of x and y and
            the expression 1. A cost is a sum of rows, or a pair of them, the second of which goes
            in by ½‖·‖²; None for a set. A constraint names the cone that its rows lie in: ``zero``,
            ``plus`` (all ≥ 0), ``norm`` (the first bounds the norm of the others), ``psd`` (see
            ``triangle``), ``exp`` (b exp(a/b) ≤ c).
    """

    dim: int
    extras: int = 0
    says: Callable[[Rows, Rows, Rows], tuple[Cost, Constraints]]


def stack(*parts: Rows) -> Rows:
    """One below the other."""
    return np.vstack([np.atleast_2d(p) for p in parts])


def total(rows: Rows) -> Rows:
    """Their sum."""
    return np.asarray(np.sum(rows, axis=0, keepdims=True), dtype=float)


def moduli_at_most(bound: Rows, rows: Rows) -> Constraints:
    """|row| ≤ bound, for each."""
    return [("plus", bound - rows), ("plus", bound + rows)]


def triangle(matrix: Iterable[Iterable[Rows]]) -> Rows:
    """The upper triangle of a symmetric matrix, column by column, scaled to keep the norm."""
    m = [list(row) for row in matrix]
    return stack(
        *(m[i][j] * (1 if i == j else 2**0.5) for j in range(len(m)) for i in range(j + 1))
    )
