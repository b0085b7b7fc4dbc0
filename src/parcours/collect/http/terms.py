"""The terms of a key, asked only where it has some: from where, which events, and how many a second."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import msgspec

from parcours.collect.http.answers import EVENT_REFUSED, WRONG_ORIGIN, refuse
from parcours.collect.http.intake import StoppedError
from parcours.collect.http.keys import Sender
from parcours.collect.journal.delivery import BATCH

BURST_S = 10.0
"""What a key saves up while it sends less than it may."""
_LONGEST_WAIT_S = 300


class _Call(msgspec.Struct, gc=False):
    type: Any = None
    event: Any = None


class _Calls(msgspec.Struct, gc=False):
    batch: list[_Call]


_decode_calls = msgspec.json.Decoder(_Calls).decode
_decode_call = msgspec.json.Decoder(_Call).decode


class KeyTerms:
    """Holds the keys of one worker to their terms."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def check(self, sender: Sender, kind: str, body: bytes, events: int, origin: bytes) -> None:
        """Do nothing if the key may send this.

        Raises:
            StoppedError: ``origin_refused``, ``event_refused`` or ``rate_exceeded``.
        """
        if sender.key_origins and origin.decode("latin-1") not in sender.key_origins:
            raise StoppedError(WRONG_ORIGIN, "origin_refused")
        if sender.events and not set(_find_names(sender, kind, body)) <= set(sender.events):
            raise StoppedError(EVENT_REFUSED, "event_refused")
        if sender.per_second and (wait_s := self._take(sender, events)):
            told = str(min(_LONGEST_WAIT_S, math.ceil(wait_s))).encode()
            answer = refuse(
                429, "rate_exceeded", "This key sends more than it may; come again.", (b"retry-after", told)
            )
            raise StoppedError(answer, "rate_exceeded")

    def _take(self, sender: Sender, events: int) -> float:
        """Take ``events`` and return 0, or return after how many seconds some may come again.

        A request is taken whole as long as anything is left: what it takes beyond that is waited for by the next one.
        """
        now, most = self._clock(), max(1.0, sender.per_second * BURST_S)
        left, at = self._left.get(sender.key, (most, now))
        left = min(most, left + (now - at) * sender.per_second)
        self._left[sender.key] = (left - events if left > 0 else left, now)
        return 0.0 if left > 0 else (1 - left) / sender.per_second


def _find_names(sender: Sender, kind: str, body: bytes) -> list[str]:
    """Return what the events of a body are called; a call that is not understood is called nothing."""
    try:
        calls = _decode_calls(body).batch if kind == BATCH else [_decode_call(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [""]
    names = []
    for call in calls:
        type = call.type if kind == BATCH else kind
        name = call.event if type == "track" else sender.names.get(type) if isinstance(type, str) else None
        names.append(name if isinstance(name, str) else "")
    return names
