"""What comes in and goes out, in figures: volumes, freshness, quarantine, queues and backlog of one company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from parcours.collect.declared import FILE, Declared
from parcours.engine.store.figures import Figures, Group, Waits
from parcours.engine.store.manifest import FileState

__all__ = [
    "Compared",
    "DestinationFigures",
    "FileFigures",
    "Group",
    "Overview",
    "SourceFigures",
    "Waits",
    "read_overview",
]

HOUR_MS = 3_600_000
WEEK_H = 7 * 24
LEAST_PAUSE_MS = 2 * HOUR_MS
"""No source is silent before this, however steadily it sent."""
UNKNOWN_PAUSE_MS = 24 * HOUR_MS
"""What counts as silence while fewer than `LEAST_HOURS` hours tell how a source sends."""
LEAST_HOURS = 3
FILES = (FILE, "folder")
OUTCOMES = ("kept", "duplicate", "discarded")

State = Literal["fresh", "silent", "waiting", "loaded", "undeclared"]


class Compared(msgspec.Struct, frozen=True):
    """Events of today's ``hours`` complete hours, and of the same hours of the same day a week before."""

    hours: int
    now: int
    before: int


class FileFigures(msgspec.Struct, frozen=True):
    """What the files of a source gave when each was last read; ``undeclared`` columns of one were not described."""

    files: int
    loaded_ms: int
    rows: int
    quarantined: int
    discarded: int
    undeclared: int = 0


class SourceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One source.

    Attributes:
        source: Its id.
        connector: ``http``, ``sql``, ``kafka``, ``folder`` …, ``file``, or nothing when it is declared no more.
        state: ``waiting`` before anything came; ``silent`` after a pause longer than any of the two weeks before.
        latest_ms: When the latest event was received, or the latest file loaded.
        hours: Events by hour of arrival, the last seven days, oldest first; the last hour is not over.
        hours_before: The same of the seven days before; none when the source is younger than that.
        last_hour: Events of the latest complete hour.
        today: Events since midnight in the company's time zone.
        compared: Today beside a week ago; ``None`` when there is nothing to compare with.
        outcomes: What became of the events of the seven days: ``kept``, ``duplicate``, ``discarded``.
        faults: Events that went to quarantine in the seven days and were not put back since, by fault.
        undeclared: Names that came and that nobody declared, with how often they were noticed in the seven days.
        told: What was noted of events that were taken all the same, by code, in the seven days.
        aside: How many wait in quarantine now.
        files: What its files gave, where it has some.
    """

    source: str
    connector: str
    state: State
    latest_ms: int | None
    hours: tuple[int, ...]
    hours_before: tuple[int, ...]
    last_hour: int
    today: int
    compared: Compared | None
    outcomes: dict[str, int]
    faults: dict[str, int]
    told: dict[str, int]
    undeclared: dict[str, int]
    aside: int
    files: FileFigures | None

    @property
    def is_live(self) -> bool:
        """Whether it brings events by itself, and not from files that are read now and then."""
        from_files = self.connector in FILES or not (self.connector or self.files is None)
        return not from_files or any(self.hours)


class DestinationFigures(msgspec.Struct, frozen=True):
    """One destination: what waits, and what was delivered and refused since the beginning, by reason."""

    destination: str
    waiting: Waits
    delivered: int
    refused: dict[str, int]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All of it at ``now_ms``; ``events`` are groups that can be replayed, ``rows`` groups of files' rows.

    ``missing`` batches were gone before they were taken over.
    """

    now_ms: int
    sources: tuple[SourceFigures, ...]
    events: tuple[Group, ...]
    rows: tuple[Group, ...]
    destinations: tuple[DestinationFigures, ...]
    batches: int
    backlog: Waits
    missing: int = 0

    @property
    def live(self) -> tuple[SourceFigures, ...]:
        """The sources that bring events by themselves."""
        return tuple(one for one in self.sources if one.is_live)

    @property
    def silent(self) -> tuple[SourceFigures, ...]:
        """The sources that should have brought something by now."""
        return tuple(one for one in self.sources if one.state == "silent")

    @property
    def waiting(self) -> int:
        """How many events wait in quarantine."""
        return sum(group.count for group in self.events)

    @property
    def lag_ms(self) -> int:
        """How long the oldest event that was not taken over yet has waited."""
        return 0 if self.backlog.oldest_ms is None else max(0, self.now_ms - self.backlog.oldest_ms)


def read_overview(folder: Path, declared: Declared, zone: str, now_ms: int) -> Overview:
    """Read how collection stands; ``zone`` says when a day begins.

    Raises:
        ParcoursError: ``database_damaged``, ``database_busy`` or ``row_damaged``.
    """
    with Figures(folder) as figures:
        found = _Found(figures, now_ms // HOUR_MS)
        batches, backlog = figures.backlog()
        missing = figures.missing()
        destinations = _read_destinations(figures, declared.destinations)
    days = find_days(zone, now_ms)
    names = dict.fromkeys((*declared.connectors, *sorted(found.names)))
    return Overview(
        now_ms=now_ms,
        sources=tuple(found.describe(name, declared.connectors.get(name, ""), days, now_ms) for name in names),
        events=found.events,
        rows=found.rows,
        destinations=destinations,
        batches=batches,
        backlog=backlog,
        missing=missing,
    )


class _Found:
    """What the journal tells of every source, by its id."""

    def __init__(self, figures: Figures, this_hour: int) -> None:
        self._this_hour = this_hour
        self._came: dict[str, dict[int, int]] = defaultdict(dict)
        for source, hour, count in figures.came(this_hour - 2 * WEEK_H + 1):
            self._came[source][hour] = count
        self._became: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for source, outcome, detail, count in figures.outcomes(this_hour - WEEK_H + 1):
            if count > 0:
                self._became[source][outcome][detail] = count
        self._latest = figures.latest()
        self._files: dict[str, list[FileState]] = defaultdict(list)
        for state in figures.files():
            self._files[state.source].append(state)
        self.events, self.rows = tuple(figures.aside()), tuple(figures.rows_aside())
        self.names = {*self._latest, *self._files, *(group.source for group in self.events)}

    def describe(self, source: str, connector: str, days: tuple[int, int], now_ms: int) -> SourceFigures:
        """Return the figures of one source; ``days`` are the first hours of today and of that day a week ago."""
        came, became = self._came[source], self._became[source]
        files = _sum_files(self._files[source])
        latest_ms = self._latest.get(source)
        first = self._this_hour - WEEK_H + 1
        hours = tuple(came.get(first + place, 0) for place in range(WEEK_H))
        before = tuple(came.get(first - WEEK_H + place, 0) for place in range(WEEK_H))
        return SourceFigures(
            source=source,
            connector=connector,
            state=find_state(connector, came, latest_ms, files is not None, now_ms),
            latest_ms=latest_ms if latest_ms is not None else files.loaded_ms if files else None,
            hours=hours,
            hours_before=before if any(before) else (),
            last_hour=hours[-2],
            today=sum(came.get(hour, 0) for hour in range(days[0], self._this_hour + 1)),
            compared=_compare(came, days, self._this_hour),
            outcomes={name: sum(became[name].values()) for name in OUTCOMES if name in became},
            faults=_subtract(became["quarantined"], became["replayed"]),
            told=dict(became["told"]),
            undeclared=dict(became["undeclared"]),
            aside=sum(group.count for group in self.events if group.source == source),
            files=files,
        )


def _subtract(counts: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Return what is left of counts; what was put back may have come before those that are counted."""
    return {name: left for name, count in counts.items() if (left := count - others.get(name, 0)) > 0}


def _compare(came: Mapping[int, int], days: tuple[int, int], this_hour: int) -> Compared | None:
    """Set today's complete hours beside a week ago; only if something had come by then, and an hour is over."""
    hours = this_hour - days[0]
    if hours < 1 or min(came, default=this_hour) > days[1]:
        return None
    now, before = (sum(came.get(day + place, 0) for place in range(hours)) for day in days)
    return Compared(hours, now, before)


def _sum_files(states: Sequence[FileState]) -> FileFigures | None:
    if not states:
        return None
    rows, quarantined, discarded = (
        sum(state.counts.get(name, 0) for state in states) for name in ("rows_read", "quarantined", "discarded")
    )
    undeclared = max(state.counts.get("undeclared", 0) for state in states)
    return FileFigures(len(states), max(state.loaded_ms for state in states), rows, quarantined, discarded, undeclared)


def _read_destinations(figures: Figures, declared: Iterable[str]) -> tuple[DestinationFigures, ...]:
    waiting, carried = figures.outbox(), figures.carried()
    names = dict.fromkeys((*declared, *sorted({*waiting, *(name for name, *_ in carried)})))
    return tuple(
        DestinationFigures(
            name,
            waiting.get(name, Waits(0, None)),
            sum(count for other, outcome, _, count in carried if (other, outcome) == (name, "delivered")),
            {detail: count for other, outcome, detail, count in carried if (other, outcome) == (name, "refused")},
        )
        for name in names
    )


def find_days(zone: str, now_ms: int) -> tuple[int, int]:
    """Return the hours (their numbers since 1970, UTC) in which today and the same day a week ago begin in ``zone``.

    Days are counted on the calendar: a week in which clocks change has an hour more or less.
    """
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    today, before = (int(day.timestamp()) * 1000 // HOUR_MS for day in (midnight, midnight - timedelta(days=7)))
    return today, before


def find_state(connector: str, hours: Iterable[int], latest_ms: int | None, loaded: bool, now_ms: int) -> State:
    """Say how a source stands; ``hours`` are those of the last two weeks in which something came."""
    if not connector:
        return "undeclared"
    if latest_ms is None:
        return "loaded" if loaded else "waiting"
    known = sorted(hours)
    pause_ms = max((after - before for before, after in pairwise(known)), default=0) * HOUR_MS
    usual_ms = max(pause_ms, LEAST_PAUSE_MS) if len(known) >= LEAST_HOURS else UNKNOWN_PAUSE_MS
    return "silent" if now_ms - latest_ms > usual_ms else "fresh"
