"""Certificates as developments: the identity in the file, planted errors, and what coqc says."""

from __future__ import annotations

import functools
import re
import shutil
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq
from oracles.exact_runs import Affine
from oracles.rocq_text import Development, Vector, function

from opcheck import recheck, registry
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import certify
from opcheck.rocq.certified import described, export_certificate
from opcheck.rocq.coqc import compiled
from opcheck.rocq.expressions import NotExported

registry.load()
HALPERN, EG, FBF = "lieder2021_halpern", "gorbunov2022_eg_last", "tseng2000_fbf_fejer"


@functools.cache
def certified(name: str, k: int) -> dict[str, Any]:
    return dict(certify(name, k).document)


@pytest.mark.parametrize(("name", "k"), [(HALPERN, 2), (EG, 1), (FBF, 1)])
def test_the_sum_in_the_file_is_the_gap_of_the_statement(name: str, k: int) -> None:
    """On exact operators that meet no hypothesis: it is an identity."""
    text = export_certificate(certified(name, k))
    (full,) = text.names
    written = Development(text.text, full.rpartition(".")[2])
    total = re.search(r"apply by_sum with \(\n(.*?)\)\.\n", text.text, re.DOTALL)
    assert total is not None
    constrained = name == FBF
    for dimension in (1, 2, 3):
        operator = Affine(np.random.default_rng(dimension), dimension, constrained)
        names = written.names(maps(operator), lambda x: x)
        names |= {"L": Fraction(1), "gamma": Fraction(1, 2)}  # no functions of an argument
        gap = written.value(written.right, names) - written.value(written.left, names)
        assert written.value(total[1], names) == gap
        assert gap != 0


def maps(operator: Affine) -> dict[str, Any]:
    """The points and the maps of a development, on an operator."""

    def exact(v: Any) -> list[fmpq]:
        return [fmpq(a.numerator, a.denominator) for a in map(Fraction, v)]

    def point(v: Any) -> Vector:
        return Vector(Fraction(int(a.p), int(a.q)) for a in v)

    return {
        "z0": point(operator.start),
        "zstar": point(operator.solution),
        "F": function(1)(lambda v: point(operator.F(exact(v)))),
        "JA": function(1)(lambda v: point(operator.resolvent("A", fmpq(1, 2), exact(v)))),
    }


@pytest.mark.parametrize(("name", "k"), [(HALPERN, 2), (FBF, 1)])
def test_a_file_says_what_it_was_written_from(name: str, k: int) -> None:
    text = export_certificate(certified(name, k)).text
    again = described(text)
    assert again is not None
    assert export_certificate(again).text == text
    more = re.sub(r"(Multipliers for )1 ", r"\g<1>9/10 ", text)
    assert more != text
    with pytest.raises(recheck.Rejected):
        export_certificate(described(more) or {})
    assert described("(* Written by opcheck for nobody. *)") is None
    for longer in ("1e999999999", "9" * 5000, "1.5", "_1", "1/0"):
        with pytest.raises(OpcheckError, match="can't be read"):
            described(re.sub(r": \d+/\d+([;.])", rf": {longer}\1", text, count=1))


def changed(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    own = {**document, **changes}
    return own | {"digest": recheck.digest(own)}


def test_what_the_checker_rejects_is_not_written() -> None:
    document = certified(HALPERN, 2)
    first, *rest = document["multipliers"]
    negated = [{**first, "value": f"-{first['value']}"}, *rest]
    for planted in ({"ratio": "999/1000"}, {"multipliers": negated}, {"multipliers": rest}):
        with pytest.raises(recheck.Rejected):
            export_certificate(changed(document, **planted))


def test_what_has_no_form_is_said() -> None:
    with pytest.raises(NotExported, match="lookahead"):
        export_certificate(certified("pethick2023_la_eg", 1))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "k"), [(HALPERN, 2), (FBF, 1), (EG, 3)])
def test_the_kernel_accepts_it_and_no_planted_error(name: str, k: int) -> None:
    written = export_certificate(certified(name, k))
    if shutil.which("coqc") is None:
        with pytest.raises(OpcheckError, match="there is no coqc here to check the proof"):
            compiled(written.text, written.names)
        return
    assert compiled(written.text, written.names).accepted
    bound = r"(?m)^(Lemma certified : .*? <= |  <= )(.*?)\.$"
    for old, new in (
        (bound, r"\g<1>999 / 1000 * (\2)."),
        (r"(apply by_sum with \(\n    )", r"\1- "),
        (r"(\n    \+ \(|with \(\n    \()(?=.* \* norm2)", r"\1- "),
        (r"Hypothesis (Nonexpansive_of_T|Lipschitz_of_F) : .*\.", r"Hypothesis \1 : True."),
    ):
        wrong = re.sub(old, new, written.text)
        assert wrong != written.text
        assert not compiled(wrong, written.names).accepted
