"""Papers: every figure shows what its caption says, and a wrong one is caught."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import opcheck
from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model.method import resolve
from opcheck.model.paper import PaperFigure, PaperRun, ends_within, keeps_away, paper
from opcheck.model.problem import problem
from opcheck.report.reproduce import evaluate, figures_of, reproduce, simulate, write_csv

KEY = "pethick2023_stable"
APP = "approximate_proximal_point"
FIGURES = [(key, f.id) for key in registry.names("papers") for f in figures_of(key)]
COVERED = [
    pytest.param(f, label, id=f"{key}-{id}-{label}")
    for key, id in FIGURES
    for f in [registry.get("papers", key).figure(id)]
    for label in f.runs
    if f.runs[label].theorem
]


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers")
    return {(key, id): reproduce(key, id, folder / key) for key, id in FIGURES}


def figure(id: str) -> PaperFigure:
    return registry.get("papers", KEY).figure(id)


def failing(one: PaperFigure) -> list[str]:
    return [sentence for sentence, passed in evaluate(one, simulate(one)) if not passed]


def with_run(one: PaperFigure, label: str, **changes) -> PaperFigure:
    run = dataclasses.replace(one.runs[label], **changes)
    return dataclasses.replace(one, runs={**one.runs, label: run})


def test_the_figures_of_the_paper_are_all_there():
    assert [f.id for f in figures_of(KEY)] == ["forsaken", "polar_game", "global_forsaken"]


@pytest.mark.parametrize(("key", "id"), FIGURES)
def test_everything_that_must_be_seen_is_seen(redrawn, key, id):
    result = redrawn[key, id]
    one = registry.get("papers", key).figure(id)
    assert [sentence for sentence, _ in result.checks] == [c.sentence for c in one.checks]
    assert result.ok, [sentence for sentence, passed in result.checks if not passed]


@pytest.mark.parametrize(("key", "id"), FIGURES)
def test_every_run_is_checked(key, id):
    one = registry.get("papers", key).figure(id)
    assert {c.sentence.split()[0] for c in one.checks} == set(one.runs)


MUTANTS = [
    ("forsaken", "RAPP", {"method": APP, "parameters": {"gamma": 0.3, "tau": 5}}),
    ("forsaken", "RAPP", {"parameters": {"gamma": 0.3, "lam": 0.3, "tau": 5}}),
    ("forsaken", "RAPP", {"parameters": {"gamma": 0.08, "lam": 0.1, "tau": 5}}),
    ("forsaken", "LA-GDA", {"parameters": {"gamma": 0.08, "lam": 0.5, "tau": 10}}),
    ("forsaken", "LA-GDA", {"parameters": {"gamma": 0.08, "lam": 0.9, "tau": 20}}),
    ("forsaken", "APP", {"parameters": {"gamma": 0.4, "tau": 5}}),
    ("forsaken", "EG", {"method": "rapp", "parameters": {"gamma": 0.3, "lam": 0.1, "tau": 5}}),
    ("polar_game", "GDA", {"method": "extragradient"}),
    ("polar_game", "LA-GDA", {"parameters": {"gamma": 0.15, "lam": 0.5, "tau": 2}}),
    ("polar_game", "RAPP", {"parameters": {"gamma": 0.15, "lam": 0.5, "tau": 1}}),
    ("global_forsaken", "GDA", {"method": "extragradient"}),
    ("global_forsaken", "LA-GDA", {"parameters": {"gamma": 0.33, "lam": 0.5, "tau": 20}}),
    ("global_forsaken", "LA-CEG+", {"iterations": 200}),
]  # fmt: skip


@pytest.mark.parametrize(("id", "label", "changes"), MUTANTS)
def test_a_wrong_run_is_caught(id, label, changes):
    caught = failing(with_run(figure(id), label, **changes))
    assert any(sentence.startswith(f"{label} ") for sentence in caught)


@pytest.mark.parametrize(("key", "id"), FIGURES)
def test_files_are_whole(redrawn, key, id):
    result = redrawn[key, id]
    root = ElementTree.parse(result.svg).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    width, height = (float(root.get(side).removesuffix("pt")) / 72 for side in ("width", "height"))
    assert width == pytest.approx(6.9)  # two columns of a journal
    assert 3.0 < height < 4.2
    assert result.png.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert json.loads(json.dumps(result.as_dict()))["csv"] == str(result.csv)
    assert sorted(p.name for p in result.paths) == [f"{id}.csv", f"{id}.png", f"{id}.svg"]


@pytest.mark.parametrize(("key", "id"), FIGURES)
def test_table_holds_the_runs_digit_by_digit(redrawn, key, id):
    runs = simulate(registry.get("papers", key).figure(id))
    with redrawn[key, id].csv.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(t.k) for t in runs.values())
    for label, t in runs.items():
        mine = [row for row in rows if row["run"] == label]
        assert [int(row["k"]) for row in mine] == t.k.tolist()
        columns = {"oracle_calls": t.oracle_calls, **t.measures}
        columns |= {f"z{i + 1}": t.iterates[:, i] for i in range(t.problem.dim)}
        for name, values in columns.items():
            assert [float(row[name]) for row in mine] == values.tolist()


@pytest.mark.parametrize(("key", "id"), FIGURES)
def test_runs_are_compared_at_equal_oracle_calls(key, id):
    runs = simulate(registry.get("papers", key).figure(id))
    assert len({t.oracle_calls[-1] for t in runs.values()}) == 1


def test_another_process_writes_the_same_bytes(redrawn, tmp_path):
    code = f"from opcheck.report.reproduce import reproduce; reproduce({KEY!r}, 'polar_game', '.')"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    first = redrawn[KEY, "polar_game"]
    for file in (first.svg, first.png, first.csv):
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(("one", "label"), COVERED)
def test_the_theorem_named_for_a_run_covers_it(one, label):
    where = problem(one.problem, **one.problem_parameters)
    where = dataclasses.replace(where, start=np.array(one.start))
    run = one.runs[label]
    assert registry.get("theorems", run.theorem).iteration is resolve(run.method)
    verdict = opcheck.verify(run.theorem, where, **run.parameters)
    assert verdict.status in ("holds", "attained"), verdict


@pytest.mark.parametrize(
    ("id", "theorem"),
    [
        ("forsaken", "pethick2023_la_ceg_plus"),
        *[(id, "pethick2023_rapp_last") for key, id in FIGURES if key == KEY],
    ],
)
def test_notes_that_deny_a_theorem_are_right(id, theorem):
    one = figure(id)
    where = problem(one.problem, **one.problem_parameters)
    assert opcheck.verify(theorem, where).status == "inapplicable"


def test_checks_see_runs_that_leave_the_numbers():
    run = PaperRun("gradient_descent_ascent", 3000, {"gamma": 1.0})
    one = dataclasses.replace(
        figure("forsaken"),
        problem="bilinear",
        problem_parameters={},
        runs={"GDA": run},
        checks=(keeps_away("GDA", 0.5), ends_within("GDA", 1e9)),
    )
    assert len(failing(one)) == 2


def test_unknown_names_are_answered(tmp_path):
    with pytest.raises(OpcheckError, match="it has forsaken, polar_game, global_forsaken"):
        reproduce(KEY, "figure_9", tmp_path)
    with pytest.raises(OpcheckError, match=f"did you mean '{KEY}'"):
        reproduce("pethick2023", "forsaken", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OpcheckError, match=r"can't write .* name a folder that can be written"):
        reproduce(KEY, "global_forsaken", tmp_path / "file" / "out")


def test_two_figures_of_one_id_are_refused():
    one = figure("forsaken")
    with pytest.raises(OpcheckError, match="two figures of one id"):
        paper("twice", title="", authors=(), year=2023, arxiv="", figures=(one, one))
    assert "twice" not in registry.names("papers")


def test_table_needs_runs_of_one_shape(tmp_path):
    runs = simulate(figure("global_forsaken"))
    other = dataclasses.replace(runs["GDA"], measures={})
    with pytest.raises(OpcheckError, match="same measures"):
        write_csv({"GDA": other, "RAPP": runs["RAPP"]}, tmp_path / "t.csv")
