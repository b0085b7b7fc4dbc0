"""The pace of one link: how many forms it may send in a span of time, held in memory and forgotten with it."""

from __future__ import annotations

from collections import OrderedDict

MOST_FORMS = 20
SPAN_MS = 10 * 60_000
MOST_LINKS = 10_000


class Pace:
    """Counts the forms of each link over a span that starts with the first of them."""

    def __init__(self) -> None:
        self._spans: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def wait_for(self, answer: bytes, now_ms: int) -> int:
        """Count one more form; return 0, or after how many milliseconds the link may send again."""
        start_ms, count = self._spans.pop(answer, (now_ms, 0))
        if not 0 <= now_ms - start_ms < SPAN_MS:
            start_ms, count = now_ms, 0
        self._spans[answer] = start_ms, count + 1
        if len(self._spans) > MOST_LINKS:
            self._spans.popitem(last=False)
        return start_ms + SPAN_MS - now_ms if count >= MOST_FORMS else 0
