"""Texts of statements and proofs as trees: what they say, at an index of a run."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.engine.coefficients import UNCONSTRAINED
from opcheck.engine.rows import in_every_dimension
from opcheck.engine.run import take
from opcheck.errors import Undecided
from opcheck.evidence.proofs.reader import SHIFT
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Comparison, Name, Negative, Node, Number
from opcheck.model.measure import STANDING
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, OTHER, SOLUTION
from opcheck.model.proof import FINAL, RUN
from opcheck.model.theorem import Theorem
from opcheck.rocq.expressions import (
    HORIZON,
    LAST,
    Z0,
    ZERO,
    ZSTAR,
    At,
    KernelIndex,
    NotExported,
    Real,
    Vector,
    number,
    replaced,
    walk,
)
from opcheck.rocq.iteration import Iteration, Scribe

VECTORS = ("F", "A", "S", "resolvent")
LETS = ("symbol", "let", "of_horizon")  # what ``let`` may define


def spoken(theorem: Theorem) -> set[str]:
    """The rows that the statement and its argument speak of, measures' own rows among them."""
    assert theorem.proof is not None
    proof = theorem.proof
    sources = [proof.potential or "0", proof.at_most]
    for using in (proof.start, proof.step, proof.end):
        sources += [*using, *using.values()]
    trees = [grammar.parse(s) for s in sources] + [theorem.left.tree, theorem.right.tree]
    names: set[str] = set()
    for tree in trees:
        for node in grammar.walk(tree):
            head = node.name if isinstance(node, Name) else ""
            if isinstance(node, Call):
                head = node.function
            if head in registry.entered("measures"):
                rows = [a.name for a in grammar.children(node) if isinstance(a, Name)]
                names |= {*take(head, rows).rows}
            names |= {head}
    return names


class Texts:
    """Trees of the texts of one theorem at one choice of its whole parameters.

    Attributes:
        terms: what sums over j < k and minima over j ≤ k go over, as texts, with the names of
            their definitions.
        powers, roots, firsts: what is raised to the power k, what a root is taken of, and what is
            taken at k = 0, as met.
        tests: small and large of each comparison that ``where`` makes, with its text and index.
        horizon: the name of the last k where the potential alone speaks of it; "".
        run: whether the statement does: then it is ``LAST``, the same in all of the development.
        ended: the last k, where texts are read there; None elsewhere.
        let: further symbols of the statement and of its argument.
    """

    def __init__(self, theorem: Theorem, iteration: Iteration, fixed: Mapping[str, int]) -> None:
        self.theorem, self.iteration = theorem, iteration
        self.fixed = {**fixed, **iteration.fixed}
        self.length = iteration.length
        self.whole = {*self.fixed, *([self.length.name] if self.length else [])}
        self.measures = frozenset(registry.names("measures"))
        self.terms: dict[Node, str] = {}
        self.powers: list[tuple[Node, Real]] = []
        self.roots: list[tuple[Node, Real]] = []
        self.firsts: list[tuple[Node, Real]] = []
        self.resolvents: dict[str, Real] = {}
        self.tests: list[tuple[Comparison, At, tuple[Real, Real]]] = []
        proof = theorem.proof
        self.horizon = proof.horizon if proof is not None else ""
        self.run = self.horizon == RUN
        self.horizon = "" if self.run else self.horizon
        self.ended: At | None = None
        self.let = {**theorem.let, **(proof.let if proof is not None else {})}

    def at_end(self, at: At) -> Texts:
        """The same texts, read where the horizon is an index."""
        texts = copy.copy(self)
        texts.ended = at
        return texts

    @property
    def last(self) -> At:
        """The last k."""
        return self.ended or (LAST if self.run else HORIZON)

    def depends(self, name: str, on: str) -> bool:
        """Whether a symbol is another one, or is made of it."""
        if name == on or name not in self.let:
            return name == on
        return any(self.depends(n, on) for n in grammar.names(grammar.parse(self.let[name])))

    def inlined(self, tree: Any) -> Any:
        """A tree with what ``let`` defines in place of its symbols."""
        images: dict[Any, Any] = {}
        for node in walk(tree):
            if node.kind in LETS and node.parts[0] in self.let:
                at = next((at for at in reversed(node.parts[1:]) if at is not None), At(""))
                source = grammar.parse(self.let[node.parts[0]])
                images[node] = self.inlined(self.real(source, at))
        return replaced(tree, images) if images else tree

    def size(self, name: str) -> Real:
        """The step of a resolvent that was taken so far."""
        steps = self.iteration.steps
        return steps[name] if name in steps else self.resolvents[name]

    # ---- vectors ----

    def is_vector(self, node: Node) -> bool:
        """Whether a text is a vector."""
        match node:
            case Name(name):
                return name in (*self.iteration.method.rows, "solution")
            case Call(name, arguments):
                plain = all(isinstance(a, Name) for a in arguments)
                if name in self.measures and plain:
                    return False
                own = (*VECTORS, FINAL)
                return name in own or (name in SHIFT and self.is_vector(arguments[0]))
            case Binary(_, left, right):
                return self.is_vector(left) or self.is_vector(right)
            case Negative(operand):
                return self.is_vector(operand)
        return False

    def vector(self, node: Node, at: At) -> Vector:
        """A text that is a vector, at an index."""
        match node:
            case Name("solution"):
                return ZSTAR
            case Name(name):
                return self.iteration.row(name, at.plus(name not in STANDING))
            case Call(name, (argument,)) if name in SHIFT:
                return self.vector(argument, at.plus(SHIFT[name]))
            case Call(function, (Name(name),)) if function == FINAL:
                return self.iteration.row(name, self.last.plus(name not in STANDING))
            case Call("F", (argument,)):
                return Vector("image", ("F", self.vector(argument, at)))
            case Call("resolvent", (argument,)):
                name = "JF" if self.theorem.A == "zero" else "JS"
                self.resolvents.setdefault(name, self.first_step)
                return Vector("image", (name, self.vector(argument, at)))
            case Negative(operand):
                return -self.vector(operand, at)
            case Binary(("+" | "-") as sign, left, right):
                u, v = self.vector(left, at), self.vector(right, at)
                summed: Vector = u + v if sign == "+" else u - v
                return summed
            case Binary("*", left, right):
                factor, row = (right, left) if self.is_vector(left) else (left, right)
                scaled: Vector = self.vector(row, at) * self.real(factor, at)
                return scaled
            case Binary("/", left, right):
                divided: Vector = self.vector(left, at) / self.real(right, at)
                return divided
        raise NotExported(f"the vector {grammar.unparse(node)} has no form in Rocq here")

    @property
    def first_step(self) -> Real:
        """The step of the resolvents that texts speak of."""
        name = self.iteration.method.parameters[0].symbol
        value = self.iteration.parameter(name, At(""))
        return value if isinstance(value, Real) else number(value)

    # ---- numbers ----

    def real(self, node: Node, at: At) -> Any:
        """A text that is a number, at an index."""
        match node:
            case Number(value):
                return number(Fraction(value))
            case Name("k"):
                return number(at.add) if not at.base else Real("index", (at,))
            case Name(name) if name in self.measures and name not in self.iteration.method.rows:
                return self.measured(name, (), at)
            case Name(name):
                return self.symbol(name, at)
            case Negative(operand):
                return -self.real(operand, at)
            case Binary("**", base, Number(2)) if _of_radius(base):
                return self._radius_squared(base, base, at)
            case Binary("*", left, right) if _of_radius(left) and _of_radius(right):
                return self._radius_squared(left, right, at)
            case Binary("**", base, exponent):
                return self._power(base, exponent, at)
            case Binary(sign, left, right):
                a, b = self.real(left, at), self.real(right, at)
                return Real(sign, (a, b))
            case Call(name, arguments):
                return self._called(name, arguments, at)
        raise NotExported(f"{grammar.unparse(node)} has no form in Rocq here")

    def _radius_squared(self, left: Node, right: Node, at: At) -> Any:
        """The product of two multiples of R."""
        square = (Z0 - ZSTAR) * (Z0 - ZSTAR)
        a, b = (
            _without_ones(self.real(grammar.replaced(n, {"R": Number(1)}), at))
            for n in (left, right)
        )
        factor = a**2 if left == right else a * b
        return square if factor.constant == 1 or left == Name("R") == right else factor * square

    def symbol(self, name: str, at: At) -> Real:
        """A constant, a parameter, or what ``let`` defines."""
        if name == "R":
            raise NotExported("R enters other than by its square")
        if name in self.fixed:
            return number(self.fixed[name])
        if name in self.whole:
            return Real("whole", (name,))
        if name == (RUN if self.run else self.horizon):
            return Real("index", (self.last,)) if self.last.base else number(self.last.add)
        if self.horizon and self.depends(name, self.horizon):
            return Real("of_horizon", (name, self.last, at if self.depends(name, "k") else None))
        if self.depends(name, "k"):
            return Real("let", (name, at))
        return Real("symbol", (name,))

    def _called(self, name: str, arguments: tuple[Node, ...], at: At) -> Any:
        rows = tuple(a.name for a in arguments if isinstance(a, Name))
        held = {*self.iteration.method.rows, "solution", "before"}
        if name in self.measures and len(rows) == len(arguments) and held.issuperset(rows):
            return self.measured(name, rows, at)
        match name, arguments:
            case (("next" | "last"), (argument,)):
                return self.real(argument, at.plus(SHIFT[name]))
            case "norm2", (argument,):
                u = self.vector(argument, at)
                return u * u
            case "inner", (left, right):
                return self.vector(left, at) * self.vector(right, at)
            case "sqrt", (argument,):
                root = Real("sqrt", (self.real(argument, at),))
                self.roots.append((argument, root))
                return root
            case ((("max" | "min") as extreme), (left, right)):
                return Real(extreme, (self.real(left, at), self.real(right, at)))
            case "first", (argument,):
                begun = self.real(argument, At(""))
                self.firsts.append((argument, begun))
                return begun
            case (("before" | "upto"), (argument,)):
                return Real("before", (self.term(argument), at.plus(name == "upto")))
            case "best", (argument,):
                return Real("best", (self.term(argument), at))
            case "mod", (argument, period):
                index, count = self._index(argument, at), self._whole(period)
                value = _residue(index, count)
                return Real("mod", (index, count)) if value is None else number(value)
            case "where", (Comparison(relation, left, right) as test, yes, no):
                if relation == "==" and (isinstance(left, Number) or left == Name(RUN)):
                    left, right = right, left
                if relation == "==" and right == Name(RUN) and self.run:
                    branches = self.real(yes, at), self.real(no, at)
                    return Real("at last", (self._index(left, at), *branches))
                if relation == "==" or (relation == "<=" and self._counts(left, right)):
                    return self._chosen(left, right, yes, no, at, below=relation == "<=")
                if not grammar.names(test) - {"k", *self.fixed}:
                    compared = grammar.unparse(test)
                    raise NotExported(f"where({compared}, ...) has no form in Rocq here")
                small, large = self.test(test, at)
                branches = self.real(yes, at), self.real(no, at)
                return Real("if", (small, large, relation in ("<", ">"), *branches))
        raise NotExported(f"{name}(...) has no form in Rocq here")

    def test(self, test: Comparison, at: At) -> tuple[Real, Real]:
        """Small and large of small < large or small ≤ large."""
        small, large = self.real(test.left, at), self.real(test.right, at)
        if test.relation in (">", ">="):
            small, large = large, small
        self.tests.append((test, at, (small, large)))
        return small, large

    def _counts(self, left: Node, right: Node) -> bool:
        """Whether an index, or its residue, is compared with a number."""
        of_index = isinstance(left, Call) and left.function == "mod"
        return isinstance(right, Number) and (of_index or "k" in grammar.names(left))

    def term(self, summand: Node) -> str:
        """The name of the definition of what a sum, or a minimum, goes over."""
        return self.terms.setdefault(summand, f"term_{len(self.terms) + 1}")

    def _chosen(self, left: Node, right: Node, yes: Node, no: Node, at: At, *, below: bool) -> Any:
        """One text where an index, or its residue, is a number or at most one; else another."""
        if not isinstance(right, Number) or right.value < 0:
            raise NotExported("where compares what is no index with a number")
        whole = int(right.value)
        values = tuple(range(whole + 1)) if below else (whole,)
        period = 0
        if isinstance(left, Call) and left.function == "mod":
            left, over = left.arguments
            if self.length is not None and over == Name(self.length.name):
                if whole:
                    raise NotExported(f"where compares k mod {self.length.name} with {whole}")
                index, either = self._index(left, at), (self.real(yes, at), self.real(no, at))
                return Real("case", (index, self.length.name, values, *either))
            period = self._whole(over)
        index = self._index(left, at)
        value = _residue(index, period) if period else (None if index.base else index.add)
        if value is not None:
            return self.real(yes if value in values else no, at)
        return Real("case", (index, period, values, self.real(yes, at), self.real(no, at)))

    def _index(self, node: Node, at: At) -> At:
        """A text k + a as an index."""
        slope, rest = self.affine(node)
        if slope != 1 or rest.denominator != 1:
            raise NotExported(f"{grammar.unparse(node)} is no index k + a")
        return at.plus(int(rest))

    def _whole(self, node: Node) -> int:
        value = self.real(node, At(""))
        if value.constant is None or value.constant.denominator != 1 or value.constant < 1:
            raise NotExported(f"{grammar.unparse(node)} is no whole number")
        return int(value.constant)

    def affine(self, node: Node) -> tuple[Fraction, Fraction]:
        """(a, b) of a text a·k + b. Raises NotExported for another."""
        match node:
            case Number(value):
                return Fraction(0), Fraction(value)
            case Name("k"):
                return Fraction(1), Fraction(0)
            case Name(name) if name in self.fixed:
                return Fraction(0), Fraction(self.fixed[name])
            case Negative(operand):
                a, b = self.affine(operand)
                return -a, -b
            case Binary(("+" | "-") as sign, left, right):
                (a, b), (c, d) = self.affine(left), self.affine(right)
                return (a + c, b + d) if sign == "+" else (a - c, b - d)
            case Binary("*", left, right):
                (a, b), (c, d) = self.affine(left), self.affine(right)
                if not a * c:
                    return a * d + b * c, b * d
        raise NotExported(f"{grammar.unparse(node)} is not of the form a*k + b")

    def _of_last(self, exponent: Node) -> int:
        """The factor of the last k in a power. Raises NotExported where there is no whole one."""
        slopes, ends = zip(
            *(self.affine(grammar.replaced(exponent, {RUN: Number(n)})) for n in range(3)),
            strict=True,
        )
        step: Fraction = ends[1] - ends[0]
        if len({*slopes}) > 1 or ends[2] - ends[1] != step or step.denominator != 1:
            raise NotExported(f"the power {grammar.unparse(exponent)} is not linear in {RUN}")
        return int(step)

    def _power(self, base: Node, exponent: Node, at: At) -> Real:
        until = self._of_last(exponent) if self.run else 0
        exponent = grammar.replaced(exponent, {RUN: Number(0)})
        if until:
            held = self._power(base, Name("k"), self.last)
            rest_of_it = self._power(base, exponent, at)
            return _times(_raised(held, until), rest_of_it)
        slope, rest = self.affine(exponent)
        if slope.denominator != 1 or rest.denominator != 1:
            raise NotExported(f"the power {grammar.unparse(exponent)} is not whole")
        value = self.real(base, at)
        if not slope:
            return _raised(value, int(rest))
        if value.kind == "inner":
            raise NotExported(f"{grammar.unparse(base)} is raised to a power that grows")
        self.powers.append((base, value))
        power = Real("^k", (value, at))
        if not at.base:
            power = Real("^", (value, at.add))
        return _times(_raised(power, int(slope)), _raised(value, int(rest)) if rest else None)

    # ---- measures ----

    def measured(self, name: str, rows: tuple[str, ...], at: At) -> Any:
        """A measure of index ``at``: its kernel's own text, run on trees."""
        use = take(name, rows)
        method = self.iteration.method
        here = at.plus(use.in_step)
        held = [self.iteration.row(r, here) for r in method.rows] + [ZERO] * EXTRA_ROWS
        state = np.empty((len(held), 1), dtype=object)
        state[:, 0] = held
        state[BEFORE, 0], state[SOLUTION, 0] = self.iteration.row("z", here.plus(-1)), ZSTAR
        first, second = use.indices(method)
        if second != -1:
            state[OTHER] = state[second]
        oracle = Scribe(self.theorem.A, method.rows, state)
        params = np.empty(len(method.parameters), dtype=object)
        params[:] = [self.iteration.parameter(p.symbol, here) for p in method.parameters]
        J = oracle.resolvent if self.theorem.A != "zero" else UNCONSTRAINED
        try:
            value = in_every_dimension(use.measure.kernel)(
                oracle, None, J, None, state[first:], params, KernelIndex(here)
            )
        except (TypeError, AttributeError, Undecided) as error:
            raise NotExported(f"the text of {name} has no form in Rocq: {error}") from error
        for resolvent, size in oracle.steps.items():
            if self.resolvents.setdefault(resolvent, size) != size:
                raise NotExported(f"the resolvent {resolvent} is taken with more than one step")
        return value if isinstance(value, Real) else number(value)


def _of_radius(node: Node) -> bool:
    """Whether a text is a multiple of R."""
    match node:
        case Name("R"):
            return True
        case Negative(operand):
            return _of_radius(operand)
        case Binary("*", left, right):
            alone = "R" not in grammar.names(left) or "R" not in grammar.names(right)
            return alone and (_of_radius(left) or _of_radius(right))
        case Binary("/", left, right):
            return _of_radius(left) and "R" not in grammar.names(right)
    return False


def _without_ones(tree: Real) -> Real:
    """A product without its factors 1."""
    if tree.kind not in ("*", "/"):
        return tree
    a, b = map(_without_ones, tree.parts)
    if tree.kind == "*" and a.constant == 1:
        return b
    return a if b.constant == 1 else Real(tree.kind, (a, b))


def _residue(index: At, period: int) -> int | None:
    """The index mod a period, where that is a number."""
    return None if index.base and index.factor % period else index.add % period


def _raised(value: Real, power: int) -> Real:
    if power == 1:
        return value
    raised = Real("^", (value, abs(power)))
    if power == -1:
        raised = value
    return raised if power >= 0 else Real("/", (number(1), raised))


def _times(left: Real, right: Real | None) -> Real:
    return left if right is None else Real("*", (left, right))
