"""Potential arguments as declarations: what never grows, and which inequalities say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opcheck.arguments import asked

RUN = "K"  # the horizon that a run is made for, which statements speak of
FINAL = "final"  # of a row: that of the last k, the same vector at every step


@dataclass(frozen=True)
class Proof:
    """V_{k+1} ≤ V_k along every step, V small at the start, and so measure ≤ bound at every k.

    Each of the three parts is an inequality that is a combination of inequalities known to hold:
    ``{inequality: multiplier}``. What the combination leaves must be a sum of squares; that is
    found, not declared. Without a potential the end alone is the proof, as of a one-step claim.

    The texts speak of the state rows of the method as vectors (a row that a step writes is the one
    that step k writes), of ``next(...)`` and ``last(...)`` of anything, of ``F(v)``, ``A(v)``,
    ``S(v)``, ``resolvent(v)`` = J_{γS} v, ``inner(u, v)``, ``norm2(v)``, with a horizon of
    ``final(row)``, the row at the last k, the same vector at every step, and of what the statement
    itself speaks of: its symbols, its measures, R, ``before(s)``, ``upto(s)``, ``first(s)``. A
    measure of a row that a step writes is taken after that step, of z too, as in the statement.

    Attributes:
        potential: V_k.
        at_most: B with V ≤ B at k = begin.
        begin: where the induction starts.
        start: B − V at k = begin.
        step: V − next(V).
        end: bound − measure. ``potential`` is the inequality B − V ≥ 0.
        cases: values of integer parameters, and k by a further symbol, as ``{"tau": "3", "k":
            "3*m + 1"}``; for each choice of the former the latter must be every residue.
        remark: why the cases stand for all parameters, where they do.
        turn: of a statement about families of operators (``on``): a and s for which every one is
            F = a I + G with G skew and G² = −s I. Every vector is then a multiple p + q G of a row,
            an equality holds where both sides have the same coefficients, and nothing is declared.
        shorter: ``{"Cauchy(u, v, w)": {inequality: multiplier}}``: why ‖w‖² − ‖v‖² ≥ 0.
        let: further symbols of these texts.
        horizon: a symbol N for the k of the statement, which these texts may speak of: V_{k+1} ≤
            V_k is shown for k + 1 ≤ N, and N = k in the end. "K" is the horizon that the run
            itself is made for; at k < K the bound must then hold by its form alone.
        until: the last k that is shown on the first steps of the run themselves, of a statement
            that says nothing of the later ones, as ``where(k <= 2, distance, 0)``.

    An inequality is a hypothesis at two points, as ``Lipschitz(zbar, next(z))``, or at one and at
    the solution, as ``WeakMinty(zbar)``. ``Resolvent(u, v)`` says that A is monotone at two points,
    ``Subgradient(u, v)`` that A = ∂f with f convex: f(v) − f(u) − ⟨a, v − u⟩ ≥ 0 with a ∈ A(u).
    Of the ``best(s)`` of a statement ``Least(s)`` says that it is at most s at k, ``Mean(s)`` that
    k times it is at most ``before(s)``. Of roots of products of what is measured says
    ``Cauchy(u, v, w)`` that ⟨u, v⟩ ≤ √(‖u‖² ‖w‖²); that ‖v‖² ≤ ‖w‖² is shown by ``shorter``.
    """

    potential: str = ""
    at_most: str = "R**2"
    begin: int = 0
    start: Mapping[str, str] = field(default_factory=dict)
    step: Mapping[str, str] = field(default_factory=dict)
    end: Mapping[str, str] = field(default_factory=dict)
    cases: Sequence[Mapping[str, str]] = ({},)
    remark: str = ""
    turn: Sequence[str] = ()
    shorter: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    let: Mapping[str, str] = field(default_factory=dict)
    horizon: str = ""
    until: int | None = None


Proof.__init__ = asked(Proof.__init__)  # type: ignore[method-assign]
