"""Names of a development: none may be one that the prelude, the library or the language has."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from importlib import resources

PRELUDE = "Opcheck.v"
# of the language, and of the library as the prelude opens it
_TAKEN = """
    as at cofix do else end exists exists2 fix for forall fun if IF in let match mod Prop return Set
    SProp Type then using where with Theorem Lemma Definition Fixpoint Section End Module Proof Qed
    R S O I E F A T f nat pred plus mult minus div max min id fst snd pair bool true false list nil
    cons not and or iff eq ex le lt gt ge Nat INR IZR pow sqrt exp ln sin cos tan PI Rabs Rmin Rmax
    up total bounded start descent at_end certified solution state step run family V JA JS JF z0
    zstar j k m n s G opcheck A_monotone A_subgradient
    pass inside looped turn gone room rest further
    IH affine alone d first less most moved next one other p q quotient reach root skew some square
    this upto always K ended within before_last last proved
"""
# commands by which a file could take something for granted, or do more than define and prove
_COMMANDS = """
    Admitted admit give_up Axiom Axioms Parameter Parameters Conjecture Conjectures Abort Unset
    Bypass_check bypass_check Redirect Cd LoadPath Load Add Extraction Drop Register
    Primitive Undo Restart Back Reset Guard Universe native_compute
"""
COMMANDS = frozenset(_COMMANDS.split())
TAKEN = frozenset(_TAKEN.split()) | COMMANDS
# what a development calls its own lemmas, hypotheses and fields
_HEADS = re.compile(
    r"(row|term|sign|range|always|start|descent|at_end|certified|agree|apart|phase|step|same|value|off|gone|Of"
    r"|[xEuv])_"
)
_TAILS = re.compile(
    r"_(first|next|later|next_middle|next_last|is|positive|resolvent|of|\d+|[FAST])$"
    r"|^(agree|apart|inverse|known|root|same|taken|test|value)\d+$"  # what proofs assume, by number
)

# of lemmas about a row, and of hypotheses
_MADE = re.compile(
    r"_(first|next|later)(_\d+|_first|_later|_middle|_last)?$|_is(_positive|_resolvent)?$|_of_[FAST]$"
)


def prelude() -> str:
    """The text of the prelude: spaces, operators, classes, and the tactics of the proofs."""
    return resources.files("opcheck.rocq").joinpath(PRELUDE).read_text(encoding="utf-8")


@functools.cache
def _of_prelude() -> frozenset[str]:
    defining = r"(?:Definition|Lemma|Fixpoint|Record|Inductive|Ltac|let rec) (\w+)"
    fields = r"[{;|]\s*(\w+)\s*:[^=>]"  # of a record
    return frozenset(re.findall(defining, prelude()) + re.findall(fields, prelude()))


@functools.cache
def classes() -> frozenset[str]:
    """The properties of operators that the prelude has."""
    heads = re.findall(r"^Definition (\w+) .*\(A : operator\)", prelude(), re.MULTILINE)
    return frozenset(heads)


def _word(name: str) -> str:
    """A name in the letters that Rocq takes."""
    word = re.sub(r"[^\w]", "_", name)
    return word if re.match(r"[^\W\d_]", word) else f"own_{word}"


class Names:
    """Words for the names of a statement and of its method; two names never share one."""

    def __init__(self, names: Sequence[str]) -> None:
        self._words: dict[str, str] = {}
        for name in names:
            self(name)

    def of_theorem(self, name: str) -> str:
        """The word for a theorem; no other name shares it."""
        word = _word(name)
        word = f"own_{word}" if _HEADS.match(word) else word
        while word in TAKEN or word in _of_prelude() or _MADE.search(word):
            word += "_"
        self._words[f"theorem {name}"] = word
        return word

    def __call__(self, name: str) -> str:
        """The word for a name, the same each time."""
        if name not in self._words:
            word = _word(name)
            word = f"own_{word}" if _HEADS.match(word) else word
            while (
                word in TAKEN
                or word in self._words.values()
                or word in _of_prelude()
                or _TAILS.search(word)
            ):
                word += "_"
            self._words[name] = word
        return self._words[name]
