"""The sources: what arrives and from where, how fresh it is, what waits in quarantine, and what goes out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from parcours.charts.numbers import MISSING, write_date, write_duration, write_moment, write_number
from parcours.charts.table import Cell, draw_table
from parcours.collect.declared import read_declared
from parcours.collect.overview import Compared, Overview, read_overview
from parcours.errors import Fault
from parcours.words import Language
from parcours.workspaces.first_event import FirstEvent, show_first_event
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.incoming import LiveSource, say_compared, say_fault, say_hours, say_source, sort_live
from parcours.workspaces.masks import MASKS
from parcours.workspaces.readable import MaskedCounts, Masking, Readable, Replays, Troubled
from parcours.workspaces.signing_in.asking import may_do
from parcours.workspaces.waiting import Aside, RowsAside, say_asides, say_replayed, say_rows_aside, sign_replay
from parcours.workspaces.wording import Say

HTTP = "http"
DAY_MS = 86_400_000
LATE_MS = 5 * 60_000
STUCK_MS = 15 * 60_000
MOST_NAMES = 3


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the first ten seconds, and what it rests on; ``alarm`` where it needs a look."""

    name: str
    figure: str
    rests: str
    href: str = ""
    alarm: bool = False


class SourcesPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of sources shows; ``said`` is what a replay has just done, ``all_token`` lets one replay all."""

    frame: Frame
    headline: str
    lede: str
    said: str
    glance: tuple[Figure, ...]
    troubles: tuple[str, ...]
    faults: tuple[str, ...]
    live: tuple[LiveSource, ...]
    aside: tuple[Aside, ...]
    aside_says: str
    all_token: str
    rows: tuple[RowsAside, ...]
    files: str
    masked: str
    destinations: str
    first: FirstEvent | None


def read_sources(company: Readable, language: Language, put_back: str = "", proof: str = "") -> SourcesPage:
    """Read how collection stands now; that ``put_back`` events were just replayed is said if ``proof`` proves it."""
    say, zone = Say(language), company.settings.time_zone
    declared = read_declared(company.folder, company.blueprint, company.settings)
    overview = read_overview(company.folder, declared, zone, time.time_ns() // 1_000_000)
    can_replay = isinstance(company, Replays) and may_do("put_back")
    troubles = company.troubles() if isinstance(company, Troubled) else ()
    http = [one for one in overview.sources if one.connector == HTTP]
    return SourcesPage(
        frame=frame_page(company, language, "sources", say("sources.title")),
        headline=say_troubles(troubles, language) or say_headline(overview, language),
        lede=say_lede(overview, language, zone),
        said=say_replayed(put_back, proof, language),
        glance=tuple(read_glance(overview, language)),
        troubles=tuple(_say_declared(fault, language) for fault in troubles),
        faults=tuple(_say_declared(fault, language) for fault in declared.faults),
        live=tuple(say_source(one, overview.now_ms, language, zone) for one in sort_live(overview.live)),
        aside=say_asides(overview.events, can_replay, language, zone),
        aside_says=say("sources.aside_say", days=company.settings.collect.quarantine_days),
        all_token=sign_replay("", "") if can_replay and len(overview.events) > 1 else "",
        rows=say_rows_aside(overview.rows, language, zone),
        files=draw_files(overview, language, zone),
        masked=draw_masked(company.masked() if isinstance(company, Masking) else (), language),
        destinations=draw_destinations(overview, language),
        first=None if any(one.latest_ms for one in http) else show_first_event(company, http[0].source if http else ""),
    )


def say_troubles(troubles: Sequence[Fault], language: Language) -> str:
    """Return the one sentence of what keeps Parcours from its work, an empty one when nothing does."""
    if len(troubles) == 1:
        return troubles[0].sentence.in_language(language)
    return Say(language)("sources.troubled", count=len(troubles)) if troubles else ""


def say_headline(overview: Overview, language: Language) -> str:
    """Return the one sentence that matters now: what is lost, late, silent, set aside or stuck, or that all is well."""
    say, live = Say(language), [one for one in overview.live if one.state != "undeclared"]
    if overview.missing:
        return say.count("sources.missing", overview.missing)
    if overview.lag_ms > LATE_MS:
        lag = write_duration(overview.lag_ms, language)
        return say.count("sources.backlog_late", overview.backlog.count, lag=lag)
    if overview.silent:
        return say.count("sources.silent", len(overview.silent), total=len(live))
    if overview.events:
        return _say_quarantine(overview, language)
    if stuck := _find_stuck(overview):
        return say("sources.stuck", destination=stuck[0], age=write_duration(stuck[1], language))
    if not live:
        return say("sources.none_declared")
    sending = sum(one.latest_ms is not None for one in live)
    return say.count("sources.well", sending) if sending else say("sources.nothing_yet")


def _say_quarantine(overview: Overview, language: Language) -> str:
    say, first = Say(language), overview.events[0]
    why = say_fault(first.code, first.reasons[0] if first.reasons else None, language)
    if len(overview.events) == 1:
        return say.count("sources.quarantined", overview.waiting, why=why)
    part = write_number(first.count, language)
    return say.count("sources.quarantined_mixed", overview.waiting, part=part, why=why)


def _find_stuck(overview: Overview) -> tuple[str, int] | None:
    """Return the first destination that has taken nothing for long, and for how long."""
    for one in overview.destinations:
        age_ms = overview.now_ms - one.waiting.oldest_ms if one.waiting.oldest_ms is not None else 0
        if age_ms > STUCK_MS:
            return one.destination, age_ms
    return None


def say_lede(overview: Overview, language: Language, zone: str) -> str:
    """Return how much came today and from where, and who is silent."""
    say = Say(language)
    if not overview.live:
        return say("sources.says_none")
    today = sum(one.today for one in overview.live)
    told = say(
        "sources.says",
        moment=write_moment(overview.now_ms, language, zone),
        events=say.count("sources.events", today),
        sources=say.count("sources.live", len(overview.live)),
    )
    names = [one.source for one in overview.silent]
    if not names:
        return told
    shown = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
    return f"{told} {say('sources.silent_who', names=shown)}"


def read_glance(overview: Overview, language: Language) -> Iterator[Figure]:
    """Yield the four figures beside the headline; none of them while nothing live is declared."""
    if not overview.live:
        return
    say = Say(language)
    compared = add_compared(overview)
    yield Figure(
        name=say("sources.glance_today"),
        figure=write_number(sum(one.today for one in overview.live), language),
        rests=say(
            "sources.glance_compared", compared=say_compared(compared, language), hours=say_hours(compared, language)
        )
        if compared
        else say("sources.glance_first"),
        href="#live",
    )
    yield Figure(
        name=say("sources.glance_aside"),
        figure=write_number(overview.waiting, language),
        rests=say.count("sources.causes", len(overview.events))
        if overview.events
        else say("sources.glance_aside_none"),
        href="#aside",
        alarm=bool(overview.events),
    )
    waits = overview.backlog.count
    yield Figure(
        name=say("sources.glance_lag"),
        figure=write_duration(overview.lag_ms, language),
        rests=say.count("sources.waiting", waits) if waits else say("sources.glance_lag_none"),
        alarm=overview.lag_ms > LATE_MS,
    )
    if overview.destinations:
        oldest = min((one.waiting.oldest_ms for one in overview.destinations if one.waiting.oldest_ms), default=None)
        age_ms = 0 if oldest is None else overview.now_ms - oldest
        yield Figure(
            name=say("sources.glance_out"),
            figure=write_number(sum(one.waiting.count for one in overview.destinations), language),
            rests=say("sources.oldest", age=write_duration(age_ms, language)) if oldest else say("sources.out_none"),
            href="#out",
            alarm=age_ms > STUCK_MS,
        )


def add_compared(overview: Overview) -> Compared | None:
    """Return the sum over the sources that can be compared with a week ago."""
    known = [one.compared for one in overview.live if one.compared]
    if not known:
        return None
    return Compared(known[0].hours, sum(one.now for one in known), sum(one.before for one in known))


def draw_files(overview: Overview, language: Language, zone: str) -> str:
    """Draw the table of the sources that are files; empty where there are none."""
    say = Say(language)
    columns = ("source", "loaded", "files", "rows", "aside", "discarded", "undeclared")
    rows = []
    for one in overview.sources:
        if one.is_live:
            continue
        files = one.files
        counts: tuple[int | None, ...] = (None,) * 5
        if files:
            counts = (files.files, files.rows, files.quarantined, files.discarded, files.undeclared)
        loaded = write_moment(files.loaded_ms, language, zone) if files else say("sources.not_loaded")
        figures = (Cell(write_number(count, language), number=True) for count in counts)
        rows.append([Cell(one.source), Cell(loaded), *figures])
    headings = [Cell(say(f"sources.column_{name}"), number=name not in columns[:2]) for name in columns]
    return draw_table(say("sources.files_table"), headings, rows) if rows else ""


def draw_masked(days: Sequence[MaskedCounts], language: Language) -> str:
    """Draw the table of what was masked in texts, a day a line; empty where nothing was."""
    say = Say(language)
    kinds = [token.strip("[]") for token in MASKS]
    rows = [
        [
            Cell(write_date(one.day * DAY_MS, language, "UTC")),
            *(Cell(write_number(one.counts.get(kind, 0), language), number=True) for kind in kinds),
        ]
        for one in days
    ]
    names = (words.in_language(language).strip("[]") for words in MASKS.values())
    headings = [Cell(say("sources.column_day")), *(Cell(name, number=True) for name in names)]
    return draw_table(say("sources.masked_table"), headings, rows) if rows else ""


def draw_destinations(overview: Overview, language: Language) -> str:
    """Draw the table of the destinations; empty where there are none."""
    say = Say(language)
    columns = ("destination", "waiting", "oldest", "delivered", "refused")
    rows = []
    for one in overview.destinations:
        oldest, refused = one.waiting.oldest_ms, sorted(one.refused.items(), key=lambda reason: -reason[1])
        why = ", ".join(
            f"{write_number(count, language)} ({say_fault(code, None, language)})" for code, count in refused
        )
        age = MISSING if oldest is None else write_duration(overview.now_ms - oldest, language)
        counts = (write_number(one.waiting.count, language), age, write_number(one.delivered, language))
        rows.append([Cell(one.destination), *(Cell(count, number=True) for count in counts), Cell(why or "0")])
    headings = [Cell(say(f"sources.column_{name}"), number=name not in ("destination", "refused")) for name in columns]
    return draw_table(say("sources.out_table"), headings, rows) if rows else ""


def _say_declared(fault: Fault, language: Language) -> str:
    # The file's name alone: a page says nothing of the machine's folders.
    place = f"{Path(fault.place).name}{Say(language)('frame.colon')} " if fault.place else ""
    return f"{place}{fault.sentence.in_language(language)} {fault.remedy.in_language(language)}"
