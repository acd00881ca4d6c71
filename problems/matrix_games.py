"""Matrix games min_x max_y yᵀPx over mixed strategies, small ones and the set of Nemirovski.

F = (Pᵀy, −Px) is skew, so monotone; L = ‖P‖₂ is proved for the float matrix. The measure in the
literature is the duality gap max(Px) − min(Pᵀy).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from opcheck import Lipschitz, Monotone, Problem, exact, problem_family
from opcheck.plugin import Vector, certified, lipschitz_above
from opcheck_problems._build import MONOTONE, Matrix, game
from opcheck_problems._checks import require, whole
from opcheck_problems._solve import equilibrium


def solved_game(payoff: Matrix, x: Vector | None = None, y: Vector | None = None) -> Problem:
    """The game with the given equilibrium, or with one found by linear programming."""
    if x is None or y is None:
        x, y = equilibrium(payoff)
    unproved = game(payoff, x.tolist(), y.tolist())
    return dataclasses.replace(
        unproved, facts=(certified(Lipschitz(lipschitz_above(payoff))), *MONOTONE)
    )


def _distances(n: int) -> Matrix:
    index = np.arange(float(n))
    return np.asarray(np.abs(index[:, None] - index[None, :]))


def _ends(n: int) -> Vector:
    mix = np.zeros(n)
    mix[0] = mix[-1] = 0.5
    return mix


@problem_family("nemirovski1", presets=[{"n": 20}])
def nemirovski1(n: int = 5) -> Problem:
    """P_ij = (i + j − 1)/(2n − 1) (Nemirovski's first family): a saddle in pure strategies, x = e₁
    and y = e_n, of value n/(2n − 1). L = 2.985 for n = 5, 27.205 for n = 50.

    Raises OpcheckError for n < 2.
    """
    n = whole(n, "n", 2)
    index = np.arange(1.0, n + 1)
    payoff = (index[:, None] + index[None, :] - 1) / (2 * n - 1)
    return solved_game(payoff, np.eye(n)[0], np.eye(n)[-1])


@problem_family("nemirovski2", rounded=True, presets=[{"n": 20}])
def nemirovski2(n: int = 5) -> Problem:
    """P_ij = (|i − j| + 1)/(2n − 1) (Nemirovski's second family): both mix the two ends evenly, the
    value is (n + 1)/(2(2n − 1)), up to the rounding of P. L = 1.466 for n = 5, 9.257 for n = 50.

    Raises OpcheckError for n < 2.
    """
    n = whole(n, "n", 2)
    return solved_game((_distances(n) + 1) / (2 * n - 1), _ends(n), _ends(n))


@problem_family("manhattan", presets=[{"n": 17}])
def manhattan(n: int = 5) -> Problem:
    """P_ij = |i − j|/(n − 1): hiding on a line; both mix the two ends evenly, the value is 1/2.

    n − 1 is a power of two, so that no payoff is rounded.

    Raises OpcheckError unless n = 2, 3, 5, 9, 17, ...
    """
    n = whole(n, "n", 2)
    require((n - 1) & (n - 2) == 0, f"n = {n} must be one more than a power of two")
    return solved_game(_distances(n) / (n - 1), _ends(n), _ends(n))


@problem_family("policeman_burglar", rounded=True, presets=[{"n": 50}])
def policeman_burglar(n: int = 10, seed: int = 42) -> Problem:
    """P_ij = w_i(1 − exp(−0.8|i − j|)), w_i = |N(0, 1)|: the burglar y takes house i of value w_i,
    the policeman x waits at house j (Nemirovski). The equilibrium is found by linear programming,
    true to rounding; for n = 50 and seed 42 the value is 1.1175115989, L = 36.3347.

    Raises OpcheckError for n < 2.
    """
    n = whole(n, "n", 2)
    worth = np.abs(np.random.default_rng(seed).standard_normal(n))
    return solved_game(worth[:, None] * (1 - np.exp(-0.8 * _distances(n))))


@problem_family("hide_and_seek", rounded=True, presets=[{"m": 20, "n": 20, "seed": 1}])
def hide_and_seek(m: int = 16, n: int = 16, seed: int = 0) -> Problem:
    """A 0/1 game, each of the m×n payoffs 1 with probability 1/5. The equilibrium, one of many,
    is found by linear programming, true to rounding.

    Raises OpcheckError for m < 2 or n < 2.
    """
    m, n = whole(m, "m", 2), whole(n, "n", 2)
    draws = np.random.default_rng(seed).random((m, n))
    return solved_game((draws < 0.2).astype(float))


@problem_family("gauss_game", rounded=True, presets=[{"m": 20, "n": 15, "seed": 1}])
def gauss_game(m: int = 6, n: int = 8, seed: int = 0) -> Problem:
    """An m×n game with payoffs N(0, 1). The equilibrium, unique for almost all draws, is found by
    linear programming, true to rounding.

    Raises OpcheckError for m < 2 or n < 2.
    """
    m, n = whole(m, "m", 2), whole(n, "n", 2)
    return solved_game(np.random.default_rng(seed).standard_normal((m, n)))


@problem_family("rps", rounded=True, facts=[exact(Lipschitz("sqrt(3)")), exact(Monotone())])
def rps() -> Problem:
    """Rock, paper, scissors: both players mix evenly."""
    payoff = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return game(payoff, [1 / 3] * 3, [1 / 3] * 3)


@problem_family(
    "weighted_rps", rounded=True, facts=[exact(Lipschitz("sqrt(14)")), exact(Monotone())]
)
def weighted_rps() -> Problem:
    """Rock, paper, scissors with stakes 1, 2, 3: both players mix as (3, 2, 1)/6."""
    payoff = np.array([[0.0, -1, 2], [1, 0, -3], [-2, 3, 0]])
    return game(payoff, [1 / 2, 1 / 3, 1 / 6], [1 / 2, 1 / 3, 1 / 6])


@problem_family("matching_pennies", facts=[exact(Lipschitz(2)), exact(Monotone())])
def matching_pennies() -> Problem:
    """Matching pennies: both players mix evenly."""
    return game(np.array([[1.0, -1], [-1, 1]]), [0.5, 0.5], [0.5, 0.5])


@problem_family("matrix_game", presets=[{"n": 8, "seed": 1}, {"n": 4, "seed": 2}])
def matrix_game(n: int = 4, seed: int = 0) -> Problem:
    """A random n×n matrix game of small integers with zero row and column sums.

    The even mixture is an equilibrium of value 0, in floats exactly so where n is a power of 2; it
    is the only one where the matrix has rank n − 1. L = ‖P‖₂ is proved for the matrix.

    Raises OpcheckError for n < 2.
    """
    n = whole(n, "n", 2)
    generator = np.random.default_rng(seed)
    payoff = np.zeros((n, n))
    while np.linalg.matrix_rank(payoff) < n - 1:
        (i, k), (j, m) = (generator.choice(n, 2, replace=False) for _ in range(2))
        payoff[[i, k], [j, m]] += 1
        payoff[[i, k], [m, j]] -= 1
    fair = game(payoff, [1 / n] * n, [1 / n] * n)
    facts = (certified(Lipschitz(lipschitz_above(payoff))), *MONOTONE)
    return dataclasses.replace(fair, facts=facts)
