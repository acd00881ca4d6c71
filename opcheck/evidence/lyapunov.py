"""Search for a potential: a form V with V_{k+1} ≤ θ V_k and V ≥ ‖z − z*‖², proved in rationals.

At fixed θ the coefficients of V and the multipliers of the inequalities are the unknowns of one
semidefinite program; the smallest θ is found by bisection. The solver's coefficients are rounded,
and then "V decreases" and "V lies above the distance" are two claims like any other: each is
certified exactly or the potential is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from flint import fmpq

from opcheck import recheck
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import Certificate, NotCertified, at
from opcheck.evidence.discover.over_range import NoRoom, OverRange, over_range
from opcheck.evidence.statement.exact_parameters import number, simplest
from opcheck.evidence.worst_case.block import (
    VALUE,
    Block,
    Least,
    Matrix,
    block_of,
    decrease,
    form,
    least,
    of_now,
    rational_property,
)
from opcheck.evidence.worst_case.conic import conic
from opcheck.evidence.worst_case.worst_case import Floats, Program, Unconverged, upper_triangle
from opcheck.model.method import Method, resolve
from opcheck.model.property import Lipschitz, Property
from opcheck.model.result import Result
from opcheck.model.theorem import OfA

CAP = 32.0  # sum of the coefficients of V, by size, at L = 1; ‖z − z*‖² itself has 1
OPEN = 1e-7  # a margin below minus this means that there is no potential
HALVINGS = 34
HAIR = 1e-7  # part of a rate by which it is raised to look for the smallest coefficients
NEAR = 1e-5  # the shortest fraction so close above the least rate is tried first
RAISED = (1e-7, 1e-6, 1e-5, 1e-4)  # then the rate above by so much
GROWS = "θ > 1: V may grow by that factor in a step"
LONGER = "; with a history of 1 it may look at the step before as well"
SHORT = (1, 8, 64, 2**12, 2**24)  # denominators of the coefficients of V


@dataclass(frozen=True)
class Potential(Result):
    """V = Σ P_ij ⟨v_i, v_j⟩ with V_{k+1} ≤ θ V_k and V ≥ ‖z − z*‖² (or ‖F z‖²), both proved.

    Attributes:
        vectors: v_i: "z" for z − z*, "F z", rows that a step reads before it writes them, and of
            earlier states, as ``before(z)``, those that it writes as well.
        matrix: P, rational.
        theta: the rate, exact.
        smallest: the solver's word for the least rate of this shape, where it was asked for.
        steps: iterations that V is compared over.
        above: what V bounds.
        away: c where a row stands for itself less c F z*.
        shadow: the parameter γ where z stands for z − z* − γ F z*, the method staying there; "".
        points: rows that stand for themselves less z*.
        history: how many earlier states V looks at.
        covers: which steps.
        decreases, bounds: the two certificates.
    """

    method: str
    given: tuple[str, ...]
    parameters: dict[str, str]
    vectors: tuple[str, ...]
    matrix: Matrix
    theta: Fraction
    smallest: float | None
    steps: int
    above: Least
    covers: str
    decreases: Certificate
    bounds: Certificate
    shadow: str = ""
    away: Mapping[str, str] = field(default_factory=dict)
    points: tuple[str, ...] = ()
    history: int = 0
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """What V measures z from."""
        return f"z* − {self.shadow} F z*" if self.shadow else "z*"

    def __str__(self) -> str:
        """V as a formula."""
        names = [self._less(v) for v in self.vectors]
        terms = []
        for i, first in enumerate(names):
            for j in range(i + 1):
                c = self.matrix[i][j] * (1 if i == j else 2)
                product = f"‖{first}‖²" if i == j else f"⟨{names[j]}, {first}⟩"
                if c:
                    factor = "" if abs(c) == 1 else f"{abs(c)} "
                    terms.append((c < 0, factor + product))
        head = ("−" if terms[0][0] else "") + terms[0][1]
        return head + "".join(f" {'−' if minus else '+'} {term}" for minus, term in terms[1:])

    def _less(self, vector: str) -> str:
        """A vector from where it rests."""
        row = of_now(vector)
        if row == "z":
            return f"{vector} − {self.origin}"
        point = f"{vector} − z*" if row in self.points else vector
        c = self.away.get(row, "0")
        if c == "0":
            return point
        sign, size = ("+", c[1:]) if c.startswith("-") else ("−", c)
        return f"{point} {sign} {'' if size == '1' else f'({size}) '}F z*"

    @property
    def valid(self) -> bool:
        """Whether both exact checks pass; run anew each time."""
        return self.decreases.valid and self.bounds.valid

    def write_certificates(self, folder: str | Path) -> list[Path]:
        """Write both certificates into a folder. Raises OpcheckError where that fails."""
        stem = "".join(c if c.isalnum() or c == "_" else "-" for c in self.method).strip("-")
        return [
            self.decreases.save(Path(folder) / f"{stem}-decreases.json"),
            self.bounds.save(Path(folder) / f"{stem}-{self.above}.json"),
        ]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        fields = asdict(replace(self, decreases=None, bounds=None))  # type: ignore[arg-type]
        return fields | {
            "potential": str(self),
            "matrix": [[str(v) for v in line] for line in self.matrix],
            "theta": str(self.theta),
            "decreases": dict(self.decreases.document),
            "bounds": dict(self.bounds.document),
        }


def lyapunov(
    method: str | Method,
    given: Sequence[str | Property],
    *,
    theta: Fraction | int | float | str = "smallest",
    above: Least = "distance",
    vectors: Sequence[str] = (),
    steps: int = 1,
    constrained: bool = False,
    history: int = 0,
    **parameters: Any,
) -> Potential | OverRange:
    """A potential of a fixed-step method on a class of operators, with its exact proof.

    Args:
        method: as in ``extragradient`` or ``lookahead(extragradient)``.
        given: properties with rational constants, as ``["Lipschitz(1) of F", "Monotone of F"]``.
        theta: the rate to be proved, or "smallest": the least at most 1, by bisection.
        above: "distance": V ≥ ‖z − z*‖²; "residual": V ≥ ‖F z‖².
        vectors: in which V is a form: "z" (for z − z*, or z − z* − γ F z* where the method stays at
            z* + γ F z*), "F z", rows, and each ``before(...)`` up to the history; default all that
            matter.
        steps: iterations that V is compared over, as the τ of Lookahead.
        constrained: A is any maximally monotone operator instead of 0.
        history: how many earlier states V may look at: with 1 it knows the values of F and A that
            the last step met, as far as rows hold them.
        parameters: of the method, as numbers or formulas; one may be a range, as "1/8..1/4": then
            the rate is proved for every value in it, by ``prove``.

    Raises OpcheckError for a method whose step is not the same fixed combination at every k, or
    bad input; NotCertified where there is no such potential, or none that rounds.
    """
    rate = None if theta == "smallest" else _rate(theta)
    if any(isinstance(v, str) and ".." in v for v in parameters.values()):
        if above != "distance" or vectors or steps != 1 or history:
            raise OpcheckError(
                "over a range of a parameter V is sought above the distance, for one step, in what "
                "the method offers: leave out above, vectors, steps and history"
            )
        return _over_range(method, given, rate, constrained, parameters)
    reason = ""
    classes: tuple[OfA, ...] = ("monotone", "subdifferential") if constrained else ("zero",)
    for A in classes:
        block = block_of(
            method, given, parameters, vectors=vectors, steps=steps, A=A, history=history
        )
        search = Search(block, above)
        try:
            return search.certified(rate)
        except NotCertified as failed:
            reason = reason or str(failed)
    raise NotCertified(reason)


def _over_range(
    method: str | Method,
    given: Sequence[str | Property],
    rate: Fraction | None,
    constrained: bool,
    parameters: Mapping[str, Any],
) -> OverRange:
    """The same for every value of one parameter in a range."""
    iteration = resolve(method)
    open_: dict[str, tuple[fmpq, fmpq]] = {}
    fixed: dict[str, fmpq] = {}
    for name, written in parameters.items():
        parameter = iteration.parameter(name)
        low, dots, high = str(written).partition("..")
        if dots and not (low.strip() and high.strip()):
            raise OpcheckError(f"{name} = {written} needs both ends of its range, as 1/8..1/4")
        ends = [_rational(parameter.name, end) for end in ([low, high] if dots else [low])]
        if dots and parameter.integer:
            raise OpcheckError(f"{name} = {written}: a range is of a real parameter")
        if dots:
            open_[parameter.symbol] = ends[0], ends[1]
        else:
            fixed[parameter.symbol] = ends[0]
    missing = [p.symbol for p in iteration.parameters if p.symbol not in {*open_, *fixed}]
    if missing:
        raise OpcheckError(f"{iteration.name} needs a value for {', '.join(missing)}")
    if constrained and iteration.shadow:
        raise OpcheckError(
            f"{iteration.name} stays at z* + {iteration.shadow} F z* where A ≠ 0, and over a range "
            f"V is told from z*: give {iteration.shadow} one value"
        )
    if len(open_) > 1:
        raise OpcheckError(f"{' and '.join(open_)} are ranges: one parameter may be")
    ((symbol, (low_end, high_end)),) = open_.items()
    classes: tuple[OfA, ...] = ("monotone", "subdifferential") if constrained else ("zero",)
    reason = ""
    for A in classes:
        known = [rational_property(p, A) for p in given]
        try:
            block = block_of(iteration, known, {**fixed, symbol: low_end}, A=A)
        except OpcheckError:  # its step is not the same at every k
            block = None
        if block is not None:
            Search(block, "distance").refuse_nothing()
        said = {"zero": False, "monotone": True, "subdifferential": "subdifferential"}[A]
        try:
            return over_range(
                iteration.name,
                known,
                parameter=symbol,
                low=low_end,
                high=high_end,
                fixed=fixed,
                theta=rate,
                constrained=said,
            )
        except NoRoom as none:
            reason = reason or str(none)
    raise NotCertified(reason)


def _rational(name: str, written: Any) -> fmpq:
    value = number(written)
    if not isinstance(value, fmpq):
        raise OpcheckError(f"{name} = {written} is irrational; give a rational number")
    return value


def _rate(theta: Any) -> Fraction:
    value = _rational("theta", theta)
    if value < 0:
        raise OpcheckError(f"theta = {theta} must not be negative")
    return Fraction(int(value.p), int(value.q))


class Search:
    """The program over the coefficients of V and the multipliers of both claims."""

    def __init__(self, block: Block, above: Least) -> None:
        self.block, self.above = block, above
        count = len(block.vectors)
        nothing = tuple((Fraction(0),) * count for _ in range(count))
        self.rows, self.columns = upper_triangle(count)
        self.step = Program(decrease(block, nothing))
        self.bound = Program(least(block, nothing, above))
        _, (before, after) = block.run(1)
        _, (here,) = block.run(0)
        self.before = self._forms(self.step, before)
        self.after = self._forms(self.step, after)
        self.here = self._forms(self.bound, here)
        slopes = [float(p.constant) for p in block.given if p.kind is Lipschitz and p.of == "F"]
        self.slope = min(slopes, default=1.0) or 1.0
        sizes = np.array([self._size(v) for v in block.vectors])
        self.weight = sizes[self.rows] * sizes[self.columns]

    def _size(self, vector: str) -> float:
        """How long a vector is beside z − z*: values of F by the Lipschitz constant."""
        value = of_now(vector) == VALUE or of_now(vector) not in self.block.points
        return self.slope if value else 1.0

    def _sizes(self, program: Program) -> Floats:
        """The same of the basis, as factors of the entries of a form over it."""
        values = {name for name, call in program.claim.trace.calls if call.of == "F"}
        values |= {f"{row}0" for row in self.block.rows if row not in self.block.points}
        sizes = np.array([self.slope if n in values else 1.0 for n in program.claim.basis])
        sizes *= program.stretch  # by which the program divides
        return np.asarray(sizes[program.rows] * sizes[program.columns])

    def _forms(self, program: Program, at: Any) -> Floats:
        """⟨v_i, v_j⟩ (twice, off the diagonal) at a state, one a row."""
        forms = []
        for i, j in zip(self.rows, self.columns, strict=True):
            unit = [[Fraction(0)] * len(self.block.vectors) for _ in self.block.vectors]
            unit[i][j] = unit[j][i] = Fraction(1)
            products = form(self.block.vectors, tuple(map(tuple, unit)), at)
            forms.append(program.products(program.claim.inner(products)))
        return np.array(forms)

    def solve(self, theta: float, tight: bool = False) -> tuple[float, Floats]:
        """The margin that coefficients of V have at this rate, and those coefficients.

        ``tight``: as few and as small as they can be, without margin; else of largest margin.
        """
        from scipy import sparse

        step, bound = self.step, self.bound
        p, m1, m2 = len(self.rows), len(step.forms), len(bound.forms)
        n1, n2 = len(step.balance), len(bound.balance)
        size = 1 + 2 * p + m1 + m2  # margin, positive and negative parts of V, multipliers
        blocks, equal = [], np.zeros((n1 + n2, size))
        for program, of_v, first, line in (
            (step, theta * self.before - self.after, 1 + 2 * p, 0),
            (bound, self.here, 1 + 2 * p + m1, n1),
        ):
            sizes, last = self._sizes(program), first + len(program.forms)
            forms = program.forms * sizes
            tops = np.abs(forms).max(axis=1, initial=0.0)
            tops[tops == 0] = 1.0
            block = np.zeros((len(program.rows), size))
            block[:, 0] = (program.rows == program.columns) * (not tight)
            scaled = of_v.T * sizes[:, None] / self.weight
            block[:, 1 : 1 + 2 * p] = np.column_stack([-scaled, scaled])
            block[:, first:last] = (forms / tops[:, None]).T
            equal[line : line + len(program.balance), first:last] = program.balance / tops
            blocks.append(block)
        signs = -np.eye(size)[1:]
        ends = np.zeros((2, size))
        ends[0, 0], ends[1, 1 : 1 + 2 * p] = 1.0, 1.0
        b = np.concatenate(
            [
                np.zeros(len(step.rows)),
                -bound.measure * bound.top * self._sizes(bound),  # unlike V it was scaled
                np.zeros(size - 1),
                [1.0, CAP],
                np.zeros(n1 + n2),
            ]
        )
        q = np.zeros(size)
        q[0] = -1.0
        if tight:
            q[1 : 1 + 2 * p] = 1.0
        cones = [("PSDTriangle", step.n), ("PSDTriangle", bound.n), ("Nonnegative", size + 1)]
        cones += [("Zero", n1 + n2)] if n1 + n2 else []
        A = sparse.csc_matrix(np.vstack([*blocks, signs, ends, equal]))
        status, x, _ = conic(q, A, b, cones)
        if status not in ("Solved", "AlmostSolved"):
            return -np.inf, np.zeros(p)
        entries = (x[1 : 1 + p] - x[1 + p : 1 + 2 * p]) / self.weight
        return 0.0 if tight else float(x[0]), entries

    def smallest(self) -> float | None:
        """The least θ ≤ 1 for which there is such a V, by the solver's word; None for none."""
        if self.solve(1.0)[0] < -OPEN:
            return None
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if self.solve(middle)[0] < -OPEN:
                low = middle
            else:
                high = middle
        return high

    def certified(self, theta: Fraction | None) -> Potential:
        """The potential at a rate, or at the smallest. Raises NotCertified where there is none."""
        shape = f"made of {', '.join(self.block.vectors)} and above the {self.above}"
        name = f"{self.block.method.name}: no potential {shape}"
        self.refuse_nothing()
        block = self.block
        more = "" if block.history or not (block.rows or block.A != "zero") else LONGER
        if theta is not None:
            margin, _ = self.solve(float(theta))
            if not np.isfinite(margin):
                raise NotCertified(f"{name} is known: the solver did not converge")
            if margin < -OPEN:
                raise NotCertified(f"{name} decreases by θ = {theta}, by these inequalities{more}")
            rates, value = [theta], None
        else:
            value = self.smallest()
            if value is None:
                raise NotCertified(f"{name} decreases at all, by these inequalities{more}")
            rates = list(dict.fromkeys(_rates(value)))
        for rate in rates:
            for matrix in self._roundings(rate):
                certificates = self._prove(matrix, rate) if any(map(any, matrix)) else None
                if certificates is not None:
                    return self._potential(matrix, rate, value, *certificates)
        raise NotCertified(f"{name} was found that rounds, though the solver sees one")

    def refuse_nothing(self) -> None:
        """Raise OpcheckError where V = 0 lies above as well, as where all points are one."""
        solution = self.bound.margin(0.0)
        if solution.status not in ("Solved", "AlmostSolved"):
            return
        if np.linalg.eigvalsh(solution.slack)[0] > -OPEN:
            raise OpcheckError(
                f"{self.block.method.name}: by these hypotheses the {self.above} is always 0, so "
                "that there is nothing to shrink: look at their constants"
            )

    def _roundings(self, rate: Fraction) -> Iterator[Matrix]:
        """Rational coefficients close to the solver's, the simplest first."""
        count = len(self.block.vectors)
        margin, inside = self.solve(float(rate))
        if margin < -OPEN:
            return
        # a hair above, where a tight rate has coefficients to find
        solutions = [self.solve(float(rate) * (1 + HAIR), tight=True), (margin, inside)]
        seen = set()
        for denominator in SHORT:
            for known, entries in solutions:
                lines = [[Fraction(0)] * count for _ in range(count)]
                for i, j, v in zip(self.rows, self.columns, entries, strict=True):
                    lines[i][j] = lines[j][i] = Fraction(float(v)).limit_denominator(denominator)
                matrix = tuple(map(tuple, lines))
                if np.isfinite(known) and matrix not in seen:
                    seen.add(matrix)
                    yield matrix

    def _prove(self, matrix: Matrix, rate: Fraction) -> tuple[Certificate, Certificate] | None:
        certificates = []
        for stated, ratio in (
            (decrease(self.block, matrix), rate),
            (least(self.block, matrix, self.above), Fraction(1)),
        ):
            program, start = Program(stated), None
            try:
                start = program.smallest()
                if start.theta > float(ratio) + OPEN + start.error:
                    return None
            except Unconverged:
                pass  # its word is not needed: the exact check decides
            except OpcheckError:
                return None
            certificate = at(program, ratio, start)
            if certificate is None:
                return None
            certificates.append(certificate)
        return certificates[0], certificates[1]

    def _potential(
        self,
        matrix: Matrix,
        rate: Fraction,
        value: float | None,
        decreases: Certificate,
        bounds: Certificate,
    ) -> Potential:
        block = self.block
        return Potential(
            method=block.method.name,
            given=(*map(str, block.given), recheck.OPERATOR_A[block.A]),
            parameters={n: str(v) for n, v in block.parameters.items()},
            vectors=block.vectors,
            matrix=matrix,
            theta=rate,
            smallest=value,
            steps=block.steps,
            above=self.above,
            shadow=block.shadow,
            away={name: str(c) for name, c in block.away.items()}
            | ({} if block.A == "zero" else {VALUE: "1"}),
            points=tuple(row for row in block.points if row != "z"),
            history=block.history,
            covers=str(block.covers),
            decreases=decreases,
            bounds=bounds,
            notes=(*block.notes, *[GROWS] * (rate > 1)),
        )


def _rates(value: float) -> Iterator[Fraction]:
    """Rational rates at which a proof may be found: a short fraction just above, then others."""
    if value <= NEAR:
        yield Fraction(0)
    near = simplest(_exact(value), _exact(value + NEAR))
    yield min(Fraction(int(near.p), int(near.q)), Fraction(1))
    for step in RAISED:
        low = value * (1 + step) + step / 10
        rate = simplest(_exact(low), _exact(low + step))
        yield min(Fraction(int(rate.p), int(rate.q)), Fraction(1))
    yield Fraction(1)


def _exact(value: float) -> fmpq:
    return fmpq(*float(value).as_integer_ratio())
