"""How many declared arguments ``opcheck discover`` finds without looking, by form.

    python benchmarks/discover.py [NAME ...] [--time-limit 60]

Of every theorem that declares a potential argument, or of those that are named: which form shows it
again, and in how many seconds of this process. The table of docs/discover.md.
"""

from __future__ import annotations

import argparse
import statistics
import time

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.discover.discover import discover


def main() -> None:
    """Print the table, then what was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds, of one form")
    options = parser.parse_args()
    registry.load()
    declared = [n for n in registry.names("theorems") if registry.get("theorems", n).proof]
    seconds: dict[str, list[float]] = {}
    missed = []
    for name in options.names or declared:
        begun = time.process_time()
        try:
            found = discover(name, time_limit=options.time_limit)
        except OpcheckError as reason:
            missed.append(f"{name}: {reason}")
            continue
        if not found.ok:
            missed.append(f"{name}: {found.sentence}")
            continue
        seconds.setdefault(found.tries[-1].family, []).append(time.process_time() - begun)
    print("| form | found again | seconds at most |\n|---|---|---|")
    for family, taken in sorted(seconds.items(), key=lambda pair: -len(pair[1])):
        print(f"| {family} | {len(taken)} | {max(taken):.0f} |")
    every = [t for taken in seconds.values() for t in taken]
    if every:
        print(f"| together | {len(every)} | median {statistics.median(every):.1f} |")
    print("\n".join(missed))


if __name__ == "__main__":
    main()
