"""One call of an operator's or a resolvent's text, interpreted, on fresh arrays, and looked at."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from opcheck.errors import OpcheckError
from opcheck.model.operator import Resolvent, Vector
from opcheck.model.problem import Problem
from opcheck.watchdog import limited

Kernel = Callable[..., Any]


@dataclass(frozen=True)
class Text:
    """A kernel(z, ..., out, data), and how it is spoken of.

    Attributes:
        subject: as in ``the operator of 'mine'``.
        takes: its arguments, as they are to be written.
    """

    subject: str
    kernel: Kernel
    data: Vector
    takes: str

    def signature(self) -> None:
        """Raises OpcheckError where the text takes another number of arguments."""
        try:
            signature = inspect.signature(self.kernel)
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*self.takes.split(", "))
        except TypeError:
            raise OpcheckError(
                f"{self.subject} takes {len(signature.parameters)} arguments; write it as "
                f"f({self.takes})"
            ) from None

    def call(self, z: Vector, *between: float, fill: float = 0.0) -> Vector:
        """What the text writes at z, shape (d,), into an array that holds ``fill``.

        Raises OpcheckError if it raises, returns something, writes complex numbers, or changes its
        input or data.
        """
        point, data, out = z.copy(), self.data.copy(), np.full(z.size, fill)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                with limited(f"{self.subject} at {z.tolist()}"):
                    returned = self.kernel(point, *between, out, data)
        except OpcheckError:
            raise
        except np.exceptions.ComplexWarning:
            raise OpcheckError(
                f"{self.subject} has complex values at {z.tolist()}; take real and imaginary "
                "parts as coordinates"
            ) from None
        except (Exception, SystemExit) as error:
            raise self.blame(error, z) from error
        if returned is not None:
            raise OpcheckError(
                f"{self.subject} returns its value; it is f({self.takes}) and writes to out"
            )
        if not np.array_equal(point, z):
            raise OpcheckError(f"{self.subject} changes its input z; write to a copy of it")
        if not np.array_equal(data, self.data, equal_nan=True):
            raise OpcheckError(f"{self.subject} changes its data; data is read-only")
        return out

    def settled(self, z: Vector, *between: float) -> Vector:
        """The same value twice, finite. Raises OpcheckError where it is not."""
        value = self.written(z, *between)
        self.finite(z, value)
        return value

    def finite(self, z: Vector, value: Vector) -> None:
        """Raises OpcheckError for a value at z that is not finite."""
        if not np.isfinite(value).all():
            raise OpcheckError(
                f"{self.subject} returns {value.tolist()} at {z.tolist()}; it must be finite there"
            )

    def written(self, z: Vector, *between: float) -> Vector:
        """The same value twice, in every entry. Raises OpcheckError where it is not."""
        return self.timed(z, *between)[0]

    def timed(self, z: Vector, *between: float) -> tuple[Vector, float]:
        """What ``written`` gives, and seconds of the shorter call: the first may import things."""
        begun = time.monotonic()
        first = self.call(z, *between)
        middle = time.monotonic()
        second = self.call(z, *between, fill=1.0)
        seconds = min(middle - begun, time.monotonic() - middle)
        if not np.array_equal(first, second, equal_nan=True):
            again = self.call(z, *between)
            if np.array_equal(first, again, equal_nan=True):
                raise OpcheckError(
                    f"{self.subject} leaves entries of out unset or adds to what is there; write "
                    "every out[i]"
                )
            raise OpcheckError(
                f"{self.subject} is not deterministic: at {z.tolist()} it returns "
                f"{first.tolist()} and then {again.tolist()}; draw noise outside of it"
            )
        return first, seconds

    def blame(self, error: BaseException, z: Vector | None = None) -> OpcheckError:
        """What the text raised, at z or somewhere in a compiled run, as an error that names it."""
        at = "in the run" if z is None else f"at {z.tolist()}"
        if isinstance(error, IndexError):
            size = "" if z is None else f"z and out have {z.size} entries, "
            return OpcheckError(
                f"{self.subject} reads or writes past an array {at}: {error}; "
                f"{size}data {self.data.size}"
            )
        return OpcheckError(f"{self.subject} raises {type(error).__name__} {at}: {error}")

    def watched(self) -> Kernel:
        """The text with inputs that are read-only, as the compiled signature has them."""

        def kernel(z: Vector, *rest: Any) -> None:
            *between, out, data = rest
            # a resolvent may be asked to write to where it reads
            point, constants = z.view(), data.view()
            point.flags.writeable = constants.flags.writeable = False
            try:
                self.kernel(point, *between, out, constants)
            except OpcheckError:
                raise
            except (Exception, SystemExit) as error:
                raise self.blame(error, z) from error

        return kernel


def text_of(problem: Problem) -> Text:
    """The operator's."""
    op = problem.operator
    return Text(f"the operator of {problem.name!r}", op.kernel, op.data, "z, out, data")


def text_of_resolvent(resolvent: Resolvent) -> Text:
    """The resolvent's."""
    return Text(
        f"the resolvent of A = {resolvent.name}",
        resolvent.kernel,
        resolvent.data,
        "z, gamma, out, data",
    )
