"""The survey pages over HTTP: addresses, headers, limits, and what mail scanners and odd clients do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from tests.collect.survey.asking import FORM, Desk, await_it, make_token, read_retail, write_form

from parcours.collect.http.survey import HEADERS, speak_best, survey_routes
from parcours.collect.survey.forms import MOST_BODY_BYTES
from parcours.words import Language

TOKEN = make_token()
TYPE = {"content-type": FORM}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The desk behind the pages."""
    return Desk(tmp_path)


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    """A browser."""
    with TestClient(Starlette(routes=survey_routes(desk)), base_url="http://127.0.0.1:8601") as client:
        yield client


def test_a_customer_opens_answers_and_is_thanked(client: TestClient, desk: Desk) -> None:
    page = client.get(f"/s/{TOKEN}")
    assert page.status_code == 200
    action = re.findall(r'<form class="card" method="post" action="([^"]+)"', page.text)[0]
    sent = client.post(f"/s/{action}", content=write_form(9, "Aimable."), headers=TYPE)
    assert [step.status_code for step in sent.history] == [303]
    assert sent.status_code == 200
    assert "Merci, votre réponse est enregistrée." in sent.text
    assert desk.events[0]["properties"]["comment"] == "Aimable."


def test_the_address_sent_on_to_is_relative_so_that_a_proxy_may_add_its_own_path(client: TestClient) -> None:
    sent = client.post(f"/s/{TOKEN}", content=write_form(9), headers=TYPE, follow_redirects=False)
    assert sent.headers["location"] == f"{TOKEN}?lang=fr"


def test_every_answer_carries_the_headers_and_no_cookie(client: TestClient) -> None:
    answers = [
        client.get(f"/s/{TOKEN}"),
        client.get("/s/unknown"),
        client.post(f"/s/{TOKEN}", content=b"", headers=TYPE),
        client.post(f"/s/{TOKEN}", content=b"{}", headers={"content-type": "application/json"}),
        client.post(f"/s/{TOKEN}", content=write_form(9), headers=TYPE, follow_redirects=False),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 422, 415, 303]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_the_policy_lets_one_style_sheet_in_and_nothing_else(client: TestClient) -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "script" not in policy
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    page = client.get(f"/s/{TOKEN}").text
    assert "<script" not in page
    assert not re.search(r"\son\w+=|style=|https?://(?!www\.w3\.org/2000/svg)", page)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_mail_scanners_that_open_every_link_send_nothing(client: TestClient, desk: Desk, method: str) -> None:
    for score in range(11):
        answer = client.request(method, f"/s/{TOKEN}?score={score}")
        assert answer.status_code == 200
        if method == "GET":
            assert f'id="score-{score}" value="{score}" required checked' in answer.text
    assert desk.delivered == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(client: TestClient, method: str) -> None:
    assert client.request(method, f"/s/{TOKEN}").status_code == 405


@pytest.mark.parametrize("path", ["/s/", "/s", f"/s/{TOKEN}/more", "/s/../etc/passwd", "/s/%00", "/s/" + "x" * 5000])
def test_odd_addresses_lead_nowhere(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * (MOST_BODY_BYTES + 1), TYPE, 413),
        (write_form(9), TYPE | {"content-encoding": "gzip"}, 400),
        (write_form(9), TYPE | {"content-length": "99999999999999999999"}, 413),
        (write_form(9), TYPE | {"content-length": "-1"}, 413),
        (write_form(9), {"content-type": "multipart/form-data"}, 415),
        (b"score=9&score=8", TYPE, 400),
        (b"score=%ff", TYPE, 400),
    ],
)
def test_bodies_that_no_page_sends_are_refused(
    client: TestClient, desk: Desk, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post(f"/s/{TOKEN}", content=body, headers=headers)
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert desk.delivered == []


def test_a_body_without_a_length_is_read_no_further_than_the_limit(desk: Desk) -> None:
    given: list[int] = []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        given.append(1024)
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http", "method": "POST", "path": f"/s/{TOKEN}", "raw_path": b"", "root_path": "", "scheme": "http",
        "query_string": b"", "headers": [(b"content-type", FORM.encode())], "http_version": "1.1",
    }  # fmt: skip
    await_it(Starlette(routes=survey_routes(desk))(scope, receive, send))
    assert sent[0]["status"] == 413
    assert sum(given) <= MOST_BODY_BYTES + 1024
    assert desk.delivered == []


def test_a_form_that_trickles_in_is_given_up(client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from parcours.collect.http import survey

    async def never(_: object) -> bytes:
        await asyncio.sleep(60)
        return b""

    monkeypatch.setattr(survey, "PATIENCE_S", 0.01)
    monkeypatch.setattr(survey, "read_body", never)
    answer = client.post(f"/s/{TOKEN}", content=write_form(9), headers=TYPE)
    assert answer.status_code == 408
    assert desk.delivered == []


def test_when_nothing_can_be_kept_the_page_says_when_to_come_back(client: TestClient, desk: Desk) -> None:
    desk.fail = "before"
    answer = client.post(f"/s/{TOKEN}", content=write_form(3, "Cassé."), headers=TYPE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "Cassé." in answer.text


def test_the_language_may_be_switched_and_the_choice_is_kept(client: TestClient) -> None:
    page = client.get(f"/s/{TOKEN}?score=7&lang=en")
    assert '<html lang="en">' in page.text
    href = re.findall(r'href="([^"]+)" lang="fr"', page.text)[0].replace("&amp;", "&")
    french = client.get(f"/s/{href}")
    assert '<html lang="fr">' in french.text
    assert 'value="7" required checked' in french.text
    assert '<html lang="fr">' in client.get(f"/s/{TOKEN}?lang=de").text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("en-GB,en;q=0.9", "en"), ("de, fr;q=0.5, en;q=0.4", "fr"), ("", "fr"), ("pt", "fr"), ("EN", "en"), ("*", "fr")],
)
def test_a_page_without_a_link_speaks_as_the_browser(client: TestClient, accepted: str, language: Language) -> None:
    assert speak_best(accepted, "fr") == language
    assert f'<html lang="{language}">' in client.get("/s/x", headers={"accept-language": accepted}).text


def test_every_scored_touchpoint_of_the_example_can_be_answered(client: TestClient, desk: Desk) -> None:
    scored = [each for each in read_retail().touchpoints if each.experience]
    for touchpoint in scored:
        token = make_token(touchpoint.id)
        for lang in ("fr", "en"):
            assert client.get(f"/s/{token}?lang={lang}").status_code == 200
        assert client.post(f"/s/{token}", content=write_form(5), headers=TYPE).status_code == 200
    assert len(desk.delivered) == len(scored) == 9
