"""The largest measured/bound that a search over a theorem's class of operators finds.

Searched are linear operators at the constants of the hypotheses: normal ones, which are scalings
and rotations by a complex number f on the boundary of what the hypotheses allow, refined around the
best; and matrices of four rows that are not normal, moved along a ray until a hypothesis is met
with equality. Then piecewise linear operators of the plane, by evolution. Where A ≠ 0 is allowed it
is a multiple of the identity, a quarter turn, a normal cone or an absolute value. Where the
statement has a worst case by the solver, the worst operators that are affine or have one fold, with
A affine, in any dimension (``folded``). Over long horizons normal operators of every size and bumps
on the line are run. Constants and parameters at the ends of their ranges are tried as well. What is
reached is a lower bound on the worst case, as ``worst`` gives an upper one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.arguments import asked, indices, integer
from opcheck.engine.run import run_batch
from opcheck.errors import OpcheckError
from opcheck.evidence.statement.evaluation import Plan, parameters_of, plan, sides
from opcheck.evidence.statement.exact_parameters import Setting, at_ends, setting
from opcheck.evidence.statement.expressible import one_step, refusal
from opcheck.evidence.statement.parameters import Values, base_scope, settle
from opcheck.evidence.statement.places import Place
from opcheck.evidence.statement.switches import switches
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.evidence.worst_case.claim import calls, claim
from opcheck.evidence.worst_case.confirm import Witness, confirmed
from opcheck.evidence.worst_case.export import write_problem
from opcheck.evidence.worst_case.folded import Folded, takes_long, worst_folded
from opcheck.evidence.worst_case.operators_to_attack import (
    RIDGES,
    SIZE,
    Part,
    beside,
    bumps,
    of_f,
    parts,
    piecewise,
    slopes,
    within,
)
from opcheck.model.operator import NO_CONSTRAINT, Operator, Resolvent, linear
from opcheck.model.problem import Problem
from opcheck.model.property import Property
from opcheck.model.result import Result
from opcheck.model.theorem import WORDS_OF_A, Theorem, theorem_of
from opcheck.watchdog import Interrupted

Floats = NDArray[np.float64]
BUDGET = 2000
DIM = 4
FARTHEST = 20_000  # steps of the longest runs
REACH = 8.0  # where nothing bounds an operator, how large it is taken at most
ULPS = 8 * np.finfo(float).eps  # to which a hypothesis is met with equality
ROUNDS = 4  # refinements around the best
GENES = 4 + 7 * RIDGES + 4  # M, ridges with a switch each, offset, angle of the start, size
FOLDS = 20  # operators of a budget for one program with a fold
ENDS = 8  # part of a budget that one end of a range gets
MOVES = 12  # changes to the factors of the best A
FLOOR = 1e-12  # a bound below it, with R = 1, may be rounding alone
ABOVE = 1e-9  # of rounding: a ratio further above 1 is a counterexample


@dataclass(frozen=True)
class Reached(Result):
    """The worst that was found at one k.

    Attributes:
        ratio: measured/bound.
        value: measured at R = 1.
        operator: f of a normal operator z ↦ f z on the complex plane, or the matrix, or M, q, the
            ridges and the start of a piecewise linear one.
        constraint: A, "" where it is 0.
        runs: operators tried.
        at: constants and parameters where they are not those of the attack, as ``rho = -3/5``.
        values: these, each as a rational.
        exactly: of one above the bound: whether that stands in rationals and balls, in words.
        confirmed: whether it does; else it is one of float64.
    """

    k: int
    ratio: float
    value: float
    operator: str
    constraint: str
    runs: int
    at: str = ""
    exactly: str = ""
    confirmed: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    witness: Witness | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Attack(Result):
    """What a search over the class of a theorem found.

    Attributes:
        reached: the worst at each k.
        constants, parameters: at which, as ``worst`` takes them.
        A: what A is, in words.
        ends: the worst with constants or a parameter at an end of its range, for each end tried.
        witness: what was run there; None where nothing was.
    """

    theorem: str
    reached: tuple[Reached, ...]
    constants: Mapping[str, str]
    parameters: Mapping[str, str]
    seed: int
    notes: tuple[str, ...] = ()
    A: str = ""
    ends: tuple[Reached, ...] = ()
    witness: Witness | None = field(default=None, repr=False, compare=False)

    @property
    def worst(self) -> Reached:
        """Where measured/bound is largest."""
        return max((*self.reached, *self.ends), key=lambda reach: reach.ratio)

    @property
    def ratio(self) -> float:
        """The largest measured/bound."""
        return self.worst.ratio

    @property
    def ok(self) -> bool:
        """No operator of the class exceeds the bound."""
        return self.ratio <= 1 + ABOVE

    @property
    def ground(self) -> str:
        """What a ratio above 1 rests on: the worst that was shown exactly, or float64."""
        above = [reach for reach in (*self.reached, *self.ends) if reach.exactly]
        shown = [reach for reach in above if reach.confirmed]
        if not above:
            return "" if self.ok else "in float64 only"
        top = max(shown or above, key=lambda reach: reach.ratio)
        place = f"k = {top.k}" + (f", {top.at}" if top.at else "")
        return f"{'a counterexample' if shown else 'in float64 only'} at {place}: {top.exactly}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        plain = asdict(replace(self, witness=None))
        del plain["witness"]
        return {**plain, "ratio": self.ratio, "ok": self.ok, "ground": self.ground}

    def save_problem(self, path: str | Path) -> None:
        """Write the worst operator as a Python file that declares it as a problem.

        Raises OpcheckError where no operator was run, or the file can't be written.
        """
        if self.witness is None:
            raise OpcheckError(f"{self.theorem}: the search ran no operator that could be written")
        write_problem(self.witness, self.ratio, path)


@asked
def attack(
    theorem: str | Theorem,
    k: int | Sequence[int] = (1, 2, 5, 10, 20),
    *,
    budget: int = BUDGET,
    seed: int = 0,
    place: Place = "middle",
    far: int = 0,
    ends: bool = True,
    **fixed: Any,
) -> Attack:
    """Search the class of a theorem for the largest measured/bound.

    Args:
        k: index or indices; those below the theorem's first are left out.
        budget: about how many operators are tried at each k, from 10 on.
        seed: of the search.
        far: steps of the long runs, at most; 0: none but to behind where the statement's texts
            switch. Their worst stands at its own k.
        ends: whether constants and parameters at the ends of their ranges are tried as well.
        place, fixed: constants and parameters, as ``worst`` takes them.

    Raises OpcheckError where the statement is not real on its whole range, is about no class of
    operators, or for bad input; Interrupted, with the k that are done, where Ctrl-C ends it.
    """
    entry = theorem_of(theorem)
    well_posed(entry)
    reason = refusal(entry)
    if reason:
        raise OpcheckError(f"{entry.name}: {reason}")
    budget, seed, far = integer(budget, "budget", 10), integer(seed, "seed"), integer(far, "far")
    recording = plan(entry)
    ks = [i for i in indices(k) if i >= entry.first] or [max(entry.first, 1)]
    worst_cases = []
    edges: dict[str, Reached] = {}
    instance = None
    interrupted = False
    try:
        for i in ks:
            horizon = i + 1 if recording.in_steps else i
            instance = setting(entry, i, horizon, place, fixed)
            worst_cases.append(_over_parts(instance, recording, horizon, seed + i, budget))
        for i in ks if ends else ():
            _over_ends(entry, i, fixed, edges, seed=seed + i, budget=budget // ENDS)
        far = max([far, *(_behind_switches(instance) if instance else ())])
        if far > max(ks) and not one_step(entry):
            distant = setting(entry, far, far + recording.in_steps, place, fixed)
            beyond = _far(distant, recording, far + recording.in_steps, seed)
            worst_cases += [beyond] if beyond is not None and beyond.k > max(ks) else []
    except KeyboardInterrupt:
        if not worst_cases:
            raise
        interrupted = True
    assert instance is not None
    top = max((*worst_cases, *edges.values()), key=lambda reached: reached.ratio)
    worst_cases, last = _judged(worst_cases), _judged([*edges.values()])
    result = Attack(
        theorem=entry.name,
        reached=tuple(worst_cases),
        constants={n: str(v) for n, v in instance.constants.items()},
        parameters={n: str(v) for n, v in instance.parameters.items()},
        seed=seed,
        notes=instance.notes,
        A=WORDS_OF_A[entry.A],
        ends=tuple(last),
        witness=top.witness,
    )
    if interrupted:
        raise Interrupted(result)
    return result


def _behind_switches(instance: Setting) -> list[int]:
    """The k behind those at which the texts of a statement switch, as far as is run."""
    values = {n: float(v) for n, v in (*instance.constants.items(), *instance.parameters.items())}
    turns = switches(instance.theorem, {**values, "R": 1.0}).values()
    behind = [max(turn.at) + 2 for turn in turns]
    return [k for k in behind if k <= FARTHEST]


def _judged(worst_cases: Sequence[Reached]) -> list[Reached]:
    """Each of them, and of those above the bound whether that stands exactly."""
    judged = []
    for reached in worst_cases:
        words, stands = "", False
        if reached.ratio > 1 + ABOVE and reached.witness is not None:
            words, stands = confirmed(reached.witness)
        judged.append(replace(reached, exactly=words, confirmed=stands, witness=None))
    return judged


def _over_parts(
    instance: Setting, recording: Plan, horizon: int, seed: int, budget: int
) -> Reached:
    """The worst at one k: each A gets a share, and the best of them as much again as all."""
    theorem = instance.theorem
    free = theorem.A == "zero"
    asked = [(p, _constant(p, instance)) for p in theorem.asked]
    pool = [Part()] if free else parts(asked, theorem.A == "subdifferential")
    linear_part = [operator for operator in pool if not operator.part and not operator.s]
    share = max(budget // (4 * max(len(linear_part), 1)), 10)
    tried = [
        _Search(instance, recording, horizon, seed, operator).reach(share)
        for operator in linear_part
    ]
    if linear_part:
        at = max(range(len(linear_part)), key=lambda i: tried[i].ratio)
        tried.append(
            _Search(instance, recording, horizon, seed + 1, linear_part[at]).reach(budget // 4)
        )
    plane = [_Search(instance, recording, horizon, seed, operator) for operator in pool]
    for keep, part in ((len(plane), 0.3), (4, 0.2), (1, 0.25)):
        plane = sorted(plane, key=lambda operator: -operator.best[0])[:keep]
        for operator in plane:
            operator.evolve(int(part * budget / len(plane)))
            tried.append(operator.reached())
            operator.runs = 0
    best = plane[0]
    for _ in range(0 if free else MOVES):
        moved = _Search(instance, recording, horizon, seed, beside(best.part, best.rng, asked))
        moved.rng, moved.elite = best.rng, best.elite
        moved.evolve(int(0.3 * budget / MOVES))
        tried.append(moved.reached())
        best = max(best, moved, key=lambda operator: operator.best[0])
    if free:
        tried.append(_Search(instance, recording, horizon, seed, Part()).bumps())
    tried.append(_Search(instance, recording, horizon, seed, Part()).by_program(budget // FOLDS))
    return replace(
        max(tried, key=lambda operator: operator.ratio),
        runs=sum(operator.runs for operator in tried),
    )


def _over_ends(
    entry: Theorem,
    k: int,
    fixed: Mapping[str, Any],
    edges: dict[str, Reached],
    *,
    seed: int,
    budget: int,
) -> None:
    """Keep the worst at one k for each end of a range where it is worse than at the k before."""
    recording = plan(entry)
    horizon = k + 1 if recording.in_steps else k
    for edge in at_ends(entry, k, horizon, fixed):
        case = _at_an_end(edge, recording, horizon, seed, budget)
        edges[case.at] = max(edges.get(case.at, case), case, key=lambda c: c.ratio)


def _at_an_end(edge: Setting, recording: Plan, horizon: int, seed: int, budget: int) -> Reached:
    """The worst at one end, by programs and by normal operators and matrices that are not."""
    search = _Search(edge, recording, horizon, seed, Part())
    search.by_program(0)
    search.reach(budget)
    values = {n: str(v) for n, v in {**edge.constants, **edge.parameters}.items()}
    at = ", ".join(f"{n} = {v}" for n, v in values.items())
    return replace(search.reached(), at=at, values=values)


def _far(instance: Setting, recording: Plan, horizon: int, seed: int) -> Reached | None:
    """The worst over every k up to the horizon, by normal operators of all sizes and bumps."""
    search = _Search(instance, recording, horizon, seed, Part())
    search.every = True
    sizes = search.size() * np.geomspace(1e-3, 1, 25)
    angles = np.exp(1j * np.pi / 2 * np.array([1, 0, 0.5, 0.9, 1.1]))
    f = (sizes[:, None] * angles).ravel().astype(np.complex128)
    f = f[search.allowed(f)]
    if len(f):
        search.scalars(f)
    search.bumps()
    return search.reached() if search.runs else None


class _Search:
    """One k: runs of many operators with the same parameters."""

    def __init__(
        self, instance: Setting, recording: Plan, horizon: int, seed: int, part: Part
    ) -> None:
        self.instance, self.theorem, self.k = instance, instance.theorem, instance.k
        self.recording, self.horizon, self.part = recording, horizon, part
        self.rng = np.random.default_rng(seed)
        self.values = _floats(instance, horizon)
        asked = [(p, _constant(p, instance)) for p in self.theorem.asked]
        self.forms = [_form(p, form, part.a) for p, form in asked if p.of != "A"]
        self.plane = of_f(asked, part)
        self.star = [p.kind.star for p, _ in asked if p.of != "A"]
        self.every = False  # the worst over every k up to the horizon, and not at k alone
        self.elite: tuple[Floats, Floats] | None = None
        self.best: tuple[float, float, str] = (-1.0, 0.0, "")
        self.witness: Witness | None = None
        self.constraint = str(part)
        self.at = self.k
        self.runs = 0

    def reach(self, budget: int) -> Reached:
        """The worst of so many operators."""
        f = self.boundary(budget * 2 // 5)
        if len(f) == 0:
            return self.reached()
        ratios = self.scalars(f)
        share = budget // 5 // ROUNDS
        for i in range(ROUNDS):
            top = f[np.argsort(-ratios)[:4]]
            f = self.near(top, share, 0.3 * 0.1**i)
            f = np.concatenate([top, f]) if len(f) else top
            ratios = self.scalars(f)
        self.matrices(budget - budget * 3 // 5)
        return self.reached()

    def reached(self) -> Reached:
        """The worst so far."""
        ratio, value, operator = self.best
        return Reached(
            k=self.at,
            ratio=max(ratio, 0.0),
            value=value,
            operator=operator,
            constraint=self.constraint,
            runs=self.runs,
            witness=self.witness,
        )

    # ---- operators by a program ----

    def by_program(self, folds: int) -> Reached:
        """The worst affine one and the worst with a fold, where the statement has a program."""
        instance = self.instance
        if takes_long(calls(instance, self.horizon)):
            return self.reached()
        try:
            stated = claim(
                self.theorem, self.k, fixed={**instance.constants, **instance.parameters}
            )
        except OpcheckError:  # no quadratic form, or too large for this machine
            return self.reached()
        if stated.setting.k == self.k:
            for operator in worst_folded(stated, self.rng, folds):
                self._run_one(operator)
        return self.reached()

    def _run_one(self, operator: Folded) -> None:
        F, A = operator.operator, operator.resolvent
        start, name = operator.start[None], lambda _: str(operator)
        part = Part() if operator.T is None else None
        self._measure(
            F, A, start, data=None, name=name, constraint=operator.constraint, part=part, fold=True
        )

    # ---- piecewise linear operators of the plane ----

    def bumps(self) -> Reached:
        """Those on the line that have the hypotheses, from a start beyond the bump."""
        data = bumps(self.plane or [], self.star) if self.plane is not None else np.zeros((0, SIZE))
        if len(data):
            start = np.tile([1.0, 0.0], (len(data), 1))
            self._run(data, start, lambda i: _shown(data[i], start[i]))
        return self.reached()

    def evolve(self, count: int) -> None:
        """Mutants of the best so far, or of random ones; each is moved out until it is tight."""
        count = max(count, 8)
        rounds = max(min(6, count // 8), 1)
        for i in range(rounds):
            many = count // rounds
            genes = self.rng.normal(size=(many, GENES))
            if self.elite is not None:
                parents = self.elite[0][self.rng.integers(0, len(self.elite[0]), many)]
                width = 10.0 ** self.rng.uniform(-3, -0.3, (many, 1))
                fresh = self.rng.random(many) < 0.2 * (i < rounds // 2)
                genes = np.where(fresh[:, None], genes, parents + width * genes)
            data, start, genes = self.born(genes)
            if not len(data):
                continue
            ratios = self._run(data, start, lambda j, d=data, s=start: _shown(d[j], s[j]))
            if self.elite is not None:
                genes = np.concatenate([self.elite[0], genes])
                ratios = np.concatenate([self.elite[1], ratios])
            top = np.argsort(-ratios, kind="stable")[:5]
            self.elite = genes[top], ratios[top]

    def born(self, genes: Floats) -> tuple[Floats, Floats, Floats]:
        """Data, start and genes of those that have the hypotheses."""
        m = len(genes)
        none = np.zeros((0, SIZE)), np.zeros((0, 2)), genes[:0]
        if self.plane is None:
            return none
        centres = np.linspace(-self.size(), self.size(), 81)
        room = np.full(81, np.inf)
        for (a, b, c), more in self.plane:
            S = centres[:, None, None] * np.eye(2) + more
            G = a * np.eye(2) + b * (S + S.swapaxes(1, 2)) + c * (S.swapaxes(1, 2) @ S)
            room = np.minimum(room, np.linalg.eigvalsh(G)[:, 0])
        if room.max() <= 0:
            return none
        centre = float(centres[int(np.argmax(room))]) if self.plane else 0.0
        raw = np.zeros((m, SIZE))
        raw[:, :4] = genes[:, :4]
        for r in range(RIDGES):
            o, g = 6 + 6 * r, 4 + 7 * r
            raw[:, o : o + 4] = genes[:, g : g + 4]
            raw[:, o : o + 2] *= (genes[:, g + 6] > 0)[:, None]
            raw[:, o + 4 : o + 6] = 0.5 * abs(genes[:, g + 4 : g + 6])

        def scaled(by: Floats) -> Floats:
            data = raw.copy()
            data[:, :4] = centre * np.eye(2).ravel() + by[:, None] * raw[:, :4]
            for r in range(RIDGES):
                data[:, 6 + 6 * r : 8 + 6 * r] *= by[:, None]
            return data

        low, high = np.zeros(m), np.full(m, 8 * self.size())
        for _ in range(34):
            middle = (low + high) / 2
            inside = within(slopes(scaled(middle)), self.plane)
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        data = scaled(low * np.minimum(1.0, np.exp(genes[:, -1] + 0.5)))
        data[:, 4:6] = self.part.offset(REACH * genes[:, -4:-2])
        start = np.column_stack([np.cos(np.pi * genes[:, -2]), np.sin(np.pi * genes[:, -2])])
        keep = within(slopes(data), self.plane)
        return data[keep], start[keep], genes[keep]

    # ---- operators ----

    def allowed(self, f: NDArray[np.complex128]) -> NDArray[np.bool_]:
        """Which complex numbers meet every hypothesis, to rounding."""
        inside = np.ones(len(f), dtype=bool)
        for a, b, c in self.forms:
            terms = np.array([a + 0 * f.real, 2 * b * f.real, c * abs(f) ** 2])
            inside &= terms.sum(axis=0) >= -ULPS * np.abs(terms).sum(axis=0)
        return inside

    def boundary(self, count: int) -> NDArray[np.complex128]:
        """Numbers on the curves where a hypothesis is an equality, and a few inside."""
        curves = [self.curve(form, np.linspace(-np.pi, np.pi, count)) for form in self.forms]
        corners = self.corners()
        inside = self.rng.uniform(-1, 1, (count, 2)) * self.size()
        numbers = np.concatenate([*curves, corners, inside[:, 0] + 1j * inside[:, 1]])
        numbers = numbers[self.allowed(numbers)]
        few = self.rng.permutation(len(numbers))[:count]
        return np.concatenate([corners[self.allowed(corners)], numbers[np.sort(few)]])

    def curve(self, form: tuple[float, float, float], angles: Floats) -> NDArray[np.complex128]:
        """a + 2b Re f + c|f|² = 0: a circle, or a line up to the size of an operator."""
        a, b, c = form
        if c != 0:
            radius = np.sqrt(max(b * b - a * c, 0.0)) / abs(c)
            return np.asarray(-b / c + radius * np.exp(1j * angles))
        if b != 0:
            return np.asarray(-a / (2 * b) + 1j * self.size() * angles / np.pi)
        return np.zeros(0, dtype=complex)

    def corners(self) -> NDArray[np.complex128]:
        """Where two of the curves meet, and where one meets the real line."""
        points: list[complex] = []
        for i, (a, b, c) in enumerate(self.forms):
            points += np.roots([c, 2 * b, a]).tolist() if b or c else []
            for p, q, r in self.forms[:i]:
                # c·second − r·first is linear in Re f
                slope, level = 2 * (c * q - r * b), c * p - r * a
                if slope:
                    x = -level / slope
                    square = (-(a + 2 * b * x) / c if c else -(p + 2 * q * x) / r) - x * x
                    if square >= 0:
                        points += [complex(x, square**0.5), complex(x, -(square**0.5))]
        return np.array([f for f in points if abs(f) < 1e6], dtype=complex)

    def near(self, top: NDArray[np.complex128], count: int, width: float) -> NDArray[np.complex128]:
        """Numbers on the same curves close to given ones."""
        pieces = []
        for f in top:
            for a, b, c in self.forms:
                turn = width * self.rng.uniform(-1, 1, max(count // 4, 1))
                if c != 0:
                    centre = -b / c
                    pieces.append(self.curve((a, b, c), np.angle(f - centre) + turn))
                elif b != 0:
                    pieces.append(-a / (2 * b) + 1j * (f.imag + self.size() * turn))
        both = np.concatenate(pieces) if pieces else np.zeros(0, dtype=complex)
        both = both[self.allowed(both)]
        return both[self.rng.permutation(len(both))[:count]]

    def size(self) -> float:
        """A radius that holds all allowed numbers, where one does."""
        radii = [
            abs(b / c) + np.sqrt(max(b * b - a * c, 0.0)) / abs(c)
            for a, b, c in self.forms
            if c < 0
        ]
        return float(min([*radii, REACH]))

    def matrices(self, count: int) -> None:
        """Matrices that are not normal, each moved out along a ray until a hypothesis is tight."""
        grid = np.linspace(-self.size(), self.size(), 401).astype(complex)
        room = np.min(
            [a + 2 * b * grid.real + c * abs(grid) ** 2 for a, b, c in self.forms] or [grid.real],
            axis=0,
        )
        centre = float(grid[int(np.argmax(room))].real)
        if room.max() <= 0:
            return  # nothing but a boundary
        eye = np.eye(DIM)
        ray = self.rng.normal(size=(count, DIM, DIM))
        turned = ray - ray.transpose(0, 2, 1)  # half of them close to a rotation
        ray[::2] = turned[::2] + 0.3 * ray[::2]
        ray /= np.linalg.norm(ray, 2, axis=(1, 2))[:, None, None]
        low, high = np.zeros(count), np.full(count, 3 * self.size())
        for _ in range(45):
            middle = (low + high) / 2
            inside = self._within(centre * eye + middle[:, None, None] * ray)
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        M = centre * eye + low[:, None, None] * ray
        start = self.rng.normal(size=(count, DIM))
        start /= np.linalg.norm(start, axis=1)[:, None]
        data = np.concatenate([M.reshape(count, -1), np.zeros((count, DIM))], axis=1)
        self._run(data, start, lambda i: str(np.round(M[i], 12).tolist()))

    def _within(self, M: Floats) -> NDArray[np.bool_]:
        turned = M.transpose(0, 2, 1)
        inside = np.ones(len(M), dtype=bool)
        for a, b, c in self.forms:
            form = a * np.eye(DIM) + b * (M + turned) + c * (turned @ M)
            inside &= np.linalg.eigvalsh(form)[:, 0] >= 0
        return inside

    # ---- runs ----

    def scalars(self, f: NDArray[np.complex128]) -> Floats:
        """measured/bound for z ↦ f z."""
        x, y, o = f.real, f.imag, 0 * f.real
        data = np.column_stack([x, -y, y, x, o, o])
        start = np.tile([1.0, 0.0], (len(f), 1))
        return self._run(data, start, lambda i: f"f = {f[i].real:.10g} {f[i].imag:+.10g}i")

    def _run(self, data: Floats, start: Floats, name: Any) -> Floats:
        d = start.shape[1]
        if data.shape[1] == SIZE and d == 2:
            A = self.part.resolvent
            F = Operator(piecewise, np.zeros(SIZE), 2, "piecewise linear")
        else:
            a = self.part.a
            A = Resolvent(shrink, np.array([a]), 0, f"{a} I") if a else NO_CONSTRAINT
            F = linear(np.eye(d))
        return self._measure(
            F, A, start, data=data, name=name, constraint=str(self.part), part=self.part
        )

    def _measure(
        self,
        F: Operator,
        A: Resolvent,
        start: Floats,
        *,
        data: Floats | None,
        name: Callable[[int], str],
        constraint: str,
        part: Part | None,
        fold: bool = False,
    ) -> Floats:
        """measured/bound from each start, with F's data by row; the worst is kept."""
        m, d = start.shape
        problem = Problem(F, A, name="attack", start=start[0], solution=np.zeros(d))
        own = parameters_of(self.theorem.iteration, self.values)
        takes = list(self.recording.takes.values())
        stops = range(self.horizon + 1)
        batch = run_batch(
            problem, self.theorem.iteration, [own] * m, stops, takes, starts=start, data=data
        )
        ratios = np.zeros(m)
        with np.errstate(all="ignore"):
            for i in range(m):
                record = {key: batch.record[i, j] for j, key in enumerate(self.recording.takes)}
                left, right = sides(self.theorem, self.recording, self.values, record, self.horizon)
                look = slice(self.theorem.first, len(left)) if self.every else [self.k]
                ratio = _ratio(left[look].astype(float), right[look].astype(float))
                at = int(np.argmax(ratio))
                ratios[i] = ratio[at]
                if ratios[i] > self.best[0]:
                    self.at = at + self.theorem.first if self.every else self.k
                    self.best = (float(ratios[i]), float(left[self.at]), name(i))
                    self.constraint = constraint
                    numbers = F.data if data is None else data[i]
                    self.witness = Witness(
                        self.instance,
                        self.at,
                        Operator(F.kernel, numbers, d, "attack"),
                        A,
                        part=part,
                        folded=fold,
                        start=start[i].copy(),
                    )
        self.runs += m
        return ratios


def _ratio(measured: Floats, bound: Floats) -> Floats:
    """measured/bound; where the bound is not positive, 1 and the excess in units of both sides.

    0 where one is not finite. An excess that is small beside R = 1 is rounding, and counts as
    equality; a positive bound that is as small counts as FLOOR, so that no more is said than holds.
    """
    known = np.isfinite(measured) & np.isfinite(bound)
    excess = np.where(known, measured - bound, 0.0)
    positive = known & (bound > 0)
    ratio = np.where(positive, measured / np.maximum(bound, FLOOR), 0.0)
    size = np.where(known, np.abs(measured) + np.abs(bound), 0.0)
    signed = known & ~positive & (size > FLOOR)
    ratio = np.where(signed, 1 + excess / np.where(signed, size, 1.0), ratio)
    return np.where(known & (excess <= FLOOR), np.minimum(ratio, 1.0), ratio)


def _shown(data: Floats, start: Floats) -> str:
    """A piecewise linear operator and the start, to twelve digits."""
    M, q = data[:4].reshape(2, 2), data[4:6]
    said = f"M = {np.round(M, 12).tolist()}"
    said += f", q = {np.round(q, 12).tolist()}" if q.any() else ""
    for r in range(RIDGES):
        o = 6 + 6 * r
        u, w, c, h = data[o : o + 2], data[o + 2 : o + 4], data[o + 4], data[o + 5]
        if u.any():
            said += f" + {np.round(u, 12).tolist()} clip({np.round(w, 12).tolist()}·z"
            said += f" − {c:.12g}, 0, {h:.12g})"
    return f"{said} from {np.round(start, 12).tolist()}"


def _constant(prop: Property, instance: Setting) -> tuple[float, float, float]:
    """A property as a form in (x − y, u − v) at the constants."""
    value = prop.number if prop.symbol is None else instance.constants[prop.symbol]
    a, b, c = (float(v) for v in prop.form(value))
    return a, b, c


def _form(
    prop: Property, form: tuple[float, float, float], slope: float
) -> tuple[float, float, float]:
    """A property as a form in (x − y, Fx − Fy), where A = slope · I."""
    a, b, c = form
    if prop.of == "S":
        return a + 2 * b * slope + c * slope**2, b + c * slope, c
    return a, b, c


def shrink(z, gamma, out, data):  # type: ignore[no-untyped-def]
    """The resolvent of A = aI."""
    for i in range(z.shape[0]):
        out[i] = z[i] / (1 + gamma * data[0])


def _floats(instance: Setting, horizon: int) -> Values:
    """The setting's symbols in float64, R = 1."""
    theorem = instance.theorem
    values = base_scope({n: float(v) for n, v in instance.constants.items()}, horizon) | {"R": 1.0}
    settle(theorem, values)
    for chain in theorem.chains:
        values[chain.name] = float(instance.parameters[chain.name])
        settle(theorem, values)
    return values
