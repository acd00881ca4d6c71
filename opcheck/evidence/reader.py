"""Texts of statements and of proofs, read on a step that stands for every step."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from flint import fmpq

from opcheck import registry
from opcheck.engine.forms import Coefficient, Sparse
from opcheck.engine.numbers import literal
from opcheck.engine.ratio import Field, Ratio
from opcheck.engine.run import take
from opcheck.engine.steps import Steps, add_inner
from opcheck.errors import OpcheckError
from opcheck.model.property import Property
from opcheck.model.theorem import Theorem

SHIFT = {"next": 1, "last": -1}
OPERATORS = ("F", "A", "S", "resolvent", "inner", "norm2", "Resolvent", "Subgradient")
CONCRETE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}


def parsed(source: str) -> ast.expr:
    """The expression that a text is. Raises OpcheckError where it is none."""
    try:
        return ast.parse(source.strip(), mode="eval").body
    except SyntaxError as error:
        raise OpcheckError(f"{source!r} is not a formula: {error.msg}") from error


class Total:
    """A sum of inner products of basis vectors and of quantities known by name, with factors."""

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Any, Ratio]) -> None:
        self.terms = {key: c for key, c in terms.items() if c}

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, Total):
            return self if isinstance(other, Ratio) and not other else NotImplemented
        terms = dict(self.terms)
        for key, c in other.terms.items():
            terms[key] = terms[key] + c if key in terms else c
        return Total(terms)

    __radd__ = __add__

    def __neg__(self) -> Total:
        return Total({key: -c for key, c in self.terms.items()})

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return (-self) + other

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Ratio):
            return NotImplemented
        return Total({key: c * other for key, c in self.terms.items()})

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self * (1 / other)


class Reader:
    """Values of texts at index k + offset: a Ratio, a vector (Coefficient) or a Total.

    Args:
        field: of the theorem's constants and parameters, and of what k is made of.
        k: an index that stands for many, or the number 0 at the start of a run.
        case: integer parameters that have values.
        before, after: how many steps are made before k and after it.
        started: whether the steps are the first of a run: then R and sums have values.
        least: the smallest k.
    """

    def __init__(
        self,
        theorem: Theorem,
        field: Field,
        k: Ratio,
        case: Mapping[str, int],
        before: int,
        after: int,
        started: bool,
        least: int,
    ) -> None:
        self.theorem, self.field, self.k, self.case = theorem, field, k, case
        self.started, self.rows = started, theorem.method.rows
        self._lets: dict[tuple[str, int], Any] = {}
        self.sums: dict[str, Ratio] = {}  # symbol of a sum over j < k -> its term at k
        self.powers: dict[str, Ratio] = {}  # symbol of x^k -> x
        self.roots: dict[str, Ratio] = {}  # symbol of √x -> x
        self.properties = {p.kind.name: p for p in theorem.asked}
        self.measures = frozenset(registry.names("measures"))
        constrained = theorem.constrained and theorem.method.constrained
        self.steps = Steps(
            theorem.method, field, k, self._parameter, before, after, constrained, started, least
        )

    def symbol(self, name: str, offset: int) -> Any:
        """A constant, a parameter, k, or what ``let`` defines, at k + offset."""
        if name == "k":
            return self.k + offset
        if name in self.case:
            return self.field.number(self.case[name])
        if name in self.theorem.let:
            key = (name, offset)
            if key not in self._lets:
                self._lets[key] = self.read(self.theorem.let[name], offset)
            return self._lets[key]
        if name in self.field.generators:
            return self.field.symbol(name)
        rows, symbols = ", ".join(self.rows), ", ".join([*self.theorem.let, *self.field.known])
        raise OpcheckError(f"{name!r} is neither a row ({rows}) nor a symbol ({symbols}) of it")

    def _parameter(self, name: str, offset: int) -> Any:
        value = self.symbol(name, offset)
        whole = any(p.symbol == name and p.integer for p in self.theorem.method.parameters)
        return int(value.constant().p) if whole else value

    def read(self, source: str, offset: int = 0) -> Any:
        """The value of a text. Raises OpcheckError where it can't be read."""
        try:
            return self._value(parsed(source), offset)
        except (TypeError, ZeroDivisionError, IndexError) as error:
            raise OpcheckError(f"{source!r} can't be read on a step: {error}") from error

    def inequality(self, source: str, offset: int = 0) -> tuple[str, list[Sparse]]:
        """The name of an inequality and its points. Raises OpcheckError for another text."""
        node, at = parsed(source), offset
        while isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name not in SHIFT:
                points = [self._value(a, at) for a in node.args]
                if all(isinstance(p, Coefficient) for p in points):
                    return name, [p.vector for p in points]
                break
            node, at = node.args[0], at + SHIFT[name]
        raise OpcheckError(f"{source!r} is no inequality between points")

    def total(self, source: str, offset: int = 0) -> Total:
        """The value of a text that must be quadratic."""
        found = self.read(source, offset)
        if isinstance(found, Ratio) and not found:
            return Total({})
        if not isinstance(found, Total):
            raise OpcheckError(f"{source!r} is no quadratic form in the points of the run")
        return found

    def _value(self, node: ast.expr, at: int) -> Any:
        match node:
            case ast.Constant(value=int() as value) if not isinstance(value, bool):
                return self.field.number(value)
            case ast.Constant(value=float() as value):
                return self.field.number(literal(repr(value)))
            case ast.Name(id=name):
                return self._named(name, at)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand, at)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(left, right, at)
            case ast.BinOp(left=left, op=op, right=right):
                return self._combined(self._value(left, at), op, self._value(right, at))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in CONCRETE:
                # of a difference that is no number, Undecided: a symbol is equal to nothing by name
                gap = self._value(left, at) - self._value(right, at)
                return CONCRETE[type(op)](gap.constant(), 0)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._called(name, args, at)
        raise OpcheckError(f"{ast.unparse(node)!r} may not stand in a proof")

    def _combined(self, a: Any, op: ast.operator, b: Any) -> Any:
        if isinstance(op, ast.Mult) and isinstance(a, Coefficient) and isinstance(b, Coefficient):
            raise TypeError("the product of two vectors is written inner(u, v)")
        match op:
            case ast.Add():
                return a + b
            case ast.Sub():
                return a - b
            case ast.Mult():
                return a * b
            case ast.Div():
                return a / b
        raise TypeError(f"unknown operation {type(op).__name__}")

    def _named(self, name: str, at: int) -> Any:
        if name in self.measures and name not in self.rows:
            return self._measured(name, (), at)
        if name == "R":
            raise TypeError("R enters by its square only")
        if name == "solution" or name in self.rows:
            return Coefficient(self.steps.row(name, at))
        return self.symbol(name, at)

    def _power(self, base: ast.expr, exponent: ast.expr, at: int) -> Any:
        power = self._value(exponent, at)
        if isinstance(base, ast.Name) and base.id == "R":
            if power != 2:
                raise TypeError("R enters by its square only")
            if "anchor" in self.rows:  # the row that stays where the run began
                return self._squared(self.steps.row("anchor", at))
            return self._constant("R**2", lambda: self._squared(((0, self.field.number(1)),)))
        value = self._value(base, at)
        if not isinstance(value, Ratio):
            raise TypeError("what is measured is raised to a power")
        if not power.symbols:
            whole = power.constant()
            if whole.q != 1:
                raise TypeError(f"the power {whole} is not whole")
            return value ** int(whole.p)
        # x^(c + m k): a symbol for x^k
        k = self.symbol("k", 0)
        zero, one = ({n: self.field.number(v) for n in k.symbols} for v in (0, 1))
        slope = self.field.at(power, one) - self.field.at(power, zero)
        slope = slope / (self.field.at(k, one) - self.field.at(k, zero))
        rest = power - slope * k
        if slope.symbols or rest.symbols or value.symbols & k.symbols:
            raise TypeError(f"the power {ast.unparse(exponent)} is not linear in k")
        if slope.constant().q != 1 or rest.constant().q != 1:
            raise TypeError(f"the power {ast.unparse(exponent)} is not whole")
        name, symbol = self.field.spare(f"({value})**k")
        self.powers[name] = value
        return symbol ** int(slope.constant().p) * value ** int(rest.constant().p)

    def _called(self, name: str, args: list[ast.expr], at: int) -> Any:
        rows = tuple(a.id for a in args if isinstance(a, ast.Name))
        known = {*self.rows, "solution", "before"}
        plain = len(rows) == len(args) and known.issuperset(rows)
        if name in self.measures and plain:
            return self._measured(name, rows, at)
        if name in SHIFT and len(args) == 1:
            return self._value(args[0], at + SHIFT[name])
        if name in ("before", "upto", "first") and len(args) == 1:
            return self._summed(name, args[0], at)
        if name == "sqrt" and len(args) == 1:
            return self._root(self._value(args[0], at))
        if name in ("where", "mod", "max", "min"):
            return self._chosen(name, args, at)
        values = [self._value(a, at) for a in args]
        if name in self.properties or name in OPERATORS:
            if not all(isinstance(v, Coefficient) for v in values):
                raise TypeError(f"{name} takes vectors")
            return self._operator(name, [v.vector for v in values])
        offered = ", ".join([*self.properties, *OPERATORS])
        raise OpcheckError(f"{name!r} is neither a hypothesis nor a function of proofs: {offered}")

    def _root(self, value: Any) -> Ratio:
        if not isinstance(value, Ratio):
            raise TypeError("the root of what is measured is no quadratic form")
        name, symbol = self.field.spare(f"sqrt({value})")
        self.roots[name] = value
        return symbol

    def _operator(self, name: str, points: list[Sparse]) -> Any:
        match name, points:
            case (("F" | "A" | "S"), [p]):
                return Coefficient(self.steps.value(name, p))
            case "resolvent", [p]:
                gamma = self.symbol(self.theorem.method.parameters[0].symbol, 0)
                return Coefficient(self.steps.oracle.ask("S", p, gamma)[0])
            case "norm2", [u]:
                return self._squared(u)
            case "inner", [u, v]:
                return self._inner(u, v)
            case "Resolvent", [p, q]:
                return self._form((0, Fraction(1, 2), 0), "A", p, q)
            case "Subgradient", [p, q]:
                slope = Coefficient(self.steps.value("A", p))
                move = Coefficient(q) - Coefficient(p)
                sides = Total({f"f({q})": self.field.number(1)}) - Total(
                    {f"f({p})": self.field.number(1)}
                )
                return sides - self._inner(slope.vector, move.vector)
        if name in self.properties and len(points) in (1, 2):
            prop = self.properties[name]
            pair = points if len(points) == 2 else [points[0], ()]
            if prop.kind.star and () not in pair:
                raise OpcheckError(f"{name} holds against the solution only: {name}(v)")
            return self._form(self._filled(prop), prop.of, *pair)
        raise OpcheckError(f"{name} takes another number of arguments")

    def _filled(self, prop: Property) -> tuple[Any, Any, Any]:
        if prop.kind.better is None:
            return prop.form()
        constant = self.symbol(prop.constant, 0)
        return prop.form(constant)

    def _form(self, form: tuple[Any, Any, Any], of: str, p: Sparse, q: Sparse) -> Total:
        of = "F" if of == "T" else of
        a, b, c = (self.field.number(_exact(v)) for v in form)
        x = (Coefficient(p) - Coefficient(q)).vector
        u = (Coefficient(self.steps.value(of, p)) - Coefficient(self.steps.value(of, q))).vector
        found: Total = self._inner(x, x) * a + self._inner(x, u) * (2 * b) + self._inner(u, u) * c
        return found

    def _inner(self, u: Sparse, v: Sparse) -> Total:
        terms: dict[Any, Ratio] = {}
        add_inner(terms, u, v, self.field.number(1))
        return Total(terms)

    def _squared(self, u: Sparse) -> Total:
        return self._inner(u, u)

    def _measured(self, name: str, rows: tuple[str, ...], at: int) -> Total:
        return Total(self.steps.measured(take(name, rows), at))

    def _constant(self, name: str, value: Callable[[], Any]) -> Any:
        """What does not depend on k: its value where the run begins, else a name for it."""
        return value() if self.started else Total({name: self.field.number(1)})

    def _summed(self, name: str, summand: ast.expr, at: int) -> Any:
        if name == "upto":
            return self._summed("before", summand, at) + self._value(summand, at)
        if name == "first":
            return self._constant(f"first({ast.unparse(summand)})", lambda: self._value(summand, 0))
        if self.started:
            total: Any = self.field.number(0)
            for j in range(at):
                total = total + self._value(summand, j)
            return total
        one = self._value(summand, 0)
        text = f"before({ast.unparse(summand)})"
        if isinstance(one, Ratio) and one:
            name, total = self.field.spare(text)
            self.sums[name] = one
        else:
            total = Total({text: self.field.number(1)})
        for j in range(at):
            total = total + self._value(summand, j)
        for j in range(at, 0):
            total = total - self._value(summand, j)
        return total

    def _chosen(self, name: str, args: list[ast.expr], at: int) -> Any:
        if name == "where":
            condition = self._value(args[0], at)
            return self._value(args[1] if condition else args[2], at)
        a, b = (self._value(v, at) for v in args)
        if name == "mod":
            return self.field.number(a.phase(int(b.constant().p)))
        return (a if a >= b else b) if name == "max" else (a if a <= b else b)


def _exact(value: Any) -> Any:
    return fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else value
