"""Problems: 0 ∈ F(z) + A(z) with a start, a solution and facts; families of them by parameters."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opcheck import registry
from opcheck.arguments import asked
from opcheck.errors import OpcheckError
from opcheck.model.brief import brief
from opcheck.model.cone_program import ConeProgram
from opcheck.model.operator import NO_CONSTRAINT, Operator, Resolvent, Vector, as_real
from opcheck.model.oracle import SampleOracle
from opcheck.model.property import (
    LARGEST,
    Fact,
    Kind,
    Lipschitz,
    Monotone,
    Property,
    StronglyMonotone,
    exact,
    fact_refusal,
    strongest,
    weakest,
)
from opcheck.model.region import Region, as_region, region_of
from opcheck.model.text import FLOAT, text
from opcheck.model.written import call_of
from opcheck.watchdog import limited


@brief
@dataclass(frozen=True)
class Problem:
    """One inclusion 0 ∈ F(z) + A(z) on R^d: ``Problem(F)``, ``Problem(F, J)``; the rest by name.

    Attributes:
        name: family name, with the parameters that differ from the defaults; the family sets it.
        operator: F.
        resolvent: J of A; NO_CONSTRAINT where A = 0.
        start: z⁰, shape (d,).
        solution: one zero, shape (d,), or None if unknown.
        project: projection onto the solution set, where there is more than one.
        facts: what is known of F, A, S = F + A and T = I − F.
        region: where facts marked local hold.
        parameters: of the family.
        doc: what the problem is and where it comes from.
        control: the hypothesis that is broken on purpose, for a negative control; "" else.
        oracle: unbiased samples of F, where a method may see no more; everything else, facts and
            measures too, is about the mean F.
    """

    name: str = field(default="", kw_only=True)
    operator: Operator
    resolvent: Resolvent = NO_CONSTRAINT
    _: KW_ONLY
    start: Vector = field(default_factory=lambda: np.zeros(0))
    solution: Vector | None = None
    project: Callable[[Vector], Vector] | None = None
    facts: tuple[Fact, ...] = ()
    region: Region | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    doc: str = ""
    control: str = ""
    oracle: SampleOracle | None = None

    def __post_init__(self) -> None:
        """Raises OpcheckError where operator, resolvent, points and facts do not fit together."""
        name = _named(self)
        if isinstance(self.operator, str):
            raise OpcheckError(
                f"a problem starts with its operator, not with {self.operator!r}; write "
                f"Problem(F, name={self.operator!r})"
            )
        if not isinstance(self.operator, Operator):
            raise OpcheckError(
                f"the operator of {name} is {type(self.operator).__name__}; make one with "
                "opcheck.operator, opcheck.linear or opcheck.minmax"
            )
        if not isinstance(self.resolvent, Resolvent):
            raise OpcheckError(
                f"the resolvent of {name} is {type(self.resolvent).__name__}; make one with "
                "opcheck.Resolvent, or take one of 'opcheck list sets'"
            )
        if self.resolvent.dim not in (0, self.dim):
            raise OpcheckError(
                f"A = {self.resolvent.name} of {name} acts on {self.resolvent.dim} coordinates, "
                f"its operator on {self.dim}"
            )
        if self.region is not None:
            object.__setattr__(self, "region", as_region(self.region, self.dim))
        single = isinstance(self.facts, Fact | Property | Kind | str)
        facts = (self.facts,) if single else tuple(self.facts)
        object.__setattr__(self, "facts", facts)
        for fact in facts:
            if not isinstance(fact, Fact):
                raise OpcheckError(f"{name} has among its facts {fact_refusal(fact)}")
        # a start that is not given is empty, for the family to fill in
        start = as_real(self.start, "start")
        object.__setattr__(self, "start", start)
        if start.size:
            _fits(start, self, "start")
        if self.solution is not None:
            solution = as_real(self.solution, "solution")
            _fits(solution, self, "solution")
            object.__setattr__(self, "solution", solution)

    @property
    def dim(self) -> int:
        """d."""
        return self.operator.dim

    @property
    def constrained(self) -> bool:
        """Whether A ≠ 0."""
        return self.resolvent is not NO_CONSTRAINT

    def solution_near(self, z: Vector) -> Vector | None:
        """The solution that distances are measured to: the projection of z where known."""
        return self.project(z) if self.project is not None else self.solution

    def constant(self, fact: Fact) -> float:
        """The numerical constant of a fact."""
        return self._number(fact.property.constant)

    def published(self, fact: Fact) -> float | None:
        """What the literature states in its place, where that is another number."""
        return None if fact.published is None else self._number(fact.published)

    def _number(self, value: Any) -> float:
        if isinstance(value, str):
            value = text(value).evaluate(self.parameters, FLOAT)
        number = 0.0 if value is None else float(value) + 0.0
        if abs(number) > LARGEST or 0 < abs(number) < 1 / LARGEST:
            raise OpcheckError(
                f"a constant of {self.name!r} is {number:g}, and no float64 holds its square; "
                "state it in other units"
            )
        return number

    def all_facts(self) -> tuple[Fact, ...]:
        """The stated facts and those that follow from how F and A are put together."""
        if not self.constrained:
            return self.facts
        of_f = [f for f in self.facts if f.property.of == "F"]
        monotone = strongest(
            Monotone(of="F"),
            [dataclasses.replace(f.property, constant=self.constant(f)) for f in of_f],
        )
        if monotone is None:
            return self.facts
        grade = weakest(f.provenance for f in of_f if f.property.kind is not Lipschitz)
        local = any(f.local for f in of_f if f.property.kind is not Lipschitz)
        sum_rule = Fact(Monotone(of="S"), grade, local, "F and A are monotone")
        strong = [
            dataclasses.replace(
                f, property=dataclasses.replace(f.property, of="S"), note="A is monotone"
            )
            for f in of_f
            if f.property.kind is StronglyMonotone
        ]
        return (*self.facts, sum_rule, *strong)


Problem.__init__ = asked(Problem.__init__)  # type: ignore[method-assign]


@brief
@dataclass(frozen=True)
class Family:
    """A registered function of parameters that returns a problem.

    Attributes:
        presets: parameter choices that ``verify`` runs, beside the defaults.
        rounded: the solution is a zero to rounding only.
    """

    name: str
    function: Callable[..., Any]
    start: tuple[float, ...] | None
    solution: tuple[float, ...] | None
    facts: tuple[Fact, ...]
    presets: tuple[Mapping[str, Any], ...]
    control: str
    doc: str
    rounded: bool = False

    def parameters(self) -> dict[str, Any]:
        """Names and default values."""
        signature = inspect.signature(self.function)
        return {n: p.default for n, p in signature.parameters.items()}

    def __call__(self, **parameters: Any) -> Problem:
        """The problem for given parameters.

        Raises OpcheckError for an unknown parameter, or one for which the family doesn't exist.
        """
        defaults = self.parameters()
        for name in parameters:
            if name not in defaults:
                raise OpcheckError(
                    f"problem {self.name!r} has no parameter {name!r}; "
                    f"it takes {', '.join(defaults) or 'none'}"
                )
            number = isinstance(parameters[name], int | float | np.number)
            if isinstance(defaults[name], int | float) and not number:
                raise OpcheckError(
                    f"problem {self.name!r} takes a number for {name}, not {parameters[name]!r}"
                )
        values = defaults | parameters
        missing = [n for n, v in values.items() if v is inspect.Parameter.empty]
        if missing:
            raise OpcheckError(f"problem {self.name!r} needs a value for {', '.join(missing)}")
        try:
            with limited(f"the problem family {self.name!r}"):
                built = self.function(**values)
        except OpcheckError:
            raise
        except (Exception, SystemExit) as error:
            raise OpcheckError(
                f"problem family {self.name!r} raises {registry.raised(error)}"
            ) from error
        if isinstance(built, Operator):
            built = Problem(built)
        if not isinstance(built, Problem):
            raise OpcheckError(
                f"problem family {self.name!r} returned {type(built).__name__}; return a Problem "
                "or an Operator (opcheck.linear, opcheck.minmax, opcheck.operator, ...)"
            )
        shown = ", ".join(f"{n}={_short(v)}" for n, v in parameters.items() if v != defaults[n])
        problem = dataclasses.replace(
            built,
            name=f"{self.name}({shown})" if shown else self.name,
            start=built.start if built.start.size else _vector(self.start, built.dim, 1.0),
            solution=(
                built.solution
                if built.solution is not None or self.solution is None
                else _vector(self.solution, built.dim, 0.0)
            ),
            facts=built.facts or self.facts,
            parameters={n: float(v) for n, v in values.items() if isinstance(v, int | float)}
            | dict(built.parameters),
            doc=built.doc or self.doc,
            control=self.control,
        )
        _check(problem)
        return problem

    def instances(self) -> list[Problem]:
        """The default problem and one for each preset."""
        return [self(**p) for p in ({}, *self.presets)]


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _numbers(values: Sequence[float] | None, what: str) -> tuple[float, ...] | None:
    """A point of a declaration; its shape is looked at where the dimension is known."""
    if values is None:
        return None
    if isinstance(values, str) or any(isinstance(v, str) for v in np.ravel(values).tolist()):
        raise OpcheckError(
            f"{what} = {values!r} must be d numbers; one that depends on the parameters goes into "
            f"the Problem(F, {what}=...) that the function returns"
        )
    return tuple(np.atleast_1d(as_real(values, what)).tolist())


def _vector(values: Sequence[float] | None, dim: int, default: float) -> Vector:
    return np.full(dim, default) if values is None else np.array(values, dtype=float)


def _check(problem: Problem) -> None:
    for fact in problem.facts:
        property = fact.property
        if property.kind.better is not None:
            try:
                property.kind.admit(problem.constant(fact))
            except OpcheckError as error:
                raise OpcheckError(f"{problem.name!r} states {property}: {error}") from None


def _fits(point: Vector, problem: Problem, what: str) -> None:
    if point.shape != (problem.dim,):
        raise OpcheckError(
            f"{what} has shape {point.shape}, but {_named(problem)} has {problem.dim} coordinates"
        )
    if not np.isfinite(point).all():
        raise OpcheckError(f"{what} {point.tolist()} is not finite")


def _named(problem: Problem) -> str:
    return repr(problem.name) if problem.name else "the problem"


@overload
def problem_family(name: Callable[..., Any]) -> Family: ...
@overload
def problem_family(
    name: str,
    *,
    start: Sequence[float] | None = ...,
    solution: Sequence[float] | None = ...,
    facts: Sequence[Fact] = ...,
    presets: Sequence[Mapping[str, Any]] = ...,
    control: str = ...,
    rounded: bool = ...,
) -> Callable[[Callable[..., Any]], Family]: ...
@asked
def problem_family(
    name: str | Callable[..., Any],
    *,
    start: Sequence[float] | None = None,
    solution: Sequence[float] | None = None,
    facts: Sequence[Fact] = (),
    presets: Sequence[Mapping[str, Any]] = (),
    control: str = "",
    rounded: bool = False,
) -> Family | Callable[[Callable[..., Any]], Family]:
    """Register a function of parameters that returns a Problem or an Operator.

    Args:
        name: the family's name (default: the function's).
        start, solution: d numbers; default: ones, and unknown. Those that depend on the parameters
            are of the Problem that the function returns.
        facts: what is known, with constants as formulas in the parameters.
        presets: further parameter choices for ``verify``.
        control: for a negative control, the hypothesis it breaks.
        rounded: the solution is a zero to rounding only, and not tested to be an exact one.

    Raises OpcheckError for a start or solution of other than numbers, what is no fact, and presets
    that are no choices of parameters.
    """

    several = isinstance(facts, Sequence) and not isinstance(facts, str)
    stated: tuple[Any, ...] = tuple(facts) if several else (facts,)
    for fact in stated:
        if not isinstance(fact, Fact):
            raise OpcheckError(f"facts holds {fact_refusal(fact)}")
    choices = (presets,) if isinstance(presets, Mapping) else presets
    if not isinstance(choices, Sequence) or not all(isinstance(c, Mapping) for c in choices):
        raise OpcheckError(
            f'presets = {presets!r} must be a list of choices of parameters, as [{{"L": 2}}]'
        )
    at, zero = _numbers(start, "start"), _numbers(solution, "solution")

    def enter(function: Callable[..., Any]) -> Family:
        family = Family(
            name=name if isinstance(name, str) else function.__name__,
            function=function,
            start=at,
            solution=zero,
            facts=stated,
            presets=tuple(choices),
            control=control,
            doc=inspect.cleandoc(function.__doc__ or ""),
            rounded=rounded,
        )
        registry.register("problems", family.name, family, registry.place_of(function))
        return family

    return enter(name) if callable(name) else enter


def problem(name: str, **parameters: Any) -> Problem:
    """The problem of a registered family (or ``FILE.py:NAME``) for given parameters.

    They may also stand in the name, as labels do: ``problem("bilinear(L=2)")``.

    Raises OpcheckError for an unknown name or parameter.
    """
    if not isinstance(name, str):
        raise OpcheckError(f"problem {name!r} is no name; write opcheck.problem('bilinear')")
    called = call_of(name)
    if called is not None and not called[1] and not called[2].keys() & parameters.keys():
        name, parameters = called[0], {**called[2], **parameters}
    if name.endswith(".py") or ".py:" in name:
        here = registry.in_file("problems", name)
        if len(here) != 1:
            raise OpcheckError(
                f"{name} registers {len(here)} problems ({', '.join(here)}); "
                + (f"name one, as {name}:{here[0]}" if here else "declare one with problem_family")
            )
        name = here[0]
    family: Family = registry.get("problems", name)
    return family(**parameters)


@brief
@dataclass(frozen=True, kw_only=True)
class ResolventFamily:
    """A registered function of parameters that returns a Resolvent.

    Attributes:
        program: the set or function at the default parameters, as a solver sees it.
    """

    name: str
    function: Callable[..., Resolvent]
    doc: str
    program: ConeProgram | None = None

    def __call__(self, *args: Any, **parameters: Any) -> Resolvent:
        """The resolvent for given parameters.

        Raises OpcheckError for parameters of which the constructor makes none.
        """
        try:
            return self.function(*args, **parameters)
        except (TypeError, ValueError) as error:
            raise OpcheckError(f"set {self.name!r} raises {registry.raised(error)}") from error


Constructor = Callable[..., Resolvent]


@overload
def resolvent_family(function: Constructor) -> Constructor: ...
@overload
def resolvent_family(
    *, irrational: bool = ..., program: ConeProgram | None = ...
) -> Callable[[Constructor], Constructor]: ...
def resolvent_family(
    function: Constructor | None = None,
    *,
    irrational: bool = False,
    program: ConeProgram | None = None,
) -> Constructor | Callable[[Constructor], Constructor]:
    """Register a set or regulariser under the function's name.

    Args:
        irrational: the kernel takes roots, logarithms or an iteration to rounding, and so has no
            value in exact rationals.
        program: the same at the default parameters as a cone program, against which the kernel is
            tested by a solver.
    """

    def enter(function: Constructor) -> Constructor:
        constructor = _irrational(function) if irrational else function
        family = ResolventFamily(
            name=function.__name__,
            function=constructor,
            doc=inspect.cleandoc(function.__doc__ or ""),
            program=program,
        )
        registry.register("sets", family.name, family, registry.place_of(function))
        return constructor

    return enter if function is None else enter(function)


def _irrational(function: Constructor) -> Constructor:
    @functools.wraps(function)
    def constructor(*args: Any, **parameters: Any) -> Resolvent:
        return dataclasses.replace(function(*args, **parameters), irrational=True)

    return constructor


def points(problem: Problem, count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """``count`` random points: in the region, else at several scales about the solution."""
    d, region = problem.dim, problem.region
    if region is not None and region.bounded:
        z = region.sample(count, d, generator)
    else:
        centre = np.zeros(d) if problem.solution is None else problem.solution
        scale = 10.0 ** generator.uniform(-3, 2, (count, 1))
        z = np.asarray(centre + scale * generator.standard_normal((count, d)))
        z = z if region is None else region.clip(z)
    if region is not None and region.in_set:
        z = np.array([problem.resolvent(row) for row in z])
    return z


def as_point(value: ArrayLike, problem: Problem, what: str = "start") -> Vector:
    """A point of the problem's space. Raises OpcheckError for a wrong shape or non-finite entry."""
    point = as_real(value, what)
    _fits(point, problem, what)
    return point


__all__ = [
    "Family",
    "Problem",
    "Region",
    "as_point",
    "as_region",
    "exact",
    "points",
    "problem",
    "problem_family",
    "region_of",
    "resolvent_family",
]
