"""Foreign code that does not come back is stopped: interpreted by a timer, compiled by leaving it.

Interpreted text runs where it is called, under a timer that raises in it. Compiled text can't be
raised in; it runs in a thread of its own, so that the caller can go on, or be interrupted, while it
runs.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

from opcheck.errors import OpcheckError

VARIABLE = "OPCHECK_LIMIT"
LIMIT = 20.0  # seconds that one piece of foreign code may take
AGAIN = 0.5  # seconds after which text that swallowed the first exception meets the next
PATIENCE = 1.0  # seconds that interrupted compiled code is given to come to its next stop

T = TypeVar("T")


class Stopped(BaseException):
    """Raised in foreign text that takes too long; no ``except Exception`` of its own meets it."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in long work; ``finished`` holds what was done before, as its caller gets it."""

    def __init__(self, finished: Any) -> None:
        super().__init__("interrupted")
        self.finished = finished


def limit() -> float:
    """Seconds that one piece of foreign code may take: $OPCHECK_LIMIT, else 20; 0 for no limit.

    Raises OpcheckError where the variable holds no such number.
    """
    setting = os.environ.get(VARIABLE)
    if setting is None:
        return LIMIT
    try:
        seconds = float(setting)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise OpcheckError(f"{VARIABLE} = {setting!r} is no number of seconds; 0 is no limit")
    return seconds


class TooLong(OpcheckError):
    """Foreign code did not come back in time."""


def too_long(what: str, seconds: float) -> TooLong:
    """The sentence about code that was stopped."""
    return TooLong(
        f"{what} did not come back within {seconds:g} s and was stopped; does it loop for ever? "
        f"If it is only slow, set {VARIABLE}={max(1, round(3 * seconds))} (seconds; 0: no limit)"
    )


class Beat:
    """Something that is alive: the timer counts from the last time it was touched."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def touch(self) -> None:
        """It came back."""
        self.last = time.monotonic()


@contextlib.contextmanager
def limited(what: str) -> Iterator[Beat]:
    """Interpreted foreign code that is stopped ``limit()`` seconds after the last beat.

    Args:
        what: the code, as the sentence begins; "" for code that may take as long as it likes.

    Raises OpcheckError where it was stopped. Code inside of C that never returns to Python can't be
    stopped so.
    """
    seconds, beat = limit(), Beat()
    if not seconds or not what:
        yield beat
        return
    timer = _alarm if _can_alarm() else _raised_from_a_thread
    try:
        with timer(beat, seconds):
            yield beat
    except Stopped:
        raise too_long(what, seconds) from None


def _can_alarm() -> bool:
    here = threading.current_thread() is threading.main_thread()
    return here and hasattr(signal, "setitimer")


@contextlib.contextmanager
def _alarm(beat: Beat, seconds: float) -> Iterator[None]:
    """By a signal, which also ends a wait in C; one timer inside another leaves it as it was."""

    def ring(number: int, frame: Any) -> None:
        left = beat.last + seconds - time.monotonic()
        if left > 0:
            signal.setitimer(signal.ITIMER_REAL, left)
            return
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        raise Stopped

    begun = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    before, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if before:
            left = max(before - (time.monotonic() - begun), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


@contextlib.contextmanager
def _raised_from_a_thread(beat: Beat, seconds: float) -> Iterator[None]:
    """By an exception set from another thread: where there are no timers, or not in this thread."""
    import ctypes

    over, target = threading.Event(), threading.get_ident()

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            wait = beat.last + seconds - time.monotonic()
            if wait <= 0:
                wait = AGAIN
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(target), ctypes.py_object(Stopped)
                )

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


_left: list[threading.Thread] = []


def apart(call: Callable[[], T], what: str = "") -> T:
    """The result of compiled code that may hang, in a thread of its own.

    Ctrl-C interrupts the wait for it. What is interrupted, or does not come back in time, goes on
    in its thread until it is done or the process ends.

    Args:
        what: the code, as the sentence begins; "" for code that may take as long as it likes.

    Raises OpcheckError where it takes longer than ``limit()``, and what the code raises.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()  # error states of numpy are kept there

    def work() -> None:
        try:
            results.append(context.run(call))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    seconds = limit() if what else 0.0
    thread.start()
    try:
        thread.join(seconds or None)
    except BaseException:
        with contextlib.suppress(KeyboardInterrupt):
            thread.join(PATIENCE)
        if thread.is_alive():
            _left.append(thread)
        raise
    if thread.is_alive():
        _left.append(thread)
        raise too_long(what, seconds)
    if errors:
        raise errors[0]
    return results[0]


def leave(code: int) -> None:
    """End the process with this code, if compiled code still runs in a thread that was left."""
    import sys

    if any(thread.is_alive() for thread in _left):
        sys.stdout.flush()
        sys.stderr.flush()
        _end(code)


_end = os._exit


def refuse_silent_end() -> None:
    """Let foreign text that ends the process by ``os._exit`` end it with a sentence and code 2.

    A process that it forks may still end so.
    """
    here = os.getpid()

    def end(status: int) -> NoReturn:
        if os.getpid() != here:
            _end(status)
        os.write(2, b"opcheck: the code that was called ended the process by os._exit; mend it\n")
        _end(2)

    os._exit = end
