"""Better statements: what was loosened or narrowed comes back, and nothing goes too far."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from flint import fmpq

import opcheck
from opcheck import registry
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.evidence.discover.discover import claim, forms
from opcheck.evidence.discover.improvement import Improvement, changed, excluded
from opcheck.evidence.discover.reading import Reading
from opcheck.evidence.discover.search import Search
from opcheck.evidence.discover.tighten import _smaller as below_1
from opcheck.evidence.discover.tighten import tighten, times
from opcheck.evidence.discover.widen import widen
from opcheck.evidence.proofs.prove import attempt
from opcheck.model.theorem import without_proof

UNLIMITED = float("inf")
LOOSENED = (
    pytest.param("nemirovski2004_eg_gap", marks=pytest.mark.ci),  # a sum
    "lieder2021_halpern",  # anchored, k decides
    "gorbunov2022_eg_monotone",  # one step
    pytest.param("kim2021_appm", marks=pytest.mark.ci),
    pytest.param("baillon1996_km_last", marks=pytest.mark.slow),
    pytest.param("hsieh2019_peg_gap", marks=pytest.mark.slow),
)
NARROWED = (
    ("nemirovski2004_eg_gap", "gamma", "0 < gamma <= 1/(2*L)", "0 < gamma <= 1/L"),
    pytest.param(
        "diakonikolas2021_eg_plus_base",
        "alpha",
        "max(0, -2*rho) < gamma < 1/L, 0 < alpha <= 1/2 + rho/gamma",
        "0 < alpha <= (2*rho + gamma)/gamma",
        marks=pytest.mark.ci,
    ),
)


def bare(name: str) -> opcheck.Theorem:
    """A registered statement with its proof taken away."""
    return without_proof(registry.get("theorems", name))


def proved(improvement: Improvement, tmp_path: Path) -> opcheck.Theorem:
    """What its file declares, once prove has accepted that."""
    file = tmp_path / "improved.py"
    file.write_text(improvement.file.replace("_found", f"_{tmp_path.name}"))
    entry: opcheck.Theorem = registry.get("theorems", registry.in_file("theorems", str(file))[0])
    assert attempt(entry).status == "proved"
    return entry


def number(theorem: opcheck.Theorem, point: dict[str, fmpq], k: int) -> fmpq:
    """A bound's factor of R², or of what it is a multiple of, at numbers."""
    reading = Reading(theorem, [theorem.measure, theorem.bound], begin=theorem.first)
    return next(iter(reading.rationals(theorem.bound, point, k).values()))


@pytest.mark.parametrize("name", LOOSENED)
def test_a_loosened_bound_comes_back(name: str, tmp_path: Path) -> None:
    """Three times the bound of a tight statement, tightened, is the declared bound and no less."""
    entry = bare(name)
    loose = changed(entry, bound=f"3*({entry.bound})")
    improvement = tighten(loose, time_limit=UNLIMITED)
    assert improvement.ok, [each.reason for each in improvement.tries]
    assert improvement.factor == "1/3"
    better = proved(improvement, tmp_path)
    reading = Reading(entry, [entry.measure, entry.bound, better.bound], begin=entry.first)
    assert not (reading.total(better.bound) - reading.total(entry.bound)).terms
    assert all(0.333 < end.reached < 0.3334 for end in improvement.ends)
    for end in improvement.ends:
        assert not end.beyond or Fraction(end.beyond) < Fraction(1, 3)


@pytest.mark.parametrize("name", ["lieder2021_halpern", "gorbunov2022_eg_monotone"])
def test_a_tight_bound_stays(name: str) -> None:
    """Nothing is shown that would be false, and the sentence claims no more than was tried."""
    improvement = tighten(name, time_limit=UNLIMITED)
    assert not improvement.ok
    assert improvement.improved == improvement.file == improvement.declaration == ""
    assert "no smaller constant was shown in the families tried" in improvement.sentence
    assert all(end.reached > 0.999 for end in improvement.ends)


@pytest.mark.ci
def test_a_bound_of_the_library_is_better_than_published(tmp_path: Path) -> None:
    """(1 + q)/(1 − q) becomes (1 + q²)/(1 − q²), which is still no less than the worst case."""
    improvement = tighten("tseng2000_fbf_average", time_limit=UNLIMITED)
    assert improvement.ok
    better = proved(improvement, tmp_path)
    declared = bare("tseng2000_fbf_average")
    for q in (Fraction(1, 3), Fraction(4, 5)):
        point = {"L": fmpq(1), "gamma": fmpq(q.numerator, q.denominator)}
        old, new = (number(entry, point, 3) for entry in (declared, better))
        assert Fraction(str(new / old)) == (1 + q**2) / (1 + q) ** 2
    assert {end.beyond != "" for end in improvement.ends} == {True}
    said = [*improvement.limits]
    assert all("says the solver" in line and "checked in exact rationals" in line for line in said)


@pytest.mark.parametrize(("name", "parameter", "narrow", "wide"), NARROWED)
def test_a_narrowed_range_comes_back(
    name: str, parameter: str, narrow: str, wide: str, tmp_path: Path
) -> None:
    """And no further: what lies beyond is excluded by exact weights."""
    improvement = widen(changed(bare(name), where=narrow), parameter, time_limit=UNLIMITED)
    assert improvement.improved == wide, [each.reason for each in improvement.tries]
    better = proved(improvement, tmp_path)
    assert str(next(c for c in better.chains if c.name == parameter)) == wide
    assert improvement.ends
    for end in improvement.ends:
        assert float(Fraction(end.beyond)) > end.reached * 1.0005


@pytest.mark.ci
def test_a_range_of_the_library_is_wider_than_published(tmp_path: Path) -> None:
    """Extragradient's residual never grows inside L²(γ² − 2γρ + 4ρ²) ≤ 1 + 2ρ/γ, and no further."""
    improvement = widen("gorbunov2023_eg_monotone", "gamma", time_limit=UNLIMITED)
    assert improvement.ok
    better = proved(improvement, tmp_path)
    chain = next(c for c in better.chains if c.name == "gamma")
    assert chain.lo is not None
    assert chain.hi is not None
    for rho in np.linspace(-1 / 8, 0, 40):
        low, high = (end.evaluate({"L": 1.0, "rho": float(rho)}) for end in (chain.lo, chain.hi))
        assert low <= max(0, -4 * rho) + 1e-12
        assert high >= 1 / 2 - 1e-12
        for gamma in (low, high):
            assert gamma * (gamma**2 - 2 * gamma * rho + 4 * rho**2) <= gamma + 2 * rho + 1e-12
    for end in improvement.ends:
        rho, gamma = float(Fraction(end.point["rho"])), end.reached
        edge = gamma * (gamma**2 - 2 * gamma * rho + 4 * rho**2) - gamma - 2 * rho
        assert abs(edge) < 1e-4


def test_an_open_range_has_no_end() -> None:
    """The bound of one step falls below 0 where γ grows, and stays true; no end is told."""
    improvement = widen("gorbunov2022_eg_monotone", "gamma", time_limit=UNLIMITED)
    assert improvement.improved == "0 < gamma"
    assert [*improvement.limits] == [
        "at L = 1 this form goes on as far as was looked, says the solver"
    ]


def test_a_range_that_goes_down_to_0() -> None:
    """Close to 0 the solver sees an end, at 6/2551, that is none: prove is asked for 0 itself."""
    sums = claim(
        method="gradient_descent_ascent",
        given=["Cocoercive(beta) of F"],
        where="beta/2 < gamma < beta",
        measure="upto(residual)",
        bound="R**2/(gamma*(2*beta - gamma))",
    )
    improvement = widen(sums, "gamma", time_limit=UNLIMITED)
    assert improvement.improved == "0 < gamma < 2*beta"
    assert all(end.reached > 1 for end in improvement.ends)


def test_a_full_range_stays() -> None:
    """The edge is told with what excludes the form beyond it."""
    improvement = widen("nemirovski2004_eg_gap", "gamma", time_limit=UNLIMITED)
    assert not improvement.ok
    assert "no wider range of gamma was shown in the families tried" in improvement.sentence
    (end,) = improvement.ends
    assert end.reached == 1.0
    assert Fraction(end.beyond) == Fraction(501, 500)


def test_weights_exclude_no_form_that_exists() -> None:
    """At the edge there is a proof; beyond it there are weights, and none inside."""
    entry = bare("nemirovski2004_eg_gap")
    ansatz = next(iter(forms(entry)))
    wide = changed(entry, where="0 < gamma")
    point = Search(wide, ansatz).points[0]
    inner, outer = ({**point, "gamma": fmpq(n, 100)} for n in (99, 102))
    assert excluded(wide, ansatz, inner) == ()
    assert excluded(wide, ansatz, outer) != ()


@pytest.mark.parametrize(
    ("factor", "smaller"),
    [("1 - gamma*L/2", True), ("1", False), ("1 + gamma*L", False), ("1/2 - gamma*L", False)],
)
def test_a_factor_is_nowhere_above_1(factor: str, smaller: bool) -> None:
    """And nowhere below 0, on 0 < γ ≤ 1/L."""
    entry = bare("nemirovski2004_eg_gap")
    search = Search(entry, next(iter(forms(entry))))
    assert below_1(search, search.reading.general.read(factor)) is smaller


def test_a_negative_bound_is_none() -> None:
    """R²/(1 − (γL)²) is below 0 beyond 1/L, where a program divided by it says nothing."""
    entry = changed(bare("cai2022_eg_last"), where="0 < gamma")
    search = Search(entry, next(iter(forms(entry))))
    search.points = [{"L": fmpq(1), "gamma": fmpq(3, 2)}]
    assert not search.possible(0)


@pytest.mark.parametrize(
    ("bound", "factor", "product"),
    [
        ("3*(R**2/(2*gamma))", "1/3", "R**2/(2*gamma)"),
        ("(1 + gamma*L)*R**2/gamma**2", "1/(L*gamma + 1)", "R**2/gamma**2"),
        ("R**2/(1 - gamma*L)", "(L*gamma - 1)", "-1*R**2"),
        ("residual - distance", "1/2", "(residual - distance)/2"),
        ("2*(residual - distance)", "1/2", "residual - distance"),
    ],
)
def test_products_are_one_text(bound: str, factor: str, product: str) -> None:
    """Numbers multiplied, equal factors cancelled, also where they are written otherwise."""
    reading = Reading(bare("gorbunov2022_eg_last"), ["residual"])
    assert times(reading, bound, factor) == product


@pytest.mark.ci
def test_a_typed_claim_is_tightened(tmp_path: Path) -> None:
    """By the command line, with the file that prove accepts."""
    file = tmp_path / "tight.py"
    words = ["discover", "--method", "extragradient", "--given", "Lipschitz(L) of F"]
    words += ["--where", "0 < gamma <= 1/L", "--measure", "upto(gap(Fz, zbar))"]
    words += ["--bound", "R**2/gamma", "--tighten", "--time-limit", "inf", "--out", str(file)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "bound R**2/(2*gamma), 1/2 times the declared bound; accepted by prove" in result.stdout
    assert "tries: distance and measure" in result.stderr
    file.write_text(file.read_text().replace("claim_found", "claim_tightened"))
    checked = CliRunner().invoke(main, ["prove", str(file)])
    assert checked.exit_code == 0, checked.output


def test_a_typed_claim_is_widened_as_json() -> None:
    """One document, with the ends as data."""
    words = ["discover", "--method", "extragradient", "--given", "Lipschitz(L) of F"]
    words += ["--where", "0 < gamma <= 1/(3*L)", "--measure", "upto(gap(Fz, zbar))"]
    words += ["--bound", "R**2/(2*gamma)", "--range", "gamma", "--json", "--time-limit", "inf"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert data["improved"] == "0 < gamma <= 1/L"
    assert data["ends"][0]["beyond"] == "501/500"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--tighten", "--range", "gamma"), "are three searches; take one"),
        (("--range", "delta"), "delta is no real parameter with a range of its own"),
        (("--range", "L"), "L is no real parameter with a range of its own"),
        (("--range", "gamma", "--time-limit", "0"), "must be a positive number"),
        (("--tighten", "--time-limit", "0"), "must be a positive number"),
    ],
)
def test_wrong_calls_of_improvements_are_one_sentence(
    words: tuple[str, ...], sentence: str
) -> None:
    """On standard error, with exit code 2."""
    result = CliRunner().invoke(main, ["discover", "nemirovski2004_eg_gap", *words])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_nothing_better_is_exit_code_1() -> None:
    """With where the form ends."""
    result = CliRunner().invoke(main, ["discover", "lieder2021_halpern", "--tighten"])
    assert result.exit_code == 1
    assert "that excludes none" in result.stdout
    assert "this form shows no less than about 1 times the declared bound" in result.stdout


@pytest.mark.parametrize("verb", ["tighten", "widen"])
def test_time_is_kept_by_improvements(verb: str) -> None:
    """A limit that is over at once gives what was tried until then."""
    if verb == "tighten":
        improvement = tighten("nemirovski2004_eg_gap", time_limit=1e-9)
    else:
        improvement = widen("nemirovski2004_eg_gap", "gamma", time_limit=1e-9)
    assert not improvement.finished
    assert "in the time given; that excludes none" in improvement.sentence


@pytest.mark.ci
def test_a_parameter_that_let_sets_has_a_point_as_its_range() -> None:
    """It is widened from there, to both sides, where the claim allows that."""
    fixed = claim(
        method="extragradient",
        given=["Lipschitz(L) of F"],
        let={"gamma": "1/(3*L)"},
        measure="upto(gap(Fz, zbar))",
        bound="R**2/(2*gamma)",
    )
    improvement = widen(fixed, "gamma", time_limit=UNLIMITED)
    assert improvement.declared == "1/(3*L) <= gamma <= 1/(3*L)"
    assert improvement.improved.endswith("gamma <= 1/L")


def test_what_no_potential_shows_is_refused() -> None:
    """As by discover itself."""
    with pytest.raises(OpcheckError, match="shows upper bounds only"):
        tighten("elementary_runge_kutta_2_bilinear")
