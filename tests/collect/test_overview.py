"""The overview: volumes beside a week ago, who is silent, and what waits."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from parcours.collect.declared import Declared
from parcours.collect.overview import HOUR_MS, WEEK_H, Compared, Overview, find_days, find_state, read_overview
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.sqlite import open_database

PARIS = "Europe/Paris"


def moment(text: str, zone: str = PARIS) -> int:
    """Return a local time in epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def collect(folder: Path, hours: dict[int, int], now_ms: int, source: str = "web", **outcomes: int) -> Overview:
    """Read an overview after so many events came in each hour, told as hours before now."""
    this_hour = now_ms // HOUR_MS
    counts = {(source, this_hour - back, "kept", ""): count for back, count in hours.items()}
    counts |= {(source, this_hour, outcome, "x"): count for outcome, count in outcomes.items()}
    database = open_database(folder / ".parcours" / "journal.db")
    Arrivals(database).add(counts, {source: now_ms - min(hours, default=0) * HOUR_MS})
    database.close()
    return read_overview(folder, Declared({source: "http"}, ()), PARIS, now_ms)


def test_a_company_without_a_journal_has_its_declared_sources(tmp_path: Path) -> None:
    declared = Declared({"web": "http", "orders": "file"}, ("hook",))
    overview = read_overview(tmp_path, declared, PARIS, moment("2026-02-03T14:20"))
    assert [(one.source, one.state, one.latest_ms) for one in overview.sources] == [
        ("web", "waiting", None),
        ("orders", "waiting", None),
    ]
    assert [one.source for one in overview.live] == ["web"]
    assert [one.destination for one in overview.destinations] == ["hook"]
    assert (overview.lag_ms, overview.waiting, overview.silent) == (0, 0, ())


def test_today_begins_at_midnight_where_the_company_is(tmp_path: Path) -> None:
    now_ms = moment("2026-02-03T02:30")
    (web,) = collect(tmp_path, {0: 1, 1: 10, 2: 100, 3: 1_000}, now_ms).sources
    assert web.today == 111
    assert web.last_hour == 10
    assert web.hours[-4:] == (1_000, 100, 10, 1)
    assert len(web.hours) == WEEK_H
    assert web.hours_before == ()


def test_complete_hours_alone_are_compared_with_a_week_ago(tmp_path: Path) -> None:
    now_ms = moment("2026-02-03T02:30")
    hours = {0: 500, 1: 30, 2: 20, WEEK_H: 999, WEEK_H + 1: 25, WEEK_H + 2: 15, WEEK_H + 3: 7}
    (web,) = collect(tmp_path, hours, now_ms).sources
    assert web.compared == Compared(hours=2, now=50, before=40)


def test_a_young_source_is_compared_with_nothing(tmp_path: Path) -> None:
    (web,) = collect(tmp_path, {0: 5, 1: 30, WEEK_H - 2: 4}, moment("2026-02-03T02:30")).sources
    assert web.compared is None
    (after_midnight,) = collect(tmp_path, {0: 5, WEEK_H + 5: 5}, moment("2026-02-03T00:30")).sources
    assert after_midnight.compared is None  # no hour of today is over


@pytest.mark.parametrize(
    ("now", "hours_apart"),
    [("2026-02-03T12:00", 168), ("2026-03-31T12:00", 167), ("2026-10-27T12:00", 169)],
    ids=["plain", "clocks forward", "clocks back"],
)
def test_a_week_ago_is_a_day_of_the_calendar(now: str, hours_apart: int) -> None:
    today, before = find_days(PARIS, moment(now))
    assert today - before == hours_apart


@pytest.mark.parametrize(
    ("hours", "pause_h", "state"),
    [
        (range(0, 100), 1.9, "fresh"),
        (range(0, 100), 2.1, "silent"),  # steady: two hours are long
        ([0, 1, 2, 14, 15, 16], 11.5, "fresh"),  # it pauses every night
        ([0, 1, 2, 14, 15, 16], 12.5, "silent"),
        ([0], 23.0, "fresh"),  # nobody knows yet how it sends
        ([0], 25.0, "silent"),
        ([], 24 * 20.0, "silent"),
    ],
)
def test_silence_is_a_pause_longer_than_any_before(hours: list[int], pause_h: float, state: str) -> None:
    latest_ms = moment("2026-02-03T12:00")
    assert find_state("http", hours, latest_ms, False, latest_ms + int(pause_h * HOUR_MS)) == state


def test_states_of_sources_that_bring_nothing_by_themselves() -> None:
    assert find_state("http", [], None, False, 0) == "waiting"
    assert find_state("file", [], None, True, 0) == "loaded"
    assert find_state("", range(9), 1, False, 1) == "undeclared"


def test_outcomes_and_what_was_told_are_kept_apart(tmp_path: Path) -> None:
    overview = collect(tmp_path, {0: 90}, moment("2026-02-03T02:30"), duplicate=4, discarded=3, quarantined=2, told=50)
    (web,) = overview.sources
    assert web.outcomes == {"kept": 90, "duplicate": 4, "discarded": 3}
    assert (web.faults, web.told) == ({"x": 2}, {"x": 50})
    assert web.today == 99


def test_what_was_put_back_is_in_quarantine_no_more(tmp_path: Path) -> None:
    now_ms = moment("2026-02-03T02:30")
    (web,) = collect(tmp_path, {0: 7}, now_ms, quarantined=9, replayed=7, undeclared=3).sources
    assert (web.faults, web.undeclared) == ({"x": 2}, {"x": 3})
    (web,) = collect(tmp_path, {0: 1}, now_ms, replayed=2).sources
    assert web.faults == {}


def test_a_source_that_is_declared_no_more_is_still_told(tmp_path: Path) -> None:
    now_ms = moment("2026-02-03T02:30")
    collect(tmp_path, {0: 5}, now_ms, source="old")
    overview = read_overview(tmp_path, Declared({"web": "http"}, ()), PARIS, now_ms)
    assert [(one.source, one.state) for one in overview.live] == [("web", "waiting"), ("old", "undeclared")]
