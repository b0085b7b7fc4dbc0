"""The forest plot: direction follows what is worse, the zero line stands, the table says the same."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from parcours.charts.causes import CauseRow, draw_causes

SVG = "{http://www.w3.org/2000/svg}"


def row(effect: float, low: float, high: float, less_is_worse: bool = False) -> CauseRow:
    """Return an effect."""
    return CauseRow(
        label="Délai <x>", owner="Transport", effect=effect, low=low, high=high, n=10, less_is_worse=less_is_worse
    )


@pytest.mark.parametrize(
    ("cause", "direction"),
    [
        (row(-0.5, -0.6, -0.4), "hurts"),
        (row(0.5, 0.4, 0.6), "helps"),
        (row(0.5, 0.4, 0.6, less_is_worse=True), "hurts"),
        (row(-0.1, -0.3, 0.1), ""),
    ],
)
def test_direction_needs_an_interval_without_zero(cause: CauseRow, direction: str) -> None:
    assert cause.direction == direction


def test_whiskers_span_the_interval_around_the_zero_line() -> None:
    chart = draw_causes("Effets", "points", [row(-0.5, -0.6, -0.4), row(0.1, -0.1, 0.3)], "fr", 2)
    root = ElementTree.fromstring(chart.svg)
    spans = [p.get("d", "")[1:].split("L") for p in root.iter(f"{SVG}path") if "whisker" in p.get("class", "")]
    ends = [(float(a.split()[0]), float(b.split()[0])) for a, b in spans[::3]]
    zero = next(float(p.get("d", "")[1:].split()[0]) for p in root.iter(f"{SVG}path") if p.get("class") == "zero")
    assert ends[0][0] < ends[0][1] < zero
    assert ends[1][0] < zero < ends[1][1]
    cells = [cell.text for cell in ElementTree.fromstring(chart.table).findall(".//tbody/tr")[0]]
    assert cells == ["Délai <x>", "Transport", "−0,50", "−0,60\u00a0à\u00a0−0,40", "10", "observée (va de pair)"]
