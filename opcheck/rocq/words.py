"""Rational functions and combinations of vectors in the words of Rocq."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from flint import fmpq

from opcheck.engine.ratio import Field, Ratio, factorised

Symbol = Callable[[str], str]  # name of a symbol of a field -> word
Orient = Callable[[Any], int]  # factor -> 1, or −1 where its opposite is to be written


def rational(value: Any) -> str:
    """A rational number, in parentheses where it is no whole one ≥ 0."""
    q = Fraction(int(value.p), int(value.q)) if isinstance(value, fmpq) else Fraction(value)
    word = str(abs(q.numerator))
    word = word if q.denominator == 1 else f"({word} / {q.denominator})"
    return word if q >= 0 else f"(- {word})"


def polynomial(field: Field, value: Any, symbol: Symbol) -> str:
    """A polynomial as a sum, terms with positive factors first."""
    terms = []
    for powers, coefficient in value.to_dict().items():
        named = zip(field.names, powers, strict=True)
        parts = [tight(symbol(n)) + (f" ^ {e}" if e > 1 else "") for n, e in named if e]
        c = int(coefficient)
        if abs(c) != 1 or not parts:
            parts.insert(0, str(abs(c)))
        terms.append(("-" if c < 0 else "+", " * ".join(parts)))
    terms.sort(key=lambda term: term[0])  # + before −
    word = " ".join(f"{sign} {product}" for sign, product in terms) or "0"
    return word.removeprefix("+ ")


def tight(word: str) -> str:
    """A word that may stand in a product or below a power."""
    return word if re.fullmatch(r"[\w']+", word) or _enclosed(word) else f"({word})"


def _enclosed(word: str) -> bool:
    if not (word.startswith("(") and word.endswith(")")):
        return False
    depth = 0
    for i, letter in enumerate(word):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and i < len(word) - 1:
            return False
    return True


def ratio(value: Ratio, symbol: Symbol, orient: Orient | None = None) -> str:
    """A rational function as a product of factors, in parentheses where it is more than a word."""
    if not value:
        return "0"
    field = value.field
    (above, up), (below, down) = factorised(value.num), factorised(value.den)
    constant = Fraction(int(above), int(below))
    over: list[str] = []
    under: list[str] = []
    for factors, side in ((up, over), (down, under)):
        for factor, power in factors:
            turned = (
                orient(factor) < 0
                if orient is not None
                else constant < 0 and power % 2 == 1 and len(factor.to_dict()) > 1
            )
            if turned:
                factor, constant = -factor, constant * (-1) ** power
            word = tight(polynomial(field, factor, symbol))
            side.append(f"{word} ^ {power}" if power > 1 else word)
    if abs(constant.numerator) != 1 or not over:
        over.insert(0, str(abs(constant.numerator)))
    if constant.denominator != 1:
        under.insert(0, str(constant.denominator))
    word = " * ".join(over)
    if under:
        divisor = under[0] if len(under) == 1 and "^" not in under[0] else f"({' * '.join(under)})"
        word += f" / {divisor}"
    if constant < 0:
        return f"(- ({word}))"
    return tight(word)


def combination(terms: Iterable[tuple[Any, str]], symbol: Symbol) -> str:
    """Σ factor · vector, in parentheses."""
    word = ""
    for factor, vector in terms:
        scale = ratio(factor, symbol) if isinstance(factor, Ratio) else rational(factor)
        minus = scale.startswith("(- ")
        scale = scale[3:-1] if minus else scale
        part = tight(vector) if scale in ("1", "(1)") else f"{tight(scale)} * {tight(vector)}"
        if word:
            word += f" {'-' if minus else '+'} {part}"
        else:
            word = f"zero - {part}" if minus else part
    return tight(word or "zero")


def carried(value: Any, field: Field, images: Mapping[str, Ratio]) -> Ratio:
    """A rational function in another field; symbols without an image keep their name."""
    if not isinstance(value, Ratio):
        return field.number(value)

    def of_polynomial(source: Any) -> Ratio:
        total = field.number(0)
        for powers, coefficient in source.to_dict().items():
            term = field.number(int(coefficient))
            for name, power in zip(value.field.names, powers, strict=True):
                if power:
                    image = images[name] if name in images else field.symbol(name)
                    term = term * image**power
            total = total + term
        return total

    quotient: Ratio = of_polynomial(value.num) / of_polynomial(value.den)
    return quotient
