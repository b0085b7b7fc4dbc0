"""Tests of fields with purposes: what no permitted purpose may read is not kept, and what one may not is not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.know.conftest import START_MS, Firm, make_blueprint

from parcours.blueprint.records import Field


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    """A firm with a field for each purpose, and one that is kept for a day."""
    fields = (
        Field(id="diet", kind="category", purposes=("personalise",), class_="sensitive"),
        Field(id="size", kind="number", purposes=("improve",)),
        Field(id="colour", kind="category"),
        Field(id="note", kind="text", purposes=("personalise",)),
        Field(id="delay_h", kind="number", retention_days=1),
    )
    return Firm(tmp_path, make_blueprint(fields=fields))


def order(user: str, agrees: bool | None = None, **more: Any) -> dict[str, Any]:
    fields = {"diet": "vegan", "size": 42.0, "colour": "red", "note": "allergic to nuts"}
    told = {f"field_{name}": value for name, value in fields.items()}
    return {**told, "id_user": user, "name": "Ordered", "occurred_ms": START_MS, "consent_personalise": agrees, **more}


def read_parts(firm: Firm) -> list[dict[str, Any]]:
    paths = [firm.folder / ".parcours" / part.path for part in firm.manifest.parts()]
    return sorted((row for path in paths for row in pq.read_table(path).to_pylist()), key=lambda row: row["event_no"])


def test_what_no_permitted_purpose_may_read_is_not_kept(firm: Firm) -> None:
    firm.admit(order("u1", True), order("u2"), {"name": "Scanned", "field_diet": "about nobody"})
    kept = read_parts(firm)
    assert [row["field_diet"] for row in kept] == ["vegan", None, "about nobody"]
    assert [row["field_size"] for row in kept] == [42.0, 42.0, None]
    assert [row["field_colour"] for row in kept] == ["red", "red", None]
    assert [row["text_note"] is not None for row in kept] == [True, False, False]
    held = firm.know._state.execute("SELECT count(*) FROM texts")
    assert held == [(1,)]


def test_a_purpose_reads_its_own_fields_alone(firm: Firm) -> None:
    firm.admit(order("u1", True))
    (improve,) = firm.know.timeline("user:u1", "improve").events
    (personalise,) = firm.know.timeline("user:u1", "personalise").events
    assert set(improve.fields) == {"size", "colour"}
    assert set(personalise.fields) == {"diet", "colour"}


def test_a_hidden_field_reaches_no_derived_table(tmp_path: Path) -> None:
    """Whatever `check` says of it: a group by a field of another purpose is empty."""
    fields = (Field(id="segment", kind="category", purposes=("personalise",)),)
    firm = Firm(tmp_path, make_blueprint(fields=fields))
    firm.admit({**order("u1", True), "field_segment": "gold", "field_diet": None})
    assert [row["group_segment"] for row in firm.rows("personalise", "customers")] == ["gold"]
    assert [row["group_segment"] for row in firm.rows("improve", "customers")] == [None]


def test_a_value_past_its_own_retention_is_not_read(firm: Firm) -> None:
    firm.admit({"name": "Scanned", "field_delay_h": 5.0, "occurred_ms": START_MS})
    firm.admit({"name": "Scanned", "field_delay_h": 7.0, "occurred_ms": 4_000_000_000_000})
    values = [row["value"] for row in firm.rows("improve", "operations")]
    assert values == [7.0]
    firm.admit(order("u1", field_delay_h=5.0))
    (event,) = firm.know.timeline("user:u1", "improve").events
    assert set(event.fields) == {"size", "colour"}
