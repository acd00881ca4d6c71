"""The package: what a wheel holds against the tree, its metadata, and the names of the packs."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import opcheck
from opcheck import registry

ROOT = Path(opcheck.__file__).parent.parent
PACKS = {
    "opcheck": "opcheck",
    "opcheck_problems": "problems",
    "opcheck_figures": "figures",
    "opcheck_paper_repro": "paper_repro",
}
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.pyc", ".*")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built from a copy of the tree by the backend itself, so that no network is needed."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in PACKS.values():
        shutil.copytree(ROOT / folder, tree / folder, ignore=IGNORED)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, tree)
    code = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    built = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    (path,) = (tree / "dist").glob("*.whl")
    assert path.name == f"opcheck-{opcheck.__version__}-py3-none-any.whl"
    return zipfile.ZipFile(path)


def tree_files() -> dict[str, Path]:
    """Name in an installation -> file of the tree, whatever its kind."""
    found = {}
    for package, folder in PACKS.items():
        for path in (ROOT / folder).rglob("*"):
            inside = path.relative_to(ROOT / folder)
            hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
            if path.is_file() and not hidden and path.suffix != ".pyc":
                found[f"{package}/{inside.as_posix()}"] = path
    return found


def test_the_wheel_holds_the_tree_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    held = {n for n in wheel.namelist() if not n.startswith("opcheck-") and not n.endswith("/")}
    tree = tree_files()
    assert sorted(held) == sorted(tree)
    assert "opcheck/py.typed" in held
    assert len(held) > 40
    for name in held:
        assert wheel.read(name) == tree[name].read_bytes(), name


def test_its_metadata_are_those_of_the_project(
    wheel: zipfile.ZipFile, project: dict[str, Any]
) -> None:
    info = f"opcheck-{opcheck.__version__}.dist-info"
    stated = project["project"]
    found = importlib.metadata.PathDistribution(zipfile.Path(wheel, f"{info}/"))
    metadata = found.metadata
    assert metadata["Name"] == stated["name"] == "opcheck"
    assert metadata["Version"] == stated["version"]
    assert metadata["Summary"] == stated["description"]
    assert metadata["License-Expression"] == stated["license"] == "MIT"
    assert metadata["Requires-Python"] == stated["requires-python"]
    assert metadata.get_payload().strip() == (ROOT / "README.md").read_text().strip()  # type: ignore[attr-defined]
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    needed = [r for r in found.requires or [] if "extra ==" not in r]
    assert sorted(needed) == sorted(stated["dependencies"])
    entries = {(e.group, e.name): e.value for e in found.entry_points}
    wanted = {("console_scripts", n): v for n, v in stated["scripts"].items()}
    for group, table in stated["entry-points"].items():
        wanted |= {(group, n): v for n, v in table.items()}
    assert entries == wanted
    assert entries["console_scripts", "opcheck"] == "opcheck.cli:main"


def test_an_installation_from_the_wheel_works(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    site = tmp_path / "site"
    wheel.extractall(site)
    code = (
        "import json, sys, opcheck\n"
        "from opcheck import registry\n"
        "kinds = {k: registry.names(k) for k in registry.KINDS}\n"
        "print(json.dumps([opcheck.__file__, sys.modules['opcheck_problems'].__file__,\n"
        "                  registry.failures(), kinds]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    own, pack, failures, kinds = json.loads(done.stdout)
    assert own == str(site / "opcheck" / "__init__.py")
    assert pack == str(site / "opcheck_problems" / "__init__.py")
    assert failures == []
    # what other tests have registered in this process is not in the wheel
    tree = [str(ROOT / part) for part in ("opcheck", "problems", "figures", "paper_repro")]
    for kind in registry.KINDS:
        places = {n: registry.place(kind, n) for n in registry.names(kind)}
        ours = [n for n, place in places.items() if place.startswith(tuple(tree))]
        assert kinds[kind] == ours
    assert all(kinds.values())


@pytest.mark.parametrize(("name", "folder"), PACKS.items())
def test_packs_import_under_their_own_names(name: str, folder: str) -> None:
    registry.load()
    found = [n for n in sys.modules if n.partition(".")[0] == name]
    modules = {
        ".".join([name, *path.relative_to(ROOT / folder).with_suffix("").parts])
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    }
    modules = {m.removesuffix(".__init__") for m in modules}
    if name != "opcheck":
        # every file of a pack is found without a list of them, but what is imported on demand
        private = {m for m in modules if m.rpartition(".")[2].startswith("_")}
        assert modules - private <= set(found) <= modules
        assert not any("torch" in vars(importlib.import_module(m)) for m in modules - private)
        assert folder not in sys.modules  # its folder's name would register everything twice
    for module in found:
        file = importlib.import_module(module).__file__
        assert file is not None
        assert Path(file).is_relative_to(ROOT / folder)


def test_the_installed_version_is_the_projects(project: dict[str, Any]) -> None:
    assert opcheck.__version__ == project["project"]["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", opcheck.__version__)


@pytest.mark.ci
def test_every_import_is_a_stated_dependency(project: dict[str, Any]) -> None:
    names = {"python-flint": "flint", "scikit-learn": "sklearn"}
    extras = project["project"]["optional-dependencies"]  # imported where they are needed
    extra = [d for name in ("torch", "jax", "casadi") for d in extras[name]]
    stated = {
        names.get(word, word)
        for word in (
            re.split(r"[<>=!~\[ ]", d)[0] for d in [*project["project"]["dependencies"], *extra]
        )
    }
    used = set()
    for path in tree_files().values():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                used.add(node.module.partition(".")[0])
    # what pytest loads, and what is for its tests alone, finds pytest there
    foreign = used - set(sys.stdlib_module_names) - set(PACKS) - {"pytest"}
    assert foreign <= stated
    assert {"numpy", "numba", "flint", "click"} <= foreign


@pytest.mark.ci
def test_the_stated_python_has_what_is_used(project: dict[str, Any]) -> None:
    assert project["project"]["requires-python"] == ">=3.11"
    least = tuple(map(int, project["project"]["requires-python"].removeprefix(">=").split(".")))
    for path in tree_files().values():
        if path.suffix == ".py":
            ast.parse(path.read_text(encoding="utf-8"), feature_version=least)  # type: ignore[arg-type]


def test_public_names_load_and_are_the_documented_ones() -> None:
    for name in opcheck.__dir__():
        assert getattr(opcheck, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        opcheck.nothing  # noqa: B018
    # what type checkers see is what loads
    tree = ast.parse((ROOT / "opcheck" / "__init__.pyi").read_text(encoding="utf-8"))
    seen = {a.asname for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    seen |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert sorted(map(str, seen)) == opcheck.__all__


class Instance:
    """One of a test's instances, as pytest collects them."""

    def __init__(self, name: str, *marks: pytest.Mark) -> None:
        self.name, self.marks = name, list(marks)

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next((mark for mark in self.marks if mark.name == name), None)

    def add_marker(self, name: str) -> None:
        self.marks.append(getattr(pytest.mark, name).mark)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("", 20, 80), ("test_it or other", 20, 80), ("not slow and mine", 200, 200)],
)
def test_what_is_asked_for_by_name_runs_whole(asked: str, least: int, most: int) -> None:
    """Of a sampled test a share runs; of what somebody has just added, all."""
    from conftest import pytest_collection_modifyitems

    config: Any = SimpleNamespace(option=SimpleNamespace(keyword=asked))
    items: Any = [Instance(f"test_it[mine {i}]", pytest.mark.sampled(4).mark) for i in range(200)]
    pytest_collection_modifyitems(config, items)
    assert least <= sum(i.get_closest_marker("ci") is None for i in items) <= most
