"""Alacaoglu, Kim, Wright (2024): inexact Halpern and KM iterations down to ρ = −1/L.

Their ρ is −ρ here.
"""

from collections.abc import Mapping

import numpy as np

from opcheck import Table
from opcheck.plugin import (
    Check,
    Claim,
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    column,
    diverges,
    ends_within,
    paper,
)
from opcheck_paper_repro.alacaoglu2024.experiment import GAMMA, KAPPA, RHO, inexact, weights

STEPS = 400
STEP = 0.95  # γL of the runs at ρL = −0.9
WEIGHT = 2 * (STEP - 0.9) / STEP
HALPERN_ARRIVES = ends_within("Halpern", 0.05, last=5)
FEG_LEAVES = diverges("FEG", 1e3)
BOUNDED = column(
    "inexact",
    "scaled",
    np.max,
    sentence="inexact Halpern: largest (k + 1)‖z − Jz‖/(2aR), k ≤ 1000, ρL ≥ −0.9",
    low=1,
    high=float(np.exp(2 * KAPPA)),
)
CONES = Check(
    "cells in which relaxed proximal point steps converge for λ ≥ 2(1 + ρ/γ) or diverge below",
    lambda tables: float(
        ((tables["weights"]["outcome"] == "converges") != tables["weights"]["inside"]).sum()
    ),
    high=0,
)


def order(rho: float) -> Check:
    """The slope of the residual's norm in calls."""

    def fitted(tables: Mapping[str, Table]) -> float:
        table = tables["inexact"].where(rhoL=rho)
        late = table["k"] >= 100
        return float(
            np.polyfit(np.log(table["calls"][late]), np.log(table["later"][late]) / 2, 1)[0]
        )

    return Check(
        f"inexact Halpern at ρL = {rho}: slope of ‖z − Jz‖ in calls", fitted, low=-1.1, high=-0.7
    )


ORDER = order(-0.9)

RESIDUALS = ("resolvent_residual", "distance")

halpern = PaperFigure(
    id="halpern",
    title="L = 1, ρ = −0.9, γ = 0.95",
    caption="Halpern's iteration of the relaxed resolvent and relaxed proximal point steps (KM), "
    "each below its bound.",
    note="Resolvents are exact here.",
    experiment=Runs(
        "tight_linear",
        {
            "Halpern": PaperRun(
                "anchored_proximal_point",
                STEPS,
                {
                    "gamma": STEP,
                    "lam": WEIGHT,
                    "beta": [1 / (k + 2) for k in range(STEPS + 1)],
                },
                theorem="alacaoglu2024_conic_halpern",
                measures=RESIDUALS,
            ),
            "KM": PaperRun(
                "relaxed_proximal_point",
                STEPS,
                {"gamma": STEP, "lam": WEIGHT / 2},
                theorem="pethick2023_relaxed_last",
                measures=RESIDUALS,
            ),
        },
        start=(1.0, 0.0),
        parameters={"c": 0.9},
    ),
    panels=(
        Panel("plane", {"title": ""}),
        Panel("rate", {"title": "", "measure": "resolvent_residual"}),
    ),
    checks=(HALPERN_ARRIVES, ends_within("KM", 0.2, last=5)),
)

single_loops = PaperFigure(
    id="single_loops",
    title="L = 1, ρ = −0.9: single loops",
    caption="FEG and EG+ leave.",
    note="FEG is run with ρ = −0.49, the edge of its range.",
    experiment=Runs(
        "tight_linear",
        {
            "FEG": PaperRun("feg", STEPS, {"gamma": 1.0, "rho": -0.49}),
            "EG+": PaperRun("eg_plus", STEPS, {"gamma": 1.0, "alpha": 0.01}),
        },
        start=(1.0, 0.0),
        parameters={"c": 0.9},
    ),
    panels=(Panel("rate", {"title": ""}),),
    checks=(FEG_LEAVES, diverges("EG+", 100.0)),
)

inner_loops = PaperFigure(
    id="inexact",
    title="Halpern's iteration with an inner loop of O(log k) calls",
    caption="(a) The largest (k + 1)‖z_k − Jz_k‖/(2aR) so far stays below e, that is e^{2κ} for "
    "κ = 1/2. (b) The largest squared residual from k on, against calls of F.",
    note="γ half-way from −ρ to 1/L; the bound 2a e^{2κ}R/(k + 1) is derived here.",
    experiment=inexact,
    panels=(
        Panel(
            "lines",
            {
                "x": "k",
                "y": "peak",
                "by": "rhoL",
                "bounds": {"e": lambda k: np.full_like(k, np.exp(2 * KAPPA))},
                "ylabel": r"$(k+1)\Vert z_k - Jz_k\Vert/(2aR)$",
            },
        ),
        Panel(
            "lines",
            {
                "x": "calls",
                "y": "later",
                "by": "rhoL",
                "horizontal": "log",
                "vertical": "log",
                "ylabel": r"$\Vert z_k - Jz_k\Vert^2$ ($R^2$)",
            },
        ),
    ),
    checks=(BOUNDED, *[order(rho) for rho in RHO]),
)

cones = PaperFigure(
    id="weights",
    title="Relaxed proximal point steps, γ = 0.99/L",
    caption="Where they contract on L·I and on L times the rotation with cos θ = ρL, and the "
    "weights λ < 2(1 + ρ/γ) of conic nonexpansiveness.",
    note="For ρ ≤ −γ no weight is left.",
    experiment=weights,
    panels=(
        Panel(
            "region",
            {
                "x": "rhoL",
                "y": "lam",
                "boundary": {"λ = 2(1 + ρ/γ)": lambda rho: 2 * (1 + rho / GAMMA)},
            },
        ),
    ),
    checks=(CONES,),
)

paper(
    "alacaoglu2024",
    source="alacaoglu2024revisiting",
    figures=(halpern, single_loops, inner_loops, cones),
    claims=(
        Claim(
            "cohypomonotone, exact",
            "Halpern's iteration of the nonexpansive part of J, ρ > −1/L: ‖z − Jz‖ = O(1/k)",
            theorem="alacaoglu2024_conic_halpern",
        ),
        Claim(
            "cohypomonotone, inexact",
            "with O(log k) calls a step the same rate holds",
            check=BOUNDED,
            figure="inexact",
        ),
        Claim(
            "complexity",
            "so Õ(1/ε) calls reach a residual ε",
            check=ORDER,
            figure="inexact",
        ),
        Claim(
            "weak Minty",
            "inexact KM, ρ > −1/L: the average squared residual is O(1/k) up to the errors",
            theorem="pethick2023_ikm_average",
        ),
        Claim(
            "range",
            "at ρ = −0.9/L Halpern's iteration converges",
            check=HALPERN_ARRIVES,
            figure="halpern",
        ),
        Claim(
            "range of single loops",
            "FEG, at the edge of its range ρ > −1/(2L), does not",
            check=FEG_LEAVES,
            figure="single_loops",
        ),
        Claim(
            "conic nonexpansiveness",
            "J is γ/(2(γ + ρ))-conically nonexpansive, and no better",
            check=CONES,
            figure="weights",
        ),
        Claim(
            "stochastic",
            "with noise Õ(1/ε⁴) samples, by multilevel Monte Carlo under weak Minty",
            waiting="statements about expectations",
        ),
    ),
    doc="Read: the abstract and summaries of the results. The paper has no experiments known here; "
    "constants are derived.",
)
