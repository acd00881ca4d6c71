"""Formulas as text: what may stand in one, sequences against numpy, exact literals, ranges."""

from __future__ import annotations

import ast
import operator
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from opcheck.engine.numbers import ball_arithmetic, precision
from opcheck.errors import OpcheckError
from opcheck.model.text import FLOAT, FUNCTIONS, Text, chains, rational_value, text

quick = settings(deadline=None, derandomize=True, max_examples=60)
RECORDED = frozenset({"residual", "distance", "norm2"})
SERIES = arrays(float, st.integers(1, 12), elements=st.floats(-1e3, 1e3))


@pytest.mark.parametrize(
    "source",
    [
        "k.real",
        "k.__class__.__base__",
        "a[0]",
        "(lambda: 1)()",
        "lambda k: k",
        "max(a, b=1)",
        "max(*a, b)",
        "sqrt(2)(3)",
        "np.sqrt(k)",
        "'text'",
        "f'{k}'",
        "b'x'",
        "True",
        "None",
        "...",
        "1j",
        "[1, 2]",
        "(1, 2)",
        "{1: 2}",
        "[k for k in a]",
        "1 if k else 2",
        "a and b",
        "not a",
        "~a",
        "7 // 2",
        "7 % 2",
        "a @ b",
        "a | b",
        "(a := 1)",
        "0 < a < 1",
        "a == b in c",
        "await a",
        "_divide",
        "_literal_0 + 0.5",
        "__builtins__",
        "sqrt",
        "sqrt + 1",
        "eval(k)",
        "__import__(k)",
        "open(k)",
        "residual(z)",
        "next(k)",
        "next(residual, 1)",
    ],
)
def test_only_arithmetic_may_stand_in_a_formula(source: str) -> None:
    with pytest.raises(OpcheckError, match=r"formula|numbers|unknown function"):
        Text(source)


@pytest.mark.parametrize(
    "source", ["", "   ", "a = 1", "a; b", "x if", "1__0", "sqrt(", "import os"]
)
def test_what_is_no_expression_is_refused_by_name(source: str) -> None:
    with pytest.raises(OpcheckError, match="is not a formula"):
        Text(source)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_take_their_own_number_of_arguments(name: str) -> None:
    # numpy would take a second or third argument for the array to write into
    own = {"where": 3, "max": 2, "min": 2, "mod": 2}.get(name, 1)
    for count in range(5):
        first = "a < e" if name == "where" else "a"
        source = f"{name}({', '.join([first, *'bcd'][:count])})"
        if count == own:
            assert Text(source).names - {"e"} == set("abcd"[:count])
        else:
            with pytest.raises(OpcheckError, match=f"{name} takes {own} "):
                Text(source)


def test_evaluation_sees_no_names_but_its_symbols() -> None:
    parsed = text("a + open")
    assert parsed.names == {"a", "open"}
    with pytest.raises(OpcheckError, match=r"no value for open in 'a \+ open'"):
        parsed.evaluate({"a": 1.0})
    assert parsed.evaluate({"a": 1.0, "open": 2.0, "unused": 5.0}) == 3.0


def test_no_symbol_stands_before_a_function() -> None:
    # the parameters of a family are symbols, whatever they are called
    symbols = {"x": 4.0, "sqrt": 7.0, "pi": 3.0, "__builtins__": {"open": open}}
    assert text("sqrt(x) + pi").evaluate(symbols) == 2 + np.pi


def test_names_are_the_free_symbols() -> None:
    parsed = text("R**2*(1 - (gamma*L)**2)/max(k, 1) + pi + γ", RECORDED)
    assert parsed.names == {"R", "gamma", "L", "k", "γ"}
    assert not parsed.recorded


def test_recorded_sequences_get_names_of_their_own() -> None:
    parsed = text("next(residual(zbar)) + distance(z, before) - upto(residual) + L", RECORDED)
    assert parsed.recorded == {
        "residual(zbar)": ("residual", ("zbar",)),
        "distance(z, before)": ("distance", ("z", "before")),
        "residual": ("residual", ()),
    }
    assert parsed.ahead == {"residual(zbar)"}
    assert parsed.names == {"next residual(zbar)", "distance(z, before)", "residual", "L"}


@quick
@given(SERIES)
def test_sums_are_numpys(s: np.ndarray) -> None:
    def value(source: str) -> np.ndarray:
        return text(source, RECORDED).evaluate({"residual": s, "next residual": s[::-1]})

    count = np.arange(len(s))
    np.testing.assert_allclose(
        value("upto(residual)"), [s[: k + 1].sum() for k in count], atol=1e-9
    )
    np.testing.assert_allclose(value("before(residual)"), [s[:k].sum() for k in count], atol=1e-9)
    assert value("best(residual)").tolist() == [min(s[: k + 1]) for k in count]
    assert value("first(residual)") == s[0]
    assert value("next(residual)").tolist() == s[::-1].tolist()
    np.testing.assert_array_equal(
        value("best(abs(residual)) + 1"), value("1 + best(abs(residual))")
    )


def test_sums_of_a_named_row() -> None:
    s = np.array([3.0, 1.0, 2.0])
    parsed = text("upto(residual(zbar))/(k + 1) - best(residual(zbar))", RECORDED)
    got = parsed.evaluate({"residual(zbar)": s, "k": np.arange(3.0)})
    assert got.tolist() == [0.0, 1.0, 1.0]


def test_where_and_mod_choose_entry_by_entry() -> None:
    k = np.arange(6.0)
    got = text("where(mod(k + 1, 3) == 0, k/2, 7)").evaluate({"k": k})
    assert got.tolist() == [7, 7, 1, 7, 7, 2.5]


def test_float_powers_of_integers_neither_wrap_nor_refuse() -> None:
    assert text("10**20").evaluate({}) == 1e20
    assert text("10**(-3)").evaluate({}) == 1e-3
    assert text("7**(2*k)").evaluate({"k": np.arange(40.0)})[39] == pytest.approx(7.0**78)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("0.3", Fraction(3, 10)),
        (" (0.3)", Fraction(3, 10)),
        ("1/3", Fraction(1, 3)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("1e-3", Fraction(1, 1000)),
        ("1.25E2", Fraction(125)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("1_000.5", Fraction(2001, 2)),
        ("-2**(-3)", Fraction(-1, 8)),
        ("(1/3)**3", Fraction(1, 27)),
        ("max(1/3, 0.3)", Fraction(1, 3)),
        ("min(1/3, 0.3)", Fraction(3, 10)),
        ("abs(-7/2)", Fraction(7, 2)),
        ("ceil(7/2)", Fraction(4)),
        ("γ*0.3", Fraction(3, 20)),
        ("0.1*L", Fraction(0.7) / 10),
    ],
)
def test_the_exact_reading_of_a_formula(source: str, value: Fraction) -> None:
    symbols = {"γ": 0.5, "L": 0.7}
    assert rational_value(source, symbols) == value
    exact = {n: fmpq(*v.as_integer_ratio()) for n, v in symbols.items()}
    if "ceil" not in source and "abs" not in source:  # balls there
        got = text(source).evaluate(exact, ball_arithmetic())
        assert got == fmpq(value.numerator, value.denominator)


@pytest.mark.parametrize(
    "source",
    [
        "sqrt(2)",
        "sqrt(2)*L",
        "2**0.5",
        "cos(1)",
        "exp(1)",
        "log(2)",
        "atan(1)",
        "pi",
        "1/0",
        "M",
        "k",
    ],
)
def test_what_is_not_known_to_be_rational_has_no_exact_value(source: str) -> None:
    assert rational_value(source, {"L": 0.7, "k": np.arange(3.0)}) is None


DECIMALS = st.from_regex(r"[0-9]{1,12}\.[0-9]{0,12}(e[+-]?[0-9]{1,2})?", fullmatch=True)


@quick
@given(DECIMALS)
def test_a_decimal_is_read_exactly(source: str) -> None:
    value = Fraction(source)
    assert text(source).evaluate({}, ball_arithmetic()) == fmpq(value.numerator, value.denominator)
    assert rational_value(source, {}) == value
    assert text(source).evaluate({}) == float(source)


TREES = st.recursive(
    st.sampled_from(["a", "b", "2", "7", "0.3"]),
    lambda inner: st.tuples(st.sampled_from("+-*/"), inner, inner).map(
        lambda t: f"({t[1]} {t[0]} {t[2]})"
    ),
    max_leaves=8,
)
FRACTIONS = st.fractions(-9, 9, max_denominator=16)


def _by_hand(node: ast.expr, symbols: dict[str, Fraction]) -> Fraction:
    operations = {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
    }
    if isinstance(node, ast.BinOp):
        act = operations[type(node.op)]
        return act(_by_hand(node.left, symbols), _by_hand(node.right, symbols))
    if isinstance(node, ast.Name):
        return symbols[node.id]
    assert isinstance(node, ast.Constant)
    return Fraction(str(node.value))


@quick
@given(TREES, FRACTIONS, FRACTIONS)
def test_three_readings_of_one_text_agree(source: str, a: Fraction, b: Fraction) -> None:
    symbols = {"a": a, "b": b}
    floats = {n: float(v) for n, v in symbols.items()}
    exact = {n: Fraction(v) for n, v in floats.items()}  # of the float itself, rounded or not
    try:
        wanted = _by_hand(ast.parse(source, mode="eval").body, exact)
    except ZeroDivisionError:
        assert rational_value(source, floats) is None
        return
    assert rational_value(source, floats) == wanted
    with precision(200):
        numbers = {n: fmpq(v.numerator, v.denominator) for n, v in exact.items()}
        got = text(source).evaluate(numbers, ball_arithmetic())
    assert got == fmpq(wanted.numerator, wanted.denominator)


@quick
@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_balls_hold_what_floats_approximate(a: float, b: float) -> None:
    source = "sqrt(a)*exp(-b) + log(a + b)/(1 + cos(a)**2) - atan(b)*sin(a) + abs(a - b)*pi"
    near = text(source).evaluate({"a": a, "b": b}, FLOAT)
    with precision(120):
        exact = {"a": fmpq(*a.as_integer_ratio()), "b": fmpq(*b.as_integer_ratio())}
        ball = text(source).evaluate(exact, ball_arithmetic())
    middle = float(ball.ball.mid())
    assert abs(middle - near) <= 1e-12 * (1 + abs(near) + abs(a - b))


GAMMA_ALPHA = frozenset({"gamma", "alpha"})


def test_ranges_are_read_in_order_with_their_ends() -> None:
    first, second = chains("0 < gamma <= 1/L, -1 <= alpha < 1 + 2*rho/gamma", GAMMA_ALPHA)
    assert (first.name, first.strict, first.parameter) == ("gamma", (True, False), True)
    assert (second.name, second.strict, second.parameter) == ("alpha", (False, True), True)
    assert str(first) == "0 < gamma <= 1/L"
    values = {"L": 4.0, "rho": -0.1, "gamma": 0.5}
    assert first.hi is not None
    assert first.hi.evaluate(values) == 0.25
    assert second.hi is not None
    assert second.hi.evaluate(values) == 0.6
    assert second.lo is not None
    assert second.lo.evaluate({}) == -1


def test_a_reversed_range_is_turned() -> None:
    (turned,) = chains("1/L >= gamma > 0", GAMMA_ALPHA)
    assert str(turned) == "0 < gamma <= 1/L"
    assert turned.strict == (True, False)


@pytest.mark.parametrize(
    ("source", "lo", "hi"), [("gamma < 2", None, "2"), ("2 <= gamma", "2", None)]
)
def test_one_end_may_be_absent(source: str, lo: str | None, hi: str | None) -> None:
    (chain,) = chains(source, GAMMA_ALPHA)
    assert chain.parameter
    assert (chain.lo and str(chain.lo), chain.hi and str(chain.hi)) == (lo, hi)
    assert str(chain) == source


def test_a_part_about_no_parameter_is_a_condition() -> None:
    found = chains("-1/(2*L) < rho, rho <= 0, 0 < gamma < 1", GAMMA_ALPHA)
    assert [c.parameter for c in found] == [False, False, True]
    assert [str(c) for c in found] == ["-1/(2*L) < rho", "rho <= 0", "0 < gamma < 1"]


def test_no_text_is_no_range() -> None:
    assert chains("  ", GAMMA_ALPHA) == []


@pytest.mark.parametrize(
    "source",
    [
        "gamma",
        "gamma == 1",
        "0 < gamma == 1",
        "0 < gamma > 1",
        "0 < gamma < 1 < 2",
        "gamma in L",
        "(0 < gamma, gamma < 1)",
        "0 < < gamma",
        "0 < gamma)",
        "0 < gamma,, alpha < 1",
        "0 < gamma < L.real",
        "0 < gamma < sqrt",
    ],
)
def test_what_is_no_range_is_refused(source: str) -> None:
    with pytest.raises(OpcheckError, match=r"range|may not stand"):
        chains(source, GAMMA_ALPHA)
