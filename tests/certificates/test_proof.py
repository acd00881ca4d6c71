"""Worst cases against PEPit and published closed forms; certificates and what must be rejected."""

from __future__ import annotations

import copy
import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import invoke
from flint import fmpq, fmpq_mat
from oracles import worst_cases as peers
from registered import about_a_class, stated

import opcheck
from opcheck import recheck, registry, rerun
from opcheck.engine.coefficients import memoryless
from opcheck.engine.forms import Coefficient, Form, Radius, below, form_arithmetic
from opcheck.engine.numbers import Ball
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates import newton as polish
from opcheck.evidence.certificates import rounding
from opcheck.evidence.certificates.certificate import NotCertified, attempts, certify, recheck_file
from opcheck.evidence.statement.exact_parameters import setting, simplest
from opcheck.evidence.worst_case import claim as inequalities
from opcheck.evidence.worst_case import conic, worst_case
from opcheck.evidence.worst_case.claim import claim, combined, constant_of
from opcheck.evidence.worst_case.worst_case import Program, worst
from opcheck.model import property as properties
from opcheck.model.method import resolve
from opcheck.model.property import Kind, Lipschitz, Monotone
from opcheck.model.theorem import Source, Theorem, theorem

registry.load()
THEOREMS = registry.names("theorems")
CLOSE = 1e-6  # two interior-point solvers, each asked for 1e-8


# ---- published closed forms ----------------------------------------------------------------------


def feg(k: int, rho: Fraction) -> float:
    return float(4 / ((1 + 2 * rho) ** 2 * k**2))


def krasnoselskii_mann(k: int, a: float) -> float:
    """Lieder 2018, Theorem 4.9."""
    if a <= (1 + (k / (k + 1)) ** 0.5) / 2:
        return (k / (k + 1)) ** k / ((k + 1) * a * (1 - a))
    return float(4 * (2 * a - 1) ** (2 * k))


CLOSED: list[tuple[str, int, dict[str, Any], float]] = [
    *(("lieder2021_halpern", k, {}, 4 / (k + 1) ** 2) for k in (1, 2, 5, 10)),
    *(("gu2020_ppm_last", k, {}, (k / (k + 1)) ** k / (k + 1)) for k in (1, 2, 5, 9)),
    *(("lieder2018_km_last", k, {"a": "1/2"}, krasnoselskii_mann(k, 0.5)) for k in (1, 4)),
    *(("lieder2018_km_last", k, {"a": "7/8"}, krasnoselskii_mann(k, 0.875)) for k in (1, 2, 3)),
    *(("lee2021_feg", k, {"rho": "-1/8"}, feg(k, Fraction(-1, 8))) for k in (3, 4, 5)),
    ("lee2021_feg", 4, {"rho": "0"}, feg(4, Fraction(0))),
    ("lee2021_feg", 4, {"rho": "-1/4"}, feg(4, Fraction(-1, 4))),
    ("elementary_gda_contraction", 0, {"gamma": "1/2", "mu": "1/2"}, 1 - 0.5 + 0.25),
]


@pytest.mark.parametrize(("name", "k", "given", "value"), CLOSED)
def test_the_worst_case_is_the_published_one(
    name: str, k: int, given: dict[str, Any], value: float
) -> None:
    found = worst(name, k, **given)
    if found.value is None:  # relative to the distance before the step
        bound = 1 - 2 * 0.5 * 0.5 + 0.25
        assert found.ratio * bound == pytest.approx(value, rel=CLOSE)
    else:
        assert found.value == pytest.approx(value, rel=CLOSE)


# ---- PEPit ---------------------------------------------------------------------------------------


PEERS: list[tuple[str, Callable[[int], float], tuple[int, ...]]] = [
    ("gorbunov2022_eg_last", peers.extragradient, (1, 2, 3)),
    ("gorbunov2023_eg_last", peers.cohypomonotone_extragradient, (1, 2)),
    ("gorbunov2022_peg_last", peers.past_extragradient, (1, 2, 3)),
    ("diakonikolas2021_eg_plus_lookahead", peers.eg_plus, (0, 1, 2)),
    ("yoon2021_eag_c", peers.anchored, (1, 2)),
    ("lee2021_feg", peers.fast_extragradient, (1, 2, 3)),
    ("lieder2021_halpern", peers.halpern, (1, 2, 3)),
    ("lieder2018_km_last", peers.averaged, (1, 2, 3)),
    ("gu2020_ppm_last", peers.proximal_point, (1, 2)),
    ("gorbunov2023_ppm_last", peers.cohypomonotone_proximal_point, (1, 2)),
    ("elementary_gda_contraction", peers.projected_descent_ascent, (0,)),
    ("pethick2022_ceg_plus", peers.ceg_plus, (0, 1)),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "peer", "k"), [(name, peer, k) for name, peer, ks in PEERS for k in ks]
)
def test_pepit_finds_the_same_worst_case(name: str, peer: Callable[[int], float], k: int) -> None:
    found = worst(name, k)
    theirs = peer(k)
    if found.value is None:  # the squared distance after one step, in units of that before
        step = claim(registry.get("theorems", name), k).bound
        (factor,) = step.values()
        assert found.ratio * float(factor) == pytest.approx(theirs, rel=1e-5)
    else:
        assert found.value == pytest.approx(theirs, rel=1e-5)


# ---- the forms are the statement -----------------------------------------------------------------


# roots, or the best of several: their statements are no quadratic forms
NO_FORM = {
    "gorbunov2023_ppm_star",
    "pethick2023_ikm_average",
    "pethick2023_ikm_last",
    "pethick2023_ikm_radius",
}


def replay(found: inequalities.Claim, F: Any, J: Any, z0: Any) -> dict[str, Any]:
    """What the basis vectors are on a problem with solution 0: the oracles, asked in order."""
    known = {"z0": z0, "F*": F(0 * z0)}
    names = [name for name in found.trace.basis if name not in known]
    for name, e in zip(names, found.trace.evaluations, strict=True):
        terms = zip(found.trace.basis, e.before, strict=True)
        before = sum(float(c) * known[n] for n, c in terms if c != 0) + 0 * z0
        gamma = float(e.gamma)
        if gamma == 0:
            assert e.of == "F"
            known[name] = F(before)
        elif e.of == "A":
            known[name] = (before - J(before, gamma)) / gamma
        else:
            p = before
            for _ in range(400):
                w = before - gamma * F(p)
                p = J(w, gamma) if e.of == "S" else w
            known[name] = (before - p) / gamma
    return known


@pytest.mark.parametrize("name", about_a_class())
@pytest.mark.sampled(4)
def test_measure_and_bound_are_what_a_run_gives(name: str) -> None:
    """On an operator that none of them is about: the forms assume nothing but the calls."""
    from opcheck.engine.run import run_batch
    from opcheck.evidence.statement.evaluation import parameters_of, plan, sides
    from opcheck.model.operator import NO_CONSTRAINT, linear
    from opcheck.model.problem import Problem
    from opcheck_problems.sets import box

    entry: Theorem = registry.get("theorems", name)
    k = max(entry.first, 1)
    if name in NO_FORM:
        with pytest.raises(OpcheckError, match="no quadratic form"):
            claim(entry, k)
        return
    found = claim(entry, k)
    k = found.setting.k
    M = np.array([[0.3, 0.4], [-0.5, 0.2]])
    limits = box([-1.0, -0.5], [0.4, 0.7]) if (found.A != "zero") else NO_CONSTRAINT
    z0 = np.array([0.9, 0.6])
    where = Problem(linear(M), limits, name="test", start=z0, solution=np.zeros(2))
    recording = plan(entry)
    horizon = k + 1 if recording.in_steps else k
    values: dict[str, Any] = {}
    for symbol, value in found.setting.values.items():
        if isinstance(value, np.ndarray):
            values[symbol] = np.array([float(v) for v in value])
        else:
            values[symbol] = float(value.ball.mid() if isinstance(value, Ball) else value)
    takes = list(recording.takes.values())
    parameters = parameters_of(entry.iteration, values)
    batch = run_batch(where, entry.iteration, [parameters], range(horizon + 1), takes)
    record = {key: batch.record[0, j] for j, key in enumerate(recording.takes)}
    values["R"] = float(np.linalg.norm(z0))
    with np.errstate(all="ignore"):
        left, right = sides(entry, recording, values, record, horizon)

    def J(z: Any, gamma: float) -> Any:
        return limits(z, gamma) if (found.A != "zero") else z

    vectors = replay(found, lambda z: M @ z, J, z0)

    def form(products: Any) -> float:
        total = 0.0
        for c, u, v in found.inner(products):
            a = sum(float(e) * vectors[n] for e, n in zip(u, found.basis, strict=True) if e != 0)
            b = sum(float(e) * vectors[n] for e, n in zip(v, found.basis, strict=True) if e != 0)
            total += float(c) * float(np.dot(a, b))
        return total

    assert form(found.measure) == pytest.approx(left[k], rel=1e-9, abs=1e-12)
    assert form(found.bound) == pytest.approx(right[k], rel=1e-9, abs=1e-12)


def test_an_inequality_is_the_property_at_two_calls() -> None:
    """C ≥ 0 on an operator that has the property, < 0 somewhere on one that has not."""
    found = claim(registry.get("theorems", "gorbunov2022_eg_last"), 2)
    rotation = np.array([[0.0, 1.0], [-1.0, 0.0]])

    def least(M: Any) -> float:
        vectors = replay(found, lambda z: M @ z, None, np.array([1.0, 0.5]))
        values = []
        for (a, b, c), dx, du in found.differences():
            x = sum(float(e) * vectors[n] for e, n in zip(dx, found.basis, strict=True))
            u = sum(float(e) * vectors[n] for e, n in zip(du, found.basis, strict=True))
            values.append(float(a) * x @ x + 2 * float(b) * x @ u + float(c) * u @ u)
        return float(min(values))

    assert least(rotation) == pytest.approx(0, abs=1e-12)
    assert least(0.5 * rotation + 0.5 * np.eye(2)) > -1e-12
    assert least(1.25 * rotation) < -0.1
    assert least(-0.5 * np.eye(2)) < -0.1


def test_no_run_exceeds_the_worst_case() -> None:
    rng = np.random.default_rng(7)
    value = worst("gorbunov2022_eg_last", 3).value
    assert value is not None
    largest = 0.0
    for _ in range(300):
        half = rng.normal(size=(4, 4))
        M = half - half.T + rng.exponential() * half @ half.T * 0.1
        M /= np.linalg.norm(M, 2)
        z = rng.normal(size=4)
        z /= np.linalg.norm(z)
        for _ in range(3):
            z = z - 0.5 * M @ (z - 0.5 * M @ z)
        largest = max(largest, float(np.sum((M @ z) ** 2)))
    assert 0.3 * value < largest <= value * (1 + 1e-9)


# ---- every theorem -------------------------------------------------------------------------------

REFUSED = {
    "is about",
    "must fail",
    "no quadratic form",
    "a minimum of forms",
}


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("name", THEOREMS)
@pytest.mark.sampled(8)
def test_every_theorem_is_certified_or_says_why_not(name: str, k: int) -> None:
    (one,) = attempts(name, [k])
    if one.kind == "refused":
        assert any(words in one.reason for words in REFUSED), one.reason
        assert one.reason.startswith(name)
        return
    assert one.kind == "certified", one.reason
    assert one.certificate is not None
    assert one.at_bound
    assert one.certificate.ratio == 1
    assert one.certificate.valid
    assert worst(name, k).ratio <= 1 + 1e-6


@pytest.mark.slow
def test_at_least_thirty_theorems_are_certified_for_five_steps() -> None:
    whole = [name for name in THEOREMS if all(a.at_bound for a in attempts(name, range(1, 6)))]
    assert len(whole) >= 30, sorted(set(THEOREMS) - set(whole))


@pytest.mark.slow
@pytest.mark.parametrize("place", ["low", "high"])
def test_bounds_are_certified_close_to_the_ends_of_the_ranges(place: Any) -> None:
    found = [a for n in about_a_class() for a in attempts(n, [1], place=place)]
    certified = [a.theorem for a in found if a.at_bound]
    refused = [a.reason for a in found if a.kind == "refused"]
    missed = {a.theorem for a in found if not a.at_bound and a.kind != "refused"}
    assert len(certified) >= 60
    # no rationals are found for these there, though the solver puts the worst case at the bound
    assert missed <= {"low": {"pethick2023_rapp_computable"}, "high": {"he2015_dr_last"}}[place]
    assert all(worst(name, 1, place=place).ratio <= 1 + 1e-6 for name in missed)
    assert all("no quadratic form" in r or "GB" in r for r in refused), refused


# ---- tight bounds and false ones -----------------------------------------------------------------

TIGHT = [
    ("lieder2021_halpern", 2),
    ("gu2020_ppm_last", 2),
    ("gu2020_ppm_last", 10),  # its kernel has denominators of ten digits, which floats don't show
    ("lieder2018_km_last", 2),
    ("lieder2018_km_last", 10),
    ("lieder2021_halpern", 12),
    ("lee2021_feg", 3),
    ("gorbunov2022_eg_monotone", 0),
    ("gorbunov2023_ppm_last", 1),
    ("korpelevich1976_eg_fejer", 0),
    ("pethick2023_ikm_residual", 0),
    ("pethick2023_relaxed_fejer", 0),
    ("pethick2023_inner_loop", 1),
    ("pethick2023_la_average", 1),
    ("elementary_gda_contraction", 0),
]


@pytest.mark.parametrize(("name", "k"), TIGHT)
@pytest.mark.sampled(4)
def test_a_tight_bound_is_certified_and_one_percent_less_is_not(name: str, k: int) -> None:
    assert certify(name, k).ratio == 1
    with pytest.raises(NotCertified, match="is not certified: the inequalities give"):
        certify(name, k, ratio="99/100")


def test_a_kernel_is_read_off_exactly() -> None:
    """Against the extremal run: T a rotation, whose Gram matrix has rank 2 and rational rows."""
    k = 9
    found = claim(stated("gu2020_ppm_last"), k)
    program = Program(found)
    start = program.smallest()
    chosen = np.flatnonzero(rounding._active(start))
    forms = [combined(found, {int(i): fmpq(1)}) for i in chosen]
    constant = constant_of(found, fmpq(1))
    lam, P = polish.polished(program, 1.0, start, chosen, 2)
    block = polish.with_identity(P)
    assert block is not None
    kernel = polish.precise(forms, constant, lam * program.unit[chosen], P, block[0])
    assert kernel is not None
    longest = max(int(v.q) for v in kernel.entries())
    assert longest > 10**7
    # the same plane as the points of the run on the rotation that reaches the bound: s of each
    # step, as multiples of z0 and of a vector at a right angle to it
    cosine = (k / (k + 1)) ** 0.5
    turn = cosine * np.exp(1j * np.arccos(cosine))  # J = cos φ · rotation by φ, from its angle
    z = turn ** np.arange(k + 2)
    s = (z[:-1] - z[1:]) / float(found.setting.values["gamma"])
    rows = np.array([[1, 0], *([v.real, v.imag] for v in s)])
    plane = np.array([[float(v) for v in row] for row in kernel.tolist()])
    fit = plane @ np.linalg.lstsq(plane, rows, rcond=None)[0]
    assert np.abs(fit - rows).max() < 1e-9


def test_less_than_the_bound_is_certified_where_there_is_room() -> None:
    found = certify("gorbunov2022_eg_last", 2, ratio=Fraction(1, 2))
    assert found.ratio == Fraction(1, 2)
    scale = Fraction(1) / (Fraction(1, 4) * Fraction(3, 4) * 3)
    assert found.tau == scale / 2
    assert found.valid


@pytest.mark.usefixtures("own_registry")
def test_where_no_rationals_are_found_the_bound_is_raised_and_that_is_what_is_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = rounding.attempts

    def only_raised(program: Any, target: Any, tight: bool = True, start: Any = None) -> Any:
        return iter(()) if tight else real(program, target, tight)

    monkeypatch.setattr(rounding, "attempts", only_raised)
    found = certify(stated("lieder2021_halpern", proof=None), 3)
    assert 1 < found.ratio < Fraction(1001, 1000)
    assert found.tau == found.ratio * Fraction(4, 16)
    assert found.valid
    assert "raised" in found.how
    entry = dataclasses.replace(stated("lieder2021_halpern"), name="mine", proof=None)
    registry.register("theorems", "mine", entry, "")
    (one,) = attempts("mine", [3])
    assert not one.at_bound
    assert one.cell.startswith("≤ 1.0000")


def test_a_false_theorem_is_not_certified() -> None:
    half = stated("lieder2021_halpern", bound="2*R**2/(k + 1)**2")
    with pytest.raises(NotCertified, match=r"give 2\.?0* times the bound"):
        certify(half, 2)
    missing = stated("gorbunov2022_eg_monotone", given=(Lipschitz("L", of="F"),), proof=None)
    with pytest.raises(NotCertified):
        certify(missing, 0)


def wrong_sign(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """Extragradient that looks back instead of ahead."""
    z, zbar, Fz = state[0], state[1], state[2]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(z.shape[0]):
            zbar[i] = z[i] + params[0] * Fz[i]
        F(zbar, Fz, F_data)
        for i in range(z.shape[0]):
            z[i] = z[i] - params[0] * Fz[i]


@pytest.mark.usefixtures("own_registry")
def test_a_wrong_sign_in_the_kernel_is_seen() -> None:
    method = dataclasses.replace(
        resolve("extragradient"),
        name="backward",
        kernel=wrong_sign,
        constrained=False,
        reference=None,
    )
    registry.register("methods", "backward", method, "here")
    broken = dataclasses.replace(stated("gorbunov2022_eg_monotone"), method="backward")
    with pytest.raises(OpcheckError, match=r"not certified|no finite bound"):
        certify(broken, 0)


def test_the_fejer_step_of_extragradient_needs_a_convex_function() -> None:
    """F a quarter turn, A three times it, γ = 1/2: A is monotone and the distance grows."""
    gamma, F, A = 0.5, 1j, 3j
    J = 1 / (1 + gamma * A)
    zbar = J * (1 - gamma * F)
    after = J * (1 - gamma * F * zbar)
    bound = 1 - (1 - gamma**2) * abs(1 - zbar) ** 2
    assert abs(after) ** 2 > 1.9 * bound
    any_monotone = stated("korpelevich1976_eg_fejer", constrained=True)
    assert Program(claim(any_monotone, 0)).smallest().theta > abs(after) ** 2 / bound
    with pytest.raises(NotCertified, match="times the bound"):
        certify(any_monotone, 0)
    assert worst("korpelevich1976_eg_fejer", 0).ratio == pytest.approx(1, abs=1e-6)
    kinds = [p["kind"] for p in certify("korpelevich1976_eg_fejer", 0).document["properties"]]
    assert "Subdifferential" in kinds
    assert "Monotone" in kinds  # of F


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def halpern_2() -> dict[str, Any]:
    return dict(certify("lieder2021_halpern", 2).document)


def fresh(document: dict[str, Any]) -> dict[str, Any]:
    """With a digest that fits."""
    document["digest"] = recheck.digest(document)
    return document


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case str():
            return value + "1"
        case int():
            return value + 1
        case list():
            return [*value, "x"]
        case dict():
            return {**value, "x": "1"}
    return "x"


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of everything in a document."""
    keys: Any = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.parametrize("name", ["lieder2021_halpern", "pethick2022_ceg_plus"])
def test_any_change_of_a_file_is_rejected_by_its_digest(name: str) -> None:
    document = dict(certify(name, 1).document)
    assert recheck.check(document)
    count = sum(1 for _ in places(document))
    assert count > 50
    for i in range(count):
        other = copy.deepcopy(document)
        container, key = list(places(other))[i]
        container[key] = changed(container[key])
        with pytest.raises(recheck.Rejected, match="digest"):
            recheck.check(other)


def test_false_claims_with_a_fresh_digest_are_rejected_by_the_arithmetic(
    halpern_2: dict[str, Any],
) -> None:
    def rejected(change: Callable[[dict[str, Any]], Any], match: str) -> None:
        other = copy.deepcopy(halpern_2)
        change(other)
        with pytest.raises(recheck.ERRORS, match=match):
            recheck.check(fresh(other))

    def set_(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
        def apply(document: Any) -> None:
            *way, last = [int(p) if p.isdigit() else p for p in path.split(".")]
            for step in way:
                document = document[step]
            document[last] = value

        return apply

    no_squares = "no sum of squares"
    rejected(set_("ratio", "99/100"), no_squares)
    rejected(set_("ratio", "999999999/1000000000"), no_squares)
    rejected(lambda d: d["multipliers"].pop(), no_squares)
    rejected(set_("multipliers.0.value", "-1"), "negative")
    for i, one in enumerate(halpern_2["multipliers"]):
        more = Fraction(one["value"]) * Fraction(1000001, 1000000)
        rejected(set_(f"multipliers.{i}.value", str(more)), no_squares)
    rejected(set_("measure.0.factor", "1000001/1000000"), no_squares)
    rejected(set_("bound.0.factor", "4/10"), no_squares)
    # QuasiNonexpansive speaks of the solution only
    rejected(set_("properties.0.kind", "QuasiNonexpansive"), "gives no inequality")
    rejected(set_("properties.0.kind", "Monotone"), no_squares)
    rejected(set_("properties.0.kind", "Contractive"), "gives no inequality")
    rejected(set_("properties.0.of", "A"), "F")
    rejected(set_("multipliers.0.pair", ["*", "F9"]), "F9")
    rejected(set_("calls.0.before", {"F2": "1"}), "not one that the run can make")
    rejected(set_("calls.1.name", "F1"), "not one that the run can make")
    rejected(set_("calls.0.of", "A"), "not one that the run can make")
    rejected(set_("calls.1.before", {"z0": "1"}), no_squares)
    # a smaller step would be another method: its points are not the ones that were proved about
    rejected(set_("calls.1.before.F1", "-1/4"), no_squares)


def test_stronger_hypotheses_than_declared_are_not_used() -> None:
    document = copy.deepcopy(dict(certify("gorbunov2022_eg_monotone", 0).document))
    kinds = [p["kind"] for p in document["properties"]]
    document["properties"][kinds.index("Lipschitz")]["constant"] = "11/10"
    with pytest.raises(recheck.Rejected, match="sum of squares"):
        recheck.check(fresh(document))


def test_the_values_of_the_convex_function_must_cancel() -> None:
    document = copy.deepcopy(dict(certify("korpelevich1976_eg_fejer", 0).document))
    convex = [p["kind"] for p in document["properties"]].index("Subdifferential")
    used = [m for m in document["multipliers"] if m["property"] == convex]
    assert len(used) >= 3
    used[0]["value"] = str(Fraction(used[0]["value"]) / 2)
    with pytest.raises(recheck.Rejected, match="cancel"):
        recheck.check(fresh(document))


def test_f_at_the_solution_is_0_only_where_nothing_feels_it() -> None:
    document = copy.deepcopy(dict(certify("pethick2022_ceg_plus", 1).document))
    assert "F*" not in document["basis"]
    document["measure"].append({"factor": "1/1000000", "left": {"F1": "1"}, "right": {"F1": "1"}})
    with pytest.raises(recheck.Rejected, match="felt apart"):
        recheck.check(fresh(document))


def test_a_claim_that_feels_f_alone_keeps_it_as_a_vector() -> None:
    felt = stated("elementary_gda_contraction", measure="next(distance) + norm2(Fz)*0")
    assert "F*" not in claim(felt, 0).basis
    felt = stated(
        "elementary_gda_contraction", measure="next(distance)", bound="distance + 4*norm2(Fz)"
    )
    found = claim(felt, 0)
    assert "F*" in found.basis
    assert certify(felt, 0).valid


@pytest.mark.parametrize(
    "kind",
    [v for v in vars(properties).values() if isinstance(v, Kind) and not v.of_values],
    ids=lambda k: k.name,
)
def test_the_checker_defines_each_property_as_the_library_does(kind: Kind) -> None:
    for constant in (Fraction(0), Fraction(3, 2), Fraction(-1, 3)):
        a, b, c = kind.form(constant)
        assert recheck.FORMS[kind.name](constant) == (a, 2 * b, c)
        p, q, r = properties.Property(kind, constant, "T").form()
        x, y, z = recheck.FORMS[kind.name](constant)
        assert (x + y + z, -y - 2 * z, z) == (p, 2 * q, r)
    assert (kind.name in recheck.ONLY_AT_THE_SOLUTION) == kind.star


@pytest.mark.parametrize(
    ("matrix", "wanted"),
    [
        ([[1, 1], [1, 1]], True),
        ([[1, 2], [2, 1]], False),
        ([[0, 0], [0, 1]], True),
        ([[0, 1], [1, 1]], False),
        ([[-1]], False),
        ([[4, 2, 0], [2, 1, 0], [0, 0, 0]], True),
        ([[4, 2, 1], [2, 1, 0], [1, 0, 5]], False),
        ([], True),
    ],
)
def test_semidefinite_by_exact_elimination(matrix: list[list[int]], wanted: bool) -> None:
    assert recheck.semidefinite([[Fraction(v) for v in row] for row in matrix]) is wanted
    assert recheck.semidefinite([[fmpq(v) for v in row] for row in matrix]) is wanted


def test_semidefinite_agrees_with_eigenvalues() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        half = rng.integers(-3, 4, size=(4, rng.integers(1, 5)))
        S = half @ half.T - rng.integers(0, 2) * np.diag(rng.integers(0, 2, size=4))
        least = float(np.linalg.eigvalsh(S)[0])
        exact = recheck.semidefinite([[Fraction(int(v)) for v in row] for row in S])
        assert exact == (least > -1e-9), S


def test_the_stand_alone_script_needs_nothing_but_python(tmp_path: Path) -> None:
    script = tmp_path / "recheck.py"
    shutil.copy(recheck.__file__, script)
    shutil.copy(rerun.__file__, tmp_path)
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 400
    good = certify("pethick2023_la_ceg_plus", 1).save(tmp_path / "deep" / "good.json")
    document = json.loads(good.read_text(encoding="utf-8"))
    document["ratio"] = "1/100"
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(fresh(document)), encoding="utf-8")

    def ran(*files: Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-I", "-S", str(script), *map(str, files)]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    done = ran(good)
    assert done.returncode == 0
    assert "proved: pethick2023_la_ceg_plus, k = 1, in every dimension, for " in done.stdout
    assert ": measure ≤ 1 · bound (measure: " in done.stdout
    failed = ran(bad)
    assert failed.returncode == 1
    assert "REJECTED" in failed.stderr
    assert ran(tmp_path / "nothing.json").returncode == 1
    for text in ("", "[]", "{}", f'{{"format": "{recheck.FORMAT}"}}', "\x00"):
        bad.write_text(text, encoding="utf-8")
        assert ran(bad).returncode == 1, text
        assert "Traceback" not in ran(bad).stderr


def test_recheck_runs_the_method_again(tmp_path: Path) -> None:
    found = certify("gorbunov2022_eg_last", 2, gamma="1/sqrt(2)")
    proved = recheck_file(found.save(tmp_path / "a.json"))
    assert "measure ≤ 1 · bound" in proved.proved
    assert proved.run == "the run is what the text of extragradient gives"
    # proved by the arithmetic, but about something else
    document = copy.deepcopy(dict(found.document))
    document["measure"][0]["factor"] = "1/2"
    assert recheck.check(fresh(document))
    path = tmp_path / "b.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(NotCertified, match="its measure is not what its texts give"):
        recheck_file(path)
    document = copy.deepcopy(dict(found.document))
    document["texts"]["functions"]["extragradient"] += "\n    return"
    path.write_text(json.dumps(fresh(document)), encoding="utf-8")
    assert "extragradient, which was edited since, gives" in recheck_file(path).run
    for name, value in (("constants", {"L": "2"}), ("parameters", {"gamma": "1/3"})):
        other = copy.deepcopy(document)
        other["statement"][name] = value
        path.write_text(json.dumps(fresh(other)), encoding="utf-8")
        with pytest.raises(NotCertified, match=r"are not|is not what|fails"):
            recheck_file(path)
    for name in ("constants", "k", "A"):
        other = copy.deepcopy(document)
        del other["statement"][name]
        path.write_text(json.dumps(fresh(other)), encoding="utf-8")
        with pytest.raises(NotCertified, match=f"it, statement has no '{name}'"):
            recheck_file(path)
    other = copy.deepcopy(document)
    other["statement"]["parameters"]["gamma"] = "1/sqrt(2)"  # a formula: not evaluated
    path.write_text(json.dumps(fresh(other)), encoding="utf-8")
    with pytest.raises(NotCertified, match="no fraction of at most"):
        recheck_file(path)
    document["statement"]["theorem"] = "nobody2026_nothing"
    path.write_text(json.dumps(fresh(document)), encoding="utf-8")
    assert recheck_file(path).numbers_only
    assert "is not known here" in recheck_file(path).run


# ---- bad input -----------------------------------------------------------------------------------


def adaptive(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A step whose length depends on the operator."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        total = Fz[0] * Fz[0]
        for i in range(1, z.shape[0]):
            total += Fz[i] * Fz[i]
        for i in range(z.shape[0]):
            z[i] = z[i] - params[0] * Fz[i] / total


def first_only(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A step along the first coordinate."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        z[0] = z[0] - params[0] * Fz[0]


def mixing(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A step that adds the first coordinate to all."""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(z.shape[0]):
            z[i] = z[i] - params[0] * Fz[0]


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    ("kernel", "words"),
    [(adaptive, "adaptive step"), (first_only, "treated differently"), (mixing, "are mixed")],
)
def test_a_method_that_is_no_combination_is_refused_with_the_reason(
    kernel: Any, words: str
) -> None:
    method = dataclasses.replace(
        resolve("gradient_descent_ascent"),
        name="mine",
        kernel=kernel,
        constrained=False,
        reference=None,
    )
    registry.register("methods", "mine", method, "here")
    entry = dataclasses.replace(
        stated("elementary_gda_contraction"), method="mine", constrained=False
    )
    with pytest.raises(OpcheckError, match=words):
        worst(entry, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"measure": "best(residual)"}, "minimum of forms"),
        ({"measure": "sqrt(residual)"}, "root is taken"),
        ({"measure": "residual*distance"}, "multiplied by what is measured"),
        ({"measure": "residual/distance"}, "divides by 0"),
        ({"measure": "max_norm"}, "compared or rounded"),
        ({"measure": "max(residual, distance)"}, "compared"),
        ({"bound": "R/(k + 1)"}, "the bound is no quadratic form"),
        ({"bound": "R**3/(k + 1)"}, "R enters other than by its square"),
        ({"bound": "2**R"}, "is an exponent"),
        ({"bound": "R**2/2**R"}, "is an exponent"),
        ({"bound": "exp(R)"}, "exp of R, or of what is measured"),
        ({"measure": "log(1 + residual)"}, "a number that is no multiple"),
        ({"measure": "abs(distance)"}, "abs of R, or of what is measured"),
        ({"bound": "1/(k + 1)"}, "the bound is no quadratic form"),
        ({"measure": "residual + 1"}, "no multiple of R"),
        ({"measure": "exp(1)*residual"}, "the measure is no quadratic form"),
        ({"bound": "distance - exp(1)*R**2"}, "rounded down is subtracted"),
        ({"claim": "must fail"}, "must fail"),
        ({"claim": "equality"}, "bounds from above only"),
        ({"on": ("bilinear",)}, "about bilinear only"),
    ],
)
def test_what_is_no_form_is_refused_in_one_sentence(changes: dict[str, Any], words: str) -> None:
    entry = stated("gorbunov2022_eg_last", **changes)
    with pytest.raises(OpcheckError, match=words) as caught:
        certify(entry, 1)
    assert not isinstance(caught.value, NotCertified)
    assert str(caught.value).startswith("gorbunov2022_eg_last: ")
    assert "\n" not in str(caught.value)


def test_an_irrational_bound_is_rounded_down() -> None:
    exact = claim(registry.get("theorems", "pethick2023_rapp_last"), 1).scale
    assert exact is not None
    kappa, beta = 0.5, 1 - 0.125 / 0.5625
    lam = 7 / 9
    true = np.exp(kappa + kappa**2) / (1 - kappa) / (lam * (2 * beta - lam) * 2)
    assert true * (1 - 1e-11) < float(exact) <= true
    for value in (Ball(2).sqrt(), Ball(10**20) * Ball(2).sqrt(), Ball(2).sqrt() / 10**20):
        short = below(value.ball)
        assert Ball(short) < value
        assert Ball(short) > value * fmpq(2**39 - 1, 2**39)
        assert short.p.bit_length() <= 80


def test_irrational_parameters_are_rounded_inward_and_said_so() -> None:
    found = worst("gorbunov2022_eg_last", 1, gamma="1/sqrt(2)")
    gamma = Fraction(found.parameters["gamma"])
    assert gamma**2 < Fraction(1, 2)  # towards the middle of (0, 1)
    assert float(gamma) == pytest.approx(0.5**0.5, abs=2e-6)
    assert found.notes == (f"gamma = 1/sqrt(2) is irrational: rounded inward to {gamma}",)
    low = setting(
        registry.get("theorems", "gorbunov2022_eg_last"), 1, 1, fixed={"gamma": "sqrt(2)/4"}
    )
    assert low.parameters["gamma"] ** 2 > Fraction(1, 8)
    edge = stated(
        "gorbunov2022_eg_last",
        where="0 < gamma <= 1/(sqrt(2)*L)",
        bound="2*R**2/(gamma**2*(k + 1))",
        paper=(),
    )
    found = worst(edge, 1, place="high")
    assert Fraction(found.parameters["gamma"]) ** 2 < Fraction(1, 2)
    assert "stands inward of the irrational end" in found.notes[0]


@pytest.mark.parametrize("place", ["low", "middle", "high"])
@pytest.mark.parametrize("name", about_a_class())
def test_chosen_parameters_are_rational_and_admissible(name: str, place: Any) -> None:
    from opcheck.evidence.statement.parameters import check, conditions_hold

    entry = registry.get("theorems", name)
    found = setting(entry, 2, 3, place)
    values: dict[str, Any] = {"K": 3.0, "k": np.arange(4.0), "j": np.arange(4.0)}
    values |= {n: float(v) for n, v in {**found.constants, **found.parameters}.items()}
    conditions_hold(entry, values)
    check(entry, values)
    assert all(isinstance(v, Fraction) for v in found.parameters.values())


def test_simplest_rationals() -> None:
    def between(a: str, b: str) -> Fraction:
        lo, hi = Fraction(a), Fraction(b)
        q = simplest(fmpq(lo.numerator, lo.denominator), fmpq(hi.numerator, hi.denominator))
        return Fraction(int(q.p), int(q.q))

    assert between("1/3", "1/2") == Fraction(1, 2)
    assert between("314/100", "315/100") == Fraction(22, 7)
    assert between("-1/2", "1/2") == 0
    assert between("-315/100", "-314/100") == Fraction(-22, 7)
    assert between("-2/3", "-1/2") == Fraction(-1, 2)
    assert between("5/7", "5/7") == Fraction(5, 7)
    assert between("-5/2", "-3/2") == -2
    assert between("1/1000", "3") == 1


def test_no_finite_bound() -> None:
    entry = stated(
        "gorbunov2022_eg_last",
        given=(Monotone(of="F"),),
        where="0 < gamma",
        bound="R**2",
        paper=(),
        proof=None,
    )
    with pytest.raises(OpcheckError, match="no finite bound follows from these inequalities"):
        worst(entry, 1)
    with pytest.raises(OpcheckError, match="no finite bound follows from these inequalities"):
        certify(entry, 1)


def test_a_solver_that_stops_early_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conic, "TOLERANCES", (1e-40,))
    monkeypatch.setattr(worst_case, "optimum", lambda stated: None)
    with pytest.raises(OpcheckError, match="the solver did not converge"):
        worst("gorbunov2022_eg_last", 2)
    found = certify("gorbunov2022_eg_last", 2)  # the exact check is the criterion, and it passes
    assert found.valid
    with pytest.raises(NotCertified):
        certify("lieder2021_halpern", 2, ratio="99/100")


def test_a_solution_below_what_holds_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen where the bound is 1e-8 in the measure's scale, below what the solver resolves."""
    tiny = claim(registry.get("theorems", "pethick2023_inner_loop"), 2, "middle", {"gamma": "1/86"})
    with pytest.raises(OpcheckError, match="so nothing is known"):
        Program(tiny).smallest()
    assert worst("pethick2023_inner_loop", 2, gamma="1/86").ratio == pytest.approx(1, abs=1e-12)
    real = Program._solve

    def too_small(self: Program, *args: Any, **options: Any) -> Any:
        found = real(self, *args, **options)
        theta = found.theta * 0.999
        return dataclasses.replace(found, theta=theta, slack=self.slack(theta, found.lam))

    monkeypatch.setattr(Program, "_solve", too_small)
    monkeypatch.setattr(worst_case, "optimum", lambda stated: None)
    with pytest.raises(OpcheckError, match=r"an error of about 0\.00\d in 0\.999"):
        worst("lieder2021_halpern", 2)


def test_memory_is_estimated_before_anything_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("it solved")

    monkeypatch.setattr(Program, "_solve", forbidden)
    with pytest.raises(OpcheckError, match=r"needs about .* GB, more than the .* GB that are free"):
        worst("gorbunov2022_eg_last", 5000)
    with pytest.raises(OpcheckError, match="GB"):
        certify("pethick2023_rapp_last", 2000)
    monkeypatch.setattr(worst_case, "available", lambda: 1e3)
    with pytest.raises(OpcheckError, match=r"8 basis vectors, 56 inequalities .* take a smaller k"):
        worst("gorbunov2022_eg_last", 3)


def test_the_estimate_grows_as_the_problem_does() -> None:
    entry = registry.get("theorems", "gorbunov2022_eg_last")
    need = [
        inequalities.memory(len(c.basis), len(c.inequalities))
        for c in (claim(entry, k) for k in (5, 10, 20))
    ]
    assert 10 < need[1] / need[0] < 20
    assert 10 < need[2] / need[1] < 20


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["worst", "nothing"], "nothing"),
        (["worst", "pethick2023"], "name one"),
        (["worst", "lee2021_feg", "-k", "0"], "k ≥ 1"),
        (["worst", "lee2021_feg", "-k", "1..x"], "write -k 3"),
        (["worst", "lee2021_feg", "-k", "5..1"], "write -k 3"),
        (["worst", "gorbunov2022_eg_last", "-p", "gamma=2"], "0 < gamma < 1/L"),
        (["worst", "gorbunov2022_eg_last", "-p", "gamma=1/0"], "divides by 0"),
        (["worst", "gorbunov2022_eg_last", "-p", "gamma=x"], "no value for x"),
        (["worst", "gorbunov2022_eg_last", "-p", "gamma"], "is no parameter"),
        (["worst", "gorbunov2022_eg_last", "-p", "alpha=1"], "leaves L, gamma to choose"),
        (["worst", "gorbunov2022_eg_last", "-p", "L=sqrt(2)"], "is irrational"),
        (["worst", "gorbunov2023_eg_last", "-p", "rho=-1"], "-1/(8*L) <= rho fails"),
        (["worst", "pethick2023_la_eg", "-p", "tau=3/2"], "whole number"),
        (["worst", "pethick2023_la_gda_large_tau"], "must fail"),
        (["certify"], "or --all"),
        (["certify", "lee2021_feg", "--all"], "or --all"),
        (["certify", "lieder2021_halpern", "--ratio", "x"], "no rational number"),
        (["certify", "pethick2023_ikm_radius"], "no quadratic form"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words: list[str], sentence: str) -> None:
    result = invoke(*words)
    assert result.exit_code == 2, result.output
    (line,) = [one for one in result.stderr.splitlines() if one.startswith("opcheck: ")]
    assert sentence in line


def test_the_command_line_proves_writes_and_rechecks(tmp_path: Path) -> None:
    out = tmp_path / "proofs"
    done = invoke("certify", "lieder2021_halpern", "lee2021_feg", "-k", "1..2", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "4 of 4 certified at the bound; 2 theorems at every k asked" in done.stdout
    files = sorted(out.iterdir())
    assert [f.name for f in files] == [
        "lee2021_feg-k1.json",
        "lee2021_feg-k2.json",
        "lieder2021_halpern-k1.json",
        "lieder2021_halpern-k2.json",
    ]
    done = invoke("recheck", *map(str, files))
    assert done.exit_code == 0
    assert done.stdout.count("proved: ") == 4
    files[0].write_text(files[0].read_text().replace('"1"', '"2"', 1))
    rows = json.loads(invoke("recheck", "--json", *map(str, files)).stdout)
    assert [row["valid"] for row in rows] == [False, True, True, True]
    assert invoke("recheck", str(files[0])).exit_code == 1
    assert invoke("recheck", str(tmp_path / "none.json")).exit_code == 2


def test_not_certified_is_exit_code_1() -> None:
    done = invoke("certify", "lieder2021_halpern", "-k", "1..2", "--ratio", "1/2")
    assert done.exit_code == 1
    assert "k = 1 is not certified: the inequalities give" in done.stdout
    rows = json.loads(
        invoke("certify", "lieder2021_halpern", "-k", "1", "--ratio", "1/2", "--json").stdout
    )
    assert rows[0]["result"] == "not certified"


@pytest.mark.ci
def test_worst_prints_the_table_and_json() -> None:
    done = invoke("worst", "lieder2021_halpern", "-k", "1,3", "--sparse")
    assert done.exit_code == 0
    assert "1.00000000" in done.stdout
    assert "× Nonexpansive of T at" in done.stdout
    rows = json.loads(invoke("worst", "gorbunov2022_eg_monotone", "-k", "1..9", "--json").stdout)
    assert len(rows) == 1  # one step stands for all
    assert rows[0]["covers"].startswith("every k")


# ---- fewest inequalities, and which k is covered -------------------------------------------------


def test_the_sparse_selection_of_halpern_is_the_published_proof() -> None:
    """Lieder's proof uses consecutive pairs and the last with the solution: k + 1 of them."""
    for k in (2, 3, 4):
        found = worst("lieder2021_halpern", k, sparse=True)
        pairs = [words.rpartition(" at ")[2] for words, _ in found.active]
        steps = {f"F{i}, F{i + 1}" for i in range(1, k + 1)}
        assert set(pairs) == steps | {f"*, F{k + 1}"}
        by_pair = {words.rpartition(" at ")[2]: value for words, value in found.active}
        for i in range(1, k + 1):
            published = 2 * i * (i + 1) / (k + 1) ** 2
            assert by_pair[f"F{i}, F{i + 1}"] == pytest.approx(published, rel=1e-4)
        assert by_pair[f"*, F{k + 1}"] == pytest.approx(2 / (k + 1), rel=1e-4)


def test_memoryless_methods() -> None:
    gamma = {"gamma": Fraction(1, 2)}
    exact = {n: fmpq(v.numerator, v.denominator) for n, v in gamma.items()}
    assert memoryless(resolve("extragradient"), exact)
    assert memoryless(resolve("extragradient"), exact, A="monotone")
    assert not memoryless(resolve("past_extragradient"), exact)
    assert not memoryless(resolve("anchored_extragradient"), exact)
    assert not memoryless(resolve("halpern"), {})
    assert not memoryless(
        resolve("lookahead(extragradient)"), {**exact, "lam": fmpq(1, 2), "tau": 2}
    )
    weights = [fmpq(1, 2), fmpq(1, 3), fmpq(1, 4)]
    assert not memoryless(resolve("krasnoselskii_mann"), {"a": weights})


def test_a_step_of_a_method_with_memory_is_claimed_of_its_own_k_only() -> None:
    entry = stated(
        "gorbunov2022_peg_last", measure="next(residual)", bound="4*residual", claim="one-step"
    )
    found = claim(entry, 2)
    assert str(found.covers) == "the step k = 2 of a run from the start"
    assert found.setting.k == 2
    every = claim(registry.get("theorems", "gorbunov2022_eg_monotone"), 7)
    assert every.covers.every
    assert str(every.covers).startswith("every k")
    assert every.setting.k == 0
    # a bound whose let depends on k speaks of that k
    of_k = stated(
        "gorbunov2022_eg_monotone", bound="c*residual", let={"c": "1 + d", "d": "1/(k + 1)"}
    )
    assert str(claim(of_k, 3).covers) == "k = 3"
    of_K = claim(registry.get("theorems", "pethick2023_rapp_last"), 2).covers
    assert (of_K.k, of_K.words) == (2, "k = 2 of K = 2")


def test_the_python_names() -> None:
    found = opcheck.certify("gorbunov2022_eg_last", k=3)
    assert isinstance(found.tau, Fraction)
    assert found.tau == Fraction(4, 3)
    assert found.valid
    assert opcheck.worst("gorbunov2022_eg_last", k=3).ratio < 1


@pytest.mark.usefixtures("own_registry")
def test_a_theorem_of_ones_own() -> None:
    mine = theorem(
        "me2026_km",
        method="krasnoselskii_mann",
        given=[properties.Cocoercive("beta", of="F")],
        where="0 < a < 2*beta",
        measure="upto(residual)/(k + 1)",
        bound="R**2/(a*(2*beta - a)*(k + 1))",
        source=Source("me2026"),
    )
    found = certify(mine, 3)
    assert found.ratio == 1
    assert recheck.check(dict(found.document))


def test_a_form_read_on_one_coordinate_alone_is_refused() -> None:
    one = Coefficient({0: fmpq(1)}, 0)
    with pytest.raises(TypeError, match="treated differently"):
        (one * one).inner_products()
    with pytest.raises(TypeError):
        Radius(((0, fmpq(1)),)) * one
    assert isinstance(form_arithmetic().power(Radius(((0, fmpq(1)),)), 2), Form)


# ---- docs/proofs.md ------------------------------------------------------------------------------

DOC = Path(opcheck.__file__).parent.parent / "docs" / "proofs.md"


def test_the_explained_certificate_is_the_one_that_is_made(halpern_2: dict[str, Any]) -> None:
    text = DOC.read_text(encoding="utf-8")
    for call in halpern_2["calls"]:
        point = " + ".join(
            name if value == "1" else f"{value} {name}" for name, value in call["before"].items()
        )
        assert f"| {call['name']} | {point.replace('+ -', '− ')} |" in text
    assert len(halpern_2["multipliers"]) == 3
    for one in halpern_2["multipliers"]:
        assert f"| {', '.join(one['pair'])} | {one['value']} |" in text
    assert halpern_2["bound"][0]["factor"] == "4/9"
    # the square in the text: (2/3, −1) is the only direction that the slack matrix has
    found = claim(registry.get("theorems", "lieder2021_halpern"), 2)
    pairs = [list(q.pair) for q in found.inequalities]
    used = {pairs.index(one["pair"]): fmpq(one["value"]) for one in halpern_2["multipliers"]}
    slack = constant_of(found, fmpq(1)) - combined(found, used)
    square = fmpq_mat([[fmpq(2, 3), 0, 0, -1]])
    assert slack == square.transpose() * square
