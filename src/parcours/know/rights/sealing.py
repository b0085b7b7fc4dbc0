"""Seals for what requests and erasures must remember of somebody until they are done: under a key of their own."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcours.know.keys import Keys
from parcours.know.state import damaged

_NONCE = 12


class Seal:
    """Seals bytes for one table, whose name ``table`` they are bound to; `Keys.seal` is the quarantine's alone."""

    def __init__(self, keys: Keys, table: str) -> None:
        self._cipher, self._table = AESGCM(keys.derive(table)), table

    def close(self, data: bytes) -> bytes:
        """Return ``data`` sealed, nonce first."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data, self._table.encode())

    def open(self, sealed: bytes) -> bytes:
        """Return what `close` sealed. Raises `ParcoursError` ``state_damaged``."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._table.encode())
        except (InvalidTag, ValueError) as fault:
            raise damaged(self._table, "?", Path("state.db")) from fault
