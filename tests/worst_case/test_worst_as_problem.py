"""The worst operator that an attack reached, written as a problem: it is that operator."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from registered import stated

from opcheck.errors import OpcheckError
from opcheck.evidence.simulation.verify import verify
from opcheck.evidence.worst_case.attack import attack
from opcheck.model.verdict import Verdict

# an affine F; one with a fold; beside a cone; beside an affine A, which must be a subdifferential
KINDS = {
    "gorbunov2022_eg_last": "exact",
    "baillon1996_km_last": "exact",
    "cai2022_eg_monotone": "exact",
    "combettes2015_fb_last": "estimated",
    "malitsky2020_golden_ratio": "exact",
}


@pytest.mark.parametrize("name", KINDS)
def test_the_written_problem_is_the_worst_operator(name: str, tmp_path: Path) -> None:
    tried = attack(name, 2, budget=30, ends=False)
    file = tmp_path / f"{name}.py"
    tried.save_problem(file)
    text = file.read_text(encoding="utf-8")
    assert f"        {KINDS[name]}(" in text
    choice = {n: float(Fraction(v)) for n, v in tried.parameters.items()}
    verdict = verify(name, str(file), **choice)
    assert isinstance(verdict, Verdict)
    assert verdict.ok
    assert verdict.provenance == KINDS[name]
    assert tried.ratio * (1 - 1e-5) <= verdict.ratio <= 1 + 1e-9
    again = attack(name, 2, budget=30, ends=False)
    again.save_problem(file)
    assert file.read_text(encoding="utf-8") == text


def test_a_counterexample_is_written_as_one(tmp_path: Path) -> None:
    false = stated("lieder2021_halpern", bound="3.9*R**2/(k + 1)**2")
    attack(false, 1, budget=30, ends=False).save_problem(tmp_path / "counterexample.py")
    verdict = verify(false, str(tmp_path / "counterexample.py"))
    assert isinstance(verdict, Verdict)
    assert verdict.status == "violated"


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    tried = attack("gorbunov2022_eg_last", 1, budget=10, ends=False)
    with pytest.raises(OpcheckError, match=r"holds Python; give it a name with \.py"):
        tried.save_problem(tmp_path / "worst.txt")
    with pytest.raises(OpcheckError, match="can't be written"):
        tried.save_problem(tmp_path / "nowhere" / "worst.py")
