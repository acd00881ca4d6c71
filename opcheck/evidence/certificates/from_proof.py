"""The multipliers of a certificate from a declared potential argument, without a solver.

Along a run of k steps the argument's parts add up: the start, every step, and the end. What comes
out is one multiplier for each inequality of the claim, at the numbers that were chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flint import fmpq

from opcheck.engine.coefficients import STAR
from opcheck.engine.forms import Sparse
from opcheck.engine.ratio import Field, Ratio
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.proofs.prove import with_symbols
from opcheck.evidence.proofs.reader import Reader
from opcheck.evidence.worst_case.claim import SOLUTION, Claim, Subdifferential, graph_of
from opcheck.model.proof import RUN, Proof

POTENTIAL = {"potential": 0, "next(potential)": 1}  # what the end may use, and one how much later


def declared(stated: Claim) -> dict[int, fmpq] | None:
    """Multipliers by inequality; None where no declared argument covers the run."""
    proof = stated.setting.theorem.proof
    if proof is None:
        return None
    try:
        return _Run(stated, proof).multipliers()
    except (OpcheckError, Undecided, _Missing):
        return None


class _Missing(Exception):
    """The argument speaks of a point that the claim doesn't."""


class _Run:
    """An argument along a run, in the vectors of a claim."""

    def __init__(self, stated: Claim, proof: Proof) -> None:
        self.stated, self.proof = stated, proof
        theorem, k = with_symbols(stated.setting.theorem, "end"), stated.setting.k
        whole = {p.symbol for p in theorem.iteration.parameters if p.integer} - theorem.let.keys()
        case = {n: int(stated.setting.values[n]) for n in whole if n in stated.setting.values}
        numbers = {**stated.setting.constants, **stated.setting.parameters}
        self.point = {n: fmpq(v.numerator, v.denominator) for n, v in numbers.items()}
        self.field = Field([n for n in self.point if n not in case])
        zero = self.field.number(0)
        self.reader = Reader(
            theorem,
            self.field,
            zero,
            case,
            before=0,
            # of a run that ends at k no step is made after it
            after=k if proof.horizon == RUN else k + 3,
            started=True,
            least=0,
            ended=k if proof.horizon else None,
        )
        self.k = k

    def multipliers(self) -> dict[int, fmpq]:
        """One for each inequality used."""
        places = {(i.property, i.pair): at for at, i in enumerate(self.stated.inequalities)}
        factors: dict[int, fmpq] = {}
        for text, offset, weight in self._used():
            if weight:
                for key in self._inequalities(text, offset):
                    if key not in places:
                        raise _Missing(text)
                    factors[places[key]] = factors.get(places[key], fmpq(0)) + weight
        return factors

    def _number(self, value: Any) -> fmpq:
        number = self.field.value(value, self.point) if isinstance(value, Ratio) else fmpq(value)
        if number is None:
            raise _Missing("a pole")
        return number

    def _used(self) -> Iterator[tuple[str, int, fmpq]]:
        """(inequality, offset, multiplier) of the whole argument."""
        shares: dict[int, fmpq] = {}
        for text, formula in self.proof.end.items():
            factor = self._number(self.reader.read(formula, self.k))
            if text in POTENTIAL:
                shares[POTENTIAL[text]] = factor
            else:
                yield text, self.k, factor
        begin = self.proof.begin
        for late, share in shares.items():
            if self.k + late < begin:
                raise _Missing("the potential begins later")
            parts = [(self.proof.start, begin)]
            parts += [(self.proof.step, j) for j in range(begin, self.k + late)]
            for part, j in parts:
                for text, formula in part.items():
                    yield text, j, share * self._number(self.reader.read(formula, j))

    def _inequalities(self, text: str, offset: int) -> Iterator[tuple[int, tuple[str, str]]]:
        name, points = self.reader.inequality(text, offset)
        properties = self.stated.properties
        ends = [*points, ()] if len(points) == 1 else points
        if name in ("Resolvent", "Subgradient"):
            at = len(properties) - 1
            p, q = (self._named("A", v) for v in ends)
            if properties[at].kind is not Subdifferential:
                if name == "Subgradient":
                    raise _Missing("A is any monotone operator")
                yield at, self._sorted("A", p, q)
                return
            yield at, (p, q)
            if name == "Resolvent":  # the sum of both
                yield at, (q, p)
            return
        said = [i for i, prop in enumerate(properties) if prop.kind.name == name]
        if not said:
            raise _Missing(f"{name} is no hypothesis")
        at = said[0]
        of = graph_of(properties[at], self.stated.A)
        yield at, self._sorted(of, *(self._named(of, v) for v in ends))

    def _sorted(self, of: str, p: str, q: str) -> tuple[str, str]:
        names = list(self.stated.graphs[of])
        return (p, q) if names.index(p) < names.index(q) else (q, p)

    def _named(self, of: str, vector: Sparse) -> str:
        """The point of the claim that a vector is."""
        if not vector:
            return SOLUTION
        dense = self._translated(vector)
        for name, (point, _) in self.stated.graphs[of].items():
            if name != SOLUTION and list(point) == dense:
                return name
        raise _Missing(f"{of} at a further point")

    def _translated(self, vector: Sparse) -> list[fmpq]:
        """A vector of the argument over the basis of the claim."""
        basis = self.stated.basis
        entries = [fmpq(0)] * len(basis)
        known = self._basis()
        for i, value in vector:
            if i not in known:
                raise _Missing("a vector that the claim has not")
            if known[i] >= 0:
                entries[known[i]] += self._number(value)
        return entries

    def _basis(self) -> dict[int, int]:
        """Index here -> index in the claim; −1 where the claim takes it to be 0."""
        basis, calls = self.stated.basis, self.stated.trace.evaluations
        star = basis.index(STAR) if STAR in basis else -1
        known = {0: 0} | {
            i: star for i, n in enumerate(self.reader.steps.oracle.names) if n == STAR
        }
        size = len(self.stated.trace.basis)
        for of, _, value, before, gamma in self.reader.steps.oracle.calls:
            if any(i not in known for i, _ in before):
                continue
            point = [fmpq(0)] * size
            for i, v in before:
                if known[i] >= 0:
                    point[known[i]] += self._number(v)
            for e in calls:
                if e.of == of and e.gamma == self._number(gamma) and list(e.before) == point:
                    known[value[0][0]] = e.value.index(1)
        return known
