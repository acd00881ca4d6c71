"""What others wrote, as operators and methods of opcheck: PyTorch, JAX, optax, CasADi, sympy.

An operator from a function of PyTorch (``from_torch``) or its games of networks
(``from_losses``), of JAX (``from_jax``), from an expression of CasADi (``from_casadi``) or sympy
(``from_sympy``); a method from an optimiser of PyTorch (``torch``) or a transformation of optax
(``optax``), which runs on any problem and which ``check_optimizer`` compares with the library's
methods. Each needs its package when it is first used, and nothing before.
"""

from __future__ import annotations

import importlib
from typing import Any

from opcheck.errors import MissingExtra

# name -> (module, name in it, the package that it needs, the extra that installs that)
NAMES = {
    "from_sympy": ("expressions", "from_sympy", "sympy", ""),
    "from_casadi": ("expressions", "from_casadi", "casadi", "casadi"),
    "from_torch": ("torch_games", "from_torch", "torch", "torch"),
    "from_losses": ("torch_games", "from_losses", "torch", "torch"),
    "from_jax": ("jax_functions", "from_jax", "jax", "jax"),
    "torch": ("torch_steps", "of_torch", "torch", "torch"),
    "optax": ("optax_steps", "of_optax", "optax", "jax"),
    "check_optimizer": ("agreement", "check_optimizer", "", ""),
    "Optimizer": ("game", "Optimizer", "", ""),
    "OptimizerCheck": ("agreement", "OptimizerCheck", "", ""),
}
__all__ = sorted(NAMES)


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module 'opcheck.adapters' has no attribute {name!r}")
    module, inner, package, extra = NAMES[name]
    try:
        if package:
            importlib.import_module(package)
    except ImportError as error:
        raise MissingExtra(
            f"opcheck.adapters.{name} needs {package} ({error}); install it with: "
            f"pip install 'opcheck[{extra}]'"
        ) from error
    value = getattr(importlib.import_module(f"opcheck.adapters.{module}"), inner)
    globals()[name] = value
    return value
