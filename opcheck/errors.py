"""What can go wrong through no fault of the library."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

HERE = str(Path(__file__).parent)
_said: set[str] = set()


class OpcheckError(Exception):
    """Bad input. The message is one sentence: what is wrong, where, and what to do."""


class InternalError(OpcheckError):
    """Two parts of opcheck contradict each other: nobody's input is to blame."""


class MissingExtra(OpcheckError, ImportError):
    """A package is needed that only an extra installs. The message says the command."""


class Undecided(ArithmeticError):
    """A comparison that the precision at hand can't decide; more bits may."""


class OpcheckWarning(UserWarning):
    """What a user should know of a result that stands. The message is one sentence."""


def warn_once(sentence: str) -> None:
    """Warn of something once a process, at the line outside of opcheck that led here."""
    if sentence in _said:
        return
    _said.add(sentence)
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(HERE):
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, OpcheckWarning, stacklevel=level)
