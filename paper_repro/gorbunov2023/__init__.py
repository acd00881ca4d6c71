"""Gorbunov, Taylor, Horváth, Gidel (2023): what negative comonotonicity leaves of PP, EG and OG.

Here ρ ≤ 0 is the modulus, so their ρ is −ρ; γ, γ₁, γ₂ and N are theirs.
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
    diverges,
    ends_within,
    paper,
)
from opcheck_paper_repro.gorbunov2023.experiment import (
    STEPS,
    largest_second_step,
    slowest_operator,
    two_steps,
)

EG_LEAVES = diverges("EG", 1e3)
TIGHT = Check(
    "largest |measured/lower bound − 1| on the worst rotations, N ≥ ρ²/(γ(γ + 2ρ))",
    lambda tables: max(
        np.abs(table.where(beyond=True)["ratio"] - 1).max() for table in tables.values()
    ),
    high=1e-9,
)
SAME = column(
    "steps",
    "radius",
    np.min,
    sentence="smallest spectral radius of OG with γ₁ = γ₂ on the worse of the two maps",
    low=1.0,
    same=True,
)
FREE = column(
    "steps",
    "radius",
    np.min,
    sentence="smallest spectral radius of OG over all γ₁, γ₂ on the worse of the two maps",
    high=0.9,
)

counterexample = PaperFigure(
    id="counterexample",
    title="L times the rotation by 120°, ρ = −1/(2L)",
    caption="The counterexample to EG and to OG with equal steps. OG with γ₂ = γ₁/3 converges.",
    note="EG+ with γ ≤ 1/L never comes closer: gorbunov2023_eg_limit. Proximal point steps "
    "converge for γ > 1/L. The operator is the paper's, the steps are ours.",
    experiment=Runs(
        "tight_linear",
        {
            "EG": PaperRun("extragradient", 60, {"gamma": 0.5}),
            "EG+": PaperRun(
                "eg_plus", 60, {"gamma": 1.0, "alpha": 0.1}, theorem="gorbunov2023_eg_limit"
            ),
            "OG, γ₁ = γ₂": PaperRun("ogda_plus", 120, {"gamma": 0.3, "eta": 0.3}),
            "OG, γ₂ = γ₁/3": PaperRun(
                "ogda_plus", 120, {"gamma": 0.75, "eta": 0.25}, theorem="boehm2023_ogda_plus"
            ),
        },
        start=(1.0, 0.0),
        parameters={"c": 0.5},
    ),
    panels=(
        Panel("plane", {"title": ""}),
        Panel("rate", {"against": "oracle calls", "horizontal": "linear", "title": ""}),
    ),
    checks=(
        EG_LEAVES,
        diverges("EG+", 1.5),
        diverges("OG, γ₁ = γ₂", 1e3),
        ends_within("OG, γ₂ = γ₁/3", 1e-5, last=5),
    ),
)

worst_case = PaperFigure(
    id="worst_case",
    title="Proximal point: the last squared residual in the worst case, ρ = −1",
    caption="Solid: N + 1 steps on the rotation that is worst for N, cos θ = ρ/√(Nγ(γ + 2ρ)). "
    "Dashed: the lower bound, which it attains from N = ρ²/(γ(γ + 2ρ)) on, and the upper bound.",
    note="γ = 2.05, 3 and N < 60 are those of the authors' notebook, which solves semidefinite "
    "programs; here is the rotation that it found. gorbunov2023_ppm_last proves that no other "
    "operator is slower.",
    experiment=slowest_operator,
    panels=tuple(
        Panel(
            "lines",
            {
                "x": "N",
                "y": "measured",
                "bounds": {"upper bound": "upper", "lower bound": "lower"},
                "vertical": "log",
                "ylabel": r"$\Vert F x_{N+1}\Vert^2$ ($R^2/\rho^2$)",
                "title": f"γ = {gamma} |ρ|",
            },
            of=f"gamma_{gamma}",
        )
        for gamma in STEPS
    ),
    checks=(TIGHT,),
    parameters="paper",
)

optimistic = PaperFigure(
    id="optimistic",
    title="OG on L·I and on the rotation by 120°, ρ = −1/(2L)",
    caption="Where both spectral radii are below 1, and up to where boehm2023_ogda_plus proves "
    "convergence.",
    note="Neither map defeats OG below the dashed line, and one does above: the range of "
    "boehm2023_ogda_plus can't be larger. The spectral norm of the step on the rotation, which "
    "the proof computes, is above 1.4 everywhere and says nothing of the limit.",
    experiment=two_steps,
    panels=(
        Panel(
            "region",
            {
                "x": "gamma_1",
                "y": "gamma_2",
                "boundary": {
                    "boehm2023_ogda_plus": largest_second_step,
                    "equal steps": lambda first: first,
                },
            },
        ),
    ),
    checks=(
        SAME,
        FREE,
        column(
            "steps",
            "proved",
            lambda cells: float(np.mean(cells)),
            sentence="share of the convergent steps for which boehm2023_ogda_plus holds",
            low=0.99,
            outcome="converges",
        ),
        column(
            "steps",
            "norm",
            np.min,
            sentence="smallest spectral norm of OG's step on the rotation",
            low=1.4,
        ),
    ),
)

paper(
    "gorbunov2023",
    source="gorbunov2023convergence",
    figures=(counterexample, worst_case, optimistic),
    claims=(
        Claim(
            "Theorem 3.1",
            "star-negative comonotone, γ > −2ρ: min over k ≤ N of ‖x_{k+1} − x_k‖² "
            "≤ γR²/((γ + 2ρ)(N + 1)); here in the exact form",
            theorem="gorbunov2023_ppm_star",
        ),
        Claim(
            "Theorem 3.2",
            "negative comonotone, γ > −2ρ: ‖x_{N+1} − x_N‖² ≤ γR²/((γ + 2ρ)(N + 1)); here in the "
            "exact form",
            theorem="gorbunov2023_ppm_last",
        ),
        Claim(
            "lower bound for PP",
            "a rotation has ‖F x_{N+1}‖² = R²/(γ(γ + 2ρ)N(1 + 1/N)^(N+1))",
            check=TIGHT,
            figure="worst_case",
        ),
        Claim(
            "Lemma C.1",
            "EG, star-negative comonotone, γ₂ < γ₁ + 2ρ: Σ‖F x̃_k‖² ≤ R²/(γ₂(γ₁ + 2ρ − γ₂))",
            theorem="diakonikolas2021_eg_plus_lookahead",
        ),
        Claim(
            "Lemma C.3",
            "EG with γ₁ = γ₂ = γ, −4ρ ≤ γ ≤ 1/(2L): the residual never grows",
            theorem="gorbunov2023_eg_monotone",
        ),
        Claim(
            "Theorem C.4",
            "there also ‖F x_N‖² ≤ 28R²/(Nγ² − 320γρ)",
            theorem="gorbunov2023_eg_last",
        ),
        Claim(
            "EG beyond ρ = −1/(2L)",
            "EG need not converge: on the rotation by 120° for γ₁ ≤ 1/L",
            theorem="gorbunov2023_eg_limit",
        ),
        Claim(
            "EG on the rotation by 120°",
            "EG with γ = 1/(2L) leaves",
            check=EG_LEAVES,
            figure="counterexample",
        ),
        Claim(
            "Lemma C.6",
            "OG, star-negative comonotone: the best residual is O(1/N)",
            theorem="boehm2023_ogda_plus",
        ),
        Claim(
            "Theorem C.9",
            "OG with γ₁ = γ₂ = γ, −4ρ ≤ γ ≤ 10/(31L): ‖F x_N‖² ≤ 717R²/(Nγ(γ + 3ρ) + 800γ²)",
            theorem="gorbunov2023_peg_last",
        ),
        Claim(
            "Theorem C.10, equal steps",
            "for ρ ≤ −1/(2L) OG with γ₁ = γ₂ need not converge, on L·I or the rotation by 120°",
            check=SAME,
            figure="optimistic",
        ),
        Claim(
            "Theorem C.10",
            "the same for every γ₁, γ₂ > 0 (wording remembered; the notebook of the proof leaves "
            "both free)",
            check=FREE,
            figure="optimistic",
            differs="with γ₁ = 0.75/L, γ₂ = 0.25/L both spectral radii are 0.866, and "
            "boehm2023_ogda_plus bounds OG for every ρ > −1/L",
        ),
    ),
    doc="Read: the abstract, and the authors' notebooks, which state Lemmas C.1, C.3, C.6, C.8 and "
    "Theorems C.4, C.9 and hold the computation behind C.10. Remembered: numbers 3.1 and 3.2, and "
    "for which steps C.10 is stated.",
)
