"""The largest measured/bound at each k, and worst cases as a table: against what verify says."""

from __future__ import annotations

import numpy as np
import pytest

from opcheck import registry
from opcheck.evidence.simulation.ratios import largest_ratios
from opcheck.evidence.simulation.verify import summary
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.table import worst_cases
from opcheck.evidence.worst_case.worst_case import worst

NAME = "gorbunov2022_eg_last"


def test_the_largest_of_all_k_is_what_verify_reports() -> None:
    table = largest_ratios(NAME)
    top = summary(NAME).worst
    assert top is not None
    assert table["ratio"].max() == pytest.approx(top.ratio, rel=1e-9)
    assert top.problem in table["problem"]
    assert (np.diff(table["k"]) > 0).all()
    assert len(table) <= 120 + 1
    assert table["k"].max() <= max(registry.get("theorems", NAME).horizons)


@pytest.mark.ci
def test_worst_cases_lie_between_search_and_bound() -> None:
    table = worst_cases(NAME, [1, 2], gamma="1/4")
    assert table["k"].tolist() == [1, 2]
    assert "gamma = 1/4" in table.caption
    reached = attack(NAME, [1, 2], gamma="1/4", ends=False).reached
    for row, below in zip(table.rows(), reached, strict=True):
        case = worst(NAME, row["k"], gamma="1/4")
        assert row["worst"] / row["bound"] == pytest.approx(case.ratio, rel=1e-6)
        assert row["attack"] / row["bound"] == pytest.approx(below.ratio, rel=1e-9)
        assert row["attack"] <= row["worst"] * (1 + 1e-6)
