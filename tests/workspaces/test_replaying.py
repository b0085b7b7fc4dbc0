"""Replay from the page: with our own form alone, and what it did is said once and by nobody else."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from collected import CollectingFirm
from firm import Firm
from starlette.testclient import TestClient
from tests.signed_in import sign_in

from parcours.errors import ParcoursError
from parcours.words import Words
from parcours.workspaces.app import create_app
from parcours.workspaces.forms import FORM_TYPE, MOST_BYTES
from parcours.workspaces.safety import write_policy

OURS = {"origin": "http://127.0.0.1"}
PLACE = "/fr/sources/replay"


@pytest.fixture
def client(company: Firm) -> TestClient:
    """A browser on the loopback that follows no redirect."""
    return TestClient(
        create_app(company),
        "http://127.0.0.1",
        raise_server_exceptions=False,
        follow_redirects=False,
        cookies=sign_in(company.folder, "it"),
    )


def read_forms(client: TestClient, language: str = "fr") -> list[dict[str, str]]:
    """Return the fields of the forms on the page of sources, in their order."""
    text = client.get(f"/{language}/sources").text
    return [dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) for form in re.findall(r"<form.*?</form>", text)]


def test_a_form_of_ours_puts_its_events_back_and_says_so(client: TestClient, company: CollectingFirm) -> None:
    form = read_forms(client)[0]
    assert (form["source"], form["code"]) == ("web", "field_missing")
    answer = client.post(PLACE, data=form, headers=OURS)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/fr/sources?put_back=214&proof=")
    assert answer.headers["location"].endswith("#said")
    assert company.asked == [("web", "field_missing")]
    text = client.get(answer.headers["location"]).text
    assert "214 événements ont été remis dans le journal" in text
    assert "214 événements</strong>" not in text  # they are no longer in quarantine


def test_all_of_it_can_be_replayed_at_once(client: TestClient, company: CollectingFirm) -> None:
    form = read_forms(client)[-1]
    assert (form["source"], form["code"]) == ("", "")
    client.post(PLACE, data=form, headers=OURS)
    assert company.asked == [(None, None)]
    assert read_forms(client) == []


def test_replaying_twice_says_that_nothing_was_left(client: TestClient) -> None:
    form = read_forms(client)[0]
    client.post(PLACE, data=form, headers=OURS)
    again = client.post("/en/sources/replay", data=form, headers=OURS)
    assert "Nothing to replay" in client.get(again.headers["location"]).text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8601"},
        OURS | {"sec-fetch-site": "cross-site"},
    ],
    ids=["none", "null", "foreign", "another port", "cross-site"],
)
def test_a_form_from_elsewhere_is_refused_whatever_it_holds(
    client: TestClient, company: CollectingFirm, headers: dict[str, str]
) -> None:
    answer = client.post(PLACE, data=read_forms(client)[0], headers=headers)
    assert answer.status_code == 403
    assert "ne vient pas d’une page de Parcours" in answer.text
    assert company.asked == []


@pytest.mark.parametrize("change", [{"token": ""}, {"source": "app"}, {"code": ""}, {"token": "1.0"}])
def test_a_form_without_its_own_token_is_refused(
    client: TestClient, company: CollectingFirm, change: dict[str, str]
) -> None:
    answer = client.post(PLACE, data=read_forms(client)[0] | change, headers=OURS)
    assert answer.status_code == 403
    assert "trop ancien" in answer.text
    assert company.asked == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe", FORM_TYPE),
        (b"%b&source=app", FORM_TYPE),
        (b"%b&" + b"&".join(b"f%d=1" % n for n in range(50)), FORM_TYPE),
        (b"%b&more=" + b"x" * MOST_BYTES, FORM_TYPE),
        (b"%b&more=%%FF", FORM_TYPE),
        (b'{"source": "web"}', "application/json"),
        (b"%b", "text/plain"),
        (b"%b", "multipart/form-data; boundary=x"),
        (b"%b", ""),
    ],
    ids=["bytes", "twice", "many fields", "large", "no UTF-8", "JSON", "text", "multipart", "no type"],
)
def test_what_is_no_form_is_refused_though_its_token_is_right(
    client: TestClient, company: CollectingFirm, body: bytes, kind: str
) -> None:
    form = urlencode(read_forms(client)[0]).encode()
    answer = client.post(PLACE, content=body % form if b"%b" in body else body, headers=OURS | {"content-type": kind})
    assert answer.status_code == 403
    assert "Cette demande ne se lit pas" in answer.text
    assert company.asked == []


def test_why_events_wait_on_is_said_with_its_remedy(client: TestClient, company: CollectingFirm) -> None:
    company.fault = ParcoursError("disk_full", Words("Le disque est plein.", "Full."), Words("Faites de la place.", ""))
    answer = client.post(PLACE, data=read_forms(client)[0], headers=OURS)
    assert answer.status_code == 503
    assert "Le disque est plein." in answer.text
    assert "Faites de la place." in answer.text


def test_without_a_way_to_replay_there_is_no_button_and_no_form_is_taken(
    client: TestClient, company: CollectingFirm
) -> None:
    form = read_forms(client)[0]
    plain = TestClient(create_app(Firm(company.folder)), "http://127.0.0.1", cookies=client.cookies)
    assert read_forms(plain) == []
    assert "il manque un champ" in plain.get("/fr/sources").text
    answer = plain.post(PLACE, data=form, headers=OURS)
    assert answer.status_code == 403
    assert "rien ne peut être rejoué" in answer.text


@pytest.mark.parametrize(
    "query",
    [{"put_back": "999"}, {"put_back": "999", "proof": "1.x"}, {"put_back": "<b>", "proof": ""}, {"proof": "x"}],
)
def test_nobody_else_can_make_the_page_say_that_something_was_replayed(
    client: TestClient, query: dict[str, str]
) -> None:
    # A token is any digits at all, so it is left out of what is searched.
    text = re.sub(r'value="[^"]*"', "", client.get(f"/fr/sources?{urlencode(query)}").text)
    assert 'id="said"' not in text
    assert "999" not in text
    assert "<b>" not in text


def test_forms_are_let_through_on_this_page_alone(client: TestClient) -> None:
    answer = client.get("/fr/sources")
    assert answer.headers["content-security-policy"] == write_policy(forms=True)
    assert "form-action 'self'" in write_policy(forms=True)
    assert answer.headers["referrer-policy"] == "same-origin"
    for place in ("/fr/map", "/fr/measures", "/fr/nowhere", "/fr/sources/nowhere"):
        headers = client.get(place).headers
        assert "form-action 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


def test_opening_the_address_of_the_form_leads_to_the_page(client: TestClient) -> None:
    answer = client.get(PLACE)
    assert (answer.status_code, answer.headers["location"]) == (302, "/fr/sources")
    assert client.put(PLACE, headers=OURS).status_code == 405
