"""Dates: ISO 8601, formats and epochs against Python's own parser, and the two odd hours of every year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.collect.dates import date_pattern, parse_dates

ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
MOMENTS = st.datetimes(datetime(1902, 1, 1), datetime(2060, 1, 1)).map(lambda one: one.replace(microsecond=0))


def parse(texts: list[str | None], format: str | None = None, zone: str = "Europe/Paris") -> list[str | None]:
    moments, read = parse_dates(pa.array(texts, pa.string()), format, zone)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        (epoch + timedelta(milliseconds=ms)).isoformat().removesuffix("+00:00") if known else None
        for ms, known in zip(moments.tolist(), read.tolist(), strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(
    moments=st.lists(MOMENTS, min_size=1, max_size=20), zone=ZONES, format=st.sampled_from([None, "%d/%m/%Y %H:%M:%S"])
)
def test_local_times_are_what_zoneinfo_says(moments, zone, format) -> None:
    texts = [one.isoformat(" ") if format is None else one.strftime(format) for one in moments]
    expected = [one.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None).isoformat() for one in moments]
    assert parse([*texts, "x"], format, zone) == [*expected, None]
    assert parse(texts, format, zone) == expected


def test_an_hour_that_happens_twice_is_its_first_and_one_that_never_happens_moves_on() -> None:
    assert parse(["2025-10-26 02:30", "2025-03-30 02:30"]) == ["2025-10-26T00:30:00", "2025-03-30T01:30:00"]


def test_iso_with_and_without_zone_and_fraction() -> None:
    found = parse(
        [
            "2025-01-01T10:00:00Z",
            "2025-07-01 10:00",
            "2025-07-01",
            "20250701T1000",
            "2025-01-01T10:00:00.1239+02:00",
            "2025-01-01T10:00:00-0530",
            "2025-01-01T10:00:00,5Z",
        ]
    )
    assert found == [
        "2025-01-01T10:00:00",
        "2025-07-01T08:00:00",
        "2025-06-30T22:00:00",
        "2025-07-01T08:00:00",
        "2025-01-01T08:00:00.123000",
        "2025-01-01T15:30:00",
        "2025-01-01T10:00:00.500000",
    ]


@pytest.mark.parametrize(
    "text", ["2025-02-30", "2025-13-01", "2025-01-01T24:00:00", "2025-01-01T10:60", "hier", "1/2/2025", "2025"]
)
def test_what_is_no_date_is_not_read(text) -> None:
    assert parse([text, "2025-01-01T00:00:00Z", None]) == [None, "2025-01-01T00:00:00", None]


@pytest.mark.parametrize(
    ("text", "format", "expected"),
    [
        ("5/1/2025 9:05", "%d/%m/%Y %H:%M", "2025-01-05T09:05:00"),
        ("05/01/70", "%d/%m/%y", "1970-01-05T00:00:00"),
        ("05/01/25", "%d/%m/%y", "2025-01-05T00:00:00"),
        ("1 févr. 2025 03:05 PM", "%d %b %Y %I:%M %p", "2025-02-01T15:05:00"),
        ("12 December 2025 12:00 am", "%d %B %Y %I:%M %p", "2025-12-12T00:00:00"),
        ("2025-01-05T10:00:00.250+0100", "%FT%T.%f%z", "2025-01-05T09:00:00.250000"),
        ("31/02/2025", "%d/%m/%Y", None),
        ("01/02/2025 trailing", "%d/%m/%Y", None),
        ("1735689600", "epoch_s", "2025-01-01T00:00:00"),
        ("1735689600250", "epoch_ms", "2025-01-01T00:00:00.250000"),
        ("1e9", "epoch_s", None),
    ],
)
def test_formats(text, format, expected) -> None:
    assert parse([text], format, "UTC") == [expected]


@pytest.mark.parametrize("format", ["%H:%M", "%d/%q/%Y", "%d/%d/%Y", "date", "%d/%m/%"])
def test_a_format_that_cannot_give_a_date_is_refused(format) -> None:
    with pytest.raises(ValueError, match=r".+"):
        date_pattern(format)
