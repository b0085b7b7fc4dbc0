"""How deliveries become one sealed blob: packed, compressed, and encrypted under the key of their hour."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcours.collect.journal.delivery import Delivery
from parcours.engine.store.journal import Batch, Frame
from parcours.errors import ParcoursError
from parcours.words import Words

HOUR_MS = 3_600_000
LEVEL = 1
"""Zstandard's level: at 1 an event of 1 KB costs 0.7 microseconds and keeps a tenth of its bytes."""

MOST_BYTES = 64 << 20
"""More than this never comes out of one blob: what claims to is not ours."""

_NONCE = 12
_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(list[Delivery])
HourKey = Callable[[int], bytes | None]


class Sealer:
    """Seals deliveries under the keys of hours; one thread at a time.

    Args:
        hour_key: Returns the 32-byte key of an hour (its number since 1970, UTC), or nothing once it was destroyed.
    """

    def __init__(self, hour_key: HourKey) -> None:
        self._hour_key = hour_key
        self._ciphers: dict[bytes, AESGCM] = {}
        self._compress = zstandard.ZstdCompressor(level=LEVEL)
        self._expand = zstandard.ZstdDecompressor()

    def seal(
        self,
        deliveries: Sequence[Delivery],
        events: int,
        inlet: str = "",
        cursor: bytes = b"",
        at_ms: int | None = None,
    ) -> Frame:
        """Return ``deliveries`` (one at least) as a frame of the journal, sealed for the hour of ``at_ms``.

        By default that is when the last of them was received; what is put back long after is sealed for the present.

        Raises:
            ParcoursError: ``hour_key_gone`` when the hour has no key.
        """
        received_ms = deliveries[-1].received_ms if at_ms is None else at_ms
        hour = received_ms // HOUR_MS
        nonce = os.urandom(_NONCE)
        packed = self._compress.compress(_PACK.encode(deliveries))
        body = nonce + self._cipher(hour).encrypt(nonce, packed, _bound(hour, events, received_ms))
        return Frame(hour, events, received_ms, body, inlet, cursor)

    def open(self, batch: Batch) -> list[Delivery]:
        """Return the deliveries of a batch.

        Raises:
            ParcoursError: ``hour_key_gone``, or ``batch_damaged`` when the batch is not what was sealed.
        """
        cipher = self._cipher(batch.hour)
        bound = _bound(batch.hour, batch.events, batch.received_ms)
        try:
            packed = cipher.decrypt(batch.body[:_NONCE], batch.body[_NONCE:], bound)
            return _UNPACK.decode(self._expand.decompress(packed, max_output_size=MOST_BYTES))
        except (InvalidTag, ValueError, msgspec.DecodeError, zstandard.ZstdError) as fault:
            raise ParcoursError(
                "batch_damaged",
                Words(
                    fr=f"Le lot {batch.batch_no} du journal ne s'ouvre pas : il n'est pas ce qui a été scellé.",
                    en=f"Batch {batch.batch_no} of the journal does not open: it is not what was sealed.",
                ),
                Words(
                    fr="Rétablissez journal.db et keys.db depuis la même sauvegarde.",
                    en="Restore journal.db and keys.db from the same backup.",
                ),
            ) from fault

    def _cipher(self, hour: int) -> AESGCM:
        # Asked each time: a clock that was set back may find its hour with another key.
        key = self._hour_key(hour)
        if key is None:
            raise ParcoursError(
                "hour_key_gone",
                Words(
                    fr=f"La clé de l'heure {hour} n'existe plus : ses lots ne peuvent plus être lus.",
                    en=f"The key of hour {hour} is gone: its batches can no longer be read.",
                ),
                Words(
                    fr="Rétablissez keys.db depuis une sauvegarde de moins de 72 heures.",
                    en="Restore keys.db from a backup less than 72 hours old.",
                ),
            )
        cipher = self._ciphers.get(key)
        if cipher is None:
            if len(self._ciphers) > 80:
                self._ciphers.clear()
            cipher = self._ciphers[key] = AESGCM(key)
        return cipher


def _bound(hour: int, events: int, received_ms: int) -> bytes:
    return b"%d %d %d" % (hour, events, received_ms)
