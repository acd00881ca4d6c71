"""What this installation consists of, and which part of it does not work."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from opcheck.cli.emit import TOLD, emit, json_option

OPTIONAL = {
    "pytest": "tests",
    "xdist": "pytest -n",
    "torch": "opcheck.torch",
    "jax": "opcheck.adapters.from_jax",
    "optax": "opcheck.adapters.optax",
    "casadi": "opcheck.adapters.from_casadi",
    "pepit": "checks",
}
DISTRIBUTIONS = {"xdist": "pytest-xdist"}
TOOLS = {"pdflatex": "figures with TeX's fonts in a paper", "git": "the version of a record"}


@click.command()
@json_option
def doctor() -> None:
    """Versions, cache, plug-ins and their state, threads, solver, extras.

    Exit code 2 if a plug-in was not loaded, as for any command; the others work all the same.
    """
    click.get_current_context().meta[TOLD] = True
    state = examined()
    emit(state, lines(state))


def examined() -> dict[str, Any]:
    """The state of this installation, as plain data."""
    from opcheck import registry

    return {
        "opcheck": _version("opcheck"),
        "api": registry.API,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "requires": {name: _version(name) or "missing" for name in _required()},
        "extras": {name: _version(DISTRIBUTIONS.get(name, name)) for name in OPTIONAL},
        "tools": {name: shutil.which(name) or "" for name in TOOLS},
        "threads": _threads(),
        "cache": _cache(),
        "solver": _solver(),
        "plugins": [
            {
                "name": source.name,
                "package": source.package,
                "module": source.module,
                "api": source.api,
                "entries": {kind: len(names) for kind, names in source.entries.items()},
                "failures": source.failures,
            }
            for source in registry.plugins()
        ],
        "failures": registry.failures(),
    }


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _required() -> list[str]:
    stated = importlib.metadata.requires("opcheck") or []
    return [re.split(r"[<>=!~\[; ]", r)[0] for r in stated if "extra ==" not in r]


def _threads() -> dict[str, Any]:
    from numba import get_num_threads

    said = {
        n: os.environ[n] for n in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS") if n in os.environ
    }
    return {"cores": len(os.sched_getaffinity(0)), "numba": get_num_threads(), **said}


def _cache() -> dict[str, Any]:
    from opcheck.engine.jit import cache_dir

    folder = cache_dir()
    held = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    there = next(p for p in (folder, *folder.parents) if p.exists())
    return {
        "folder": str(folder),
        "files": len(held),
        "megabytes": round(sum(held) / 2**20, 1),
        "writable": os.access(there, os.W_OK),
    }


def _solver() -> str:
    """What a program of one variable, min x for x ≥ 1, gives: a word on whether that is 1."""
    import clarabel
    import numpy as np
    import scipy.sparse

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    no_curvature, rows = scipy.sparse.csc_matrix((1, 1)), scipy.sparse.csc_matrix([[-1.0]])
    cone = [clarabel.NonnegativeConeT(1)]
    program = (no_curvature, np.ones(1), rows, -np.ones(1))
    solution = clarabel.DefaultSolver(*program, cone, settings).solve()
    good = abs(solution.x[0] - 1) < 1e-6
    return f"clarabel {_version('clarabel')} {'works' if good else f'is wrong: {solution.x[0]}'}"


def lines(state: Mapping[str, Any]) -> Iterator[str]:
    """What people read."""
    yield f"opcheck {state['opcheck']}, plug-in API {state['api']}"
    yield f"Python {state['python']} ({state['executable']}), {state['platform']}"
    yield "requires: " + ", ".join(f"{n} {v}" for n, v in state["requires"].items())
    threads = state["threads"]
    said = "".join(f", {n}={v}" for n, v in threads.items() if n.isupper())
    yield f"threads: {threads['cores']} cores, numba {threads['numba']}{said}"
    cache = state["cache"]
    writable = "" if cache["writable"] else "; it can't be written, so each process compiles anew"
    size = f"{cache['files']} files, {cache['megabytes']:g} MB"
    yield f"cache: {cache['folder']}, {size}{writable} (OPCHECK_CACHE_DIR moves it)"
    yield f"solver: {state['solver']}"
    for name, use in OPTIONAL.items():
        version = state["extras"][name]
        yield f"extra: {name} {version}" if version else f"extra: {name} is not there ({use})"
    for name, use in TOOLS.items():
        yield f"tool: {state['tools'][name] or f'{name} is not there ({use})'}"
    for source in state["plugins"]:
        counts = ", ".join(f"{count} {kind}" for kind, count in source["entries"].items())
        whose = f" of {source['package']}" if source["package"] else ""
        api = "" if source["api"] is None else f", API {source['api']}"
        broken = len(source["failures"])
        what = counts or ("nothing" if not broken else "nothing loaded")
        yield f"plug-in: {source['name']}{whose}{api}: {what}" + (
            f"; {broken} not loaded" if broken else ""
        )
        for sentence in source["failures"]:
            yield f"  {sentence}"
