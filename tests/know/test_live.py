"""Up to this second: an accepted event is there at the next question, once, whether it was taken over or not."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.boutique import (
    DAY_MS,
    IMPROVE,
    NOW_MS,
    PERSONALISE,
    RECEIVED_MS,
    count_pending,
    deliver,
    make_company,
    make_event,
    take_over,
    write_blueprint,
    write_time,
)
from tests.know.living import Beside

from parcours import company as companies
from parcours import flow
from parcours.company import Company
from parcours.errors import ParcoursError
from parcours.know.profiles import Profile
from parcours.know.timeline import Timeline
from parcours.progress import Silent


def numbers(timeline: Timeline) -> Counter[int]:
    """Return which events a timeline tells of, by their field ``n``."""
    return Counter(int(event.fields["n"]) for event in timeline.events)


def agree(timeline: Timeline, profile: Profile) -> bool:
    """Return whether both say the same of a customer."""
    waiting = sum(event.waiting for event in timeline.events)
    met = [event for event in timeline.events if event.touchpoint]
    return (timeline.permitted, timeline.count, timeline.first_ms, timeline.last_ms, waiting) == (
        profile.permitted, profile.events, profile.first_ms, profile.last_ms, profile.waiting
    ) and profile.touchpoint_ms == max((event.occurred_ms for event in met), default=None)  # fmt: skip


def see(company: Company, who: str, purpose: str | None = None) -> Counter[int]:
    """Return what a company tells of a customer, after checking that timeline and profile agree."""
    timeline, profile = company.timeline(who, purpose), company.profile(who, purpose)
    assert agree(timeline, profile), (timeline, profile)
    return numbers(timeline)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return make_company(tmp_path)


def test_an_event_is_there_before_and_after_it_is_taken_over_and_once(company: Company) -> None:
    for n in range(6):
        deliver(company, make_event(n, "C1", anonymousId="D1"), make_event(n + 50, "C2"))
        assert see(company, "user:C1") == dict.fromkeys(range(n + 1), 1)
        if n % 2:
            take_over(company)
            assert see(company, "user:C1") == dict.fromkeys(range(n + 1), 1)
    timeline = company.timeline("C1")
    assert [event.waiting for event in timeline.events] == [False] * 6
    assert timeline.events[0].occurred_ms == timeline.last_ms
    assert see(companies.open(company.folder), "C1") == see(company, "C1")


def test_events_that_never_stop_coming_do_not_hold_the_question_up(company: Company) -> None:
    coming, live = iter(range(50)), company.live

    def bring(*_: object) -> None:
        deliver(company, make_event(next(coming), "C1"))

    live.hear = bring
    bring()
    assert live.catch_up() == 1
    assert live.catch_up() == 1


def test_what_waits_is_told_as_such_with_its_lag(company: Company) -> None:
    now_ms = time.time_ns() // 1_000_000
    deliver(company, make_event(4, "C1"), received_ms=now_ms - 90_000)
    assert company.live.catch_up() == 1
    timeline, profile = company.timeline("C1"), company.profile("C1")
    assert timeline.events[0].waiting
    assert (profile.waiting, profile.touchpoint) == (1, "page")
    assert timeline.lag_ms >= 90_000
    assert profile.lag_ms == timeline.lag_ms
    pulse = company.live.pulse()
    assert (pulse.waiting, pulse.per_minute) == (1, 1)
    assert pulse.waited_ms() >= 90_000
    deliver(company, make_event(8, "C1"))
    assert company.timeline("C1").lag_ms < 60_000


def test_retries_conflicts_and_what_is_refused_are_not_seen(company: Company) -> None:
    event = make_event(4, "C1")
    deliver(company, event, event, make_event(8, "C1", event="Nobody Knows"), make_event(12, "C\x01", anonymousId="D1"))
    deliver(company, event, {**event, "properties": {**event["properties"], "n": 16}})
    assert see(company, "user:C1") == {4: 1}
    assert see(company, "device:D1") == {}
    take_over(company)
    deliver(company, event)
    assert see(company, "user:C1") == {4: 1}
    assert see(company, "device:D1") == {}


def test_the_same_message_of_another_day_is_another_event(company: Company) -> None:
    today = make_event(4, "C1", messageId="the-same-message")
    before = make_event(8, "C1", messageId="the-same-message", timestamp=write_time(NOW_MS - 3 * DAY_MS))
    deliver(company, today)
    deliver(company, before)
    assert see(company, "C1") == {4: 1, 8: 1}
    take_over(company)
    assert see(company, "C1") == {4: 1, 8: 1}


def test_nobody_sees_the_events_of_another(company: Company) -> None:
    deliver(company, *(make_event(n, f"C{n % 7}", anonymousId=f"D{n % 7}") for n in range(40)))
    for taken in range(2):
        for user in range(7):
            expected = {n: 1 for n in range(40) if n % 7 == user}
            assert see(company, f"user:C{user}") == expected, taken
            assert see(company, f"device:D{user}") == expected
        assert see(company, "user:nobody") == {}
        assert see(company, "device:C1") == {}
        take_over(company)


def test_a_kind_may_be_left_out_and_a_written_form_does_not_matter(company: Company) -> None:
    event = make_event(4, "C1")
    event["traits"] = {"email": "Claire@Maison.fr", "phone": "06 12 34 56 78"}
    deliver(company, event)
    for _ in range(2):
        for who in ("C1", "claire@maison.FR", "mail:claire@maison.fr", "+33612345678", "phone:0612345678"):
            assert see(company, who) == {4: 1}, who
        take_over(company)


def test_an_event_that_is_asked_for_by_its_weaker_identifier_stays_in_sight_until_identities_are_known(
    company: Company,
) -> None:
    flow.publish(company, time.monotonic())
    follower = companies.open(company.folder, follow=True)
    deliver(company, make_event(4, "C1", anonymousId="D1"), make_event(8, None, anonymousId="D1"))
    assert see(follower, "device:D1") == {4: 1, 8: 1}
    take_over(company)
    # Taken over, and not published yet: nobody has found out who D1 is.
    assert see(follower, "device:D1") == {4: 1, 8: 1}
    flow.publish(company, time.monotonic())
    assert see(follower, "device:D1") == {4: 1, 8: 1}
    assert see(follower, "user:C1") == {4: 1, 8: 1}


def test_what_was_published_long_ago_is_brought_up_to_this_second(company: Company) -> None:
    deliver(company, make_event(0, "C1"))
    take_over(company)
    flow.publish(company, time.monotonic())
    deliver(company, make_event(4, "C1"))
    take_over(company)
    deliver(company, make_event(8, "C1"))
    # One that begins to follow now has seen nothing of what was taken over in between.
    for follow in (True, False):
        assert see(companies.open(company.folder, follow=follow), "C1") == {0: 1, 4: 1, 8: 1}


class Consenting:
    """A shop with a purpose that rests on consent, and one that does not."""

    def __init__(self, folder: Path) -> None:
        self.company = make_company(folder, IMPROVE + PERSONALISE)

    def see(self, who: str = "user:C1") -> tuple[bool, Counter[int]]:
        timeline = self.company.timeline(who, "personalise")
        assert agree(timeline, self.company.profile(who, "personalise"))
        return timeline.permitted, numbers(timeline)


@pytest.mark.parametrize("taken", [False, True])
def test_without_a_recorded_choice_nothing_is_seen(tmp_path: Path, taken: bool) -> None:
    shop = Consenting(tmp_path)
    deliver(shop.company, make_event(0, "C1"))
    if taken:
        take_over(shop.company)
    assert shop.see() == (False, {})
    assert see(shop.company, "C1", "improve") == {0: 1}


@pytest.mark.parametrize("taken", [False, True])
def test_a_consent_counts_from_its_own_event_on_and_a_refusal_at_once(tmp_path: Path, taken: bool) -> None:
    shop = Consenting(tmp_path)

    def send(*events: dict[str, Any]) -> None:
        deliver(shop.company, *events)
        if taken:
            take_over(shop.company)

    send(make_event(0, "C1"))
    send(make_event(4, "C1", True))
    send(make_event(8, "C1"))
    assert shop.see() == (True, {4: 1, 8: 1})
    take_over(shop.company)
    # What was accepted before the consent may have been taken over together with it.
    permitted, seen = shop.see()
    assert (permitted, set(seen) - {0}) == (True, {4, 8})
    send(make_event(12, "C1", False))
    assert shop.see() == (False, {})
    take_over(shop.company)
    assert shop.see() == (False, {})
    send(make_event(16, "C1", True))
    permitted, seen = shop.see()
    assert permitted
    assert 16 in seen
    assert 12 not in seen


@pytest.mark.parametrize("taken", [False, True])
def test_an_objection_hides_everything_and_another_s_consent_opens_nothing(tmp_path: Path, taken: bool) -> None:
    objection = {"consent": {"categoryPreferences": {"improve": False}}}
    company = make_company(tmp_path)
    deliver(company, make_event(0, "C1", anonymousId="D1"), make_event(4, "C2", anonymousId="D1"))
    deliver(company, make_event(8, "C1", context=objection))
    if taken:
        take_over(company)
    assert company.timeline("user:C1", "improve").permitted is False
    assert company.profile("user:C1", "improve").permitted is False
    assert see(company, "user:C2", "improve") == {4: 1}


def test_a_device_whose_events_nobody_consented_to_is_not_opened_by_its_user(tmp_path: Path) -> None:
    shop = Consenting(tmp_path)
    deliver(shop.company, make_event(0, None, anonymousId="D1"), make_event(4, "C1", True, anonymousId="D1"))
    take_over(shop.company)
    deliver(shop.company, make_event(8, None, anonymousId="D1"))
    waiting = shop.see()
    take_over(shop.company)
    assert shop.see() == waiting
    assert 8 not in waiting[1]


def test_retention_holds_for_what_is_kept_what_is_published_and_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    purposes = (
        "  - {id: improve, label: {fr: A, en: A}, basis: legitimate_interest, measures: [all], retention_days: 10}\n"
    )
    company = make_company(tmp_path, purposes)

    def days_ago(n: int, days: float) -> dict[str, Any]:
        return make_event(n, "C1", timestamp=write_time(int(NOW_MS - days * DAY_MS)))

    deliver(company, days_ago(0, 30), days_ago(4, 3), days_ago(8, 12))
    assert see(company, "C1") == {4: 1}
    take_over(company)
    assert see(company, "C1") == {4: 1}
    flow.publish(company, time.monotonic())
    deliver(company, days_ago(12, 9), days_ago(16, 11))
    assert see(company, "C1") == {4: 1, 12: 1}
    # Two days later nobody has published anew.
    before = company.know.version
    now = time.time
    monkeypatch.setattr("parcours.know.gate.since.time.time", lambda: now() + 2 * 86_400)
    assert see(company, "C1") == {4: 1}
    assert company.know.version != before


def test_a_blueprint_that_names_touchpoints_in_another_order_is_told_in_its_own_words(company: Company) -> None:
    deliver(company, make_event(4, "C1"))
    take_over(company)
    flow.publish(company, time.monotonic())
    path = company.folder / "blueprint.yaml"
    first = "  - {id: first, label: {fr: P, en: P}, stage: choice, channel: web, owner: sales, events: [Parcel Sent]}"
    text = path.read_text("utf-8").replace("touchpoints:\n", f"touchpoints:\n{first}\n", 1)
    path.write_text(text.replace("supports: [page", "supports: [first, page"), "utf-8")
    follower = companies.open(company.folder, follow=True)
    assert follower.profile("C1").touchpoint == "page"
    assert see(follower, "C1") == {4: 1}


def test_rows_of_files_that_go_away_are_no_longer_counted(tmp_path: Path) -> None:
    visits = (
        "source: visits\nfile: visits.csv\nkey: [id]\ntime: {column: at}\nids: {user: client}\nfields: {n: n}\n"
        "events: [Store Visited]\n"
    )
    company = make_company(tmp_path, sources=("source: web\nconnector: http\n", visits))
    at = write_time(RECEIVED_MS - DAY_MS)

    def load(*rows: int) -> None:
        lines = [f"{n},{at},C1,{n}" for n in rows]
        (tmp_path / "visits.csv").write_text("id,at,client,n\n" + "\n".join(lines) + "\n", "utf-8")
        flow.collect_files(company, Silent())

    load(100, 104, 108)
    deliver(company, make_event(4, "C1"))
    take_over(company)
    flow.publish(company, time.monotonic())
    assert see(company, "C1") == {100: 1, 104: 1, 108: 1, 4: 1}
    # The source says now that a client is a device: its rows are read anew, under other people.
    (tmp_path / "sources" / "visits.yaml").write_text(visits.replace("user: client", "device: client"), "utf-8")
    company = companies.open(tmp_path)
    load(100, 104, 108, 112)
    assert see(company, "user:C1") == {4: 1}
    assert see(company, "device:C1") == {100: 1, 104: 1, 108: 1, 112: 1}


def test_what_names_nobody_has_no_events(tmp_path: Path) -> None:
    shop = Consenting(tmp_path)
    deliver(shop.company, make_event(0, "C1", True), make_event(4, "null", True, anonymousId="D1"))
    for who in ("null", "user:null", "mail:nobody@example.org", "phone:1", "", "user:"):
        assert see(shop.company, who, "improve") == {}
        assert shop.see(who) == (False, {})


def test_purposes_that_nobody_declared_are_refused(company: Company) -> None:
    for purpose in ("nothing", ""):
        with pytest.raises(ParcoursError, match="purpose_does_not_cover"):
            company.timeline("C1", purpose)


@pytest.mark.slow
@pytest.mark.parametrize("follow", [True, False])
def test_there_is_no_gap_and_no_double_while_another_process_accepts_and_one_takes_over(
    tmp_path: Path, follow: bool
) -> None:
    first = make_company(tmp_path)
    flow.publish(first, time.monotonic())
    draw = random.Random(11)
    sent: dict[str, set[int]] = defaultdict(set)
    accepting, keeping = Beside("accept", tmp_path), Beside("keep", tmp_path)
    company = companies.open(tmp_path, follow=follow)
    retries: list[dict[str, Any]] = []
    try:
        for step in range(160):
            events = []
            for place in range(draw.randrange(1, 4)):
                user, n = draw.randrange(5), 10 * step + place
                event = make_event(n, f"C{user}", anonymousId=f"D{user}{n % 2}")
                event["traits"] = {"email": f"c{user}@maison.fr"}
                events.append(event)
                sent[f"user:C{user}"].add(n)
                sent[f"device:D{user}{n % 2}"].add(n)
                sent[f"mail:c{user}@maison.fr"].add(n)
            if retries and draw.random() < 0.3:
                events.append(draw.choice(retries))
            retries += events
            accepting.ask(events)
            if draw.random() < 0.05:
                company = companies.open(tmp_path, follow=follow)
            asked = draw.choice(sorted(sent))
            timeline, profile = company.timeline(asked), company.profile(asked)
            seen, whole = numbers(timeline), sent[f"user:C{asked[asked.index(':') + 2]}"]
            assert max(seen.values()) == 1, (step, asked)
            # A device and a mail lead to all of the customer once it is known whose they are.
            assert sent[asked] <= set(seen) <= whole, (step, asked, sent[asked] - set(seen))
            assert sent[asked] <= set(numbers(company.timeline(asked)))
            assert len(sent[asked]) <= profile.events <= len(whole), (step, asked)
    finally:
        accepting.stop()
        keeping.stop()
    take_over(first)
    flow.publish(first, time.monotonic())
    assert count_pending(tmp_path) == 0
    for user in range(5):
        assert see(company, f"user:C{user}") == dict.fromkeys(sent[f"user:C{user}"], 1)
        assert see(companies.open(tmp_path), f"mail:c{user}@maison.fr") == see(company, f"user:C{user}")


def test_write_blueprint_is_what_the_company_reads(company: Company) -> None:
    write_blueprint(company.folder, more_events="Catalogue Opened")
    deliver(company, make_event(0, "C1", event="Catalogue Opened"))
    assert see(company, "C1") == {}
    assert see(companies.open(company.folder), "C1") == {0: 1}
