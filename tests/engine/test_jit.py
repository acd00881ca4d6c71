"""The kernel cache: never a stale kernel, seldom a superfluous compilation.

Each test edits source files, loads them anew as another process would, and looks at three things:
the fingerprint, the value computed, and whether it came from disk (numba's own count of hits).
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from opcheck.engine.jit import Uncompilable, fingerprint, jit
from opcheck.model.method import resolve

ROOT = Path(__file__).parents[2]
PACKAGES = ("opcheck", "problems", "figures", "paper_repro", "benchmarks")
Load = Callable[[dict[str, str]], ModuleType]


class Outcome(NamedTuple):
    """What compiling one function as an operator and calling it at 3 gave."""

    value: float
    hits: int
    fingerprint: str


def outcome(function: Any) -> Outcome:
    compiled = jit(function, "operator")
    out = np.zeros(1)
    compiled(np.array([3.0]), out, np.array([5.0]))
    hits = sum(compiled.stats.cache_hits.values())
    assert hits + sum(compiled.stats.cache_misses.values()) <= 1
    return Outcome(float(out[0]), hits, fingerprint(function))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel cache of this test's own."""
    place = tmp_path / "kernels"
    monkeypatch.setenv("OPCHECK_CACHE_DIR", str(place))
    return place


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Write modules and import ``users`` anew, as a process that starts after the edit does."""
    folder = tmp_path / "source"
    monkeypatch.syspath_prepend(folder)
    # a .pyc is trusted by its second and size, and edits here are quicker than that
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def forget() -> None:
        for path in folder.rglob("*.py"):
            name = ".".join(path.relative_to(folder).with_suffix("").parts)
            sys.modules.pop(name.removesuffix(".__init__"), None)

    def write(sources: dict[str, str]) -> ModuleType:
        for name, source in sources.items():
            path = folder / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        importlib.invalidate_caches()
        forget()
        return importlib.import_module("users")

    yield write
    forget()


SEVEN, SIXTEEN = "def step(x):\n    return 2*x + 1\n", "def step(x):\n    return 5*x + 1\n"
UNRELATED = "\ndef unrelated(z, out, data):\n    out[0] = z[0] * data[0]\n"
USERS = {
    "by name": "from helper import step\ndef F(z, out, data):\n    out[0] = step(z[0])\n",
    "by module": "import helper as prim\ndef F(z, out, data):\n    out[0] = prim.step(z[0])\n",
    "through a callee": (
        "import helper as prim\n"
        "def middle(x):\n    return prim.step(x)\n"
        "def F(z, out, data):\n    out[0] = middle(z[0])\n"
    ),
    "by closure": (
        "from helper import step\n"
        "def bind(base):\n"
        "    def F(z, out, data):\n        out[0] = base(z[0])\n"
        "    return F\n"
        "F = bind(step)\n"
    ),
}


@pytest.mark.parametrize("user", USERS.values(), ids=USERS.keys())
@pytest.mark.ci
def test_an_edited_helper_recompiles_its_users_and_nothing_else(
    cache: Path, load: Load, user: str
) -> None:
    """numba #8396: an edit in another file; a key of the user's file alone goes on giving 7."""
    first = load({"helper": SEVEN, "users": user + UNRELATED})
    before, other = outcome(first.F), outcome(first.unrelated)
    assert (before.value, before.hits, other.value, other.hits) == (7, 0, 15, 0)
    second = load({"helper": SIXTEEN})
    after, same = outcome(second.F), outcome(second.unrelated)
    assert (after.value, after.hits) == (16, 0)
    assert after.fingerprint != before.fingerprint
    assert (same.value, same.hits, same.fingerprint) == (15, 1, other.fingerprint)
    back = outcome(load({"helper": SEVEN}).F)
    assert (back.value, back.hits, back.fingerprint) == (7, 1, before.fingerprint)


BODY = "def F(z, out, data):\n    out[0] = f(z[0]) + g(z[0]) + h(z[0])\n"
TWO = "def a(x):\n    return x + 1\ndef b(x):\n    return 10*x\n"
CALL = "def F(z, out, data):\n    out[0] = step(z[0])\n"
ROOT_OF_MINUS_4 = "def F(z, out, data):\n    out[0] = abs(m.sqrt(z[0] - 7))\n"
PAIR = "from collections import namedtuple\n"
TIMES = "def F(z, out, data):\n    out[0] = c * z[0]\n"
READ = "def F(z, out, data):\n    out[0] = c.p\n"
ENUM = "from enum import IntEnum\nclass E(IntEnum):\n    p = {}\n"
ARRAY = "import numpy as np\nc = np.array([{}])\ndef F(z, out, data):\n    out[0] = c[0]\n"
LONG = (
    "import numpy as np\nc = np.zeros(2000)\nc[1000] = {}\n"
    "def F(z, out, data):\n    out[0] = c[1000]\n"
)
CELL = (
    "def make(c):\n"
    "    def F(z, out, data):\n        out[0] = c * z[0]\n"
    "    return F\n"
    "F = make({})\n"
)
CHANGES = {
    "global constant": ("c = 2\n" + TIMES, "c = 3\n" + TIMES, 6, 9),
    "constant in the text": (TIMES.replace("c *", "2 *"), TIMES.replace("c *", "3 *"), 6, 9),
    "closure cell": (CELL.format(2), CELL.format(4), 6, 12),
    "default": (
        "def step(x, c=1):\n    return x + c\n" + CALL,
        "def step(x, c=2):\n    return x + c\n" + CALL,
        4,
        5,
    ),
    "entry of an array beyond its printed digits": (
        ARRAY.format("0.1234567891"),
        ARRAY.format("0.1234567892"),
        0.1234567891,
        0.1234567892,
    ),
    "entry of an array that is not printed": (LONG.format(2), LONG.format(3), 2, 3),
    "builtin of the same name": (
        "from math import floor as f, fabs as g, fabs as h\n" + BODY,
        "from math import ceil as f, sqrt as g, fabs as h\n" + BODY,
        9,
        3 + 3**0.5 + 3,
    ),
    "module of the same name": (
        "import math as m\n" + ROOT_OF_MINUS_4,
        "import cmath as m\n" + ROOT_OF_MINUS_4,
        np.nan,
        2,
    ),
    "which of the callees is called": (
        TWO + "f, g, h = a, a, b\n" + BODY,
        TWO + "f, g, h = a, b, b\n" + BODY,
        4 + 4 + 30,
        4 + 30 + 30,
    ),
    "fields of a named tuple": (
        PAIR + "c = namedtuple('C', 'p q')(2, 3)\n" + READ,
        PAIR + "c = namedtuple('C', 'q p')(2, 3)\n" + READ,
        2,
        3,
    ),
    "member of an enumeration": (
        ENUM.format(2) + TIMES.replace("c *", "E.p.value *"),
        ENUM.format(3) + TIMES.replace("c *", "E.p.value *"),
        6,
        9,
    ),
    "a stranger's compiled helper": (
        "import numba\n@numba.njit\n" + SEVEN + CALL,
        "import numba\n@numba.njit\n" + SIXTEEN + CALL,
        7,
        16,
    ),
    "its options": (
        "import numba\n@numba.njit(error_model='python')\n" + SEVEN + CALL,
        "import numba\n@numba.njit(error_model='numpy')\n" + SEVEN + CALL,
        7,
        7,
    ),
}


@pytest.mark.parametrize(("before", "after", "old", "new"), CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.sampled(4)
def test_what_a_kernel_sees_is_in_its_fingerprint(
    cache: Path, load: Load, before: str, after: str, old: float, new: float
) -> None:
    first = outcome(load({"users": before}).F)
    second = outcome(load({"users": after}).F)
    np.testing.assert_array_equal([first.value, second.value], [old, new])
    assert first.fingerprint != second.fingerprint
    assert second.hits == 0


def test_a_helper_in_a_module_of_a_package_is_seen(cache: Path, load: Load) -> None:
    """``pack.deep.step``: two attributes from the module that the kernel names."""
    user = "import pack.deep\ndef F(z, out, data):\n    out[0] = pack.deep.step(z[0])\n"
    seen = []
    for helper in (SEVEN, SIXTEEN):
        deep = "import pack\nimport numba\n@numba.njit\n" + helper  # the two name each other
        seen.append(outcome(load({"pack/__init__": "", "pack/deep": deep, "users": user}).F))
    assert [s.value for s in seen] == [7, 16]
    assert seen[0].fingerprint != seen[1].fingerprint


KERNEL = 'c = 4\ndef F(z, out, data):\n    """A formula."""\n    out[0] = c * z[0]\n'
HARMLESS = {
    "comment": KERNEL.replace("    out", "    # why\n    out"),
    "docstring": KERNEL.replace("A formula.", "Another wording."),
    "moved down": "import math\n\n\n" + KERNEL,
    "blank lines inside": KERNEL.replace("    out", "\n\n    out"),
    "another function": "def G(z, out, data):\n    out[0] = 0\n" + KERNEL,
    "another constant": "d = 5\n" + KERNEL,
}


LOOP = """
from helper import step
from opcheck.plugin import compiled

@compiled
def sum_of(n, random):
    total = 0.0
    for i in range(n):
        total += step(i) + random.random()
    return total

@compiled
def without_meaning(n):
    return n.nothing
"""


def test_a_loop_of_an_experiment_is_compiled_and_kept_as_kernels_are(
    cache: Path, load: Load
) -> None:
    def value(helper: str) -> float:
        total: float = load({"helper": helper, "users": LOOP}).sum_of(3, np.random.default_rng(0))
        return total - float(np.random.default_rng(0).random(3).sum())

    assert [value(SEVEN), value(SIXTEEN), value(SEVEN)] == pytest.approx([9, 18, 9], abs=1e-14)
    kept = [path.suffix for path in cache.rglob("sum_of*")]
    assert sorted(kept) == [".nbc", ".nbc", ".nbi", ".nbi"]  # the third came from disk
    with pytest.raises(Uncompilable, match="nothing"):
        load({"users": LOOP}).without_meaning(3)


@pytest.mark.parametrize("after", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_a_kernel_does_not_see_costs_no_compilation(
    cache: Path, load: Load, after: str
) -> None:
    first = outcome(load({"users": KERNEL}).F)
    second = outcome(load({"users": after}).F)
    assert (first.hits, second.hits) == (0, 1)
    assert first.value == second.value == 12
    assert first.fingerprint == second.fingerprint


def test_a_kernel_with_and_without_bounds_checks_is_two_kernels(cache: Path, load: Load) -> None:
    """What is opcheck's own runs unchecked; a stranger's kernel of the same text must not."""
    trusted = load({"users": KERNEL}).F
    trusted.__module__ = trusted.__globals__["__name__"] = "opcheck.mine"
    assert outcome(trusted).hits == 0
    assert outcome(load({"users": KERNEL}).F).hits == 0
    assert outcome(load({"users": KERNEL}).F).hits == 1


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "cut": content[: len(content) // 2], "garbled": b"garbage" * 50}[how]
    )


@pytest.mark.parametrize("how", ["empty", "cut", "garbled"])
@pytest.mark.parametrize("what", ["nbi", "nbc"])
def test_a_damaged_entry_is_a_miss_and_is_mended(
    cache: Path, load: Load, what: str, how: str
) -> None:
    assert outcome(load({"users": KERNEL}).F).hits == 0
    (file,) = cache.rglob(f"*.{what}")
    damage(file, how)
    again = outcome(load({"users": KERNEL}).F)
    assert (again.value, again.hits) == (12, 0)
    mended = outcome(load({"users": KERNEL}).F)
    assert (mended.value, mended.hits) == (12, 1)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_where_the_cache_should_be_only_costs_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Load, place: str
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("OPCHECK_CACHE_DIR", str(tmp_path / place))
    for _ in range(2):
        found = outcome(load({"users": KERNEL}).F)
        assert (found.value, found.hits) == (12, 0)
    assert (tmp_path / "file").read_text() == "mine"


def python(script: str, cache: Path) -> list[str]:
    """The words that a new process prints."""
    environment = os.environ | {"OPCHECK_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.ci
def test_an_unwritable_cache_folder_only_costs_the_cache(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    script = """
import os
import numpy as np
from opcheck.engine.jit import jit
from opcheck.model.linear_kernels import by_columns, by_rows
locked, os.environ["OPCHECK_CACHE_DIR"] = os.environ["OPCHECK_CACHE_DIR"], os.devnull
jit(by_columns, "operator")  # imports what compiling needs while it may still be read
os.environ["OPCHECK_CACHE_DIR"] = locked
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write anywhere
out = np.zeros(2)
jit(by_rows, "operator")(np.array([1.0, 2.0]), out, np.array([2.0, 1.0, 0.0, 3.0, 0.0, 0.0]))
print(*out)
"""
    assert python(script, folder) == ["4.0", "6.0"]
    assert list(folder.iterdir()) == []


@pytest.mark.ci
def test_generated_and_bound_kernels_are_found_by_a_second_process(tmp_path: Path) -> None:
    script = """
import numpy as np, opcheck
from opcheck.engine.jit import jit
from opcheck.model.method import resolve
F = opcheck.minmax("a*x*y + x**2/2", a=3.0)
generated = jit(F.kernel, "operator")
bound = jit(resolve("lookahead(eg_plus)").kernel, "advance")
out = np.zeros(2)
generated(np.array([1.0, 2.0]), out, F.data)
print(*out, *[sum(g.stats.cache_hits.values()) for g in (generated, bound)])
"""
    assert python(script, tmp_path) == ["7.0", "-3.0", "0", "0"]
    assert python(script, tmp_path) == ["7.0", "-3.0", "1", "1"]


def test_two_bases_of_one_outer_method_do_not_share_a_kernel() -> None:
    names = ["lookahead(eg_plus)", "lookahead(extragradient)", "lookahead(lookahead(eg_plus))"]
    prints = {fingerprint(resolve(name).kernel) for name in names}
    assert len(prints) == len(names)


def words(word: str) -> list[str]:
    files = [f for package in PACKAGES for f in sorted((ROOT / package).rglob("*.py"))]
    assert len(files) > 30
    return [str(f.relative_to(ROOT)) for f in files if word in f.read_text()]


def test_no_kernel_is_compiled_with_fastmath() -> None:
    """It assumes that there is no NaN, and deletes the tests for one."""
    assert words("fastmath") == []


def test_only_one_file_compiles() -> None:
    assert words("njit") == ["opcheck/engine/jit.py"]


@pytest.mark.ci
def test_kernels_of_one_name_from_different_processes_do_not_share_machine_code(
    tmp_path: Path,
) -> None:
    """Each is the first that its process compiles, so numba's own symbols for them coincide."""
    script = textwrap.dedent(
        """
        import sys
        import opcheck

        for word in sys.argv[1:]:
            game = opcheck.Problem(opcheck.field([f"{word}*z"], "z"), name="game", start=START)
            z = opcheck.run("gradient_descent_ascent", game, iterations=1, gamma=1.0).z
            print(word, 1 - int(z[0]))
        """
    ).replace("START", "__import__('numpy').ones(1)")

    def go(*words: str) -> list[str]:
        command = [sys.executable, "-c", script, *words]
        env = {**os.environ, "OPCHECK_CACHE_DIR": str(tmp_path)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert go("2") == ["2", "2"]
    # 3 is compiled, 2 is loaded, and pointers to 3 are taken again
    assert go("3", "2", "3", "2") == ["3", "3", "2", "2", "3", "3", "2", "2"]
