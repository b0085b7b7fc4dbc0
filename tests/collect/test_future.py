"""Events dated in the future: they have not happened yet, and come when they have."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

DAY = 86_400
SOURCE = """source: bookings
file: data/bookings.csv
key: [id]
time: {column: booked}
ids: {user: who}
events:
  - name: Order Completed
  - name: Parcel Delivered
    time: {column: arrival}
"""


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def book(acme, *rows: str) -> None:
    (acme.folder / "sources" / "orders.yaml").unlink(missing_ok=True)
    acme.source("bookings", SOURCE)
    acme.data("bookings.csv", "\n".join(["id,booked,arrival,who", *rows]) + "\n")


def names(acme) -> list[str]:
    return sorted(str(event["name"]) for event in acme.events())


def travel(monkeypatch, days: float) -> None:
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + int(days * DAY * 1e9))


def test_a_past_event_stays_when_another_of_its_row_is_ahead_and_that_one_comes_in_its_time(acme, monkeypatch) -> None:
    book(acme, f"A,{in_days(-1)},{in_days(30)},c", f"B,{in_days(-9)},{in_days(-2)},c")
    first = acme.load()
    assert (first.counts.new, first.counts.quarantined, first.counts.events) == (2, 0, 3)
    assert names(acme) == ["Order Completed", "Order Completed", "Parcel Delivered"]
    assert any(warning.en.startswith("1 event(s) still to come") for warning in first.sources[0].warnings)
    assert acme.load().sources[0].files_read == 0
    travel(monkeypatch, 31)
    later = acme.load().counts
    assert (later.replaced, later.unchanged, later.new) == (1, 1, 0)
    assert names(acme) == ["Order Completed", "Order Completed", "Parcel Delivered", "Parcel Delivered"]
    assert acme.load().sources[0].files_read == 0


def test_a_row_with_an_event_ahead_is_unchanged_while_none_has_happened(acme) -> None:
    a, b, c = (f"{name},{in_days(-1)},{in_days(30)},c" for name in "ABC")
    book(acme, a, b)
    acme.load()
    before = acme.events()
    book(acme, a, b, c)
    counts = acme.load().counts
    assert (counts.new, counts.replaced, counts.unchanged, counts.events) == (1, 0, 2, 1)
    assert acme.events()[:2] == before
    book(acme, a.replace(in_days(30)[:10], in_days(40)[:10]), b, c)
    counts = acme.load().counts
    assert (counts.new, counts.replaced, counts.unchanged) == (0, 1, 2)
    assert names(acme) == ["Order Completed"] * 3


def test_a_row_wholly_in_the_future_waits_in_quarantine_and_stops_no_source(acme, monkeypatch) -> None:
    book(acme, *(f"{i},{in_days(20)},,c" for i in range(30)))
    assert acme.load().counts.quarantined == 30
    assert {code for _, _, _, code in acme.quarantined()} == {"date_implausible"}
    travel(monkeypatch, 21)
    assert acme.load().counts.new == 30
    assert acme.quarantined() == []


def test_a_date_before_1900_is_a_fault_whatever_else_the_row_gives(acme) -> None:
    book(acme, f"A,{in_days(-1)},1850-01-01,c", f"B,1850-01-01,{in_days(9)},c", f"C,{in_days(-1)},9999-12-31,c")
    counts = acme.load().counts
    assert (counts.new, counts.quarantined) == (1, 2)
