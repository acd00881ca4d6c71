"""Commands from the shell: what a user waits for.

    python benchmarks/startup.py [--cold] [--json | --markdown]

Wall-clock time of whole processes, the least of several. ``opcheck verify`` is run once before it
is timed, so that its kernels are compiled; --cold times it with an empty cache instead of those of
this machine as well. Exits 1 if a target is missed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from measuring import Row, arguments, machine, show, side_by_side

SCRIPT = Path(sysconfig.get_path("scripts")) / "opcheck"


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command; opcheck may exit with 1, its word for a violation.

    Raises RuntimeError if it fails otherwise or says nothing.
    """
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | dict(environment or {}),
    )
    if done.returncode not in (0, 1) or not done.stdout.strip():
        shown = " ".join(["opcheck", *command[1:]])
        raise RuntimeError(f"{shown!r} exited with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def verify(environment: Mapping[str, str] | None = None) -> None:
    """One full ``opcheck verify --json``. Raises ValueError if it prints anything but JSON."""
    json.loads(run([str(SCRIPT), "verify", "--json"], environment))


def main() -> int:
    """Time the commands and print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--cold", action="store_true", help="also verify with an empty cache")
    chosen, info = parser.parse_args(), machine()
    if not SCRIPT.exists():
        parser.error("the command opcheck is not installed; run pip install -e . first")
    version, bare = [str(SCRIPT), "--version"], [sys.executable, "-c", "print()"]
    commands = {
        "python alone": lambda: subprocess.run(bare, capture_output=True, check=True),
        "version": lambda: run(version),
        "list": lambda: run([str(SCRIPT), "list"]),
    }
    quick = side_by_side(commands, 10, time.perf_counter)
    verify()
    warm = side_by_side({"verify": verify}, 3, time.perf_counter)["verify"]
    floor = quick["python alone"]
    rows = [
        Row("opcheck --version", quick["version"], "python alone", floor),
        Row("opcheck --version", quick["version"], target=0.15),
        Row("opcheck list", quick["list"], "python alone", floor),
        Row("opcheck list", quick["list"], target=0.5),
        Row("opcheck verify --json, warm", warm, target=60),
    ]
    if chosen.cold:
        with tempfile.TemporaryDirectory() as empty:
            begin = time.perf_counter()
            verify({"OPCHECK_CACHE_DIR": empty})
            cold = time.perf_counter() - begin
        rows.append(Row("opcheck verify --json, nothing compiled yet", cold, target=180))
    return show(rows, info, [], chosen.form)


if __name__ == "__main__":
    raise SystemExit(main())
