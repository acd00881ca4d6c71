"""Lorraine, Acuna, Vicol, Duvenaud (2022): a complex momentum turns against the rotation."""

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
from opcheck_paper_repro.lorraine2022_complex.experiment import (
    ROTATION,
    bilinear,
    edge,
    of_matrix,
    phases,
    plane,
)

METHOD = "complex_momentum"
CLOSE = 1e-5  # a radius at a multiple root is known to no more


def radius(gamma_max: float, method: str, sentence: str, **ends: float) -> Check:
    """The best radius of one line of ``phases`` at one γ_max."""
    return column(
        "phases", "radius", np.max, sentence=sentence, gamma_max=gamma_max, method=method, **ends
    )


REAL = Check(
    "f = xy, all players at once: least spectral radius of any real β and γ",
    lambda parts: float(parts["best"].where(order="simultaneous")["radius"][[0, -1]].min()),
    low=1 - 1e-9,
)
COMPLEX = Check(
    "f = xy, all players at once: largest best radius of the phases π/8, π/4, π/2, 3π/4",
    lambda parts: float(parts["best"].where(order="simultaneous")["radius"][1:-1].max()),
    high=0.97,
)
KERNEL = column(
    "best",
    "off",
    np.max,
    sentence="the registered kernel and the explicit matrix differ in the best radius by",
    order="simultaneous",
    high=CLOSE,
)
NEGATIVE = column(
    "best",
    "radius",
    np.max,
    sentence="f = xy, players alternating: best radius found of a real β ≤ 0",
    order="alternating",
    phase="π",
    high=0.5,
)
POSITIVE = column(
    "best",
    "radius",
    np.min,
    sentence="f = xy, players alternating: best radius found of a real β ≥ 0",
    order="alternating",
    phase="0",
    low=1 - 1e-9,
)
TURNED = Check(
    "f = xy, players alternating: largest best radius of the phases π/8, π/4, π/2, 3π/4",
    lambda parts: float(parts["best"].where(order="alternating")["radius"][1:-1].max()),
    high=0.93,
)
BALL = radius(
    0.0,
    "β at 0",
    "cooperative game: |best radius of β ≥ 0 − (√16 − 1)/(√16 + 1)|, from above",
    low=0.6 - 1e-6,
    high=0.6 + 1e-3,
)
COOPERATIVE = Check(
    "γ_max = 0: best radius of β ≥ 0 over the least of all others",
    lambda parts: _share(parts, 0.0, "β at 0"),
    high=0.9,
)
ADVERSARIAL = Check(
    "γ_max = 1: 1 − best radius at phase π/2 over the largest of all others, EG per call included",
    lambda parts: _gain(parts, 1.0, "β at π/2"),
    low=1.2,
)
LOST = Check(
    "γ_max = 1: least best radius of GDA, β ≥ 0 and β ≤ 0",
    lambda parts: min(
        float(parts["phases"].where(gamma_max=1.0, method=m)["radius"][0])
        for m in ("GDA", "β at 0", "β at π")
    ),
    low=1 - 1e-9,
)
AGREES = column(
    "plane",
    "agrees",
    np.min,
    sentence="share of β for which the criterion and the spectral radius at γ = 1/10000 agree "
    "(3 % about its zero and the circle left out)",
    decided=True,
    low=1.0,
)
NOT_ALL = Check(
    "f = xy, γ = 1/10: spectral radius of β = 0.9 exp(iπ/8)",
    lambda parts: of_matrix(ROTATION, 0.1, 0.9 * np.exp(1j * np.pi / 8)),
    low=1.05,
    high=1.06,
)
ARRIVES = ends_within("β = 2i/3", 1e-6, last=20)


def _share(parts, gamma_max, method):  # type: ignore[no-untyped-def]
    rows = parts["phases"].where(gamma_max=gamma_max)
    own = rows["method"] == method
    return float(rows["radius"][own][0] / rows["radius"][~own].min())


def _gain(parts, gamma_max, method):  # type: ignore[no-untyped-def]
    rows = parts["phases"].where(gamma_max=gamma_max)
    own = rows["method"] == method
    return float((1 - rows["radius"][own][0]) / (1 - rows["radius"][~own].min()))


runs = PaperFigure(
    id="runs",
    title="Bilinear game f = xy: the phase of β decides",
    caption="Gradient steps and real momentum of either sign leave; β = 2i/3 converges.",
    note="No theorem of the library covers momentum: an experiment.",
    experiment=Runs(
        "bilinear",
        {
            "GDA": PaperRun("gradient_descent_ascent", 300, {"gamma": 0.2}),
            "β = 1/2": PaperRun(METHOD, 300, {"gamma": 0.1, "beta_re": 0.5, "beta_im": 0.0}),
            "β = −1/2": PaperRun(METHOD, 300, {"gamma": 0.4, "beta_re": -0.5, "beta_im": 0.0}),
            "β = 2i/3": PaperRun(METHOD, 400, {"gamma": 0.85, "beta_re": 0.0, "beta_im": 2 / 3}),
        },
        start=(1.0, 1.0),
    ),
    panels=(Panel("plane", {"title": ""}), Panel("rate", {"title": ""})),
    checks=(ARRIVES, diverges("GDA", 10.0), diverges("β = 1/2", 10.0), diverges("β = −1/2", 10.0)),
)

which_phase = PaperFigure(
    id="which_phase",
    title="Which phase wins: 14 variables, from cooperative to adversarial",
    caption="Real β ≥ 0 is best for the cooperative game, phase π/2 for one with a fully "
    "adversarial coordinate, where real β and GDA do not converge at all (no point).",
    note="F = γ∘(adversarial part) + (1 − γ)∘(cooperative part), singular values 1/4 … 4 of both, "
    "γ_i uniform in [0, γ_max] with ends 0 and γ_max: the family of the authors' code; the draw "
    "and the search over |β| and step are ours.",
    experiment=phases,
    panels=(
        Panel(
            "lines",
            {
                "x": "gamma_max",
                "y": "calls",
                "by": "method",
                "vertical": "log",
                "xlabel": r"$\gamma_{\max}$, largest adversarial share",
                "ylabel": "calls for a factor e",
            },
        ),
    ),
    checks=(BALL, COOPERATIVE, ADVERSARIAL, LOST),
    width="double",
)

small_steps = PaperFigure(
    id="small_steps",
    title="β for which small enough steps converge on f = xy",
    caption="Simultaneous steps, upper half of the unit disc. Dashed: the criterion derived here, "
    "(1 − a)((1 − a)² + b²) + 2b² = 2(1 − a)², β = a + ib.",
    note="Every phase but 0 and π meets the region at |β| near 1, and none of the real β does.",
    experiment=plane,
    panels=(
        Panel(
            "region",
            {
                "x": "a",
                "y": "b",
                "boundary": {"criterion": edge()},
                "xlabel": r"Re $\beta$",
                "ylabel": r"Im $\beta$",
            },
        ),
    ),
    checks=(AGREES, NOT_ALL),
)

phase_table = PaperFigure(
    id="phase_table",
    title="f = xy: best spectral radius for each phase, by order of play",
    caption="Least spectral radius found over |β| ≤ 1 and γ.",
    note="Alternating play is no method of the library, whose methods know no players: its radii "
    "are those of its explicit matrix. Those of simultaneous play are also taken from the "
    "registered kernel.",
    experiment=bilinear,
    panels=(
        Panel("table", {"columns": ("order", "phase", "radius", "size", "gamma"), "digits": 4}),
    ),
    checks=(REAL, COMPLEX, KERNEL, POSITIVE, NEGATIVE, TURNED),
)

paper(
    "lorraine2022_complex",
    source="lorraine2022complex",
    figures=(runs, which_phase, small_steps, phase_table),
    claims=(
        Claim(
            "simultaneous, real",
            "no real momentum makes simultaneous updates converge on a bilinear game",
            check=REAL,
            figure="phase_table",
        ),
        Claim(
            "simultaneous, complex",
            "a complex momentum makes simultaneous updates converge on a bilinear game",
            check=COMPLEX,
            figure="phase_table",
        ),
        Claim(
            "alternating, real",
            "a negative momentum makes alternating updates converge on a bilinear game",
            check=NEGATIVE,
            figure="phase_table",
        ),
        Claim(
            "alternating, positive",
            "a positive momentum does not",
            check=POSITIVE,
            figure="phase_table",
        ),
        Claim(
            "alternating, complex",
            "a complex momentum makes alternating updates converge",
            check=TURNED,
            figure="phase_table",
        ),
        Claim(
            "cooperative games",
            "real β ≥ 0 is best where no coordinate is adversarial",
            check=COOPERATIVE,
            figure="which_phase",
        ),
        Claim(
            "adversarial games",
            "a complex β is best where a coordinate is fully adversarial",
            check=ADVERSARIAL,
            figure="which_phase",
        ),
        Claim(
            "adversarial games, real",
            "and there GDA and real β of either sign do not converge",
            check=LOST,
            figure="which_phase",
        ),
        Claim(
            "heavy ball",
            "at γ_max = 0 the best radius is Polyak's (√κ − 1)/(√κ + 1), κ = 16",
            check=BALL,
            figure="which_phase",
        ),
        Claim(
            "small steps",
            "β converges for all small enough steps where the criterion of the figure is positive "
            "(derived here)",
            check=AGREES,
            figure="small_steps",
        ),
        Claim(
            "not every step",
            "a complex β alone does not suffice: 0.9 exp(iπ/8) at γ = 1/10 diverges (ours)",
            check=NOT_ALL,
            figure="small_steps",
        ),
        Claim(
            "GANs",
            "complex momentum and its Adam variant improve the training of GANs",
            waiting="this optimiser in opcheck.torch and the paper's networks and data",
        ),
    ),
    missing={"GAN figures and tables": "they need the paper's networks, data and hours of a GPU"},
    doc="The abstract was read, and code that names the paper as its model; the numbers of its "
    "figures and theorems are not known here.",
)
