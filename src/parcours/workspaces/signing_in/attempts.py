"""How often may be tried: so many at once, then one every so often, for each account and each address."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MOST_KEPT = 20_000


class Attempts:
    """What each name has left (a token bucket); safe to share between threads, and deaf to changes of the clock.

    Args:
        at_once: How many may be tried one after the other.
        again_s: After how long one more may be.
        clock: Seconds that never go back.
    """

    def __init__(self, at_once: int, again_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._again_s, self._clock = at_once, again_s, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._turn = Lock()

    def take(self, name: str) -> float:
        """Take one attempt of ``name`` and return 0, or return after how many seconds there will be one again."""
        with self._turn:
            now = self._clock()
            left, at = self._left.get(name, (float(self._at_once), now))
            left = min(self._at_once, left + (now - at) / self._again_s)
            taken = left >= 1
            self._left[name] = (left - 1 if taken else left, now)
            self._left.move_to_end(name)
            while len(self._left) > MOST_KEPT:
                self._left.popitem(last=False)
            return 0.0 if taken else (1 - left) * self._again_s

    def forget(self, name: str) -> None:
        """Give ``name`` all of its attempts back."""
        with self._turn:
            self._left.pop(name, None)
