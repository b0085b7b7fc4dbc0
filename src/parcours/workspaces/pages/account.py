"""One's own account: who one is here, where one is signed in, one's password, and the way out."""

from __future__ import annotations

import time

import msgspec

from parcours.charts.numbers import write_moment
from parcours.know import LOCAL, ROLE_LABELS, ROLES, Session
from parcours.words import Language
from parcours.workspaces.forms import sign
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Readable
from parcours.workspaces.signing_in.asking import asker
from parcours.workspaces.signing_in.sessions import SignedInAt, say_sessions
from parcours.workspaces.signing_in.told import say_told
from parcours.workspaces.wording import Say, capital


class RoleChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A role in which the pages can be seen from this machine."""

    role: str
    label: str
    current: bool
    token: str


class AccountPage(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody sees of their own account; ``roles`` are there for whoever came from this very machine."""

    frame: Frame
    said: str
    login: str
    role: str
    came: str
    roles: tuple[RoleChoice, ...]
    sessions: tuple[SignedInAt, ...]
    out_token: str
    everywhere_token: str
    password_token: str


def read_account(company: Readable, language: Language, done: str = "", proof: str = "") -> AccountPage:
    """Read who asks, and where else they are signed in."""
    say, asking = Say(language), asker()
    person, own = asking.signed_in.person, asking.signed_in.session
    now_ms = time.time_ns() // 1_000_000
    sessions = [one for one in asking.access.sessions.all() if one.person_id == person.person_id]
    zone = company.settings.time_zone
    local = person.person_id == LOCAL.person_id
    return AccountPage(
        frame=frame_page(company, language, "account", say("account.title")),
        said=say_told("account", done, proof, language),
        login=say("account.local") if local else person.login,
        role=capital(ROLE_LABELS[own.role].in_language(language)),
        came=say(f"account.came_{own.how}", moment=write_moment(own.made_ms, language, zone)),
        roles=tuple(
            RoleChoice(
                role=role,
                label=capital(ROLE_LABELS[role].in_language(language)),
                current=role == own.role,
                token=sign("account_role", role),
            )
            for role in ROLES
        )
        if local
        else (),
        sessions=say_sessions(_put_first(sessions, own), own.digest, now_ms, "account_end", language, zone),
        out_token=sign("sign_out", ""),
        everywhere_token=sign("sign_out", "yes"),
        password_token=sign("account_password") if person.has_password else "",
    )


def _put_first(sessions: list[Session], own: Session) -> list[Session]:
    return sorted(sessions, key=lambda one: (one.digest != own.digest, -one.seen_ms))
