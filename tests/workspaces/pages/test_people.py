"""The page of people by its forms: what whoever manages access does, two of them at once, a clock that goes back."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import NamedTuple

import pytest
from firm import Firm
from starlette.applications import Starlette
from starlette.testclient import TestClient

from parcours.know import Access, Person
from parcours.settings import Settings
from parcours.workspaces.app import create_app
from parcours.workspaces.signing_in.cookies import SESSION

OURS = {"origin": "http://127.0.0.1"}
DAY_MS = 86_400_000


class House(NamedTuple):
    """The pages of a firm and its accounts."""

    app: Starlette
    access: Access

    def sign_in(self, person: Person, now_ms: int = 0) -> TestClient:
        """Return the browser of somebody."""
        secret = self.access.sessions.begin(person, "password", now_ms or time.time_ns() // 1_000_000)
        return TestClient(self.app, "http://127.0.0.1", follow_redirects=False, cookies={SESSION: secret})

    def add(self, login: str, role: str = "it") -> Person:
        """Let somebody in."""
        return self.access.add("cli", login, role, (), None, 0)

    def roles(self) -> dict[str, str]:
        """Return the role of each person, by login."""
        return {one.login: one.role for one in self.access.staff.all()}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    firm = Firm(tmp_path)
    access = Access(firm.folder, Settings())
    yield House(create_app(firm), access)
    access.close()


def read_fields(client: TestClient, act: str, person: Person | None = None) -> dict[str, str]:
    """Return the fields of a form of the page, of one person where it has one for each."""
    text = client.get("/en/people").text
    forms = re.findall(rf'<form method="post" action="/en/people/{act}".*?</form>', text, re.DOTALL)
    found = [dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) for form in forms]
    return next(one for one in found if person is None or one.get("person") == str(person.person_id))


def send(client: TestClient, act: str, fields: dict[str, str]) -> str:
    """Send a form and return what the page then says of it."""
    answer = client.post(f"/en/people/{act}", data=fields, headers=OURS)
    assert answer.status_code == 303
    if answer.headers["location"].startswith("/en/sign-in"):
        return "signed out"
    said = re.search(r'id="said"[^>]*>(.*?)</', client.get(answer.headers["location"]).text, re.DOTALL)
    return html.unescape(re.sub("<[^>]+>", "", said[1])).strip() if said else "signed out"


def test_somebody_is_added_changed_and_removed(house: House) -> None:
    ada = house.add("ada")
    client = house.sign_in(ada)
    asked = read_fields(client, "add") | {"login": "Bo@maison.fr", "role": "cco", "scope": ""}
    assert send(client, "add", asked) == "They can sign in now."
    bo = house.access.staff.named("bo@maison.fr")
    theirs = house.sign_in(bo)
    assert theirs.get("/en/map").status_code == 200
    send(client, "change", read_fields(client, "change", bo) | {"role": "csm", "scope": "segment:loyal"})
    assert house.access.staff.get(bo.person_id).scope == ("segment:loyal",)  # type: ignore[union-attr]
    assert theirs.get("/en/map").status_code == 303  # what was open in the other role has ended
    send(client, "remove", read_fields(client, "remove", bo))
    assert house.roles() == {"ada": "it"}
    entries = house.access.audit.read(limit=3)
    assert {(one.actor, one.action) for one in entries} == {(f"person:{ada.person_id}", "manage_people")}
    assert [one.reason for one in entries] == ["removed", "role csm", "added as cco"]


@pytest.mark.parametrize(
    ("role", "scope", "said"),
    [
        ("cem", "nowhere", "The blueprint has no such team. Nothing was done."),
        ("csm", "nogroup:x", "An account is a group of the blueprint and its label, GROUP:LABEL. Nothing was done."),
        ("dpo", "segment:loyal", "That role has nothing of its own: leave that field empty. Nothing was done."),
    ],
)
def test_what_cannot_be_somebodys_own_is_refused(house: House, role: str, scope: str, said: str) -> None:
    client, bo = house.sign_in(house.add("ada")), house.add("bo", "cco")
    asked = read_fields(client, "add") | {"login": "cy", "role": role, "scope": scope}
    assert send(client, "add", asked) == said
    assert send(client, "change", read_fields(client, "change", bo) | {"role": role, "scope": scope}) == said
    assert house.roles() == {"ada": "it", "bo": "cco"}


def at_once(house: House, *sent: tuple[TestClient, str, dict[str, str]]) -> list[str]:
    """Send forms of several people at one moment and return what each is told."""
    gate = Barrier(len(sent))

    def do(one: tuple[TestClient, str, dict[str, str]]) -> str:
        gate.wait()
        return send(*one)

    with ThreadPoolExecutor(len(sent)) as pool:
        return list(pool.map(do, sent))


def test_of_two_who_change_one_person_at_once_one_is_told_to_look_again(house: House) -> None:
    ada, eve, bo = house.add("ada"), house.add("eve"), house.add("bo", "cco")
    one, other = house.sign_in(ada), house.sign_in(eve)
    for _ in range(3):
        first = (one, "change", read_fields(one, "change", bo) | {"role": "cmo"})
        second = (other, "change", read_fields(other, "change", bo) | {"role": "dpo"})
        said = at_once(house, first, second)
        (loser,) = [place for place, told in enumerate(said) if told.startswith("Somebody else has changed")]
        assert house.roles()["bo"] == ("dpo", "cmo")[loser], said


def test_of_two_who_remove_each_other_at_once_one_stays(house: House) -> None:
    ada, eve = house.add("ada"), house.add("eve")
    one, other = house.sign_in(ada), house.sign_in(eve)
    removes = (one, "remove", read_fields(one, "remove", eve)), (other, "remove", read_fields(other, "remove", ada))
    said = at_once(house, *removes)
    (left,) = house.access.staff.all()
    # Whoever was removed first is no longer signed in, or is told that somebody has to stay.
    assert any(told == "signed out" or told.startswith("That is the last person") for told in said), said
    client = house.sign_in(left)
    assert send(client, "remove", read_fields(client, "remove", left)).startswith("That is the last person")
    assert house.roles() == {left.login: "it"}


def test_after_a_clock_that_went_back_a_day_one_sentence_says_why(house: House) -> None:
    client = house.sign_in(house.add("ada"), time.time_ns() // 1_000_000 + DAY_MS)
    answer = client.get("/en/people")
    assert answer.status_code == 303
    assert "The clock of this machine went back: sign in again." in client.get(answer.headers["location"]).text
    assert client.get("/en/people").headers["location"].count("why=") == 0  # it is forgotten, whatever the clock says


def test_a_link_of_tomorrow_opens_nothing(house: House) -> None:
    link = house.access.sessions.make_link(house.add("ada"), time.time_ns() // 1_000_000 + DAY_MS)
    client = TestClient(house.app, "http://127.0.0.1", follow_redirects=False)
    answer = client.get(f"/open?token={link}")
    assert answer.headers["location"].endswith("?why=link")
    assert SESSION not in client.cookies
