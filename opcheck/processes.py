"""A pool of processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.watchdog import Interrupted, watch_from_a_thread


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


def _named(work: Callable[[str], Any], name: str, files: list[str]) -> tuple[str, Any]:
    watch_from_a_thread()
    for file in files:
        registry.load_file(file)
    return name, work(name)
