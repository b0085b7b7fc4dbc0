"""What long work tells while it goes on; the door draws it, everything else only reports it."""

from __future__ import annotations

from typing import Protocol

from parcours.words import Words


class Progress(Protocol):
    """A listener to long work."""

    def begin(self, label: Words, total: int | None = None) -> None:
        """A step of ``total`` units (rows, bytes, measures) starts; ``None`` when the size is not known."""

    def advance(self, units: int = 1) -> None:
        """``units`` more of the current step are done."""

    def end(self) -> None:
        """The current step is finished."""


class Silent:
    """The listener that draws nothing."""

    def begin(self, label: Words, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, units: int = 1) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""
