"""Arguments as people mistype them: an answer or one sentence; no traceback, no hang."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from timer import within

from opcheck import registry
from opcheck.cli import main

LIMIT = 30  # seconds that one command may take
PROBLEMS = [
    "bilinear", "bilinear(L=2)", "forsaken", "polar_game", "tight_linear", "x*y", "x*y + x**2/2",
    "a*x*y", "x0*y1 - x1*y0", "m.csv", "wide.csv", "complex.npy", "m.mtx", "row.npy", "mine.py",
    "mine.py:F", "mine.py:G", "mine.py:M", "mine.py:nothing", "gone.py", "gone.csv", "rotation_map",
]  # fmt: skip
METHODS = ["extragradient", "rapp", "lookahead(extragradient)", "halpern", "proximal_point",
           "anchored_proximal_point", "lookahead", "mine.py:step", "mine.py"]  # fmt: skip
THEOREMS = ["gorbunov2022_eg_last", "lee2021_feg", "elementary_bilinear", "lieder", "mine.py"]
SETS = ["box:-1,1", "box", "simplex", "ball:0,0:1", "ball:2", "half_space:1,1:0", "nonneg",
        "simplices", "polyhedron", "box:-1,0:1,2", "box(lo=-1)", "mine.py:F"]  # fmt: skip
VALUES = ["1/2", "0.1", "1", "2", "1/L", "1/(k+2)", "0.5,0.25", "-1", "0", "1e308", "nan", "inf",
          "1/0", "k", "x", "", "1e-320", "10**400", "2**2**2**9", "(", "1,,2", "gamma"]  # fmt: skip
NAMES = ["gamma", "lam", "tau", "beta", "L", "n", "a", "alpha", "base.gamma", "problem.L", "", "K"]
POINTS = ["1,0.5", "1", "0,0", "1,2,3", "nan,1", "1e300,1", "a,b", "", "1;2"]
REGIONS = ["1", "2.5", "0", "-1", "nan", "inf", "[.2,2]x[-1,1]", "0,0:2", "[1,0]", "x", ""]
NOISE = [*"()[]{},;:=*/+-^%$#@!~`'\"\\ .0eLxyk\n\tπ∞", "**", "..", "--", "1/"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from scipy import io, sparse

    folder = tmp_path_factory.mktemp("fuzz")
    M = np.array([[0.0, 1.0], [-1.0, 0.0]])
    np.savetxt(folder / "m.csv", M, delimiter=",")
    np.savetxt(folder / "wide.csv", np.ones((2, 3)), delimiter=",")
    np.save(folder / "complex.npy", M * 1j)
    np.save(folder / "row.npy", np.ones(3))
    io.mmwrite(folder / "m.mtx", sparse.csr_matrix(M))
    (folder / "mine.py").write_text(
        "import numpy as np\nimport opcheck\nM = np.eye(2)\n"
        "def F(z, out, data):\n    out[0], out[1] = z[1], -z[0]\n"
        "def G(z):\n    return [z[1], -z[0]]\n"
        "@opcheck.method('fuzz_step', params='gamma', rows='z Fz', calls=1, source='own',\n"
        "                constrained=False)\n"
        "def step(F, F_data, J, J_data, state, params, k, n):\n"
        "    for _ in range(n):\n"
        "        F(state[0], state[1], F_data)\n"
        "        for i in range(state.shape[1]):\n"
        "            state[0][i] -= params[0] * state[1][i]\n"
    )
    return folder


def slip(word: str, luck: random.Random) -> str:
    """A word with a letter dropped, doubled, swapped or put in, as by a slip of the pen."""
    at = luck.randrange(len(word) + 1)
    kind = luck.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + luck.choice(NOISE) + word[at:]
    if kind == 2 and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at : at + 1] * 2 + word[at + 1 :]


def options(luck: random.Random) -> list[str]:
    found = []
    for _ in range(luck.randrange(4)):
        found += ["-p", f"{luck.choice(NAMES)}={luck.choice(VALUES)}"]
    for name, pool in (("--set", SETS), ("--start", POINTS), ("--box", REGIONS),
                       ("--ball", REGIONS)):  # fmt: skip
        if luck.random() < 0.15:
            found += [name, luck.choice(pool)]
    found += ["--dim", luck.choice(["2", "0", "-2", "x", "3"])] if luck.random() < 0.08 else []
    found += ["--game"] if luck.random() < 0.08 else []
    return found


def command(luck: random.Random) -> list[str]:
    kind = luck.choice(["run"] * 6 + ["verify"] * 4 + ["show", "list", "recheck", "certify"])
    if kind == "run":
        words = [luck.choice(METHODS), luck.choice(PROBLEMS), "-n", luck.choice(["3", "0", "7"])]
        takes = {"rapp": ("lam=1/2", "tau=2"), "lookahead(extragradient)": ("lam=1/2", "tau=2")}
        words += ["-p", "gamma=1/4"] if luck.random() < 0.7 else []
        words += [w for p in takes.get(words[0], ()) for w in ("-p", p)]
        words += options(luck) if luck.random() < 0.6 else []
        words += ["--seed", luck.choice(["1", "-1", "x"])] if luck.random() < 0.1 else []
        words += ["--noise", luck.choice(["0.1", "-1", "nan"])] if luck.random() < 0.1 else []
        words += ["--record", luck.choice(["log", "2", "0", "x"])] if luck.random() < 0.1 else []
    elif kind == "verify":
        words = [luck.choice(THEOREMS), "--problem", luck.choice(PROBLEMS), *options(luck)]
    elif kind == "show":
        words = [luck.choice([*PROBLEMS, *METHODS, *THEOREMS, "box", "residual"])]
    elif kind == "list":
        words = [luck.choice(["problems", "methods", "sets", "theorem", ""])]
    elif kind == "recheck":
        words = [luck.choice(["gone.json", "m.csv", "mine.py", "."])]
    else:
        words = ["gorbunov2022_eg_last", "-k", luck.choice(["x", "-1", "1..", "3..1", "", "1e3"])]
    if luck.random() < 0.25:
        at = luck.randrange(len(words))
        words[at] = slip(words[at], luck)
    if luck.random() < 0.03:
        del words[luck.randrange(len(words))]
    return [kind, *words, *(["--json"] if luck.random() < 0.3 else [])]


def confront(words: list[str]) -> int:
    """The exit code of a command that answers, or refuses in one sentence."""
    with within(LIMIT, words), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), words
    assert result.exit_code in (0, 1, 2), (words, result.output)
    if result.exit_code == 2:
        # a command that takes seconds says that it is at work
        lines = [s for s in result.stderr.splitlines() if not s.startswith("opcheck: at work: ")]
        assert len(lines) == 1, (words, result.stderr)
        assert lines[0].startswith("opcheck: "), (words, lines)
        assert len(lines[0]) < 700, (words, lines)
        assert result.stdout == "", words
        for internal in ("Traceback", "<locals>", "unexpected keyword", "object at 0x", "NoneType"):
            assert internal not in lines[0], (words, lines)
    return result.exit_code


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.ci
def test_mistyped_commands(desk: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.chdir(desk)
    registry.load()
    luck = random.Random(seed)
    codes = [confront(command(luck)) for _ in range(60)]
    assert codes.count(0) > 2
    assert codes.count(2) > 5


@pytest.mark.slow
@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_mistyped_commands(desk: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.chdir(desk)
    luck = random.Random(seed)
    for _ in range(1000):
        confront(command(luck))
