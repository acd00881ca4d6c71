"""Marion, Berthier (2023): with slow inner weights, a shallow network covers every jump.

The target, the network and the step sizes are those of the authors' code. The text of the paper's
theorem was not at hand: what is said of the limit flow here is derived, and its proof is short.
"""

import numpy as np

from opcheck.plugin import Check, Claim, Panel, PaperFigure, column, paper
from opcheck_paper_repro.marion2023_two_timescale.experiment import (
    equal_steps,
    gradient_flow,
    limit_flow,
    probability,
    regimes,
    singular,
    training,
)
from opcheck_paper_repro.marion2023_two_timescale.network import WIDTH

INVARIANT = column(
    "drift", "drift", np.max, high=1e-11, sentence="y³ − x³ stays along the flow (relative drift)"
)
LATEST = column(
    "flow", "arrival", np.max, high=4 * (1 + 1e-9), sentence="arrival T ≤ 4 min(x₀, y₀)/W²"
)
EARLIEST = column("flow", "arrival", np.min, low=1, sentence="arrival T ≥ min(x₀, y₀)/W²")
EQUAL = column(
    "flow",
    "arrival",
    lambda values: values[-1],
    low=4 * (1 - 1e-9),
    high=4 * (1 + 1e-9),
    sentence="T = 4 min(x₀, y₀)/W² where x₀ = y₀",
)
STEEP = column(
    "flow", "steepness", np.min, low=0.125 * (1 - 1e-12), sentence="‖∇l‖² ≥ W⁴/8 before arrival"
)

FOLLOWS = column(
    "gaps",
    "largest",
    np.max,
    high=0.02,
    h=1e-4,
    sentence="SGD with h = 1e-4 stays near the limit after a fifth of the time (|difference|)",
)
FOLLOWS_COARSELY = column(
    "gaps", "last", np.max, high=0.02, h=1e-3, sentence="SGD with h = 1e-3 ends near the limit"
)
LIMIT_ARRIVES = column("end", "limit", np.max, high=0, sentence="the limit has loss 0 at τ = 0.15")
COVERS = column(
    "end",
    "gap",
    np.max,
    high=WIDTH / 2,
    sentence="every jump has a neuron within η/2 at τ = 0.15",
)
FLOOR = column(
    "end",
    "floor",
    np.max,
    low=1 - 1e-9,
    high=1 + 1e-9,
    sentence="the loss with a neuron at each jump, in units of (η/28) Σ W²",
)
SLOPES = Check(
    "the loss at τ = 0.15 with the rectangular slope, less that with the true one",
    lambda parts: float(parts["end"]["rectangular"][0] - parts["end"]["loss"][0]),
    -0.005,
    0.005,
)

FLOW_ARRIVES = column(
    "ends",
    "gap",
    np.max,
    high=WIDTH / 2,
    ε=2e-4,
    sentence="the flow with ε = 2e-4 has a neuron within η/2 of every jump at τ = 0.15",
)
FLOW_AT_FLOOR = column(
    "ends",
    "loss",
    np.max,
    high=0.0085,
    ε=2e-4,
    sentence="and a loss of no more than (η/28) Σ W² = 0.008 and 6 %",
)
FLOW_FOLLOWS = column(
    "ends",
    "apart",
    np.max,
    high=0.03,
    ε=2e-4,
    sentence="it stays near the limit after a fifth of that time (|difference|)",
)
FLOW_AWAY = column(
    "later", "loss", np.min, low=0.5, sentence="the loss of the flow with ε = 1 at τ = 1.5"
)

INSIDE = column(
    "runs",
    "gap",
    np.max,
    high=WIDTH / 2,
    ε=0.01,
    sentence="for ε = 0.01 every seed has a neuron within η/2 of every jump",
)
LOW = column("runs", "loss", np.median, high=0.03, ε=0.01, sentence="median loss for ε = 0.01")
OUTSIDE = column("runs", "loss", np.min, low=0.2, ε=1.0, sentence="smallest loss for ε = 1")
STUCK = column("end", "loss", np.max, low=0.2, sentence="the loss for ε = 1 at τ = 10")
BARE = column(
    "end", "gap", np.max, low=WIDTH / 2, sentence="some jump is farther than η/2 from a neuron"
)


def _below(parts):
    """The most by which the share lies below its bound, in standard errors at the bound."""
    draws = parts["draws"]
    return float(((draws["bound"] - draws["measured"]) / draws["error"]).max())


OFTEN = Check(
    "the share of starts that arrive in time is at least the bound (standard errors below it)",
    _below,
    high=3,
)


def _slope(name):
    """The slope of the log of a column over log ε, ε ≤ 0.01, that is farthest from 1."""

    def value(parts):
        slopes = []
        for _, rows in parts["singular"].groups("H"):
            small = rows["ε"] <= 0.01
            slopes.append(np.polyfit(np.log(rows["ε"][small]), np.log(rows[name][small]), 1)[0])
        return float(max(slopes, key=lambda slope: abs(slope - 1)))

    return value


LINEAR = Check(
    "sup ‖u_ε − u₀‖ is linear in ε (slope farthest from 1)", _slope("deviation"), 0.95, 1.05
)
SLOW = Check(
    "the slow eigenvalues are O(ε) from those of the Schur complement (slope farthest from 1)",
    _slope("eigenvalues"),
    0.95,
    1.05,
)
IMPLICIT = column(
    "implicit",
    "ratio",
    np.max,
    high=1 + 1e-12,
    sentence="implicit steps contract by 1/(1 + τμ), μ of the Schur complement (measured/bound)",
)

limit = PaperFigure(
    id="limit_flow",
    title="The two neurons beside a jump of height W, in the limit ε → 0, η → 0",
    caption="(a) The first of them arrives at a time between min(x₀, y₀)/W² and four times that, "
    "the latter where both start equally far; (b) until then the landscape is steep.",
    note="Derived here: y³ − x³ is an integral of x′ = −W²y²/(x + y)², y′ = −W²x²/(x + y)², which "
    "leaves T = W⁻² ∫ (1 + s/y(s))² ds.",
    experiment=limit_flow,
    panels=(
        Panel(
            "lines",
            {
                "x": "share",
                "y": "arrival",
                "bounds": {"bound 4": lambda x: 0 * x + 4, "bound 1": lambda x: 0 * x + 1},
                "xlabel": "x₀/y₀",
                "ylabel": "T W²/x₀",
            },
            of="flow",
        ),
        Panel(
            "lines",
            {
                "x": "share",
                "y": "steepness",
                "bounds": {"bound 1/8": lambda x: 0 * x + 0.125},
                "xlabel": "x₀/y₀",
                "ylabel": "‖∇l‖²/W⁴",
            },
            of="flow",
        ),
    ),
    checks=(INVARIANT, LATEST, EARLIEST, EQUAL, STEEP),
)

inside = PaperFigure(
    id="training",
    title="SGD with ε = 2e-5, m = 20, η = 4e-3, label noise in [−1, 1]",
    caption="(a) The loss of SGD follows that of the limit flow, the closer the smaller h, up to "
    "what the width η and the noise cost; 1.75e6 and 1.75e7 steps. (b) After slow time 0.15 a "
    "neuron stands at each jump.",
    note="The paper's theorem is about the gradient flow: of SGD this is an experiment. h = 1e-3 "
    "is the short run of the authors' code, whose long one has 1e-5; 1e-4 is ours. Positions are a "
    "draw of which each piece of the target holds two.",
    experiment=training,
    parameters="paper",
    panels=(
        Panel(
            "lines",
            {
                "x": "slow_time",
                "y": "loss",
                "by": "series",
                "vertical": "log",
                "xlabel": "slow time τ = ε h t",
            },
            of="loss",
        ),
        Panel("profile", {"ticks": "neurons"}, of="network"),
    ),
    checks=(FOLLOWS, FOLLOWS_COARSELY, LIMIT_ARRIVES, COVERS, FLOOR, SLOPES),
)

flows = PaperFigure(
    id="gradient_flow",
    title="The gradient flow of the loss, without noise, over ε",
    caption="(a) For ε small the flow comes down along the limit to what the width η costs, 0.008; "
    "for larger ε it is far above. (b) With ε = 1 some jumps have no neuron at slow time 1.5.",
    note="This is what the paper's theorem is about; its thresholds for ε and η were not read. "
    "Euler steps of exact gradients.",
    experiment=gradient_flow,
    panels=(
        Panel(
            "lines",
            {
                "x": "slow_time",
                "y": "loss",
                "by": "series",
                "vertical": "log",
                "xlabel": "slow time τ = ε t",
            },
            of="loss",
        ),
        Panel("profile", {"ticks": "neurons"}, of="network"),
    ),
    checks=(FLOW_ARRIVES, FLOW_AT_FLOOR, FLOW_FOLLOWS, FLOW_AWAY),
)

outside = PaperFigure(
    id="equal_steps",
    title="SGD with equal step sizes, ε = 1, after 1e6 steps",
    caption="The inner weights move before the outer ones have settled: a jump is left without a "
    "neuron, and the loss stays.",
    experiment=equal_steps,
    parameters="paper",
    panels=(Panel("profile", {"ticks": "neurons"}, of="network"),),
    checks=(STUCK, BARE),
)

over_epsilon = PaperFigure(
    id="regimes",
    title="The same slow time 3 at h = 1e-5 for three ε, five seeds each",
    caption="(a) loss and (b) largest distance of a jump to a neuron, dashed η/2.",
    experiment=regimes,
    parameters="paper",
    panels=(
        Panel("boxes", {"y": "loss", "by": "ε", "vertical": "log"}, of="runs"),
        Panel(
            "boxes",
            {
                "y": "gap",
                "by": "ε",
                "vertical": "log",
                "level": WIDTH / 2,
                "ylabel": "from a jump to the nearest neuron",
            },
            of="runs",
        ),
    ),
    checks=(INSIDE, LOW, OUTSIDE),
    note="The number of seeds is ours. At one slow time a larger ε has made fewer steps: 3e7, 3e6 "
    "and 3e5.",
)

starts = PaperFigure(
    id="probability",
    title="Random positions: loss 0 of the limit at slow time 0.4/Δf²",
    caption="The share of starts that have arrived, over the number of neurons m, and the bound "
    "1 − n(1 − 2r)^m − Σ_d ((1 − d)^m + m d (1 − d)^(m − 1)), r = 0.1, d the lengths of pieces.",
    note="The bound is derived here, by a union over jumps and pieces.",
    experiment=probability,
    panels=(
        Panel(
            "lines",
            {"x": "m", "y": "measured", "dots": True, "bounds": "bound", "ylabel": "share"},
            of="draws",
        ),
    ),
    checks=(OFTEN,),
)

linear = PaperFigure(
    id="singular",
    title="Fast and slow variables of a quadratic: distance to the limit ε → 0",
    caption="Four random positive definite H of three fast and three slow variables, on a "
    "logarithmic scale; dashed slope 1.",
    note="Both flows by exponentials of matrices; the start of a is its least squares at u(0).",
    experiment=singular,
    panels=(
        Panel(
            "lines",
            {
                "x": "ε",
                "y": "deviation",
                "by": "H",
                "horizontal": "log",
                "vertical": "log",
                "ylabel": "sup ‖u_ε − u₀‖",
                "bounds": {"slope 1": lambda x: 0.1 * x},
            },
            of="singular",
        ),
    ),
    checks=(LINEAR, SLOW, IMPLICIT),
)

paper(
    "marion2023_two_timescale",
    source="marion2023leveraging",
    figures=(limit, inside, flows, outside, over_epsilon, starts, linear),
    claims=(
        Claim(
            "global convergence",
            "for any target, with enough neurons, and η and ε below thresholds, the gradient flow "
            "comes to any loss with a stated probability",
            waiting="the text of the theorem: its constants are not at hand",
        ),
        Claim(
            "the flow converges",
            "inside the regime the gradient flow comes to a global minimum, though L is not convex",
            check=FLOW_ARRIVES,
            figure="gradient_flow",
        ),
        Claim(
            "the flow fails outside",
            "outside of it a start is far from one after ten times that slow time; of later times "
            "nothing is said",
            check=FLOW_AWAY,
            figure="gradient_flow",
        ),
        Claim(
            "time of convergence",
            "that takes a slow time of order 1/Δf², Δf the smallest jump: in the limit at most "
            "4 min(x₀, y₀)/W² for each jump",
            check=LATEST,
            figure="limit_flow",
        ),
        Claim(
            "SGD follows the flow",
            "with small ε the loss of SGD is that of the limit flow",
            check=FOLLOWS,
            figure="training",
        ),
        Claim(
            "inside the regime",
            "for small ε SGD finds every jump",
            check=INSIDE,
            figure="regimes",
        ),
        Claim(
            "outside the regime",
            "with equal step sizes SGD can fail",
            check=OUTSIDE,
            figure="regimes",
        ),
        Claim(
            "one failure",
            "with equal step sizes a jump stays without a neuron",
            check=BARE,
            figure="equal_steps",
        ),
        Claim(
            "slope in the code",
            "the inner weights move along the gradient of the loss",
            check=SLOPES,
            figure="training",
            differs="the authors' code moves them with the rectangular slope 1{|z| ≤ 1/2} in place "
            "of the derivative 12(1/2 − |z|)² of its own s; runs end alike",
        ),
        Claim(
            "invariant",
            "ours: y³ − x³ is constant along the limit flow",
            check=INVARIANT,
            figure="limit_flow",
        ),
        Claim(
            "earliest arrival",
            "ours: no neuron arrives before min(x₀, y₀)/W²",
            check=EARLIEST,
            figure="limit_flow",
        ),
        Claim(
            "the bound is attained",
            "ours: T = 4 min(x₀, y₀)/W² for x₀ = y₀",
            check=EQUAL,
            figure="limit_flow",
        ),
        Claim(
            "sharp landscape",
            "ours: ‖∇l‖² ≥ W⁴/8 for each jump without a neuron, so that the limit arrives in "
            "finite time",
            check=STEEP,
            figure="limit_flow",
        ),
        Claim(
            "random starts",
            "ours: the limit has loss 0 at τ = 4r/Δf² with at least the probability drawn",
            check=OFTEN,
            figure="probability",
        ),
        Claim(
            "floor",
            "ours: with a neuron at each jump the loss is (η/28) Σ W²",
            check=FLOOR,
            figure="training",
        ),
        Claim(
            "distance to the limit",
            "ours: for quadratics the slow variables are O(ε) from their limit",
            check=LINEAR,
            figure="singular",
        ),
        Claim(
            "slow eigenvalues",
            "ours: those of the flow in slow time are those of the Schur complement + O(ε)",
            check=SLOW,
            figure="singular",
        ),
        Claim(
            "a degenerate preconditioner",
            "ours: an implicit step in u alone, with a at its least squares, is a resolvent of ∇L "
            "with diag(0, I), and contracts by 1/(1 + τμ)",
            check=IMPLICIT,
            figure="singular",
        ),
    ),
    missing={
        "experiments in dimension 2 and 10, and with ReLU": "not tried: their networks and "
        "batches are larger, and the theorem is about dimension 1",
    },
    doc="Read: abstract and the authors' code. The theorem's constants were not read.",
)
