"""Tests of what is left out: counted for each touchpoint, said in both languages, and never turned into a score."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import HOUR_MS, START_MS, Firm


def answers(count: int, score: float | None, about: str = "help", start: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "name": "Answered",
            "id_user": f"u{start + place}",
            "occurred_ms": START_MS + place * HOUR_MS,
            "field_about": about,
            "field_score": score,
        }
        for place in range(count)
    ]


def scores(firm: Firm, touchpoint: int) -> list[float]:
    return [row["score"] for row in firm.rows("improve", "answers") if row["touchpoint"] == touchpoint]


def test_many_answers_off_the_scale_leave_no_answer_there_and_say_why(firm: Firm) -> None:
    # 1–7 is declared for help, 0–10 for delivery.
    firm.admit(*answers(40, 5.0), *answers(10, 9.0), *answers(3, 0.0), *answers(4, 9.0, "delivery"))
    assert scores(firm, 2) == []
    assert scores(firm, 1) == [9.0] * 4
    (omission,) = firm.know.events_for("improve").omissions
    assert (omission.table, omission.explains) == ("answers", True)
    assert omission.sentence.en.startswith("help: 13 of 53 answers are outside the declared scale (1–7; ")
    assert "from 0 to 9" in omission.sentence.en
    assert "13 réponses sur 53" in omission.sentence.fr


@pytest.mark.parametrize(("right", "wrong"), [(40, 9), (1200, 12)])
def test_few_answers_off_the_scale_are_left_out_alone(firm: Firm, right: int, wrong: int) -> None:
    firm.admit(*answers(1, 9.0, "delivery"), *answers(right, 5.0), *answers(wrong, 9.0))
    assert len(scores(firm, 2)) == right
    (omission,) = firm.again().know.events_for("improve").omissions
    assert not omission.explains
    assert f"{wrong} of {right + wrong:,} answers" in omission.sentence.en


def test_answers_without_a_score_are_counted_apart(firm: Firm) -> None:
    firm.admit(*answers(1, 9.0, "delivery"), *answers(30, 5.0), *answers(20, None))
    assert len(scores(firm, 2)) == 30
    (omission,) = firm.know.events_for("improve").omissions
    assert "20 of 50 answers have no score" in omission.sentence.en
    assert "“score”" in omission.sentence.en


def test_a_condition_that_nothing_fulfils_names_the_values_that_occur(firm: Firm) -> None:
    firm.admit(*answers(3, 5.0, "Help"), *answers(2, 5.0, "livraison"), *answers(1, 5.0, None))
    firm.admit({"name": "Ordered", "id_user": "u1"})
    told = {omission.sentence.en for omission in firm.know.events_for("improve").omissions if omission.explains}
    asked = "none of the 6 events “Answered” fulfils the condition"
    values = "Values that occur: about = Help, livraison. Mend `where` in the blueprint."
    assert told == {
        f"delivery: {asked} (about = delivery). {values}",
        f"help: {asked} (about = help). {values}",
    }


def test_a_condition_fulfilled_once_is_not_told_whatever_else_comes(firm: Firm) -> None:
    firm.admit(*answers(3, 5.0, "livraison"), *answers(1, 5.0, "delivery"))
    firm.admit(*answers(9, 5.0, "help", start=50))
    assert firm.know.events_for("improve").omissions == ()


def test_whoever_did_not_consent_is_counted_and_explains_an_empty_table(firm: Firm) -> None:
    firm.admit(*({"name": "Ordered", "id_user": f"u{place}"} for place in range(30)))
    firm.admit(*({"name": "Ordered", "id_user": f"u{place}", "consent_personalise": True} for place in (40, 41)))
    assert firm.know.events_for("improve").omissions == ()
    opened = firm.know.events_for("personalise")
    assert opened.customers == 2
    assert [(one.sentence.en, one.explains) for one in opened.omissions] == [
        ("30 of 32 customers have not allowed “personalise”: their rows are not read.", True)
    ]
    firm.admit(*({"name": "Called", "id_user": f"u{place}", "consent_personalise": True} for place in range(29)))
    (omission,) = firm.know.events_for("personalise").omissions
    assert omission.sentence.en.startswith("1 of 32 customers")
    assert not omission.explains


def test_events_from_before_a_choice_are_told_apart_from_a_refusal(firm: Firm) -> None:
    firm.admit({"name": "Ordered", "id_user": "u1"}, {"name": "Ordered", "id_user": "u2"})
    firm.admit({"name": "Viewed", "id_device": "d1", "id_user": "u1", "consent_improve": False})
    (refusal,) = firm.know.events_for("improve").omissions
    assert refusal.sentence.fr.startswith("1 client sur 2 a refusé « improve »")
    assert "have not allowed" in firm.know.events_for("personalise").warnings[0].en
