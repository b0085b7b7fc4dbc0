"""What waits in quarantine in words: why, since when, and the proof with which a reader's page may replay it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.collect.overview import Group
from parcours.words import Language
from parcours.workspaces.forms import check, sign
from parcours.workspaces.incoming import say_days, say_fault
from parcours.workspaces.wording import Say

MOST_REASONS = 3
TOLD_S = 10 * 60
"""How long an address that says what was put back may say so."""


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """Events in quarantine for one fault of one source; with a ``token`` they can be replayed, ``what`` says which."""

    source: str
    code: str
    why: str
    count: str
    when: str
    reasons: tuple[str, ...]
    rules: tuple[str, ...]
    token: str
    what: str


class RowsAside(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of files in quarantine: how many, why, and since when."""

    count: str
    reasons: tuple[str, ...]
    when: str


def say_asides(groups: Sequence[Group], can_replay: bool, language: Language, zone: str) -> tuple[Aside, ...]:
    """Write groups of events for a reader."""
    return tuple(_say_aside(group, can_replay, language, zone) for group in groups)


def _say_aside(group: Group, can_replay: bool, language: Language, zone: str) -> Aside:
    say = Say(language)
    why = say_fault(group.code, group.reasons[0] if group.reasons else None, language)
    count = say.count("sources.events", group.count)
    return Aside(
        source=group.source,
        code=group.code,
        why=why,
        count=count,
        when=say_days(group.first_ms, group.last_ms, language, zone),
        reasons=tuple(reason.in_language(language) for reason in group.reasons[:MOST_REASONS]),
        rules=group.rules,
        token=sign_replay(group.source, group.code) if can_replay else "",
        what=say("sources.replay_what", events=count, source=group.source, why=why),
    )


def say_rows_aside(groups: Sequence[Group], language: Language, zone: str) -> tuple[RowsAside, ...]:
    """Write groups of files' rows for a reader."""
    return tuple(
        RowsAside(
            count=Say(language).count("sources.rows", group.count, source=group.source),
            reasons=tuple(reason.in_language(language) for reason in group.reasons[:MOST_REASONS]),
            when=say_days(group.first_ms, group.last_ms, language, zone),
        )
        for group in groups
    )


def sign_replay(source: str, code: str) -> str:
    """Return the token with which a form may replay the events of ``source`` with fault ``code`` (empty: all)."""
    return sign("replay", source, code)


def may_replay(token: str, source: str, code: str) -> bool:
    """Say whether `sign_replay` gave this token for these events."""
    return check(token, "replay", source, code)


def prove_replayed(count: int) -> dict[str, str]:
    """Return what an address needs to say that ``count`` events were put back, and nobody else can write."""
    return {"put_back": str(count), "proof": sign("put_back", str(count))}


def say_replayed(put_back: str, proof: str, language: Language) -> str:
    """Say how many events were put back; nothing unless it has just been proven."""
    if not put_back or not check(proof, "put_back", put_back, valid_s=TOLD_S):
        return ""
    say = Say(language)
    return say.count("sources.replayed", int(put_back)) if int(put_back) else say("sources.replayed_none")
