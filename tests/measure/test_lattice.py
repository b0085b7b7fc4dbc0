"""Tests of what roles that see groups alone are shown: nothing of fewer than ten customers, by whatever split."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.blueprint.records import Blueprint
from parcours.know import FEWEST
from parcours.measure import MEASURES, measure_named
from parcours.measure.contract import Ask, Counted, Measure, Result
from parcours.measure.funnel import Level, write_rows
from parcours.measure.lattice import HIDDEN, find_hidden_touchpoints, hide_levels, hide_rows_at, place_row, suppress

CUSTOMERS = 400
TINY = 4
SHOWN = [measure for measure in MEASURES if measure.counted]


@pytest.fixture
def rows(make_rows: Callable[..., Any], random: np.random.Generator) -> Any:
    """400 customers over twenty days: four of them a group of their own, touchpoint 5 known by three people alone."""
    journeys = [
        [(int(t), float(d)) for t, d in zip(random.integers(0, 5, 4), random.uniform(0, 20, 4), strict=True)]
        for _ in range(CUSTOMERS)
    ]
    for customer in range(3):
        journeys[customer].append((5, 21.0))
    answers = [(c, t, d, float(random.integers(1, 6))) for c, journey in enumerate(journeys) for t, d in journey]
    groups = ["tiny" if i < TINY else ("a", "b")[i % 2] for i in range(CUSTOMERS)]
    return make_rows(journeys, answers, groups)


def answer_all(measure: Measure, rows: Any, blueprint: Blueprint) -> dict[str | None, Result]:
    splits = (None, *measure.lattice_for(blueprint))
    return {by: measure.compute(Ask(rows=rows, blueprint=blueprint, by=by)) for by in splits}


@pytest.mark.parametrize("measure", SHOWN, ids=lambda measure: measure.name)
def test_no_row_and_no_part_of_one_tells_of_fewer_than_ten(measure: Measure, rows: Any, blueprint: Blueprint) -> None:
    for by, result in suppress(measure, blueprint, answer_all(measure, rows, blueprint)).items():
        for row in result.rows:
            for counted in measure.counted:
                if by == "week" and counted.column == "customers":
                    assert row[counted.column] is None
                    continue
                number = row[counted.column]
                assert not number or number >= FEWEST, (by, row)
                if number and counted.within and row[counted.within]:
                    assert row[counted.within] - number == 0 or row[counted.within] - number >= FEWEST, (by, row)
            if row["seen"] == HIDDEN:
                figures = {name for name, value in row.items() if isinstance(value, int | float) and name != "level"}
                assert not figures, (by, row)
            for value in row.values():
                if isinstance(value, dict):
                    assert not [part for part in value.values() if 0 < part < FEWEST]


def test_a_small_group_takes_another_one_along_and_says_so(rows: Any, blueprint: Blueprint) -> None:
    experience = measure_named("experience")
    shown = suppress(experience, blueprint, answer_all(experience, rows, blueprint))
    groups = shown["group:segment"]
    for scale in {row["scale"] for row in groups.rows}:
        hidden = {row["group"] for row in groups.rows if row["scale"] == scale and row["seen"] == HIDDEN}
        assert "tiny" in hidden
        assert len(hidden) >= 2
    assert groups.warnings[0].en.startswith("Hidden from this role: ")
    assert groups.warnings[0].fr.startswith("Masqué pour ce rôle")
    assert groups.columns[-1].name == "seen"


def test_what_is_left_of_every_shown_sum_is_nobody_or_ten(rows: Any, blueprint: Blueprint) -> None:
    """Every pair of splits: a shown row less the shown rows inside it, counted in answers."""
    experience = measure_named("experience")
    answers = answer_all(experience, rows, blueprint)
    shown = suppress(experience, blueprint, answers)
    checked = 0
    for by, result in shown.items():
        for whole, real in zip(result.rows, answers[by].rows, strict=True):
            if whole["seen"] == HIDDEN:
                continue
            place = place_row(blueprint, by, real)
            for other, parts in shown.items():
                pairs = zip(parts.rows, answers[other].rows, strict=True)
                inside = [
                    pair for pair in pairs if place < place_row(blueprint, other, pair[1]) and pair[1]["customers"]
                ]
                gone = [real for part, real in inside if part["seen"] == HIDDEN]
                if inside and other != by:
                    checked += 1
                    assert not gone or (len(gone) > 1 and sum(one["n"] for one in gone) >= FEWEST)
                    assert sum(one["n"] for _, one in inside) == real["n"]
    assert checked > 10


def test_nothing_is_hidden_where_all_groups_are_large(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    journeys = [[(t, float(t))] for t in range(6) for _ in range(30)]
    answers = [(c, journey[0][0], journey[0][1], 4.0) for c, journey in enumerate(journeys)]
    made = make_rows(journeys, answers, ["ab"[i % 2] for i in range(len(journeys))])
    experience = measure_named("experience")
    for result in suppress(experience, blueprint, answer_all(experience, made, blueprint)).values():
        assert all(row["seen"] is None for row in result.rows)
        assert not any("Hidden" in warning.en for warning in result.warnings)


def test_a_measure_on_the_same_answers_hides_the_same_touchpoints(rows: Any, blueprint: Blueprint) -> None:
    experience, stakes = measure_named("experience"), measure_named("stakes")
    hidden = find_hidden_touchpoints(suppress(experience, blueprint, answer_all(experience, rows, blueprint))[None])
    assert "t5" in hidden
    result = suppress(stakes, blueprint, answer_all(stakes, rows, blueprint))[None]
    shown = hide_rows_at(result, stakes, hidden | {"t0"})
    assert {row["touchpoint"] for row in shown.rows if row["seen"] == HIDDEN} >= {"t0"} & {
        row["touchpoint"] for row in result.rows
    }


def test_every_column_that_is_counted_is_there(rows: Any, blueprint: Blueprint) -> None:
    assert not [measure.name for measure in MEASURES if not measure.counted]
    for measure in SHOWN:
        for result in answer_all(measure, rows, blueprint).values():
            names = {name for one in measure.counted for name in (one.column, *one.tells, one.within) if name}
            assert all(names <= row.keys() for row in result.rows)
        assert isinstance(measure.counted[0], Counted)
        assert not [split for split in measure.lattice if "," in split or split == "month"]


def test_customers_of_each_way_are_counted_once(rows: Any, blueprint: Blueprint) -> None:
    result = measure_named("transitions").compute(Ask(rows=rows, blueprint=blueprint))
    assert all(0 < row["customers"] <= row["count"] for row in result.rows)
    starts = sum(row["customers"] for row in result.rows if row["source"] == "(start)")
    assert starts == CUSTOMERS
    touches = rows.tables["touches"].paths[0]
    journeys: dict[int, list[int]] = {}
    for row in pq.read_table(touches).to_pylist():
        journeys.setdefault(row["customer"], []).append(row["touchpoint"])
    pairs: dict[tuple[str, str], set[int]] = {}
    for customer, journey in journeys.items():
        for source, target in itertools.pairwise(journey):
            pairs.setdefault((f"t{source}", f"t{target}"), set()).add(customer)
    found = {(r["source"], r["target"]): r["customers"] for r in result.rows if r["source"][0] == r["target"][0] == "t"}
    assert found == {pair: len(customers) for pair, customers in pairs.items()}


@given(st.lists(st.integers(0, 30), min_size=1, max_size=7))
@settings(max_examples=300, deadline=None)
def test_levels_of_a_way_and_all_that_is_between_two_of_them_are_ten_or_nobody(stops: list[int]) -> None:
    """``stops``: how many stop after each level; all others go on."""
    counts = [sum(stops[place:]) for place in range(len(stops))]
    reached = np.full((len(counts), counts[0]), -1, np.int64)
    for place, count in enumerate(counts):
        reached[place, :count] = place * 1_000
    funnel = measure_named("funnel")
    levels = [Level(None, (f"t{place}",)) for place in range(len(counts))]
    made = answer_levels(funnel, write_rows(levels, reached), counts[0])
    shown = hide_levels(funnel, made)
    seen = [row["reached"] for row in shown.rows if row["seen"] != HIDDEN]
    for count in seen:
        assert count == 0 or count >= FEWEST
    for one, other in itertools.combinations(seen, 2):
        assert one == other or abs(one - other) >= FEWEST
    before: dict[str, Any] = {"seen": None}
    for row in shown.rows:
        figures = {name for name, value in row.items() if isinstance(value, int | float) and name != "level"}
        if row["seen"] == HIDDEN:
            assert not figures
        elif before["seen"] == HIDDEN:
            assert not figures & {"step_share", "step_low", "step_high", "median_ms", "median_low_ms", "median_high_ms"}
        if shown.rows[0]["seen"] == HIDDEN:
            assert figures <= {"reached"}
            assert shown.n == 0
        before = row
    if all(count == 0 or count >= FEWEST for count in stops):
        assert {row["seen"] for row in shown.rows} == {None}


def answer_levels(funnel: Measure, rows: list[dict[str, Any]], n: int) -> Result:
    """Return rows of levels as a funnel answers them."""
    empty = (funnel.question, funnel.unit, funnel.definition, funnel.method)
    told = dict(zip(("question", "unit", "definition", "method"), empty, strict=True))
    return Result(
        measure="funnel",
        period=None,
        n=n,
        columns=funnel.columns,
        rows=tuple(rows),
        sql="",
        purpose="",
        by=None,
        warnings=(),
        **told,
    )
