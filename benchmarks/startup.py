"""Commands from the shell: what a user waits for.

    python benchmarks/startup.py [--quick | --cold] [--json | --markdown]

Wall-clock time of whole processes, the least of several. ``opcheck verify`` runs once before it is
timed, so that its kernels are compiled; --cold also times it with an empty cache, --quick leaves it
out. Exits 1 if a target is missed.
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


def run(
    *words: str, fine: Sequence[int] = (0,), environment: Mapping[str, str] | None = None
) -> str:
    """Standard output of ``opcheck words``.

    Raises RuntimeError if it says nothing, or exits with a code that isn't ``fine``.
    """
    done = subprocess.run(
        [str(SCRIPT), *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | dict(environment or {}),
    )
    if done.returncode not in fine or not done.stdout.strip():
        raise RuntimeError(
            f"opcheck {' '.join(words)} exited with {done.returncode}: {done.stderr.strip()[-500:]}"
        )
    return done.stdout


def verify(environment: Mapping[str, str] | None = None) -> None:
    """One full ``opcheck verify --json``, which exits with 1 where it finds a violation.

    Raises what ``run`` does, and ValueError if it prints anything but one JSON document.
    """
    json.loads(run("verify", "--json", fine=(0, 1), environment=environment))


def main() -> int:
    """Time the commands and print the table."""
    parser = arguments(__doc__)
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="without verify")
    extent.add_argument("--cold", action="store_true", help="verify with an empty cache too")
    chosen, info = parser.parse_args(), machine()
    if not SCRIPT.exists():
        parser.error("the command opcheck is not installed; run pip install -e . first")
    interpreter = [sys.executable, "-c", "print()"]
    commands = {
        "python alone": lambda: subprocess.run(interpreter, capture_output=True, check=True),
        "--version": lambda: run("--version"),
        "list": lambda: run("list"),
    }
    best = side_by_side(commands, 20, time.perf_counter)
    rows = []
    for word, target in (("--version", 0.15), ("list", 0.5)):
        rows.append(Row(f"opcheck {word}", best[word], target=target))
        rows.append(Row(f"opcheck {word}", best[word], "python alone", best["python alone"]))
    if not chosen.quick:
        verify()
        warm = side_by_side({"warm": verify}, 2, time.perf_counter)["warm"]
        rows.append(Row("opcheck verify --json", warm, target=60))
    if chosen.cold:
        with tempfile.TemporaryDirectory() as empty:
            begin = time.perf_counter()
            verify({"OPCHECK_CACHE_DIR": empty})
            cold = time.perf_counter() - begin
        rows.append(Row("opcheck verify --json, nothing compiled yet", cold, target=180))
    return show(rows, info, [], chosen.form)


if __name__ == "__main__":
    raise SystemExit(main())
