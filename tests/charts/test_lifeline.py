"""The life of a customer: both sides stand apart, events about one object are tied, the table has every event."""

from __future__ import annotations

from xml.etree import ElementTree

from parcours.charts.lifeline import MOST, Moment, draw_lifeline

SVG = "{http://www.w3.org/2000/svg}"
DAY = 86_400_000


def moment(day: float, lane: str, behind: bool = False, *ties: str) -> Moment:
    return Moment(at_ms=int(day * DAY), behind=behind, lane=lane, label=f"{lane} <{day}>", ties=ties)


def test_work_stands_below_the_line_and_touches_above() -> None:
    moments = [moment(3, "shop"), moment(2, "carrier", True, "order 1"), moment(1, "web", False, "order 1")]
    root = ElementTree.fromstring(draw_lifeline("Vie", moments, "fr").svg)
    path = next(one.get("d", "") for one in root.iter(f"{SVG}path") if one.get("class") == "line-visibility")
    height = float(path[1:].split("L")[0].split()[1])
    assert all(float(one.get("cy", "0")) < height for one in root.iter(f"{SVG}circle"))
    assert [float(one.get("y", "0")) > height for one in root.iter(f"{SVG}rect")] == [True]
    ties = [one for one in root.iter(f"{SVG}path") if one.get("class") == "tie"]
    assert len(ties) == 1
    assert "2 contacts" in (root.findtext(f"{SVG}desc") or "")


def test_the_latest_are_drawn_from_left_to_right_and_the_table_has_all() -> None:
    moments = [moment(day, "web") for day in range(MOST + 20, 0, -1)]
    chart = draw_lifeline("Life", moments, "en")
    root = ElementTree.fromstring(chart.svg)
    places = [float(one.get("cx", "0")) for one in root.iter(f"{SVG}circle")]
    assert len(places) == MOST
    assert places == sorted(places)
    assert chart.table.count("<tr>") == MOST + 21
    assert "&lt;3&gt;" in chart.table


def test_a_long_time_of_nothing_is_marked() -> None:
    near, far = ([moment(days, "web"), moment(0, "web")] for days in (13, 15))
    assert "column-rule" not in draw_lifeline("a", near, "en").svg
    assert "column-rule" in draw_lifeline("a", far, "en").svg
    assert draw_lifeline("nothing", [], "en").table.count("<tr>") == 1
