"""What surrounds every page: whose it is, in which language, where it leads."""

from __future__ import annotations

import time
from typing import NamedTuple

import msgspec

from parcours.charts.numbers import write_moment
from parcours.know import ROLE_LABELS, Action, Caller, Role, Thing, decide
from parcours.words import LANGUAGES, Language
from parcours.workspaces.live import Hub
from parcours.workspaces.readable import Readable
from parcours.workspaces.signing_in.asking import may_do, who_asks
from parcours.workspaces.static import SCRIPT_PATH, STYLES_PATH
from parcours.workspaces.wording import Say


class Link(NamedTuple):
    """Where a word leads; ``current`` where it leads to the page itself."""

    label: str
    href: str
    current: bool = False


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What a page needs to follow what comes in: its script, the stream, and the state at which it was made.

    ``watch`` names what changes it beside the published results; ``as_of`` says of when it is.
    """

    script: str
    stream: str
    mark: str
    watch: str
    as_of: str


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of a page: ``title`` names it, ``links`` are the pages, ``languages`` the same page in each one.

    ``account`` leads to what somebody is here, and out; ``live`` is there while events come in.
    """

    language: Language
    title: str
    company: str
    synthetic: bool
    notice: str
    home: str
    styles: str
    links: tuple[Link, ...]
    languages: tuple[tuple[Language, str, str], ...]
    account: Link | None = None
    live: Live | None = None


LINKS: tuple[tuple[str, Action], ...] = (
    ("map", "see_results"),
    ("journey", "see_results"),
    ("measures", "see_methods"),
    ("customer", "see_customer"),
    ("review", "settle_merge"),
    ("consent", "see_consent"),
    ("sources", "see_health"),
    ("people", "see_audit"),
)
"""The pages that every page leads to, where who asks may open them."""
_NAMES = {"fr": "Français", "en": "English"}


def frame_page(company: Readable, language: Language, place: str, title: str) -> Frame:
    """Frame the page at ``/<language>/<place>``."""
    say = Say(language)
    firm = company.blueprint.company
    return Frame(
        language=language,
        title=title,
        company=firm.label.in_language(language),
        synthetic=firm.synthetic,
        notice=company.notice.in_language(language) if company.notice else "",
        home=_find_own_home(language),
        styles=STYLES_PATH,
        links=tuple(
            Link(say(f"frame.{name}"), f"/{language}/{name}", place == name or place.startswith(f"{name[:-1]}/"))
            for name, action in LINKS
            if may_do(action, _find_shown(name, tuple(one.owner for one in company.blueprint.touchpoints)))
        ),
        languages=tuple((each, _NAMES[each], f"/{each}/{place}") for each in LANGUAGES),
        account=_link_account(language, place),
    )


def _find_shown(place: str, teams: tuple[str, ...]) -> Thing | None:
    """Return what a page shows, as a decision needs to know it (see `things`): touchpoints of teams, the whole firm."""
    if place in ("map", "journey"):
        return Thing("map", teams=teams)
    return Thing("company") if place == "consent" else None


def find_home(caller: Caller, language: Language) -> str:
    """Return the first page that somebody may open."""
    shown = ((place, action, _find_shown(place, caller.scope)) for place, action in LINKS)
    places = (place for place, action, thing in shown if decide(caller, action, thing).allowed)
    return f"/{language}/{next(places, 'account')}"


def _find_own_home(language: Language) -> str:
    asking = who_asks()
    return find_home(asking.caller, language) if asking else f"/{language}/map"


def _link_account(language: Language, place: str) -> Link | None:
    asking = who_asks()
    if asking is None:
        return None
    return Link(name_role(asking.caller.role, language), f"/{language}/account", place == "account")


def name_role(role: Role, language: Language) -> str:
    """Return the short name of a role: its letters where it has some."""
    label = ROLE_LABELS[role].in_language(language)
    return label.rpartition("(")[2].rstrip(")") if "(" in label else label[:1].upper() + label[1:]


def read_live(company: Readable, hub: Hub, page: str, language: Language) -> Live:
    """Return what the page at ``page`` needs to follow ``hub``; ask before the page is read, or a change is missed."""
    say, zone = Say(language), company.settings.time_zone
    watched = page == "sources"
    mark = hub.mark(watched)
    at_ms = time.time_ns() // 1_000_000 if watched else company.report.finished_ms if company.report else None
    key = "live.as_of_now" if watched else "live.as_of"
    return Live(
        script=SCRIPT_PATH,
        stream=f"/{language}/live",
        mark=mark,
        watch="sources" if watched else "",
        as_of="" if at_ms is None else say(key, moment=write_moment(at_ms, language, zone)),
    )


def show_live(record: msgspec.Struct, live: Live | None) -> msgspec.Struct:
    """Return a page's record whose frame follows what comes in."""
    frame: Frame = record.frame  # type: ignore[attr-defined]
    return msgspec.structs.replace(record, frame=msgspec.structs.replace(frame, live=live)) if live else record
