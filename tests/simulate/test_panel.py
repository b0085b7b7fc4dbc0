"""The draw behind the firm: same seed same arrays, and its planted effects are those that a plain regression finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from parcours.simulate.design import MEETINGS, WORKS, total_effects, upstream
from parcours.simulate.panel import Draw, draw, expected_score, slope, within_deviation

DELIVERY = MEETINGS[0]
TOP = {"carrier_delay", "packing_errors", "ticket_backlog"}


def ancestors(operation: str) -> set[str]:
    follows = {work.id: work.follows for work in WORKS}
    found = set(follows[operation])
    for parent in follows[operation]:
        found |= ancestors(parent)
    return found


def answer_weights(firm: Draw) -> NDArray[np.float64]:
    """One over the chance of an answer, by logistic regression on the operations (Newton's method)."""
    met = firm.visits["delivery"]
    cells = [firm.operations[o][met.site, met.week] for o in upstream(DELIVERY)]
    design = np.column_stack([np.ones(len(met.site)), *[(c - c.mean()) / c.std() for c in cells]])
    beta = np.zeros(design.shape[1])
    for _ in range(8):
        p = 1 / (1 + np.exp(-design @ beta))
        beta += np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]), design.T @ (met.answered - p))
    return (1 + np.exp(-design @ beta))[met.answered]


def regress_within(firm: Draw, operation: str, weight: NDArray[np.float64]) -> float:
    """The effect on deliveries of one natural unit, its ancestors held, with a dummy for each site and week."""
    met = firm.visits["delivery"]
    site, week = met.site[met.answered], met.week[met.answered]
    held = [operation, *sorted(ancestors(operation) | (set(upstream(DELIVERY)) - below(operation) - {operation}))]
    columns = [firm.operations[o][site, week] for o in dict.fromkeys(held)]
    columns += [site == s for s in range(30)] + [week == w for w in range(1, 52)]
    design = np.column_stack(columns).astype(float)
    scaled = design * weight[:, None]
    return float(np.linalg.lstsq(scaled.T @ design, scaled.T @ met.score[met.answered], rcond=None)[0][0])


def below(operation: str) -> set[str]:
    return {work.id for work in WORKS if operation in ancestors(work.id)}


@pytest.mark.parametrize("seed", [3, 4])
def test_a_plain_within_regression_finds_what_is_planted_in_deliveries(seed: int) -> None:
    firm = draw(seed)
    weight = answer_weights(firm)
    planted = {p.operation: p for p in firm.truth if p.touchpoint == "delivery"}
    found = {}
    for operation, truth in planted.items():
        met = firm.visits["delivery"]
        deviation = within_deviation(firm.operations[operation], met.site, met.week)
        assert truth.effect == pytest.approx(truth.effect_natural * deviation)
        found[operation] = regress_within(firm, operation, weight) * deviation
        assert found[operation] == pytest.approx(truth.effect, abs=0.09), operation
    assert set(sorted(found, key=lambda o: found[o])[:3]) == TOP


@given(st.integers(0, 10_000))
@settings(max_examples=12, deadline=None)
def test_the_third_and_fourth_effect_are_a_tenth_of_a_point_apart(seed: int) -> None:
    effects = sorted((p for p in draw(seed, 5_000).truth if p.touchpoint == "delivery"), key=lambda p: p.effect)
    assert {p.operation for p in effects[:3]} == TOP
    assert effects[3].effect - effects[2].effect >= 0.10
    assert effects[0].effect > -0.62, "no stronger than it may be"


@given(st.integers(0, 10_000), st.sampled_from(["explained", "feeling"]))
@settings(max_examples=15, deadline=None)
def test_the_same_seed_gives_the_same_draw_and_the_share_answers_that_was_meant(seed: int, silence: str) -> None:
    one, two = draw(seed, 2_000, silence=silence), draw(seed, 2_000, silence=silence)  # type: ignore[arg-type]
    assert one.truth == two.truth
    for meeting in MEETINGS:
        met = one.visits[meeting.id]
        assert np.array_equal(met.score, two.visits[meeting.id].score, equal_nan=True)
        heard = met.score[met.answered]
        assert np.isnan(met.score[~met.answered]).all()
        assert (heard >= meeting.scale[0]).all()
        assert (heard <= meeting.scale[1]).all()
        assert np.array_equal(heard, np.rint(heard))
        error = np.sqrt(meeting.answers * (1 - meeting.answers) / len(met.site))
        assert abs(met.answered.mean() - meeting.answers) <= 5 * error


def test_every_touchpoint_lists_what_reaches_it_zeros_included() -> None:
    firm = draw(1, 500)
    listed = [(p.touchpoint, p.operation) for p in firm.truth]
    assert listed == [(m.id, operation) for m in MEETINGS for operation in upstream(m)]
    assert len(listed) >= 12
    assert sum(p.effect == 0 for p in firm.truth) >= 5
    assert len([p for p in firm.truth if p.touchpoint == "delivery"]) == 8


def test_weaker_touchpoints_stay_below_a_quarter_point_on_ten() -> None:
    for meeting in MEETINGS[1:]:
        width = meeting.scale[1] - meeting.scale[0]
        effects = [abs(p.effect) for p in draw(5).truth if p.touchpoint == meeting.id]
        assert max(effects) * 10 / width < 0.25


def test_when_feeling_decides_who_answers_the_answers_are_more_extreme() -> None:
    firm = draw(2, silence="feeling").visits["delivery"]
    far = np.abs(firm.feeling - 6.5) > 3
    assert firm.answered[far].mean() > firm.answered[~far].mean() + 0.1


@given(st.floats(-5, 15))
def test_the_slope_is_the_derivative_of_the_expected_score(index: float) -> None:
    step = 1e-4
    for meeting in MEETINGS:
        two = expected_score(meeting, np.array([index - step, index + step]))
        assert slope(meeting, np.array([index]))[0] == pytest.approx((two[1] - two[0]) / (2 * step), abs=1e-6)


def test_total_effects_run_through_every_path() -> None:
    totals = total_effects(DELIVERY)
    assert totals["stock_gaps"] == pytest.approx(0.5 * 0.33 * -0.55)
    assert totals["agent_absence"] == pytest.approx(0.6 * -0.30)
    assert totals["it_incidents"] == 0
