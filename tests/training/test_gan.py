"""Networks trained against each other: data, scores, and trainings that end and go on."""

from __future__ import annotations

import collections
import functools
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.watchdog import Interrupted

pytest.importorskip("torch.optim")
pytest.importorskip("sklearn")
import torch

from opcheck.plugin import PaperFigure
from opcheck.report import training
from opcheck.report.reproduce import Redrawn
from opcheck.report.training import retrain
from opcheck.torch import GDA, Lookahead
from opcheck_paper_repro.pethick2023_stable import gan
from opcheck_paper_repro.pethick2023_stable.gan import (
    _compared,
    _data,
    _gaussians,
    _images,
    _scores,
    _training,
)

KEY = "pethick2023_stable"


# --- CIFAR-10 as it comes


def batch(n: int, seed: int = 0, width: int = 3072) -> dict[bytes, Any]:
    random = np.random.default_rng(seed)
    return {
        b"batch_label": b"training batch",
        b"labels": random.integers(10, size=n).tolist(),
        b"data": random.integers(256, size=(n, width), dtype=np.uint8),
        b"filenames": [b"a.png"] * n,
    }


def write(folder: Path, n: int = 4, width: int = 3072) -> Path:
    """A small folder of the format of CIFAR-10's python version."""
    inside = folder / "cifar-10-batches-py"
    inside.mkdir()
    for i in range(1, 6):
        with (inside / f"data_batch_{i}").open("wb") as file:
            pickle.dump(batch(n, i, width), file, protocol=2)
    return inside


def test_images_are_read_colour_by_colour(tmp_path: Path) -> None:
    inside = write(tmp_path)
    images = _data.cifar10(tmp_path)
    assert images.shape == (20, 3, 32, 32)
    assert images.dtype == np.uint8
    assert np.array_equal(images, _data.cifar10(inside))
    row = batch(4, 2)[b"data"][1]
    assert np.array_equal(images[5, 2], row[2048:].reshape(32, 32))  # blue comes last
    assert _data.scaled(np.array([0, 255], np.uint8)).tolist() == [-1, 1]


def numpy_1(text: bytes) -> bytes:
    """As numpy 1 named it, which wrote the files that people have."""
    return text.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def test_files_of_numpy_1_are_read(tmp_path: Path) -> None:
    inside = write(tmp_path)
    expected = _data.cifar10(inside)
    for file in inside.iterdir():
        file.write_bytes(numpy_1(file.read_bytes()))
        assert b"numpy.core.multiarray" in file.read_bytes()
    assert np.array_equal(_data.cifar10(inside), expected)


class Runs:
    """A pickle that calls a function when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch was_called",)


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda f: (f / "data_batch_4").unlink(), "has no data_batch_4; give --data"),
    "no folder": (lambda f: os.rename(f, f.parent / "moved"), "has no data_batch_1, data_batch_2"),
    "function": (
        lambda f: (f / "data_batch_2").write_bytes(pickle.dumps(Runs())),
        r"names posix.system, which no batch does",
    ),
    "class": (
        lambda f: (f / "data_batch_2").write_bytes(pickle.dumps(collections.OrderedDict())),
        "names collections.OrderedDict, which",
    ),
    "codec": (
        lambda f: (f / "data_batch_2").write_bytes(
            b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R."
        ),
        "encoding 'hex'",
    ),
    "cut": (
        lambda f: (f / "data_batch_5").write_bytes((f / "data_batch_5").read_bytes()[:3000]),
        "data_batch_5' is no batch of CIFAR-10",
    ),
    "empty": (lambda f: (f / "data_batch_1").write_bytes(b""), "data_batch_1' is no batch"),
    "no data": (
        lambda f: (f / "data_batch_3").write_bytes(pickle.dumps({b"labels": [1]}, 2)),
        "data_batch_3' holds no 'data' of bytes",
    ),
    "size": (
        lambda f: (f / "data_batch_3").write_bytes(pickle.dumps(batch(2, width=12288), 2)),
        "images of 12288 bytes; those of CIFAR-10 have 3072",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_folder_that_is_none_is_refused_by_name(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spoil, sentence = SPOILT[what]
    spoil(write(tmp_path))
    with pytest.raises(OpcheckError, match=sentence):
        _data.cifar10(tmp_path)
    assert not Path("was_called").exists()
    with pytest.raises(OpcheckError, match="no folder 'nowhere'"):
        _data.cifar10("nowhere")


# --- scores


def test_frechet_distance_against_the_square_root_of_a_matrix() -> None:
    import scipy.linalg

    random = np.random.default_rng(0)
    a, b = (random.standard_normal((50, 6)) @ random.standard_normal((6, 6)) + s for s in (0, 1))
    mu, nu = a.mean(axis=0), b.mean(axis=0)
    A, B = np.cov(a.T), np.cov(b.T)
    root = scipy.linalg.sqrtm(A @ B).real
    expected = ((mu - nu) ** 2).sum() + np.trace(A + B - 2 * root)
    assert _scores.frechet(_scores.moments(a), _scores.moments(b)) == pytest.approx(expected)
    assert _scores.frechet(_scores.moments(a), _scores.moments(a)) == pytest.approx(0, abs=1e-10)
    one = _scores.Moments(np.array([1.0]), np.array([[4.0]]))
    other = _scores.Moments(np.array([3.0]), np.array([[9.0]]))
    assert _scores.frechet(one, other) == pytest.approx((1 - 3) ** 2 + (2 - 3) ** 2)


def test_inception_score_of_what_is_known() -> None:
    sure = 100.0 * np.eye(10)[np.arange(200) % 10]
    assert _scores.inception_score(sure) == pytest.approx(10)  # each class equally often, surely
    assert _scores.inception_score(np.zeros((50, 10))) == pytest.approx(1)
    assert _scores.inception_score(sure[[0, 0, 1, 1]]) == pytest.approx(2)
    two = np.log(np.array([[0.75, 0.25], [0.25, 0.75]]))
    expected = np.exp(0.75 * np.log(1.5) + 0.25 * np.log(0.5))
    assert _scores.inception_score(two) == pytest.approx(expected)


class Tiny(torch.nn.Module):
    """Stands for Inception: features are means over rows of the first colour."""

    def forward(self, images):  # type: ignore[no-untyped-def]
        features = images[:, 0].mean(dim=2)
        return features, features[:, :10]


class Alone(torch.nn.Module):
    """Gives back no pair."""

    def forward(self, images):  # type: ignore[no-untyped-def]
        return images.mean(dim=1)


def saved(network: torch.nn.Module, file: Path) -> Path:
    traced = torch.jit.trace(network, torch.zeros(2, 3, 32, 32))
    torch.jit.save(traced, str(file))
    return file


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_weights_are_a_network_in_a_file(tmp_path: Path) -> None:
    features = _scores.inception(saved(Tiny(), tmp_path / "tiny.pt"))
    images = np.random.default_rng(0).uniform(-1, 1, (300, 3, 32, 32)).astype(np.float32)
    values, logits = features(images)
    assert np.allclose(values, (images[:, 0].mean(axis=2) + 1) / 2, atol=1e-6)  # from 0 to 1
    assert logits.shape == (300, 10)
    with pytest.raises(OpcheckError, match=r"no file 'none\.pt'; give --weights"):
        _scores.inception("none.pt")
    (tmp_path / "text.pt").write_text("weights")
    with pytest.raises(OpcheckError, match="is no TorchScript file"):
        _scores.inception(tmp_path / "text.pt")
    with pytest.raises(OpcheckError, match=r"must map images \(2, 3, 32, 32\) to features"):
        _scores.inception(saved(Alone(), tmp_path / "alone.pt"))(images[:2])


@pytest.mark.ci
def test_the_classifier_is_the_same_whatever_the_threads() -> None:
    """FID moved by 2 of 50 between a shell that allows two threads and one that allows one."""
    images, shown = _data.digits()
    threads, seen = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            features, _ = _scores.classifier(images, shown, steps=30)
            torch.set_num_threads(1)
            seen.append(features(images[:50])[0])
            torch.set_num_threads(count)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(*seen)


@pytest.mark.ci
def test_the_classifier_knows_digits_it_has_not_seen() -> None:
    images, shown = _data.digits()
    assert images.shape == (1797, 1, 8, 8)
    assert (images.min(), images.max()) == (-1, 1)
    features, right = _scores.classifier(images, shown, steps=150)
    assert right > 0.85
    assert features(images[:3])[0].shape == (3, 64)


def test_coverage_counts_modes() -> None:
    modes, good = _gaussians.coverage(np.repeat(_gaussians.CENTRES[:3], 10, axis=0))
    assert (modes, good) == (3, 1.0)
    far = np.full((70, 2), np.nan)
    assert _gaussians.coverage(np.concatenate([_gaussians.CENTRES[:1]] * 30 + [far])) == (1, 0.3)
    real = _gaussians.mixture(np.random.default_rng(0), 4000)
    assert _gaussians.coverage(real)[0] == 8
    # the share of a normal in the plane within 4 standard deviations
    assert _gaussians.coverage(real)[1] == pytest.approx(1 - np.exp(-8), abs=2e-3)


# --- networks


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (16, 1), (32, 3)])
def test_shapes_and_norms_of_the_networks(size: int, channels: int) -> None:
    G = _images.Generator(size, channels, width=8, latent=4)
    D = _images.Discriminator(size, channels, width=8)
    images = G(torch.randn(5, 4))
    assert images.shape == (5, channels, size, size)
    assert images.abs().max() <= 1
    for _ in range(60):  # power iterations, one at each evaluation
        assert D(images).shape == (5, 1)
    layers = [m for m in D.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == len([m for m in D.modules() if hasattr(m, "parametrizations")])
    for layer in layers:
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1).detach(), 2)
        assert norm == pytest.approx(1, abs=0.05)


def test_each_loss_reaches_its_own_player_alone() -> None:
    """Gradients against those of each loss by itself."""
    game = _gaussians.game(3)
    twin = _gaussians.game(3)
    game()
    data = torch.from_numpy(twin.real(twin.random, twin.batch))
    noise = twin.noise(twin.random, twin.batch)
    judged = twin.D(torch.cat([data, twin.G(noise)]))
    true, fake = judged[: twin.batch], judged[twin.batch :]
    loss_D = torch.relu(1 - true).mean() + torch.relu(1 + fake).mean()
    for loss, ours, theirs in ((-fake.mean(), game.G, twin.G), (loss_D, game.D, twin.D)):
        alone = torch.autograd.grad(loss, list(theirs.parameters()), retain_graph=True)
        for p, expected in zip(ours.parameters(), alone, strict=True):
            assert torch.allclose(p.grad, expected, atol=1e-7)


# --- trainings


def trained(folder: Path, calls: int, **options: Any) -> tuple[Any, str, _training.Game]:
    game = _gaussians.game(0, **options)
    players = [{"params": list(n.parameters())} for n in (game.G, game.D)]
    steps = Lookahead(GDA(players, 0.1, betas=(0.5, 0.9)), tau=7)
    log, ended = _training.train(
        game, steps, calls=calls, every=10, folder=folder, settings="a", measure=_gaussians.measure
    )
    return log, ended, game


def parameters(game: _training.Game) -> NDArray[np.float64]:
    vector = torch.nn.utils.parameters_to_vector([*game.G.parameters(), *game.D.parameters()])
    return vector.detach().numpy()


def test_a_training_that_ended_goes_on_to_the_same_network(tmp_path: Path) -> None:
    log, ended, whole = trained(tmp_path / "whole", 40)
    trained(tmp_path / "parts", 20)
    again, _, parts = trained(tmp_path / "parts", 40)
    assert ended == ""
    assert np.array_equal(parameters(parts), parameters(whole))
    assert again.csv() == log.csv() == (tmp_path / "parts" / "log.csv").read_text()
    assert again["calls"].tolist() == [0, 10, 20, 30, 40]


def test_other_settings_begin_anew_and_a_spoilt_checkpoint_is_named(tmp_path: Path) -> None:
    trained(tmp_path, 20)
    game = _gaussians.game(0)
    steps = GDA([*game.G.parameters(), *game.D.parameters()], 0.1)
    log, _ = _training.train(
        game, steps, calls=10, every=10, folder=tmp_path, settings="b", measure=_gaussians.measure
    )
    assert log["calls"].tolist() == [0, 10]
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(OpcheckError, match=r"can't read the checkpoint .*delete it"):
        trained(tmp_path, 20)


def test_a_loss_that_is_nan_ends_a_training_at_a_named_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = _training.Game.__call__

    def breaks(self: _training.Game) -> Any:
        loss_G, loss_D = call(self)
        return loss_G, loss_D * (np.nan if self.calls == 27 else 1)

    monkeypatch.setattr(_training.Game, "__call__", breaks)
    log, ended, _ = trained(tmp_path / "run", 40)
    assert log["calls"].tolist() == [0, 10, 20]
    assert "run: step 27 of GDA: the loss is nan" in ended
    assert "after 20 evaluations is kept in" in ended
    monkeypatch.undo()
    log, ended, _ = trained(tmp_path / "run", 40)
    assert log["calls"].tolist() == [0, 10, 20, 30, 40]


def test_mixed_precision_trains(tmp_path: Path) -> None:
    _, ended, game = trained(tmp_path, 10, precision="bfloat16")
    assert ended == ""
    assert next(game.G.parameters()).dtype == torch.float32
    exact = trained(tmp_path / "exact", 10)[2]
    gap = np.abs(parameters(game) - parameters(exact)).max()
    assert 0 < gap < 1


def test_a_folder_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OpcheckError, match=r"can't write into .*file.*name a folder"):
        trained(tmp_path / "file" / "run", 10)


# --- the command


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same experiment, a few steps of it."""
    monkeypatch.setattr(gan, "SEEDS", 2)
    monkeypatch.setattr(gan, "CALLS", 60)
    monkeypatch.setattr(gan, "EVERY", 30)
    monkeypatch.setattr(_scores, "classifier", functools.partial(_scores.classifier, steps=40))
    small = _compared.SIZES["small"]
    fields = {"seeds": 1, "calls": 20, "every": 10, "samples": 60, "width_G": 4, "width_D": 4}
    full = {**vars(_compared.SIZES["full"]), **fields, "batch": 4}
    monkeypatch.setitem(_compared.SIZES, "small", type(small)(**{**vars(small), **fields}))
    monkeypatch.setitem(_compared.SIZES, "full", type(small)(**full))


FIGURES = {
    f"gan_{kind}"
    for kind in (
        "gaussians_outer", "gaussians_looking_ahead", "gaussians_samples", "gaussians_table",
        "small_scores", "small_samples", "small_table",
    )
}  # fmt: skip


@pytest.mark.usefixtures("short")
@pytest.mark.ci
def test_the_command_trains_and_draws(tmp_path: Path) -> None:
    words = ["repro", KEY, "--gan", "small", "--out", str(tmp_path), "--jobs", "1"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code in (0, 1), result.output
    folder = tmp_path / KEY / "gan"
    assert {p.stem for p in folder.glob("*.png")} == FIGURES
    assert {p.stem for p in folder.glob("*.svg")} == FIGURES
    assert "modes by seed. GDA: " in result.output
    assert "FID by seed. data, two halves: " in result.output
    logs = sorted(folder.glob("trainings/*/*/log.csv"))
    assert len(logs) == 6 * 2 + 5
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert f"`opcheck repro {KEY} --gan small`" in page
    lines = (folder / "gan_gaussians_table.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 6 * 2


@pytest.mark.usefixtures("short")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_full_trains_on_a_folder_of_cifar10(tmp_path: Path) -> None:
    write(tmp_path, 14)
    weights = saved(Tiny(), tmp_path / "tiny.pt")
    load = gan._cifar10(str(tmp_path), str(weights))
    parts = gan.images(load, out=tmp_path / "run", size="full", labels=("Adam", "RAPP-Adam"))
    assert parts["last"]["method"].tolist() == ["data, two halves", "Adam", "RAPP-Adam"]
    assert np.isfinite(parts["last"]["FID"]).all()
    assert len(parts["samples"].where(method="Adam")) == 25 * 3 * 32 * 32
    with pytest.raises(OpcheckError, match="trains on images of 1 × 8 × 8; these are 3 × 32 × 32"):
        gan.images(load, out=tmp_path / "run", size="small")


REFUSED = {
    ("--gan", "small", "--all"): "--gan trains the networks of one paper",
    (KEY, "--gan", "huge"): "--gan 'huge' is no size of pethick2023_stable",
    (KEY, "--gan", "small", "--figure", "forsaken"): "--gan trains the networks of one paper",
    (KEY, "--gan", "full"): "--gan full needs --data",
    (KEY, "--gan", "full", "--data", "nowhere", "--weights", "w.pt"): "no folder 'nowhere'",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_the_command_refuses_in_one_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["repro", *words, "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert REFUSED[words] in result.output


def test_a_paper_without_networks_names_those_with(own_registry: None) -> None:
    from opcheck.plugin import Claim, paper

    claim = Claim("later", "s", waiting="an experiment")
    paper("plain", source="pethick2023stable", claims=[claim])
    with pytest.raises(OpcheckError, match="plain trains no networks; --gan is for pethick2023"):
        retrain("plain", "small", "nowhere")


@pytest.mark.usefixtures("short")
@pytest.mark.ci
def test_ctrl_c_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def not_drawn(paper: str, figure: PaperFigure, out: Path) -> Redrawn:
        figure.experiment()  # type: ignore[operator]
        return Redrawn(paper, figure.id, "", (out / "a.png",), (), {}, {}, "", "", "", "ours")

    monkeypatch.setattr(training, "redraw", not_drawn)

    def progress(name: str) -> None:
        told.append(name)
        if len(told) == 12 * 2 + 1:  # the mixture is done, the digits have begun
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stop:
        retrain(KEY, "small", tmp_path, progress=progress)
    assert [f.figure for f in stop.value.finished.figures] == [
        "gan_gaussians_outer",
        "gan_gaussians_looking_ahead",
        "gan_gaussians_samples",
        "gan_gaussians_table",
    ]
    result = retrain(KEY, "small", tmp_path, progress=told.append)
    assert {f.figure for f in result.figures} == FIGURES
    # twelve trainings of the mixture and a checkpoint of the digits are not trained again
    assert len(told) == 25 + 5 * 2 - 1


@pytest.mark.ci
def test_without_torch_the_command_says_how_to_install_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from opcheck.cli import main\n"
        f"main(['repro', {KEY!r}, '--gan', 'small', '--out', {str(tmp_path)!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'opcheck[torch]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
