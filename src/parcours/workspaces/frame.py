"""What surrounds every page: whose it is, in which language, where it leads."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from parcours.words import LANGUAGES, Language
from parcours.workspaces.readable import Readable
from parcours.workspaces.static import STYLES_PATH
from parcours.workspaces.wording import Say


class Link(NamedTuple):
    """Where a word leads; ``current`` where it leads to the page itself."""

    label: str
    href: str
    current: bool = False


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of a page: ``title`` names it, ``links`` are the pages, ``languages`` the same page in each one."""

    language: Language
    title: str
    company: str
    synthetic: bool
    notice: str
    home: str
    styles: str
    links: tuple[Link, ...]
    languages: tuple[tuple[Language, str, str], ...]


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
            for name in ("map", "journey", "measures")
        ),
        languages=tuple((each, _NAMES[each], f"/{each}/{place}") for each in LANGUAGES),
    )
