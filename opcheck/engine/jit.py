"""The only place that says njit.

Kernels are compiled lazily for one explicit signature and kept on disk under a fingerprint of
everything they can see. Numba's own key misses a change in a callee of another file and returns
stale results, which in a verifier is a wrong proof.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import types as python
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from opcheck.model.primitives import identity

SAID = 160  # characters of a reason
SLOTS = 8  # measures a run can take at once; one driver signature serves every statement
TRUSTED = ("opcheck", "opcheck_problems", "opcheck_figures", "opcheck_paper_repro")


class Uncompilable(Exception):
    """numba can't compile a text; the message is why, and where."""


def cache_dir() -> Path:
    """Where compiled kernels lie: $OPCHECK_CACHE_DIR, else opcheck/ in the user's cache folder."""
    folder = os.environ.get("OPCHECK_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(folder) if folder else Path(base or Path.home() / ".cache") / "opcheck"


def callees(function: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of every global, closure cell and module attribute a function's code names."""
    cells = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):
            cells[name] = cell.cell_contents
    for code in _codes(function.__code__):
        for name in (*code.co_names, *code.co_freevars):
            value = cells.get(name, function.__globals__.get(name))
            yield from _reached(name, value, code.co_names)


def _reached(
    name: str, value: Any, names: tuple[str, ...], through: tuple[Any, ...] = ()
) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, python.ModuleType):
        if value is not None:
            yield name, value
    elif value.__name__.partition(".")[0] in ("numpy", "math"):
        yield name, value.__name__
    elif value not in through:
        for attribute in names:
            if hasattr(value, attribute):
                yield from _reached(attribute, getattr(value, attribute), names, (*through, value))


def _codes(code: python.CodeType) -> Iterator[python.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, python.CodeType):
            yield from _codes(constant)


def plain(value: Any) -> Any:
    """The Python function behind a value, compiled or not; None where there is none."""
    if type(value).__module__.partition(".")[0] == "numba":
        value = getattr(value, "py_func", value)
    return value if isinstance(value, python.FunctionType) else None


def visible(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The function and every Python function that it can reach by name, each once."""
    functions, todo = [], [function]
    while todo:
        f = plain(todo.pop(0))
        if f is None or f in functions:
            continue
        functions.append(f)
        todo += [v for _, v in callees(f) if plain(v)]
        compiled = getattr(f, "compiled", None)
        if compiled is not None:
            todo.append(compiled)
    return functions


def fingerprint(function: Callable[..., Any], **options: Any) -> str:
    """Hash of how a function is compiled and of all it sees: code, constants, callees, cells."""
    digest = hashlib.sha256(repr(options).encode())
    functions = visible(function)
    for f in functions:
        for code in _codes(f.__code__):
            constants = [c for c in code.co_consts if not isinstance(c, python.CodeType)]
            if code is f.__code__ and constants[:1] == [f.__doc__]:
                del constants[0]  # the docstring
            seen = (code.co_code.hex(), constants, code.co_names, code.co_varnames)
            digest.update(repr(seen).encode())
        digest.update(repr((f.__qualname__, f.__defaults__, f.__kwdefaults__)).encode())
        digest.update(repr(foreign(f)).encode())
        for name, value in callees(f):
            text = plain(value)
            what = _shown(value) if text is None else functions.index(text)  # which one is called
            digest.update(repr((name, what, getattr(value, "targetoptions", None))).encode())
    return digest.hexdigest()[:24]


def _shown(value: Any) -> Any:
    """A constant in full (an array's repr is shortened), a builtin or class by module and name."""
    if isinstance(value, tuple):
        return getattr(value, "_fields", ()), [_shown(v) for v in value]
    if hasattr(value, "tobytes") and not isinstance(value, type):
        return value.dtype.str, value.shape, value.strides, value.tobytes()
    if callable(value):
        members = getattr(value, "__members__", ())  # of an Enum
        return getattr(value, "__module__", None), repr(value), members
    return value


@functools.cache
def signatures() -> Any:
    """The fixed signatures of everything that runs in a hot loop, by role."""
    from numba import float64, int64, types, void

    data = types.Array(float64, 1, "C", readonly=True)
    point, state = float64[::1], float64[:, ::1]
    batch = types.Array(float64, 2, "C", readonly=True)
    counts = types.Array(int64, 1, "C", readonly=True)
    pairs = types.Array(int64, 2, "C", readonly=True)
    operator = void(data, point, data)
    F = types.FunctionType(operator)
    resolvent = void(data, float64, point, data)
    J = types.FunctionType(resolvent)
    measure = float64(F, data, J, data, state, data, float64)

    def called(oracle: Any, own: Any, rows: Any) -> Any:
        """Signatures of a method and a driver, by what the method calls."""
        advance = void(oracle, own, J, data, state, data, float64, int64)
        drive = void(
            types.UniTuple(types.FunctionType(measure), SLOTS),
            pairs,
            types.FunctionType(advance),
            oracle,
            rows,
            F,
            batch,
            J,
            batch,
            float64[:, :, ::1],
            batch,
            int64,
            counts,
            counts,
            float64[:, :, ::1],
            float64[:, :, ::1],
            int64[::1],
            float64,
        )
        return advance, drive

    advance, drive = called(F, data, batch)
    # an oracle that counts its calls writes to its data
    sampled_operator = void(data, point, point)
    sampled_advance, sampled_drive = called(
        types.FunctionType(sampled_operator), point, float64[:, ::1]
    )
    graph = void(F, data, J, data, float64[:, ::1], float64[:, ::1])
    return python.SimpleNamespace(
        operator=operator,
        resolvent=resolvent,
        advance=advance,
        measure=measure,
        drive=drive,
        sampled_operator=sampled_operator,
        sampled_advance=sampled_advance,
        sampled_drive=sampled_drive,
        graph=graph,
    )


@functools.cache
def without_constraint(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A method's kernel for A = 0: the compiler sees that J is the identity.

    The arithmetic is the same; left out are calls by address that copy a row onto itself.
    """

    def free(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
        kernel(F, F_data, identity, J_data, state, params, k, n)

    return free


_compiled: dict[tuple[Any, str], Any] = {}


def jit(function: Callable[..., Any], role: str) -> Any:
    """The compiled function for its role's signature: from memory, from disk, or compiled now.

    Raises Uncompilable, with the reason, where numba can't compile the text.
    """
    key = (function, role)
    if key not in _compiled:
        try:
            _compiled[key] = _compile(function, role)
        except Exception as error:  # numba has many, and not all are its own
            _compiled[key] = _reason(function, error)  # to find out again takes as long
    if isinstance(_compiled[key], str):
        raise Uncompilable(_compiled[key])
    return _compiled[key]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a loop of an experiment: compiled when it is called, for the types of that call.

    What is compiled is kept on disk as kernels are. Raises Uncompilable, with the reason, where
    numba can't compile the text for these types.
    """

    @functools.cache
    def dispatcher() -> Any:
        return _dispatcher(function, "loop")

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        from numba.core.errors import NumbaError

        try:
            with quiet():
                return dispatcher()(*args)
        except NumbaError as error:
            raise Uncompilable(_reason(function, error)) from error

    return call


def _reason(function: Callable[..., Any], error: Exception) -> str:
    """Of the wall of text that numba says: what, and at which line of the function's own file."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith(("Failed in", "During:"))]
    what = (said or [type(error).__name__])[0].rstrip(":. ")
    code = function.__code__
    name = Path(code.co_filename).name
    places = [line for line in lines if line.startswith("File ") and f'{name}"' in line]
    at = places[-1].rpartition("line ")[2].rstrip(":") if places else str(code.co_firstlineno)
    return f"{what[:SAID]} ({name}, line {at})"


def _compile(function: Callable[..., Any], role: str) -> Any:
    dispatcher = _dispatcher(function, role)
    with quiet():
        dispatcher.compile(getattr(signatures(), role))
    dispatcher.disable_compile()
    return dispatcher


def _dispatcher(function: Callable[..., Any], role: str) -> Any:
    """What compiles a function for the types it is given, and keeps that on disk."""
    import numba

    for callee in visible(function)[1:]:
        _make_callable(callee)
    checked = foreign(function)
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": checked}
    dispatcher: Any = numba.njit(**options)(_named_by_content(function))
    # No cache where none can be written: compiling again is slower, never wrong.
    with contextlib.suppress(OSError):
        dispatcher._cache = _cache_class()(function, f"{role}-{fingerprint(function, **options)}")
    return dispatcher


def foreign(function: Callable[..., Any]) -> bool:
    """Whether a function was written outside of opcheck and its packs."""
    # a wrapper bears the module of what it wraps, and its own globals
    own = getattr(function, "__globals__", {}).get("__name__", "opcheck")
    modules = (own, getattr(function, "__module__", None) or "")
    return any(name.partition(".")[0] not in TRUSTED for name in modules)


def _named_by_content(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function under a name that holds its fingerprint.

    The machine code's symbols are made of module, qualified name and a number that counts the
    functions of the compiling process. Two functions of one name, as two generated operators or
    a kernel and its mutant, that different processes compiled can share a symbol, and when both
    are loaded from disk, one silently runs in the other's place.
    """
    copy = python.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__module__ = function.__module__
    copy.__qualname__ = f"{function.__qualname__}_{fingerprint(function)}"
    return copy


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without numba's notices: that function pointers are experimental, which the suite tests, and
    how a foreign text would be faster. That a complex number loses its imaginary part is an error.
    """
    from numba.core.errors import NumbaWarning
    from numpy.exceptions import ComplexWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaWarning)
        warnings.simplefilter("error", ComplexWarning)
        yield


@functools.cache
def _make_callable(function: Callable[..., Any]) -> None:
    """Let compiled code call a plain helper, or its ``compiled`` text where it has one."""
    from numba.extending import overload

    target = _named_by_content(getattr(function, "compiled", function))
    checked: Any = {
        "boundscheck": foreign(function)
    }  # which numba does not inherit from the caller
    overload(function, jit_options=checked, strict=False)(lambda *args, **kwargs: target)


@functools.cache
def _cache_class() -> Any:
    import numba
    from numba.core import caching

    class Locator(caching._CacheLocator):
        def __init__(self, function: Any, key: str) -> None:
            self._py_file = function.__code__.co_filename
            self._key = key

        def get_cache_path(self) -> str:
            return str(cache_dir() / f"numba-{numba.__version__}")

        def get_source_stamp(self) -> str:
            return self._key

        def get_disambiguator(self) -> str:
            return self._key

    class Impl(caching.CompileResultCacheImpl):
        def __init__(self, function: Any, key: str) -> None:
            self._lineno = function.__code__.co_firstlineno
            self._locator = Locator(function, key)
            self._locator.ensure_cache_path()
            # named by the fingerprint alone, so that a line moved in a file changes nothing
            self._filename_base = f"{function.__name__}.{self._locator.get_disambiguator()}"

    class Cache(caching.FunctionCache):
        _impl_class: Any = Impl

        def __init__(self, function: Any, key: str) -> None:
            self._name = repr(function)
            self._py_func = function
            self._impl = Impl(function, key)
            self._cache_path = self._impl.locator.get_cache_path()
            source_stamp = self._impl.locator.get_source_stamp()
            self._cache_file = caching.IndexDataCacheFile(
                cache_path=self._cache_path,
                filename_base=self._impl.filename_base,
                source_stamp=source_stamp,
            )
            self.enable()  # type: ignore[no-untyped-call]

        def load_overload(self, signature: Any, target: Any) -> Any:
            try:
                return super().load_overload(signature, target)  # type: ignore[no-untyped-call]
            except Exception:  # an unreadable entry is a miss, and makes room for the next
                with contextlib.suppress(OSError):
                    self._cache_file.flush()
                return None

        def save_overload(self, signature: Any, result: Any) -> None:
            with contextlib.suppress(OSError):
                super().save_overload(signature, result)  # type: ignore[no-untyped-call]

    return Cache
