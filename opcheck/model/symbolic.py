"""Operators from formulas: F, its derivatives and the kernels all come from sympy expressions."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import linecache
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from opcheck import arguments
from opcheck.errors import OpcheckError
from opcheck.model.operator import Condition, Operator

ELEMENTARY = ("exp", "log", "sin", "cos", "tanh", "sqrt", "atan")
WHOLE = 2**53  # every whole number up to it is a float64


@arguments.asked
def minmax(payoff: str, x: int = 1, y: int = 1, **parameters: float) -> Operator:
    """F = (∇ₓφ, −∇ᵧφ) of min_x max_y φ(x, y).

    Args:
        payoff: φ as a formula in the variables, the parameters and exp, log, sin, cos, tanh, sqrt,
            atan. A player of one dimension is ``x`` (or ``y``), of several ``x0``, ``x1``, ...
        x, y: dimensions of the two players.
        parameters: values of the other symbols.

    Raises OpcheckError for a formula with an unknown symbol or function, and for a value that no
    symbol takes.
    """
    import sympy

    arguments.refuse_unused(minmax, parameters, [payoff])
    ours, theirs = _variables("x", x), _variables("y", y)
    asked: dict[Any, bool] = {}
    phi = _parse(payoff, [*ours, *theirs], parameters, asked)
    components = [sympy.diff(phi, sympy.Symbol(v, real=True)) for v in ours]
    components += [-sympy.diff(phi, sympy.Symbol(v, real=True)) for v in theirs]
    return _build(components, [*ours, *theirs], parameters, f"min max {payoff}", asked)


@arguments.asked
def field(components: Sequence[str], variables: str, **parameters: float) -> Operator:
    """F from one formula per coordinate.

    Args:
        components: d formulas in the variables and the parameters.
        variables: d names, separated by blanks.
        parameters: values of the other symbols.

    Raises OpcheckError for a wrong count, an unknown symbol or function, and for a value that no
    symbol takes.
    """
    names = variables.split()
    if len(names) != len(components):
        raise OpcheckError(
            f"a field in {len(names)} variables has {len(names)} components, not {len(components)}"
        )
    arguments.refuse_unused(field, parameters, components)
    asked: dict[Any, bool] = {}
    parsed = [_parse(c, names, parameters, asked) for c in components]
    return _build(parsed, names, parameters, f"F = ({', '.join(components)})", asked)


@arguments.asked
def gradient(potential: str, variables: str = "x", **parameters: float) -> Operator:
    """F = ∇f of one formula, which the operator keeps as its potential.

    Args:
        potential: f as a formula in the variables and the parameters, as for ``minmax``.
        variables: d names, separated by blanks.
        parameters: values of the other symbols.

    Raises OpcheckError for a formula with an unknown symbol or function, and for a value that no
    symbol takes.
    """
    import sympy

    arguments.refuse_unused(gradient, parameters, [potential])
    names = variables.split()
    asked: dict[Any, bool] = {}
    f = _parse(potential, names, parameters, asked)
    symbols = [sympy.Symbol(v, real=True) for v in names]
    slopes = [sympy.diff(f, s) for s in symbols]
    field_and_gradient = _build(slopes, names, parameters, f"∇({potential})", asked)
    constants: list[Any] = [sympy.Symbol(p, real=True) for p in parameters]
    kernel = _function("potential", [f], symbols, constants)
    data = np.array([_value(c, parameters) for c in constants])
    texts = tuple(_entry(c) for c in constants)
    value = Operator(
        kernel=kernel, data=data, dim=1, formula=potential, entries=texts, symbols=dict(parameters)
    )
    return dataclasses.replace(field_and_gradient, potential=value)


def _variables(stem: str, count: int) -> list[str]:
    return [stem] if count == 1 else [f"{stem}{i}" for i in range(count)]


class _Term:
    """A part of a formula as it is read: sympy's value of it, which may cancel, and what it asks.

    Every denominator, root and logarithm is noted before sympy can cancel it, so that the notes
    tell where the formula *as written* is defined and smooth.
    """

    def __init__(self, value: Any, asked: dict[Any, bool]) -> None:
        self.value, self.asked = value, asked  # expression -> whether it must be > 0 or only != 0

    def _with(self, other: Any, operation: Callable[[Any, Any], Any]) -> _Term:
        return _Term(operation(self.value, getattr(other, "value", other)), self.asked)

    def __add__(self, other: Any) -> _Term:
        return self._with(other, lambda p, q: p + q)

    def __sub__(self, other: Any) -> _Term:
        return self._with(other, lambda p, q: p - q)

    def __mul__(self, other: Any) -> _Term:
        return self._with(other, lambda p, q: p * q)

    def __truediv__(self, other: Any) -> _Term:
        self.ask(other.value, False)
        return self._with(other, lambda p, q: p / q)

    def __pow__(self, other: Any) -> _Term:
        if not other.value.is_Integer:
            self.ask(self.value, True)
        elif other.value < 0:
            self.ask(self.value, False)
        return self._with(other, lambda p, q: p**q)

    def __neg__(self) -> _Term:
        return _Term(-self.value, self.asked)

    def __pos__(self) -> _Term:
        return self

    def ask(self, value: Any, positive: bool) -> None:
        """Note that an expression must not vanish, or be positive."""
        import sympy

        if value.is_number:
            if value.is_zero or (positive and not value.is_positive):
                what = "the root, power or logarithm" if positive else "a quotient"
                raise OpcheckError(f"{what} of {value} is not defined")
        elif not positive and value.is_Mul:
            for factor in value.args:
                self.ask(factor, False)
        elif not positive and value.is_Pow and value.exp.is_Integer:
            self.ask(value.base, False)
        elif not isinstance(value, sympy.exp):
            self.asked[value] = positive or self.asked.get(value, False)


def _parse(
    source: str,
    variables: Sequence[str],
    parameters: Mapping[str, float],
    asked: dict[Any, bool],
) -> Any:
    """The formula as an expression; ``asked`` grows by what must not vanish, or be positive."""
    import sympy
    from sympy.parsing.sympy_parser import parse_expr, rationalize, standard_transformations

    if "^" in source:
        raise OpcheckError(f"{source!r} may not stand in a formula: a power is written **")

    def term(make: Callable[..., Any], positive: bool = False) -> Callable[..., _Term]:
        def call(*arguments: Any) -> _Term:
            if positive:
                for a in arguments:
                    a.ask(a.value, True)
            return _Term(make(*(getattr(a, "value", a) for a in arguments)), asked)

        return call

    known = {v: sympy.Symbol(v, real=True) for v in [*variables, *parameters]}
    names: dict[str, Any] = {
        name: term(getattr(sympy, name), name in ("log", "sqrt")) for name in ELEMENTARY
    }
    names |= {"pi": _Term(sympy.pi, asked)} | {n: _Term(v, asked) for n, v in known.items()}
    internal: dict[str, Any] = {
        n: term(getattr(sympy, n)) for n in ("Integer", "Float", "Rational", "Symbol")
    }
    internal["Function"] = lambda name: term(sympy.Function(name))
    try:
        read = parse_expr(
            source,
            local_dict=names,
            global_dict=internal,
            transformations=(*standard_transformations, rationalize),
        )
        expression = read.value
        free = expression.free_symbols
    except Exception as error:
        raise OpcheckError(f"{source!r} is not a formula: {error}") from error
    unknown = {str(s) for s in free} - known.keys()
    unknown |= {str(f.func) for f in expression.atoms(sympy.core.function.AppliedUndef)}
    if unknown:
        raise OpcheckError(
            f"{source!r} uses {', '.join(sorted(unknown))}, neither a variable "
            f"({' '.join(variables)}) nor a parameter; give it one (-p a=2 or a keyword)"
        )
    return expression


def _conditions(
    asked: Mapping[Any, bool], variables: list[str], parameters: Mapping[str, float]
) -> tuple[Condition, ...]:
    return tuple(
        Condition(_build([value], variables, parameters, str(value)), positive)
        for value, positive in asked.items()
    )


def _build(
    components: Sequence[Any],
    variables: list[str],
    parameters: Mapping[str, float],
    formula: str,
    asked: Mapping[Any, bool] | None = None,
) -> Operator:
    import sympy

    symbols = [sympy.Symbol(v, real=True) for v in variables]
    constants: list[Any] = [sympy.Symbol(p, real=True) for p in parameters]
    kernel = _function("field", [sympy.sympify(c) for c in components], symbols, constants)

    def derive() -> Operator:
        slopes = [sympy.diff(c, s) for c in components for s in symbols]
        return _build(slopes, variables, parameters, f"Jacobian of {formula}")

    return Operator(
        kernel=kernel,
        data=np.array([_value(c, parameters) for c in constants]),
        dim=len(components),
        formula=formula,
        entries=tuple(_entry(c) for c in constants),
        symbols=dict(parameters),
        derive=derive,
        conditions=_conditions(asked or {}, variables, parameters),
    )


def _entry(constant: Any) -> str:
    """A constant as a text of ``model.text``, which knows neither e nor tanh."""
    import sympy

    if constant.is_Rational:
        return f"{constant.p}/{constant.q}"
    if constant is sympy.E:
        return "exp(1)"
    if not constant.args:
        return str(constant)
    parts = [f"({_entry(a)})" for a in constant.args]
    if constant.is_Add or constant.is_Mul or constant.is_Pow:
        if constant.is_Pow and constant.exp == sympy.Rational(1, 2):
            return f"sqrt{parts[0]}"
        return ("+" if constant.is_Add else "*" if constant.is_Mul else "**").join(parts)
    if isinstance(constant, sympy.tanh):
        return f"1 - 2/(exp(2*{parts[0]}) + 1)"
    return f"{constant.func.__name__}{parts[0]}"


def _value(constant: Any, parameters: Mapping[str, float]) -> float:
    if not constant.is_number:
        return float(parameters[str(constant)])
    try:
        value = float(constant if constant.is_Rational else constant.evalf(30))
    except (TypeError, OverflowError):
        value = np.inf
    if not np.isfinite(value):
        raise OpcheckError(f"the constant {constant} of the formula is no number of float64")
    return value


def _function(
    name: str, expressions: Sequence[Any], variables: Sequence[Any], constants: list[Any]
) -> Callable[..., None]:
    """Generate ``name(z, out, data)``; ``constants`` grows by the numbers that data must hold."""
    import sympy

    steps, results = sympy.cse(expressions, symbols=sympy.numbered_symbols("t"))
    place = {v: f"z[{i}]" for i, v in enumerate(variables)}
    lines = [f"    {s} = {_print(e, place, constants)}" for s, e in steps]
    lines += [f"    out[{i}] = {_print(e, place, constants)}" for i, e in enumerate(results)]
    # a constant component must still be a number of the reading
    source = f"def {name}(z, out, data):\n" + "\n".join(lines) + "\n"
    return _compile(name, source)


@functools.lru_cache(maxsize=512)
def _compile(name: str, source: str) -> Callable[..., None]:
    filename = f"<opcheck {name} {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope: dict[str, Any] = {"np": np, "__name__": __name__}
    exec(compile(source, filename, "exec"), scope)
    function: Callable[..., None] = scope[name]
    return function


def _elementary(number: Any) -> bool:
    import sympy

    return all(f.func.__name__ in ELEMENTARY for f in number.atoms(sympy.Function))


def _print(e: Any, place: dict[Any, str], constants: list[Any]) -> str:
    import sympy

    def show(x: Any) -> str:
        return _print(x, place, constants)

    if e in place:
        return place[e]
    if e.is_Integer and abs(e) <= WHOLE:
        return f"({e})" if e < 0 else str(e)
    # a number that is not whole is data, as a text: computed in the kernel it would be a float,
    # which no exact reading can tell from the number that was meant
    if e in constants or (e.is_number and _elementary(e)):
        if e not in constants:
            constants.append(e)
        return f"data[{constants.index(e)}]"
    if e.is_Symbol:
        return str(e)
    if e.is_Add:
        return "(" + " + ".join(show(a) for a in e.args) + ")"
    if e.is_Mul:
        numerator: list[Any] = []
        denominator: list[Any] = []
        for factor in e.args:
            base, power = factor.as_base_exp()
            negative = power.is_Integer and power < 0 and not factor.is_Rational
            (denominator if negative else numerator).append(base**-power if negative else factor)
        top = "*".join(show(f) for f in numerator) or "1"
        bottom = "*".join(show(f) for f in denominator)
        return f"({top})/({bottom})" if bottom else f"({top})"
    if e.is_Pow:
        base, power = e.args
        if power.is_Integer and power > 0:
            return "(" + "*".join([show(base)] * int(power)) + ")"
        if power.is_Integer:
            return f"(1/{show(base**-power)})"
        if power == sympy.Rational(1, 2):
            return f"np.sqrt({show(base)})"
        log = show(sympy.log(base)) if base.is_number else f"np.log({show(base)})"
        return f"np.exp({show(power)}*{log})"
    name = e.func.__name__
    if name in ELEMENTARY:
        return f"np.{'arctan' if name == 'atan' else name}({show(e.args[0])})"
    raise OpcheckError(
        f"{e} can't become a kernel; permitted functions are {', '.join(ELEMENTARY)}"
    )
