"""The survey pages in a browser: by keyboard, without script, at 320 px, in both schemes and both languages."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page
from starlette.applications import Starlette
from tests.collect.survey.asking import Desk, change_purposes, make_token, read_retail
from tests.collect.survey.test_questions import change_scale
from tests.e2e.test_pages import check_headings, list_violations

from parcours.collect.http.survey import survey_routes

pytestmark = pytest.mark.browser

SMALLEST_TARGET = 24
_USERS = count(1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The desk behind the pages; refunds are scored from 0 to 20, and one purpose rests on consent."""
    blueprint = change_scale(change_purposes(read_retail()), "refund", scale=(0.0, 20.0))
    return Desk(tmp_path_factory.mktemp("survey"), blueprint)


@pytest.fixture(scope="module")
def address(desk: Desk) -> Iterator[str]:
    """Where survey pages are served, on a free port of the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = Starlette(routes=survey_routes(desk))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}/s"
    server.should_exit = True
    thread.join(10)


def new_token(touchpoint: str = "delivery") -> str:
    """Return a link that nobody has answered yet."""
    return make_token(touchpoint, user=f"C-{next(_USERS)}")


@contextmanager
def open_page(
    browser: Browser, url: str, width: int = 1000, scheme: Any = "light", **options: Any
) -> Iterator[tuple[Page, list[str]]]:
    """Open ``url`` in a context of its own; yield the page and what the console said of it."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, **options
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(url)
    yield page, complaints
    assert context.cookies() == []
    context.close()


def list_small_targets(page: Page) -> list[str]:
    """Return what can be pressed and is under 24 px."""
    found: list[str] = page.evaluate(
        """limit => [...document.querySelectorAll("a, button, input, textarea, .choice label")]
            .map(element => [element.outerHTML.slice(0, 60), element.getBoundingClientRect()])
            .filter(([, box]) => box.width < limit || box.height < limit)
            .map(([text, box]) => `${text} ${box.width}x${box.height}`)""",
        SMALLEST_TARGET,
    )
    return found


def check_page(page: Page, language: str, width: int) -> None:
    """Nothing that axe objects to, no small target, no sideways scroll, one first heading, the right language."""
    assert list_violations(page) == []
    assert list_small_targets(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1000])
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("touchpoint", ["delivery", "checkout", "loyalty", "refund"])
def test_questions_are_accessible_and_quiet(
    browser: Browser, address: str, touchpoint: str, language: str, width: int, scheme: str
) -> None:
    with open_page(browser, f"{address}/{new_token(touchpoint)}?lang={language}&score=4", width, scheme) as (
        page,
        said,
    ):
        check_page(page, language, width)
        check_headings(page)
        assert said == []


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1000, "light")])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_faults_thanks_and_refusals_are_accessible(
    browser: Browser, address: str, language: str, width: int, scheme: str
) -> None:
    token = new_token()
    with open_page(browser, f"{address}/{token}?lang={language}", width, scheme) as (page, _):
        page.locator("#send").click()
        check_page(page, language, width)
        assert page.title().startswith("Erreur" if language == "fr" else "Error")
        page.locator("#score-7").click()
        page.locator("#send").click()
        page.wait_for_url(f"**/{token}?lang={language}")
        check_page(page, language, width)
        assert page.locator("h1").inner_text().startswith("Merci" if language == "fr" else "Thank you")
        page.goto(f"{address}/unknown?lang={language}")
        check_page(page, language, width)


@pytest.mark.parametrize(
    ("touchpoint", "width", "rows"),
    [("delivery", 1000, 1), ("delivery", 320, 2), ("checkout", 320, 1), ("refund", 1000, 2), ("refund", 320, 3)],
)
def test_scores_stand_in_as_few_rows_as_the_screen_allows(
    browser: Browser, address: str, touchpoint: str, width: int, rows: int
) -> None:
    with open_page(browser, f"{address}/{new_token(touchpoint)}", width) as (page, _):
        tops = page.locator(".choice").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
        assert len(set(tops)) == rows


def test_a_customer_answers_by_keyboard_alone(browser: Browser, address: str, desk: Desk) -> None:
    before = len(desk.delivered)
    with open_page(browser, f"{address}/{new_token()}") as (page, _):
        active = "document.activeElement.id || document.activeElement.lang"
        reached = []
        for _step in range(6):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(active))
        assert reached == ["fr", "en", "score-0", "comment", "agree-personalise", "send"]
        for _step in range(3):
            page.keyboard.press("Shift+Tab")
        for _step in range(8):
            page.keyboard.press("ArrowRight")
        assert page.evaluate(active) == "score-8"
        assert page.evaluate("document.activeElement.checked")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Tab")
        page.keyboard.type("À l’heure, carton intact.")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(".mark")
    (event,) = desk.events[before:]
    assert event["properties"]["score"] == 7
    assert event["properties"]["comment"] == "À l’heure, carton intact."
    assert event["context"]["consent"] == {"categoryPreferences": {"personalise": True}}


def test_enter_on_a_score_sends_and_does_not_switch_the_language(browser: Browser, address: str, desk: Desk) -> None:
    before = len(desk.delivered)
    with open_page(browser, f"{address}/{new_token()}") as (page, _):
        page.locator("#score-3").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        page.wait_for_selector(".mark")
    assert [event["properties"]["score"] for event in desk.events[before:]] == [3]


def test_the_error_summary_takes_the_focus_and_leads_to_the_field(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/{new_token()}") as (page, _):
        page.locator("#comment").fill("Un mot.")
        page.locator("#send").click()
        page.wait_for_selector(".faults")
        assert page.evaluate("document.activeElement.className") == "faults"
        assert page.locator("#comment").input_value() == "Un mot."
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "score-0"
        assert "score-fault" in str(page.locator("fieldset").first.get_attribute("aria-describedby"))


def test_focus_is_seen_on_every_stop(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/{new_token()}") as (page, _):
        for _step in range(6):
            page.keyboard.press("Tab")
            ring = page.evaluate(
                """() => {
                    const active = document.activeElement;
                    const shown = active.closest(".choice") ? active.nextElementSibling : active;
                    return getComputedStyle(shown).outlineWidth;
                }"""
            )
            assert ring == "3px"


def test_what_a_screen_reader_hears(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/{new_token('loyalty')}?lang=en") as (page, _):
        group = page.get_by_role("group", name="Rivière Club : How likely are you to recommend Maison Rivière")
        assert group.count() == 1
        assert page.get_by_role("radio", name="0 : not at all likely", exact=True).count() == 1
        assert page.get_by_role("radio", name="10 : extremely likely", exact=True).count() == 1
        assert page.get_by_role("radio", name="5", exact=True).count() == 1
        assert page.get_by_role("textbox", name="What explains your score? (optional)").count() == 1


def test_all_of_it_works_without_script(browser: Browser, address: str, desk: Desk) -> None:
    before = len(desk.delivered)
    token = new_token("checkout")
    with open_page(browser, f"{address}/{token}?score=6", java_script_enabled=False) as (page, _):
        late = page.context.new_page()
        late.goto(f"{address}/{token}?lang=en")
        page.locator(".languages a[lang=en]").click()
        page.wait_for_url("**lang=en**")
        assert page.locator("#score-6").is_checked()
        page.locator("#score-2").click()
        page.locator("#comment").fill("The page froze twice.")
        page.locator("#send").click()
        page.wait_for_url(f"**/{token}?lang=en")
        assert page.locator("h1").inner_text() == "Thank you, your answer is recorded."
        page.reload()
        assert page.locator("h1").inner_text() == "Thank you, your answer is recorded."
        page.go_back()
        assert page.locator("h1").inner_text() == "Thank you, your answer is recorded."
        late.locator("#score-5").click()
        late.locator("#send").click()
        late.wait_for_selector("text=You have already answered.")
    (event,) = desk.events[before:]
    assert event["properties"]["score"] == 2
    assert event["properties"]["language"] == "en"


def test_one_request_and_nothing_from_elsewhere(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    url = f"{address}/{new_token()}"
    answer = page.goto(url, wait_until="networkidle")
    assert [each for each in asked if not each.startswith("data:")] == [url]
    assert answer is not None
    assert len(answer.body()) < 24_000
    context.close()


def test_forced_colours_and_large_text_keep_the_choice_visible(browser: Browser, address: str) -> None:
    with open_page(browser, f"{address}/{new_token()}?score=4", 640, forced_colors="active") as (page, _):
        style = "element => getComputedStyle(element).backgroundColor"
        chosen, other = (page.locator(f"label[for=score-{score}]").evaluate(style) for score in (4, 5))
        assert chosen != other
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_pages_are_drawn_for_the_eye_too(browser: Browser, address: str, tmp_path: Path) -> None:
    """No text is cut: every box is as large as what stands in it."""
    for touchpoint, width in (("delivery", 320), ("refund", 320), ("loyalty", 1000)):
        with open_page(browser, f"{address}/{new_token(touchpoint)}", width) as (page, _):
            cut = page.evaluate(
                """() => [...document.querySelectorAll("h1, p, a, .choice label, button, legend")]
                    .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth && !one.closest(".unseen"))
                    .map(one => one.textContent)"""
            )
            assert cut == []
