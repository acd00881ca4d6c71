"""A limit on what a test may take, for what must not hang."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def within(seconds: int, what: Any = "it") -> Iterator[None]:
    """Raise TimeoutError in what is not done within so many seconds."""

    def ring(*_: Any) -> None:
        raise TimeoutError(f"{what} is not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
