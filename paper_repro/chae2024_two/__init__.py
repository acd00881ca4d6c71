"""Chae, Kim, Kim (2024): extragradient with two time scales, where the Hessian in y is singular."""

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
from opcheck_paper_repro.chae2024_two.experiment import (
    ETA,
    degenerate,
    lemma,
    paths,
    saddle,
    window,
)

EG, GDA = "extragradient", "gradient_descent_ascent"
ARRIVES, LEAVES = ends_within("EG", 1e-6, last=100), diverges("GDA", 100.0)


def late(method: str, reduce, sentence: str, **ends: float) -> Check:  # type: ignore[no-untyped-def]
    """The spectral radii of one method for τ ≥ 10."""

    def value(parts):  # type: ignore[no-untyped-def]
        rows = parts["radii"].where(method=method)
        return float(reduce(rows["radius"][rows["tau"] >= 10]))

    return Check(sentence, value, **ends)


STABLE = late("EG", np.max, "EG, τ ≥ 10: largest spectral radius", high=1 - 1e-6)
UNSTABLE = late("GDA", np.min, "GDA, τ ≥ 10: least spectral radius", low=1 + 1e-6)
KERNELS = Check(
    "registered kernels and explicit matrices: largest difference of spectral radii",
    lambda parts: float(np.abs(parts["radii"]["radius"] - parts["radii"]["kernel"]).max()),
    high=1e-12,
)


def error(branch: str, high: float) -> Check:
    """The first terms of one branch at τ = 10⁷."""
    unit = "" if branch == "range of B" else ", in ε"
    return column(
        "lemma",
        "off",
        np.max,
        sentence=f"{branch}, ε = 10⁻⁷: largest error of the first terms{unit}",
        branch=branch,
        tau=1e7,
        high=high,
    )


SCHUR = error("restricted Schur complement", 1e-3)
TURNING = error("turning", 1e-2)
RANGE = error("range of B", 1e-4)
WINDOW = column(
    "window",
    "agrees",
    np.min,
    sentence="f = s x²/2 + xy: share of (η, s), 0.03 off the boundaries, where EG converges iff "
    "s > −η and GDA iff s > η",
    decided=True,
    low=1.0,
)
AVOIDS = column(
    "saddle",
    "agrees",
    np.min,
    sentence="share of the points where EG at τ = 10⁴ is stable iff the restricted Schur "
    "complement is positive",
    low=1.0,
)

runs = PaperFigure(
    id="runs",
    title="f = xy − x²/8, τ = 20, η = 1/2: a local minimax point with zero Hessian in y",
    caption="Two-timescale EG converges to the local minimax point; two-timescale GDA leaves.",
    note="F is (∇_x f/τ, −∇_y f), on which extragradient with step η is two-timescale EG. It is "
    "not monotone; no theorem of the library covers it.",
    experiment=Runs(
        degenerate(20.0, -0.25),
        {
            "EG": PaperRun(EG, 6000, {"gamma": 0.5}),
            "GDA": PaperRun(GDA, 1200, {"gamma": 0.5}),
        },
        start=(0.2, 0.2),
    ),
    panels=(Panel("plane", {"title": ""}), Panel("rate", {"title": ""})),
    checks=(ARRIVES, LEAVES),
)

peanut = PaperFigure(
    id="peanut",
    title="Where the steps converge, and the eigenvalues of ΛH as τ grows (η = 0.8)",
    caption="Inside EG's border |1 − z + z²| < 1, GDA's disc is |1 − z| < 1, z = ηλ. The turning "
    "pair enters the axis from the left of GDA's disc but inside EG's border.",
    note="Four variables, B = diag(−1, 0) singular, uᵀSu = −0.34, restricted Schur complement "
    "0.69: a local minimax point that GDA avoids at every τ.",
    experiment=paths,
    panels=(
        Panel(
            "spectrum",
            {
                "methods": {"EG": (EG, {"gamma": ETA}), "GDA": (GDA, {"gamma": ETA})},
                "by": "branch",
                "join": True,
            },
            of="paths",
        ),
        Panel(
            "lines",
            {
                "x": "tau",
                "y": "scaled",
                "by": "method",
                "horizontal": "log",
                "ylabel": r"$\tau$ (spectral radius − 1)",
                "xlabel": r"$\tau$",
                "bounds": {"0": lambda tau: 0 * tau},
            },
            of="radii",
        ),
    ),
    checks=(STABLE, UNSTABLE, KERNELS),
)

first_terms = PaperFigure(
    id="first_terms",
    title="The three branches of eigenvalues of ΛH",
    caption="Largest error of the first terms over 20 random games, n = m = 4, B of rank 2.",
    note="Errors of the first two branches in units of ε = 1/τ: they are o(ε).",
    experiment=lemma,
    panels=(
        Panel(
            "lines",
            {
                "x": "tau",
                "y": "off",
                "by": "branch",
                "horizontal": "log",
                "vertical": "log",
                "xlabel": r"$\tau = 1/\varepsilon$",
                "ylabel": r"error (of the first two in $\varepsilon$)",
            },
        ),
    ),
    checks=(SCHUR, TURNING, RANGE),
)

conditions = PaperFigure(
    id="conditions",
    title="f = s x²/2 + xy, τ = 10⁵",
    caption="EG converges for s > −η, GDA for s > η.",
    note="The conditions uᵀSu > −ησ² and uᵀSu > ησ² at σ = 1, derived here.",
    experiment=window,
    panels=(
        Panel(
            "region",
            {
                "x": "eta",
                "y": "s",
                "order": ("EG and GDA", "EG alone", "neither"),
                "boundary": {"s = −η": lambda eta: -eta, "s = η": lambda eta: eta},
                "xlabel": r"step $\eta$",
                "ylabel": r"curvature $s = u^\top S u$",
            },
        ),
    ),
    checks=(WINDOW,),
)

avoided = PaperFigure(
    id="avoided",
    title="The example with ∂²f/∂x₂² lowered",
    caption="Excess of EG's spectral radius over 1: EG leaves the point as soon as the restricted "
    "Schur complement is negative.",
    experiment=saddle,
    panels=(
        Panel(
            "lines",
            {
                "x": "restricted",
                "y": "excess",
                "xlabel": "restricted Schur complement",
                "ylabel": "spectral radius − 1",
                "bounds": {"0": lambda x: 0 * x},
            },
        ),
    ),
    checks=(AVOIDS,),
)

paper(
    "chae2024_two",
    source="chae2024two",
    figures=(runs, peanut, first_terms, conditions, avoided),
    claims=(
        Claim(
            "EG converges",
            "two-timescale EG converges to a local minimax point with singular Hessian in y",
            check=ARRIVES,
            figure="runs",
        ),
        Claim("GDA fails", "two-timescale GDA leaves that point", check=LEAVES, figure="runs"),
        Claim(
            "large τ, EG",
            "such a point is stable for EG for every large enough τ",
            check=STABLE,
            figure="peanut",
        ),
        Claim(
            "every τ, GDA",
            "and unstable for GDA, however large τ",
            check=UNSTABLE,
            figure="peanut",
        ),
        Claim(
            "branch of the Schur complement",
            "eigenvalues ε eig(restricted Schur complement) + o(ε)",
            check=SCHUR,
            figure="first_terms",
        ),
        Claim(
            "branch that turns",
            "eigenvalues ±i√ε σ_j + (ε/2) u_jᵀSu_j + o(ε)",
            check=TURNING,
            figure="first_terms",
        ),
        Claim(
            "branch of the range",
            "eigenvalues −eig(B on its range) + o(1)",
            check=RANGE,
            figure="first_terms",
        ),
        Claim(
            "conditions",
            "as τ → ∞ the branch that turns is stable for EG iff uᵀSu > −ησ², for GDA iff "
            "uᵀSu > ησ² (derived here)",
            check=WINDOW,
            figure="conditions",
        ),
        Claim(
            "strict non-minimax points",
            "EG is unstable where the restricted Schur complement has a negative eigenvalue",
            check=AVOIDS,
            figure="avoided",
        ),
        Claim(
            "almost surely",
            "from almost every start EG avoids such points",
            waiting="a statement about almost every start",
        ),
        Claim(
            "global convergence",
            "under a Minty variational inequality EG converges to local minimax points",
            waiting="the conditions and step range of that theorem, whose text was not at hand",
        ),
    ),
    missing={"other figures": "the paper's own numbers and examples were not at hand"},
    doc="The abstract was read; the spectral statements are remembered and were checked here.",
)
