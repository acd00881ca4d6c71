"""Foreign operators: each way to get one wrong is refused, and the message says which.

The kernels here belong to a module that opcheck doesn't know, as a user's do.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import opcheck
from opcheck import registry
from opcheck.cli import main
from opcheck.engine.guard import guard, guard_measure, guard_method, guard_text, trusted
from opcheck.engine.jit import jit
from opcheck.engine.run import run, run_batch
from opcheck.errors import OpcheckError
from opcheck.model.measure import Measure
from opcheck.model.method import Method, Over, resolve
from opcheck.model.operator import linear, operator
from opcheck.model.primitives import axpy, copy
from opcheck.model.problem import Problem, Region
from opcheck.model.problem import problem as problem_named

Kernel = Callable[..., Any]


def problem(kernel: Kernel, data: Sequence[float] = (), dim: int = 2, **more: Any) -> Problem:
    return Problem(operator(kernel, dim, data), name="mine", start=np.ones(dim), **more)


def descend(where: Problem, iterations: int = 5, gamma: float = 0.125) -> Any:
    return run("gradient_descent_ascent", where, iterations, gamma=gamma)


def sound(z, out, data):
    out[0] = z[1] + data[0]
    out[1] = -z[0]


def raising(z, out, data):
    raise ValueError("no such thing")


def nan(z, out, data):
    out[0] = z[0]
    out[1] = np.sqrt(-z[1] * z[1])


def infinite(z, out, data):
    out[0] = z[0]
    out[1] = math.inf


def writes_past_out(z, out, data):
    for i in range(3):
        out[i] = z[0]


def reads_past_z(z, out, data):
    out[0] = z[1]
    out[1] = z[2]


def reads_past_data(z, out, data):
    out[0] = z[1] * data[1]
    out[1] = -z[0]


def changes_z(z, out, data):
    z[0] = 2 * z[0]
    out[0] = z[1]
    out[1] = -z[0]


def changes_data(z, out, data):
    data[0] = data[0] + 1
    out[0] = z[1]
    out[1] = -z[0]


CALLS = itertools.count()


def counts_its_calls(z, out, data):
    out[0] = z[1] + next(CALLS)
    out[1] = -z[0]


def forgets_an_entry(z, out, data):
    out[0] = z[1]


def adds_to_out(z, out, data):
    out[0] += z[1]
    out[1] = -z[0]


PAST = r"reads or writes past an array at \[1.0, 1.0\]: .*; z and out have 2 entries, data 1"
WRONG: dict[Kernel, str] = {
    raising: r"raises ValueError at \[1.0, 1.0\]: no such thing",
    infinite: r"returns \[1.0, inf\] at \[1.0, 1.0\]; it must be finite",
    writes_past_out: PAST,
    reads_past_z: PAST,
    reads_past_data: PAST,
    changes_z: "changes its input z",
    changes_data: "changes its data",
    counts_its_calls: "is not deterministic",
    forgets_an_entry: "leaves entries of out unset or adds to what is there",
    adds_to_out: "leaves entries of out unset or adds to what is there",
}


@pytest.mark.parametrize(("kernel", "what"), WRONG.items(), ids=[k.__name__ for k in WRONG])
def test_a_wrong_kernel_is_refused_before_it_runs(kernel: Kernel, what: str) -> None:
    where = problem(kernel, [3.0])
    with pytest.raises(OpcheckError, match=f"the operator of 'mine' {what}"):
        descend(where)
    assert where.operator.data.tolist() == [3.0]
    assert where.start.tolist() == [1.0, 1.0]


@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt:RuntimeWarning")
def test_nan_is_refused() -> None:
    with pytest.raises(OpcheckError, match=r"returns \[1.0, nan\] at \[1.0, 1.0\]"):
        descend(problem(nan))


def test_a_region_is_looked_into() -> None:
    """Right at the start and near it, wrong in the rest of where facts are claimed."""

    def far(z, out, data):
        out[0] = z[1]
        out[1] = -z[0] if abs(z[0] - 1) + abs(z[1] - 1) < 0.5 else np.inf

    guard(problem(far))
    with pytest.raises(OpcheckError, match="must be finite"):
        guard(problem(far, region=Region(60.0)))


def test_each_of_two_operators_of_one_text_is_looked_at() -> None:
    """What was found for one table must not stand for another, nor for another start."""

    def lookup(z, out, data):
        out[0] = data[int(z[0])]
        out[1] = z[1]

    guard(problem(lookup, [0.0, 1.0, 2.0]))
    with pytest.raises(OpcheckError, match="reads or writes past"):
        guard(problem(lookup, [0.0]))
    with pytest.raises(OpcheckError, match="reads or writes past"):
        guard(
            Problem(operator(lookup, 2, [0.0, 1.0, 2.0]), name="mine", start=np.array([9.0, 0.0]))
        )


def test_a_sound_kernel_runs_compiled_and_equals_the_same_matrix() -> None:
    """(z₁ + 3, −z₀) by both, bit for bit: neither adds in another order."""
    ours = descend(problem(sound, [3.0]), 40)
    matrix = Problem(linear([[0, 1], [-1, 0]], [3, 0]), name="matrix", start=np.ones(2))
    theirs = descend(matrix, 40)
    assert ours.z.tobytes() == theirs.z.tobytes()
    assert ours["residual"].tobytes() == theirs["residual"].tobytes()
    assert len(jit(sound, "operator").overloads) == 1


FILE = '''
def kernel(z, out, data):
    """Wrong from the third coordinate on."""
    for i in range({count}):
        out[i] = z[i] * data[0]
'''


@pytest.mark.parametrize("count", [2, 3])
def test_a_kernel_from_a_file(tmp_path: Path, count: int) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FILE.format(count=count))
    module = registry.load_file(path)
    del sys.modules[module.__name__]  # so that no other test finds it
    where = problem(module.kernel, [2.0])
    if count == 3:
        with pytest.raises(OpcheckError, match="reads or writes past"):
            descend(where)
    else:
        assert descend(where, 3, 0.25).z.tolist() == [0.125, 0.125]


def walks_off(z, out, data):
    """Reads entry ⌊z₀⌋ of a table; the first coordinate grows by one a step."""
    out[0] = -data[int(z[0])]
    out[1] = z[1]


def test_an_index_that_only_fails_later_in_a_compiled_run_is_an_error() -> None:
    """Without bounds checking the run reads whatever lies behind the table."""
    where = problem(walks_off, [1.0] * 7)
    assert descend(where, 5, 1.0).z[0] == 6.0
    with pytest.raises(
        OpcheckError, match=r"operator of 'mine' reads or writes past .* in the run"
    ):
        descend(where, 8, 1.0)
    assert descend(where, 5, 1.0).z[0] == 6.0  # and the next run is none the worse for it


def entry(table, i):
    return table[i]


def walks_off_in_a_helper(z, out, data):
    out[0] = -entry(data, int(z[0]))
    out[1] = z[1]


def test_an_index_in_a_helper_of_the_operator_is_checked_too() -> None:
    """Compiled code does not hand its bounds checking on to what it calls."""
    where = problem(walks_off_in_a_helper, [1.0] * 7)
    assert descend(where, 5, 1.0).z[0] == 6.0
    with pytest.raises(OpcheckError, match=r"reads or writes past .* in the run"):
        descend(where, 8, 1.0)


def writes_off(z, out, data):
    out[int(z[0]) - 1] = -1
    out[1] = z[1]
    out[0] = -1


def test_a_write_that_only_fails_later_in_a_compiled_run_is_an_error() -> None:
    with pytest.raises(
        OpcheckError, match=r"operator of 'mine' reads or writes past .* in the run"
    ):
        descend(problem(writes_off), 8, 1.0)


def raises_later(z, out, data):
    if z[0] > 3:
        raise ValueError("outside the domain")
    out[0] = -1
    out[1] = z[1]


@pytest.mark.filterwarnings("ignore:the operator of 'mine' is not defined at")
def test_what_an_operator_raises_in_a_compiled_run_names_it() -> None:
    where = problem(raises_later)
    assert descend(where, 2, 1.0).z[0] == 3.0
    with pytest.raises(OpcheckError, match="'mine' raises ValueError in the run: outside the d"):
        descend(where, 8, 1.0)


TABLE = {"slope": 0.5}


def not_for_numba(z, out, data):
    out[0] = z[1] * TABLE["slope"]
    out[1] = -z[0]


def for_numba(z, out, data):
    out[0] = z[1] * 0.5
    out[1] = -z[0]


@pytest.mark.parametrize(
    "method", ["extragradient", "past_extragradient", "lookahead(eg_plus)", "rapp"]
)
def test_what_numba_cannot_compile_runs_interpreted_with_a_warning(method: str) -> None:
    given = {
        "extragradient": {"gamma": 0.3},
        "past_extragradient": {"gamma": 0.3},
        "lookahead(eg_plus)": {"gamma": 0.3, "alpha": 0.7, "lam": 0.4, "tau": 3},
        "rapp": {"gamma": 0.3, "lam": 0.4, "tau": 3},
    }[method]
    compiled = run(method, problem(for_numba), 30, iterates=True, **given)
    with pytest.warns(UserWarning, match="operator of 'mine' runs interpreted, since numba can't"):
        slow = run(method, problem(not_for_numba), 30, iterates=True, **given)
    assert slow.iterates.tobytes() == compiled.iterates.tobytes()
    assert slow["residual"].tobytes() == compiled["residual"].tobytes()
    assert slow.status == compiled.status == "completed"


def test_a_function_of_z_runs_interpreted_with_a_warning() -> None:
    matrix = np.array([[0.0, 0.5], [-1.0, 0.0]])
    with pytest.warns(UserWarning, match="runs interpreted: write it as f"):
        slow = problem(lambda z: matrix @ z)
    fast = descend(problem(for_numba), 30)
    np.testing.assert_allclose(descend(slow, 30).z, fast.z, rtol=1e-15)


@pytest.mark.parametrize("value", [1.0, [1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]]])
def test_a_function_of_z_with_a_value_of_wrong_shape_is_refused(value: Any) -> None:
    """Broadcasting would accept the first two in silence."""
    with pytest.warns(UserWarning, match="runs interpreted"):
        where = problem(lambda z: np.array(value))
    with pytest.raises(OpcheckError, match=r"returns shape \(.*\) for a point of shape \(2,\)"):
        descend(where)


def test_a_function_of_two_arguments_is_no_operator() -> None:
    with pytest.raises(OpcheckError, match="takes 2 arguments; write"):
        operator(lambda z, out: None, 2)


def changes_z_far_away(z, out, data):
    if z[0] > 3:
        z[0] = 0
    out[0] = -1
    out[1] = z[1]


def changes_data_far_away(z, out, data):
    if z[0] > 3:
        data[0] = 0
    out[0] = -data[0]
    out[1] = z[1]


@pytest.mark.parametrize("kernel", [changes_z_far_away, changes_data_far_away])
@pytest.mark.filterwarnings("ignore:the operator of 'mine' runs interpreted:UserWarning")
def test_an_input_that_only_changes_later_in_a_run_is_an_error(kernel: Kernel) -> None:
    """Where the guard looked all is well; the text does not compile, since inputs are read-only."""
    where = problem(kernel, [1.0])
    assert descend(where, 2, 1.0).z[0] == 3.0
    with pytest.raises(OpcheckError, match=r"'mine' raises ValueError at \[4.0, .*read-only"):
        descend(where, 8, 1.0)
    assert where.operator.data.tolist() == [1.0]


# ---- methods -------------------------------------------------------------------------------------

HIDDEN = np.zeros(8)


def remembers_outside(F, F_data, J, J_data, state, params, k, n):
    """A velocity that no row holds."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        for i in range(state.shape[1]):
            HIDDEN[i] = 0.5 * HIDDEN[i] - params[0] * state[1][i]
            state[0][i] += HIDDEN[i]


def forgets_between_calls(F, F_data, J, J_data, state, params, k, n):
    """A velocity that lives as long as the call."""
    velocity = 0 * state[0]
    for _ in range(n):
        F(state[0], state[1], F_data)
        for i in range(state.shape[1]):
            velocity[i] = 0.5 * velocity[i] - params[0] * state[1][i]
            state[0][i] += velocity[i]


def counts_once_a_call(F, F_data, J, J_data, state, params, k, n):
    """1/(k + 2) where k stays where the call began."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -1 / (k + 2), state[1])


def long_steps(F, F_data, J, J_data, state, params, k, n):
    """A step that knows how many are made."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0] * n, state[1])


def hurries(F, F_data, J, J_data, state, params, k, n):
    """Twice the step where many are made at once."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0] * (2 if n > 7 else 1), state[1])


def makes_one_step(F, F_data, J, J_data, state, params, k, n):
    """No loop."""
    F(state[0], state[1], F_data)
    axpy(state[0], state[0], -params[0], state[1])


def peeks_at_the_solution(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = (z + z*)/2 by a row of the driver."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        for i in range(state.shape[1]):
            state[0][i] = (state[0][i] + state[3][i]) / 2


def writes_behind_its_rows(F, F_data, J, J_data, state, params, k, n):
    """The driver's copy of the point before the step."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])
        state[2][0] = 0


def reads_past_its_params(F, F_data, J, J_data, state, params, k, n):
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[1], state[1])


def halves_its_step(F, F_data, J, J_data, state, params, k, n):
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])
        params[0] *= 0.5


def writes_to_data(F, F_data, J, J_data, state, params, k, n):
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])
        F_data[0] = 0


def calls_twice(F, F_data, J, J_data, state, params, k, n):
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])
        F(state[0], state[1], F_data)


def calls_later(F, F_data, J, J_data, state, params, k, n):
    """Declares one call a step and makes none but at the first."""
    for _ in range(n):
        if k == 0:
            F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])
        k += 1


def in_place(F, F_data, J, J_data, state, params, k, n):
    for _ in range(n):
        copy(state[1], state[0])
        F(state[1], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])


def few_arguments(F, F_data, state, params, n):
    pass


def misspelt(F, F_data, J, J_data, state, params, k, n):
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpyy(state[0], state[0], -params[0], state[1])  # noqa: F821


def plain(F, F_data, J, J_data, state, params, k, n):
    """z⁺ = z − γ F z."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])


def negative(F, F_data, J, J_data, state, params, k, n):
    """J with −γ."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0], state[1])
        J(state[0], -params[0], state[0], J_data)


WRONG_METHODS = {
    remembers_outside: "keeps something outside of its rows",
    forgets_between_calls: "3 steps from k = 0 in one call are not 3 single ones",
    counts_once_a_call: r"count k \+= 1",
    long_steps: "use n for nothing but the loop",
    hurries: "20 steps from k = 5 in one call are not 20 single ones",
    makes_one_step: "in one call are not 3 single ones",
    peeks_at_the_solution: "past an array: index 3 .* it has the rows z, Fz and no others",
    writes_behind_its_rows: "past an array: index 2 .* it has the rows z, Fz and no others",
    reads_past_its_params: "past an array: index 1 .* its params are gamma",
    halves_its_step: "writes to params or to data",
    writes_to_data: "writes to params or to data",
    calls_twice: "declares calls=1, 1 at k = 5, and calls F 2 times",
    calls_later: "declares calls=1, 1 at k = 5, and calls F 0 times",
    in_place: "give it another row",
    few_arguments: "raises TypeError.* a method is a function of",
    misspelt: "raises NameError: name 'axpyy' is not defined",
}


def own(kernel: Kernel, constrained: bool = False) -> Method:
    base = resolve("gradient_descent_ascent")
    return dataclasses.replace(base, name=kernel.__name__, kernel=kernel, constrained=constrained)


@pytest.mark.parametrize(
    ("kernel", "what"), WRONG_METHODS.items(), ids=[k.__name__ for k in WRONG_METHODS]
)
def test_a_wrong_method_is_refused_before_it_runs(kernel: Kernel, what: str) -> None:
    """F14 and A13."""
    method, where = own(kernel), problem_named("bilinear")
    with pytest.raises(OpcheckError, match=f"^{kernel.__name__}.* {what}") as refused:
        run_batch(where, method, [{"gamma": 0.25}], [5], [])
    assert "\n" not in str(refused.value)


def four_variables(F, F_data, J, J_data, state, params, k, n):
    """Gradient steps of a game of four variables."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        for i in range(4):
            state[0][i] -= params[0] * state[1][i]


def test_a_method_of_one_dimension_runs_there_and_only_there() -> None:
    values = [{"gamma": 0.25}]
    there = Problem(linear(np.eye(4)), name="four", start=np.ones(4))
    found = run_batch(there, own(four_variables), values, [2], [])
    assert found.state[0, 0].tolist() == [0.5625] * 4
    with pytest.raises(OpcheckError, match="four_variables reads or writes past an array"):
        run_batch(problem_named("bilinear"), own(four_variables), values, [2], [])


@pytest.mark.parametrize(
    ("kernel", "what"), [(plain, "never calls J"), (negative, "calls J with gamma = -")]
)
def test_a_method_that_says_it_has_a_form_with_constraints_has_one(
    kernel: Kernel, what: str
) -> None:
    """A13."""
    guard_method(own(plain))
    with pytest.raises(OpcheckError, match=f"^{kernel.__name__} .*{what}"):
        guard_method(own(kernel, constrained=True))


def test_a_method_says_whether_it_has_a_form_with_constraints() -> None:
    """A13."""
    with pytest.raises(OpcheckError, match=r"'plain' must say constrained=True .* or"):
        opcheck.method("plain", params="gamma", rows="z Fz", calls=1, source="none")


def every_method() -> list[Method]:
    """Those of the registry, those over another over each."""
    entries = [registry.get("methods", name) for name in registry.names("methods")]
    bases = [e for e in entries if not isinstance(e, Over)]
    return bases + [e(base) for e in entries if isinstance(e, Over) for base in bases]


@pytest.mark.parametrize("method", every_method(), ids=lambda m: m.name)
@pytest.mark.sampled(4)
def test_the_methods_of_the_library_pass_the_guard(method: Method) -> None:
    """They are not looked at when they run."""
    assert trusted(method)
    for dimension in (1, 2, 3):
        guard_text(method, dimension)


def test_a_foreign_base_is_looked_at_under_a_method_of_opcheck() -> None:
    over = registry.get("methods", "lookahead")
    assert not trusted(over(own(long_steps)))
    with pytest.raises(OpcheckError, match="raises NameError"):
        guard_method(over(own(misspelt)))


@pytest.mark.usefixtures("own_registry")
def test_a_wrong_method_is_one_sentence_on_the_command_line(tmp_path: Path) -> None:
    """A13 and C2: not one on each problem."""
    file = tmp_path / "mine.py"
    file.write_text(MISCOUNTING, encoding="utf-8")
    for command in ("verify", "prove", "certify", "worst", "attack"):
        done = CliRunner().invoke(main, [command, str(file)], catch_exceptions=False)
        assert done.exit_code == (1 if command == "prove" else 2), (command, done.output)
        assert "count k += 1 within a call" in done.output


def turning(after: int) -> Callable[[Any], Any]:
    calls = itertools.count()
    return lambda z: [z[0], z[1]] if next(calls) < after else [-z[0], -z[1]]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("after", [500, 3000])
def test_an_operator_that_changes_later_is_refused(after: int) -> None:
    """Its first points are looked at again at the end."""
    with pytest.raises(OpcheckError, match="changes from call to call"):
        opcheck.constants(turning(after))
    where = Problem(operator(turning(after), 2), name="turning", start=np.ones(2))
    with pytest.raises(OpcheckError, match="changes from call to call"):
        descend(where, after)


def leaving(z, out, data):
    sys.exit(0)


def leaving_late(z, out, data):
    out[0], out[1] = z[1], -z[0]
    if z[0] < -3:
        sys.exit(0)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("kernel", "steps"), [(leaving, 1), (leaving_late, 500)])
def test_an_exit_in_foreign_code_is_an_error(kernel: Kernel, steps: int) -> None:
    """It does not end the process without a word."""
    with pytest.raises(OpcheckError, match="the operator of 'mine' raises SystemExit"):
        descend(problem(kernel), steps)


def test_an_exit_in_a_measure_or_a_method_is_an_error() -> None:
    """The same of what is not an operator."""

    def exiting(F, z, J, w, state, params, k):
        sys.exit(0)

    with pytest.raises(OpcheckError, match="raises SystemExit"):
        guard_measure(Measure(name="exiting", kernel=exiting, of_point=True))
    base = resolve("gradient_descent_ascent")

    def leaves(F, F_data, J, J_data, state, params, k, n):
        sys.exit(0)

    with pytest.raises(OpcheckError, match="raises SystemExit"):
        guard_text(dataclasses.replace(base, name="leaves", kernel=leaves), 2)


MISCOUNTING = """
from opcheck import Monotone, Proof, Source, method, theorem
from opcheck.model.primitives import axpy


@method("miscounting", params="gamma", rows="z Fz", calls=1, constrained=False, source="none")
def miscounting(F, F_data, J, J_data, state, params, k, n):
    for _ in range(n):
        F(state[0], state[1], F_data)
        axpy(state[0], state[0], -params[0] / (k + 1), state[1])


theorem(
    "miscounted",
    method="miscounting",
    given=[Monotone(of="F")],
    where="0 < gamma < 1",
    measure="distance",
    bound="R**2",
    source=Source("none"),
    proof=Proof(end={"Monotone(z)": "1"}),
)
"""


# ---- what no trial of a few steps can tell -------------------------------------------------------

STEP = """
from opcheck.kernels import axpy
from opcheck.model.method import method


@method("late_step", params="gamma", rows="z Fz", calls=1, source="none", constrained=False)
def late_step(F, F_data, J, J_data, state, params, k, n):
    \"\"\"A step whose weight is the text under test.\"\"\"
    z, Fz = state[0], state[1]
    for {loop}:
        F(z, Fz, F_data)
        axpy(z, z, -({weight}) * params[0], Fz)
        k += 1
"""
COUNTS = "may stand only in for _ in range"
LATE_STEPS = {
    ("_ in range(n)", "1 if n < 100 else 3"): COUNTS,
    ("_ in range(min(n, 100))", "1"): COUNTS,
    ("_ in range(n, 2 * n)", "1"): COUNTS,
    ("j in range(n)", "1 if j < 100 else 3"): COUNTS,
    ("_ in range(n)", "1 + 0 / (k - 777)"): "ZeroDivisionError.*at k = 777",
    ("_ in range(n)", "1 + 0 * (k - 600 if k < 600 else k * float('inf'))"): "NaN .* k = 600",
    ("_ in range(n)", "1 + 1 / (k + 1)"): "",
    ("_ in range(n)", "2.0**-k"): "",
    ("_ in range(n)", "1 / (1 + 2.0**k)"): "",  # more than a float holds, and no fault
}


@pytest.mark.parametrize(("loop", "weight"), LATE_STEPS)
def test_a_method_is_tried_late_and_its_count_is_read(
    loop: str, weight: str, tmp_path: Path, own_registry: None
) -> None:
    file = tmp_path / "late.py"
    file.write_text(STEP.format(loop=loop, weight=weight))
    registry.load_file(file)
    step, said = registry.get("methods", "late_step"), LATE_STEPS[loop, weight]
    if not said:
        guard_method(step)
        return
    with pytest.raises(OpcheckError, match=said):
        guard_method(step)


BOUND_AWAY = {
    "zbar = 2 * z - last": "binds zbar, a row of its state",
    "(zbar, w) = (2 * z - last, z)": "binds zbar",
    "zbar = zbar - last": "binds zbar",
    "zbar[:] = 2 * z - last": "",
    "zbar = state[1]; combine(zbar, 2, z, -1, last)": "",
    "w = 2 * z - last; copy(zbar, w)": "",
}


@pytest.mark.parametrize("line", BOUND_AWAY)
def test_a_row_is_written_to_and_not_renamed(line: str, tmp_path: Path, own_registry: None) -> None:
    """z is right all the same, and every statement about the row is about z⁰."""
    file = tmp_path / "rows.py"
    file.write_text(f"""
from opcheck import method
from opcheck.kernels import axpy, combine, copy

@method("away", params="gamma", rows="z zbar last Fzbar", calls=1, source="none",
        constrained=False, points="zbar")
def away(F, F_data, J, J_data, state, params, k, n):
    \"\"\"Projected reflected gradient steps.\"\"\"
    z, zbar, last, Fzbar = state[0], state[1], state[2], state[3]
    for _ in range(n):
        {line}
        copy(last, z)
        F(zbar, Fzbar, F_data)
        axpy(z, z, -params[0], Fzbar)
        k += 1
""")
    registry.load_file(file)
    if BOUND_AWAY[line]:
        with pytest.raises(OpcheckError, match=BOUND_AWAY[line]):
            guard_method(registry.get("methods", "away"))
    else:
        guard_method(registry.get("methods", "away"))
