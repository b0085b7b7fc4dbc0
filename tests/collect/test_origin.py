"""Where a source's events come from: a file or a connector, exactly one; file sources are as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.collect.conftest import ORDERS, Acme, small_blueprint

from parcours.collect.fingerprint import mapping_fingerprint
from parcours.collect.inspection import inspect_files
from parcours.collect.reading import check_sources, read_sources
from parcours.collect.source import Source
from parcours.errors import ParcoursError


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    """A company without sources yet."""
    return Acme(tmp_path / "acme")


WEB = """source: web
connector: http
options: {sdk: segment}
"""
SHOP = """source: shop
connector: sql
options:
  url: postgresql+pg8000://reader:${SHOP_PASSWORD}@db/shop
  table: orders
  cursor: updated_at
key: [order_id]
time: {column: at}
ids: {user: customer}
events: [Order Completed]
"""


def codes(acme: Acme) -> set[tuple[str, int | None, str]]:
    found = check_sources(acme.folder, acme.blueprint, acme.settings)
    return {(fault.code, fault.line, fault.level) for fault in found}


def errors(acme: Acme) -> set[tuple[str, int | None]]:
    return {(code, line) for code, line, level in codes(acme) if level == "error"}


def test_a_source_of_calls_needs_no_mapping_and_leaves_no_event_unexplained(acme: Acme) -> None:
    acme.source("web", WEB)
    assert codes(acme) == set()
    (read,) = read_sources(acme.folder, acme.blueprint, acme.settings)
    assert (read.source.connector, read.source.options, read.source.file) == ("http", {"sdk": "segment"}, None)
    assert read.source.events == ()


def test_a_kafka_topic_of_calls_needs_no_mapping_and_one_of_rows_does(acme: Acme) -> None:
    kafka = 'source: k\nconnector: kafka\noptions: {servers: ["h:9092"], topic: t}\n'
    acme.source("k", kafka)
    assert codes(acme) == set()
    acme.source("k", kafka.replace("topic: t", "topic: t, format: rows"))
    assert errors(acme) == {("missing_field", 1)}


def test_a_source_over_a_table_is_mapped_like_a_file(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "x")
    acme.source("shop", SHOP)
    assert errors(acme) == set()
    acme.source("shop", SHOP.replace("time: {column: at}", "time: {column: at, zone: Europe/Pariss}"))
    assert errors(acme) == {("bad_zone", 8)}
    acme.source("shop", SHOP.replace("key: [order_id]\n", "").replace("ids: {user: customer}\n", ""))
    assert {code for code, _, level in codes(acme) if level == "warning"} >= {"no_key", "nothing_to_tie"}


def test_faults_of_connectors_stand_beside_all_others(acme: Acme) -> None:
    acme.source("shop", SHOP.replace("table: orders", "tabel: orders").replace("${SHOP_PASSWORD}", "hunter2"))
    acme.source("web", WEB.replace("segment", "segmnet"))
    acme.source("orders", ORDERS.replace("events:", "evnts:"))
    found = check_sources(acme.folder, acme.blueprint, acme.settings)
    assert {fault.code for fault in found if fault.level == "error"} == {
        "unknown_key",
        "missing_field",
        "table_or_query",
        "secret_in_clear",
        "unknown_choice",
    }
    assert "hunter2" not in " ".join(map(str, found))
    with pytest.raises(ParcoursError):
        read_sources(acme.folder, acme.blueprint, acme.settings)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("source: x\nevents: [Order Completed]\ntime: at\n", {("missing_field", 1)}),
        ("source: x\nfile: a.csv\nconnector: http\n", {("file_and_connector", 3)}),
        ("source: x\nfile: a.csv\noptions: {a: 1}\ntime: at\nevents: [A]\n", {("options_without_connector", 3)}),
        ("source: x\nconnector: http\nformat: csv\nlookup: {file: a.csv, key: k, columns: [b]}\n",
         {("only_for_files", 3), ("only_for_files", 4)}),
        ("source: x\nconnector: nowhere\ntime: at\nevents: [A]\n", {("connector_unknown", 2)}),
        ("source: x\nconnector: webhook\ntime: at\nevents: [A]\n", {("connector_role", 2)}),
        ("source: x\nconnector: folder\ntime: at\nevents: [A]\n", {("folder_by_itself", 1)}),
        ("source: x\nconnector: http\noptions: [1]\n", {("wrong_type", 3)}),
        ("source: x\nfile: a.csv\n", {("missing_field", 1)}),
        ("source: x\nfile: a.csv\nevents: []\n", {("no_events", 3)}),
    ],
)  # fmt: skip
def test_exactly_one_of_a_file_and_a_connector(acme: Acme, text: str, wanted: set[tuple[str, int]]) -> None:
    acme.source("x", text)
    assert errors(acme) == wanted


def test_a_missing_secret_stops_neither_the_check_nor_the_load_of_files(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    acme.source("shop", SHOP)
    acme.source("orders")
    acme.orders(acme.order(1))
    assert ("secret_not_set", 4, "warning") in codes(acme)
    report = acme.load()
    assert [source.source for source in report.sources] == ["orders"], "only sources of files are loaded"
    assert report.held == 1


def test_sources_of_connectors_have_no_files_to_inspect(acme: Acme) -> None:
    acme.source("web", WEB)
    read = read_sources(acme.folder, acme.blueprint, acme.settings)
    assert inspect_files(read, acme.folder, acme.settings) == ((), [])


def test_the_digest_of_a_file_source_is_what_it_was_before_there_were_connectors() -> None:
    source = Source(source="orders", file="data/orders.csv", key=("order_id",))
    assert mapping_fingerprint(source, small_blueprint(), "Europe/Paris", None, 7) == (
        "69bd1fb44eec1b95889961adbe93250f408d8ee2ba7bd6eb022138113cce025b"
    )
