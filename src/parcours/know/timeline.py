"""One customer over every channel, as far as a purpose may see: what parts hold, and what was accepted a moment ago."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
_COLUMNS = ("event_no", "name", "source", "occurred_ms", "received_ms", "subject", "permitted")


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


class Wanted(msgspec.Struct, frozen=True):
    """Which rows of parts are a customer's.

    Attributes:
        subjects: Whose they are.
        beside: Further events, by number, on which the customer stands beside a stronger identifier, and those.
        bit: The bit that their stamp must have.
        since_ms: The first moment that the purpose's retention covers.
        from_event_no: The first event that counts by its subject.
        hidden: The fields that must not be read for the purpose.
        fields_since_ms: Since when the values of some fields may be read.
    """

    subjects: Numbers
    beside: Numbers
    beside_subjects: Numbers
    bit: int
    since_ms: int
    from_event_no: int = 0
    hidden: frozenset[str] = frozenset()
    fields_since_ms: Mapping[str, int] = {}


def read_rows(folder: Path, blueprint: Blueprint, parts: Sequence[Part], wanted: Wanted) -> Iterator[pa.Table]:
    """Yield the rows of parts that are wanted, in no order.

    Raises:
        ParcoursError: ``part_damaged``.
    """
    own, others = (set(buckets_of(codes).tolist()) for codes in (wanted.subjects, wanted.beside_subjects))
    first_beside = int(wanted.beside.min()) if len(wanted.beside) else 0
    mine = [
        part
        for part in parts
        if (part.bucket in own and part.last_event_no >= wanted.from_event_no)
        or (part.bucket in others and part.last_event_no >= first_beside)
    ]
    chosen = pc.field("subject").isin(wanted.subjects.tolist()) & (pc.field("event_no") >= wanted.from_event_no)
    if len(wanted.beside):
        chosen |= pc.field("event_no").isin(wanted.beside.tolist())
    for path in verified(folder, mine):
        rows = pq.read_table(path, columns=read_columns(path, blueprint, wanted.hidden), filters=chosen)
        stamped = (np.asarray(rows.column("permitted")) >> wanted.bit) & 1 == 1
        rows = rows.filter(pa.array(stamped & (np.asarray(rows.column("occurred_ms")) >= wanted.since_ms)))
        for name, since_ms in wanted.fields_since_ms.items():
            if f"field_{name}" in rows.column_names:
                place = rows.column_names.index(f"field_{name}")
                fresh = pc.greater_equal(rows.column("occurred_ms"), since_ms)
                kept = pc.if_else(fresh, rows.column(place), pa.scalar(None, rows.column(place).type))
                rows = rows.set_column(place, rows.schema.field(place), kept)
        if rows.num_rows:
            yield rows


def read_columns(path: Path, blueprint: Blueprint, hidden: frozenset[str]) -> list[str]:
    """Return the columns of a part that a timeline shows or is tied by."""
    shown = {f"field_{name}" for name, kind in blueprint.field_kinds().items() if name not in hidden and _is_open(kind)}
    shown |= {f"object_{kind}" for kind in blueprint.objects}
    return [*_COLUMNS, *(name for name in pq.read_schema(path).names if name in shown)]


def find_touchpoints(blueprint: Blueprint, rows: pa.Table) -> Numbers:
    """Return the touchpoint that each of a customer's ``rows`` meets, `ABSENT` where that is none."""
    return meet(blueprint, rows, np.ones(rows.num_rows, bool))


def write_kept(blueprint: Blueprint, rows: pa.Table) -> Iterator[Lived]:
    """Yield rows of parts as events of a timeline."""
    for row, touchpoint in zip(rows.to_pylist(), find_touchpoints(blueprint, rows).tolist(), strict=True):
        yield Lived(
            occurred_ms=row["occurred_ms"],
            received_ms=row["received_ms"],
            name=row["name"],
            source=row["source"],
            touchpoint=None if touchpoint == ABSENT else blueprint.touchpoints[touchpoint].id,
            fields=show_fields(row, blueprint),
            waiting=False,
        )


def write_waiting(blueprint: Blueprint, arrived: Sequence[Arrived], hidden: frozenset[str]) -> Iterator[Lived]:
    """Yield what waits as events of a timeline, without the ``hidden`` fields."""
    for one in arrived:
        yield Lived(
            occurred_ms=int(str(one.columns["occurred_ms"])),
            received_ms=one.received_ms,
            name=str(one.columns["name"]),
            source=str(one.columns["source"]),
            touchpoint=None if one.touchpoint == ABSENT else blueprint.touchpoints[one.touchpoint].id,
            fields=show_fields(one.columns, blueprint, hidden),
            waiting=True,
        )


def show_fields(
    row: dict[str, object], blueprint: Blueprint, hidden: frozenset[str] = frozenset()
) -> dict[str, str | float]:
    """Return the declared properties that do not lie in the vault."""
    kinds = blueprint.field_kinds()
    return {
        name[6:]: value
        for name, value in row.items()
        if name.startswith("field_")
        and isinstance(value, str | float)
        and _is_open(kinds.get(name[6:]))
        and name[6:] not in hidden
    }


def _is_open(kind: str | None) -> bool:
    return kind in ("number", "category")
