"""What the figures are drawn from: the limit on its own, SGD beside it, and SGD outside of it."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from opcheck import Table
from opcheck_paper_repro.marion2023_two_timescale.limit import (
    arrival,
    deviation,
    drift_of_invariant,
    implicit_steps,
    loss_curve,
    slow_eigenvalues,
    two_in_each_piece,
    velocity,
)
from opcheck_paper_repro.marion2023_two_timescale.network import (
    JUMPS,
    NEURONS,
    WEIGHTS,
    WIDTH,
    flow,
    loss,
    network,
    positions,
    target,
    train,
    uncovered,
)

Floats = NDArray[np.float64]

HEIGHTS = np.abs(WEIGHTS[1:])
SMALLEST = float(HEIGHTS.min())  # Δf
SLOW = 2e-5  # ε inside the regime
HORIZON, LONG = 0.035, 0.15  # slow times: of the comparison, and of arrival at every jump
STARTS = 1  # seed of positions of which each piece holds two
SEEDS = 5  # runs for each ε of the box-plot
REACH = 0.1  # r of the probability, half the distance of two jumps
DRAWS = 20000


def limit_flow() -> dict[str, Table]:
    """Arrival and steepness of the limit flow, over starts (x₀, 1) with x₀ ≤ 1, and W ≠ 1."""
    shares = np.linspace(0.01, 1, 100)
    height = 2.0
    times = np.array([arrival((s, 1.0), height) for s in shares]) * height**2 / shares
    steep = []
    for s in shares:
        fast, slow = velocity(np.array([s]), np.array([1.0]), np.array([height]))
        steep.append(float(fast[0] ** 2 + slow[0] ** 2) / height**4)
    drifts = [drift_of_invariant((s, 1.0), height) for s in (0.05, 0.3, 0.7, 0.95)]
    flow = Table(
        {"share": shares, "arrival": times, "steepness": np.array(steep)},
        {"share": "x₀/y₀", "arrival": "T W²/x₀", "steepness": "‖∇l‖²/W⁴"},
        "arrival at one jump, and the squared gradient there, against the start",
    )
    return {"flow": flow, "drift": Table({"drift": drifts}, caption="of y³ − x³, relative")}


@functools.cache
def training() -> dict[str, Table]:
    """SGD in the regime at two step sizes beside the limit, and its network at a later time."""
    u = positions(STARTS)
    series: dict[str, list[object]] = {"series": [], "slow_time": [], "loss": []}
    gaps: dict[str, list[float]] = {"h": [], "largest": [], "last": []}
    for h in (1e-3, 1e-4):
        run = train(u, h=h, epsilon=SLOW, horizon=HORIZON, seed=0)
        losses = [loss(a, v) for a, v in zip(run.a, run.u, strict=True)]
        limit = loss_curve(u, JUMPS, HEIGHTS, run.slow_time)
        late = run.slow_time >= HORIZON / 5
        gaps["h"].append(h)
        gaps["largest"].append(float(np.abs(losses - limit)[late].max()))
        gaps["last"].append(float(abs(losses[-1] - limit[-1])))
        _add(series, f"SGD, h = {h:g}", slow_time=run.slow_time, loss=losses)
    _add(series, "limit ε, η → 0", slow_time=run.slow_time, loss=limit)
    later = train(u, h=1e-3, epsilon=SLOW, horizon=LONG, seed=0, records=1)
    end = loss_curve(u, JUMPS, HEIGHTS, np.array([0.0, LONG]))[-1]
    other = train(u, h=1e-3, epsilon=SLOW, horizon=LONG, seed=0, records=1, rectangular=True)
    ends = {
        "loss": [loss(later.a[-1], later.u[-1])],
        "gap": [uncovered(later.u[-1])],
        "limit": [float(end)],
        "rectangular": [loss(other.a[-1], other.u[-1])],
        "floor": [loss(WEIGHTS, JUMPS) / (WIDTH / 28 * float((HEIGHTS**2).sum()))],
    }
    return {
        "loss": Table(series, {"slow_time": "ε h t"}, "loss against slow time"),
        "gaps": Table(gaps, caption="largest |SGD − limit| after a fifth of the horizon"),
        "end": Table(ends, caption=f"at slow time {LONG}"),
        "network": _profile(later.a[-1], later.u[-1]),
    }


@functools.cache
def regimes() -> dict[str, Table]:
    """SGD over ε, at the same h and slow time."""
    columns: dict[str, list[float]] = {"ε": [], "seed": [], "loss": [], "gap": []}
    for epsilon in (0.01, 0.1, 1.0):
        for seed in range(SEEDS):
            run = train(positions(seed), h=1e-5, epsilon=epsilon, horizon=3, seed=seed, records=1)
            values = (epsilon, seed, loss(run.a[-1], run.u[-1]), uncovered(run.u[-1]))
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return {"runs": Table(columns, {"gap": "of a jump to the nearest neuron"})}


@functools.cache
def gradient_flow() -> dict[str, Table]:
    """The gradient flow of the loss over ε, beside the limit; and with ε = 1 for long."""
    u = positions(STARTS)
    rows: dict[str, list[object]] = {"series": [], "slow_time": [], "loss": []}
    columns: dict[str, list[float]] = {"ε": [], "loss": [], "gap": [], "apart": []}
    for epsilon in (1.0, 1e-1, 1e-2, 1e-3, 2e-4):
        run = flow(u, epsilon=epsilon, horizon=LONG)
        losses = [loss(a, v) for a, v in zip(run.a, run.u, strict=True)]
        limit = loss_curve(u, JUMPS, HEIGHTS, run.slow_time)
        late = run.slow_time >= LONG / 5
        apart = float(np.abs(losses - limit)[late].max())
        values = (epsilon, losses[-1], uncovered(run.u[-1]), apart)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
        _add(rows, f"ε = {epsilon:g}", slow_time=run.slow_time, loss=losses)
    _add(rows, "limit ε, η → 0", slow_time=run.slow_time, loss=np.where(limit > 0, limit, np.nan))
    run = flow(u, epsilon=1.0, horizon=10 * LONG, records=1)
    later = {"loss": [loss(run.a[-1], run.u[-1])], "gap": [uncovered(run.u[-1])]}
    return {
        "loss": Table(rows, {"slow_time": "ε t"}, "loss of the gradient flow"),
        "ends": Table(columns, caption=f"at slow time {LONG}"),
        "later": Table(later, caption=f"ε = 1, at slow time {10 * LONG}"),
        "network": _profile(run.a[-1], run.u[-1]),
    }


@functools.cache
def equal_steps() -> dict[str, Table]:
    """SGD with ε = 1, to slow time 10, from the positions of ``training``."""
    run = train(positions(STARTS), h=1e-5, epsilon=1, horizon=10, seed=0, records=1)
    ends = {"loss": [loss(run.a[-1], run.u[-1])], "gap": [uncovered(run.u[-1])]}
    return {"network": _profile(run.a[-1], run.u[-1]), "end": Table(ends)}


def probability() -> dict[str, Table]:
    """How often random positions have l = 0 at τ = 4 r/Δf², and what bounds it from below."""
    random = np.random.default_rng(0)
    ends = np.concatenate([[0], JUMPS, [1]])
    pieces = np.diff(ends)
    columns: dict[str, list[float]] = {"m": [], "measured": [], "bound": [], "error": []}
    for m in (20, 30, 40, 60, 80):
        arrived = 0
        for u in np.sort(random.random((DRAWS, m)), axis=1):
            if two_in_each_piece(u, JUMPS):
                right = np.searchsorted(u, JUMPS)
                arrived += _latest(JUMPS - u[right - 1], u[right] - JUMPS) <= 4 * REACH
        share = arrived / DRAWS
        few = ((1 - pieces) ** m + m * pieces * (1 - pieces) ** (m - 1)).sum()
        bound = 1 - len(JUMPS) * (1 - 2 * REACH) ** m - few
        values = (m, share, bound, np.sqrt(bound * (1 - bound) / DRAWS))
        for column, value in zip(columns.values(), values, strict=True):
            column.append(float(value))
    units = {"m": "neurons", "error": "standard error at the bound"}
    return {"draws": Table(columns, units, f"share of {DRAWS} random positions that have arrived")}


def _latest(x: Floats, y: Floats) -> float:
    """The last arrival, in units of 1/Δf²; where 4 min(x, y) is in time, that in its place."""
    times = [
        4 * min(start) / W**2 if min(start) <= REACH else arrival(start, W)
        for *start, W in zip(x, y, HEIGHTS, strict=True)
    ]
    return max(times) * SMALLEST**2


def singular() -> dict[str, Table]:
    """sup_τ ‖u_ε − u₀‖ over ε, of the quadratic flows of four random H of six variables.

    And the slow eigenvalues of these flows, and implicit steps of the marginal.
    """
    columns: dict[str, list[float]] = {"ε": [], "deviation": [], "eigenvalues": [], "H": []}
    ratios: list[float] = []
    for seed in range(4):
        root = np.random.default_rng(seed).standard_normal((6, 6))
        H = root @ root.T / 6 + 0.2 * np.eye(6)
        for epsilon in 10.0 ** -np.arange(1, 6):
            columns["ε"].append(float(epsilon))
            columns["deviation"].append(deviation(H, 3, float(epsilon), 4.0))
            columns["eigenvalues"].append(slow_eigenvalues(H, 3, float(epsilon)))
            columns["H"].append(seed)
        ratios += implicit_steps(H, 3, 2.0, steps=40).tolist()
    return {
        "singular": Table(columns, {"deviation": "sup ‖u_ε − u₀‖"}),
        "implicit": Table({"ratio": ratios}, {"ratio": "measured/bound"}),
    }


def _add(series: dict[str, list[object]], name: str, **columns: object) -> None:
    length = 0
    for column, values in columns.items():
        listed = np.asarray(values).tolist()
        series[column] += listed
        length = len(listed)
    series["series"] += [name] * length


def _profile(a: Floats, u: Floats) -> Table:
    """Target and network over [0, 1], and the neurons as rows of their own."""
    beside = [JUMPS - 1e-9, JUMPS, u - WIDTH / 2, u, u + WIDTH / 2]
    x = np.unique(np.clip(np.concatenate([np.linspace(0, 1, 201), *beside]), 0, 1))
    rows: dict[str, list[object]] = {"series": [], "x": [], "f": []}
    _add(rows, "target", x=x, f=target(x))
    _add(rows, "network", x=x, f=network(a, u, x))
    inside = u[(u >= 0) & (u <= 1)]
    _add(rows, "neurons", x=inside, f=np.zeros(len(inside)))
    return Table(rows, caption=f"target and network of {NEURONS} neurons; ticks: their positions")
