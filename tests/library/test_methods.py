"""Methods against the papers' pseudo-code in plain numpy, each other, and themselves transformed.

Each declaration names its reference, which was written from the published formula, with whole
vectors and no opcheck.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine.pseudo_code import by_reference, kept, reference_of, step_of, values_of
from opcheck.engine.run import run, run_batch
from opcheck.errors import OpcheckError
from opcheck.model.method import Method, resolve
from opcheck.model.operator import NO_CONSTRAINT, linear
from opcheck.model.problem import Problem
from opcheck.model.problem import problem as problem_named
from opcheck_problems.sets import box, l1

Vector = NDArray[np.float64]

# ---- the references -------------------------------------------------------------------------

METHODS = registry.names("methods")
REFERRED = [n for n in METHODS if registry.get("methods", n).reference is not None]
OF_METHODS = [n for n in REFERRED if isinstance(registry.get("methods", n), Method)]
OVER_OTHERS = [n for n in REFERRED if n not in OF_METHODS]
CONSTRAINED = [n for n in OF_METHODS if resolve(n).constrained]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_reference(name: str) -> None:
    """A new method also says in numpy what one step is: ``@method(..., reference=...)``."""
    assert reference_of(name)


# ---- the operators -----------------------------------------------------------------------------

D = 6
RANDOM = np.random.default_rng(20231020)
ORTHOGONAL = np.linalg.qr(RANDOM.standard_normal((D, D)))[0]
# strongly monotone, of norm below 1, and T = I − M nonexpansive: every method is at home here
MATRIX = 0.5 * (np.eye(D) - 0.9 * ORTHOGONAL)
OFFSET, START = RANDOM.standard_normal((2, D))
LINEAR = Problem(linear(MATRIX, OFFSET), name="random linear", start=START)


def free(z: Vector, gamma: float) -> Vector:
    return z


def of_linear(z: Vector) -> Vector:
    return MATRIX @ z + OFFSET


def of_forsaken(z: Vector) -> Vector:
    x, y = z
    slope = z / 2 - 2 * z**3 + z**5
    return np.array([y - 0.45 + slope[0], -x + slope[1]])


def iterates(method: str, where: Problem, count: int = 40, **values: Any) -> Vector:
    return run(method, where, count, iterates=True, **values).iterates


def assert_same(ours: Vector, theirs: Vector, tolerance: float = 1e-14) -> None:
    """Equal up to a few roundings of the largest number in the runs."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize("name", OF_METHODS)
def test_the_pseudo_code_on_a_linear_operator(name: str) -> None:
    theirs = by_reference(name, of_linear, free, START, 40)
    assert_same(iterates(name, LINEAR, **values_of(name)), theirs)
    assert np.abs(theirs[-1] - START).max() > 0.1  # it moved


@pytest.mark.parametrize("half", [1.5, 0.3])
@pytest.mark.parametrize("name", CONSTRAINED)
@pytest.mark.sampled(4)
def test_the_pseudo_code_on_the_forsaken_game_in_a_box(name: str, half: float) -> None:
    """In its own box from a corner, and in one so small that the solution is outside."""
    where = dataclasses.replace(
        problem_named("forsaken"),
        resolvent=box([-half, -half], [half, half]),
        start=np.array([half, -half]),
        solution=None,
    )

    def clip(z: Vector, gamma: float) -> Vector:
        return np.clip(z, -half, half)

    theirs = by_reference(name, of_forsaken, clip, where.start, 30)
    assert_same(iterates(name, where, 30, **values_of(name)), theirs)
    unclipped = by_reference(name, of_forsaken, free, where.start, 30)
    assert np.abs(theirs - unclipped).max() > 1e-3  # the box matters


def memoryless(name: str) -> bool:
    """Whether a step depends on z alone."""
    return not {"z0", "k", "memory"} & set(inspect.signature(reference_of(name)).parameters)


MEMORYLESS = [n for n in OF_METHODS if memoryless(n)]


def of_base(name: str) -> dict[str, Any]:
    """The values of a method as those of a base, whose names another method may have too."""
    return {f"base.{n}": value for n, value in values_of(name).items()}


@pytest.mark.parametrize("tau", [1, 2, 5])
@pytest.mark.parametrize("name", MEMORYLESS)
@pytest.mark.sampled(8)
def test_lookahead_is_its_pseudo_code(name: str, tau: int) -> None:
    """w ← z; τ times w ← Alg(w); z ← (1 − λ)z + λw, the inner points included."""
    step = step_of(name, F=of_linear, J=free, z0=START)
    points, z = [START], START
    while len(points) <= 40:
        w = z
        for _ in range(tau):
            w = step(w, 0, {})
            points.append(w)
        points[-1] = z = 0.7 * z + 0.3 * w
    ours = iterates(f"lookahead({name})", LINEAR, 40, lam=0.3, tau=tau, **of_base(name))
    assert_same(ours, np.array(points[:41]))


@pytest.mark.parametrize("name", OVER_OTHERS)
@pytest.mark.parametrize("base", MEMORYLESS)
def test_the_pseudo_code_over_a_method(name: str, base: str) -> None:
    inner = step_of(base, F=of_linear, J=free, z0=START)
    step, memory = step_of(name, step=lambda z, j: inner(z, j, {})), {}  # type: ignore[var-annotated]
    points = [START]
    for k in range(40):
        points.append(step(points[-1], k, memory))
    ours = iterates(f"{name}({base})", LINEAR, **of_base(base), **values_of(name))
    assert_same(ours, np.array(points))


# ---- one method is another ---------------------------------------------------------------------


@pytest.mark.parametrize("lam", [0.1, 0.5, 1.5])
def test_rapp_of_one_inner_step_is_gda_with_step_lambda_gamma(lam: float) -> None:
    assert_same(
        iterates("rapp", LINEAR, gamma=0.3, lam=lam, tau=1),
        iterates("gradient_descent_ascent", LINEAR, gamma=0.3 * lam),
    )


@pytest.mark.parametrize("lam", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(
    "where", [LINEAR, problem_named("forsaken", box=0.0)], ids=lambda p: p.name
)
def test_rapp_of_two_inner_steps_is_eg_plus_with_alpha_lambda(where: Problem, lam: float) -> None:
    assert_same(
        iterates("rapp", where, gamma=0.06, lam=lam, tau=2),
        iterates("eg_plus", where, gamma=0.06, alpha=lam),
    )


def test_lookahead_of_two_gda_steps_averages_gda_and_eg_plus() -> None:
    """z − λγ(F z + F(z − γ F z)), the midpoint of GDA with step 2λγ and EG+ with α = 2λ."""
    gamma, lam = 0.3, 0.2
    both = iterates("lookahead(gradient_descent_ascent)", LINEAR, gamma=gamma, lam=lam, tau=2)[::2]
    z = START
    for ours in both:
        assert_same(ours, z)
        here = dataclasses.replace(LINEAR, start=z)
        descent = run("gradient_descent_ascent", here, 1, gamma=2 * lam * gamma).z
        extra = run("eg_plus", here, 1, gamma=gamma, alpha=2 * lam).z
        z = z - lam * gamma * (of_linear(z) + of_linear(z - gamma * of_linear(z)))
        assert_same((descent + extra) / 2, z)


@pytest.mark.parametrize("tau", [1, 3, kept([1, 2, 3])])
def test_the_approximate_proximal_point_is_rapp_with_lambda_one(tau: Any) -> None:
    """0·z + 1·w is w: not one bit differs."""
    boxed = problem_named("bilinear_box")
    for where in (LINEAR, boxed):
        one = iterates("rapp", where, gamma=0.5, lam=1.0, tau=tau)
        assert (
            one.tobytes()
            == iterates("approximate_proximal_point", where, gamma=0.5, tau=tau).tobytes()
        )


@pytest.mark.parametrize("tau", [1, 2, 7])
def test_one_approximate_proximal_point_is_the_inner_loop(tau: int) -> None:
    where = problem_named("bilinear_box")
    once = run("approximate_proximal_point", where, 1, gamma=0.5, tau=tau).z
    assert once.tobytes() == run("inner_loop", where, tau, gamma=0.5).z.tobytes()


@pytest.mark.parametrize(
    "where",
    [LINEAR, problem_named("bilinear_box"), problem_named("disc_skew")],
    ids=lambda p: p.name,
)
def test_rapp_of_many_inner_steps_is_the_relaxed_proximal_point(where: Problem) -> None:
    """γL ≤ 1/2, so 60 inner steps leave 2^−60 of the error."""
    many = iterates("rapp", where, gamma=0.5, lam=0.7, tau=60)
    assert_same(many, iterates("relaxed_proximal_point", where, gamma=0.5, lam=0.7))
    full = iterates("relaxed_proximal_point", where, gamma=0.5, lam=1.0)
    assert_same(full, iterates("proximal_point", where, gamma=0.5), 0)


def test_the_proximal_point_is_the_inverse_matrix() -> None:
    resolvent = np.linalg.inv(np.eye(D) + 0.8 * MATRIX)
    points = [START]
    for _ in range(40):
        points.append(resolvent @ (points[-1] - 0.8 * OFFSET))
    assert_same(iterates("proximal_point", LINEAR, gamma=0.8), np.array(points))


@pytest.mark.parametrize("name", [*MEMORYLESS, "rapp", "halpern", "lookahead(eg_plus)"])
def test_lookahead_with_lambda_one_is_its_base(name: str) -> None:
    given = {
        "rapp": {"gamma": 0.3, "base.lam": 0.4, "base.tau": 2},
        "lookahead(eg_plus)": {"gamma": 0.3, "alpha": 0.5, "base.lam": 0.4, "base.tau": 3},
    }.get(name) or of_base(name)
    own = {key.removeprefix("base."): value for key, value in given.items()}
    tau = 1000 if name in ("halpern", "lookahead(eg_plus)") else 4
    whole = iterates(f"lookahead({name})", LINEAR, lam=1.0, tau=tau, **given)
    assert whole.tobytes() == iterates(name, LINEAR, **own).tobytes()


@pytest.mark.parametrize("base", ["eg_plus", "ceg_plus"])
def test_lookahead_of_one_step_relaxes_alpha(base: str) -> None:
    where = LINEAR if base == "eg_plus" else problem_named("bilinear_box")
    assert_same(
        iterates(f"lookahead({base})", where, gamma=0.5, alpha=0.8, lam=0.25, tau=1),
        iterates(base, where, gamma=0.5, alpha=0.2),
    )


def test_ceg_plus_without_constraint_is_eg_plus_and_eg_plus_with_alpha_one_is_extragradient() -> (
    None
):
    one = iterates("eg_plus", LINEAR, gamma=0.6, alpha=0.7)
    assert_same(iterates("ceg_plus", LINEAR, gamma=0.6, alpha=0.7), one)
    full = iterates("eg_plus", LINEAR, gamma=0.6, alpha=1.0)
    assert full.tobytes() == iterates("extragradient", LINEAR, gamma=0.6).tobytes()


def test_past_extragradient_without_constraint_is_the_optimistic_gradient_method() -> None:
    """z̄⁺ = z̄ − 2γ F z̄ + γ F z̄₋ from z̄ = z⁰, with F z̄₋ := 0."""
    method, gamma = resolve("past_extragradient"), 0.3
    before, zbar = np.zeros(D), START
    for k in range(1, 21):
        state = run_batch(LINEAR, method, [{"gamma": gamma}], [k], []).state[0]
        assert_same(state[method.rows.index("zbar")], zbar)
        value = of_linear(zbar)
        zbar, before = zbar - 2 * gamma * value + gamma * before, value


def look_ahead(method: str, count: int, **values: Any) -> Vector:
    """Row zbar after 1, ..., count steps."""
    entry = resolve(method)
    row = entry.rows.index("zbar")
    found = [run_batch(LINEAR, entry, [values], [k], []).state[0, row] for k in range(1, count + 1)]
    return np.array(found)


def test_warm_past_extragradient_looks_ahead_at_the_forward_reflected_backward_points() -> None:
    points = iterates("forward_reflected_backward", LINEAR, 20, gamma=0.3)
    assert_same(look_ahead("warm_past_extragradient", 20, gamma=0.3), points[1:])


def test_past_extragradient_is_the_reflected_gradient_method() -> None:
    """x⁺ = x − γ F(2x − x₋), from x₁ = x⁰ − γ F x⁰ on."""
    x = iterates("past_extragradient", LINEAR, 40, gamma=0.3)
    theirs = [x[0], x[0] - 0.3 * of_linear(x[0])]
    for _ in range(39):
        theirs.append(theirs[-1] - 0.3 * of_linear(2 * theirs[-1] - theirs[-2]))
    assert_same(x, np.array(theirs))


def test_ogda_plus_with_equal_steps_is_past_extragradient() -> None:
    assert_same(
        iterates("ogda_plus", LINEAR, gamma=0.3, eta=0.3),
        iterates("past_extragradient", LINEAR, gamma=0.3),
    )


@pytest.mark.parametrize("where", [LINEAR, problem_named("bilinear_box")], ids=lambda p: p.name)
def test_forward_backward_forward_is_ceg_plus_with_alpha_one(where: Problem) -> None:
    assert_same(
        iterates("forward_backward_forward", where, gamma=0.4),
        iterates("ceg_plus", where, gamma=0.4, alpha=1.0),
    )


def test_forward_backward_forward_without_constraint_is_extragradient() -> None:
    assert_same(
        iterates("forward_backward_forward", LINEAR, gamma=0.6),
        iterates("extragradient", LINEAR, gamma=0.6),
    )


@pytest.mark.parametrize("where", [LINEAR, problem_named("bilinear_box")], ids=lambda p: p.name)
def test_the_accelerated_proximal_point_is_halpern_of_the_reflected_resolvent(
    where: Problem,
) -> None:
    beta = [1 / (k + 2) for k in range(40)]
    assert_same(
        iterates("accelerated_proximal_point", where, gamma=0.5),
        iterates("anchored_proximal_point", where, gamma=0.5, lam=2.0, beta=beta),
    )


def test_os_ppm_in_its_momentum_form_is_anchored() -> None:
    """Park and Ryu's y_k, with J_A for A = γ F, μ-strongly monotone; x_k = J y_{k−1}."""
    mu, gamma = 0.05, 0.5
    g = 1 + 2 * gamma * mu
    J = np.linalg.inv(np.eye(D) + gamma * MATRIX)
    phi = [0.0]
    for _ in range(42):
        phi.append(g**2 * phi[-1] + 1)
    x, y, last = START, START, START
    points = [y]
    for k in range(40):
        before, x = x, J @ (y - gamma * OFFSET)
        step = (phi[k + 1] - 1) / phi[k + 2] * (x - before)
        step -= 2 * gamma * mu * phi[k + 1] / phi[k + 2] * (y - x)
        step += g * phi[k] / phi[k + 2] * (last - before)
        last, y = y, x + step
        points.append(y)
    beta = [1 / phi[k + 2] for k in range(40)]
    ours = iterates("anchored_proximal_point", LINEAR, gamma=gamma, lam=1 + 1 / g, beta=beta)
    assert_same(ours, np.array(points), 1e-13)


@pytest.mark.parametrize("N", [1, 2, 7, 30])
def test_the_dual_methods_end_where_the_primal_ones_do_on_a_linear_operator(N: int) -> None:
    """Dual OHM's last residual is Halpern's, dual FEG's last point is FEG's."""
    weight = [(N - k - 1) / (N - k) for k in range(N)]
    dual = iterates("dual_halpern", LINEAR, N - 1, weight=weight)[-1]
    assert_same(of_linear(dual), of_linear(iterates("halpern", LINEAR, N - 1)[-1]))
    dual = iterates("dual_feg", LINEAR, N, gamma=0.5, weight=weight)[-1]
    assert_same(dual, iterates("feg", LINEAR, N, gamma=0.5, rho=0.0)[-1])


def test_oc_halpern_with_halperns_weights_is_halpern() -> None:
    beta = [1 / (k + 2) for k in range(40)]
    ours = iterates("oc_halpern", LINEAR, beta=beta)
    assert ours.tobytes() == iterates("halpern", LINEAR).tobytes()
    once = iterates("anchored_gradient", LINEAR, gamma=1.0)
    assert once.tobytes() == ours.tobytes()


@pytest.mark.parametrize("where", [LINEAR, problem_named("bilinear_box")], ids=lambda p: p.name)
def test_douglas_rachford_is_the_relaxed_proximal_point_of_f_where_a_vanishes(
    where: Problem,
) -> None:
    free_of = dataclasses.replace(where, resolvent=NO_CONSTRAINT)
    assert_same(
        iterates("douglas_rachford", free_of, gamma=0.5, lam=0.7),
        iterates("relaxed_proximal_point", free_of, gamma=0.5, lam=0.7),
        1e-13,
    )


def test_douglas_rachford_ends_at_a_solution_and_its_shadow() -> None:
    """z → z* + γ F z* and J_{γF} z → z*, in a box that binds."""
    limits = box([-0.5] * D, [0.5] * D)
    where = Problem(linear(MATRIX, 2 * OFFSET), limits, name="boxed", start=START)
    z = run("douglas_rachford", where, 2000, gamma=0.9, lam=1.0).z
    x = np.linalg.solve(np.eye(D) + 0.9 * MATRIX, z - 0.9 * 2 * OFFSET)
    value = MATRIX @ x + 2 * OFFSET
    assert_same(np.clip(x - value, -0.5, 0.5), x, 1e-12)
    assert_same(x + 0.9 * value, z, 1e-12)
    assert np.abs(x).max() == pytest.approx(0.5)


# the first ends at J z⁰, and of the second a weight that stays keeps z⁰ in
ELSEWHERE = {"inner_loop", "anchored_proximal_point"}


@pytest.mark.parametrize("name", [n for n in CONSTRAINED if n not in ELSEWHERE])
def test_a_method_ends_where_it_says(name: str) -> None:
    """At z*, or at z* + γ F z* where it declares that γ: in a box that binds they lie far apart."""
    limits = box([-0.5] * D, [0.5] * D)
    where = Problem(linear(MATRIX, 2 * OFFSET), limits, name="boxed", start=START)
    solution = run("extragradient", where, 2000, gamma=0.9).z
    assert np.abs(solution).max() == pytest.approx(0.5)
    value = MATRIX @ solution + 2 * OFFSET
    # of a schedule its last entry at every k
    values = {n: v if np.ndim(v) == 0 else v[-1] for n, v in values_of(name).items()}
    method = resolve(name)
    end = run(name, where, 20000, record=[20000], **values).z
    stated = solution + (values[method.shadow] * value if method.shadow else 0)
    assert np.linalg.norm(end - stated) < 0.02 * np.linalg.norm(value)


def test_halpern_on_a_linear_map_is_an_ergodic_mean() -> None:
    """x_k − T x_k = (I − T^{k+1})(x⁰ − x*)/(k + 1)."""
    T = np.eye(D) - MATRIX
    solution = np.linalg.solve(MATRIX, -OFFSET)
    trajectory = run("halpern", LINEAR, 40, iterates=True)
    power = np.eye(D)
    for k, x in enumerate(trajectory.iterates):
        power = power @ T
        expected = (START - solution - power @ (START - solution)) / (k + 1)
        assert_same(of_linear(x), expected)
        np.testing.assert_allclose(trajectory["residual"][k], expected @ expected, rtol=1e-12)


def test_krasnoselskii_mann_is_a_product_of_matrices() -> None:
    weights = [0.5, 0.25, 1.0, 0.75]
    z = START - np.linalg.solve(MATRIX, -OFFSET)
    centred = Problem(linear(MATRIX), name="centred", start=z)
    expected = [z]
    for k in range(40):
        a = weights[min(k, 3)]
        expected.append(((1 - a) * np.eye(D) + a * (np.eye(D) - MATRIX)) @ expected[-1])
    assert_same(iterates("krasnoselskii_mann", centred, a=kept(weights)), np.array(expected))


@pytest.mark.parametrize("gamma", [0.3, 0.9])
def test_the_inner_loop_on_an_affine_operator_in_closed_form(gamma: float) -> None:
    """w_τ = J z + X^τ (I − J) z with X = −γM and J the resolvent."""
    resolvent = np.linalg.solve(np.eye(D) + gamma * MATRIX, START - gamma * OFFSET)
    for tau, w in enumerate(iterates("inner_loop", LINEAR, 30, gamma=gamma)):
        power = np.linalg.matrix_power(-gamma * MATRIX, tau)
        assert_same(w, resolvent + power @ (START - resolvent))


@pytest.mark.parametrize("outer", [3, 4, 6])
@pytest.mark.ci
def test_nested_lookahead_is_a_polynomial_in_the_base(outer: int) -> None:
    """Inner loops of 3 and outer ones of τ steps; an outer loop cuts an inner one that is open."""
    gamma, lam, mu, inner = 0.5, 0.4, 0.3, 3
    one = np.eye(D)
    base = one - gamma * MATRIX
    loop = (1 - lam) * one + lam * np.linalg.matrix_power(base, inner)
    full, rest = divmod(outer, inner)
    whole = np.linalg.matrix_power(base, rest) @ np.linalg.matrix_power(loop, full)
    whole = (1 - mu) * one + mu * whole
    centred = Problem(linear(MATRIX), name="centred", start=START)
    ours = iterates(
        "lookahead(lookahead(gradient_descent_ascent))",
        centred,
        5 * outer,
        **{"gamma": gamma, "base.lam": lam, "base.tau": inner, "lam": mu, "tau": outer},
    )
    for j, z in enumerate(ours[::outer]):
        assert_same(z, np.linalg.matrix_power(whole, j) @ START)


# ---- what is measured of them --------------------------------------------------------------------


def test_the_residual_of_a_step_is_that_of_what_the_projection_returned() -> None:
    """γ(F z⁺ + c) with γc = z − γ F z̄ − z⁺ in the normal cone of the box, for two methods."""
    half, gamma = 0.4, 0.3
    where = Problem(
        linear(MATRIX, 2 * OFFSET), box([-half] * D, [half] * D), name="boxed", start=START
    )

    def F(z: Vector) -> Vector:
        return MATRIX @ z + 2 * OFFSET

    def J(z: Vector) -> Vector:
        return np.clip(z, -half, half)

    found = run("extragradient", where, 12, measures=["step_residual(z, Fz)"], gamma=gamma)
    z = START
    for k in range(1, 13):
        v = F(J(z - gamma * F(z)))
        c, z = z - gamma * v - J(z - gamma * v), J(z - gamma * v)
        assert np.all((c == 0) | (np.abs(z) == half))
        assert found["step_residual(z, Fz)"][k] == pytest.approx(
            np.sum((gamma * F(z) + c) ** 2), rel=1e-12
        )
    names = ["step_residual", "value_distance"]
    found = run("past_extragradient", where, 12, measures=names, gamma=gamma)
    z, zbar = START, START
    for k in range(1, 13):
        v = F(zbar)
        c, z = z - gamma * v - J(z - gamma * v), J(z - gamma * v)
        assert found["step_residual"][k] == pytest.approx(
            np.sum((gamma * F(z) + c) ** 2), rel=1e-12
        )
        assert found["value_distance"][k] == pytest.approx(np.sum((F(z) - v) ** 2), rel=1e-12)
        zbar = J(z - gamma * v)


def test_the_gap_and_the_shadow() -> None:
    where = problem_named("disc_skew")
    solution = where.solution_near(where.start)
    assert solution is not None
    found = run("forward_backward_forward", where, 5, measures=["gap(g, zbar)"], gamma=0.5)
    z = where.start
    for k in range(1, 6):
        ahead = z - 0.5 * where.operator(z)
        zbar = where.resolvent(ahead, 0.5)
        g = ahead - zbar + 0.5 * where.operator(zbar)
        assert found["gap(g, zbar)"][k] == pytest.approx(g @ (zbar - solution), abs=1e-14)
        z = z - g
    found = run("douglas_rachford", where, 5, measures=["shadow_distance"], gamma=0.5, lam=1.0)
    fixed = solution + 0.5 * where.operator(solution)
    assert found["shadow_distance"][0] == pytest.approx(np.sum((where.start - fixed) ** 2))
    assert found["shadow_distance"][5] == pytest.approx(np.sum((found.z - fixed) ** 2))


# ---- symmetries --------------------------------------------------------------------------------

STEPS = {"gamma", "eta", "rho", "a"}  # what is measured in units of 1/F


@pytest.mark.parametrize("name", [n for n in OF_METHODS if STEPS & set(values_of(n))])
def test_scaling_the_operator_and_dividing_the_steps_changes_no_bit(name: str) -> None:
    """By a power of two nothing rounds. An adaptive step with a wrong dimension fails here."""
    s = 2.0**7
    values = values_of(name)
    scaled = {n: np.asarray(v) / s if n in STEPS else v for n, v in values.items()}
    scaled = {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in scaled.items()}
    louder = Problem(linear(s * MATRIX, s * OFFSET), name="louder", start=START)
    assert iterates(name, louder, **scaled).tobytes() == iterates(name, LINEAR, **values).tobytes()


@pytest.mark.parametrize("name", CONSTRAINED)
def test_scaling_the_operator_and_the_regulariser(name: str) -> None:
    """0 ∈ sF + s∂λ‖·‖₁ with γ/s; a resolvent that is given another γ than its step fails here."""
    s, values = 2.0**-5, values_of(name)
    quiet = Problem(linear(s * MATRIX, s * OFFSET), l1(0.25 * s), name="quiet", start=START)
    loud = Problem(linear(MATRIX, OFFSET), l1(0.25), name="loud", start=START)
    ours = iterates(name, quiet, **values | {"gamma": values["gamma"] / s})
    theirs = iterates(name, loud, **values)
    assert ours.tobytes() == theirs.tobytes()
    assert np.abs(theirs - iterates(name, LINEAR, **values)).max() > 1e-3


@pytest.mark.parametrize("name", OF_METHODS)
def test_rotating_the_operator_and_the_start_rotates_the_run(name: str) -> None:
    Q = np.linalg.qr(RANDOM.standard_normal((D, D)))[0]
    turned = Problem(linear(Q @ MATRIX @ Q.T, Q @ OFFSET), name="turned", start=Q @ START)
    values = values_of(name)
    assert_same(iterates(name, turned, **values), iterates(name, LINEAR, **values) @ Q.T, 1e-13)


@pytest.mark.parametrize("name", CONSTRAINED)
def test_permuting_and_reflecting_coordinates_in_a_symmetric_box(name: str) -> None:
    P = np.eye(D)[RANDOM.permutation(D)] * RANDOM.choice([-1.0, 1.0], D)
    values, limits = values_of(name), box([-0.75] * D, [0.75] * D)
    plain = Problem(linear(MATRIX, 2 * OFFSET), limits, name="boxed", start=START)
    turned = Problem(
        linear(P @ MATRIX @ P.T, P @ (2 * OFFSET)), limits, name="turned", start=P @ START
    )
    theirs = iterates(name, plain, **values)
    assert_same(iterates(name, turned, **values), theirs @ P.T, 1e-13)
    free_run = iterates(name, dataclasses.replace(plain, resolvent=NO_CONSTRAINT), **values)
    assert np.abs(theirs - free_run).max() > 1e-2  # the box binds


@pytest.mark.parametrize("name", OF_METHODS)
def test_translating_the_operator_and_the_start_translates_the_run(name: str) -> None:
    shift = np.arange(1.0, D + 1)
    moved = Problem(linear(MATRIX, OFFSET - MATRIX @ shift), name="moved", start=START + shift)
    values = values_of(name)
    assert_same(iterates(name, moved, **values), iterates(name, LINEAR, **values) + shift, 1e-13)


def test_a_batch_is_packed_as_its_runs_are() -> None:
    rapp = resolve("rapp")
    runs = [{"gamma": 0.1, "lam": 0.5, "tau": 3}, {"gamma": 0.2, "lam": 0.25, "tau": 7}]
    assert rapp.pack_batch(runs, 50).tolist() == [rapp.pack(v) for v in runs]
    runs[1]["tau"] = [1, 2, 4]
    assert rapp.pack_batch(runs, 4).tolist() == [rapp.pack(v, 4) for v in runs]
    with pytest.raises(OpcheckError, match="rapp: tau has 3 entries and the run 4 steps"):
        rapp.pack_batch(runs, 5)
    assert resolve("halpern").pack_batch([{}, {}], 50).shape == (2, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gamma": 0.1, "lam": math.nan, "tau": 3},
        {"gamma": 0.1, "lam": 0.5, "tau": 2.5},
        {"gamma": 0.1, "lam": 0.5, "tau": 0},
        {"gamma": 0.1, "lam": "0.5", "tau": 3},
        {"gamma": 0.1, "lam": 0.5},
        {"gamma": None, "lam": 0.5, "tau": 3},
        {"gamma": 0.1 + 1j, "lam": 0.5, "tau": 3},
        {"gamma": 0.1, "lam": 0.5, "tau": [3, None]},
    ],
)
def test_one_bad_run_of_a_batch_is_refused(wrong: dict[str, Any]) -> None:
    rapp = resolve("rapp")
    with pytest.raises(OpcheckError) as alone:
        rapp.pack(wrong)
    with pytest.raises(OpcheckError) as together:
        rapp.pack_batch([{"gamma": 0.1, "lam": 0.5, "tau": 3}, wrong], 50)
    assert str(together.value) == str(alone.value)
