"""Go through the README as a newcomer would, in an empty folder: python .ci/transcript.py

Its complete files are written, its commands run in their order, its statements tested by
``pytest --opcheck`` and reported; then ``opcheck new package`` writes a plug-in, which is installed
into this environment, listed, verified, tested by its own tests, reported, and taken out again.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = '[tool.opcheck]\nplugins = ["my_theorem.py", "my_game.py", "my_proof.py"]\n'
ELSEWHERE = ("check-optimizer",)  # of a file that the README does not show
OWN = "newcomer"


def run(words: list[str], folder: Path) -> str:
    """Run a command that must end well; what it printed."""
    print("+", shlex.join(words), flush=True)
    if words[0] == "opcheck":
        words = [sys.executable, "-m", *words]
    done = subprocess.run(
        words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def has(text: str, *words: str) -> None:
    """End where what was printed lacks a word."""
    for word in words:
        if word not in text:
            sys.exit(f"{word!r} is not in\n{text}")


def transcript(desk: Path) -> None:
    """The README's files and commands."""
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        if named := re.match(r"# (\w+\.py), complete\n", block):
            (desk / named[1]).write_text(block, encoding="utf-8")
    (desk / "pyproject.toml").write_text(TABLE, encoding="utf-8")
    for line in re.findall(r"^\$ (opcheck [^\n]*)$", README, re.MULTILINE):
        if not any(word in line for word in ELSEWHERE):
            run(shlex.split(line), desk)
    for picture in ("rate.svg", "methods.pdf"):
        has(str(list(desk.iterdir())), picture)
    pytest = [sys.executable, "-m", "pytest", "--opcheck", "-q", "-p", "no:cacheprovider"]
    has(run(pytest, desk), "passed")
    named = ["opcheck", "--plugin", "my_theorem.py", "--plugin", "my_proof.py"]
    run([*named, "report", "me2026_", "--out", "report.html"], desk)
    page = (desk / "report.html").read_text(encoding="utf-8")
    has(page, "me2026_eg_last", "me2026_eg_average", "V − next(V)")


def package(desk: Path) -> None:
    """A plug-in of one's own, from nothing."""
    run(["opcheck", "new", "package", OWN], desk)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*pip, "install", f"./{OWN}"], desk)
    try:
        theorems = [n for n in run(["opcheck", "list", "theorems"], desk).split() if OWN in n]
        if not theorems:
            sys.exit(f"opcheck list theorems names nothing of {OWN}")
        has(run(["opcheck", "doctor"], desk), f"plug-in: {OWN}")
        has(run(["opcheck", "verify", *theorems], desk), *theorems)
        tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        has(run(tests, desk / OWN), "passed")
        run(["opcheck", "report", *theorems, "--out", "own.html"], desk)
        has((desk / "own.html").read_text(encoding="utf-8"), *theorems)
    finally:
        run([*pip, "uninstall", "--yes", OWN], desk)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        transcript(Path(folder))
        package(Path(folder))
