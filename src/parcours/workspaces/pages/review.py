"""Pairs that may be one person: what speaks for each, masked, and the form by which a person decides."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.charts.numbers import write_number
from parcours.know import Doubt, tell_doubt
from parcours.words import Language
from parcours.workspaces.forms import sign
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Readable, Reviews
from parcours.workspaces.reviewing import FORM
from parcours.workspaces.signing_in.told import say_told
from parcours.workspaces.wording import Say

MOST_PAIRS = 50
"""How many pairs are shown at once: those that were seen first."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two identifiers, masked, and what speaks for their being one person; ``one`` and ``other`` name them in forms.

    ``profiles`` are the ids of the customers that they belong to, whose pages show more to whoever gives a reason.
    """

    one: str
    other: str
    first: str
    second: str
    profiles: tuple[str, str]
    why: str
    times: str
    token: str


class ReviewPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of pairs shows; ``left`` says how many more there are, ``alarms`` what fuses people."""

    frame: Frame
    said: str
    headline: str
    alarms: tuple[str, ...]
    pairs: tuple[Pair, ...]
    left: str


def read_review(company: Readable, language: Language, done: str = "", proof: str = "") -> ReviewPage:
    """Read the pairs that wait."""
    say = Say(language)
    doubts = company.review() if isinstance(company, Reviews) else ()
    alarms = company.identity_alarms() if isinstance(company, Reviews) else ()
    shown = doubts[:MOST_PAIRS]
    named = [one for doubt in shown for one in (doubt.one, doubt.other, doubt.via or 0)]
    texts = company.show_identifiers(named) if isinstance(company, Reviews) and named else []
    more = len(doubts) - len(shown)
    return ReviewPage(
        frame=frame_page(company, language, "review", say("review.title")),
        said=say_told("review", done, proof, language),
        headline=say.count("review.waiting", len(doubts)) if doubts else say("review.none"),
        alarms=tuple(alarm.in_language(language) for alarm in alarms),
        pairs=tuple(_say_pair(doubt, texts[3 * place : 3 * place + 3], language) for place, doubt in enumerate(shown)),
        left=say.count("review.left", more) if more else "",
    )


def _say_pair(doubt: Doubt, texts: Sequence[str], language: Language) -> Pair:
    say = Say(language)
    first, second = (text or say("review.erased") for text in texts[:2])
    one, other = f"{doubt.one:016x}", f"{doubt.other:016x}"
    return Pair(
        one=one,
        other=other,
        first=first,
        second=second,
        profiles=(f"{doubt.profiles[0]:016x}", f"{doubt.profiles[1]:016x}"),
        why=tell_doubt(doubt, texts[2]).in_language(language),
        times=say("review.times", count=write_number(doubt.times, language)) if doubt.times > 1 else "",
        token=sign(FORM, one, other),
    )
