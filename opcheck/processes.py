"""A pool of processes."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.watchdog import Interrupted, end, watch_from_a_thread

AGAIN = 0.5  # seconds after which a worker looks whether anybody waits for it


def over_processes(
    work: Callable[[str], Any],
    names: Sequence[str],
    jobs: int,
    progress: Callable[[str], None] | None,
) -> list[Any]:
    """``work`` on each name, in order, on so many processes.

    Raises Interrupted, with the results that are there, where Ctrl-C ends it.
    """
    results: dict[str, Any] = {}
    try:
        _fill(results, work, names, jobs, progress)
    except KeyboardInterrupt:
        raise Interrupted([results[name] for name in names if name in results]) from None
    return [results[name] for name in names]


def _fill(
    results: dict[str, Any],
    work: Callable[[str], Any],
    names: Sequence[str],
    jobs: int,
    progress: Callable[[str], None] | None,
) -> None:
    if jobs == 1 or len(names) < 4:
        for name in names:
            results[name] = work(name)
            if progress:
                progress(name)
    else:
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        pool = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
        try:
            for name, result in pool(
                joblib.delayed(_named)(work, name, registry.files()) for name in names
            ):
                results[name] = result
                if progress:
                    progress(name)
        except TerminatedWorkerError:
            raise OpcheckError(
                "a process was ended: by code that did not come back, which is then said above, by "
                "a crash of it, or for memory; --jobs 1 shows where"
            ) from None


@functools.cache
def _end_with_parent() -> None:
    """End this process soon after the one that it works for, which may have been killed.

    Else it would stay for ever where it writes a long result that nobody reads.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(AGAIN)
        end(1)

    threading.Thread(target=watch, daemon=True).start()


def _named(work: Callable[[str], Any], name: str, files: list[str]) -> tuple[str, Any]:
    watch_from_a_thread()
    _end_with_parent()
    for file in files:
        registry.load_file(file)
    return name, work(name)
