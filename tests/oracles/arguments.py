"""The texts of potential arguments along one run of F z = M z, in floats and numpy alone."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.engine.run import take
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, OTHER, identity
from opcheck.model.theorem import Theorem

Array = Any
RELATIONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class Linear:
    """F z = M z in floats, with the solution 0, and its resolvent."""

    def __init__(self, M: Array) -> None:
        self.M, self.reading = M, self

    def __call__(self, z: Array, out: Array, data: Any) -> None:
        out[:] = self.M @ z

    def resolvent_of_sum(
        self, F: Any, f: Any, J: Any, j: Any, z: Array, gamma: Any, out: Array
    ) -> None:
        out[:] = np.linalg.solve(np.eye(len(z)) + float(gamma) * self.M, z)


def sequence(value: Any, length: int) -> list[float]:
    """An entry for each step; a single number is that of every step."""
    entries = [float(v) for v in np.atleast_1d(value)]
    return entries * length if len(entries) == 1 else entries


class Plain:
    """Texts of proofs along one run, by nothing but floats and numpy."""

    def __init__(self, entry: Theorem, values: dict[str, Any], M: Array, steps: int) -> None:
        self.entry, self.values, self.M, self.steps = entry, values, M, steps
        F = Linear(M)
        rng = np.random.default_rng(5)
        z0 = rng.standard_normal(M.shape[0])
        rows = np.tile(z0, (len(entry.iteration.rows), 1))
        for name in entry.iteration.zero:
            rows[entry.iteration.rows.index(name)] = 0
        packed = entry.iteration.pack(
            {
                p.name: sequence(values[p.symbol], steps + 1)
                if p.sequence
                else float(values[p.symbol])
                for p in entry.iteration.parameters
            },
            steps + 1,
        )
        params = self.params = np.array([float(v) for v in packed])
        self.states = [rows.copy()]
        for k in range(steps):
            entry.iteration.kernel(F, None, identity, None, rows, params, k, 1)
            self.states.append(rows.copy())

    def row(self, name: str, at: int) -> Array:
        if name == "solution":
            return np.zeros(self.M.shape[0])
        if name == "before":
            return self.states[at][0]
        late = name not in ("z", "anchor")
        return self.states[at + late][self.entry.iteration.rows.index(name)]

    def read(self, text: str, at: int) -> Any:
        return self.value(ast.parse(text.strip(), mode="eval").body, at)

    def value(self, node: ast.expr, at: int) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.named(name, at)
            case ast.UnaryOp(operand=operand):
                return -self.value(operand, at)
            case ast.Compare(left=left, ops=[relation], comparators=[right]):
                return RELATIONS[type(relation)](self.value(left, at), self.value(right, at))
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self.value(left, at), self.value(right, at)
                plain: dict[type, Callable[[], Any]] = {
                    ast.Add: lambda: a + b,
                    ast.Sub: lambda: a - b,
                    ast.Mult: lambda: a * b,
                    ast.Div: lambda: a / b,
                    ast.Pow: lambda: a**b,
                }
                return plain[type(op)]()
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.called(name, args, at)
        raise AssertionError(ast.dump(node))

    def named(self, name: str, at: int) -> Any:
        if name == "k":
            return at
        if name == "R":
            return np.linalg.norm(self.states[0][0])
        if name in self.entry.iteration.rows or name == "solution":
            return self.row(name, at)
        if name in registry.names("measures"):
            return self.measured(name, [], at)
        value = self.values[name]
        return float(value[at]) if isinstance(value, np.ndarray) else float(value)

    def called(self, name: str, args: list[ast.expr], at: int) -> Any:
        if name in ("next", "last"):
            return self.value(args[0], at + (1 if name == "next" else -1))
        if name in ("before", "upto"):
            last = at + (name == "upto")
            return sum(self.value(args[0], j) for j in range(last))
        if name == "first":
            return self.value(args[0], 0)
        if name == "where":
            return self.value(args[1] if self.value(args[0], at) else args[2], at)
        if name == "mod":
            return self.value(args[0], at) % self.value(args[1], at)
        rows = [a.id for a in args if isinstance(a, ast.Name)]
        if name in registry.names("measures") and len(rows) == len(args):
            return self.measured(name, rows, at)
        given = [self.value(a, at) for a in args]
        gamma = next((float(self.values[n]) for n in ("gamma",) if n in self.values), 0.0)
        match name, given:
            case "sqrt", [x]:
                return np.sqrt(x)
            case "norm2", [u]:
                return u @ u
            case "inner", [u, v]:
                return u @ v
            case (("F" | "S"), [u]):
                return self.M @ u
            case "resolvent", [u]:
                return np.linalg.solve(np.eye(len(u)) + gamma * self.M, u)
        raise AssertionError(name)

    def measured(self, name: str, rows: list[str], at: int) -> float:
        """By the measure's kernel: of rows written in a step after it, z included."""
        use = take(name, rows)
        at += use.in_step
        state = np.zeros((len(self.entry.iteration.rows) + EXTRA_ROWS, self.M.shape[0]))
        state[:-EXTRA_ROWS] = self.states[at]
        state[BEFORE] = self.states[max(at - 1, 0)][0]
        first, second = use.indices(self.entry.iteration)
        if second != -1:
            state[OTHER] = state[second]
        F = Linear(self.M)
        return float(use.measure.kernel(F, None, identity, None, state[first:], self.params, at))
