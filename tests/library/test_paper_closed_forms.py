"""Figures computed on the complex line, against the library's runs in the plane."""

from __future__ import annotations

import numpy as np
import pytest

import opcheck
from opcheck_paper_repro.alacaoglu2024 import experiment as alacaoglu2024
from opcheck_paper_repro.boehm2023 import experiment as boehm2023
from opcheck_paper_repro.lieder2021 import experiment as lieder2021
from opcheck_paper_repro.malitsky2020_forward import experiment as malitsky2020_forward
from opcheck_paper_repro.malitsky2020_golden import experiment as malitsky2020_golden
from opcheck_paper_repro.park2022 import experiment as park2022
from opcheck_paper_repro.yoon2021 import experiment as yoon2021


def test_yoon2021_constant_covers_the_library_and_is_met_there():
    table = yoon2021.worst()["worst"].where(method="EAG-C")
    for speed in (0.05, 0.3):
        game = opcheck.problem("bilinear", L=speed)
        run = opcheck.run("anchored_extragradient", game, 400, gamma=0.125)
        start = float(game.start @ game.start)
        scaled = run["residual"] * (run.k + 1) ** 2 / start
        assert (scaled <= table["constant"] * (1 + 1e-3)).all()
    # the worst speed for k = 400 is of order 1/(γk)
    speeds = [
        opcheck.run("anchored_extragradient", opcheck.problem("bilinear", L=s), 400, gamma=0.125)[
            "residual"
        ][-1]
        * 401**2
        / 2
        for s in np.geomspace(0.02, 0.2, 60)
    ]
    assert max(speeds) == pytest.approx(table["constant"][-1], rel=0.01)


def test_alacaoglu2024_inner_loop_is_that_of_plain_steps():
    """τ steps u ← z − γwu, written out, for the first iterations."""
    table = alacaoglu2024.inexact()["inexact"].where(rhoL=-0.6)
    w, gamma = -0.6 + 0.8j, 0.8
    a = gamma / (2 * (gamma - 0.6))
    z = 1.0 + 0j
    for k in range(12):
        resolvent = z / (1 + gamma * w)
        assert abs(z - resolvent) ** 2 == pytest.approx(table["residual"][k], rel=1e-9)
        tau = int(np.ceil(np.log((k + 1) * (k + 2) / 0.5) / np.log(1 / gamma)))
        u = z
        for _ in range(tau):
            u = z - gamma * w * u
        z = 1 / (k + 2) + (1 - 1 / (k + 2)) * (z + (u - z) / a)
        assert table["calls"][k + 1] - max(table["calls"][k], 1) <= tau


def test_boehm2023_polar_constants_are_those_of_the_library():
    table = boehm2023.polar()["polar"]
    for a, rho, lipschitz in zip(table["a"], table["rho"], table["L"], strict=True):
        game = opcheck.problem("polar_game_boehm", a=float(a))
        stated = {fact.property.kind.name: game.constant(fact) for fact in game.facts}
        assert rho == pytest.approx(stated["WeakMinty"], rel=1e-5)
        assert lipschitz == pytest.approx(stated["Lipschitz"], rel=1e-5)


def test_lieder2021_worst_rotations_lie_on_the_bound():
    table = lieder2021.weights()["weights"].where(weights="1/(k + 2)")
    np.testing.assert_allclose(table["scaled"], 1, rtol=3e-4)  # to the grid of angles


@pytest.mark.parametrize("step", [0.5, 0.7])
def test_malitsky2020_forward_radius_is_the_growth_of_runs(step):
    table = malitsky2020_forward.ranges()["ranges"].where(method="FRB")
    run = opcheck.run("forward_reflected_backward", opcheck.problem("bilinear"), 300, gamma=step)
    grown = (run["distance"][300] / run["distance"][200]) ** (1 / 200)
    listed = table["radius"][np.argmin(np.abs(table["step"] - step))]
    assert grown <= listed + 1e-3
    if listed > 1:
        assert grown == pytest.approx(listed, rel=1e-3)


def test_malitsky2020_golden_steps_are_those_of_the_library():
    game = opcheck.problem("sun_nonlinear")
    phi, step = malitsky2020_golden.GOLDEN, 0.1
    run = opcheck.run("golden_ratio", game, 30, gamma=step, phi=phi, iterates=True)
    mine = malitsky2020_golden.graal(game.start, 30, phi=phi, step=step)
    np.testing.assert_allclose(np.array(mine), run.iterates, atol=1e-12)
    run = opcheck.run("forward_backward_forward", game, 15, gamma=step, iterates=True)
    mine = malitsky2020_golden.forward_backward_forward(game.start, 30, step=step)
    np.testing.assert_allclose(np.array(mine[::2]), run.iterates, atol=1e-12)


def test_park2022_instance_is_nonexpansive_and_halpern_attains_its_bound():
    """Halpern's N-th iterate on the instance has exactly the least residual of N values of T."""
    for calls in (1, 4, 9):
        n = calls + 1
        t = np.exp(1j * np.pi * (2 * np.arange(n) + 1) / n)
        m = np.arange(n)
        weights = np.abs(((m - n / 2) * t[:, None] ** -m).mean(axis=1))
        z = start = np.sqrt(weights / weights.sum())
        for k in range(calls):
            z = start / (k + 2) + (1 - 1 / (k + 2)) * t * z
        least = park2022.lower_bound()["lower"]["least"][calls - 1]
        assert (np.abs(z - t * z) ** 2).sum() == pytest.approx(least, rel=1e-10)
