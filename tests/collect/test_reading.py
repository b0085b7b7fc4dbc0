"""Sources in YAML: every fault at once, on its line, with what was probably meant."""

from __future__ import annotations

import pytest

from parcours.collect.reading import check_sources, read_sources
from parcours.errors import ParcoursError

GOOD = """source: orders
file: data/orders.csv
key: order_id
time: at
ids: {user: customer}
events: [Order Completed, Parcel Delivered]
"""


def faults(acme, text: str) -> dict[str, tuple[int | None, str]]:
    acme.source("orders", text)
    found = check_sources(acme.folder, acme.blueprint, acme.settings)
    return {fault.code: (fault.line, fault.level) for fault in found if fault.code != "file_missing"}


def test_short_forms_are_read(acme) -> None:
    assert faults(acme, GOOD) == {}
    (read,) = read_sources(acme.folder, acme.blueprint, acme.settings)
    assert (read.source.key, read.source.time.column) == (("order_id",), "at")
    assert [event.name.text for event in read.source.events] == ["Order Completed", "Parcel Delivered"]


@pytest.mark.parametrize(
    ("change", "code", "line", "level"),
    [
        (("key: order_id", "kye: order_id"), "unknown_key", 3, "error"),
        (("{user: customer}", "{usr: customer}"), "unknown_key", 5, "error"),
        (("time: at\n", ""), "event_without_time", 5, "error"),
        (("time: at", "time: {column: at, format: '%H'}"), "bad_date_format", 4, "error"),
        (("time: at", "time: {column: at, zone: Europe/Lyon}"), "bad_zone", 4, "error"),
        (("key: order_id", "csv: {encoding: klingon}"), "bad_encoding", 3, "error"),
        (("key: order_id", "csv: {encoding: base64}"), "bad_encoding", 3, "error"),
        (("key: order_id", "csv: {delimiter: ';;'}"), "bad_delimiter", 3, "error"),
        (("ids:", "objects: {basket: b}\nids:"), "unknown_object", 5, "error"),
        (("ids:", "consent: {sell: {column: c, yes: [x]}}\nids:"), "unknown_purpose", 5, "error"),
        (("ids:", "fields: {amonut: c}\nids:"), "unknown_field", 5, "warning"),
        (("ids:", "fields: {amount: {column: c, unit: parsec}}\nids:"), "bad_unit", 5, "error"),
        (("ids:", "fields: {amount: {column: c, unit: s, to: eur}}\nids:"), "bad_unit", 5, "error"),
        (("ids:", "fields: {amount: {column: c, type: text}}\nids:"), "field_type_differs", 5, "warning"),
        (("events: [Order Completed, Parcel Delivered]", "events: []"), "no_events", 6, "error"),
        (("[Order Completed,", "[Order Complete, Order Completed,"), "event_unused", 6, "warning"),
        ((", Parcel Delivered", ""), "event_without_source", None, "warning"),
        (("Order Completed,", "{name: {join: ['-']}}, Order Completed,"), "bad_event_name", 6, "error"),
        (("ids: {user: customer}\n", ""), "nothing_to_tie", 1, "warning"),
        (("key: order_id\n", ""), "no_key", 1, "warning"),
        (("orders.csv", "orders.dat"), "unknown_format", 2, "error"),
        (("source: orders", "source: ../orders"), "bad_source_id", 1, "error"),
        (("events: [", "events: ["), None, None, None),
    ],
)
def test_each_fault_stands_on_its_line(acme, change, code, line, level) -> None:
    found = faults(acme, GOOD.replace(*change))
    if code is None:
        assert found == {}
    else:
        assert found.get(code) == (line, level)


def test_a_near_word_is_suggested(acme) -> None:
    acme.source("orders", GOOD.replace("ids:", "fields: {amonut: c}\nids:"))
    (fault,) = [one for one in check_sources(acme.folder, acme.blueprint, acme.settings) if one.code == "unknown_field"]
    assert "“amount”" in fault.remedy.en
    assert "« amount »" in fault.remedy.fr


def test_all_errors_of_all_files_are_raised_together(acme) -> None:
    acme.source("orders", GOOD.replace("time: at\n", ""))
    acme.source("broken", "source: [")
    acme.source("twice", GOOD)
    acme.source("twice2", GOOD)
    with pytest.raises(ParcoursError) as caught:
        read_sources(acme.folder, acme.blueprint, acme.settings)
    assert {fault.code for fault in caught.value.faults} == {"event_without_time", "yaml_malformed", "source_twice"}


def test_check_looks_at_the_files_that_are_there(acme) -> None:
    acme.source("orders", GOOD)
    acme.data("orders.csv", "order_id,at,custommer\n1,2,3\n")
    found = [fault for fault in check_sources(acme.folder, acme.blueprint, acme.settings) if fault.level == "error"]
    assert [(fault.code, fault.line) for fault in found] == [("column_missing", 5)]
    assert "“custommer”" in found[0].remedy.en


def test_no_source_is_a_warning(acme) -> None:
    (acme.folder / "sources" / "orders.yaml").unlink()
    assert [fault.code for fault in check_sources(acme.folder, acme.blueprint, acme.settings)] == ["no_sources"]


def told(acme, text: str, code: str):
    acme.source("orders", text)
    found = check_sources(acme.folder, acme.blueprint, acme.settings)
    return next(one for one in found if one.code == code)


def test_a_remedy_without_a_near_word_names_what_to_declare_and_what_there_is(acme) -> None:
    fault = told(acme, GOOD.replace("ids:", "consent: {offres: {column: c, yes: [x]}}\nids:"), "unknown_purpose")
    assert fault.remedy.fr == "Déclarez « offres » dans le plan, ou choisissez parmi : improve."
    assert fault.remedy.en == "Declare “offres” in the blueprint, or choose one of: improve."


@pytest.mark.parametrize(("format", "why"), [("JJ/MM/AAAA", "il lui faut"), ("%d/%m/%Q", "%Q y est inconnu")])
def test_a_date_format_that_will_not_do_says_why(acme, format, why) -> None:
    fault = told(acme, GOOD.replace("time: at", f"time: {{column: at, format: '{format}'}}"), "bad_date_format")
    assert f"« {format} » ne convient pas : {why}" in fault.sentence.fr


def test_an_event_that_a_broken_source_may_give_is_not_missed(acme) -> None:
    acme.source("orders", GOOD.replace(", Parcel Delivered", ""))
    acme.source("parcels", "source: [")
    found = {fault.code for fault in check_sources(acme.folder, acme.blueprint, acme.settings)}
    assert "yaml_malformed" in found
    assert "event_without_source" not in found
