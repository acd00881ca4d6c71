"""Rates over a range of a parameter: against runs, closed forms, and what is false."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction as Q
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from opcheck import lyapunov, registry
from opcheck.cli import main
from opcheck.errors import OpcheckError
from opcheck.evidence.certificates.certificate import NotCertified
from opcheck.evidence.discover.over_range import OverRange
from opcheck.evidence.proofs.prove import attempt

registry.load()
STRONG = ["Lipschitz(1) of F", "StronglyMonotone(1/4) of F"]
PAST = "past_extragradient"


def slopes(mu: float = 0.25) -> np.ndarray:
    """The boundary of {f: |f| ≤ 1, Re f ≥ μ}: normal operators."""
    arc = np.exp(1j * np.linspace(-np.pi / 2, np.pi / 2, 2001))
    line = mu + 1j * np.linspace(-1, 1, 2001)
    both = np.concatenate([arc, line])
    return np.asarray(both[(abs(both) <= 1 + 1e-12) & (both.real >= mu - 1e-12)])


def over(method: str, given: list[str], **own: Any) -> OverRange:
    found = lyapunov(method, given, **own)
    assert isinstance(found, OverRange)
    assert found.valid
    return found


@pytest.mark.ci
def test_the_proximal_point_method_at_the_end_of_its_range() -> None:
    """(1 + γμ)⁻² at the least γ is the best for all of them."""
    found = over("proximal_point", ["StronglyMonotone(1/4) of S"], gamma="1/2..2")
    assert found.smallest == pytest.approx((8 / 9) ** 2, abs=2e-4)
    assert (8 / 9) ** 2 <= float(found.theta) <= (8 / 9) ** 2 + 0.02 * (1 - (8 / 9) ** 2)
    assert (found.factor, found.potential) == (1, "norm2(z - solution)")
    with pytest.raises(NotCertified, match="no potential was found that decreases by θ = 79/100"):
        lyapunov("proximal_point", ["StronglyMonotone(1/4) of S"], theta="79/100", gamma="1/2..2")


@pytest.mark.ci
def test_extragradient_over_a_range() -> None:
    found = over("extragradient", STRONG, gamma="1/4..1/2")
    f = slopes()
    worst = max(float((abs(1 - g * f + (g * f) ** 2) ** 2).max()) for g in (0.25, 0.3, 0.4, 0.5))
    assert worst <= float(found.theta) <= worst + 0.03 * (1 - worst)
    alone = [lyapunov("extragradient", STRONG, gamma=g).theta for g in ("1/4", "3/8", "1/2")]
    assert found.theta >= max(alone) - Q(1, 10**4)
    assert found.low == Q(1, 4)
    assert found.high == Q(1, 2)


@pytest.mark.ci
def test_past_extragradient_over_a_range() -> None:
    """V with what is remembered; C bounds runs from every start, at every γ of the range."""
    found = over(PAST, STRONG, gamma="1/8..1/4")
    assert "last(" in found.potential
    assert found.theorem.first == 1
    assert found.factor >= 1  # so that it holds at k = 0, where V has no value yet
    rng = np.random.default_rng(5)
    rate, most = float(found.theta), 0.0
    for _ in range(60):
        g, mu = rng.uniform(1 / 8, 1 / 4), 0.25
        skew = rng.normal(size=(4, 4))
        root = rng.normal(size=(4, 4))
        M = root @ root.T * rng.uniform(0, 0.3) + skew - skew.T
        M *= rng.uniform(0.2, 1 - mu) / np.linalg.norm(M, 2)
        M += mu * np.eye(4)
        z = rng.normal(size=4)
        start, value = float(z @ z), M @ z
        for k in range(40):
            assert float(z @ z) <= float(found.factor) * rate**k * start * (1 + 1e-12)
            most = max(most, float(z @ z) / (rate**k * start)) if k else most
            value = M @ (z - g * value if k else z)
            z = z - g * value
    assert most > 0.5  # the sample is not idle


@pytest.mark.ci
def test_with_any_monotone_operator_beside_it() -> None:
    """The rate of the range is that of its worse end."""
    own: dict[str, Any] = {"constrained": True}
    found = over("forward_backward_forward", STRONG, gamma="1/8..1/2", **own)
    ends = [lyapunov("forward_backward_forward", STRONG, gamma=g, **own) for g in ("1/8", "1/2")]
    assert max(end.theta for end in ends) <= found.theta + Q(1, 10**5)
    assert found.theta <= max(end.theta for end in ends) + Q(1, 100)
    assert found.theorem.A == "monotone"


@pytest.mark.usefixtures("own_registry")
def test_the_file_is_proved_and_read_by_others(tmp_path: Path) -> None:
    words = ["lyapunov", "proximal_point", "--given", "StronglyMonotone(1/4) of S"]
    words += ["-p", "gamma=1/2..2", "--theta", "4/5"]
    shown = CliRunner().invoke(main, [*words, "--out", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    assert "every 1/2 ≤ gamma ≤ 2" in shown.output
    (file,) = tmp_path.iterdir()
    proved = CliRunner().invoke(main, ["prove", str(file)])
    assert proved.exit_code == 0, proved.output
    assert "proved" in proved.output
    document = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert document["theta"] == "4/5"
    assert document["low"] == "1/2"
    wrong = file.read_text().replace(f"({document['theta']})", "(79/100)")
    assert wrong != file.read_text()
    (tmp_path / "wrong.py").write_text(wrong.replace("_found", "_wrong"))
    refused = CliRunner().invoke(main, ["prove", str(tmp_path / "wrong.py")])
    assert refused.exit_code == 1, refused.output


def test_a_wider_range_than_what_was_shown_is_refused() -> None:
    found = over("proximal_point", ["StronglyMonotone(1/4) of S"], theta="4/5", gamma="1/2..2")
    wider = dataclasses.replace(found.theorem, where="1/4 <= gamma <= 2")
    assert attempt(wider).status != "proved"


def test_what_does_not_decrease_has_none() -> None:
    with pytest.raises(NotCertified, match="no potential was found"):
        lyapunov(
            "gradient_descent_ascent", ["Lipschitz(1) of F", "Monotone of F"], gamma="1/4..1/2"
        )


BAD = [
    ({"gamma": "1/4..1/4"}, "is one value"),
    ({"gamma": "1/2..1/4"}, "write the smaller end first"),
    ({"gamma": "1/4..sqrt(2)"}, "irrational"),
    ({"gamma": "1/4.."}, "needs both ends"),
    ({"gamma": "1/4..1/2", "steps": 2}, "leave out"),
    ({"gamma": "1/4..1/2", "history": 1}, "leave out"),
    ({"gamma": "1/4..1/2", "vectors": ["z"]}, "leave out"),
    ({"gamma": "1/4..1/2", "above": "residual"}, "leave out"),
    ({"gamma": "1/4..1/2", "tau": 2}, "has no parameter 'tau'"),
]


@pytest.mark.parametrize(("own", "sentence"), BAD)
def test_bad_ranges_are_told(own: dict[str, Any], sentence: str) -> None:
    with pytest.raises(OpcheckError, match=sentence):
        lyapunov("extragradient", STRONG, **own)


def test_bad_ranges_of_other_methods() -> None:
    with pytest.raises(OpcheckError, match="needs a value for alpha"):
        lyapunov("eg_plus", STRONG, gamma="1/4..1/2")
    with pytest.raises(OpcheckError, match="gamma and lam are ranges"):
        lyapunov("rapp", STRONG, gamma="1/8..1/4", lam="1/4..1/2", tau=2)
    with pytest.raises(OpcheckError, match="a range is of a real parameter"):
        lyapunov("rapp", STRONG, gamma="1/8", lam="1/2", tau="1..2")
    with pytest.raises(OpcheckError, match="stays at z"):
        lyapunov("douglas_rachford", STRONG, gamma="1/2..1", lam=1, constrained=True)
    with pytest.raises(OpcheckError, match="nothing to shrink"):
        lyapunov(
            "gradient_descent_ascent",
            ["StronglyMonotone(2) of F", "Lipschitz(1) of F"],
            gamma="1/8..1/4",
        )
    with pytest.raises(OpcheckError, match="no value for L"):
        lyapunov("extragradient", ["Lipschitz(L) of F"], gamma="1/4..1/2")
