"""Bars: the undecided are drawn apart from the lost, and scores keep their counts."""

from __future__ import annotations

from xml.etree import ElementTree

from parcours.charts.bars import LABEL_WIDTH, WIDTH, Bin, StageBar, draw_distribution, draw_stages

SVG = "{http://www.w3.org/2000/svg}"


def test_the_three_fates_fill_the_bar_in_proportion() -> None:
    bars = [
        StageBar(label="Achat", entered=100, moved_on=60, left=10, under_way=30, median_ms=3_600_000, low=1e6, high=5e6)
    ]
    chart = draw_stages("Étapes", bars, "fr")
    rects = list(ElementTree.fromstring(chart.svg).iter(f"{SVG}rect"))[3:]
    widths = {rect.get("class"): float(rect.get("width", 0)) + 1.5 for rect in rects}
    assert abs(sum(widths.values()) - (WIDTH - LABEL_WIDTH - 8)) < 1  # the largest entry fills the room
    assert abs(widths["bar"] / widths["bar-soft"] - 2) < 0.01
    assert abs(widths["bar-soft"] / widths["bar-left"] - 3) < 0.05
    cells = [cell.text for cell in ElementTree.fromstring(chart.table).findall(".//tbody/tr")[0]]
    assert cells == ["Achat", "100", "60", "10", "30", "1,0\u00a0h", "17\u00a0min\u00a0à\u00a01,4\u00a0h"]


def test_a_stage_that_nobody_entered_divides_by_nothing() -> None:
    chart = draw_stages("Stages", [StageBar(label="A", entered=0, moved_on=0, left=0, under_way=0)], "en")
    assert "—" in chart.svg


def test_the_distribution_counts_every_answer() -> None:
    chart = draw_distribution("Notes", [Bin("1", 10, 1), Bin("2", 0, 3), Bin("3", 30, 5)], "fr")
    rows = ElementTree.fromstring(chart.table).findall(".//tbody/tr")
    assert [[cell.text for cell in row][1:] for row in rows] == [
        ["10", "25,0\u202f%"],
        ["0", "0,0\u202f%"],
        ["30", "75,0\u202f%"],
    ]
