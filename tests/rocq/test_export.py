"""Developments as files: what is written, what has no form, and what may not be written."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import stat
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from command_line import invoke
from hypothesis import given
from hypothesis import strategies as st
from oracles.rocq_text import Reading
from registered import exported, stated

from opcheck import Cocoercive, Lipschitz, Monotone, PLStar, Proof, Source, registry, theorem
from opcheck.engine.ratio import Field
from opcheck.errors import InternalError, OpcheckError
from opcheck.evidence.proofs.prove import NotProved
from opcheck.model.grammar import Name
from opcheck.model.method import method
from opcheck.model.primitives import axpy, combine
from opcheck.model.theorem import Theorem, theorem_of
from opcheck.rocq.coqc import (
    AXIOMS,
    FORBIDDEN,
    _assumed,
    _forbidden,
    _without_comments,
    compiled,
)
from opcheck.rocq.development import export
from opcheck.rocq.expressions import NotExported, Vector
from opcheck.rocq.iteration import Iteration
from opcheck.rocq.names import COMMANDS, TAKEN, Names, prelude
from opcheck.rocq.signs import with_a_square
from opcheck.rocq.texts import Texts

registry.load()
EG = "gorbunov2022_eg_last"
WRITTEN = """
Definition step (j : nat) (s : state) : state :=
  let z := row_z s in
  let Fz := (F z)%vec in
  let zbar := (z - gamma * Fz)%vec in
  let Fzbar := (F zbar)%vec in
  {| row_z := (z - gamma * Fzbar)%vec; row_zbar := zbar |}.
"""


def test_a_development_reads_like_the_paper() -> None:
    text = export(EG).text
    assert WRITTEN in text
    for said in (
        "Hypothesis range_2 : gamma < 1 / L.",
        "Hypothesis Lipschitz_of_F : Lipschitz L (graph F).",
        "Hypothesis solution : Zero (graph F) zstar.",
        "  norm2 (F (z k))\n"
        "  <= norm2 (z0 - zstar) / (gamma ^ 2 * (1 - (gamma * L) ^ 2) * (INR k + 1)).",
    ):
        assert said in text
    # the wording of what opcheck says is not left out
    assert "A = 0" in text
    assert export(EG).text == text  # the same bytes again


def test_the_guide_shows_what_is_written() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "proofs.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```coq\n(.*?)^```$", guide, re.M | re.S)
    parts = [part for block in shown for part in block.split("...\n")]
    assert len(parts) == 3
    assert all(part in export(EG).text for part in parts)


def test_nothing_is_taken_for_granted() -> None:
    for text in (prelude(), export(EG).text, export("pethick2022_ceg_plus").text):
        assert FORBIDDEN.search(_without_comments(text)) is None
    # section by section: what is declared outside of one would be an axiom
    outside = re.sub(r"^Section (\w+)\.$.*?^End \1\.$", "", prelude(), flags=re.M | re.S)
    assert not re.search(r"^(Context|Variable|Hypothesis)", outside, re.M)


def test_every_choice_of_whole_parameters_is_a_theorem_of_its_own() -> None:
    written = export("pethick2023_la_eg")
    assert [n.rpartition("_tau_")[2] for n in written.names] == ["1", "2", "3", "from_4"]
    for tau in ("tau = 1", "tau = 2", "tau = 3", "every tau from 4 on"):
        assert f"pethick2023_la_eg, {tau}:" in written.text
    assert written.text.count("\nTheorem ") == 4
    assert not written.beyond
    assert "Not in this file" not in written.text


OF_ANY_LENGTH = """
Definition step (j : nat) (s : state) : state :=
  let z := row_z s in
  let slow := row_slow s in
  if Nat.eqb (Nat.modulo j tau) 0 then
    let Fz := (F z)%vec in
    {| row_z := (z - a * Fz)%vec; row_slow := z |}
  else if Nat.eqb (Nat.modulo j tau) (Nat.pred tau) then
    let Fz := (F z)%vec in
    {| row_z := ((1 - lam) * slow + lam * (z - a * Fz))%vec; row_slow := slow |}
  else
    let Fz := (F z)%vec in
    {| row_z := (z - a * Fz)%vec; row_slow := slow |}.
"""
PASSES = """
Definition pass (z : E) (w : E) : E :=
  let Fw := (F w)%vec in
  (JA (z - gamma * Fw))%vec.

Definition step (j : nat) (s : state) : state :=
  let z := row_z s in
  let w := passes tau (pass z) z in
  {| row_z := ((1 - lam) * z + lam * w)%vec; row_w := w |}.
"""


def test_a_loop_of_any_length_is_the_kernels() -> None:
    nested, inner = export("pethick2023_la_energy").text, export("pethick2023_ikm_residual").text
    assert OF_ANY_LENGTH in nested
    assert "Hypothesis range_tau : (4 <= tau)%nat." in nested
    assert PASSES in inner
    assert "Hypothesis range_tau : (2 <= tau)%nat." in inner


def without_form() -> Theorem:
    """A theorem whose potential says k mod τ in a term that is 0."""
    proof = registry.get("theorems", "pethick2023_la_energy").proof
    potential = f"{proof.potential} + 0*mod(k, tau)"
    return stated("pethick2023_la_energy", proof=dataclasses.replace(proof, potential=potential))


def test_a_length_without_a_form_is_left_out_and_said() -> None:
    written = export(without_form())
    assert [n.rpartition("_tau_")[2] for n in written.names] == ["1", "2", "3"]
    assert written.beyond.startswith("every tau from 4 on (")
    assert "Not in this file: every tau from 4 on (" in written.text


def one_row(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A loop beside the iteration, over w alone; it asks for nothing."""
    z, w, Fz, v = state[0], state[1], state[2], state[3]
    for _ in range(n):
        for _i in range(int(params[1])):
            combine(w, 1 - params[0], w, params[0], v)
        F(z, Fz, F_data)
        axpy(z, z, -params[0], Fz)


def two_rows(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """A loop beside the iteration, over w and v."""
    z, w, Fz, Fw, v = state[0], state[1], state[2], state[3], state[4]
    for _ in range(n):
        for _i in range(int(params[1])):
            F(v, Fw, F_data)
            axpy(w, w, -params[0], Fw)
            F(w, Fw, F_data)
            axpy(v, v, -params[0], Fw)
        F(z, Fz, F_data)
        axpy(z, z, -params[0], Fz)


def beside(kernel: Any, rows: str, calls: str) -> str:
    """A statement about z, of a method with another loop in each step; its name."""
    name = kernel.__name__
    own = {"params": "gamma tau:int", "rows": rows, "calls": calls, "source": "none"}
    method(name, constrained=False, **own)(kernel)
    theorem(
        f"of_{name}",
        method=name,
        given=[Cocoercive("beta", of="F")],
        where="0 < gamma < 2*beta, 1 <= tau",
        measure="distance",
        bound="R**2",
        source=Source("none"),
        proof=Proof(
            potential="distance",
            step={"Cocoercive(z)": "2*gamma"},
            end={"potential": "1"},
            cases=({"tau": "1"}, {"tau": "2 + t"}),
        ),
    )
    return f"of_{name}"


@pytest.mark.ci
def test_an_inner_loop_that_no_text_speaks_of_is_written_too(own_registry: None) -> None:
    written = export(beside(one_row, "z w Fz v", "1"))
    assert not written.beyond
    assert "  let w1 := passes tau (pass v) w in\n" in written.text
    assert "Definition pass (v : E) (w : E) : E :=\n" in written.text
    if shutil.which("coqc") is not None:
        check = compiled(written.text, written.names)
        assert check.accepted, check.reason


def test_an_inner_loop_over_two_rows_is_left_out_and_said(own_registry: None) -> None:
    written = export(beside(two_rows, "z w Fz Fw v", "2*tau + 1"))
    assert written.beyond == "every tau from 2 on (an inner loop over more rows than one)"
    assert len(written.names) == 1


def test_nothing_is_written_where_no_length_has_a_form() -> None:
    entry = without_form()
    alone = dataclasses.replace(entry.proof, cases=({"tau": "4 + t"},))
    with pytest.raises(NotExported, match=r"^pethick2023_la_energy: every tau from 4 on"):
        export(dataclasses.replace(entry, proof=alone))


@pytest.mark.parametrize(
    "name", ["lee2021_feg", "pethick2023_ikm_last", "pethick2023_la_eg", "eckstein1992_dr_fejer"]
)
def test_no_statement_and_no_symbol_takes_a_name_of_the_file(name: str) -> None:
    """A theorem named ``descent`` was once refused by Rocq: that is a lemma of every file."""
    text = export(name).text
    own = re.findall(r"^ *(?:Lemma|Definition|Fixpoint|Hypothesis|Let) (\w+)", text, re.MULTILINE)
    assert len(own) > 10
    symbols = set(theorem_of(name).let) | {p.symbol for p in theorem_of(name).iteration.parameters}
    symbols |= {p.symbol for p in theorem_of(name).asked}
    for word in {*own} - symbols:
        rows = word in theorem_of(name).iteration.rows
        assert rows or Names([]).of_theorem(word) != word, word
        assert rows or Names([])(word) != word, word


def test_a_potential_with_a_horizon_is_used_at_the_last_step() -> None:
    text = export("lieder2018_km_last").text
    for said in (
        "Definition V (n k : nat) : R :=",
        "Lemma descent_yes m n : ((S m) <= n)%nat -> a <= (1 + sqrt (INR n / (INR n + 1))) / 2 ->",
        "Lemma bounded n m : (1 <= n)%nat -> (m <= n)%nat -> V n m <= norm2 (z0 - zstar).",
        "(bounded (S m) (S m) ltac:(lia) ltac:(lia))",
        "Theorem lieder2018_km_last : forall k : nat,\n  norm2 (F (z k))\n",
    ):
        assert said in text
    # a comparison that holds on the whole range is shown to
    assert "Lemma always_start n : (1 <= n)%nat -> 1 / 2 <= " in export("gu2020_ppm_last").text


@given(st.integers(1, 6), st.integers(1, 5), st.lists(st.integers(0, 5), min_size=1, max_size=3))
def test_a_polynomial_is_a_square_and_a_rest(least: int, rest: int, weights: list[int]) -> None:
    """(t − c)² q(t) + r with t = (x y)², found again from its coefficients, or not claimed."""
    field = Field(["x", "y"])
    t = (field.symbol("x") * field.symbol("y")) ** 2
    q = sum((c * t**i for i, c in enumerate(weights)), field.number(0))
    value = (t - least) ** 2 * q + rest
    word = with_a_square(field, value.num, lambda name: name)
    assert word or not any(weights)
    for x, y in ((1, 1), (2, 3), (-1, 5)) if word else ():
        names = {"x": Fraction(x), "y": Fraction(y)}
        spot = {n: field.number(int(v)) for n, v in names.items()}
        assert Reading(word, names).whole() == Fraction(str(field.at(value, spot).constant()))


def test_a_polynomial_that_is_0_somewhere_is_no_square_and_a_rest() -> None:
    field = Field(["x"])
    x = field.symbol("x")
    for value in ((x**2 - 3) ** 2 * (x**2 + 1), (x - 1) ** 2 - 2, x**3 - 3 * x - 2):
        assert with_a_square(field, value.num, str) == ""


def in_proofs(text: str) -> set[str]:
    """The names that the proofs of a development give to what they assume and take apart."""
    body = re.sub(r"\(\*.*?\*\)", "", text, flags=re.S)
    body = body[body.index("\nSection") :]
    said = re.findall(r"(?:assert \(|set \()(\w+) :", body)
    said += re.findall(r"\bas ([\w'?]+|\[[^\]]*\]|\([^)]*\))", body)
    said += re.findall(r"\bintros ([\w ]+)", body)
    said += re.findall(r"(?m)^Lemma \w+ ([^:]*?) ?:", body)
    return {*re.findall(r"[A-Za-z_]\w*", " ".join(said))} - {"nat"}


@pytest.mark.parametrize("name", exported())
@pytest.mark.sampled(8)
def test_no_symbol_takes_a_name_that_a_proof_uses(name: str) -> None:
    """A weight named ``reach`` was refused by Rocq: a proof has a hypothesis of that name."""
    theorem = theorem_of(name)
    symbols = {c.name for c in [*theorem.conditions, *theorem.chains]}
    for word in in_proofs(export(name).text) - symbols:
        assert Names([])(word) != word, word


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bound": "2*R**2/(5*gamma**2*(1 - (gamma*L)**2)*(k + 1))"}, "bound"),
        ({"bound": "R**2/(gamma**2*(1 - (gamma*L)**2)*(k + 2))"}, "off by one"),
        ({"where": "0 < gamma < 2/L"}, "range"),
        ({"given": [Lipschitz("L", of="F")]}, "hypothesis"),
        ({"method": "gradient_descent_ascent"}, "method"),
    ],
)
def test_what_prove_refuses_is_not_written(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(OpcheckError):
        export(stated(EG, **changes))


def test_a_multiplier_that_is_wrong_is_not_written() -> None:
    proof = registry.get("theorems", EG).proof
    step = {**proof.step, next(iter(proof.step)): "3*gamma"}
    with pytest.raises(NotProved):
        export(stated(EG, proof=dataclasses.replace(proof, step=step)))


def test_a_step_that_is_not_the_kernels_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = Iteration.step

    def turned(self: Iteration, at: Any, role: str = "") -> Any:
        step = honest(self, at, role)
        rows = {**step.rows, "z": Vector("+", (step.rows["z"], step.rows["z"]))}
        return dataclasses.replace(step, rows=rows)

    monkeypatch.setattr(Iteration, "step", turned)
    with pytest.raises(InternalError, match="row z as written"):
        export(EG)


@pytest.mark.parametrize("text", ["measured", "real"])
def test_a_text_that_is_read_otherwise_is_an_error_of_ours(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = getattr(Texts, text)

    def doubled(self: Texts, node: Any, *rest: Any) -> Any:
        value = honest(self, node, *rest)
        return value * 2 if node in ("residual", Name("gamma")) else value

    monkeypatch.setattr(Texts, text, doubled)
    with pytest.raises(InternalError, match="as written for Rocq is not"):
        export(EG)


def test_what_has_no_form_is_said(own_registry: None) -> None:
    theorem(
        "of_values",
        method="proximal_point",
        given=[Monotone(of="F")],
        where="0 < gamma",
        measure="distance",
        bound="R**2*where(k >= 2, 1, 1)",
        source=Source("none"),
        proof=Proof(
            potential="distance", step={"Monotone(next(z))": "2*gamma"}, end={"potential": "1"}
        ),
    )
    with pytest.raises(NotExported, match=r"^of_values: .*where"):
        export("of_values")


@given(st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=6)))
def test_two_names_never_share_a_word(names: list[str]) -> None:
    words = Names([])
    said = {name: words(name) for name in [*names, "F", "end", "norm2", "sub", "z0", "k"]}
    assert len({*said.values()}) == len(said)
    assert not {*said.values()} & TAKEN
    assert all(re.fullmatch(r"[^\W\d_]\w*", word) for word in said.values())


def with_names_of_rocq(F, F_data, J, J_data, state, params, k, n):  # type: ignore[no-untyped-def]
    """Says (* and *) and "."""
    z, end, inner = state[0], state[1], state[2]
    for _ in range(n):
        F(z, inner, F_data)
        axpy(end, z, -params[0], inner)
        F(end, inner, F_data)
        axpy(z, z, -params[0], inner)


def test_names_of_the_language_are_written_otherwise(own_registry: None) -> None:
    method("match", params="forall", rows="z end inner", calls=2, source="none", constrained=False)(
        with_names_of_rocq
    )
    theorem(
        "Section",
        method="match",
        given=[Lipschitz("fun", of="F"), Monotone(of="F")],
        where="0 < forall < 1/fun",
        measure="distance",
        bound="R**2",
        source=Source("none"),
        doc='It says (* and *) and " too.',
        proof=Proof(
            potential="distance",
            step={"Monotone(end)": "2*forall", "Lipschitz(z, end)": "forall**2"},
            end={"potential": "1"},
        ),
    )
    text = export("Section").text
    assert "Context {E : Space} (F : E -> E) (fun_ forall_ : R) (z0 zstar : E)." in text
    assert "Theorem Section_ : forall k : nat," in text
    assert '"' not in text
    assert text.count("(*") == text.count("*)")


# ---- the command ---------------------------------------------------------------------------------


def coqc(folder: Path, script: str) -> str:
    """A PATH on which coqc is this script, and nothing else of that name is."""
    folder.mkdir()
    program = folder / "coqc"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"


VERSION = '[ "$1" = --version ] && { echo "The Coq Proof Assistant, version 8.16.1"; exit 0; }\n'
LISTED = "\n".join(["Axioms:", *(f"{a} : a" for a in sorted(AXIOMS))])
GOOD = (
    VERSION
    + f"case $5 in *.v) touch ${{5%.v}}.vo;; esac\n[ $5 = axioms.v ] && echo '{LISTED}'\nexit 0"
)
REFUSES = VERSION + (
    "[ $5 = development.v ] || { touch Opcheck.vo; exit 0; }\n"
    "echo 'File \"./development.v\", line 7, characters 1-5:' >&2; echo 'Error: no.' >&2; exit 1"
)
CLASSICAL = VERSION + "touch ${5%.v}.vo; [ $5 = axioms.v ] && echo 'cheat : False'; exit 0"
KILLED = VERSION + "[ $5 = development.v ] && kill -9 $$; touch ${5%.v}.vo; exit 0"
OLD = 'echo "The Coq Proof Assistant, version 8.9.0"'


@pytest.mark.ci
def test_files_are_written_and_named(tmp_path: Path) -> None:
    file = tmp_path / "new" / "eg.v"
    done = invoke("prove", EG, "--rocq", str(file))
    assert done.exit_code == 0, done.output
    assert file.read_text() == export(EG).text
    assert (file.parent / "Opcheck.v").read_text() == prelude()
    several = invoke("prove", EG, "lieder2021_halpern", "--rocq", str(tmp_path / "all"))
    assert several.exit_code == 0, several.output
    names = {p.name for p in (tmp_path / "all").iterdir()}
    assert names == {f"{EG}.v", "lieder2021_halpern.v", "Opcheck.v"}
    assert "2 of 2 proofs are written." in several.output
    few = "elementary_first_steps_past_extragradient"
    part = invoke("prove", few, "--rocq", str(tmp_path / "few.v"))
    assert part.exit_code == 0
    assert "; without k > 2" in part.stdout
    assert "Not in this file: k > 2" in (tmp_path / "few.v").read_text()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((EG, "lieder2021_halpern", "--rocq", "one.v"), "one file and 2 theorems"),
        ((EG, "--rocq", "Opcheck.v"), "the name of the prelude"),
        ((EG, "--check"), "say where: --rocq"),
        ((EG, "--rocq", "/dev/null/x.v"), "can't be written"),
        (("he2015_dr_small_relaxation", "--rocq", "x.v"), "declares no potential argument"),
    ],
)
def test_what_can_not_be_written_is_one_sentence(
    words: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("prove", *words)
    assert done.exit_code == 2
    assert why in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (GOOD, 0, "accepted by Rocq 8.16.1"),
        (REFUSES, 3, "internal error, please report it: prove accepts gorbunov2022_eg_last and "),
        (CLASSICAL, 3, "it rests on cheat"),
        (KILLED, 1, "was killed (SIGKILL)"),
        (OLD, 2, "older than 8.16"),
    ],
)
def test_what_coqc_does_is_told(
    script: str, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", coqc(tmp_path / "bin", script))
    file = tmp_path / "eg.v"
    done = invoke("prove", EG, "--rocq", str(file), "--check")
    assert done.exit_code == code, done.output
    assert said in done.output
    assert file.is_file()  # nothing is lost


def test_where_there_is_no_coqc_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    file = tmp_path / "eg.v"
    done = invoke("prove", EG, "--rocq", str(file), "--check")
    assert done.exit_code == 2
    assert "there is no coqc here to check the proof: install Rocq" in done.stderr
    assert file.is_file()
    done = invoke("recheck", str(file))
    assert done.exit_code == 2
    assert "there is no coqc here" in done.stderr


def test_a_file_is_rechecked_against_what_is_written_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", coqc(tmp_path / "bin", GOOD))
    file = tmp_path / "eg.v"
    text = export(EG).text
    for edited, code, said in (
        (text, 0, "it is what opcheck writes for the theorem, to the byte"),
        (text.replace("k + 1", "k + 2"), 1, "it is not what opcheck writes for"),
        (text.replace(f"for {EG}.", "for nobodys."), 1, "nobodys is not known here"),
        (text.replace("Qed.", "Admitted.", 1), 1, "it says Admitted"),
        ("Lemma x : True. Proof. exact I. Qed.", 2, "is no development that opcheck wrote"),
    ):
        file.write_text(edited)
        done = invoke("recheck", str(file))
        assert done.exit_code == code, done.output
        assert said in done.output


@pytest.mark.parametrize(
    "text",
    [
        'Ltac a := idtac "(*". Unset Guard Checking. Ltac b := idtac "*)".',
        '(* "(*" *) Unset Guard Checking. (* "*)" *)',
        "Unset Universe Checking.",
        "Lemma x : True. Admitted.",
        "Declare ML Module a.",
    ],
)
def test_what_a_proof_may_not_say_is_seen_wherever_it_stands(text: str) -> None:
    assert _forbidden(text)


def test_no_development_says_what_a_proof_may_not() -> None:
    for name in (EG, "yoon2024_dual_feg", "lieder2018_km_last"):
        assert not _forbidden(export(name).text)
    assert not _forbidden("(* Admitted, or Unset *) Lemma x : True.")


def test_only_axioms_are_read_as_axioms() -> None:
    listed = (
        "Axioms:\nClassicalDedekindReals.sig_forall_dec\n  : forall P : nat -> Prop,\n    P 0\n"
        "development.loop is assumed to be guarded.\nf : nat\nClosed under the global context\n"
    )
    assert [*_assumed(listed)] == [
        "ClassicalDedekindReals.sig_forall_dec",
        "development.loop is assumed to be guarded.",
        "f",
    ]


def test_files_have_names_that_coqc_takes(tmp_path: Path, own_registry: None) -> None:
    for name in ("a.b.v", "1.v", "opcheck.v"):
        done = invoke("prove", EG, "--rocq", str(tmp_path / name))
        assert done.exit_code == 2
        assert "name" in done.stderr
    assert invoke("prove", EG, "--rocq", str(tmp_path / "x.txt")).exit_code == 2
    assert [*tmp_path.iterdir()] == []
    entry = registry.get("theorems", EG)
    for name in ("../evil", "a/b", "", ":", "a.b"):
        with pytest.raises(OpcheckError, match="is no name"):
            registry.register("theorems", name, dataclasses.replace(entry, name=name), "here")
    registry.register("theorems", "Opcheck", dataclasses.replace(entry, name="Opcheck"), "here")
    done = invoke("prove", "Opcheck", EG, "--rocq", str(tmp_path / "both"))
    assert done.exit_code == 1
    assert "the name of the prelude" in done.output
    assert (tmp_path / "both" / "Opcheck.v").read_text() == prelude()


@pytest.mark.parametrize("word", sorted(COMMANDS))
def test_no_name_is_a_command(word: str) -> None:
    assert Names([])(word) != word
    assert Names([]).of_theorem(word) != word


def test_a_property_that_the_prelude_has_not_is_named() -> None:
    given = [Lipschitz("L", of="F"), Monotone(of="F"), PLStar("mu", of="F")]
    with pytest.raises(NotExported, match="PLStar has no form in Rocq"):
        export(stated(EG, given=given))


def test_a_certificate_says_what_it_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", coqc(tmp_path / "bin", GOOD))
    file = tmp_path / "bound.v"
    assert invoke("certify", "lieder2021_halpern", "-k", "2", "--rocq", str(file)).exit_code == 0
    done = invoke("recheck", str(file))
    assert "to the byte: at k = 2 the measure is at most the bound" in done.output
