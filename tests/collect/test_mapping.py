"""Mapping: choices, names, conditions, lookups, and the first fault of each row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from parcours.collect.lookup import Joined
from parcours.collect.mapping import Mapping
from parcours.collect.rows import RawRows
from parcours.collect.source import (
    Choice,
    Condition,
    EventName,
    FieldColumn,
    Lookup,
    Source,
    SourceEvent,
    Time,
)

NOW_MS = 1_767_225_600_000


def mapped(blueprint, source: Source, joined: Joined | None = None, **columns: list[str | None]):
    count = len(next(iter(columns.values())))
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    raw = RawRows(np.arange(2, count + 2), arrays, [], lambda row: b"")
    return Mapping(source, blueprint, "Europe/Paris", joined, NOW_MS).map_rows(raw, np.arange(count))


def one_event(**changes) -> Source:
    event = SourceEvent(name=EventName(text="Order Completed"))
    return Source(**{"source": "s", "file": "x.csv", "time": Time(column="at"), "events": (event,), **changes})


def test_choices_are_yes_no_or_nothing(blueprint) -> None:
    source = one_event(consent={"improve": Choice(column="c", yes=("1", "OUI"))})
    events = mapped(blueprint, source, at=["2025-01-01"] * 4, c=["oui", "1", "non", " "]).events
    assert events.column("consent_improve").to_pylist() == [True, True, False, None]


def test_names_come_from_columns_and_columns_joined(blueprint) -> None:
    events = (
        SourceEvent(name=EventName(column="a")),
        SourceEvent(name=EventName(join=("a", ": ", "b")), when=Condition(column="b")),
    )
    found = mapped(blueprint, one_event(events=events), at=["2025-01-01"] * 3, a=["x", " ", "z"], b=["1", "2", ""])
    assert found.events.column("name").to_pylist() == ["x", "x: 1", "z"]
    assert {row: code for row, (code, _) in found.faults.items()} == {1: "name_missing"}
    assert found.rows.tolist() == [0, 0, 2]
    assert found.events.column("line").to_pylist() == [2, 2, 4]


def test_a_row_keeps_its_first_fault_and_gives_no_event(blueprint) -> None:
    source = one_event(fields={"amount": FieldColumn(column="n"), "site": FieldColumn(column="n")})
    at = ["2025-01-01", "1899-12-31", "2026-01-03", "", "x", "2025-01-01"]
    found = mapped(blueprint, source, at=at, n=["1", "2", "3", "4", "5", "six"])
    assert [code for code, _ in (found.faults[row] for row in sorted(found.faults))] == [
        "date_implausible",
        "date_implausible",
        "time_missing",
        "date_unreadable",
        "number_unreadable",
    ]
    assert found.rows.tolist() == [0]


def test_a_fault_in_the_field_of_an_event_that_did_not_happen_is_none(blueprint) -> None:
    delivered = SourceEvent(
        name=EventName(text="Parcel Delivered"),
        when=Condition(column="status", values=("done",)),
        fields={"amount": FieldColumn(column="n")},
    )
    source = one_event(events=(delivered,))
    found = mapped(blueprint, source, at=["2025-01-01"] * 2, status=["lost", "done"], n=["?", "?"])
    assert list(found.faults) == [1]


def test_an_undeclared_field_is_dropped_and_cells_are_trimmed(blueprint) -> None:
    fields = {"secret": FieldColumn(column="n"), "site": FieldColumn(column="n")}
    events = mapped(blueprint, one_event(fields=fields, ids={"mail": "n"}), at=[" 2025-01-01 "], n=[" Lyon "]).events
    assert "field_secret" not in events.column_names
    assert (events.column("field_site")[0].as_py(), events.column("id_mail")[0].as_py()) == ("Lyon", "Lyon")


def test_a_date_may_come_from_another_table(blueprint, tmp_path) -> None:
    path = tmp_path / "campaigns.csv"
    path.write_text("campaign;start\nA;2025-01-01\nB;2025-02-01\nA;2025-03-01\n")
    lookup = Lookup(file="campaigns.csv", key="campaign", columns=("start",), on="sent")
    source = one_event(time=Time(column="start"), lookup=lookup)
    found = mapped(blueprint, source, Joined(lookup, path, "csv"), sent=["A", "B", "C", None])
    assert found.events.column("occurred_ms").to_pylist() == [1_740_783_600_000, 1_738_364_400_000]
    assert {code for code, _ in found.faults.values()} == {"time_missing"}
