"""How near samples are to data, through the features of a classifier: FID and IS."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from opcheck import OpcheckError

Features = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Moments:
    """Mean, shape (d,), and covariance of features."""

    mean: np.ndarray
    covariance: np.ndarray


def moments(features: np.ndarray) -> Moments:
    """Of features, shape (n, d), in float64."""
    values = features.astype(np.float64)
    return Moments(values.mean(axis=0), np.atleast_2d(np.cov(values, rowvar=False)))


def frechet(a: Moments, b: Moments) -> float:
    """‖μ − ν‖² + tr(A + B − 2(A^½ B A^½)^½): the squared distance of two Gaussians."""
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    between = np.linalg.eigvalsh(root @ b.covariance @ root)
    trace = np.trace(a.covariance) + np.trace(b.covariance)
    gap = a.mean - b.mean
    return float(gap @ gap + trace - 2 * np.sqrt(np.maximum(between, 0)).sum())


def inception_score(logits: np.ndarray) -> float:
    """exp of the mean divergence of p(y | x) from p(y), from 1 to the number of classes.

    Logits, shape (n, classes).
    """
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(logs)
    mean = p.mean(axis=0)
    divergence = (p * (logs - np.log(np.maximum(mean, 1e-300)))).sum(axis=1)
    return float(np.exp(divergence.mean()))


class Digits(nn.Module):
    """A small classifier of 8 × 8 digits; its features are 64 numbers before the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(512, 64),
            nn.ReLU(),
        )
        self.last = nn.Linear(64, 10)

    def forward(self, images: Any) -> Any:
        """Features (n, 64) and logits (n, 10)."""
        features = self.features(images)
        return features, self.last(features)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Sums in one order: their last bits, and so all that follows, depend on the threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
def classifier(
    images: np.ndarray, shown: np.ndarray, *, steps: int = 400, batch: int = 128
) -> tuple[Features, float]:
    """A classifier trained on images; its features, and the share it gets right of the last fifth.

    It sees the first four fifths. The same call gives the same network.
    """
    held = len(images) // 5
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Digits()
    random = np.random.default_rng(0)
    adam = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(steps):
        rows = random.integers(len(images) - held, size=batch)
        adam.zero_grad()
        _, logits = network(torch.from_numpy(images[rows]))
        nn.functional.cross_entropy(logits, torch.from_numpy(shown[rows])).backward()
        adam.step()
    features = through(network)
    right = features(images[-held:])[1].argmax(axis=1) == shown[-held:]
    return features, float(right.mean())


def inception(weights: str | Path) -> Features:
    """Features of a network that is given, as Inception.

    Args:
        weights: a TorchScript file of a module that maps images, float32 of shape (n, 3, 32, 32)
            with values in [0, 1], to their features (n, d) and logits (n, classes). It resizes and
            normalises them by itself.

    Raises OpcheckError for a file that is none, and a module that gives back anything else.
    """
    file = Path(weights)
    if not file.is_file():
        raise OpcheckError(f"no file {str(weights)!r}; give --weights a TorchScript file")
    try:
        network = torch.jit.load(str(file), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        raise OpcheckError(
            f"{str(weights)!r} is no TorchScript file; save the network with torch.jit.save"
        ) from error

    def features(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        try:
            values, logits = through(network)((images + 1) / 2)
            if values.ndim == logits.ndim == 2 and len(values) == len(logits) == len(images):
                return values, logits
            shapes = f"{values.shape} and {logits.shape}"
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            shapes = str(error).strip().splitlines()[-1] if str(error).strip() else "an error"
        raise OpcheckError(
            f"the network in {str(weights)!r} must map images {images.shape} to features (n, d) "
            f"and logits (n, classes); it gave {shapes}"
        )

    return features


def through(network: Callable[[Any], Any]) -> Features:
    """A network on arrays, some hundred images at once."""

    @torch.no_grad()
    def features(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [
            network(torch.from_numpy(np.ascontiguousarray(images[i : i + 250], np.float32)))
            for i in range(0, len(images), 250)
        ]
        values, logits = (torch.cat([part[j] for part in parts]) for j in (0, 1))
        return values.numpy(), logits.numpy()

    return features
