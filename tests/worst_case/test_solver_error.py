"""What a solver leaves open of a worst case: shown, made small by rescaling, or refused."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import opcheck.evidence.worst_case.worst_case as module
from opcheck import registry
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import certify
from opcheck.evidence.cross_check import BUDGET
from opcheck.evidence.simulation.mutants import _changed as changed
from opcheck.evidence.statement.places import Place
from opcheck.evidence.worst_case import conic
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.claim import claim
from opcheck.evidence.worst_case.worst_case import Program, Unconverged, worst
from opcheck.kernels import axpy, copy

registry.load()
ALL = [registry.get("theorems", n) for n in registry.names("theorems")]
NAMES = [t.name for t in ALL if t.claim == "upper bound" and not t.on]


def test_a_slack_matrix_a_little_below_zero_counts_with_the_size_of_the_worst_case() -> None:
    """The solver's first word was 0.99989, within 2e-9 of a slack matrix ⪰ 0; an operator reaches
    0.99994. The run of a worst case is two hundred times as long as its bound here."""
    case = worst("gorbunov2022_peg_potential", gamma="1/136")
    assert case.error < 1e-6
    assert case.ratio == pytest.approx(1, abs=1e-6)
    assert certify("gorbunov2022_peg_potential", gamma="1/136").ratio == 1


def test_the_error_is_that_of_the_value_and_not_of_the_bound() -> None:
    """A worst case of 2.6e-6 times the bound is given to many digits of its own, or refused."""
    entry = registry.get("theorems", "pethick2023_la_ceg_plus")
    far = {"rho": "-1/8", "gamma": "6/23", "alpha": "1/1552", "lam": "1/64", "tau": "1"}
    case = worst(dataclasses.replace(entry, bound=f"1/2*({entry.bound})"), **far)
    assert case.ratio < 1e-5
    assert case.error < 1e-9
    # the bound that much smaller, so that the value is about 1: the same number
    near = worst(dataclasses.replace(entry, bound=f"{case.ratio / 2!r}*({entry.bound})"), **far)
    assert near.ratio == pytest.approx(1, rel=1e-5)


def test_a_value_that_the_solver_does_not_see_is_not_believed() -> None:
    """5.5e-8 was said, with 7e-8 open in units of the bound, of what an operator brings to 7e-5."""
    entry = registry.get("theorems", "lieder2018_relaxed_small")
    entry = dataclasses.replace(entry, measure="residual", order="")
    far = {"rho": "-73/74", "L": "1", "gamma": "74/75", "lam": "1/175232"}
    reached = attack(entry, 1, ends=False, budget=BUDGET, **far).ratio
    assert reached > 1e-5
    with contextlib.suppress(Unconverged):
        case = worst(entry, **far)
        assert case.ratio + case.error >= reached


def tilted(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """Past extragradient with z̄_k = J(z − 3/2 γ F z̄_{k−1})."""
    z, zbar, Fzbar = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        if k == 0:
            copy(zbar, z)
        else:
            axpy(zbar, z, -3 * gamma / 2, Fzbar)
            J(zbar, gamma, zbar, J_data)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -gamma, Fzbar)
        J(z, gamma, z, J_data)
        k += 1


def test_values_of_functions_count_with_what_they_may_be() -> None:
    """0.5257 was said where an operator reaches 6909: F z* is large there, and so are the values of
    the function, which the multipliers left by a hundredth uncancelled."""
    entry = dataclasses.replace(registry.get("theorems", "cai2022_peg_potential"), order="")
    entry.__dict__["iteration"] = changed(entry.method, entry.method, tilted)
    reached = attack(entry, [1], ends=False, budget=BUDGET).reached[0].ratio
    assert reached > 10
    with contextlib.suppress(OpcheckError):  # unknown, or no finite bound
        assert worst(entry, 1).ratio >= reached


CONVEX = [t.name for t in ALL if t.A == "subdifferential" and t.claim == "upper bound" and not t.on]


@pytest.mark.parametrize("name", CONVEX)
@pytest.mark.parametrize("place", ["low", "high"])
def test_values_of_functions_cancel(name: str, place: Place) -> None:
    entry = registry.get("theorems", name)
    program = Program(claim(entry, max(entry.first, 1), place, {}))
    lam = program._least().lam
    assert lam.min() >= 0
    assert np.abs(program.balance @ lam).max(initial=0) <= 1e-9 * max(1.0, lam.max())


# with A = 0, any A and a subdifferential, of F, of S and of T, with and without a resolvent
SETTLED = (
    "gorbunov2022_eg_last",
    "lieder2021_halpern",
    "pethick2022_ceg_plus",
    "gu2020_ppm_last",
    "cai2022_eg_monotone",
    "korpelevich1976_eg_fejer",
    "tseng2000_fbf_fejer",
    "combettes2015_fb_averaged",
)


@pytest.mark.parametrize("name", SETTLED)
def test_a_rescaled_program_has_the_same_worst_case(name: str) -> None:
    """Any lengths of the basis vectors: the value, the matrices and the multipliers agree."""
    program = Program(claim(registry.get("theorems", name), 1, "middle", {}))
    solution = program._least()
    assert solution.error < 1e-5
    rng = np.random.default_rng(3)
    lengths = np.exp2(rng.integers(-2, 3, program.n))
    odd = dataclasses.replace(solution, gram=np.diag(lengths**2))
    other = program._rescaled(odd)
    again = other._least()
    assert again.theta == pytest.approx(solution.theta, abs=2 * (solution.error + again.error))
    back = program._of(other, again)
    slack = program.slack(back.theta, np.maximum(back.lam, 0.0))
    np.testing.assert_allclose(back.slack, slack, atol=1e-9)
    gram = program.vector(back.gram)
    assert program.bound @ gram == pytest.approx(1, abs=1e-4)
    held = program.forms @ gram + back.heights @ program.balance
    np.testing.assert_allclose(back.weight, held, atol=1e-4 * np.abs(gram).max())


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.ci) for n in NAMES])
@pytest.mark.parametrize("place", ["low", "high"])
def test_no_operator_exceeds_a_worst_case_at_an_end_of_its_ranges(name: str, place: Place) -> None:
    """Where parameters are small, and sizes differ most."""
    entry = registry.get("theorems", name)
    k = max(entry.first, 1)
    try:
        case = worst(entry, k, place=place)
        most = case.ratio + case.error
    except OpcheckError:  # no worst case, or none that the solver knows: the bound is left
        most = 1.0
    tried = attack(entry, [k], place=place, ends=False, budget=BUDGET)
    reached = max(reach.ratio for reach in tried.reached if reach.k == k)
    assert reached <= most + 1e-6 * max(most, 1.0)


@pytest.mark.ci
def test_the_solver_knows_most_ends() -> None:
    """Else the test above would be about bounds alone."""
    known = []
    for name, place in itertools.product(NAMES, ("low", "high")):
        with contextlib.suppress(OpcheckError):
            known.append(worst(name, max(registry.get("theorems", name).first, 1), place=place))
    assert len(known) >= 100
    assert all(case.error <= module.OPEN * case.ratio or case.error < 1e-10 for case in known)


def test_what_is_left_open_is_said_and_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "gorbunov2022_peg_potential"
    least = Program._least

    def with_error(error: float) -> Any:
        return lambda self: dataclasses.replace(least(self), error=error)

    monkeypatch.setattr(module, "optimum", lambda stated: None)
    monkeypatch.setattr(Program, "_least", with_error(3e-5))
    assert any("open by about 3e-05" in note for note in worst(name).notes)
    said = CliRunner().invoke(main, ["worst", name, "-k", "1"])
    assert "open by about 3e-05" in said.output
    monkeypatch.setattr(Program, "_least", with_error(2e-3))
    with pytest.raises(Unconverged, match=r"error of about 0\.002"):
        worst(name)


def test_rescaling_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worst case that is not attained is longer after each rescaling: three are tried."""
    solved = []
    least = Program._least

    def counted(self: Program) -> Any:
        solved.append(self)
        return dataclasses.replace(least(self), error=1.0)

    monkeypatch.setattr(Program, "_least", counted)
    monkeypatch.setattr(module, "optimum", lambda stated: None)
    with pytest.raises(Unconverged):
        worst("gorbunov2022_peg_potential")
    assert len(solved) == 1 + module.RESCALED


def test_what_is_said_while_the_solver_works_comes_after_it_without_its_panic(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Rust writes its panics to the process's own error output, past Python's."""
    panic = "\nthread '<unnamed>' panicked at src/cone.rs:453:35:\nEigval error\n"
    panic += "stack backtrace:\n   0: begin_unwind\nnote: Some details are omitted.\n"
    with conic._without_panics():
        os.write(2, b"one\n")
        os.write(2, panic.encode())
        os.write(2, b"two\n")
    os.write(2, b"three\n")
    assert capfd.readouterr().err.splitlines() == ["one", "two", "three"]
