"""What operators of other libraries share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.model.operator import Operator, Vector
from opcheck.watchdog import limited


def interpreted(function: Callable[[Vector], Vector], dim: int, name: str) -> Operator:
    """An operator that is called from Python. It raises OpcheckError for a value of other shape."""

    def kernel(z: Vector, out: Vector, data: Vector) -> None:
        value = function(z)
        if value.shape != out.shape:
            raise OpcheckError(
                f"{name} returns shape {value.shape} for a point of shape {out.shape}"
            )
        out[:] = value

    # what it calls is not opcheck's, and is looked at before it is relied on
    kernel.__module__ = "opcheck_adapted"
    return Operator(kernel, np.empty(0), dim, name, interpreted=True)


def signs(dim: int, ascending: Sequence[int]) -> Vector:
    """1 for each coordinate that descends, −1 for one that ascends.

    Raises OpcheckError for one that there is not.
    """
    sign = np.ones(dim)
    for i in ascending:
        if not 0 <= i < dim:
            raise OpcheckError(f"ascending names the coordinate {i} of {dim}; they count from 0")
        sign[i] = -1.0
    return sign


def called(
    call: Callable[[], Any], what: str, advice: Callable[[str], str] = lambda about: ""
) -> Any:
    """What foreign code returns, within the limit that such code has.

    Args:
        what: is called, for people.
        advice: what to do about an error, by its words.

    Raises OpcheckError with what it raises.
    """
    try:
        with limited(what):
            return call()
    except OpcheckError:
        raise
    except (Exception, SystemExit) as error:
        about = " ".join(registry.raised(error).split())[:300]
        raise OpcheckError(f"{what} raises {about}{advice(about)}") from error
