"""Wrong arguments of public functions, and names that are taken: one sentence about one thing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import opcheck
from opcheck import registry
from opcheck.arguments import indices, integer, words
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.constant import Constant
from opcheck.evidence.simulation.verify import Report
from opcheck.model.verdict import Verdict

pytestmark = pytest.mark.usefixtures("own_registry")

NAME = "elementary_gda_contraction"


def go(**options: Any) -> Any:
    return opcheck.run("extragradient", "bilinear", **{"iterations": 3, "gamma": 0.5, **options})


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "seed list": (lambda: go(seed=[1, 2]), r"seed = \[1, 2\] must be a whole number"),
    "seed text": (lambda: go(seed="a"), "seed = 'a' must be a whole number"),
    "seed bool": (lambda: go(seed=True), "seed = True must be a whole number"),
    "iterations": (lambda: go(iterations=10.5), "iterations = 10.5 must be a whole number"),
    "no iterations": (lambda: go(iterations=None), "iterations = None must be a whole number"),
    "NaN iterations": (lambda: go(iterations=np.nan), "iterations = nan must be a whole number"),
    "record": (lambda: go(record=2.5), "record=2.5; give 'all', 'log'"),
    "records": (lambda: go(record=["a"]), "record = 'a' must be a whole number"),
    "measures": (lambda: go(measures=3), "measures = 3 must be a text, or a list"),
    "method": (lambda: opcheck.run(3, "bilinear"), "method 3 is no name"),  # type: ignore[arg-type]
    "problem": (lambda: opcheck.problem(3), "problem 3 is no name"),  # type: ignore[arg-type]
    "schedule": (
        lambda: opcheck.run("anchored_proximal_point", "bilinear", 3, beta=lambda k: "x"),
        "beta|gamma",
    ),
    "worst k": (lambda: opcheck.worst(NAME, k=[1, 2]), r"k = \[1, 2\] must be a whole number"),  # type: ignore[arg-type]
    "certify k": (lambda: opcheck.certify(NAME, k=1.5), "k = 1.5 must be a whole number"),  # type: ignore[arg-type]
    "attack k": (lambda: opcheck.attack(NAME, k=[]), r"k = \[\] is empty"),
    "attack budget": (lambda: opcheck.attack(NAME, budget="a"), "budget = 'a' must be a whole"),  # type: ignore[arg-type]
    "attack seed": (lambda: opcheck.attack(NAME, seed=-1), "seed = -1 must not be negative"),
    "verify": (lambda: opcheck.verify(3), "3 is no theorem"),  # type: ignore[arg-type]
    "verify jobs": (lambda: opcheck.verify(NAME, jobs=0), "jobs = 0 must be at least 1"),
    "theorem": (lambda: opcheck.theorem("a", givne=[]), "did you mean 'given'"),  # type: ignore[call-arg]
    "no bound": (
        lambda: opcheck.theorem("a", method="rapp"),  # type: ignore[call-arg]
        "theorem: missing a required argument: 'measure'",
    ),
    "no source": (
        lambda: opcheck.method("a", params="gamma", rows="z", calls=1),  # type: ignore[call-arg]
        r"method: missing a required argument: 'source' \(BibTeX key, or a name",
    ),
    "declared": (lambda: opcheck.method("a", constraind=False), "method: "),  # type: ignore[call-arg]
    "measure": (lambda: opcheck.measure("a", rowz="z"), "did you mean 'rows'"),  # type: ignore[call-arg]
    "family": (lambda: opcheck.problem_family("a", strat=(1,)), "did you mean 'start'"),  # type: ignore[call-overload]
    "operator": (lambda: opcheck.operator(abs, 2, dat=1), "did you mean 'data'"),  # type: ignore[call-arg]
    "proof": (lambda: opcheck.Proof(potentail="x"), "did you mean 'potential'"),  # type: ignore[call-arg]
    "source": (lambda: opcheck.Source("a", numbr="1"), "did you mean 'number'"),  # type: ignore[call-arg]
    "property": (lambda: opcheck.Lipschitz("L", off="F"), "did you mean 'of'"),  # type: ignore[call-arg]
    "check": (lambda: opcheck.check("bilinear", rigorus=True), "did you mean 'rigorous'"),  # type: ignore[call-arg]
    "constants": (lambda: opcheck.constants("bilinear", rigorus=1), "did you mean 'rigorous'"),  # type: ignore[call-arg]
}


@pytest.mark.parametrize(("call", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_argument_is_one_sentence(call: Callable[[], Any], sentence: str) -> None:
    """B3."""
    with pytest.raises(OpcheckError, match=sentence) as error:
        call()
    assert "\n" not in str(error.value)


def test_names_and_objects_are_taken_alike() -> None:
    """B3."""
    theorem = registry.get("theorems", NAME)
    assert all(isinstance(c, Constant) for c in opcheck.constants("bilinear"))
    one = opcheck.verify(theorem, "tanh_saddle")
    assert isinstance(one, Verdict)
    assert one == opcheck.verify(NAME, opcheck.problem("tanh_saddle"))
    assert isinstance(opcheck.verify([theorem, theorem.name], "tanh_saddle"), Report | Verdict)
    method = registry.get("methods", "extragradient")
    assert opcheck.run(method, "bilinear", 10.0, gamma=0.5).k[-1] == 10  # type: ignore[arg-type]


def test_numbers_of_arguments() -> None:
    assert [integer(v, "n") for v in (3, np.int64(3), 3.0)] == [3, 3, 3]
    assert indices(range(3)) == [0, 1, 2]
    assert indices(np.array([2, 2, 1])) == [2, 1]
    assert words("a", "w") == ["a"]
    for wrong in (True, 1.5, "1", None, [1], np.nan, np.inf, 1j):
        with pytest.raises(OpcheckError, match="must be a whole number from 2 on"):
            integer(wrong, "n", 2)


def test_a_theorem_stands_where_it_was_written() -> None:
    """What looks at arguments is not taken for the place of a statement."""
    opcheck.theorem(
        "here",
        method="extragradient",
        given=[opcheck.Lipschitz("L"), opcheck.Monotone()],
        where="0 < gamma < 1/L",
        measure="residual",
        bound="L**2*R**2/gamma",
        source=opcheck.Source("x"),
    )
    place = opcheck.registry.place("theorems", "here")
    assert place.rpartition(":")[0] == __file__


@pytest.mark.parametrize("text", ["len(3)", "undefined", "1/0"])
def test_what_a_users_file_raises_is_said_with_its_line(tmp_path: Path, text: str) -> None:
    """B3: at import, and in a family that a command asks for."""
    path = tmp_path / "mine.py"
    path.write_text(f"import opcheck\n\nx = {text}\n")
    with pytest.raises(OpcheckError, match=r"failed to import: .* \(mine.py, line 3\)"):
        registry.load_file(path)
    path = tmp_path / "other.py"
    path.write_text(
        "import opcheck\n@opcheck.problem_family('raising')\ndef raising(a=1.0):\n"
        f"    return opcheck.linear([[{text}]])\n"
    )
    with pytest.raises(OpcheckError, match=r"'raising' raises .* \(other.py, line 4\)"):
        opcheck.problem(str(path))


CLASH = """
import opcheck
from opcheck import registry

@opcheck.problem_family("stranger_first")
def first(a=1.0):
    return opcheck.linear([[a]])

try:
    @opcheck.problem_family("bilinear")
    def bilinear(a=1.0):
        return opcheck.linear([[a]])
except opcheck.OpcheckError as error:
    print(error)
print(len(registry.names("problems")), registry.failures())
print(opcheck.problem("bilinear").dim, opcheck.problem("stranger_first").dim)
"""


def test_a_clash_is_about_the_newcomer_alone(tmp_path: Path) -> None:
    """B5: however early a script registers, opcheck's own entries were there before."""
    path = tmp_path / "script.py"
    path.write_text(CLASH)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    error, count, dims = done.stdout.splitlines()
    assert error.startswith("two problems are named 'bilinear': one at ")
    assert f"another at {path}:" in error
    assert int(count.split()[0]) > 100
    assert count.endswith("[]")
    assert dims == f"{opcheck.problem('bilinear').dim} 1"


def test_a_clash_in_a_plug_in_leaves_its_other_entries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """B5."""
    failures: list[str] = []
    monkeypatch.setattr(registry, "_failures", failures)
    monkeypatch.setattr(registry, "_plugins", True)
    registry.register("sets", "box", 1, "stranger.py:1")
    registry.register("sets", "stranger_box", 2, "stranger.py:2")
    assert registry.get("sets", "stranger_box") == 2
    assert registry.get("sets", "box") != 1
    assert len(failures) == 1
    assert "stranger.py:1" in failures[0]


@pytest.mark.parametrize("option", ["--plugin", "--debug"])
def test_an_option_behind_the_command_that_stands_before_it(option: str) -> None:
    said = CliRunner().invoke(main, ["run", "extragradient", "bilinear", option, "x.py"])
    assert said.exit_code == 2
    assert said.stderr.strip().endswith(f"It stands before the command: opcheck {option} ...")
