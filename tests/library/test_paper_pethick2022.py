"""The games written out for the figures are those of the library, and the cycle is escaped."""

from __future__ import annotations

import numpy as np
import pytest

import opcheck
from opcheck_paper_repro.pethick2022.experiment import (
    curvature_eg_plus,
    forsaken,
    forsaken_slope,
    global_forsaken,
    least_ratio,
    polar,
)


@pytest.mark.parametrize(
    ("field", "name", "parameters"),
    [
        (forsaken, "forsaken", {}),
        (global_forsaken, "global_forsaken", {}),
        (polar(0.75), "polar_game", {"a": 0.75}),
    ],
)
def test_fields_are_those_of_the_library(field, name, parameters):
    """One gradient step inside the box, which does not project, gives F."""
    for start in ((0.3, -0.4), (-0.6, 0.5)):
        game = opcheck.problem(name, **parameters)
        z = np.array(start)
        run = opcheck.run("gradient_descent_ascent", game, 1, start=z, gamma=1e-3, iterates=True)
        step = (run.iterates[0] - run.iterates[1]) / 1e-3
        np.testing.assert_allclose(step, field(z), atol=1e-12)


def test_slope_is_that_of_differences():
    z, e = np.array([0.4, -0.9]), 1e-6
    columns = [(forsaken(z + e * d) - forsaken(z - e * d)) / (2 * e) for d in np.eye(2)]
    assert forsaken_slope(z) == pytest.approx(np.linalg.norm(np.array(columns).T, 2), rel=1e-6)


def test_the_stated_constant_is_a_local_minimum_only():
    zero = opcheck.problem("forsaken").solution
    z, F = np.array([-1.012, -0.105]), forsaken(np.array([-1.012, -0.105]))
    assert F @ (z - zero) / (F @ F) == pytest.approx(-0.477761, abs=2e-6)
    assert least_ratio(forsaken, zero, 1.5) == pytest.approx(-1.520566, abs=2e-6)


def test_curvature_eg_plus_escapes_from_everywhere():
    zero = opcheck.problem("forsaken").solution
    for start in ((0.5, 0.5), (1.0, -0.8), (-1.2, -1.2), (1.2, 0.45)):
        points = curvature_eg_plus(np.array(start), 4000)[1]
        assert np.linalg.norm(points[-1] - zero) < 1e-8
