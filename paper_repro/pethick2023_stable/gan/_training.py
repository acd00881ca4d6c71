"""Two networks trained against each other: evaluations counted, logged, kept and gone on with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from opcheck import OpcheckError, Table
from opcheck.torch import (
    GDA,
    RAPP,
    EGPlus,
    ExtraGradient,
    Lookahead,
    NotFinite,
    OptimisticGradient,
)

CHECKPOINT, LOG = "checkpoint.pt", "log.csv"
Measure = Callable[["Game"], Mapping[str, float]]


@dataclass(frozen=True)
class Optimiser:
    """A method of the comparison.

    Attributes:
        kind: class of ``opcheck.torch``; ``options`` are its own, beside ``lr`` and ``betas``.
        tau: of a Lookahead over it; 0 for none. ``lam`` is its λ.
    """

    kind: str
    options: Mapping[str, float]
    tau: int = 0
    lam: float = 0.5

    def over(self, players: list[dict[str, Any]], betas: tuple[float, float] | None) -> Any:
        """The optimiser of the players, each with an ``lr`` of its own."""
        kinds = {
            "GDA": GDA,
            "ExtraGradient": ExtraGradient,
            "EGPlus": EGPlus,
            "OptimisticGradient": OptimisticGradient,
            "RAPP": RAPP,
        }
        base = kinds[self.kind](players, players[0]["lr"], betas=betas, **self.options)
        return Lookahead(base, lam=self.lam, tau=self.tau) if self.tau else base


class Game:
    """Generator against discriminator with the hinge loss, each minimising its own.

    D minimises mean (1 − D(x))₊ + mean (1 + D(G(u)))₊, G minimises −mean D(G(u)). Every evaluation
    draws new data x and noise u from one seeded generator, so a training is a function of its seed.
    """

    def __init__(
        self,
        networks: Callable[[], tuple[nn.Module, nn.Module]],
        real: Callable[[np.random.Generator, int], np.ndarray],
        *,
        seed: int,
        batch: int,
        latent: int,
        precision: str = "float32",
        device: str = "cpu",
    ) -> None:
        """
        Args:
            networks: makes generator and discriminator, from torch's own random numbers.
            real: draws so many data.
            latent: number of standard normal inputs of the generator.
            precision: "float32", or "bfloat16" for mixed precision.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.G, self.D = (network.to(device) for network in networks())
        self.random = np.random.default_rng(seed)
        self.real, self.batch, self.latent, self.device = real, batch, latent, device
        self.precision, self.calls, self.losses = precision, 0, (0.0, 0.0)

    def noise(self, random: np.random.Generator, n: int) -> Any:
        """Inputs of the generator, shape (n, latent)."""
        return torch.from_numpy(random.standard_normal((n, self.latent), np.float32)).to(
            self.device
        )

    def __call__(self) -> Any:
        """One evaluation of the operator: gradients of both players at their parameters."""
        data = torch.from_numpy(self.real(self.random, self.batch)).to(self.device)
        noise = self.noise(self.random, self.batch)
        with self.mixed():
            judged = self.D(torch.cat([data, self.G(noise)])).float()
        true, fake = judged[: self.batch], judged[self.batch :]
        loss_G = -fake.mean()
        loss_D = torch.relu(1 - true).mean() + torch.relu(1 + fake).mean()
        loss_G.backward(inputs=list(self.G.parameters()), retain_graph=True)
        loss_D.backward(inputs=list(self.D.parameters()))
        self.calls += 1
        self.losses = loss_G.item(), loss_D.item()
        return loss_G, loss_D

    def mixed(self) -> Any:
        """Where networks run in mixed precision, if that is asked for."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device, dtype=getattr(torch, self.precision))

    @torch.no_grad()
    def samples(self, n: int, seed: int = 0) -> np.ndarray:
        """What the generator makes of noise that is the same at every call, shape (n, ...)."""
        random = np.random.default_rng([seed, n])
        with self.mixed():
            made = [self.G(self.noise(random, min(500, n - i))).float() for i in range(0, n, 500)]
        return torch.cat(made).cpu().numpy()

    def state(self) -> dict[str, Any]:
        """All that a training goes on from, but its optimiser."""
        return {
            "G": self.G.state_dict(),
            "D": self.D.state_dict(),
            "random": self.random.bit_generator.state,
            "calls": self.calls,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.G.load_state_dict(state["G"])
        self.D.load_state_dict(state["D"])
        self.random.bit_generator.state = state["random"]
        self.calls = state["calls"]


def train(
    game: Game,
    steps: Any,
    *,
    calls: int,
    every: int,
    folder: Path,
    settings: str,
    measure: Measure,
    told: Callable[[str], None] | None = None,
) -> tuple[Table, str]:
    """Train with ``steps`` until the operator was evaluated so often; the log, and "".

    Where a loss is not finite the training ends, its last checkpoint stays, and in place of "" is
    the sentence that says at which step.

    At every ``every`` evaluations the game is measured and written into ``folder``: the log as CSV,
    and a checkpoint. A training that ended in between goes on from the last one, with the same
    iterates as if it had not ended; one with other ``settings`` begins anew.

    Args:
        calls: evaluations, the measure of cost that methods share.
        settings: all that the iterates depend on, as text.
        told: called with the name of the folder at each checkpoint.

    Raises OpcheckError for a folder that can't be written and a checkpoint that can't be read.
    """
    rows = _resumed(game, steps, folder, settings)
    if not rows:
        rows = [_row(game, measure)]
    try:
        while game.calls < calls:
            mark = (game.calls // every + 1) * every
            while game.calls < mark:
                steps.step(game)
            rows.append(_row(game, measure))
            _keep(game, steps, folder, settings, rows)
            if told is not None:
                told(folder.name)
    except NotFinite as error:
        at = f"that after {rows[-1]['calls']} evaluations is kept in {folder}"
        return _table(rows), f"{folder.name}: {error}; {at}"
    return _table(rows), ""


def _row(game: Game, measure: Measure) -> dict[str, float]:
    loss_G, loss_D = game.losses
    return {"calls": game.calls, "loss_G": loss_G, "loss_D": loss_D, **measure(game)}


def _table(rows: list[dict[str, float]]) -> Table:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Table(columns, {"calls": "evaluations of F"}, "a training, at its checkpoints")


def _keep(
    game: Game, steps: Any, folder: Path, settings: str, rows: list[dict[str, float]]
) -> None:
    state = {"settings": settings, "game": game.state(), "steps": steps.state_dict(), "rows": rows}
    with writable(folder):
        torch.save(state, folder / f"{CHECKPOINT}.new")
        os.replace(folder / f"{CHECKPOINT}.new", folder / CHECKPOINT)  # whole, or the one before
    _table(rows).save(folder / LOG)


def _resumed(game: Game, steps: Any, folder: Path, settings: str) -> list[dict[str, float]]:
    """The rows of a training that began, after game and optimiser are as they were; or none."""
    file = folder / CHECKPOINT
    if not file.is_file():
        return []
    try:
        state = torch.load(file, map_location=game.device, weights_only=True)
        kept = state["settings"] == settings
    except Exception as error:
        raise OpcheckError(
            f"can't read the checkpoint {str(file)!r} ({type(error).__name__}); delete it to begin "
            "that training anew"
        ) from error
    if not kept:
        return []
    game.restore(state["game"])
    steps.load_state_dict(state["steps"])
    rows: list[dict[str, float]] = state["rows"]
    game.losses = rows[-1]["loss_G"], rows[-1]["loss_D"]
    return rows


@contextlib.contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Make the folder; turn what the file system refuses into an OpcheckError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except (OSError, RuntimeError) as error:  # torch raises the other for a file it can't open
        raise OpcheckError(
            f"can't write into {str(folder)!r}: {error}; name a folder that can be written"
        ) from error
