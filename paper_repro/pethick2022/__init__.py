"""Pethick, Latafat, Patrinos, Fercoq, Cevher (2022): EG+ with constraints, and out of limit cycles.

Problems and γ = 1/L are those of the authors' notebooks.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import Table
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
from opcheck_paper_repro.pethick2022.experiment import adaptive, constants, escape, threshold

POLAR_L = 13.93839  # of the polar game with a = 3/4, on its box
CYCLES = keeps_away("EG", 0.8)
SHRINKS = ends_within("EG+, α = 1/2", 1e-6, last=100)


def arrives(method: str, *, low: float = -np.inf, high: float = np.inf) -> Check:
    """The last distance of a method on the Forsaken game."""
    return column(
        "distances",
        "distance",
        lambda d: float(d[-200:].min() if low > 0 else d[-1]),
        sentence=f"{method} on the Forsaken game, distance from the zero at the end",
        low=low,
        high=high,
        method=method,
    )


def constant(game: str, low: float, high: float) -> Check:
    """The weak Minty constant of a game, by search."""
    return column(
        "constants",
        "rho",
        np.min,
        sentence=f"weak Minty constant of {game} on its box",
        low=low,
        high=high,
        game=game,
    )


def boundary(rho: NDArray[Any]) -> NDArray[Any]:
    """The largest weight of Theorem 3.4."""
    return 1 + 2 * rho


THRESHOLD = Check(
    "cells in which EG+ converges for α ≥ 1 + 2ρL or diverges below",
    lambda tables: float(_wrong(tables["threshold"])),
    high=0,
)
ESCAPES = arrives("CurvatureEG+", high=1e-9)
ADAPTIVE = column(
    "adaptive",
    "ratio",
    np.max,
    sentence="AdaptiveEG+ on rotations: largest Σ‖v‖²/bound",
    low=0.999,
    high=1 + 1e-12,
)
GLOBAL = constant("Global Forsaken", -0.1198, -0.1197)
FORSAKEN = constant("Forsaken", -1.521, -1.520)


def _wrong(table: Table) -> int:
    return int(((table["outcome"] == "converges") != table["inside"]).sum())


tight = PaperFigure(
    id="tight",
    title="L = 3, ρ = −1/9: EG+ with γ = 1/L, on both sides of α = 1 + 2ρL = 1/3",
    caption="The example behind Theorem 3.4: the weight 1/4 converges, 1/2 does not.",
    note="f = 2√2xy − (x² − y²)/2, the start and both weights are those of the notebook, there "
    "with the box |x|, |y| ≤ 11/10. Below 1/3 pethick2022_ceg_plus covers the run.",
    experiment=Runs(
        "tight_linear",
        {
            "α = 1/2": PaperRun("ceg_plus", 60, {"gamma": 1 / 3, "alpha": 0.5}),
            "α = 1/4": PaperRun(
                "ceg_plus", 60, {"gamma": 1 / 3, "alpha": 0.25}, theorem="pethick2022_ceg_plus"
            ),
        },
        start=(1.0, 0.5),
        parameters={"L": 3.0, "c": 1 / 3},
    ),
    panels=(
        Panel("plane", {"title": ""}),
        Panel("rate", {"horizontal": "linear", "title": ""}),
    ),
    checks=(keeps_away("α = 1/2", 1.0, last=40), ends_within("α = 1/4", 0.3, last=5)),
    parameters="paper",
)

polar_game = PaperFigure(
    id="polar_game",
    title="Polar game, a = 3/4, γ = 1/L, ρL = −0.4996",
    caption="EG ends on a cycle, EG+ with α = 1/2 converges; with α = 1 + 2ρL − 10⁻⁴, for which "
    "convergence is proved, it needs far more steps than these.",
    note="a, box, start and γ are those of the notebook, EG and α = 1/2 its methods; the small "
    "weight is ours. It is covered by pethick2022_ceg_plus, the others by nothing.",
    experiment=Runs(
        "polar_game",
        {
            "EG": PaperRun("ceg_plus", 5000, {"gamma": 1 / POLAR_L, "alpha": 1.0}),
            "EG+, α = 1/2": PaperRun("ceg_plus", 5000, {"gamma": 1 / POLAR_L, "alpha": 0.5}),
            "EG+, small α": PaperRun(
                "ceg_plus",
                5000,
                {"gamma": 1 / POLAR_L, "alpha": 0.0007},
                theorem="pethick2022_ceg_plus",
            ),
        },
        start=(1.0, 0.5),
        parameters={"a": 0.75},
    ),
    panels=(Panel("plane", {"title": ""}), Panel("rate", {"floor": 1e-16, "title": ""})),
    checks=(CYCLES, SHRINKS, keeps_away("EG+, small α", 0.8)),
    parameters="paper",
)

forsaken = PaperFigure(
    id="forsaken",
    title="Forsaken game, |x|, |y| ≤ 3/2",
    caption="EG and EG+ with γ = 1/L cycle, CurvatureEG+ converges.",
    note="CurvatureEG+ with the notebook's ν = 0.99, τ = 1/2 and δ = −0.99γ/2; Jacobian norms are "
    "not counted as calls. No theorem covers the game: ρL = −18.9.",
    experiment=escape,
    panels=(
        Panel("plane", {"title": ""}),
        Panel(
            "lines",
            {"x": "calls", "y": "distance", "by": "method", "vertical": "log"},
            of="distances",
        ),
    ),
    checks=(arrives("EG", low=0.5), arrives("EG+", low=0.5), ESCAPES),
    parameters="paper",
)

weights = PaperFigure(
    id="weights",
    title="EG+ with γ = 1/L on rotations",
    caption="Where EG+ converges on L times the rotation with cos θ = ρL, and the bound "
    "α < 1 + 2ρL of Theorem 3.4.",
    experiment=threshold,
    panels=(
        Panel(
            "region",
            {"x": "rhoL", "y": "alpha", "boundary": {"α = 1 + 2ρL": boundary}},
        ),
    ),
    checks=(THRESHOLD,),
    note="Eigenvalues in closed form.",
)

adaptive_weights = PaperFigure(
    id="adaptive",
    title="AdaptiveEG+ on L times a rotation",
    caption="Σ‖v‖² over R²/(γ²(1/2 + ρ/γ)²) after 200 000 steps: the bound is attained at γ = 1/L.",
    experiment=adaptive,
    panels=(
        Panel(
            "lines",
            {"x": "rhoL", "y": "ratio", "by": "gamma", "dots": True, "ylabel": "Σ‖v‖² / bound"},
        ),
    ),
    checks=(ADAPTIVE,),
    note="Evidence on one family; the constant follows from ⟨g, z − z*⟩ ≥ α‖g‖², α ≥ 1/2 + ρ/γ.",
)

weak_minty = PaperFigure(
    id="weak_minty",
    title="Weak Minty constants of the examples on their boxes",
    caption="Least ⟨F z, z − z*⟩/‖F z‖² by a refined grid, what is stated, and −1/(2L).",
    experiment=constants,
    panels=(Panel("table"),),
    checks=(
        GLOBAL,
        FORSAKEN,
        constant("polar game, a = 3/4", -0.0358426, -0.0358424),
        constant("polar game, a = 1", -0.0477423, -0.0477421),
    ),
    note="A search gives an upper bound of the constant; of the polar game it is the closed form "
    "−k/(1 + k²), k = 49a/1024.",
    width="double",
)

paper(
    "pethick2022",
    source="pethick2022escaping",
    figures=(tight, polar_game, forsaken, weights, adaptive_weights, weak_minty),
    claims=(
        Claim(
            "Theorem 3.1, fixed weight",
            "CEG+ converges for ρ > −1/(2L), with constraints: the average ‖v‖², v ∈ S(z̄), is "
            "≤ R²/(αγ²(1 + 2ρ/γ − α)(k + 1))",
            theorem="pethick2022_ceg_plus",
        ),
        Claim(
            "Theorem 3.1, adaptive weight",
            "with α = ρ/γ + ⟨g, z − z̄⟩/‖g‖² it is ≤ R²/(γ²(1/2 + ρ/γ)²(k + 1))",
            check=ADAPTIVE,
            figure="adaptive",
        ),
        Claim(
            "AdaptiveEG+ as a statement",
            "the same for every F of the class",
            waiting="methods whose weight is computed from the iterates",
        ),
        Claim(
            "Theorem 3.4",
            "EG+ with γ = 1/L need not converge for α ≥ 1 + 2ρL",
            check=THRESHOLD,
            figure="weights",
        ),
        Claim(
            "Example 3",
            "in the polar game with a = 3/4 EG cycles and EG+ converges",
            check=CYCLES,
            figure="polar_game",
        ),
        Claim(
            "Example 3, EG+", "EG+ with α = 1/2 converges there", check=SHRINKS, figure="polar_game"
        ),
        Claim(
            "Example 4",
            "the Forsaken game has the weak Minty constant ρ = −0.477761",
            check=FORSAKEN,
            figure="weak_minty",
            differs="that is a local minimum at (−1.012, −0.105); at (−0.25808, 0.79165) the ratio "
            "is −1.520566, so ρL = −18.9 in place of −5.9",
        ),
        Claim(
            "Example 4, CurvatureEG+",
            "CurvatureEG+ converges in the Forsaken game",
            check=ESCAPES,
            figure="forsaken",
        ),
        Claim(
            "Example 5",
            "the Global Forsaken game is weakly Minty with ρ = −0.119732 > −1/(2L) = −0.1654",
            check=GLOBAL,
            figure="weak_minty",
        ),
    ),
    doc="Read: the abstract and the authors' notebooks, which hold the examples, their constants "
    "and the experiments. Remembered: the numbers of the theorems and Examples 4 and 5.",
    missing={"stochastic runs": "EG+ with noise and decaying steps; no theorem of the paper"},
)
