"""Operators from PyTorch: functions of one tensor, and games of networks with their losses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch

from opcheck.adapters.foreign import interpreted, signs
from opcheck.arguments import integer
from opcheck.errors import OpcheckError
from opcheck.model.operator import Operator, Vector
from opcheck.model.problem import Problem


def from_torch(
    function: Callable[[Any], Any], dim: int, *, ascending: Sequence[int] = ()
) -> Operator:
    """F from a function of one tensor, or a module: z ↦ F(z), or z ↦ φ(z), one number.

    Args:
        function: takes a tensor of float64, shape (d,), and returns F(z), shape (d,), or a payoff.
            The parameters of a module are not moved; they must be in float64, too.
        dim: d.
        ascending: coordinates that ascend φ, with −∂φ in F; the others descend.

    Returns an operator that runs interpreted. What the function gives is looked at where the
    operator is used: OpcheckError for another shape, or for single precision.
    """
    size = integer(dim, "dim", 1)
    sign = signs(size, ascending)

    def F(z: Vector) -> Vector:
        point = torch.tensor(z, dtype=torch.float64, requires_grad=True)
        value = function(point)
        if not isinstance(value, torch.Tensor):
            raise OpcheckError(f"the function returns {type(value).__name__}; return a tensor")
        _refuse_single(value.dtype, "the function")
        if value.numel() == 1 and value.shape != (size,):
            (value,) = torch.autograd.grad(value.reshape(()), point, allow_unused=True)
            value = torch.zeros(size) if value is None else value
            return np.asarray(sign * value.detach().numpy())
        if ascending:
            raise OpcheckError("components of F are as they are; only a payoff is ascended")
        return np.asarray(value.detach().numpy(), dtype=float)

    return interpreted(F, size, getattr(function, "__name__", type(function).__name__))


def from_losses(losses: Callable[[], Any], players: Sequence[Any]) -> Problem:
    """A game of networks: F is the gradient of each player's loss in the player's own parameters.

    Args:
        losses: () ↦ a loss for each player, all descend; or one payoff, that the first of two
            players descends and the second ascends. It reads the parameters as they stand, and
            must be the same each time: draw no batch inside.
        players: for each, a module or tensors that require gradients, all in float64.

    Returns a problem that starts at the parameters as they are; its coordinates are those of the
    players in turn. The parameters are moved where F is asked for and put back afterwards.

    Raises OpcheckError for parameters in single precision, and none; where F is asked for, for
    another number of losses.
    """
    tensors = [_parameters(player) for player in players]
    if len(tensors) < 1 or not all(tensors):
        raise OpcheckError("from_losses takes players with parameters: modules, or tensors")
    each = [p for player in tensors for p in player]
    for p in each:
        _refuse_single(p.dtype, "a parameter")
    if len({id(p) for p in each}) < len(each):
        raise OpcheckError("two players share a parameter; each has its own")
    ends = np.cumsum([0, *(p.numel() for p in each)])
    start = np.concatenate([p.detach().numpy().ravel() for p in each])

    def F(z: Vector) -> Vector:
        kept = [p.detach().clone() for p in each]
        try:
            with torch.no_grad():
                for p, a, b in zip(each, ends[:-1], ends[1:], strict=True):
                    p.copy_(torch.tensor(z[a:b]).reshape(p.shape))
            with torch.enable_grad():
                values = losses()
            return _gradients(values, tensors)
        finally:
            with torch.no_grad():
                for p, before in zip(each, kept, strict=True):
                    p.copy_(before)

    operator = interpreted(F, int(ends[-1]), getattr(losses, "__name__", "losses"))
    return Problem(operator, start=start, name=operator.formula)


def _gradients(values: Any, tensors: list[list[Any]]) -> Vector:
    several = list(values) if isinstance(values, list | tuple) else [values]
    signs = [1.0] * len(several)
    if len(several) == 1 and len(tensors) == 2:
        several, signs = several * 2, [1.0, -1.0]
    if len(several) != len(tensors):
        raise OpcheckError(
            f"there are {len(several)} losses for {len(tensors)} players; return one for each, or "
            "one payoff for two"
        )
    parts = []
    for loss, player, sign in zip(several, tensors, signs, strict=True):
        gradient = torch.autograd.grad(loss, player, retain_graph=True, allow_unused=True)
        parts += [
            sign * (np.zeros(p.numel()) if g is None else g.detach().numpy().ravel())
            for p, g in zip(player, gradient, strict=True)
        ]
    return np.concatenate(parts)


def _parameters(player: Any) -> list[Any]:
    if isinstance(player, torch.nn.Module):
        return [p for p in player.parameters() if p.requires_grad]
    if isinstance(player, torch.Tensor):
        return [player]
    return list(player) if isinstance(player, Iterable) else []


def _refuse_single(dtype: Any, what: str) -> None:
    if dtype != torch.float64:
        raise OpcheckError(
            f"{what} is of {dtype}, and what is said of an operator needs torch.float64; call "
            "module.double(), or make tensors with dtype=torch.float64"
        )
