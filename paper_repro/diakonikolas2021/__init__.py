"""Diakonikolas, Daskalakis, Jordan (2021): EG+ for weak Minty problems.

Their ρ is −2ρ here, and their a/β, β are γ, α.
"""

import numpy as np

from opcheck.plugin import (
    Check,
    Claim,
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    column,
    ends_within,
    keeps_away,
    paper,
)
from opcheck_paper_repro.diakonikolas2021.experiment import rotations

ARRIVES = ends_within("EG+", 1e-6, last=100)
CYCLES = keeps_away("GDA", 0.04)
STALLS = keeps_away("EG+, γ = 1/L", 1.0, last=50)
ATTAINED = column(
    "rotations",
    "off",
    np.max,
    sentence="largest |Σ‖F z̄_k‖²/bound − 1| on rotations, ρL > −0.245",
    high=1e-6,
)
LIMIT = Check(
    "smallest ρL of the grid at which EG+ with weight 1/2 contracts",
    lambda tables: float(
        tables["rotations"]["rhoL"][tables["rotations"]["factor"] < 1 - 1e-12].min()
    ),
    low=-0.245,
    high=-0.235,
)

ratio_game = PaperFigure(
    id="ratio_game",
    title="A ratio game, γ = 0.1",
    caption="Projected gradient steps end on a small cycle that touches the boundary; EG+ with "
    "weight 1/2 converges to the interior zero.",
    note="min max xᵀRy/xᵀSy with the paper's R and S; γ and start are ours. L is 7.97 on the box "
    "and ρL = −0.127, just below −1/8, above −1/4. L is local, so no theorem covers the runs.",
    experiment=Runs(
        "ratio_game",
        {
            "GDA": PaperRun("gradient_descent_ascent", 4000, {"gamma": 0.1}),
            "EG+": PaperRun("ceg_plus", 2000, {"gamma": 0.1, "alpha": 0.5}),
        },
        parameters={"kind": "exotic"},
    ),
    panels=(
        Panel("plane", {"title": ""}),
        Panel("rate", {"against": "oracle calls", "title": "", "floor": 1e-16}),
    ),
    checks=(CYCLES, ARRIVES),
)

stall = PaperFigure(
    id="stall",
    title="F = L·I: where the residual is read",
    caption="With γ = 1/L the look-ahead point is the zero at once, and z never moves; with "
    "γ = 0.9/L it converges.",
    note="Σ‖F z̄‖² is bounded by diakonikolas2021_eg_plus_lookahead for γ = 1/L, Σ‖F z‖² by "
    "diakonikolas2021_eg_plus_base for γ < 1/L only.",
    experiment=Runs(
        "tight_linear",
        {
            "EG+, γ = 1/L": PaperRun(
                "eg_plus",
                60,
                {"gamma": 1.0, "alpha": 0.5},
                theorem="diakonikolas2021_eg_plus_lookahead",
            ),
            "EG+, γ = 0.9/L": PaperRun(
                "eg_plus",
                60,
                {"gamma": 0.9, "alpha": 0.5},
                theorem="diakonikolas2021_eg_plus_base",
            ),
        },
        parameters={"c": -1.0},
    ),
    panels=(Panel("rate", {"horizontal": "linear", "title": "", "measure": "residual"}),),
    checks=(STALLS, ends_within("EG+, γ = 0.9/L", 0.1, last=2)),
)

totals = PaperFigure(
    id="totals",
    title="EG+ with γ = 1/L, α = 1/2 on rotations",
    caption="(a) The factor of ‖z‖² in a step passes 1 at ρL = −1/4. (b) The total residual lies "
    "on its bound 1/(α(1 + 2ρL − α)).",
    note="The paper's range is ρ > −1/(8L).",
    experiment=rotations,
    panels=(
        Panel("lines", {"x": "rhoL", "y": "factor", "bounds": {"1": np.ones_like}}),
        Panel(
            "lines",
            {
                "x": "rhoL",
                "y": "total",
                "bounds": {"bound": "bound"},
                "vertical": "log",
                "ylabel": r"$\sum_k\Vert F\bar z_k\Vert^2$ ($L^2R^2$)",
            },
        ),
    ),
    checks=(ATTAINED, LIMIT),
)

paper(
    "diakonikolas2021",
    source="diakonikolas2021efficient",
    figures=(ratio_game, stall, totals),
    claims=(
        Claim(
            "Theorem 3.2",
            "EG+ with γ = 1/L, α = 1/2, ρ > −1/(8L): the best ‖F z̄_k‖² is O(1/k); here the "
            "average, ≤ R²/(αγ²(1 + 2ρ/γ − α)(k + 1))",
            theorem="diakonikolas2021_eg_plus_lookahead",
        ),
        Claim(
            "Theorem 3.2, constant",
            "the constant of the average can't be improved",
            check=ATTAINED,
            figure="totals",
        ),
        Claim(
            "range of ρ",
            "weight 1/2 is stated for ρ > −1/(8L); it works exactly for ρ > −1/(4L)",
            check=LIMIT,
            figure="totals",
        ),
        Claim(
            "residual at z",
            "for γ < 1/L also the average ‖F z_k‖² is O(1/k)",
            theorem="diakonikolas2021_eg_plus_base",
        ),
        Claim(
            "where it is read",
            "at γ = 1/L the bound is about z̄: on F = L·I z never moves",
            check=STALLS,
            figure="stall",
        ),
        Claim(
            "ratio game",
            "EG+ converges in a ratio game without a Minty solution",
            check=ARRIVES,
            figure="ratio_game",
        ),
        Claim("ratio game, GDA", "GDA cycles there", check=CYCLES, figure="ratio_game"),
        Claim(
            "ℓ_p norms",
            "a generalised EG+ for ℓ_p norms has a rate that depends on p",
            waiting="norms beside the Euclidean",
        ),
        Claim(
            "stochastic EG+",
            "with noise of bounded variance the expected residual falls to its order",
            waiting="statements about expectations",
        ),
    ),
    doc="Read: the abstract and the introduction; R and S of the ratio game in public code. "
    "Remembered: the numbers and the range of Theorem 3.2.",
)
