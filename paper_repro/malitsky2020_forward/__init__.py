"""Malitsky and Tam (2020): forward-reflected-backward (FRB), one call of a monotone F a step."""

import numpy as np

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
    keeps_away,
    paper,
    reaches_before,
)
from opcheck_paper_repro.malitsky2020_forward.experiment import ranges

CHEAPER = reaches_before("FRB", "FBF", 1e-5)
STAYS = keeps_away("FB", 0.08, last=50)
LINEAR = Check(
    "FRB, μ = 0.1: mean factor of ‖z − z*‖ a step over k = 50, …, 150",
    lambda runs: float((runs["FRB"]["distance"][150] / runs["FRB"]["distance"][50]) ** (1 / 200)),
    high=0.8,
)


def limit(method: str, low: float, high: float) -> Check:
    """The first step that a linear map defeats."""
    return column(
        "ranges",
        "step",
        np.min,
        sentence=f"{method}: shortest step (1/L) on a grid of 0.01 that a linear map defeats",
        low=low,
        high=high,
        method=method,
        over=True,
    )


FRB_LIMIT = limit("FRB", 0.575, 0.585)

box = PaperFigure(
    id="box",
    title="f = (x − 0.9)(y − 0.9) on a box",
    caption="FRB with γ = 0.49/L needs fewer calls than Tseng's method (FBF) with 0.9/L; "
    "forward-backward steps (FB) don't converge.",
    note="Problem and steps are ours.",
    experiment=Runs(
        "bilinear_box",
        {
            "FRB": PaperRun(
                "forward_reflected_backward",
                300,
                {"gamma": 0.49},
                theorem="malitsky2020_frb_sum",
            ),
            "FBF": PaperRun(
                "forward_backward_forward", 150, {"gamma": 0.9}, theorem="tseng2000_fbf_fejer"
            ),
            "FB": PaperRun("gradient_descent_ascent", 300, {"gamma": 0.49}),
        },
    ),
    panels=(
        Panel("plane", {"title": ""}),
        Panel("rate", {"against": "oracle calls", "horizontal": "linear", "title": ""}),
    ),
    checks=(CHEAPER, ends_within("FBF", 1e-6, last=10), STAYS),
)

strongly_monotone = PaperFigure(
    id="strongly_monotone",
    title="L = 1, μ = 0.1",
    caption="FRB is linear; forward-backward steps with the same γ leave.",
    note="The rate is measured, not bounded by a registered statement.",
    experiment=Runs(
        "strongly_monotone",
        {
            "FRB": PaperRun("forward_reflected_backward", 200, {"gamma": 0.49}),
            "FB": PaperRun("gradient_descent_ascent", 200, {"gamma": 0.49}),
        },
        parameters={"mu": 0.1},
    ),
    panels=(Panel("rate", {"horizontal": "linear", "title": "", "floor": 1e-30}),),
    checks=(LINEAR, ends_within("FRB", 1e-12, last=20), diverges("FB", 1e3)),
)

steps = PaperFigure(
    id="steps",
    title="Steps on monotone linear maps",
    caption="The largest spectral radius by step. FRB is proved for γ < 1/(2L); linear maps allow "
    "1/(√3 L) = 0.577/L. Forward-backward steps fail for every γ.",
    experiment=ranges,
    panels=(Panel("lines", {"x": "step", "y": "radius", "by": "method"}),),
    checks=(FRB_LIMIT, limit("FBF", 1.0, 1.015), limit("forward-backward", 0.1, 0.1)),
    note="Rotations by 0 to 90° and slow ones by 90°.",
)

paper(
    "malitsky2020_forward",
    source="malitsky2020forward",
    figures=(box, strongly_monotone, steps),
    claims=(
        Claim(
            "Lemma 2.3",
            "γ < 1/(2L): Σ‖z_{k+1} − z_k‖² ≤ R²/(1 − 2γL), for every maximally monotone A",
            theorem="malitsky2020_frb_sum",
        ),
        Claim(
            "Lemma 2.3, bounded",
            "γ ≤ 1/(2L): ‖z_k − z*‖² ≤ R²/(1 − γL)",
            theorem="malitsky2020_frb_distance",
        ),
        Claim(
            "Lemma 2.3, gap",
            "A = 0: the linearised gaps add up to R²/(2γ) at most",
            theorem="malitsky2020_frb_gap",
        ),
        Claim(
            "one call",
            "FRB calls F once a step and needs fewer calls than Tseng's method",
            check=CHEAPER,
            figure="box",
        ),
        Claim(
            "no cocoercivity",
            "forward-backward steps don't converge where FRB does",
            check=STAYS,
            figure="box",
        ),
        Claim(
            "linear rate",
            "FRB is linear for strongly monotone operators",
            check=LINEAR,
            figure="strongly_monotone",
        ),
        Claim(
            "range of steps",
            "γ < 1/(2L) suffices (on linear maps 1/(√3 L) does)",
            check=FRB_LIMIT,
            figure="steps",
        ),
        Claim(
            "line search",
            "the same with a line search for the step",
            waiting="methods that search their step",
        ),
    ),
    doc="Read: the abstract. Remembered: Lemma 2.3 and the theorems' contents. Figures are ours.",
)
