"""Read a certificate's own texts: the calls, measure and bound they give; no import but Python's.

The kernel runs in a small interpreter on vectors that are known by name alone: loops over
``range``, assignments, subscripts, + - * /, comparisons of numbers, calls of texts that the file
carries. It runs in 1, 2 and 3 coordinates, which must agree, and with a solution that is a vector
of its own, which must cancel. Nothing of a file is executed by Python. It is a second reading that
shares nothing with the library's, so that neither can hide the other's errors.
"""

import ast
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

STAR, HIDDEN = "*", "?"  # z*, and rows that must not be read
STANDING = {"z", "anchor", "solution"}
WORK, BITS, DIGITS = 2_000_000, 100_000, 200  # steps; length of a number; bits of an enclosure
BUILT_IN = ("identity", "resolvent_of_sum")  # what they do is said here, and not by a text
UNIT = 2 ** (DIGITS + 64)  # of the series of exp and log
Vector = dict[str, Fraction]
Square = dict[tuple[str, str], Any]  # (i, j), i <= j -> factor of <e_i, e_j>


class Unread(ValueError):
    """The texts are of a kind that is not read here, so words are not checked."""


class Differs(ValueError):
    """The texts say something else than the numbers."""


# ---- numbers -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Between:
    """An irrational number, between two rationals."""

    low: Fraction
    high: Fraction


def between(low: Fraction, high: Fraction) -> Any:
    """The enclosure, its ends rounded outward."""
    unit = 2**DIGITS
    return Between(Fraction(math.floor(low * unit), unit), Fraction(math.ceil(high * unit), unit))


def ends(x: Any) -> tuple[Fraction, Fraction]:
    """Both ends of a number."""
    if isinstance(x, Between):
        return x.low, x.high
    if isinstance(x, bool) or not isinstance(x, int | Fraction):
        raise Unread("what is no number stands where one must")
    return Fraction(x), Fraction(x)


def short(x: Any) -> Any:
    """The number itself, where it is of a size that is read."""
    if max(abs(x.numerator).bit_length(), x.denominator.bit_length()) > BITS:
        raise Unread("a number is too long")
    return x


def binary(op: ast.operator, a: Any, b: Any) -> Any:
    """a op b of numbers, exact where both are rational."""
    if isinstance(a, Between) or isinstance(b, Between):
        (p, q), (r, s) = ends(a), ends(b)
        match op:
            case ast.Add():
                return between(p + r, q + s)
            case ast.Sub():
                return between(p - s, q - r)
            case ast.Div() if r > 0 or s < 0:
                r, s = 1 / s, 1 / r
            case ast.Pow() if p > 0 and r == s and r.denominator == 1 and 0 <= r < 1000:
                return between(p ** int(r), q ** int(r))
            case ast.Mult():
                pass
            case _:
                raise Unread("an irrational number is divided by, or its power taken")
        products = (p * r, p * s, q * r, q * s)
        return between(min(products), max(products))
    ends(a), ends(b)
    match op:
        case ast.Add():
            return short(a + b)
        case ast.Sub():
            return short(a - b)
        case ast.Mult():
            return short(a * b)
        case ast.Div() if b != 0:
            return short(Fraction(a) / b)
        case ast.Mod() if b != 0:
            return a % b
        case ast.FloorDiv() if b != 0:
            return a // b
        case ast.Pow() if Fraction(b).denominator == 1 and (a != 0 or b >= 0):
            size = max(
                abs(Fraction(a).numerator).bit_length(), Fraction(a).denominator.bit_length()
            )
            if abs(b) * size > BITS:
                raise Unread("a number is too long")
            return Fraction(a) ** int(b)
    raise Unread(f"{type(op).__name__} of {str(a)[:30]} and {str(b)[:30]} has no rational value")


def compared(op: ast.cmpop, a: Any, b: Any) -> bool:
    """a op b, where it is decided."""
    (p, q), (r, s) = ends(a), ends(b)
    exact = p == q and r == s
    match op:
        case ast.Eq() if exact:
            return p == r
        case ast.NotEq() if exact:
            return p != r
        case ast.Gt() | ast.GtE():
            return compared(ast.Lt() if isinstance(op, ast.Gt) else ast.LtE(), b, a)
        case ast.Lt() if exact or q < r or p >= s:
            return q < r
        case ast.LtE() if exact or q <= r or p > s:
            return q <= r
    raise Unread("a comparison of irrational numbers is open")


def root(x: Any) -> Any:
    """√x."""
    low, high = ends(x)
    if low < 0:
        raise Unread("the root of a negative number")
    p, q = math.isqrt(low.numerator), math.isqrt(low.denominator)
    if low == high and p * p == low.numerator and q * q == low.denominator:
        return Fraction(p, q)
    unit = 4**DIGITS
    top = math.isqrt(math.ceil(high * unit)) + 1
    return between(
        Fraction(math.isqrt(math.floor(low * unit)), 2**DIGITS), Fraction(top, 2**DIGITS)
    )


def _near(total: int) -> Between:
    # a series below has at most 100 terms, each rounded by a few units: far less than 2^20 in all
    return Between(Fraction(total - 2**20, UNIT), Fraction(total + 2**20, UNIT))


def _exponential(x: Fraction) -> Between:
    halvings = math.ceil(abs(x)).bit_length() + 8
    if halvings > 40:
        raise Unread("an exponential is too large")
    part = math.floor(x / 2**halvings * UNIT)
    term, total = UNIT, UNIT
    for i in range(1, 40):  # |part| < 2^-8, so that what is left is below a unit
        term = term * part // (UNIT * i)
        total += term
    power = _near(total)
    for _ in range(halvings):
        power = between(power.low**2, power.high**2)
    return power


def _logarithm(x: Fraction) -> Between:
    shift = x.numerator.bit_length() - x.denominator.bit_length()

    def near_1(v: Fraction) -> Between:  # 2 artanh((v − 1)/(v + 1)), the ratio at most 1/3
        power = math.floor((v - 1) / (v + 1) * UNIT)
        square, total = power * power // UNIT, 0
        for i in range(1, 200, 2):
            total += 2 * power // i
            power = power * square // UNIT
        return _near(total)

    two, own = near_1(Fraction(2)), near_1(x / Fraction(2) ** shift)
    low, high = sorted((shift * two.low, shift * two.high))
    logarithm: Between = between(low + own.low, high + own.high)
    return logarithm


def monotone(function: Any) -> Any:
    """A growing function on enclosures."""
    return lambda x: between(function(ends(x)[0]).low, function(ends(x)[1]).high)


def exponential(x: Any) -> Any:
    """e^x."""
    return Fraction(1) if x == 0 else monotone(_exponential)(x)


def logarithm(x: Any) -> Any:
    """The natural logarithm."""
    if ends(x)[0] <= 0:
        raise Unread("the logarithm of a number that is not positive")
    return Fraction(0) if x == 1 else monotone(_logarithm)(x)


def ceiling(x: Any) -> int:
    """The least whole number from x on, where that is decided."""
    low, high = map(math.ceil, ends(x))
    if low != high:
        raise Unread("a ceiling is open")
    return low


def larger(a: Any, b: Any) -> Any:
    """The larger of two numbers."""
    return b if compared(ast.LtE(), a, b) else a


def smaller(a: Any, b: Any) -> Any:
    """The smaller of two numbers."""
    return a if compared(ast.LtE(), a, b) else b


@dataclass(frozen=True)
class Any_k:
    """Every k = offset, offset + period, ...: what a text makes of it is so for each."""

    offset: int
    period: int = 1

    def follows(self, op: ast.cmpop, other: int) -> bool:
        """k op other, where it is the same for every such k."""
        apart = other < self.offset
        match op:
            case ast.Eq() | ast.NotEq() if apart or (other - self.offset) % self.period:
                return isinstance(op, ast.NotEq)
            case ast.Gt() | ast.GtE() if apart:
                return True
            case ast.Lt() | ast.LtE() if apart:
                return False
        raise Unread("what happens depends on k")


@dataclass(frozen=True)
class Tail:
    """Every index of a list from ``offset`` on."""

    offset: int


# ---- vectors -------------------------------------------------------------------------------------


def plus(u: Vector, v: Vector, factor: Any = 1) -> Vector:
    """u + factor v."""
    total = dict(u)
    for name, value in v.items():
        total[name] = short(total.get(name, Fraction(0)) + factor * value)
    return {n: v for n, v in total.items() if v}


def product(u: Vector, v: Vector) -> Square:
    """⟨u, v⟩."""
    total: Square = {}
    for i, a in u.items():
        for j, b in v.items():
            key = (min(i, j), max(i, j))
            total[key] = total.get(key, Fraction(0)) + a * b
    return {n: v for n, v in total.items() if v}


@dataclass(frozen=True)
class Entry:
    """One coordinate of a vector."""

    axis: int
    vector: Vector


@dataclass(frozen=True)
class Part:
    """What coordinates contribute to a quadratic form."""

    squares: dict[int, Square]


class Row:
    """A vector by its coordinates."""

    def __init__(self, vector: Vector, dimension: int) -> None:
        self.entries: list[Any] = [Entry(i, vector) for i in range(dimension)]

    def vector(self) -> Vector:
        """The vector, where its coordinates are alike."""
        for i, entry in enumerate(self.entries):
            if not isinstance(entry, Entry) or (entry.axis, entry.vector) != (
                i,
                self.entries[0].vector,
            ):
                raise Differs(
                    "coordinates are treated differently: not the same in every dimension"
                )
        return dict(self.entries[0].vector)

    def fill(self, vector: Vector) -> None:
        """Make it this vector."""
        self.entries = [Entry(i, vector) for i in range(len(self.entries))]


@dataclass(frozen=True)
class Axis:
    """An index that runs over coordinates: good for subscripts alone."""

    at: int


@dataclass(frozen=True)
class Dimension:
    """The number of coordinates: good for ``range`` alone."""

    of: int


@dataclass(frozen=True)
class Steps:
    """The number of steps in one call: good for ``range`` alone."""

    of: int


def mixed(op: ast.operator, a: Any, b: Any) -> Any:
    """a op b where one is a coordinate or a part of a form."""
    if isinstance(a, Entry) and isinstance(b, Entry) and a.axis == b.axis:
        if isinstance(op, ast.Mult):
            return Part({a.axis: product(a.vector, b.vector)})
        if isinstance(op, ast.Add | ast.Sub):
            return Entry(a.axis, plus(a.vector, b.vector, 1 if isinstance(op, ast.Add) else -1))
    if isinstance(a, Part) and isinstance(b, Part) and isinstance(op, ast.Add | ast.Sub):
        sign = 1 if isinstance(op, ast.Add) else -1
        both = a.squares.keys() | b.squares.keys()
        return Part(
            {i: added(a.squares.get(i, {}), b.squares.get(i, {}), Fraction(sign)) for i in both}
        )
    if isinstance(op, ast.Mult) and isinstance(b, Entry | Part):
        a, b = b, a
    if isinstance(op, ast.Mult | ast.Div) and not isinstance(b, Entry | Part):
        factor = binary(op, Fraction(1), b)
        if isinstance(factor, int | Fraction):
            if isinstance(a, Entry):
                return Entry(a.axis, plus({}, a.vector, factor))
            return Part({i: added({}, s, factor) for i, s in a.squares.items()})
    raise Unread("a step or a measure is no fixed combination of its points")


def added(a: Square, b: Square, factor: Any) -> Square:
    """a + factor b, of forms."""
    total = dict(a)
    for key, value in b.items():
        total[key] = short(total.get(key, Fraction(0)) + factor * value)
    return {n: v for n, v in total.items() if v}


# ---- kernels -------------------------------------------------------------------------------------


class Oracles:
    """F, J and the resolvent of the sum: each new call returns a vector of its own."""

    def __init__(self, names: list[str], constrained: bool, split: bool, solution: Vector) -> None:
        self.names, self.constrained, self.split = [*names], constrained, split
        self.solution, self.calls = solution, list[dict[str, Any]]()
        self.seen: dict[Any, tuple[Vector, Vector]] = {}

    def ask(self, of: str, before: Vector, gamma: Any) -> tuple[Vector, Vector]:
        """Point and value of p = before − γ v, v ∈ of(p); ``before`` as a distance from z*."""
        gamma = Fraction(gamma)
        key = (of, frozenset(before.items()), gamma)
        if of == "F" and not before and gamma == 0:
            return {}, self.star()
        if key not in self.seen:
            if any(n == STAR or n.startswith(HIDDEN) for n in before):
                raise Differs("a step depends on where the origin lies, or on a row left out")
            name = f"{of}{len(self.names)}"
            self.names.append(name)
            value = {name: Fraction(1)}
            point = plus(before, value, -gamma)
            self.calls.append({"name": name, "of": of, "before": before, "gamma": gamma})
            self.seen[key] = point, value
            if (of == "F" or not self.constrained) and gamma != 0:  # where A = 0, S is F
                self.seen["F", frozenset(point.items()), Fraction(0)] = point, value
            if of == "S" and self.split:
                self.ask("F", point, 0)
        return self.seen[key]

    def star(self) -> Vector:
        """F at the solution."""
        if not self.constrained:
            return {}
        if "F*" not in self.names:
            self.names.append("F*")
        return {"F*": Fraction(1)}

    def F(self, z: Row, out: Row, _: Any) -> None:
        """out = F z."""
        out.fill(self.ask("F", plus(z.vector(), self.solution, -1), 0)[1])

    def J(self, z: Row, gamma: Any, out: Row, _: Any) -> None:
        """out = J_{γA} z; z itself where A = 0."""
        here = z.vector()
        if self.constrained:
            point = self.ask("A", plus(here, self.solution, -1), gamma)[0]
            here = plus(point, self.solution)
        out.fill(here)

    @staticmethod
    def identity(z: Row, _: Any, out: Row, __: Any) -> None:
        """The resolvent of 0."""
        out.fill(z.vector())

    def resolvent_of_sum(self, *args: Any) -> None:
        """out = J_{γS} z, or J_{γF} z where J is left out."""
        _, _, J, _, z, gamma, out = args
        of = "F" if self.constrained and self.identity == J else "S"
        point = self.ask(of, plus(z.vector(), self.solution, -1), gamma)[0]
        out.fill(plus(point, self.solution))


class Interpreter:
    """Functions by name, run on rows; whatever is not listed in its methods is refused."""

    def __init__(self, texts: dict[str, Any]) -> None:
        self.functions: dict[str, str] = texts["functions"]
        self.parsed: dict[str, ast.FunctionDef] = {}
        self.numbers = {n: whole(Fraction(v)) for n, v in texts["numbers"].items()}
        self.work, self.depth = 0, 0

    def call(self, name: str, args: list[Any], own: dict[str, Any]) -> Any:
        """A function's value; ``own``: names that stand for oracles."""
        if name not in self.parsed:
            body = tree(self.functions.get(name, ""), "exec").body
            if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
                raise Unread(f"there is no text of {name[:40]}")
            self.parsed[name] = body[0]
        node = self.parsed[name]
        names = [a.arg for a in node.args.args]
        if len(names) != len(args) or self.depth > 20:
            raise Unread(f"{name} is called with other arguments than it takes, or calls itself")
        self.depth += 1
        scope = {**own, **dict(zip(names, args, strict=True))}
        returned = self.block(node.body, scope)
        self.depth -= 1
        return returned[0] if returned else None

    def block(self, body: list[ast.stmt], scope: dict[str, Any]) -> list[Any]:
        """Run statements; [value] where they return."""
        for node in body:
            self.count()
            match node:
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    pass
                case ast.Expr(value=ast.Call() as call):
                    self.value(call, scope)
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.value(value, scope), scope)
                case ast.AugAssign(
                    target=ast.Name() | ast.Subscript() as target, op=op, value=value
                ):
                    left = self.value(target, scope)
                    total = self.apply(op, left, self.value(value, scope))
                    if isinstance(left, Row):  # in place, as arrays do it
                        left.entries = list(total.entries)
                    else:
                        self.assign(target, total, scope)
                case ast.If(test=test, body=first, orelse=second):
                    if returned := self.block(first if self.truth(test, scope) else second, scope):
                        return returned
                case ast.For(target=ast.Name(id=name), iter=over, body=inner, orelse=[]):
                    before: Any = None
                    for i in self.range(over, scope):
                        scope[name] = i
                        if returned := self.block(inner, scope):
                            return returned
                        if isinstance(i, Axis):  # what stays after two coordinates stays after all
                            held = {n: v for n, v in scope.items() if isinstance(v, int | Fraction)}
                            if before not in (None, held):
                                raise Differs("a number changes from one coordinate to the next")
                            before = held
                case ast.Return(value=value):
                    return [None if value is None else self.value(value, scope)]
                case _:
                    raise Unread(
                        f"a kernel has a statement that is not read: {ast.unparse(node)[:60]}"
                    )
        return []

    def count(self) -> None:
        """One step more."""
        self.work += 1
        if self.work > WORK:
            raise Unread("the run is too long")

    def range(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        """What a loop runs over."""
        match node:
            case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]) if 1 <= len(args) <= 3:
                ends = [self.value(a, scope) for a in args]
                if isinstance(ends[-1], Dimension) and ends[:-1] in ([], [0], [1]):
                    return [Axis(i) for i in range(sum(ends[:-1]), ends[-1].of)]
                if isinstance(ends[-1], Steps) and ends[:-1] in ([], [0]):
                    return range(ends[-1].of)
                if all(isinstance(a, int) for a in ends):
                    return range(*ends)
        raise Unread("a loop runs over something else than a range of whole numbers")

    def truth(self, node: ast.expr, scope: dict[str, Any]) -> bool:
        """A condition."""
        match node:
            case ast.Compare(left=left, ops=ops, comparators=rest):
                values = [self.value(v, scope) for v in (left, *rest)]
                return all(self.holds(*p) for p in zip(ops, values, values[1:], strict=False))
            case ast.BoolOp(op=ast.And(), values=values):
                return all(self.truth(v, scope) for v in values)
            case ast.BoolOp(op=ast.Or(), values=values):
                return any(self.truth(v, scope) for v in values)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return not self.truth(inner, scope)
        raise Unread("a condition that is no comparison")

    def holds(self, op: ast.cmpop, a: Any, b: Any) -> bool:
        """A comparison of numbers."""
        if isinstance(a, Any_k) and isinstance(b, int):
            return a.follows(op, b)
        return compared(op, a, b)

    def assign(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        """Give a name, several, or an entry a value."""
        match target:
            case ast.Name(id=name):
                scope[name] = value
            case ast.Tuple(elts=elts) if isinstance(value, tuple) and len(value) == len(elts):
                for left, part in zip(elts, value, strict=True):
                    self.assign(left, part, scope)
            case ast.Subscript(value=holder, slice=ast.Slice(lower=None, upper=None, step=None)):
                row = self.value(holder, scope)
                if not isinstance(row, Row) or not isinstance(value, Row):
                    raise Unread("a kernel writes to something else than a row")
                row.entries = list(value.entries)
            case ast.Subscript(value=holder, slice=index):
                row, at = self.value(holder, scope), self.value(index, scope)
                at = at.at if isinstance(at, Axis) else at
                if not isinstance(row, Row) or not isinstance(at, int):
                    raise Unread("a kernel writes to something else than a row")
                if not 0 <= at < len(row.entries):
                    raise Differs("a coordinate is named that is not there in every dimension")
                row.entries[at] = Entry(at, {}) if value == 0 else value
            case _:
                raise Unread("an assignment that is not read")

    def apply(self, op: ast.operator, a: Any, b: Any) -> Any:
        """An operation of whatever two things."""
        if isinstance(a, Row) or isinstance(b, Row):
            size = len((a if isinstance(a, Row) else b).entries)
            sides = [x.entries if isinstance(x, Row) else [x] * size for x in (a, b)]
            row = Row({}, size)
            row.entries = [self.apply(op, x, y) for x, y in zip(*sides, strict=True)]
            return row
        if isinstance(a, int) and isinstance(b, Any_k | Tail) and isinstance(op, ast.Add):
            a, b = b, a
        if isinstance(a, Any_k) and isinstance(b, int):
            if isinstance(op, ast.Add):
                return Any_k(a.offset + b, a.period)
            if isinstance(op, ast.Mod) and b > 0 and a.period % b == 0:
                return a.offset % b
        if isinstance(a, Entry | Part) or isinstance(b, Entry | Part):
            return mixed(op, a, b)
        if isinstance(a, int | Fraction) and isinstance(b, int | Fraction):
            return whole(binary(op, a, b))
        raise Unread("k, or the number of coordinates, is calculated with")

    def value(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        """An expression's value."""
        self.count()
        match node:
            case ast.Constant(value=bool() | str() | bytes() | complex() | None):
                raise Unread("a kernel has a constant that is no number")
            case ast.Constant(value=int() as number):
                return number
            case ast.Constant(value=float() as number):
                if Fraction(repr(number)) != Fraction(number):
                    raise Unread(f"{number!r} is another number in a computer than on paper")
                return Fraction(number)
            case ast.Name(id=name):
                if name in scope:
                    return scope[name]
                if name in self.numbers:
                    return self.numbers[name]
                raise Unread(f"{name} is not known")
            case ast.Tuple(elts=elts):
                return tuple(self.value(v, scope) for v in elts)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return self.apply(ast.Mult(), -1, self.value(inner, scope))
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.value(inner, scope)
            case ast.BinOp(left=left, op=op, right=right):
                return self.apply(op, self.value(left, scope), self.value(right, scope))
            case ast.IfExp(test=test, body=first, orelse=second):
                return self.value(first if self.truth(test, scope) else second, scope)
            case ast.Subscript(value=holder, slice=index):
                return self.entry(self.value(holder, scope), index, scope)
            case ast.Attribute(value=holder, attr="shape"):
                holder = self.value(holder, scope)
                if isinstance(holder, Row):
                    return (Dimension(len(holder.entries)),)
                return (len(holder),) if isinstance(holder, list) else self.refuse(node)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self.called(name, [self.value(a, scope) for a in args], scope)
        return self.refuse(node)

    def refuse(self, node: ast.expr) -> Any:
        """Say what is not read."""
        raise Unread(f"{ast.unparse(node)[:60]} is not read")

    def entry(self, holder: Any, index: ast.expr, scope: dict[str, Any]) -> Any:
        """A part of a row, of the state, of the parameters."""
        if isinstance(index, ast.Slice):
            bounds = [index.lower, index.upper]
            at = [None if b is None else self.value(b, scope) for b in bounds]
            if isinstance(holder, list) and all(b is None or isinstance(b, int) for b in at):
                return holder[at[0] : at[1]]
            if isinstance(holder, Row) and at == [None, None]:
                return holder
            return self.refuse(index)
        return self.at(holder, self.value(index, scope), index)

    def at(self, holder: Any, at: Any, index: ast.expr) -> Any:
        """The entry at an index."""
        if isinstance(at, Tail) and isinstance(holder, list):
            rest = holder[at.offset :]
            if rest and all(v == rest[0] for v in rest):
                return rest[0]
            raise Unread("what happens depends on k")
        if isinstance(holder, Row):
            at = at.at if isinstance(at, Axis) else at
            if not isinstance(at, int) or not 0 <= at < len(holder.entries):
                raise Differs("a coordinate is named that is not there in every dimension")
            return holder.entries[at]
        if isinstance(holder, list | tuple) and isinstance(at, int):
            if not -len(holder) <= at < len(holder):
                raise Unread("an index lies outside")
            return holder[at]
        return self.refuse(index)

    def called(self, name: str, args: list[Any], scope: dict[str, Any]) -> Any:
        """A call: of an oracle, of a carried text, of min, max, int and abs."""
        if callable(scope.get(name)):
            return scope[name](*args)
        if name in self.functions:
            own: dict[str, Any] = {n: scope[n] for n in BUILT_IN if n in scope}
            return self.call(name, args, own)
        if name == "int" and len(args) == 1:
            number = args[0]
            if isinstance(number, Any_k) or (
                isinstance(number, int | Fraction) and number % 1 == 0
            ):
                return number if isinstance(number, Any_k) else int(number)
        if name in ("min", "max") and len(args) == 2:
            k = next((a for a in args if isinstance(a, Any_k)), None)
            if k is not None and name == "min":
                (top,) = (a for a in args if a is not k)
                return Tail(min(k.offset, top))
            return (smaller if name == "min" else larger)(*args)
        if name == "abs" and len(args) == 1:
            return abs(args[0]) if isinstance(args[0], int | Fraction) else self.refuse_call(name)
        return self.refuse_call(name)

    def refuse_call(self, name: str) -> Any:
        """Say what is not called."""
        raise Unread(f"there is no text of {name}")


def whole(x: Any) -> Any:
    """An int where a rational is one, so that it may index."""
    return int(x) if isinstance(x, Fraction) and x.denominator == 1 else x


def tree(source: str, mode: str) -> Any:
    """The parsed text. Raises Unread where it is none."""
    try:
        return ast.parse(source, mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Unread(f"a text is not Python: {type(error).__name__}") from None


# ---- runs ----------------------------------------------------------------------------------------


class Run:
    """A method's states one after the other, in some number of coordinates.

    ``weights``: how much of z* each row holds: 1 for a point, 0 for a value or a difference.
    """

    def __init__(
        self,
        document: dict[str, Any],
        interpreter: Interpreter,
        params: list[Any],
        rows: list[Vector],
        *,
        dimension: int,
        split: bool,
        names: tuple[str, ...] = ("z0",),
    ) -> None:
        self.texts, self.interpreter, self.params = document["texts"], interpreter, params
        self.oracles = Oracles([*names], document["constrained"], split, SOLUTION)
        start = [*rows, rows[0], SOLUTION, rows[0], rows[0], rows[0]]
        self.state = [Row(v, dimension) for v in start]
        self.count = len(rows)
        own = {"identity": Oracles.identity, "resolvent_of_sum": self.oracles.resolvent_of_sum}
        self.own = {n: f for n, f in own.items() if n not in interpreter.functions}

    def oracle_arguments(self) -> list[Any]:
        """F, its data, J, its data."""
        J = self.oracles.J if self.oracles.constrained else Oracles.identity
        return [self.oracles.F, None, J, None]

    def advance(self, k: Any) -> None:
        """One iteration."""
        self.state[self.count].fill(self.state[0].vector())
        args = [*self.oracle_arguments(), self.state[: self.count], self.params, k, Steps(1)]
        self.kernel(self.texts["kernel"], args)

    def kernel(self, names: list[str], args: list[Any]) -> None:
        """A method's text, that of a method of methods with its base in front."""
        outer, *inner = names
        base = [lambda *given: self.kernel(inner, list(given))] if inner else []
        self.interpreter.call(outer, [*base, *args], dict(self.own))

    def take(self, use: dict[str, Any], k: Any) -> Square:
        """What a measure's text gives now."""
        extra = {"before": self.count, "solution": self.count + 1}
        rows = self.texts["rows"]
        try:
            at = [extra[n] if n in extra else rows.index(n) for n in use["rows"]]
        except ValueError:
            raise Unread("a measure is taken at a row that is not there") from None
        if len(at) > 1:
            self.state[self.count + 2].fill(self.state[at[1]].vector())
        args = [*self.oracle_arguments(), self.state[at[0] :], self.params, k]
        part = self.interpreter.call(use["function"], args, dict(self.own))
        if part == 0:
            return {}
        if not isinstance(part, Part):
            raise Unread("a measure is no quadratic form")
        first = part.squares.get(0, {})
        if any(part.squares.get(i, {}) != first for i in range(len(self.state[0].entries))):
            raise Differs("coordinates are treated differently: not the same in every dimension")
        return first


# ---- statements ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """A quadratic form: an exact one, and multiples of such by irrational numbers."""

    exact: Square
    rest: list[tuple[Between, Square]] = field(default_factory=list)

    def times(self, x: Any) -> "Form":
        """A multiple."""
        if isinstance(x, Between):
            return Form({}, [(binary(ast.Mult(), c, x), s) for c, s in self.pairs()])
        return Form(added({}, self.exact, x), [(binary(ast.Mult(), c, x), s) for c, s in self.rest])

    def pairs(self) -> list[tuple[Any, Square]]:
        """Everything as multiples."""
        return [*([(Fraction(1), self.exact)] if self.exact else []), *self.rest]


@dataclass(frozen=True)
class Radius:
    """A multiple of R."""

    factor: Any


class Statement:
    """A statement's texts at an index, with what was recorded."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.said = document["statement"]
        uses = document["texts"]["measures"]
        self.uses = {(u["measure"], tuple(u["written"])): i for i, u in enumerate(uses)}
        self.in_step = [not (u["of_point"] or STANDING.issuperset(u["rows"])) for u in uses]
        self.sequences = {u["measure"] for u in uses}
        self.known = {
            n: whole(Fraction(v))
            for n, v in {**self.said["constants"], **self.said["parameters"]}.items()
        }
        self.record: list[dict[int, Square]] = [{} for _ in uses]
        self.work = 0

    def source(self, name: str) -> str:
        """A side's text, the ranges as a tuple, or the text behind a symbol."""
        if name == "where":
            return f"({self.said['where']},)"
        source: str = self.said["let"][name] if name in self.said["let"] else self.said[name]
        return source.strip()

    def side(self, name: str) -> Any:
        """The value of the measure or the bound."""
        if {"measure", "bound", "where"} & self.said["let"].keys():
            raise Unread("a symbol has the name of a side")
        return self.value(tree(self.source(name), "eval").body, self.said["k"], (name,))

    def symbol(self, name: str, k: int, inside: tuple[str, ...]) -> Any:
        """A name's value at k."""
        if name in ("k", "j"):
            return k
        if name == "K":
            return self.said["K"]
        if name == "R":
            return Radius(Fraction(1))
        if name in self.known:
            return self.known[name]
        if name in self.said["let"] and name not in inside:
            node = tree(self.source(name), "eval").body
            return self.value(node, k, (*inside, name))
        raise Unread(f"{name[:40]} has no value")

    def recorded(self, name: str, rows: tuple[str, ...], k: int) -> Form:
        """A measure at an index."""
        i = self.uses.get((name, rows))
        at = None if i is None else self.record[i].get(k + self.in_step[i])
        if at is None:
            raise Unread(f"{name} is used where it was not recorded")
        return Form(at)

    def value(self, node: ast.expr, k: int, inside: tuple[str, ...]) -> Any:
        """An expression's value at k."""
        self.work += 1
        if self.work > WORK or len(inside) > 50:
            raise Unread("a text is too long")
        match node:
            case ast.Constant(value=int() as number) if not isinstance(number, bool):
                return number
            case ast.Constant(value=float() as number) if abs(number) < 1e300:
                literal = ast.get_source_segment(self.source(inside[-1]), node)
                return Fraction(literal or repr(number))
            case ast.Name(id=name):
                if name in self.sequences:
                    return self.recorded(name, (), k)
                return self.symbol(name, k, inside)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return self.apply(ast.Mult(), self.value(inner, k, inside), -1)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.value(inner, k, inside)
            case ast.BinOp(left=left, op=op, right=right):
                return self.apply(op, self.value(left, k, inside), self.value(right, k, inside))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self.called(name, args, k, inside)
        raise Unread(f"{ast.unparse(node)[:60]} is not read")

    def called(self, name: str, args: list[ast.expr], k: int, inside: tuple[str, ...]) -> Any:
        """A function's value at k."""
        if name in self.sequences and all(isinstance(a, ast.Name) for a in args):
            return self.recorded(name, tuple(ast.unparse(a) for a in args), k)
        if name in ("upto", "before") and len(args) == 1:
            total: Any = 0
            for j in range(k + (name == "upto")):
                total = self.apply(ast.Add(), total, self.value(args[0], j, inside))
            return total
        if name in ("first", "next") and len(args) == 1:
            return self.value(args[0], 0 if name == "first" else k + 1, inside)
        if name == "where" and len(args) == 3:
            branch = args[1] if self.truth(args[0], k, inside) else args[2]
            return self.value(branch, k, inside)
        values = [self.value(a, k, inside) for a in args]
        if name in ("max", "min", "mod") and len(values) == 2:
            two: dict[str, Any] = {
                "max": larger,
                "min": smaller,
                "mod": lambda a, b: binary(ast.Mod(), a, b),
            }
            return two[name](*values)
        scope: dict[str, Any] = {
            "sqrt": root,
            "exp": exponential,
            "log": logarithm,
            "ceil": ceiling,
            "abs": lambda x: larger(x, binary(ast.Mult(), x, -1)),
        }
        if name in scope and len(values) == 1:
            return scope[name](values[0])
        raise Unread(f"{name[:40]} is not read")

    def truth(self, node: ast.expr, k: int, inside: tuple[str, ...]) -> bool:
        """Whether a chain of comparisons holds."""
        if not isinstance(node, ast.Compare):
            raise Unread(f"{ast.unparse(node)[:60]} is no comparison")
        values = [self.value(v, k, inside) for v in (node.left, *node.comparators)]
        pairs = zip(node.ops, values, values[1:], strict=False)
        return all(compared(op, a, b) for op, a, b in pairs)

    def apply(self, op: ast.operator, a: Any, b: Any) -> Any:
        """An operation of numbers, forms and R."""
        if isinstance(a, Radius):
            squared = isinstance(op, ast.Pow) and b == 2
            if squared or (isinstance(op, ast.Mult) and isinstance(b, Radius)):
                square = Form({("z0", "z0"): Fraction(1)})
                other = a.factor if squared else b.factor
                return square.times(binary(ast.Mult(), a.factor, other))
            if isinstance(op, ast.Mult | ast.Div):
                return Radius(binary(op, a.factor, b))
        if isinstance(b, Radius) and isinstance(op, ast.Mult):
            return Radius(binary(op, a, b.factor))
        if not isinstance(a, Form) and not isinstance(b, Form):
            return whole(binary(op, a, b))
        if isinstance(op, ast.Add | ast.Sub):
            sign = 1 if isinstance(op, ast.Add) else -1
            u, v = (Form({}) if not isinstance(x, Form) and x == 0 else x for x in (a, b))
            if isinstance(u, Form) and isinstance(v, Form):
                other = v.times(sign)
                return Form(added(u.exact, other.exact, 1), [*u.rest, *other.rest])
        if isinstance(a, Form) and isinstance(op, ast.Mult | ast.Div):
            return a.times(binary(op, Fraction(1), b))
        if isinstance(b, Form) and isinstance(op, ast.Mult):
            return b.times(binary(op, a, Fraction(1)))
        raise Unread("what is measured is used other than in a quadratic form")


@dataclass(frozen=True)
class Reading:
    """What the texts give.

    Attributes:
        basis: names of the vectors.
        calls: as in the file, with rationals.
        measure, bound: the forms.
        covers: which k, in words.
    """

    basis: list[str]
    calls: list[dict[str, Any]]
    measure: Form
    bound: Form
    covers: str


def reading(document: dict[str, Any]) -> Reading:
    """What the texts of a certificate give, alike in 1, 2 and 3 coordinates.

    Raises Unread where they are of a kind that is not read here, Differs where they say that the
    statement is not one about every dimension or every place of the origin.
    """
    try:
        read = _potential if "potential" in document["statement"] else _theorem
        readings = [read(document, dimension) for dimension in (1, 2, 3)]
    except RecursionError:
        raise Unread("a text is nested too deeply") from None
    except (TypeError, AttributeError, LookupError, ArithmeticError, ValueError) as error:
        if isinstance(error, Unread | Differs):
            raise
        raise Unread(f"a text is of another kind: {type(error).__name__}") from None
    if readings[0] != readings[1] or readings[0] != readings[2]:
        raise Differs("it is not the same in every dimension")
    return readings[0]


def _packed(document: dict[str, Any], statement: Statement, length: int) -> list[Any]:
    """The method's parameters as its text finds them."""
    packed: list[Any] = []
    for p in document["texts"]["parameters"]:
        name = p["name"] if p["name"] in statement.known else p["name"].rpartition(".")[2]
        many = range(length if p["sequence"] else 1)
        for value in (statement.symbol(name, k, ()) for k in many):
            if isinstance(value, Radius | Between) or (p["integer"] and value % 1 != 0):
                raise Unread(f"the parameter {name[:40]} is no rational number")
            packed.append(int(value) if p["integer"] else value)
    return packed


def _rows(document: dict[str, Any], own: dict[str, Vector], other: str) -> list[Vector]:
    """Vectors that rows start with; ``other``: the name of those that must not be read."""
    return [own.get(n, {f"{other}{n}": Fraction(1)}) for n in document["texts"]["rows"]]


def _split(document: dict[str, Any], run: Any) -> Any:
    """The run, with F asked for at points of S where both are called, or V is of such a class."""
    whole, said = run(False), document["statement"]
    of = {c["of"] for c in whole[0].oracles.calls}
    if "potential" in said and "S" in of:
        of |= {"F" for p in said["given"] if p["of"] in ("F", "A")}
    return run(True) if document["constrained"] and of >= {"F", "S"} else whole


def _no_star(forms: list[Form]) -> None:
    for form in forms:
        for _, square in form.pairs():
            for pair in square:
                if STAR in pair or any(n.startswith(HIDDEN) for n in pair):
                    raise Differs(
                        "it depends on where the origin lies, or on a row that is not known"
                    )


SOLUTION: Vector = {STAR: Fraction(1)}


def _theorem(document: dict[str, Any], dimension: int) -> Reading:
    said, texts = document["statement"], document["texts"]
    statement = Statement(document)
    ranges = tree(statement.source("where"), "eval").body.elts if said["where"].strip() else ()
    for part in ranges:
        if not statement.truth(part, 0, ("where",)):
            raise Differs(f"{ast.unparse(part)} fails")
    called = {
        node.func.id
        for side in ("measure", "bound")
        for node in ast.walk(tree(statement.source(side), "eval"))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    k, ahead = said["k"], "next" in called
    horizon = k + 1 if ahead or any(statement.in_step) else k
    if said["K"] != horizon or k < said["first"]:
        raise Differs("k or K is not what the texts speak of")
    every = bool(called & {"upto", "before", "best", "first"})
    stops = range(horizon + 1) if every else sorted({k, min(k + 1, horizon), horizon})
    spoken = _symbols(document)
    names = spoken | _names(f"({said['where']},)")
    if said["parameters"].keys() & said["constants"].keys() or not {*said["parameters"]} <= names:
        raise Differs("it gives values to names that it does not speak of")
    alone = said["claim"] == "one-step" and not every and not spoken & {"k", "j", "R", "K"}
    params = _packed(document, statement, horizon + 1)
    point: Vector = {"z0": Fraction(1), **SOLUTION}
    start = {n: {} if n in texts["zero"] else point for n in texts["rows"]}

    def run(split: bool, any_k: bool = False) -> Any:
        interpreter = Interpreter(texts)
        rows = _rows(document, {"z": point} if any_k else start, HIDDEN)
        walk = Run(document, interpreter, params, rows, dimension=dimension, split=split)
        statement.record = [{} for _ in texts["measures"]]
        for i in range(horizon + 1):
            at: Any = Any_k(i) if any_k else i
            for j, use in enumerate(texts["measures"] if i in stops else ()):
                if i or not (any_k and statement.in_step[j]):  # there is no step before: not used
                    statement.record[j][i] = walk.take(use, at)
            if i < horizon:
                walk.advance(at)
        return walk, _sides(statement)

    covers = f"k = {k} of K = {horizon}" if "K" in spoken else f"k = {k}"
    if alone:
        covers = f"the step k = {k} of a run from the start"
        try:
            _split(document, lambda split: run(split, True))
            covers = "every k: a step depends on z alone, and z is arbitrary"
        except (Unread, Differs):
            pass  # then it is about this k alone
    steps, forms = _split(document, run)
    return Reading(steps.oracles.names, steps.oracles.calls, forms[0], forms[1], covers)


def _sides(statement: Statement) -> list[Form]:
    """Measure and bound, as forms that feel neither the origin nor rows that are not known."""
    sides = [statement.side(n) for n in ("measure", "bound")]
    forms = [s if isinstance(s, Form) or s != 0 else Form({}) for s in sides]
    if not all(isinstance(f, Form) for f in forms):
        raise Unread("a side is no quadratic form")
    _no_star(forms)
    return forms


def _symbols(document: dict[str, Any]) -> set[str]:
    """The names in a statement, and those behind each that ``let`` defines."""
    said = document["statement"]
    waiting = [said["measure"], said["bound"]]
    waiting += [p["name"].rpartition(".")[2] for p in document["texts"]["parameters"]]
    symbols: set[str] = set()
    while waiting:
        names = _names(waiting.pop().strip())
        waiting += [said["let"][n] for n in names - symbols if n in said["let"]]
        symbols |= names
    return symbols


def _names(source: str) -> set[str]:
    body = tree(source, "eval") if source.strip("(,) ") else ast.Tuple([])
    return {n.id for n in ast.walk(body) if isinstance(n, ast.Name)}


def _potential(document: dict[str, Any], dimension: int) -> Reading:
    said, texts = document["statement"], document["texts"]
    named, statement = said["potential"], Statement(document)
    steps, first, rows = named["steps"], named["first"], named["rows"]
    history = named.get("history", 0)
    blocks = history + (named["above"] is None)
    words: dict[str, Any] = {
        "theorem": f"potential of {said['method']}",
        "claim": "one-step",
        "measure": named["above"] or "V at k + 1",
        "bound": "V at k",
        "where": "",
        "let": {},
        "constants": {},
        **{"first": 0, "k": 0, "K": blocks},
    }
    if any(said[name] != word for name, word in words.items()) or texts["measures"]:
        raise Differs("it says something else than that V decreases, or lies above what it bounds")
    if len(named["matrix"]) != len(named["vectors"]) or steps < 1 or history < 0:
        raise Differs("the matrix of V is of another size than its vectors")
    if not any(Fraction(value) for line in named["matrix"] for value in line):
        raise Differs("V is 0, so that nothing is said by it")
    params = _packed(document, statement, first + max(blocks, 1) * steps + 1)
    weights = _weights(document, params, dimension)

    def point(name: str) -> Vector:
        return {name: Fraction(1)}

    own = {"z": plus(point("z0"), SOLUTION)}
    own |= {n: plus(point(f"{n}0"), SOLUTION, weights[n]) for n in rows}

    def run(split: bool) -> Any:
        interpreter, start = Interpreter(texts), _rows(document, own, HIDDEN)
        names = ("z0", *(f"{n}0" for n in rows))
        walk = Run(
            document, interpreter, params, start, dimension=dimension, split=split, names=names
        )
        states: list[dict[str, Vector]] = []
        for block in range(blocks + 1):
            known = texts["rows"] if block else ["z", *rows]
            at = {n: walk.state[texts["rows"].index(n)].vector() for n in known}
            at = {n: plus(v, SOLUTION, -1 if n == "z" else -weights[n]) for n, v in at.items()}
            if "shadow" in named:  # V is 0 at z* + γ F z*
                star = walk.oracles.ask("F", {}, 0)[1]
                at["z"] = plus(at["z"], star, -Fraction(named["shadow"]))
            for n, c in named.get("away", {}).items():  # and where rows are c F z*
                if n not in texts["rows"]:
                    raise Differs(f"{n[:20]!r} is no row that V could be told by")
                if n in known:
                    at[n] = plus(at[n], walk.oracles.ask("F", {}, 0)[1], -Fraction(c))
            if "F z" in {of_now(n) for n in named["vectors"]}:
                at["F z"] = walk.oracles.ask("F", at["z"], 0)[1]
                if document["constrained"]:  # told from F z*
                    at["F z"] = plus(at["F z"], walk.oracles.ask("F", {}, 0)[1], -1)
            states.append(at)
            for i in range(steps if block < blocks else 0):
                walk.advance(Any_k(first + block * steps + i, steps))
        return walk, [
            {
                "before(" * i + n + ")" * i: v
                for i in range(history + 1)
                for n, v in states[t - i].items()
            }
            for t in range(history, len(states))
        ]

    walked, states = _split(document, run)
    forms = [_of_matrix(named, states[-1])]
    if named["above"] is None:
        forms.append(_of_matrix(named, states[0]))
    else:
        least = states[-1][{"distance": "z", "residual": "F z"}[named["above"]]]
        forms.insert(0, Form(product(least, least)))
    _no_star(forms)
    what = "every step" if steps == 1 else f"every {steps} steps together"
    back = history * steps
    what += f" from k = {first + back} on" if first + back else ""
    state = " and ".join(["z", *rows])
    verb = "are" if rows else "is"
    ago = f" {back} step{'s' if back > 1 else ''} before" if back else ""
    covers = f"{what}: they depend on {state} alone, and {state}{ago} {verb} arbitrary"
    return Reading(walked.oracles.names, walked.oracles.calls, forms[0], forms[1], covers)


def of_now(vector: str) -> str:
    """What stands inside of before(...)."""
    while vector.startswith("before(") and vector.endswith(")"):
        vector = vector[len("before(") : -1]
    return vector


def _weights(document: dict[str, Any], params: list[Any], dimension: int) -> dict[str, Fraction]:
    """How much of z* each row holds, after some steps of a run from the start and later on."""
    said, texts = document["statement"], document["texts"]
    named = said["potential"]
    point = plus({"z0": Fraction(1)}, SOLUTION)
    start = {n: {} if n in texts["zero"] else point for n in texts["rows"]}
    rows = _rows(document, start, HIDDEN)
    interpreter = Interpreter(texts)
    walk = Run(document, interpreter, params, rows, dimension=dimension, split=False)
    weights = []
    for i in range(named["first"] + 2 * named["steps"]):
        walk.advance(i)
        if i + 1 >= named["first"] + named["steps"]:
            vectors = [row.vector() for row in walk.state[: walk.count]]
            weights.append([v.get(STAR, Fraction(0)) for v in vectors])
    if weights[0] != weights[-1] or not {*weights[0]} <= {0, 1}:
        raise Differs("a row drifts with the origin")
    return dict(zip(texts["rows"], weights[0], strict=True))


def _of_matrix(named: dict[str, Any], at: dict[str, Vector]) -> Form:
    """Σ P_ij ⟨v_i, v_j⟩."""
    total: Square = {}
    if unknown := {*named["vectors"]} - {*at}:
        raise Differs(f"V cannot be made of {min(unknown)[:40]!r}")
    for i, line in enumerate(named["matrix"]):
        for j, value in enumerate(line):
            if len(line) != len(named["vectors"]) or value != named["matrix"][j][i]:
                raise Differs("the matrix of V is not symmetric")
            both = product(at[named["vectors"][i]], at[named["vectors"][j]])
            total = added(total, both, Fraction(value))
    return Form(total)


# ---- words against numbers -----------------------------------------------------------------------


def compare(document: dict[str, Any], semidefinite: Any) -> None:
    """Compare all that a certificate says with its numbers.

    Args:
        document: a certificate whose fields are of the format's kinds.
        semidefinite: whether a symmetric matrix of rationals, as lists, is so.

    Raises Differs where the words are not what the numbers are about, Unread where its texts are
    of a kind that is not read here.
    """
    _hypotheses(document)
    reread = reading(document)
    own, basis = {*reread.basis}, {*document["basis"]}
    if own - {"F*"} != basis - {"F*"} or "F*" in own - basis:
        raise Differs("its vectors are not those that its texts give")
    calls = [
        {**c, "before": _fractions(c["before"]), "gamma": Fraction(c["gamma"])}
        for c in document["calls"]
    ]
    same = {"S": "F"} if document["statement"]["A"] == "zero" else {}  # with A = 0 they are one
    if calls != [{**c, "of": same.get(c["of"], c["of"])} for c in reread.calls]:
        raise Differs("its calls are not those that its texts give")
    for side, form in (("measure", reread.measure), ("bound", reread.bound)):
        total = added(form.exact, written(document[side]), -1)
        for irrational, square in form.rest:  # rounded down in the file
            if side == "measure" or not semidefinite(_matrix(square)):
                raise Unread(f"its {side} has an irrational factor that can't be rounded")
            total = added(total, square, irrational.low)
        if total and not (form.rest and semidefinite(_matrix(total))):
            raise Differs(f"its {side} is not what its texts give")
    if document["statement"]["covers"] != reread.covers:
        raise Differs(f"its texts are about {reread.covers}, not what it says that they cover")


def _hypotheses(document: dict[str, Any]) -> None:
    said, own = document["statement"], document["properties"]
    constants, names = said["constants"], []
    for p, prop in zip(said["given"], own, strict=False):
        constant = p["constant"]
        names.append(p["kind"] + (f"({constant})" if constant else "") + f" of {p['of']}")
        if prop != {**p, "constant": constants.get(constant, constant)}:
            raise Differs("its properties are not the hypotheses with these constants")
    rest, zero = own[len(names) :], said["A"] == "zero"
    kind = {"monotone": "Monotone", "subdifferential": "Subdifferential"}.get(said["A"])
    if len(names) < len(said["given"]) or not {*constants} <= {
        p["constant"] for p in said["given"]
    }:
        raise Differs("its constants are not those of its hypotheses")
    if (kind is None) is not zero or zero is document["constrained"]:
        raise Differs("what it says that A is, is not what the numbers are about")
    if rest and (zero or rest != [{"kind": kind, "constant": None, "of": "A"}]):
        raise Differs("it uses a property that is no hypothesis")
    if said["hypotheses"] != names:
        raise Differs("its hypotheses in words are not those given")


def _fractions(vector: dict[str, str]) -> Vector:
    return {n: Fraction(v) for n, v in vector.items() if Fraction(v)}


def written(terms: list[dict[str, Any]]) -> Square:
    """A form as it stands in a file."""
    total: Square = {}
    for t in terms:
        both = product(_fractions(t["left"]), _fractions(t["right"]))
        total = added(total, both, Fraction(t["factor"]))
    return total


def _matrix(square: Square) -> list[list[Fraction]]:
    names = sorted({n for pair in square for n in pair})
    half = {p: v if p[0] == p[1] else v / 2 for p, v in square.items()}
    return [[half.get((min(i, j), max(i, j)), Fraction(0)) for j in names] for i in names]
