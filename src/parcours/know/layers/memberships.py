"""What one customer belongs to, and since when: read from their own events alone."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Blueprint


class Membership(msgspec.Struct, frozen=True):
    """That somebody belongs to something.

    Attributes:
        layer: The id of the layer, such as household.
        key: The pseudonym of what they belong to.
        first_ms, last_ms: When an event first and last said so.
        events: How many did.
        lasts: Whether no later event names another one of this layer.
    """

    layer: str
    key: int
    first_ms: int
    last_ms: int
    events: int
    lasts: bool


def find_memberships(blueprint: Blueprint, rows: Iterable[pa.Table]) -> tuple[Membership, ...]:
    """Return what the events ``rows`` of one customer say they belong to, layer by layer, the latest first."""
    tables = list(rows)
    found: list[Membership] = []
    for layer in blueprint.layers:
        seen: dict[int, list[int]] = {}
        for table in tables:
            name = f"object_{layer.object}"
            if name in table.column_names:
                codes, at_ms = table.column(name), np.asarray(table.column("occurred_ms"))
                for row in np.flatnonzero(np.asarray(codes.is_valid())).tolist():
                    seen.setdefault(codes[row].as_py(), []).append(int(at_ms[row]))
        latest = max((max(moments) for moments in seen.values()), default=0)
        mine = [
            Membership(layer.id, key, min(moments), max(moments), len(moments), max(moments) == latest)
            for key, moments in seen.items()
        ]
        found += sorted(mine, key=lambda one: (-one.last_ms, one.key))
    return tuple(found)
