"""The trainings that are compared, side by side on processes, and their tables."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch

from opcheck import OpcheckError, Table
from opcheck_paper_repro.pethick2023_stable.gan import _data, _gaussians, _images, _scores
from opcheck_paper_repro.pethick2023_stable.gan._training import (
    CHECKPOINT,
    Game,
    Optimiser,
    train,
)
from opcheck_paper_repro.pethick2023_stable.gan.figures import GAMMA

PLAIN = {
    "GDA": Optimiser("GDA", {}),
    "LA-GDA, τ = 5": Optimiser("GDA", {}, tau=5),
    "LA-GDA, τ = 20": Optimiser("GDA", {}, tau=20),
    "EG": Optimiser("ExtraGradient", {}),
    "EG+": Optimiser("EGPlus", {"alpha": 0.5}),
    "RAPP": Optimiser("RAPP", {"lam": 0.9, "tau": 3}),
}
BETAS = (0.0, 0.9)
ADAM = {
    "Adam": Optimiser("GDA", {}),
    "LA-Adam": Optimiser("GDA", {}, tau=20),
    "ExtraAdam": Optimiser("ExtraGradient", {}),
    "LA-ExtraAdam": Optimiser("ExtraGradient", {}, tau=10),
    "RAPP-Adam": Optimiser("RAPP", {"lam": 0.9, "tau": 3}),
}


@dataclass(frozen=True)
class Size:
    """Of the networks for images, and of their training."""

    pixels: int
    channels: int
    width_G: int
    width_D: int
    latent: int
    batch: int
    rates: tuple[float, float]
    seeds: int
    calls: int
    every: int
    samples: int


SIZES = {
    "small": Size(8, 1, 16, 16, 16, 64, (2e-3, 2e-3), 2, 1200, 300, 1797),
    "full": Size(32, 3, 256, 128, 128, 128, (2e-4, 2e-4), 1, 500_000, 2500, 50_000),
}


@dataclass(frozen=True)
class Run:
    """One training: label, seed, and how to make its game."""

    label: str
    seed: int
    game: Callable[[], Game]
    optimiser: Optimiser
    rates: tuple[float, float]
    betas: tuple[float, float] | None
    measure: Callable[[Game], Mapping[str, float]]
    settings: str
    samples: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.label.replace(', τ = ', '-tau')}-seed{self.seed}"


def compared(
    runs: list[Run],
    out: Path,
    *,
    calls: int,
    every: int,
    jobs: int,
    fresh: bool,
    progress: Callable[[str], None] | None,
) -> dict[str, Any]:
    """Train each; rows of all logs, the last ones, and samples of seed 0.

    A training whose loss is not finite ends there; its row says at which step.
    """
    one = partial(_one, out=out, calls=calls, every=every, fresh=fresh)
    if jobs == 1:
        results = [one(r, told=progress) for r in runs]
    else:
        pool = joblib.Parallel(n_jobs=jobs, return_as="generator")
        results = []
        for r, result in zip(runs, pool(joblib.delayed(one)(r) for r in runs), strict=True):
            results.append(result)
            for _ in range(calls // every if progress else 0):
                progress(r.name)  # type: ignore[misc]
    rows: dict[str, list[Any]] = {}
    last: dict[str, list[Any]] = {}
    pictures = {}
    for r, (log, ended, samples) in zip(runs, results, strict=True):
        for table, lines in ((rows, log.rows()), (last, [*log.rows()][-1:])):
            for line in lines:
                whole = {"method": r.label, "seed": r.seed, **line}
                for name, value in whole.items():
                    table.setdefault(name, []).append(value)
        last.setdefault("ended", []).append(ended or "completed")
        if r.seed == 0:
            pictures[r.label] = samples
    units = {"calls": "evaluations of F"}
    return {
        "progress": Table(rows, units, "each training at its checkpoints"),
        "last": Table(last, units, "each training at its end"),
        "samples": pictures,
    }


@_scores.one_thread()  # they run side by side, and their layers are small
def _one(
    r: Run,
    *,
    out: Path,
    calls: int,
    every: int,
    fresh: bool,
    told: Callable[[str], None] | None = None,
) -> tuple[Table, str, np.ndarray]:
    """A training in this process: its log, why it ended early, and samples."""
    game = r.game()
    players = [
        {"params": list(network.parameters()), "lr": rate}
        for network, rate in zip((game.G, game.D), r.rates, strict=True)
    ]
    steps, folder = r.optimiser.over(players, r.betas), out / r.name
    settings = f"{r.settings} {r.optimiser} {r.rates} {r.betas} {r.seed} {every} {_code()}"
    if fresh:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    log, ended = train(
        game, steps, calls=calls, every=every, folder=folder, settings=settings,
        measure=r.measure, told=told,
    )  # fmt: skip
    return log, ended, game.samples(r.samples, seed=1)


def _code() -> str:
    """A digest of all that a training runs: checkpoints of other code are of other iterates."""
    digest = hashlib.sha256(torch.__version__.encode())
    for file in [
        *sorted(Path(__file__).parent.glob("_[a-z]*.py")),
        Path(str(sys.modules["opcheck.torch"].__file__)),
    ]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def gaussians(
    out: Path,
    labels: Iterable[str],
    seeds: Iterable[int],
    *,
    calls: int,
    every: int,
    jobs: int,
    precision: str,
    fresh: bool,
    progress: Callable[[str], None] | None,
) -> dict[str, Table]:
    """The mixture; see ``gan.gaussians``."""
    runs = [
        Run(
            label,
            seed,
            partial(_gaussians.game, seed, precision=precision),
            PLAIN[label],
            (GAMMA, GAMMA),
            None,
            _gaussians.measure,
            f"gaussians {precision}",
            2000,
        )
        for label in labels
        for seed in seeds
    ]
    parts = compared(runs, out, calls=calls, every=every, jobs=jobs, fresh=fresh, progress=progress)
    real = _gaussians.mixture(np.random.default_rng(0), 2000)
    return {**parts, "samples": _labelled({"data": real, **parts["samples"]}, _points)}


def _labelled(
    samples: Mapping[str, np.ndarray], columns_of: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> Table:
    """One table of all samples, with a column that says whose."""
    parts = [(label, columns_of(values)) for label, values in samples.items()]
    whole = {name: np.concatenate([part[name] for _, part in parts]) for name in parts[0][1]}
    labels = np.concatenate([[label] * len(next(iter(part.values()))) for label, part in parts])
    return Table({"method": labels, **whole}, caption="samples")


def _points(samples: np.ndarray) -> dict[str, np.ndarray]:
    finite = samples[np.isfinite(samples).all(axis=1)].astype(float)
    return {"x": finite[:, 0], "y": finite[:, 1]}


def digits() -> dict[str, Any]:
    """The digits, and the features of a classifier that is trained on them."""
    images, shown = _data.digits()
    features, right = _scores.classifier(images, shown)
    return {"images": images, "features": features, "said": f"classifier {right:.4f}"}


def cifar10(data: str, weights: str) -> dict[str, Any]:
    """CIFAR-10 of a folder, and the features of a network in a file."""
    pixels = _data.cifar10(data)
    features = _scores.inception(weights)
    features(_data.scaled(pixels[:2]))  # what is wrong with it is said here
    return {"images": pixels, "features": features, "said": f"{Path(weights).name}"}


@dataclass(frozen=True)
class Scored:
    """FID and IS of so many samples, by features of the data."""

    features: _scores.Features
    data: _scores.Moments
    samples: int

    def __call__(self, game: Game) -> dict[str, float]:
        """Of a generator."""
        return self.of(game.samples(self.samples))

    def of(self, images: np.ndarray) -> dict[str, float]:
        """Of images."""
        if not np.isfinite(images).all():
            return {"FID": np.inf, "IS": 1.0}
        features, logits = self.features(images)
        distance = _scores.frechet(_scores.moments(features), self.data)
        return {"FID": distance, "IS": _scores.inception_score(logits)}


def images(
    load: Mapping[str, Any],
    out: Path,
    labels: Iterable[str],
    size: str,
    *,
    seeds: int | None,
    calls: int | None,
    every: int | None,
    jobs: int,
    precision: str,
    fresh: bool,
    progress: Callable[[str], None] | None,
) -> dict[str, Table]:
    """Networks for images; see ``gan.images``."""
    s = SIZES[size]
    data, features = load["images"], load["features"]
    if data.shape[1:] != (s.channels, s.pixels, s.pixels):
        raise OpcheckError(
            f"--gan {size} trains on images of {s.channels} × {s.pixels} × {s.pixels}; these are "
            f"{' × '.join(map(str, data.shape[1:]))}"
        )
    # two halves of the data tell how near samples can come
    half = np.random.default_rng(0).permutation(len(data))[: 2 * (len(data) // 2)].reshape(2, -1)
    values = [features(_floats(data[rows])) for rows in half]
    moments = _scores.moments(np.concatenate([v for v, _ in values]))
    real = {
        "FID": _scores.frechet(*[_scores.moments(v) for v, _ in values]),
        "IS": _scores.inception_score(np.concatenate([logits for _, logits in values])),
    }
    measure = Scored(features, moments, s.samples)
    game = partial(_game, data, s, precision)
    runs = [
        Run(
            label,
            seed,
            partial(game, seed),
            ADAM[label],
            s.rates,
            BETAS,
            measure,
            f"{s} {precision} {load['said']}",
            25,
        )
        for label in labels
        for seed in range(s.seeds if seeds is None else seeds)
    ]
    effort = {"calls": calls or s.calls, "every": every or s.every, "jobs": jobs, "fresh": fresh}
    parts = compared(runs, out, **effort, progress=progress)
    halves = {"method": "data, two halves", "seed": 0, **real}
    last = parts["last"]
    columns = {n: [halves.get(n, 0 if n != "ended" else ""), *last[n]] for n in last.columns}
    parts["last"] = Table(columns, last.units, last.caption)
    shown = {"data": _floats(data[half[0][:25]]), **parts["samples"]}
    return {**parts, "samples": _labelled(shown, _pixels)}


def _floats(images: np.ndarray) -> np.ndarray:
    return _data.scaled(images) if images.dtype == np.uint8 else images


def _pixels(images: np.ndarray) -> dict[str, np.ndarray]:
    """A row for each value of each image, from −1 to 1."""
    image, channel, row, column = (axis.ravel() for axis in np.indices(images.shape))
    values = np.round(images.astype(float).ravel(), 4)
    return {"image": image, "row": row, "column": column, "channel": channel, "value": values}


def _game(data: np.ndarray, s: Size, precision: str, seed: int) -> Game:
    def networks() -> tuple[Any, Any]:
        G = _images.Generator(s.pixels, s.channels, width=s.width_G, latent=s.latent)
        return G, _images.Discriminator(s.pixels, s.channels, width=s.width_D)

    def real(random: np.random.Generator, n: int) -> np.ndarray:
        return _floats(data[random.integers(len(data), size=n)])

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Game(
        networks,
        real,
        seed=seed,
        batch=s.batch,
        latent=s.latent,
        precision=precision,
        device=device,
    )
