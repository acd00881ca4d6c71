"""The page of a paper, in HTML and Markdown: claim by claim what came out, and every figure."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from opcheck.document import writing
from opcheck.model.table import Table
from opcheck.report.reproduce import Redrawn, Reproduction

STYLE = """\
body { font: 16px/1.5 serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #111; }
table { border-collapse: collapse; font-size: .9em; }
td, th { border-bottom: 1px solid #ccc; padding: .3em .6em; text-align: left; vertical-align: top; }
img { max-width: 100%; }
figure { margin: 1.5em 0; }
code { font-size: .9em; }
td.reproduced { border-left: .4em solid #0072B2; }
td.differs { border-left: .4em solid #E69F00; }
td.not { border-left: .4em solid #D55E00; }
td.waiting { border-left: .4em solid #999; }
"""
ALL = "opcheck repro --all"
MEANINGS = (
    "Reproduced: measured here, as the row says it; constants that a row calls derived here, "
    "recalled or ours are not the paper's. Differs: the paper's wording or constant does not check "
    "out, and what is true instead was measured. Not reproduced: not seen here. Waiting: can't be "
    "stated yet."
)


def claims_table(result: Reproduction) -> Table:
    """A row for each claim: what it says, what came out, the numbers, the command."""
    fields = ("claim", "says", "outcome", "numbers", "command")
    return Table({name: [getattr(c, name) for c in result.claims] for name in fields})


def counted(result: Reproduction) -> str:
    """As in ``12 reproduced, 2 differ``: how many claims came out in which way."""
    outcomes = [claim.outcome for claim in result.claims]
    return ", ".join(f"{outcomes.count(o)} {o}" for o in dict.fromkeys(sorted(outcomes)))


def write_page(result: Reproduction, folder: str | Path) -> tuple[Path, Path]:
    """Write ``index.html`` and ``README.md`` into the folder of the figures.

    Raises OpcheckError where that is not possible.
    """
    page, text = Path(folder) / "index.html", Path(folder) / "README.md"
    with writing(page):
        page.write_text("\n".join(_html(result, page.parent)) + "\n", encoding="utf-8")
        text.write_text("\n".join(_markdown(result, text.parent)) + "\n", encoding="utf-8")
    return page, text


def write_gallery(results: Sequence[Reproduction], folder: str | Path) -> tuple[Path, Path]:
    """Write ``index.html`` and ``README.md`` above the papers' folders: what came out, and figures.

    Raises OpcheckError where that is not possible.
    """
    page, text = Path(folder) / "index.html", Path(folder) / "README.md"
    with writing(page):
        page.write_text("\n".join(_html_gallery(results, page.parent)) + "\n", encoding="utf-8")
        text.write_text("\n".join(_gallery(results, text.parent)) + "\n", encoding="utf-8")
    return page, text


def _gallery(results: Sequence[Reproduction], folder: Path) -> Iterator[str]:
    yield from ("# Papers, regenerated", "", f"`{ALL}`. {MEANINGS}", "")
    for result in results:
        yield from (f"## [{result.paper}]({result.paper}/README.md)", "", result.citation, "")
        yield from ([f"Claims: {counted(result)}.", ""] if result.claims else [])
        for figure in result.figures:
            yield from (f"![{figure.title}]({_from(folder, figure.png)})", "")
            yield from (f"*{headline(figure)}*", "")


def _html_gallery(results: Sequence[Reproduction], folder: Path) -> Iterator[str]:
    said = html.escape
    yield from _head("Papers, regenerated")
    yield f"<h1>Papers, regenerated</h1><p><code>{ALL}</code>. {MEANINGS}</p>"
    for result in results:
        yield f'<h2><a href="{said(result.paper)}/index.html">{said(result.paper)}</a></h2>'
        yield f"<p>{said(result.citation)}</p>"
        yield f"<p>Claims: {said(counted(result))}.</p>" if result.claims else ""
        for figure in result.figures:
            yield f'<figure><img alt="{said(figure.title)}" src="{_from(folder, figure.png)}">'
            yield f"<figcaption>{said(headline(figure))}</figcaption></figure>"
    yield "</body></html>"


def _head(title: str) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f"<title>{html.escape(title)}</title>"
    yield f"<style>\n{STYLE}</style></head><body>"


def headline(figure: Redrawn) -> str:
    """Number and title, and whose parameters."""
    number = f"{figure.number}. " if figure.number else ""
    whose = "of the paper" if figure.parameters == "paper" else "ours"
    return f"{number}{figure.title} (parameters: {whose})"


def _markdown(result: Reproduction, folder: Path) -> Iterator[str]:
    yield from (f"# {result.paper}", "", result.citation, "", f"`{_command(result)}`", "")
    if result.claims:
        yield from ("## Claims", "", f"{counted(result)}. {MEANINGS}", "")
        yield claims_table(result).markdown()
    if result.figures:
        yield from ("## Figures", "")
    for figure in result.figures:
        yield from (f"### {headline(figure)}", "")
        yield from (f"![{figure.title}]({_from(folder, figure.png)})", "", figure.caption, "")
        yield from ([figure.note, ""] if figure.note else [])
        yield from (f"- {seen}" for seen in figure.checks)
        yield from ("", f"`{figure.command}`; {_files(figure, folder, '[{0}]({0})')}", "")
    if result.missing:
        yield from ("## Not redrawn", "")
        yield from (f"- {number}: {why}" for number, why in result.missing.items())


def _html(result: Reproduction, folder: Path) -> Iterator[str]:
    said = html.escape
    yield from _head(result.paper)
    yield f"<h1>{said(result.paper)}</h1><p>{said(result.citation)}</p>"
    yield f"<p><code>{said(_command(result))}</code></p>"
    if result.claims:
        yield f"<h2>Claims</h2><p>{said(counted(result))}. {MEANINGS}</p><table>"
        yield _row("th", ["claim", "what it says", "outcome", "numbers", "command"])
        for claim in result.claims:
            command = f"<code>{said(claim.command)}</code>" if claim.command else ""
            cells = [said(claim.claim), said(claim.says)]
            mark = f'<td class="{claim.outcome.split()[0]}">{claim.outcome}</td>'
            rest = "".join(f"<td>{cell}</td>" for cell in (said(claim.numbers), command))
            yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}{mark}{rest}</tr>"
        yield "</table>"
    if result.figures:
        yield "<h2>Figures</h2>"
    for figure in result.figures:
        yield f"<h3>{said(headline(figure))}</h3><figure>"
        yield f'<img alt="{said(figure.title)}" src="{_from(folder, figure.png)}">'
        yield f"<figcaption>{said(figure.caption)}</figcaption></figure>"
        yield f"<p>{said(figure.note)}</p>" if figure.note else ""
        yield f"<ul>{''.join(f'<li>{said(str(seen))}</li>' for seen in figure.checks)}</ul>"
        files = _files(figure, folder, '<a href="{0}">{0}</a>')
        yield f"<p><code>{said(figure.command)}</code>; {files}</p>"
    if result.missing:
        yield "<h2>Not redrawn</h2><ul>"
        yield from (f"<li>{said(n)}: {said(why)}</li>" for n, why in result.missing.items())
        yield "</ul>"
    yield "</body></html>"


def _command(result: Reproduction) -> str:
    """That makes the page, also one of trainings alone."""
    size = next((f" --gan {f.training}" for f in result.figures if f.training), "")
    return f"opcheck repro {result.paper}{size}"


def _row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def _from(folder: Path, file: Path) -> str:
    return Path(os.path.relpath(file, folder)).as_posix()


def _files(figure: Redrawn, folder: Path, form: str) -> str:
    return ", ".join(form.format(_from(folder, file)) for file in figure.files)
