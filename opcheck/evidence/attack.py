"""The largest measured/bound that a search over a theorem's class of operators finds.

Searched are linear operators at the constants of the hypotheses: normal ones, which are scalings
and rotations by a complex number f on the boundary of what the hypotheses allow, refined around the
best; and matrices of four rows that are not normal, moved along a ray until a hypothesis is met
with equality. Where A ≠ 0 is allowed it is a multiple of the identity, the slope of a quadratic.
What is found is a lower bound on the worst case, as ``worst`` gives an upper one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.engine.run import run_batch
from opcheck.errors import OpcheckError
from opcheck.evidence.choices import Values, settle
from opcheck.evidence.compare import Plan, parameters_of, plan, sides
from opcheck.evidence.inequalities import refusal
from opcheck.evidence.setting import Place, Setting, setting
from opcheck.model.operator import NO_CONSTRAINT, Resolvent, linear
from opcheck.model.problem import Problem
from opcheck.model.property import Property
from opcheck.model.theorem import Theorem

Floats = NDArray[np.float64]
BUDGET = 1000
DIM = 4
REACH = 8.0  # where nothing bounds an operator, how large it is taken at most
ULPS = 8 * np.finfo(float).eps  # to which a hypothesis is met with equality
ROUNDS = 4  # refinements around the best
SLOPES = (0.0, 0.25, 0.5, 1.0, 2.0, 8.0)  # a of A = aI, where A ≠ 0 is allowed
FLOOR = 1e-12  # a bound below it, with R = 1, may be rounding alone
ABOVE = 1e-9  # of rounding: a ratio further above 1 is a counterexample


@dataclass(frozen=True)
class Reached:
    """The worst that was found at one k.

    Attributes:
        ratio: measured/bound.
        value: measured at R = 1.
        operator: f of a normal operator z ↦ f z on the complex plane, or the matrix.
        slope: a of A = aI.
        runs: operators tried.
    """

    k: int
    ratio: float
    value: float
    operator: str
    slope: float
    runs: int


@dataclass(frozen=True)
class Attack:
    """What a search over the class of a theorem found.

    Attributes:
        found: the worst at each k.
        constants, parameters: at which, as ``worst`` takes them.
    """

    theorem: str
    found: tuple[Reached, ...]
    constants: Mapping[str, str]
    parameters: Mapping[str, str]
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def worst(self) -> Reached:
        """Where measured/bound is largest."""
        return max(self.found, key=lambda one: one.ratio)

    @property
    def ratio(self) -> float:
        """The largest measured/bound."""
        return self.worst.ratio

    @property
    def ok(self) -> bool:
        """No operator of the class exceeds the bound."""
        return self.ratio <= 1 + ABOVE

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "ratio": self.ratio, "ok": self.ok}


def attack(
    theorem: str | Theorem,
    k: int | Sequence[int] = (1, 2, 5, 10, 20),
    budget: int = BUDGET,
    seed: int = 0,
    place: Place = "middle",
    **given: Any,
) -> Attack:
    """Search the class of a theorem for the largest measured/bound.

    Args:
        k: index or indices; those below the theorem's first are left out.
        budget: about how many operators are tried at each k, from 10 on.
        seed: of the search.
        place, given: constants and parameters, as ``worst`` takes them.

    Raises OpcheckError where the statement is about no class of operators, or bad input.
    """
    entry: Theorem = registry.get("theorems", theorem) if isinstance(theorem, str) else theorem
    reason = refusal(entry)
    if reason:
        raise OpcheckError(f"{entry.name}: {reason}")
    if budget < 10 or seed < 0:
        raise OpcheckError(f"budget = {budget} must be at least 10, and seed = {seed} at least 0")
    recording = plan(entry)
    wanted = [k] if isinstance(k, int) else list(dict.fromkeys(k))
    ks = [i for i in wanted if i >= entry.first] or [max(entry.first, 1)]
    found = []
    chosen = None
    for i in ks:
        horizon = i + 1 if recording.in_steps else i
        chosen = setting(entry, i, horizon, place, given)
        found.append(_over_slopes(chosen, recording, horizon, seed, budget))
    assert chosen is not None
    return Attack(
        entry.name,
        tuple(found),
        {n: str(v) for n, v in chosen.constants.items()},
        {n: str(v) for n, v in chosen.parameters.items()},
        seed,
        chosen.notes,
    )


def _over_slopes(chosen: Setting, recording: Plan, horizon: int, seed: int, budget: int) -> Reached:
    """The worst at one k: each A gets a share, and the best of them as much again as all."""
    theorem = chosen.theorem
    if not (theorem.constrained and theorem.method.constrained):
        return _Search(chosen, recording, horizon, seed, 0.0).reach(budget)
    share = max(budget // (2 * len(SLOPES)), 10)
    tried = [_Search(chosen, recording, horizon, seed, a).reach(share) for a in SLOPES]
    top = max(tried, key=lambda one: one.ratio)
    tried.append(_Search(chosen, recording, horizon, seed + 1, top.slope).reach(budget // 2))
    top = max(tried, key=lambda one: one.ratio)
    return replace(top, runs=sum(one.runs for one in tried))


class _Search:
    """One k: runs of many operators with the same parameters."""

    def __init__(
        self, chosen: Setting, recording: Plan, horizon: int, seed: int, slope: float
    ) -> None:
        self.theorem, self.k = chosen.theorem, chosen.k
        self.recording, self.horizon, self.slope = recording, horizon, slope
        self.rng = np.random.default_rng(seed)
        self.values = _floats(chosen, horizon)
        self.forms = [_form(p, chosen, slope) for p in self.theorem.asked]
        self.best: tuple[float, float, str] = (-1.0, 0.0, "")
        self.runs = 0

    def reach(self, budget: int) -> Reached:
        """The worst of so many operators."""
        f = self.boundary(budget * 2 // 5)
        if len(f) == 0:
            return Reached(self.k, 0.0, 0.0, "", self.slope, 0)
        ratios = self.scalars(f)
        share = budget // 5 // ROUNDS
        for i in range(ROUNDS):
            top = f[np.argsort(-ratios)[:4]]
            f = self.near(top, share, 0.3 * 0.1**i)
            f = np.concatenate([top, f]) if len(f) else top
            ratios = self.scalars(f)
        self.matrices(budget - budget * 3 // 5)
        ratio, value, operator = self.best
        return Reached(self.k, ratio, value, operator, self.slope, self.runs)

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
        found = np.concatenate([*curves, corners, inside[:, 0] + 1j * inside[:, 1]])
        found = found[self.allowed(found)]
        few = self.rng.permutation(len(found))[:count]
        return np.concatenate([corners[self.allowed(corners)], found[np.sort(few)]])

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
        found: list[complex] = []
        for i, (a, b, c) in enumerate(self.forms):
            found += np.roots([c, 2 * b, a]).tolist() if b or c else []
            for p, q, r in self.forms[:i]:
                # c·second − r·first is linear in Re f
                slope, level = 2 * (c * q - r * b), c * p - r * a
                if slope:
                    x = -level / slope
                    square = (-(a + 2 * b * x) / c if c else -(p + 2 * q * x) / r) - x * x
                    if square >= 0:
                        found += [complex(x, square**0.5), complex(x, -(square**0.5))]
        return np.array([f for f in found if abs(f) < 1e6], dtype=complex)

    def near(self, top: NDArray[np.complex128], count: int, width: float) -> NDArray[np.complex128]:
        """Numbers on the same curves close to given ones."""
        found = []
        for f in top:
            for a, b, c in self.forms:
                turn = width * self.rng.uniform(-1, 1, max(count // 4, 1))
                if c != 0:
                    centre = -b / c
                    found.append(self.curve((a, b, c), np.angle(f - centre) + turn))
                elif b != 0:
                    found.append(-a / (2 * b) + 1j * (f.imag + self.size() * turn))
        both = np.concatenate(found) if found else np.zeros(0, dtype=complex)
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
        m, d = start.shape
        A = (
            Resolvent(shrink, np.array([self.slope]), 0, f"{self.slope} I")
            if self.slope
            else NO_CONSTRAINT
        )
        problem = Problem("linear", linear(np.eye(d)), A, start[0], np.zeros(d))
        own = parameters_of(self.theorem.method, self.values)
        takes = list(self.recording.takes.values())
        stops = range(self.horizon + 1)
        batch = run_batch(
            problem, self.theorem.method, [own] * m, stops, takes, starts=start, data=data
        )
        ratios = np.zeros(m)
        with np.errstate(all="ignore"):
            for i in range(m):
                record = {key: batch.record[i, j] for j, key in enumerate(self.recording.takes)}
                left, right = sides(self.theorem, self.recording, self.values, record, self.horizon)
                measured, bound = float(left[self.k]), float(right[self.k])
                if np.isfinite(measured) and bound > FLOOR:
                    ratios[i] = measured / bound
                if ratios[i] > self.best[0]:
                    self.best = (float(ratios[i]), measured, name(i))
        self.runs += m
        return ratios


def _form(prop: Property, chosen: Setting, slope: float) -> tuple[float, float, float]:
    """A property as a form in (x − y, Fx − Fy), where A = slope · I."""
    value = None if prop.kind.better is None else chosen.constants[prop.constant]
    a, b, c = (float(v) for v in prop.form(value))
    if prop.of == "S":
        return a + 2 * b * slope + c * slope**2, b + c * slope, c
    return a, b, c


def shrink(z, gamma, out, data):  # type: ignore[no-untyped-def]
    """The resolvent of A = aI."""
    for i in range(z.shape[0]):
        out[i] = z[i] / (1 + gamma * data[0])


def _floats(chosen: Setting, horizon: int) -> Values:
    """The setting's symbols in float64, R = 1."""
    theorem = chosen.theorem
    k = np.arange(horizon + 1.0)
    values: Values = {n: float(v) for n, v in chosen.constants.items()}
    values |= {"K": float(horizon), "k": k, "j": k, "R": 1.0}
    settle(theorem, values)
    for chain in theorem.chains:
        values[chain.name] = float(chosen.parameters[chain.name])
        settle(theorem, values)
    return values
