"""The classical test problems for variational inequalities and complementarity.

Where a Jacobian is affine, its constants over a box are those of the corners and are proved there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Monotone,
    Problem,
    Region,
    Resolvent,
    StronglyMonotone,
    exact,
    linear,
    problem_family,
)
from opcheck.plugin import (
    NOTE,
    Fact,
    Operator,
    Vector,
    corners,
    facts_of,
    lipschitz_above,
    monotone_below,
)
from opcheck_problems._build import Matrix
from opcheck_problems._checks import positive, require, whole
from opcheck_problems._solve import complementarity, on_simplex, semismooth
from opcheck_problems.sets import box, orthant, simplex

CORNERS = f"{NOTE}, at every corner of the region: the Jacobian is affine"


@functools.lru_cache(maxsize=64)
def on_corners(
    jacobian: Callable[[Vector], Matrix], n: int, radius: float
) -> tuple[float, float | None]:
    """L, and μ where it is positive, proved over ‖z‖∞ ≤ radius for an affine Jacobian."""
    ends = corners(jacobian, n, radius)
    stack = np.array(ends)
    least = np.linalg.eigvalsh(stack + stack.transpose(0, 2, 1))[:, 0].min()
    return lipschitz_above(*ends), monotone_below(*ends) if least > 0 else None


def local_facts(
    jacobian: Callable[[Vector], Matrix], n: int, radius: float, published: float | None = None
) -> tuple[Fact, ...]:
    """The same as facts; ``published`` is what the literature states for L."""
    lipschitz, strongly = on_corners(jacobian, n, radius)
    facts = [Fact(Lipschitz(lipschitz), "certified", True, CORNERS, published)]
    if strongly is not None and strongly > 0:
        facts.append(Fact(StronglyMonotone(strongly), "certified", True, CORNERS))
    return tuple(facts)


def kojima(z, out, data):
    """No data."""
    a, b, c, d = z[0], z[1], z[2], z[3]
    out[0] = 3 * a * a + 2 * a * b + 2 * b * b + c + 3 * d - 6
    out[1] = 2 * a * a + a + b * b + 10 * c + 2 * d - 2
    out[2] = 3 * a * a + a * b + 2 * b * b + 2 * c + 9 * d - 9
    out[3] = a * a + 3 * b * b + 2 * c + 3 * d - 3


def kojima_slope(z: Vector) -> Matrix:
    """The Jacobian of ``kojima``, affine in z."""
    a, b = z[0], z[1]
    return np.array(
        [
            [6 * a + 2 * b, 2 * a + 4 * b, 1, 3],
            [4 * a + 1, 2 * b, 10, 2],
            [6 * a + b, a + 4 * b, 2, 9],
            [2 * a, 6 * b, 2, 3],
        ]
    )


@problem_family(
    "kojima_shindo",
    presets=[{"over": "orthant"}],
    start=(1.0, 1.0, 1.0, 1.0),
    solution=(1.0, 0.0, 3.0, 0.0),
)
def kojima_shindo(over: str = "simplex") -> Problem:
    """The nonlinear complementarity problem of Kojima and Shindo, of four quadratics, on the
    orthant or on the simplex Σz = 4: not monotone, and (1, 0, 3, 0) is no Minty solution.

    The orthant has a second, degenerate solution (√6/2, 0, 0, 1/2). On the simplex L = 41.039, at
    4e₁ (a package lists L = 10, wrong); stated is the larger constant of the box ‖z‖∞ ≤ 4.

    Raises OpcheckError for another set.
    """
    sets = {"simplex": simplex(4, 4.0), "orthant": orthant()}
    require(over in sets, f"over = {over!r} must be one of {', '.join(sets)}")
    operator = Operator(kojima, np.empty(0), 4, "F of Kojima and Shindo")
    return Problem(
        operator, sets[over], facts=local_facts(kojima_slope, 4, 4.0, 10.0), region=Region(4.0)
    )


def sun(z, out, data):
    """No data: x²_{i−1} + x²_i + x_{i−1}x_i + x_i x_{i+1} + x_{i−1} + 4x_i − 2x_{i+1} − 1."""
    n = z.shape[0]
    for i in range(n):
        out[i] = z[i] * z[i] + 4 * z[i] - 1
        if i > 0:
            out[i] += z[i - 1] * z[i - 1] + z[i - 1] * z[i] + z[i - 1]
        if i < n - 1:
            out[i] += z[i] * z[i + 1] - 2 * z[i + 1]


def sun_slope(z: Vector) -> Matrix:
    """The Jacobian of ``sun``, affine in z."""
    before, after = np.append(0.0, z[:-1]), np.append(z[1:], 0.0)
    return np.asarray(
        np.diag(2 * z + before + after + 4)
        + np.diag((2 * before + z + 1)[1:], -1)
        + np.diag((z - 2)[:-1], 1)
    )


@functools.lru_cache(maxsize=64)
def _sun_solution(n: int, lo: float, hi: float, total: float | None) -> Vector:
    def value(z: Vector) -> Vector:
        out = np.empty(n)
        sun(z, out, np.empty(0))
        return out

    start = np.full(n, 0.2 if total is None else total / n)
    return semismooth(value, sun_slope, start, lo, hi, total)


@problem_family(
    "sun_nonlinear",
    rounded=True,
    presets=[{"n": 10}, {"n": 3, "over": "orthant"}, {"n": 3, "over": "simplex"}],
)
def sun_nonlinear(n: int = 6, over: str = "box") -> Problem:
    """Sun's quadratic operator with D = tridiag(1, 4, −2), on the box [−1/4, 1/4]^n, the orthant,
    or the simplex Σz = n (Malitsky's test set).

    Often called monotone, wrong: on [0, s]^10 μ = 3.0405 = 4 − cos(π/11) for s = 1, 2.312 for
    s = 10, but −0.011 for 20 and −18.96 for 100. On [−1/4, 1/4]^10 μ = 1.087 and L = 6.021.
    Constants are stated for ‖z‖∞ ≤ 5/16, with room for over-relaxed steps, for 1 and for n. The
    zero is true to rounding.

    Raises OpcheckError for another set or n outside 2, ..., 12.
    """
    n = whole(n, "n", 2)
    require(n <= 12, f"n = {n} must be at most 12: the facts are proved at 2^n corners")
    sets: dict[str, tuple[Resolvent, float, tuple[float, float, float | None]]] = {
        "box": (box(-0.25, 0.25), 0.3125, (-0.25, 0.25, None)),
        "orthant": (orthant(), 1.0, (0.0, np.inf, None)),
        "simplex": (simplex(n, float(n)), float(n), (0.0, np.inf, float(n))),
    }
    require(over in sets, f"over = {over!r} must be one of {', '.join(sets)}")
    resolvent, radius, ends = sets[over]
    return Problem(
        Operator(sun, np.empty(0), n, "F of Sun"),
        resolvent,
        start=np.ones(n) if over == "simplex" else np.zeros(n),
        solution=_sun_solution(n, *ends).copy(),
        facts=local_facts(sun_slope, n, radius),
        region=Region(radius),
    )


WATSON = """
    0 0 -1 -1 -1 1 1 0 1 1
    -2 -1 0 1 1 2 2 0 -1 0
    1 0 1 -2 -1 -1 0 2 0 0
    2 1 -1 0 1 0 -1 -1 -1 1
    -2 0 1 1 0 2 2 -1 1 0
    -1 0 1 1 1 0 -1 2 0 1
    0 -1 1 0 2 -1 0 0 1 -1
    0 -2 2 0 0 1 2 2 -1 0
    0 -1 0 2 2 1 1 1 -1 0
    2 -1 -1 0 1 0 0 -1 2 2
"""


@functools.lru_cache(maxsize=10)
def watson_solutions(pos: int) -> tuple[Vector, ...]:
    """All solutions on the unit simplex that are isolated in their face."""
    matrix = np.array(WATSON.split(), dtype=float).reshape(10, 10)
    return tuple(on_simplex(matrix, np.eye(10)[pos], 1.0))


@problem_family("watson", rounded=True, presets=[{"pos": 4}, {"pos": 7}])
def watson(pos: int = 0) -> Problem:
    """F = Az + e_pos on the unit simplex of R¹⁰, A the integer matrix of Watson 1979, not monotone:
    L = 6.846, ρ = −2.72, μ = −4.55. ``pos`` counts from 0.

    There are many solutions (8 to 17 by ``pos``, several of them vertices), found by trying every
    support, true to rounding; the one of largest support is the reference.

    Raises OpcheckError unless pos = 0, ..., 9.
    """
    pos = whole(pos, "pos", 0)
    require(pos <= 9, f"pos = {pos} must be at most 9")
    matrix = np.array(WATSON.split(), dtype=float).reshape(10, 10)
    solutions = watson_solutions(pos)
    return Problem(
        linear(matrix, np.eye(10)[pos].tolist()),
        simplex(10, 1.0),
        start=np.full(10, 0.1),
        solution=solutions[-1].copy(),
        facts=facts_of(matrix),
    )


@problem_family("harker_pang_simplex", rounded=True, presets=[{"n": 5, "seed": 1}])
def harker_pang_simplex(n: int = 10, seed: int = 0) -> Problem:
    """The M and q of harker_pang on the simplex Σz = n (Malitsky's test set): strongly monotone,
    badly conditioned; the zero is true to rounding.

    The notebook it comes from adds diag(U(−5, 5)) to the skew B: then 84 of 200 draws are not
    monotone. B is skew here.

    Raises OpcheckError for n < 2.
    """
    n = whole(n, "n", 2)
    matrix, offset = harker_pang_data(n, np.random.default_rng(seed))
    solution = semismooth(
        lambda z: matrix @ z + offset, lambda z: matrix, np.ones(n), 0.0, total=float(n)
    )
    return Problem(
        linear(matrix, offset),
        simplex(n, float(n)),
        start=np.ones(n),
        solution=solution,
        facts=facts_of(matrix),
    )


@problem_family("two_link", rounded=True, presets=[{"demand": 11.0}])
def two_link(demand: float = 10.0) -> Problem:
    """Traffic on two parallel links with costs t = [[5, 2], [1, 4]]f + (10, 12): not symmetric, so
    no potential. Equilibrium ((1 + D)/3, (2D − 1)/3), rounded, for a demand D, (11/3, 19/3) of
    cost 41 for D = 10. L = 6.109 and μ = 2.919, proved for the matrix.

    Raises OpcheckError for a demand below 1/2, where the second link stays empty.
    """
    require(demand >= 0.5, f"demand = {demand} must be at least 1/2")
    matrix = np.array([[5.0, 2.0], [1.0, 4.0]])
    return Problem(
        linear(matrix, [10, 12]),
        simplex(2, demand),
        start=np.array([demand, 0.0]),
        solution=np.array([(1 + demand) / 3, (2 * demand - 1) / 3]),
        facts=facts_of(matrix),
    )


def lq_matrices(
    horizon: int, weights: tuple[Matrix, Matrix], effort: float
) -> tuple[Matrix, Vector]:
    """Pseudo-gradient of two players u₁, u₂ who steer x⁺ = [[1, 1], [0, 1]]x + B₁u₁ + B₂u₂ with
    costs xᵀQ_i x/2 summed over the horizon plus ``effort`` |u_i|²/2, from x = (−4, 1)."""
    dynamics, inputs = np.array([[1.0, 1.0], [0.0, 1.0]]), np.eye(2)
    powers = [np.linalg.matrix_power(dynamics, t) for t in range(horizon + 1)]
    free = np.concatenate([powers[t] @ np.array([-4.0, 1.0]) for t in range(1, horizon + 1)])
    steer = []
    for i in range(2):
        response = np.zeros((2 * horizon, horizon))
        for t in range(horizon):
            for s in range(t + 1):
                response[2 * t : 2 * t + 2, s] = powers[t - s] @ inputs[:, i]
        steer.append(response)
    costs = [np.kron(np.eye(horizon), q) for q in weights]
    rows = [[g.T @ q @ h for h in steer] for g, q in zip(steer, costs, strict=True)]
    offset = [g.T @ q @ free for g, q in zip(steer, costs, strict=True)]
    return np.block(rows) + effort * np.eye(2 * horizon), np.concatenate(offset)


@problem_family("lq_dynamic_game", rounded=True, presets=[{"horizon": 5, "effort": 10.0}])
def lq_dynamic_game(horizon: int = 3, effort: float = 1.0) -> Problem:
    """Two players with nonnegative inputs steer one linear system over a horizon, both with the
    state cost Q = [[2, 1], [1, 2]]: a potential game, so the pseudo-gradient is symmetric and
    strongly monotone. The zero is true to rounding.

    The notebook it comes from (monviso) squares its random Q and R entrywise, which leaves them
    indefinite, and its stacked input matrix uses one block column only: all its seeds are
    nonmonotone. With different Q_i the game is nonmonotone for honest data too; see lq_unequal.

    Raises OpcheckError for a horizon below 1 or an effort that is not positive.
    """
    horizon = whole(horizon, "horizon")
    positive(effort, "effort")
    cost = np.array([[2.0, 1.0], [1.0, 2.0]])
    matrix, offset = lq_matrices(horizon, (cost, cost), effort)
    return Problem(
        linear(matrix, offset),
        orthant(),
        start=np.zeros(2 * horizon),
        solution=complementarity(matrix, offset),
        facts=facts_of(matrix),
    )


COTANGENT = "cos(pi/(4*n))/sin(pi/(4*n))"


@problem_family(
    "sun_murty_lcp",
    facts=[
        exact(Lipschitz(COTANGENT), "a package lists (2n)²", published="4*n**2"),
        exact(Monotone()),
    ],
    presets=[{"n": 4}],
)
def sun_murty_lcp(n: int = 10) -> Problem:
    """Murty's complementarity problem: M unit upper triangular with 2 above the diagonal, q = −1,
    on the orthant; z* = e_n.

    Monotone without strictness, (M + Mᵀ)/2 = 11ᵀ; L = cot(π/(4n)), since M = (I + N)(I − N)⁻¹ with
    N the shift.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    matrix = np.eye(n) + 2 * np.triu(np.ones((n, n)), 1)
    solution = np.zeros(n)
    solution[-1] = 1
    return Problem(linear(matrix, -np.ones(n)), orthant(), solution=solution)


def harker_pang_data(n: int, generator: np.random.Generator) -> tuple[Matrix, Vector]:
    """M = EEᵀ + B + D and q, drawn in the order E, B, D, q."""
    factor = generator.uniform(-5, 5, (n, n))
    upper = np.triu(generator.uniform(-5, 5, (n, n)), 1)
    diagonal = np.diag(generator.uniform(0, 0.3, n))
    return factor @ factor.T + upper - upper.T + diagonal, generator.uniform(-500, 0, n)


@problem_family("harker_pang", rounded=True, presets=[{"n": 5, "seed": 1}])
def harker_pang(n: int = 10, seed: int = 0) -> Problem:
    """Linear complementarity with M = EEᵀ + B + D, entries of E and of the skew B uniform on
    (−5, 5), the diagonal D on (0, 0.3), q on (−500, 0) (Harker and Pang 1990).

    Strongly monotone, badly conditioned; the zero is found by pivoting, true to rounding.

    Raises OpcheckError for n < 1.
    """
    n = whole(n, "n")
    matrix, offset = harker_pang_data(n, np.random.default_rng(seed))
    return Problem(
        linear(matrix, offset),
        orthant(),
        start=np.ones(n),
        solution=complementarity(matrix, offset),
        facts=facts_of(matrix),
    )


@problem_family(
    "braess",
    facts=[
        exact(Lipschitz(31)),
        exact(StronglyMonotone(1)),
        exact(Comonotone("1/31")),
    ],
    start=(6.0, 0.0, 0.0),
    solution=(2.0, 2.0, 2.0),
)
def braess() -> Problem:
    """Traffic equilibrium of Braess: demand 6 on the paths a-c, b-d, a-e-d with link costs 10f,
    f + 50, f + 50, 10f, f + 10 of a, b, c, d, e. Equilibrium (2, 2, 2), where every path costs 92.
    """
    matrix = np.array([[11.0, 0, 10], [0, 11, 10], [10, 10, 21]])
    return Problem(linear(matrix, [50, 50, 10]), simplex(3, 6.0))


@problem_family(
    "braess_closed",
    facts=[exact(Lipschitz(11)), exact(StronglyMonotone(11)), exact(Comonotone("1/11"))],
    start=(6.0, 0.0),
    solution=(3.0, 3.0),
)
def braess_closed() -> Problem:
    """braess without the link e: two paths of cost 11f + 50. Equilibrium (3, 3), where every path
    costs 83, less than the 92 with the additional link.
    """
    return Problem(linear([[11.0, 0], [0, 11]], [50, 50]), simplex(2, 6.0))
