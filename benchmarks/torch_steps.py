"""What a step of Lookahead or RAPP costs beside the base optimiser's, on the residual networks.

    python benchmarks/torch_steps.py [--width N] [--json | --markdown]

Per evaluation of the operator: one step of GDA, with plain steps and with Adam's moments, is the
base; a step of RAPP evaluates τ times, one of Lookahead once. All run in turn in one process, on
one thread, by the CPU time of that thread. Needs the extra torch. Exits 1 if a target is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from measuring import Row, arguments, machine, show, side_by_side

from opcheck.torch import GDA, RAPP, Lookahead
from opcheck_paper_repro.pethick2023_stable.gan import _images
from opcheck_paper_repro.pethick2023_stable.gan._training import Game

TARGET = 1.15
TAU = 3
EVALUATIONS = TAU  # of each run in a round: short, so that some of many rounds is undisturbed


def game(width: int) -> Game:
    """The networks for 32 × 32 images in three colours, on noise in place of data."""

    def networks() -> tuple[Any, Any]:
        G = _images.Generator(32, 3, width=width, latent=128)
        return G, _images.Discriminator(32, 3, width=width)

    def real(random: np.random.Generator, n: int) -> np.ndarray:
        return random.uniform(-1, 1, (n, 3, 32, 32)).astype(np.float32)

    return Game(networks, real, seed=0, batch=8, latent=128)


def stepping(make: Callable[[Any], Any], width: int, calls: int) -> Callable[[], None]:
    """A run of ``EVALUATIONS`` evaluations by steps of so many each."""
    played = game(width)
    players = [{"params": list(n.parameters())} for n in (played.G, played.D)]
    steps = make(players)

    def run() -> None:
        for _ in range(EVALUATIONS // calls):
            steps.step(played)

    run()
    return run


def main() -> int:
    """Time the steps and print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--width", type=int, default=32, help="channels of the networks")
    parser.add_argument("--rounds", type=int, default=24)
    options, info = parser.parse_args(), machine() | {"torch": torch.__version__}
    torch.set_num_threads(1)
    rows = []
    for said, betas in (("plain", None), ("Adam", (0.0, 0.9))):
        best = side_by_side(
            {
                "GDA": stepping(lambda p, b=betas: GDA(p, 1e-3, betas=b), options.width, 1),
                "Lookahead": stepping(
                    lambda p, b=betas: Lookahead(GDA(p, 1e-3, betas=b), tau=TAU), options.width, 1
                ),
                "RAPP": stepping(
                    lambda p, b=betas: RAPP(p, 1e-3, tau=TAU, betas=b), options.width, TAU
                ),
            },
            options.rounds,
        )
        each = {name: seconds / EVALUATIONS for name, seconds in best.items()}
        for name in ("Lookahead", "RAPP"):
            case = f"{name}, {said}, an evaluation"
            rows.append(Row(case, each[name], "GDA", each["GDA"], target=TARGET))
    return show(rows, info, [f"networks of width {options.width}, batch 8"], options.form)


if __name__ == "__main__":
    raise SystemExit(main())
