"""The feed: what arrives is told within a look, once, and followed whatever becomes of the company's files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.boutique import deliver, make_company, make_event, take_over, write_blueprint

from parcours.company import Company
from parcours.serving import feed as feeds
from parcours.serving.feed import Feed
from parcours.serving.keeper import Told
from parcours.serving.measurer import Published


class Heard:
    """What keeper and measurer told last."""

    def __init__(self) -> None:
        self.told, self.published = Told(), Published()

    def take(self) -> tuple[Told, Published]:
        return self.told, self.published


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(feeds, "EVERY_S", 0.02)
    return make_company(tmp_path / "shop")


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def feed(company: Company, heard: Heard) -> Iterator[Feed]:
    one = Feed(company, heard.take)
    one.start()
    yield one
    one.stop()


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_arrives_is_told_with_its_touchpoint(company: Company, feed: Feed) -> None:
    deliver(company, make_event(0), make_event(4), make_event(1), make_event(8, event="Nothing Declared"))
    wait_until(lambda: sum(feed.snapshot().touchpoints.values()) == 3)
    state = feed.snapshot()
    assert dict(state.touchpoints) == {"page": 2, "checkout": 1}
    assert state.rate_per_min == 3
    assert state.latest
    assert state.latest.touchpoint == "checkout"


def test_a_retry_counts_once_before_and_after_it_is_taken_over(company: Company, feed: Feed) -> None:
    for _ in range(3):
        deliver(company, make_event(0))
        time.sleep(0.1)
        take_over(company)
    time.sleep(0.1)
    assert dict(feed.snapshot().touchpoints) == {"page": 1}


def test_the_lag_lasts_until_the_pages_show_it(company: Company, feed: Feed, heard: Heard) -> None:
    assert feed.snapshot().lag_ms == 0
    deliver(company, make_event(0), received_ms=time.time_ns() // 1_000_000 - 5_000)
    wait_until(lambda: feed.snapshot().lag_ms >= 5_000)
    take_over(company)
    time.sleep(0.1)
    assert feed.snapshot().lag_ms >= 5_000
    heard.published = Published(at_ms=1, batch_no=1)
    wait_until(lambda: feed.snapshot().lag_ms == 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda heard: setattr(heard, "told", Told(taken_batch_no=1)),
        lambda heard: setattr(heard, "told", Told(quarantined=1)),
        lambda heard: setattr(heard, "published", Published(at_ms=1)),
    ],
)
def test_what_changes_the_page_of_sources_is_told(feed: Feed, heard: Heard, change: Callable[[Heard], None]) -> None:
    wait_until(lambda: feed.snapshot().sources_changed != 0)
    before = feed.snapshot().sources_changed
    change(heard)
    wait_until(lambda: feed.snapshot().sources_changed != before)


def test_a_blueprint_that_changes_is_followed_and_what_is_not_published_still_waits(
    company: Company, feed: Feed, heard: Heard
) -> None:
    heard.published = Published(at_ms=1, batch_no=0)
    deliver(company, make_event(0), received_ms=time.time_ns() // 1_000_000 - 9_000)
    wait_until(lambda: feed.snapshot().lag_ms >= 9_000)
    take_over(company)
    before = feed.take()
    write_blueprint(company.folder, more_events="Page Loved")
    wait_until(lambda: feed.take() is not before)
    deliver(company, make_event(4, event="Page Loved"))
    wait_until(lambda: feed.snapshot().touchpoints.get("page", 0) >= 1)


def test_with_a_broken_file_it_goes_on_as_before(
    company: Company, feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    before = feed.take()
    (company.folder / "blueprint.yaml").write_text("stages: [", "utf-8")
    deliver(company, make_event(0))
    wait_until(lambda: dict(feed.snapshot().touchpoints) == {"page": 1})
    assert feed.take() is before
    assert caplog.text.count("cannot be followed") == 1


def test_an_error_is_told_once_and_it_goes_on(
    company: Company, feed: Feed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live = feed.take().live

    def fail() -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(live, "catch_up", fail)
    time.sleep(0.3)
    assert caplog.text.count("cannot be followed") == 1
    monkeypatch.undo()
    deliver(company, make_event(0))
    wait_until(lambda: dict(feed.snapshot().touchpoints) == {"page": 1})


def test_who_wants_everything_of_now_asks_for_it(company: Company, heard: Heard) -> None:
    feed = Feed(company, heard.take)  # Not started: it looks when it is asked to.
    deliver(company, make_event(0))
    feed.catch_up()
    assert company.live.pulse().touchpoints == {0: 1}
    feed.stop()
