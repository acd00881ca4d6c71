"""Where (I + γ S)⁻¹ is a function on the whole space, by the hypotheses of a theorem."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import pytest
from registered import about_a_class

from opcheck import registry
from opcheck.engine.jit import visible
from opcheck.evidence.statement.evaluation import plan
from opcheck.evidence.statement.exact_parameters import Place, setting
from opcheck.evidence.statement.resolvents import resolvent_exists
from opcheck.model.method import resolve
from opcheck.model.property import (
    Cocoercive,
    Comonotone,
    Lipschitz,
    Monotone,
    Nonexpansive,
    Property,
    QuasiNonexpansive,
    StronglyMonotone,
    WeakMinty,
)
from opcheck.model.theorem import Theorem

registry.load()
CONTRACTS = ("0 < gamma", "gamma*L < 1")
ALWAYS = ("0 < gamma",)
CONIC = ("0 < gamma", "0 < gamma + rho")
SMOOTH = Lipschitz("L", of="F")


def about(*given: Property, constrained: bool = True) -> Theorem:
    entry = registry.get("theorems", "gu2020_ppm_last")
    return dataclasses.replace(entry, given=given, technical=(), constrained=constrained)


CASES: dict[str, tuple[Theorem, Any]] = {
    "nothing": (about(), ()),
    "Lipschitz": (about(SMOOTH), {CONTRACTS}),
    "weak Minty": (about(SMOOTH, WeakMinty("rho", of="S")), {CONTRACTS}),
    "star": (about(SMOOTH, QuasiNonexpansive(of="T")), {CONTRACTS}),
    "monotone F": (about(SMOOTH, Monotone(of="F")), {CONTRACTS, ALWAYS}),
    "monotone S": (about(SMOOTH, Monotone(of="S")), {CONTRACTS, ALWAYS}),
    "monotone": (about(Monotone(of="S")), (("0 < gamma",),)),
    "monotone A": (about(SMOOTH, Monotone(of="A"), constrained=False), {CONTRACTS}),
    "cocoercive": (about(Cocoercive("beta", of="F")), {ALWAYS}),
    "nonexpansive": (about(Nonexpansive(of="T"), constrained=False), {ALWAYS}),
    "nonexpansive F": (about(SMOOTH, Nonexpansive(of="F")), {CONTRACTS}),
    "strongly": (
        about(SMOOTH, StronglyMonotone("mu", of="S")),
        {CONTRACTS, ("0 < gamma", "0 < 1 + gamma*mu")},
    ),
    "comonotone S": (about(SMOOTH, Comonotone("rho", of="S")), {CONTRACTS, CONIC}),
    "comonotone F": (
        about(SMOOTH, Comonotone("rho", of="F")),
        {CONTRACTS, ("0 < gamma", "0 <= rho")},
    ),
    "comonotone F, A = 0": (
        about(SMOOTH, Comonotone("rho", of="F"), constrained=False),
        {CONTRACTS, CONIC},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_resolvent_needs(case: str) -> None:
    """F10: for −|x|, Lipschitz and weak Minty, x + γ F x = z has no solution at γ = 2, z = 1."""
    theorem, expected = CASES[case]
    assert set(resolvent_exists(theorem, "gamma")) == set(expected)


def test_the_resolvent_of_f_alone_says_nothing_by_s() -> None:
    given = about(SMOOTH, Monotone(of="S"), Comonotone("rho", of="F"))
    assert set(resolvent_exists(given, "gamma", of="F")) == {CONTRACTS, CONIC}


def test_another_step_is_put_in_brackets() -> None:
    found = resolvent_exists(about(SMOOTH), "2 - lam")
    assert found == (("0 < 2 - lam", "(2 - lam)*L < 1"),)


def asks_for_one(theorem: Theorem) -> bool:
    """Whether a kernel, a measure or a proof takes a resolvent of the sum."""
    kernels = [theorem.iteration.kernel, *(u.measure.kernel for u in plan(theorem).takes.values())]
    names = {n for k in kernels for f in visible(k) for n in f.__code__.co_names}
    return "resolvent_of_sum" in names or "resolvent(" in repr(theorem.proof)


def classes() -> list[str]:
    return [n for n in about_a_class() if asks_for_one(registry.get("theorems", n))]


@pytest.mark.parametrize("name", classes())
def test_the_resolvents_of_the_library_exist(name: str) -> None:
    theorem = registry.get("theorems", name)
    gamma = theorem.iteration.parameters[0].symbol
    alone = "F" if theorem.iteration is resolve("douglas_rachford") else "S"
    alternatives = resolvent_exists(theorem, gamma, alone)
    places: tuple[Place, ...] = ("low", "middle", "high")
    for place in places:
        chosen = setting(theorem, theorem.first, theorem.first + 1, place)
        values = {name: Fraction(str(v)) for name, v in chosen.constants.items()}
        values[gamma] = Fraction(str(chosen.parameters[gamma]))
        assert any(all(eval(c, {}, values) for c in cs) for cs in alternatives), (place, values)
