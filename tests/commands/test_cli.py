"""The command line: what it prints, what it returns, and one sentence for bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import opcheck
from opcheck import registry
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.model.paper import Check, Claim, Panel, PaperFigure, PaperRun, Runs, paper
from opcheck.model.property import KINDS as PROPERTIES
from opcheck.model.property import Lipschitz, Monotone
from opcheck.model.theorem import Source, theorem
from opcheck.registry import KINDS

pytestmark = pytest.mark.usefixtures("own_registry")


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def good(*words: str, code: int = 0) -> str:
    result = call(*words)
    assert (result.exit_code, result.exception is None or code) == (code, code or True), (
        result.output,
        result.exception,
    )
    return result.stdout


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def document(*words: str, code: int = 0) -> Any:
    return json.loads(good(*words, "--json", code=code), parse_constant=refuse)


def bad(*words: str) -> str:
    """The one sentence that bad input gets."""
    result = call(*words)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("opcheck: ")
    return lines[0].removeprefix("opcheck: ")


@pytest.fixture
def game(tmp_path: Path) -> str:
    path = tmp_path / "game.py"
    path.write_text(
        "import opcheck\n"
        "@opcheck.problem_family('own_game', start=(1, 1), solution=(0, 0), facts=[\n"
        "    opcheck.exact(opcheck.Lipschitz('a')), opcheck.exact(opcheck.Monotone())])\n"
        "def own_game(a=1.0, n=1):\n"
        "    '''min max a x y'''\n"
        "    return opcheck.linear([['0', 'a'], ['-a', '0']], a=a)\n"
    )
    return str(path)


# list and show


@pytest.mark.parametrize("kind", KINDS)
def test_list_one_kind(kind: str) -> None:
    names = registry.names(kind)
    assert [line.split()[0] for line in good("list", kind).splitlines()] == names
    assert document("list", kind) == names


def test_list_everything() -> None:
    found = document("list")
    assert list(found) == list(KINDS)
    assert found["theorems"] == registry.names("theorems")
    shown = good("list")
    assert all(f"{kind} ({len(found[kind])})\n" in shown for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.sampled(3)
def test_show_anything(kind: str) -> None:
    for i, name in enumerate(registry.names(kind)):
        blocks = document("show", name)
        assert any(block.get(kind[:-1]) == name for block in blocks), name
        if i % 6 == 0:
            assert good("show", name).split()[:2] in [[k[:-1], name] for k in KINDS]


def test_show_a_theorem_states_it() -> None:
    (block,) = document("show", "lieder2021_halpern")
    assert block["claim"] == "residual ≤ 4*R**2/(k + 1)**2"
    assert block["given"] == "Nonexpansive of T\nA = 0"
    shown = good("show", "lieder2021_halpern")
    assert "residual ≤ 4*R**2/(k + 1)**2" in shown
    assert "fixed_point.py:" in shown


def test_show_a_problem_with_its_facts() -> None:
    (block,) = document("show", "tight_linear")
    assert block["dimension"] == 2
    assert block["parameters"] == "L = 1.0, c = 0.1"
    shown = good("show", "tight_linear")
    assert "Comonotone(-0.1) of F, exact" in shown
    assert "Lipschitz(1) of F, exact" in shown


def test_show_a_paper_with_its_figures() -> None:
    (block,) = document("show", "pethick2023_stable")
    assert "Stable Nonconvex-Nonconcave Training via Linear Interpolation" in block["citation"]
    figures = [line.partition(":")[0].split(", ")[-1] for line in block["figures"].splitlines()]
    listed = document("repro", "pethick2023_stable", "--list")
    assert figures == [f["figure"] for f in listed if f["figure"]]


# run


def test_run_prints_the_run() -> None:
    found = document("run", "extragradient", "bilinear", "-p", "gamma=0.5", "-n", "20")
    same = opcheck.run("extragradient", "bilinear", 20, gamma=0.5)
    assert found["method"] == "extragradient"
    assert found["problem"] == "bilinear"
    assert found["parameters"] == {"gamma": 0.5}
    assert found["status"] == "completed"
    assert found["k"] == list(range(21))
    assert found["oracle_calls"] == [2.0 * k for k in range(21)]
    assert found["z"] == same.z.tolist()
    assert found["measures"]["residual"] == same["residual"].tolist()
    bound = found["bounds"]["residual"]["gorbunov2022_eg_last"]
    assert bound == pytest.approx([2 / (0.25 * 0.75 * (k + 1)) for k in range(21)])
    shown = good("run", "extragradient", "bilinear", "-p", "gamma=0.5", "-n", "20")
    assert "20, 40 operator calls" in shown
    assert f"{same['residual'][-1]:.6g} at the end" in shown
    assert "by gorbunov2022_eg_last" in shown


def test_a_parameter_out_of_a_theorems_range_is_a_note_on_a_run() -> None:
    words = ("run", "extragradient", "bilinear", "-p", "gamma=1.5", "-n", "3")
    sentence = "gorbunov2022_eg_last needs 0 < gamma < 1/L, which fails: gamma = 1.5, 1/L = 1"
    assert document(*words)["notes"].count(sentence) == 1
    assert good(*words).count(sentence) == 1


def test_run_takes_the_parameters_of_both() -> None:
    words = ("run", "extragradient", "bilinear", "-n", "1", "-p", "gamma=0.5", "-p", "n=2")
    assert len(document(*words)["z"]) == 4
    found = document(*words, "-p", "problem.L=2")
    assert found["problem"] == "bilinear(n=2, L=2)"
    assert found["parameters"] == {"gamma": 0.5}


def test_run_nested_methods_and_sequences() -> None:
    words = ("run", "lookahead(extragradient)", "bilinear", "-n", "4", "-p", "lam=0.5")
    found = document(*words, "-p", "tau=2", "-p", "base.gamma=0.5")
    assert found["parameters"] == {"lam": 0.5, "tau": 2.0, "base.gamma": 0.5}
    words = ("run", "krasnoselskii_mann", "rotation_map", "-n", "2", "-p", "a=0.5,0.75")
    same = opcheck.run("krasnoselskii_mann", "rotation_map", 2, a=[0.5, 0.75])
    found = document(*words)
    assert found["z"] == same.z.tolist()
    assert "lieder2018_km_last is about one a, the same for every k" in found["notes"]
    assert "a = (0.5, 0.75)" in good(*words)


def test_run_records_what_it_is_told_to() -> None:
    words = ("run", "extragradient", "bilinear", "-p", "gamma=0.5", "-n", "1000", "--record")
    assert document(*words, "250")["k"] == [0, 250, 500, 750, 1000]
    log = document(*words, "log")["k"]
    assert log[0] == 0
    assert log[-1] == 1000
    assert 100 < len(log) < 250
    assert document("run", "extragradient", "bilinear", "-p", "gamma=0.5", "-n", "0")["k"] == [0]


def test_run_starts_where_it_is_told_to() -> None:
    words = ("run", "extragradient", "bilinear", "-p", "gamma=0.5", "-n", "0")
    assert document(*words, "--start", "3,-0.5")["z"] == [3.0, -0.5]
    one, two = (document(*words, "--seed", "7") for _ in range(2))
    assert one == two
    assert one["seed"] == 7
    assert one["z"] != document(*words, "--seed", "8")["z"]


def test_a_run_that_diverges_is_valid_json_and_says_where() -> None:
    found = document("run", "extragradient", "bilinear", "-p", "gamma=5", "-n", "2000")
    assert found["status"].startswith("left the norm limit (diverged) at k = ")
    assert found["measures"]["residual"][-1] is None


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_run_plots(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"rate.{suffix}"
    shown = good(
        "run", "extragradient", "bilinear", "-p", "gamma=0.5", "-n", "30", "--plot", str(path)
    )
    assert str(path) in shown.replace("\n", "")
    assert path.read_bytes()[:4] in (b"<?xm", b"\x89PNG")


def test_run_a_problem_of_a_file(game: str) -> None:
    words = ("-p", "gamma=0.25", "-p", "a=2", "-n", "3")
    found = document("run", "extragradient", game, *words)
    assert found["problem"] == "own_game(a=2)"
    assert document("run", "extragradient", f"{game}:own_game", *words) == found
    assert "gorbunov2022_eg_last" in found["bounds"]["residual"]


# verify


def test_verify_one_theorem_on_one_problem() -> None:
    words = ("verify", "gorbunov2022_eg_last", "--problem", "bilinear")
    found = document(*words, "-p", "gamma=0.5")
    assert (found["status"], found["runs"]) == ("holds", 1)
    assert found["parameters"]["gamma"] == 0.5
    assert found["ratio"] == pytest.approx(max(0.25 * 0.75 * 0.8125**k * (k + 1) for k in range(9)))
    shown = good(*words)
    assert shown.startswith("holds gorbunov2022_eg_last on bilinear\n")
    assert "measured/bound = 0.421875 at k = 3" in shown


def test_verify_several_theorems_on_one_problem() -> None:
    found = document("verify", "elementary_bilinear", "--problem", "bilinear")
    assert [t["name"] for t in found["theorems"]] == registry.select(
        "theorems", ["elementary_bilinear"]
    )
    assert all(t["status"] == "attained" for t in found["theorems"])
    assert found["ok"] is True


def test_verify_on_the_library() -> None:
    result = call("verify", "lee2021_feg_equality")
    assert result.exit_code == 0
    assert "lee2021_feg_equality" in result.stdout
    assert "attained" in result.stdout
    assert "worst = largest measured/bound" in result.stdout
    # progress, apart from the result
    assert result.stderr == ("verify 1/1 lee2021_feg_equality\nevidence 1/1 lee2021_feg_equality\n")


def test_verify_a_problem_of_a_file(game: str) -> None:
    words = ("verify", "gorbunov2022_eg_last", "--problem", game)
    assert document(*words)["status"] == "holds"
    assert document(*words, "-p", "a=2", "-p", "gamma=0.25")["problem"] == "own_game(a=2)"


def claim(bound: str) -> None:
    theorem(
        "own_claim",
        method="extragradient",
        given=[Lipschitz("L", of="F"), Monotone(of="F")],
        where="0 < gamma < 1/L",
        measure="residual",
        bound=bound,
        source=Source("own"),
    )


def test_a_violation_is_exit_code_one() -> None:
    claim("R**2/10**6")
    found = document("verify", "own_claim", "--problem", "bilinear", code=1)
    assert found["status"] == "violated"
    shown = good("verify", "own_claim", "--problem", "bilinear", code=1)
    assert shown.startswith("violated own_claim on bilinear")
    several = document("verify", "own_claim", "lieder2021", "--problem", "bilinear", code=1)
    assert several["ok"] is False
    assert [t["status"] for t in several["theorems"]] == ["violated", "inapplicable"]


def test_a_formula_with_an_unknown_symbol_is_one_sentence() -> None:
    with pytest.raises(OpcheckError, match="'gama' in 'R\\*\\*2/gama' is no symbol of it"):
        claim("R**2/gama")


def test_an_operator_that_fails_is_one_sentence_before_any_theorem(tmp_path: Path) -> None:
    path = tmp_path / "failing.py"
    path.write_text(
        "import opcheck\n"
        "def F(z, out, data):\n"
        "    out[7] = z[0]\n"
        "@opcheck.problem_family('own_failing', start=(1,), solution=(0,), facts=[\n"
        "    opcheck.exact(opcheck.Lipschitz(1)), opcheck.exact(opcheck.Monotone())])\n"
        "def own_failing():\n"
        "    return opcheck.operator(F, 1)\n"
    )
    for words in (("verify", "gorbunov2022_eg_last", "--problem", str(path)),
                  ("run", "extragradient", str(path), "-p", "gamma=0.5")):  # fmt: skip
        sentence = bad(*words)
        assert sentence.startswith("the operator of 'own_failing' reads or writes past an array")


def test_what_a_file_registers_can_be_shown_and_given_parameters(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from opcheck import Lipschitz, Monotone, Source, theorem\n"
        "theorem('own_shown', method='extragradient', given=[Lipschitz('L'), Monotone()],\n"
        "    where='0 < gamma < 1/L', measure='distance', bound='R**2', source=Source('own'))\n"
    )
    shown = call("show", str(path))
    assert shown.exit_code == 0, shown.output
    assert "own_shown" in shown.output
    assert call("show", f"{path}:own_shown").output == shown.output
    assert call("show", f"{path}:nothing").exit_code == 2
    words = ("verify", f"{path}:own_shown", "--problem", "bilinear", "-p", "gamma=0.5")
    assert document(*words)["parameters"]["gamma"] == 0.5


def test_what_does_not_apply_is_no_failure() -> None:
    words = ("verify", "gorbunov2022_eg_last", "--problem", "nilpotent")
    assert document(*words)["reason"] == "Monotone of F is not known of it"


@pytest.mark.ci
def test_verify_with_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    from opcheck.evidence.simulation import mutants

    few = (opcheck.problem("neg_identity"), opcheck.problem("expansive_map"))
    monkeypatch.setattr(mutants, "library", lambda: few)
    words = (
        "verify",
        "lieder2021_halpern",
        "--problem",
        "neg_identity",
        "--mutants",
        "--jobs",
        "1",
    )
    found = document(*words)
    kinds = {m["kind"] for m in found["mutants"]}
    assert kinds == {"kernel", "bound", "hypothesis", "reading"}
    caught = sum(m["caught"] for m in found["mutants"])
    assert f"{caught} of {len(found['mutants'])} planted errors were caught" in good(*words)


# repro


def small_paper(passes: bool) -> None:
    figure = PaperFigure(
        id="only",
        title="t",
        caption="a caption",
        note="a note",
        number="Figure 3",
        experiment=Runs(
            "bilinear", {"EG": PaperRun("extragradient", 20, {"gamma": 0.5})}, start=(1.0, 1.0)
        ),
        panels=(Panel("rate"),),
        checks=(Check("it shrinks", lambda runs: passes * (runs["EG"].k.size > 0), low=1),),
    )
    claim = Claim("C1", "it shrinks", check=figure.checks[0], figure="only")
    later = Claim("C2", "in expectation", waiting="expectations")
    paper(
        "own2024",
        source="own2024",
        citation="A. (2024). T.",
        figures=[figure],
        claims=[claim, later],
        missing={"Figure 1": "a photograph"},
    )


@pytest.mark.ci
def test_repro_writes_and_checks(tmp_path: Path) -> None:
    small_paper(passes=True)
    shown = good("repro", "own2024", "--out", str(tmp_path))
    folder = tmp_path / "own2024"
    drawn = {f"only.{suffix}" for suffix in ("svg", "png", "pdf", "csv")}
    assert {p.name for p in folder.iterdir()} == drawn | {"index.html", "README.md", "records"}
    assert "seen: it shrinks (1, at least 1)" in shown
    assert "note: a note" in shown
    assert "own2024: 1 reproduced, 1 waiting" in shown
    assert "Figure 1 is not redrawn: a photograph" in shown
    result = document("repro", "own2024", "--figure", "3", "--out", str(tmp_path))
    assert result["ok"] is True
    assert result["figures"][0]["files"][-1] == str(folder / "only.csv")
    assert [row["figure"] for row in document("repro", "own2024", "--list")] == ["only", ""]
    assert "Figure 3, only: our parameters; a caption" in good("repro", "own2024", "--list")
    assert "figures, 2 claims. A. (2024). T." in good("repro", "--list")
    assert "a note" not in good("repro", "own2024", "--claims", "--out", str(tmp_path))
    assert bad("repro", "own2024", "--figure", "1").startswith("Figure 1 of own2024 is not redrawn")


def test_repro_that_does_not_show_it_is_exit_code_one(tmp_path: Path) -> None:
    small_paper(passes=False)
    shown = good("repro", "own2024", "--out", str(tmp_path), code=1)
    assert "NOT SEEN: it shrinks" in shown
    assert "1 not reproduced" in shown


def test_repro_takes_one_paper_or_all() -> None:
    for words in (["repro"], ["repro", "own2024", "--all"], ["repro", "--all", "--figure", "2"]):
        assert bad(*words).startswith("repro takes one paper, or --all")


# bad input

RUN = ("run", "extragradient", "bilinear", "-p", "gamma=0.5")


def test_properties_are_listed_and_shown_with_how_they_are_written() -> None:
    told = good("list", "properties")
    for kind in PROPERTIES:
        assert re.search(rf"(?m)^{kind.name}\b.*{re.escape(kind.meaning)}$", told)
        assert kind.meaning in good("show", kind.name)
    assert 'Nonexpansive(of="T")' in good("show", "Nonexpansive")
    assert 'Lipschitz("L", of="F")' in good("show", "Lipschitz")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "bilinaer"), "nothing is named 'bilinaer'; did you mean 'bilinear'?"),
        (("show", "qqqq"), "nothing is named 'qqqq'; 'opcheck list' shows every name"),
        (
            ("run", "extragradent", "bilinear"),
            "no method is named 'extragradent'; did you mean 'extragradient'?",
        ),
        (
            ("run", "lookahead(extragradent)", "bilinear"),
            "no method is named 'extragradent'; did you mean 'extragradient'?",
        ),
        (
            ("run", "extragradient", "bilinaer"),
            "no problem is named 'bilinaer'; did you mean 'bilinear'?",
        ),
        (
            ("verify", "lieder2021_halpen"),
            "no theorem is named 'lieder2021_halpen'; did you mean 'lieder2021_halpern'?",
        ),
        (
            ("verify", "lieder2021_halpern", "--problem", "neg_identiti"),
            "no problem is named 'neg_identiti'; did you mean 'neg_identity'?",
        ),
        (
            ("repro", "pethick2023_stabel"),
            "no paper is named 'pethick2023_stabel'; did you mean 'pethick2023_stable'?",
        ),
        (
            ("repro", "pethick2023_stable", "--figure", "x"),
            "paper 'pethick2023_stable' has no figure 'x'; it has ",
        ),
        (
            ("run", "lookahead", "bilinear"),
            "'lookahead' runs over another method; write lookahead(METHOD)",
        ),
        (
            ("run", "extragradient(rapp)", "bilinear"),
            "'extragradient(rapp)': 'extragradient' takes no base method",
        ),
        (("run", "extragradient", "bilinear"), "extragradient needs a value for gamma"),
        (
            ("run", "eg_plus", "bilinear", "-p", "gamma=1"),
            "eg_plus needs a value for alpha",
        ),
        (
            (*RUN, "-p", "gama=1"),
            "extragradient has no parameter 'gama'; it takes gamma",
        ),
        (
            (*RUN, "-p", "problem.M=1"),
            "problem 'bilinear' has no parameter 'M'; it takes L, n",
        ),
        ((*RUN, "-p", "L=-1"), "L = -1.0 must be positive and finite"),
        ((*RUN, "-p", "L=nan"), "L = nan must be positive and finite"),
        ((*RUN, "-p", "n=1.5"), "n = 1.5 must be a whole number from 1 on"),
        ((*RUN, "-p", "n=inf"), "n = inf must be a whole number from 1 on"),
        ((*RUN, "-p", "n=nan"), "n = nan must be a whole number from 1 on"),
        ((*RUN, "-p", "n=1,2"), "problem 'bilinear' takes a number for n, not [1.0, 2.0]"),
        ((*RUN, "-p", "gamma=nan"), "extragradient: gamma = nan is not finite"),
        ((*RUN, "-p", "gamma=1,2"), "extragradient: gamma = [1.0, 2.0] must be a number"),
        (
            ("run", "rapp", "bilinear", "-p", "gamma=1", "-p", "lam=1", "-p", "tau=2.5"),
            "rapp: tau = 2.5 must be a whole number from 1 on",
        ),
        ((*RUN, "-p", "gamma"), "-p 'gamma' is no parameter; write -p name=number"),
        ((*RUN, "-p", "gamma=x"), "gamma = x uses 'x'; it may use k, L, n"),
        ((*RUN, "-p", "gamma="), "-p 'gamma=' is no parameter; write -p name=number"),
        ((*RUN, "-p", "=1"), "-p '=1' is no parameter; write -p name=number"),
        ((*RUN, "--start", "1"), "start has shape (1,), but 'bilinear' has 2 coordinates"),
        ((*RUN, "--start", "1,2,3"), "start has shape (3,), but 'bilinear' has 2 coordinates"),
        ((*RUN, "--start", "1,nan"), "start [1.0, nan] is not finite"),
        ((*RUN, "--start", "1,inf"), "start [1.0, inf] is not finite"),
        ((*RUN, "--start", "1,x"), "--start '1,x' is no point; write --start 1,0.5"),
        ((*RUN, "--seed", "-1"), "seed = -1 must not be negative"),
        ((*RUN, "-n", "-5"), "iterations = -5 must not be negative"),
        (
            (*RUN, "--record", "some"),
            "record='some'; give 'all', 'log', a positive step, or a list of k",
        ),
        (
            (*RUN, "--record", "0"),
            "record=0; give 'all', 'log', a positive step, or a list of k",
        ),
        (
            (*RUN, "--record", "-3"),
            "record=-3; give 'all', 'log', a positive step, or a list of k",
        ),
        (
            ("run", "eg_plus", "disc_skew", "-p", "gamma=1", "-p", "alpha=1"),
            "eg_plus has no form for constraints, and 'disc_skew' has A = ball(1); take ceg_plus, "
            "extragradient or rapp",
        ),
        ((*RUN, "--plot", "x.bmp"), "'x.bmp' is not a drawing; end it in .svg, .png, .pdf"),
        (
            ("verify", "gorbunov2022_eg_last", "--problem", "bilinear", "-p", "gamma=3"),
            "gorbunov2022_eg_last needs 0 < gamma < 1/L, which fails: gamma = 3, 1/L = 1",
        ),
        (
            ("verify", "gorbunov2022_eg_last", "--problem", "bilinear", "-p", "gama=3"),
            "gorbunov2022_eg_last leaves gamma to choose, not gama",
        ),
        (
            ("verify", "diakonikolas2021_eg_plus_base", "--problem", "bilinear", "-p", "gamma=0.1"),
            "diakonikolas2021_eg_plus_base needs a value for alpha",
        ),
        (
            ("verify", "lee2021_feg", "--problem", "tight_linear", "-p", "c=2"),
            "c = 2.0 must lie in [-1, 1]: |rho| L cannot exceed 1",
        ),
        (
            ("verify", "gorbunov2022_eg_last", "-p", "gamma=0.5"),
            "parameters go with one theorem by its full name and one problem",
        ),
        (
            ("list", "operators"),
            "Invalid value for '[problems|methods|measures|theorems|sets|figures|papers|properties]"
            "': 'operators' is not one of 'problems', 'methods', 'measures', 'theorems', 'sets', "
            "'figures', 'papers', 'properties'.",
        ),
        (
            ("lyapunov", "rapp", "--given", "Monotone of F", "-p", "steps=2"),
            "-p steps=2 is no parameter: steps is an option of lyapunov",
        ),
        (
            ("worst", "lee2021_feg", "-p", "k=3"),
            "-p k=3 is no parameter: k is an option of worst",
        ),
        ((*RUN, "-n", "many"), "Invalid value for '-n': 'many' is not a valid integer."),
        (("run", "extragradient"), "Missing argument 'PROBLEM'."),
        (("verfy",), "No such command 'verfy'."),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_bad_input_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    said = bad(*words)
    assert said == sentence or said.startswith(sentence.removesuffix("."))


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import no_such_module_at_all", "failed to import: ModuleNotFoundError"),
        ("def f(:\n", "failed to import: SyntaxError"),
        ("1/0", "failed to import: ZeroDivisionError"),
        ("import sys\nsys.exit(3)", "failed to import: SystemExit: 3"),
        ("x = 1", "own.py holds nothing that could be checked; define a function"),
        (
            "import opcheck\nfor name in ('one', 'two'):\n"
            "    opcheck.problem_family(name)(lambda: opcheck.linear([[1]]))",
            "own.py holds one, two; name one as ",
        ),
        (
            "import opcheck\n@opcheck.problem_family\ndef three():\n    return 3",
            "problem family 'three' returned int; return a Problem or an Operator",
        ),
        (
            "import opcheck\n@opcheck.problem_family\ndef tall():\n"
            "    return opcheck.linear([[1, 2]])",
            "a linear operator needs a square matrix",
        ),
        (
            "import opcheck\n@opcheck.problem_family(\n    'own', start=(1, 2, 3))\ndef own():\n"
            "    return opcheck.linear([[1]])",
            "start has shape (3,), but 'own' has 1 coordinates",
        ),
        (
            "import opcheck\n@opcheck.problem_family(\n    'own', solution=('1/a',))\n"
            "def own(a=2.0):\n    return opcheck.linear([['a']], ['-1'], a=a)",
            "solution = ('1/a',) must be d numbers; one that depends on the parameters goes into",
        ),
        (
            "import opcheck\n@opcheck.problem_family('own', presets=['a'])\ndef own(a=1.0):\n"
            "    return opcheck.linear([[1]])",
            "presets = ['a'] must be a list of choices of parameters",
        ),
        (
            "import opcheck\n@opcheck.problem_family\ndef bilinear():\n"
            "    return opcheck.linear([[1]])",
            "two problems are named 'bilinear': one at ",
        ),
    ],
)
def test_a_file_that_is_of_no_use_is_one_sentence(
    tmp_path: Path, source: str, sentence: str
) -> None:
    path = tmp_path / "own.py"
    path.write_text(source)
    for words in (("run", "extragradient", str(path), "-p", "gamma=0.5"),
                  ("verify", "gorbunov2022_eg_last", "--problem", str(path))):  # fmt: skip
        assert sentence in bad(*words)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path, game: str) -> None:
    missing = str(tmp_path / "nowhere.py")
    assert bad("run", "extragradient", missing) == (
        f"no file {missing!r}; give the path of a Python file"
    )
    assert "game.py has no 'other'; it has own_game" in bad("run", "extragradient", f"{game}:other")


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    inside = str(tmp_path / "file" / "x.svg")
    assert bad(*RUN, "-n", "5", "--plot", inside).startswith(f"can't write {inside!r}: ")
    small_paper(passes=True)
    below = str(tmp_path / "file" / "below")
    assert bad("repro", "own2024", "--out", below).startswith("can't write ")


def test_too_large_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import opcheck.engine.run

    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(opcheck.engine.run, "run", full)
    assert "more memory than there is" in bad(*RUN)


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    import opcheck.report.describe

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(opcheck.report.describe, "describe", stop)
    result = call("show", "bilinear")
    assert (result.exit_code, result.stderr) == (130, "opcheck: interrupted\n")


def test_debug_shows_where_bad_input_was_found() -> None:
    result = call("--debug", "show", "qqqq")
    assert isinstance(result.exception, OpcheckError)


# other processes


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


LOADED = "print([m for m in {0} if m in sys.modules])"
HEAVY = ["numba", "scipy", "sympy", "matplotlib", "flint", "clarabel", "joblib"]


def test_the_version_needs_no_numpy() -> None:
    code = (
        "import sys\nfrom opcheck.cli import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit as end:\n    assert not end.code\n"
    )
    lines = python(code + LOADED.format(["numpy", "rich", *HEAVY])).splitlines()
    assert lines[0] == f"opcheck {opcheck.__version__}"
    assert lines[1] == "[]"


def test_a_list_needs_nothing_heavy() -> None:
    code = (
        "import sys\nfrom opcheck.cli import main\n"
        "try:\n    main(['list', '--json'])\nexcept SystemExit as end:\n    assert not end.code\n"
    )
    *found, loaded = python(code + LOADED.format(HEAVY)).splitlines()
    assert json.loads("".join(found))["methods"] == registry.names("methods")
    assert loaded == "[]"


@pytest.mark.ci
def test_the_installed_command() -> None:
    command = [sys.executable, "-m", "opcheck"]
    program = Path(sys.executable).with_name("opcheck")
    command = [str(program)] if program.exists() else command
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"opcheck {opcheck.__version__}\n"
    wrong = subprocess.run([*command, "show", "bilinaer"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "opcheck: nothing is named 'bilinaer'; did you mean 'bilinear'?\n"
    once = subprocess.run(
        [*command, *RUN, "-n", "2", "--json"], capture_output=True, text=True, check=True
    )
    found = json.loads(once.stdout, parse_constant=refuse)
    assert once.stderr == ""
    assert np.isfinite(found["z"]).all()
