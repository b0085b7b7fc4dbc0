"""The people: who may sign in and as what, who is signed in, which keys may send, and what was done by whom."""

from __future__ import annotations

import time

import msgspec

from parcours.collect.declared import read_declared
from parcours.know import Access, Person, Session, name_actor
from parcours.words import Language
from parcours.workspaces.forms import sign
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Readable
from parcours.workspaces.signing_in.asking import asker, may_do
from parcours.workspaces.signing_in.log import Filters, LogView, read_log
from parcours.workspaces.signing_in.staff import PersonRow, RoleName, SessionRow, list_roles, say_open, say_staff
from parcours.workspaces.signing_in.told import is_fault, say_told
from parcours.workspaces.signing_in.write_keys import NewKey, SourceKeys, say_keys
from parcours.workspaces.wording import Say

HTTP = "http"


class PeoplePage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of people shows; without the right to manage, only the log.

    ``said`` is what a form has just done or, where ``refused``, could not do; ``new`` is a key that was just made.
    """

    frame: Frame
    headline: str
    lede: str
    said: str
    refused: bool
    new: NewKey | None
    people: tuple[PersonRow, ...]
    roles: tuple[RoleName, ...]
    add_token: str
    sessions: tuple[SessionRow, ...]
    keys: tuple[SourceKeys, ...]
    manages_keys: bool
    log: LogView


def read_people(
    company: Readable, language: Language, done: str = "", proof: str = "", new: NewKey | None = None, **asked: str
) -> PeoplePage:
    """Read who may do what at this moment; ``asked`` are the filters of the log."""
    asking, zone, now_ms = asker(), company.settings.time_zone, time.time_ns() // 1_000_000
    access, manages = asking.access, may_do("manage_people")
    staff = access.staff.all()
    sessions = [one for one in access.sessions.all() if one.ends_ms > now_ms] if manages else []
    names = {one.person_id: one.login for one in staff}
    log = read_log(access, Filters(**asked), {name_actor(id): login for id, login in names.items()}, language, zone)
    return PeoplePage(
        frame=frame_page(company, language, "people", Say(language)("people.title")),
        headline=_say_headline(staff, log, manages, language),
        lede=_say_lede(sessions, access, now_ms, language) if manages else Say(language)("people.lede_log"),
        said=say_told("people", done, proof, language),
        refused=is_fault(done),
        new=new,
        people=say_staff(staff, sessions, asking.caller.person_id, language, zone) if manages else (),
        roles=list_roles(language),
        add_token=sign("people_add") if manages else "",
        sessions=say_open(sessions, names, asking.signed_in.session.digest, language, zone),
        keys=_read_keys(company, access, now_ms, language) if may_do("manage_keys") else (),
        manages_keys=may_do("manage_keys"),
        log=log,
    )


def _read_keys(company: Readable, access: Access, now_ms: int, language: Language) -> tuple[SourceKeys, ...]:
    declared = read_declared(company.folder, company.blueprint, company.settings)
    sources = sorted(source for source, connector in declared.connectors.items() if connector == HTTP)
    return say_keys(sources, access.write_keys(), now_ms, language, company.settings.time_zone)


def _say_headline(staff: list[Person], log: LogView, manages: bool, language: Language) -> str:
    """Return the one sentence that matters now: a broken log, nobody to manage, or how many there are."""
    say = Say(language)
    if not log.whole:
        return say("people.head_broken")
    if not manages:
        return say("people.head_log")
    administrators = sum(one.role == "it" for one in staff)
    if not staff:
        return say("people.head_nobody")
    return say.count("people.head", len(staff)) if administrators > 1 else say.count("people.head_one", len(staff))


def _say_lede(sessions: list[Session], access: Access, now_ms: int, language: Language) -> str:
    say = Say(language)
    live = sum(one.is_live(now_ms) for one in access.write_keys())
    return f"{say.count('people.lede_open', len(sessions))} {say.count('people.lede_keys', live)}"
