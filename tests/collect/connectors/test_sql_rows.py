"""Values of databases as JSON: exact, in UTC, or refused with a reason."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.connectors.contract import Unreadable
from parcours.collect.connectors.sql_rows import NoJsonError, digest_row, to_json, write_record, write_value


class Colour(enum.Enum):
    RED = object()


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (dt.datetime(2026, 3, 29, 3, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2026-03-29T01:30:00Z"),
        (dt.datetime(2026, 1, 5, 12, 0, 0, 1), "2026-01-05T12:00:00.000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.10"), "-0.10"),
        (Decimal("NaN"), "NaN"),
        (float("-inf"), "-inf"),
        (2**63, str(2**63)),
        (-(2**63), -(2**63)),
        (dt.timedelta(days=-1, milliseconds=1), -86_399_999),
        ({"a": [Decimal("1.0"), None, (True,)]}, {"a": ["1.0", None, [True]]}),
    ],
)
def test_values_have_one_form(value: Any, wanted: Any) -> None:
    assert to_json(value, "c") == wanted


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"x", "bytes_in_column"),
        (bytearray(b"x"), "bytes_in_column"),
        (memoryview(b"x"), "bytes_in_column"),
        ([1, {"a": b"x"}], "bytes_in_column"),
        (Colour.RED, "type_unknown"),
        ({1, 2}, "type_unknown"),
    ],
)
def test_what_has_no_place_in_json_is_refused_with_its_column_and_without_its_value(value: Any, code: str) -> None:
    with pytest.raises(NoJsonError) as told:
        to_json(value, "photo")
    assert told.value.code == code
    assert "“photo”" in told.value.reason.en
    aside = write_record({"id": 1, "photo": value}, "at 5")
    assert isinstance(aside, Unreadable)
    assert (aside.code, aside.body, aside.place) == (code, b'{"id":1}', "at 5")


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_decimal_is_lost(value: Decimal) -> None:
    assert Decimal(to_json(value, "c")) == value


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_in_utc_is_the_same_moment(value: dt.datetime) -> None:
    try:
        written = to_json(value, "c")
    except OverflowError:
        return
    assert dt.datetime.fromisoformat(written) == value.astimezone(dt.UTC)


def test_rows_that_differ_in_anything_have_digests_that_differ() -> None:
    rows = [("1", "2", b"x"), ("12", "", b"x"), ("1", "2", b"y"), ("", "12", b"x"), ("1", "", b"2x")]
    assert len({digest_row(*row) for row in rows}) == len(rows)
    moment = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
    assert write_value(moment) == write_value(moment.astimezone(dt.timezone(dt.timedelta(hours=9))))


def test_a_record_is_one_json_object() -> None:
    record = write_record({"id": 1, "name": "é\n\u2028"}, "")
    assert isinstance(record, bytes)
    assert msgspec.json.decode(record) == {"id": 1, "name": "é\n\u2028"}
