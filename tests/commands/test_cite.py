"""Entries of BibTeX, and tables for papers and pages."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from command_line import good, good_json, invoke

from opcheck import registry
from opcheck.references import references

ROOT = Path(__file__).parents[2]


def keys(text: str) -> list[str]:
    return re.findall(r"^@\w+\{(\w+),$", text, re.MULTILINE)


def test_opcheck_is_cited_as_its_file_says_with_the_paper_at_its_heart() -> None:
    shown = good("cite")
    assert keys(shown) == ["opcheck", "pethick2023stable"]
    file = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for field in ("title", "version"):
        stated = re.search(rf'^{field}: "?(.*?)"?$', file, re.MULTILINE)
        assert stated is not None
        assert f"{{{stated[1]}}}" in shown


def test_a_selection_is_cited_with_its_methods() -> None:
    shown = good("cite", "lee2021", "pethick2023_la_energy")
    composed = re.findall(r"\w+", registry.get("theorems", "pethick2023_la_energy").method)
    assert len(composed) == 2
    methods = {registry.get("methods", name).source for name in composed}
    assert {"opcheck", "lee2021fast", "pethick2023stable", *methods} == set(keys(shown))
    assert "% lee2021_feg, feg, lee2021_feg_equality\n@inproceedings{lee2021fast" in shown
    assert json.loads(good_json("cite", "lee2021"))["entries"][1].startswith("% lee2021_feg")
    done = invoke("cite", "nobody2099")
    assert (done.exit_code, "nobody2099" in done.output) == (2, True)


def test_an_entry_is_the_one_of_the_file() -> None:
    text = (ROOT / "opcheck" / "references.bib").read_text(encoding="utf-8")
    sure = [entry for entry in references().values() if not entry.unconfirmed]
    assert all(entry.bibtex in text for entry in sure)
    doubtful = [entry.bibtex for entry in references().values() if entry.unconfirmed]
    assert doubtful
    for entry in doubtful:
        assert entry.startswith("% written from memory")
        assert "unconfirmed" not in entry


@pytest.mark.parametrize("name", ["gorbunov2022_eg_last", "extragradient"])
def test_show_gives_the_entry_of_what_is_from_a_paper(name: str) -> None:
    assert len(keys(good("show", name, "--bibtex"))) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("bilinear", "--bibtex"), "bilinear is from no paper"),
        (("elementary_gda_contraction", "--bibtex"), "'elementary' has no entry"),
        (("lee2021_feg", "--bibtex", "--evidence"), "two answers"),
    ],
)
def test_what_has_no_entry_is_refused(words: tuple[str, ...], says: str) -> None:
    done = invoke("show", *words)
    assert done.exit_code == 2
    assert says in done.output


VERIFY = ("verify", "lee2021_feg", "gorbunov2022_eg_last", "--problem", "bilinear", "--jobs", "1")
CONSTANTS = ("constants", "bilinear", "--rigorous")


@pytest.mark.parametrize("words", [VERIFY, CONSTANTS])
def test_three_forms_of_one_table(words: tuple[str, ...]) -> None:
    latex, markdown, text = (invoke(*words, f"--{form}") for form in ("latex", "markdown", "csv"))
    assert [done.exit_code for done in (latex, markdown, text)] == [0, 0, 0]
    head, *rows = csv.reader(io.StringIO(text.stdout))
    assert markdown.stdout.splitlines()[0] == f"| {' | '.join(head)} |"
    assert len(markdown.stdout.splitlines()) == len(rows) + 2
    lines = latex.stdout.splitlines()
    assert lines[0] == rf"\begin{{tabular}}{{{'l' * len(head)}}}"
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(body) == len(rows)
    assert all(line.count(" & ") == len(head) - 1 and line.isascii() for line in body)


def test_the_table_says_what_verify_says() -> None:
    row = next(csv.DictReader(io.StringIO(invoke(*VERIFY, "--csv").stdout)))
    shown = invoke(*VERIFY).output
    assert row["theorem"] == "lee2021_feg"
    assert all(cell in shown for cell in row.values())


def test_one_theorem_on_one_problem_is_a_table_too() -> None:
    done = invoke("verify", "lee2021_feg", "--problem", "bilinear", "--jobs", "1", "--csv")
    assert [row["verdict"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["attained"]


@pytest.mark.parametrize("forms", [("--latex", "--csv"), ("--json", "--markdown")])
def test_two_forms_are_refused(forms: tuple[str, ...]) -> None:
    done = invoke("constants", "bilinear", *forms)
    assert done.exit_code == 2
    assert "two forms; take one" in done.output
