"""The trend: a gap stays a gap, the promise has its line, the table has every week."""

from __future__ import annotations

from xml.etree import ElementTree

from parcours.charts.trend import TrendPoint, draw_trend

SVG = "{http://www.w3.org/2000/svg}"
WEEK_MS = 7 * 86_400_000


def points(*weeks: int) -> list[TrendPoint]:
    """Return one point a week."""
    return [TrendPoint(start_ms=week * WEEK_MS, score=0.7, low=0.6, high=0.8, n=50) for week in weeks]


def test_a_missing_week_breaks_the_curve() -> None:
    whole = draw_trend("CSAT", "csat", points(1, 2, 3, 4, 5), "fr").svg
    broken = draw_trend("CSAT", "csat", points(1, 2, 3, 6, 7), "fr").svg
    assert whole.count('class="band"') == 1
    assert broken.count('class="band"') == 2


def test_every_other_week_is_never_bridged() -> None:
    svg = draw_trend("CSAT", "csat", points(1, 3, 5, 7), "fr").svg
    assert svg.count('class="band"') == 0
    assert svg.count('class="whisker"') == 4


def test_a_week_alone_keeps_its_interval() -> None:
    svg = draw_trend("CSAT", "csat", points(1, 2, 3, 6), "fr").svg
    assert svg.count('class="whisker"') == 1


def test_the_promise_and_every_week_are_there() -> None:
    chart = draw_trend("CSAT", "csat", points(1, 2, 3), "fr", promise=0.85)
    assert "Promesse\u00a0: 85\u202f%" in chart.svg
    root = ElementTree.fromstring(chart.table)
    assert [row.findtext("th") for row in root.findall(".//tbody/tr")] == [
        "8\u00a0janv.\u00a01970",
        "15\u00a0janv.\u00a01970",
        "22\u00a0janv.\u00a01970",
    ]
    assert (ElementTree.fromstring(chart.svg).findtext(f"{SVG}desc") or "").startswith("De 70\u202f%")
