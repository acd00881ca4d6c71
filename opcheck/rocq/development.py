"""A proved statement as a file of Rocq: the method, what is assumed, the potential, the theorem."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from opcheck.engine.ratio import Ratio
from opcheck.evidence.proofs.prove import (
    KNOWN,
    Argument,
    Case,
    established,
    fixed_choices,
    opened,
)
from opcheck.model import grammar
from opcheck.model.grammar import Node
from opcheck.model.result import Result
from opcheck.model.theorem import WORDS_OF_A, Theorem, theorem_of
from opcheck.rocq.expressions import HORIZON, LAST, At, NotExported, Real, Tree, Writer, walk
from opcheck.rocq.iteration import Iteration
from opcheck.rocq.lemma import Agreement, Lemma, Setting, cauchy, hypothesis, of_cauchy
from opcheck.rocq.loops import length_in, split
from opcheck.rocq.names import Names, classes
from opcheck.rocq.scene import index_of, suffix, turn_of
from opcheck.rocq.signs import Charts
from opcheck.rocq.texts import LETS, Texts, spoken
from opcheck.rocq.ways import Way, decision, forced

TRANSITIVE = {"<=": "Rle_trans", "=": "eq_trans"}
POLES = 3  # first k that may be shown apart
PROVED = "proved"  # what the core is called where two constants are taken to agree
GRAPHS = {"JA": "A", "JS": "(plus F A)", "JF": "(graph F)"}


Goal = Callable[[At], tuple[str, str]]


@dataclass(frozen=True)
class Development(Result):
    """A proved statement as a file of Rocq, to be compiled beside the prelude.

    Attributes:
        names: the theorems that the file ends with, one for each choice of whole parameters.
        text: the file.
        beyond: what of the proof is not in it, as later k; "" for nothing.
    """

    theorem: str
    names: tuple[str, ...]
    text: str
    beyond: str = ""


def export(theorem: str | Theorem) -> Development:
    """A theorem and its declared argument as a development of Rocq.

    Raises NotProved where the argument does not show the statement, NotExported, with the part,
    where it has no form in Rocq here, InternalError where what was written is not what was proved.
    """
    entry = theorem_of(theorem)
    shown = established(entry)
    assert entry.proof is not None
    try:
        cases = [apart for each in shown for apart in _without_poles(*each)]
        left_out = []
        if entry.proof.until is not None:  # the file is about the k up to there, and says so
            cases = [each for each in cases if each[0].at is not None]
            left_out.append(f"k > {entry.proof.until}")
        names, lines = [], list[str]()
        for fixed in fixed_choices(entry.proof):
            own = [c for c in cases if {**c[0].case, "k": ""} == {**fixed, "k": ""}]
            try:
                part = Part(entry, fixed, own)
                lines += part.lines()
            except NotExported as reason:
                length = length_in(fixed)
                if length is None:
                    raise
                left_out.insert(0, f"every {length.name} from {length.least} on ({reason})")
            else:
                names.append(f"{part.module}.{part.name}")
        if not names:
            raise NotExported(f"{left_out[0]} has no form in Rocq here")
    except NotExported as reason:
        raise NotExported(f"{entry.name}: {reason}") from reason
    beyond = ", ".join(left_out)
    head = [
        f"(* Written by opcheck for {entry.name}. Compile Opcheck.v beside it first. *)",
        *([f"(* Not in this file: {_plain(beyond)}, which opcheck proves too. *)"] * bool(beyond)),
        "Require Import Opcheck.",
        "",
    ]
    text = "\n".join([*head, *lines]).rstrip() + "\n"
    return Development(entry.name, tuple(names), text, beyond)


def _of_length(argument: Argument) -> bool:
    """Whether it is about the lengths of an inequality of Cauchy."""
    return argument.name.startswith("length")


def _without_poles(case: Case, argument: Argument) -> Iterator[tuple[Case, Argument]]:
    """A case, and the first k apart where its squares have no value there.

    There what is left is a limit of sums of squares, which is for opcheck to see and not for Rocq.
    """
    while case.at is None and "k" in case.indices and not _finite(case, argument):
        least = case.least
        if least > case.theorem.first + POLES:
            raise NotExported("the squares that are left have poles on the range")
        if case.reader.assumed:
            raise NotExported("the squares that are left have poles where a test decides")
        if length_in(case.case) is not None:
            raise NotExported("the squares that are left have poles on the range")
        yield Case(case.theorem, case.part, case.case, least, least).settled()
        case, argument = Case(case.theorem, case.part, case.case, None, least + 1).settled()
    yield case, argument


def _finite(case: Case, argument: Argument) -> bool:
    """Whether no denominator of the squares is 0 anywhere on the range."""
    domain = case.domain()
    return all(
        domain.nonzero(Ratio(c.field, c.den, c.field.one))
        for weight, row in argument.squares
        for c in (weight, *row.values())
    )


class Part:
    """The statement at one choice of its whole parameters."""

    def __init__(
        self,
        theorem: Theorem,
        fixed: Mapping[str, str],
        cases: Sequence[tuple[Case, Argument]],
    ) -> None:
        self.theorem, self.fixed, self.cases = theorem, fixed, cases
        assert theorem.proof is not None
        self.proof = theorem.proof
        self.length = length_in(fixed)
        numbers = {n: int(v) for n, v in fixed.items() if v.isdigit()}
        self.iteration = Iteration(theorem, numbers, spoken(theorem), self.length)
        self.texts = Texts(theorem, self.iteration, numbers)
        self.words = Names([])
        choice = "".join(
            f"_{n}_{v}" if v.isdigit() else f"_{n}_from_{opened(v)[0]}" for n, v in fixed.items()
        )
        self.name = self.words.of_theorem(theorem.name + choice)
        self.module = f"Of_{self.name}"
        self.names = self.words
        self.setting = Setting(theorem, self.iteration, self.texts, self.names, Charts(self.names))
        self.write = Writer(self.names)
        self.relation = "=" if theorem.claim == "equality" else "<="

    # ---- texts ----

    def potential(self, at: At, texts: Texts | None = None) -> Real:
        """V as a tree."""
        tree = (texts or self.texts).real(grammar.parse(self.proof.potential), at)
        assert isinstance(tree, Real)
        return tree

    def sides(self, at: At) -> tuple[Real, Real]:
        """What is measured and what bounds it."""
        return (
            self.texts.real(self.theorem.left.tree, at),
            self.texts.real(self.theorem.right.tree, at),
        )

    def at_most(self) -> str:
        """B."""
        return self.write(self.texts.real(grammar.parse(self.proof.at_most), At("")))

    # ---- the file ----

    def lines(self) -> list[str]:
        """The development at this choice."""
        k = At("k")
        left, right = self.sides(k)
        potential = self.potential(k) if self.proof.potential else None
        lemmas = self._lemmas()
        terms = self.terms()
        trees = [left, right, *([potential] if potential is not None else []), *terms.values()]
        lets = self.lets_of(trees)
        agreeing = self.setting.agreeing()
        core = PROVED if agreeing else self.name
        statement = [
            f"Theorem {core} : forall k : nat,{self._premise()}",
            f"  {self.write(left)}",
            f"  {self.relation} {self.write(right)}.",
        ]
        lines = self.premises(lets, terms)
        if potential is not None:
            own = [self.defined(name) for name in self.own_lets(potential)]
            before = f"{HORIZON.nat} " if self.texts.horizon else ""
            until = ", for a run up to step n" if before else ""
            lines += [f"(* the potential{until} *)", *own, f"Definition V ({before}k : nat) : R :="]
            lines += [f"  {self.write(potential)}.", ""]
        if agreeing:
            lines += ["Section Agreeing."]
            lines += [
                f"Hypothesis agree{i} : {a.small} <= {a.large}." for i, a in enumerate(agreeing)
            ]
        own = self.own_lets(potential) if potential is not None else []
        lets += [self.defined(name) for name in own]
        lines += [*self.equations(), "", *self.tactics(lets, terms), "", *lemmas]
        lines += [*statement, *self._conclusion()]
        if agreeing:
            lines += ["End Agreeing.", "", *self._without_agreement(agreeing, statement)]
        lines += [f"End {self.module}.", f"End {self.module}."]
        return [*lines, f"Print Assumptions {self.module}.{self.name}.", ""]

    def premises(self, lets: Sequence[str], terms: Mapping[str, Tree]) -> list[str]:
        """All that stands before the proof: the symbols, the method, what is assumed, summands."""
        lines = [*self.comment(), f"Module {self.module}.", ""]
        if self.setting.charts.lines:
            lines += ["(* signs on the ranges: of no interest to a reader *)"]
            lines += [*self.setting.charts.lines, ""]
        lines += [f"Section {self.module}.", *self._variables(), ""]
        lines += [*lets, ""] if lets else []
        lines += [*self._method(), "", "(* what is assumed *)", *self._hypotheses(), ""]
        for term, tree in terms.items():
            lines += [f"Definition {term} (j : nat) : R := {self.write(tree)}."]
            lines += [
                f"Lemma {term}_is j : {term} j = {self.write(tree)}. Proof. reflexivity. Qed."
            ]
        return lines

    def _premise(self) -> str:
        first, until = self.theorem.first, self.proof.until
        premises = [f"({first} <= k)%nat"] if first else []
        premises += [f"(k <= {until})%nat"] if until is not None else []
        premises += [f"(k <= {LAST.nat})%nat"] if self.texts.run else []
        return "".join(f" {premise} ->" for premise in premises)

    def comment(self) -> list[str]:
        source = self.theorem.source
        about = [
            f"{n} = {v}" if v.isdigit() else f"every {n} from {opened(v)[0]} on"
            for n, v in self.fixed.items()
        ]
        said = [
            f"{self.theorem.name}{', ' + ', '.join(about) if about else ''}: {self.theorem.doc}",
            f"{source.key}{', ' + source.number if source.number else ''}.",
            f"{WORDS_OF_A[self.theorem.A]}. The statement is the theorem at the end.",
        ]
        if self.proof.turn:
            said.insert(
                2, f"About operators of one kind, as those of {' or '.join(self.theorem.on)}."
            )
        text = "\n".join(
            line
            for part in said
            for line in textwrap.wrap(_plain(part), 96, break_long_words=False)
        )
        return ["(* " + text.replace("\n", "\n   ") + " *)"]

    def _symbols(self) -> list[str]:
        """Constants and parameters that are real numbers of the statement."""
        theorem = self.theorem
        constants = [p.symbol for p in theorem.asked if p.symbol is not None]
        spoken = [c.name for c in [*theorem.conditions, *theorem.chains]]
        parameters = [n for n in spoken if n.isidentifier()]  # "0" in 0 < mu
        whole = self.texts.whole
        return [n for n in dict.fromkeys([*constants, *parameters]) if n not in whole]

    def _resolvents(self) -> dict[str, Real]:
        """The resolvents that the development takes, with their steps."""
        sizes = {**self.texts.resolvents}
        for name, size in self.iteration.steps.items():
            if sizes.setdefault(name, size) != size:
                raise NotExported(f"the resolvent {name} is taken with more than one step")
        for size in sizes.values():
            if any(n.kind == "let" or n.kind == "index" for n in walk(size)):
                raise NotExported("the step of a resolvent depends on k")
        return sizes

    def _variables(self) -> list[str]:
        held = ["(F : E -> E)"]
        if self.theorem.A != "zero":
            held.append("(A : operator E)")
        if self.theorem.A == "subdifferential":
            held.append("(f : E -> R)")
        held += [f"({name} : E -> E)" for name in self._resolvents()]
        held += [f"({self.names(self.length.name)} : nat)"] if self.length else []
        held += [f"({LAST.nat} : nat)"] if self.texts.run else []
        symbols = [self.names(n) for n in self._symbols()]
        numbers = [f"({' '.join(symbols)} : R)"] if symbols else []
        return [f"Context {{E : Space}} {' '.join([*held, *numbers])} (z0 zstar : E)."]

    def lets_of(self, trees: Sequence[Tree]) -> list[str]:
        """Definitions of the symbols of let that are used, each after what it uses."""
        theorem, lines, done = self.theorem, [], set[str]()

        def define(name: str) -> None:
            if name in done or name not in theorem.let or name in self.texts.whole:
                return
            done.add(name)
            for inner in _symbols(self.texts.real(grammar.parse(theorem.let[name]), At("k"))):
                define(inner)
            lines.append(self.defined(name))

        used = [*trees, *(v for s in self.iteration.every_step for v in s.rows.values())]
        used += [t for e in self.setting.ends() for t in e.trees]
        used += self._resolvents().values()
        for tree in used:
            for name in _symbols(tree):
                define(name)
        return lines

    def own_lets(self, potential: Real) -> list[str]:
        """The symbols of the argument alone that the potential is made of."""
        held = _symbols(potential)
        return [n for n in self.proof.let if any(self.texts.depends(s, n) for s in held)]

    def defined(self, name: str) -> str:
        """The definition of a symbol of let."""
        tree = self.texts.real(grammar.parse(self.texts.let[name]), At("k"))
        on = (
            [HORIZON.nat]
            if self.texts.horizon and self.texts.depends(name, self.texts.horizon)
            else []
        )
        on += ["k"] if self.texts.depends(name, "k") else []
        indices = f" ({' '.join(on)} : nat)" if on else ""
        return f"Definition {self.names(name)}{indices} : R := {self.write(tree)}."

    def _method(self) -> list[str]:
        doc = _plain(self.iteration.method.doc)
        about = textwrap.wrap(f"{self.iteration.method.name}: {doc}", 94)
        comment = "(* " + "\n   ".join(about) + " *)"
        return [comment, *self.iteration.definition(self.names)]

    def _hypotheses(self) -> list[str]:
        theorem, setting = self.theorem, self.setting
        lines = [f"Hypothesis {c}_is_positive : 0 < {c}." for c in setting.positive()]
        if self.length is not None:
            tau = self.names(self.length.name)
            lines.append(f"Hypothesis range_{tau} : ({self.length.least} <= {tau})%nat.")
        for i, end in enumerate(setting.ends()):
            lines.append(f"Hypothesis range_{i + 1} : {end.words}.")
        for p in theorem.asked:
            constant = f" {setting.constant(p)}" if p.kind.better is not None else ""
            star = " zstar" if p.kind.star else ""
            kind = "Comonotone" if p.kind.name == "Cocoercive" else p.kind.name
            operator = setting.operator(p.of)
            if kind not in classes():
                raise NotExported(f"the property {p.kind.name} has no form in Rocq here")
            lines.append(f"Hypothesis {hypothesis(p)} : {kind}{constant} {operator}{star}.")
        if self.proof.turn:
            lines.append(f"Hypothesis family : Turn {' '.join(setting.turn())} F zstar.")
        if theorem.A == "zero":
            lines.append("Hypothesis solution : Zero (graph F) zstar.")
            lines.append("Let solution_of_F : F zstar = zero := eq_sym solution.")
        else:
            lines.append("Hypothesis solution : Zero (plus F A) zstar.")
            lines.append("Let solution_of_A := zero_of_sum F A zstar solution.")
        if theorem.A == "monotone":
            lines.append("Hypothesis A_monotone : Monotone A.")
        if theorem.A == "subdifferential":
            lines.append("Hypothesis A_subgradient : Subgradient f A.")
            lines.append("Let A_monotone := monotone_of_subgradient f A A_subgradient.")
        plain = {self.names(n) for n in self._symbols()}
        for name, size in self._resolvents().items():
            word = Writer(self.names)(size, 5)
            lines.append(
                f"Hypothesis {name}_is_resolvent : Resolvent {word} {GRAPHS[name]} {name}."
            )
            if word not in plain and _symbols(self.texts.inlined(size)):
                lines.append(f"Hypothesis {name}_step_is_positive : 0 < {word}.")
        return lines

    def equations(self) -> list[str]:
        """The rows at the start and after a step."""
        live, zero = self.iteration.live, self.iteration.method.zero
        lines = [
            f"Lemma {self.names(r)}_first : {self.names(r)} 0 = {'zero' if r in zero else 'z0'}. "
            "Proof. reflexivity. Qed."
            for r in live
        ]
        rows = ", ".join(self.names(r) for r in live)
        lines += self.iteration.phases(self.names)
        for i, branch in enumerate(self.iteration.branches):
            quantified, stated = f" {branch.base}" if branch.base else "", ""
            proof = "reflexivity."
            if self.iteration.every_step[i].loop is not None:
                proof = "rewrite <- ?looped. reflexivity."
            if self.iteration.roles:
                role = self.iteration.roles[i]
                quantified, stated, named, applied = self.iteration.at_role(role, self.names)
                proof = (
                    f"intros {named}. unfold {rows}. cbn [run]. rewrite !{applied}. reflexivity."
                )
            if self.iteration.by_residue:
                proof = f"unfold {rows}. cbn [run]. rewrite !(step_{i} m). reflexivity."
            for name in live:
                left, right = self.iteration.equation(name, i)
                lemma = f"{self.names(name)}_next{suffix(self.iteration, i)}"
                lines.append(
                    f"Lemma {lemma}{quantified} : {stated}{self.write(left)} = "
                    f"({self.write(right)})%vec.\n"
                    f"Proof. {proof} Qed."
                )
        return lines

    def terms(self) -> dict[str, Tree]:
        """Summands of sums, each with its definition."""
        out: dict[str, Tree] = {}
        while len(out) < len(self.texts.terms):
            for node, name in list(self.texts.terms.items()):
                if name not in out:
                    out[name] = self.texts.real(node, At("j"))
        return out

    def tactics(self, lets: Sequence[str], terms: Mapping[str, Tree]) -> list[str]:
        symbols = " ".join(line.split()[1] for line in lets)
        heads = ["F", *self._resolvents(), *map(self.names, self.iteration.live)]
        heads += ["inside"] if any(s.loop for s in self.iteration.every_step) else []
        heads += ["f"] if self.theorem.A == "subdifferential" else []
        potential = "unfold V; " if self.proof.potential else ""
        lines = [
            f"Ltac unfold_lets := {f'cbv beta delta [{symbols}]' if symbols else 'idtac'}.",
            f"Ltac unfold_known := {f'cbv beta delta [{symbols}] in *' if symbols else 'idtac'}.",
            "Ltac unfold_all :=",
            f"  {potential}rewrite ?S_INR, ?mult_INR; cbn [before INR Nat.pred];",
            "  rewrite <- ?tech_pow_Rmult; mods;",
            *(f"  rewrite ?{term}_is;" for term in terms),
            "  rewrite ?S_INR, ?mult_INR; cbn [INR Nat.pred]; mods.",
            "Ltac abstract_all := "
            + " ".join(f"forget {head};" for head in heads)
            + " generalize zstar z0; cbn [fst].",
        ]
        return lines

    # ---- lemmas ----

    def _grown(self, case: Case, late: int) -> tuple[Real, Node, int]:
        """The potential some steps after that of a case, and its text."""
        at = index_of(case)
        tree = self.potential(at.plus(late), self._read(case, at))
        return tree, grammar.parse(self.proof.potential), late

    def _read(self, case: Case, at: At) -> Texts:
        """The texts as a case reads them at an index: in the end the horizon is that."""
        return self.texts.at_end(at) if self.proof.horizon and case.part == "end" else self.texts

    def _set(self, case: Case) -> Setting:
        """What lemmas share, with the ranges and texts of a case."""
        return replace(self.setting, theorem=case.theorem, texts=self._read(case, index_of(case)))

    def _of(self, part: str) -> list[tuple[Case, Argument]]:
        return [c for c in self.cases if c[0].part == part and not _of_length(c[1])]

    def _lengths(self, case: Case, name: str) -> tuple[dict[str, str], list[str]]:
        """For each inequality of Cauchy that a case uses the lemma it rests on; these lemmas."""
        arguments = [a for c, a in self.cases if c is case]
        asked = [i for a in arguments if not _of_length(a) for i, _, _ in a.used if of_cauchy(i)]
        names: dict[str, str] = {}
        lines: list[str] = []
        for source, argument in zip(asked, filter(_of_length, arguments), strict=True):
            names[source] = f"{name}_length_{len(names) + 1}"
            goal = functools.partial(self._shorter, source)
            lemma = Lemma(self.setting, case, argument, goal, [])
            if lemma.premises():
                raise NotExported("lengths are compared where a test decides")
            lines += [*lemma.lines(names[source]), ""]
        return names, lines

    def _shorter(self, source: str, at: At) -> tuple[str, str]:
        """‖v‖² and ‖w‖² of Cauchy(u, v, w)."""
        _, v, w = cauchy(self.texts, source, at)
        return self.write(v * v), self.write(w * w)

    def _lemmas(self) -> list[str]:
        """Start, descent, bounded, end."""
        lines: list[str] = []
        if self.proof.potential:
            most = self.at_most()
            most_node = grammar.parse(self.proof.at_most)
            most_tree = self.texts.real(most_node, At(""))
            begin: list[Way] = []
            steps: list[Way] = []
            last = f"{HORIZON.nat} " if self.texts.horizon else ""
            for case, argument in self._of("start"):
                begin.append(self._way("start", case))
                begun = [self._grown(case, 0), (most_tree, most_node, 0)]
                goal = functools.partial(_at_most, last, most)
                lines += [*self._lemma(begin[-1], argument, goal, begun), ""]
            for case, argument in self._of("step"):
                steps.append(self._way("descent", case))
                grown = [self._grown(case, late) for late in (0, 1)]
                lengths, shown = self._lengths(case, steps[-1].name)
                goal = functools.partial(_descent, last)
                lines += [*shown, *self._lemma(steps[-1], argument, goal, grown, lengths), ""]
            lines += self._forced([*begin, *steps])
            lines += self._bounded(begin, steps, most)
        self._ends: list[Way] = []
        for case, argument in self._of("end"):
            self._ends.append(self._way("at_end", case))
            left, right = self.sides(index_of(case))
            used = [(left, self.theorem.left.tree, 0), (right, self.theorem.right.tree, 0)]
            known = {inequality for inequality, _, _ in argument.used}
            used += [self._grown(case, i) for i, n in enumerate(KNOWN) if n in known]
            lengths, shown = self._lengths(case, self._ends[-1].name)
            lines += [*shown, *self._lemma(self._ends[-1], argument, self._goal, used, lengths), ""]
        self._early: list[Way] = []
        for case, argument in self._of("early"):
            self._early.append(self._way("before_last", case))
            left, right = self.sides(index_of(case))
            used = [(left, self.theorem.left.tree, 0), (right, self.theorem.right.tree, 0)]
            lines += [*self._lemma(self._early[-1], argument, self._goal, used), ""]
        return [*lines, *self._forced([*self._ends, *self._early])]

    def _way(self, stem: str, case: Case) -> Way:
        """The lemma of a case, named by where it is about."""
        at = index_of(case)
        turn = turn_of(case, self.names, at) if at.base else None
        if turn is not None:
            return Way(f"{stem}_{turn.name}", case, turn)
        apart = stem != "start" and (not at.base or self.iteration.by_residue > 0)
        return Way(f"{stem}_{at.add}" if apart else stem, case)

    def _lemma(
        self,
        way: Way,
        argument: Argument,
        goal: Goal,
        texts: Sequence[tuple[Real, Node, int]],
        lengths: Mapping[str, str] = {},
    ) -> list[str]:
        lemma = Lemma(self._set(way.case), way.case, argument, goal, texts, lengths=lengths)
        return lemma.lines(way.name)

    def _forced(self, ways: Sequence[Way]) -> list[str]:
        """That a test holds, or does not, where every case takes it so."""
        lines: list[str] = []
        for way, depth in forced(ways):
            case = way.case
            before = Case(
                case.theorem,
                case.part,
                case.case,
                case.at,
                case.least,
                begins=case.begins,
                assumed=case.reader.assumed,
            )
            before.reader.suppose(depth)
            argument = Argument(way.always(depth), (), (), case.reader.field.number(0))
            goal = functools.partial(self._compared, way, depth)
            test = case.reader.assumed[depth]
            lemma = Lemma(self._set(case), before, argument, goal, [], forced=test)
            lines += [*lemma.lines(way.always(depth)), ""]
        return lines

    def _compared(self, way: Way, depth: int, at: At) -> tuple[str, str]:
        """Both sides of a test that a way takes, the smaller one first."""
        small, large = map(self.write, way.test(depth, self._read(way.case, at), at))
        return (small, large) if way.taken[depth] else (large, small)

    def _bounded(self, begin: Sequence[Way], steps: Sequence[Way], most: str) -> list[str]:
        """That V is at most B at every step, by induction."""
        start = At("m", 1, self.proof.begin)
        first = self._used(begin, "", At("", 1, self.proof.begin), final=False)
        if self.texts.run:
            head = [
                f"Lemma bounded m : ({self.theorem.first} <= {LAST.nat})%nat -> "
                f"({start.nat} <= {LAST.nat})%nat -> V {start.nat} <= {most}.",
                "Proof.",
                f"  intros some upto. induction m as [|m IH]; [{first}|].",
                "  eapply Rle_trans; [|apply IH; lia]. clear IH.",
            ]
        elif self.proof.horizon:
            head = [
                f"Lemma bounded {HORIZON.nat} m : (1 <= {HORIZON.nat})%nat -> "
                f"({start.nat} <= {HORIZON.nat})%nat -> V {HORIZON.nat} {start.nat} <= {most}.",
                "Proof.",
                f"  intros some upto. induction m as [|m IH]; [{first}|].",
                "  eapply Rle_trans; [|apply IH; lia]. clear IH.",
            ]
        else:
            head = [
                f"Lemma bounded m : V {start.nat} {self.relation} {most}.",
                "Proof.",
                f"  induction m as [|m IH]; [{first}|].",
                f"  eapply {TRANSITIVE[self.relation]}; [|exact IH]. clear IH.",
            ]
        return [*head, *self._split(steps, "m", final=False), "Qed.", ""]

    def _goal(self, at: At) -> tuple[str, str]:
        left, right = self.sides(at)
        return self.write(left), self.write(right)

    def _conclusion(self) -> list[str]:
        first = self.theorem.first
        lines = ["Proof using All.", "  intros k."]
        if first:
            lines += ["  intros first.", *["  destruct k as [|k]; [exfalso; lia|]."] * first]
        if self.proof.until is not None:
            lines += ["  intros most."]
        if self.texts.run:
            at = At("k", 1, first)
            lines += [
                f"  intros within. destruct (Nat.eq_dec {LAST.nat} {at.nat}) as [ended|apart].",
                "  {",
                *self._split(self._ends, "k", final=True),
                "  }",
                f"  assert (upto : ({at.plus(1).nat} <= {LAST.nat})%nat) by lia.",
                "  clear within apart.",
                *self._split(self._early, "k", final=True),
                "Qed.",
            ]
            return lines
        return [*lines, *self._split(self._ends, "k", final=True), "Qed."]

    def _split(self, ways: Sequence[Way], var: str, *, final: bool) -> list[str]:
        """Use lemmas at numbers, then the general one; or one for each residue."""
        indices = sorted(dict.fromkeys(way.at for way in ways), key=lambda at: at.add)
        about = {at: [way for way in ways if way.at == at] for at in indices}
        lines = [
            f"  destruct {var} as [|{var}]; [{self._used(about[at], '', at, final=final)}|]."
            for at in indices
            if not at.base
        ]
        general = [at for at in indices if at.base]
        if turns := [(way.turn, way.stem) for way in ways if way.turn is not None]:
            index = At(var, 1, general[0].add)
            for test, stem, arguments in split(turns, index):
                these = [way for way in ways if way.stem == stem]
                use = self._used(these, arguments, index, final=final)
                lines.append(f"  {test}[{use}|]." if test else f"  {use}.")
            return lines
        if len(general) == 1:
            (at,) = general
            index = At(var, at.factor, at.add)
            return [*lines, f"  {self._used(about[at], var, index, final=final)}."]
        count = len(general)
        if not count:  # the statement is about the first few k
            return [*lines, "  exfalso; lia."]
        lines += [
            f"  pose proof (Nat.div_mod {var} {count} ltac:(lia)) as quotient.",
            f"  pose proof (Nat.mod_upper_bound {var} {count} ltac:(lia)) as less.",
            f"  set (q := Nat.div {var} {count}) in *. set (r := Nat.modulo {var} {count}) in *. "
            "clearbody q r.",
        ]
        for at in general:
            index = At("q", count, at.add)
            lines.append(
                f"  destruct r as [|r]; [replace {var} with ({index.nat})%nat by lia; "
                f"{self._used(about[at], 'q', index, final=final)}|]."
            )
        return [*lines, "  exfalso; lia."]

    def _used(self, ways: Sequence[Way], argument: str, at: At, *, final: bool) -> str:
        """How the lemmas about an index are used for the goal there."""
        case = ways[0].case
        arguments = f" {argument}" * bool(argument)
        if self.texts.run or (self.texts.horizon and case.part != "end"):
            arguments += f" {HORIZON.nat}" if self.texts.horizon else ""
            arguments += {"start": " some", "end": " ended"}.get(case.part, " upto")
        call = decision(ways, self._read(case, at), self.write, at, arguments)
        if not final:
            return call
        call = f"cbn [Nat.pred]; {call}"
        if not at.base or at.real == f"INR {at.nat}":
            return call
        return (
            f"try replace (INR {at.nat}) with ({at.real}) by "
            f"(rewrite ?S_INR, ?mult_INR; cbn [INR]; ring); {call}"
        )

    def _without_agreement(self, agreeing: Sequence[Agreement], core: Sequence[str]) -> list[str]:
        """The theorem where two constants need not agree: then all points are one."""
        lines = [core[0].replace(PROVED, self.name), *core[1:], "Proof using All."]
        for i, pair in enumerate(agreeing):
            positive = f"{pair.positive}_is_positive"
            if not pair.positive.isidentifier():  # a number
                positive = f"positive{i}"
                lines.append(f"  assert ({positive} : 0 < {pair.positive}) by lra.")
            lines.append(f"  destruct (Rle_dec {pair.small} {pair.large}) as [agree{i}|apart{i}];")
            lines.append(
                f"    [|intros; pose proof ({pair.lemma} F _ _ {positive} "
                f"{pair.first} {pair.second} apart{i}) as alone; collapse alone]."
            )
        agreed = " ".join(f"agree{i}" for i in range(len(agreeing)))
        return [*lines, f"  exact ({PROVED} {agreed}).", "Qed.", ""]


def _descent(last: str, at: At) -> tuple[str, str]:
    return f"V {last}{at.plus(1).nat}", f"V {last}{at.nat}"


def _at_most(last: str, most: str, at: At) -> tuple[str, str]:
    return f"V {last}{at.nat}", most


def _symbols(tree: Tree) -> list[str]:
    """The symbols in a tree."""
    return [n.parts[0] for n in walk(tree) if n.kind in LETS]


def _plain(text: str) -> str:
    """A text that may stand in a comment."""
    return " ".join(text.replace("(*", "( *").replace("*)", "* )").replace('"', "'").split())
