"""The conformance kit: each promise broken once, and told in a sentence; what is right passes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import opcheck
from opcheck import Lipschitz, Problem, Resolvent, exact, linear, registry, testing
from opcheck.engine.guard import guard_measure, guard_method
from opcheck.errors import OpcheckError
from opcheck.kernels import BEFORE, OTHER, WORK, axpy, combine, copy, norm2, subtract
from opcheck.model.measure import Measure
from opcheck.model.method import Method, Over, resolve
from opcheck.model.problem import ResolventFamily
from opcheck.plugin import ConeProgram
from opcheck.testing.checks import power_of

Kernel = Callable[..., Any]
EG = resolve("extragradient")


def extragradient(F, F_data, J, J_data, state, params, k, n):
    """A right one."""
    z, zbar, Fz = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, -params[0], Fz)
        J(zbar, params[0], zbar, J_data)
        F(zbar, Fz, F_data)
        axpy(z, z, -params[0], Fz)
        J(z, params[0], z, J_data)


def second_step_from_the_look_ahead(F, F_data, J, J_data, state, params, k, n):
    z, zbar, Fz = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, -params[0], Fz)
        J(zbar, params[0], zbar, J_data)
        F(zbar, Fz, F_data)
        axpy(z, zbar, -params[0], Fz)
        J(z, params[0], z, J_data)


def resolvent_of_another_step(F, F_data, J, J_data, state, params, k, n):
    z, zbar, Fz = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, -params[0], Fz)
        J(zbar, params[0], zbar, J_data)
        F(zbar, Fz, F_data)
        axpy(z, z, -params[0], Fz)
        J(z, 1.0, z, J_data)


def whatever_n_is(F, F_data, J, J_data, state, params, k, n):
    z, zbar, Fz = state[0], state[1], state[2]
    F(z, Fz, F_data)
    axpy(zbar, z, -params[0], Fz)
    J(zbar, params[0], zbar, J_data)
    F(zbar, Fz, F_data)
    axpy(z, z, -params[0], Fz)
    J(z, params[0], z, J_data)


def one_call(F, F_data, J, J_data, state, params, k, n):
    z, Fz = state[0], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -params[0], Fz)
        J(z, params[0], z, J_data)


def never_projects(F, F_data, J, J_data, state, params, k, n):
    z, zbar, Fz = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(zbar, z, -params[0], Fz)
        F(zbar, Fz, F_data)
        axpy(z, z, -params[0], Fz)


KEPT = [0.0]


def keeps_something(F, F_data, J, J_data, state, params, k, n):
    extragradient(F, F_data, J, J_data, state, params, k, n)
    KEPT[0] += 1.0
    state[0][0] += KEPT[0]


def step(F: Any, J: Any, z: Any, gamma: float = 0.25) -> Any:
    return J(z - gamma * F(J(z - gamma * F(z), gamma)), gamma)


def method(kernel: Kernel, reference: Any = step) -> Method:
    rows = ("z", "zbar", "Fz")
    return dataclasses.replace(
        EG, name=kernel.__name__, kernel=kernel, rows=rows, reference=reference
    )


def test_a_right_method_passes() -> None:
    testing.check_method(method(extragradient))
    guard_method(method(extragradient))


@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        (second_step_from_the_look_ahead, "is not its reference: step 1 .* gamma = 0.25 ends"),
        (resolvent_of_another_step, r"is not its reference: step 1 of a run with A\(z\) = z \+ c"),
        (whatever_n_is, "3 steps from k = 0 in one call are not 3 single ones"),
        (one_call, "declares calls=2, 2 at k = 5, and calls F 1 times there"),
        (never_projects, "is declared constrained=True and never calls J"),
        (keeps_something, "keeps something outside of its rows"),
    ],
)
def test_a_method_that_breaks_a_promise_is_told(kernel: Kernel, says: str) -> None:
    """By the kit, and before it first runs compiled."""
    with pytest.raises(testing.CheckFailed, match=says) as failed:
        testing.check_method(method(kernel))
    assert "\n" not in str(failed.value)
    with pytest.raises(OpcheckError, match=says):
        guard_method(method(kernel))


def raising(F: Any, z: Any, gamma: float = 0.25) -> Any:
    return z.no_such_thing


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        (lambda F, z, gamma: z, "gives no value to gamma"),
        (lambda F, z, gamma=0.25, eta=1.0: z, "takes eta, which is no parameter"),
        (lambda F, z, gamma=0.25: 1.0, r"returns 1.0 at k = 0; it must return z⁺, 1 finite"),
        (lambda F, z, gamma=0.25: z / 0.0, "must return z⁺"),
        (raising, r"the reference of extragradient raises AttributeError: .*test_checks.py, line"),
    ],
)
def test_a_reference_that_is_none_is_told(reference: Any, says: str) -> None:
    with pytest.raises(testing.CheckFailed, match=says):
        testing.check_method(method(extragradient, reference))


def twice_as_slow(base, F, F_data, J, J_data, state, params, k, n):
    """z ← (z + base's)/2 at every step."""
    z, slow = state[0], state[-1]
    for _ in range(n):
        copy(slow, z)
        base(F, F_data, J, J_data, state, params, k, 1)
        combine(z, 0.5, z, 0.5, slow)
        k += 1


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_a_method_over_others_is_held_to_its_reference(share: float) -> None:
    entry = Over(
        name="half",
        kernel=twice_as_slow,
        parameters=(),
        rows=("slow",),
        source="none",
        doc="",
        reference=lambda step, z, k: share * step(z, k) + (1 - share) * z,
    )
    if share == 0.5:
        testing.check_method(entry)
        return
    with pytest.raises(testing.CheckFailed, match="half is not its reference: step 1 over grad"):
        testing.check_method(entry)


# ---- measures ----------------------------------------------------------------------------------


def square(F, F_data, J, J_data, state, params, k):
    return norm2(state[0])


def largest(F, F_data, J, J_data, state, params, k):
    return np.max(np.abs(state[0]))


def wandering(F, F_data, J, J_data, state, params, k):
    subtract(state[BEFORE], state[0], state[OTHER])
    return norm2(state[BEFORE])


def remembering(F, F_data, J, J_data, state, params, k):
    return norm2(state[WORK])


def of(kernel: Kernel, **fields: Any) -> Measure:
    return Measure(name=kernel.__name__, kernel=kernel, **fields)


def test_a_right_measure_passes() -> None:
    testing.check_measure(of(square, unit="squared units of z", reference=lambda z: z @ z))
    testing.check_measure(of(largest, unit="units of z", coordinates=True))
    testing.check_measure(of(square, unit="apples"))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (of(square, reference=lambda z: 2 * z @ z), "is not its reference: .* 0.5 of it away"),
        (of(square, reference=lambda z: z), "must return a number"),
        (of(square, reference=lambda w: 1.0), "takes w; it may take F, J"),
        (of(square, unit="units of z"), "not in units of z: .* multiplied by 4, and not by 2"),
        (of(square, unit="squared units of F"), "step halves it is multiplied by 1, and not by 4"),
        (of(largest), "changes with a rotation of the space"),
        (of(wandering), "changes what it is to look at"),
        (of(remembering), "gives two answers for the same rows"),
    ],
    ids=lambda v: v.name if isinstance(v, Measure) else "",
)
def test_a_measure_that_breaks_a_promise_is_told(wrong: Measure, says: str) -> None:
    with pytest.raises(testing.CheckFailed, match=says):
        testing.check_measure(wrong)


def test_a_measure_of_ones_own_is_held_to_its_reference_before_it_is_used() -> None:
    with pytest.raises(OpcheckError, match="'square' is not its reference"):
        guard_measure(of(square, reference=lambda z: 2 * z @ z))


def test_a_unit_says_a_power() -> None:
    units = {
        "units of z": 1,
        "squared units of the row": 2,
        "units of F times units of z": 2,
        "squared units of F times squared units of z": 4,
        "seconds": None,
        "": None,
    }
    assert {u: power_of(u) for u in units} == units


# ---- operators, sets, problems -----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_right_operator_passes() -> None:
    testing.check_operator(lambda z: [z[1], -z[0]])
    testing.check_operator("bilinear")
    testing.check_operator(np.array([[1.0, 2.0], [-2.0, 1.0]]))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("F", "says"),
    [
        (lambda z: np.float32(z), "returns numbers of type float32; return float64"),
        (lambda z: [np.nan, z[0]], "works in none of the dimensions|must be finite"),
        (lambda z: np.random.standard_normal(2), "is not deterministic"),  # noqa: NPY002
    ],
)
def test_an_operator_that_is_none_is_told(F: Any, says: str) -> None:
    with pytest.raises(testing.CheckFailed, match=says):
        testing.check_operator(F)


def ball(z, gamma, out, data):
    length = np.sqrt((z * z).sum())
    out[:] = z / length if length > 1 else z


def ball_in_the_largest_norm(z, gamma, out, data):
    length = np.abs(z).max()
    out[:] = z / length if length > 1 else z


def soft(z, gamma, out, data):
    out[:] = np.sign(z) * np.maximum(np.abs(z) - gamma, 0)


def inside(z: Any) -> bool:
    return bool(np.linalg.norm(z) <= 1 + 1e-12)


def test_a_right_resolvent_passes() -> None:
    testing.check_resolvent("box")
    testing.check_resolvent(Resolvent(ball, np.empty(0), 2, "disc", contains=inside))
    testing.check_resolvent(Resolvent(soft, np.empty(0), 2, "l1", value=lambda z: abs(z).sum()))


def half_space(x: Any, y: Any, one: Any) -> Any:
    return None, [("plus", x[:1] - 0.5 * one)]


def up(z, gamma, out, data):
    out[:] = z
    out[0] = max(z[0], data[0])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            Resolvent(ball_in_the_largest_norm, np.empty(0), 2, "square"),
            "is not one of a monotone A: it is not firmly nonexpansive",
        ),
        (
            Resolvent(ball, np.empty(0), 2, "disc", contains=lambda z: inside(z / 2)),
            "is in the set, and it is moved",
        ),
        (
            Resolvent(soft, np.empty(0), 2, "l1", value=lambda z: 2 * abs(z).sum()),
            "is not the proximal map of its value|is no minimiser",
        ),
        (
            ResolventFamily(
                name="above",
                function=lambda: Resolvent(up, np.zeros(1), 0, "above"),
                doc="",
                program=ConeProgram(dim=2, says=half_space),
            ),
            "is not what a solver finds for its program",
        ),
    ],
    ids=["a map that is none", "a larger set", "another function", "another set"],
)
def test_a_resolvent_that_is_none_is_told(wrong: Any, says: str) -> None:
    with pytest.raises(testing.CheckFailed, match=says):
        testing.check_resolvent(wrong)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"solution": np.array([1.0, 0.0])}, "is no zero of F"),
        ({"facts": (exact(Lipschitz("1/2")),)}, r"Lipschitz\(0.5\) of F is stated"),
        (
            {
                "start": np.array([3.0, 0.0]),
                "resolvent": Resolvent(ball, np.empty(0), 2, "disc", contains=inside),
            },
            r"the start \[3.0, 0.0\] of 'turn' is not in A = disc; the nearest point of it is",
        ),
    ],
)
def test_a_problem_that_is_not_what_it_says_is_told(changed: dict[str, Any], says: str) -> None:
    right = Problem(
        linear([[0, 1], [-1, 0]]),
        name="turn",
        start=np.array([0.5, 0.0]),
        solution=np.zeros(2),
        facts=(exact(Lipschitz("1")),),
    )
    testing.check_problem(right)
    with pytest.raises(testing.CheckFailed, match=says):
        testing.check_problem(dataclasses.replace(right, **changed))


# ---- theorems ----------------------------------------------------------------------------------


def test_a_theorem_is_run_and_a_false_one_told_with_its_numbers() -> None:
    true = registry.get("theorems", "korpelevich1976_eg_fejer")
    testing.check_theorem(true, ["bilinear"])
    false = registry.get("theorems", "lee2021_feg")
    false = dataclasses.replace(false, name="too_good", bound=f"({false.bound})/2")
    with pytest.raises(testing.CheckFailed, match=r"too_good is violated on .* > .* at k = \d+"):
        testing.check_theorem(false, ["bilinear"])


def test_a_theorem_that_meets_no_problem_is_told() -> None:
    with pytest.raises(testing.CheckFailed, match="meets no problem whose facts imply"):
        testing.check_theorem("elementary_gda_contraction", ["bilinear"])


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (testing.check_method, lambda z: z),
        (testing.check_method, 3),
        (testing.check_measure, EG),
        (testing.check_resolvent, np.eye(2)),
        (testing.check_problem, None),
        (testing.check_theorem, EG),
    ],
)
def test_what_is_none_of_a_kind_is_told(check: Any, wrong: Any) -> None:
    with pytest.raises(testing.CheckFailed, match=r"is no .*; give one, or its name$"):
        check(wrong)


@pytest.mark.usefixtures("own_registry")
def test_a_decorated_function_stands_for_what_it_declares() -> None:
    function = opcheck.measure("kit_square", reference=lambda z: 2 * z @ z)(square)
    (item,) = testing.checks_of(function)
    assert item.name == "measure kit_square"
    for check in (item, lambda: testing.check_measure(function)):  # type: ignore[arg-type]
        with pytest.raises(testing.CheckFailed, match="'kit_square' is not its reference"):
            check()


# ---- all that is named -------------------------------------------------------------------------

ASKED = [("measures", n) for n in registry.names("measures")]
ASKED += [("methods", n) for n in registry.names("methods")]


@testing.parametrize_with_checks([registry.get(kind, name) for kind, name in ASKED])
def test_what_opcheck_registers_keeps_its_promises(check: testing.Item) -> None:
    check()


@pytest.mark.slow
@testing.parametrize_with_checks(
    [
        registry.get(kind, n)
        for kind in ("sets", "problems", "theorems")
        for n in registry.names(kind)
    ]
)
def test_the_rest_of_what_opcheck_registers_does_too(check: testing.Item) -> None:
    check()


@pytest.mark.usefixtures("own_registry")
def test_checks_of_a_file_are_all_that_it_registers(tmp_path: Path) -> None:
    file = tmp_path / "kit_mine.py"
    file.write_text(
        "import opcheck\n"
        "opcheck.measure('kit_one')(lambda F, a, J, b, state, params, k: 1.0)\n"
        "opcheck.measure('kit_two')(lambda F, a, J, b, state, params, k: 2.0)\n",
        encoding="utf-8",
    )
    assert [i.name for i in testing.checks_of(str(file))] == ["measure kit_one", "measure kit_two"]
    (item,) = testing.checks_of(f"{file}:kit_two")
    assert item.place == f"{file}:3"
    item()
    (again,) = testing.checks_of("kit_one")
    again()
    with pytest.raises(OpcheckError, match="registers no 'kit_three'; it has kit_one, kit_two"):
        testing.checks_of(f"{file}:kit_three")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("korpelevich", "nothing is named 'korpelevich'; did you mean"),
        ("json", "json registers nothing that is checked"),
        ("no_file.py", "no file '.*no_file.py'"),
        (3, "3 is nothing to check; give a method"),
    ],
)
def test_what_is_nothing_to_check_is_told(target: Any, says: str) -> None:
    with pytest.raises(OpcheckError, match=says):
        testing.checks_of(target)


def test_one_name_is_a_list_of_one() -> None:
    mark = testing.parametrize_with_checks("residual").mark
    assert [p.id for p in mark.args[1]] == ["measure residual"]


def test_public_names_are_documented() -> None:
    for name in testing.__all__:
        assert getattr(testing, name).__doc__, name
    assert opcheck.check.__name__ == "check"
