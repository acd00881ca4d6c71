"""Papers: figures show what their captions say, claims come out, wrong ones are caught."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import json
import math
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageFilter

import opcheck
from opcheck import Table, registry
from opcheck.engine.run import Trajectory
from opcheck.errors import OpcheckError
from opcheck.model.paper import (
    Check,
    Claim,
    Panel,
    Paper,
    PaperFigure,
    PaperRun,
    Runs,
    Seen,
    column,
    ends_within,
    keeps_away,
    paper,
    slope,
)
from opcheck.model.problem import problem
from opcheck.report import papers
from opcheck.report.page import claims_table
from opcheck.report.reproduce import covered, redraw, reproduce, simulate, write_csv

KEY = "pethick2023_stable"
APP = "approximate_proximal_point"
PAPERS: dict[str, Paper] = {key: registry.get("papers", key) for key in registry.names("papers")}
ALL = [
    # the first of each paper is its cheapest
    pytest.param(key, f.id, id=f"{key}-{f.id}", marks=[pytest.mark.slow] if i else [])
    for key, entry in PAPERS.items()
    for i, f in enumerate(entry.figures)
]
OF_RUNS = [
    pytest.param(key, f.id, id=f"{key}-{f.id}", marks=[pytest.mark.slow] if i else [])
    for key, entry in PAPERS.items()
    for i, f in enumerate(f for f in entry.figures if isinstance(f.experiment, Runs))
]


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory):
    """Each figure, drawn once."""
    folder = tmp_path_factory.mktemp("papers")
    drawn = {}

    def draw(key: str, id: str):
        if (key, id) not in drawn:
            drawn[key, id] = redraw(key, PAPERS[key].figure(id), folder / key)
        return drawn[key, id]

    return draw


def figure(id: str) -> PaperFigure:
    return PAPERS[KEY].figure(id)


def failing(drawn: PaperFigure) -> list[str]:
    parts = simulate(drawn)
    return [check.sentence for check in drawn.checks if not check.seen(parts).passed]


def covering(drawn: PaperFigure) -> list[Seen]:
    return list(covered(drawn, simulate(drawn)))


def with_runs(drawn: PaperFigure, **changes) -> PaperFigure:
    return dataclasses.replace(drawn, experiment=dataclasses.replace(drawn.experiment, **changes))


def with_run(drawn: PaperFigure, label: str, **changes) -> PaperFigure:
    run = dataclasses.replace(drawn.experiment.runs[label], **changes)
    return with_runs(drawn, runs={**drawn.experiment.runs, label: run})


@pytest.mark.parametrize(("key", "id"), ALL)
@pytest.mark.sampled(8)
def test_everything_that_must_be_seen_is_seen(redrawn, key, id):
    result = redrawn(key, id)
    assert result.ok, [str(seen) for seen in result.checks if not seen.passed]
    assert result.checks, "a figure in which nothing must be seen shows nothing"
    assert all(seen.passed for seen in result.claims.values()), result.claims


@pytest.mark.parametrize(("key", "id"), OF_RUNS)
def test_every_run_is_checked(key, id):
    drawn = PAPERS[key].figure(id)
    said = [c.sentence for c in drawn.checks]
    for label in drawn.experiment.runs:
        assert any(label in sentence for sentence in said), label


@pytest.mark.parametrize("key", PAPERS)
def test_every_claim_on_a_statement_names_one_that_is_there(key):
    for claim in PAPERS[key].claims:
        for name in filter(None, (claim.theorem, claim.refuted)):
            theorem = registry.get("theorems", name)
            assert theorem.claim == "must fail" or name != claim.refuted


MUTANTS = [
    ("forsaken", "RAPP", {"method": APP, "parameters": {"gamma": 0.3, "tau": 5}}),
    ("forsaken", "RAPP", {"parameters": {"gamma": 0.3, "lam": 0.3, "tau": 5}}),
    ("forsaken", "RAPP", {"parameters": {"gamma": 0.08, "lam": 0.1, "tau": 5}}),
    ("forsaken", "LA-GDA", {"parameters": {"gamma": 0.08, "lam": 0.5, "tau": 10}}),
    ("forsaken", "LA-GDA", {"parameters": {"gamma": 0.08, "lam": 0.9, "tau": 20}}),
    ("forsaken", "APP", {"parameters": {"gamma": 0.4, "tau": 5}}),
    ("forsaken", "EG", {"method": "rapp", "parameters": {"gamma": 0.3, "lam": 0.1, "tau": 5}}),
    ("polar_game", "GDA", {"method": "extragradient"}),
    ("polar_game", "LA-GDA", {"parameters": {"gamma": 0.15, "lam": 0.5, "tau": 2}}),
    ("polar_game", "RAPP", {"parameters": {"gamma": 0.15, "lam": 0.5, "tau": 1}}),
    ("global_forsaken", "GDA", {"method": "extragradient"}),
    ("global_forsaken", "LA-GDA", {"parameters": {"gamma": 0.33, "lam": 0.5, "tau": 20}}),
    ("global_forsaken", "LA-CEG+", {"iterations": 600}),
]  # fmt: skip


@pytest.mark.parametrize(("id", "label", "changes"), MUTANTS)
def test_a_wrong_run_is_caught(id, label, changes):
    caught = failing(with_run(figure(id), label, **changes))
    assert any(sentence.startswith(f"{label} ") for sentence in caught)


@pytest.mark.parametrize(("key", "id"), ALL)
def test_files_are_whole(redrawn, key, id):
    result = redrawn(key, id)
    by_suffix = {file.suffix: file for file in result.files}
    root = ElementTree.parse(by_suffix[".svg"]).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    width, height = (float(root.get(side).removesuffix("pt")) / 72 for side in ("width", "height"))
    assert 3.2 < width < 7  # one or two columns of a journal
    assert 1.5 < height < 9
    assert result.png.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert by_suffix[".pdf"].read_bytes().startswith(b"%PDF")
    assert all(file.read_text().count("\n") > 1 for file in result.files if file.suffix == ".csv")
    assert [file.name for file in result.files][:3] == [
        f"{id}{s}" for s in (".svg", ".png", ".pdf")
    ]
    assert json.loads(json.dumps(result.as_dict()))["files"] == [str(f) for f in result.files]


@pytest.mark.parametrize(("key", "id"), OF_RUNS)
@pytest.mark.sampled(4)
def test_table_holds_the_runs_digit_by_digit(redrawn, key, id):
    runs = simulate(PAPERS[key].figure(id))
    (table,) = [file for file in redrawn(key, id).files if file.suffix == ".csv"]
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    trajectories = [
        (label, t)
        for label, part in runs.items()
        for t in ([part] if isinstance(part, Trajectory) else part)
    ]
    assert len(rows) == sum(len(t.k) for _, t in trajectories)
    for label, t in trajectories:
        mine = [
            row for row in rows if row["run"] == label and row.get("seed", "") in ("", str(t.seed))
        ]
        assert [int(row["k"]) for row in mine] == t.k.tolist()
        columns = {"oracle_calls": t.oracle_calls, **t.measures}
        columns |= {f"z{i + 1}": t.iterates[:, i] for i in range(t.problem.dim)}
        for name, values in columns.items():
            written = np.array([float(row[name]) for row in mine])
            np.testing.assert_array_equal(written, values)


@pytest.mark.parametrize("id", ["forsaken", "polar_game", "global_forsaken"])
def test_runs_are_compared_at_equal_oracle_calls(id):
    runs = simulate(figure(id))
    assert len({t.oracle_calls[-1] for t in runs.values()}) == 1


@pytest.mark.ci
def test_another_process_writes_the_same_bytes(redrawn, tmp_path):
    code = (
        "from opcheck.report.reproduce import reproduce; "
        f"reproduce({KEY!r}, figures=['polar_game'], out='.')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment)
    for file in redrawn(KEY, "polar_game").files:
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


COVERED = [
    pytest.param(key, f.id, id=f"{key}-{f.id}")
    for key, entry in PAPERS.items()
    for f in entry.figures
    if isinstance(f.experiment, Runs) and any(r.theorem for r in f.experiment.runs.values())
]


@pytest.mark.parametrize(("key", "id"), COVERED)
def test_the_theorem_named_for_a_run_covers_it(key, id):
    drawn = PAPERS[key].figure(id)
    for seen in covered(drawn, simulate(drawn)):
        assert seen.passed, seen


def test_a_theorem_that_does_not_cover_its_run_is_caught():
    gda = with_run(figure("polar_game"), "GDA", theorem="pethick2023_la_ceg_plus")
    with pytest.raises(OpcheckError, match="is about another"):
        covering(gda)
    far = {"gamma": 0.9, "alpha": 0.39, "lam": 0.5, "tau": 5}
    with pytest.raises(OpcheckError, match=r"'LA-CEG\+' is not covered by .*gamma"):
        covering(with_run(figure("polar_game"), "LA-CEG+", parameters=far))
    not_monotone = with_run(figure("forsaken"), "EG", theorem="korpelevich1976_eg_fejer")
    (seen,) = covering(not_monotone)
    assert not seen.passed


@pytest.mark.parametrize(
    ("id", "theorem"),
    [
        ("forsaken", "pethick2023_la_ceg_plus"),
        ("forsaken", "pethick2023_rapp_last"),
        ("polar_game", "pethick2023_rapp_last"),
        ("global_forsaken", "pethick2023_rapp_last"),
    ],
)
def test_notes_that_deny_a_theorem_are_right(id, theorem):
    experiment = figure(id).experiment
    where = problem(experiment.problem, **experiment.parameters)
    assert opcheck.verify(theorem, where).status == "inapplicable"


def test_checks_see_runs_that_leave_the_numbers():
    run = PaperRun("gradient_descent_ascent", 3000, {"gamma": 1.0})
    away = with_runs(figure("forsaken"), problem="bilinear", runs={"GDA": run})
    checks = (keeps_away("GDA", 0.5), ends_within("GDA", 1e9))
    assert len(failing(dataclasses.replace(away, checks=checks))) == 2


def test_a_slope_is_that_of_the_closed_form():
    """‖F z_k‖² of gradient steps on a quadratic is a power of k for steps 1/(k + 2)."""
    k = np.arange(400)
    run = opcheck.run("extragradient", "bilinear", 399, gamma=0.5)
    made_up = dataclasses.replace(run, k=k, measures={"m": (k + 1e-9) ** -2.0})
    assert slope("r", "m", -2.001, -1.999).seen({"r": made_up}).passed
    assert not slope("r", "m", -1.9, -1.8).seen({"r": made_up}).passed
    gone = dataclasses.replace(run, k=k, measures={"m": np.full(400, np.nan)})
    assert not slope("r", "m", -9, 9).seen({"r": gone}).passed


def test_a_column_is_reduced_where_others_have_values():
    table = Table({"method": ["a", "a", "b"], "rate": [0.5, 0.25, 2.0]})
    of_a = column("t", "rate", np.max, sentence="a contracts", high=1, method="a")
    assert of_a.seen({"t": table}).value == 0.5
    assert (
        not column("t", "rate", np.max, sentence="b", high=1, method="b").seen({"t": table}).passed
    )
    assert (
        not column("t", "rate", np.max, sentence="c", high=1, method="c").seen({"t": table}).passed
    )


# claims, records, pages


def a_paper(key: str, *, passes: float = 1.0, runs: list[str] | None = None, **fields) -> Paper:
    """One table, drawn by nobody, whose experiment notes that it ran."""

    def experiment():
        if runs is not None:
            runs.append(key)
        return {"EG": opcheck.run("extragradient", "bilinear", 20, gamma=0.5, iterates=True)}

    drawn = PaperFigure("f", "t", "c", experiment, (Panel("rate"),), (SHRINKS(passes),))
    return paper(key, source=key, citation="A. (2024). T.", figures=[drawn], **fields)


def SHRINKS(value: float) -> Check:
    return Check("it shrinks", lambda parts: value if [*parts.values()] else 0.0, low=1)


def test_claims_come_out_in_four_ways(tmp_path):
    a_paper(
        "ways2024",
        claims=[
            Claim("seen", "s", check=SHRINKS(1), figure="f"),
            Claim("unseen", "s", check=SHRINKS(0), figure="f"),
            Claim("other", "s", check=SHRINKS(2), figure="f", differs="it is 2"),
            Claim("later", "s", waiting="a method"),
            Claim("proved", "s", theorem="korpelevich1976_eg_fejer"),
        ],
    )
    result = reproduce("ways2024", out=tmp_path)
    outcomes = {claim.claim: claim.outcome for claim in result.claims}
    assert outcomes == {
        "seen": "reproduced",
        "unseen": "not reproduced",
        "other": "differs",
        "later": "waiting",
        "proved": "reproduced",
    }
    assert not result.ok
    numbers = {claim.claim: claim.numbers for claim in result.claims}
    assert numbers["other"].startswith("it is 2; seen: it shrinks (2")
    assert "measured/bound at most" in numbers["proved"]
    assert "proved" in numbers["proved"]
    assert len(claims_table(result)) == 5
    one_figure = reproduce("ways2024", figures=["f"], out=tmp_path)
    assert {c.claim for c in one_figure.claims} == {"seen", "unseen", "other"}


def test_a_refuted_statement_differs_only_where_it_fails(tmp_path):
    must_fail = next(
        n for n in registry.names("theorems") if registry.get("theorems", n).claim == "must fail"
    )
    claim = Claim("T", "as printed", refuted=must_fail, differs="another constant")
    a_paper("refuted2024", claims=[claim])
    (weighed,) = reproduce("refuted2024", out=tmp_path).claims
    assert weighed.outcome == "differs"
    assert "fails, as it must" in weighed.numbers
    holds = Claim("T", "as printed", refuted="mokhtari2020_eg_contraction", differs="another")
    a_paper("refuted2025", claims=[holds])
    with pytest.raises(OpcheckError, match="is declared to fail"):
        reproduce("refuted2025", out=tmp_path)


def test_what_must_fail_is_not_said_to_hold(tmp_path):
    must_fail = next(
        n for n in registry.names("theorems") if registry.get("theorems", n).claim == "must fail"
    )
    a_paper("long2024", claims=[Claim("T", "leaves", theorem=must_fail)])
    (weighed,) = reproduce("long2024", out=tmp_path).claims
    assert weighed.outcome == "reproduced"
    assert weighed.numbers.startswith("fails, as it must, on ")
    assert "measured/bound reaches " in weighed.numbers


def test_of_one_figure_only_its_claims_are_told(tmp_path):
    claims = [Claim("seen", "s", check=SHRINKS(1), figure="f"), Claim("later", "s", waiting="x")]
    a_paper("one2024", claims=claims, missing={"Figure 7": "a photograph"})
    one = reproduce("one2024", figures=["f"], out=tmp_path)
    assert [c.claim for c in one.claims] == ["seen"]
    assert not one.missing
    assert len(reproduce("one2024", out=tmp_path).claims) == 2


@pytest.mark.ci
def test_what_is_finished_is_kept_and_a_lost_file_is_drawn_again(tmp_path):
    runs: list[str] = []
    a_paper("kept2024", runs=runs)
    first = reproduce("kept2024", out=tmp_path)
    again = reproduce("kept2024", out=tmp_path)
    assert runs == ["kept2024"]
    assert again.as_dict() == first.as_dict()
    first.figures[0].png.unlink()
    reproduce("kept2024", out=tmp_path)
    assert len(runs) == 2
    reproduce("kept2024", out=tmp_path, fresh=True)
    assert len(runs) == 3
    record = tmp_path / "records" / "figure-f.json"
    record.write_text("{")  # written by half
    reproduce("kept2024", out=tmp_path)
    assert len(runs) == 4
    stale = json.loads(record.read_text()) | {"digest": "of other sources"}
    record.write_text(json.dumps(stale))
    reproduce("kept2024", out=tmp_path)
    assert len(runs) == 5


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.targets += [v for n, v in attributes if n in ("src", "href") and v]


def test_the_page_names_files_that_are_there_and_says_everything(tmp_path):
    a_paper(
        "page2024",
        claims=[Claim("a<b", "s & t", check=SHRINKS(1), figure="f"), Claim("w", "s", waiting="x")],
        missing={"Figure 7": "a <photograph>"},
    )
    papers.regenerate("page2024", str(tmp_path), [])
    folder = tmp_path / "page2024"
    page, text = (folder / "index.html").read_text(), (folder / "README.md").read_text()
    links = Links()
    links.feed(page)
    assert len(links.targets) == 5  # the picture, and four files
    assert all((folder / target).is_file() for target in links.targets)
    assert "a&lt;b" in page
    assert "a &lt;photograph&gt;" in page
    for said in ("1 reproduced, 1 waiting", "it shrinks (1, at least 1)", "opcheck repro page2024"):
        assert said in page
        assert said in text
    assert "![t](f.png)" in text


def test_an_interrupted_paper_keeps_what_is_finished(tmp_path):
    from opcheck.watchdog import Interrupted

    def stop():
        raise KeyboardInterrupt

    good = PaperFigure("good", "t", "c", lambda: SMALL, (Panel("rate"),), (SHRINKS(1),))
    SMALL = {"EG": opcheck.run("extragradient", "bilinear", 20, gamma=0.5, iterates=True)}
    bad = dataclasses.replace(good, id="bad", experiment=stop)
    paper("stopped2024", source="s", citation="A.", figures=[good, bad])
    with pytest.raises(Interrupted) as caught:
        papers.regenerate("stopped2024", str(tmp_path), [])
    assert [f.figure for f in caught.value.finished.figures] == ["good"]
    assert "good.png" in (tmp_path / "stopped2024" / "index.html").read_text()


# bad input


def test_unknown_names_are_answered(tmp_path):
    with pytest.raises(OpcheckError, match="it has polar_game"):
        reproduce(KEY, figures=["figure_x"], out=tmp_path)
    with pytest.raises(OpcheckError, match=f"did you mean '{KEY}'"):
        reproduce("pethick2023_stble", figures=["forsaken"], out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OpcheckError, match=r"can't write .* name a folder that can be written"):
        reproduce(KEY, figures=["global_forsaken"], out=tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"figures": [figure("forsaken")] * 2}, "two figures of one id"),
        ({"claims": [Claim("a", "s", waiting="w")] * 2}, "two claims of one id"),
        ({"claims": [Claim("a", "s")]}, "needs one of a theorem, a check"),
        ({"claims": [Claim("a", "s", waiting="w", theorem="t")]}, "needs one of"),
        ({"claims": [Claim("a", "s", check=SHRINKS(1))]}, "needs a check and the figure"),
        ({"claims": [Claim("a", "s", check=SHRINKS(1), figure="g")]}, "which is not there"),
        ({"claims": [Claim("a", "s", refuted="t")]}, "does not say what is true instead"),
        ({"citation": ""}, "is no key of references.bib"),
        (
            {"figures": [dataclasses.replace(figure("forsaken"), parameters="mine")]},
            "parameters are 'paper' or 'ours'",
        ),
    ],
)
def test_a_manifest_that_says_nothing_is_refused(fields, sentence):
    with pytest.raises(OpcheckError, match=sentence):
        paper("wrong2024", **{"source": "wrong2024", "citation": "A. (2024).", **fields})
    assert "wrong2024" not in registry.names("papers")


def test_a_panel_names_a_part_that_is_there(tmp_path):
    tables = {name: Table({"x": [1.0]}) for name in "ab"}
    drawn = PaperFigure("f", "t", "c", lambda: tables, (Panel("ratios"),), (SHRINKS(1),))
    paper("parts2024", source="p", citation="A.", figures=[drawn])
    with pytest.raises(OpcheckError, match="must name its part, by of=: a, b"):
        reproduce("parts2024", out=tmp_path)
    named = dataclasses.replace(drawn, panels=(Panel("ratios", of="c"),))
    paper("parts2025", source="p", citation="A.", figures=[named])
    with pytest.raises(OpcheckError, match="draws 'c', which is not there: a, b"):
        reproduce("parts2025", out=tmp_path)


def test_table_needs_runs_of_one_shape(tmp_path):
    runs = simulate(figure("global_forsaken"))
    other = dataclasses.replace(runs["GDA"], measures={})
    with pytest.raises(OpcheckError, match="same measures"):
        write_csv({"GDA": other, "RAPP": runs["RAPP"]}, tmp_path / "t.csv")


def test_a_check_without_a_number_fails():
    assert not Check("s", lambda parts: parts["t"] - math.inf, high=1).seen({"t": math.inf}).passed


GALLERY = Path(__file__).parents[2] / "docs" / "gallery"
TOLERANCE = 10


def from_the_gallery(picture: Path, shown: Path) -> float:
    """The largest difference of a drawing and a gallery's picture, both blurred, 0 to 255.

    Blurred over 4 pixels a line that is moved, added or left out is seen, and letters are
    compared as stains, so that another build of the same font passes.
    """
    spec = importlib.util.spec_from_file_location("build", GALLERY / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    pictures = [build.reduced(picture).convert("L"), Image.open(shown).convert("L")]
    if pictures[0].size != pictures[1].size:
        return math.inf
    blurred = [image.filter(ImageFilter.GaussianBlur(4)) for image in pictures]
    return float(np.abs(np.subtract(*[np.asarray(b, float) for b in blurred])).max())


@pytest.mark.parametrize(("key", "id"), ALL)
@pytest.mark.sampled(4)
def test_the_drawing_is_that_of_the_gallery(redrawn, key, id):
    assert from_the_gallery(redrawn(key, id).png, GALLERY / key / f"{id}.png") < TOLERANCE


@pytest.mark.parametrize(
    ("id", "label", "changes"),
    [
        ("polar_game", "GDA", {"method": "extragradient"}),
        ("polar_game", "LA-GDA", {"parameters": {"gamma": 0.15, "lam": 0.5, "tau": 2}}),
        ("polar_game", "RAPP", {"parameters": {"gamma": 0.15, "lam": 0.5, "tau": 1}}),
    ],
)
@pytest.mark.ci
def test_another_drawing_is_not(tmp_path, id, label, changes):
    entry = PAPERS[KEY]
    other = with_run(entry.figure(id), label, **changes)
    picture = redraw(KEY, other, tmp_path).png
    assert from_the_gallery(picture, GALLERY / KEY / f"{id}.png") > TOLERANCE


@pytest.mark.parametrize("key", PAPERS)
def test_the_gallery_of_the_docs_shows_every_figure(key):
    """Also that it was made anew when a title, or whose parameters they are, changed."""
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    section = page.partition(f"## [{key}]")[2].partition("\n## ")[0]
    entry = PAPERS[key]
    assert entry.citation in section
    shown = {f"{key}/{f.id}.png" for f in entry.figures}
    assert {str(p.relative_to(GALLERY)) for p in (GALLERY / key).glob("*")} == shown
    for drawn in entry.figures:
        number = f"{drawn.number}. " if drawn.number else ""
        whose = "of the paper" if drawn.parameters == "paper" else "ours"
        title = f"*{number}{drawn.title} (parameters: {whose})*"
        assert f"![{drawn.title}]({key}/{drawn.id}.png)\n\n{title}" in section
