"""Optimisers of PyTorch with one fault each are found, without being told; right ones pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import good, good_json, invoke

import opcheck
from opcheck import adapters
from opcheck.adapters.agreement import OptimizerCheck, check_optimizer
from opcheck.adapters.game import Game
from opcheck.errors import OpcheckError

torch = pytest.importorskip("torch")
import doubles  # noqa: E402
from trained import PLAIN  # noqa: E402

from opcheck.torch import (  # noqa: E402
    ExtraGradient,
    Lookahead,
)

HERE = Path(__file__).parent


def checked(make: Callable[..., Any], **wishes: Any) -> OptimizerCheck:
    return check_optimizer(adapters.torch(make), **wishes)


# --- the four that must be found, told nothing


@pytest.mark.ci
def test_a_zero_previous_gradient_is_found() -> None:
    result = checked(doubles.optimistic_from_zero)
    assert not result.ok
    assert (result.reference, result.parameters) == ("forward_reflected_backward", {"gamma": 0.1})
    assert result.step == 1
    assert "past) starts at 0" in result.diagnosis
    assert "a previous F of 0" in result.diagnosis
    assert result.reproduced <= 1e-12
    # z⁺ = z⁰ − 2γ F z⁰ in place of z⁰ − γ F z⁰
    problem = opcheck.problem(result.problem)
    F = problem.operator(problem.start)
    assert np.allclose(result.expected, problem.start - 0.1 * F, rtol=1e-14)
    assert np.allclose(result.observed, problem.start - 0.2 * F, rtol=1e-14)
    # with w = 2γ and φ = 2 these are the golden ratio's steps, which no theorem is about
    assert any(a.startswith("golden_ratio at gamma = 0.2, phi = 2: unchanged") for a in result.also)


def test_a_step_from_the_look_ahead_point_is_found() -> None:
    result = checked(doubles.extragradient_from_look_ahead)
    assert not result.ok
    assert (result.reference, result.parameters) == ("extragradient", {"gamma": 0.2})
    assert result.step == 1
    assert result.diagnosis.startswith(
        "the step is taken from the look-ahead point zbar and not from z"
    )
    assert result.reproduced <= 1e-12


@pytest.mark.ci
def test_an_aliased_momentum_is_found() -> None:
    result = checked(doubles.lookahead_aliased)
    assert not result.ok
    assert result.reference == "lookahead(complex_momentum)"
    numbers = {"gamma": 0.05, "beta_re": 0.6, "beta_im": 0.0}
    assert result.parameters == {
        **{f"base.{n}": v for n, v in numbers.items()},
        "lam": 0.7,
        "tau": 4,
    }
    assert result.step == 5  # the first with a momentum that went through a synchronisation
    assert "the momentum shrinks at each synchronisation" in result.diagnosis
    assert "λ(2 − λ)" in result.diagnosis
    assert result.reproduced <= 1e-12


@pytest.mark.ci
def test_a_governing_sequence_is_found() -> None:
    result = checked(doubles.douglas_rachford_governing, method="douglas_rachford")
    assert not result.ok
    assert (result.reference, result.parameters) == ("douglas_rachford", {"gamma": 0.3, "lam": 0.5})
    assert "the governing sequence z is returned" in result.diagnosis
    assert result.reproduced <= 1e-12


@pytest.mark.slow  # as the last; 60 gradients a step, and every method with a resolvent
def test_a_governing_sequence_is_found_without_a_name() -> None:
    result = checked(doubles.douglas_rachford_governing)
    assert (result.ok, result.reference) == (False, "douglas_rachford")
    assert "the governing sequence z is returned" in result.diagnosis


# --- right ones


# a number of what Lookahead goes over is told as its base's
BASE = {("lookahead(gradient_descent_ascent)", "gamma"): "base.gamma"}
RIGHT: dict[str, tuple[Callable[..., Any], str, dict[str, Any]]] = {
    **{
        name: (make, method, {BASE.get((method, n), n): v for n, v in values.items()})
        for name, (make, method, values) in PLAIN.items()
    },
    "LA-EG": (
        lambda g: Lookahead(ExtraGradient(g, 0.4), lam=0.6, tau=3),
        "lookahead(extragradient)",
        {"base.gamma": 0.4, "lam": 0.6, "tau": 3},
    ),
    "SGD with momentum": (
        lambda g: torch.optim.SGD(g, 0.05, momentum=0.9),
        "complex_momentum",
        {"gamma": 0.05, "beta_re": 0.9, "beta_im": 0.0},
    ),
    "theirs, Optimistic": (doubles.optimistic, "forward_reflected_backward", {"gamma": 0.1}),
    "theirs, Extragradient": (doubles.extragradient, "extragradient", {"gamma": 0.2}),
    "theirs, Past": (doubles.past, "past_extragradient", {"gamma": 0.2}),
    "theirs, Anchored": (doubles.anchored, "anchored_gradient", {"gamma": 0.2}),
    "theirs, Lookahead": (
        doubles.lookahead,
        "lookahead(complex_momentum)",
        {"base.gamma": 0.05, "base.beta_re": 0.6, "base.beta_im": 0.0, "lam": 0.7, "tau": 4},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.sampled(6)
def test_a_right_one_passes_and_is_named(name: str) -> None:
    make, method, parameters = RIGHT[name]
    result = checked(make)
    assert result.ok, result.diagnosis
    assert (result.reference, dict(result.parameters)) == (method, parameters)
    assert result.steps == 200
    assert len(result.problems) == 3
    assert result.distance <= 1e-13


def test_numbers_that_an_optimiser_does_not_show_are_fitted() -> None:
    result = checked(doubles.extragradient_at_half_the_rate)
    assert (result.ok, result.reference, result.parameters) == (
        True,
        "extragradient",
        {"gamma": 0.1},
    )


@pytest.mark.ci
def test_a_shadow_is_what_a_splitting_should_return() -> None:
    result = checked(doubles.douglas_rachford, method="douglas_rachford")
    assert result.ok
    assert result.returns == "x"


# --- further faults: each with a method named, or found


FAULTS: dict[str, tuple[str, int, str]] = {
    "lookahead_pulled_back": (
        "lookahead(complex_momentum)",
        5,
        "is interpolated with what it was at the last synchronisation",
    ),
    "anchored_to_itself": ("anchored_gradient", 2, "the start z⁰ moves along with z"),
    "anchored_early": ("anchored_gradient", 1, "k counts from -1 on"),
    "against_the_other": ("forward_reflected_backward", 1, "for the ascending player alone"),
    "one_memory": ("forward_reflected_backward", 1, "kept once for all tensors of a player"),
    "single": ("gradient_descent_ascent", 1, "of the size of single precision"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.sampled(3)
def test_a_fault_is_named(name: str) -> None:
    method, step, words = FAULTS[name]
    result = checked(getattr(doubles, name), method=method)
    assert not result.ok
    assert result.step == step
    assert words in result.diagnosis


def test_what_is_no_optimiser_of_the_adapters() -> None:
    with pytest.raises(OpcheckError, match=r"takes what opcheck.* returns, not function"):
        check_optimizer(doubles.extragradient)  # type: ignore[arg-type]


def test_another_method_is_told_from_the_one_named() -> None:
    result = checked(doubles.extragradient, method="gradient_descent_ascent")
    assert not result.ok
    assert result.step == 1
    assert result.diagnosis == ""
    assert result.notes == ("F is evaluated 2 times a step, 1 by the method",)


def test_rounding_is_no_deviation() -> None:
    """On a problem that enlarges differences each step 1e-12 can't be told, which is said."""
    steep = opcheck.operator(_steep, 2)
    problem = opcheck.Problem(steep, start=(0.3, -0.4), name="steep")

    def other_rounding(groups: Any) -> Any:
        return doubles.Optimistic(groups, 0.9)  # z − (2γF − γF₋), and not (z − 2γF) + γF₋

    with pytest.raises(OpcheckError, match="is rounding; take another problem"):
        checked(other_rounding, method="forward_reflected_backward", problems=[problem])


def _steep(z, out, data):
    out[0] = 3.0 * np.sin(9.0 * z[0] + z[1])
    out[1] = 3.0 * np.cos(7.0 * z[1] - z[0])


# --- the command, and runs


def test_the_command_says_what_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    target = f"{HERE / 'doubles.py'}:extragradient_from_look_ahead"
    done = invoke("check-optimizer", target, "--as", "extragradient", "--problem", "x*y")
    assert done.exit_code == 1
    for line in (
        "reference   extragradient at gamma = 0.2",
        "problems    x*y; 200 steps on each, float64",
        "verdict     deviates, first at step 1 on x*y",
        "diagnosis   the step is taken from the look-ahead point zbar and not from z",
        "            so changed, the reference does the same to 0.0e+00",
    ):
        assert line in done.output, done.output


def test_the_document_holds_the_same() -> None:
    words = ("check-optimizer", "torch.optim:SGD", "-p", "lr=0.25", "--problem", "bilinear")
    held = json.loads(good_json(*words))
    assert held["ok"] is True
    assert held["reference"] == "gradient_descent_ascent"
    assert held["parameters"] == {"gamma": 0.25}
    assert "every step is the reference's" in good(*words)


def test_a_run_is_one_of_the_library() -> None:
    ours = adapters.torch(doubles.extragradient).run("bilinear", 50)
    theirs = opcheck.run("extragradient", "bilinear", 50, gamma=0.2, iterates=True)
    assert np.abs(ours.iterates - theirs.iterates).max() <= 1e-14
    for measure in ("residual", "distance"):
        assert np.allclose(ours[measure], theirs[measure], rtol=1e-13)
    assert ours.oracle_calls.tolist() == theirs.oracle_calls.tolist()
    assert ours.status == theirs.status == "completed"


def test_a_run_that_diverges_says_so() -> None:
    run = adapters.torch(lambda g: torch.optim.SGD(g, 3.0)).run("bilinear", 200)
    assert run.status.startswith("left the norm limit (diverged) at k = ")
    assert len(run.k) < 100


def test_players_have_tensors_of_their_own() -> None:
    game = Game(opcheck.problem("bilinear", n=3))
    parts = [part for player in game.players for part in player]
    assert [list(range(6))[part] for part in parts] == [[0], [1, 2], [3], [4, 5]]
