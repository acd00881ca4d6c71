"""Planted errors: a check that can't fail is a defect, so what must come out violated is run too.

Four kinds: a bound cut below what the library is known to reach; a method's text with one error
planted (a sign, a constant, a point, a lost statement); a hypothesis dropped, that is, the theorem
confronted with problems that lack it, as if its best constant held; and a statement that would be
true if it were read otherwise than written, which has to be refused.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import hashlib
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from opcheck import registry
from opcheck.engine.guard import guard_text
from opcheck.engine.steps import from_the_start
from opcheck.errors import OpcheckError, Undecided
from opcheck.evidence.simulation.comparison import compare
from opcheck.evidence.simulation.verify import library
from opcheck.evidence.statement.evaluation import needs_solution
from opcheck.evidence.statement.expressible import refusal
from opcheck.evidence.statement.hypotheses import Constants, Inapplicable, match
from opcheck.model import signature
from opcheck.model.method import Method
from opcheck.model.problem import Problem
from opcheck.model.property import Property
from opcheck.model.result import Result
from opcheck.model.theorem import Theorem, theorem_of
from opcheck.processes import over_processes

CUT = 0.98  # how far below the known tight value a bound is cut
DIMENSION = 2  # of the space in which the guard runs a changed text


@dataclass(frozen=True)
class Mutant(Result):
    """One planted error and its fate.

    Attributes:
        where: the theorem, or the method whose text was changed.
        change: what was done.
        by: ``THEOREM on PROBLEM`` that reported the violation; "" if none did.
    """

    kind: Literal["bound", "kernel", "hypothesis", "reading"]
    where: str
    change: str
    by: str

    @property
    def caught(self) -> bool:
        """Whether some verdict was ``violated`` or, for a kernel that breaks, ``error``."""
        return bool(self.by)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {**asdict(self), "caught": self.caught}


def _violated(
    theorem: Theorem,
    problem: Problem,
    known: Constants | None = None,
    method: Method | None = None,
    scale: float = 1.0,
) -> bool:
    """Whether float64 alone, outside its rounding budget, reports a violation or a NaN."""
    if needs_solution(theorem) and problem.solution_near(problem.start) is None:
        return False
    try:
        known = known or match(theorem, problem)
        compared = compare(theorem, problem, known, method=method, scale=scale)
    except OpcheckError:
        return False
    return any(c.status in ("violated", "error") for c in compared)


def bound_mutants(name: str) -> list[Mutant]:
    """The theorem with its bound cut to 98 % of the ratio that the library reaches."""
    theorem: Theorem = registry.get("theorems", name)
    reach = 1.0 if theorem.claim == "equality" else theorem.reaches
    if not reach or theorem.claim == "must fail":
        return []
    scale = CUT * reach
    by = next((f"{name} on {p.name}" for p in library() if _violated(theorem, p, scale=scale)), "")
    return [Mutant("bound", name, f"bound × {scale:.4g}", by)]


def hypothesis_mutants(theorem: str | Theorem) -> list[Mutant]:
    """The theorem on problems that lack one of its properties, as if its best constant held."""
    theorem = theorem_of(theorem)
    name = theorem.name
    if theorem.claim in ("must fail", "equality"):
        return []
    out = []
    for dropped in theorem.given:
        pretended = _pretend(dropped)
        alone = replace(theorem, given=(dropped,), order="")
        kept = tuple(p for p in theorem.given if p is not dropped)
        rest = replace(theorem, given=kept, order="")
        by = ""
        for problem in library():
            with contextlib.suppress(Inapplicable):
                if not _weaker(dropped, match(alone, problem), pretended):
                    continue
            try:
                known = match(rest, problem)
            except Inapplicable:
                continue
            values = {**known.values, **pretended}
            pretence = Constants(values, {}, "claimed", known.local)
            if _violated(theorem, problem, pretence):
                by = f"{name} on {problem.name}"
                break
        out.append(Mutant("hypothesis", name, f"without {_words(dropped)}", by))
    return out


def _words(dropped: Property) -> str:
    return f"{dropped.kind.name} of {dropped.of}"


def _pretend(dropped: Property) -> dict[str, float]:
    """A constant that the problem is pretended to have: L = 1/4, μ = 1, β = 1; any other is 0."""
    if dropped.symbol is None:
        return {}
    pretended = {"Lipschitz": 0.25, "StronglyMonotone": 1.0, "Cocoercive": 1.0}
    return {str(dropped.constant): pretended.get(dropped.kind.name, 0.0)}


def _weaker(dropped: Property, held: Constants, pretended: dict[str, float]) -> bool:
    """Whether what the problem really has is weaker than the pretended constant."""
    if dropped.symbol is None:
        return False
    symbol = str(dropped.constant)
    real, mock = held.values[symbol], pretended[symbol]
    return real < mock if dropped.kind.better == "larger" else real > mock


class _Change(ast.NodeTransformer):
    """Applies the n-th possible change of a kernel's text and says which it was."""

    def __init__(self, position: int, point: str) -> None:
        self.position = position
        self.point = point  # the text's name of row 0
        self.count = 0
        self.what = ""

    def _take(self, what: str) -> bool:
        self.count += 1
        if self.count - 1 == self.position:
            self.what = what
            return True
        return False

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return node  # which row or parameter is read is not arithmetic; a wrong one may crash

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.USub) and self._take(f"{ast.unparse(node)}: sign lost"):
            return node.operand
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        before = ast.unparse(node)
        if isinstance(node.op, ast.Sub) and self._take(f"{before}: + for −"):
            return ast.BinOp(node.left, ast.Add(), node.right)
        if isinstance(node.op, ast.Add) and self._take(f"{before}: − for +"):
            return ast.BinOp(node.left, ast.Sub(), node.right)
        if isinstance(node.op, ast.Mult) and self._take(f"{before}: factor lost"):
            return node.right
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = ast.unparse(node.func)
        if name == "F" and ast.unparse(node.args[0]) != self.point:
            before = ast.unparse(node)
            if self._take(f"{before}: F at {self.point} instead"):
                return ast.Call(node.func, [ast.Name(self.point, ast.Load()), *node.args[1:]], [])
        if name == "axpy" and isinstance(node.args[2], ast.UnaryOp):
            before = ast.unparse(node)
            if self._take(f"{before}: step × 3/2"):
                longer = ast.BinOp(
                    ast.BinOp(ast.Constant(3), ast.Mult(), node.args[2]), ast.Div(), ast.Constant(2)
                )
                return ast.Call(node.func, [*node.args[:2], longer, node.args[3]], [])
        return node

    def visit_Expr(self, node: ast.Expr) -> Any:
        self.generic_visit(node)
        text = ast.unparse(node)
        call = isinstance(node.value, ast.Call)
        if call and not text.startswith(("F(", "resolvent")) and self._take(f"{text}: lost"):
            return ast.Pass()
        return node


def kernel_changes(kernel: Callable[..., None]) -> Iterator[tuple[str, Callable[..., None]]]:
    """(what was changed, the changed kernel) for every change of its loop that is tried."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kernel)))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.decorator_list = []
    number = 0
    while True:
        changed = copy.deepcopy(tree)
        target = changed.body[0]
        assert isinstance(target, ast.FunctionDef)
        rows = next(s for s in target.body if isinstance(s, ast.Assign))
        change = _Change(number, ast.unparse(rows.targets[0]).strip("()").split(",")[0])
        for statement in target.body:
            if isinstance(statement, ast.For):
                change.visit(statement)
        if not change.what:
            return
        number += 1
        yield change.what, _made(kernel, ast.unparse(ast.fix_missing_locations(changed)))


def _made(kernel: Callable[..., None], source: str) -> Callable[..., None]:
    filename = f"<mutant {kernel.__name__} {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope = dict(kernel.__globals__)
    exec(compile(source, filename, "exec"), scope)
    compiled: Callable[..., None] = scope[kernel.__name__]
    return compiled


def kernel_mutants(name: str) -> list[Mutant]:
    """Every change of a method's text, against every theorem about it, until one is violated.

    Theorems about Lookahead over the method count as being about it.
    """
    entry = registry.get("methods", name)
    theorems = [registry.get("theorems", n) for n in registry.names("theorems")]
    about = [t for t in theorems if name in t.method.strip(")").split("(")]
    problems = library()
    out = []
    for what, kernel in kernel_changes(entry.kernel):
        by = ""
        for theorem in about:
            method = _changed(theorem.method, name, kernel)
            caught = (p.name for p in problems if _violated(theorem, p, method=method))
            problem_name = next(caught, "")
            if problem_name:
                by = f"{theorem.name} on {problem_name}"
                break
        else:
            by = _refused_by_the_guard(_changed(about[0].method, name, kernel)) if about else ""
        out.append(Mutant("kernel", name, what, by))
    return out


def _refused_by_the_guard(method: Method) -> str:
    """What keeps a method of a user from its first run; "" if nothing.

    A verdict measures after every step, so that none sees an error in how a call of several steps
    counts them.
    """
    try:
        guard_text(method, DIMENSION)
    except OpcheckError as error:
        return f"the guard: {error}"
    return ""


def _changed(written: str, name: str, kernel: Callable[..., None]) -> Method:
    """The method of a name, with the text of one of its parts changed."""
    head, bracket, rest = written.partition("(")
    entry = registry.get("methods", head)
    entry = replace(entry, kernel=kernel, reference=None) if head == name else entry
    changed: Method = entry(_changed(rest[:-1], name, kernel)) if bracket else entry
    return changed


def reading_mutants(name: str) -> list[Mutant]:
    """The theorem with a text or a kernel that could be misread; each has to be refused.

    An argument that is no row, the sum of a number, ‖z‖ for a distance to z*, a kernel that moves
    one coordinate alone, an argument without cases.
    """
    theorem: Theorem = registry.get("theorems", name)
    if theorem.on or theorem.claim == "must fail":
        return []
    misread: dict[str, dict[str, Any]] = {
        "an argument that is no row": {"measure": "norm2(next(z))"},
        "the sum of a number": {"bound": f"({theorem.bound})*upto(1)"},
        "the norm of z for a distance": {"measure": "norm2(z)", "proof": None},
    }
    if theorem.proof is not None:
        misread["an argument without cases"] = {"proof": replace(theorem.proof, cases=())}
    unordered = replace(theorem, order="")  # what is refused is refused for its text
    statements = {what: replace(unordered, **changes) for what, changes in misread.items()}
    flat = replace(unordered, proof=None)
    flat.__dict__["iteration"] = replace(
        theorem.iteration, kernel=_of_one_coordinate(theorem.iteration.kernel)
    )
    statements["a kernel of one coordinate"] = flat
    return [Mutant("reading", name, what, _refused_by(s)) for what, s in statements.items()]


def _of_one_coordinate(kernel: Callable[..., None]) -> Callable[..., None]:
    """The kernel with every coordinate of z but the first left where it was."""

    def advance(
        F: Any, F_data: Any, J: Any, J_data: Any, state: Any, params: Any, k: Any, n: Any
    ) -> None:
        before = [state[0][i] for i in range(1, state[0].shape[0])]
        kernel(F, F_data, J, J_data, state, params, k, n)
        for i, value in enumerate(before):
            state[0][i + 1] = value

    return advance


def _refused_by(statement: Theorem) -> str:
    """What refuses a statement: its registration, or the step model; "" for neither."""
    try:
        signature.check(statement)
    except OpcheckError as error:
        return f"registration: {error}"
    try:
        reason = refusal(statement)
        from_the_start(statement.iteration, statement.A)
    except (OpcheckError, TypeError, Undecided) as error:
        reason = str(error)
    return f"the step model: {reason}" if reason else ""


def _plant(job: str) -> list[Mutant]:
    kind, _, name = job.partition(" ")
    makers = {
        "bound": bound_mutants,
        "kernel": kernel_mutants,
        "hypothesis": hypothesis_mutants,
        "reading": reading_mutants,
    }
    return makers[kind](name)


def mutants(
    names: Sequence[str], jobs: int = 1, progress: Callable[[str], None] | None = None
) -> list[Mutant]:
    """Plant errors in the given theorems and in the methods they are about."""
    planted = over_processes(_plant, work_list(names), jobs, progress)
    return [mutant for some in planted for mutant in some]


def work_list(names: Sequence[str]) -> list[str]:
    """One job for each theorem and kind, and for each method they are about."""
    theorems = [registry.get("theorems", n) for n in names]
    methods = sorted({m for t in theorems for m in t.method.strip(")").split("(")})
    kernels = [f"kernel {m}" for m in methods]
    return kernels + [f"{kind} {n}" for kind in ("bound", "hypothesis", "reading") for n in names]
