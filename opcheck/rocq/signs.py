"""Signs of polynomials on a range as lemmas: opcheck's own charts, for Rocq to follow.

A chart writes x with lo < x < hi as (lo v + hi u)/(u + v), u and v > 0, one symbol after the other.
What is shown then has nonnegative coefficients alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from flint import fmpq, fmpq_poly

from opcheck.engine.ratio import Field, Ratio, factorised
from opcheck.evidence.statement.positivity import (
    Chart,
    Constraint,
    Domain,
    leading,
    on_chart,
    strict_sign,
)
from opcheck.rocq.names import Names
from opcheck.rocq.words import Symbol, carried, polynomial, ratio, rational

if TYPE_CHECKING:
    from opcheck.rocq.lemma import Lemma

Limit = tuple[Ratio, Ratio, Constraint, Ratio, bool]  # see ``_ends``
CUTS = 3  # of a range into halves, one after the other
MOST = 400  # charts that are looked at


class Charts:
    """The lemmas about signs of one development, each once.

    Attributes:
        lines: the lemmas.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.lines: list[str] = []
        self._calls: dict[tuple[str, ...], tuple[str, list[str], list[Any]] | None] = {}

    def lemma(self, user: Lemma, factor: Any, strict: bool) -> str:
        """How a lemma is used to show factor > 0 or ≥ 0; "" where there is none."""
        domain, field = user.case.domain(), user.reader.field
        meanings = ", ".join(field.meaning(n) for n in field.names)
        key = (str(factor), str(strict), str(domain.constraints), meanings)
        if key not in self._calls:
            self._calls[key] = None  # what it needs itself must do without it
            self._calls[key] = _Sign(self, user, factor, strict).lemma()
        call = self._calls[key]
        if call is None:
            return ""
        name, symbols, needed = call
        for other in needed:
            user.orient(other)
        words = "".join(f" ({user.symbol(n)})" for n in symbols)
        return f"(apply ({name}{words}); signs)"

    def new(self) -> str:
        """A name for one more lemma."""
        return f"sign_{len([x for x in self.lines if x.startswith('Lemma')]) + 1}"


def with_a_square(field: Field, polynomial: Any, symbol: Symbol) -> str:
    """A polynomial in one product t ≥ 0 of symbols as (t − c)² q(t) + r; "" where it is none.

    c is a place where it is least, r > 0, and no coefficient of q is negative.
    """
    terms = {tuple(map(int, p)): int(c) for p, c in polynomial.to_dict().items()}
    most = max(terms)
    count = math.gcd(*most)
    degrees = {
        p: i
        for p in terms
        for i in range(count + 1)
        if all(e * count == i * m for e, m in zip(p, most, strict=True))
    }
    if count == 0 or len(degrees) < len(terms):
        return ""
    step = math.gcd(*degrees.values())
    values = [0] * (count // step + 1)
    for powers, degree in degrees.items():
        values[degree // step] = terms[powers]
    f = fmpq_poly(values)
    named = zip(field.names, most, strict=True)
    product = " * ".join(
        symbol(n) + (f" ^ {e // count}" if e > count else "") for n, e in named if e
    )
    t = f"({product}) ^ {step}" if step > 1 else f"({product})"
    for factor, _ in f.derivative().numer().factor()[1]:
        if factor.degree() != 1:
            continue
        least = -fmpq(factor[0], factor[1])
        q, r = divmod(f, fmpq_poly([-least, 1]) ** 2)
        if r.degree() > 0 or not r[0] > 0 or any(c < 0 for c in q.coeffs()):
            continue
        weighed = " + ".join(f"{rational(c)} * ({t}) ^ {i}" for i, c in enumerate(q.coeffs()) if c)
        return f"({t} - {rational(least)}) ^ 2 * ({weighed}) + {rational(r[0])}"
    return ""


class _Sign:
    """One sign, as a lemma about plain symbols."""

    def __init__(self, charts: Charts, user: Lemma, factor: Any, strict: bool) -> None:
        self.charts, self.user, self.factor, self.strict = charts, user, factor, strict
        self.domain: Domain = user.case.domain()
        self.field = user.reader.field
        self.value = Ratio(self.field, factor, self.field.one)
        self.premises: dict[str, str] = {}  # polynomial -> relation to 0
        self.asked: list[Any] = []  # factors whose sign the proof needs

    def symbol(self, name: str) -> str:
        """A symbol in the words of the lemma."""
        return "x_" + "".join(c if c.isalnum() else "_" for c in name)

    def lemma(self) -> tuple[str, list[str], list[Any]] | None:
        """The name of the lemma, its symbols and the factors whose sign it needs; or None."""
        chart = self._chart()
        if chart is None:
            return None
        names = self._needed(chart)
        if names is None:
            return None
        proof = self._proof(chart, names)
        if proof is None:
            return None
        name = self.charts.new()
        goal = polynomial(self.field, self.factor, self.symbol)
        relation = "<" if self.strict else "<="
        if self.premises.get(goal) in ("<", relation):
            proof = ["  assumption."]
        premises = "".join(f"0 {rel} {word} -> " for word, rel in self.premises.items())
        self.charts.lines += [
            f"Lemma {name} {' '.join(map(self.symbol, names))} :",
            f"  {premises}0 {relation} {goal}.",
            "Proof.",
            "  intros.",
            *proof,
            "Qed.",
        ]
        return name, names, self.asked

    def _chart(self) -> Chart | None:
        for cuts in (0,) if self.strict else (0, CUTS):
            for chart in itertools.islice(self.domain.charts(self.value.symbols), MOST):
                if on_chart(self.value, chart, self.strict, cuts) is not None:
                    return chart
        return None

    def _limits(self, name: str, chart: Chart) -> dict[Ratio, bool]:
        """The ends of a symbol's range on a chart, and whether each is the lower one."""
        image, i = chart.images[name], self.field.names.index(name)
        low = self.field.at(image, {name: self.field.number(0)})
        degree = image.den.degrees()[i]
        if degree > 0:
            top = self.field.ratio(leading(image.num, i, degree), leading(image.den, i, degree))
            return {low: True, top: False}
        rises = self.field.at(image, {name: self.field.number(1)}) - low == 1
        return {low: rises}

    def _ends(self, name: str, chart: Chart) -> Iterator[Limit]:
        """(end on the chart, end, constraint, slope, lower?) of a symbol."""
        place = self.field.names.index(name)
        before = dict(itertools.takewhile(lambda pair: pair[0] != name, chart.images.items()))
        for c in self.domain.constraints:
            later = c.value.symbols - before.keys() - {name}
            if name not in c.value.symbols or later:
                continue
            if c.value.den.degrees()[place] > 0 or c.value.num.degrees()[place] != 1:
                continue
            rest = self.field.at(c.value, {name: self.field.number(0)})
            slope = self.field.at(c.value, {name: self.field.number(1)}) - rest
            end = -rest / slope
            sign = strict_sign(
                self.field.at(slope, before), Chart(before, chart.open, chart.closed)
            )
            if sign is not None:
                yield self.field.at(end, before), end, c, slope, sign > 0

    def _end(self, name: str, chart: Chart, value: Ratio, lower: bool | None) -> Limit | None:
        hits = [e for e in self._ends(name, chart) if e[0] == value and lower in (None, e[4])]
        hits.sort(key=lambda e: not e[2].strict)
        return hits[0] if hits else None

    def _needed(self, chart: Chart) -> list[str] | None:
        """The symbols that the sign depends on, and those that their ranges do."""
        needed, order = set(self.value.symbols), list(chart.images)
        for name in reversed(order):
            if name not in needed:
                continue
            for value in self._limits(name, chart):
                end = self._end(name, chart, value, None)
                if end is None:
                    return None
                needed |= end[1].symbols
        return [n for n in order if n in needed]

    def _premise(self, value: Any, strict: bool) -> str:
        word = polynomial(self.field, value, self.symbol)
        relation = "<" if strict else "<="
        if self.premises.get(word) != "<":
            self.premises[word] = relation
        return word

    def _sure(self, value: Ratio) -> str:
        """A positive function in words; what it needs is a premise."""
        for part in (value.num, value.den):
            for factor, _ in factorised(part)[1]:
                sign = self.user.orient(factor)
                self.asked.append(factor)
                self._premise(factor if sign > 0 else -factor, True)
        return ratio(value, self.symbol, self.user.orient)

    def _proof(self, chart: Chart, names: Sequence[str]) -> list[str] | None:
        big = Field([*names, *(f"{c}_{n}" for n in names for c in "uv")])
        images: dict[str, Ratio] = {}
        lines: list[str] = []
        positive: set[str] = set()
        divisors: set[str] = set()
        lax: list[str] = []
        for name in names:
            own = self.symbol(name)
            ends = []
            for value, lower in self._limits(name, chart).items():
                end = self._end(name, chart, value, lower)
                if end is None:
                    return None
                word = ratio(end[1], self.symbol)
                divisors |= {n for n in names if self._divides(n, end[1])}
                lines.append(self._compared(own, word, end, lower))
                ends.append((carried(end[1], big, images), word, end[2].strict, end[1], lower))
            u, v = big.symbol(f"u_{name}"), big.symbol(f"v_{name}")
            uw, vw = self._big(f"u_{name}"), self._big(f"v_{name}")
            if len(ends) == 2:
                (
                    (lo, low_word, low_strict, low_end, _),
                    (hi, high_word, high_strict, high_end, _),
                ) = ends
                images[name] = (lo * v + hi * u) / (u + v)
                kind = "_".join("open" if s else "closed" for s in (low_strict, high_strict))
                below = ""
                if not low_strict and not high_strict:
                    below = f"; [{self._apart(low_word, high_word, low_end, high_end)}|]"
                lines.append(
                    f"  destruct (between_{kind} {low_word} {high_word} {own}) as "
                    f"({uw} & {vw} & ? & ? & ? & E_{own}); trivial{below}."
                )
                (positive.add if low_strict else lax.append)(f"u_{name}")
                (positive.add if high_strict else lax.append)(f"v_{name}")
            else:
                ((end_value, word, strict, _, rises),) = ends
                images[name] = end_value + u if rises else end_value - u
                gap = f"{own} - {word}" if rises else f"{word} - {own}"
                lines.append(
                    f"  assert (exists {uw}, 0 {'<' if strict else '<='} {uw} /\\ {own} = {word} "
                    f"{'+' if rises else '-'} {uw}) as ({uw} & ? & E_{own}) by (exists ({gap}); "
                    "split; [lra | ring])."
                )
                (positive.add if strict else lax.append)(f"u_{name}")
        image = carried(self.value, big, images)
        rewritten = "; ".join(f"try rewrite E_{self.symbol(n)}" for n in reversed(names))
        for name in sorted(divisors):
            lines += self._divisor(name, images[name], big, rewritten)
        closing = self._closed(image, big, positive, lax, 1)
        return None if closing is None else [*lines, f"  {rewritten}.", *closing]

    def _divides(self, name: str, end: Ratio) -> bool:
        """Whether an end divides by a symbol that is known to be positive."""
        by = end.den.degrees()[self.field.names.index(name)] > 0
        return by and self.domain.positive(self.field.symbol(name))

    def _divisor(self, name: str, image: Ratio, big: Field, rewritten: str) -> list[str]:
        """That such a symbol is positive on the chart too, where its image does not show it."""
        sign = 1 if image.den.leading_coefficient() > 0 else -1
        num, den = image.num * sign, image.den * sign
        if all(c >= 0 for c in num.to_dict().values()) or any(
            c < 0 for c in den.to_dict().values()
        ):
            return []
        word = polynomial(big, num, self._big)
        own, below = self._sure(self.field.symbol(name)), ratio(Ratio(big, den, big.one), self._big)
        return [
            f"  assert (0 < {word}) by (replace ({word}) with ({own} * {below}) by"
            f" ({rewritten}; field; side); sign)."
        ]

    def _apart(self, low_word: str, high_word: str, low: Ratio, high: Ratio) -> str:
        """How the lower of two closed ends is seen to be below the upper."""
        if not self.domain.positive(high - low):
            return "sign"
        gap = self._sure(high - low)
        return (
            f"first [sign | apply less; replace ({high_word} - {low_word}) with ({gap}) by "
            "(field; side); sign]"
        )

    def _compared(
        self,
        own: str,
        word: str,
        end: Limit,
        lower: bool,
    ) -> str:
        """The assertion that a symbol is beyond an end."""
        _, _, constraint, slope, _ = end
        num, den = constraint.value.num, constraint.value.den
        sign = 1 if self.domain.positive(Ratio(self.field, den, self.field.one)) else -1
        premise = self._premise(num if sign > 0 else -num, constraint.strict)
        factor = self.field.number(1) / slope
        factor = (factor if lower else -factor) / Ratio(
            self.field, den if sign > 0 else -den, self.field.one
        )
        large, small = (own, word) if lower else (word, own)
        relation, lemma = ("<", "less") if constraint.strict else ("<=", "at_most")
        return (
            f"  assert ({small} {relation} {large}) by (apply {lemma}; replace ({large} - {small}) "
            f"with (({premise}) * {self._sure(factor)}) by (field; side); sign)."
        )

    def _big(self, name: str) -> str:
        return "".join(c if c.isalnum() else "_" for c in name)

    def _closed(
        self, value: Ratio, big: Field, positive: set[str], lax: Sequence[str], depth: int
    ) -> list[str] | None:
        """The end: all coefficients are nonnegative, where need be at each end apart."""
        pad = "  " * depth
        sign = 1 if value.den.leading_coefficient() > 0 else -1
        num, den = value.num * sign, value.den * sign
        terms = [
            (all(not e or n in positive for n, e in zip(big.names, powers, strict=True)), powers, c)
            for powers, c in num.to_dict().items()
        ]
        if not self.strict and any(c < 0 for _, _, c in terms):
            return self._cut(value, big, positive, lax, depth)
        if not self.strict or any(t[0] for t in terms):
            terms.sort(key=lambda t: not t[0])
            words = " + ".join(self._term(big, powers, c) for _, powers, c in terms) or "0"
            below = ratio(Ratio(big, den, big.one), self._big)
            relation = "<" if self.strict else "<="
            lemma = "quotient" if self.strict else "quotient_lax"
            return [
                f"{pad}match goal with |- _ {relation} ?g => replace g with (({words}) / {below}) "
                f"by (field; side) end; apply {lemma}; [terms | sign]."
            ]
        if not lax:
            return None
        name, rest = lax[0], lax[1:]
        word = self._big(name)
        above = self._closed(value, big, positive | {name}, rest, depth + 1)
        at_end = self._closed(big.at(value, {name: big.number(0)}), big, positive, rest, depth + 1)
        if above is None or at_end is None:
            return None
        return [
            f"{pad}assert (0 < {word} \\/ {word} = 0) as [?|?] by lra.",
            f"{pad}{{",
            *above,
            f"{pad}}}",
            f"{pad}{{ subst {word}.",
            *at_end,
            f"{pad}}}",
        ]

    def _cut(
        self, value: Ratio, big: Field, positive: set[str], lax: Sequence[str], depth: int
    ) -> list[str] | None:
        """Each half of a range apart, as u ≤ v and v < u of x = (lo v + hi u)/(u + v)."""
        pad = "  " * depth
        pairs = [(u, f"v_{u[2:]}") for u in big.names if u.startswith("u_")]
        for u, v in (p for p in pairs if p[1] in big.names and depth <= CUTS):
            closings = []
            for moved, by in ((v, u), (u, v)):
                image = big.at(value, {moved: big.symbol(moved) + big.symbol(by)})
                rest = [*lax, *({moved} - {*lax})]
                closings.append(self._closed(image, big, positive - {moved}, rest, depth + 1))
            if None in closings:
                continue
            u_word, v_word = self._big(u), self._big(v)
            lines = [f"{pad}destruct (Rle_dec {u_word} {v_word}) as [?|?]."]
            for (moved, by), closing in zip(
                ((v_word, u_word), (u_word, v_word)), closings, strict=True
            ):
                assert closing is not None
                lines += [
                    f"{pad}{{ assert (exists w, 0 <= w /\\ {moved} = {by} + w) as (w & ? & ?) by "
                    f"(exists ({moved} - {by}); split; [lra | ring]).",
                    f"{pad}  subst {moved}; rename w into {moved}.",
                    f"{pad}  assert (0 < {u_word} + {v_word}) by lra.",
                    *closing,
                    f"{pad}}}",
                ]
            return lines
        return None

    def _term(self, big: Field, powers: Sequence[int], coefficient: Any) -> str:
        named = zip(big.names, powers, strict=True)
        parts = [self._big(n) + (f" ^ {e}" if e > 1 else "") for n, e in named if e]
        return " * ".join([str(int(coefficient)), *parts])
