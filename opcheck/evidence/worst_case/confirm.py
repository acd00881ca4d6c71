"""Whether what an attack found in float64 is a counterexample: exactly in the class, and above.

The search moves operators out until a hypothesis is met with equality in float64, so the found one
lies in the class to rounding alone. It is mixed with a multiple of the identity well inside of the
class, by as little as makes every hypothesis hold in rationals; and its run is made once more on
balls, from its own numbers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from opcheck import recheck
from opcheck.engine.interpret import Balls, run_exactly
from opcheck.engine.numbers import Ball, precision, rational
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.statement.evaluation import parameters_of, plan, sides
from opcheck.evidence.statement.exact_parameters import Setting
from opcheck.evidence.worst_case.operators_to_attack import RIDGES, Part, has, of_f, piecewise
from opcheck.model.operator import Operator, Resolvent
from opcheck.model.problem import Problem

Floats = NDArray[np.float64]
Matrix = list[list[Fraction]]
Asked = list[tuple[Any, tuple[Fraction, Fraction, Fraction]]]
# parts of the multiple of the identity, in turn
MIXED = (0.0, 1e-13, 1e-11, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
STEPS = (4, 16, 64)  # bits a step that a run may lose, tried in turn
ALLOWANCE = 2_000_000  # operations on balls
CENTRES = 81  # multiples of the identity that are looked at
SHORTER = Fraction(999, 1000)  # of the largest γ that γL < 1 allows


@dataclass(frozen=True)
class Witness:
    """What was run.

    Attributes:
        operator: F with its data: ``piecewise``, affine (M row by row, q), or with one fold.
        part: A = aI + sQ + B; None for another A.
        folded: F(z) = Mz + q + u max(⟨w, z⟩ − 1, 0), its data M, q, u, w.
        start: of norm 1 to rounding.
    """

    setting: Setting
    k: int
    operator: Operator
    resolvent: Resolvent
    part: Part | None
    folded: bool
    start: Floats


def confirmed(witness: Witness) -> tuple[str, bool]:
    """In words whether a witness is a counterexample, and whether it was shown to be one."""
    if witness.part is None:
        return "its A was not held against the hypotheses exactly", False
    asked = _asked(witness.setting)
    for p, form in asked:
        if p.of == "A" and not has(witness.part, form, exactly=True):
            return "its A has a hypothesis to rounding alone", False
    placed = into_class(witness)
    if placed is None:
        return "it has the hypotheses to rounding alone", False
    inside, moved = placed
    try:
        bits, above = _above(inside)
    except (Undecided, OpcheckError, TypeError) as error:
        return f"its run could not be made on balls: {error}", False
    if above is None:
        return "with every hypothesis exact it does not exceed the bound", False
    return f"every hypothesis in rationals, {above} in {bits} bits{moved and ', ' + moved}", True


def into_class(witness: Witness, *, most: float = 1.0) -> tuple[Witness, str] | None:
    """The witness moved by as little as gives it every hypothesis in rationals, and how far.

    Args:
        most: of the way to a middle of the class, at most.

    None where it would go further, or where A was not held against the hypotheses.
    """
    asked = _asked(witness.setting)
    if witness.part is None or not all(
        has(witness.part, form, exactly=True) for p, form in asked if p.of == "A"
    ):
        return None
    centre = _centre(witness, asked)
    for part in MIXED if centre is not None else MIXED[:1]:
        mixed = _mixed(witness, part, centre or 0.0)
        if part <= most and _in_class(mixed, asked):
            if not part:
                return mixed, ""
            return mixed, f"moved into the class by {part:g} of the way to {centre:g} I"
    return None


def _asked(setting: Setting) -> Asked:
    asked = []
    for p in setting.theorem.asked:
        value = p.number if p.symbol is None else setting.constants[p.symbol]
        exact = Fraction(value) if isinstance(value, int | float | Fraction) else value
        a, b, c = (Fraction(v) for v in p.form(exact))
        asked.append((p, (a, b, c)))
    return asked


def _matrix(witness: Witness) -> Floats:
    """M, the slope of F at 0."""
    d = len(witness.start)
    return witness.operator.data[: d * d].reshape(d, d)


def _pieces(witness: Witness) -> list[Matrix]:
    """The slopes of F's pieces in rationals: of every set of folds, or of those that there are."""
    if _on_the_line(witness):
        _, slopes, other = _along(witness)
        return [[[f, Fraction(0)], [Fraction(0), other]] for f in slopes]
    data, d = witness.operator.data, len(witness.start)
    folds = []
    if witness.operator.kernel is piecewise:
        ridges = [data[6 + 6 * r : 10 + 6 * r] for r in range(RIDGES)]
        folds = [(ridge[:2], ridge[2:]) for ridge in ridges]
    elif witness.folded:
        folds = [(data[d * d + d : d * d + 2 * d], data[d * d + 2 * d :])]
    pieces = [_exact(_matrix(witness))]
    for u, w in folds:
        if u.any():
            pieces += [_plus(J, u, w) for J in pieces]
    return pieces


def _plus(J: Matrix, u: Floats, w: Floats) -> Matrix:
    return [
        [v + Fraction(a) * Fraction(b) for v, b in zip(row, w.tolist(), strict=True)]
        for row, a in zip(J, u.tolist(), strict=True)
    ]


def _mixed(witness: Witness, part: float, centre: float) -> Witness:
    """(1 − part) F + part · centre · I: the same pieces, each slope moved."""
    if not part:
        return witness
    data, d = witness.operator.data.copy(), len(witness.start)
    data[: d * d] = ((1 - part) * _matrix(witness) + part * centre * np.eye(d)).ravel()
    if witness.operator.kernel is piecewise:
        for r in range(RIDGES):
            data[6 + 6 * r : 8 + 6 * r] *= 1 - part
    elif witness.folded:
        data[d * d + d : d * d + 2 * d] *= 1 - part
    return replace(witness, operator=replace(witness.operator, data=data))


def _forms(witness: Witness, asked: Asked) -> list[tuple[tuple[Fraction, ...], Matrix]] | None:
    """Hypotheses on F + a matrix; None where these don't follow for its A."""
    assert witness.part is not None
    d = len(witness.start)
    forms = of_f(asked, witness.part)  # type: ignore[arg-type]
    if forms is None:
        return None
    a = witness.part.a
    return [
        (
            tuple(Fraction(v) for v in form),
            _exact(more if d == len(more) else (a if more.any() else 0.0) * np.eye(d)),
        )
        for form, more in forms
    ]


def _exact(matrix: Floats) -> Matrix:
    return [[Fraction(v) for v in row] for row in np.asarray(matrix, dtype=float).tolist()]


def _centre(witness: Witness, asked: Asked) -> float | None:
    """A multiple of the identity with room on every side; None where there is none."""
    forms = _forms(witness, asked)
    if not forms:
        return 0.0 if forms is not None else None
    size = float(np.abs(_matrix(witness)).max()) or 1.0
    best, room = None, 0.0
    for s in np.linspace(-2 * size, 2 * size, CENTRES).tolist():
        least = min(_least(form, more, s) for form, more in forms)
        if least > room:
            best, room = s, least
    return best


def _least(form: tuple[Fraction, ...], more: Matrix, s: float) -> float:
    a, b, c = (float(v) for v in form)
    S = s * np.eye(len(more)) + np.array(more, dtype=float)
    G = a * np.eye(len(S)) + b * (S + S.T) + c * (S.T @ S)
    return float(np.linalg.eigvalsh(G)[0])


def _in_class(witness: Witness, asked: Asked) -> bool:
    """Whether F has every hypothesis, in rationals; see ``operators_to_attack.within``."""
    forms = _forms(witness, asked)
    if forms is None:
        return False
    pieces = _pieces(witness)
    alone = _on_the_line(witness) and witness.part == Part()
    # where A = 0 each hypothesis has its form
    star = [p.kind.star and alone for p, _ in asked] if alone else [False] * len(forms)
    for ((a, b, c), more), about_zero in zip(forms, star, strict=True):
        if about_zero:
            ratios, _, other = _along(witness)
            if c > 0 or not all(a + 2 * b * f + c * f * f >= 0 for f in [*ratios, other]):
                return False
            continue
        shifted = [_sum(J, more) for J in pieces]
        if not all(recheck.semidefinite(_form_of(S, a, b, c)) for S in shifted):
            return False
        if c > 0 and len(pieces) > 1 and not _bends(shifted, a, b, c):
            return False
    return True


def _on_the_line(witness: Witness) -> bool:
    """Whether F moves the first coordinate by itself, and scales the second."""
    data = witness.operator.data
    if witness.operator.kernel is not piecewise:
        return False
    across = [data[1], data[2], *data[4:6], *data[7::6], *data[9::6]]
    return not np.any(across)


def _along(witness: Witness) -> tuple[list[Fraction], list[Fraction], Fraction]:
    """On the line the ends of what F(x)/x takes, the slopes, and the factor of the other axis.

    F is piecewise linear with F(0) = 0, so F(x)/x is monotone between two breaks.
    """
    data = [Fraction(v) for v in witness.operator.data.tolist()]
    ridges = [data[6 + 6 * r : 12 + 6 * r] for r in range(RIDGES)]
    breaks = sorted({t / w for u, _, w, _, c, h in ridges if u and w for t in (c, c + h)})

    def value(x: Fraction) -> Fraction:
        bends = (u * min(max(w * x - c, Fraction(0)), h) for u, _, w, _, c, h in ridges)
        return data[0] * x + sum(bends, Fraction(0))

    beyond = 1 + 2 * max([abs(x) for x in breaks], default=Fraction(0))
    at = [-2 * beyond, -beyond, *breaks, beyond, 2 * beyond]
    slopes = [(value(y) - value(x)) / (y - x) for x, y in itertools.pairwise(at)]
    # to its limits, the last slopes, F(x)/x tends without a break; the first is the slope at 0
    ratios = [value(x) / x for x in at if x] + [slopes[0], slopes[-1], data[0]]
    return ratios, slopes, data[3]


def _bends(pieces: list[Matrix], a: Fraction, b: Fraction, c: Fraction) -> bool:
    """Whether some γ with γL < 1 makes a form with c > 0 concave in the slopes of (I + γF)⁻¹."""
    L = max(float(np.linalg.norm(np.array(S, dtype=float), 2)) for S in pieces)
    gamma = SHORTER / Fraction(L) if L > 0 else Fraction(1)
    if a > 0:
        gamma = min(gamma, b / a)
    concave = a * gamma**2 - 2 * b * gamma + c <= 0
    short = all(
        recheck.semidefinite(_form_of(S, SHORTER, Fraction(0), -(gamma**2))) for S in pieces
    )
    return bool(concave and short)


def _sum(A: Matrix, B: Matrix) -> Matrix:
    return [[x + y for x, y in zip(p, q, strict=True)] for p, q in zip(A, B, strict=True)]


def _form_of(S: Matrix, a: Fraction, b: Fraction, c: Fraction) -> Matrix:
    """A I + b (S + Sᵀ) + c SᵀS."""
    d = range(len(S))
    return [
        [a * (i == j) + b * (S[i][j] + S[j][i]) + c * sum(S[m][i] * S[m][j] for m in d) for j in d]
        for i in d
    ]


def _down(value: Any) -> str:
    """A positive number to four digits, rounded down."""
    exact = Decimal(float(value) * (1 - 2.0**-50))
    return str(Context(prec=4, rounding=ROUND_FLOOR).create_decimal(exact))


def _above(witness: Witness) -> tuple[int, str | None]:
    """The precision, and how far measured lies above the bound on balls; None where it doesn't."""
    setting = witness.setting
    theorem, recording = setting.theorem, plan(setting.theorem)
    last = witness.k + int(recording.in_steps)
    problem = Problem(
        witness.operator,
        witness.resolvent,
        name="attack",
        start=witness.start,
        solution=np.zeros(len(witness.start)),
    )
    takes = [(t.measure.kernel, *t.indices(theorem.iteration)) for t in recording.takes.values()]
    whole = {
        p.symbol: setting.values[p.symbol]
        for p in theorem.iteration.parameters
        if p.integer and p.symbol in setting.values
    }
    for step in STEPS:
        bits = 160 + step * last
        with precision(bits):
            arithmetic = Balls(ALLOWANCE)
            if "L" in setting.constants:
                L = setting.constants["L"]
                arithmetic.lipschitz = Ball(fmpq(L.numerator, L.denominator))
            arithmetic.solves = 2 * last + 1
            squares = [rational(v) ** 2 for v in witness.start.tolist()]
            values = {**setting.values, "R": Ball(sum(squares[1:], squares[0])).sqrt()}
            own = parameters_of(theorem.iteration, values)
            run = run_exactly(
                arithmetic,
                problem,
                theorem.iteration,
                values=own,
                stops=range(last + 1),
                takes=takes,
            )
            record = {key: run.record[j] for j, key in enumerate(recording.takes)}
            left, right = sides(
                theorem,
                recording,
                values,
                record,
                horizon=last,
                arithmetic=arithmetic.arithmetic,
                keep=whole,
            )
            gap, bound = Ball(left[witness.k] - right[witness.k]).ball, Ball(right[witness.k]).ball
            if gap > 0:
                if bound > 0:
                    return bits, f"measured/bound ≥ 1 + {_down((gap / bound).lower())}"
                return bits, f"measured − bound ≥ {_down(gap.lower())}"
            if gap < 0:
                return bits, None
    return bits, None
