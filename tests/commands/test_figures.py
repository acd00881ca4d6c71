"""Figure kinds: what they draw is what was measured, and equal drawings are equal bytes."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from opcheck import registry
from opcheck.cli import main
from opcheck.engine.run import Trajectory, run
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import certify, read_certificate
from opcheck.evidence.check import Check
from opcheck.evidence.simulation.verify import Report, Summary
from opcheck.model.problem import problem
from opcheck.model.table import Table, read_csv
from opcheck.model.verdict import Verdict
from opcheck.report.figure import labelled, save, settings, sheet

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
@pytest.mark.ci
def test_bytes_do_not_depend_on_the_users_settings(short, tmp_path, suffix):
    import matplotlib

    first = save(short.plot(), tmp_path / f"a{suffix}")[0].read_bytes()
    with matplotlib.rc_context({"font.size": 20, "svg.hashsalt": "x", "axes.facecolor": "red"}):
        second = save(short.plot(), tmp_path / f"b{suffix}")[0].read_bytes()
        assert matplotlib.rcParams["font.size"] == 20
    assert first == second


@pytest.mark.ci
def test_listing_imports_no_matplotlib_and_drawing_no_pyplot():
    code = (
        "import sys; from opcheck import registry; registry.names('figures');"
        "assert 'matplotlib' not in sys.modules;"
        "from opcheck.engine.run import run;"
        "run('extragradient', 'bilinear', 5, gamma=0.3).plot();"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- the command line and results ----------------------------------------------------------------


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plot", *arguments])


def test_alone_it_lists_every_kind_with_its_options() -> None:
    result = call()
    assert result.exit_code == 0
    for name in registry.names("figures"):
        assert f"\n{name}: " in f"\n{result.output}"
    data = json.loads(call("--json").stdout)
    assert [row["kind"] for row in data] == registry.names("figures")
    assert next(row for row in data if row["kind"] == "rate")["options"]["against"] == "k"


def test_runs_are_drawn_with_what_their_kind_needs(tmp_path: Path) -> None:
    out = tmp_path / "plane"
    result = call("plane", "extragradient,rapp", "forsaken", "-n", "20", "-p", "gamma=.05",
                  "--out", str(out), "--json")  # fmt: skip
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    suffixes = [Path(file).suffix for file in data["files"]]
    assert suffixes == [".svg", ".png", ".pdf", ".csv"]
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    head, *rows = out.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    assert head == "series,x,y"
    own = run("extragradient", "forsaken", 20, gamma=0.05, iterates=True)
    drawn = [r.split(",") for r in rows if r.startswith("extragradient")]
    assert np.array_equal(np.array([r[-2:] for r in drawn], dtype=float), own.iterates)


def test_a_table_of_a_file_is_drawn_and_written_as_latex(tmp_path: Path) -> None:
    source = Table({"eps": [0.1, 0.2] * 50, "loss": np.arange(100) / 7}, {"loss": "L"})
    source.save(tmp_path / "data.csv")
    asked = ("table", str(tmp_path / "data.csv"), "--out", str(tmp_path / "out.tex"))
    assert call(*asked).exit_code == 0
    text = (tmp_path / "out.tex").read_text(encoding="utf-8")
    assert text.startswith("\\begin{tabular}{rr}\n\\toprule\neps & loss")
    asked = ("boxes", str(tmp_path / "data.csv"), "-o", "y=loss", "-o", "by=eps")
    assert call(*asked, "--out", str(tmp_path / "boxes.svg")).exit_code == 0
    assert (tmp_path / "boxes.csv").is_file()


def test_spectrum_gap_and_certificate_from_a_few_words(tmp_path: Path) -> None:
    out = str(tmp_path / "out.csv")
    np.save(tmp_path / "M.npy", [[0.5, 2.0], [-2.0, 0.5]])
    asked = ("spectrum", "extragradient,gradient_descent_ascent", str(tmp_path / "M.npy"))
    result = call(*asked, "-p", "gamma=.3", "--out", out)
    assert result.exit_code == 0, result.output
    head, row, _ = Path(out).read_text(encoding="utf-8").splitlines()
    assert head.startswith("re,im,factor of extragradient: γ = 0.3")
    z = 0.3 * (0.5 + 2j)
    assert float(row.split(",")[2]) == pytest.approx(abs(1 - z + z**2))
    file = certify("lee2021_feg", 1).save(tmp_path / "feg.json")
    for target in (str(file), "lee2021_feg"):
        result = call("certificate", target, *(("-k", "1") * (target != str(file))), "--out", out)
        assert result.exit_code == 0, result.output
        assert Path(out).read_text(encoding="utf-8").startswith("property,first,second,multiplier")


def test_a_file_of_a_certificate_reads_back(tmp_path: Path) -> None:
    proof = certify("gorbunov2022_eg_last", 1)
    again = read_certificate(proof.save(tmp_path / "eg.json"))
    for name in ("theorem", "k", "ratio", "tau", "covers", "choice"):
        assert getattr(again, name) == getattr(proof, name)
    assert again.valid
    broken = (tmp_path / "eg.json").read_text(encoding="utf-8").replace("1/2", "1/3")
    (tmp_path / "eg.json").write_text(broken, encoding="utf-8")
    with pytest.raises(OpcheckError, match=r"eg\.json is rejected"):
        read_certificate(tmp_path / "eg.json")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rat",), "no figure is named 'rat'; did you mean 'rate'?"),
        (("rate",), "plot rate needs METHODS PROBLEM"),
        (("rate", "rapp"), "plot rate needs METHODS PROBLEM"),
        (("tightness",), "plot tightness needs a THEOREM"),
        (("tightness", "lee2021_feg", "bilinear"), "takes a THEOREM, and no problem"),
        (("region", "absent.csv"), "can't read 'absent.csv'"),
        (("region", "lee2021_feg"), "draws a table's FILE.csv, and 'lee2021_feg' is none"),
        (("certificate", "lee2021_feg", "-k", "1..3"), "give one k, as -k 3"),
        (("certificate", "absent.json"), "absent.json can't be read"),
        (("gap", "lee2021"), "'lee2021' selects 2 theorems; name one"),
        (("rate", "rapp", "bilinear", "-o", "colour=red"), "has no option 'colour'"),
        (("rate", "rapp", "bilinear", "-o", "colour"), "write -o name=value"),
        (("rate", "rapp", "bilinear", "-o", "envelope=x"), "give true or false"),
        (("comparison", "rapp", "bilinear", "-o", "shares=x"), "shares=x is no numbers"),
        (("spectrum", "rapp", "bilinear", "-o", "methods=x"), "can't be given in words"),
        (("rate", "rapp", "bilinear", "--out", "x.gif"), "end it in .svg, .png, .pdf"),
        (("plane", "feg", "block_rotation", "-n", "2"), "draws problems in two variables"),
        (("plane", "feg", "bilinear", "-n", "2", "--seeds", "2"), "draws single runs"),
        (("spectrum", "feg", "bilinear"), "changes from one k to the next"),
    ],
)
def test_mistakes_on_the_command_line_are_one_sentence(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 2
    assert len([line for line in result.output.splitlines() if says in line]) == 1
    assert not list(tmp_path.iterdir())


def test_latex_that_is_not_there_is_one_sentence(
    short: Trajectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(OpcheckError, match="'usetex' needs latex and dvipng, which is not"):
        short.plot(style="usetex")
    with pytest.raises(OpcheckError, match="style='pretty'; there is 'usetex'"):
        short.plot(style="pretty")


def test_results_are_drawn_by_the_kind_of_theirs(short: Trajectory) -> None:
    table = Table({"rhoL": [0.1, 0.2], "gammaL": [1.0, 2.0], "outcome": ["converges", "diverges"]})
    assert table.plot().axes[0].texts
    assert table.plot("region").axes[0].get_xlabel() == r"$\rho L$"
    with pytest.raises(OpcheckError, match="draws runs and not a table; a table is what"):
        table.plot("rate")
    check = Check(problem("bilinear"), (), (), (), ())
    assert check.plot().axes[0].get_title() == "extragradient on bilinear"
    (axes,) = short.plot(horizontal="linear").axes
    assert short.plot("rate", axes) is axes
    several = short.plot().save
    assert callable(several)


@pytest.mark.ci
def test_a_sheet_of_several_panels_writes_data_of_each(short: Trajectory, tmp_path: Path) -> None:
    kinds = [registry.get("figures", n) for n in ("plane", "rate")]
    files = sheet([(kind, {}, short) for kind in kinds]).save(tmp_path / "both.v1/fig")
    names = [f.name for f in files]
    assert names == ["fig.svg", "fig.png", "fig.pdf", "fig_a.csv", "fig_b.csv"]
    assert read_csv(files[4])["value"][0] == short["residual"][1]


def test_a_name_that_looks_different_in_another_panel_has_its_own_entry() -> None:
    table = Table({"k": [1, 2], "a": [1.0, 2.0], "b": [2.0, 1.0]})
    kind = registry.get("figures", "lines")
    drawing = sheet([(kind, {"y": "a,b"}, table), (kind, {"y": "b,a"}, table)])
    (legend,) = drawing.legends
    assert [t.get_text() for t in legend.get_texts()] == ["$a$", "$b$", "$b$ (b)", "$a$ (b)"]
    same = sheet([(kind, {"y": "a,b"}, table)] * 2)
    assert [t.get_text() for t in same.legends[0].get_texts()] == ["$a$", "$b$"]
