"""What people see in a terminal: tables, one line a verdict, progress."""

from __future__ import annotations

import math
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from opcheck.evidence.worst_case.worst_case import ABOVE, WorstCase
from opcheck.model.verdict import Verdict
from opcheck.report.tables import number, verdict_table

if TYPE_CHECKING:  # a line is on the screen sooner without them
    from opcheck.evidence.certificates.certificate import Attempt, Point
    from opcheck.evidence.cross_check import CrossCheck
    from opcheck.evidence.discover.discover import Discovery
    from opcheck.evidence.discover.improvement import Improvement
    from opcheck.evidence.discover.over_range import OverRange
    from opcheck.evidence.dossier import Dossier, Standing
    from opcheck.evidence.lyapunov import Potential
    from opcheck.evidence.operators.constant import Constant
    from opcheck.evidence.proofs.prove import ProofAttempt, Proved
    from opcheck.evidence.simulation.mutants import Mutant
    from opcheck.evidence.simulation.verify import Report
    from opcheck.evidence.worst_case.attack import Attack
    from opcheck.model.problem import Problem

STYLE = {
    "holds": "green",
    "attained": "bold green",
    "violated": "bold red",
    "error": "bold red",
    "inconclusive": "yellow",
    "inapplicable": "dim",
    "untried": "bold red",
}


LINES = 10  # of progress, where it goes into a file


class Bar:
    """Progress of long work on standard error: a bar on a terminal, else at most LINES lines."""

    def __init__(self, what: str, total: int, *, silent: bool = False) -> None:
        self.what, self.total, self.done, self.silent = what, total, 0, silent
        self.live: Progress | None = None
        if sys.stderr.isatty() and not silent:
            self.live = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self) -> Callable[[str], None]:
        if self.live is not None:
            self.live.start()
            self.task = self.live.add_task(self.what, total=self.total)
        return self.step

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live is not None:
            self.live.stop()

    def step(self, name: str) -> None:
        """One more piece of work is done."""
        self.done += 1
        if self.live is not None:
            self.live.update(self.task, advance=1, description=f"{self.what} {name}")
        elif self.silent:
            return
        elif self.done * LINES // self.total > (self.done - 1) * LINES // self.total:
            print(f"{self.what} {self.done}/{self.total} {name}", file=sys.stderr, flush=True)


def grid(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], *, drop: str = ""
) -> None:
    """A table in which nothing is ever cut: where it is too wide, columns are left out, and named.

    Args:
        columns: headers; of numbers those in RIGHT, which stand on the right.
        rows: cells, with markup.
        drop: headers of columns that may be left out, separated by blanks, the first at first.
    """
    kept = list(range(len(columns)))
    widths = [max((Text.from_markup(row[i]).cell_len for row in rows), default=0) for i in kept]
    widths = [max(width, len(name)) for width, name in zip(widths, columns, strict=True)]
    left_out = []
    for name in drop.split():
        if sum(widths[i] + 2 for i in kept) - 2 <= console.width:
            break
        if name in columns:
            kept.remove(columns.index(name))
            left_out.append(name)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i in kept:
        right = columns[i] in RIGHT or columns[i].startswith("k = ")
        # a name is one word; words of a sentence may stand below each other
        table.add_column(
            columns[i],
            justify="right" if right else "left",
            overflow="fold",
            min_width=min(widths[i], console.width) if i == kept[0] else None,
        )
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    console.print(table)
    if left_out:
        console.print(
            f"left out at {console.width} columns: {', '.join(left_out)} (a wider terminal, a pipe "
            "or --json shows them)",
            style="dim",
            highlight=False,
        )


RIGHT = frozenset(
    (
        *("problems", "worst", "k", "worst case", "bound", "worst/bound", "attack", "basis"),
        *("inequalities", "seconds", "measured", "measured/bound", "operators"),
    )
)


def show_report(report: Report, console: Console, standing: Mapping[str, Standing] = {}) -> None:
    """The table of verdicts, then what did not hold or could not be decided."""
    table = verdict_table(report, standing)
    columns = list(table.columns)
    rows = []
    for s, cells in zip(report.summaries, table.rows(), strict=True):
        entry = standing.get(s.theorem.name)
        style = STYLE["violated" if entry is not None and entry.refuted else s.status]
        row = {name: escape(cell) for name, cell in cells.items()}
        rows.append(list({**row, "verdict": f"[{style}]{cells['verdict']}[/]"}.values()))
    grid(console, columns, rows, drop="order k constants where evidence problems worst")
    console.print()
    decided = sum(
        len([v for v in s.admissible if v.status != "inconclusive"]) for s in report.summaries
    )
    runs = sum(v.runs for s in report.summaries for v in s.verdicts)
    compared = sum(v.compared for s in report.summaries for v in s.verdicts)
    console.print(
        f"{_theorems(report)}, {decided} verdicts, {runs} runs, "
        f"{compared} comparisons decided{_to_k(report)}; "
        "worst = largest measured/bound; n (m?) = m of n problems are inconclusive"
        + ("; evidence: opcheck show THEOREM --evidence." if standing else "."),
        highlight=False,
    )
    for s in report.summaries:
        said_of_a = s.words_of_a if s.decided else ""
        if said_of_a and (len(report.summaries) == 1 or "A: no subdifferential" in s.holes):
            console.print(f"{s.theorem.name}: {said_of_a}", highlight=False, markup=False)
        if s.reason:
            said = "no problem decided anything" if s.admissible else "no problem satisfies it"
            said = s.reason if s.late else f"{said}, as in: {s.reason}"
            console.print(f"[{STYLE[s.status]}]{s.status}[/] {s.theorem.name}: ", end="")
            console.print(said, highlight=False, markup=False)
        for v in s.verdicts:
            if v.status in ("violated", "error"):
                show_verdict(v, console)


def _to_k(report: Report) -> str:
    """Up to which k there were comparisons: nothing is said of later ones."""
    last = sorted({max(s.theorem.horizons) for s in report.summaries if s.decided})
    if not last:
        return ""
    ends = f"{last[0]}" if len(last) == 1 else f"each horizon ({last[0]} to {last[-1]})"
    return f", at k up to {ends}"


def show_verification(
    result: Report | Verdict,
    console: Console,
    *,
    standing: Mapping[str, Standing] = {},
    coverage: bool = False,
    planted: Sequence[Mutant] | None = None,
) -> None:
    """What verify says: a table or one verdict, then what of its range and which errors it met."""
    if isinstance(result, Verdict):
        show_verdict(result, console)
    else:
        show_report(result, console, standing)
        if coverage:
            console.print()
            show_coverage(result, console)
    if planted is not None:
        console.print()
        show_mutants(planted, console)


def _theorems(report: Report) -> str:
    count = len(report.summaries)
    return f"{count} theorem{'s' * (count != 1)}"


def show_coverage(report: Report, console: Console) -> None:
    """Which parts of each hypothesis range decided comparisons entered, and the holes."""
    rows = []
    for s in report.summaries:
        for symbol, cover in s.entered.items():
            shown = ", ".join(f"{part} {count}" for part, count in cover.items())
            holes = ", ".join(part for part, count in cover.items() if not count)
            rows.append([s.theorem.name, symbol, shown, f"[bold red]{holes}[/]" if holes else ""])
    columns = ["theorem", "symbol", "comparisons decided in each part of its range", "holes"]
    grid(console, columns, rows)
    console.print()
    open_ = [f"{s.theorem.name} ({', '.join(s.holes)})" for s in report.summaries if s.holes]
    said = f"not entered: {'; '.join(open_)}" if open_ else "every part of every range was entered"
    console.print(f"{_theorems(report)}; {said}.", highlight=False)


def show_verdict(v: Verdict, console: Console) -> None:
    """One verdict: the status, the number, where, and why."""
    console.print(f"[{STYLE[v.status]}]{v.status}[/] {v.theorem} on {v.problem}", highlight=False)
    if v.reason:
        console.print(f"  {v.reason}", highlight=False, markup=False)
    if v.status == "inapplicable":
        return
    values = ", ".join(f"{n} = {x:.6g}" for n, x in v.parameters.items())
    # a bound that is not positive is no denominator
    what = "measured/bound" if v.positive else "1 + (measured − bound)/(|measured| + |bound|)"
    console.print(
        f"  {what} = {number(v.ratio, 6, v.excess)} at k = {v.k}, with {values}",
        highlight=False,
    )
    fitted = f", measured ~ k^{v.order:.2f}" if v.order is not None else ""
    console.print(
        f"  {v.runs} runs, {v.compared} comparisons decided, in {v.decided}; constants "
        f"{v.provenance}{fitted}",
        highlight=False,
    )


def constant_rows(constants: Sequence[Constant]) -> list[tuple[str, str]]:
    """One line a constant: its enclosure, or the side that is known, and how."""
    rows = []
    for c in constants:
        symbol = f"{c.kind.symbol} of {c.of}"
        region = f" on {c.region}" if c.region else ""
        if math.isfinite(c.lower) and math.isfinite(c.upper):
            value = f"in [{c.lower:.9g}, {c.upper:.9g}]"
        elif math.isfinite(c.lower):
            value = f"≥ {c.lower:.9g}"
        elif math.isfinite(c.upper):
            value = f"≤ {c.upper:.9g}"
        else:
            unknown = c.lower == -math.inf and c.upper == math.inf
            value = "is not known" if unknown else "no finite value found"
        rows.append((c.kind.name, f"{symbol} {value}{region}, {c.provenance} ({c.note})"))
    return rows


def show_mutants(mutants: Sequence[Mutant], console: Console) -> None:
    """Every planted error with its fate, the survivors last."""
    for m in sorted(mutants, key=lambda m: not m.caught):
        fate = f"[green]caught[/] by {m.by}" if m.caught else "[bold red]survived[/]"
        console.print(f"{m.kind:10} {m.where}: ", end="", highlight=False)
        console.print(m.change, end="", highlight=False, markup=False)
        console.print(f"  {fate}", highlight=False)
    console.print()
    console.print(mutant_line(mutants), highlight=False)


def mutant_line(mutants: Sequence[Mutant]) -> str:
    """How many were caught, in one sentence."""
    caught = sum(m.caught for m in mutants)
    share = 100 * caught / len(mutants) if mutants else 100.0
    return f"{caught} of {len(mutants)} planted errors were caught ({share:.1f} %)."


def named(problem: Problem) -> list[tuple[str, Any]]:
    """A problem's name, and in a line what it is, or was read as."""
    what = " ".join(problem.doc.partition("\n\n")[0].split())
    return [("problem", problem.name), *([("what", what)] if what else [])]


def pairs(rows: Sequence[tuple[str, Any]], console: Console) -> None:
    """Label and value, aligned."""
    width = max((len(label) for label, _ in rows), default=0)
    room = max(console.width - width - 2, 20)
    for label, value in rows:
        lines = [
            piece
            for line in str(value).splitlines() or [""]
            for piece in textwrap.wrap(line, room, break_long_words=False) or [""]
        ]
        for i, line in enumerate(lines):
            head = label if i == 0 else ""
            console.print(f"{head:{width}}  {line}", highlight=False, markup=False)


def show_described(described: Sequence[Sequence[tuple[str, Any]]], console: Console) -> None:
    """Every thing of one name."""
    for rows in described:
        pairs(rows, console)


def _choice(result: WorstCase | Attack) -> str:
    """The numbers that a worst case is about, and what A is."""
    numbers = [f"{n} = {v}" for n, v in {**result.constants, **result.parameters}.items()]
    return ", ".join([*numbers, result.A])


def show_worst(
    cases: Sequence[WorstCase],
    console: Console,
    reached: Sequence[float | None] = (),
    *,
    refuted: str = "",
) -> None:
    """One theorem's worst cases, one line a k, beside what an attack reaches of the bound."""
    if not cases:
        return
    first = cases[0]
    console.print(f"{first.theorem} with {_choice(first)}, R = 1", highlight=False)
    columns = ["k", "worst case", "bound", "worst/bound", *(["attack"] if reached else [])]
    columns += ["basis", "inequalities", "seconds"]
    rows = [
        [
            "every" if w.covers.every else str(w.k),
            "" if w.value is None else f"{w.value:.8g}",
            "" if w.bound is None else f"{w.bound:.8g}",
            f"{w.ratio:.8f}",
            *(["" if (ratio := reached[i]) is None else f"{ratio:.8f}"] if reached else []),
            str(w.basis),
            str(w.inequalities),
            f"{w.seconds:.2f}",
        ]
        for i, w in enumerate(cases)
    ]
    grid(console, columns, rows, drop="seconds basis inequalities")
    for w in cases:
        for words, value in w.active:
            console.print(f"  k = {w.k}: {value:.8g} × {words}", highlight=False, markup=False)
    for note in dict.fromkeys(note for w in cases for note in w.notes):
        console.print(f"note: {note}", highlight=False, markup=False)
    if refuted:
        console.print("[bold red]above the bound[/], ", end="")
        console.print(refuted, highlight=False, markup=False)
    elif any(w.ratio - w.error > 1 + ABOVE for w in cases):
        console.print(
            "note: above the bound: these inequalities do not prove it; being necessary only, they "
            "do not refute it either",
            highlight=False,
        )


def show_attempts(attempts: Sequence[Attempt], console: Console) -> None:
    """Theorem by theorem how each k was certified, then what was not and why."""
    ks = list(dict.fromkeys(a.k for a in attempts))
    rows = []
    for name in dict.fromkeys(a.theorem for a in attempts):
        cells = {a.k: a.cell for a in attempts if a.theorem == name}
        choices = dict.fromkeys(a.choice for a in attempts if a.theorem == name and a.choice)
        rows.append([name, *(cells.get(k, "") for k in ks), "; ".join(choices)])
    grid(console, ["theorem", *(f"k = {k}" for k in ks), "with"], rows, drop="with")
    console.print()
    whole = {a.theorem for a in attempts} - {a.theorem for a in attempts if not a.at_bound}
    exact = sum(a.at_bound for a in attempts)
    console.print(
        f"{exact} of {len(attempts)} certified at the bound; {len(whole)} theorems at every k "
        "asked. declared: from the proof; snapped, projected, interior: how a solver's became "
        "rational. Each is for every operator of the class in every dimension, at one choice of "
        "constants and parameters; --over PARAMETER tries several, opcheck prove is about all.",
        highlight=False,
    )
    _show_reasons(attempts, console)


def show_points(parameter: str, points: Sequence[Point], console: Console) -> None:
    """A row for each k and each value of a parameter, then what was not certified and why."""
    rows = [
        [str(p.attempt.k), str(p.value), p.place, p.attempt.cell, p.attempt.choice] for p in points
    ]
    grid(console, ["k", parameter, "in its range", "certified", "with"], rows)
    console.print()
    exact = sum(p.attempt.at_bound for p in points)
    console.print(
        f"{exact} of {len(points)} certified at the bound, each for every operator of the class in "
        f"every dimension at these constants and parameters; values of {parameter} between are not "
        "covered (opcheck prove is about all).",
        highlight=False,
    )
    _show_reasons([p.attempt for p in points], console)


def _show_reasons(attempts: Sequence[Attempt], console: Console) -> None:
    for kind in ("not certified", "refused"):
        reasons = dict.fromkeys(a.reason for a in attempts if a.kind == kind)
        for reason in reasons:
            said = reason if kind in reason else f"{kind}: {reason}"
            console.print(said, highlight=False, markup=False)
    for note in dict.fromkeys(note for a in attempts for note in a.notes):
        console.print(f"note: {note}", highlight=False, markup=False)


def show_proofs(attempts: Sequence[ProofAttempt], console: Console) -> None:
    """One proof in full, or a line a theorem."""
    tried = [attempt for attempt in attempts if attempt.status != "none"]
    if len(attempts) == 1 and attempts[0].proved:
        show_proof(attempts[0].proved, console)
        return
    rows = []
    for attempt in tried:
        proof = attempt.proved
        names = [_inequality(i) for p in (proof.lemmas if proof else ()) for i, _ in p.multipliers]
        used = ", ".join(n for n in dict.fromkeys(names) if n != "potential")
        rows.append([attempt.theorem, attempt.status, proof.covers if proof else "", used])
    grid(console, ["theorem", "verdict", "for", "inequalities"], rows)
    console.print()
    proved, part = (sum(attempt.status == s for attempt in attempts) for s in ("proved", "in part"))
    console.print(
        f"{proved} of {len(attempts)} proved for all k and all admissible parameters"
        + (f", {part} more for some whole parameters" if part else "")
        + f"; {len(attempts) - len(tried)} declare no potential argument.",
        highlight=False,
    )
    for attempt in attempts:
        words = attempt.reason
        if attempt.status == "none":
            looks = f"opcheck discover {attempt.theorem} looks for one"
            words = f"{attempt.theorem} declares none: {words or looks}"
        if words:
            console.print(words, highlight=False, markup=False)


def _inequality(text: str) -> str:
    """The name of an inequality, also at another step."""
    while text.startswith(("next(", "last(")):
        text = text.partition("(")[2]
    return text.partition("(")[0].rstrip(")")


def show_discovery(discovery: Discovery | Improvement, command: str, console: Console) -> None:
    """The proof as it is pasted, or why there is none; of a better statement also where it ends."""
    console.print(discovery.sentence, highlight=False, markup=False)
    for sentence in discovery.limits:
        console.print(f"  {sentence}", highlight=False, markup=False)
    for each in () if discovery.ok else discovery.tries:
        console.print(f"  {each.family}: {each.reason}", highlight=False, markup=False)
    if discovery.ok:
        console.print(discovery.declaration, highlight=False, markup=False, soft_wrap=True)
    if command:
        console.print(command, highlight=False, markup=False)


def show_discoveries(rows: Sequence[Mapping[str, str]], console: Console) -> None:
    """A line a theorem, and how many of those with a declared proof were found again."""
    columns = ["theorem", "declared", "outcome", "family"]
    grid(console, columns, [[row[c] for c in columns] for row in rows])
    known = [row for row in rows if row["declared"]]
    again = sum(row["outcome"] == "found" for row in known)
    more = sum(row["outcome"] == "found" for row in rows) - again
    console.print(f"{again} of {len(known)} declared found again; {more} others found")


def show_cross_checks(checks: Sequence[CrossCheck], console: Console) -> None:
    """A line a theorem: what each part says of it."""
    rows = [
        [
            check.theorem,
            check.proof,
            ", ".join(
                f"k={k}: {number(float(Fraction(v)), 7) if len(v) >= 9 else v}"
                for k, v in check.certified.items()
            )
            or "–",
            ", ".join(f"k={k}: {v:.6g}" for k, v in check.worst.items()) or "–",
            ", ".join(_attacked(check)) or "–",
            _runs_of(check),
            check.agreement,
        ]
        for check in checks
    ]
    grid(
        console,
        ["theorem", "prove", "certify", "worst", "attack", "verify", "agree"],
        rows,
        drop="worst attack certify verify prove",
    )


def _attacked(check: CrossCheck) -> list[str]:
    """What the attack reached at each k, and the most of it at ends of ranges."""
    cells = [f"k={k}: {v:.6g}" for k, v in check.reached.items()]
    return cells + ([f"ends: {max(check.at_ends.values()):.6g}"] if check.at_ends else [])


def _runs_of(check: CrossCheck) -> str:
    """What runs say: nothing passes for "not violated" that was not compared."""
    if check.violated:
        return f"violated on {', '.join(check.violated)}"
    if check.errors:
        return f"errors on {len(check.errors)} of {check.problems}"
    if not check.problems:
        return "not tried"
    if not check.compared:
        return f"nothing compared on {check.problems}"
    return f"not violated on {check.problems}"


def show_proof(proof: Proved, console: Console) -> None:
    verdict = "proved in part, for" if proof.only else "proved for"
    rows: list[tuple[str, Any]] = [("theorem", proof.theorem), (verdict, proof.covers)]
    if proof.remark:
        rows.append(("the author remarks", f"{proof.remark} (not checked)"))
    if proof.potential:
        rows += [("potential V", proof.potential), ("V starts at most", proof.at_most)]
    rows += [("where", f"{name} is {text}") for name, text in proof.symbols.items()]
    pairs(rows, console)
    for lemma in proof.lemmas:
        console.print()
        console.print(f"{lemma.shows}, is the sum of", style="bold", markup=False)
        for inequality, multiplier in lemma.multipliers:
            console.print(f"  ({multiplier}) · {inequality}", highlight=False, markup=False)
        for weight, vector in lemma.squares:
            console.print(f"  ({weight}) · ‖{vector}‖²", highlight=False, markup=False)
        if not lemma.multipliers and not lemma.squares:
            console.print("  nothing: it is 0")


def show_potential(potential: Potential, console: Console) -> None:
    """The potential, its rate and how it was proved."""
    values = ", ".join(f"{n} = {v}" for n, v in potential.parameters.items())
    small = "" if potential.smallest is None else f"; by the solver ≥ {potential.smallest:.8f}"
    theta = potential.theta
    ahead = "k + 1" if potential.steps == 1 else f"k + {potential.steps}"
    rows: list[tuple[str, Any]] = [
        ("method", potential.method + (f" with {values}" if values else "")),
        ("given", ", ".join(potential.given)),
        ("V", str(potential)),
        ("above", f"‖z − {potential.origin}‖²" if potential.above == "distance" else "‖F z‖²"),
        ("proved", f"V at {ahead} ≤ θ V at k, θ = {theta} ({float(theta):.8f}{small})"),
        ("for", f"{potential.covers}; in every dimension"),
        ("how", f"{potential.decreases.how}; lies above: {potential.bounds.how}"),
    ]
    pairs([*rows, *(("note", note) for note in potential.notes)], console)


def show_over_range(over: OverRange, console: Console) -> None:
    """The rate over a range, the potential and its proof."""
    values = ", ".join(f"{n} = {v}" for n, v in over.parameters.items())
    small = "" if over.smallest is None else f"; by the solver ≥ {over.smallest:.8f}"
    rate = f"θ = {over.theta} ({float(over.theta):.8f}{small})"
    begin = f" from k = {over.theorem.first} on" if over.theorem.first else ""
    factor = "" if over.factor == 1 else f"{over.factor} "
    span = f"{over.low} ≤ {over.parameter} ≤ {over.high}"
    pairs(
        [
            ("method", over.method + (f" with {values}" if values else "")),
            ("given", ", ".join(over.given)),
            ("V", over.potential),
            ("proved", f"V at k + 1 ≤ θ V at k{begin}, {rate}"),
            ("so", f"‖z − z*‖² ≤ {factor}θ^k R² at every k"),
            ("for", f"every {span}; in every dimension"),
            ("how", "by prove, for all k at once; --out writes the declaration"),
        ],
        console,
    )


def show_attack(attack: Attack, console: Console) -> None:
    """The worst operator at each k."""
    console.print(
        f"{attack.theorem} with {_choice(attack)}, R = 1, seed {attack.seed}", highlight=False
    )
    rows = [
        [
            str(reached.k),
            f"{reached.value:.8g}",
            number(reached.ratio, 8),
            str(reached.runs),
            escape(
                ", A = ".join(v for v in (reached.operator, reached.constraint) if v)
                + (f", with {reached.at}" if reached.at else "")
            ),
        ]
        for reached in (*attack.reached, *attack.ends)
    ]
    columns = ["k", "measured", "measured/bound", "operators", "worst at"]
    grid(console, columns, rows, drop="operators measured")
    console.print(
        "searched: normal operators, 4 × 4 matrices, piecewise linear ones of the plane, the worst "
        "that are affine or have one fold; a lower bound on the worst case",
        highlight=False,
    )
    for note in attack.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    if not attack.ok:
        console.print("[bold red]above the bound[/], ", end="")
        console.print(attack.ground, highlight=False, markup=False)


def show_dossier(
    dossier: Dossier, console: Console, *, statement: Sequence[tuple[str, Any]] = ()
) -> None:
    """The statement, then the seven rungs: whether, the numbers, the command."""
    if statement:
        pairs(statement, console)
        console.print()
    for i, rung in enumerate(dossier.rungs, 1):
        mark = "[green]yes[/]" if rung.stands else "[yellow]no [/]"
        console.print(f"{i} {rung.name:17} {mark}  ", end="", highlight=False)
        for j, line in enumerate(rung.says):
            console.print(" " * 25 * (j > 0) + line, highlight=False, markup=False)
        console.print(" " * 25 + f"$ {rung.command}", style="dim", highlight=False, markup=False)
    console.print(f"\nstands on: {str(dossier.standing) or 'nothing'}", highlight=False)
