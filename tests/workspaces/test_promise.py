"""Promises are held against the whole interval, on the scale in which they were made."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from firm import Firm

from parcours.blueprint.records import Promise
from parcours.words import Words
from parcours.workspaces.promise import bound_mean, hold_promise

ROW = {
    "metric": "csat",
    "score": 0.7,
    "low": 0.66,
    "high": 0.74,
    "effective_n": 90.0,
    "distribution": {"6": 50, "8": 50},
}


@pytest.mark.parametrize(
    ("bound", "state"),
    [(0.6, "kept"), (0.66, "kept"), (0.7, "open"), (0.8, "broken"), (6.5, "kept"), (7.0, "open"), (7.5, "broken")],
)
def test_the_bound_is_compared_on_its_own_scale(firm: Firm, bound: float, state: str) -> None:
    promise = Promise(label=Words("À l'heure", "On time"), metric="experience", at_least=bound)
    touchpoint = msgspec.structs.replace(firm.blueprint.touchpoint("delivery"), promise=promise)
    kept = hold_promise(firm, touchpoint, ROW, "en")
    assert kept is not None
    assert kept.state == state
    assert ("mean score 7.0" if bound > 1 else "score 70%") in kept.says


@pytest.mark.parametrize(
    "change", [{"score": None}, {"distribution": None}, {"effective_n": 1.0}], ids=["score", "distribution", "n"]
)
def test_without_a_number_nothing_is_claimed(firm: Firm, change: dict[str, Any]) -> None:
    kept = hold_promise(firm, firm.blueprint.touchpoint("delivery"), ROW | change, "fr")
    assert kept is not None
    assert kept.state == "unfollowed"


def test_a_promise_on_an_operation_names_it(firm: Firm) -> None:
    kept = hold_promise(firm, firm.blueprint.touchpoint("refund"), ROW, "fr")
    assert kept is not None
    assert "Traitement des remboursements" in kept.says
    assert hold_promise(firm, firm.blueprint.touchpoint("newsletter"), {}, "fr") is None


def test_the_mean_and_its_interval_are_those_of_the_answers() -> None:
    scores = np.array([1] * 7 + [3] * 11 + [5] * 22)
    mean = bound_mean({"1": 7, "3": 11, "5": 22}, 40)
    assert mean is not None
    reach = 1.959964 * scores.std(ddof=1) / np.sqrt(40)
    assert mean.value == pytest.approx(scores.mean())
    assert (mean.low, mean.high) == pytest.approx((scores.mean() - reach, scores.mean() + reach))
    assert bound_mean({"1": 1}, 1) is None
