"""The one way in: every operator, set, method, measure, theorem, figure and paper.

A package offers its own through the entry-point group ``opcheck.plugins``: an entry point names a
module, and importing it registers what it holds. opcheck's own methods and the three packs beside
it come the same way.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import site
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from opcheck import arguments
from opcheck.errors import OpcheckError
from opcheck.watchdog import WAITING, limited

KINDS = ("problems", "methods", "measures", "theorems", "sets", "figures", "papers")

_entries: dict[str, dict[str, tuple[Any, str]]] = {kind: {} for kind in KINDS}
_failures: list[str] = []
_sources: list[PlugIn] = []
_at_fault: dict[str, PlugIn] = {}  # of a sentence
_importing_from: PlugIn | None = None
_loaded = False
_loading = 0  # how many modules are being imported
_plugins = False  # whether those of the installed packages are
GROUP, OWN = "opcheck.plugins", "opcheck"
NAMED = "OPCHECK_PLUGINS"  # the environment's list of files and modules, as PATH is one
API = 1  # of what a plug-in may import; one that says OPCHECK_API = another number is not imported
STATED = "OPCHECK_API"
_waiting: list[tuple[str, str, Callable[[], None]]] = []


@dataclass(frozen=True)
class PlugIn:
    """Where entries came from.

    Attributes:
        name: of the entry point, or the file or module that was named.
        package: distribution and its version; "" for what was only named.
        module: what was imported, or the file.
        folder: what its entries' places begin with; "" where it was not found.
        api: that it says it was written for; None where it says nothing.
    """

    name: str
    package: str
    module: str
    folder: str
    api: int | None

    @property
    def entries(self) -> dict[str, list[str]]:
        """Names that it registered, by kind."""
        return {
            kind: names
            for kind, table in _entries.items()
            if (names := sorted(n for n, (_, place) in table.items() if self.holds(place)))
        }

    def holds(self, place: str) -> bool:
        """Whether something written there, file and line, is of this plug-in."""
        return bool(self.folder) and place.startswith(self.folder)

    @property
    def failures(self) -> list[str]:
        """A sentence for each thing of it that was not loaded."""
        return [sentence for sentence in _failures if _at_fault.get(sentence) == self]


def plugins() -> list[PlugIn]:
    """Every plug-in that was looked for, opcheck's own first, then in the order of loading."""
    load()
    return list(_sources)


def register(kind: str, name: str, value: Any, place: str) -> None:
    """Enter ``value`` under ``name``; ``place`` says where it was written (file and line).

    opcheck's own names are there before any other's. Where a plug-in takes a name that is taken,
    that entry alone is left out, and said to be. Raises OpcheckError if anything else does, and for
    a name that is none: files are called by it.
    """
    if not name.isidentifier():
        raise OpcheckError(
            f"{name!r} at {place} is no name: letters, digits and _ make one, as lieder2021_halpern"
        )
    if not _loading and not is_own(place):
        load()
    table = _entries[kind]
    if name in table and table[name][1] != place:
        sentence = (
            f"two {kind} are named {name!r}: one at {table[name][1]}, another at {place}; "
            "rename one of them"
        )
        if _plugins:
            _fail(f"{sentence}, which is left out")
            return
        raise OpcheckError(sentence)
    table[name] = (value, place)


def _of_own(entry: importlib.metadata.EntryPoint) -> bool:
    return entry.dist is not None and entry.dist.name == OWN


@functools.cache
def _own_folders() -> tuple[str, ...]:
    entries = filter(_of_own, importlib.metadata.entry_points(group=GROUP))
    modules = {OWN, *(entry.module.partition(".")[0] for entry in entries)}
    specs = [importlib.util.find_spec(name) for name in sorted(modules)]
    return tuple(f for s in specs if s for f in s.submodule_search_locations or ())


def is_own(place: str) -> bool:
    """Whether what was written there, file and line, comes with opcheck or one of its packs."""
    return place.startswith(_own_folders())


def entered(kind: str) -> Mapping[str, Any]:
    """What is registered so far, by name, without loading anything."""
    return {name: value for name, (value, _) in _entries[kind].items()}


def _fail(sentence: str, source: PlugIn | None = None) -> None:
    """Record what was not loaded, once."""
    if sentence not in _failures:
        _failures.append(sentence)
        if (at_fault := source or _importing_from) is not None:
            _at_fault[sentence] = at_fault


def check_when_loaded(kind: str, name: str, check: Callable[[], None]) -> None:
    """Check an entry now or, while modules are being imported, when all of them are there.

    An entry that fails is taken out again. What it speaks of may thus be registered after it.

    Raises what ``check`` raises, if nothing is being imported.
    """
    _waiting.append((kind, name, check))
    if not _loading:
        for error in _settle():
            raise error


def _settle() -> list[OpcheckError]:
    """Run the checks that wait; what they raised."""
    waiting, _waiting[:] = list(_waiting), []
    errors = []
    for kind, name, check in waiting:
        try:
            check()
        except OpcheckError as error:
            _, place = _entries[kind].pop(name, (None, ""))
            errors.append(error)
            source = next((s for s in _sources if place and s.holds(place)), None)
            if source is not None:
                _at_fault[str(error)] = source
    return errors


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    global _loading
    _loading += 1
    waiting = len(_waiting)
    try:
        yield
    except BaseException:
        del _waiting[waiting:]
        raise
    finally:
        _loading -= 1


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[None]:
    """What lies beside a file can be imported by it: first while it loads, later after the rest."""
    folder = str(file.parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)


def place_of(function: Any) -> str:
    """File and line of a function, as error messages show them."""
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)


def caller(depth: int = 2) -> str:
    """File and line of the statement that called the caller of this function."""
    frame = sys._getframe(depth)
    while frame.f_code.co_filename == arguments.__file__ and frame.f_back is not None:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def names(kind: str) -> list[str]:
    """Sorted names of one kind (see KINDS). Raises OpcheckError for an unknown kind."""
    return sorted(_table(kind))


def get(kind: str, name: str) -> Any:
    """The registered object. Raises OpcheckError with the nearest name for an unknown one."""
    table = _table(kind)
    if name not in table:
        near = difflib.get_close_matches(name, table, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"'opcheck list {kind}' shows them"
        broken = f" (not loaded: {'; '.join(_failures)})" if _failures else ""
        raise OpcheckError(f"no {kind[:-1]} is named {name!r}; {hint}{broken}")
    return table[name][0]


def place(kind: str, name: str) -> str:
    """Where the object was written: file and line."""
    return _table(kind)[name][1]


def find(name: str) -> list[tuple[str, Any]]:
    """Every (kind, object) of that name. Raises OpcheckError if there is none."""
    entries = [(kind, _table(kind)[name][0]) for kind in KINDS if name in _table(kind)]
    if not entries:
        everything = {n for kind in KINDS for n in _table(kind)}
        near = difflib.get_close_matches(name, everything, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else "'opcheck list' shows every name"
        raise OpcheckError(f"nothing is named {name!r}; {hint}")
    return entries


def failures() -> list[str]:
    """One sentence for each plug-in that could not be loaded."""
    load()
    return list(_failures)


def load() -> None:
    """Import every plug-in once, opcheck's own first.

    A module that fails is recorded, and the others of its package are imported all the same.
    """
    global _loaded, _plugins
    if _loaded:
        return
    _loaded = _plugins = True
    entries = importlib.metadata.entry_points(group=GROUP)
    try:
        for entry in sorted(entries, key=lambda e: not _of_own(e)):
            source = _of_entry(entry)
            _sources.append(source)
            _import_whole(source, _of_own(entry))
        _failures.extend(str(error) for error in _settle())
        for name in filter(None, os.environ.get(NAMED, "").split(os.pathsep)):
            source = _of_name(name)
            _sources.append(source)
            _import_whole(source)
        _failures.extend(str(error) for error in _settle())
    finally:
        _plugins = False


def _of_entry(entry: importlib.metadata.EntryPoint) -> PlugIn:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "?"
    # of a stranger's the root, since to look for a module in a package is to import the package
    folder, api = _read(entry.module if _of_own(entry) else entry.module.partition(".")[0])
    return PlugIn(entry.name, package, entry.value, folder, api)


def _of_name(name: str) -> PlugIn:
    """A file or a module that somebody named."""
    if _is_file(name):
        path = Path(name).resolve()
        return PlugIn(name, "", str(path), f"{path}:", _api_in(path))
    folder, api = _read(name.partition(".")[0])
    return PlugIn(name, "", name, folder, api)


def _spec(module: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None


def _is_file(name: str) -> bool:
    return name.endswith(".py") or os.sep in name


def _read(module: str) -> tuple[str, int | None]:
    """What places in a module begin with, and the API that it states, without running it."""
    spec = _spec(module)
    if spec is None or spec.origin is None:
        return "", None
    origin = Path(spec.origin)
    folder = f"{origin.parent}{os.sep}" if spec.submodule_search_locations else f"{origin}:"
    return folder, _api_in(origin)


def _api_in(path: Path) -> int | None:
    """The number in a line ``OPCHECK_API = 1`` of a file; None where there is none."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None  # its import says why
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            targets = [t.id for t in node.targets if isinstance(t, ast.Name)]
            if STATED in targets and isinstance(node.value.value, int):
                return node.value.value
    return None


def _import_whole(source: PlugIn, own: bool = False) -> None:
    """Import a plug-in and what lies in it; what fails is recorded."""
    global _importing_from
    before, _importing_from = _importing_from, source
    try:
        if source.api not in (None, API):
            fits = "a newer opcheck" if (source.api or 0) > API else "a newer version of it"
            _fail(
                f"plug-in {source.name!r} {_said(source)} was written for API {source.api} of "
                f"opcheck, and this is {API}: it was not imported; install {fits}"
            )
        elif not source.package and _is_file(source.name):
            try:
                load_file(source.module)
            except OpcheckError as error:
                _fail(f"plug-in {source.name!r} was not loaded: {error}")
        else:
            module = _imported(source, source.module, _importer(source.module), own)
            if module is not None:
                _import_submodules(source, module, own)
    finally:
        _importing_from = before


def _importer(module: str) -> Callable[[], Any]:
    """Imports ``module``, or ``module:attribute``."""
    name, _, attributes = module.partition(":")

    def load_module() -> Any:
        value = importlib.import_module(name)
        for part in filter(None, attributes.split(".")):
            value = getattr(value, part)
        return value

    return load_module


def _said(source: PlugIn) -> str:
    package = source.package.rpartition(" ")[0] or source.package
    return f"of package {package!r} ({source.module})" if source.package else f"({source.module})"


def _imported(source: PlugIn, name: str, load_module: Callable[[], Any], own: bool) -> Any | None:
    """A module of a plug-in; None where it failed, which is recorded once for each reason."""
    what = f"plug-in {source.name!r} {_said(replace(source, module=name))}"
    try:
        with _importing(), limited("" if own else what, patience=WAITING):
            return load_module()
    except (Exception, SystemExit) as error:
        # what imports a module that failed fails by the same line
        reason = f"failed to import: {raised(error)}"
        if type(error) is OpcheckError:
            _fail(str(error))
        elif not any(sentence.endswith(reason) for sentence in _failures):
            _fail(f"{what} {reason}")
    return None


def _import_submodules(source: PlugIn, package: Any, own: bool) -> None:
    """Import what lies in a package, so that a file put there needs no list to name it.

    Left out are names that begin with an underscore: who needs such a module imports it.
    """
    for info in pkgutil.iter_modules(getattr(package, "__path__", ()), package.__name__ + "."):
        if info.name.rpartition(".")[2].startswith("_"):
            continue
        module = _imported(source, info.name, _importer(info.name), own)
        if module is not None and info.ispkg:
            _import_submodules(source, module, own)


def load_plugin(name: str) -> PlugIn:
    """Load a file or a module now, after all others.

    Raises OpcheckError with the first sentence of what could not be loaded.
    """
    global _plugins
    load()
    source = _of_name(name)
    for known in _sources:  # also by the name of its entry point
        if known.module == source.module:
            return known
    before, _plugins = len(_failures), True
    try:
        _import_whole(source)
        _failures.extend(str(error) for error in _settle())
    finally:
        _plugins = False
    if len(_failures) > before:
        sentence = _failures[before]
        del _failures[before:]
        raise OpcheckError(sentence)
    _sources.append(source)
    return source


@contextlib.contextmanager
def forgetting() -> Iterator[None]:
    """What is registered, or loaded from files, within is forgotten afterwards."""
    load()
    entries = {kind: dict(table) for kind, table in _entries.items()}
    sources, failed, files = list(_sources), list(_failures), set(sys.modules)
    try:
        yield
    finally:
        _entries.update(entries)
        _sources[:], _failures[:] = sources, failed
        for name in [n for n in sys.modules if n.startswith("opcheck_file_") and n not in files]:
            del sys.modules[name]


def entries_of(target: str) -> list[tuple[str, str]]:
    """(kind, name) of what is named so, or of all that a file or a module registers.

    Args:
        target: a registered name, ``FILE.py``, ``FILE.py:NAME``, or the dotted name of a module.

    Raises OpcheckError where there is no such thing, or it fails to load.
    """
    load()
    if any(target in table for table in _entries.values()):
        return [(kind, target) for kind, table in _entries.items() if target in table]
    path, colon, name = target.partition(".py:")
    if not colon and not _is_file(target) and _spec(target) is None:
        find(target)  # which says what may have been meant
    source = load_plugin(f"{path}.py" if colon else target)
    if source.failures:  # what is missing would be missed by nobody
        raise OpcheckError(source.failures[0])
    entries = [(kind, n) for kind, names in source.entries.items() for n in names]
    if not colon:
        return entries
    if not (asked := [e for e in entries if e[1] == name]):
        has = ", ".join(n for _, n in entries) or "none"
        raise OpcheckError(f"{Path(path).name}.py registers no {name!r}; it has {has}")
    return asked


def raised(error: BaseException) -> str:
    """What was raised, and by which line of a foreign file: ``TypeError: ... (mine.py, line 4)``.

    No line where opcheck raised it, or nothing but opcheck and installed packages was running.
    """
    skipped = (*_own_folders(), *site.getsitepackages(), os.path.dirname(os.__file__))
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith((*skipped, "<frozen"))]
    at = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {error}{at}"


def load_file(path: str | Path) -> Any:
    """Import a user's file under a name derived from its path.

    Raises OpcheckError if there is no such file or if it fails to import.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise OpcheckError(f"no file {str(path)!r}; give the path of a Python file")
    name = f"opcheck_file_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:8]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            with _importing(), _beside(file), limited(f"the import of {path}", patience=WAITING):
                spec.loader.exec_module(module)
            for error in _settle():
                raise error
        except OpcheckError:
            del sys.modules[name]
            raise
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            raise OpcheckError(
                f"{path} failed to import: {raised(error)}; mend the file"
            ) from error
    return sys.modules[name]


def in_file(kind: str, reference: str) -> list[str]:
    """Names that a user's ``FILE.py`` registers, or the one of ``FILE.py:NAME``.

    Raises OpcheckError if the file fails to import or registers nothing of that kind or name.
    """
    path, _, name = reference.partition(".py:")
    file = Path(path if path.endswith(".py") else path + ".py").resolve()
    load()
    load_file(file)
    registered = [n for n in names(kind) if _table(kind)[n][1].rpartition(":")[0] == str(file)]
    if name and name not in registered:
        has = ", ".join(registered) or "none"
        raise OpcheckError(f"{file.name} registers no {kind[:-1]} {name!r}; it has {has}")
    if not registered:
        raise OpcheckError(f"{file.name} registers no {kind[:-1]}; see the README for an example")
    return [name] if name else registered


def files() -> list[str]:
    """The users' files loaded so far, for processes that have to load them too."""
    loaded = (m for n, m in sys.modules.items() if n.startswith("opcheck_file_"))
    return [str(m.__file__) for m in loaded]


def sources() -> list[Path]:
    """Every file that what is registered was written in, opcheck's own first."""
    own = [path for folder in _own_folders() for path in sorted(Path(folder).rglob("*.py"))]
    load()
    places = {
        place.rpartition(":")[0] for table in _entries.values() for _, place in table.values()
    }
    others = {Path(place) for place in places if place and not is_own(place)}
    return [*own, *sorted(path for path in others if path.is_file())]


def select(kind: str, patterns: Iterable[str]) -> list[str]:
    """Names that equal, or start with, one of the patterns; all for no pattern.

    A pattern ``FILE.py`` or ``FILE.py:NAME`` selects what a user's file registers.

    Raises OpcheckError for a pattern that selects nothing.
    """
    selected: list[str] = []
    for pattern in patterns:
        if not pattern.strip():
            raise OpcheckError(f"an empty name is that of no {kind[:-1]}; leave it out")
        if pattern.endswith(".py") or ".py:" in pattern:
            selected += [n for n in in_file(kind, pattern) if n not in selected]
            continue
        hits = [n for n in names(kind) if n == pattern] or [
            n for n in names(kind) if n.startswith(pattern)
        ]
        if not hits:
            get(kind, pattern)
        selected += [n for n in hits if n not in selected]
    return selected or names(kind)


def one(kind: str, pattern: str) -> Any:
    """The object that a name, or a beginning of one, selects.

    Raises OpcheckError for none or several.
    """
    hits = select(kind, [pattern])
    if len(hits) != 1:
        raise OpcheckError(f"{pattern!r} selects {len(hits)} {kind}; name one")
    return get(kind, hits[0])


def _table(kind: str) -> dict[str, tuple[Any, str]]:
    if kind not in _entries:
        raise OpcheckError(f"no kind {kind!r}; kinds are {', '.join(KINDS)}")
    load()
    return _entries[kind]
