"""The keys with which programs send requests about people (OpenDSR): digests, and where callbacks may go."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec

from parcours.collect.connectors.posting import is_loopback
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.words import Words

MOST_LIVE = 2
KEY_BYTES, ENDING = 32, 6
_SCHEMA = """
CREATE TABLE IF NOT EXISTS dsr_keys (
    digest TEXT PRIMARY KEY, ending TEXT NOT NULL, made_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL,
    callbacks TEXT NOT NULL, checksum BLOB) WITHOUT ROWID;
"""


class DsrKey(msgspec.Struct, frozen=True):
    """A key as it is kept: its last letters, since when, until when (0 while it serves), and where callbacks may go.

    ``callbacks`` are addresses: a callback goes to one of the same scheme, host and port whose path begins alike.
    """

    digest: str
    ending: str
    made_ms: int
    revoked_ms: int
    callbacks: tuple[str, ...]

    def lets_call(self, url: str) -> bool:
        """Return whether a callback may be sent to ``url``."""
        return any(_begins(url, place) for place in self.callbacks)


class DsrKeys:
    """The keys in ``state.db``; without a live one there is no OpenDSR interface at all."""

    def __init__(self, state: Database, keys: Keys) -> None:
        state.execute(_SCHEMA)
        self._state = state
        self.table = CheckedTable(state, "dsr_keys", DsrKey.__struct_fields__, ("digest",), keys.checks)

    def add(self, callbacks: Sequence[str]) -> str:
        """Make a key and return it: it is shown this once, and kept as a digest.

        Raises:
            ParcoursError: ``bad_callback`` for an address that is no ``https`` one (or on the loopback),
                ``too_many_keys``.
        """
        for url in callbacks:
            if not is_callback(url):
                raise _bad_callback(url)
        secret = secrets.token_urlsafe(KEY_BYTES)
        with self._state.transaction():
            if len(self.live()) >= MOST_LIVE:
                raise _too_many()
            self._put(DsrKey(_digest(secret), secret[-ENDING:], time.time_ns() // 1_000_000, 0, tuple(callbacks)))
        return secret

    def find(self, secret: str) -> DsrKey | None:
        """Return the live key that ``secret`` is. Raises `ParcoursError` ``row_damaged``."""
        rows = self.table.some("WHERE digest = ? AND revoked_ms = 0", (_digest(secret),))
        return _read(rows[0]) if rows else None

    def live(self) -> list[DsrKey]:
        """Return the keys that serve."""
        return [one for one in self.all() if not one.revoked_ms]

    def all(self) -> list[DsrKey]:
        """Return every key, in order."""
        return [_read(row) for row in self.table.all("made_ms, digest")]

    def revoke(self, ending: str) -> None:
        """End a key, by its last letters. Raises `ParcoursError` ``unknown_key``."""
        found = [one for one in self.live() if one.ending == ending]
        if not found:
            raise _unknown_key(ending)
        for one in found:
            self._put(msgspec.structs.replace(one, revoked_ms=time.time_ns() // 1_000_000))

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each key that was altered, and one when some are missing."""
        yield from self.table.verify()

    def _put(self, one: DsrKey) -> None:
        self.table.put([(*msgspec.structs.astuple(one)[:-1], msgspec.json.encode(one.callbacks).decode())])


def is_callback(url: str) -> bool:
    """Return whether callbacks may go to ``url``: over https, or to this machine."""
    try:
        parts = urlsplit(url)
        plain = parts.username is None and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    return safe and plain and bool(parts.hostname)


def _begins(url: str, place: str) -> bool:
    if not is_callback(url):
        return False
    one, other = urlsplit(url), urlsplit(place)
    same = (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    path = other.path.rstrip("/")
    return same and ".." not in one.path and (one.path == path or one.path.startswith(f"{path}/"))


def _digest(secret: str) -> str:
    # 256 random bits: no slow hash makes them harder to guess.
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _read(row: tuple[object, ...]) -> DsrKey:
    told = dict(zip(DsrKey.__struct_fields__, row, strict=True))
    return msgspec.convert({**told, "callbacks": msgspec.json.decode(str(told["callbacks"]))}, DsrKey)


def _bad_callback(url: str) -> ParcoursError:
    return ParcoursError(
        "bad_callback",
        Words(fr=f"« {url} » ne peut pas être rappelé.", en=f"“{url}” cannot be called back."),
        Words(
            fr="Donnez une adresse https://… sans nom d'utilisateur.",
            en="Give an address https://… without a user name.",
        ),
    )


def _too_many() -> ParcoursError:
    return ParcoursError(
        "too_many_keys",
        Words(fr=f"{MOST_LIVE} clés servent déjà.", en=f"{MOST_LIVE} keys serve already."),
        Words(
            fr="Révoquez celle qui ne sert plus : parcours requests DIR key revoke FIN",
            en="Revoke the one that is used no more: parcours requests DIR key revoke ENDING",
        ),
    )


def _unknown_key(ending: str) -> ParcoursError:
    return ParcoursError(
        "unknown_key",
        Words(fr=f"Aucune clé ne finit par « {ending} ».", en=f"No key ends with “{ending}”."),
        Words(fr="parcours requests DIR key list les montre.", en="parcours requests DIR key list shows them."),
    )
