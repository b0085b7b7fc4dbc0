"""A small firm to test the wall with: its blueprint, and a way to put raw events through the door into parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from parcours.blueprint.records import (
    Blueprint,
    Channel,
    Company,
    EventMatch,
    Experience,
    Group,
    Money,
    Operation,
    OperationMeasure,
    Panel,
    Purpose,
    Stage,
    Team,
    Touchpoint,
)
from parcours.collect.door import Admission, raw_schema
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import write_part
from parcours.know import Know
from parcours.progress import Silent
from parcours.settings import Settings
from parcours.words import Words

HOUR_MS = 3_600_000
START_MS = 1_700_000_000_000


def words(text: str) -> Words:
    return Words(fr=text, en=text)


def touchpoint(id: str, *events: EventMatch, stage: str = "buy", experience: Experience | None = None) -> Touchpoint:
    return Touchpoint(
        id=id, label=words(id), stage=stage, channel="web", owner="team", events=events, experience=experience
    )


def make_blueprint(**changes: Any) -> Blueprint:
    """Return the blueprint: two stages, three touchpoints, four operations, a purpose of each kind of basis."""
    survey = EventMatch(name="Answered", where={"about": ("delivery",)})
    rating = Experience(metric="csat", event=survey, field="score", scale=(0, 10), tie="order", text="comment")
    help_rating = Experience(
        metric="ces",
        event=EventMatch(name="Answered", where={"about": ("help",)}),
        field="score",
        scale=(1, 7),
        within_ms=24 * HOUR_MS,
        text="comment",
    )
    parts: dict[str, Any] = {
        "company": Company(id="firm", label=words("firm")),
        "stages": (Stage(id="buy", label=words("buy")), Stage(id="after", label=words("after"))),
        "channels": (Channel(id="web", label=words("web"), kind="digital"),),
        "teams": (Team(id="team", label=words("team")),),
        "touchpoints": (
            touchpoint("checkout", EventMatch(name="Ordered")),
            touchpoint("delivery", EventMatch(name="Delivered"), stage="after", experience=rating),
            touchpoint("help", EventMatch(name="Called"), stage="after", experience=help_rating),
            touchpoint("page", EventMatch(name="Viewed", where={"about": ("product", "idea")})),
        ),
        "operations": (
            operation("delay", "Scanned", OperationMeasure(unit="h", field="delay_h")),
            operation("breakage", "Checked", OperationMeasure(unit="share", field="state", bad=("broken",))),
            operation(
                "lead_time",
                "Packed",
                OperationMeasure(unit="h", until=EventMatch(name="Delivered"), tie="order"),
            ),
            operation("incidents", "Incident", OperationMeasure(unit="count", count=True)),
        ),
        "purposes": (
            Purpose(id="improve", label=words("improve"), basis="legitimate_interest"),
            Purpose(id="personalise", label=words("personalise"), basis="consent"),
        ),
        "groups": (Group(id="segment", label=words("segment"), field="segment"),),
        "objects": ("order", "parcel"),
        "panel": Panel(site="site"),
        "money": Money(event=EventMatch(name="Ordered"), field="amount", currency="EUR"),
    }
    return Blueprint(**{**parts, **changes})


def operation(id: str, event: str, measure: OperationMeasure) -> Operation:
    return Operation(id=id, label=words(id), owner="team", events=(EventMatch(name=event),), measure=measure)


class Firm:
    """A company folder with what came through its door."""

    def __init__(self, folder: Path, blueprint: Blueprint | None = None) -> None:
        self.folder = folder
        self.blueprint = blueprint or make_blueprint()
        self.know = Know(folder, self.blueprint, Settings())
        self.door = self.know.door()
        self.manifest = Manifest(folder)

    def batch(self, *events: dict[str, Any]) -> pa.Table:
        """Return raw events; a column that an event does not name is null."""
        purposes = tuple(purpose.id for purpose in self.blueprint.purposes)
        schema = raw_schema(dict(self.blueprint.field_kinds()), self.blueprint.objects, purposes)
        rows = [
            {"source": "test", "row_key": place, "line": place, "name": "Viewed", "occurred_ms": START_MS, **event}
            for place, event in enumerate(events)
        ]
        return pa.Table.from_pylist(rows, schema=schema)

    def admit(self, *events: dict[str, Any]) -> Admission:
        """Put events through the door into parts."""
        first = self.manifest.reserve_event_nos(len(events))
        admission = self.door.admit(self.batch(*events), first, START_MS)
        self.door.settle()
        self.manifest.commit(add=write_part(self.folder, admission.rows, "test"))
        return admission

    def again(self, blueprint: Blueprint | None = None) -> Firm:
        """Return the same folder, opened anew."""
        return Firm(self.folder, blueprint or self.blueprint)

    def rows(self, purpose: str, table: str) -> list[dict[str, Any]]:
        """Return a derived table of ``purpose`` as rows."""
        self.know.refresh(Silent())
        path = self.know.events_for(purpose).tables[table].paths[0]
        return list(pa.parquet.read_table(path).to_pylist())


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm(tmp_path)
