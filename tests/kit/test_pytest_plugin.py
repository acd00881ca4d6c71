"""``pytest --opcheck`` in a stranger's repository, run by pytest's own means."""

from __future__ import annotations

import importlib.metadata
from xml.etree import ElementTree

import pytest
from _pytest.pytester import SysModulesSnapshot

pytest_plugins = ["pytester"]

INSTALLED = any(e.name == "opcheck" for e in importlib.metadata.entry_points(group="pytest11"))
PLUGIN = [] if INSTALLED else ["-p", "opcheck.pytest_plugin"]
TABLE = '[tool.opcheck]\nplugins = ["mine.py"]\n'
MINE = '''
from opcheck import Cocoercive, Lipschitz, Proof, Source, exact, linear, method, problem_family
from opcheck import theorem
from opcheck.kernels import axpy


@method(
    "kit_descent",
    params="gamma",
    rows="z Fz",
    calls=1,
    constrained=False,
    source="mine",
    reference=lambda F, z, gamma=0.125: z - gamma * F(z),
)
def descent(F, F_data, J, J_data, state, params, k, n):
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])


@problem_family(
    "kit_bowl", start=(1.0, 1.0), solution=(0.0, 0.0), facts=[exact(Cocoercive("1/2"))]
)
def bowl():
    """F z = 2z."""
    return linear([[2, 0], [0, 2]])


theorem(
    "kit_rate",
    method="kit_descent",
    given=[Cocoercive("beta", of="F")],
    where="0 < gamma < 2*beta",
    measure="residual",
    bound="R**2/(gamma*(2*beta - gamma)*(k + 1))",
    source=Source("mine"),
    doc="The residual falls as 1/k.",
)
'''
FALSE = MINE.replace("(k + 1))", "(k + 1)**4)")


@pytest.fixture(autouse=True)
def _nothing_is_imported_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run within this process forgets what it was the first to import: tests, but not numba."""
    name = "_Pytester__take_sys_modules_snapshot"
    assert hasattr(pytest.Pytester, name)

    def taken(_: pytest.Pytester) -> SysModulesSnapshot:
        return SysModulesSnapshot(preserve=lambda module: not module.startswith("test_"))

    monkeypatch.setattr(pytest.Pytester, name, taken)


@pytest.fixture
def repository(pytester: pytest.Pytester, own_registry: None) -> pytest.Pytester:
    """With a file of declarations, that table, and a test of its own."""
    pytester.makepyprojecttoml(TABLE)
    pytester.makepyfile(mine=MINE, test_own="def test_own(): pass")
    return pytester


def test_what_a_repository_registers_becomes_tests(repository: pytest.Pytester) -> None:
    names = "method or problem or kit_rate or korpelevich1976_eg_fejer"
    done = repository.runpytest(*PLUGIN, "--opcheck", "-v", "-k", names)
    done.assert_outcomes(passed=5, deselected=done.parseoutcomes()["deselected"])
    for name in (
        "method kit_descent",
        "problem kit_bowl",
        "theorem kit_rate",
        "kit_rate on kit_bowl",
        "korpelevich1976_eg_fejer on kit_bowl",
    ):
        done.stdout.fnmatch_lines([f"*opcheck::{name} PASSED*"])


def test_nothing_is_collected_without_the_option(repository: pytest.Pytester) -> None:
    repository.runpytest(*PLUGIN).assert_outcomes(passed=1)


def test_k_and_m_choose_among_them(repository: pytest.Pytester) -> None:
    done = repository.runpytest(*PLUGIN, "--opcheck", "-k", "kit_rate and kit_bowl")
    done.assert_outcomes(passed=1, deselected=done.parseoutcomes()["deselected"])
    done = repository.runpytest(*PLUGIN, "--opcheck", "-m", "not opcheck")
    done.assert_outcomes(passed=1, deselected=done.parseoutcomes()["deselected"])


def test_theorems_meet_the_library_where_all_is_asked_for(repository: pytest.Pytester) -> None:
    choice = ("-k", "kit_rate and neg_identity", "--collect-only", "-q")
    done = repository.runpytest(*PLUGIN, "--opcheck-all", *choice)
    done.stdout.fnmatch_lines(["opcheck::kit_rate on neg_identity"])
    repository.makepyprojecttoml(TABLE + "all = true\n")
    done = repository.runpytest(*PLUGIN, "--opcheck", *choice)
    done.stdout.fnmatch_lines(["opcheck::kit_rate on neg_identity"])


def test_a_failure_is_one_line_with_the_command(repository: pytest.Pytester) -> None:
    repository.makepyfile(mine=FALSE)
    done = repository.runpytest(*PLUGIN, "--opcheck", "-k", "kit_rate and kit_bowl", "--junitxml=x")
    done.assert_outcomes(failed=1, deselected=done.parseoutcomes()["deselected"])
    (line,) = [text for text in done.outlines if text.startswith("kit_rate is violated")]
    assert "on kit_bowl: residual = " in line
    assert " times the bound) at k = " in line
    assert "gamma = " in line
    assert line.endswith("opcheck --plugin mine.py verify kit_rate --problem kit_bowl")
    assert not [text for text in done.outlines if "Traceback" in text or text.startswith(">")]
    tree = ElementTree.parse(repository.path / "x")
    assert [c.attrib["name"] for c in tree.iter("testcase")] == ["kit_rate on kit_bowl"]
    assert [f.text for f in tree.iter("failure")] == [line]


def test_a_declaration_that_does_not_keep_its_word_fails(repository: pytest.Pytester) -> None:
    repository.makepyfile(mine=MINE.replace("z - gamma * F(z)", "z - 2 * gamma * F(z)"))
    done = repository.runpytest(*PLUGIN, "--opcheck", "-k", "method")
    done.stdout.fnmatch_lines(["kit_descent is not its reference: step 1 of a run*"])
    assert done.parseoutcomes()["failed"] == 1


@pytest.mark.ci
def test_xdist_runs_them(repository: pytest.Pytester) -> None:
    """Each worker collects the same items under the same names."""
    pytest.importorskip("xdist")
    choice = "method or test_own"
    done = repository.runpytest_subprocess(*PLUGIN, "--opcheck", "-n", "2", "-k", choice, "-v")
    done.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "*--opcheck needs to know what to check: write [[]tool.opcheck[]] in *"),
        ("[tool.opcheck]\nfiles = ['mine.py']\n", "*has no key 'files'; it has plugins and all*"),
        ("[tool.opcheck]\nplugins = ['other.py']\n", "*no file '*other.py'*"),
        ("[tool.opcheck]\nplugins = ['no_such_module']\n", "*nothing is named 'no_such_module'*"),
        ("[tool.opcheck\n", "*pyproject.toml*"),
    ],
)
def test_a_wrong_table_is_one_sentence(repository: pytest.Pytester, table: str, says: str) -> None:
    repository.makepyprojecttoml(table)
    done = repository.runpytest(*PLUGIN, "--opcheck")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([says])


def test_a_file_that_a_test_imports_too_is_no_second_one(repository: pytest.Pytester) -> None:
    repository.makepyfile(
        test_own="""
        import mine
        from opcheck.testing import check_method, check_problem

        def test_own():
            check_method(mine.descent)
            check_problem(mine.bowl)
        """
    )
    done = repository.runpytest(
        *PLUGIN, "--opcheck", "-k", "test_own or method", "--import-mode=prepend"
    )
    done.assert_outcomes(passed=2, deselected=done.parseoutcomes()["deselected"])


def test_a_file_that_fails_to_load_is_one_sentence(repository: pytest.Pytester) -> None:
    repository.makepyfile(mine="1/0")
    done = repository.runpytest(*PLUGIN, "--opcheck")
    done.stderr.fnmatch_lines(["*mine.py failed to import: ZeroDivisionError*line 1*"])
    assert done.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.ci
def test_it_costs_nothing_where_it_is_not_asked_for(pytester: pytest.Pytester) -> None:
    """No run of somebody else's tests imports numpy for it."""
    pytester.makepyfile(
        """
        import sys

        def test_imports():
            assert "opcheck.pytest_plugin" in sys.modules
            for name in ("numpy", "numba", "opcheck.registry", "opcheck.testing", "tomllib"):
                assert name not in sys.modules, name
        """
    )
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)


def test_a_fixture_forgets_what_a_test_registers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import opcheck
        from opcheck import registry

        def test_registers(opcheck_registry):
            opcheck.measure("kit_zero")(lambda F, a, J, b, state, params, k: 0.0)
            assert "kit_zero" in registry.names("measures")

        def test_is_forgotten():
            assert "kit_zero" not in registry.names("measures")
        """
    )
    pytester.runpytest(*PLUGIN).assert_outcomes(passed=2)
