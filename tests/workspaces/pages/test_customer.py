"""The page of a customer: found by a form alone, shown for a reason, masked, and told to nobody else."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from portrayed import PERSONAL, PROFILE, PortrayedFirm
from starlette.testclient import TestClient
from tests.boutique import deliver, make_company, make_event, take_over
from tests.signed_in import sign_in

from parcours import flow
from parcours.blueprint.records import Field
from parcours.company import Company
from parcours.know import Access, Caller, SignedIn
from parcours.settings import Settings
from parcours.workspaces.app import create_app
from parcours.workspaces.forms import sign
from parcours.workspaces.pages.customer import read_customer
from parcours.workspaces.readable import KnowsAccounts, Links, Portrays, Readable
from parcours.workspaces.signing_in.asking import Asking, asked_by

OURS = {"origin": "http://127.0.0.1"}
HTML = "127.0.0.1"


@pytest.fixture
def shop(tmp_path: Path) -> Company:
    """A shop with one customer who ordered, with a mail and a device."""
    company = make_company(tmp_path / "shop")
    claire = {"traits": {"email": "claire@maison.fr"}, "anonymousId": "D1"}
    deliver(company, make_event(0, "CLIENT-1", True, **claire), make_event(1, "CLIENT-1"), make_event(2, "CLIENT-2"))
    take_over(company)
    return company


@pytest.fixture
def portrayed(tmp_path: Path) -> PortrayedFirm:
    return PortrayedFirm(tmp_path)


def browse(company: Readable, role: str = "cem") -> TestClient:
    return TestClient(
        create_app(company),
        f"http://{HTML}",
        follow_redirects=False,
        cookies=sign_in(company.folder, role),  # type: ignore[arg-type]
    )


def read_form(text: str, place: str) -> dict[str, str]:
    (form,) = re.findall(rf'<form method="post" action="/\w\w/{place}".*?</form>', text, re.DOTALL)
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.split("<button")[0]))


def look_for(client: TestClient, kind: str, identifier: str) -> str:
    fields = read_form(client.get("/en/customer").text, "customer/find")
    found = client.post("/en/customer/find", data={**fields, "kind": kind, "identifier": identifier}, headers=OURS)
    assert found.status_code == 303
    return str(found.headers["location"])


def give_reason(client: TestClient, place: str, action: str) -> str:
    fields = read_form(client.get(place).text, f"reason/{action}")
    done = client.post(f"/en/reason/{action}", data={**fields, "reason": "complaint"}, headers=OURS)
    assert (done.status_code, done.headers["location"]) == (303, place)
    return str(client.get(place).text)


def test_the_company_is_all_that_the_page_asks_for(shop: Company) -> None:
    assert isinstance(shop, Portrays)
    assert isinstance(shop, Links)
    assert isinstance(shop, KnowsAccounts)


def test_a_customer_is_found_by_what_one_knows_and_the_address_holds_a_profile(shop: Company) -> None:
    client = browse(shop)
    places = {
        look_for(client, *known) for known in (("user", "CLIENT-1"), ("mail", "Claire@maison.fr"), ("device", "D1"))
    }
    (place,) = places
    assert re.fullmatch(r"/en/customer/[0-9a-f]{16}", place)
    assert look_for(client, "user", "CLIENT-2") != place
    nobody = look_for(client, "phone", "0601020304")
    assert "Nobody has this identifier here." in client.get(nobody).text
    assert "0601020304" not in nobody


def test_nothing_is_shown_before_a_reason_is_given_and_noted(shop: Company) -> None:
    client = browse(shop)
    place = look_for(client, "user", "CLIENT-1")
    before = client.get(place).text
    assert "Why do you look at this customer?" in before
    # No reason is chosen beforehand: one click shows nobody.
    assert '<select id="reason-reason/see_customer" name="reason" required><option value="">Choose…</option>' in before
    assert "selected" not in before.partition('name="reason"')[2].partition("</select>")[0]
    assert "Order Completed" not in before
    for reason in ({}, {"reason": ""}):
        asked = {**read_form(before, "reason/see_customer"), **reason}
        assert client.post("/en/reason/see_customer", data=asked, headers=OURS).status_code == 403
    assert "What happened" not in before
    text = give_reason(client, place, "see_customer")
    assert "What happened, on both sides of the line" in text
    for told in ("Checkout", "c•••@maison.fr", "As the consent ledger stands"):
        assert told in text
    assert "claire@" not in text
    assert "CLIENT-1" not in text
    access = Access(shop.folder, Settings())
    (entry,) = [one for one in access.audit.read(limit=5) if one.action == "see_customer"]
    assert (entry.thing, entry.reason) == (place.rpartition("/")[2], "complaint")
    access.close()


def test_unmasking_takes_a_reason_of_its_own(shop: Company) -> None:
    client = browse(shop)
    place = look_for(client, "user", "CLIENT-1")
    give_reason(client, place, "see_customer")
    text = give_reason(client, place, "unmask")
    assert "claire@maison.fr" in text
    assert "Account CLIENT-1" in text
    assert "Unmasked for you" in text


def test_personal_values_are_masked_until_then(portrayed: PortrayedFirm) -> None:
    client, place = browse(portrayed), f"/en/customer/{PROFILE}"
    text = give_reason(client, place, "see_customer")
    assert not [value for value in PERSONAL.values() if value in text]
    assert "M•••" in text
    assert portrayed.masked_for[-1]
    text = give_reason(client, place, "unmask")
    assert not [value for value in PERSONAL.values() if value not in text]
    assert not portrayed.masked_for[-1]


def test_both_sides_of_the_line_and_every_layer_are_told(portrayed: PortrayedFirm) -> None:
    text = give_reason(browse(portrayed), f"/en/customer/{PROFILE}", "see_customer")
    for told in (
        "behind the line",
        portrayed.labels["carrier_delay"].en,
        "order 1, ticket 1",
        "several people used this device",
        "Household",
    ):
        assert told in text, told
    assert text.count("<tr>") == 14  # a heading, and every event


@pytest.mark.parametrize("role", ["cco", "cmo", "finance", "it"])
def test_whom_the_table_does_not_let_sees_nobody(portrayed: PortrayedFirm, role: str) -> None:
    client = browse(portrayed, role)
    assert client.get("/en/customer").status_code == 403
    assert client.get(f"/en/customer/{PROFILE}").status_code == 403


@pytest.mark.parametrize("id", ["0" * 16, "nobody", "find"])
def test_a_profile_that_moved_is_said_to_be_gone(portrayed: PortrayedFirm, id: str) -> None:
    answer = browse(portrayed).get(f"/en/customer/{id}")
    assert answer.status_code == 404
    assert "look for them again" in answer.text


def test_a_form_of_somebody_else_finds_nobody(portrayed: PortrayedFirm) -> None:
    client = browse(portrayed)
    data = {"kind": "mail", "identifier": "zoe.martin@maison.fr", "token": "1.made-up"}
    assert client.post("/en/customer/find", data=data, headers=OURS).status_code == 403
    fields = read_form(client.get("/en/customer").text, "customer/find")
    foreign = client.post("/en/customer/find", data={**data, **fields}, headers={"origin": "http://elsewhere.fr"})
    assert foreign.status_code == 403


def test_the_model_is_drawn_and_its_bands_are_told(portrayed: PortrayedFirm) -> None:
    text = browse(portrayed, "cco").get("/fr/linking").text
    for told in (
        "Ce que pèse chaque ressemblance",
        "Date de naissance",
        "une lettre ou un chiffre de différence",
        "1\u202f204",
    ):
        assert told in text, told


def test_without_a_comparison_the_page_says_so(shop: Company) -> None:
    assert "No comparison is declared" in browse(shop, "cco").get("/en/linking").text


def scoped(company: Readable, role: str, *scope: str) -> TestClient:
    """Return the browser of somebody of a role whose own are these accounts."""
    access, now_ms = Access(company.folder, Settings()), time.time_ns() // 1_000_000
    person = access.add("cli", f"{role}-{time.time_ns()}", role, scope, None, now_ms)
    cookies = {"parcours": access.sessions.begin(person, "password", now_ms)}
    access.close()
    return TestClient(create_app(company), f"http://{HTML}", follow_redirects=False, cookies=cookies)


@pytest.mark.parametrize("role", ["csm", "sales"])
@pytest.mark.parametrize(("answer", "allowed"), [("granted", True), ("refused", False)])
def test_who_has_a_customer_records_what_they_chose(shop: Company, role: str, answer: str, allowed: bool) -> None:
    # The latest event of this customer says segment s1.
    client = scoped(shop, role, "segment:s1")
    place = look_for(client, "user", "CLIENT-1")
    text = client.get(place).text
    assert "Record a choice" in text
    fields = read_form(text, "customer/choice") | {"purpose": "personalise", "way": "call", "reference": "call 8"}
    done = client.post("/en/customer/choice", data={**fields, "answer": answer}, headers=OURS)
    assert done.status_code == 303
    told = client.get(done.headers["location"]).text
    assert ("this customer agrees" in told, "this customer refuses" in told) == (allowed, not allowed)
    assert shop.know.may("user:CLIENT-1", "personalise").allowed is allowed
    assert shop.know.may("mail:claire@maison.fr", "personalise").allowed is allowed
    access = Access(shop.folder, Settings())
    entry = next(one for one in access.audit.read(limit=5) if one.action == "record_choice")
    assert entry.actor.startswith("person:")
    assert entry.reason == f"personalise: {answer}. call call 8"
    access.close()


@pytest.mark.parametrize(
    "wrong", [{"way": ""}, {"way": "dream"}, {"reference": "a@b.fr"}, {"answer": "maybe"}, {"token": "1.x"},
              {"profile": "0" * 16}]
)  # fmt: skip
def test_a_choice_that_says_too_little_or_too_much_is_not_recorded(shop: Company, wrong: dict[str, str]) -> None:
    client = scoped(shop, "csm", "segment:s1")
    fields = read_form(client.get(look_for(client, "user", "CLIENT-1")).text, "customer/choice")
    fields |= {"purpose": "personalise", "way": "call", "answer": "refused"} | wrong
    before = len(shop.know.consents.overview().changes)
    assert client.post("/en/customer/choice", data=fields, headers=OURS).status_code == 403
    assert len(shop.know.consents.overview().changes) == before


def sign_for(company: Readable, client: TestClient, form: str, *values: str) -> str:
    """Return the token that a page of ours would give a browser for a form."""
    access = Access(company.folder, Settings())
    found = access.sessions.find(client.cookies["parcours"], time.time_ns() // 1_000_000)
    assert isinstance(found, SignedIn)
    with asked_by(Asking(Caller(found.person.person_id, found.person.role), found, access)):
        token = sign(form, *values)
    access.close()
    return token


def test_nobody_records_a_choice_for_somebody_elses_customer(shop: Company) -> None:
    mine, theirs = scoped(shop, "csm", "segment:s1"), scoped(shop, "csm", "segment:s9")
    place = look_for(mine, "user", "CLIENT-1")
    assert theirs.get(place).status_code == 403
    fields = read_form(mine.get(place).text, "customer/choice") | {"purpose": "personalise", "way": "call"}
    assert theirs.post("/en/customer/choice", data={**fields, "answer": "refused"}, headers=OURS).status_code == 403
    # Though it held the token of a form of its own for that customer.
    own = fields | {"token": sign_for(shop, theirs, "record_choice", fields["profile"])}
    assert theirs.post("/en/customer/choice", data={**own, "answer": "refused"}, headers=OURS).status_code == 403
    for role in ("cem", "dpo", "it"):
        client = browse(shop, role)
        assert "Record a choice" not in client.get(place).text
        assert client.post("/en/customer/choice", data={**fields, "answer": "refused"}, headers=OURS).status_code == 403
    assert shop.know.may("user:CLIENT-1", "personalise").allowed


def test_sales_are_shown_promises_and_the_work_behind_them(portrayed: PortrayedFirm) -> None:
    class Owned(PortrayedFirm):
        def accounts_of(self, profile: str) -> tuple[str, ...]:
            return ("segment:loyal",)

    firm = Owned(portrayed.folder)
    client = scoped(firm, "sales", "segment:loyal")
    text = client.get(f"/en/customer/{PROFILE}").text
    assert "what was promised to this customer" in text
    shown = {one.id for one in firm.blueprint.touchpoints if one.promise}
    hidden = (
        firm.labels["newsletter"].en,
        firm.labels["inspiration"].en,
        "C1•••",
        "M•••",
        "Household",
        "Why this is one",
    )
    assert "newsletter" not in shown
    assert not [told for told in hidden if told in text]
    assert firm.labels["delivery"].en in text
    assert not firm.masked_for  # the proof was not even asked for
    text = scoped(firm, "csm", "segment:loyal").get(f"/en/customer/{PROFILE}").text
    assert "Why this is one person" in text
    assert "Record a choice" not in text  # this firm has no ledger


@pytest.mark.parametrize(("class_", "masked"), [("ordinary", False), ("personal", True), ("sensitive", True)])
def test_the_class_of_a_field_says_whether_the_page_masks_it(
    portrayed: PortrayedFirm, class_: Any, masked: bool
) -> None:
    firm = PortrayedFirm(portrayed.folder)
    store = Field(id="store", kind="category", class_=class_)
    firm.blueprint = msgspec.structs.replace(firm.blueprint, fields=(*firm.blueprint.fields, store))
    firm.accounts_of = lambda _: ("segment:loyal",)  # type: ignore[attr-defined]
    text = scoped(firm, "csm", "segment:loyal").get(f"/en/customer/{PROFILE}").text
    assert ("Lyon 2" not in text) is masked
    assert ("store: •••" in text) is masked


def test_nothing_is_shown_for_the_reason_that_holds(shop: Company) -> None:
    (profile,) = shop.know.portraits.find("user:CLIENT-1")
    flow.restrict(shop, "user:CLIENT-1", "cli", "contests it")
    shown = read_customer(shop, "en", profile).shown
    assert shown is not None
    assert shown.refused.startswith("The use of this person’s data is restricted as they asked (GDPR, art. 18)")
    assert shown.latest == ()
