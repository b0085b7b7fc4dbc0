"""The write keys of a company: made and shown once, kept as digests with their terms, revoked by their last letters."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from parcours.collect.connectors.http import HTTP, NAMED_CALLS, http_options, is_origin
from parcours.collect.http.keys import EVENT_BYTES, Sender, digest_key
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.source import Source
from parcours.engine.store.sqlite import open_database
from parcours.engine.store.write_keys import KeptKey, Terms, WriteKey, WriteKeys
from parcours.errors import ParcoursError
from parcours.words import Words

KEY_BYTES = 32
NAME_BYTES = 6
ENDING = 6
"""By so many last letters people tell a key from others."""
__all__ = [
    "ENDING",
    "KeptKey",
    "Terms",
    "find_senders",
    "list_write_keys",
    "make_write_key",
    "note_key_uses",
    "revoke_write_key",
]


def make_write_key(folder: Path, source: Source, terms: Terms | None = None) -> str:
    """Make a write key for an HTTP source and return it; it is kept nowhere.

    Jitsu's SDK takes keys of two parts alone, ``name:secret``, and shows the name in what it sends.

    Raises:
        ParcoursError: ``not_an_http_source``, ``two_live_keys``, ``bad_origin``, ``key_too_short_lived``.
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
    now_ms = time.time_ns() // 1_000_000
    _check_terms(terms or Terms(), now_ms)
    key = secrets.token_urlsafe(KEY_BYTES)
    while key[-ENDING] == "-":
        # It is named by these letters on a command line, where this one begins an option.
        key = secrets.token_urlsafe(KEY_BYTES)
    if http_options(source).sdk == "jitsu":
        key = f"{secrets.token_hex(NAME_BYTES)}:{key}"
    database = open_database(folder / JOURNAL)
    try:
        kept = WriteKey(digest_key(key), source.source, key[-ENDING:], now_ms, None)
        if not WriteKeys(database).add(kept, terms):
            raise _two_live_keys(folder, source.source)
    finally:
        database.close()
    return key


def list_write_keys(folder: Path) -> list[KeptKey]:
    """Return every key of a company as it is kept."""
    database = open_database(folder / JOURNAL)
    try:
        return WriteKeys(database).kept()
    finally:
        database.close()


def note_key_uses(folder: Path, used_ms: Mapping[str, int]) -> None:
    """Note when keys last served, by their digests."""
    database = open_database(folder / JOURNAL)
    try:
        WriteKeys(database).note_uses(used_ms)
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


def find_senders(folder: Path, sources: tuple[Source, ...], workers: int = 1) -> dict[str, Sender]:
    """Return who may send, by the digest of the key: the live keys of the HTTP sources that are declared.

    ``workers`` share what a key may send a second.
    """
    declared = {source.source: http_options(source) for source in sources if source.connector == HTTP}
    senders, now_ms = {}, time.time_ns() // 1_000_000
    for kept in list_write_keys(folder):
        key, options = kept.key, declared.get(kept.key.source)
        if options is not None and kept.is_live(now_ms):
            event_bytes = options.body_bytes if options.sdk == "rudderstack" else EVENT_BYTES
            senders[key.digest] = Sender(
                key.source,
                event_bytes,
                options.body_bytes,
                options.origins,
                key.digest,
                kept.terms.origins,
                kept.terms.events,
                {call: options.event_name(call) for call in NAMED_CALLS} if kept.terms.events else {},
                kept.terms.per_second / workers,
            )
    return senders


def _check_terms(terms: Terms, now_ms: int) -> None:
    for origin in terms.origins:
        if not is_origin(origin):
            raise ParcoursError(
                "bad_origin",
                Words(fr=f"« {origin} » n'est pas une origine.", en=f"“{origin}” is no origin."),
                Words(
                    fr="Écrivez le protocole et l'hôte, sans chemin : https://www.example.com.",
                    en="Write the scheme and the host, without a path: https://www.example.com.",
                ),
            )
    if terms.expires_ms is not None and terms.expires_ms <= now_ms:
        raise ParcoursError(
            "key_too_short_lived",
            Words(fr="Cette clé expirerait avant de servir.", en="This key would expire before it served."),
            Words(fr="Donnez-lui au moins un jour, ou aucune fin.", en="Give it a day at least, or no end."),
        )


def _two_live_keys(folder: Path, source: str) -> ParcoursError:
    return ParcoursError(
        "two_live_keys",
        Words(
            fr=f"La source « {source} » a déjà deux clés en vigueur : l'ancienne et celle qui la remplace.",
            en=f"The source “{source}” has two live keys already: the old one and the one that takes over.",
        ),
        Words(
            fr="Faites d'abord passer les envois sur la nouvelle, puis révoquez l'ancienne : "
            f"parcours key {folder} revoke {source} LETTRES",
            en="Move its senders to the new one first, then revoke the old one: "
            f"parcours key {folder} revoke {source} ENDING",
        ),
    )
