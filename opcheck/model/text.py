"""Formulas as text: bounds, measures, step ranges, closed-form constants.

A text is parsed once into the tree of ``grammar`` and evaluated under any reading. With floats it
is numpy arithmetic; under the exact readings a literal such as ``0.3`` is the rational 3/10 and
division of integers is a rational, so nothing rounds.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from opcheck.errors import OpcheckError
from opcheck.model import grammar
from opcheck.model.grammar import (
    ACCUMULATING,
    ARGUMENTS,
    Binary,
    Call,
    Comparison,
    Name,
    Negative,
    Node,
    Number,
)


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
    "floor": np.floor,
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
assert FUNCTIONS.keys() == ARGUMENTS.keys()
RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
UNTOLD = 2.0**-40  # of the sides of a comparison: a difference that may be rounding
Reading = Callable[[Mapping[str, Any]], Any]
Series = tuple[str, tuple[str, ...]]  # a measure and the rows it is taken at


@dataclass(frozen=True)
class Arithmetic:
    """How a reading evaluates texts: decimals, quotient, power, π, and its own functions."""

    literal: Callable[[Fraction], Any]
    divide: Callable[[Any, Any], Any]
    power: Callable[[Any, Any], Any]
    pi: Any
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


FLOAT = Arithmetic(
    # numpy's power of two integers wraps around past 2^63
    literal=float,
    divide=np.divide,
    power=np.float_power,
    pi=float(np.pi),
)


class Text:
    """A formula over symbols and, where measures are named, over recorded sequences.

    Args:
        source: the formula, or its tree.
        measures: names that stand for sequences, at rows as in ``residual(zbar)``; each use is a
            symbol of its own (see ``recorded``).

    Attributes:
        tree: what is evaluated.
        names: free symbols, with recorded sequences under their written form.
        recorded: written form -> (measure, rows).
        ahead: written forms used inside ``next(...)``.

    Raises OpcheckError where the text is not an expression of the permitted kind.
    """

    def __init__(self, source: str | Node, measures: frozenset[str] = frozenset()) -> None:
        self.source = source if isinstance(source, str) else grammar.unparse(source)
        self.tree = grammar.parse(source) if isinstance(source, str) else source
        self.recorded: dict[str, Series] = {}
        self.ahead: set[str] = set()
        self._measures = measures
        grammar.checked(self.tree)
        self.names = frozenset(self._symbols(self.tree, False)) - {"pi"}

    def __str__(self) -> str:
        """The source."""
        return self.source

    @property
    def accumulates(self) -> bool:
        """Whether a value at k is made of those at other k too."""
        return not ACCUMULATING.isdisjoint(grammar.functions(self.tree))

    def evaluate(self, symbols: Mapping[str, Any], arithmetic: Arithmetic = FLOAT) -> Any:
        """The value for given symbols (numbers or arrays over k).

        Raises OpcheckError for a symbol without a value.
        """
        if not self.names <= symbols.keys():
            missing = ", ".join(sorted(self.names - symbols.keys()))
            raise OpcheckError(f"no value for {missing} in {self.source!r}")
        read = self._in_floats if arithmetic is FLOAT else self._reading(self.tree, arithmetic)
        with np.errstate(all="ignore"):  # inf and NaN are values: a bound at L = 0 may be infinite
            return read(symbols)

    @functools.cached_property
    def _in_floats(self) -> Reading:
        """The reading that samplers ask for by the hundred thousand."""
        return self._reading(self.tree, FLOAT)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_in_floats"}

    def _reading(self, node: Node, arithmetic: Arithmetic) -> Reading:
        """The value of a part, as a function of the symbols."""
        match node:
            case Number(value):
                number = value if isinstance(value, int) else arithmetic.literal(value)
                return lambda symbols: number
            case Name("pi"):
                return lambda symbols: arithmetic.pi
            case Name(name):
                return operator.itemgetter(name)
            case Negative(operand):
                inner = self._reading(operand, arithmetic)
                return lambda symbols: -inner(symbols)
            case Binary(sign, left, right):
                first, second = self._reading(left, arithmetic), self._reading(right, arithmetic)
                combine = {
                    "+": operator.add,
                    "-": operator.sub,
                    "*": operator.mul,
                    "/": arithmetic.divide,
                    "**": arithmetic.power,
                }[sign]
                return lambda symbols: combine(first(symbols), second(symbols))
            case Comparison(relation, left, right):
                first, second = self._reading(left, arithmetic), self._reading(right, arithmetic)
                relates = RELATIONS[relation]
                return lambda symbols: relates(first(symbols), second(symbols))
            case Call("next", (argument,)):
                return operator.itemgetter(f"next {self._written(argument)}")
            case Call("where", (Comparison() as test, yes, no)) if arithmetic is FLOAT:
                return lambda symbols: self._chosen(test, yes, no, symbols)
            case Call(name) if name in self._measures:
                return operator.itemgetter(self._written(node))
            case Call(name, arguments):
                apply = arithmetic.functions.get(name, FUNCTIONS[name])
                inside = [self._reading(a, arithmetic) for a in arguments]
                return lambda symbols: apply(*[read(symbols) for read in inside])
        raise AssertionError(node)

    def _chosen(self, test: Comparison, yes: Node, no: Node, symbols: Mapping[str, Any]) -> Any:
        """One of two values; NaN where float64 does not tell which, unless they are the same."""
        values = [self._reading(n, FLOAT)(symbols) for n in (test.left, test.right, yes, no)]
        left, right, first, second = (np.asarray(v, dtype=float) for v in values)
        value = np.where(RELATIONS[test.relation](left, right), first, second)
        if self._counted(test.left, symbols) and self._counted(test.right, symbols):
            return value
        near = np.abs(left - right) <= UNTOLD * np.fmax(np.abs(left), np.abs(right))
        for node in grammar.walk(test):
            if isinstance(node, Call) and node.function in ("floor", "ceil"):
                (inside,) = node.arguments
                if not self._counted(node, symbols):  # which whole number may be rounding too
                    value = np.asarray(self._reading(inside, FLOAT)(symbols), dtype=float)
                    near = near | (np.abs(value - np.rint(value)) <= UNTOLD * np.abs(value))
        return np.where(near & (first != second), np.nan, value)

    def _counted(self, node: Node, symbols: Mapping[str, Any]) -> bool:
        """Whether a part is made of whole numbers in a way in which float64 does not round."""
        match node:
            case Number(value):
                return Fraction(value).denominator == 1
            case Name(name):
                number = np.asarray(symbols.get(name, np.nan), dtype=float)
                return bool((np.rint(number) == number).all() and (np.abs(number) < 2.0**50).all())
            case Call("floor" | "ceil", (Binary("/", left, right),)):
                return self._counted(left, symbols) and self._counted(right, symbols)
            case Negative() | Binary("+" | "-" | "*") | Call("max" | "min" | "mod"):
                return all(self._counted(c, symbols) for c in grammar.children(node))
        return False

    def _symbols(self, node: Node, condition: bool) -> set[str]:
        """The symbols of a part; refuses what has no meaning where it stands."""
        match node:
            case Number():
                return set()
            case Name(name):
                if name in self._measures:
                    return {self._record(node)}
                if name in ARGUMENTS:
                    raise OpcheckError(f"{name!r} is a function: {self.source!r} gives it nothing")
                return {name}
            case Comparison(_, left, right):
                if not condition:
                    raise OpcheckError(
                        f"{grammar.unparse(node)!r} may not stand in a formula but as the first "
                        f"argument of where ({self.source!r})"
                    )
                return self._symbols(left, False) | self._symbols(right, False)
            case Call("where", (test, *_)) if not isinstance(test, Comparison):
                raise OpcheckError(
                    f"where needs a comparison first, not {grammar.unparse(test)!r}, in "
                    f"{self.source!r}"
                )
            case Call("next", (argument,)):
                series = isinstance(argument, Name | Call) and _head(argument) in self._measures
                if not series:
                    raise OpcheckError(
                        f"{grammar.unparse(node)!r} may not stand in a formula: next takes a "
                        f"measure, as next(residual) ({self.source!r})"
                    )
                key = self._record(argument)
                self.ahead.add(key)
                return {f"next {key}"}
            case Call(name, _) if name in self._measures:
                return {self._record(node)}
            case Call(name, arguments) if name in ARGUMENTS:
                return set().union(*(self._symbols(a, name == "where") for a in arguments))
            case Call(name):
                known = ", ".join(sorted([*FUNCTIONS, "next"]))
                hint = " (no measure is named so)" if self._measures else ""
                raise OpcheckError(
                    f"unknown function {name!r}{hint} in {self.source!r}; known: {known}"
                )
        return set().union(*(self._symbols(c, False) for c in grammar.children(node)))

    def _record(self, node: Node) -> str:
        """Take note of a measure at its rows; each row is a name."""
        arguments = grammar.children(node)
        rows = tuple(a.name for a in arguments if isinstance(a, Name))
        if len(rows) != len(arguments):
            wrong = next(a for a in arguments if not isinstance(a, Name))
            raise OpcheckError(
                f"{_head(node)} is taken at rows of the method, and {grammar.unparse(wrong)!r} in "
                f"{self.source!r} is none"
            )
        key = self._written(node)
        self.recorded[key] = (_head(node), rows)
        return key

    def _written(self, node: Node) -> str:
        return grammar.unparse(node)


def _head(node: Node) -> str:
    return node.name if isinstance(node, Name) else node.function if isinstance(node, Call) else ""


@functools.lru_cache(maxsize=4096)
def text(source: str, measures: frozenset[str] = frozenset()) -> Text:
    """The parsed formula, parsed once."""
    return Text(source, measures)


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
    numbers = {n: v for n, v in symbols.items() if isinstance(v, float | int)}
    exact = {n: Fraction(v) for n, v in numbers.items() if np.isfinite(v)}
    try:
        return Fraction(text(source).evaluate(exact, RATIONAL))
    except (OpcheckError, TypeError, ValueError, ZeroDivisionError, AttributeError):
        return None


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

    @property
    def symbols(self) -> set[str]:
        """Every symbol of the range."""
        ends = [end.tree for end in (self.lo, self.hi) if end is not None]
        return set().union(*map(grammar.names, [grammar.parse(self.name), *ends]))

    def __str__(self) -> str:
        """The range as it is read aloud."""
        left = f"{self.lo} {'<' if self.strict[0] else '<='} " if self.lo else ""
        right = f" {'<' if self.strict[1] else '<='} {self.hi}" if self.hi else ""
        return f"{left}{self.name}{right}"


def chains(
    source: str, parameters: frozenset[str], positive: frozenset[str] = frozenset()
) -> list[Chain]:
    """The ranges in ``lo < name <= hi, ...``, each about one new parameter or a condition.

    A range of a multiple of a parameter by symbols known to be ``positive``, as in
    ``0 < gamma*L < 1``, is one of the parameter. Two parts that give one end each of the same
    parameter are one range.

    Raises OpcheckError where a part is neither, or a parameter has an end twice.
    """
    ranges: list[Chain] = []
    for terms, relations in _ordered(source, parameters, positive):
        shown = _joined(terms, relations)
        if all(r in (">", ">=") for r in relations):
            terms = terms[::-1]
            turned: dict[str, grammar.Relation] = {">": "<", ">=": "<="}
            relations = [turned[r] for r in reversed(relations)]
        if len(terms) > 3 or not all(r in ("<", "<=") for r in relations):
            raise OpcheckError(f"{shown!r} is not a range 'lo < name <= hi'")
        spots = [i for i, t in enumerate(terms) if _multiple(t, parameters, positive)]
        taken = {c.name for c in ranges if c.lo and c.hi}
        fresh = [
            i for i in spots if (_multiple(terms[i], parameters, positive) or ("",))[0] not in taken
        ]
        i = fresh[0] if fresh else spots[0] if spots else min(1, len(terms) - 1)
        name, factor = _multiple(terms[i], parameters, positive) or (
            grammar.unparse(terms[i]),
            None,
        )
        lo = _end(terms[i - 1], factor) if i > 0 else None
        hi = _end(terms[i + 1], factor) if i + 1 < len(terms) else None
        open_lo = i > 0 and relations[i - 1] == "<"
        open_hi = i < len(relations) and relations[i] == "<"
        own = Chain(name, lo, hi, (open_lo, open_hi), bool(spots))
        same = [j for j, c in enumerate(ranges) if c.parameter and own.parameter and c.name == name]
        if same:
            ranges[same[0]] = _joined_ends(ranges[same[0]], own)
        else:
            ranges.append(own)
    return ranges


def _ordered(
    source: str, parameters: frozenset[str], positive: frozenset[str]
) -> list[tuple[list[Node], list[grammar.Relation]]]:
    """The parts; one whose parameter is not in its middle is two, so that no end is lost."""
    parts: list[tuple[list[Node], list[grammar.Relation]]] = []
    for terms, relations in grammar.parse_ranges(source):
        middle = len(terms) == 3 and (
            _multiple(terms[1], parameters, positive) is not None
            or not any(_multiple(t, parameters, positive) for t in (terms[0], terms[2]))
        )
        if len(terms) == 3 and not middle:
            parts += [(terms[:2], relations[:1]), (terms[1:], relations[1:])]
        else:
            parts.append((terms, relations))
    return parts


def _joined(terms: list[Node], relations: list[grammar.Relation]) -> str:
    shown = grammar.unparse(terms[0])
    for relation, term in zip(relations, terms[1:], strict=True):
        shown += f" {relation} {grammar.unparse(term)}"
    return shown


def _multiple(
    node: Node, parameters: frozenset[str], positive: frozenset[str]
) -> tuple[str, Node | None] | None:
    """(parameter, factor) where a term is a parameter times positive symbols; None else."""
    match node:
        case Name(name) if name in parameters:
            return name, None
        case Binary("*", left, right):
            for number, base in ((left, right), (right, left)):
                if grammar.names(number) <= positive and _monomial(number):
                    inner = _multiple(base, parameters, positive)
                    if inner is not None:
                        name, factor = inner
                        return name, number if factor is None else Binary("*", factor, number)
    return None


def _monomial(node: Node) -> bool:
    """Whether a tree is a product of positive symbols and numbers."""
    match node:
        case Name():
            return True
        case Number(value):
            return value > 0
        case Binary("*" | "/", left, right):
            return _monomial(left) and _monomial(right)
        case Binary("**", left, Number()):
            return _monomial(left)
    return False


def _end(node: Node, factor: Node | None) -> Text:
    if factor is None:
        return Text(node)
    if isinstance(node, Number) and node.value == 0:
        return Text(node)
    return Text(Binary("/", node, factor))


def _joined_ends(a: Chain, b: Chain) -> Chain:
    if (a.lo and b.lo) or (a.hi and b.hi):
        raise OpcheckError(
            f"{a} and {b} give {a.name} an end twice; write one range with max or min"
        )
    lo, hi = a.lo or b.lo, a.hi or b.hi
    strict = (a.strict[0] if a.lo else b.strict[0], a.strict[1] if a.hi else b.strict[1])
    return Chain(a.name, lo, hi, strict)
