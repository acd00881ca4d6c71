"""The certificates in docs/certificates, written by ``opcheck certify --all -k 3 --out`` there."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from opcheck import registry
from opcheck.evidence import recheck
from opcheck.evidence.certificate import NotCertified, recheck_file

registry.load()
FOLDER = Path(__file__).parent.parent / "docs" / "certificates"
FILES = sorted(FOLDER.glob("*.json"))


def stand_alone(*paths: Path) -> Any:
    """The script by itself: no site packages, nothing of opcheck on the path."""
    words = [sys.executable, "-I", "-S", str(recheck.__file__), *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, cwd="/")


def test_the_stand_alone_script_accepts_every_file() -> None:
    done = stand_alone(*FILES)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(FILES) >= 30
    assert all(line.endswith(": measure ≤ 1 · bound") for line in lines)


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < 1_000_000


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_each_is_what_the_texts_give(path: Path) -> None:
    proved, compared = recheck_file(path)
    assert "measure ≤ 1 · bound" in proved
    assert "gives" in compared


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_each_is_rejected_when_tampered_with(path: Path, tmp_path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    for changed, forged in tampered(document):
        target = tmp_path / path.name
        target.write_text(json.dumps(changed), encoding="utf-8")
        assert stand_alone(target).returncode == 1 if not forged else True
        with pytest.raises(NotCertified):
            recheck_file(target)


def tampered(document: dict[str, Any]) -> list[tuple[dict[str, Any], bool]]:
    """Changed files, and whether the digest was made to fit."""
    lower = copy.deepcopy(document)
    lower["ratio"] = "1/2"
    forged = copy.deepcopy(document)
    forged["statement"]["k"] = 30
    forged["bound"] = [{**t, "factor": str(Fraction(t["factor"]) / 2)} for t in forged["bound"]]
    forged["digest"] = recheck.digest(forged)
    return [(lower, False), (forged, True)]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_without_its_multipliers_it_is_rejected_by_the_arithmetic(path: Path) -> None:
    """With the digest made to fit: bound − measure alone is no sum of squares."""
    document = json.loads(path.read_text(encoding="utf-8"))
    document["multipliers"] = []
    document["digest"] = recheck.digest(document)
    if document["measure"]:
        with pytest.raises(recheck.Rejected, match="no sum of squares"):
            recheck.check(document)
    else:  # what is measured is 0 there, and at most its bound without any inequality
        assert "measure ≤ 1 · bound" in recheck.check(document)
