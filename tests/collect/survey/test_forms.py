"""Forms: read strictly, whatever is sent in place of what our page would send."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.collect.survey.asking import change_purposes, read_retail, write_form
from tests.collect.survey.test_questions import change_scale

from parcours.collect.survey.forms import MOST_COMMENT, UnreadableFormError, choose_score, read_form, tidy_comment
from parcours.collect.survey.questions import ask_question

BLUEPRINT = read_retail()
DELIVERY = ask_question(BLUEPRINT, "delivery")
ALONE = ask_question(change_purposes(BLUEPRINT, improve_service="consent"), "delivery")
MIXED = ask_question(change_purposes(BLUEPRINT), "delivery")


@pytest.mark.parametrize("score", DELIVERY.scores)
def test_each_score_is_read(score: int) -> None:
    given = read_form(write_form(score, "Bien."), DELIVERY)
    assert (given.score, given.comment, given.wrong) == (score, "Bien.", ())


@pytest.mark.parametrize("text", ["11", "-1", "9.0", " 9", "09", "9 ", "NaN", "٩", "nine", "1e0", "9\x00"])
def test_a_score_that_is_not_offered_is_none(text: str) -> None:
    given = read_form(write_form(text), DELIVERY)
    assert given.score is None
    assert given.wrong == ("score_unknown",)
    assert choose_score(text, DELIVERY) is None


@pytest.mark.parametrize("body", [b"", b"comment=", b"score=&comment=", b"comment=Merci"])
def test_no_score_is_missed_and_the_rest_is_kept(body: bytes) -> None:
    given = read_form(body, DELIVERY)
    assert given.wrong == ("score_missing",)
    assert given.comment == ("Merci" if b"Merci" in body else "")


@pytest.mark.parametrize(
    "body",
    [b"score", b"&", b"score=9&score=8", b"comment=a&comment=b&score=9", b"score=%FF", b"score=9&comment=%ED%A0%80",
     "score=9&comment=é".encode(), b"\x00\x01", b"&".join(b"a%d=1" % i for i in range(30)), b'{"score": 9}',
     b"\x1f\x8b\x08\x00"],
)  # fmt: skip
def test_what_no_page_of_ours_sends_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableFormError):
        read_form(body, DELIVERY)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read = read_form(body, DELIVERY)
    except UnreadableFormError:
        return
    assert read.wrong or read.score in DELIVERY.scores


@given(st.text(max_size=300))
def test_a_tidy_comment_stays_as_it_is(text: str) -> None:
    tidy = tidy_comment(text)
    assert tidy_comment(tidy) == tidy
    assert not set(tidy) & set(map(chr, [*range(9), 11, 12, *range(14, 32), 127]))


def test_line_ends_emojis_and_accents_survive() -> None:
    comment = "Très bien 👩‍🚚 !\r\nÀ l’heure.\r\tMerci\u00a0: 10\u202f/\u202f10"
    read = read_form(write_form(9, f"\x07  {comment}  \x00"), DELIVERY)
    assert read.comment == "Très bien 👩‍🚚 !\nÀ l’heure.\n\tMerci\u00a0: 10\u202f/\u202f10"


def test_a_comment_has_its_limit_and_comes_back_whole() -> None:
    assert read_form(write_form(9, "é" * MOST_COMMENT), DELIVERY).wrong == ()
    read = read_form(write_form(9, "x" * (MOST_COMMENT + 1)), DELIVERY)
    assert read.wrong == ("comment_long",)
    assert len(read.comment) == MOST_COMMENT + 1
    # Browsers count a line end once and send it as two characters.
    assert read_form(write_form(9, "x\r\n" * (MOST_COMMENT // 2)), DELIVERY).wrong == ()


def test_where_no_comment_is_asked_none_is_taken() -> None:
    silent = ask_question(change_scale(BLUEPRINT, "delivery", text=None), "delivery")
    assert read_form(write_form(9, "Bonjour"), silent).comment == ""


def test_agreements_are_those_that_were_asked() -> None:
    read = read_form(write_form(9, "", ("personalise", "improve_service", "elsewhere")), MIXED)
    assert read.agreed == ("personalise",)
    assert read.wrong == ()
    assert read_form(write_form(9), MIXED).wrong == ()


def test_where_consent_alone_permits_it_is_asked_for() -> None:
    assert read_form(write_form(9), ALONE).wrong == ("consent_missing",)
    assert read_form(write_form(9, "", ("elsewhere",)), ALONE).wrong == ("consent_missing",)
    read = read_form(write_form(9, "", ("improve_service",)), ALONE)
    assert (read.agreed, read.wrong) == (("improve_service",), ())


def test_negative_scores_are_spelt_with_a_hyphen() -> None:
    question = ask_question(change_scale(BLUEPRINT, "delivery", scale=(-3.0, 3.0)), "delivery")
    assert choose_score("-3", question) == -3
    assert choose_score("−3", question) is None
    assert msgspec.json.encode(read_form(write_form(-3), question).score) == b"-3"
