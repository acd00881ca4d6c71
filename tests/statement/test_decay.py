"""The order of a bound is judged against its text (F: a stated order was believed)."""

from __future__ import annotations

import math
from typing import Any

import pytest
from registered import stated

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.decay import check_order
from opcheck.evidence.statement.exact_parameters import setting
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.model import grammar
from opcheck.model.theorem import Theorem

HALPERN = "lieder2021_halpern"


def ordered(bound: str, order: str, **changes: Any) -> Theorem:
    return stated(HALPERN, bound=bound, order=order, **changes)


TRUE = {
    "R**2/(k + 1)": "1/k",
    "4*R**2/(k + 1)**2": "1/(k + 7)**2",
    "R**2/((k + 2)**2 - (k + 1)**2)": "1/k",
    "R**2*(sqrt(k + 4)/(k + 1))": "1/sqrt(k)",
    "R**2*(k/(k + 1))**k/(k + 1)": "1/k",
    "R**2*(1 - (k/(k + 1))**k)/(k + 1)": "1/k",
    "R**2/upto(1/(k + 1))": "1/log(k)",
    "R**2/upto(k)": "1/k**2",
    "R**2*log(k + 2)/(k + 1)**2": "log(k)/k**2",
    "R**2/(3**(k + 1) - 1)": "linear",
    "R**2*exp(-k)*(k + 1)": "linear",
    "R**2*max(1/(k + 1)**2, 4/(k + 9))": "1/k",
    "R**2*min(1/(k + 1)**2, 4/(k + 9))": "1/k**2",
    "R**2*where(k <= 1000, 1, 1/k)": "1/k",
    "4*R**2/(K + 1)**2": "1/k**2",
    "R**2*abs(1 - k)/(k + 1)**3": "1/k**2",
}
FALSE = {
    "R**2/(k + 1)": "1/k**2",
    "4*R**2/(k + 1)**2": "1/k",
    "R**2/((k + 2)**2 - (k + 1)**2)": "1/k**2",
    "R**2*(k/(k + 1))**k/(k + 1)": "linear",
    "R**2": "1/k",
    "R**2/upto(1/(k + 1))": "1/k",
    "R**2*where(k <= 1000, 1/k**2, 1/k)": "1/k**2",
    "R**2*(1/2)**k": "1/k",
    "R**2*(1 + 1/(k + 1))**k": "linear",
    "R**2*2**k": "linear",
}
UNTOLD = {
    "R**2*mod(k, 2)/(k + 1)": "1/k",
    "residual(anchor)": "1/k",
    "R**2*sin(k)": "1/k",
}


@pytest.mark.parametrize("bound", TRUE)
def test_the_order_of_a_bound_is_accepted(bound: str) -> None:
    check_order(ordered(bound, TRUE[bound]))


@pytest.mark.parametrize("bound", FALSE)
def test_another_order_is_refused_with_the_one_that_it_has(bound: str) -> None:
    with pytest.raises(OpcheckError, match="but the bound falls as"):
        well_posed(ordered(bound, FALSE[bound], first=1))


@pytest.mark.parametrize("bound", UNTOLD)
def test_an_order_that_cannot_be_told_is_refused(bound: str) -> None:
    with pytest.raises(OpcheckError, match=r"can't be held against the bound.* leave it out"):
        check_order(ordered(bound, UNTOLD[bound]))


@pytest.mark.parametrize("order", ["fast", "1/n", "1/k < 2", "exp(-k)", "1/", "R/k", "2"])
def test_what_is_no_order_is_refused_where_it_is_written(order: str) -> None:
    with pytest.raises(OpcheckError, match="order"):
        well_posed(stated(HALPERN, order=order))


def test_closed_ends_of_a_range_count() -> None:
    """At s = 0 and 1 the weights of the schedule add up like log k."""
    with pytest.raises(OpcheckError, match=r"falls as log\(k\)\^-1 at s = 0"):
        check_order(stated("baillon1996_km_last", order="1/k"))
    check_order(stated("baillon1996_km_last", where="0 < s < 1", order="1/k"))


def test_a_step_that_need_not_contract_is_not_linear() -> None:
    with pytest.raises(OpcheckError, match=r"falls as a constant at .*gamma = 1"):
        check_order(stated("elementary_fb_contraction", order="linear"))
    check_order(
        stated("elementary_fb_contraction", where="0 < mu, 0 < gamma < 2*beta", order="linear")
    )


FLOATS = {"sqrt": math.sqrt, "exp": math.exp, "log": math.log, "max": max, "min": min}


def in_floats(entry: Theorem, k: float) -> float:
    """The bound in the middle of the ranges at a late k, by Python's own evaluation of its text."""
    middle = setting(entry, entry.first, 1)
    values = {n: float(v) for n, v in {**middle.constants, **middle.parameters}.items()}
    tree = entry.right.tree
    while grammar.names(tree) & entry.let.keys():
        tree = grammar.replaced(tree, {n: grammar.parse(t) for n, t in entry.let.items()})
    scope = {**FLOATS, **values, "where": lambda c, a, b: a if c else b, "R": 1.0, "k": k, "K": k}
    return float(eval(grammar.unparse(tree), scope))


def test_orders_of_the_library_are_those_of_its_bounds() -> None:
    """Also in floats: of those that are powers the slope from k = 2²⁰ to 2²⁶."""
    slopes = {}
    for name in registry.names("theorems"):
        entry: Theorem = registry.get("theorems", name)
        if entry.order:
            check_order(entry)
        sums = grammar.functions(entry.right.tree) & grammar.ACCUMULATING
        if entry.order.startswith("1/k") and not sums:
            early, late = (in_floats(entry, 2.0**j) for j in (20, 26))
            slopes[name] = math.log2(early / late) / 6, {"1/k": 1, "1/k**2": 2}[entry.order]
    assert len(slopes) > 35
    assert [n for n, (slope, power) in slopes.items() if abs(slope - power) > 1e-3] == []


@pytest.mark.parametrize("order", ["0/k", "0", "1/k - 1/k"])
def test_what_is_0_is_no_order(order: str) -> None:
    with pytest.raises(OpcheckError, match="has no order"):
        check_order(ordered("R**2/(k + 1)", order))
