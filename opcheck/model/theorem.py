"""Theorems: hypotheses, a method, a step range, what is measured and by what it is bounded."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Literal, ParamSpec, get_args

from opcheck import registry
from opcheck.arguments import asked
from opcheck.errors import OpcheckError
from opcheck.model import signature, typeset
from opcheck.model.brief import brief
from opcheck.model.method import Method, resolve
from opcheck.model.proof import Proof
from opcheck.model.property import Property
from opcheck.model.text import Chain, Text, chains, text

P = ParamSpec("P")
Claim = Literal["upper bound", "equality", "one-step", "must fail"]
OfA = Literal["zero", "monotone", "subdifferential"]
WORDS_OF_A: dict[OfA, str] = {
    "zero": "A = 0",
    "monotone": "A maximally monotone",
    "subdifferential": "A = ∂f with f convex",
}


@dataclass(frozen=True)
class Source:
    """Where a statement stands.

    Attributes:
        key: BibTeX key.
        number: theorem number or place.
        confirmed: whether the statement was read there; else shape and constant are from memory.
        derived: the constant is ours, after that source.
    """

    key: str
    number: str = ""
    confirmed: bool = False
    derived: bool = False

    def __str__(self) -> str:
        """Key, number and grade."""
        grade = "derived here" if self.derived else "confirmed" if self.confirmed else "unconfirmed"
        return f"{self.key}{', ' + self.number if self.number else ''} [{grade}]"


Source.__init__ = asked(Source.__init__)  # type: ignore[method-assign]


@brief
@dataclass(frozen=True, eq=False)
class Theorem:
    """A statement ``measure ≤ bound`` for every k, as ``theorem`` registers it.

    Args:
        name: ``authorYEAR_what``.
        method: as in ``rapp`` or ``lookahead(extragradient)``.
        given: properties whose constants are symbols of the other texts.
        technical: what computing needs beyond the statement, as a Lipschitz constant for the loop
            that finds J_{γS}; asked of a problem like the rest.
        where: ranges of the method's parameters, each using earlier symbols only, as in
            ``"0 < gamma < 1/L, 0 < alpha < 1 + 2*rho/gamma"``, and conditions on the constants.
        let: further symbols, and parameters that are formulas (of k for a sequence, of the
            horizon K); evaluated when what they use is known.
        measure, bound: texts over recorded sequences: a measure by name, of a row as in
            ``residual(zbar)``; ``next(s)``, ``upto(s)``, ``before(s)``, ``best(s)``, ``first(s)``;
            R is the distance of z⁰ from the solution. What a step writes is indexed by that step.
        claim: "upper bound"; "equality"; "one-step" (the bound is in terms of step k);
            "must fail": the bound is exceeded somewhere on every admissible problem.
        order: stated decay of the measure, as ``1/k``.
        source: where the statement stands.
        on: restricts the statement to these problem families.
        horizons: values of K; several where parameters depend on K.
        first: smallest k the statement is about.
        free: further symbols that ``where`` ranges over, as κ in a horizon rule.
        at_least: parameters set by ``let`` of which more is covered too, as τ inner steps.
        paper: the source's own parameter choices, as formulas.
        constrained: what A may be beside 0: True for every maximally monotone A, "subdifferential"
            for those of convex functions alone, normal cones among them.
        reaches: the largest measured/bound that the built-in problems are known to reach; the
            bound cut below it must be reported violated (a mutant).
        doc: the statement in words and what is known about its constant.
        proof: a potential argument that shows it for all k and all admissible parameters.
        unproved: why no argument is declared, where none is.

    Raises OpcheckError if the claim is unknown, the proof no Proof, or a field of another kind;
    ``theorem`` also for a text without a meaning: in a file that is being imported once all of it
    is, since texts name methods and measures.
    """

    name: str
    _: KW_ONLY
    method: str
    given: Sequence[Property] = ()
    technical: Sequence[Property] = ()
    where: str = ""
    let: Mapping[str, str] = field(default_factory=dict)
    measure: str
    bound: str
    claim: Claim = "upper bound"
    order: str = ""
    source: Source
    on: Sequence[str] = ()
    horizons: Sequence[int] = (300,)
    first: int = 0
    free: Sequence[str] = ()
    at_least: Sequence[str] = ()
    paper: Sequence[Mapping[str, str]] = ()
    constrained: bool | Literal["subdifferential"] = False
    reaches: float = 0.0
    doc: str = ""
    proof: Proof | None = None
    unproved: str = ""

    def __post_init__(self) -> None:
        """Look at the kind of every field, and keep lists as tuples."""
        self._check_kinds()
        for several in ("given", "technical", "on", "horizons", "free", "at_least", "paper"):
            object.__setattr__(self, several, tuple(getattr(self, several)))
        object.__setattr__(self, "let", dict(self.let))

    def _check_kinds(self) -> None:
        name, claim, horizons = self.name, self.claim, self.horizons
        if claim not in get_args(Claim):
            raise OpcheckError(f"{name}: claim {claim!r} is none of {', '.join(get_args(Claim))}")
        papers = {f"paper[{i}]": choice for i, choice in enumerate(self.paper)}
        signature.kinds(
            name,
            texts={t: getattr(self, t) for t in ("method", "where", "measure", "bound")},
            mappings={"let": self.let, **papers},
            properties={"given": self.given, "technical": self.technical},
            names={n: getattr(self, n) for n in ("on", "free", "at_least")},
        )
        if not isinstance(self.source, Source):
            raise OpcheckError(
                f"{name}: source = {self.source!r}; write source=Source('key', 'Theorem 1')"
            )
        if isinstance(horizons, int | str) or not isinstance(horizons, Sequence):
            raise OpcheckError(f"{name}: horizons = {horizons!r} is no list; write horizons=[300]")
        if self.constrained not in (False, True, "subdifferential"):
            raise OpcheckError(
                f"{name}: constrained = {self.constrained!r} is none of False, True, "
                "'subdifferential'"
            )
        if not isinstance(self.proof, Proof | None):
            kind = type(self.proof).__name__
            raise OpcheckError(f"{name}: proof is a {kind}; write proof=Proof(...)")

    @functools.cached_property
    def iteration(self) -> Method:
        """The iteration."""
        return resolve(self.method)

    @functools.cached_property
    def chains(self) -> list[Chain]:
        """The parameter ranges of ``where``, in order."""
        return [c for c in self._parts if c.parameter]

    @property
    def conditions(self) -> list[Chain]:
        """The parts of ``where`` that are about the constants alone."""
        return [c for c in self._parts if not c.parameter]

    @functools.cached_property
    def _parts(self) -> list[Chain]:
        own = {p.symbol for p in self.iteration.parameters} - self.let.keys()
        constants = {p.constant for p in self.asked}
        positive = {p.symbol for p in self.asked if p.kind.positive and p.symbol is not None}
        return chains(self.where, frozenset(own - constants | set(self.free)), frozenset(positive))

    @functools.cached_property
    def left(self) -> Text:
        """What is measured."""
        return text(self.measure, frozenset(registry.entered("measures")))

    @functools.cached_property
    def right(self) -> Text:
        """What bounds it."""
        return text(self.bound, frozenset(registry.entered("measures")))

    @property
    def A(self) -> OfA:
        """What the statement takes A to be."""
        if not (self.constrained and self.iteration.constrained):
            return "zero"
        return "subdifferential" if self.constrained == "subdifferential" else "monotone"

    @property
    def asked(self) -> tuple[Property, ...]:
        """Every property a problem must have."""
        return (*self.given, *self.technical)

    @property
    def sequences(self) -> frozenset[str]:
        """Symbols that depend on k: sequences of the method, and what is made of them or of k."""
        of_method = {p.symbol for p in self.iteration.parameters if p.sequence}
        return typeset.dependent(self.let, of_method)

    def latex(self) -> str:
        """The claim, measure against bound, as LaTeX without the dollars around it."""
        sign = {"equality": "=", "must fail": r"\nleq"}.get(self.claim, r"\le")
        sides = [typeset.formula(text, self.sequences) for text in (self.measure, self.bound)]
        return f" {sign} ".join(sides)

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    @property
    def hypotheses(self) -> list[str]:
        """The assumptions as sentences."""
        parts = [
            f"{p.kind.name}({p.constant or ''}) of {p.of}".replace("()", "") for p in self.asked
        ]
        if self.on:
            parts.append(f"problem is {' or '.join(self.on)}")
        return [*parts, WORDS_OF_A[self.A]]


def theorem_of(theorem: str | Theorem) -> Theorem:
    """A theorem by its name, or by ``FILE.py:NAME``; or itself.

    Raises OpcheckError for anything else, and for a file that registers several.
    """
    if isinstance(theorem, Theorem):
        return theorem
    if not isinstance(theorem, str):
        raise OpcheckError(f"{theorem!r} is no theorem; give a name or a theorem")
    if not theorem.endswith(".py") and ".py:" not in theorem:
        return registry.get("theorems", theorem)  # type: ignore[no-any-return]
    names = registry.in_file("theorems", theorem)
    if len(names) != 1:
        raise OpcheckError(
            f"{theorem} registers {', '.join(names)}; name one, as {theorem}:{names[0]}"
        )
    return registry.get("theorems", names[0])  # type: ignore[no-any-return]


def without_proof(theorem: Theorem) -> Theorem:
    """The same statement about the same method, also where that is no registered one."""
    bare = replace(theorem, proof=None)
    bare.__dict__["iteration"] = theorem.iteration
    return bare


def _registered(declared: Callable[P, Theorem]) -> Callable[P, Theorem]:
    def theorem(*args: P.args, **fields: P.kwargs) -> Theorem:
        entry = declared(*args, **fields)
        registry.register("theorems", entry.name, entry, registry.caller())
        registry.check_when_loaded("theorems", entry.name, lambda: signature.check(entry))
        return entry

    theorem.__qualname__ = "theorem"
    theorem.__doc__ = (declared.__doc__ or "").replace("A statement", "Register a statement", 1)
    theorem.__signature__ = inspect.signature(declared)  # type: ignore[attr-defined]
    return asked(theorem)


theorem = _registered(Theorem)
