"""What a statement keeps when F is doubled: the degree of every symbol, form and multiplier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flint import fmpq, fmpq_mat

from opcheck.engine.coefficients import STAR
from opcheck.engine.ratio import Ratio
from opcheck.evidence.discover.reading import Reading
from opcheck.evidence.proofs.reader import Total

Unknown = str | int  # a symbol, or a basis vector
Equation = dict[Unknown, int]
VALUE = "F"  # the degree of a value of F, beside that of a difference of points, which is 0


class Degrees:
    """Degrees of symbols and vectors under F -> c F, with steps and constants to match.

    All are 0 where the statement keeps nothing, as one about a nonexpansive T.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        field = reading.field
        self.names = [n for n in field.known if n != reading.index]
        self.of: dict[Unknown, fmpq] = {}
        vectors = range(len(reading.general.steps.oracle.names))
        unknowns: list[Unknown] = [VALUE, *self.names, *field.names, *vectors]
        unknowns = list(dict.fromkeys(unknowns))
        equations = [*self._of_steps(), *self._of_properties(), *self._of_ranges()]
        self.of = _kernel(unknowns, equations)

    def _of_steps(self) -> Iterator[Equation]:
        steps = self.reading.general.steps
        yield {steps.method.rows.index("z"): 1}
        for _, _, value, _, _ in steps.oracle.calls:
            if len(value) == 1:
                yield {value[0][0]: 1, VALUE: -1}
        if STAR in steps.oracle.names:
            yield {steps.oracle.names.index(STAR): 1, VALUE: -1}
        rows = [row for state in steps.states for row in state]
        rows += [point for _, point, _, _, _ in steps.oracle.calls]
        for row in rows:
            terms = [{**_of(c), i: 1} for i, c in row]
            for c in (c for _, c in row):
                yield from _homogeneous(c)
            for term in terms[1:]:
                yield _difference(terms[0], term)

    def _of_properties(self) -> Iterator[Equation]:
        reader = self.reading.general
        for prop in self.reading.theorem.given:
            if prop.kind.of_values:
                continue
            number = None if prop.kind.better is None else prop.number
            symbolic = prop.kind.better is not None and number is None
            form = prop.form(reader.read(prop.constant)) if symbolic else prop.form(number)
            terms = []
            for c, power in zip(form, (0, 1, 2), strict=True):
                if isinstance(c, Ratio):
                    if c:
                        yield from _homogeneous(c)
                        own = _of(c)
                        terms.append({**own, VALUE: own.get(VALUE, 0) + power})
                elif c:
                    terms.append({VALUE: power})
            for term in terms[1:]:
                yield _difference(terms[0], term)

    def _of_ranges(self) -> Iterator[Equation]:
        for constraint in self.reading.domain().constraints:
            yield from _homogeneous(constraint.value)

    def ratio(self, ratio: Ratio) -> fmpq:
        """The degree of a function, that of its first terms."""
        return sum((fmpq(n) * self.of.get(u, fmpq(0)) for u, n in _of(ratio).items()), fmpq(0))

    def total(self, total: Total) -> fmpq:
        """The degree of a form."""
        for key, c in total.terms.items():
            if isinstance(key, tuple):
                return self.ratio(c) + sum((self.of.get(i, fmpq(0)) for i in key), fmpq(0))
        for key, c in total.terms.items():
            if key == "R**2":
                return self.ratio(c)
        return fmpq(0)

    @property
    def moving(self) -> list[str]:
        """Symbols of a degree other than 0."""
        return [n for n in self.names if self.of.get(n, fmpq(0)) != 0]


def _of(ratio: Ratio) -> Equation:
    """The exponents of the first term of a function, as a linear form in degrees."""
    names = ratio.field.names
    num = next(iter(ratio.num.to_dict()), (0,) * len(names))
    den = next(iter(ratio.den.to_dict()), (0,) * len(names))
    return {n: int(a) - int(b) for n, a, b in zip(names, num, den, strict=True) if a != b}


def _homogeneous(ratio: Ratio) -> Iterator[Equation]:
    """All terms of numerator and of denominator have one degree each."""
    names = ratio.field.names
    for polynomial in (ratio.num, ratio.den):
        first, *rest = [*polynomial.to_dict()] or [()]
        for powers in rest:
            pairs = zip(names, first, powers, strict=True)
            yield {n: int(b) - int(a) for n, a, b in pairs if a != b}


def _difference(first: Equation, second: Mapping[Any, int]) -> Equation:
    keys = {*first, *second}
    return {u: second.get(u, 0) - first.get(u, 0) for u in keys}


def _kernel(unknowns: list[Unknown], equations: list[Equation]) -> dict[Unknown, fmpq]:
    """The solution with degree 1 for a value of F; all 0 where there is none."""
    place = {u: i for i, u in enumerate(unknowns)}
    rows = [
        {place[u]: n for u, n in equation.items() if n and u in place} for equation in equations
    ]
    rows = [row for row in rows if row]
    matrix = fmpq_mat(len(rows) + 1, len(unknowns) + 1)
    for i, row in enumerate(rows):
        for j, n in row.items():
            matrix[i, j] = n
    matrix[len(rows), 0] = 1
    matrix[len(rows), len(unknowns)] = 1
    reduced, rank = matrix.rref()
    solution = dict.fromkeys(unknowns, fmpq(0))
    for i in range(rank):
        pivot = next(j for j in range(len(unknowns) + 1) if reduced[i, j] != 0)
        if pivot == len(unknowns):
            return dict.fromkeys(unknowns, fmpq(0))
        solution[unknowns[pivot]] = reduced[i, len(unknowns)]
    return solution
