"""Telling recipients (GDPR art. 19): one message in the ordered queue of each destination concerned."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.collect.connectors.destinations import Destination
from parcours.engine.store.outbox import NOTICE, OutboxTable, Waiting
from parcours.engine.store.sqlite import Database
from parcours.know.gate.versions import Versions
from parcours.know.keys import Keys

Matter = Literal["erasure", "rectification", "restriction"]

_TYPES = {"user": "user_id", "mail": "email", "phone": "phone", "device": "anonymous_id"}


def is_notice(message_id: str) -> bool:
    """Return whether a message in a queue tells of an erasure."""
    return message_id.startswith(NOTICE)


def queue_notices(
    outbox: OutboxTable,
    keys: Keys,
    matter: Matter,
    number: int,
    destinations: Iterable[str],
    names: Mapping[str, Iterable[str]],
    more: Mapping[str, str] | None = None,
) -> None:
    """Queue one message for each of ``destinations``, once, in the shape of an OpenDSR request.

    ``number`` is that of the erasure, or of the request; ``more`` is what the other side must know beside. A message
    holds the identifiers (``names``: by type) in the clear, for the other side knows no pseudonym; sealed like every
    parcel, it is gone once it was delivered.
    """
    at_ms = time.time_ns() // 1_000_000
    waiting = {(one.destination, one.message_id) for _, one in outbox.all()}
    for destination in destinations:
        message_id = f"{matter}-{number}"
        if (destination, message_id) in waiting or outbox.answered(destination, message_id):
            continue
        body = {
            "type": matter,
            "regulation": "gdpr",
            "subject_request_id": message_id,
            "subject_request_type": matter,
            "submitted_time": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds"),
            "subject_identities": [
                {"identity_type": _TYPES[kind], "identity_value": value, "identity_format": "raw"}
                for kind, values in names.items()
                for value in values
            ],
            **({"details": dict(more)} if more else {}),
        }
        outbox.add([Waiting(destination, message_id, at_ms, keys.seal(msgspec.json.encode(body)))])


def find_recipients(
    rows: Iterable[Mapping[str, Any]], destinations: Sequence[Destination], blueprint: Blueprint, state: Database
) -> set[str]:
    """Return which destinations got any of ``rows`` (of parts): those of its names, as its stamp allowed."""
    purposes, versions = {purpose.id: purpose for purpose in blueprint.purposes}, Versions(state)
    bits = {one.destination: versions.of(purposes[one.purpose]).number for one in destinations}
    return {
        one.destination
        for row in rows
        for one in destinations
        if row["name"] in one.events and row["permitted"] >> bits[one.destination] & 1
    }


def tell_deliveries(outbox: OutboxTable, erasure_no: int, destinations: Iterable[str]) -> dict[str, str]:
    """Return what became of the message to each of ``destinations``: ``delivered``, ``refused`` or ``waiting``."""
    told = ((one, outbox.answered(one, f"{NOTICE}{erasure_no}")) for one in destinations)
    return {destination: outcome or "waiting" for destination, outcome in told}
