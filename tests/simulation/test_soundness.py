"""Holes through which a false statement could pass: each was open once, or could be opened."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest

from opcheck import registry
from opcheck.evidence.simulation.comparison import compare
from opcheck.evidence.simulation.verify import Report, Summary, confront
from opcheck.evidence.statement.hypotheses import match
from opcheck.model.operator import linear, operator
from opcheck.model.problem import Problem
from opcheck.model.property import (
    Comonotone,
    Lipschitz,
    Monotone,
    StronglyMonotone,
    WeakMinty,
    exact,
)


def statement(name, **changes):
    return dataclasses.replace(registry.get("theorems", name), **changes)


def on(name, **parameters):
    return registry.get("problems", name)(**parameters)


@pytest.mark.parametrize("problem", ["tight_linear", "bilinear", "neg_identity"])
def test_a_bound_below_zero_is_broken(problem):
    """measured/bound is negative there, and small: it must not read as far below 1."""
    false = statement("pethick2023_relaxed_fejer", bound="distance - 3*a*resolvent_residual")
    assert confront(false, on(problem)).status == "violated"


def test_a_run_off_to_infinity_breaks_a_finite_bound():
    false = statement(
        "elementary_bilinear_gradient_descent_ascent",
        claim="upper bound",
        measure="distance",
        bound="R**2",
        horizons=(300,),
    )
    verdict = confront(false, on("bilinear"))
    assert verdict.status == "violated"
    assert verdict.ratio > 1e200


def test_a_bound_that_grows_faster_than_a_run_off_to_infinity_holds():
    """The distance grows by at most 1 + 10^6 = 1.000001e6 a step, and leaves the numbers."""
    true = statement(
        "elementary_bilinear_gradient_descent_ascent",
        claim="upper bound",
        measure="distance",
        bound="2*1000001**k*R**2",
        horizons=(60,),
        where="1000/L <= gamma <= 1000/L",
    )
    verdict = confront(true, on("bilinear"))
    assert verdict.status == "holds"
    assert 40 < verdict.compared < 61 * verdict.runs


def test_infinity_against_infinity_says_nothing_and_the_finite_part_is_still_compared():
    verdict = confront(
        registry.get("theorems", "elementary_bilinear_extragradient"), on("bilinear")
    )
    assert verdict.status == "attained"
    false = statement("elementary_bilinear_extragradient", bound="(1 - s**2 + 1.001*s**4)*distance")
    assert confront(false, on("bilinear")).status == "violated"


def test_rounding_of_a_cancelling_bound_is_no_violation():
    """1 − (1 − tiny): float64 alone would report one for small γ."""
    for problem in ("rotation_map", "two_subspaces", "translation"):
        for name in ("pethick2023_relaxed_fejer", "pethick2023_relaxed_monotone"):
            verdict = confront(registry.get("theorems", name), on(problem))
            assert verdict.status != "violated", verdict


@pytest.mark.parametrize(
    "name",
    ["gorbunov2022_eg_last", "lee2021_feg", "tseng2000_fbf_fejer", "gu2020_ppm_last"],
)
def test_starting_at_the_solution_decides_nothing(name):
    """F5: 0 against 0 is no comparison."""
    p = on("bilinear")
    at_rest = dataclasses.replace(p, start=p.solution)
    verdict = confront(registry.get("theorems", name), at_rest)
    assert (verdict.status, verdict.compared) == ("inconclusive", 0)
    assert verdict.reason == "the run starts at the solution, and nothing moves"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"first": 1000, "bound": "0*R**2"}, "the statement is about k ≥ 1000"),
        ({"bound": "R**2*exp(1000 + k)"}, "measured or bound is infinite"),
        ({"bound": "R**2*log(gamma*L - 1)"}, "the bound has no value at k = 0"),
        ({"bound": "residual", "measure": "residual", "claim": "must fail"}, "rounding"),
    ],
)
def test_a_statement_that_is_never_compared_is_inconclusive(changes, reason):
    """F5: none of them may hold, or fail as it must."""
    verdict = confront(statement("gorbunov2022_eg_last", **changes), on("bilinear"))
    if changes.get("claim") == "must fail":
        assert verdict.status in ("inconclusive", "violated")
        return
    assert (verdict.status, verdict.compared) == ("inconclusive", 0)
    assert reason in verdict.reason


# F5: the same problem in other units.


def rotation(L=1.0, R=1.0):
    """F = L(y, −x) from (R, 0)."""
    return Problem(
        linear([[0.0, L], [-L, 0.0]]),
        name="rotation",
        start=np.array([R, 0.0]),
        solution=np.zeros(2),
        facts=(exact(Monotone()), exact(Lipschitz(L))),
    )


def plane(L=1.0, R=1.0):
    """F = L(x/2 + y, y/2 − x) shifted by a solution far from the origin, from R away."""
    centre = 8 * R * np.ones(2)

    def F(z, out, data):
        x, y = z[0] - data[1], z[1] - data[1]
        out[0] = data[0] * (x / 2 + y)
        out[1] = data[0] * (y / 2 - x)

    return Problem(
        operator(F, 2, [L, 8 * R]),
        name="plane",
        start=centre + np.array([R, 0.0]),
        solution=centre,
        facts=(exact(StronglyMonotone(L / 2)), exact(Lipschitz(1.25 * L))),
    )


FALSE = {
    "distance of GDA": {"method": "gradient_descent_ascent", "measure": "distance"},
    "residual of GDA": {
        "method": "gradient_descent_ascent",
        "measure": "next(residual)",
        "bound": "residual",
        "claim": "one-step",
    },
    "extragradient twice as fast": {"measure": "distance", "bound": "R**2/(k + 1)"},
}
TRUE = [
    "gorbunov2022_eg_last",
    "gorbunov2022_eg_monotone",
    "tseng2000_fbf_fejer",
    "lee2021_feg",
    "nemirovski2004_eg_gap",
    "malitsky2020_frb_distance",
    "gu2020_ppm_last",
]
UNITS = [(100, 0), (-100, 0), (0, 100), (0, -100), (60, -90), (-60, 90)]


def same_in_all_units(theorem, made):
    plain = confront(theorem, made())
    for of_f, of_z in UNITS:
        scaled = confront(theorem, made(2.0**of_f, 2.0**of_z))
        assert scaled.status == plain.status, (of_f, of_z, scaled.reason)
        assert scaled.ratio == pytest.approx(plain.ratio, rel=1e-6)
        assert scaled.compared == pytest.approx(plain.compared, rel=0.02)
    return plain


@pytest.mark.parametrize("what", FALSE)
def test_a_false_statement_is_violated_in_all_units(what):
    base = {"where": "1/(2*L) < gamma < 1/L", "bound": "R**2", "horizons": (60,)}
    false = statement("gorbunov2022_eg_last", **{**base, **FALSE[what]})
    assert same_in_all_units(false, rotation).status == "violated"


@pytest.mark.parametrize("name", TRUE)
@pytest.mark.parametrize("made", [rotation, plane])
@pytest.mark.sampled(4)
def test_a_true_statement_is_compared_in_all_units(name, made):
    plain = same_in_all_units(statement(name, horizons=(20,)), made)
    assert plain.status in ("holds", "attained")
    assert plain.compared > 0


@pytest.mark.parametrize("exponent", [-170, -200, 170])
def test_squares_that_no_float_holds_decide_nothing(exponent):
    """F5: the square of 1e-170 is 0, and that of 1e170 infinite."""
    for name in ("gorbunov2022_eg_last", "tseng2000_fbf_fejer", "nemirovski2004_eg_gap"):
        verdict = confront(registry.get("theorems", name), rotation(R=10.0**exponent))
        assert (verdict.status, verdict.compared) == ("inconclusive", 0), verdict
        assert "a float64 holds" in verdict.reason


# Differences: both sides may be negative.


DIFFERENCE = {
    "measure": "next(distance) - distance",
    "bound": "-(1 - (gamma*L)**2)*distance(before, zbar)",
    "claim": "one-step",
    "horizons": (12,),
}


@pytest.mark.parametrize("problem", ["bilinear", "strongly_monotone", "neg_identity", "spin"])
def test_a_difference_that_holds_is_not_violated(problem):
    """v04: both sides are negative, and their quotient is above 1 where the statement holds."""
    true = statement("gorbunov2022_eg_last", **DIFFERENCE)
    verdict = confront(true, on(problem))
    assert verdict.status in ("holds", "attained")
    assert 0 < verdict.ratio <= 1


@pytest.mark.parametrize("factor", ["1.001", "2", "-1"])
def test_a_difference_that_does_not_hold_is_violated(factor):
    bound = f"-{factor}*(1 - (gamma*L)**2)*distance(before, zbar)".replace("--", "")
    false = statement("gorbunov2022_eg_last", **{**DIFFERENCE, "bound": bound})
    expected = "holds" if factor == "-1" else "violated"
    assert confront(false, on("bilinear")).status == expected


# F12: constants weaker than a problem's best satisfy the hypotheses as well.


def test_a_statement_false_for_slow_operators_only_is_found_out():
    """EAG with 245 for 260: 0.0623 of the L that is said is the worst slope."""
    false = statement("yoon2021_eag_c", bound="245*(L*R)**2/(k + 1)**2")
    verdicts = [confront(false, p) for p in (on("bilinear"), on("spin"), on("appm_worst"))]
    assert "violated" in {v.status for v in verdicts}
    shown = next(v for v in verdicts if v.status == "violated")
    assert shown.parameters["L"] > 10 * on(shown.problem).constant(on(shown.problem).facts[0])


def test_unequal_steps_need_more_than_linear_operators():
    """F12: EG+ with alpha = 1/2 at the end of the range of rho."""
    false = statement(
        "diakonikolas2021_eg_plus_base",
        given=(Lipschitz("L"), Comonotone("rho")),
        technical=(),
        where="-1/(8*L) <= rho, rho <= 0",
        let={"gamma": "1/(2*L)", "alpha": "1/2"},
        measure="next(residual)",
        bound="residual",
        claim="one-step",
        paper=(),
        first=0,
        free=(),
        method="eg_plus",
    )
    verdict = confront(false, on("kinked_plane"))
    assert verdict.status == "violated"
    assert verdict.ratio == pytest.approx(1.04387, abs=1e-4)


def test_a_last_iterate_of_weak_minty_is_not_monotone():
    false = statement(
        "gu2020_ppm_last",
        given=(Lipschitz("L"), WeakMinty("rho", of="S")),
        where="-1/(2*L) < rho, max(0, -2*rho) < gamma < 1/L",
        measure="distance(z, before)",
        bound="gamma**2*R**2/(k*gamma*(gamma + 2*rho) + (gamma + rho)**2)",
    )
    verdict = confront(false, on("bump_on_a_line"))
    assert verdict.status == "violated"
    assert verdict.ratio > 3


# The facts of both, in rationals.


def psd(a, b, c):
    return a >= 0 and c >= 0 and a * c >= b * b


def test_the_four_slopes_of_the_kinked_plane_satisfy_its_facts():
    from opcheck_problems.worst_cases import PLANE, RAMPS

    seen = 0
    for on_ in itertools.product((0, 1), repeat=2):
        J = [[Fraction(v) for v in row] for row in PLANE]
        for switched, (u, w, _, height) in zip(on_, RAMPS, strict=True):
            assert height > 0
            for i, j in itertools.product((0, 1), repeat=2):
                J[i][j] += switched * Fraction(u[i]) * Fraction(w[j])
        G = [[sum(J[k][i] * J[k][j] for k in (0, 1)) for j in (0, 1)] for i in (0, 1)]
        assert psd(1 - G[0][0], -G[0][1], 1 - G[1][1])
        half = (J[0][1] + J[1][0]) / 2
        assert psd(J[0][0] + G[0][0] / 8, half + G[0][1] / 8, J[1][1] + G[1][1] / 8)
        seen += 1
    assert seen == 4


def test_the_bump_is_of_the_sign_of_its_argument_and_no_larger():
    from opcheck_problems.worst_cases import bump

    eps = Fraction(1, 250)
    kinks = [Fraction(0), Fraction(1, 2), 1 - eps, Fraction(3)]
    # piecewise linear: what holds at both ends of a piece, and of the slope, holds on it
    for left, right in itertools.pairwise(kinks):
        values = []
        for z in (left, right):
            out = [None]
            bump([z], out, [Fraction(1, 2), 1 - eps, 1])
            assert 0 <= out[0] <= z
            bump([-z], (mirrored := [None]), [Fraction(1, 2), 1 - eps, 1])
            assert mirrored[0] == -out[0]
            values.append(out[0])
        assert abs((values[1] - values[0]) / (right - left)) <= 1


# F12, A2: the sample enters the whole range.


def test_a_range_that_is_empty_at_the_middle_is_searched():
    """A2: lam has room only for gamma in a part of its range that shrinks with rho."""
    verdict = confront(statement("pethick2023_la_gda_two"), on("tight_linear", c=0.1))
    assert verdict.status in ("holds", "attained")
    assert verdict.parameters["rho"] < 0
    assert verdict.entered["gamma"].keys() == {"low", "middle", "high"}


def test_rho_forgotten_is_found_out():
    """A2: true at rho = 0, off by a factor of 2 at rho = -0.1."""
    plain = registry.get("theorems", "pethick2023_la_gda_two")
    false = dataclasses.replace(
        plain, let={**plain.let, "c2": "1 - 2*lam", "c1": "1 - 2*lam - (1 - lam)*q**2"}
    )
    assert confront(plain, on("tight_linear", c=0.1)).status in ("holds", "attained")
    assert confront(false, on("tight_linear", c=0.1)).status == "violated"


# A12: a statement that meets nothing.


def test_a_statement_confronted_with_nothing_is_not_ok():
    """A12: an empty range has its own status over a library, and is not ok."""
    empty = statement("gorbunov2022_eg_last", where="1/L < gamma < 1/L")
    met = tuple(confront(empty, on(name)) for name in ("bilinear", "spin", "nilpotent"))
    over_library = Summary(empty, met)
    assert over_library.status == "untried"
    assert not Report((over_library,)).ok
    assert "is empty" in over_library.reason
    by_choice = Summary(empty, met, selected=True)
    assert by_choice.status == "inapplicable"
    assert Report((by_choice,)).ok


def test_a_statement_that_no_comparison_decides_is_not_ok():
    """F5: inconclusive everywhere is not a pass."""
    late = statement("gorbunov2022_eg_last", first=1000)
    found = Summary(late, (confront(late, on("bilinear")),))
    assert (found.status, found.ok) == ("inconclusive", False)
    assert "k ≥ 1000" in found.reason


def test_a_constant_better_than_the_truth_is_found_out():
    """The facts are the hypotheses: a false one must show where the theorem is tight."""
    from opcheck.model.property import Fact, Lipschitz, Monotone

    p = on("bilinear")
    boast = dataclasses.replace(
        p, facts=(Fact(Lipschitz(0.9), "claimed"), Fact(Monotone(), "exact"))
    )
    verdict = confront(registry.get("theorems", "lee2021_feg"), boast)
    assert verdict.status == "violated"
    assert verdict.provenance == "claimed"


def test_what_cancels_in_a_let_is_no_violation() -> None:
    """With ρ just above −1/L, 1 − q of the bound is a rounding of numbers near 1, of any sign."""
    theorem = registry.get("theorems", "boehm2023_ogda_plus")
    where = on("grimmer_quartic", A=1000.0)
    compared = compare(theorem, where, match(theorem, where), weaken=True)
    assert "violated" not in {c.status for c in compared}
    thin = [c.values for c in compared if c.values["rho"] * c.values["L"] < -0.99999]
    for values in thin:  # what is sampled is admissible, also where ends cancel
        L, rho, gamma, eta = (Fraction(float(values[n])) for n in ("L", "rho", "gamma", "eta"))
        square = (gamma * L) ** 2
        assert -rho < gamma < 1 / L
        assert eta * (1 + square + 2 * gamma * rho * L**2) < 2 * (gamma + rho) * (1 - square)


def test_a_name_for_what_cancels_decides_nothing() -> None:
    """1 − γL is a few roundings here: under a name of let no more is known of it than inline."""
    inline = statement(
        "nemirovski2004_eg_gap",
        measure="distance",
        bound="(1 - gamma*L)*R**2*2**50/4",
        where="0 < gamma < 1/L",
        proof=None,
    )
    named = dataclasses.replace(inline, bound="c*R**2*2**50/4", let={"c": "1 - gamma*L"})
    where = on("bilinear")
    for one in (inline, named):
        (compared,) = compare(one, where, match(one, where), fixed={"gamma": 1 - 2.0**-50})
        assert not compared.compared
        assert "within the rounding" in compared.reason
