"""How long to leave the other side alone after a failure: longer each time, never all at the same moment."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_S = 1.0
MOST_S = 300.0
MOST_ASKED_S = 3600.0
"""The longest that the other side may ask to be left alone: a wrong ``Retry-After`` must not stop a queue for ever."""


class Backoff:
    """The pauses between attempts, doubling from ``first_s`` to ``most_s``, each drawn from its upper half.

    Args:
        first_s: The first pause.
        most_s: The longest one.
        draw: Gives a number from 0 to 1.
    """

    def __init__(
        self, first_s: float = FIRST_S, most_s: float = MOST_S, draw: Callable[[], float] = random.random
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._draw = draw
        self.failures = 0

    def pause_s(self, asked_s: float | None = None) -> float:
        """Note a failure and return how long to pause: never less than the other side asked for, within reason."""
        longest = min(self._most_s, self._first_s * 2.0 ** min(self.failures, 60))
        self.failures += 1
        own = longest * (1 + self._draw()) / 2
        return max(own, min(asked_s or 0.0, MOST_ASKED_S))

    def reset(self) -> None:
        """Note a success."""
        self.failures = 0
