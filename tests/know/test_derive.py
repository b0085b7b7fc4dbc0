"""Tests of the derived tables: what each kind of event becomes, and which touch an answer speaks of."""

from __future__ import annotations

from typing import Any

from .conftest import HOUR_MS, START_MS, Firm


def at(hour: float, name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "occurred_ms": START_MS + int(hour * HOUR_MS), **more}


def test_answers_find_their_touch_by_object_else_the_latest_within_time(firm: Firm) -> None:
    firm.admit(
        at(0, "Delivered", id_user="u1", object_order="o1", field_site="Lyon"),
        at(1, "Delivered", id_user="u1", object_order="o2", field_site="Lille"),
        at(2, "Answered", id_user="u1", object_order="o1", field_about="delivery", field_score=3.0),
        at(3, "Answered", id_user="u1", object_order="o9", field_about="delivery", field_score=4.0),
        at(4, "Answered", id_user="u1", field_about="delivery", field_score=11.0),
        at(5, "Called", id_user="u1"),
        at(6, "Answered", id_user="u1", field_about="help", field_score=5.0),
        at(40, "Answered", id_user="u1", field_about="help", field_score=6.0, field_site="Nice"),
    )
    answers = firm.rows("improve", "answers")
    assert [(row["score"], row["touch_no"], row["site"]) for row in answers] == [
        (3.0, 1, "Lyon"),
        (4.0, None, None),
        (5.0, 6, None),
        (6.0, None, "Nice"),
    ]
    assert answers[0]["touch_ms"] == START_MS
    assert "1 " in str(firm.know.events_for("improve").warnings[0])


def test_operations_are_worth_what_the_blueprint_says(firm: Firm) -> None:
    firm.admit(
        at(0, "Scanned", field_delay_h=3.5, field_site="hub"),
        at(0, "Scanned"),
        at(1, "Checked", field_state="broken"),
        at(1, "Checked", field_state="fine"),
        at(1, "Checked"),
        at(2, "Packed", object_order="o1"),
        at(2, "Packed", object_order="o2"),
        at(7, "Delivered", object_order="o1", id_user="u1"),
        at(9, "Delivered", object_order="o1", id_user="u1"),
        at(3, "Incident"),
    )
    rows = firm.rows("improve", "operations")
    assert [(row["operation"], row["value"]) for row in rows] == [(0, 3.5), (1, 1.0), (1, 0.0), (2, 5.0), (3, 1.0)]


def test_groups_hold_the_latest_known_value(firm: Firm) -> None:
    firm.admit(at(0, "Ordered", id_user="u1", field_segment="new", field_amount=12.345, field_site="Lyon"))
    firm.admit(at(9, "Ordered", id_user="u1", field_segment="old", field_amount=-2.0), at(3, "Called", id_user="u1"))
    firm.admit(at(5, "Anything", id_user="u1", field_segment="middle"))
    touches = firm.rows("improve", "touches")
    assert {row["group_segment"] for row in touches} == {"old"}
    assert [row["value_cents"] for row in touches] == [1234, None, -200]
    (customer,) = firm.rows("improve", "customers")
    assert (customer["touches"], customer["value_cents"], customer["first_ms"]) == (3, 1034, START_MS)


def test_conditions_choose_the_touchpoint_and_nobody_touches_nothing(firm: Firm) -> None:
    firm.admit(
        at(0, "Viewed", id_user="u1", field_about="product"),
        at(1, "Viewed", id_user="u1", field_about="jobs"),
        at(2, "Viewed", field_about="product"),
        at(3, "Never Heard Of", id_user="u1"),
    )
    assert [(row["event_no"], row["touchpoint"]) for row in firm.rows("improve", "touches")] == [(1, 3)]


def test_two_identifiers_of_one_person_make_one_journey(firm: Firm) -> None:
    firm.admit(
        at(0, "Ordered", id_mail="a@b.fr"), at(1, "Called", id_user="u1"), at(2, "Delivered", id_phone="+33612345678")
    )
    assert {row["customer"] for row in firm.rows("improve", "touches")} == {0, 1, 2}
    firm.admit(at(3, "Called", id_user="u1", id_mail="a@b.fr", id_phone="06 12 34 56 78"))
    assert [row["step"] for row in firm.rows("improve", "touches")] == [1, 2, 3, 4]


def test_an_empty_company_has_empty_tables(firm: Firm) -> None:
    opened = firm.know.events_for("improve")
    assert opened.period is None
    assert [firm.rows("improve", name) for name in ("touches", "answers", "operations", "customers")] == [[]] * 4
