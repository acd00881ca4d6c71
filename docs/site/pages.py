"""The pages that are made from what is registered: nothing here names a theorem, or a method."""

from __future__ import annotations

import importlib
import inspect
import io
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

import opcheck
import opcheck.adapters
import opcheck.kernels
import opcheck.plugin
import opcheck.testing
from opcheck import registry
from opcheck.cli import MODULES, main
from opcheck.evidence.certificates.certificate import read_certificate
from opcheck.evidence.dossier import Standing, in_a_word
from opcheck.evidence.proofs.prove import attempt
from opcheck.evidence.simulation.verify import Summary
from opcheck.model.property import Kind, Property
from opcheck.model.theorem import WORDS_OF_A, Theorem
from opcheck.model.typeset import formula, ranges, symbol
from opcheck.references import reference
from opcheck.report.describe import describe
from opcheck.report.tables import number
from opcheck.report.terminal import show_proof

KINDS = ("theorems", "problems", "methods", "sets", "measures", "figures", "papers")
ROOMS = {
    "opcheck": "What users call, and what declarations are made with.",
    "opcheck.testing": "What tests ask of declarations, runs and statements.",
    "opcheck.adapters": "Operators and optimisers of other libraries.",
    "opcheck.kernels": "The vocabulary of kernels.",
    "opcheck.plugin": "What the author of a pack needs besides.",
}
WIDTH = 96  # of a proof's lines
MARKUP = re.compile(r"([\\`*_{}\[\]<>#|$~^])")


def write_all(folder: Path, verdicts: Mapping[str, tuple[Summary, Standing | None]]) -> int:
    """Write every page below ``folder``; how many there are.

    Args:
        verdicts: theorem -> what runs say of it, and on what it stands; {} leaves them out.
    """
    count = 0
    for name, lines in _all(verdicts, folder.parent / "docs" / "certificates"):
        path = folder / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        count += 1
    return count


def _all(
    verdicts: Mapping[str, tuple[Summary, Standing | None]], certificates: Path
) -> Iterator[tuple[str, list[str]]]:
    for kind in KINDS:
        names = registry.names(kind)
        yield f"{kind}/index", [*_index(kind, names)]
        for name in names:
            value = registry.get(kind, name)
            if isinstance(value, Theorem):
                yield f"{kind}/{name}", [*_theorem(value, verdicts.get(name), certificates)]
            else:
                yield f"{kind}/{name}", [*_thing(kind, name, value)]
    yield "python", [*_python()]
    yield "commands", [*_commands()]


# ---- words ---------------------------------------------------------------------------------------


def md(text: str) -> str:
    """Plain words in Markdown: what is not between ``…`` stands for itself."""
    parts = re.split(r"``(.+?)``", " ".join(text.split()))
    return "".join(_code(p) if i % 2 else MARKUP.sub(r"\\\1", p) for i, p in enumerate(parts))


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    lines = [[*heads], *map(list, rows)]
    cells = [[re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line] for line in lines]
    yield ""
    for i, line in enumerate(cells):
        yield f"| {' | '.join(line)} |"
        if i == 0:
            yield "|" + "---|" * len(line)
    yield ""


def _block(language: str, text: str) -> list[str]:
    return ["", f"```{language}", *text.rstrip().splitlines(), "```", ""]


def _link(kind: str, name: str, start: str = "..") -> str:
    return f"[{md(name)}]({start}/{kind}/{name}.md)"


def docstring(text: str) -> Iterator[str]:
    """A docstring as Markdown: paragraphs, and what stands under ``Args:`` as a list."""
    for part in filter(None, re.split(r"\n\s*\n", inspect.cleandoc(text))):
        lines = part.splitlines()
        if lines[0].startswith("    "):
            yield from _block("text", textwrap.dedent(part))
        elif lines[0] in ("Args:", "Attributes:", "Returns:") and len(lines) > 1:
            yield from ("", f"*{lines[0]}*", "")
            entries = re.split(r"\n(?=\S)", textwrap.dedent("\n".join(lines[1:])))
            for entry in entries:
                name, colon, rest = entry.partition(":")
                yield f"- {_code(name)}: {md(rest)}" if colon else f"- {md(entry)}"
            yield ""
        else:
            yield from ("", md(part), "")


# ---- theorems ------------------------------------------------------------------------------------


def _theorem(
    theorem: Theorem, seen: tuple[Summary, Standing | None] | None, certificates: Path
) -> Iterator[str]:
    name, moving = theorem.name, theorem.sequences
    yield f"# {md(name)}"
    cited = reference(theorem.source.key)
    yield from ("", f"*{md(str(theorem.source))}.* {md(str(cited)) if cited else ''}", "")
    yield from docstring(theorem.doc)
    yield from ("## Statement", "")
    for property in theorem.asked:
        yield f"- {_hypothesis(property)}"
    if theorem.on:
        yield f"- the problem is {' or '.join(_link('problems', p) for p in theorem.on)}"
    yield f"- {md(WORDS_OF_A[theorem.A])}"
    method = theorem.method
    shown = _link("methods", method) if method in registry.names("methods") else _code(method)
    yield f"- the method is {shown}"
    for part in ranges(theorem.where, moving):
        yield f"- ${part}$"
    for left, text in theorem.let.items():
        index = "_{k}" if left in moving else ""
        yield f"- ${symbol(left)}{index} = {formula(text, moving)}$"
    claims = {
        "equality": "with equality",
        "one-step": "in every step",
        "must fail": "is exceeded on every admissible problem",
    }
    first = f"for every k ≥ {theorem.first}" if theorem.first else "for every k"
    yield from ("", f"Then, {claims.get(theorem.claim, '')} {first},".replace(",  ", ", "))
    yield from ("", f"$$\n{theorem.latex()}\n$$", "")
    rows = next(rows for rows in describe(name) if rows[0][0] == "theorem")
    written = {"method", "given", "where", "let", "claim", "order", "for", "written in"}
    text = "\n".join(
        textwrap.indent(str(value), " " * 11).lstrip().rjust(0).join([f"{label:11}", ""])
        for label, value in rows
        if label in written
    )
    yield from ("As it is declared:", *_block("text", text))
    yield from _evidence(theorem, seen, certificates)


def _hypothesis(property: Property) -> str:
    kind, constant = property.kind, property.constant
    shown = f"{kind.name}({'' if kind.better is None else constant}) of {property.of}"
    meaning = kind.meaning
    if property.of in ("A", "S"):
        meaning += f", u ∈ {property.of} x, v ∈ {property.of} y"
    return f"[{md(shown)}](../../docs/theory.md#classes): {md(meaning)}"


def _evidence(
    theorem: Theorem, seen: tuple[Summary, Standing | None] | None, certificates: Path
) -> Iterator[str]:
    """What stands behind it, each with its mark, and the proof as text."""
    name = theorem.name
    tried = attempt(theorem)
    rows = []
    if tried.proved is not None:
        what = "proved in part, for" if tried.proved.only else "proved for"
        rows.append(("exact", f"{what} {md(tried.proved.covers)}", f"opcheck prove {name}"))
    for file in sorted(certificates.glob(f"{name}-k*.json")):
        held = read_certificate(file)
        times = "the bound" if held.ratio == 1 else f"{held.ratio} times the bound"
        link = f"[{md(times)}](../../docs/certificates/{file.name})"
        what = f"{link} at k = {held.k} in rationals, with {md(held.choice)}"
        rows.append(("certified", what, f"opcheck certify {name} -k {held.k}"))
    if seen is not None:
        over, standing = seen
        top = over.worst
        word = in_a_word(over, standing)
        what = f"{word} on {len(over.admissible)} problems"
        if top is not None and top.compared:
            where = _problem(top.problem)
            ratio = md(number(top.ratio, excess=top.excess))
            what += f"; largest measured/bound {ratio} on {where} at k = {top.k}"
        rows.append((f"{over.provenance} constants", what, f"opcheck verify {name}"))
    mark = "[mark](../../docs/trusted.md)"
    yield from ("## Evidence", *_table((mark, "what", "command"), _with_code(rows)))
    if seen is not None and seen[1] is not None and str(seen[1]):
        yield f"Stands on: {md(str(seen[1]))}."
    yield f"`opcheck show {name} --evidence` computes every rung of it."
    if tried.proved is not None:
        console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
        show_proof(tried.proved, console)
        text = re.sub(r" +$", "", console.file.getvalue(), flags=re.MULTILINE)  # type: ignore[attr-defined]
        yield from ("", "## Proof", *_block("text", text))
    else:
        why = tried.reason or "No argument for every k is declared."
        yield from ("", "## Proof", "", md(why))


def _with_code(rows: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    for mark, what, command in rows:
        yield mark, what, _code(command)


def _problem(name: str) -> str:
    family = name.partition("(")[0].partition(" ")[0]
    known = family in registry.names("problems")
    return f"[{md(name)}](../problems/{family}.md)" if known else md(name)


# ---- everything else -----------------------------------------------------------------------------


def _thing(kind: str, name: str, value: Any) -> Iterator[str]:
    """A page of what ``opcheck show`` says, and the text that runs."""
    rows = next(rows for rows in describe(name) if rows[0][0] == kind[:-1])
    yield f"# {md(name)}"
    said = {str(label): value for label, value in rows}
    yield from docstring(str(said.pop("what", "")) or str(getattr(value, "doc", "")))
    linked = said.pop("theorems", "").splitlines() if kind == "problems" else None
    if kind == "measures":
        shown = formula(name)
        yield from ("", f"$$\n{shown}\n$$", "")
    cells = [(md(str(a)), "<br>".join(map(md, str(b).splitlines()))) for a, b in rows[1:]]
    skipped = ("what", "theorems")
    yield from _table(("", ""), [c for c in cells if c[0] not in skipped])
    if kind == "methods":
        linked = [t for t in registry.names("theorems") if _is_about(t, name)]
    if linked is not None:
        known = [t for t in linked if t in registry.names("theorems")]
        yield from ("## Theorems", "", ", ".join(_link("theorems", t) for t in known) or "None.")
    source = _source(kind, value)
    if source:
        yield from ("", "## The text that runs", *_block("python", source))


def _is_about(theorem: str, method: str) -> bool:
    return method in re.split(r"\W+", registry.get("theorems", theorem).method)


def _source(kind: str, value: Any) -> str:
    function = {
        "problems": getattr(value, "function", None),
        "sets": getattr(value, "function", None),
        "methods": getattr(value, "kernel", None) or getattr(value, "advance", None),
        "measures": getattr(value, "kernel", None),
    }.get(kind)
    if function is None:
        return ""
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    except (OSError, TypeError):
        return ""


def _index(kind: str, names: list[str]) -> Iterator[str]:
    yield from (f"# {kind.capitalize()}", "")
    rows = []
    for name in names:
        value = registry.get(kind, name)
        if isinstance(value, Theorem):
            rows.append((_link(kind, name), f"${value.latex()}$", md(str(value.source))))
        else:
            what = getattr(value, "citation", "") or value.doc.partition("\n\n")[0]
            rows.append((_link(kind, name), md(what)))
    heads = ("name", "claim", "source") if kind == "theorems" else ("name", "what")
    yield f"{len(names)} of opcheck's own; `opcheck list {kind}`."
    yield from _table(heads, rows)
    yield from ("```{toctree}", ":hidden:", "", *names, "```")


def _python() -> Iterator[str]:
    """Every public name, with its docstring."""
    yield "# Python reference"
    for module, what in ROOMS.items():
        room = importlib.import_module(module)
        yield from ("", f"## {module}", "", what, "")
        for name in room.__all__:
            try:
                value = getattr(room, name)
            except opcheck.OpcheckError as error:  # its package is not here
                yield from (f"### {md(f'{module}.{name}')}", "", md(str(error)), "")
                continue
            yield from _name(f"{module}.{name}", value)


def _name(path: str, value: Any) -> Iterator[str]:
    short = path.rpartition(".")[2]
    yield from (f"### {md(path)}", "")
    if isinstance(value, Kind):
        constant = value.symbol if value.better else ""
        yield f"`{short}({constant})`: {md(value.meaning)}; [classes](../docs/theory.md#classes)."
        return
    if not callable(value):
        documented = not isinstance(value, str | int | float | tuple | dict | frozenset)
        shown = repr(value)
        yield _code(shown) if len(shown) <= 80 else md(str(type(value).__name__))
        yield from docstring(value.__doc__ or "") if documented else ()
        return
    yield from _block("python", f"{short}{_signature(value)}")
    yield from docstring(inspect.getdoc(value) or "")
    if not inspect.isclass(value) or issubclass(value, BaseException):
        return
    for inner, member in vars(value).items():
        called = callable(member) or isinstance(member, property | classmethod)
        if inner.startswith("_") or not called or not getattr(member, "__doc__", ""):
            continue
        function = getattr(member, "__func__", member)
        signature = "" if isinstance(member, property) else _signature(function)
        yield from ("", f"#### {md(f'{short}.{inner}')}", "")
        yield from _block("python", f"{inner}{signature}")
        yield from docstring(inspect.getdoc(member) or "")


def _signature(value: Any) -> str:
    try:
        text = str(inspect.signature(value))
    except (TypeError, ValueError):
        return "(...)"
    text = re.sub(r"<(?:function|class) '?([\w.]+)[^>]*>", r"\1", text)
    text = re.sub(r"'([^']*)'", lambda m: m[1] if "," in m[1] or m[1][:1].isupper() else m[0], text)
    if len(text) <= 80:
        return text
    return "(\n    " + re.sub(r", (?=\*?\*?\w+(?::|=|,|\)|$))", ",\n    ", text[1:])


def _commands() -> Iterator[str]:
    """Every command, as ``--help`` says it."""
    yield from ("# Commands", "", "As `opcheck COMMAND --help` says it.", "")
    context = click.Context(main, info_name="opcheck", terminal_width=88, max_content_width=88)
    yield from _block("text", main.get_help(context))
    for name in sorted(name for names in MODULES.values() for name in names):
        command = main.get_command(context, name)
        assert command is not None
        inner = click.Context(
            command, parent=context, info_name=name, terminal_width=88, max_content_width=88
        )
        yield from ("", f"## opcheck {name}", *_block("text", command.get_help(inner)))
