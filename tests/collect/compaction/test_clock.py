"""Clocks: every way in which SDKs write a time, and the client's own error taken out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import AT, OCCURRED_MS, RECEIVED_MS, batch, codes, one, read, refused, rows, track

from parcours.collect.compaction.clock import read_moments
from parcours.collect.compaction.seen import UNTIMED

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01T09:59:58.000Z",
        "2026-03-01T09:59:58Z",
        "2026-03-01T09:59:58.000000+00:00",
        "2026-03-01T10:59:58.000+01:00",
        "2026-03-01T10:59:58+0100",
        "2026-03-01T09:59:58.000000000Z",
        "2026-03-01T09:59:58.0000000Z",
        "2026-03-01T09:59:58",
        "2026-03-01 09:59:58.000",
        "20260301T095958Z",
        " 2026-03-01T09:59:58.000Z ",
        1772359198000,
        1772359198,
        1772359198.0,
        "1772359198000",
        "1772359198.000",
    ],
)
def test_every_way_of_writing_a_time_means_the_same(written) -> None:
    found = read(batch(track(timestamp=written), track()))
    assert [row["original_ms"] for row in rows(found)] == [OCCURRED_MS, OCCURRED_MS]
    assert [row["occurred_ms"] for row in rows(found)] == [OCCURRED_MS, OCCURRED_MS]


@pytest.mark.parametrize(
    "written",
    [
        "yesterday",
        "2026-13-01",
        "2026-02-30T00:00:00Z",
        "2026-03-01T25:00:00Z",
        "1e12",
        True,
        {},
        [],
        10**15,
        10**17,
        "99",
        "Mar 1",
    ],
)
def test_a_time_that_cannot_be_read_is_refused_and_harms_no_other(written) -> None:
    found = read(batch(track(), track(timestamp=written), track(originalTimestamp=written), track()))
    assert codes(found) == ["date_unreadable"] * 2
    assert found.place.tolist() == [0, 3]
    assert [row["occurred_ms"] for row in rows(found)] == [OCCURRED_MS] * 2


def test_the_client_s_error_is_taken_out() -> None:
    # The client's clock is an hour fast; it sent two seconds after the event, and the collector knows when it came.
    item = track(timestamp="2026-03-01T10:59:58Z")
    row = one(item, sent="2026-03-01T11:00:00Z")
    assert (row["occurred_ms"], row["original_ms"] - row["occurred_ms"]) == (OCCURRED_MS, 3_600_000)
    assert row["sent_ms"] == RECEIVED_MS + 3_600_000


def test_the_original_time_counts_before_the_timestamp() -> None:
    assert one(track(originalTimestamp=AT, timestamp="2026-03-01T08:00:00Z"))["original_ms"] == OCCURRED_MS
    assert one(track(originalTimestamp=None))["original_ms"] == OCCURRED_MS
    assert one(track(originalTimestamp=""))["original_ms"] == OCCURRED_MS


def test_from_rudderstack_the_time_that_the_caller_gave_counts_before_the_moment_of_the_call() -> None:
    given, called = (
        track(timestamp=AT, originalTimestamp="2026-03-01T09:59:59Z"),
        track(originalTimestamp=AT, timestamp=...),
    )
    assert [row["original_ms"] for row in rows(read(batch(given, called, source="rudder")))] == [OCCURRED_MS] * 2


@pytest.mark.parametrize("sent", [..., None, "", "soon", {}, [], True, 10**15, 10**17])
def test_without_a_sent_time_the_client_is_believed_and_that_is_counted(sent) -> None:
    found = read(batch(track(), track(timestamp=...), sent=sent))
    first, second = rows(found)
    assert (first["occurred_ms"], first["original_ms"], "sent_ms" in first) == (OCCURRED_MS, OCCURRED_MS, False)
    assert (second["occurred_ms"], "original_ms" in second) == (RECEIVED_MS, False)
    assert found.counts["web", "clock_not_corrected"] == 1
    assert found.counts["web", "no_timestamp"] == 1
    assert found.day.tolist() == [RECEIVED_MS // DAY_MS, UNTIMED]


def test_the_day_is_that_of_the_client_s_own_time() -> None:
    fast = batch(track(timestamp="2026-03-05T00:00:00Z"), sent="2026-03-05T00:00:02Z")
    found = read(fast)
    assert rows(found)[0]["occurred_ms"] == OCCURRED_MS
    assert found.day.tolist() == [RECEIVED_MS // DAY_MS + 4]


def test_before_1900_and_more_than_a_day_ahead_are_implausible() -> None:
    assert refused(track(timestamp="1899-12-31T23:59:59Z"), sent=...) == "date_implausible"
    assert refused(track(timestamp="2026-03-02T10:00:00.001Z"), sent=...) == "date_implausible"
    assert refused(track(), sent="2026-02-28T09:00:00Z") == "date_implausible"
    assert one(track(timestamp="1900-01-01T00:00:00Z"), sent=...)["occurred_ms"] == -2_208_988_800_000
    assert one(track(timestamp="2026-03-02T10:00:00Z"), sent=...)["occurred_ms"] == RECEIVED_MS + DAY_MS


@settings(deadline=None)
@given(
    st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
    st.integers(0, 3),
)
def test_iso_times_are_read_as_python_reads_them(moment, offset, precision, bad) -> None:
    zone = timedelta(minutes=offset)
    local = moment.replace(tzinfo=UTC)
    text = f"{local.replace(tzinfo=None).isoformat(timespec=precision)}{'+' if offset >= 0 else '-'}"
    text += f"{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    kept = datetime.fromisoformat(text)
    expected = (kept - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    moments, read = read_moments(pa.array([text, *["x"] * bad, None]))
    assert (moments[0], read.tolist()) == (expected, [True, *[False] * bad, False])
    assert zone == kept.utcoffset()
