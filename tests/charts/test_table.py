"""Table twins are real tables."""

from __future__ import annotations

from xml.etree import ElementTree

from parcours.charts.table import Cell, draw_table


def test_headings_have_scopes_and_numbers_their_class() -> None:
    table = draw_table(
        "Légende & co", [Cell("A"), Cell("n", number=True)], [[Cell("x", "/x?a=1&b=2"), Cell("3", number=True)]]
    )
    root = ElementTree.fromstring(table)
    assert root.get("tabindex") == "0"
    assert root.findtext("table/caption") == "Légende & co"
    assert [th.get("scope") for th in root.iter("th")] == ["col", "col", "row"]
    assert root.find(".//tbody/tr/th/a").get("href") == "/x?a=1&b=2"  # type: ignore[union-attr]
    assert root.find(".//tbody/tr/td").get("class") == "num"  # type: ignore[union-attr]
