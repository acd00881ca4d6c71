"""Potentials that are searched for: closed-form rates, lower bounds, runs, and what is refused."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from flint import fmpq

import opcheck
from opcheck import recheck, registry, rerun
from opcheck.cli import main
from opcheck.engine.coefficients import filled, memory
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import NotCertified, recheck_file
from opcheck.evidence.lyapunov import Potential, lyapunov
from opcheck.evidence.worst_case.block import block_of, decrease, least
from opcheck.evidence.worst_case.worst_case import Program
from opcheck.model.method import Method, Over, resolve
from opcheck.model.primitives import identity

registry.load()
STRONG = ["Lipschitz(1) of F", "StronglyMonotone(1/4) of F"]
PLAIN = ["Lipschitz(1) of F", "Monotone of F"]
Q = Fraction
past = "past_extragradient"


@pytest.fixture
def own_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {kind: dict(table) for kind, table in registry._entries.items()}
    monkeypatch.setattr(registry, "_entries", entries)


def slopes(mu: float = 0.25) -> np.ndarray:
    """The boundary of {f: |f| ≤ 1, Re f ≥ μ}: normal operators that may be the worst."""
    arc = np.exp(1j * np.linspace(-np.pi / 2, np.pi / 2, 4001))
    line = mu + 1j * np.linspace(-1, 1, 4001)
    both = np.concatenate([arc, line])
    return both[(abs(both) <= 1 + 1e-12) & (both.real >= mu - 1e-12)]


def radius(matrix: Any) -> float:
    """Squared spectral radius."""
    return float(np.abs(np.linalg.eigvals(np.array(matrix))).max() ** 2)


# ---- rates ---------------------------------------------------------------------------------------

CLOSED: list[tuple[str, list[str], dict[str, Any], Fraction]] = [
    # 1/(1 + γμ)², and (1 − a + a/(1 + γμ))² relaxed
    ("proximal_point", ["StronglyMonotone(1/4) of S"], {"gamma": "1/2"}, Q(8, 9) ** 2),
    ("proximal_point", ["StronglyMonotone(2) of S"], {"gamma": 3}, Q(1, 49)),
    (
        "relaxed_proximal_point",
        ["StronglyMonotone(1/4) of S"],
        {"gamma": "1/2", "lam": "1/2"},
        Q(17, 18) ** 2,
    ),
    # 1 − 2γμ + γ²L²
    ("gradient_descent_ascent", STRONG, {"gamma": "1/8"}, 1 - Q(1, 16) + Q(1, 64)),
    (
        "gradient_descent_ascent",
        ["Lipschitz(3) of F", "StronglyMonotone(1) of F"],
        {"gamma": "1/9"},
        1 - Q(2, 9) + Q(1, 9),
    ),
    # T a contraction by 1/2: (1 − a + a/2)²
    (
        "krasnoselskii_mann",
        ["Lipschitz(1/2) of T"],
        {"a": "1/2"},
        Q(3, 4) ** 2,
    ),
]


@pytest.mark.parametrize(("method", "given", "parameters", "rate"), CLOSED)
def test_the_smallest_rate_is_the_closed_form(
    method: str, given: list[str], parameters: dict[str, Any], rate: Fraction
) -> None:
    found = lyapunov(method, given, **parameters)
    assert found.theta == rate
    assert found.valid
    assert found.smallest == pytest.approx(float(rate), abs=1e-6)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("gradient_descent_ascent", STRONG),
        ("proximal_point", ["StronglyMonotone(1/4) of S"]),
        ("ceg_plus", STRONG),
    ],
)
def test_with_any_monotone_a(method: str, given: list[str]) -> None:
    own = {"gamma": "1/8"} | ({"alpha": "1/2"} if method == "ceg_plus" else {})
    free = lyapunov(method, given, **own)
    held = lyapunov(method, given, constrained=True, **own)
    assert held.theta >= free.theta * (1 - Q(1, 10**6))
    assert held.valid
    assert held.vectors == (("z",) if method == "proximal_point" else ("z", "F z"))
    # forward-backward contracts by the same factor
    if method != "ceg_plus":
        assert held.theta == free.theta


def test_a_rate_with_a_set_is_of_a_shape_that_is_named() -> None:
    """A18: .80886 is known; with z alone there is .81, and both are said as what they are."""
    alone = lyapunov(
        "forward_backward_forward", STRONG, vectors=["z"], constrained=True, gamma="1/2"
    )
    assert alone.theta == Q(81, 100)
    assert str(alone) == "‖z − z*‖²"
    held = lyapunov("forward_backward_forward", STRONG, constrained=True, gamma="1/2")
    assert held.valid
    assert held.smallest == pytest.approx(0.808857, abs=1e-6)
    assert "‖F z − F z*‖²" in str(held)


LINES = [np.outer(v, v) for v in ((np.cos(t), np.sin(t)) for t in np.linspace(0, np.pi, 25))]
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
UNIT = np.eye(2)


def spectral(step: np.ndarray) -> float:
    """The square of the spectral radius: no potential of that step decreases by less."""
    return float(np.abs(np.linalg.eigvals(step)).max() ** 2)


def test_what_is_carried_over_is_told_from_where_it_rests(tmp_path: Path) -> None:
    """Forward-reflected-backward with A ≠ 0: F z₋ rests at F z*, which is not 0.

    V is held against runs with F = aI + bJ + c and A the normals of a line, in floats, and θ
    against the linear steps there.
    """
    gamma = 0.25
    found = lyapunov(
        "forward_reflected_backward",
        ["StronglyMonotone(1/2) of F", "Lipschitz(1) of F"],
        constrained=True,
        gamma="1/4",
    )
    assert found.vectors == ("z", "F z", "past")
    assert found.away == {"past": "1", "F z": "1"}
    assert "past − F z*" in str(found)
    P = np.array([[float(v) for v in line] for line in found.matrix])
    rng = np.random.default_rng(5)
    for onto in LINES[::4]:
        for b in (-0.8, 0.0, 0.6):
            M = 0.5 * UNIT + b * TURN
            own = np.block(
                [[onto @ (UNIT - 2 * gamma * M), gamma * onto], [M, np.zeros((2, 2))]]
            )  # of (z − z*, F z₋ − F z*)
            assert spectral(own) <= float(found.theta) + 1e-12
            state = rng.standard_normal(4)
            values = []
            for _ in range(12):
                z, past_value = state[:2], state[2:]
                rows = np.stack([z, M @ z, past_value])
                values.append(float(np.einsum("ij,ik,jk->", P, rows, rows)))
                state = own @ state
            ratios = np.array(values[1:]) / np.array(values[:-1])
            assert ratios.max() <= float(found.theta) + 1e-9
    for path in found.write_certificates(tmp_path):
        assert not recheck_file(path).numbers_only
        changed = json.loads(path.read_text())
        changed["statement"]["potential"]["away"] = {"past": "2"}
        changed["digest"] = recheck.digest(changed)
        path.write_text(json.dumps(changed))
        with pytest.raises((NotCertified, OpcheckError)):
            recheck_file(path)


def test_properties_of_a_are_used(tmp_path: Path) -> None:
    """With A strongly monotone the rate is better, and no better than where A = μI + a line's.

    For Douglas–Rachford F and A change places when both resolvents do: the rates are the same.
    """
    given = [*PLAIN, "StronglyMonotone(1/2) of A"]
    alone = lyapunov(
        "forward_backward_forward", given, vectors=["z"], constrained=True, gamma="1/2"
    )
    assert alone.theta == Q(25, 36)
    held = lyapunov("forward_backward_forward", given, constrained=True, gamma="1/2")
    assert held.theta < alone.theta
    assert "StronglyMonotone(1/2) of A" in held.given
    with pytest.raises(NotCertified):
        lyapunov("forward_backward_forward", PLAIN, theta="99/100", constrained=True, gamma="1/2")
    worst = 0.0
    for b in np.linspace(-1, 1, 21):
        F = b * TURN
        J = UNIT / (1 + 0.25)  # A = I/2
        bar = J @ (UNIT - 0.5 * F)
        worst = max(worst, np.linalg.norm(bar - 0.5 * F @ (bar - UNIT), 2) ** 2)
    assert worst <= float(held.theta) + 1e-12
    own = {"gamma": 1, "lam": 1, "constrained": True}
    plain = ["StronglyMonotone(1) of A", "Lipschitz(2) of F", "Monotone of F"]
    one = lyapunov("douglas_rachford", plain, **own)
    other = lyapunov("douglas_rachford", ["StronglyMonotone(1) of F", "Lipschitz(2) of A"], **own)
    assert one.smallest == pytest.approx(other.smallest, abs=2e-6)
    for path in one.write_certificates(tmp_path):
        assert not recheck_file(path).numbers_only
        silent = json.loads(path.read_text())  # uses of A what its words do not say
        silent["statement"]["hypotheses"] = ["Lipschitz(2) of F", "Monotone of F"]
        silent["digest"] = recheck.digest(silent)
        path.write_text(json.dumps(silent))
        with pytest.raises((NotCertified, OpcheckError)):
            recheck_file(path)


STRONG_A = "StronglyMonotone(1) of A"
AUTOLYAP: list[tuple[str, list[str], dict[str, Any], int, float]] = [
    # the published values of AutoLyap 0.2.1's examples over operators (docs/source/data), words of
    # a solver in floats; forward-backward-forward by its own program with Clarabel
    ("douglas_rachford", ["Cocoercive(1) of F", STRONG_A], {"lam": "59/100"}, 0, 0.555093264),
    ("douglas_rachford", ["Cocoercive(1) of F", STRONG_A], {"lam": "179/100"}, 0, 0.624099995),
    ("douglas_rachford", [*PLAIN, STRONG_A], {"lam": "119/100"}, 0, 0.640039785),
    (
        "douglas_rachford",
        ["Cocoercive(1/2) of F", "StronglyMonotone(1) of F"],
        {"gamma": "3/4", "lam": 2},
        0,
        0.172413784,
    ),
    (
        "douglas_rachford",
        ["Lipschitz(2) of F", "StronglyMonotone(1) of F"],
        {"gamma": "9/2", "lam": 2},
        0,
        0.802201487,
    ),
    ("forward_backward_forward", STRONG, {"gamma": "1/2"}, 0, 0.808857190),
    ("forward_backward_forward", STRONG, {"gamma": "1/2"}, 1, 0.808857190),
    *(
        ("forward_reflected_backward", [*PLAIN, STRONG_A], {"gamma": gamma}, 0, value)
        for gamma, value in {
            "1/10": 0.826818176,
            "1/5": 0.698687437,
            "3/10": 0.607245468,
            "1/2": 0.500171759,
            "7/10": 0.770920063,
            "4/5": 0.901481882,
            "87/100": 0.990024567,
        }.items()
    ),
]


@pytest.mark.parametrize(("method", "given", "own", "history", "value"), AUTOLYAP)
def test_the_values_of_autolyap_are_reached(
    method: str, given: list[str], own: dict[str, Any], history: int, value: float
) -> None:
    found = lyapunov(method, given, constrained=True, history=history, **{"gamma": 1} | own)
    assert found.smallest is not None
    assert found.smallest <= value + 1e-6
    assert found.smallest <= float(found.theta) <= value + 1e-5
    assert found.valid


def test_a_history_knows_what_the_step_met(tmp_path: Path) -> None:
    """V with the values of the last step, on runs; and not below what linear operators show."""
    given = [*PLAIN, STRONG_A]
    own: dict[str, Any] = {"constrained": True, "gamma": "1/2"}
    found = lyapunov("forward_reflected_backward", given, history=1, **own)
    short = lyapunov("forward_reflected_backward", given, vectors=["z", "past"], **own)
    assert found.theta == Q(1, 2)
    assert short.theta == Q(8, 9)
    assert lyapunov("forward_reflected_backward", given, **own).theta == Q(1, 2)
    assert found.covers == (
        "every step from k = 2 on: they depend on z and past alone, "
        "and z and past 1 step before are arbitrary"
    )
    assert "before(z) − z*" in str(found)
    P = np.array([[float(v) for v in line] for line in found.matrix])
    rng = np.random.default_rng(11)
    slowest = 0.0
    for b in (-1.0, -0.6, 0.0, 0.8, 1.0):
        for c in (-1.0, 0.0, 2.0):  # F = b J, and A = I + c J + the normals of a line
            F, A = b * TURN, UNIT + c * TURN
            for onto in (UNIT, *LINES[::6]):
                resolvent = np.linalg.pinv(onto @ (UNIT + A / 2) @ onto)
                step = np.block([[resolvent @ (UNIT - F), resolvent / 2], [F, np.zeros((2, 2))]])
                slowest = max(slowest, spectral(step))
                state = rng.standard_normal(4)
                state = step @ state
                seen: list[float] = []
                for _ in range(10):
                    after = step @ state
                    parts = {"z": after[:2], "past": after[2:]}
                    parts |= {"before(z)": state[:2], "before(past)": state[2:]}
                    parts |= {"F z": F @ after[:2], "before(F z)": F @ state[:2]}
                    rows = np.stack([parts[name] for name in found.vectors])
                    seen.append(float(np.einsum("ij,ik,jk->", P, rows, rows)))
                    assert seen[-1] >= float(after[:2] @ after[:2]) - 1e-9
                    state = after
                for one, other in itertools.pairwise(seen):
                    assert other <= 0.5 * one + 1e-9
    assert 0.4 < slowest <= 0.5 + 1e-12
    for path in found.write_certificates(tmp_path):
        assert "the run is what the text of" in recheck_file(path).run
        document = json.loads(path.read_text())
        stated = rerun.reading(document)
        potential = document["statement"]["potential"]
        names = potential["vectors"]
        for change in (
            {"history": 2},
            {"away": {"past": "1", "z": "1"}},
            {"vectors": [n.replace("before(z)", "z") for n in names]},
            {"vectors": [n.replace("before(past)", "before(before(past))") for n in names]},
        ):
            document["statement"]["potential"] = potential | change
            document["digest"] = recheck.digest(document)
            with pytest.raises((rerun.Differs, LookupError, AssertionError)):
                assert rerun.reading(document).bound == stated.bound  # by the second reader alone
            path.write_text(json.dumps(document))
            with pytest.raises(NotCertified):
                recheck_file(path)


@pytest.mark.parametrize("name", ["forward_backward_forward", "extragradient", past])
def test_what_a_step_fills_is_what_a_run_leaves_in_the_rows(name: str) -> None:
    """The rows that V may be made of do not feel what they held before."""
    method = resolve(name)
    values = {p.name: 0.25 for p in method.parameters}
    exact = {p.name: fmpq(1, 4) for p in method.parameters}
    carried, rows = memory(method, exact, first=1), filled(method, exact, first=1)
    assert carried is not None
    assert not {*carried} & {*rows}
    rng = np.random.default_rng(1)
    M = rng.normal(size=(3, 3)) / 3
    params = np.array(method.pack(values, 9), dtype=float)

    def ended(state: np.ndarray) -> dict[str, np.ndarray]:
        def F(z: Any, out: Any, data: Any) -> None:
            out[:] = M @ z

        method.kernel(F, None, identity, None, state, params, 3, 1)
        return dict(zip(method.rows, state, strict=True))

    start = rng.normal(size=(len(method.rows), 3))
    other = start.copy()
    for i, row in enumerate(method.rows):
        if row not in ("z", *carried):
            other[i] = rng.normal(size=3)
    one, two = ended(start), ended(other)
    for row in method.rows[1:]:
        if row not in carried:
            assert np.array_equal(one[row], two[row]) == (row in rows), row


def test_the_proximal_point_method_uses_what_is_known_of_f_and_of_a() -> None:
    """(1 + γ(μ_F + μ_A))⁻²: F and A are told apart at the points of S = F + A."""
    given = ["StronglyMonotone(1/4) of F", "Lipschitz(1) of F"]
    for vectors in ([], ["z"]):  # also where V asks for no F z
        one = lyapunov("proximal_point", given, vectors=vectors, constrained=True, gamma=1)
        assert one.theta == Q(16, 25)
    both = lyapunov(
        "proximal_point", [*given, "StronglyMonotone(1/4) of A"], constrained=True, gamma=1
    )
    assert both.theta == Q(4, 9)


def test_a_potential_with_any_monotone_a_and_no_rate() -> None:
    """Malitsky and Tam (2020), γ < 1/(2L): with F z − F z*, and none from γ = 1/(2L) on."""
    method, own = "forward_reflected_backward", {"constrained": True, "theta": 1}
    assert lyapunov(method, PLAIN, gamma="1/4", **own).valid
    with pytest.raises(NotCertified):
        lyapunov(method, PLAIN, gamma="3/4", **own)


def test_a_class_of_one_point_is_told() -> None:
    for method, other in (
        ("gradient_descent_ascent", "Lipschitz(1)"),
        ("proximal_point", "Cocoercive(1)"),
    ):
        with pytest.raises(OpcheckError, match="nothing to shrink"):
            lyapunov(method, ["StronglyMonotone(2) of F", f"{other} of F"], gamma="1/4")
    whole = lyapunov("gradient_descent_ascent", ["StronglyMonotone(1)", "Lipschitz(1)"], gamma=1)
    assert whole.theta == 0  # F z = z − z*
    grows = lyapunov("gradient_descent_ascent", PLAIN, theta=2, gamma="1/4")
    assert any("may grow" in note for note in grows.notes)


def test_no_residual_grows_in_the_proximal_point_method() -> None:
    given = ["Comonotone(-1/4) of F"]
    assert lyapunov("proximal_point", given, above="residual", gamma=1).theta == 1


def test_a_file_says_what_v_is_and_none_is_about_nothing(tmp_path: Path) -> None:
    found = lyapunov("extragradient", STRONG, vectors=["z"], gamma="1/2")
    decreases, bounds = found.write_certificates(tmp_path)
    for path in (decreases, bounds):
        assert "V = (1) ⟨z − z*, z − z*⟩" in recheck_file(path).proved
    document = json.loads(decreases.read_text())
    document["statement"]["potential"]["matrix"] = [["0"]]
    document["measure"] = document["bound"] = document["multipliers"] = []
    document["ratio"] = "0"
    document["digest"] = recheck.digest(document)
    decreases.write_text(json.dumps(document))
    with pytest.raises(NotCertified, match="V is 0"):
        recheck_file(decreases)
    words = [sys.executable, "-I", "-S", str(recheck.__file__), str(decreases)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "V is 0" in done.stdout + done.stderr


def test_rows_that_are_points_are_told_from_the_solution() -> None:
    found = lyapunov("projected_reflected_gradient", STRONG, gamma="1/4")
    assert "‖last − z*‖²" in str(found)
    assert "‖last‖²" not in str(found)


def test_properties_of_a_that_say_nothing_are_refused() -> None:
    for given, constrained, said in (
        ("StronglyMonotone(1/4) of A", False, "A is 0 here"),
        ("Monotone of A", True, "already"),
    ):
        with pytest.raises(OpcheckError, match=said):
            lyapunov("extragradient", [*PLAIN, given], constrained=constrained, gamma="1/4")


def test_douglas_rachford_is_measured_from_where_it_stays(tmp_path: Path) -> None:
    """A16: from z* there is no potential; from z* + γ F z* the rate is that of the worst line.

    With A the normals of a line and F = aI + bJ the step is linear, and the largest of its norms
    over lines, a ≥ 1 and a² + b² ≤ 4 is a lower bound.
    """
    given = ["StronglyMonotone(1) of F", "Lipschitz(2) of F"]
    proved = lyapunov("douglas_rachford", given, constrained=True, gamma=1, lam=1)
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    worst = 0.0
    for b in np.linspace(-(3**0.5), 3**0.5, 41):
        resolvent = np.linalg.inv(2 * np.eye(2) + b * turn)
        for angle in np.linspace(0, np.pi, 241):
            along = np.array([np.cos(angle), np.sin(angle)])
            onto = np.outer(along, along)
            step = np.eye(2) - resolvent + onto @ (2 * resolvent - np.eye(2))
            worst = max(worst, np.linalg.norm(step, 2) ** 2)
    assert worst == pytest.approx(0.684469, abs=1e-4)
    assert 0 <= float(proved.theta) - worst < 2e-4
    assert str(proved) == "‖z − z* − gamma F z*‖²"
    free = lyapunov("douglas_rachford", given, gamma=1, lam=1)
    assert "gamma" not in str(free)  # where A = 0 both are z*
    for path in proved.write_certificates(tmp_path):
        assert "the run is what the text of douglas_rachford gives" in recheck_file(path).run
        document = json.loads(path.read_text())
        as_stated = rerun.reading(document).bound
        for shadow in ("2", "0"):
            document["statement"]["potential"]["shadow"] = shadow
            assert rerun.reading(document).bound != as_stated  # by the second reader alone
            document["digest"] = recheck.digest(document)
            path.write_text(json.dumps(document))
            with pytest.raises(NotCertified):
                recheck_file(path)


def test_extragradient_does_better_than_one_minus_gamma_mu() -> None:
    stated = lyapunov("extragradient", STRONG, theta="7/8", gamma="1/2")
    assert stated.theta == Q(7, 8)
    alone = lyapunov("extragradient", STRONG, vectors=["z"], gamma="1/2")
    better = lyapunov("extragradient", STRONG, gamma="1/2")
    f = slopes()
    lowest = float((abs(1 - f / 2 + f**2 / 4) ** 2).max())
    assert lowest <= float(better.theta) < float(alone.theta) < 0.875
    assert better.theta <= Q(798, 1000)
    with pytest.raises(NotCertified, match="no potential"):
        lyapunov("extragradient", STRONG, theta=Q(lowest) - Q(1, 1000), gamma="1/2")


@pytest.mark.parametrize("L", [Q(1, 100), Q(100)])
@pytest.mark.parametrize("method", ["extragradient", "gradient_descent_ascent"])
def test_the_rate_does_not_depend_on_the_unit(method: str, L: Fraction) -> None:
    """F and 1/γ in another unit: the same γL and γμ, the same θ."""
    there = lyapunov(method, [f"Lipschitz({L})", f"StronglyMonotone({L / 4})"], gamma=1 / (8 * L))
    here = lyapunov(method, STRONG, gamma="1/8")
    assert there.theta == here.theta
    assert there.smallest == pytest.approx(here.smallest, abs=1e-12)


def test_past_extragradient_needs_its_memory() -> None:
    with pytest.raises(NotCertified, match="made of z and above the distance"):
        lyapunov(past, PLAIN, theta=1, vectors=["z"], gamma="1/4")
    found = lyapunov(past, PLAIN, theta=1, gamma="1/4")
    assert found.vectors == ("z", "F z", "Fzbar")
    assert found.valid
    assert found.covers.endswith("z and Fzbar are arbitrary")
    worst = max(
        radius([[1 - f / 4, f / 16], [f, -f / 4]]) for f in slopes()
    )  # of (z, F z̄) ↦ (z⁺, F z̄⁺)
    linear = lyapunov(past, STRONG, gamma="1/4")
    assert worst <= float(linear.theta) <= worst + 1e-4
    with pytest.raises(NotCertified):
        lyapunov(past, STRONG, theta=Q(worst) - Q(1, 1000), gamma="1/4")


def test_lookahead_over_its_inner_steps() -> None:
    name = "lookahead(gradient_descent_ascent)"
    own = {"gamma": "1/4", "lam": "1/4", "tau": 2}
    found = lyapunov(name, PLAIN, theta=1, steps=2, **own)
    assert found.valid
    assert found.steps == 2
    # on a rotation by a right angle it grows for λ > 1/2, so nothing may be found there
    grows = abs(1 - 0.75 / 16 - 2j * 0.75 / 4) ** 2
    assert grows > 1
    with pytest.raises(NotCertified):
        lyapunov(name, PLAIN, theta=1, steps=2, **(own | {"lam": "3/4"}))
    with pytest.raises(OpcheckError, match="not the same at every k"):
        lyapunov(name, PLAIN, theta=1, **own)


def test_a_potential_above_the_residual() -> None:
    found = lyapunov(
        "extragradient", PLAIN, theta=1, above="residual", vectors=["F z"], gamma="1/2"
    )
    assert str(found) == "‖F z‖²"
    assert found.bounds.document["statement"]["measure"] == "residual"


# ---- what the numbers mean -----------------------------------------------------------------------


def sample(rng: np.random.Generator, mu: float) -> np.ndarray:
    """A matrix with ‖M‖ ≤ 1 and M + Mᵀ ⪰ 2μ."""
    d = 4
    skew = rng.normal(size=(d, d))
    skew -= skew.T
    root = rng.normal(size=(d, d))
    M = root @ root.T * rng.uniform(0, 0.3) + skew
    M *= rng.uniform(0.2, 1 - mu) / np.linalg.norm(M, 2)
    return np.asarray(M + mu * np.eye(d))


STEPS: dict[str, tuple[dict[str, str], Callable[[Any, np.ndarray, np.ndarray], Any]]] = {
    "extragradient": (
        {"gamma": "1/2"},
        lambda M, z, g: (z - M @ (z - M @ z / 2) / 2, g),
    ),
    past: ({"gamma": "1/4"}, lambda M, z, g: (z - M @ (z - g / 4) / 4, M @ (z - g / 4))),
}


@pytest.mark.parametrize("method", STEPS)
def test_runs_obey_the_potential(method: str) -> None:
    own, step = STEPS[method]
    found = lyapunov(method, STRONG, **own)
    P = np.array([[float(v) for v in line] for line in found.matrix])
    rng = np.random.default_rng(3)
    most = 0.0
    for _ in range(300):
        M, z, g = sample(rng, 0.25), rng.normal(size=4), rng.normal(size=4)

        def value(z: np.ndarray, g: np.ndarray, M: np.ndarray = M) -> float:
            rows = {"z": z, "F z": M @ z, "Fzbar": g}
            v = np.array([rows[name] for name in found.vectors])
            return float(np.sum(P * (v @ v.T)))

        before = value(z, g)
        assert before >= (1 - 1e-12) * float(z @ z)
        after = value(*step(M, z, g))
        assert after <= (1 + 1e-12) * float(found.theta) * before
        most = max(most, after / before)
    assert most > 0.5 * float(found.theta)  # the sample is not idle


def plain_methods() -> list[str]:
    entries = [registry.get("methods", n) for n in registry.names("methods")]
    return [e.name for e in entries if isinstance(e, Method)] + [
        f"{e.name}(extragradient)" for e in entries if isinstance(e, Over)
    ]


@pytest.mark.parametrize("name", plain_methods())
def test_rows_that_are_carried_over_are_those_that_matter(name: str) -> None:
    """Against runs: what another row holds at the start is not felt, what these hold is."""
    method = resolve(name)
    values = {p.name: 3 if p.integer else 0.25 for p in method.parameters}
    rows = memory(method, values)
    if rows is None:
        return
    rng = np.random.default_rng(1)
    M = rng.normal(size=(3, 3)) / 3
    params = np.array(method.pack(values, 9), dtype=float)

    def run(state: np.ndarray) -> np.ndarray:
        state = state.copy()

        def F(z: Any, out: Any, data: Any) -> None:
            out[:] = M @ z

        method.kernel(F, None, identity, None, state, params, 0, 4)
        return state[0]

    start = rng.normal(size=(len(method.rows), 3))
    end = run(start)
    for i, row in enumerate(method.rows[1:], start=1):
        other = start.copy()
        other[i] = rng.normal(size=3)
        assert (not np.allclose(run(other), end)) == (row in rows), row


def test_both_claims_hold_by_the_solver_at_the_reported_coefficients() -> None:
    found = lyapunov("extragradient", STRONG, gamma="1/2")
    block = block_of("extragradient", STRONG, {"gamma": "1/2"})
    down = Program(decrease(block, found.matrix)).smallest().theta
    above = Program(least(block, found.matrix, "distance")).smallest().theta
    assert float(found.theta) - 1e-4 < down <= float(found.theta) + 1e-7
    assert above <= 1 + 1e-7


def test_a_form_is_the_one_that_is_printed() -> None:
    """Σ P_ij ⟨v_i, v_j⟩, its off-diagonal entries twice, on vectors of numbers."""
    rng = np.random.default_rng(4)
    root = rng.integers(-5, 6, (3, 3))
    P = root + root.T
    block = block_of(past, PLAIN, {"gamma": "1/4"})
    matrix = tuple(tuple(Q(int(v)) for v in line) for line in P)
    claimed = decrease(block, matrix)
    basis = rng.normal(size=(len(claimed.basis), 4))
    _, states = block.run(1)
    for products, at in ((claimed.bound, states[0]), (claimed.measure, states[1])):
        value = sum(
            float(c)
            * (np.array([float(e) for e in u]) @ basis @ (np.array([float(e) for e in v]) @ basis))
            for c, u, v in claimed.inner(products)
        )
        rows = np.array([[float(e) for e in at[name]] for name in block.vectors]) @ basis
        assert value == pytest.approx(float(np.sum(P * (rows @ rows.T))), rel=1e-12)
    shown = str(dataclasses.replace(lyapunov(past, PLAIN, theta=1, gamma="1/4"), matrix=matrix))
    assert f"{abs(2 * P[0, 1])} ⟨z − z*, F z⟩" in shown


def wrong_sign(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """z⁺ = z + γ F z."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        for i in range(state.shape[1]):
            state[0][i] += params[0] * state[1][i]


def adaptive(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """z⁺ = z − γ F z/‖F z‖²."""
    for _ in range(n):
        F(state[0], state[1], F_data)
        size = state[1][0] * state[1][0]
        for i in range(state.shape[1]):
            state[0][i] -= params[0] * state[1][i] / size


@pytest.mark.usefixtures("own_methods")
def test_kernels_of_ones_own() -> None:
    for kernel in (wrong_sign, adaptive):
        opcheck.method(
            kernel.__name__,
            params="gamma",
            rows="z Fz",
            calls=1,
            constrained=False,
            source="nobody",
        )(kernel)
    with pytest.raises(NotCertified, match="decreases at all"):
        lyapunov("wrong_sign", STRONG, gamma="1/4")
    with pytest.raises(OpcheckError, match="no potential to search for"):
        lyapunov("adaptive", STRONG, gamma="1/4")


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Potential, list[Path]]:
    found = lyapunov(past, STRONG, theta="9/10", gamma="1/4")
    return found, found.write_certificates(tmp_path_factory.mktemp("potential"))


def test_the_stand_alone_script_accepts_both_files(
    saved: tuple[Potential, list[Path]],
) -> None:
    _, paths = saved
    words = [sys.executable, "-I", "-S", str(recheck.__file__), *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "measure ≤ 9/10 · bound" in done.stdout
    for path in paths:
        assert "the run is what the text of past_extragradient gives" in recheck_file(path).run


def rate_lowered(document: dict[str, Any]) -> None:
    document["ratio"] = "4/5"


def coefficient_changed(document: dict[str, Any]) -> None:
    document["statement"]["potential"]["matrix"][0][0] = "100"


def step_changed(document: dict[str, Any]) -> None:
    document["statement"]["parameters"]["gamma"] = "1/8"


def memory_given_away(document: dict[str, Any]) -> None:
    """The row at the start as a multiple of z: less than the method's text allows."""
    for call in document["calls"]:
        if "Fzbar0" in call["before"]:
            call["before"] = {"z0": "1"}


@pytest.mark.parametrize(
    "change", [rate_lowered, coefficient_changed, step_changed, memory_given_away]
)
def test_changed_files_are_rejected(
    saved: tuple[Potential, list[Path]], change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    found, paths = saved
    document = json.loads(paths[0].read_text())
    change(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    with pytest.raises(NotCertified, match="its digest does not fit"):
        recheck_file(path)
    document["digest"] = recheck.digest(document)
    path.write_text(json.dumps(document))
    with pytest.raises(NotCertified):
        recheck_file(path)
    if change is rate_lowered:  # that one the arithmetic alone rejects
        with pytest.raises(recheck.Rejected, match="no sum of squares"):
            recheck.check(document)
    assert found.valid


# ---- the command ---------------------------------------------------------------------------------


def invoke(*words: str) -> Any:
    return CliRunner().invoke(main, ["lyapunov", *words])


def test_the_command_prints_writes_and_fails(tmp_path: Path) -> None:
    given = ["--given", STRONG[0], "--given", STRONG[1], "-p", "gamma=1/8"]
    method = "gradient_descent_ascent"
    shown = invoke(method, *given, "--out", str(tmp_path))
    assert shown.exit_code == 0, shown.output
    assert "θ = 61/64" in shown.output
    assert "V       ‖z − z*‖²" in shown.output
    assert len(list(tmp_path.iterdir())) == 2
    plain = json.loads(invoke(method, *given, "--json").stdout)
    assert plain["theta"] == "61/64"
    assert plain["matrix"][0][0] == "1"
    none = invoke(method, *given, "--theta", "60/64")
    assert none.exit_code == 1
    assert "no potential" in none.output
    document = json.loads(invoke(method, *given, "--theta", "60/64", "--json").stdout)
    assert document["potential"] is None


BAD = [
    (["--given", "Lipschitz of F"], "needs a constant"),
    (["--given", "Lipschitz(-1)"], "not negative"),
    (["--given", "Lipschitz(sqrt(2))"], "irrational constant"),
    (["--given", "Fast(1)"], "is no property"),
    (["--given", "Monotone(2)"], "has no constant"),
    (["--given", "Monotone of A"], "A is 0 here"),
    (["--given", "Monotone", "-p", "tau=3"], "has no parameter 'tau'"),
    (["--given", "Monotone", "-p", "gamma=x"], "no value for x"),
    (["--given", "Monotone", "-p", "gamma"], "is no parameter"),
    (["--given", "Monotone"], "needs a value for gamma"),
    (["--given", "Monotone", "-p", "gamma=1", "--vector", "Fz"], "is made of z, F z, not of Fz"),
    (["--given", "Monotone", "-p", "gamma=1", "--theta", "sqrt(2)"], "irrational"),
    (["--given", "Monotone", "-p", "gamma=1", "--theta", "-1"], "must not be negative"),
    (["--given", "Monotone", "-p", "gamma=1", "--steps", "0"], "from 1 on"),
    (["--given", "Monotone", "-p", "gamma=1", "--history", "-1"], "from 0 on"),
    (
        ["--given", "Monotone", "-p", "gamma=1", "--history", "1", "--vector", "before(zbarr)"],
        "before(F z), not of before(zbarr)",
    ),
    (
        ["--given", "Monotone", "-p", "gamma=1", "--above", "residual", "--vector", "z"],
        "does not bound the residual",
    ),
    (["-p", "gamma=1"], "given"),
]


@pytest.mark.parametrize(("words", "sentence"), BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(words: list[str], sentence: str) -> None:
    shown = invoke("extragradient", *words)
    assert shown.exit_code == 2
    assert sentence in shown.output
    assert "Traceback" not in shown.output
    assert len(shown.output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("method", "own", "sentence"),
    [
        ("halpern", {}, "not the same at every k"),
        ("feg", {"constrained": True, "gamma": 1, "rho": 0}, "no form with A"),
        ("lookahead", {}, "runs over another method"),
    ],
)
def test_methods_without_such_a_potential(method: str, own: Any, sentence: str) -> None:
    with pytest.raises(OpcheckError, match=sentence):
        lyapunov(method, PLAIN, **own)


def test_an_irrational_parameter_is_replaced_and_said_so() -> None:
    found = lyapunov("extragradient", PLAIN, theta=1, gamma="1/sqrt(2)")
    (note,) = found.notes
    assert "irrational" in note
    value = Q(found.parameters["gamma"])
    assert abs(float(value) - 0.5**0.5) < 1e-5
    assert found.valid
