"""The page of consent: the sentence that matters, what each role gets to see, and requests by their deadline."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from firm import Firm
from starlette.testclient import TestClient
from tests.signed_in import sign_in
from tests.workspaces.consenting import HEAD, make_overview, make_requests

from parcours.know import Access, Counts, Role
from parcours.settings import Settings
from parcours.words import LANGUAGES
from parcours.workspaces.app import create_app
from parcours.workspaces.pages.consent import draw_requests, read_consent, say_coverage
from parcours.workspaces.render import render
from parcours.workspaces.signing_in.cookies import SESSION


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    return Firm(tmp_path)


def open_page(firm: Firm, cookies: dict[str, str]) -> Any:
    return TestClient(create_app(firm), base_url="http://127.0.0.1", cookies=cookies).get("/en/consent")


def read(firm: Firm, role: Role) -> str:
    answer = open_page(firm, sign_in(firm.folder, role))
    assert answer.status_code == 200, answer.text
    return answer.text


def test_it_says_which_purpose_the_fewest_allow_and_where(firm: Firm) -> None:
    page = read_consent(firm, "en")
    assert page.headline == "31% of 41,250 customers allow “Personalise the relationship”"
    # Those who are not seen add up, by what they said.
    assert page.lede.startswith("It does not see the other 28,463: 16,873 have not said anything, 10,312 refused or")
    assert "The consent of 1,237 has expired. The data of 41 are restricted" in page.lede
    assert 16_873 + 10_312 + 1237 + 41 == 28_463
    assert re.findall(r">([\d,]+)<", page.others)[-4:] == ["41,000", "247", "3", "41,250"]
    assert "The share is lowest on the channel “Online reviews”: 14% of the 3,600" in page.lede
    french = read_consent(firm, "fr")
    assert french.headline.startswith("31\u202f% des 41\u202f250 clients permettent")
    for language in LANGUAGES:
        assert HEAD in render(read_consent(firm, language), language)


def test_bars_add_up_to_everybody(firm: Firm) -> None:
    (purpose,) = read_consent(firm, "en").purposes
    rows = re.findall(r"<tr>(.*?)</tr>", purpose.chart.table)[1:]
    for row in rows:
        cells = [re.sub(r"<[^>]+>|,", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        assert sum(map(int, cells[2:8])) == int(cells[8]), cells


@pytest.mark.parametrize(("basis", "key"), [("consent", "Nobody has an event"), ("contract", "No purpose rests")])
def test_a_company_without_customers_or_consent_says_so(firm: Firm, basis: str, key: str) -> None:
    overview = make_overview((), (("personalise", basis),))
    none = [
        msgspec.structs.replace(one, whole=Counts(n=0, allowed=0)) for one in overview.coverage if basis == "consent"
    ]
    assert say_coverage(firm, none, "en")[0].startswith(key)


def test_requests_stand_by_their_deadline_and_a_late_one_is_told(firm: Firm) -> None:
    page = read_consent(firm, "en")
    assert page.requests_say == "2 requests wait for an answer. 1 is past its deadline. 1 was answered, 100% in time."
    assert page.requests.index("erasure") < page.requests.index("access")
    assert "3 days late" in page.requests
    assert "(extended)" in page.requests
    (figure,) = [one for one in page.glance if one.href == "#requests"]
    assert (figure.figure, figure.alarm) == ("2", True)
    assert draw_requests([one for one in make_requests() if not one.is_open], 0, "en", "UTC") == ""


def test_what_restricts_a_use_stands_beside_what_waits() -> None:
    waiting, closed = (next(one for one in make_requests() if one.is_open is still) for still in (True, False))
    drawn = draw_requests([waiting, closed], 0, "en", "UTC", {waiting.number, closed.number})
    assert "being weighed" in drawn
    assert "in force: kept, and not used" in drawn
    assert "in force: kept" not in draw_requests([waiting, closed], 0, "en", "UTC")


def test_lines_are_shown_to_those_who_may_look_at_customers_alone(firm: Firm) -> None:
    for role, shown in (("dpo", True), ("cem", True), ("cco", False), ("cmo", False)):
        page = read(firm, role)
        assert ("3c8330a1d3530e39" in page) is shown, role
        assert ("for those who may look at customers" in page) is not shown
        assert HEAD in page
        assert "31% of 41,250 customers" in page


def test_who_sees_their_own_customers_alone_gets_no_figure_of_the_company(firm: Firm) -> None:
    access = Access(firm.folder, Settings())
    for role in ("csm", "sales"):
        person = access.add("cli", f"{role}@example.org", role, ("accounts:acme",), None, 1)
        secret = access.sessions.begin(person, "provider", time.time_ns() // 1_000_000, role=person.role)
        answer = open_page(firm, {SESSION: secret})
        assert answer.status_code == 403
        assert "41,250" not in answer.text
    access.close()


def test_nobody_else_opens_it(firm: Firm) -> None:
    for role in ("it", "finance"):
        assert open_page(firm, sign_in(firm.folder, role)).status_code == 403
