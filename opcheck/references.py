"""The papers that statements and methods name by key: the entries of ``references.bib``."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import metadata

ENTRY = re.compile(r"@(\w+)\{([^,\s]+),\n(.*?)\n\}", re.DOTALL)
FIELD = re.compile(r"^  (\w+) *= \{(.*)\},$", re.MULTILINE)
DOUBT = "% written from memory: hold it against the paper\n"


@dataclass(frozen=True)
class Reference:
    """One paper.

    Attributes:
        authors: as in ``Lee, Sucheol``, in the order of the paper.
        arxiv: identifier; "" for none, or none that was confirmed.
        unconfirmed: whether the entry was written from memory.
        bibtex: the entry; one that was written from memory says so above it.
    """

    key: str
    authors: tuple[str, ...]
    title: str
    year: int
    arxiv: str
    unconfirmed: bool
    bibtex: str = ""

    def __str__(self) -> str:
        """As in ``Lee and Kim (2021). Fast Extra Gradient Methods ... arXiv 2106.02326.``"""
        *most, last = [author.partition(",")[0] for author in self.authors]
        names = f"{', '.join(most)} and {last}" if most else last
        arxiv = f" arXiv {self.arxiv}." if self.arxiv else ""
        doubt = " [entry unconfirmed]" if self.unconfirmed else ""
        return f"{names} ({self.year}). {self.title}.{arxiv}{doubt}"


@functools.cache
def references() -> Mapping[str, Reference]:
    """Every entry by key."""
    text = resources.files("opcheck").joinpath("references.bib").read_text(encoding="utf-8")
    entries = {}
    for kind, key, body in ENTRY.findall(text):
        fields = dict(FIELD.findall(body))
        unconfirmed = fields.get("note") == "unconfirmed"
        # the mark is ours and no note of the paper's
        kept = re.sub(r"\n  note *= \{unconfirmed\},", "", body)
        entries[key] = Reference(
            key=key,
            authors=tuple(fields["author"].split(" and ")),
            title=fields["title"],
            year=int(fields["year"]),
            arxiv=fields.get("eprint", ""),
            unconfirmed=unconfirmed,
            bibtex=f"{DOUBT if unconfirmed else ''}@{kind}{{{key},\n{kept}\n}}",
        )
    return entries


def reference(key: str) -> Reference | None:
    """The paper of a key; None for a key that is in no entry, as one of a stranger's package."""
    return references().get(key)


def own_entry() -> str:
    """How opcheck itself is cited, with the version that is installed, as an entry of BibTeX."""
    about = metadata("opcheck")
    summary = about["Summary"]
    fields = {
        "author": f"{{{about['Author']}}}",
        "title": f"opcheck: {summary[0].lower()}{summary[1:]}",
        "version": about["Version"],
        "note": "Software",
    }
    lines = [f"  {name:9} = {{{value}}}," for name, value in fields.items()]
    return "\n".join(["@misc{opcheck,", *lines, "}"])
