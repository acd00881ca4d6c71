"""Nonlinear operators on R^d, some of them on a box.

A separable saddle F = (g(x) + c y, −c x + h(y)) has the Jacobian [[a, c], [−c, b]] of norm
|a − b|/2 + √((a + b)²/4 + c²), largest where the slopes a, b are at opposite ends of their ranges.
"""

from __future__ import annotations

import numpy as np

from opcheck.model.operator import NO_CONSTRAINT, Operator
from opcheck.model.problem import Problem, Region, problem_family
from opcheck.model.property import (
    Comonotone,
    Fact,
    Lipschitz,
    Monotone,
    Of,
    WeakMinty,
    estimated,
    exact,
)
from opcheck.model.symbolic import field, minmax
from opcheck_problems.parameters import positive, require
from opcheck_problems.sets import box as box_set

SEARCH = "least ratio found by multi-start minimisation, rounded down"


def separable(m: str, M: str, c: str = "1") -> str:
    """The Lipschitz constant of a separable saddle with slopes in [m, M] and coupling c."""
    return f"(({M}) - ({m}))/2 + sqrt((({M}) + ({m}))**2/4 + ({c})**2)"


def on_box(
    operator: Operator,
    box: float,
    radius: float,
    solution: tuple[float, float],
    start: tuple[float, float],
    facts: list[Fact],
) -> Problem:
    """On [−box, box]² or, for box = 0, on the plane; local facts hold up to ``radius``."""
    return Problem(
        "",
        operator,
        box_set([-box] * 2, [box] * 2) if box else NO_CONSTRAINT,
        start=np.array(start),
        solution=np.array(solution),
        facts=tuple(facts),
        region=Region(radius),
        parameters={"radius": radius},
    )


def of_sum(box: float) -> Of:
    """What a star property is about: S = F + N_box where there is a box, else F."""
    return "S" if box else "F"


@problem_family("forsaken", presets=[{"box": 0.0}])
def forsaken(box: float = 1.5) -> Problem:
    """min max x(y − 0.45) + φ(x) − φ(y), φ = u²/4 − u⁴/2 + u⁶/6 (Hsieh et al. 2021, Example 5.2).

    One zero, which extragradient with step 1/L cycles around. ``box`` is the half-width of the
    constraint [−box, box]², 0 for none. The slopes φ'' lie in [−13/10, 1/2 − 6h² + 5h⁴] on a box of
    half-width h ≥ 1.1. The weak Minty constant, attained near (−0.2581, 0.7917), is far below
    −1/(2L): no theorem for weak Minty operators applies.

    Raises OpcheckError for a box that is neither 0 nor at least 1.5.
    """
    require(box == 0 or box >= 1.5, f"box = {box} must be 0 (none) or at least 1.5")
    operator = minmax("x*(y - 0.45) + x**2/4 - x**4/2 + x**6/6 - (y**2/4 - y**4/2 + y**6/6)")
    lipschitz = separable("-13/10", "1/2 - 6*radius**2 + 5*radius**4")
    weak = estimated(WeakMinty(-1.52057, of=of_sum(box)), SEARCH, local=not box)
    facts = [exact(Lipschitz(lipschitz), local=True), weak]
    zero = (0.07802666873846008, 0.41193385136581984)
    return on_box(operator, box, box or 1.5, zero, (1.0, 1.0), facts)


@problem_family("global_forsaken", presets=[{"box": 0.0}])
def global_forsaken(box: float = 4 / 3) -> Problem:
    """min max xy + ψ(x) − ψ(y), ψ = 2u⁶/21 − u⁴/3 + u²/3 (Pethick et al. 2022, Example 5).

    Zero 0; weak Minty on the plane with a constant above −1/(2L) for the box of half-width 4/3.
    ``box`` is the half-width of [−box, box]², 0 for none. The slopes ψ'' lie in
    [−11/15, 2/3 − 4h² + 20h⁴/7] for h ≥ 1.2.

    Raises OpcheckError for a box that is neither 0 nor at least 4/3.
    """
    require(box == 0 or box >= 4 / 3, f"box = {box} must be 0 (none) or at least 4/3")
    operator = minmax("x*y + 2*x**6/21 - x**4/3 + x**2/3 - (2*y**6/21 - y**4/3 + y**2/3)")
    lipschitz = separable("-11/15", "2/3 - 4*radius**2 + 20*radius**4/7")
    facts = [
        exact(Lipschitz(lipschitz), local=True),
        estimated(WeakMinty(-0.119733, of=of_sum(box)), SEARCH),
    ]
    return on_box(operator, box, box or 4 / 3, (0.0, 0.0), (1.0, 1.0), facts)


@problem_family(
    "polar_game",
    presets=[{"a": 0.1}, {"a": 0.75}, {"a": 1.0}, {"a": 1 / 3, "box": 0.0}],
)
def polar_game(a: float = 1 / 3, box: float = 1.1) -> Problem:
    """F = (w x − y, w y + x) with w = (a/16)(r² − 1)(16r² − 9), r² = x² + y² (Pethick et al. 2022,
    Example 3): the flow has an attracting cycle r = 1, a repelling one r = 3/4, and the zero 0.

    ⟨F, z⟩/|F|² = w/(1 + w²) and w ≥ −k, k = 49a/1024, so the weak Minty constant is −k/(1 + k²),
    also of F + N_box: with |ρ| ≤ 1/2 no normal of a box of half-width ≥ 1 makes it worse.
    On a box of half-width h the Jacobian is largest at the corners, s = r² = 2h², where its norm is
    √(P² + 1) + Q, P = (a/16)(48s² − 50s + 9), Q = (a/16)s(32s − 25). Not comonotone with
    ρ > −1/(2L) unless a is small.

    Raises OpcheckError unless 0 < a ≤ 20 and box is 0 or at least 1.
    """
    require(0 < a <= 20, f"a = {a} must lie in (0, 20]")
    require(box == 0 or box >= 1, f"box = {box} must be 0 (none) or at least 1")
    w = "(a/16)*(x**2 + y**2 - 1)*(16*(x**2 + y**2) - 9)"
    operator = field([f"{w}*x - y", f"{w}*y + x"], "x y", a=a)
    s = "(2*radius**2)"
    lipschitz = f"sqrt((a/16*(48*{s}**2 - 50*{s} + 9))**2 + 1) + a/16*{s}*(32*{s} - 25)"
    facts = [
        exact(Lipschitz(lipschitz), local=True),
        exact(WeakMinty("-(49*a/1024)/(1 + (49*a/1024)**2)", of=of_sum(box))),
    ]
    return on_box(operator, box, box or 1.1, (0.0, 0.0), (1.0, 0.5), facts)


@problem_family(
    "tanh_saddle",
    facts=[
        exact(Lipschitz(separable("m", "M", "c"))),
        exact(Comonotone("m/(c**2 + m*M)")),
        estimated(WeakMinty("m/(c**2 + m**2)"), "the value at 0; no smaller ratio was found"),
    ],
    presets=[
        {"m": -0.5, "M": 0.1},
        {"m": -0.3, "M": 1.0},
        {"m": -0.2, "M": 0.0},
        {"m": -0.1, "M": 0.1, "c": 0.5},
    ],
    start=(3.0, -2.0),
    solution=(0.0, 0.0),
)
def tanh_saddle(m: float = -0.2, M: float = 0.2, c: float = 1.0) -> Operator:
    """F = (g(x) + c y, −c x + g(y)), g(s) = M s − (M − m) tanh s, with slopes from m at 0 to M.

    Nonlinear with global closed-form constants: the slopes of the players are independent, so
    ρ = m/(c² + mM) and L = (M − m)/2 + √((M + m)²/4 + c²) are the exact infimum and supremum.
    M = −m = L c̃/(1 + 2c̃), c = L(1 + c̃)/(1 + 2c̃) gives ρ = −c̃/L.

    Raises OpcheckError unless m < 0 ≤ M, c > 0 and c² + mM > 0.
    """
    require(m < 0 <= M, f"m = {m} and M = {M} must satisfy m < 0 <= M")
    positive(c, "c")
    require(c * c + m * M > 0, f"c^2 + m*M = {c * c + m * M} must be positive")
    return field(
        ["M*x - (M - m)*tanh(x) + c*y", "-c*x + M*y - (M - m)*tanh(y)"], "x y", m=m, M=M, c=c
    )


@problem_family(
    "almost_bilinear",
    facts=[
        exact(Lipschitz("eps*23/8 + sqrt((eps*23/8)**2 + 1)"), local=True),
        exact(WeakMinty("-eps")),
    ],
    presets=[{"eps": 0.01}, {"eps": 0.5}],
    start=(1.0, 0.5),
    solution=(0.0, 0.0),
)
def almost_bilinear(eps: float = 0.1) -> Problem:
    """min max xy + ε(y²/2 − y⁴/4): F = (y, −x − ε(y − y³)), a limit cycle of radius about 2/√3
    (Hsieh et al. 2021, Example 5.1).

    ⟨F, z⟩ = −ε y²(1 − y²) ≥ −ε|F|² since |F|² ≥ y². L is that of the box of half-width 3/2, where
    the slope of the second component reaches ε(27/4 − 1).

    Raises OpcheckError for ε ≤ 0.
    """
    positive(eps, "eps")
    operator = minmax("x*y + eps*(y**2/2 - y**4/4)", eps=eps)
    return Problem("", operator, region=Region(1.5))


@problem_family(
    "dirac_gan",
    facts=[
        exact(WeakMinty(0)),
        exact(
            Lipschitz("1 + radius**2/2 + reg"),
            "a bound: σ + (|xy| + max(x², y²))σ' + reg with σ ≤ 1 and σ' ≤ 1/4",
            local=True,
        ),
    ],
    presets=[{"reg": 0.5}],
    start=(1.0, 1.0),
    solution=(0.0, 0.0),
)
def dirac_gan(reg: float = 0.1, radius: float = 1.0) -> Problem:
    """F = (y σ(−xy), −x σ(−xy) + reg·y), σ the logistic function: the Dirac GAN of Mescheder et al.
    2018 with a penalty on the discriminator. ⟨F, z⟩ = reg·y² ≥ 0, but F is not monotone.

    ``radius`` is the half-width of the box on which L is stated.

    Raises OpcheckError for reg < 0 or a radius that is not positive.
    """
    require(reg >= 0, f"reg = {reg} must not be negative")
    positive(radius, "radius")
    operator = field(["y/(1 + exp(x*y))", "-x/(1 + exp(x*y)) + reg*y"], "x y", reg=reg)
    return Problem("", operator, region=Region(radius))


def huber_saddle(z, out, data):
    """Data: δ, ε, and the sign of the second player's Huber term."""
    delta, eps, sign = data[0], data[1], data[2]
    for i in range(2):
        slope = z[i]
        if slope > eps:
            slope = eps
        elif slope < -eps:
            slope = -eps
        out[i] = (1 - delta) * slope
    out[0] = out[0] + delta * z[1]
    out[1] = sign * out[1] - delta * z[0]


@problem_family(
    "ryu_huber",
    facts=[exact(Lipschitz(separable("0", "1 - delta", "delta"))), exact(Monotone())],
    start=(1.0, 0.0),
    solution=(0.0, 0.0),
)
def ryu_huber(delta: float = 0.01, eps: float = 5e-5) -> Operator:
    """min max (1 − δ)h(x) + δxy − (1 − δ)h(y) with Huber's h, h' = clip(s, −ε, ε): monotone, nearly
    without curvature away from 0 (Yoon and Ryu 2021).

    Raises OpcheckError unless 0 < δ < 1 and ε > 0.
    """
    require(0 < delta < 1, f"delta = {delta} must lie in (0, 1)")
    positive(eps, "eps")
    return Operator(huber_saddle, np.array([delta, eps, 1.0]), 2, "F of a Huber saddle")
