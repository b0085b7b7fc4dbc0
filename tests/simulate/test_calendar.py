"""The firm's year: moments are written as the stores' clock, UTC text and epoch milliseconds, all the same instant."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parcours.simulate.calendar import (
    END_S,
    NEVER,
    START_S,
    WEEKS,
    in_week,
    week_of,
    write_epoch,
    write_french,
    write_iso,
)


def test_the_year_is_fifty_two_whole_weeks_from_a_monday() -> None:
    first = datetime.fromtimestamp(START_S, UTC)
    assert (first.isoweekday(), first.date().isoformat()) == (1, "2025-01-06")
    assert datetime.fromtimestamp(END_S, UTC).date().isoformat() == "2026-01-05"
    assert week_of(np.array([START_S, END_S - 1])).tolist() == [0, WEEKS - 1]


@given(st.integers(START_S, END_S))
def test_three_ways_of_writing_name_one_instant(moment_s: int) -> None:
    moments = np.array([moment_s])
    paris = datetime.strptime(write_french(moments)[0].as_py(), "%d/%m/%Y %H:%M:%S").replace(
        tzinfo=ZoneInfo("Europe/Paris")
    )
    iso = datetime.fromisoformat(write_iso(moments)[0].as_py())
    assert iso.timestamp() * 1000 == write_epoch(moments)[0].as_py()
    if paris.astimezone(UTC).astimezone(ZoneInfo("Europe/Paris")).replace(tzinfo=None) == paris.replace(tzinfo=None):
        assert iso == paris


def test_a_moment_that_has_not_come_is_empty() -> None:
    moments = np.array([NEVER, START_S])
    assert write_iso(moments).to_pylist() == [None, "2025-01-05T23:00:00Z"]
    assert write_french(moments).null_count == 1
    assert write_epoch(moments).null_count == 1


@given(st.integers(0, 1000), st.integers(1, 7))
def test_a_moment_in_a_week_stays_in_it(seed: int, days: int) -> None:
    week = np.arange(WEEKS)
    assert np.array_equal(week_of(in_week(week, np.random.default_rng(seed), days)), week)
