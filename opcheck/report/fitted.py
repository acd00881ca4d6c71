"""Formulas that fit on a line: sums are broken between terms, long parts get names of their own."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Set

from opcheck import registry
from opcheck.model import grammar, typeset
from opcheck.model.grammar import Binary, Call, Comparison, Name, Negative, Node, Number
from opcheck.model.proof import RUN

WIDTH = 62  # of a line, in letters
Row = tuple[str, str, str]  # left of the sign, the sign, right of it, in LaTeX
SIGNS = ("+", "-")


class Fitted:
    """The rows of one display.

    Args:
        rows: of the method, which are vectors.
        potential: what the potential, and what it is at most where it starts, are called.
        last: the index that stands for the last k.

    Attributes:
        parts: names of long parts, with what they stand for, in the order in which they are met.
    """

    def __init__(
        self, rows: Set[str], potential: tuple[str, str] = ("V", "B"), last: str = RUN
    ) -> None:
        self.rows, self.potential, self.last = rows, potential, last
        self.parts: dict[Name, Node] = {}

    def lines(self, left: str, sign: str, right: Node) -> Iterator[Row]:
        """left sign right in one row, or a row for as many terms of a sum as fit."""
        room = WIDTH - width(grammar.parse(left)) if left else WIDTH
        summands = list(_summands(right))
        if width(right) > room and len(summands) == 1:
            summands = [("+", self.shorter(right, room))]
        shown: list[str] = []
        used = 0.0
        begun = (self._written(left) if left else "", sign)
        for i, (own, term) in enumerate(summands):
            fits = self.shorter(term, WIDTH)
            word = self._written(fits)
            word = rf"\left({word}\right)" if _is_sum(fits) and len(summands) > 1 else word
            if word.startswith("-") and own == "+" and i:
                own, word = "-", word[1:]
            size = width(fits) + 3
            if shown and used + size > room:
                yield (*begun, " ".join(shown))
                begun, shown, used = ("", ""), [r"\quad"], 0.0
            shown.append(word if i == 0 and own == "+" else f"{own} {word}")
            used += size
        yield (*begun, " ".join(shown))

    def definitions(self) -> Iterator[Row]:
        """What the names stand for, which may need further names."""
        told = 0
        while told < len(self.parts):
            name, part = list(self.parts.items())[told]
            told += 1
            yield from self.lines(name.name, "=", part)

    def shorter(self, node: Node, room: float) -> Node:
        """A part that is too wide, with names in place of what it is made of."""
        if width(node) <= room:
            return node
        match node:
            case Binary("*", _, _):
                factors = list(_factors(node))
                scale = [f for f in factors if not self._measured(f)]
                others = [f for f in factors if self._measured(f)]
                if not others:  # a name for all of it would be no shorter
                    each = room / len(scale)
                    return _product([self.named(f, "p", each) for f in scale])
                room -= sum(4 for f in others)
                product = [self.named(_product(scale), "c", room / 2)] if scale else []
                rest = room - sum(map(width, product))
                return _product([*product, *(self.shorter(f, rest) for f in others)])
            case Binary("/", left, right):
                letter = "e" if self._measured(left) else "p"
                return Binary("/", self.named(left, letter, room), self.named(right, "p", room))
            case Binary("**", left, right):
                return Binary("**", self.named(left, "p", room / 2), right)
            case Binary(("+" | "-"), _, _):
                return self.named(node, "e", room)
            case Negative(operand):
                return Negative(self.shorter(operand, room - 2))
            case Call("where", (test, yes, no)):
                return Call(
                    "where", (test, self.shorter(yes, room / 2), self.shorter(no, room / 2))
                )
            case Call(("next" | "last") as function, (argument,)) if not isinstance(argument, Name):
                # a name for the part would lose the index
                moved = self._moved(function, argument)
                return node if moved == node else self.shorter(moved, room)
            case Call(function, arguments) if function not in grammar.ARGUMENTS:
                each = (room - width(Call(function, ()))) / len(arguments) - 1
                return Call(function, tuple(self.named(a, "x", each) for a in arguments))
        return node

    def _moved(self, function: str, node: Node) -> Node:
        """``next`` or ``last`` of a text, with the step taken where rows and k stand."""
        match node:
            case Number():
                return node
            case Name("k"):
                return Binary("+" if function == "next" else "-", node, Number(1))
            case Negative(operand):
                return Negative(self._moved(function, operand))
            case Binary(sign, left, right):
                return Binary(sign, self._moved(function, left), self._moved(function, right))
            case Comparison(relation, left, right):
                return Comparison(
                    relation, self._moved(function, left), self._moved(function, right)
                )
            case Call("final", _):
                return node
            case Call(("where" | "inner" | "norm2" | "F" | "A" | "S") as of, arguments):
                return Call(of, tuple(self._moved(function, a) for a in arguments))
        return Call(function, (node,))

    def named(self, node: Node, letter: str, room: float = 8) -> Node:
        """A name for a part that is too wide; the part where it is not."""
        if width(node) <= room or isinstance(node, Name | Number):
            return node
        for name, part in self.parts.items():
            if part == node:
                return name
        count = sum(name.name.startswith(f"{letter}_") for name in self.parts) + 1
        name = Name(f"{letter}_{count}")
        self.parts[name] = node
        return name

    def _measured(self, node: Node) -> bool:
        """Whether a part speaks of vectors, or of what is measured."""
        measures = registry.entered("measures")
        held = {*self.rows, *measures, "solution", "potential", self.potential[0]}
        return any(
            part.function not in grammar.ARGUMENTS
            if isinstance(part, Call)
            else isinstance(part, Name) and part.name in held
            for part in grammar.walk(node)
        )

    def _written(self, source: str | Node) -> str:
        return typeset.of_proof(source, self.rows, potential=self.potential, last=self.last)


def width(node: Node) -> float:
    """About how many letters wide a formula is."""
    match node:
        case Number(value):
            return len(str(value))
        case Name(name):
            return min(len(name), 2) if name in typeset.LETTERS else min(len(name), 4) + 0.5
        case Negative(operand):
            return 1 + width(operand)
        case Binary("/", left, right):
            return max(width(left), width(right)) + 0.5
        case Binary("**", left, right):
            return width(left) + 0.7 * width(right) + 2 * isinstance(left, Binary)
        case Binary("*", left, right):
            return sum(width(x) + 2 * _is_sum(x) + 0.4 for x in (left, right))
        case Binary(_, left, right):
            return width(left) + width(right) + 3
        case Comparison(_, left, right):
            return width(left) + width(right) + 3
        case Call("where", (test, yes, no)):
            return 2 + max(width(yes) + 4 + width(test), width(no) + 4)
        case Call(("next" | "last" | "first"), (argument,)):
            return width(argument) + 1
        case Call(function, arguments):
            head = {"norm2": 3, "inner": 3, "sqrt": 2, "F": 1.5, "A": 1.5, "S": 1.5}
            inside = sum(map(width, arguments)) + len(arguments)
            return inside + head.get(function, 0.6 * len(function) + 2)
    return 1


def _is_sum(node: Node) -> bool:
    return isinstance(node, Binary) and node.operator in SIGNS


def _summands(node: Node, sign: str = "+") -> Iterator[tuple[str, Node]]:
    """The terms of a sum with their signs."""
    if isinstance(node, Binary) and node.operator in SIGNS:
        turned = sign if node.operator == "+" else "+-"[sign == "+"]
        yield from _summands(node.left, sign)
        yield from _summands(node.right, turned)
    elif isinstance(node, Negative):
        yield from _summands(node.operand, "+-"[sign == "+"])
    elif isinstance(node, Binary) and node.operator == "*" and node.left == Negative(Number(1)):
        yield from _summands(node.right, "+-"[sign == "+"])
    else:
        yield sign, node


def _factors(node: Node) -> Iterator[Node]:
    if isinstance(node, Binary) and node.operator == "*":
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _product(factors: list[Node]) -> Node:
    """The product of one factor or more."""
    return functools.reduce(lambda a, b: Binary("*", a, b), factors)
