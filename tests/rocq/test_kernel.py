"""What Rocq's kernel says: proofs are accepted, planted errors are not.

Where coqc is not installed, that is what has to be said of every file.
"""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from registered import exported

from opcheck import registry
from opcheck.errors import OpcheckError
from opcheck.evidence.discover.discover import discover
from opcheck.evidence.lyapunov import lyapunov
from opcheck.rocq.coqc import AXIOMS, Compiled, compiled
from opcheck.rocq.development import export
from opcheck.rocq.files import recheck_development

registry.load()
pytestmark = pytest.mark.slow


@functools.cache
def kept() -> Path:
    """Where the compiled prelude stays while these tests run."""
    return Path(tempfile.mkdtemp(prefix="opcheck-rocq-tests-"))


def said(text: str, names: tuple[str, ...]) -> Compiled | None:
    """What coqc says of a file; None where there is none, and that is said."""
    if shutil.which("coqc") is not None:
        return compiled(text, names, folder=kept(), seconds=900)
    with pytest.raises(OpcheckError, match="there is no coqc here to check the proof"):
        compiled(text, names)
    return None


@pytest.mark.parametrize("name", exported())
def test_every_proof_is_accepted(name: str) -> None:
    written = export(name)
    check = said(written.text, written.names)
    if check is not None:
        assert check.accepted, check.reason
        assert {*check.axioms} <= AXIOMS


def planted(name: str, *edits: tuple[str, str]) -> tuple[str, tuple[str, ...]]:
    """A development with errors planted; each must be there to be changed."""
    written = export(name)
    text = written.text
    for old, new in edits:
        assert re.search(old, text), old
        text = re.sub(old, new, text)
    return text, written.names


EG = "gorbunov2022_eg_last"
GAME = "elementary_bilinear_extragradient"
KM, RK = "lieder2018_km_last", "elementary_runge_kutta_4_bilinear"
PLANTED: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "bound": (EG, ((r"(<= )(norm2 \(z0 - zstar\) / \(gamma)", r"\g<1>2 / 5 * \2"),)),
    "off by one": (EG, ((r"\(INR ([km]) \+ 1\)(?=\)\.)", r"(INR \1 + 2)"),)),
    "range": (EG, ((r"(Hypothesis range_2 : gamma < )1 / L", r"\g<1>2 / L"),)),
    "range of rho": (
        "lee2021_feg",
        ((r"(Hypothesis range_1 : \(- 1\) / )\(2 \* L\) < rho", r"\1L < rho"),),
    ),
    "hypothesis": (EG, ((r"(Monotone_of_F : )Monotone ", r"\1Comonotone (-1) "),)),
    "hypothesis without its constant": (
        EG,
        ((r"(Lipschitz_of_F : Lipschitz )L ", r"\1(2 * L) "),),
    ),
    "solution": (EG, ((r"Hypothesis solution : .*\.", "Hypothesis solution : True."),)),
    "method": (EG, ((r"row_z := \(z - gamma", "row_z := (z + gamma"),)),
    "look-ahead": (EG, ((r"let zbar := \(z - gamma \* Fz\)", "let zbar := (z)"),)),
    "weight of a square": (
        "lieder2021_halpern",
        ((r"(.*) \* norm2 (\(.*\))(\)\.)", r"(2 * \1) * norm2 \2\3"),),
    ),
    "measure": (EG, ((r"(?m)^  norm2 \(F \(z k\)\)$", "  2 * norm2 (F (z k))"),)),
    "a sum that is longer": (
        "tseng2000_fbf_average",
        ((r"(?m)^(  before term_1) \(S k\)", r"\1 (S (S k))"),),
    ),
    "the first k": (
        "lee2021_feg",
        ((r"forall k : nat, \(1 <= k\)%nat ->", "forall k : nat,"), (r"  intros first\.\n", "")),
    ),
    "an equality": (GAME, ((r"1 - s_ \^ 2 \+ s_ \^ 4", "1 - s_ ^ 2 + 2 * s_ ^ 4"),)),
    "a family": (GAME, ((r"(family : Turn )0 ", r"\1L "), (r"turn_alone _ _ _ family", "family"))),
    "the last k": (
        "elementary_first_steps_past_extragradient",
        ((r" \(k <= 2\)%nat ->", ""), (r"  intros most\.\n", "")),
    ),
    "a bound below the crossing": (KM, ((r"\* \(1 - a\)\)(?= else)", "* (1 - a) * 2)"),)),
    "a bound above the crossing": (KM, ((r"else 4 \* \(\(2 \* a", "else 3 * ((2 * a"),)),
    "where two bounds cross": (KM, ((r"\(1 \+ sqrt", "(2 + sqrt"),)),
    "the turn of a comparison": (
        KM,
        ((r"Rle_dec a (\(\(1 \+ sqrt [^d]*\)\) / 2\))", r"Rle_dec \1 a"),),
    ),
    "the least weight": (KM, ((r"(Hypothesis range_1 : )1 / 2 <= a", r"\1 1 / 4 <= a"),)),
    "a power that grows": (
        "gu2020_ppm_last",
        ((r"(?m)^(  <= .*) \^ k / \(INR k \+ 1\)\.$", r"\1 ^ (S k) / (INR k + 1)."),),
    ),
    "a power of a polynomial": (RK, ((r"s_ \^ 8 / 576", "s_ ^ 8 / 577"),)),
    "an axiom": (
        EG,
        (
            (r"(?m)^Module Of", "Hypothesis cheat : False.\nModule Of"),
            (r"cbn \[Nat\.pred\]; exact \(at_end k\)", "exact (False_ind _ cheat)"),
        ),
    ),
    "no proof": (EG, ((r"cbn \[Nat\.pred\]; exact \(at_end k\)\.\nQed", "Admitted"),)),
}


@pytest.mark.parametrize("error", PLANTED)
def test_planted_errors_are_refused(error: str) -> None:
    name, edits = PLANTED[error]
    check = said(*planted(name, *edits))
    if check is not None:
        assert not check.accepted
        assert check.reason


ENERGY, RESIDUAL = "pethick2023_la_energy", "pethick2023_ikm_residual"
# of what is about a loop of any length alone
PLANTED_IN_LOOPS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "bound": (ENERGY, ((r"(<= )(norm2 \(z0 - zstar\))(?=\.)", r"\g<1>9 / 10 * \2"),)),
    "range": (ENERGY, ((r"(Hypothesis range_4 : lam <= )1", r"\g<1>2"),)),
    "hypothesis": (
        ENERGY,
        ((r"(QuasiNonexpansive \(graph \(fun x => \(x - )F x", r"\1(1 / 2) * F x"),),
    ),
    "a length that is shorter": (ENERGY, ((r"(range_tau : \()4( <= tau)", r"\g<1>1\2"),)),
    "method": (ENERGY, ((r"\(1 - lam\) \* (slow|slow n) \+ lam", r"(1 - lam) * \1 + 2 * lam"),)),
    "the last step, one late": (ENERGY, ((r"(modulo j tau\)) \(Nat\.pred tau\)", r"\1 tau"),)),
    "the first step, one late": (ENERGY, ((r"(Nat\.eqb \(Nat\.modulo j tau\)) 0", r"\1 1"),)),
    "the end of a loop, one late": (
        ENERGY,
        ((r"(term_1 .*)Nat\.modulo \(S j\) tau", r"\1Nat.modulo j tau"),),
    ),
    "the phase of the potential": (ENERGY, ((r"(match Nat\.modulo) k( tau)", r"\1 (S k)\2"),)),
    "the length of a loop": (
        "pethick2023_la_average",
        ((r"(norm2 \(z0 - zstar\) \* )INR tau", r"\1(INR tau - 1)"),),
    ),
    "bound of an inner loop": (RESIDUAL, ((r"\+ c \*", "+ 9 / 10 * c *"),)),
    "range of an inner loop": (RESIDUAL, ((r"(range_6 : lam < )2", r"\g<1>3"),)),
    "hypothesis of an inner loop": (RESIDUAL, ((r"(Comonotone )rho", r"\1(2 * rho)"),)),
    "a pass too many": (RESIDUAL, ((r"(let w := passes) tau", r"\1 (S tau)"),)),
    "no pass": (RESIDUAL, ((r"(range_tau : \()2( <= tau)", r"\g<1>0\2"),)),
    "a pass": (RESIDUAL, ((r"JA \(z - gamma \* Fw\)", "JA (z + gamma * Fw)"),)),
}


def of_any_length(name: str, *edits: tuple[str, str]) -> tuple[str, tuple[str, ...]]:
    """The part of a file that is about loops of any length, with errors planted."""
    written = export(name)
    *_, last = written.names
    head, rest = (
        "Require Import Opcheck.\n",
        written.text.partition(f"Module {last.split('.')[0]}."),
    )
    text = "".join([head, *rest[1:]])
    for old, new in edits:
        assert re.search(old, text), old
        text = re.sub(old, new, text)
    return text, (last,)


@pytest.mark.parametrize("name", [ENERGY, RESIDUAL, "pethick2023_la_average"])
def test_a_loop_of_any_length_is_accepted_by_itself(name: str) -> None:
    check = said(*of_any_length(name))
    if check is not None:
        assert check.accepted, check.reason


@pytest.mark.parametrize("error", PLANTED_IN_LOOPS)
def test_planted_errors_in_loops_of_any_length_are_refused(error: str) -> None:
    name, edits = PLANTED_IN_LOOPS[error]
    check = said(*of_any_length(name, *edits))
    if check is not None:
        assert not check.accepted
        assert check.reason


USED = """
(* The theorem is of every tau: one with tau a variable, and at tau = 5. *)
Definition every := fun (tau : nat) (several : (4 <= tau)%nat) {{E : Space}} (F : E -> E) =>
  fun a lam z0 zstar => Of_{0}_tau_from_4.{0}_tau_from_4 F tau a lam z0 zstar several.
Lemma five : (4 <= 5)%nat. Proof. lia. Qed.
Definition used := fun {{E : Space}} (F : E -> E) a lam z0 zstar =>
  Of_{0}_tau_from_4.{0}_tau_from_4 F 5 a lam z0 zstar five.
"""


def test_a_theorem_of_every_length_is_used_at_any() -> None:
    text, names = of_any_length(ENERGY)
    check = said(text + USED.format(ENERGY), (*names, "every", "used"))
    if check is not None:
        assert check.accepted, check.reason


VACUOUS = """
(* The hypotheses of {0} hold together: F a quarter turn of the plane, L = 1, gamma = 1/2. *)
Definition plane := product line line.
Definition turn (p : plane) : plane := (- snd p, fst p).
Lemma turn_lipschitz : Lipschitz 1 (graph turn).
Proof.
  intros x u y v Hu Hv. rewrite Hu, Hv. destruct x as [a b], y as [c d].
  assert (H : forall a b c d : R, (- b + -1 * - d) * (- b + -1 * - d) + (a + -1 * c) * (a + -1 * c)
    <= 1 ^ 2 * ((a + -1 * c) * (a + -1 * c) + (b + -1 * d) * (b + -1 * d))) by (intros; lra).
  exact (H a b c d).
Qed.
Lemma turn_monotone : Monotone (graph turn).
Proof.
  intros x u y v Hu Hv. rewrite Hu, Hv. destruct x as [a b], y as [c d].
  assert (H : forall a b c d : R,
    0 <= (a + -1 * c) * (- b + -1 * - d) + (b + -1 * d) * (a + -1 * c)) by (intros; lra).
  exact (H a b c d).
Qed.
Lemma turn_zero : Zero (graph turn) (zero : plane).
Proof. unfold Zero, graph, turn. simpl. f_equal. ring. Qed.
Definition used (z0 : plane) := Of_{0}.{0} turn 1 (1/2) z0 zero
  ltac:(lra) ltac:(lra) ltac:(lra) turn_lipschitz turn_monotone turn_zero.
"""


def test_the_hypotheses_hold_together() -> None:
    """Of one theorem on a real plane: it is about something, and its theorem can be used."""
    written = export(EG)
    check = said(written.text + VACUOUS.format(EG), (*written.names, "used"))
    if check is not None:
        assert check.accepted, check.reason


TURNS = """
(* The family is not empty: a quarter turn of the plane is one with a = 0 and s = 1. *)
Definition plane := product line line.
Definition turn (p : plane) : plane := (- snd p, fst p).
Lemma turn_turns : Turn 0 (1 ^ 2) turn (zero : plane).
Proof.
  exists turn. repeat split.
  - intros [a b] [c d]. simpl. ring.
  - intros [a b].
    assert (H : forall a b : R, (- a, - b) = (- 1 ^ 2 * a, - 1 ^ 2 * b)) by (intros; f_equal; ring).
    exact (H a b).
  - intros [a b].
    assert (H : forall a b : R, (- b, a) =
      (0 * (a + -1 * 0) + - (b + -1 * 0), 0 * (b + -1 * 0) + (a + -1 * 0)))
      by (intros; f_equal; ring).
    exact (H a b).
Qed.
Lemma turn_lipschitz : Lipschitz 1 (graph turn).
Proof.
  intros x u y v Hu Hv. rewrite Hu, Hv. destruct x as [a b], y as [c d].
  unfold norm2. simpl. lra.
Qed.
Lemma turn_zero : Zero (graph turn) (zero : plane).
Proof. unfold Zero, graph, turn. simpl. f_equal. ring. Qed.
Definition used (z0 : plane) :=
  Of_{0}.{0} turn 1 (1/2) z0 zero ltac:(lra) ltac:(lra) turn_lipschitz turn_turns turn_zero.
"""


def test_a_family_is_about_something() -> None:
    written = export(GAME)
    check = said(written.text + TURNS.format(GAME), (*written.names, "used"))
    if check is not None:
        assert check.accepted, check.reason


def test_a_file_says_that_it_is_what_is_written_here(tmp_path: Path) -> None:
    file = tmp_path / "eg.v"
    file.write_text(export(EG).text)
    if shutil.which("coqc") is None:
        with pytest.raises(OpcheckError, match="there is no coqc here"):
            recheck_development(file)
        return
    again = recheck_development(file)
    assert again.ok
    assert str(again).endswith("it is what opcheck writes for the theorem, to the byte")


UNSAFE = {  # hidden from what looks at words alone, and each leaves a trace in the kernel
    "Unset Guard Checking. Fixpoint loop (n : nat) : False := loop n.": "guarded",
    "Unset Positivity Checking. Inductive bad := make : (bad -> False) -> bad.": "positive",
}


@pytest.mark.parametrize("planted_text", UNSAFE)
def test_what_the_kernel_was_told_to_leave_out_is_seen(planted_text: str) -> None:
    """Also by what Print Assumptions says, were the words themselves hidden."""
    written = export("lieder2021_halpern")
    head, around, rest = written.text.partition("Require Import Opcheck.\n")
    use = "loop 0" if "loop" in planted_text else "(fun b : bad => match b with make f => f b end)"
    contradiction = {
        "loop 0": "Definition contradiction : False := loop 0.",
    }.get(
        use,
        "Definition itself (b : bad) : False := match b with make f => f b end.\n"
        "Definition contradiction : False := itself (make itself).",
    )
    text = f"{head}{around}{planted_text}\n{contradiction}\n{rest}"
    text = re.sub(
        r"(Theorem lieder2021_halpern .*?)Proof using All\..*?Qed\.",
        r"\1Proof using All. destruct contradiction. Qed.",
        text,
        flags=re.S,
    )
    assert "destruct contradiction" in text
    check = said(text, written.names)
    if check is None:
        return
    assert not check.accepted
    assert "it says Unset" in check.reason
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("opcheck.rocq.coqc._forbidden", lambda _: "")
        check = compiled(text, written.names, folder=kept(), seconds=900)
    assert not check.accepted
    assert UNSAFE[planted_text] in check.reason


# Rocq once refused these: a sum that has begun, a pass that adds up, a where in a power, two
# hypotheses on F whose constants are numbers
REFUSED_ONCE = """
from opcheck import Cocoercive, Lipschitz, Monotone, Proof, Source, StronglyMonotone, method
from opcheck import theorem
from opcheck.kernels import axpy, copy


@method("adds_up", params="gamma tau:int", rows="z Fz w", calls=1, source="me", constrained=False)
def adds_up(F, F_data, J, J_data, state, params, k, n):
    "z⁺ = z − γ F z; w is of no use."
    z, Fz, w = state[0], state[1], state[2]
    gamma, tau = params[0], int(params[1])
    for _ in range(n):
        F(z, Fz, F_data)
        axpy(z, z, -gamma, Fz)
        copy(w, z)
        for i in range(tau):
            axpy(w, w, 1, Fz)
        copy(w, z)
        k += 1


theorem(
    "begun_sum",
    method="past_extragradient",
    given=[Lipschitz("L", of="F"), Monotone(of="F")],
    where="0 < gamma <= 1/(4*L)",
    measure="upto(residual(zbar))/(k + 1)",
    bound="4*R**2/(gamma**2*(k + 1))",
    source=Source("me", "Theorem 1"),
)
theorem(
    "pass_that_adds_up",
    method="adds_up",
    given=[Cocoercive("beta", of="F")],
    where="0 < gamma < 2*beta, 1 <= tau",
    measure="upto(residual)",
    bound="R**2/(gamma*(2*beta - gamma))",
    source=Source("me", "Theorem 2"),
    proof=Proof(
        potential="distance + gamma*(2*beta - gamma)*before(residual)",
        step={"Cocoercive(z, solution)": "2*gamma"},
        end={"next(potential)": "1/(gamma*(2*beta - gamma))"},
        cases=({"tau": "1"}, {"tau": "2 + t"}),
    ),
)
theorem(
    "where_in_a_power",
    method="gradient_descent_ascent",
    given=[Cocoercive("beta", of="F"), StronglyMonotone("mu", of="F")],
    where="0 < mu, 0 < gamma < min(beta, 1/mu)",
    measure="distance",
    bound="q**k*R**2",
    let={"q": "where(mu <= 1, 1 - gamma*mu, 1 - gamma*mu)"},
    source=Source("me", "Theorem 3"),
    proof=Proof(
        potential="distance*q**(-k)",
        step={
            "StronglyMonotone(z, solution)": "gamma*q**(-(k + 1))",
            "Cocoercive(z, solution)": "gamma*q**(-(k + 1))",
        },
        end={"potential": "q**k"},
    ),
)
theorem(
    "constants_are_numbers",
    method="gradient_descent_ascent",
    given=[Lipschitz("1", of="F"), StronglyMonotone("1/4", of="F")],
    where="1/16 <= gamma <= 1/4",
    measure="distance",
    bound="R**2*(63/64)**k",
    source=Source("me", "Theorem 4"),
    proof=Proof(
        potential="distance*(63/64)**(-k)",
        step={
            "StronglyMonotone(z, solution)": "2*gamma*(63/64)**(-(k + 1))",
            "Lipschitz(z, solution)": "gamma**2*(63/64)**(-(k + 1))",
        },
        end={"potential": "(63/64)**k"},
    ),
)
"""


NUMBERS = "constants_are_numbers"


def test_proofs_that_were_refused_once(tmp_path: Path) -> None:
    file = tmp_path / "refused_once.py"
    file.write_text(REFUSED_ONCE)
    with registry.forgetting():
        registry.load_file(file)
        found = discover("begun_sum")
        assert found.ok
        (tmp_path / "found.py").write_text(found.file)
        registry.load_file(tmp_path / "found.py")
        for name in ("begun_sum_found", "pass_that_adds_up", "where_in_a_power", NUMBERS):
            written = export(name)
            check = said(written.text, written.names)
            assert check is None or check.accepted, (name, check)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "constrained"),
    [
        ("extragradient", True),
        ("past_extragradient", False),
        ("forward_reflected_backward", False),
    ],
)
def test_rates_over_a_range(method: str, constrained: bool, tmp_path: Path) -> None:
    """Refused once: a sign that is seen on each half of a range apart, and a row that is a point
    where the run begins and a value later."""
    given = ["Lipschitz(1) of F", "StronglyMonotone(1/4) of F"]
    found = lyapunov(method, given, constrained=constrained, gamma="1/8..1/4")
    (file,) = found.write_certificates(tmp_path)
    with registry.forgetting():
        registry.load_file(file)
        written = export("potential_over_a_range_found")
        check = said(written.text, written.names)
    assert check is None or check.accepted, check
