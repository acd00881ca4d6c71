"""``opcheck check`` as a newcomer meets it: what it takes, finds, and says of mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import io, sparse

import opcheck
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.evidence.check import applicable, check
from opcheck.evidence.operators.constants import constants
from opcheck.evidence.operators.relied_on import _weakened, contradictions
from opcheck.evidence.operators.subject import subject
from opcheck.evidence.picture import pictured
from opcheck.model.operator import linear, operator
from opcheck.model.problem import Problem, problem
from opcheck.model.property import (
    Cocoercive,
    Comonotone,
    Lipschitz,
    Monotone,
    Nonexpansive,
    QuasiNonexpansive,
    StronglyMonotone,
    WeakMinty,
    exact,
)

pytestmark = pytest.mark.usefixtures("own_registry")

ROOT = Path(__file__).parents[2]
KERNEL = """
def F(z, out, data):
    out[0] = 3 * z[1]
    out[1] = -3 * z[0] + z[1]
"""
FAMILY = """
import opcheck

@opcheck.problem_family("{name}", start=(1.0, 1.0), solution=(0.0, 0.0){facts})
def {name}(a=1.0):
    '''min max'''
    return opcheck.minmax("a*x*y + x**2/2 - y**2/2", a=a)
"""


def cli(*arguments: Any) -> Any:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def file(folder: Path, text: str, name: str = "mine.py") -> Path:
    (folder / name).write_text(text)
    return folder / name


# ---- what it takes -----------------------------------------------------------------------------


@pytest.mark.ci
def test_a_bare_kernel(tmp_path: Path) -> None:
    path = file(tmp_path, KERNEL)
    done = cli("check", path, "--json", "--plot", tmp_path / "f.png")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["problem"], found["dimension"], found["ok"]) == ("mine", 2, True)
    assert found["solution"] == pytest.approx([0, 0], abs=1e-12)
    by_name = {c["kind"]: c for c in found["constants"]}
    L = np.linalg.norm([[0, 3], [-3, 1]], 2)
    assert by_name["Lipschitz"]["lower"] == pytest.approx(L, rel=1e-6)
    assert by_name["Comonotone"]["upper"] == pytest.approx(0.0, abs=1e-6)
    assert all(c["provenance"] == "estimated" for c in found["constants"])
    theorems = {v["theorem"]: v for v in found["verdicts"]}
    assert {"gorbunov2022_eg_last", "yoon2021_eag_c", "pethick2023_rapp_last"} <= theorems.keys()
    assert all(v["provenance"] != "exact" for v in theorems.values() if v["problem"] == "mine")
    assert (tmp_path / "f.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import numpy as np\ndef G(z):\n    return np.array([z[1], -z[0]])\n", "G"),
        ("import numpy as np\nM = np.array([[0.0, 1.0], [-1.0, 0.0]])\n", "M"),
        ("import opcheck\nP = opcheck.minmax('x*y')\n", "P"),
        ("import opcheck\nP = opcheck.linear([[0, 1], [-1, 0]])\ndef _hidden(z): return z\n", "P"),
    ],
)
@pytest.mark.filterwarnings("ignore:operator")
def test_other_forms_of_one_operator(tmp_path: Path, text: str, name: str) -> None:
    for reference in (file(tmp_path, text), f"{tmp_path / 'mine.py'}:{name}"):
        p = subject(str(reference))
        assert p.dim == 2
        assert np.allclose(p.operator([2.0, 5.0]), [5.0, -2.0])
        assert p.solution == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mtx", "sparse.npz"])
def test_matrix_files(tmp_path: Path, suffix: str) -> None:
    M = np.array([[0.5, 1.0], [-1.0, 0.5]])
    path = tmp_path / f"matrix{suffix}"
    if suffix == ".npy":
        np.save(path, M)
    elif suffix == ".npz":
        np.savez(path, M=M)
    elif suffix == ".mtx":
        io.mmwrite(path, sparse.csr_matrix(M))
    else:
        sparse.save_npz(path, sparse.csr_matrix(M))
    p = subject(str(path))
    assert np.allclose(p.operator([2.0, 5.0]), M @ [2.0, 5.0])


def test_a_formula_and_a_library_problem() -> None:
    assert np.allclose(subject("x*y + x**2").operator([2.0, 5.0]), [9.0, -2.0])
    assert subject("forsaken").region is not None


@pytest.mark.ci
def test_a_family_keeps_its_facts_and_a_wrong_one_is_refuted(tmp_path: Path) -> None:
    right = file(tmp_path, FAMILY.format(name="right_one", facts=""), "right.py")
    done = cli("check", right, "--rigorous", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["ok"]
    facts = ", facts=[opcheck.exact(opcheck.Lipschitz(1.4))]"
    wrong = file(tmp_path, FAMILY.format(name="wrong_one", facts=facts), "wrong.py")
    done = cli("check", wrong)
    assert done.exit_code == 1
    assert "Lipschitz(1.4) of F is stated (exact), but a pair of points has L = 1.41421" in (
        done.output
    )


# ---- what it finds -----------------------------------------------------------------------------


@pytest.mark.ci
def test_no_fact_of_the_library_is_contradicted_by_a_close_look() -> None:
    for name in ("tight_linear", "polar_game", "asym_bilinear_box", "tanh_saddle"):
        p = problem(name)
        assert contradictions(p, constants(p)) == []


def test_a_contradiction_names_both_numbers() -> None:
    facts = (exact(Lipschitz(0.9)), exact(Comonotone(0.1)))
    p = Problem(linear([[0, 1], [-1, 0]]), name="own", start=np.ones(2), facts=facts)
    found = check(p)
    assert not found.ok
    assert [(c.stated, round(c.attained, 6)) for c in found.contradictions] == [(0.9, 1), (0.1, 0)]
    # the theorems then rely on what was found
    (f,) = (f for f in found.problem.facts if f.property.kind is Lipschitz)
    assert found.problem.constant(f) >= 1


def stated(matrix: Any, *properties: Any) -> Problem:
    M = np.array(matrix, dtype=float)
    facts = tuple(exact(p) for p in properties)
    zero = np.zeros(len(M))
    return Problem(linear(M), name="own", start=np.ones(len(M)), solution=zero, facts=facts)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_a_pair_refutes_facts_of_every_kind(scale: float) -> None:
    """F15: one pair is held against every stated fact, not only against its own kind."""
    wrong = [Monotone(), StronglyMonotone(-0.5 * scale), Cocoercive(1 / scale), Comonotone(0)]
    wrong += [WeakMinty(0), Lipschitz(0.9 * scale)]
    if scale >= 1:
        wrong += [Nonexpansive(of="T"), QuasiNonexpansive(of="T")]
    right = [StronglyMonotone(-1 * scale), Lipschitz(np.sqrt(2) * scale), Comonotone(-0.5 / scale)]
    p = stated(scale * np.array([[-1.0, 1.0], [-1.0, -1.0]]), *wrong, *right)
    found = contradictions(p, constants(p))
    assert [c.fact.property for c in found] == wrong
    assert all("form -" in str(c) and " and " in str(c) for c in found)


def test_true_facts_stand_whatever_their_scale() -> None:
    """F15, G2, G3: matrices with known constants at scales from 1e-8 to 1e8."""
    generator = np.random.default_rng(5)
    for trial in range(30):
        d = int(generator.integers(1, 6))
        U = np.linalg.qr(generator.standard_normal((d, d)))[0]
        values = generator.uniform(0.1, 1, d)
        scale = 10.0 ** generator.choice([-8, 0, 8])
        S = generator.standard_normal((d, d))
        M = scale * ((U * values) @ U.T + (S - S.T if trial % 2 else 0))
        L, mu = np.linalg.norm(M, 2), np.linalg.eigvalsh((M + M.T) / 2)[0]
        rho = np.linalg.eigvalsh((np.linalg.inv(M) + np.linalg.inv(M).T) / 2)[0]
        true = [Lipschitz(L), StronglyMonotone(mu), Comonotone(rho), Monotone(), WeakMinty(rho)]
        assert contradictions(stated(M, *true), constants(stated(M))) == []
        for false in (Lipschitz(0.999 * L), StronglyMonotone(1.001 * mu), Comonotone(1.001 * rho)):
            assert len(contradictions(stated(M, false), constants(stated(M)))) == 1


@pytest.mark.parametrize("what", ["nearly dependent", "hilbert"])
def test_rounding_refutes_nothing(what: str) -> None:
    """G3: a skew matrix and a positive definite one, both nearly singular, are monotone."""
    M = 1 / (1.0 + np.arange(12)[:, None] + np.arange(12))
    if what == "nearly dependent":
        M = np.random.default_rng(0).standard_normal((6, 6))
        M[5] = M[4] + 1e-10 * M[3]
        M = np.tril(M, -1) - np.tril(M, -1).T
    p = stated(M, Monotone(), Comonotone(0), WeakMinty(0))
    found = constants(p)
    assert contradictions(p, found) == []
    assert all(c.upper >= 0 for c in found)


def test_a_kernel_that_only_floats_can_read_is_said_to_be_one() -> None:
    """F15: such values may be off by their rounding, and the sentence says so."""

    def F(z: Any, out: Any, data: Any) -> None:
        out[0] = 0.1 * z[1] - 0.5 * z[0]
        out[1] = -0.1 * z[0] - 0.5 * z[1]

    def skew(z: Any, out: Any, data: Any) -> None:
        out[0] = 0.1 * z[1]
        out[1] = -0.1 * z[0]

    p = Problem(operator(F, 2), name="own", start=np.ones(2), facts=(exact(Monotone()),))
    (found,) = contradictions(p, constants(p))
    assert "Monotone of F is stated (exact), but a pair of points has its form = -" in str(found)
    assert "with the kernel's values as floats" in str(found)
    p = Problem(operator(skew, 2), name="own", start=np.ones(2), facts=(exact(Monotone()),))
    assert contradictions(p, constants(p)) == []


@pytest.mark.ci
def test_a_modulus_that_a_pair_refutes_is_not_taken_for_zero() -> None:
    """A1: μ ≤ −20 is no 0, however large L is, and no class Monotone follows."""
    for box in (None, 1e4):
        p = subject("x**4 - 10*x**2 + x*y - y**4 + 10*y**2", region=box)
        found = constants(p)
        L = max(c.lower for c in found if c.kind is Lipschitz)
        facts = [_weakened(c, L, p) for c in found if np.isfinite(c.value)]
        moduli = [f for f in facts if f.property.kind is not Lipschitz]
        assert moduli
        assert all(f.property.constant < 0 for f in moduli)


def test_a_search_says_zero_where_it_saw_nothing_else() -> None:
    """A1: of a rotation the moduli found are 0 to the rounding of the pairs."""
    p = subject("3*x*y")
    for c in constants(p):
        if c.kind is not Lipschitz:
            assert _weakened(c, 3.0, p).property.constant == 0


@pytest.mark.ci
def test_a_rigorous_check_gives_certified_verdicts() -> None:
    p = subject("x*y + x**2/2 - y**2/2")
    found = check(p, rigorous=True)
    verdicts = found.verdicts
    assert len(verdicts) > 20
    assert {v.provenance for v in verdicts} == {"certified"}
    assert {v.status for v in verdicts} <= {"holds", "attained", "inconclusive"}
    shown = pictured(found)
    assert shown.method == "extragradient"
    assert shown.k[-1] >= 50
    assert shown.bounds
    for measure, bounds in shown.bounds.items():
        for b in bounds.values():
            assert not (shown[measure] > b * (1 + 1e-9) + 1e-30).any()


def test_theorems_that_apply_have_a_range_that_is_not_empty() -> None:
    assert "gorbunov2022_eg_last" in applicable(problem("bilinear"))
    assert "pethick2022_ceg_plus" not in applicable(problem("forsaken"))


@pytest.mark.ci
def test_a_region_is_respected() -> None:
    found = check(subject("x*y + x**4 - y**4", region=0.5))
    assert all(f.local for f in found.problem.facts)
    (L,) = (c.lower for c in found.constants if c.kind is Lipschitz)
    # slopes 3 and 0 at a corner and on the other axis
    assert pytest.approx(np.linalg.norm([[3, 1], [-1, 0]], 2), rel=1e-6) == L


# ---- what it says of mistakes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("def F(z, out, data)\n    pass\n", [], "failed to import: SyntaxError"),
        ("import nothing_like_this\n", [], "failed to import: ModuleNotFoundError"),
        ("x = 3\n", [], "holds nothing that could be checked"),
        ("def step(z, a): return z\n", [], "that could be checked (step takes 2 arguments)"),
        ("class Game:\n    pass\n", [], "that could be checked (Game is a class)"),
        (
            "import numpy as np\nA = np.eye(2)\ndef F(z, *, a): return a * A @ z\n",
            [],
            "F takes 2 arguments; write",
        ),
        ("def F(z): return z\ndef G(z): return -z\n", [], "holds F, G; name one as"),
        ("def F(z, out): out[0] = z[0]\n", [":F"], "takes 2 arguments"),
        ("def F(z, out, data):\n    out[0] = undefined\n", [], "raises NameError"),
        ("def F(z, out, data):\n    out[0] = z[0]\n    z[0] = 0\n", [], "changes its input"),
        ("def F(z, out, data):\n    out[0] = 1 / 0\n", [], "raises ZeroDivisionError"),
        (
            "def F(z, out, data):\n    out[0] = float('nan')\n    out[1] = 0\n",
            ["--dim", "2"],
            "must be finite",
        ),
        (
            "import random\ndef F(z, out, data):\n    out[0] = random.random()\n",
            ["--dim", "1"],
            "not deterministic",
        ),
        (KERNEL, ["--dim", "3"], "leaves entries of out unset"),
        (KERNEL, ["--start", "1,2,x"], "write --start 1,0.5"),
        (KERNEL, ["--box", "-1"], "must be a positive and finite number"),
        (KERNEL, ["--rigorous"], "only a kernel of its operator is known"),
        (KERNEL, [":G"], "has no 'G'; it has F"),
        ("import numpy as np\nM = np.ones((2, 3))\n", [], "needs a square matrix"),
        ("import numpy as np\nM = np.full((2, 2), np.nan)\n", [], "holds nan in row 1, column 1"),
        ("F = 'text'\n", [":F"], "is str; give a function"),
    ],
)
@pytest.mark.filterwarnings("ignore:operator")
def test_each_mistake_gets_one_sentence(
    tmp_path: Path, text: str, options: list[str], sentence: str
) -> None:
    path = str(file(tmp_path, text))
    if options and options[0].startswith(":"):
        path, options = path + options[0], options[1:]
    done = cli("check", path, *options)
    assert done.exit_code == 2, done.output
    assert sentence in done.output
    assert "Traceback" not in done.output
    assert len([line for line in done.output.splitlines() if line.startswith("opcheck:")]) == 1


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("nowhere.py", "no file 'nowhere.py'"),
        ("nowhere.npy", "no file 'nowhere.npy'"),
        ("x*y + q", "uses q, neither a variable (x y) nor a parameter"),
        ("forsakn", "did you mean 'forsaken'?"),
        (".", "'.' is a folder; name a file in it: a problem is read from .py"),
        ("notes/game.ipynb", "no file 'notes/game.ipynb'; a problem is read from .py"),
        (f"{ROOT}/README.md", "README.md' is not read as a problem: "),
        (f"{ROOT}/docs/tour.ipynb", "save its function as a .py file"),
    ],
)
def test_a_reference_to_nothing(reference: str, sentence: str) -> None:
    done = cli("check", reference)
    assert done.exit_code == 2
    assert sentence in done.output


def test_a_file_that_is_no_matrix(tmp_path: Path) -> None:
    (tmp_path / "text.npy").write_text("1 2 3")
    with pytest.raises(OpcheckError, match="can't be read as an array of numpy: it begins with"):
        subject(str(tmp_path / "text.npy"))
    np.savez(tmp_path / "two.npz", a=np.eye(2), b=np.eye(2))
    with pytest.raises(OpcheckError, match="holds 2 arrays"):
        subject(str(tmp_path / "two.npz"))


@pytest.mark.ci
def test_constants_that_refute_what_is_stated_exit_with_1(tmp_path: Path) -> None:
    """It was 0, and nothing was said."""
    said = {"1/2": 1, "1": 0}
    for L, code in said.items():
        file = tmp_path / f"of_{code}.py"
        file.write_text(
            "import opcheck\nfrom opcheck import Lipschitz, exact\n"
            f"@opcheck.problem_family('refutable_{code}', start=(1.0, 1.0),\n"
            f"    facts=[exact(Lipschitz('{L}'))])\n"
            "def refutable():\n    return opcheck.minmax('x*y')\n"
        )
        done = cli("constants", str(file))
        assert done.exit_code == code
        assert ("is stated (exact), but" in done.stdout) == bool(code)


def test_a_fact_that_is_only_a_property_is_told_to_be_made_one() -> None:
    """The repr of a dataclass with a lambda was shown."""
    written = {"Monotone()": (Monotone(), Monotone), "Lipschitz('L')": (Lipschitz("L"), Lipschitz)}
    for text, values in written.items():
        for value in values:
            with pytest.raises(OpcheckError) as error:
                opcheck.problem_family("stateless", facts=[value])  # type: ignore[list-item]
            assert f"write exact({text})" in str(error.value)
            assert "lambda" not in str(error.value)
    with pytest.raises(OpcheckError, match="which is no fact"):
        opcheck.problem_family("stateless", facts="monotone")  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:operator")
@pytest.mark.parametrize(
    ("text", "words"),
    {
        "def F(z):\n    pass\n": "operator 'F' returns nothing; return the numbers of F(z)",
        "def F(z):\n    yield z[0]\n": "operator 'F' returns a generator; return the numbers",
        "def F(z):\n    raise KeyError('x')\n": "the operator of 'bad' raises KeyError at [1.0",
        "def F(z):\n    z[0] += 1\n    return z\n": "changes its input z; write to a copy of it",
    }.items(),
)
def test_what_is_wrong_in_every_dimension_is_said_of_none(
    tmp_path: Path, text: str, words: str
) -> None:
    """It was: 'works in none of the dimensions 1 to 32; in 2, ...; give --dim'."""
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(OpcheckError) as error:
        subject(str(tmp_path / "bad.py"))
    assert words in str(error.value)
    assert "--dim" not in str(error.value)


@pytest.mark.filterwarnings("ignore:operator")
def test_an_instance_that_is_called_as_a_function_is_one(tmp_path: Path) -> None:
    text = "class F:\n    def __call__(self, z):\n        return [z[1], -z[0]]\nG = F()\n"
    (tmp_path / "instance.py").write_text(text)
    assert subject(str(tmp_path / "instance.py")).dim == 2


def test_constants_on_the_command_line() -> None:
    done = cli("constants", "tight_linear", "-p", "c=0.25", "--rigorous", "--json")
    found = {c["kind"]: c for c in json.loads(done.stdout)["constants"]}
    assert found["Comonotone"]["lower"] <= -0.25 <= found["Comonotone"]["upper"] + 1e-12
    assert found["Comonotone"]["provenance"] == "certified"
    again = cli("constants", "tight_linear", "-p", "c=0.25", "--rigorous", "--json")
    assert again.stdout == done.stdout
    assert cli("constants", "tight_linear", "-p", "nonsense=1").exit_code == 2
