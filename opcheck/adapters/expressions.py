"""Operators from expressions of sympy and CasADi: read whole, so every reading of F is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opcheck.errors import OpcheckError
from opcheck.model.operator import Operator
from opcheck.model.symbolic import ELEMENTARY, field, gradient


def from_sympy(
    expression: Any, variables: Sequence[Any], *, ascending: Sequence[Any] = ()
) -> Operator:
    """F from expressions of sympy.

    Args:
        expression: a payoff φ, whose derivatives are taken; or a sequence or a column of d
            components of F.
        variables: d symbols, in the order of the coordinates.
        ascending: those of them that ascend φ, with −∂φ in F; the others descend.

    Returns an operator that runs compiled and has every exact reading; of a payoff that all
    descend it keeps φ as its potential.

    Raises OpcheckError for a symbol that is no variable, a function that opcheck does not know,
    ascending variables of a field, and a number that is not real.
    """
    import sympy

    symbols = list(variables)
    if not symbols or not all(isinstance(s, sympy.Symbol) for s in symbols):
        raise OpcheckError("from_sympy takes symbols, as in from_sympy(x*y, [x, y])")
    if len(set(symbols)) < len(symbols):
        raise OpcheckError(f"a variable is named twice in {symbols}")
    if stray := [s for s in ascending if s not in symbols]:
        raise OpcheckError(f"{stray[0]} ascends and is no variable; variables are {symbols}")
    # names of any letters are fine in sympy, and none of them is a name in a formula
    names = [f"z{i}" for i in range(len(symbols))]
    renamed = {s: sympy.Symbol(n, real=True) for s, n in zip(symbols, names, strict=True)}
    several = isinstance(expression, Sequence | sympy.MatrixBase)
    parts = [_renamed(e, renamed) for e in (list(expression) if several else [expression])]
    joined = " ".join(names)
    if several:
        if ascending:
            raise OpcheckError("components of F are as they are; only a payoff is ascended")
        return field([str(p) for p in parts], joined)
    if not ascending:
        return gradient(str(parts[0]), joined)
    slopes = [sympy.diff(parts[0], renamed[s]) * (-1 if s in ascending else 1) for s in symbols]
    return field([str(slope) for slope in slopes], joined)


def _renamed(expression: Any, renamed: Any) -> Any:
    """The expression in the names of a formula, with floats as the exact numbers that they are."""
    import sympy

    try:
        parsed = sympy.sympify(expression)
    except (sympy.SympifyError, TypeError) as error:
        raise OpcheckError(f"{expression!r} is no expression of sympy") from error
    if unknown := parsed.free_symbols - set(renamed):
        names = ", ".join(sorted(map(str, unknown)))
        raise OpcheckError(f"{expression} holds {names}, which is no variable; give it a value")
    functions = {f.func.__name__ for f in parsed.atoms(sympy.Function)}
    if strange := sorted(functions - {*ELEMENTARY}):
        raise OpcheckError(
            f"{expression} holds {strange[0]}; opcheck knows {', '.join(ELEMENTARY)} and powers"
        )
    exact = {f: sympy.Rational(float(f)) for f in parsed.atoms(sympy.Float)}
    return parsed.xreplace(exact).xreplace(renamed)


def from_casadi(expression: Any, variables: Any, *, ascending: Any = None) -> Operator:
    """F from an expression of CasADi, of SX or MX.

    Args:
        expression: a payoff φ, one entry, whose gradient is taken; or a column of d components.
        variables: a column of d symbols, or a list of such.
        ascending: those that ascend φ, likewise; the others descend.

    Returns an operator as ``from_sympy``: its operations are read one by one.

    Raises OpcheckError for an operation that opcheck does not know, for other symbols than the
    variables, and for a column of another length.
    """
    import casadi

    z = _column(variables)
    value = casadi.vertcat(*expression) if isinstance(expression, list | tuple) else expression
    size = z.numel()
    if value.numel() == 1 and size > 1:
        sign = [1.0] * size
        for i in _places(z, ascending):
            sign[i] = -1.0
        value = casadi.DM(sign) * casadi.gradient(value, z)
    elif ascending is not None:
        raise OpcheckError("components of F are as they are; only a payoff is ascended")
    if value.numel() != size:
        raise OpcheckError(
            f"from_casadi takes one payoff or {size} components, for {size} variables, not "
            f"{value.numel()}"
        )
    try:
        function = casadi.Function("F", [z], [casadi.densify(value)]).expand()
    except RuntimeError as error:
        about = " ".join(str(error).split())
        raise OpcheckError(f"CasADi makes no function of the variables: {about[-300:]}") from error
    import sympy

    symbols = [sympy.Symbol(f"z{i}", real=True) for i in range(size)]
    return from_sympy(_read(function, symbols), symbols)


def _column(variables: Any) -> Any:
    import casadi

    several = list(variables) if isinstance(variables, list | tuple) else [variables]
    return casadi.vertcat(*[casadi.vec(v) for v in several])


def _places(z: Any, ascending: Any) -> list[int]:
    """Where the ascending symbols are among the variables."""
    import casadi

    if ascending is None:
        return []
    column = _column(ascending)
    depends = casadi.jacobian(column, z)
    places = list(casadi.DM(depends.sparsity()).sparsity().get_triplet()[1])
    if len(places) != column.numel():
        raise OpcheckError("ascending holds what is no variable; give symbols of variables")
    return places


def _read(function: Any, symbols: list[Any]) -> list[Any]:
    """The components of a function of scalars, operation by operation."""
    import casadi
    import sympy

    unary = {
        casadi.OP_NEG: lambda a: -a,
        casadi.OP_EXP: sympy.exp,
        casadi.OP_LOG: sympy.log,
        casadi.OP_SQRT: sympy.sqrt,
        casadi.OP_SQ: lambda a: a**2,
        casadi.OP_TWICE: lambda a: 2 * a,
        casadi.OP_SIN: sympy.sin,
        casadi.OP_COS: sympy.cos,
        casadi.OP_TANH: sympy.tanh,
        casadi.OP_ATAN: sympy.atan,
        casadi.OP_INV: lambda a: 1 / a,
        casadi.OP_ASSIGN: lambda a: a,
    }
    binary = {
        casadi.OP_ADD: lambda a, b: a + b,
        casadi.OP_SUB: lambda a, b: a - b,
        casadi.OP_MUL: lambda a, b: a * b,
        casadi.OP_DIV: lambda a, b: a / b,
        casadi.OP_POW: lambda a, b: a**b,
        casadi.OP_CONSTPOW: lambda a, b: a**b,
    }
    work: dict[int, Any] = {}
    components: list[Any] = [sympy.Integer(0)] * len(symbols)
    for i in range(function.n_instructions()):
        operation = function.instruction_id(i)
        taken, out = function.instruction_input(i), function.instruction_output(i)
        if operation == casadi.OP_CONST:
            number = function.instruction_constant(i)
            work[out[0]] = sympy.Rational(number)
        elif operation == casadi.OP_INPUT:
            work[out[0]] = symbols[taken[1]]
        elif operation == casadi.OP_OUTPUT:
            components[out[1]] = work[taken[0]]
        elif operation in unary:
            work[out[0]] = unary[operation](work[taken[0]])
        elif operation in binary:
            work[out[0]] = binary[operation](work[taken[0]], work[taken[1]])
        else:
            raise OpcheckError(
                f"operation {i} of the expression, on {work.get(taken[0]) if taken else ''}, is "
                "none of + - * / **, exp, log, sqrt, sin, cos, tanh, atan; opcheck can't read it"
            )
    return components
