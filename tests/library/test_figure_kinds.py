"""Every registered figure kind: it draws what it is given, and only that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from conformance import check_figure_kind

from opcheck import registry
from opcheck.engine.run import Trajectory, run
from opcheck.plugin import figure

OF_RUNS = [n for n in registry.names("figures") if "runs" in registry.get("figures", n).of]


@pytest.fixture(scope="module")
def runs() -> Mapping[str, Trajectory]:
    return {
        f"gamma {gamma:g}": run("extragradient", "forsaken", 30, gamma=gamma, iterates=True)
        for gamma in (0.05, 0.0625)
    }


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_figure_kind_draws_its_runs(name: str, runs: Mapping[str, Trajectory]) -> None:
    check_figure_kind(name, runs)


def step_lengths(axes: Any, runs: Mapping[str, Trajectory], wrong: str = "") -> str:
    """The length of each step.

    Args:
        wrong: what is done wrong.
    """
    for i, (label, t) in enumerate(runs.items()):
        lengths = np.linalg.norm(np.diff(t.iterates, axis=0), axis=1)
        if wrong == "one run" and i:
            continue
        if wrong == "no label":
            label = "_nolegend_"
        if wrong == "another run":
            lengths = np.linalg.norm(np.diff(next(iter(runs.values())).iterates, axis=0), axis=1)
        if wrong == "changes":
            t.iterates[0] += 1
        axes.plot(lengths, label=label)
    return "" if wrong == "no caption" else "Lengths of steps, in units of z."


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("one run", "leaves out"),
        ("no label", "leaves out"),
        ("another run", "whatever it is"),
        ("changes", "changes gamma"),
        ("no caption", "no caption"),
    ],
)
def test_a_wrong_figure_kind_is_found_out(
    wrong: str, says: str, runs: Mapping[str, Trajectory]
) -> None:
    def draw(axes: Any, runs: Mapping[str, Trajectory]) -> str:
        return step_lengths(axes, runs, wrong)

    figure("wrong")(draw)
    own = {
        label: run("extragradient", "forsaken", 30, gamma=t, iterates=True)
        for label, t in (("gamma a", 0.05), ("gamma b", 0.0625))
    }
    with pytest.raises(AssertionError, match=says):
        check_figure_kind("wrong", own)
    figure("right")(step_lengths)
    check_figure_kind("right", runs)
