"""What the README shows is run."""

import re
import shlex
import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner

from opcheck.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = README + "".join(
    (ROOT / "docs" / page).read_text(encoding="utf-8")
    for page in ("operators.md", "python.md", "verdicts.md")
)
# what trains is run in tests/training, where torch is
BLOCKS = [
    block
    for block in re.findall(r"```python\n(.*?)```", PAGES, re.DOTALL)
    if "opcheck.torch" not in block
]
COMMANDS = re.findall(r"^\$ (opcheck [^\n]*)$", PAGES, re.MULTILINE)
ROWS = [
    row
    for row in re.findall(r"```text\n(.*?)```", README, re.DOTALL)[0].splitlines()[1:]
    if row.strip()
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that holds the README's complete files; one, since their names register once."""
    tmp_path = tmp_path_factory.mktemp("desk")
    for block in BLOCKS:
        named = re.match(r"# (\w+\.py), complete\n", block)
        if named:
            (tmp_path / named[1]).write_text(block, encoding="utf-8")
    return tmp_path


@pytest.fixture
def desk(folder, monkeypatch):
    """The same, entered."""
    monkeypatch.chdir(folder)
    return folder


def test_there_are_three_complete_files_and_a_session(desk):
    names = sorted(p.name for p in desk.glob("*.py"))
    assert names == ["my_game.py", "my_proof.py", "my_theorem.py"]
    assert len(BLOCKS) == 4


@pytest.mark.parametrize("row", ROWS, ids=[row.split()[0] for row in ROWS])
@pytest.mark.ci
def test_the_rows_shown_are_those_printed(row):
    name, *cells = row.split()
    result = CliRunner().invoke(main, ["verify", name, "--jobs", "1"])
    assert result.exit_code == 0
    printed = result.output.split()
    missing = [cell for cell in cells if cell not in printed]
    assert not missing, result.output


SHORT = [c for c in COMMANDS if any(word in c for word in ("my_", "repro", " run ", "L=2"))]


@pytest.mark.parametrize("command", SHORT)
@pytest.mark.sampled(7)
def test_the_commands_work_as_written(command, desk):
    words = shlex.split(command)[1:]
    result = CliRunner().invoke(main, words + (["--jobs", "1"] if words[0] == "verify" else []))
    assert result.exit_code == 0, result.output
    if "--plot" in words:
        path = desk / words[words.index("--plot") + 1]
        begins = {".svg": b"<?xml", ".pdf": b"%PDF", ".png": b"\x89PNG"}
        assert path.read_bytes().startswith(begins[path.suffix])
    if "--out" in words:
        drawn = (desk / "papers" / "pethick2023_stable").glob("forsaken.*")
        assert {p.suffix for p in drawn} == {".svg", ".png", ".pdf", ".csv"}
    if words[0] == "verify":
        assert "holds" in result.output or "attained" in result.output
    if words[0] == "prove":
        assert re.search(r"proved for +every k", result.output)


@pytest.mark.ci
def test_the_session_works_as_written(desk):
    session = next(b for b in BLOCKS if "complete" not in b.splitlines()[0])
    scope: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(session, "README", "exec"), scope)
    assert scope["r"].ok
    assert scope["v"].status == "holds"
    assert scope["t"].status == "completed"


FILES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("paper_repro/**/*.md")]
FILES = [
    page for page in FILES if page.parent.name != "site"
]  # those links arrive in what it builds


@pytest.mark.parametrize("page", FILES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_arrive(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}
            assert heading in slugs, target
