"""Statements that are false, written as someone might: no part of opcheck may say that they hold.

Each was accepted once, or is of the kind of one that was. Those that a declaration can't mean are
refused when they are registered; the rest is refused, with the reason, where it would have been
believed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from opcheck import (
    Cocoercive,
    Comonotone,
    Lipschitz,
    Monotone,
    Nonexpansive,
    Proof,
    Source,
    StronglyMonotone,
    WeakMinty,
    recheck,
    registry,
    rerun,
    theorem,
)
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import certify
from opcheck.evidence.lyapunov import lyapunov
from opcheck.evidence.proofs.prove import attempt
from opcheck.evidence.simulation.verify import verify
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.worst_case import worst
from opcheck.model.measure import measure
from opcheck.model.method import method
from opcheck.model.primitives import SOLUTION, axpy, combine, distance2, norm2, subtract
from opcheck.model.property import Property
from opcheck.model.theorem import Theorem
from opcheck.rocq.development import export

registry.load()
SMOOTH = [Lipschitz("L", of="F"), Monotone(of="F")]
STEP = {"Monotone(next(z))": "2*gamma"}
FEJER = Proof(potential="distance", step=STEP, end={"potential": "1"})


def state(name: str, **changes: Any) -> Theorem:
    """A statement about proximal steps on monotone operators, with changes."""
    options: dict[str, Any] = {
        "method": "proximal_point",
        "given": SMOOTH,
        "where": "0 < gamma < 1/L",
        "measure": "distance",
        "bound": "R**2",
        "source": Source("false"),
        "proof": FEJER,
    }
    return theorem(name, **(options | changes))


# ---- what a declaration can't mean ---------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "F1 no cases": (
        {"bound": "0*R**2", "proof": Proof(end={"potential": "1"}, potential="distance", cases=())},
        "no case",
    ),
    "F1 no end": ({"bound": "0*R**2", "proof": Proof(potential="distance", step=STEP)}, "no end"),
    "F2 a measure inside let": ({"let": {"m": "norm2"}, "measure": "m"}, "norm2 is a measure"),
    "F4 an argument that is no row": (
        {"measure": "residual(next(z))", "bound": "residual(z)"},
        "none",
    ),
    "F4 a row that the method has not": ({"measure": "residual(zbar)"}, "no row 'zbar'"),
    "F4 too many rows": ({"measure": "distance(z, solution, z)"}, "row"),
    "F4 a sum of a number": ({"bound": "R**2/upto(1)**9"}, "one number"),
    "F4 a sum of a parameter": ({"bound": "R**2*before(gamma)"}, "one number"),
    "F4 next of a number": ({"bound": "next(R**2)"}, "next takes a measure"),
    "F5 about no k that is run": ({"bound": "0*R**2", "first": 1000}, "runs end at k = 300"),
    "F5 no horizon": ({"horizons": ()}, "horizons is empty"),
    "F5 a horizon that no run reaches": ({"horizons": (10**9,)}, "no run is that long"),
    "F7 let gives a constant a value": ({"let": {"L": "1"}, "measure": "residual"}, "constant 'L'"),
    "F7 k spelled as a constant": (
        {
            "bound": "R**2*k/L",
            "proof": Proof("distance", step=STEP, end={"potential": "1"}, cases=({"k": "L"},)),
        },
        "means something else",
    ),
    "F7 a case fixes a real parameter": (
        {"proof": Proof("distance", step=STEP, end={"potential": "1"}, cases=({"gamma": "1"},))},
        "stays a symbol",
    ),
    "F7 a case outside the range": (
        {
            "method": "lookahead(gradient_descent_ascent)",
            "where": "0 < gamma < 1/L, 0 < lam < 1, 3 <= tau",
            "proof": Proof("distance", step=STEP, end={"potential": "1"}, cases=({"tau": "2"},)),
        },
        "outside",
    ),
    "F7 k in where": ({"where": "0 < gamma < 1/(L*k)"}, "speaks of k"),
    "F7 k behind a symbol in where": (
        {"let": {"c": "1/(k + 1)"}, "where": "0 < gamma < c/L"},
        "speaks of k",
    ),
    "F7 one constant of two properties": (
        {"given": [Lipschitz("L", of="F"), StronglyMonotone("L", of="F")]},
        "share the constant",
    ),
    "F7 let in a circle": ({"let": {"a": "b", "b": "a"}, "bound": "a*R**2"}, "circle"),
    "F7 a symbol named like a measure": ({"let": {"residual": "1"}}, "is a measure"),
    "F7 a symbol named like a row": ({"let": {"z": "1"}, "bound": "z*R**2"}, "row"),
    "F7 a name of no meaning": ({"bound": "spare0*R**2"}, "no symbol"),
    "F11 mod of halves": ({"bound": "R**2*where(mod(k, 3/2) == 2, 1, 0)"}, "whole numbers"),
    "F11 the root of -1": ({"bound": "R**2*sqrt(-1)"}, "no real number"),
    "F11 a quotient by 0": ({"bound": "R**2/0"}, "divides by 0"),
    "F11 a quotient by 1 - 1": ({"bound": "R**2/(1 - 1)"}, "divides by 0"),
    "F11 beyond float64": ({"bound": "1e400*R**2"}, "float64"),
    "F11 a tower of powers": ({"bound": "R**2*(((2**99)**99)**99)"}, "float64"),
    "A13 a constant of what has none": ({"given": [Property(Monotone, 3, "F")]}, "has no constant"),
    "A13 of no operator": ({"given": [Property(Lipschitz, "L", "G")]}, "F, A, S or T"),  # type: ignore[arg-type]
    "A13 a negative Lipschitz constant": ({"given": [Property(Lipschitz, -1, "F")]}, "positive"),
    "any text as an inequality": (
        {"bound": "R**2/2", "proof": Proof(end={"0 - distance": "1"})},
        "no inequality that is known",
    ),
    "a number as an inequality": (
        {"bound": "R**2/2", "proof": Proof(end={"k": "1"})},
        "no inequality that is known",
    ),
    "a slip in the potential": (
        {"proof": Proof("distance + d*distance", step=STEP, end={"potential": "1"})},
        "'d' in",
    ),
    "a hypothesis at a row that is none": (
        {"proof": Proof("distance", step={"Monotone(zhalf)": "1"}, end={"potential": "1"})},
        "'zhalf' in",
    ),
    "a hypothesis at three points": (
        {"proof": Proof("distance", step={"Monotone(z, z, z)": "1"}, end={"potential": "1"})},
        "1 or 2 argument",
    ),
    "a comment": ({"bound": "R**2 # /1000"}, "without comments"),
    "a bound that is no text": ({"bound": 1}, "no text"),
    "a formula of let that is no text": ({"let": {"c": 2}}, "no formula"),
    "hypotheses as text": ({"given": ["Lipschitz(L) of F"]}, "write given="),
    "a hypothesis without its constant": ({"given": [Lipschitz]}, "write given="),
    "a name that is nearly one": ({"measure": "resid"}, "did you mean 'residual'"),
    "a product without its sign": ({"where": "0 < gamma < 1/(2L)"}, r"2\*L"),
    "a value in where": ({"where": "gamma = 1/(2*L)"}, "given by let"),
    "a power written otherwise": ({"bound": "R^2"}, r"\*\*"),
    "a parameter without range": ({"where": ""}, "no range"),
    "nothing measured": ({"measure": "k"}, "nothing is measured"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_what_has_no_meaning_is_refused_when_it_is_registered(row: str, own_registry: None) -> None:
    changes, reason = REFUSED[row]
    with pytest.raises(OpcheckError, match=reason) as caught:
        state("evil", **changes)
    assert str(caught.value).startswith("evil: ")
    assert "evil" not in registry.names("theorems")


# ---- what has a meaning, and is false ------------------------------------------------------------


@measure("mean_square")
def mean_square(F, F_data, J, J_data, state, params, k):  # type: ignore[no-untyped-def]
    """‖z‖²/d."""
    return norm2(state[0]) / state.shape[1]


def about_a_kernel(kernel: Callable[..., None], rows: str, **options: Any) -> None:
    method("evil_method", params="gamma", rows=rows, calls=2, source="none", constrained=False)(
        kernel
    )
    cocoercive: dict[str, Any] = {
        "method": "evil_method",
        "given": [Cocoercive("beta", of="F")],
        "where": "0 < gamma < 2*beta",
        "measure": "distance",
        "bound": "R**2",
        "proof": Proof(
            potential="distance", step={"Cocoercive(z)": "2*gamma"}, end={"potential": "1"}
        ),
    }
    state("evil", **(cocoercive | options))


def at_a_difference(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """F at z − z, which is the origin and no point of the run."""
    z, w, Fz, Fw = state[0], state[1], state[2], state[3]
    for _ in range(n):
        subtract(w, z, z)
        F(z, Fz, F_data)
        F(w, Fw, F_data)
        subtract(Fz, Fz, Fw)
        axpy(z, z, -params[0], Fz)


def looking_ahead_from_the_origin(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """w = −γ F z for z − γ F z."""
    z, w, Fz = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(z.shape[0]):
            w[i] = -params[0] * Fz[i]
        F(w, Fz, F_data)
        axpy(z, z, -params[0], Fz)


def anchored_at_the_origin(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """Halpern's iteration with a row that starts at 0 as its anchor."""
    z, anchor, Fz = state[0], state[1], state[2]
    for _ in range(n):
        beta = 1 / (k + 2)
        F(z, Fz, F_data)
        F(z, Fz, F_data)
        axpy(z, z, -1, Fz)
        combine(z, beta, anchor, 1 - beta, z)
        k += 1


def of_two_coordinates(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A game of two variables: a third never moves."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        F(z, Fz, F_data)
        for i in range(2):
            z[i] = z[i] - params[0] * Fz[i]


HALPERN = Proof(
    potential="k*(k + 1)/4*norm2(F(z)) + (k + 1)/2*inner(F(z), z - anchor)",
    at_most="0",
    step={"Nonexpansive(z, next(z))": "(k + 1)*(k + 2)/4"},
    end={"potential": "8/(k + 1)**2", "Nonexpansive(z)": "2/(k + 1)"},
)
EG_STEP = {"Monotone(zbar)": "2*gamma", "Lipschitz(z, zbar)": "gamma**2"}
ONE_STEP = {"claim": "one-step", "measure": "next(distance)", "bound": "distance"}
FALSE: dict[str, tuple[Callable[[], Any], str]] = {
    "F2 at a difference": (
        lambda: about_a_kernel(at_a_difference, "z w Fz Fw"),
        "weights add up to 0",
    ),
    "F2 a look-ahead from the origin": (
        lambda: about_a_kernel(looking_ahead_from_the_origin, "z w Fz"),
        "weights add up to 0",
    ),
    "F2 an anchor at the origin": (
        lambda: about_a_kernel(anchored_at_the_origin, "z anchor=0 Fz"),
        "anchor",
    ),
    "F3 two coordinates": (
        lambda: about_a_kernel(of_two_coordinates, "z Fz"),
        "every coordinate",
    ),
    "F3 the mean of squares": (
        lambda: state(
            "evil",
            method="halpern",
            given=[Nonexpansive(of="T")],
            where="",
            measure="mean_square(Fz)",
            bound="R**2/(k + 1)**2",
            proof=HALPERN,
        ),
        "dimension|coordinate",
    ),
    "F6 the power of a negative number": (
        lambda: state("evil", bound="R**2*(2 - (1 - 3*gamma*L)**k)"),
        "R² is left",
    ),
    "F6 a sum of powers": (
        lambda: state("evil", bound="R**2*(1 + before((1 - 3*gamma*L)**k))"),
        "R² is left",
    ),
    "F7 a remark in place of cases": (
        lambda: state(
            "evil",
            method="rapp",
            given=[Lipschitz("L", of="F"), WeakMinty("rho", of="F")],
            where="-1/(2*L) < rho, max(0, -2*rho) < gamma <= 1/L, 0 < lam < 1 + 2*rho/gamma, "
            "1 <= tau",
            measure="upto(norm2(Fw))/(k + 1)",
            bound="R**2/(lam*gamma**2*(1 + 2*rho/gamma - lam)*(k + 1))",
            proof=Proof(
                potential="distance + lam*gamma**2*(1 + 2*rho/gamma - lam)*before(norm2(Fw))",
                step={
                    "WeakMinty(z - gamma*F(z))": "2*lam*gamma",
                    "Lipschitz(z, z - gamma*F(z))": "lam*gamma**2",
                },
                end={"next(potential)": "1/(lam*gamma**2*(1 + 2*rho/gamma - lam)*(k + 1))"},
                cases=({"tau": "2"},),
                remark="every tau",
            ),
        ),
        "",
    ),
    "F8 Subgradient behind last(next(.))": (
        lambda: state(
            "evil",
            method="extragradient",
            measure="next(distance)",
            bound="distance - (1 - (gamma*L)**2)*distance(before, zbar)",
            claim="one-step",
            constrained=True,
            proof=Proof(
                end={
                    "Monotone(zbar, solution)": "2*gamma",
                    "Lipschitz(z, zbar)": "gamma**2",
                    "last(next(Subgradient(zbar, next(z))))": "2*gamma",
                    "last(next(Subgradient(next(z), solution)))": "2*gamma",
                    "last(next(Subgradient(solution, zbar)))": "2*gamma",
                }
            ),
        ),
        "A = ∂f alone",
    ),
    "F10 a resolvent that need not exist": (
        lambda: state(
            "evil",
            method="gradient_descent_ascent",
            given=[Lipschitz("L", of="F"), WeakMinty("rho", of="F")],
            where="-1/L <= rho",
            let={"gamma": "2/L"},
            bound="residual",
            proof=Proof(end={"WeakMinty(resolvent(z))": "2", "Lipschitz(resolvent(z), z)": "1"}),
        ),
        "not shown to exist",
    ),
    "F11 a decimal of twenty digits": (
        lambda: state(
            "evil",
            method="halpern",
            given=[Nonexpansive(of="T")],
            where="",
            measure="residual",
            bound="0.99999999999999999999*4*R**2/(k + 1)**2",
            proof=HALPERN,
        ),
        "sum of squares",
    ),
    "F11 a condition with a squared factor": (
        lambda: state(
            "evil",
            given=[*SMOOTH, Comonotone("rho", of="F")],
            where="0 <= rho*(L - 1)**2, 0 < gamma < 1/L",
            bound="R**2*(1 + rho)",
        ),
        "R² is left",
    ),
    "F11 the root of what may be negative": (
        lambda: state("evil", bound="R**2*(1 + sqrt(1 - 2*gamma*L))"),
        "root of a negative number at",
    ),
    "F11 a pole inside the range": (
        lambda: state("evil", bound="R**2*(gamma*L - 1/2)/(gamma*L - 1/2)"),
        "divides by 0|not shown",
    ),
    "F11 a logarithm of what may be 0": (
        lambda: state("evil", bound="R**2*(2 + log(1 - gamma*L)/10**9)", where="0 < gamma <= 1/L"),
        "logarithm|not shown",
    ),
    "a value of A where it need not have one": (
        lambda: state(
            "evil",
            method="gradient_descent_ascent",
            given=[Cocoercive("beta", of="F")],
            where="0 < gamma < 2*beta",
            constrained=True,
            **ONE_STEP,
            proof=Proof(end={"Cocoercive(z, solution)": "2*gamma", "Resolvent(z, next(z))": "1"}),
        ),
        "no resolvent returned",
    ),
    "more steps than the proof speaks of": (
        lambda: state(
            "evil",
            method="rapp",
            given=[Lipschitz("L", of="F"), Comonotone("rho", of="S")],
            where="-1/L < rho, max(0, -rho) < gamma < 1/L, 0 < lam < 1",
            let={"tau": "1"},
            at_least=["tau"],
            proof=Proof(end={"Comonotone(z, next(z))": "1"}),
        ),
        "a proof would speak of that alone",
    ),
}


@measure("weighted")
def weighted(F, F_data, J, J_data, state, params, k):  # type: ignore[no-untyped-def]
    """k‖v‖²."""
    return k * norm2(state[0])


@measure("healing")
def healing(F, F_data, J, J_data, state, params, k):  # type: ignore[no-untyped-def]
    """‖z − z*‖², and z is moved towards z*."""
    z, value = state[0], distance2(state[0], state[SOLUTION])
    for i in range(z.shape[0]):
        z[i] = (z[i] + 3 * state[SOLUTION][i]) / 4
    return value


def up_to_three(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A fourth coordinate never moves."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        F(z, Fz, F_data)
        for i in range(min(len(z), 3)):
            z[i] = z[i] - params[0] * Fz[i]


def backwards_in_four(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """The step has another sign from four dimensions on."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        F(z, Fz, F_data)
        axpy(z, z, -params[0] if z.size < 4 else params[0], Fz)


FALSE |= {
    "a sum whose early terms are negative": (
        lambda: state("evil", bound="R**2*(1 + before(where(k == 1, -11/10, 1)))"),
        "R² is left",
    ),
    "the same behind let": (
        lambda: state(
            "evil",
            let={"c": "where(k == 1, -100, 1)"},
            bound="R**2*(1 + before(c))",
        ),
        "R² is left",
    ),
    "F3 the length of a row": (
        lambda: about_a_kernel(up_to_three, "z Fz"),
        "every coordinate",
    ),
    "F3 the size of a row": (
        lambda: about_a_kernel(backwards_in_four, "z Fz"),
        "every coordinate",
    ),
    "a measure's k is the run's": (
        lambda: state(
            "evil",
            method="gradient_descent_ascent",
            given=[Monotone(of="F")],
            where="0 < gamma",
            measure="weighted(Fz)",
            bound="k*norm2(Fz)",
            proof=Proof(end={"Monotone(z)": "0"}),
        ),
        "sum of squares",
    ),
    "F11 a root of what is negative, learned in a branch": (
        lambda: state(
            "evil",
            given=[Monotone(of="F"), Comonotone("rho", of="F")],
            where="0 <= rho, 0 < gamma",
            bound="R**2*(1 + 0*where(k >= 5, sqrt(rho), 1) + 0*sqrt(gamma*(k - 5)))",
        ),
        "root of a negative number",
    ),
    "a range that holds nothing": (
        lambda: state("evil", where="2/L < gamma < 1/L", bound="0*R**2"),
        "nothing was found",
    ),
}


@pytest.mark.parametrize("row", FALSE)
def test_what_is_false_is_shown_by_no_part(row: str, own_registry: None) -> None:
    declare, reason = FALSE[row]
    declare()
    entry = registry.get("theorems", "evil")
    tried = attempt(entry)
    assert tried.status in ("not proved", "in part")
    if tried.status == "in part":
        assert tried.proved is not None
        assert tried.proved.only == "tau = 2 of 1 <= tau"
        assert "tau = 2" in tried.proved.covers
        assert "every tau" not in tried.proved.covers
    else:
        import re

        assert re.search(reason, tried.reason), tried.reason
        with pytest.raises(OpcheckError):
            export(entry)
        return
    # what is shown of it is a development about these whole parameters, and says so
    development = export(entry)
    assert all("tau_2" in name for name in development.names)
    assert "tau = 2" in development.text


@pytest.mark.parametrize("row", [r for r in FALSE if r.startswith(("F2", "F3"))])
def test_what_is_read_too_narrowly_has_no_worst_case(row: str, own_registry: None) -> None:
    FALSE[row][0]()
    for part in (certify, worst):
        with pytest.raises(OpcheckError, match=FALSE[row][1]):
            part("evil", 2)


@pytest.mark.parametrize("row", [r for r in FALSE if r.startswith("F11") and "root" in FALSE[r][1]])
def test_what_is_not_real_is_refused_before_it_is_run(row: str, own_registry: None) -> None:
    FALSE[row][0]()
    with pytest.raises(OpcheckError, match=FALSE[row][1]):
        verify("evil", "bilinear")


def test_a_measure_that_writes_is_refused(own_registry: None) -> None:
    """It would make any rate true."""
    state("evil", measure="healing", bound="R**2/2**k", proof=None)
    for part in (certify, worst):
        with pytest.raises(OpcheckError, match="changes what it is to look at"):
            part("evil", 2)
    verdict = verify("evil", "bilinear")
    assert verdict.status == "error"  # type: ignore[union-attr]
    assert "changes what it is to look at" in verdict.reason  # type: ignore[union-attr]


BELOW: dict[str, Any] = {
    "method": "extragradient",
    "claim": "one-step",
    "measure": "next(distance) - distance",
    "proof": None,
}


@pytest.mark.parametrize(
    "bound", ["0 - 100*gamma**2*residual", "0 - gamma**2*residual", "-2*distance(before, zbar)"]
)
def test_a_part_of_a_negative_bound_is_no_certificate(bound: str, own_registry: None) -> None:
    """measure ≤ bound/10⁹ says less than measure ≤ bound where the bound is negative."""
    state("evil", **BELOW, bound=bound)
    with pytest.raises(OpcheckError, match="not certified"):
        certify("evil", 1)
    with pytest.raises(OpcheckError, match="may be negative"):
        worst("evil", 1)
    assert attack("evil", 1, budget=100).ratio > 1
    state("good", **BELOW, bound="-(1 - (gamma*L)**2)*distance(before, zbar)")
    assert certify("good", 1).ratio == 1


@pytest.mark.parametrize(
    ("k", "bound"), [(1, "0*R**2"), (4, "R**2*(1 - k*gamma*L)"), (2, "-1*R**2")]
)
def test_an_attack_exceeds_bounds_that_are_not_positive(
    k: int, bound: str, own_registry: None
) -> None:
    state("evil", measure="distance", bound=bound, proof=None)
    assert attack("evil", k, budget=100).ratio > 1


@pytest.mark.parametrize("condition", ["0.1*k == 0.3", "floor(0.7*k + 0.1*k + 0.2*k) == 3"])
def test_a_comparison_that_float64_does_not_decide_decides_nothing(
    condition: str, own_registry: None
) -> None:
    """At k = 3 the bound is 0, and rounding says that it is not k = 3."""
    # steps that are long enough for no k > 0 to be close to the bound, and so decided in balls
    bound = f"R**2*where({condition}, 0, 1)"
    state("evil", where="1/(2*L) <= gamma < 1/L", bound=bound, horizons=(6,), proof=None)
    assert verify("evil", "bilinear").status in ("violated", "inconclusive")  # type: ignore[union-attr]


def test_no_end_of_a_range_is_lost(own_registry: None) -> None:
    """L ≤ 1 ≤ γ says two things."""
    entry = state("true", where="L <= 1 <= gamma", measure="residual", proof=None)
    assert [str(c) for c in entry.conditions] == ["L <= 1"]
    assert [str(c) for c in entry.chains] == ["1 <= gamma"]


WRONG = """import opcheck
from opcheck import Lipschitz, Monotone, exact
@opcheck.problem_family('not_monotone', start=(1.0, 1.0), solution=(0.0, 0.0),
    facts=[exact(Monotone()), exact(Lipschitz(2))])
def not_monotone():
    return opcheck.minmax('x*y - x**2/2 + y**2/2', x=1, y=1)
"""


def test_a_wrong_fact_of_others_is_no_error_of_ours(own_registry: None, tmp_path: Any) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG)
    done = CliRunner().invoke(main, ["verify", "gorbunov2022_eg_last", "--problem", str(file)])
    assert done.exit_code == 2
    assert "of 'not_monotone' Monotone of F is stated (exact), but a pair of points" in done.stderr
    other = tmp_path / "bare.py"
    other.write_text(WRONG.replace("exact(Monotone())", "Monotone()").replace("not_m", "not_n"))
    done = CliRunner().invoke(main, ["verify", "gorbunov2022_eg_last", "--problem", str(other)])
    assert done.exit_code == 2
    assert "write exact(Monotone()), or estimated(...)" in done.stderr


# ---- what is true, and is written as people write ------------------------------------------------

EXTRAGRADIENT: dict[str, Any] = {
    "method": "extragradient",
    "where": "0 < gamma < 1/L",
    "proof": Proof(potential="distance", step=EG_STEP, end={"potential": "1"}),
}
RESIDUAL = {
    "measure": "residual",
    "proof": Proof(
        potential="distance", step=EG_STEP, end={"potential": "L**2", "Lipschitz(z)": "1"}
    ),
}
TRUE: dict[str, dict[str, Any]] = {
    "R*R": {"bound": "R*R"},
    "+R**2": {"bound": "+R**2"},
    "(L*R)**2": {"bound": "(L*R)**2", **RESIDUAL},
    "two ends apart": {"where": "0 < gamma, gamma < 1/L"},
    "a range of gamma*L": {"where": "0 < gamma*L < 1"},
    "Lipschitz(1)": {"given": [Lipschitz(1, of="F"), Monotone(of="F")], "where": "0 < gamma <= 1"},
    "Lipschitz('1')": {
        "given": [Lipschitz("1", of="F"), Monotone(of="F")],
        "where": "0 < gamma <= 1",
    },
    "a difference on the left": {
        "measure": "next(distance) - distance",
        "bound": "-(1 - (gamma*L)**2)*distance(before, zbar)",
        "claim": "one-step",
        "proof": Proof(end=EG_STEP),
    },
    "a root": {"bound": "R**2*(1 + sqrt(k))"},
    "a root that is at least 1": {"bound": "R**2*sqrt(1 + gamma*L)"},
    "a guarded quotient": {"bound": "R**2*where(k == 0, 1, 1 + 1/k)"},
    "the residual after a resolvent step": {
        "method": "proximal_point",
        "given": [Monotone(of="F")],
        "where": "0 < gamma",
        "measure": "residual",
        "bound": "R**2/(gamma**2*k)",
        "first": 1,
        "proof": Proof(
            potential="distance + gamma**2*k*residual",
            step={"Monotone(next(z))": "2*gamma", "Monotone(z, next(z))": "2*gamma*k"},
            end={"potential": "1/(gamma**2*k)"},
        ),
    },
}


@pytest.mark.parametrize("written", TRUE)
def test_what_is_true_is_proved_as_it_is_written(written: str, own_registry: None) -> None:
    entry = state("natural", **(EXTRAGRADIENT | TRUE[written]))
    tried = attempt(entry)
    assert tried.status == "proved", tried.reason
    assert export(entry).names == ("Of_natural.natural",)


@pytest.mark.parametrize("written", TRUE)
def test_what_is_true_is_violated_nowhere(written: str, own_registry: None) -> None:
    state("natural", **(EXTRAGRADIENT | TRUE[written]))
    for problem in ("bilinear", "rotation_shift", "scaled_lips_bilinear"):
        assert verify("natural", problem).status in ("holds", "attained", "inapplicable")  # type: ignore[union-attr]


def halved(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(z.shape[0]):
            z[i] = z[i] - 0.5 * params[0] * Fz[i]


def in_place(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        z -= 0.5 * (params[0] * Fz)


@pytest.mark.parametrize("kernel", [halved, in_place])
def test_a_kernel_may_hold_decimals(kernel: Callable[..., None], own_registry: None) -> None:
    method("half_step", params="gamma", rows="z Fz", calls=1, source="none", constrained=False)(
        kernel
    )
    entry = state(
        "natural",
        method="half_step",
        given=[Cocoercive("beta", of="F")],
        where="0 < gamma <= 2*beta",
        proof=Proof(potential="distance", step={"Cocoercive(z)": "gamma"}, end={"potential": "1"}),
    )
    assert attempt(entry).status == "proved"
    assert certify(entry, 2).ratio == 1


def test_the_order_in_a_file_does_not_matter(own_registry: None, tmp_path: Any) -> None:
    """A theorem may stand before the measure and the method that it speaks of."""
    file = tmp_path / "late.py"
    file.write_text(
        "from opcheck import Lipschitz, Monotone, Source, theorem\n"
        "from opcheck.model.measure import measure\n"
        "from opcheck.model.primitives import norm2\n"
        "theorem('late', method='extragradient', given=[Lipschitz('L'), Monotone()],\n"
        "        where='0 < gamma < 1/L', measure='own', bound='R**2', source=Source('none'))\n"
        "@measure('own')\n"
        "def own(F, F_data, J, J_data, state, params, k):\n"
        "    '''‖z‖².'''\n"
        "    return norm2(state[0])\n"
    )
    registry.load_file(file)
    assert "late" in registry.names("theorems")
    copy_ = tmp_path / "typo.py"
    copy_.write_text(
        file.read_text()
        .replace("'late'", "'typo'")
        .replace("measure='own'", "measure='onw'")
        .replace("@measure('own')", "@measure('own2')")
    )
    with pytest.raises(OpcheckError, match=r"typo: nothing is measured|'onw'"):
        registry.load_file(copy_)
    assert "typo" not in registry.names("theorems")


def test_what_is_true_of_a_subdifferential_is_refuted_by_another_a(own_registry: None) -> None:
    """Fejér monotonicity of extragradient, F a quarter turn and A three of them."""
    fejer: dict[str, Any] = {
        "method": "extragradient",
        "where": "0 < gamma <= 1/L",
        "measure": "next(distance)",
        "bound": "distance - (1 - (gamma*L)**2)*distance(before, zbar)",
        "claim": "one-step",
        "horizons": (12,),
        "proof": None,
    }
    state("false", **fejer, constrained=True)
    state("true", **fejer, constrained="subdifferential")
    assert verify("false", "two_rotations").status == "violated"  # type: ignore[union-attr]
    verdict = verify("true", "two_rotations")
    assert verdict.status == "inapplicable"  # type: ignore[union-attr]
    assert "A = ∂f" in verdict.reason  # type: ignore[union-attr]
    with pytest.raises(OpcheckError, match="not certified"):
        certify("false", 0)
    assert certify("true", 0).ratio == 1


def test_no_potential_speaks_of_a_resolvent_that_need_not_exist() -> None:
    """F10: p + 2F(p) = 1 has no solution for F = −|p|, which is 1-Lipschitz and weak Minty, −1."""
    class_ = ["WeakMinty(-1) of F", "Lipschitz(1) of F"]
    with pytest.raises(OpcheckError, match="need not exist"):
        lyapunov("proximal_point", class_, gamma="2")


def test_a_blank_hides_no_sum_from_the_second_reading(own_registry: None) -> None:
    """F13: what is said of the sum at k = 0 does not cover every k, however it is spelled."""
    state(
        "spaced",
        method="extragradient",
        claim="one-step",
        measure="next(distance)",
        bound="2*distance - before (distance)",
        proof=None,
    )
    document = json.loads(json.dumps(certify("spaced", 0).document))
    assert recheck.words(document, rerun) == ""
    document["statement"]["covers"] = "every k: a step depends on z alone, and z is arbitrary"
    document["digest"] = recheck.digest(document)
    with pytest.raises(recheck.Rejected, match="not what it says that they cover"):
        recheck.words(document, rerun)
