"""Attacks against solver and closed forms; the six rungs, and the commands that they name."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from command_line import good, good_json, invoke

from opcheck import registry
from opcheck.evidence.certificates import rounding
from opcheck.evidence.dossier import Dossier, Rung, dossier, standings
from opcheck.evidence.simulation.verify import Report, Summary, summary
from opcheck.model.theorem import Theorem, without_proof
from opcheck.report import describe

registry.load()
THEOREMS = registry.names("theorems")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["attack", "nothing"], "nothing"),
        (["attack", "pethick2023"], "name one"),
        (["attack", "pethick2023_la_gda_large_tau"], "must fail"),
        (["attack", "elementary_bilinear_extragradient"], "no class of operators"),
        (["attack", "lieder2021_halpern", "--budget", "3"], "at least 10"),
        (["attack", "lieder2021_halpern", "--seed", "-1"], "must not be negative"),
        (["attack", "lieder2021_halpern", "-k", "x"], "write -k 3"),
        (["attack", "gorbunov2022_eg_last", "-p", "gamma=2"], "0 < gamma < 1/L"),
        (["show", "extragradient", "--evidence"], "is no theorem"),
        (["show", "nothing", "--evidence"], "nothing"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words: list[str], sentence: str) -> None:
    done = invoke(*words)
    assert done.exit_code == 2, done.output
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("opcheck: ")]
    assert sentence in line


# ---- the dossier ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def halpern() -> Dossier:
    return dossier("lieder2021_halpern")


def test_the_rungs_of_halpern(halpern: Dossier) -> None:
    names = ["simulated", "attacked", "worst case", "certified", "proved"]
    assert [r.name for r in halpern.rungs] == [*names, "tight", "hypotheses needed"]
    simulated, attacked, solver, certified, _, tight, needed = halpern.rungs
    assert simulated.data["status"] == summary("lieder2021_halpern").status == "attained"
    assert attacked.data["ratio"] == pytest.approx(1)
    assert [row["k"] for row in solver.data["rows"]] == [1, 2, 3, 4, 5]
    assert all(row["ratio"] == pytest.approx(1, abs=1e-6) for row in solver.data["rows"])
    assert certified.data["k"] == [1, 2, 3, 4, 5]
    assert tight.data["where"]
    assert needed.data["dropped"]["Nonexpansive of T"].startswith("lieder2021_halpern on ")
    assert str(halpern.standing) == "proved, tight, needed"


@pytest.mark.parametrize("i", [0, 1, 2, 3])
def test_the_commands_give_the_numbers(halpern: Dossier, i: int, tmp_path: Any) -> None:
    rung = halpern.rungs[i]
    words = shlex.split(rung.command)
    assert words[0] == "opcheck"
    words = [str(tmp_path) if w == "proofs" else w for w in words[1:]]
    if words[0] == "verify":
        words += ["--jobs", "1"]
    found: Any = json.loads(good_json(*words))
    if i == 0:
        (row,) = found["theorems"]
        assert (row["status"], row["ratio"]) == (rung.data["status"], rung.data["ratio"])
    elif i == 1:
        assert found["ratio"] == rung.data["ratio"]
    elif i == 2:
        assert [row["ratio"] for row in found] == [row["ratio"] for row in rung.data["rows"]]
    else:
        assert [row["k"] for row in found if row["ratio"] == "1"] == rung.data["k"]


def test_a_theorem_without_a_class_says_so() -> None:
    entry = registry.get("theorems", "elementary_lookahead_past_extragradient")
    found = dossier(without_proof(entry))
    assert [r.stands for r in found.rungs] == [True, False, False, False, False, False, False]
    assert all("no class of operators" in r.says[0] for r in found.rungs[1:4])
    assert str(found.standing) == "simulated"


@pytest.mark.slow
def test_show_prints_the_dossier_and_json() -> None:
    shown = good("show", "elementary_gda_contraction", "--evidence")
    assert "1 simulated" in shown
    assert "7 hypotheses needed" in shown
    assert "$ opcheck certify elementary_gda_contraction" in shown
    assert "for every k" in shown
    found = json.loads(good_json("show", "elementary_gda_contraction", "--evidence"))
    assert found["statement"]["method"] == "gradient_descent_ascent"
    assert found["rung"] in ("certified", "proved")
    assert len(found["rungs"]) == 7


# ---- the column of verify ------------------------------------------------------------------------

SOME = [
    "elementary_gda_contraction",
    "elementary_bilinear_proximal_point",
    "lieder2021_halpern",
    "pethick2023_ikm_radius",
]


@pytest.mark.usefixtures("own_registry")
def test_the_commands_for_a_theorem_of_a_file_name_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung = Rung("simulated", True, ("",), "opcheck verify mine2026_step", {})
    monkeypatch.setattr(describe, "dossier", lambda name: Dossier(name, (rung,) * 3))
    file = tmp_path / "mine.py"
    file.write_text(
        "from opcheck import Lipschitz, Source, StronglyMonotone, theorem\n"
        "theorem('mine2026_step', method='gradient_descent_ascent',\n"
        "        given=[Lipschitz('L', of='F'), StronglyMonotone('mu', of='F')],\n"
        "        where='0 < gamma < 2*mu/L**2', measure='next(distance)',\n"
        "        bound='(1 - 2*gamma*mu + (gamma*L)**2)*distance', claim='one-step',\n"
        "        source=Source('mine2026', 'Lemma 1'), horizons=[5])\n",
        encoding="utf-8",
    )
    told = json.loads(good_json("show", str(file), "--evidence"))
    commands = [rung["command"] for rung in told["rungs"]]
    assert commands == [f"opcheck --plugin {file} verify mine2026_step"] * 3


@pytest.mark.slow
def test_verify_shows_the_rung_that_the_dossier_finds() -> None:
    found = json.loads(good_json("verify", *SOME, "--jobs", "1"))
    shown = good("verify", *SOME, "--jobs", "1")
    for row in found["theorems"]:
        standing = dossier(row["name"]).standing
        assert (row["rung"], row["tight"], row["needed"]) == (
            standing.rung,
            standing.tight,
            standing.needed,
        )
        (line,) = [one for one in shown.splitlines() if one.startswith(row["name"])]
        assert line.rstrip().endswith(str(standing))


def test_on_one_problem_there_is_no_rung() -> None:
    words = ["verify", *SOME[:1], "gorbunov2022_eg_last", "--problem", "bilinear"]
    found = json.loads(good_json(*words))
    assert all("rung" not in row for row in found["theorems"])


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    ("change", "rung"),
    [
        # violated on the library: nothing speaks for it
        ({"bound": "3.9*R**2/(k + 1)**2"}, ""),
        # true, and no quadratic form
        ({"bound": "4*R**2/(k + 1)**2 + 0*sqrt(residual)"}, "attacked"),
        # a family alone is no class
        ({"on": ("neg_identity",)}, "simulated"),
        ({}, "certified"),
    ],
)
def test_rungs_of_a_theorem_of_ones_own(change: dict[str, Any], rung: str) -> None:
    entry: Theorem = registry.get("theorems", "lieder2021_halpern")
    mine = dataclasses.replace(entry, **{"name": "mine", "proof": None, "order": "", **change})
    registry.register("theorems", "mine", mine, "here")
    found = standings(Report((summary("mine"),)))["mine"]
    assert found.rung == rung
    assert bool(rung) >= found.needed


@pytest.mark.ci
@pytest.mark.usefixtures("own_registry")
def test_a_multiple_of_the_bound_is_no_certificate_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rationals are found above the bound alone, the solver's word is what is left."""
    real = rounding.attempts

    def only_raised(program: Any, target: Any, tight: bool = True, start: Any = None) -> Any:
        return iter(()) if tight else real(program, target, tight)

    monkeypatch.setattr(rounding, "attempts", only_raised)
    entry: Theorem = registry.get("theorems", "lieder2021_halpern")
    registry.register("theorems", "mine", dataclasses.replace(entry, name="mine", proof=None), "")
    assert standings(Report((summary("mine"),)))["mine"].rung == "worst case"
    found = dossier("mine")
    assert [r.stands for r in found.rungs[2:4]] == [True, False]
    assert found.rungs[3].data["k"] == []


def test_what_is_not_decided_stands_on_nothing() -> None:
    entry: Theorem = registry.get("theorems", "lieder2021_halpern")
    assert str(standings(Report((Summary(entry, ()),)))[entry.name]) == ""
