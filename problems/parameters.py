"""Checks of family parameters: one sentence where a family does not exist."""

from __future__ import annotations

from opcheck.errors import OpcheckError


def require(holds: bool, sentence: str) -> None:
    """Raises OpcheckError with the sentence unless ``holds``."""
    if not holds:
        raise OpcheckError(sentence)


def positive(value: float, name: str) -> None:
    """Raises OpcheckError unless the parameter is positive and finite."""
    require(0 < value < float("inf"), f"{name} = {value} must be positive and finite")


def whole(value: float, name: str, least: int = 1) -> int:
    """The parameter as an int. Raises OpcheckError unless it is whole and at least ``least``."""
    require(
        least <= value < float("inf") and value == int(value),
        f"{name} = {value} must be a whole number from {least} on",
    )
    return int(value)
