"""What a statement admits: constants, parameters and k as constraints on the symbols of a field.

A range that is no rational function is left out, so that what is shown holds on a larger set.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence

from flint import arb

from opcheck.engine.ratio import Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.statement.positivity import Constraint, Domain
from opcheck.evidence.statement.scalars import Scalars
from opcheck.model.grammar import Call, Node
from opcheck.model.proof import RUN
from opcheck.model.property import Cocoercive, Lipschitz, Property, StronglyMonotone
from opcheck.model.text import Chain, Text
from opcheck.model.theorem import Theorem


def symbols_of(theorem: Theorem, case: Sequence[str] = ()) -> list[str]:
    """Constants and parameters that stay symbols, in the order in which they are introduced."""
    constants = [p.symbol for p in theorem.asked if p.symbol is not None]
    parameters = [c.name for c in theorem.chains if c.name not in case]
    # of its families, where it is about some
    own = [n for c in theorem.conditions for n in sorted(c.symbols)] if theorem.on else []
    families = [n for n in own if n not in theorem.let]
    return list(dict.fromkeys([*constants, *families, *parameters]))


def of_hypotheses(scalars: Scalars) -> list[Constraint]:
    """What the properties say of their own constants."""
    theorem = scalars.theorem

    def constant(prop: Property) -> Ratio:
        number = prop.number
        value: Ratio = scalars.read(prop.constant) if number is None else scalars.rational(number)
        return value

    constraints = [
        Constraint(constant(prop), True)
        for prop in theorem.asked
        if prop.kind.positive and prop.kind.better
    ]
    # two properties of one operator, which takes more than one value
    for first, second in itertools.permutations(theorem.asked, 2):
        if first.of == second.of and first.kind is StronglyMonotone:
            if second.kind is Lipschitz:
                constraints.append(Constraint(constant(second) - constant(first), False))
            if second.kind is Cocoercive:
                constraints.append(Constraint(1 - constant(first) * constant(second), False))
    return constraints


def of_range(scalars: Scalars, chain: Chain) -> list[Constraint]:
    """What one range or condition says."""
    lows, highs = _ends(scalars, chain.lo, "max"), _ends(scalars, chain.hi, "min")
    constraints = []
    for value in _ends(scalars, Text(chain.name), ""):
        constraints += [Constraint(value - low, chain.strict[0]) for low in lows]
        constraints += [Constraint(high - value, chain.strict[1]) for high in highs]
    # a range that holds a point is not empty
    return constraints + [
        Constraint(high - low, any(chain.strict)) for low in lows for high in highs
    ]


def admitted(scalars: Scalars) -> list[Constraint]:
    """The constraints on constants and parameters that the hypotheses and ``where`` give."""
    theorem = scalars.theorem
    constraints = of_hypotheses(scalars)
    for chain in [*theorem.conditions, *theorem.chains]:
        if chain.name not in scalars.case:
            constraints += of_range(scalars, chain)
    return constraints


def _ends(scalars: Scalars, end: Text | None, function: str) -> list[Ratio]:
    """An end of a range; several where it is the largest or the smallest of them."""
    values = []
    for part in parts_of_end(end.tree, function) if end else ():
        with contextlib.suppress(OpcheckError, Undecided, TypeError):
            values.append(scalars.read(part))
    return values


def parts_of_end(node: Node, function: str) -> list[Node]:
    """The arguments where a tree is max(...) or min(...), else the tree."""
    if isinstance(node, Call) and node.function == function:
        return [part for a in node.arguments for part in parts_of_end(a, function)]
    return [node]


def domain(scalars: Scalars, indices: Sequence[str], least: int) -> Domain:
    """Constants and parameters that the statement admits, and k from ``least`` on.

    Args:
        indices: the symbols that k is made of; where it is not k itself they count from 0, so a few
            k before the first are then covered too.
    """
    field, spares = scalars.field, scalars.spares
    names = symbols_of(scalars.theorem, [*scalars.case])
    constraints = admitted(scalars)
    for test, offset, holds in scalars.assumed:
        gap, strict = scalars.gap(test, offset)
        constraints.append(Constraint(gap if holds else -gap, strict == holds))
    symbols = [*names, *indices]
    firsts = {name: least if name == "k" else 0 for name in indices}
    counted = [Constraint(field.symbol(name) - first, False) for name, first in firsts.items()]
    early = [Constraint(field.symbol(name), False) for name in indices]
    anywhere = Domain(field, symbols, [*constraints, *early])
    if rational := _without_roots(scalars, constraints, anywhere):
        constraints += rational
        anywhere = Domain(field, symbols, [*constraints, *early])
    known: list[Constraint] = []
    for name, term in spares.sums.items():
        # of the terms from j = 0 on
        if "k" in indices and anywhere.nonnegative(term):
            known.append(Constraint(field.symbol(name), False))
    late = Domain(field, symbols, [*constraints, *counted])
    for name, base in spares.powers.items():
        # x^k of a negative x may have either sign and any size
        if late.positive(base):
            known.append(Constraint(field.symbol(name), True))
        if late.nonnegative(base - 1):
            known.append(Constraint(field.symbol(name) - 1, False))
        elif late.nonnegative(base) and late.nonnegative(1 - base):
            known.append(Constraint(1 - field.symbol(name), False))
    for name, base in spares.lasts.items():
        known += of_last_power(scalars, late, name, base)
    # the root of a number is a symbol between two numbers
    numbers = {name: inner.constant() for name, inner in spares.roots.items() if not inner.symbols}
    for name, number in numbers.items():
        below, above = scalars.enclosure(arb(number).sqrt())
        known += [
            Constraint(field.symbol(name) - below, False),
            Constraint(above - field.symbol(name), False),
        ]
    # any other is ≥ 0, and ≥ 1 where its argument is: a statement is real before it is proved
    ruled = {name for c in constraints for name in c.value.symbols}
    roots = [name for name in spares.roots if name not in numbers and name not in ruled]
    for name in roots:
        inner = spares.roots[name]
        known.append(Constraint(field.symbol(name), anywhere.positive(inner)))
        if anywhere.nonnegative(inner - 1):
            known.append(Constraint(field.symbol(name) - 1, False))
    symbols += roots
    return Domain(
        field,
        [*numbers, *symbols, *spares.sums, *spares.powers, *spares.lasts],
        [*constraints, *counted, *known],
    )


def of_last_power(scalars: Scalars, late: Domain, name: str, base: Ratio) -> list[Constraint]:
    """What is known of x^K: its sign; then for x ≥ 1 that it is at least x^(k + 1), or x^k."""
    field, power = scalars.field, scalars.field.symbol(name)
    known = [Constraint(power, True)] if late.positive(base) else []
    if not known or not late.nonnegative(base - 1):
        return known
    powers = {other: field.symbol(n) for n, other in scalars.spares.powers.items()}
    fixed = None if scalars.k.symbols else scalars.k.constant()
    reached = powers.get(base) if fixed is None else base ** int(fixed.p)
    for ahead in (1, 0):
        if reached is not None and late.nonnegative(field.symbol(RUN) - scalars.k - ahead):
            return [*known, Constraint(power - reached * base**ahead, False)]
    return known


def _without_roots(
    scalars: Scalars, constraints: Sequence[Constraint], anywhere: Domain
) -> list[Constraint]:
    """a + b √x ≥ 0 with a ≤ 0 ≤ b as b² x − a² ≥ 0, and with b ≤ 0 ≤ a as a² − b² x ≥ 0."""
    field, squared = scalars.field, []
    for name, inner in scalars.spares.roots.items():
        at_zero, at_one = ({name: field.number(v)} for v in (0, 1))
        for c in constraints:
            if name in c.value.symbols and not c.value.den.degrees()[field.names.index(name)]:
                a = field.at(c.value, at_zero)
                b = field.at(c.value, at_one) - a
                linear = a + b * field.symbol(name) == c.value
                if linear and anywhere.nonnegative(-a) and anywhere.nonnegative(b):
                    squared.append(Constraint(b * b * inner - a * a, c.strict))
                if linear and anywhere.nonnegative(a) and anywhere.nonnegative(-b):
                    gap = a * a - b * b * inner
                    below = field.ratio(gap.den, field.one)
                    cleared = gap * below if anywhere.positive(below) else gap
                    squared += [Constraint(cleared, c.strict), Constraint(a, c.strict)]
                    for symbol, low in low_ends(cleared, constraints, anywhere):
                        squared.append(Constraint(field.at(cleared, {symbol: low}), c.strict))
    return squared


def low_ends(
    value: Ratio, constraints: Sequence[Constraint], anywhere: Domain
) -> Iterator[tuple[str, Ratio]]:
    """Symbols in which a function falls linearly, with what each is at least."""
    field = value.field
    for name in sorted(value.symbols):
        if value.num.degrees()[field.names.index(name)] != 1 or not value.den.is_one():
            continue
        at_zero, at_one = (field.at(value, {name: field.number(v)}) for v in (0, 1))
        if not anywhere.nonnegative(at_zero - at_one):
            continue
        for c in constraints:
            low = field.symbol(name) - c.value
            if name in c.value.symbols and name not in low.symbols:
                yield name, low
