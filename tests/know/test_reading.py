"""Tests of reading: every row group of every part, whatever columns and values an older part has."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from parcours.blueprint.records import Field, Group
from parcours.engine.store import parts

from .conftest import HOUR_MS, START_MS, Firm, make_blueprint, words


def test_many_row_groups_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        {
            "name": ("Ordered", "Called", "Nothing")[place % 3],
            "id_user": f"u{place % 4}" if place % 5 else None,
            "occurred_ms": START_MS + (place * 7 % 11) * HOUR_MS,
            "field_segment": None if place % 2 else f"s{place}",
            "field_amount": float(place),
            "object_order": f"o{place}" if place > 20 else None,
        }
        for place in range(40)
    ]
    whole, cut = Firm(tmp_path / "whole"), Firm(tmp_path / "cut")
    whole.admit(*events)
    monkeypatch.setattr(parts, "ROW_GROUP_ROWS", 2)
    cut.admit(*events)
    for name in ("touches", "customers", "answers", "operations"):
        # Pseudonyms of objects differ from one company to another: whether there is one does not.
        told = [
            [{key: value is None if "object" in key else value for key, value in row.items()} for row in rows]
            for rows in (whole.rows("improve", name), cut.rows("improve", name))
        ]
        assert told[0] == told[1]
    assert len(whole.rows("improve", "touches")) == 22


def test_a_part_from_before_a_column_was_declared_reads_as_empty_there(firm: Firm) -> None:
    firm.admit({"name": "Ordered", "id_user": "u1"})
    blueprint = msgspec.structs.replace(
        make_blueprint(),
        groups=(Group(id="loyalty", label=words("loyalty"), field="loyalty"),),
        fields=(Field(id="weight", kind="number"),),
        objects=("order", "parcel", "ticket"),
    )
    later = firm.again(blueprint)
    later.admit({"name": "Called", "id_user": "u2", "field_loyalty": "gold", "object_ticket": "t1"})
    touches = later.rows("improve", "touches")
    assert [(row["group_loyalty"], row["object_ticket"] is None) for row in touches] == [(None, True), ("gold", False)]
