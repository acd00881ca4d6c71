"""A method as a function of Rocq: its kernel's own text, run on trees."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
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
    """One step: the rows after it, by the rows before it, and what was asked for in order."""

    rows: Mapping[str, Vector]
    calls: tuple[Call, ...]


class Iteration:
    """A method at one choice of its whole parameters.

    Args:
        fixed: the whole parameters.
        spoken: the rows that the texts speak of.

    Raises NotExported for a method that has no form here.
    """

    def __init__(self, theorem: Theorem, fixed: Mapping[str, int], spoken: set[str]) -> None:
        self.theorem, self.method = theorem, theorem.iteration
        self.fixed = {**fixed, **_whole(theorem, fixed)}
        self.steps: dict[str, Real] = {}
        self.branches = self._branches()
        self.live = self._live({*spoken} & {*self.method.rows} | {"z"})

    # ---- one step ----

    def parameter(self, name: str, at: At) -> Any:
        """A parameter as a kernel gets it."""
        if name in self.fixed:
            return self.fixed[name]
        if depends_on_k(self.theorem, name):
            return Real("let", (name, at))
        return Real("symbol", (name,))

    def row(self, name: str, at: At) -> Vector:
        """A row of the state before step ``at``."""
        return Z0 if name == "anchor" else Vector("row", (name, at))

    def step(self, at: At) -> Step:
        """One step from state ``at``. Raises Special where some k is another step."""
        method = self.method
        state = np.empty((len(method.rows), 1), dtype=object)
        for own, name in zip(state, method.rows, strict=True):
            own[0] = self.row(name, at)
        oracle = Scribe(self.theorem.A, method.rows, state)
        params = np.empty(len(method.parameters), dtype=object)
        params[:] = [self.parameter(p.symbol, at) for p in method.parameters]
        J = oracle.resolvent if self.theorem.A != "zero" else UNCONSTRAINED
        try:
            in_every_dimension(method.kernel)(
                oracle, None, J, None, state, params, KernelIndex(at), 1
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
        return Step(rows, tuple(oracle.calls))

    def _branches(self) -> list[At]:
        assert self.theorem.proof is not None
        sources = [
            case.get("k", "k")
            for case in self.theorem.proof.cases
            if all(case[n] == str(v) for n, v in self.fixed.items() if n in case)
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
        steps = [self.step(branch) for branch in self.branches]
        trees = [t for s in steps for t in (*(s.rows[r] for r in self.live), *_images(s))]
        held = {n.parts[0] for t in trees for n in walk(t) if n.kind == "row"}
        return [r for r in self.live if r in held]

    def _live(self, needed: set[str]) -> list[str]:
        """Rows that are spoken of, and those that they are made of."""
        steps = [self.step(branch) for branch in self.branches]
        while True:
            trees: list[Tree] = [s.rows[r] for s in steps for r in needed - {"anchor"}]
            trees += [image for s in steps for image in _images(s)]
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

    def equation(self, name: str, branch: At) -> tuple[Vector, Vector]:
        """A row after a step, and what it is in terms of rows before it and of other rows."""
        step = self.step(branch)
        left = Vector("row", (name, branch.plus(1)))
        return left, replaced(step.rows[name], self.images(step, branch, name))

    def definition(self, word: Any) -> list[str]:
        """The lines that define the iteration: state, step, run and its rows."""
        live, zero = self.live, self.method.zero
        lines = [f"Record state := {{ {'; '.join(f'row_{r} : E' for r in live)} }}.", ""]
        lines.append("Definition step (j : nat) (s : state) : state :=")
        lines += [f"  let {word(r)} := row_{r} s in" for r in live if r in self.read]
        if self.by_residue:
            lines.append(f"  match Nat.modulo j {self.by_residue} with")
            for i, branch in enumerate(self.branches):
                label = str(branch.add) if i + 1 < len(self.branches) else "_"
                lines += [f"  | {label} =>", *self._body(branch, word, "    ")]
            lines.append("  end.")
        elif len(self.branches) == 2:
            lines += ["  match j with", "  | O =>", *self._body(self.branches[0], word, "    ")]
            lines += ["  | S _ =>", *self._body(self.branches[1], word, "    "), "  end."]
        else:
            lines += self._body(self.branches[0], word, "  ")
            lines[-1] += "."
        first = "; ".join(f"row_{r} := {'zero' if r in zero else 'z0'}" for r in live)
        lines += [
            "",
            "Fixpoint run (k : nat) : state :=",
            f"  match k with O => {{| {first} |}} | S j => step j (run j) end.",
            "",
        ]
        lines += [f"Definition {word(r)} (k : nat) : E := row_{r} (run k)." for r in live]
        return lines

    def phases(self, word: Any) -> list[str]:
        """A step of a loop, by its place in the loop."""
        lines = []
        for i, branch in enumerate(self.branches if self.by_residue else []):
            c, r = branch.factor, branch.add
            lines += [
                f"Lemma phase_{i} m : Nat.modulo {branch.nat} {c} = {r}%nat.",
                f"Proof. exact (residue_of {c} {r} m ltac:(discriminate)). Qed.",
                f"Lemma step_{i} m s : step {branch.nat} s =",
                f"  let j := {branch.nat}%nat in",
                *[f"  let {word(r)} := row_{r} s in" for r in self.live if r in self.read],
                *self._body(branch, word, "  "),
            ]
            lines[-1] += "."
            lines.append(f"Proof. unfold step. rewrite (phase_{i} m). reflexivity. Qed.")
        return lines

    def _body(self, branch: At, word: Any, pad: str) -> list[str]:
        """A step in words, with a name for all that it asks for."""
        step = self.step(branch)
        named_trees: dict[Tree, str] = {Vector("row", (r, branch)): word(r) for r in self.live}
        if branch.base:
            named_trees[Real("index", (branch,))] = "INR j"
        for tree in [*step.rows.values(), *(call.image for call in step.calls)]:
            named_trees |= {n: f"{word(n.parts[0])} j" for n in walk(tree) if n.kind == "let"}
        taken = {word(r) for r in self.read}
        write = Writer(word, named_trees)
        lines = []

        def named(tree: Vector, stem: str) -> None:
            name = stem
            for i in itertools.count(1):
                if name not in taken:
                    break
                name = f"{stem}{i}"
            taken.add(name)
            lines.append(f"{pad}let {name} := {_in_scope(write(tree))} in")
            write.named[tree] = name

        for call in step.calls:
            if call.image in write.named:
                continue
            name, point = call.image.parts
            if point not in write.named and point.kind != "z0" and name == "F":
                named(point, word(call.rows[0] or "p"))
            stem = f"F{word(call.rows[0] or 'p')}" if name == "F" else word(call.rows[1] or "p")
            named(call.image, stem)
        fields = "; ".join(f"row_{r} := {_in_scope(write(step.rows[r]))}" for r in self.live)
        return [*lines, f"{pad}{{| {fields} |}}"]


def _images(step: Step) -> list[Tree]:
    return [call.image for call in step.calls]


def _in_scope(word: str) -> str:
    """The word of a vector, where no scope is known."""
    return f"({word})%vec" if " " in word else word


def _whole(theorem: Theorem, fixed: Mapping[str, int]) -> dict[str, int]:
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
