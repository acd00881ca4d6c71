"""The bound in k, the residual against calls, what the guarantees cost, and inexact steps."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from opcheck import Table
from opcheck_paper_repro.cai2024_vr_halpern.halpern import (
    Residuals,
    Sum,
    finite_sum,
    full_extragradient,
    full_halpern,
    inexact_halpern,
    mean_cost,
    variance_reduced,
)

Floats = NDArray[np.float64]

REPETITIONS, STEPS = 60, 1000
LARGE = 102_400  # operators of the sum on which fewer calls are seen
PASSES = 45


def inexact() -> dict[str, Table]:
    """Measured over bound of inexact Halpern steps: the worst case, and random isometries.

    Every other k: in the worst case the residual is small in between.
    """
    rows: dict[str, list[object]] = {"series": [], "k": [], "ratio": []}
    k = np.arange(101)
    signs = -((-1.0) ** k[:, None])
    error = 0.3 * signs / (k[:, None] + 1) ** 1.5
    cases = [("T = −1, errors that add up", -np.eye(1), np.ones(1), error)]
    random = np.random.default_rng(0)
    for power in (1.5, 2.0, 2.5):
        T = np.linalg.qr(random.standard_normal((6, 6)))[0]
        ways = random.standard_normal((101, 6))
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        errors = 0.3 * ways / (k[:, None] + 1) ** power
        cases.append((f"random isometry, 0.3/(i + 1)^{power}", T, np.ones(6), errors))
    for name, T, u0, errors in cases:
        residuals, bounds = inexact_halpern(T, u0, errors)
        shown = 2 * np.unique(np.geomspace(1, 50, 14).astype(int))
        rows["series"] += [name] * len(shown)
        rows["k"] += shown.tolist()
        rows["ratio"] += (residuals / bounds)[shown].tolist()
    return {"ratios": Table(rows, {"ratio": "measured/bound"})}


@functools.cache
def bound() -> dict[str, Table]:
    """‖F u_k‖ over sixty repetitions on sums of 100 and 400, with what its mean is bounded by."""
    parts = {}
    worst: dict[str, list[float]] = {"n": [], "ratio": [], "average": [], "calls": []}
    for n in (100, 400):
        problem = finite_sum(n, 10, shared=0.5)
        run = variance_reduced(problem, steps=STEPS, repetitions=REPETITIONS, seed=1)
        mean = run.residual.mean(axis=0)
        k = np.arange(STEPS + 1)
        above = 16 * problem.L * problem.D / (k + 4)
        shown = np.unique(np.geomspace(1, STEPS, 40).astype(int))
        columns = {
            "k": np.tile(shown, REPETITIONS),
            "seed": np.repeat(np.arange(REPETITIONS), len(shown)),
            "norm": run.residual[:, shown].ravel(),
            "bound": np.tile(above[shown], REPETITIONS),
        }
        parts[f"n = {n}"] = Table(columns, {"norm": "‖F u_k‖"}, f"sum of {n} operators")
        worst["n"].append(n)
        worst["ratio"].append(float((mean / above).max()))
        worst["average"].append(_average_cocoercivity(problem))
        worst["calls"].append(float(run.calls[:, -1].mean() / mean_cost(n, STEPS)))
    return {**parts, "worst": Table(worst)}


@functools.cache
def calls() -> dict[str, Table]:
    """Residuals against passes over the sum: one sum on which fewer are needed, and one not."""
    parts = {}
    ends: dict[str, list[object]] = {"sum": [], "L/L_F": [], "√n": [], "share": []}
    for name, problem, steps in (
        ("aligned", finite_sum(LARGE, 4, shared=0.98), 2200),
        ("spread", finite_sum(100, 40, shared=0.0), 130),
    ):
        n, scale = len(problem.parts), problem.L_F * problem.D
        runs = {
            "VR-Halpern": variance_reduced(problem, steps=steps, repetitions=4, seed=1),
            "Halpern": full_halpern(problem, steps=PASSES),
            "EG": full_extragradient(problem, steps=PASSES // 2),
        }
        rows: dict[str, list[object]] = {"series": [], "passes": [], "residual": []}
        for label, run in runs.items():
            passes, values = run.calls.mean(axis=0) / n, run.residual.mean(axis=0) / scale
            inside = (passes > 0) & (passes <= PASSES)
            rows["series"] += [label] * int(inside.sum())
            rows["passes"] += passes[inside].tolist()
            rows["residual"] += values[inside].tolist()
        parts[name] = Table(rows, {"residual": "‖F u‖/(L_F D)"}, f"n = {n}, {name} operators")
        ends["sum"].append(name)
        ends["L/L_F"].append(problem.L / problem.L_F)
        ends["√n"].append(float(np.sqrt(n)))
        late = (_at(runs["VR-Halpern"], n), _late(runs["Halpern"], n))
        ends["share"].append(late[0] / late[1])
    return {**parts, "ends": Table(ends)}


def complexity() -> dict[str, Table]:
    """Calls until each guarantee is at most L D/1000: 16 L D/(k + 4), and L D/(k + 1)."""
    sizes = np.unique(np.round(np.geomspace(100, 1e7, 26)).astype(int))
    reduced = [mean_cost(int(n), 16_000 - 4) for n in sizes]
    full = 999.0 * sizes
    rows = {
        "series": np.repeat(["VR-Halpern", "Halpern"], len(sizes)),
        "n": np.tile(sizes, 2),
        "calls": np.concatenate([reduced, full]),
    }
    ahead = sizes[np.array(reduced) < full]
    ends = {"first ahead": [int(ahead[0])], "gain": [float(full[-1] / reduced[-1])]}
    return {"calls": Table(rows, {"n": "operators", "calls": "of an F_i"}), "ends": Table(ends)}


def _average_cocoercivity(problem: Sum) -> float:
    """The largest mean ‖F_i d‖²/(L ⟨F d, d⟩) over random d: at most 1 where L is right."""
    ways = np.random.default_rng(0).standard_normal((200, len(problem.start)))
    images = np.einsum("nij,rj->rni", problem.parts, ways)
    inner = np.einsum("rni,ri->r", images, ways) / len(problem.parts)
    return float(((images**2).sum(axis=2).mean(axis=1) / (problem.L * inner)).max())


def _at(run: Residuals, n: int) -> float:
    """The mean residual after all passes."""
    last = int(np.searchsorted(run.calls.mean(axis=0), PASSES * n, side="right")) - 1
    return float(run.residual.mean(axis=0)[last])


def _late(run: Residuals, n: int) -> float:
    """The mean residual over the last tenth of the passes: it oscillates."""
    passes = run.calls.mean(axis=0) / n
    return float(run.residual.mean(axis=0)[passes >= 0.9 * PASSES].mean())
