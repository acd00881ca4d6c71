"""Any gradient transformation of optax, run on a game."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from opcheck.adapters.foreign import called
from opcheck.adapters.game import Game, Optimizer
from opcheck.errors import OpcheckError
from opcheck.model.operator import Vector


def of_optax(transformation: Any, *, name: str = "") -> Optimizer:
    """A method from a gradient transformation of optax, one gradient a step.

    Args:
        transformation: an ``optax.GradientTransformation``. Its parameters are ``{"descending":
            ..., "ascending": ...}``, and each player gets the gradient of a loss of its own, as
            optax always descends. ``lookahead`` gets ``LookaheadParams``; the points are then the
            fast ones.
        name: for people.

    Returns an ``Optimizer``; it runs in float64 whatever jax is set to, which it leaves as it was.
    Raises OpcheckError for what is no transformation.
    """
    shown = name or getattr(transformation, "__name__", type(transformation).__name__)

    tx = transformation
    if not (callable(getattr(tx, "init", None)) and callable(getattr(tx, "update", None))):
        raise OpcheckError(
            f"{shown} is {type(tx).__name__}; give an optax.GradientTransformation, with init and "
            "update"
        )

    # compiled once for each shape, and not for each game
    update = jax.jit(lambda gradient, state, params: _applied(tx, gradient, state, params))

    def play(game: Game, steps: int) -> None:
        if game.problem.constrained:
            raise OpcheckError(
                f"{shown} takes no projection, and A = {game.problem.resolvent.name} of "
                f"{game.problem.name} is not 0; take a problem without a set"
            )
        with jax.enable_x64(True):
            _play(tx, update, game, steps, shown)

    return Optimizer(shown, play)


def _play(tx: Any, update: Any, game: Game, steps: int, name: str) -> None:
    def tree(z: Vector) -> dict[str, list[Any]]:
        return {
            player: [jnp.asarray(z[part], dtype=jnp.float64) for part in parts]
            for player, parts in zip(("descending", "ascending"), game.players, strict=True)
        }

    def flat(params: Any) -> Vector:
        fast = params.fast if isinstance(params, optax.LookaheadParams) else params
        leaves = [leaf for player in ("descending", "ascending") for leaf in fast[player]]
        for leaf in leaves:
            if leaf.dtype != jnp.float64:
                raise OpcheckError(
                    f"{name} turns parameters of float64 into {leaf.dtype}; keep the type that "
                    "they have"
                )
        return np.concatenate([np.asarray(leaf, dtype=float) for leaf in leaves])

    start = tree(game.problem.start)
    params, state = _begun(tx, start, name)
    for k in range(1, steps + 1):
        taken = (tree(game.F(flat(params))), state, params)
        params, state = called(functools.partial(update, *taken), f"step {k} of {name}")
        if not game.reached(flat(params), name):
            break


def _begun(tx: Any, start: Any, name: str) -> tuple[Any, Any]:
    """Parameters and state at the start; those of a lookahead are a pair."""
    pair = optax.LookaheadParams.init_synced(start)
    try:
        updates, _ = jax.eval_shape(lambda g, p: tx.update(g, tx.init(p), p), start, pair)
        params = pair if isinstance(updates, optax.LookaheadParams) else start
    except Exception:  # what is wrong with it is said of plain parameters
        params = start
    return params, called(lambda: tx.init(params), name)


def _applied(tx: Any, gradient: Any, state: Any, params: Any) -> tuple[Any, Any]:
    updates, state = tx.update(gradient, state, params)
    return optax.apply_updates(params, updates), state
