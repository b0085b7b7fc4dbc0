"""Volumes: a bar an hour that something came, the week before as a line, days in the table."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from parcours.charts.volumes import FLOOR, draw_volumes

SVG = "{http://www.w3.org/2000/svg}"
NOON = 494_000  # an hour, any would do


def paths(svg: str) -> dict[str, list[str]]:
    """Return the paths of a drawing by their class."""
    found: dict[str, list[str]] = {}
    for path in ElementTree.fromstring(svg).iter(f"{SVG}path"):
        found.setdefault(path.get("class", ""), []).append(path.get("d", ""))
    return found


def test_nothing_has_no_bar_and_little_is_still_seen() -> None:
    (bars,) = paths(draw_volumes("Web", [0, 1, 0, 1_000], (), NOON, "fr").svg)["bar"]
    tall = [float(height) for height in re.findall(r"v-([\d.]+)h", bars)]
    assert tall == [1.0, FLOOR]


def test_both_weeks_share_one_scale() -> None:
    drawn = paths(draw_volumes("Web", [50, 50], [100, 0], NOON, "fr").svg)
    assert "v-25h" in drawn["bar"][0]
    assert drawn["before"][0].startswith("M0 50V0h2V50")
    assert "before" not in paths(draw_volumes("Web", [50, 50], (), NOON, "fr").svg)


def test_the_table_tells_days_where_the_company_is() -> None:
    hours = [1] * 24 + [2] * 24
    midnight_utc = 24 * 20_000  # the drawing ends one hour before midnight, UTC
    table = draw_volumes("Web", hours, [3] * 48, midnight_utc - 1, "en", "UTC").table
    assert re.findall(r'<td class="num">([\d,]+)</td>', table) == ["24", "72", "1", "48", "72", "2"]
    shifted = draw_volumes("Web", hours, (), midnight_utc - 1, "en", "Asia/Tokyo").table
    assert len(re.findall(r"<tr>", shifted)) == 4  # three days where it is nine hours later, and the headings
    assert "—" in shifted


def test_an_empty_week_is_drawn_and_said() -> None:
    chart = draw_volumes("Web", [0] * 168, (), NOON, "fr")
    assert "<desc>0 en sept jours.</desc>" in chart.svg
    ElementTree.fromstring(chart.svg)


def test_a_title_that_is_markup_is_escaped() -> None:
    chart = draw_volumes('<script>"', [1], (), NOON, "en")
    assert "<script" not in chart.svg + chart.table
