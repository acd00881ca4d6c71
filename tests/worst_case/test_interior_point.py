"""The worst case in 400 bits: against the other solver, closed forms, operators, and its own λ."""

from __future__ import annotations

import dataclasses
from fractions import Fraction as Q

import numpy as np
import pytest
from click.testing import CliRunner

from opcheck import attack, registry, worst
from opcheck.cli import main
from opcheck.evidence.worst_case import interior_point
from opcheck.evidence.worst_case.claim import claim
from opcheck.evidence.worst_case.interior_point import optimum
from opcheck.evidence.worst_case.worst_case import Program, Unconverged

registry.load()

# with A = 0, any A and a subdifferential (values of functions cancel), with and without a resolvent
SETTLED = (
    "gorbunov2022_eg_last",
    "lieder2021_halpern",
    "pethick2022_ceg_plus",
    "gu2020_ppm_last",
    "korpelevich1976_eg_fejer",
    "tseng2000_fbf_fejer",
    "combettes2015_fb_averaged",
)
# at γ = 1/64 the bound is 1e-6 to 1e-10 times what is measured
OPEN = (
    ("pethick2023_inner_loop_posterior", 1),
    pytest.param("pethick2023_inner_loop", 3, marks=pytest.mark.ci),
    pytest.param("pethick2023_inner_loop_posterior", 3, marks=pytest.mark.ci),
)


@pytest.mark.parametrize("name", SETTLED)
@pytest.mark.parametrize("k", [1, 2])
def test_the_value_is_that_of_the_other_solver(name: str, k: int) -> None:
    stated = claim(registry.get("theorems", name), k, "middle", {})
    program = Program(stated)
    other, own = program.smallest(), optimum(stated)
    assert own is not None
    assert own.error < 1e-25
    assert own.theta == pytest.approx(other.theta, abs=other.error + 1e-9)
    lam = np.array(own.lam)
    assert lam.min() >= 0
    np.testing.assert_allclose(program.balance @ (lam / program.unit), 0, atol=1e-9)
    slack = program.slack(own.theta, lam / program.unit)
    assert np.linalg.eigvalsh(slack)[0] >= -1e-12 * max(1.0, float(np.abs(slack).max()))


@pytest.mark.parametrize(("gamma", "mu"), [("1/2", "1/4"), ("3/4", "1/8"), ("1/1024", "1")])
def test_a_closed_form_to_the_last_digit(gamma: str, mu: str) -> None:
    """1/(1 + γμ)² of the proximal point method, as a multiple of the distance before."""
    entry = registry.get("theorems", "rockafellar1976_ppm_contraction")
    entry = dataclasses.replace(entry, bound="distance", order="", proof=None)
    case = worst(entry, 1, precise=True, gamma=gamma, mu=mu)
    assert case.ratio == pytest.approx(float((1 + Q(gamma) * Q(mu)) ** -2), rel=1e-15)
    assert case.error < 1e-25


@pytest.mark.parametrize(("name", "k"), OPEN)
def test_what_double_precision_does_not_resolve(name: str, k: int) -> None:
    entry = registry.get("theorems", name)
    with pytest.raises(Unconverged):
        Program(claim(entry, k, "low", {})).smallest()
    case = worst(name, k, place="low")
    assert case.ratio == pytest.approx(1, abs=1e-12)
    assert case.error < 1e-25
    assert any("solved in 400 bits" in note for note in case.notes)
    reached = max(reach.ratio for reach in attack(entry, [k], place="low", ends=False).reached)
    assert reached <= case.ratio + 1e-9
    if k == 1:
        assert reached > 1 - 1e-6


def test_a_bound_that_is_too_small_is_seen_there_too() -> None:
    """A planted fault where the other solver knows nothing: nine tenths of a bound that is met."""
    entry = registry.get("theorems", "pethick2023_inner_loop_posterior")
    entry = dataclasses.replace(entry, bound=f"9/10*({entry.bound})", proof=None)
    assert worst(entry, 1, place="low").ratio == pytest.approx(10 / 9, abs=1e-12)


def test_more_bits_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    stated = claim(registry.get("theorems", "gorbunov2022_eg_last"), 1, "middle", {})
    once = optimum(stated)
    monkeypatch.setattr(interior_point, "BITS", 700)
    again = optimum(stated)
    assert once is not None
    assert again is not None
    assert again.theta == once.theta


def test_a_program_that_is_large_is_left_alone() -> None:
    said = CliRunner().invoke(main, ["worst", "gorbunov2022_eg_last", "-k", "20", "--precise"])
    assert said.exit_code == 2
    assert "too large for 400 bits" in said.output
    assert "Traceback" not in said.output


def test_without_steps_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is left early has an error, and is no answer."""
    stated = claim(registry.get("theorems", "lieder2021_halpern"), 1, "middle", {})
    monkeypatch.setattr(interior_point, "STEPS", 8)
    assert optimum(stated) is None
