"""Keys of papers lead somewhere, and the entries are used."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

import pytest
from command_line import good

from opcheck import registry
from opcheck.model.theorem import Theorem
from opcheck.references import reference, references

NO_PAPER = {"elementary"}  # shown in a line, here


def own(kind: str) -> dict[str, Any]:
    names = [n for n in registry.names(kind) if registry.is_own(registry.place(kind, n))]
    return {name: registry.get(kind, name) for name in names}


def key_of(entry: Any) -> str:
    return entry.source.key if isinstance(entry, Theorem) else str(entry.source)


CITING = [entry for kind in ("methods", "theorems", "papers") for entry in own(kind).items()]


@pytest.mark.parametrize("entry", [e for _, e in CITING], ids=[name for name, _ in CITING])
def test_the_key_of_a_source_is_an_entry(entry: Any) -> None:
    known = {*references(), *NO_PAPER}
    assert key_of(entry) in known, "write the paper's entry into opcheck/references.bib"


def test_every_entry_is_used() -> None:
    assert set(references()) <= {key_of(entry) for _, entry in CITING}


def test_every_entry_is_read() -> None:
    text = resources.files("opcheck").joinpath("references.bib").read_text(encoding="utf-8")
    assert len(re.findall(r"^@", text, re.MULTILINE)) == len(references())
    assert text.count("eprint") == sum(bool(r.arxiv) for r in references().values())
    for entry in references().values():
        assert all("," in author for author in entry.authors), entry.key
        assert str(entry.year) in entry.key
        surname = entry.authors[0].partition(",")[0].lower().replace("ö", "oe")
        assert entry.key.startswith(re.sub(r"[^a-z]", "", surname)), entry.key
        assert re.fullmatch(r"(\d{4}\.\d{4,5})?", entry.arxiv), entry.key


def test_papers_cite_their_entries() -> None:
    for paper in own("papers").values():
        assert paper.citation == str(reference(paper.source)), paper.key


def test_show_prints_the_paper() -> None:
    shown = " ".join(good("show", "gorbunov2022_eg_last").split())
    assert "Gorbunov, Loizou and Gidel (2022). Extragradient Method: O(1/K)" in shown
    assert "arXiv 2110.04261" in shown
    assert "Halpern (1967). Fixed Points of Nonexpanding Maps." in good("show", "halpern")
    assert "[entry unconfirmed]" in " ".join(good("show", "he2015_dr_last").split())
