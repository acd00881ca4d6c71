"""Timing side by side, and the tables that both benchmarks print."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

MARKS = {True: "met", False: "missed", None: ""}
SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


@dataclass(frozen=True)
class Row:
    """One measured value, alone or beside a competitor's.

    Attributes:
        case: what was measured.
        ours: opcheck's value.
        against: the competitor; "" where the value itself is judged.
        theirs: the competitor's value.
        target: bound on ``figure``; None where the line is only shown.
        at_least: the target is a lower bound, and a ratio is theirs/ours.
        unit: of the values: "s" for times, "×" for ratios, or any word.
    """

    case: str
    ours: float
    against: str = ""
    theirs: float | None = None
    target: float | None = None
    at_least: bool = False
    unit: str = "s"

    @property
    def figure(self) -> float:
        """What the target bounds: ours/theirs, theirs/ours for ``at_least``, or ours alone."""
        if self.theirs is None:
            return self.ours
        return self.theirs / self.ours if self.at_least else self.ours / self.theirs

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.figure >= self.target if self.at_least else self.figure <= self.target

    @property
    def shown(self) -> dict[str, str]:
        """The parts of the line as text."""
        alone, sign = self.theirs is None, "≥" if self.at_least else "≤"
        return {
            "case": self.case,
            "opcheck": _text(self.ours, self.unit),
            "against": self.against,
            "theirs": "" if alone else _text(self.theirs, self.unit),
            "ratio": "" if alone else _text(self.figure, "×"),
            "target": (
                ""
                if self.target is None
                else f"{sign} {_text(self.target, self.unit if alone else '×')}"
            ),
            "": MARKS[self.met],
        }


def _text(value: float, unit: str) -> str:
    if unit == "s":
        scale, name = next((s for s in SCALES if value >= s[0]), SCALES[-1])
        return f"{value / scale:.3g} {name}"
    if unit == "×":
        return f"{value:.2f}×" if value < 10 else f"{value:.0f}×"
    return f"{value:,.0f} {unit}"


def side_by_side(
    runs: Mapping[str, Callable[[], object]],
    repeats: int,
    clock: Callable[[], float] = time.thread_time,
) -> dict[str, float]:
    """Least time of each run over ``repeats`` rounds, every round running all of them in turn.

    The default clock counts the CPU time of this thread, so that what else the machine does is
    charged to nobody; threads and processes need ``time.perf_counter``.
    """
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(repeats):
        for name, run in runs.items():
            begin = clock()
            run()
            best[name] = min(best[name], clock() - begin)
    return best


def machine() -> dict[str, str]:
    """Processor, cores, load and versions; nothing that names the machine or its paths."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load before": load,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "numba")},
        "gcc": _gcc(),
        "OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE", "unset"),
    }


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gcc() -> str:
    if shutil.which("gcc") is None:
        return "none"
    asked = ["gcc", "-dumpfullversion", "-dumpversion"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def arguments(doc: str) -> argparse.ArgumentParser:
    """A parser with --json and --markdown; ``form`` is "table" without them."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(form="table")
    form = parser.add_mutually_exclusive_group()
    for name in ("json", "markdown"):
        form.add_argument(f"--{name}", action="store_const", const=name, dest="form")
    return parser


def show(rows: Sequence[Row], info: Mapping[str, str], notes: Sequence[str], form: str) -> int:
    """Print as ``form``: "table", "markdown" or "json". Returns 1 if a target is missed, else 0."""
    line = ", ".join(f"{name} {value}" for name, value in info.items())
    if form == "json":
        lines = [asdict(r) | {"figure": r.figure, "met": r.met} for r in rows]
        document = {"machine": dict(info), "notes": list(notes), "rows": lines}
        print(json.dumps(document, indent=1, ensure_ascii=False))
    elif form == "markdown":
        print(_markdown(rows))
        print("\n" + "  \n".join([line, *notes]))
    else:
        console = Console(width=None if sys.stdout.isatty() else 130, highlight=False)
        console.print(_table(rows))
        for text in (line, *notes):
            console.print(text)
    return int(any(row.met is False for row in rows))


def _table(rows: Sequence[Row]) -> Table:
    table = Table()
    left = ("case", "against", "")
    for name in rows[0].shown:
        table.add_column(name, justify="left" if name in left else "right")
    for _, group in itertools.groupby(rows, lambda row: row.case):
        table.add_section()
        for i, row in enumerate(group):
            style = {True: "green", False: "bold red", None: "dim"}[row.met]
            cells = row.shown | ({"case": "", "opcheck": ""} if i else {})
            cells[""] = f"[{style}]{cells['']}[/]"
            table.add_row(*cells.values())
    return table


def _markdown(rows: Sequence[Row]) -> str:
    """One line a case, with all its competitors in one cell."""
    lines = ["| case | opcheck | against | target |", "|---|---:|---|---|"]
    for case, group in itertools.groupby(rows, lambda row: row.case):
        shown = [row.shown for row in group]
        beside = [f"{s['against']} {s['theirs']} ({s['ratio']})" for s in shown if s["theirs"]]
        targets = [
            " ".join(filter(None, (s["target"], f"{s['against']}:".removeprefix(":"), s[""])))
            for s in shown
            if s["target"]
        ]
        lines.append(
            f"| {case} | {shown[0]['opcheck']} | {'<br>'.join(beside)} | {'<br>'.join(targets)} |"
        )
    return "\n".join(lines)
