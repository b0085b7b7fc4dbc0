"""What surrounds every page: whose it is, in which language, where it leads."""

from __future__ import annotations

import time
from typing import NamedTuple

import msgspec

from parcours.charts.numbers import write_moment
from parcours.words import LANGUAGES, Language
from parcours.workspaces.live import Hub
from parcours.workspaces.readable import Readable
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

    ``live`` is there while events come in.
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
    live: Live | None = None


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
        home=f"/{language}/map",
        styles=STYLES_PATH,
        links=tuple(
            Link(say(f"frame.{name}"), f"/{language}/{name}", place == name or place.startswith(f"{name[:-1]}/"))
            for name in ("map", "journey", "measures", "sources")
        ),
        languages=tuple((each, _NAMES[each], f"/{each}/{place}") for each in LANGUAGES),
    )


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
