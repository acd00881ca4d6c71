"""Which class of operators lies in which, by exact arithmetic on the forms of their properties.

An arrow is a proof; where there is none, no implication was shown. Arrows that follow from two
others are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from opcheck.model.property import (
    Cocoercive,
    Comonotone,
    ConicallyNonexpansive,
    Kind,
    Lipschitz,
    Monotone,
    Nonexpansive,
    Of,
    Property,
    QuasiNonexpansive,
    StronglyMonotone,
    WeakMinty,
    strongest,
)
from opcheck.model.table import Table

POSITIVE = (Fraction(1, 3), Fraction(2), Fraction(7, 2))
NEGATIVE = tuple(-c for c in POSITIVE)
FORMULAS: Mapping[str, Callable[[Fraction], Fraction]] = {
    "0": lambda _: Fraction(0),
    "1/2": lambda _: Fraction(1, 2),
    "1": lambda _: Fraction(1),
    "2": lambda _: Fraction(2),
    "{}": lambda c: c,
    "−{}": lambda c: -c,
    "2{}": lambda c: 2 * c,
    "1/{}": lambda c: 1 / c,
    "1/(2{})": lambda c: 1 / (2 * c),
}


@dataclass(frozen=True)
class Class:
    """The operators with a property at some constant of a sign.

    Attributes:
        values: constants that stand for all of that sign; ``(None,)`` where there is none.
        letter: of the constant.
    """

    kind: Kind
    of: Of
    values: tuple[Fraction | None, ...]
    letter: str = ""

    def holds(self, constant: Fraction) -> bool:
        """Whether a constant has the sign; 0 has that of the negative ones, which are weaker."""
        first = self.values[0]
        return first is None or (constant > 0 if first > 0 else True)


CLASSES: Mapping[str, Class] = {
    "T quasi-nonexpansive": Class(QuasiNonexpansive, "T", (None,)),
    "T nonexpansive": Class(Nonexpansive, "T", (None,)),
    "F β-cocoercive": Class(Cocoercive, "F", POSITIVE, "β"),
    "T θ-conically nonexpansive": Class(ConicallyNonexpansive, "T", POSITIVE, "θ"),
    "F μ-strongly monotone": Class(StronglyMonotone, "F", POSITIVE, "μ"),
    "F L-Lipschitz": Class(Lipschitz, "F", POSITIVE, "L"),
    "F monotone": Class(Monotone, "F", (None,)),
    "F μ-hypomonotone, μ ≤ 0": Class(StronglyMonotone, "F", NEGATIVE, "μ"),
    "F ρ-comonotone, ρ ≤ 0": Class(Comonotone, "F", NEGATIVE, "ρ"),
    "F ρ-weak Minty, ρ ≤ 0": Class(WeakMinty, "F", NEGATIVE, "ρ"),
}


def implications() -> Table:
    """Rows premise, conclusion, with: the constant of the conclusion in that of the premise.

    T = I − F. "" stands for a conclusion without a constant.
    """
    arrows = {
        (premise, conclusion): formula
        for premise in CLASSES
        for conclusion in CLASSES
        if premise != conclusion and (formula := _constant(premise, conclusion)) is not None
    }
    kept = [pair for pair in arrows if not _follows(pair, arrows)]
    columns = {
        "premise": [premise for premise, _ in kept],
        "conclusion": [conclusion for _, conclusion in kept],
        "with": [arrows[pair] for pair in kept],
    }
    return Table(columns, caption="Which class of operators lies in which; T = I − F")


def _constant(premise: str, conclusion: str) -> str | None:
    """The constant of the conclusion as a formula; None where the implication was not shown."""
    a, b = CLASSES[premise], CLASSES[conclusion]
    best = []
    for value in a.values:
        constant = strongest(Property(b.kind, b.values[0], b.of), [Property(a.kind, value, a.of)])
        if constant is None or not b.holds(constant):
            return None
        best.append(constant)
    if not b.letter:
        return ""
    values = [Fraction(0) if value is None else value for value in a.values]
    for formula, function in FORMULAS.items():
        if ("{}" in formula) <= bool(a.letter) and [*map(function, values)] == best:
            same = formula == "{}" and a.letter == b.letter
            return f"the same {b.letter}" if same else f"{b.letter} = {formula.format(a.letter)}"
    raise AssertionError(f"no formula for {b.letter} of {premise}: {best}")


def _follows(pair: tuple[str, str], arrows: Mapping[tuple[str, str], str]) -> bool:
    """Whether an arrow is two others; of classes that are equal, those of the first are kept."""
    premise, conclusion = pair
    if (conclusion, premise) in arrows:
        return False
    order = list(CLASSES)
    for between in CLASSES:
        first, second = (premise, between), (between, conclusion)
        if not (first in arrows and second in arrows):
            continue
        equal = next((q for q in (first, second) if q[::-1] in arrows), None)
        if equal is None or order.index(between) < order.index(equal[equal[0] == between]):
            return True
    return False
