"""Nonlinear operators on R^d, some of them on a box.

A separable saddle F = (g(x) + c y, −c x + h(y)) has the Jacobian [[a, c], [−c, b]] of norm
|a − b|/2 + √((a + b)²/4 + c²), largest where the slopes a, b are at opposite ends of their ranges.
"""

from __future__ import annotations

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    Problem,
    Region,
    WeakMinty,
    estimated,
    exact,
    field,
    minmax,
    problem_family,
)
from opcheck.plugin import NO_CONSTRAINT, Fact, Of, Operator
from opcheck_problems._build import SEARCH
from opcheck_problems._checks import positive, require, whole
from opcheck_problems.sets import box as box_set


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


@problem_family("forsaken", rounded=True, presets=[{"box": 0.0}])
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
    weak = estimated(
        WeakMinty(-1.52057, of=of_sum(box)),
        f"{SEARCH}; Pethick et al. 2022 state a local minimum",
        local=not box,
        published=-0.477761,
    )
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
        exact(
            Lipschitz(lipschitz),
            "Böhm 2022 computes with 1/L = 0.360726",
            local=True,
            published=1 / 0.360726,
        ),
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
    "polar_game_boehm",
    presets=[{"a": 0.5}, {"a": 1.0}, {"a": 3.0}, {"a": 0.1, "box": 0.0}],
)
def polar_game_boehm(a: float = 1 / 3, box: float = 1.1) -> Problem:
    """polar_game with w = (a/4)(r² − 1)(4r² − 1): cycles r = 1 and r = 1/2; start
    (−1, −4/5), half of that without a box.

    w ≥ −k with k = 9a/64, so the weak Minty constant is −k/(1 + k²). The code it comes from
    (Böhm's OGDA for weak Minty) quotes the ranges of polar_game beside it, wrong for this formula:
    at a = 1/2 "ρ in (−1/(4L), −1/(4.5L))", where ρ = −0.72/L. For L, P = (a/4)(12s² − 10s + 1)
    and Q = (a/4)s(8s − 5) in the docstring of polar_game.

    Raises OpcheckError unless 0 < a ≤ 7 and box is 0 or at least 1.
    """
    require(0 < a <= 7, f"a = {a} must lie in (0, 7]")
    require(box == 0 or box >= 1, f"box = {box} must be 0 (none) or at least 1")
    w = "(a/4)*(x**2 + y**2 - 1)*(4*(x**2 + y**2) - 1)"
    operator = field([f"{w}*x - y", f"{w}*y + x"], "x y", a=a)
    s = "(2*radius**2)"
    lipschitz = f"sqrt((a/4*(12*{s}**2 - 10*{s} + 1))**2 + 1) + a/4*{s}*(8*{s} - 5)"
    facts = [
        exact(Lipschitz(lipschitz), local=True),
        exact(WeakMinty("-(9*a/64)/(1 + (9*a/64)**2)", of=of_sum(box))),
    ]
    start = (-1.0, -0.8) if box else (-0.5, -0.4)
    return on_box(operator, box, box or 1.1, (0.0, 0.0), start, facts)


@problem_family("forsaken_variant", rounded=True, presets=[{"box": 0.0}])
def forsaken_variant(box: float = 1.5) -> Problem:
    """F = (ψ(x) + y + 1/10, −x + ψ(y)), ψ = 5u/6 − 2u³ + u⁵ (code of Pethick et al. 2023 on
    stochastic weak Minty problems). One zero, near (−0.0491, −0.0594), known to rounding.

    ψ' lies in [−29/30, 5/6 − 6h² + 5h⁴] on a box of half-width h ≥ 1.1. ``box`` as in forsaken.

    Raises OpcheckError for a box that is neither 0 nor at least 1.5.
    """
    require(box == 0 or box >= 1.5, f"box = {box} must be 0 (none) or at least 1.5")
    operator = field(["5*x/6 - 2*x**3 + x**5 + y + 1/10", "-x + 5*y/6 - 2*y**3 + y**5"], "x y")
    lipschitz = separable("-29/30", "5/6 - 6*radius**2 + 5*radius**4")
    weak = estimated(WeakMinty(-0.280741, of=of_sum(box)), SEARCH, local=not box)
    facts = [exact(Lipschitz(lipschitz), local=True), weak]
    zero = (-0.049049806530195805, -0.05936089355348678)
    return on_box(operator, box, box or 1.5, zero, (1.0, 1.0), facts)


@problem_family(
    "grimmer_quartic",
    presets=[{"A": 1000.0}, {"A": 59.0}],
    start=(2.0, -1.0),
    solution=(0.0, 0.0),
)
def grimmer_quartic(A: float = 100.0, radius: float = 4.0) -> Problem:
    """min max g(x) + Axy − g(y), g = (u + 3)(u + 1)(u − 1)(u − 3): the interaction-dominant regime
    of Grimmer et al. 2020. F = (4x³ − 20x + Ay, −Ax + 4y³ − 20y).

    On the box ‖z‖∞ ≤ h the slopes lie in [m, M] = [−20, 12h² − 20]; where A² + mM > 0 (A > 58.7 for
    h = 4) ρ = m/(A² + mM) by the separable formula, and 0 is the only zero there. Against 0 alone
    the least ratio is m/(m² + A²), at 0. No constant holds on the plane, where g'' is unbounded;
    with a moderate A (10, 11) or a weak one (1) F is not comonotone on the box either.

    Raises OpcheckError for a radius below 2, or unless A² > 20(12 radius² − 20).
    """
    require(radius >= 2, f"radius = {radius} must be at least 2")
    require(
        A > 0 and 20 * (12 * radius**2 - 20) < A * A,
        f"A = {A} does not dominate: A^2 must exceed {20 * (12 * radius**2 - 20):g}",
    )
    operator = field(["4*x**3 - 20*x + A*y", "-A*x + 4*y**3 - 20*y"], "x y", A=A)
    steep = "(12*radius**2 - 20)"
    facts = (
        exact(Lipschitz(separable("-20", steep, "A")), local=True),
        exact(Comonotone(f"-20/(A**2 - 20*{steep})"), local=True),
        estimated(WeakMinty("-20/(A**2 + 400)"), "the value at 0; no smaller found", local=True),
    )
    return Problem(operator, facts=facts, region=Region(radius))


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
    return Problem(operator, region=Region(1.5))


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
    return Problem(operator, region=Region(radius))


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


def mixed_tanh(z, out, data):
    """Data: m, M, c. Two saddles of tanh_saddle between the coordinates Hz, H = Hadamard/2."""
    m, M, c = data[0], data[1], data[2]
    for i in range(4):
        out[i] = z[i] - z[i]
    for k in range(2):
        u = (z[0] + z[1] + z[2] + z[3]) / 2 if k == 0 else (z[0] + z[1] - z[2] - z[3]) / 2
        v = (z[0] - z[1] + z[2] - z[3]) / 2 if k == 0 else (z[0] - z[1] - z[2] + z[3]) / 2
        f = (M * u - (M - m) * np.tanh(u) + c * v) / 2
        g = (M * v - (M - m) * np.tanh(v) - c * u) / 2
        if k == 0:
            out[0] += f + g
            out[1] += f - g
            out[2] += f + g
            out[3] += f - g
        else:
            out[0] += f + g
            out[1] += f - g
            out[2] -= f + g
            out[3] -= f - g


@problem_family(
    "tanh_saddle_mixed",
    facts=[
        exact(Lipschitz(separable("m", "M", "c"))),
        exact(Comonotone("m/(c**2 + m*M)")),
    ],
    presets=[{"m": -0.3, "M": 1.0}],
    start=(3.0, -2.0, 1.0, 0.0),
    solution=(0.0, 0.0, 0.0, 0.0),
)
def tanh_saddle_mixed(m: float = -0.2, M: float = 0.2, c: float = 1.0) -> Operator:
    """HᵀF(Hz) in R⁴ with F two copies of tanh_saddle and H half a Hadamard matrix, which is
    orthogonal without rounding: every coordinate meets every other, and L and ρ stay exact.

    Raises OpcheckError unless m < 0 ≤ M, c > 0 and c² + mM > 0.
    """
    require(m < 0 <= M, f"m = {m} and M = {M} must satisfy m < 0 <= M")
    positive(c, "c")
    require(c * c + m * M > 0, f"c^2 + m*M = {c * c + m * M} must be positive")
    return Operator(mixed_tanh, np.array([m, M, c]), 4, "F of two mixed tanh saddles")


def sine_and_exponential(z, out, data):
    """Data: A, then B, row by row: F = s(s·z) + e(e·z), s = A sin z, e = B exp z."""
    n = z.shape[0]
    along_s = z[0] - z[0]
    along_e = z[0] - z[0]
    for i in range(n):
        s, e = z[0] - z[0], z[0] - z[0]
        for j in range(n):
            s += data[i * n + j] * np.sin(z[j])
            e += data[n * n + i * n + j] * np.exp(z[j])
        along_s += s * z[i]
        along_e += e * z[i]
    for i in range(n):
        s, e = z[0] - z[0], z[0] - z[0]
        for j in range(n):
            s += data[i * n + j] * np.sin(z[j])
            e += data[n * n + i * n + j] * np.exp(z[j])
        out[i] = s * along_s + e * along_e


@problem_family("sinexp_minty", presets=[{"n": 2, "seed": 1}])
def sinexp_minty(n: int = 4, seed: int = 0) -> Problem:
    """F = s(s·z) + e(e·z) with s = A sin z, e = B exp z, A and B random integers from −2 to 2
    (Malitsky 2020, who draws Gaussians): ⟨F, z⟩ = (s·z)² + (e·z)² ≥ 0, so 0 is a Minty solution, of
    an operator that is neither monotone nor Lipschitz on R^n. There are other zeros, s·z = e·z = 0.

    On the box ‖z‖∞ ≤ 1 |s| ≤ |A|√n, |e| ≤ e|B|√n in Frobenius norms, which bounds the Jacobian.

    Raises OpcheckError for n < 2.
    """
    n = whole(n, "n", 2)
    generator = np.random.default_rng(seed)
    data = generator.integers(-2, 3, (2, n, n)).astype(float)
    facts = (
        exact(WeakMinty(0), "a bound: on ‖z‖∞ ≤ 1 the constant is positive"),
        exact(
            Lipschitz("3*n*(A2 + B2*exp(2))"),
            "a bound: n(2r + 1)(|A|² + |B|² exp 2r) for the half-width r = 1",
            local=True,
        ),
    )
    squares = {"A2": float(np.sum(data[0] ** 2)), "B2": float(np.sum(data[1] ** 2))}
    return Problem(
        Operator(sine_and_exponential, data.ravel(), n, "F of sines and exponentials"),
        start=np.full(n, 0.5),
        solution=np.zeros(n),
        facts=facts,
        region=Region(1.0),
        parameters=squares,
    )


def quartic(z, out, data):
    """Data: q2, q4."""
    a, b, c, d = z[0], z[1], z[2], z[3]
    x = 2 * data[1] * (a * a + a * b + b * b)
    y = data[1] * (c * c + d * d)
    out[0] = data[0] * a + x * (2 * a + b) + c + 2 * d
    out[1] = x * (a + 2 * b) - c + d
    out[2] = y * c - a + b
    out[3] = data[0] * d + y * d - 2 * a - b


@problem_family(
    "quad_quartic",
    facts=[
        exact(Monotone()),
        exact(
            Lipschitz("q2 + 54*q4*radius**2 + sqrt((7 + sqrt(13))/2)"),
            "a bound: the blocks have norm q2 + 3 q4 |A₄|²|x|² and |C|",
            local=True,
        ),
    ],
    presets=[{"q2": 0.0}, {"q4": 0.25}],
    start=(0.5, 0.25, -0.25, 0.5),
    solution=(0.0, 0.0, 0.0, 0.0),
)
def quad_quartic(q2: float = 1.0, q4: float = 1.0, radius: float = 1.0) -> Problem:
    """min max q2(x₀² − y₁²)/2 + q4((xᵀA₄x)² − |y|⁴)/4 + xᵀCy, A₄ = [[2, 1], [1, 2]],
    C = [[1, 2], [−1, 1]] (the form of Hsieh et al. 2020): monotone and, for q4 > 0, not Lipschitz.

    ``radius`` is the half-width of the box on which L is stated.

    Raises OpcheckError for q2 < 0, q4 ≤ 0 or a radius that is not positive.
    """
    require(q2 >= 0, f"q2 = {q2} must not be negative")
    positive(q4, "q4")
    positive(radius, "radius")
    operator = Operator(quartic, np.array([q2, q4]), 4, "F of a quadratic-quartic saddle")
    return Problem(operator, region=Region(radius))
