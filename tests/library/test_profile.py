"""The figure of functions on an interval."""

from __future__ import annotations

import numpy as np
import pytest

from opcheck import OpcheckError, Table, registry


def table(names: list[str]) -> Table:
    return Table(
        {
            "series": np.repeat(names, 3),
            "x": np.tile([0.0, 0.5, 1.0], len(names)),
            "f": np.arange(3.0 * len(names)),
        }
    )


def test_functions_are_lines_and_points_are_ticks() -> None:
    kind = registry.get("figures", "profile")
    (axes,) = kind(table(["target", "network", "neurons"]), ticks="neurons").axes
    assert [line.get_label() for line in axes.lines] == ["target", "network"]
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [3, 4, 5])
    (ticks,) = axes.collections
    assert [segment[0, 0] for segment in ticks.get_segments()] == [0, 0.5, 1]
    assert ticks.get_label() == "neurons"


def test_more_functions_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(OpcheckError, match="three functions"):
        registry.get("figures", "profile")(table(["a", "b", "c", "d"]))
