"""Delivered events on their way to quarantine and back: those with one reason packed and sealed together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
import zstandard

from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.sealing import HOUR_MS, MOST_BYTES
from parcours.engine.store.aside import Aside
from parcours.words import Words

AT_ONCE = 500
"""Events sealed together: a flood of one fault takes a tenth of the room, and is put back in lots of this size."""

MOST_LOT_BYTES = 4 << 20
"""A lot is closed when it has reached so many bytes: large events go back in smaller lots."""

_PACK = msgspec.msgpack.Encoder().encode
_UNPACK = msgspec.msgpack.Decoder(list[Delivery]).decode


class Quarantine:
    """Gathers the events of one compaction; ``seal`` is the door's."""

    def __init__(self, seal: Callable[[bytes], bytes]) -> None:
        self._seal = seal
        self._compress = zstandard.ZstdCompressor(level=1).compress
        self._open: dict[tuple[str, str, str, Words, int], tuple[list[Delivery], list[int]]] = {}
        self._bytes: Counter[tuple[str, str, str, Words, int]] = Counter()
        self._closed: list[Aside] = []

    def add(self, code: str, rule: str, reason: Words, original: Delivery, events: int = 1) -> None:
        """Put aside a delivery that holds nothing else; those of one hour and reason stay together."""
        key = (original.source, code, rule, reason, original.received_ms // HOUR_MS)
        originals, counts = self._open.setdefault(key, ([], []))
        originals.append(original)
        counts.append(events)
        self._bytes[key] += len(original.body)
        if len(originals) >= AT_ONCE or self._bytes[key] >= MOST_LOT_BYTES:
            self._close(key)

    def close(self) -> list[Aside]:
        """Return everything that was put aside."""
        for key in list(self._open):
            self._close(key)
        return self._closed

    def _close(self, key: tuple[str, str, str, Words, int]) -> None:
        originals, counts = self._open.pop(key)
        del self._bytes[key]
        sealed = self._seal(self._compress(_PACK(originals)))
        source, code, rule, reason, _ = key
        self._closed.append(Aside(source, code, rule, reason, originals[0].received_ms, sealed, sum(counts)))


def open_aside(aside: Aside, unseal: Callable[[bytes], bytes]) -> list[Delivery]:
    """Return the deliveries that were put aside together.

    Raises:
        ParcoursError: ``seal_damaged``.
    """
    return _UNPACK(zstandard.ZstdDecompressor().decompress(unseal(aside.original), max_output_size=MOST_BYTES))
