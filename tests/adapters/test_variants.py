"""Texts with one thing changed: what is unchanged is the kernel, and what is changed is not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import opcheck
from opcheck import registry
from opcheck.adapters.variants import changes, deviations, right
from opcheck.engine.pseudo_code import values_of
from opcheck.model.method import Method, resolve

STEPS = 12
PROBLEM = opcheck.problem("tanh_saddle_mixed")
METHODS = [
    name for name in registry.names("methods") if isinstance(registry.get("methods", name), Method)
]


def numbers(method: Method) -> dict[str, float]:
    """One number for each parameter, near those of its reference."""
    values = values_of(method)
    return {n: v[0] if isinstance(v, list) else v for n, v in values.items()}


def points(variant, values):
    with np.errstate(all="ignore"):
        several = variant.points(values, PROBLEM.operator, None, PROBLEM.start)
        return np.array(list(itertools.islice(several, STEPS)))


@pytest.mark.parametrize("name", METHODS)
def test_an_unchanged_text_is_the_kernel(name: str) -> None:
    method = resolve(name)
    values = numbers(method)
    run = opcheck.run(method, PROBLEM, STEPS, iterates=True, **values)
    (unchanged, *_) = right(method)
    if method.shadow:  # z itself, which is what the kernel says
        unchanged = next(v for v in deviations(method) if v.returns == "z")
    assert np.allclose(points(unchanged, values), run.iterates[1:], rtol=1e-12, atol=1e-14)


def test_a_text_is_changed_in_every_kind_of_place() -> None:
    words = [w for w, *_ in changes(resolve("forward_reflected_backward").kernel)]
    for kind in (
        "the previous F z (past) starts at 0",
        "F is taken at Fz and not at z",
        "the step is taken from Fz and not from z",
        "the step is taken from Fz and not from z, in `axpy(z, z, gamma, past)`, for the ascending",
        "the sign of gamma is lost",
        "the factor 2 of -2 * gamma is lost",
        "`copy(past, Fz)` is left out",
        "past and Fz are one tensor",
    ):
        assert any(w.startswith(kind) for w in words), kind


def test_most_changes_change_the_steps() -> None:
    """On a nonlinear problem; what does not is of a row that is overwritten, or of J."""
    for name in ("extragradient", "forward_reflected_backward", "anchored_gradient"):
        method = resolve(name)
        values = numbers(method)
        plain = points(right(method)[0], values)
        several = deviations(method)
        differ = [not np.array_equal(points(v, values), plain) for v in several]
        assert sum(differ) > 0.7 * len(several)


def test_a_method_over_another_has_the_deviations_of_both() -> None:
    over = registry.get("methods", "lookahead")
    base = resolve("complex_momentum")
    words = [v.words for v in deviations(over(base), over, base)]
    assert any("the memory of complex_momentum (re, im) is multiplied by λ" in w for w in words)
    assert any("the slow point moves along with z" in w for w in words)
    assert any(w.endswith("in complex_momentum") for w in words)
