"""Planted errors: what must come out violated does, and what survives is said to."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from opcheck import registry
from opcheck.evidence.simulation import comparison as comparing
from opcheck.evidence.simulation import mutants, runs, units
from opcheck.evidence.simulation import verify as verifying
from opcheck.evidence.simulation.comparison import compare
from opcheck.evidence.simulation.mutants import (
    CUT,
    Mutant,
    bound_mutants,
    hypothesis_mutants,
    kernel_changes,
    kernel_mutants,
    work_list,
)
from opcheck.evidence.simulation.verify import Summary, confront
from opcheck.evidence.statement import parameters as choosing
from opcheck.evidence.statement.hypotheses import match
from opcheck.model.method import Method, Over, resolve
from opcheck.model.primitives import axpy, combine
from opcheck.model.problem import Problem, problem
from opcheck.report.terminal import mutant_line

METHODS = registry.names("methods")
TIGHT = [n for n in registry.names("theorems") if registry.get("theorems", n).reaches]
SMALL = (
    problem("bilinear"),
    problem("tight_linear", c=0.25),
    problem("nilpotent"),
    problem("expansive_map"),
    problem("neg_identity"),
    problem("rotation_map"),
    problem("disc_skew"),
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven problems instead of the library."""
    monkeypatch.setattr(mutants, "library", lambda: SMALL)


def statuses(name: str, where: Problem, **changes: Any) -> set[str]:
    theorem = registry.get("theorems", name)
    return {c.status for c in compare(theorem, where, match(theorem, where), **changes)}


def arguments(entry: Method | Over) -> list[Any]:
    """What a kernel takes, for three iterations on the bilinear game, interpreted."""
    rows, parameters = [*entry.rows], [*entry.parameters]
    front: list[Any] = []
    if isinstance(entry, Over):
        base = resolve("extragradient")
        rows, parameters = [*base.rows, *rows], [*base.parameters, *parameters]
        front = [base.kernel]
    game = problem("bilinear")
    params = np.array([2.0 if p.integer else 0.25 for p in parameters])
    state = np.ones((len(rows), game.dim))
    J = game.resolvent
    first = np.float64(0)  # compiled, a division by zero is no exception
    oracle = [game.operator.kernel, game.operator.data, J.kernel, J.data]
    return [*front, *oracle, state, params, first, 3]


def outcome(kernel: Callable[..., None], entry: Method | Over) -> list[float]:
    given = arguments(entry)
    with np.errstate(all="ignore"):
        kernel(*given)
    return given[-4][0].tolist()


@pytest.mark.parametrize("name", METHODS)
def test_every_change_is_a_kernel_of_its_own(name: str) -> None:
    entry = registry.get("methods", name)
    original = ast.unparse(ast.parse(inspect.getsource(entry.kernel)).body[0].body[1:])
    found = list(kernel_changes(entry.kernel))
    assert found
    texts = []
    for what, kernel in found:
        assert what
        # numba and the cache read a kernel's text, so it must be there to be read
        function = ast.parse(inspect.getsource(kernel)).body[0]
        assert isinstance(function, ast.FunctionDef)
        texts.append(ast.unparse(function.body[1:]))
        before = list(inspect.signature(entry.kernel).parameters)
        assert list(inspect.signature(kernel).parameters) == before
        outcome(kernel, entry)  # it runs
    assert len(set(texts)) == len(texts)
    assert original not in texts


@pytest.mark.parametrize("name", METHODS)
def test_changes_leave_the_kernel_as_it_was(name: str) -> None:
    entry = registry.get("methods", name)
    before = outcome(entry.kernel, entry)
    changed = [outcome(kernel, entry) for _, kernel in kernel_changes(entry.kernel)]
    assert outcome(entry.kernel, entry) == before
    assert any(after != before for after in changed)


def test_a_change_is_what_it_says() -> None:
    texts = {
        what: inspect.getsource(kernel)
        for what, kernel in kernel_changes(resolve("halpern").kernel)
    }
    assert "beta = 1 / (k - 2)" in texts["k + 2: − for +"]
    assert "combine(z, beta, anchor, 1 + beta, z)" in texts["1 - beta: + for −"]
    assert "axpy(z, z, 1, Fz)" in texts["-1: sign lost"]
    lost = texts["combine(z, beta, anchor, 1 - beta, z): lost"]
    assert "combine(z" not in lost
    assert "pass" in lost


# Errors planted by hand, each with the statement that must notice.


def sign_flipped(F, F_data, J, J_data, state, params, k, n):
    z, zbar, Fz = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, gamma, Fz)
        J(zbar, gamma, zbar, J_data)
        F(zbar, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        J(z, gamma, z, J_data)


def without_look_ahead(F, F_data, J, J_data, state, params, k, n):
    z, zbar, Fz = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, -gamma, Fz)
        F(z, Fz, F_data)
        axpy(z, z, -gamma, Fz)


def weights_late_by_one(F, F_data, J, J_data, state, params, k, n):
    z, anchor, Fz = state[0], state[1], state[2]
    for _ in range(n):
        beta = 1 / (k + 3)
        F(z, Fz, F_data)
        axpy(z, z, -1, Fz)
        combine(z, beta, anchor, 1 - beta, z)
        k += 1


def anchored_at_the_last_point(F, F_data, J, J_data, state, params, k, n):
    z, anchor, Fz = state[0], state[1], state[2]
    for _ in range(n):
        beta = 1 / (k + 2)
        F(z, Fz, F_data)
        axpy(z, z, -1, Fz)
        combine(z, beta, anchor, 1 - beta, z)
        axpy(anchor, z, 0, z)
        k += 1


def same_in_other_words(F, F_data, J, J_data, state, params, k, n):
    z, anchor, Fz = state[0], state[1], state[2]
    for _ in range(n):
        beta = 1 / (2 + k)
        F(z, Fz, F_data)
        axpy(Fz, z, -1, Fz)
        combine(z, 1 - beta, Fz, beta, anchor)
        k += 1


@pytest.mark.parametrize(
    ("name", "where", "kernel"),
    [
        ("gorbunov2022_eg_last", problem("bilinear"), sign_flipped),
        ("gorbunov2022_eg_last", problem("bilinear"), without_look_ahead),
        ("lieder2021_halpern", problem("halpern_worst"), weights_late_by_one),
        ("lieder2021_halpern", problem("rotation_map", theta=0.1), anchored_at_the_last_point),
    ],
)
def test_a_planted_error_is_caught(name: str, where: Problem, kernel: Callable[..., None]) -> None:
    method = registry.get("theorems", name).iteration
    assert "violated" not in statuses(name, where)
    changed = dataclasses.replace(method, kernel=kernel, constrained=False, reference=None)
    assert "violated" in statuses(name, where, method=changed)


def test_a_change_of_words_only_is_not_called_an_error() -> None:
    where = problem("halpern_worst")
    method = dataclasses.replace(resolve("halpern"), kernel=same_in_other_words, reference=None)
    assert statuses("lieder2021_halpern", where, method=method) == {"holds"}


def test_an_equivalent_change_is_reported_as_survived(
    monkeypatch: pytest.MonkeyPatch, few: None
) -> None:
    monkeypatch.setattr(
        mutants, "kernel_changes", lambda _: iter([("the same again", same_in_other_words)])
    )
    found = kernel_mutants("halpern")
    assert found == [Mutant("kernel", "halpern", "the same again", "")]
    assert not found[0].caught
    assert found[0].as_dict() == {
        "kind": "kernel",
        "where": "halpern",
        "change": "the same again",
        "by": "",
        "caught": False,
    }
    assert mutant_line(found) == "0 of 1 planted errors were caught (0.0 %)."


@pytest.mark.ci
@pytest.mark.parametrize("name", ["extragradient", "halpern"])
def test_every_change_of_these_texts_is_caught(few: None, name: str) -> None:
    found = kernel_mutants(name)
    assert len(found) == len(list(kernel_changes(registry.get("methods", name).kernel)))
    unseen = [m.change for m in found if not m.caught and "J(" not in m.change]
    assert unseen == []
    for one in found:
        theorem, _, where = one.by.partition(" on ")
        assert not one.by or registry.get("theorems", theorem).method == name
        assert not one.by or where in {p.name for p in SMALL}


def test_a_method_over_another_is_changed_in_its_own_text(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closing(kernel: Any) -> Any:
        return (c for c in kernel_changes(kernel) if c[0].startswith("combine(z, 1 - lam"))

    monkeypatch.setattr(mutants, "kernel_changes", closing)
    found = kernel_mutants("lookahead")
    assert {m.where for m in found} == {"lookahead"}
    theorem = registry.get("theorems", found[0].by.partition(" on ")[0])
    assert theorem.method.startswith("lookahead(")


@pytest.mark.ci
def test_a_call_that_counts_its_steps_wrongly_is_caught(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdicts measure after each step, and one step is made alike."""

    def counting(kernel: Any) -> Any:
        return (c for c in kernel_changes(kernel) if c[0].startswith("k + j"))

    monkeypatch.setattr(mutants, "kernel_changes", counting)
    (mutant,) = kernel_mutants("lookahead")
    assert mutant.by.startswith("the guard: lookahead(")
    assert "single ones" in mutant.by


def test_an_argument_uses_each_hypothesis() -> None:
    """One that it does without makes the statement weaker than what was shown."""
    entries = [registry.get("theorems", n) for n in registry.names("theorems")]
    proved = [t for t in entries if t.proof is not None and not t.on]  # of a class
    assert proved
    unused = [
        f"{t.name}: {p.kind.name}"
        for t in proved
        for p in t.given
        if f"{p.kind.name}(" not in str(t.proof)
    ]
    assert unused == []


@pytest.mark.parametrize(
    "name", ["lieder2021_halpern", "lee2021_feg", "elementary_bilinear_extragradient"]
)
def test_a_bound_cut_by_two_percent_is_caught(few: None, name: str) -> None:
    (found,) = bound_mutants(name)
    assert found.caught
    assert found.by.startswith(f"{name} on ")
    assert found.change == f"bound × {CUT:.4g}"


def test_a_bound_that_is_not_known_to_be_reached_is_not_cut() -> None:
    claims = {n: registry.get("theorems", n).claim for n in registry.names("theorems")}
    must_fail = [n for n, claim in claims.items() if claim == "must fail"]
    assert must_fail
    assert all(bound_mutants(n) == [] for n in must_fail)


@pytest.mark.slow
@pytest.mark.parametrize("name", TIGHT)
def test_every_cut_bound_is_caught(name: str) -> None:
    (found,) = bound_mutants(name)
    assert found.caught


def test_a_dropped_hypothesis_is_caught(few: None) -> None:
    found = hypothesis_mutants("gorbunov2022_eg_last")
    assert [m.change for m in found] == ["without Lipschitz of F", "without Monotone of F"]
    assert all(m.caught for m in found)
    (without,) = hypothesis_mutants("lieder2021_halpern")
    assert without.change == "without Nonexpansive of T"
    assert without.caught


def test_a_hypothesis_that_all_problems_share_cannot_be_seen_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mutants, "library", lambda: (problem("bilinear"),))
    monotone = hypothesis_mutants("gorbunov2022_eg_last")[1]
    assert monotone == Mutant("hypothesis", "gorbunov2022_eg_last", "without Monotone of F", "")


def test_the_work_list_has_every_kind_of_error_once() -> None:
    names = ["lieder2021_halpern", "gorbunov2022_eg_last", "gorbunov2022_eg_monotone"]
    assert work_list(names) == [
        "kernel extragradient",
        "kernel halpern",
        *[f"bound {n}" for n in names],
        *[f"hypothesis {n}" for n in names],
        *[f"reading {n}" for n in names],
    ]


def test_all_kinds_of_one_theorem(few: None) -> None:
    seen: list[str] = []
    found = mutants.mutants(["lieder2021_halpern"], progress=seen.append)
    others = [m.kind for m in found if m.kind != "kernel"]
    assert others == ["bound", "hypothesis", *["reading"] * 5]
    assert seen == work_list(["lieder2021_halpern"])
    caught = sum(m.caught for m in found)
    assert mutant_line(found).startswith(f"{caught} of {len(found)} planted errors were caught")
    assert caught == len(found)


# Errors planted in how a verdict is read: each must turn a verdict that is known.


def on(name: str, **changes: Any) -> Any:
    return dataclasses.replace(registry.get("theorems", name), **changes)


LATE = "where(k < 3, 0*R**2, 4*R**2/((1/L + 2*rho)**2*max(k, 1)**2))"


def test_a_comparison_that_ignores_the_first_k_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    late = on("lee2021_feg", bound=LATE, first=3)
    assert confront(late, problem("bilinear")).status == "attained"
    judge = comparing.judge

    def from_the_start(theorem: Any, run: Any, **options: Any) -> Any:
        return judge(dataclasses.replace(theorem, first=0), run, **options)

    monkeypatch.setattr(comparing, "judge", from_the_start)
    assert confront(late, problem("bilinear")).status == "violated"


def test_a_sample_of_the_best_constants_alone_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    false = on("yoon2021_eag_c", bound="245*(L*R)**2/(k + 1)**2")
    where = [problem(name) for name in ("bilinear", "spin", "appm_worst")]
    assert "violated" in {confront(false, p).status for p in where}
    monkeypatch.setattr(runs, "weaker", lambda *_: [])
    assert {confront(false, p).status for p in where} == {"holds"}


def test_a_sample_that_gives_up_at_an_empty_range_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # there lam has room for gamma in a thousandth of its range only
    where, plain = problem("tight_linear", c=0.19), on("pethick2023_la_gda_two")
    monkeypatch.setattr(runs, "weaker", lambda *_: [])
    searched = confront(plain, where)
    assert searched.status == "holds"
    assert searched.parameters["rho"] < 0
    monkeypatch.setattr(choosing, "_admissible_part", lambda *_: None)
    assert confront(plain, where).status == "inapplicable"


def test_a_verdict_on_no_comparison_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    late = on("gorbunov2022_eg_last", first=1000)
    assert not Summary(late, (confront(late, problem("bilinear")),)).ok
    conclude = verifying.conclude

    def generous(theorem: Any, blank: Any, compared: Any) -> Any:
        some = [dataclasses.replace(c, compared=max(c.compared, 1)) for c in compared]
        return conclude(theorem, blank, some)

    monkeypatch.setattr(verifying, "conclude", generous)
    assert Summary(late, (confront(late, problem("bilinear")),)).ok


def test_thresholds_in_absolute_units_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    false = on(
        "gorbunov2022_eg_last",
        method="gradient_descent_ascent",
        where="1/(2*L) < gamma < 1/L",
        measure="next(residual)",
        bound="residual",
        claim="one-step",
        horizons=(20,),
    )
    slow = problem("bilinear", L=2.0**-60)
    assert confront(false, slow).status == "violated"
    plain = units.Units(dict.fromkeys(comparing.plan(false).takes, 0), frozenset())
    monkeypatch.setattr(units, "units", lambda *_: plain)
    assert confront(false, slow).status == "inconclusive"
