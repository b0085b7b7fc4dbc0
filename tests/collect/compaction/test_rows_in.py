"""Rows of connectors: through the mapping of files, each row by itself, and the same again when it comes again."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import read_and_check
from shop import BLUEPRINT, RECEIVED_MS, SOURCES, batch, codes, read, rows, track
from test_anything import BROKEN, NASTY

from parcours.collect.compaction import reading
from parcours.collect.compaction.seen import UNTIMED
from parcours.collect.journal.delivery import ROWS, Delivery
from parcours.collect.source import Choice, Condition, EventName, FieldColumn, Lookup, Source, SourceEvent, Time

ORDERS = Source(
    source="orders",
    connector="sql",
    options={"url": "sqlite://", "query": "…"},
    key=("order_id",),
    time=Time(column="placed_at"),
    ids={"user": "customer", "mail": "contact.mail"},
    objects={"order": "order_id"},
    consent={"improve": Choice(column="ok", yes=("true",))},
    fields={"amount": FieldColumn(column="cents", unit="cents", to="eur")},
    events=(
        SourceEvent(name=EventName(text="Order Completed")),
        SourceEvent(name=EventName(text="Parcel Delivered"), time=Time(column="delivered_at")),
    ),
)
ALL = {**SOURCES, "orders": ORDERS}


def order(number: Any = 1, **cells: Any) -> dict[str, Any]:
    row = {"order_id": number, "placed_at": "2026-02-01 10:00:00", "customer": 7, "cents": 1990, "ok": True}
    return {**row, "contact": {"mail": "x@parcours.fr"}, **cells}


def deliver(*items: Any, source: str = "orders") -> Delivery:
    written = ",".join(item if isinstance(item, str) else json.dumps(item) for item in items)
    return Delivery(source, ROWS, RECEIVED_MS, "", f"[{written}]".encode("utf-8", "surrogatepass"))


def read_rows(*items: Any, **changes: Any) -> reading.Read:
    source = msgspec.structs.replace(ORDERS, **changes)
    return read(deliver(*items), sources={**SOURCES, "orders": source})


def test_a_row_gives_each_event_that_happened() -> None:
    found = read_rows(order(), order(2, delivered_at="2026-02-03"))
    shared = {"id_user": "7", "id_mail": "x@parcours.fr", "consent_improve": True, "field_amount": 19.9}
    placed = 1_769_936_400_000  # Ten o'clock in Paris, the company's time zone.
    assert rows(found) == [
        {"name": "Order Completed", "occurred_ms": placed, "object_order": "1", **shared},
        {"name": "Order Completed", "occurred_ms": placed, "object_order": "2", **shared},
        {"name": "Parcel Delivered", "occurred_ms": 1_770_073_200_000, "object_order": "2", **shared},
    ]
    assert found.events.column("source").unique().to_pylist() == ["orders"]
    assert found.events.column("row_key").to_pylist() == found.id_hash.tolist()
    assert found.place.tolist() == [0, 2, 3]
    assert found.day.tolist() == [20_485, 20_485, 20_486]
    assert found.counts == {}


def test_places_go_on_after_rows() -> None:
    found = read(batch(track()), deliver(order(), order(2, delivered_at="2026-02-03")), batch(track()), sources=ALL)
    assert found.place.tolist() == [0, 1, 3, 4, 5]
    assert [row["name"] for row in rows(found)][-1] == "Order Completed"
    assert found.original(3).body == deliver(order(2, delivered_at="2026-02-03")).body


def test_a_row_that_comes_again_meets_itself_in_what_has_not_changed() -> None:
    first = read_rows(order(seen=1))
    again = read_rows(order(delivered_at="2026-02-03", seen=2))
    assert first.id_hash[0] == again.id_hash[0]
    assert first.content_hash[0] == again.content_hash[0]
    assert again.id_hash[1] != again.id_hash[0]
    corrected = read_rows(order(cents=2000))
    assert corrected.id_hash[0] == first.id_hash[0]
    assert corrected.content_hash[0] != first.content_hash[0]
    assert read_rows(order(2)).id_hash[0] != first.id_hash[0]


def test_events_of_a_row_are_told_apart_whatever_their_order() -> None:
    turned = read_rows(order(delivered_at="2026-02-03"), events=ORDERS.events[::-1])
    straight = read_rows(order(delivered_at="2026-02-03"))
    assert turned.id_hash.tolist() == straight.id_hash.tolist()[::-1]
    twice = (ORDERS.events[0], msgspec.structs.replace(ORDERS.events[0], time=Time(column="paid_at")))
    assert len(set(read_rows(order(paid_at="2026-02-02"), events=twice).id_hash.tolist())) == 2


def test_without_a_key_the_row_is_its_key() -> None:
    found = read_rows(order(), order(other=1), order(cents=5), key=())
    assert found.id_hash[0] == found.id_hash[1] != found.id_hash[2]


def test_no_two_sources_share_a_row() -> None:
    assert read(batch(track(messageId="12345678", userId="1"))).id_hash[0] != read_rows(order()).id_hash[0]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (order(None), "key_missing"),
        (order(""), "key_missing"),
        (order(placed_at=None), "time_missing"),
        (order(placed_at="soon"), "date_unreadable"),
        (order(placed_at="1850-01-01"), "date_implausible"),
        (order(placed_at="2027-01-01"), "date_implausible"),
        (order(cents="a lot"), "number_unreadable"),
        (order(customer="C\0"), "nul_character"),
        (order(customer="\ud800"), "lone_surrogate"),
        ("[" * 3000 + "]" * 3000, "too_deep"),
        ("tru", "json_unreadable"),
        ("[1]", "not_an_object"),
        ("7", "not_an_object"),
        ("null", "not_an_object"),
    ],
)
def test_a_row_at_fault_waits_alone(item, code) -> None:
    found = read(deliver(order(1), item, order(3)), sources=ALL)
    assert codes(found) == [code]
    assert [row["object_order"] for row in rows(found)] == ["1", "3"]
    assert found.bad[0].place == 2
    assert found.bad[0].rule.startswith(("rows.", "wire."))
    assert codes(read(found.bad[0].delivery, sources=ALL)) == [code]


def test_what_lies_ahead_and_what_gives_nothing_is_counted() -> None:
    found = read_rows(order(delivered_at="2027-01-01"))
    assert [row["name"] for row in rows(found)] == ["Order Completed"]
    assert found.counts == {("orders", "still_ahead"): 1}
    rare = (SourceEvent(name=EventName(text="Order Completed"), when=Condition(column="state", values=("done",))),)
    found = read_rows(order(), order(2, state="done"), events=rare)
    assert found.events.num_rows == 1
    assert found.counts == {("orders", "no_event"): 1}


def test_rows_may_be_many() -> None:
    found = read(deliver(*(order(number) for number in range(2_600))), sources=ALL)
    assert (found.events.num_rows, found.bad) == (2_600, [])


def test_rows_of_a_source_that_does_not_say_what_they_mean_wait() -> None:
    lookup = Lookup(file="x.csv", key="order_id", columns=("cents",))
    for changes in ({"events": ()}, {"time": None}, {"lookup": lookup}):
        found = read_rows(order(), order(2), **changes)
        assert codes(found) == ["no_mapping"] * 2
    assert codes(read(deliver(order(), source="web"))) == ["no_mapping"]
    assert codes(read(deliver(order(), order(2), source="gone"))) == ["unknown_source"] * 2
    assert codes(read(deliver(), sources=ALL)) == []


@pytest.mark.parametrize("body", [b"", b"{}", b"7", b"[", b"\xff", b'[1]"'])
def test_what_is_no_array_waits_whole(body) -> None:
    whole = Delivery("orders", ROWS, RECEIVED_MS, "", body)
    found = read(deliver(order()), whole, sources=ALL)
    assert codes(found) == ["envelope_unreadable"]
    assert found.bad[0].delivery == whole
    assert found.events.num_rows == 1


CELLS = ("order_id", "placed_at", "delivered_at", "customer", "cents", "ok", "contact")
cells = st.sampled_from([*NASTY, "7", '"2026-01-01"', '"x"', "null", '{"mail":3}'])
items = st.dictionaries(st.sampled_from(CELLS), cells).map(
    lambda row: "{" + ",".join(f'"{name}":{text}' for name, text in row.items()) + "}"
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(items | cells | st.sampled_from(BROKEN), max_size=5))
def test_each_row_is_read_or_refused_and_never_harms_another(sent) -> None:
    good = json.dumps(order(1))
    found = read(deliver(good, *sent, good), sources=ALL)
    found.events.validate(full=True)
    given_events = {int(place) // 2 for place in found.place}
    refused = [bad.place // 2 for bad in found.bad]
    assert len(refused) == len(set(refused))
    assert not given_events & set(refused)
    assert {0, len(sent) + 1} <= given_events
    assert len(given_events) + len(refused) == len(sent) + 2  # Every row here has a time of its own, or is refused.
    for bad in found.bad:
        assert codes(read(bad.delivery, sources=ALL)) == [bad.code]


def test_the_same_invariants_hold_of_rows_and_calls_together() -> None:
    read_and_check([batch(track()), deliver("{}", source="web"), batch(track(), "{}")])
    assert UNTIMED == -1
    assert BLUEPRINT.objects == ("order", "group")
