"""The first look at files: columns, encodings, lookups."""

from __future__ import annotations

import pytest

from parcours.collect.inspection import inspect_files
from parcours.collect.reading import read_sources

SOURCE = """source: orders
file: data/orders.jsonl
key: [id]
time: {column: at}
ids: {user: who}
lookup: {file: data/more.csv, key: id, columns: [extra]}
fields: {site: extra}
events: [Order Completed]
"""


def look(acme, source: str = SOURCE):
    acme.source("orders", source)
    read = read_sources(acme.folder, acme.blueprint, acme.settings)
    plans, faults = inspect_files(read, acme.folder, acme.settings)
    return plans, {(fault.code, fault.line, fault.level) for fault in faults}


def test_a_good_source_is_planned(acme) -> None:
    acme.data("orders.jsonl", '{"id": 1, "at": "2026-01-01", "who": "x"}\n')
    acme.data("more.csv", "id,extra\n1,Lyon\n")
    (plan,), faults = look(acme)
    assert (faults, plan.key, plan.files[0].name) == (set(), ("id",), "data/orders.jsonl")
    assert acme.load().counts.new == 1
    assert acme.events()[0]["field_site"] == "Lyon"
    acme.data("more.csv", "id,extra\n1,Lille\n")
    assert acme.load().counts.replaced == 1


def test_a_column_that_json_has_not_shown_yet_is_only_a_fault_where_every_row_needs_it(acme) -> None:
    acme.data("more.csv", "id,extra\n1,Lyon\n")
    acme.data("orders.jsonl", '{"id": 1, "at": "2026-01-01"}\n')
    assert look(acme)[1] == {("column_missing", 5, "warning")}
    acme.data("orders.jsonl", '{"id": 1, "who": "x"}\n')
    assert look(acme)[1] == {("column_missing", 4, "error")}


def test_the_files_of_a_lookup_are_looked_at_too(acme) -> None:
    acme.data("orders.jsonl", '{"id": 1, "at": "2026-01-01", "who": "x"}\n')
    assert look(acme)[1] == {("file_missing", 6, "error")}
    acme.data("more.csv", "id,extr\n1,Lyon\n")
    assert look(acme)[1] == {("column_missing", 6, "error")}


def test_a_column_that_stands_twice_is_a_fault_only_when_it_is_asked_for(acme) -> None:
    source = SOURCE.replace("orders.jsonl", "orders.csv")
    acme.data("more.csv", "id,extra\n1,Lyon\n")
    acme.data("orders.csv", "id,at,who,note,note\n1,2026-01-01,x,a,b\n")
    assert look(acme, source)[1] == set()
    acme.data("orders.csv", "id,at,who,who\n1,2026-01-01,x,y\n")
    assert look(acme, source)[1] == {("column_twice", 5, "error")}


@pytest.mark.parametrize("header", ["1,2026-01-01,x", "a;b;c"])
def test_a_file_without_a_header_is_suspected(acme, header) -> None:
    acme.data("more.csv", "id,extra\n1,Lyon\n")
    acme.data("orders.csv", f"{header}\n")
    acme.source("orders", SOURCE.replace("orders.jsonl", "orders.csv"))
    read = read_sources(acme.folder, acme.blueprint, acme.settings)
    _, faults = inspect_files(read, acme.folder, acme.settings)
    assert len(faults) == 3
    assert all("header" in fault.remedy.en for fault in faults)


def test_what_is_not_its_format_is_a_fault_of_the_source(acme) -> None:
    acme.data("more.csv", "id,extra\n1,Lyon\n")
    acme.data("orders.parquet", b"nonsense")
    assert look(acme, SOURCE.replace("orders.jsonl", "orders.parquet"))[1] == {("file_unreadable", 2, "error")}
