"""Tables: what is written reads back, and what is no table is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opcheck import OpcheckError, Table
from opcheck.model.table import read_csv

finite = st.floats(allow_nan=False)


@given(st.lists(st.tuples(finite, st.integers(-(2**62), 2**62), st.booleans()), min_size=1))
def test_numbers_read_back_to_the_last_bit(tmp_path_factory, rows):
    x, n, truth = zip(*rows, strict=True)
    table = Table({"x": np.array(x), "n": np.array(n), "b": np.array(truth)}, units={"x": "1/L"})
    again = read_csv(table.save(tmp_path_factory.mktemp("t") / "t.csv"))
    for name in table.columns:
        np.testing.assert_array_equal(again[name], table[name])
        assert again[name].dtype == table[name].dtype


def test_words_with_commas_and_quotes_read_back(tmp_path):
    said = ["a,b", 'c "d"', "e | f", "γ = 1/L"]
    assert read_csv(Table({"said": said}).save(tmp_path / "t.csv"))["said"].tolist() == said


def test_rows_are_selected_and_grouped():
    table = Table({"method": ["b", "a", "b"], "rate": [1.0, 2.0, 3.0]})
    assert table.where(method="b")["rate"].tolist() == [1.0, 3.0]
    assert [(key, len(part)) for key, part in table.groups("method")] == [(("b",), 2), (("a",), 1)]
    assert list(table.rows())[1] == {"method": "a", "rate": 2.0}
    assert len(table.where(method="c")) == 0


def test_the_three_forms_say_the_same(tmp_path):
    table = Table({"a_b": [1.23456789], "50%": ["x & y|z"]}, units={"a_b": "1/L"}, caption="c")
    assert table.markdown() == ("| a_b (1/L) | 50% |\n| ---: | --- |\n| 1.235 | x & y\\|z |\n")
    assert table.latex().splitlines() == [
        r"\begin{tabular}{rl}",
        r"\toprule",
        r"a\_b (1/L) & 50\% \\",
        r"\midrule",
        r"1.235 & x \& y\textbar{}z \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    assert json.loads(table.save(tmp_path / "t.json").read_text()) == table.as_dict()
    assert table.save(tmp_path / "t.md").read_text() == table.markdown()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Table({"a": [1], "b": [1, 2]}), "differ in length: a 1, b 2"),
        (lambda: Table({"a": [[1]]}), "one for each row"),
        (lambda: Table({"a": [1j]}), "needs numbers"),
        (lambda: Table({"a": [None]}), "needs numbers"),
        (lambda: Table({"a": [1]}, units={"b": "m"}), "'b' has a unit and is no column: a"),
        (lambda: Table({"a": [1]})["b"], "no column 'b'; it has a"),
        (lambda: Table({"a": [1]}).where(b=1), "no column 'b'"),
        (lambda: Table({1: [1]}), "named by a word"),
        (lambda: Table({"a": [1]}).save("t.xls"), "end it in .csv, .md, .tex"),
        (lambda: Table({"a": [1]}, title="t"), "Table: "),
        (lambda: read_csv("no_such.csv"), "can't read 'no_such.csv'"),
    ],
)
def test_what_is_no_table_is_one_sentence(make, sentence):
    with pytest.raises(OpcheckError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "needs names in its first line"),
        ("a,a\n1,2\n", "each another"),
        ("a,b\n1\n", "line 2 of 't.csv' has 1 values for 2 names"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(tmp_path, text, sentence):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(OpcheckError, match=sentence):
        read_csv(tmp_path / "t.csv")
