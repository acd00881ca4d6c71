"""Parts of opcheck against each other: over the library, and over statements made from it."""

from __future__ import annotations

import dataclasses
import functools
import json
import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from click.testing import CliRunner

import opcheck
import opcheck.evidence.cross_check as cross
import opcheck.evidence.simulation.verify as verification
from opcheck import registry
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.evidence.cross_check import CrossCheck, cross_check
from opcheck.evidence.dossier import standings
from opcheck.evidence.simulation.mutants import _changed as changed
from opcheck.evidence.simulation.mutants import kernel_changes
from opcheck.evidence.simulation.verify import Report, Summary, confront, summary
from opcheck.evidence.worst_case.attack import attack
from opcheck.kernels import axpy
from opcheck.model.method import method
from opcheck.model.problem import problem
from opcheck.model.property import Comonotone, Lipschitz, Monotone
from opcheck.model.theorem import Source, Theorem, theorem, without_proof

registry.load()
NAMES = registry.names("theorems")
QUICK = ["gorbunov2022_eg_last", "lieder2021_halpern", "pethick2022_ceg_plus", "gu2020_ppm_last"]
FEW = [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
FACTORS = ("1/2", "9/10", "99/100", "1", "101/100", "2")
PROBLEMS = ("bilinear", "rotation_shift", "neg_identity", "tight_linear")


def statements(seed: int) -> Iterator[Theorem]:
    """Statements made from those of the library, true and false, without end.

    A bound is multiplied, moved by a step or taken to another power of R; a hypothesis is left out;
    a range is wider or narrower; another measure is taken; a kernel has one error.
    """
    draw = random.Random(seed)
    about = [registry.get("theorems", n) for n in NAMES]
    about = [t for t in about if not t.on and t.claim in ("upper bound", "one-step")]
    about = [dataclasses.replace(t, order="") for t in about]  # which is that of its own bound
    while True:
        entry = draw.choice(about)
        changes: dict[str, Any] = {"bound": f"{draw.choice(FACTORS)}*({entry.bound})"}
        match draw.randrange(6):
            case 0:
                changes["bound"] = changes["bound"].replace("(k + 1)", "(k + 2)")
            case 1 if len(entry.given) > 1:
                left_out = draw.choice(entry.given)
                changes["given"] = tuple(p for p in entry.given if p is not left_out)
            case 2 if entry.chains:
                chain = draw.choice(entry.chains)
                if chain.hi is not None:
                    wider = str(chain).replace(
                        f"{chain.hi}", f"({chain.hi})*{draw.choice(FACTORS)}"
                    )
                    changes["where"] = entry.where.replace(str(chain), wider)
            case 3:
                changes["measure"] = draw.choice(["distance", "residual", entry.measure])
            case 4 if entry.method in registry.names("methods"):
                kernels = list(kernel_changes(registry.get("methods", entry.method).kernel))
                _, kernel = draw.choice(kernels)
                mutant = dataclasses.replace(entry, **changes)
                mutant.__dict__["iteration"] = changed(entry.method, entry.method, kernel)
                yield mutant
                continue
        yield dataclasses.replace(entry, **changes)


def agreed(count: int, seed: int) -> tuple[int, int, int]:
    """Cross-check so many statements; how many were refused, proved, and shown false."""
    on = [problem(name) for name in PROBLEMS]
    made = statements(seed)
    refused = proved = false = 0
    for _ in range(count):
        statement = next(made)
        try:
            found = cross_check(statement, ks=(max(statement.first, 1),), problems=on)
        except OpcheckError:
            refused += 1
            continue
        assert found.ok, (statement.name, statement.where, statement.bound, found.disagreements)
        proved += found.proof == "proved"
        false += bool(found.violated) or any(v > 1 + 1e-6 for v in found.reached.values())
    return refused, proved, false


@pytest.mark.parametrize("name", FEW)
@pytest.mark.ci
def test_parts_agree_on_the_library(name: str) -> None:
    found = cross_check(name)
    assert found.ok, found.disagreements
    assert not found.violated
    assert all(value <= 1 + 1e-6 for value in found.reached.values())


@pytest.mark.ci
def test_parts_agree_on_made_statements() -> None:
    _, proved, false = agreed(12, 1)
    assert proved
    assert false


def test_a_statement_without_its_proof_is_about_the_same_method() -> None:
    """Else another, true statement would be certified beside a kernel with a planted error."""
    entry = registry.get("theorems", "pethick2022_ceg_plus")
    _, kernel = next(iter(kernel_changes(entry.iteration.kernel)))
    mutant = dataclasses.replace(entry)
    mutant.__dict__["iteration"] = changed(entry.method, entry.method, kernel)
    bare = without_proof(mutant)
    assert bare.proof is None
    assert bare.iteration is mutant.iteration


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_parts_agree_on_many_made_statements(seed: int) -> None:
    refused, proved, false = agreed(50, 100 + seed)
    assert refused < 25
    assert proved  # few changes leave a proof as it was
    assert false > 5


@pytest.mark.ci
def test_a_disagreement_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever part is wrong: a proof, a certificate or an upper bound that is too good."""
    name = "gorbunov2022_eg_last"
    half = dataclasses.replace(registry.get("theorems", name), bound="R**2/100", order="")
    on = [problem("bilinear")]

    def sentences() -> str:
        return " ".join(cross_check(half, ks=(2,), problems=on).disagreements)

    assert sentences() == ""
    with monkeypatch.context() as planted:
        planted.setattr(cross, "attempt", lambda _: type("Said", (), {"status": "proved"}))
        assert "proved, and violated on bilinear" in sentences()
        assert "proved, and an operator of its class reaches" in sentences()
    with monkeypatch.context() as planted:
        planted.setattr(cross, "certify", lambda *_: type("Said", (), {"ratio": 1}))
        assert "certified at 1 times the bound" in sentences()
    with monkeypatch.context() as planted:
        case = type("Said", (), {"ratio": 0.5, "error": 0.0})
        planted.setattr(cross, "worst", lambda *_, **__: case)
        assert "the worst case at k = 2 is 0.5 times the bound" in sentences()


def fejer_for_every_a(**changes: Any) -> Theorem:
    """‖z − z*‖ ≤ R for extragradient, with γ < 1/L: true of A = ∂f, and not of a skew A."""
    stated: dict[str, Any] = {
        "method": "extragradient",
        "source": Source("a statement that is false"),
        "given": [Lipschitz("L", of="F"), Monotone(of="F")],
        "where": "0 < gamma < 1/L",
        "constrained": True,
        "measure": "distance",
        "bound": "R**2",
        **changes,
    }
    return theorem("fejer_for_every_a", **stated)


@pytest.mark.ci
def test_the_library_enters_every_kind_of_maximally_monotone_a(own_registry: None) -> None:
    """A cover of boxes and A = 0 alone says nothing of a skew A."""
    fejer_for_every_a()
    over = summary("fejer_for_every_a")
    assert over.status == "violated"
    assert {v.problem.partition("(")[0] for v in over.verdicts if v.status == "violated"} == {
        "opposed_rotations"
    }
    assert all(over.entered["A"].values())
    assert "no subdifferential on 8" in over.words_of_a
    only = Summary(registry.get("theorems", "fejer_for_every_a"), over.verdicts[-30:])
    assert "A: no subdifferential" in only.holes


def test_a_step_of_extragradient_with_a_skew_a_in_rationals() -> None:
    """The growth that the problem's text states, from the definition and in exact rationals."""
    gamma, a = Fraction(9, 10), Fraction(2, 5)

    def resolvent(x: Fraction, y: Fraction) -> tuple[Fraction, Fraction]:
        turn = gamma * a
        return (x - turn * y) / (1 + turn**2), (y + turn * x) / (1 + turn**2)

    x, y = Fraction(1), Fraction(0)
    p, q = resolvent(x + gamma * y, y - gamma * x)  # F(x, y) = (−y, x)
    p, q = resolvent(x + gamma * q, y - gamma * p)
    assert p**2 + q**2 == Fraction(10148125, 7974976)
    run = opcheck.run("extragradient", "opposed_rotations", 1, gamma=0.9, measures=["distance"])
    assert run.measures["distance"][1] == pytest.approx(float(p**2 + q**2), rel=1e-14)


@pytest.mark.ci
def test_an_attack_beyond_the_bound_is_a_violation_everywhere(
    own_registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no problem shows it: beside the attack nothing says attained, tight or agrees."""
    entry = fejer_for_every_a()
    on = [problem("bilinear")]
    said = cross_check(entry, ks=(1,), problems=on)
    assert said.ok  # no two of our parts contradict each other
    assert not said.violated
    assert said.attacked[0] == 1
    assert said.agreement == "violated by attack"
    monkeypatch.setattr(cross, "cross_checks", lambda *_, **__: [said])
    told = CliRunner().invoke(main, ["cross-check", entry.name])
    assert told.exit_code == 1, told.output
    assert "violated by attack" in told.output
    few = Summary(entry, (confront(entry, on[0]),))
    assert few.status in ("holds", "attained")
    (standing,) = standings(Report((few,))).values()
    assert str(standing).startswith("violated by attack: 1.")
    monkeypatch.setattr(verification, "library", lambda: tuple(on))
    monkeypatch.setattr(cross, "library", lambda: tuple(on))
    told = CliRunner().invoke(main, ["verify", entry.name, "--jobs", "1"])
    assert told.exit_code == 1
    assert "tight" not in told.output
    assert "attained" not in told.output


def test_what_fails_at_an_end_of_a_range_alone_is_seen(own_registry: None) -> None:
    """Extragradient at γ = 1/2, ρ = −1/8 comes closer; at γL = 1 it may leave."""
    entry = theorem(
        "extragradient_of_comonotone",
        method="extragradient",
        given=[Lipschitz("L"), Comonotone("rho", of="F")],
        where="-1/(4*L) <= rho, 0 < gamma <= 1/L",
        measure="distance",
        bound="R**2",
        source=Source("none"),
    )
    said = cross_check(entry, ks=(1,), problems=[problem("bilinear")])
    assert said.reached[1] <= 1
    assert "L = 1, rho = -1/4, gamma = 1" in said.attacked
    assert said.agreement == "violated by attack"


def test_worst_fails_where_its_attack_exceeds_the_bound(
    own_registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = fejer_for_every_a()
    quick = functools.partial(attack, budget=cross.BUDGET)
    monkeypatch.setattr("opcheck.evidence.worst_case.attack.attack", quick)
    told = CliRunner().invoke(main, ["worst", entry.name, "-k", "1"])
    assert told.exit_code == 1
    assert "above the bound, in float64 only at k = 1" in told.output
    assert "do not refute" not in told.output


def test_nothing_compared_is_no_agreement(own_registry: None) -> None:
    """A kernel that can't be compiled runs nowhere; proof and certificate alone do not agree."""

    @method("typed_step", params="gamma", rows="z Fz", calls=1, source="none", constrained=False)
    def typed_step(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        """A text whose meaning depends on the type of a number."""
        z, Fz = state[0], state[1]
        for _ in range(n):
            F(z, Fz, F_data)
            w = 3.0 if isinstance(k, int) else 1.0
            axpy(z, z, -w * params[0], Fz)
            k += 1

    fejer_for_every_a(method="typed_step", constrained=False)
    said = cross_check("fejer_for_every_a", ks=(1,), problems=[problem("bilinear")])
    assert said.compared == 0
    assert [name for name, _ in said.errors] == ["bilinear"]
    assert said.agreement in ("no: errors", "violated by attack")


@pytest.mark.ci
def test_the_command_tells_a_disagreement_by_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "pethick2023_relaxed_monotone"
    good = CliRunner().invoke(main, ["cross-check", name, "--json", "--jobs", "1"])
    assert good.exit_code == 0, good.output
    (said,) = json.loads(good.stdout)
    assert said["proof"] == "proved"
    wrong = CrossCheck(
        name, "proved", {}, {}, {}, {}, 1, ("bilinear",), ("proved, and violated on bilinear",)
    )
    monkeypatch.setattr(cross, "cross_checks", lambda *_, **__: [wrong])
    told = CliRunner().invoke(main, ["cross-check", name])
    assert told.exit_code == 3
    assert "internal error" in told.stderr
    assert CliRunner().invoke(main, ["cross-check"]).exit_code == 2
