"""Results that print on one line: their fields, the long ones by what and how many they hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

Class = TypeVar("Class", bound=type)

LONGEST = 200  # characters
FIELD = 40  # characters of one field


def brief(cls: Class) -> Class:
    """A dataclass whose ``repr`` is one line of at most LONGEST characters."""

    def one_line(self: Any) -> str:
        shown = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.repr and not _empty(value):
                shown.append(f"{field.name}={in_short(value)}")
        text = f"{type(self).__name__}({', '.join(shown)})"
        return text if len(text) <= LONGEST else text[: LONGEST - 5] + " ...)"

    cls.__repr__ = one_line  # type: ignore[assignment, method-assign]
    return cls


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | tuple | list | Mapping) and not value)


def in_short(value: Any) -> str:
    """A value of any kind in at most FIELD characters, on one line."""
    if isinstance(value, np.ndarray):
        few = value.ndim == 1 and 0 < value.size <= 4 and value.dtype.kind in "fiu"
        if few:
            return f"[{', '.join(f'{v:.4g}' for v in value.tolist())}]"
        return f"<{' × '.join(map(str, value.shape))} array>"
    if isinstance(value, Mapping):
        numbers = all(isinstance(v, int | float) for v in value.values())
        held = ", ".join(f"{k}: {v:.6g}" if numbers else str(k) for k, v in value.items())
        return f"{{{held}}}" if len(held) <= FIELD else f"<{len(value)} entries>"
    if isinstance(value, list | tuple) and value and not isinstance(value[0], str):
        kind = type(value[0]).__name__
        small = isinstance(value[0], int | float) and len(value) <= 6
        return repr(value) if small else f"<{len(value)} × {kind}>"
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    name = getattr(value, "name", None)
    if dataclasses.is_dataclass(value) and isinstance(name, str):
        return name
    if isinstance(value, float):
        return f"{value:.6g}"
    said = " ".join(repr(value).split())
    return said if len(said) <= FIELD else said[: FIELD - 3] + "..."
