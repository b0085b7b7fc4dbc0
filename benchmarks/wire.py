"""What it takes to turn accepted deliveries into raw events: CPU an event, beside a bare typed parse of the same bytes.

Usage: python benchmarks/wire.py [--events 100000] [--repeats 5]

Everything is there that compaction does before duplicates and the door: sizes, ids, clocks, choices, five declared
fields, the tracking plan, hashes of message and content.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import time
from collections.abc import Callable
from typing import Any

import msgspec

from collect import NAMES, make_event
from parcours.blueprint.records import (
    Blueprint,
    Channel,
    Company,
    EventMatch,
    Field,
    Money,
    Purpose,
    Stage,
    Team,
    Touchpoint,
)
from parcours.collect.compaction.reading import Placed, Reader
from parcours.collect.journal.delivery import BATCH, Delivery
from parcours.collect.source import Source
from parcours.settings import Settings
from parcours.words import Words

RECEIVED_MS = 1_795_262_400_000
"""2026-11-21T12:00:00Z."""

SENT = "2026-11-21T12:00:00.000Z"


class Call(msgspec.Struct, gc=False):
    """What the floor reads of an event."""

    type: str
    messageId: str  # noqa: N815 - the wire's own names
    timestamp: str
    userId: str | None = None  # noqa: N815
    anonymousId: str | None = None  # noqa: N815
    event: str | None = None
    context: msgspec.Raw = msgspec.Raw(b"")
    properties: msgspec.Raw = msgspec.Raw(b"")


class Calls(msgspec.Struct, gc=False):
    """An envelope."""

    batch: list[Call]


def make_blueprint() -> Blueprint:
    """Return a blueprint that keeps five properties and an object of each event."""

    def both(text: str) -> Words:
        return Words(text, text)

    events = tuple(EventMatch(name=name) for name in NAMES)
    purposes = ("analytics", "personalise")
    return Blueprint(
        company=Company(id="benchmark", label=both("Benchmark"), synthetic=True),
        stages=(Stage(id="use", label=both("Use")),),
        channels=(Channel(id="web", label=both("Web"), kind="digital"),),
        teams=(Team(id="team", label=both("Team")),),
        touchpoints=(
            Touchpoint(id="shop", label=both("Shop"), stage="use", channel="web", owner="team", events=events),
        ),
        purposes=tuple(Purpose(id=id, label=both(id), basis="consent") for id in purposes),
        fields=(
            Field(id="quantity", kind="number"),
            Field(id="category", kind="category"),
            Field(id="page_kind", kind="category"),
            Field(id="order_channel", kind="category"),
        ),
        objects=("order",),
        money=Money(event=EventMatch(name="Order Completed"), field="order_value", currency="EUR"),
    )


def make_deliveries(events: int, size: int, faulty: float) -> tuple[Delivery, ...]:
    """Return deliveries of ``size`` synthetic events, a share of which is at fault in one of three ways."""
    chance = random.Random(11)

    def make() -> dict[str, Any]:
        event = make_event(chance)
        if chance.random() < faulty:
            event |= chance.choice(
                (
                    {"event": "Nobody Knows This"},
                    {"properties": {"order_value": []}},
                    {"userId": None, "anonymousId": None},
                )
            )
        return event

    def write() -> bytes:
        body = make() if size == 1 else {"batch": [make() for _ in range(size)], "sentAt": SENT}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    kind = "track" if size == 1 else BATCH
    return tuple(Delivery("web", kind, RECEIVED_MS, "203.0.113.7", write()) for _ in range(events // size))


def time_both(
    events: int, repeats: int, floor: Callable[[], object], work: Callable[[], object]
) -> tuple[float, float]:
    """Return the least CPU microseconds an event of each, taken in turn so that both meet the same machine."""
    least = [float("inf"), float("inf")]
    for _ in range(repeats):
        for place, one in enumerate((floor, work)):
            began = time.process_time()
            one()
            least[place] = min(least[place], time.process_time() - began)
    return least[0] / events * 1e6, least[1] / events * 1e6


def measure(title: str, size: int, faulty: float, asked: argparse.Namespace, reader: Reader) -> None:
    """Print what reading takes, and the floor beside it."""
    decode = msgspec.json.Decoder(Call if size == 1 else Calls).decode
    deliveries = make_deliveries(asked.events, size, faulty)
    placed = [Placed(1, deliveries)]
    found = reader.read(placed, RECEIVED_MS)
    assert faulty or not found.bad, f"{found.bad[0].reason}"
    floor, took = time_both(
        asked.events,
        asked.repeats,
        lambda: [decode(one.body) for one in deliveries],
        lambda: reader.read(placed, RECEIVED_MS),
    )
    bytes_each = sum(len(one.body) for one in deliveries) / asked.events
    print(
        f"{title}, {bytes_each:.0f} bytes each: {took:.2f} CPU µs an event, floor {floor:.2f}, {took / floor:.1f} ×; "
        f"{found.events.num_rows:,} events, {len(found.bad):,} refused"
    )


def main() -> None:
    """Print what reading takes at a hundred events an envelope, with faults, and at one event by itself."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {platform.python_version()}, {asked.events:,} events")
    reader = Reader({"web": Source(source="web", connector="http")}, make_blueprint(), Settings(), seed=42)
    measure("100 an envelope", 100, 0.0, asked, reader)
    measure("the same, 1 % at fault", 100, 0.01, asked, reader)
    measure("1 by itself", 1, 0.0, asked, reader)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
