"""What somebody's optimiser may be: a method of the library, or its text with one thing changed.

The changes are made of the text itself: each statement of the loop, each row, each number in it.
So a method that is added has its deviations, too, and no list of them is kept.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from opcheck import kernels
from opcheck.model.anderson import resolvent_of_sum as by_anderson
from opcheck.model.method import Method, Over
from opcheck.model.operator import Vector
from opcheck.model.primitives import identity

Advance = Callable[..., None]
Begins = tuple[tuple[int, str], ...]  # rows by their place, and what they begin at
PICARD = 200  # iterations of w ↦ J(z − γ F w) before a resolvent is sought by other means

# ---- the vocabulary on whole rows: the same roundings as its loops, and faster interpreted ------


def _axpy(out: Vector, x: Vector, a: float, y: Vector) -> None:
    out[:] = x + a * y


def _combine(out: Vector, a: float, x: Vector, b: float, y: Vector) -> None:
    out[:] = a * x + b * y


def _copy(out: Vector, x: Vector) -> None:
    out[:] = x


def _subtract(out: Vector, x: Vector, y: Vector) -> None:
    out[:] = x - y


def _resolvent_of_sum(
    F: Any, F_data: Any, J: Any, J_data: Any, z: Vector, gamma: float, out: Vector
) -> None:
    w, value = z.copy(), np.empty_like(z)
    for _ in range(PICARD):
        F(w, value, F_data)
        after = z - gamma * value
        J(after, gamma, after, J_data)
        if np.array_equal(after, w):
            break
        w = after
    else:
        by_anderson(F, F_data, J, J_data, z, gamma, out)
        return
    out[:] = w


ON_ROWS = {
    "axpy": _axpy,
    "combine": _combine,
    "copy": _copy,
    "subtract": _subtract,
    "resolvent_of_sum": _resolvent_of_sum,
}


@functools.cache
def on_rows(kernel: Advance) -> Advance:
    """A method's text with that vocabulary, also in the texts that it is bound to."""
    names = {n: f for n, f in ON_ROWS.items() if kernel.__globals__.get(n) is getattr(kernels, n)}
    cells = tuple(
        types.CellType(on_rows(cell.cell_contents))
        if inspect.isfunction(cell.cell_contents)
        else cell
        for cell in kernel.__closure__ or ()
    )
    return types.FunctionType(
        kernel.__code__,
        {**kernel.__globals__, **names},
        kernel.__name__,
        kernel.__defaults__,
        cells or None,
    )


# ---- variants ----------------------------------------------------------------------------------

ZERO, START, VALUE = "0", "z⁰", "F z⁰"  # what a row may begin at


@dataclass(frozen=True)
class Variant:
    """A method, perhaps with one thing changed.

    Attributes:
        words: the change, as in ``past starts at 0``; "" for none.
        rank: how soon this is said where several changes do the same; small ones first.
        begins: rows that begin elsewhere than the method says.
        returns: the row that is z; ``"shadow"`` is J_{γF} of row 0.
        first: k of the first step.
        follows: a row that is z before each step; "" for none.
        memory: what becomes of the rows of a base at a synchronisation: (row, row at the last one,
            λ, how many there were) ↦ row.
    """

    method: Method
    words: str = ""
    rank: int = 0
    begins: tuple[tuple[str, str], ...] = ()
    returns: str = "z"
    first: int = 0
    follows: str = ""
    memory: Callable[[Vector, Vector, float, int], Vector] | None = None

    def points(self, values: Mapping[str, Any], F: Any, J: Any, z0: Vector) -> Iterator[Vector]:
        """The points after each step, without end.

        Args:
            values: of the method's parameters.
            F: z ↦ F z; J: (z, γ) ↦ J z, None where A = 0.
        """

        def kernel_of_F(z: Vector, out: Vector, data: Any) -> None:
            out[:] = F(z)

        def kernel_of_J(z: Vector, gamma: float, out: Vector, data: Any) -> None:
            out[:] = J(z, gamma)

        resolvent = identity if J is None else kernel_of_J
        method, advance = self.method, on_rows(self.method.kernel)
        params = np.array([values[p.name] for p in method.parameters], dtype=float)
        state = np.array([0 * z0 if row in method.zero else z0 for row in method.rows])
        for name, begin in self.begins:
            value = F(z0) if begin == VALUE else z0 if begin == START else 0 * z0
            state[method.rows.index(name)] = value
        data, k, kept, count = np.zeros(1), self.first, state.copy(), 0
        tau, lam = values.get("tau", 0), values.get("lam", 0)
        while True:
            if self.follows:
                state[method.rows.index(self.follows)] = state[0]
            # a k of numpy: what a changed text divides by 0 is inf, and no error
            advance(kernel_of_F, data, resolvent, data, state, params, np.float64(k), 1)
            k += 1
            if self.memory is not None and (k - self.first) % int(tau) == 0:
                for row in range(1, state.shape[0] - 1):
                    state[row] = self.memory(state[row], kept[row], lam, count)
                kept, count = state.copy(), count + 1
            if self.returns == "shadow":
                shadow = np.empty_like(z0)
                gamma = float(values[method.shadow])
                _resolvent_of_sum(kernel_of_F, data, identity, data, state[0], gamma, shadow)
                yield shadow
            else:
                yield state[method.rows.index(self.returns)].copy()


def right(method: Method) -> list[Variant]:
    """What an optimiser that is the method may leave in the parameters: z, or the shadow of it."""
    if not method.shadow:
        return [Variant(method)]
    rows = [Variant(method, returns=row) for row in method.rows[1:]]
    return [Variant(method, returns="shadow"), *rows]


def deviations(
    method: Method, over: Over | None = None, base: Method | None = None
) -> list[Variant]:
    """The method with one thing changed, each at most once.

    Args:
        over, base: its parts, of a method over another.
    """
    several = [*_memories(method, base), *_follows(method), *_counts(method)]
    if over is None or base is None:
        several += _texts(method)
    else:
        several += [
            replace(v, method=over(v.method), words=f"{v.words}, in {base.name}")
            for v in deviations(base)
            if v.method is not base or v.begins
        ]
        several += _texts_over(over, base)
    returned = [v.returns for v in right(method)]
    changed = [replace(v, returns=row) for v in several for row in returned]
    return [*_returns(method), *changed]


def _memories(method: Method, base: Method | None) -> Iterator[Variant]:
    """What a base carries over a synchronisation, shrunk, mixed or forgotten there."""
    if base is None:
        return
    shared = "so that the momentum shrinks at each synchronisation"
    kinds: dict[str, Callable[[Vector, Vector, float, int], Vector]] = {
        f"is multiplied by λ at the first synchronisation and by λ(2 − λ) at each later one, as if "
        f"interpolated with itself in place of a copy, {shared}": (
            lambda row, kept, lam, count: (lam if count == 0 else lam * (2 - lam)) * row
        ),
        f"is multiplied by λ(2 − λ), as if interpolated with itself, {shared}": (
            lambda row, kept, lam, count: lam * (2 - lam) * row
        ),
        f"is multiplied by λ, {shared}": lambda row, kept, lam, count: lam * row,
        f"is multiplied by 1 − λ, {shared}": lambda row, kept, lam, count: (1 - lam) * row,
        f"is multiplied by λ², {shared}": lambda row, kept, lam, count: lam**2 * row,
        "is set to 0 at each synchronisation": lambda row, kept, lam, count: 0 * row,
        "is interpolated with what it was at the last synchronisation": (
            lambda row, kept, lam, count: lam * row + (1 - lam) * kept
        ),
    }
    rows = ", ".join(row for row in base.rows[1:] if row in base.zero) or "memory"
    for i, (words, memory) in enumerate(kinds.items()):
        yield Variant(method, f"the memory of {base.name} ({rows}) {words}", 1 + i, memory=memory)


def _returns(method: Method) -> Iterator[Variant]:
    """Another row than z; of a method whose z is not what it solves for, z."""
    if method.shadow:
        words = (
            "the governing sequence z is returned, which tends to z* + γ F z*, and not its shadow "
            "J_{γF} z, which solves"
        )
        yield Variant(method, words, 0)
        return
    for row in method.rows[1:]:
        yield Variant(method, f"{_said(row)} is returned in place of z", 20, returns=row)


def _follows(method: Method) -> Iterator[Variant]:
    for row in method.rows[1:]:
        if row in method.zero:
            continue  # what starts at 0 is no point
        words = f"{_said(row)} moves along with z, as where it is kept without a copy"
        yield Variant(method, words, 5, follows=row)


def _counts(method: Method) -> Iterator[Variant]:
    for first in (1, -1):
        yield Variant(method, f"k counts from {first} on, not from 0", 30, first=first)


# ---- texts with one statement changed ----------------------------------------------------------

WORDS = {
    "zbar": "the look-ahead point zbar",
    "zhalf": "the look-ahead point zhalf",
    "anchor": "the start z⁰",
    "past": "the previous F z (past)",
    "last": "the previous point (last)",
    "slow": "the slow point",
}
POINT_OF = {
    "axpy": (1, 3),
    "combine": (2, 4),
    "copy": (1,),
    "subtract": (1, 2),
    "F": (0,),
    "J": (0,),
}
CALLED = {*POINT_OF, "resolvent_of_sum"}
FACTOR_OF = {"axpy": (2,), "combine": (1, 3)}


def _said(row: str) -> str:
    return WORDS.get(row, row)


def _source(kernel: Advance) -> str:
    """The text without its decorators and docstring."""
    function = _tree(textwrap.dedent(inspect.getsource(kernel)))
    function.decorator_list = []
    if ast.get_docstring(function):
        del function.body[0]
    return ast.unparse(function)


def _tree(source: str) -> ast.FunctionDef:
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return function


def _rows_in(tree: ast.FunctionDef) -> list[str]:
    """The text's own names of its rows."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and "state" in ast.unparse(statement.value):
            target = statement.targets[0]
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            return [ast.unparse(n) for n in names]
    return []


def _made(kernel: Advance, tree: ast.FunctionDef) -> Advance:
    module = ast.fix_missing_locations(ast.Module([tree], []))
    scope = dict(kernel.__globals__)
    exec(compile(module, f"<variant of {kernel.__name__}>", "exec"), scope)
    changed: Advance = scope[kernel.__name__]
    return changed


def _texts(method: Method) -> Iterator[Variant]:
    for words, rank, begins, kernel in changes(method.kernel):
        rows = tuple((method.rows[i], begin) for i, begin in begins)
        yield Variant(replace(method, kernel=kernel, reference=None), words, rank, rows)


def _texts_over(over: Over, base: Method) -> Iterator[Variant]:
    for words, rank, begins, kernel in changes(over.kernel):
        if not begins:
            yield Variant(replace(over, kernel=kernel, reference=None)(base), words, rank)


@functools.cache
def changes(kernel: Advance) -> list[tuple[str, int, Begins, Advance]]:
    """(what is changed, rank, rows that begin elsewhere, the text) for each single change."""
    source = _source(kernel)
    several = _changed(source, _rows_in(_tree(source)))
    return [(words, rank, begins, _made(kernel, tree)) for words, rank, begins, tree in several]


def _calls(tree: ast.FunctionDef) -> list[tuple[ast.Expr, str, list[ast.expr]]]:
    """Each statement that is a call of the vocabulary, its name and arguments, in one order."""
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Name) and function.id in CALLED:
                calls.append((node, function.id, node.value.args))
    return calls


def _changed(source: str, rows: list[str]) -> Iterator[tuple[str, int, Begins, ast.FunctionDef]]:
    tree = _tree(source)
    yield from _beginnings(source, rows)
    for i, (statement, name, arguments) in enumerate(_calls(tree)):
        line = f"`{ast.unparse(statement)}`"
        for place in POINT_OF.get(name, ()):
            before = ast.unparse(arguments[place])
            for row in rows:
                if before in rows and row != before:
                    words = _moved(name, place, before, row, line)
                    argument = ast.Name(row, ast.Load())
                    yield from _replaced(
                        source, rows, i, change=(place, argument), words=words, rank=10
                    )
        for place in FACTOR_OF.get(name, ()):
            for words, factor in _factors(arguments[place]):
                other = _tree(source)
                _calls(other)[i][2][place] = factor
                yield f"{words} in {line}", 50, (), other
            lost = ast.parse(f"-({ast.unparse(arguments[place])})", mode="eval").body
            words = f"the sign of {ast.unparse(arguments[place])} is lost in {line}"
            several = _replaced(source, rows, i, change=(place, lost), words=words, rank=7)
            yield from itertools.islice(several, 1, None)  # for both players it is above
        without = _tree(source)
        _calls(without)[i][0].value = ast.Constant(None)
        yield f"{line} is left out", 40, (), without
    for p in rows:
        for q in rows[1:]:
            if p != q:
                other = _tree(source)
                for read in _read(other):
                    read.id = p if read.id == q else read.id
                yield f"{q} and {p} are one tensor, as where a copy is missing", 12, (), other


def _replaced(
    source: str, rows: list[str], i: int, change: tuple[int, ast.expr], words: str, rank: int
) -> Iterator[tuple[str, int, Begins, ast.FunctionDef]]:
    """The i-th statement with one argument replaced, for both players and for each alone."""
    place, argument = change
    whole = _tree(source)
    _calls(whole)[i][2][place] = argument
    yield words, rank, (), whole
    if _calls(whole)[i][1] not in ON_ROWS:
        return  # F and J are of all players at once
    half = f"({rows[0]}.shape[0] + 1) // 2"
    for player, part in (("descending", f":{half}"), ("ascending", f"{half}:")):
        other = _tree(source)
        statement = _calls(other)[i][0]
        kept = ast.parse(ast.unparse(statement)).body[0]
        changed = ast.parse(ast.unparse(_calls(whole)[i][0])).body[0]
        rest = f"{half}:" if part.startswith(":") else f":{half}"
        both = [_Sliced(rows, part).visit(changed), _Sliced(rows, rest).visit(kept)]
        _Instead(statement, both).visit(other)
        yield f"{words}, for the {player} player alone", rank + 1, (), other


class _Sliced(ast.NodeTransformer):
    """The coordinates of one player in place of a row."""

    def __init__(self, rows: list[str], part: str) -> None:
        self.rows, self.part = rows, part

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.rows:
            return node
        return ast.parse(f"{node.id}[{self.part}]", mode="eval").body


class _Instead(ast.NodeTransformer):
    """Statements in place of one."""

    def __init__(self, statement: ast.Expr, several: list[ast.stmt]) -> None:
        self.statement, self.several = statement, several

    def visit_Expr(self, node: ast.Expr) -> Any:
        return self.several if node is self.statement else node


def _read(tree: ast.FunctionDef) -> list[ast.Name]:
    """Names that are read: all but those that the rows are bound to."""
    bound = {
        id(n)
        for s in tree.body
        if isinstance(s, ast.Assign)
        for t in s.targets
        for n in ast.walk(t)
    }
    return [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in bound]


def _beginnings(source: str, rows: list[str]) -> Iterator[tuple[str, int, Begins, ast.FunctionDef]]:
    """A row that begins at 0, at z⁰ or at F z⁰, and what is said of k = 0 alone left out."""
    tree, unbranched = _tree(source), _tree(source)
    said = []
    for node in ast.walk(unbranched):
        for block in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if not isinstance(block, list):
                continue
            for i, statement in enumerate(block):
                if isinstance(statement, ast.If) and ast.unparse(statement.test) == "k == 0":
                    said += [ast.unparse(s) for s in statement.body]
                    block[i : i + 1] = statement.orelse or [ast.Pass()]
    for i, row in enumerate(rows[1:], 1):
        for begin in (ZERO, VALUE, START):
            if said:
                instead = f", and not by `{'; '.join(said)}`"
                words = f"{_said(row)} starts at {begin}{instead}"
                if begin == ZERO and _value(tree, row):
                    words += ": the first step takes a previous F of 0"
                yield words, 2, ((i, begin),), unbranched
            else:
                yield f"{_said(row)} starts at {begin}", 3, ((i, begin),), tree


def _value(tree: ast.FunctionDef, row: str) -> bool:
    """Whether a row holds values of F: F writes to it, or it is a copy of such a row."""
    written = {ast.unparse(a[1]) for _, name, a in _calls(tree) if name == "F"}
    copied = {
        ast.unparse(a[0])
        for _, name, a in _calls(tree)
        if name == "copy" and ast.unparse(a[1]) in written
    }
    return row in written | copied


def _moved(name: str, place: int, before: str, after: str, line: str) -> str:
    if name == "F":
        return f"F is taken at {_said(after)} and not at {_said(before)}, in {line}"
    if name == "J":
        return f"J is taken of {_said(after)} and not of {_said(before)}, in {line}"
    if name == "axpy" and place == 1:
        return f"the step is taken from {_said(after)} and not from {_said(before)}, in {line}"
    return f"{_said(after)} stands for {_said(before)}, in {line}"


def _factors(a: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """A number changed: its sign, a factor of 2 or of its own, λ for 1 − λ."""
    shown = ast.unparse(a)

    def parsed(source: str) -> ast.expr:
        return ast.parse(source, mode="eval").body

    yield f"the sign of {shown} is lost", parsed(f"-({shown})")
    yield f"{shown} is doubled", parsed(f"2*({shown})")
    yield f"{shown} is halved", parsed(f"({shown})/2")
    product = isinstance(a, ast.UnaryOp) or (
        isinstance(a, ast.BinOp) and isinstance(a.op, ast.Mult)
    )
    sign = "-" if product and shown.startswith("-") else ""  # of the first factor, as Python reads
    inner = parsed(shown.removeprefix(sign)) if sign else a
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Mult):
        yield (
            f"the factor {ast.unparse(inner.left)} of {shown} is lost",
            parsed(f"{sign}({ast.unparse(inner.right)})"),
        )
        yield (
            f"the factor {ast.unparse(inner.right)} of {shown} is lost",
            parsed(f"{sign}({ast.unparse(inner.left)})"),
        )
    yield f"1 − ({shown}) stands for {shown}", parsed(f"1 - ({shown})")
    if not isinstance(a, ast.Constant):
        yield f"1 stands for {shown}", parsed("1")
