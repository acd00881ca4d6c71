"""``opcheck report``: the page says what verify says, is whole, and needs nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from command_line import invoke

from opcheck import registry
from opcheck.evidence.dossier import standings
from opcheck.evidence.proofs.prove import attempt, prove
from opcheck.evidence.simulation.verify import Report, verify
from opcheck.model.theorem import theorem_of
from opcheck.report.suite import _proof, write_suite

NAMES = ["lee2021_feg", "elementary_bilinear_proximal_point", "pethick2023_la_gda_large_tau"]


class Page(HTMLParser):
    """Anchors, links, rows of the first table, text; elements must close in order."""

    VOID = frozenset(("meta", "br", "input", "path", "use", "rect", "line", "image"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.ids += [named["id"] or ""] if "id" in named else []
        self.links += [named["href"] or ""] if tag == "a" else []
        self.sources += [v or "" for n, v in attrs if n in ("src", "data") and tag != "a"]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def report() -> Report:
    result = verify(NAMES, jobs=1)
    assert isinstance(result, Report)
    return result


@pytest.fixture(scope="module")
def text(report: Report, tmp_path_factory: Any) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_suite(report, standings(report), path, command="opcheck report a<b")
    return str(path.read_text(encoding="utf-8"))


@pytest.mark.ci
def test_it_is_whole_and_every_link_arrives(text: str) -> None:
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_it_needs_nothing_else(text: str) -> None:
    assert Page(text).sources == []
    addresses = set(re.findall(r"(?:https?:)?//[\w./-]+", text))
    names_of_formats = (
        "//www.w3.org/",
        "//purl.org/",
        "//creativecommons.org/",
        "//matplotlib.org",
    )
    assert {a for a in addresses if not a.partition(":")[2].startswith(names_of_formats)} == set()
    assert "@import" not in text
    assert "url(" not in re.sub(r"url\(#\w+\)", "", text)  # clips of the drawing are its own


def test_the_table_says_what_verify_says(text: str, report: Report) -> None:
    head, *rows = Page(text).rows[: len(NAMES) + 1]
    assert head[:3] == ["theorem", "verdict", "evidence"]
    of_page = {row[0]: row for row in rows}
    for over in report.summaries:
        row = dict(zip(head, of_page[over.theorem.name], strict=True))
        word = "fails, as it must" if over.theorem.claim == "must fail" else over.status
        assert row["verdict"] == word
        assert row["problems"] == str(len(over.admissible))
        assert over.worst is not None
        assert row["where"] == over.worst.problem
        assert row["k"] == str(over.worst.k)


def test_every_verdict_and_every_lemma_is_there(text: str, report: Report) -> None:
    for over in report.summaries:
        start = text.index(f'id="theorem-{over.theorem.name}"')
        section = text[start : text.index("</details>", start)]
        for verdict in over.admissible:
            assert f">{verdict.problem}</a></td><td>{verdict.status}" in section
    proof = prove("lee2021_feg")
    start = text.index('id="theorem-lee2021_feg"')
    section = text[start : text.index("</details>", start)]
    assert section.count("is the sum of</p>") == len(proof.lemmas)
    for lemma in proof.lemmas:
        for inequality, multiplier in lemma.multipliers:
            assert f"({multiplier}) · {inequality}".replace(">", "&gt;") in section


@pytest.mark.ci
def test_every_proof_of_the_library_has_its_lemmas_on_a_page() -> None:
    """Of two with roots, a whole report once ended with a part that the page had no words for."""
    for entry in map(theorem_of, registry.names("theorems")):
        proof = attempt(entry).proved
        if proof is None:
            continue
        told = "".join(_proof(proof))
        assert told.count("is the sum of</p>") == len(proof.lemmas), entry.name


def test_provenance_of_each_constant_is_told(text: str) -> None:
    start = text.index('id="problem-rotation_shift"')
    assert "Lipschitz(1) of F, exact" in text[start : text.index("</details>", start)]


def test_a_problem_names_the_statements_about_it_and_no_others(text: str, report: Report) -> None:
    for name in ("bilinear", "rotation_shift"):
        start = text.index(f'id="problem-{name}"')
        section = text[start : text.index("</details>", start)]
        about = {
            s.theorem.name for s in report.summaries for v in s.admissible if v.problem == name
        }
        assert set(re.findall(r'href="#theorem-(\w+)"', section)) == about
        assert about


def test_words_of_a_user_are_no_markup(text: str) -> None:
    assert "opcheck report a&lt;b" in text


def test_the_drawing_is_well_formed(text: str) -> None:
    svg = text[text.index("<svg") : text.index("</svg>") + len("</svg>")]
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"


def test_equal_reports_give_equal_bytes(text: str, report: Report, tmp_path: Path) -> None:
    path = tmp_path / "again.html"
    write_suite(report, standings(report), path, command="opcheck report a<b")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("own_registry")
def test_the_command_on_a_file_of_ones_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from opcheck import Lipschitz, Monotone, Source, theorem\n"
        "theorem('mine_too_good', method='extragradient', measure='residual',\n"
        "        given=[Lipschitz('L', of='F'), Monotone(of='F')], where='0 < gamma < 1/L',\n"
        "        bound='R**2 / (10 * gamma**2 * (k + 1))', source=Source('me2026', '1'))\n",
        encoding="utf-8",
    )
    out = tmp_path / "page.html"
    done = invoke("report", str(mine), "--problem", "rotation_shift", "--out", str(out))
    assert done.exit_code == 1
    assert "1 theorem: 1 violated" in done.stdout
    page = out.read_text(encoding="utf-8")
    assert "--problem rotation_shift" in page
    assert 'class="bad">violated' in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "report.pdf"], "end it in .html"),
        (["no_such_theorem"], "no_such_theorem"),
        (["--problem", "no_such_problem"], "no_such_problem"),
    ],
)
def test_a_mistake_is_one_sentence(words: list[str], says: str) -> None:
    done = invoke("report", *words)
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.strip().count("\n") == 0


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "page.html"
    done = invoke("report", NAMES[1], "--problem", "bilinear", "--out", str(out))
    assert done.exit_code == 2
    assert "can't write" in done.stderr
