"""Runs in exact rationals on affine operators in any dimension, and texts evaluated along them.

The kernels' own texts run on arrays of rationals; no part of opcheck reads them here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from opcheck import registry
from opcheck.engine.numbers import exactly
from opcheck.engine.run import take
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Comparison, Name, Negative, Node, Number
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, OTHER, SOLUTION, identity
from opcheck.model.theorem import Theorem

Array = Any
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": lambda a, b: a ** int(b),
}


def rational(draw: np.random.Generator, low: int = -9, high: int = 9) -> fmpq:
    """A rational between low/7 and high/1 with a small denominator."""
    return fmpq(int(draw.integers(low, high + 1)), int(draw.integers(1, 8)))


class Affine:
    """F x = M (x − z*) + c and A x = N (x − z*) − c, with 0 ∈ F z* + A z*; c = 0 where A = 0."""

    def __init__(self, draw: np.random.Generator, dimension: int, constrained: bool) -> None:
        def matrix() -> Array:
            return fmpq_mat(
                dimension, dimension, [rational(draw) for _ in range(dimension * dimension)]
            )

        self.d = dimension
        self.M, self.N = matrix(), matrix() if constrained else fmpq_mat(dimension, dimension)
        self.solution, shift = self.vector(draw), self.vector(draw)
        self.shift = shift if constrained else [fmpq(0)] * dimension
        self.start = self.vector(draw)
        self.constrained = constrained
        self.reading = self

    def vector(self, draw: np.random.Generator) -> list[fmpq]:
        """A point none of whose coordinates is 0."""
        return [rational(draw, 1, 9) for _ in range(self.d)]

    def F(self, z: Array) -> list[fmpq]:
        """F at a point."""
        return self._at(self.M, z, self.shift, 1)

    def _at(self, matrix: Array, z: Array, shift: Array, sign: int) -> list[fmpq]:
        moved = fmpq_mat(self.d, 1, [a - b for a, b in zip(z, self.solution, strict=True)])
        image = matrix * moved
        return [image[i, 0] + sign * shift[i] for i in range(self.d)]

    def resolvent(self, of: str, gamma: fmpq, z: Array) -> list[fmpq]:
        """p with p + γ u = z, u the value at p of F, A or S."""
        matrix = {"F": self.M, "A": self.N, "S": self.M + self.N}[of]
        sign = {"F": 1, "A": -1, "S": 0}[of]
        unit = fmpq_mat(self.d, self.d, [int(i == j) for i in range(self.d) for j in range(self.d)])
        right = [
            a - b - gamma * sign * c for a, b, c in zip(z, self.solution, self.shift, strict=True)
        ]
        moved = (unit + matrix * gamma).solve(fmpq_mat(self.d, 1, right))
        return [moved[i, 0] + self.solution[i] for i in range(self.d)]

    def __call__(self, z: Array, out: Array, data: Any) -> None:
        out[:] = self.F(list(z))

    def J(self, z: Array, gamma: Any, out: Array, data: Any) -> None:
        """The resolvent of A, for kernels."""
        out[:] = self.resolvent("A", fmpq(gamma), list(z))

    def resolvent_of_sum(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Array, gamma: Any, out: Array
    ) -> None:
        """The resolvent of S, or of F where J is left out."""
        of = "F" if J is identity else "S"
        out[:] = self.resolvent(of, fmpq(gamma), list(z))


class Run:
    """A run of a theorem's method, and its texts along it.

    Args:
        values: constants and real parameters.
        whole: whole parameters.
        sqrt: what stands for the root.
    """

    def __init__(
        self,
        theorem: Theorem,
        problem: Affine,
        values: Mapping[str, fmpq],
        whole: Mapping[str, int],
        steps: int,
        sqrt: Callable[[Any], Any],
    ) -> None:
        self.theorem, self.problem, self.sqrt = theorem, problem, sqrt
        self.values: dict[str, Any] = {**values, **whole}
        self.method = theorem.iteration
        self.J = problem.J if problem.constrained else identity
        self.params = np.array(self._packed(steps + 4), dtype=object)
        state = np.array(
            [
                [fmpq(0)] * problem.d if r in self.method.zero else problem.start
                for r in self.method.rows
            ],
            dtype=object,
        )
        self.states = [state.copy()]
        kernel = exactly(self.method.kernel)
        for k in range(steps):
            kernel(problem, None, self.J, None, state, self.params, fmpq(k), 1)
            self.states.append(state.copy())

    def _packed(self, length: int) -> list[Any]:
        out: list[Any] = []
        for p in self.method.parameters:
            for k in range(length if p.sequence else 1):
                value = self.scalar(p.symbol, min(k, self.values.get("K", k)))  # kept from there
                out.append(int(value) if p.integer else value)
        return out

    def scalar(self, name: str, k: int) -> Any:
        """A symbol of the statement."""
        if name == "k":
            return fmpq(k)
        if name in self.theorem.let:
            return self.value(grammar.parse(self.theorem.let[name]), k)
        return self.values[name]

    def value(self, node: Node, k: int) -> Any:
        """A text at index k."""
        match node:
            case Number(value):
                return fmpq(Fraction(value).numerator, Fraction(value).denominator)
            case Name("R"):
                return Radius(self, fmpq(1))
            case Name(name):
                if name in registry.entered("measures") and name not in self.values:
                    return self.measured(name, (), k)
                return self.scalar(name, k)
            case Negative(operand):
                return -self.value(operand, k)
            case Comparison(relation, left, right):
                a, b = self.value(left, k), self.value(right, k)
                return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b}[relation]
            case Binary(sign, left, right):
                a, b = self.value(left, k), self.value(right, k)
                if sign == "**":
                    return a ** int(b)
                return (
                    a + b
                    if sign == "+"
                    else a - b
                    if sign == "-"
                    else a * b
                    if sign == "*"
                    else a / b
                )
            case Call("next", (argument,)):
                return self.value(argument, k + 1)
            case Call(("upto" | "before") as name, (argument,)):
                end = k + (name == "upto")
                return sum((self.value(argument, j) for j in range(end)), fmpq(0))
            case Call("best", (argument,)):
                return min(self.value(argument, j) for j in range(k + 1))
            case Call("first", (argument,)):
                return self.value(argument, 0)
            case Call("best", (argument,)):
                return min(self.value(argument, j) for j in range(k + 1))
            case Call("where", (test, yes, no)):
                return self.value(yes if self.value(test, k) else no, k)
            case Call("mod", (argument, period)):
                return fmpq(int(self.value(argument, k)) % int(self.value(period, k)))
            case Call(("max" | "min") as name, (left, right)):
                pair = self.value(left, k), self.value(right, k)
                return max(pair) if name == "max" else min(pair)
            case Call("sqrt", (argument,)):
                return self.sqrt(self.value(argument, k))
            case Call(name, arguments):
                return self.measured(
                    name, tuple(a.name for a in arguments if isinstance(a, Name)), k
                )
        raise AssertionError(node)

    def measured(self, name: str, rows: tuple[str, ...], k: int) -> fmpq:
        """A measure at index k, as the driver records it."""
        use = take(name, rows)
        at = k + use.in_step
        full = np.vstack(
            [self.states[at], np.array([[fmpq(0)] * self.problem.d] * EXTRA_ROWS, dtype=object)]
        )
        full[BEFORE] = self.states[max(at - 1, 0)][0]
        full[SOLUTION] = self.problem.solution
        first, second = use.indices(self.method)
        if second != -1:
            full[OTHER] = full[second]
        kernel = exactly(use.measure.kernel)
        value = kernel(self.problem, None, self.J, None, full[first:], self.params, fmpq(at))
        return fmpq(value)


class Radius:
    """R with a factor; it has a value by its square alone."""

    def __init__(self, run: Run, factor: fmpq) -> None:
        self.run, self.factor = run, factor

    def __pow__(self, power: int) -> fmpq:
        assert power == 2
        pairs = zip(self.run.problem.start, self.run.problem.solution, strict=True)
        return self.factor**2 * sum(((a - b) ** 2 for a, b in pairs), fmpq(0))

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Radius):
            return Radius(self.run, fmpq(1)) ** 2 * (self.factor * other.factor)
        return Radius(self.run, self.factor * other)

    __rmul__ = __mul__
