"""How far rows have been read: what is passed over, what is remembered, what survives being saved."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.connectors import sql_bookmark
from parcours.collect.connectors.sql_bookmark import Bookmark, Overlap, Start
from parcours.errors import ParcoursError

UTC_NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


def bookmark(keyed: bool = True, overlap: Overlap | None = None, cursor: bytes | None = None) -> Bookmark:
    made = Bookmark("orders", keyed, overlap or Overlap())
    made.recall(cursor)
    return made


def test_a_reading_begins_at_the_first_row_and_goes_on_an_overlap_before_the_last() -> None:
    one = bookmark()
    assert one.start() is None
    assert one.is_new(UTC_NOON, b"a")
    one.move(UTC_NOON, 1)
    assert one.start() == Start(UTC_NOON - dt.timedelta(minutes=1))
    assert not one.is_new(UTC_NOON, b"a")
    assert one.is_new(UTC_NOON, b"b")


def test_with_a_key_and_no_overlap_nothing_is_remembered() -> None:
    one = bookmark(overlap=Overlap(ms=0))
    for number in range(3):
        assert one.is_new(UTC_NOON, bytes([number]))
    one.move(UTC_NOON, 2)
    assert one.start() == Start(UTC_NOON, 2, after_key=True)
    assert one.seen_at(UTC_NOON) == 0


def test_without_a_key_the_rows_of_the_last_value_are_known_by_content_and_count() -> None:
    one = bookmark(keyed=False, overlap=Overlap(numbers=0))
    assert [one.is_new(7, digest) for digest in (b"a", b"a", b"b")] == [True, True, True]
    one.move(7, None)
    again = bookmark(keyed=False, overlap=Overlap(numbers=0), cursor=one.save())
    assert again.start() == Start(7)
    assert [again.is_new(7, digest) for digest in (b"a", b"b", b"a", b"a")] == [False, False, False, True]


@pytest.mark.parametrize(
    "value",
    [
        UTC_NOON,
        dt.datetime(2026, 1, 5, 12, 0, 0, 123456),
        dt.datetime(2026, 1, 5, 12, tzinfo=dt.timezone(dt.timedelta(hours=9))),
        dt.date(2026, 1, 5),
        Decimal("12345678901234567890.5"),
        UUID(int=7),
        2**70,
        -5,
        1.5,
        "b",
    ],
)
def test_every_kind_of_cursor_survives_being_saved(value: Any) -> None:
    one = bookmark(keyed=False, overlap=Overlap())
    one.is_new(value, b"a")
    one.move(value, None)
    again = bookmark(keyed=False, cursor=one.save())
    assert again.start() == one.start()
    assert not again.is_new(value, b"a")


def test_a_cursor_of_other_rows_or_of_no_sense_is_as_good_as_none() -> None:
    one = bookmark()
    one.move(5, 1)
    other = Bookmark("invoices", True, Overlap())
    other.recall(one.save())
    assert other.start() is None
    for nonsense in (b"", b"\xff\xff", b"{}", one.save()[:-1]):
        assert bookmark(cursor=nonsense).start() is None


def test_a_longer_overlap_does_not_go_back_behind_what_is_settled() -> None:
    one = bookmark(overlap=Overlap(numbers=10))
    one.is_new(100, b"a")
    one.move(100, 1)
    assert bookmark(overlap=Overlap(numbers=50), cursor=one.save()).start() == Start(90)
    assert bookmark(overlap=Overlap(numbers=5), cursor=one.save()).start() == Start(95)


def test_an_overlap_that_comes_or_goes_brings_no_row_twice() -> None:
    without = bookmark(overlap=Overlap(numbers=0))
    without.move(100, 1)
    assert bookmark(overlap=Overlap(numbers=50), cursor=without.save()).start() == Start(100, 1, after_key=True)
    within = bookmark(overlap=Overlap(numbers=50))
    within.is_new(100, b"a")
    within.move(100, 1)
    gone = bookmark(overlap=Overlap(numbers=0), cursor=within.save())
    assert gone.start() == Start(100)
    assert not gone.is_new(100, b"a")


@pytest.mark.parametrize(
    ("overlap", "value"), [(Overlap(ms=5), 7), (Overlap(numbers=5), UTC_NOON), (Overlap(ms=5), "x")]
)
def test_an_overlap_of_another_kind_than_the_cursor_is_told(overlap: Overlap, value: Any) -> None:
    with pytest.raises(ParcoursError) as told:
        bookmark(overlap=overlap).move(value, 1)
    assert told.value.code == "overlap_differs"


@pytest.mark.parametrize("keyed", [True, False])
def test_more_rows_than_can_be_remembered_are_told_with_what_helps(
    keyed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_bookmark, "MOST_REMEMBERED", 3)
    one = bookmark(keyed=keyed)
    for number in range(4):
        one.is_new(9, bytes([number]))
    with pytest.raises(ParcoursError) as told:
        one.move(9, 4)
    assert told.value.code == "too_many_remembered"
    assert ("key:" in str(told.value)) is not keyed


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 20))
def test_nothing_within_the_overlap_is_forgotten_and_nothing_behind_it_kept(values: list[int], overlap: int) -> None:
    one = bookmark(keyed=False, overlap=Overlap(numbers=overlap))
    for number, value in enumerate(values):
        one.is_new(value, bytes([number]))
        one.move(value, None)
    floor = max(values) - overlap
    again = bookmark(keyed=False, overlap=Overlap(numbers=overlap), cursor=one.save())
    assert again.start() == Start(floor)
    for number, value in enumerate(values):
        if value >= floor:
            assert not again.is_new(value, bytes([number]))
        else:
            assert again.seen_at(value) == 0
