"""OpenID Connect against a provider that runs: who is let in, and everything that lets nobody in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec
import pytest
from firm import Firm
from starlette.testclient import TestClient
from tests.oidc_provider import CLIENT, SECRET, OidcProvider

from parcours.errors import ParcoursError
from parcours.know import Access
from parcours.settings import ProviderSettings, Settings, SignInSettings
from parcours.workspaces.app import create_app
from parcours.workspaces.signing_in import ways
from parcours.workspaces.signing_in.attempts import Attempts
from parcours.workspaces.signing_in.provider import Provider, read_secret
from parcours.workspaces.signing_in.ways import begin_way, open_way, seal_way

BACK = "http://127.0.0.1/sign-in/back"
NOBODY = "/en/sign-in?why=provider"
VARIABLE = "PARCOURS_TEST_OIDC_SECRET"


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    """A provider that knows the client by a secret."""
    one = OidcProvider(lambda: {BACK})
    yield one
    one.close()


@pytest.fixture
def firm(tmp_path: Path, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A firm whose people the provider signs in."""
    monkeypatch.setenv(VARIABLE, SECRET)
    firm = Firm(tmp_path)
    told = ProviderSettings(issuer=provider.issuer, client_id=CLIENT, client_secret=f"${{{VARIABLE}}}", name="Acme")
    firm.settings = msgspec.structs.replace(Settings(), sign_in=SignInSettings(provider=told))
    return firm


@pytest.fixture
def access(firm: Firm) -> Access:
    """Its accounts: Ada, who has no password."""
    access = Access(firm.folder, firm.settings)
    access.add("cli", "ada@example.com", "cco", (), None, 0)
    return access


@pytest.fixture
def client(firm: Firm, access: Access) -> TestClient:
    """A browser that is not signed in and follows no redirect."""
    return TestClient(create_app(firm), "http://127.0.0.1", follow_redirects=False)


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def visit(address: str) -> str:
    """Open the provider's page as a browser does, and return where it leads back to."""
    with build_opener(_Stay, _Kept).open(Request(address)) as answer:
        return str(answer.headers["Location"])


class _Kept(HTTPRedirectHandler):
    handler_order = 100

    def http_error_302(self, request: Any, answer: Any, *_: Any) -> Any:
        return answer


def leave(client: TestClient, place: str = "") -> str:
    """Leave for the provider, and return the address that it leads back to."""
    answer = client.get("/en/sign-in/provider", params={"next": place} if place else {})
    assert answer.status_code == 303
    return visit(answer.headers["location"])


def come_back(client: TestClient, address: str) -> str:
    """Follow the provider's way back and return where it leads."""
    answer = client.get(address)
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.headers["location"])


def test_somebody_comes_in_by_the_provider(client: TestClient, access: Access, provider: OidcProvider) -> None:
    assert ">Sign in with Acme</a>" in client.get("/en/sign-in").text
    assert come_back(client, leave(client, "/en/journey")) == "/en/journey"
    assert client.get("/en/journey").status_code == 200
    (session,) = access.sessions.all()
    assert session.how == "provider"
    person = access.staff.named("ada@example.com")
    assert person.subject == f"{provider.issuer}\n248289761001"
    assert person.signed_in_ms is not None
    query = provider.asked[0]
    assert len(query["state"]) == len(query["nonce"]) == len(query["code_challenge"]) == 43


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_provider_may_change_its_keys(client: TestClient, provider: OidcProvider, algorithm: str) -> None:
    provider.algorithm = algorithm
    assert come_back(client, leave(client)) == "/en/map"


def test_keys_are_asked_for_again_when_they_have_changed(
    firm: Firm, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    one = Provider(firm.settings.sign_in.provider, lambda: now[0])  # type: ignore[arg-type]
    for later in (0.0, 100.0):
        now[0] = later
        way = begin_way("en", "", time.time())
        (code,) = parse_qs(urlsplit(visit(one.ask(way, BACK))).query)["code"]
        assert one.identify(way, code, BACK, time.time()).mail == "ada@example.com"
        provider.rotate()


def test_after_the_first_time_the_providers_own_number_counts(client: TestClient, provider: OidcProvider) -> None:
    come_back(client, leave(client))
    client.cookies.clear()
    provider.person = provider.person | {"email": "ada.new@example.com"}
    assert come_back(client, leave(client)) == "/en/map"
    client.cookies.clear()
    # The address now belongs to somebody else there.
    provider.person = {"sub": "another", "email": "ada@example.com", "email_verified": True}
    assert come_back(client, leave(client)) == "/en/sign-in?why=stranger"


@pytest.mark.parametrize(
    "told",
    [
        {"sub": "1", "email": "bo@example.com", "email_verified": True},
        {"sub": "1", "email": "ada@example.com", "email_verified": False},
        {"sub": "1", "email": "ada@example.com", "email_verified": "true"},
        {"sub": "1", "email": "ada@example.com"},
        {"sub": "1"},
    ],
    ids=["unknown", "unverified", "a word", "unsaid", "no address"],
)
def test_a_stranger_is_not_let_in(client: TestClient, provider: OidcProvider, told: dict[str, Any]) -> None:
    provider.person = told
    assert come_back(client, leave(client)) == "/en/sign-in?why=stranger"
    assert client.get("/en/map").status_code == 303


Alter = Callable[[dict[str, Any]], object]
UNTRUE: dict[str, Alter] = {
    "another issuer": lambda claims: claims.update(iss="https://elsewhere.example"),
    "another audience": lambda claims: claims.update(aud="another"),
    "more audiences and no party": lambda claims: claims.update(aud=["another"]),
    "another party": lambda claims: claims.update(azp="another"),
    "expired": lambda claims: claims.update(exp=int(time.time()) - 120, iat=int(time.time()) - 400),
    "no expiry": lambda claims: claims.pop("exp"),
    "of the future": lambda claims: claims.update(iat=int(time.time()) + 86_400),
    "another nonce": lambda claims: claims.update(nonce="another"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "no subject": lambda claims: claims.pop("sub"),
    "an empty subject": lambda claims: claims.update(sub=""),
    "a subject that is none": lambda claims: claims.update(sub={"a": 1}),
    "no issuer": lambda claims: claims.pop("iss"),
}


@pytest.mark.parametrize("what", UNTRUE)
def test_a_token_that_is_not_true_lets_nobody_in(client: TestClient, provider: OidcProvider, what: str) -> None:
    provider.alter = UNTRUE[what]
    assert come_back(client, leave(client)) == NOBODY
    assert client.get("/en/map").status_code == 303


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_nobody_signed_lets_nobody_in(client: TestClient, provider: OidcProvider, algorithm: str) -> None:
    provider.algorithm = algorithm
    assert come_back(client, leave(client)) == NOBODY


def test_a_code_serves_once_and_in_one_browser(client: TestClient) -> None:
    address = leave(client)
    other = TestClient(client.app, "http://127.0.0.1", follow_redirects=False)
    assert come_back(other, address) == "/fr/sign-in?why=provider"  # somebody else's browser
    assert come_back(client, address) == "/en/map"
    client.cookies.delete("parcours")
    assert come_back(client, address).endswith("why=provider")  # a second time


def test_ways_back_from_one_address_are_counted(client: TestClient, provider: OidcProvider) -> None:
    client.app.state.entrance.by_address = Attempts(1, 60)  # type: ignore[attr-defined]
    assert come_back(client, leave(client)) == "/en/map"
    client.cookies.clear()
    assert come_back(client, leave(client)) == NOBODY


def change(address: str, **changed: str) -> str:
    """Return an address whose query says otherwise."""
    for name, value in changed.items():
        before = parse_qs(urlsplit(address).query)[name][0]
        address = address.replace(f"{name}={before}", f"{name}={value}")
    return address


@pytest.mark.parametrize("changed", [{"state": "x"}, {"state": ""}, {"code": "x"}, {"code": ""}, {"code": "x" * 3000}])
def test_an_answer_that_was_changed_lets_nobody_in(client: TestClient, changed: dict[str, str]) -> None:
    assert come_back(client, change(leave(client), **changed)) in (NOBODY, "/en/sign-in?why=away")


def test_an_answer_of_another_provider_lets_nobody_in(client: TestClient) -> None:
    address = leave(client)
    assert come_back(client, address.partition("&iss=")[0] + "&iss=https%3A%2F%2Felsewhere.example") == NOBODY


def test_a_way_ends_after_ten_minutes_and_when_the_clock_goes_back() -> None:
    key, way = b"k" * 32, begin_way("en", "/en/map", 1_000.9)
    carried = seal_way(way, key)
    assert open_way(carried, key, 1_600) == way
    for now_s in (1_601, 999, 1_000 - 86_400):
        assert open_way(carried, key, now_s) is None
    assert open_way(carried, b"o" * 32, 1_001) is None
    assert ways.VALID_S == 600


def test_a_provider_that_is_down_is_told(client: TestClient, provider: OidcProvider) -> None:
    provider.down = True
    answer = client.get("/fr/sign-in/provider")
    assert answer.headers["location"] == "/fr/sign-in?why=away"
    assert "injoignable" in client.get(answer.headers["location"]).text
    provider.down = False
    address = leave(client)
    provider.down = True
    assert come_back(client, address) == "/en/sign-in?why=away"


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"jwks_uri": 7},
    ],
)
def test_a_configuration_that_is_none_lets_nobody_in(
    client: TestClient, provider: OidcProvider, configuration: dict[str, Any]
) -> None:
    provider.configuration = configuration
    answer = client.get("/en/sign-in/provider")
    place = answer.headers["location"]
    assert (come_back(client, visit(place)) if place.startswith(provider.issuer) else place) == "/en/sign-in?why=away"


def test_the_secret_may_travel_in_the_body(client: TestClient, provider: OidcProvider) -> None:
    provider.configuration = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert come_back(client, leave(client)) == "/en/map"


def test_a_public_client_has_no_secret(tmp_path: Path) -> None:
    provider = OidcProvider(lambda: {BACK}, public=True)
    firm = Firm(tmp_path)
    told = SignInSettings(provider=ProviderSettings(issuer=provider.issuer, client_id=CLIENT))
    firm.settings = msgspec.structs.replace(Settings(), sign_in=told)
    Access(firm.folder, firm.settings).add("cli", "ada@example.com", "cco", (), None, 0)
    client = TestClient(create_app(firm), "http://127.0.0.1", follow_redirects=False)
    assert come_back(client, leave(client)) == "/en/map"
    provider.close()


def test_a_secret_is_named_and_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_secret("") == ""
    for reference, code in ((f"${{{VARIABLE}}}", "secret_not_set"), ("s3cret", "secret_in_clear")):
        with pytest.raises(ParcoursError) as raised:
            read_secret(reference)
        assert raised.value.code == code
        assert "s3cret" not in str(raised.value)
