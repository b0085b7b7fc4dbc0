"""One customer as a whole: what they lived on every channel, the work behind it, and what they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.blueprint.records import Blueprint
from parcours.engine.store.parts import Part, verified
from parcours.know.layers.memberships import Membership, find_memberships
from parcours.know.mapping import match_operations
from parcours.know.pseudonyms import Numbers, buckets_of
from parcours.know.timeline import MOST_EVENTS, Lived, read_columns, show_fields, write_kept

HOPS = 2
"""From a touch to its objects to the work on them; and, through one such event, to one object more (its parcel)."""


class Deed(msgspec.Struct, frozen=True):
    """One event of a customer's timeline.

    Attributes:
        occurred_ms: When it happened.
        behind: Whether it is work behind the line of visibility; else the customer saw it.
        touchpoint, operation: What of the blueprint it is, where it is anything.
        name, source: The event.
        objects: What it is about: type and number of the object, as they come on this timeline.
        fields: Its declared properties that the purpose may see.
        waiting: Whether it was accepted a moment ago and stands in no part yet.
    """

    occurred_ms: int
    behind: bool
    touchpoint: str | None
    operation: str | None
    name: str
    source: str
    objects: tuple[tuple[str, int], ...]
    fields: dict[str, str | float]
    waiting: bool


class Portrait(msgspec.Struct, frozen=True):
    """What a purpose may see of one customer, latest first.

    Attributes:
        purpose: Under which it was read.
        permitted: Whether it may see this customer now; nothing is told otherwise.
        identifiers: How many identifiers are this customer.
        deeds: The latest events, at most `parcours.know.timeline.MOST_EVENTS`.
        count: How many there are in all.
        first_ms, last_ms: When the first and the last occurred.
        memberships: What they belong to.
    """

    purpose: str
    permitted: bool
    identifiers: int
    deeds: tuple[Deed, ...] = ()
    count: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    memberships: tuple[Membership, ...] = ()


def paint(
    folder: Path,
    blueprint: Blueprint,
    parts: Sequence[Part],
    own: Sequence[pa.Table],
    waiting: Sequence[Lived],
    since_ms: int,
    hidden: frozenset[str],
) -> tuple[tuple[Deed, ...], tuple[Membership, ...]]:
    """Return the timeline of a customer whose events are ``own``, and what they belong to.

    Raises:
        ParcoursError: ``part_damaged``.
    """
    behind = list(_read_behind(folder, blueprint, parts, own, since_ms, hidden))
    deeds = [deed for table in (*own, *behind) for deed in _write(blueprint, table)]
    deeds += [
        Deed(one.occurred_ms, False, one.touchpoint, None, one.name, one.source, (), one.fields, True)
        for one in waiting
    ]
    deeds.sort(key=lambda deed: (-deed.occurred_ms, deed.behind, deed.name))
    return _number_objects(deeds), find_memberships(blueprint, own)


def bound(deeds: Sequence[Deed]) -> tuple[Deed, ...]:
    """Return the latest deeds."""
    return tuple(deeds[:MOST_EVENTS])


def _read_behind(
    folder: Path,
    blueprint: Blueprint,
    parts: Sequence[Part],
    own: Sequence[pa.Table],
    since_ms: int,
    hidden: frozenset[str],
) -> Iterator[pa.Table]:
    """Yield the events about nobody that are tied to the customer's by an object, in a few steps outwards.

    An object of a layer ties nothing: what another of the household lives is theirs.
    """
    layers = {layer.object for layer in blueprint.layers}
    kinds = [kind for kind in blueprint.objects if kind not in layers]
    names = sorted({match.name for operation in blueprint.operations for match in operation.events})
    known: dict[str, set[int]] = {kind: set() for kind in kinds}
    seen: set[int] = set()
    found = list(own)
    for _ in range(HOPS):
        fresh = _take_objects(found, kinds, known)
        if not any(len(codes) for codes in fresh.values()) or not names:
            return
        found = []
        for table in _read_tied(folder, blueprint, parts, fresh, names, since_ms, hidden):
            numbers = np.asarray(table.column("event_no"))
            new = table.filter(pa.array([number not in seen for number in numbers.tolist()], pa.bool_()))
            seen.update(numbers.tolist())
            found.append(new)
            yield new


def _take_objects(
    tables: Sequence[pa.Table], kinds: Sequence[str], known: Mapping[str, set[int]]
) -> dict[str, Numbers]:
    """Return the objects on ``tables`` that are not known yet, and note them."""
    fresh: dict[str, Numbers] = {}
    for kind in kinds:
        name = f"object_{kind}"
        codes = {
            code
            for table in tables
            if name in table.column_names
            for code in table.column(name).drop_null().to_pylist()
        }
        fresh[kind] = np.array(sorted(codes - known[kind]), np.int64)
        known[kind].update(codes)
    return fresh


def _read_tied(
    folder: Path,
    blueprint: Blueprint,
    parts: Sequence[Part],
    objects: Mapping[str, Numbers],
    names: Sequence[str],
    since_ms: int,
    hidden: frozenset[str],
) -> Iterator[pa.Table]:
    wanted = {kind: codes for kind, codes in objects.items() if len(codes)}
    # What is about nobody lies in the bucket of its first object.
    buckets = {bucket for codes in wanted.values() for bucket in buckets_of(codes).tolist()}
    chosen = pc.field("subject").is_null() & pc.field("name").isin(names) & (pc.field("occurred_ms") >= since_ms)
    for path in verified(folder, [part for part in parts if part.bucket in buckets]):
        columns = read_columns(path, blueprint, hidden)
        tied = [
            pc.field(f"object_{kind}").isin(codes.tolist())
            for kind, codes in wanted.items()
            if f"object_{kind}" in columns
        ]
        if tied:
            rows = pq.read_table(path, columns=columns, filters=chosen & reduce(or_, tied))
            if rows.num_rows:
                yield rows


def _write(blueprint: Blueprint, table: pa.Table) -> Iterator[Deed]:
    operations = match_operations(blueprint, table)
    lived = write_kept(blueprint, table)
    rows = table.to_pylist()
    layers = {layer.object for layer in blueprint.layers}
    for one, operation, row in zip(lived, operations, rows, strict=True):
        objects = tuple(
            (kind, int(row[f"object_{kind}"]))
            for kind in blueprint.objects
            if kind not in layers and row.get(f"object_{kind}") is not None
        )
        nobody = row["subject"] is None
        touchpoint = None if nobody else one.touchpoint
        behind = nobody or (touchpoint is None and operation is not None)
        yield Deed(
            one.occurred_ms,
            behind,
            touchpoint,
            operation if behind else None,
            one.name,
            one.source,
            objects,
            show_fields(row, blueprint),
            False,
        )


def _number_objects(deeds: Sequence[Deed]) -> tuple[Deed, ...]:
    """Give objects the numbers in which they come, the earliest first: no pseudonym need be shown."""
    numbers: dict[str, dict[int, int]] = {}
    for deed in reversed(deeds):
        for kind, code in deed.objects:
            held = numbers.setdefault(kind, {})
            held.setdefault(code, len(held) + 1)
    return tuple(
        msgspec.structs.replace(deed, objects=tuple((kind, numbers[kind][code]) for kind, code in deed.objects))
        for deed in deeds
    )
