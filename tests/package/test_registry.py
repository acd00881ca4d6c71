"""The one way in: strangers' packages, files, double names; and which module may import which."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import opcheck
from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.simulation.verify import Report

ROOT = Path(opcheck.__file__).parent

OPERATORS = '''
import numpy as np
import opcheck

@opcheck.problem_family(
    "stranger_well",
    facts=[opcheck.exact(opcheck.Lipschitz("a")), opcheck.exact(opcheck.StronglyMonotone("a"))],
    solution=(0, 0, 0),
)
def stranger_well(a: float = 0.5):
    """F = a z on R^3."""
    return opcheck.linear([["a", "0", "0"], ["0", "a", "0"], ["0", "0", "a"]], a=a)
'''
SETS = '''
import numpy as np
import opcheck

def onto_halfspace(z, gamma, out, data):
    for i in range(z.shape[0]):
        out[i] = z[i]
    out[0] = max(z[0], data[0])

@opcheck.resolvent_family
def stranger_halfspace(lo: float):
    """Projection onto {z_1 >= lo}."""
    return opcheck.Resolvent(onto_halfspace, np.array([lo]), 0, f"halfspace({lo})")
'''
METHODS = '''
from opcheck.model.method import method
from opcheck.model.primitives import axpy

@method(
    "stranger_descent",
    params="gamma",
    rows="z Fz",
    calls=1,
    constrained=True,
    source="stranger2024",
)
def stranger_descent(F, F_data, J, J_data, state, params, k, n):
    """z+ = J(z - gamma F z)."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -params[0], Fz)
        J(z, params[0], z, J_data)
'''
MEASURES = '''
from opcheck.model.measure import measure
from opcheck.model.primitives import OTHER

@measure("stranger_gap", rows="z solution")
def stranger_gap(F, F_data, J, J_data, state, params, k):
    """|z - z*|^2."""
    total = (state[0][0] - state[OTHER][0]) ** 2
    for i in range(1, state[0].shape[0]):
        total += (state[0][i] - state[OTHER][i]) ** 2
    return total
'''
THEOREMS = """
import opcheck

opcheck.theorem(
    "stranger2024_contraction",
    method="{method}",
    given=[opcheck.Lipschitz("L", of="F"), opcheck.StronglyMonotone("mu", of="F")],
    where="0 < gamma < 2*mu/L**2",
    measure="{measure}",
    bound="R**2*(1 - 2*gamma*mu + (gamma*L)**2)**k",
    source=opcheck.Source("stranger2024", "Theorem 1"),
    horizons=[20],
    constrained=True,
)
"""
PLAIN = THEOREMS.format(method="gradient_descent_ascent", measure="distance")
FILES = {
    "problems": ("operators.py", OPERATORS, "stranger_well"),
    "sets": ("sets.py", SETS, "stranger_halfspace"),
    "methods": ("methods.py", METHODS, "stranger_descent"),
    "measures": ("measures.py", MEASURES, "stranger_gap"),
    "theorems": ("theorems.py", PLAIN, "stranger2024_contraction"),
}


def package(site: Path, files: dict[str, str], name: str = "stranger", module: str = "") -> None:
    """An installed package: modules, and the metadata that pip would leave beside it."""
    folder = site / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    for file, source in files.items():
        (folder / file).write_text(source)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[opcheck.plugins]\nown = {module or name}\n")


def python(site: Path, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def command(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return python(site, "from opcheck.cli import main; main()", *words)


def document(site: Path, *words: str) -> Any:
    done = command(site, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.sampled(2)
def test_each_thing_of_a_stranger_costs_one_file(tmp_path: Path, kind: str) -> None:
    file, source, name = FILES[kind]
    package(tmp_path, {file: source})
    found, block = json.loads(python(tmp_path, SHOW.format(name)).stdout)
    own = {k: sorted(set(names) - set(registry.names(k))) for k, names in found.items()}
    assert own == {k: [name] if k == kind else [] for k in registry.KINDS}
    assert block[kind[:-1]] == name
    assert block["written in"].startswith(f"stranger/{file}:")


SHOW = """
import json
from opcheck import registry
from opcheck.report.describe import describe

(rows,) = describe({0!r})
block = dict((label, str(value)) for label, value in rows)
print(json.dumps([dict((k, registry.names(k)) for k in registry.KINDS), block]))
"""


@pytest.mark.ci
def test_a_strangers_package_is_verified_like_the_rest(tmp_path: Path) -> None:
    files = {file: source for file, source, _ in FILES.values()}
    files["theorems.py"] = THEOREMS.format(method="stranger_descent", measure="stranger_gap")
    files["walled.py"] = (
        "import numpy as np\nimport opcheck\nfrom opcheck.model.problem import Problem\n"
        "from stranger.sets import stranger_halfspace\n"
        "@opcheck.problem_family('stranger_walled')\n"
        "def stranger_walled():\n"
        "    '''F = z on the half-space z_1 >= 1/2.'''\n"
        "    facts = (opcheck.exact(opcheck.Lipschitz(1)),\n"
        "             opcheck.exact(opcheck.StronglyMonotone(1)))\n"
        "    return Problem(opcheck.linear(np.eye(2)), stranger_halfspace(0.5), facts=facts,\n"
        "                   start=np.array([2.0, 1.0]), solution=np.array([0.5, 0.0]))\n"
    )
    package(tmp_path, files)
    found = json.loads(python(tmp_path, VERIFY).stdout)
    # the bound is met by F = a z
    assert found["stranger_well"]["status"] == "attained"
    assert found["stranger_walled"]["status"] in ("holds", "attained")
    assert found["strongly_monotone"]["status"] in ("holds", "attained")
    assert found["bilinear"]["reason"].endswith("is empty: 2*mu/L**2 = 0")
    assert found["translation"]["reason"] == "its solution is not known"
    words = ("run", "stranger_descent", "stranger_walled", "-p", "gamma=0.5", "-n", "60")
    run = document(tmp_path, *words)
    assert run["z"] == pytest.approx([0.5, 0.0], abs=1e-12)
    assert len(run["bounds"]["stranger_gap"]["stranger2024_contraction"]) == 61


VERIFY = """
import json
import opcheck
from opcheck.evidence.simulation.verify import library

wanted = {"stranger_well", "stranger_walled", "strongly_monotone", "bilinear", "translation"}
chosen = [p for p in library() if p.name in wanted]
found = {p.name: opcheck.verify("stranger2024_contraction", p).as_dict() for p in chosen}
print(json.dumps(found))
"""


def built_in(kind: str) -> list[str]:
    """Names that lie in the tree: other tests of this process may have registered their own."""
    root = str(Path(__file__).parents[2])
    return [name for name in registry.names(kind) if registry.place(kind, name).startswith(root)]


@pytest.mark.ci
def test_a_plug_in_that_fails_is_named_and_the_rest_works(tmp_path: Path) -> None:
    package(tmp_path, {"bad.py": "import no_such_module_at_all"}, "broken")
    package(tmp_path, {"operators.py": OPERATORS})
    done = command(tmp_path, "list", "problems")
    assert done.returncode == 2
    assert "stranger_well" in done.stdout.split()
    assert set(built_in("problems")) <= set(done.stdout.split())
    assert done.stderr == (
        "opcheck: plug-in 'own' of package 'broken' (broken.bad) failed to import: "
        "ModuleNotFoundError: No module named 'no_such_module_at_all' (bad.py, line 1)\n"
    )
    # a name that may have been the broken one's is not called unknown without a hint
    missing = command(tmp_path, "run", "extragradient", "qqqq")
    assert missing.returncode == 2
    assert "not loaded: plug-in 'own' of package 'broken'" in missing.stderr
    assert "Traceback" not in missing.stderr


@pytest.mark.ci
def test_a_module_that_fails_takes_no_other_of_its_package_away(tmp_path: Path) -> None:
    """Also not those in folders, nor what comes after it in the alphabet; it is named once."""
    files = {
        "bad.py": "1/0",
        "needs_bad.py": "import stranger.bad",
        "operators.py": OPERATORS,
    }
    package(tmp_path, files)
    inner = tmp_path / "stranger" / "room"
    inner.mkdir()
    (inner / "__init__.py").write_text("")
    (inner / "worse.py").write_text("def f(:\n")
    (inner / "sets.py").write_text(SETS)
    done = command(tmp_path, "list")
    assert done.returncode == 2
    assert {"stranger_well", "stranger_halfspace"} <= set(done.stdout.split())
    first, second = done.stderr.splitlines()
    assert "(stranger.bad) failed to import: ZeroDivisionError" in first
    assert "(stranger.room.worse) failed to import: SyntaxError" in second
    # checks of what is left would be green
    asked = python(tmp_path, "from opcheck.testing import checks_of; checks_of('stranger')")
    assert asked.returncode != 0
    assert "OpcheckError" in asked.stderr
    assert "(stranger.bad) failed to import: ZeroDivisionError" in asked.stderr


def test_a_report_says_what_was_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.load()
    monkeypatch.setattr(registry, "_failures", ["plug-in 'own' failed"])
    assert Report(()).as_dict()["not_loaded"] == ["plug-in 'own' failed"]


def first_words(listed: str) -> list[str]:
    return [line.split()[0] for line in listed.splitlines()]


def test_an_entry_point_without_a_module_is_named(tmp_path: Path) -> None:
    package(tmp_path, {}, module="no_such_module_at_all")
    done = command(tmp_path, "list", "methods")
    assert (done.returncode, first_words(done.stdout)) == (2, built_in("methods"))
    assert "plug-in 'own' of package 'stranger' (no_such_module_at_all) failed" in done.stderr


def test_a_stranger_with_a_taken_name_is_told_both_places(tmp_path: Path) -> None:
    package(tmp_path, {"operators.py": OPERATORS.replace("stranger_well", "bilinear")})
    done = command(tmp_path, "list", "problems")
    assert done.returncode == 2
    assert first_words(done.stdout) == built_in("problems")
    assert "two problems are named 'bilinear': one at " in done.stderr
    assert registry.place("problems", "bilinear").rpartition(":")[0] in done.stderr
    assert str(tmp_path / "stranger" / "operators.py") in done.stderr


@pytest.mark.ci
def test_a_taken_name_costs_the_newcomer_its_entry_and_nobody_anything_else(tmp_path: Path) -> None:
    files = {
        "a_clash.py": OPERATORS.replace("stranger_well", "bilinear"),
        "operators.py": OPERATORS,
    }
    package(tmp_path, files)
    state = json.loads(command(tmp_path, "doctor", "--json").stdout)
    (source,) = [s for s in state["plugins"] if s["package"] == "stranger 1.0"]
    assert source["entries"] == {"problems": 1}
    (sentence,) = source["failures"]
    assert sentence.endswith("rename one of them, which is left out")
    own = [s for s in state["plugins"] if s["package"].startswith("opcheck ")]
    assert [s["failures"] for s in own] == [[]] * len(own)
    assert sum(s["entries"].get("problems", 0) for s in own) == len(built_in("problems"))


def test_a_plug_in_for_another_api_is_left_out_by_one_sentence(tmp_path: Path) -> None:
    """Its modules are not imported: what they need may not be there."""
    package(tmp_path, {"operators.py": OPERATORS}, "older")
    package(tmp_path, {"operators.py": "from opcheck.plugin import not_yet_there"}, "newer")
    (tmp_path / "older" / "__init__.py").write_text(f"OPCHECK_API = {registry.API}\n")
    newer = registry.API + 1
    (tmp_path / "newer" / "__init__.py").write_text(f"OPCHECK_API = {newer}\n1/0\n")
    done = command(tmp_path, "list", "problems")
    assert done.returncode == 2
    assert "stranger_well" in done.stdout.split()
    assert done.stderr == (
        f"opcheck: plug-in 'own' of package 'newer' (newer) was written for API {newer} of "
        f"opcheck, and this is {registry.API}: it was not imported; install a newer opcheck\n"
    )


@pytest.mark.ci
def test_files_and_modules_that_are_named_are_loaded(tmp_path: Path) -> None:
    """By an option or the environment, also in the processes of a command."""
    (tmp_path / "mine.py").write_text(OPERATORS)
    package(tmp_path, {"sets.py": SETS})
    (tmp_path / "stranger-1.0.dist-info" / "entry_points.txt").unlink()
    code = "import os; os.chdir(os.environ['PYTHONPATH'].partition(os.pathsep)[0])\n"
    run = f"{code}from opcheck.cli import main; main()"
    listed = python(tmp_path, run, "--plugin", "mine.py", "--plugin", "stranger", "list")
    assert listed.returncode == 0, listed.stderr
    assert {"stranger_well", "stranger_halfspace"} <= set(listed.stdout.split())
    words = (
        "--plugin",
        "mine.py",
        "verify",
        "elementary_gda_contraction",
        "gidel2019_peg_contraction",
    )
    done = python(tmp_path, run, *words, "--problem", "stranger_well", "--jobs", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["theorems"]) == 2
    by_environment = (
        f"import os; os.environ['OPCHECK_PLUGINS'] = 'mine.py{os.pathsep}stranger'\n{run}"
    )
    assert python(tmp_path, by_environment, "list").stdout == listed.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_such_module", "plug-in 'no_such_module' (no_such_module) failed to import: Module"),
        ("none.py", "was not loaded: no file '"),
        ("bad.py", "bad.py failed to import: ZeroDivisionError: division by zero (bad.py, line 1)"),
    ],
)
def test_a_named_plug_in_that_fails_is_one_sentence(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "bad.py").write_text("1/0")
    file = str(tmp_path / name) if name.endswith(".py") else name
    with pytest.raises(OpcheckError) as failed:
        registry.load_plugin(file)
    assert says in str(failed.value)
    assert "\n" not in str(failed.value)
    assert not [sentence for sentence in registry.failures() if says in sentence]


@pytest.mark.ci
def test_doctor_says_what_there_is(tmp_path: Path) -> None:
    package(tmp_path, {"bad.py": "1/0", "operators.py": OPERATORS})
    done = command(tmp_path, "doctor")
    assert done.returncode == 2
    lines = done.stdout.splitlines()
    assert lines[0] == f"opcheck {opcheck.__version__}, plug-in API {registry.API}"
    assert "numba " in next(text for text in lines if text.startswith("requires: "))
    assert next(text for text in lines if text.startswith("solver: ")).endswith(" works")
    assert "plug-in: own of stranger 1.0: 1 problems; 1 not loaded" in lines
    (sentence,) = [text for text in lines if text.startswith("  plug-in")]
    assert "(stranger.bad) failed to import: ZeroDivisionError" in sentence
    assert "stranger.bad" not in done.stderr  # once is enough


def test_two_of_one_name(own_registry: None) -> None:
    registry.register("sets", "own", 1, "a.py:1")
    registry.register("sets", "own", 2, "a.py:1")  # the same statement run again
    assert registry.get("sets", "own") == 2
    with pytest.raises(OpcheckError) as twice:
        registry.register("sets", "own", 3, "b.py:7")
    assert str(twice.value) == (
        "two sets are named 'own': one at a.py:1, another at b.py:7; rename one of them"
    )
    registry.register("figures", "own", 4, "b.py:7")  # another kind
    assert registry.find("own") == [("sets", 2), ("figures", 4)]


def test_a_file_is_loaded_once(own_registry: None, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OPERATORS + "loads = []\n")
    first = registry.load_file(path)
    first.loads.append(1)
    assert registry.load_file(str(path)).loads == [1]
    assert registry.place("problems", "stranger_well").rpartition(":")[0] == str(path)
    assert registry.in_file("problems", str(path)) == ["stranger_well"]
    assert registry.in_file("problems", f"{path}:stranger_well") == ["stranger_well"]
    assert opcheck.problem(str(path), a=2.0).operator([1, 2, 3]).tolist() == [2, 4, 6]
    assert str(path) in registry.files()


def test_files_of_one_name_in_two_folders_are_two_modules(
    own_registry: None, tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        source = OPERATORS.replace("stranger_well", f"well_{folder}")
        (tmp_path / folder / "own.py").write_text(source)
    one, two = (registry.load_file(tmp_path / f / "own.py") for f in ("one", "two"))
    assert one is not two
    assert {"well_one", "well_two"} <= set(registry.names("problems"))


def test_a_file_that_failed_may_be_mended(own_registry: None, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text("1/0")
    with pytest.raises(OpcheckError, match="failed to import: ZeroDivisionError"):
        registry.load_file(path)
    path.write_text(OPERATORS)
    registry.load_file(path)
    assert "stranger_well" in registry.names("problems")


def test_unknown_names_and_kinds() -> None:
    with pytest.raises(OpcheckError, match="no kind 'operators'; kinds are problems, methods"):
        registry.names("operators")
    with pytest.raises(OpcheckError, match="did you mean 'bilinear'"):
        registry.get("problems", "bilinaer")
    with pytest.raises(OpcheckError, match="'opcheck list sets' shows them"):
        registry.get("sets", "qqqq")
    with pytest.raises(OpcheckError, match="nothing is named 'qqqq'"):
        registry.find("qqqq")
    assert opcheck.available("theorems") == registry.names("theorems")


def test_select_takes_names_before_prefixes() -> None:
    everything = registry.names("theorems")
    assert registry.select("theorems", []) == everything
    starts = [n for n in everything if n.startswith("lee2021_feg")]
    assert len(starts) > 1
    assert registry.select("theorems", ["lee2021_feg"]) == ["lee2021_feg"]
    assert registry.select("theorems", ["lee2021"]) == starts
    assert registry.select("theorems", ["lee2021_feg", "lee2021"]) == starts
    with pytest.raises(OpcheckError, match="no theorem is named 'lee2022'"):
        registry.select("theorems", ["lee2022"])


# Which module may import which.

LEVELS = {
    name: level
    for level, group in enumerate(
        (
            ("errors", "arguments", "document", "registry", "watchdog"),
            ("recheck", "rerun", "processes", "references", "supervisor"),
            ("model",),
            ("kernels",),
            ("methods", "measures", "theorems"),
            ("engine",),
            ("evidence",),
            ("rocq",),
            ("report", "adapters"),
            ("cli", "__main__", "plugin"),
            ("testing", "pytest_plugin", "torch"),
        )
    )
    for name in group
}
PACKS = ("problems", "figures", "paper_repro")
PUBLIC = ("opcheck", "opcheck.kernels", "opcheck.plugin")


def sources() -> Iterator[tuple[Path, str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        part = path.relative_to(ROOT).parts[0].removesuffix(".py")
        yield path, part, ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not looked at"
            module = node.module or ""
            yield from (f"opcheck.{a.name}" if module == "opcheck" else module for a in node.names)


@pytest.mark.ci
def test_arrows_point_one_way() -> None:
    seen = set()
    for path, part, tree in sources():
        if part == "__init__":
            continue  # the public names; they load when they are used
        for name in imports(tree):
            if name.startswith("opcheck."):
                target = name.split(".")[1]
                seen.add((part, target))
                assert LEVELS[target] <= LEVELS[part], f"{path.name} imports {name}"
    assert ("cli", "evidence") in seen
    assert ("engine", "model") in seen


# rooms of evidence; one knows its own and those below it, none another on its floor
FLOORS = {
    "statement": 0,
    "operators": 0,
    "simulation": 1,
    "worst_case": 1,
    "proofs": 1,
    "certificates": 2,
    "discover": 3,
}


def test_rooms_of_evidence_know_only_those_below() -> None:
    folder = Path(opcheck.__file__).parent / "evidence"
    assert {p.name for p in folder.iterdir() if (p / "__init__.py").is_file()} == set(FLOORS)
    crossed = 0
    for path in folder.rglob("*.py"):
        room = path.parent.name if path.parent != folder else ""
        for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if not name.startswith("opcheck.evidence."):
                continue
            target = name.split(".")[2]
            if not room or target == room:
                continue
            assert FLOORS.get(target, 9) < FLOORS[room], f"{path} imports {name}"
            crossed += 1
    assert crossed > 20


@pytest.mark.ci
def test_no_pack_is_imported_by_name() -> None:
    allowed = {f"opcheck_{pack}" for pack in PACKS}
    for path, _, tree in sources():
        found = {name.split(".")[0] for name in imports(tree)}
        assert not found & {*PACKS, *allowed}, path
        text = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
        named = {v for v in text if isinstance(v, str) and v in allowed}
        # the compiler trusts their kernels to stay inside their arrays
        assert not named or path.name == "jit.py", path


@pytest.mark.ci
def test_every_module_has_its_level() -> None:
    parts = {part for _, part, _ in sources()} - {"__init__"}
    assert parts == set(LEVELS)


def bound(tree: ast.AST) -> set[str]:
    """Names of locals, parameters and fields."""
    stored = (n for n in ast.walk(tree) if isinstance(getattr(n, "ctx", None), ast.Store))
    names = {getattr(n, "id", "") or getattr(n, "attr", "") for n in stored}
    return names | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}


@pytest.mark.ci
def test_a_name_says_what_it_holds_and_not_that_it_was_obtained() -> None:
    obtained = {"found", "made", "chosen", "wanted"}
    planted = ast.parse("def f(made):\n    found = made\n    f.chosen = wanted = found")
    assert obtained <= bound(planted)
    for path, _, tree in sources():
        assert not bound(tree) & obtained, path


# what takes its arguments by place alone: kernels, and numba's signatures of them; other libraries
BY_PLACE = re.compile(
    r"kernel$|resolvent(_of_sum)?$|^(advance|compiled|by_anderson|driver|void|float64|DefaultSolver|submit)$"
)


def positions(tree: ast.AST) -> list[str]:
    """Calls with more than five arguments by place, but of what takes them so."""
    out = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) <= 5:
            continue
        match node.func:
            case ast.Name(name) | ast.Attribute(attr=name):
                if not BY_PLACE.search(name):
                    out.append(f"{name}, line {node.lineno}")
            case ast.Call() | ast.Subscript():  # a kernel in some arithmetic, or of a table
                pass
    return out


@pytest.mark.ci
def test_long_calls_name_their_arguments() -> None:
    assert positions(ast.parse("f(1, 2, 3, 4, 5, 6); g(1, 2, 3, 4, 5, x=6)")) == ["f, line 1"]
    for path, _, tree in sources():
        if path.parent.name != "methods":  # those are kernels
            assert not positions(tree), path


def offered(path: Path) -> set[str]:
    """``__all__`` of a module that is not imported."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_packs_import_only_public_names() -> None:
    """They are the first plug-ins: what they can't do without, no stranger's package can."""
    public = {m: set(importlib.import_module(m).__all__) for m in PUBLIC}
    public["opcheck.torch"] = offered(ROOT / "torch.py")  # where torch may be absent
    used = {m: set() for m in public}  # type: ignore[var-annotated]
    for pack in PACKS:
        for path in sorted((ROOT.parent / pack).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    # ``opcheck.run`` loads what it needs when it is called
                    inner = [a.name for a in node.names if a.name.startswith("opcheck.")]
                    assert not inner, path
                elif isinstance(node, ast.ImportFrom) and node.module is not None:
                    if node.module.split(".")[0] != "opcheck":
                        continue
                    names = {a.name for a in node.names}
                    assert names <= public.get(node.module, set()), f"{path}: {node.module}"
                    used[node.module] |= names
    assert used["opcheck.plugin"] == public["opcheck.plugin"]
    assert all(used.values())


def test_public_modules_offer_what_they_say() -> None:
    for name in PUBLIC:
        module = importlib.import_module(name)
        assert sorted(set(module.__all__)) == sorted(module.__all__)
        assert all(getattr(module, entry) is not None for entry in module.__all__)


def test_every_module_of_the_packs_loads() -> None:
    assert not [sentence for sentence in registry.failures() if "package 'opcheck'" in sentence]


def test_the_map_shows_every_module_and_no_other() -> None:
    """docs/architecture.md names the files of every room that is not a list of entries."""
    text = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\b(\w+\.py)\b", text.split("```")[1]))
    entries = {"methods", "theorems", "cli", "report"}
    modules = {
        path.name
        for path in ROOT.rglob("*.py")
        if not path.name.startswith("__") and path.parent.name not in entries
    }
    assert shown == modules, (modules - shown, shown - modules)
