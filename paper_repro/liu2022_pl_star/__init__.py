"""Liu, Zhu, Belkin (2022): the PL* condition, certified of wide networks before they are trained.

½‖∇L‖² ≥ μ L on a ball follows from λ_min(K) ≥ μ there, K = DF DFᵀ. The paper's constants are as
remembered; what they give is derived again in the README, and all parameters are ours.
"""

import numpy as np

from opcheck.plugin import Check, Claim, Panel, PaperFigure, column, paper
from opcheck_paper_repro.liu2022_pl_star.experiment import (
    batches,
    nonconvex,
    relaxed,
    sizes,
    widths,
)


def _of_certified(measure):
    """The largest value over certified widths, NaN where none is certified."""

    def value(parts):
        rows = parts["widths"].where(certified="yes")
        return float(np.max(measure(rows))) if len(rows) else np.nan

    return value


def _exponent(name, start):
    """The slope of a column over m, in log-log axes."""

    def value(parts):
        rows = parts["sizes"].where(start=start)
        return float(np.polyfit(np.log(rows["m"]), np.log(rows[name]), 1)[0])

    return value


def _early_slope(parts):
    """The slope of steps over b up to an eighth of β/μ that is farthest from −1."""
    slopes = []
    for _, rows in parts["batches"].groups("instance"):
        small = rows["b"] <= rows["critical"] / 8
        slopes.append(np.polyfit(np.log(rows["b"][small]), np.log(rows["steps"][small]), 1)[0])
    return float(max(slopes, key=lambda value: abs(value + 1)))


def _late_share(parts):
    """The largest quotient of steps at 8 β/μ and at the largest batch."""
    quotients = []
    for _, rows in parts["batches"].groups("instance"):
        large = rows["steps"][rows["b"] >= 8 * rows["critical"]]
        quotients.append(large[0] / large[-1])
    return float(max(quotients))


CONVERGES = Check(
    "L ≤ (1 − hμ)^k L₀ for each certified width (measured/bound, k ≥ 1)",
    _of_certified(lambda rows: rows["ratio"]),
    high=1,
)
STAYS = Check(
    "the iterates stay in the ball of each certificate (share of R)",
    _of_certified(lambda rows: rows["moved"] / rows["R"]),
    high=1,
)
CONDITIONED = Check(
    "λ_min(K) stays above the certified μ (μ over it)",
    _of_certified(lambda rows: rows["mu"] / rows["least"]),
    high=1,
)
WIDE = Check(
    "the least certified width",
    lambda parts: float(parts["widths"].where(certified="yes")["m"].min()),
    257,
    512,
)
ABSTAINS = Check(
    "the largest L at the end without a certificate: descent converges all the same",
    lambda parts: float(parts["widths"].where(certified="no")["last"].max()),
    high=1e-20,
)
HESSIAN = Check("the slope of max ‖D²F_i‖ over m", _exponent("hessian", "in pairs"), -0.501, -0.499)
KERNEL = Check(
    "the slope of the kernel's change over m, from pairs",
    _exponent("change", "in pairs"),
    high=-0.5,
)
FASTER = Check(
    "the slope of the kernel's change over m, from pairs, is about −1",
    _exponent("change", "in pairs"),
    -1.15,
    -0.85,
)
DOWN_TO = column("ends", "ratio", np.max, high=1, sentence="L ≤ max(ε, (1 − hμ)^k L₀) (quotient)")
ABOVE = column(
    "ends",
    "least quotient over μ, L ≥ ε",
    np.min,
    low=1,
    sentence="½‖∇L‖² ≥ μ L as long as L ≥ ε (quotient over μ)",
)
BELOW = column(
    "ends", "last quotient over μ", np.max, high=1e-6, sentence="and no longer at the least L"
)
CURVED = column(
    "points", "lowest", np.max, high=-1e-4, sentence="∇²L has a negative eigenvalue at L = 2e-6"
)
PL_THERE = column("points", "kernel", np.min, low=1.9, sentence="K stays above 1.9 there")
IN_THE_MEAN = column(
    "batches", "ratio", np.max, high=1, sentence="E L ≤ (1 − μh*)^k L₀, exactly (k ≥ 1)"
)
SPEED_UP = Check("the slope of steps over b ≤ β/(8μ)", _early_slope, -1.05, -0.9)
SATURATES = Check("steps at b ≈ 8β/μ, over those at b = 4096", _late_share, high=1.3)

certificates = PaperFigure(
    id="certificates",
    title="Gradient descent on wide networks, n = 3, d = 4, with the certified step",
    caption="The loss, and the envelope (1 − hμ)^k that was certified before the first step; from "
    "m = 512 on there is a certificate.",
    note="For m = 64 and 256 the hypotheses are not certified, and descent converges all the same.",
    experiment=widths,
    panels=(
        Panel(
            "lines",
            {
                "x": "k",
                "y": "L/L₀",
                "by": "series",
                "vertical": "log",
                "bounds": {"(1 − hμ)^k of m = 16384": "bound"},
            },
            of="curves",
        ),
    ),
    checks=(WIDE, CONVERGES, STAYS, CONDITIONED, ABSTAINS),
)

table = PaperFigure(
    id="widths",
    title="What is certified of each width, and what training does",
    caption="μ and R hold before the first step; R = 2 L_F r₀/μ with the step 1/(L_F² + β_F r₀).",
    experiment=widths,
    panels=(Panel("table", {"digits": 3}, of="widths"),),
    width="double",
    checks=(CONVERGES, STAYS),
)

scaling = PaperFigure(
    id="scaling",
    title="The second derivative of F at the start, and the change of K in training",
    caption="(a) max ‖D²F_i‖ halves where m is four times as large; (b) the change of K is of "
    "order 1/m from pairs of opposite neurons, and irregular from independent ones.",
    experiment=sizes,
    panels=(
        Panel(
            "lines",
            {
                "x": "m",
                "y": "hessian",
                "by": "start",
                "horizontal": "log",
                "vertical": "log",
                "bounds": {"4/(3√3 √m)": "bound"},
            },
            of="sizes",
        ),
        Panel(
            "lines",
            {
                "x": "m",
                "y": "change",
                "by": "start",
                "horizontal": "log",
                "vertical": "log",
                "bounds": {"slope −1/2": lambda m: 1 / np.sqrt(m)},
            },
            of="sizes",
        ),
    ),
    checks=(HESSIAN, KERNEL, FASTER),
)

almost = PaperFigure(
    id="relaxed",
    title="Two labels for one input: PL* down to ε = 2 min L",
    caption="(a) The loss falls below ε as fast as the relaxed condition says; (b) ½‖∇L‖²/L stays "
    "above μ until then, and vanishes at the least loss.",
    note="With the equal outputs put together there is a solution and a certificate λ; ½‖∇L‖² ≥ "
    "λ(L − min L) ≥ μ L for L ≥ ε, with μ = λ/2.",
    experiment=relaxed,
    panels=(
        Panel(
            "lines",
            {"x": "k", "y": "L", "vertical": "log", "bounds": {"max(ε, (1 − hμ)^k L₀)": "bound"}},
            of="curve",
        ),
        Panel(
            "lines",
            {
                "x": "k",
                "y": "quotient",
                "ylabel": "½‖∇L‖²/L",
                "bounds": {"μ": "μ"},
            },
            of="curve",
        ),
    ),
    checks=(DOWN_TO, ABOVE, BELOW),
)

valley = PaperFigure(
    id="nonconvex",
    title="L = ½(w₁w₂ − 1)² at L = 2e-6: no convexity, and PL* all the same",
    caption="The least eigenvalue of ∇²L beside the curve of solutions; K = w₁² + w₂² ≥ 2.",
    experiment=nonconvex,
    panels=(
        Panel("lines", {"x": "w1", "y": "lowest", "ylabel": "least eigenvalue of ∇²L"}),
        Panel("lines", {"x": "w1", "y": "kernel", "ylabel": "K"}),
    ),
    checks=(CURVED, PL_THERE),
)

over_batches = PaperFigure(
    id="batches",
    title="SGD on consistent least squares: steps to L₀/1000 over the batch size",
    caption="Steps at h* = bμ/(λ(β + μ(b − 1))) fall as 1/b for b far below β/μ = 54 to 89 (of "
    "three instances), and no further beyond. E L is exact, by its recursion.",
    experiment=batches,
    panels=(
        Panel(
            "lines",
            {
                "x": "b",
                "y": "steps",
                "by": "instance",
                "horizontal": "log",
                "vertical": "log",
                "bounds": {"slope −1": lambda b: 2500 / b},
            },
        ),
    ),
    checks=(IN_THE_MEAN, SPEED_UP, SATURATES),
)

paper(
    "liu2022_pl_star",
    source="liu2022loss",
    figures=(certificates, table, scaling, almost, valley, over_batches),
    claims=(
        Claim(
            "PL* gives convergence",
            "with λ_min(K) ≥ μ on B(w₀, 2 L_F r₀/μ) and h ≤ 1/(L_F² + β_F r₀), gradient descent "
            "has L ≤ (1 − hμ)^k L₀",
            check=CONVERGES,
            figure="certificates",
        ),
        Claim("in the ball", "and it stays in that ball", check=STAYS, figure="certificates"),
        Claim(
            "wide networks are PL*",
            "sufficiently wide networks satisfy the condition around their start: here from "
            "m = 512 on",
            check=WIDE,
            figure="certificates",
        ),
        Claim(
            "the kernel stays conditioned",
            "λ_min(K) ≥ μ on the way",
            check=CONDITIONED,
            figure="certificates",
        ),
        Claim(
            "small second derivative",
            "‖D²F‖ is of order 1/√m",
            check=HESSIAN,
            figure="scaling",
        ),
        Claim(
            "the kernel is almost constant",
            "so that K changes by O(1/√m) on a ball",
            check=KERNEL,
            figure="scaling",
        ),
        Claim(
            "how constant",
            "ours: from pairs of opposite neurons the first order cancels, and K changes by O(1/m)",
            check=FASTER,
            figure="scaling",
        ),
        Claim(
            "essential non-convexity",
            "L is convex in no neighbourhood of its solutions, and PL* there: on "
            "L = ½(w₁w₂ − 1)², at points beside a stretch of them",
            check=CURVED,
            figure="nonconvex",
        ),
        Claim(
            "relaxed PL*",
            "where PL* holds for L ≥ ε, descent comes down to ε at its rate",
            check=DOWN_TO,
            figure="relaxed",
        ),
        Claim(
            "relaxed PL* has an end",
            "almost over-parameterised systems satisfy it down to ε, and not at the least loss",
            check=BELOW,
            figure="relaxed",
        ),
        Claim(
            "SGD",
            "with batches of b, E L ≤ (1 − μh*)^k L₀; here for the mean of the losses, "
            "h* = bμ/(λ(β + μ(b − 1))), derived in the README",
            check=IN_THE_MEAN,
            figure="batches",
        ),
        Claim(
            "batches speed up",
            "ours: as 1/b for b far below β/μ",
            check=SPEED_UP,
            figure="batches",
        ),
        Claim(
            "batches saturate",
            "ours: and no further above it",
            check=SATURATES,
            figure="batches",
        ),
        Claim(
            "depth",
            "networks of any fixed depth, convolutional and residual ones are PL* where wide",
            waiting="a certificate for more than one hidden layer",
        ),
    ),
    doc="Read: the abstract. Constants of the theorems are as remembered, and derived again.",
)
