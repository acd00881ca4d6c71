"""One page of a whole suite: a table of statements, each in full, its proof, and the problems."""

from __future__ import annotations

import html
import importlib.metadata
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from opcheck import registry
from opcheck.document import writing
from opcheck.evidence.dossier import Standing, in_a_word
from opcheck.evidence.proofs.prove import Proved, attempt
from opcheck.evidence.simulation.verify import Report, Summary, library
from opcheck.model.problem import Problem
from opcheck.model.verdict import Verdict
from opcheck.report.describe import describe, of_problem
from opcheck.report.tables import number

LIBRARIES = ("opcheck", "numpy", "scipy", "numba", "sympy", "clarabel", "matplotlib")
STYLE = """\
:root { --ink: #1a1a1a; --page: #fff; --line: #ccc; --soft: #f3f3f3; --link: #0059b3; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --page: #161616; --line: #555; --soft: #262626; --link: #7db7ff; }
  .drawing { background: #fff; color: #1a1a1a; padding: .5em; }
}
body { font: 16px/1.5 sans-serif; max-width: 76em; margin: 1.5em auto; padding: 0 1em;
  color: var(--ink); background: var(--page); overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 3px solid #E69F00; outline-offset: 1px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88em; }
th, td { border-bottom: 1px solid var(--line); padding: .25em .6em; text-align: left;
  vertical-align: top; }
.wide th, .wide td { overflow-wrap: normal; }
th.rows, td.rows { white-space: nowrap; }
#theorems th, #theorems td { overflow-wrap: normal; white-space: nowrap; }
#theorems td:nth-child(1), #theorems td:nth-child(5) { min-width: 9.5em; white-space: normal;
  overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th button { font: inherit; font-weight: bold; color: inherit; background: none; border: 0;
  padding: 0; cursor: pointer; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.good::before { content: "\\2713\\a0"; } .bad::before { content: "\\2717\\a0"; }
.open::before { content: "?\\a0"; }
.bad { font-weight: bold; color: #D55E00; }
details { border-top: 1px solid var(--line); padding: .4em 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary h3 { display: inline; font-size: 1em; }
pre, code { font-size: .88em; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.controls { display: flex; flex-wrap: wrap; gap: 1em; margin: 1em 0; }
input, select { font: inherit; color: inherit; background: var(--soft);
  border: 1px solid var(--line); padding: .2em .4em; max-width: 100%; }
figure { margin: 0; } svg { max-width: 100%; min-width: 32em; height: auto; }
td.values { min-width: 18em; }
@media print { .controls { display: none; } body { max-width: none; font-size: 11px; }
  a { color: inherit; text-decoration: none; } }
"""
SCRIPT = """\
const table = document.getElementById("theorems");
const rows = [...table.tBodies[0].rows];
const words = document.getElementById("words");
const which = document.getElementById("which");
const count = document.getElementById("count");
function filter() {
  const text = words.value.toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = row.textContent.toLowerCase().includes(text)
      && (!which.value || row.dataset.status === which.value);
    row.hidden = !fits;
    shown += fits;
  }
  count.textContent = `${shown} of ${rows.length}`;
}
words.addEventListener("input", filter);
which.addEventListener("change", filter);
[...table.tHead.rows[0].cells].forEach((head, i) => {
  head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = row => row.cells[i].dataset.key ?? row.cells[i].textContent;
    rows.sort((a, b) => {
      const x = key(a), y = key(b), n = Number(x) - Number(y);
      return (up ? 1 : -1) * (Number.isNaN(n) ? x.localeCompare(y) : n);
    });
    table.tBodies[0].append(...rows);
  });
});
function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", open);
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
filter();
open();
"""
MARKS = (
    ("exact", "a constant in closed form, or of a formula that is proved"),
    ("certified", "a constant enclosed in intervals, or a bound proved in rationals for some k"),
    ("estimated", "a constant that a search arrived at: the truth may be worse"),
    ("proved", "for every k, all admissible parameters and every dimension"),
    ("tight", "a problem reaches the bound, to 1e-4"),
    ("needed", "without some hypothesis the statement fails on a problem"),
)
COLUMNS = (
    "theorem",
    "verdict",
    "evidence",
    "worst",
    "where",
    "k",
    "order",
    "constants",
    "problems",
)


def write_suite(
    report: Report,
    standing: Mapping[str, Standing],
    path: str | Path,
    *,
    command: str,
    problem: Problem | None = None,
) -> Path:
    """Write a page of HTML that needs nothing else: no network, no other file.

    Args:
        standing: theorem -> what it stands on.
        command: that makes the page, as it is told there.
        problem: that was confronted instead of the library.

    Raises OpcheckError where it can't be written.
    """
    target = Path(path)
    text = "\n".join(_page(report, standing, command, problem)) + "\n"
    with writing(target):
        target.write_text(text, encoding="utf-8")
    return target


def _page(
    report: Report, standing: Mapping[str, Standing], command: str, problem: Problem | None
) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>opcheck: verdicts</title><style>\n{STYLE}</style></head><body>"
    yield "<h1>Statements and verdicts</h1>"
    yield from _provenance(command)
    yield from _summary(report, standing)
    yield "<h2>How near each bound is</h2>"
    yield f'<div class="drawing wide">{_drawing(report)}</div>'
    yield "<h2>Statement by statement</h2>"
    shown = {v.problem for s in report.summaries for v in s.admissible}
    for over in report.summaries:
        yield from _theorem(over, standing.get(over.theorem.name))
    yield "<h2>Problems</h2>"
    problems = {p.name: p for p in (library() if problem is None else (problem,))}
    for name in sorted(shown):  # of a noisy one the verdicts are about its mean
        yield from _problem(problems[name.removesuffix(" (mean)")], name, report)
    yield f"<script>\n{SCRIPT}</script></body></html>"


def _provenance(command: str) -> Iterator[str]:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    yield f"<p><code>{_said(command)}</code></p>"
    yield f"<p>{_said(versions)}, Python {platform.python_version()}.</p>"
    for sentence in registry.failures():
        yield f'<p class="bad">{_said(sentence)}</p>'
    yield "<dl>" + "".join(f"<dt><b>{n}</b></dt><dd>{_said(t)}</dd>" for n, t in MARKS) + "</dl>"


def _summary(report: Report, standing: Mapping[str, Standing]) -> Iterator[str]:
    """The table of all statements; a script filters and sorts it."""
    words = [in_a_word(s, standing.get(s.theorem.name)) for s in report.summaries]
    options = "".join(f"<option>{_said(word)}</option>" for word in dict.fromkeys(sorted(words)))
    yield '<h2>All</h2><div class="controls">'
    yield '<label>Words <input id="words" type="search"></label>'
    yield '<label>Verdict <select id="which"><option value="">all</option>'
    yield f"{options}</select></label>"
    yield '<span id="count" role="status"></span></div>'
    heads = "".join(f'<th scope="col"><button>{name}</button></th>' for name in COLUMNS)
    yield f'<div class="wide"><table id="theorems"><thead><tr>{heads}</tr></thead><tbody>'
    for over, word in zip(report.summaries, words, strict=True):
        name, top = over.theorem.name, over.worst
        fitted = f"k^{over.order:.2f}" if over.order is not None else "–"
        cells = [
            f'<td><a href="#{_anchor("theorem", name)}">{_said(name)}</a></td>',
            f'<td class="{_mood(over, standing.get(name))}">{_said(word)}</td>',
            f"<td>{_said(str(standing.get(name, '')))}</td>",
            _ratio(top),
            f"<td>{_problem_link(top.problem) if top else ''}</td>",
            f'<td class="number">{top.k if top else ""}</td>',
            f"<td>{_said(f'{over.theorem.order} / {fitted}' if over.theorem.order else '')}</td>",
            f"<td>{over.provenance}</td>",
            f'<td class="number">{len(over.admissible)}</td>',
        ]
        yield f'<tr data-status="{_said(word)}">{"".join(cells)}</tr>'
    yield "</tbody></table></div>"


def _theorem(over: Summary, standing: Standing | None) -> Iterator[str]:
    """One statement: in full, by which it stands, on which problems, and its proof."""
    name = over.theorem.name
    mood = _mood(over, standing)
    yield f'<details id="{_anchor("theorem", name)}"><summary><h3>{_said(name)}</h3> '
    yield f'<span class="{mood}">{_said(in_a_word(over, standing))}</span></summary>'
    rows = next(rows for rows in describe(name) if rows[0][0] == "theorem")
    yield _pairs([(label, str(value)) for label, value in rows[1:]])
    if standing is not None:
        yield f"<p>Evidence: {_said(str(standing))} (<code>opcheck show {_said(name)} --evidence"
        yield "</code> for the numbers of each).</p>"
    if over.holes:
        yield f'<p class="open">Nothing was decided at {_said("; ".join(over.holes))}.</p>'
    if over.words_of_a:
        yield f"<p>{_said(over.words_of_a)}.</p>"
    if over.reason:
        yield f"<p>{_said(over.reason)}</p>"
    yield from _verdicts(over)
    tried = attempt(over.theorem)
    if tried.proved is not None:
        yield "<h4>Proof</h4>"
        yield from _proof(tried.proved)
    elif tried.reason:
        yield f"<p>{_said(tried.reason)}</p>"
    yield "</details>"


def _verdicts(over: Summary) -> Iterator[str]:
    if not over.admissible:
        return
    heads = ("problem", "verdict", "worst", "k", "with", "constants", "decided by")
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f'<th scope="col">{name}</th>' for name in heads) + "</tr></thead><tbody>"
    for v in sorted(over.admissible, key=lambda v: (-v.ratio, v.problem)):
        values = ", ".join(f"{name} = {value:.6g}" for name, value in v.parameters.items())
        reason = f" ({v.reason})" if v.reason else ""
        yield (
            f"<tr><td>{_problem_link(v.problem)}</td><td>{v.status}{_said(reason)}</td>"
            f'{_ratio(v)}<td class="number">{v.k if v.compared else ""}</td>'
            f'<td class="values">{_said(values)}</td>'
            f"<td>{v.provenance}</td><td>{v.decided if v.compared else ''}</td></tr>"
        )
    yield "</tbody></table></div>"


def _proof(proof: Proved) -> Iterator[str]:
    """The argument as a person checks it: potential, and each lemma as a sum of what is ≥ 0."""
    yield f"<p>For {_said(proof.covers)}.</p>"
    if proof.remark:
        yield f"<p>The author remarks: {_said(proof.remark)} (not checked).</p>"
    rows = [(name, text) for name, text in proof.symbols.items()]
    if proof.potential:
        rows = [("potential V", proof.potential), ("V starts at most", proof.at_most), *rows]
    yield _pairs(rows)
    for lemma in proof.lemmas:
        lines = [f"({multiplier}) · {inequality}" for inequality, multiplier in lemma.multipliers]
        lines += [f"({weight}) · ‖{vector}‖²" for weight, vector in lemma.squares]
        yield f"<p>{_said(lemma.shows)}, is the sum of</p>"
        yield f"<pre>{_said(chr(10).join(lines) or 'nothing: it is 0')}</pre>"


def _problem(problem: Problem, shown_as: str, report: Report) -> Iterator[str]:
    """One problem: what it is, its constants and where they come from, its statements."""
    yield f'<details id="{_anchor("problem", shown_as)}">'
    yield f"<summary><h3>{_said(shown_as)}</h3></summary>"
    yield _pairs([("what", problem.doc), *((a, str(b)) for a, b in of_problem(problem))])
    links = [
        f'<a href="#{_anchor("theorem", s.theorem.name)}">{_said(s.theorem.name)}</a>'
        for s in report.summaries
        if any(v.problem == shown_as for v in s.admissible)
    ]
    yield f"<p>Statements about it: {', '.join(links)}.</p></details>"


def _drawing(report: Report) -> str:
    """The picture of the largest ratios, as part of the page."""
    if not any(s.decided for s in report.summaries):
        return "<p>Nothing was decided.</p>"
    drawing = report.plot(width="double")
    return f"<figure>{drawing.svg()}<figcaption>{_said(drawing.caption)}</figcaption></figure>"


def _mood(over: Summary, standing: Standing | None) -> str:
    if over.status in ("violated", "error") or (standing is not None and standing.refuted):
        return "bad"
    return "good" if over.ok and over.decided else "open"


def _ratio(v: Verdict | None) -> str:
    if v is None or not v.compared:
        return '<td class="number" data-key="-1">–</td>'
    shown = number(v.ratio, excess=v.excess)
    return f'<td class="number" data-key="{v.ratio!r}">{_said(shown)}</td>'


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    cells = [
        f'<tr><th scope="row" class="rows">{_said(label)}</th><td>{_lines(text)}</td></tr>'
        for label, text in rows
    ]
    return f"<table>{''.join(cells)}</table>" if cells else ""


def _lines(text: str) -> str:
    return _said(text).replace("\n", "<br>")


def _problem_link(name: str) -> str:
    return f'<a href="#{_anchor("problem", name)}">{_said(name)}</a>'


def _anchor(kind: str, name: str) -> str:
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_]+', '-', name).strip('-')}"


def _said(text: str) -> str:
    return html.escape(text)
