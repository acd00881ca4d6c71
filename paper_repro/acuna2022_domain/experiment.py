"""Largest stable steps of Runge–Kutta methods on F z = λz, λ = a + ib."""

from __future__ import annotations

from collections.abc import Mapping
from math import factorial

import numpy as np
from numpy.typing import NDArray

from opcheck import Problem, Table, linear
from opcheck.plugin import growth

Floats = NDArray[np.float64]
METHODS = {
    "Euler": ("gradient_descent_ascent", 1),
    "RK2": ("runge_kutta_2", 2),
    "RK4": ("runge_kutta_4", 4),
}
EXAMPLES = (0.1 + 1j, 0.5 + 2j, 1 + 0.5j)
HALVINGS = 50
Complex = NDArray[np.complex128]
STEPS = np.linspace(5e-4, 1.5, 3000)  # of the three-player game
RATIOS = np.geomspace(0.5, 50, 41)  # b/a
# J₁ = ℓ, J₂ = ℓ + λd, J₃ = −d with ℓ = (w₁ − w₂)²/2 + (w₁² + w₂²)/20, d = bw₂w₃ − cw₃²/2
GAME = {"b": 3.0, "c": 0.1, "lam": 1.0, "decay": 0.1}


def polynomial(order: int) -> Floats:
    """P of a step z ↦ P(ηλ)z, from the constant term up: the first terms of exp(−x)."""
    return np.array([(-1.0) ** j / factorial(j) for j in range(order + 1)])


def exact(eigenvalue: complex, order: int) -> float:
    """The least η > 0 with |P(ηλ)| = 1, by the roots of a polynomial in η; 0 where none is stable.

    |P(ηλ)|² − 1 = η q(η) has its first positive root where stability ends.
    """
    weights = polynomial(order) * eigenvalue ** np.arange(order + 1)
    powers = np.convolve(weights, weights.conj()).real[1:]  # of |P|² − 1, from η¹ up
    powers[np.abs(powers) < 1e-13 * np.abs(powers).max()] = 0  # as η¹ on the imaginary axis
    if powers[np.flatnonzero(powers)[0]] > 0:
        return 0.0
    roots = np.roots(powers[::-1])
    real = roots[np.abs(roots.imag) < 1e-7 * np.abs(roots)].real
    return float(real[real > 0].min())


def bisected(eigenvalues: Complex, method: str, near: Floats) -> Floats:
    """Where the registered method's own factor crosses 1 between 1/2 and 3/2 of ``near``."""
    low, high = 0.5 * near, 1.5 * near
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        inside = growth(method, middle * eigenvalues, gamma=1.0) < 1
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low


def modified(eigenvalue: complex) -> float:
    """The end of stability of ż = −λz − (η/2)λ²z: 2a/(b² − a²), ∞ for |b| ≤ a."""
    a, b = eigenvalue.real, eigenvalue.imag
    return 2 * a / (b * b - a * a) if abs(b) > a else np.inf


def examples() -> Mapping[str, Table]:
    """The largest stable steps at three eigenvalues."""
    rows = _ends(np.array(EXAMPLES))
    names = ("eigenvalue", "method", "exact", "kernel", "modified")
    rows = [(f"{v.real:g} + {v.imag:g}i", *rest) for v, *rest in rows]
    return {"examples": _table(names, rows, "Largest stable step")}


def ratios() -> Mapping[str, Table]:
    """The same for a = 1 against b/a."""
    rows = [(v.imag, *rest) for v, *rest in _ends(1 + 1j * RATIOS)]
    names = ("ratio", "method", "exact", "kernel", "modified")
    return {"ratios": _table(names, rows, "Largest stable step, a = 1")}


def _ends(eigenvalues: Complex) -> list:  # type: ignore[type-arg]
    rows = []
    for label, (method, order) in METHODS.items():
        ends = np.array([exact(v, order) for v in eigenvalues])
        kernel = bisected(eigenvalues, method, ends)
        for v, end, own in zip(eigenvalues.tolist(), ends, kernel, strict=True):
            rows.append((v, label, end, own, modified(v) if order == 1 else np.inf))
    return rows


def axis() -> Mapping[str, Table]:
    """|P(iy)|² of the registered kernels on the imaginary axis, less 1."""
    y = np.linspace(0.02, 3.0, 150)
    rows = []
    for label, (method, _) in METHODS.items():
        excess = growth(method, 1j * y, gamma=1.0) ** 2 - 1
        rows += [(float(t), label, float(e)) for t, e in zip(y, excess, strict=True)]
    return {"axis": _table(("y", "method", "excess"), rows, "On the imaginary axis")}


def game() -> Floats:
    """Slopes of the field of the three players."""
    b, c, lam, decay = GAME["b"], GAME["c"], GAME["lam"], GAME["decay"]
    return np.array([[1 + decay, -1, 0], [-1, 1 + decay, lam * b], [0, -b, c]])


def three_players() -> Problem:
    """F of the three players, zero at 0."""
    return Problem(linear(game()), solution=np.zeros(3))


def players() -> Mapping[str, Table]:
    """Eigenvalues of the three-player game, and each method's end and best step."""
    values = np.linalg.eigvals(game())
    rows = []
    for label, (method, calls) in {**METHODS, "EG": ("extragradient", 2)}.items():
        factors = growth(method, STEPS[:, None] * values, gamma=1.0).max(axis=1)
        best = int(np.argmin(factors))
        end = float(STEPS[np.flatnonzero(factors >= 1)[0]])
        rows.append((label, end, float(STEPS[best]), calls / -np.log(factors[best])))
    return {
        "spectrum": Table({"re": values.real, "im": values.imag}, {}, "Eigenvalues of the game"),
        "players": _table(("method", "end", "best", "calls"), rows, "Three-player game"),
    }


def turning(a: float, b: float) -> Problem:
    """F z = λz on the plane, λ = a + ib."""
    return Problem(linear([[a, b], [-b, a]]), solution=np.zeros(2))


def _table(names: tuple[str, ...], rows: list, caption: str) -> Table:  # type: ignore[type-arg]
    return Table({n: [row[i] for row in rows] for i, n in enumerate(names)}, {}, caption)
