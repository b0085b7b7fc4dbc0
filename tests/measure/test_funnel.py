"""The ordered funnel, beside its plain reading customer by customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.blueprint.records import Blueprint, Step
from parcours.measure.contract import Ask
from parcours.measure.funnel import MEASURE, find_levels, follow

DAY_MS = 86_400_000


def _leaf(name: str) -> Step:
    return Step(touchpoint=name)


def test_the_main_sequence_leaves_out_what_is_optional_or_parallel() -> None:
    choice = Step(choice=(_leaf("c"), Step(sequence=(_leaf("d"), _leaf("e")))))
    parallel = Step(parallel=(_leaf("f"), _leaf("g")))
    whole = Step(sequence=(_leaf("a"), Step(optional=_leaf("b")), choice, parallel, Step(loop=_leaf("h"))))
    assert find_levels(whole) == [("a",), ("c", "e"), ("h",)]


def _read_plainly(journey: list[tuple[int, int]], levels: list[list[int]], window: int | None) -> list[int] | None:
    reached: list[int] = []
    for touchpoint, at in journey:
        if len(reached) < len(levels) and touchpoint in levels[len(reached)]:
            if reached and window is not None and at - reached[0] > window:
                break
            reached.append(at)
    return reached or None


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=10), min_size=1, max_size=6),
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=2), min_size=1, max_size=4),
    st.one_of(st.none(), st.integers(0, 8)),
)
def test_following_is_the_plain_reading(
    journeys: list[list[tuple[int, int]]], levels: list[list[int]], window: int | None
) -> None:
    walked = [
        [(touchpoint, sum(wait for _, wait in journey[: i + 1])) for i, (touchpoint, _) in enumerate(journey)]
        for journey in journeys
    ]
    rows = [
        (customer, step, touchpoint, at)
        for customer, journey in enumerate(walked)
        for step, (touchpoint, at) in enumerate(journey, start=1)
    ]
    names = ("customer", "step", "touchpoint", "occurred_ms")
    touches = dict(zip(names, np.array(rows, np.int64).reshape(-1, 4).T, strict=True))
    chains = follow(touches, [np.array(level) for level in levels], window)
    expected = {c: found for c, journey in enumerate(walked) if (found := _read_plainly(journey, levels, window))}
    assert chains.customer.tolist() == list(expected)
    for column, reached in zip(chains.reached_ms.T.tolist(), expected.values(), strict=True):
        assert column == reached + [-1] * (len(levels) - len(reached))


def test_levels_are_reached_in_order_with_other_touches_between(
    make_rows: Callable[..., Any], blueprint: Blueprint
) -> None:
    journeys = [
        [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0), (4, 5.0)],
        [(0, 0.0), (2, 4.0)],
        [(2, 0.0), (0, 1.0)],  # the second level before the first does not count
        [(4, 9.0)],
    ]
    result = MEASURE.compute(Ask(make_rows(journeys), blueprint))
    assert [row["touchpoints"] for row in result.rows] == [["t0"], ["t2"], ["t4"]]
    assert [row["reached"] for row in result.rows] == [3, 2, 1]
    assert [row["share"] for row in result.rows] == [1.0, pytest.approx(2 / 3), pytest.approx(1 / 3)]
    assert result.rows[1]["step_share"] == pytest.approx(2 / 3)
    assert result.rows[1]["median_ms"] == 2 * DAY_MS
    assert result.n == 3


def test_a_window_counts_from_the_first_start_its_end_included(
    make_rows: Callable[..., Any], blueprint: Blueprint
) -> None:
    journeys = [
        [(0, 0.0), (2, 7.0)],  # exactly at the end of the window
        [(0, 0.0), (2, 7.001)],
        [(0, 0.0), (0, 5.0), (2, 8.0)],  # in time from the second start, not from the first
        [(0, 25.0), (2, 26.0)],  # the window is still open on day 30
        [(5, 30.0)],
    ]
    result = MEASURE.compute(Ask(make_rows(journeys), blueprint, window_ms=7 * DAY_MS))
    assert [row["reached"] for row in result.rows] == [3, 1, 0]
    assert "their window being open, and so not counted: 1." in result.warnings[0].en


def test_stages_and_groups_split(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    journeys = [[(1, 0.0), (3, 1.0)], [(0, 0.0)], [(0, 0.0), (2, 1.0), (5, 2.0)]]
    rows = make_rows(journeys, groups=["a", "a", "b"])
    stages = MEASURE.compute(Ask(rows, blueprint, "stage")).rows
    assert [(row["stage"], row["reached"]) for row in stages] == [("idea", 3), ("purchase", 2), ("use", 1)]
    groups = MEASURE.compute(Ask(rows, blueprint, "group:segment")).rows
    assert [(row["group"], row["level"], row["reached"]) for row in groups] == [
        ("a", 1, 1), ("a", 2, 0), ("a", 3, 0), ("b", 1, 1), ("b", 2, 1), ("b", 3, 0),
    ]  # fmt: skip


def test_without_a_designed_journey_the_stages_stand_in(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    result = MEASURE.compute(Ask(make_rows([[(0, 0.0), (2, 1.0)]]), msgspec.structs.replace(blueprint, journey=None)))
    assert [row["stage"] for row in result.rows] == ["idea", "purchase", "use"]
    assert "no designed journey" in result.warnings[-1].en


def test_a_journey_of_one_level_gives_way_to_the_stages(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    short = Step(sequence=(_leaf("t0"), Step(optional=_leaf("t2"))))
    result = MEASURE.compute(Ask(make_rows([[(0, 0.0)]]), msgspec.structs.replace(blueprint, journey=short)))
    assert [row["stage"] for row in result.rows] == ["idea", "purchase", "use"]
    assert "at least two compulsory levels" in result.warnings[-1].en


def test_nobody_starting_is_said(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    result = MEASURE.compute(Ask(make_rows([[(5, 0.0)]]), blueprint))
    assert [row["share"] for row in result.rows] == [None, None, None]
    assert "nothing to follow" in result.warnings[0].en
