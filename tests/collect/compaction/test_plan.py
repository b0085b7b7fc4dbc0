"""The tracking plan: names that nobody knows, fields without which an event means nothing, values of another kind."""

from __future__ import annotations

import msgspec
import pytest
from shop import BLUEPRINT, RECEIVED_MS, SEED, SOURCES, WEB, batch, codes, one, read, refused, track

from parcours.collect.compaction.reading import Placed, Reader
from parcours.collect.source import EventName, SourceEvent
from parcours.settings import Settings


def test_a_name_that_the_blueprint_does_not_use_is_refused_with_the_nearest() -> None:
    found = read(batch(track("Order Complete"), track("Zzz"), track("Order Cancelled")))
    assert codes(found) == ["unknown_event", "unknown_event"]
    first, second = found.bad
    assert first.rule == "plan.unknown_event"
    assert "“Order Complete”" in first.reason.en
    assert "Did you mean “Order Completed”?" in first.reason.en
    assert "Vouliez-vous dire « Order Completed » ?" in first.reason.fr
    assert "mean" not in second.reason.en


@pytest.mark.parametrize(
    "name",
    [
        "Order Completed",
        "Store Visited",
        "Parcel Delivered",
        "Identified",
        "Group Joined",
        "Aliased",
        "Page Viewed",
        "Segment Consent Preference Updated",
    ],
)
def test_what_anything_names_is_known(name) -> None:
    needed = {"amount": 1, "page_kind": "product"}
    assert one(track(name, properties=needed))["name"] == name


def test_what_the_source_names_itself_is_known() -> None:
    event = SourceEvent(name=EventName(text="Own Event"))
    source = msgspec.structs.replace(WEB, events=(event,), options={"names": {"page": "Seite"}})
    found = read(batch(track("Own Event"), track("Seite"), track("Else")), sources={"web": source})
    assert codes(found) == ["unknown_event"]
    assert found.events.num_rows == 2


@pytest.mark.parametrize(
    ("event", "properties", "field"),
    [
        ("Order Completed", {"order_id": "O1"}, "amount"),
        ("Order Completed", {"amount": None}, "amount"),
        ("Order Completed", {"amount": " "}, "amount"),
        ("Survey Answered", {"survey": "store"}, "score"),
        ("Survey Answered", {"score": 5}, "survey"),
        ("Support Called", {"site": "Lyon"}, "topic"),
        ("Parcel Picked", {}, "minutes"),
        ("Page Viewed", {}, "page_kind"),
    ],
)
def test_a_field_without_which_an_event_means_nothing_is_missed(event, properties, field) -> None:
    found = read(batch(track(event, properties=properties), track()))
    (bad,) = found.bad
    assert (bad.code, bad.rule) == ("field_missing", "plan.field_missing")
    assert f"“{field}”" in bad.reason.en
    assert f"“{event}”" in bad.reason.en
    assert f"« {field} »" in bad.reason.fr
    assert found.events.num_rows == 1


@pytest.mark.parametrize(
    ("event", "properties"),
    [
        ("Survey Answered", {"survey": "delivery"}),  # Another survey needs no score of this one's.
        ("Survey Answered", {"survey": "store", "score": 0}),
        ("Support Called", {"topic": "weather"}),  # No touchpoint asks for it; it still says what it is.
        ("Support Called", {"topic": "refund"}),  # The site narrows one of two matches alone.
        ("Parcel Sent", {}),
        ("Parcel Delivered", {}),
        ("Store Visited", {}),
    ],
)
def test_what_an_event_does_not_need_may_be_absent(event, properties) -> None:
    assert one(track(event, properties=properties))["name"] == event


def test_a_page_that_no_touchpoint_describes_is_no_fault() -> None:
    assert one({"type": "page", "userId": "C1"})["name"] == "Page Viewed"


def test_a_call_that_answers_still_needs_its_answer() -> None:
    source = msgspec.structs.replace(WEB, options={"names": {"page": "Parcel Picked"}})
    found = read(batch({"type": "page", "userId": "C1", "properties": {}}), sources={"web": source})
    assert codes(found) == ["field_missing"]


def test_a_value_of_another_kind_says_what_is_expected() -> None:
    found = read(
        batch(
            track(properties={"amount": "free"}),
            track(properties={"amount": 1, "site": []}),
            track(properties={"amount": 1, "comment": 5}),
        )
    )
    assert [bad.rule for bad in found.bad] == ["plan.wrong_type"] * 3
    told = [bad.reason.en for bad in found.bad]
    assert "“amount” of the event “Order Completed”" in told[0]
    assert [one.rpartition("Send ")[2] for one in told] == [
        "a number in it.",
        "a text, a number or a boolean in it.",
        "a text in it.",
    ]
    assert "« amount » de l'événement « Order Completed »" in found.bad[0].reason.fr


def test_the_wire_is_judged_before_the_plan_and_each_event_once() -> None:
    item = track("Zzz", userId=..., timestamp="x", properties={"amount": []})
    assert refused(item) == "no_id"
    assert refused({**item, "userId": "C1"}) == "date_unreadable"
    assert refused({**item, "userId": "C1", "timestamp": None}) == "unknown_event"
    assert refused({**item, "userId": "C1", "timestamp": None, "event": "Order Completed"}) == "wrong_type"


def test_many_unknown_names_do_not_take_long_to_explain() -> None:
    reader = Reader(SOURCES, BLUEPRINT, Settings(), SEED)
    for _ in range(2):
        events = (track(f"Order Complete{number}") for number in range(100))
        found = reader.read([Placed(1, (batch(*events),))], RECEIVED_MS)
        assert sum("mean" in bad.reason.en for bad in found.bad) == 20


def test_a_blueprint_without_anything_knows_the_calls() -> None:
    bare = msgspec.structs.replace(
        BLUEPRINT, touchpoints=(), operations=(), money=None, groups=(), fields=(), objects=(), purposes=()
    )
    found = read(batch(track(), {"type": "identify", "userId": "1"}), blueprint=bare)
    assert (codes(found), found.events.column("name").to_pylist()) == (["unknown_event"], ["Identified"])
    assert found.counts == {("web", "id_assigned"): 1, ("web", "no_timestamp"): 1}
