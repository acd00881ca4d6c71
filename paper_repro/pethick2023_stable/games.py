"""The synthetic games of Figures 2, 3 and 6, on which interpolation tames cycling.

The problems are the paper's (Hsieh et al. 2021, Example 5.2; Pethick et al. 2022, Examples 3(iii)
and 5); its parameters are not printed in the text at hand, so these were chosen here to show what
its captions say. L is that of F on the box.
"""

from opcheck.plugin import (
    Panel,
    PaperFigure,
    PaperRun,
    Runs,
    ends_within,
    keeps_away,
    reaches_before,
)

LA_GDA = "lookahead(gradient_descent_ascent)"
LA_CEG_PLUS = "lookahead(ceg_plus)"
FLOOR = 1e-16  # of the residual axis
PANELS = (
    Panel("plane", {"title": ""}),
    Panel("rate", {"against": "oracle calls", "floor": FLOOR, "title": ""}),
)
BAND = "The rate panel shows the upper envelope of the natural residual."
LAST_ITERATE = (
    "F is not comonotone with any ρ > −1/L on the box, so no last-iterate theorem covers RAPP or "
    "LA-GDA here: their runs are an experiment."
)

FASTER = reaches_before("LA-GDA", "RAPP", 1e-3)
forsaken = PaperFigure(
    id="forsaken",
    number="Figure 2",
    title="Forsaken game, |x|, |y| ≤ 3/2: RAPP and APP at the same γ = 0.3 = 3.7/L",
    caption="EG with γ < 1/L and the approximate proximal point (APP) cycle; RAPP, which relaxes "
    "APP at the same γ above 1/L, converges, and so does LA-GDA with γ < 1/L. Recorded at outer "
    f"iterates, 15 000 oracle calls each; L = 12.4. {BAND}",
    note="No theorem covers this problem: its weak Minty constant is ρ = −1.52, ρL = −18.9, far "
    "below −1. This is an experiment.",
    experiment=Runs(
        "forsaken",
        {
            "EG": PaperRun("extragradient", 7500, {"gamma": 0.08}),
            "RAPP": PaperRun("rapp", 3000, {"gamma": 0.3, "lam": 0.1, "tau": 5}),
            "LA-GDA": PaperRun(LA_GDA, 15000, {"gamma": 0.08, "lam": 0.5, "tau": 20}, every=20),
            "APP": PaperRun("approximate_proximal_point", 3000, {"gamma": 0.3, "tau": 5}),
        },
        start=(1.0, 1.0),
    ),
    panels=PANELS,
    checks=(
        keeps_away("EG", 0.5),
        keeps_away("APP", 0.5),
        ends_within("RAPP", 1e-6),
        ends_within("LA-GDA", 1e-12),
        FASTER,
    ),
)

polar_game = PaperFigure(
    id="polar_game",
    number="Figure 3",
    title="Polar game, a = 1/3, |x|, |y| ≤ 11/10: the same γ = 0.15 = 0.95/L",
    caption="GDA stays on its limit cycle; LA-GDA, RAPP and LA-CEG+ converge. Recorded at outer "
    f"iterates, 5000 oracle calls each; L = 6.31. {BAND}",
    note="LA-CEG+ is covered by a bound on the average of ‖v‖², v ∈ S(z̄), since ρ = −0.0159 "
    f"> −1/(2L), not by a last-iterate bound. {LAST_ITERATE}",
    experiment=Runs(
        "polar_game",
        {
            "GDA": PaperRun("gradient_descent_ascent", 5000, {"gamma": 0.15}),
            "RAPP": PaperRun("rapp", 1000, {"gamma": 0.15, "lam": 0.5, "tau": 5}),
            "LA-GDA": PaperRun(LA_GDA, 5000, {"gamma": 0.15, "lam": 0.5, "tau": 5}, every=5),
            "LA-CEG+": PaperRun(
                LA_CEG_PLUS,
                2500,
                {"gamma": 0.15, "alpha": 0.39, "lam": 0.5, "tau": 5},
                every=5,
                theorem="pethick2023_la_ceg_plus",
            ),
        },
        start=(1.0, 1.0),
        parameters={"a": 1 / 3},
    ),
    panels=PANELS,
    checks=(
        keeps_away("GDA", 1.0),
        ends_within("RAPP", 1e-5, last=100),
        ends_within("LA-GDA", 1e-12),
        ends_within("LA-CEG+", 1e-5, last=100),
    ),
)

global_forsaken = PaperFigure(
    id="global_forsaken",
    number="Figure 3",
    title="Global Forsaken game, |x|, |y| ≤ 4/3: the same γ = 0.33 = 0.997/L",
    caption="GDA stays near the boundary; LA-GDA, RAPP and LA-CEG+ converge. Recorded at outer "
    f"iterates, 3000 oracle calls each; L = 3.02. {BAND}",
    note="LA-CEG+ is covered by a bound on the average of ‖v‖², v ∈ S(z̄), since ρ = −0.120 "
    f"> −1/(2L), not by a last-iterate bound. {LAST_ITERATE}",
    experiment=Runs(
        "global_forsaken",
        {
            "GDA": PaperRun("gradient_descent_ascent", 3000, {"gamma": 0.33}),
            "RAPP": PaperRun("rapp", 600, {"gamma": 0.33, "lam": 0.5, "tau": 5}),
            "LA-GDA": PaperRun(LA_GDA, 3000, {"gamma": 0.33, "lam": 0.5, "tau": 5}, every=5),
            "LA-CEG+": PaperRun(
                LA_CEG_PLUS,
                1500,
                {"gamma": 0.33, "alpha": 0.13, "lam": 0.5, "tau": 5},
                every=5,
                theorem="pethick2023_la_ceg_plus",
            ),
        },
        start=(1.0, 1.0),
    ),
    panels=PANELS,
    checks=(
        keeps_away("GDA", 1.0),
        ends_within("RAPP", 1e-12),
        ends_within("LA-GDA", 1e-12),
        ends_within("LA-CEG+", 1e-5, last=100),
    ),
)

app_iterates = PaperFigure(
    id="app_iterates",
    number="Figure 6",
    title="Forsaken game: APP at γ = 0.3 = 3.7/L",
    caption="The iterates of the approximate proximal point that the figure of the game leaves to "
    "this one: they settle on a cycle.",
    note="No theorem covers this problem. This is an experiment.",
    experiment=Runs(
        "forsaken",
        {"APP": PaperRun("approximate_proximal_point", 3000, {"gamma": 0.3, "tau": 5})},
        start=(1.0, 1.0),
    ),
    panels=PANELS,
    checks=(keeps_away("APP", 0.5),),
)
