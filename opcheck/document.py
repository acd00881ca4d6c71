"""JSON, as every ``--json`` and every result writes it, and files of it."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opcheck.errors import OpcheckError


def document(value: Any) -> str:
    """One JSON document, of plain data or of results, which have ``as_dict``.

    NaN and ±inf, for which JSON has no number, are null.
    """
    return json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False, default=str)


def write(value: Any, path: str | Path) -> Path:
    """Write one JSON document into a file. Raises OpcheckError where that is not possible."""
    target = Path(path)
    with writing(target):
        target.write_text(document(value) + "\n", encoding="utf-8")
    return target


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """Make the folder of ``target``; turn what the file system refuses into an OpcheckError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OpcheckError(
            f"can't write {str(target)!r}: {error.strerror}; name a folder that can be written"
        ) from error


def _plain(value: Any) -> Any:
    if hasattr(value, "as_dict"):
        return _plain(value.as_dict())
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
