"""What is known of a run of k steps: points, the inequalities between them, what is claimed.

Everything is translated so that z* = 0 and F z* = 0: without that the slack matrix has a kernel at
every multiplier. With A ≠ 0 this replaces F by F − F z* and A by A + F z*, which is no loss where
the run and the claim only feel the sum; where they don't, F z* is one more basis vector "F*".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from opcheck.engine.budget import available
from opcheck.engine.coefficients import STAR, START, Trace, Vector, memoryless, trace
from opcheck.engine.forms import Form, Products, Radius, Sparse, form_arithmetic
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.statement.evaluation import Plan, parameters_of, plan, sides
from opcheck.evidence.statement.exact_parameters import Setting, setting
from opcheck.evidence.statement.expressible import one_step, refusal, symbols
from opcheck.evidence.statement.places import Place
from opcheck.evidence.statement.resolvents import STEP, resolvent_exists
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.model.property import Kind, Monotone, Property
from opcheck.model.text import Arithmetic, Chain, Text, chains
from opcheck.model.theorem import OfA, Theorem
from opcheck.recheck import semidefinite

SOLUTION = "*"
# f(y) − f(x) − ⟨a, y − x⟩ ≥ 0 of ordered pairs, where the values of f must cancel in a sum; its
# form is in (y − x, a). Normal cones and proximal maps have it; a monotone A in general has not.
Subdifferential = Kind(
    name="Subdifferential",
    form=lambda _: (0, Fraction(-1, 2), 0),
    meaning="A = ∂f with f convex",
)
Graph = dict[str, tuple[Vector, Vector]]  # name -> (point, value)


@dataclass(frozen=True)
class Coverage:
    """For which k something is shown.

    Attributes:
        k: that one; None: every step.
        words: the same for people, with what makes it so.
    """

    k: int | None
    words: str

    @property
    def every(self) -> bool:
        """Whether it is every step."""
        return self.k is None

    def __str__(self) -> str:
        """The words."""
        return self.words


@dataclass(frozen=True)
class Inequality:
    """One property at two points of a graph."""

    property: int
    pair: tuple[str, str]


@dataclass(frozen=True)
class Claim:
    """measure ≤ bound for every operator with the properties, as quadratic forms.

    Attributes:
        A: what A is.
        basis: names of the basis vectors.
        trace: the run on coefficients.
        properties: the hypotheses, with rational constants; the last may be that A is monotone.
        graphs: "F", "A", "S" -> the points at which its value is known.
        inequalities: every property at every pair that it speaks of.
        measure, bound: inner products with factors.
        covers: for which k a proof of it stands.
        about: what else the statement is about, as plain data: a potential.
    """

    setting: Setting
    A: OfA
    basis: tuple[str, ...]
    trace: Trace
    properties: tuple[Property, ...]
    graphs: Mapping[str, Graph]
    inequalities: tuple[Inequality, ...]
    measure: Products
    bound: Products
    covers: Coverage
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        """Iterations of the run."""
        return len(self.trace.iterates) - 1

    @property
    def scale(self) -> Fraction | None:
        """c where the bound is c R², else None."""
        if not self.bound:
            return Fraction(0)
        if set(self.bound) == {(START, START)}:
            c = self.bound[START, START]
            return Fraction(int(c.p), int(c.q))
        return None

    @property
    def signed(self) -> bool:
        """Whether both sides may be negative: a multiple of the bound then says nothing of it."""
        return not any(_is_square(self.inner(side)) for side in (self.measure, self.bound))

    def differences(self, which: NDArray[np.int64] | None = None) -> Any:
        """For each inequality its form (a, b, c), x − y and u − v, exact."""
        indices = range(len(self.inequalities)) if which is None else which
        for i in indices:
            inequality = self.inequalities[int(i)]
            prop = self.properties[inequality.property]
            graph = self.graphs[graph_of(prop, self.A)]
            (x, u), (y, v) = (graph[name] for name in inequality.pair)
            form = tuple(_exact(c) for c in prop.form())
            if prop.kind is Subdifferential:
                yield form, _sum(y, x, -1), u
            else:
                yield form, _sum(x, y, -1), _sum(u, v, -1)

    def balance(self) -> NDArray[np.int64]:
        """How often each inequality adds the value of f at each point of A; sums must be 0."""
        names = list(self.graphs["A"])
        out = np.zeros((len(names), len(self.inequalities)), dtype=np.int64)
        for i, inequality in enumerate(self.inequalities):
            if self.properties[inequality.property].kind is Subdifferential:
                out[names.index(inequality.pair[0]), i] -= 1
                out[names.index(inequality.pair[1]), i] += 1
        return out[out.any(axis=1)]

    def inner(self, products: Products) -> list[tuple[fmpq, list[fmpq], list[fmpq]]]:
        """(factor, u, v) of a form, over the basis."""
        return [(c, self._dense(u), self._dense(v)) for (u, v), c in products.items()]

    def _dense(self, vector: Sparse) -> list[fmpq]:
        entries = [fmpq(0)] * len(self.basis)
        for i, value in vector:
            entries[i] = value
        return entries


def combined(stated: Claim, multipliers: Mapping[int, fmpq]) -> Any:
    """Σ λ_i C_i."""
    n = len(stated.basis)
    which = np.array(list(multipliers), dtype=np.int64)
    differences = list(stated.differences(which))
    x = fmpq_mat([list(d) for _, d, _ in differences])
    u = fmpq_mat([list(d) for _, _, d in differences])
    total = fmpq_mat(n, n)
    weights = list(multipliers.values())
    for part, left, right in ((0, x, x), (1, x, u), (1, u, x), (2, u, u)):
        scaled = [
            [lam * form[part] * v for v in row]
            for lam, (form, _, _), row in zip(weights, differences, right.tolist(), strict=True)
        ]
        total = total + left.transpose() * fmpq_mat(scaled)
    return total


def constant_of(stated: Claim, target: fmpq) -> Any:
    """target · bound − measure."""
    n = len(stated.basis)
    total = fmpq_mat(n, n)
    for sign, products in ((target, stated.bound), (fmpq(-1), stated.measure)):
        for factor, u, v in stated.inner(products):
            left, right = fmpq_mat([u]), fmpq_mat([v])
            outer = left.transpose() * right
            total = total + (outer + outer.transpose()) * (sign * factor / 2)
    return total


def _is_square(terms: Sequence[tuple[fmpq, list[fmpq], list[fmpq]]]) -> bool:
    """Whether a form is ≥ 0 whatever its vectors are."""
    size = len(terms[0][1]) if terms else 0
    matrix = [[fmpq(0)] * size for _ in range(size)]
    for c, u, v in terms:
        for i, a in enumerate(u):
            for j, b in enumerate(v) if a else ():
                matrix[i][j] += c * a * b / 2
                matrix[j][i] += c * a * b / 2
    return semidefinite(matrix)


def _exact(value: Any) -> fmpq:
    q = Fraction(value)
    return fmpq(q.numerator, q.denominator)


def graph_of(prop: Property, A: OfA) -> str:
    """The graph that a property speaks of: F's for T = I − F, and for S where A = 0."""
    if prop.of == "T" or (prop.of == "S" and A == "zero"):
        return "F"
    return prop.of


def claim(
    theorem: Theorem,
    k: int,
    place: Place = "middle",
    fixed: Mapping[str, Any] = {},
) -> Claim:
    """The forms behind a theorem's statement at index k.

    Raises OpcheckError where the statement has no such form, with the reason, or the run is too
    large for the memory of this machine.
    """
    reason = refusal(theorem)
    if reason:
        raise OpcheckError(f"{theorem.name}: {reason}")
    recording = plan(theorem)
    if k < max(theorem.first, 0):
        raise OpcheckError(f"{theorem.name} is about k ≥ {theorem.first}, not k = {k}")
    horizon = k + 1 if recording.in_steps else k
    _fits(theorem, recording, horizon, place, fixed)
    instance = setting(theorem, k, horizon, place, fixed)
    if one_step(theorem) and k > theorem.first:
        # where a step depends on z alone, the first stands for all
        values = parameters_of(theorem.iteration, instance.values)
        if memoryless(theorem.iteration, values, theorem.A):
            return claim(theorem, theorem.first, place, fixed)
    return _claim(instance, recording, horizon)


def _claim(instance: Setting, recording: Plan, horizon: int) -> Claim:
    theorem, k = instance.theorem, instance.k
    method, values = theorem.iteration, parameters_of(theorem.iteration, instance.values)
    well_posed(theorem)
    _fits_here(instance, horizon)
    run, measure, bound = _read(instance, recording, horizon)
    resolvents_exist(instance, run)
    covers = Coverage(k, f"k = {k} of K = {horizon}" if "K" in symbols(theorem) else f"k = {k}")
    if one_step(theorem):
        if memoryless(method, values, theorem.A):
            covers = Coverage(None, "every k: a step depends on z alone, and z is arbitrary")
        else:
            covers = Coverage(k, f"the step k = {k} of a run from the start")
    properties = [_numeric(p, instance) for p in theorem.asked]
    return assemble(instance, run, properties, measure, bound, covers=covers, A=theorem.A)


def resolvents_exist(instance: Setting, run: Trace) -> None:
    """Raise OpcheckError where a resolvent of the run need not be a function on all of R^d."""
    arithmetic = form_arithmetic()
    taken = {(e.of, e.gamma) for e in run.evaluations if e.gamma != 0}
    for of, gamma in sorted(taken):
        values = {**instance.values, STEP: gamma}
        alternatives = (
            ((f"0 < {STEP}",),) if of == "A" else resolvent_exists(instance.theorem, STEP, of)
        )
        sides_of = [[chains(c, frozenset())[0] for c in conditions] for conditions in alternatives]
        if not any(all(_holds(c, values, arithmetic) for c in some) for some in sides_of):
            asked = " or ".join(" and ".join(conditions) for conditions in alternatives)
            raise OpcheckError(
                f"{instance.theorem.name}: the resolvent of {of} with {STEP} = {gamma} need not "
                "exist and be single-valued" + (f", for want of {asked}" if asked else "")
            )


def _holds(condition: Chain, values: Mapping[str, Any], arithmetic: Arithmetic) -> bool:
    """Whether an inequality with two sides holds at numbers."""
    middle = Text(condition.name).evaluate(values, arithmetic)
    gaps = []
    if condition.lo is not None:
        gaps.append((middle - condition.lo.evaluate(values, arithmetic), condition.strict[0]))
    if condition.hi is not None:
        gaps.append((condition.hi.evaluate(values, arithmetic) - middle, condition.strict[1]))
    return all(bool(gap > 0 if strict else gap >= 0) for gap, strict in gaps)


def assemble(
    instance: Setting,
    run: Trace,
    properties: Sequence[Property],
    measure: Products,
    bound: Products,
    *,
    covers: Coverage,
    A: OfA,
    about: Mapping[str, Any] = {},
) -> Claim:
    """The claim about a run: what is known of its points, by properties with rational constants."""
    graphs = _graphs(run, A)
    size = len(run.basis)
    basis = run.basis
    if A != "zero" and STAR not in basis and not _feels_the_sum_alone(run, measure, bound):
        size += 1
        basis = (*basis, STAR)
    star = tuple(fmpq(int(name == STAR)) for name in basis)
    zero = tuple(fmpq(0) for _ in range(size))
    full = {
        of: {n: (_pad(p, size), _pad(v, size)) for n, (p, v) in g.items()}
        for of, g in graphs.items()
    }
    if full["F"]:
        full["F"] = {SOLUTION: (zero, star)} | full["F"]
    if full["A"]:
        full["A"] = {SOLUTION: (zero, tuple(-v for v in star))} | full["A"]
    if full["S"]:
        full["S"] = {SOLUTION: (zero, zero)} | full["S"]
    known = list(properties)
    if full["A"]:
        known.append((Subdifferential if A == "subdifferential" else Monotone)(of="A"))
    inequalities: list[Inequality] = []
    for i, prop in enumerate(known):
        names = list(full[graph_of(prop, A)])
        for b, second in enumerate(names):
            for first in names[:b]:
                if not prop.kind.star or first == SOLUTION:
                    inequalities.append(Inequality(i, (first, second)))
                if prop.kind is Subdifferential:
                    inequalities.append(Inequality(i, (second, first)))
    return Claim(
        setting=instance,
        A=A,
        basis=basis,
        trace=run,
        properties=tuple(known),
        graphs=full,
        inequalities=tuple(inequalities),
        measure=measure,
        bound=bound,
        covers=covers,
        about=about,
    )


def _read(instance: Setting, recording: Plan, horizon: int) -> tuple[Trace, Products, Products]:
    theorem, k = instance.theorem, instance.k
    every = theorem.left.accumulates or theorem.right.accumulates
    stops = range(horizon + 1) if every else sorted({k, min(k + 1, horizon)})
    takes = list(recording.takes.values())
    values = parameters_of(theorem.iteration, instance.values)
    try:
        run = trace(theorem.iteration, values, horizon, A=theorem.A, takes=takes, stops=stops)
        record: dict[str, NDArray[Any]] = {}
        at = sorted({horizon, *stops})
        for j, key in enumerate(recording.takes):
            record[key] = np.full(horizon + 1, 0, dtype=object)
            record[key][at] = run.record[j]
        scope = dict(instance.values) | {"R": Radius(START)}
        left, right = sides(
            theorem, recording, scope, record, horizon=horizon, arithmetic=form_arithmetic()
        )
        measure, bound = _form(left[k], "measure"), _form(right[k], "bound")
    except TypeError as error:
        raise OpcheckError(f"{theorem.name}: {error}") from error
    except Undecided as error:
        raise OpcheckError(
            f"{theorem.name}: a comparison of irrational numbers is open ({error})"
        ) from error
    return run, measure, bound


def _form(value: Any, what: str) -> Products:
    if isinstance(value, int | fmpq) and value == 0:
        return {}
    if not isinstance(value, Form):
        raise TypeError(f"the {what} is no quadratic form in the points of the run")
    if value.flaw or (value.rounded and what == "measure"):
        raise TypeError(f"the {what} is no quadratic form: {value.flaw or 'an irrational factor'}")
    return value.inner_products()


def _numeric(prop: Property, instance: Setting) -> Property:
    if prop.kind.better is None:
        return prop
    number = prop.number
    value = instance.constants[prop.constant] if number is None else number
    return Property(prop.kind, value, prop.of)


def _pad(vector: Vector, size: int) -> Vector:
    return vector + tuple(fmpq(0) for _ in range(size - len(vector)))


def _graphs(run: Trace, A: OfA) -> dict[str, Graph]:
    """Each operator's known points; F + A and S − F where both are known at one point."""
    graphs: dict[str, Graph] = {"F": {}, "A": {}, "S": {}}
    for name, e in run.calls:
        of = "F" if e.of == "S" and A == "zero" else e.of
        graphs[of][name] = (e.point, e.value)
    if A == "zero":
        return graphs
    at = {point: (name, value) for name, (point, value) in graphs["F"].items()}
    for name, (point, value) in [*graphs["A"].items()]:
        if point in at:
            other, f = at[point]
            graphs["S"][f"{other}+{name}"] = (point, _sum(f, value, 1))
    for name, (point, value) in [*graphs["S"].items()]:
        if point in at and "+" not in name:
            other, f = at[point]
            graphs["A"][f"{name}-{other}"] = (point, _sum(value, f, -1))
    return graphs


def _feels_the_sum_alone(run: Trace, measure: Products, bound: Products) -> bool:
    """Whether F + c and A − c give the same points, measure and bound for every c."""
    returned = {name: {"F": 1, "A": -1, "S": 0}[e.of] for name, e in run.calls}
    weight = [returned.get(name, 0) for name in run.basis]
    points = [e.point for e in run.evaluations]
    sums = [sum((w * v for w, v in zip(weight, p, strict=True)), fmpq(0)) for p in points]
    for products in (measure, bound):
        for pair in products:
            sums += [sum((weight[i] * v for i, v in vector), fmpq(0)) for vector in pair]
    return all(total == 0 for total in sums)


def _sum(u: Vector, v: Vector, sign: int) -> Vector:
    return tuple(a + sign * b for a, b in zip(u, v, strict=True))


# ---- size ----------------------------------------------------------------------------------------


def memory(basis: float, inequalities: float) -> float:
    """Bytes that solving takes, about: the forms, and the factor of the cone's block."""
    entries = basis * (basis + 1) / 2
    return 8 * (4 * entries * inequalities + 3 * (entries + inequalities) ** 2)


def calls(instance: Setting, horizon: int) -> int:
    """Calls of F in so many steps, each of which is a vector of the basis."""
    method = instance.theorem.iteration
    values = parameters_of(method, instance.values)
    each = np.atleast_1d(method.calls_at({n: np.asarray(v, float) for n, v in values.items()}))
    return int(each[np.minimum(np.arange(horizon), each.size - 1)].sum())


def _fits_here(instance: Setting, horizon: int) -> None:
    """Raise OpcheckError where the calls alone, as an inner loop's, are too many to lay out."""
    count = calls(instance, horizon)
    if memory(count, count) > available():
        raise OpcheckError(
            f"{instance.theorem.name} calls F {count} times up to k = {horizon}, and the vectors "
            f"of so many calls need about {memory(count, count) / 1e9:.0f} GB; take a smaller k, "
            "or parameters with fewer calls a step"
        )


def _fits(
    theorem: Theorem, recording: Plan, horizon: int, place: Place, fixed: Mapping[str, Any]
) -> None:
    """Raise OpcheckError where k steps can't be solved for, judged from runs of a few steps."""
    few, more = 3 + recording.in_steps, 5 + recording.in_steps
    if horizon <= more:
        return
    first, last = theorem.first + few, theorem.first + more
    sizes = []
    for h in (first, last):
        k = h - 1 if recording.in_steps else h
        small = _claim(setting(theorem, k, h, place, fixed), recording, h)
        points = sum(len(g) for g in small.graphs.values())
        sizes.append((len(small.basis), len(small.inequalities) / max(points, 1) ** 2, points))
    (b0, _, p0), (b1, density, p1) = sizes
    growth = (horizon - last) / (last - first)
    basis = b1 + growth * (b1 - b0)
    need = memory(basis, density * (p1 + growth * (p1 - p0)) ** 2)
    if need > available():
        raise OpcheckError(
            f"{theorem.name} at k = {horizon} has about {basis:.0f} basis vectors and needs about "
            f"{need / 1e9:.1f} GB, more than the {available() / 1e9:.1f} GB that are free; take a "
            "smaller k"
        )
