"""The paper's methods as optimisers of PyTorch, to train games with: generators, discriminators.

    import torch
    from opcheck.torch import RAPP, Lookahead

    steps = RAPP([{"params": x}, {"params": y, "maximize": True}], lr=0.1, lam=0.5, tau=3)
    steps.step(closure)

What is trained is z, the parameters of all players together; the operator F is the gradient of what
each player minimises, and minus the gradient of what a player of a group with ``maximize=True``
maximises. A *closure* evaluates F at the parameters as they stand: it leaves in every parameter's
``.grad`` the gradient of its own player's loss, and returns that loss, or a tuple of the players'
losses. For one payoff f(x, y):

    def closure():
        value = f(x, y)
        value.backward()
        return value

and for players with a loss each, ``inputs`` keeps the gradient of one out of the other's:

    def closure():
        loss_x, loss_y = losses()
        loss_x.backward(inputs=list(x.parameters()), retain_graph=True)
        loss_y.backward(inputs=list(y.parameters()))
        return loss_x, loss_y

Gradients are set to None before each call, so a closure need not, and may, do that. A method that
looks ahead calls it several times a step, with parameters moved between the calls: draw a batch
inside of the closure for a new sample each call, before ``step`` for the same one.

The iterates are those of the kernels in ``opcheck.methods``, whose proofs are about plain steps.
With ``betas`` each F is preconditioned as in Adam: m ← β₁m + (1 − β₁)F, v ← β₂v + (1 − β₂)F², and
(m/(1 − β₁ᵗ))/(√(v/(1 − β₂ᵗ)) + ε) takes the place of F, where t counts evaluations: every one
updates the moments, also those at points of look-ahead, as in ExtraAdam [gidel2019variational].

Only parameters are moved and interpolated; buffers of modules (running means, singular vectors)
stay with the last evaluation, and so do moments and momentum, which Lookahead leaves alone.
"""

from __future__ import annotations

import abc
import copy
import difflib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from opcheck.arguments import asked, integer
from opcheck.errors import MissingExtra, OpcheckError

try:
    import torch
    from torch.optim import Optimizer
except ImportError as error:
    raise MissingExtra(
        f"opcheck.torch needs PyTorch ({error}); install it with: pip install 'opcheck[torch]'"
    ) from error

__all__ = [
    "GDA",
    "RAPP",
    "EGPlus",
    "ExtraGradient",
    "Lookahead",
    "NotFinite",
    "OptimisticGradient",
]

Closure = Callable[[], Any]
Betas = tuple[float, float] | None


class NotFinite(OpcheckError):
    """A closure returned a loss that is NaN or infinite; the sentence names the step."""


class _Method(Optimizer, abc.ABC):
    """Steps z ← z − γ P F: what the methods share, which is all but the iteration."""

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        super().__init__(params, {**defaults, "steps": 0})

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, perhaps with options of their own.

        Raises OpcheckError for an option out of range, or a τ that differs from the other groups'.
        """
        options = {**self.defaults, **param_group}
        _refuse_misspelt(param_group, self.defaults)
        _check(options)
        for first in self.param_groups[:1]:
            if options.get("tau") != first.get("tau"):
                raise OpcheckError(
                    f"tau = {options['tau']} in one group of parameters and {first['tau']} in "
                    "another; all players make the same number of inner steps"
                )
        super().add_param_group(param_group)

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """One iteration; returns what the closure returned first, that is F's loss at z.

        Args:
            closure: evaluates F where the parameters are, see the module. A method that evaluates
                it once a step, where z is, also takes gradients that are there already.

        Raises NotFinite for a loss that is not finite, and OpcheckError for a closure that is
        missing, returns no loss or leaves no gradient; whatever is raised, the parameters are again
        those from before the step.
        """
        number = self.param_groups[0]["steps"] + 1
        what = f"step {number} of {type(self).__name__}"
        losses: list[Any] = []

        def evaluate() -> None:
            losses.append(_evaluated(self, closure, what))

        self._iterate(evaluate, what if closure is None else "")
        for group in self.param_groups:
            group["steps"] = number
        return losses[0]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was taken, with the options of then.

        Raises OpcheckError for the state of another kind of optimiser.
        """
        for group in state_dict.get("param_groups") or [{}]:
            absent = [name for name in self.defaults if name not in group]
            if absent:
                raise OpcheckError(
                    f"this is not the state of a {type(self).__name__}: its groups have no "
                    f"{', '.join(absent)}"
                )
        super().load_state_dict(
            copy.deepcopy(state_dict)
        )  # torch goes on in the tensors it is given

    def restart(self) -> None:
        """Count from k = 0 anew, as at a synchronisation of Lookahead; Adam's moments stay."""

    @abc.abstractmethod
    def _iterate(self, evaluate: Callable[[], None], missing: str) -> None:
        """One step; ``missing`` says what a step without a closure lacks."""

    def _moved(self) -> Iterator[tuple[dict[str, Any], Any, float]]:
        """Each parameter with its group and the signed step of it."""
        for group in self.param_groups:
            size = float(group["lr"]) if group["maximize"] else -float(group["lr"])
            for p in group["params"]:
                yield group, p, size

    def _direction(self, group: dict[str, Any], p: Any) -> Any:
        """P F in one parameter: its gradient, or Adam's mean of it."""
        if group["betas"] is None:
            return p.grad
        gradient, state, (beta, beta_2) = _real(p.grad), self.state[p], group["betas"]
        if "mean" not in state:
            state |= {"mean": torch.zeros_like(p), "square": torch.zeros_like(p), "evaluations": 0}
        state["evaluations"] += 1
        mean, square = _real(state["mean"]), _real(state["square"])
        mean.lerp_(gradient, 1 - beta)
        square.mul_(beta_2).addcmul_(gradient, gradient, value=1 - beta_2)
        scale = square / (1 - beta_2 ** state["evaluations"])
        direction = mean / (1 - beta ** state["evaluations"]) / scale.sqrt_().add_(group["eps"])
        return torch.view_as_complex(direction) if p.is_complex() else direction


class RAPP(_Method):
    """Relaxed approximate proximal point: w ← z; τ times w ← z − γ F(w); then z ← (1 − λ)z + λw."""

    @asked
    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        lam: float = 0.5,
        tau: int = 3,
        betas: Betas = None,
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        """
        Args:
            params: tensors or groups of them, as every optimiser takes; a group may have its own
                ``lr``, ``lam``, ``betas``, ``eps`` and ``maximize``.
            lr: γ > 0.
            lam: λ in (0, 1], the weight of what the inner steps arrive at.
            tau: how many inner steps, and evaluations of F, a step makes; from 1 on.
            betas: of Adam's moments, each in [0, 1); None for plain steps.
            eps: > 0, added to the root of Adam's second moment.
            maximize: whether this player ascends.

        Raises OpcheckError for a value out of its range. Source: [pethick2023stable], Section 6.
        """
        named = {"lr": lr, "lam": lam, "tau": tau, "betas": betas, "eps": eps, "maximize": maximize}
        super().__init__(params, named)

    def _iterate(self, evaluate: Callable[[], None], missing: str) -> None:
        tau = integer(self.param_groups[0]["tau"], "tau", 1)
        if missing and tau > 1:
            raise OpcheckError(
                f"{missing} evaluates the operator {tau} times and needs a closure to do it: "
                "step(closure), where closure() calls backward() and returns the loss"
            )
        moved = list(self._moved())
        # one evaluation needs no way back: it is checked before anything is moved
        anchors = [p if tau == 1 and group["lam"] == 1 else p.clone() for group, p, _ in moved]
        try:
            for _ in range(tau):
                evaluate()
                for (group, p, size), z in zip(moved, anchors, strict=True):
                    if p.grad is None:
                        p.copy_(z)
                    else:
                        torch.add(z, self._direction(group, p), alpha=size, out=p)
            for (group, p, _), z in zip(moved, anchors, strict=True):
                _interpolate(p, z, group["lam"])
        except BaseException:
            for (_, p, _), z in zip(moved, anchors, strict=True):
                p.copy_(z)
            raise


class EGPlus(RAPP):
    """z̄ = z − γ F(z), z ← z − αγ F(z̄): RAPP with τ = 2 and λ = α."""

    @asked
    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        alpha: float = 0.5,
        betas: Betas = None,
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        """
        Args:
            alpha: in (0, 1], the share of the second step; a group says ``lam`` for it. The other
                arguments are those of ``RAPP``.

        Raises OpcheckError for a value out of its range. Source: [diakonikolas2021efficient].
        """
        _within("alpha", alpha)
        super().__init__(params, lr, lam=alpha, tau=2, betas=betas, eps=eps, maximize=maximize)


class ExtraGradient(RAPP):
    """z̄ = z − γ F(z), z ← z − γ F(z̄); with ``betas`` this is ExtraAdam."""

    @asked
    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        betas: Betas = None,
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        """The arguments are those of ``RAPP``.

        Raises OpcheckError for a value out of its range. Source: [korpelevich1976], and with
        ``betas`` [gidel2019variational].
        """
        super().__init__(params, lr, lam=1.0, tau=2, betas=betas, eps=eps, maximize=maximize)


class GDA(RAPP):
    """Simultaneous gradient descent ascent, z ← z − γ F(z); with ``betas`` this is Adam."""

    @asked
    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        betas: Betas = None,
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        """The arguments are those of ``RAPP``; ``step()`` takes the gradients that are there.

        Raises OpcheckError for a value out of its range. Source: [arrow1958].
        """
        super().__init__(params, lr, lam=1.0, tau=1, betas=betas, eps=eps, maximize=maximize)


class OptimisticGradient(_Method):
    """z⁺ = z − 2γ F(z) + γ F(z₋), with F(z₋₁) := F(z⁰); with ``betas`` optimistic Adam."""

    @asked
    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        betas: Betas = None,
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        """The arguments are those of ``RAPP``; ``step()`` takes the gradients that are there.

        Raises OpcheckError for a value out of its range. Source: [malitsky2020forward].
        """
        named = {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize}
        super().__init__(params, named)

    def restart(self) -> None:
        """Forget F(z₋): the next step is one of gradient descent ascent."""
        for state in self.state.values():
            state.pop("past", None)

    def _iterate(self, evaluate: Callable[[], None], missing: str) -> None:
        evaluate()
        for group, p, size in self._moved():
            if p.grad is not None:
                direction = self._direction(group, p)
                past = self.state[p].setdefault("past", direction.clone())
                p.add_(direction, alpha=2 * size).add_(past, alpha=-size)
                past.copy_(direction)


class Lookahead(Optimizer):
    """τ steps of a base from z, then z ← (1 − λ)z + λw, where w is what they arrived at.

    The base is any optimiser, also another Lookahead. At a synchronisation the parameters alone are
    interpolated: momentum, moments and counts of the base stay as its last step left them, in their
    own memory, while one of this module's methods and a Lookahead inside count from k = 0 anew, as
    the kernel does. Between two synchronisations the parameters are w, the fast ones; end a
    training at one, after a whole number of τ steps. ``param_groups`` are the base's, so that
    schedules of ``lr`` reach it.
    """

    @asked
    def __init__(self, base: Optimizer, *, lam: float = 0.5, tau: int = 5) -> None:
        """
        Args:
            base: makes the steps; it is not to be called beside this.
            lam: λ in (0, 1].
            tau: steps of the base between two synchronisations, from 1 on.

        Raises OpcheckError for a value out of its range and a base that is no optimiser. Source:
        [zhang2019lookahead].
        """
        if not isinstance(base, Optimizer):
            raise OpcheckError(
                f"Lookahead goes over an optimiser, not {type(base).__name__}; make one first, as "
                "in Lookahead(GDA(parameters, lr=0.1))"
            )
        _within("lam", lam)
        self.base, self.lam, self.tau = base, float(lam), integer(tau, "tau", 1)
        self.phase, self.steps = 0, 0
        self.slow: list[Any] = []
        super().__init__(base.param_groups, base.defaults)
        self.param_groups = base.param_groups

    def __repr__(self) -> str:
        """As in ``Lookahead(GDA (...), lam=0.5, tau=5)``."""
        return f"Lookahead({self.base!r}, lam={self.lam:g}, tau={self.tau})"

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters to the base. Raises OpcheckError between two synchronisations."""
        if self.phase:
            raise OpcheckError(
                f"parameters can't be added {self.phase} of {self.tau} steps after a "
                "synchronisation; add them before the first, or at one"
            )
        if self.param_groups is not self.base.param_groups:  # while this is being made
            super().add_param_group(param_group)
        else:
            self.base.add_param_group(param_group)
            self.slow = []

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """One step of the base, and every τ-th time a synchronisation; returns what it returns.

        Raises OpcheckError for a closure that returns no finite loss, and what the base raises.
        """
        parameters = [p for group in self.param_groups for p in group["params"]]
        if self.phase == 0:
            if not self.slow:
                self.slow = [torch.empty_like(p) for p in parameters]
            for slow, p in zip(self.slow, parameters, strict=True):
                slow.copy_(p)
        if closure is None or isinstance(self.base, _Method | Lookahead):
            loss = self.base.step(closure)
        else:
            what = f"step {self.steps + 1} of {type(self.base).__name__}"
            loss = self.base.step(lambda: _evaluated(self, closure, what))
        self.steps += 1
        self.phase = (self.phase + 1) % self.tau
        if self.phase == 0:
            for p, slow in zip(parameters, self.slow, strict=True):
                _interpolate(p, slow, self.lam)
            if isinstance(self.base, _Method | Lookahead):
                self.base.restart()
        return loss

    def restart(self) -> None:
        """Begin a new loop at the next step, and have the base begin anew too."""
        self.phase = 0
        if isinstance(self.base, _Method | Lookahead):
            self.base.restart()

    def state_dict(self) -> dict[str, Any]:
        """The base's state, where in the loop this is, and z at its beginning.

        Tensors are those in use, as of every optimiser: save it, or copy it deeply.
        """
        own = ("lam", "tau", "phase", "steps", "slow")
        return {"base": self.base.state_dict(), **{name: getattr(self, name) for name in own}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where ``state_dict`` was taken; λ and τ are those of then.

        Raises OpcheckError for the state of something else, and what the base raises.
        """
        parameters = [p for group in self.base.param_groups for p in group["params"]]
        shapes = [tuple(p.shape) for p in parameters]
        if "base" not in state_dict or "slow" not in state_dict:
            raise OpcheckError(
                f"this is not the state of a Lookahead: it has {', '.join(state_dict) or 'nothing'}"
            )
        slow = [z.detach() for z in state_dict["slow"]]
        if slow and [tuple(z.shape) for z in slow] != shapes:
            raise OpcheckError(
                "this is the state of a Lookahead over parameters of other shapes; make the "
                "optimiser of the model that it was saved with"
            )
        self.base.load_state_dict(copy.deepcopy(state_dict["base"]))  # or it goes on in these
        self.param_groups = self.base.param_groups
        _within("lam", state_dict["lam"])
        self.lam, self.tau = state_dict["lam"], integer(state_dict["tau"], "tau", 1)
        self.phase, self.steps = state_dict["phase"], state_dict["steps"]
        self.slow = [
            z.to(device=p.device, dtype=p.dtype, copy=True)
            for z, p in zip(slow, parameters, strict=False)
        ]


def _interpolate(p: Any, z: Any, lam: float) -> None:
    """p ← (1 − λ)z + λp, rounded as the kernels round it."""
    if lam != 1:
        p.mul_(lam).add_(z, alpha=1 - lam)


def _evaluated(optimizer: Optimizer, closure: Closure | None, what: str) -> Any:
    """Gradients at the parameters, and the loss that the closure returned.

    Raises NotFinite for one that is not, OpcheckError for none, and where no gradient is left.
    """
    loss = None
    if closure is not None:
        optimizer.zero_grad()
        with torch.enable_grad():
            loss = closure()
        for value in loss if isinstance(loss, tuple | list) else [loss]:
            if not isinstance(value, torch.Tensor | float | int):
                raise OpcheckError(
                    f"{what}: the closure returned {value!r}; it must return the loss, or a tuple "
                    "of the players' losses"
                )
            number = float(value.detach() if isinstance(value, torch.Tensor) else value)
            if not math.isfinite(number):
                raise NotFinite(
                    f"{what}: the loss is {number}; the parameters are those before it, so "
                    "go on from the last checkpoint with a smaller lr"
                )
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
    if all(g is None for g in gradients):
        raise OpcheckError(
            f"{what}: no parameter has a gradient; call backward() of the loss first"
        )
    if any(g is not None and g.layout != torch.strided for g in gradients):
        raise OpcheckError(f"{what}: a gradient is sparse; make the embedding with sparse=False")
    return loss


def _real(tensor: Any) -> Any:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _within(name: str, value: Any, low: float = 0.0, high: float = 1.0) -> None:
    """Raise OpcheckError for what is no number in (low, high]."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and low < value <= high and math.isfinite(value)):
        to = f"{high:g}]" if math.isfinite(high) else "∞)"
        raise OpcheckError(f"{name} = {value!r} must be a number in ({low:g}, {to}")


def _refuse_misspelt(group: dict[str, Any], known: dict[str, Any]) -> None:
    """PyTorch takes any word, and "maximise" would make a player descend."""
    for word in group:
        near = difflib.get_close_matches(word, known, 1, 0.75)
        if near and word not in known:
            raise OpcheckError(
                f"a group of parameters has no option {word!r}; did you mean {near[0]!r}?"
            )


def _check(options: dict[str, Any]) -> None:
    """Raise OpcheckError for an option out of its range."""
    for name in ("lr", "eps"):
        _within(name, options[name], high=math.inf)
    if "lam" in options:
        _within("lam", options["lam"])
        integer(options["tau"], "tau", 1)
    betas = options["betas"]
    if betas is not None and not (
        isinstance(betas, tuple | list)
        and len(betas) == 2
        and all(isinstance(b, int | float) and 0 <= b < 1 for b in betas)
    ):
        raise OpcheckError(f"betas = {betas!r} must be two numbers in [0, 1), or None")
    if not isinstance(options["maximize"], bool):
        raise OpcheckError(f"maximize = {options['maximize']!r} must be True or False")
