"""The write keys of a company: made once and shown once, kept as digests, revoked by their last letters."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from parcours.collect.connectors.http import HTTP, http_options
from parcours.collect.http.keys import EVENT_BYTES, Sender, digest_key
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.source import Source
from parcours.engine.store.sqlite import open_database
from parcours.engine.store.write_keys import WriteKey, WriteKeys
from parcours.errors import ParcoursError
from parcours.words import Words

KEY_BYTES = 32
NAME_BYTES = 6
_ENDING = 6


def make_write_key(folder: Path, source: Source) -> str:
    """Make a write key for an HTTP source and return it; it is kept nowhere.

    Jitsu's SDK takes keys of two parts alone, ``name:secret``, and shows the name in what it sends.

    Raises:
        ParcoursError: ``not_an_http_source``.
    """
    if source.connector != HTTP:
        raise ParcoursError(
            "not_an_http_source",
            Words(
                fr=f"La source « {source.source} » ne reçoit rien par HTTP : une clé d'écriture ne lui servirait pas.",
                en=f"The source “{source.source}” takes nothing over HTTP: a write key would be of no use to it.",
            ),
            Words(
                fr="Écrivez connector: http dans son fichier, ou nommez une autre source.",
                en="Write connector: http in its file, or name another source.",
            ),
        )
    key = secrets.token_urlsafe(KEY_BYTES)
    while key[-_ENDING] == "-":
        # It is named by these letters on a command line, where this one begins an option.
        key = secrets.token_urlsafe(KEY_BYTES)
    if http_options(source).sdk == "jitsu":
        key = f"{secrets.token_hex(NAME_BYTES)}:{key}"
    database = open_database(folder / JOURNAL)
    try:
        now_ms = time.time_ns() // 1_000_000
        WriteKeys(database).add(WriteKey(digest_key(key), source.source, key[-_ENDING:], now_ms, None))
    finally:
        database.close()
    return key


def list_write_keys(folder: Path) -> list[WriteKey]:
    """Return every key of a company as it is kept."""
    database = open_database(folder / JOURNAL)
    try:
        return WriteKeys(database).all()
    finally:
        database.close()


def revoke_write_key(folder: Path, source: str, ending: str) -> None:
    """Revoke a key: from the next second on it is unknown.

    Raises:
        ParcoursError: ``unknown_write_key``.
    """
    database = open_database(folder / JOURNAL)
    try:
        revoked = WriteKeys(database).revoke(source, ending, time.time_ns() // 1_000_000)
    finally:
        database.close()
    if not revoked:
        raise ParcoursError(
            "unknown_write_key",
            Words(
                fr=f"Aucune clé en vigueur de « {source} » ne finit par « {ending} ».",
                en=f"No key in force of “{source}” ends in “{ending}”.",
            ),
            Words(fr=f"Les clés : parcours key {folder} list", en=f"The keys: parcours key {folder} list"),
        )


def find_senders(folder: Path, sources: tuple[Source, ...]) -> dict[str, Sender]:
    """Return who may send, by the digest of the key: the keys in force of the HTTP sources that are declared."""
    declared = {source.source: http_options(source) for source in sources if source.connector == HTTP}
    senders = {}
    for key in list_write_keys(folder):
        options = declared.get(key.source)
        if options is not None and key.revoked_ms is None:
            event_bytes = options.body_bytes if options.sdk == "rudderstack" else EVENT_BYTES
            senders[key.digest] = Sender(key.source, event_bytes, options.body_bytes, options.origins)
    return senders
