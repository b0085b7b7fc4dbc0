"""Replay: what waits in quarantine goes back as it came, once, and comes in when its cause is mended."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from tests.boutique import (
    DAY_MS,
    IMPROVE,
    PERSONALISE,
    RECEIVED_MS,
    WEB,
    count_arrivals,
    count_aside,
    count_kept,
    deliver,
    make_company,
    make_event,
    read_events,
    take_over,
    write_blueprint,
)
from tests.cli.conftest import call, call_json

from parcours import company as companies
from parcours.collect import company_lock, expire
from parcours.collect.compaction import quarantine
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.replay import list_quarantine
from parcours.company import Company
from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.journal import Journal
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError


def put_aside(company: Company, count: int, first: int = 0, source: str = "web") -> None:
    """Have ``count`` events of an undeclared name, and one without a time, go to quarantine."""
    events = [make_event(4 * n, event="Catalogue Opened") for n in range(first, first + count)]
    deliver(company, *events, make_event(999_996, timestamp="never"), source=source, received_ms=RECEIVED_MS)
    take_over(company)


def declare(company: Company) -> Company:
    """Name the event in the blueprint."""
    write_blueprint(company.folder, more_events="Catalogue Opened")
    return companies.open(company.folder)


def test_an_event_that_is_declared_later_comes_in_once_with_the_moment_of_its_first_reception(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    put_aside(company, 5)
    assert count_aside(tmp_path) == {"unknown_event": 5, "date_unreadable": 1}
    company = declare(company)
    told = call_json("replay", tmp_path, "--code", "unknown_event")
    assert told == {"put_back": 5, "kept": 5, "duplicates": 0, "quarantined": 0, "discarded": 0}
    rows = read_events(tmp_path)
    assert [(row["field_n"], row["received_ms"]) for row in rows] == [(4 * n, RECEIVED_MS) for n in range(5)]
    assert count_aside(tmp_path) == {"date_unreadable": 1}
    # A client that sends them again, and another replay, change nothing.
    deliver(company, *(make_event(4 * n, event="Catalogue Opened") for n in range(5)))
    assert take_over(company).duplicates == 5
    assert call_json("replay", tmp_path, "--code", "unknown_event")["put_back"] == 0
    assert count_kept(tmp_path) == {4 * n: 1 for n in range(5)}


def test_what_is_still_wrong_returns_and_keeps_its_moment(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    put_aside(company, 3)
    for _ in range(3):
        told = call_json("replay", tmp_path)
        assert (told["put_back"], told["kept"], told["quarantined"]) == (4, 0, 4)
    assert count_aside(tmp_path) == {"unknown_event": 3, "date_unreadable": 1}
    assert {group.first_ms for group in list_quarantine(tmp_path)} == {RECEIVED_MS}
    counted = count_arrivals(tmp_path)
    assert (counted["quarantined"], counted["replayed"]) == (16, 12)
    assert company.know.quarantined == 4


def test_reused_ids_come_in_once_the_source_says_so(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    first = make_event(4)
    others = [{**first, "properties": {**first["properties"], "n": n}} for n in (8, 12, 12)]
    deliver(company, first, *others, received_ms=RECEIVED_MS)
    done = take_over(company)
    assert (done.kept, done.quarantined) == (1, 3)
    (tmp_path / "sources" / "web.yaml").write_text(f"{WEB}options: {{same_id: content}}\n", "utf-8")
    told = call_json("replay", tmp_path, "--source", "web", "--code", "message_id_reused")
    assert (told["put_back"], told["kept"], told["duplicates"]) == (3, 2, 1)
    assert count_kept(tmp_path) == {4: 1, 8: 1, 12: 1}


def test_what_was_refused_at_the_door_or_had_no_source_comes_in_when_it_can(tmp_path: Path) -> None:
    company = make_company(tmp_path, sources=(WEB,))
    deliver(company, make_event(4), source="kiosk")
    take_over(company)
    assert count_aside(tmp_path) == {"unknown_source": 1}
    (tmp_path / "sources" / "kiosk.yaml").write_text("source: kiosk\nconnector: http\n", "utf-8")
    assert call_json("replay", tmp_path)["kept"] == 1
    assert [row["source"] for row in read_events(tmp_path)] == ["kiosk"]


def test_a_dry_run_lists_and_moves_nothing(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    put_aside(company, 3)
    put_aside(company, 2, 50, "app")
    listed = call_json("replay", tmp_path, "--dry-run")
    assert {(one["source"], one["code"], one["count"]) for one in listed} == {
        ("web", "unknown_event", 3), ("app", "unknown_event", 2),
        ("web", "date_unreadable", 1), ("app", "date_unreadable", 1),
    }  # fmt: skip
    assert {"rule", "reason", "first_ms", "last_ms"} <= set(listed[0])
    text = call("replay", tmp_path, "--dry-run", "--source", "app").stdout
    assert len(text.splitlines()) == 2
    assert "web" not in text
    assert count_aside(tmp_path).total() == 7
    assert call_json("replay", tmp_path, "--dry-run", "--code", "nothing_like_it") == []


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--source", "app"), {"unknown_event": 3, "date_unreadable": 1}),
        (("--code", "unknown_event"), {"date_unreadable": 2}),
        (("--source", "web", "--code", "date_unreadable"), {"unknown_event": 5, "date_unreadable": 1}),
        (("--source", "nobody"), {"unknown_event": 5, "date_unreadable": 2}),
        ((), {}),
    ],
)
def test_only_what_is_named_is_put_back(tmp_path: Path, options: tuple[str, ...], left: dict[str, int]) -> None:
    company = make_company(tmp_path)
    put_aside(company, 3)
    put_aside(company, 2, 50, "app")
    source, code = (dict(zip(options[::2], options[1::2], strict=True)).get(name) for name in ("--source", "--code"))
    count = company.replay(source, code)
    assert count == 7 - sum(left.values())
    assert count_aside(tmp_path) == left


def test_its_words_and_exit_codes(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    put_aside(company, 3)
    declare(company)
    done = call("replay", tmp_path)
    assert done.returncode == 0
    assert done.stdout == "4 events put back: 3 kept, 1 in quarantine again.\n"
    assert call("--lang", "fr", "replay", tmp_path).stdout.startswith("1 événements remis en route")
    assert call("replay", tmp_path / "nowhere").returncode == 1
    assert call("replay", tmp_path, "--nonsense").returncode == 2
    with company_lock(tmp_path):
        # Another process that holds the company for good is waited for, and then named.
        held = subprocess.run([sys.executable, "-c", HELD, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (held.returncode, "already_running" in held.stderr) == (1, True)


HELD = """
import sys
from parcours import flow
from parcours.cli.main import main
flow.PATIENCE_S = 0.2
sys.argv = ["parcours", "replay", sys.argv[1]]
sys.exit(main())
"""


def test_several_replays_at_once_put_each_event_back_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "AT_ONCE", 2)
    company = make_company(tmp_path)
    put_aside(company, 120)
    others = [companies.open(tmp_path) for _ in range(4)]
    counts: list[int] = []
    start = threading.Barrier(4)

    def replay(one: Company) -> None:
        start.wait()
        counts.append(one.replay())

    threads = [threading.Thread(target=replay, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 121
    assert count_aside(tmp_path) == {}
    assert take_over(declare(company)).kept == 120
    assert count_kept(tmp_path) == {4 * n: 1 for n in range(120)}


def test_events_that_come_while_it_goes_on_are_not_told_as_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = make_company(tmp_path)
    put_aside(company, 3)
    company = declare(company)
    put_back = Company.put_back

    def beside(self: Company, source: str | None = None, code: str | None = None) -> object:
        deliver(self, *(make_event(4 * n) for n in range(1000, 1020)))
        return put_back(self, source, code)

    monkeypatch.setattr(Company, "put_back", beside)
    told = call_json("replay", tmp_path)
    assert (told["put_back"], told["kept"], told["quarantined"]) == (4, 3, 1)
    assert len(count_kept(tmp_path)) == 23


def test_a_damaged_lot_stays_is_named_and_holds_no_other_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "AT_ONCE", 1)
    company = make_company(tmp_path)
    put_aside(company, 20)
    database = open_database(tmp_path / JOURNAL)
    numbers = AsideEvents(database).numbers(None, "unknown_event", 0, 1 << 60, 100)
    database.execute("UPDATE aside SET original = substr(original, 2) WHERE number = ?", (numbers[3],))
    declare(company)
    done = call("replay", tmp_path, "--code", "unknown_event")
    assert done.returncode == 1
    assert "19 events put back: 19 kept" in done.stdout
    assert "[quarantine_damaged]" in done.stderr
    assert len(count_kept(tmp_path)) == 19
    with pytest.raises(ParcoursError, match="quarantine_damaged"):
        companies.open(tmp_path).replay()


def test_events_wait_for_their_days_and_then_expire(tmp_path: Path) -> None:
    company = make_company(tmp_path, settings="[collect]\nquarantine_days = 3\n")
    put_aside(company, 2)
    put_aside(company, 2, 50)
    assert expire(tmp_path, company.settings) == 0
    # Received four days ago, and set aside only now.
    old = [make_event(4 * n, event="Catalogue Opened", timestamp=...) for n in range(70, 75)]
    deliver(company, *old, received_ms=RECEIVED_MS - 4 * DAY_MS)
    take_over(company)
    waiting = Counter(count_aside(tmp_path))
    others = open_database(tmp_path / JOURNAL)
    assert others.execute("SELECT count(*) FROM aside WHERE received_ms < ?", (RECEIVED_MS - DAY_MS,)) == [(1,)]
    gone = expire(tmp_path, company.settings)
    assert gone == 5
    assert count_aside(tmp_path).total() == waiting.total() - 5
    # Nothing of them is left in the log of the file either.
    assert (tmp_path / f"{JOURNAL}-wal").stat().st_size == 0
    others.close()


def test_the_moment_at_which_it_is_put_back_counts_as_that_of_the_backlog(tmp_path: Path) -> None:
    company = make_company(tmp_path, IMPROVE + PERSONALISE)
    put_aside(company, 2)
    assert company.replay() == 3
    oldest_ms = Journal(open_database(tmp_path / JOURNAL)).backlog().oldest_ms
    assert oldest_ms is not None
    assert oldest_ms > RECEIVED_MS
