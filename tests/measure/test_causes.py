"""Tests of causes: planted effects come back through the SQL, and where nothing can be said a sentence says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from parcours.blueprint.records import (
    Blueprint,
    Channel,
    Company,
    EventMatch,
    Experience,
    Operation,
    OperationMeasure,
    Panel,
    Promise,
    Purpose,
    Stage,
    Team,
    Touchpoint,
)
from parcours.measure.causes import MEASURE, compute, rank_rows
from parcours.measure.contract import Ask, Result
from parcours.simulate.design import MEETINGS, WORKS
from parcours.simulate.panel import Draw, draw
from parcours.words import Words

WEEK_MS = 7 * 86_400_000
START_MS = 1_767_571_200_000
"""2026-01-05, a Monday."""


def both(text: str) -> Words:
    return Words(fr=text, en=text)


def make_blueprint(panel: Panel | None) -> Blueprint:
    """The part of the simulated firm's blueprint that causes need, from the planted design."""
    touchpoints = tuple(
        Touchpoint(
            id=meeting.id,
            label=both(meeting.id),
            stage="use",
            channel="web",
            owner="care",
            events=(EventMatch(name=meeting.id),),
            promise=Promise(label=both("on time"), metric="carrier_delay", at_most=24.0),
            experience=Experience(
                metric="csat", event=EventMatch(name="Answered"), field="score", scale=tuple(map(float, meeting.scale))
            ),
        )
        for meeting in MEETINGS
    )
    operations = tuple(
        Operation(
            id=work.id,
            label=both(work.id),
            owner="logistics",
            measure=OperationMeasure(unit=work.unit, count=work.kind == "count"),
            supports=tuple(meeting.id for meeting in MEETINGS if work.id in meeting.direct),
            follows=tuple(work.follows),
        )
        for work in WORKS
    )
    return Blueprint(
        company=Company(id="acme", label=both("Acme")),
        stages=(Stage(id="use", label=both("use")),),
        channels=(Channel(id="web", label=both("web"), kind="digital"),),
        teams=(Team(id="care", label=both("care")), Team(id="logistics", label=both("logistics"))),
        touchpoints=touchpoints,
        operations=operations,
        purposes=(Purpose(id="improve", label=both("improve"), basis="legitimate_interest"),),
        panel=panel,
    )


def write_tables(drawn: Draw, customers: int = 9_000) -> dict[str, dict[str, Any]]:
    """Write a draw as the tables that one purpose may see: one event a cell, or as many as a count says."""
    random = np.random.default_rng(drawn.seed)
    touches: dict[str, list[Any]] = {key: [] for key in ("customer", "occurred_ms", "touchpoint", "site")}
    answers: dict[str, list[Any]] = {key: [] for key in (*touches, "score", "touch_ms")}
    for number, visits in enumerate(drawn.visits.values()):
        who = random.integers(0, customers, len(visits.site))
        moment = START_MS + visits.week * WEEK_MS + random.integers(0, WEEK_MS, len(visits.week))
        columns = {
            "customer": who,
            "occurred_ms": moment,
            "touchpoint": np.full(len(who), number),
            "site": np.char.add("s", visits.site.astype(str)),
        }
        for key, values in columns.items():
            touches[key] += values.tolist()
            answers[key] += values[visits.answered].tolist()
        answers["touch_ms"] += moment[visits.answered].tolist()
        answers["score"] += visits.score[visits.answered].tolist()
    answers["occurred_ms"] = [at + 3 * WEEK_MS for at in answers["occurred_ms"]]
    return {
        "touches": touches,
        "answers": answers,
        "operations": write_operations(drawn),
        "customers": {"customer": list(range(customers)), "value_cents": [10_000] * customers},
    }


def write_operations(drawn: Draw) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {key: [] for key in ("operation", "occurred_ms", "site", "value")}
    for number, work in enumerate(WORKS):
        values = drawn.operations[work.id]
        site, week = (axis.ravel() for axis in np.indices(values.shape))
        times = values.ravel().astype(int) if work.kind == "count" else np.ones(values.size, int)
        table["operation"] += [number] * int(times.sum())
        table["occurred_ms"] += (START_MS + np.repeat(week, times) * WEEK_MS).tolist()
        table["site"] += np.char.add("s", np.repeat(site, times).astype(str)).tolist()
        table["value"] += ([1.0] * int(times.sum())) if work.kind == "count" else values.ravel().tolist()
    return table


@pytest.fixture(scope="module")
def drawn() -> Draw:
    return draw(7)


@pytest.fixture
def answered(drawn: Draw, open_rows: Callable[..., Any]) -> Result:
    return compute(Ask(open_rows(**write_tables(drawn)), make_blueprint(Panel(site="store", period="week"))))


def test_the_planted_top_three_lead_and_truth_lies_inside_the_intervals(drawn: Draw, answered: Result) -> None:
    ranges = {meeting.id: meeting.scale[1] - meeting.scale[0] for meeting in MEETINGS}
    truth = {(planted.touchpoint, planted.operation): planted for planted in drawn.truth}
    worst = sorted(truth, key=lambda pair: truth[pair].effect / ranges[pair[0]])[:3]
    assert {(row["touchpoint"], row["operation"]) for row in answered.rows[:3]} == set(worst)
    assert {(row["touchpoint"], row["operation"]) for row in answered.rows} == set(truth)
    held = [row["low"] <= truth[row["touchpoint"], row["operation"]].effect <= row["high"] for row in answered.rows]
    assert sum(held) >= len(held) - 3
    first = answered.rows[0]
    planted = truth[first["touchpoint"], first["operation"]]
    assert first["unit"] == planted.unit
    assert first["effect_natural"] == pytest.approx(first["effect"] / first["sd"])
    assert planted.effect_natural * first["sd"] == pytest.approx(planted.effect, rel=1e-9)


def test_rows_hold_what_others_rely_on(answered: Result) -> None:
    keys = "touchpoint operation effect low high unit grade n customers value owner line direct robustness settle"
    for row in answered.rows:
        assert set(keys.split()) <= set(row)
        assert {column.name for column in answered.columns} <= set(row)
        assert row["grade"] == "observed"
        assert row["why"] is None
        assert row["harm_at_least"] < row["harm"]
        assert row["settle"]["fr"] != row["settle"]["en"]
        assert 0 < row["robustness"] < 1
        assert 0 < row["customers"] < 9_000
        assert row["value"] == row["customers"] * 100
    assert [row["rank"] for row in answered.rows] == list(range(1, len(answered.rows) + 1))
    assert msgspec.json.decode(msgspec.json.encode(answered), type=Result).rows == answered.rows
    assert "-- panel_visits" in answered.sql
    assert MEASURE.compute is compute


def test_direct_and_held_equal_follow_the_arrows(answered: Result) -> None:
    rows = {(row["touchpoint"], row["operation"]): row for row in answered.rows}
    through = rows["delivery", "picking_delay"]
    assert not through["direct"]
    assert "carrier_delay" not in through["held_equal"]
    assert "stock_gaps" in through["held_equal"]
    assert rows["delivery", "carrier_delay"]["direct"]
    assert rows["delivery", "carrier_delay"]["promise"] == {"fr": "on time", "en": "on time"}
    assert through["promise"] is None


def test_the_caution_about_feelings_is_told(answered: Result) -> None:
    assert any("are overstated" in warning.en and "sont surestimés" in warning.fr for warning in answered.warnings)


def test_without_a_site_the_period_alone_is_used_and_said(drawn: Draw, open_rows: Callable[..., Any]) -> None:
    tables = write_tables(drawn)
    result = compute(Ask(open_rows(**tables), make_blueprint(None)))
    assert all(row["unit"].endswith("per within-period SD") for row in result.rows)
    assert any("no site" in warning.en and "pas de site" in warning.fr for warning in result.warnings)
    assert all(row["sites"] is None and row["clusters"] >= 40 for row in result.rows if row["effect"] is not None)


def test_operations_without_a_site_get_a_sentence_and_no_number(drawn: Draw, open_rows: Callable[..., Any]) -> None:
    tables = write_tables(drawn)
    central = [work.id for work in WORKS].index("it_incidents")
    operations = tables["operations"]
    operations["site"] = [
        None if code == central else site
        for code, site in zip(operations["operation"], operations["site"], strict=True)
    ]
    result = compute(Ask(open_rows(**tables), make_blueprint(Panel(site="store", period="week"))))
    silent = [row for row in result.rows if row["operation"] == "it_incidents"]
    assert silent
    for row in silent:
        assert row["effect"] is None
        assert row["grade"] is None
        assert "names no site" in row["why"]["en"]
        assert "aucun site" in row["why"]["fr"]
    assert result.rows[0]["effect"] is not None
    assert any("no number" in warning.en for warning in result.warnings)


def test_four_sites_are_too_few_and_the_sentence_says_how_many_more(open_rows: Callable[..., Any]) -> None:
    drawn = draw(3, visits=4_000, sites=4, weeks=30)
    result = compute(Ask(open_rows(**write_tables(drawn, 500)), make_blueprint(Panel(site="store", period="week"))))
    assert all(row["effect"] is None for row in result.rows)
    assert all(
        "4 sites are too few" in row["why"]["en"] and "at least 1 more" in row["why"]["en"] for row in result.rows
    )


def test_nothing_at_all_gives_sentences(open_rows: Callable[..., Any]) -> None:
    result = compute(Ask(open_rows(), make_blueprint(Panel(site="store"))))
    assert result.n == 0
    assert result.rows
    assert all(row["effect"] is None and row["why"]["fr"] for row in result.rows)


def test_without_a_scored_touchpoint_the_remedy_is_said(open_rows: Callable[..., Any]) -> None:
    blueprint = make_blueprint(Panel(site="store"))
    silent = tuple(msgspec.structs.replace(touchpoint, experience=None) for touchpoint in blueprint.touchpoints)
    result = compute(Ask(open_rows(), msgspec.structs.replace(blueprint, touchpoints=silent)))
    assert result.rows == ()
    assert "experience" in result.warnings[0].en


def test_rows_without_a_number_rank_last() -> None:
    rows = [{"touchpoint": "t", "harm_at_least": harm} for harm in (None, -0.01, 0.02, 0.0, 0.05)]
    rank_rows(rows)
    assert [row["harm_at_least"] for row in rows] == [0.05, 0.02, 0.0, -0.01, None]
    assert [row["rank_at_touchpoint"] for row in rows] == [1, 2, 3, 4, 5]
