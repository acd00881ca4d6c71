"""The mixture of eight Gaussians on a circle, and two small networks that play for it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from opcheck_paper_repro.pethick2023_stable.gan._training import Game

MODES, RADIUS, DEVIATION = 8, 1.5, 0.05
ANGLES = 2 * np.pi * np.arange(MODES) / MODES
CENTRES = RADIUS * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
WITHIN = 4  # standard deviations, of a good sample from its centre
SHARE = 0.1  # of an even share of samples, that a mode holds which is covered
LATENT, WIDTH, BATCH = 8, 48, 128


def mixture(random: np.random.Generator, n: int) -> np.ndarray:
    """So many samples of the mixture, shape (n, 2)."""
    centres = CENTRES[random.integers(MODES, size=n)]
    return (centres + DEVIATION * random.standard_normal((n, 2))).astype(np.float32)


def coverage(points: np.ndarray) -> tuple[int, float]:
    """How many modes hold good samples, and the share of samples that are good.

    A sample is good within ``WITHIN`` standard deviations of a centre; a mode is covered that holds
    at least ``SHARE`` of the n/8 samples that each mode should have. Points, shape (n, 2), that are
    not finite are not good.
    """
    squared = ((points[:, None, :] - CENTRES) ** 2).sum(axis=2)
    squared = np.where(np.isfinite(squared), squared, np.inf)
    nearest, good = squared.argmin(axis=1), squared.min(axis=1) <= (WITHIN * DEVIATION) ** 2
    held = np.bincount(nearest[good], minlength=MODES)
    return int((held >= SHARE * len(points) / MODES).sum()), float(good.mean())


def networks() -> tuple[nn.Module, nn.Module]:
    """Generator 8-48-48-2 with ReLU; discriminator 2-48-48-1, its matrices of norm one."""
    G = nn.Sequential(
        nn.Linear(LATENT, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, 2),
    )
    D = nn.Sequential(
        spectral_norm(nn.Linear(2, WIDTH)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Linear(WIDTH, WIDTH)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Linear(WIDTH, 1)),
    )
    return G, D


def game(seed: int, precision: str = "float32") -> Game:
    """The game of one seed."""
    return Game(networks, mixture, seed=seed, batch=BATCH, latent=LATENT, precision=precision)


def measure(played: Game) -> Mapping[str, float]:
    """Modes covered and share of good samples, of 2000 samples."""
    modes, good = coverage(played.samples(2000))
    return {"modes": modes, "good": good}
