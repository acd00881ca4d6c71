"""Scalar texts of a statement as rational functions of its symbols, for all k and parameters.

What is no rational function (a sum over j < k, a power x^k, a root, a logarithm) is a spare symbol
of the field; what is known of its sign is for ``ranges`` to say.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from flint import arb, fmpq

from opcheck.engine.forms import dyadic
from opcheck.engine.ratio import Count, Field, Period, Ratio, Special, equal_counts
from opcheck.errors import OpcheckError, Undecided
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Comparison, Name, Negative, Node, Number
from opcheck.model.proof import RUN
from opcheck.model.theorem import Theorem

RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


class Open(Undecided):
    """A test, at k + offset, that holds for some symbols and fails for others.

    Attributes:
        reading: what asked.
    """

    def __init__(self, reading: Scalars, test: Comparison, offset: int) -> None:
        super().__init__(f"{grammar.unparse(test)} holds for some of its symbols only")
        self.reading: Any = reading
        self.test, self.offset = test, offset


@dataclass
class Spares:
    """What the spare symbols of a field stand for.

    Attributes:
        sums: symbol of a sum over j < k -> its term at k.
        powers: symbol of x^k -> x.
        lasts: symbol of x^K -> x, of the last k of a run.
        roots: symbol of √x -> x.
    """

    sums: dict[str, Ratio] = field(default_factory=dict)
    powers: dict[str, Ratio] = field(default_factory=dict)
    lasts: dict[str, Ratio] = field(default_factory=dict)
    roots: dict[str, Ratio] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sums) + len(self.powers) + len(self.lasts) + len(self.roots)


class Scalars:
    """Values of scalar texts at index k + offset.

    Args:
        field: of the theorem's constants and parameters, and of what k is made of.
        k: an index that stands for many, or the number 0 at the start of a run.
        case: integer parameters that have values, or stand for all from one on.
        least: the smallest k.
    """

    def __init__(
        self,
        theorem: Theorem,
        field: Field,
        k: Ratio,
        case: Mapping[str, int | Period],
        least: int = 0,
    ) -> None:
        self.theorem, self.field, self.k, self.case = theorem, field, k, case
        self.least = least
        self.spares = Spares()
        self.assumed: list[tuple[Comparison, int, bool]] = []  # tests, where, whether they hold
        self.images: dict[str, Ratio] = {}  # further symbols with values
        self._lets: dict[tuple[str, int], Any] = {}

    def symbol(self, name: str, offset: int) -> Any:
        """A constant, a parameter, k, or what ``let`` defines, at k + offset."""
        if name == "k":
            return self.k + offset
        if name in self.case:
            return self.field.number(self.case[name])
        if name in self.images:
            return self.images[name]
        if name in self.theorem.let:
            key = (name, offset)
            if key not in self._lets:
                self._lets[key] = self.read(self.theorem.let[name], offset)
            return self._lets[key]
        if name in self.field.known:
            return self.field.symbol(name)
        symbols = ", ".join([*self.theorem.let, *self.field.known])
        raise OpcheckError(f"{name!r} is no symbol of it ({symbols})")

    def read(self, source: str | Node, offset: int = 0) -> Any:
        """The value of a text. Raises OpcheckError where it can't be read."""
        try:
            return self._value(grammar.parse(source) if isinstance(source, str) else source, offset)
        except (TypeError, ZeroDivisionError, IndexError) as error:
            shown = source if isinstance(source, str) else grammar.unparse(source)
            raise OpcheckError(f"{shown!r} can't be read on a step: {error}") from error

    def _value(self, node: Node, at: int) -> Any:
        match node:
            case Number(value):
                return self.rational(Fraction(value))
            case Name(name):
                return self._named(name, at)
            case Negative(operand):
                return -self._value(operand, at)
            case Binary("**", left, right):
                return self._power(left, right, at)
            case Binary(sign, left, right):
                return self._combined(sign, self._value(left, at), self._value(right, at))
            case Comparison(relation, left, right):
                return self._compared(relation, self._value(left, at), self._value(right, at))
            case Call(name, arguments):
                return self._called(name, arguments, at)

    def rational(self, value: Fraction) -> Any:
        """A rational as a number of the field."""
        return self.field.number(fmpq(value.numerator, value.denominator))

    def _named(self, name: str, at: int) -> Any:
        return self.symbol(name, at)

    def _combined(self, sign: str, a: Any, b: Any) -> Any:
        match sign:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
        return a / b

    def _compared(self, relation: str, a: Any, b: Any) -> bool:
        """Of a difference that is no number, Undecided: a symbol is equal to nothing by name.

        Of k and a number the answer is the same from some k on; raises Special for one before it.
        """
        gap = a - b
        if not isinstance(gap, Ratio):
            raise TypeError("what is measured is compared")
        if relation == "==" and (isinstance(a, Count) or isinstance(b, Count)):
            return equal_counts(gap.plain)
        if gap.symbols == self.k.symbols == {"k"}:
            at_zero, at_one = ({"k": self.field.number(v)} for v in (0, 1))
            offset = self.field.at(gap, at_zero)
            slope = self.field.at(gap, at_one) - offset
            if slope and slope * self.field.symbol("k") + offset == gap:
                last = -(offset / slope).constant()  # where the difference changes its sign
                if last >= self.least:
                    raise Special(int(last.floor()))
                return RELATIONS[relation](slope.constant(), 0)
        return RELATIONS[relation](gap.constant(), 0)

    def _called(self, name: str, arguments: tuple[Node, ...], at: int) -> Any:
        match name, arguments:
            case "sqrt", (argument,):
                return self._root(self._value(argument, at))
            case (("before" | "upto" | "first"), (argument,)):
                return self._summed(name, argument, at)
            case "where", (test, yes, no):
                return self._value(yes if self._chosen(test, at) else no, at)
            case "mod", (argument, period):
                return self._residue(self._value(argument, at), self._value(period, at))
            case (("max" | "min"), (left, right)):
                return self._extreme(name, self._value(left, at), self._value(right, at))
        raise OpcheckError(f"{name!r} has no value as a rational function")

    def _chosen(self, test: Node, at: int) -> bool:
        """Whether a test holds: as it does, or as one of the two cases that are shown has it.

        Raises Open where it depends on the symbols and no case says so.
        """
        try:
            return bool(self._value(test, at))
        except Special:
            raise
        except Undecided:
            if not isinstance(test, Comparison):
                raise
            if test.relation == "==":
                if self.apart(self.gap(test, at)[0]):
                    return False
                raise
        gap, strict = self.gap(test, at)
        for other, offset, holds in self.assumed:
            if (gap, strict) == self.gap(other, offset):
                return holds
        raise Open(self, test, at)

    def apart(self, gap: Ratio) -> bool:
        """Whether a difference is known to be other than 0 everywhere."""
        return False

    def gap(self, test: Comparison, at: int) -> tuple[Ratio, bool]:
        """What is > 0, or ≥ 0, exactly if a test holds; and whether it is > 0."""
        gap = self._value(test.left, at) - self._value(test.right, at)
        return (-gap if test.relation in ("<", "<=") else gap), test.relation in ("<", ">")

    def _residue(self, value: Ratio, period: Ratio) -> Ratio:
        if isinstance(period, Period):
            rest = period.residue(value)
            return rest if isinstance(rest, Ratio) else self.field.number(rest)
        whole = period.constant()
        if whole.q != 1 or whole < 1:
            raise TypeError(f"mod needs a whole period, not {whole}")
        return self.field.number(value.phase(int(whole.p)))

    def _extreme(self, name: str, a: Any, b: Any) -> Any:
        return (a if a >= b else b) if name == "max" else (a if a <= b else b)

    def _power(self, base: Node, exponent: Node, at: int) -> Any:
        return self._raised(self._value(base, at), self._value(exponent, at))

    def _raised(self, value: Any, power: Any) -> Any:
        if not isinstance(value, Ratio) or not isinstance(power, Ratio):
            raise TypeError("what is measured is raised to a power")
        if not power.symbols:
            whole = power.constant()
            if whole.q != 1:
                raise TypeError(f"the power {whole} is not whole")
            return value ** int(whole.p)
        if RUN in power.symbols:
            return self._raised_to_last(value, power)
        # x^(c + m k): a symbol for x^k
        k = self.symbol("k", 0)
        at_zero, at_one = ({n: self.field.number(v) for n in k.symbols} for v in (0, 1))
        slope = self.field.at(power, at_one) - self.field.at(power, at_zero)
        slope = slope / (self.field.at(k, at_one) - self.field.at(k, at_zero))
        rest = power - slope * k
        if slope.symbols or rest.symbols:
            raise TypeError(f"the power {power} is not linear in k")
        if slope.constant().q != 1 or rest.constant().q != 1:
            raise TypeError(f"the power {power} is not whole")
        if value.symbols & k.symbols:
            # of a base that is 0 or has a pole at the first k that k is apart
            if k.symbols == {"k"} and k == self.field.symbol("k"):
                at_least = {"k": self.field.number(self.least)}
                ends = (self.field.ratio(p, self.field.one) for p in (value.num, value.den))
                if not all(self.field.at(end, at_least) for end in ends):
                    raise Special(self.least)
            if 1 / value in self.spares.powers.values():
                return 1 / self._raised(1 / value, power)
        name, symbol = self.field.spare(f"({value})**k")
        self.spares.powers[name] = value
        return symbol ** int(slope.constant().p) * value ** int(rest.constant().p)

    def _raised_to_last(self, value: Ratio, power: Ratio) -> Any:
        """x^(c + m k + n K): a symbol for x^K beside that for x^k."""
        none, one = ({RUN: self.field.number(v)} for v in (0, 1))
        rest = self.field.at(power, none)
        slope = self.field.at(power, one) - rest
        if slope.symbols or rest + slope * self.field.symbol(RUN) != power:
            raise TypeError(f"the power {power} is not linear in {RUN}")
        if slope.constant().q != 1:
            raise TypeError(f"the power {power} is not whole")
        if value.symbols & {RUN, *self.symbol("k", 0).symbols}:
            raise TypeError(f"what is raised to the power {power} depends on k")
        name, symbol = self.field.spare(f"({value})**{RUN}")
        self.spares.lasts[name] = value
        return symbol ** int(slope.constant().p) * self._raised(value, rest)

    def enclosure(self, number: arb) -> tuple[Ratio, Ratio]:
        """Rationals below and above an irrational constant."""
        below, above = (dyadic(arb(end)) for end in (number.lower(), number.upper()))
        return self.field.number(below), self.field.number(above)

    def _root(self, value: Any) -> Ratio:
        if not isinstance(value, Ratio):
            raise TypeError("the root of what is measured is no quadratic form")
        if value in (0, 1):
            return value
        name, symbol = self.field.spare(f"sqrt({value})")
        self.spares.roots[name] = value
        return symbol

    def _summed(self, name: str, summand: Node, at: int) -> Any:
        if name == "upto":
            return self._summed("before", summand, at) + self._value(summand, at)
        if name == "first":
            return self._first(summand)
        return self._sum(summand, at)

    def _first(self, summand: Node) -> Any:
        raise OpcheckError(f"first({grammar.unparse(summand)}) has no value here")

    def _sum(self, summand: Node, at: int) -> Any:
        """A sum over j < k + at, from that over j < k."""
        term = self._value(summand, 0)
        total = self._sum_before(summand, term)
        for j in range(at):
            total = total + self._value(summand, j)
        for j in range(at, 0):
            total = total - self._value(summand, j)
        return total

    def _sum_before(self, summand: Node, term: Any) -> Any:
        if not isinstance(term, Ratio):
            raise Undecided(f"the sum of {grammar.unparse(summand)} is no number")
        name, total = self.field.spare(f"before({grammar.unparse(summand)})")
        if self._same_from_0(summand):
            self.spares.sums[name] = term
        return total

    def _same_from_0(self, summand: Node) -> bool:
        """Whether a term is the same function of k from k = 0 on, and not from a later one."""
        least, lets = self.least, self._lets
        self.least, self._lets = 0, {}
        try:
            self._value(summand, 0)
        except Special:
            return False
        finally:
            self.least, self._lets = least, lets
        return True
