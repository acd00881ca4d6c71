"""Garrigos, Gower (2023): proofs of gradient methods, and how near their bounds are to runs.

Statements are as remembered, without their numbers, and each was derived again before it was
written here. Problems are ours. Where steps are affine the mean over draws is exact.
"""

import numpy as np

from opcheck.plugin import Check, Claim, Panel, PaperFigure, column, paper
from opcheck_paper_repro.garrigos2023_handbook.experiment import STEPS, floors, statements

SAYS = {
    "GD, convex": "f(x_t) − f* ≤ D²/(2γt), γ ≤ 1/L",
    "GD, strongly convex": "‖x_t − x*‖² ≤ (1 − γμ)^t D², γ ≤ 1/L",
    "GD, PL": "f(x_t) − f* ≤ (1 − γμ)^t (f(x₀) − f*), γ ≤ 1/L",
    "SGD, convex, average": "E f(x̄_t) − f* ≤ D²/(γt) + 2γσ², γ ≤ 1/(4 L_max)",
    "SGD, convex, steps 1/√t": "E f(x̄_t) − f* ≤ (D²/2 + σ² Σ γ²)/Σ γ(1 − 2γ L_max), average by "
    "these weights, γ < 1/(2 L_max)",
    "SGD, strongly convex": "E‖x_t − x*‖² ≤ (1 − γμ)^t D² + 2γσ²/μ, γ ≤ 1/(2 L_max)",
    "SGD, PL": "E f(x_t) − f* ≤ (1 − γμ)^t (f(x₀) − f*) + γ L L_max Δ*/μ, γ ≤ μ/(L L_max), Δ* the "
    "mean of f_i(x*) − inf f_i",
    "minibatch SGD, convex, average": "the same with L_b = (n(b − 1)L + (n − b)L_max)/(b(n − 1)) "
    "and σ²(n − b)/(b(n − 1)), batches without replacement",
    "minibatch SGD, strongly convex": "the same with these constants",
    "SGD with momentum, last iterate": "E f(x_t) − f* ≤ D²/(γ(t + 1)) + 2γσ², γ ≤ 1/(4 L_max)",
    "subgradient method, average": "f(x̄_t) − f* ≤ D²/(2γt) + γG²/2",
    "stochastic subgradient method, average": "the same in expectation",
    "proximal GD, convex": "F(x_t) − F* ≤ D²/(2γt), γ ≤ 1/L",
    "proximal GD, strongly convex": "‖x_t − x*‖² ≤ (1 − γμ)^t D², γ ≤ 1/L",
    "stochastic proximal GD, strongly convex": "E‖x_t − x*‖² ≤ (1 − γμ)^t D² + 2γσ_F²/μ, "
    "γ ≤ 1/(2 L_max)",
}


def bounded(statement: str) -> Check:
    """Measured over bound of one line of the table."""
    return column(
        "statements",
        "ratio",
        np.max,
        high=1,
        statement=statement,
        sentence=f"{statement}: measured/bound",
    )


LOW = column(
    "ends", "ratio", np.max, high=1, sentence="E‖x − x*‖² stays below its bound for each step"
)
SHRINKS = Check(
    "the mean at the end with 1/16 of the step, over that with the whole step",
    lambda parts: float(parts["means"]["γ = γ₀/16"][-1] / parts["means"]["γ = γ₀"][-1]),
    low=1 / 20,
    high=1 / 12,
)
HALF = column(
    "statements",
    "ratio",
    np.max,
    low=STEPS / (2 * STEPS + 1) * (1 - 1e-9),
    high=0.5,
    statement="GD, convex",
    sentence="GD, convex: the Huber function comes to t/(2t + 1) of the bound",
)
TIGHT = column(
    "statements",
    "ratio",
    np.max,
    low=0.9,
    high=1,
    statement="SGD, PL",
    sentence="SGD, PL: the bound is met up to a tenth",
)
LOOSE = column(
    "statements",
    "ratio",
    np.max,
    high=0.25,
    statement="SGD with momentum, last iterate",
    sentence="SGD with momentum: no problem of ours comes to a quarter of the bound",
)

over_steps = PaperFigure(
    id="floors",
    title="SGD on least squares: E‖x_t − x*‖² for three constant steps",
    caption="Small steps end lower and come there later; dashed (1 − γμ)^t D² + 2γσ²/μ; "
    "γ₀ = 1/(2 L_max). Means are "
    "exact, by the recursion of second moments.",
    experiment=floors,
    width=5.0,
    panels=(
        Panel(
            "lines",
            {
                "x": "k",
                "y": ("γ = γ₀", "γ = γ₀/4", "γ = γ₀/16"),
                "bounds": {name: name for name in ("bound, γ₀", "bound, γ₀/4", "bound, γ₀/16")},
                "vertical": "log",
                "ylabel": "E‖x_t − x*‖²",
            },
            of="means",
        ),
    ),
    checks=(LOW, SHRINKS),
)

lines = PaperFigure(
    id="statements",
    title="Statements and the largest measured/bound over problems, steps and t ≤ 300",
    caption="Exact means are over all draws; runs are deterministic. Steps are 1, 1/2 and 1/10 of "
    "the largest that is allowed.",
    note="Least squares, with six random problems for each line; the Huber function for GD; lasso "
    "for proximal GD, a hyperplane for stochastic proximal GD, mean |a_i·x − y_i| for the others.",
    experiment=statements,
    panels=(Panel("table", {"digits": 4}, of="statements"),),
    width="double",
    checks=tuple(bounded(statement) for statement in SAYS),
)

paper(
    "garrigos2023_handbook",
    source="garrigos2023handbook",
    figures=(over_steps, lines),
    claims=(
        *(
            Claim(statement, says, check=bounded(statement), figure="statements")
            for statement, says in SAYS.items()
        ),
        Claim(
            "steps of GD contract",
            "‖x⁺ − x*‖² ≤ (1 − γμ)‖x − x*‖², also with a proximal step: by the sharper factor "
            "1 − γμ(2 − γL)",
            theorem="elementary_fb_contraction",
        ),
        Claim(
            "small steps end lower",
            "the floor of SGD is proportional to the step",
            check=SHRINKS,
            figure="floors",
        ),
        Claim(
            "GD, sharp",
            "ours: the bound of GD for convex f is twice what is attained",
            check=HALF,
            figure="statements",
        ),
        Claim(
            "SGD, PL, sharp",
            "ours: that of SGD under PL is met up to a tenth",
            check=TIGHT,
            figure="statements",
        ),
        Claim(
            "momentum, loose",
            "ours: that of momentum is not approached on least squares",
            check=LOOSE,
            figure="statements",
        ),
        Claim(
            "stochastic proximal GD, convex",
            "the average of stochastic proximal steps",
            waiting="the text of the statement: its constants are not remembered",
        ),
        Claim(
            "stochastic Polyak steps",
            "SGD whose step is read off f_i(x) − inf f_i",
            waiting="the text of the statement, and means of iterations that are not affine",
        ),
    ),
    doc="Read: the abstract. Statements are as remembered, and derived again.",
)
