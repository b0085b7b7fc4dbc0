"""Sessions in words: how and when somebody came, and the form that ends one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.charts.numbers import write_moment
from parcours.know import Session
from parcours.words import Language
from parcours.workspaces.forms import sign
from parcours.workspaces.wording import Say


class SignedInAt(msgspec.Struct, frozen=True, kw_only=True):
    """One session for a reader; ``digest`` and ``token`` let a form end it, ``own`` is the one that asks."""

    how: str
    since: str
    seen: str
    ends: str
    digest: str
    token: str
    own: bool


def say_sessions(
    sessions: Sequence[Session], own: str, now_ms: int, form: str, language: Language, zone: str
) -> tuple[SignedInAt, ...]:
    """Write the sessions that have not run out; ``own`` is the digest of the one that asks."""
    say = Say(language)
    return tuple(
        SignedInAt(
            how=say(f"account.how_{one.how}"),
            since=write_moment(one.made_ms, language, zone),
            seen=write_moment(one.seen_ms, language, zone),
            ends=write_moment(one.ends_ms, language, zone),
            digest=one.digest,
            token=sign(form, one.digest),
            own=one.digest == own,
        )
        for one in sessions
        if one.ends_ms > now_ms
    )
