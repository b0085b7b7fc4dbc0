"""A small shop (synthetic) with everything that a tracking plan may ask for, and what sends to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from parcours.blueprint.records import (
    Blueprint,
    Channel,
    Company,
    EventMatch,
    Experience,
    Field,
    Group,
    Money,
    Operation,
    OperationMeasure,
    Purpose,
    Stage,
    Team,
    Touchpoint,
)
from parcours.collect.compaction.reading import Placed, Read, read_deliveries
from parcours.collect.journal.delivery import BATCH, Delivery
from parcours.collect.source import Source
from parcours.settings import Settings
from parcours.words import Words

RECEIVED_MS = 1_772_359_200_000
"""2026-03-01T10:00:00Z."""

AT = "2026-03-01T09:59:58.000Z"
SENT = "2026-03-01T10:00:00.000Z"
OCCURRED_MS = RECEIVED_MS - 2_000
SEED = 0x1234567890ABCDEF


def _both(text: str) -> Words:
    return Words(text, text)


def _touchpoint(id: str, *events: EventMatch, experience: Experience | None = None) -> Touchpoint:
    return Touchpoint(
        id=id, label=_both(id), stage="buy", channel="web", owner="sales", events=events, experience=experience
    )


BLUEPRINT = Blueprint(
    company=Company(id="shop", label=_both("Shop"), synthetic=True),
    stages=(Stage(id="buy", label=_both("Buy")),),
    channels=(Channel(id="web", label=_both("Web"), kind="digital"),),
    teams=(Team(id="sales", label=_both("Sales")),),
    touchpoints=(
        _touchpoint("order", EventMatch(name="Order Completed"), EventMatch(name="Order Cancelled")),
        _touchpoint(
            "product_page",
            EventMatch(name="Page Viewed", where={"page_kind": ("product",)}),
            EventMatch(name="Screen Viewed", where={"page_kind": ("product",)}),
        ),
        _touchpoint(
            "support",
            EventMatch(name="Support Called", where={"topic": ("order", "parcel")}),
            EventMatch(name="Support Called", where={"topic": ("refund",), "site": ("Lyon",)}),
        ),
        _touchpoint(
            "store",
            EventMatch(name="Store Visited"),
            experience=Experience(
                metric="csat",
                event=EventMatch(name="Survey Answered", where={"survey": ("store",)}),
                field="score",
                scale=(0.0, 10.0),
                text="comment",
            ),
        ),
    ),
    operations=(
        Operation(
            id="picking",
            label=_both("Picking"),
            owner="sales",
            events=(EventMatch(name="Parcel Picked"),),
            measure=OperationMeasure(unit="min", field="minutes"),
        ),
        Operation(
            id="delivery",
            label=_both("Delivery"),
            owner="sales",
            events=(EventMatch(name="Parcel Sent"),),
            measure=OperationMeasure(unit="h", until=EventMatch(name="Parcel Delivered"), tie="order"),
        ),
    ),
    purposes=(
        Purpose(id="improve", label=_both("Improve"), basis="consent"),
        Purpose(id="advertise", label=_both("Advertise"), basis="consent"),
    ),
    groups=(Group(id="segment", label=_both("Segment"), field="segment"),),
    fields=(Field(id="quantity", kind="number"), Field(id="site", kind="category")),
    objects=("order", "group"),
    money=Money(event=EventMatch(name="Order Completed"), field="amount", currency="EUR"),
)

WEB = Source(source="web", connector="http")
SOURCES: Mapping[str, Source] = {
    "web": WEB,
    "rudder": Source(source="rudder", connector="http", options={"sdk": "rudderstack"}),
    "jitsu": Source(source="jitsu", connector="http", options={"sdk": "jitsu"}),
}


def track(event: Any = "Order Completed", **members: Any) -> dict[str, Any]:
    """Return a track call that nothing is wrong with; ``members`` replace or add, `...` takes one away."""
    call = {
        "type": "track",
        "event": event,
        "userId": "C1",
        "messageId": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "timestamp": AT,
        "properties": {"order_id": "O1", "amount": 19.9},
    }
    return {name: value for name, value in {**call, **members}.items() if value is not ...}


def batch(*items: Any, source: str = "web", sent: Any = SENT, **envelope: Any) -> Delivery:
    """Return an envelope with ``items``, objects or JSON texts."""
    members = [("sentAt", json.dumps(sent))] if sent is not ... else []
    members += [(name, json.dumps(value)) for name, value in envelope.items()]
    written = ",".join(item if isinstance(item, str) else json.dumps(item) for item in items)
    body = "".join([f'{{"batch":[{written}]', *(f',"{name}":{value}' for name, value in members), "}"])
    return Delivery(source, BATCH, RECEIVED_MS, "203.0.113.7", body.encode("utf-8", "surrogatepass"))


def single(kind: str, event: Any, source: str = "web") -> Delivery:
    """Return a delivery of one event by its own address."""
    return Delivery(source, kind, RECEIVED_MS, "203.0.113.7", json.dumps(event).encode())


def read(*deliveries: Delivery, sources: Mapping[str, Source] = SOURCES, blueprint: Blueprint = BLUEPRINT) -> Read:
    """Return what one journal batch of ``deliveries`` gives."""
    return read_deliveries([Placed(7, deliveries)], sources, blueprint, Settings(), SEED, RECEIVED_MS)


def rows(found: Read) -> list[dict[str, Any]]:
    """Return events without their nulls and without what depends on the place where they came."""
    left_out = ("row_key", "line", "source")
    return [
        {name: value for name, value in row.items() if value is not None and name not in left_out}
        for row in found.events.to_pylist()
    ]


def codes(found: Read) -> list[str]:
    """Return why events are refused, in their order."""
    return [bad.code for bad in found.bad]


def one(event: Any, **envelope: Any) -> dict[str, Any]:
    """Return the row that one event in an envelope gives."""
    found = read(batch(event, **envelope))
    assert found.bad == []
    return rows(found)[0]


def refused(event: Any, **envelope: Any) -> str:
    """Return why one event in an envelope is refused."""
    found = read(batch(event, **envelope))
    assert found.events.num_rows == 0
    return codes(found)[0]
