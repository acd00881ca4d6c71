"""Every statement of the table: what is measured, on what, and the largest measured/bound."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from opcheck import Table
from opcheck_paper_repro.garrigos2023_handbook.moments import (
    LeastSquares,
    momentum,
    random_problem,
    sgd,
)

Floats = NDArray[np.float64]
Row = tuple[str, str, Floats, Floats]  # statement, how it was measured, measured and bound over t

STEPS = 300
SEEDS = range(6)
SHARES = (1.0, 0.5, 0.1)  # of the largest step
SAMPLES = 400
FLOOR = 1e-20  # relative to the bound at the start: below it measured is rounding
EXACT, RUN = "exact mean", "run"
T = np.arange(1, STEPS + 1)


@functools.cache
def floors() -> dict[str, Table]:
    """E‖x − x*‖² of SGD for three steps, with the bounds, on one least squares problem."""
    problem = random_problem(0, n=30, d=3, last=1.0, far=10.0)
    t = np.arange(2001)
    columns: dict[str, Floats] = {"k": t}
    ends: dict[str, list[float]] = {"share": [], "ratio": [], "floor": []}
    for name, share in (("γ₀", 1.0), ("γ₀/4", 0.25), ("γ₀/16", 1 / 16)):
        gamma = share / (2 * problem.L_max)
        floor = 2 * gamma * problem.noise / problem.mu
        distance = sgd(problem, lambda _, gamma=gamma: gamma, steps=2000)["distance"]
        bound = (1 - gamma * problem.mu) ** t * problem.D2 + floor
        columns[f"γ = {name}"], columns[f"bound, {name}"] = distance, bound
        ends["share"].append(share)
        ends["ratio"].append(float((distance / bound)[1:].max()))
        ends["floor"].append(float(distance[-1] / floor))
    return {"means": Table(columns), "ends": Table(ends)}


@functools.cache
def statements() -> dict[str, Table]:
    """One line for each statement."""
    worst: dict[str, list[object]] = {}
    for statement, how, measured, bound in _rows():
        with np.errstate(invalid="ignore", divide="ignore"):
            decided = bound > FLOOR * bound[0]
            ratio = float((measured / bound)[decided].max())
        line = worst.setdefault(statement, [statement, how, 0, 0.0, np.inf])
        line[2] += 1  # type: ignore[operator]
        line[3] = max(line[3], ratio)  # type: ignore[call-overload]
        line[4] = min(line[4], ratio)  # type: ignore[call-overload]
    names = ("statement", "measured", "cases", "ratio", "least")
    columns = {name: [line[i] for line in worst.values()] for i, name in enumerate(names)}
    units = {"ratio": "largest", "cases": "problem and step"}
    return {"statements": Table(columns, units, "measured/bound, largest over t ≤ 300")}


def huber(steps: int) -> tuple[Floats, float]:
    """f(x_t) of gradient steps with γ = 1/L = 1 from x₀ = 1 on the Huber function, and D.

    Its width 1/(2t + 1) is the worst for t = ``steps``.
    """
    width, x = 1 / (2 * steps + 1), 1.0
    values = []
    for _ in range(steps):
        x -= x if abs(x) <= width else width
        values.append(x**2 / 2 if x <= width else width * x - width**2 / 2)
    return np.array(values), 1.0


def _rows() -> Iterator[Row]:
    yield from _gradient_descent()
    yield from _stochastic()
    yield from _batches()
    yield from _proximal()
    yield from _subgradient()


def _problems() -> list[LeastSquares]:
    return [random_problem(seed) for seed in SEEDS]


def _deficient() -> list[LeastSquares]:
    """More unknowns than equations: PL and not strongly convex."""
    return [random_problem(seed, n=4, d=6) for seed in SEEDS]


def _descent(problem: LeastSquares, gamma: float) -> tuple[Floats, Floats]:
    """f − f* and ‖x − x*‖² after t = 1, …, STEPS gradient steps."""
    off, H = problem.start - problem.solution, problem.H
    gaps, distances = [], []
    for _ in range(STEPS):
        off = off - gamma * H @ off
        gaps.append(float(off @ H @ off / 2))
        distances.append(float(off @ off))
    return np.array(gaps), np.array(distances)


def _gradient_descent() -> Iterator[Row]:
    for p in _problems():
        for share in SHARES:
            gamma = share / p.L
            gap, distance = _descent(p, gamma)
            yield "GD, convex", RUN, gap, p.D2 / (2 * gamma * T)
            yield "GD, strongly convex", RUN, distance, (1 - gamma * p.mu) ** T * p.D2
    for steps in (1, 5, 20, 80, STEPS):
        values, D = huber(steps)
        yield "GD, convex", RUN, values, D**2 / (2 * np.arange(1, steps + 1))
    for p in _deficient():
        off = p.start - p.solution
        first = float(off @ p.H @ off / 2)
        for share in SHARES:
            gamma = share / p.L
            yield "GD, PL", RUN, _descent(p, gamma)[0], (1 - gamma * p.mu) ** T * first


def _stochastic() -> Iterator[Row]:
    for p in _problems():
        for share in SHARES:
            gamma = share / (4 * p.L_max)
            means = sgd(p, lambda _, gamma=gamma: gamma, steps=STEPS)
            bound = p.D2 / (gamma * T) + 2 * gamma * p.noise
            yield "SGD, convex, average", EXACT, means["average"][1:], bound
            last = momentum(p, gamma, steps=STEPS)[1:]
            bound = p.D2 / (gamma * (T + 1)) + 2 * gamma * p.noise
            yield "SGD with momentum, last iterate", EXACT, last, bound
            gamma = share / (2 * p.L_max)
            distance = sgd(p, lambda _, gamma=gamma: gamma, steps=STEPS)["distance"][1:]
            bound = (1 - gamma * p.mu) ** T * p.D2 + 2 * gamma * p.noise / p.mu
            yield "SGD, strongly convex", EXACT, distance, bound
        for share in (0.98, 0.5, 0.1):
            first = share / (2 * p.L_max)

            def step(t: int, first: float = first) -> float:
                return first / np.sqrt(t + 1)

            def weight(t: int, L_max: float = p.L_max, step=step) -> float:  # type: ignore[no-untyped-def]
                return step(t) * (1 - 2 * step(t) * L_max)

            average = sgd(p, step, steps=STEPS, weight=weight)["average"][1:]
            gammas = np.array([step(t) for t in range(STEPS)])
            total = np.cumsum(gammas * (1 - 2 * gammas * p.L_max))
            bound = (p.D2 / 2 + np.cumsum(gammas**2) * p.noise) / total
            yield "SGD, convex, steps 1/√t", EXACT, average, bound
    for p in [*_problems(), *(random_problem(s, n=5, d=6, noise=1.0) for s in SEEDS)]:
        off = p.start - p.solution
        first = float(off @ p.H @ off / 2)
        for share in SHARES:
            gamma = share * p.mu / (p.L * p.L_max)
            gap = sgd(p, lambda _, gamma=gamma: gamma, steps=STEPS)["gap"][1:]
            bound = (1 - gamma * p.mu) ** T * first + gamma * p.L * p.L_max * p.least / p.mu
            yield "SGD, PL", EXACT, gap, bound


def _batches() -> Iterator[Row]:
    for p in _problems():
        n = len(p.y)
        for b in (2, 4, n - 1):
            L_b = (n * (b - 1) * p.L + (n - b) * p.L_max) / (b * (n - 1))
            noise = (n - b) / (b * (n - 1)) * p.noise
            for share in SHARES:
                gamma = share / (2 * L_b)
                distance = sgd(p, lambda _, gamma=gamma: gamma, steps=STEPS, b=b)["distance"]
                bound = (1 - gamma * p.mu) ** T * p.D2 + 2 * gamma * noise / p.mu
                yield "minibatch SGD, strongly convex", EXACT, distance[1:], bound
                gamma = share / (4 * L_b)
                average = sgd(p, lambda _, gamma=gamma: gamma, steps=STEPS, b=b)["average"]
                bound = p.D2 / (gamma * T) + 2 * gamma * noise
                yield "minibatch SGD, convex, average", EXACT, average[1:], bound


def _proximal() -> Iterator[Row]:
    for p in _problems():
        for share in SHARES:
            gamma = share / p.L
            gap, distance, D2 = _lasso(p, gamma, 0.2)
            yield "proximal GD, convex", RUN, gap, D2 / (2 * gamma * T)
            yield "proximal GD, strongly convex", RUN, distance, (1 - gamma * p.mu) ** T * D2
    for seed in SEEDS:
        p = random_problem(seed, constrained=True)
        for share in SHARES:
            gamma = share / (2 * p.L_max)
            distance = sgd(p, lambda _, gamma=gamma: gamma, steps=STEPS)["distance"][1:]
            bound = (1 - gamma * p.mu) ** T * p.D2 + 2 * gamma * p.noise / p.mu
            yield "stochastic proximal GD, strongly convex", EXACT, distance, bound


def _lasso(p: LeastSquares, gamma: float, weight: float) -> tuple[Floats, Floats, float]:
    """F − F* and ‖x − x*‖² of proximal steps on f + weight ‖x‖₁, and D²."""

    def step(x: Floats) -> Floats:
        moved = x - gamma * p.a.T @ (p.a @ x - p.y) / len(p.y)
        return np.sign(moved) * np.maximum(np.abs(moved) - gamma * weight, 0)

    def value(x: Floats) -> float:
        return float(((p.a @ x - p.y) ** 2).mean() / 2 + weight * np.abs(x).sum())

    best, before = p.start, None
    while before is None or (best != before).any():
        before, best = best, step(best)
    x, gaps, distances = p.start, [], []
    for _ in range(STEPS):
        x = step(x)
        gaps.append(value(x) - value(best))
        distances.append(float(((x - best) ** 2).sum()))
    return np.array(gaps), np.array(distances), float(((p.start - best) ** 2).sum())


def _subgradient() -> Iterator[Row]:
    """f = mean |a_i·x − y_i|: those of the terms have squared mean G²."""
    from scipy.optimize import linprog

    for p in _problems():
        n, d = p.a.shape
        cost = np.concatenate([np.zeros(d), np.full(n, 1 / n)])
        sides = np.block([[p.a, -np.eye(n)], [-p.a, -np.eye(n)]])
        right = np.concatenate([p.y, -p.y])
        solved = linprog(cost, A_ub=sides, b_ub=right, bounds=(None, None))
        D2 = float(((p.start - solved.x[:d]) ** 2).sum())
        G2 = float((p.a**2).sum(axis=1).mean())
        for share in SHARES:
            gamma = share * np.sqrt(D2 / (G2 * STEPS))
            bound = D2 / (2 * gamma * T) + gamma * G2 / 2
            for statement, how, samples in (
                ("subgradient method, average", RUN, 0),
                ("stochastic subgradient method, average", f"mean of {SAMPLES} samples", SAMPLES),
            ):
                measured = _absolute(p, gamma, samples) - solved.fun
                yield statement, how, measured, bound


def _absolute(p: LeastSquares, gamma: float, samples: int) -> Floats:
    """f at the average of x_0, …, x_{t−1}; its mean over samples where the terms are drawn."""
    random = np.random.default_rng(0)
    x = np.tile(p.start, (max(samples, 1), 1))
    total, values = np.zeros_like(x), []
    for t in range(1, STEPS + 1):
        total += x
        values.append(float(np.abs(total / t @ p.a.T - p.y).mean(axis=1).mean()))
        if samples:
            i = random.integers(len(p.y), size=samples)
            slope = np.sign((x * p.a[i]).sum(axis=1) - p.y[i])[:, None] * p.a[i]
        else:
            slope = np.sign(x @ p.a.T - p.y) @ p.a / len(p.y)
        x = x - gamma * slope
    return np.array(values)
