"""The desk: asks without being answered, takes one answer, and thanks only for what is safe."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.collect.survey.asking import (
    DAY_MS,
    FORM,
    KEY,
    MINUTE_MS,
    NOW_MS,
    WISH,
    Desk,
    await_it,
    change_purposes,
    make_token,
    read_retail,
    write_form,
)

from parcours.collect.survey.desk import Reply, SurveyDesk, Wish
from parcours.collect.survey.forms import MOST_BODY_BYTES
from parcours.collect.survey.pace import MOST_FORMS
from parcours.collect.survey.register import FILE

TOKEN = make_token()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk over the retail blueprint."""
    return Desk(tmp_path)


def show(desk: Desk, token: str = TOKEN, wish: Wish = WISH, score: str = "") -> Reply:
    """Open a link."""
    return await_it(desk.show(token, wish, score))


def send(desk: Desk, score: object = 9, comment: str = "", token: str = TOKEN, **more: Any) -> Reply:
    """Send a form."""
    body = more.get("body", write_form(score, comment, more.get("agree", ())))
    return await_it(desk.take(token, more.get("wish", WISH), more.get("kind", FORM), body))


def test_opening_a_link_asks_and_changes_nothing(desk: Desk) -> None:
    for score in ("", "9", "11", "<script>"):
        for _ in range(3):
            reply = show(desk, score=score)
            assert reply.status == 200
            assert "Cela vous a-t-il donné satisfaction" in reply.html
            assert "<script" not in reply.html
    assert desk.delivered == []
    assert desk.register.find_damaged() == []
    assert show(desk, score="9").html.count(" checked") == 1
    assert " checked" not in show(desk, score="11").html
    assert "Note choisie dans votre message\u202f: 9." in show(desk, score="9").html


def test_an_answer_is_delivered_once_and_thanked(desk: Desk) -> None:
    reply = send(desk, 9, "Livreur aimable.")
    assert (reply.status, reply.location, reply.html) == (303, f"{TOKEN}?lang=fr", "")
    (event,) = desk.events
    assert event["properties"]["score"] == 9
    assert event["properties"]["comment"] == "Livreur aimable."
    assert event["timestamp"] == "2026-09-21T14:13:32.345Z"
    (delivery,) = desk.delivered
    assert (delivery.source, delivery.kind, delivery.address, delivery.received_ms) == (
        "survey_pages",
        "track",
        "",
        NOW_MS,
    )
    thanks = show(desk)
    assert thanks.status == 200
    assert "Merci, votre réponse est enregistrée." in thanks.html
    assert "<form" not in thanks.html


def test_the_same_answer_again_is_thanked_and_delivered_no_more(desk: Desk) -> None:
    send(desk, 9, "Bien.")
    desk.clock.now_ms += DAY_MS
    for _ in range(3):
        assert send(desk, 9, "Bien.").status == 303
    assert len(desk.delivered) == 1
    assert desk.counts["repeated"] == 3


@pytest.mark.parametrize(("score", "comment"), [(8, "Bien."), (9, "Bien, mais tard."), (9, "")])
def test_a_changed_answer_is_refused_in_so_many_words(desk: Desk, score: int, comment: str) -> None:
    send(desk, 9, "Bien.")
    reply = send(desk, score, comment)
    assert reply.status == 409
    assert "Vous avez déjà répondu." in reply.html
    assert "Bien" not in reply.html
    assert len(desk.delivered) == 1


def test_a_reminder_about_the_same_order_finds_the_answer(desk: Desk) -> None:
    send(desk, 9)
    later = make_token(now_ms=NOW_MS + 3 * DAY_MS)
    assert later != TOKEN
    desk.clock.now_ms += 4 * DAY_MS
    assert "Merci" in show(desk, later).html
    assert send(desk, 2, token=later).status == 409


def test_relations_are_asked_anew_with_each_link(desk: Desk) -> None:
    for _ in range(2):
        assert send(desk, 10, token=make_token("loyalty", objects={})).status == 303
    first, second = desk.events
    assert first["messageId"] != second["messageId"]


def test_a_double_click_is_one_answer(desk: Desk) -> None:
    async def click() -> list[Reply]:
        return await asyncio.gather(*(desk.take(TOKEN, WISH, FORM, write_form(9)) for _ in range(5)))

    assert [reply.status for reply in await_it(click())] == [303] * 5
    assert len(desk.delivered) == 1


def test_two_answers_at_once_are_one_answer(desk: Desk) -> None:
    async def click() -> list[Reply]:
        return await asyncio.gather(*(desk.take(TOKEN, WISH, FORM, write_form(score)) for score in (9, 3)))

    assert sorted(reply.status for reply in await_it(click())) == [303, 409]
    assert len(desk.delivered) == 1


def test_an_answer_that_is_not_safe_comes_back_as_it_was_and_may_be_changed(desk: Desk) -> None:
    desk.fail = "before"
    reply = send(desk, 4, "Colis <b>écrasé</b>.")
    assert (reply.status, reply.retry_after_s) == (503, 60)
    assert 'id="score-4" value="4" required checked' in reply.html
    assert "Colis &lt;b&gt;écrasé&lt;/b&gt;." in reply.html
    assert "n’a pas pu être enregistrée" in reply.html
    assert "<form" in show(desk).html
    desk.fail = ""
    desk.clock.now_ms += MINUTE_MS
    assert send(desk, 5, "Finalement correct.").status == 303
    (event,) = desk.events
    assert event["properties"]["score"] == 5


def test_what_arrives_twice_all_the_same_is_the_same_bytes(desk: Desk) -> None:
    """The journal has it, but the word that it has is lost: sent again, it must count once."""
    desk.fail = "after"
    assert send(desk, 9, "Bien.").status == 503
    desk.fail = ""
    desk.clock.now_ms += DAY_MS
    assert send(desk, 9, "Bien.").status == 303
    first, second = desk.delivered
    assert first.body == second.body


def test_a_restart_forgets_no_answer(desk: Desk, tmp_path: Path) -> None:
    send(desk, 9)
    desk.register.close()
    restarted = Desk(tmp_path)
    assert "Merci" in show(restarted).html
    assert send(restarted, 2).status == 409
    assert send(restarted, 9).status == 303
    assert restarted.delivered == []


def test_what_nobody_can_ask_about_any_more_is_forgotten(desk: Desk) -> None:
    send(desk, 9)
    desk.clock.now_ms += (30 + 400) * DAY_MS
    send(desk, 9, token=make_token(user="C-2", now_ms=desk.clock.now_ms))
    assert desk.register.sweep(desk.clock.now_ms) == 0
    desk.clock.now_ms += DAY_MS
    send(desk, 9, token=make_token(user="C-3", now_ms=desk.clock.now_ms))
    assert send(desk, 2, token=make_token(now_ms=desk.clock.now_ms)).status == 303


def test_faults_are_told_on_the_page_which_keeps_what_was_written(desk: Desk) -> None:
    reply = send(desk, None, "Un mot.")
    assert reply.status == 422
    assert "Choisissez une note de 0\u00a0à\u00a010." in reply.html
    assert ">\nUn mot.</textarea>" in reply.html
    assert 'href="#score-0"' in reply.html
    assert reply.html.index('class="faults"') < reply.html.index("<form")
    assert "<title>Erreur" in reply.html
    long = send(desk, 9, "x" * 2001)
    assert long.status == 422
    assert "2\u202f001 caractères" in long.html
    assert 'aria-invalid="true"' in long.html
    assert desk.delivered == []


def test_consent_is_asked_where_an_answer_rests_on_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, change_purposes(read_retail(), improve_service="consent"))
    assert 'name="agree"' in show(desk).html
    assert "Sans votre accord, votre réponse ne peut pas être conservée." in show(desk).html
    refused = send(desk, 9)
    assert refused.status == 422
    assert "Cochez un accord" in refused.html
    assert 'href="#agree-improve_service"' in refused.html
    assert send(desk, 9, agree=("improve_service",)).status == 303
    (event,) = desk.events
    assert event["context"]["consent"] == {"categoryPreferences": {"improve_service": True}}


def test_no_consent_is_asked_where_none_is_needed(desk: Desk) -> None:
    assert 'name="agree"' not in show(desk).html


@pytest.mark.parametrize(
    "token", ["", "1", "x", TOKEN[:-1], TOKEN[:-1] + "A", TOKEN + "A", "2" + TOKEN[1:], "1" * 3000]
)
def test_every_link_that_is_none_of_ours_gets_one_page(desk: Desk, token: str) -> None:
    reply = show(desk, token)
    assert reply.status == 404
    assert reply == show(desk, "nothing at all")
    assert send(desk, token=token) == reply
    assert "satisfaction" not in reply.html
    assert desk.delivered == []


def test_a_foreign_key_gives_the_same_page(tmp_path: Path, desk: Desk) -> None:
    async def accept(_: object) -> None:
        raise AssertionError("nothing is accepted")

    other = SurveyDesk(read_retail(), KEY[::-1], accept, desk.register, desk.clock)
    assert await_it(other.show(TOKEN, WISH)) == show(desk, "nothing at all")


def test_a_link_expires(desk: Desk) -> None:
    desk.clock.now_ms = NOW_MS - NOW_MS % MINUTE_MS + 30 * DAY_MS
    assert show(desk).status == 410
    assert "Ce lien a expiré." in show(desk).html
    assert send(desk).status == 410
    desk.clock.now_ms -= 1
    assert show(desk).status == 200


def test_a_touchpoint_that_is_asked_no_more_says_so(tmp_path: Path) -> None:
    blueprint = read_retail()
    silent = tuple(
        msgspec.structs.replace(each, experience=None) if each.id == "delivery" else each
        for each in blueprint.touchpoints
    )
    desk = Desk(tmp_path, msgspec.structs.replace(blueprint, touchpoints=silent))
    assert show(desk).status == 410
    assert "Cette question n’est plus posée." in show(desk).html
    assert show(desk, make_token("checkout")).status == 200


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_forms_are_read(desk: Desk, kind: str) -> None:
    reply = send(desk, kind=kind)
    assert reply.status == 415
    assert desk.delivered == []


def test_the_type_of_a_form_may_name_its_charset(desk: Desk) -> None:
    assert send(desk, kind="Application/X-WWW-Form-Urlencoded; charset=UTF-8").status == 303


@pytest.mark.parametrize(
    ("body", "status"), [(b"score=9&score=8", 400), (b"\xff", 400), (b"score=9&comment=" + b"x" * MOST_BODY_BYTES, 413)]
)
def test_what_is_no_form_is_refused(desk: Desk, body: bytes, status: int) -> None:
    assert send(desk, body=body).status == status
    assert desk.delivered == []


def test_the_longest_comment_that_may_be_written_fits(desk: Desk) -> None:
    assert send(desk, 9, "🚚" * 2000).status == 303
    assert len(desk.delivered[0].body) < 32 * 1024


def test_a_link_that_sends_too_often_waits(desk: Desk) -> None:
    for _ in range(MOST_FORMS):
        assert send(desk, None).status == 422
    reply = send(desk, 9)
    assert reply.status == 429
    assert 0 < reply.retry_after_s <= 600
    assert send(desk, 9, token=make_token(user="C-2")).status == 303
    assert show(desk).status == 200
    desk.clock.now_ms += 10 * MINUTE_MS
    assert send(desk, 9).status == 303


@pytest.mark.parametrize(
    ("wish", "sent", "spoken"),
    [(Wish(None, "fr"), "en", "en"), (Wish("fr", "en"), "en", "fr"), (Wish("en", "fr"), "fr", "en")],
)
def test_the_page_speaks_the_language_asked_for_else_that_of_the_link(
    desk: Desk, wish: Wish, sent: Any, spoken: str
) -> None:
    token = make_token(language=sent)
    assert f'<html lang="{spoken}">' in show(desk, token, wish).html
    assert f'<html lang="{spoken}">' in send(desk, None, token=token, wish=wish).html
    assert send(desk, 9, token=token, wish=wish).location == f"{token}?lang={spoken}"
    assert desk.events[0]["properties"]["language"] == spoken
    desk.clock.now_ms += 31 * DAY_MS
    assert f'<html lang="{spoken}">' in show(desk, token, wish).html


def test_without_a_link_the_page_speaks_as_the_browser_does(desk: Desk) -> None:
    assert '<html lang="en">' in show(desk, "x", Wish(None, "en")).html


def test_a_damaged_register_takes_no_answer_and_says_when_to_come_back(desk: Desk, tmp_path: Path) -> None:
    desk.fail = "before"
    send(desk, 9)
    desk.fail = ""
    with sqlite3.connect(tmp_path / ".parcours" / FILE) as file:
        file.execute("UPDATE answered SET moment_ms = 0")
    assert (show(desk).status, show(desk).retry_after_s) == (503, 60)
    assert send(desk, 9).status == 503
    assert desk.delivered == []


def test_when_the_last_word_cannot_be_written_nothing_is_lost_nor_doubled(desk: Desk) -> None:
    desk.register.settle = _full_disk  # type: ignore[method-assign, assignment]
    assert send(desk, 9).status == 503
    del desk.register.settle
    assert send(desk, 9).status == 303
    first, second = desk.delivered
    assert first.body == second.body


def _full_disk(_: object) -> None:
    from parcours.engine.store.sqlite import disk_full

    raise disk_full(Path("surveys.db"))


def test_a_source_of_another_name_may_take_the_answers(tmp_path: Path) -> None:
    desk = Desk(tmp_path, source="voice")
    send(desk, 9)
    assert desk.delivered[0].source == "voice"


def test_labels_that_are_markup_are_escaped(tmp_path: Path) -> None:
    from parcours.words import Words

    blueprint = read_retail()
    evil = Words("<img src=x>", "<img src=x>")
    touchpoints = tuple(msgspec.structs.replace(each, label=evil) for each in blueprint.touchpoints)
    company = msgspec.structs.replace(blueprint.company, label=evil)
    purposes = tuple(msgspec.structs.replace(each, label=evil) for each in blueprint.purposes)
    desk = Desk(
        tmp_path, msgspec.structs.replace(blueprint, touchpoints=touchpoints, company=company, purposes=purposes)
    )
    for page in (show(desk).html, send(desk, None, "</textarea><img src=x>").html, show(desk, "x").html):
        assert "<img" not in page
        assert "&lt;img src=x&gt;" in page


def test_nothing_of_a_link_or_an_answer_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    desk.fail = "before"
    send(desk, 9, "Un secret.")
    show(desk, "x")
    text = caplog.text + json.dumps([str(record.args) for record in caplog.records])
    assert "an answer could not be kept for now" in text
    for hidden in (TOKEN, "secret", "C-1042", "O-1"):
        assert hidden not in text
