"""Properties of operators, each but one written once as a quadratic form.

A property is a form (a, b, c) that asks a‖x−y‖² + 2b⟨x−y, u−v⟩ + c‖u−v‖² ≥ 0 of every two points
(x, u), (y, v) of a graph, or, for a *star* property, of every point against one zero. Sampling,
attack, implication and the worst-case problem all read the same form. PLStar is about function
values and has none: it implies nothing here, and only itself implies it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np

from opcheck.arguments import asked
from opcheck.errors import OpcheckError
from opcheck.model.text import text

Form = tuple[Any, Any, Any]
Of = Literal["F", "A", "S", "T"]
OF: tuple[Of, ...] = get_args(Of)
WRITTEN = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*(?:of\s+([FAST]))?\s*")
Provenance = Literal["exact", "certified", "estimated", "claimed"]
STRENGTH: tuple[Provenance, ...] = ("exact", "certified", "estimated", "claimed")
LARGEST = 1e150  # of a constant, whose square must be a float


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A property up to its constant.

    Attributes:
        form: constant -> (a, b, c), polynomial in the constant with rational coefficients.
        meaning: the inequality, for people.
        symbol: of the constant; "" for none.
        better: whether a larger or a smaller constant is the stronger statement; None: no constant.
        star: only against a solution instead of all pairs.
        positive: the constant is not negative.
        of_values: it is about values of a potential, not a form.
    """

    name: str
    form: Callable[[Any], Form]
    meaning: str
    better: Literal["larger", "smaller"] | None = None
    symbol: str = ""
    star: bool = False
    positive: bool = False
    of_values: bool = False

    def __repr__(self) -> str:
        """As it is written without its constant: what a sentence shows where () was forgotten."""
        return self.name

    @asked
    def __call__(self, constant: Any = None, of: Of = "F") -> Property:
        """The property with a constant: a number, a formula, or a symbol of a theorem.

        Raises OpcheckError for an operator other than F, A, S, T, a constant where the kind has
        none, and one that is no finite number or formula, or negative where that means nothing.
        """
        if of not in OF:
            raise OpcheckError(f"{self.name} of {of!r}: a property is of {', '.join(OF)}")
        if constant is not None:
            self.admit(constant)
        return Property(self, constant, of)

    def admit(self, constant: Any) -> None:
        """Raises OpcheckError for what can't be a constant of this kind."""
        if self.better is None:
            raise OpcheckError(f"{self.name}({constant}): it has no constant; write {self.name}()")
        if isinstance(constant, str):
            text(constant)
            return
        real = isinstance(constant, Real) and not isinstance(constant, bool | np.bool_)
        if not real or not math.isfinite(constant):
            raise OpcheckError(
                f"{self.name}({constant!r}): {self.symbol} is a finite number, or a formula as text"
            )
        if self.positive and constant < 0:
            raise OpcheckError(f"{self.name}({constant}): {self.symbol} must not be negative")


@dataclass(frozen=True)
class Property:
    """A kind with its constant and the operator it speaks of.

    F is the single-valued part, A the one behind the resolvent, S = F + A, T = I − F.
    """

    kind: Kind
    constant: Any
    of: Of

    def __str__(self) -> str:
        """As in ``Comonotone(-0.3) of S``."""
        inner = "" if self.kind.better is None else f"({self.constant})"
        return f"{self.kind.name}{inner} of {self.of}"

    @property
    def number(self) -> Fraction | None:
        """The constant where it is a number, or a text that is one, and no symbol."""
        if isinstance(self.constant, int | Fraction) and not isinstance(self.constant, bool):
            return Fraction(self.constant)
        if isinstance(self.constant, float):
            return Fraction(str(self.constant)) if math.isfinite(self.constant) else None
        if isinstance(self.constant, str):
            try:
                return Fraction(self.constant)
            except (ValueError, ZeroDivisionError):
                return None
        return None

    @property
    def symbol(self) -> str | None:
        """The constant where it is a symbol; None where there is none, or it is a number."""
        return None if self.kind.better is None or self.number is not None else str(self.constant)

    def form(self, constant: Any = None) -> Form:
        """The form in (x − y, Fx − Fy), or (x − y, u − v) of A or S; T is turned into F = I − T."""
        value = self.constant if constant is None else constant
        a, b, c = self.kind.form(value)
        if self.of == "T":
            # u_T = dx − u_F
            return a + 2 * b + c, -b - c, c
        return a, b, c


Lipschitz = Kind(
    name="Lipschitz",
    form=lambda L: (L * L, 0, -1),
    better="smaller",
    symbol="L",
    meaning="‖u − v‖ ≤ L‖x − y‖",
    positive=True,
)
Monotone = Kind(
    name="Monotone",
    form=lambda _: (0, Fraction(1, 2), 0),
    meaning="⟨u − v, x − y⟩ ≥ 0",
)
StronglyMonotone = Kind(
    name="StronglyMonotone",
    form=lambda mu: (-mu, Fraction(1, 2), 0),
    better="larger",
    symbol="mu",
    meaning="⟨u − v, x − y⟩ ≥ μ‖x − y‖²",
)
Comonotone = Kind(
    name="Comonotone",
    form=lambda rho: (0, Fraction(1, 2), -rho),
    better="larger",
    symbol="rho",
    meaning="⟨u − v, x − y⟩ ≥ ρ‖u − v‖²; ρ < 0 is cohypomonotone",
)
Cocoercive = Kind(
    name="Cocoercive",
    form=lambda beta: (0, Fraction(1, 2), -beta),
    better="larger",
    symbol="beta",
    meaning="⟨u − v, x − y⟩ ≥ β‖u − v‖², β > 0",
    positive=True,
)
WeakMinty = Kind(
    name="WeakMinty",
    form=lambda rho: (0, Fraction(1, 2), -rho),
    better="larger",
    star=True,
    symbol="rho",
    meaning="⟨u, x − x*⟩ ≥ ρ‖u‖² at one solution x*",
)
Nonexpansive = Kind(
    name="Nonexpansive",
    form=lambda _: (1, 0, -1),
    meaning="‖Tx − Ty‖ ≤ ‖x − y‖",
)
QuasiNonexpansive = Kind(
    name="QuasiNonexpansive",
    form=lambda _: (1, 0, -1),
    star=True,
    meaning="‖Tx − x*‖ ≤ ‖x − x*‖",
)
ConicallyNonexpansive = Kind(
    name="ConicallyNonexpansive",
    form=lambda theta: (2 * theta - 1, 1 - theta, -1),
    better="smaller",
    symbol="theta",
    meaning="T = (1 − θ)I + θN with N nonexpansive",
    positive=True,
)


def _no_form(constant: Any) -> Form:
    raise OpcheckError("PLStar is about function values and has no quadratic form")


PLStar = Kind(
    name="PLStar",
    form=_no_form,
    better="larger",
    star=True,
    symbol="mu",
    meaning="½‖F z‖² ≥ μ(f(z) − f*), F = ∇f",
    positive=True,
    of_values=True,
)


KINDS = (
    Lipschitz,
    Monotone,
    StronglyMonotone,
    Comonotone,
    Cocoercive,
    WeakMinty,
    Nonexpansive,
    QuasiNonexpansive,
    ConicallyNonexpansive,
    PLStar,
)


def implies(premises: Sequence[Form], conclusion: Form) -> bool:
    """Whether conclusion − Σ λ_i premise_i is a nonnegative form for some λ ≥ 0.

    Exact rational arithmetic: True is always a proof. The λ tried are those at which an entry or
    the determinant of the difference vanishes, so False may, for several premises, be a miss.
    """
    target = _rational(conclusion)
    if not premises:
        return _nonnegative(target)
    head, rest = _rational(premises[0]), premises[1:]
    return any(implies(rest, _minus(target, lam, head)) for lam in _multipliers(target, head))


def _rational(form: Form) -> Form:
    a, b, c = (Fraction(v) for v in form)
    return a, b, c


def _minus(target: Form, lam: Fraction, form: Form) -> Form:
    a, b, c = (t - lam * f for t, f in zip(target, form, strict=True))
    return a, b, c


def _nonnegative(form: Form) -> bool:
    a, b, c = form
    return bool(a >= 0 and c >= 0 and a * c >= b * b)


def _multipliers(target: Form, form: Form) -> Iterable[Fraction]:
    # det(target − λ form) is a quadratic in λ; it is tried at its vertex, its rational roots, and
    # where single entries vanish.
    (a, b, c), (p, q, r) = target, form
    yield Fraction(0)
    for t, f in zip(target, form, strict=True):
        if f and t / f >= 0:
            yield t / f
    square, linear, constant = p * r - q * q, -(a * r + c * p - 2 * b * q), a * c - b * b
    if square:
        vertex = -linear / (2 * square)
        if vertex >= 0:
            yield vertex
        disc = linear * linear - 4 * square * constant
        if disc >= 0:
            root = (_root(disc) if disc else disc).limit_denominator(10**9)
            for sign in (1, -1):
                lam = (-linear + sign * root) / (2 * square)
                if lam >= 0:
                    yield lam.limit_denominator(10**9)


def strongest(conclusion: Property, premises: Sequence[Property]) -> Fraction | None:
    """The best constant with which ``premises`` (numbers, same operator) imply ``wanted``.

    Tried are the ratios and roots that the premises' own entries give; each is checked exactly.
    None if no constant works. For a kind without a constant, 0 or None.
    """
    if conclusion.kind.of_values:
        same = [Fraction(p.constant) for p in premises if p.kind is conclusion.kind]
        return max(same, default=None)
    usable = [p for p in premises if not p.kind.of_values]
    usable = [p for p in usable if conclusion.kind.star or not p.kind.star]
    # in floats L² rounds, or is 0 for an L that is not
    forms = [p.form(None if p.constant is None else Fraction(p.constant)) for p in usable]
    pool: list[Sequence[Form]] = [[f] for f in forms]
    pool += [[f, g] for i, f in enumerate(forms) for g in forms[:i]]
    if conclusion.kind.better is None:
        return Fraction(0) if any(implies(p, conclusion.form(0)) for p in pool) else None
    sign = 1 if conclusion.kind.better == "larger" else -1
    best: Fraction | None = None
    for group in pool:
        for guess in _candidates(group, conclusion):
            better = best is None or sign * (guess - best) > 0
            if (
                better
                and _plausible(group, conclusion.form(guess))
                and implies(group, conclusion.form(guess))
            ):
                best = guess
    return best


def _plausible(premises: Sequence[Form], conclusion: Form) -> bool:
    """The implication tried in floats with room for rounding, to save exact work; never a proof."""
    target, *forms = [_floats(form) for form in (conclusion, *premises)]
    room = 1e-9 * (1 + max(abs(v) for v in target))

    def reach(rest: tuple[float, float, float], left: list[tuple[float, float, float]]) -> bool:
        a, b, c = rest
        if not left:
            return a >= -room and c >= -room and a * c - b * b >= -room * (1 + abs(a) + abs(c))
        (p, q, r), *others = left
        return any(
            reach((a - lam * p, b - lam * q, c - lam * r), others)
            for lam in _float_multipliers(rest, (p, q, r))
        )

    return reach(target, forms)


def _floats(form: Form) -> tuple[float, float, float]:
    a, b, c = form
    return float(a), float(b), float(c)


def _float_multipliers(
    target: tuple[float, float, float], form: tuple[float, float, float]
) -> list[float]:
    multipliers = [0.0] + [t / f for t, f in zip(target, form, strict=True) if f]
    (a, b, c), (p, q, r) = target, form
    square, linear, constant = p * r - q * q, -(a * r + c * p - 2 * b * q), a * c - b * b
    if twice := 2 * square:
        root = max(linear * linear - 4 * square * constant, 0.0) ** 0.5
        multipliers += [-linear / twice, (-linear + root) / twice, (-linear - root) / twice]
    return [v for v in multipliers if v >= 0]


def _candidates(group: Sequence[Form], conclusion: Property) -> list[Fraction]:
    numbers = {abs(Fraction(v)) for form in group for v in form if v}
    values = {Fraction(0)}
    for u in numbers:
        values |= {u, 1 / u, 2 * u, Fraction(1, 2) / u, u / 2}
        for v in numbers:
            values |= {u / v, 2 * u / v, u / (2 * v)}
    values = {v for v in values if v <= LARGEST**2}  # beyond, it is the square of no constant
    roots = {_root(v) for v in values if v > 0}
    exact_roots = {r for r in roots if r * r in values}
    values = {v for v in values | exact_roots if v <= LARGEST}
    signs = (1,) if conclusion.kind.positive else (1, -1)
    return sorted({s * v for v in values for s in signs})


def property_of(written: str | Property) -> Property:
    """A property as it is typed: ``Lipschitz(1) of F``, ``Lipschitz(L)``, ``Monotone of S``.

    Raises OpcheckError for another text.
    """
    if not isinstance(written, str):
        return written
    match = WRITTEN.fullmatch(written)
    kinds = {kind.name: kind for kind in KINDS}
    if match is None or match[1] not in kinds:
        raise OpcheckError(
            f"{written!r} is no property; write one of {', '.join(kinds)}, as in "
            "'Lipschitz(1) of F'"
        )
    of: Of = match[3] or "F"  # type: ignore[assignment]
    return Property(kinds[match[1]], match[2], of)


def _root(value: Fraction) -> Fraction:
    """The square root where it is rational, else near it."""
    p, q = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if p * p == value.numerator and q * q == value.denominator:
        return Fraction(p, q)
    # of a size that a float has, whatever that of the value is
    power = (value.numerator.bit_length() - value.denominator.bit_length()) // 2
    return Fraction(math.sqrt(value / Fraction(4) ** power)) * Fraction(2) ** power


@dataclass(frozen=True)
class Fact:
    """A property of a concrete problem and how well it is known.

    Attributes:
        property: with a constant that is a number, or a formula in the problem's parameters.
        provenance: ``exact`` closed form, ``certified`` enclosure, ``estimated`` by search (a
            one-sided bound only), ``claimed`` by the author.
        local: holds only on the problem's region.
        note: where it comes from, or why.
        published: what the literature states, where that is another number: a number, or a
            formula in the problem's parameters.
    """

    property: Property
    provenance: Provenance
    local: bool = False
    note: str = ""
    published: Any = None

    def __post_init__(self) -> None:
        """Raises OpcheckError for what states nothing."""
        property = self.property
        if not isinstance(property, Property):
            raise OpcheckError(f"{property!r} is no property; write exact(Lipschitz(2))")
        if property.kind.better is not None and property.constant is None:
            raise OpcheckError(
                f"{property.kind.name} of {property.of} is stated without {property.kind.symbol}; "
                f"write {property.kind.name}({property.kind.symbol})"
            )


def fact_refusal(value: Any) -> str:
    """What is wrong with something that stands among facts and is none, and what to write."""
    if isinstance(value, Property | Kind):
        kind = value.kind if isinstance(value, Property) else value
        constant = value.constant if isinstance(value, Property) else kind.symbol
        written = f"{kind.name}({'' if kind.better is None else repr(constant)})"
        said = f"{written}, which doesn't say how it is known"
        return f"{said}; write exact({written}), or estimated(...)"
    shown = repr(value)
    return (
        f"{shown if len(shown) <= 60 else type(value).__name__}, which is no fact; write "
        "facts=[exact(Monotone()), exact(Lipschitz(2))]"
    )


def exact(property: Property, note: str = "", local: bool = False, published: Any = None) -> Fact:
    """A fact with a closed form."""
    return Fact(property, "exact", local, note, published)


def estimated(
    property: Property, note: str = "", local: bool = False, published: Any = None
) -> Fact:
    """A fact found by search: nothing beyond it was found, nothing more is claimed."""
    return Fact(property, "estimated", local, note, published)


def weakest(provenances: Iterable[Provenance]) -> Provenance:
    """The least certain of several provenances; ``exact`` for none."""
    return max(provenances, key=STRENGTH.index, default="exact")
