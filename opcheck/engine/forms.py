"""Numbers of reading 4: coordinates of vectors that are known by their combination alone.

A vector is a combination of basis vectors of which nothing is known but what inequalities say; the
product of two coordinates is a part of an inner product. So a method's text gives points, a
measure's text gives a quadratic form, and a text that is neither refuses itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from flint import arb, fmpq

from opcheck.engine.numbers import Ball, ball_arithmetic, over_arrays
from opcheck.engine.ratio import Ratio, Strict
from opcheck.model.text import Arithmetic

DIMENSION = 2  # coordinates that a text is read on at length
DIMENSIONS = (DIMENSION, 1, 3)  # and at first: a text that differs there refuses itself
SHIFT = -1  # basis vector by which start and solution are moved together; its factor is the weight
Scalar = Any  # fmpq; or Ratio, in a step that stands for all parameters
Sparse = tuple[tuple[int, Scalar], ...]  # (index, coefficient), increasing, without zeros
ROUNDED = 40  # bits that an irrational factor keeps when it is rounded down


def scalar(value: Any) -> Scalar:
    """A number of this reading."""
    if isinstance(value, Ratio):
        return value.plain
    return value if isinstance(value, fmpq) else fmpq(value)


def weight(vector: Sparse) -> Scalar:
    """How often a combination holds the shift: 1 for a point, 0 for what is no point."""
    return vector[0][1] if vector and vector[0][0] == SHIFT else fmpq(0)


def told(value: Scalar) -> str:
    """A number of this reading in words."""
    return value.factored() if isinstance(value, Ratio) else str(value)


def at_origin(vector: Sparse) -> Sparse:
    """The combination as it is where z* = 0."""
    return vector[1:] if vector and vector[0][0] == SHIFT else vector


class Opaque:
    """What a text may not compute with: it refuses by its own operators."""

    __slots__ = ()


class Coefficient:
    """One coordinate of a vector, known as a combination of basis vectors.

    Adds to the same coordinate of other vectors, is multiplied by numbers; a product of two is
    part of an inner product. An adaptive step divides by those or compares, and so refuses itself.
    """

    __slots__ = ("axis", "vector")

    def __init__(
        self, vector: Mapping[int, Scalar] | Iterable[tuple[int, Scalar]], axis: int = 0
    ) -> None:
        items = vector.items() if isinstance(vector, Mapping) else vector
        entries = [(i, scalar(v)) for i, v in items if v != 0]
        self.vector: Sparse = tuple(sorted(entries, key=lambda item: item[0]))
        self.axis = axis

    def _plus(self, other: Any, sign: int) -> Coefficient:
        if isinstance(other, int) and other == 0:
            return self
        if not isinstance(other, Coefficient):
            raise TypeError("a number is added to a vector: the method is not linear in its points")
        if other.axis != self.axis:
            raise TypeError("coordinates are mixed: the method is not the same in all of them")
        total = dict(self.vector)
        for i, v in other.vector:
            total[i] = total.get(i, fmpq(0)) + sign * v
        return Coefficient(total, self.axis)

    def __add__(self, other: Any) -> Coefficient:
        return self._plus(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Coefficient:
        return self._plus(other, -1)

    def __rsub__(self, other: Any) -> Coefficient:
        return (-self)._plus(other, 1)

    def __neg__(self) -> Coefficient:
        return Coefficient([(i, -v) for i, v in self.vector], self.axis)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, int | fmpq | Ratio):
            return Coefficient([(i, v * other) for i, v in self.vector], self.axis)
        if isinstance(other, Coefficient) and other.axis == self.axis:
            key = min((self.vector, other.vector), (other.vector, self.vector), key=repr)
            return Form({self.axis: {key: fmpq(1)}})
        if isinstance(other, Opaque):
            return NotImplemented
        raise TypeError("a vector is multiplied by what is no rational number")

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Coefficient:
        if isinstance(other, int | fmpq | Ratio):
            if isinstance(other, Strict):
                other.divides()  # also of what is 0
            return Coefficient([(i, v / other) for i, v in self.vector], self.axis)
        if isinstance(other, Opaque):
            return NotImplemented
        raise TypeError("division by a vector entry: an adaptive step is not a fixed-step method")

    def __pow__(self, power: Any) -> Any:
        return self * self if isinstance(power, int) and power == 2 else self._refuse()

    def _refuse(self, *_: Any) -> Any:
        raise TypeError("vector entries are compared or rounded: not a fixed-step method")

    __rtruediv__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _refuse
    __bool__ = __float__ = __abs__ = _refuse
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return " + ".join(f"{v}*e{i}" for i, v in self.vector) or "0"


def _by_entries(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(self: Any, other: Any) -> Any:
        by_other = isinstance(other, np.ndarray | Opaque)
        return NotImplemented if by_other else operation(self, other)

    return apply


Products = dict[tuple[Sparse, Sparse], Scalar]


def _collected(terms: Iterable[tuple[Sparse, Sparse, Scalar]]) -> Products:
    total: Products = {}
    for u, v, c in terms:
        if u and v:
            key = min((u, v), (v, u), key=repr)
            total[key] = total.get(key, fmpq(0)) + c
    return {key: c for key, c in total.items() if c != 0}


class Form:
    """A quadratic form: a sum of multiples of inner products of combinations.

    Attributes:
        products: for each coordinate it was read on, (u, v) -> the factor of ⟨u, v⟩.
        rounded: an irrational factor was rounded down, so only sums of it may follow.
        flaw: why it is no form that can be used; "" where it is.
    """

    __slots__ = ("flaw", "products", "rounded")
    takes_balls = True

    def __init__(
        self, products: dict[int, Products], rounded: bool = False, flaw: str = ""
    ) -> None:
        self.products, self.rounded, self.flaw = products, rounded, flaw

    def _scaled(self, factor: Scalar) -> Form:
        if factor == 0:
            return Form({})
        scaled = {a: {uv: c * factor for uv, c in p.items()} for a, p in self.products.items()}
        negative = self.rounded and factor < 0
        flaw = "a bound that was rounded down is subtracted" if negative else self.flaw
        return Form(scaled, self.rounded, flaw)

    def _plus(self, other: Any, sign: int) -> Form:
        if isinstance(other, int | fmpq) and other == 0:
            return self
        if not isinstance(other, Form):
            raise TypeError("a number that is no multiple of R**2 is added to what is measured")
        other = other._scaled(fmpq(sign))
        total = {a: dict(p) for a, p in self.products.items()}
        for axis, products in other.products.items():
            own = total.setdefault(axis, {})
            for uv, c in products.items():
                own[uv] = own.get(uv, fmpq(0)) + c
                if own[uv] == 0:
                    del own[uv]
        return Form(total, self.rounded or other.rounded, self.flaw or other.flaw)

    @_by_entries
    def __add__(self, other: Any) -> Form:
        return self._plus(other, 1)

    __radd__ = __add__

    @_by_entries
    def __sub__(self, other: Any) -> Form:
        return self._plus(other, -1)

    @_by_entries
    def __rsub__(self, other: Any) -> Form:
        return (-self)._plus(other, 1)

    def __neg__(self) -> Form:
        return self._scaled(fmpq(-1))

    @_by_entries
    def __mul__(self, other: Any) -> Form:
        if isinstance(other, int | fmpq | Ratio):
            return self._scaled(scalar(other))
        if isinstance(other, Ball):
            return self._ball(other.ball)
        raise TypeError("what is measured is multiplied by what is measured: no quadratic form")

    __rmul__ = __mul__

    @_by_entries
    def __truediv__(self, other: Any) -> Form:
        if isinstance(other, Ball):
            return self._ball((1 / other).ball)
        if not isinstance(other, int | fmpq | Ratio):
            raise TypeError("division by what is measured gives no quadratic form")
        if isinstance(other, Strict):
            other.divides()
        return self._scaled(1 / scalar(other)) if other != 0 else Form({}, flaw="it divides by 0")

    def _ball(self, factor: arb) -> Form:
        """Times an irrational number, rounded down: sound where the form is a bound ≥ 0."""
        if not factor.is_finite():
            return Form({}, flaw="it divides by 0")
        squares = all(u == v and c > 0 for p in self.products.values() for (u, v), c in p.items())
        if not (factor > 0 and squares):
            return Form({}, flaw="an irrational factor that is not positive, or not of a square")
        scaled = self._scaled(below(factor))
        return Form(scaled.products, True, scaled.flaw)

    def _refuse(self, *_: Any) -> Any:
        raise TypeError(
            "what is measured is compared, or its root is taken: the best of several iterates, "
            "a norm that is not squared or an adaptive step is no quadratic form"
        )

    __rtruediv__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _refuse
    __bool__ = __float__ = __abs__ = __pow__ = sqrt = _refuse
    __hash__ = None  # type: ignore[assignment]

    def inner_products(self, dimension: int = DIMENSION) -> Products:
        """The form, where it is the same in each coordinate. Raises TypeError where it is not."""
        first = self.products.get(0, {})
        if any(self.products.get(axis, {}) != first for axis in range(dimension)):
            raise TypeError("coordinates are treated differently: it depends on the basis of R^d")
        return first

    def feels_the_shift(self) -> bool:
        """Whether it changes with a common translation of the start and the solution."""
        for products in self.products.values():
            change: dict[int, Scalar] = {}
            for (u, v), c in products.items():
                for first, other in ((u, at_origin(v)), (v, u)):
                    factor = c * weight(first)
                    for i, value in other if factor != 0 else ():
                        change[i] = change.get(i, fmpq(0)) + factor * value
            if any(total != 0 for total in change.values()):
                return True
        return False

    def at_origin(self) -> Form:
        """The form as it is where z* = 0."""
        products = {
            axis: _collected((at_origin(u), at_origin(v), c) for (u, v), c in p.items())
            for axis, p in self.products.items()
        }
        return Form(products, self.rounded, self.flaw)


class Radius:
    """R, the distance of the start from the solution; only R² is a quadratic form."""

    takes_balls = True

    def __init__(self, start: Sparse, factor: Any = None) -> None:
        self.start, self.factor = start, fmpq(1) if factor is None else factor

    @_by_entries
    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Radius):
            return Radius(self.start).square() * (self.factor * other.factor)
        if not isinstance(other, int | fmpq | Ball):
            raise TypeError("R stands beside what is measured other than by its square")
        return Radius(self.start, self.factor * other)

    __rmul__ = __mul__

    @_by_entries
    def __truediv__(self, other: Any) -> Radius:
        return Radius(self.start, self.factor / other)

    def square(self) -> Form:
        """R² with its factor."""
        once = {(self.start, self.start): fmpq(1)}
        squared: Form = Form({axis: dict(once) for axis in range(DIMENSION)}) * (
            self.factor * self.factor
        )
        return squared

    def _refuse(self, *_: Any) -> Any:
        raise TypeError("R enters other than by its square: no quadratic form")

    __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = __rtruediv__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = sqrt = _refuse


def below(value: arb) -> fmpq:
    """A short rational below a positive ball, within a part of 2^-40 of it."""
    low = dyadic(arb(value.lower()))
    shift = fmpq(2) ** (ROUNDED - int(low.p.bit_length()) + int(low.q.bit_length()))
    return fmpq((low * shift).floor()) / shift


def dyadic(value: arb) -> fmpq:
    """The exact value of a ball's midpoint."""
    mantissa, exponent = value.mid().man_exp()
    return fmpq(int(mantissa)) * fmpq(2) ** int(exponent)


def form_arithmetic() -> Arithmetic:
    """Texts on forms: exact where the numbers are rational, balls beside."""
    balls = ball_arithmetic()

    def power(a: Any, b: Any) -> Any:
        if isinstance(b, Form | Radius):
            raise TypeError("R, or what is measured, is an exponent: no quadratic form")
        if isinstance(a, Radius):
            if b != 2:
                raise TypeError("R enters other than by its square: no quadratic form")
            return a.square()
        return balls.power(a, b)

    def best(_: Any) -> Any:
        raise TypeError("the best of several iterates is a minimum of forms: no quadratic form")

    functions = {name: _of_numbers(name, function) for name, function in balls.functions.items()}
    functions |= {"sqrt": over_arrays(_root), "best": best}
    return Arithmetic(balls.literal, balls.divide, over_arrays(power), balls.pi, functions)


def _of_numbers(name: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that is asked of numbers alone."""

    def apply(value: Any) -> Any:
        if isinstance(value, Form | Radius):
            raise TypeError(f"{name} of R, or of what is measured, is no quadratic form")
        return function(value)

    return over_arrays(apply)


def _root(value: Any) -> Any:
    """√ of a number, exact where it is rational."""
    if isinstance(value, Form | Radius):
        return value.sqrt()
    if isinstance(value, int | fmpq) and value >= 0:
        q = fmpq(value)
        p, r = q.p.isqrt(), q.q.isqrt()
        if p * p == q.p and r * r == q.q:
            return fmpq(p, r)
    return Ball(value).sqrt()
