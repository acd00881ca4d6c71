"""What is said, once, with its place: messages, tables at any width, exit codes, names."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result
from rich.console import Console

import opcheck
from opcheck import registry
from opcheck.cli import main
from opcheck.errors import InternalError, OpcheckError
from opcheck.evidence.simulation.bounds import with_bounds
from opcheck.evidence.simulation.verify import Report, Summary
from opcheck.model.verdict import Verdict
from opcheck.registry import KINDS
from opcheck.report import terminal

pytestmark = pytest.mark.usefixtures("own_registry")

THEOREM = """
from opcheck import Lipschitz, Monotone, Source, theorem

theorem("{name}", method="extragradient", given=[Lipschitz("L"), Monotone()],
        where="{where}", measure="{measure}", bound="{bound}", source=Source("own"))
"""
GOOD = {"where": "0 < gamma < 1/L", "measure": "residual", "bound": "R**2/(k + 1)"}


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def sentence(*words: str, code: int = 2) -> str:
    result = call(*words)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0].removeprefix("opcheck: ")


# ---- C1 to C3 ----------------------------------------------------------------------------------


def test_a_schedule_that_is_too_short_or_another_is_told_which_is_asked_for() -> None:
    """C1: it wants n + 1 weights, and said "needs beta = 0.5, which fails: beta = 0.5"."""
    words = ("run", "anchored_proximal_point", "bilinear", "-p", "gamma=1/2", "-p", "lam=2")
    (note,) = [
        note
        for note in json.loads(call(*words, "-p", "beta=.5", "-n", "1", "--json").stdout)["notes"]
        if "alacaoglu2024_conic_halpern" in note
    ]
    assert note == (
        "alacaoglu2024_conic_halpern needs beta = 1/(k + 2) for k = 0, ..., 1, n + 1 = 2 numbers "
        "where a run has n steps; at k = 1 that is 0.333333, and the run has 0.5 "
        '(write -p "beta=1/(k + 2)")'
    )
    suggested = re.findall(r'-p "([^"]*)"', note)
    found = json.loads(call(*words, "-p", *suggested, "-n", "9", "--json").stdout)
    assert "alacaoglu2024_conic_halpern" in found["bounds"]["resolvent_residual"]


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("measure", "residul", "did you mean 'residual'?"),
        ("bound", "R^2/(k + 1)", "a power is written **"),
        ("bound", "R**2/(k + kappa)", "'kappa'"),
        ("where", "0 < gama < 1/L", "gama"),
        ("where", "0 < gamma <", "gamma"),
        ("bound", "R**2/(k + 1", "R**2/(k + 1"),
    ],
)
@pytest.mark.parametrize("problem", [(), ("--problem", "bilinear")])
def test_a_typo_in_a_theorem_is_one_sentence(
    tmp_path: Path, part: str, value: str, said: str, problem: tuple[str, ...]
) -> None:
    """C2: once, with the theorem's name, however many problems there are."""
    name = f"own_{part}"
    (tmp_path / "own.py").write_text(THEOREM.format(name=name, **{**GOOD, part: value}))
    found = sentence("verify", str(tmp_path / "own.py"), "--jobs", "1", *problem)
    assert said in found
    assert found.startswith(name)


def test_a_long_list_of_steps_is_shortened() -> None:
    """C2."""
    steps = ",".join(["0.5"] * 2000)
    words = ("run", "krasnoselskii_mann", "rotation_map", "-n", "3", "-p", f"a={steps}")
    shown = call(*words).stdout
    assert "0.5, ... 2000 in all)" in shown
    assert max(map(len, shown.splitlines())) < 300
    wrong = sentence("run", "extragradient", "bilinear", "-n", "3", "-p", f"gamma={steps}")
    assert wrong == (
        "extragradient: gamma = [0.5, 0.5, 0.5, ..., 0.5] (2000 entries) must be a number"
    )


def test_a_run_that_passes_a_bound_says_so() -> None:
    """C3: with the measure, the theorem, the first k, both numbers, and what that means."""
    name = "own_exceeded"
    opcheck.theorem(
        name,
        method="extragradient",
        given=[opcheck.Lipschitz("L"), opcheck.Monotone()],
        where="0 < gamma < 1/L",
        measure="residual",
        bound="R**2/(k + 1)**3",
        source=opcheck.Source("own"),
    )
    t, notes = with_bounds(opcheck.run("extragradient", "bilinear", 9, gamma=0.5))
    passed = np.flatnonzero(t["residual"] > t.bounds["residual"][name])
    (note,) = [n for n in notes if "exceeds" in n]
    worst = passed[np.argmax((t["residual"] - t.bounds["residual"][name])[passed])]
    assert note == (
        f"residual exceeds the bound of {name} at {passed.size} of 10 recorded k, first at k = "
        f"{passed[0]}; at k = {worst} it is {t['residual'][worst]:.6g} > "
        f"{t.bounds['residual'][name][worst]:.6g}: the statement is wrong, or a constant that it "
        "uses (exact; opcheck check examines them)"
    )
    assert note in call("run", "extragradient", "bilinear", "-n", "9", "-p", "gamma=.5").stdout


@pytest.mark.parametrize(
    ("method", "problem", "values"),
    [
        ("extragradient", "bilinear", {"gamma": 0.5}),
        ("extragradient", "rotation_shift", {"gamma": 0.1}),
        ("rapp", "tight_linear", {"gamma": 0.9, "lam": 0.5, "tau": 20}),
        ("proximal_point", "bilinear", {"gamma": 3.0}),
        ("gradient_descent_ascent", "neg_identity", {"gamma": 0.3}),
        ("halpern", "neg_identity", {}),
    ],
)
def test_a_run_within_its_bounds_says_nothing_of_them(
    method: str, problem: str, values: dict[str, Any]
) -> None:
    """C3, the other side: down to rounding, and where a bound is attained."""
    t, notes = with_bounds(opcheck.run(method, problem, 2000, **values))
    assert not [n for n in notes if "exceeds" in n]
    assert t.status == "completed"


def test_each_note_names_its_theorem() -> None:
    """C3: "0 < mu fails" named none."""
    theorems = registry.names("theorems")
    for method in ("extragradient", "proximal_point", "rapp", "halpern", "past_extragradient"):
        names = registry.get("methods", method).parameters
        values = {p.name: 2 if p.integer else 0.4 for p in names}
        _, notes = with_bounds(opcheck.run(method, "bilinear", 20, **values))
        for note in notes:
            assert note.replace(":", " ").split()[0] in theorems, note


# ---- C7 ----------------------------------------------------------------------------------------


def test_a_star_import_yields_the_public_names_and_only_them() -> None:
    """C7: it yielded Any, TYPE_CHECKING, ..."""
    scope: dict[str, Any] = {}
    exec("from opcheck import *", scope)
    del scope["__builtins__"]
    assert sorted(scope) == opcheck.__all__
    assert {"run", "verify", "check", "theorem", "available"} <= scope.keys()
    assert set(opcheck.__all__) | {"__version__"} == set(dir(opcheck))
    for name, value in scope.items():
        assert getattr(opcheck, name) is value
        assert not isinstance(value, type(sys)), name


def test_results_print_on_one_line() -> None:
    """C7: reprs had 6 to 90 thousand characters."""
    run = opcheck.run("extragradient", "bilinear(n=50)", 500, gamma=0.5, iterates=True)
    name = "gorbunov2022_eg_last"
    results: list[Any] = [
        run, run.problem, run.problem.operator, run.problem.resolvent,
        opcheck.verify(name, "bilinear"), opcheck.verify("elementary", "bilinear"),
        opcheck.prove(name), opcheck.certify(name, k=1, gamma="1/2"), opcheck.worst(name, k=1),
        registry.get("theorems", name), registry.get("methods", "rapp"),
        registry.get("problems", "bilinear"), *opcheck.certify_over(name, "gamma", k=1),
    ]  # fmt: skip
    for one in results:
        shown = repr(one)
        assert len(shown) <= 200
        assert "\n" not in shown
        assert shown.startswith(type(one).__name__ + "(")
    assert "bilinear(n=50)" in repr(run)
    assert "holds" in repr(opcheck.verify(name, "bilinear"))


# ---- C8, D3 ------------------------------------------------------------------------------------


def printed(width: int, show: Any, *arguments: Any) -> str:
    out = io.StringIO()
    show(*arguments, Console(file=out, width=width, force_terminal=False))
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 9999])
def test_no_name_is_cut_at_any_width(width: int) -> None:
    """D3: at 80 columns names became "elementa…", in pipes they were cut too."""
    names = registry.names("theorems")
    verdict = Verdict("x", "asym_bilinear_box(a=0.123456789)", "holds", ratio=0.5, runs=3)
    summaries = tuple(Summary(registry.get("theorems", n), (verdict,)) for n in names)
    shown = printed(width, terminal.show_report, Report(summaries))
    lines = shown.splitlines()
    assert "…" not in shown.replace("0.9999…", "")
    missing = [n for n in names if len(n) <= width and not any(n in line for line in lines)]
    assert not missing
    assert max(map(len, lines)) <= max(width, 1)
    assert ("left out at" in shown) == (width <= 100)
    if width == 80:
        left_out = re.search(r"left out at 80 columns: ([^(]*)", " ".join(lines))
        assert left_out is not None
        assert "verdict" not in left_out[1]


def test_a_pipe_cuts_nothing() -> None:
    """D3."""
    result = call("verify", "elementary", "--problem", "bilinear")
    for name in registry.select("theorems", ["elementary"]):
        assert re.search(rf"^{name} ", result.stdout, re.MULTILINE)
    assert "left out" not in result.stdout


def test_labels_hang_at_a_terminals_width() -> None:
    rows = [("what", "word " * 40), ("name", "a" * 90)]
    shown = printed(50, terminal.pairs, rows)
    lines = shown.splitlines()
    assert all(len(line) <= 50 for line in lines if "a" * 40 not in line)
    assert all(line.startswith(("what  ", "name  ", "      ")) or "aa" in line for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_describes_each_name(kind: str) -> None:
    """D3: it had no descriptions."""
    lines = call("list", kind).stdout.splitlines()
    assert [line.split()[0] for line in lines] == registry.names(kind)
    assert all(len(line.split()) > 1 for line in lines), lines


@pytest.mark.parametrize(("total", "lines"), [(1, 1), (9, 9), (182, 10), (1000, 10)])
def test_progress_in_a_file_is_ten_lines(
    total: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """D3: 182 lines on a piped standard error."""
    with terminal.Bar("verify", total) as step:
        for i in range(total):
            step(f"name{i}")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == lines
    assert said[-1] == f"verify {total}/{total} name{total - 1}"


@pytest.mark.parametrize(
    ("before", "word", "expected"),
    [
        (["run"], "extragr", "extragradient"),
        (["run", "rapp"], "bilin", "bilinear"),
        (["verify"], "gorbunov2022", "gorbunov2022_eg_last"),
        (["verify", "lee2021_feg", "--problem"], "tight", "tight_linear"),
        (["check"], "forsa", "forsaken"),
        (["constants"], "forsa", "forsaken"),
        (["certify"], "lieder", "lieder2021_halpern"),
        (["run", "rapp", "bilinear", "--set"], "simp", "simplex"),
        (["show"], "pethick2023_st", "pethick2023_stable"),
        ([], "ver", "verify"),
    ],
)
def test_completion_knows_names(before: list[str], word: str, expected: str) -> None:
    """D3: completion knew commands only."""
    shell = ShellComplete(main, {}, "opcheck", "_OPCHECK_COMPLETE")
    assert expected in [c.value for c in shell.get_completions(before, word)]


def test_completion_leaves_what_is_no_name_to_files() -> None:
    shell = ShellComplete(main, {}, "opcheck", "_OPCHECK_COMPLETE")
    (found,) = shell.get_completions(["check"], "no_name_begins_so")
    assert (found.type, found.value) == ("file", "no_name_begins_so")


def test_what_is_no_ratio_is_not_called_one() -> None:
    """The label measured/bound, where the bound is not positive."""
    blank = Verdict("t", "p", "holds", ratio=0.7, runs=1, compared=1)
    assert "measured/bound = 0.7" in printed(200, terminal.show_verdict, blank)
    shown = printed(200, terminal.show_verdict, replace(blank, positive=False))
    assert "1 + (measured − bound)/(|measured| + |bound|) = 0.7" in shown
    opcheck.theorem(
        "own_negative",
        method="extragradient",
        given=[opcheck.Lipschitz("L"), opcheck.Monotone()],
        where="0 < gamma < 1/L",
        measure="next(distance) - distance",
        bound="-gamma**2*(1 - (gamma*L)**2)*residual",
        claim="one-step",
        source=opcheck.Source("own"),
    )
    signed = opcheck.verify("own_negative", "bilinear")
    assert isinstance(signed, Verdict)
    assert signed.status in ("holds", "attained")
    assert not signed.positive
    ratio = opcheck.verify("gorbunov2022_eg_last", "bilinear")
    assert isinstance(ratio, Verdict)
    assert ratio.positive


# ---- exit codes --------------------------------------------------------------------------------


def test_exit_codes_are_those_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0: shown or nothing against it; 1: refuted or not shown; 2: refused; 3: opcheck's fault."""
    page = (Path(__file__).parents[2] / "docs" / "verdicts.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| (0|1|2|3|130) \| (.*) \|$", page, re.MULTILINE))
    assert table.keys() == {"0", "1", "2", "3", "130"}
    false = THEOREM.format(name="own_false_bound", **{**GOOD, "bound": "R**2/10**6"})
    (tmp_path / "false.py").write_text(false)
    name = "gorbunov2022_eg_last"
    codes = {
        ("verify", name, "--problem", "bilinear"): 0,
        ("verify", f"{tmp_path / 'false.py'}", "--problem", "bilinear"): 1,
        ("verify", f"{name}x"): 2,
        ("certify", name, "-k", "1"): 0,
        ("certify", name, "-k", "x"): 2,
        ("certify", "opcheck_no_such"): 2,
        ("certify", "elementary_bilinear_extragradient", "-k", "1"): 2,  # no quadratic claim
        ("worst", "elementary_bilinear_extragradient", "-k", "1"): 2,
        ("prove", "he2015_dr_small_relaxation"): 2,
        ("recheck", str(tmp_path / "gone.json")): 2,
        ("show", "opcheck_no_such"): 2,
    }
    for words, code in codes.items():
        assert call(*words).exit_code == code, words

    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("inside")

    monkeypatch.setattr("opcheck.report.describe.describe", fail)
    said = sentence("show", "bilinear", code=3)
    assert said.startswith("internal error, please report it: KeyError: 'inside'")
    assert isinstance(call("--debug", "show", "bilinear").exception, KeyError)

    def contradict(*_: Any, **__: Any) -> None:
        raise InternalError("two parts contradict each other")

    monkeypatch.setattr("opcheck.report.describe.describe", contradict)
    assert sentence("show", "bilinear", code=3) == "two parts contradict each other"
    assert issubclass(InternalError, OpcheckError)
