"""The page of pairs: what speaks for each is masked, a person decides by a form of ours alone, and it counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.boutique import deliver, make_company, make_event, take_over
from tests.signed_in import sign_in

from parcours.company import Company
from parcours.workspaces.app import create_app

OURS = {"origin": "http://127.0.0.1"}


@pytest.fixture
def shop(tmp_path: Path) -> Company:
    """A shop in which two accounts had one mail."""
    company = make_company(tmp_path / "shop")
    mail = {"email": "claire@maison.fr"}
    events = (make_event(0, "CLIENT-1", True, traits=mail), make_event(1, "CLIENT-2", traits=mail))
    deliver(company, *events)
    take_over(company)
    return company


def browse(company: Company, role: str = "dpo") -> TestClient:
    return TestClient(
        create_app(company),
        "http://127.0.0.1",
        raise_server_exceptions=False,
        follow_redirects=False,
        cookies=sign_in(company.folder, role),  # type: ignore[arg-type]
    )


def read_form(client: TestClient, language: str = "en") -> dict[str, str]:
    text = client.get(f"/{language}/review").text
    (form,) = re.findall(r'<form method="post" action="/\w\w/review/decide".*?</form>', text, re.DOTALL)
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.split("<button")[0]))


def test_the_page_says_what_speaks_for_a_pair_masked(shop: Company) -> None:
    text = browse(shop).get("/en/review").text
    assert "1 pair may be one person" in text
    assert "both with mail c•••@maison.fr; refused: one person would have too many accounts" in text
    assert "claire" not in text
    assert "CLIENT-1" not in text
    # Each name leads to a customer's page, which asks for a reason.
    ids = re.findall(r'<a href="/en/customer/([0-9a-f]{16})">', text)
    assert len(set(ids)) == 2
    for id in ids:
        assert "Why do you look at this customer?" in browse(shop).get(f"/en/customer/{id}").text
    french = browse(shop).get("/fr/review").text
    assert "tous deux avec le même e-mail c•••@maison.fr ; refusé : une même personne aurait trop de comptes" in french


@pytest.mark.parametrize(("answer", "same"), [("same", True), ("not_same", False)])
def test_a_person_decides_and_the_pair_waits_no_more(shop: Company, answer: str, same: bool) -> None:
    client = browse(shop)
    fields = {**read_form(client), "answer": answer, "cause": "asked by phone"}
    done = client.post("/en/review/decide", data=fields, headers=OURS)
    assert done.status_code == 303
    assert "Noted: these two identifiers" in client.get(done.headers["location"]).text
    assert "No pair waits for a decision" in client.get("/en/review").text
    profiles = {shop.know.explain(f"user:CLIENT-{number}")[0].profile for number in (1, 2)}
    assert (len(profiles) == 1) is same
    (entry,) = [one for one in shop.know.audit.read() if one.action == "settle_merge"]
    assert entry.reason.endswith("asked by phone")


def test_without_a_reason_nothing_is_decided(shop: Company) -> None:
    client = browse(shop)
    done = client.post("/en/review/decide", data={**read_form(client), "answer": "same", "cause": " "}, headers=OURS)
    assert "the reason is missing" in client.get(done.headers["location"]).text
    assert len(shop.review()) == 1


@pytest.mark.parametrize(
    "change", [{"one": "0" * 16}, {"token": "1.x"}, {"answer": "maybe"}, {"other": "not hexadecimal"}]
)
def test_a_form_that_is_not_ours_decides_nothing(shop: Company, change: dict[str, str]) -> None:
    client = browse(shop)
    fields = {**read_form(client), "answer": "same", "cause": "x", **change}
    assert client.post("/en/review/decide", data=fields, headers=OURS).status_code == 403
    assert client.post("/en/review/decide", data=fields).status_code == 403
    assert len(shop.review()) == 1


@pytest.mark.parametrize("role", ["cco", "cem", "sales", "it"])
def test_a_role_that_may_not_settle_opens_nothing(shop: Company, role: str) -> None:
    client = browse(shop, role)
    assert client.get("/en/review").status_code == 403
    fields = {**read_form(browse(shop)), "answer": "same", "cause": "x"}
    assert client.post("/en/review/decide", data=fields, headers=OURS).status_code == 403
    assert len(shop.review()) == 1
