"""Lieder (2021): the rate of Halpern's iteration with weights 1/(k + 2), exact at every k."""

import numpy as np

from opcheck.plugin import (
    Check,
    Claim,
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    column,
    paper,
)
from opcheck_paper_repro.lieder2021.experiment import weights, worst

EVEN = Check(
    "Halpern on T = −I: largest |measured/bound − 1| at even k",
    lambda runs: float(
        np.abs(runs["Halpern"]["residual"][::2] * (runs["Halpern"].k[::2] + 1) ** 2 / 4 - 1).max()
    ),
    high=1e-10,
)
TIGHT = column(
    "worst", "off", np.max, sentence="rotation by π/(n + 1): largest |measured/bound − 1| at k = n",
    high=1e-10,
)  # fmt: skip

reflection = PaperFigure(
    id="reflection",
    title="Halpern's iteration and KM on T = −I",
    caption="Halpern meets 4R²/(k + 1)² at every even k and is at the fixed point at odd k.",
    note="lieder2021_halpern is attained, so the constant can't be improved.",
    experiment=Runs(
        "neg_identity",
        {
            "Halpern": PaperRun("halpern", 60, theorem="lieder2021_halpern"),
            "KM": PaperRun("krasnoselskii_mann", 60, {"a": 0.9}, theorem="lieder2018_km_last"),
        },
    ),
    panels=(Panel("rate", {"title": "", "horizontal": "linear", "floor": 1e-12}),),
    checks=(
        EVEN,
        Check(
            "KM with a = 0.9 shrinks ‖z − Tz‖² by 0.64 a step: largest |ratio/0.64 − 1|",
            lambda runs: float(
                np.abs(runs["KM"]["residual"][1:40] / runs["KM"]["residual"][:39] / 0.64 - 1).max()
            ),
            high=1e-9,
        ),
    ),
)

rotations = PaperFigure(
    id="rotations",
    title="Halpern on the rotation by π/(n + 1)",
    caption="‖z_n − Tz_n‖² lies on its bound 4R²/(n + 1)² at k = n, for odd n too.",
    note="The instance behind tightness at every k.",
    experiment=worst,
    panels=(
        Panel(
            "lines",
            {
                "x": "n",
                "y": "measured",
                "bounds": {"4R²/(n + 1)²": "bound"},
                "horizontal": "log",
                "vertical": "log",
                "dots": True,
            },
        ),
    ),
    checks=(TIGHT,),
)

other_weights = PaperFigure(
    id="weights",
    title="The worst rotation for each k, by weights",
    caption="Weights 1/(k + 2) lie on 4R²/(k + 1)²; 2/(k + 3) are O(1/k²) with a larger "
    "constant; the mean of z and Tz is O(1/k).",
    experiment=weights,
    panels=(
        Panel(
            "lines",
            {
                "x": "k",
                "y": "value",
                "by": "weights",
                "bounds": {"4R²/(k + 1)²": lambda k: 4 / (k + 1) ** 2},
                "vertical": "log",
                "ylabel": r"$\Vert z_k - Tz_k\Vert^2$ ($R^2$)",
            },
        ),
    ),
    checks=(
        column(
            "weights",
            "scaled",
            np.max,
            sentence="weights 2/(k + 3): largest (k + 1)²‖z − Tz‖²/(4R²) over rotations",
            low=1.5,
            weights="2/(k + 3)",
        ),
        column(
            "weights",
            "scaled",
            np.max,
            sentence="weights 1/(k + 2): largest (k + 1)²‖z − Tz‖²/(4R²) over rotations",
            high=1 + 1e-12,
            weights="1/(k + 2)",
        ),
    ),
    note="2001 angles; the weights beside 1/(k + 2) are ours.",
)

paper(
    "lieder2021",
    source="lieder2021",
    figures=(reflection, rotations, other_weights),
    claims=(
        Claim(
            "Theorem 2.1",
            "T nonexpansive, weights 1/(k + 2): ½‖z_k − Tz_k‖ ≤ R/(k + 1)",
            theorem="lieder2021_halpern",
        ),
        Claim("tight, T = −I", "the bound is attained at even k", check=EVEN, figure="reflection"),
        Claim("tight", "the bound is attained at every k", check=TIGHT, figure="rotations"),
    ),
    doc="Read: the abstract and the introduction with Theorem 2.1. The figures are ours.",
)
