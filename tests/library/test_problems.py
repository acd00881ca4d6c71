"""Every registered problem: its facts, its solution, its readings; tests come from the registry."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import scipy.optimize
from flint import arb, fmpq, fmpq_mat
from numpy.typing import NDArray
from registered import family, problems

import opcheck
from opcheck import registry
from opcheck.engine import jit as compiler
from opcheck.engine.interpret import Balls
from opcheck.engine.numbers import precision
from opcheck.engine.run import run
from opcheck.errors import OpcheckError
from opcheck.model import matrix_facts
from opcheck.model import property as properties
from opcheck.model.problem import Problem, points, problem
from opcheck.model.property import Fact, Lipschitz
from opcheck.model.text import FLOAT, text

Vector = NDArray[np.float64]
UNIT = 2.0**-53
FAMILIES = [registry.get("problems", name) for name in registry.names("problems")]
ALL = problems()
DENSE = [p for p in ALL if p.operator.matrix is not None]
SMALL = [p for p in ALL if p.dim <= 40]


def named(problems: list[Problem]) -> dict[str, object]:
    return {"argvalues": problems, "ids": [p.name for p in problems]}


def facts_named(pairs: list[tuple[Problem, Fact]]) -> dict[str, object]:
    ids = [f"{p.name}: {f.property.kind.name} of {f.property.of}" for p, f in pairs]
    return {"argvalues": pairs, "ids": ids}


@dataclasses.dataclass(frozen=True)
class Graph:
    """Points of the graph of F or S, one a row, and bounds on the rounding in each z and u."""

    z: Vector
    u: Vector
    shift: Vector
    error: Vector


def at_once(problem: Problem) -> Callable[[Vector], Vector]:
    """F, compiled: a search calls it tens of thousands of times (a test of its own compares)."""
    op = problem.operator
    F = compiler.jit(op.compiled or op.kernel, "operator")

    def called(z: Vector) -> Vector:
        out = np.empty(op.dim)
        F(z, out, op.data)
        return out

    return called


def resolved(problem: Problem, gamma: float) -> Callable[[Vector], Vector]:
    """J, compiled."""
    J = compiler.jit(problem.resolvent.kernel, "resolvent")

    def called(z: Vector) -> Vector:
        out = np.empty(problem.dim)
        J(z, gamma, out, problem.resolvent.data)
        return out

    return called


def value(problem: Problem, z: Vector) -> Vector:
    """F at each row: by the matrix where there is one (a test of its own compares the kernel)."""
    op = problem.operator
    if op.matrix is not None:
        return z @ op.matrix.T + op(np.zeros(op.dim))
    return np.array([*map(at_once(problem), z)])


def graph(problem: Problem, of: str, z: Vector) -> Graph:
    """(z, F z), or for S the points p = J(z) with the value F p + (z − p)/γ that lies in S(p)."""
    if of != "S" or not problem.constrained:
        u = value(problem, z)
        size = np.linalg.norm(u, axis=1) + growth(problem) * (1 + np.linalg.norm(z, axis=1))
        return Graph(z, u, 0 * size, 8 * (problem.dim + 8) * UNIT * size)
    gamma = 0.25
    p = np.array([*map(resolved(problem, gamma), z)])
    base = graph(problem, "F", p)
    # the projection adds up coordinates of z, so its error is relative to z and not to p
    shift = 8 * (problem.dim + 8) * UNIT * (np.linalg.norm(z, axis=1) + np.linalg.norm(p, axis=1))
    wrong = base.error + shift * (1 / gamma + growth(problem))
    return Graph(p, base.u + (z - p) / gamma, shift, wrong)


@functools.cache
def _growth(name: str) -> float:
    found = next(p for p in ALL if p.name == name)
    if found.operator.matrix is not None:
        return float(np.linalg.norm(found.operator.matrix))
    return max(
        [found.constant(f) for f in found.facts if f.property.kind is Lipschitz], default=1.0
    )


def growth(problem: Problem) -> float:
    """The size of what is added up inside F, for a unit of z."""
    return _growth(problem.name)


def defect(form: tuple[object, object, object], a: Graph, b: Graph) -> Vector:
    """How far each pair violates the form, beyond what rounding can have done."""
    p, q, r = (float(v) for v in form)  # type: ignore[arg-type]
    dz, du = a.z - b.z, a.u - b.u
    nz, nu = np.linalg.norm(dz, axis=1), np.linalg.norm(du, axis=1)
    wrong, moved = a.error + b.error, a.shift + b.shift
    total = p * nz**2 + 2 * q * np.sum(dz * du, axis=1) + r * nu**2
    rounding = abs(p) * (2 * nz + moved) * moved + abs(r) * (2 * nu + wrong) * wrong
    rounding += 2 * abs(q) * (nz * wrong + moved * (nu + wrong))
    size = abs(p) * nz**2 + 2 * abs(q) * nz * nu + abs(r) * nu**2
    rounding += 4 * (a.z.shape[1] + 4) * UNIT * size
    return -total - rounding


def samples(problem: Problem, count: int) -> tuple[Vector, Vector]:
    """Pairs of points: independent ones, close ones, ones that differ in one coordinate."""
    generator = np.random.default_rng(7)
    x, y = points(problem, count, generator), points(problem, count, generator)
    third = count // 3
    near = 10.0 ** generator.uniform(-4, 0, (third, 1)) * (y[:third] - x[:third])
    y[:third] = x[:third] + near
    axis = generator.integers(0, problem.dim, third)
    rows = np.arange(third, 2 * third)
    moved = y[rows, axis]
    y[rows] = x[rows]
    y[rows, axis] = moved
    return x, y


EVERY_FACT = [(p, f) for p in ALL for f in p.all_facts() if not f.property.kind.of_values]


@pytest.mark.parametrize(("p", "fact"), **facts_named(EVERY_FACT))
@pytest.mark.sampled(4)
def test_fact_holds_on_random_pairs(p: Problem, fact: Fact) -> None:
    of = fact.property.of
    x, y = samples(p, 3000 if p.dim <= 100 else 12)
    if of == "S" and p.region is not None:
        x, y = 2 * x, 2 * y  # on to the faces, where normals count; J brings them back
    if fact.property.kind.star:
        assert p.solution is not None
        # the zero as a point of the graph, its value known to be 0
        zero = np.zeros(len(x))
        rest = Graph(np.repeat(p.solution[None], len(x), 0), np.zeros_like(x), zero, zero + 1e-15)
        found = defect(fact.property.form(p.constant(fact)), graph(p, of, x), rest)
    else:
        found = defect(fact.property.form(p.constant(fact)), graph(p, of, x), graph(p, of, y))
    worst = int(np.argmax(found))
    assert found[worst] <= 0, (x[worst], y[worst])


@pytest.mark.parametrize(
    ("name", "kind", "of", "better"),
    [
        ("tight_linear", properties.Lipschitz, "F", 0.99),
        ("tight_linear", properties.Comonotone, "F", 0.99),
        ("halpern_worst", properties.Cocoercive, "F", 1.01),
        ("strongly_monotone", properties.StronglyMonotone, "F", 1.01),
        ("resolvent_tight", properties.ConicallyNonexpansive, "T", 0.99),
        ("asym_bilinear_box", properties.Comonotone, "S", 0.9),
        ("product_ball", properties.Comonotone, "S", 0.9),
        ("quad_box", properties.WeakMinty, "S", 0.9),
        ("polar_game", properties.WeakMinty, "S", 0.9),
        ("global_forsaken", properties.WeakMinty, "S", 0.9),
        ("tanh_saddle", properties.Comonotone, "F", 0.9),
        ("forsaken", properties.Lipschitz, "F", 0.9),
    ],
)
def test_better_constant_is_refuted(
    name: str, kind: properties.Kind, of: str, better: float
) -> None:
    """The same random pairs that pass a fact refute it where its constant is bettered a little."""
    p = problem(name)
    fact = next(f for f in p.facts if f.property.kind is kind and f.property.of == of)
    form = fact.property.form(better * p.constant(fact))
    x, y = samples(p, 30000)
    assert p.solution is not None
    if kind.star:
        y = np.repeat(p.solution[None], len(x), 0)
        none = np.zeros(len(x))
        b = Graph(y, np.zeros_like(y), none, none)
    else:
        b = graph(p, of, y)
    assert defect(form, graph(p, of, x), b).max() > 0


@pytest.mark.parametrize("p", **named([p for p in ALL if p.solution is not None]))
def test_solution_is_a_zero(p: Problem) -> None:
    z = p.solution
    assert z is not None
    u = p.operator(z)
    natural = z - p.resolvent(z - u)
    terms = growth(p) * np.linalg.norm(z)
    assert np.linalg.norm(natural) <= 1e-12 * max(1.0, 1e-3 * terms)


@pytest.mark.parametrize("p", **named([p for p in ALL if p.constrained]))
def test_start_and_solution_lie_in_the_set(p: Problem) -> None:
    if p.resolvent.contains is None:
        # a regulariser is defined everywhere, and so is a linear A
        assert p.resolvent.value is not None or not p.resolvent.subdifferential
        return
    assert p.resolvent.contains(p.start)
    if p.control == "solution":
        return
    assert p.solution is not None
    assert p.resolvent.contains(p.solution)


@pytest.mark.parametrize("p", **named([p for p in ALL if p.project is not None]))
def test_projection_onto_the_solution_set(p: Problem) -> None:
    assert p.project is not None
    for z in points(p, 20, np.random.default_rng(0)):
        nearest = p.project(z)
        assert np.linalg.norm(p.operator(nearest)) <= 1e-12
        assert np.allclose(p.project(nearest), nearest)
        assert np.linalg.norm(z - nearest) <= np.linalg.norm(z - p.solution) + 1e-12


def singular_values(p: Problem) -> Vector:
    assert p.operator.matrix is not None
    return np.linalg.svd(p.operator.matrix, compute_uv=False)


def inverse_part(p: Problem) -> Vector | None:
    """Eigenvalues of the symmetric part of M⁻¹: the least is the modulus of comonotonicity."""
    matrix = p.operator.matrix
    assert matrix is not None
    size = singular_values(p)
    if size[-1] < 1e-12 * size[0]:
        return None
    inverse = np.linalg.inv(matrix)
    return np.linalg.eigvalsh((inverse + inverse.T) / 2)


LINEAR_FACTS = [(p, f) for p in DENSE for f in p.facts if f.property.of == "F"]


@pytest.mark.parametrize(("p", "fact"), **facts_named(LINEAR_FACTS))
@pytest.mark.sampled(4)
def test_linear_constant_is_the_spectral_one(p: Problem, fact: Fact) -> None:
    """The constants of a linear operator are eigenvalues, so they can't be bettered."""
    stated, kind = p.constant(fact), fact.property.kind
    matrix = p.operator.matrix
    assert matrix is not None
    size = singular_values(p)
    tolerance = 1e-10 if fact.provenance == "exact" else 1e-7
    if kind is properties.Lipschitz:
        if fact.note.startswith("a bound"):
            assert size[0] <= stated * (1 + 1e-12)
        else:
            assert size[0] == pytest.approx(stated, rel=1e-10, abs=1e-14)
    elif kind in (properties.Comonotone, properties.Cocoercive):
        spectrum = inverse_part(p)
        assert spectrum is not None
        scale = max(1.0, 1 / size[-1])
        assert spectrum[0] == pytest.approx(stated, rel=tolerance, abs=1e-14 * scale**2)
    elif kind is properties.StronglyMonotone:
        least = np.linalg.eigvalsh((matrix + matrix.T) / 2)[0]
        assert least == pytest.approx(stated, rel=tolerance)
    elif kind is properties.PLStar:
        assert np.array_equal(matrix, matrix.T)
        spectrum = np.linalg.eigvalsh(matrix)
        assert spectrum[spectrum > 1e-9 * size[0]][0] == pytest.approx(stated, rel=tolerance)
    else:
        assert kind in (properties.Monotone, properties.ConicallyNonexpansive)
        least = np.linalg.eigvalsh((matrix + matrix.T) / 2)[0]
        assert least >= -1e-13 * size[0]


BOUNDED = [
    (p, f)
    for p in ALL
    for f in p.facts
    if p.operator.matrix is None and p.dim <= 40 and f.property.kind is Lipschitz
]


@pytest.mark.parametrize(("p", "fact"), **facts_named(BOUNDED))
@pytest.mark.sampled(8)
def test_lipschitz_search(p: Problem, fact: Fact) -> None:
    """Multi-start ascent over pairs does not beat L and, where L is no mere bound, comes near."""
    L, d = p.constant(fact), p.dim
    known = p.start if p.solution is None else np.concatenate([p.start, p.solution])
    radius = p.region.size if p.region else 20 * np.abs(known).max()
    F = at_once(p)

    def minus_ratio(v: Vector) -> float:
        x, y = np.clip(v[:d], -radius, radius), np.clip(v[d:], -radius, radius)
        gap = np.linalg.norm(x - y)
        if gap < 1e-5:
            return 0.0
        return -float(np.linalg.norm(F(x) - F(y)) / gap)

    generator = np.random.default_rng(3)
    starts = radius * generator.uniform(-1.2, 1.2, (4000, d))
    starts *= 10.0 ** (generator.uniform(-6, 0, (4000, 1)) * generator.integers(0, 2, (4000, 1)))
    step = 10.0 ** generator.uniform(-4, 0, (4000, 1)) * generator.standard_normal((4000, d))
    x, y = (np.clip(v, -radius, radius) for v in (starts, starts + step))
    gaps = np.linalg.norm(x - y, axis=1)
    ratios = np.linalg.norm(value(p, x) - value(p, y), axis=1) / np.maximum(gaps, 1e-5)
    steepest = np.argsort(np.where(gaps < 1e-5, 0.0, -ratios), kind="stable")[:4]
    seeds = np.hstack([starts, starts + step])[steepest]
    options = {"maxiter": 600, "xatol": 1e-9, "fatol": 1e-12}
    best = max(
        -scipy.optimize.minimize(minus_ratio, s, method="Nelder-Mead", options=options).fun
        for s in seeds
    )
    assert best <= L * (1 + 1e-9)
    if not fact.note.startswith("a bound") and L > 0:
        assert best >= 0.9 * L


NONLINEAR_STAR = [
    (p, f)
    for p in SMALL
    for f in p.facts
    if p.operator.matrix is None and f.property.kind is properties.WeakMinty
]


@pytest.mark.parametrize(("p", "fact"), **facts_named(NONLINEAR_STAR))
@pytest.mark.sampled(4)
def test_weak_minty_constant_is_attained(p: Problem, fact: Fact) -> None:
    """The best star constant of F over the plane is the stated one, not only a bound on it."""
    assert p.solution is not None
    radius = p.region.size if p.region else 3.0
    F, J = at_once(p), resolved(p, 1.0)

    def ratio(z: Vector) -> float:
        z = J(np.clip(z, -radius, radius))
        u = F(z)
        size = u @ u
        return float(u @ (z - p.solution) / size) if size > 1e-12 else np.inf

    if p.dim == 2:
        grid = np.stack(np.meshgrid(*[np.linspace(-radius, radius, 61)] * 2), -1).reshape(-1, 2)
    else:
        grid = np.random.default_rng(8).uniform(-radius, radius, (3721, p.dim))
    seeds = sorted(grid, key=ratio)[:6] + [p.solution + 1e-3 * v for v in np.eye(p.dim)]
    options = {"maxiter": 2000, "xatol": 1e-12, "fatol": 1e-15}
    best = min(
        scipy.optimize.minimize(ratio, s, method="Nelder-Mead", options=options).fun for s in seeds
    )
    constant = p.constant(fact)
    assert constant - 1e-9 <= best
    if not fact.note.startswith("a bound"):
        assert best <= constant + 1e-5 * (1 + abs(constant))


def separable_pairs(m: float, M: float, c: float) -> float:
    """Least ratio over pairs of a separable saddle: its secant slopes are independent."""
    slopes = np.linspace(m, M, 401)
    a, b = np.meshgrid(slopes, slopes)
    return float(np.min(np.minimum(a, b) / (a * b + c * c)))


@pytest.mark.parametrize("p", **named([p for p in ALL if family(p) == "tanh_saddle"]))
def test_tanh_saddle_modulus(p: Problem) -> None:
    m, M, c = (p.parameters[n] for n in ("m", "M", "c"))
    rho = next(p.constant(f) for f in p.facts if f.property.kind is properties.Comonotone)
    assert rho == pytest.approx(separable_pairs(m, M, c), rel=1e-12)
    # a pair that comes near it: one player at the steep end, the other at the flat one
    x, y = np.array([1e-4, 40.0]), np.array([-1e-4, 0.0])
    worst = 0.0
    for scale in np.geomspace(1e-4, 1e2, 200):
        for sign in (1, -1):
            y[1] = 40 - sign * scale * 1e-3
            dz, du = x - y, p.operator(x) - p.operator(y)
            worst = min(worst, float(dz @ du / (du @ du)))
    assert rho <= worst <= 0.99 * rho


# --- operators against formulas written out by hand ---------------------------------------------


def saddle(phi: Callable[..., float]) -> Callable[[Vector, dict[str, float]], Vector]:
    """F by central differences of the payoff."""

    def field(z: Vector, k: dict[str, float]) -> Vector:
        h = 1e-5
        x, y = z
        return np.array(
            [
                (phi(x + h, y, k) - phi(x - h, y, k)) / (2 * h),
                -(phi(x, y + h, k) - phi(x, y - h, k)) / (2 * h),
            ]
        )

    return field


def polar(z: Vector, k: dict[str, float]) -> Vector:
    r2 = z @ z
    w = k["a"] / 16 * (r2 - 1) * (16 * r2 - 9)
    return np.array([w * z[0] - z[1], w * z[1] + z[0]])


def tanh(z: Vector, k: dict[str, float]) -> Vector:
    g = k["M"] * z - (k["M"] - k["m"]) * np.tanh(z)
    return np.array([g[0] + k["c"] * z[1], -k["c"] * z[0] + g[1]])


def gan(z: Vector, k: dict[str, float]) -> Vector:
    s = 1 / (1 + np.exp(z[0] * z[1]))
    return np.array([z[1] * s, -z[0] * s + k["reg"] * z[1]])


def huber(sign: float) -> Callable[[Vector, dict[str, float]], Vector]:
    def field(z: Vector, k: dict[str, float]) -> Vector:
        h = np.clip(z, -k["eps"], k["eps"])
        d = k["delta"]
        return np.array([(1 - d) * h[0] + d * z[1], sign * (1 - d) * h[1] - d * z[0]])

    return field


def forsaken_phi(u: float) -> float:
    return u**2 / 4 - u**4 / 2 + u**6 / 6


def global_phi(u: float) -> float:
    return 2 * u**6 / 21 - u**4 / 3 + u**2 / 3


BY_HAND: dict[str, Callable[[Vector, dict[str, float]], Vector]] = {
    "forsaken": saddle(lambda x, y, k: x * (y - 0.45) + forsaken_phi(x) - forsaken_phi(y)),
    "global_forsaken": saddle(lambda x, y, k: x * y + global_phi(x) - global_phi(y)),
    "almost_bilinear": saddle(lambda x, y, k: x * y + k["eps"] * (y**2 / 2 - y**4 / 4)),
    "cubic_saddle": saddle(lambda x, y, k: x**4 / 4 + x * y - y**4 / 4),
    "bilinear": saddle(lambda x, y, k: k["L"] * x * y),
    "tight_linear": saddle(
        lambda x, y, k: (
            k["L"] * np.sqrt(1 - k["c"] ** 2) * x * y - k["c"] * k["L"] / 2 * (x**2 - y**2)
        )
    ),
    "bilinear_box": saddle(lambda x, y, k: k["L"] * (x - k["off"]) * (y - k["off"])),
    "polar_game": polar,
    "tanh_saddle": tanh,
    "dirac_gan": gan,
    "ryu_huber": huber(1),
    "ryu_huber_flipped": huber(-1),
    "asym_bilinear_box": lambda z, k: np.array(
        [k["q"] * (z[1] - k["y_centre"]), -k["r"] * (z[0] - k["x_centre"])]
    ),
}


@pytest.mark.parametrize("p", **named([p for p in ALL if family(p) in BY_HAND and p.dim == 2]))
def test_operator_equals_formula(p: Problem) -> None:
    by_hand = BY_HAND[family(p)]
    for z in np.random.default_rng(5).uniform(-1.3, 1.3, (20, 2)):
        expected = by_hand(z, dict(p.parameters))
        assert np.allclose(p.operator(z), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("p", **named([p for p in ALL if p.operator.slopes is not None]))
def test_jacobian_matches_differences(p: Problem) -> None:
    h = 1e-5
    for z in np.random.default_rng(6).uniform(-1.2, 1.2, (5, p.dim)):
        columns = [(p.operator(z + h * e) - p.operator(z - h * e)) / (2 * h) for e in np.eye(p.dim)]
        assert np.allclose(p.operator.jacobian(z), np.array(columns).T, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("p", **named(DENSE))
def test_kernel_is_the_matrix(p: Problem) -> None:
    op = p.operator
    assert op.matrix is not None
    offset = op(np.zeros(op.dim))
    for z in np.random.default_rng(4).standard_normal((3, op.dim)):
        scale = np.linalg.norm(op.matrix) * np.linalg.norm(z) + np.linalg.norm(offset)
        assert np.abs(op(z) - (op.matrix @ z + offset)).max() <= 2 * (op.dim + 2) * UNIT * scale


def test_maps_are_what_their_names_say() -> None:
    """Matrices built in another way: resolvents, projections, block structure."""
    p = problem("resolvent_tight")
    c, gamma = p.parameters["c"], p.parameters["gamma"]
    tight = problem("tight_linear", c=c).operator.matrix
    inverse = np.linalg.inv(np.eye(2) + gamma * tight)
    assert np.allclose(p.operator.matrix, np.eye(2) - inverse, atol=1e-15)

    theta = 0.5
    lines = [np.array([1.0, 0.0]), np.array([np.cos(theta), np.sin(theta)])]
    P, Q = (np.outer(v, v) for v in lines)
    splitting = Q @ P + (np.eye(2) - Q) @ (np.eye(2) - P)
    found = np.eye(2) - problem("two_subspaces", theta=theta).operator.matrix
    assert np.allclose(found, splitting, atol=1e-15) or np.allclose(found, splitting.T, atol=1e-15)

    n = 4
    D = np.eye(n) - np.eye(n, k=-1)
    grid = problem("sparse_skew_grid", n=n)
    B = np.kron(D, D)
    dense = np.block([[0 * B, B], [-B.T, 0 * B]])
    z = np.random.default_rng(0).standard_normal(2 * n * n)
    assert np.allclose(grid.operator(z), dense @ z, atol=1e-13)
    L = grid.constant(grid.facts[0])
    assert np.linalg.norm(dense, 2) == pytest.approx(L, rel=1e-12)


def test_balls_feasibility_is_the_mean_of_projections() -> None:
    p = problem("balls_feasibility", m=4, d=3)
    rows = p.operator.data.reshape(4, 4)
    z = np.array([150.0, -20.0, 60.0])
    images = []
    for centre, radius in zip(rows[:, :3], rows[:, 3], strict=True):
        gap = np.linalg.norm(z - centre)
        images.append(z if gap <= radius else centre + radius * (z - centre) / gap)
    assert np.allclose(p.operator(z), z - np.mean(images, axis=0), atol=1e-12)
    assert np.linalg.norm(p.operator(z)) > 1


# --- readings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("p", **named(SMALL))
def test_ball_reading_agrees_and_encloses(p: Problem) -> None:
    """The same text on balls: entries given as formulas are evaluable and are what was rounded."""
    z = points(p, 1, np.random.default_rng(2))[0]
    with precision(200):
        reading = Balls()
        data = p.operator.data_in(reading.arithmetic, reading.number)
        out = np.empty(p.dim, dtype=object)
        p.operator.kernel(reading.vector(z.tolist()), out, data)
        exact = np.array([float(v.ball.mid()) for v in out])
        radii = [float(v.ball.rad()) for v in out]
        constants = [
            float(_enclosed(reading, f.property.constant, p).mid())
            for f in p.facts
            if isinstance(f.property.constant, str)
        ]
    size = np.linalg.norm(p.operator(z)) + growth(p) * (1 + np.linalg.norm(z))
    assert max(radii) <= 1e-50 * size
    assert np.abs(exact - p.operator(z)).max() <= 8 * (p.dim + 8) * UNIT * size
    floats = [p.constant(f) for f in p.facts if isinstance(f.property.constant, str)]
    assert constants == pytest.approx(floats, rel=1e-14, abs=1e-300)


def _enclosed(reading: Balls, formula: str, p: Problem) -> arb:
    symbols = {n: reading.number(float(v)) for n, v in p.parameters.items()}
    found = text(formula).evaluate(symbols, reading.arithmetic)
    return reading.number(found).ball


@pytest.mark.parametrize(
    "p",
    **named(
        [
            p
            for p in SMALL
            if p.solution is not None and not registry.get("problems", family(p)).rounded
        ]
    ),
)
def test_solution_is_exact(p: Problem) -> None:
    """No rounding in the zero itself, except where the declaration says so."""
    assert p.solution is not None
    with precision(200):
        reading = Balls()
        data = p.operator.data_in(reading.arithmetic, reading.number)
        out = np.empty(p.dim, dtype=object)
        z = reading.vector(p.solution.tolist())
        p.operator.kernel(z, out, data)
        moved = np.array([a - b for a, b in zip(z, out, strict=True)], dtype=object)
        limits = reading.vector(p.resolvent.data.tolist())
        J = reading.resolvent(p.resolvent)
        J(moved, reading.number(1), moved, limits)
        gaps = [float(abs((a - b).ball).upper()) for a, b in zip(z, moved, strict=True)]
    assert max(gaps) <= 1e-50, "F z* + A z* is not 0; say rounded=True where z* is no float64"


@pytest.mark.parametrize("p", **named(ALL))
@pytest.mark.sampled(4)
def test_compiled_equals_interpreted(p: Problem) -> None:
    op = p.operator
    F = compiler.jit(op.compiled or op.kernel, "operator")
    J = compiler.jit(p.resolvent.kernel, "resolvent")
    out = np.empty(p.dim)
    for z in points(p, 3, np.random.default_rng(1)):
        F(z, out, op.data)
        size = np.linalg.norm(op(z)) + growth(p) * (1 + np.linalg.norm(z))
        assert np.abs(out - op(z)).max() <= 8 * (p.dim + 8) * UNIT * size
        J(z, 0.5, out, p.resolvent.data)
        expected = p.resolvent(z, 0.5)
        assert np.abs(out - expected).max() <= 64 * UNIT * (1 + np.linalg.norm(z))
        J(out, 0.5, out, p.resolvent.data)
        assert np.isfinite(out).all()


# --- proved constants --------------------------------------------------------------------------


def semidefinite(matrix: fmpq_mat) -> bool:
    """Exact: all pivots of symmetric elimination are ≥ 0, zero rows being zero throughout."""
    a = [[matrix[i, j] for j in range(matrix.ncols())] for i in range(matrix.nrows())]
    n = len(a)
    for k in range(n):
        if a[k][k] < 0:
            return False
        if a[k][k] == 0:
            if any(a[k][j] != 0 for j in range(k, n)):
                return False
            continue
        for i in range(k + 1, n):
            factor = a[i][k] / a[k][k]
            for j in range(k, n):
                a[i][j] -= factor * a[k][j]
    return True


def rational(v: float) -> fmpq:
    return fmpq(*float(v).as_integer_ratio())


CERTIFIED = [(p, f) for p in DENSE for f in p.facts if f.provenance == "certified" and p.dim <= 12]


@pytest.mark.parametrize(("p", "fact"), **facts_named(CERTIFIED))
def test_certified_constant_in_exact_arithmetic(p: Problem, fact: Fact) -> None:
    assert p.operator.matrix is not None
    M = fmpq_mat([[rational(v) for v in row] for row in p.operator.matrix.tolist()])
    n, c = p.dim, rational(p.constant(fact))
    eye = fmpq_mat([[fmpq(int(i == j)) for j in range(n)] for i in range(n)])
    transposed = M.transpose()
    half = (M + transposed) * fmpq(1, 2)
    shown = {
        properties.Lipschitz: lambda: eye * (c * c) - transposed * M,
        properties.Comonotone: lambda: half - (transposed * M) * c,
        properties.StronglyMonotone: lambda: half - eye * c,
        properties.PLStar: lambda: transposed * M - half * c,
    }[fact.property.kind]()
    assert semidefinite(shown)


def random_matrices() -> Iterator[NDArray[np.float64]]:
    generator = np.random.default_rng(11)
    for n in (1, 2, 5, 30):
        for scale in (1e-6, 1.0, 1e6):
            yield scale * (generator.standard_normal((n, n)) + 2 * np.eye(n))


def test_proofs_refuse_what_is_false() -> None:
    """A constant on the wrong side by a relative 1e-9 can't be proved; a proved one is close."""
    for M in random_matrices():
        L = float(np.linalg.norm(M, 2))
        gram, half = matrix_facts._gram(M), (M + M.T) / 2
        assert not matrix_facts._lipschitz(gram, L * (1 - 1e-9))
        assert L * (1 - 1e-15) <= matrix_facts.lipschitz_above(M) <= L * (1 + 1e-9)
        inverse = np.linalg.inv(M)
        rho = np.linalg.eigvalsh((inverse + inverse.T) / 2)[0]
        scale = float(np.linalg.norm(inverse, 2))
        assert not matrix_facts._comonotone(M, gram, rho + 1e-9 * scale)
        assert rho - 1e-6 * scale <= matrix_facts.comonotone_below(M) <= rho + 1e-12 * scale
        mu = np.linalg.eigvalsh(half)[0]
        assert not matrix_facts._monotone(half, mu + 1e-9 * L)
        assert mu - 1e-9 * L <= matrix_facts.monotone_below(M) <= mu + 1e-12 * L


def test_proofs_refuse_nan() -> None:
    assert not matrix_facts._semidefinite(np.array([[np.nan]]), 0.0)
    assert not matrix_facts._semidefinite(np.array([[-1.0]]), 0.0)
    assert not matrix_facts._semidefinite(np.zeros((2, 2)), 1e-300)


def test_hopeless_matrix_says_so() -> None:
    M = np.array([[1.0, 1.0], [1.0, 1.0 + 2.0**-50]])
    with pytest.raises(OpcheckError, match="too badly conditioned"):
        matrix_facts.comonotone_below(M)


# --- negative controls -------------------------------------------------------------------------


def far_pairs(p: Problem, count: int = 4000) -> tuple[Graph, Graph]:
    generator = np.random.default_rng(9)
    scale = 10.0 ** generator.uniform(-6, 4, (count, 1))
    x = scale * generator.standard_normal((count, p.dim))
    y = x + scale * 10.0 ** generator.uniform(-3, 0, (count, 1)) * generator.standard_normal(
        x.shape
    )
    return graph(p, "F", x), graph(p, "F", y)


def breaks_monotone(p: Problem) -> bool:
    return bool(defect(properties.Monotone().form(), *far_pairs(p)).max() > 0)


def breaks_nonexpansive(p: Problem) -> bool:
    return bool(defect(properties.Nonexpansive(of="T").form(), *far_pairs(p)).max() > 0)


def breaks_lipschitz(p: Problem) -> bool:
    """No constant will do: every decade of L is beaten by some pair."""
    pairs = far_pairs(p)
    return all(defect(Lipschitz(L).form(), *pairs).max() > 0 for L in 10.0 ** np.arange(6))


def breaks_strongly_monotone(p: Problem) -> bool:
    """No μ > 0 will do: every decade down to 1e-6 is beaten."""
    pairs = far_pairs(p)
    forms = [properties.StronglyMonotone(10.0**-r).form() for r in range(7)]
    return all(defect(f, *pairs).max() > 0 for f in forms)


def against_zero(p: Problem, points: Graph) -> Graph:
    """The solution with the value 0, once for each point."""
    assert p.solution is not None
    none = np.zeros(len(points.z))
    return Graph(np.repeat(p.solution[None], len(points.z), 0), 0 * points.z, none, none)


def breaks_weak_minty(p: Problem) -> bool:
    """No constant will do for S against the stated solution, near another zero of S."""
    generator = np.random.default_rng(9)
    z = np.concatenate([other_zeros(p)] * 500)
    z += 10.0 ** generator.uniform(-9, -1, (len(z), 1)) * generator.standard_normal(z.shape)
    found = graph(p, "S", z)
    forms = [properties.WeakMinty(-(10.0**r), of="S").form() for r in range(4)]
    return all(defect(f, found, against_zero(p, found)).max() > 0 for f in forms)


def other_zeros(p: Problem) -> Vector:
    """Points that J takes to zeros of S at a corner or on the face x = 1 of [−1, 1]²."""
    low, high = (p.operator([1.0, y])[1] for y in (-1.0, 1.0))
    zeros = [np.array([1.0, y]) for y in (-1.0, 1.0, np.clip((high + low) / (low - high), -1, 1))]
    found = np.array([z - 0.25 * p.operator(z) for z in zeros])
    at_zero = [bool(np.allclose(p.resolvent(q), z)) for q, z in zip(found, zeros, strict=True)]
    return found[at_zero] if any(at_zero) else found


def breaks_comonotone(p: Problem) -> bool:
    """No constant will do, neither for pairs nor, where none is stated, against the solution."""
    pairs = far_pairs(p, 200_000)
    x = pairs[0]
    zero = against_zero(p, x)
    forms = [properties.Comonotone(-(10.0**r)).form() for r in range(4)]
    star = any(f.property.kind is properties.WeakMinty for f in p.facts)
    return all(defect(f, *pairs).max() > 0 for f in forms) and (
        star or all(defect(f, x, zero).max() > 0 for f in forms)
    )


def breaks_cocoercive(p: Problem) -> bool:
    """No constant will do for pairs."""
    pairs = far_pairs(p)
    forms = [properties.Cocoercive(10.0**-r).form() for r in range(7)]
    return all(defect(f, *pairs).max() > 0 for f in forms)


def breaks_solution(p: Problem) -> bool:
    """The natural residual stays away from 0."""
    z = far_pairs(p)[0].z
    natural = [x - p.resolvent(x - p.operator(x)) for x in z]
    return p.solution is None and bool(np.linalg.norm(natural, axis=1).min() > 0.1)


BROKEN = {
    "Monotone": breaks_monotone,
    "StronglyMonotone": breaks_strongly_monotone,
    "WeakMinty": breaks_weak_minty,
    "Nonexpansive": breaks_nonexpansive,
    "Lipschitz": breaks_lipschitz,
    "Comonotone": breaks_comonotone,
    "Cocoercive": breaks_cocoercive,
    "solution": breaks_solution,
}
CONTROLS = [p for p in ALL if p.control]


@pytest.mark.parametrize("p", **named(CONTROLS))
@pytest.mark.sampled(4)
def test_control_breaks_its_hypothesis(p: Problem) -> None:
    assert BROKEN[p.control](p)


def test_sound_problems_break_nothing() -> None:
    """The same detectors stay silent where the hypothesis holds."""
    assert not breaks_monotone(problem("bilinear"))
    assert not breaks_monotone(problem("ryu_huber"))
    assert not breaks_nonexpansive(problem("rotation_map"))
    assert not breaks_lipschitz(problem("tight_linear"))
    assert not breaks_comonotone(problem("tight_linear", c=0.9))
    assert not breaks_strongly_monotone(problem("strongly_monotone"))
    assert not breaks_weak_minty(problem("quad_box"))
    assert not breaks_cocoercive(problem("strongly_monotone"))
    assert not breaks_solution(problem("bilinear"))


def test_every_kind_of_control_is_there() -> None:
    assert {p.control for p in CONTROLS} == set(BROKEN)


# --- what the docstrings say -------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 10, 50])
def test_halpern_worst_case_is_attained(n: int) -> None:
    p = problem("halpern_worst", n=n)
    t = run("halpern", p, iterations=n)
    assert t["residual"][n] == pytest.approx(4 * t["distance"][0] / (n + 1) ** 2, rel=1e-12)


def test_neg_identity_alternates() -> None:
    t = run("halpern", problem("neg_identity"), iterations=10)
    k = np.arange(11)
    expected = np.where(k % 2 == 0, 4 / (k + 1.0) ** 2, 0)
    assert np.allclose(t["residual"], expected, rtol=1e-13, atol=1e-30)


@pytest.mark.parametrize(("n", "g"), [(1, 0.5), (5, 0.5), (20, 0.8), (5, 0.99), (50, 0.3)])
def test_km_worst_case_is_attained(n: int, g: float) -> None:
    t = run("krasnoselskii_mann", problem("km_worst", n=n, g=g), iterations=n, a=g)
    if 4 * g * (1 - g) * (n + 1) <= 1:
        expected = (2 * g - 1) ** (2 * n)
    else:
        expected = (n / (n + 1)) ** n / (n + 1) / (4 * g * (1 - g))
    assert t["residual"][n] / (4 * t["distance"][0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "step"), [(2, 1.0), (5, 1.0), (50, 1.0), (10, 2.0)])
def test_proximal_point_worst_case_is_attained(n: int, step: float) -> None:
    p = problem("ppm_worst", n=n, step=step)
    t = run("proximal_point", p, iterations=n, iterates=True, gamma=step)
    moved = np.linalg.norm(t.iterates[n] - t.iterates[n - 1]) ** 2
    expected = (1 - 1 / n) ** (n - 1) / n * (p.start @ p.start)
    assert moved == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("p", **named([p for p in ALL if p.name.startswith("feg_tight")]))
def test_feg_bound_is_attained(p: Problem) -> None:
    L, k = p.parameters["L"], int(p.parameters["n"])
    rho = next(p.constant(f) for f in p.facts if f.property.kind is properties.Comonotone)
    t = run("feg", p, iterations=k, gamma=1 / L, rho=rho)
    bound = 4 * t["distance"][0] / ((1 / L + 2 * rho) * k) ** 2
    assert t["residual"][k] == pytest.approx(bound, rel=1e-10)


def test_bilinear_slow_is_slow() -> None:
    """|F z_K|² → 1/(e γ² K) of the slow block, for z⁰ with a unit slow part."""
    for K, gamma in ((500, 0.707), (2000, 0.5)):
        p = problem("bilinear_slow", K=K, gamma=gamma)
        t = run("extragradient", p, iterations=K, start=[0, 0, 1, 0], gamma=gamma)
        assert t["residual"][K] == pytest.approx(1 / (np.e * gamma**2 * K), rel=3e-3)


@pytest.mark.parametrize("n", [2, 5, 20])
def test_accelerated_proximal_worst_case_is_that_of_halpern(n: int) -> None:
    """2J − I of appm_worst is the rotation by π/n of halpern_worst."""
    matrix = problem("appm_worst", n=n).operator.matrix
    assert matrix is not None
    reflected = 2 * np.linalg.inv(np.eye(2) + matrix) - np.eye(2)
    expected = np.eye(2) - problem("halpern_worst", n=n - 1).operator.matrix
    assert np.allclose(reflected, expected, atol=1e-14)


@pytest.mark.parametrize(("g", "n"), [(1.1, 4), (1.1, 10), (1.5, 6)])
def test_contractive_halpern_worst_case_is_attained(g: float, n: int) -> None:
    """x_k = x₀/φ_k + (1 − 1/φ_k) T x_{k−1}, φ_k = Σ_{i≤k} g^{2i}, meets its bound at even n."""
    p = problem("contractive_worst", g=g)
    x = p.start
    for k in range(1, n + 1):
        share = 1 / np.sum(g ** (2.0 * np.arange(k + 1)))
        x = share * p.start + (1 - share) * (x - p.operator(x))
    bound = (1 + 1 / g) ** 2 / np.sum(g ** np.arange(n + 1.0)) ** 2
    assert p.operator(x)[0] ** 2 == pytest.approx(bound, rel=1e-12)


def test_forsaken_cycles() -> None:
    p = problem("forsaken")
    L = p.constant(p.facts[0])
    t = run("extragradient", p, iterations=5000, gamma=1 / L)
    assert t["distance"][-2000:].min() > 0.5


def test_cubic_saddle_from_near_and_far() -> None:
    near = run("extragradient", problem("cubic_saddle"), iterations=400, start=[1, 1], gamma=0.2)
    assert near["residual"][-1] < 1e-6
    far = run("extragradient", problem("cubic_saddle"), iterations=10, start=[3, 3], gamma=0.2)
    assert far.status != "completed"


def test_nilpotent_never_decreases() -> None:
    t = run("extragradient", problem("nilpotent"), iterations=50, gamma=0.5)
    assert (np.diff(t["residual"]) >= 0).all()


def test_translation_has_no_fixed_point() -> None:
    t = run("halpern", problem("translation"), iterations=100, iterates=True)
    assert np.allclose(t["residual"], 2.0)
    assert np.linalg.norm(t.iterates[-1]) > 40


def test_quad_box_threshold_is_sharp() -> None:
    """Just above c = sin(π/8) a normal of the box breaks weak Minty of S with −c/L."""
    c = np.sin(np.pi / 8)
    problem("quad_box", c=c * (1 - 1e-12))
    with pytest.raises(OpcheckError, match="not weakly Minty"):
        problem("quad_box", c=c * (1 + 1e-9))
    above = c + 1e-3
    F = problem("tight_linear", c=above).operator
    z = np.array([1.0, -1.0])
    u = F(z)
    t = -(1 + 2 * above * u[0]) / (2 * above)
    assert t > 0
    moved = u + np.array([t, 0.0])
    assert moved @ z < -above * (moved @ moved) - 1e-9


def test_box_destroys_comonotonicity() -> None:
    """A face turns the tight rotation into a decreasing line: F + N_box has −1/(cL), not −c/L."""
    p = problem("quad_box", c=0.1)
    z, w = np.array([1.0, -0.2]), np.array([1.0, 0.3])
    u, v = p.operator(z), p.operator(w)
    u[0] = v[0] = max(u[0], v[0])  # normals of the face x = 1 lift the first component
    ratio = (u - v) @ (z - w) / ((u - v) @ (u - v))
    assert ratio == pytest.approx(-1 / 0.1, rel=1e-12)


def test_asymmetric_box_keeps_the_modulus() -> None:
    """Pairs of F + N_box come close to the modulus of F and none goes below it."""
    p = problem("asym_bilinear_box")
    x, y = samples(p, 6000)
    a, b = graph(p, "S", x), graph(p, "S", y)
    dz, du = a.z - b.z, a.u - b.u
    size = np.sum(du * du, axis=1)
    far = size > 1e-6
    assert np.min(np.sum(dz * du, axis=1)[far] / size[far]) <= 0.98 * -0.3


def test_matrix_games_have_the_stated_equilibrium() -> None:
    """No pure deviation gains: the duality gap is 0."""
    for p in ALL:
        if p.name.startswith(("matrix_game", "rps", "weighted_rps", "matching_pennies")):
            assert p.solution is not None
            n = p.dim // 2
            payoff = -p.operator.matrix[n:, :n]
            x, y = p.solution[:n], p.solution[n:]
            assert np.max(payoff @ x) - np.min(payoff.T @ y) == pytest.approx(0, abs=1e-14)
            assert np.linalg.matrix_rank(payoff) == n - 1


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("bilinear", {"L": 0.0}),
        ("bilinear", {"n": 1.5}),
        ("bilinear", {"n": 0}),
        ("bilinear", {"L": float("nan")}),
        ("bilinear_slow", {"K": 1, "gamma": 0.5}),
        ("tight_linear", {"c": 1.01}),
        ("tight_linear", {"L": -1.0}),
        ("slow_family", {"s": 0.1}),
        ("slow_family", {"s": -1.0}),
        ("feg_tight", {"j": 0}),
        ("feg_tight", {"j": 5}),
        ("block_rotation", {"n": 5}),
        ("block_rotation", {"rho": -1.1}),
        ("inverse_skew", {"n": 3}),
        ("inverse_skew", {"rho": -1.0}),
        ("random_comonotone", {"rho": -1.5}),
        ("random_comonotone", {"n": 1}),
        ("quad_minmax", {"b": 0.0}),
        ("asym_bilinear", {"r": 2.0}),
        ("right_shift", {"n": 2}),
        ("strongly_monotone", {"mu": 2.0}),
        ("cournot_linear", {"b": -1.0}),
        ("sparse_skew_grid", {"n": 1}),
        ("robust_ls", {"lam": 1.0}),
        ("robust_ls", {"m": 2}),
        ("robust_ls_nonconcave", {"delta": 1.0}),
        ("forsaken", {"box": 1.0}),
        ("global_forsaken", {"box": -1.0}),
        ("polar_game", {"box": 0.5}),
        ("polar_game", {"a": 0.0}),
        ("tanh_saddle", {"m": 0.1}),
        ("tanh_saddle", {"m": -2.0, "M": 3.0}),
        ("almost_bilinear", {"eps": 0.0}),
        ("dirac_gan", {"reg": -1.0}),
        ("ryu_huber", {"delta": 1.0}),
        ("ryu_huber_flipped", {"eps": 0.0}),
        ("bilinear_box", {"off": 1.0}),
        ("quad_box", {"c": 0.39}),
        ("quad_box", {"off": 0.9, "c": 0.1}),
        ("asym_bilinear_box", {"x_centre": 2.0, "y_centre": 2.0}),
        ("asym_bilinear_box", {"x_centre": 1.0}),
        ("product_ball", {"c": 1.5}),
        ("matrix_game", {"n": 1}),
        ("affine_monotone", {"n": 3}),
        ("half_space_monotone", {"n": 0}),
        ("l1_skew", {"lam": 0.0}),
        ("sun_murty_lcp", {"n": 0}),
        ("harker_pang", {"n": 0}),
        ("rotation_map", {"theta": 0.0}),
        ("halpern_worst", {"n": 0}),
        ("km_worst", {"g": 1.0}),
        ("ppm_worst", {"n": 1}),
        ("appm_worst", {"step": 0.0}),
        ("contractive_worst", {"g": 1.0}),
        ("two_subspaces", {"theta": 2.0}),
        ("resolvent_tight", {"gamma": 0.2}),
        ("balls_feasibility", {"m": 0}),
        ("nilpotent", {"L": 0.0}),
        ("scalar_decreasing", {"L": 0.0}),
        ("expansive_map", {"g": 1.0}),
        ("translation", {"v": 0.0}),
    ],
)
def test_a_family_that_does_not_exist_says_so(name: str, bad: dict[str, float]) -> None:
    with pytest.raises(OpcheckError) as caught:
        problem(name, **bad)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert any(word in sentence for word in (*bad, *map(str, bad.values()), "class", "centre"))


def test_constants_are_where_the_parameters_say() -> None:
    """A preset changes the constants with it: the texts are formulas in the parameters."""
    assert float(text("-c/L").evaluate({"c": 0.4, "L": 2.0}, FLOAT)) == -0.2
    for L, rho in ((1.0, -0.3), (3.0, -0.1)):
        for name in ("block_rotation", "inverse_skew", "random_comonotone"):
            p = problem(name, L=L, rho=rho, n=6)
            found = {f.property.kind.name: p.constant(f) for f in p.facts}
            assert found["Lipschitz"] == pytest.approx(L, rel=1e-9)
            assert found["Comonotone"] == pytest.approx(rho, rel=1e-7)


def test_a_problem_starts_with_its_operator_and_is_named_by_its_family() -> None:
    F = opcheck.linear([[0.0, 1.0], [-1.0, 0.0]])
    assert Problem(F).name == ""
    assert problem("bilinear", L=2.0).name == "bilinear(L=2)"
    with pytest.raises(OpcheckError, match=r"write Problem\(F, name='mine'\)"):
        Problem("mine", F)  # type: ignore[arg-type]
