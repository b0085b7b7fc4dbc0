"""The write keys in words, by source: their last letters, terms and last use, and the forms that make or revoke one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.charts.numbers import write_date, write_moment, write_number
from parcours.collect.write_keys import KeptKey
from parcours.words import Language
from parcours.workspaces.forms import sign
from parcours.workspaces.wording import Say

MOST_LIVE = 2
MOST_PAST = 3
"""How many keys of a source that serve no longer are shown."""


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One key; ``token`` lets a form revoke it while it serves."""

    ending: str
    state: str
    live: bool
    made: str
    used: str
    terms: tuple[str, ...]
    token: str


class SourceKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of one source; ``token`` lets a form make another, empty while two serve."""

    source: str
    says: str
    keys: tuple[KeyRow, ...]
    token: str


class NewKey(msgspec.Struct, frozen=True):
    """A key that has just been made: it is shown this once."""

    source: str
    key: str


def say_keys(
    sources: Sequence[str], kept: Sequence[KeptKey], now_ms: int, language: Language, zone: str
) -> tuple[SourceKeys, ...]:
    """Write the keys of the HTTP ``sources``, and of those that are gone but whose keys still stand there."""
    gone = sorted({one.key.source for one in kept if one.is_live(now_ms)} - {*sources})
    return tuple(_say_source(source, kept, now_ms, source in gone, language, zone) for source in (*sources, *gone))


def _say_source(
    source: str, kept: Sequence[KeptKey], now_ms: int, gone: bool, language: Language, zone: str
) -> SourceKeys:
    say = Say(language)
    own = sorted((one for one in kept if one.key.source == source), key=lambda one: -one.key.made_ms)
    live, past = ([one for one in own if one.is_live(now_ms) is holds] for holds in (True, False))
    says = say("people.key_gone") if gone else say(f"people.keys_{min(len(live), MOST_LIVE)}")
    return SourceKeys(
        source=source,
        says=says,
        keys=tuple(_say_key(one, now_ms, language, zone) for one in (*live, *past[:MOST_PAST])),
        token=sign("people_key", source) if len(live) < MOST_LIVE and not gone else "",
    )


def _say_key(one: KeptKey, now_ms: int, language: Language, zone: str) -> KeyRow:
    say, terms, live = Say(language), one.terms, one.is_live(now_ms)
    told = [say("people.term_origin", origin=origin) for origin in terms.origins]
    told += [say("people.term_event", event=event) for event in terms.events]
    if terms.per_second:
        told.append(say("people.term_rate", rate=write_number(terms.per_second, language)))
    if terms.expires_ms is not None:
        told.append(say("people.term_end", date=write_date(terms.expires_ms, language, zone)))
    state = "live" if live else "revoked" if one.key.revoked_ms else "expired"
    return KeyRow(
        ending=one.key.ending,
        state=say(f"people.key_{state}"),
        live=live,
        made=write_date(one.key.made_ms, language, zone),
        used=say("people.used", moment=write_moment(one.used_ms, language, zone))
        if one.used_ms
        else say("people.unused"),
        terms=tuple(told),
        token=sign("people_revoke", one.key.source, one.key.ending) if live else "",
    )
