"""The texts of a printed proof evaluated along a run, in exact rationals; z* = 0.

No part of opcheck reads them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from flint import fmpq
from oracles.exact_runs import Affine, Radius, Run

from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Name, Node
from opcheck.model.measure import STANDING
from opcheck.model.theorem import Theorem

SHIFTS = {"next": 1, "last": -1}


def root(value: Any) -> fmpq:
    """A number that stands for the root: the same for the same, and else unlike."""
    value = fmpq(value)
    if value in (0, 1):
        return value
    return fmpq(3 * value.p + 7) / (value.q + 11)


class Printed(Run):
    """A run, and what the texts of its statement's proof are along it."""

    def __init__(
        self,
        theorem: Theorem,
        problem: Affine,
        values: Mapping[str, fmpq],
        whole: Mapping[str, int],
        steps: int,
    ) -> None:
        assert theorem.proof is not None
        self.lets = {**theorem.let, **theorem.proof.let}
        self.proof = theorem.proof
        super().__init__(theorem, problem, values, whole, steps, root)

    def scalar(self, name: str, k: int) -> Any:
        """A symbol of the statement, or of the proof."""
        if name in self.values or name == "k" or name not in self.lets:
            return super().scalar(name, k)
        return self.value(grammar.parse(self.lets[name]), k)

    def value(self, node: Node, k: int) -> Any:
        """A text at index k: a number or a vector."""
        rows = self.method.rows
        match node:
            case Name("solution"):
                return self._vector(self.problem.solution)
            case Name("z0"):
                return self._vector(self.problem.start)
            case Name(name) if name in rows:
                return self.states[k + (name not in STANDING)][rows.index(name)]
            case Name("V"):
                return self.value(grammar.parse(self.proof.potential), k)
            case Name("B"):
                return self.value(grammar.parse(self.proof.at_most), k)
            case Name("potential"):
                return self.value(Binary("-", Name("B"), Name("V")), k)
            case Call(name, (argument,)) if name in SHIFTS:
                return self.value(argument, k + SHIFTS[name])
            case Call("final", (argument,)):
                return self.value(argument, int(self.values[self.proof.horizon]))
            case Call("norm2", (argument,)):
                u = self.value(argument, k)
                return sum(u * u, fmpq(0))
            case Call("inner", (left, right)):
                return sum(self.value(left, k) * self.value(right, k), fmpq(0))
            case Call(("F" | "A" | "S") as of, (argument,)):
                return self.operator(of, self.value(argument, k))
            case Call("resolvent", (argument,)):
                of = "S" if self.problem.constrained else "F"
                point = list(self.value(argument, k))
                return self._vector(self.problem.resolvent(of, self.params[0], point))
            case Call(("Resolvent" | "Subgradient") as name, arguments):
                u, v = (self.value(a, k) for a in arguments)
                if name == "Resolvent":
                    return sum((u - v) * (self.operator("A", u) - self.operator("A", v)), fmpq(0))
                return self._f(v) - self._f(u) - sum(self.operator("A", u) * (v - u), fmpq(0))
            case Call("Cauchy", (u, v, w)):
                product = self.value(Call("norm2", (u,)), k) * self.value(Call("norm2", (w,)), k)
                return self.sqrt(product) - self.value(Call("inner", (u, v)), k)
            case Call("f", (argument,)):
                return self._f(self.value(argument, k))
            case Call("Least", (s,)):
                return self.value(s, k) - self.value(Call("best", (s,)), k)
            case Call("Mean", (s,)):
                return self.value(Call("before", (s,)), k) - k * self.value(Call("best", (s,)), k)
            case Call(name, arguments) if name in {p.kind.name for p in self.theorem.asked}:
                return self._hypothesis(name, [self.value(a, k) for a in arguments], k)
        return super().value(node, k)

    def text(self, source: str, k: int) -> Any:
        """A text at index k; R² as the number it is."""
        value = self.value(grammar.parse(source), k)
        assert not isinstance(value, Radius)
        return value

    def operator(self, of: str, point: Any) -> Any:
        """F, A or S = F + A at a point."""
        of = {"T": "F"}.get(of, of)
        image = self._vector([fmpq(0)] * self.problem.d)
        if of in ("F", "S"):
            image = image + self._vector(self.problem.F(list(point)))
        if of in ("A", "S") and self.problem.constrained:
            inner = self.problem._at(self.problem.N, list(point), self.problem.shift, -1)
            image = image + self._vector(inner)
        return image

    def _f(self, point: Any) -> fmpq:
        """Some function of a point: what an argument says holds for any."""
        return sum((fmpq(i + 2, 3) * x**2 + x for i, x in enumerate(point)), fmpq(0))

    def _hypothesis(self, name: str, points: list[Any], k: int) -> fmpq:
        """What a property says is not negative, of two points or of one and the solution."""
        (prop,) = (p for p in self.theorem.asked if p.kind.name == name)
        constant: Any = prop.number
        if prop.kind.better is not None and constant is None:
            constant = self.value(grammar.parse(str(prop.constant)), k)
        a, b, c = (
            fmpq(v.p, v.q) if isinstance(v, fmpq) else _exact(v) for v in prop.form(constant)
        )
        u, v = points if len(points) == 2 else (points[0], self._vector(self.problem.solution))
        x, y = u - v, self.operator(prop.of, u) - self.operator(prop.of, v)
        total: fmpq = (
            a * sum(x * x, fmpq(0)) + 2 * b * sum(x * y, fmpq(0)) + c * sum(y * y, fmpq(0))
        )
        return total

    @staticmethod
    def _vector(entries: Any) -> Any:
        out = np.empty(len(entries), dtype=object)
        out[:] = list(entries)
        return out


def _exact(value: Any) -> fmpq:
    return fmpq(value.numerator, value.denominator)
