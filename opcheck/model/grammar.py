"""The language of statements: one grammar, one parser, one tree that every reading evaluates.

``docs/language.md`` is the grammar on a page. Numbers are exact: a decimal is the rational that it
is written as. What the language has no meaning for is refused here, with the part that has none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from opcheck.errors import OpcheckError

LONGEST = 20_000  # characters of a text
DEEPEST = 80  # levels of a tree
LARGEST = Fraction(10) ** 300  # numbers beyond it, or below its inverse, are beyond float64
STEEPEST = 1000  # the largest whole power, powers of powers multiplied

Operator = Literal["+", "-", "*", "/", "**"]
Relation = Literal["<", "<=", ">", ">=", "=="]

ARGUMENTS: dict[str, int] = {
    **dict.fromkeys(("sqrt", "exp", "log", "sin", "cos", "atan", "ceil", "floor", "abs"), 1),
    **dict.fromkeys(("max", "min", "mod"), 2),
    "where": 3,
    **dict.fromkeys(("upto", "before", "best", "first"), 1),
}
ACCUMULATING = frozenset({"upto", "before", "best", "first"})  # functions of a whole sequence

_OPERATORS: dict[type[ast.operator], Operator] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
}
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}


@dataclass(frozen=True, slots=True)
class Number:
    """A literal: an int as written, a decimal as the Fraction it denotes."""

    value: int | Fraction


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol, a row or a measure at its own rows."""

    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    """−operand."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """left operator right."""

    operator: Operator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """left relation right; stands as the first argument of ``where`` only."""

    relation: Relation
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """function(arguments): of the language, a measure at rows, or a function of proofs."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Name | Negative | Binary | Comparison | Call


def parse(source: str) -> Node:
    """The tree of a formula.

    Raises OpcheckError for what is no formula, is deeper than ``DEEPEST`` or longer than
    ``LONGEST``, or holds a number beyond float64; the message quotes the part.
    """
    return _convert(_python(source, "formula"), source)


def parse_ranges(source: str) -> list[tuple[list[Node], list[Relation]]]:
    """The terms and relations of each part of ``lo < name <= hi, ...``.

    Raises OpcheckError where a part is no chain of comparisons.
    """
    if not source.strip():
        return []
    # the comma makes a tuple of one part too, and moves no column
    body = _python(f"{source.strip()},", "list of ranges", source)
    parts = []
    if not isinstance(body, ast.Tuple):
        raise OpcheckError(f"{source!r} is no list of ranges")
    for part in body.elts:
        if not isinstance(part, ast.Compare) or not all(type(o) in _RELATIONS for o in part.ops):
            raise OpcheckError(f"{_shown(part)} is not a range 'lo < name <= hi'")
        terms = [_convert(t, source) for t in (part.left, *part.comparators)]
        parts.append((terms, [_RELATIONS[type(o)] for o in part.ops]))
    return parts


def _python(source: str, what: str, shown: str | None = None) -> ast.expr:
    quoted = repr(source if shown is None else shown)
    if not isinstance(source, str):
        raise OpcheckError(f"{source!r} is not a {what}: write it as text")
    if "#" in source or "\n" in source.strip():
        raise OpcheckError(f"{quoted[:80]} is not a {what}: it is one line without comments")
    if len(source) > LONGEST:
        raise OpcheckError(f"a {what} of {len(source)} characters is too long ({LONGEST} at most)")
    try:
        return ast.parse(source.strip(), mode="eval").body
    except SyntaxError as error:
        hint = ""
        if re.search(r"\d[A-Za-z_(]", source):
            hint = " (a product is written 2*L)"
        elif what != "formula" and re.search(r"(?<![<>=])=(?!=)", source):
            hint = " (a value is given by let)"
        raise OpcheckError(f"{quoted} is not a {what}: {error.msg}{hint}") from error
    except (RecursionError, MemoryError, ValueError) as error:
        reason = "it is nested too deeply" if not isinstance(error, ValueError) else str(error)
        raise OpcheckError(f"{quoted[:60]} is not a {what}: {reason}") from error


def _convert(node: ast.expr, source: str, depth: int = 0, argument: bool = False) -> Node:
    # a row may be called as a function is, "before", where it is an argument
    if depth > DEEPEST:
        raise OpcheckError(f"{source[:60]!r} is nested more than {DEEPEST} levels deep")
    down = depth + 1
    match node:
        case ast.Constant(value=bool() | str() | bytes() | None):
            raise OpcheckError(f"only numbers may stand in {source!r}")
        case ast.Constant(value=int() as value):
            return Number(_within(value, source))
        case ast.Constant(value=float()):
            return Number(_within(_decimal(node, source), source))
        case ast.Name(id=name):
            if name.startswith("_") or (name in ARGUMENTS and not argument):
                what = "is a function" if name in ARGUMENTS else "begins with an underscore"
                raise OpcheckError(f"{name!r} may not stand in a formula: it {what} ({source!r})")
            return Name(name)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _convert(operand, source, down)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Negative(_convert(operand, source, down))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            a, b = _convert(left, source, down), _convert(right, source, down)
            return Binary(_OPERATORS[type(op)], a, b)
        case ast.BinOp(op=ast.BitXor()):
            raise OpcheckError(f"{_shown(node)} may not stand in a formula: a power is written **")
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _RELATIONS:
            a, b = _convert(left, source, down), _convert(right, source, down)
            return Comparison(_RELATIONS[type(op)], a, b)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            if name.startswith("_"):
                raise OpcheckError(f"unknown function {name!r} in {source!r}")
            count = ARGUMENTS.get(name, len(args))
            if len(args) != count:
                raise OpcheckError(f"{name} takes {count} argument(s) in {source!r}")
            return Call(name, tuple(_convert(a, source, down, argument=True) for a in args))
    raise OpcheckError(f"{_shown(node)} may not stand in a formula ({source[:200]!r})")


def _shown(node: ast.expr) -> str:
    try:
        return repr(ast.unparse(node)[:200])
    except RecursionError:
        return "this"


def _decimal(node: ast.expr, source: str) -> Fraction:
    """The rational that a decimal literal denotes, from its digits and not from its float."""
    written = ast.get_source_segment(source.strip(), node)
    assert written is not None
    digits = written.lower().replace("_", "")
    mantissa, _, exponent = digits.partition("e")
    if abs(int(exponent or 0)) > 400:
        raise OpcheckError(f"{digits} in {source[:200]!r} is beyond what float64 holds")
    return Fraction(mantissa if mantissa[-1] != "." else mantissa + "0") * Fraction(10) ** int(
        exponent or 0
    )


def _within(value: int | Fraction, source: str) -> int | Fraction:
    if value and not 1 / LARGEST <= abs(Fraction(value)) <= LARGEST:
        raise OpcheckError(f"a number in {source[:80]!r} is beyond what float64 holds")
    return value


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node, in the order in which they are written."""
    match node:
        case Negative(operand):
            return (operand,)
        case Binary(_, left, right) | Comparison(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
    return ()


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def names(node: Node) -> set[str]:
    """Every name that stands in a tree other than as a function."""
    return {n.name for n in walk(node) if isinstance(n, Name)}


def functions(node: Node) -> set[str]:
    """Every function that a tree calls."""
    return {n.function for n in walk(node) if isinstance(n, Call)}


def replaced(node: Node, images: dict[str, Node]) -> Node:
    """The tree with names replaced by trees."""
    match node:
        case Name(name):
            return images.get(name, node)
        case Negative(operand):
            return Negative(replaced(operand, images))
        case Binary(operator, left, right):
            return Binary(operator, replaced(left, images), replaced(right, images))
        case Comparison(relation, left, right):
            return Comparison(relation, replaced(left, images), replaced(right, images))
        case Call(function, arguments):
            return Call(function, tuple(replaced(a, images) for a in arguments))
    return node


def unparse(node: Node, binding: int = 0) -> str:
    """A tree as text; parsed again it is the same tree."""
    match node:
        case Number(value):
            if isinstance(value, int):
                return str(value)
            return _digits(value)
        case Name(name):
            return name
        case Negative(operand):
            inner = f"-{unparse(operand, 3)}"
            return f"({inner})" if binding > 3 else inner
        case Binary(operator, left, right):
            own, power = _BINDING[operator], operator == "**"
            space = " " if own == 1 else ""
            second = unparse(right, own if power else own + 1)
            if second.startswith("-") and not power:
                second = f"({second})"
            inner = f"{unparse(left, own + power)}{space}{operator}{space}{second}"
            return f"({inner})" if binding > own else inner
        case Comparison(relation, left, right):
            return f"{unparse(left)} {relation} {unparse(right)}"
        case Call(function, arguments):
            return f"{function}({', '.join(unparse(a) for a in arguments)})"


def _digits(value: Fraction) -> str:
    """A decimal's digits; its denominator divides a power of ten."""
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    whole = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole[: len(whole) - places]}.{whole[len(whole) - places :] or '0'}"


def constant(node: Node) -> Fraction | None:
    """The exact value of a tree without symbols; None where it has some, or is irrational.

    Raises OpcheckError for a quotient by 0, the root of a negative number, the logarithm of one
    that is not positive, and for what is beyond float64 or ``STEEPEST``.
    """
    match node:
        case Number(value):
            return Fraction(value)
        case Negative(operand):
            inner = constant(operand)
            return None if inner is None else -inner
        case Binary(operator, left, right):
            a, b = constant(left), constant(right)
            if operator == "/" and b == 0:
                raise OpcheckError(f"{unparse(node)!r} divides by 0")
            if operator == "**" and b is not None and abs(b) > STEEPEST:
                raise OpcheckError(f"the power in {unparse(node)!r} is beyond {STEEPEST}")
            if a is None or b is None:
                return None
            return _folded(node, operator, a, b)
        case Call("sqrt" | "log" as function, (argument,)):
            inside = constant(argument)
            if inside is not None and (inside < 0 or (function == "log" and inside == 0)):
                raise OpcheckError(f"{unparse(node)!r} is no real number")
            return None
        case Call(_, arguments):
            for argument in arguments:
                constant(argument)
            return None
        case Comparison(_, left, right):
            constant(left)
            constant(right)
            return None
    return None


def _folded(node: Node, operator: str, a: Fraction, b: Fraction) -> Fraction | None:
    value: Fraction
    match operator:
        case "+":
            value = a + b
        case "-":
            value = a - b
        case "*":
            value = a * b
        case "/":
            value = a / b
        case _:
            if b.denominator != 1:
                if a < 0:
                    raise OpcheckError(f"{unparse(node)!r} is no real number")
                return None
            if a == 0 and b < 0:
                raise OpcheckError(f"{unparse(node)!r} divides by 0")
            size = max(a.numerator.bit_length(), a.denominator.bit_length())
            if size * abs(int(b)) > 100_000:
                raise OpcheckError(f"{unparse(node)!r} is beyond what float64 holds")
            value = a ** int(b)
    if value and not 1 / LARGEST <= abs(value) <= LARGEST:
        raise OpcheckError(f"{unparse(node)!r} is beyond what float64 holds")
    return value


def steepness(node: Node) -> int:
    """By how much whole powers, multiplied along a path, raise what stands in a tree."""
    below = max((steepness(child) for child in children(node)), default=1)
    if isinstance(node, Binary) and node.operator == "**":
        power = constant(node.right)
        if power is not None and power.denominator == 1:
            return below * max(abs(int(power)), 1)
    return below


def checked(node: Node) -> Any:
    """The node, where its constant parts have values. Raises OpcheckError as ``constant``."""
    constant(node)
    if steepness(node) > STEEPEST:
        raise OpcheckError(f"powers of powers in {unparse(node)[:80]!r} are beyond {STEEPEST}")
    return node
