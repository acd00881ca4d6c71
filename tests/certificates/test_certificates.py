"""The certificates in docs/certificates, written by ``opcheck certify --all -k 3 --out`` there.

What a file says must be what its numbers are about: the checkers derive the numbers from the texts.
"""

from __future__ import annotations

import copy
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from command_line import invoke
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

import opcheck
from opcheck import Cocoercive, OpcheckError, Source, recheck, registry, rerun, theorem
from opcheck.evidence.certificates.certificate import (
    Attempt,
    NotCertified,
    Rechecked,
    certify,
    certify_over,
    recheck_file,
)
from opcheck.evidence.lyapunov import lyapunov
from opcheck.evidence.statement.exact_parameters import setting
from opcheck.model.method import method
from opcheck.model.primitives import axpy, combine

registry.load()
FOLDER = Path(__file__).parents[2] / "docs" / "certificates"
FILES = sorted(FOLDER.glob("*.json"))
SMALL = ["lieder2021_halpern", "pethick2022_ceg_plus", "cai2022_peg_potential"]


def stand_alone(*paths: Path | str, script: Path | str = str(recheck.__file__)) -> Any:
    """The script by itself: no site packages, nothing of opcheck on the path."""
    words = [sys.executable, "-I", "-S", str(script), *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, cwd="/")


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def fresh(document: dict[str, Any]) -> dict[str, Any]:
    """With a digest that fits."""
    document["digest"] = recheck.digest(document)
    return document


def judged(document: dict[str, Any]) -> str:
    """What the stand-alone checkers say: rejected, numbers only, or proved."""
    try:
        recheck.check(document)
        return "numbers only" if recheck.words(document, rerun) else "proved"
    except recheck.Rejected as reason:
        return f"rejected: {reason}"


# ---- the stored ones -----------------------------------------------------------------------------


@pytest.mark.ci
def test_the_stand_alone_script_accepts_every_file() -> None:
    """Numbers and words: it derives calls, measure and bound from the texts in each (F13)."""
    done = stand_alone(*FILES)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(FILES) >= 75
    assert all(": proved: " in line and ": measure ≤ 1 · bound (" in line for line in lines)
    assert "numbers only" not in done.stdout


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < 1_500_000


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
@pytest.mark.sampled(4)
def test_each_is_what_the_texts_give(path: Path) -> None:
    """Every sentence says for which constants, parameters and A it holds (F8, A14)."""
    found = recheck_file(path)
    document = read(path)
    said = document["statement"]
    assert not found.numbers_only
    assert "measure ≤ 1 · bound" in found.proved
    assert "in every dimension" in found.proved
    assert "gives" in found.run
    for name, value in {**said["constants"], **said["parameters"]}.items():
        assert f"{name} = {value}" in found.proved
    convex = any(p["kind"] == "Subdifferential" for p in document["properties"])
    for A, words in recheck.OPERATOR_A.items():
        assert (words in found.proved) == (said["A"] == A)
    assert (said["A"] == "subdifferential") == convex
    assert (said["A"] == "zero") == (not document["constrained"])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
@pytest.mark.sampled(8)
def test_each_is_rejected_when_tampered_with(path: Path, tmp_path: Path) -> None:
    document = read(path)
    for changed, forged in tampered(document):
        target = tmp_path / path.name
        target.write_text(json.dumps(changed), encoding="utf-8")
        assert judged(changed).startswith("rejected")
        if forged:
            assert judged(changed) != "rejected: it was changed after it was written"
        with pytest.raises(NotCertified):
            recheck_file(target)


def tampered(document: dict[str, Any]) -> list[tuple[dict[str, Any], bool]]:
    """Changed files, and whether the digest was made to fit."""
    lower = copy.deepcopy(document)
    lower["ratio"] = "1/2"
    forged = copy.deepcopy(document)
    forged["statement"]["k"] = 30
    forged["bound"] = [{**t, "factor": str(Fraction(t["factor"]) / 2)} for t in forged["bound"]]
    other = copy.deepcopy(document)
    other["statement"]["bound"] = f"({other['statement']['bound']})*3/4"
    another = copy.deepcopy(document)
    another["statement"]["A"] = "monotone" if document["statement"]["A"] != "monotone" else "zero"
    return [(lower, False), *((fresh(d), True) for d in (forged, other, another))]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_without_its_multipliers_it_is_rejected_by_the_arithmetic(path: Path) -> None:
    """With the digest made to fit: bound − measure alone is no sum of squares."""
    document = read(path)
    document["multipliers"] = []
    fresh(document)
    if document["measure"]:
        with pytest.raises(recheck.Rejected, match="no sum of squares"):
            recheck.check(document)
    else:  # what is measured is 0 there, and at most its bound without any inequality
        assert "measure ≤ 1 · bound" in recheck.check(document)


# ---- the second reading --------------------------------------------------------------------------


@pytest.mark.ci
def test_the_second_reading_gives_what_the_first_did() -> None:
    """Calls, points, forms and which k, of each stored theorem, from the texts alone."""
    for path in FILES:
        document = read(path)
        found = rerun.reading(document)
        assert [c["name"] for c in found.calls] == [c["name"] for c in document["calls"]]
        assert found.covers == document["statement"]["covers"]
        for side in ("measure", "bound"):
            form: rerun.Form = getattr(found, side)
            if not form.rest:
                exact = rerun.written(document[side])
                assert form.exact == exact


def test_it_knows_what_irrational_numbers_lie_between() -> None:
    rng = random.Random(5)
    for _ in range(100):
        x = Fraction(rng.randint(1, 10**9), rng.randint(1, 10**9))
        ball = arb(x.numerator) / x.denominator
        for function, true in (
            (rerun.root, ball.sqrt()),
            (rerun.logarithm, ball.log()),
            (rerun.exponential, None if x > 100 else ball.exp()),
        ):
            if true is None:
                continue
            low, high = rerun.ends(function(x))
            assert arb(low.numerator) / low.denominator <= true.upper()
            assert arb(high.numerator) / high.denominator >= true.lower()
            assert high - low <= max(1, high) * Fraction(1, 2**100)
    assert rerun.root(Fraction(9, 4)) == Fraction(3, 2)
    assert rerun.exponential(0) == rerun.ceiling(rerun.exponential(0)) == 1


REFUSED_TEXTS = {
    "a comparison of entries": "if Fz[0] > 0:\n            axpy(z, z, -gamma, Fz)",
    "an index that is calculated with": "for i in range(z.shape[0]):\n            z[i] = i * z[i]",
    "the number of steps as a number": "axpy(z, z, gamma if n > 99 else 0, Fz)",
    "the dimension as a number": "axpy(z, z, -gamma / z.shape[0], Fz)",
    "a call of the world": "__import__('os').system('true')",
    "an attribute": "z.__class__.__init__(z, 0, 0)",
    "an endless loop": "for i in range(10**9):\n            copy_number = i",
    "a number that explodes": "for i in range(60):\n            gamma = gamma * gamma + 1 / 3",
    "a power that explodes": "axpy(z, z, 7 ** 10**9, Fz)",
    "a function that calls itself": "extragradient(F, F_data, J, J_data, state, params, k, n)",
    "a float": "axpy(z, z, -0.1, Fz)",
    "a statement": "import os",
    "a comprehension": "z[0] = [v for v in z][0]",
    "what is not there": "axpy(z, z, gamma, nothing)",
}


@pytest.mark.parametrize("line", REFUSED_TEXTS.values(), ids=REFUSED_TEXTS)
@pytest.mark.sampled(4)
def test_what_it_does_not_read_leaves_the_numbers_alone(line: str) -> None:
    """Nothing of a file is executed by Python, and no text makes it run for ever."""
    document = read(FOLDER / "gorbunov2022_eg_last-k3.json")
    source = document["texts"]["functions"]["extragradient"]
    document["texts"]["functions"]["extragradient"] = f"{source}\n        {line}"
    assert judged(fresh(document)) == "numbers only"


@pytest.mark.parametrize(
    "line",
    [
        "z[1] = z[1] + Fz[1]",
        "for i in range(2):\n            z[i] = z[i] + Fz[i]",
        "axpy(z, z, 1, z)",
        "for i in range(1, z.shape[0]):\n            z[i] = z[0]",
        "c = 0\n        for i in range(z.shape[0]):\n            c += 1\n"
        "            z[i] = z[i] + (c - 1)*(c - 2)*(c - 3)*Fz[i]",
    ],
)
def test_what_is_not_so_in_every_dimension_is_rejected(line: str) -> None:
    """Two coordinates are not every dimension (F3), and z* is not the origin (F2)."""
    document = read(FOLDER / "gorbunov2022_eg_last-k3.json")
    source = document["texts"]["functions"]["extragradient"]
    document["texts"]["functions"]["extragradient"] = f"{source}\n        {line}"
    assert judged(fresh(document)) != "proved"
    with pytest.raises(recheck.Rejected):
        recheck.words(document, rerun)


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("z -= gamma * Fz", "proved"),
        ("z[:] = z - gamma * Fz", "proved"),
        ("for i in range(z.shape[0]):\n            z[i] -= Fz[i] * gamma", "proved"),
        ("axpy(z, z, -(gamma if k < 3 else 2 * gamma), Fz)", "proved"),
        ("axpy(z, z, -(gamma if k < 2 else 2 * gamma), Fz)", "rejected: its calls are not"),
        ("axpy(z, z, -gamma * (1 + 5 % (k + 1) // 9), Fz)", "proved"),
        ("axpy(z, z, -gamma / 2, Fz)", "rejected: its calls are not"),
        ("z = z - gamma * Fz", "rejected: its vectors are not"),  # another array
        ("axpy(z, zbar, -gamma, Fz)", "rejected: its calls are not"),
    ],
)
def test_a_step_may_be_written_in_other_words(line: str, verdict: str) -> None:
    """It is what a text does that counts, not its letters."""
    document = read(FOLDER / "gorbunov2022_eg_last-k3.json")
    source = document["texts"]["functions"]["extragradient"]
    assert source.count("axpy(z, z, -gamma, Fz)") == 1
    changed = source.replace("axpy(z, z, -gamma, Fz)", line)
    document["texts"]["functions"]["extragradient"] = changed
    assert judged(fresh(document)).startswith(verdict)


@pytest.mark.parametrize("line", ["1 / (k + 1)", "(1 if k < 7 else 2)", "(5 % (k + 1))"])
def test_a_step_that_feels_k_is_not_every_step(line: str) -> None:
    """A step that treats k = 7 in its own way is not one that stands for all k."""
    document = read(FOLDER / "gorbunov2022_eg_monotone-k3.json")
    assert document["statement"]["covers"].startswith("every k")
    source = document["texts"]["functions"]["extragradient"]
    changed = source.replace("gamma = params[0]", "gamma = params[0]\n    x = k")
    document["texts"]["functions"]["extragradient"] = changed
    assert judged(fresh(document)) == "proved"
    changed = source.replace("axpy(zbar, z, -gamma, Fz)", f"axpy(zbar, z, -gamma * {line}, Fz)")
    document["texts"]["functions"]["extragradient"] = changed
    assert judged(fresh(document)).startswith("rejected")


def half_game(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A step of the first two coordinates."""
    z, Fz = state[0], state[1]
    gamma = params[0]
    for _ in range(n):
        F(z, Fz, F_data)
        for i in range(2):
            z[i] = z[i] - gamma * Fz[i]


def doubled(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """F at 2 z, which lies on the ray from the origin and not on that from a solution."""
    z, w, Fw = state[0], state[1], state[2]
    gamma = params[0]
    for _ in range(n):
        combine(w, 1, z, 1, z)
        F(w, Fw, F_data)
        axpy(z, z, -gamma, Fw)


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    ("kernel", "rows", "reason"),
    [
        (half_game, "z Fz", r"dimension|coordinate"),
        (doubled, "z w Fw", "where the origin lies"),
    ],
)
def test_a_method_that_is_none_in_every_dimension_or_place_is_not_certified(
    kernel: Any, rows: str, reason: str
) -> None:
    """F2, F3: the two readings must both give what is certified."""
    name = kernel.__name__
    method(name, params="gamma", rows=rows, calls=1, source="nobody", constrained=False)(kernel)
    entry = theorem(
        f"nobody2026_{name}",
        method=name,
        given=[Cocoercive("beta", of="F")],
        where="0 < gamma <= beta",
        measure="distance",
        bound="R**2",
        source=Source("nobody"),
    )
    with pytest.raises(OpcheckError, match=reason) as caught:
        certify(entry, 2)
    assert not isinstance(caught.value, NotCertified)
    with pytest.raises(OpcheckError, match=reason):
        lyapunov(name, ["Cocoercive(1) of F"], theta=1, gamma="1/2", vectors=["z"])


# ---- hostile files -------------------------------------------------------------------------------


def hostile() -> Iterator[tuple[str, str]]:
    """(what it is, text)."""
    document = read(FOLDER / "lieder2021_halpern-k3.json")
    text = json.dumps(document)
    yield "nested lists", "[" * 100_000 + "]" * 100_000
    yield "nested objects", '{"a":' * 100_000 + "1" + "}" * 100_000
    yield "a key twice", text.replace('{"format"', '{"format": "x", "format"', 1)
    yield "an inner key twice", text.replace('"k": 3', '"k": 30, "k": 3', 1)
    for name, value in (
        ("NaN", "NaN"),
        ("Infinity", "-Infinity"),
        ("a float", "3.0"),
        ("a huge float", "1e999999999"),
        ("a huge whole number", "9" * 10_000),
    ):
        yield name, text.replace('"k": 3', f'"k": {value}', 1)
    for value in ("1e999999999", "1/0", "0x1", "1_0", " 1", "1" * 5000, "٣", "", "1/3/5", "+1"):
        changed = fresh({**document, "ratio": value})
        yield f"the ratio {value[:12]!r}", json.dumps(changed)
    for kind, value in (("null", None), ("a list", [1]), ("a number", 1), ("true", True)):
        for name in document:
            changed = {**document, name: value}
            yield f"{name} is {kind}", json.dumps(changed if name == "digest" else fresh(changed))
    for place in ("statement", "texts"):
        changed = copy.deepcopy(document)
        changed[place]["remark"] = "for every k"
        yield f"more in {place}", json.dumps(fresh(changed))
    yield "more", json.dumps(fresh({**document, "holds": "for every k"}))
    for name in document:
        less = {n: v for n, v in document.items() if n != name}
        yield f"no {name}", json.dumps(fresh(less) if name != "digest" else less)
    for bad in (
        {"multipliers": [{"property": -1, "pair": ["F1", "F2"], "value": "1"}]},
        {"multipliers": [{"property": 0, "pair": ["F1"], "value": "1"}]},
        {"multipliers": [{"property": True, "pair": ["F1", "F2"], "value": "1"}]},
        {"basis": ["z0"] * 5000},
        {"calls": document["calls"] * 2},
        {"format": "opcheck certificate 1"},
    ):
        yield f"{bad!s:.50}", json.dumps(fresh({**document, **bad}))
    for empty in ("", "[]", "{}", "1", '"', "\x00", "nonsense", "\ud800"):
        yield f"the text {empty!r}", empty


def test_hostile_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    """F13: duplicate keys, unknown fields, other types, hostile sizes and depths."""
    files = []
    for i, (what, text) in enumerate(hostile()):
        path = tmp_path / f"{i}.json"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        files.append(path)
        with pytest.raises(NotCertified) as caught:
            pytest.fail(f"{what}: {recheck_file(path)}")
        assert "\n" not in str(caught.value)[:200], what
    done = stand_alone(*files)
    assert done.returncode == 1
    assert not done.stdout
    assert len(done.stderr.splitlines()) == len(files)
    assert "Traceback" not in done.stderr
    large = tmp_path / "large.json"
    large.write_text(" " * (recheck.SIZE + 1))
    assert "larger than" in stand_alone(large).stderr


# ---- changed files -------------------------------------------------------------------------------


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of everything in a document."""
    keys: Any = list(value.keys() if isinstance(value, dict) else range(len(value)))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


CLAIM = ("statement", "constrained", "calls", "properties", "measure", "bound", "basis")
DIGITS = st.fractions(min_value=-3, max_value=3, max_denominator=9).map(str)
NAMES = st.sampled_from(["z0", "F1", "F2", "*", "?z", "L", "k", "R", "residual", "2*R**2", "A"])
VALUES: dict[type, Any] = {
    bool: st.booleans(),
    int: st.integers(-1, 40),
    str: DIGITS | NAMES | st.text(max_size=4),
    type(None): DIGITS,
}


def mutated(document: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """One thing dropped, changed, repeated or exchanged; the digest made to fit."""
    other = copy.deepcopy(document)
    container, key = data.draw(st.sampled_from(list(places(other))), label="place")
    change = data.draw(st.sampled_from(["drop", "change", "repeat", "exchange"]), label="change")
    value = container[key]
    if change == "drop":
        del container[key]
    elif change == "repeat" and isinstance(container, list):
        container.insert(key, copy.deepcopy(value))
    elif change == "exchange":
        keys = list(container if isinstance(container, dict) else range(len(container)))
        with_ = data.draw(st.sampled_from(keys), label="with")
        container[key], container[with_] = container[with_], value
    elif isinstance(value, dict | list):
        container[key] = type(value)()
    elif isinstance(value, str) and data.draw(st.booleans(), label="a little"):
        at = data.draw(st.integers(0, len(value)), label="at")
        container[key] = (
            value[:at] + data.draw(st.sampled_from("123 -/+*kRF"), label="by") + value[at:]
        )
    else:
        container[key] = data.draw(VALUES[type(value)], label="value")
    return fresh(other)


def confronted(name: str, data: st.DataObject, folder: Path) -> None:
    """A changed file is rejected, or claims no more than the one that was written."""
    document = read(FOLDER / f"{name}-k3.json")
    other = mutated(document, data)
    alone = judged(other)
    path = folder / "changed.json"
    path.write_text(json.dumps(other), encoding="utf-8")
    try:
        found: Rechecked | None = recheck_file(path)
    except NotCertified:
        found = None
    same = all(other.get(part) == document[part] for part in CLAIM)
    if found is not None and not found.numbers_only:
        assert same
        assert alone in ("proved", "numbers only")
    if alone == "proved" and not same:
        # labels and ranges that still hold say nothing else about these numbers
        free = ("theorem", "method", "first", "where", "let", "measure", "bound", "claim")
        for part in set(CLAIM) - {"statement", "basis", "measure", "bound"}:
            assert other[part] == document[part]
        for part in other["statement"].keys() - {*free, "parameters"}:
            assert other["statement"][part] == document["statement"][part]
        # a value may be given as a text: the sentence shows either
        fixed = {**other["statement"]["let"], **other["statement"]["parameters"]}
        for symbol, value in document["statement"]["parameters"].items():
            assert Fraction(fixed[symbol]) == Fraction(value)
            assert f"{symbol} = {fixed[symbol]}" in recheck.sentence(other)
        for side in ("measure", "bound"):
            assert rerun.written(other[side]) == rerun.written(document[side])


@pytest.mark.ci
@settings(max_examples=60, deadline=None, derandomize=True)
@given(name=st.sampled_from(SMALL), data=st.data())
def test_changed_files_claim_nothing_new(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """F13: words or numbers changed, the digest recomputed."""
    confronted(name, data, tmp_path_factory.getbasetemp())


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, derandomize=True)
@given(name=st.sampled_from([p.stem.removesuffix("-k3") for p in FILES]), data=st.data())
def test_many_changed_files_claim_nothing_new(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """The same with every stored file."""
    confronted(name, data, tmp_path_factory.getbasetemp())


def test_a_certificate_of_one_theorem_is_none_of_another(tmp_path: Path) -> None:
    """F13: the words of one over the numbers of another."""
    path = tmp_path / "swapped.json"
    documents = [read(FOLDER / f"{n}-k3.json") for n in (*SMALL, "lee2021_feg", "yoon2021_eag_c")]
    for words in documents:
        for numbers in documents:
            if words is numbers:
                continue
            for parts in (("statement",), ("statement", "texts")):
                mixed = {**numbers, **{part: words[part] for part in parts}}
                path.write_text(json.dumps(fresh(copy.deepcopy(mixed))), encoding="utf-8")
                assert judged(read(path)).startswith("rejected")
                with pytest.raises(NotCertified):
                    recheck_file(path)


# ---- a theorem of one's own ----------------------------------------------------------------------

MINE = '''
"""Gradient steps that carry their own helper."""
from opcheck import Cocoercive, Source, measure, method, theorem
from opcheck.model.primitives import norm2

FACTOR = 1


def step(z, gamma, v):
    for i in range(z.shape[0]):
        z[i] = z[i] - FACTOR * gamma * v[i]


@method("my_steps", params="gamma", rows="z Fz", calls=1, source="me", constrained=False)
def my_steps(F, F_data, J, J_data, state, params, k, n):
    """z <- z - gamma F z"""
    z, Fz = state[0], state[1]
    for _ in range(n):
        F(z, Fz, F_data)
        step(z, params[0], Fz)


@measure("my_size")
def my_size(F, F_data, J, J_data, state, params, k):
    """||F z||^2"""
    F(state[0], state[-1], F_data)
    return norm2(state[-1])


theorem(
    "me2026_steps",
    method="my_steps",
    given=[Cocoercive("beta", of="F")],
    where="0 < gamma < 2*beta",
    measure="upto(my_size)/(k + 1)",
    bound="R**2/(gamma*(2*beta - gamma)*(k + 1))",
    source=Source("me"),
)
'''


@pytest.mark.usefixtures("own_registry")
def test_a_certificate_of_ones_own_goes_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F13: its words are bound where its file is given, and not called proved where it is not."""
    file = tmp_path / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    before = {kind: dict(table) for kind, table in registry._entries.items()}
    done = invoke("certify", f"{file}:me2026_steps", "-k", "2", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    (path,) = (tmp_path / "out").iterdir()
    assert "def step" in read(path)["texts"]["functions"]["step"]
    assert stand_alone(path).returncode == 0
    loaded = {kind: dict(table) for kind, table in registry._entries.items()}
    monkeypatch.setattr(registry, "_entries", before)  # as another process
    done = invoke("recheck", str(path))
    assert done.exit_code == 1
    assert done.output.startswith("numbers only: me2026_steps is not known here; give its file")
    assert "--plugin FILE" in done.output
    assert invoke("recheck", "--numbers-only", str(path)).exit_code == 0
    (row,) = json.loads(invoke("recheck", "--json", str(path)).stdout)
    assert (row["valid"], row["checked"]) == (False, "numbers only")
    monkeypatch.setattr(registry, "_entries", loaded)
    done = invoke("recheck", str(path), "--plugin", str(file))
    assert done.exit_code == 0, done.output
    assert done.output.startswith("proved: me2026_steps, k = 2, in every dimension")
    document = read(path)
    document["statement"]["bound"] = "R**2/(gamma*(2*beta - gamma)*(k + 2))"
    path.write_text(json.dumps(fresh(document)), encoding="utf-8")
    done = invoke("recheck", str(path), "--plugin", str(file))
    assert done.exit_code == 1
    assert "its bound is not what its texts give" in done.output


@pytest.mark.slow
def test_a_file_in_another_process(tmp_path: Path) -> None:
    """The same as users do it."""
    file = tmp_path / "mine.py"
    file.write_text(MINE, encoding="utf-8")

    def ran(*words: str) -> Any:
        command = [sys.executable, "-c", "from opcheck.cli import main; main()", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)

    assert ran("certify", "mine.py:me2026_steps", "-k", "1", "--out", "out").returncode == 0
    done = ran("recheck", "out/me2026_steps-k1.json")
    assert done.returncode == 1
    assert "numbers only" in done.stdout
    done = ran("recheck", "out/me2026_steps-k1.json", "--plugin", "mine.py")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_alone_says_that_words_were_not_checked(tmp_path: Path) -> None:
    script = tmp_path / "recheck.py"
    shutil.copy(recheck.__file__, script)
    done = stand_alone(FILES[0], script=script)
    assert done.returncode == 1
    assert "numbers only: the words were not checked" in done.stdout
    assert stand_alone("--numbers-only", FILES[0], script=script).returncode == 0
    shutil.copy(rerun.__file__, tmp_path)
    assert stand_alone(FILES[0], script=script).returncode == 0


# ---- which choice --------------------------------------------------------------------------------


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    done = invoke("recheck", str(tmp_path / "none.json"))
    assert done.exit_code == 2
    assert "does not exist" in done.stderr
    assert invoke("recheck", str(FILES[0]), "--plugin", "none.py").exit_code == 2


def test_what_is_certified_above_the_bound_was_not_shown(
    own_registry: None, tmp_path: Path
) -> None:
    """A bound a ten-millionth too small is certified at a multiple above 1: exit code 1."""
    (tmp_path / "short.py").write_text(SHORT)
    file = str(tmp_path / "short.py")
    assert invoke("certify", f"{file}:whole", "-k", "1").exit_code == 0
    done = invoke("certify", f"{file}:short", "-k", "1")
    assert "× bound" in done.output
    assert done.exit_code == 1
    assert invoke("certify", f"{file}:whole", "-k", "1", "--ratio", "99/100").exit_code == 1
    done = invoke("certify", file, "-k", "1")
    assert done.exit_code == 1
    assert invoke("certify", f"{file}:unreadable", "-k", "1").exit_code == 2
    done = invoke("certify", f"{file}:whole", f"{file}:unreadable", "-k", "1")
    assert done.exit_code == 1  # one of two is refused
    done = invoke("cross-check", f"{file}:short", "--jobs", "1")
    assert "k=1: 1.000000" in done.output  # and not 1


@pytest.mark.parametrize("bound", ["R*R", "2*R*R/2", "(R/2)*(4*R)/2", "R**2"])
def test_the_square_of_r_may_be_written_as_a_product(bound: str, own_registry: None) -> None:
    theorem(
        "product",
        source=Source("mine"),
        method="proximal_point",
        given=[opcheck.Monotone(of="F")],
        where="0 < gamma",
        measure="distance",
        bound=bound,
    )
    shown = certify("product", 1)
    assert shown.ratio == 1
    assert shown.notes == ()  # the checker reads its text from the file alone
    assert recheck.words(dict(shown.document), rerun) == ""


@pytest.mark.parametrize("field", ["theorem", "method", "where", "claim"])
def test_a_word_that_the_file_can_not_bear_out_is_said_to_be_unchecked(
    field: str, tmp_path: Path
) -> None:
    """Alone, a file with another name, range or claim is no proof of these."""
    document = copy.deepcopy(dict(certify("gorbunov2022_eg_last", 1).document))
    words = {"claim": "equality", "where": "0 < gamma"}.get(field, "otherwise")
    document["statement"][field] = words
    document["digest"] = recheck.digest(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    done = subprocess.run(
        [sys.executable, recheck.__file__, str(path)], capture_output=True, text=True, check=False
    )
    if field == "claim":
        assert done.returncode == 1
        assert "its claim is 'equality'" in done.stderr
        return
    _, _, rest = done.stdout.partition("not checked: ")
    assert words in rest


SHORT = """
from opcheck import Monotone, Source, theorem

RESOLVENT = {
    "source": Source("mine"),
    "method": "proximal_point",
    "given": [Monotone(of="F")],
    "where": "0 < gamma",
    "measure": "distance",
}
theorem("whole", bound="R**2", **RESOLVENT)
theorem("short", bound="R**2*9999999/10000000", **RESOLVENT)
theorem("unreadable", bound="R", **RESOLVENT)
"""


def test_words_name_the_choice(tmp_path: Path) -> None:
    """A14: L = 1 and γ = 1/2, and not every operator at every step."""
    done = invoke("certify", "gorbunov2022_eg_last", "-k", "1", "--out", str(tmp_path))
    assert "L = 1, gamma = 1/2, A = 0" in done.output
    assert "at one choice of constants and parameters" in done.output
    done = invoke("recheck", str(tmp_path / "gorbunov2022_eg_last-k1.json"))
    assert "with L = 1, gamma = 1/2, A = 0" in done.output
    found = certify("korpelevich1976_eg_fejer", 0)
    assert "gamma = 1/2, A = ∂f with f convex: " in str(found)
    assert "A maximally monotone: " in str(certify("tseng2000_fbf_fejer", 0))
    potential = lyapunov(
        "extragradient", ["StronglyMonotone(1/4) of F", "Lipschitz(1) of F"], theta=1,
        constrained=True, gamma="1/4",
    )  # fmt: skip
    assert potential.given[-1] in recheck.OPERATOR_A.values()
    assert "Lipschitz(1) of F with gamma = 1/4, " in str(potential.decreases)


def test_certificates_along_a_range() -> None:
    """A14: closed rational ends exactly, others approached; each value in its range."""
    points = certify_over("lieder2018_km_last", "a", 2)
    assert [p.place for p in points] == [
        "low end", "a quarter", "the middle", "three quarters", "near the high end",
    ]  # fmt: skip
    assert points[0].value == Fraction(1, 2)
    assert all(p.attempt.at_bound for p in points)
    values = [p.value for p in points]
    assert values == sorted(set(values))
    assert values[-1] < 1
    for p in points:
        assert p.attempt.certificate is not None
        assert p.attempt.certificate.document["statement"]["parameters"]["a"] == str(p.value)
        assert setting(registry.get("theorems", "lieder2018_km_last"), 2, 2, fixed={"a": p.value})
    closed = certify_over("korpelevich1976_eg_fejer", "gamma", 0)
    assert (closed[-1].place, closed[-1].value) == ("high end", 1)
    whole = certify_over("pethick2023_la_eg", "tau", 1)
    assert [p.value for p in whole] == [1, 2, 3]
    assert all(isinstance(p.attempt, Attempt) for p in whole)
    with pytest.raises(OpcheckError, match="leaves gamma to vary, not L"):
        certify_over("gorbunov2022_eg_last", "L", 1)
    with pytest.raises(OpcheckError, match="leaves nothing to vary"):
        opcheck.certify_over("gorbunov2022_eg_last", "gamma", 1, gamma="1/2")


def test_the_command_goes_along_a_range(tmp_path: Path) -> None:
    words = ["certify", "lieder2018_km_last", "-k", "1,2", "--over", "a"]
    done = invoke(*words, "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "10 of 10 certified at the bound" in done.output
    assert "values of a between are not covered" in done.output
    files = sorted(tmp_path.iterdir())
    assert len(files) == 10
    assert invoke("recheck", *map(str, files)).exit_code == 0
    rows = json.loads(invoke(*words, "--json").stdout)
    assert {row["parameter"] for row in rows} == {"a"}
    failed = invoke(*words, "--ratio", "1/100")
    assert failed.exit_code == 1
    assert "is not certified" in failed.output
    for more in (["--place", "low"], ["lee2021_feg"]):
        assert invoke(*words, *more).exit_code == 2


def test_nothing_else_counts_as_callable(tmp_path: Path) -> None:
    """Measures of a file can't be given the names of what is built in."""
    document = read(FOLDER / "gu2020_ppm_last-k3.json")
    hidden = "def resolvent_of_sum(F, F_data, J, J_data, z, gamma, out):\n    pass"
    document["texts"]["functions"]["resolvent_of_sum"] = hidden
    assert judged(fresh(document)).startswith("rejected")


def test_a_call_can_not_be_named_as_what_is_known_of_the_solution() -> None:
    """F at the solution is no call: a call that took its name would come for nothing."""
    document = read(FOLDER / "lieder2021_halpern-k3.json")
    renamed = document["calls"][0]["name"]
    for taken in ("F*", recheck.STAR, "z0"):
        text = json.dumps(document).replace(f'"{renamed}"', f'"{taken}"')
        with pytest.raises(recheck.Rejected, match="is not one that the run can make"):
            recheck.graphs(json.loads(text))


def test_the_script_without_a_file_checks_nothing_and_says_so() -> None:
    done = stand_alone()
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
