"""``opcheck compare``: each way in which documents of verdicts can differ is told as what it is."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from command_line import invoke

from opcheck.document import write
from opcheck.errors import OpcheckError
from opcheck.evidence.dossier import Standing, document
from opcheck.evidence.simulation.verify import verify
from opcheck.model.verdict import Status
from opcheck.report.compare import RUNGS, STANDING, Comparison, compare

NAME = "elementary_bilinear_proximal_point"


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Any]:
    """A document as the command writes it."""
    report = verify([NAME], jobs=1)
    written = document(report, {NAME: Standing(NAME, "simulated", True, False)})
    return dict(json.loads(json.dumps(written)))


def held(tmp_path: Path, before: Any, after: Any) -> Comparison:
    files = [write(text, tmp_path / f"{i}.json") for i, text in enumerate((before, after))]
    return compare(*files)


def altered(verdicts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    other = copy.deepcopy(verdicts)
    other["theorems"][0].update(fields)
    return other


def test_every_status_has_a_place() -> None:
    assert STANDING.keys() == set(get_args(Status))


def test_equal_documents_have_no_changes(tmp_path: Path, verdicts: dict[str, Any]) -> None:
    result = held(tmp_path, verdicts, verdicts)
    assert result.ok
    assert result.changes == ()
    assert result.same == 1


CHANGES = [
    ({"status": "violated"}, "worse", "status violated, was attained"),
    ({"status": "untried", "reason": "far"}, "worse", "status untried, was attained (far)"),
    ({"rung": "proved"}, "better", "proved, was simulated"),
    ({"tight": False}, "worse", "not tight"),
    ({"needed": True}, "better", "needed"),
    ({"holes": ["gamma: low"]}, "worse", "nothing was decided at gamma: low"),
    ({"ratio": 0.5}, "changed", "largest measured/bound 0.5, was 1"),
    ({"ratio": None}, "changed", "largest measured/bound none, was 1"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "kind", "what"), CHANGES)
def test_a_change_is_told_and_its_opposite_too(tmp_path, verdicts, fields, kind, what) -> None:
    other = altered(verdicts, **fields)
    (change,) = held(tmp_path, verdicts, other).changes
    assert (change.theorem, change.kind, change.what) == (NAME, kind, what)
    (back,) = held(tmp_path, other, verdicts).changes
    assert back.kind == {"worse": "better", "better": "worse"}.get(kind, kind)


@pytest.mark.parametrize("lower", range(len(RUNGS) - 1))
def test_each_rung_is_above_the_one_before(tmp_path, verdicts, lower) -> None:
    low, high = (altered(verdicts, rung=RUNGS[i]) for i in (lower, lower + 1))
    assert held(tmp_path, low, high).ok
    assert not held(tmp_path, high, low).ok


def test_the_last_digits_of_another_processor_are_no_change(tmp_path, verdicts) -> None:
    assert not held(tmp_path, verdicts, altered(verdicts, ratio=1 + 2e-12)).changes


def test_a_verdict_and_a_statement_that_changed(tmp_path, verdicts) -> None:
    other = copy.deepcopy(verdicts)
    row = other["theorems"][0]
    row["statement"]["bound"] = "2*R**2"
    worse = next(v for v in row["verdicts"] if v["status"] == "attained")
    worse["status"] = "inconclusive"
    first, second = held(tmp_path, verdicts, other).changes
    assert first.kind == "changed"
    assert first.what.startswith("bound 2*R**2, was ")
    assert (second.kind, second.what) == (
        "worse",
        f"on {worse['problem']} inconclusive, was attained",
    )


def test_a_theorem_that_is_gone_is_a_regression_and_a_new_one_is_none(tmp_path, verdicts) -> None:
    nothing = {**verdicts, "theorems": []}
    assert not held(tmp_path, verdicts, nothing).ok
    assert held(tmp_path, nothing, verdicts).ok
    (change,) = held(tmp_path, nothing, verdicts).changes
    assert (change.kind, change.what) == ("new", "attained, simulated")


def test_the_command_counts_and_ends_with_one(tmp_path, verdicts) -> None:
    files = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for file, text in zip(files, (verdicts, altered(verdicts, status="violated")), strict=True):
        write(text, file)
    done = invoke("compare", *files)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"worse    {NAME}: status violated, was attained",
        "1 worse, 0 gone, 0 better, 0 new, 0 changed; 0 as before",
    ]
    assert invoke("compare", files[1], files[0]).exit_code == 0
    told = json.loads(invoke("compare", *files, "--json").stdout)
    assert told["changes"][0]["kind"] == "worse"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "can't read"),
        ("[1", "is no document of verdicts; write one by: opcheck verify --json"),
        ('{"theorems": [{"name": "x"}], "schema": 1}', "is no document of verdicts"),
        ('{"theorems": [], "schema": 9}', "has schema 9, and this opcheck reads 1"),
        ('{"theorems": [], "schema": 1, "interrupted": true}', "of a run that was interrupted"),
    ],
)
def test_what_is_no_document_is_one_sentence(tmp_path, text, says) -> None:
    file = tmp_path / "bad.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    done = invoke("compare", str(file), str(file))
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"status": "great"}, "no verdict is 'great'"),
        ({"rung": "super"}, "no verdict is 'super'"),
        ({"ratio": "0.1"}, "measured/bound is '0.1'"),
        ({"statement": []}, "the statement no statement"),
        ({"holes": None}, "is no document of verdicts"),
        ({"name": 3}, "a name, a problem or a hole is no text"),
    ],
)
def test_a_document_that_verify_did_not_write_is_refused(tmp_path, verdicts, fields, says) -> None:
    """Each was an internal error, or said to be as before."""
    with pytest.raises(OpcheckError, match=says):
        held(tmp_path, verdicts, altered(verdicts, **fields))


def test_a_violation_is_not_hidden_by_the_status_above_it(tmp_path, verdicts) -> None:
    other = copy.deepcopy(verdicts)
    other["theorems"][0]["verdicts"][0]["status"] = "violated"
    with pytest.raises(OpcheckError, match="is said to be attained, and its verdicts are not"):
        held(tmp_path, verdicts, other)
    other["theorems"][0]["verdicts"] = []
    with pytest.raises(OpcheckError, match="is said to be attained, and no verdict is"):
        held(tmp_path, verdicts, other)


def test_a_theorem_or_a_key_that_is_there_twice_is_refused(tmp_path, verdicts) -> None:
    twice = {**verdicts, "theorems": verdicts["theorems"] * 2}
    with pytest.raises(OpcheckError, match="a theorem is there twice"):
        held(tmp_path, verdicts, twice)
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(verdicts)[:-1] + ', "theorems": []}', encoding="utf-8")
    with pytest.raises(OpcheckError, match="is no document of verdicts"):
        compare(file, file)
