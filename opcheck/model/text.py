"""Formulas as text: bounds, measures, step ranges, closed-form constants.

A text is a Python expression over declared symbols and a fixed list of functions, parsed once and
evaluated under any reading. With floats it is numpy arithmetic; under the exact readings a literal
such as ``0.3`` is the rational 3/10 and division of integers is a rational, so nothing rounds.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from opcheck.errors import OpcheckError


def before(s: Any) -> Any:
    """Sums over indices smaller than k."""
    return np.cumsum(s) - s


def first(s: Any) -> Any:
    """The value at k = 0."""
    return s[0]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "atan": np.arctan,
    "ceil": np.ceil,
    "abs": np.abs,
    "max": np.maximum,
    "min": np.minimum,
    "mod": np.mod,
    "where": np.where,
    "upto": np.cumsum,
    "before": before,
    "best": np.minimum.accumulate,
    "first": first,
}
ARGUMENTS = {"where": 3, "max": 2, "min": 2, "mod": 2}  # the others take one


@dataclass(frozen=True)
class Arithmetic:
    """How a reading evaluates texts: literals, quotient, power, π, and its own functions."""

    literal: Callable[[str], Any]
    divide: Callable[[Any, Any], Any]
    power: Callable[[Any, Any], Any]
    pi: Any
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


FLOAT = Arithmetic(
    # numpy's power of two integers wraps around past 2^63
    literal=lambda text: float(text),
    divide=np.divide,
    power=np.float_power,
    pi=float(np.pi),
)


@dataclass(frozen=True)
class Chain:
    """One range ``lo < name <= hi``; an absent end is None, ``strict`` says which ends are open.

    Where the middle is no parameter, ``parameter`` is False: the chain is then a condition.
    """

    name: str
    lo: Text | None
    hi: Text | None
    strict: tuple[bool, bool]
    parameter: bool = True

    def __str__(self) -> str:
        """The range as it is read aloud."""
        left = f"{self.lo} {'<' if self.strict[0] else '<='} " if self.lo else ""
        right = f" {'<' if self.strict[1] else '<='} {self.hi}" if self.hi else ""
        return f"{left}{self.name}{right}"


class Text:
    """A parsed formula.

    Args:
        source: the expression.
        sequences: names that may be called with row names, as ``residual(zbar)``; each use becomes
            a symbol of its own (see ``recorded``).

    Attributes:
        names: free symbols, with recorded sequences under their written form.
        recorded: written form -> (measure, rows).
        ahead: written forms used inside ``next(...)``.

    Raises OpcheckError where the text is not an expression of the permitted kind.
    """

    def __init__(self, source: str, sequences: frozenset[str] = frozenset()) -> None:
        self.source = source
        self.recorded: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.ahead: set[str] = set()
        self._sequences = sequences
        self._literals: dict[str, str] = {}
        try:
            tree = ast.parse(source.strip(), mode="eval")
        except SyntaxError as error:
            raise OpcheckError(f"{source!r} is not a formula: {error.msg}") from error
        body = self._visit(tree.body)
        self.names = frozenset(
            n.id
            for n in ast.walk(body)
            if isinstance(n, ast.Name) and not n.id.startswith("_") and n.id not in FUNCTIONS
        ) - {"pi"}
        expression = ast.fix_missing_locations(ast.Expression(body))
        self._code = compile(expression, f"<formula {source}>", "eval")

    def __str__(self) -> str:
        """The source."""
        return self.source

    def evaluate(self, symbols: Mapping[str, Any], arithmetic: Arithmetic = FLOAT) -> Any:
        """The value for given symbols (numbers or arrays over k).

        Raises OpcheckError for a symbol without a value.
        """
        missing = sorted(self.names - symbols.keys())
        if missing:
            raise OpcheckError(f"no value for {', '.join(missing)} in {self.source!r}")
        scope = {
            **symbols,
            **FUNCTIONS,
            **arithmetic.functions,
            **{name: arithmetic.literal(text) for name, text in self._literals.items()},
            "_divide": arithmetic.divide,
            "_power": arithmetic.power,
            "pi": arithmetic.pi,
            "__builtins__": {},
        }
        return eval(self._code, scope)

    def _visit(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Constant(value=bool() | str() | bytes() | None):
                raise OpcheckError(f"only numbers may stand in {self.source!r}")
            case ast.Constant(value=int()):
                return node
            case ast.Constant(value=float()):
                text = ast.get_source_segment(self.source.strip(), node) or repr(node.value)
                name = f"_literal_{len(self._literals)}"
                self._literals[name] = text
                return ast.Name(name, ast.Load())
            case ast.Name(id=name) if name not in FUNCTIONS and not name.startswith("_"):
                if name in self._sequences:
                    self.recorded[name] = (name, ())
                return node
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
                return ast.UnaryOp(op, self._visit(operand))
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self._visit(left), self._visit(right)
                if isinstance(op, ast.Div):
                    return _call("_divide", a, b)
                if isinstance(op, ast.Pow):
                    return _call("_power", a, b)
                if isinstance(op, ast.Add | ast.Sub | ast.Mult):
                    return ast.BinOp(a, op, b)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return ast.Compare(self._visit(left), [op], [self._visit(right)])
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                if name in self._sequences:
                    rows = tuple(a.id for a in args if isinstance(a, ast.Name))
                    key = f"{name}({', '.join(rows)})"
                    self.recorded[key] = (name, rows)
                    return ast.Name(key, ast.Load())
                if name == "next" and len(args) == 1:
                    inner = self._visit(args[0])
                    if isinstance(inner, ast.Name) and inner.id in self.recorded:
                        self.ahead.add(inner.id)
                        return ast.Name(f"next {inner.id}", ast.Load())
                if name in FUNCTIONS and len(args) == ARGUMENTS.get(name, 1):
                    return _call(name, *(self._visit(a) for a in args))
                if name in FUNCTIONS:
                    count = ARGUMENTS.get(name, 1)
                    raise OpcheckError(f"{name} takes {count} argument(s) in {self.source!r}")
                known = ", ".join(sorted([*FUNCTIONS, "next"]))
                raise OpcheckError(f"unknown function {name!r} in {self.source!r}; known: {known}")
        raise OpcheckError(f"{ast.unparse(node)!r} may not stand in a formula ({self.source!r})")


def _call(name: str, *args: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


@functools.lru_cache(maxsize=4096)
def text(source: str, sequences: frozenset[str] = frozenset()) -> Text:
    """The parsed formula, parsed once."""
    return Text(source, sequences)


def _rational_power(a: Any, b: Any) -> Fraction:
    if Fraction(b).denominator != 1:
        raise ValueError(f"power {b} is not whole")
    return Fraction(a) ** int(b)


def _irrational(_: Any) -> Fraction:
    raise ValueError("no rational value")


RATIONAL = Arithmetic(
    Fraction,
    lambda a, b: Fraction(a) / Fraction(b),
    _rational_power,
    None,
    dict.fromkeys(("sqrt", "exp", "log", "sin", "cos", "atan"), _irrational),
)


def rational_value(source: str, symbols: Mapping[str, Any]) -> Fraction | None:
    """The exact value for the symbols' exact binary values; None where it is not rational."""
    exact = {n: Fraction(v) for n, v in symbols.items() if isinstance(v, float | int)}
    try:
        return Fraction(text(source).evaluate(exact, RATIONAL))
    except (OpcheckError, TypeError, ValueError, ZeroDivisionError, AttributeError):
        return None


def chains(source: str, parameters: frozenset[str]) -> list[Chain]:
    """The ranges in ``lo < name <= hi, ...``, each about one new parameter or a condition.

    Raises OpcheckError where a part is neither.
    """
    if not source.strip():
        return []
    try:
        body = ast.parse(f"({source},)", mode="eval").body
    except SyntaxError as error:
        raise OpcheckError(f"{source!r} is no list of ranges: {error.msg}") from error
    assert isinstance(body, ast.Tuple)
    found: list[Chain] = []
    for part in body.elts:
        if not isinstance(part, ast.Compare):
            raise OpcheckError(f"{ast.unparse(part)!r} is not a range 'lo < name <= hi'")
        terms, ops = [part.left, *part.comparators], list(part.ops)
        if all(isinstance(o, ast.Gt | ast.GtE) for o in ops):
            turn: dict[type[ast.cmpop], ast.cmpop] = {ast.Gt: ast.Lt(), ast.GtE: ast.LtE()}
            terms.reverse()
            ops = [turn[type(o)] for o in reversed(ops)]
        if len(terms) > 3 or not all(isinstance(o, ast.Lt | ast.LtE) for o in ops):
            raise OpcheckError(f"{ast.unparse(part)!r} is not a range 'lo < name <= hi'")
        new = parameters - {c.name for c in found}
        spot = [i for i, t in enumerate(terms) if isinstance(t, ast.Name) and t.id in new]
        i = spot[0] if spot else 1
        lo = text(ast.unparse(terms[i - 1])) if i > 0 else None
        hi = text(ast.unparse(terms[i + 1])) if i + 1 < len(terms) else None
        open_lo = i > 0 and isinstance(ops[i - 1], ast.Lt)
        open_hi = i < len(ops) and isinstance(ops[i], ast.Lt)
        found.append(Chain(ast.unparse(terms[i]), lo, hi, (open_lo, open_hi), bool(spot)))
    return found
