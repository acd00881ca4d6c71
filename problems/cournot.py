"""Nash-Cournot equilibria: linear markets, and those with powers for price and costs.

In the latter the price is p(Q) = (5000/Q)^(1/γ), and firm i has the marginal cost c_i +
(q_i/K_i)^(1/β_i), so F_i = c_i + (q_i/K_i)^(1/β_i) − p(Q) − q_i p'(Q). The unknowns are z = q − (lo
+ hi)/2 on the box lo ≤ q ≤ hi, lo > 0: F is neither defined for Q ≤ 0 nor Lipschitz near it. The
constants hold on the wider box with ends lo/2 and hi + lo/2, which in z is the region ‖z‖∞ ≤ hi/2.

With w = −p' = p/(γQ), a = 1 + 1/γ and s = q/Q the Jacobian is diag(h' + w) + w(11ᵀ − a s1ᵀ), h' the
slope of the cost margins. As |sᵀv| ≤ |s||v|, its quadratic form is at least
(h' + w)|v|² + w(t² − a|s||t||v|) ≥ (h' + w(1 − a²|s|²/4))|v|², and its norm is at most
h' + w(1 + √n |1 − a s|). There w falls in Q, h' is monotone in q, and
|s|² ≤ (lo + hi)²/(4 lo hi n) by the inequality of Kantorovich.
"""

from __future__ import annotations

import functools

import numpy as np

from opcheck import (
    Comonotone,
    Lipschitz,
    Problem,
    Region,
    StronglyMonotone,
    exact,
    linear,
    problem_family,
)
from opcheck.plugin import Operator, Vector
from opcheck_problems._build import Matrix
from opcheck_problems._checks import positive, require, whole
from opcheck_problems._solve import semismooth
from opcheck_problems.sets import box, orthant

DEMAND = 5000.0
ROOM = 1e-12  # far above the rounding of the constants themselves
BOUND = "a bound on the region, from the least and largest slopes"


def cournot(z, out, data):
    """Data: 5000, γ, the centre of the box, then for each firm c, K, β."""
    n = z.shape[0]
    gamma, centre = data[1], data[2]
    total = n * centre
    for i in range(n):
        total += z[i]
    price = np.exp(np.log(data[0] / total) / gamma)
    for i in range(n):
        q = centre + z[i]
        cost = data[3 + 3 * i] + np.exp(np.log(q / data[4 + 3 * i]) / data[5 + 3 * i])
        out[i] = cost - price + q * price / (gamma * total)


class Market:
    """Firms with costs c, K, β, a price exponent γ and a box lo ≤ q ≤ hi for each output."""

    def __init__(
        self, firms: tuple[tuple[float, float, float], ...], gamma: float, lo: float, hi: float
    ) -> None:
        self.firms, self.gamma, self.lo, self.hi = firms, gamma, lo, hi
        self.c, self.K, self.beta = np.array(firms, dtype=float).T
        self.a = 1 + 1 / gamma
        self.room = lo / 2  # for steps that over-relax

    def value(self, q: Vector) -> Vector:
        """F, written in whole vectors."""
        return self.margin(q, float(q.sum()))

    def margin(self, q: Vector, total: float) -> Vector:
        """F where the firms take the total output as given."""
        price = (DEMAND / total) ** (1 / self.gamma)
        return np.asarray(
            self.c + (q / self.K) ** (1 / self.beta) - price + q * price / (self.gamma * total)
        )

    def slope(self, q: Vector) -> Matrix:
        """The Jacobian of F."""
        total = q.sum()
        w = self._drop(total)
        shares = self.a * q / total
        return np.asarray(np.diag(self._margins(q) + w) + w * (1 - shares)[:, None])

    def _drop(self, total: float) -> float:
        return float((DEMAND / total) ** (1 / self.gamma) / (self.gamma * total))

    def _margins(self, q: Vector | float) -> Vector:
        power = 1 / self.beta
        return np.asarray(power * (q / self.K) ** (power - 1) / self.K)

    def constants(self) -> tuple[float, float]:
        """L from above and μ from below on the region; μ is positive as long as a²|s|² ≤ 4."""
        n, lo, hi = len(self.c), self.lo - self.room, self.hi + self.room
        ends = np.array([self._margins(lo), self._margins(hi)])
        shares = min((lo + hi) ** 2 / (4 * lo * hi * n), 1.0)
        steep, flat = self._drop(n * lo), self._drop(n * hi)
        spread = np.sqrt(n * (n - 2 * self.a + self.a**2 * shares))
        L = float(ends.max()) + steep * (1 + spread)
        curved = 1 - self.a**2 * shares / 4
        mu = float(ends.min()) + curved * (flat if curved > 0 else steep)
        return L * (1 + ROOM), mu * (1 - ROOM)

    def problem(self) -> Problem:
        """The market as a VI, its equilibrium found by bisection and Newton's method."""
        n, centre = len(self.c), (self.lo + self.hi) / 2
        radius = (self.hi - self.lo) / 2
        L, mu = self.constants()
        return Problem(
            Operator(
                cournot,
                np.concatenate([[DEMAND, self.gamma, centre], np.array(self.firms).ravel()]),
                n,
                "F of Nash and Cournot",
            ),
            box(-radius, radius),
            start=np.zeros(n),
            solution=_equilibrium(self.firms, self.gamma, self.lo, self.hi) - centre,
            facts=(
                exact(Lipschitz(L), BOUND, local=True),
                exact(StronglyMonotone(mu), BOUND, local=True),
            ),
            region=Region(radius + self.room),
        )


@functools.lru_cache(maxsize=64)
def _equilibrium(
    firms: tuple[tuple[float, float, float], ...], gamma: float, lo: float, hi: float
) -> Vector:
    market, n = Market(firms, gamma, lo, hi), len(firms)

    def replies(total: float) -> Vector:
        # each firm's output that a total calls for, by bisection: its margin grows in q
        below, above = np.full(n, lo), np.full(n, hi)
        for _ in range(40):
            q = (below + above) / 2
            low = market.margin(q, total) < 0
            below, above = np.where(low, q, below), np.where(low, above, q)
        return np.asarray((below + above) / 2)

    least, most = n * lo, n * hi
    for _ in range(40):
        total = (least + most) / 2
        if replies(total).sum() > total:
            least = total
        else:
            most = total
    return semismooth(market.value, market.slope, replies(total), lo, hi)


@problem_family("nash_cournot5", rounded=True, presets=[{"lo": 10.0, "hi": 90.0}])
def nash_cournot5(lo: float = 20.0, hi: float = 60.0) -> Problem:
    """Five firms (Murphy, Sherali and Soyster 1982): c = (10, 8, 6, 4, 2), K = 5, γ = 1.1,
    β = (1.2, 1.1, 1, 0.9, 0.8); z = q − (lo + hi)/2 on the box [lo, hi]⁵ that holds the equilibrium
    q* = (36.93251, 41.81814, 43.70658, 42.65924, 39.17895), true to rounding.

    At q* L = 0.6233 and μ = 0.2120; over [20, 60]⁵ 1.531 and 0.159, at corners, where the bounds
    stated are looser. The sign of the exponent matters: with (K q)^(1/β), as K stands in the
    GRAAL code, q* would be (15.4, 12.5, 9.66, 7.17, 5.13).

    Raises OpcheckError unless 0 < lo < 36 and hi > 44.
    """
    require(0 < lo < 36 and 44 < hi < float("inf"), f"[{lo}, {hi}] must contain [36, 44]")
    firms = zip((10.0, 8.0, 6.0, 4.0, 2.0), (1.2, 1.1, 1.0, 0.9, 0.8), strict=True)
    return Market(tuple((c, 5.0, beta) for c, beta in firms), 1.1, lo, hi).problem()


@problem_family(
    "nash_cournot_random", rounded=True, presets=[{"gamma": 1.5, "seed": 1}, {"n": 1000}]
)
def nash_cournot_random(
    n: int = 20, gamma: float = 1.1, lo: float = 1.0, hi: float = 32.0, seed: int = 0
) -> Problem:
    """n firms with c ~ U(1, 100), 1/K ~ U(0.5, 5), β ~ U(0.5, 2) (Malitsky 2020, n = 1000 there);
    z = q − (lo + hi)/2 on the box [lo, hi]^n. Costly firms sit at lo; the equilibrium is true to
    rounding.

    Very badly conditioned: cheap power costs with β near 1/2 grow as the square of L_i q_i.

    Raises OpcheckError for n < 2, γ < 1, or unless 0 < lo < hi.
    """
    n = whole(n, "n", 2)
    require(1 <= gamma < float("inf"), f"gamma = {gamma} must be at least 1")
    require(0 < lo < hi < float("inf"), f"lo = {lo} and hi = {hi} must satisfy 0 < lo < hi")
    generator = np.random.default_rng(seed)
    c, scale = generator.uniform(1, 100, n), generator.uniform(0.5, 5, n)
    beta = generator.uniform(0.5, 2, n)
    firms = tuple(zip(c.tolist(), (1 / scale).tolist(), beta.tolist(), strict=True))
    return Market(firms, gamma, lo, hi).problem()


@problem_family(
    "cournot_linear",
    facts=[
        exact(Lipschitz("b*(n + 1)")),
        exact(StronglyMonotone("b")),
        exact(Comonotone("1/(b*(n + 1))")),
    ],
    presets=[{"n": 2, "b": 2.0}],
)
def cournot_linear(n: int = 5, b: float = 1.0) -> Problem:
    """Cournot competition with price a − bΣz and linear costs c_i: F = b(I + 11ᵀ)z + c − a.

    a − c_i is chosen such that z* = (1, 2, ..., n) is an interior equilibrium.

    Raises OpcheckError for n < 1 or b ≤ 0.
    """
    n = whole(n, "n")
    positive(b, "b")
    solution = np.arange(1.0, n + 1)
    matrix = b * (np.eye(n) + np.ones((n, n)))
    offset = [f"-b*{int(v)}" for v in solution + solution.sum()]
    return Problem(linear(matrix, offset, b=b), solution=solution)


@problem_family(
    "cournot_orthant",
    facts=[
        exact(Lipschitz("b*(n + 1)")),
        exact(StronglyMonotone("b")),
        exact(Comonotone("1/(b*(n + 1))")),
    ],
    presets=[{"n": 4, "idle": 3, "b": 2.0}],
)
def cournot_orthant(n: int = 5, idle: int = 2, b: float = 1.0) -> Problem:
    """cournot_linear with the last ``idle`` of n firms too costly to produce: z ≥ 0 binds for them.

    z* = (1, ..., n − idle, 0, ..., 0); an idle firm's margin at z* is −b, not 0.

    Raises OpcheckError for n < 1, b ≤ 0 or unless 0 ≤ idle < n.
    """
    n, idle = whole(n, "n"), whole(idle, "idle", 0)
    positive(b, "b")
    require(idle < n, f"idle = {idle} must be below n = {n}")
    solution = np.where(np.arange(n) < n - idle, np.arange(1.0, n + 1), 0.0)
    at_zero = solution + solution.sum() - (solution == 0)
    rows = [["2*b" if i == j else "b" for j in range(n)] for i in range(n)]
    operator = linear(rows, [f"-b*{int(v)}" for v in at_zero], b=b)
    return Problem(operator, orthant(), start=np.zeros(n), solution=solution)
