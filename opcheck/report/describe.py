"""Anything by name, as label and value."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.check import applicable, described
from opcheck.evidence.dossier import Dossier, dossier
from opcheck.evidence.operators.subject import is_subject, subject
from opcheck.evidence.statement.hypotheses import classes
from opcheck.model.method import Method, Over, resolve
from opcheck.model.paper import Paper
from opcheck.model.problem import Family, Problem
from opcheck.model.property import KINDS, Kind
from opcheck.model.theorem import Source, Theorem
from opcheck.model.written import call_of
from opcheck.references import reference

Rows = list[tuple[str, Any]]
PROPERTIES = {kind.name: kind for kind in KINDS}


def names_meant(reference: str) -> list[str]:
    """What a user's ``FILE.py``, or ``FILE.py:NAME``, registers, of any kind; theorems first.

    The reference itself where that is nothing (it may be a function or a matrix), or no file.
    """
    if ".py" not in reference:
        return [reference]
    names: list[str] = []
    for kind in ("theorems", "problems", "methods", "measures", "sets"):
        with contextlib.suppress(OpcheckError):
            names += registry.in_file(kind, reference)
    return list(dict.fromkeys(names)) or [reference]


def evidence_of(name: str, file: str = "") -> tuple[Dossier, Rows]:
    """A theorem's evidence, and its statement. Raises OpcheckError for what is no theorem.

    Args:
        file: that registers it, where it is a user's own: the commands of its evidence name it.
    """
    described = describe(name)
    if name not in registry.names("theorems"):
        raise OpcheckError(f"{name!r} is no theorem; --evidence is about theorems")
    evidence = dossier(name)
    if file:
        with_file = f"opcheck --plugin {shlex.quote(file)} "
        rungs = [
            replace(
                rung,
                says=tuple(
                    said.replace("opcheck prove ", f"{with_file}prove ") for said in rung.says
                ),
                command=rung.command.replace("opcheck ", with_file, 1),
            )
            for rung in evidence.rungs
        ]
        evidence = replace(evidence, rungs=tuple(rungs))
    return evidence, next(rows for rows in described if rows[0][0] == "theorem")


def describe(name: str) -> list[Rows]:
    """Every registered object of that name, or a problem that ``subject`` reads, ``bilinear(L=2)``.

    Raises OpcheckError if there is none.
    """
    if name in PROPERTIES:
        return [_property(PROPERTIES[name])]
    known = any(name in registry.names(kind) for kind in registry.KINDS)
    called = call_of(name)
    if not known and called is not None and called[0] in registry.names("methods"):
        return [[("method", name), *_method(resolve(name))]]
    if not known and is_subject(name):
        p = subject(name)
        return [[("problem", p.name), ("what", p.doc), *of_problem(p), *_theorems(p)]]
    described = []
    for kind, value in registry.find(name):
        rows: Rows = [(kind[:-1], name)]
        if isinstance(value, Theorem):
            rows += _theorem(value)
        elif isinstance(value, Method | Over):
            rows += _method(value)
        elif isinstance(value, Family):
            rows += _family(value)
        elif isinstance(value, Paper):
            rows += _paper(value)
        else:
            doc = getattr(value, "doc", None) or getattr(value, "__doc__", None) or ""
            rows += [("what", doc.strip())]
        place = registry.place(kind, name)
        file = "/".join(place.replace("\\", "/").split("/")[-2:])
        described.append([*rows, ("written in", file)])
    return described


def _property(kind: Kind) -> Rows:
    rows: Rows = [("property", kind.name), ("says", kind.meaning)]
    of_T = "T" in kind.meaning
    constant = f'"{kind.symbol}", ' if kind.better else ""
    if kind.better:
        rows += [("constant", f"{kind.symbol}; a {kind.better} one says more")]
    rows += [("of", "T = I − F" if of_T else "F, A, S = F + A, or T = I − F")]
    return [*rows, ("as", f'{kind.name}({constant}of="{"FT"[of_T]}")')]


def _paper(p: Paper) -> Rows:
    rows: Rows = [("citation", p.citation)] + ([("what", p.doc)] if p.doc else [])
    figures = [(f"{f.number}, " if f.number else "") + f"{f.id}: {f.title}" for f in p.figures]
    rows += [("figures", "\n".join(figures))]
    rows += [("claims", "\n".join(f"{c.id}: {c.says}" for c in p.claims))] if p.claims else []
    left = "\n".join(f"{number}: {why}" for number, why in p.missing.items())
    return [*rows, ("not redrawn", left)] if left else rows


def _theorem(t: Theorem) -> Rows:
    sign = {"equality": "=", "must fail": "≤ (must fail)"}.get(t.claim, "≤")
    rows: Rows = [("method", t.method), ("given", "\n".join(t.hypotheses))]
    rows += [("where", t.where)] if t.where else []
    rows += [("let", "\n".join(f"{n} = {f}" for n, f in t.let.items()))] if t.let else []
    rows += [("claim", f"{t.measure} {sign} {t.bound}"), ("kind", t.claim)]
    rows += [("order", t.order)] if t.order else []
    rows += [("for", f"k ≥ {t.first}")] if t.first else []
    if t.proof is not None:
        what = f"V = {t.proof.potential}" if t.proof.potential else "in one step"
        rows += [("proof", f"{what} (opcheck prove {t.name})")]
    rows += [("no proof", t.unproved)] if t.unproved else []
    return [*rows, ("source", t.source), *_cited(t.source.key), ("note", t.doc)]


def _method(m: Method | Over) -> Rows:
    rows: Rows = [("what", m.doc)]
    names = [
        p.name + ("[k]" if p.sequence else "") + (" (whole)" if p.integer else "")
        for p in m.parameters
    ]
    rows += [("parameters", ", ".join(names) or "none"), ("rows", " ".join(m.rows))]
    if isinstance(m, Method):
        rows += [
            ("calls", f"{m.calls} a step"),
            ("constraints", "yes, by the resolvent of A" if m.constrained else "no, A = 0 only"),
        ]
    return [*rows, ("source", m.source), *_cited(m.source)]


def sources_of(name: str) -> list[str]:
    """The keys of the papers that what is registered under a name is from; [] for none.

    Raises OpcheckError where nothing has that name.
    """
    keys = []
    for _, value in registry.find(name):
        source = getattr(value, "source", "")
        keys.append(source.key if isinstance(source, Source) else source)
    return [key for key in dict.fromkeys(keys) if key]


def _cited(key: str) -> Rows:
    paper = reference(key)
    return [] if paper is None else [("paper", str(paper))]


def _family(family: Family) -> Rows:
    rows: Rows = [("what", family.doc), *of_problem(family(), family.parameters())]
    rows += _theorems(family())
    rows += [("control", f"breaks: {family.control}")] if family.control else []
    rows += [("presets", "\n".join(str(dict(c)) for c in family.presets))] if family.presets else []
    return rows


def of_problem(p: Problem, parameters: Mapping[str, Any] | None = None) -> Rows:
    """What a problem is: its parameters, F and A, start, solution, facts and classes."""
    values = p.parameters if parameters is None else parameters
    rows: Rows = [("parameters", ", ".join(f"{n} = {v}" for n, v in values.items()) or "none")]
    rows += [("F", p.operator.formula), ("A", p.resolvent.name), ("dimension", p.dim)]
    shown = p.start[:6].tolist()
    rows += [("start", f"{shown}{' ...' if p.dim > 6 else ''}")]
    if p.solution is not None:
        rows += [("solution", f"{p.solution[:6].tolist()}{' ...' if p.dim > 6 else ''}")]
    if p.oracle is not None:
        rows += [("noisy", p.oracle.formula)]
        if p.solution is not None:
            rows += [("variance", f"{p.oracle.variance(p.solution):.6g} at the solution")]
    for fact in p.all_facts():
        rows += [("fact", described(fact, p) + (f" ({fact.note})" if fact.note else ""))]
    rows += [("class", described(fact, p)) for fact in classes(p)]
    rows += [("region", str(p.region))] if p.region else []
    return rows


def _theorems(p: Problem) -> Rows:
    return [("theorems", "\n".join(applicable(p)) or "none applies")]
