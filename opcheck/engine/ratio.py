"""Rational functions of a theorem's symbols: the numbers of a step that stands for every step.

Canonical: numerator and denominator without a common factor, the denominator's leading coefficient
positive; so equal functions are equal objects, and an identity holds exactly when its difference
is 0.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq, fmpz_mpoly_ctx

from opcheck.errors import Undecided

SPARE = 6  # symbols that a field keeps for what turns up later, as sums and powers


def factorised(polynomial: Any) -> tuple[Any, list[tuple[Any, int]]]:
    """A constant, and factors with their powers; irreducible where the library can sort them."""
    for method in (polynomial.factor, polynomial.factor_squarefree):
        # it sorts by coefficients, and only knows how to compare those of a machine word
        with contextlib.suppress(OverflowError):
            constant, parts = method()
            return constant, list(parts)
    return polynomial.context().constant(1), [(polynomial, 1)]


class Field:
    """Rational functions of named symbols with rational coefficients.

    Spare symbols bear names that no text can hold, as s.0.
    """

    def __init__(self, names: Sequence[str], spare: int = SPARE) -> None:
        self.known = [*names]
        self._names = [f"s.{i}" for i in range(spare)]
        self.names = [*names, *self._names]
        # the library takes ASCII alone
        plain = [n if n.isascii() else f"x.{i}" for i, n in enumerate(self.names)]
        self._foreign = {p: n for p, n in zip(plain, self.names, strict=True) if p != n}
        self.context: Any = fmpz_mpoly_ctx.get(plain, Ordering.lex)
        self.generators = dict(zip(self.names, self.context.gens(), strict=True))
        self.one = self.context.constant(1)
        self._spare: dict[str, str] = {}
        self.divisors: list[Ratio] = []  # what texts of kernels divided by, beside numbers

    def symbol(self, name: str) -> Ratio:
        """The function that a symbol is."""
        return Ratio(self, self.generators[name], self.one)

    def spare(self, meaning: str) -> tuple[str, Ratio]:
        """A symbol for something given by its text; the same for the same text."""
        if meaning not in self._spare:
            if len(self._spare) == len(self._names):
                raise Undecided(f"more than {len(self._names)} sums, powers and roots")
            self._spare[meaning] = self._names[len(self._spare)]
        name = self._spare[meaning]
        return name, self.symbol(name)

    def written(self, polynomial: Any) -> str:
        """A polynomial in the names of its symbols."""
        text = str(polynomial).replace("^", "**")
        for plain, name in self._foreign.items():
            text = text.replace(plain, name)
        return text

    def meaning(self, name: str) -> str:
        """What a symbol stands for."""
        return next((m for m, n in self._spare.items() if n == name), name)

    def number(self, value: Any) -> Ratio:
        """A constant. Raises TypeError for a float."""
        if isinstance(value, Ratio):
            return value
        if isinstance(value, Fraction):
            value = fmpq(value.numerator, value.denominator)
        if not isinstance(value, int | fmpq):
            raise TypeError(f"{type(value).__name__} {value!r} is no rational number")
        q = fmpq(value)
        return Ratio(self, self.context.constant(int(q.p)), self.context.constant(int(q.q)))

    def ratio(self, numerator: Any, denominator: Any) -> Ratio:
        """The function in canonical form."""
        if denominator.is_zero():
            raise ZeroDivisionError("division by a function that is 0")
        common = numerator.gcd(denominator)
        if not common.is_one():
            numerator, denominator = numerator // common, denominator // common
        if denominator.leading_coefficient() < 0:
            numerator, denominator = -numerator, -denominator
        return Ratio(self, numerator, denominator)

    def at(self, value: Ratio, images: Mapping[str, Ratio]) -> Ratio:
        """The function with symbols replaced."""
        in_order = [self.symbol(n) if n not in images else images[n] for n in self.names]
        num, den = (self._compose(p, in_order) for p in (value.num, value.den))
        return self.ratio(num.num * den.den, num.den * den.num)

    def value(self, value: Ratio, point: Mapping[str, fmpq]) -> fmpq | None:
        """The value at a point; None at a pole, and where a symbol has no value there."""
        if not value.symbols <= point.keys():
            return None
        spots = [point.get(n) for n in self.names]
        num, den = (_evaluated(p, spots) for p in (value.num, value.den))
        return num / den if den else None

    def _compose(self, polynomial: Any, images: Sequence[Ratio]) -> Ratio:
        degrees = [max(d, 0) for d in polynomial.degrees()]
        if all(image.den.is_one() for image, d in zip(images, degrees, strict=True) if d):
            return Ratio(self, polynomial.compose(*(image.num for image in images)), self.one)
        # over one denominator, so that polynomials do the work
        num, den = self.context.constant(0), self.one
        for image, degree in zip(images, degrees, strict=True):
            den = den * image.den**degree
        for powers, coefficient in polynomial.to_dict().items():
            term = self.context.constant(coefficient)
            for image, power, degree in zip(images, powers, degrees, strict=True):
                if degree:
                    term = term * image.num**power * image.den ** (degree - power)
            num = num + term
        return self.ratio(num, den)


class Ratio:
    """A rational function; compared and rounded only where it is a constant."""

    __slots__ = ("_symbols", "den", "field", "num")

    def __init__(self, field: Field, num: Any, den: Any) -> None:
        self.field, self.num, self.den = field, num, den
        self._symbols: frozenset[str] | None = None

    def _other(self, other: Any) -> Ratio | None:
        known = isinstance(other, int | fmpq | Fraction | Ratio)
        return self.field.number(other) if known else None

    def __add__(self, other: Any) -> Any:
        o = self._other(other)
        if o is None:
            return NotImplemented
        if self.den == o.den:
            return self.field.ratio(self.num + o.num, self.den)
        return self.field.ratio(self.num * o.den + o.num * self.den, self.den * o.den)

    __radd__ = __add__

    def __neg__(self) -> Ratio:
        return Ratio(self.field, -self.num, self.den)

    def __sub__(self, other: Any) -> Any:
        o = self._other(other)
        return NotImplemented if o is None else self + (-o)

    def __rsub__(self, other: Any) -> Any:
        o = self._other(other)
        return NotImplemented if o is None else o + (-self)

    def __mul__(self, other: Any) -> Any:
        o = self._other(other)
        if o is None:
            return NotImplemented
        return self.field.ratio(self.num * o.num, self.den * o.den)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        o = self._other(other)
        if o is None:
            return NotImplemented
        return self.field.ratio(self.num * o.den, self.den * o.num)

    def __rtruediv__(self, other: Any) -> Any:
        o = self._other(other)
        if o is None:
            return NotImplemented
        return self.field.ratio(o.num * self.den, o.den * self.num)

    def __pow__(self, power: int) -> Ratio:
        if power < 0:
            return self.field.ratio(self.den**-power, self.num**-power)
        return Ratio(self.field, self.num**power, self.den**power)

    def __eq__(self, other: object) -> bool:
        o = self._other(other)
        return o is not None and bool(self.num == o.num and self.den == o.den)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        num, den = self.field.written(self.num), self.field.written(self.den)
        return num if self.den.is_one() else f"({num})/({den})"

    @property
    def plain(self) -> Ratio:
        """The function, to be compared as one."""
        return self

    def factored(self, negative: Callable[[Any], bool] = lambda _: False) -> str:
        """As a product of powers.

        Args:
            negative: whether a factor is turned round, so that −x is written in its place.
        """
        (above, up), (below, down) = factorised(self.num), factorised(self.den)
        for factors in (up, down):
            for i, (factor, power) in enumerate(factors):
                if negative(factor):
                    factors[i] = -factor, power
                    above = -above if power % 2 else above
        sign = "-" if (above < 0) != (below < 0) else ""
        over, under = (
            _product(self.field, abs(int(c)), factors)
            for c, factors in ((above, up), (below, down))
        )
        if under == "1":
            return sign + over
        single = len(down) + (abs(int(below)) != 1) == 1
        return f"{sign}{over}/{under if single else f'({under})'}"

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols it depends on."""
        if self._symbols is None:  # asked often, of what does not change
            degrees = zip(self.field.names, self.num.degrees(), self.den.degrees(), strict=True)
            self._symbols = frozenset(name for name, m, n in degrees if m > 0 or n > 0)
        return self._symbols

    def constant(self) -> fmpq:
        """Its value. Raises Undecided where it depends on a symbol."""
        if self.symbols:
            raise Undecided(f"{self} depends on {', '.join(sorted(self.symbols))}")
        num, den = self.num.leading_coefficient(), self.den.leading_coefficient()
        return fmpq(int(num) if not self.num.is_zero() else 0, int(den))

    def phase(self, period: Any) -> Any:
        """Its residue, where that is the same for all whole values of the symbols.

        Raises Undecided where it is not. Of a ``Period`` it is a ``Count``, or a number.
        """
        if isinstance(period, Period):
            return period.residue(self.plain)
        rest = 0
        for powers, coefficient in self.num.to_dict().items():
            if any(powers) and int(coefficient) % period:
                raise Undecided(f"{self} mod {period} depends on {', '.join(self.symbols)}")
            rest += 0 if any(powers) else int(coefficient)
        if not self.den.is_one():
            raise Undecided(f"{self} is no whole number")
        return rest % period

    def __lt__(self, other: Any) -> bool:
        return bool((self - other).constant() < 0)

    def __le__(self, other: Any) -> bool:
        return bool((self - other).constant() <= 0)

    def __gt__(self, other: Any) -> bool:
        return bool((self - other).constant() > 0)

    def __ge__(self, other: Any) -> bool:
        return bool((self - other).constant() >= 0)

    def __bool__(self) -> bool:
        return not self.num.is_zero()


class Strict(Ratio):
    """A parameter or k as a kernel sees it: what would depend on its value refuses.

    Sums and products with numbers and its like stay strict; what is multiplied into a vector is not
    compared any more.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if self.symbols:
            raise Undecided(f"what a step does depends on whether {self} is {other}")
        return super().__eq__(other)

    __hash__ = Ratio.__hash__

    def __bool__(self) -> bool:
        return self != 0

    def __neg__(self) -> Strict:
        return Strict(self.field, -self.num, self.den)

    def divides(self) -> None:
        """Note that a text divides by it: a quotient that cancels has no value where it is 0."""
        if self.symbols:
            self.field.divisors.append(self.plain)

    def __pow__(self, power: int) -> Strict:
        if power < 0:
            self.divides()
        raised = super().__pow__(power)
        return Strict(self.field, raised.num, raised.den)

    @property
    def plain(self) -> Ratio:
        """The function, to be compared as one."""
        return Ratio(self.field, self.num, self.den)

    def __int__(self) -> int:
        if self.symbols:
            raise Undecided(
                f"int({self}) is no rational function; sequences are read at k, and counts are "
                "declared as tau:int"
            )
        value = self.constant()  # towards 0, as of a float
        return int(value.floor() if value >= 0 else value.ceil())

    def __mod__(self, other: Any) -> Any:
        return self._residue(self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._residue(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return (self - self._residue(self, other)) / other

    def __rfloordiv__(self, other: Any) -> Any:
        return (other - self._residue(other, self)) / self

    def _residue(self, value: Any, period: Any) -> Any:
        value, period = self.field.number(value), self.field.number(period)
        if value.symbols or period.symbols:
            raise Undecided(
                f"the residue of {value} by {period} is no rational function; that of k is written "
                "phase(k, period)"
            )
        whole = int((value.constant() / period.constant()).floor())
        return _strict(value - period * whole)


def _strict(value: Ratio) -> Strict:
    return Strict(value.field, value.num, value.den)


def _compared(sign: str) -> Callable[[Strict, Any], bool]:
    """A comparison that holds for all values of the symbols or for none; else it refuses."""
    plain = {"<": Ratio.__lt__, "<=": Ratio.__le__, ">": Ratio.__gt__, ">=": Ratio.__ge__}[sign]

    def apply(self: Strict, other: Any) -> bool:
        if (self.plain - other).symbols:
            raise Undecided(
                f"what a step does depends on whether {self} {sign} {other}; write the branch that "
                "the range leaves alone, or a method for each"
            )
        return plain(self, other)

    return apply


for _sign, _name in (("<", "lt"), ("<=", "le"), (">", "gt"), (">=", "ge")):
    setattr(Strict, f"__{_name}__", _compared(_sign))


def _staying_strict(name: str) -> Callable[[Strict, Any], Any]:
    plain = getattr(Ratio, name)

    def apply(self: Strict, other: Any) -> Any:
        divisor = {"__truediv__": other, "__rtruediv__": self}.get(name)
        if isinstance(divisor, Strict):
            divisor.divides()
        result = plain(self, other)
        if result is NotImplemented or not isinstance(other, int | fmpq | Strict):
            return result
        return Strict(result.field, result.num, result.den)

    return apply


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv"):
    setattr(Strict, f"__{_name}__", _staying_strict(f"__{_name}__"))


class Count(Strict):
    """A whole number that is made of numbers ≥ 0: compared where signs of coefficients tell.

    Attributes:
        offset: where a sequence is read at it; a base that counts anew has no other sequence than
            a constant one.
    """

    __slots__ = ()
    offset = 0

    def __add__(self, other: Any) -> Any:
        return self._counted(self.plain + _plain(other), other)

    def __sub__(self, other: Any) -> Any:
        return self._counted(self.plain - _plain(other), other)

    __radd__ = __add__

    def _counted(self, result: Ratio, other: Any) -> Ratio:
        whole = isinstance(other, int | Count)
        return Count(result.field, result.num, result.den) if whole else result

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | Count):
            return super().__eq__(other)
        return equal_counts(self.plain - _plain(other))

    __hash__ = Ratio.__hash__


def _plain(value: Any) -> Any:
    return value.plain if isinstance(value, Ratio) else value


def equal_counts(gap: Ratio) -> bool:
    """Whether the difference of two numbers that are made of counts ≥ 0 is 0.

    Raises Undecided where the signs of its coefficients don't tell.
    """
    terms = gap.num.to_dict()
    if not terms:
        return True
    apart = any(not any(powers) for powers in terms) and gap.den.is_constant()
    if apart and (all(c > 0 for c in terms.values()) or all(c < 0 for c in terms.values())):
        return False
    told = ", ".join(sorted(gap.symbols))
    raise Undecided(f"whether {gap} is 0 depends on {told}, and a step is to be one of all of them")


class Period(Count):
    """A number of steps from ``least`` on after which a loop begins anew.

    Where k + i begins a loop for some i of a window no longer than ``least``, it does for one i
    alone; the residues of the others follow. Where none does, that of the first is at least 1, and
    that of the last at most the period − 1.

    Args:
        field: holds the symbols ``counts``, which stand for whole numbers ≥ 0.
        k: the index; a number at the start of a run.
        window: first and last i.
        begins: the i at which a loop begins; None where none does.

    Attributes:
        least: the smallest value that it has, where a loop begins in the window.
    """

    __slots__ = ("begins", "least", "since", "start", "window")

    def __init__(
        self,
        field: Field,
        counts: tuple[str, str],
        least: int,
        *,
        k: Ratio,
        window: tuple[int, int],
        begins: int | None,
    ) -> None:
        free, further = (field.symbol(name) for name in counts)
        self.start, self.window, self.begins, self.least = k, window, begins, least
        self.since = 1 + further  # the residue of the first, where no loop begins
        inside = begins is not None or not k.symbols
        value = least + free if inside else self.since + (window[1] - window[0] + 1) + free
        super().__init__(field, value.num, value.den)

    def residue(self, value: Ratio) -> Any:
        """Of k + i; a number where that is known, else a Count. Raises Undecided outside."""
        if not value.symbols:
            number = value.constant()
            if number.q == 1 and 0 <= number < self.least:
                return int(number.p)
            raise Undecided(f"{value} mod {self.plain} is not known")
        gap = value - self.start
        low, high = self.window
        if gap.symbols or gap.constant().q != 1 or not low <= gap.constant() <= high:
            raise Undecided(f"{value} mod {self.plain} is not known")
        at = int(gap.constant().p)
        if self.begins is None:
            return _count(self.since + (at - low))
        if at >= self.begins:
            return at - self.begins
        return _count(self.plain - (self.begins - at))


def _count(value: Ratio) -> Count:
    return Count(value.field, value.num, value.den)


class Special(Undecided):
    """A kernel does something else at one k."""

    def __init__(self, k: int) -> None:
        super().__init__(f"what a step does depends on whether k is {k}")
        self.k = k


class Index(Strict):
    """The k of one of a few steps from an arbitrary k on.

    Attributes:
        offset: which of the steps it is.
        least: the smallest number that it may be.
    """

    __slots__ = ("least", "offset")

    def __init__(self, value: Ratio, offset: int, least: int) -> None:
        super().__init__(value.field, value.num, value.den)
        self.offset, self.least = offset, least

    def __eq__(self, other: object) -> bool:
        if self.symbols and isinstance(other, int):
            if other < self.least:
                return False
            raise Special(other)
        return super().__eq__(other)

    __hash__ = Ratio.__hash__


def _evaluated(polynomial: Any, point: Sequence[fmpq | None]) -> fmpq:
    total = fmpq(0)
    for powers, coefficient in polynomial.to_dict().items():
        term = fmpq(coefficient)
        for power, at in zip(powers, point, strict=True):
            if power:
                assert at is not None
                term *= at**power
        total += term
    return total


def _product(field: Field, constant: int, factors: Sequence[tuple[Any, int]]) -> str:
    parts = [str(constant)] if constant != 1 or not factors else []
    for factor, power in factors:
        text = field.written(factor)
        text = f"({text})" if len(factor.to_dict()) > 1 else text
        parts.append(text if power == 1 else f"{text}**{power}")
    return "*".join(parts)
