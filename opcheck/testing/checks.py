"""What each kind of declaration promises, held against it."""

from __future__ import annotations

import functools
import inspect
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np

from opcheck import registry
from opcheck.engine.guard import (
    LARGE,
    compiled_difference,
    guard,
    guard_text,
    guard_text_of_measure,
    looked_at,
)
from opcheck.engine.pseudo_code import D, Scene, step_of, values_of
from opcheck.engine.resolvents import guard_resolvent
from opcheck.engine.run import run
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.facts import admit
from opcheck.evidence.operators.subject import subject
from opcheck.evidence.simulation.verify import confront, library
from opcheck.evidence.statement.hypotheses import Inapplicable, match
from opcheck.evidence.statement.well_posed import well_posed
from opcheck.model.measure import Measure
from opcheck.model.method import Method, Over, resolve
from opcheck.model.operator import Resolvent, Vector
from opcheck.model.paper import Paper
from opcheck.model.primitives import identity
from opcheck.model.problem import Family, Problem, ResolventFamily
from opcheck.model.problem import problem as problem_named
from opcheck.model.theorem import Theorem
from opcheck.model.verdict import Verdict
from opcheck.report.figure import FigureKind
from opcheck.report.reproduce import simulate
from opcheck.testing.minimiser import better, solver_error

P = ParamSpec("P")
BASES = ("gradient_descent_ascent", "extragradient")  # of a method over others
DIMENSIONS = (1, 2, 3)
CENTRES = 3  # points about which a resolvent is taken
ENOUGH = 4  # problems on which a theorem is run; ``opcheck verify`` runs it on all
SAME = 1e-9  # relative
UNITS = ("z", "F", "the row")


class CheckFailed(AssertionError):
    """A declaration, a run or a statement that is not what a test asks. One sentence."""


def failing(check: Callable[P, None]) -> Callable[P, None]:
    """A check whose sentence is a failed assertion, and not bad input."""

    @functools.wraps(check)
    def checked(*args: P.args, **keywords: P.kwargs) -> None:
        __tracebackhide__ = True
        try:
            check(*args, **keywords)
        except OpcheckError as error:
            raise CheckFailed(str(error)) from None

    return checked


TYPES: dict[str, tuple[type, ...]] = {
    "methods": (Method, Over),
    "measures": (Measure,),
    "sets": (Resolvent, ResolventFamily),
    "problems": (Problem, Family),
    "theorems": (Theorem,),
    "figures": (FigureKind,),
    "papers": (Paper,),
}


def kind_of(entry: Any) -> str:
    """The registry's word for what a declaration is, as ``methods``; "" for anything else."""
    return next((kind for kind, types in TYPES.items() if isinstance(entry, types)), "")


def declared_by(function: Any) -> Any:
    """What a decorator registered with this function; the argument itself if none did."""
    if not inspect.isfunction(function):
        return function
    place = registry.place_of(function)  # a file that is loaded twice has two functions
    for kind in TYPES:
        for entry in registry.entered(kind).values():
            parts = (getattr(entry, part, None) for part in ("kernel", "function", "draw"))
            if any(inspect.isfunction(p) and registry.place_of(p) == place for p in parts):
                return entry
    return function


def _named(kind: str, declared: Any) -> Any:
    """A declaration, the one of a decorated function, or that of a name or ``FILE.py:NAME``.

    Raises OpcheckError for anything else.
    """
    if not isinstance(declared, str):
        entry = declared if kind_of(declared) else declared_by(declared)
        if kind_of(entry) != kind:
            raise OpcheckError(f"{declared!r} is no {kind[:-1]}; give one, or its name")
        return entry
    if ".py" not in declared:
        return registry.get(kind, declared)
    names = registry.in_file(kind, declared)
    if len(names) != 1:
        raise OpcheckError(
            f"{declared} registers {', '.join(names)}; name one as {declared}:{names[0]}"
        )
    return registry.get(kind, names[0])


@failing
def check_method(method: str | Method | Over) -> None:
    """A method does what it declares, interpreted, on affine operators in 1, 2 and 3 dimensions.

    n steps at once are n single ones, also from a k that is not 0; F is called as often as
    ``calls`` says; J is called where ``constrained`` says so; nothing is kept outside of state and
    params; and the first steps are those of ``reference``, at its values, where there is one. A
    method over others is taken over two of opcheck's.

    Raises CheckFailed with the first that it does not, OpcheckError never.
    """
    entry = _named("methods", method)
    if isinstance(entry, Over):
        for base in BASES:
            over = entry(resolve(base))
            for dimension in DIMENSIONS:
                guard_text(over, dimension)
            if entry.reference is not None:
                _over_as_its_reference(entry, resolve(base))
        return
    for dimension in DIMENSIONS:
        guard_text(entry, min(dimension, LARGE))


def _over_as_its_reference(over: Over, base: Method) -> None:
    """Steps of a method over another against its reference over the other's."""
    scene, count = Scene(np.eye(D)), 24
    method, z = over(base), scene.rows[0][0]
    values = {f"base.{n}": v for n, v in values_of(base).items()} | values_of(over)
    inner = step_of(base, F=scene.F, J=lambda z, gamma: z, z0=z)
    step = step_of(over, step=lambda z, k: inner(z, k, {}))
    state = np.array([0 * z if row in method.zero else z for row in method.rows])
    params, data = np.array(method.pack(values, count + 1), dtype=float), np.zeros(1)

    def F(z: Vector, out: Vector, data: Vector) -> None:
        out[:] = scene.F(z)

    memory: dict[str, Any] = {}
    for k in range(count):
        z = step(z, k, memory)
        method.kernel(F, data, identity, data, state, params, float(k), 1)
        miss = float(np.abs(state[0] - z).max())
        if not miss <= SAME * max(1.0, float(np.abs(z).max())):
            raise OpcheckError(
                f"{over.name} is not its reference: step {k + 1} over {base.name} ends {miss:.3g} "
                "away from it; mend the one that is not the published formula"
            )


@failing
def check_operator(operator: Any) -> None:
    """F is a function of z in float64, written whole, and compiles to itself.

    Args:
        operator: whatever ``opcheck.subject`` takes: a function, an Operator, a Problem, a name, a
            matrix, ``FILE.py``.

    Looks at the start, about it, and in the region: F neither raises nor writes past an end, keeps
    nothing, changes no input, is finite and accurate to float64, and compiled the same.

    Raises CheckFailed with the first that fails.
    """
    problem = subject(operator)
    looked_at(problem)
    miss = compiled_difference(problem)
    if not miss <= SAME:
        raise OpcheckError(
            f"the operator of {problem.name!r} compiled is {miss:.3g} of itself away from what it "
            "is interpreted; use no globals that change, and no integer division of floats"
        )


@failing
def check_resolvent(resolvent: str | Resolvent | ResolventFamily) -> None:
    """J is the resolvent of one maximally monotone A, and of the one that is declared.

    It is firmly nonexpansive on points at many scales, its values for three γ are of one A, J may
    write to where it reads; ``contains``, ``value`` and ``ends`` agree with it; no point that is
    drawn has a lower ½‖w − z‖² + γ g(w); and where a family has a ``program``, a cone solver
    finds the same to 1e-5.

    Args:
        resolvent: a Resolvent, a family, which is taken at its defaults, or a name.

    Raises CheckFailed with the first that fails, and the point.
    """
    entry = _named("sets", resolvent)
    J = entry() if isinstance(entry, ResolventFamily) else entry
    program = entry.program if isinstance(entry, ResolventFamily) else None
    dim = J.dim or (program.dim if program else 3)
    centres = np.random.default_rng(0).standard_normal((CENTRES, dim))
    guard_resolvent(J, np.array([np.zeros(dim), *centres]))
    if J.subdifferential and (lower := better(J, dim)) is not None:
        z, gamma, p, w = lower
        of = "the value of g" if J.value is not None else "the distance"
        raise OpcheckError(
            f"the resolvent of A = {J.name} is no minimiser: J({_point(z)}) = {_point(p)} for "
            f"gamma = {gamma:g}, and by {of} {_point(w)} is better"
        )
    if program is not None:
        if J.dim not in (0, program.dim):
            raise OpcheckError(f"{J.name} acts on {J.dim} coordinates, its program on {dim}")
        if (miss := solver_error(J, program)) > 1:
            raise OpcheckError(
                f"the resolvent of A = {J.name} is not what a solver finds for its program: it is "
                f"{miss:.3g} times the solver's error away; mend the kernel or program="
            )


def _point(z: Any) -> str:
    return f"({', '.join(f'{v:.6g}' for v in z[:4])}{', ...' if len(z) > 4 else ''})"


@failing
def check_measure(measure: str | Measure) -> None:
    """A measure is a function of its rows, its reference, and of the unit that it states.

    It changes no row but the scratch ones and keeps nothing; it is its ``reference``; it is the
    same after a rotation, unless it says ``coordinates=True``; and where z and F double, it is
    multiplied by the power of 2 that ``unit`` says, if that is ``units of z``, ``squared units of
    F``, ``units of F times units of z`` or the like. Where F alone doubles and the step halves, it
    is that of the units of F, or no power of 2 (as where the step is always 1).

    Raises CheckFailed with the first that fails.
    """
    entry = _named("measures", measure)
    guard_text_of_measure(entry)
    plain = Scene(np.eye(D)).taken(entry)
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((D, D)))[0]
    turned = Scene(turn).taken(entry)
    if not entry.coordinates and not np.allclose(plain, turned, rtol=SAME, atol=0):
        raise OpcheckError(
            f"the measure {entry.name!r} changes with a rotation of the space, from {plain[0]:.6g} "
            f"to {turned[0]:.6g}; say coordinates=True if it is about coordinates"
        )
    power = power_of(entry.unit)
    scaled = Scene(np.eye(D), unit=2.0).taken(entry)
    if power is not None and not np.allclose(2.0**power * np.array(plain), scaled, rtol=SAME):
        raise OpcheckError(
            f"the measure {entry.name!r} is not in {entry.unit}: where z and F double it is "
            f"multiplied by {scaled[0] / plain[0]:.6g}, and not by {2**power}"
        )
    power = None if "the row" in entry.unit else power_of(entry.unit, ("F",))
    factors = np.array(Scene(np.eye(D), slope=2.0).taken(entry)) / plain
    homogeneous = any(np.allclose(factors, 2.0**p, rtol=SAME) for p in range(5))
    if power is not None and homogeneous and not np.allclose(factors, 2.0**power, rtol=SAME):
        raise OpcheckError(
            f"the measure {entry.name!r} is not in {entry.unit}: where F doubles and the step "
            f"halves it is multiplied by {factors[0]:.6g}, and not by {2**power}"
        )


def power_of(unit: str, counted: Sequence[str] = UNITS) -> int | None:
    """How often z and F stand in a unit, as 2 for ``units of F times units of z``; None: unknown.

    Parts joined by ``times`` are ``units of ...`` or ``squared units of ...`` of z, F or the row.
    """
    total = 0
    for part in unit.split(" times "):
        squared, _, name = part.rpartition("units of ")
        if name not in UNITS or squared not in ("", "squared "):
            return None
        total += (2 if squared else 1) * (name in counted)
    return total


@failing
def check_problem(problem: str | Problem | Family) -> None:
    """A problem, or every instance of a family, is what it says.

    F and J pass what is asked of them before a run; the start lies in the set; a stated solution is
    a zero of F + A, to 2⁻³⁶ of what is about it; no sampled pair refutes a stated fact.

    Raises CheckFailed with the first that fails.
    """
    entry = _named("problems", problem)
    for p in entry.instances() if isinstance(entry, Family) else (entry,):
        guard(p)
        looked_at(p)
        contains = p.resolvent.contains
        if contains is not None and not contains(p.start):
            inside = p.resolvent(p.start).tolist()
            raise OpcheckError(
                f"the start {p.start.tolist()} of {p.name!r} is not in A = {p.resolvent.name}; "
                f"the nearest point of it is {inside}"
            )
        admit(p)


@failing
def check_theorem(theorem: str | Theorem, problems: Iterable[str | Problem] = ()) -> None:
    """A theorem has a meaning on its whole range, meets a problem, and is not refuted there.

    Its method does what it declares, its texts are real wherever ``where`` holds, and it holds on
    ``problems``, or on the first four of the library that satisfy its hypotheses, at the ends of
    every range. Of a proof that it declares speaks ``assert_proved``.

    Raises CheckFailed with the first that fails: what was measured and its bound, k and parameters.
    """
    entry = _named("theorems", theorem)
    guard_text(entry.iteration, 2)
    well_posed(entry)
    subjects = [subject(p) for p in problems]
    tried = 0
    for p in subjects or library():
        try:
            match(entry, p)
        except Inapplicable:
            continue
        verdict = confront(entry, p)
        if verdict.status == "inapplicable":
            continue
        tried += 1
        if not verdict.ok:
            raise OpcheckError(said(verdict, entry, p))
        if tried >= ENOUGH and not subjects:
            break
    if not tried:
        raise OpcheckError(
            f"{entry.name} meets no problem whose facts imply its hypotheses; add one "
            "(@problem_family), or name problems="
        )


def said(verdict: Verdict, theorem: Theorem, problem: Problem) -> str:
    """A verdict in one line: measured, bound, k, the parameters, and what shows it again."""
    what = f"{verdict.theorem} is {verdict.status} on {verdict.problem}"
    if verdict.status != "violated":
        return f"{what}: {verdict.reason}"
    values = ", ".join(f"{n} = {v:.6g}" for n, v in verdict.parameters.items())
    at = f"at k = {verdict.k}{' with ' * bool(values)}{values}"
    return f"{what}: {_sides(verdict, theorem, problem)} {at}; {command(verdict)}"


def _sides(verdict: Verdict, theorem: Theorem, problem: Problem) -> str:
    """As in ``residual = 0.5 > 0.25 (2 times the bound)``; the ratio where a side is no measure."""
    if not verdict.positive:
        return f"the excess over the bound is {verdict.ratio - 1:.6g} in units of both sides"
    times = f"{verdict.ratio:.6g} times the bound"
    names = {p.name for p in theorem.iteration.parameters}
    own: dict[str, Any] = {n: v for n, v in verdict.parameters.items() if n in names}
    if theorem.measure not in registry.names("measures") or set(own) != names:
        return f"{theorem.measure} is {times}"
    try:
        k = verdict.k
        trajectory = run(theorem.method, problem, k, measures=[theorem.measure], record=[k], **own)
        measured = float(trajectory[theorem.measure][-1])
    except OpcheckError:
        return f"{theorem.measure} is {times}"
    return f"{theorem.measure} = {measured:.6g} > {measured / verdict.ratio:.6g} ({times})"


def command(verdict: Verdict) -> str:
    """The command that shows it again, with the files and modules that must be named."""
    entries = (("theorems", verdict.theorem), ("problems", verdict.problem.partition("(")[0]))
    places = [registry.place(kind, n) for kind, n in entries if n in registry.names(kind)]
    sources = [s for s in registry.plugins() if not s.package]
    named = [s.module for s in sources if any(map(s.holds, places))]
    words = ["opcheck", *(word for name in named for word in ("--plugin", _relative(name)))]
    return shlex.join([*words, "verify", verdict.theorem, "--problem", verdict.problem])


def _relative(name: str) -> str:
    """A file as it is seen from here; a module as it is."""
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else name


@failing
def check_figure(figure: str | FigureKind, runs: Mapping[str, Any] | None = None) -> None:
    """A figure kind draws every run, changes none, says what it shows and documents its options.

    Args:
        runs: at least two, on one problem in the plane, with iterates; default two of
            extragradient on a bilinear game.

    Raises CheckFailed with the first that it does not do, or where it draws no runs.
    """
    kind = _named("figures", figure)
    name = kind.name
    if "runs" not in kind.of:
        raise OpcheckError(
            f"{name} draws {' or '.join(kind.of)}, and only kinds of runs are checked"
        )
    runs = runs or {
        f"gamma {gamma:g}": run(
            "extragradient", problem_named("bilinear"), 20, iterates=True, gamma=gamma
        )
        for gamma in (0.25, 0.5)
    }
    for option in list(inspect.signature(kind.draw).parameters.values())[2:]:
        if option.default is inspect.Parameter.empty:
            raise OpcheckError(f"{name}: the option {option.name} has no default")
        if option.name != "title" and f"    {option.name}: " not in kind.doc:
            raise OpcheckError(f"{name}: the docstring does not say what {option.name} is")
    before = {
        label: [t.iterates.copy(), *map(np.copy, t.measures.values())] for label, t in runs.items()
    }
    drawing = kind(runs)
    legend = {t.get_text() for box in drawing.legends for t in box.get_texts()}
    named = legend | {t.get_text() for axes in drawing.axes for t in axes.get_yticklabels()}
    if left := set(runs) - named:
        raise OpcheckError(f"{name} leaves out {', '.join(sorted(left))}")
    if not drawing.caption.endswith("."):
        raise OpcheckError(f"{name} returns no caption; return a sentence")
    for label, t in runs.items():
        for was, now in zip(before[label], [t.iterates, *t.measures.values()], strict=True):
            if was.tobytes() != now.tobytes():
                raise OpcheckError(f"{name} changes {label}")
    *_, other, label = runs  # what is drawn under a label are the numbers of that run
    if _drawn(kind({**runs, label: runs[other]})) == _drawn(drawing):
        raise OpcheckError(f"{name} draws {label} whatever it is")


@failing
def check_paper(paper: str | Paper) -> None:
    """Every check of every figure of a paper passes, on its own experiments.

    Raises CheckFailed with the sentence of the first that does not, and what was seen.
    """
    entry = _named("papers", paper)
    for figure in entry.figures:
        parts = simulate(figure)
        for check in figure.checks:
            seen = check.seen(parts)
            if not seen.passed:
                raise OpcheckError(f"{entry.key}, figure {figure.id}: {seen}")


def _drawn(drawing: Any) -> list[bytes]:
    """The numbers of every line. Raises OpcheckError where there is none."""
    numbers = [line.get_xydata().tobytes() for axes in drawing.axes for line in axes.lines]
    if not numbers:
        raise OpcheckError("nothing is drawn by a line")
    return numbers
