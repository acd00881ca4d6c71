"""Every registered figure kind: it draws what it is given, and only that; the numbers of each."""

from __future__ import annotations

import inspect
import statistics
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opcheck import registry
from opcheck.engine.run import Trajectory, run
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import Certificate, certify
from opcheck.evidence.dossier import Dossier, Rung
from opcheck.model.implications import implications
from opcheck.model.table import Table
from opcheck.plugin import figure
from opcheck.report.figure import options_of
from opcheck.testing import check_figure

OF_RUNS = [n for n in registry.names("figures") if "runs" in registry.get("figures", n).of]


@pytest.fixture(scope="module")
def runs() -> Mapping[str, Trajectory]:
    return {
        f"gamma {gamma:g}": run("extragradient", "bilinear", 200, gamma=gamma, iterates=True)
        for gamma in (0.25, 0.5)
    }


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_figure_kind_draws_its_runs(name: str, runs: Mapping[str, Trajectory]) -> None:
    check_figure(name, runs)


def step_lengths(axes: Any, runs: Mapping[str, Trajectory], wrong: str = "") -> str:
    """The length of each step.

    Args:
        wrong: what is done wrong.
    """
    for i, (label, t) in enumerate(runs.items()):
        lengths = np.linalg.norm(np.diff(t.iterates, axis=0), axis=1)
        if wrong == "one run" and i:
            continue
        if wrong == "no label":
            label = "_nolegend_"
        if wrong == "another run":
            lengths = np.linalg.norm(np.diff(next(iter(runs.values())).iterates, axis=0), axis=1)
        if wrong == "changes":
            t.iterates[0] += 1
        axes.plot(lengths, label=label)
    return "" if wrong == "no caption" else "Lengths of steps, in units of z."


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("one run", "leaves out"),
        ("no label", "leaves out"),
        ("another run", "whatever it is"),
        ("changes", "changes gamma"),
        ("no caption", "no caption"),
    ],
)
def test_a_wrong_figure_kind_is_found_out(
    wrong: str, says: str, runs: Mapping[str, Trajectory]
) -> None:
    def draw(axes: Any, runs: Mapping[str, Trajectory]) -> str:
        return step_lengths(axes, runs, wrong)

    figure("wrong")(draw)
    own = {
        label: run("extragradient", "bilinear", 200, gamma=t, iterates=True)
        for label, t in (("gamma a", 0.25), ("gamma b", 0.5))
    }
    with pytest.raises(AssertionError, match=says):
        check_figure("wrong", own)
    figure("right")(step_lengths)
    check_figure("right", runs)


# ---- what kinds of other results are given -------------------------------------------------------


def seeds() -> Table:
    """Nine seeds of two methods at five k, one value that is no number."""
    generator = np.random.default_rng(5)
    k, seed = np.tile([1, 2, 4, 8, 16], 18), np.repeat(np.tile(np.arange(9), 2), 5)
    method = np.repeat(["EG", "RAPP"], 45)
    values = np.exp(generator.normal(size=90)) / k
    values[7] = np.nan
    columns = {"method": method, "seed": seed, "k": k, "residual": values, "bound": 9 / k}
    return Table(columns, {"residual": "L²R²"}, "Two methods")


def grid() -> Table:
    """Where extragradient contracts on λ = a + ib, |λ| = 1: by the closed form."""
    a, gamma = (axis.ravel() for axis in np.meshgrid(np.linspace(-0.5, 1, 31), GAMMAS))
    z = gamma * (a + 1j * np.sqrt(1 - a**2))
    inside = np.abs(1 - z + z**2) < 1
    words = np.where(inside, "converges", "diverges")
    return Table({"rhoL": a, "gammaL": gamma, "outcome": words, "factor": np.abs(1 - z + z**2)})


def dossier() -> Dossier:
    """As of a theorem with a bound that is met at k = 2."""
    rows = [{"k": 1, "ratio": 0.5, "attack": 0.45}, {"k": 2, "ratio": 1.0, "attack": None}]
    against = [{"k": k, "ratio": r, "problem": "p"} for k, r in ((0, 0.1), (1, 0.4), (30, 0.3))]
    found = [{"k": 1, "ratio": 0.45}, {"k": 1000, "ratio": 0.2}]
    data = {
        "simulated": {"problems": 3, "against_k": against},
        "attacked": {"reached": found, "constants": {"L": "1"}, "parameters": {"gamma": "1/2"}},
        "worst case": {"rows": rows},
    }
    others = ("certified", "proved", "tight", "hypotheses needed")
    return Dossier(
        "own2026",
        (
            *[Rung(name, True, ("",), "", d) for name, d in data.items()],
            *[Rung(name, False, ("",), "") for name in others],
        ),
    )


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return certify("lee2021_feg", 2)


GAMMAS = np.linspace(0.05, 1.2, 24)
EIGENVALUES = Table({"re": [0.5, 0.5, 1.0], "im": [2.0, -2.0, 0.0]}, caption="Of a game")
METHODS = {"EG": ("extragradient", {"gamma": 0.3})}
CASES = Table(
    {"k": [1, 2], "bound": [4.0, 2.0], "worst": [3.0, 2.0], "attack": [3.0, 1.5]},
    {"worst": "residual / R²"},
)
SAMPLES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "region": (grid, {}),
    "bands": (seeds, {"y": "residual", "by": "method"}),
    "lines": (lambda: seeds().where(seed=3), {"y": "residual", "by": "method"}),
    "boxes": (seeds, {"y": "residual", "by": "method"}),
    "table": (lambda: seeds().where(seed=3), {}),
    "spectrum": (lambda: EIGENVALUES, {"methods": METHODS}),
    "gap": (lambda: CASES, {}),
    "tightness": (dossier, {}),
    "implications": (implications, {}),
}


def draw(kind: str, what: Any = None, **options: Any) -> Any:
    """A sample of a kind, or something else."""
    sample, usual = SAMPLES.get(kind, (lambda: None, {}))
    given = sample() if what is None else what
    return registry.get("figures", kind)(given, **({} if what is not None else usual), **options)


def drawn(drawing: Any) -> dict[str, Any]:
    """Label -> line of the first axes."""
    return {line.get_label(): line for line in drawing.axes[0].lines}


@pytest.mark.parametrize("name", registry.names("figures"))
def test_every_option_has_a_default_and_is_documented(name: str) -> None:
    kind = registry.get("figures", name)
    for option in options_of(kind).values():
        assert option.default is not inspect.Parameter.empty
        assert option.name == "title" or f"    {option.name}: " in kind.doc


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.sampled(4)
def test_it_says_what_it_shows_and_nothing_is_cut(name: str, width: str, tmp_path: Path) -> None:
    from opcheck.report.style import style

    drawing = draw(name, width=width)
    assert drawing.caption.endswith(".")
    assert drawing.caption[0] != " "
    (data,) = drawing.data
    assert len(data)
    with style():
        drawing.draw_without_rendering()
    axes = drawing.axes[0]
    parts = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts, *drawing.legends]
    for part in parts:
        if hasattr(part, "get_text") and not part.get_text():
            continue
        box = part.get_window_extent()
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= drawing.bbox.x1 + 1
        assert box.y1 <= drawing.bbox.y1 + 1


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.sampled(4)
def test_four_files_with_equal_bytes(name: str, tmp_path: Path) -> None:
    first, second = (draw(name).save(tmp_path / str(i) / name) for i in range(2))
    assert [f.suffix for f in first] == [".svg", ".png", ".pdf", ".csv"]
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]
    head = first[-1].read_text(encoding="utf-8").partition("\n")[0]
    assert head == ",".join(draw(name).data[0].columns)


@pytest.mark.parametrize("name", SAMPLES)
def test_on_given_axes_it_returns_these(name: str) -> None:
    from matplotlib.figure import Figure

    canvas = Figure((4, 3))
    given = canvas.subplots()
    sample, usual = SAMPLES[name]
    kind = registry.get("figures", name)
    assert kind.plot(sample(), given, **usual) is given
    assert canvas.get_size_inches().tolist() == [4, 3]
    assert given.has_data() or given.texts
    new = kind.plot(sample(), **usual)
    assert new.figure.caption == draw(name).caption


@pytest.mark.parametrize("name", registry.names("figures"))
def test_another_thing_is_refused_with_the_kinds_that_draw_it(name: str) -> None:
    kind = registry.get("figures", name)
    others = {"table": seeds(), "dossier": dossier()}
    for word, what in others.items():
        if word in kind.of:
            continue
        with pytest.raises(OpcheckError, match=f"figure '{name}' draws .* and not a {word}") as e:
            kind(what)
        assert "tightness" in str(e.value)[-80:] or "region" in str(e.value)
    with pytest.raises(OpcheckError, match=f"figure '{name}' draws .* and not a int"):
        kind(3)


def test_parts_that_are_missing_are_named() -> None:
    bare = run("extragradient", "bilinear", 5, gamma=0.3)
    plane = registry.get("figures", "plane")
    with pytest.raises(OpcheckError, match="'plane' needs iterates, and 'a' kept none"):
        plane({"a": bare})
    with pytest.raises(OpcheckError, match="draws single runs, and 'a' holds 2"):
        plane({"a": [bare, bare]})
    with pytest.raises(OpcheckError, match="'x' is none of iterates"):
        figure("own", needs="x")
    with pytest.raises(OpcheckError, match="'x' is none of runs"):
        figure("own", of="x")


# ---- regions -------------------------------------------------------------------------------------


def closed_form(a: Any) -> Any:
    """γL up to which |1 − z + z²| < 1 for z = γ(a + i√(1 − a²)), by bisection on the polynomial.

    |1 − z + z²|² − 1 = γ (−2a + (4a² − 1)γ − 2aγ² + γ³) for |λ| = 1.
    """
    roots = []
    for value in np.atleast_1d(a):
        zeros = np.roots([1, -2 * value, 4 * value**2 - 1, -2 * value])
        real = [z.real for z in zeros if abs(z.imag) < 1e-9 and z.real > 0]
        roots.append(max(real, default=np.nan))
    return np.array(roots)


def test_a_region_is_where_the_closed_form_says() -> None:
    table = grid()
    drawing = draw("region", boundary={"by hand": closed_form})
    mesh = drawing.axes[0].collections[0]
    colours = np.asarray(mesh.get_array())
    columns, rows = np.unique(table["rhoL"]), np.unique(table["gammaL"])
    a, gamma = np.meshgrid(columns, rows)
    z = gamma * (a + 1j * np.sqrt(1 - a**2))
    assert colours.shape == a.shape
    assert np.array_equal(colours == 0, np.abs(1 - z + z**2) < 1)
    corners = mesh.get_coordinates()
    assert np.allclose(corners[0, :, 0], np.r_[columns - 0.025, columns[-1] + 0.025])
    line = drawn(drawing)["by hand"].get_xydata()
    for x, y in line[(line[:, 0] > 0.1) & (line[:, 0] < 0.9)]:  # the boundary parts the colours
        z = y * (x + 1j * np.sqrt(1 - x**2))
        assert abs(1 - z + z**2) == pytest.approx(1, abs=1e-9)
    assert "converges" in drawing.caption


def test_numbers_are_shaded_and_a_contour_is_where_they_are() -> None:
    drawing = draw("region", grid(), outcome="factor", contour=1.0)
    paths = [p for c in drawing.axes[0].collections[1:] for p in c.get_paths()]
    vertices = np.concatenate([p.vertices for p in paths if len(p.vertices)])
    z = vertices[:, 1] * (vertices[:, 0] + 1j * np.sqrt(1 - vertices[:, 0] ** 2))
    assert len(vertices) > 20
    assert np.abs(np.abs(1 - z + z**2) - 1).max() < 0.01  # linear between points of the grid
    with pytest.raises(OpcheckError, match="no column 'nothing'"):
        draw("region", grid(), outcome="nothing")
    with pytest.raises(OpcheckError, match="holds words"):
        draw("region", grid(), x="outcome")


def test_rows_that_fill_no_grid_are_points() -> None:
    table = grid()
    part = Table({name: table[name][:40] for name in table.columns})
    clouds = draw("region", part).axes[0].collections
    points = np.concatenate([c.get_offsets() for c in clouds])
    assert len(points) == 40
    with pytest.raises(OpcheckError, match="rows that fill a grid"):
        draw("region", part, outcome="factor", contour=1.0)
    words = Table({**part.columns, "outcome": [f"w{i}" for i in range(40)]})
    with pytest.raises(OpcheckError, match="5 kinds of areas apart in grey"):
        draw("region", words)


# ---- spectra -------------------------------------------------------------------------------------


def test_the_border_of_a_spectrum_is_where_the_step_has_modulus_one() -> None:
    drawing = draw("spectrum")
    lines = [c for c in drawing.axes[0].collections if not c.get_alpha()]
    vertices = np.concatenate([p.vertices for c in lines for p in c.get_paths()])
    z = 0.3 * (vertices[:, 0] + 1j * vertices[:, 1])
    assert len(vertices) > 100
    assert np.abs(np.abs(1 - z + z**2) - 1).max() < 2e-3
    points = drawn(drawing)[r"eigenvalues $\lambda$ of $F$"].get_xydata()
    assert points.tolist() == [[0.5, 2], [0.5, -2], [1, 0]]
    (data,) = drawing.data
    z = 0.3 * (data["re"] + 1j * data["im"])
    assert np.allclose(data["factor of EG"], np.abs(1 - z + z**2))
    assert "inside: EG" in drawing.caption


def test_kinds_of_eigenvalues_and_too_many_methods() -> None:
    table = Table({**EIGENVALUES.columns, "a": [0.1, 0.1, 0.2]})
    lines = drawn(draw("spectrum", table, by="a", join=True))
    assert {"a = 0.1", "a = 0.2"} <= {label.replace("$", "") for label in lines}
    with pytest.raises(OpcheckError, match="tells 6 methods apart"):
        draw("spectrum", EIGENVALUES, methods={str(i): METHODS["EG"] for i in range(7)})
    with pytest.raises(OpcheckError, match="changes from one k"):
        draw("spectrum", EIGENVALUES, methods={"H": ("halpern", {})})


# ---- seeds, groups, curves -----------------------------------------------------------------------


def test_bands_are_quantiles_of_the_sorted_values() -> None:
    table = seeds()
    drawing = draw("bands", bounds="bound")
    (data,) = drawing.data
    for method in ("EG", "RAPP"):
        part = data.where(series=method)
        for k, low, middle, high in zip(
            part["k"], part["low"], part["median"], part["high"], strict=True
        ):
            values = table.where(method=method, k=int(k))["residual"].tolist()
            ordered = sorted(float("inf") if v != v else v for v in values)
            assert low == ordered[0]  # ceil(0.1 · 9) = 1
            assert high == ordered[8]  # ceil(0.9 · 9) = 9
            assert middle == statistics.median(ordered)
    line = drawn(drawing)["EG"].get_xydata()
    assert line[:, 1].tolist() == data.where(series="EG")["median"].tolist()
    band = drawing.axes[0].collections[1].get_paths()[0].vertices
    assert band[:, 1].max() == data.where(series="RAPP")["high"].max()
    assert drawn(drawing)["bound"].get_xydata().tolist() == [[k, 9 / k] for k in (1, 2, 4, 8, 16)]
    broken = Table({name: table[name][1:] for name in table.columns})
    with pytest.raises(OpcheckError, match="seed = 1 has other values of 'k'"):
        draw("bands", broken, y="residual", by="method")
    with pytest.raises(OpcheckError, match="0 ≤ low"):
        draw("bands", table, y="residual", low=0.6)


def test_boxes_are_quartiles_and_whiskers_end_at_values() -> None:
    values = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 30])
    table = Table({"method": ["a"] * 9, "value": values})
    drawing = draw("boxes", table)
    (data,) = drawing.data
    (row,) = data.rows()
    cut = statistics.quantiles(values, n=4, method="inclusive")
    assert [row["q1"], row["med"], row["q3"]] == cut
    assert [row["whislo"], row["whishi"]] == [1, 8]  # 7 + 1.5 · 4 = 13
    fliers = [line.get_ydata().tolist() for line in drawing.axes[0].lines]
    assert [30.0] in fliers
    two = Table({"method": ["a", "a", "b"], "eps": [1, 2, 1], "value": [1.0, 2.0, np.inf]})
    with pytest.raises(OpcheckError, match="method = b has no value"):
        draw("boxes", two)
    assert "1 values that the axis can't show" in draw("boxes", two, beside="eps").caption


def test_lines_are_the_rows_in_order_with_gaps() -> None:
    table = Table({"k": [3, 1, 2, 4], "a": [9.0, 1.0, 4.0, -1.0], "b": [1.0, 2, 3, 4]})
    line = drawn(draw("lines", table, y="a", vertical="log"))["$a$"]
    assert line.get_xdata().tolist() == [1, 2, 3, 4]
    assert np.array_equal(line.get_ydata(), [1, 4, 9, np.nan], equal_nan=True)
    both = draw("lines", table, y="a,b", bounds={"k²": lambda k: k**2, "b": "b"})
    assert {"$a$", "$b$", "k²"} <= set(drawn(both))
    x, y = drawn(both)["k²"].get_xydata().T
    assert np.array_equal(y, x**2)
    with pytest.raises(OpcheckError, match="nothing that a log axis can show"):
        draw("lines", Table({"k": [1], "a": [-1.0]}), y="a", vertical="log")
    with pytest.raises(OpcheckError, match="horizontal='cubic'; give 'linear' or 'log'"):
        draw("lines", table, y="a", horizontal="cubic")


def test_a_table_is_drawn_cell_by_cell() -> None:
    table = Table({"method": ["EG", "a_b$"], "k": [1, 20], "x": [0.123456, 2.0]}, {"x": "L"})
    texts = [t.get_text() for t in draw("table", table, digits=3).axes[0].texts]
    assert texts == ["method", "EG", r"a_b\$", "$k$", "1", "20", "$x$ (L)", "0.123", "2"]
    chosen = [t.get_text() for t in draw("table", table, columns="k").axes[0].texts]
    assert chosen == ["$k$", "1", "20"]
    with pytest.raises(OpcheckError, match="has 61 rows; 60 can be read"):
        draw("table", Table({"k": np.arange(61)}))


# ---- evidence ------------------------------------------------------------------------------------


def test_a_gap_lies_between_search_and_solver() -> None:
    drawing = draw("gap")
    lines = drawn(drawing)
    assert lines["bound"].get_ydata().tolist() == [4, 2]
    assert lines["worst case, by the solver"].get_ydata().tolist() == [3, 2]
    assert lines["reached by search"].get_ydata().tolist() == [3, 1.5]
    assert drawing.axes[0].get_ylabel() == r"$\Vert F\,z_k\Vert^2$ / $R^2$"
    assert "at most 1 of the bound" in drawing.caption
    assert "at least 0.75 of it" in drawing.caption
    of_dossier = drawn(dossier().plot("gap"))
    assert of_dossier["worst case, by the solver"].get_ydata().tolist() == [0.5, 1]


def test_tightness_draws_all_three_on_one_axis() -> None:
    drawing = dossier().plot()
    lines = drawn(drawing)
    # a logarithmic axis leaves out k = 0
    assert lines["largest over 3 problems"].get_xydata().tolist() == [[1, 0.4], [30, 0.3]]
    solver = next(line for label, line in lines.items() if "by the solver" in label)
    assert solver.get_xydata().tolist() == [[1, 0.5], [2, 1]]
    search = next(line for label, line in lines.items() if "by search" in label)
    assert search.get_xydata().tolist() == [[1, 0.45], [1000, 0.2]]
    assert "at L = 1, gamma = 1/2" in solver.get_label()


def test_a_certificate_shows_its_multipliers(certificate: Certificate) -> None:
    drawing = certificate.plot()
    axes = drawing.axes[0]
    document = certificate.document
    places = ["*", *[call["name"] for call in document["calls"]]]
    expected = {
        (places.index(m["pair"][0]), places.index(m["pair"][1])): Fraction(m["value"])
        for m in document["multipliers"]
    }
    sizes = {}
    for cloud in axes.collections:
        for (x, y), size in zip(cloud.get_offsets(), cloud.get_sizes(), strict=True):
            sizes[round(float(x)), round(float(y))] = float(size)
    assert sizes.keys() == expected.keys()
    order = sorted(expected, key=lambda at: expected[at])
    areas = [sizes[at] for at in order]
    assert areas == sorted(areas)
    written = {t.get_text() for t in axes.texts}
    assert written == {str(v) for v in expected.values()}
    (data,) = drawing.data
    assert data["multiplier"].tolist() == [m["value"] for m in document["multipliers"]]
    bare = Certificate(**{**vars(certificate), "document": {**document, "multipliers": []}})
    with pytest.raises(OpcheckError, match="'certificate' needs multipliers"):
        bare.plot()


# ---- runs ----------------------------------------------------------------------------------------


def test_a_comparison_counts_calls_until_the_measure_stays_below(
    runs: Mapping[str, Trajectory],
) -> None:
    drawing = registry.get("figures", "comparison")(runs, shares=(0.5, 1e-3, 1e-30))
    (data,) = drawing.data
    for row in data.rows():
        values = runs[row["run"]]["residual"]
        limit = row["share"] * values[0]
        after = [i for i in range(len(values)) if all(v <= limit for v in values[i:])]
        assert row["reached"] == bool(after)
        expected = runs[row["run"]].oracle_calls[after[0] if after else -1]
        assert row["oracle calls"] == expected
    hardest = {r["run"]: r["oracle calls"] for r in data.rows() if r["share"] == 1e-3}
    names = [t.get_text() for t in drawing.axes[0].get_yticklabels()]
    assert names == sorted(hardest, key=lambda n: hardest[n], reverse=True)
    assert "Hollow" in drawing.caption
    with pytest.raises(OpcheckError, match="numbers in"):
        registry.get("figures", "comparison")(runs, shares=(2.0,))


def with_values(t: Trajectory, values: Any) -> Trajectory:
    k = np.arange(len(values))
    calls = 2.0 * k
    return Trajectory(
        **{**vars(t), "k": k, "oracle_calls": calls, "measures": {"residual": values}, "bounds": {}}
    )


def test_a_slope_is_that_of_the_largest_values(runs: Mapping[str, Trajectory]) -> None:
    k = np.arange(4001)
    values = 3.0 / (k + 1e-9) ** 2 * (1 + np.cos(k / 3)) / 2
    values[0] = 9
    t = with_values(next(iter(runs.values())), values)
    (label,) = [n for n in drawn(registry.get("figures", "rate")({"a": t}, slope=True)) if "a" in n]
    assert label == r"a $\sim k^{-2.00}$"
    (label,) = [
        n
        for n in drawn(
            registry.get("figures", "rate")({"a": t}, slope=True, against="oracle calls")
        )
        if n[0] == "a"
    ]
    assert label == r"a $\sim \mathrm{calls}^{-2.00}$"


def test_an_envelope_is_the_largest_from_there_on(runs: Mapping[str, Trajectory]) -> None:
    values = np.array([8.0, 1, 5, 2, 3, 1])
    t = with_values(next(iter(runs.values())), values)
    line = drawn(registry.get("figures", "rate")({"a": t}, envelope=True))["a"]
    assert line.get_ydata().tolist() == [max(values[i:]) for i in range(1, 6)]


def turning(radius: Callable[[Any], Any], steps: int = 2000) -> Any:
    k = np.arange(steps + 1.0)
    return np.stack([2 * np.cos(0.1 * k), np.sin(0.1 * k)], axis=1) * radius(k)[:, None]


@pytest.mark.parametrize(
    ("radius", "cycles"),
    [
        (lambda k: 1 + np.exp(-k / 50), True),
        (lambda k: np.exp(-k / 200), False),
        (lambda k: np.exp(-1e-4 * k), False),  # a slow spiral: 0.6 % a round
        (lambda k: np.exp(1e-4 * k), False),
        (lambda k: np.exp(-k / 20), False),
    ],
)
@pytest.mark.sampled(2)
def test_a_cycle_is_seen_where_there_is_one(
    radius: Callable[[Any], Any], cycles: bool, runs: Mapping[str, Trajectory]
) -> None:
    path = turning(radius)
    t = next(iter(runs.values()))
    own = Trajectory(**{**vars(t), "iterates": path, "k": np.arange(len(path))})
    lines = drawn(registry.get("figures", "plane")({"EG": own}))
    assert ("limit cycle of EG" in lines) == cycles
    if cycles:
        x, y = lines["limit cycle of EG"].get_xydata().T
        assert np.allclose((x / 2) ** 2 + y**2, 1, atol=1e-6)


# ---- pictures ------------------------------------------------------------------------------------


def pixels(drawing: Any, points: Any) -> np.ndarray:
    """The colours, shape (n, 3), that a drawing shows at points of its first axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from opcheck.report.style import style

    with style():
        canvas = FigureCanvasAgg(drawing)
        canvas.draw()
        shown = np.asarray(canvas.buffer_rgba())
        at = drawing.axes[0].transData.transform(points)
    rows, columns = shown.shape[0] - 1 - at[:, 1].astype(int), at[:, 0].astype(int)
    return shown[rows, columns, :3].astype(int)


@pytest.mark.parametrize("width", ["single", "double"])
def test_each_cell_of_a_region_has_its_colour_on_the_picture(width: str) -> None:
    from matplotlib.colors import to_rgb

    from opcheck_figures.style import areas

    table = grid()
    colours = np.array([to_rgb(c) for c in areas(["converges", "diverges"])]) * 255
    points = np.stack([table["rhoL"], table["gammaL"]], axis=1)
    seen = pixels(draw("region", width=width), points)
    expected = colours[(table["outcome"] == "diverges").astype(int)]
    assert np.abs(seen - expected).max() <= 2


def test_inside_of_a_spectrum_is_tinted_on_the_picture() -> None:
    drawing = draw("spectrum")
    axes = drawing.axes[0]
    x, y = np.meshgrid(np.linspace(*axes.get_xlim(), 37)[1:-1], np.linspace(*axes.get_ylim(), 37))
    points = np.stack([x.ravel(), y.ravel()], axis=1)[37:-37]
    factor = np.abs(1 - 0.3 * (points @ [1, 1j]) + (0.3 * (points @ [1, 1j])) ** 2)
    seen = pixels(drawing, points)
    # tinted blue: less red than blue; lines of the grid, marks and borders are grey or dark
    tint = seen[:, 2] - seen[:, 0]
    assert np.median(tint[factor < 0.95]) > 20
    assert (tint[factor > 1.1] <= 2).mean() > 0.99


# ---- looks ---------------------------------------------------------------------------------------


def lightness(colour: str) -> float:
    from matplotlib.colors import to_rgb

    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


def test_areas_and_boxes_differ_in_grey() -> None:
    from opcheck_figures.boxes import FILLS
    from opcheck_figures.style import AREAS, areas

    assert min(-np.diff([lightness(c) for c in AREAS])) > 0.1
    for count in range(2, 6):
        shades = [lightness(c) for c in areas(["a"] * count)]
        assert shades == sorted(shades, reverse=True)
    assert min(np.diff(sorted(lightness(c) for c in FILLS))) > 0.08
