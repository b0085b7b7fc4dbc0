"""A source of live events in words: how it stands, how much it brings, and what becomes of it."""

from __future__ import annotations

import msgspec

from parcours.charts.chart import Chart
from parcours.charts.numbers import write_date, write_duration, write_moment, write_number, write_share
from parcours.charts.volumes import draw_volumes
from parcours.collect.overview import HOUR_MS, Compared, SourceFigures
from parcours.words import Language, Words
from parcours.workspaces.wording import Say

FEWEST_COMPARED = 30
"""Events a week ago from which a percentage is told: below it, both counts say more."""
MOST_UNDECLARED = 8
_ORDER = {"silent": 0, "fresh": 2, "waiting": 3, "undeclared": 4, "loaded": 5}


class LiveSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source as the page tells it; ``became`` to ``undeclared`` are names with counts of seven days."""

    id: str
    connector: str
    state: str
    state_says: str
    latest: str
    latest_at: str
    hour: str
    last_hour: str
    today: str
    compared: str
    hours: str
    aside: str
    volumes: Chart
    became: tuple[tuple[str, str], ...]
    faults: tuple[tuple[str, str], ...]
    told: tuple[tuple[str, str], ...]
    undeclared: tuple[tuple[str, str], ...]


def sort_live(sources: tuple[SourceFigures, ...]) -> list[SourceFigures]:
    """Return sources in the order in which they need a look: silent, with events in quarantine, then by volume."""

    def weigh(one: SourceFigures) -> tuple[int, int, str]:
        place = 1 if one.state == "fresh" and one.aside else _ORDER[one.state]
        return place, -sum(one.hours), one.source

    return sorted(sources, key=weigh)


def say_source(one: SourceFigures, now_ms: int, language: Language, zone: str) -> LiveSource:
    """Write one source for a reader."""
    say = Say(language)
    this_hour = now_ms // HOUR_MS
    start, end = ((this_hour - back) * HOUR_MS for back in (1, 0))
    known = f"sources.connector_{one.connector}"
    return LiveSource(
        id=one.source,
        connector=say(known) if say.has(known) else one.connector,
        state=one.state,
        state_says=say(f"sources.state_{one.state}"),
        latest=say("sources.never")
        if one.latest_ms is None
        else say("sources.ago", age=write_duration(max(0, now_ms - one.latest_ms), language)),
        latest_at="" if one.latest_ms is None else write_moment(one.latest_ms, language, zone),
        hour=say("sources.last_hour", start=write_hour(start, zone), end=write_hour(end, zone)),
        last_hour=write_number(one.last_hour, language),
        today=write_number(one.today, language),
        compared=say_compared(one.compared, language),
        hours=say_hours(one.compared, language),
        aside=say.count("sources.waits", one.aside) if one.aside else "",
        volumes=draw_volumes(
            say("sources.volumes", source=one.source), one.hours, one.hours_before, this_hour, language, zone
        ),
        became=_say_outcomes(one, language),
        faults=tuple((say_fault(code, None, language), write_number(n, language)) for code, n in _sort(one.faults)),
        told=tuple((_say_told(code, language), write_number(n, language)) for code, n in _sort(one.told)),
        undeclared=tuple((name, write_number(n, language)) for name, n in _sort(one.undeclared)[:MOST_UNDECLARED]),
    )


def write_hour(value_ms: int, zone: str) -> str:
    """Write an hour of the day: `14:00`."""
    return write_moment(value_ms, "en", zone)[-5:]


def say_compared(compared: Compared | None, language: Language) -> str:
    """Say today's complete hours against a week ago; the share of change only over a base that can bear one."""
    if compared is None:
        return ""
    say = Say(language)
    now, before = (write_number(count, language) for count in (compared.now, compared.before))
    if compared.before < FEWEST_COMPARED:
        return say("sources.same_hours_few", now=now, before=before)
    share = write_share(compared.now / compared.before - 1, language, signed=True)
    return say("sources.same_hours", share=share, now=now, before=before)


def say_hours(compared: Compared | None, language: Language) -> str:
    """Say which hours are compared."""
    if compared is None:
        return ""
    return Say(language)("sources.hours_one" if compared.hours == 1 else "sources.hours_many", hours=compared.hours)


def say_fault(code: str, reason: Words | None, language: Language) -> str:
    """Say in a few words why events are in quarantine; a fault that we don't know by its reason's first sentence."""
    say = Say(language)
    if say.has(f"fault.{code}"):
        return say(f"fault.{code}")
    sentence = reason.in_language(language).partition(". ")[0].rstrip(".") if reason else ""
    return sentence or code


def say_days(first_ms: int, last_ms: int, language: Language, zone: str) -> str:
    """Say from when to when, or on which day."""
    say = Say(language)
    first, last = (write_date(moment, language, zone, year=False) for moment in (first_ms, last_ms))
    if first == last:
        return say("sources.aside_once", first=write_moment(last_ms, language, zone))
    return say("sources.aside_when", first=first, last=last)


def _say_outcomes(one: SourceFigures, language: Language) -> tuple[tuple[str, str], ...]:
    say = Say(language)
    counts = {**one.outcomes, **({"quarantined": sum(one.faults.values())} if one.faults else {})}
    total = sum(counts.values())
    return tuple(
        (say(f"sources.outcome_{name}"), f"{write_number(n, language)} ({write_share(n / total, language, 1)})")
        for name, n in counts.items()
        if n
    )


def _say_told(code: str, language: Language) -> str:
    say = Say(language)
    return say(f"sources.told_{code}") if say.has(f"sources.told_{code}") else code


def _sort(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))
