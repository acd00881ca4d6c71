"""Spectral radii of complex momentum: all players at once, or one after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from opcheck import Table
from opcheck.plugin import growth

Complex = NDArray[np.complex128]
Floats = NDArray[np.float64]
PHASES = {"0": 0.0, "π/8": 0.125, "π/4": 0.25, "π/2": 0.5, "3π/4": 0.75, "π": 1.0}  # in π
SIZES, STEPS = np.linspace(0, 1, 21), np.geomspace(1e-3, 4, 33)  # of β and γ, on a first grid
NONE = 1e-5  # a gain below twice this is none
CLOUD = 60  # points about the best one so far
STEP_GRID = np.geomspace(1e-3, 1, 601)  # of the methods without momentum
STRENGTHS = np.linspace(0.25, 4, 7)  # singular values of both parts of the game
ROTATION = np.array([1j])  # the eigenvalue of f = xy, up to conjugation
SEED = 0
SMALL = 1e-4  # a step so small that its first terms decide
BAND = 0.03  # of the criterion's terms: nearer to its zero that step does not decide


def simultaneous(eigenvalues: Complex, gamma: Floats, beta: Complex) -> Floats:
    """Spectral radius over eigenvalues λ of F, shape that of ``gamma`` and ``beta``.

    The matrix of (Re μ, Im μ, z) has the characteristic polynomial
    (r − 1)((r − a)² + b²) + γλ r(r − a),  β = a + ib; its roots by Cardano's formula.
    """
    a, b = beta.real[..., None], beta.imag[..., None]
    pull = gamma[..., None] * eigenvalues
    square, linear, constant = pull - 2 * a - 1, a**2 + b**2 + 2 * a - a * pull, -(a**2) - b**2
    p = linear - square**2 / 3
    q = square * (2 * square**2 / 27 - linear / 3) + constant
    root = np.sqrt(q**2 / 4 + p**3 / 27)
    root = np.where(np.abs(root - q / 2) < np.abs(root + q / 2), -root, root)  # no cancellation
    u = (root - q / 2) ** (1 / 3)
    u = np.where(u == 0, 1e-300, u)  # a triple root, where p = 0 too
    radius = np.zeros(pull.shape)
    for turn in np.exp(2j * np.pi * np.arange(3) / 3):
        radius = np.maximum(radius, np.abs(u * turn - p / (3 * u * turn) - square / 3))
    largest: Floats = radius.max(axis=-1)
    return largest


def alternating(sigma: float, gamma: Floats, beta: Complex) -> Floats:
    """Spectral radius on σxy when y's player sees the x that has just moved."""
    a, b = beta.real, beta.imag
    zero, unit = 0 * a, 1 + 0 * a
    # rows: Re and Im of both players' momenta, x, y; the second player sees γ of the first's step
    own_re = [a, -b, zero, zero, zero, -sigma * unit]
    own_im = [b, a, zero, zero, zero, zero]
    x = [gamma * own_re[i] + (unit if i == 4 else zero) for i in range(6)]
    other_re = [sigma * x[i] + (a if i == 2 else -b if i == 3 else zero) for i in range(6)]
    other_im = [zero, zero, b, a, zero, zero]
    y = [gamma * other_re[i] + (unit if i == 5 else zero) for i in range(6)]
    rows = [own_re, own_im, other_re, other_im, x, y]
    matrix = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    radii: Floats = np.abs(np.linalg.eigvals(matrix)).max(axis=-1)
    return radii


def of_matrix(eigenvalues: Complex, gamma: float, beta: complex) -> float:
    """``simultaneous`` from the matrices themselves, for one γ and β."""
    a, b = beta.real, beta.imag
    radii = [
        np.abs(
            np.linalg.eigvals([[a, -b, -e], [b, a, 0], [gamma * a, -gamma * b, 1 - gamma * e]])
        ).max()
        for e in eigenvalues
    ]
    return float(max(radii))


def criterion(a: Floats, b: Floats) -> Floats:
    """> 0 iff simultaneous steps converge on bilinear games for every small enough γ, |β| < 1.

    The root near 1 is r = 1 − εH + ε²HH′ + O(ε³), ε = iγσ, H(r) = r(r − a)/((r − a)² + b²) and H′
    at r = 1, so |r|² = 1 + γ²σ²H(H − 2H′) + O(γ³).
    """
    u = 1 - a
    return u * (u**2 + b**2) + 2 * (b**2 - u**2)


def bilinear() -> Mapping[str, Table]:
    """Best spectral radius for each phase of β on f = xy, both orders of play."""
    rows = []
    for order in ("simultaneous", "alternating"):
        for label, part in PHASES.items():
            phase = part * np.pi
            if order == "simultaneous":
                radius, size, gamma = _best(
                    lambda g, s, p=phase: simultaneous(ROTATION, g, s * np.exp(1j * p))
                )
                radius = of_matrix(ROTATION, gamma, size * np.exp(1j * phase))
                kernel = _by_kernel(ROTATION, gamma, size * np.exp(1j * phase))
            else:
                radius, size, gamma = _best(
                    lambda g, s, p=phase: alternating(1.0, g, s * np.exp(1j * p))
                )
                kernel = np.nan
            rows.append((order, label, part, radius, size, gamma, kernel))
    names = ("order", "phase", "part", "radius", "size", "gamma", "kernel")
    columns = {n: [row[i] for row in rows] for i, n in enumerate(names)}
    columns["off"] = np.abs(np.array(columns["radius"]) - columns["kernel"])
    return {"best": Table(columns, {"part": "π", "size": "|β|"}, "Best radius found on f = xy")}


def plane() -> Mapping[str, Table]:
    """On f = xy with γ = 1/10000: which β of the upper half disc converge, all players at once."""
    sides = np.linspace(-0.995, 0.995, 60), np.linspace(0, 1, 31)
    points = np.array([(a, b) for a in sides[0] for b in sides[1]])
    beta = points[:, 0] + 1j * points[:, 1]
    radius = simultaneous(ROTATION, np.full(len(beta), SMALL), beta)
    sign, away = criterion(*points.T), np.abs(1 - beta) ** 2
    sure = np.abs(sign) > BAND * away * (3 - points[:, 0])
    inside = np.abs(beta) < 1 - BAND
    columns = {
        "a": points[:, 0],
        "b": points[:, 1],
        "radius": radius,
        "outcome": np.where(radius < 1, "converges", "diverges"),
        "decided": inside & sure,
        "agrees": (radius < 1) == (sign > 0),
    }
    return {"plane": Table(columns, caption="β = a + ib, f = xy, γ = 1/10000")}


def edge() -> tuple[Floats, Floats]:
    """The zeros of the criterion: a, and the b ≥ 0 above which it is positive."""
    a = np.linspace(-1, 1, 400)
    u = 1 - a
    return a, np.sqrt(np.maximum(u**2 * (2 - u) / (u + 2), 0))


def phases() -> Mapping[str, Table]:
    """Best spectral radius for each phase of β against the largest adversarial share γ_max."""
    shares = np.random.default_rng(SEED).random(len(STRENGTHS))
    shares[0], shares[-1] = 0.0, 1.0  # a cooperative and a fully adversarial coordinate
    rows = []
    for most in np.linspace(0, 1, 11):
        part = most * shares
        eigenvalues = STRENGTHS * (1 - part) + 1j * STRENGTHS * part
        for label, angle in PHASES.items():
            turn = np.exp(1j * np.pi * angle)
            _, size, gamma = _best(lambda g, s, t=turn, e=eigenvalues: simultaneous(e, g, s * t))
            radius = of_matrix(eigenvalues, gamma, size * turn)
            kernel = _by_kernel(eigenvalues, gamma, size * turn)
            rows.append((most, f"β at {label}", radius, kernel, size, gamma))
        for label, method, calls in (
            ("GDA", "gradient_descent_ascent", 1),
            ("EG, per call", "extragradient", 2),
        ):
            radii = growth(method, STEP_GRID[:, None] * eigenvalues, gamma=1.0).max(axis=1)
            i = int(np.argmin(radii))
            kernel = float(growth(method, eigenvalues, gamma=float(STEP_GRID[i])).max())
            shown = (float(radii[i]) ** (1 / calls), kernel ** (1 / calls))
            rows.append((most, label, *shown, np.nan, float(STEP_GRID[i])))
    names = ("gamma_max", "method", "radius", "kernel", "size", "gamma")
    columns = {n: [row[i] for row in rows] for i, n in enumerate(names)}
    columns["off"] = np.abs(np.array(columns["radius"]) - columns["kernel"])
    gain = -np.log(np.minimum(columns["radius"], 1 - NONE))
    columns["calls"] = np.where(gain > 2 * NONE, 1 / gain, np.inf)
    return {"phases": Table(columns, {}, "Best spectral radius found for a 14-dimensional game")}


def _best(radius) -> tuple[float, float, float]:  # type: ignore[no-untyped-def]
    """Least radius, its |β| and γ: a grid, then random points about the best one.

    The minimum is a kink at the end of a narrow valley, along which finer grids get stuck.
    """
    generator = np.random.default_rng(SEED)
    gamma, size = np.meshgrid(STEPS, SIZES)
    values = radius(gamma, size)
    i = np.unravel_index(np.argmin(values), values.shape)
    least, at, wide = values[i], np.array([size[i], np.log(gamma[i])]), 0.1
    while wide > 1e-9:
        around = at + wide * generator.standard_normal((CLOUD, 2))
        around[:, 0] = np.clip(around[:, 0], 0, 1)
        values = radius(np.exp(around[:, 1]), around[:, 0])
        i = int(np.argmin(values))
        wide *= 0.6 if values[i] > least - 1e-4 * wide else 1.0
        if values[i] < least:
            least, at = values[i], around[i]
    return float(least), float(at[0]), float(np.exp(at[1]))


def _by_kernel(eigenvalues: Complex, gamma: float, beta: complex) -> float:
    """The same radius, by the registered method's own text."""
    values = {"gamma": gamma, "beta_re": beta.real, "beta_im": beta.imag}
    return float(growth("complex_momentum", eigenvalues, **values).max())
