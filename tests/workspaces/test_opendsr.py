"""OpenDSR on the port of the pages: nothing without a key, every answer signed, described as it is."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.testclient import TestClient
from tests.boutique import make_company

from parcours import company as companies
from parcours.company import Company
from parcours.workspaces.app import create_app
from parcours.workspaces.opendsr import MOST_BYTES, WRONG_AT_ONCE, list_opendsr_routes

BODY = {
    "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
    "subject_request_type": "access",
    "submitted_time": "2026-11-20T12:00:00Z",
    "subject_identities": [{"identity_type": "email", "identity_value": "claire@maison-synthetique.fr"}],
}
ID = BODY["subject_request_id"]
WAYS = [
    ("GET", "discovery"),
    ("GET", "openapi.json"),
    ("POST", "requests"),
    ("GET", "requests/x"),
    ("DELETE", "requests/x"),
]


@pytest.fixture
def shop(tmp_path: Path) -> Company:
    make_company(tmp_path / "shop")
    return companies.open(tmp_path / "shop")


@pytest.fixture
def client(shop: Company) -> Iterator[TestClient]:
    more = list_opendsr_routes("shop", lambda: shop.know.opendsr)
    with TestClient(create_app(shop, more=more), "http://127.0.0.1", follow_redirects=False) as one:
        yield one


def told(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_who_sends_wrong_keys_has_to_wait_and_who_has_the_right_one_does_not(shop: Company, client: TestClient) -> None:
    key = shop.know.opendsr.keys.add(())
    asked = [client.get("/opendsr/discovery", headers=told("x" * 43)) for _ in range(WRONG_AT_ONCE + 2)]
    assert [one.status_code for one in asked] == [401] * WRONG_AT_ONCE + [429] * 2
    assert 1 <= int(asked[-1].headers["retry-after"]) <= 3
    assert client.get("/opendsr/discovery", headers=told(key)).status_code == 200


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_without_a_key_there_is_nothing_and_with_a_wrong_one_nobody(
    shop: Company, client: TestClient, method: str, path: str
) -> None:
    assert client.request(method, f"/opendsr/{path}", headers=told("x" * 43)).status_code == 404
    key = shop.know.opendsr.keys.add(())
    wrong = [{}, told("x" * 43), told(""), told(key[:-1]), {"Authorization": f"Basic {key}"}, {"Authorization": key}]
    for headers in wrong:
        answer = client.request(method, f"/opendsr/{path}", headers=headers, content=json.dumps(BODY))
        assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (401, "invalid_key")
    shop.know.opendsr.keys.revoke(key[-6:])
    assert client.request(method, f"/opendsr/{path}", headers=told(key)).status_code == 404
    assert not shop.requests()


def test_a_request_is_sent_followed_and_cancelled(shop: Company, client: TestClient) -> None:
    headers = told(shop.know.opendsr.keys.add(()))
    public = client.get("/opendsr/discovery", headers=headers).json()["public_key"]
    answers = [client.post("/opendsr/requests", headers=headers, json=BODY) for _ in range(2)]
    answers += [
        client.get(f"/opendsr/requests/{ID}", headers=headers),
        client.delete(f"/opendsr/requests/{ID}", headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 200, 202]
    assert answers[-1].json()["request_status"] == "cancelled"
    assert len(shop.requests()) == 1
    for answer in answers:
        signature = base64.b64decode(answer.headers["x-opendsr-signature"])
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, answer.content)
        assert answer.headers["x-opendsr-processor-domain"] == "shop"
        assert answer.headers["cache-control"] == "no-store"


def test_what_is_too_long_or_has_another_method_is_refused(shop: Company, client: TestClient) -> None:
    headers = told(shop.know.opendsr.keys.add(()))
    assert client.post("/opendsr/requests", headers=headers, content=b"x" * (MOST_BYTES + 1)).status_code == 413
    assert client.put("/opendsr/requests", headers=headers, json=BODY).status_code == 405
    assert client.get(f"/opendsr/requests/{'%2e%2e%2f' * 3}", headers=headers).status_code in (401, 404)
    assert not shop.requests()


def test_the_key_opens_nothing_else(shop: Company, client: TestClient) -> None:
    headers = told(shop.know.opendsr.keys.add(()))
    for path in ("/en/consent", "/en/map", "/metrics"):
        assert client.get(path, headers=headers).status_code in (303, 401, 404)


def test_the_description_holds_every_address(shop: Company, client: TestClient) -> None:
    described: dict[str, Any] = client.get("/opendsr/openapi.json", headers=told(shop.know.opendsr.keys.add(()))).json()
    routes = {(route.path, method.lower()) for route in list_opendsr_routes("", lambda: shop.know.opendsr)
              for method in route.methods or () if method != "HEAD"}  # fmt: skip
    held = {(path, method) for path, each in described["paths"].items() for method in each if method != "parameters"}
    assert held == routes
