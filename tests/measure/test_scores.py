"""The three metrics, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from parcours.blueprint.records import EventMatch, Experience
from parcours.measure.scores import Answers, Scale, count_scores, find_satisfied_from, score_cells

CSAT, NPS, CES = Scale("csat", 1, 5), Scale("nps", 0, 10), Scale("ces", 1, 7)


def _one_cell(scores: list[float], scale: Scale, satisfied_from: float = 4.0) -> dict[str, float]:
    size = len(scores)
    answers = Answers(np.zeros(size, np.int64), np.arange(size), np.array(scores, float))
    made = score_cells(answers, [scale], np.full(size, satisfied_from))
    return {name: float(getattr(made, name)[0]) for name in made._fields}


def test_csat_is_the_share_from_the_declared_score() -> None:
    made = _one_cell([5, 4, 4, 3, 1], CSAT)
    assert (made["score"], made["mean"], made["number"]) == (0.6, 3.4, 5)
    assert _one_cell([5, 4, 4, 3, 1], CSAT, satisfied_from=5)["score"] == 0.2


def test_nps_counts_nine_and_ten_against_six_and_under() -> None:
    assert _one_cell([10, 9, 8, 7, 6, 0], NPS)["score"] == pytest.approx(0)
    assert _one_cell([10, 9, 9, 8], NPS)["score"] == pytest.approx(75)


def test_ces_is_a_mean_with_its_t_interval() -> None:
    scores = [2.0, 5.0, 6.0, 3.0, 7.0, 4.0, 4.0]
    made = _one_cell(scores, CES)
    low, high = stats.t.interval(0.95, 6, np.mean(scores), stats.sem(scores))
    assert (made["score"], made["low"], made["high"]) == pytest.approx((np.mean(scores), low, high))


def test_ces_answers_all_alike_do_not_claim_certainty() -> None:
    made = _one_cell([6.0] * 12, CES)
    assert made["low"] < 6 < made["high"] <= 7


@given(st.lists(st.integers(0, 10), min_size=10, max_size=80), st.sampled_from([CSAT, NPS, CES]))
def test_a_score_lies_within_its_interval(values: list[int], scale: Scale) -> None:
    scores = [scale.low + value / 10 * (scale.high - scale.low) for value in values]
    made = _one_cell(scores, scale)
    assert made["low"] - 1e-9 <= made["score"] <= made["high"] + 1e-9


def test_cells_of_all_metrics_are_scored_together() -> None:
    answers = Answers(np.array([0, 0, 1, 2, 2]), np.arange(5), np.array([5.0, 1.0, 10.0, 4.0, 6.0]))
    made = score_cells(answers, [CSAT, NPS, CES], np.full(5, 4.0))
    assert made.score.tolist() == [0.5, 100.0, 5.0]


def test_distribution_counts_each_score_lowest_first() -> None:
    found = count_scores(Answers(np.array([0, 0, 0, 1]), np.arange(4), np.array([10.0, 2.0, 10.0, 3.5])))
    assert found == {0: {"2": 1, "10": 2}, 1: {"3.5": 1}}


def test_without_a_declared_score_the_two_highest_satisfy() -> None:
    asked = Experience(metric="csat", event=EventMatch(name="A"), field="s", scale=(1, 5))
    assert find_satisfied_from(asked) == 4


@pytest.mark.parametrize(("scale", "unit"), [(CSAT, "share"), (NPS, "points"), (CES, "scale")])
def test_each_metric_has_its_unit(scale: Scale, unit: str) -> None:
    assert scale.unit == unit
