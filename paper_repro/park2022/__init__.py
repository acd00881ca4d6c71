"""Park and Ryu (2022): Halpern's iteration with weights for a contraction, exactly optimal.

Their γ, of a 1/γ-Lipschitz T, is g here.
"""

from typing import Any

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
    paper,
    reaches_before,
)
from opcheck_paper_repro.park2022.experiment import FACTORS, lower_bound, worst

G = 1.1
MU, STEP, N = 0.1, 0.9, 100
RESOLVENT = ("resolvent_residual", "distance")
FASTER = reaches_before("OC-Halpern", "Picard", 0.05)
TIGHT = Check(
    "OC-Halpern: largest |measured/bound − 1| on the worst rotation over g, n ≤ 40",
    lambda tables: max(float(table["off"].max()) for table in tables.values()),
    high=1e-10,
)
LEAST = column(
    "lower",
    "off",
    np.max,
    sentence="largest |least residual of the span/(4R²/(N + 1)²) − 1|, N ≤ 20",
    high=1e-10,
)


def weights(g: float, last: int) -> list[float]:
    """1/φ_{k+1}, φ_k = Σ_{i≤k} g^{2i}, k = 0, …, last."""
    return [(g**2 - 1) / (g ** (2 * k + 4) - 1) for k in range(last + 1)]


def proximal(mu: float, step: float, last: int) -> dict[str, Any]:
    """Parameters of OS-PPM as Halpern's iteration of (1 + 1/g)J − I/g, g = 1 + 2γμ."""
    g = 1 + 2 * step * mu
    return {"gamma": step, "lam": 1 + 1 / g, "beta": weights(g, last)}


contraction = PaperFigure(
    id="contraction",
    title="T = −I/g, g = 1.1",
    caption="OC-Halpern meets its bound at every even k, below Halpern's weights 1/(k + 2) and "
    "Picard's iteration z⁺ = Tz.",
    note="park2022_oc_halpern is attained. g is ours.",
    experiment=Runs(
        "contractive_worst",
        {
            "OC-Halpern": PaperRun(
                "oc_halpern", 60, {"beta": weights(G, 60)}, theorem="park2022_oc_halpern"
            ),
            "Halpern": PaperRun("halpern", 60, theorem="lieder2021_halpern"),
            "Picard": PaperRun("krasnoselskii_mann", 60, {"a": 1.0}),
        },
        parameters={"g": G},
    ),
    panels=(Panel("rate", {"horizontal": "linear", "title": "", "floor": 1e-8}),),
    checks=(
        Check(
            "OC-Halpern meets its bound at even k: largest |measured/bound − 1|",
            lambda runs: float(
                np.abs(
                    runs["OC-Halpern"]["residual"][::2]
                    * ((G ** (runs["OC-Halpern"].k[::2] + 1) - 1) / (G - 1) / (1 + 1 / G)) ** 2
                    - 1
                ).max()
            ),
            high=1e-9,
        ),
        FASTER,
        ends_within("Halpern", 0.05, last=2),
        ends_within("Picard", 0.05, last=2),
    ),
)

strongly_monotone = PaperFigure(
    id="strongly_monotone",
    title="L = 1, μ = 0.1, γ = 0.9",
    caption="OS-PPM stays below R²/(Σ_{i≤k}(1 + 2γμ)^i)²; on this operator the plain proximal "
    "point method (PPM), whose worst case is slower, is faster.",
    note="Resolvents are exact. Parameters are ours.",
    experiment=Runs(
        "strongly_monotone",
        {
            "OS-PPM": PaperRun(
                "anchored_proximal_point",
                N,
                proximal(MU, STEP, N),
                theorem="park2022_os_ppm",
                measures=RESOLVENT,
            ),
            "PPM": PaperRun("proximal_point", N, {"gamma": STEP}, measures=RESOLVENT),
        },
        parameters={"mu": MU},
    ),
    panels=(Panel("rate", {"horizontal": "linear", "title": "", "measure": "resolvent_residual"}),),
    checks=(ends_within("OS-PPM", 1e-3, last=5), ends_within("PPM", 1e-6, last=5)),
)

worst_rotations = PaperFigure(
    id="worst",
    title="The worst rotation over g for each n",
    caption="OC-Halpern lies on (1 + 1/g)²R²/(Σ_{i≤n} g^i)² for every n; Picard's iteration takes "
    "(1 + 1/g)²R²/g^{2n}.",
    note="1501 angles, and for odd n the one by πn/(n + 1).",
    experiment=worst,
    panels=tuple(
        Panel(
            "lines",
            {
                "x": "n",
                "y": "OC-Halpern,Picard",
                "bounds": {"bound": "bound"},
                "vertical": "log",
                "title": f"g = {g}",
                "ylabel": r"$\Vert z_n - Tz_n\Vert^2$ ($R^2$)",
            },
            of=f"g_{g}",
        )
        for g in FACTORS[::2]
    ),
    checks=(TIGHT,),
)

optimal = PaperFigure(
    id="lower_bound",
    title="What N values of T allow on the worst instance",
    caption="Least squares over the Krylov space of a nonexpansive T with N + 1 eigenvalues lies "
    "on 4R²/(N + 1)².",
    note="The instance is derived here. Halpern's iteration attains the same value: it is optimal.",
    experiment=lower_bound,
    panels=(
        Panel(
            "lines",
            {
                "x": "N",
                "y": "least",
                "bounds": {"4R²/(N + 1)²": "bound"},
                "horizontal": "log",
                "vertical": "log",
                "dots": True,
                "ylabel": r"$\Vert x - Tx\Vert^2$ ($R^2$)",
            },
        ),
    ),
    checks=(LEAST,),
)

paper(
    "park2022",
    source="park2022",
    figures=(contraction, strongly_monotone, worst_rotations, optimal),
    claims=(
        Claim(
            "Theorem 3.2",
            "A μ-strongly monotone, OS-PPM: ‖z_k − Jz_k‖² ≤ R²/(Σ_{i≤k}(1 + 2γμ)^i)²",
            theorem="park2022_os_ppm",
        ),
        Claim(
            "Corollary 3.3",
            "T 1/g-Lipschitz, OC-Halpern: ‖z_k − Tz_k‖² ≤ (1 + 1/g)²R²/(Σ_{i≤k} g^i)²",
            theorem="park2022_oc_halpern",
        ),
        Claim("exactness", "the bound is attained for every n", check=TIGHT, figure="worst"),
        Claim(
            "Theorem 4.1, span methods, g = 1",
            "no span method with N values of a nonexpansive T has ‖x − Tx‖² < 4R²/(N + 1)²",
            check=LEAST,
            figure="lower_bound",
        ),
        Claim(
            "Theorem 4.1",
            "the same for g > 1, and for every deterministic method",
            waiting="statements over all methods",
        ),
        Claim(
            "comparison",
            "OC-Halpern passes Picard's iteration on T = −I/g",
            check=FASTER,
            figure="contraction",
        ),
        Claim(
            "restarts",
            "restarted OS-PPM under a Hölder-type growth condition",
            waiting="growth conditions as hypotheses",
        ),
    ),
    missing={
        "experiments": "CT imaging, optimal transport, decentralised optimisation: data "
        "that are not at hand"
    },
    doc="Read: the abstract and the preliminaries. Remembered: the numbers of the statements.",
)
