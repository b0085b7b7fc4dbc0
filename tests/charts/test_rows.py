"""Rows as tables: bounds take the digits of their estimate, units and ids are said in words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from parcours.charts.rows import draw_rows, find_leads, say_id, say_unit
from parcours.measure import measure_named
from parcours.measure.contract import Column, Result
from parcours.words import Words

SAID = Words("Dit", "Said")
ESTIMATE = tuple(Column(name, SAID, "number") for name in ("effect", "low", "high"))


def make(columns: tuple[Column, ...], *rows: dict[str, Any]) -> Result:
    return Result(
        measure="m", question=SAID, unit=SAID, period=None, n=1, columns=columns, rows=rows, definition=SAID,
        sql="select 1", method=SAID, purpose="p",
    )  # fmt: skip


def cells(html: str) -> list[list[str]]:
    body = html.partition("<tbody>")[2]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body.split("</tr>") if row.startswith("<tr>")]


def test_an_interval_takes_the_digits_of_its_estimate() -> None:
    row = {"effect": -0.412, "low": -0.43, "high": -0.013, "unit": "points"}
    assert cells(draw_rows(make(ESTIMATE, row), {}, "en")) == [["−0.41", "−0.43", "−0.01"]]


def test_each_unit_has_its_own_digits() -> None:
    hours = {"effect": 110.3, "low": 109.2, "high": 111.4, "unit": "h"}
    share = {"effect": 0.581, "low": 0.573, "high": 0.589, "unit": "share"}
    found = cells(draw_rows(make(ESTIMATE, hours, share), {}, "en"))
    assert found == [["110", "109", "111"], ["0.58", "0.57", "0.59"]]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_durations_that_differ_do_not_read_the_same(language: Any) -> None:
    columns = tuple(Column(name, SAID, "milliseconds") for name in ("median_ms", "low", "high"))
    row = {"median_ms": 14.0 * 86_400_000, "low": 13.8 * 86_400_000, "high": 14.3 * 86_400_000}
    ((median, low, high),) = cells(draw_rows(make(columns, row), {}, language))
    assert len({median, low, high}) == 3


@pytest.mark.parametrize("name", ["causes", "promises", "journey", "stakes"])
def test_the_bounds_of_every_measure_follow_an_estimate_of_their_kind(name: str) -> None:
    columns = measure_named(name).columns
    kinds = {column.name: column.kind for column in columns}
    leads = find_leads(columns)
    assert leads["low"] == leads["high"] not in ("low", "high")
    assert all(kinds[column] == kinds[lead] for column, lead in leads.items())


def test_the_unit_of_causes_is_said_in_french() -> None:
    unit = "points (0–10) per within-site-and-week SD"
    assert say_unit(unit, "fr") == "points (0–10) pour un écart-type, à site et semaine égaux"
    assert say_unit("points (1–5) per within-period SD", "fr").endswith("écart-type, à période égale")
    assert say_unit(unit, "en") == unit
    assert (say_unit("share", "fr"), say_unit("par 100 articles", "fr")) == ("part", "par 100 articles")


def test_states_and_grades_are_said_and_a_label_comes_first() -> None:
    assert say_id("kept", "broken", {}, "fr") == "non tenue"
    assert say_id("grade", "observed", {}, "en") == "observed (goes with)"
    assert say_id("stage", "kept", {"stage:kept": Words("Gardé", "Held")}, "en") == "Held"


@pytest.mark.parametrize("id", ["last_stage", "median_not_reached", "nobody", "(start)", "(end)"])
def test_every_state_is_said_in_french(id: str) -> None:
    assert say_id("state", id, {}, "fr") not in (id, say_id("state", id, {}, "en"))
