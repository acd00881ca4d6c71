"""Results that figure kinds draw."""

from __future__ import annotations

from typing import Any, ClassVar

from opcheck import registry


class Drawn:
    """The base of a result that has a picture.

    Attributes:
        picture: the kind that draws it where none is named.
    """

    picture: ClassVar[str]

    def plot(self, kind: str = "", ax: Any = None, **options: Any) -> Any:
        """A matplotlib figure with its caption and ``save``; a notebook shows it.

        Args:
            kind: a registered figure kind that draws such a result; ``opcheck plot`` lists them.
            ax: matplotlib axes to draw on, which are then returned instead.
            options: of the kind, and ``width`` and ``style`` of a figure.

        Raises OpcheckError for an unknown kind or option, and for a kind that does not draw this.
        """
        entry = registry.get("figures", kind or self.picture)
        what = self._in_picture()
        return entry(what, **options) if ax is None else entry.plot(what, ax, **options)

    def _in_picture(self) -> Any:
        """What is drawn of it."""
        return self
