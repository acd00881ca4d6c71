"""Results as frames: the numbers of the run and of the report, in the libraries people have."""

from __future__ import annotations

import importlib
import importlib.util
import types
from typing import Any

import pandas
import pytest

import opcheck
from opcheck.errors import MissingExtra
from opcheck.evidence.simulation.verify import verify

NAME = "elementary_bilinear_proximal_point"


def test_a_run_is_a_row_for_each_recorded_k() -> None:
    t = opcheck.run("extragradient", "bilinear", 20, gamma=0.5, measures=["residual"])
    frame = t.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame) == ["k", "oracle_calls", *t.measures]
    assert frame["residual"].tolist() == t["residual"].tolist()
    assert frame["oracle_calls"].tolist() == (2 * t.k).tolist()


def test_a_report_is_a_row_for_each_theorem() -> None:
    frame = verify([NAME, "lee2021_feg_equality"], jobs=1).to_frame()
    assert frame["name"].tolist() == [NAME, "lee2021_feg_equality"]
    assert frame["status"].tolist() == ["attained", "attained"]
    assert frame["ratio"].tolist() == [1.0, 1.0]


def test_one_result_is_one_row() -> None:
    verdict = verify(NAME, "bilinear")
    frame = verdict.to_frame()
    assert len(frame) == 1
    assert frame["problem"].item() == verdict.problem


def test_a_table_keeps_its_columns() -> None:
    table = opcheck.Table({"rho": [-0.5, 0.0], "outcome": ["leaves", "arrives"]})
    assert table.to_frame().to_dict("list") == {
        "rho": [-0.5, 0.0],
        "outcome": ["leaves", "arrives"],
    }


def test_without_pandas_it_is_of_polars_and_without_both_one_sentence(monkeypatch: Any) -> None:
    table = opcheck.Table({"k": [1, 2]})
    there = {"polars"}
    polars = types.SimpleNamespace(DataFrame=lambda columns: ("polars", columns))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in there or None)
    monkeypatch.setattr(importlib, "import_module", lambda name: {"polars": polars}[name])
    assert table.to_frame() == ("polars", {"k": [1, 2]})
    monkeypatch.setattr(importlib, "import_module", lambda name: libraries[name])
    libraries = {"polars": polars, "pandas": types.SimpleNamespace(DataFrame=lambda columns: 1)}
    there.add("pandas")
    assert table.to_frame() == 1
    there.clear()
    with pytest.raises(MissingExtra, match="pip install pandas"):
        table.to_frame()
