"""Every proved statement in a line: found again by discover, its squares, what Rocq takes.

    python benchmarks/proved.py [NAME ...] [--time-limit 30]

The table of docs/proved.md, in seconds of one process. "found in" and "form" are of ``opcheck
discover``, which does not look at the declared argument; squares are those of the declared one,
over all its lemmas; Rocq's time is coqc's on what ``opcheck prove --rocq`` writes, without the
prelude.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.discover.discover import discover
from opcheck.evidence.proofs.prove import prove
from opcheck.model.theorem import Theorem
from opcheck.rocq.coqc import compiled
from opcheck.rocq.development import export

HEAD = ("statement", "found in", "form", "lemmas", "squares", "Rocq")


def main() -> None:
    """Print the table, then its sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--time-limit", type=float, default=30.0, help="seconds, of one form")
    options = parser.parse_args()
    registry.load()
    declared = [n for n in registry.names("theorems") if registry.get("theorems", n).proof]
    print(f"| {' | '.join(HEAD)} |")
    print(f"|{' --- |' * len(HEAD)}")
    found, checked = 0, list[float]()
    with tempfile.TemporaryDirectory() as kept:
        for name in options.names or declared:
            theorem = registry.get("theorems", name)
            seconds, form = _found(theorem, options.time_limit)
            found += bool(seconds)
            lemmas = prove(theorem).lemmas
            squares = sum(len(lemma.squares) for lemma in lemmas)
            development = export(theorem)
            said = compiled(development.text, development.names, folder=Path(kept))
            assert said.accepted, (name, said.reason)
            checked.append(said.seconds)
            cells = (name, seconds, form, len(lemmas), squares, f"{said.seconds:.0f} s")
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
    print()
    times = f"Rocq {sum(checked):.0f} s, {max(checked):.0f} s at most"
    print(f"{found} of {len(checked)} found again; {times}.")


def _found(theorem: Theorem, limit: float) -> tuple[str, str]:
    """Seconds and form in which an argument is found; "" and why not."""
    begun = time.process_time()
    try:
        discovery = discover(theorem, time_limit=limit)
    except OpcheckError:
        families = "about one family" if theorem.on else "no reading on a step for all k"
        return "", families
    if not discovery.ok:
        return "", "not found"
    return f"{time.process_time() - begun:.1f} s", discovery.tries[-1].family


if __name__ == "__main__":
    main()
