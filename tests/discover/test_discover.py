"""Proofs that are found: what prove makes of them, pasted; what must not be found; each piece."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace
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
from opcheck.evidence.discover.ansatz import bound_of
from opcheck.evidence.discover.discover import claim, discover, forms, with_proof
from opcheck.evidence.discover.points import far_points, points, unit_of
from opcheck.evidence.discover.program import Program
from opcheck.evidence.discover.reading import Reading
from opcheck.evidence.discover.scale import Degrees
from opcheck.evidence.discover.search import Infeasible, Search
from opcheck.evidence.discover.simple import Ends, Functions
from opcheck.evidence.discover.witness import _weights as solved
from opcheck.evidence.discover.witness import excludes, witness
from opcheck.evidence.proofs.prove import attempt
from opcheck.model.theorem import without_proof

# one of each family, the quickest
FOUND = (
    "lieder2021_halpern",  # anchored
    "gorbunov2022_eg_monotone",  # one step
    "nemirovski2004_eg_gap",  # a sum
    pytest.param("pethick2023_relaxed_last", marks=pytest.mark.slow),  # the measure with k
    "baillon1996_km_last",  # a sum of numbers before the measure
    pytest.param("pethick2023_inner_loop", marks=pytest.mark.slow),  # a power
    "hsieh2019_peg_gap",  # what is remembered
    pytest.param("pethick2023_la_gda_two_sharp", marks=pytest.mark.slow),  # loops of two
    "pethick2023_ikm_residual",  # a whole parameter
    pytest.param("boehm2023_ogda_plus", marks=pytest.mark.slow),  # many terms
)
UNLIMITED = float("inf")  # what is found must not depend on the machine
TYPED = {
    "method": "extragradient",
    "given": ["Lipschitz(L) of F", "Monotone of F"],
    "where": "0 < gamma <= 1/L",
    "measure": "upto(gap(Fz, zbar))",
    "bound": "R**2/(2*gamma)",
}


def bare(name: str) -> opcheck.Theorem:
    """A registered statement with its proof taken away."""
    return without_proof(registry.get("theorems", name))


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.sampled(3)
def test_what_is_found_is_proved_where_it_is_pasted(name: str, tmp_path: Path) -> None:
    """The file that is written is read by the command line of another process."""
    found = discover(name, time_limit=UNLIMITED)
    assert found.proof is not None, [each.reason for each in found.tries]
    file = tmp_path / "pasted.py"
    file.write_text(found.file.replace("_found", "_pasted"))  # names register once
    entry = registry.get("theorems", registry.in_file("theorems", str(file))[0])
    assert entry.proof == found.proof
    # a whole parameter is tried at 1, 2, 3, and not at all
    part = any("tau" in case for case in entry.proof.cases) and not entry.on
    assert attempt(entry).status == ("in part" if part and len(entry.proof.cases) > 1 else "proved")
    # the block alone, put into the declaration as it stands
    names = {"Proof": opcheck.Proof}
    pasted = eval(f"dict({found.declaration})", names)["proof"]
    assert pasted == found.proof


def test_the_declared_proof_is_not_looked_at() -> None:
    """A declaration that is wrong changes nothing of what is found."""
    entry = registry.get("theorems", "nemirovski2004_eg_gap")
    wrong = replace(entry, proof=opcheck.Proof(potential="distance", step={"Monotone(z)": "7"}))
    found = [discover(e, time_limit=UNLIMITED).proof for e in (wrong, entry)]
    assert found[0] == found[1]
    assert found[0] is not None


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("lieder2021_halpern", {"bound": "98/100*4*R**2/(k + 1)**2"}),
        ("gorbunov2022_eg_monotone", {"bound": "98/100*residual"}),
        ("nemirovski2004_eg_gap", {"bound": "98/100*R**2/(2*gamma)"}),
        ("rockafellar1976_ppm_contraction", {"bound": "99/100*distance/(1 + gamma*mu)**2"}),
    ],
)
@pytest.mark.ci
def test_false_statements_get_no_proof(name: str, changes: dict[str, str]) -> None:
    """Nor is any said to be impossible: a reason is given for each form that was tried."""
    found = discover(replace(bare(name), **changes), time_limit=UNLIMITED)
    assert found.proof is None
    assert found.tries
    assert all(each.reason and each.outcome != "found" for each in found.tries)
    assert "refutes nothing" in found.sentence


def test_a_typed_claim_is_found_and_written(tmp_path: Path) -> None:
    """By the command line, with the file that prove accepts."""
    file = tmp_path / "mine.py"
    words = ["discover", "--time-limit", "inf", "--out", str(file)]
    for name, value in TYPED.items():
        for each in value if isinstance(value, list) else [value]:
            words += [f"--{name}", each]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "found, and accepted by prove" in result.stdout
    assert f"opcheck prove {file}" in result.stdout
    checked = CliRunner().invoke(main, ["prove", str(file)])
    assert checked.exit_code == 0, checked.output
    assert "proved for" in checked.stdout


@pytest.mark.ci
def test_two_runs_print_the_same() -> None:
    """Another process too: nothing depends on hashes or on time."""
    command = [sys.executable, "-m", "opcheck", "discover", "lieder2021_halpern", "--json"]
    command += ["--time-limit", "inf"]
    runs = [subprocess.run(command, capture_output=True, check=True, text=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    data = json.loads(runs[0].stdout)
    assert data["proof"]["potential"]
    assert data["tries"][-1]["outcome"] == "found"


EMPTY = ("discover", "--method", "extragradient", "--given", "Lipschitz(L) of F")
EMPTY += ("--measure", "residual", "--bound", "R**2/gamma**2")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("discover",), "discover takes the name of a theorem"),
        (("discover", "lieder2021_halpern", "--measure", "residual"), "discover takes the name"),
        (("discover", "--method", "extragradient"), "a typed claim needs --given"),
        (("discover", "nobody2000_nothing"), "nobody2000_nothing"),
        (("discover", "elementary_runge_kutta_2_bilinear"), "shows upper bounds only"),
        ((*EMPTY, "--where", "1 < gamma < 0"), "nothing was found that it is about"),
        ((*EMPTY, "--let", "c"), "--let 'c' is no symbol; write --let name=formula"),
        (("discover", "lieder2021_halpern", "--time-limit", "0"), "must be a positive number"),
        (("discover", "baillon1977_gradient_last"), "baillon1977_gradient_last"),
    ],
)
def test_wrong_calls_are_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    """On standard error, with exit code 2."""
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    said = [line for line in result.stderr.splitlines() if not line.startswith("opcheck: tries")]
    assert len(said) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"given": []}, "a claim needs a hypothesis"),
        ({"given": ["Lipschitz of F"]}, "Lipschitz needs a constant"),
        ({"given": ["Monotone(2) of F"]}, "Monotone has no constant"),
        ({"given": ["Nonsense of F"]}, "is no property"),
        ({"measure": "nonsense"}, "nonsense"),
        ({"method": "nonsense"}, "nonsense"),
    ],
)
def test_typed_nonsense_is_refused(changes: dict[str, object], sentence: str) -> None:
    """As a declaration of it would be."""
    with pytest.raises(OpcheckError, match=re.escape(sentence)):
        claim(**{**TYPED, **changes})


def test_nothing_found_is_exit_code_1() -> None:
    """With the outcome of each family."""
    result = CliRunner().invoke(
        main,
        [
            "discover",
            "--method",
            "gradient_descent_ascent",
            "--given",
            "Monotone",
            "--measure",
            "next(distance)",
            "--bound",
            "distance",
            "--one-step",
            "--where",
            "0<gamma",
        ],
    )
    assert result.exit_code == 1
    assert "nothing found in the families tried; that refutes nothing" in result.stdout
    assert "no potential: " in result.stdout


def test_time_is_kept() -> None:
    """A limit that is over at once gives what was tried until then."""
    found = discover("lieder2021_halpern", time_limit=1e-9)
    assert not found.finished
    assert found.sentence.endswith("nothing found in the time given; that refutes nothing")


def read(name: str) -> Reading:
    """The sides of a statement on a step."""
    entry = bare(name)
    return Reading(entry, [entry.measure, entry.bound, "next(z)"], begin=entry.first)


@pytest.mark.parametrize(
    ("name", "degrees"),
    [
        ("gorbunov2022_eg_last", {"L": 1, "gamma": -1}),
        ("boehm2023_ogda_plus", {"L": 1, "gamma": -1, "eta": -1, "rho": -1}),
        ("elementary_fb_contraction", {"beta": -1, "mu": 1, "gamma": -1}),
        ("pethick2023_relaxed_last", {"rho": -1, "gamma": -1, "lam": 0}),
    ],
)
def test_scaling_is_read_off(name: str, degrees: dict[str, int]) -> None:
    """F -> c F turns L into c L and step sizes into γ/c, and leaves relaxations alone."""
    reading = read(name)
    known = Degrees(reading)
    assert {n: int(known.of[n].p) for n in degrees} == degrees
    # the bound has the degree of the measure
    entry = reading.theorem
    sides = [known.total(reading.total(side)) for side in (entry.measure, entry.bound)]
    assert sides[0] == sides[1]


def test_without_scaling_all_degrees_are_0() -> None:
    """‖Tx − Ty‖ ≤ ‖x − y‖ is not about 2T."""
    assert set(Degrees(read("lieder2021_halpern")).of.values()) == {fmpq(0)}


def test_points_lie_inside_and_are_to_scale() -> None:
    """Every stated condition holds strictly, in the numbers of the statement's own text."""
    reading = read("boehm2023_ogda_plus")
    degrees = Degrees(reading)
    live = {"L", "rho", "gamma", "eta"}
    assert unit_of(reading, degrees, live) == "L"
    own = [*points(reading, degrees, "L", live, 6), *far_points(reading, degrees, "L", live)]
    assert len(own) > 20
    for point in own:
        rho, gamma, eta = (Fraction(str(point[n])) for n in ("rho", "gamma", "eta"))
        top = 2 * (gamma + rho) * (1 - gamma**2) / (1 + gamma**2 + 2 * gamma * rho)
        assert point["L"] == 1
        assert -1 < rho < 0 < -rho < gamma < 1
        assert 0 < eta < top


def test_the_bound_is_taken_apart() -> None:
    """bound = factor · base · growth^k, with the power kept apart from the factor."""
    reading = read("pethick2023_inner_loop")
    bound = bound_of(reading)
    assert bound.base == "first(inner_error(z, anchor))"
    assert bound.power in ("(gamma*L)**(2*k)", "(L*gamma)**(2*k)")
    assert bound.growth == reading.general.read("(gamma*L)**2")
    plain = bound_of(read("lee2021_feg"))
    assert (plain.base, plain.growth, plain.order) == ("R**2", None, 2)


def program(value: float) -> Program:
    """[[x, 1], [1, value]] ⪰ 0 with x ≥ 0: x ≥ 1/value."""
    made = Program()
    made.add("p", [("x", {(0, 0): 1.0}), (None, {(0, 1): 2.0, (1, 1): value})], ["x"])
    made.reduce()
    return made


def test_programs_against_closed_forms() -> None:
    """An interval's end, a margin's sign, and a program without solutions."""
    x = program(4.0).minimum({"x": 1.0})
    assert x is not None
    np.testing.assert_allclose(x, [0.25], rtol=1e-6)
    assert program(4.0).margin()[0] > 1e-6
    assert program(0.0).margin()[0] == -1.0  # a row without a diagonal that does not vanish


def test_what_cancels_is_zero() -> None:
    """Of two terms that differ by rounding nothing is left."""
    made = Program()
    third = 0.1 + 0.2
    made.add("p", [(None, {(0, 0): third}), (None, {(0, 0): -0.3})], [])
    assert made.blocks[0].place == {}


@pytest.mark.parametrize("text", ["gamma**2", "2*gamma*(1 - (gamma*L)**2)", "gamma/L"])
def test_functions_are_recovered_from_intervals(text: str) -> None:
    """From narrow ends at six points; a wrong degree gives another function or none."""
    reading = read("gorbunov2022_eg_last")
    degrees = Degrees(reading)
    places = points(reading, degrees, "L", {"L", "gamma"}, 6)
    functions = Functions(reading, degrees, places, "L", {"L", "gamma"})
    expected = reading.general.read(text)
    numbers = np.array([reading.scalar(expected, p) for p in places])
    ends = Ends([(n, 0) for n in range(len(places))], numbers, numbers).widened()
    degree = float(str(degrees.ratio(expected)))
    one = reading.field.number(1)
    assert functions.between(ends, degree, [one]) == expected
    other = functions.between(ends, degree + 1, [one])
    assert other is None or other != expected


def excluded(name: str, **changes: str) -> tuple[Search, int]:
    """A statement's first form, and the point at which the solver finds nothing."""
    search = Search(entry := replace(bare(name), **changes), next(forms(entry)))
    with pytest.raises(Infeasible) as none:
        search.argument()
    return search, none.value.place


def test_a_witness_excludes_by_an_exact_check() -> None:
    """Its own form and none that exists; one weight changed, and it excludes nothing."""
    search, place = excluded("nemirovski2004_eg_gap", bound="9/10*R**2/(2*gamma)")
    weighed = witness(search, place)
    assert weighed is not None
    parts = search.rationals(place)
    weights = solved(parts)
    assert weights is not None
    assert excludes(parts, weights)
    true = Search(entry := bare("nemirovski2004_eg_gap"), next(forms(entry)))
    true.argument()
    true.points = [dict(search.points[place])]
    assert not excludes(true.rationals(0), weights)
    unknown, number = max(weights.items(), key=lambda item: abs(item[1]))
    assert not excludes(parts, {**weights, unknown: -number})
    # what is only almost an equation is none
    of_v = [
        (n, entry)
        for n, (_, terms) in enumerate(parts)
        for column, form in terms
        for entry in form
        if isinstance(column, int)
    ]
    assert not excludes(parts, {**weights, of_v[0]: weights[of_v[0]] + fmpq(1, 2**60)})


def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands run, in order, and its block is the one that is pasted."""
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "discover.md").read_text(encoding="utf-8")
    printed = ""
    for command in re.findall(r"^\$ opcheck (.*)$", page, re.MULTILINE):
        if "--all" not in command:
            words = shlex.split(command)
            limit = ["--time-limit", "inf"] if words[0] == "discover" else []
            result = CliRunner().invoke(main, words + limit)
            assert result.exit_code == 0, result.output
            printed += result.stdout
    (block,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    assert block in printed


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("x = 1\n")
    done = CliRunner().invoke(main, ["discover", "lieder2021_halpern", "--out", str(mine)])
    assert done.exit_code == 2
    assert "nothing is overwritten" in done.stderr
    assert mine.read_text() == "x = 1\n"


@pytest.mark.usefixtures("own_registry")
def test_what_to_run_next_names_the_file_of_the_statement(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.py", tmp_path / "found.py"
    file.write_text(
        "import opcheck\nopcheck.theorem('mine_halpern', method='halpern', "
        "given=[opcheck.Nonexpansive(of='T')], measure='residual', "
        "bound='4*R**2/(k + 1)**2', source=opcheck.Source('me'))\n"
    )
    done = CliRunner().invoke(main, ["discover", f"{file}:mine_halpern", "--out", str(out)])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == f"opcheck --plugin {file} prove {out}"
    again = CliRunner().invoke(main, ["--plugin", str(file), "prove", str(out)])
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("method", "rate", "where", "finds"),
    [
        ("past_extragradient", "63/64", "1/8 <= gamma <= 1/4", True),
        # false: on a rotation by a right angle it shrinks by 1 − γ²(1 − γ²) at most
        ("extragradient", "7/8", "1/4 <= gamma <= 1/2", False),
    ],
)
def test_an_argument_with_room_over_a_range(
    method: str, rate: str, where: str, finds: bool
) -> None:
    """Numbers for constants and one parameter: coefficients are rounded, and nothing is guessed."""
    statement = claim(
        method=method,
        given=["Lipschitz(1) of F", "StronglyMonotone(1/4) of F"],
        where=where,
        measure="distance",
        bound=f"4*R**2*({rate})**k",
        first=1,  # what is remembered has its values after a step
    )
    found = discover(statement, time_limit=UNLIMITED)
    assert found.ok == finds
    if found.proof is not None:
        assert attempt(with_proof(statement, found.proof)).status == "proved"
        lower = replace(statement, bound="4*R**2*(1/2)**k")
        assert attempt(with_proof(lower, found.proof)).status != "proved"
