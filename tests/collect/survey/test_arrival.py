"""Answers on their way into parts: read as the blueprint means them, and met again when they are sent again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.collect.survey.asking import (
    DAY_MS,
    FORM,
    NOW_MS,
    WISH,
    Desk,
    await_it,
    make_inviter,
    make_token,
    read_retail,
    write_form,
)

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction.reading import Placed, Read, read_deliveries
from parcours.collect.source import Source
from parcours.settings import Settings

SOURCES = {"survey_pages": Source(source="survey_pages", connector="http")}
BLUEPRINT = read_retail()


def read_them(desk: Desk, blueprint: Blueprint = BLUEPRINT) -> Read:
    """Return what the desk's deliveries give."""
    return read_deliveries(
        [Placed(1, tuple(desk.delivered))], SOURCES, blueprint, Settings(), 0x1234, desk.clock.now_ms
    )


def send(desk: Desk, token: str, score: int, comment: str = "", agree: tuple[str, ...] = ()) -> int:
    """Send a form; return the status."""
    return await_it(desk.take(token, WISH, FORM, write_form(score, comment, agree))).status


@pytest.mark.parametrize("touchpoint", [each.id for each in BLUEPRINT.touchpoints if each.experience])
def test_every_answer_is_an_event_that_nothing_is_wrong_with(tmp_path: Path, touchpoint: str) -> None:
    desk = Desk(tmp_path)
    experience = BLUEPRINT.touchpoint(touchpoint).experience
    assert experience is not None
    tie = experience.tie or "order"
    token = make_inviter(touchpoint).invite({"user": "C-1"}, {tie: "X-1"}).rpartition("/")[2]
    assert send(desk, token, 5, "Correct.") == 303
    found = read_them(desk)
    assert found.bad == []
    (row,) = found.events.to_pylist()
    assert (row["name"], row["id_user"], row[f"object_{tie}"]) == (experience.event.name, "C-1", "X-1")
    assert row[f"field_{experience.field}"] == 5.0
    assert row[f"field_{experience.text}"] == "Correct."
    assert row["field_language"] == "fr"
    assert row["occurred_ms"] == row["original_ms"] == NOW_MS
    for field, values in experience.event.where.items():
        assert row[f"field_{field}"] in values
    assert sum(one.looked_at for one in found.undeclared.values()) == 1
    assert not any(one.names for one in found.undeclared.values())


@pytest.mark.parametrize(
    ("who", "column"), [("mail", "id_mail"), ("phone", "id_phone"), ("device", "id_device"), ("user", "id_user")]
)
def test_any_identifier_will_do(tmp_path: Path, who: Any, column: str) -> None:
    desk = Desk(tmp_path)
    token = make_inviter().invite({who: "ada@lovelace.fr"}, {"order": "O-1"}).rpartition("/")[2]
    assert send(desk, token, 9) == 303
    found = read_them(desk)
    assert found.bad == []
    (row,) = found.events.to_pylist()
    assert {name: value for name, value in row.items() if name.startswith("id_") and value} == {
        column: "ada@lovelace.fr"
    }


def test_consent_arrives_as_a_choice(tmp_path: Path) -> None:
    from tests.collect.survey.asking import change_purposes

    blueprint = change_purposes(BLUEPRINT)
    desk = Desk(tmp_path, blueprint)
    send(desk, make_token(), 9, agree=("personalise",))
    (row,) = read_them(desk, blueprint).events.to_pylist()
    assert row["consent_personalise"] is True
    assert row["consent_improve_service"] is None


def test_what_is_sent_twice_is_one_message_with_one_content(tmp_path: Path) -> None:
    """The word that the first arrived is lost; the customer sends it again the day after."""
    desk = Desk(tmp_path)
    desk.fail = "after"
    send(desk, make_token(), 9, "Bien.")
    desk.fail, desk.clock.now_ms = "", desk.clock.now_ms + DAY_MS
    send(desk, make_token(), 9, "Bien.")
    found = read_them(desk)
    for met in (found.day, found.id_hash, found.content_hash):
        assert len(met) == 2
        assert len(set(met.tolist())) == 1


def test_what_is_changed_after_a_lost_word_meets_the_first_and_does_not_count_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.fail = "after"
    send(desk, make_token(), 9, "Bien.")
    desk.fail, desk.clock.now_ms = "", desk.clock.now_ms + DAY_MS
    send(desk, make_token(), 2, "Mal.")
    found = read_them(desk)
    for met in (found.day, found.id_hash):
        assert len(set(met.tolist())) == 1
    assert len(set(found.content_hash.tolist())) == 2
