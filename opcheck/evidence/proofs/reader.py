"""Texts of statements and of proofs, read on a step that stands for every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq

from opcheck import registry
from opcheck.engine.forms import Coefficient, Sparse
from opcheck.engine.ratio import Field, Period, Ratio
from opcheck.engine.run import take
from opcheck.engine.steps import Steps, add_inner
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.positivity import Domain
from opcheck.evidence.statement.ranges import domain
from opcheck.evidence.statement.scalars import Scalars
from opcheck.model import grammar
from opcheck.model.grammar import Call, Comparison, Name, Node
from opcheck.model.proof import FINAL
from opcheck.model.property import Property
from opcheck.model.theorem import WORDS_OF_A, Theorem

SHIFT = {"next": 1, "last": -1}
OF_A = ("Resolvent", "Subgradient")  # inequalities that every A, or every ∂f, satisfies
OF_BEST = ("Least", "Mean")  # inequalities of best(s): it is at most s, and the mean of the s_j
CAUCHY = "Cauchy"  # (u, v, w): ⟨u, v⟩ is at most √(‖u‖² ‖w‖²) where v is no longer than w
OPERATORS = ("F", "A", "S", "resolvent", "inner", "norm2", "Resolvent", "Subgradient")


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


class Reader(Scalars):
    """Values of texts at index k + offset: a Ratio, a vector (Coefficient) or a Total.

    Args:
        field: of the theorem's constants and parameters, and of what k is made of.
        k: an index that stands for many, or the number 0 at the start of a run.
        case: integer parameters that have values, or stand for all from one on.
        before, after: how many steps are made before k and after it.
        started: whether the steps are the first of a run: then R and sums have values.
        least: the smallest k.
        indices: the symbols that k is made of, and whole parameters.
        assumed: tests of its texts that are taken to hold, or not to.
        ended: the offset at which the run ends, if it does; else ``final`` is an unknown vector.
    """

    def __init__(
        self,
        theorem: Theorem,
        field: Field,
        k: Ratio,
        case: Mapping[str, int | Period],
        *,
        before: int,
        after: int,
        started: bool,
        least: int,
        indices: Sequence[str] = (),
        assumed: Sequence[tuple[Comparison, int, bool]] = (),
        ended: int | None = None,
    ) -> None:
        super().__init__(theorem, field, k, case, least)
        self.indices, self.assumed = indices, [*assumed]
        self._domains: dict[int, Domain] = {}
        self.ended, self._finals = ended, dict[str, Sparse]()
        if ended is not None:  # one number, also where a text speaks of another step
            assert theorem.proof is not None
            self.images[theorem.proof.horizon] = self.k + ended
        self.started, self.rows = started, theorem.iteration.rows
        self.properties = {p.kind.name: p for p in theorem.asked}
        self.measures = frozenset(registry.names("measures"))
        self.steps = Steps(
            theorem.iteration,
            field,
            k,
            self._parameter,
            before=before,
            after=after,
            A=theorem.A,
            start=started,
            least=least,
        )

    def _parameter(self, name: str, offset: int) -> Any:
        value = self.symbol(name, offset)
        whole = any(p.symbol == name and p.integer for p in self.theorem.iteration.parameters)
        if not whole or isinstance(value, Period):
            return value
        count = value.constant()
        if count.q != 1 or count < 1:
            raise OpcheckError(f"{name} = {count} must be a whole number from 1 on")
        return int(count.p)

    def inequality(self, source: str, offset: int = 0) -> tuple[str, list[Sparse]]:
        """The name of an inequality and its points. Raises OpcheckError for another text."""
        node, at = self._inequality(source, offset)
        points = [self._value(a, at) for a in node.arguments]
        if not all(isinstance(p, Coefficient) for p in points):
            raise OpcheckError(f"{source!r} is no inequality between points")
        return node.function, [p.vector for p in points]

    def known(self, source: str, offset: int = 0) -> Total:
        """What an inequality says is ≥ 0; that of a hypothesis or of A, and of nothing else.

        Raises OpcheckError for another text.
        """
        node, at = self._inequality(source, offset)
        return self.total(node, at)

    def _inequality(self, source: str, offset: int) -> tuple[Call, int]:
        node: Node = grammar.parse(source)
        at = offset
        while isinstance(node, Call):
            if node.function in SHIFT and len(node.arguments) == 1:
                at += SHIFT[node.function]
                node = node.arguments[0]
                continue
            if node.function not in (*self.properties, *OF_A, *OF_BEST, CAUCHY):
                break
            return node, at
        offered = ", ".join([*self.properties, *OF_A, *OF_BEST, CAUCHY])
        raise OpcheckError(f"{source!r} is no inequality that is known: those are {offered}")

    def between(self, name: str, first: Sparse, second: Sparse) -> Total:
        """What an inequality of that name says is ≥ 0 of two points, given as vectors."""
        value: Total = self._operator(name, [first, second])
        return value

    def total(self, source: str | Node, offset: int = 0) -> Total:
        """The value of a text that must be quadratic."""
        value = self.read(source, offset)
        if isinstance(value, Ratio) and not value:
            return Total({})
        if not isinstance(value, Total):
            shown = source if isinstance(source, str) else grammar.unparse(source)
            raise OpcheckError(f"{shown!r} is no quadratic form in the points of the run")
        return value

    def _combined(self, sign: str, a: Any, b: Any) -> Any:
        if sign == "*" and isinstance(a, Coefficient) and isinstance(b, Coefficient):
            raise TypeError("the product of two vectors is written inner(u, v)")
        if sign == "*" and isinstance(a, Total) and isinstance(b, Total):
            return Product(a, b)
        if sign == "*" and isinstance(a, Radius) and isinstance(b, Radius):
            return self._radius_squared() * (a.factor * b.factor)
        return super()._combined(sign, a, b)

    def _named(self, name: str, at: int) -> Any:
        if name in self.measures and name not in self.rows:
            return self._measured(name, (), at)
        if name == "R":
            return Radius(self.field.number(1))
        if name == "solution" or name in self.rows:
            return Coefficient(self.steps.row(name, at))
        if name in ("k", *self.case, *self.images, *self.theorem.let, *self.field.known):
            return self.symbol(name, at)
        rows, symbols = ", ".join(self.rows), ", ".join([*self.theorem.let, *self.field.known])
        raise OpcheckError(f"{name!r} is neither a row ({rows}) nor a symbol ({symbols}) of it")

    def _raised(self, value: Any, power: Any) -> Any:
        if isinstance(value, Radius):
            if power != 2:
                raise TypeError("R enters by its square only")
            return self._radius_squared() * value.factor**2
        return super()._raised(value, power)

    def _radius_squared(self) -> Any:
        if "anchor" in self.rows:  # the row that stays where the run began
            return self._squared(self.steps.row("anchor", 0))
        return self._constant("R**2", lambda: self._squared(((0, self.field.number(1)),)))

    def _called(self, name: str, arguments: tuple[Node, ...], at: int) -> Any:
        rows = tuple(a.name for a in arguments if isinstance(a, Name))
        known = {*self.rows, "solution", "before"}
        plain = len(rows) == len(arguments) and known.issuperset(rows)
        if name in self.measures and plain:
            return self._measured(name, rows, at)
        if name in SHIFT and len(arguments) == 1:
            return self._value(arguments[0], at + SHIFT[name])
        if name in ("best", *OF_BEST) and len(arguments) == 1:
            return self._best(name, arguments[0], at)
        if name == FINAL:
            return Coefficient(self.final(rows[0]))
        if name in grammar.ARGUMENTS:
            return super()._called(name, arguments, at)
        values = [self._value(a, at) for a in arguments]
        if name in self.properties or name in (*OPERATORS, CAUCHY):
            if not all(isinstance(v, Coefficient) for v in values):
                raise TypeError(f"{name} takes vectors")
            return self._operator(name, [v.vector for v in values])
        offered = ", ".join([*self.properties, *OPERATORS])
        raise OpcheckError(f"{name!r} is neither a hypothesis nor a function of proofs: {offered}")

    def apart(self, gap: Ratio) -> bool:
        """Whether a difference is known to be other than 0 everywhere."""
        return self.domain().nonzero(gap)

    def domain(self) -> Domain:
        """Constants and parameters that the statement admits, and k from ``least`` on."""
        met = len(self.spares)  # reading may meet further sums, powers and roots
        if met not in self._domains:
            self._domains[met] = domain(self, self.indices, self.least)
        return self._domains[met]

    def holds(self, test: Comparison, offset: int) -> bool | None:
        """Whether a test holds on the whole domain, or fails on it; None where neither is shown."""
        gap, strict = self.gap(test, offset)
        domain = self.domain()
        if domain.positive(gap) if strict else domain.nonnegative(gap):
            return True
        return False if (domain.nonnegative(-gap) if strict else domain.positive(-gap)) else None

    def final(self, row: str) -> Sparse:
        """A row at the last k: the one that stands there, or an unknown vector."""
        if self.ended is not None:
            return self.steps.row(row, self.ended)
        if row not in self._finals:
            names = self.steps.oracle.names
            self._finals[row] = ((len(names), self.field.number(1)),)
            names.append(f"{FINAL}({row})")
        return self._finals[row]

    def suppose(self, count: int) -> None:
        """Take so many of its tests for granted, and not the later ones that its steps rest on."""
        del self.assumed[count:]
        self._domains.clear()

    def row_of(self, index: int) -> str:
        """The row at the last k that a basis vector stands for; "" for any other."""
        return next((row for row, ((i, _),) in self._finals.items() if i == index), "")

    def _operator(self, name: str, points: list[Sparse]) -> Any:
        if name == "Subgradient" and self.theorem.A != "subdifferential":
            raise OpcheckError(
                f"Subgradient holds for A = ∂f alone, and the statement is about "
                f"{WORDS_OF_A[self.theorem.A]}: say constrained='subdifferential'"
            )
        match name, points:
            case (("F" | "A" | "S"), [p]):
                return Coefficient(self.steps.value(name, p))
            case "resolvent", [p]:
                gamma = self.symbol(self.theorem.iteration.parameters[0].symbol, 0)
                return Coefficient(self.steps.oracle.ask("S", p, gamma)[0])
            case "norm2", [u]:
                return self._squared(u)
            case "inner", [u, v]:
                return self._inner(u, v)
            case "Cauchy", [u, v, w]:
                root = self._root(Product(self._squared(u), self._squared(w)))
                return root - self._inner(u, v)
            case "Resolvent", [p, q]:
                return self._form((0, Fraction(1, 2), 0), "A", p, q)
            case "Subgradient", [p, q]:
                slope = Coefficient(self.steps.value("A", p))
                move = Coefficient(q) - Coefficient(p)
                sides = Total({f"f({q or 'solution'})": self.field.number(1)}) - Total(
                    {f"f({p or 'solution'})": self.field.number(1)}
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
        if prop.number is not None:
            return prop.form(prop.number)
        constant = self.symbol(prop.constant, 0)
        return prop.form(constant)

    def _form(self, form: tuple[Any, Any, Any], of: str, p: Sparse, q: Sparse) -> Total:
        of = "F" if of == "T" else of
        a, b, c = (self.field.number(_exact(v)) for v in form)
        x = (Coefficient(p) - Coefficient(q)).vector
        u = (Coefficient(self.steps.value(of, p)) - Coefficient(self.steps.value(of, q))).vector
        total: Total = self._inner(x, x) * a + self._inner(x, u) * (2 * b) + self._inner(u, u) * c
        return total

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

    def _first(self, summand: Node) -> Any:
        written = f"first({grammar.unparse(summand)})"
        return self._constant(written, lambda: self._value(summand, 0))

    def _root(self, value: Any) -> Any:
        if not isinstance(value, Product):
            return super()._root(value)
        return Total({f"sqrt({value})": self.field.number(1)})

    def lengths(self, source: str, offset: int) -> Total:
        """‖w‖² − ‖v‖² of Cauchy(u, v, w)."""
        node, at = self._inequality(source, offset)
        _, v, w = (self._value(a, at).vector for a in node.arguments)
        longer: Total = self._squared(w) - self._squared(v)
        return longer

    def _best(self, name: str, term: Node, at: int) -> Any:
        """The least of what is measured at 0, ..., k + at, or what is known of it."""
        least = Total({f"best({grammar.unparse(term)}) at {at}": self.field.number(1)})
        match name:
            case "Least":
                return self._value(term, at) - least
            case "Mean":  # of those before k
                return self._sum(term, at) - least * self.symbol("k", at)
        return least

    def _sum(self, summand: Node, at: int) -> Any:
        if not self.started:
            return super()._sum(summand, at)
        total: Any = self.field.number(0)
        for j in range(at):
            total = total + self._value(summand, j)
        return total

    def _sum_before(self, summand: Node, term: Any) -> Any:
        if isinstance(term, Ratio) and term:
            return super()._sum_before(summand, term)
        return Total({f"before({grammar.unparse(summand)})": self.field.number(1)})


class Product:
    """A product of two measured quantities, which enters by its root."""

    def __init__(self, first: Total, second: Total) -> None:
        self.factors = first, second

    def __str__(self) -> str:
        """The same for equal factors, in whichever order."""
        told = [
            " + ".join(sorted(f"({c!r})*{key}" for key, c in each.terms.items()))
            for each in self.factors
        ]
        return " * ".join(f"[{each}]" for each in sorted(told))


class Radius:
    """R with a factor; a number of the statement by its square only."""

    __slots__ = ("factor",)

    def __init__(self, factor: Ratio) -> None:
        self.factor = factor

    def __mul__(self, other: Any) -> Any:
        return Radius(self.factor * other) if isinstance(other, Ratio) else NotImplemented

    __rmul__ = __mul__

    def __neg__(self) -> Radius:
        return Radius(-self.factor)

    def __truediv__(self, other: Any) -> Any:
        return Radius(self.factor / other) if isinstance(other, Ratio) else NotImplemented

    def _refused(self, *_: Any) -> Any:
        raise TypeError("R enters by its square only")

    __add__ = __radd__ = __sub__ = __rsub__ = __rtruediv__ = _refused


def _exact(value: Any) -> Any:
    return fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else value
