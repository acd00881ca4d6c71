"""Images to train on: CIFAR-10 as its authors give it, and the digits of scikit-learn.

An image is a float32 array (channels, height, width) with values in [−1, 1].
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from opcheck import OpcheckError

FOLDER = "cifar-10-batches-py"
TRAINING = tuple(f"data_batch_{i}" for i in range(1, 6))
PIXELS = (3, 32, 32)


def cifar10(folder: str | Path) -> np.ndarray:
    """The training images of a folder in CIFAR-10's original format, shape (n, 3, 32, 32), uint8.

    Args:
        folder: ``cifar-10-batches-py`` with data_batch_1 to data_batch_5, or what that lies in.

    Raises OpcheckError for a folder or file that is missing, which it names, a file that is no such
    pickle or holds more than arrays, texts and numbers, and images of another size.
    """
    place = Path(folder)
    if not place.is_dir():
        raise OpcheckError(
            f"no folder {str(folder)!r}; give --data the folder {FOLDER} of CIFAR-10's python "
            "version"
        )
    if (place / FOLDER).is_dir():
        place = place / FOLDER
    missing = [name for name in TRAINING if not (place / name).is_file()]
    if missing:
        raise OpcheckError(
            f"{str(place)!r} has no {', '.join(missing)}; give --data a folder with all of "
            f"{TRAINING[0]} to {TRAINING[-1]}"
        )
    return np.concatenate([_batch(place / name) for name in TRAINING])


def _batch(file: Path) -> np.ndarray:
    try:
        with file.open("rb") as stream:
            held = _Unpickler(stream, encoding="bytes").load()
    except Exception as error:  # whatever bytes do to a pickle
        raise OpcheckError(
            f"{str(file)!r} is no batch of CIFAR-10's python version ({error}); unpack the archive "
            "again"
        ) from error
    held = held if isinstance(held, dict) else {}
    data = held.get(b"data", held.get("data"))
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.dtype != np.uint8:
        raise OpcheckError(
            f"{str(file)!r} holds no 'data' of bytes, an image a row; unpack the archive again"
        )
    if data.shape[1] != np.prod(PIXELS):
        raise OpcheckError(
            f"{str(file)!r} holds images of {data.shape[1]} bytes; those of CIFAR-10 have "
            f"{np.prod(PIXELS)}, 3 colours of 32 × 32 pixels"
        )
    return data.reshape(-1, *PIXELS)


class _Unpickler(pickle.Unpickler):
    """Reads what a batch is made of, and calls nothing else: a pickle can name any function."""

    def find_class(self, module: str, name: str) -> Any:
        """The object of that name, if arrays and bytes are made of it."""
        array = np.empty(0, np.uint8)
        admitted = {
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            # named in files of numpy 1 and of numpy 2
            ("numpy.core.multiarray", "_reconstruct"): array.__reduce__()[0],
            ("numpy._core.multiarray", "_reconstruct"): array.__reduce__()[0],
            ("_codecs", "encode"): _latin,  # how Python 3 writes bytes for Python 2
        }
        if (module, name) not in admitted:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no batch does")
        return admitted[module, name]


def _latin(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The 1797 digits of 8 × 8 pixels of scikit-learn, shape (n, 1, 8, 8), and what they show.

    Raises OpcheckError where scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise OpcheckError(
            f"the digits come with scikit-learn ({error}); install it with: "
            "pip install 'opcheck[torch]'"
        ) from error
    pixels, shown = load_digits(return_X_y=True)
    return scaled(pixels.reshape(-1, 1, 8, 8), 16), shown.astype(np.int64)


def scaled(pixels: np.ndarray, largest: float = 255) -> np.ndarray:
    """Values from 0 to ``largest`` as float32 from −1 to 1."""
    return (pixels.astype(np.float32) * np.float32(2 / largest)) - np.float32(1)
