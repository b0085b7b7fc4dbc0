"""Nobody comes past without a session: pages, forms, streams and interfaces; and a session ends when it should."""

from __future__ import annotations

import re
import time

import pytest
from firm import Firm
from starlette.testclient import TestClient
from tests.signed_in import begin_session, make_token, sign_in
from tests.workspaces.signing_in.conftest import PHRASE

from parcours.know import LOCAL, Access
from parcours.workspaces.app import create_app
from parcours.workspaces.routes import FORMS, PAGES

OURS = {"origin": "http://127.0.0.1"}


def fill_in(client: TestClient, login: str, password: str, **more: str) -> dict[str, str]:
    """Open the sign-in page and return the fields as somebody fills them in."""
    text = client.get("/en/sign-in", params=more).text
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', text)) | {"login": login, "password": password}


def sign_in_by_form(client: TestClient, login: str = "ada", password: str = PHRASE, **more: str) -> str:
    """Sign in on the page and return the secret of the session."""
    answer = client.post("/en/sign-in", data=fill_in(client, login, password, **more), headers=OURS)
    assert answer.status_code == 303, answer.text
    return str(client.cookies["parcours"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_no_page_opens_without_a_session(client: TestClient, page: object) -> None:
    path = "/fr/" + page.path.replace("{id}", "delivery")  # type: ignore[attr-defined]
    answer = client.get(path)
    assert (answer.status_code, answer.content) == (303, b"")
    assert answer.headers["location"].startswith("/fr/sign-in?next=%2Ffr%2F")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)
def test_no_form_is_taken_without_a_session(client: TestClient, form: object) -> None:
    place = f"/fr/{form.path}"  # type: ignore[attr-defined]
    assert client.post(place, data={"token": "x"}, headers=OURS).status_code == 303
    assert client.post(place, data={"token": "x"}).status_code == 403  # from elsewhere


@pytest.mark.parametrize("path", ["/nowhere", "/api/profile?id=user:1", "/metrics", "/fr/live", "/static/none.css"])
def test_programs_are_told_and_nothing_says_what_is_there(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/event-stream"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_signed_in"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_somebody_signs_in_reads_and_signs_out(client: TestClient, access: Access) -> None:
    secret = sign_in_by_form(client)
    assert client.get("/en/map").status_code == 200
    page = client.get("/en/account")
    assert page.headers["cache-control"] == "private, no-store"
    token = re.findall(r'name="everywhere" value=""><input type="hidden" name="token" value="([^"]+)"', page.text)[0]
    answer = client.post("/en/account/sign-out", data={"everywhere": "", "token": token}, headers=OURS)
    assert answer.headers["location"] == "/en/sign-in?why=out"
    assert answer.headers["clear-site-data"] == '"cache"'
    client.cookies.set("parcours", secret)  # what was stolen meanwhile
    assert client.get("/en/map").status_code == 303


def test_a_role_that_changes_ends_what_was_open(client: TestClient, access: Access) -> None:
    ada = access.staff.named("ada")
    access.add("cli", "bo", "it", (), None, 0)
    sign_in_by_form(client)
    access.change("cli", ada.person_id, "it")
    assert client.get("/en/map").headers["location"].startswith("/en/sign-in")
    sign_in_by_form(client)
    assert client.get("/en/map").status_code == 403
    assert "does not let “IT” see experience" in client.get("/en/map").text
    assert client.get("/en/sources").status_code == 200
    access.remove("cli", ada.person_id)
    assert client.get("/en/sources").status_code == 303


def test_one_roles_page_is_never_anothers(own: Firm) -> None:
    app = create_app(own)
    first = TestClient(app, "http://127.0.0.1", cookies=sign_in(own.folder, "cco"))
    tag = first.get("/fr/map").headers["etag"]
    other = TestClient(app, "http://127.0.0.1", cookies=sign_in(own.folder, "it"))
    answer = other.get("/fr/map", headers={"if-none-match": tag})
    assert answer.status_code == 403
    dpo = TestClient(app, "http://127.0.0.1", cookies=sign_in(own.folder, "dpo"))
    page = dpo.get("/fr/measures", headers={"if-none-match": first.get("/fr/measures").headers["etag"]})
    assert (page.status_code, ">DPO</a>" in page.text) == (200, True)


def test_a_refusal_is_in_the_audit_log(own: Firm, access: Access) -> None:
    TestClient(create_app(own), "http://127.0.0.1", cookies=sign_in(own.folder, "it")).get("/fr/touchpoint/delivery")
    entry = access.audit.read()[0]
    assert (entry.actor, entry.action, entry.thing, entry.outcome) == (
        "local",
        "see_results",
        "/fr/touchpoint/ID",
        "refused",
    )


def test_a_program_asks_with_its_token_and_no_browser_does(own: Firm) -> None:
    app = create_app(own)
    program = TestClient(app, "http://127.0.0.1", headers=make_token(own.folder, "cco"))
    assert program.get("/fr/map").status_code == 200
    secret = make_token(own.folder, "cco")["Authorization"].removeprefix("Bearer ")
    browser = TestClient(app, "http://127.0.0.1", cookies={"parcours": secret}, follow_redirects=False)
    assert browser.get("/fr/map").status_code == 303
    stolen = {"Authorization": f"Bearer {begin_session(own.folder)}"}
    assert TestClient(app, "http://127.0.0.1", headers=stolen).get("/fr/map").status_code == 401


def test_an_address_opens_once_and_leaves_no_trace_of_itself(client: TestClient, access: Access) -> None:
    secret = access.sessions.make_link(LOCAL, time.time_ns() // 1_000_000)
    assert client.head(f"/open?token={secret}").status_code == 200  # whoever only looks does not use it up
    answer = client.get(f"/open?token={secret}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/fr/map")
    assert secret not in str(answer.headers)
    assert client.get("/fr/map").status_code == 200
    other = TestClient(client.app, "http://127.0.0.1", follow_redirects=False)
    assert other.get(f"/open?token={secret}").headers["location"] == "/fr/sign-in?why=link"
