"""How fast a bound falls with k, by the leading term of its text, against the order that is stated.

At rational constants and parameters a bound is c · qᵏ · kᵃ · (log k)ˡ and what is smaller. That is
computed from the text: rational functions of k as such, so that what cancels does, and everything
else by its leading term. What is told by no leading term is refused, and so is an order that the
bound doesn't have at the middle or the ends of the ranges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, fmpq, fmpq_poly

from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.statement.exact_parameters import at_ends, setting
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Comparison, Name, Negative, Node, Number
from opcheck.model.signature import LINEAR
from opcheck.model.theorem import Theorem

K = fmpq_poly([0, 1])


@dataclass(frozen=True)
class Leading:
    """c · qᵏ · kᵃ · (log k)ˡ as k grows, up to a factor that tends to 1.

    Attributes:
        factor: c, a ball that is not around 0; of sums over k only its sign is known, and it is
            around one number of that sign.
        base: q > 0, a ball.
        power, log: a and l.
        constant: it is that number at every k.
    """

    factor: arb
    base: arb
    power: fmpq
    log: fmpq
    constant: bool = False

    @property
    def sign(self) -> int:
        """Of c."""
        return 1 if self.factor > 0 else -1

    def over(self, other: Leading) -> int:
        """1, 0 or −1: grows faster than the other, as fast, or slower."""
        if self.base > other.base:
            return 1
        if self.base < other.base:
            return -1
        if not (self.base - other.base).is_exact() or self.base != other.base:
            raise Undecided("two growth factors can't be told apart")
        mine, others = (self.power, self.log), (other.power, other.log)
        return (mine > others) - (mine < others)

    def __str__(self) -> str:
        parts = []
        if self.base != 1:
            parts.append(f"{float(self.base.mid()):.4g}^k")
        if self.power != 0:
            parts.append(f"k^{self.power}")
        if self.log != 0:
            parts.append(f"log(k)^{self.log}")
        return " ".join(parts) or "a constant"


@dataclass(frozen=True)
class Quotient:
    """A rational function of k."""

    num: fmpq_poly
    den: fmpq_poly

    @property
    def leading(self) -> Leading:
        """Its leading term. Raises Undecided for 0."""
        if not self.num:
            raise Undecided("it is 0, which has no order")
        n, d = self.num.degree(), self.den.degree()
        return Leading(arb(self.num[n] / self.den[d]), arb(1), fmpq(n - d), fmpq(0))

    @property
    def constant(self) -> fmpq | None:
        """The number that it is, or None."""
        n, d = self.num, self.den
        if not n:
            return fmpq(0)
        if n.degree() != d.degree() or n * d[d.degree()] != d * n[n.degree()]:
            return None
        return n[n.degree()] / d[d.degree()]


Growing = Quotient | Leading


def check_order(theorem: Theorem) -> None:
    """Raise OpcheckError where the bound doesn't fall as ``order`` says, or that can't be told.

    Judged at the middle of each range and at its ends, closed ones included.
    """
    if not theorem.order:
        return
    said = None
    if theorem.order != LINEAR:
        try:
            said = _lead(_Reader(theorem, {}).read(grammar.parse(theorem.order)))
        except Undecided as error:
            raise OpcheckError(f"{theorem.name}: order = {theorem.order!r}: {error}") from error
    for values in _settings(theorem):
        at = ", ".join(f"{n} = {v}" for n, v in values.items())
        place = f" at {at}" if at else ""
        try:
            own = _of_bound(theorem, values)
            same = own.base < 1 if said is None else own.over(said) == 0
        except Undecided as error:
            raise OpcheckError(
                f"{theorem.name}: order = {theorem.order!r} can't be held against the bound"
                f"{place}: {error}; leave it out"
            ) from error
        if not same:
            raise OpcheckError(
                f"{theorem.name}: order = {theorem.order!r}, but the bound falls as {own}{place}; "
                "state that order, or narrow the range"
            )


def _settings(theorem: Theorem) -> list[dict[str, fmpq]]:
    """Constants and parameters in the middle and at the ends."""
    try:
        places = [setting(theorem, theorem.first, 1), *at_ends(theorem, theorem.first, 1)]
    except OpcheckError as error:
        raise OpcheckError(
            f"{theorem.name}: order = {theorem.order!r} can't be held against the bound: {error}"
        ) from error
    return [
        {n: fmpq(v.numerator, v.denominator) for n, v in {**p.constants, **p.parameters}.items()}
        for p in places
    ]


def _of_bound(theorem: Theorem, values: Mapping[str, fmpq]) -> Leading:
    """Of the bound; of a one-step claim, of what it makes of the measure a step later, kth power.

    Raises Undecided where it is no such term.
    """
    tree = theorem.right.tree
    if theorem.claim != "one-step":
        return _lead(_Reader(theorem, values).read(tree))
    before = theorem.left.tree
    if not isinstance(before, Call) or before.function != "next":
        raise Undecided("of a step only next(m) against a multiple of m has an order")
    (measure,) = before.arguments
    reader = _Reader(theorem, values, unit=measure)
    factor = _lead(reader.read(tree))
    if not reader.met or factor.sign < 0 or factor.power != 0 or factor.base != 1:
        raise Undecided("of a step only next(m) against a multiple of m has an order")
    return Leading(arb(1), abs(factor.factor), fmpq(0), fmpq(0))


def _lead(value: Growing) -> Leading:
    return value.leading if isinstance(value, Quotient) else value


class _Reader:
    """Reads a tree of k at values of everything else; K grows with k, and R is 1.

    Args:
        unit: a measure that counts as 1, for claims about one step.
    """

    def __init__(
        self, theorem: Theorem, values: Mapping[str, fmpq], unit: Node | None = None
    ) -> None:
        self.theorem, self.values, self.unit = theorem, values, unit
        self.met = False

    def read(self, node: Node) -> Growing:
        """The growth of a tree. Raises Undecided for what has none that is known."""
        if self.unit is not None and node == self.unit:
            self.met = True
            return _number(fmpq(1))
        match node:
            case Number(value):
                exact = Fraction(value)
                return _number(fmpq(exact.numerator, exact.denominator))
            case Name(name):
                return self._named(name)
            case Negative(operand):
                return _times(_number(fmpq(-1)), self.read(operand))
            case Binary("+", left, right):
                return _plus(self.read(left), self.read(right))
            case Binary("-", left, right):
                return _plus(self.read(left), _times(_number(fmpq(-1)), self.read(right)))
            case Binary("*", left, right):
                return _times(self.read(left), self.read(right))
            case Binary("/", left, right):
                return _times(self.read(left), _inverse(self.read(right)))
            case Binary(_, left, right):
                return _raised(self.read(left), self.read(right))
            case Call(name, arguments):
                return self._called(name, arguments)
        raise Undecided(f"{grammar.unparse(node)} has no order")

    def _named(self, name: str) -> Growing:
        if name in ("k", "K"):
            return Quotient(K, fmpq_poly([1]))
        if name in self.values:
            return _number(self.values[name])
        if name == "R":
            return _number(fmpq(1))
        if name == "pi":
            return _ball(arb.pi())
        if name in self.theorem.let:
            return self.read(grammar.parse(self.theorem.let[name]))
        raise Undecided(f"{name} is measured of a run")

    def _called(self, name: str, arguments: tuple[Node, ...]) -> Growing:
        match name, arguments:
            case "first", _:
                return _number(fmpq(1))  # a number of the start, as R is
            case "where", (Comparison(relation, left, right), yes, no):
                gap = Binary("-", left, right)
                return self.read(yes if _holds(relation, self.read(gap)) else no)
            case (("max" | "min"), (left, right)):
                a, b = self.read(left), self.read(right)
                larger = _sign(_plus(a, _times(_number(fmpq(-1)), b))) > 0
                return a if larger == (name == "max") else b
            case "sqrt", (argument,):
                return _raised(self.read(argument), _number(fmpq(1, 2)))
            case "abs", (argument,):
                value = self.read(argument)
                return _times(_number(fmpq(_sign(value))), value)
            case "exp", (argument,):
                return _exponential(self.read(argument))
            case "log", (argument,):
                return _logarithm(self.read(argument))
            case (("upto" | "before"), (argument,)):
                return _summed(self.read(argument))
        raise Undecided(f"{name} has no order")


def _number(value: fmpq) -> Quotient:
    return Quotient(fmpq_poly([value]), fmpq_poly([1]))


def _ball(value: arb) -> Leading:
    if value.contains(0):
        raise Undecided("it can't be told from 0")
    return Leading(value, arb(1), fmpq(0), fmpq(0), constant=True)


def _is_constant(value: Growing) -> bool:
    return value.constant is not None if isinstance(value, Quotient) else value.constant


def _sign(value: Growing) -> int:
    """Of a value for all large k."""
    if isinstance(value, Quotient) and not value.num:
        return 0
    return _lead(value).sign


def _holds(relation: str, gap: Growing) -> bool:
    sign = _sign(gap)
    return {
        "<": sign < 0,
        "<=": sign <= 0,
        ">": sign > 0,
        ">=": sign >= 0,
        "==": sign == 0,
    }[relation]


def _plus(a: Growing, b: Growing) -> Growing:
    if isinstance(a, Quotient) and isinstance(b, Quotient):
        return Quotient(a.num * b.den + b.num * a.den, a.den * b.den)
    for zero, other in ((a, b), (b, a)):
        if isinstance(zero, Quotient) and not zero.num:
            return other
    x, y = _lead(a), _lead(b)
    constant = _is_constant(a) and _is_constant(b)
    faster = x.over(y)
    if faster:
        return x if faster > 0 else y
    factor = x.factor + y.factor
    if factor.contains(0):
        raise Undecided("leading terms cancel")
    return Leading(factor, x.base, x.power, x.log, constant)


def _times(a: Growing, b: Growing) -> Growing:
    if isinstance(a, Quotient) and isinstance(b, Quotient):
        return Quotient(a.num * b.num, a.den * b.den)
    for zero in (a, b):
        if isinstance(zero, Quotient) and not zero.num:
            return zero
    x, y = _lead(a), _lead(b)
    constant = _is_constant(a) and _is_constant(b)
    return Leading(x.factor * y.factor, x.base * y.base, x.power + y.power, x.log + y.log, constant)


def _inverse(a: Growing) -> Growing:
    if isinstance(a, Quotient):
        if not a.num:
            raise Undecided("it divides by 0")
        return Quotient(a.den, a.num)
    return Leading(1 / a.factor, 1 / a.base, -a.power, -a.log, a.constant)


def _raised(base: Growing, power: Growing) -> Growing:
    if not isinstance(power, Quotient):
        raise Undecided("a power is irrational")
    exponent = power.constant
    if exponent is None:
        return _raised_to_k(base, power)
    if isinstance(base, Quotient) and exponent.q == 1 and abs(exponent) <= grammar.STEEPEST:
        whole = int(exponent.p)
        own = base if whole >= 0 else _inverse(base)
        assert isinstance(own, Quotient)
        return Quotient(own.num ** abs(whole), own.den ** abs(whole))
    if isinstance(base, Quotient) and not base.num:
        return base
    x = _lead(base)
    if x.sign < 0:
        raise Undecided("a root of what is negative")
    q = arb(exponent)
    return Leading(x.factor**q, x.base**q, x.power * exponent, x.log * exponent, _is_constant(base))


def _raised_to_k(base: Growing, power: Quotient) -> Growing:
    """x(k) ** (m k + b), where x tends to a number."""
    slope, rest = _line(power)
    x = _lead(base)
    if x.sign < 0 or x.base != 1 or x.power != 0 or x.log != 0:
        raise Undecided("the base of a power of k doesn't tend to a positive number")
    first = fmpq(0)  # x = c (1 + first/k + …)
    if isinstance(base, Quotient):
        limit = base.num[base.num.degree()] / base.den[base.den.degree()]
        away = Quotient((base.num - limit * base.den) * K, limit * base.den)
        first = _limit(away)
    elif not x.constant:
        raise Undecided("how fast the base of a power of k tends to its limit is not known")
    factor = (arb(slope) * arb(first)).exp() * x.factor ** arb(rest)
    return Leading(factor, x.factor ** arb(slope), fmpq(0), fmpq(0))


def _limit(value: Quotient) -> fmpq:
    """As k grows, of what stays bounded."""
    n, d = value.num.degree(), value.den.degree()
    return value.num[n] / value.den[d] if n == d else fmpq(0)


def _line(value: Quotient) -> tuple[fmpq, fmpq]:
    """(m, b) of m k + b. Raises Undecided for anything else."""
    offset = _at(value, 0)
    slope = _at(value, 1) - offset
    if value.num != (slope * K + offset) * value.den:
        raise Undecided("a power is not linear in k")
    return slope, offset


def _at(value: Quotient, k: int) -> fmpq:
    below = value.den(fmpq(k))
    if below == 0:
        raise Undecided("a power is not linear in k")
    return value.num(fmpq(k)) / below


def _exponential(value: Growing) -> Growing:
    if isinstance(value, Quotient):
        number = value.constant
        if number is not None:
            return _ball(arb(number).exp())
        slope, rest = _line(value)
        return Leading(arb(rest).exp(), arb(slope).exp(), fmpq(0), fmpq(0))
    raise Undecided("exp of what is no rational function of k has no order")


def _logarithm(value: Growing) -> Growing:
    x = _lead(value)
    if x.sign < 0:
        raise Undecided("a logarithm of what is negative")
    if x.base == 1 and x.power == 0 and x.log == 0:
        return _ball(x.factor.log())
    if x.base == 1 and x.power != 0:
        return Leading(arb(x.power), arb(1), fmpq(0), fmpq(1))
    raise Undecided("a logarithm has no order")


def _summed(value: Growing) -> Growing:
    """Σ over j < k, or j ≤ k, of what is of one sign for all large k."""
    x = _lead(value)
    if x.base > 1:
        return Leading(x.factor, x.base, x.power, x.log)  # up to a factor
    if x.base < 1 or x.power < -1:
        raise Undecided("a sum that stays bounded may be any number")
    if x.base != 1:
        raise Undecided("two growth factors can't be told apart")
    if x.power == -1 and x.log == 0:
        return Leading(x.factor, arb(1), fmpq(0), fmpq(1))
    if x.power == -1:
        raise Undecided("a sum has no order")
    return Leading(x.factor / arb(x.power + 1), arb(1), x.power + 1, x.log)
