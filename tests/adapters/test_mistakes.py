"""What is no optimiser, or none that can be compared, is one sentence and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import good, invoke

pytest.importorskip("torch")

HERE = Path(__file__).parent
FILE = HERE / "mistakes.py"
WRONG = {
    "my_module": "names no factory; write MODULE:NAME or FILE.py:NAME",
    "no_such_module_here:make": "no module 'no_such_module_here' here or installed",
    "no_such_file.py:make": "no file 'no_such_file.py'",
    f"{FILE}:nothing": "has no 'nothing'; it has ",
    f"{FILE}:NUMBER": "is int; give a function make(groups)",
    f"{FILE}:takes_two": "must take the groups of parameters and nothing else, and it needs groups,"
    " lr; write def make(groups): ..., or give values to the others (-p lr=0.1)",
    f"{FILE}:takes_nothing": "takes nothing and returns SGD; write def make(groups)",
    f"{FILE}:returns_nothing": "returns NoneType, which has no step()",
    f"{FILE}:raises": "raises raises ValueError: Invalid learning rate: -1.0 (mistakes.py, line",
    f"{FILE}:idle": "moves no parameter in 3 steps on tanh_saddle_mixed; step(closure) must call",
    f"{FILE}:deaf": "deaf does not look at maximize=True of the second group",
    f"{FILE}:knows_no_maximize": "it knows no maximize=True: pass it on, or take --own-losses",
    f"{FILE}:to_nan": "does not look at maximize",
    f"{FILE}:to_single": "turns a parameter of float64 into torch.float32",
    f"{FILE}:disabled": "calls the closure where gradients are switched off",
    f"{FILE}:random": "does not do the same twice on tanh_saddle_mixed",
}
OPTIONS = {
    ("--as", "extragradients"): "did you mean",
    ("--as", "lookahead"): "runs over another method",
    ("-n", "50"): "steps = 50 must be at least 200",
    ("--problem", "no_such_problem"): "no_such_problem",
    ("--problem", "scalar_decreasing"): "has one coordinate, and the optimiser gets two players",
    ("--problem", "additive_noise"): "draws samples",
    ("--problem", "quad_box"): "takes no argument project",
    ("-p", "momentun=0.5"): "unexpected keyword argument 'momentun'",
}


def said(*words: str) -> str:
    done = invoke("check-optimizer", *words)
    assert done.exit_code == 2, done.output
    lines = str(done.output).splitlines()
    said = [line for line in lines if not line.startswith("opcheck: at work: ")]
    assert len(said) == 1
    assert said[0].startswith("opcheck: ")
    return said[0]


@pytest.mark.parametrize("target", WRONG, ids=[t.rpartition(":")[2] for t in WRONG])
def test_what_makes_no_optimiser(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    assert WRONG[target] in said(target)


@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
def test_what_can_not_be_compared(words: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    target = "torch.optim:SGD" if words[0] == "-p" else f"{FILE}:plain"
    assert OPTIONS[words] in said(target, *words)


def test_nan_names_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    sentence = said(f"{FILE}:to_nan", "--own-losses")
    assert "step 7 of to_nan on tanh_saddle_mixed" in sentence
    assert "every parameter must stay a finite number" in sentence


@pytest.mark.parametrize("name", ["deaf", "knows_no_maximize"])
def test_losses_of_their_own_need_no_maximize(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    out = good("check-optimizer", f"{FILE}:{name}", "--own-losses", "--problem", "bilinear")
    assert "gradient_descent_ascent at gamma = 0.1" in out
    assert "every step is the reference's" in out


def test_a_module_of_the_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import torch\ndef make(groups):\n    return torch.optim.SGD(groups, lr=0.1)\n"
    (tmp_path / "my_module_of_steps.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "every step is" in good("check-optimizer", "my_module_of_steps:make")


def test_a_module_that_fails_to_import_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_steps.py").write_text("1/0\n", encoding="utf-8")
    (tmp_path / "needs_more.py").write_text("import not_there_at_all\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert "broken_steps failed to import: ZeroDivisionError" in said("broken_steps:make")
    assert "No module named 'not_there_at_all'" in said("needs_more:make")
