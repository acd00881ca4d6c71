"""Where the texts of a statement switch, and that no verdict is given on what lies before alone."""

from __future__ import annotations

from typing import Any

import pytest

from opcheck.evidence.simulation.verify import confront, summary
from opcheck.evidence.statement.switches import switches
from opcheck.evidence.worst_case.attack import attack
from opcheck.model.problem import problem
from opcheck.model.property import Cocoercive
from opcheck.model.theorem import Source, Theorem


def stated(bound: str, **changes: Any) -> Theorem:
    """The distance under gradient steps of a cocoercive operator."""
    return Theorem(
        "switching",
        method="gradient_descent_ascent",
        given=[Cocoercive("beta", of="F")],
        where="0 < gamma <= 2*beta",
        measure="distance",
        bound=bound,
        source=Source("none"),
        **changes,
    )


@pytest.mark.parametrize(
    ("bound", "at"),
    [
        ("where(k < 5000, R**2, 0)", (5000,)),
        ("where(5000 > k, R**2, 0)", (5000,)),
        ("where(sqrt(k) <= 100, R**2, 0)", (10000,)),
        ("where(k == 77777, 0, R**2)", (77777,)),
        ("where((k - 70000)**2 < 9, 0, R**2)", (69997, 69998, 70003, 70004)),
        ("where(k < 10**9/gamma, R**2, 0)", (2 * 10**9,)),
        ("where(K < 5000, R**2, 0)", (5000,)),
        ("max(0, 100000 - k)", (100000,)),
        ("R**2*(1 - floor(k/10000))", (10000,)),
        ("where(mod(k, 1000) < 5, R**2, 0)", (5,)),
        ("where(k*gamma < 1, R**2, 0)", (2, 3)),
        ("R**2/(k + 1)", ()),
    ],
)
def test_where_a_bound_switches(bound: str, at: tuple[int, ...]) -> None:
    """By hand, at γ = 1/2: the first k at which both sides are equal, or their order is another."""
    turns = switches(stated(bound), {"beta": 1.0, "gamma": 0.5, "R": 1.0})
    outer = max(turns, key=len, default="")
    assert (turns[outer].at if turns else ()) == at
    assert all(turn.of_k == ("K" not in part) for part, turn in turns.items())


def test_a_let_of_k_switches_too_and_a_record_does_not() -> None:
    bound = "where(distance < 1, R**2, c)"
    turns = switches(
        stated(bound, let={"c": "R**2*where(k < 400, 1, 0)"}), {"beta": 1.0, "gamma": 1.0, "R": 1.0}
    )
    assert turns.keys() == {"k < 400"}
    assert turns["k < 400"].at[0] == 400


@pytest.mark.parametrize(
    ("bound", "k"),
    [
        ("where(k < 5000, R**2, 0)", 5000),
        ("R**2*max(0, 1 - max(0, k - 10000))", 10001),
        ("R**2*(1 - floor(mod(k, 1001)/1000))", 1000),
    ],
)
def test_a_bound_that_switches_far_out_is_run_to_there(bound: str, k: int) -> None:
    """They held, and were attained, on the first 300 steps."""
    verdict = confront(stated(bound), problem("strongly_monotone(mu=0.01)"))
    assert verdict.status == "violated"
    assert verdict.k >= k
    assert attack(stated(bound), 1, budget=20, ends=False).worst.k >= k


def test_a_bound_that_switches_beyond_every_run_is_not_decided() -> None:
    on = [problem("strongly_monotone"), problem("bilinear")]
    over = summary(stated("where(k < 10**9, R**2, R**2)"), on)
    assert over.status == "inconclusive"
    assert "from k = 1000000000 on, where k < 10**9 switches" in over.reason
    assert over.holes == ["k: past k < 10**9"]
    near = summary(stated("where(k < 3000, R**2, 2*R**2)"), on)
    assert near.status in ("holds", "attained")
    assert not near.late
