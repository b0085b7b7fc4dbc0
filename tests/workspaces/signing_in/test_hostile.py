"""What an attacker tries at the entrance: fixed sessions, foreign forms, guesses, redirects, names and clocks."""

from __future__ import annotations

import re
import statistics
import time

import msgspec
import pytest
from firm import Firm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.signed_in import sign_in
from tests.workspaces.signing_in.conftest import PHRASE
from tests.workspaces.signing_in.test_signed_in import OURS, fill_in

from parcours.know import LOCAL, Access
from parcours.settings import Settings
from parcours.workspaces.app import create_app
from parcours.workspaces.forms import FORM_TYPE
from parcours.workspaces.routes import FORMS
from parcours.workspaces.signing_in import entrance, routes
from parcours.workspaces.signing_in.attempts import MOST_KEPT, Attempts
from parcours.workspaces.signing_in.places import find_place, is_place


def flags(answer: object, name: str) -> dict[str, str]:
    """Return the attributes with which a cookie is set."""
    headers = [line for line in answer.headers.get_list("set-cookie") if line.startswith(f"{name}=")]  # type: ignore[attr-defined]
    assert len(headers) == 1, headers
    parts = [part.strip().partition("=") for part in headers[0].split(";")[1:]]
    return {key.lower(): value for key, _, value in parts}


def test_cookies_are_read_by_no_script_and_sent_by_no_other_site(client: TestClient) -> None:
    answer = client.post("/en/sign-in", data=fill_in(client, "ada", PHRASE), headers=OURS)
    assert flags(answer, "parcours") == {"httponly": "", "path": "/", "samesite": "lax"}


def test_over_tls_cookies_never_travel_without_it(own: Firm, access: Access) -> None:
    own.settings = msgspec.structs.replace(
        Settings(), serve=msgspec.structs.replace(Settings().serve, public_url="https://parcours.example.com")
    )
    client = TestClient(create_app(own), "https://parcours.example.com", follow_redirects=False)
    answer = client.post(
        "/en/sign-in", data=fill_in(client, "ada", PHRASE), headers={"origin": "https://parcours.example.com"}
    )
    assert answer.status_code == 303
    assert flags(answer, "__Host-parcours") == {"httponly": "", "path": "/", "samesite": "lax", "secure": ""}
    secret = client.cookies["__Host-parcours"]
    plain = TestClient(client.app, "https://parcours.example.com", cookies={"parcours": secret}, follow_redirects=False)
    assert plain.get("/en/map").status_code == 303  # a cookie that another host of the domain could have set


def test_a_session_that_was_fixed_beforehand_is_worth_nothing(client: TestClient, own: Firm, access: Access) -> None:
    chosen = {"cookie": "parcours=fixed-by-somebody-else"}
    fields = fill_in(client, "ada", PHRASE)
    told = chosen["cookie"] + f"; parcours_visit={client.cookies['parcours_visit']}"
    answer = client.post("/en/sign-in", data=fields, headers=OURS | {"cookie": told})
    assert "fixed-by-somebody-else" not in answer.headers["set-cookie"]
    assert TestClient(client.app, "http://127.0.0.1", headers=chosen).get("/en/map").url.path == "/en/sign-in"
    planted = sign_in(own.folder, "it")["parcours"]
    victim = TestClient(client.app, "http://127.0.0.1", cookies={"parcours": planted}, follow_redirects=False)
    link = access.sessions.make_link(LOCAL, time.time_ns() // 1_000_000)
    victim.get(f"/open?token={link}")
    attacker = TestClient(client.app, "http://127.0.0.1", cookies={"parcours": planted}, follow_redirects=False)
    assert attacker.get("/en/sources").status_code == 303  # ended when the victim came in


def test_no_form_of_elsewhere_is_taken(own: Firm) -> None:
    client = TestClient(create_app(own), "http://127.0.0.1", cookies=sign_in(own.folder, "it"))
    for form in FORMS:
        for headers in ({}, {"origin": "https://evil.example"}, OURS | {"sec-fetch-site": "cross-site"}):
            assert client.post(f"/en/{form.path}", data={"token": "x"}, headers=headers).status_code == 403, form


def test_no_form_without_its_token_is_taken(own: Firm, access: Access) -> None:
    client = TestClient(create_app(own), "http://127.0.0.1", cookies=sign_in(own.folder, "it"))
    fields = {"person": "1", "version": "1", "login": "eve", "role": "it", "password": PHRASE}
    for form in FORMS:
        for token in ("", "x", "1.x", "9" * 400, "1790000000." + "0" * 64):
            answer = client.post(f"/en/{form.path}", data=fields | {"token": token}, headers=OURS)
            assert answer.status_code == 403, (form, token)
    assert [one.login for one in access.staff.all()] == ["ada"]


def test_a_token_of_another_session_or_process_is_refused(own: Firm, access: Access) -> None:
    app = create_app(own)
    first, second = (TestClient(app, "http://127.0.0.1", cookies=sign_in(own.folder, "it")) for _ in range(2))
    form = first.get("/en/people").text.partition('action="/en/people/add"')[2]
    (token,) = re.findall(r'name="token" value="([^"]+)"', form)[:1]
    fields = {"token": token, "login": "eve", "role": "it", "password": PHRASE}
    assert second.post("/en/people/add", data=fields, headers=OURS).status_code == 403
    assert first.post("/en/people/add", data=fields | {"login": "bo"}, headers=OURS).status_code == 200
    assert [one.login for one in access.staff.all()] == ["ada", "bo"]


def test_the_sign_in_form_belongs_to_the_browser_that_opened_it(client: TestClient) -> None:
    fields = fill_in(client, "ada", PHRASE)
    other = TestClient(client.app, "http://127.0.0.1", follow_redirects=False)
    assert other.post("/en/sign-in", data=fields, headers=OURS).status_code == 403
    assert client.post("/en/sign-in", data=fields).status_code == 403  # no origin
    assert client.post("/en/sign-in", json=fields, headers=OURS).status_code == 403
    assert client.post("/en/sign-in", data=fields, headers=OURS).status_code == 303


LEADS_AWAY = (
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/fr//evil.example", "///evil",
    "javascript:alert(1)", "/fr/map\r\nSet-Cookie: a=b", "/fr/../../etc", "/fr/./map", "http:evil", " /fr/map", "/fr",
    "/fr/map#x", "/fr/map?next=//evil", "/de/map", "/fr/sign-in", "/en/sign-in/provider", "/fr/%0d%0aa",
    "/open?token=x", "/fr/" + "a" * 600, "/fr/map\x00", "/fr/mаp",
)  # fmt: skip


@pytest.mark.parametrize("place", LEADS_AWAY)
def test_nobody_is_led_elsewhere_after_signing_in(client: TestClient, place: str) -> None:
    assert find_place(place) == ""
    answer = client.post("/en/sign-in", data=fill_in(client, "ada", PHRASE) | {"next": place}, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/map")


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=60), st.from_regex(r"/(fr|en)/[ -~]{0,40}", fullmatch=True)))
def test_every_place_stays_on_this_host(place: str) -> None:
    if is_place(place):
        assert re.match(r"/(fr|en)/", place)
        assert not re.search(r"//|\\|[\x00-\x20]|[^\x00-\x7f]", place)


def test_guessing_is_slowed_down_for_an_account_and_an_address(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    staff = client.app.state.entrance.access.staff  # type: ignore[attr-defined]
    monkeypatch.setattr(staff, "check_password", lambda login, _: asked.append(login))
    fields = fill_in(client, "ada", "guess")
    statuses = [client.post("/en/sign-in", data=fields, headers=OURS).status_code for _ in range(12)]
    assert statuses == [403] * entrance.AT_ONCE_PERSON + [429] * 6
    assert len(asked) == entrance.AT_ONCE_PERSON
    refused = client.post("/en/sign-in", data=fields, headers=OURS)
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert "tried too often" in refused.text
    # However it is written, and the right password does not get through either.
    for written in (" ADA ", "\uff21\uff24\uff21"):
        assert client.post("/en/sign-in", data=fields | {"login": written}, headers=OURS).status_code == 429
    others = [
        client.post("/en/sign-in", data=fields | {"login": f"user{n}"}, headers=OURS).status_code for n in range(40)
    ]
    assert 403 in others
    assert others[-1] == 429  # the address has used up what it has


def test_when_too_many_wait_for_their_password_the_next_one_is_told_to_come_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MOST_WAITING", 0)
    answer = client.post("/en/sign-in", data=fill_in(client, "ada", PHRASE), headers=OURS)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    monkeypatch.undo()
    assert client.post("/en/sign-in", data=fill_in(client, "ada", PHRASE), headers=OURS).status_code == 303


def test_attempts_come_back_one_by_one_and_fill_no_memory() -> None:
    now = [0.0]
    attempts = Attempts(3, 60, lambda: now[0])
    assert [attempts.take("ada") for _ in range(4)] == [0, 0, 0, 60]
    now[0] = 59
    assert attempts.take("ada") == pytest.approx(1)
    now[0] = 60
    assert attempts.take("ada") == 0
    assert attempts.take("ada") > 0
    attempts.forget("ada")
    assert attempts.take("ada") == 0
    for number in range(2 * MOST_KEPT):
        attempts.take(str(number))
    assert len(attempts._left) == MOST_KEPT


def test_an_unknown_login_is_told_from_a_wrong_password_by_nothing(client: TestClient) -> None:
    answers, took = {}, {}
    client.app.state.entrance.by_person = client.app.state.entrance.by_address = Attempts(1_000, 1)  # type: ignore[attr-defined]
    for login in ("ada", "eve"):
        fields, times = fill_in(client, login, "something else entirely"), []
        for _ in range(3):
            started = time.perf_counter()
            answer = client.post("/en/sign-in", data=fields, headers=OURS)
            times.append(time.perf_counter() - started)
        took[login] = statistics.median(times)
        text = re.sub(r'name="token" value="[^"]+"', "", answer.text).replace(f'value="{login}"', "")
        answers[login] = (answer.status_code, text, sorted(answer.headers))
    assert answers["ada"] == answers["eve"]
    assert 0.3 < took["ada"] / took["eve"] < 3


@pytest.mark.parametrize("path", ["/open?token=x", "/en/sign-in", "/en/map", "/health", "/sign-in/back"])
def test_a_name_that_was_not_asked_for_is_refused_before_anything(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers


def test_a_forwarded_host_changes_nothing(client: TestClient) -> None:
    told = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "forwarded": "host=evil.example"}
    assert "evil" not in str(client.get("/en/map", headers=told).headers)


@pytest.mark.parametrize(("forwarded", "address"), [(False, "10.0.0.1"), (True, "9.9.9.9")])
def test_the_address_of_a_client_is_not_its_own_word(own: Firm, forwarded: bool, address: str) -> None:
    serve = msgspec.structs.replace(Settings().serve, forwarded=forwarded)
    seen = entrance.Entrance(Access(own.folder, Settings()), msgspec.structs.replace(Settings(), serve=serve))
    told = [(b"x-forwarded-for", b"6.6.6.6, 9.9.9.9")]  # the last entry is the proxy's, what is before it anybody's
    assert seen.find_address(Request({"type": "http", "headers": told, "client": ("10.0.0.1", 5)})) == address


def test_a_password_in_the_address_is_not_taken(client: TestClient) -> None:
    answer = client.get(f"/en/sign-in?login=ada&password={PHRASE}")
    assert answer.status_code == 200
    assert PHRASE not in answer.text
    assert client.cookies.get("parcours") is None


def test_a_form_that_is_no_form_is_refused(client: TestClient) -> None:
    for body in (b"\xff\xfe=1", b"login=a&login=b", b"a=1&" * 50, b"x" * 20_000):
        answer = client.post("/en/sign-in", content=body, headers=OURS | {"content-type": FORM_TYPE})
        assert answer.status_code == 403


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")), st.text(max_size=60))
def test_no_cookie_or_token_of_their_own_lets_anybody_in(client: TestClient, cookie: str, token: str) -> None:
    plain = cookie.translate({ord(letter): None for letter in "\r\n\x00;,"})
    told = {"cookie": f"parcours={plain}; __Host-parcours={plain}".encode("latin-1")}
    assert client.get("/en/map", headers=told).status_code == 303
    bearer = {"authorization": f"Bearer {token}".encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"")}
    assert client.get("/en/map", headers=bearer).status_code == 401


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=8))
def test_no_form_of_their_own_signs_anybody_in(client: TestClient, fields: dict[str, str]) -> None:
    answer = client.post("/en/sign-in", data=fields, headers=OURS)
    assert answer.status_code in (403, 429)
    assert client.cookies.get("parcours") is None
