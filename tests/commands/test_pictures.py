"""What a picture shows and how (rows D1 and D2, item 6): the run asked about, readable, whole."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from opcheck import registry
from opcheck.cli import main
from opcheck.engine.run import Trajectory, run
from opcheck.errors import OpcheckError
from opcheck.evidence.check import Check
from opcheck.evidence.operators.subject import subject
from opcheck.evidence.picture import each, methods_in, pictured
from opcheck.evidence.simulation.bounds import bounded_measures, with_bounds
from opcheck.model.method import method
from opcheck.model.operator import linear
from opcheck.model.oracle import gaussian
from opcheck.model.primitives import axpy
from opcheck.model.problem import Problem, problem
from opcheck.model.verdict import Verdict
from opcheck.report.drawing import Drawing
from opcheck.report.figure import save

LONG = "x*y + x**2/2 - y**2/2 + 3*x**4*y**2 - 7*x**2*y**4 + (x - 1)**2*(y + 2)**2/16 - x**3*y/3"


@pytest.fixture(scope="module")
def bounded() -> Trajectory:
    where = problem("bilinear")
    measures = bounded_measures("extragradient", where)
    return with_bounds(run("extragradient", where, 300, gamma=0.5, measures=measures))[0]


@pytest.fixture(scope="module")
def noisy() -> list[Trajectory]:
    where = problem("forsaken")
    where = dataclasses.replace(where, oracle=gaussian(where.operator, 0.5))
    return [run("extragradient", where, 60, seed=s, gamma=0.05) for s in range(11)]


def draw(runs: Any, kind: str = "rate", **options: Any) -> Drawing:
    return registry.get("figures", kind)(runs, **options)


def told(drawing: Drawing) -> list[str]:
    (legend,) = drawing.legends
    return [text.get_text() for text in legend.get_texts()]


def lines(drawing: Drawing) -> dict[str, Any]:
    return {line.get_label(): line for line in drawing.axes[0].lines}


def with_values(run: Trajectory, values: Any, **bounds: Any) -> Trajectory:
    k = np.arange(len(values))
    return dataclasses.replace(
        run,
        k=k,
        oracle_calls=2.0 * k,
        measures={"residual": np.asarray(values, dtype=float)},
        bounds={"residual": bounds} if bounds else {},
    )


# ---- axes ----------------------------------------------------------------------------------------


def test_the_axis_ends_where_float64_does(bounded: Trajectory) -> None:
    fast = with_values(bounded, 3 * 0.5 ** np.arange(1000.0))
    low, high = draw(fast).axes[0].get_ylim()
    assert 1e-17 < low < 1e-15
    assert high < 100
    low, _ = draw(fast, floor=0).axes[0].get_ylim()
    assert low <= 1e-200


def test_a_run_that_leaves_does_not_hide_the_others(bounded: Trajectory) -> None:
    gone = with_values(bounded, 10.0 ** np.arange(100.0))
    still = with_values(bounded, 1 / (1 + np.arange(100.0)))
    low, high = draw({"gone": gone, "still": still}).axes[0].get_ylim()
    assert low > 1e-4
    assert 1e15 < high < 1e19


def test_labels_of_axes_are_symbols_and_units_are_in_the_caption(bounded: Trajectory) -> None:
    from opcheck_figures.symbols import caption_of, symbol_of

    own = [n for n in registry.names("measures") if ":" not in registry.place("measures", n)[:1]]
    for name in own:
        measure = registry.get("measures", name)
        if not measure.kernel.__module__.startswith("opcheck"):
            continue
        assert measure.latex
        symbol = symbol_of(name, bounded)
        assert symbol.startswith("$")
        assert "{" not in re.sub(r"_\{[^{}]*\}|\\mathrm\{\w+\}", "", symbol)
        assert "units of" in caption_of(name)
    assert symbol_of("residual(zbar)", bounded) == r"$\Vert F\,\bar z_k\Vert^2$"
    assert symbol_of("distance(z, slow)", bounded) == r"$\Vert z_k - \mathrm{slow}_k\Vert^2$"
    assert symbol_of("me2026_cost$", bounded) == r"me2026_cost\$"


# ---- bounds --------------------------------------------------------------------------------------


def test_bounds_that_coincide_are_one_line_with_both_names(bounded: Trajectory) -> None:
    k = np.arange(51.0)
    drawing = draw(
        with_values(bounded, 0.5 / (k + 1), a=1 / (k + 1), b=1.0001 / (k + 1), c=5 / (k + 1))
    )
    assert told(drawing)[1:] == ["a and b", "c"]
    first, second = (lines(drawing)[n] for n in told(drawing)[1:])
    assert first._dash_pattern != second._dash_pattern


def test_weaker_bounds_are_left_out_and_named(bounded: Trajectory) -> None:
    k = np.arange(51.0)
    named = {f"t{i}": (i + 2) / (k + 1) for i in range(6)}
    drawing = draw(with_values(bounded, 1 / (k + 1), **named))
    assert told(drawing)[1:] == ["t0", "t1", "t2"]
    assert "left out: t3, t4, t5" in drawing.caption


def test_an_attained_bound_is_seen_over_the_measurement(bounded: Trajectory) -> None:
    k = np.arange(51.0)
    drawn = lines(draw(with_values(bounded, 1 / (k + 1), tight=1 / (k + 1))))
    bound = drawn.pop("tight")
    (measured,) = drawn.values()
    assert bound.get_zorder() > measured.get_zorder()
    assert bound.get_linestyle() == "--"
    assert bound.get_color() != measured.get_color()


def test_several_runs_have_a_legend_and_their_own_bounds(bounded: Trajectory) -> None:
    k = np.arange(51.0)
    one, two = with_values(bounded, 1 / (k + 1), t=2 / (k + 1), u=3 / (k + 1)), bounded
    drawing = draw({"one": one, "two": dataclasses.replace(two, bounds={})})
    assert told(drawing) == ["one", "t (bound)", "two"]
    drawn = lines(drawing)
    assert drawn["t (bound)"].get_color() == drawn["one"].get_color()


# ---- noise and seeds -----------------------------------------------------------------------------


def test_a_noisy_run_says_so(noisy: list[Trajectory]) -> None:
    drawing = draw(noisy[0])
    assert drawing.axes[0].get_title().endswith(", noisy")
    assert "σ² = 0.25" in drawing.caption


def test_seeds_are_a_median_and_a_band(noisy: list[Trajectory]) -> None:
    drawing = draw({"EG": noisy})
    values = np.array([t["natural_residual"] for t in noisy])[:, 1:]
    assert np.array_equal(lines(drawing)["EG"].get_ydata(), np.median(values, axis=0))
    (band,) = drawing.axes[0].collections
    corners = band.get_paths()[0].vertices
    for j, x in enumerate(noisy[0].k[1:]):
        here = corners[corners[:, 0] == x, 1]
        inside = (here.min() <= values[:, j]) & (values[:, j] <= here.max())
        assert 0.8 <= inside.mean() < 1
    assert told(drawing) == ["EG", "10 to 90 % of 11 seeds, line: median"]


def test_starts_that_differ_are_drawn_in_units_of_the_first_value() -> None:
    runs = [run("extragradient", "bilinear", 50, seed=s, gamma=0.5) for s in range(5)]
    drawing = draw({"EG": [with_bounds(t)[0] for t in runs]})
    assert "its value at" in drawing.axes[0].get_ylabel()
    (band,) = drawing.axes[0].collections
    corners = band.get_paths()[0].vertices  # of a linear F without a width
    assert np.ptp(corners[corners[:, 0] == 20, 1]) <= 1e-12
    assert len(lines(drawing)) == 1  # no bound, which is about one start


def test_a_seed_that_leaves_the_numbers_is_far_out(noisy: list[Trajectory]) -> None:
    gone = [dataclasses.replace(t, measures=dict(t.measures)) for t in noisy]
    for t in gone[:5]:
        t.measures["natural_residual"] = np.where(t.k > 30, np.nan, 1.0)
    drawn = lines(draw({"EG": gone}, horizontal="linear"))["EG"].get_ydata()
    assert np.isfinite(drawn).all()  # five of eleven


# ---- the sheet -----------------------------------------------------------------------------------


def pictures(bounded: Trajectory, noisy: list[Trajectory]) -> Iterator[Drawing]:
    yield draw(bounded)
    wide = dataclasses.replace(bounded, problem=dataclasses.replace(bounded.problem, name=LONG))
    yield draw(wide)
    yield draw(wide, width="double")
    yield draw({f"{LONG[: 30 + i]}: γ = 0.25, λ = 0.5, τ = 20": wide for i in range(8)})
    yield draw({"EG": noisy})
    path = run("extragradient", "forsaken", 50, gamma=0.05, iterates=True)
    yield draw({LONG: path}, kind="plane")


@pytest.mark.ci
def test_nothing_is_cut_or_covers_something_else(
    bounded: Trajectory, noisy: list[Trajectory]
) -> None:
    from opcheck.report.style import style

    for drawing in pictures(bounded, noisy):
        with style():
            drawing.draw_without_rendering()
            (axes,) = drawing.axes
            parts = [axes.title, axes.xaxis.label, axes.yaxis.label, *drawing.legends]
            boxes = [p.get_window_extent() for p in parts]
        for box in boxes:
            assert box.x0 >= -1
            assert box.y0 >= -1
            assert box.x1 <= drawing.bbox.x1 + 1
            assert box.y1 <= drawing.bbox.y1 + 1
        for one, other in itertools.combinations([*boxes, axes.bbox], 2):
            assert not one.shrunk(0.98, 0.98).overlaps(other.shrunk(0.98, 0.98))


def test_sizes_of_a_journal(bounded: Trajectory) -> None:
    assert draw(bounded).get_figwidth() == 3.3
    assert draw(bounded, width="double").get_figwidth() == 6.9
    assert draw(bounded, width=5).get_figwidth() == 5
    assert draw(bounded, width="double").get_figheight() < 4.5
    with pytest.raises(OpcheckError, match="give 'single', 'double' or inches"):
        draw(bounded, width="triple")


def test_letters_of_panels_and_their_captions() -> None:
    from opcheck.report.figure import sheet

    path = run("extragradient", "bilinear", 50, gamma=0.3, iterates=True)
    kinds = [registry.get("figures", n) for n in ("plane", "rate")]
    drawing = sheet([(k, {"title": ""}, path) for k in kinds])
    assert [a.get_title(loc="left") for a in drawing.axes] == ["(a)", "(b)"]
    assert drawing.get_figwidth() == 6.9
    assert re.match(r"\(a\) Iterates .* \(b\) The squared residual", drawing.caption)


def test_fifteen_runs_are_too_many_and_fourteen_look_different(bounded: Trajectory) -> None:
    drawn = lines(draw({str(i): dataclasses.replace(bounded, bounds={}) for i in range(14)}))
    looks = {
        (x.get_color(), x.get_marker(), x.get_markerfacecolor(), x.get_linestyle())
        for x in drawn.values()
    }
    assert len(looks) == 14
    with pytest.raises(OpcheckError, match="tells 14 runs apart"):
        draw({str(i): bounded for i in range(15)})


def test_it_shows_itself_in_a_notebook(bounded: Trajectory) -> None:
    """D2: without a magic command, by what IPython asks an object for."""
    drawing = bounded.plot()
    assert drawing._repr_png_().startswith(b"\x89PNG")
    text = drawing._repr_html_()
    (data,) = re.findall(r'base64,([^"]+)"', text)
    assert base64.b64decode(data) == drawing._repr_png_()
    assert "squared units of F" in text
    assert "width:3.3in" in text


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
@pytest.mark.ci
def test_bands_and_captions_give_equal_bytes(
    noisy: list[Trajectory], tmp_path: Path, suffix: str
) -> None:
    files = [save(draw({"EG": noisy}), tmp_path / f"{i}{suffix}")[0] for i in range(2)]
    assert files[0].read_bytes() == files[1].read_bytes()
    if suffix == ".svg":
        assert "The squared natural residual" in files[0].read_text(encoding="utf-8")


def test_a_path_that_goes_round_and_round_is_no_wedge() -> None:
    """D1: gradient descent ascent on the global Forsaken game, 3000 steps about a cycle."""
    round_ = run(
        "gradient_descent_ascent", "global_forsaken", 3000, gamma=0.33, start=(1, 1), iterates=True
    )
    drawing = draw({"GDA": round_}, kind="plane")
    path = lines(drawing)["GDA"].get_xydata()
    axes = drawing.axes[0]
    width = max(np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim()))
    assert np.nansum(np.linalg.norm(np.diff(path, axis=0), axis=1)) < 21 * width
    assert np.array_equal(path[0], round_.iterates[0])
    assert np.array_equal(path[-1], round_.iterates[-1])
    assert "first and last parts" in drawing.caption


# ---- what is drawn -------------------------------------------------------------------------------


def test_a_check_draws_extragradient_at_a_step_that_moves() -> None:
    """D1: it drew a method nobody had asked for, at γ = 1.8e-7."""
    where = subject("x*y + x**2/2 - y**2/2")
    for facts in (where.facts, ()):
        found = Check(dataclasses.replace(where, facts=facts), (), (), (), ())
        shown = pictured(found)
        assert shown.method == "extragradient"
        assert 0.1 < shown.parameters["gamma"] < 1
        assert shown["residual"][-1] < 1e-20 * shown["residual"][0]
        assert draw(shown).axes[0].get_ylabel() == r"$\Vert F\,z_k\Vert^2$"


def test_a_check_draws_the_run_that_violates_a_theorem() -> None:
    wrong = Verdict(
        "gorbunov2022_eg_last", "bilinear", "violated", ratio=2.0, parameters={"gamma": 0.125}
    )
    right = Verdict("lee2021_feg", "bilinear", "attained", ratio=1.0)
    shown = pictured(Check(problem("bilinear"), (), (), (), (right, wrong)))
    assert shown.method == "extragradient"
    assert shown.parameters["gamma"] == 0.125


def test_methods_in_a_list() -> None:
    names = "rapp, lookahead(extragradient),halpern"
    assert methods_in(names) == ["rapp", "lookahead(extragradient)", "halpern"]
    for wrong, says in (("rapp,", "no method at one place"), ("rapp,rapp", "twice")):
        with pytest.raises(OpcheckError, match=says):
            methods_in(wrong)


def test_parameters_for_all_methods_for_one_and_for_none() -> None:
    where = problem("bilinear")
    names = ["extragradient", "rapp"]
    eg, rapp = each(names, where, 20, parameters={"gamma": 0.25, "rapp.gamma": 0.5, "tau": 3})
    assert eg.runs[0].parameters == {"gamma": 0.25}
    assert rapp.runs[0].parameters == {"gamma": 0.5, "tau": 3, "lam": 0.5}
    assert "lam chosen here, with L = 1" in rapp.note
    (alone,) = each(["feg"], where, 20)
    assert alone.note == "feg: gamma, rho as in lee2021_feg"
    assert alone.runs[0].bounds["residual"]["lee2021_feg"].size == 21
    with pytest.raises(OpcheckError, match="none of extragradient, rapp has a parameter 'colour'"):
        each(names, where, 20, parameters={"colour": 1})


EVERY = [n for n in registry.names("methods") if n != "lookahead"]


@pytest.mark.parametrize("name", [*EVERY, "lookahead(extragradient)"])
def test_every_method_of_the_library_runs_without_parameters(name: str) -> None:
    """On a rotation with a strong part, and on an operator of which nothing is known."""
    if not registry.get("methods", name.partition("(")[0]).kernel.__module__.startswith("opcheck"):
        return
    matrix = [[0.5, 1.0], [-1.0, 0.5]]
    bare = Problem(linear(matrix), name="bare", start=np.ones(2))
    for where in (problem("bilinear"), bare):
        (made,) = each([name], where, 12)
        assert made.runs[0].status == "completed"


@pytest.mark.usefixtures("own_registry")
def test_what_no_theorem_says_is_as_in_the_reference() -> None:
    """A number called beta is no schedule of weights, and theta stands in no list of ours."""

    def reference(F, z, gamma=1 / 8, beta=0.25, theta=0.75):  # type: ignore[no-untyped-def]
        return z - gamma * (1 - beta) * theta * F(z)

    @method(
        "damped",
        params="gamma beta theta",
        rows="z Fz",
        calls=1,
        source="",
        constrained=False,
        reference=reference,
    )
    def damped(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        z, Fz = state[0], state[1]
        for _ in range(n):
            F(z, Fz, F_data)
            axpy(z, z, -params[0] * (1 - params[1]) * params[2], Fz)

    (series,) = each(["damped"], problem("bilinear"), 12)
    assert series.runs[0].parameters == {"gamma": 0.5, "beta": 0.25, "theta": 0.75}


# ---- the command line ----------------------------------------------------------------------------


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_several_methods_in_one_plot(tmp_path: Path) -> None:
    out = tmp_path / "out.svg"
    result = call(
        *("run", "extragradient,rapp,halpern", "x*y", "--set", "box:-1,1", "-n", "50"),
        *("--plot", str(out)),
    )
    assert result.exit_code == 0, result.output
    assert out.read_text(encoding="utf-8").count("<svg") == 1
    rows = [line for line in result.output.splitlines() if line.startswith(("extrag", "rapp"))]
    assert len(rows) == 2
    assert all("completed" in row for row in rows)
    assert "halpern has no form with A ≠ 0, so it was left out" in result.output
    assert "caption" in result.output


def test_seeds_on_the_command_line(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    asked = ("run", "extragradient", "forsaken", "-p", "gamma=0.1", "--noise", "0.1", "-n", "20")
    result = call(*asked, "--seeds", "5", "--plot", str(out))
    assert result.exit_code == 0, result.output
    assert "median of 5 seeds" in result.output
    assert out.read_bytes().startswith(b"\x89PNG")
    data = json.loads(call(*asked, "--seeds", "5", "--seed", "3", "--json").stdout)
    (only,) = data["methods"]
    assert [r["seed"] for r in only["runs"]] == [3, 4, 5, 6, 7]
    single = json.loads(call(*asked, "--seed", "4", "--json").stdout)
    assert only["runs"][1]["z"] == single["z"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "rapp,halpen", "bilinear"), "did you mean 'halpern'"),
        (("run", "rapp,", "bilinear"), "no method at one place"),
        (("run", "halpern,feg", "forsaken"), "halpern has no form with A ≠ 0"),
        (("run", "feg", "bilinear", "--seeds", "0"), "--seeds 0 must be from 1"),
        (("run", "feg", "bilinear", "--seeds", "3", "--start", "1,1"), "leave out --start"),
        (("run", "feg,rapp", "bilinear", "-p", "colour=2"), "has a parameter 'colour'"),
        (("run", "no_such", "bilinear", "--plot", "out.gif"), "end it in .svg, .png, .pdf"),
        (("check", "bilinear", "--plot", "out.jpeg"), "end it in .svg, .png, .pdf"),
    ],
)
def test_mistakes_are_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_measure_to_a_solution_is_not_asked_for_where_none_is_known() -> None:
    result = call("run", "rapp", "x*y", "--set", "box:-1,1", "-p", "gamma=.1", "-p", "lam=.5",
                  "-p", "tau=5", "-n", "10")  # fmt: skip
    assert result.exit_code == 0, result.output


def test_of_one_run_that_measure_is_drawn_which_is_bounded(bounded: Trajectory) -> None:
    bounds = {"distance": {"a": np.ones(301), "b": np.ones(301)}, "norm2": {"c": np.ones(301)}}
    other = dataclasses.replace(bounded, bounds=bounds)
    assert draw(other).axes[0].get_ylabel() == r"$\Vert z_k - z^*\Vert^2$"
    assert draw({"a": other, "b": other}).axes[0].get_ylabel() == r"$\Vert F\,z_k\Vert^2$"
    assert draw(bounded).axes[0].get_ylabel() == r"$\Vert F\,z_k\Vert^2$"
