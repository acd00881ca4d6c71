"""A rational form as a sum of squares, in numbers that are short enough for Rocq to multiply.

L D Lᵀ has entries as long as minors of the matrix. Of Q ⪰ δ I with δ > 0 a rounded factor is
enough: Q = L Lᵀ + E with E near δ I, and a matrix with a dominant diagonal is a sum of squares as
it stands, Σ |e_ij| (v_i ± v_j)² + Σ (e_ii − Σ_j |e_ij|) v_i².
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from flint import fmpq

Form = Mapping[tuple[int, int], fmpq]  # symmetric: both (i, j) and (j, i), no zeros
Squares = list[tuple[fmpq, dict[int, fmpq]]]  # (weight, vector)
ROUND = 1e-12  # of the entries of a scaled form, by which float eigenvalues may be wrong
FEWEST, MOST = 4, 48  # binary digits of a rounded factor


def squares_of(form: Form) -> Squares | None:
    """Weights ≥ 0 and vectors whose squares add up to a form, the shortest; None for none."""
    exact = by_elimination(form)
    if exact is None:
        return None
    rounded = by_rounding(form)
    return exact if rounded is None or _length(exact) <= _length(rounded) else rounded


def by_elimination(form: Form) -> Squares | None:
    """L D Lᵀ, exactly; None where a pivot is negative, or is 0 and its row is not."""
    rest, squares = dict(form), Squares()
    for i in sorted({i for i, _ in rest}):
        row = {j: c for (a, j), c in rest.items() if a == i and c}
        if not row:
            continue
        pivot = row.get(i)
        if pivot is None or pivot < 0:
            return None
        squares.append((pivot, {j: c / pivot for j, c in row.items()}))
        for a in row:
            for b in row:
                rest[a, b] = rest.get((a, b), fmpq(0)) - row[a] * row[b] / pivot
    return squares


def by_rounding(form: Form) -> Squares | None:
    """A rounded factor and a rest with a dominant diagonal; None near a singular form."""
    names = sorted({i for i, _ in form})
    if not names or any(form.get((i, i), fmpq(0)) <= 0 for i in names):
        return None
    # powers of 2 by which the diagonal is about 1
    scales = {i: fmpq(2) ** round(math.log2(_float(form[i, i])) / 2) for i in names}
    scaled = {(i, j): c / (scales[i] * scales[j]) for (i, j), c in form.items()}
    matrix = np.array([[_float(scaled.get((i, j), fmpq(0))) for j in names] for i in names])
    least = float(np.linalg.eigvalsh(matrix)[0])
    if not least > ROUND * len(names):
        return None
    factor = np.linalg.cholesky(matrix - least / 2 * np.eye(len(names)))
    for digits in range(FEWEST, MOST + 1, 4):
        rows = [
            {names[i]: fmpq(round(float(v) * 2**digits), 2**digits) for i, v in enumerate(column)}
            for column in factor.T
        ]
        squares: Squares = [(fmpq(1), {i: v for i, v in row.items() if v}) for row in rows]
        rest = _rest(scaled, squares)
        dominated = _dominated(rest, names)
        if dominated is not None:
            return [
                (weight, {i: v * scales[i] for i, v in row.items()})
                for weight, row in [*squares, *dominated]
            ]
    return None


def _rest(form: Form, squares: Squares) -> dict[tuple[int, int], fmpq]:
    """A form without squares."""
    rest = dict(form)
    for weight, row in squares:
        for i, a in row.items():
            for j, b in row.items():
                rest[i, j] = rest.get((i, j), fmpq(0)) - weight * a * b
    return {key: c for key, c in rest.items() if c}


def _dominated(form: Form, names: Sequence[int]) -> Squares | None:
    """A form with a dominant diagonal as squares of sums and differences; None for another."""
    squares = Squares()
    diagonal = {i: form.get((i, i), fmpq(0)) for i in names}
    for (i, j), c in sorted(form.items()):
        if i < j:
            size = abs(c)
            squares.append((size, {i: fmpq(1), j: c / size}))
            diagonal[i] -= size
            diagonal[j] -= size
    if any(c < 0 for c in diagonal.values()):
        return None
    return squares + [(c, {i: fmpq(1)}) for i, c in diagonal.items() if c]


def _length(squares: Squares) -> int:
    """How much there is to multiply: digits of each vector, squared."""
    return sum(sum(_digits(row.values())) ** 2 + sum(_digits([weight])) for weight, row in squares)


def _digits(values: object) -> Iterator[int]:
    for v in values:  # type: ignore[attr-defined]
        yield len(str(v))


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)
