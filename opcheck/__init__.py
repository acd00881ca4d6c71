"""opcheck: is this convergence statement true, how tight is it, where does it stop being true?

Everything public is here and loads when it is first used, so that importing costs nothing. What
that is, and where, says ``__init__.pyi``, which type checkers read too.
"""

from __future__ import annotations

import functools
import importlib
import re
from pathlib import Path
from typing import Any


def available(kind: str) -> list[str]:
    """Names of one kind: problems, methods, measures, theorems, sets, figures, papers.

    Raises OpcheckError for another kind.
    """
    from opcheck import registry

    return registry.names(kind)


@functools.cache
def _modules() -> dict[str, str]:
    """The module of each public name but those of this file."""
    stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    lines = re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.MULTILINE)
    return {name: module for module, name in lines}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted([*_modules(), "available"])
    if name == "__version__":
        from importlib.metadata import version

        return version("opcheck")
    if name not in _modules():
        raise AttributeError(f"module 'opcheck' has no attribute {name!r}")
    value = getattr(importlib.import_module(_modules()[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__getattr__("__all__"), "__version__"]
