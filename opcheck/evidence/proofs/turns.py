"""Equalities on families of one operator F = a I + G, where G is skew and G² = −s I.

On such an F every vector of a run is p u + q G u, summed over the rows u that a step begins with.
An equality holds where its two sides have the same coefficients.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine.forms import Sparse
from opcheck.engine.ratio import Field, Ratio
from opcheck.engine.steps import Steps
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.hypotheses import Inapplicable, match
from opcheck.evidence.statement.parameters import Empty, choices
from opcheck.model.problem import Family, Problem
from opcheck.model.text import text
from opcheck.model.theorem import Theorem

Turned = tuple[Ratio, Ratio]  # p + q G
Rows = dict[int, Turned]  # by the row that it is a multiple of
Key = tuple[int, int, str]  # ⟨u, w⟩, or ⟨G u, w⟩ for rows u, w
Floats = NDArray[np.float64]
ROUNDING = 2.0**-40
DRAWN = 32  # members of a family that are looked at, beside its presets


class Turning:
    """Vectors of a few steps as multiples of the rows that these begin with.

    Args:
        steps: whose calls are of F alone, or of its resolvent.
        real: a.
        square: s.
    """

    def __init__(self, steps: Steps, real: Ratio, square: Ratio) -> None:
        self.field: Field = steps.field
        self.real, self.square = real, square
        self.one, self.none = self.field.number(1), self.field.number(0)
        self.divisors: list[Ratio] = []  # what a resolvent divides by
        self._rows: dict[int, Rows] = {}
        for _, point, value, _, _ in steps.oracle.calls:
            self._called(point, value)

    def _called(self, point: Sparse, value: Sparse) -> None:
        """v = F(p), where p may hold v itself: then it is a resolvent's."""
        ((new, _),) = value
        own = next((c for i, c in point if i == new), self.none)
        rest = self.rows(tuple((i, c) for i, c in point if i != new))
        p, q = self.one - own * self.real, -own  # (1 − c F) v = F rest
        size = p * p + self.square * q * q
        if own:
            self.divisors.append(size)
        inverse = (p / size, -q / size)
        of_f = (self.real, self.one)
        self._rows[new] = {
            u: self._product(self._product(inverse, of_f), value) for u, value in rest.items()
        }

    def _product(self, x: Turned, y: Turned) -> Turned:
        return x[0] * y[0] - self.square * x[1] * y[1], x[0] * y[1] + x[1] * y[0]

    def rows(self, vector: Sparse) -> Rows:
        """A combination of vectors."""
        total: Rows = {}
        for i, c in vector:
            own = self._rows.get(i, {i: (self.one, self.none)})
            for u, (p, q) in own.items():
                before = total.get(u, (self.none, self.none))
                total[u] = before[0] + c * p, before[1] + c * q
        return total

    def inner(self, i: int, j: int) -> dict[Key, Ratio]:
        """⟨v_i, v_j⟩; ⟨G u, w⟩ = −⟨G w, u⟩, and ⟨G u, u⟩ = 0."""
        total: dict[Key, Ratio] = {}
        for u, (p, q) in self.rows(((i, self.one),)).items():
            for w, (r, t) in self.rows(((j, self.one),)).items():
                low, high = min(u, w), max(u, w)
                _add(total, (low, high, ""), p * r + self.square * q * t)
                if u != w:
                    _add(total, (low, high, "G"), (q * r - p * t) * (1 if u < w else -1))
        return total

    def left(self, form: Mapping[tuple[int, int], Ratio]) -> dict[Key, Ratio]:
        """What a sum of c · ⟨v_i, v_j⟩ over i ≤ j is; empty where it is 0 for every F of them."""
        total: dict[Key, Ratio] = {}
        for (i, j), c in form.items():
            for key, value in self.inner(i, j).items():
                _add(total, key, c * value)
        return {key: value for key, value in total.items() if value}


def _add(total: dict[Key, Ratio], key: Key, value: Ratio) -> None:
    total[key] = total[key] + value if key in total else value


def check_family(theorem: Theorem, turn: tuple[str, str]) -> None:
    """Raise OpcheckError where an operator of the theorem's families is no a I + G, to rounding.

    One that is not given by a matrix is none: what it is at the unit vectors says nothing of other
    points. The presets are looked at, and further members of each family: two formulas that agree
    at a few numbers need not be one.
    """
    for name in theorem.on:
        family, met = registry.get("problems", name), False
        for problem in (*family.instances(), *_drawn(family)):
            try:
                known = match(theorem, problem)
                next(choices(theorem, known, theorem.horizons[0]))
            except (Inapplicable, Empty):
                continue
            values = known.values
            met = True
            if problem.operator.matrix is None:
                raise OpcheckError(
                    f"{theorem.name}: F of {problem.name} is given by no matrix, and turn= is for "
                    "F = a I + G with one; write it by opcheck.linear"
                )
            a, s = (float(text(source).evaluate(dict(values))) for source in turn)
            M = _matrix(problem)
            G = M - a * np.eye(len(M))
            gaps = np.abs(G + G.T).max(), np.abs(G @ G + s * np.eye(len(M))).max()
            size = max(np.abs(M).max(), 1e-300)
            if gaps[0] > ROUNDING * size or gaps[1] > ROUNDING * size**2:
                raise OpcheckError(
                    f"{theorem.name}: F of {problem.name} is no a I + G with a = {turn[0]} and "
                    f"G skew, G² = −({turn[1]}) I"
                )
        if not met:
            raise OpcheckError(
                f"{theorem.name}: nothing was found that it is about: no member of {name} that was "
                "looked at has what it asks for"
            )


def _drawn(family: Family) -> Iterator[Problem]:
    """Members of a family at random values of its numbers, where it exists there."""
    rng = np.random.default_rng(0)
    defaults = family.parameters()
    for i in range(DRAWN):
        values: dict[str, float | int | bool] = {}
        for n, v in defaults.items():
            if isinstance(v, bool):
                values[n] = bool(rng.integers(2))
            elif isinstance(v, int):
                values[n] = int(rng.integers(0, 9))
            elif isinstance(v, float):
                sign = 1 if i % 2 else int(rng.choice([-1, 1]))
                values[n] = sign * float(v or 1.0) * 10.0 ** rng.uniform(-4, 4)
        with contextlib.suppress(OpcheckError):
            yield family(**values)


def _matrix(problem: Problem) -> Floats:
    """F's values at the unit vectors, less that at 0."""
    operator, n = problem.operator, problem.operator.dim
    values = []
    for z in (np.zeros(n), *np.eye(n)):
        out = np.zeros(n)
        operator.kernel(z, out, operator.data)
        values.append(out)
    return np.column_stack([v - values[0] for v in values[1:]])
