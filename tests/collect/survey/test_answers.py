"""Answers: the event that the blueprint looks for, once, the same bytes each time, and nothing that nobody gave."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec
import pytest
from tests.collect.survey.asking import KEYS, NOW_MS, change_purposes, make_token, read_retail

from parcours.blueprint.records import EventMatch
from parcours.collect.survey.answers import deliver_event, digest_event, write_event
from parcours.collect.survey.forms import Given
from parcours.collect.survey.links import Link, name_answer, open_link
from parcours.collect.survey.questions import ask_question

BLUEPRINT = read_retail()
QUESTION = ask_question(BLUEPRINT, "delivery")
GIVEN = Given(9, "Parfait.", ())
LINK = open_link(make_token(), KEYS, NOW_MS)
ANSWER = name_answer(LINK, KEYS)


def test_the_event_is_what_the_blueprint_looks_for() -> None:
    event = write_event(QUESTION, LINK, GIVEN, ANSWER, "fr")
    assert event["type"] == "track"
    assert event["event"] == "Survey Answered"
    assert event["userId"] == "C-1042"
    assert "anonymousId" not in event
    assert event["properties"] == {
        "survey": "delivery", "language": "fr", "score": 9, "comment": "Parfait.", "order_id": "O-1",
    }  # fmt: skip
    assert event["context"]["library"]["name"] == "parcours-survey"
    assert "consent" not in event["context"]
    assert event["messageId"].startswith("survey-")
    assert len(event["messageId"]) <= 100


@pytest.mark.parametrize("touchpoint", [each.id for each in BLUEPRINT.touchpoints if each.experience])
def test_every_touchpoint_of_the_example_gives_the_event_that_scores_it(touchpoint: str) -> None:
    question = ask_question(BLUEPRINT, touchpoint)
    event = write_event(question, LINK, GIVEN, ANSWER, "en")
    match = question.experience.event
    assert event["event"] == match.name
    for field, values in match.where.items():
        assert event["properties"][field] in values
    assert event["properties"][question.experience.field] == 9
    kinds = BLUEPRINT.field_kinds()
    declared = {*kinds, *(f"{kind}_id" for kind in BLUEPRINT.objects)}
    assert set(event["properties"]) <= declared


def test_each_identifier_stands_where_segment_puts_it() -> None:
    who = {"user": "C-1", "mail": "ada@lovelace.fr", "phone": "+33612345678", "device": "d-1"}
    event = write_event(QUESTION, msgspec.structs.replace(LINK, who=who), GIVEN, ANSWER, "fr")
    assert event["userId"] == "C-1"
    assert event["anonymousId"] == "d-1"
    assert event["context"]["traits"] == {"email": "ada@lovelace.fr", "phone": "+33612345678"}


def test_a_mail_alone_is_no_user() -> None:
    link: Link = msgspec.structs.replace(LINK, who={"mail": "ada@lovelace.fr"})
    event = write_event(QUESTION, link, GIVEN, ANSWER, "fr")
    assert not {"userId", "anonymousId"} & set(event)


def test_no_comment_is_no_property_and_the_first_value_narrows_the_event() -> None:
    several = msgspec.structs.replace(
        QUESTION.experience, event=EventMatch(name="Asked", where={"survey": ("first", "second"), "open": ()})
    )
    event = write_event(QUESTION._replace(experience=several), LINK, Given(0, "", ()), ANSWER, "fr")
    assert event["properties"] == {"survey": "first", "language": "fr", "score": 0, "order_id": "O-1"}


def test_a_field_of_the_blueprint_is_never_hidden_by_an_object_or_the_language() -> None:
    named = msgspec.structs.replace(QUESTION.experience, field="order_id", text="language")
    event = write_event(QUESTION._replace(experience=named), LINK, GIVEN, ANSWER, "fr")
    assert event["properties"]["order_id"] == 9
    assert event["properties"]["language"] == "Parfait."


def test_what_was_agreed_is_told_and_nothing_else() -> None:
    question = ask_question(change_purposes(BLUEPRINT), "delivery")
    event = write_event(question, LINK, Given(9, "", ("personalise",)), ANSWER, "fr")
    assert event["context"]["consent"] == {"categoryPreferences": {"personalise": True}}


def test_a_delivery_is_the_same_bytes_whenever_it_is_made() -> None:
    event = write_event(QUESTION, LINK, GIVEN, ANSWER, "fr")
    first = deliver_event(event, NOW_MS, NOW_MS, "surveys")
    later = deliver_event(dict(reversed(event.items())), NOW_MS, NOW_MS + 60_000, "surveys")
    assert first.body == later.body
    assert (first.kind, first.source, first.address) == ("track", "surveys", "")
    body = json.loads(first.body)
    assert datetime.fromisoformat(body["timestamp"]).timestamp() * 1000 == NOW_MS
    assert body["timestamp"].endswith("Z")
    assert "sentAt" not in body


def test_the_digest_is_of_the_content_alone() -> None:
    event = write_event(QUESTION, LINK, GIVEN, ANSWER, "fr")
    assert digest_event(event, KEYS.answers) == digest_event(dict(reversed(event.items())), KEYS.answers)
    for other in (Given(8, "Parfait.", ()), Given(9, "Parfait", ()), Given(9, "Parfait.", ("personalise",))):
        assert digest_event(write_event(QUESTION, LINK, other, ANSWER, "fr"), KEYS.answers) != digest_event(
            event, KEYS.answers
        )
