"""Pages in a browser: accessible, light on the wire, reachable by keyboard, readable at 320 px and without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from firm import Firm
from playwright.sync_api import Browser, BrowserContext, Page
from portrayed import PROFILE
from tests.e2e.conftest import open_context, role_for

from parcours.workspaces.report import write_report

pytestmark = pytest.mark.browser

PAGES = {
    "map": "map",
    "touchpoint": "touchpoint/delivery",
    "touchpoint without a number": "touchpoint/newsletter",
    "journey": "journey",
    "measures": "measures",
    "measure": "measure/causes",
    "consent": "consent",
    "customer search": "customer",
    "customer without a reason": f"customer/{PROFILE}",
    "linking": "linking",
    "sources": "sources",
    "patterns": "patterns",
    "account": "account",
    "permission refused": "permission?role=sales&action=see_results&thing=other_customer",
    "permission given": "permission?role=cem&action=see_customer",
    "people": "people",
    "sign in": "sign-in",
    "missing": "nowhere",
}
WIRE_LIMIT = 150_000
SMALLEST_TARGET = 24
Visit = Callable[..., tuple[Page, list[str]]]


@pytest.fixture(scope="module")
def visit(browser: Browser, address: str, firm: Firm) -> Iterator[Visit]:
    """Open an address in the context of its width and scheme; contexts are shared, for a new one is slow to make."""
    contexts: dict[tuple[int, str, str | None], BrowserContext] = {}

    def open_page(url: str, width: int = 1440, scheme: Any = "light") -> tuple[Page, list[str]]:
        role = role_for(url)
        if (width, scheme, role) not in contexts:
            contexts[width, scheme, role] = open_context(
                browser, address, firm.folder, role, viewport={"width": width, "height": 900}, color_scheme=scheme
            )
        for old in contexts[width, scheme, role].pages:
            old.close()
        page = contexts[width, scheme, role].new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page, complaints

    yield open_page
    for context in contexts.values():
        context.close()


def list_violations(page: Page) -> list[str]:
    """Return what axe objects to, with the element; what it leaves open counts too.

    Only the contrast of text over SVG shapes stays open for axe: there every pair of tokens is computed instead.
    """
    found = Axe().run(page).response
    rules = [*found["violations"], *(rule for rule in found["incomplete"] if rule["id"] != "color-contrast")]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in rules for node in rule["nodes"]]


def list_small_targets(page: Page) -> list[str]:
    """Return the targets under 24 px (WCAG 2.2, 2.5.8); links inside a sentence are exempt there and here."""
    found: list[str] = page.evaluate(
        """limit => [...document.querySelectorAll("a, summary, button, label")]
            .filter(element => element.checkVisibility() && !element.closest("p, td, th, .skip"))
            .map(element => [element.textContent.trim().slice(0, 40), element.getBoundingClientRect()])
            .filter(([, box]) => box.width < limit || box.height < limit)
            .map(([text, box]) => `${text} ${box.width}x${box.height}`)""",
        SMALLEST_TARGET,
    )
    return found


def check_headings(page: Page) -> None:
    """Headings start at one first level and go down one step at a time."""
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("place", PAGES.values(), ids=PAGES)
def test_pages_are_accessible_and_quiet(visit: Visit, address: str, place: str, language: str, scheme: str) -> None:
    page, complaints = visit(f"{address}/{language}/{place}", scheme=scheme)
    assert list_violations(page) == []
    assert page.locator("html").get_attribute("lang") == language
    assert list_small_targets(page) == []
    check_headings(page)
    expected = 1 if place == "nowhere" else 0  # the browser itself reports the 404
    assert len(complaints) == expected, complaints


@pytest.mark.parametrize("place", PAGES.values(), ids=PAGES)
def test_pages_reflow_at_320_px(visit: Visit, address: str, place: str) -> None:
    for language, scheme in (("fr", "light"), ("en", "dark")):
        page, _ = visit(f"{address}/{language}/{place}", width=320, scheme=scheme)
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert list_small_targets(page) == []
        check_headings(page)
        assert list_violations(page) == []


def test_pages_are_light_on_the_wire(browser: Browser, address: str, firm: Firm) -> None:
    for place in PAGES.values():
        context = open_context(browser, address, firm.folder, role_for(place))
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
        page.goto(f"{address}/fr/{place}", wait_until="networkidle")
        assert len(sizes) >= 2  # the page and its styles
        assert sum(sizes) <= WIRE_LIMIT, place
        context.close()


@pytest.mark.parametrize("width", [320, 1440], ids=["list", "drawing"])
def test_tab_reaches_every_touchpoint_and_enter_opens_it(visit: Visit, address: str, firm: Firm, width: int) -> None:
    page, _ = visit(f"{address}/en/map", width=width)
    reached: list[str] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        href = page.evaluate("document.activeElement.getAttribute('href')")
        if href and href.startswith("/en/touchpoint/") and "#" not in href:
            reached.append(href)
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
    expected = [f"/en/touchpoint/{touchpoint.id}" for touchpoint in firm.blueprint.touchpoints]
    assert sorted(set(reached)) == sorted(expected)
    page.evaluate("document.activeElement.blur()")
    target = next(link for link in page.locator(f"a[href='{expected[-1]}']").all() if link.is_visible())
    target.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}{expected[-1]}")
    assert page.locator("h1").inner_text() == firm.blueprint.touchpoints[-1].label.en


def test_focus_is_seen_on_the_drawing(visit: Visit, address: str) -> None:
    page, _ = visit(f"{address}/fr/map")
    link = page.locator(".map-figure a[href$='/delivery']")
    before = link.locator(".tile").first.evaluate("element => getComputedStyle(element).strokeWidth")
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    after = link.locator(".tile").first.evaluate("element => getComputedStyle(element).strokeWidth")
    assert (before, after) == ("1px", "4px")


def test_the_skip_link_comes_first_and_leads_to_the_content(visit: Visit, address: str) -> None:
    page, _ = visit(f"{address}/fr/journey")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_all_of_it_works_without_script(browser: Browser, address: str, firm: Firm) -> None:
    size: Any = {"width": 1440, "height": 900}
    page = open_context(browser, address, firm.folder, java_script_enabled=False, viewport=size).new_page()
    page.goto(f"{address}/fr/map")
    page.locator(".map-figure a[href$='/delivery']").click()
    page.wait_for_url("**/fr/touchpoint/delivery")
    page.locator("summary").first.click()
    assert page.locator("details table").first.is_visible()
    page.locator(".languages a[lang=en]").click()
    page.wait_for_url("**/en/touchpoint/delivery")
    assert page.locator("h1").inner_text() == "Home delivery"
    page.context.close()


def test_each_picture_has_its_table(visit: Visit, address: str) -> None:
    for place in ("map", "touchpoint/delivery", "journey", "consent", "patterns"):
        page, _ = visit(f"{address}/fr/{place}")
        assert page.locator("details table caption").count() >= page.locator("svg.chart").count() >= 1


def test_labels_on_the_map_stay_inside_their_cards(visit: Visit, address: str) -> None:
    for language in ("fr", "en"):
        page, _ = visit(f"{address}/{language}/map")
        spilled = page.evaluate(
            """() => [...document.querySelectorAll(".map .touch a")].flatMap(link => {
                const card = link.querySelector("rect").getBoundingClientRect();
                return [...link.querySelectorAll("text")].filter(text => {
                    const box = text.getBoundingClientRect();
                    return box.left < card.left || box.right > card.right || box.bottom > card.bottom;
                }).map(text => text.textContent);
            })"""
        )
        assert spilled == []


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1440, "light")])
def test_the_report_stands_alone(browser: Browser, firm: Firm, tmp_path: Path, width: int, scheme: Any) -> None:
    path = tmp_path / "report.html"
    write_report(firm, path)
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert complaints == []
    assert page.locator("h1:visible").inner_text().startswith("C’est à")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert list_violations(page) == []
    page.locator("#choose-fr").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("h1:visible").inner_text().startswith("Experience is lowest")
    assert list_violations(page) == []
    context.close()


def test_print_shows_the_map_and_no_navigation(visit: Visit, address: str) -> None:
    page, _ = visit(f"{address}/fr/map", width=900)
    page.emulate_media(media="print")
    assert page.locator(".map-figure").is_visible()
    assert not page.locator(".by-stage").is_visible()
    assert not page.locator(".top nav").first.is_visible()
