"""Pairs of points of a graph, and what a property's form is on one: in balls, not in floats.

A pair refutes a property of any kind, whatever search it came from; only a form that is negative
beyond every rounding counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from opcheck.engine.interpret import carry
from opcheck.engine.numbers import Ball, ball_arithmetic, precision, rational
from opcheck.engine.run import graph_at
from opcheck.errors import OpcheckError
from opcheck.model.problem import Problem
from opcheck.model.property import Of, Property

Floats = NDArray[np.float64]
BITS = 256
NOISE = 2.0**-36  # relative; what a kernel that only floats can read is taken to round
MANY = 300  # dimensions beyond which a dense operator is not read in balls
STATED = Fraction(1, 10**9)  # relative; what the digits of a stated constant may be off by


@dataclass(frozen=True)
class Pair:
    """Two points w of which J_A(w) are points of the graph; the second None: the solution."""

    first: Floats
    second: Floats | None

    def __str__(self) -> str:
        """As in ``(1, 0) and the solution``."""
        return f"{shown(self.first)} and " + (
            "the solution" if self.second is None else shown(self.second)
        )


@dataclass(frozen=True)
class Products:
    """‖Δx‖², ⟨Δx, Δu⟩ and ‖Δu‖² of a pair, as balls; ``exact`` if F was read in balls."""

    xx: arb
    xu: arb
    uu: arb
    exact: bool

    def form(self, property: Property, constant: float) -> arb:
        """The property's form with a constant, in (Δx, ΔF) or, of S, (Δx, ΔS)."""
        with precision(BITS):
            a, b, c = (arb(_fraction(v)) for v in property.form(Fraction(constant)))
            return a * self.xx + 2 * b * self.xu + c * self.uu

    def refute(self, property: Property, constant: float) -> bool:
        """Whether the form is negative even with a constant weaker in its ninth digit."""
        value = Fraction(constant)
        if property.kind.better is not None:
            value += STATED * abs(value) * (1 if property.kind.better == "smaller" else -1)
        with precision(BITS):
            a, b, c = (arb(_fraction(v)) for v in property.form(value))
            return bool(a * self.xx + 2 * b * self.xu + c * self.uu < 0)


def products(problem: Problem, pair: Pair, of: Of) -> Products | None:
    """The products of a pair in F (of F or T), normals (of A) or both (of S); None if not finite.

    Raises OpcheckError for an operator that fails its guards.
    """
    with precision(BITS):
        first = _at(problem, pair.first, of)
        if pair.second is not None:
            second = _at(problem, pair.second, of)
        else:
            assert problem.solution is not None
            zero = _at(problem, problem.solution, "F")
            exact = all(v == 0 for v in zero[1])
            room = 0.0 if exact else NOISE * (1 + float(np.abs(problem.solution).max()))
            where = [arb(float(v), room) for v in problem.solution]
            second = where, [arb(0)] * problem.dim, True
        dx = [p - q for p, q in zip(first[0], second[0], strict=True)]
        du = [p - q for p, q in zip(first[1], second[1], strict=True)]
        xx, xu, uu = (
            sum((p * q for p, q in zip(s, t, strict=True)), arb(0))
            for s, t in ((dx, dx), (dx, du), (du, du))
        )
        if not (xx.is_finite() and xu.is_finite() and uu.is_finite()):
            return None
        return Products(xx, xu, uu, first[2] and second[2])


def _at(problem: Problem, w: Floats, of: Of) -> tuple[list[arb], list[arb], bool]:
    z, v, normal = (row[0] for row in graph_at(problem, w[None]))
    u = _in_balls(problem, z)
    exact = u is not None
    if u is None:
        room = NOISE * float(np.abs(v).max())
        u = [arb(float(p), room) if np.isfinite(p) else arb("nan") for p in v]
    if of == "A":
        u, exact = [arb(0)] * problem.dim, True
    if of in ("A", "S") and problem.constrained:
        # the normal of a box is one exactly: zero where no side is active, of its sign elsewhere
        room = 0.0 if problem.resolvent.ends is not None else NOISE * float(np.abs(w).max())
        u = [p + arb(float(n), room) for p, n in zip(u, normal, strict=True)]
    return [arb(float(p)) for p in z], u, exact


def _in_balls(problem: Problem, z: Floats) -> list[arb] | None:
    operator, d = problem.operator, problem.dim
    if operator.interpreted or d > MANY or not np.isfinite(z).all():
        return None
    point, out = np.empty(d, dtype=object), np.empty(d, dtype=object)
    point[:] = [Ball(rational(float(v))) for v in z]
    data = operator.data_in(ball_arithmetic(), lambda v: rational(float(v)))
    try:
        carry(operator, point, out, data)
        return [Ball(v).ball for v in out]
    except (OpcheckError, ArithmeticError, TypeError):  # a kernel that only floats can read
        return None


def _fraction(value: Fraction | int) -> fmpq:
    exact = Fraction(value)
    return fmpq(exact.numerator, exact.denominator)


def shown(point: Floats) -> str:
    """As in ``(1, -0.5)``; of a long one the first six entries."""
    more = ", ..." if len(point) > 6 else ""
    return f"({', '.join(f'{v:.9g}' for v in point[:6])}{more})"
