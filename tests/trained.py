"""Optimisers of opcheck.torch beside the methods that they are, with their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opcheck.torch import GDA, RAPP, EGPlus, ExtraGradient, Lookahead, OptimisticGradient

PLAIN: dict[str, tuple[Callable[[Any], Any], str, dict[str, Any]]] = {
    "GDA": (lambda g: GDA(g, 0.1), "gradient_descent_ascent", {"gamma": 0.1}),
    "EG": (lambda g: ExtraGradient(g, 0.4), "extragradient", {"gamma": 0.4}),
    "EG+": (lambda g: EGPlus(g, 0.5, alpha=0.7), "eg_plus", {"gamma": 0.5, "alpha": 0.7}),
    "optimistic": (
        lambda g: OptimisticGradient(g, 0.3),
        "forward_reflected_backward",
        {"gamma": 0.3},
    ),
    "RAPP": (lambda g: RAPP(g, 0.9, lam=0.3, tau=4), "rapp", {"gamma": 0.9, "lam": 0.3, "tau": 4}),
    "LA-GDA": (
        lambda g: Lookahead(GDA(g, 0.3), lam=0.5, tau=3),
        "lookahead(gradient_descent_ascent)",
        {"gamma": 0.3, "lam": 0.5, "tau": 3},
    ),
}
