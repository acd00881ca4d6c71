"""Whether a statement has a real value for all its constants, parameters and k.

Every root, logarithm, quotient and power of its texts is met on the range as it is written, before
anything cancels: a denominator must be shown not to vanish, the argument of a root not to be
negative. What is shown nowhere to fail is not enough; what can't be shown is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flint import arb, fmpq

from opcheck import registry
from opcheck.engine.ratio import Field, Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.statement.decay import check_order
from opcheck.evidence.statement.positivity import CHARTS, Constraint, Domain
from opcheck.evidence.statement.ranges import of_hypotheses, of_range, symbols_of
from opcheck.evidence.statement.scalars import Scalars
from opcheck.model import grammar, signature
from opcheck.model.grammar import Call, Comparison, Name, Node
from opcheck.model.theorem import Theorem

SPARE = 28
FEW = 8  # values of k, from the first on, at which a sign is looked up
QUICK = 6  # ways to resolve ranges that are tried for a sign that is merely good to know
# measures that are inner products of two different vectors; the others are squares or sums of them
SIGNED = frozenset({"gap"})


@functools.lru_cache(maxsize=1024)
def well_posed(theorem: Theorem) -> None:
    """Raise OpcheckError where a text of a theorem has no meaning, or is not shown to be real.

    Also where the bound doesn't fall as the stated order says. Whether a statement about single
    families is real is about their numbers, and is left to the runs.
    """
    signature.check(theorem)
    if not theorem.on:
        try:
            _Meanings(theorem).check()
        except Undecided as error:
            raise OpcheckError(f"{theorem.name}: {error}") from error
    check_order(theorem)


class _Meanings(Scalars):
    """Texts as functions of symbols ≥ 0 and others, with what is known of each as it turns up."""

    def __init__(self, theorem: Theorem) -> None:
        names = [*symbols_of(theorem), "K", "k", "R"]
        field = Field(names, SPARE)
        super().__init__(theorem, field, field.symbol("k"), {})
        self._extra: list[str] = []
        self._domains: dict[Any, Domain] = {}
        self._what = ""
        k, K = field.symbol("k"), field.symbol("K")
        self._known = [
            Constraint(k, False),
            Constraint(K - k, False),
            Constraint(K - 1, False),
            Constraint(field.symbol("R"), False),
        ]
        self._symbols = names
        self._measures = frozenset(registry.entered("measures"))

    def check(self) -> None:
        """Read every text. Raises OpcheckError for the first that is not real."""
        theorem = self.theorem
        self._what = "where"
        self._known += of_hypotheses(self)
        # each range as far as earlier ones go
        for chain in [*theorem.conditions, *theorem.chains]:
            self._what = f"where {chain}"
            for end in (chain.lo, chain.hi):
                if end is not None:
                    self.read(end.tree)
            self._known += of_range(self, chain)
        for name, source in theorem.let.items():
            self._what = f"let {name} = {source!r}"
            if name in {p.symbol for p in theorem.iteration.parameters}:
                self.symbol(name, 0)
        late = self.field.symbol("k") - theorem.first
        with self._assuming(Constraint(late, False)):
            self._lets.clear()
            self.least = theorem.first
            for what, side in (("measure", theorem.left), ("bound", theorem.right)):
                self._what = f"{what} {side.source!r}"
                self.read(side.tree)

    @contextmanager
    def _assuming(self, *constraints: Constraint) -> Iterator[None]:
        # what is learned under an assumption is forgotten with it, and so are its symbols
        known, extra = list(self._known), list(self._extra)
        self._known += constraints
        try:
            yield
        finally:
            self._known, self._extra = known, extra

    def _domain(self, most: int = CHARTS) -> Domain:
        key = (len(self._extra), tuple(self._known), most)
        if key not in self._domains:
            symbols = [*self._symbols, *self._extra]
            self._domains[key] = Domain(self.field, symbols, self._known, most)
        return self._domains[key]

    def _positive(self, value: Ratio) -> bool:
        """Whether a value is seen to be > 0 without much ado; else nothing is said."""
        return self._domain(QUICK).positive(value)

    def _nonnegative(self, value: Ratio) -> bool:
        """Whether a value is seen to be ≥ 0 without much ado; else nothing is said."""
        return self._domain(QUICK).nonnegative(value, 0)

    def _new(self, written: str, *, least: int | None = None, strict: bool = False) -> Ratio:
        """A spare symbol, known to be ≥ ``least`` where that is given."""
        name, symbol = self.field.spare(written)
        if name not in self._extra:
            self._extra.append(name)
            if least is not None:
                self._known.insert(0, Constraint(symbol - least, strict))
        return symbol

    def _needs(self, value: Ratio, sign: str, why: str) -> None:
        """Raise OpcheckError where a sign is not shown: "> 0", ">= 0" or "!= 0"."""
        domain = self._domain()
        shown = {
            "> 0": lambda: domain.positive(value),
            ">= 0": lambda: domain.nonnegative(value),
            "!= 0": lambda: domain.nonzero(value),
        }[sign]()
        if shown:
            return
        at = _witness(domain, value, sign, self.least)
        if at:
            raise OpcheckError(f"{self.theorem.name}: {self._what}: {why} at {at}{self._mend(at)}")
        raise OpcheckError(
            f"{self.theorem.name}: {self._what}: it is not shown that {value.factored()} {sign} "
            f"on the whole range, and else {why}"
        )

    def _mend(self, at: str) -> str:
        """What to write where a constant may be 0 that a hypothesis leaves open."""
        for prop in self.theorem.asked:
            if prop.symbol is not None and f"{prop.symbol} = 0," in f"{at},":
                return (
                    f"; {prop.kind.name}({prop.symbol}) does not say that {prop.symbol} > 0: "
                    f"write 0 < {prop.symbol} in where"
                )
        return ""

    # ---- parts of texts ----

    def _named(self, name: str, at: int) -> Any:
        if name in self._measures:
            return self._measure(Name(name))
        if name == "pi":
            return self._between(self._new("pi"), arb.pi())
        return super()._named(name, 0)

    def _measure(self, node: Node) -> Ratio:
        head = node.name if isinstance(node, Name) else ""
        head = node.function if isinstance(node, Call) else head
        return self._new(grammar.unparse(node), least=None if head in SIGNED else 0)

    def _combined(self, sign: str, a: Any, b: Any) -> Any:
        if sign == "/":
            self._needs(b, "!= 0", "it divides by 0")
        return super()._combined(sign, a, b)

    def _power(self, base: Node, exponent: Node, at: int) -> Any:
        value, power = self._value(base, at), self._value(exponent, at)
        if not power.symbols and power.constant().q == 1:
            if power.constant() < 0:
                self._needs(value, "!= 0", "it divides by 0")
            return value ** int(power.constant().p)
        if not signature.whole(exponent, self.theorem):
            # 0 has a power where the power is positive
            positive = self._positive(power)
            self._needs(value, ">= 0" if positive else "> 0", "a power of it is not real")
        elif not self._nonnegative(power):
            self._needs(value, "!= 0", "it divides by 0")
        symbol = self._new(f"({value})**({power})")
        if self._positive(value):
            self._learn(Constraint(symbol, True))
            if self._nonnegative(power):
                if self._nonnegative(value - 1):
                    self._learn(Constraint(symbol - 1, False))
                    if self._positive(value - 1) and self._positive(power):
                        self._learn(Constraint(symbol - 1, True))
                elif self._nonnegative(1 - value):
                    self._learn(Constraint(1 - symbol, False))
        elif self._nonnegative(value):
            self._learn(Constraint(symbol, False))
        return symbol

    def _between(self, symbol: Ratio, number: arb) -> Ratio:
        """A symbol for an irrational number, and what is known of its size."""
        below, above = self.enclosure(number)
        self._learn(Constraint(symbol - below, False))
        self._learn(Constraint(above - symbol, False))
        return symbol

    def _learn(self, constraint: Constraint) -> None:
        if constraint not in self._known:
            self._known.insert(0, constraint)

    def _root(self, value: Ratio) -> Ratio:
        self._needs(value, ">= 0", "it takes the root of a negative number")
        symbol = self._new(f"sqrt({value})", least=0)
        if not value.symbols:
            self._between(symbol, arb(value.constant()).sqrt())
        if self._positive(value):
            self._learn(Constraint(symbol, True))
        return symbol

    def _called(self, name: str, arguments: tuple[Node, ...], at: int) -> Any:
        if name in self._measures:
            return self._measure(Call(name, arguments))
        if name == "next":
            return self._value(arguments[0], 0)  # a measure: of its like sign
        if name == "best":
            return self._summed(name, arguments[0], at)
        if name in ("log", "exp", "sin", "cos", "atan", "ceil", "floor", "abs"):
            return self._function(name, self._value(arguments[0], at))
        return super()._called(name, arguments, at)

    def _function(self, name: str, value: Ratio) -> Ratio:
        if name == "log":
            self._needs(value, "> 0", "it takes the logarithm of what is not positive")
        symbol = self._new(f"{name}({value})")
        if not value.symbols and name in ("log", "exp", "sin", "cos", "atan"):
            self._between(symbol, getattr(arb(value.constant()), name)())
        match name:
            case "log":
                if self._positive(value - 1):
                    self._learn(Constraint(symbol, True))
                elif self._positive(1 - value):
                    self._learn(Constraint(-symbol, True))
            case "exp":
                self._learn(Constraint(symbol, True))
            case "abs":
                self._learn(Constraint(symbol, False))
            case "ceil" | "floor" if self._nonnegative(value):
                self._learn(Constraint(symbol, name == "ceil" and self._positive(value)))
        return symbol

    def _called_where(self, test: Comparison, yes: Node, no: Node, at: int) -> Any:
        left, right = self._value(test.left, at), self._value(test.right, at)
        gap = left - right
        holds: list[Constraint] = []
        fails: list[Constraint] = []
        match test.relation:
            case "<" | "<=":
                holds = [Constraint(-gap, test.relation == "<")]
                fails = [Constraint(gap, test.relation == "<=")]
            case ">" | ">=":
                holds = [Constraint(gap, test.relation == ">")]
                fails = [Constraint(-gap, test.relation == ">=")]
            case "==":
                holds = [Constraint(gap, False), Constraint(-gap, False)]
                # what is not the least that it may be is more
                if self._nonnegative(gap):
                    fails = [Constraint(gap, True)]
        branches = []
        signs = []
        # of other conditions than on k and K no use is made
        about_k = gap.symbols <= {"k", "K"}
        for node, assumed in ((yes, holds), (no, fails)):
            assumed = assumed if about_k else []
            with self._assuming(*assumed):
                value = self._value(node, at)
                branches.append(value)
                signs.append((self._nonnegative(value), self._positive(value)))
        if branches[0] == branches[1]:
            return branches[0]
        symbol = self._new(f"where({gap} {test.relation} 0, {branches[0]}, {branches[1]})")
        if all(positive for _, positive in signs):
            self._learn(Constraint(symbol, True))
        elif all(nonnegative for nonnegative, _ in signs):
            self._learn(Constraint(symbol, False))
        return symbol

    def _value(self, node: Node, at: int) -> Any:
        if isinstance(node, Call) and node.function == "where":
            test, yes, no = node.arguments
            assert isinstance(test, Comparison)
            return self._called_where(test, yes, no, 0)
        return super()._value(node, 0)

    def _residue(self, value: Ratio, period: Ratio) -> Ratio:
        self._needs(period, "> 0", "mod has no period")
        return self._new(f"mod({value}, {period})", least=0)

    def _extreme(self, name: str, a: Any, b: Any) -> Any:
        symbol = self._new(f"{name}({a}, {b})")
        if name == "min" and self._positive(a) and self._positive(b):
            self._learn(Constraint(symbol, True))
        elif name == "min" and self._nonnegative(a) and self._nonnegative(b):
            self._learn(Constraint(symbol, False))
        elif name == "max" and (self._positive(a) or self._positive(b)):
            self._learn(Constraint(symbol, True))
        elif name == "max" and (self._nonnegative(a) or self._nonnegative(b)):
            self._learn(Constraint(symbol, False))
        return symbol

    def _summed(self, name: str, summand: Node, at: int) -> Any:
        # of the terms at every j from 0 on, whatever k is
        late = [c for c in self._known if c.value.symbols == {"k"}]
        kept, self._known = self._known, [c for c in self._known if c not in late]
        self._known.append(Constraint(self.field.symbol("k"), False))
        before = list(self._known)
        term = self._value(summand, 0)
        nonnegative, positive = self._nonnegative(term), self._positive(term)
        self._known = [c for c in self._known if c not in before] + kept
        some = name != "before"
        symbol = self._new(f"{name}({term})", least=0 if nonnegative else None)
        if some and positive:
            self._learn(Constraint(symbol, True))
        return symbol


def _witness(domain: Domain, value: Ratio, sign: str, least: int) -> str:
    """A point of the domain at which the sign is not as asked, in words; "" where none is met."""
    tests: dict[str, Callable[[fmpq], bool]] = {
        "> 0": lambda v: v <= 0,
        ">= 0": lambda v: v < 0,
        "!= 0": lambda v: v == 0,
    }
    wrong = tests[sign]
    if any(name.startswith("s.") for name in value.symbols):
        return ""  # of a spare symbol the points are no values
    points = domain.points(value.symbols) or [{}]
    if "k" in value.symbols:  # at the first few k, which is where a pole is met
        points = [{**p, "k": fmpq(least + late)} for late in range(FEW) for p in points] + points
    for point in points:
        if any(name.startswith("s.") for name in point):
            continue
        at = domain.field.value(value, point)
        if at is not None and wrong(fmpq(at)):
            return ", ".join(f"{n} = {v}" for n, v in point.items() if n in value.symbols) or (
                "every point of the range"
            )
    return ""
