"""The figures of a paper for which networks are trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model.paper import Paper, Training
from opcheck.report.page import write_page
from opcheck.report.reproduce import Redrawn, Reproduction, redraw
from opcheck.watchdog import Interrupted

FOLDER = "gan"


def training_of(key: str, size: str) -> Training:
    """What is trained for a paper.

    Raises OpcheckError for a paper that trains nothing, and an unknown size.
    """
    entry: Paper = registry.get("papers", key)
    if entry.training is None:
        papers = {name: registry.get("papers", name) for name in registry.names("papers")}
        trained = [name for name, other in papers.items() if other.training]
        raise OpcheckError(f"{key} trains no networks; --gan is for {', '.join(trained)}")
    if size not in entry.training.sizes:
        words = "; ".join(f"{name}: {what}" for name, what in entry.training.sizes.items())
        raise OpcheckError(f"--gan {size!r} is no size of {key}; give one of these. {words}")
    return entry.training


def retrain(
    key: str,
    size: str,
    out: str | Path,
    *,
    data: str = "",
    weights: str = "",
    precision: str = "float32",
    jobs: int = 1,
    fresh: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Reproduction:
    """Train the networks of a paper and draw their figures, with a page, into ``out``/KEY/gan.

    Logs and checkpoints lie beside them, one folder a training; what was trained is not trained
    again, and a training that ended goes on from its last checkpoint.

    Args:
        size: one of the paper's ``training.sizes``.
        data, weights, precision: of the paper's training.
        jobs: processes.
        fresh: whether to train everything again.
        progress: called with the name of a training at each of its checkpoints.

    Raises OpcheckError for a paper that trains nothing, an unknown size, and what the training
    raises; Interrupted, with the figures that are finished, where Ctrl-C ends it.
    """
    training, folder = training_of(key, size), Path(out) / key / FOLDER
    options = {"data": data, "weights": weights, "precision": precision, "jobs": jobs}
    figures: list[Redrawn] = []
    try:
        for figure in training.figures(
            size, out=folder / "trainings", fresh=fresh, progress=progress, **options
        ):
            figures.append(replace(redraw(key, figure, folder), training=size))
    except KeyboardInterrupt:
        raise Interrupted(_page(key, figures, folder)) from None
    return _page(key, figures, folder)


def _page(key: str, figures: Sequence[Redrawn], folder: Path) -> Reproduction:
    entry: Paper = registry.get("papers", key)
    result = Reproduction(key, entry.citation, tuple(figures), (), {})
    write_page(result, folder)
    return result
