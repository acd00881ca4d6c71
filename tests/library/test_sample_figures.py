"""The figure kinds of samples: dots and images where the table says."""

from __future__ import annotations

import numpy as np
import pytest

from opcheck import Table, registry
from opcheck.errors import OpcheckError


def test_points_are_drawn_in_the_square_of_their_group() -> None:
    table = Table({"method": ["a", "a", "b", "b"], "x": [0.0, 1, -1, 9], "y": [1.0, 0, 0, 0]})
    axes = registry.get("figures", "points").plot(table, limit=2.0)
    first, second = (c.get_offsets() for c in axes.collections)
    assert first.tolist() == [[0, 1], [1, 0]]
    assert len(second) == 1  # the other lies outside
    left, right = (line.get_xdata() for line in axes.lines)
    assert (left.min(), left.max()) == (-2, 2)
    assert right.min() > left.max()
    assert second[0, 0] - right.min() == pytest.approx(1)
    assert [t.get_text() for t in axes.texts] == ["a", "b"]
    assert "1 of 4 lie outside" in registry.get("figures", "points")(table, limit=2.0).caption
    with pytest.raises(OpcheckError, match="limit=-1"):
        registry.get("figures", "points").plot(table, limit=-1.0)


def test_images_lie_in_rows_the_first_on_top() -> None:
    image, channel, row, column = (i.ravel() for i in np.indices((3, 1, 2, 2)))
    values = np.where((image == 2) & (row == 0) & (column == 1), 1.0, -1.0)
    table = Table(
        {"image": image, "channel": channel, "row": row, "column": column, "value": values}
    )
    (sheet,) = registry.get("figures", "mosaic").plot(table).images
    shown = np.asarray(sheet.get_array())
    expected = np.zeros((5, 5))
    expected[2, :] = expected[:, 2] = expected[3:, 3:] = 1  # lines, and no fourth image
    expected[3, 1] = 1
    assert np.array_equal(shown, expected)
    three = Table({**table.columns, "channel": image})
    assert np.asarray(registry.get("figures", "mosaic").plot(three).images[0].get_array()).ndim == 3
    two = Table({**table.columns, "channel": image % 2})
    with pytest.raises(OpcheckError, match="images of 2 channels"):
        registry.get("figures", "mosaic").plot(two)
    with pytest.raises(OpcheckError, match="give low < high"):
        registry.get("figures", "mosaic").plot(table, low=1.0)
