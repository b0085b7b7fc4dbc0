"""The people in words: their role, their own, when they last came, and the forms that change or remove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from parcours.charts.numbers import write_moment
from parcours.know import ROLE_LABELS, ROLES, Person, Session
from parcours.words import Language
from parcours.workspaces.forms import sign
from parcours.workspaces.wording import Say, capital


class RoleName(msgspec.Struct, frozen=True):
    """A role as a list of choices has it."""

    role: str
    label: str


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person for a reader who manages people; ``version`` is that of what is shown."""

    person_id: int
    login: str
    role: str
    role_label: str
    scope: str
    way: str
    last: str
    open_sessions: str
    version: int
    you: bool
    change_token: str
    remove_token: str
    password_token: str


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session of anybody, and the token of the form that ends it."""

    who: str
    how: str
    since: str
    seen: str
    session: str
    token: str
    own: bool


def list_roles(language: Language) -> tuple[RoleName, ...]:
    """Return the roles to choose from."""
    return tuple(RoleName(role, capital(ROLE_LABELS[role].in_language(language))) for role in ROLES)


def say_staff(
    staff: Sequence[Person], sessions: Sequence[Session], you: int, language: Language, zone: str
) -> tuple[PersonRow, ...]:
    """Write the people; ``you`` is the number of who reads."""
    return tuple(_say_person(one, sessions, you, language, zone) for one in staff)


def _say_person(person: Person, sessions: Sequence[Session], you: int, language: Language, zone: str) -> PersonRow:
    say, id = Say(language), str(person.person_id)
    ways = [say("people.way_password")] if person.has_password else []
    ways += [say("people.way_provider")] if person.subject else []
    count = sum(one.person_id == person.person_id for one in sessions)
    version = str(person.version)
    return PersonRow(
        person_id=person.person_id,
        login=person.login,
        role=person.role,
        role_label=capital(ROLE_LABELS[person.role].in_language(language)),
        scope=", ".join(person.scope),
        way=", ".join(ways) or say("people.way_none"),
        last=say("people.last", moment=write_moment(person.signed_in_ms, language, zone))
        if person.signed_in_ms
        else say("people.never"),
        open_sessions=say.count("people.open", count),
        version=person.version,
        you=person.person_id == you,
        change_token=sign("people_change", id, version),
        remove_token=sign("people_remove", id, version),
        password_token=sign("people_password", id),
    )


def say_open(
    sessions: Sequence[Session], names: Mapping[int, str], own: str, language: Language, zone: str
) -> tuple[SessionRow, ...]:
    """Write who is signed in; ``names`` are logins by number, ``own`` the digest of the session that reads."""
    say = Say(language)
    return tuple(
        SessionRow(
            who=names.get(one.person_id, say("account.local")),
            how=say(f"account.how_{one.how}"),
            since=write_moment(one.made_ms, language, zone),
            seen=write_moment(one.seen_ms, language, zone),
            session=one.digest,
            token=sign("people_end", one.digest),
            own=one.digest == own,
        )
        for one in sessions
    )
