"""What verdicts rest on is confronted before any theorem, search or run uses it.

Rows A8, A9, A11, A13, G5, G11 and F15. The kernels here belong to a module that opcheck doesn't
know, as a user's do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import opcheck
from opcheck import (
    Cocoercive,
    Comonotone,
    Lipschitz,
    Monotone,
    Nonexpansive,
    OpcheckError,
    PLStar,
    Problem,
    Region,
    Resolvent,
    StronglyMonotone,
    WeakMinty,
    exact,
    linear,
    minmax,
    operator,
    registry,
)
from opcheck.cli import main
from opcheck.engine.guard import guard, undefined
from opcheck.engine.run import run
from opcheck.evidence.operators.facts import admit
from opcheck.evidence.simulation.verify import library, verify
from opcheck.model.operator import NO_CONSTRAINT
from opcheck.model.property import ConicallyNonexpansive, Property

registry.load()
box = registry.get("sets", "box")
TURN = linear([[0.0, 1.0], [-1.0, 0.0]])
EG = {"iterations": 3, "gamma": 0.1}


def step(problem: Problem) -> Any:
    return run("extragradient", problem, **EG)


FAMILIES = registry.names("problems")


@pytest.mark.parametrize(
    "problem",
    [p if p.name in FAMILIES else pytest.param(p, marks=pytest.mark.slow) for p in library()],
    ids=lambda p: p.name,
)
@pytest.mark.sampled(4)
def test_nothing_of_the_library_is_refused(problem: Problem) -> None:
    """Every default, and every preset: its solution, its domain, its facts of every kind."""
    admit(problem)


# ---- solutions ----------------------------------------------------------------------------------


def test_a_stated_solution_that_is_no_zero_is_refused() -> None:
    """A9: about thirty famous theorems were violated."""
    wrong = Problem(minmax("2*x*y + x"), name="mine", start=np.ones(2), solution=np.zeros(2))
    right = Problem(
        minmax("2*x*y + x"), name="mine", start=np.ones(2), solution=np.array([0, -0.5])
    )
    what = r"the solution \[0.0, 0.0\] of 'mine' is no zero of F: its natural residual is"
    for use in (step, verify_one, opcheck.constants, opcheck.check):
        with pytest.raises(OpcheckError, match=what):
            use(wrong)
    assert step(right)["distance"][0] == pytest.approx(3.25)


def verify_one(problem: Problem) -> Any:
    return verify("lee2021_feg", problem)


def test_a_solution_outside_of_the_set_is_refused() -> None:
    inside = Problem(TURN, box(), name="mine", start=np.ones(2), solution=np.zeros(2))
    guard(inside)
    outside = Problem(TURN, box(1.0, 2.0), name="mine", start=np.ones(2), solution=np.zeros(2))
    with pytest.raises(OpcheckError, match=r"no zero of F \+ A with A = box\[1, 2\]"):
        guard(outside)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(0, 10_000),
    st.integers(1, 6),
    st.sampled_from([1e-9, 1e-3, 1.0, 1e4, 1e9]),
    st.sampled_from([1e-6, 1.0, 1e6]),
    st.booleans(),
)
def test_true_solutions_pass_and_wrong_ones_do_not(
    seed: int, d: int, slope: float, size: float, constrained: bool
) -> None:
    """A9's like: at every scale of F and of z, with and without a set."""
    generator = np.random.default_rng(seed)
    M = generator.standard_normal((d, d))
    M = slope * (M - M.T + np.eye(d))
    zero = size * generator.standard_normal(d)
    start = zero + size * generator.standard_normal(d)
    resolvent, pull = NO_CONSTRAINT, np.zeros(d)
    if constrained:
        # z* on the boundary where a normal may push, and inside elsewhere
        active = generator.random(d) < 0.5
        low, high = zero - size, np.where(active, zero, zero + size)
        resolvent, pull = box(low, high), np.where(active, slope * size, 0.0)
    problem = Problem(linear(M, -M @ zero - pull), resolvent, name="p", start=start, solution=zero)
    guard(problem)
    # along the set, so that a projection does not undo it
    off = size * 1e-6 * np.where(pull > 0, -1.0, generator.choice([-1.0, 1.0], d))
    with pytest.raises(OpcheckError, match="is no zero of F"):
        guard(
            Problem(
                linear(M, -M @ zero - pull), resolvent, name="p", start=start, solution=zero + off
            )
        )


def test_a_projection_onto_the_solutions_must_land_on_them_and_stay() -> None:
    flat = linear([[1.0, 0.0], [0.0, 0.0]])

    def problem(project: Callable[..., Any]) -> Problem:
        return Problem(flat, name="flat", start=np.ones(2), solution=np.zeros(2), project=project)

    guard(problem(lambda z: np.array([0.0, z[1]])))
    wrong: dict[str, Callable[..., Any]] = {
        "which is no solution": lambda z: np.array([0.5 * z[0], z[1]]),
        "is no projection": lambda z: np.array([0.0, 0.5 * z[1]]),
        "raises KeyError": lambda z: {}["z"],
        "must return 2 finite numbers": lambda z: z[:1],
    }
    for what, project in wrong.items():
        with pytest.raises(OpcheckError, match=what):
            guard(problem(project))


@pytest.mark.parametrize("name", ["distance", "gap", "distance(z)", "gap(z, z)"])
def test_a_measure_to_the_solution_needs_one(name: str) -> None:
    """A8: it was measured to the start."""
    unknown = Problem(TURN, name="mine", start=np.ones(2))
    with pytest.raises(OpcheckError, match=f"the measure '{name[:3]}.*is taken to a solution"):
        run("extragradient", unknown, measures=[name], **EG)
    assert run("extragradient", unknown, measures=["residual"], **EG).measures.keys() == {
        "residual"
    }
    between = run("extragradient", unknown, measures=["distance(z, before)"], **EG)
    assert "distance(z, before)" in between.measures


# ---- accuracy -----------------------------------------------------------------------------------


def in_type(kind: Any) -> Callable[..., None]:
    def turn(z, out, data):
        x, y = kind(z[0]), kind(z[1])
        out[0] = kind(0.6) * x + kind(0.8) * y
        out[1] = kind(0.6) * y - kind(0.8) * x

    return turn


def rounded(z, out, data):
    out[0] = round(z[1], 7)
    out[1] = -z[0]


def partly(z, out, data):
    out[0] = float(np.float32(z[0])) + z[1]
    out[1] = -z[0]


def bisected(z, out, data):
    """The root of w + w³ = z₀, to nine digits or so."""
    low, high = -10.0, 10.0
    while high - low > 1e-8:
        middle = 0.5 * (low + high)
        if middle + middle * middle * middle > z[0]:
            high = middle
        else:
            low = middle
    out[0] = low + z[1]
    out[1] = -z[0]


@pytest.mark.parametrize(
    "kernel",
    [in_type(np.float32), in_type(np.float16), partly, rounded, bisected],
    ids=["float32", "float16", "partly", "rounded", "bisected"],
)
def test_an_operator_that_is_less_accurate_than_float64_is_refused(
    kernel: Callable[..., None],
) -> None:
    """A11: a rotation in float32 had L ≥ 2.158, ρ ≤ −31.9 and a false violation."""
    coarse = Problem(operator(kernel, 2), name="coarse", start=np.ones(2))
    for use in (step, verify_one, opcheck.constants):
        with pytest.raises(OpcheckError, match=r"the operator of 'coarse' is accurate to \de-\d+"):
            use(coarse)


def fast_wave(z, out, data):
    out[0] = math.sin(1e8 * z[0]) + z[1]
    out[1] = -z[0]


def kinks(z, out, data):
    out[0] = max(z[0] - 1.0, 0.0) + abs(z[0] - z[1]) + z[1]
    out[1] = max(z[1], 0.5) - z[0]


def steep(z, out, data):
    out[0] = math.tanh(1e7 * z[0]) + z[1]
    out[1] = -z[0]


def cancelling(z, out, data):
    out[0] = (1e4 + z[0]) ** 2 - 1e8 + z[1]
    out[1] = -z[0]


def constant(z, out, data):
    out[0] = 1.0
    out[1] = 0.0


def steps(z, out, data):
    out[0] = math.floor(z[0])
    out[1] = z[1]


def nothing(z, out, data):
    out[0] = z[1]
    out[1] = (z[0] / 7 + z[0]) - z[0] - z[0] / 7  # as the slope of a critic in its bias, 1 - 1


@pytest.mark.parametrize("kernel", [fast_wave, kinks, steep, cancelling, constant, steps, nothing])
@pytest.mark.parametrize("size", [1e-2, 1.0, 1e4])
def test_an_accurate_operator_is_not_refused(kernel: Callable[..., None], size: float) -> None:
    if kernel is steps:
        size = min(size, 1.0)  # far out they are as narrow as what is looked at
    if kernel is cancelling:
        size = max(size, 1.0)  # nearer to 0 it has lost its digits
    guard(Problem(operator(kernel, 2), name="fine", start=size * np.ones(2)))


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.complex128])
def test_values_of_another_type_are_refused(kind: Any) -> None:
    """A11: complex ones were cast to real, with 1620 warnings."""
    with pytest.warns(UserWarning, match="runs interpreted"):
        returning = operator(
            lambda z: np.array([z[1], -z[0]], dtype=kind), 2, formula=kind.__name__
        )
    name = kind.__name__
    with pytest.raises(OpcheckError, match=f"returns numbers of type {name}"):
        step(Problem(returning, name="mine", start=np.ones(2)))


def complex_inside(z, out, data):
    out[:] = np.sqrt(np.asarray(z, dtype=complex))


def complex_below(z, out, data):
    out[:] = 1 + np.emath.sqrt(np.array(z))


@pytest.mark.filterwarnings("ignore:the operator of 'falls'")
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")  # as outside of the tests
def test_complex_numbers_are_refused() -> None:
    """G5, A11: the imaginary part was lost."""
    with pytest.raises(OpcheckError, match=r"has complex values at .*as coordinates"):
        step(Problem(operator(complex_inside, 2), name="mine", start=-np.ones(2)))
    # 0 and then −1, where the root is no longer real
    falls = Problem(operator(complex_below, 1), name="falls", start=np.ones(1))
    with pytest.raises(OpcheckError, match=r"the operator of 'falls' raises ComplexWarning"):
        run("gradient_descent_ascent", falls, 5, gamma=1.0)
    import scipy.sparse

    matrix = np.array([[0, 1j], [-1j, 0]])
    for given_ in (matrix, matrix.tolist(), scipy.sparse.csr_array(matrix)):
        with pytest.raises(OpcheckError, match="a linear operator has complex numbers"):
            linear(given_)


# ---- domains ------------------------------------------------------------------------------------


def logarithm(z, out, data):
    out[0] = (math.log(z[0] - 2) if z[0] > 2 else math.nan) + z[1]
    out[1] = -z[0]


def test_where_f_is_not_defined_is_said() -> None:
    """G11: points at which F is NaN were passed over."""
    half = Problem(operator(logarithm, 2), name="half", start=np.array([3.0, 0.0]))
    share, example = undefined(half)
    assert 0 < share < 0.5
    assert example[0] <= 2
    with pytest.raises(OpcheckError, match=r"'half' is not defined at \d+% of the points looked"):
        opcheck.constants(half)
    with pytest.raises(OpcheckError, match=r"is not defined at \d+% of the points looked"):
        verify("lee2021_feg", half)
    with pytest.warns(UserWarning, match=r"'half' is not defined at \d+% of the points"):
        assert step(half).status == "completed"
    with pytest.raises(OpcheckError, match=r"not defined at \d+% of the points .* in the region"):
        opcheck.constants(half, region=1.0)
    assert opcheck.constants(half, region="[3,4]x[-1,1]")[0].lower > 1


def test_the_set_is_looked_at_too() -> None:
    half = Problem(operator(logarithm, 2), box(), name="half", start=np.zeros(2))
    with pytest.raises(OpcheckError, match=r"returns .*nan"):
        step(half)
    part = Problem(operator(logarithm, 2), box(0.0, 4.0), name="part", start=np.full(2, 3.0))
    with pytest.raises(OpcheckError, match=r"not defined at \d+% of the points .* in the set"):
        step(part)
    step(Problem(operator(logarithm, 2), box(2.5, 4.0), name="whole", start=np.full(2, 3.0)))


def overflowing(z, out, data):
    out[0] = math.exp(min(z[0], 800.0)) if z[0] < 700 else math.inf
    out[1] = z[1]


def test_an_overflow_far_out_is_no_hole() -> None:
    assert undefined(Problem(operator(overflowing, 2), name="exp", start=np.full(2, 699.0)))[0] == 0


# ---- facts --------------------------------------------------------------------------------------

REFUSED: dict[str, Callable[[], Any]] = {
    r"Lipschitz\(-1\): L must not be negative": lambda: Lipschitz(-1),
    r"Cocoercive\(-0.5\): beta must not be negative": lambda: Cocoercive(-0.5),
    r"Monotone\(3\): it has no constant": lambda: Monotone(3),
    "a property is of F, A, S, T": lambda: Lipschitz(1, of="G"),  # type: ignore[arg-type]
    "L is a finite number": lambda: Lipschitz(math.nan),
    "mu is a finite number, or a formula": lambda: StronglyMonotone([1]),
    "is not a formula": lambda: Lipschitz("L +"),
    "is stated without L": lambda: exact(Lipschitz()),
    "is no property": lambda: exact(3),  # type: ignore[arg-type]
    "it takes f": lambda: operator(3, 2),  # type: ignore[arg-type]
    "dim = 0 must be a whole number": lambda: operator(logarithm, 0),
    "dim = 2.5 must be a whole number": lambda: operator(logarithm, 2.5),  # type: ignore[arg-type]
    "data must hold real numbers": lambda: operator(logarithm, 2, ["a"]),
    "start has shape": lambda: Problem(TURN, name="p", start=[1.0, 2.0, 3.0]),  # type: ignore[arg-type]
    r"solution \[0.0, inf\] is not finite": lambda: Problem(TURN, name="p", solution=[0, math.inf]),  # type: ignore[arg-type]
    "start has complex numbers": lambda: Problem(TURN, name="p", start=[1j, 0]),  # type: ignore[arg-type]
    "the kernel of the resolvent 'A' is NoneType": lambda: Resolvent(None, [], 2, "A"),  # type: ignore[arg-type]
    "dim = None of the resolvent 'A'": lambda: Resolvent(logarithm, [], None, "A"),  # type: ignore[arg-type]
    "data of the resolvent 'A' must hold real": lambda: Resolvent(logarithm, "ab", 2, "A"),  # type: ignore[arg-type]
    r"ends of the resolvent 'A' have shape \(3,\)": lambda: Resolvent(
        logarithm, np.zeros(0), 2, "A", ends=(np.zeros(3), np.ones(3))
    ),
    "iterations = 10.5 must be a whole number": lambda: run("halpern", "bilinear", 10.5),  # type: ignore[arg-type]
    "a = <function .* must be a number or a list": lambda: run(
        "krasnoselskii_mann", "bilinear", 3, a=lambda k: 0.5
    ),
    "gamma = None must be a number": lambda: run("extragradient", "bilinear", 3, gamma=None),
    "a has 2 entries and the run 10 steps": lambda: run(
        "krasnoselskii_mann", "bilinear", 10, a=[0.5, 0.25]
    ),
    "among its facts Lipschitz": lambda: Problem(TURN, name="p", facts=(Lipschitz(1),)),  # type: ignore[arg-type]
    "the operator of 'p' is ndarray": lambda: Problem(np.eye(2), name="p"),  # type: ignore[arg-type]
    "the resolvent of 'p' is function": lambda: Problem(TURN, logarithm, name="p"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_states_nothing_is_refused_where_it_is_written(what: str) -> None:
    """A13: these were accepted."""
    with pytest.raises(OpcheckError, match=what):
        REFUSED[what]()


def test_a_constant_whose_formula_has_the_wrong_sign_is_refused(own_registry: None) -> None:
    """A13: a formula is read at the family's parameters."""

    @opcheck.problem_family("signed", facts=[exact(Lipschitz("a"))])
    def signed(a: float = 1.0) -> Any:
        return linear([[a]])

    signed()
    with pytest.raises(
        OpcheckError, match=r"'signed\(a=-2\)' states Lipschitz\(a\) of F: .*L must"
    ):
        signed(a=-2.0)


def stated(property: Property, M: Any, **more: Any) -> Problem:
    d = len(M)
    return Problem(
        linear(M),
        name="p",
        start=np.ones(d),
        solution=np.zeros(d),
        facts=(exact(property),),
        **more,
    )


@st.composite
def known(draw: Any) -> tuple[Property, Property, np.ndarray]:
    """A true property of a random matrix, one that is a little too strong, and the matrix."""
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    d, scale = draw(st.integers(2, 5)), draw(st.sampled_from([1e-4, 1.0, 1e4]))
    kind = draw(
        st.sampled_from(
            ["Lipschitz", "StronglyMonotone", "Comonotone", "WeakMinty", "Cocoercive", "Monotone"]
        )
    )
    Q = np.linalg.qr(generator.standard_normal((d, d)))[0]
    if kind == "Lipschitz":
        return Lipschitz(scale), Lipschitz(0.9 * scale), scale * Q
    skew = np.triu(generator.standard_normal((d, d)), 1)
    skew -= skew.T
    symmetric = Q @ np.diag([1.0] + [0.5] * (d - 1)) @ Q.T - np.eye(d)  # its least is −1/2
    if kind == "StronglyMonotone":
        mu = -0.5 * scale
        return StronglyMonotone(mu * 1.0001), StronglyMonotone(mu / 2), scale * (symmetric + skew)
    if kind == "Monotone":
        return Monotone(), StronglyMonotone(0.01 * scale), scale * skew
    # (scale I·ρ + skew)⁻¹ has ⟨u, x⟩ = ρ‖u‖² exactly
    rho = 1.0 if kind == "Cocoercive" else draw(st.sampled_from([-1.0, 1.0]))
    M = scale * np.linalg.inv(rho * np.eye(d) + skew)
    make = {"Comonotone": Comonotone, "WeakMinty": WeakMinty, "Cocoercive": Cocoercive}[kind]
    true, false = rho - 1e-4 * abs(rho), rho + 0.1
    return make(true / scale), make(false / scale), M


@settings(max_examples=80, deadline=None, derandomize=True)
@given(known())
def test_true_facts_stand_and_false_ones_are_refuted(
    case: tuple[Property, Property, np.ndarray],
) -> None:
    """F15: a fact of any kind, of a matrix of any scale, against sampled pairs."""
    true, false, M = case
    admit(stated(true, M))
    with pytest.raises(OpcheckError, match=rf"of 'p' {false.kind.name}.* is stated \(exact\), but"):
        admit(stated(false, M))


@pytest.mark.parametrize(
    ("property", "matrix"),
    [
        (Nonexpansive(of="T"), [[0.0, 2.0], [-2.0, 0.0]]),
        (ConicallyNonexpansive(0.5, of="T"), [[0.0, 1.0], [-1.0, 0.0]]),
        (Monotone(), [[-1e-3, 1.0], [-1.0, 0.0]]),
        (Lipschitz(1.0), [[1e8]]),
        (Lipschitz(1.0), [[1e12, 0.0], [0.0, 1e-3]]),
        (Cocoercive(1e-9), [[0.0, 1e8], [-1e8, 0.0]]),
    ],
    ids=str,
)
def test_a_false_fact_of_each_kind_is_refuted_before_any_theorem(
    property: Property, matrix: Any
) -> None:
    """F15, G2: verify believed them, and reported the theorems as violated."""
    with pytest.raises(OpcheckError, match=f"{property.kind.name}.* is stated"):
        verify("", stated(property, matrix))


def test_a_fact_about_the_region_is_held_there_alone() -> None:
    """x² has the slope 2|x|."""

    def square(z, out, data):
        out[0] = z[0] * z[0]

    def problem(L: float, local: bool) -> Problem:
        fact = exact(Lipschitz(L), local=local)
        return Problem(
            operator(square, 1), name="square", start=np.ones(1), facts=(fact,), region=Region(3.0)
        )

    admit(problem(6.0, True))
    for wrong in (problem(4.0, True), problem(6.0, False)):
        with pytest.raises(OpcheckError, match="of 'square' Lipschitz"):
            admit(wrong)


def test_facts_of_a_and_of_the_sum_are_held_too() -> None:
    def problem(property: Property, M: Any) -> Problem:
        return Problem(
            linear(M),
            box(),
            name="p",
            start=np.ones(2),
            solution=np.zeros(2),
            facts=(exact(property),),
        )

    skew = [[0.0, 1.0], [-1.0, 0.0]]
    admit(problem(Monotone(of="A"), skew))
    admit(problem(Monotone(of="S"), skew))
    for false in (StronglyMonotone(0.1, of="A"), StronglyMonotone(0.1, of="S")):
        with pytest.raises(OpcheckError, match=r"of [AS] is stated"):
            admit(problem(false, skew))


WRONG = """
from opcheck import Lipschitz, exact, linear, minmax, problem_family

@problem_family("no_zero", solution=(0, 0))
def no_zero():
    return minmax("3*x*y + x")

@problem_family("no_constant", solution=(0, 0), facts=[exact(Lipschitz(1))])
def no_constant():
    return linear([[0, 2], [-2, 0]])
"""


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["verify", "lee2021_feg", "--problem", "{}:no_zero"], "is no zero of F"),
        (["run", "extragradient", "{}:no_zero", "-p", "gamma=0.1"], "is no zero of F"),
        (["constants", "{}:no_zero"], "is no zero of F"),
        (["check", "{}:no_zero"], "is no zero of F"),
        (["verify", "lee2021_feg", "--problem", "{}:no_constant"], "a pair of points has L = 2"),
        (["verify", "--problem", "{}:no_constant"], "a pair of points has L = 2"),
        (["run", "extragradient", "{}:no_constant", "-p", "gamma=0.1"], "has L = 2"),
    ],
    ids=str,
)
def test_on_the_command_line_it_is_one_sentence(
    arguments: list[str], what: str, tmp_path: Path, own_registry: None
) -> None:
    """A9, F15: exit 2 and one line, whatever the command."""
    file = tmp_path / "wrong_inputs.py"
    file.write_text(WRONG)
    result = CliRunner().invoke(main, [a.format(file) for a in arguments])
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert what in result.stderr


@pytest.mark.parametrize("d", [2, 20, 200])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.sampled(4)
def test_a_direction_among_many_refutes_a_fact_of_a_matrix(d: int, seed: int) -> None:
    """No random pair meets one bad direction of two hundred; an eigenvector is one."""
    generator = np.random.default_rng(seed)
    Q = np.linalg.qr(generator.standard_normal((d, d)))[0]
    ones = np.ones(d)

    def of(first: float, *facts: Any) -> Problem:
        M = Q @ np.diag([first, *ones[1:]]) @ Q.T
        return Problem(opcheck.linear(M), name="needle", start=ones, solution=0 * ones, facts=facts)

    admit(of(5.0, exact(Lipschitz(5.0001)), exact(Monotone())))
    for wrong in (
        of(5.0, exact(Lipschitz(4.99))),
        of(-1e-6, exact(Monotone())),
        of(-1e-6, exact(WeakMinty(0))),
        of(0.5, exact(StronglyMonotone(0.5001))),
    ):
        with pytest.raises(OpcheckError, match="is stated"):
            admit(wrong)


def halves(z: Any, out: Any, data: Any) -> None:
    """∇f for f = Σ w_i z_i²/2 + sin²(z_0)."""
    for i in range(z.shape[0]):
        out[i] = data[i] * z[i]
    out[0] += 2 * data[-1] * math.sin(z[0]) * math.cos(z[0])


@pytest.mark.parametrize(
    ("weights", "bend", "true"),
    [((1.0, 3.0), 0.0, 1.0), ((3.0, 4.0), 0.0, 3.0), ((1.0,), 1.0, 0.1)],
)
def test_a_stated_polyak_constant_of_a_kernel_is_held_against_integrals(
    weights: tuple[float, ...], bend: float, true: float
) -> None:
    """It was believed, whatever it was."""
    d = len(weights)
    F = operator(halves, d, np.array([*weights, bend]))

    def of(mu: float, of_matrix: bool = False) -> Problem:
        G = linear(np.diag(weights)) if of_matrix else F
        facts = (exact(PLStar(mu)),)
        start, solution = np.ones(d), np.zeros(d)
        return Problem(G, name="kernel", start=start, solution=solution, facts=facts)

    admit(of(true))
    for wrong in (of(1.1 * true if not bend else 0.9), *([] if bend else [of(1.1 * true, True)])):
        with pytest.raises(OpcheckError, match=r"PLStar.* is stated .*integrals of F"):
            admit(wrong)
    if not bend:
        admit(of(true, True))


@pytest.mark.parametrize("bump", ["2*exp(-(x-30)**2)", "exp(-(20*(x-7))**2)", "exp(-(9*(x+2))**2)"])
def test_slopes_far_from_the_start_refute_a_fact_of_a_formula(bump: str) -> None:
    """A formula tells where it is not monotone, wherever random pairs fall."""
    facts = (exact(Monotone()), exact(Lipschitz(900)))
    made = opcheck.minmax(f"x*y + x**2/2 - y**2/2 - {bump}")
    problem = Problem(made, name="bump", start=np.ones(2), facts=facts)
    with pytest.raises(OpcheckError, match="Monotone of F is stated"):
        admit(problem)
    convex = opcheck.minmax("x*y + x**2/2 - y**2/2 + log(1 + exp(x))/9")
    admit(Problem(convex, name="none", start=np.ones(2), facts=facts))
