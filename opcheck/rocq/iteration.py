"""A method as a function of Rocq: its kernel's own text, run on trees."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opcheck.engine.coefficients import UNCONSTRAINED
from opcheck.engine.ratio import Special
from opcheck.engine.rows import in_every_dimension
from opcheck.errors import Undecided
from opcheck.evidence.proofs.prove import residue
from opcheck.model import grammar
from opcheck.model.theorem import Theorem
from opcheck.rocq.expressions import (
    ATOM,
    Z0,
    At,
    KernelIndex,
    NotExported,
    Real,
    Tree,
    Vector,
    Writer,
    number,
    replaced,
    walk,
)
from opcheck.rocq.loops import ROLES, Length, Loop, Passes, speaks_of_inside


@dataclass(frozen=True)
class Call:
    """A value that a step asked for.

    Attributes:
        image: the value as a tree.
        rows: the rows that hold the point and the value where the kernel asked; "" for none.
    """

    image: Vector
    rows: tuple[str, str]


class Scribe:
    """F, J and the resolvent of the sum for a kernel that runs on trees."""

    reading: Any

    def __init__(self, A: str, rows: Sequence[str], state: Any) -> None:
        self.A, self.rows, self.state = A, rows, state
        self.calls: list[Call] = []
        self.steps: dict[str, Real] = {}  # of the resolvents
        self.reading = self

    def __call__(self, z: Any, out: Any, data: Any) -> None:
        self._answer("F", z, out)

    def resolvent(self, z: Any, gamma: Any, out: Any, data: Any) -> None:
        """J of A."""
        self._answer("JA", z, out, gamma)

    def resolvent_of_sum(
        self, F: Any, F_data: Any, J: Any, J_data: Any, z: Any, gamma: Any, out: Any
    ) -> None:
        """J of S, which is F where A = 0 or J is left out."""
        single = self.A == "zero" or J is UNCONSTRAINED
        self._answer("JF" if single else "JS", z, out, gamma)

    def _answer(self, name: str, z: Any, out: Any, gamma: Any = None) -> None:
        point = z[0]
        if not isinstance(point, Vector):
            raise NotExported("a kernel asks for a value at what is no vector")
        if gamma is not None:
            size = gamma.tree if isinstance(gamma, Real) else number(gamma)
            if self.steps.setdefault(name, size) != size:
                raise NotExported("a kernel takes resolvents of one operator with two steps")
        image = Vector("image", (name, point))
        self.calls.append(Call(image, (self._row(z), self._row(out))))
        out[0] = image

    def _row(self, array: Any) -> str:
        """The name of the row that an array is."""
        spot = (array.ctypes.data - self.state.ctypes.data) // self.state.strides[0]
        inside = 0 <= spot < len(self.rows) and np.shares_memory(array, self.state)
        return self.rows[spot] if inside else ""


@dataclass(frozen=True)
class Step:
    """One step: the rows after it, by the rows before it, and what was asked for in order.

    Attributes:
        loop: of any length, that the step runs through.
    """

    rows: Mapping[str, Vector]
    calls: tuple[Call, ...]
    loop: Loop | None = None


class Iteration:
    """A method at one choice of its whole parameters.

    Args:
        fixed: the whole parameters.
        spoken: the rows that the texts speak of.
        length: of a loop, which stands for every one from its least on.

    Raises NotExported for a method that has no form here.
    """

    def __init__(
        self,
        theorem: Theorem,
        fixed: Mapping[str, int],
        spoken: set[str],
        length: Length | None = None,
    ) -> None:
        self.theorem, self.method, self.length = theorem, theorem.iteration, length
        given = {*fixed, *([length.name] if length else [])}
        self.fixed = {**fixed, **_whole(theorem, given)}
        self.steps: dict[str, Real] = {}
        self.roles: tuple[str, ...] = ()  # where a step is one of a loop of any length
        if length is not None and "(" in self.method.name:
            self.roles = ROLES
        self.branches = self._branches()
        self.live = self._live({*spoken} & {*self.method.rows} | {"z"})

    # ---- one step ----

    def parameter(self, name: str, at: At) -> Any:
        """A parameter as a kernel gets it."""
        if name in self.fixed:
            return self.fixed[name]
        if self.length is not None and name == self.length.name:
            return self.length
        if depends_on_k(self.theorem, name):
            return Real("let", (name, at))
        return Real("symbol", (name,))

    def row(self, name: str, at: At) -> Vector:
        """A row of the state before step ``at``."""
        return Z0 if name == "anchor" else Vector("row", (name, at))

    def step(self, at: At, role: str = "") -> Step:
        """One step from state ``at``, of a role where it is one of a loop of any length.

        Raises Special where some k is another step.
        """
        method = self.method
        state = np.empty((len(method.rows), 1), dtype=object)
        for own, name in zip(state, method.rows, strict=True):
            own[0] = self.row(name, at)
        oracle = Scribe(self.theorem.A, method.rows, state)
        params = np.empty(len(method.parameters), dtype=object)
        params[:] = [self.parameter(p.symbol, at) for p in method.parameters]
        passes = Passes(method.rows, state, at, lambda: len(oracle.calls))
        if self.length is not None and not self.roles:
            params[[p.symbol for p in method.parameters].index(self.length.name)] = passes
        J = oracle.resolvent if self.theorem.A != "zero" else UNCONSTRAINED
        try:
            in_every_dimension(method.kernel)(
                oracle, None, J, None, state, params, KernelIndex(at, role), 1
            )
        except Special:
            raise
        except (TypeError, AttributeError, Undecided) as error:
            raise NotExported(f"the text of {method.name} has no form in Rocq: {error}") from error
        for name, size in oracle.steps.items():
            known = self.steps.setdefault(name, size)
            if known != size:
                raise NotExported(f"the resolvent {name} is taken with more than one step")
        rows = {n: own[0] for n, own in zip(method.rows, state, strict=True) if n != "anchor"}
        return Step(rows, tuple(oracle.calls), passes.loop())

    @property
    def every_step(self) -> list[Step]:
        """The step of each branch."""
        roles = self.roles or [""] * len(self.branches)
        return [self.step(at, role) for at, role in zip(self.branches, roles, strict=True)]

    def _branches(self) -> list[At]:
        if self.roles:
            return [At("n")] * len(self.roles)
        assert self.theorem.proof is not None
        sources = [
            case.get("k", "k")
            for case in self.theorem.proof.cases
            if all(case[n] == str(v) for n, v in self.fixed.items() if n in case)
            and (self.length is None or not case[self.length.name].isdigit())
        ]
        residues = dict.fromkeys(residue(self.theorem, source) for source in sources)
        if len(residues) > 1:
            return [At("m", c, r) for c, r in sorted(residues, key=lambda pair: pair[1])]
        try:
            self.step(At("n"))
        except Special as special:
            if special.k != 0:
                raise NotExported(f"{self.method.name} treats k = {special.k} apart") from special
            return [At(""), At("n", 1, 1)]
        return [At("n")]

    def branch_of(self, at: At) -> int:
        """Which branch step ``at`` is of, as a place in ``branches``."""
        if len(self.branches) == 1:
            return 0
        if self.branches[0].factor == 1 and not self.branches[0].base:
            return 0 if not at.base and at.add == 0 else 1
        return at.add % self.branches[0].factor

    @property
    def by_residue(self) -> int:
        """The number of steps of a loop; 0 where steps are no loop."""
        return len(self.branches) if self.branches[0].factor > 1 else 0

    @property
    def read(self) -> list[str]:
        """The live rows that a step reads before it writes them."""
        trees = [t for s in self.every_step for t in (*(s.rows[r] for r in self.live), *_asked(s))]
        held = {n.parts[0] for t in trees for n in walk(t) if n.kind == "row"}
        return [r for r in self.live if r in held]

    def _live(self, needed: set[str]) -> list[str]:
        """Rows that are spoken of, and those that they are made of."""
        steps = self.every_step
        while True:
            trees: list[Tree] = [s.rows[r] for s in steps for r in needed - {"anchor"}]
            trees += [tree for s in steps for tree in _asked(s)]
            read = {n.parts[0] for t in trees for n in walk(t) if n.kind == "row"}
            if read <= needed:
                return [r for r in self.method.rows if r in needed - {"anchor"}]
            needed = needed | read

    # ---- in words ----

    def images(self, step: Step, at: At, own: str = "") -> dict[Tree, Tree]:
        """What a step asks for, at rows of the next state where they hold the point.

        Args:
            own: a row that is being defined, and can't be spoken of.
        """
        rows = {step.rows[r]: r for r in reversed(self.live) if r != own}
        out: dict[Tree, Tree] = {}
        for call in step.calls:
            name, point = call.image.parts
            if point in rows and point.kind not in ("row", "z0"):
                held: Vector = Vector("row", (rows[point], at.plus(1)))
            else:
                held = replaced(point, out)
            out[call.image] = Vector("image", (name, held))
        return out

    def equation(self, name: str, place: int) -> tuple[Vector, Vector]:
        """A row after a step, and what it is in terms of rows before it and of other rows."""
        step, branch = self.every_step[place], self.branches[place]
        left = Vector("row", (name, branch.plus(1)))
        return left, replaced(step.rows[name], self.images(step, branch, name))

    def definition(self, word: Any) -> list[str]:
        """The lines that define the iteration: state, step, run and its rows."""
        live, zero = self.live, self.method.zero
        lines = [f"Record state := {{ {'; '.join(f'row_{r} : E' for r in live)} }}.", ""]
        lines += [line for step in self.every_step for line in self._pass(step, word)]
        lines.append("Definition step (j : nat) (s : state) : state :=")
        lines += [f"  let {word(r)} := row_{r} s in" for r in live if r in self.read]
        if self.roles:
            tau = self._length(word)
            t = f"Nat.modulo j {tau}"
            first, middle, last = (self._body(i, word, "    ") for i in range(3))
            lines += [f"  if Nat.eqb ({t}) 0 then", *first]
            lines += [f"  else if Nat.eqb ({t}) (Nat.pred {tau}) then", *last, "  else", *middle]
            lines[-1] += "."
        elif self.by_residue:
            lines.append(f"  match Nat.modulo j {self.by_residue} with")
            for i, branch in enumerate(self.branches):
                label = str(branch.add) if i + 1 < len(self.branches) else "_"
                lines += [f"  | {label} =>", *self._body(i, word, "    ")]
            lines.append("  end.")
        elif len(self.branches) == 2:
            lines += ["  match j with", "  | O =>", *self._body(0, word, "    ")]
            lines += ["  | S _ =>", *self._body(1, word, "    "), "  end."]
        else:
            lines += self._body(0, word, "  ")
            lines[-1] += "."
        start = "; ".join(f"row_{r} := {'zero' if r in zero else 'z0'}" for r in live)
        lines += [
            "",
            "Fixpoint run (k : nat) : state :=",
            f"  match k with O => {{| {start} |}} | S j => step j (run j) end.",
            "",
        ]
        lines += [f"Definition {word(r)} (k : nat) : E := row_{r} (run k)." for r in live]
        return lines

    def phases(self, word: Any) -> list[str]:
        """A step of a loop, by its place in the loop; and what an inner loop ends with."""
        lines = [line for step in self.every_step for line in self._looped(step, word)]
        for place, role in enumerate(self.roles):
            more, premises, names, known = _by_role(self._length(word))[role]
            lines += [
                f"Lemma step_{role} n s{more} : {premises} step n s =",
                "  let j := n in",
                *[f"  let {word(r)} := row_{r} s in" for r in self.live if r in self.read],
                *self._body(place, word, "  "),
            ]
            lines[-1] += "."
            lines.append(f"Proof. intros {names}. {known} reflexivity. Qed.")
        for i, branch in enumerate(self.branches if self.by_residue else []):
            c, r = branch.factor, branch.add
            lines += [
                f"Lemma phase_{i} m : Nat.modulo {branch.nat} {c} = {r}%nat.",
                f"Proof. exact (residue_of {c} {r} m ltac:(discriminate)). Qed.",
                f"Lemma step_{i} m s : step {branch.nat} s =",
                f"  let j := {branch.nat}%nat in",
                *[f"  let {word(r)} := row_{r} s in" for r in self.live if r in self.read],
                *self._body(i, word, "  "),
            ]
            lines[-1] += "."
            lines.append(f"Proof. unfold step. rewrite (phase_{i} m). reflexivity. Qed.")
        return lines

    def at_role(self, role: str, word: Any) -> tuple[str, str, str, str]:
        """Of a step n of a role: variables, premises, names for them, the lemma that tells it."""
        more, premises, names, _ = _by_role(self._length(word))[role]
        return f" n{more}", f"{premises} ", names, f"(step_{role} n _{more} {names})"

    def _length(self, word: Any) -> str:
        """The word of the length that stands for many."""
        assert self.length is not None
        name: str = word(self.length.name)
        return name

    # ---- an inner loop ----

    def _kept(self, loop: Loop) -> list[str]:
        """The rows that each pass of a loop reads and leaves as they are."""
        rows = {n.parts[0] for n in walk(loop.body) if n.kind == "row"}
        return [r for r in self.live if r in rows]

    def _pass(self, step: Step, word: Any) -> list[str]:
        """What one pass of an inner loop makes of its row."""
        loop = step.loop
        if loop is None:
            return []
        if any(n.kind in ("let", "index") for n in walk(loop.body)):
            raise NotExported("what a pass of an inner loop does depends on k")
        at, own = loop.inside.parts[1], word(loop.row)
        named: dict[Tree, str] = {Vector("row", (r, at)): word(r) for r in self._kept(loop)}
        lets = _Lets(word, {**named, loop.inside: own}, {*named.values(), own}, "  ")
        for call in step.calls[loop.calls[1] : loop.calls[2]]:
            if call.image != loop.body:
                lets.ask(call)
        return [
            "(* one pass of the loop *)",
            f"Definition pass{''.join(f' ({n} : E)' for n in (*named.values(), own))} : E :=",
            *lets.lines,
            f"  {_in_scope(lets.write(loop.body))}.",
            "",
        ]

    def _looped(self, step: Step, word: Any) -> list[str]:
        """What an inner loop ends with, told by the row before its last pass."""
        loop = step.loop
        if loop is None:
            return []
        at, tau, write = loop.inside.parts[1], self._length(word), Writer(word)
        if not at.base:
            raise NotExported("an inner loop of a first step that is not like the rest")
        kept = "".join(f" {write(self.row(r, at), ATOM)}" for r in self._kept(loop))
        begins = _in_scope(write(loop.begun))
        passes = f"(pass{kept}) {begins}"
        return [
            "(* the row before the last pass of a step *)",
            f"Definition inside ({at.nat} : nat) : E := passes (Nat.pred {tau}) {passes}.",
            f"Lemma looped {at.nat} : passes {tau} {passes} = {_in_scope(write(loop.body))}.",
            f"Proof. exact (last_pass {tau} {passes} ltac:(lia)). Qed.",
        ]

    def _body(self, place: int, word: Any, pad: str) -> list[str]:
        """A step in words, with a name for all that it asks for."""
        step, branch = self.every_step[place], self.branches[place]
        named_trees: dict[Tree, str] = {Vector("row", (r, branch)): word(r) for r in self.live}
        if branch.base:
            named_trees[Real("index", (branch,))] = "INR j"
        for tree in [*step.rows.values(), *(call.image for call in step.calls)]:
            named_trees |= {n: f"{word(n.parts[0])} j" for n in walk(tree) if n.kind == "let"}
        lets = _Lets(word, named_trees, {word(r) for r in self.read}, pad)
        calls, loop = step.calls, step.loop
        if loop is not None:
            for call in calls[: loop.calls[0]]:
                lets.ask(call)
            kept = "".join(f" {word(r)}" for r in self._kept(loop))
            passes = f"passes {self._length(word)} (pass{kept}) "
            passes += _in_scope(lets.write(loop.begun))
            lets.add(loop.body, word(loop.row), passes)
            calls = calls[loop.calls[2] :]
        for call in calls:
            lets.ask(call)
        ends = [step.rows[r] for r in self.live]
        if loop is not None and any(speaks_of_inside(replaced(e, {loop.body: Z0})) for e in ends):
            raise NotExported("a row that the last pass of an inner loop leaves is used later")
        pairs = zip(self.live, ends, strict=True)
        fields = "; ".join(f"row_{r} := {_in_scope(lets.write(end))}" for r, end in pairs)
        return [*lets.lines, f"{pad}{{| {fields} |}}"]


class _Lets:
    """Lines that name, one after the other, what a text asks for.

    Args:
        named: trees that have names already.
        taken: names that others have.
    """

    def __init__(self, word: Any, named: Mapping[Tree, str], taken: set[str], pad: str) -> None:
        self.word, self.taken, self.pad = word, taken, pad
        self.write = Writer(word, named)
        self.lines: list[str] = []

    def add(self, tree: Vector, stem: str, text: str) -> None:
        """Name a tree, which is written so."""
        name = stem
        for i in itertools.count(1):
            if name not in self.taken:
                break
            name = f"{stem}{i}"
        self.taken.add(name)
        self.lines.append(f"{self.pad}let {name} := {text} in")
        self.write.named[tree] = name

    def ask(self, call: Call) -> None:
        """Name what a call asks for, and where, once."""
        word, write = self.word, self.write
        if call.image in write.named:
            return
        name, point = call.image.parts
        if point not in write.named and point.kind != "z0" and name == "F":
            self.add(point, word(call.rows[0] or "p"), _in_scope(write(point)))
        stem = f"F{word(call.rows[0] or 'p')}" if name == "F" else word(call.rows[1] or "p")
        self.add(call.image, stem, _in_scope(write(call.image)))


def _by_role(tau: str) -> dict[str, tuple[str, str, str, str]]:
    """What is asked of a step n of a role: further variables, premises, names for them, a proof.

    The proof settles the two tests of a step.
    """
    after = f"Nat.modulo (S n) {tau}"
    settled = "as [one other]. unfold step. rewrite one, other."
    return {
        "first": ("", f"Nat.modulo n {tau} = 0%nat ->", "this", "unfold step. rewrite this."),
        "middle": (
            " gone rest",
            f"Nat.modulo n {tau} = S gone -> {after} = S rest ->",
            "this next",
            f"destruct (phase_of_middle {tau} n gone rest ltac:(lia) this next) {settled}",
        ),
        "last": (
            "",
            f"{after} = 0%nat ->",
            "next",
            f"destruct (phase_of_last {tau} n ltac:(lia) next) {settled}",
        ),
    }


def _asked(step: Step) -> list[Tree]:
    """All that a step computes on its way."""
    loop = [step.loop.begun, step.loop.body] if step.loop else []
    return [*(call.image for call in step.calls), *loop]


def _in_scope(word: str) -> str:
    """The word of a vector, where no scope is known."""
    return f"({word})%vec" if " " in word else word


def _whole(theorem: Theorem, fixed: Collection[str]) -> dict[str, int]:
    """Whole parameters that ``let`` gives a number."""
    out = {}
    for p in theorem.iteration.parameters:
        if p.integer and p.symbol not in fixed:
            source = theorem.let.get(p.symbol, "")
            if not source.isdigit():
                raise NotExported(f"{p.symbol} is no number")
            out[p.symbol] = int(source)
    return out


def depends_on_k(theorem: Theorem, name: str) -> bool:
    """Whether a symbol of ``let`` has another value at each k."""
    if name not in theorem.let:
        return False
    tree = grammar.parse(theorem.let[name])
    spoken = grammar.names(tree)
    return "k" in spoken or any(depends_on_k(theorem, n) for n in spoken & theorem.let.keys())
