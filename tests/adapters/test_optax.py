"""Transformations of optax, right ones and ones with a fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import good, invoke

import opcheck
from opcheck import adapters
from opcheck.adapters.agreement import check_optimizer
from opcheck.errors import OpcheckError

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

RIGHT: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "sgd": (lambda: optax.sgd(0.1), "gradient_descent_ascent", {"gamma": 0.1}),
    "optimistic": (
        lambda: optax.optimistic_gradient_descent(0.1),
        "forward_reflected_backward",
        {"gamma": 0.1},
    ),
    "momentum": (
        lambda: optax.sgd(0.05, momentum=0.6),
        "complex_momentum",
        {"gamma": 0.05, "beta_re": 0.6, "beta_im": 0.0},
    ),
    "lookahead": (
        lambda: optax.lookahead(optax.sgd(0.1), sync_period=4, slow_step_size=0.5),
        "lookahead(gradient_descent_ascent)",
        {"base.gamma": 0.1, "lam": 0.5, "tau": 4},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_optax_offers_is_what_it_says(name: str) -> None:
    """No number is shown by a transformation: all are fitted to the first steps."""
    make, method, parameters = RIGHT[name]
    before = jax.config.jax_enable_x64
    result = check_optimizer(adapters.optax(make()))
    assert (result.ok, result.reference) == (True, method), result.diagnosis
    assert dict(result.parameters) == parameters
    assert jax.config.jax_enable_x64 == before


def from_zero(lr: float) -> Any:
    """An optimistic gradient whose first previous gradient is 0."""

    def init(params: Any) -> Any:
        return jax.tree.map(jax.numpy.zeros_like, params)

    def update(gradient: Any, past: Any, params: Any = None) -> Any:
        return jax.tree.map(lambda g, h: -lr * (2 * g - h), gradient, past), gradient

    return optax.GradientTransformation(init, update)


def test_a_zero_previous_gradient_is_found() -> None:
    result = check_optimizer(adapters.optax(from_zero(0.1)))
    assert not result.ok
    assert (result.reference, result.parameters) == ("forward_reflected_backward", {"gamma": 0.1})
    assert "a previous F of 0" in result.diagnosis
    assert result.reproduced <= 1e-12


@pytest.mark.slow
def test_a_momentum_that_is_reset_is_told() -> None:
    """reset_state=True is a Lookahead of its own, and not the one of the kernel."""
    base = optax.sgd(0.1, momentum=0.5)
    reset = optax.lookahead(base, sync_period=4, slow_step_size=0.5, reset_state=True)
    result = check_optimizer(adapters.optax(reset), method="lookahead(complex_momentum)")
    assert not result.ok
    assert result.step == 5
    assert "is set to 0 at each synchronisation" in result.diagnosis


def test_adam_is_no_method_of_the_library() -> None:
    result = check_optimizer(adapters.optax(optax.adam(0.01)), method="gradient_descent_ascent")
    assert (result.ok, result.step, result.diagnosis) == (False, 1, "")


def test_a_run_of_optax() -> None:
    ours = adapters.optax(optax.sgd(0.25), name="sgd").run("bilinear", 20)
    theirs = opcheck.run("gradient_descent_ascent", "bilinear", 20, gamma=0.25, iterates=True)
    assert np.abs(ours.iterates - theirs.iterates).max() <= 1e-14
    assert ours.method == "sgd"


def test_the_command_takes_a_transformation_and_what_makes_one(tmp_path: Path) -> None:
    file = tmp_path / "steps_of_optax.py"
    file.write_text(
        "import optax\ntx = optax.sgd(0.5)\ndef make():\n    return optax.sgd(0.5)\n",
        encoding="utf-8",
    )
    for name in ("tx", "make"):
        out = good("check-optimizer", f"{file}:{name}", "--problem", "bilinear")
        assert "gradient_descent_ascent at gamma = 0.5" in out
    done = invoke("check-optimizer", f"{file}:tx", "-p", "lr=0.1")
    assert done.exit_code == 2
    assert "takes no options here" in done.output


def test_what_is_no_transformation() -> None:
    with pytest.raises(OpcheckError, match=r"is int; give an optax\.GradientTransformation"):
        adapters.optax(3)
    broken = optax.GradientTransformation(lambda p: (), lambda g, s, p=None: 1 / 0)
    with pytest.raises(OpcheckError, match=r"step 1 of .* raises ZeroDivisionError"):
        adapters.optax(broken, name="broken").run("bilinear", 3)
    with pytest.raises(OpcheckError, match="takes no projection"):
        adapters.optax(optax.sgd(0.1), name="sgd").run("quad_box", 3)
