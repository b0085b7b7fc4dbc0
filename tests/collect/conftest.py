"""A small company on disk and a real door of its own, for the tests of collection."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from parcours.blueprint.records import (
    Blueprint,
    Channel,
    Company,
    EventMatch,
    Field,
    Purpose,
    Stage,
    Team,
    Touchpoint,
)
from parcours.collect.door import IDENTIFIERS, Admission, Refusal, part_schema
from parcours.collect.load import load
from parcours.collect.report import LoadReport
from parcours.engine.store.manifest import Manifest
from parcours.settings import Settings
from parcours.words import Words

ORDERS = """source: orders
file: data/orders.csv
key: [order_id]
time: {column: at}
ids: {user: customer, mail: email}
objects: {order: order_id}
fields:
  amount: {column: cents, unit: cents, to: eur}
  site: store
events:
  - name: Order Completed
"""


def label(text: str) -> Words:
    """Return one text for both languages."""
    return Words(text, text)


def small_blueprint(**changes: object) -> Blueprint:
    """Return a blueprint of one touchpoint, with the fields that the sources of these tests use."""
    parts: dict[str, object] = {
        "company": Company(id="acme", label=label("Acme")),
        "stages": (Stage(id="buy", label=label("Buy")),),
        "channels": (Channel(id="web", label=label("Web"), kind="digital"),),
        "teams": (Team(id="sales", label=label("Sales")),),
        "touchpoints": (
            Touchpoint(
                id="order",
                label=label("Order"),
                stage="buy",
                channel="web",
                owner="sales",
                events=(EventMatch(name="Order Completed"), EventMatch(name="Parcel Delivered")),
            ),
        ),
        "purposes": (Purpose(id="improve", label=label("Improve"), basis="consent"),),
        "fields": (
            Field(id="amount", kind="number"),
            Field(id="site", kind="category"),
            Field(id="comment", kind="text"),
        ),
        "objects": ("order", "parcel"),
    }
    return Blueprint(**{**parts, **changes})  # type: ignore[arg-type]


class PlainDoor:
    """A door that keeps its promises in memory: pseudonyms by BLAKE2b, edges and texts by event number."""

    def __init__(self, blueprint: Blueprint, refused_name: str | None = None) -> None:
        self.blueprint = blueprint
        self.refused_name = refused_name
        self.withdrawn: list[int] = []
        self.settled = 0
        self.kept: dict[int, str] = {}

    def admit(self, batch: pa.Table, first_event_no: int, received_ms: int) -> Admission:
        names = batch.column("name").to_pylist()
        refusals = tuple(
            Refusal(row, "name_refused", label("refused"))
            for row, name in enumerate(names)
            if name == self.refused_name
        )
        stays = np.ones(batch.num_rows, bool)
        stays[[refusal.row for refusal in refusals]] = False
        return Admission(self._rows(batch, first_event_no, received_ms).filter(pa.array(stays)), refusals)

    def _rows(self, batch: pa.Table, first_event_no: int, received_ms: int) -> pa.Table:
        strongest = pc.coalesce(*(batch.column(f"id_{kind}") for kind in IDENTIFIERS)).to_pylist()
        subjects = [None if value is None else pseudonym(value) for value in strongest]
        numbers = range(first_event_no, first_event_no + batch.num_rows)
        self.kept.update({no: str(value) for no, value in zip(numbers, strongest, strict=True)})
        columns: dict[str, object] = {
            "event_no": list(numbers),
            "received_ms": [received_ms] * batch.num_rows,
            "subject": subjects,
            "permitted": [1] * batch.num_rows,
            "bucket": [(subject or 0) % 4 for subject in subjects],
        }
        schema = part_schema(dict(self.blueprint.field_kinds()), self.blueprint.objects)
        arrays = []
        for field in schema:
            if field.name in columns:
                arrays.append(pa.array(columns[field.name], field.type))
            elif field.name.startswith("object_"):
                values = batch.column(field.name).to_pylist()
                arrays.append(pa.array([None if one is None else pseudonym(one) for one in values], field.type))
            elif field.name.startswith("text_"):
                arrays.append(pa.nulls(batch.num_rows, field.type))
            else:
                arrays.append(batch.column(field.name).combine_chunks())
        return pa.Table.from_arrays(arrays, schema=schema)

    def settle(self) -> None:
        self.settled += 1

    def withdraw(self, event_nos: list[int]) -> None:
        self.withdrawn += event_nos
        for no in event_nos:
            self.kept.pop(no, None)

    def forget_from(self, event_no: int) -> None:
        self.kept = {no: value for no, value in self.kept.items() if no < event_no}

    def seal(self, data: bytes) -> bytes:
        return bytes(byte ^ 0x5A for byte in data)

    def row_seed(self) -> int:
        return 42


def pseudonym(value: str) -> int:
    """Return 63 bits of the BLAKE2b of a value."""
    return int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8).digest(), "little") >> 1


class Acme:
    """A company folder with sources and data that tests write as they like."""

    def __init__(self, folder: Path, blueprint: Blueprint | None = None) -> None:
        self.folder = folder
        self.blueprint = blueprint or small_blueprint()
        self.settings = Settings()
        self.door = PlainDoor(self.blueprint)
        (folder / "sources").mkdir(parents=True)
        (folder / "data").mkdir()

    def source(self, name: str, text: str = ORDERS) -> Path:
        path = self.folder / "sources" / f"{name}.yaml"
        path.write_text(text, "utf-8")
        return path

    def data(self, name: str, content: str | bytes) -> Path:
        path = self.folder / "data" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(self) -> LoadReport:
        return load(self.folder, self.blueprint, self.settings, self.door)

    def events(self) -> list[dict[str, object]]:
        """Return every event that stands in the parts, by number."""
        manifest = Manifest(self.folder)
        try:
            parts = manifest.parts()
        finally:
            manifest.close()
        rows = [row for part in parts for row in pq.read_table(self.folder / ".parcours" / part.path).to_pylist()]
        return sorted(rows, key=lambda row: row["event_no"])

    def quarantined(self) -> list[tuple[str, str, int, str]]:
        """Return source, file, line and code of every row in quarantine."""
        manifest = Manifest(self.folder)
        try:
            return [(row.source, row.file, row.line, row.code) for row in manifest.quarantined()]
        finally:
            manifest.close()

    def orders(self, *rows: tuple[object, ...]) -> Path:
        """Write data/orders.csv: order_id, at, customer, email, cents, store."""
        lines = ["order_id,at,customer,email,cents,store"]
        return self.data("orders.csv", "\n".join([*lines, *(",".join(map(str, row)) for row in rows)]) + "\n")

    def order(self, number: int, cents: object = 1990, at: str = "2026-01-05T10:00:00Z") -> tuple[object, ...]:
        """Return one row of `orders`."""
        return (f"O{number}", at, f"C{number % 7}", f"c{number % 7}@example.org", cents, "Lyon")


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    """Return a company with one source of orders and no data yet."""
    company = Acme(tmp_path / "acme")
    company.source("orders")
    return company


@pytest.fixture
def blueprint() -> Blueprint:
    """Return the blueprint that the companies of these tests share."""
    return small_blueprint()
