"""JSON, as every ``--json`` and every report writes it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def document(value: Any) -> str:
    """One JSON document, of plain data or of results, which have ``as_dict``.

    NaN and ±inf, for which JSON has no number, are null.
    """
    return json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False, default=str)


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
