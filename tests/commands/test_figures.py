"""Figure kinds: what they draw is what was measured, and equal drawings are equal bytes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from opcheck import registry
from opcheck.engine.run import Trajectory, run
from opcheck.errors import OpcheckError
from opcheck.evidence.simulation.verify import Report, Summary
from opcheck.model.problem import problem
from opcheck.model.verdict import Verdict
from opcheck.report.figure import labelled, save, settings

BOUND = "R²/(k + 1)"


@pytest.fixture(scope="module")
def short() -> Trajectory:
    t = run("extragradient", "bilinear", 50, gamma=0.3, start=(1, 1), iterates=True)
    return dataclasses.replace(t, bounds={"residual": {BOUND: 2 / (t.k + 1.0)}})


@pytest.fixture(scope="module")
def boxed() -> Trajectory:
    where = problem("forsaken")
    return run("gradient_descent_ascent", where, 400, gamma=0.05, iterates=True)


def lines(drawing):
    (axes,) = drawing.axes
    return {line.get_label(): line for line in axes.lines}


def luminance(colour):
    from matplotlib.colors import to_rgb

    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


@pytest.mark.parametrize("against", ["k", "oracle calls"])
def test_rate_draws_what_was_measured(short, against):
    line = lines(short.plot(against=against))["extragradient: γ = 0.3"]
    x = short.k if against == "k" else short.oracle_calls
    assert np.array_equal(line.get_xdata(), x[1:])  # k = 0 has no logarithm
    assert np.array_equal(line.get_ydata(), short["residual"][1:])


def test_rate_starts_at_zero_on_a_linear_axis(short):
    line = lines(short.plot(horizontal="linear"))["extragradient: γ = 0.3"]
    assert np.array_equal(line.get_xdata(), short.k)


def test_rate_draws_every_bound_apart_from_the_measurement(short):
    drawn = lines(short.plot())
    bound, measured = drawn[BOUND], drawn["extragradient: γ = 0.3"]
    assert np.array_equal(bound.get_ydata(), short.bounds["residual"][BOUND][1:])
    assert bound.get_linestyle() == "--"
    assert bound.get_marker() == "None"
    assert measured.get_linestyle() == "-"
    assert measured.get_marker() != "None"


def test_rate_names_axes_method_and_problem(short, boxed):
    (axes,) = short.plot(against="oracle calls").axes
    assert axes.get_xlabel() == "oracle calls"
    assert axes.get_ylabel() == r"$\Vert F\,z_k\Vert^2$"
    assert axes.get_title() == "extragradient on bilinear"
    (axes,) = boxed.plot().axes
    assert axes.get_xlabel() == "iteration $k$"
    assert axes.get_ylabel() == r"$\Vert z_k - P_C(z_k - F\,z_k)\Vert^2$"
    (axes,) = boxed.plot(measure="distance").axes
    assert axes.get_ylabel() == r"$\Vert z_k - z^*\Vert^2$"


def test_rate_keeps_the_peak_of_a_long_run(short):
    k = np.arange(20_001)
    values = 1 / (k + 1.0)
    values[15_003] = 7.0
    long = dataclasses.replace(
        short, k=k, oracle_calls=2.0 * k, measures={"residual": values}, bounds={}
    )
    line = lines(long.plot())["extragradient: γ = 0.3"]
    drawn = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert len(drawn) <= 240
    assert drawn[15_003] == 7.0
    assert all(values[int(x)] == y for x, y in drawn.items())


def test_rate_leaves_gaps_where_a_logarithm_has_none(short):
    values = short["residual"].copy()
    values[[10, 20, 30]] = [0, np.nan, np.inf]
    broken = dataclasses.replace(short, measures={"residual": values}, bounds={})
    line = lines(broken.plot(horizontal="linear"))["extragradient: γ = 0.3"]
    assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [10, 20, 30]


def test_floor_ends_the_axis(short):
    (axes,) = short.plot(floor=1e-6).axes
    low, high = axes.get_ylim()
    assert low == 1e-6
    assert high > short["residual"].max()


def test_runs_look_the_same_in_both_kinds_and_apart_from_each_other(short):
    runs = {f"run {i}": short for i in range(7)}
    rate, plane = (lines(registry.get("figures", kind)(runs)) for kind in ("rate", "plane"))
    for label in runs:
        assert rate[label].get_color() == plane[label].get_color()
        assert rate[label].get_marker() == plane[label].get_marker()
    assert len({rate[label].get_color() for label in runs}) == 7
    assert len({rate[label].get_marker() for label in runs}) == 7


def test_runs_of_one_line_style_differ_in_grey(short):
    drawn = lines(registry.get("figures", "plane")({f"run {i}": short for i in range(4)}))
    solid, others = [drawn[f"run {i}"] for i in range(3)], drawn["run 3"]
    assert {line.get_linestyle() for line in solid} == {"-"}
    assert others.get_linestyle() != "-"
    shades = sorted(luminance(line.get_color()) for line in solid)
    assert min(np.diff(shades)) > 0.2


def test_plane_draws_iterates_start_solution_and_box(boxed):
    drawing = boxed.plot("plane")
    drawn = lines(drawing)
    path = drawn["gradient_descent_ascent: γ = 0.05"].get_xydata()
    assert np.array_equal(path, boxed.iterates)
    assert drawn["start $z_0$"].get_xydata().tolist() == [[1.0, 1.0]]
    assert np.array_equal(drawn["solution $z^*$"].get_xydata(), [boxed.problem.solution])
    outline = np.unique(drawn["constraint set $C$"].get_xydata(), axis=0)
    corners = {(-1.5, -1.5), (-1.5, 1.5), (1.5, -1.5), (1.5, 1.5)}
    assert corners <= set(map(tuple, outline))
    assert (np.abs(outline).max(axis=1) == 1.5).all()
    (axes,) = drawing.axes
    assert axes.get_xlim()[0] < -1.5
    assert axes.get_xlim()[1] > 1.5


def test_plane_has_no_set_without_constraints(short):
    assert "constraint set $C$" not in lines(short.plot("plane"))


def test_plane_is_not_stretched_by_a_run_that_leaves(short):
    gone = run("gradient_descent_ascent", "bilinear", 300, gamma=0.5, start=(1, 1), iterates=True)
    assert np.abs(gone.z).max() > 1e6
    (axes,) = registry.get("figures", "plane")([short, gone]).axes
    assert max(*map(abs, axes.get_xlim()), *map(abs, axes.get_ylim())) < 10


def test_a_run_that_left_the_numbers_is_drawn_up_to_there(tmp_path):
    gone = run("gradient_descent_ascent", "bilinear", 5000, gamma=0.9, iterates=True)
    last = int(np.isfinite(gone["residual"]).sum())
    assert 0 < last < 5000
    rate, plane = gone.plot(), gone.plot("plane")
    save(rate, tmp_path / "rate.svg")
    save(plane, tmp_path / "plane.svg")
    path = lines(plane)["gradient_descent_ascent: γ = 0.9"].get_xydata()
    assert len(path) == last


def test_plane_follows_the_field(boxed):
    (axes,) = boxed.plot("plane").axes
    (stream,) = axes.collections
    pieces = stream.get_segments()
    steps = np.concatenate([np.diff(p, axis=0) for p in pieces])
    middles = np.concatenate([(p[1:] + p[:-1]) / 2 for p in pieces])
    down = np.array([-boxed.problem.operator(z) for z in middles])
    sizes = np.linalg.norm(steps, axis=1) * np.linalg.norm(down, axis=1)
    moving = sizes > 1e-4
    cosine = (steps * down).sum(axis=1)[moving] / sizes[moving]
    assert moving.sum() > 100
    assert np.median(cosine) > 0.99


def fake_report(*verdicts: Verdict) -> Report:
    names = registry.names("theorems")
    upper = [t for t in (registry.get("theorems", n) for n in names) if t.claim != "must fail"]
    return Report(tuple(Summary(t, (v,)) for t, v in zip(upper, verdicts, strict=False)))


def test_ratios_draw_the_worst_of_each_theorem():
    report = fake_report(
        Verdict("a", "p", "holds", ratio=0.25),
        Verdict("b", "p", "violated", ratio=1.5),
        Verdict("c", "p", "attained", ratio=1.0),
        Verdict("d", "p", "inapplicable"),
    )
    (axes,) = report.plot().axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert drawn["holds"] == [[0.25, 0]]
    assert drawn["attained"] == [[1.0, 1]]
    assert drawn["violated"] == [[1.5, 2]]
    ordered = [report.summaries[i].theorem.name for i in (0, 2, 1)]
    assert [t.get_text() for t in axes.get_yticklabels()] == ordered


def test_labels_of_unlabelled_runs_are_unique(short):
    assert len(labelled([short, short, short])) == 3
    assert settings({"base.gamma": 0.25, "tau": 5}) == "γ = 0.25, τ = 5"
    assert (
        settings({"tau": [3, 3, 3], "beta": np.array([0.5, 0.4, 0.25])}) == "τ = 3, β = 0.5 … 0.25"
    )


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"against": "time"}, "oracle calls"),
        ({"horizontal": "cubic"}, "linear"),
        ({"measure": "gap"}, "not taken"),
        ({"colour": "red"}, "no option 'colour'"),
    ],
)
def test_mistakes_in_options_are_named(short, options, hint):
    with pytest.raises(OpcheckError, match=hint):
        short.plot(**options)


def test_plane_refuses_what_it_can_not_draw(short, boxed):
    plane = registry.get("figures", "plane")
    with pytest.raises(OpcheckError, match="iterates=True"):
        plane(dataclasses.replace(short, iterates=short.iterates[:0]))
    with pytest.raises(OpcheckError, match="one problem"):
        plane([short, boxed])
    wide = run("extragradient", "block_rotation", 2, gamma=0.1, iterates=True)
    assert wide.problem.dim > 2
    with pytest.raises(OpcheckError, match="two variables"):
        plane(wide)


def test_rate_refuses_runs_with_nothing_to_show():
    still = run("extragradient", "bilinear", 10, gamma=0.3, start=(0, 0))
    with pytest.raises(OpcheckError, match="nothing to show"):
        still.plot()
    free = run("proximal_point", "bilinear", 10, gamma=0.3)
    with pytest.raises(OpcheckError, match="no oracle calls"):
        free.plot(against="oracle calls")


def test_no_runs_at_all():
    with pytest.raises(OpcheckError, match="no run"):
        registry.get("figures", "rate")([])


def test_saving_refuses_other_formats_and_places(short, tmp_path):
    with pytest.raises(OpcheckError, match=r"\.svg, \.png, \.pdf"):
        save(short.plot(), tmp_path / "out.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(OpcheckError, match="can't write"):
        save(short.plot(), tmp_path / "file" / "out.svg")


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_bytes_do_not_depend_on_the_users_settings(short, tmp_path, suffix):
    import matplotlib

    first = save(short.plot(), tmp_path / f"a{suffix}").read_bytes()
    with matplotlib.rc_context({"font.size": 20, "svg.hashsalt": "x", "axes.facecolor": "red"}):
        second = save(short.plot(), tmp_path / f"b{suffix}").read_bytes()
        assert matplotlib.rcParams["font.size"] == 20
    assert first == second


def test_listing_imports_no_matplotlib_and_drawing_no_pyplot():
    code = (
        "import sys; from opcheck import registry; registry.names('figures');"
        "assert 'matplotlib' not in sys.modules;"
        "from opcheck.engine.run import run;"
        "run('extragradient', 'bilinear', 5, gamma=0.3).plot();"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
