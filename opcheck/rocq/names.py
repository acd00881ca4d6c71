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
    up total bounded start state step run V JA JS JF z0 zstar j k m n s opcheck
"""
TAKEN = frozenset(_TAKEN.split())


def prelude() -> str:
    """The text of the prelude: spaces, operators, classes, and the tactics of the proofs."""
    return resources.files("opcheck.rocq").joinpath(PRELUDE).read_text(encoding="utf-8")


@functools.cache
def _of_prelude() -> frozenset[str]:
    defining = r"(?:Definition|Lemma|Fixpoint|Record|Inductive|Ltac|let rec) (\w+)"
    fields = r"[{;|]\s*(\w+)\s*:[^=>]"  # of a record
    return frozenset(re.findall(defining, prelude()) + re.findall(fields, prelude()))


class Names:
    """Words for the names of a statement and of its method; two names never share one."""

    def __init__(self, names: Sequence[str]) -> None:
        self._words: dict[str, str] = {}
        for name in names:
            self(name)

    def __call__(self, name: str) -> str:
        """The word for a name, the same each time."""
        if name not in self._words:
            word = re.sub(r"[^\w]", "_", name)
            word = word if re.match(r"[^\W\d_]", word) else f"x_{word}"
            while (
                word in TAKEN
                or word in self._words.values()
                or word in _of_prelude()
                or re.match(r"(term|sign|row|descent|end|start|[uv])_", word)
            ):
                word += "_"
            self._words[name] = word
        return self._words[name]
