"""The Rocq kernel's word on a file: accepted or not, on which axioms, by which version."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opcheck.errors import OpcheckError
from opcheck.model.result import Result
from opcheck.rocq.names import COMMANDS, PRELUDE, prelude

SECONDS = 300  # that one file may take
OLDEST = (8, 16)
NEEDED = "install Rocq (Debian: apt-get install --no-install-recommends coq)"
# what the real numbers of the standard library rest on
AXIOMS = frozenset(
    (
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
    )
)
FORBIDDEN = re.compile(rf"\b({'|'.join(sorted(COMMANDS))}|Declare\s+ML)\b")


@dataclass(frozen=True)
class Compiled(Result):
    """What coqc says of a file.

    Attributes:
        accepted: it compiles, and rests on no axioms but those of the real numbers.
        version: of Rocq.
        seconds: wall-clock time.
        theorems: those whose axioms were looked at.
        axioms: that they rest on.
        reason: why the file is not accepted; "" where it is.
        digest: SHA-256 of the file.
    """

    accepted: bool
    version: str
    seconds: float
    theorems: tuple[str, ...]
    axioms: tuple[str, ...]
    reason: str
    digest: str

    def __str__(self) -> str:
        """As a sentence says it."""
        if not self.accepted:
            return f"refused by Rocq {self.version}: {self.reason}"
        rests = "no axioms" if not self.axioms else "the axioms of the real numbers alone"
        return f"accepted by Rocq {self.version} in {self.seconds:.1f} s, on {rests}"


def coqc_version() -> str:
    """The version of the coqc that is installed.

    Raises OpcheckError, with what to install, where there is none or it is too old.
    """
    if shutil.which("coqc") is None:
        raise OpcheckError(f"there is no coqc here to check the proof: {NEEDED}")
    said = subprocess.run(["coqc", "--version"], capture_output=True, text=True, check=False)
    numbers = re.search(r"version (\d+)\.(\d+)(\.\d+)?", said.stdout)
    if said.returncode or numbers is None:
        raise OpcheckError(f"the coqc here does not say its version: {NEEDED}")
    if (int(numbers[1]), int(numbers[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise OpcheckError(f"coqc {numbers[0].split()[1]} is older than {oldest}: {NEEDED}")
    return numbers[0].split()[1]


def compiled(
    text: str, theorems: Sequence[str], *, folder: Path | None = None, seconds: float = SECONDS
) -> Compiled:
    """Compile a development beside the prelude, and ask for the axioms of its theorems.

    Args:
        theorems: their full names in the file, as ``Of_name.name``.
        folder: where the compiled prelude is kept from one file to the next; by default nowhere.
        seconds: that the file may take.

    Raises OpcheckError where coqc is absent, too old, killed, or takes longer.
    """
    version = coqc_version()
    digest = hashlib.sha256(text.encode()).hexdigest()
    with tempfile.TemporaryDirectory(prefix="opcheck-rocq-") as scratch:
        place = Path(scratch)
        compile_prelude(folder or place, seconds=seconds)
        if folder is not None:
            for name in (PRELUDE, PRELUDE + "o"):
                shutil.copy(folder / name, place / name)
        (place / "development.v").write_text(text, encoding="utf-8")
        begun = time.perf_counter()
        if taken := _forbidden(text):
            reason = f"it says {taken}, which no exported proof does, and was not compiled"
            return Compiled(
                accepted=False,
                version=version,
                seconds=0.0,
                theorems=(*theorems,),
                axioms=(),
                reason=reason,
                digest=digest,
            )
        said = _coqc("development.v", place, seconds)
        if said.returncode:
            took = time.perf_counter() - begun
            return Compiled(
                accepted=False,
                version=version,
                seconds=took,
                theorems=(*theorems,),
                axioms=(),
                reason=_first(said.stderr),
                digest=digest,
            )
        asked = ["Require development Opcheck."]
        asked += [f"Print Assumptions development.{name}." for name in theorems]
        (place / "axioms.v").write_text("\n".join(asked) + "\n", encoding="utf-8")
        listed = _coqc("axioms.v", place, seconds)
        took = time.perf_counter() - begun
    if listed.returncode:
        reason = _first(listed.stderr)
        return Compiled(
            accepted=False,
            version=version,
            seconds=took,
            theorems=(*theorems,),
            axioms=(),
            reason=reason,
            digest=digest,
        )
    axioms = tuple(dict.fromkeys(_assumed(listed.stdout)))
    foreign = [a for a in axioms if a not in AXIOMS]
    reason = f"it rests on {', '.join(foreign)}" if foreign else ""
    return Compiled(
        accepted=not foreign,
        version=version,
        seconds=took,
        theorems=(*theorems,),
        axioms=axioms,
        reason=reason,
        digest=digest,
    )


def compile_prelude(folder: Path, *, seconds: float = SECONDS) -> None:
    """Write the prelude to a folder and compile it, where that is not done.

    Raises OpcheckError where coqc is absent, killed, takes longer, or does not take it.
    """
    library = (folder / PRELUDE).with_suffix(".vo")
    if library.is_file():
        return
    (folder / PRELUDE).write_text(prelude(), encoding="utf-8")
    said = _coqc(PRELUDE, folder, seconds)
    if said.returncode:
        raise OpcheckError(f"coqc does not take the prelude: {_first(said.stderr)}")


def _coqc(name: str, place: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """coqc on a file. Raises OpcheckError where it was killed or took too long."""
    command = ["coqc", "-q", "-R", ".", "", name]
    try:
        said = subprocess.run(
            command, cwd=place, capture_output=True, text=True, check=False, timeout=seconds
        )
    except FileNotFoundError:
        raise OpcheckError(f"there is no coqc here to check the proof: {NEEDED}") from None
    except subprocess.TimeoutExpired:
        raise OpcheckError(
            f"coqc took longer than {seconds:g} s for {name} and was ended; nothing is said of it"
        ) from None
    if said.returncode < 0 or said.returncode == 137 or "Out of memory" in said.stderr:
        number = -said.returncode
        known = number in set(signal.Signals)
        why = signal.Signals(number).name if known else "no memory left"
        raise OpcheckError(f"coqc was killed ({why}) at {name}; nothing is said of it")
    return said


def _forbidden(text: str) -> str:
    """What a file says that no exported proof does; "" for nothing."""
    if '"' in text:  # in a string, also one in a comment, (* opens no comment
        return "a string"
    taken = FORBIDDEN.search(_without_comments(text))
    return taken[0] if taken else ""


def _assumed(said: str) -> Iterator[str]:
    """What theorems rest on, as Print Assumptions lists it: axioms by name, all else as it says.

    A line that begins with no name and a colon is a check that was left out, as "loop is assumed to
    be guarded".
    """
    for line in said.splitlines():
        if not line.strip() or line[0].isspace():  # the type of an axiom goes on
            continue
        if line in ("Axioms:", "Closed under the global context"):
            continue
        named = re.fullmatch(r"([\w.']+)(\s*:.*)?", line)
        yield named[1] if named else line.strip()


def _first(said: str) -> str:
    """The place and the first lines of an error."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    start = next((i for i, line in enumerate(lines) if line.startswith("Error")), 0)
    place = [line for line in lines[:start] if line.startswith("File")][-1:]
    spot = place[0].partition(", ")[2].rstrip(":") if place else ""
    return " ".join([spot, *lines[start : start + 3]]).strip()


def _without_comments(text: str) -> str:
    """A text without what stands between (* and *)."""
    depth, kept, i = 0, [], 0
    while i < len(text):
        pair = text[i : i + 2]
        if pair == "(*":
            depth, i = depth + 1, i + 2
        elif pair == "*)" and depth:
            depth, i = depth - 1, i + 2
        else:
            kept.append(text[i] if not depth else "")
            i += 1
    return "".join(kept)
