"""Methods against the papers' pseudo-code in plain numpy, each other, and themselves transformed.

The references below were written from the published formulas, with whole vectors and no opcheck.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from opcheck.engine.run import run, run_batch
from opcheck.errors import OpcheckError
from opcheck.model.method import resolve
from opcheck.model.operator import NO_CONSTRAINT, linear
from opcheck.model.problem import Problem
from opcheck.model.problem import problem as problem_named
from opcheck_problems.sets import box, l1

Vector = NDArray[np.float64]
Map = Callable[[Vector], Vector]
Prox = Callable[[Vector, float], Vector]
Values = Mapping[str, Any]

# ---- the pseudo-code -------------------------------------------------------------------------


def picard(F: Map, J: Prox, z: Vector, gamma: float, times: int) -> Vector:
    """``times`` applications of w ↦ J(z − γ F w) from w = z."""
    w = z
    for _ in range(times):
        w = J(z - gamma * F(w), gamma)
    return w


def gda(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    return J(z - p["gamma"] * F(z), p["gamma"])


def extragradient(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    zbar = J(z - p["gamma"] * F(z), p["gamma"])
    return J(z - p["gamma"] * F(zbar), p["gamma"])


def eg_plus(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    return z - p["alpha"] * p["gamma"] * F(z - p["gamma"] * F(z))


def ceg_plus(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    def H(v: Vector) -> Vector:
        return v - p["gamma"] * F(v)

    zbar = J(H(z), p["gamma"])
    return z - p["alpha"] * (H(z) - H(zbar))


def past_extragradient(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    zbar = J(z - p["gamma"] * s.get("last", 0), p["gamma"])
    s["last"] = F(zbar)
    return J(z - p["gamma"] * s["last"], p["gamma"])


def km(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    weight = p["a"][min(k, len(p["a"]) - 1)]
    return (1 - weight) * z + weight * (z - F(z))


def halpern(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    return s["z0"] / (k + 2) + (k + 1) / (k + 2) * (z - F(z))


def eag(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    pulled = z + (s["z0"] - z) / (k + 2)
    return pulled - p["gamma"] * F(pulled - p["gamma"] * F(z))


def feg(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    beta, Fz = 1 / (k + 1), F(z)
    half = z + beta * (s["z0"] - z) - (1 - beta) * (p["gamma"] + 2 * p["rho"]) * Fz
    return z + beta * (s["z0"] - z) - p["gamma"] * F(half) - (1 - beta) * 2 * p["rho"] * Fz


def proximal(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    return picard(F, J, z, p["gamma"], 200)


def relaxed(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    return (1 - p["lam"]) * z + p["lam"] * picard(F, J, z, p["gamma"], 200)


def inner_loop(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    return J(s["z0"] - p["gamma"] * F(z), p["gamma"])


def app(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    return picard(F, J, z, p["gamma"], p["tau"][min(k, len(p["tau"]) - 1)])


def rapp(F: Map, J: Prox, z: Vector, k: int, s: dict[str, Any], p: Values) -> Vector:
    times = p["tau"][min(k, len(p["tau"]) - 1)]
    return (1 - p["lam"]) * z + p["lam"] * picard(F, J, z, p["gamma"], times)


G = {"gamma": 0.0625}
REFERENCES: dict[str, tuple[Callable[..., Vector], dict[str, Any]]] = {
    "gradient_descent_ascent": (gda, G),
    "extragradient": (extragradient, G),
    "eg_plus": (eg_plus, G | {"alpha": 0.7}),
    "ceg_plus": (ceg_plus, G | {"alpha": 0.7}),
    "past_extragradient": (past_extragradient, G),
    "krasnoselskii_mann": (km, {"a": [0.5, 0.3, 0.9]}),
    "halpern": (halpern, {}),
    "anchored_extragradient": (eag, G),
    "feg": (feg, G | {"rho": -0.01}),
    "proximal_point": (proximal, G),
    "relaxed_proximal_point": (relaxed, G | {"lam": 0.4}),
    "inner_loop": (inner_loop, G),
    "approximate_proximal_point": (app, G | {"tau": [1, 4, 2, 3]}),
    "rapp": (rapp, G | {"lam": 0.4, "tau": [3, 1, 5]}),
}
CONSTRAINED = [name for name in REFERENCES if resolve(name).constrained]


def by_reference(name: str, F: Map, J: Prox, z0: Vector, count: int) -> Vector:
    step, values = REFERENCES[name]
    memory: dict[str, Any] = {"z0": z0}
    points = [z0]
    for k in range(count):
        points.append(step(F, J, points[-1], k, memory, values))
    return np.array(points)


# ---- the operators -----------------------------------------------------------------------------

D = 6
RANDOM = np.random.default_rng(20231020)
ORTHOGONAL = np.linalg.qr(RANDOM.standard_normal((D, D)))[0]
# strongly monotone, of norm below 1, and T = I − M nonexpansive: every method is at home here
MATRIX = 0.5 * (np.eye(D) - 0.9 * ORTHOGONAL)
OFFSET, START = RANDOM.standard_normal((2, D))
LINEAR = Problem("random linear", linear(MATRIX, OFFSET), start=START)


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


@pytest.mark.parametrize("name", REFERENCES)
def test_the_pseudo_code_on_a_linear_operator(name: str) -> None:
    theirs = by_reference(name, of_linear, free, START, 40)
    assert_same(iterates(name, LINEAR, **REFERENCES[name][1]), theirs)
    assert np.abs(theirs[-1] - START).max() > 0.1  # it moved


@pytest.mark.parametrize("half", [1.5, 0.3])
@pytest.mark.parametrize("name", CONSTRAINED)
def test_the_pseudo_code_on_the_forsaken_game_in_a_box(name: str, half: float) -> None:
    """In its own box from a corner, and in one so small that the solution is outside."""
    where = dataclasses.replace(
        problem_named("forsaken"),
        resolvent=box([-half, -half], [half, half]),
        start=np.array([half, -half]),
    )

    def clip(z: Vector, gamma: float) -> Vector:
        return np.clip(z, -half, half)

    theirs = by_reference(name, of_forsaken, clip, where.start, 30)
    assert_same(iterates(name, where, 30, **REFERENCES[name][1]), theirs)
    unclipped = by_reference(name, of_forsaken, free, where.start, 30)
    assert np.abs(theirs - unclipped).max() > 1e-3  # the box matters


MEMORYLESS = ["gradient_descent_ascent", "extragradient", "eg_plus", "ceg_plus"]


@pytest.mark.parametrize("tau", [1, 2, 5])
@pytest.mark.parametrize("name", MEMORYLESS)
def test_lookahead_is_its_pseudo_code(name: str, tau: int) -> None:
    """w ← z; τ times w ← Alg(w); z ← (1 − λ)z + λw, the inner points included."""
    step, values = REFERENCES[name]
    points, z = [START], START
    while len(points) <= 40:
        w = z
        for _ in range(tau):
            w = step(of_linear, free, w, 0, {}, values)
            points.append(w)
        points[-1] = z = 0.7 * z + 0.3 * w
    ours = iterates(f"lookahead({name})", LINEAR, 40, lam=0.3, tau=tau, **values)
    assert_same(ours, np.array(points[:41]))


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


@pytest.mark.parametrize("tau", [1, 3, [1, 2, 3]])
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
        "halpern": {},
    }.get(name, REFERENCES.get(name, (None, {}))[1])
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
    centred = Problem("centred", linear(MATRIX), start=z)
    expected = [z]
    for k in range(40):
        a = weights[min(k, 3)]
        expected.append(((1 - a) * np.eye(D) + a * (np.eye(D) - MATRIX)) @ expected[-1])
    assert_same(iterates("krasnoselskii_mann", centred, a=weights), np.array(expected))


@pytest.mark.parametrize("gamma", [0.3, 0.9])
def test_the_inner_loop_on_an_affine_operator_in_closed_form(gamma: float) -> None:
    """w_τ = J z + X^τ (I − J) z with X = −γM and J the resolvent."""
    resolvent = np.linalg.solve(np.eye(D) + gamma * MATRIX, START - gamma * OFFSET)
    for tau, w in enumerate(iterates("inner_loop", LINEAR, 30, gamma=gamma)):
        power = np.linalg.matrix_power(-gamma * MATRIX, tau)
        assert_same(w, resolvent + power @ (START - resolvent))


@pytest.mark.parametrize("outer", [3, 4, 6])
def test_nested_lookahead_is_a_polynomial_in_the_base(outer: int) -> None:
    """Inner loops of 3 and outer ones of τ steps; an outer loop cuts an inner one that is open."""
    gamma, lam, mu, inner = 0.5, 0.4, 0.3, 3
    one = np.eye(D)
    base = one - gamma * MATRIX
    loop = (1 - lam) * one + lam * np.linalg.matrix_power(base, inner)
    full, rest = divmod(outer, inner)
    whole = np.linalg.matrix_power(base, rest) @ np.linalg.matrix_power(loop, full)
    whole = (1 - mu) * one + mu * whole
    centred = Problem("centred", linear(MATRIX), start=START)
    ours = iterates(
        "lookahead(lookahead(gradient_descent_ascent))",
        centred,
        5 * outer,
        **{"gamma": gamma, "base.lam": lam, "base.tau": inner, "lam": mu, "tau": outer},
    )
    for j, z in enumerate(ours[::outer]):
        assert_same(z, np.linalg.matrix_power(whole, j) @ START)


# ---- symmetries --------------------------------------------------------------------------------

STEPS = {"gamma", "rho", "a"}  # what is measured in units of 1/F


def values_of(name: str) -> dict[str, Any]:
    return dict(REFERENCES[name][1])


@pytest.mark.parametrize("name", [n for n in REFERENCES if STEPS & set(REFERENCES[n][1])])
def test_scaling_the_operator_and_dividing_the_steps_changes_no_bit(name: str) -> None:
    """By a power of two nothing rounds. An adaptive step with a wrong dimension fails here."""
    s = 2.0**7
    values = values_of(name)
    scaled = {n: np.asarray(v) / s if n in STEPS else v for n, v in values.items()}
    scaled = {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in scaled.items()}
    louder = Problem("louder", linear(s * MATRIX, s * OFFSET), start=START)
    assert iterates(name, louder, **scaled).tobytes() == iterates(name, LINEAR, **values).tobytes()


@pytest.mark.parametrize("name", CONSTRAINED)
def test_scaling_the_operator_and_the_regulariser(name: str) -> None:
    """0 ∈ sF + s∂λ‖·‖₁ with γ/s; a resolvent that is given another γ than its step fails here."""
    s, values = 2.0**-5, values_of(name)
    quiet = Problem("quiet", linear(s * MATRIX, s * OFFSET), l1(0.25 * s), start=START)
    loud = Problem("loud", linear(MATRIX, OFFSET), l1(0.25), start=START)
    ours = iterates(name, quiet, **values | {"gamma": values["gamma"] / s})
    theirs = iterates(name, loud, **values)
    assert ours.tobytes() == theirs.tobytes()
    assert np.abs(theirs - iterates(name, LINEAR, **values)).max() > 1e-3


@pytest.mark.parametrize("name", REFERENCES)
def test_rotating_the_operator_and_the_start_rotates_the_run(name: str) -> None:
    Q = np.linalg.qr(RANDOM.standard_normal((D, D)))[0]
    turned = Problem("turned", linear(Q @ MATRIX @ Q.T, Q @ OFFSET), start=Q @ START)
    values = values_of(name)
    assert_same(iterates(name, turned, **values), iterates(name, LINEAR, **values) @ Q.T, 1e-13)


@pytest.mark.parametrize("name", CONSTRAINED)
def test_permuting_and_reflecting_coordinates_in_a_symmetric_box(name: str) -> None:
    P = np.eye(D)[RANDOM.permutation(D)] * RANDOM.choice([-1.0, 1.0], D)
    values, limits = values_of(name), box([-0.75] * D, [0.75] * D)
    plain = Problem("boxed", linear(MATRIX, 2 * OFFSET), limits, start=START)
    turned = Problem("turned", linear(P @ MATRIX @ P.T, P @ (2 * OFFSET)), limits, start=P @ START)
    theirs = iterates(name, plain, **values)
    assert_same(iterates(name, turned, **values), theirs @ P.T, 1e-13)
    free_run = iterates(name, dataclasses.replace(plain, resolvent=NO_CONSTRAINT), **values)
    assert np.abs(theirs - free_run).max() > 1e-2  # the box binds


@pytest.mark.parametrize("name", REFERENCES)
def test_translating_the_operator_and_the_start_translates_the_run(name: str) -> None:
    shift = np.arange(1.0, D + 1)
    moved = Problem("moved", linear(MATRIX, OFFSET - MATRIX @ shift), start=START + shift)
    values = values_of(name)
    assert_same(iterates(name, moved, **values), iterates(name, LINEAR, **values) + shift, 1e-13)


def test_a_batch_is_packed_as_its_runs_are() -> None:
    rapp = resolve("rapp")
    runs = [{"gamma": 0.1, "lam": 0.5, "tau": 3}, {"gamma": 0.2, "lam": 0.25, "tau": 7}]
    assert rapp.pack_batch(runs, 50).tolist() == [rapp.pack(v) for v in runs]
    runs[1]["tau"] = [1, 2]
    assert rapp.pack_batch(runs, 4).tolist() == [rapp.pack(v, 4) for v in runs]
    assert resolve("halpern").pack_batch([{}, {}], 50).shape == (2, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gamma": 0.1, "lam": math.nan, "tau": 3},
        {"gamma": 0.1, "lam": 0.5, "tau": 2.5},
        {"gamma": 0.1, "lam": 0.5, "tau": 0},
        {"gamma": 0.1, "lam": "0.5", "tau": 3},
        {"gamma": 0.1, "lam": 0.5},
    ],
)
def test_one_bad_run_of_a_batch_is_refused(wrong: dict[str, Any]) -> None:
    rapp = resolve("rapp")
    with pytest.raises(OpcheckError) as alone:
        rapp.pack(wrong)
    with pytest.raises(OpcheckError) as together:
        rapp.pack_batch([{"gamma": 0.1, "lam": 0.5, "tau": 3}, wrong], 50)
    assert str(together.value) == str(alone.value)
