"""Sentences from results: what is clear is said with its interval, what is not stays unsaid."""

from __future__ import annotations

from typing import Any

from parcours.measure.contract import Result
from parcours.measure.findings import find
from parcours.words import Words

LABELS = {
    "touchpoint:delivery": Words(fr="Livraison", en="Delivery"),
    "touchpoint:shop": Words(fr="Magasin", en="Shop"),
    "operation:carrier": Words(fr="Transporteur", en="Carrier"),
    "operation:stock": Words(fr="Stock", en="Stock"),
    "stage:delivery": Words(fr="Réception", en="Reception"),
}
CAUSE = {"touchpoint": "delivery", "operation": "carrier", "effect": -0.5, "low": -0.61, "high": -0.39, "sd": 3.06,
         "natural_unit": "h", "grade": "observed",
         "unit": "points (1–5) per within-site-and-week SD", "n": 900, "customers": 1234,
         "value": 56_789.0}  # fmt: skip
SCORE = {"touchpoint": "delivery", "metric": "csat", "score": 0.4, "low": 0.36, "high": 0.44, "n": 700, "scale": "1–5"}
STAGE = {"stage": "delivery", "entered": 100, "moved_on": 50, "left": 30, "under_way": 20, "left_share": 0.375,
         "left_low": 0.29, "left_high": 0.46, "deadline_ms": 7 * 86_400_000}  # fmt: skip


def result(measure: str, *rows: dict[str, Any], warnings: tuple[Words, ...] = ()) -> Result:
    nothing = Words()
    return Result(measure=measure, question=nothing, unit=nothing, period=None, n=len(rows), columns=(), rows=rows,
                  definition=nothing, sql="", method=nothing, purpose="improve", warnings=warnings)  # fmt: skip


def plain(text: str) -> str:
    """Return ``text`` with ordinary spaces for the ones that do not break."""
    return text.replace("\xa0", " ").replace("\u202f", " ")


def test_scores_of_different_metrics_compare_on_their_own_range() -> None:
    low_nps = {**SCORE, "touchpoint": "shop", "metric": "nps", "score": -60.0, "low": -70.0, "high": -50.0}
    found = find({"experience": result("experience", SCORE, low_nps)}, LABELS)
    assert found[0].touchpoint == "shop"
    assert plain(found[0].sentence.en) == "The lowest experience: Shop, NPS −60 (−70 to −50), 700 answers."
    found = find({"experience": result("experience", SCORE, {**low_nps, "score": 40.0})}, LABELS)
    assert "Livraison, CSAT 40 % (36 à 44 %)" in plain(found[0].sentence.fr)


def test_where_nobody_answered_the_finding_is_what_to_collect() -> None:
    unscored = {**SCORE, "score": None}
    found = find({"experience": result("experience", unscored, warnings=(Words(en="Ask."),))}, LABELS)
    assert [finding.sentence.en for finding in found] == ["Ask."]


def test_an_unclear_cause_is_not_announced_and_a_clear_one_goes_with_its_interval() -> None:
    unclear = {**CAUSE, "operation": "stock", "effect": -0.9, "low": -2.0, "high": 0.2}
    unknown = {**CAUSE, "operation": "stock", "effect": None, "low": None, "high": None}
    found = find({"causes": result("causes", unclear, unknown, CAUSE)}, LABELS)
    assert [finding.operation for finding in found] == ["carrier"]
    assert plain(found[0].sentence.en) == (
        "Carrier: 3.1 h more, at equal site and week, goes with −0.50 points (−0.61 to −0.39) on “Delivery”; "
        "1,234 customers and €56.8k exposed; evidence observed (goes with)."
    )
    assert found[0].figures["effect"] == -0.5


def test_three_causes_at_most_and_no_revenue_where_none_is_declared() -> None:
    found = find({"causes": result("causes", *[{**CAUSE, "value": None}] * 5)}, LABELS)
    assert len(found) == 3
    assert "1,234 customers exposed" in plain(found[0].sentence.en)


def test_broken_promises_are_counted_among_those_followed() -> None:
    rows = [{"touchpoint": "delivery", "kept": kept} for kept in ("broken", "kept", "not_measured", "uncertain")]
    found = find({"promises": result("promises", *rows)}, LABELS)
    assert found[0].figures == {"broken": 1, "followed": 3}
    assert find({"promises": result("promises", rows[1])}, LABELS) == ()


def test_the_stage_left_most_is_said_with_its_interval_and_those_under_way() -> None:
    nobody_left = {**STAGE, "left": 0, "left_share": None}
    found = find({"journey": result("journey", nobody_left, STAGE)}, LABELS)
    assert len(found) == 1
    assert "Reception" in plain(found[0].sentence.en)
    assert "(29 to 46%)" in plain(found[0].sentence.en)
    assert "20 still under way" in plain(found[0].sentence.en)
