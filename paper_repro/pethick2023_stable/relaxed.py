"""RAPP on operators where its theorems apply: the loop, the relaxation, noise, sets, the range.

The parameters are ours: the paper has no such figures.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import opcheck
from opcheck.plugin import (
    Check,
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    diverges,
    ends_within,
)

APP = "approximate_proximal_point"
LAST = "pethick2023_rapp_last"
RESOLVENT = ("resolvent_residual",)
SLOW = {"gamma": 0.9, "lam": 1.0}  # beside ρ = 0: β = 1, so λ = β
STEPS = 400
# τ_K of Corollary 6.4, with our constants, for K = 400, κ = 1/2 and λ = β
LONG = int(np.ceil(np.log(np.sqrt(STEPS + 0.5) / 0.5) / np.log(1 / 0.9)))


def _rapp(tau: int, theorem: str = "") -> PaperRun:
    return PaperRun("rapp", STEPS, {**SLOW, "tau": tau}, theorem=theorem, measures=RESOLVENT)


fixed_loop = PaperFigure(
    id="fixed_loop",
    title=f"RAPP with τ fixed, and τ = {LONG} of order log K: bilinear game, γ = 0.9/L, λ = 1",
    caption=f"With λ = β the iterate of K = {STEPS} steps obeys its bound for τ of order log K. "
    "Of shorter loops some leave (τ = 1 and 5), and one, τ = 2, which is EG+, needs fewer calls "
    "than the theorem pays for.",
    note="Corollary 6.4 with our constants. Whether τ = 2 has a last-iterate rate is left open by "
    "the paper.",
    experiment=Runs(
        "bilinear",
        {
            "RAPP (1)": _rapp(1),
            "RAPP (2)": _rapp(2),
            "RAPP (5)": _rapp(5),
            f"RAPP ({LONG})": _rapp(LONG, LAST),
        },
        start=(1.0, 1.0),
    ),
    panels=(
        Panel("rate", {"measure": RESOLVENT[0], "title": ""}),
        Panel("rate", {"measure": RESOLVENT[0], "against": "oracle calls", "title": ""}),
    ),
    checks=(
        diverges("RAPP (1)", 1e10),
        ends_within("RAPP (2)", 1e-3, last=1),
        diverges("RAPP (5)", 1e10),
        ends_within(f"RAPP ({LONG})", 1e-3, last=1),
    ),
)

CONIC = ends_within("RAPP λ = β", 1e-4, last=1)
conic = PaperFigure(
    id="conic_range",
    title="Beyond −1/(2L): tight_linear with ρ = −0.7/L, γ = 0.95/L",
    caption="β = 1 + ρ/γ = 0.26. RAPP with λ = β converges, with λ just above 2β it leaves, and so "
    "do the approximate proximal point and extragradient.",
    note="The range −1/L < ρ ≤ −1/(2L) of the paper's footnote, by conic nonexpansiveness: λ < 2β.",
    experiment=Runs(
        "tight_linear",
        {
            "RAPP λ = β": PaperRun(
                "rapp",
                200,
                {"gamma": 0.95, "lam": 1 - 0.7 / 0.95, "tau": 200},
                theorem=LAST,
                measures=RESOLVENT,
            ),
            "RAPP λ > 2β": PaperRun(
                "rapp",
                200,
                {"gamma": 0.95, "lam": 2.2 * (1 - 0.7 / 0.95), "tau": 200},
                measures=RESOLVENT,
            ),
            "APP": PaperRun(APP, 200, {"gamma": 0.95, "tau": 200}, measures=RESOLVENT),
            "EG": PaperRun("extragradient", 400, {"gamma": 0.95}, measures=RESOLVENT),
        },
        start=(1.0, 1.0),
        parameters={"L": 1.0, "c": 0.7},
    ),
    panels=(Panel("rate", {"measure": RESOLVENT[0], "against": "oracle calls", "title": ""}),),
    checks=(
        CONIC,
        diverges("RAPP λ > 2β", 10.0),
        diverges("APP", 1e6),
        diverges("EG", 1e6),
    ),
)

quadratic_game = PaperFigure(
    id="constrained",
    title="A bilinear game on a box: min max (x − 1/2)(y − 1/2), |x|, |y| ≤ 1, γ = 0.9/L",
    caption="Projected gradient steps cycle along the boundary; RAPP, and Lookahead over CEG+, "
    "arrive. The measure is the natural residual.",
    note="S = F + N of the box is monotone, so Corollary 6.4 covers RAPP with τ of order log K.",
    experiment=Runs(
        "bilinear_box",
        {
            "GDA": PaperRun("gradient_descent_ascent", 3000, {"gamma": 0.9}),
            "RAPP": PaperRun("rapp", 200, {"gamma": 0.9, "lam": 0.5, "tau": 15}),
            "LA-CEG+": PaperRun(
                "lookahead(ceg_plus)",
                1500,
                {"gamma": 0.9, "alpha": 0.5, "lam": 0.5, "tau": 5},
                every=5,
                theorem="pethick2023_la_ceg_plus",
            ),
        },
        start=(1.0, 1.0),
        parameters={"L": 1.0, "off": 0.5},
    ),
    panels=(
        Panel("plane", {"title": ""}),
        Panel("rate", {"against": "oracle calls", "floor": 1e-16, "title": ""}),
    ),
    checks=(
        diverges("GDA", 0.1),
        ends_within("RAPP", 1e-6, last=10),
        ends_within("LA-CEG+", 1e-6, last=10),
    ),
)

BATCHES = (1, 16, 256)
SEEDS = 8
NOISE = 0.5  # standard deviation of one sample


def batches() -> dict[str, list]:
    """RAPP on samples of tight_linear: each run averages so many samples at every call."""
    exact = opcheck.problem("tight_linear", L=1.0, c=0.3)
    parts = {}
    for batch in BATCHES:
        noisy = replace(exact, oracle=opcheck.gaussian(exact.operator, NOISE / batch**0.5))
        parts[f"batch {batch}"] = [
            opcheck.run("rapp", noisy, 300, gamma=0.9, lam=0.6, tau=8, seed=seed)
            for seed in range(SEEDS)
        ]
    parts["exact"] = [opcheck.run("rapp", exact, 300, gamma=0.9, lam=0.6, tau=8, start=exact.start)]
    return parts


def _floor(label: str, parts) -> float:
    """Median over seeds of the mean residual over the last hundred steps."""
    return float(np.median([t["residual"][-100:].mean() for t in parts[label]]))


stochastic = PaperFigure(
    id="growing_batches",
    title="RAPP on samples: tight_linear, ρ = −0.3/L, γ = 0.9/L, λ = 0.6, τ = 8",
    caption=f"With samples of variance {NOISE**2:g}/batch the residual stops at a floor that falls "
    f"in proportion to the batch. Bands over {SEEDS} seeds.",
    note="For O(1/K) the paper's condition on the variance asks for batches that grow with K; the "
    "bound in expectation is a claim that waits.",
    experiment=batches,
    panels=(Panel("rate", {"title": ""}),),
    checks=(
        Check(
            "batch 16 stops lower than batch 1 by its size (ratio of floors · 16)",
            lambda parts: _floor("batch 16", parts) / _floor("batch 1", parts) * 16,
            0.5,
            2,
        ),
        Check(
            "batch 256 stops lower than batch 16 by as much (ratio of floors · 16)",
            lambda parts: _floor("batch 256", parts) / _floor("batch 16", parts) * 16,
            0.5,
            2,
        ),
        Check(
            "exact calls have no floor (their residual at the end)",
            lambda parts: float(parts["exact"][0]["residual"][-1]),
            high=1e-12,
        ),
    ),
)

CALLS = 6000
ARRIVED = "within 1e-3"
LAMS = tuple(round(0.1 * i, 1) for i in range(1, 11))
TAUS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20)


def settings() -> dict[str, opcheck.Table]:
    """Where RAPP ends on the polar game after so many oracle calls, for each λ and τ."""
    game = opcheck.problem("polar_game", a=1 / 3)
    rows = []
    for tau in TAUS:
        for lam in LAMS:
            steps = CALLS // tau
            end = opcheck.run("rapp", game, steps, record=[steps], gamma=0.15, lam=lam, tau=tau,
                      start=(1.0, 1.0))  # fmt: skip
            distance = float(np.linalg.norm(end.z))
            rows.append((tau, lam, distance, ARRIVED if distance < 1e-3 else "has not arrived"))
    taus, lams, distances, outcomes = zip(*rows, strict=True)
    return {
        "settings": opcheck.Table(
            {"tau": taus, "lam": lams, "distance": distances, "outcome": outcomes},
            caption=f"Distance of RAPP to the solution of the polar game after {CALLS} calls.",
        )
    }


def _outcome(parts, **where) -> float:
    """The share of settings that arrive."""
    return float(np.mean(parts["settings"].where(**where)["outcome"] == ARRIVED))


lam_and_tau = PaperFigure(
    id="lam_and_tau",
    title="RAPP on the polar game, γ = 0.15 = 0.95/L: which λ and τ arrive",
    caption=f"After {CALLS} oracle calls from (1, 1). The top row, λ = 1, is the approximate "
    "proximal point; the column τ = 2 is EG+ with projections. Where λ is small and τ large the "
    "calls do not suffice.",
    note="No last-iterate theorem covers this problem (it is not comonotone with ρ > −1/L).",
    experiment=settings,
    panels=(
        Panel(
            "region", {"x": "tau", "y": "lam", "order": (ARRIVED, "has not arrived")}, of="settings"
        ),
    ),
    checks=(
        Check("τ = 1, relaxed gradient steps, never arrives", lambda p: _outcome(p, tau=1), high=0),
        Check("τ ≥ 5 arrives at λ = 1/2", lambda p: _outcome(p, tau=5, lam=0.5), low=1),
    ),
)
