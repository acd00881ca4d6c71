"""The site of the documentation: a page of everything registered, and blocks that run."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import click
import pytest

from opcheck import registry
from opcheck.cli import main
from opcheck.model.property import KINDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUN_HERE = ("tutorial.md", "theory.md")
# each is run, as it stands, by a test of the room that it is about
RUN_ELSEWHERE = {
    "adapters.md": "adapters/test_adapters_page.py",
    "adding.md": "commands/test_adding.py",
    "proofs.md": "commands/test_site.py",
    "python.md": "commands/test_readme.py",
    "testing.md": "kit/test_page.py",
    "training.md": "training/test_readme_of_training.py",
}


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pages", DOCS / "site" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def test_every_page_with_a_block_is_run_by_a_test() -> None:
    there = {page.name for page in DOCS.glob("*.md") if blocks(page.name)}
    assert there == {*RUN_HERE, *RUN_ELSEWHERE}
    for page, test in RUN_ELSEWHERE.items():
        assert page in (ROOT / "tests" / test).read_text(encoding="utf-8")


COMMAND = re.compile(r"(?:^\$ |^ *- run: |`)opcheck((?: [^`\n#]*)?)", re.MULTILINE)
PAGES = [ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("gallery/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_of_a_page_exist(page: Path) -> None:
    """Of every command shown, also of those too long to be run here, or with names left open."""
    context = click.Context(main)
    everywhere = {name for option in main.params for name in option.opts}
    for shown in COMMAND.findall(page.read_text(encoding="utf-8")):
        words = shown.replace("|", " ").split()
        dashed = [word for word in words if re.match("--?[A-Za-z]", word)]
        options = [re.split(r"[=,;:.)]", word)[0] for word in dashed]
        while words and words[0].startswith("-"):  # as in --plugin FILE, before the command
            del words[: 1 if words[0] in ("--quiet", "--debug", "--version") else 2]
        if not words or not words[0].strip("…."):
            assert set(options) <= everywhere, shown
            continue
        command = main.get_command(context, words[0])
        assert command is not None, shown
        known = {n for option in command.params for n in (*option.opts, *option.secondary_opts)}
        assert set(options) <= known | everywhere | {"--help"}, shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_of_configuration_are_toml(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        assert tomllib.loads(block)


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("page", RUN_HERE)
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path) -> None:
    """As one session, in a file: kernels without a text are refused."""
    text = "\n".join(blocks(page))
    file = tmp_path / page.replace(".md", ".py")
    file.write_text(text, encoding="utf-8")
    scope: dict[str, object] = {}
    exec(compile(text, str(file), "exec"), scope)
    if page == "tutorial.md":
        assert scope["report"].ok  # type: ignore[attr-defined]
        assert scope["certificate"].valid  # type: ignore[attr-defined]


WRITTEN = re.compile(r"```python\n(# (\w+\.py)\b.*?)```", re.DOTALL)
LINE = re.compile(r"^\$ ((?:opcheck|python -I) .*)$", re.MULTILINE)
# of the whole library, or of minutes: tested by other rooms, or by `.ci/run`
LONG = ("discover --all", "prove --all", "certify --all", "--gan")
CONSOLE = {
    (page.name, line)
    for page in DOCS.glob("*.md")
    for line in LINE.findall(page.read_text(encoding="utf-8"))
    if not any(words in line for words in LONG)
}


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({page for page, _ in CONSOLE}))
def test_the_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    """In an empty folder with the files that the page, or the README, shows."""
    for source in (ROOT / "README.md", DOCS / page):
        for text, name in WRITTEN.findall(source.read_text(encoding="utf-8")):
            (tmp_path / name).write_text(text, encoding="utf-8")
    for line in LINE.findall((DOCS / page).read_text(encoding="utf-8")):
        if (page, line) not in CONSOLE:
            continue
        words = shlex.split(line.replace("opcheck/recheck.py", str(ROOT / "opcheck/recheck.py")))
        words = [sys.executable, *(["-m", "opcheck"] if words[0] == "opcheck" else []), *words[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        # a wrong optimiser is shown to be one
        assert done.returncode == int("my_steps" in line), (line, done.stdout, done.stderr)


def test_the_proof_shown_is_the_declared_one() -> None:
    (block,) = blocks("proofs.md")
    scope: dict[str, object] = {}
    exec("from opcheck import Proof\n" + block, scope)
    shown, declared = scope["proof"], registry.get("theorems", "lee2021_feg").proof
    assert (shown.step, shown.end) == (declared.step, declared.end)  # type: ignore[attr-defined]


def test_the_page_of_theory_has_every_class() -> None:
    text = (DOCS / "theory.md").read_text(encoding="utf-8")
    for kind in KINDS:
        constant = f"({kind.symbol})" if kind.better else ""
        assert f"| `{kind.name}{constant}` | {kind.meaning} |" in text


def test_a_newcomer_has_a_page(pages: ModuleType, own_registry: None) -> None:
    """Nothing of the site is a list: what is registered is found, and linked."""
    from opcheck import Lipschitz, Source, theorem

    theorem(
        "site2026_step",
        method="extragradient",
        given=[Lipschitz("L", of="F")],
        where="0 < gamma < 1/L",
        measure="distance(z, before)",
        bound="(gamma*L)**2*R**2",
        source=Source("site2026", "Remark 3"),
        doc="A statement with |bars|, *stars* and ``code``.",
    )
    entry = registry.get("theorems", "site2026_step")
    page = "\n".join(pages._theorem(entry, None, DOCS / "certificates"))
    assert "# site2026\\_step" in page
    assert r"\Vert z_{k+1} - z_{k}\Vert^2 \le \left(\gamma\,L\right)^{2}\,R^{2}" in page
    assert r"A statement with \|bars\|, \*stars\* and `code`." in page
    assert "(../methods/extragradient.md)" in page
    assert "unconfirmed" in page
    assert "site2026_step.md" in "\n".join(pages._index("theorems", registry.names("theorems")))


@pytest.mark.parametrize("kind", registry.KINDS)
def test_a_page_of_each_kind(pages: ModuleType, kind: str) -> None:
    assert kind in pages.KINDS
    name = registry.names(kind)[0]
    value = registry.get(kind, name)
    write = (
        pages._theorem(value, None, DOCS / "certificates")
        if kind == "theorems"
        else pages._thing(kind, name, value)
    )
    lines = list(write)
    assert lines[0] == f"# {pages.md(name)}"
    assert sum(line.startswith("```") for line in "\n".join(lines).splitlines()) % 2 == 0
    assert len(lines) > 5


def test_a_theorem_with_evidence_shows_it_with_its_marks(pages: ModuleType) -> None:
    entry = registry.get("theorems", "lee2021_feg")
    page = "\n".join(pages._theorem(entry, None, DOCS / "certificates"))
    assert "| exact | proved for every k" in page
    assert "| certified | [the bound](../../docs/certificates/lee2021_feg-k3.json) at k = 3" in page
    assert "V − next(V)" in page


def test_the_reference_has_every_public_name(pages: ModuleType) -> None:
    import opcheck
    import opcheck.testing

    text = "\n".join(pages._python())
    for name in opcheck.__all__:
        assert f"### {pages.md(f'opcheck.{name}')}\n" in text
    for name in opcheck.testing.__all__:
        assert f"### {pages.md(f'opcheck.testing.{name}')}\n" in text


def test_every_command_is_on_its_page(pages: ModuleType) -> None:
    from opcheck.cli import MODULES

    text = "\n".join(pages._commands())
    for name in (name for names in MODULES.values() for name in names):
        assert f"## opcheck {name}\n" in text
