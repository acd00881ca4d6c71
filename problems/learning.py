"""Problems of the kind that machine learning poses: logistic losses, robust and fair variants, a
ratio game, a small GAN, a Markov decision process.

Data are small integers, so that Frobenius norms are exact; zeros found numerically are true to
rounding, and the docstrings say so.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np

from opcheck import (
    Cocoercive,
    Lipschitz,
    Monotone,
    OpcheckError,
    Problem,
    Region,
    StronglyMonotone,
    WeakMinty,
    estimated,
    exact,
    problem_family,
)
from opcheck.plugin import NOTE, Fact, Operator, Vector, certified, lipschitz_above, monotone_below
from opcheck_problems._build import SEARCH, Matrix
from opcheck_problems._checks import positive, require, whole
from opcheck_problems._solve import newton
from opcheck_problems.sets import box, l1, product, simplex, whole_space
from opcheck_problems.sets._kernels import count_of


def logistic(z, out, data):
    """Data: μ, then the rows a_i: F = −Σ σ(−⟨a_i, z⟩)a_i + μz."""
    n = z.shape[0]
    for j in range(n):
        out[j] = data[0] * z[j]
    for i in range((data.shape[0] - 1) // n):
        along = z[0] - z[0]
        for j in range(n):
            along += data[1 + i * n + j] * z[j]
        share = (1 - np.tanh(along / 2)) / 2  # 1/(1 + exp(along)) without its overflow
        for j in range(n):
            out[j] -= share * data[1 + i * n + j]


def rows_of(m: int, n: int, seed: int) -> Matrix:
    """m samples in R^n as rows b_i a_i of integers from −3 to 3, none 0, about a common direction
    that not every sample agrees with."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(-3, 4, (m, n)).astype(float)
    rows[:, 0] = np.where(np.arange(m) % 3 == 2, -1.0, 2.0)
    return rows


def sigmoid(t: Vector) -> Vector:
    """1/(1 + e^−t)."""
    return np.asarray(1 / (1 + np.exp(-t)))


def _loss_slopes(rows: Matrix, mu: float, x: Vector) -> tuple[Vector, Matrix]:
    share = sigmoid(-rows @ x)
    curvature = (rows * (share * (1 - share))[:, None]).T @ rows
    return -rows.T @ share + mu * x, curvature + mu * np.eye(len(x))


@functools.lru_cache(maxsize=64)
def _lasso(m: int, n: int, seed: int, fraction: float) -> tuple[float, Vector]:
    """λ and the minimiser of the logistic loss plus λ‖x‖₁: accelerated proximal gradient steps
    until the support settles, then Newton's method on it."""
    rows = rows_of(m, n, seed)
    lam = fraction * float(np.abs(rows.sum(axis=0)).max())
    step = 4 / float(np.linalg.norm(rows, 2)) ** 2
    x, ahead = np.zeros(n), np.zeros(n)
    for k in range(20000):
        trial = ahead + step * (rows.T @ sigmoid(-rows @ ahead))
        new = np.sign(trial) * np.maximum(np.abs(trial) - step * lam, 0)
        moved, ahead = new - x, new + k / (k + 3) * (new - x)
        x = new
        if np.abs(moved).max() <= 1e-8:
            break
    support, sign = np.flatnonzero(x), np.sign(x)
    reduced = rows[:, support]
    minimiser = newton(
        lambda v: _loss_slopes(reduced, 0.0, v)[0] + lam * sign[support],
        lambda v: _loss_slopes(reduced, 0.0, v)[1],
        x[support],
    )
    if minimiser is None:
        raise OpcheckError("the minimiser of a sparse logistic regression was not found")
    x[support] = minimiser
    return lam, x


@problem_family(
    "sparse_logistic", rounded=True, presets=[{"m": 30, "n": 12, "seed": 1, "fraction": 0.005}]
)
def sparse_logistic(m: int = 16, n: int = 6, seed: int = 0, fraction: float = 0.05) -> Problem:
    """Logistic regression with λ‖x‖₁: F = −Aᵀσ(−Ax), the labels multiplied into the integer rows of
    A, λ = fraction·‖Aᵀ1‖∞ (0.005 in the source). F is the gradient of a convex loss, so it is
    cocoercive with 1/L; L = ‖A‖²/4, attained at 0, is proved for A. The zero is true to rounding.

    The code it comes from (monviso) sets L = 1.5 for a 200×500 Gaussian A, whose L is 322.5: wrong.

    Raises OpcheckError for m < 1, n < 1, or unless 0 < fraction < 1/2.
    """
    m, n = whole(m, "m"), whole(n, "n")
    require(0 < fraction < 0.5, f"fraction = {fraction} must lie in (0, 1/2), else 0 is the zero")
    rows = rows_of(m, n, seed)
    lam, solution = _lasso(m, n, seed, fraction)
    L = float(np.nextafter(lipschitz_above(rows) ** 2 / 4, np.inf))
    return Problem(
        Operator(logistic, np.append(0.0, rows.ravel()), n, "F of a logistic loss"),
        l1(lam),
        start=np.zeros(n),
        solution=solution.copy(),
        facts=(
            certified(Lipschitz(L)),
            certified(Cocoercive(float(np.nextafter(1 / L, 0))), f"{NOTE}; a gradient"),
            exact(Monotone()),
        ),
    )


@functools.lru_cache(maxsize=64)
def _ridge(m: int, n: int, seed: int, mu: float) -> Vector:
    rows = rows_of(m, n, seed)
    minimiser = newton(
        lambda x: _loss_slopes(rows, mu, x)[0], lambda x: _loss_slopes(rows, mu, x)[1], np.zeros(n)
    )
    if minimiser is None:
        raise OpcheckError("the minimiser of a logistic regression was not found")
    return minimiser


@problem_family("ridge_logistic", rounded=True, presets=[{"m": 30, "n": 8, "mu": 0.125, "seed": 1}])
def ridge_logistic(m: int = 16, n: int = 4, mu: float = 1.0, seed: int = 0) -> Problem:
    """Logistic regression with (μ/2)|x|²: F = −Aᵀσ(−Ax) + μx, strongly monotone and cocoercive.

    L = ‖A‖²/4 + μ, attained at 0, is proved for the integer A. The zero is true to rounding.

    Raises OpcheckError for m < 1, n < 1 or μ ≤ 0.
    """
    m, n = whole(m, "m"), whole(n, "n")
    positive(mu, "mu")
    rows = rows_of(m, n, seed)
    L = float(np.nextafter(np.nextafter(lipschitz_above(rows) ** 2 / 4, np.inf) + mu, np.inf))
    return Problem(
        Operator(logistic, np.append(mu, rows.ravel()), n, "F of a ridge logistic loss"),
        start=np.zeros(n),
        solution=_ridge(m, n, seed, mu).copy(),
        facts=(
            certified(Lipschitz(L)),
            certified(Cocoercive(float(np.nextafter(1 / L, 0))), f"{NOTE}; a gradient"),
            exact(StronglyMonotone("mu")),
        ),
    )


def group_logistic(z, out, data):
    """Data: n, the size s of a group, μ, then the rows. z = (w, p), one weight p_g for each group;
    F = (Σ_g p_g ∇ℓ_g(w) + μw, −ℓ(w)) with ℓ_g the mean of log(1 + exp(−⟨a_i, w⟩)) over a group."""
    n, size = count_of(data[0]), count_of(data[1])
    for j in range(n):
        out[j] = data[2] * z[j]
    for g in range(z.shape[0] - n):
        loss = z[0] - z[0]
        for i in range(g * size, (g + 1) * size):
            along = z[0] - z[0]
            for j in range(n):
                along += data[3 + i * n + j] * z[j]
            loss += np.log(1 + np.exp(-along))
            share = z[n + g] / (size * (1 + np.exp(along)))
            for j in range(n):
                out[j] -= share * data[3 + i * n + j]
        out[n + g] = -loss / size


@functools.lru_cache(maxsize=64)
def _worst_group(groups: int, size: int, n: int, mu: float, seed: int) -> Vector:
    """The saddle point: Newton's method on the optimality system of every set of active groups."""
    samples = rows_of(groups * size, n, seed).reshape(groups, size, n)

    def losses(w: Vector) -> Vector:
        return np.asarray(np.log1p(np.exp(-samples @ w)).mean(axis=1))

    def slopes(w: Vector) -> Matrix:
        share = sigmoid(-samples @ w)
        return np.asarray(-np.einsum("gs,gsn->gn", share, samples) / size)

    for count in range(1, groups + 1):
        for subset in itertools.combinations(range(groups), count):
            active = list(subset)

            def system(v: Vector, active: list[int] = active) -> Vector:
                w, p, t = v[:n], v[n:-1], v[-1]
                first = p @ slopes(w)[active] + mu * w
                return np.concatenate([first, t - losses(w)[active], [p.sum() - 1]])

            def slope(v: Vector, active: list[int] = active) -> Matrix:
                w, p, k = v[:n], v[n:-1], len(active)
                share = sigmoid(-samples[active] @ w)
                curved = (share * (1 - share) * p[:, None] / size)[..., None] * samples[active]
                out = np.zeros((n + k + 1, n + k + 1))
                out[:n, :n] = np.einsum("gsi,gsj->ij", curved, samples[active]) + mu * np.eye(n)
                out[:n, n : n + k] = slopes(w)[active].T
                out[n : n + k, :n] = -slopes(w)[active]
                out[n : n + k, -1] = 1
                out[-1, n : n + k] = 1
                return out

            guess = np.concatenate([np.zeros(n), np.full(count, 1 / count), [np.log(2)]])
            saddle = newton(system, slope, guess)
            if saddle is None or (saddle[n:-1] < 0).any():
                continue
            if (losses(saddle[:n]) <= saddle[-1] + 1e-12).all():
                z = np.zeros(n + groups)
                z[:n], z[n + np.array(active)] = saddle[:n], saddle[n:-1]
                return z
    raise OpcheckError("the saddle point of a robust logistic regression was not found")


def robust_logistic(groups: int, size: int, n: int, mu: float, seed: int) -> Problem:
    """min_w max over group weights of the mean losses, with its bounds."""
    positive(mu, "mu")
    rows = rows_of(groups * size, n, seed)
    bound = "a bound: blocks |p|·|A|²/4s + μ and |A|/√s in the Frobenius norm, s the group size"
    return Problem(
        Operator(
            group_logistic,
            np.concatenate([[float(n), float(size), mu], rows.ravel()]),
            n + groups,
            "F of a robust logistic loss",
        ),
        product(whole_space(n), simplex(groups)),
        start=np.concatenate([np.zeros(n), np.eye(groups)[0]]),
        solution=_worst_group(groups, size, n, mu, seed).copy(),
        facts=(
            exact(
                Lipschitz("radius*A2/(4*size) + mu + sqrt(A2/size)"),
                bound,
                local=True,
            ),
            exact(Monotone(of="S"), "convex in w and linear in p on the set, where p ≥ 0"),
        ),
        region=Region(4.0),
        parameters={"radius": 4.0, "A2": float(np.sum(rows**2)), "size": float(size)},
    )


@problem_family("dro_logistic", rounded=True, presets=[{"m": 5, "n": 2, "mu": 0.25, "seed": 1}])
def dro_logistic(m: int = 6, n: int = 3, mu: float = 0.5, seed: int = 0) -> Problem:
    """min_w max_{p ∈ Δ} Σ p_i log(1 + exp(−⟨a_i, w⟩)) + (μ/2)|w|²: distributionally robust logistic
    regression. F = (−Aᵀ(p σ(−Aw)) + μw, −ℓ(w)) is monotone on R^n × Δ, not beyond, so what is
    monotone is the sum with the normal cone. The zero is true to rounding.

    Raises OpcheckError for m < 2 or m > 8, n < 1 or μ ≤ 0.
    """
    m, n = whole(m, "m", 2), whole(n, "n")
    require(m <= 8, f"m = {m} must be at most 8: every set of active samples is tried")
    return robust_logistic(m, 1, n, mu, seed)


@problem_family("fair_classification", rounded=True, presets=[{"groups": 2, "size": 6, "seed": 1}])
def fair_classification(
    groups: int = 3, size: int = 4, n: int = 3, mu: float = 0.5, seed: int = 0
) -> Problem:
    """min_w max over groups of their mean logistic loss, with (μ/2)|w|²: dro_logistic with the
    worst group in place of the worst sample. The zero is true to rounding.

    Raises OpcheckError for groups < 2 or groups > 8, size < 1, n < 1 or μ ≤ 0.
    """
    groups, size, n = whole(groups, "groups", 2), whole(size, "size"), whole(n, "n")
    require(groups <= 8, f"groups = {groups} must be at most 8: every active set is tried")
    return robust_logistic(groups, size, n, mu, seed)


# payoff and stopping matrices row by row, zero, L found on ‖z‖∞ ≤ 9/16, ρ found on the box
RATIO = {
    "easy": ([-1, 0.49, -0.49, 0], [0.5, 0.5, 1, 1], (-0.5, -0.5), 11.003517, -0.00222213),
    "hard": ([-1, 0.1, -0.1, 0], [0.3, 0.3, 1, 1], (-0.5, -0.5), 89.245854, -0.0868008),
    "exotic": (
        [-0.6, -0.3, 0.6, -0.3],
        [0.9, 0.5, 0.8, 0.4],
        (0.4519410160110378, -0.44951474599724056),
        10.302114,
        -0.0159735,
    ),
}


def quotient(z, out, data):
    """Data: R, then S, row by row. F of min max N/D, N and D = Σ m_ij x_i y_j on x = (1/2 + z₀,
    1/2 − z₀) and y = (1/2 + z₁, 1/2 − z₁)."""
    x, y = (1 + 2 * z[0]) / 2, (1 + 2 * z[1]) / 2
    # along z₀ the mixture changes from row 1 to row 0, along z₁ from column 1 to column 0
    n0 = (data[0] - data[2]) * y + (data[1] - data[3]) * (1 - y)
    n1 = (data[0] - data[1]) * x + (data[2] - data[3]) * (1 - x)
    d0 = (data[4] - data[6]) * y + (data[5] - data[7]) * (1 - y)
    d1 = (data[4] - data[5]) * x + (data[6] - data[7]) * (1 - x)
    top = n0 * x + data[2] * y + data[3] * (1 - y)
    bottom = d0 * x + data[6] * y + data[7] * (1 - y)
    out[0] = (n0 * bottom - top * d0) / (bottom * bottom)
    out[1] = (top * d1 - n1 * bottom) / (bottom * bottom)


@problem_family("ratio_game", rounded=True, presets=[{"kind": "hard"}, {"kind": "exotic"}])
def ratio_game(kind: str = "easy") -> Problem:
    """min_x max_y xᵀRy/xᵀSy over mixed strategies (1/2 + x, 1/2 − x) and (1/2 + y, 1/2 − y), a
    one-state stochastic game (Daskalakis et al. 2020); x and y on the box [−1/2, 1/2]².

    easy, hard: R = [[−1, ε], [−ε, 0]], S = [[s, s], [1, 1]] with (ε, s) = (0.49, 0.5), (0.1, 0.3),
    the zero at a corner. exotic (Diakonikolas et al. 2021): R = [[−0.6, −0.3], [0.6, −0.3]],
    S = [[0.9, 0.5], [0.8, 0.4]], a centre in the interior, known to rounding; small steps crawl.

    L is that of ‖z‖∞ ≤ 9/16, for room to over-relax; on the box it is 8.844, 52.96 and 7.969. In
    these coordinates L is twice and ρ half of what holds along the simplices. The code's L = 10,
    5/3 and ρ = −1/8 are guesses; its test point x₁ = 0.82535 is no zero (x₁ = 0.951941 is).

    Raises OpcheckError for another kind.
    """
    require(kind in RATIO, f"kind = {kind!r} must be one of {', '.join(RATIO)}")
    payoff, stopping, zero, L, rho = RATIO[kind]

    return Problem(
        Operator(quotient, np.array([*payoff, *stopping]), 2, "F of a ratio game"),
        box(-0.5, 0.5),
        start=np.array([0.5, 0.5]),
        solution=np.array(zero),
        facts=(
            estimated(Lipschitz(L), "largest slope found by search, rounded up", local=True),
            estimated(WeakMinty(rho, of="S"), SEARCH),
        ),
        region=Region(0.5625),
    )


def covariance(z, out, data):
    """Data: d, then Σ; z = (W, V)."""
    d = count_of(data[0])
    n = d * d
    for i in range(d):
        for j in range(d):
            gradient = z[0] - z[0]
            excess = (z[0] - z[0]) - data[1 + i * d + j]
            for k in range(d):
                gradient -= (z[i * d + k] + z[k * d + i]) * z[n + k * d + j]
                excess += z[n + i * d + k] * z[n + j * d + k]
            out[n + i * d + j] = gradient
            out[i * d + j] = excess


@problem_family(
    "covariance_gan",
    facts=[
        exact(
            Lipschitz("d*radius*(1 + sqrt(5))"),
            "a bound: blocks 2|W|, 2|V| and 2|V| with spectral norms of at most d·radius",
            local=True,
        )
    ],
    presets=[{"d": 3}],
)
def covariance_gan(d: int = 2) -> Problem:
    """min_V max_W ⟨W, Σ − VVᵀ⟩, a generator V that learns a covariance, Σ_ij = min(i, j):
    F = (VVᵀ − Σ, −(W + Wᵀ)V) in the order (W, V).

    The zeros VVᵀ = Σ, W + Wᵀ = 0 form a continuum; V = the lower triangle of ones, W = 0 is one. To
    a given point the nearest is Σ^½ times the polar factor of Σ^½V, and the skew part of W. No
    modulus is known. The source's L = 50 is a guess; stated is a bound for ‖z‖∞ ≤ 2.

    Raises OpcheckError for d < 1.
    """
    d = whole(d, "d")
    lower = np.tril(np.ones((d, d)))
    sigma = lower @ lower.T
    values, vectors = np.linalg.eigh(sigma)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T

    def project(z: Vector) -> Vector:
        W, V = z[: d * d].reshape(d, d), z[d * d :].reshape(d, d)
        left, _, right = np.linalg.svd(root @ V)
        return np.concatenate([((W - W.T) / 2).ravel(), (root @ left @ right).ravel()])

    return Problem(
        Operator(
            covariance, np.append(float(d), sigma.ravel()), 2 * d * d, "F of a covariance GAN"
        ),
        start=np.concatenate([np.eye(d).ravel() / 4, (lower + np.eye(d) / 4).ravel()]),
        solution=np.concatenate([np.zeros(d * d), lower.ravel()]),
        project=project,
        region=Region(2.0),
        parameters={"radius": 2.0},
    )


def bellman(z, out, data):
    """Data: γ, the number of actions, then for each state and action its reward and its row of P.
    F = z − max_a (r + γPz)."""
    n = z.shape[0]
    actions = count_of(data[1])
    for i in range(n):
        best = z[0]
        for a in range(actions):
            place = 2 + (i * actions + a) * (n + 1)
            value = z[0] - z[0]
            for j in range(n):
                value += data[place + 1 + j] * z[j]
            value = data[place] + data[0] * value
            if a == 0 or value > best:
                best = value
        out[i] = z[i] - best


def decision_process(rewards: Matrix, moves: Matrix, gamma: float) -> Problem:
    """F = v − Tv for rewards [state, action] and moves [state, action, state]; constants over all
    policies: Tv − Tw = γP(v − w) with each row of P a mean of rows of the actions."""
    n, actions = rewards.shape
    require(
        0 < gamma < 1 and 1024 * gamma == int(1024 * gamma),
        f"gamma = {gamma} must be a multiple of 1/1024 in (0, 1)",
    )
    states = np.arange(n)
    policies = [np.array(p) for p in itertools.product(range(actions), repeat=n)]
    slopes = [np.eye(n) - gamma * moves[states, p] for p in policies]
    returns = [
        np.linalg.solve(m, rewards[states, p]) for m, p in zip(slopes, policies, strict=True)
    ]
    note = f"a bound: {NOTE}, for every policy"
    facts: list[Fact] = [certified(Lipschitz(lipschitz_above(*slopes)), note)]
    least = min(float(np.linalg.eigvalsh(m + m.T)[0]) for m in slopes)
    if least > 0 and (mu := monotone_below(*slopes)) > 0:
        facts.append(certified(StronglyMonotone(mu), note))
    cells = np.concatenate([rewards[:, :, None], moves], axis=2)
    return Problem(
        Operator(
            bellman,
            np.concatenate([[gamma, float(actions)], cells.ravel()]),
            n,
            "F = v − Tv of Bellman",
        ),
        start=np.zeros(n),
        solution=np.max(returns, axis=0),
        facts=tuple(facts),
    )


@problem_family("mdp_bellman", rounded=True, presets=[{"states": 3, "gamma": 0.75, "seed": 1}])
def mdp_bellman(states: int = 4, actions: int = 3, gamma: float = 0.5, seed: int = 0) -> Problem:
    """F = v − Tv with Bellman's operator Tv = max_a(r_a + γP_a v) of a random Markov decision
    process, probabilities multiples of 1/8: T contracts in ‖·‖∞, which says nothing in ‖·‖₂.

    L and μ in ‖·‖₂ are those over all policies, proved for each. The zero, the best of all policies
    in every state, is true to rounding. See mdp_concentrated for a T that expands in ‖·‖₂.

    Raises OpcheckError for states < 2, actions < 1, more than 1024 policies, or unless γ is a
    multiple of 1/1024 in (0, 1).
    """
    states, actions = whole(states, "states", 2), whole(actions, "actions")
    require(actions**states <= 1024, f"states = {states} leaves more than 1024 policies to check")
    generator = np.random.default_rng(seed)
    rewards = generator.integers(0, 9, (states, actions)).astype(float)
    moves = generator.multinomial(8, np.full(states, 1 / states), (states, actions)) / 8
    return decision_process(rewards, moves, gamma)


@problem_family("mdp_concentrated", rounded=True, control="Nonexpansive")
def mdp_concentrated(states: int = 4, gamma: float = 0.75) -> Problem:
    """A Markov decision process whose action a leads from everywhere to state a, a = 0, 1, with
    rewards that differ: ‖γP‖₂ = γ√n exceeds 1, so that T, a contraction in ‖·‖∞, is not
    nonexpansive in ‖·‖₂.

    Raises OpcheckError for fewer than 2 or more than 8 states, unless γ√n > 1, or for a γ that is
    no multiple of 1/1024 in (0, 1).
    """
    states = whole(states, "states", 2)
    require(states <= 8, f"states = {states} must be at most 8")
    require(gamma * gamma * states > 1, f"gamma = {gamma} must exceed 1/sqrt(states)")
    rewards = np.array([[float(i), float(states - i)] for i in range(states)])
    moves = np.zeros((states, 2, states))
    moves[:, 0, 0] = moves[:, 1, 1] = 1
    return decision_process(rewards, moves, gamma)
