"""An argument is about all that its statement is about: every k, whole parameter and operator."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from flint import fmpq

from opcheck import registry
from opcheck.engine.ratio import Field, Strict
from opcheck.errors import Undecided
from opcheck.evidence.proofs.prove import NotProved, attempt, prove
from opcheck.model.method import method, over
from opcheck.model.primitives import axpy, combine, copy, phase
from opcheck.model.proof import Proof
from opcheck.model.property import Cocoercive, Lipschitz
from opcheck.model.theorem import Source, Theorem, theorem

registry.load()
TURN = ("0", "L**2")


def entered(name: str, **fields: Any) -> Theorem:
    theorem(name, source=Source("none"), **fields)
    return registry.get("theorems", name)  # type: ignore[no-any-return]


# ---- whole parameters ----------------------------------------------------------------------------


def about_two(where: str, *cases: str) -> Theorem:
    """z⁺ = z − γ (1 + 50 (τ − σ)) F z does not go away from the solution where τ = σ."""

    @method(
        "uneven",
        params="gamma tau:int sigma:int",
        rows="z Fz",
        calls=1,
        source="none",
        constrained=False,
    )
    def advance(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        z, Fz = state[0], state[1]
        for _ in range(n):
            F(z, Fz, F_data)
            axpy(z, z, -params[0] * (1 + 50 * (params[1] - params[2])), Fz)
            k += 1

    pairs = [dict(zip(("tau", "sigma"), case.split(", "), strict=True)) for case in cases]
    return entered(
        "two_counts",
        method="uneven",
        given=[Cocoercive("beta", of="F")],
        where=f"0 < gamma <= beta, {where}",
        measure="next(distance)",
        bound="distance",
        claim="one-step",
        proof=Proof(end={"Cocoercive(z)": "2*gamma"}, cases=pairs),
    )


def test_whole_parameters_are_covered_together(own_registry: None) -> None:
    """At τ = 2 and σ = 1 the step is −51 γ, which each number by itself does not show."""
    tried = attempt(about_two("1 <= tau <= 2, 1 <= sigma <= 2", "1, 1", "2, 2"))
    assert tried.status == "in part"
    assert tried.proved is not None
    assert tried.proved.only == (
        "tau = 1, sigma = 1 or tau = 2, sigma = 2 of 1 <= tau <= 2, 1 <= sigma <= 2"
    )


def test_whole_parameters_that_are_all_covered_are_covered(own_registry: None) -> None:
    tried = attempt(about_two("2 <= tau < 3, 1 < sigma <= 2", "2, 2"))
    assert tried.status == "proved"


def test_two_loops_of_any_length_are_not_taken_to_begin_together(own_registry: None) -> None:
    """Where a loop begins inside the other the point is thrown away, 30 times as far."""

    @over("two_loops", params="sigma:int tau:int", rows="slow", loop="tau", source="none")
    def advance(base, F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        z, slow = state[0], state[-1]
        for j in range(n):
            within = phase(k + j, int(params[-1]))
            other = phase(k + j, int(params[-2]))
            if within == 0:
                copy(slow, z)
            base(F, F_data, J, J_data, state[:-1], params[:-2], within, 1)
            if within == 0 and other != 0:
                combine(z, 30.0, slow, -29.0, z)

    cases = [{"tau": "4 + t", "sigma": "4 + s"}]
    statement = entered(
        "two_loops_fejer",
        method="two_loops(gradient_descent_ascent)",
        given=[Cocoercive("beta", of="F")],
        where="0 < gamma <= beta, 4 <= tau, 4 <= sigma",
        measure="next(distance)",
        bound="distance",
        claim="one-step",
        proof=Proof(end={"Cocoercive(z)": "2*gamma"}, cases=cases),
    )
    with pytest.raises(NotProved, match="tau and sigma begin at steps of their own"):
        prove(statement)


# ---- what a text does to k -----------------------------------------------------------------------


def strict(source: str) -> Strict:
    """A k that stands for all, or a number, as a kernel sees it."""
    field = Field(["k"])
    value = field.symbol("k") if source == "k" else field.number(fmpq(source))
    return Strict(field, value.num, value.den)


@pytest.mark.parametrize("value", ["0", "7", "-7", "7/2", "-7/2"])
def test_numbers_of_a_step_are_rounded_as_numbers(value: str) -> None:
    exact = Fraction(value)
    assert int(strict(value)) == int(exact)
    assert strict(value) % 3 == fmpq(str(exact % 3))
    assert strict(value) // 3 == fmpq(str(exact // 3))
    if exact:
        assert 5 % strict(value) == fmpq(str(5 % exact))
        assert 5 // strict(value) == fmpq(str(5 // exact))


@pytest.mark.parametrize(
    "use", [int, lambda k: k % 2, lambda k: k // 2, lambda k: 5 % k, lambda k: 5 // k]
)
def test_a_rounded_k_is_refused_in_words(use: Callable[[Strict], Any]) -> None:
    with pytest.raises(Undecided, match=r"no rational function; (sequences|that of k is written)"):
        use(strict("k"))


# ---- k, and operators of a family ----------------------------------------------------------------


def on_bilinear(bound: str, **proof: Any) -> Theorem:
    """‖z‖² of gradient descent ascent on the bilinear game; it is (1 + s²)^k R² with s = γL."""
    return entered(
        "growth",
        method="gradient_descent_ascent",
        given=[Lipschitz("L", of="F")],
        where="0 < gamma",
        let={"s": "gamma*L"},
        on=["bilinear"],
        measure=proof.pop("measure", "distance"),
        bound=bound,
        claim="equality",
        horizons=[2],
        proof=Proof(**{"turn": TURN} | proof),
    )


FIRST = "R**2*where(k == 0, 1, where(k == 1, 1 + s**2, {}))"


def test_the_first_steps_are_not_every_step(own_registry: None) -> None:
    """Horizons say where a statement is run, and not that it is about no later k."""
    with pytest.raises(NotProved, match=r"k > 2: R\*\*2 is left"):
        prove(on_bilinear(FIRST.format("(1 + s**2)**2"), until=2))


def test_a_statement_about_the_first_steps_is_shown_at_every_k(own_registry: None) -> None:
    bound = FIRST.format("where(k == 2, (1 + s**2)**2, 0)")
    shown = prove(on_bilinear(bound, until=2, measure="where(k <= 2, distance, 0)"))
    assert shown.covers.startswith("every k;")
    assert [lemma.name for lemma in shown.lemmas] == [
        *(f"end, k = {k}" for k in range(3)),
        "end, k > 2",
    ]


def test_a_family_is_looked_at_beyond_its_presets(own_registry: None) -> None:
    """The square is L² at L = 1 and L = 2, which are the presets, and at no other L."""
    square = "(L**2 + (L - 1)*(L - 2))"
    wrong = on_bilinear(
        f"(1 + gamma**2*{square})*distance", turn=("0", square), measure="next(distance)"
    )
    with pytest.raises(NotProved, match="is no a I \\+ G"):
        prove(wrong)
