"""What can go wrong through no fault of the library."""

from __future__ import annotations


class OpcheckError(Exception):
    """Bad input. The message is one sentence: what is wrong, where, and what to do."""


class InternalError(OpcheckError):
    """Two parts of opcheck contradict each other: nobody's input is to blame."""


class Undecided(ArithmeticError):
    """A comparison that the precision at hand can't decide; more bits may."""
