"""Working files to begin with: the examples of docs/adding.md under a name of one's own."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import click

from opcheck.errors import OpcheckError

TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True)
class Example:
    """A template, and what is said of it.

    Attributes:
        template: its file.
        name: what it registers.
        places: texts in which that name is replaced.
        change: what makes it one's own.
    """

    template: str
    name: str
    places: tuple[str, ...]
    change: str


STATEMENT = ("proof", "elementary_gradient_sum", ("elementary_gradient_sum",))
EXAMPLES = {
    "operator": Example(
        "operator",
        "turning",
        ('"turning"', "def turning("),
        "the matrix or formula of F, the start, the solution, and the facts that you can prove",
    ),
    "set": Example(
        "set",
        "consensus",
        ("project_consensus", "def consensus(", '"consensus"'),
        "the projection, contains= or value=, and program=, the set as a cone solver sees it",
    ),
    "method": Example(
        "method",
        "reflected_gradient",
        ("reflected_gradient",),
        "the update in the loop, params, rows, calls, source, and the reference, written from the "
        "published formula and not from the loop",
    ),
    "measure": Example(
        "measure",
        "angle",
        ('"angle"', "def angle("),
        "the number, its symbol, words and unit, and the reference in numpy",
    ),
    "theorem": Example(
        *STATEMENT,
        "the method, the hypotheses, the range of the parameters, the measure, the bound, source",
    ),
    "proof": Example(
        *STATEMENT,
        "the statement and its source, and in proof= the potential and the multipliers of the "
        "hypotheses",
    ),
    "figure": Example(
        "figure",
        "steps",
        ('"steps"', "def steps("),
        "what is drawn of each run, the axes, the options and the caption that is returned",
    ),
    "paper": Example(
        "paper",
        "korpelevich1976",
        ('paper(\n    "korpelevich1976"',),
        "the source, the figures, their runs and checks, and the claims with what decides each",
    ),
}
# of a package: file -> kind, and what is added to the package's name
MODULES = {
    "operators": ("operator", "_turn"),
    "sets": ("set", "_set"),
    "methods": ("method", "_step"),
    "measures": ("measure", "_angle"),
    "theorems": ("proof", "_rate"),
}
FILES = {
    "pyproject.toml": "pyproject",
    "README.md": "readme",
    ".github/workflows/test.yml": "workflow",
    "tests/test_@NAME@.py": "tests",
    "@NAME@/__init__.py": "init",
}


def source(kind: str, name: str) -> str:
    """A working file of a kind, as of ``method``, that registers ``name``."""
    example = EXAMPLES[kind]
    text = template_of(example.template)
    if kind == "theorem":
        text = _without_proof(text)
    for place in example.places:
        text = text.replace(place, place.replace(example.name, name))
    lines = textwrap.wrap(f"To change: {example.change}.", 96)
    return "".join(f"# {line}\n" for line in lines) + text


def template_of(name: str) -> str:
    """The text of a template, as ``method`` or ``package/readme``."""
    return (TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")


def _without_proof(text: str) -> str:
    before, _, rest = text.partition("    proof=Proof(\n")
    return before.replace(", Proof", "") + rest.partition("\n    ),\n")[2]


def files(kind: str, name: str) -> dict[str, str]:
    """What is written for a kind: path -> text."""
    if kind != "package":
        test = template_of("test").replace("@NAME@", name)
        return {f"{name}.py": source(kind, name), f"test_{name}.py": test}
    from opcheck.registry import API

    def filled(text: str) -> str:
        return text.replace("@NAME@", name).replace("@API@", str(API))

    whole = {filled(path): filled(template_of(f"package/{t}")) for path, t in FILES.items()}
    for module, (kind_of, suffix) in MODULES.items():
        whole[f"{name}/{module}.py"] = source(kind_of, f"{name}{suffix}")
    return {f"{name}/{path}": text for path, text in whole.items()}


@click.command()
@click.argument("kind", type=click.Choice([*EXAMPLES, "package"]))
@click.argument("name")
@click.option("--out", type=click.Path(file_okay=False), default=".", help="Folder to write to.")
def new(kind: str, name: str, out: str) -> None:
    """Write a working file of a KIND with its test, or an installable package, to begin with.

    NAME is what it registers. Nothing is overwritten.
    """
    from opcheck import registry

    if not name.isidentifier() or name != name.lower():
        raise OpcheckError(
            f"{name!r} is no name for a {kind}; take lower-case letters, digits and underscores"
        )
    if kind == "package" and (name in sys.stdlib_module_names or name.startswith("opcheck")):
        raise OpcheckError(f"{name!r} is a module of Python's or opcheck's; take another name")
    for other in registry.KINDS if kind != "package" else ():
        if name in registry.names(other):
            raise OpcheckError(
                f"{name!r} is taken, by {registry.place(other, name)}; take another name"
            )
    folder, texts = Path(out), files(kind, name)
    if there := [path for path in texts if (folder / path).exists()]:
        raise OpcheckError(f"{folder / there[0]} exists; take another name, or --out")
    try:
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OpcheckError(f"can't write {folder}: {error.strerror}; give --out a folder") from None
    for path in texts:
        click.echo(str(folder / path))
    at = folder / name
    follows = f"cd {at} && pip install -e '.[test]' && pytest --opcheck"
    file = folder / f"test_{name}.py"
    click.echo(f"next: {follows if kind == 'package' else f'pytest {file}'}")
