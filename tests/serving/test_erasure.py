"""An erasure while `serve` runs: within two seconds nothing returns the person, and nobody else loses anything."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.boutique import IMPROVE, WEB, make_company, make_event
from tests.served import Served, serving
from tests.signed_in import make_token

from parcours import company as companies
from parcours import flow
from parcours.serving.read_back import PREFIX

WITHIN_S = 2.0
TOKEN = "read-back-token-of-this-test"
CANARY = "kanari au bord du fleuve"
DEVICE = f"{PREFIX}kanari-device"
PLACES = ("/en/touchpoint/visit", "/fr/touchpoint/visit", "/en/map", "/en/sources", "/en/consent", "/en/journey")
pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    make_company(tmp_path / "shop", IMPROVE, "[collect]\nevery_s = 0.3\n", (WEB,))
    with serving(tmp_path / "shop", "--read-back", PARCOURS_READ_BACK_TOKEN=TOKEN) as one:
        yield one


def ask(served: Served, what: str, user: str) -> Any:
    """Ask one of the interfaces for a customer."""
    question = json.dumps({"id": f"user:{user}", "reason": "complaint", "reference": "case 1"}).encode()
    told = {**make_token(served.folder, "cem"), "content-type": "application/json"}
    status, body = served.ask("POST", f"/api/{what}", question, told, served.pages)
    assert status in (200, 404), body
    return json.loads(body) if status == 200 else {}


def read_back(served: Served) -> list[Any]:
    told = {"Authorization": f"Bearer {TOKEN}"}
    status, body = served.ask("GET", f"/read-back?anonymousId={DEVICE}", told=told, port=served.pages)
    assert status == 200
    return list(json.loads(body)["events"])


def is_shown(served: Served, profile: str) -> list[str]:
    """Return where anything of the erased customer is shown."""
    found = [what for what in ("timeline", "profile") if (told := ask(served, what, "C1")) and _holds(told)]
    found += [place for place in PLACES if CANARY in served.page(place, "cem")]
    if f"/customer/{profile}" in served.page(f"/en/customer/{profile}", "cem"):
        found.append("customer")
    return found + ["read-back"] * bool(read_back(served))


def _holds(told: Any) -> bool:
    return bool(told.get("count") or told.get("events"))


def test_within_two_seconds_nothing_returns_the_person_and_others_stay(served: Served) -> None:
    key = served.make_key()
    # Pages show the latest comments.
    mine = [make_event(n, "C1", anonymousId=DEVICE) for n in (0, 1, 2, 103)]
    mine[3]["properties"] |= {"comment": CANARY, "score": 0}
    others = [make_event(n, f"C{2 + n % 3}") for n in range(4, 40)]
    served.wait_for(lambda: served.send(key, *mine, *others) == 200, "the key")
    company = companies.open(served.folder)
    served.wait_for(lambda: company.report is not None and company.report.events == 40, "the report")
    served.wait_for(lambda: CANARY in served.page("/en/touchpoint/visit", "cem"), "the comment on the page")
    assert served.send(key, make_event(41, "C1", anonymousId=DEVICE), make_event(42, "C2")) == 200
    served.wait_for(lambda: len(read_back(served)) == 5, "what is read back")
    (profile,) = company.find_profiles("user:C1")
    assert {"timeline", "profile", "read-back"} <= {*is_shown(served, profile)}
    before = {user: ask(served, "timeline", user)["count"] for user in ("C2", "C3", "C4")}

    number = flow.begin_erasure(company, "user:C1", "cli")
    begun = time.monotonic()
    while shown := is_shown(served, profile):
        assert time.monotonic() - begun < WITHIN_S, shown
    # What comes now comes too late.
    assert served.send(key, make_event(43, "C1", anonymousId=DEVICE)) == 200
    receipt = flow.finish_erasure(company, number, "cli")
    assert receipt.gone["events web"] >= 4
    assert is_shown(served, profile) == []
    assert {user: ask(served, "timeline", user)["count"] for user in before} == before
    served.wait_for(lambda: company.report is not None and company.report.events == 37, "another report")
    assert is_shown(served, profile) == []
    assert {user: ask(served, "timeline", user)["count"] for user in before} == before
