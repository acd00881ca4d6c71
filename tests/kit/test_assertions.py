"""Assertions on runs and statements: what is true passes, what is not is told with its numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from registered import stated

import opcheck
from opcheck import testing
from opcheck.engine.run import Trajectory
from opcheck.model.problem import problem


def recorded(values: object, last: int = 256, status: str = "completed") -> Trajectory:
    """A run of which only its records matter: ``values`` of k = 0, ..., last."""
    k = np.arange(last + 1)
    return Trajectory(
        method="extragradient",
        problem=problem("bilinear"),
        parameters={"gamma": 0.5},
        k=k,
        z=np.zeros(2),
        measures={"residual": np.asarray(values(k), dtype=float)},  # type: ignore[operator]
        iterates=np.zeros((0, 2)),
        status=status,
        oracle_calls=2.0 * k,
    )


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (lambda k: 3 / (k + 1), "1/k"),
        (lambda k: (2 + np.cos(k)) / (k + 1) ** 2, "1/k**2"),
        (lambda k: 1 / (k + 1) ** 2, "1/k"),
        (lambda k: 0.9**k, "0.9**k"),
        (lambda k: 0.5**k, "1/k"),
        (lambda k: 0.0 * k, "1/k"),
    ],
)
def test_a_rate_that_is_reached_passes(values: object, order: str) -> None:
    testing.assert_rate(recorded(values), "residual", order=order)


@pytest.mark.parametrize(
    ("values", "order", "exponent"),
    [
        (lambda k: 3.0 / np.sqrt(k + 1), "1/k", 0.5),
        (lambda k: 1 / (k + 1), "1/k**2", 1.0),
        (lambda k: 1.0 + 0 * k, "1/k", 1.0),
    ],
)
def test_a_rate_that_is_missed_is_told_with_its_exponent(
    values: object, order: str, exponent: float
) -> None:
    with pytest.raises(testing.CheckFailed, match="residual of extragradient on bilinear") as told:
        testing.assert_rate(recorded(values), "residual", order=order)
    sentence = str(told.value)
    times = float(sentence.partition("times k^")[2].partition(" ")[0])
    assert times == pytest.approx(exponent, abs=0.02)
    assert "up to k = 256, where it is " in sentence
    assert sentence.endswith("gamma = 0.5")


def test_a_bound_is_held_at_every_k() -> None:
    run = recorded(lambda k: np.where(k == 7, 1.0, 2 / (k + 1)))
    testing.assert_rate(run, "residual", order="1/k", bound="8/(k + 1)")
    with pytest.raises(testing.CheckFailed, match=r"at k = 7: 1 > 0\.375$"):
        testing.assert_rate(run, "residual", order="1/k", bound="c/(k + 1)", c=3)
    # R is the distance of the start from the solution, (1, 1) from 0, and gamma the run's
    testing.assert_rate(run, "residual", order="1/k", bound="4*R**2*2*gamma/k")
    with pytest.raises(testing.CheckFailed, match=r"exceeds its bound at k = 7: 1 > 0\.0714"):
        testing.assert_rate(run, "residual", order="1/k", bound="R**2*gamma**2/k")
    with pytest.raises(testing.CheckFailed, match="q"):
        testing.assert_rate(run, "residual", order="1/k", bound="q/k")


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (recorded(lambda k: 1 / (k + 1), last=7), "has 7 steps; a rate needs 8 or more"),
        (recorded(lambda k: np.where(k > 99, np.nan, 1.0)), "is not finite by the order 1/k"),
        (recorded(lambda k: 1.0 * k, status="left the numbers at k = 3"), "left the numbers"),
    ],
)
def test_a_run_that_shows_no_rate_is_told(run: Trajectory, says: str) -> None:
    with pytest.raises(testing.CheckFailed, match=says):
        testing.assert_rate(run, "residual", order="1/k")
    with pytest.raises(testing.CheckFailed, match="'gap' was not taken; taken are residual"):
        testing.assert_rate(run, "gap", order="1/k")


def test_a_run_is_held_to_the_theorems_that_cover_it() -> None:
    run = opcheck.run("extragradient", "bilinear", 40, gamma=0.5, measures=["residual"])
    testing.assert_bound(run, "gorbunov2022_eg_last")
    testing.assert_bound(run)
    outside = dataclasses.replace(run, parameters={"gamma": 1.5})
    with pytest.raises(testing.CheckFailed, match="gorbunov2022_eg_last does not cover"):
        testing.assert_bound(outside, "gorbunov2022_eg_last")
    with pytest.raises(testing.CheckFailed, match="no theorem covers extragradient on bilinear"):
        testing.assert_bound(outside)
    higher = {"residual": run["residual"] + 100.0}
    with pytest.raises(testing.CheckFailed, match=r"residual exceeds the bound .* at k = \d+"):
        testing.assert_bound(dataclasses.replace(run, measures=higher))


def test_certified_and_proved_statements() -> None:
    testing.assert_certified("gorbunov2022_eg_last", 1)
    testing.assert_proved("gorbunov2022_eg_last")
    with pytest.raises(testing.CheckFailed, match="declares no potential argument"):
        testing.assert_proved(stated("gorbunov2022_eg_last", proof=None))
