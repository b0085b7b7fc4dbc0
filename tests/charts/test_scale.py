"""Levels, ticks and places on a scale."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from parcours.charts.scale import domain_of, level_of, nice_ticks, place, say_ladders, span_of, write_score


@given(st.sampled_from(["csat", "nps", "ces"]), st.floats(0, 1), st.floats(0, 1))
def test_a_better_score_never_has_a_lower_level(metric: str, first: float, second: float) -> None:
    low, high = span_of(metric)
    worse, better = sorted((low + first * (high - low), low + second * (high - low)))
    assert 1 <= level_of(metric, worse) <= level_of(metric, better) <= 5


def test_the_ladder_is_the_one_in_the_legend() -> None:
    assert [level_of("csat", score) for score in (0.39, 0.40, 0.69, 0.70, 0.85)] == [1, 2, 3, 4, 5]
    assert [level_of("nps", score) for score in (-11, -10, 49, 50)] == [1, 2, 4, 5]
    assert level_of("ces", 6.0, (1, 7)) == 5


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_ticks_cover_the_range_and_are_evenly_apart(low: float, width: float) -> None:
    ticks = nice_ticks(low, low + width)
    step = ticks[1] - ticks[0]
    assert ticks[0] <= low + 1e-6 * step
    assert ticks[-1] >= low + width - 1e-6 * step
    assert 3 <= len(ticks) <= 12
    assert all(abs((b - a) - step) < 1e-6 * step for a, b in pairwise(ticks))


def test_places_stay_between_their_ends() -> None:
    assert place(5, (0, 10), (100, 200)) == 150
    assert place(-5, (0, 10), (100, 200)) == 100
    assert domain_of([0.2, 0.4], floor=0.0)[0] >= 0.0


def test_scores_are_written_in_their_own_form() -> None:
    assert write_score("csat", 0.58, "en") == "58%"
    assert write_score("nps", 34, "fr") == "+34"
    assert write_score("ces", 5.56, "fr") == "5,6"


def test_the_legend_says_every_threshold() -> None:
    said = say_ladders("fr")
    for part in ("40\u202f%", "85\u202f%", "−10", "+50", "80\u202f%"):
        assert part in said
