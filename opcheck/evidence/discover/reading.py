"""Texts of a search, read once on a step that stands for every step, then taken at numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq

from opcheck.engine.ratio import Field, Ratio, Special
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.proofs.prove import span
from opcheck.evidence.proofs.reader import Reader, Total
from opcheck.evidence.statement.positivity import Domain
from opcheck.evidence.statement.ranges import domain, symbols_of
from opcheck.model import grammar
from opcheck.model.theorem import Theorem

APART = 6  # first k that may be treated apart
Point = Mapping[str, fmpq]  # numbers of constants and parameters
Numbers = dict[Any, float]  # (i, j) -> factor of <e_i, e_j>, or a name -> factor


class Reading:
    """Texts at k, for all k of one residue from ``least`` on, and on the first steps of a run.

    Args:
        sources: every text that will be read, so that enough steps are made.
        begin: the first k.
        fixed: whole parameters that have values.
        period, residue: k = period * m + residue.

    Raises OpcheckError for a method or a text that has no such reading.
    """

    def __init__(
        self,
        theorem: Theorem,
        sources: Sequence[str],
        *,
        begin: int = 0,
        fixed: Mapping[str, int] = {},
        period: int = 1,
        residue: int = 0,
    ) -> None:
        self.theorem, self.begin, self.period, self.residue = theorem, begin, period, residue
        spans = [span(grammar.parse(source), 0, theorem) for source in sources]
        before, after = -min(0, *(a for a, _ in spans)), max(1, *(b for _, b in spans))
        self.late = before
        self.index = "k" if period == 1 else "m"
        self._totals: dict[tuple[bool, str, int], Total | OpcheckError] = {}
        while True:
            try:
                self.general = self._reader(fixed, before, after + period, started=False)
                for source in sources:
                    self._read(self.general, source)
                break
            except Special as special:
                if special.k > begin + before + APART:
                    raise
                self.late = max(self.late, special.k - begin) + 1
        steps = begin + self.late + after + 2 * period
        self.early = self._reader(fixed, 0, steps, started=True)

    @staticmethod
    def _read(reader: Reader, source: str) -> None:
        try:
            reader.read(source)
        except Special:
            raise
        except (OpcheckError, Undecided):
            pass  # told where the text is asked for

    def _reader(
        self, fixed: Mapping[str, int], before: int, after: int, *, started: bool
    ) -> Reader:
        field = Field([*symbols_of(self.theorem, [*fixed]), self.index])
        k = field.symbol(self.index) * self.period + self.residue
        return Reader(
            self.theorem,
            field,
            field.number(0) if started else k,
            fixed,
            before=before,
            after=after,
            started=started,
            least=self.begin + self.late,
            indices=[self.index],
        )

    @property
    def field(self) -> Field:
        """Of the reading that stands for every step."""
        return self.general.field

    def domain(self) -> Domain:
        """What the statement admits."""
        return domain(self.general, [self.index], self.begin + self.late)

    def total(self, source: str, offset: int = 0, *, started: bool = False) -> Total:
        """A quadratic text. Raises OpcheckError where it has no value there."""
        key = started, source, offset
        if key not in self._totals:
            reader = self.early if started else self.general
            try:
                self._totals[key] = reader.total(source, offset)
            except (OpcheckError, Undecided, IndexError) as error:
                self._totals[key] = OpcheckError(str(error))
        total = self._totals[key]
        if isinstance(total, OpcheckError):
            raise total
        return total

    def at(
        self, source: str, k: int, offset: int = 0, *, started: bool = False
    ) -> tuple[Reader, Total, int]:
        """A quadratic text at k + offset: who reads it, its form, and what the index is.

        At the first k, and where ``started``, it is read over the start of the run. Raises
        OpcheckError where it has no value there.
        """
        started = started or k < self.begin + self.late
        total = self.total(source, k + offset if started else offset, started=started)
        return (self.early if started else self.general), total, self.count(k)

    def numbers(
        self, source: str, point: Point, k: int, offset: int = 0, *, started: bool = False
    ) -> Numbers:
        """A quadratic text at k + offset, at numbers. Raises OpcheckError as ``at`` does."""
        reader, total, index = self.at(source, k, offset, started=started)
        return {key: value(reader, c, point, index) for key, c in total.terms.items()}

    def rationals(
        self, source: str, point: Point, k: int, offset: int = 0, *, started: bool = False
    ) -> dict[Any, fmpq]:
        """The same in exact rationals. Raises OpcheckError also where one is irrational."""
        reader, total, index = self.at(source, k, offset, started=started)
        return {key: _known(exact(reader, c, point, index)) for key, c in total.terms.items()}

    def count(self, k: int) -> int:
        """What the index is at k."""
        return (k - self.residue) // self.period

    def scalar(self, ratio: Ratio, point: Point, k: int = 1) -> float:
        """A function of the reading that stands for every step, at numbers."""
        return value(self.general, ratio, point, self.count(k))

    def rational(self, ratio: Ratio, point: Point, k: int = 1) -> fmpq:
        """The same as an exact rational. Raises OpcheckError where it is irrational."""
        return _known(exact(self.general, ratio, point, self.count(k)))

    def written(self, ratio: Ratio) -> str:
        """A function as a text of the statement's symbols."""
        text, spares = ratio.factored(), self.general.spares
        for name in [*spares.sums, *spares.powers, *spares.roots]:
            text = text.replace(name, f"({self.field.meaning(name)})")
        if self.period > 1:
            image = f"(k - {self.residue})/{self.period}" if self.residue else f"k/{self.period}"
            tree = grammar.replaced(grammar.parse(text), {"m": grammar.parse(image)})
            text = grammar.unparse(tree)
        return text


def exact(reader: Reader, ratio: Ratio, point: Point, index: int) -> fmpq | None:
    """A function at numbers; None where it has no value, as at a pole, or beside a root."""
    if not ratio.symbols:
        return ratio.constant()
    at = {**point, "k": fmpq(index), "m": fmpq(index)}
    spares = reader.spares
    for name in ratio.symbols - at.keys():
        if name in spares.powers:
            base = reader.field.value(spares.powers[name], at)
            if base is not None:
                at[name] = base**index
        elif name in spares.sums:
            total = fmpq(0)
            for j in range(index):
                term = reader.field.value(spares.sums[name], {**at, "k": fmpq(j)})
                if term is None:
                    return None
                total += term
            at[name] = total
    return reader.field.value(ratio, at)


def value(reader: Reader, ratio: Ratio, point: Point, index: int) -> float:
    """``exact`` as a float; nan for none."""
    number = exact(reader, ratio, point, index)
    return float("nan") if number is None else float(Fraction(int(number.p), int(number.q)))


def _known(number: fmpq | None) -> fmpq:
    if number is None:
        raise OpcheckError("it has no rational value there")
    return number
