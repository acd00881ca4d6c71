"""What is drawn of trainings, and what must be seen in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from opcheck.plugin import Check, Panel, PaperFigure

if TYPE_CHECKING:
    from opcheck import Table

PAIRS = (("GDA", "LA-GDA, τ = 5", "LA-GDA, τ = 20"), ("EG", "EG+", "RAPP"))
OURS = "Networks, batch and numbers of evaluations are ours."
OF_ADAM = (
    "LA-Adam: λ = 0.5, τ = 20; LA-ExtraAdam: λ = 0.5, τ = 10; RAPP-Adam: λ = 0.9, τ = 3; "
    "β = (0, 0.9) for all."
)
AT_ONCE = "All methods evaluate F equally often, and both players move at once."


def mixture_figures(parts: Mapping[str, Table]) -> Iterator[PaperFigure]:
    """Of the mixture of 8 Gaussians."""
    labels = tuple(dict.fromkeys(parts["last"]["method"].tolist()))
    groups = [[n for n in pair if n in labels] for pair in PAIRS]
    split = {f"progress_{i}": _only(parts["progress"], g) for i, g in enumerate(groups, 1) if g}
    ended = "; ".join(e for e in parts["last"]["ended"].tolist() if e != "completed")
    note = f"{OURS} {AT_ONCE}{f' {ended}.' if ended else ''}"
    for column, name, what in (
        ("modes", "covered modes", "modes covered, of 8"),
        ("good", "good samples", "share of good samples"),
    ):
        yield PaperFigure(
            id=f"gan_gaussians_{column}",
            title=f"Mixture of 8 Gaussians: {name}; γ = 0.2, λ = 0.5, of RAPP 0.9 and τ = 3",
            caption=f"Median over seeds and, shaded, their range: {what}, of 2000 samples.",
            experiment=lambda: {**split, "last": parts["last"]},
            panels=tuple(
                Panel(
                    "bands",
                    {"x": "calls", "y": column, "by": "method", "low": 0.0, "high": 1.0,
                     "vertical": "linear", "ylabel": what, "title": ""},
                    of=part,
                )
                for part in split
            ),
            checks=tuple(_against_gda(labels)),
            note=note,
        )  # fmt: skip
    shown = _samples(parts)
    yield PaperFigure(
        id="gan_gaussians_samples",
        title="Mixture of 8 Gaussians: samples at the end of the training, seed 0",
        caption="2000 samples each; crosses are the centres of the mixture.",
        experiment=lambda: {_file(label): part for label, part in shown.items()},
        panels=tuple(
            Panel("points", {"title": label, "limit": 2.2}, of=_file(label)) for label in shown
        ),
        checks=(),
        note=note,
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
        experiment=lambda: {"progress": parts["progress"], "last": parts["last"]},
        panels=tuple(
            Panel(
                "bands",
                {"x": "calls", "y": column, "by": "method", "low": 0.0, "high": 1.0,
                 "vertical": scale, "title": ""},
                of="progress",
            )
            for column, scale in (("FID", "log"), ("IS", "linear"))
        ),
        checks=tuple(_trained(parts)),
        note=f"{features} {OF_ADAM} {OURS} {AT_ONCE}",
    )  # fmt: skip
    shown = _samples(parts)
    yield PaperFigure(
        id=f"gan_{size}_samples",
        title=f"{data}: samples at the end of the training, seed 0",
        caption="25 samples each.",
        experiment=lambda: {_file(label): part for label, part in shown.items()},
        panels=tuple(Panel("mosaic", {"title": label}, of=_file(label)) for label in shown),
        checks=(),
        note=OURS,
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


def _samples(parts: Mapping[str, Table]) -> dict[str, Table]:
    """Label -> samples, the data first."""
    start = "samples of "
    return {n.removeprefix(start): part for n, part in parts.items() if n.startswith(start)}


def _file(label: str) -> str:
    """A label in the name of a file: ``LA-GDA-tau5`` of ``LA-GDA, τ = 5``."""
    return label.replace(", τ = ", "-tau")


def _by_seed(last: Table, columns: list[str]) -> str:
    """As in ``modes by seed: GDA 0 1, EG 8 8.``"""
    said = []
    for column in columns:
        each = [
            f"{label} {' '.join(f'{v:.4g}' for v in rows[column].tolist())}"
            for (label,), rows in last.groups("method")
        ]
        said.append(f"{column} by seed: {', '.join(each)}.")
    return " ".join(said)


def _only(table: Table, labels: list[str]) -> Table:
    kept = [label in labels for label in table["method"].tolist()]
    columns = {name: values[kept] for name, values in table.columns.items()}
    return type(table)(columns, table.units, table.caption)


def _against_gda(labels: tuple[str, ...]) -> Iterator[Check]:
    """Every method but GDA ends with at least as good samples, in the mean over seeds."""
    for label in labels[1:] if labels[0] == "GDA" else ():

        def gap(parts: Mapping[str, Any], label: str = label) -> float:
            last: Table = parts["last"]
            better, base = (last.where(method=m)["good"].mean() for m in (label, "GDA"))
            return float(better - base)

        yield Check(f"{label} ends with more good samples than GDA (mean over seeds)", gap, 0.0)


def _trained(parts: Mapping[str, Table]) -> Iterator[Check]:
    """Every training comes nearer to the data than it began."""
    for label in dict.fromkeys(parts["progress"]["method"].tolist()):

        def share(parts: Mapping[str, Any], label: str = label) -> float:
            rows: Table = parts["progress"].where(method=label)
            start = rows.where(calls=0)["FID"].mean()
            return float(parts["last"].where(method=label)["FID"].mean() / start)

        yield Check(f"{label} lowers FID (share of that at the start)", share, 0.0, 1.0)
