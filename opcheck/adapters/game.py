"""A problem as an optimiser meets it: tensors of two players, and their gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck import registry
from opcheck.arguments import integer
from opcheck.engine.run import Trajectory
from opcheck.errors import OpcheckError
from opcheck.evidence.operators.subject import subject
from opcheck.model.operator import Vector
from opcheck.model.problem import Problem

FAR = 1e12  # times the start: where a run that diverges is ended


class Game:
    """F and J of a problem, for an optimiser that sees tensors of float64 in two groups.

    The first half of the coordinates descends, the second ascends. A player of several coordinates
    has two tensors, so that a memory kept once for all tensors is seen; one where ``whole``.

    Attributes:
        players: for each of the two, the slices of z that are its tensors.
        points: z⁰, and z after each step so far.
        calls: evaluations of F in each step so far.
    """

    def __init__(self, problem: Problem, whole: bool = False) -> None:
        """Raises OpcheckError for a problem of one coordinate, or one with a sample oracle."""
        if problem.dim < 2:
            raise OpcheckError(
                f"{problem.name!r} has one coordinate, and the optimiser gets two players; take a "
                "problem of two or more"
            )
        if problem.oracle is not None:
            raise OpcheckError(
                f"{problem.name!r} draws samples; an optimiser is compared on exact gradients"
            )
        self.problem, self.whole = problem, whole
        half = (problem.dim + 1) // 2
        cut = _tensor if whole else _tensors
        self.players = (cut(0, half), cut(half, problem.dim))
        self.half = half
        self.points = [problem.start.copy()]
        self.calls: list[int] = []
        self._calls = 0

    def F(self, z: Vector) -> Vector:
        """F(z), which is counted. Raises OpcheckError where it is not finite."""
        if not np.isfinite(z).all():
            raise OpcheckError(
                f"the optimiser asks for the gradient at {z.tolist()} on {self.problem.name}; it "
                "has left the finite numbers"
            )
        self._calls += 1
        return self.problem.operator(z)

    def J(self, z: Vector, gamma: float) -> Vector:
        """The resolvent; z itself where A = 0."""
        return self.problem.resolvent(z, gamma)

    def reached(self, z: Vector, name: str) -> bool:
        """A step of an optimiser ended at z; whether the run is to go on.

        Raises OpcheckError where z is not finite.
        """
        if not np.isfinite(z).all():
            raise OpcheckError(
                f"step {len(self.points)} of {name} on {self.problem.name} ends at {z.tolist()}; "
                "every parameter must stay a finite number"
            )
        self.points.append(z)
        self.calls.append(self._calls)
        self._calls = 0
        return float(np.abs(z).max()) <= FAR * (1 + float(np.abs(self.points[0]).max()))


def _tensor(begin: int, end: int) -> tuple[slice, ...]:
    return (slice(begin, end),)


def _tensors(begin: int, end: int) -> tuple[slice, ...]:
    cuts = [begin, begin + 1, end] if end - begin > 1 else [begin, end]
    return tuple(slice(a, b) for a, b in itertools.pairwise(cuts))


@dataclass(frozen=True)
class Observed:
    """What an optimiser did on a game.

    Attributes:
        points: z⁰ and z after each step, shape (steps + 1, d).
        calls: evaluations of F in each step.
    """

    problem: Problem
    points: NDArray[np.float64]
    calls: NDArray[np.int64]


@dataclass(frozen=True)
class Optimizer:
    """A method that is somebody's optimiser: it is run, and compared with what it should be.

    Attributes:
        name: of the factory or transformation, for people.
        play: makes steps on a game: it asks ``game.F`` for gradients and says after each step
            where it is, by ``game.reached``.
        numbers: (game) ↦ the options that the optimiser shows, as ``{"lr": 0.1}``.
        projects: whether it takes J of a constraint set; else only A = 0 is for it.
    """

    name: str
    play: Callable[[Game, int], None]
    numbers: Callable[[Game], Mapping[str, float]] = field(default=lambda game: {})
    projects: bool = False

    def observe(self, problem: Problem, steps: int, *, whole: bool = False) -> Observed:
        """Run it and look on. Raises OpcheckError for what fails, and for NaN or ±inf.

        Args:
            whole: each player has one tensor, and not two.
        """
        game = Game(problem, whole)
        self.play(game, steps)
        return Observed(problem, np.array(game.points), np.array(game.calls, dtype=np.int64))

    def run(self, problem: Any, iterations: int = 1000) -> Trajectory:
        """Run it on a problem, in float64, from the problem's start.

        Args:
            problem: whatever ``opcheck.subject`` takes, of two coordinates or more: the first half
                descends, the second ascends.
            iterations: steps, ≥ 1.

        Returns a run like any other, with every iterate, the squared residual (natural where A is
        not 0) and, where a solution is known, the squared distance to it.

        Raises OpcheckError for what the optimiser raises, and for NaN.
        """
        target = subject(problem)
        seen = self.observe(target, integer(iterations, "iterations", 1))
        names = ["natural_residual" if target.constrained else "residual"]
        names += ["distance"] if target.solution_near(target.start) is not None else []
        short = len(seen.points) <= iterations
        return Trajectory(
            method=self.name,
            problem=target,
            parameters=dict(self.numbers(Game(target))),
            k=np.arange(len(seen.points)),
            z=seen.points[-1].copy(),
            measures={name: _measured(name, seen) for name in names},
            iterates=seen.points,
            status=f"left the norm limit (diverged) at k = {len(seen.calls)}"
            if short
            else "completed",
            oracle_calls=np.concatenate([[0.0], np.cumsum(seen.calls)]),
        )


def _measured(name: str, seen: Observed) -> NDArray[np.float64]:
    """A measure at every point, by its reference."""
    problem = seen.problem
    measure = registry.get("measures", name).reference
    known: dict[str, Any] = {"F": problem.operator, "J": problem.resolvent}
    if name == "distance":
        known = {"other": problem.solution_near(problem.start)}
    elif name == "residual":
        del known["J"]
    return np.array([float(measure(z=z, **known)) for z in seen.points])
