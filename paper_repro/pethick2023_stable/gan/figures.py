"""What is drawn of trainings, and what must be seen in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from opcheck.plugin import Check, Panel, PaperFigure

if TYPE_CHECKING:
    from opcheck import Table

GROUPS = {
    "outer": ("GDA", "LA-GDA, τ = 5", "LA-GDA, τ = 20"),
    "looking_ahead": ("EG", "EG+", "RAPP"),
}
ROWS = "progress"
BANDS = {"x": "calls", "by": "method", "low": 0.0, "high": 1.0, "title": ""}
GAMMA = 0.2  # of plain steps, for both players
OF_PLAIN = "LA-GDA: λ = 0.5; EG+: α = 0.5; RAPP: λ = 0.9, τ = 3."
OURS = "Networks, batch and numbers of evaluations are ours."
OF_ADAM = (
    "LA-Adam: λ = 0.5, τ = 20; LA-ExtraAdam: λ = 0.5, τ = 10; RAPP-Adam: λ = 0.9, τ = 3; "
    "β = (0, 0.9) for all."
)
AT_ONCE = "All methods evaluate F equally often, and both players move at once."


def mixture_figures(parts: Mapping[str, Table]) -> Iterator[PaperFigure]:
    """Of the mixture of 8 Gaussians."""
    labels = tuple(dict.fromkeys(parts["last"]["method"].tolist()))
    ended = "; ".join(e for e in parts["last"]["ended"].tolist() if e != "completed")
    note = f"{OF_PLAIN} {OURS} {AT_ONCE}{f' {ended}.' if ended else ''}"
    for name, group in GROUPS.items():
        kept = tuple(label for label in group if label in labels)
        if not kept:
            continue
        yield PaperFigure(
            id=f"gan_gaussians_{name}",
            title=f"Mixture of 8 Gaussians, plain steps γ = {GAMMA}: {'; '.join(kept)}",
            caption="Median over seeds and, shaded, their range: how many of the 8 modes hold good "
            "samples, and the share of good ones, of 2000. A training that has collapsed onto a "
            "single mode has many good samples.",
            experiment=partial(_both, parts, kept),
            panels=tuple(
                Panel(
                    "bands", {**BANDS, "y": column, "vertical": "linear", "ylabel": what}, of=ROWS
                )
                for column, what in (("modes", "modes covered, of 8"), ("good", "good samples"))
            ),
            checks=tuple(_seen_of(name, kept)),
            note=note,
        )
    yield PaperFigure(
        id="gan_gaussians_samples",
        title="Mixture of 8 Gaussians: samples at the end of the training, seed 0",
        caption="2000 samples of the data and of each method.",
        experiment=lambda: {"samples": parts["samples"]},
        panels=(Panel("points", {"limit": 2.2}),),
        checks=(),
        note=note,
        width="double",
    )
    yield _table("gan_gaussians_table", "Mixture of 8 Gaussians at the end", parts, "modes,good")


def image_figures(size: str, parts: Mapping[str, Table]) -> Iterator[PaperFigure]:
    """Of images, by FID and IS."""
    data = {"small": "8 × 8 digits", "full": "CIFAR-10"}[size]
    features = {
        "small": "FID and IS are by the features of a small classifier trained on the digits: they "
        "compare methods here, and nothing with published values.",
        "full": "FID and IS are by the features of the network given by --weights.",
    }[size]
    number = "Figure 4" if size == "full" else ""
    yield PaperFigure(
        id=f"gan_{size}_scores",
        number=number,
        title=f"{data}: residual networks, hinge loss, Adam's preconditioner",
        caption="Median over seeds and, shaded, their range; lower FID and higher IS are better.",
        experiment=lambda: {ROWS: parts[ROWS], "last": parts["last"]},
        panels=tuple(
            Panel(
                "bands",
                {**BANDS, "y": column, "vertical": scale},
                of=ROWS,
            )
            for column, scale in (("FID", "log"), ("IS", "linear"))
        ),
        checks=tuple(_trained(parts)),
        note=f"{features} {OF_ADAM} {OURS} {AT_ONCE}",
    )
    yield PaperFigure(
        id=f"gan_{size}_samples",
        title=f"{data}: samples at the end of the training, seed 0",
        caption="25 images of the data and of each method.",
        experiment=lambda: {"samples": parts["samples"]},
        panels=(Panel("mosaic"),),
        checks=(),
        note=f"{OF_ADAM} {OURS}",
        width="double",
    )
    yield _table(f"gan_{size}_table", f"{data} at the end", parts, "FID,IS")


def _table(name: str, title: str, parts: Mapping[str, Table], columns: str) -> PaperFigure:
    return PaperFigure(
        id=name,
        title=f"{title}, each optimiser and seed",
        caption="Each training at its last evaluation.",
        experiment=lambda: {"last": parts["last"]},
        panels=(Panel("table", {"columns": f"method,seed,calls,{columns}"}, of="last"),),
        checks=(),
        note=_by_seed(parts["last"], columns.split(",")),
        width="single",
    )


def _by_seed(last: Table, columns: list[str]) -> str:
    """As in ``modes by seed. GDA: 0 1; EG: 8 8.``"""
    said = []
    for column in columns:
        each = [
            f"{label}: {' '.join(f'{v:.4g}' for v in rows[column].tolist())}"
            for (label,), rows in last.groups("method")
        ]
        said.append(f"{column} by seed. {'; '.join(each)}.")
    return " ".join(said)


def _both(parts: Mapping[str, Table], labels: Sequence[str]) -> dict[str, Table]:
    """The rows of some methods, and their last ones."""
    both = {}
    for name in (ROWS, "last"):
        table = parts[name]
        kept = [label in labels for label in table["method"].tolist()]
        columns = {column: values[kept] for column, values in table.columns.items()}
        both[name] = type(table)(columns, table.units, table.caption)
    return both


def _mean_modes(parts: Mapping[str, Any], label: str) -> float:
    last: Table = parts["last"]
    return float(last.where(method=label)["modes"].mean())


def _seen_of(name: str, labels: tuple[str, ...]) -> Iterator[Check]:
    """What must be seen of modes; by how much each seed decides, as trainings are chaotic."""
    if name == "outer":
        collapses = partial(_mean_modes, label="GDA")
        yield Check("modes that GDA covers at the end, mean over seeds", collapses, 0, 2)
        labels = ("LA-GDA, τ = 5",)
    for label in labels:
        said = f"modes that {label} covers at the end, mean over seeds"
        yield Check(said, partial(_mean_modes, label=label), 5, 8)


def _trained(parts: Mapping[str, Table]) -> Iterator[Check]:
    """Every training comes nearer to the data than it began."""
    for label in dict.fromkeys(parts[ROWS]["method"].tolist()):

        def share(parts: Mapping[str, Any], label: str = label) -> float:
            rows: Table = parts[ROWS].where(method=label)
            start = rows.where(calls=0)["FID"].mean()
            return float(parts["last"].where(method=label)["FID"].mean() / start)

        yield Check(f"{label} lowers FID (share of that at the start)", share, 0.0, 1.0)
