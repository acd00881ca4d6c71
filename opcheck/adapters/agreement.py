"""Whether somebody's optimiser is the method that it should be, and if not, what it does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from opcheck.adapters.game import Game, Observed, Optimizer
from opcheck.adapters.matching import (
    LIKE,
    NEAREST,
    SAME,
    Candidate,
    Match,
    candidates,
    compared,
    differences,
    matches,
    nearest,
    short,
)
from opcheck.adapters.variants import Variant
from opcheck.arguments import integer
from opcheck.engine.run import run
from opcheck.errors import InternalError, OpcheckError
from opcheck.evidence.operators.subject import subject
from opcheck.model.problem import Problem
from opcheck.model.problem import problem as problem_named
from opcheck.model.result import Result

SHARE = 0.2  # γL on the library's problems: what diverges is still far from overflow
SMALLER = 4  # times that L is divided by 10 where a run diverges
LEAST = 200  # steps that are compared
OF_A_NUMBER = 40  # rank from which a change is of a number, or leaves a statement out
DEAR = 4  # what a change may cost to be named
FACTOR = 8  # between a difference, and what rounding makes, from which it is one
MOVED = 2.0**-50  # relative; by how much the start is moved to see what rounding does
SINGLE = 1e-5  # relative; differences of single precision are below it
OTHERS = 3  # further explanations that are named


@dataclass(frozen=True)
class OptimizerCheck(Result):
    """What an optimiser's steps are.

    Attributes:
        optimizer: its name.
        reference: the method it is compared with, as ``lookahead(extragradient)``.
        parameters: of the reference, as they were found.
        returns: the row of the reference that the parameters are: ``z``, or for a method with a
            shadow ``shadow`` or the row that is one.
        ok: whether every step is the reference's, to 1e-12 of the farthest point.
        problems: on which.
        steps: how many on each.
        distance: the largest difference, relative to the farthest point so far.
        problem, step: where the first difference is; "" and 0 for none.
        expected, observed: z there, by the reference and by the optimiser.
        diagnosis: what was changed in the reference does the same on every problem, to 1e-12; or
            what else is known of the difference; "" where there is none.
        reproduced: the largest difference from that, relative; NaN where nothing does the same.
        also: further changes that do the same.
        notes: what else was seen.
    """

    optimizer: str
    reference: str
    parameters: Mapping[str, Any]
    returns: str
    ok: bool
    problems: tuple[str, ...]
    steps: int
    distance: float
    problem: str = ""
    step: int = 0
    expected: tuple[float, ...] = ()
    observed: tuple[float, ...] = ()
    diagnosis: str = ""
    reproduced: float = float("nan")
    also: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())


def check_optimizer(
    optimizer: Optimizer,
    *,
    method: str = "",
    problems: str | Sequence[Any] = (),
    steps: int = LEAST,
) -> OptimizerCheck:
    """Compare an optimiser with a method of the library, step by step in float64.

    Args:
        optimizer: from ``opcheck.adapters.torch`` or ``opcheck.adapters.optax``.
        method: the one that it should be, as ``lookahead(extragradient)``; "" for the one whose
            steps are nearest.
        problems: whatever ``opcheck.subject`` takes, of two coordinates or more; default three of
            the library, scaled so that γL is about 1/5.
        steps: on each problem, from 200 on.

    The numbers of the method are taken from the optimiser's options, or fitted to its first steps.
    Where a step differs, changes of one thing in the method's text are tried: a row that starts
    elsewhere, a step from another point, another row returned, a memory that shrinks.

    Raises OpcheckError for what is no optimiser, for one that fails, is not deterministic or leaves
    the finite numbers, and for a problem that does not let 1e-12 be told.
    """
    steps = integer(steps, "steps", LEAST)
    if not isinstance(optimizer, Optimizer):
        raise OpcheckError(
            f"check_optimizer takes what opcheck.adapters.torch or .optax returns, not "
            f"{type(optimizer).__name__}"
        )
    subjects = [subject(p) for p in ([problems] if isinstance(problems, str) else problems)]
    if subjects:
        seen = [optimizer.observe(p, steps) for p in subjects]
    else:
        seen = _library(optimizer, steps)
    again = optimizer.observe(seen[0].problem, LEAST)
    if not np.array_equal(again.points[: LEAST + 1], seen[0].points[: LEAST + 1]):
        raise OpcheckError(
            f"{optimizer.name} does not do the same twice on {seen[0].problem.name}; draw no "
            "random numbers, and keep nothing from one optimiser to the next"
        )
    probe = max(seen, key=lambda s: s.problem.dim)
    pool = optimizer.numbers(Game(probe.problem))
    meant = candidates(probe, method)
    same = _explained(meant, pool, seen, probe)
    if not same:
        return _unexplained(optimizer, meant, pool, seen)
    reference = same[0] if not same[0].variant.words else _reference(same[0], meant)
    result = _judged(optimizer, reference, same[0], seen, same[1 : 1 + OTHERS])
    decay = next((v for n, v in pool.items() if n.endswith("weight_decay") and v), 0.0)
    note = f"weight_decay = {decay:g} adds {decay:g} z to F; make the optimiser without it"
    return replace(result, notes=(*result.notes, note)) if decay and not result.ok else result


def _unexplained(
    optimizer: Optimizer,
    meant: Sequence[Candidate],
    pool: Mapping[str, float],
    seen: Sequence[Observed],
) -> OptimizerCheck:
    """The nearest method, or the one that the optimiser is of players with one tensor each."""
    whole = [optimizer.observe(o.problem, len(o.calls), whole=True) for o in seen]
    if any(not np.array_equal(a.points, b.points) for a, b in zip(whole, seen, strict=True)):
        again = [replace(candidate, known={}) for candidate in meant]
        same = _explained(again, pool, whole, max(whole, key=lambda o: o.problem.dim))
        if same and not same[0].variant.words:
            words = (
                "where each player has one tensor every step is the method's: something is kept "
                "once for all tensors of a player, and not for each"
            )
            return replace(_judged(optimizer, same[0], None, seen), diagnosis=words)
    probe = max(seen, key=lambda o: o.problem.dim)
    return _judged(optimizer, nearest(meant, pool, probe)[0][1], None, seen)


def _library(optimizer: Optimizer, steps: int) -> list[Observed]:
    """Runs on problems where γL is about SHARE: a nonlinear one, a slow one, one that turns."""
    make = _constrained if optimizer.projects else _free
    first = optimizer.observe(make(1.0)[0], 1)
    z0 = first.points[0]
    slope = float(np.linalg.norm(first.problem.operator(z0)))
    step = float(np.linalg.norm(first.points[1] - z0)) / slope
    L = SHARE / step if step > 0 else 1.0
    for _ in range(SMALLER):
        seen = [optimizer.observe(p, steps) for p in make(float(f"{L:.1g}"))]
        if all(len(observed.calls) == steps for observed in seen):
            return seen
        L /= 10  # a long memory makes the steps longer than the first
    raise OpcheckError(
        f"{optimizer.name} diverges on every problem in less than {steps} steps, also where γL is "
        f"{SHARE / 10**SMALLER:g}; make it with a smaller lr"
    )


def _free(L: float) -> list[Problem]:
    return [
        problem_named("tanh_saddle_mixed", m=-L / 5, M=L / 5, c=L),
        problem_named("strongly_monotone", mu=L / 10, L=L),
        problem_named("bilinear", L=L, n=2),
    ]


def _constrained(L: float) -> list[Problem]:
    return [
        subject(_free(L)[0], constraint="box:-1,1"),
        problem_named("bilinear_box", L=L),
        problem_named("quad_box", L=L),
    ]


def _explained(
    meant: Sequence[Candidate],
    pool: Mapping[str, float],
    seen: Sequence[Observed],
    probe: Observed,
) -> list[Match]:
    """What is the optimiser on every problem to the last step, the plainest first.

    A number that the optimiser does not show costs 1, one of many digits 2; a change costs 1, and
    one of a number alone 2. What is right and costs no more than 1 is not doubted; beyond that it
    may be a coincidence, as the golden ratio's steps at φ = 2 are optimistic ones that begin with a
    gradient of 0. A change that costs more than DEAR explains nothing.
    """

    def whole(several: Sequence[Candidate], *, wrong: bool, fit: bool) -> list[Match]:
        likely = matches(several, pool, probe, wrong=wrong, fit=fit)
        return [m for match in likely if (m := _everywhere(match, seen)) is not None]

    def cost(match: Match) -> tuple[Any, ...]:
        method, own = match.variant.method, {*pool.values(), 0.0}
        numbers = [v for n, v in match.values.items() if not method.parameter(n).integer]
        change = 0 if not match.variant.words else 1 if match.variant.rank < OF_A_NUMBER else 2
        return (sum(1 + (v != short(v)) for v in numbers if v not in own) + change, *match.plain)

    for fit in (False, True):
        right = sorted(whole(meant, wrong=False, fit=fit), key=cost)
        if right and cost(right[0])[0] <= 1:
            return right[:1]
    wrong = whole(meant, wrong=True, fit=False)
    if not wrong:
        most = cost(right[0])[0] - 1 if right else DEAR  # numbers of what would cost no more
        few = [c for c in meant if sum(not p.integer for p in c.method.parameters) <= most]
        close = [candidate for candidate, _ in nearest(few, pool, probe)[:NEAREST]]
        wrong = whole(close, wrong=True, fit=True)
    return sorted([*right, *(m for m in wrong if cost(m)[0] <= DEAR)], key=cost)


def _everywhere(match: Match, seen: Sequence[Observed]) -> Match | None:
    """The match over all problems; None where a step differs."""
    worst = 0.0
    for observed in seen:
        there = compared(match.variant, match.values, observed)
        if there.agrees < len(observed.calls):
            return None
        worst = max(worst, there.distance)
    return Match(match.variant, match.values, match.agrees, worst)


def _reference(wrong: Match, meant: Sequence[Candidate]) -> Match:
    """The method that a deviation is one from, at the same numbers."""
    name = wrong.variant.method.name
    (candidate,) = [c for c in meant if c.method.name == name]
    right = candidate.right()
    same = [v for v in right if v.returns == wrong.variant.returns]
    return Match((same or right)[0], wrong.values, 0, 0.0)


def _judged(
    optimizer: Optimizer,
    reference: Match,
    same: Match | None,
    seen: Sequence[Observed],
    also: Sequence[Match] = (),
) -> OptimizerCheck:
    """What is said of the optimiser beside its reference, and beside what does the same."""
    _as_compiled(reference, seen)
    worst, parts = 0.0, []
    for observed in seen:
        pairs = differences(reference.variant, reference.values, observed)
        for k, (miss, z) in enumerate(itertools.islice(pairs, len(observed.calls)), 1):
            worst = max(worst, miss)
            if miss > SAME:
                parts.append((k, observed, z))
                break
    first = min(parts, key=lambda part: part[0], default=None)
    result = OptimizerCheck(
        optimizer=optimizer.name,
        reference=reference.variant.method.name,
        parameters=dict(reference.values),
        returns=reference.variant.returns,
        ok=first is None,
        problems=tuple(_named(o.problem) for o in seen),
        steps=min(len(o.calls) for o in seen),
        distance=worst,
        notes=tuple(_notes(reference, seen)),
    )
    if first is None:
        return result
    k, observed, expected = first
    _refuse_rounding(reference, observed, k)
    return replace(
        result,
        problem=_named(observed.problem),
        step=k,
        expected=tuple(expected.tolist()),
        observed=tuple(observed.points[k].tolist()),
        diagnosis=same.variant.words if same else _of_size(reference, seen),
        reproduced=same.distance if same else float("nan"),
        also=tuple(_as_well(m) for m in also),
    )


def _named(problem: Problem) -> str:
    """As in ``bilinear(L=2) on box``."""
    return problem.name + f" on {problem.resolvent.name}" * problem.constrained


def _as_well(match: Match) -> str:
    """As in ``golden_ratio at gamma = 0.2, phi = 2, unchanged``."""
    values = ", ".join(f"{n} = {v:.6g}" for n, v in match.values.items())
    return f"{match.variant.method.name} at {values}: {match.variant.words or 'unchanged'}"


def _refuse_rounding(reference: Match, observed: Observed, k: int) -> None:
    """Raise OpcheckError where the difference at step k is no more than rounding makes of a run."""
    steps = itertools.islice(differences(reference.variant, reference.values, observed), k)
    *_, (miss, _) = steps
    turns = np.resize([1.0, -1.0], observed.problem.dim)
    start = observed.points[0] * (1 + MOVED * turns)
    moved = Observed(observed.problem, np.vstack([[start], observed.points[1:]]), observed.calls)
    *_, (beside, _) = itertools.islice(differences(reference.variant, reference.values, moved), k)
    if miss < LIKE and abs(beside - miss) > miss / FACTOR:
        raise OpcheckError(
            f"on {observed.problem.name} a start moved by {MOVED:.0e} ends {beside:.1e} away after "
            f"{k} steps, so that the difference of {miss:.1e} there is rounding; take another "
            "problem, or a smaller lr"
        )


def _of_size(reference: Match, seen: Sequence[Observed]) -> str:
    """What the size of the differences says."""
    misses = [
        miss
        for observed in seen
        for miss, _ in itertools.islice(
            differences(reference.variant, reference.values, observed), len(observed.calls)
        )
    ]
    if max(misses) <= SINGLE:
        return "every difference is of the size of single precision: something is kept in float32"
    return ""


def _notes(reference: Match, seen: Sequence[Observed]) -> Iterator[str]:
    """How often F is evaluated, where that is not what the method does; runs that ended early."""
    method = reference.variant.method
    if method.calls != "0":
        should = int(np.max(method.calls_at(reference.values)))
        calls = int(np.median(seen[0].calls))
        if calls != should:
            yield f"F is evaluated {calls} times a step, {should} by the method"
    for observed in seen:
        if len(observed.calls) < len(max(seen, key=lambda o: len(o.calls)).calls):
            yield f"on {observed.problem.name} the run diverges, after {len(observed.calls)} steps"


def _as_compiled(reference: Match, seen: Sequence[Observed]) -> None:
    """Raise InternalError where the reading that is compared is not the compiled kernel's."""
    method, values = reference.variant.method, dict(reference.values)
    for observed in seen:
        steps = len(observed.calls)
        compiled = run(method, observed.problem, steps, iterates=True, **values).iterates[1:]
        plain = Observed(
            observed.problem, np.vstack([observed.points[:1], compiled]), observed.calls
        )
        for k, (miss, _) in enumerate(
            itertools.islice(differences(Variant(method), values, plain), steps), 1
        ):
            if np.isfinite(compiled[k - 1]).all() and not miss <= SAME:
                raise InternalError(
                    f"the compiled kernel of {method.name} and its text, interpreted, are "
                    f"{miss:.3g} apart at step {k} on {observed.problem.name}"
                )
