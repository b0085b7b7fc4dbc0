"""Tests of the panel: cells from rows, and how much of an operation's variation is the luck of few events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from parcours.blueprint.records import Blueprint, Operation, OperationMeasure, Panel
from parcours.measure.cautions import warn_causes
from parcours.measure.contract import Ask
from parcours.measure.panel import CompanyPanel
from parcours.measure.questions import Questions

WEEK_MS = 7 * 86_400_000
START_MS = 1_767_571_200_000


def declare(blueprint: Blueprint, panel: Panel | None, count: bool = False) -> Blueprint:
    delay = Operation(
        id="delay",
        label=blueprint.company.label,
        owner="care",
        measure=OperationMeasure(unit="h", field=None if count else "hours", count=count),
        supports=("t0",),
    )
    return msgspec.structs.replace(blueprint, operations=(delay,), panel=panel)


def open_panel(rows: Any, blueprint: Blueprint) -> CompanyPanel:
    ask = Ask(rows, blueprint)
    return CompanyPanel(Questions(ask.rows), blueprint)


def make_tables() -> dict[str, dict[str, list[Any]]]:
    """Three touches in two weeks of one site, one elsewhere, one without a place; two answers; three events."""
    return {
        "touches": {
            "customer": [0, 1, 2, 3, 4],
            "touchpoint": [0, 0, 0, 0, 0],
            "occurred_ms": [START_MS, START_MS + 5, START_MS + WEEK_MS, START_MS, START_MS],
            "site": ["a", "a", "a", "b", None],
        },
        "answers": {
            "customer": [0, 4],
            "touchpoint": [0, 0],
            "occurred_ms": [START_MS + 3 * WEEK_MS, START_MS],
            "touch_ms": [START_MS, None],
            "score": [4.0, 2.0],
            "site": ["a", None],
        },
        "operations": {
            "operation": [0, 0, 0],
            "occurred_ms": [START_MS, START_MS + 9, START_MS],
            "site": ["a", "a", "c"],
            "value": [2.0, 4.0, 9.0],
        },
    }


def test_an_answer_stands_in_the_cell_of_its_touch(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    declared = declare(blueprint, Panel(site="store", period="week"))
    cells = open_panel(open_rows(**make_tables()), declared).panel_of(declared.touchpoints[0])
    assert sorted(zip(cells.cells.visits.tolist(), cells.cells.answers.tolist(), strict=True)) == [
        (1, 0),
        (1, 0),
        (2, 1),
    ]
    busy = int(np.argmax(cells.cells.visits))
    assert cells.cells.score_sum[busy] == 4.0
    assert cells.cells.operations[busy, 0] == 3.0
    assert np.isnan(np.delete(cells.cells.operations[:, 0], busy)).all()
    assert cells.placeless == 1
    assert cells.count_periods() == 2


def test_a_count_is_zero_where_nothing_happened(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    declared = declare(blueprint, Panel(site="store", period="week"), count=True)
    cells = open_panel(open_rows(**make_tables()), declared).panel_of(declared.touchpoints[0])
    assert sorted(cells.cells.operations[:, 0].tolist()) == [0.0, 0.0, 2.0]


def test_without_a_site_only_the_period_counts(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    declared = declare(blueprint, None)
    cells = open_panel(open_rows(**make_tables()), declared).panel_of(declared.touchpoints[0])
    assert cells.cells.visits.tolist() == [4, 1]
    assert cells.cells.answers.tolist() == [2, 0]
    assert cells.cells.operations[0, 0] == 5.0
    assert cells.placeless == 0


def test_the_luck_of_few_events_is_told(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    declared = declare(blueprint, Panel(site="store", period="week"))
    random = np.random.default_rng(2)
    site, week = (axis.ravel() for axis in np.indices((20, 30)))
    truth, events = random.normal(size=600), 4
    values = np.repeat(truth, events) + random.normal(size=600 * events) * 2
    operations = {
        "operation": [0] * len(values),
        "occurred_ms": (START_MS + np.repeat(week, events) * WEEK_MS).tolist(),
        "site": [f"s{number}" for number in np.repeat(site, events)],
        "value": values.tolist(),
    }
    panel = open_panel(open_rows(operations=operations), declared)
    # Luck has variance 2² / 4 = 1 beside the truth's 1.
    assert panel.find_share_of_noise(declared.operations[0]) == pytest.approx(0.5, abs=0.06)
    exact = operations | {"value": np.repeat(truth, events).tolist()}
    assert open_panel(open_rows(operations=exact), declared).find_share_of_noise(declared.operations[0]) < 1e-9


def test_nothing_scored_says_what_to_collect(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    panel = open_panel(open_rows(), declare(blueprint, Panel(site="store")))
    (words,) = warn_causes(panel, [])
    assert "experience" in words.fr
    assert "Declare" in words.en
