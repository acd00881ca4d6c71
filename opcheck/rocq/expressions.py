"""Reals and vectors as trees: what a kernel computes, and what a text says, to be written out.

A kernel's own text runs on them as on numbers. Nothing is simplified but products with 1, 0 and −1
and sums with 0, so that a reader recognises the iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq

from opcheck.engine.ratio import Special
from opcheck.errors import OpcheckError, Undecided


class NotExported(OpcheckError):
    """A proved statement has no form in Rocq here. The message says what of it has none."""


@dataclass(frozen=True)
class At:
    """An index: factor · base + add, or a number where there is no base."""

    base: str
    factor: int = 1
    add: int = 0

    def plus(self, steps: int) -> At:
        """So many steps later."""
        return At(self.base, self.factor, self.add + steps)

    @property
    def nat(self) -> str:
        """As a natural number of Rocq. Raises NotExported for a number below 0."""
        if not self.base:
            if self.add < 0:
                raise NotExported("it speaks of a step before the first")
            return str(self.add)
        word = self.base if self.factor == 1 else f"({self.factor} * {self.base})"
        for _ in range(-self.add):
            word = f"(Nat.pred {word})"
        for _ in range(self.add):
            word = f"(S {word})"
        return word

    @property
    def real(self) -> str:
        """As a real number of Rocq."""
        if not self.base:
            return str(self.add)
        word = f"INR {self.base}" if self.factor == 1 else f"{self.factor} * INR {self.base}"
        if not self.add:
            return word
        return f"{word} {'+' if self.add > 0 else '-'} {abs(self.add)}"


def number(value: Any) -> Real:
    """A rational number."""
    q = Fraction(int(value.p), int(value.q)) if isinstance(value, fmpq) else Fraction(value)
    return Real("number", (q,))


def _real(value: Any) -> Real | None:
    if isinstance(value, Real):
        return value.tree
    if isinstance(value, bool) or not isinstance(value, int | fmpq | Fraction):
        return None
    return number(value)


@dataclass(frozen=True)
class Real:
    """A real number.

    Attributes:
        kind: "number", "symbol" (name), "index" (at), "let" (name, at), "negative", "+", "-", "*",
            "/", "^" (base, whole number), "^k" (base, at), "sqrt", "inner" (u, v), "before" and
            "best" (name of a term, at), "mod" (at, period), "case" (at, period, the name of one, or
            0, numbers, yes, no), "whole" (name of a whole parameter), "max" and "min" (a, b), "if"
            (small, large, strict?, yes, no), "of_horizon" (name, last k, at or None), "at last"
            (at, yes, no): whether an index is the last one of the run.
        parts: what it is made of.
    """

    kind: str
    parts: tuple[Any, ...]

    @property
    def tree(self) -> Real:
        """The number without what a kernel may ask of it."""
        return self

    @property
    def constant(self) -> Fraction | None:
        """Its value where it is a literal."""
        return self.parts[0] if self.kind == "number" else None

    def _with(self, kind: str, other: Any, swapped: bool = False) -> Any:
        second = _real(other)
        if second is None:
            return NotImplemented
        a, b = (second, self.tree) if swapped else (self.tree, second)
        return _combined(kind, a, b)

    def __add__(self, other: Any) -> Any:
        return self if isinstance(other, int) and other == 0 else self._with("+", other)

    def __radd__(self, other: Any) -> Any:
        return self if isinstance(other, int) and other == 0 else self._with("+", other, True)

    def __sub__(self, other: Any) -> Any:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> Any:
        return self._with("-", other, True)

    def __mul__(self, other: Any) -> Any:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> Any:
        return self._with("*", other, True)

    def __truediv__(self, other: Any) -> Any:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with("/", other, True)

    def __neg__(self) -> Real:
        value = self.tree
        return number(-value.parts[0]) if value.kind == "number" else Real("negative", (value,))

    def __pow__(self, power: int) -> Real:
        if not isinstance(power, int):
            return NotImplemented
        raised = Real("^", (self.tree, abs(power)))
        return raised if power >= 0 else _combined("/", number(1), raised)

    def _refused(self, *_: Any) -> Any:
        raise Undecided("what a step does depends on the value of a parameter")

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __float__ = __int__ = __abs__ = _refused


def _opposite(factor: Real) -> Real | None:
    """The opposite of a factor that is written with a minus in front; else None."""
    if factor.kind == "negative":
        inner: Real = factor.parts[0]
        return inner
    if factor.constant is not None:
        return -factor if factor.constant < 0 else None
    if factor.kind in ("*", "/"):
        first = _opposite(factor.parts[0])
        return None if first is None else _combined(factor.kind, first, factor.parts[1])
    return None


def _combined(kind: str, a: Real, b: Real) -> Real:
    if a.constant is not None and b.constant is not None and (kind != "/" or b.constant):
        values: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
            "+": lambda x, y: x + y,
            "-": lambda x, y: x - y,
            "*": lambda x, y: x * y,
            "/": lambda x, y: x / y,
        }
        return number(values[kind](a.constant, b.constant))
    match kind:
        case "*" if a.constant == 1:
            return b
        case "*" | "/" if b.constant == 1:
            return a
        case "+" if a.constant == 0:
            return b
        case "+" | "-" if b.constant == 0:
            return a
    return Real(kind, (a, b))


class KernelIndex(Real):
    """The k of one step, as a kernel sees it; what it is made of is ≥ 0.

    Args:
        role: of the step in a loop of any length; "" where there is none.
    """

    role: str
    offset = 0  # of the step, by which the entries of a sequence are laid out

    def __init__(self, at: At, role: str = "") -> None:
        super().__init__("index", (at,))
        object.__setattr__(self, "role", role)

    @property
    def at(self) -> At:
        """The index."""
        at: At = self.parts[0]
        return at

    @property
    def tree(self) -> Real:
        """The number without what a kernel may ask of it."""
        return number(self.at.add) if not self.at.base else Real("index", (self.at,))

    def phase(self, period: Any) -> Any:
        """k mod period. Raises Undecided where that depends on k."""
        if hasattr(period, "phase"):  # of any length
            return period.phase(self.role)
        if self.at.base and self.at.factor % period:
            raise Undecided(f"k mod {period} depends on k")
        return self.at.add % period

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int):
            return NotImplemented
        if not self.at.base:
            return self.at.add == other
        if other < self.at.add:
            return False
        if self.at.factor > 1 and (other - self.at.add) % self.at.factor:
            return False
        raise Special(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Real.__hash__


@dataclass(frozen=True)
class Vector:
    """A vector.

    Attributes:
        kind: "row" (name, at), "inside" (name, at: before the last pass of an inner loop of that
            step), "z0", "zstar", "zero", "image" (name of a map, point), "negative", "+", "-",
            "scaled" (factor, vector).
        parts: what it is made of.
    """

    kind: str
    parts: tuple[Any, ...] = ()

    def __add__(self, other: Any) -> Any:
        if isinstance(other, int) and other == 0:
            return self
        if not isinstance(other, Vector):
            return NotImplemented
        if self.kind == "zero" or other.kind == "zero":
            return self if other.kind == "zero" else other
        if other.kind == "negative":
            return Vector("-", (self, other.parts[0]))
        opposite = _opposite(other.parts[0]) if other.kind == "scaled" else None
        if opposite is not None:
            return Vector("-", (self, other.parts[1] * opposite))
        return Vector("+", (self, other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if not isinstance(other, Vector):
            return NotImplemented
        if other.kind == "zero":
            return self
        return -other if self.kind == "zero" else Vector("-", (self, other))

    def __neg__(self) -> Vector:
        return self if self.kind == "zero" else Vector("negative", (self,))

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Vector):
            return Real("inner", (self, other))
        factor = _real(other)
        if factor is None:
            return NotImplemented
        if factor.constant == 0 or self.kind == "zero":
            return ZERO
        if factor.constant == 1:
            return self
        if factor.constant == -1:
            return -self
        return Vector("scaled", (factor, self))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        factor = _real(other)
        return NotImplemented if factor is None else self * _combined("/", number(1), factor)


ZERO, Z0, ZSTAR = Vector("zero"), Vector("z0"), Vector("zstar")
HORIZON = At("n")  # the last k, where a potential speaks of it
LAST = At("K")  # the last k of the run, where the statement speaks of it
Tree = Real | Vector


def children(node: Tree) -> Iterator[Tree]:
    """The parts of a tree that are trees."""
    for part in node.parts:
        if isinstance(part, Real | Vector):
            yield part


def walk(node: Tree) -> Iterator[Tree]:
    """A tree and everything below it, what is inside first."""
    for child in children(node):
        yield from walk(child)
    yield node


def replaced(node: Any, images: Mapping[Tree, Tree]) -> Any:
    """The tree with parts replaced, outermost first."""
    if node in images:
        return images[node]
    parts = tuple(replaced(p, images) if isinstance(p, Real | Vector) else p for p in node.parts)
    return node if parts == node.parts else type(node)(node.kind, parts)


# ---- in the words of Rocq ------------------------------------------------------------------------

SUM, PRODUCT, POWER, APPLIED, ATOM = 1, 2, 3, 4, 5  # how tightly a word holds together


def fraction(value: Fraction) -> tuple[str, int]:
    """A rational in words, and how tightly they hold together."""
    word = str(abs(value.numerator))
    binding = ATOM
    if value.denominator != 1:
        word, binding = f"{word} / {value.denominator}", PRODUCT
    return (
        (word, binding) if value >= 0 else (f"- ({word})" if binding < ATOM else f"- {word}", SUM)
    )


class Writer:
    """Trees in the words of Rocq.

    Args:
        word: names of the development by what they stand for.
        named: trees that have a name of their own where they stand.
    """

    def __init__(self, word: Callable[[str], str], named: Mapping[Tree, str] | None = None) -> None:
        self.word, self.named = word, dict(named or {})

    def __call__(self, node: Tree, binding: int = 0) -> str:
        """The words, in parentheses where they hold together less tightly than ``binding``."""
        word, own = self._written(node)
        return f"({word})" if own < binding else word

    def _written(self, node: Tree) -> tuple[str, int]:
        if node in self.named:
            name = self.named[node]
            return name, APPLIED if " " in name else ATOM
        return self._vector(node) if isinstance(node, Vector) else self._real(node)

    def _real(self, node: Real) -> tuple[str, int]:
        match node.kind, node.parts:
            case "number", (value,):
                return fraction(value)
            case "symbol", (name,):
                return self.word(name), ATOM
            case "index", (at,):
                tight = ATOM if not at.base else SUM if at.add else PRODUCT
                return at.real, APPLIED if at.real.startswith("INR") and not at.add else tight
            case "let", (name, at):
                return f"{self.word(name)} {at.nat}", APPLIED
            case "negative", (a,):
                return f"- {self(a, PRODUCT)}", SUM
            case ("+" | "-") as sign, (a, b):
                return f"{self(a, SUM)} {sign} {self(b, PRODUCT)}", SUM
            case ("*" | "/") as sign, (a, b):
                return f"{self(a, PRODUCT)} {sign} {self(b, POWER)}", PRODUCT
            case "^", (a, power):
                return f"{self(a, APPLIED)} ^ {power}", POWER
            case "^k", (a, at):
                return f"{self(a, APPLIED)} ^ {at.nat}", POWER
            case "sqrt", (a,):
                return f"sqrt {self(a, ATOM)}", APPLIED
            case "inner", (u, v):
                if u == v:
                    return f"norm2 {self(u, ATOM)}", APPLIED
                return f"inner {self(u, ATOM)} {self(v, ATOM)}", APPLIED
            case ((("before" | "best") as over), (term, at)):
                return f"{over} {term} {at.nat}", APPLIED
            case "whole", (name,):
                return f"INR {self.word(name)}", APPLIED
            case "mod", (at, period):
                return f"INR (Nat.modulo {at.nat} {period})", APPLIED
            case "case", (at, period, values, yes, no):
                word = self.word(period) if isinstance(period, str) else period
                test = f"Nat.modulo {at.nat} {word}" if period else at.nat
                these = " | ".join(map(str, values))
                return f"match {test} with {these} => {self(yes)} | _ => {self(no)} end", 0
            case ((("max" | "min") as extreme), (a, b)):
                return f"R{extreme} {self(a, ATOM)} {self(b, ATOM)}", APPLIED
            case "if", (small, large, strict, yes, no):
                test = f"R{'lt' if strict else 'le'}_dec {self(small, ATOM)} {self(large, ATOM)}"
                return f"if {test} then {self(yes)} else {self(no)}", 0
            case "at last", (at, yes, no):
                test = f"Nat.eqb {at.nat} {LAST.nat}"
                return f"(if {test} then {self(yes)} else {self(no)})", ATOM
            case "of_horizon", (name, last, at):
                indices = [last.nat, *([at.nat] if at is not None else [])]
                return " ".join([self.word(name), *indices]), APPLIED
        raise NotExported(f"a number of the kind {node.kind} has no word")

    def _vector(self, node: Vector) -> tuple[str, int]:
        match node.kind, node.parts:
            case ("zero" | "z0" | "zstar") as name, _:
                return name, ATOM
            case "row", (name, at):
                return f"{self.word(name)} {at.nat}", APPLIED
            case "inside", (_, at):
                return f"inside {at.nat}", APPLIED
            case "image", (name, point):
                return f"{name} {self(point, ATOM)}", APPLIED
            case "negative", (a,):
                return f"-1 * {self(a, POWER)}", PRODUCT
            case ("+" | "-") as sign, (a, b):
                return f"{self(a, SUM)} {sign} {self(b, PRODUCT)}", SUM
            case "scaled", (factor, a):
                return f"{self(factor, POWER)} * {self(a, POWER)}", PRODUCT
        raise NotExported(f"a vector of the kind {node.kind} has no word")
