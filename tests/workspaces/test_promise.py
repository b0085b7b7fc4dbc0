"""Promises in words: the verdict is the measure's, and every figure comes with its interval and count."""

from __future__ import annotations

from typing import Any

import pytest
from firm import Firm

from parcours.workspaces.promise import say_promise

HOURS = {
    "touchpoint": "refund", "metric": "refund_delay", "kept": "kept", "unit": "h", "at_least": None, "at_most": 120.0,
    "value": 110.33, "low": 109.21, "high": 111.45, "kept_share": 0.679, "share_low": 0.656, "share_high": 0.701,
    "n": 7056,
}  # fmt: skip


def read(firm: Firm, touchpoint: str, row: dict[str, Any], language: Any = "en") -> tuple[str, str, dict[str, str]]:
    said = say_promise(firm, firm.blueprint.touchpoint(touchpoint), row, language)
    assert said is not None
    return said.state, said.verdict, dict(said.facts)


def test_an_operation_is_said_with_its_interval_its_share_its_count_and_its_owner(firm: Firm) -> None:
    state, verdict, facts = read(firm, "refund", HOURS, "fr")
    assert (state, verdict) == ("kept", "Tenue en moyenne, pas à chaque fois")
    assert facts["Promis"] == "au plus 120\u00a0h"
    assert facts["En moyenne"] == "110\u00a0h [109\u00a0à\u00a0111]"
    assert facts["Cas qui la respectent"] == "68\u202f% [66\u00a0à\u00a070\u202f%]"
    assert facts["Événements"] == "7\u202f056"
    assert facts["Derrière la ligne"] == "Traitement des remboursements (Finance)"


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"share_high": 0.95}, "Promise kept"),
        ({"share_high": 0.89}, "Kept on average, not every time"),
        ({"kept": "broken"}, "Promise broken"),
        ({"kept": "uncertain"}, "Promise uncertain: the interval contains the bound"),
        ({"kept": "not_measured", "value": None, "kept_share": None}, "Promise not measured yet"),
    ],
)
def test_the_verdict_is_the_measures(firm: Firm, change: dict[str, Any], verdict: str) -> None:
    assert read(firm, "refund", HOURS | change)[1] == verdict


def test_scores_and_shares_are_written_in_their_own_form(firm: Firm) -> None:
    points = HOURS | {"metric": "experience", "unit": "points (0–10)", "at_least": 7.0, "at_most": None}
    facts = read(firm, "delivery", points | {"value": 5.95, "low": 5.904, "high": 5.996, "kept": "broken"})[2]
    assert (facts["Promised"], facts["On average"]) == ("at least 7", "5.95 [5.90\u00a0to\u00a06.00]")
    assert "Behind the line" not in facts
    share = points | {"unit": "share", "at_least": 0.9, "value": 0.75, "low": 0.7, "high": 0.8, "kept_share": None}
    facts = read(firm, "delivery", share)[2]
    assert (facts["Promised"], facts["On average"]) == ("at least 90%", "75% [70\u00a0to\u00a080%]")
    assert "Scores at the level promised" not in facts


def test_the_figures_read_on_in_one_line(firm: Firm) -> None:
    said = say_promise(firm, firm.blueprint.touchpoint("refund"), HOURS, "en")
    assert said is not None
    assert said.says.startswith(
        "promised at most 120\u00a0h, on average 110\u00a0h [109\u00a0to\u00a0111], cases that keep it 68%"
    )


def test_two_bounds_that_differ_do_not_read_the_same(firm: Firm) -> None:
    narrow = HOURS | {"value": 110.33, "low": 110.31, "high": 110.35}
    assert read(firm, "refund", narrow)[2]["On average"] == "110.33\u00a0h [110.31\u00a0to\u00a0110.35]"


def test_without_a_row_or_a_promise_nothing_is_claimed(firm: Firm) -> None:
    state, verdict, facts = read(firm, "refund", {})
    assert (state, verdict) == ("not_measured", "Promise not measured yet")
    assert set(facts) == {"Behind the line"}
    assert say_promise(firm, firm.blueprint.touchpoint("newsletter"), {}, "fr") is None
