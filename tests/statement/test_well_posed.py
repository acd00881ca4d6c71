"""A statement that is not real on its range is refused; one that is said to be real is so."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.parameters import base_scope
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.model.property import Lipschitz, StronglyMonotone
from opcheck.model.signature import RESERVED
from opcheck.model.text import text
from opcheck.model.theorem import Source, Theorem, theorem

registry.load()
BASE: Theorem = registry.get("theorems", "gorbunov2022_eg_last")  # 0 < gamma < 1/L


def with_bound(formula: str, **changes: object) -> Theorem:
    changes = {"bound": f"R**2*({formula})", "order": "", "proof": None, **changes}
    return dataclasses.replace(BASE, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", registry.names("theorems"))
@pytest.mark.sampled(4)
def test_the_library_is_real_on_its_ranges(name: str) -> None:
    well_posed(registry.get("theorems", name))


@pytest.mark.parametrize(
    "formula",
    [
        "1/(1 - gamma*L)",
        "where(k == 0, 1, 1/k)",
        "sqrt(1 - (gamma*L)**2)",
        "log(1/(gamma*L))",
        "(1 - gamma*L)**(-k)",
        "(gamma*L)**(1/2)",
        "1/sqrt(2 - sqrt(2) - gamma*L/2)",
        "1/(4 - pi*gamma*L)",
        "sqrt(max(gamma*L - 1/2, 0))",
        "1/(1 + exp(-k))",
        "(1 - 3*gamma*L)**k",
        "1/upto(1/(k + 1))",
        "where(k >= 3, 1/(k - 2), 1)",
    ],
)
def test_what_is_real_is_let_through(formula: str) -> None:
    well_posed(with_bound(formula))


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("1/k", "divides by 0 at k = 0|not shown that k != 0"),
        ("1/(1 - 2*gamma*L)", "divides by 0|not shown"),
        ("sqrt(1/2 - gamma*L)", "root of a negative number at"),
        ("log(1/2 - gamma*L)", "logarithm of what is not positive at"),
        ("(1 - 2*gamma*L)**(-k)", "divides by 0|not shown"),
        ("(1/2 - gamma*L)**(1/2)", "a power of it is not real"),
        ("(1/2 - gamma*L)**gamma", "a power of it is not real"),
        ("gamma*L/(gamma*L - 1/2)*(gamma*L - 1/2)", "divides by 0|not shown"),
        ("0*sqrt(gamma*L - 1/2)", "root of a negative number at"),
        ("1/before(1/(k + 1))", "not shown"),
        ("where(gamma*L < 1/2, 1, sqrt(1/2 - gamma*L))", "root of a negative number"),
    ],
)
def test_what_is_not_is_refused_with_the_reason(formula: str, reason: str) -> None:
    with pytest.raises(OpcheckError, match=reason):
        well_posed(with_bound(formula))


def test_a_closed_end_counts() -> None:
    well_posed(with_bound("1/(1 - gamma*L)"))
    with pytest.raises(OpcheckError, match=r"divides by 0 at L = 1, gamma = 1|not shown"):
        well_posed(with_bound("1/(1 - gamma*L)", where="0 < gamma <= 1/L"))
    # an irrational end is an end
    well_posed(with_bound("1/(1 - gamma*L)", where="0 < gamma <= 1/(sqrt(2)*L)"))


LEAVES = st.sampled_from(["1", "2", "1/2", "3/7", "gamma", "L", "gamma*L", "k", "(k + 1)"])
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/"), inner, inner).map(lambda t: f"({t[1]} {t[0]} {t[2]})"),
        inner.map(lambda f: f"sqrt({f})"),
        inner.map(lambda f: f"log({f})"),
        inner.map(lambda f: f"({f})**2"),
        inner.map(lambda f: f"({f})**(-1)"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"min({t[0]}, {t[1]})"),
    ),
    max_leaves=5,
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(FORMULAS)
@pytest.mark.ci
def test_what_is_said_to_be_real_is_real(formula: str) -> None:
    statement = with_bound(formula)
    try:
        well_posed(statement)
    except OpcheckError:
        return
    draw = np.random.default_rng(0)
    L = 10 ** draw.uniform(-3, 3, 200)
    gamma = draw.choice([1e-6, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9], 200) / L
    k = draw.integers(0, 60, 200).astype(float)
    with np.errstate(all="ignore"):
        value = np.asarray(text(formula).evaluate({"L": L, "gamma": gamma, "k": k})) * np.ones(200)
    assert np.isfinite(value).all(), formula


def test_of_a_constant_that_may_be_0_it_is_said_what_to_write() -> None:
    """StronglyMonotone(mu) says something for mu ≤ 0 as well, and its author divides by mu."""
    given = (Lipschitz("L"), StronglyMonotone("mu"))
    with pytest.raises(OpcheckError, match=r"at mu = 0.*write 0 < mu in where$"):
        well_posed(with_bound("1/(mu*gamma)", given=given))


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_constant_takes_no_name_that_means_something_else(name: str, own_registry: None) -> None:
    """``j`` did, and broke in every command that evaluates the statement."""
    with pytest.raises(OpcheckError, match=r"can't be a constant|may not stand in a formula"):
        theorem(
            "taken",
            method="extragradient",
            given=[Lipschitz(name, of="F")],
            where="0 < gamma",
            measure="residual",
            bound="R**2/gamma**2",
            source=Source("none"),
        )


def test_what_a_scope_holds_beside_the_statements_own_is_reserved() -> None:
    """Else a constant of that name is lost there: ``j`` was one."""
    assert base_scope({}, 3).keys() <= RESERVED.keys()
