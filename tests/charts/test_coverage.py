"""Tests of the picture of coverage: bars of one length split by what customers allow, and the same as a table."""

from __future__ import annotations

import re

from parcours.charts.coverage import BARS as START
from parcours.charts.coverage import WIDTH, CoverageBar, draw_coverage

BARS = (
    CoverageBar(label="All", n=1000, allowed=310, silent=400, expired=40, refused=190, withdrawn=50, restricted=10),
    CoverageBar(label="Store <1>", n=200, allowed=200),
    CoverageBar(label="Nobody", n=0, allowed=0),
)


def widths(svg: str, css: str) -> list[float]:
    """Return how wide each rectangle of a class is drawn, the gap beside it included, without the legend."""
    found = re.findall(rf'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"[^>]*class="{css}"', svg)
    return [float(width) + 1.5 for _, y, width in found if float(y) > 30]


def test_bars_share_their_length_by_counts() -> None:
    svg = draw_coverage("Who allows it", "Channel", BARS, "en").svg
    room = WIDTH - START
    assert [round(one / room, 2) for one in widths(svg, "bar")] == [0.31, 1.0]
    assert [round(one / room, 2) for one in widths(svg, "bar-none")] == [0.4]
    assert [round(one / room, 2) for one in widths(svg, "bar-soft")] == [0.04]
    assert [round(one / room, 2) for one in widths(svg, "bar-left")] == [0.25]
    assert "310 of 1,000 customers" in svg
    assert "Store &lt;1&gt;" in svg


def test_the_table_says_every_count_and_the_share() -> None:
    chart = draw_coverage("Qui la permet", "Canal", BARS, "fr")
    first, second, third = re.findall(r"<tr>(.*?)</tr>", chart.table)[1:]
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", first)]
    assert cells == ["All", "31,0\u202f%", "310", "400", "40", "190", "50", "10", "1\u202f000"]
    assert "100,0\u202f%" in second
    # Of nobody no share is told.
    assert "%" not in third
    assert "Retiré" in chart.table
