"""What a piece of work may cost: calls of F, time and memory.

Calls and time are allotted, one allotment inside another. An allotment is known to all that runs
inside of it, so that a search far down can stop in time without every caller between handing it on.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

FREE = float("inf")


@dataclass
class Budget:
    """An allotment.

    Attributes:
        calls: of F that may be made, inf for any number.
        until: when to stop, as ``time.monotonic`` counts; inf for never.
        used: calls of F so far.
        outer: the allotment that this one is part of.
    """

    calls: float = FREE
    until: float = FREE
    used: float = 0.0
    outer: Budget | None = None

    @property
    def left(self) -> float:
        """Calls of F that may still be made."""
        return max(self.calls - self.used, 0.0)

    @property
    def over(self) -> bool:
        """Whether calls or time are used up."""
        return self.used >= self.calls or self.late

    @property
    def late(self) -> bool:
        """Whether time is used up."""
        return self.until < FREE and time.monotonic() > self.until

    def spend(self, calls: float) -> None:
        """Count calls of F here and in what this is part of."""
        self.used += calls
        if self.outer is not None:
            self.outer.spend(calls)


_here: contextvars.ContextVar[Budget | None] = contextvars.ContextVar("budget", default=None)
_NONE = Budget()


def budget() -> Budget:
    """The innermost allotment; one without limits where there is none."""
    return _here.get() or _NONE


@contextlib.contextmanager
def allotted(calls: float = FREE, seconds: float = FREE) -> Iterator[Budget]:
    """An allotment of so many calls and seconds, and of no more than is left of the outer one."""
    outer = budget()
    until = time.monotonic() + seconds if seconds < FREE else FREE
    here = Budget(min(calls, outer.left), min(until, outer.until), outer=outer)
    token = _here.set(here)
    try:
        yield here
    finally:
        _here.reset(token)


@contextlib.contextmanager
def uncounted() -> Iterator[None]:
    """For calls of an F that stands for the one whose calls are counted; time still runs."""
    token = _here.set(Budget(until=budget().until))
    try:
        yield
    finally:
        _here.reset(token)


def share(of: int) -> contextlib.AbstractContextManager[Budget]:
    """One of so many equal parts of what is left, of calls and of time."""
    here = budget()
    seconds = max(here.until - time.monotonic(), 0.0) if here.until < FREE else FREE
    return allotted(here.left / of, seconds / of)


def available() -> float:
    """Bytes of memory that are free on this machine."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return 2e9
