"""Arguments of public functions: what is wrong with one is one sentence."""

from __future__ import annotations

import difflib
import functools
import inspect
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from opcheck.errors import OpcheckError

P = ParamSpec("P")
R = TypeVar("R")


def asked(function: Callable[P, R]) -> Callable[P, R]:
    """A public function whose wrong calls raise OpcheckError: a keyword misspelt, or missing."""
    signature = inspect.signature(function)
    name = function.__qualname__.removesuffix(".__init__").removesuffix(".__call__")

    @functools.wraps(function)
    def called(*args: P.args, **keywords: P.kwargs) -> R:
        try:
            signature.bind(*args, **keywords)
        except TypeError as error:
            wrong = _near(signature, keywords)
            told = wrong or f"{error}{_documented(function, str(error))}"
            raise OpcheckError(f"{name}: {told}") from None
        return function(*args, **keywords)

    return called


def _near(signature: inspect.Signature, keywords: dict[str, Any]) -> str:
    """What a keyword that is not known may have meant, and what there is."""
    known = [n for n in signature.parameters if n != "self"]
    for word in keywords:
        if word not in known:
            return (
                f"got an unexpected keyword argument {word!r}; {_meant(word, known)}it takes "
                f"{', '.join(known)}"
            )
    return ""


def _documented(function: Callable[..., Any], error: str) -> str:
    """What the docstring says of an argument that is missing."""
    missing = re.fullmatch(r"missing a required (?:\S+ )?argument: '(\w+)'", error)
    entries = inspect.getdoc(function) or ""
    said = missing and re.search(
        rf"^ {{4}}{missing[1]}: ((?:.+\n?)(?: {{8}}.+\n?)*)", entries, re.M
    )
    return f" ({' '.join(said[1].split()).rstrip('.')})" if said else ""


def _meant(word: str, known: Iterable[str]) -> str:
    by_letters = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(by_letters), 1, 0.5)
    return f"did you mean {by_letters[near[0]]!r}? " if near else ""


def refuse_unused(
    function: Callable[..., Any], symbols: Iterable[str], formulas: Iterable[Any]
) -> None:
    """Raise OpcheckError for the value of a symbol that stands in no formula.

    Args:
        function: the public one that takes ``symbols`` as keywords beside its own.
        formulas: texts; what is none holds no symbol.
    """
    texts = [formula for formula in formulas if isinstance(formula, str)]
    used = {word for source in texts for word in re.findall(r"[A-Za-z_]\w*", source)}
    for symbol in symbols:
        if symbol not in used:
            parameters = inspect.signature(function).parameters.values()
            own = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
            raise OpcheckError(
                f"{function.__name__}: no formula has a symbol {symbol!r} to give a value; "
                f"{_meant(symbol, [*own, *sorted(used)])}it takes {', '.join(own)}, and values of "
                "symbols"
            )


def integer(value: Any, what: str, least: int = 0) -> int:
    """A whole number from ``least`` on; also 10.0. Raises OpcheckError for anything else."""
    try:
        number = int(value) if isinstance(value, float) and value == int(value) else value
        whole = None if isinstance(number, bool) else operator.index(number)
    except (TypeError, ValueError, OverflowError):
        whole = None
    if whole is None:
        raise OpcheckError(f"{what} = {value!r} must be a whole number from {least} on")
    if whole < least:
        sign = "must not be negative" if least == 0 else f"must be at least {least}"
        raise OpcheckError(f"{what} = {whole} {sign}")
    return whole


def indices(value: Any, what: str = "k") -> list[int]:
    """A whole number, or several. Raises OpcheckError for anything else, or none."""
    several = isinstance(value, list | tuple | range | set) or getattr(value, "ndim", 0) == 1
    ks = [integer(v, what) for v in value] if several else [integer(value, what)]
    if not ks:
        raise OpcheckError(f"{what} = {value!r} is empty; give a whole number, or several")
    return list(dict.fromkeys(ks))


def words(value: Any, what: str) -> list[str]:
    """A text, or several. Raises OpcheckError for anything else."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple | set | frozenset) or not all(
        isinstance(v, str) for v in texts
    ):
        raise OpcheckError(f"{what} = {value!r} must be a text, or a list of them")
    return list(texts)
