"""Single-call extragradient: where each converges, gaps over balls, exact second moments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

import opcheck
from opcheck import Problem, Table
from opcheck.plugin import growth

Floats = NDArray[np.float64]
EG, PEG = "extragradient", "past_extragradient"
WARM, OG = "warm_past_extragradient", "forward_reflected_backward"
RG = "projected_reflected_gradient"
SINGLE = "PEG, OG, RG"
GAMES, PAIRS, HORIZON = 8, 3, 400  # random skew games of six variables, steps
SHORT = 300  # steps that are compared point by point
RADII = (1.0, 3.0, 10.0)  # of the balls of the gap, in ‖z⁰ − z*‖
WORST_AT = (1, 2, 3, 4, 6, 8)
# strongly monotone, noisy: F = μI + rotation, steps γ/(t + b) with γμ > 1 and b ≥ 4Lγ
MU, NOISE, STEPS = 0.5, 1.0, 20_000
SCALES = (3.0, 4.0)


def steps() -> Mapping[str, Table]:
    """On F z = λz: factor per call against the step for λ = i, and ends of stability, |λ| = 1."""
    gamma = np.linspace(0.01, 1.1, 219)
    rows = []
    for label, method, calls in (("EG", EG, 2), (SINGLE, PEG, 1)):
        per_call = growth(method, 1j * gamma, gamma=1.0) ** (1 / calls)
        rows += [(g, label, c) for g, c in zip(gamma.tolist(), per_call.tolist(), strict=True)]
    angles = np.linspace(0, np.pi / 2, 46)
    last_stable = {method: _ends(method, angles) for method in (EG, PEG, RG, OG)}
    off = np.maximum(
        np.abs(last_stable[PEG] - last_stable[RG]), np.abs(last_stable[PEG] - last_stable[OG])
    )
    ends = [
        (2 * angle / np.pi, label, end, apart)
        for label, method in (("EG", EG), (SINGLE, PEG))
        for angle, end, apart in zip(angles.tolist(), last_stable[method], off, strict=True)
    ]
    return {
        "factors": _table(("gamma", "method", "per_call"), rows, "f = xy, L = 1"),
        "ends": _table(("turn", "method", "end", "apart"), ends, "Largest stable step, |λ| = 1"),
    }


def _ends(method: str, angles: Floats) -> Floats:
    """Where the registered kernel's factor crosses 1, by bisection."""
    low, high = np.full(len(angles), 0.3), np.full(len(angles), 1.5)
    for _ in range(45):
        middle = (low + high) / 2
        inside = growth(method, middle * np.exp(1j * angles), gamma=1.0) < 1
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low


def gaps() -> Mapping[str, Table]:
    """Gap of the average look-ahead over balls about z⁰ on random skew games, with its bound.

    Of F z = M(z − z*), M skew, the gap over the ball of radius r about z⁰ is
    r‖F z̄‖ − ⟨z⁰ − z*, F z̄⟩, and F of the average is (z⁰ − z_t)/(γt), as A = 0.
    """
    generator = np.random.default_rng(1908)
    rows = []
    for game in range(GAMES):
        matrix = generator.standard_normal((2 * PAIRS, 2 * PAIRS))
        matrix = matrix - matrix.T
        matrix /= np.linalg.norm(matrix, 2)
        start = generator.standard_normal(2 * PAIRS)
        start /= np.linalg.norm(start)
        problem = Problem(opcheck.linear(matrix), solution=np.zeros(2 * PAIRS), start=start)
        run = opcheck.run(WARM, problem, HORIZON, gamma=0.5, iterates=True)
        mean = (start - run.iterates[1:]) / (0.5 * run.k[1:, None])
        size, along = np.linalg.norm(mean, axis=1), mean @ start
        for radius in RADII:
            gap = radius * size - along
            bound = radius**2 / (2 * 0.5 * run.k[1:])
            columns = (run.k[1:].tolist(), gap.tolist(), bound.tolist())
            rows += [(game, radius, k, g, b, g / b) for k, g, b in zip(*columns, strict=True)]
    table = _table(("game", "radius", "k", "gap", "bound", "ratio"), rows, "")
    worst = [
        (radius, k, float(part["gap"].max()), float(part["bound"][0]))
        for radius in RADII
        for (k,), part in table.where(radius=radius).groups("k")
    ]
    largest = _table(("radius", "k", "gap", "bound"), worst, "Largest gap over the games")
    return {"gaps": table, "largest": largest}


def tightness() -> Mapping[str, Table]:
    """Worst case over all monotone F at γ = 1/(2L), by a semidefinite program, over the bound."""
    rows = []
    for k in WORST_AT:
        past = opcheck.worst("hsieh2019_peg_gap", k, place="high").ratio
        reflected = opcheck.worst("malitsky2020_frb_gap", k + 1, place="high").ratio
        rows.append((k, past, abs(past - reflected)))
    return {"tightness": _table(("k", "ratio", "off"), rows, "Worst case over bound")}


def coincidence() -> Mapping[str, Table]:
    """How far iterates of the methods are apart, unconstrained and on the policeman's simplices."""
    rows = []
    generator = np.random.default_rng(7)
    matrix = generator.standard_normal((6, 6))
    matrix = matrix - matrix.T + 0.2 * np.eye(6)
    matrix /= np.linalg.norm(matrix, 2)
    free = Problem(opcheck.linear(matrix), start=generator.standard_normal(6))
    bound = opcheck.problem("policeman_burglar")
    for constraints, problem in (("free", free), ("simplices", bound)):
        runs = {
            name: opcheck.run(name, problem, SHORT, gamma="0.4/L", iterates=True)
            for name in (PEG, RG, WARM, OG)
        }
        points = {name: run.iterates for name, run in runs.items()}
        past, ahead = _warm(problem, float(runs[WARM].parameters["gamma"]))
        # the look-ahead points of PEG, started with a step of EG, are the points of OG
        rows += [
            (constraints, "PEG and its kernel", _apart(past, points[WARM])),
            (constraints, "PEG's look-ahead and OG", _apart(ahead, points[OG][1:])),
            (constraints, "PEG and RG", _apart(points[PEG], points[RG])),
        ]
    return {"apart": _table(("set", "pair", "apart"), rows, "Largest distance in 300 steps")}


def _apart(some: Floats, others: Floats) -> float:
    return float(np.abs(some - others).max())


def _warm(problem: Problem, gamma: float) -> tuple[Floats, Floats]:
    """Points and look-ahead points of past extragradient, in numpy."""
    z = problem.start
    points, ahead, last = [z], [], problem.operator(z)
    for _ in range(SHORT):
        zbar = problem.resolvent(z - gamma * last, gamma)
        last = problem.operator(zbar)
        z = problem.resolvent(z - gamma * last, gamma)
        points.append(z)
        ahead.append(zbar)
    return np.array(points), np.array(ahead)


def noisy() -> Mapping[str, Table]:
    """t·E‖X_t − x*‖² of PEG with steps γ/(t + b), exactly, and the constant it tends to."""
    rows = []
    for scale in SCALES:
        offset = int(np.ceil(4 * np.hypot(MU, 1) * scale))
        values = second_moments(MU + 1j, scale, offset, STEPS)
        limit = scale**2 * NOISE**2 / (2 * scale * MU - 1)
        bound = 6 * scale**2 * NOISE**2 / (scale * MU - 1)
        for t in np.unique(np.geomspace(20, STEPS, 120).astype(int)).tolist():
            rows.append((t, f"γ = {scale:g}", t * values[t], limit, bound))
    names = ("t", "scale", "scaled", "limit", "bound")
    return {"noisy": _table(names, rows, "F = μI + rotation, μ = 1/2, unit noise")}


def second_moments(eigenvalue: complex, scale: float, offset: int, steps: int) -> Floats:
    """E|x_t|², t = 0 … steps, of stochastic past extragradient on F x = λx from x_0 = 1.

    The state (x, v) is what x is and what the oracle said last:
    x⁺ = x − γ_t v⁺, v⁺ = λ(x − γ_t v) + ξ, E|ξ|² = 1, γ_t = scale/(t + 1 + offset); v_0 = λ + ξ.
    """
    noise = NOISE**2
    xx, xv, vv = 1.0, complex(eigenvalue).conjugate(), abs(eigenvalue) ** 2 + noise
    values = np.empty(steps + 1)
    values[0] = xx
    for t in range(steps):
        gamma = scale / (t + 1 + offset)
        # second moments of the look-ahead u = x − γv, and of x with it
        uu = xx - 2 * gamma * xv.real + gamma**2 * vv
        xu = xx - gamma * xv
        new_vv = abs(eigenvalue) ** 2 * uu + noise
        x_new_v = xu * complex(eigenvalue).conjugate()
        xx = xx - 2 * gamma * x_new_v.real + gamma**2 * new_vv
        xv = x_new_v - gamma * new_vv
        vv = new_vv
        values[t + 1] = xx
    return values


def _table(names: tuple[str, ...], rows: list, caption: str) -> Table:  # type: ignore[type-arg]
    return Table({n: [row[i] for row in rows] for i, n in enumerate(names)}, {}, caption)
