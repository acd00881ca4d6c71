"""The runs that a picture shows.

Of a check that which its verdicts are about; of several methods one each, with parameters that a
theorem admits; of a noisy problem, or of random starts, one a seed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.engine.pseudo_code import values_of
from opcheck.engine.run import Trajectory
from opcheck.errors import OpcheckError
from opcheck.evidence.check import Check
from opcheck.evidence.operators.subject import run
from opcheck.evidence.simulation.bounds import bounded_measures, with_bounds
from opcheck.evidence.statement.hypotheses import match
from opcheck.evidence.statement.parameters import choices
from opcheck.model.method import Method, Parameter, resolve
from opcheck.model.oracle import gaussian
from opcheck.model.problem import Problem
from opcheck.model.property import Lipschitz
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem
from opcheck.model.verdict import Verdict

DEFAULT = "extragradient"  # what a check draws where no verdict asks for another method
ITERATIONS, INTERPRETED = 300, 100  # of that run, and where F is no compiled kernel
PAIRS = 64  # of points, whose steepest slope stands for L where nothing is known of it
OTHERS: Mapping[str, Any] = {  # parameters where no theorem that applies says one
    "lam": 0.5,
    "tau": 5,
    "phi": 1.5,
    "rho": 0.0,
    "a": 0.5,
    "beta_re": 0.0,
    "beta_im": 0.5,
    "beta": "1/(k + 2)",
    "weight": "1/(k + 2)",
}


@dataclass(frozen=True)
class Series(Result):
    """One method on a problem: a run for each seed, or one.

    Attributes:
        name: of the method.
        runs: with their bounds; none where the method has no form for the problem.
        note: how parameters that were not given were chosen, or why there is no run; else "".
    """

    name: str
    runs: tuple[Trajectory, ...]
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON: the runs without what they share."""
        runs = [t.as_dict() for t in self.runs]
        own = [{n: v for n, v in run.items() if n not in ("method", "problem")} for run in runs]
        return {"method": self.name, "note": self.note or None, "runs": own}


def pictured(check: Check) -> Trajectory:
    """The run that a check's verdicts are about, with the bounds that cover it.

    The worst that violates a theorem; else extragradient, with the step of a theorem that applies,
    or 1/(2L).
    """
    for verdict in sorted(check.verdicts, key=lambda v: -v.ratio):
        if verdict.status == "violated":
            with contextlib.suppress(OpcheckError):  # one whose parameters are no numbers
                return _run_of(verdict, check.problem)
    count = INTERPRETED if check.problem.operator.interpreted else ITERATIONS
    return each([DEFAULT], check.problem, count)[0].runs[0]


def _run_of(verdict: Verdict, problem: Problem) -> Trajectory:
    theorem: Theorem = registry.get("theorems", verdict.theorem)
    method = theorem.iteration
    try:
        values = {p.name: verdict.parameters[p.symbol] for p in method.parameters}
    except KeyError as missing:
        raise OpcheckError(f"{verdict.theorem} was run with more than numbers") from missing
    whole = {p.name: int(values[p.name]) for p in method.parameters if p.integer}
    horizon = int(verdict.parameters.get("K", theorem.horizons[-1]))
    measures = [theorem.measure] if theorem.measure in registry.names("measures") else []
    trajectory = run(method.name, problem, horizon, measures=measures, **values | whole)
    return with_bounds(trajectory)[0]


def noisy(problem: Problem, deviation: float) -> Problem:
    """A problem with Gaussian noise of variance deviation² on each sample of F.

    Raises OpcheckError for one that is noisy already.
    """
    if problem.oracle is not None:
        raise OpcheckError(f"{problem.name!r} is noisy already; leave out --noise")
    return replace(problem, oracle=gaussian(problem.operator, deviation))


def methods_in(names: str) -> list[str]:
    """``rapp,lookahead(extragradient)`` in its parts.

    Raises OpcheckError for a part that is empty or there twice.
    """
    parts, depth = [""], 0
    for letter in names:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    parts = [name.strip() for name in parts]
    if "" in parts:
        raise OpcheckError(f"{names!r} names no method at one place; write rapp,extragradient")
    if len(set(parts)) < len(parts):
        raise OpcheckError(f"{names!r} names a method twice")
    return parts


def each(
    names: Sequence[str],
    problem: Problem,
    iterations: int,
    *,
    parameters: Mapping[str, Any] | None = None,
    seeds: Sequence[int | None] = (None,),
    **options: Any,
) -> list[Series]:
    """Every method on one problem.

    Args:
        names: methods, as ``run`` takes them.
        parameters: ``NAME`` for every method that has it, ``METHOD.NAME`` for one. What a method
            needs beyond is taken from a theorem about it that applies (the paper's choice, or the
            middle of the ranges), else γ is 1/(2L) and others are usual ones, or those of the
            method's reference.
        seeds: one run each; None: the problem's start.
        options: of ``run``.

    Raises OpcheckError for a parameter that no method has, and what ``run`` raises, other than that
    a method has no form with A ≠ 0.
    """
    methods = {name: resolve(name) for name in names}
    own = _shared_out(methods, parameters or {})
    series = []
    for name, method in methods.items():
        if problem.constrained and not method.constrained:
            series.append(Series(name, (), f"{name} has no form with A ≠ 0, so it was left out"))
            continue
        values, note = _completed(method, problem, own[name], iterations)
        runs = [
            run(
                name,
                problem,
                iterations,
                seed=seed,
                measures=bounded_measures(method.name, problem),
                **options,
                **values,
            )
            for seed in seeds
        ]
        series.append(Series(name, tuple(with_bounds(t)[0] for t in runs), note))
    return series


def _shared_out(
    methods: Mapping[str, Method], parameters: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """For each method its own parameters, by full name."""
    out: dict[str, dict[str, Any]] = {name: {} for name in methods}
    own = {}
    for key, value in parameters.items():
        # one in a file also by its own name, FILE.py:hb as hb
        called = {n: (f"{n}.", f"{n.rpartition(':')[2]}.") for n in methods}
        owner = next((n for n, heads in called.items() if key.startswith(heads)), None)
        if owner is not None:
            short = next(key.removeprefix(h) for h in called[owner] if key.startswith(h))
            own[owner, methods[owner].parameter(short).name] = value
            continue
        takers = 0
        for name, method in methods.items():
            hits = [p.name for p in method.parameters if key in (p.name, p.symbol)]
            out[name] |= dict.fromkeys(hits, value)
            takers += len(hits)
        if not takers:
            raise OpcheckError(
                f"none of {', '.join(methods)} has a parameter {key!r}; they take "
                + ", ".join(sorted({p.name for m in methods.values() for p in m.parameters}))
            )
    for (name, parameter), value in own.items():
        out[name][parameter] = value
    return out


def _completed(
    method: Method, problem: Problem, own: Mapping[str, Any], iterations: int
) -> tuple[dict[str, Any], str]:
    """Values for all parameters of a method, and a sentence on those that were not given."""
    missing = [p for p in method.parameters if p.name not in own]
    if not missing:
        return dict(own), ""
    if not own:
        for theorem in _about(method):
            # a hypothesis is not known to hold, or a range is empty here
            with contextlib.suppress(OpcheckError):
                known = match(theorem, problem)
                values = next(iter(choices(theorem, known, iterations)))
                if all(p.symbol in values for p in missing):
                    values = {p.name: _entry(p, values[p.symbol]) for p in missing}
                    return values, f"{method.name}: {_named(missing)} as in {theorem.name}"
    L, source = _slope(problem)
    compared = values_of(method) if method.reference is not None else {}
    values = {}
    for p in missing:
        if p.symbol in OTHERS and (p.sequence or not isinstance(OTHERS[p.symbol], str)):
            values[p.name] = OTHERS[p.symbol]
        elif p.symbol == "alpha" or p.symbol == "eta":
            gamma = next((v for n, v in own.items() if n.endswith("gamma")), 0.5 / L)
            values[p.name] = gamma / 2 if isinstance(gamma, int | float) else 0.25 / L
        elif p.symbol == "gamma":
            values[p.name] = 0.5 / L
        elif p.name in compared:
            values[p.name] = compared[p.name]
        else:
            raise OpcheckError(f"{method.name} needs a value for {p.name}; write -p {p.name}=...")
    return {**own, **values}, f"{method.name}: {_named(missing)} chosen here, with {source}"


def _about(method: Method) -> list[Theorem]:
    """Theorems that bound what a method does by a formula in k: those with a rate first."""
    every = [registry.get("theorems", name) for name in registry.names("theorems")]
    own = [t for t in every if t.method == method.name and t.claim == "upper bound"]
    return sorted((t for t in own if not t.right.recorded), key=lambda t: not t.order)


def _entry(parameter: Parameter, value: Any) -> Any:
    if np.ndim(value):
        return [float(v) for v in value]
    return int(value) if parameter.integer else float(value)


def _named(parameters: Sequence[Parameter]) -> str:
    return ", ".join(p.name for p in parameters)


def _slope(problem: Problem) -> tuple[float, str]:
    """A Lipschitz constant of F and where it is from: stated, or the steepest of some pairs."""
    stated = [
        problem.constant(f)
        for f in problem.facts
        if f.property.kind is Lipschitz and f.property.of == "F"
    ]
    usable = [v for v in stated if 0 < v < np.inf]
    if usable:
        return min(usable), f"L = {min(usable):.4g}"
    generator = np.random.default_rng(0)
    size = max(float(np.abs(problem.start).max()), 1.0)
    steepest = 0.0
    for _ in range(PAIRS):
        scale = size * 10.0 ** generator.uniform(-2, 0.5)
        z, w = problem.start + scale * generator.standard_normal((2, problem.dim))
        with np.errstate(all="ignore"):
            rise = float(np.linalg.norm(problem.operator(z) - problem.operator(w)))
        slope = rise / float(np.linalg.norm(z - w))
        steepest = max(steepest, slope if np.isfinite(slope) else 0.0)
    return steepest or 1.0, f"L ≥ {steepest:.4g}, the steepest of {PAIRS} pairs about the start"


def at_the_end(series: Series, measure: str) -> tuple[float, float, float]:
    """The lower end, the median and the upper end (10, 50, 90 %) of the last recorded value.

    A run that left the numbers counts as infinite.
    """
    last = [run[measure][-1] for run in series.runs]
    values = np.sort([v if np.isfinite(v) else np.inf for v in last])
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9), method="inverted_cdf")
    return float(low), float(middle), float(high)
