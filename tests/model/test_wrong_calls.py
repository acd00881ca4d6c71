"""Wrong calls of what makes operators and problems: one sentence, with the nearest name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import opcheck
from opcheck import OpcheckError

TURN = opcheck.linear([[0.0, 1.0], [-1.0, 0.0]])
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "linear": (lambda: opcheck.linear(np.eye(2), offsett=[1, 2]), "did you mean 'offset'?"),
    "a symbol": (lambda: opcheck.linear([["beta", 0], [0, 1]], beta=1, betta=2), "'beta'?"),
    "minmax": (lambda: opcheck.minmax("a*x*y", a=1, foo=2), "no formula has a symbol 'foo'"),
    "payof": (lambda: opcheck.minmax(payof="x*y"), "did you mean 'payoff'?"),
    "field": (lambda: opcheck.field(["x"], "x", variable="y"), "did you mean 'variables'?"),
    "gradient": (lambda: opcheck.gradient("c*x**2", c=1, C=2), "did you mean 'c'?"),
    "Problem": (lambda: opcheck.Problem(TURN, strat=np.ones(2)), "did you mean 'start'?"),
    "Region": (lambda: opcheck.Region(raduis=2), "did you mean 'radius'?"),
    "Resolvent": (lambda: opcheck.Resolvent(kernal=None), "did you mean 'kernel'?"),
    "a class of operators": (
        lambda: opcheck.theorem(
            "wrong2026_call",
            method="extragradient",
            given=[opcheck.Monotone],  # without ()
            where="0 < gamma < 1",
            measure="residual",
            bound="R**2",
            source=opcheck.Source("wrong2026"),
        ),
        "given holds Monotone; write given=[Lipschitz('L', of='F'), Monotone(of='F')]",
    ),
    "a power": (lambda: opcheck.minmax("x^2*y"), "a power is written **"),
    "a power of a field": (lambda: opcheck.field(["x^2"], "x"), "a power is written **"),
    "a power in a text": (lambda: opcheck.check("x^2*y"), "a power is written **"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_one_sentence(name: str) -> None:
    call, said = WRONG[name]
    with pytest.raises(OpcheckError) as raised:
        call()
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
