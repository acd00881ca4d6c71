"""An optimiser by the name of what makes it, as ``my_module:make``."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from typing import Any

from opcheck import registry
from opcheck.adapters.game import Optimizer
from opcheck.errors import OpcheckError
from opcheck.watchdog import WAITING, limited


def optimizer_named(
    target: str, *, own_losses: bool = False, options: Mapping[str, Any] = {}
) -> Optimizer:
    """The optimiser that a text names.

    Args:
        target: ``MODULE:NAME`` or ``FILE.py:NAME``, where NAME is a transformation of optax, a
            function without arguments that returns one, or a factory of optimisers of PyTorch.
        own_losses: as for ``opcheck.adapters.torch``.
        options: keywords of a factory.

    Raises OpcheckError for a module or a name that does not exist or fails to import, and for what
    makes no optimiser.
    """
    module, colon, name = target.rpartition(":")
    if not colon or not module or not name:
        raise OpcheckError(
            f"{target!r} names no factory; write MODULE:NAME or FILE.py:NAME, as my_module:make"
        )
    value = _loaded(module)
    for part in name.split("."):
        if not hasattr(value, part):
            defined = [n for n, v in vars(value).items() if callable(v) and not n.startswith("_")]
            raise OpcheckError(
                f"{module} has no {name!r}; it has {', '.join(defined[:8]) or 'no function'}"
            )
        value = getattr(value, part)
    if inspect.isfunction(value) and not inspect.signature(value).parameters:
        value = _called(value, target)
        if not _transforms(value):
            raise OpcheckError(
                f"{target} takes nothing and returns {type(value).__name__}; write def "
                "make(groups): ... for an optimiser, or return a transformation of optax"
            )
    from opcheck import adapters

    optimizer: Optimizer
    if _transforms(value):
        if options or own_losses:
            raise OpcheckError(
                f"{target} is a transformation of optax, which takes no options here; make it with "
                "them"
            )
        optimizer = adapters.optax(value, name=name)
        return optimizer
    if not callable(value):
        raise OpcheckError(
            f"{target} is {type(value).__name__}; give a function make(groups) that returns an "
            "optimiser, or a transformation of optax"
        )
    optimizer = adapters.torch(value, own_losses=own_losses, name=name, **options)
    return optimizer


def _loaded(module: str) -> Any:
    if module.endswith(".py"):
        return registry.load_file(module)
    if os.getcwd() not in sys.path:  # as for python -m
        sys.path.insert(0, os.getcwd())
    try:
        with limited(f"the import of {module}", patience=WAITING):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise OpcheckError(
                f"no module {module!r} here or installed; write FILE.py:NAME for a file"
            ) from None
        raise OpcheckError(f"{module} failed to import: {registry.raised(error)}") from error
    except (Exception, SystemExit) as error:
        raise OpcheckError(f"{module} failed to import: {registry.raised(error)}") from error


def _called(make: Any, target: str) -> Any:
    try:
        with limited(target):
            return make()
    except (Exception, SystemExit) as error:
        raise OpcheckError(f"{target} raises {registry.raised(error)}") from error


def _transforms(value: Any) -> bool:
    """Whether it is a transformation of optax."""
    return callable(getattr(value, "update", None)) and callable(getattr(value, "init", None))
