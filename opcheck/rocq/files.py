"""Developments on disk: written for theorems, compiled, and compared with what is written here."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.proofs.prove import NotProved
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem, theorem_of
from opcheck.recheck import Rejected
from opcheck.rocq.certified import about, described, export_certificate
from opcheck.rocq.coqc import Compiled, compile_prelude, compiled
from opcheck.rocq.development import Development, export
from opcheck.rocq.expressions import NotExported
from opcheck.rocq.names import PRELUDE, prelude

FOR = re.compile(r"^\(\* Written by opcheck for (\S+?)(?: at k = \d+)?\.\s", re.MULTILINE)
ENDS_WITH = re.compile(r"^Print Assumptions (\S+)\.$", re.MULTILINE)


@dataclass(frozen=True)
class Exported(Result):
    """What came of a theorem's export.

    Attributes:
        path: of the file; "" where none was written.
        reason: why none was, or why nothing is said of it; "" else.
        checked: what Rocq says, where it was asked.
        beyond: what of the proof the file does not hold; "" for nothing.
    """

    theorem: str
    path: str
    reason: str = ""
    checked: Compiled | None = None
    beyond: str = ""

    @property
    def refused(self) -> bool:
        """Whether Rocq was asked and refuses what ``prove`` accepts."""
        return self.checked is not None and not self.checked.accepted

    @property
    def ok(self) -> bool:
        """Whether the file is there and nothing speaks against it."""
        return bool(self.path) and not self.reason and not self.refused

    def __str__(self) -> str:
        """As a sentence says it."""
        if not self.path:
            return f"{self.theorem} is not written: {self.reason}"
        words = self.reason or (str(self.checked) if self.checked else "written")
        return f"{self.path}: {words}" + (f"; without {self.beyond}" if self.beyond else "")


def write(
    theorems: Sequence[str | Theorem],
    path: str | Path,
    *,
    check: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Exported]:
    """Write the developments of theorems that are proved, and the prelude beside them.

    Args:
        path: a file, ending in ``.v``, for one theorem; else a folder.
        check: also have coqc compile each.
        progress: is told each theorem when it is done.

    Raises OpcheckError where nothing can be written there. What is said against one theorem is in
    its result, and so is it where coqc is absent, killed or too slow.
    """
    place = Path(path)
    single = place.suffix == ".v"
    if place.suffix and not single:
        raise OpcheckError(f"{path} is neither a folder nor a file of Rocq, which ends in .v")
    if single and len(theorems) != 1:
        raise OpcheckError(f"{path} is one file and {len(theorems)} theorems are asked for")
    folder = place.parent if single else place
    if single:
        _named(place)
    out: list[Exported] = []
    developments: dict[str, Development] = {}
    for theorem in theorems:
        entry = theorem_of(theorem)
        target = place if single else folder / f"{entry.name}.v"
        try:
            _named(target)
            developments[entry.name] = export(entry)
        except (NotProved, NotExported) as reason:
            out.append(Exported(entry.name, "", str(reason)))
        else:
            _put(target, developments[entry.name].text)
            out.append(Exported(entry.name, str(target), beyond=developments[entry.name].beyond))
        if not check:
            progress(entry.name)
    if not check:
        return out
    with tempfile.TemporaryDirectory(prefix="opcheck-rocq-") as kept:
        return _all_checked(out, developments, Path(kept), progress)


def write_certificate(
    document: Mapping[str, Any], path: str | Path, *, check: bool = False
) -> Exported:
    """Write a certificate as a development, and the prelude beside it.

    Args:
        document: what the certificate's file holds.
        path: a file, ending in ``.v``.
        check: also have coqc compile it.

    Raises OpcheckError where nothing can be written there, or coqc is absent, killed or too slow;
    Rejected where the certificate proves nothing. What has no form is in the result.
    """
    place, name = Path(path), str(document["statement"]["theorem"])
    if place.suffix != ".v":
        raise OpcheckError(f"{path} is no name for a certificate in Rocq; take one like bound.v")
    _named(place)
    try:
        development = export_certificate(document)
    except NotExported as reason:
        return Exported(name, "", str(reason))
    _put(place, development.text)
    checked = compiled(development.text, development.names) if check else None
    return Exported(name, str(place), checked=checked)


def _named(target: Path) -> None:
    """Raise NotExported for a file that coqc, or its prelude, would not stand beside."""
    if target.stem.casefold() == Path(PRELUDE).stem.casefold():
        raise NotExported(f"{target.name} is the name of the prelude; take another")
    if not target.stem.isidentifier():
        raise NotExported(
            f"coqc takes no file {target.name}: letters, digits and _ make its name, as bound.v"
        )


def _put(target: Path, text: str) -> None:
    """Write a development, and the prelude beside it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        (target.parent / PRELUDE).write_text(prelude(), encoding="utf-8")
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OpcheckError(f"{target} can't be written: {error.strerror}") from error


def _all_checked(
    exported: Sequence[Exported],
    developments: Mapping[str, Development],
    kept: Path,
    progress: Callable[[str], None],
) -> list[Exported]:
    """What coqc says of each, as many at once as there are cores."""
    with contextlib.suppress(OpcheckError):  # what is wrong with coqc is said of each
        compile_prelude(kept)

    def check(entry: Exported) -> Exported:
        if not entry.path:
            return entry
        development = developments[entry.theorem]
        try:
            said = compiled(development.text, development.names, folder=kept)
        except OpcheckError as error:
            return replace(entry, reason=str(error))
        return replace(entry, checked=said)

    out = []
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for entry in workers.map(check, exported):
            out.append(entry)
            progress(entry.theorem)
    return out


@dataclass(frozen=True)
class Rechecked(Result):
    """A development that coqc has compiled.

    Attributes:
        about: k, the numbers and the multiple of the bound, of a certificate; "" of a theorem.
        words: whether it is what opcheck writes here for the theorem it names, "" where it is.
    """

    path: str
    checked: Compiled
    words: str
    about: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is accepted, and says what the theorem here says."""
        return self.checked.accepted and not self.words

    def __str__(self) -> str:
        """As a sentence says it."""
        said = f"{self.path}: {self.checked}"
        if not self.checked.accepted:
            return said
        own = "it is what opcheck writes for the theorem, to the byte"
        if self.about:
            own = f"it is what opcheck writes for the certificate, to the byte: {self.about}"
        return f"{said}; {self.words or own}"


def recheck_development(path: str | Path) -> Rechecked:
    """Compile a development, and say whether it is what opcheck writes for its theorem here.

    Raises OpcheckError for a file that can't be read or is no development of opcheck's, and where
    coqc is absent, too old, killed, or takes too long.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OpcheckError(f"{path} can't be read: {error}") from error
    named, theorems = FOR.search(text), ENDS_WITH.findall(text)
    if named is None or not theorems:
        raise OpcheckError(f"{path} is no development that opcheck wrote: it names no theorem")
    said = compiled(text, theorems)
    return Rechecked(str(path), said, _against(named[1], text), about=about(text))


def _written_here(name: str, text: str) -> str:
    """What is written here for the theorem, or for the certificate, that a text is about."""
    document = described(text)
    return (export(name) if document is None else export_certificate(document)).text


def _against(name: str, text: str) -> str:
    """What there is to say of a text beside what is written here; "" where they are the same."""
    if name not in registry.names("theorems"):
        return (
            f"the theorem {name} is not known here (give its file with --plugin FILE), so what it "
            "says is for you to read"
        )
    try:
        own = _written_here(name, text)
    except (OpcheckError, Rejected) as error:
        return f"opcheck writes none for {name} here ({error}), so what it says is for you to read"
    if own != text:
        return f"it is not what opcheck writes for {name} here, so what it says is for you to read"
    return ""
