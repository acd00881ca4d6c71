"""``opcheck new``: what it writes works untouched, under a name of one's own."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from command_line import good, invoke

import opcheck
from opcheck import registry
from opcheck.cli.new import EXAMPLES, files
from opcheck.testing import checks_of

ITEMS = {
    "operator": ["problem kit_own"],
    "set": ["set kit_own"],
    "method": ["method kit_own"],
    "measure": ["measure kit_own"],
    "theorem": ["theorem kit_own"],
    "proof": ["theorem kit_own", "proof kit_own"],
    "figure": ["figure kit_own"],
    "paper": ["paper kit_own"],
}


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_file_of_each_kind_passes_its_test(kind: str, tmp_path: Path) -> None:
    said = good("new", kind, "kit_own", "--out", str(tmp_path)).splitlines()
    file, test = tmp_path / "kit_own.py", tmp_path / "test_kit_own.py"
    assert said == [str(file), str(test), f"next: pytest {test}"]
    assert file.read_text(encoding="utf-8").startswith("# To change: ")
    items = checks_of(str(file))
    assert [item.name for item in items] == ITEMS[kind]
    for item in items:
        item()
    # the test asks just that
    tree = ast.parse(test.read_text(encoding="utf-8"))
    assert [f.name for f in tree.body if isinstance(f, ast.FunctionDef)] == ["test_kit_own"]
    assert 'Path(__file__).with_name("kit_own.py")' in ast.unparse(tree).replace("'", '"')


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "test_kit_own.py").write_text("mine")
    done = invoke("new", "method", "kit_own", "--out", str(tmp_path))
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [tmp_path / "test_kit_own.py"])
    assert done.stderr.endswith("test_kit_own.py exists; take another name, or --out\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("method", "2fast"), "'2fast' is no name for a method; take lower-case letters"),
        (("method", "../x"), "'../x' is no name for a method"),
        (("package", "json"), "'json' is a module of Python's or opcheck's"),
        (("package", "opcheck_problems"), "is a module of Python's or opcheck's"),
        (("operator", "bilinear"), "'bilinear' is taken, by "),
        (("theory", "mine"), "'theory' is not one of 'operator', 'set'"),
        (("method", "kit_own", "--out", "/proc/none"), "can't write /proc/none: "),
    ],
)
def test_a_wrong_name_is_one_sentence(words: tuple[str, ...], says: str) -> None:
    done = invoke("new", *words)
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package as it is written, and a folder in which its wheel lies unpacked, as installed."""
    folder = tmp_path_factory.mktemp("package")
    for path, text in files("package", "kit_acme").items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    code = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    at = folder / "kit_acme"
    built = subprocess.run([sys.executable, "-c", code], cwd=at, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-2000:]
    (wheel,) = (at / "dist").glob("*.whl")
    shutil.unpack_archive(wheel, folder / "site", "zip")
    return folder


def ran(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(installed / "site"), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=installed / "kit_acme",
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.ci
def test_an_installed_package_is_listed_and_examined(installed: Path) -> None:
    done = ran(installed, "opcheck", "doctor")
    assert done.returncode == 0, done.stderr
    (line,) = [text for text in done.stdout.splitlines() if "kit_acme" in text]
    assert line == (
        f"plug-in: kit_acme of kit_acme 0.1.0, API {registry.API}: 1 problems, 1 methods, "
        "1 measures, 1 theorems, 1 sets"
    )
    table = tomllib.loads((installed / "kit_acme" / "pyproject.toml").read_text(encoding="utf-8"))
    assert table["project"]["entry-points"]["opcheck.plugins"] == {"kit_acme": "kit_acme"}


@pytest.mark.slow
def test_an_installed_package_is_verified_proved_and_tested(installed: Path) -> None:
    done = ran(installed, "opcheck", "verify", "kit_acme_rate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kit_acme_rate" in done.stdout
    done = ran(installed, "opcheck", "prove", "kit_acme_rate")
    assert done.returncode == 0, done.stdout + done.stderr
    done = ran(installed, "pytest", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_templates_are_in_the_installation() -> None:
    folder = Path(opcheck.__file__).parent / "templates"
    assert {path.name for path in folder.rglob("*.txt")} >= {"method.txt", "init.txt", "test.txt"}
