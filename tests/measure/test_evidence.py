"""Tests of what is said beside a cause: the unit, the reason for no number, and the trial that would settle it."""

from __future__ import annotations

import re

import msgspec
import numpy as np
import pytest
from scipy import stats

from parcours.blueprint.records import Blueprint, Operation, OperationMeasure, Panel
from parcours.charts.labels import GRADES
from parcours.measure.effects import Effect
from parcours.measure.evidence import OBSERVED, explain_gap, name_unit, settle
from parcours.words import Words

WEEKLY = Panel(site="store", period="week")
OPERATION = Operation(
    id="delay", label=Words(fr="retard", en="delay"), owner="care", measure=OperationMeasure(unit="h"), supports=("t0",)
)


def make_effect(effect: float, error: float) -> Effect:
    low, high = effect - 2 * error, effect + 2 * error
    return Effect("delay", (), effect=effect, low=low, high=high, error=error, slope=effect / 3, sd=3.0)


def test_units_name_the_scale_and_what_is_inside(blueprint: Blueprint) -> None:
    nps = blueprint.touchpoint("t1")
    assert name_unit(nps, WEEKLY) == "points (0–10) per within-site-and-week SD"
    assert name_unit(nps, Panel(site="store", period="month")) == "points (0–10) per within-site-and-month SD"
    assert name_unit(nps, Panel()) == "points (0–10) per within-period SD"


def test_a_clear_effect_asks_for_a_trial_of_the_right_length() -> None:
    words = settle(make_effect(-0.5, 0.1), OPERATION, WEEKLY, 52)
    assert "half of the sites" in words.en
    assert "moitié des semaines" in settle(make_effect(-0.5, 0.1), OPERATION, Panel(), 52).fr
    assert "about 4 weeks" in settle(make_effect(-0.5, 0.001), OPERATION, WEEKLY, 52).en
    weeks = int(re.search(r"about (\d+) weeks", words.en)[1])  # type: ignore[index]
    assert str(weeks) in words.fr
    assert "3 h" in words.en
    # Half of the cells drawn by lot, a step of one SD: the error of 52 weeks, twice as large, over fewer weeks.
    error = 0.1 * 2 * np.sqrt(52 / weeks)
    assert stats.norm.sf(1.96 - 0.5 / error) == pytest.approx(0.80, abs=0.02)


def test_an_unclear_effect_asks_for_more_of_the_same_and_a_tiny_one_for_nothing() -> None:
    words = settle(make_effect(-0.15, 0.1), OPERATION, WEEKLY, 52)
    assert "not told from none" in words.en
    assert re.search(r"\d+ semaines de données de plus", words.fr)
    tiny = settle(make_effect(-0.001, 0.1), OPERATION, WEEKLY, 52)
    assert "does not exceed 0.2 points, either way" in tiny.en
    assert "ne dépasse pas 0,2 point," in tiny.fr


def test_a_clear_effect_too_small_for_a_trial_is_not_said_to_be_none() -> None:
    small = settle(make_effect(-0.07, 0.03), OPERATION, WEEKLY, 52)
    assert "plus de cinq ans à confirmer" in small.fr
    assert "0,13 point" in small.fr
    assert "more than five years" in small.en


@pytest.mark.parametrize("gap", ["unseen", "still", "together", "answers", "clusters"])
@pytest.mark.parametrize("panel", [WEEKLY, Panel()])
def test_every_gap_has_a_sentence_in_both_languages(blueprint: Blueprint, gap: str, panel: Panel) -> None:
    known = msgspec.structs.replace(blueprint, operations=(OPERATION,))
    effect = Effect("delay", ("delay",), gap=gap, missing=3, clusters=2, answers=7, partners=("delay",))
    words = explain_gap(effect, known, panel, placeless=False)
    assert words.fr.endswith(".")
    assert words.en.endswith(".")
    assert words.fr != words.en
    if gap in ("answers", "clusters"):
        assert "3" in words.en
    if gap == "clusters":
        assert words.fr.startswith("2 sites ne suffisent" if panel.site else "2 semaines ne suffisent")
    if gap == "together":
        assert "delay" in words.en
        assert "retard" in words.fr


def test_observed_says_goes_with() -> None:
    assert "goes with" in GRADES[OBSERVED].en
    assert "va de pair" in GRADES[OBSERVED].fr
