"""Does a development say what opcheck says? Its text is evaluated on exact rationals.

A kernel's word is worth as much as the statement it is about, and that no kernel can see.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq
from oracles.exact_runs import Affine, Run, rational
from oracles.rocq_text import Development, Reading, Vector, function, inner
from registered import exported

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.proofs.prove import fixed_choices, opened
from opcheck.evidence.statement.exact_parameters import setting
from opcheck.model import grammar
from opcheck.model.property import Property
from opcheck.model.theorem import Theorem
from opcheck.rocq import development as rocq
from opcheck.rocq.names import prelude

registry.load()
# a start that is not like the rest, resolvents of F, A and S, sums, powers, loops, schedules, roots
FEW = [
    "alacaoglu2024_conic_halpern",
    "baillon1996_km_last",
    "cai2022_peg_potential",
    "eckstein1992_dr_fejer",
    "elementary_bilinear_proximal_point",
    "elementary_first_steps_golden_ratio",
    "gidel2019_peg_contraction",
    "gorbunov2022_eg_last",
    "lieder2021_halpern",
    "malitsky2020_golden_ratio",
    "park2022_oc_halpern",
    "pethick2023_ikm_last",
    "pethick2023_inner_loop",
    "pethick2023_la_eg",
    "tseng2000_fbf_average",
]
SOME = [n if n in FEW else pytest.param(n, marks=pytest.mark.slow) for n in exported()]
STEPS = 5
DIMENSIONS = (1, 2, 3, 5)
BEYOND = (0, 1, 3)  # the least of a length that is open: these are tried
BEYOND_ALL = 400  # a last k that no step here reaches
PRIMES = (101, 103, 107, 109, 113, 127, 131, 137)


@functools.cache
def developments(name: str) -> list[tuple[dict[str, int], Development]]:
    """What is written for a theorem, at each choice of its whole parameters.

    What is about every number from one on is there with some of these numbers.
    """
    theorem = registry.get("theorems", name)
    written = rocq.export(theorem)
    modules = [full.rpartition(".")[2] for full in written.names]
    out = []
    for case, module in zip(fixed_choices(theorem.proof), modules, strict=True):
        development = Development(written.text, module)
        open_too = not all(v.isdigit() for v in case.values())
        for further in BEYOND if open_too else (0,):
            whole = {n: opened(v)[0] + further * (not v.isdigit()) for n, v in case.items()}
            out.append((whole, development))
    return out


def lengths(theorem: Theorem, written: Development) -> dict[str, str]:
    """The words of whole parameters that the development takes, by their names."""
    whole = [p.symbol for p in theorem.iteration.parameters if p.integer]
    words = {n: word(theorem, n, written.text) for n in whole if re.search(rf"\b{n}", written.text)}
    return {n: w for n, w in words.items() if f"({w} : nat)" in written.text}


def steps(whole: dict[str, int]) -> int:
    """How many steps are looked at: beyond the first loop, where there is one."""
    return max([STEPS, *(n + 2 for n in whole.values())])


def plain(value: Any) -> Any:
    return Fraction(int(value.p), int(value.q)) if isinstance(value, fmpq) else value


def root(value: Any) -> Any:
    """A number that stands for the root: the same for the same, and else unlike."""
    q = plain(fmpq(value) if isinstance(value, int) else value)
    return type(value)(1) * 0 + (3 * q.numerator + 7) / (type(value)(q.denominator) + 11)


def word(theorem: Theorem, name: str, text: str) -> str:
    """The word that a development has for a symbol: the name, with _ where it was taken."""
    return next(w for w in (f"{name}__", f"{name}_", name) if re.search(rf"\b{w}\b", text))


def drawn(theorem: Theorem, whole: dict[str, int], draw: np.random.Generator) -> dict[str, fmpq]:
    """Numbers for the constants and the real parameters; no inequality is needed of them."""
    constants = [p.symbol for p in theorem.asked if p.symbol is not None]
    names = [*constants, *(c.name for c in [*theorem.conditions, *theorem.chains])]
    real = [n for n in dict.fromkeys(names) if n not in whole and n.isidentifier()]
    # each over a prime of its own: no difference of simple expressions is 0
    values = {n: fmpq(int(draw.integers(10, 999)), p) for n, p in zip(real, PRIMES, strict=False)}
    for prop in theorem.asked:
        if prop.symbol is not None and not prop.kind.positive and draw.integers(2):
            values[prop.symbol] = -values[prop.symbol]
    return values


def told(
    theorem: Theorem,
    whole: dict[str, int],
    written: Development,
    dimension: int,
    seed: int,
    last: int = BEYOND_ALL,
) -> tuple[Run, dict[str, Any]]:
    """A run of the method, made for a last k, and the development's names on its operator."""
    draw = np.random.default_rng([seed, dimension])
    operator = Affine(draw, dimension, theorem.A != "zero")
    values = drawn(theorem, whole, draw)
    count = min(steps(whole) + 2, last)
    counts = {**whole, "K": last} if theorem.proof.horizon == "K" else whole
    run = Run(theorem, operator, values, counts, count, lambda x: root(x))
    point = lambda v: Vector(map(plain, v))  # noqa: E731
    back = lambda v: [fmpq(a.numerator, a.denominator) for a in map(Fraction, v)]  # noqa: E731
    names: dict[str, Any] = {word(theorem, n, written.text): plain(v) for n, v in values.items()}
    names |= {w: whole[n] for n, w in lengths(theorem, written).items()}
    names["K"] = last
    names |= {"z0": point(operator.start), "zstar": point(operator.solution)}
    names["F"] = function(1)(lambda v: point(operator.F(back(v))))
    names = written.names(names, root)
    for hypothesis in written.hypotheses.values():
        said = re.fullmatch(r"Resolvent (.*) (A|\(plus F A\)|\(graph F\)) (J[AFS])", hypothesis)
        if said:
            of = {"A": "A", "(plus F A)": "S", "(graph F)": "F"}[said[2]]
            size = fmpq(*Fraction(written.value(said[1], names)).as_integer_ratio())
            names[said[3]] = function(1)(
                lambda v, of=of, size=size: point(operator.resolvent(of, size, back(v)))
            )
    return run, names


@pytest.mark.parametrize("name", SOME)
@pytest.mark.sampled(4)
def test_the_iteration_is_the_kernels(name: str) -> None:
    theorem = registry.get("theorems", name)
    for whole, written in developments(name):
        for dimension in DIMENSIONS:
            run, names = told(theorem, whole, written, dimension, 1)
            for k in range(steps(whole) + 1):
                for row, own in zip(theorem.iteration.rows, run.states[k], strict=True):
                    if row in written.rows:
                        expected = tuple(map(plain, own))
                        state = written.value(f"row_{row} (run k)", {**names, "k": k})
                        assert state == expected, (row, k, dimension)
            # and rows by their names
            for row in written.rows:
                value = written.value(f"{word(theorem, row, written.text)} k", {**names, "k": 2})
                i = theorem.iteration.rows.index(row)
                assert value == tuple(map(plain, run.states[2][i]))


@pytest.mark.parametrize("name", SOME)
def test_both_sides_are_those_of_the_texts(name: str) -> None:
    theorem = registry.get("theorems", name)
    for whole, written in developments(name):
        assert written.first == theorem.first
        assert written.until == theorem.proof.until
        assert written.relation == ("=" if theorem.claim == "equality" else "<=")
        for dimension in DIMENSIONS:
            run, names = told(theorem, whole, written, dimension, 2)
            for k in range(theorem.first, steps(whole)):
                for text, tree in (
                    (written.left, theorem.left.tree),
                    (written.right, theorem.right.tree),
                ):
                    said = written.value(text, {**names, "k": k})
                    assert said == plain(run.value(tree, k)), (text, k, dimension)


HORIZONS = [n for n in exported() if registry.get("theorems", n).proof.horizon == "K"]


@pytest.mark.parametrize("name", HORIZONS)
@pytest.mark.parametrize("last", [1, 2, 3, 6])
def test_a_run_made_for_its_last_k_is_told_up_to_there(name: str, last: int) -> None:
    theorem = registry.get("theorems", name)
    ((whole, written),) = developments(name)
    assert written.to_last
    assert not developments("lieder2021_halpern")[0][1].to_last
    for dimension in DIMENSIONS:
        run, names = told(theorem, whole, written, dimension, 7, last=last)
        differ = set()
        for k in range(theorem.first, last + 1):
            here = {**names, "k": k}
            left, right = (written.value(text, here) for text in (written.left, written.right))
            assert left == plain(run.value(theorem.left.tree, k))
            assert right == plain(run.value(theorem.right.tree, k))
            differ.add(left == 0)
        assert False in differ


@pytest.mark.parametrize(
    "name", [n for n in exported() if "where(" in registry.get("theorems", n).bound]
)
def test_both_branches_are_those_of_the_texts(name: str) -> None:
    theorem = registry.get("theorems", name)
    for whole, written in developments(name):
        outcomes: set[bool] = set()

        def compared(a: Any, b: Any, outcomes: set[bool] = outcomes) -> bool:
            outcomes.add(a <= b)
            return bool(a <= b)

        for seed in range(40):
            run, names = told(theorem, whole, written, 1, seed)
            names["Rle_dec"] = function(2)(compared)
            for k in (theorem.first, theorem.first + 3):
                said = written.value(written.right, {**names, "k": k})
                assert said == plain(run.value(theorem.right.tree, k)), (seed, k)
        assert "Rle_dec" not in written.right or outcomes == {True, False}


@functools.cache
def classes() -> dict[str, tuple[str, str, str]]:
    """name -> (constant, smaller side, larger side) as the prelude has them."""
    out = {}
    for head in re.finditer(
        r"^Definition (\w+)(?: \((\w+) : R\))? \(A : operator\)(?: \(zstar : E\))? := "
        r"forall [xuyv ]+,\s+A x u -> (?:A y v -> )?(.*?) <= (.*?)\.$",
        prelude(),
        re.M | re.S,
    ):
        out[head[1]] = (head[2] or "", head[3], head[4])
    return out


def gap(prop: Property, hypothesis: str, written: Development, names: dict[str, Any]) -> Any:
    """What a hypothesis says is ≥ 0, of x, y, Fx and Fy among the names."""
    said = re.fullmatch(
        r"(\w+?)(?: ([\w.]+|\([^()]*\)))?? "
        r"(A|\(graph F\)|\(plus F A\)|\(graph \(fun x => \(x - F x\)%vec\)\))( zstar)?",
        hypothesis,
    )
    assert said is not None, hypothesis
    kind, constant, graph, star = said[1], said[2], said[3], said[4]
    assert bool(star) == prop.kind.star
    expected = {"F": "(graph F)", "A": "A", "T": "(graph (fun x => (x - F x)%vec))"}
    if prop.of in expected:
        assert graph == expected[prop.of]
    symbol, small, large = classes()[kind]
    known = {"norm2": names["norm2"], "inner": names["inner"], "zstar": names["zstar"]}
    known |= {n: names[n] for n in "xyuv"}
    if symbol:
        known[symbol] = Fraction(written.value(constant, names))
    return Reading(large, known).whole() - Reading(small, known).whole()


@pytest.mark.parametrize("name", SOME)
def test_the_hypotheses_are_the_properties_forms(name: str) -> None:
    theorem = registry.get("theorems", name)
    for whole, written in developments(name):
        for dimension in DIMENSIONS:
            run, names = told(theorem, whole, written, dimension, 3)
            draw = np.random.default_rng(dimension)
            for prop in theorem.asked:
                drawn_points = [[plain(rational(draw)) for _ in range(dimension)] for _ in "xyuv"]
                x, y, fx, fy = map(Vector, drawn_points)
                if prop.kind.star:
                    y, fy = names["zstar"], Vector([Fraction(0)] * dimension)
                u, v = (x - fx, y - fy) if prop.of == "T" else (fx, fy)
                own = {**names, "x": x, "y": y, "u": u, "v": v}
                hypothesis = written.hypotheses[f"{prop.kind.name}_of_{prop.of}"]
                constant = prop.number
                if prop.kind.better is not None and constant is None:
                    constant = plain(run.value(grammar.parse(str(prop.constant)), 0))
                a, b, c = prop.form(constant)
                dx, du = x - y, fx - fy
                form = a * inner(dx, dx) + 2 * b * inner(dx, du) + c * inner(du, du)
                assert gap(prop, hypothesis, written, own) == form, prop


def test_a_family_is_that_of_the_declaration() -> None:
    for name in ("elementary_bilinear_proximal_point", "gorbunov2023_eg_limit"):
        theorem = registry.get("theorems", name)
        ((whole, written),) = developments(name)
        run, names = told(theorem, whole, written, 1, 3)
        said = re.fullmatch(r"Turn (\S+|\(.*\)) (\(.*\)) F zstar", written.hypotheses["family"])
        assert said is not None
        for word_, source in zip(said.groups(), theorem.proof.turn, strict=True):
            assert written.value(word_, names) == plain(run.value(grammar.parse(source), 0))


@pytest.mark.parametrize("name", SOME)
def test_nothing_else_is_assumed(name: str) -> None:
    theorem = registry.get("theorems", name)
    for _, written in developments(name):
        asked = {f"{p.kind.name}_of_{p.of}" for p in theorem.asked}
        beside = {"solution"} | ({"family"} if theorem.proof.turn else set())
        beside |= {f"A_{theorem.A}"} if theorem.A != "zero" else set()
        beside = {"A_subgradient" if b == "A_subdifferential" else b for b in beside}
        rest = written.hypotheses.keys() - asked - beside
        for n, w in lengths(theorem, written).items():
            (least,) = {opened(c[n])[0] for c in theorem.proof.cases if not c[n].isdigit()}
            assert written.hypotheses[f"range_{w}"] == f"({least} <= {w})%nat"
            rest -= {f"range_{w}"}
        sizes = {n for n in rest if re.fullmatch(r"range_\d+|J[AFS]_is_resolvent", n)}
        positive = {n for n in rest - sizes if n.endswith("_is_positive")}
        # of a nested section, taken away again before the theorem
        agreeing = {n for n in rest - sizes - positive if re.fullmatch(r"agree\d", n)}
        assert not agreeing or "Section Agreeing" in written.text
        assert rest == sizes | positive | agreeing
        for n in positive:
            assert re.fullmatch(r"0 < .*", written.hypotheses[n])
        whole = written.hypotheses["solution"]
        assert whole == ("Zero (graph F) zstar" if theorem.A == "zero" else "Zero (plus F A) zstar")
        if theorem.A == "monotone":
            assert written.hypotheses["A_monotone"] == "Monotone A"
        if theorem.A == "subdifferential":
            assert written.hypotheses["A_subgradient"] == "Subgradient f A"


@pytest.mark.parametrize("name", SOME)
@pytest.mark.sampled(4)
def test_the_ranges_hold_the_same_numbers(name: str) -> None:
    theorem = registry.get("theorems", name)
    draw = np.random.default_rng(4)
    for whole, written in developments(name):
        met = set()
        positive = {p.symbol for p in theorem.asked if p.kind.positive}
        run, names = told(theorem, whole, written, 1, 5)
        run.sqrt = _root
        for values in _points(theorem, [n for n in run.values if n not in {*whole, "K"}], draw):
            values |= {n: abs(v) for n, v in values.items() if n in positive}
            run.values |= values
            names |= {word(theorem, n, written.text): plain(v) for n, v in values.items()}
            names["sqrt"] = function(1)(lambda v: plain(_root(v)))
            inside = [
                _less(run.value(grammar.parse(low), 0), run.value(grammar.parse(high), 0), strict)
                for low, high, strict in _ends(theorem, whole)
            ]
            said = []
            for n, hypothesis in written.hypotheses.items():
                if re.fullmatch(r"range_\d+", n):
                    small, relation, large = re.fullmatch(r"(.*?) (<=|<) (.*)", hypothesis).groups()
                    pair = written.value(small, names), written.value(large, names)
                    said.append(_less(*pair, relation == "<"))
            assert all(said) == all(inside), values
            met.add(all(said))
        assert met == {True, False} or not _ends(theorem, whole)


def _points(
    theorem: Theorem, names: list[str], draw: np.random.Generator
) -> Iterator[dict[str, fmpq]]:
    """Numbers at many sizes, none of them 0; some around a choice that the statement admits."""
    inside: dict[str, fmpq] = {}
    with contextlib.suppress(OpcheckError):  # the choice is irrational
        choice = setting(theorem, max(theorem.first, 1), 2)
        numbers = {**choice.constants, **choice.parameters}
        inside = {n: fmpq(*Fraction(numbers[n]).as_integer_ratio()) for n in names if n in numbers}
    for i in range(80):
        sizes = [fmpq(1), fmpq(1, 8), fmpq(1, 40)]
        drawn_values = {
            n: fmpq(int(draw.integers(1, 300)), p) * sizes[draw.integers(3)]
            for n, p in zip(names, PRIMES, strict=False)
        }
        signs = {n: 1 if draw.integers(3) else -1 for n in names}
        values = {n: v * signs[n] for n, v in drawn_values.items()}
        yield {
            n: inside[n] * (1 + v / 30) if n in inside and i % 2 else v for n, v in values.items()
        }


def _root(value: Any) -> fmpq:
    """The root of a number, as a float has it."""
    return fmpq(*Fraction(float(Fraction(plain(value))) ** 0.5).as_integer_ratio())


def _less(a: Any, b: Any, strict: bool) -> bool:
    return bool(a < b if strict else a <= b)


def _ends(theorem: Theorem, whole: dict[str, int]) -> list[tuple[str, str, bool]]:
    out = []
    for chain in [*theorem.conditions, *theorem.chains]:
        if chain.name not in whole:
            out += [(str(chain.lo), chain.name, chain.strict[0])] if chain.lo else []
            out += [(chain.name, str(chain.hi), chain.strict[1])] if chain.hi else []
    return out
