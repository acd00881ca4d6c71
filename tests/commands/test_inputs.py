"""What check takes, everything takes: each kind of input through each command, and from Python."""

from __future__ import annotations

import gzip
import json
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy import io, sparse

import opcheck
import opcheck.evidence.check  # before a test replaces what it imports
from opcheck import registry
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.constraint import set_of
from opcheck.evidence.operators.matrix_file import READERS
from opcheck.evidence.operators.subject import subject
from opcheck.model.problem import Problem
from opcheck.model.written import arguments, call_of

pytestmark = [
    pytest.mark.usefixtures("own_registry"),
    pytest.mark.filterwarnings("ignore:operator"),
]

M = np.array([[0.0, 2.0], [-2.0, 0.0]])
MODULE = """
import numpy as np
import opcheck
import {sibling}
from scipy import sparse

M = np.array([[0.0, {sibling}.A], [-2.0, 0.0]])
S = sparse.csr_array(M)
LIST = M.tolist()

def kernel(z, out, data):
    out[0] = 2 * z[1]
    out[1] = -2 * z[0]

def function(z):
    return M @ z

OPERATOR = opcheck.linear(M)
PROBLEM = opcheck.Problem(OPERATOR, name="mine", start=np.ones(2))

@opcheck.problem_family("{family}", start=(1.0, 1.0))
def {family}(a=1.0, n=1):
    return opcheck.minmax("a*x*y", a=a)

@opcheck.method("{family}_step", params="gamma", rows="z Fz", calls=1, source="own",
                constrained=False)
def own_step(F, F_data, J, J_data, state, params, k, n):
    '''z - gamma F z.'''
    for _ in range(n):
        F(state[0], state[1], F_data)
        for i in range(state.shape[1]):
            state[0][i] -= params[0] * state[1][i]

def unit(d=2):
    '''A set of one's own.'''
    return opcheck.Resolvent(clip, np.zeros(0), 0, "unit")

def clip(z, gamma, out, data):
    for i in range(z.shape[0]):
        out[i] = min(max(z[i], -1.0), 1.0)
"""
P = "bilinear"
PPM: dict[str, Any] = {"gamma": 0.5, "lam": 2.0}
COUNT = iter(range(10**6))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Path]:
    """A folder with the same F, (x, y) -> (2y, -2x), in every form."""
    import sys

    before = set(sys.modules)
    sibling = f"sibling_{next(COUNT)}"
    (tmp_path / f"{sibling}.py").write_text("A = 2.0\n")
    (tmp_path / "mine.py").write_text(MODULE.format(sibling=sibling, family="own_family"))
    (tmp_path / "alone.py").write_text("def F(z):\n    return [2 * z[1], -2 * z[0]]\n")
    np.save(tmp_path / "m.npy", M)
    np.savez(tmp_path / "m.npz", M=M)
    sparse.save_npz(tmp_path / "s.npz", sparse.csr_matrix(M))
    io.mmwrite(tmp_path / "m.mtx", sparse.csr_matrix(M))
    (tmp_path / "m.mtx.gz").write_bytes(gzip.compress((tmp_path / "m.mtx").read_bytes()))
    np.savetxt(tmp_path / "m.csv", M, delimiter=",")
    io.savemat(tmp_path / "m.mat", {"M": M})
    io.savemat(tmp_path / "s.mat", {"M": sparse.csc_matrix(M)})
    yield tmp_path
    for name in {n for n in sys.modules if n.startswith("sibling_")} - before:
        del sys.modules[name]


FORMS: dict[str, tuple[str, ...]] = {
    "family": ("bilinear", "-p", "L=2"),
    "label": ("bilinear(L=2)",),
    "label with a formula": ("bilinear(L=4/2, n=1)",),
    "payoff": ("2*x*y",),
    "payoff of numbered players": ("2*x0*y0",),
    "payoff with a symbol": ("a*x*y", "-p", "a=2"),
    "file": ("alone.py",),
    "kernel": ("mine.py:kernel",),
    "function": ("mine.py:function",),
    "operator": ("mine.py:OPERATOR",),
    "problem": ("mine.py:PROBLEM",),
    "matrix": ("mine.py:M",),
    "sparse matrix": ("mine.py:S",),
    "nested lists": ("mine.py:LIST",),
    "family of a file": ("mine.py:own_family", "-p", "a=2"),
    "label of a file": ("mine.py:own_family(a=2)",),
    **{
        name: (name,)
        for name in ("m.npy", "m.npz", "s.npz", "m.mtx", "m.mtx.gz", "m.csv", "m.mat", "s.mat")
    },
}


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def document(*words: str) -> Any:
    result = call(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def sentence(*words: str) -> str:
    result = call(*words)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    lines = [line for line in result.stderr.splitlines() if "Warning" not in line]
    assert len(lines) == 1, result.stderr
    return lines[0].removeprefix("opcheck: ")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.sampled(4)
def test_every_form_goes_through_every_command(
    desk: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """G12, C6: run, verify, constants, worst and check are about the same operator."""
    monkeypatch.chdir(desk)
    target, *rest = FORMS[form]
    found = document("run", "extragradient", target, *rest, "-p", "gamma=1/4", "-n", "3")
    same = opcheck.run("extragradient", opcheck.problem("bilinear", L=2.0), 3, gamma=0.25)
    assert np.allclose(found["z"], same.z, rtol=1e-15)
    assert "distance" in found["measures"], "the zero is looked for"

    seen: dict[str, Problem] = {}

    def keep(command: str) -> Callable[..., Any]:
        def stop(*arguments: Any, **_: Any) -> Any:
            seen[command] = next(a for a in arguments if isinstance(a, Problem))
            raise OpcheckError("enough")

        return stop

    monkeypatch.setattr("opcheck.evidence.operators.constants.constants", keep("constants"))
    monkeypatch.setattr("opcheck.evidence.check.checking", keep("check"))
    searched = "opcheck.evidence.operators.relied_on.with_constants"
    monkeypatch.setattr(searched, keep("search"))
    theorem = "gorbunov2022_eg_last"
    constrained = (*rest, "--set", "box:-1,1", "--start", "0.5,1", "--box", "3")
    commands = [
        ("constants", target, *constrained),
        ("check", target, *constrained),
        ("verify", theorem, "--problem", target, *constrained),
    ]
    # of worst -p is the statement's
    commands += [] if rest else [("worst", theorem, "--problem", target, *constrained)]
    for words in commands:
        assert sentence(*words) == "enough", words
        (p,) = seen.values()
        seen.clear()
        assert np.allclose(p.operator([3.0, 5.0]), M @ [3.0, 5.0])
        assert p.resolvent.name == "box[-1, 1]"
        assert p.start.tolist() == [0.5, 1.0]
        assert p.region is not None


@pytest.mark.ci
def test_python_takes_the_same(desk: Path) -> None:
    """B3: by name, object, function or matrix."""

    def F(z: Any) -> Any:
        return M @ z

    def kernel(z: Any, out: Any, data: Any) -> None:
        out[0], out[1] = 2 * z[1], -2 * z[0]

    family = registry.get("problems", "bilinear")
    forms = ["bilinear(L=2)", opcheck.problem("bilinear(L=2)"), opcheck.linear(M), M, M.tolist(),
             sparse.coo_array(M), F, kernel, "2*x*y", str(desk / "m.npy")]  # fmt: skip
    for form in forms:
        run = opcheck.run("extragradient", form, 4, gamma="1/4", start=[1.0, 1.0])
        assert np.allclose(run.z, opcheck.run("extragradient", M, 4, gamma=0.25).z)
        v = opcheck.verify("gorbunov2022_eg_last", form)
        stated = isinstance(form, Problem)
        assert v.status == "holds", "a matrix has constants, though none are stated"
        assert v.provenance == ("exact" if stated else v.provenance)
    assert opcheck.run("extragradient", family, 2, gamma=0.5).problem.name == "bilinear"
    first, *_ = opcheck.constants(M)
    assert first.lower == pytest.approx(2)
    assert opcheck.subject("x*y", constraint="box:-1,1").resolvent.name == "box[-1, 1]"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "3 is int; give a function"),
        (np.array([1.0, 2.0]), "matrix holds an array of shape (2,), which is no matrix"),
        (np.zeros((2, 2, 2)), "matrix holds an array of shape (2, 2, 2), which is no matrix"),
        (np.eye(2) * 1j, "matrix holds complex numbers"),
        (sparse.csr_array(np.eye(2) * 1j), "matrix holds complex numbers"),
        (np.array([["a", "b"], ["c", "d"]]), "entries; a matrix holds real numbers"),
        ([[1, 2], [3]], "matrix is not a matrix"),
        (np.ones((2, 3)), "matrix is 2 × 3, and F(z) = Mz needs a square matrix; --game"),
        (np.array([[np.nan]]), "holds nan in row 1, column 1"),
        (dict, "is type; give a function"),
        (lambda a, b: a, "takes 2 arguments"),
    ],
    ids=[*map(str, range(11))],
)
def test_what_is_no_problem_is_one_sentence(given: Any, said: str) -> None:
    """B3, G5: complex and one-dimensional arrays are refused, and not cast."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for verb in (
            lambda: opcheck.run("extragradient", given, 2, gamma=0.1),
            lambda: opcheck.verify("gorbunov2022_eg_last", given),
            lambda: opcheck.check(given),
            lambda: opcheck.constants(given),
        ):  # fmt: skip
            with pytest.raises(OpcheckError) as caught:
                verb()
            assert said in str(caught.value)
            assert "\n" not in str(caught.value)


# ---- files of matrices -------------------------------------------------------------------------


def test_it_is_said_what_was_read_and_as_what(desk: Path) -> None:
    """G13: a square payoff matrix is not read as F(z) = Mz silently."""
    said = call("run", "extragradient", str(desk / "m.mtx"), "-p", "gamma=.1", "-n", "1").stdout
    assert "m.mtx, sparse, 2 × 2, read as F(z) = Mz; --game reads it as the payoff" in said
    assert "read as F(z) = Mz" in document("constants", str(desk / "m.csv"))["what"]
    assert "min over x, max over y" in subject("x*y").doc


MARKET = "%%MatrixMarket matrix coordinate real general\n"
BAD_FILES: dict[str, Callable[[Path], None]] = {
    "complex.npy": lambda p: np.save(p, np.eye(2) * 1j),
    "complex.mtx": lambda p: io.mmwrite(p, sparse.csr_matrix(np.eye(2) * 1j)),
    "hermitian.mtx": lambda p: io.mmwrite(p, np.array([[1, 1j], [-1j, 1]]), symmetry="hermitian"),
    "complex.mat": lambda p: io.savemat(p, {"M": np.eye(2) * 1j}),
    "row.npy": lambda p: np.save(p, np.ones(3)),
    "cube.npy": lambda p: np.save(p, np.ones((2, 2, 2))),
    "empty.npy": lambda p: np.save(p, np.ones((0, 0))),
    "words.csv": lambda p: p.write_text("a,b\nc,d\n") and None,
    "ragged.csv": lambda p: p.write_text("1,2\n3\n") and None,
    "blank.csv": lambda p: p.write_text("") and None,
    "beyond.npy": lambda p: np.save(p, np.array([[2**53 + 1, 0], [0, 1]])),
    "beyond.csv": lambda p: p.write_text(f"{2**53 + 1},0\n0,1\n") and None,
    "beyond.mtx": lambda p: (
        p.write_text(f"{MARKET}% {'9' * 20}\n1 1 1\n1 1 {2**53 + 1}\n") and None
    ),
    "two.npz": lambda p: np.savez(p, A=M, B=M),
    "two.mat": lambda p: io.savemat(p, {"A": M, "B": M}),
    "none.mat": lambda p: io.savemat(p, {}),
    "pickle.npy": lambda p: np.save(p, np.array([{}], dtype=object), allow_pickle=True),
    "text.npy": lambda p: p.write_text("no") and None,
    "text.npz": lambda p: p.write_text("no") and None,
    "text.mtx": lambda p: p.write_text("no") and None,
    "text.mtx.gz": lambda p: p.write_text("no") and None,
    "text.mat": lambda p: p.write_text("no") and None,
    "nan.csv": lambda p: p.write_text("nan,1\n1,1\n") and None,
    "wide.npy": lambda p: np.save(p, np.ones((2, 3))),
}


@pytest.mark.filterwarnings("error:loadtxt", "ignore:Empty")
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_without_a_real_matrix_is_one_sentence(tmp_path: Path, name: str) -> None:
    """G5, B3."""
    BAD_FILES[name](tmp_path / name)
    said = sentence("run", "extragradient", str(tmp_path / name), "-p", "gamma=.1", "-n", "1")
    assert name in said
    assert ("complex" in name or "hermitian" in name) == ("complex numbers" in said)


DEFECTS: dict[str, tuple[bytes, str]] = {
    "semicolons.csv": (
        b"1;2\n3;4\n",
        "line 1, entry 1 is '1;2'; put commas in place of semicolons",
    ),
    "tabs.csv": (b"1,2\n3\t4\n", "line 2, entry 1 is '3\\t4'; put commas in place of tabs"),
    "decimal.csv": (b"1,5;2,5\n3,1;4,2\n", "put commas in place of semicolons"),
    "heading.csv": (b"a,b\n1,2\n", "line 1, entry 1 is 'a'; leave the heading out"),
    "gap.csv": (b"1,2\n3,\n", "line 2, entry 2 is 'nothing'; write a number"),
    "ragged.csv": (b"1,2\n# of three\n3\n", "line 3 has 1 entries, and those before have 2"),
    "utf16.csv": ("1,2\n3,4\n".encode("utf-16"), "save it as one"),
    "nan.csv": (b"1,2\n3,nan\n", "holds nan in row 2, column 2"),
    "inf.mtx": (
        b"%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 1\n3 2 inf\n",
        "holds inf in row 3, column 2",
    ),
    "text.npy": (b"1 2 3", "an array of numpy: it begins with b'1 2 3'"),
    "text.npz": (b"1 2 3", "an archive of numpy: it begins with b'1 2 3'"),
    "nothing.npy": (b"", "an array of numpy: it is empty"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_the_defect_of_a_matrix_file_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    """Numpy's own words were shown: usecols, pickles, dtypes."""
    content, words = DEFECTS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OpcheckError) as error:
        subject(str(tmp_path / name))
    assert words in str(error.value)
    assert name in str(error.value)
    assert not re.search("pickle|usecols|dtype|codec", str(error.value))


def test_a_table_of_a_spreadsheet_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("\ufeff0,2\n-2,0\n", encoding="utf-8")
    np.testing.assert_array_equal(subject(str(tmp_path / "m.csv")).operator.matrix, M)


FAR = 2**60 + 1
LOST: dict[str, tuple[Any, str]] = {
    "mask": (np.ma.array(M, mask=[[0, 1], [0, 0]]), "masked entries"),
    "int64": (np.array([[FAR, 0], [0, 1]]), f"the entry {FAR}"),
    "list": ([[FAR, 0.5], [0, 1]], f"the entry {FAR}"),
    "sparse": (sparse.csr_array(np.array([[FAR, 0], [0, 1]])), f"the entry {FAR}"),
}


@pytest.mark.parametrize("reader", [subject, opcheck.linear])
@pytest.mark.parametrize("name", LOST)
def test_what_numpy_would_drop_in_silence_is_refused(name: str, reader: Any) -> None:
    given, said = LOST[name]
    with pytest.raises(OpcheckError, match=said):
        reader(given)
    reader(np.ma.array(M))  # nothing is masked
    reader(np.array([[2**54, 0], [0, 1]]))  # a float64


@pytest.mark.ci
def test_a_zero_matrix_is_checked(tmp_path: Path) -> None:
    """L = 0: steps as 1/L are infinite, and their theorems are not applied."""
    (tmp_path / "zero.csv").write_text("0,0\n0,0\n")
    found = CliRunner().invoke(main, ["check", str(tmp_path / "zero.csv"), "--quick"])
    assert found.exit_code == 0, found.output
    assert "in [0, 0], certified" in found.output
    assert "error" not in found.output


@pytest.mark.parametrize("ending", READERS)
def test_a_file_that_is_not_there(tmp_path: Path, ending: str) -> None:
    assert sentence("check", str(tmp_path / f"gone{ending}")).startswith("no file")


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_a_rectangular_payoff_is_a_game_on_two_simplices(form: str) -> None:
    """G13: the value of rock, paper, scissors with a fourth column is met at the equilibrium."""
    payoff = np.array([[0.0, 1, -1, 2], [-1, 0, 1, 2], [1, -1, 0, 2]])
    given = sparse.csr_array(payoff) if form == "sparse" else payoff
    p = subject(given, game=True)
    assert (p.dim, p.resolvent.name) == (7, "simplex(3) x simplex(4)")
    x, y = np.array([0.5, 0.25, 0.25]), np.array([0.1, 0.2, 0.3, 0.4])
    F = p.operator(np.concatenate([x, y]))
    assert np.allclose(F, np.concatenate([payoff @ y, -payoff.T @ x]))
    assert p.resolvent.contains is not None
    assert p.resolvent.contains(p.start)
    run = opcheck.run("extragradient", p, 4000, gamma=0.2)
    assert run["natural_residual"][-1] < 1e-12
    x, y = run.z[:3], run.z[3:]
    assert (payoff @ y).min() == pytest.approx((payoff.T @ x).max(), abs=1e-6)
    for words in (("--game", "--set", "simplex"), ("--game",)):
        assert sentence("run", "extragradient", "x*y", "-p", "gamma=.1", *words)


def test_a_solution_on_the_boundary_is_one_of_the_sum_and_no_zero_of_F() -> None:
    """What looks at F alone must not hold the solution of F + A against it."""
    p = subject(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), game=True)
    assert p.solution is not None
    assert p.solution.tolist() == [1, 0, 0, 0, 1]
    assert np.linalg.norm(p.operator(p.solution)) > 1
    assert all(c.upper >= c.lower for c in opcheck.constants(p))


def test_a_search_that_settles_on_nothing_contradicts_no_proof() -> None:
    """I on a half-space: "rho of S is shown to lie in [0, -inf], an empty interval"."""
    found = opcheck.constants(subject(np.eye(2), constraint="half_space:1,1:0"))
    (rho,) = [c for c in found if (c.kind.name, c.of) == ("Comonotone", "S")]
    assert (rho.lower, rho.provenance) == (0.0, "certified")


# ---- sets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("box:-1,1", {"lo": -1, "hi": 1}),
        ("box:-1:1", {"lo": -1, "hi": 1}),
        ("box(-1, 1)", {"lo": -1, "hi": 1}),
        ("box:-1,0:1,2", {"lo": [-1, 0], "hi": [1, 2]}),
        ("box(lo=(-1, 0), hi=2)", {"lo": [-1, 0], "hi": 2}),
        ("ball:0,0:1", {"centre": [0, 0], "radius": 1}),
        ("ball:2", {"radius": 2}),
        ("ball:1/2", {"radius": 0.5}),
        ("half_space:1,1:0", {"a": [1, 1], "b": 0}),
        ("slab:1,2:-1:1", {"a": [1, 2], "lo": -1, "hi": 1}),
        ("ellipsoid:2,1", {"axes": [2, 1]}),
        ("simplices:2,3", {"n": 2, "m": 3}),
        ("simplex(scale=2)", {"scale": 2}),
        ("affine_subspace(A=((1, 1),), b=(1,))", {"A": [[1, 1]], "b": [1]}),
    ],
)  # fmt: skip
def test_the_grammar_of_a_set(text: str, values: dict[str, Any]) -> None:
    from opcheck.model.written import fitted

    call = arguments(text)
    function = registry.get("sets", call[0]).function
    found = fitted(function, call)
    assert found == values
    assert set_of(text, 5 if "simplices" in text else 2)


def test_every_registered_set_is_fitted_to_the_operator_or_refused() -> None:
    """D3's E, "constraints from the command line": generated from the registry."""
    fitted_to: dict[str, list[int]] = {}
    for name in registry.names("sets"):
        for d in (1, 2, 3, 4, 6, 9):
            try:
                J = set_of(name, d)
            except OpcheckError:
                continue
            fitted_to.setdefault(name, []).append(d)
            assert J.dim in (0, d)
            z = np.linspace(-1, 2, d)
            assert J(z, 0.5).shape == (d,)
    assert fitted_to["simplex"] == fitted_to["box"] == fitted_to["ball"] == [1, 2, 3, 4, 6, 9]
    assert fitted_to["simplices"] == [2, 4, 6]
    assert fitted_to["psd_cone"] == [1, 4, 9]
    assert set(fitted_to) >= set(registry.names("sets")) - {"polyhedron", "box_hyperplane"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bocks", "no set is named 'bocks'; did you mean 'box'?"),
        ("box:1,-1", "box"),
        ("box:a,b", "holds what is no number"),
        ("box:1:2:3", "box has no place for 3"),
        ("box(width=3)", "box has no argument 'width'; it takes lo, hi"),
        ("ball:0,0,0:1", "the set ball:0,0,0:1 has 3 coordinates, and the operator 2"),
        ("simplices:2,3", "the set simplices:2,3 has 5 coordinates, and the operator 2"),
        ("ball:0,0:-1", "radius"),
        ("", "is no name with arguments"),
        ("box[0,1]", "is no name with arguments"),
        ("nowhere.py:box", "no file 'nowhere.py'"),
    ],
)
def test_a_set_that_is_none_is_one_sentence(text: str, said: str) -> None:
    assert said in sentence("run", "extragradient", "x*y", "-p", "gamma=.1", "--set", text)


def test_a_set_of_a_file(desk: Path) -> None:
    J = set_of(f"{desk / 'mine.py'}:unit", 2)
    assert J([3.0, -0.5]).tolist() == [1.0, -0.5]


def test_a_set_takes_away_what_is_said_of_another_sum() -> None:
    """A solution that the set cuts off is none; one inside stays; facts of S go."""
    p = subject("bilinear", constraint="box:1,2")
    assert p.solution is None or p.solution.min() >= 1
    assert {f.property.of for f in p.facts} <= {"F", "T"}
    assert opcheck.problem("bilinear").facts
    inside = subject("bilinear", constraint="box:-1,1")
    assert inside.solution is not None
    assert inside.solution.tolist() == [0, 0]
    assert inside.start.max() <= 1


def test_a_default_start_is_no_zero() -> None:
    """G6: ones and a Laplacian, a uniform strategy and matching pennies."""
    laplacian = np.array([[1.0, -1, 0], [-1, 2, -1], [0, -1, 1]])
    for p in (subject(laplacian), subject(np.array([[1.0, -1], [-1, 1]]), game=True)):
        run = opcheck.run("extragradient", p, 1, gamma=0.1)
        assert not np.allclose(run.z, p.start)


# ---- regions, starts, labels, parameters -------------------------------------------------------


def test_labels_are_accepted_as_they_are_printed() -> None:
    """C6: ``bilinear(L=2)`` is printed, so it is taken."""
    families = [registry.get("problems", name) for name in registry.names("problems")]
    for family in families:
        for preset in family.presets[:2]:
            shown = family(**preset)
            called = call_of(shown.name)
            if called is None:
                assert shown.name == family.name
                continue
            again = opcheck.problem(shown.name)
            assert again.name == shown.name
            assert again.dim == shown.dim
    assert document("run", "extragradient", "bilinear(n=2, L=1/2)", "-p", "gamma=.01", "-n", "1")
    (block,) = document("show", "bilinear(L=2)")
    assert block["problem"] == "bilinear(L=2)"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1/2", 0.5), ("1/L", 0.5), ("1/(2*L)", 0.25), ("sqrt(2)/8", np.sqrt(2) / 8), ("0.3", 0.3)],
)
def test_numbers_are_formulas_of_what_is_known(value: str, expected: float) -> None:
    """C6: -p gamma=1/2, and 1/L where L is known of the problem."""
    words = ("run", "extragradient", "bilinear(L=2)", "-n", "2", "-p", f"gamma={value}")
    assert document(*words)["parameters"]["gamma"] == pytest.approx(expected, rel=1e-15)
    words = ("verify", "gorbunov2022_eg_last", "--problem", "bilinear(L=2)", "-p", f"gamma={value}")
    if expected < 0.5:
        assert document(*words)["parameters"]["gamma"] == pytest.approx(expected, rel=1e-15)


def test_a_constant_that_a_formula_names_is_searched_for() -> None:
    found = document("run", "extragradient", "3*x*y", "-n", "2", "-p", "gamma=1/(2*L)")
    assert found["parameters"]["gamma"] == pytest.approx(1 / 6, rel=2e-3)
    said = sentence("run", "extragradient", "3*x*y", "-n", "2", "-p", "gamma=1/(2*M)")
    assert said == "gamma = 1/(2*M) uses 'M'; it may use k"


def test_schedules_are_formulas_in_k() -> None:
    """C1, B3: a text and a function are the list that they stand for, n + 1 entries of it."""
    expected = [1 / (k + 2) for k in range(11)]
    forms: list[Any] = [expected, "1/(k+2)", "1/(k + 2)", lambda k: 1 / (k + 2)]
    runs = [opcheck.run("anchored_proximal_point", P, 10, beta=beta, **PPM) for beta in forms]
    assert all(np.array_equal(run.z, runs[0].z) for run in runs)
    words = ("run", "anchored_proximal_point", P, "-p", "gamma=1/2", "-p", "lam=2", "-p")
    found = document(*words, "beta=1/(k+2)", "-n", "10")
    assert found["parameters"]["beta"] == expected
    assert found["bounds"], "Halpern's bound is for this schedule"
    with pytest.raises(OpcheckError, match="beta as a function of k raises ZeroDivisionError"):
        opcheck.run("anchored_proximal_point", P, 3, beta=lambda k: 1 / k, **PPM)
    said = sentence(*words, "beta=1/(j+2)", "-n", "2000")
    assert said.startswith("beta = 1/(j+2) uses 'j'; it may use k, ")


def test_a_theorem_takes_no_schedule() -> None:
    words = ("verify", "gorbunov2022_eg_last", "--problem", "bilinear", "-p", "gamma=1/(k+3)")
    assert sentence(*words) == "gamma = 1/(k+3) depends on k; a theorem's is a number"


@pytest.mark.ci
def test_methods_and_problems_of_a_file(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C6: a method in a file can be named, and the file imports its sibling."""
    monkeypatch.chdir(desk)
    words = ("mine.py:own_family_step", "mine.py:own_family", "-p", "gamma=1/4", "-p", "a=2")
    found = document("run", *words, "-n", "5")
    same = opcheck.run("gradient_descent_ascent", M, 5, gamma=0.25)
    assert np.allclose(found["z"], same.z, rtol=1e-15)
    assert opcheck.run("mine.py", M, 5, gamma=0.25).z.tolist() == same.z.tolist()
    (block,) = document("show", "mine.py:own_family_step")
    assert block["method"] == "own_family_step"
    assert "no method 'nothing'" in sentence("run", "mine.py:nothing", "bilinear")


def test_a_payoff_takes_its_symbols_and_no_others() -> None:
    words = ("run", "extragradient", "a*x*y", "-n", "1", "-p", "gamma=.1", "-p")
    assert sentence(*words, "problem.b=1") == "'a*x*y' has no symbol 'b' to give a value"
    assert sentence(*words, "a=inf") == "a = inf in 'a*x*y' is not finite"
    assert "a, neither a variable" in sentence(*words[:-1])
    high = subject("x**20*y")  # a power beyond 16 had no kernel
    assert high.operator([2.0, 1.0]).tolist() == [20 * 2.0**19, -(2.0**20)]


def test_options_that_need_a_problem_say_so() -> None:
    said = "--set, --start and the like go with --problem"
    assert sentence("verify", "lee2021_feg", "--set", "simplex") == said
    assert sentence("worst", "lee2021_feg", "--game") == said
    # they were left aside, and the whole library searched
    said = "-p, --set, --start and the like go with PROBLEM"
    assert sentence("constants", "--box", "2") == sentence("constants", "-p", "L=2") == said
    words = ("constants", "x*y", "--box", "1", "--ball", "0,0:1")
    assert sentence(*words) == "--box and --ball are two regions; leave one out"


@pytest.mark.parametrize(
    ("command", "words"),
    {
        "check x*y --dim 3": "'x*y' has 2 coordinates",
        "check bilinear --dim 4 --quick": "'bilinear' has 2 coordinates",
        "check bilinear --dim 2 --start 1,1,1": "the start has 3 coordinates",
        "check bilinear --width double": "--width double is the width of a plot",
        "run extragradient bilinear -p gamma=.5 --width double": "--width double",
        "run extragradient bilinear -p gamma=.5 --seed 1 --start 1,1": "leave out the seed, or",
        "verify lee2021_feg --problem bilinear --all": "leave out --problem",
        "constants --rigorous": "--rigorous goes with PROBLEM",
    }.items(),
)
def test_an_option_without_a_meaning_is_refused(command: str, words: str) -> None:
    """Each was dropped in silence."""
    assert words in sentence(*command.split())


@pytest.mark.ci
def test_worst_takes_the_constants_of_a_problem() -> None:
    (found,) = document("worst", "gorbunov2022_eg_last", "--problem", "bilinear(L=2)", "-k", "1")
    assert found["constants"] == {"L": "2"}
    (unit,) = document("worst", "gorbunov2022_eg_last", "-k", "1")
    assert found["ratio"] == pytest.approx(unit["ratio"], rel=1e-6)
    said = sentence("worst", "gorbunov2022_eg_last", "--problem", "forsaken", "-k", "1")
    assert said.startswith("gorbunov2022_eg_last does not apply to forsaken: ")


def test_a_matlab_file_of_the_newest_kind_is_refused_with_the_mend(tmp_path: Path) -> None:
    """MATLAB 7.3 writes HDF5 behind a header of its own, which scipy does not read."""
    path = tmp_path / "new.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(384))
    with pytest.raises(OpcheckError, match=r"MATLAB 7\.3 file; save it with"):
        opcheck.subject(str(path))


def test_a_problem_is_told_before_anything_of_it_is_computed() -> None:
    """A start, a zero and the compiler take longer than the reading."""
    read: list[Problem] = []
    found = subject("x*y + x**2/2", on_read=read.append)
    assert [p.name for p in read] == [found.name]
    assert read[0].start.size == 0
    assert read[0].solution is None
    assert found.solution is not None


def test_of_a_problem_and_what_it_is_made_of_the_problem_is_taken(tmp_path: Path) -> None:
    """The kernel stood first in the file, and was the one to name."""
    kernel = "import opcheck\ndef F(z, out, data):\n    out[0] = z[1]\n    out[1] = -z[0]\n"
    made = "made = opcheck.operator(F, 2)\n"
    mine = "mine = opcheck.Problem(made, name='mine', start=[1.0, 0.5])\n"
    for number, text in enumerate([kernel + made, kernel + made + mine]):
        file = tmp_path / f"file{number}.py"
        file.write_text(text)
        assert subject(str(file)).name == ("mine" if number else "file0")
    both = tmp_path / "both.py"
    both.write_text(kernel + made + mine + mine.replace("mine", "other"))
    with pytest.raises(OpcheckError, match=r"holds mine, other; name one as .*:mine"):
        subject(str(both))
