"""Resolvents are looked at before they run (row G1): wrong ones are refused, true ones are not.

The kernels here belong to a module that opcheck doesn't know, as a user's do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import opcheck
from opcheck import OpcheckError, Problem, Resolvent, linear, registry
from opcheck.engine.guard import guard
from opcheck.engine.resolvents import guard_resolvent
from opcheck.engine.run import run
from opcheck.evidence.simulation.verify import library, verify

registry.load()
SETS = registry.names("sets")
TURN = linear([[0.5, 1.0], [-1.0, 0.5]])
NONE = np.zeros(0)


def on(resolvent: Resolvent) -> Problem:
    return Problem(TURN, resolvent, name="mine", start=np.array([1.0, 0.5]))


def in_disc(z: Any) -> bool:
    return bool(np.linalg.norm(z) <= 1 + 1e-12)


def disc(z, gamma, out, data):
    size = math.sqrt(z[0] * z[0] + z[1] * z[1])
    share = 1.0 if size <= 1 else 1 / size
    out[0] = share * z[0]
    out[1] = share * z[1]


def onto_the_sphere(z, gamma, out, data):
    size = math.sqrt(z[0] * z[0] + z[1] * z[1]) + 1e-300
    x = z[0] / size
    out[1] = z[1] / size
    out[0] = x


def writes_past_the_end(z, gamma, out, data):
    disc(z, gamma, out, data)
    out[2] = 0.0


def raises(z, gamma, out, data):
    raise RuntimeError("no such set")


def two_arguments(z, out):
    out[:] = z


def returns(z, gamma, out, data):
    return np.clip(z, -1, 1)


def forgets(z, gamma, out, data):
    out[0] = min(max(z[0], -1.0), 1.0)


def changes_z(z, gamma, out, data):
    z[0] = min(max(z[0], -1.0), 1.0)
    out[0] = z[0]
    out[1] = min(max(z[1], -1.0), 1.0)


def reads_late(z, gamma, out, data):
    out[0] = 0.5 * (z[0] + z[1])
    out[1] = 0.5 * (z[0] + z[1])


DRAWS = np.random.default_rng(0)


def noisy(z, gamma, out, data):
    disc(z, gamma, out, data)
    out[0] += 1e-6 * DRAWS.standard_normal()


def uses_gamma(z, gamma, out, data):
    for i in range(2):
        out[i] = min(max(z[i], -gamma), gamma)


def nan_outside(z, gamma, out, data):
    for i in range(2):
        out[i] = z[i] + 0 * np.sqrt(1e4 - z[0] * z[0])


def complex_inside(z, gamma, out, data):
    out[:] = np.sqrt(np.asarray(z, dtype=complex)) ** 2


WRONG: dict[Callable[..., Any], str] = {
    onto_the_sphere: "is not one of a monotone A: it is not firmly nonexpansive, since J",
    writes_past_the_end: r"reads or writes past an array .*; z and out have 2 entries, data 0",
    raises: "raises RuntimeError at .*: no such set",
    two_arguments: r"takes 2 arguments; write it as f\(z, gamma, out, data\)",
    returns: "returns its value",
    forgets: "leaves entries of out unset",
    changes_z: "changes its input z",
    reads_late: "gives another value where out is z",
    noisy: "is not deterministic",
    uses_gamma: "is wrong: .*; it depends on gamma, and is that of a set",
    nan_outside: "returns .*nan",
    complex_inside: "has complex values",
}


@pytest.mark.parametrize(("kernel", "what"), WRONG.items(), ids=[k.__name__ for k in WRONG])
def test_a_wrong_resolvent_is_refused_and_not_the_operator(
    kernel: Callable[..., Any], what: str
) -> None:
    """G1: each of these ended in a traceback, in a wrong result, or in known theorems violated."""
    wrong = on(Resolvent(kernel, NONE, 2, "my disc", in_disc))
    with pytest.raises(OpcheckError, match=f"the resolvent of A = my disc {what}"):
        run("extragradient", wrong, 5, gamma=0.25)
    with pytest.raises(OpcheckError, match="the resolvent of A = my disc"):
        verify("pethick2022_ceg_plus", wrong)
    with pytest.raises(OpcheckError, match="the resolvent of A = my disc"):
        opcheck.constants(wrong)


def test_a_true_resolvent_runs_as_the_librarys_does() -> None:
    own = run("extragradient", on(Resolvent(disc, NONE, 2, "my disc", in_disc)), 50, gamma=0.25)
    known = run("extragradient", on(registry.get("sets", "ball")(1.0)), 50, gamma=0.25)
    assert np.allclose(own.z, known.z, rtol=1e-14, atol=1e-14)


def through_scipy(z, gamma, out, data):
    import scipy.optimize

    ends = (-np.ones(2), np.ones(2))
    out[:] = scipy.optimize.lsq_linear(np.eye(2), np.array(z), ends, method="bvls").x


def test_a_resolvent_that_numba_cannot_compile_runs_interpreted() -> None:
    """G1: one that calls scipy ended in a traceback of the compiler's."""
    with pytest.warns(UserWarning, match="the resolvent of A = square runs interpreted"):
        own = run("extragradient", on(Resolvent(through_scipy, NONE, 2, "square")), 5, gamma=0.25)
    known = run("extragradient", on(registry.get("sets", "box")()), 5, gamma=0.25)
    assert np.allclose(own.z, known.z, rtol=1e-12)


def mutant(true: Resolvent, change: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Resolvent:
    """A true projection, and a change made of it: (z, P z) -> value."""

    def kernel(z, gamma, out, data):
        point = np.array(z)
        true.kernel(point, gamma, out, true.data)
        out[:] = change(point, np.array(out))

    return Resolvent(kernel, NONE, true.dim, f"mutant of {true.name}", true.contains)


TRUE = ("box", "ball", "simplex", "half_space", "l1_ball", "capped_simplex", "ellipsoid", "orthant")


@st.composite
def changes(draw: Any) -> tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    size = draw(st.sampled_from([1e-6, 1e-3, 0.1, 1.0])) * draw(st.sampled_from([-1, 1]))
    made: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
        "scaled": lambda z, p: (1 + size) * p,
        "shifted": lambda z, p: p + size,
        "first entry shifted": lambda z, p: p + size * np.eye(len(p))[0],
        "rotated": lambda z, p: np.roll(p, 1) if abs(size) > 0.5 else p + size * np.roll(p, 1),
        "too far": lambda z, p: p + size * (p - z),
        "an entry left out": lambda z, p: np.concatenate([z[:1], p[1:]]),
        "wrong norm": lambda z, p: p * np.linalg.norm(p) / (np.abs(p).sum() + 1e-300),
        "reflected": lambda z, p: 2 * p - z,
        "negated": lambda z, p: -p,
    }
    name = draw(st.sampled_from(sorted(made)))
    return name, made[name]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(TRUE), changes())
@pytest.mark.ci
def test_a_mutated_projection_is_refused(
    name: str, change: tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]
) -> None:
    """G1's like: a true projection with one thing wrong is refused, unless the change is none."""
    true = registry.get("sets", name)()
    wrong = mutant(true, change[1])
    d = true.dim or 3
    generator = np.random.default_rng(1)
    z = 3 * generator.standard_normal((50, d))
    apart = [np.abs(wrong(p) - true(p)).max() for p in z]
    if max(apart) < 1e-8:
        return
    with pytest.raises(OpcheckError, match="the resolvent of A = mutant of"):
        guard_resolvent(wrong, np.array([np.zeros(d), np.ones(d)]))


def moved(true: Resolvent, Q: np.ndarray, size: float, centre: np.ndarray) -> Resolvent:
    """The projection onto size·Q C + centre, C being the set of a true one."""

    def inner(z: Any) -> np.ndarray:
        return np.asarray(Q.T @ (np.array(z) - centre) / size)

    def kernel(z, gamma, out, data):
        out[:] = size * (Q @ true(inner(z))) + centre

    def contains(z: Any) -> bool:
        return bool(np.linalg.norm(true(inner(z)) - inner(z)) < 1e-9)

    return Resolvent(kernel, NONE, len(Q), "moved", contains)


def support(true: Resolvent, d: int) -> Resolvent:
    """The proximal map of the support function of a set, by Moreau's decomposition."""

    def kernel(z, gamma, out, data):
        point = np.array(z)
        out[:] = point - gamma * true(point / gamma)

    return Resolvent(kernel, NONE, d, "support")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(TRUE),
    st.integers(0, 10_000),
    st.sampled_from([1e-4, 1.0, 1e4]),
    st.booleans(),
)
@pytest.mark.ci
def test_a_true_resolvent_is_not_refused(
    name: str, seed: int, size: float, conjugate: bool
) -> None:
    """Sets that are turned, scaled and shifted, and the conjugates of their indicators."""
    true = registry.get("sets", name)()
    d = true.dim or 3
    generator = np.random.default_rng(seed)
    centres = np.array([np.zeros(d), size * generator.standard_normal(d)])
    if conjugate:
        guard_resolvent(support(true, d), centres)
        return
    Q = np.linalg.qr(generator.standard_normal((d, d)))[0]
    guard_resolvent(moved(true, Q, size, size * generator.standard_normal(d)), centres)


def test_a_wrong_factor_of_a_product_is_refused() -> None:
    product, ball = registry.get("sets", "product"), registry.get("sets", "ball")(1.0)
    both = product(ball, Resolvent(onto_the_sphere, NONE, 2, "sphere", in_disc))
    problem = Problem(linear(np.eye(4)), both, name="four", start=np.ones(4))
    with pytest.raises(OpcheckError, match=r"the resolvent of A = ball.* x sphere is not one of a"):
        run("extragradient", problem, 3, gamma=0.1)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.sampled(4)
def test_every_set_and_regulariser_of_the_library_passes(name: str) -> None:
    """What the guard asks of a stranger's resolvent, at three scales."""
    resolvent = registry.get("sets", name)()
    d = resolvent.dim or 3
    for scale in (1.0, 1e-3, 1e3):
        guard_resolvent(resolvent, np.array([np.zeros(d), np.full(d, scale)]))


@pytest.mark.ci
def test_every_resolvent_of_a_problem_passes() -> None:
    seen = set()
    for problem in library():
        key = problem.resolvent.name, problem.dim
        if problem.constrained and problem.dim <= 12 and key not in seen:
            seen.add(key)
            centres = [np.zeros(problem.dim), problem.start]
            centres += [] if problem.solution is None else [problem.solution]
            guard_resolvent(problem.resolvent, np.unique(np.array(centres), axis=0))
    assert len(seen) > 20


def soft(z, gamma, out, data):
    for i in range(z.shape[0]):
        out[i] = math.copysign(max(abs(z[i]) - gamma, 0.0), z[i])


def soft_without_gamma(z, gamma, out, data):
    for i in range(z.shape[0]):
        out[i] = math.copysign(max(abs(z[i]) - 1.0, 0.0), z[i])


def test_a_proximal_map_is_held_against_gamma_and_its_values() -> None:
    centres = np.array([np.zeros(2), np.ones(2)])
    guard_resolvent(Resolvent(soft, NONE, 0, "l1", value=lambda z: abs(z).sum()), centres)
    with pytest.raises(OpcheckError, match="it is not of one A"):
        guard_resolvent(Resolvent(soft_without_gamma, NONE, 0, "l1"), centres)
    with pytest.raises(OpcheckError, match=r"not the proximal map of its value\(\)"):
        guard_resolvent(Resolvent(soft, NONE, 0, "l1", value=lambda z: 3 * abs(z).sum()), centres)


def test_ends_and_contains_are_held_against_the_resolvent() -> None:
    centres = np.array([np.zeros(2), np.ones(2)])
    ends = (np.full(2, -1.0), np.full(2, 2.0))
    with pytest.raises(OpcheckError, match="its ends say that it is the box"):
        guard_resolvent(Resolvent(disc, NONE, 2, "disc", in_disc, ends=ends), centres)
    wrong = {
        r"contains\(\) says that it is not in the set": lambda z: bool(np.linalg.norm(z) < 0.5),
        r"contains\(\) says that this point is in the set": lambda z: bool(np.linalg.norm(z) < 3),
        r"contains\(\) of disc raises ZeroDivisionError": lambda z: bool(1 / 0),
    }
    for what, contains in wrong.items():
        with pytest.raises(OpcheckError, match=what):
            guard_resolvent(Resolvent(disc, NONE, 2, "disc", contains), centres)
    # one that compares exactly is told by a point a little inside, and is no fault
    exactly = Resolvent(disc, NONE, 2, "disc", lambda z: bool(z[0] * z[0] + z[1] * z[1] <= 1))
    guard_resolvent(exactly, centres)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("box", ([0, 0, 0], [1, 1, 1])),
        ("box", ([0], [1])),
        ("simplex", (3,)),
        ("simplices", (2, 2)),
        ("ball", (1.0, [0, 0, 0])),
    ],
)
def test_a_set_of_another_dimension_is_refused_where_the_problem_is_made(
    name: str, arguments: Any
) -> None:
    """A10: these ran to their end in the plane."""
    resolvent = registry.get("sets", name)(*arguments)
    with pytest.raises(OpcheckError, match=r"acts on \d coordinates, its operator on 2"):
        on(resolvent)


def test_a_resolvent_whose_data_change_is_tried_again() -> None:
    """What was admitted is the kernel with the data that it had."""

    def scaled(z, gamma, out, data):  # type: ignore[no-untyped-def]
        for i in range(z.shape[0]):
            out[i] = z[i] / (1 + gamma * data[0])

    problem = on(Resolvent(scaled, np.array([1.0]), 2, "scaled"))
    guard(problem)
    problem.resolvent.data[0] = -3.0
    with pytest.raises(OpcheckError, match="not firmly nonexpansive"):
        guard(problem)
