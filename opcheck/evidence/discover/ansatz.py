"""Forms that a potential may have, read off a method's rows and a statement's own texts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from opcheck.engine.ratio import Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.discover.material import LOOPED, Loop, Material, inequalities
from opcheck.evidence.discover.reading import Reading
from opcheck.evidence.proofs.reader import Total
from opcheck.model import grammar
from opcheck.model.grammar import Binary, Call, Node, Number
from opcheck.model.theorem import Theorem

DISTANCE = "norm2(z - solution)"
SUMS = ("upto", "before")
MOST = 90  # terms of a potential


@dataclass(frozen=True)
class Bound:
    """bound = factor · base · growth^k.

    Attributes:
        base: a text that does not depend on k: ``R**2``, or ``first(...)``.
        factor: a function of k and of the parameters; without the power.
        growth: what the bound grows by in a step; None for 1.
        power: growth^k as a text; "".
        over: factor · growth^k as a text.
        order: the power of k by which the factor decays.
        sums: sums of numbers that the factor holds, as texts.
    """

    base: str
    factor: Ratio
    growth: Ratio | None
    power: str
    over: str
    order: int
    sums: tuple[str, ...]


@dataclass(frozen=True)
class Ansatz:
    """V = Σ c_t · t with constants c_t to be found, and what may be used to show it.

    Attributes:
        family: in words.
        terms: texts, those that should be left out first at the end; none without a potential.
        at_most: what V is at most at k = begin.
        late: whether the end speaks of V after the step.
        start, step, end: inequalities that may be used.
        inside: terms of V inside a loop, where the method goes in loops.
        period: how many steps a loop has.
        tau: that number as the statement has it.
        fixed: whole parameters that have values in the search.
        cases: as a proof declares them.
    """

    family: str
    terms: tuple[str, ...]
    at_most: str
    begin: int
    late: bool
    start: tuple[str, ...]
    step: tuple[str, ...]
    end: tuple[str, ...]
    inside: tuple[str, ...] = ()
    period: int = 1
    tau: str = ""
    fixed: Mapping[str, int] = field(default_factory=dict)
    cases: tuple[Mapping[str, str], ...] = ({},)

    @property
    def sources(self) -> list[str]:
        """Every text of it."""
        terms = [*self.terms, *self.inside]
        return [*terms, *(f"next({t})" for t in terms), *self.start, *self.step, *self.end]


def bound_of(reading: Reading) -> Bound:
    """What the bound is made of. Raises OpcheckError where it is no multiple of R² or a start."""
    theorem = reading.theorem
    whole = reading.total(theorem.bound)
    calls = [n for n in grammar.walk(theorem.right.tree) if isinstance(n, Call)]
    bases = ["R**2", *(grammar.unparse(n) for n in calls if n.function == "first")]
    for base in bases:
        try:
            factor = _quotient(whole, reading.total(base))
        except OpcheckError:
            continue
        if factor is not None:
            return _resolved(reading, base, factor)
    raise OpcheckError(
        f"{theorem.name}: its bound {theorem.bound} is no multiple of R**2 or of what was at the "
        "start"
    )


def _quotient(whole: Total, base: Total) -> Ratio | None:
    if not base.terms or whole.terms.keys() != base.terms.keys():
        return None
    key = next(iter(base.terms))
    factor = whole.terms[key] / base.terms[key]
    return factor if not (whole - base * factor).terms else None


def _resolved(reading: Reading, base: str, factor: Ratio) -> Bound:
    own, spares = reading.field, reading.general.spares
    growth, text, whole = None, "", factor
    for name, of in spares.powers.items():
        if name in factor.symbols:
            place = own.names.index(name)
            power = factor.num.degrees()[place] - factor.den.degrees()[place]
            rest = factor / own.symbol(name) ** int(power)
            if name in rest.symbols or growth is not None:
                raise OpcheckError(f"{reading.theorem.name}: its bound is no power times a ratio")
            factor, growth = rest, of ** int(power)
            text = f"({of.factored()})**({int(power)}*k)"
    place = own.names.index(reading.index)
    order = int(factor.den.degrees()[place] - factor.num.degrees()[place])
    sums = tuple(own.meaning(n) for n in spares.sums if n in factor.symbols)
    return Bound(
        base=base,
        factor=factor,
        growth=growth,
        power=text,
        over=_over(reading, base, whole),
        order=order,
        sums=sums,
    )


def _over(reading: Reading, base: str, factor: Ratio) -> str:
    """bound/base, as the statement writes it where that can be read off."""
    if base == "R**2":
        tree = _without_ones(grammar.replaced(reading.theorem.right.tree, {"R": Number(1)}))
        if reading.general.read(tree) == factor:
            return grammar.unparse(tree)
    return reading.written(factor)


def _without_ones(node: Node) -> Node:
    """A tree without factors 1."""
    one = Number(1)
    match node:
        case Binary(sign, left, right):
            left, right = _without_ones(left), _without_ones(right)
            if sign == "**" and left == one:
                return one
            if sign in "*/" and right == one:
                return left
            if sign == "*" and left == one:
                return right
            return Binary(sign, left, right)
    return node


def without_potential(theorem: Theorem, offered: Material, loop: Loop) -> Ansatz:
    """The claim as a combination of inequalities at one step."""
    pool = tuple(inequalities(theorem, [*offered.points, *offered.earlier]))
    return Ansatz(
        family="no potential",
        terms=(),
        at_most="",
        begin=0,
        late=False,
        start=(),
        step=(),
        end=pool,
        fixed=loop.fixed,
        cases=loop.cases,
    )


def families(theorem: Theorem, offered: Material, bound: Bound, loop: Loop) -> Iterator[Ansatz]:
    """Ways to try, the smallest first."""
    for ansatz in _families(theorem, offered, bound):
        if loop.period == 1:
            yield replace(ansatz, fixed=loop.fixed, cases=loop.cases)
            continue
        sums = [t for t in ansatz.terms if t.startswith("before(")]
        vectors = ["z - solution", f"last({LOOPED}) - solution"]
        points = [*offered.points, f"last({LOOPED})"]
        pool = tuple(inequalities(theorem, points))
        value = [offered.residual] if offered.residual else []
        insides = {"in loops": (_forms(vectors), ansatz.step)}
        if loop.period == 2:
            reached = [f"next({DISTANCE})", *(f"norm2({v})" for v in value)]
            insides["in loops, with what is reached"] = reached, ansatz.step
        if value:
            insides["in loops, with values"] = _forms([*vectors, *value]), pool
        for words, (inside, step) in insides.items():
            yield replace(
                ansatz,
                family=f"{ansatz.family}, {words}",
                inside=(*inside, *sums),
                step=step,
                period=loop.period,
                tau=loop.tau,
                fixed=loop.fixed,
                cases=loop.cases,
            )


def _forms(vectors: Sequence[str]) -> list[str]:
    """Squares and inner products of vectors."""
    return [
        f"norm2({u})" if u == v else f"inner({u}, {v})"
        for u, v in itertools.combinations_with_replacement(vectors, 2)
    ]


def _families(theorem: Theorem, offered: Material, bound: Bound) -> Iterator[Ansatz]:
    tree = theorem.left.tree
    sums = [
        grammar.unparse(n.arguments[0])
        for n in grammar.walk(tree)
        if isinstance(n, Call) and n.function in SUMS
    ]
    late = any(isinstance(n, Call) and n.function in ("upto", "next") for n in grammar.walk(tree))
    totals = [f"before({s})" for s in dict.fromkeys(sums)]
    measure = [] if sums or late else [theorem.measure]
    powers = ["", "k*", "k**2*"][: max(bound.order, 0) + 1]
    powers += [f"({s})*" for s in bound.sums]
    grown = [f"{p}{_bracket(m)}" for p in powers for m in measure]
    core = [DISTANCE, *grown, *totals]
    memory = [f"norm2({u})" for u in offered.remembered]

    def build(
        family: str,
        terms: Sequence[str],
        at_most: str,
        *,
        earlier: bool = False,
        behind: bool = False,
    ) -> Iterator[Ansatz]:
        terms = tuple(dict.fromkeys(terms))[:MOST]
        spoken = " ".join(terms)
        begins = [1, 0] if "last(" in spoken or earlier else [0, 1]
        for begin in dict.fromkeys(b for b in begins if b <= theorem.first + late):
            points = [*offered.points, *(offered.earlier if begin else ())]
            if behind:  # what is measured of the next step
                points += [f"next({p})" for p in offered.points if p != "z"]
            pool = tuple(inequalities(theorem, points))
            now = tuple(inequalities(theorem, offered.points))
            first = tuple(inequalities(theorem, ["z"]))
            start = tuple(f"last({i})" for i in now) if begin else first
            yield Ansatz(
                family=family,
                terms=terms,
                at_most=at_most,
                begin=begin,
                late=late,
                start=start,
                step=pool,
                end=pool,
            )

    if bound.base != "R**2" or (sums and not late):
        yield from build("the measure itself", [theorem.measure], bound.base, behind=True)
    residual = offered.residual
    if offered.anchored and residual:
        plain = [f"norm2({residual})", f"inner({residual}, z - anchor)"]
        more = [f"norm2({u})" for u in offered.remembered if u.startswith("F(z)")]
        shift = ["norm2(z - anchor)"]
        k = ["", "k*", "k**2*"]
        yield from build("anchored", [p + t for t in plain for p in k], "0")
        if more:
            terms = [p + t for t in [*plain, *more] for p in k]
            yield from build("anchored, with what is remembered", terms, "0", earlier=True)
        terms = [p + t for t in [*plain, *shift] for p in k]
        yield from build("anchored, with the way gone", terms, "0")
        terms = ["norm2(anchor - solution)", *(p + t for t in plain for p in k)]
        yield from build("anchored, with the distance of the anchor", terms, bound.base)
    if not offered.remembered:
        yield from build("distance and measure", core, bound.base)
    if memory:
        yield from build("distance, measure, what is remembered", [*core, *memory], bound.base)
    vectors = ["z - solution", *([residual] if residual else []), *offered.remembered]
    forms = _forms(vectors)
    degree = powers if not totals else [""]
    if offered.carried:
        own = ["z - solution", *([residual] if "resolvent" in residual else []), *offered.carried]
        terms = [*totals, *(p + t for p in degree for t in [*_forms(own), *measure])]
        yield from build("quadratic in what is carried", terms, bound.base)
    terms = [*totals, *(p + t for p in degree for t in [*forms, *measure])]
    yield from build("quadratic", terms, bound.base)
    if sums and late:
        # a sum without its first terms, as it stands
        terms = [theorem.measure, *forms]
        for ansatz in build("quadratic and the measure itself", terms, bound.base):
            yield replace(ansatz, late=False, begin=max(ansatz.begin, theorem.first))


def _bracket(text: str) -> str:
    tree: Node = grammar.parse(text)
    return text if isinstance(tree, Call | grammar.Name) else f"({text})"


def readable(reading: Reading, texts: Sequence[str], k: int) -> list[str]:
    """Those of the texts that have a value at k, and wherever k is later."""
    kept = []
    for text in texts:
        try:
            reading.total(text)
            for at in range(k, reading.begin + reading.late):
                reading.total(text, at, started=True)
        except (OpcheckError, Undecided):
            continue
        kept.append(text)
    return kept
