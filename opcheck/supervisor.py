"""What nothing inside of a process can stop is ended from outside of it.

Foreign code may catch every exception, hold the interpreter inside of C, or leave threads behind
that never end. So the command line goes on in a child process, and what began stays as its
supervisor. It knows from a page that both share until when foreign code may run, and ends the child
with a sentence where that does not come back; also where Ctrl-C is not answered.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import sys
import threading
import time
from typing import Any, NoReturn

from opcheck import watchdog

TICK = 0.1  # seconds between two looks
GRACE = 40  # looks after the limit for which an exception may still get through
ANSWER, FINISH = 16, 30  # looks that an interrupted command has to answer, and then to finish
AGAIN = 0.3  # seconds within which a second Ctrl-C is the same: supervisor and terminal send one


def supervise() -> None:
    """Go on in a child process, whose supervisor ends as it ends.

    Where there is no fork, or no limit for foreign code, this process goes on without one; a thread
    then does what can be done from inside.
    """
    if os.environ.get(watchdog.VARIABLE, "").strip() in ("0", "0.0"):
        return
    if not (hasattr(os, "fork") and hasattr(signal, "sigtimedwait")):
        watchdog.watch_from_a_thread()
        return
    page = mmap.mmap(-1, mmap.PAGESIZE)
    alive, held = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    child = os.fork()
    if child:
        os.close(alive)
        _supervise(child, watchdog.Page(page), signals)
    os.close(held)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _Interrupt())
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    watchdog.tell(watchdog.Page(page))
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()


class _Interrupt:
    """Raises KeyboardInterrupt, once for the two signals of one Ctrl-C."""

    def __init__(self) -> None:
        self.last = -AGAIN

    def __call__(self, number: int, frame: Any) -> None:
        before, self.last = self.last, time.monotonic()
        if self.last - before > AGAIN:
            raise KeyboardInterrupt


def _end_with(alive: int) -> None:
    """End this process when its supervisor is gone, which holds the other end of a pipe."""
    os.read(alive, 1)
    watchdog.end(2)


def _supervise(child: int, page: watchdog.Page, signals: set[signal.Signals]) -> NoReturn:
    asked = answered = beyond = 0
    last = 0.0
    while True:
        came = signal.sigtimedwait(signals, TICK)
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _end_as(status)
        if came is not None and came.si_signo != signal.SIGCHLD:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, came.si_signo)
            asked += came.si_signo == signal.SIGINT
            continue
        asked += asked > 0
        answered += page.answered
        if asked > (FINISH + ANSWER if answered else ANSWER):
            _kill(child, "interrupted", 130)
        until = page.until
        # looks are counted, not seconds: a machine that is busy or was suspended makes fewer
        beyond = beyond + 1 if until and until == last and time.monotonic() > until else 0
        last = until
        if beyond > GRACE:
            _kill(child, page.sentence, 2)


def _kill(child: int, sentence: str, code: int) -> NoReturn:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.write(2, f"opcheck: {sentence}\n".encode())
    os._exit(code)


def _end_as(status: int) -> NoReturn:
    """End as the child did, by its exit code or its signal."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):  # SIGKILL has no handler
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))
