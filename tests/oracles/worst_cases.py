"""Worst cases as a second program states them: PEPit, written by hand for each method."""

from __future__ import annotations

import warnings
from typing import Any


class Peer:
    """A performance estimation problem in PEPit, solved by Clarabel through cvxpy."""

    def __init__(self, *operators: tuple[str, dict[str, float]]) -> None:
        import PEPit
        import PEPit.operators

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.problem = PEPit.PEP()
        found = [
            self.problem.declare_function(getattr(PEPit.operators, kind), **constants)
            for kind, constants in operators
        ]
        self.F = found[0]
        self.A = found[-1]
        total = found[0] if len(found) == 1 else found[0] + found[1]
        self.solution = total.stationary_point()
        self.start = self.problem.set_initial_point()
        self.problem.set_initial_condition((self.start - self.solution) ** 2 <= 1)

    def resolvent(self, z: Any, gamma: float) -> Any:
        from PEPit.primitive_steps import proximal_step

        return proximal_step(z, self.A, gamma)[0]

    def lipschitz(self, L: float) -> None:
        """Between every two points known of F, besides what its class says."""
        points = self.F.list_of_points
        for i, (x, u, _) in enumerate(points):
            for y, v, _ in points[:i]:
                self.problem.add_constraint((u - v) ** 2 <= L**2 * (x - y) ** 2)

    def value(self, measured: Any) -> float:
        self.problem.set_performance_metric(measured)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(self.problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0))


BOTH = ("LipschitzStronglyMonotoneOperatorCheap", {"mu": 0.0, "L": 1.0})
MONOTONE: tuple[str, dict[str, float]] = ("MonotoneOperator", {})


def extragradient(k: int, gamma: float = 0.5) -> float:
    p = Peer(BOTH)
    z = p.start
    for _ in range(k):
        z = z - gamma * p.F.gradient(z - gamma * p.F.gradient(z))
    return p.value(p.F.gradient(z) ** 2)


def cohypomonotone_extragradient(k: int, gamma: float = 0.375) -> float:
    p = Peer(("NegativelyComonotoneOperator", {"rho": 1 / 16}))
    z = p.start
    for _ in range(k):
        z = z - gamma * p.F.gradient(z - gamma * p.F.gradient(z))
    last = p.F.gradient(z) ** 2
    p.lipschitz(1.0)
    return p.value(last)


def past_extragradient(k: int, gamma: float = 1 / 6) -> float:
    p = Peer(BOTH)
    z, F = p.start, 0 * p.start
    for _ in range(k):
        F = p.F.gradient(z - gamma * F)
        z = z - gamma * F
    return p.value(p.F.gradient(z) ** 2)


def eg_plus(k: int, gamma: float = 0.625, alpha: float = 0.3) -> float:
    """Average of ‖F z̄‖², for a Lipschitz operator with a weak Minty solution, ρ = −1/8."""
    p = Peer(("LipschitzOperator", {"L": 1.0}))
    z, total = p.start, 0 * p.start**2
    for _ in range(k + 1):
        F = p.F.gradient(z - gamma * p.F.gradient(z))
        total = total + F**2
        z = z - alpha * gamma * F
    for x, u, _ in p.F.list_of_points:
        p.problem.add_constraint(u * (x - p.solution) >= -1 / 8 * u**2)
    return p.value(total / (k + 1))


def anchored(k: int, gamma: float = 0.125) -> float:
    p = Peer(BOTH)
    z = p.start
    for i in range(k):
        middle = z + (p.start - z) / (i + 2)
        z = middle - gamma * p.F.gradient(middle - gamma * p.F.gradient(z))
    return p.value(p.F.gradient(z) ** 2)


def fast_extragradient(k: int, rho: float = -0.125) -> float:
    p = Peer(("NegativelyComonotoneOperator", {"rho": -rho}))
    z = p.start
    for i in range(k):
        beta = 1 / (i + 1)
        F = p.F.gradient(z)
        middle = z + beta * (p.start - z)
        half = p.F.gradient(middle - (1 - beta) * (1 + 2 * rho) * F)
        z = middle - half - (1 - beta) * 2 * rho * F
    last = p.F.gradient(z) ** 2
    p.lipschitz(1.0)
    return p.value(last)


def halpern(k: int) -> float:
    """T = I − F nonexpansive means F/2 firmly so: F is 1/2-cocoercive."""
    p = Peer(("CocoerciveOperator", {"beta": 0.5}))
    z = p.start
    for i in range(k):
        beta = 1 / (i + 2)
        z = beta * p.start + (1 - beta) * (z - p.F.gradient(z))
    return p.value(p.F.gradient(z) ** 2)


def averaged(k: int, a: float = 0.75) -> float:
    p = Peer(("CocoerciveOperator", {"beta": 0.5}))
    z = p.start
    for _ in range(k):
        z = z - a * p.F.gradient(z)
    return p.value(p.F.gradient(z) ** 2)


def proximal_point(k: int, gamma: float = 0.5) -> float:
    p = Peer(MONOTONE)
    z = p.start
    before = z
    for _ in range(k + 1):
        before, z = z, p.resolvent(z, gamma)
    return p.value((z - before) ** 2)


def cohypomonotone_proximal_point(k: int, gamma: float = 0.625) -> float:
    p = Peer(("NegativelyComonotoneOperator", {"rho": 1 / 8}))
    z = p.start
    before = z
    for _ in range(k + 1):
        before, z = z, p.resolvent(z, gamma)
    return p.value((z - before) ** 2)


def projected_descent_ascent(_: int, gamma: float = 0.5) -> float:
    p = Peer(("LipschitzStronglyMonotoneOperatorCheap", {"mu": 0.5, "L": 1.0}), MONOTONE)
    return p.value((p.resolvent(p.start - gamma * p.F.gradient(p.start), gamma) - p.solution) ** 2)


def ceg_plus(k: int, gamma: float = 0.625, alpha: float = 0.3) -> float:
    """Average of ‖g‖²/γ² for F + A with A monotone and a weak Minty solution, ρ = −1/8."""
    p = Peer(("LipschitzOperator", {"L": 1.0}), MONOTONE)
    z, total, sums = p.start, 0 * p.start**2, []
    for _ in range(k + 1):
        F = p.F.gradient(z)
        zbar = p.resolvent(z - gamma * F, gamma)
        a = (z - gamma * F - zbar) / gamma
        v = p.F.gradient(zbar) + a
        sums.append((zbar, v))
        total = total + v**2
        z = z - alpha * gamma * v
    for x, v in sums:
        p.problem.add_constraint(v * (x - p.solution) >= -1 / 8 * v**2)
    return p.value(total / (k + 1))
