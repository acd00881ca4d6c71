"""That no potential of a form exists at named numbers, shown by weights in exact rationals.

Σ x_c M_c + M_0 ⪰ 0 in every part, with constants x of V free and multipliers x ≥ 0, is impossible
where some Z ⪰ 0 of each part give ⟨Z, M_c⟩ = 0 for every constant, ≤ 0 for every multiplier, and
⟨Z, M_0⟩ < 0: the sum of all ⟨Z, ...⟩ would be ≥ 0 and < 0. The weights come from a solver and are
rounded; what is said rests on the exact check alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from opcheck.evidence.discover.search import Search, shown
from opcheck.evidence.worst_case.conic import conic
from opcheck.model.result import Result

Forms = Sequence[tuple[Any, Mapping[Any, fmpq]]]
Parts = Sequence[tuple[Any, Forms]]
Unknown = tuple[int, Any]  # a part, and an entry of its weight, or a name
ROOM = 1e-9  # the least margin that is rounded
DENOMINATORS = (2**20, 2**30, 2**40)


@dataclass(frozen=True)
class Witness(Result):
    """Weights that exclude a form of V at one point.

    Attributes:
        point: the constants and parameters.
        parts: which parts are weighted, with k.
        weights: for each, (i, j, number) of its matrix over the vectors of the step, and factors of
            R² and of sums by their names.
    """

    point: dict[str, str]
    parts: tuple[str, ...]
    weights: tuple[tuple[tuple[str, str], ...], ...]


def witness(search: Search, place: int) -> Witness | None:
    """A checked witness at one of a search's points; None where none was found or rounds.

    Raises OpcheckError where a number is irrational.
    """
    parts = search.rationals(place)
    weights = _weights(parts)
    if weights is None or not excludes(parts, weights):
        return None
    point = {n: str(v) for n, v in search.points[place].items()}
    used = [n for n in range(len(parts)) if any(u[0] == n and w for u, w in weights.items())]
    return Witness(
        point,
        tuple(f"{parts[n][0][0]}, k = {parts[n][0][1]}" for n in used),
        tuple(
            tuple((str(u[1]), str(w)) for u, w in weights.items() if u[0] == n and w) for n in used
        ),
    )


def excludes(parts: Parts, weights: Mapping[Unknown, fmpq]) -> bool:
    """Whether weights show that no constants and multipliers exist; an exact check."""
    lines = _lines(parts)
    for column, line in lines.items():
        total = sum((weights.get(u, fmpq(0)) * c for u, c in line.items()), fmpq(0))
        if column is None:
            if not total < 0:
                return False
        elif isinstance(column, tuple):
            if total > 0:
                return False
        elif total != 0:
            return False
    for n in range(len(parts)):
        own = {e: w for (m, e), w in weights.items() if m == n}
        if own.get("R**2", fmpq(0)) < 0:
            return False
        entries = {e: w for e, w in own.items() if isinstance(e, tuple)}
        if not _semidefinite(entries):
            return False
    return True


def _lines(parts: Parts) -> dict[Any, dict[Unknown, fmpq]]:
    """What each unknown of the program, or None, adds to a weighted sum of all parts."""
    lines: dict[Any, dict[Unknown, fmpq]] = {None: {}}
    for n, (_, forms) in enumerate(parts):
        for column, form in forms:
            line = lines.setdefault(column, {})
            for entry, c in form.items():
                line[n, entry] = line.get((n, entry), fmpq(0)) + c
    return lines


def _semidefinite(entries: Mapping[tuple[int, int], fmpq]) -> bool:
    """Whether a symmetric matrix is ⪰ 0, by elimination; its off-diagonal entries are doubled.

    An entry (i, j) with i < j is the factor that multiplies that of a form, which holds the product
    once: so it is the entry of the matrix itself.
    """
    form = {}
    for (i, j), w in entries.items():
        form[i, j] = form[j, i] = w
    left = sorted({i for i, _ in form})
    while left:
        pivot = next((i for i in left if form.get((i, i), fmpq(0)) > 0), None)
        if pivot is None:
            return not any(form.get((i, j), fmpq(0)) for i in left for j in left)
        d = form[pivot, pivot]
        left.remove(pivot)
        for i in left:
            for j in left:
                move = form.get((pivot, i), fmpq(0)) * form.get((pivot, j), fmpq(0)) / d
                form[i, j] = form.get((i, j), fmpq(0)) - move
    return True


def _weights(parts: Parts) -> dict[Unknown, fmpq] | None:
    """Weights of largest room, rounded and moved onto the equations."""
    lines = _lines(parts)
    unknowns: list[Unknown] = []
    blocks: list[list[int]] = []  # the vectors of each part
    for n, (_, forms) in enumerate(parts):
        keys = {e for _, form in forms for e in form}
        vectors = sorted({i for e in keys if isinstance(e, tuple) for i in e})
        blocks.append(vectors)
        unknowns += [(n, (i, j)) for i in vectors for j in vectors if i <= j]
        unknowns += [(n, e) for e in sorted(e for e in keys if not isinstance(e, tuple))]
    place = {u: i for i, u in enumerate(unknowns)}
    numbers = _solved(lines, blocks, place)
    if numbers is None:
        return None
    free = [line for c, line in lines.items() if c is not None and not isinstance(c, tuple)]
    for denominator in DENOMINATORS:
        rounded = [fmpq(round(float(v) * denominator), denominator) for v in numbers]
        exact = _moved(rounded, [{place[u]: c for u, c in line.items()} for line in free])
        if exact is not None:
            weights = dict(zip(unknowns, exact, strict=True))
            if excludes(parts, weights):
                return weights
    return None


def _solved(
    lines: Mapping[Any, Mapping[Unknown, fmpq]],
    blocks: Sequence[Sequence[int]],
    place: Mapping[Unknown, int],
) -> Any:
    """Weights with the largest room t ≤ 1 in every condition, in floats; None for no room."""
    from scipy import sparse

    size = len(place) + 1
    unit = np.eye(size)
    rows: list[Any] = []
    constants: list[Any] = []
    cones: list[tuple[str, int]] = []

    def row(line: Mapping[Unknown, fmpq]) -> Any:
        out = np.zeros(size)
        for u, c in line.items():
            out[place[u]] = float(Fraction(int(c.p), int(c.q)))
        return out / max(np.abs(out).max(), 1e-300)

    for n, vectors in enumerate(blocks):
        if not vectors:
            continue
        triangle = []
        for b in range(len(vectors)):
            for a in range(b + 1):
                entry = unit[place[n, (vectors[a], vectors[b])]] * (1.0 if a == b else 2**0.5)
                triangle.append(entry - unit[-1] * (a == b))
        rows.append(-np.array(triangle))
        constants.append(np.zeros(len(triangle)))
        cones.append(("PSDTriangle", len(vectors)))
    least = [unit[i] - unit[-1] for u, i in place.items() if u[1] == "R**2"]
    least += [-row(line) - unit[-1] for c, line in lines.items() if isinstance(c, tuple)]
    ends = [0.0] * len(least)
    least.append(-unit[-1])
    ends.append(1.0)
    for i in range(size - 1):
        least += [unit[i], -unit[i]]
        ends += [1e3, 1e3]
    rows.append(-np.array(least))
    constants.append(np.array(ends))
    cones.append(("Nonnegative", len(least)))
    equal = [row(line) for c, line in lines.items() if c is not None and not isinstance(c, tuple)]
    equal.append(row(lines[None]))
    rows.append(-np.array(equal))
    constants.append(np.array([*[0.0] * (len(equal) - 1), 1.0]))
    cones.append(("Zero", len(equal)))
    status, x, _ = conic(
        -unit[-1], sparse.csc_matrix(np.vstack(rows)), np.concatenate(constants), cones
    )
    return x[:-1] if status in ("Solved", "AlmostSolved") and x[-1] > ROOM else None


def _moved(x: list[fmpq], lines: Sequence[Mapping[int, fmpq]]) -> list[fmpq] | None:
    """The nearest solution of the equations; None where they are dependent."""
    lines = [line for line in lines if any(line.values())]
    if not lines:
        return x
    count = len(lines)
    gram, miss = fmpq_mat(count, count), fmpq_mat(count, 1)
    for i, a in enumerate(lines):
        miss[i, 0] = sum((c * x[n] for n, c in a.items()), fmpq(0))
        for j, b in enumerate(lines):
            gram[i, j] = sum((c * b[n] for n, c in a.items() if n in b), fmpq(0))
    try:
        step = gram.solve(miss)
    except ZeroDivisionError:
        return None
    moved = list(x)
    for i, line in enumerate(lines):
        for n, c in line.items():
            moved[n] -= c * step[i, 0]
    return moved


def in_words(search: Search, witness: Witness) -> str:
    """What a witness says, and of what."""
    numbers = shown({n: fmpq(*Fraction(v).as_integer_ratio()) for n, v in witness.point.items()})
    terms = ", ".join(term for _, term in search.terms)
    return (
        f"at {numbers} no V = Σ c t over t = {terms} will do with the inequalities tried, already "
        f"at {'; '.join(witness.parts)}: checked in exact rationals"
    )
