"""One customer over every channel, as far as a purpose may see: what parts hold, and what was accepted a moment ago."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.blueprint.records import Blueprint
from parcours.engine.store.parts import Part, verified
from parcours.know.live import Arrived
from parcours.know.mapping import ABSENT, meet
from parcours.know.pseudonyms import Numbers, buckets_of

MOST_EVENTS = 500


class Lived(msgspec.Struct, frozen=True):
    """One event of a customer; ``waiting`` says that it was accepted and does not count in any measure yet."""

    occurred_ms: int
    received_ms: int
    name: str
    source: str
    touchpoint: str | None
    fields: dict[str, str | float]
    waiting: bool


class Timeline(msgspec.Struct, frozen=True):
    """What is known of one customer, latest first.

    Attributes:
        purpose: Under which it was read.
        identifiers: How many identifiers are this customer.
        permitted: Whether the purpose may see this customer at this moment; nothing is told otherwise.
        events: The latest events, at most `MOST_EVENTS`.
        count: How many there are in all.
        first_ms, last_ms: When the first and the last occurred.
        lag_ms: How long the latest accepted events waited before they could be seen.
    """

    purpose: str
    identifiers: int
    permitted: bool
    events: tuple[Lived, ...] = ()
    count: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    lag_ms: int = 0


def read_kept(
    folder: Path, blueprint: Blueprint, parts: Sequence[Part], subjects: Numbers, bit: int, since_ms: int
) -> Iterator[Lived]:
    """Yield the events of ``subjects`` since ``since_ms`` whose stamp has ``bit``, in no order."""
    buckets = set(buckets_of(subjects).tolist())
    kinds = blueprint.field_kinds()
    mine = [part for part in parts if part.bucket in buckets]
    for path in verified(folder, mine):
        held = pq.read_schema(path).names
        columns = ["name", "source", "occurred_ms", "received_ms", "subject", "permitted"]
        columns += [name for name in held if name.startswith("field_") and name[6:] in kinds]
        rows = pq.read_table(path, columns=columns, filters=pc.field("subject").isin(subjects.tolist()))
        stamped = (np.asarray(rows.column("permitted")) >> bit) & 1 == 1
        rows = rows.filter(pa.array(stamped & (np.asarray(rows.column("occurred_ms")) >= since_ms)))
        if rows.num_rows:
            yield from _write_rows(blueprint, rows)


def write_waiting(blueprint: Blueprint, arrived: Sequence[Arrived], since_ms: int) -> Iterator[Lived]:
    """Yield what waits as events of a timeline."""
    for one in arrived:
        occurred_ms = int(str(one.columns["occurred_ms"]))
        if occurred_ms >= since_ms:
            yield Lived(
                occurred_ms=occurred_ms,
                received_ms=one.received_ms,
                name=str(one.columns["name"]),
                source=str(one.columns["source"]),
                touchpoint=None if one.touchpoint == ABSENT else blueprint.touchpoints[one.touchpoint].id,
                fields=_fields(one.columns, blueprint),
                waiting=True,
            )


def _write_rows(blueprint: Blueprint, rows: pa.Table) -> Iterator[Lived]:
    touchpoints = meet(blueprint, rows, np.ones(rows.num_rows, bool))
    for row, touchpoint in zip(rows.to_pylist(), touchpoints.tolist(), strict=True):
        yield Lived(
            occurred_ms=row["occurred_ms"],
            received_ms=row["received_ms"],
            name=row["name"],
            source=row["source"],
            touchpoint=None if touchpoint == ABSENT else blueprint.touchpoints[touchpoint].id,
            fields=_fields(row, blueprint),
            waiting=False,
        )


def _fields(row: dict[str, object], blueprint: Blueprint) -> dict[str, str | float]:
    """Return the declared properties that are no free text: that lies in the vault."""
    kinds = blueprint.field_kinds()
    return {
        name[6:]: value
        for name, value in row.items()
        if name.startswith("field_") and isinstance(value, str | float) and kinds.get(name[6:]) != "text"
    }
