"""Build the site of the documentation: pip install '.[docs]', then

    python docs/site/build.py [--out FOLDER] [--quick]

The pages of ``docs/`` as they are, and a page of everything that is registered. A warning is an
error. Nothing in the result needs a network. ``--quick`` leaves out what runs say of each theorem.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from sphinx.cmd.build import build_main

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
LINKED = ("tests/README.md", "paper_repro/*/README.md")  # from other pages alone


def main() -> int:
    """Gather the sources in a folder of their own, and hand them to Sphinx: its exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    asked.add_argument("--quick", action="store_true", help="without the verdicts of runs")
    asked.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    wish = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        gather(source, quick=wish.quick, jobs=wish.jobs)
        options = ["-W", "--keep-going", "-q", "-b", "html", "-j", str(wish.jobs)]
        code = build_main([*options, "-d", str(source / ".trees"), folder, str(wish.out)])
    if not code:
        print(wish.out / "index.html")
    return int(code)


def gather(source: Path, *, quick: bool, jobs: int = 1) -> None:
    """Copy the pages into a folder, at the places at which they link each other; make the rest."""
    from pages import write_all

    ignored = shutil.ignore_patterns("site", "build.py")
    shutil.copytree(ROOT / "docs", source / "docs", ignore=ignored)
    for page in (*PAGES, "CITATION.cff"):
        shutil.copy(ROOT / page, source / page)
    for page in sorted(page for pattern in LINKED for page in ROOT.glob(pattern)):
        place = source / page.relative_to(ROOT)
        place.parent.mkdir(parents=True)
        text = page.read_text(encoding="utf-8")
        place.write_text(f"---\norphan: true\n---\n\n{text}", encoding="utf-8")
    shutil.copy(HERE / "conf.py", source)
    shutil.copy(HERE / "index.md", source)
    shutil.copytree(HERE / "_static", source / "_static")
    write_all(source / "library", {} if quick else verdicts(jobs))


def verdicts(jobs: int) -> dict[str, tuple[object, object]]:
    """What ``opcheck verify`` says: theorem -> its summary, and on what it stands."""
    from opcheck import available
    from opcheck.evidence.dossier import standings
    from opcheck.evidence.simulation.verify import verify
    from opcheck.report.terminal import Bar

    names = available("theorems")
    with Bar("verify", len(names)) as step:
        report = verify(names, jobs=jobs, progress=step)
    with Bar("evidence", len(names)) as step:
        standing = standings(report, jobs=jobs, progress=step)
    return {s.theorem.name: (s, standing.get(s.theorem.name)) for s in report.summaries}


if __name__ == "__main__":
    raise SystemExit(main())
