"""What is checked of a problem, a method or a measure before anything rests on it."""

from __future__ import annotations

import ast
import functools
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from opcheck.engine.jit import Uncompilable, callees, foreign, jit, plain, quiet, visible
from opcheck.engine.kernel_text import parsed
from opcheck.engine.noise import ON_A_LINE, floor
from opcheck.engine.pseudo_code import by_reference, measure_error, values_of
from opcheck.engine.resolvents import guard_resolvent
from opcheck.engine.trial import text_of, text_of_resolvent
from opcheck.errors import OpcheckError, warn_once
from opcheck.model.measure import Measure
from opcheck.model.method import Method
from opcheck.model.operator import Operator, Resolvent, Vector
from opcheck.model.primitives import BEFORE, EXTRA_ROWS, SOLUTION, WORK, WORK_2, identity
from opcheck.model.problem import Problem, points
from opcheck.watchdog import apart, limited

ACCURATE = 2.0**-36  # relative; the noise of F, and the residual of a solution, that verdicts bear
SLOW = 0.08  # seconds a call beyond which F is called no more often than it must be
LOOKING = 1.0  # seconds that one look at an F may take: in it noise, or points of a domain
AGAIN = 3  # first points at which F is called again when something was found
LOOKED_AT = 64  # points at which F is to be defined
KEPT = 1024  # problems whose looks are remembered
MARGIN = 1e-9  # relative; by how much a projection onto the solutions may miss one


def guard(problem: Problem) -> None:
    """Confront what verdicts rest on, once for each problem: F, the resolvent, solution and domain.

    A foreign operator or resolvent runs interpreted, on fresh arrays, at the start, about it and in
    the region. A solution must be a zero of F + A, and a projection must land on such.

    Raises OpcheckError, naming the part and the mend, if the operator raises, indexes past an end,
    returns NaN in the region or the set, leaves entries unset, changes its input, answers twice
    differently or less accurately than float64; for a resolvent that is none; and for a solution
    that is none.
    """
    key = _Key(problem)
    if key not in _admitted:
        _guard(problem)
        if len(_admitted) >= KEPT:
            _admitted.pop(next(iter(_admitted)))
        _admitted[key] = True


_admitted: dict[_Key, bool] = {}


def confirm(problem: Problem) -> None:
    """Call a foreign F again at the first points at which it was called, once work with it is done.

    Raises OpcheckError where it answers differently: what was found is then about two operators.
    """
    first = _known(problem)
    if first is None or _compiled(problem) is not None:  # compiled code keeps nothing
        return
    text = text_of(problem)
    again_at = 1 if slow(problem) else AGAIN
    for z, value in zip(first.points[:again_at], first.values, strict=False):
        again = text.call(z)
        if not np.array_equal(value, again, equal_nan=True):
            raise OpcheckError(
                f"{text.subject} changes from call to call: at {z.tolist()} it first returned "
                f"{value.tolist()} and now returns {again.tolist()}; nothing may be kept between "
                "calls"
            )


def pace(problem: Problem) -> float:
    """Seconds that one of the first calls of a foreign F took; 0 of any other F."""
    first = _known(problem)
    return 0.0 if first is None else first.seconds


def slow(problem: Problem) -> bool:
    """Whether a call of the problem's foreign F takes so long that each is to be saved."""
    return pace(problem) > SLOW


def first_look(problem: Problem, z: Vector) -> Vector:
    """F(z) from two calls, the first ones, which are timed and kept.

    Raises OpcheckError where F raises, leaves entries unset, or answers twice differently.
    """
    value, seconds = text_of(problem).timed(z)
    if seconds > SLOW and _compiled(problem) is not None:
        _value(problem, z)  # it is compiled in the first call
        begun = time.monotonic()
        _value(problem, z)
        seconds = time.monotonic() - begun
    known = _known(problem)
    if known is None:
        if len(_first) >= KEPT:
            _first.pop(next(iter(_first)))
        known = _first[id(problem.operator)] = _First(
            problem.operator, problem.operator.data.copy(), [], [], seconds
        )
        if seconds > SLOW:
            warn_once(
                f"{text_of(problem).subject} is slow, {seconds:.2g} s a call: it was looked at in "
                "its start alone, and no solution is sought"
            )
    known.seconds = min(known.seconds, seconds)
    if len(known.points) < AGAIN:
        known.points.append(z.copy())
        known.values.append(value)
    return value


@dataclass
class _First:
    """What a foreign operator was seen to return first, and what a call took."""

    operator: Operator  # kept, so that its id stays its own
    data: Vector  # a copy: they may be written to between two pieces of work
    points: list[Vector]
    values: list[Vector]
    seconds: float


_first: dict[int, _First] = {}


def _known(problem: Problem) -> _First | None:
    """What was seen of the operator with the data that it has now."""
    first = _first.get(id(problem.operator))
    same = first is not None and np.array_equal(first.data, problem.operator.data, equal_nan=True)
    return first if same else None


class _Key:
    """A problem that compares by what its parts are; it keeps them, so that an id stays theirs."""

    def __init__(self, problem: Problem) -> None:
        self.parts = problem.operator, problem.resolvent, problem.project, problem.region
        points = (problem.start, problem.solution)
        self.points = tuple(None if z is None else z.tobytes() for z in points)
        # data may be written to between two calls; of a foreign text it is short
        self.data = (
            problem.operator.data.tobytes() if foreign(problem.operator.kernel) else b"",
            problem.resolvent.data.tobytes() if _foreign_resolvent(problem.resolvent) else b"",
        )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Key)
            and all(p is q for p, q in zip(self.parts[:3], other.parts[:3], strict=True))
            and (self.points, self.data) == (other.points, other.data)
            and bool(self.parts[3] == other.parts[3])
        )

    def __hash__(self) -> int:
        return hash((id(self.parts[0]), id(self.parts[1]), self.points))


def _guard(problem: Problem) -> None:
    if problem.start.size == 0:
        raise OpcheckError(f"{problem.name!r} has no start; give it start=, {problem.dim} numbers")
    if foreign(problem.operator.kernel):
        _guard_operator(problem)
    if _foreign_resolvent(problem.resolvent):
        centres = [np.zeros(problem.dim), problem.start]
        centres += [] if problem.solution is None else [problem.solution]
        guard_resolvent(problem.resolvent, np.unique(np.array(centres), axis=0))
    if (problem.region is not None or problem.constrained) and not slow(problem):
        domain = "region" if problem.region is not None else "set"
        share, example = undefined(problem)
        if share:
            raise OpcheckError(
                f"the operator of {problem.name!r} is not defined at {share:.0%} of the points "
                f"looked at in the {domain}: it must be finite there, and at {example.tolist()} is "
                f"{_value_or_nan(problem, example).tolist()}"
            )
    guard_solution(problem)


def _guard_operator(problem: Problem) -> None:
    key = problem.start.tobytes(), problem.operator.data.tobytes()
    if key in _looked.setdefault(id(problem.operator), (problem.operator, set()))[1]:
        return
    _look(problem)
    _looked[id(problem.operator)][1].add(key)
    if len(_looked) >= KEPT:
        _looked.pop(next(iter(_looked)))


# by operator, which is kept so that its id stays its own: the starts and data at which it passed
_looked: dict[int, tuple[Operator, set[tuple[bytes, bytes]]]] = {}


def _look(problem: Problem) -> None:
    text, generator = text_of(problem), np.random.default_rng(0)
    known = _known(problem)
    seen = known is not None and any(np.array_equal(problem.start, z) for z in known.points)
    if not (slow(problem) and seen):
        text.finite(problem.start, first_look(problem, problem.start))
    if slow(problem):
        return
    for z in problem.start + 0.01 * generator.standard_normal((2, problem.dim)):
        text.finite(z, first_look(problem, z))
    size = (float(np.linalg.norm(problem.start)) or 1.0) / np.sqrt(problem.dim)
    for _ in range(_fitting(problem, ON_A_LINE, 3)):
        # not at the start: round numbers are exact in any type, and kinks lie at them
        z = problem.start + 0.1 * size * generator.standard_normal(problem.dim)
        direction = size * generator.standard_normal(problem.dim)
        noise = floor(lambda w: _value(problem, w), z, direction, ACCURATE)
        if noise > ACCURATE:
            raise OpcheckError(
                f"the operator of {problem.name!r} is accurate to {noise:.0e} of its values at "
                f"{z.tolist()}, as if it computed in float32 or solved inexactly; verdicts need "
                "float64 throughout"
            )


def _fitting(problem: Problem, calls: int, most: int) -> int:
    """How many looks of so many calls each fit into ``LOOKING``; 1 at least, and ``most``."""
    seconds = calls * pace(problem)
    return most if seconds * most <= LOOKING else max(int(LOOKING / seconds), 1)


def looked_at(problem: Problem) -> None:
    """Look at any operator as at a foreign one. Raises OpcheckError as ``guard``."""
    _guard_operator(problem)


def compiled_difference(problem: Problem) -> float:
    """How far F compiled is from F interpreted, relative, at points about the start.

    0 where F runs interpreted. Raises OpcheckError where either fails.
    """
    if _compiled(problem) is None or slow(problem):
        return 0.0
    generator, worst = np.random.default_rng(1), 0.0
    for z in problem.start + 0.1 * generator.standard_normal((4, problem.dim)):
        text = text_of(problem).call(z)
        miss = _length(_value(problem, z) - text)
        worst = max(worst, miss / (_length(text) or 1.0))
    return worst


def _foreign_resolvent(resolvent: Resolvent) -> bool:
    texts = [*visible(resolvent.kernel), resolvent.contains, resolvent.value]
    return any(foreign(f) for f in texts if f is not None)


def undefined(problem: Problem) -> tuple[float, Vector]:
    """The share of points looked at where F is not defined, and one of them.

    They lie in the region, or are what J makes of points about the start and the solution; of F on
    the whole space only NaN counts, since far out a float may overflow. None where F is slow.
    """
    if slow(problem):
        return 0.0, problem.start
    generator, d = np.random.default_rng(0), problem.dim
    whole = problem.region is None and not problem.constrained
    count = _fitting(problem, 1, LOOKED_AT)
    if problem.region is not None:
        at = points(problem, count, generator)
    else:
        centre = problem.start if problem.solution is None else problem.solution
        scale = 10.0 ** generator.uniform(-3, 1, (count, 1))
        at = centre + scale * generator.standard_normal((count, d))
    if problem.constrained:
        resolvent = _resolvent_of(problem)
        at = np.array([resolvent(z, 1.0) for z in at])
    F = np.array([_value_or_nan(problem, z) for z in at])
    bad = np.isnan(F).any(axis=1) if whole else ~np.isfinite(F).all(axis=1)
    return float(bad.mean()), at[int(np.argmax(bad))]


def guard_solution(problem: Problem) -> None:
    """Raises OpcheckError where the solution is no zero of F + A, or ``project`` gives none.

    What counts is the natural residual z − J_γ(z − γF z) in units of z and of the start's distance,
    with γ so that γF is of that size about z.
    """
    name = problem.name
    if problem.solution is not None:
        residual, size = _residual(problem, problem.solution)
        if not residual <= ACCURATE * size:
            sum_ = f"F + A with A = {problem.resolvent.name}" if problem.constrained else "F"
            raise OpcheckError(
                f"the solution {problem.solution.tolist()} of {name!r} is no zero of {sum_}: its "
                f"natural residual is {residual:.3g}, where that of points about it is {size:.3g}; "
                "mend it, or leave it out"
            )
    if problem.project is None:
        return
    generator = np.random.default_rng(0)
    near = problem.start + generator.standard_normal((2, problem.dim))
    for z in [problem.start, *near]:
        p = _projected(problem, z)
        residual, size = _residual(problem, p)
        if not residual <= ACCURATE * size:
            raise OpcheckError(
                f"project of {name!r} takes {z.tolist()} to {p.tolist()}, which is no solution: "
                f"its natural residual is {residual:.3g}, where that of points about it is "
                f"{size:.3g}"
            )
        again = _projected(problem, p)
        if not np.linalg.norm(again - p) <= MARGIN * np.linalg.norm([*z, *p]):
            raise OpcheckError(
                f"project of {name!r} is no projection: it takes {p.tolist()}, a value of its own, "
                f"to {again.tolist()}"
            )


def _projected(problem: Problem, z: Vector) -> Vector:
    assert problem.project is not None
    try:
        with limited(f"project of {problem.name!r}"):
            p = np.asarray(problem.project(z.copy()), dtype=float)
    except OpcheckError:
        raise
    except (Exception, SystemExit) as error:
        raise OpcheckError(
            f"project of {problem.name!r} raises {type(error).__name__} at {z.tolist()}: {error}"
        ) from error
    if p.shape != z.shape or not np.isfinite(p).all():
        raise OpcheckError(
            f"project of {problem.name!r} takes {z.tolist()} to {p.tolist()}; it must return "
            f"{problem.dim} finite numbers"
        )
    return p


@np.errstate(all="ignore")  # what is not finite is no residual
def _residual(problem: Problem, z: Vector) -> tuple[float, float]:
    """‖z − J_γ(z − γF z)‖, and the size that it is to be small beside."""
    away = _length(z - problem.start)
    size = max(away, _length(z)) or 1.0
    generator, count = np.random.default_rng(0), 1 if slow(problem) else 5
    about = z + size / np.sqrt(z.size) * generator.standard_normal((count, z.size))
    resolvent = _resolvent_of(problem)
    if problem.constrained:
        about = np.array([z, *[resolvent(p, 1.0) for p in about]])
    lengths = np.array([_length(_value(problem, p)) for p in about])
    lengths = lengths[np.isfinite(lengths) & (lengths > 0)]
    gamma = size / float(np.median(lengths)) if lengths.size else 1.0
    return (
        _length(z - resolvent(z - gamma * _value(problem, z), gamma)),
        size,
    )


def _length(v: Vector) -> float:
    """‖v‖, also where its square is no float."""
    top = float(np.abs(v).max())
    return top * float(np.linalg.norm(v / top)) if 0 < top < np.inf else top


def _value_or_nan(problem: Problem, z: Vector) -> Vector:
    """F(z); NaN where it raises an error of arithmetic, as the logarithm of −1 does in Python."""
    try:
        return _value(problem, z)
    except OpcheckError as error:
        if isinstance(error.__cause__, ArithmeticError | ValueError):
            return np.full(problem.dim, np.nan)
        raise


def _value(problem: Problem, z: Vector) -> Vector:
    """F(z), by compiled code where there is any: what runs interpreted has been looked at."""
    op, F = problem.operator, _compiled(problem)
    if F is None:
        return text_of(problem).call(z)
    out = np.zeros(problem.dim)
    try:
        with np.errstate(all="ignore"):
            if foreign(op.kernel):
                what = f"{text_of(problem).subject} at {z.tolist()}"
                with quiet():
                    apart(lambda: F(z, out, op.data), what)
            else:
                F(z, out, op.data)
    except (IndexError, ValueError, ArithmeticError, SystemExit) as error:
        raise text_of(problem).blame(error, z) from error
    return out


def _compiled(problem: Problem) -> Any:
    """F compiled, or None where it runs interpreted."""
    op = problem.operator
    return None if op.interpreted else _fast(op.compiled or op.kernel, "operator")


def _resolvent_of(problem: Problem) -> Callable[[Vector, float], Vector]:
    """J as a function of z and γ, compiled unless it is foreign."""
    resolvent = problem.resolvent
    if _foreign_resolvent(resolvent):
        return text_of_resolvent(resolvent).call
    kernel = _fast(resolvent.kernel, "resolvent") or resolvent.kernel

    def resolved(z: Vector, gamma: float) -> Vector:
        out = np.empty(problem.dim)
        kernel(z, gamma, out, resolvent.data)
        return out

    return resolved


def _fast(kernel: Any, role: str) -> Any:
    """A text compiled, or None where numba can't."""
    try:
        return jit(kernel, role)
    except Uncompilable:
        return None


def blame(problem: Problem, error: BaseException) -> OpcheckError:
    """What a compiled run raised, as an error that names the operator, or the resolvent."""
    texts = [text_of(problem)] if foreign(problem.operator.kernel) else []
    if _foreign_resolvent(problem.resolvent):
        texts.append(text_of_resolvent(problem.resolvent))
    if len(texts) == 2:
        both = f"{texts[0].subject} or {texts[1].subject}"
        return OpcheckError(f"{both} raises {type(error).__name__} in the run: {error}")
    return (texts or [text_of(problem)])[0].blame(error)


def watched(problem: Problem) -> Callable[[Vector, Vector, Vector], None]:
    """The operator's text with inputs that are read-only, as the compiled signature has them."""
    return text_of(problem).watched()


def watched_resolvent(problem: Problem) -> Callable[[Vector, float, Vector, Vector], None]:
    """The same of the resolvent."""
    return text_of_resolvent(problem.resolvent).watched()


# ---- methods -------------------------------------------------------------------------------------

ARGUMENTS = 8  # of a kernel: F, F_data, J, J_data, state, params, k, n
EARLY = 1024  # k below which a single step is made at each
LATE = (*range(EARLY), *sorted({int(k) for k in np.geomspace(EARLY, 1e6, 64)}))
STRETCHES = ((0, 3), (5, 20))  # (k, n): steps that are made in one call and one by one
LARGE = 64  # coordinates of the largest space that a method is tried in
COMPARED = 8  # steps that are compared with the reference
SAME = 1e-9  # relative; by how much a kernel may miss its reference
# Parameters; others are small, so that runs stay. In loops of two, k + j and k − j are one phase.
CHOSEN = {"tau": 3.0, "lam": 0.375, "phi": 1.5}


def guard_method(method: Method, dimension: int = 2) -> None:
    """Run a foreign method interpreted on random affine operators, before it is used.

    Raises OpcheckError, naming the method and what is wrong, if its text raises or reads past its
    rows, if n steps in one call are not n single ones, if it uses n but as ``range(n)``, if a step
    at some k up to a million makes NaN, if it changes params or data, makes other calls of F than
    it declares, declares a form with A ≠ 0 and never calls J, or is not the reference that it
    carries.
    """
    if not trusted(method):
        _guard_names(method)
        guard_text(method, min(dimension, LARGE))
        _guard_count(method)
        _guard_late(method, min(dimension, LARGE))


@functools.lru_cache(maxsize=256)
def trusted(method: Method) -> bool:
    """Whether all of a method's text, and of its base's, comes with opcheck."""
    return not any(foreign(f) for f in visible(method.kernel))


@functools.lru_cache(maxsize=256)
def _guard_names(method: Method) -> None:
    """Raise OpcheckError where a foreign text binds the name of a row to something else.

    ``zbar = 2 * z - last`` leaves the row zbar as it was, and what is measured of it says nothing.
    """
    for node, (state, _, _, _) in _kernels(method):
        rows: set[str] = set()
        for target, value in _bindings(node):
            row = isinstance(value, ast.Subscript) and _is_name(value.value, state)
            if row:
                rows.add(target.id)
            elif target.id in rows:
                raise OpcheckError(
                    f"{method.name} binds {target.id}, a row of its state, to something else in "
                    f"line {target.lineno} of its text, so that the row stays as it was; write "
                    f"{target.id}[:] = ..., or copy(), axpy() or combine() into it"
                )


def _bindings(node: ast.FunctionDef) -> list[tuple[ast.Name, ast.expr]]:
    """Each name that is assigned, with what, in the order of the lines."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for x in ast.walk(node):
        if isinstance(x, ast.Assign):
            for target in x.targets:
                if isinstance(target, ast.Tuple) and isinstance(x.value, ast.Tuple):
                    pairs += zip(target.elts, x.value.elts, strict=False)
                elif isinstance(target, ast.Tuple):
                    pairs += [(each, x.value) for each in target.elts]
                else:
                    pairs.append((target, x.value))
        elif isinstance(x, ast.NamedExpr):
            pairs.append((x.target, x.value))
    named = [(t, v) for t, v in pairs if isinstance(t, ast.Name)]
    return sorted(named, key=lambda pair: (pair[0].lineno, pair[0].col_offset))


def _kernels(method: Method) -> list[tuple[ast.FunctionDef, list[str]]]:
    """The foreign kernels that a method is made of, and how each calls state, params, k and n.

    Raises OpcheckError for one without a text, of which nothing can be said.
    """
    kernels = []
    for function in visible(method.kernel):
        code = function.__code__
        names = [*code.co_varnames[: code.co_argcount]]
        if not foreign(function) or len(names) < ARGUMENTS:
            continue
        if function is method.kernel or names[-2:] == ["k", "n"]:
            node = parsed(function)
            if node is None:
                raise OpcheckError(
                    f"{method.name}: the text of {function.__name__} can't be read, so that "
                    "nothing can be said of how it uses n: it was made by exec, typed at a prompt, "
                    "or its file has changed since; write it as a function in a file"
                )
            kernels.append((node, names[-4:]))
    return kernels


@functools.lru_cache(maxsize=256)
def _guard_count(method: Method) -> None:
    """Raise OpcheckError where a foreign text uses the number of steps but as ``range(n)``.

    No trial can tell what happens from a hundred steps on, or at the last of many. The loop's own
    variable counts from where a call began, so that it may stand only beside k, as k + j.
    """
    for node, (_, _, k, n) in _kernels(method):
        nodes = list(ast.walk(node))
        loops = [x for x in nodes if isinstance(x, ast.For) and _ranges_over(x.iter, n)]
        counters = {x.target.id for x in loops if isinstance(x.target, ast.Name)}
        sums = [x for x in nodes if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Add)]
        pairs = [(x.left, x.right) for x in sums] + [(x.right, x.left) for x in sums]
        allowed = {id(v) for u, v in pairs if _is_name(u, k) and not _is_name(v, n)}
        allowed |= {id(x) for loop in loops for x in (*ast.walk(loop.iter), loop.target)}
        for x in nodes:
            if isinstance(x, ast.Name) and x.id in {n, *counters} and id(x) not in allowed:
                raise OpcheckError(
                    f"{method.name} uses {x.id} in line {x.lineno} of its text: n, the number of "
                    "steps in one call, may stand only in for _ in range(n), whose variable may "
                    "stand only in k + j; steps are counted by k, which goes on from call to call"
                )


def _ranges_over(node: ast.expr, name: str) -> bool:
    """Whether a node is ``range(name)``."""
    return (
        isinstance(node, ast.Call)
        and _is_name(node.func, "range")
        and len(node.args) == 1
        and _is_name(node.args[0], name)
    )


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


@functools.lru_cache(maxsize=256)
def _guard_late(method: Method, dimension: int) -> None:
    """Raise OpcheckError where a single step at some k of LATE raises, or makes NaN of numbers.

    What a float is too small for is no fault of a text, as 2**k.
    """
    rng = np.random.default_rng(0)
    ks = LATE[:EARLY] if any(p.sequence for p in method.parameters) else LATE
    trial = _Trial(method, dimension, method.constrained, rng, length=EARLY + 1)
    rows = trial.start(1, rng)
    for k in ks:
        try:
            after = trial.advance(rows, k, 1)
        except OpcheckError as error:
            if isinstance(error.__cause__, OverflowError):
                break
            raise OpcheckError(f"{error} (in the step at k = {k})") from error
        if np.isnan(after).any():
            raise OpcheckError(
                f"{method.name} makes NaN in the step at k = {k}: some coefficient of its text has "
                "no value there, as 0/0"
            )


@functools.lru_cache(maxsize=256)
def guard_text(method: Method, dimension: int) -> None:
    """The same of any method."""
    rng = np.random.default_rng(0)
    outside = _outside(method)
    forms = (False, True) if method.constrained else (False,)
    for constrained in forms:
        for k, n in STRETCHES:
            trial = _Trial(method, dimension, constrained, rng)
            start = trial.start(k, rng)
            together = trial.advance(start, k, n)
            single, counts = start, []
            for j in range(k, k + n):
                trial.calls = 0
                single = trial.advance(single, j, 1)
                counts.append(trial.calls)
            again = trial.advance(start, k, n)
            if not np.array_equal(together, again, equal_nan=True):
                raise OpcheckError(
                    f"{method.name} gives two answers from one state: it keeps something outside "
                    "of its rows; declare a row for it"
                )
            if not np.array_equal(together, single, equal_nan=True):
                names = [
                    name
                    for name, u, v in zip(method.rows, together, single, strict=True)
                    if not np.array_equal(u, v, equal_nan=True)
                ]
                raise OpcheckError(
                    f"{method.name}: {n} steps from k = {k} in one call are not {n} "
                    f"single ones (row {names[0]} differs); count k += 1 within a call, use n for "
                    "nothing but the loop, and keep what is carried over in a row"
                )
            if k:
                trial.compare(counts, k)
            if constrained and not trial.resolvents:
                raise OpcheckError(
                    f"{method.name} is declared constrained=True and never calls J; call "
                    "J(z, gamma, out, J_data), or declare constrained=False"
                )
    if _outside(method) != outside:
        raise OpcheckError(
            f"{method.name} changes something outside of its rows in every call; declare a row for "
            "it, or count by k"
        )
    if method.reference is not None:
        for constrained in forms:
            _compare_with_reference(method, dimension, constrained, rng)


def _outside(method: Method) -> list[tuple[str, Any]]:
    """What the foreign texts of a method name or have as defaults, as it is now."""
    seen = []
    for function in filter(foreign, visible(method.kernel)):
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        named = [*callees(function), *((function.__name__, value) for value in defaults)]
        seen += [(name, _as_it_is(value)) for name, value in named if plain(value) is None]
    return seen


def _as_it_is(value: Any) -> Any:
    """Equal before and after where nothing in it changed, as far as it can be told."""
    if isinstance(value, type):
        return repr([(n, v) for n, v in vars(value).items() if not callable(v)])
    try:
        return pickle.dumps(value)
    except Exception:  # whatever a stranger's object raises
        return repr(getattr(value, "__dict__", value))


def _compare_with_reference(
    method: Method, dimension: int, constrained: bool, rng: np.random.Generator
) -> None:
    """Raise OpcheckError where the first steps of a method are not those of its reference."""
    values = values_of(method)
    trial = _Trial(method, dimension, constrained, rng, values)
    state = trial.start(0, rng)

    def F(z: Vector) -> Vector:
        return np.asarray(trial.matrix @ z + trial.offset)

    def J(z: Vector, gamma: float) -> Vector:
        return (z - gamma * trial.pull) / (1 + gamma) if constrained else z.copy()

    theirs = by_reference(method, F, J, state[0].copy(), COMPARED)
    for k in range(COMPARED):
        state = trial.advance(state, k, 1)
        miss = float(np.abs(state[0] - theirs[k + 1]).max())
        if not miss <= SAME * max(1.0, float(np.abs(theirs).max())):
            at = ", ".join(f"{n} = {v[k] if np.ndim(v) else v:g}" for n, v in values.items())
            form = "A(z) = z + c" if constrained else "A = 0"
            raise OpcheckError(
                f"{method.name} is not its reference: step {k + 1} of a run with {form} and "
                f"{at or 'no parameters'} ends {miss:.3g} away from it, the kernel at "
                f"{_brief(state[0])}, the reference at {_brief(theirs[k + 1])}; mend the one that "
                "is not the published formula"
            )


def _brief(point: Vector) -> str:
    more = ", ..." if point.size > 3 else ""
    return f"({', '.join(f'{v:.6g}' for v in point[:3])}{more})"


@functools.lru_cache(maxsize=256)
def guard_measure(measure: Measure) -> None:
    """Take a foreign measure of random rows, interpreted, before it is used.

    Raises OpcheckError, naming the measure, if it raises, changes what it is to look at, answers
    twice differently, or is not the reference that it carries. The second argument and the scratch
    rows are its own.
    """
    if any(foreign(f) for f in visible(measure.kernel)):
        guard_text_of_measure(measure)


def guard_text_of_measure(measure: Measure) -> None:
    """The same of any measure."""
    rng = np.random.default_rng(0)
    matrix = 0.25 * rng.standard_normal((3, 3))
    state = rng.standard_normal((1 + EXTRA_ROWS, 3))
    params = 0.25 + 0.25 * rng.random(16)

    def F(z: Vector, out: Vector, data: Vector) -> None:
        out[:] = matrix @ z

    answers = []
    for scratch in (0.0, 7.0):
        own = state.copy()
        own[[WORK, WORK_2]] = scratch
        try:
            with np.errstate(all="ignore"), limited(f"the measure {measure.name!r}"):
                answers.append(measure.kernel(F, own[0], identity, own[0], own, params.copy(), 3.0))
        except (Exception, SystemExit) as error:
            if isinstance(error, OpcheckError):
                raise
            raise OpcheckError(
                f"the measure {measure.name!r} raises {type(error).__name__}: {error}; its rows "
                "are state[0], state[OTHER], state[BEFORE], state[SOLUTION], state[WORK] and WORK_2"
            ) from error
        looked = [0, BEFORE, SOLUTION]
        if not np.array_equal(own[looked], state[looked]):
            raise OpcheckError(
                f"the measure {measure.name!r} changes what it is to look at; write to state[WORK] "
                "and state[WORK_2] only"
            )
    if not np.array_equal(answers[0], answers[1], equal_nan=True):
        raise OpcheckError(
            f"the measure {measure.name!r} gives two answers for the same rows: it reads scratch "
            "that it has not written, or keeps something between calls"
        )
    if measure.reference is not None:
        miss = measure_error(measure)
        if not miss <= SAME:
            raise OpcheckError(
                f"the measure {measure.name!r} is not its reference: on random rows it is "
                f"{miss:.3g} of it away; mend the one that is not the formula"
            )


class _Trial:
    """A method on one affine operator, and where constrained on one resolvent, both counting."""

    def __init__(
        self,
        method: Method,
        dimension: int,
        constrained: bool,
        rng: np.random.Generator,
        values: Mapping[str, Any] | None = None,
        *,
        length: int = sum(STRETCHES[-1]) + 1,
    ) -> None:
        self.method, self.constrained = method, constrained
        self.matrix = 0.25 * rng.standard_normal((dimension, dimension))
        self.offset, self.pull = rng.standard_normal((2, dimension))
        self.data = np.zeros(1)
        self.data.flags.writeable = False
        self.calls = self.resolvents = 0
        self.reading = self  # resolvents of the sum are asked for here

        def value(name: str, integer: bool) -> Any:
            entry = CHOSEN.get(name, 0.125 + 0.125 * rng.random())
            return int(CHOSEN["tau"]) if integer else entry

        self.values = values or {
            p.name: [value(p.symbol, p.integer) + p.integer * (i % 2) for i in range(length)]
            if p.sequence
            else value(p.symbol, p.integer)
            for p in method.parameters
        }
        self.params = np.array(method.pack(self.values, length), dtype=float)
        self.params.flags.writeable = False

    def start(self, k: int, rng: np.random.Generator) -> Vector:
        """Rows at the start of a run, or any."""
        rows, dimension = len(self.method.rows), self.offset.size
        if k:
            return rng.standard_normal((rows, dimension))
        state = np.repeat(rng.standard_normal((1, dimension)), rows, axis=0)
        for name in self.method.zero:
            state[self.method.rows.index(name)] = 0
        return state

    def advance(self, state: Vector, k: int, n: int) -> Vector:
        """The rows after n steps. Raises OpcheckError for what the text raises."""
        own = state.copy()
        J = self.resolvent if self.constrained else identity
        try:
            with np.errstate(all="ignore"), limited(f"the method {self.method.name!r}"):
                self.method.kernel(self, self.data, J, self.data, own, self.params, float(k), n)
        except OpcheckError:
            raise
        except (Exception, SystemExit) as error:
            raise blame_method(self.method, error) from error
        return own

    def compare(self, counts: list[int], k: int) -> None:
        """Raise OpcheckError where steps make other calls than are declared.

        One that starts a method anew, as every τ-th of Lookahead, may make more.
        """
        declared = np.atleast_1d(self.method.calls_at(self.values))
        should = declared[np.minimum(np.arange(k, k + len(counts)), declared.size - 1)]
        j = int(np.argmin(counts - should))
        if counts[j] != should[j]:
            raise OpcheckError(
                f"{self.method.name} declares calls={self.method.calls}, {should[j]:g} at "
                f"k = {k + j}, and calls F {counts[j]} times there"
            )

    def __call__(self, z: Vector, out: Vector, data: Vector) -> None:
        if np.shares_memory(z, out):
            raise OpcheckError(
                f"{self.method.name} calls F(z, z, F_data): F may read z after it has written to "
                "out; give it another row"
            )
        self.calls += 1
        out[:] = self.matrix @ z + self.offset

    def resolvent(self, z: Vector, gamma: float, out: Vector, data: Vector) -> None:
        """Of A(z) = z + pull."""
        self._positive(gamma)
        out[:] = (z - gamma * self.pull) / (1 + gamma)

    def resolvent_of_sum(
        self,
        F: Any,
        F_data: Any,
        J: Any,
        J_data: Any,
        z: Vector,
        gamma: float,
        out: Vector,
    ) -> None:
        """Of F + A, or of F alone."""
        matrix, right = np.eye(z.size) + gamma * self.matrix, z - gamma * self.offset
        if J is not identity:
            self._positive(gamma)
            matrix, right = matrix + gamma * np.eye(z.size), right - gamma * self.pull
        out[:] = np.linalg.solve(matrix, right)

    def _positive(self, gamma: float) -> None:
        if not gamma > 0:
            raise OpcheckError(
                f"{self.method.name} calls J with gamma = {gamma}; a resolvent has a positive step"
            )
        self.resolvents += 1


def blame_run(
    problem: Problem, method: Method, measures: Sequence[Measure], error: BaseException
) -> OpcheckError:
    """What a run raised, as an error that names the foreign texts that it can be of."""
    foreigners = [f"measure {m.name}" for m in measures if foreign(m.kernel)]
    if not trusted(method):
        foreigners.append(method.name)
        own = foreign(problem.operator.kernel) or _foreign_resolvent(problem.resolvent)
        if len(foreigners) == 1 and not own:
            return blame_method(method, error)
    if not foreigners:
        return blame(problem, error)
    if foreign(problem.operator.kernel):
        foreigners.append(f"the operator of {problem.name!r}")
    if _foreign_resolvent(problem.resolvent):
        foreigners.append(f"the resolvent of A = {problem.resolvent.name}")
    return OpcheckError(
        f"{' or '.join(foreigners)} raises {type(error).__name__} in the run: {error}"
    )


def blame_method(method: Method, error: BaseException) -> OpcheckError:
    """What a method's text raised, as an error that names it."""
    if isinstance(error, IndexError):
        return OpcheckError(
            f"{method.name} reads or writes past an array: {error}; it has the rows "
            f"{', '.join(method.rows)} and no others, its params are "
            f"{', '.join(p.name for p in method.parameters) or 'none'}"
        )
    if isinstance(error, ValueError) and "read-only" in str(error):
        return OpcheckError(
            f"{method.name} writes to params or to data, which are read-only; copy the number"
        )
    return OpcheckError(
        f"{method.name} raises {type(error).__name__}: {error}; a method is a function of "
        "(F, F_data, J, J_data, state, params, k, n)"
    )
