"""One kernel text, four readings: float64, exact rationals, balls, coefficients.

The methods come from the registry, so a new one is held to the same.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from executed import executed
from flint import arb, ctx, fmpq
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine.coefficients import Trace, memory, trace, walk
from opcheck.engine.forms import Coefficient
from opcheck.engine.interpret import Balls, Oracle, Rationals, Reading, run_exactly
from opcheck.engine.intervals import enclosure
from opcheck.engine.jit import visible
from opcheck.engine.numbers import Ball, ball_arithmetic, literal, precision, rational
from opcheck.engine.ratio import Field
from opcheck.engine.run import Take, run, run_batch, take
from opcheck.engine.steps import Steps, from_the_start
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.certificates.certificate import certify
from opcheck.evidence.lyapunov import lyapunov
from opcheck.evidence.proofs.prove import prove
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.worst_case import worst
from opcheck.model.measure import Measure
from opcheck.model.method import Method, Over, resolve
from opcheck.model.operator import NO_CONSTRAINT, linear, operator
from opcheck.model.primitives import (
    SOLUTION,
    WORK,
    WORK_2,
    axpy,
    combine,
    dot,
    middle,
    norm2,
    slack,
    subtract,
    within,
)
from opcheck.model.problem import Problem
from opcheck.model.symbolic import field, gradient
from opcheck.model.text import FUNCTIONS, text
from opcheck_problems.sets import box, l1

Vector = NDArray[np.float64]
UNIT = 2.0**-53
N = 24

# ---- the methods, the operator -------------------------------------------------------------------

BASES = ("extragradient", "rapp")


def methods() -> list[Method]:
    """Every registered method; those over another one over two bases."""
    found: list[Method] = []
    for name in registry.names("methods"):
        entry = registry.get("methods", name)
        bases = [entry(resolve(b)) for b in BASES] if isinstance(entry, Over) else [entry]
        found += bases
    return found


METHODS = methods()
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
every_constrained = pytest.mark.parametrize(
    "method", [m for m in METHODS if m.constrained], ids=lambda m: m.name
)
CHOSEN = {"gamma": 0.25, "alpha": 0.5, "lam": 0.375, "rho": -0.0625, "phi": 1.5}
ANCHORING = [0.125, 0.25, 0.0625]  # a pull that lets a run move


def values_of(method: Method) -> dict[str, Any]:
    """Parameters that floats hold exactly."""

    def value(name: str, integer: bool, sequence: bool) -> Any:
        if sequence:
            few = [2, 1, 3] if integer else ANCHORING if name == "beta" else [0.5, 0.25, 0.75]
            return [*few, *few[-1:] * 32]
        return 3 if integer else CHOSEN.get(name, 0.25)

    return {p.name: value(p.symbol, p.integer, p.sequence) for p in method.parameters}


# symmetric part diag(1/3, 1/4, 1/2), norm below 3/4, and I − M nonexpansive
ENTRIES = [["1/3", "1/5", "0"], ["-1/5", "1/4", "1/7"], ["0", "-1/7", "1/2"]]
OFFSET = ["1", "-1/3", "1/2"]
EXACT = [[Fraction(v) for v in row] for row in ENTRIES]
MATRIX = np.array(EXACT, dtype=float)
OFFSET_FLOAT = np.array([Fraction(v) for v in OFFSET], dtype=float)
START = np.array([1.0, -2.0, 0.5])
ZERO = np.linalg.solve(MATRIX, -OFFSET_FLOAT)
PLAIN = Problem(linear(ENTRIES, OFFSET), name="plain", start=START, solution=ZERO)
LIMITS = (np.full(3, -0.75), np.array([0.5, 1.5, 0.25]))
CLIPPED = START
for _ in range(500):
    CLIPPED = np.clip(CLIPPED - 0.5 * (MATRIX @ CLIPPED + OFFSET_FLOAT), *LIMITS)
BOXED = dataclasses.replace(PLAIN, name="boxed", resolvent=box(*LIMITS), solution=CLIPPED)
TAKES = [
    take(name)
    for name in ("norm2", "residual", "natural_residual", "distance", "operator_distance")
] + [take("max_norm")]


def solves(method: Method) -> bool:
    """Whether the method takes the resolvent of the whole sum, or only of F alone."""
    names = {name for f in visible(method.kernel) for name in f.__code__.co_names}
    return "resolvent_of_sum" in names and "identity" not in names


def exactly(reading: Reading, problem: Problem, method: Method, n: int, takes: Any = ()) -> Any:
    kernels = [(t.measure.kernel, *t.indices(method)) for t in takes]
    return run_exactly(reading, problem, method, values_of(method), range(n + 1), kernels)


def rounding(method: Method, size: float, k: int) -> float:
    """What k steps of float64 may be off: no step amplifies what earlier ones did.

    An application of F, with the entries of F, and the vector operation after it make 2d + 4
    roundings a coordinate, of numbers up to twice ``size``. A step has at most 4 applications
    (RAPP's 3 and one to close a loop); a proximal step ends with an error of 1e-15, 9 units.
    """
    return UNIT * (k + 1) * 4 * (2 * len(START) + 4) * 2 * size


def compare_with_float(method: Method, problem: Problem) -> None:
    exact = exactly(Rationals(), problem, method, N, TAKES)
    batch = run_batch(problem, method, [values_of(method)], range(N + 1), TAKES, path=True)
    size = max(1.0, float(np.abs(batch.path).max()))
    z = np.array([float(v) for v in exact.z])
    assert all(isinstance(v, fmpq) for v in exact.z)
    np.testing.assert_allclose(batch.state[0, 0], z, rtol=0, atol=rounding(method, size, N))
    for j, one in enumerate(TAKES):
        assert all(isinstance(v, fmpq) for v in exact.record[j])
        ours, theirs = batch.record[0, j], np.array([float(v) for v in exact.record[j]])
        root = 1 if one.measure.name == "max_norm" else 2
        for k in range(N + 1):
            # the measure is a norm, or its square, of what is off by so much
            off = 4 * rounding(method, size, k)
            assert abs(ours[k] ** (1 / root) - theirs[k] ** (1 / root)) <= off, (one, k)


# ---- rationals -----------------------------------------------------------------------------------


@every_method
def test_float64_equals_the_exact_run_up_to_rounding(method: Method) -> None:
    compare_with_float(method, PLAIN)


@every_constrained
def test_float64_equals_the_exact_run_in_a_box(method: Method) -> None:
    """The projection is exact; a resolvent of the sum has no exact form, and says so."""
    if solves(method):
        with pytest.raises(OpcheckError, match="no exact resolvent"):
            exactly(Rationals(), BOXED, method, 3)
    else:
        compare_with_float(method, BOXED)
        free = exactly(Rationals(), PLAIN, method, N).z
        assert (exactly(Rationals(), BOXED, method, N).z != free).any()  # the box matters


def test_the_exact_run_is_exact() -> None:
    """Extragradient by hand in Fractions: equality, not closeness."""
    z = [Fraction(v) for v in START]
    q, gamma = [Fraction(v) for v in OFFSET], Fraction(1, 4)

    def F(v: list[Fraction]) -> list[Fraction]:
        return [
            sum((a * x for a, x in zip(row, v, strict=True)), b)
            for row, b in zip(EXACT, q, strict=True)
        ]

    for _ in range(5):
        zbar = [x - gamma * f for x, f in zip(z, F(z), strict=True)]
        z = [x - gamma * f for x, f in zip(z, F(zbar), strict=True)]
    ours = exactly(Rationals(), PLAIN, resolve("extragradient"), 5).z
    assert [Fraction(int(v.p), int(v.q)) for v in ours] == z


def test_the_index_of_a_step_is_exact() -> None:
    """Halpern's weights 1/(k + 2) on F = 0: the mean of equal points is the point."""
    still = Problem(linear([[0, 0], [0, 0]]), name="still", start=np.array([1.0, 3.0]))
    ours = exactly(Rationals(), still, resolve("halpern"), 30).z
    assert ours.tolist() == [fmpq(1), fmpq(3)]


# ---- balls ---------------------------------------------------------------------------------------


def as_fraction(value: arb) -> Fraction:
    """The exact value of a midpoint or radius."""
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def exact_of(value: fmpq | int | Fraction) -> Fraction:
    return Fraction(int(value.p), int(value.q)) if isinstance(value, fmpq) else Fraction(value)


def ends(ball: Ball | fmpq | int) -> tuple[Fraction, Fraction]:
    if not isinstance(ball, Ball):
        return exact_of(ball), exact_of(ball)
    middle, radius = as_fraction(ball.ball.mid()), as_fraction(ball.ball.rad())
    return middle - radius, middle + radius


def encloses(ball: Ball | fmpq | int, value: fmpq | int | Fraction) -> bool:
    """In exact arithmetic, since a conversion at the working precision would round.

    A ball that is not finite encloses everything.
    """
    if isinstance(ball, Ball) and not ball.ball.is_finite():
        return True
    low, high = ends(ball)
    return low <= exact_of(value) <= high


def width(ball: Ball | fmpq | int) -> Fraction:
    low, high = ends(ball)
    return high - low


EXACT_RUNS = [(m, PLAIN) for m in METHODS]
EXACT_RUNS += [(m, BOXED) for m in METHODS if m.constrained and not solves(m)]


@pytest.mark.parametrize(
    ("method", "problem"), EXACT_RUNS, ids=[f"{m.name}, {p.name}" for m, p in EXACT_RUNS]
)
def test_balls_enclose_the_exact_run(method: Method, problem: Problem) -> None:
    takes = TAKES[:-1]  # the largest coordinate is a comparison, which balls may leave open
    exact = exactly(Rationals(), problem, method, N, takes)
    with precision(256):
        enclosed = exactly(Balls(), problem, method, N, takes)
    balls = [*enclosed.z, *enclosed.record.ravel()]
    for ball, value in zip(balls, [*exact.z, *exact.record.ravel()], strict=True):
        assert encloses(ball, value)
        assert width(ball) < Fraction(1, 10**30)
    assert ctx.prec == 53


@pytest.mark.parametrize("method", [m for m in METHODS if solves(m)], ids=lambda m: m.name)
def test_balls_enclose_a_proximal_run_in_a_box(method: Method) -> None:
    """Picard's iteration with the radius q/(1 − q); refused without a Lipschitz constant."""
    with precision(200):
        with pytest.raises(Undecided, match="without a Lipschitz constant"):
            exactly(Balls(), BOXED, method, 3)
        reading = Balls()
        reading.lipschitz = Ball(fmpq(3, 4))
        enclosed = exactly(reading, BOXED, method, 6).z
        finer = Balls()
        finer.lipschitz = Ball(fmpq(3, 4))
        with precision(400):
            true = exactly(finer, BOXED, method, 6).z
    z = run(method.name, BOXED, 6, **values_of(method)).z
    for ball, better, ours in zip(enclosed, true, z, strict=True):
        assert width(ball) < Fraction(1, 10**30)
        assert width(better) < Fraction(1, 10**60)
        assert encloses(ball, sum(ends(better)) / 2)
        assert abs(ours - float(ends(ball)[0])) < 1e-14


@pytest.mark.parametrize("radius", [Fraction(0), Fraction(1, 1000)])
@pytest.mark.parametrize("bits", [24, 53, 120])
def test_an_inner_loop_enclosed_by_its_contraction(radius: Fraction, bits: int) -> None:
    """F = −(9/10) z with γ = 1 and a box that is out of the way: J_S z = 10 z.

    The radius grows by 1/(1 − q) = 10 exactly, and so does whatever was rounded.
    """
    F, far = linear([["-9/10"]]), box([-100.0], [100.0])
    with precision(bits):
        reading = Balls()
        reading.lipschitz = Ball(fmpq(9, 10))
        z, out = np.empty(1, dtype=object), np.empty(1, dtype=object)
        third = Fraction(1, 3)
        z[0] = ball_of((third, radius, third))
        low, high = (10 * end for end in ends(z[0]))
        data = F.data_in(reading.arithmetic, reading.number)
        J_data = reading.vector(far.data.tolist())
        reading.resolvent_of_sum(
            Oracle(reading, F), data, reading.resolvent(far), J_data, z, Ball(1), out
        )
    assert ends(out[0])[0] <= low <= high <= ends(out[0])[1]
    assert width(out[0]) <= 20 * radius * Fraction(101, 100) + Fraction(1, 2 ** (bits - 10))


def test_a_factor_of_the_inner_loop_that_is_not_below_one_is_undecided() -> None:
    with precision(100):
        reading = Balls()
        reading.lipschitz = Ball(4)
        with pytest.raises(Undecided, match="does not contract"):
            exactly(reading, BOXED, resolve("proximal_point"), 1)


def test_a_ball_run_starts_from_decimal_entries_as_written() -> None:
    """0.1 as text is a tenth, as a float it is not: the two runs differ, and not by rounding."""
    written = Problem(linear([["0.1"]]), name="written", start=np.ones(1))
    rounded = Problem(linear([[0.1]]), name="rounded", start=np.ones(1))
    method = resolve("krasnoselskii_mann")
    for problem, value in ((written, Fraction(1, 10)), (rounded, Fraction(0.1))):
        with precision(200):
            ours = run_exactly(Balls(), problem, method, {"a": 1.0}, [0, 1], []).z[0]
        assert encloses(ours, 1 - value)
        assert width(ours) < Fraction(1, 10**40)


RATIONAL = st.fractions(min_value=-1000, max_value=1000, max_denominator=10**6)
RADIUS = st.sampled_from([0, Fraction(1, 2**80), Fraction(1, 1000), 1, 50]).map(Fraction)
PLACE = st.fractions(min_value=-1, max_value=1, max_denominator=64)
BITS = st.sampled_from([2, 24, 53, 200])


@st.composite
def enclosed(draw: st.DrawFn, low: int = -1000) -> tuple[Fraction, Fraction, Fraction]:
    """A midpoint, a radius, and a point in between."""
    middle, radius = draw(st.fractions(low, 1000, max_denominator=10**6)), draw(RADIUS)
    return middle, radius, middle + draw(PLACE) * radius


def ball_of(one: tuple[Fraction, Fraction, Fraction]) -> Ball:
    middle, radius, inside = one
    made = Ball(fmpq(middle.numerator, middle.denominator))
    if radius:
        around = arb(0, 1) * Ball(fmpq(radius.numerator, radius.denominator)).ball
        made = Ball(made.ball + around)
    assert encloses(made, inside)
    return made


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "polynomial": lambda x, y: x * x - 2 * x * y + y * y * y - 7,
    "quotient": lambda x, y: (x - y) / (1 + x * x + y * y),
    "abs": lambda x, y: abs(x - y),
}


@pytest.mark.parametrize("operation", ARITHMETIC.values(), ids=ARITHMETIC.keys())
@given(x=enclosed(), y=enclosed(), bits=BITS)
@settings(max_examples=40, deadline=None)
@pytest.mark.sampled(3)
def test_arithmetic_on_balls_encloses(
    operation: Callable[[Any, Any], Any], x: Any, y: Any, bits: int
) -> None:
    """Also a rational with a ball."""
    with precision(bits):
        divisor = ball_of(y)
        assume(operation is not ARITHMETIC["/"] or not divisor.ball.contains(0))
        value = operation(x[2], y[2])
        found = operation(ball_of(x), divisor)
        assert encloses(found, value)
        exact = fmpq(x[2].numerator, x[2].denominator)
        assert encloses(operation(exact, Ball(fmpq(y[2].numerator, y[2].denominator))), value)
    if bits == 200 and x[1] == y[1] == 0:
        assert width(found) <= (1 + abs(value) + 10**10) * Fraction(1, 2**150)


@given(x=enclosed(), power=st.integers(-5, 9), bits=BITS)
@settings(max_examples=80, deadline=None)
def test_powers_of_balls_enclose(x: Any, power: int, bits: int) -> None:
    with precision(bits):
        ball = ball_of(x)
        for kind in (int, np.int64, fmpq):
            found = ball ** kind(power)
            if power < 0 and ball.ball.contains(0):
                assert not found.ball.is_finite()
            else:
                assert encloses(found, x[2] ** power)
                assert power < 0 or found.ball.is_finite()


@pytest.mark.parametrize("zero", [0, arb(0, 1), arb(0.25, 1)])
def test_powers_at_zero_are_numbers(zero: Any) -> None:
    """arb's own power goes through a logarithm and is NaN there."""
    for power in range(8):
        found = Ball(zero) ** power
        assert encloses(found, 0**power)
        assert width(found) <= 4 * 2**power
    assert ends(Ball(0) ** 0) == (1, 1)


@given(x=enclosed(low=0), bits=BITS)
@settings(max_examples=80, deadline=None)
def test_roots_of_balls_enclose(x: Any, bits: int) -> None:
    """By exact squares. A ball around zero is cut there, and its root is no NaN."""
    assume(x[2] >= 0)
    with precision(bits):
        low, high = ends(ball_of(x).sqrt())
    assert low <= 0 or low**2 <= x[2]
    assert high >= 0
    assert high**2 >= x[2]


@given(x=enclosed(), error=enclosed(), bits=BITS)
@settings(max_examples=80, deadline=None)
def test_a_widened_ball_holds_what_is_near(x: Any, error: Any, bits: int) -> None:
    """Also of an error that is a ball around 0; the midpoint is one exact point of the ball."""
    with precision(bits):
        ball = ball_of(x)
        found = within(ball, ball_of(error))
        for shift in (-error[2], 0, error[2]):
            assert encloses(found, x[2] + shift)
        low, high = ends(middle(ball))
        assert low == high
        assert encloses(ball, low)


def test_only_balls_and_floats_have_a_middle() -> None:
    assert middle(0.1) == 0.1
    assert within(0.1, 1.0) == 0.1
    with pytest.raises(OpcheckError, match="no value in exact rationals"):
        middle(fmpq(1, 3))


def test_rounding_leaves_nothing_in_exact_readings() -> None:
    assert 0 < slack(2.0) < 1e-14
    assert slack(Ball(2)) == slack(fmpq(2)) == 0


@pytest.mark.parametrize("radius", [2.0**-60, 0.5, 3.0])
@pytest.mark.parametrize("bits", [2, 53, 300])
def test_the_root_of_a_ball_around_zero(radius: float, bits: int) -> None:
    with precision(bits):
        low, high = ends(Ball(arb(0, radius)).sqrt())
    assert -high / 2**20 <= low <= 0  # up to the rounding of a radius
    assert high**2 >= Fraction(radius)
    assert high**2 <= Fraction(radius) * (5 if bits == 2 else Fraction(1001, 1000))


def test_the_root_of_a_negative_ball_decides_nothing() -> None:
    root = Ball(-2).sqrt()
    for compare in (lambda: root < 1, lambda: root >= 1, lambda: root == 1):
        with pytest.raises(Undecided):
            compare()


ELEMENTARY = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tanh": mpmath.tanh,
    "arctan": mpmath.atan,
}


@pytest.mark.parametrize("name", ELEMENTARY)
@given(data=st.data(), bits=BITS)
@settings(max_examples=40, deadline=None)
@pytest.mark.sampled(3)
def test_elementary_functions_of_balls_enclose(name: str, data: st.DataObject, bits: int) -> None:
    """By the method, and as np.exp and friends call it in a kernel."""
    x = data.draw(enclosed(low=1 if name == "log" else -1000))
    assume(name != "log" or x[0] - x[1] > 0)
    assume(name != "exp" or x[2] < 200)
    with precision(bits):
        ball = ball_of(x)
        assume(name != "log" or ball.ball > 0)
        found, again = getattr(ball, name)(), getattr(np, name)(ball)
    with mpmath.workprec(600):
        value = ELEMENTARY[name](mpmath.mpf(x[2].numerator) / x[2].denominator)
        mantissa, exponent = mpmath.frexp(value)
        true = Fraction(int(mpmath.ldexp(mantissa, 590))) * Fraction(2) ** (int(exponent) - 590)
    slack = (1 + abs(true)) * Fraction(1, 2**560)  # of the reference
    for one in (found, again):
        assert encloses(one, true + slack) or encloses(one, true - slack) or encloses(one, true)
    if bits == 200 and x[1] == 0:
        assert width(found) <= (1 + abs(true)) * Fraction(1, 2**180)


def test_a_generated_operator_on_balls_encloses_it_at_high_precision() -> None:
    """Every function a formula may hold, the data as exact rationals."""
    formulas = ["exp(-x) + 0.3*log(2 + y**2)", "sin(x)*cos(a*y) + tanh(x*y)/7 - sqrt(1 + x**2)"]
    F = field([*formulas], "x y", a=0.7)
    point = [Fraction(1, 3), Fraction(-5, 7)]
    with precision(300):
        z = Balls().vector([fmpq(v.numerator, v.denominator) for v in point])
        out = np.empty(2, dtype=object)
        data = F.data_in(ball_arithmetic(), rational)
        F.kernel(z, out, data)
    with mpmath.workprec(600):
        x, y = (mpmath.mpf(v.numerator) / v.denominator for v in point)
        a = mpmath.mpf(0.7)
        first = mpmath.exp(-x) + mpmath.log(2 + y**2) * 3 / 10
        second = mpmath.sin(x) * mpmath.cos(a * y) + mpmath.tanh(x * y) / 7 - mpmath.sqrt(1 + x**2)
        for ball, true in zip(out, (first, second), strict=True):
            low, high = (mpmath.mpf(e.numerator) / e.denominator for e in ends(ball))
            assert low - mpmath.mpf(2) ** -500 <= true <= high + mpmath.mpf(2) ** -500
            assert high - low < mpmath.mpf(2) ** -280


# ---- coefficients --------------------------------------------------------------------------------


def replayed(
    found: Trace, F: Callable[[Vector], Vector], resolvents: dict[str, Any], z0: Vector
) -> Vector:
    """The iterates of a trace when its basis vectors are what the oracles return."""
    basis = np.zeros((len(found.basis), len(z0)))
    basis[0] = z0

    def at(vector: Any) -> Vector:
        return np.array([float(c) for c in vector]) @ basis

    filled = 1
    for call in found.evaluations:
        # the new vector has no part in where F was called, but is part of p = before − γ a
        before, gamma = at(call.point), -float(call.point[filled])
        if gamma == 0:
            assert call.of == "F"
            basis[filled] = F(before)
        else:
            p = resolvents[call.of](before, gamma)
            basis[filled] = (before - p) / gamma
        assert [float(c) for c in call.value] == [float(i == filled) for i in range(len(basis))]
        filled += 1
    assert filled == len(basis)
    return np.array([at(point) for point in found.iterates])


TRACES = [(m, False) for m in METHODS] + [(m, True) for m in METHODS if m.constrained]


@pytest.mark.parametrize(
    ("method", "constrained"), TRACES, ids=[m.name + ", A" * c for m, c in TRACES]
)
def test_coefficients_rebuild_the_float_run(method: Method, constrained: bool) -> None:
    """On a nonlinear operator: coefficients assume nothing of F and A."""
    # L < 1: a resolvent of the sum by Picard's iteration
    F = field(["0.3*x + 0.4*sin(y)", "-0.4*x + 0.2*tanh(y) - 0.1", "0.5*w + 0.1*cos(x)"], "x y w")
    limits = l1(0.2) if constrained else NO_CONSTRAINT  # a J that depends on γ
    where = Problem(F, limits, name="nonlinear", start=START)

    def J(z: Vector, gamma: float) -> Vector:
        return limits(z, gamma) if constrained else z

    def picard(z: Vector, gamma: float, J: Any = J) -> Vector:
        w = z
        for _ in range(80):
            w = J(z - gamma * F(w), gamma)
        return w

    def of_f(z: Vector, gamma: float) -> Vector:
        return picard(z, gamma, lambda w, _: w)

    values = values_of(method)
    found = trace(method, values, 7, A="monotone" if constrained else "zero")
    ours = run(method.name, where, 7, iterates=True, **values).iterates
    theirs = replayed(found, F, {"A": J, "S": picard, "F": of_f}, START)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-12)
    assert np.abs(ours[-1] - ours[0]).max() > 0.1
    kinds = {e.of for e in found.evaluations}
    alone = method.name == "douglas_rachford" and not constrained  # F is S then
    whole = solves(method) or alone
    assert kinds == ({"S"} if whole else {"F", "A"} if constrained else {"F"})


@pytest.mark.parametrize(
    ("name", "count"),
    [("extragradient", 10), ("past_extragradient", 5), ("halpern", 5), ("eg_plus", 10)],
)
def test_an_oracle_is_asked_once_a_point(name: str, count: int) -> None:
    assert len(trace(resolve(name), values_of(resolve(name)), 5).evaluations) == count


def test_a_point_seen_before_returns_the_vector_it_returned_then() -> None:
    """The last look-ahead point of RAPP with λ = 1 and τ = 1 is the next point itself."""
    method = resolve("inner_loop")
    found = trace(method, {"gamma": 0.5}, 3)
    assert found.iterates[2] == (fmpq(1), fmpq(0), fmpq(-1, 2), fmpq(0))
    still = trace(resolve("krasnoselskii_mann"), {"a": 0.0}, 4)
    assert len(still.evaluations) == 1
    assert set(still.iterates) == {(fmpq(1), fmpq(0))}


# ---- what must raise -----------------------------------------------------------------------------

APART, OVERLAPPING = (Ball(1), Ball(2)), (Ball(arb(0, 1)), Ball(arb(0.5, 1)))
ONE, OTHER_AXIS = Coefficient({0: fmpq(1)}), Coefficient({0: fmpq(1)}, 1)
INEXACT: dict[str, Callable[[], Any]] = {
    "float in a ball": lambda: Ball(0.5),
    "ball + float": lambda: Ball(1) + 0.5,
    "float * ball": lambda: 0.5 * Ball(1),
    "numpy float * ball": lambda: np.float64(0.5) * Ball(1),
    "ball - numpy float": lambda: Ball(1) - np.float64(0.5),
    "ball / float": lambda: Ball(1) / 0.5,
    "float / ball": lambda: 0.5 / Ball(1),
    "ball < float": lambda: Ball(1) < 0.5,
    "ball == float": lambda: Ball(1) == 0.5,
    "Fraction in a ball": lambda: Ball(Fraction(1, 3)),
    "complex": lambda: Ball(1) + 1j,
    "float(ball)": lambda: float(Ball(1)),
    "math.exp(ball)": lambda: math.exp(Ball(1)),
    "array of floats from balls": lambda: np.array([Ball(1), Ball(2)], dtype=float),
    "int(ball)": lambda: int(Ball(arb(1, 0.25))),
    "hash(ball)": lambda: {Ball(1): 1},
    "ball ** 1/2": lambda: Ball(2) ** fmpq(1, 2),
    "ball ** 0.5": lambda: Ball(2) ** 0.5,
    "ball ** ball": lambda: Ball(2) ** Ball(2),
    "2 ** ball": lambda: 2 ** Ball(2),
    "ball % 2": lambda: Ball(2) % 2,
    "rational + float": lambda: fmpq(1, 3) + 0.5,
    "float * rational": lambda: np.float64(0.5) * fmpq(1, 3),
    "Fraction in a rational": lambda: Rationals().number(Fraction(1, 3)),
    "text in a rational": lambda: Rationals().number("1/3"),
    "rational * Fraction": lambda: fmpq(1, 3) * Fraction(1, 3),
    "root of a rational": lambda: np.exp(fmpq(1, 3)),
    "rational ** 1/2": lambda: ball_arithmetic().power(fmpq(2), 0.5),
    "product of three entries": lambda: ONE * ONE * ONE,
    "product of entries + entry": lambda: ONE * ONE + ONE,
    "product of entries + number": lambda: ONE * ONE + 1,
    "root of a product": lambda: np.sqrt(ONE * ONE),
    "products compared": lambda: ONE * ONE < ONE * ONE,
    "quotient of products": lambda: (ONE * ONE) / (ONE * ONE),
    "product of different coordinates": lambda: ONE * OTHER_AXIS,
    "sum of different coordinates": lambda: ONE + OTHER_AXIS,
    "quotient of entries": lambda: ONE / ONE,
    "inverse of an entry": lambda: 1 / ONE,
    "number + entry": lambda: 1 + ONE,
    "entry - number": lambda: ONE - fmpq(1, 2),
    "float * entry": lambda: 0.5 * ONE,
    "entry / float": lambda: ONE / 0.5,
    "entries compared": lambda: ONE < ONE,
    "entries equal": lambda: ONE == ONE,
    "larger entry": lambda: max(ONE, ONE),
    "abs of an entry": lambda: abs(ONE),
    "float of an entry": lambda: float(ONE),
    "truth of an entry": lambda: bool(ONE),
    "root of an entry": lambda: np.sqrt(ONE),
}
UNDECIDABLE: dict[str, Callable[[], Any]] = {
    "<": lambda: OVERLAPPING[0] < OVERLAPPING[1],
    "<=": lambda: OVERLAPPING[0] <= OVERLAPPING[1],
    ">": lambda: OVERLAPPING[0] > 0,
    ">=": lambda: OVERLAPPING[0] >= OVERLAPPING[1],
    "==": lambda: OVERLAPPING[0] == OVERLAPPING[0],
    "!=": lambda: OVERLAPPING[0] != 0,
    "max": lambda: max(*OVERLAPPING),
    "min": lambda: min(*OVERLAPPING),
    "np.maximum": lambda: np.maximum(*OVERLAPPING),
    "best": lambda: np.minimum.accumulate(np.array(OVERLAPPING, dtype=object)),
    "text max": lambda: text("max(a, b)").evaluate(
        {"a": OVERLAPPING[0], "b": OVERLAPPING[1]}, ball_arithmetic()
    ),
    "truth": lambda: bool(Ball(1)),
    "if": lambda: 1 if Ball(1) else 0,
    "ceil": lambda: Ball(arb(2, 0.25)).ceil(),
    "NaN": lambda: Ball(arb("nan")) < 1,
}


@pytest.mark.parametrize("use", INEXACT.values(), ids=INEXACT.keys())
def test_an_unsound_use_of_a_number_is_a_type_error(use: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        use()


@pytest.mark.parametrize("use", UNDECIDABLE.values(), ids=UNDECIDABLE.keys())
def test_what_a_ball_cannot_decide_it_does_not(use: Callable[[], Any]) -> None:
    with pytest.raises(Undecided):
        use()


def test_what_balls_can_decide_they_do() -> None:
    low, high = APART
    assert low < high
    assert low <= high
    assert high > low
    assert high >= low
    assert not high < low
    assert not low > high
    assert low != high
    assert low == 1
    assert max(low, high) is high
    assert np.minimum(low, high) is low
    assert Ball(arb(2.5, 0.25)).ceil() == 3
    assert int(Ball(3)) == 3


def adaptive(F, F_data, J, J_data, state, params, k, n):
    """A step of length ‖F z‖²."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        size = Fz[0] * Fz[0]
        for i in range(z.shape[0]):
            z[i] = z[i] - size * Fz[i]


def clipping(F, F_data, J, J_data, state, params, k, n):
    """A step that is cut at 1 a coordinate."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(z.shape[0]):
            z[i] = z[i] - max(-params[0], min(params[0], Fz[i]))


def normalised(F, F_data, J, J_data, state, params, k, n):
    """A step divided by the largest coordinate."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(z.shape[0]):
            z[i] = z[i] - Fz[i] / (1 + abs(Fz[0]))


def shifted(F, F_data, J, J_data, state, params, k, n):
    """A step that adds a number to a coordinate."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(z.shape[0]):
            z[i] = z[i] - Fz[i] + params[0]


@pytest.mark.parametrize("kernel", [adaptive, clipping, normalised, shifted])
def test_a_method_that_is_not_linear_in_its_points_has_no_coefficients(
    kernel: Callable[..., None],
) -> None:
    base = resolve("gradient_descent_ascent")
    method = dataclasses.replace(
        base, name="mine", kernel=kernel, constrained=False, reference=None
    )
    with pytest.raises(TypeError):
        trace(method, {"gamma": 1.0}, 1)


def halves(z, out, data):
    for i in range(z.shape[0]):
        out[i] = 0.5 * z[i]


@pytest.mark.parametrize("reading", [Rationals(), Balls()], ids=["rationals", "balls"])
def test_a_float_literal_in_a_kernel_is_refused_by_the_exact_readings(reading: Reading) -> None:
    where = Problem(operator(halves, 2), name="halves", start=np.ones(2))
    with pytest.raises(OpcheckError, match="in floats only"):
        run_exactly(reading, where, resolve("halpern"), {}, [0, 1], [])


def test_the_precision_is_restored_after_an_error() -> None:
    before = ctx.prec
    with pytest.raises(Undecided), precision(before + 1):
        bool(Ball(1))
    assert ctx.prec == before


# ---- texts ---------------------------------------------------------------------------------------

COUNT = 7
EXAMPLES = {
    "sqrt": "sqrt(a + k)",
    "exp": "exp(-a*k)",
    "log": "log(1 + a*k)",
    "sin": "sin(a + k)",
    "cos": "cos(a*k)",
    "atan": "atan(a - k)",
    "ceil": "ceil(a*k + a)",
    "floor": "floor(a*k + 1/5)",
    "abs": "abs(k - 5*a)",
    "max": "max(k, 5*a)",
    "min": "min(k, 5*a)",
    "mod": "mod(k, 3)",
    "where": "where(k <= 3, s, a)",
    "upto": "upto(s*a)",
    "before": "before(s)",
    "best": "best(s)",
    "first": "first(s)*k",
}
FORMULAS = {
    **EXAMPLES,
    "literal": "0.1*k + 1e-3 + 2.50E+2",
    "quotient": "1/3 + k/(k + 1) - a/7",
    "whole power": "(k/(k + 1))**k + s**3 - 2**(-3)",
    "broken power": "(1 + k)**(1/3) + s**a",
    "pi": "cos(pi/(k + 2))",
    "sign": "-a + +s",
}


def test_every_function_of_a_text_has_an_example() -> None:
    assert set(EXAMPLES) == set(FUNCTIONS)


@pytest.mark.parametrize("source", FORMULAS.values(), ids=FORMULAS.keys())
def test_texts_mean_the_same_on_balls_and_floats(source: str) -> None:
    """The float value lies within rounding of a ball whose radius is nothing."""
    s = [Fraction(v, 9) for v in (11, 7, 8, 3, 5, 2, 6)]
    floats = {
        "a": 3 / 7,
        "k": np.arange(float(COUNT)),
        "s": np.array([float(v) for v in s]),
    }
    k, balls = np.empty(COUNT, dtype=object), np.empty(COUNT, dtype=object)
    k[:] = range(COUNT)
    ours = np.broadcast_to(text(source).evaluate(floats), COUNT)
    with precision(160):
        balls[:] = [Ball(fmpq(v.numerator, v.denominator)) for v in s]
        exact = {"a": fmpq(3, 7), "k": k, "s": balls}
        theirs = np.broadcast_to(text(source).evaluate(exact, ball_arithmetic()), COUNT)
    for value, ball in zip(ours, theirs, strict=True):
        low, _ = ends(ball)
        assert width(ball) < Fraction(1, 10**40)
        assert abs(Fraction(float(value)) - low) <= 8 * UNIT * max(1, abs(low))


@pytest.mark.parametrize("source", ["0.1234567890123456789", "1e-300", "3.e2", "12_345.678_9"])
def test_a_literal_in_a_text_keeps_every_digit(source: str) -> None:
    value = text(f"2*{source}").evaluate({}, ball_arithmetic())
    assert exact_of(value) == 2 * Fraction(source)


@given(st.floats(1e-290, 1e290) | st.just(0.0))
def test_a_literal_is_the_decimal_it_shows(value: float) -> None:
    """Every float's shortest decimal, of which the float itself is only a rounding."""
    found = text(repr(value)).evaluate({}, ball_arithmetic())
    assert exact_of(found) == Fraction(repr(value))
    assert exact_of(literal(Fraction(repr(value)))) == Fraction(repr(value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_as_a_rational_is_its_binary_value(value: float) -> None:
    assert exact_of(rational(value)) == Fraction(value)
    assert exact_of(rational(np.float64(value))) == Fraction(value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_has_no_rational(value: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        rational(value)


# ---- what a proof may take for granted ----------------------------------------------------------


def descends_from_nowhere(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = z − γ(F z − F w), w = z − z."""
    z, w, Fz, Fw = state[0], state[1], state[2], state[3]
    for _ in range(n):
        subtract(w, z, z)
        F(z, Fz, F_data)
        F(w, Fw, F_data)
        subtract(Fz, Fz, Fw)
        axpy(z, z, -params[0], Fz)


def looks_ahead_from_nowhere(F, F_data, J, J_data, state, params, k, n):
    """Extragradient whose look-ahead forgets z."""
    z, zbar, Fz = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(z.shape[0]):
            zbar[i] = -params[0] * Fz[i]
        F(zbar, Fz, F_data)
        axpy(z, z, -params[0], Fz)


def pulls_to_a_row(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = β a + (1 − β)(z − γ F z), a the second row."""
    z, a, Fz = state[0], state[1], state[2]
    for _ in range(n):
        beta = 1 / (k + 2)
        F(z, Fz, F_data)
        axpy(z, z, -params[0], Fz)
        combine(z, beta, a, 1 - beta, z)
        k += 1


def shrinks(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = (1 − γ) z − γ F z."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        combine(z, 1 - params[0], z, -params[0], Fz)


def sums_up(F, F_data, J, J_data, state, params, k, n):
    """Gradient steps beside which the iterates are added up."""
    z, total, Fz = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -params[0], Fz)
        axpy(total, total, 1, z)


def two_variables(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = z − γ F z of a game of two variables."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(2):
            z[i] = z[i] - params[0] * Fz[i]


def one_variable(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = z − γ F z on the line, and half of it elsewhere."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -params[0] / (1 if z.shape[0] == 1 else 2), Fz)


def by_dimension(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = z − γ/d F z."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -params[0] / z.shape[0], Fz)


def three_at_most(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = z − γ F z of three coordinates."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(min(3, z.shape[0])):
            z[i] = z[i] - params[0] * Fz[i]


ORIGIN = {
    "descends_from_nowhere": (descends_from_nowhere, "z w Fz Fw", 2, "F is evaluated at .* to 0"),
    "looks_ahead_from_nowhere": (
        looks_ahead_from_nowhere,
        "z zbar Fz",
        2,
        "F is evaluated .* to 0",
    ),
    "anchored_at_zero": (
        pulls_to_a_row,
        "z a=0 Fz",
        1,
        "to 1 and after a step to 1/2|up to 1/2,",
    ),
    "shrinks": (shrinks, "z Fz", 1, "weights add up to"),
    "sums_up": (sums_up, "z total Fz", 1, "row total is a combination"),
}
DIMENSION = {
    "two_variables": (two_variables, "z Fz", 1, "every coordinate alike in every dimension"),
    "one_variable": (one_variable, "z Fz", 1, "every coordinate alike in every dimension"),
    "three_at_most": (three_at_most, "z Fz", 1, "computes with the dimension"),
    "by_dimension": (by_dimension, "z Fz", 1, "every coordinate alike in every dimension"),
}
NARROW = {**ORIGIN, **DIMENSION}


def own_method(name: str) -> Method:
    kernel, rows, calls, _ = NARROW[name]
    base = resolve("gradient_descent_ascent")
    words = rows.split()
    return dataclasses.replace(
        base,
        name=name,
        kernel=kernel,
        rows=tuple(w.removesuffix("=0") for w in words),
        zero=frozenset(w.removesuffix("=0") for w in words if w.endswith("=0")),
        calls=str(calls),
        constrained=False,
        reference=None,
    )


@pytest.mark.parametrize("name", NARROW)
def test_what_holds_for_one_origin_or_one_dimension_is_refused_by_every_reading(name: str) -> None:
    """F2 and F3: a trace, a step from any state, and a step that stands for all."""
    method, words = own_method(name), NARROW[name][3]
    values = {"gamma": fmpq(1, 4)}
    ring = Field(["gamma", "k"])
    index = ring.symbol("k")
    if name != "sums_up":  # a run from the start doesn't read its sum
        with pytest.raises(OpcheckError, match=words):
            trace(method, values, 3)
    with pytest.raises(OpcheckError, match=words):
        memory(method, values)
    with pytest.raises(OpcheckError, match=words):
        walk(method, values, (), 1)
    for start in (False, True):
        if not (start and name == "sums_up"):
            with pytest.raises(OpcheckError, match=words):
                Steps(
                    method,
                    ring,
                    ring.number(0) if start else index,
                    lambda n, _: ring.symbol(n),
                    before=0,
                    after=3,
                    A="zero",
                    start=start,
                )


@pytest.mark.parametrize("name", ["two_variables", "looks_ahead_from_nowhere", "by_dimension"])
def test_every_command_that_proves_refuses_it_alike(own_registry: None, name: str) -> None:
    """F2 and F3: prove, certify, worst, attack, lyapunov, in one sentence each."""
    registry.register("methods", name, own_method(name), "here")
    theorem = dataclasses.replace(
        registry.get("theorems", "elementary_gda_contraction"), name="narrow", method=name
    )
    words = f"{name}.*{NARROW[name][3]}"
    asked: list[Callable[[], Any]] = [
        lambda: prove(theorem),
        lambda: certify(theorem, 1),
        lambda: worst(theorem, 1),
        lambda: attack(theorem, 1),
        lambda: lyapunov(name, ["Lipschitz(1) of F", "StronglyMonotone(1/4) of F"], gamma="1/4"),
    ]
    for ask in asked:
        with pytest.raises(OpcheckError, match=words) as refused:
            ask()
        assert "\n" not in str(refused.value)


def mean_square(F, F_data, J, J_data, state, params, k):
    """‖F z‖²/d."""
    F(state[0], state[WORK], F_data)
    return norm2(state[WORK]) / state[0].shape[0]


def first_two(F, F_data, J, J_data, state, params, k):
    """The square of two coordinates of F z."""
    F(state[0], state[WORK], F_data)
    return state[WORK][0] * state[WORK][0] + state[WORK][1] * state[WORK][1]


def first_one(F, F_data, J, J_data, state, params, k):
    """The square of one coordinate of F z."""
    F(state[0], state[WORK], F_data)
    return state[WORK][0] * state[WORK][0]


def from_zero(F, F_data, J, J_data, state, params, k):
    """‖F(z/2)‖²."""
    for i in range(state[0].shape[0]):
        state[WORK][i] = state[0][i] / 2
    F(state[WORK], state[WORK_2], F_data)
    return norm2(state[WORK_2])


def expanded(F, F_data, J, J_data, state, params, k):
    """‖z − z*‖² as ‖z‖² − 2⟨z, z*⟩ + ‖z*‖², which no translation changes."""
    z, star = state[0], state[SOLUTION]
    return norm2(z) - 2 * dot(z, star) + norm2(star)


def to_the_origin(F, F_data, J, J_data, state, params, k):
    """‖z‖² − 2⟨z, z*⟩."""
    return norm2(state[0]) - 2 * dot(state[0], state[SOLUTION])


ALIKE = "every coordinate alike in every dimension"
MEASURES = [
    (mean_square, f"mean_square does not treat {ALIKE}"),
    (first_two, f"first_two does not treat {ALIKE}"),
    (from_zero, "F is evaluated at a combination whose weights add up to 1/2, not 1"),
    (to_the_origin, r"to_the_origin\(z\) depends on where the origin lies"),
]


def own_take(kernel: Callable[..., Any]) -> Take:
    return Take(Measure(name=kernel.__name__, kernel=kernel), ("z",))


def general_steps(method: str) -> Steps:
    ring = Field(["gamma", "k"])
    index = ring.symbol("k")
    values = lambda n, _: ring.symbol(n)  # noqa: E731
    return Steps(resolve(method), ring, index, values, before=0, after=2, A="zero", least=1)


@pytest.mark.parametrize(("kernel", "words"), MEASURES, ids=[m[0].__name__ for m in MEASURES])
def test_a_measure_of_one_origin_or_one_dimension_is_refused(
    kernel: Callable[..., Any], words: str
) -> None:
    """F2 and F3, wherever a measure is taken from; a run may hold what a statement leaves out."""
    method, use = resolve("extragradient"), own_take(kernel)
    with pytest.raises(OpcheckError, match=words):
        general_steps("extragradient").measured(use, 0)
    run = trace(method, {"gamma": fmpq(1, 4)}, 2, takes=[use])
    assert all(re.search(words, form.flaw) for form in run.record[0])


def test_a_measure_of_the_first_coordinate_is_refused() -> None:
    with pytest.raises(TypeError, match="coordinates are treated differently"):
        general_steps("extragradient").measured(own_take(first_one), 0)
    with pytest.raises(OpcheckError, match=ALIKE):
        trace(resolve("extragradient"), {"gamma": fmpq(1, 4)}, 2, takes=[own_take(first_one)])


def each(update: str, before: str = "") -> str:
    """A loop over coordinates, as the body of a step."""
    loop = f"for i in range(z.shape[0]):\n            {update}"
    return f"{before}\n        {loop}" if before else loop


def weighed(weight: str, before: str = "") -> str:
    return each(f"z[i] -= {weight}*params[0]*Fz[i]", before)


# beyond the third coordinate, dimension or step, or by a type, each does something else
HIDDEN = {
    "index": weighed("(1 + i*(i - 1)*(i - 2))"),
    "compared": each("z[i] -= params[0]*Fz[i] if i != 5 else 0*Fz[i]"),
    "taken": each("z[i] -= params[0]*Fz[min(i, 2)]"),
    "modulo": each("z[i] -= params[0]*Fz[i % 3]"),
    "power": weighed("0**(i//3)"),
    "slice": "z[:3] = z[:3] - params[0]*Fz[:3]",
    "part": "for i in range(3, z.shape[0]):\n            z[i] -= params[0]*Fz[i]",
    "numbered": "for i, v in enumerate(z):\n            z[i] = v - (i < 3)*params[0]*Fz[i]",
    "counted": each(
        "c += 1; z[i] -= (1 + (c - 1)*(c - 2)*(c - 3))*params[0]*Fz[i]", before="c = 0"
    ),
    "broken off": each(
        "c += 1\n            if c > 3:\n                break\n            z[i] -= params[0]*Fz[i]",
        before="c = 0",
    ),
    "large": weighed("1/max(z.shape[0], 3)"),
    "length": weighed("max(c, 3)", before="c = len(z)"),
    "listed": weighed("max(c, 3)", before="c = len([0 for i in range(z.shape[0])])"),
    "copied": weighed("max(c, 3)", before="c = np.array(z).shape[0]"),
    "summed": weighed("max(c, 3)", before="c = np.sum(np.ones_like(z))"),
    "ramp": "z[:] = z - params[0]*Fz*np.cumsum(np.ones_like(z))",
    "typed": weighed("c", before="c = 3 if z.dtype == np.float64 else 1"),
    "asked": weighed("c", before="c = 1 if isinstance(k, int) else 3"),
    "steps": weighed("c", before="c = 3 if n >= 100 else 1"),
}
IN_EVERY = {
    "loop": weighed("1"),
    "dimension": "d = z.size\n        for i in range(d):\n            z[i] -= params[0]*Fz[i]",
    "whole": "z[:] = z - params[0]*Fz",
    "in place": "z -= params[0]*Fz",
    "within": each("s = t/2; z[i] -= s*Fz[i]", before="t = 2*params[0]"),
    "helper": "axpy(z, z, -params[0], Fz)",
    "first apart": "z[0] -= params[0]*Fz[0]\n        for i in range(1, z.shape[0]):\n"
    "            z[i] -= params[0]*Fz[i]",
}


def gradient_steps(body: str) -> Method:
    text = f"""
def kernel(F, F_data, J, J_data, state, params, k, n):
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        {body}
"""
    scope: dict[str, Any] = {"axpy": axpy, "np": np, "__name__": "mine"}
    executed(text, scope)
    own = resolve("gradient_descent_ascent")
    return dataclasses.replace(own, kernel=scope["kernel"], constrained=False, reference=None)


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.sampled(4)
def test_what_is_seen_in_no_small_dimension_is_refused(name: str) -> None:
    """F3: dimensions 1, 2 and 3 stand for all, so a text may tell none of them apart."""
    method = gradient_steps(HIDDEN[name])
    with pytest.raises((OpcheckError, TypeError)):
        trace(method, {"gamma": fmpq(1, 4)}, 2)
    with pytest.raises((OpcheckError, TypeError)):
        walk(method, {"gamma": fmpq(1, 4)}, (), 1)


@pytest.mark.parametrize("name", IN_EVERY)
def test_plain_loops_are_read_in_every_dimension(name: str) -> None:
    mine = trace(gradient_steps(IN_EVERY[name]), {"gamma": fmpq(1, 4)}, 2)
    theirs = trace(resolve("gradient_descent_ascent"), {"gamma": fmpq(1, 4)}, 2)
    assert mine.iterates == theirs.iterates


def test_a_measure_that_moves_with_the_solution_is_the_same_however_it_is_written() -> None:
    steps = general_steps("extragradient")
    assert steps.measured(own_take(expanded), 1) == steps.measured(take("distance"), 1)


@every_method
def test_the_rows_of_a_library_method_are_points_or_values(method: Method) -> None:
    """By what a run from the start makes of them, for all parameters at once."""
    for A in ("zero", "monotone") if method.constrained else ("zero",):
        weights = from_the_start(method, A).weights
        assert weights[1] == weights[2] == weights[3]
        values = [n for n, w in zip(method.rows, weights[1], strict=True) if w == 0]
        assert all(w in (0, 1) for w in weights[1])
        assert values == [n for n in method.rows if n in VALUES[method.name == REFLECTED]]


REFLECTED = "forward_reflected_backward"
VALUES = {False: {"Fz", "Fzbar", "Fzhalf", "Fy", "Fw", "g", "v", "re", "im"}, True: {"Fz", "past"}}


def late(F, F_data, J, J_data, state, params, k, n):
    """Gradient steps that turn round at k = 1000."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0] if k < 1000 else params[0], state[1])
        k += 1


def once(F, F_data, J, J_data, state, params, k, n):
    """Gradient steps but for one."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], params[0] if k == 7 else -params[0], state[1])
        k += 1


@pytest.mark.parametrize("kernel", [late, once])
def test_a_step_that_is_another_later_is_not_every_step(kernel: Callable[..., None]) -> None:
    """F14: no few k are looked at, but all at once."""
    base = dataclasses.replace(resolve("gradient_descent_ascent"), constrained=False)
    assert memory(base, {"gamma": fmpq(1, 4)}) == ()
    assert (
        memory(dataclasses.replace(base, kernel=kernel, reference=None), {"gamma": fmpq(1, 4)})
        is None
    )


def test_weights_that_move_later_are_not_every_step() -> None:
    method = resolve("krasnoselskii_mann")
    assert memory(method, {"a": fmpq(1, 2)}) == ()
    assert memory(method, {"a": [fmpq(1, 2)] * 9}) == ()
    moving = {"a": [fmpq(1, 2)] * 9 + [fmpq(1, 4)]}
    assert memory(method, moving) is None
    assert memory(method, moving, first=9) == ()


FORMULAS = {
    "sqrt(3)*x**2/2": lambda x: mpmath.sqrt(3) * x,
    "2**0.5*cos(x)": lambda x: -mpmath.sqrt(2) * mpmath.sin(x),
    "log(2)*x + pi*x**2": lambda x: mpmath.log(2) + 2 * mpmath.pi * x,
    "exp(1)*x**4/4": lambda x: mpmath.e * x**3,
    "tanh(2)*atan(3)*x": lambda x: mpmath.tanh(2) * mpmath.atan(3),
    "3**(1/3)*x**2/sqrt(7)": lambda x: 2 * mpmath.cbrt(3) * x / mpmath.sqrt(7),
    "2**x": lambda x: mpmath.log(2) * 2**x,
    "(2**53 + 1)*x": lambda x: mpmath.mpf(2**53 + 1),
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_an_irrational_constant_is_enclosed_by_intervals_and_balls(formula: str) -> None:
    F, at = gradient(formula), 0.3
    with mpmath.workdps(60):
        true = FORMULAS[formula](mpmath.mpf(at))
        below, above = (mpmath.mpf(float(e[0, 0])) for e in enclosure(F, *np.full((2, 1, 1), at)))
        assert below <= true <= above
        assert above - below <= 1e-13 * abs(true)
        with precision(128):
            data = F.data_in(ball_arithmetic(), lambda v: rational(float(v)))
            out = np.empty(1, dtype=object)
            F.kernel(np.array([Ball(rational(at))]), out, data)
            found = Ball(out[0]).ball
            assert found.rad() < 1e-30 * abs(found)
            # the reference has 199 bits
            assert found.overlaps(arb(mpmath.nstr(true, 58)) * arb(1, "1e-50"))
    assert float(F([at])[0]) == pytest.approx(float(true), rel=1e-14)


def test_a_constant_that_no_float64_holds_is_one_sentence() -> None:
    with pytest.raises(OpcheckError, match=r"exp\(1000\) of the formula is no number of float64"):
        gradient("exp(1000)*x")


def test_a_float_that_is_all_of_a_kernel_is_refused_by_intervals() -> None:
    def kernel(z: Vector, out: Vector, data: Vector) -> None:
        out[0] = 0.5

    with pytest.raises(OpcheckError, match="has no enclosure over a box"):
        enclosure(operator(kernel, 1), np.zeros((1, 1)), np.ones((1, 1)))
