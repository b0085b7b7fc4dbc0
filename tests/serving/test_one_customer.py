"""One customer for a program: by POST, for a reason that is noted first, masked, within the bounds of each role."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient
from tests.boutique import deliver, make_company, make_event, take_over

from parcours import company as companies
from parcours.company import Company
from parcours.know import ROLES, Access, Entry, Role
from parcours.serving.interfaces import list_interfaces
from parcours.serving.one_customer import MOST_BYTES, PROFILE, TIMELINE
from parcours.workspaces.app import create_app

SCOPES: dict[str, tuple[str, ...]] = {"csm": ("segment:s1",), "sales": ("segment:s1",), "cem": ("sales",)}
OURS = "CLIENT-1"
"""A customer whose latest event says ``segment: s1``; that of `THEIRS` says another one."""
THEIRS = "CLIENT-2"
WHY = {"reason": "complaint", "reference": "case 12"}


class Served(NamedTuple):
    """The pages of a shop with its interfaces, and a token of each role."""

    company: Company
    client: TestClient
    access: Access
    tokens: dict[Role, str]

    def ask(self, path: str, role: Role, **question: Any) -> Any:
        told = {"Authorization": f"Bearer {self.tokens[role]}"}
        return self.client.post(path, json=question, headers=told)

    def noted(self, count: int = 1) -> tuple[Entry, ...]:
        return self.access.audit.read(limit=count)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("one") / "shop"
    make_company(folder)
    path = folder / "blueprint.yaml"
    text = path.read_text("utf-8").replace(
        "{id: colour, kind: category}", "{id: colour, kind: category, class: personal}"
    )
    promise = "promise: {label: {fr: Vite, en: Fast}, metric: preparation, at_most: 90}"
    text = text.replace("owner: sales, events: [Page Viewed]", f"owner: sales, {promise}, events: [Page Viewed]")
    path.write_text(text, "utf-8")
    company = companies.open(folder)
    events = [make_event(n, OURS) for n in (0, 1, 2, 4)]
    deliver(company, *events, make_event(6, THEIRS))
    take_over(company)
    company = companies.open(folder, follow=True)
    access, now_ms = Access(folder, company.settings), time.time_ns() // 1_000_000
    tokens = {}
    for role in ROLES:
        person = access.add("cli", role, role, SCOPES.get(role, ()), None, now_ms)
        tokens[role] = access.sessions.begin(person, "token", now_ms)
    more = list_interfaces(lambda: company, lambda: True, lambda: b"", None)
    client = TestClient(create_app(company, more=more), "http://127.0.0.1", follow_redirects=False)
    yield Served(company, client, access, tokens)
    access.close()


def test_who_must_say_why_is_told_nothing_without_a_reason(served: Served) -> None:
    before = served.noted()
    for path in (TIMELINE, PROFILE):
        for wrong in ({}, {"reason": "curiosity"}, {"reason": "check", "reference": "jean@maison.fr"}):
            answer = served.ask(path, "dpo", id=f"user:{OURS}", **wrong)
            assert (answer.status_code, answer.json()["code"]) == (403, "no_reason")
    assert served.noted() == before


@pytest.mark.parametrize("path", [TIMELINE, PROFILE])
def test_a_reason_is_in_the_audit_log_before_the_answer(served: Served, path: str) -> None:
    answer = served.ask(path, "dpo", id=f"user:{OURS}", **WHY)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    (entry,) = served.noted()
    (profile,) = served.company.find_profiles(f"user:{OURS}")
    assert (entry.action, entry.thing_kind, entry.thing) == ("see_customer", "profile", profile)
    assert (entry.outcome, entry.reason) == ("done", "complaint case 12")


def test_nothing_is_told_that_could_not_be_noted(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(type(served.access.audit), "note", full)
    with pytest.raises(OSError):  # noqa: PT011 - the pages answer 500
        served.ask(TIMELINE, "dpo", id=f"user:{OURS}", **WHY)


def test_what_is_personal_stays_masked_until_that_is_asked_for_too(served: Served) -> None:
    told = served.ask(TIMELINE, "dpo", id=f"user:{OURS}", **WHY).json()
    assert told["count"] == 4
    assert {event["fields"]["colour"] for event in told["events"]} == {"•••"}
    assert {event["fields"]["n"] for event in told["events"]} == {0, 1, 2, 4}
    told = served.ask(TIMELINE, "dpo", id=f"user:{OURS}", unmask=True, **WHY).json()
    assert {event["fields"]["colour"] for event in told["events"]} == {"red", "blue"}
    assert [entry.action for entry in served.noted(2)] == ["unmask", "see_customer"]


def test_who_may_not_unmask_is_refused_all_of_it(served: Served) -> None:
    answer = served.ask(TIMELINE, "sales", id=f"user:{OURS}", unmask=True)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted_table")
    (entry,) = served.noted()
    assert (entry.action, entry.outcome) == ("unmask", "refused")


@pytest.mark.parametrize("role", ["csm", "sales"])
@pytest.mark.parametrize("path", [TIMELINE, PROFILE])
def test_somebody_elses_customer_is_told_to_nobody(served: Served, role: Role, path: str) -> None:
    answer = served.ask(path, role, id=f"user:{THEIRS}", **WHY)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted_own")
    (entry,) = served.noted()
    assert (entry.action, entry.outcome) == ("see_customer", "refused")


def test_ones_own_customer_is_told_without_a_reason_and_noted(served: Served) -> None:
    told = served.ask(TIMELINE, "csm", id=f"user:{OURS}").json()
    assert told["count"] == 4
    assert {event["fields"]["colour"] for event in told["events"]} == {"•••"}
    (entry,) = served.noted()
    assert (entry.action, entry.outcome, entry.reason) == ("see_customer", "done", "")


def test_sales_see_promises_and_nothing_else(served: Served) -> None:
    told = served.ask(TIMELINE, "sales", id=f"user:{OURS}").json()
    assert set(told) == {"purpose", "permitted", "only", "events"}
    assert {event["touchpoint"] for event in told["events"]} == {"page"}
    answer = served.ask(PROFILE, "sales", id=f"user:{OURS}")
    assert (answer.status_code, answer.json()["code"]) == (403, "promises_only")


@pytest.mark.parametrize("role", ["cco", "cmo", "finance", "it"])
def test_whom_the_table_does_not_let_is_told_nothing(served: Served, role: Role) -> None:
    assert served.ask(TIMELINE, role, id=f"user:{OURS}", **WHY).status_code == 403


def test_who_is_new_this_second_is_noted_under_a_pseudonym(served: Served) -> None:
    told = served.ask(TIMELINE, "dpo", id="mail:nobody@maison.fr", **WHY).json()
    assert (told["identifiers"], told["count"]) == (1, 0)
    (entry,) = served.noted()
    assert entry.thing_kind == "identifier"
    assert len(str(entry.thing)) == 16
    assert "nobody" not in repr(entry)
    assert served.ask(TIMELINE, "csm", id="mail:nobody@maison.fr").status_code == 403
    assert served.ask(TIMELINE, "dpo", id="mail:null", **WHY).json()["code"] == "nobody"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"id":"user:1","admin":true}', "application/json", 400),
        (b'{"id":""}', "application/json", 400),
        (b'{"id":7}', "application/json", 400),
        (b'{"id":"' + b"a" * MOST_BYTES + b'"}', "application/json", 413),
        (b"id=user%3A1", "application/x-www-form-urlencoded", 415),
        (b'{"id":"user:1"}', "text/plain", 415),
    ],
)
def test_a_question_that_is_none_is_refused(served: Served, content: bytes, kind: str, status: int) -> None:
    told = {"Authorization": f"Bearer {served.tokens['dpo']}", "content-type": kind}
    answer = served.client.post(TIMELINE, content=content, headers=told)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message"}


def test_an_identifier_in_an_address_is_not_taken(served: Served) -> None:
    told = {"Authorization": f"Bearer {served.tokens['dpo']}"}
    assert served.client.get(f"{TIMELINE}?id=user:{OURS}", headers=told).status_code == 405
    assert served.client.post(f"{TIMELINE}?id=user:{OURS}", json={}, headers=told).status_code == 400


def test_a_purpose_that_timelines_may_not_be_read_for_is_said(served: Served) -> None:
    answer = served.ask(TIMELINE, "dpo", id=f"user:{OURS}", purpose="resale", **WHY)
    assert (answer.status_code, answer.json()["code"]) == (409, "purpose_does_not_cover")
