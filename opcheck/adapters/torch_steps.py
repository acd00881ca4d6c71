"""Any optimiser of PyTorch, run on a game."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from opcheck.adapters.foreign import called
from opcheck.adapters.game import Game, Optimizer
from opcheck.errors import OpcheckError
from opcheck.model.operator import Vector

TRIED = 3  # steps in which an optimiser shows how it wants its gradients
DEEP = 3  # optimisers inside of each other whose options are looked at


def of_torch(
    factory: Callable[..., Any],
    *,
    own_losses: bool = False,
    name: str = "",
    **options: Any,
) -> Optimizer:
    """A method from an optimiser of PyTorch.

    Args:
        factory: ``factory(groups)`` returns the optimiser, as its class does with options bound.
            The groups are ``[{"params": x}, {"params": y, "maximize": True}]``: x descends and y
            ascends. A factory that names an argument ``project`` gets J of the constraint set by
            it, ``project(tensors, gamma)``, with a tensor for each parameter, which it returns.
        own_losses: no group has ``maximize``; each player gets the gradient of a loss of its own.
        name: for people; default the factory's.
        options: further keywords of the factory, as ``lr=0.1``.

    Returns an ``Optimizer``. What is wrong with the factory is raised, as OpcheckError, when it is
    run.
    """
    shown = name or getattr(factory, "__name__", type(factory).__name__)
    maker = _Maker(factory, own_losses, options, shown)
    return Optimizer(shown, maker.play, maker.numbers, maker.projects)


class _Maker:
    """Makes the optimiser anew for each game, and steps it."""

    def __init__(
        self, factory: Callable[..., Any], own_losses: bool, options: Mapping[str, Any], name: str
    ) -> None:
        if not callable(factory):
            raise OpcheckError(
                f"{name} is no factory of optimisers; write def make(groups): return "
                "torch.optim.SGD(groups, lr=0.1)"
            )
        self.factory, self.own_losses = factory, own_losses
        self.options, self.name = dict(options), name
        try:
            taken = inspect.signature(factory).parameters
        except (TypeError, ValueError):
            taken = {}  # type: ignore[assignment]
        self.projects = "project" in taken
        positional = [
            p
            for p in taken.values()
            if p.name != "project"
            and p.name not in options
            and p.default is p.empty
            and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        if taken and len(positional) != 1:
            needs = ", ".join(p.name for p in positional) or "nothing"
            raise OpcheckError(
                f"{name} must take the groups of parameters and nothing else, and it needs "
                f"{needs}; write def make(groups): ..., or give values to the others (-p lr=0.1)"
            )

    def optimizer(self, game: Game, maximize: bool) -> tuple[Any, list[Any]]:
        """The optimiser, and the tensors that it moves, in the order of the coordinates."""
        start = game.problem.start
        players = [
            [torch.nn.Parameter(torch.tensor(start[part].copy())) for part in parts]
            for parts in game.players
        ]
        groups: list[dict[str, Any]] = [{"params": tensors} for tensors in players]
        if maximize:
            groups[1]["maximize"] = True
        keywords = dict(self.options)
        if self.projects:
            keywords["project"] = _projection(game)
        elif game.problem.constrained:
            raise OpcheckError(
                f"{self.name} takes no argument project, and A = {game.problem.resolvent.name} of "
                f"{game.problem.name} is not 0; write def make(groups, project): ..., or take a "
                "problem without a set"
            )
        optimizer = self._foreign(lambda: self.factory(groups, **keywords), "")
        if not callable(getattr(optimizer, "step", None)):
            raise OpcheckError(
                f"{self.name} returns {type(optimizer).__name__}, which has no step(); it must "
                "return an optimiser of PyTorch"
            )
        return optimizer, [p for tensors in players for p in tensors]

    def _foreign(self, call: Callable[[], Any], step: str) -> Any:
        """What foreign code returns. Raises OpcheckError with what it raises, and where."""
        return called(call, f"{step}{self.name}", lambda about: "" if step else _advice(about))

    def numbers(self, game: Game) -> dict[str, float]:
        """Options that are numbers, of the groups and of the object, also of one inside it."""
        optimizer, _ = self.optimizer(game, not self.own_losses)
        return dict(_numbers(optimizer, "", DEEP))

    def play(self, game: Game, steps: int) -> None:
        """Make steps on a game; fewer where it leaves the norm limit.

        Raises OpcheckError for what fails, moves nothing, or takes no notice of ``maximize``.
        """
        torch.optim.SGD([torch.zeros(1)], 0.1)  # torch imports much more at the first optimiser
        called = self._trial(game, not self.own_losses, False).calls
        first = not any(called)  # step() never called the closure: it takes what is in .grad
        if not self.own_losses:
            self._refuse_deaf(game, first)
        self._play(game, steps, maximize=not self.own_losses, gradients_first=first)

    def _trial(self, game: Game, maximize: bool, gradients_first: bool) -> Game:
        """A few steps on a copy of the game; y always gets what it ascends."""
        trial = Game(game.problem, game.whole)
        options = {"maximize": maximize, "gradients_first": gradients_first}
        self._play(trial, TRIED, **options, ascends=not self.own_losses)
        return trial

    def _refuse_deaf(self, game: Game, first: bool) -> None:
        """Raise OpcheckError where nothing moves, or ``maximize`` makes no difference."""
        with_it, without = (self._trial(game, m, first).points for m in (True, False))
        if all(np.array_equal(z, game.problem.start) for z in with_it):
            raise OpcheckError(
                f"{self.name} moves no parameter in {len(with_it) - 1} steps on "
                f"{game.problem.name}; step(closure) must call closure(), or take the gradients "
                "that are in .grad"
            )
        if np.array_equal(with_it, without):
            raise OpcheckError(
                f"{self.name} does not look at maximize=True of the second group, so that the "
                "ascending player descends; use group['maximize'], or take --own-losses if each "
                "player minimises a loss of its own"
            )

    def _play(
        self,
        game: Game,
        steps: int,
        *,
        maximize: bool,
        gradients_first: bool,
        ascends: bool = False,
    ) -> None:
        optimizer, tensors = self.optimizer(game, maximize)
        parts = [part for parts in game.players for part in parts]
        sign = np.ones(game.problem.dim)
        if maximize or ascends:
            sign[game.half :] = -1.0  # the gradient of the payoff, which y ascends

        def z() -> Vector:
            for p in tensors:
                if p.dtype != torch.float64:
                    raise OpcheckError(
                        f"{self.name} turns a parameter of float64 into {p.dtype}; keep the type "
                        "that it has"
                    )
            return np.concatenate([p.detach().numpy().ravel() for p in tensors])

        def closure() -> Any:
            if not torch.is_grad_enabled():
                raise OpcheckError(
                    f"{self.name} calls the closure where gradients are switched off, and no "
                    "backward() works there; write with torch.enable_grad(): loss = closure()"
                )
            at = z()
            gradient = sign * game.F(at)
            for p, part in zip(tensors, parts, strict=True):
                p.grad = torch.tensor(gradient[part])
            return torch.tensor(float(at @ gradient))

        takes = _takes_closure(optimizer)
        for k in range(1, steps + 1):
            if gradients_first or not takes:
                closure()
                step = functools.partial(optimizer.step, *[None] * takes)
            else:
                step = functools.partial(optimizer.step, closure)
            self._foreign(step, f"step {k} of ")
            if not game.reached(z(), self.name):
                break


def _takes_closure(optimizer: Any) -> bool:
    """Whether ``step`` takes anything."""
    try:
        return bool(inspect.signature(optimizer.step).parameters)
    except (TypeError, ValueError):
        return True


def _projection(game: Game) -> Callable[[Sequence[Any], float], list[Any]]:
    """J of the game on tensors, one for each parameter."""

    def project(tensors: Sequence[Any], gamma: float = 1.0) -> list[Any]:
        parts = [part for parts in game.players for part in parts]
        z = np.concatenate([t.detach().numpy().ravel() for t in tensors])
        if z.size != game.problem.dim:
            raise OpcheckError(
                f"project takes all {len(parts)} parameters at once, of {game.problem.dim} "
                f"coordinates together, not {z.size}"
            )
        after = game.J(z, float(gamma))
        return [torch.tensor(after[part]) for part in parts]

    return project


def _numbers(optimizer: Any, stem: str, deep: int) -> Iterator[tuple[str, float]]:
    """Names and values of what is a number in an optimiser, the outer one's first."""
    own = dict(vars(optimizer)) if hasattr(optimizer, "__dict__") else {}
    groups = getattr(optimizer, "param_groups", None) or [{}]
    options = {**(groups[0] if isinstance(groups[0], Mapping) else {}), **own}
    for name, value in options.items():
        for i, entry in enumerate(value if isinstance(value, tuple) else [value]):
            if isinstance(entry, int | float) and not isinstance(entry, bool):
                yield f"{stem}{name}" + str(i + 1) * isinstance(value, tuple), float(entry)
    for name, value in own.items():
        inner = hasattr(value, "step") and hasattr(value, "param_groups")
        if deep and inner and value is not optimizer:
            yield from _numbers(value, f"{stem}{name}.", deep - 1)


def _advice(about: str) -> str:
    """What to do where a factory fails by these words."""
    if "maximize" not in about:
        return ""
    return "; it knows no maximize=True: pass it on, or take --own-losses"
