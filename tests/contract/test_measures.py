"""Every measure keeps the measure contract: columns, intervals, counts, both languages, empty data, splits, JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from parcours.blueprint.records import Blueprint, EventMatch, Operation, OperationMeasure, Panel, Promise
from parcours.errors import ParcoursError
from parcours.measure import MEASURES
from parcours.measure.contract import Ask, Measure, Result
from parcours.words import Words

REQUIRED = {
    "causes": "touchpoint operation effect low high unit grade n customers value",
    "experience": "touchpoint metric score low high n",
    "promises": "touchpoint metric kept value low high kept_share share_low share_high n owner",
    "journey": "stage entered moved_on left under_way median_ms low high",
    "transitions": "source target count share low high",
}
EACH = pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)


@pytest.fixture
def company(blueprint: Blueprint) -> Blueprint:
    """The small company with one operation behind the line, promised upon."""
    label = Words(fr="Délai", en="Delay")
    slow = Operation(
        id="delay", label=label, owner="care", events=(EventMatch(name="D"),), supports=("t0", "t2"),
        measure=OperationMeasure(unit="h", field="hours"),
    )  # fmt: skip
    promises = (
        Promise(label=label, metric="delay", at_most=5.0),
        None,
        Promise(label=label, metric="experience", at_least=5.0),
    )
    touchpoints = tuple(
        msgspec.structs.replace(touchpoint, promise=promise)
        for touchpoint, promise in zip(blueprint.touchpoints, [*promises, None, None, None], strict=True)
    )
    return msgspec.structs.replace(blueprint, operations=(slow,), panel=Panel(period="week"), touchpoints=touchpoints)


@pytest.fixture
def rows(make_rows: Callable[..., Any], random: np.random.Generator) -> Any:
    """A year of 150 customers who answer now and then, and a delay every day."""
    journeys = [
        [(int(t), float(d)) for t, d in zip(random.integers(0, 6, 6), random.uniform(0, 300, 6), strict=True)]
        for _ in range(150)
    ]
    answers = [
        (c, t, d, float(random.integers(1, 6))) for c, journey in enumerate(journeys) for t, d in journey
        if random.random() < 0.6
    ]  # fmt: skip
    groups = [("a", "b", None)[i % 3] for i in range(150)]
    return make_rows(journeys, answers, groups, [(0, day + 0.3, float(random.gamma(2, 2))) for day in range(300)])


def _ask_all(measure: Measure, rows: Any, company: Blueprint) -> list[Result]:
    return [measure.compute(Ask(rows, company, by)) for by in (None, *measure.splits_for(company))]


def _check_words(words: Words) -> None:
    assert words.fr.strip()
    assert words.en.strip()
    assert words.fr != words.en or len(words.fr) < 12


def _check_finite(value: Any) -> None:
    assert not isinstance(value, float) or math.isfinite(value)
    assert isinstance(value, str | int | float | bool | list | dict | type(None))


@EACH
def test_rows_hold_the_declared_columns_and_all_the_same_keys(measure: Measure, rows: Any, company: Blueprint) -> None:
    for result in _ask_all(measure, rows, company):
        names = [column.name for column in result.columns]
        assert len(set(names)) == len(names)
        assert {column.name for column in measure.columns} <= set(names)
        assert result.rows, result.by
        for row in result.rows:
            assert set(names) <= set(row) == set(result.rows[0])
            for value in row.values():
                _check_finite(value)


@EACH
def test_what_others_rely_on_is_there(measure: Measure) -> None:
    assert set(REQUIRED.get(measure.name, "").split()) <= {column.name for column in measure.columns}


@EACH
def test_numbers_come_with_an_interval_and_a_count(measure: Measure, rows: Any, company: Blueprint) -> None:
    names = {column.name for column in measure.columns}
    assert {"low", "high"} <= names
    assert any(column.kind == "count" for column in measure.columns)
    for result in _ask_all(measure, rows, company):
        assert result.n > 0
        for row in result.rows:
            if row["low"] is not None and row["high"] is not None:
                assert row["low"] <= row["high"]


@EACH
def test_everything_is_said_in_both_languages(measure: Measure, rows: Any, company: Blueprint) -> None:
    for column in measure.columns:
        assert column.label.fr
        assert column.label.en
    for result in _ask_all(measure, rows, company):
        for words in (result.question, result.unit, result.definition, result.method, *result.warnings):
            _check_words(words)
        assert (result.measure, result.question) == (measure.name, measure.question)
        assert "select" in result.sql.lower()
    assert measure.source
    assert set(measure.inputs) <= {"touches", "answers", "operations", "customers"}


@EACH
def test_empty_data_give_a_sentence_in_place_of_numbers(
    measure: Measure, make_rows: Callable[..., Any], company: Blueprint
) -> None:
    for result in _ask_all(measure, make_rows([]), company):
        assert result.warnings, result.by
        assert (result.n, result.period) == (0, None)
        for row in result.rows:
            figures = [name for name in ("score", "share", "effect", "median_ms", "low", "high") if name in row]
            assert all(row[name] is None for name in figures)


@EACH
def test_a_split_that_is_not_offered_is_refused(measure: Measure, rows: Any, company: Blueprint) -> None:
    with pytest.raises(ParcoursError) as caught:
        measure.compute(Ask(rows, company, "colour"))
    assert caught.value.code == "unknown_split"


@EACH
def test_results_survive_json(measure: Measure, rows: Any, company: Blueprint) -> None:
    for result in _ask_all(measure, rows, company):
        assert msgspec.json.decode(msgspec.json.encode(result), type=Result) == result


@EACH
def test_asking_twice_gives_the_same(measure: Measure, rows: Any, company: Blueprint) -> None:
    assert measure.compute(Ask(rows, company)) == measure.compute(Ask(rows, company))
