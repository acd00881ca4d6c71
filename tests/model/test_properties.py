"""Properties as quadratic forms: what follows from what, and which facts serve which hypothesis."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opcheck import registry
from opcheck.evidence.statement.hypotheses import Inapplicable, match
from opcheck.model.operator import NO_CONSTRAINT, linear
from opcheck.model.problem import Problem, Region
from opcheck.model.property import (
    STRENGTH,
    Cocoercive,
    Comonotone,
    ConicallyNonexpansive,
    Fact,
    Form,
    Lipschitz,
    Monotone,
    Nonexpansive,
    Property,
    Provenance,
    QuasiNonexpansive,
    StronglyMonotone,
    WeakMinty,
    estimated,
    exact,
    implies,
    strongest,
    weakest,
)
from opcheck.model.theorem import Theorem
from opcheck_problems.sets import box

quick = settings(deadline=None, derandomize=True, max_examples=25)
NUMBERS = st.fractions(-4, 4, max_denominator=12)
POSITIVE = st.fractions(Fraction(1, 12), 4, max_denominator=12)
VECTORS = st.tuples(NUMBERS, NUMBERS)
FORMS = st.tuples(NUMBERS, NUMBERS, NUMBERS)


def dot(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def at(form: Form, x: Sequence[Fraction], u: Sequence[Fraction]) -> Fraction:
    a, b, c = (Fraction(v) for v in form)
    return a * dot(x, x) + 2 * b * dot(x, u) + c * dot(u, u)


MEANING = {
    Lipschitz: lambda c, x, u: c * c * dot(x, x) - dot(u, u),
    Monotone: lambda c, x, u: dot(u, x),
    StronglyMonotone: lambda c, x, u: dot(u, x) - c * dot(x, x),
    Comonotone: lambda c, x, u: dot(u, x) - c * dot(u, u),
    Cocoercive: lambda c, x, u: dot(u, x) - c * dot(u, u),
    WeakMinty: lambda c, x, u: dot(u, x) - c * dot(u, u),
    Nonexpansive: lambda c, x, u: dot(x, x) - dot(u, u),
    QuasiNonexpansive: lambda c, x, u: dot(x, x) - dot(u, u),
    # N = (T - (1 - theta) I)/theta is nonexpansive
    ConicallyNonexpansive: lambda c, x, u: (
        c * c * dot(x, x)
        - dot(
            [p - (1 - c) * q for p, q in zip(u, x, strict=True)],
            [p - (1 - c) * q for p, q in zip(u, x, strict=True)],
        )
    ),
}


@pytest.mark.parametrize("kind", MEANING, ids=lambda k: k.name)
@quick
@given(c=POSITIVE, x=VECTORS, u=VECTORS)
@pytest.mark.sampled(4)
def test_each_form_says_what_its_property_means(kind, c, x, u) -> None:
    assert at(Property(kind, c, "F").form(), x, u) == MEANING[kind](c, x, u)


@pytest.mark.parametrize("kind", MEANING, ids=lambda k: k.name)
@quick
@given(c=POSITIVE, x=VECTORS, u=VECTORS)
@pytest.mark.sampled(4)
def test_a_property_of_t_is_read_off_f_as_identity_minus_t(kind, c, x, u) -> None:
    of_t = [a - b for a, b in zip(x, u, strict=True)]
    assert at(Property(kind, c, "T").form(), x, u) == MEANING[kind](c, x, of_t)


@quick
@given(st.lists(FORMS, min_size=1, max_size=2), FORMS, VECTORS, VECTORS)
def test_an_implication_of_any_forms_is_sound(premises, conclusion, x, u) -> None:
    if implies(premises, conclusion) and all(at(p, x, u) >= 0 for p in premises):
        assert at(conclusion, x, u) >= 0


@quick
@given(
    st.lists(st.tuples(FORMS, st.fractions(0, 3, max_denominator=6)), min_size=1, max_size=2),
    VECTORS,
    st.fractions(-1, 1, max_denominator=50),
    VECTORS,
    VECTORS,
)
def test_an_implication_near_a_true_one_is_sound(weighted, root, slack, x, u) -> None:
    # a combination of the premises, a square, and a little more or less than that
    p, q = root
    total = [p * p + slack, p * q, q * q + slack]
    for form, weight in weighted:
        total = [t + weight * f for t, f in zip(total, form, strict=True)]
    premises = [form for form, _ in weighted]
    if implies(premises, tuple(total)) and all(at(f, x, u) >= 0 for f in premises):
        assert at(tuple(total), x, u) >= 0


CIRCLE = [(Fraction(i, 30), Fraction(1)) for i in range(-30, 31)]
CIRCLE += [(Fraction(1), Fraction(i, 30)) for i in range(-30, 31)]


@quick
@given(
    st.sampled_from([Lipschitz, Monotone, StronglyMonotone, Comonotone, Cocoercive]),
    st.fractions(-3, 3, max_denominator=6),
    FORMS,
)
def test_one_premise_is_decided_rightly_both_ways(kind, constant, conclusion) -> None:
    # by the S-lemma points of a line decide; a hit with room to spare on every one must be found
    premise = Property(kind, constant, "F").form()
    if premise[0] * premise[2] >= premise[1] ** 2:
        return  # not indefinite: the S-lemma has nothing to say
    values = [
        at(conclusion, (s,), (t,)) for s, t in CIRCLE if at(premise, (s,), (t,)) >= -Fraction(1, 2)
    ]
    inside = [at(conclusion, (s,), (t,)) for s, t in CIRCLE if at(premise, (s,), (t,)) >= 0]
    if min(inside, default=1) < 0:
        assert not implies([premise], conclusion)
    elif min(values, default=-1) > Fraction(1, 2):
        assert implies([premise], conclusion)


def follows(conclusion: Property, *premises: Property) -> bool:
    return implies([p.form() for p in premises], conclusion.form())


@quick
@given(NUMBERS, NUMBERS)
def test_comonotone_follows_from_a_larger_modulus_only(r, s) -> None:
    assert follows(Comonotone(s), Comonotone(r)) == (s <= r)


@quick
@given(POSITIVE, POSITIVE)
def test_lipschitz_follows_from_a_smaller_constant_only(small, large) -> None:
    assert follows(Lipschitz(large), Lipschitz(small)) == (small <= large)


@quick
@given(NUMBERS, NUMBERS)
def test_strongly_monotone_follows_from_a_larger_modulus_only(r, s) -> None:
    assert follows(StronglyMonotone(s), StronglyMonotone(r)) == (s <= r)


@quick
@given(POSITIVE)
def test_what_cocoercive_operators_are(beta) -> None:
    known = Cocoercive(beta)
    assert follows(Lipschitz(1 / beta), known)
    assert not follows(Lipschitz(1 / beta - Fraction(1, 10**9)), known)
    assert follows(Monotone(), known)
    assert not follows(StronglyMonotone(Fraction(1, 10**9)), known)
    assert follows(Comonotone(beta), known)
    assert not follows(known, Lipschitz(1 / beta), Monotone())


@quick
@given(POSITIVE)
def test_conically_nonexpansive_maps_are_cocoercive_complements(theta) -> None:
    conic, cocoercive = ConicallyNonexpansive(theta, of="T"), Cocoercive(1 / (2 * theta))
    assert follows(cocoercive, conic)
    assert follows(conic, cocoercive)
    assert not follows(Cocoercive(1 / (2 * theta) + Fraction(1, 10**9)), conic)


def test_nonexpansive_maps_are_half_cocoercive_complements() -> None:
    nonexpansive, half = Nonexpansive(of="T"), Cocoercive(Fraction(1, 2))
    assert follows(half, nonexpansive)
    assert follows(nonexpansive, half)
    assert follows(Lipschitz(2), nonexpansive)
    assert not follows(nonexpansive, Lipschitz(2))
    assert not follows(nonexpansive, Cocoercive(Fraction(1, 2) - Fraction(1, 10**9)))
    assert not follows(nonexpansive, Monotone())


@quick
@given(POSITIVE, POSITIVE)
def test_strong_monotonicity_and_lipschitz_give_cocoercivity(mu, extra) -> None:
    L = mu + extra
    pair = (StronglyMonotone(mu), Lipschitz(L))
    assert follows(Cocoercive(mu / L**2), *pair)
    assert not follows(Cocoercive(mu / L**2 + Fraction(1, 10**9)), *pair)
    assert follows(Monotone(), *pair)
    # F = mu I and F = mu I + a quarter turn: not more is true
    assert not follows(StronglyMonotone(mu + Fraction(1, 10**9)), *pair)


def test_what_monotone_and_lipschitz_operators_need_not_be() -> None:
    known = (Monotone(), Lipschitz(1))
    assert not follows(StronglyMonotone(Fraction(1, 10**9)), *known)
    assert not follows(Cocoercive(Fraction(1, 10**9)), *known)
    assert not follows(Nonexpansive(of="T"), *known)
    assert not follows(Monotone(), Lipschitz(1))
    assert not follows(Monotone(), Comonotone(Fraction(-1, 10**9)))
    assert not follows(Comonotone(-(10**9)), Lipschitz(1))
    assert not follows(Lipschitz(10**9), Monotone())


def test_without_premises_only_squares_hold() -> None:
    assert implies([], (1, 1, 1))
    assert not implies([], (1, 1, Fraction(999, 1000)))
    assert not implies([], (-1, 0, 1))


THIRD = Fraction(1, 3)


@pytest.mark.parametrize(
    ("wanted", "premises", "value"),
    [
        (Lipschitz(), [Cocoercive(THIRD)], Fraction(3)),
        (Lipschitz(), [Cocoercive(THIRD), Lipschitz(2)], Fraction(2)),
        (Lipschitz(), [Cocoercive(THIRD), Lipschitz(5)], Fraction(3)),
        (Lipschitz(), [Comonotone(THIRD)], Fraction(3)),
        (Lipschitz(), [Nonexpansive(of="T")], Fraction(2)),
        (Lipschitz(), [StronglyMonotone(1)], None),
        (Lipschitz(), [Monotone(), Comonotone(Fraction(-1, 2))], None),
        (Comonotone(), [Monotone()], Fraction(0)),
        (Comonotone(), [Cocoercive(THIRD)], THIRD),
        (Comonotone(), [StronglyMonotone(2), Lipschitz(4)], Fraction(1, 8)),
        (Comonotone(), [StronglyMonotone(2)], Fraction(0)),
        (Comonotone(), [Lipschitz(4)], None),
        (Cocoercive(), [StronglyMonotone(2), Lipschitz(4)], Fraction(1, 8)),
        (Cocoercive(), [Comonotone(-THIRD)], None),
        (StronglyMonotone(), [Monotone()], Fraction(0)),
        (StronglyMonotone(), [Lipschitz(3)], Fraction(-3)),
        (StronglyMonotone(), [Lipschitz(2), Comonotone(Fraction(-1, 8))], Fraction(-1, 2)),
        (WeakMinty(), [Comonotone(-THIRD)], -THIRD),
        (WeakMinty(), [WeakMinty(-THIRD), Comonotone(-2)], -THIRD),
        (Comonotone(), [WeakMinty(-THIRD), Comonotone(-2)], Fraction(-2)),
        (Comonotone(), [WeakMinty(THIRD)], None),
        (Lipschitz(), [WeakMinty(THIRD)], None),
        (Monotone(), [WeakMinty(THIRD)], None),
        (Monotone(), [StronglyMonotone(-1)], None),
        (Monotone(), [StronglyMonotone(0)], Fraction(0)),
        (Nonexpansive(of="T"), [Cocoercive(Fraction(1, 2))], Fraction(0)),
        (Nonexpansive(of="T"), [StronglyMonotone(2), Lipschitz(2)], Fraction(0)),
        (Nonexpansive(of="T"), [StronglyMonotone(1), Lipschitz(2)], None),
        (QuasiNonexpansive(of="T"), [Nonexpansive(of="T")], Fraction(0)),
        (QuasiNonexpansive(of="T"), [WeakMinty(Fraction(1, 2))], Fraction(0)),
        (Nonexpansive(of="T"), [QuasiNonexpansive(of="T")], None),
        (ConicallyNonexpansive(of="T"), [Nonexpansive(of="T")], Fraction(1)),
        (ConicallyNonexpansive(of="T"), [Cocoercive(THIRD)], Fraction(3, 2)),
    ],
    ids=lambda v: str(v) if not isinstance(v, list) else " and ".join(map(str, v)),
)
def test_the_strongest_constant(wanted, premises, value) -> None:
    assert strongest(wanted, premises) == value


@quick
@given(
    st.sampled_from([Lipschitz, Comonotone, StronglyMonotone, Cocoercive]),
    st.sampled_from([Lipschitz, Cocoercive]),
    st.sampled_from([StronglyMonotone, Comonotone, Monotone]),
    POSITIVE,
    NUMBERS,
    VECTORS,
)
def test_the_strongest_constant_is_true_of_every_pair(wanted, one, other, c, d, u) -> None:
    premises = [Property(one, c, "F"), Property(other, d, "F")]
    best = strongest(wanted(), premises)
    x = (Fraction(1), Fraction(0))
    if best is not None and all(at(p.form(), x, u) >= 0 for p in premises):
        assert MEANING[wanted](best, x, u) >= 0


# What follows is about problems: which facts a hypothesis may rest on.

M = linear([[0.5, 1], [-1, 0.5]])
SQUARE = box([-1, -1], [1, 1])


def statement(*given: Property, constrained: bool = True, **changes) -> Theorem:
    base = registry.get("theorems", "pethick2022_ceg_plus")
    return dataclasses.replace(base, given=given, constrained=constrained, **changes)


def problem(*facts: Fact, resolvent=NO_CONSTRAINT, **more) -> Problem:
    return Problem(
        M, resolvent, name="p", start=np.ones(2), solution=np.zeros(2), facts=facts, **more
    )


def mismatch(theorem: Theorem, problem: Problem) -> str:
    """Why a theorem does not apply to a problem."""
    with pytest.raises(Inapplicable) as refusal:
        match(theorem, problem)
    return str(refusal.value)


def test_it_abstains_when_a_fact_is_missing() -> None:
    theorem = statement(Lipschitz("L", of="F"), Monotone(of="F"))
    assert mismatch(theorem, problem()) == "Lipschitz of F is not known of it"
    assert mismatch(theorem, problem(exact(Lipschitz(1)))) == "Monotone of F is not known of it"
    found = match(theorem, problem(exact(Lipschitz(1)), exact(Monotone())))
    assert found.values == {"L": 1.0}


def test_a_minty_fact_never_serves_comonotone() -> None:
    facts = (exact(Lipschitz(1)), exact(WeakMinty(0.2)))
    assert mismatch(statement(Comonotone("rho", of="F")), problem(*facts)) == (
        "Comonotone of F is not known of it"
    )
    assert match(statement(WeakMinty("rho", of="S")), problem(*facts)).values == {"rho": 0.2}


def test_without_constraints_f_and_s_are_one() -> None:
    found = match(statement(Comonotone("rho", of="S")), problem(exact(Comonotone(-0.3))))
    assert found.values == {"rho": -0.3}
    found = match(statement(Comonotone("rho", of="F")), problem(exact(Comonotone(-0.3, of="S"))))
    assert found.values == {"rho": -0.3}


def test_with_constraints_comonotone_f_says_nothing_about_the_sum() -> None:
    of_f = exact(Comonotone(-0.3, of="F"))
    of_s = exact(Comonotone(-0.4, of="S"))
    wanted = statement(Comonotone("rho", of="S"))
    assert mismatch(wanted, problem(of_f, resolvent=SQUARE)) == (
        "Comonotone of S is not known of it"
    )
    assert match(wanted, problem(of_f, of_s, resolvent=SQUARE)).values == {"rho": -0.4}
    # and what is known of the sum is nothing about F
    assert mismatch(statement(Comonotone("rho", of="F")), problem(of_s, resolvent=SQUARE)) == (
        "Comonotone of F is not known of it"
    )


def test_that_trap_on_two_points_of_a_face() -> None:
    # F = rotation with <Fx, x> = -c|Fx|^2; on the face x1 = 1 the normals cancel part of F
    c = Fraction(2, 5)
    rows = registry.get("problems", "tight_linear")(c=float(c)).operator.matrix
    x = np.array([0.0, 1.0])  # difference of two points of the face
    u = rows @ x
    assert u @ x >= -float(c) * (u @ u) - 1e-15
    with_normals = u - np.array([u[0], 0.0])
    assert with_normals @ x == pytest.approx(-1 / float(c) * (with_normals @ with_normals))
    assert -1 / float(c) < -float(c)


def test_the_sum_of_monotone_f_and_a_is_monotone() -> None:
    wanted = statement(Monotone(of="S"), Comonotone("rho", of="S"))
    found = match(wanted, problem(exact(Monotone(of="F")), resolvent=SQUARE))
    assert found.values == {"rho": 0.0}
    # F beta-cocoercive makes S monotone, not cocoercive: a normal cone is not
    found = match(wanted, problem(exact(Cocoercive(0.5)), resolvent=SQUARE))
    assert found.values == {"rho": 0.0}
    for fact in (exact(Comonotone(-0.1)), exact(StronglyMonotone(-1)), exact(WeakMinty(0.1))):
        assert mismatch(wanted, problem(fact, resolvent=SQUARE)) == (
            "Monotone of S is not known of it"
        )


def test_the_sum_rule_carries_grade_and_region() -> None:
    wanted = statement(Monotone(of="S"))
    inside = Region(2.0)
    guess = estimated(Monotone(of="F"), local=True)
    found = match(wanted, problem(guess, resolvent=SQUARE, region=inside))
    assert (found.provenance, found.local) == ("estimated", True)


def test_the_provenance_is_that_of_the_weakest_fact_used() -> None:
    theorem = statement(Lipschitz("L", of="F"), WeakMinty("rho", of="S"))
    L, guess = exact(Lipschitz(1)), estimated(WeakMinty(-0.2))
    assert match(theorem, problem(L, guess)).provenance == "estimated"
    assert match(theorem, problem(L, exact(WeakMinty(-0.2)))).provenance == "exact"
    word = Fact(Lipschitz(1), "claimed")
    assert match(theorem, problem(word, guess)).provenance == "claimed"
    # what is not used doesn't count
    assert match(theorem, problem(L, exact(Monotone()), word, guess)).provenance == "exact"


def test_better_known_facts_go_before_stronger_ones() -> None:
    wanted = statement(Comonotone("rho", of="S"))
    found = match(wanted, problem(exact(Comonotone(-0.3)), estimated(Comonotone(-0.1))))
    assert (found.values, found.provenance) == ({"rho": -0.3}, "exact")
    found = match(wanted, problem(exact(Comonotone(-0.3)), exact(Comonotone(-0.1))))
    assert found.values == {"rho": -0.1}


def test_what_two_facts_give_together_rests_on_both() -> None:
    strong, lipschitz = exact(StronglyMonotone(1)), estimated(Lipschitz(1), local=True)
    inside = Region(1.0)
    found = match(statement(Nonexpansive(of="T")), problem(strong, lipschitz, region=inside))
    assert (found.provenance, found.local) == ("estimated", True)
    # mu/L^2 = 1 is the number of one of the two, and rests on the other as well
    near = exact(Lipschitz(1), local=True)
    found = match(statement(Comonotone("rho", of="F")), problem(strong, near, region=inside))
    assert (found.values, found.local) == ({"rho": 1.0}, True)


def test_local_facts_make_the_constants_local() -> None:
    theorem = statement(Lipschitz("L", of="F"), Monotone(of="F"))
    inside = problem(exact(Lipschitz(1), local=True), exact(Monotone()), region=Region(1.0))
    assert match(theorem, inside).local
    assert not match(theorem, problem(exact(Lipschitz(1)), exact(Monotone()))).local


def test_closed_forms_are_passed_on_where_they_are_the_constant() -> None:
    theorem = statement(Lipschitz("L", of="F"), Comonotone("rho", of="S"))
    facts = (exact(Lipschitz("sqrt(s)")), exact(Cocoercive("b/4")))
    found = match(theorem, problem(*facts, parameters={"s": 3.0, "b": 2.0}))
    assert found.values == {"L": 3.0**0.5, "rho": 0.5}
    assert found.formulas == {"L": "sqrt(s)", "rho": "b/4"}
    assert found.rounded == {"L"}


def test_a_closed_form_of_something_else_is_not_passed_on() -> None:
    # L = 1/b is 1.0 where b is, yet "b" is not its formula
    found = match(
        statement(Lipschitz("L", of="F")), problem(exact(Cocoercive("b")), parameters={"b": 1.0})
    )
    assert found.values == {"L": 1.0}
    assert found.formulas == {}


@pytest.mark.parametrize(
    ("formula", "rounded"),
    [
        ("1/3", True),
        ("1/4", False),
        ("sqrt(2)", True),
        ("2**0.5", True),
        ("sin(s)", True),
        ("s", False),
        ("s/3", True),
        ("pi", True),
    ],
)
def test_constants_that_no_float_holds_are_marked(formula: str, rounded: bool) -> None:
    where = problem(exact(Lipschitz(formula)), parameters={"s": 0.7})
    found = match(statement(Lipschitz("L", of="F")), where)
    assert (found.rounded == {"L"}) == rounded


def test_constraints_need_a_theorem_and_a_method_that_allow_them() -> None:
    facts = (exact(Lipschitz(1)), exact(Monotone()))
    inside = problem(*facts, resolvent=SQUARE)
    given_ = (Lipschitz("L", of="F"),)
    assert mismatch(statement(*given_, constrained=False), inside) == "it needs A = 0"
    plain = statement(*given_, method="eg_plus")
    assert mismatch(plain, inside) == "eg_plus has no form with A ≠ 0"
    assert match(plain, problem(*facts)).values == {"L": 1.0}


def test_a_theorem_about_one_family_stays_with_it() -> None:
    theorem = statement(Lipschitz("L", of="F"), on=("bilinear",))
    assert mismatch(theorem, problem(exact(Lipschitz(1)))) == "it is about bilinear only"
    game = registry.get("problems", "bilinear")(L=2.0)
    assert match(theorem, game).values["L"] == 2.0


@quick
@given(st.lists(st.sampled_from(STRENGTH)))
def test_the_weakest_of_several_grades(grades: list[Provenance]) -> None:
    order = ["exact", "certified", "estimated", "claimed"]
    assert weakest(grades) == (order[max(map(order.index, grades))] if grades else "exact")
