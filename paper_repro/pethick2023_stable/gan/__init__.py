"""Networks that play against each other, trained with the paper's methods: opcheck repro --gan.

Torch is imported when something is trained, by the modules of this folder whose names begin with an
underscore.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opcheck import OpcheckError
from opcheck.plugin import PaperFigure, Training
from opcheck_paper_repro.pethick2023_stable.gan.figures import (
    PAIRS,
    image_figures,
    mixture_figures,
)

if TYPE_CHECKING:
    from opcheck import Table

SIZES = {
    "small": "the mixture of 8 Gaussians and the 8 × 8 digits of scikit-learn, minutes on 2 cores",
    "full": "the same mixture, and CIFAR-10 from --data with FID and IS by --weights, for a GPU",
}
PLAIN = tuple(label for labels in PAIRS for label in labels)
ADAM = ("Adam", "LA-Adam", "ExtraAdam", "LA-ExtraAdam", "RAPP-Adam")
SEEDS, CALLS, EVERY = 5, 6000, 300  # of the mixture


def train(
    size: str,
    *,
    out: Path,
    data: str = "",
    weights: str = "",
    precision: str = "float32",
    jobs: int = 1,
    fresh: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Iterator[PaperFigure]:
    """Train, and give back figures as they are ready.

    Args:
        size: a key of ``SIZES``.
        out: folder for logs and checkpoints, by which a training that ended goes on.
        data, weights: of ``images``, for "full".
        precision: "float32", or "bfloat16" for mixed precision.
        jobs: processes.
        fresh: whether to begin anew where checkpoints lie.
        progress: called at each checkpoint.

    Raises OpcheckError for an unknown size, and what ``gaussians`` and ``images`` raise.
    """
    if size not in SIZES:
        raise OpcheckError(f"--gan {size!r} is no size; give {' or '.join(SIZES)}")
    if size == "full" and not (data and weights):
        raise OpcheckError("--gan full needs --data, the folder of CIFAR-10, and --weights")
    rest: dict[str, Any] = {
        "jobs": jobs,
        "progress": progress,
        "precision": precision,
        "fresh": fresh,
    }
    # what is wrong with files is said before hours of training
    load = _digits() if size == "small" else _cifar10(data, weights)
    yield from mixture_figures(
        gaussians(out=out / "gaussians", seeds=SEEDS, calls=CALLS, every=EVERY, **rest)
    )
    if size == "full":
        rest["jobs"] = 1  # one accelerator
    yield from image_figures(size, images(load, out=out / size, size=size, **rest))


def pieces(size: str) -> int:
    """How many checkpoints ``train`` tells of."""
    per_image = {"small": len(ADAM) * 2 * 4, "full": len(ADAM) * 200}
    return len(PLAIN) * SEEDS * (CALLS // EVERY) + per_image.get(size, 0)


def gaussians(
    *,
    out: Path,
    seeds: int = SEEDS,
    calls: int = CALLS,
    every: int = EVERY,
    labels: tuple[str, ...] = PLAIN,
    jobs: int = 1,
    precision: str = "float32",
    fresh: bool = False,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Table]:
    """The mixture of 8 Gaussians, plain steps of 0.2 for both players.

    Args:
        calls: evaluations of F, the same for all; ``every`` so many it is measured.
        labels: of ``PLAIN``.

    Returns "progress": a row for each label, seed and checkpoint; "last": the last of these;
    "samples of LABEL": points of seed 0 at the end.
    Raises OpcheckError for a folder that can't be written, or without torch.
    """
    return _with_torch().gaussians(
        out, labels, range(seeds), calls=calls, every=every, jobs=jobs, precision=precision,
        fresh=fresh, progress=progress,
    )  # fmt: skip


def images(
    load: Mapping[str, Any],
    *,
    out: Path,
    size: str = "small",
    seeds: int | None = None,
    calls: int | None = None,
    every: int | None = None,
    labels: tuple[str, ...] = ADAM,
    jobs: int = 1,
    precision: str = "float32",
    fresh: bool = False,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Table]:
    """Residual networks, spectral normalisation, hinge loss, steps preconditioned as in Adam.

    Args:
        load: what ``digits`` and ``cifar10`` of ``_compared`` give: data and features.
        size: "small" or "full": widths, steps and numbers of evaluations.
        seeds, calls, every: default those of the size.
        labels: of ``ADAM``.

    Returns parts as ``gaussians`` does, with FID and IS; the first row of "last" is the data.
    Raises OpcheckError for a folder that can't be written.
    """
    return _with_torch().images(
        load, out, labels, size, seeds=seeds, calls=calls, every=every, jobs=jobs,
        precision=precision, fresh=fresh, progress=progress,
    )  # fmt: skip


def _digits() -> Mapping[str, Any]:
    return _with_torch().digits()


def _cifar10(data: str, weights: str) -> Mapping[str, Any]:
    return _with_torch().cifar10(data, weights)


def _with_torch() -> Any:
    """What trains, with torch. Raises OpcheckError without torch, with the command for it."""
    importlib.import_module("opcheck.torch")  # before torch itself, for its sentence
    return importlib.import_module(f"{__name__}._compared")


TRAINING = Training(SIZES, pieces, train)
