"""What is carried out to destinations: permitted events with their declared properties, sealed until they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction.reading import Read
from parcours.collect.connectors.destinations import Destination
from parcours.collect.door import IDENTIFIERS, Door
from parcours.collect.rows import Ints
from parcours.engine.store.outbox import Waiting

_encode = msgspec.json.Encoder().encode
ID_NAMES = {"user": "userId", "device": "anonymousId", "mail": "email", "phone": "phone"}
"""What a parcel calls each type of identifier."""


def make_parcels(
    destinations: Sequence[Destination], blueprint: Blueprint, door: Door, read: Read, kept: Ints, rows: pa.Table
) -> list[Waiting]:
    """Return one parcel for each destination and each of its events that its purpose may see.

    Args:
        destinations: Where events go; each names its purpose.
        blueprint: Says which fields that purpose may read.
        door: Says which bit of the stamp is whose, and seals.
        read: The events as they came.
        kept: The rows of ``read`` that became ``rows``, in the same order.
        rows: Part rows, with their stamps.
    """
    parcels: list[Waiting] = []
    for destination in destinations:
        stamped = (np.asarray(rows.column("permitted")) >> door.bit_of(destination.purpose)) & 1 == 1
        wanted = np.asarray(pc.is_in(rows.column("name"), pa.array(destination.events, pa.string())))
        places = np.flatnonzero(stamped & wanted)
        hidden = frozenset(f"field_{name}" for name in blueprint.hidden_from(destination.purpose))
        for event, received_ms in zip(
            read.events.take(pa.array(kept[places])).to_pylist(), read.received_ms[kept[places]].tolist(), strict=True
        ):
            message_id = f"{event['row_key']:016x}"
            body = _encode(_write_event(event, message_id, received_ms, hidden))
            parcels.append(Waiting(destination.destination, message_id, received_ms, door.seal(body)))
    return parcels


def _write_event(
    event: dict[str, object], message_id: str, received_ms: int, hidden: frozenset[str]
) -> dict[str, object]:
    """Return an event as the other side reads it: Segment's words, and nothing that the blueprint does not declare."""
    told: dict[str, object] = {
        "type": "track",
        "event": event["name"],
        "messageId": message_id,
        "timestamp": _write_time(event["occurred_ms"]),
        "receivedAt": _write_time(received_ms),
        "context": {"source": event["source"]},
    }
    told |= {ID_NAMES[kind]: event[f"id_{kind}"] for kind in IDENTIFIERS if event[f"id_{kind}"] is not None}
    properties = {
        name[6:]: value
        for name, value in event.items()
        if name.startswith("field_") and value is not None and name not in hidden
    }
    objects = {f"{name[7:]}_id": value for name, value in event.items() if name.startswith("object_") and value}
    return {**told, "properties": {**properties, **objects}}


def _write_time(at_ms: object) -> str:
    moment = datetime.fromtimestamp(int(str(at_ms)) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
