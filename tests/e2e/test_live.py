"""Live pages in a browser: the line, the pulse, the page made anew in place, the pause, and no script at all."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.conftest import open_context, role_for
from tests.e2e.test_pages import check_headings, list_small_targets, list_violations

sys.path.insert(0, str(Path(__file__).parents[1] / "workspaces"))

from collected import CollectingFirm, Feed, declare, fill_journal
from firm import Firm

from parcours.engine.store.aside import Aside, AsideEvents
from parcours.engine.store.manifest import Manifest
from parcours.words import Words
from parcours.workspaces import live
from parcours.workspaces.app import make_server
from parcours.workspaces.live import Latest, LiveState

pytestmark = pytest.mark.browser
RUN = Path(".parcours") / "tables" / "results" / "_run.json"
expect.set_options(timeout=20_000)


class Place:
    """A served company: where it is, what it reads, and the feed that its pages follow."""

    def __init__(self, address: str, firm: CollectingFirm, feed: Feed) -> None:
        self.address, self.firm, self.feed = address, firm, feed
        self._published = 1

    def publish(self) -> None:
        """Do what the keeper does once results are there."""
        self._published += 1
        path = self.firm.folder / RUN
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        os.utime(path, ns=(self._published, self._published))  # a clock too coarse must not decide the test


@contextmanager
def serve(firm: Firm, feed: Feed | None) -> Iterator[str]:
    """Serve pages on a free port of the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = make_server(firm, "127.0.0.1", port, feed=feed)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company folder whose journal holds two weeks."""
    folder = tmp_path_factory.mktemp("filled")
    declare(folder)
    fill_journal(folder)
    return folder


@pytest.fixture
def place(filled: Path, tmp_path: Path) -> Iterator[Place]:
    """A company of its own, with live pages."""
    firm = CollectingFirm(Path(shutil.copytree(filled, tmp_path / "company")))
    feed = Feed(LiveState(rate_per_min=12, lag_ms=1_000, touchpoints={"checkout": 4}, sources_changed=1))
    with serve(firm, feed) as address:
        yield Place(address, firm, feed)


Open = Callable[..., Page]


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; the pages' own policy keeps a browser from being asked to wait for it."""
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def open_page(browser: Browser, place: Place) -> Iterator[Open]:
    """Open a page in a context of its own; what the browser complains of fails the test."""
    contexts, complaints = [], []

    def open_one(url: str, width: int = 1440, **options: Any) -> Page:
        size = {"width": width, "height": 900}
        context = open_context(browser, place.address, place.firm.folder, role_for(url), viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def grow(feed: Feed, **touchpoints: int) -> None:
    """Let events of touchpoints come in."""
    counts = dict(feed.state.touchpoints)
    for id, count in touchpoints.items():
        counts[id] = counts.get(id, 0) + count
    latest = Latest(next(iter(touchpoints)), time.time_ns() // 1_000_000)
    feed.state = LiveState(
        rate_per_min=13, lag_ms=1_000, touchpoints=counts, latest=latest, sources_changed=feed.state.sources_changed
    )


@pytest.mark.parametrize(("width", "inside"), [(1440, ".map-figure"), (320, ".by-stage")], ids=["drawing", "list"])
def test_an_event_pulses_where_it_happened(place: Place, open_page: Open, width: int, inside: str) -> None:
    page = open_page(f"{place.address}/fr/map", width)
    expect(page.locator("#live-line")).to_contain_text("12 événements cette minute")
    page.evaluate(
        """inside => {
            window.pulsed = [];
            const note = ({target: link}) => {
                if (link.classList.contains("pulse")) window.pulsed.push(link.getAttribute("href"));
            };
            const options = {subtree: true, attributes: true, attributeFilter: ["class"]};
            new MutationObserver(all => all.forEach(note)).observe(document.querySelector(inside), options);
        }""",
        inside,
    )
    grow(place.feed, delivery=2)
    wait_until(lambda: page.evaluate("window.pulsed.length > 0"))
    assert set(page.evaluate("window.pulsed")) == {"/fr/touchpoint/delivery"}
    expect(page.locator("#live-line")).to_contain_text("le dernier «\u00a0Livraison à domicile\u00a0» il y a")
    expect(page.locator(".pulse")).to_have_count(0)


def test_the_pulse_moves_unless_the_reader_wants_no_motion(place: Place, open_page: Open) -> None:
    for motion, animation in (("no-preference", "pulse"), ("reduce", "none")):
        page = open_page(f"{place.address}/fr/map", reduced_motion=motion)
        found = page.evaluate(
            """() => { const link = document.querySelector(".map-figure a[href$='/checkout']");
                link.classList.add("pulse"); return getComputedStyle(link.querySelector(".tile")).animationName }"""
        )
        assert found == animation


def test_a_published_result_changes_the_page_in_place(place: Place, open_page: Open) -> None:
    page = open_page(f"{place.address}/en/touchpoint/delivery")
    expect(page.locator("#live-line")).to_be_visible()
    page.locator("details.twin").last.locator("summary").click()
    link = page.locator(".languages a").first
    page.evaluate("window.scrollTo(0, 700); window.kept = document.querySelector('main')")
    summary = page.locator("details.twin").last.locator("summary")
    summary.focus()
    before = page.evaluate("scrollY")
    place.firm.answered = False
    place.publish()
    expect(page.locator(".reading-score")).to_have_text("Not measured")
    assert page.evaluate("window.kept === document.querySelector('main')")  # not a new page
    assert page.evaluate("scrollY") <= before
    assert link.is_visible()


def test_focus_open_details_and_scroll_stay(place: Place, open_page: Open) -> None:
    page = open_page(f"{place.address}/en/map")
    expect(page.locator("#live-line")).to_be_visible()
    page.locator("details.twin summary").click()
    page.locator("details.twin .scroll").evaluate("box => { box.style.maxWidth = '300px'; box.scrollLeft = 40 }")
    page.locator("details.twin a").nth(4).focus()
    href = page.evaluate("document.activeElement.getAttribute('href')")
    before = page.evaluate("scrollY")
    mark = page.locator("#live-strip").get_attribute("data-mark")
    place.firm.report = place.firm.report._replace(events=77) if place.firm.report else None
    place.publish()
    expect(page.locator(".data")).to_contain_text("77 events")
    assert page.locator("#live-strip").get_attribute("data-mark") != mark
    assert page.locator("details.twin").get_attribute("open") == ""
    assert page.evaluate("document.activeElement.getAttribute('href')") == href
    assert page.evaluate("document.activeElement.closest('details') !== null")
    assert page.evaluate("scrollY") == before


def test_only_a_new_sentence_is_read_out(place: Place, open_page: Open) -> None:
    page = open_page(f"{place.address}/fr/map")
    expect(page.locator("#live-line")).to_be_visible()
    assert page.locator("#live-line").evaluate("line => line.closest('[aria-live], [role=status]')") is None
    place.firm.report = place.firm.report._replace(events=77) if place.firm.report else None
    place.publish()
    expect(page.locator(".data")).to_contain_text("77 événements")
    assert page.locator("#live-said").inner_text() == ""
    place.firm.answered = False
    place.publish()
    expect(page.locator("#live-said")).to_have_text("L’expérience n’est pas encore mesurée")


def test_a_reader_who_marks_text_is_not_disturbed(place: Place, open_page: Open) -> None:
    page = open_page(f"{place.address}/fr/map")
    expect(page.locator("#live-line")).to_be_visible()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    place.firm.answered = False
    with page.expect_response("**/fr/map"):
        place.publish()
    grow(place.feed, checkout=1)
    expect(page.locator("#live-line")).to_contain_text("13 événements")
    assert page.locator("h1").inner_text().startswith("C’est à")
    page.evaluate("getSelection().removeAllRanges()")
    expect(page.locator("h1")).to_have_text("L’expérience n’est pas encore mesurée")


def test_it_can_be_paused_by_keyboard_and_resumed(place: Place, open_page: Open) -> None:
    page = open_page(f"{place.address}/fr/map")
    expect(page.locator("#live-line")).to_be_visible()
    page.locator("#live-pause").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#live-pause")).to_have_text("Reprendre")
    expect(page.locator("#live-line")).to_be_hidden()
    place.firm.answered = False
    place.publish()
    grow(place.feed, checkout=1)
    page.wait_for_timeout(2_500)  # more than two of the stream's seconds
    assert page.locator("h1").inner_text().startswith("C’est à")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("L’expérience n’est pas encore mesurée")


def test_sources_follow_what_comes_in(place: Place, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "mark_sources", lambda state: str(state.sources_changed))  # whatever minute it is
    page = open_page(f"{place.address}/en/sources")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    expect(page.locator("#live-line")).to_be_visible()
    grow(place.feed, checkout=1)
    expect(page.locator("#live-line")).to_contain_text("13 events")
    assert not [url for url in fetched if url.endswith("/sources")]  # nothing that this page shows has changed
    page.locator("#source-app summary").click()
    page.locator("#source-app summary").focus()
    manifest = Manifest(place.firm.folder)
    reason = Words("<b>gras</b>", "<b>bold</b>")
    AsideEvents(manifest.database).add([Aside("crm", "<i>", "<u>", reason, 1, b"x")])
    manifest.close()
    place.feed.state = LiveState(sources_changed=2, touchpoints=place.feed.state.touchpoints)
    expect(page.get_by_role("heading", name="crm: <b>bold</b>")).to_be_visible()
    assert page.locator("main b, main i, main u").count() == 0
    assert page.locator("#source-app details").get_attribute("open") == ""
    assert page.evaluate("document.activeElement.closest('li').id") == "source-app"


def test_replay_by_keyboard(place: Place, open_page: Open) -> None:
    page = open_page(f"{place.address}/en/sources")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("Replay 214 events of web"):
            break
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/sources?put_back=214&*")
    expect(page.get_by_role("status").filter(has_text="214 events were put back")).to_be_visible()
    assert place.firm.asked == [("web", "field_missing")]
    assert page.evaluate("document.activeElement.id") == "said"
    assert page.get_by_role("button", name="Replay 17 events of app").is_visible()
    assert list_violations(page) == []


def test_without_script_pages_say_of_when_they_are_and_replay_works(place: Place, browser: Browser) -> None:
    size = {"width": 1440, "height": 900}
    folder = place.firm.folder
    context = open_context(browser, place.address, folder, java_script_enabled=False, viewport=size)
    page = context.new_page()
    page.goto(f"{place.address}/fr/map")
    assert "Résultats du" in page.locator("#live-strip").inner_text()
    assert "Rechargez la page" in page.locator("#live-strip").inner_text()
    assert not page.locator("#live-pause").is_visible()
    page.get_by_role("link", name="Sources").click()
    page.locator("#source-web summary").click()
    assert page.locator("#source-web table").is_visible()
    assert page.get_by_role("button", name="Tout rejouer").count() == 0  # that is for another role
    context.close()
    context = open_context(browser, place.address, folder, "it", java_script_enabled=False, viewport=size)
    page = context.new_page()
    page.goto(f"{place.address}/fr/sources")
    page.get_by_role("button", name="Tout rejouer").click()
    page.wait_for_url("**/fr/sources?put_back=231&*")
    assert "231 événements ont été remis" in page.locator("#said").inner_text()
    assert place.firm.asked == [(None, None)]
    context.close()


def test_a_form_on_another_site_changes_nothing(place: Place, browser: Browser, tmp_path: Path) -> None:
    context = open_context(browser, place.address, place.firm.folder, "it")
    page = context.new_page()
    page.goto(f"{place.address}/fr/sources")
    form = page.locator(".aside-group form").first.inner_html()  # even with a token that was stolen
    trap = tmp_path / "trap.html"
    action = f"{place.address}/fr/sources/replay"
    trap.write_text(f'<form method="post" action="{action}" id="f">{form}</form>', "utf-8")
    page.goto(trap.as_uri())
    with page.expect_navigation():
        page.evaluate("document.getElementById('f').submit()")
    assert "ne vient pas d’une page de Parcours" in page.locator("h1").inner_text()
    assert place.firm.asked == []
    context.close()


def test_tabs_in_the_background_hold_no_stream(place: Place, open_page: Open) -> None:
    page = open_page(f"{place.address}/fr/map")
    expect(page.locator("#live-line")).to_be_visible()
    hide = """hidden => { Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange")) }"""
    page.evaluate(hide, True)
    expect(page.locator("#live-line")).to_be_hidden()
    page.evaluate(hide, False)
    expect(page.locator("#live-line")).to_be_visible()


def test_it_comes_back_when_the_server_does(filled: Path, tmp_path: Path, browser: Browser) -> None:
    firm = CollectingFirm(Path(shutil.copytree(filled, tmp_path / "company")))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = open_context(browser, f"http://127.0.0.1:{port}", firm.folder)
    page = context.new_page()
    for visit in range(2):
        server = make_server(firm, "127.0.0.1", port, feed=Feed(LiveState(rate_per_min=visit + 1)))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        if not visit:
            page.goto(f"http://127.0.0.1:{port}/en/map")
        expect(page.locator("#live-line")).to_contain_text(f"{visit + 1} event")
        server.should_exit = True
        thread.join(20)
        expect(page.locator("#live-line")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_live_pages_are_accessible(place: Place, open_page: Open, language: str, scheme: Any) -> None:
    for name in ("sources", "map"):
        page = open_page(f"{place.address}/{language}/{name}", color_scheme=scheme)
        expect(page.locator("#live-line")).to_be_visible()
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert list_violations(page) == []
        assert list_small_targets(page) == []
        check_headings(page)


@pytest.mark.parametrize("width", [320, 768])
def test_sources_reflow(place: Place, open_page: Open, width: int) -> None:
    for language, scheme in (("fr", "light"), ("en", "dark")):
        page = open_page(f"{place.address}/{language}/sources", width, color_scheme=scheme)
        expect(page.locator("#live-line")).to_be_visible()
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert list_small_targets(page) == []
        assert list_violations(page) == []


def test_each_volume_has_its_table(place: Place, open_page: Open) -> None:
    page = open_page(f"{place.address}/fr/sources")
    assert page.locator("details table caption").count() >= page.locator("svg.chart").count() == 5
