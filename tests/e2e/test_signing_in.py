"""Signing in and managing people in a real browser: by keyboard, without script, at 320 px, in both schemes."""

from __future__ import annotations

import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.conftest import open_context
from tests.e2e.test_pages import check_headings, list_small_targets, list_violations

sys.path.insert(0, str(Path(__file__).parents[1] / "workspaces"))

from collected import CollectingFirm, declare, fill_journal

from parcours.know import LOCAL, Access
from parcours.settings import Settings
from parcours.workspaces.app import make_server

pytestmark = pytest.mark.browser
PHRASE = "le train part à midi pile"
expect.set_options(timeout=20_000)


class Place:
    """A served company with people: where it is, and its accounts."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address, self.folder = address, folder
        self.access = Access(folder, Settings())


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company folder with sources of every kind."""
    folder = tmp_path_factory.mktemp("filled")
    declare(folder)
    fill_journal(folder)
    return folder


@pytest.fixture
def place(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A company of its own with an administrator and a leader, served."""
    for name in ("CRM_URL", "CRM_SECRET"):
        monkeypatch.setenv(name, "postgresql://localhost/x")
    folder = Path(shutil.copytree(filled, tmp_path / "company"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = make_server(CollectingFirm(folder), "127.0.0.1", port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    place = Place(f"http://127.0.0.1:{port}", folder)
    place.access.add("cli", "ada@example.com", "it", (), PHRASE, 0)
    place.access.add("cli", "bo@example.com", "cco", (), PHRASE, 0)
    yield place
    server.should_exit = True
    thread.join(20)


def check(page: Page) -> None:
    """Check what every page is checked for."""
    assert list_violations(page) == []
    assert list_small_targets(page) == []
    check_headings(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


def sign_in(page: Page, address: str, login: str, password: str = PHRASE) -> None:
    """Sign in as a person does, by keyboard."""
    page.goto(f"{address}/en/journey")
    page.wait_for_url("**/en/sign-in?next=*")
    page.locator("#login").focus()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_somebody_comes_back_to_what_they_asked_for_and_goes(place: Place, browser: Browser) -> None:
    page = browser.new_context().new_page()
    sign_in(page, place.address, "bo@example.com")
    page.wait_for_url("**/en/journey")
    (cookie,) = [one for one in page.context.cookies() if one["name"].count("_") == 1 and "visit" not in one["name"]]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Lax", -1)
    page.get_by_role("link", name="You are CCO").click()
    expect(page.locator("h1")).to_have_text("bo@example.com")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/en/sign-in?why=out")
    page.goto(f"{place.address}/en/map")
    page.wait_for_url("**/en/sign-in?next=*")
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1440, "light")])
def test_a_wrong_password_is_said_and_read_out(place: Place, browser: Browser, width: int, scheme: Any) -> None:
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    sign_in(page, place.address, "bo@example.com", "something else entirely")
    expect(page.get_by_role("alert")).to_have_text("No login and password like these.")
    assert page.locator("#login").input_value() == "bo@example.com"
    assert page.locator("#password").input_value() == ""
    check(page)
    page.context.close()


def test_the_printed_address_opens_the_pages_as_any_role(place: Place, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900}).new_page()
    link = place.access.sessions.make_link(LOCAL, time.time_ns() // 1_000_000)
    page.goto(f"{place.address}/open?token={link}")
    page.wait_for_url("**/fr/map")
    assert link not in page.evaluate("location.href + document.referrer")
    page.locator(".account").click()
    page.get_by_role("button", name="Informatique").click()
    page.wait_for_url("**/fr/account")
    page.get_by_role("link", name="Personnes").click()
    expect(page.locator("h1")).to_have_text("2 personnes peuvent se connecter, et une seule gère les accès")
    page.goto(f"{place.address}/fr/map")
    expect(page.locator("h1")).to_contain_text("La table ne donne pas")
    page.goto(f"{place.address}/open?token={link}")
    page.wait_for_url("**/fr/**")
    page.context.close()


@pytest.mark.parametrize(("width", "scheme", "language"), [(320, "light", "fr"), (1440, "dark", "en")])
def test_everything_on_the_page_of_people_is_accessible(
    place: Place, browser: Browser, width: int, scheme: Any, language: str
) -> None:
    size: Any = {"width": width, "height": 900}
    page = open_context(browser, place.address, place.folder, "it", viewport=size, color_scheme=scheme).new_page()
    page.goto(f"{place.address}/{language}/people")
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    check(page)
    page.locator("#rate-1").fill("50")
    page.locator("form[action$='people/key'] button").first.click()
    expect(page.locator(".new-key code")).to_have_text(re.compile(r"^[\w-]{43}$"))
    check(page)
    page.context.close()


def test_people_are_managed_without_script(place: Place, browser: Browser) -> None:
    page = open_context(browser, place.address, place.folder, "it", java_script_enabled=False).new_page()
    page.goto(f"{place.address}/en/people")
    page.locator(".add summary").click()
    page.locator("#login").fill("Cy@Example.com")
    page.locator("#role").select_option("cem")
    page.locator("#scope").fill("customer_service, transport")
    page.locator("form[action$='people/add'] button").click()
    expect(page.get_by_role("status")).to_have_text("They can sign in now.")
    row = page.locator(".row", has_text="cy@example.com").first
    expect(row).to_contain_text("Customer experience manager (CEM) · customer_service, transport")
    row.locator("summary").click()
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_have_text("They can sign in no longer.")
    ada = page.locator(".row", has_text="ada@example.com").first
    ada.locator("summary").click()
    ada.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("alert")).to_contain_text("the last person who manages access")
    page.locator("#outcome").select_option("refused")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/en/people?actor=&did=&outcome=refused&days=#log")
    expect(page.locator("#log")).to_be_visible()
    page.context.close()


def test_a_key_is_shown_once_and_a_third_is_refused(place: Place, browser: Browser) -> None:
    page = open_context(browser, place.address, place.folder, "it").new_page()
    keys = []
    for _ in range(2):
        page.goto(f"{place.address}/en/people")
        source = page.locator(".source-keys", has=page.get_by_role("heading", name="web", exact=True))
        source.locator("summary").click()
        source.get_by_role("button", name="Make a key").click()
        keys.append(page.locator(".new-key code").inner_text())
        assert keys[-1] not in page.url
    page.goto(f"{place.address}/en/people")
    assert not set(keys) & set(page.locator("body").inner_text().split())
    assert source.locator("summary").count() == 0
    source.get_by_role("button", name=f"Revoke …{keys[0][-6:]}").click()
    expect(page.get_by_role("status")).to_have_text("That key is unknown from now on.")
    page.context.close()
