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
WAITING = 4.0  # times as long an import may take, where it waits and does not compute
AGAIN = 0.5  # seconds after which text that swallowed the first exception meets the next
LEFT = 4.0  # seconds that it then has before its process is ended, where nothing else can stop it
LEFT_BEHIND = (
    "the code that was called started threads that do not end; they were ended with the process"
)
PATIENCE = 1.0  # seconds that interrupted compiled code is given to come to its next stop

T = TypeVar("T")


class Stopped(BaseException):
    """Raised in foreign text that takes too long; no ``except Exception`` of its own meets it."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in long work; ``finished`` holds what was done before, as its caller gets it."""

    def __init__(self, finished: Any) -> None:
        super().__init__("interrupted")
        self.finished = finished
        answer()


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
    return TooLong(_sentence(what, seconds))


def _sentence(what: str, seconds: float) -> str:
    return (
        f"{what} did not come back within {seconds:g} s and was stopped; does it loop for ever? "
        f"If it is only slow, set {VARIABLE}={max(1, round(3 * seconds))} (seconds; 0: no limit)"
    )


class Page:
    """What a process says of its foreign code to whom watches over it.

    Attributes:
        memory: at least 1024 bytes, which may be shared with another process.
    """

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        self.numbers = memoryview(memory)[:16].cast("d")

    @property
    def until(self) -> float:
        """When foreign code is to be back, as ``time.monotonic`` counts; 0 where none runs."""
        return float(self.numbers[0])

    @property
    def answered(self) -> bool:
        """Whether an interrupt has come to where results are kept."""
        return bool(self.numbers[1])

    @property
    def sentence(self) -> str:
        """What is to be said where it does not come back."""
        return bytes(self.memory[16:1024]).rstrip(b"\0").decode(errors="ignore")

    def expect(self, until: float, sentence: str) -> tuple[float, str]:
        """Say when code is to be back, and what where it is not; what was said before."""
        before = self.until, self.sentence
        self.numbers[0] = 0.0
        self.memory[16:1024] = sentence.encode()[:1008].ljust(1008, b"\0")
        self.numbers[0] = until
        return before

    def answer(self) -> None:
        """Say that an interrupt has come to where results are kept."""
        self.numbers[1] = 1.0


_page: Page | None = None


def tell(page: Page) -> None:
    """Tell a page of all foreign code from now on."""
    global _page
    _page = page


def answer() -> None:
    """An interrupt has come to where results are kept: what is there will be shown."""
    if _page is not None:
        _page.answer()


def watch_from_a_thread() -> None:
    """End this process where foreign code in it does not come back, as far as a thread can."""
    if _page is not None:
        return
    page = Page(bytearray(1024))
    tell(page)

    def watch() -> None:
        while True:
            time.sleep(AGAIN)
            if page.until and time.monotonic() > page.until + LEFT:
                os.write(2, f"opcheck: {page.sentence}\n".encode())
                end(2)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _told(what: str, beat: Beat, seconds: float) -> Iterator[None]:
    page = _page
    if page is None:
        yield
        return
    before = page.expect(beat.last + seconds, _sentence(what, seconds))
    beat.until = page, seconds
    try:
        yield
    finally:
        beat.until = None
        page.expect(*before)


class Beat:
    """Something that is alive: the timer counts from the last time it was touched."""

    def __init__(self) -> None:
        self.last, self.computed = time.monotonic(), time.process_time()
        self.until: tuple[Page, float] | None = None

    def touch(self) -> None:
        """It came back."""
        self.last, self.computed = time.monotonic(), time.process_time()
        if self.until is not None:
            page, seconds = self.until
            page.numbers[0] = self.last + seconds

    def left(self, seconds: float, patience: float) -> float:
        """Seconds that it still has, of the clock and, where it may wait, of computing."""
        left = self.last + patience * seconds - time.monotonic()
        if patience > 1:
            left = min(left, self.computed + seconds - time.process_time())
        return left


@contextlib.contextmanager
def limited(what: str, *, patience: float = 1.0) -> Iterator[Beat]:
    """Interpreted foreign code that is stopped ``limit()`` seconds after the last beat.

    Args:
        what: the code, as the sentence begins; "" for code that may take as long as it likes.
        patience: by what factor it may take longer while it waits for a disk or other programs; it
            then may compute for ``limit()`` seconds.

    Raises OpcheckError where it was stopped. Code inside of C that never returns to Python can't be
    stopped so.
    """
    seconds, beat = limit(), Beat()
    if not seconds or not what:
        yield beat
        return
    timer = _alarm if _can_alarm() else _raised_from_a_thread
    try:
        with _told(what, beat, patience * seconds), timer(beat, seconds, patience):
            yield beat
    except Stopped:
        raise too_long(what, seconds) from None


def _can_alarm() -> bool:
    here = threading.current_thread() is threading.main_thread()
    return here and hasattr(signal, "setitimer")


@contextlib.contextmanager
def _alarm(beat: Beat, seconds: float, patience: float) -> Iterator[None]:
    """By a signal, which also ends a wait in C; one timer inside another leaves it as it was."""

    def ring(number: int, frame: Any) -> None:
        left = beat.left(seconds, patience)
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
def _raised_from_a_thread(beat: Beat, seconds: float, patience: float) -> Iterator[None]:
    """By an exception set from another thread: where there are no timers, or not in this thread."""
    import ctypes

    over, target = threading.Event(), threading.get_ident()

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            wait = beat.left(seconds, patience)
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
        with _told(what, Beat(), seconds) if seconds else contextlib.nullcontext():
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
    """End the process with this code, if compiled code still runs in a thread that was left.

    Threads that foreign code has started are waited for, but not for ever.
    """
    import sys

    if any(thread.is_alive() for thread in _left):
        sys.stdout.flush()
        sys.stderr.flush()
        end(code)
    others = [t for t in threading.enumerate() if t is not threading.main_thread()]
    # that of a pool of processes ends with them, which on a busy machine takes its time
    others = [t for t in others if not type(t).__module__.startswith("joblib.")]
    if _page is not None and any(not thread.daemon for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        _page.expect(time.monotonic(), LEFT_BEHIND)


end = os._exit


def refuse_silent_end() -> None:
    """Let foreign text that ends the process by ``os._exit`` end it with a sentence and code 2.

    A process that it forks may still end so.
    """
    here = os.getpid()

    def refused(status: int) -> NoReturn:
        if os.getpid() != here:
            end(status)
        os.write(2, b"opcheck: the code that was called ended the process by os._exit; mend it\n")
        end(2)

    os._exit = refused
