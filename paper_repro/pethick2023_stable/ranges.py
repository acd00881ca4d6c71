"""For which ρ, γ and λ does LA-GDA with loops of two gradient steps converge: T11 as a map.

Two certificates give a range of λ: ``plain``, one multiplier on each weak Minty inequality, and
``sharp``, the exact one for one step. Beside them stands what linear operators refute: on z ↦ μz
in ℂ with 1/μ = ρ + is, |μ| ≤ L, which are weakly Minty with ρ, a loop is multiplication by
1 − λw, w = γμ(2 − γμ), and contracts exactly if λ < 2 Re w/|w|².
"""

from __future__ import annotations

import numpy as np

import opcheck
from opcheck.plugin import Check, Panel, PaperFigure

LA_GDA = "lookahead(gradient_descent_ascent)"
RHOS = np.linspace(-0.5, 0.1, 61)  # ρL
STEPS = np.linspace(0.02, 1, 50)  # γL
WEIGHTS = np.linspace(0.01, 0.6, 60)  # λ
BEST = 2 - 2**0.5  # γL at which the sharp range of ρ is widest
FURTHEST = {"plain": -1 / (3 * 3**0.5), "sharp": -(2**0.5 - 1) / 2}  # ρL that each reaches


ORDER = ("proved, plain", "proved, sharp", "open", "fails")


def plain(rho, step):
    """The largest λ of the first certificate; rows of ρL and γL."""
    return np.minimum((1 + 2 * rho / step - step**2) / (2 - step**2), 1)


def sharp(rho, step):
    """The largest λ of the second, for ρ ≤ 0."""
    return (2 * (1 - step) + 2 * rho / step * (1 + (1 - step) ** 2)) / (2 - step) ** 2


def _loop(mu, step):
    """w of a loop 1 − λw, in units of L."""
    return step * mu * (2 - step * mu)


def refuted_above(rho: float, step: float) -> float:
    """λ from which on some linear operator does not contract; 0 where for every λ."""
    least = np.sqrt(max(0.0, 1 - rho**2))  # |μ| ≤ L
    s = np.concatenate([np.linspace(least, least + 2, 200), np.geomspace(least + 2, 1e4, 100)])
    w = _loop(1 / (rho + 1j * s), step)
    limit = (1 + 2 * rho / step) / 2  # as s → ∞
    return float(max(0.0, min(np.min(2 * w.real / np.abs(w) ** 2), limit)))


def _outcome(rho: float, step: float, weight: float) -> str:
    """What is known of ρ, γ and λ; of λ → 0 where it is 0."""
    if rho <= 0 and weight < sharp(rho, step):
        return "proved, plain" if weight < plain(rho, step) else "proved, sharp"
    if rho > 0 and weight < plain(rho, step):
        return "proved, plain"
    return "open" if weight < refuted_above(rho, step) else "fails"


def _agreement() -> float:
    """How far the kernel's loop is from 1 − λw, over random operators."""
    generator = np.random.default_rng(0)
    furthest = 0.0
    for _ in range(40):
        rho, step = generator.uniform(-0.5, 0.1), generator.uniform(0.1, 1)
        weight, s = generator.uniform(0.05, 1), generator.uniform(1, 5)
        mu = 1 / (rho + 1j * s)
        game = opcheck.linear(np.array([[mu.real, -mu.imag], [mu.imag, mu.real]]))
        loop = opcheck.run(LA_GDA, game, 2, start=(1.0, 0.0), gamma=step, lam=weight, tau=2)
        by_law = 1 - weight * _loop(mu, step)
        furthest = max(furthest, abs(complex(*loop.z) - by_law))
    return furthest


def ranges() -> dict[str, opcheck.Table]:
    """Outcomes over (ρL, γL) for λ → 0, and over (ρL, λ) at the best γ; the law of the kernel."""
    small = [(r, s, _outcome(r, s, 0.0)) for r in RHOS.tolist() for s in STEPS.tolist()]
    best = [(r, w, _outcome(r, BEST, w)) for r in RHOS.tolist() for w in WEIGHTS.tolist()]
    edges = [(r, s, plain(r, s), sharp(r, s), refuted_above(r, s)) for r, s, _ in small]

    def table(names: str, rows, caption: str) -> opcheck.Table:
        columns = dict(zip(names.split(), zip(*rows, strict=True), strict=True))
        units = {n: u for n, u in (("rho", "1/L"), ("gamma", "1/L")) if n in columns}
        return opcheck.Table(columns, units=units, caption=caption)

    return {
        "steps": table("rho gamma outcome", small, "What is known of small λ."),
        "weights": table("rho lam outcome", best, "What is known at γL = 2 − √2."),
        "edges": table("rho gamma plain sharp refuted", edges, "Ends of the ranges of λ."),
        "law": opcheck.Table(
            {"difference": [_agreement()]}, caption="Of the kernel's loop from 1 − λw."
        ),
    }


def _furthest(certificate: str):
    """The smallest ρL at which a certificate admits some λ, on the map."""

    def reach(parts) -> float:
        edges = parts["edges"]
        return float(edges["rho"][edges[certificate] > 0].min())

    return reach


def _beyond(parts) -> float:
    """By how much a certified λ exceeds one that an operator refutes, at most."""
    edges = parts["edges"]
    below = edges["rho"] <= 0
    certified = np.maximum(np.where(below, edges["sharp"], 0), edges["plain"])
    return float(np.max(certified - edges["refuted"])) if len(edges) else np.nan


CELL = float(RHOS[1] - RHOS[0])
REACH = {
    name: Check(
        f"the {name} certificate reaches ρL = {end:.5f} on the map, to one cell of {CELL:g}",
        _furthest(name),
        end,
        end + CELL,
    )
    for name, end in FURTHEST.items()
}

la_gda_ranges = PaperFigure(
    id="la_gda_ranges",
    title="LA-GDA with loops of two steps: (a) small λ, (b) γL = 2 − √2",
    caption="Where λ is proved by the plain and by the sharp certificate, where some linear "
    "operator with that ρ does not contract, and what is open between.",
    note="The paper's range is ρ > −1/(3√3 L) (as recalled, not read in the text at hand), that of "
    "the plain certificate; the sharp one reaches ρ > −(√2 − 1)/(2L).",
    experiment=ranges,
    panels=(
        Panel("region", {"x": "rho", "y": "gamma", "order": ORDER}, of="steps"),
        Panel("region", {"x": "rho", "y": "lam", "order": ORDER}, of="weights"),
    ),
    checks=(
        *REACH.values(),
        Check("no certified λ is refuted by a linear operator (excess)", _beyond, high=1e-9),
        Check(
            "the kernel's loop is multiplication by 1 − λw (largest difference)",
            lambda parts: float(parts["law"]["difference"].max()),
            high=1e-13,
        ),
    ),
)
