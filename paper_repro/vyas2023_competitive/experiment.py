"""Competitive gradient: gradient steps along a field in which each player foresees the other.

x⁺ = x − η(I + α²DDᵀ)⁻¹(∇_x f + αD∇_y f), y⁺ = y + η(I + α²DᵀD)⁻¹(∇_y f − αDᵀ∇_x f), D = ∇²_xy f:
gradient descent ascent on the field F_α below; α = 0 is F itself, α = η competitive gradient
descent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import opcheck
from opcheck import Problem, Table
from opcheck.plugin import Operator, growth

Floats = NDArray[np.float64]
METHOD = "gradient_descent_ascent"
ETA = 0.05
# f -> ∂f/∂x, ∂f/∂y, ∂²f/∂x∂y as formulas
SQUARE = ("2*x*y", "x**2", "2*x")  # f = x²y
TILTED = ("2*x*y + y", "x**2 + x", "2*x + 1")  # f = x²y + xy
ALPHAS = (0, 2, 4, 6, 8)
STEPS = 3000
SIZE = 4  # of the random bilinear games


def competitive(game: tuple[str, str, str], alpha: float, divide: str = "") -> Operator:
    """F_α of a game on the plane; ``divide`` replaces (∂²f/∂x∂y)² in the denominator."""
    slope_x, slope_y, mixed = (f"({part})" for part in game)
    over = f"(1 + alpha**2*({divide or mixed + '**2'}))"
    return opcheck.field(
        [
            f"({slope_x} + alpha*{mixed}*{slope_y})/{over}",
            f"(alpha*{mixed}*{slope_x} - {slope_y})/{over}",
        ],
        "x y",
        alpha=alpha,
    )


def tilted() -> Mapping[str, Any]:
    """f = x²y + xy from (−1/4, 1/2): runs and their distances to the saddle point 0."""
    parts: dict[str, Any] = {}
    rows, off = [], []
    for alpha in (0, 1, 3):
        problem = Problem(
            competitive(TILTED, alpha), solution=np.zeros(2), start=np.array([-0.25, 0.5])
        )
        run = opcheck.run(METHOD, problem, STEPS, gamma=ETA, iterates=True)
        parts[f"α = {alpha}"] = run
        theirs = solved("tilted", alpha, (-0.25, 0.5), STEPS)
        off.append(float(np.abs(run.iterates - theirs).max()))
        distances = np.linalg.norm(run.iterates, axis=1)
        rows += [(k, f"distance, α = {alpha}", d) for k, d in enumerate(distances.tolist())]
    distances = _table(("k", "run", "distance"), rows, "Distance to (0, 0)")
    return {**parts, "distances": distances, "errors": Table({"off": off})}


def solved(game: str, alpha: float, start: tuple[float, float], steps: int) -> Floats:
    """The same iteration by the linear system of its local game, in numpy; shape (steps + 1, 2)."""
    x, y = start
    path = [(x, y)]
    for _ in range(steps):
        if game == "tilted":
            slope_x, slope_y, mixed = 2 * x * y + y, x * x + x, 2 * x + 1
        else:
            slope_x, slope_y, mixed = 2 * x * y, x * x, 2 * x
        matrix = [[1, alpha * mixed], [-alpha * mixed, 1]]
        move = np.linalg.solve(matrix, [-ETA * slope_x, ETA * slope_y])
        x, y = x + move[0], y + move[1]
        path.append((x, y))
    return np.array(path)


def square() -> Mapping[str, Table]:
    """f = x²y from (3, 3): y against k for each α, and where the runs end."""
    rows, ends = [], []
    for alpha in ALPHAS:
        problem = Problem(competitive(SQUARE, alpha), start=np.array([3.0, 3.0]))
        run = opcheck.run(METHOD, problem, STEPS, gamma=ETA, iterates=True)
        rows += [(k, alpha, y) for k, y in enumerate(run.iterates[:, 1].tolist())]
        off = np.abs(run.iterates - solved("square", alpha, (3.0, 3.0), STEPS)).max()
        printed = Problem(competitive(SQUARE, alpha, "1"), start=np.array([3.0, 3.0]))
        theirs = opcheck.run(METHOD, printed, STEPS, gamma=ETA, iterates=True)
        apart = np.linalg.norm(theirs.iterates - run.iterates, axis=1)
        ends.append((alpha, *run.iterates[-1].tolist(), float(off), float(np.nanmax(apart))))
    return {
        "paths": _table(("k", "alpha", "y"), rows, "y of each run on f = x²y"),
        "ends": _table(("alpha", "x", "y", "off", "apart"), ends, "Where runs on f = x²y end"),
    }


def coherence() -> Mapping[str, Table]:
    """⟨(1 + α²(∂²f/∂x∂y)²)F_α, z⟩ of f = x²y on a grid, and the largest α at which it is < 0."""
    x, y = (part.ravel() for part in np.meshgrid(np.linspace(-0.14, 0.14, 140),
                                                 np.linspace(-0.15, 0.03, 120)))  # fmt: skip
    last = np.zeros(len(x), dtype=int)
    off = printed = 0.0
    areas = []
    for alpha in ALPHAS[1:]:
        field = competitive(SQUARE, alpha)
        values = np.array([field(z) for z in np.stack([x, y], axis=1)])
        product = (values[:, 0] * x + values[:, 1] * y) * (1 + 4 * alpha**2 * x**2)
        derived = x**2 * y + 2 * alpha * (x**4 + 2 * x**2 * y**2)
        quoted = x**2 * y + 2 * alpha * (x**4 + 4 * x**2 * y**2)
        scale = np.abs(derived).max()
        off = max(off, float(np.abs(product - derived).max() / scale))
        printed = max(printed, float(np.abs(product - quoted).max() / scale))
        inside = product < 0
        last[inside] = alpha
        cell = 0.28 / 139 * 0.18 / 119
        areas.append((alpha, float(inside.sum() * cell), np.pi / (32 * 2**0.5 * alpha**2)))
    words = {0: "coherent for α ≥ 2", **{a: f"fails up to α = {a}" for a in ALPHAS[1:]}}
    outcome = [words[int(a)] for a in last]
    columns = {"x": x, "y": y, "outcome": outcome}
    return {
        "map": Table(columns, {}, "Coherence of f = x²y"),
        "areas": _table(("alpha", "area", "ellipse"), areas, "Area on which coherence fails"),
        "errors": Table({"derived": [off], "quoted": [printed]}, {}, "Relative to the largest"),
    }


def ellipse(alpha: float, weight: float = 4.0) -> tuple[Floats, Floats]:
    """y + 2αx² + weight·αy² = 0, outside of which f = x²y is coherent (weight 4)."""
    angle = np.linspace(0, 2 * np.pi, 200)
    deep = 1 / (2 * weight * alpha)
    wide = np.sqrt(1 / (8 * weight)) / alpha
    return wide * np.cos(angle), deep * (np.sin(angle) - 1)


def bilinear() -> Mapping[str, Table]:
    """f = xᵀAy, A random: factor of a step by its matrix, by the kernel and by the law."""
    A = np.random.default_rng(2205).standard_normal((SIZE, SIZE))
    sigma = np.linalg.svd(A, compute_uv=False)
    eye = np.eye(SIZE)
    rows = []
    for alpha in np.linspace(0.02, 1, 26):
        mine = np.linalg.inv(eye + alpha**2 * A @ A.T)
        other = np.linalg.inv(eye + alpha**2 * A.T @ A)
        field = np.block([[mine @ (alpha * A @ A.T), mine @ A],
                          [-other @ A.T, other @ (alpha * A.T @ A)]])  # fmt: skip
        eigenvalues = np.linalg.eigvals(field)
        etas = np.linspace(0.02, 2.2, 56)
        kernels = growth(METHOD, etas[:, None] * eigenvalues, gamma=1.0).max(axis=1)
        for eta, kernel in zip(etas.tolist(), kernels.tolist(), strict=True):
            step = np.eye(2 * SIZE) - eta * field
            square = 1 - eta * sigma**2 * (2 * alpha - eta) / (1 + (alpha * sigma) ** 2)
            law = float(np.sqrt(square.max()))
            radius = float(np.abs(np.linalg.eigvals(step)).max())
            norm = float(np.linalg.norm(step, 2))
            off = max(abs(radius - law), abs(norm - law), abs(kernel - law))
            outcome = "converges" if radius < 1 else "diverges"
            rows.append((alpha, eta, outcome, off, (radius < 1) == (eta < 2 * alpha)))
    best = []
    for alpha in np.geomspace(0.05, 20, 40):
        square = 1 - (alpha * sigma) ** 2 / (1 + (alpha * sigma) ** 2)
        best.append((alpha, float(np.sqrt(square.max())), 1 / np.hypot(1, alpha * sigma.min())))
    return {
        "window": _table(("alpha", "eta", "outcome", "off", "agrees"), rows, "f = xᵀAy, n = 4"),
        "descent": _table(("alpha", "factor", "formula"), best, "η = α"),
    }


def continuous() -> Mapping[str, Table]:
    """How far the directions of CGD (α = η) and CGO (α = 1) are from −F, f = x²y + xy, as η → 0."""
    points = np.random.default_rng(2205).uniform(-1, 1, (50, 2))
    plain = competitive(TILTED, 0)
    rows = []
    for eta in 10.0 ** -np.arange(1, 7):
        for label, alpha in (("CGD, α = η", eta), ("CGO, α = 1", 1.0)):
            field = competitive(TILTED, alpha)
            off = max(float(np.linalg.norm(field(z) - plain(z))) for z in points)
            rows.append((eta, label, off))
    return {"directions": _table(("eta", "method", "off"), rows, "Largest ‖F_α z − F z‖")}


def _table(names: tuple[str, ...], rows: list, caption: str) -> Table:  # type: ignore[type-arg]
    return Table({n: [row[i] for row in rows] for i, n in enumerate(names)}, {}, caption)
