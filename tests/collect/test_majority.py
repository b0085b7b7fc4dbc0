"""A file whose rows are mostly wrong for one reason stops its source, and only then."""

from __future__ import annotations

import pytest

from parcours.collect.reading import check_sources
from parcours.errors import ParcoursError


def edit(acme, old: str, new: str) -> None:
    text = (acme.folder / "sources" / "orders.yaml").read_text()
    assert old in text
    acme.source("orders", text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("time: {column: at}", 'time: {column: at, format: "%d/%m/%Y"}', 4, ("“at”", "2026-01-05T10:00:00Z", "%d/%m")),
        ("csv: {}", 'csv: {decimal: "."}', 8, ("“cents”", "19;90", "decimal", 'csv: {decimal: ","}')),
    ],
)
def test_a_wrong_format_stops_the_source_and_leaves_what_was_there(acme, old, new, line, told) -> None:
    acme.orders(*(acme.order(i) for i in range(30)))
    acme.load()
    before = acme.events()
    if old == "csv: {}":
        acme.source("orders", (acme.folder / "sources" / "orders.yaml").read_text() + "csv: {}\n")
        acme.orders(*(acme.order(i, cents="19;90") for i in range(30)))
    edit(acme, old, new)
    (checked,) = [one for one in check_sources(acme.folder, acme.blueprint, acme.settings) if one.level == "error"]
    with pytest.raises(ParcoursError) as caught:
        acme.load()
    (fault,) = caught.value.faults
    for one in (checked, fault):
        assert (one.code, one.line) == ("most_rows_unreadable", line)
        assert one.file.endswith("sources/orders.yaml")
        assert all(part in f"{one.sentence.en} {one.remedy.en}" for part in told)
    assert acme.events() == before
    assert acme.quarantined() == []


@pytest.mark.parametrize(("good", "bad", "stops"), [(15, 15, False), (14, 15, True), (0, 19, False), (0, 20, True)])
def test_more_than_half_of_at_least_twenty_rows_stop_a_source(acme, good, bad, stops) -> None:
    rows = [acme.order(i) for i in range(good)] + [acme.order(100 + i, at="05/13/2026") for i in range(bad)]
    acme.orders(*rows)
    if stops:
        with pytest.raises(ParcoursError) as caught:
            acme.load()
        assert caught.value.code == "most_rows_unreadable"
    else:
        assert acme.load().counts.quarantined == bad


def test_an_example_that_may_name_somebody_is_not_shown(acme) -> None:
    edit(acme, "time: {column: at}", "time: {column: email}")
    acme.orders(*(acme.order(i) for i in range(30)))
    with pytest.raises(ParcoursError) as caught:
        acme.load()
    assert "example.org" not in str(caught.value)
    assert "“email”" in caught.value.faults[0].sentence.en
