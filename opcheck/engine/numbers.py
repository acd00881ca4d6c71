"""Strict numbers for the interpreted readings: nothing rounds, nothing is decided by luck.

A bare ``arb`` compares overlapping balls False both ways, so ``max`` drops the true value, and
``Fraction`` takes floats in silence. These classes refuse instead.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from flint import arb, fmpq

from opcheck.errors import Undecided
from opcheck.model.text import Arithmetic


def rational(value: Any) -> fmpq:
    """A float's exact binary value, or an integer, as a rational. Raises TypeError for others."""
    if isinstance(value, fmpq):
        return value
    if isinstance(value, int | np.integer):
        return fmpq(int(value))
    if isinstance(value, float):
        return fmpq(*value.as_integer_ratio())
    raise TypeError(f"{type(value).__name__} {value!r} has no exact rational value")


def literal(value: Fraction) -> fmpq:
    """A decimal as the rational it denotes."""
    return fmpq(value.numerator, value.denominator)


@functools.lru_cache(maxsize=1024)
def exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel's text with its decimals as the rationals that float64 makes of them.

    So ``0.5*params[0]`` is read in every arithmetic as it runs compiled. Texts that it is bound to,
    as Lookahead is to its base, are read so too.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return function
    constants = tuple(
        fmpq(*c.as_integer_ratio()) if isinstance(c, float) else c for c in code.co_consts
    )
    bound = []
    for cell in function.__closure__ or ():
        value = cell.cell_contents
        bound.append(
            types.CellType(exactly(value) if isinstance(value, types.FunctionType) else value)
        )
    exact = types.FunctionType(
        code.replace(co_consts=constants),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple(bound),
    )
    exact.__qualname__ = function.__qualname__
    return exact


def _elementwise(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def apply(self: Any, other: Any) -> Any:
        # an array takes the operation over, entry by entry, and so does a quadratic form
        foreign = isinstance(other, np.ndarray) or hasattr(other, "takes_balls")
        return NotImplemented if foreign else operation(self, other)

    return apply


class Ball:
    """A real number enclosed in an interval at the working precision."""

    __slots__ = ("ball",)

    def __init__(self, value: Any) -> None:
        self.ball: arb = _enclose(value)

    @_elementwise
    def __add__(self, other: Any) -> Ball:
        return _ball(self.ball + _enclose(other))

    __radd__ = __add__

    @_elementwise
    def __sub__(self, other: Any) -> Ball:
        return _ball(self.ball - _enclose(other))

    @_elementwise
    def __rsub__(self, other: Any) -> Ball:
        return _ball(_enclose(other) - self.ball)

    @_elementwise
    def __mul__(self, other: Any) -> Ball:
        if other is self:
            return _ball(abs(self.ball) * abs(self.ball))
        return _ball(self.ball * _enclose(other))

    __rmul__ = __mul__

    @_elementwise
    def __truediv__(self, other: Any) -> Ball:
        return _ball(self.ball / _enclose(other))

    @_elementwise
    def __rtruediv__(self, other: Any) -> Ball:
        return _ball(_enclose(other) / self.ball)

    def __neg__(self) -> Ball:
        return _ball(-self.ball)

    def __pos__(self) -> Ball:
        return self

    def __abs__(self) -> Ball:
        return _ball(abs(self.ball))

    def __pow__(self, power: Any) -> Ball:
        whole = _whole(power)
        if whole < 0:
            return _ball(arb(1) / (self**-whole).ball)
        # by squaring, since arb's own power goes through a logarithm and is NaN at 0
        base = abs(self.ball) if whole % 2 == 0 else self.ball
        out = arb(1)
        for bit in bin(whole)[2:]:
            out = out * out
            if bit == "1":
                out = out * base
        return _ball(out)

    def _order(
        self, other: Any, test: Callable[[arb], bool], opposite: Callable[[arb], bool]
    ) -> bool:
        difference = self.ball - _enclose(other)
        if test(difference):
            return True
        if opposite(difference):
            return False
        raise Undecided(f"{self.ball} against {other}")

    def __lt__(self, other: Any) -> bool:
        return self._order(other, lambda d: d < 0, lambda d: d >= 0)

    def __le__(self, other: Any) -> bool:
        return self._order(other, lambda d: d <= 0, lambda d: d > 0)

    def __gt__(self, other: Any) -> bool:
        return self._order(other, lambda d: d > 0, lambda d: d <= 0)

    def __ge__(self, other: Any) -> bool:
        return self._order(other, lambda d: d >= 0, lambda d: d < 0)

    def __eq__(self, other: Any) -> bool:
        return self._order(other, lambda d: d == 0, lambda d: d > 0 or d < 0)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise Undecided("the truth value of a ball")

    def __float__(self) -> float:
        raise TypeError("a ball does not round silently")

    def __int__(self) -> int:
        whole = self.ball.unique_fmpz() if self.ball.is_exact() else None
        if whole is None:
            raise TypeError("a ball does not round silently")
        return int(whole)

    def exp(self) -> Ball:
        """e^x."""
        return _ball(self.ball.exp())

    def log(self) -> Ball:
        """ln x."""
        return _ball(self.ball.log())

    def sin(self) -> Ball:
        """sin x."""
        return _ball(self.ball.sin())

    def cos(self) -> Ball:
        """cos x."""
        return _ball(self.ball.cos())

    def tanh(self) -> Ball:
        """tanh x."""
        return _ball(self.ball.tanh())

    def arctan(self) -> Ball:
        """arctan x."""
        return _ball(self.ball.atan())

    def sqrt(self) -> Ball:
        """√x; a ball around 0 is cut at 0, since a root that exists has x ≥ 0."""
        top = arb(self.ball.upper())
        if self.ball.contains(0) and top > 0:
            half = (top.sqrt() / 2).upper()
            return _ball(arb(half, half))
        return _ball(self.ball.sqrt())

    def middle(self) -> Ball:
        """The midpoint, without the radius."""
        return _ball(arb(self.ball.mid()))

    def within(self, error: Any) -> Ball:
        """Every number that is at most ``error`` away from one of the ball's."""
        return _ball(self.ball + arb(0, abs(_enclose(error)).upper()))

    def floor(self) -> int:
        """Largest integer below. Raises Undecided where the ball holds an integer inside."""
        return -(-self).ceil()

    def ceil(self) -> int:
        """Smallest integer above. Raises Undecided where the ball holds an integer inside."""
        lowest = self.ball.ceil().unique_fmpz()
        if lowest is None:
            raise Undecided(f"ceil of {self.ball}")
        return int(lowest)

    def __repr__(self) -> str:
        return str(self.ball)


def _ball(value: arb) -> Ball:
    out = Ball.__new__(Ball)
    out.ball = value
    return out


def _enclose(value: Any) -> arb:
    if isinstance(value, Ball):
        return value.ball
    if isinstance(value, arb | fmpq | int | np.integer):
        return arb(int(value)) if isinstance(value, np.integer) else arb(value)
    raise TypeError(
        f"{type(value).__name__} {value!r} in a ball computation: "
        "only integers, exact rationals and balls are exact; keep constants in data"
    )


def _whole(power: Any) -> int:
    if isinstance(power, fmpq) and power.q == 1:
        power = int(power)
    if not isinstance(power, int | np.integer):
        raise TypeError(f"power {power!r}: only whole powers are exact; write exp(... log(...))")
    return int(power)


def over_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, entry by entry where it is given arrays."""
    wrapped = np.frompyfunc(function, function.__code__.co_argcount, 1)

    def apply(*values: Any) -> Any:
        arrays = any(isinstance(v, np.ndarray) for v in values)
        return wrapped(*values) if arrays else function(*values)

    return apply


def _divide(a: Any, b: Any) -> Any:
    if isinstance(b, int | fmpq) and b == 0:
        return _ball(arb("nan"))
    return (fmpq(a) if isinstance(a, int) else a) / b


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int):
        a = fmpq(a)
    if isinstance(b, int | np.integer) or (isinstance(b, fmpq) and b.q == 1):
        return a ** _whole(b)
    return (b * Ball(a).log()).exp()


def _on_balls(name: str) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        return getattr(Ball(value), name)()

    return over_arrays(apply)


_ELEMENTARY = {
    **{name: _on_balls(name) for name in ("sqrt", "exp", "log", "sin", "cos", "ceil", "floor")},
    "atan": _on_balls("arctan"),
    "abs": _on_balls("__abs__"),
}


def ball_arithmetic() -> Arithmetic:
    """Texts on balls at the working precision."""
    return Arithmetic(
        literal, over_arrays(_divide), over_arrays(_power), _ball(arb.pi()), _ELEMENTARY
    )


class precision:
    """Context manager: the working precision of balls, in bits."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def __enter__(self) -> None:
        self.before = flint.ctx.prec
        flint.ctx.prec = self.bits

    def __exit__(self, *_: object) -> None:
        flint.ctx.prec = self.before
