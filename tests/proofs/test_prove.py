"""Symbolic proofs: what is proved, what must be refused, and each piece against plain numbers."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from executed import executed
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.arguments import Plain
from oracles.exact_runs import Affine
from oracles.printed import Printed
from registered import expressible, stated

import opcheck
from opcheck import problem_family, registry
from opcheck.cli import main
from opcheck.engine.forms import Coefficient
from opcheck.engine.ratio import Field, Period, Ratio, factorised
from opcheck.engine.run import take
from opcheck.engine.steps import Steps
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.certificates.certificate import certify
from opcheck.evidence.proofs.prove import (
    NotProved,
    _cases,
    _complete,
    _parts_of,
    attempt,
    established,
    prove,
)
from opcheck.evidence.proofs.turns import Turning
from opcheck.evidence.simulation.mutants import _changed, kernel_changes
from opcheck.evidence.statement.exact_parameters import setting
from opcheck.evidence.statement.positivity import Constraint, Domain
from opcheck.evidence.worst_case.worst_case import Program
from opcheck.model import signature
from opcheck.model.method import Method, method, resolve
from opcheck.model.primitives import EXTRA_ROWS, at, axpy, combine, copy
from opcheck.model.proof import Proof
from opcheck.model.property import (
    Cocoercive,
    Lipschitz,
    Monotone,
    Nonexpansive,
    QuasiNonexpansive,
    StronglyMonotone,
    exact,
)
from opcheck.model.theorem import Source, Theorem, theorem
from opcheck.report import proofs

registry.load()
DECLARED = [n for n in registry.names("theorems") if registry.get("theorems", n).proof]
Array = Any


def arguments(name: str) -> Proof:
    found: Proof | None = registry.get("theorems", name).proof
    assert found is not None
    return found


# ---- what is proved ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DECLARED)
@pytest.mark.sampled(4)
def test_declared_arguments_show_their_theorems(name: str) -> None:
    found = prove(name)
    assert {lemma.name.partition(",")[0] for lemma in found.lemmas} >= {"end"}
    assert found.covers.startswith("every k")


def test_enough_theorems_are_declared_and_so_proved() -> None:
    assert len(DECLARED) >= 30
    for part in ("rapp", "la_", "eg_", "halpern", "feg", "peg"):
        assert any(part in name for name in DECLARED)


# ---- the arguments in plain numbers --------------------------------------------------------------


def operator(entry: Theorem, constants: dict[str, Fraction], seed: int) -> Array:
    """A random normal matrix with the properties: complex numbers f that lie in the class."""
    rng = np.random.default_rng(seed)
    if entry.on:
        (family,) = entry.on
        asked = {n: float(v) for n, v in constants.items()}
        problem = registry.get("problems", family)(**asked)
        return np.array([problem.operator(e) for e in np.eye(problem.operator.dim)]).T
    blocks: list[complex] = []
    for _ in range(4000):
        f = complex(*rng.uniform(-2, 2, 2))
        if rng.random() < 0.3:
            f /= abs(f)
        if all(_holds(p, constants, f) for p in entry.asked):
            blocks.append(f)
        if len(blocks) == 3:
            break
    n = 2 * len(blocks)
    M = np.zeros((n, n))
    for i, f in enumerate(blocks):
        M[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[f.real, -f.imag], [f.imag, f.real]]
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return Q @ M @ Q.T


def _holds(prop: Any, constants: dict[str, Fraction], f: complex) -> bool:
    value = constants.get(prop.constant) if prop.kind.better else None
    a, b, c = (float(v) for v in prop.form(value))
    return a + 2 * b * f.real + c * abs(f) ** 2 >= -1e-12


# a parameter of a family has no place in a range; those with a horizon are looked at apart
ALONG_RUNS = [
    n
    for n in DECLARED
    if arguments(n).potential
    and not arguments(n).horizon
    and n != "gorbunov2023_eg_limit"
    and "best(" not in registry.get("theorems", n).measure
]


@pytest.mark.parametrize("place", ["low", "middle", "high"])
@pytest.mark.parametrize("name", ALONG_RUNS)
@pytest.mark.sampled(4)
def test_potentials_do_not_grow_along_runs(name: str, place: Any) -> None:
    """The same texts, read by another reader on runs in floats."""
    entry = registry.get("theorems", name)
    proof, steps = arguments(name), 12
    inside = any(c.name == "tau" and c.hi is None for c in entry.chains)
    chosen = setting(entry, 8, steps, place, {"tau": "3"} if inside else {})
    for seed in range(3):
        M = operator(entry, dict(chosen.constants), seed)
        assert M.size
        run = Plain(entry, dict(chosen.values), M, steps)
        last = 5 if "**(-2*k)" in proof.potential else 9  # rounding grows by 1/q² a step
        values = [run.read(proof.potential, k) for k in range(proof.begin, last)]
        size = 1e-9 * (1 + max(abs(v) for v in values))
        assert values[0] <= run.read(proof.at_most, proof.begin) + size
        assert all(v <= u + size for u, v in itertools.pairwise(values))
        for k in range(max(entry.first, proof.begin), last - 1):
            measured, bound = run.read(entry.measure, k), run.read(entry.bound, k)
            assert measured <= bound * (1 + 1e-9)


# ---- what must be refused ------------------------------------------------------------------------


def show(entry: Theorem, changed: str) -> None:
    """``prove``, but of an argument that is declared only the part that was changed."""
    assert entry.proof is not None
    _complete(entry, entry.proof)
    for part, case in _parts_of(entry.proof):
        if part == changed:
            list(_cases(entry, part, case))


@pytest.mark.parametrize("name", DECLARED)
@pytest.mark.sampled(8)
def test_no_inequality_of_an_argument_is_superfluous(name: str) -> None:
    proof = arguments(name)
    for part in ("start", "step", "end"):
        for inequality in getattr(proof, part):
            rest = {i: m for i, m in getattr(proof, part).items() if i != inequality}
            with pytest.raises(NotProved):
                show(stated(name, proof=dataclasses.replace(proof, **{part: rest})), part)


FAST = ["lee2021_feg", "lieder2021_halpern", "gorbunov2022_eg_last", "pethick2022_ceg_plus"]
SOME = [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in DECLARED]


@pytest.mark.parametrize("name", SOME)
def test_what_shows_a_part_shows_it_alone(name: str) -> None:
    for part in ("start", "step", "end"):
        show(stated(name), part)


@pytest.mark.parametrize("name", SOME)
def test_negative_multipliers_are_refused(name: str) -> None:
    proof = arguments(name)
    for part in ("start", "step", "end"):
        for inequality, multiplier in getattr(proof, part).items():
            turned = {**getattr(proof, part), inequality: f"-({multiplier})"}
            with pytest.raises(NotProved):
                prove(stated(name, proof=dataclasses.replace(proof, **{part: turned})))


@pytest.mark.parametrize("name", [n for n in DECLARED if registry.get("theorems", n).reaches == 1])
@pytest.mark.sampled(4)
def test_a_bound_below_its_tight_value_is_not_proved(name: str) -> None:
    entry = registry.get("theorems", name)
    with pytest.raises(NotProved):
        prove(stated(name, bound=f"99/100*({entry.bound})"))


def changed_kernels(name: str) -> Iterator[tuple[str, Theorem]]:
    entry = registry.get("theorems", name)
    for part in re.findall(r"\w+", entry.method):
        for what, kernel in kernel_changes(registry.get("methods", part).kernel):
            mutant = dataclasses.replace(entry)
            mutant.__dict__["iteration"] = _changed(entry.method, part, kernel)
            yield f"{part}: {what}", mutant


def equivalent(name: str, what: str) -> bool:
    """Changes of a kernel that leave the statement true."""
    entry = registry.get("theorems", name)
    if what.endswith(": lost") and re.search(r": J\(", what) and not entry.constrained:
        return True  # A = 0, so J is the identity
    if "k + j: − for +" in what:
        return True  # j = 0 in the one step that is made
    if name == "pethick2023_ikm_residual":
        return True  # about any w at all, and about a z that does not move
    if name in ("pethick2023_ikm_average", "pethick2023_ikm_last"):
        # they measure how far w is from the resolvent, and hold for any w
        return "w" in what or "-gamma" in what
    if name.startswith("elementary_") and what.endswith("-gamma: sign lost"):
        return entry.proof is not None and "0" in entry.proof.turn[:1]  # |p(iγL)|: γ and −γ agree
    if name == "elementary_first_steps_projected_reflected_gradient":
        return "copy(last, z): lost" in what  # it is z⁰ until the second step
    if name == "elementary_lookahead_past_extragradient":
        return "zbar" in what  # with τ = 1 every step begins anew, at z̄ = z
    if name == "gorbunov2023_eg_limit":  # no such step comes closer, of a past or of no look-ahead
        return "F at z instead" in what or "axpy(z, z, -alpha * gamma, Fzbar): lost" in what
    if what == "past_extragradient: copy(zbar, z): lost":
        return True  # it is z⁰ from the start
    if name == "nemirovski2004_eg_gap" and "F at z instead" in what:
        return True  # of z⁺ = z − γ F z with the gap ⟨F z, z̄⟩ the statement is true as well
    if name == "tseng2000_fbf_gap":  # true of g made of any z̄ at all, and of g = z − z̄
        return what.endswith(("J(g, gamma, zbar, J_data): lost", "F at z instead"))
    return name == "pethick2023_relaxed_monotone" and "combine" in what  # z does not move


@pytest.mark.parametrize("name", SOME)
@pytest.mark.ci
def test_changed_kernels_are_not_proved(name: str) -> None:
    for what, mutant in changed_kernels(name):
        if not equivalent(name, what):
            assert attempt(mutant).status == "not proved", what


def test_wrong_declarations_are_refused_with_the_reason() -> None:
    def reason(name: str, changes: dict[str, Any], **of_proof: Any) -> str:
        proof = dataclasses.replace(arguments(name), **of_proof)
        found = attempt(stated(name, proof=proof, **changes))
        assert found.status == "not proved"
        return found.reason

    eg = "gorbunov2022_eg_last"
    # beyond 1/L the bound has a pole, and multipliers turn negative
    assert "divides by 0 at L = 1, gamma = 1" in reason(eg, {"where": "0 < gamma < 11/10/L"})
    assert "≥ 0" in reason(
        "combettes2015_fb_averaged",
        {},
        end={"Resolvent(next(z), solution)": "2*gamma", "Cocoercive(z, solution)": "beta - gamma"},
    )
    assert "upper bounds" in reason(eg, {"claim": "equality"})
    assert "starts after" in reason(eg, {}, begin=1)
    assert "begin later" in reason("gidel2019_peg_contraction", {}, begin=0)
    la = "pethick2023_la_gda_two"
    assert "not all k" in reason(la, {}, cases=[{"k": "2*m"}])
    assert "c*m + r" in reason(la, {}, cases=[{"k": "m*m"}])
    assert "add it to given" in reason(eg, {}, step={"Cocoercive(z, next(z))": "1"})
    assert "neither a hypothesis" in reason(eg, {}, step={"Coercive(z, next(z))": "1"})
    assert "not a formula" in reason(eg, {}, potential="distance +")
    assert "quadratic" in reason(eg, {}, potential="k")
    assert "solution only" in reason(
        "diakonikolas2021_eg_plus_base", {}, step={"WeakMinty(z, zbar)": "1"}
    )
    assert "nor a symbol" in reason(eg, {}, step={"Monotone(zbar)": "2*mu"})
    assert "mean 'zbar'" in reason(eg, {}, step={"Monotone(zbbar)": "2*gamma"})
    assert "the end alone" in reason(eg, {}, potential="")
    assert "inner(u, v)" in reason(eg, {}, potential="distance + z*zbar")
    assert "no sum of squares at" in reason(eg, {}, step={})


def test_a_proof_is_a_proof() -> None:
    with pytest.raises(OpcheckError, match=r"write proof=Proof\(...\)"):
        theorem(
            "wrong",
            method="extragradient",
            measure="residual",
            bound="R**2",
            source=Source("none"),
            proof={"end": {}},  # type: ignore[arg-type]
        )


def test_functions_of_a_subdifferential_must_cancel() -> None:
    name = "korpelevich1976_eg_fejer"
    end = {i: m for i, m in arguments(name).end.items() if "solution, zbar" not in i}
    with pytest.raises(NotProved, match="is left with the factor"):
        prove(stated(name, proof=Proof(end=end)))


def test_what_has_no_argument_says_so(own_registry: None) -> None:
    theorem(
        "none_declared",
        method="extragradient",
        given=[Lipschitz("L", of="F"), Monotone(of="F")],
        where="0 < gamma < 1/L",
        measure="residual",
        bound="R**2",
        source=Source("none"),
    )
    with pytest.raises(OpcheckError, match="declares no potential"):
        opcheck.prove("none_declared")
    assert attempt(registry.get("theorems", "none_declared")).status == "none"


def test_a_negative_multiplier_is_refused_where_the_identity_holds() -> None:
    """‖z‖² ≤ ‖z⁺‖² + ‖z⁺ − z‖² is false for proximal steps, by −2γ⟨s, z⁺⟩ exactly."""
    name, multiplier = "rockafellar1976_ppm_contraction", "Monotone(next(z))"
    changes = {
        "given": (Monotone(of="S"),),
        "where": "0 < gamma < 1/L",
        "measure": "distance",
        "bound": "next(distance) + distance(z, before)",
    }
    false = stated(name, **changes, proof=Proof(end={multiplier: "-2*gamma"}))
    with pytest.raises(NotProved, match="multiplier"):
        prove(false)
    turned = changes | {"measure": changes["bound"], "bound": "distance"}
    prove(stated(name, **turned, proof=Proof(end={multiplier: "2*gamma"})))


def test_a_equal_to_0_says_nothing_of_f() -> None:
    """Where A = 0 its monotonicity must not stand in for that of F."""
    end = {"Resolvent(z, next(z))": "2/gamma", "Lipschitz(next(z), zbar)": "1"}
    given = (Lipschitz("L", of="F"),)
    assert (
        attempt(stated("gorbunov2022_eg_monotone", given=given, proof=Proof(end=end))).status
        == "not proved"
    )


@pytest.mark.parametrize("condition", ["k == 5", "5 == k", "gamma*L == 1/2", "mod(k, 2) == 1"])
def test_a_case_of_the_statement_is_not_left_out(condition: str) -> None:
    """It holds but for one k, one γ or every other k, where it is false by a factor of 1000."""
    measure = f"where({condition}, 1000, 1)*residual"
    assert attempt(stated("gorbunov2022_eg_last", measure=measure)).status == "not proved"


def test_roots_of_different_numbers_are_different() -> None:
    """√(k + 1) at k + 1 is not √(k + 1) at k: the potential grows."""
    name, proof = "gorbunov2022_eg_last", arguments("gorbunov2022_eg_last")
    potential, at_most = f"{proof.potential} + sqrt(k + 1)*R**2", "R**2 + sqrt(1)*R**2"
    grows = dataclasses.replace(proof, potential=potential, at_most=at_most)
    assert attempt(stated(name, proof=grows)).reason.startswith(f"{name}, step")


@pytest.mark.parametrize("at_most", ["R**2*(k + 1)", "distance"])
def test_what_the_potential_starts_below_does_not_move(at_most: str) -> None:
    proof = dataclasses.replace(arguments("gorbunov2022_eg_last"), at_most=at_most)
    assert "must not depend on k" in attempt(stated("gorbunov2022_eg_last", proof=proof)).reason


def test_the_origin_is_not_the_solution() -> None:
    """‖z⁺‖² ≤ ‖z‖²/(1 + γμ)² is true where z* = 0, and only there."""
    measure, bound = "next(norm2(z))", "norm2(z)/(1 + gamma*mu)**2"
    false = stated("rockafellar1976_ppm_contraction", measure=measure, bound=bound)
    assert "where the origin lies" in attempt(false).reason
    with pytest.raises(OpcheckError, match="where the origin lies"):
        certify(dataclasses.replace(false, proof=None), 1)


def odd_step(at: int) -> Callable[..., None]:
    """Gradient steps, but for one of them."""

    def kernel(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        z, Fz = state[0], state[1]
        for _ in range(n):
            F(z, Fz, F_data)
            axpy(z, z, 5 if k == at else -params[0], Fz)
            J(z, params[0], z, J_data)
            k += 1

    return kernel


@pytest.mark.parametrize("at", [0, 2, 7])
def test_a_step_that_is_not_like_the_others_counts(at: int) -> None:
    name = "elementary_gda_contraction"
    mutant = stated(name)
    mutant.__dict__["iteration"] = dataclasses.replace(
        mutant.iteration, kernel=odd_step(at), reference=None
    )
    assert attempt(mutant).status == "not proved"
    mutant.__dict__["iteration"] = dataclasses.replace(
        mutant.iteration, kernel=odd_step(-1), reference=None
    )
    assert attempt(mutant).status == "proved"


CHOICES = ["k - 1 == 0", "k", "not k", "params[0] == 1", "2 * params[0] == 1", "k < 3", "params[0]"]


@pytest.mark.parametrize("choice", CHOICES)
def test_a_kernel_that_chooses_is_not_taken_for_one_that_does_not(choice: str) -> None:
    """Whatever is compared or asked for its truth may differ from run to run."""
    text = f"""
def kernel(F, F_data, J, J_data, state, params, k, n):
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, 5 if {choice} else -params[0], Fz)
        J(z, params[0], z, J_data)
"""
    scope: dict[str, Any] = {"axpy": axpy}
    executed(text, scope)
    mutant = stated("elementary_gda_contraction")
    mutant.__dict__["iteration"] = dataclasses.replace(
        mutant.iteration, kernel=scope["kernel"], reference=None
    )
    assert attempt(mutant).status == "not proved"


POLES = {
    "0/0": "axpy(z, z, -params[0]*(1 + 0/(k - 5001)), Fz)",
    "cancels": "axpy(z, z, -params[0]*(k - 5001)/(k - 5001), Fz)",
    "power": "axpy(z, z, -params[0]*(k - 5001)*(k - 5001)**-1, Fz)",
    "nothing": "for i in range(z.shape[0]):\n"
    "            z[i] = z[i] - params[0]*Fz[i] + (z[i] - z[i])/(k - 5001)",
    "in a parameter": "axpy(z, z, -params[0]*(1 + 0/(4*params[0] - 1)), Fz)",
}
NO_POLES = {
    "k": "axpy(z, z, -params[0]*(k + 2)/(k + 2), Fz)",
    "parameter": "axpy(z, z, -params[0]**2/params[0], Fz)",
}


def with_step(update: str) -> Theorem:
    text = f"""
def kernel(F, F_data, J, J_data, state, params, k, n):
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        {update}
        k += 1
"""
    scope: dict[str, Any] = {"axpy": axpy}
    executed(text, scope)
    mine = dataclasses.replace(stated("elementary_gda_contraction"), constrained=False)
    step = dataclasses.replace(
        mine.iteration, kernel=scope["kernel"], constrained=False, reference=None
    )
    mine.__dict__["iteration"] = step
    return mine


@pytest.mark.parametrize("name", POLES)
def test_a_quotient_that_cancels_has_no_value_at_its_pole(name: str) -> None:
    """At k = 5001 these steps are NaN, and they are gradient steps at every other k."""
    shown = attempt(with_step(POLES[name]))
    assert shown.status == "not proved"
    assert "divides by" in shown.reason


@pytest.mark.parametrize("name", NO_POLES)
def test_a_quotient_that_exists_is_no_fault(name: str) -> None:
    assert attempt(with_step(NO_POLES[name])).status == "proved"


def test_an_anchor_that_moves_is_no_anchor() -> None:
    halpern = registry.get("methods", "halpern").kernel

    def kernel(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        for j in range(n):
            halpern(F, F_data, J, J_data, state, params, k + j, 1)
            combine(state[1], 2, state[1], -1, state[0])

    mutant = stated("lieder2021_halpern")
    mutant.__dict__["iteration"] = dataclasses.replace(
        mutant.iteration, kernel=kernel, reference=None
    )
    assert "moves its anchor" in attempt(mutant).reason


# ---- as certificates -----------------------------------------------------------------------------


@pytest.mark.ci
def test_arguments_add_up_to_certificates() -> None:
    """Checked by the stand-alone script's arithmetic, which knows nothing of potentials."""
    entries = [registry.get("theorems", name) for name in DECLARED]
    quadratic = [t for t in entries if not t.on and expressible(t.name)]
    found = [certify(t, t.first + 2) for t in quadratic]
    assert all(one.valid and one.ratio == 1 for one in found)
    assert sum(one.how == "declared" for one in found) >= 40


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("place", ["low", "high"])
def test_an_argument_needs_no_solver(k: int, place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Program, "_solve", None)
    for name in ("lee2021_feg", "lieder2021_halpern", "tseng2000_fbf_average"):
        assert certify(name, k, place=place).how == "declared"


# ---- on the command line -------------------------------------------------------------------------


def run(*args: str) -> Any:
    return CliRunner().invoke(main, list(args))


def test_prove_prints_the_argument() -> None:
    found = run("prove", "gorbunov2022_eg_last")
    assert found.exit_code == 0
    assert "(2*gamma) · Monotone(zbar)" in found.stdout
    assert "‖F(z) − F(zbar)‖²" in found.stdout


def test_prove_gives_one_document() -> None:
    found = run("prove", "lee2021_feg", "gorbunov2023_eg_last", "--json")
    assert found.exit_code == 1  # asked for by name, and not shown
    first, second = json.loads(found.stdout)
    assert first["proved"]["lemmas"][1]["multipliers"][0][0] == "Comonotone(z, next(z))"
    assert second["status"] == "none"


def test_prove_refuses_bad_input() -> None:
    assert run("prove").exit_code == 2
    assert run("prove", "nothing_of_the_kind").exit_code == 2
    silent = run("prove", "lieder2018_km_small_weight")
    assert silent.exit_code == 2
    assert "declares no potential" in silent.stderr


def test_a_wrong_argument_exits_with_1(own_registry: None) -> None:
    entry = registry.get("theorems", "lieder2021_halpern")
    wrong = dataclasses.replace(entry, name="wrong", bound="3*R**2/(k + 1)**2")
    registry.register("theorems", "wrong", wrong, "here")
    found = run("prove", "wrong")
    assert found.exit_code == 1
    assert "not proved" in found.stdout
    assert "wrong, end" in found.stdout


# ---- rational functions --------------------------------------------------------------------------

SYMBOLS = ("x", "y", "k")
FIELD = Field(SYMBOLS)
numbers = st.fractions(min_value=-5, max_value=5, max_denominator=6)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> Any:
    if depth == 0 or draw(st.booleans()):
        return draw(st.one_of(st.sampled_from(SYMBOLS), numbers))
    op = draw(st.sampled_from("+-*/"))
    return op, draw(trees(depth - 1)), draw(trees(depth - 1))


def evaluate(tree: Any, scope: dict[str, Any], number: Callable[[Fraction], Any]) -> Any:
    if isinstance(tree, str):
        return scope[tree]
    if isinstance(tree, Fraction):
        return number(tree)
    op, a, b = tree[0], evaluate(tree[1], scope, number), evaluate(tree[2], scope, number)
    return a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else a / b


@given(trees(), st.tuples(numbers, numbers, numbers))
@settings(max_examples=200, deadline=None)
@pytest.mark.ci
def test_rational_functions_are_a_field(tree: Any, point: tuple[Fraction, ...]) -> None:
    scope = {n: FIELD.symbol(n) for n in SYMBOLS}
    try:
        function = evaluate(tree, scope, lambda q: FIELD.number(fmpq(q.numerator, q.denominator)))
        value = evaluate(tree, dict(zip(SYMBOLS, point, strict=True)), Fraction)
    except ZeroDivisionError:
        return
    assert isinstance(function, Ratio)
    images = {
        n: FIELD.number(fmpq(q.numerator, q.denominator))
        for n, q in zip(SYMBOLS, point, strict=True)
    }
    assert FIELD.at(function, images).constant() == fmpq(value.numerator, value.denominator)
    # canonical: the same function written in another way is the same object
    assert function * (scope["x"] + 2) / (scope["x"] + 2) == function
    assert hash(function + scope["y"] - scope["y"]) == hash(function)


def test_rational_functions_refuse_what_they_cannot_decide() -> None:
    x = FIELD.symbol("x")
    with pytest.raises(Undecided):
        bool(x < 1)
    with pytest.raises(TypeError):
        x * 0.5
    with pytest.raises(ZeroDivisionError):
        1 / (x - x)
    assert (3 * x + 7).phase(3) == 1
    with pytest.raises(Undecided):
        x.phase(2)


# ---- signs ---------------------------------------------------------------------------------------


def domain(strict_top: bool) -> tuple[Domain, dict[str, Ratio]]:
    """0 < x, x ≤ 1/y (or <), k ≥ 1."""
    s = {n: FIELD.symbol(n) for n in SYMBOLS}
    found = [
        Constraint(s["y"], True),
        Constraint(s["x"], True),
        Constraint(1 / s["y"] - s["x"], strict_top),
        Constraint(s["k"] - 1, False),
    ]
    return Domain(FIELD, ("y", "x", "k"), found), s


def test_signs_at_the_ends_of_ranges() -> None:
    closed, s = domain(strict_top=False)
    gap = 1 - s["x"] * s["y"]
    assert closed.nonnegative(gap)
    assert not closed.positive(gap)
    assert not closed.nonnegative(1 / gap)  # it has a pole in the range
    opened, _ = domain(strict_top=True)
    assert opened.positive(gap)
    assert opened.nonnegative(1 / gap)
    assert opened.positive(s["k"])
    assert not opened.positive(s["k"] - 1)
    assert not opened.nonnegative(-gap)
    # x y (1 − x y) ≤ 1/4: no factor of it is a constraint
    product = s["x"] * s["y"] * gap
    assert opened.nonnegative(fmpq(1, 4) - product)
    assert not opened.nonnegative(fmpq(24, 100) - product)


polynomials = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
    st.integers(-4, 6),
    min_size=1,
    max_size=5,
)


@given(polynomials, st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_proved_sign_is_the_sign(terms: dict[Any, int], strict_top: bool) -> None:
    found, s = domain(strict_top)
    value = FIELD.number(0)
    for (a, b, c), factor in terms.items():
        value = value + factor * s["x"] ** a * s["y"] ** b * s["k"] ** c
    proved = found.nonnegative(value)
    above = bool(value) and found.positive(value)
    for y in (Fraction(1, 50), Fraction(1), Fraction(30)):
        for part in (Fraction(1, 100), Fraction(1, 2), Fraction(99, 100), Fraction(1)):
            if part == 1 and strict_top:
                continue
            for k in (1, 2, 100):
                x = part / y
                at = sum(f * x**a * y**b * k**c for (a, b, c), f in terms.items())
                assert not proved or at >= 0
                assert not above or at > 0


def test_extra_rows_stay_unknown() -> None:
    """A measure that reads a row nothing was put in gets a vector of which nothing is known."""
    from opcheck.engine.steps import Steps

    entry = registry.get("theorems", "gorbunov2022_eg_last")
    field = Field(["gamma", "k"])
    steps = Steps(
        entry.iteration,
        field,
        field.symbol("k"),
        lambda n, _: field.symbol(n),
        before=0,
        after=1,
        A="zero",
    )
    assert EXTRA_ROWS == 5
    found = steps.measured(take("distance"), 0)
    assert list(found) == [(0, 0)]
    with pytest.raises(OpcheckError, match="is not made"):
        steps.row("z", 2)
    with pytest.raises(OpcheckError, match="begin later"):
        steps.row("z", -1)


# ---- why a proof is refused ----------------------------------------------------------------------


def test_a_refusal_names_what_is_left_where_and_what_would_help() -> None:
    """C4: without the inequality of z and z̄ the step leaves a form that that inequality mends."""
    name = "gorbunov2022_eg_last"
    proof = arguments(name)
    step = {i: m for i, m in proof.step.items() if i != "Lipschitz(z, zbar)"}
    reason = attempt(stated(name, proof=dataclasses.replace(proof, step=step))).reason
    assert re.search(
        r"step: what is left is no sum of squares at L = \S+, gamma = \S+, k = \d+: ", reason
    )
    assert "·‖" in reason
    assert "takes the value -" in reason
    assert "Lipschitz(z, zbar) with the multiplier" in reason
    assert "would mend it there" in reason


def test_what_whole_parameters_are_covered_is_said() -> None:
    """A remark shows nothing: cases τ = 1, 2, 3 are not every τ."""
    name = "pethick2023_la_eg"
    numbers = [c for c in arguments(name).cases if "t" not in c["tau"]]
    proof = dataclasses.replace(arguments(name), cases=numbers, remark="every tau")
    tried = attempt(stated(name, proof=proof))
    assert tried.status == "in part"
    assert tried.proved is not None
    assert tried.proved.only == "tau = 1, 2, 3 of 1 <= tau"
    assert tried.proved.remark
    # of a range that the cases exhaust nothing is left
    bounded = registry.get("theorems", name).where.replace("1 <= tau", "1 <= tau <= 3")
    assert attempt(stated(name, where=bounded, proof=proof)).status == "proved"
    one = dataclasses.replace(proof, cases=[c for c in proof.cases if c["tau"] == "1"])
    assert attempt(stated(name, proof=one)).proved.only == "tau = 1 of 1 <= tau"  # type: ignore[union-attr]


def test_whole_parameters_are_whole() -> None:
    """τ = 5/2 is no number of steps."""
    name = "pethick2023_rapp_average_two"
    entry = registry.get("theorems", name)
    assert attempt(entry).status == "proved"
    assert "whole number" in attempt(stated(name, let={**entry.let, "tau": "5/2"})).reason


@pytest.mark.parametrize(
    ("base", "may_be"),
    [
        ("1 - 3*gamma*L", False),
        ("1 - gamma*L", True),
        ("gamma*L - 1", False),
        ("1 + gamma*L", False),
    ],
)
def test_powers_below_1_need_a_base_between_0_and_1(base: str, may_be: bool) -> None:
    """x^k ≤ 1 for 0 ≤ x ≤ 1 alone; of a negative x the power may have any sign and size."""
    entry = stated(
        "rockafellar1976_ppm_contraction",
        given=(Monotone(of="S"),),
        technical=(Lipschitz("L", of="F"),),
        where="0 < gamma < 1/L",
        claim="upper bound",
        measure="distance",
        bound=f"R**2*(2 - ({base})**k)",
        proof=Proof(
            potential="distance", step={"Monotone(next(z))": "2*gamma"}, end={"potential": "1"}
        ),
    )
    assert (attempt(entry).status == "proved") is may_be


def test_factors_with_coefficients_beyond_a_machine_word() -> None:
    field = Field(["a", "b"])
    a, b = field.generators["a"], field.generators["b"]
    polynomial = (10**31 * a + 1) * (10**31 * a + b) ** 2
    constant, factors = factorised(polynomial)
    product = field.context.constant(constant)
    for factor, power in factors:
        product *= factor**power
    assert product == polynomial
    assert len(factors) == 2


def test_a_tiny_decimal_in_a_bound_is_no_trouble() -> None:
    """A shift of k by 1e-31 has a denominator that no machine word holds."""
    entry: Theorem = registry.get("theorems", "alacaoglu2024_conic_halpern")
    shifted = dataclasses.replace(entry, bound=entry.bound.replace("k + 1)", "k + 1e-31)"))
    assert shifted.bound != entry.bound
    assert attempt(shifted).status == "proved"


@pytest.mark.parametrize(
    ("coefficients", "nonnegative"),
    [((1, -1, 1), True), ((2, -3, 2), True), ((1, -3, 1), False), ((1, -2, -1), False)],
)
def test_a_cell_is_given_up_only_where_both_signs_are_met(
    coefficients: tuple[int, ...], nonnegative: bool
) -> None:
    """x² − x + 1 needs a halving: its signs at the corners and in the middle agree."""
    field = Field(["x"])
    x = field.symbol("x")
    value = coefficients[0] * x * x + coefficients[1] * x + coefficients[2]
    domain = Domain(field, ["x"], [Constraint(x, False)])
    assert domain.nonnegative(value) is nonnegative


def test_a_modulus_whose_sign_is_left_open_is_named() -> None:
    """StronglyMonotone(mu) holds with mu < 0 as well, which its author may not have meant."""
    bound = "(1 - gamma*mu)*distance"
    loose = stated("elementary_gda_contraction", where="0 < gamma < 1/L", bound=bound)
    with pytest.raises(NotProved, match=r"allows mu < 0; if 0 < mu is meant, write it in where"):
        prove(loose)


# ---- loops of any length -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("least", "window"), [(2, (0, 1)), (4, (0, 1)), (4, (-1, 2)), (7, (-1, 2))]
)
def test_periods_have_the_residues_of_every_whole_number(
    least: int, window: tuple[int, int]
) -> None:
    """Every (k, τ), τ ≥ least, is one place of a loop, with the residues and equalities of it."""
    low, high = window
    field = Field(["k", "t", "t.1"])
    k = field.symbol("k")
    places = {
        b: Period(field, ("t", "t.1"), least, k=k, window=window, begins=b)
        for b in (*range(low, high + 1), None)
    }
    for tau, place in itertools.product(range(least, least + 5), range(1, 25)):
        began = [i for i in range(low, high + 1) if (place + i) % tau == 0]
        assert len(began) <= 1
        period = places[began[0] if began else None]
        since = (place + low) % tau - 1
        counts = (
            {"t": tau - least, "t.1": 0}
            if began
            else {"t": tau - 2 - since - (high - low), "t.1": since}
        )
        point = {"k": fmpq(place), **{n: fmpq(v) for n, v in counts.items()}}
        assert min(counts.values()) >= 0
        assert field.value(period.plain, point) == tau
        for i in range(low, high + 1):
            rest = field.number(_bare(period.residue(k + i)))
            assert field.value(rest, point) == (place + i) % tau
            for value in (0, period - 1, 1):
                try:
                    same = period.residue(k + i) == value
                except Undecided:
                    continue
                number = field.value(field.number(_bare(value)), point)
                assert same == ((place + i) % tau == number)
        for outside in (k + low - 1, k + high + 1, 2 * k):
            with pytest.raises(Undecided):
                period.residue(outside)


def _bare(value: Any) -> Any:
    return value.plain if isinstance(value, Ratio) else value


def test_every_length_of_a_loop_is_shown_at_once() -> None:
    """Cases 1, 2, 3 and 4 + t are every τ; without the last, or with a gap, they are not."""
    name = "pethick2023_la_eg"
    proof = arguments(name)
    found = attempt(registry.get("theorems", name))
    assert found.status == "proved"
    assert found.proved is not None
    assert found.proved.covers == "every k; A = 0"
    places = [lemma.name for lemma in found.proved.lemmas if "4 + t" in lemma.name]
    assert "step, tau = 4 + t, inside a loop" in places
    assert "step, tau = 4 + t, a loop begins at k + 1" in places
    gap = dataclasses.replace(proof, cases=[c for c in proof.cases if c["tau"] != "2"])
    tried = attempt(stated(name, proof=gap))
    assert tried.status == "in part"
    assert tried.proved is not None
    assert tried.proved.only == "tau = 1, 3, from 4 on of 1 <= tau"
    # the window of a step is too long for loops of two steps
    short = dataclasses.replace(proof, cases=[{"tau": "1", "k": "m"}, {"tau": "2 + t"}])
    tried = attempt(stated(name, proof=short))
    assert tried.status == "not proved"
    assert "may begin twice" in tried.reason


@pytest.mark.parametrize(
    "texts",
    [
        # the potential at the end of a loop for that inside it
        {"potential": "distance + lam*gamma**2*(1 - (gamma*L)**2)*before(residual(before))"},
        {"step": {"Monotone(zbar)": "2*gamma", "Lipschitz(z, zbar)": "lam*gamma**2"}},
        {"step": {"Monotone(zbar)": "2*lam*gamma"}},
        {"end": {"next(potential)": "tau/(lam*gamma**2*(1 - (gamma*L)**2)*(k + 1))"}},
    ],
)
def test_wrong_arguments_are_refused_at_every_length(texts: dict[str, Any]) -> None:
    name = "pethick2023_la_eg"
    proof = dataclasses.replace(arguments(name), cases=[{"tau": "4 + t"}], **texts)
    assert attempt(stated(name, proof=proof)).status == "not proved"


def test_a_base_counts_from_0_in_every_loop() -> None:
    """Weights of the base that depend on k are those of a loop's own steps, not of the run's."""
    energy = "before(a*(1 - a)*residual(before))"
    claim: dict[str, Any] = {
        "method": "lookahead(krasnoselskii_mann)",
        "given": [QuasiNonexpansive(of="T")],
        "measure": energy.replace("before(a", "upto(a"),
        "bound": "R**2",
        "source": Source("elementary", derived=True),
    }
    proof = Proof(
        potential=f"distance + {energy}",
        step={"QuasiNonexpansive(z)": "a"},
        end={"next(potential)": "1"},
    )
    # with τ = 1 every step is one of weight a₀ = 1/6, and a (1 − a) tends to 1/4
    weights = {"a": "1/2 - 1/(k + 3)", "tau": "1", "lam": "1"}
    wrong = Theorem("lookahead_by_weights", let=weights, proof=proof, **claim)
    assert "counts from 0 in every loop" in attempt(wrong).reason
    right = Theorem("lookahead_by_weight", let={**weights, "a": "1/6"}, proof=proof, **claim)
    assert attempt(right).status == "proved"


# ---- equalities on families ----------------------------------------------------------------------

EQUALITIES = [n for n in DECLARED if arguments(n).turn and arguments(n).turn[0] == "0"]


@pytest.mark.parametrize("name", EQUALITIES)
def test_equalities_are_no_inequalities(name: str) -> None:
    """Neither more nor less than the stated side is shown, nor the same of another square of G."""
    entry = registry.get("theorems", name)
    for bound in (f"({entry.bound})*1001/1000", f"({entry.bound})*999/1000"):
        tried = attempt(stated(name, bound=bound))
        assert tried.status == "not proved"
        assert "is left with the factor" in tried.reason
    other = dataclasses.replace(arguments(name), turn=("0", "2*L**2"))
    assert "is no a I + G" in attempt(stated(name, proof=other)).reason


def test_a_limit_ends_where_it_is_stated_to() -> None:
    """EG+ comes closer on a rotation with c < 1/2, and with γ > 1/L."""
    name = "gorbunov2023_eg_limit"
    where = registry.get("theorems", name).where
    for before, after in (("1/2 <= c", "49/100 <= c"), ("gamma <= 1/L", "gamma <= 11/10/L")):
        assert before in where
        assert attempt(stated(name, where=where.replace(before, after))).status == "not proved"


def test_vectors_of_a_turn_are_multiples_of_rows() -> None:
    """Inner products of p u + q G u, against matrices."""
    field = Field(["L"])
    steps = Steps(
        resolve("past_extragradient"),
        field,
        field.number(0),
        lambda name, _: fmpq(1, 3),
        before=0,
        after=2,
        A="zero",
    )
    turning = Turning(steps, field.number(fmpq(-1, 2)), field.number(fmpq(3, 4)))
    rng = np.random.default_rng(3)
    J = np.array([[0.0, 1.0], [-1.0, 0.0]]) * np.sqrt(0.75)
    rows = {i: rng.standard_normal(2) for i in range(len(steps.oracle.names))}
    values = dict(rows)
    for _, point, ((new, _),), _, _ in steps.oracle.calls:
        z = sum(float(c.constant()) * values[i] for i, c in point)
        values[new] = -z / 2 + J @ z
    for i, j in itertools.combinations_with_replacement(values, 2):
        said = sum(
            float(c.constant()) * float((J @ rows[u] if turned else rows[u]) @ rows[w])
            for (u, w, turned), c in turning.inner(i, j).items()
        )
        assert said == pytest.approx(float(values[i] @ values[j]), abs=1e-12)


# ---- potentials with a horizon -------------------------------------------------------------------

HORIZONS = [n for n in DECLARED if arguments(n).horizon == "N"]
MADE_FOR = [n for n in DECLARED if arguments(n).horizon == "K"]  # a run that is made for its last k


@pytest.mark.parametrize("name", HORIZONS)
def test_arguments_with_a_horizon_are_tight(name: str) -> None:
    """Less than the stated bound is refused, and so is an end that uses a start with no step."""
    entry, proof = registry.get("theorems", name), arguments(name)
    assert attempt(stated(name, bound=f"({entry.bound})*98/100")).status == "not proved"
    wrong: dict[str, dict[str, Any]] = {
        "with no step": {
            "end": {n: re.sub(r"where\(k == 0, [02], ", "(", m) for n, m in proof.end.items()}
        },
        "growth": {"let": {**proof.let, "growth": proof.let["growth"] + "*(k + 2)/(k + 1)"}},
        "potential": {"potential": proof.potential.replace("2*k*", "3*k*")},
        "at_most": {"at_most": "99/100*R**2"},
    }
    for fields in wrong.values():
        tried = attempt(stated(name, proof=dataclasses.replace(proof, **fields)))
        assert tried.status == "not proved"


@pytest.mark.parametrize("name", MADE_FOR)
def test_arguments_about_the_last_iterate_are_tight(name: str) -> None:
    """Less than the stated bound, other weights, and a claim about every iterate are refused."""
    entry, proof = registry.get("theorems", name), arguments(name)
    assert attempt(entry).status == "proved"
    other = {**entry.let, "weight": f"({entry.let['weight']})*99/100"}
    wrong: list[dict[str, Any]] = [
        {"bound": f"({entry.bound})*98/100"},
        {"measure": "residual"},
        {"measure": "where(k == K, residual, where(k == K - 1, residual, 0))"},
        {"let": other},
        {"given": [], "technical": []},
    ]
    for fields in wrong:
        assert attempt(stated(name, **fields)).status == "not proved", fields
    changed: list[dict[str, Any]] = [
        {"potential": proof.potential.replace("final(z)", "solution")},
        {"potential": f"({proof.potential})*101/100"},
        {"at_most": f"99/100*({proof.at_most})"},
        {"start": {}},
        {"step": {n: f"({m})*101/100" for n, m in proof.step.items()}},
        {"step": {n.replace("final(z)", "solution"): m for n, m in proof.step.items()}},
        {"horizon": "N"},
        {"horizon": ""},
    ]
    for fields in changed:
        if fields.items() <= vars(proof).items():
            continue
        tried = attempt(stated(name, proof=dataclasses.replace(proof, **fields)))
        assert tried.status == "not proved", fields


@pytest.mark.parametrize("name", MADE_FOR)
@pytest.mark.parametrize("K", [1, 2, 5, 9])
def test_potentials_that_know_the_last_iterate_do_not_grow(name: str, K: int) -> None:
    """Along runs in exact rationals; at the start they are at most B, at the end the measure."""
    theorem = registry.get("theorems", name)
    L, q = fmpq(3, 2), fmpq(3, 4)
    for seed in range(3):
        draw = np.random.default_rng(seed)
        problem = Affine(draw, 2, False)
        problem.solution = [fmpq(0)] * 2
        turned = fmpq(int(draw.integers(1, 9)), 10)
        # L times a turn, monotone; I − T for T a turn
        turn = fmpq_mat(2, 2, [0, turned, -turned, 0]) * L
        rotation = fmpq_mat(2, 2, [fmpq(3, 5), fmpq(4, 5), fmpq(-4, 5), fmpq(3, 5)])
        unit = fmpq_mat(2, 2, [1, 0, 0, 1])
        contraction = q if "contraction" in theorem.doc else fmpq(1)
        problem.M = turn if theorem.iteration.name == "dual_feg" else unit - rotation * contraction
        run = Printed(theorem, problem, {"L": L, "q": q}, {"K": K}, K)
        values = [run.text("V", k) for k in range(K + 1)]
        assert values[0] <= run.text("B", 0)
        assert all(after <= before for before, after in itertools.pairwise(values))
        assert run.value(theorem.left.tree, K) <= run.value(theorem.right.tree, K)


def test_the_last_k_is_one_number_wherever_a_text_speaks_of_it() -> None:
    """``last(N)`` is N: else V would be one thing along the run and another in the end."""
    false = stated(
        "baillon1996_km_last",
        first=2,
        measure="distance",
        bound="R**2*(k - 1)/k",
        reaches=None,
        proof=Proof(
            potential="distance*N/last(N)",
            step={"Nonexpansive(z)": "a"},
            end={"potential": "(k - 1)/k"},
            horizon="N",
        ),
    )
    assert attempt(false).status == "not proved"
    true = dataclasses.replace(
        false, bound="R**2", proof=dataclasses.replace(false.proof, end={"potential": "1"})
    )
    assert attempt(true).status == "proved", attempt(true).reason


def test_what_is_final_is_a_row_of_a_run_that_ends() -> None:
    for proof, sentence in (
        ({"potential": "norm2(final(F(z)))", "horizon": "N"}, "final takes a row"),
        ({"potential": "norm2(final(z))"}, "'final'"),
    ):
        entry = stated("lieder2021_halpern", proof=Proof(end={"potential": "1"}, **proof))
        assert sentence in attempt(entry).reason


def test_the_weights_of_a_last_iterate_are_at_least_a_half() -> None:
    """The source's formula is false below 1/2, and so is an argument that would show it."""
    name = "lieder2018_km_last"
    for where in ("2/5 <= a < 1", "0 < a < 1", "1/2 <= a < 2"):
        assert attempt(stated(name, where=where)).status == "not proved"


@pytest.mark.parametrize("a", [Fraction(1, 2), Fraction(3, 5), Fraction(9, 10), Fraction(99, 100)])
def test_potentials_with_a_horizon_do_not_grow(a: Fraction) -> None:
    """On both branches, along runs in floats, for each horizon apart."""
    entry, proof = registry.get("theorems", "lieder2018_km_last"), arguments("lieder2018_km_last")
    for seed, N in itertools.product(range(3), (1, 2, 5, 8)):
        M = operator(entry, {}, seed)
        run = Plain(entry, {"a": float(a)}, M, N + 2)

        def read(source: str, k: int, run: Plain = run, N: int = N) -> float:
            names = {**proof.let, "N": str(N)}
            for _ in range(3):
                for n, text in names.items():
                    source = re.sub(rf"\b{n}\b", f"({text})", source)
            return float(run.read(source, k))

        values = [read(proof.potential, k) for k in range(N + 1)]
        size = 1e-9 * (1 + abs(values[0]))
        assert values[0] <= read("R**2", 0) + size
        assert all(v <= u + size for u, v in itertools.pairwise(values))
        assert read(entry.measure, N) <= read(entry.bound, N) * (1 + 1e-9)


def test_a_test_that_is_open_is_shown_both_ways() -> None:
    """Each branch of a bound is shown, and what is shown of one alone is not the statement."""
    name = "lieder2018_km_last"
    found = attempt(registry.get("theorems", name)).proved
    assert found is not None
    ends = [lemma.name for lemma in found.lemmas if lemma.name.startswith("end, ")]
    test = "a <= (1 + sqrt(k/(k + 1)))/2"
    assert {f"end, {test}", f"end, not {test}"} <= {*ends}
    bound = registry.get("theorems", name).bound
    assert "4*(2*a - 1)**(2*k)" in bound
    worse = bound.replace("4*(2*a - 1)**(2*k)", "3*(2*a - 1)**(2*k)")
    assert "not a <=" in attempt(stated(name, bound=worse)).reason


# ---- the best of several -------------------------------------------------------------------------


def test_the_best_iterate_is_at_most_each_and_their_mean() -> None:
    name = "gorbunov2023_ppm_star"
    entry, proof = registry.get("theorems", name), arguments(name)
    assert attempt(entry).status == "proved"
    assert attempt(stated(name, bound=f"({entry.bound})*99/100")).status == "not proved"
    # what is shown of the best is not shown of the last
    assert attempt(stated(name, measure="distance(z, before)")).status == "not proved"
    for wrong in ("Mean", "Least"):
        end = {n: m for n, m in proof.end.items() if not n.startswith(wrong)}
        tried = attempt(stated(name, proof=dataclasses.replace(proof, end=end)))
        assert "best(distance(z, before)) at 0 is left" in tried.reason


def test_no_statement_is_silently_without_a_proof() -> None:
    """Each of opcheck's own declares an argument or says why not, and not both."""
    for name in registry.names("theorems"):
        entry = registry.get("theorems", name)
        assert (entry.proof is None) == bool(entry.unproved), name
    bare = attempt("pethick2023_rapp_radius")
    assert (bare.status, "logarithm" in bare.reason) == ("none", True)
    done = CliRunner().invoke(main, ["prove", "pethick2023_rapp_radius"])
    assert done.exit_code == 2
    assert "logarithm" in str(done.stderr)


# ---- inner loops, and roots of products ----------------------------------------------------------


def inner(body: Callable[..., None]) -> Method:
    """A method: w, v ← z;  τ times  a text on them, and w ← z − λ F w;  z ← (1 − λ) z + λ w."""

    def advance(F: Any, F_data: Any, J: Any, J_data: Any, state: Any, params: Any, k: Any, n: Any):  # type: ignore[no-untyped-def]
        z, w, v, Fw = state[0], state[1], state[2], state[3]
        for _ in range(n):
            copy(w, z)
            copy(v, z)
            for _pass in range(int(params[1])):
                body(w, v, z)
                F(w, Fw, F_data)
                axpy(w, z, -params[0], Fw)
            combine(z, 1 - params[0], z, params[0], w)
            k += 1

    return dataclasses.replace(
        resolve("extragradient"),
        name="inner",
        kernel=advance,
        rows=("z", "w", "v", "Fw"),
        constrained=False,
        reference=None,
        calls="tau",
        points=("z", "w"),
        parameters=resolve("lookahead(krasnoselskii_mann)").parameters[1:],
    )


def same(w: Any, v: Any, z: Any) -> None:
    copy(v, z)


def later(w: Any, v: Any, z: Any) -> None:
    copy(v, w)


def passes(body: Callable[..., None]) -> Steps:
    """One step with every τ ≥ 2."""
    method = inner(body)
    field = Field(["lam", "k", "t", "t.1"])
    tau = Period(field, ("t", "t.1"), 2, k=field.symbol("k"), window=(1, 0), begins=0)
    values = {"lam": field.symbol("lam"), "tau": tau}
    return Steps(
        method, field, field.symbol("k"), lambda n, _: values[n], before=0, after=1, A="zero"
    )


def test_of_an_inner_loop_the_first_and_the_last_pass_are_known() -> None:
    """z⁺ = (1 − λ) z + λ (z − λ F u) with u unknown, and F z is known."""
    steps = passes(same)
    names = steps.oracle.names
    assert [n for n in names if n.startswith("inner(")] == ["inner(w)", "inner(Fw)"]
    asked = [point for _, point, _, _, _ in steps.oracle.calls]
    assert asked[0] == steps.states[0][0]
    ((unknown, one),) = asked[1]
    assert names[unknown] == "inner(w)"
    assert one == 1
    lam = steps.field.symbol("lam")
    last = steps.oracle.calls[1][2]
    assert (
        Coefficient(steps.states[1][0]).vector
        == (Coefficient(steps.states[0][0]) - lam * lam * Coefficient(last)).vector
    )


def test_inner_loops_that_can_not_be_told_are_refused() -> None:
    # v is z after the first pass too, and no more after the second
    with pytest.raises(Undecided, match="a row that its first pass does not"):
        passes(later)


def test_what_needs_the_end_of_an_inner_loop_is_not_shown_of_every_length() -> None:
    """Nothing is known of a point in the middle, so an error may be as large as it likes."""
    name = "pethick2023_ikm_residual"
    for bound in ("resolvent_residual", "resolvent_residual + c*inner_error/2"):
        assert attempt(stated(name, bound=bound)).status == "not proved"
    cases = [{"tau": "1"}, {"tau": "3 + t"}]
    tried = attempt(stated(name, proof=dataclasses.replace(arguments(name), cases=cases)))
    assert tried.proved is not None
    assert tried.proved.only == "tau = 1, from 3 on of 1 <= tau"


@pytest.mark.parametrize("name", ["pethick2023_ikm_average", "pethick2023_ikm_last"])
def test_roots_of_products_are_at_least_inner_products(name: str) -> None:
    entry, proof = registry.get("theorems", name), arguments(name)
    found = attempt(entry)
    assert found.status == "proved"
    assert found.proved is not None
    assert any(lemma.name.startswith("length, step") for lemma in found.proved.lemmas)
    # the root alone is left where Cauchy's inequality is not used, or used too often
    (cauchy,) = proof.shorter
    for factor in ("0", "lam", "3*lam"):
        step = {**proof.step, cauchy: factor}
        tried = attempt(stated(name, proof=dataclasses.replace(proof, step=step)))
        assert "sqrt(" in tried.reason
    # v must be shown to be no longer than w
    assert attempt(stated(name, proof=dataclasses.replace(proof, shorter={}))).status != "proved"
    for before, after in (("2*lam*sqrt", "lam*sqrt"), ("lam**2*inner_error)", "0)")):
        assert before in entry.bound
        assert attempt(stated(name, bound=entry.bound.replace(before, after))).status != "proved"


# ---- proofs as texts -----------------------------------------------------------------------------


def reread(case: Any, text: str, names: list[str] | None = None) -> Any:
    """The value of a printed number, or vector of a basis with these names.

    What a spare symbol stands for is read as that symbol.
    """
    field = case.reader.field
    vectors = {}
    for i, name in enumerate(names or []):
        pattern = rf"(?:(?<=\*)|(?<=^)|(?<=[ -])){re.escape(name)}(?=$| [+-] )"
        text = re.sub(pattern, f"e_{i}", text)
        vectors[f"e_{i}"] = Coefficient(((i, field.number(1)),))
    for name in case.meanings():
        text = text.replace(f"({field.meaning(name)})", name.replace(".", "_"))
    symbols = {n.replace(".", "_"): field.symbol(n) for n in field.names} | vectors
    exact = re.sub(r"(?<!\*\*)(?<![\w.])\d+", r"number(\g<0>)", text.replace("t.1", "t_1"))
    return eval(exact, {"__builtins__": {}, "number": field.number}, symbols)


@pytest.mark.parametrize("name", DECLARED)
def test_the_printed_identity_is_that_of_the_proof(name: str) -> None:
    """Multipliers, weights and vectors, read from the text again, are those of the proof."""
    theorem = registry.get("theorems", name)
    shown = established(theorem)
    printed = proofs.identities(theorem)
    assert len(shown) == len(printed)
    for (case, argument), identity in zip(shown, printed, strict=True):
        pairs = zip(argument.used, identity.products, strict=True)
        for (inequality, _, multiplier), (text, printed_inequality) in pairs:
            assert inequality == printed_inequality
            assert reread(case, text) == multiplier
        names = [n.replace("F*", "F(solution)") for n in case.reader.steps.names(case.at or 0)]
        for (weight, row), (text, vector) in zip(argument.squares, identity.squares, strict=True):
            assert reread(case, text) == weight
            assert dict(reread(case, vector, names).vector) == dict(row)


@pytest.mark.usefixtures("own_registry")
def test_a_row_that_begins_as_a_point_is_no_value() -> None:
    """``past`` holds z⁰ where the run begins, so that F z − past moves with the origin there: shown
    for z* = 0 alone, and refused by Rocq."""
    proof = Proof(
        potential="(norm2(z - solution) + norm2(F(z) - last(past))/16)*(63/64)**(-k)",
        at_most="2*R**2",
        start={"Lipschitz(z)": "1"},
        end={"potential": "(63/64)**k"},
    )
    stated = theorem(
        "begins_as_a_point",
        method="forward_reflected_backward",
        given=[Lipschitz("1", of="F"), StronglyMonotone("1/4", of="F")],
        where="1/8 <= gamma <= 1/4",
        measure="distance",
        bound="2*R**2*(63/64)**k",
        source=Source("nobody"),
        proof=proof,
    )
    assert "depends on where the origin lies" in attempt(stated).reason


def test_two_forms_of_one_text_are_refused() -> None:
    done = CliRunner().invoke(main, ["prove", "lieder2021_halpern", "--latex", "--markdown"])
    assert done.exit_code == 2
    assert "take one of them" in done.output


@pytest.mark.parametrize("name", DECLARED)
@pytest.mark.sampled(12)
def test_proofs_as_latex_are_balanced(name: str) -> None:
    text = proofs.latex(name)
    assert text.isascii()
    bare = re.sub(r"\\[{}]", "", text)
    depth = list(itertools.accumulate({"{": 1, "}": -1}.get(c, 0) for c in bare))
    assert min(depth) == 0 == depth[-1]
    assert text.count(r"\left") - text.count(r"\left" + "arrow") == text.count(r"\right")
    begun, ended = (re.findall(rf"\\{word}{{(\w+\*?)}}", text) for word in ("begin", "end"))
    assert sorted(begun) == sorted(ended)
    assert {*begun} <= {"document", "align*", "cases"}
    done = CliRunner().invoke(main, ["prove", name, "--latex"])
    assert done.exit_code == 0
    assert done.stdout == text
    assert CliRunner().invoke(main, ["prove", name, "--markdown"]).stdout == proofs.markdown(name)


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: {"bound": "4*R**2/(gamma*(k + 1))**1000", "order": ""},
        lambda entry: {
            "proof": dataclasses.replace(
                entry.proof, step={"Cocoercive(z, next(z))": "gamma**1000*(k + 1)*(k + 2)/2"}
            )
        },
    ],
)
def test_a_power_beyond_floats_is_not_shown_and_said_in_words(change: Callable[..., Any]) -> None:
    """Signs of a polynomial of a million terms take hours; its numbers fit in no float."""
    entry = registry.get("theorems", "diakonikolas2020_halpern")
    outcome = attempt(dataclasses.replace(entry, **change(entry)))
    assert outcome.status == "not proved"
    assert outcome.reason


# ---- families of turns that are none -------------------------------------------------------------


def turned(on: str, **changes: Any) -> Theorem:
    """The first step of gradient descent ascent on a family, as if its members were turns."""
    entry = Theorem(
        name="turned",
        method="gradient_descent_ascent",
        given=[Lipschitz("L", of="F")],
        where="0 < gamma",
        measure="next(distance)",
        bound="(1 + (gamma*L)**2)*distance",
        claim="equality",
        source=Source("me"),
        on=[on],
        proof=Proof(turn=("0", "L**2")),
    )
    return dataclasses.replace(entry, **changes)


def test_a_family_is_looked_at_everywhere_and_not_at_unit_vectors_alone(
    own_registry: None,
) -> None:
    """Each is a turn at 0 and at the unit vectors, or at its presets, and is none elsewhere."""

    @problem_family("wavy", start=(0.5, 0.25), solution=(0.0, 0.0), facts=[exact(Lipschitz("3*a"))])
    def wavy(a=1.0):
        """F = a (y + sin(2 pi x)/(2 pi), -x)."""
        return opcheck.field(["a*(y + sin(2*pi*x)/(2*pi))", "-a*x"], "x y", a=a)

    @problem_family(
        "staged", start=(0.5, 0.25), solution=(0.0, 0.0), facts=[exact(Lipschitz("a*m"))]
    )
    def staged(a=1.0, m: int = 1):
        """F = a (y + (m - 1) x, -x)."""
        return opcheck.linear([[a * (m - 1), a], [-a, 0]])

    @problem_family("far", start=(0.5, 0.25), solution=(0.0, 0.0), facts=[exact(Lipschitz("a"))])
    def far(a=1.0):
        """F = a (y, -x), and reflected for a > 200."""
        return opcheck.linear([[0, a], [-a if a < 200 else a, 0]])

    for on, said in (
        ("wavy", "given by no matrix"),
        ("almost_bilinear", "given by no matrix"),
        ("staged", "is no a I"),
        ("far", "is no a I"),
        ("bilinear_box", "nothing was found that it is about"),
    ):
        given = [] if on == "almost_bilinear" else [Lipschitz("L", of="F")]
        constant = {"let": {"L": "1"}} if on == "almost_bilinear" else {}
        outcome = attempt(turned(on, given=given, **constant))
        assert outcome.status == "not proved"
        assert said in outcome.reason
    strong = [StronglyMonotone("mu", of="F"), Lipschitz("L", of="F")]
    outcome = attempt(turned("bilinear", given=strong, where="0 < mu, 0 < gamma"))
    assert "nothing was found that it is about" in outcome.reason
    assert attempt(turned("bilinear")).status == "proved"


# ---- what a user writes --------------------------------------------------------------------------


def gradient(**changes: Any) -> Theorem:
    """A sum of residuals of gradient steps."""
    entry = Theorem(
        name="gradient",
        method="gradient_descent_ascent",
        given=[Cocoercive("beta", of="F")],
        where="0 < gamma < 2*beta",
        measure="upto(residual)",
        bound="R**2/(gamma*(2*beta - gamma))",
        source=Source("me"),
        proof=Proof(
            potential="distance + gamma*(2*beta - gamma)*before(residual)",
            step={"Cocoercive(z, solution)": "2*gamma"},
            end={"next(potential)": "1/(gamma*(2*beta - gamma))"},
        ),
    )
    return dataclasses.replace(entry, **changes)


@pytest.mark.parametrize(
    "where",
    [
        "0 < gamma < 2*beta, 1/10 <= beta <= 0.3",
        "0 < gamma < 2*beta, beta <= 1/100",
        "0 < gamma < 2*beta, 7 <= beta",
    ],
)
def test_a_range_of_a_constant_is_met(where: str) -> None:
    assert attempt(gradient(where=where)).status == "proved"
    empty = attempt(gradient(where="0 < gamma < 2*beta, 3 <= beta <= 2"))
    assert "nothing was found that it is about" in empty.reason


def test_one_property_is_given_once() -> None:
    twice = [Cocoercive("b", of="F"), Cocoercive("beta", of="F")]
    assert "one property twice" in attempt(gradient(given=twice)).reason


def test_a_property_of_t_may_be_cocoercive() -> None:
    """⟨Tx − Ty, x − y⟩ ≥ β‖Tx − Ty‖² of T = I − F says ⟨Fx − Fy, x − y⟩ ≥ ... in its own words."""
    outcome = attempt(gradient(given=[Cocoercive("beta", of="T")]))
    assert outcome.status == "not proved"
    assert "no sum of squares" in outcome.reason


def test_a_hypothesis_that_is_not_given_is_asked_for() -> None:
    with pytest.raises(OpcheckError, match="add it to given"):
        signature.check(gradient(given=[Lipschitz("beta", of="F")]))


def test_of_theorems_by_name_all_are_to_be_shown(tmp_path: Path, own_registry: None) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import opcheck\n"
        + "".join(
            f"opcheck.theorem({name!r}, method='extragradient', given=[opcheck.Monotone(of='F')], "
            "where='0 < gamma', measure='distance', bound='R**2', source=opcheck.Source('me'))\n"
            for name in ("mine_1", "mine_2")
        )
    )
    found = run("prove", str(file))
    assert found.exit_code == 1
    assert "mine_2 declares none: opcheck discover mine_2 looks for one" in found.stdout


def test_a_parameter_of_a_step_that_is_not_made_is_not_read(own_registry: None) -> None:
    """A kernel that reads ahead is refused, also where it compares alone what it reads."""
    kind: dict[str, Any] = {"calls": 1, "constrained": False, "source": "me"}

    @method("reads_ahead", params="weight[k]", rows="z Fz", **kind)
    def reads_ahead(F, F_data, J, J_data, state, params, k, n):
        """z⁺ = z − w F z with the weight of a later step."""
        z, Fz = state[0], state[1]
        for _ in range(n):
            F(z, Fz, F_data)
            axpy(z, z, -at(params, 0, k + 2), Fz)
            k += 1

    @method("looks_ahead", params="weight[k]", rows="z Fz", **kind)
    def looks_ahead(F, F_data, J, J_data, state, params, k, n):
        """z⁺ = z − F z, unless the weight of a later step is 0."""
        z, Fz = state[0], state[1]
        for _ in range(n):
            F(z, Fz, F_data)
            if at(params, 0, k + 2) != 0:
                axpy(z, z, -1, Fz)
            k += 1

    for name in ("reads_ahead", "looks_ahead"):
        entry = Theorem(
            name="ahead",
            method=name,
            given=[Nonexpansive(of="T")],
            let={"weight": "1/(k + 1)"},
            measure="where(k <= 1, distance, 0)",
            bound="R**2",
            source=Source("me"),
            proof=Proof(end={"Nonexpansive(z)": "1"}, until=1),
        )
        outcome = attempt(entry)
        assert outcome.status == "not proved"
        assert "not made" in outcome.reason, outcome.reason
