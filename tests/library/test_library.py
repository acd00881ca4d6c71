"""The library of problems against its sources: published values, payoffs, components, controls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from opcheck import registry
from opcheck.engine.run import run
from opcheck.errors import OpcheckError
from opcheck.model import matrix_facts
from opcheck.model import property as properties
from opcheck.model.problem import Problem, problem
from opcheck_problems import classical, finite_sums
from opcheck_problems._solve import equilibrium, newton, on_simplex, semismooth
from opcheck_problems.classical import harker_pang_data
from opcheck_problems.cournot import Market

Vector = NDArray[np.float64]
FAMILIES = [registry.get("problems", name) for name in registry.names("problems")]


def stated(p: Problem, kind: properties.Kind, of: str = "F") -> float:
    return next(p.constant(f) for f in p.facts if f.property.kind is kind and f.property.of == of)


def test_the_library_is_large_and_every_family_is_described() -> None:
    ours = [f for f in FAMILIES if f.function.__module__.startswith("opcheck_problems")]
    assert len(ours) >= 100
    for family in ours:
        p = family()
        assert len(family.doc.split()) >= 6, family.name
        assert p.start.shape == (p.dim,)
        assert p.solution is not None or family.control == "solution", family.name
        assert family.facts or p.facts, family.name


def differences(p: Problem, z: ArrayLike) -> Vector:
    """The Jacobian by central differences."""
    h, z = 1e-6, np.asarray(z, dtype=float)
    columns = [(p.operator(z + h * e) - p.operator(z - h * e)) / (2 * h) for e in np.eye(p.dim)]
    return np.array(columns).T


# --- published values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters", "L", "rho"),
    [
        ("polar_game_boehm", {"a": 1 / 3}, 6.944, -0.04677),
        ("polar_game_boehm", {"a": 0.5}, 10.31, -0.722 / 10.313),
        ("polar_game_boehm", {"a": 1.0}, 20.50, -2.83 / 20.499),
        ("polar_game_boehm", {"a": 3.0}, 61.39, -22.0 / 61.385),
        ("forsaken_variant", {}, 12.731, -0.28074),
        ("grimmer_quartic", {}, 221.60, -0.001923),
        ("grimmer_quartic", {"A": 1000.0}, 1098.9, -20 / 1000400),
    ],
)
def test_weak_minty_games(name: str, parameters: dict[str, float], L: float, rho: float) -> None:
    p = problem(name, **parameters)
    of = "S" if p.constrained else "F"
    assert stated(p, properties.Lipschitz) == pytest.approx(L, rel=3e-4)
    assert stated(p, properties.WeakMinty, of) == pytest.approx(rho, rel=2e-3)


def test_grimmer_is_comonotone_in_the_dominant_regime_only() -> None:
    assert stated(problem("grimmer_quartic"), properties.Comonotone) == pytest.approx(
        -0.0030488, 1e-4
    )
    with pytest.raises(OpcheckError, match="dominate"):
        problem("grimmer_quartic", A=11.0)


@pytest.mark.parametrize(
    ("name", "n", "L", "value"),
    [
        ("nemirovski1", 5, 2.985, 5 / 9),
        ("nemirovski1", 50, 27.205, 50 / 99),
        ("nemirovski2", 5, 1.466, 6 / 18),
        ("nemirovski2", 50, 9.257, 51 / 198),
        ("policeman_burglar", 50, 36.3347, 1.1175115989),
        ("manhattan", 33, None, 0.5),
    ],
)
def test_values_of_matrix_games(name: str, n: int, L: float | None, value: float) -> None:
    p = problem(name, n=n)
    assert p.operator.matrix is not None
    assert p.solution is not None
    payoff = -p.operator.matrix[n:, :n]
    x, y = p.solution[:n], p.solution[n:]
    assert np.max(payoff @ x) == pytest.approx(value, abs=1e-10)
    assert np.max(payoff @ x) - np.min(payoff.T @ y) <= 1e-14
    if L is not None:
        assert stated(p, properties.Lipschitz) == pytest.approx(L, abs=6e-4)
    if name == "policeman_burglar":
        assert np.count_nonzero(x) == np.count_nonzero(y) == 5


@pytest.mark.parametrize("name", ["hide_and_seek", "gauss_game", "policeman_burglar"])
def test_random_games_are_solved(name: str) -> None:
    for p in registry.get("problems", name).instances():
        n = int(p.resolvent.data[0])
        payoff = -p.operator.matrix[n:, :n]
        x, y = p.solution[:n], p.solution[n:]
        assert np.max(payoff @ x) - np.min(payoff.T @ y) <= 1e-14
        assert 0 < np.count_nonzero(x) < n


def test_manhattan_of_the_source() -> None:
    index = np.arange(50.0)
    payoff = abs(index[:, None] - index[None, :]) / 49
    assert np.linalg.norm(payoff, 2) == pytest.approx(17.72, abs=5e-3)
    x, y = equilibrium(payoff)
    assert np.max(payoff @ x) == pytest.approx(0.5, abs=1e-13)
    assert np.min(payoff.T @ y) == pytest.approx(0.5, abs=1e-13)


def test_kojima_shindo() -> None:
    p = problem("kojima_shindo", over="orthant")
    for z in ([1, 0, 3, 0], [np.sqrt(6) / 2, 0, 0, 0.5]):
        u = p.operator(z)
        assert np.min(u) >= -1e-14
        assert abs(u @ z) <= 1e-13
    assert p.operator([np.sqrt(6) / 2, 0, 0, 0.5])[2] == pytest.approx(0, abs=1e-14)
    vertices = 4 * np.eye(4)
    on_the_simplex = [np.linalg.norm(classical.kojima_slope(v), 2) for v in vertices]
    assert max(on_the_simplex) == on_the_simplex[0] == pytest.approx(41.039, abs=5e-4)
    solution = np.array([1.0, 0, 3, 0])
    z = 4 * np.random.default_rng(0).dirichlet(np.ones(4), 20000)
    worst = min(float(p.operator(v) @ (v - solution)) for v in [*z, *vertices])
    assert worst < -45


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("orthant", (0.310620, 0.200644, 0.173541)),
        ("box", (0.25, 0.220175, 0.166712)),
        ("simplex", (1.324639, 0.757040, 0.918320)),
    ],
)
def test_sun_solutions(over: str, expected: tuple[float, ...]) -> None:
    assert problem("sun_nonlinear", n=3, over=over).solution == pytest.approx(expected, abs=6e-7)


def test_sun_constants() -> None:
    L, mu = classical.on_corners(classical.sun_slope, 10, 0.25)
    assert (L, mu) == (pytest.approx(6.021, abs=5e-4), pytest.approx(1.087, abs=5e-4))
    corners = [np.array([(i >> j) & 1 for j in range(10)], dtype=float) for i in range(1024)]
    slopes = np.array([classical.sun_slope(c) for c in corners])
    assert np.linalg.norm(slopes, 2, axis=(1, 2)).max() == pytest.approx(10.954, abs=5e-4)
    least = np.linalg.eigvalsh((slopes + slopes.transpose(0, 2, 1)) / 2)[:, 0].min()
    assert least == pytest.approx(4 - np.cos(np.pi / 11), abs=1e-12)
    for scale, expected in ((10, 2.312), (20, -0.011), (100, -18.958)):
        far = np.array([classical.sun_slope(scale * c) for c in corners])
        least = np.linalg.eigvalsh((far + far.transpose(0, 2, 1)) / 2)[:, 0].min()
        assert least == pytest.approx(expected, abs=5e-4)
    z = np.random.default_rng(0).uniform(0, 5, 6)
    found = differences(problem("sun_nonlinear"), z)
    assert classical.sun_slope(z) == pytest.approx(found, abs=1e-6)
    z = np.random.default_rng(0).uniform(0, 5, 4)
    found = differences(problem("kojima_shindo"), z)
    assert classical.kojima_slope(z) == pytest.approx(found, abs=1e-6)


def test_watson() -> None:
    p = problem("watson")
    matrix = p.operator.matrix
    assert round(np.linalg.det(matrix)) == -1104
    assert np.linalg.norm(matrix, 2) == pytest.approx(6.8458, abs=5e-5)
    assert stated(p, properties.Comonotone) == pytest.approx(-2.722, abs=5e-4)
    assert np.linalg.eigvalsh((matrix + matrix.T) / 2)[0] == pytest.approx(-4.55, abs=5e-3)
    for pos in range(10):
        found = classical.watson_solutions(pos)
        assert 8 <= len(found) <= 17
        where = problem("watson", pos=pos)
        for z in found:
            assert np.linalg.norm(z - where.resolvent(z - where.operator(z))) <= 1e-14


def test_harker_pang_of_the_source() -> None:
    matrix, _ = harker_pang_data(10, np.random.RandomState(0))  # type: ignore[arg-type]
    assert np.linalg.norm(matrix, 2) == pytest.approx(280.345, abs=5e-4)
    assert np.linalg.eigvalsh((matrix + matrix.T) / 2)[0] == pytest.approx(1.8411, abs=5e-5)


FIRMS = tuple(
    (c, 5.0, b) for c, b in zip((10.0, 8.0, 6.0, 4.0, 2.0), (1.2, 1.1, 1.0, 0.9, 0.8), strict=True)
)


def test_nash_cournot() -> None:
    p = problem("nash_cournot5")
    q = p.solution + 40
    assert q == pytest.approx((36.93251, 41.81814, 43.70658, 42.65924, 39.17895), abs=6e-6)
    market = Market(FIRMS, 1.1, 20.0, 60.0)
    slope = market.slope(q)
    assert np.linalg.norm(slope, 2) == pytest.approx(0.6233, abs=5e-5)
    assert np.linalg.eigvalsh((slope + slope.T) / 2)[0] == pytest.approx(0.2120, abs=5e-5)
    corners = [np.where([(i >> j) & 1 for j in range(5)], 60.0, 20.0) for i in range(32)]
    slopes = np.array([market.slope(c) for c in corners])
    assert np.linalg.norm(slopes, 2, axis=(1, 2)).max() == pytest.approx(1.531, abs=5e-4)
    least = np.linalg.eigvalsh((slopes + slopes.transpose(0, 2, 1)) / 2)[:, 0].min()
    assert least == pytest.approx(0.159, abs=5e-4)


def test_nash_cournot_with_the_other_sign_of_the_exponent() -> None:
    """(K q)^(1/β): the K of the source's code is the reciprocal."""
    other = Market(tuple((c, 1 / K, b) for c, K, b in FIRMS), 1.1, 1.0, 60.0).problem()
    q = other.solution + 30.5
    assert q == pytest.approx((15.4, 12.5, 9.66, 7.17, 5.13), abs=6e-2)


@pytest.mark.parametrize("name", ["nash_cournot5", "nash_cournot_random"])
def test_bounds_of_a_market_hold_at_random_slopes(name: str) -> None:
    for p in registry.get("problems", name).instances():
        firms = tuple(map(tuple, p.operator.data[3:].reshape(-1, 3).tolist()))
        centre, radius = p.operator.data[2], p.region.size
        market = Market(firms, p.operator.data[1], 1.0, 2.0)
        L, mu = stated(p, properties.Lipschitz), stated(p, properties.StronglyMonotone)
        generator = np.random.default_rng(0)
        for i in range(200 if p.dim < 100 else 2):
            q = centre + radius * generator.uniform(-1, 1, p.dim)
            if i % 2:
                q = centre + radius * generator.choice([-1.0, 1.0], p.dim)
            slope = market.slope(q)
            assert np.linalg.norm(slope, 2) <= L
            assert np.linalg.eigvalsh((slope + slope.T) / 2)[0] >= mu
            assert np.allclose(p.operator(q - centre), market.value(q), rtol=1e-10, atol=1e-10)


def test_two_links() -> None:
    p = problem("two_link")
    assert p.solution == pytest.approx((11 / 3, 19 / 3))
    assert p.operator(p.solution) == pytest.approx((41, 41))
    assert stated(p, properties.Lipschitz) == pytest.approx(6.109, abs=5e-4)
    assert stated(p, properties.StronglyMonotone) == pytest.approx(2.919, abs=5e-4)


def test_ratio_games() -> None:
    exotic = problem("ratio_game", kind="exotic")
    assert exotic.solution + 0.5 == pytest.approx((0.951941, 0.0504853), abs=6e-7)
    # the Jacobian is a centre there, twice that of the simplices: ±1.164i along them
    values = np.linalg.eigvals(differences(exotic, exotic.solution))
    assert values.real == pytest.approx(0, abs=1e-7)
    assert max(values.imag) == pytest.approx(2 * 1.164, abs=1e-3)
    wrong = np.array([0.82535 - 0.5, exotic.solution[1]])
    assert np.linalg.norm(wrong - exotic.resolvent(wrong - exotic.operator(wrong))) > 0.1
    # L along the simplices, 4.42 and 3.984, is half the largest slope on the box itself
    for kind, L in (("easy", 4.42), ("exotic", 3.984)):
        p = problem("ratio_game", kind=kind)
        grid = np.linspace(-0.5, 0.5, 41)
        slopes = [np.linalg.norm(differences(p, [x, y]), 2) for x in grid for y in grid]
        assert max(slopes) / 2 == pytest.approx(L, abs=3e-3)
    assert stated(problem("ratio_game"), properties.WeakMinty, "S") == pytest.approx(
        -0.00222, abs=5e-6
    )


def test_leekim_line_is_never_left() -> None:
    p = problem("leekim_line", ell=4.0)
    for method, given in (("extragradient", {"gamma": 0.1}), ("feg", {"gamma": 0.1, "rho": 0.0})):
        t = run(method, p, iterations=200, iterates=True, **given)
        assert t["residual"] == pytest.approx(np.full(201, 2 * 4.0))
        assert (t.iterates[:, 0] == t.iterates[:, 1]).all()


def test_no_solution_runs_away() -> None:
    t = run("extragradient", problem("no_solution"), iterations=2000, iterates=True, gamma=0.3)
    assert abs(t.iterates[-1, 1]) == pytest.approx(600, rel=1e-2)


def test_sign_saddle_stalls() -> None:
    t = run("extragradient", problem("sign_saddle"), iterations=2000, gamma=0.1)
    assert 0.01 < np.sqrt(t["distance"][-1]) < 0.3


def test_quad_box_three_has_three_zeros() -> None:
    p = problem("quad_box_three")
    for z in ([0.9, 0.9], [1.0, -0.09498743710662], [1.0, -1.0]):
        assert np.linalg.norm(z - p.resolvent(np.array(z) - p.operator(z))) <= 1e-12
    with pytest.raises(OpcheckError):
        problem("quad_box_three", c=0.05)


def test_boehm_games_with_curvature_of_the_source_cycle() -> None:
    """Extragradient with step 1/L stays away from 0 for a = 1, and reaches it for a = 0.1."""
    far = problem("polar_game_boehm", a=1.0)
    gamma = 1 / stated(far, properties.Lipschitz)
    assert run("extragradient", far, iterations=4000, gamma=gamma)["distance"][-500:].min() > 0.2
    near = problem("polar_game_boehm", a=0.1)
    gamma = 1 / stated(near, properties.Lipschitz)
    assert run("extragradient", near, iterations=4000, gamma=gamma)["distance"][-1] < 1e-8


@pytest.mark.parametrize(
    ("f", "eg", "eg_plus"), [(1.2, 1.28, 0.66), (1.5, 1.95, 0.76), (2.0, 3.61, 1.41)]
)
def test_a_wrong_lipschitz_constant_on_bilinear(f: float, eg: float, eg_plus: float) -> None:
    """The step f/L in place of 1/L: growth of |z|, or of its square, at each step."""
    p = problem("bilinear")
    first = run("extragradient", p, iterations=1, gamma=f)["distance"]
    assert np.sqrt(first[1] / first[0]) == pytest.approx(np.hypot(1 - f * f, f), rel=1e-12)
    second = run("eg_plus", p, iterations=1, gamma=f, alpha=0.5)["distance"]
    assert np.sqrt(second[1] / second[0]) == pytest.approx(
        np.hypot(1 - f * f / 2, f / 2), rel=1e-12
    )
    assert (eg, eg_plus) == (
        pytest.approx(np.hypot(1 - f * f, f), abs=5e-3),
        pytest.approx(np.hypot(1 - f * f / 2, f / 2), abs=8e-3),
    )


def test_weak_minty_games_are_not_comonotone() -> None:
    """Fed as comonotone with their weak Minty constant they are refuted by a pair."""
    for name in ("polar_game", "polar_game_boehm", "global_forsaken", "forsaken_variant"):
        p = problem(name)
        rho = stated(p, properties.WeakMinty, "S")
        generator = np.random.default_rng(7)
        x = generator.uniform(-1, 1, (3000, 2))
        y = x + 1e-2 * generator.standard_normal((3000, 2))
        gaps = [(a - b, p.operator(a) - p.operator(b)) for a, b in zip(x, y, strict=True)]
        assert min(float(dz @ du - rho * du @ du) for dz, du in gaps) < 0


@pytest.mark.parametrize("n", [1, 5])
def test_rotation_and_ball_attain_the_golden_ratio(n: int) -> None:
    """Just outside the ball, and nowhere more."""
    p = problem("rotation_ball", n=n, seed=1)
    L = stated(p, properties.Lipschitz)
    generator = np.random.default_rng(0)
    norms = []
    for radius in (0.5, 0.999, 1.0001, 1.5, 10.0):
        direction = generator.standard_normal(2 * n)
        z = p.solution + radius * direction / np.linalg.norm(direction)
        norms.append(np.linalg.norm(differences(p, z), 2))
    assert max(norms) == norms[2] == pytest.approx(L, rel=1e-3)
    assert max(norms) <= L + 1e-8
    assert norms[:2] == pytest.approx([np.sqrt(2)] * 2, abs=1e-8)


def test_absolute_value_passes_at_points_and_fails_on_pairs() -> None:
    p = problem("absolute_value")
    for z in (-2.0, -0.5, 0.5, 2.0):
        slope = differences(p, [z])
        assert np.linalg.inv(slope)[0, 0] >= -1 - 1e-9
    z, w = np.array([-1.0]), np.array([1.0 - 1e-6])
    du = p.operator(w) - p.operator(z)
    assert float((w - z) @ du / (du @ du)) < -1e6


# --- operators against payoffs ----------------------------------------------------------------


def gradient(phi: Callable[[Vector], float], z: Vector, minimised: int) -> Vector:
    """F of min over the first coordinates, max over the others, by central differences."""
    h = 1e-5
    slopes = np.array([(phi(z + h * e) - phi(z - h * e)) / (2 * h) for e in np.eye(len(z))])
    slopes[minimised:] *= -1
    return slopes


def rows(p: Problem, start: int, n: int) -> Vector:
    return p.operator.data[start:].reshape(-1, n)


def softplus(t: Vector) -> Vector:
    return np.log1p(np.exp(-t))


def ridge(p: Problem) -> tuple[Callable[[Vector], float], int]:
    A, mu = rows(p, 1, p.dim), p.operator.data[0]
    return lambda x: softplus(A @ x).sum() + mu / 2 * x @ x, p.dim


def groups(p: Problem) -> tuple[Callable[[Vector], float], int]:
    n, size, mu = int(p.operator.data[0]), int(p.operator.data[1]), p.operator.data[2]
    A = rows(p, 3, n)

    def phi(z: Vector) -> float:
        losses = softplus(A @ z[:n]).reshape(-1, size).mean(axis=1)
        return float(z[n:] @ losses + mu / 2 * z[:n] @ z[:n])

    return phi, n


def quartic(p: Problem) -> tuple[Callable[[Vector], float], int]:
    q2, q4 = p.parameters["q2"], p.parameters["q4"]
    A, C = np.array([[2.0, 1], [1, 2]]), np.array([[1.0, 2], [-1, 1]])

    def phi(z: Vector) -> float:
        x, y = z[:2], z[2:]
        steep = (x @ A @ x) ** 2 - (y @ y) ** 2
        return float(q2 * (x[0] ** 2 - y[1] ** 2) / 2 + q4 * steep / 4 + x @ C @ y)

    return phi, 2


def valley(p: Problem) -> tuple[Callable[[Vector], float], int]:
    ell, depth = p.operator.data

    def h(d: float) -> float:
        width = depth / ell
        inside = np.clip(d, -width, width)
        return float(ell * inside * abs(inside) / 2 - depth * inside)

    return lambda z: h(z[0] - z[1]), 1


def ratio(p: Problem) -> tuple[Callable[[Vector], float], int]:
    R = np.array([[-0.6, -0.3], [0.6, -0.3]])
    S = np.array([[0.9, 0.5], [0.8, 0.4]])

    def phi(z: Vector) -> float:
        x, y = (np.array([0.5 + v, 0.5 - v]) for v in z)
        return float(x @ R @ y / (x @ S @ y))

    return phi, 1


def grimmer(p: Problem) -> tuple[Callable[[Vector], float], int]:
    def g(u: float) -> float:
        return (u + 3) * (u + 1) * (u - 1) * (u - 3)

    A = p.parameters["A"]
    return lambda z: g(z[0]) + A * z[0] * z[1] - g(z[1]), 1


PAYOFFS = [
    (problem("sparse_logistic"), ridge),
    (problem("ridge_logistic"), ridge),
    (problem("dro_logistic"), groups),
    (problem("fair_classification"), groups),
    (problem("quad_quartic", q2=0.5), quartic),
    (problem("leekim_line", ell=4.0), valley),
    (problem("ratio_game", kind="exotic"), ratio),
    (problem("grimmer_quartic", A=70.0), grimmer),
]


@pytest.mark.parametrize(("p", "payoff"), PAYOFFS, ids=[p.name for p, _ in PAYOFFS])
def test_operator_is_the_gradient_of_its_payoff(p: Problem, payoff: Callable[..., object]) -> None:
    phi, minimised = payoff(p)  # type: ignore[misc]
    for z in np.random.default_rng(5).uniform(-0.4, 0.4, (10, p.dim)):
        expected = gradient(phi, z, minimised)
        assert p.operator(z) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_covariance_gan() -> None:
    p = problem("covariance_gan", d=3)
    sigma = np.minimum.outer(np.arange(1.0, 4), np.arange(1.0, 4))

    def phi(z: Vector) -> float:
        V, W = z[:9].reshape(3, 3), z[9:].reshape(3, 3)
        return float(np.sum(W * (sigma - V @ V.T)))

    for z in np.random.default_rng(5).uniform(-1, 1, (5, 18)):
        swapped = gradient(phi, np.concatenate([z[9:], z[:9]]), 9)
        assert p.operator(z) == pytest.approx([*swapped[9:], *swapped[:9]], abs=1e-6)
    two = problem("covariance_gan")
    slope = np.array([two.operator(two.solution + 1e-6 * e) for e in np.eye(8)]).T / 1e-6
    assert abs(np.linalg.eigvals(slope).real).max() <= 1e-2  # a centre, to differences


def test_sine_and_exponential_by_hand() -> None:
    p = problem("sinexp_minty")
    A, B = p.operator.data.reshape(2, 4, 4)
    for z in np.random.default_rng(5).uniform(-1, 1, (10, 4)):
        s, e = A @ np.sin(z), B @ np.exp(z)
        assert p.operator(z) == pytest.approx(s * (s @ z) + e * (e @ z), rel=1e-12)
    generator = np.random.default_rng(6)
    x, y = generator.uniform(-1, 1, (2, 2000, 4))
    gaps = [(p.operator(a) - p.operator(b)) @ (a - b) for a, b in zip(x, y, strict=True)]
    assert min(gaps) < -1  # not monotone


def test_mixed_tanh_by_hand() -> None:
    p = problem("tanh_saddle_mixed", m=-0.3, M=1.0)
    two = problem("tanh_saddle", m=-0.3, M=1.0)
    H = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
    assert np.array_equal(H @ H.T, np.eye(4))
    for z in np.random.default_rng(5).uniform(-2, 2, (10, 4)):
        u = H @ z
        image = np.concatenate([two.operator(u[:2]), two.operator(u[2:])])
        assert p.operator(z) == pytest.approx(H.T @ image, rel=1e-13, abs=1e-13)


def test_bellman_by_value_iteration() -> None:
    for name in ("mdp_bellman", "mdp_concentrated"):
        p = problem(name)
        v = np.zeros(p.dim)
        for _ in range(300):
            v = v - p.operator(v)
        assert v == pytest.approx(p.solution, abs=1e-12)
    p = problem("mdp_concentrated")
    n, gamma = p.dim, p.parameters["gamma"]
    spread = np.zeros(n)
    spread[0] = 1.0
    moved = (spread - p.operator(spread)) - (0 - p.operator(np.zeros(n)))
    assert np.abs(moved).max() <= gamma
    assert np.linalg.norm(moved) > 1


def test_dynamic_game_is_the_gradient_of_the_players_costs() -> None:
    """States simulated step by step, costs differentiated numerically."""
    for name, costs in (
        ("lq_dynamic_game", ([[2, 1], [1, 2]], [[2, 1], [1, 2]])),
        ("lq_unequal", ([[2, 2], [2, 2]], [[2, -2], [-2, 2]])),
    ):
        p = problem(name)

        def cost(z: Vector, player: int, costs: object = costs) -> float:
            u, x, total = z.reshape(2, 3), np.array([-4.0, 1.0]), 0.0
            for t in range(3):
                x = np.array([[1, 1], [0, 1]]) @ x + u[:, t]
                total += x @ np.array(costs[player]) @ x / 2  # type: ignore[index]
            return float(total + u[player] @ u[player] / 2)

        for z in np.random.default_rng(5).uniform(-1, 1, (5, 6)):
            expected = [
                (cost(z + 1e-5 * e, i // 3) - cost(z - 1e-5 * e, i // 3)) / 2e-5
                for i, e in enumerate(np.eye(6))
            ]
            assert p.operator(z) == pytest.approx(expected, abs=1e-6)


# --- finite sums ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "components"),
    [
        ("finite_sum_bilinear", finite_sums.bilinear_components(2, 0)),
        ("finite_sum_bilinear_dense", finite_sums.dense_components(8, 2, 0)),
        ("finite_sum_scsc", finite_sums.quadratic_components(8, 3, 5.0, 0)),
        (
            "finite_sum_cohypo",
            finite_sums.cohypomonotone_components(8, 2, 1.0, 0.625, 0.25, 0),
        ),
    ],
)
def test_mean_of_components_is_the_operator(name: str, components: finite_sums.Components) -> None:
    p = problem(name)
    matrices, offsets = components
    for z in np.random.default_rng(5).standard_normal((5, p.dim)):
        values = [m @ z + q for m, q in zip(matrices, offsets, strict=True)]
        assert p.operator(z) == pytest.approx(np.mean(values, axis=0), rel=1e-12, abs=1e-13)


def test_components_of_finite_sum_cohypo_break_both_constants() -> None:
    matrices, _ = finite_sums.cohypomonotone_components(8, 2, 1.0, 0.625, 0.25, 0)
    moduli = []
    for m in matrices:
        inverse = np.linalg.inv(m)
        moduli.append(np.linalg.eigvalsh((inverse + inverse.T) / 2)[0])
    p = problem("finite_sum_cohypo")
    assert np.linalg.norm(matrices, 2, axis=(1, 2)).max() > 2 * stated(p, properties.Lipschitz)
    assert min(moduli) < 10 * stated(p, properties.Comonotone)
    matrix, _ = finite_sums.mean((matrices, np.zeros((8, 4))))
    assert np.array_equal(matrix, np.kron(np.eye(2), [[0, 1], [-0.625, 0]]))


def test_scaled_components_of_the_source() -> None:
    """c = 1 and p = 1/5 of the source: (y − 0.6, −(x − 0.6))."""
    p = problem("scaled_lips_bilinear", centre=1.0)
    z = np.array([0.25, -1.5])
    first, second = 3 * np.array([z[1] - 1, 1 - z[0]]), np.array([z[1], -z[0]]) / 2
    assert p.operator(z) == pytest.approx(0.2 * first + 0.8 * second, abs=1e-15)
    assert p.solution == pytest.approx((0.6, 0.6))


# --- solvers ----------------------------------------------------------------------------------


def test_affine_problem_on_a_simplex_by_both_solvers() -> None:
    generator = np.random.default_rng(3)
    for _ in range(20):
        draws = generator.standard_normal((5, 5))
        matrix, offset = draws - draws.T + np.eye(5), generator.standard_normal(5)
        (one,) = on_simplex(matrix, offset, 2.0)
        z = semismooth(
            lambda z, m=matrix, q=offset: m @ z + q,
            lambda _, m=matrix: m,
            one + 0.01,
            0.0,
            total=2.0,
        )
        assert z == pytest.approx(one, abs=1e-12)


def test_newton_says_when_there_is_nothing() -> None:
    assert newton(lambda z: z * z + 1, lambda z: np.diag(2 * z), np.array([0.3])) is None
    assert newton(lambda z: z * z + 1, lambda z: np.diag(0 * z), np.array([0.3])) is None
    root = newton(lambda z: z * z - 2, lambda z: np.diag(2 * z), np.array([1.0]))
    assert root == pytest.approx([np.sqrt(2)], abs=1e-15)


def test_constants_over_several_matrices_hold_for_each() -> None:
    generator = np.random.default_rng(4)
    matrices = [generator.standard_normal((7, 4)) for _ in range(5)]
    L = matrix_facts.lipschitz_above(*matrices)
    norms = [np.linalg.norm(m, 2) for m in matrices]
    assert max(norms) <= L <= max(norms) * (1 + 1e-9)
    square = [generator.standard_normal((4, 4)) for _ in range(5)]
    mu = matrix_facts.monotone_below(*square)
    least = min(np.linalg.eigvalsh((m + m.T) / 2)[0] for m in square)
    assert least - 1e-9 <= mu <= least + 1e-14
    found = matrix_facts.corners(np.diag, 2, 0.5)
    assert sorted(np.diag(m).tolist() for m in found) == [
        [-0.5, -0.5],
        [-0.5, 0.5],
        [0.5, -0.5],
        [0.5, 0.5],
    ]


# --- scale and controls -----------------------------------------------------------------------


def sparse_matrix(p: Problem) -> Vector:
    return np.array([p.operator(e) for e in np.eye(p.dim)]).T - p.operator(np.zeros(p.dim))[:, None]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("graph_laplacian_skew", {"n": 4, "delta": 2.0}),
        ("graph_laplacian_skew", {"n": 5}),
        ("graph_flow", {"n": 8, "seed": 1}),
        ("graph_flow", {"n": 20, "seed": 2, "delta": 0.5}),
        ("sparse_asym_bilinear", {"n": 12}),
    ],
)
def test_sparse_constants_are_those_of_the_dense_matrix(
    name: str, parameters: dict[str, float]
) -> None:
    p = problem(name, **parameters)
    M = sparse_matrix(p)
    size = np.linalg.norm(M, 2)
    L = stated(p, properties.Lipschitz)
    least = np.linalg.eigvalsh((M + M.T) / 2)[0]
    if name == "graph_flow":
        assert 0.8 * L <= size <= L
        assert least == pytest.approx(stated(p, properties.StronglyMonotone), abs=1e-14)
    else:
        assert size == pytest.approx(L, rel=1e-12)
    if name == "graph_laplacian_skew":
        assert least == pytest.approx(0, abs=1e-13)
        n = int(p.parameters["n"])
        assert np.count_nonzero(M[: n * n, : n * n]) == n * n + 4 * n * (n - 1)
    if name == "sparse_asym_bilinear":
        inverse = np.linalg.inv(M)
        rho = np.linalg.eigvalsh((inverse + inverse.T) / 2)[0]
        assert rho == pytest.approx(stated(p, properties.Comonotone), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n"),
    [("graph_laplacian_skew", 707), ("graph_flow", 333_333), ("sparse_asym_bilinear", 500_000)],
)
def test_a_million_variables(name: str, n: int) -> None:
    p = problem(name, n=n)
    assert 999_000 <= p.dim <= 1_000_000
    gamma = 0.5 / stated(p, properties.Lipschitz)
    t = run("extragradient", p, iterations=20, gamma=gamma)
    assert t.status == "completed"
    assert t["distance"][-1] < t["distance"][0]


def test_every_hypothesis_of_a_theorem_has_a_control() -> None:
    """A kind that some theorem asks for is broken by a control, or by the name of one."""
    asked = {
        wanted.kind.name
        for name in registry.names("theorems")
        for wanted in registry.get("theorems", name).asked
    }
    broken = {family.control for family in FAMILIES if family.control}
    p = problem("expansive_map")  # |Tz − z*| = g|z − z*| breaks the star property too
    z = np.array([1.0, 2.0])
    assert np.linalg.norm(z - p.operator(z)) > np.linalg.norm(z)
    assert asked <= broken | {"QuasiNonexpansive"}


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("bilinear_conditioned", {"kappa": 0.5}),
        ("bilinear_conditioned", {"n": 1}),
        ("hilbert_bilinear", {"n": 0}),
        ("jordan_block", {"s": 1.2}),
        ("grcar", {"n": 3}),
        ("rotation_shift", {"n": 0}),
        ("quad_game", {"rank": 5}),
        ("graph_laplacian_skew", {"n": 1}),
        ("graph_laplacian_skew", {"delta": 0.1}),
        ("graph_flow", {"n": 2}),
        ("sparse_asym_bilinear", {"r": 2.0}),
        ("polar_game_boehm", {"a": 8.0}),
        ("polar_game_boehm", {"box": 0.5}),
        ("forsaken_variant", {"box": 1.0}),
        ("grimmer_quartic", {"A": 10.0}),
        ("grimmer_quartic", {"radius": 1.0}),
        ("tanh_saddle_mixed", {"m": 0.5}),
        ("sinexp_minty", {"n": 1}),
        ("quad_quartic", {"q2": -1.0}),
        ("quad_quartic", {"q4": 0.0}),
        ("planted_asym", {"over": "ball"}),
        ("planted_asym", {"r": 0.3}),
        ("planted_monotone", {"over": "l2"}),
        ("planted_monotone", {"n": 2}),
        ("nemirovski1", {"n": 1}),
        ("nemirovski2", {"n": 1}),
        ("manhattan", {"n": 6}),
        ("policeman_burglar", {"n": 1}),
        ("hide_and_seek", {"m": 1}),
        ("gauss_game", {"n": 1}),
        ("kojima_shindo", {"over": "box"}),
        ("sun_nonlinear", {"n": 13}),
        ("sun_nonlinear", {"over": "ball"}),
        ("watson", {"pos": 10}),
        ("harker_pang_simplex", {"n": 1}),
        ("two_link", {"demand": 0.25}),
        ("cournot_orthant", {"idle": 5}),
        ("lq_dynamic_game", {"effort": 0.0}),
        ("nash_cournot5", {"lo": 40.0}),
        ("nash_cournot_random", {"lo": 0.0}),
        ("nash_cournot_random", {"gamma": 0.5}),
        ("sparse_logistic", {"fraction": 0.5}),
        ("ridge_logistic", {"mu": 0.0}),
        ("dro_logistic", {"m": 9}),
        ("fair_classification", {"groups": 1}),
        ("ratio_game", {"kind": "none"}),
        ("covariance_gan", {"d": 0}),
        ("mdp_bellman", {"gamma": 0.3}),
        ("mdp_bellman", {"states": 12}),
        ("mdp_concentrated", {"gamma": 0.5}),
        ("scaled_lips_bilinear", {"odds": 1}),
        ("finite_sum_bilinear", {"n": 3}),
        ("finite_sum_bilinear_dense", {"count": 1}),
        ("finite_sum_scsc", {"kappa": 0.5}),
        ("finite_sum_cohypo", {"count": 3}),
        ("finite_sum_cohypo", {"r": 0.3}),
        ("contractive_rotation", {"g": 1.0}),
        ("alternating_projections", {"theta": 0.0}),
        ("leekim_line", {"ell": 2.0}),
        ("leekim_line", {"R": -1.0}),
        ("no_solution", {"L": 0.0}),
        ("quad_box_three", {"c": 0.02}),
        ("lq_unequal", {"effort": 100.0}),
        ("flat_valley", {"L": 0.0}),
    ],
)
def test_a_family_that_does_not_exist_says_so(name: str, bad: dict[str, float]) -> None:
    with pytest.raises(OpcheckError) as caught:
        problem(name, **bad)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert any(word in sentence for word in (*bad, *map(str, bad.values())))
