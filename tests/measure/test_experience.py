"""Experience end to end: small companies in Parquet, asked through DuckDB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parcours.blueprint.records import Blueprint
from parcours.errors import ParcoursError
from parcours.measure.contract import Ask
from parcours.measure.experience import MEASURE


def _answers(touchpoint: int, scores: list[float], day: float = 1.0, first: int = 0) -> list[Any]:
    return [(first + i, touchpoint, day, score) for i, score in enumerate(scores)]


def test_each_touchpoint_has_its_score_interval_and_counts(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    journeys = [[(0, 1.0), (1, 2.0)] for _ in range(40)]
    rows = make_rows(journeys, _answers(0, [5.0] * 15 + [2.0] * 5) + _answers(1, [10.0] * 10 + [3.0] * 10, day=2.0))
    result = MEASURE.compute(Ask(rows, blueprint))
    csat, nps, ces = result.rows[:3]
    assert (csat["touchpoint"], csat["metric"], csat["score"], csat["n"]) == ("t0", "csat", 0.75, 20)
    assert (csat["low"], csat["high"]) == pytest.approx((0.5313, 0.8881), abs=5e-5)
    assert (csat["visits"], csat["response_rate"], csat["mean_score"]) == (40, 0.5, 4.25)
    assert csat["distribution"] == {"2": 5, "5": 15}
    assert (nps["score"], nps["unit"], nps["state"]) == (0.0, "points", "measured")
    assert (ces["score"], ces["n"], ces["state"]) == (None, 0, "no_answers")
    assert result.n == 40
    assert "experience_answers" in result.sql


def test_few_answers_give_no_number_and_say_so(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    result = MEASURE.compute(Ask(make_rows([[(0, 1.0)]], _answers(0, [5.0] * 9)), blueprint))
    assert (result.rows[0]["score"], result.rows[0]["low"], result.rows[0]["n"]) == (None, None, 9)
    assert result.rows[0]["state"] == "too_few_answers"
    assert "10 answers" in result.warnings[-1].en


def test_many_answers_of_few_customers_are_too_few(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    answers = [(i % 4, 0, float(i), 5.0) for i in range(40)]
    assert MEASURE.compute(Ask(make_rows([], answers), blueprint)).rows[0]["state"] == "too_few_answers"


def test_without_answers_it_says_what_to_collect(
    make_rows: Callable[..., Any], blueprint_asking: Callable[..., Blueprint]
) -> None:
    silent = MEASURE.compute(Ask(make_rows([[(0, 1.0)]]), blueprint_asking(None, None)))
    assert silent.rows == ()
    assert "Ask one question" in silent.warnings[0].en
    assert "Posez une question" in silent.warnings[0].fr
    listed = MEASURE.compute(Ask(make_rows([[(0, 1.0)]]), blueprint_asking("csat", None)))
    assert [(row["touchpoint"], row["score"], row["n"]) for row in listed.rows] == [("t0", None, 0)]
    assert "Ask one question" in listed.warnings[0].en


def test_touchpoints_that_ask_nothing_are_named(
    make_rows: Callable[..., Any], blueprint_asking: Callable[..., Blueprint]
) -> None:
    rows = make_rows([], _answers(0, [4.0] * 12))
    result = MEASURE.compute(Ask(rows, blueprint_asking("csat", None)))
    assert "t1" in result.warnings[0].en


def test_answers_of_a_touchpoint_that_no_longer_asks_are_left_out(
    make_rows: Callable[..., Any], blueprint_asking: Callable[..., Blueprint]
) -> None:
    rows = make_rows([], _answers(0, [4.0] * 12) + _answers(1, [4.0] * 12))
    assert MEASURE.compute(Ask(rows, blueprint_asking("csat", None))).n == 12


def test_a_channel_pools_its_touchpoints_of_one_metric(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    rows = make_rows([], _answers(0, [5.0] * 10) + _answers(4, [1.0] * 10, first=20) + _answers(2, [3.0, 5.0] * 6))
    found = {(row["channel"], row["metric"]): row for row in MEASURE.compute(Ask(rows, blueprint, "channel")).rows}
    assert found["web", "csat"]["score"] == 0.5
    assert found["web", "csat"]["touchpoint"] is None
    assert found["web", "ces"]["score"] == 4.0


def test_groups_split_and_cross_with_touchpoints(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    groups = ["a" if i < 12 else "b" if i < 24 else None for i in range(36)]
    rows = make_rows([[(0, 1.0)] for _ in range(36)], _answers(0, [5.0] * 12 + [1.0] * 12 + [4.0] * 12), groups)
    split = MEASURE.compute(Ask(rows, blueprint, "group:segment"))
    assert [(row["group"], row["score"], row["visits"]) for row in split.rows] == [
        ("a", 1.0, 12), ("b", 0.0, 12), (None, 1.0, 12),
    ]  # fmt: skip
    crossed = MEASURE.compute(Ask(rows, blueprint, "touchpoint,group:segment"))
    assert [(row["group"], row["touchpoint"]) for row in crossed.rows] == [("a", "t0"), ("b", "t0"), (None, "t0")]


def test_an_arrow_needs_an_interval_that_leaves_zero_out(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    answers = []
    for week, satisfied in enumerate((30, 27, 6)):
        answers += _answers(0, [5.0] * satisfied + [1.0] * (40 - satisfied), day=7.0 * week + 1, first=100 * week)
    rows = MEASURE.compute(Ask(make_rows([], answers), blueprint, "week")).rows
    weeks = [row for row in rows if row["touchpoint"] == "t0"]
    assert [row["week"] for row in weeks] == ["2026-01-05", "2026-01-12", "2026-01-19"]
    assert [row["arrow"] for row in weeks] == [None, None, "down"]
    assert weeks[0]["change"] is None
    assert weeks[1]["change_low"] < 0 < weeks[1]["change_high"]
    assert weeks[2]["change"] == pytest.approx(-21 / 40)


def test_an_answer_counts_in_the_week_of_its_touch(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    rows = make_rows([[(0, 6.9)] for _ in range(12)], _answers(0, [5.0] * 12, day=6.9))
    assert MEASURE.compute(Ask(rows, blueprint, "week")).rows[0]["response_rate"] == 1.0


def test_shrinkage_pulls_like_touchpoints_together(
    make_rows: Callable[..., Any], blueprint_asking: Callable[..., Blueprint], random: np.random.Generator
) -> None:
    answers = []
    for touchpoint in range(6):
        drawn = np.where(random.random(12 + 30 * touchpoint) < 0.7, 5.0, 1.0)
        answers += _answers(touchpoint, drawn.tolist())
    rows = MEASURE.compute(Ask(make_rows([], answers), blueprint_asking(*["csat"] * 6))).rows
    scores, shrunken = ([row[name] for row in rows] for name in ("score", "shrunken"))
    assert np.ptp(shrunken) < np.ptp(scores)
    assert all(row["shrunken_low"] <= row["shrunken"] <= row["shrunken_high"] for row in rows)


def test_planted_satisfaction_is_covered_when_customers_answer_often(
    make_rows: Callable[..., Any], blueprint: Blueprint, random: np.random.Generator
) -> None:
    covered = []
    for _ in range(40):
        rate = random.beta(2, 2, 60)
        answers = [
            (i, 0, float(j), 5.0 if random.random() < rate[i] else 1.0) for i in range(60) for j in range(1 + i % 5)
        ]
        row = MEASURE.compute(Ask(make_rows([], answers), blueprint)).rows[0]
        covered.append(row["low"] <= 0.5 <= row["high"])
    assert sum(covered) >= 34


def test_an_unknown_split_is_refused_with_those_that_exist(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    with pytest.raises(ParcoursError) as caught:
        MEASURE.compute(Ask(make_rows([]), blueprint, "colour"))
    assert caught.value.code == "unknown_split"
    assert "touchpoint,group:segment" in caught.value.faults[0].remedy.en


def test_two_answers_to_one_visit_are_one_response(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    rows = make_rows([[(0, 1.0)] for _ in range(20)], _answers(0, [5.0] * 10) + _answers(0, [4.0] * 10))
    row = MEASURE.compute(Ask(rows, blueprint)).rows[0]
    assert (row["n"], row["visits"], row["response_rate"]) == (20, 20, 0.5)
