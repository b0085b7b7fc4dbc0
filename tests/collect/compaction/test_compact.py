"""Compaction: every event of every batch becomes exactly one thing, once, however it is disturbed."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.boutique import (
    APP,
    IMPROVE,
    PERSONALISE,
    RECEIVED_MS,
    WEB,
    copy_company,
    count_arrivals,
    count_aside,
    count_kept,
    count_pending,
    deliver,
    describe,
    make_company,
    make_event,
    read_events,
    take_over,
)

from parcours import company as companies
from parcours import flow
from parcours.collect.compaction import compact
from parcours.collect.compaction.seen import Seen
from parcours.collect.journal.delivery import ROWS
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.journal.sealing import HOUR_MS
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.outbox import OutboxTable
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError
from parcours.know.door import CompanyDoor
from parcours.words import Words

GARBAGE: list[Any] = [
    7,
    None,
    [],
    {"type": "merge"},
    {"type": "track", "event": "Page Viewed"},
    make_event(900_001, event="Nobody Declared This"),
    make_event(900_002, timestamp="yesterday"),
    make_event(900_001, userId={"a": 1}),
    make_event(900_005, properties={"amount": "many", "n": 900_005}),
]


class Stream:
    """Items as clients may send them, and what must become of each, told from the rules and not from the code."""

    def __init__(self, draw: random.Random, everybody: bool) -> None:
        self._draw, self._everybody = draw, everybody
        self._sent: list[dict[str, Any]] = []
        self._kept: dict[tuple[str, str], str] = {}
        self.expected: Counter[str] = Counter()
        self.kept: list[int] = []
        self.number = 0

    def draw_batch(self) -> tuple[str, list[Any]]:
        """Return a source and what it sends."""
        source = self._draw.choice(["web", "web", "app", "ghost"])
        return source, [self._draw_item() for _ in range(self._draw.randrange(1, 9))]

    def _draw_item(self) -> Any:
        chance = self._draw.random()
        if chance < 0.15:
            return self._draw.choice(GARBAGE)
        if chance < 0.35 and self._sent:
            return self._draw.choice(self._sent)
        if chance < 0.45 and self._sent:
            other = self._draw.choice(self._sent)
            return {**other, "properties": {**other["properties"], "colour": "green"}}
        self.number += 1
        if chance < 0.5:
            return make_event(self.number, "C\x01")
        user = self._draw.randrange(7)
        event = make_event(self.number, f"C{user}", {0: None, 1: False}.get(user % 4, True))
        if self._draw.random() < 0.5:
            event["anonymousId"] = f"D{user}"
        self._sent.append(event)
        return event

    def take(self, group: list[tuple[str, list[Any]]]) -> None:
        """Note what must become of batches that are taken over together."""
        heads: dict[tuple[str, str], str] = {}
        for source, items in group:
            for item in items:
                self.expected[self._judge(source, item, heads)] += 1

    def _judge(self, source: str, item: Any, heads: dict[tuple[str, str], str]) -> str:
        if source == "ghost" or item in GARBAGE:
            return "quarantined"
        key, content = (item["messageId"], item["userId"]), json.dumps(item["properties"])
        before = self._kept.get(key) or heads.get(key)
        if before is not None:
            return "duplicate" if before == content else "quarantined"
        heads[key] = content
        if "\x01" in item["userId"]:
            return "quarantined"
        if not self._everybody and int(item["userId"][1:]) % 4 in (0, 1):
            return "discarded"
        self._kept[key] = content
        self.kept.append(item["properties"]["n"])
        return "kept"


def break_once(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Have the next compaction find the disk full at one of its steps."""
    places: dict[str, tuple[Any, str, bool]] = {
        "parts": (compact, "write_part", True),
        "seen": (Seen, "write", True),
        "before settling": (CompanyDoor, "settle", False),
        "after settling": (CompanyDoor, "settle", True),
        "before the manifest": (Manifest, "commit", False),
        "after the manifest": (Manifest, "commit", True),
        "batches": (Journal, "take_over_within", True),
        "counts": (Arrivals, "add", True),
        "parcels": (OutboxTable, "add", False),
    }
    home, name, late = places[where]
    real = getattr(home, name)
    full = ParcoursError("disk_full", Words("Plein.", "Full."), Words("Videz.", "Empty it."))

    def fail(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(home, name, real)
        if late:
            real(*args, **kwargs)
        raise full

    monkeypatch.setattr(home, name, fail)


PLACES = (
    "parts", "seen", "before settling", "after settling", "before the manifest", "after the manifest", "batches",
    "counts", "parcels",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_every_event_becomes_exactly_one_thing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    draw = random.Random(seed)
    everybody = seed % 2 == 0
    disturbed = make_company(tmp_path / "disturbed", (IMPROVE if everybody else "") + PERSONALISE)
    plain = copy_company(disturbed, tmp_path / "plain")
    stream = Stream(draw, everybody)
    now_ms, numbers, sent = RECEIVED_MS, set[int](), 0
    for _ in range(12):
        group = [stream.draw_batch() for _ in range(draw.randrange(1, 4))]
        for place, (source, items) in enumerate(group):
            received_ms = now_ms + place * HOUR_MS // 2
            for company in (disturbed, plain):
                deliver(company, *items, source=source, received_ms=received_ms)
            sent += len(items)
        stream.take(group)
        if draw.random() < 0.7:
            break_once(monkeypatch, draw.choice(PLACES[1:]))
            with pytest.raises(ParcoursError, match="disk_full"):
                take_over(disturbed)
            assert count_pending(disturbed.folder) == len(group)
            if draw.random() < 0.5:
                disturbed = companies.open(disturbed.folder)
        done = take_over(disturbed)
        assert done.events == sum(len(items) for _, items in group)
        assert done.events == done.kept + done.duplicates + done.quarantined + done.discarded
        take_over(plain)
        now = {row["event_no"] for row in read_events(disturbed.folder)}
        assert min(now - numbers, default=1 << 60) > max(numbers, default=0)
        numbers = now
    counted = count_arrivals(disturbed.folder)
    told = ("kept", "duplicate", "quarantined", "discarded")
    assert {name: counted[name] for name in told} == {name: stream.expected[name] for name in told}
    assert sum(counted[name] for name in told) == sent
    assert count_kept(disturbed.folder) == Counter(stream.kept)
    assert count_aside(disturbed.folder).total() == counted["quarantined"]
    assert disturbed.know.discarded == counted["discarded"]
    assert describe(disturbed) == describe(plain)


@pytest.mark.parametrize("where", PLACES)
def test_a_full_disk_leaves_everything_as_it_was_and_costs_nothing_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    company = make_company(tmp_path / "shop")
    deliver(company, make_event(1, "C1", True, anonymousId="D1"))
    take_over(company)
    plain = copy_company(company, tmp_path / "plain")
    for one in (company, plain):
        # The same customer, a new one, an answer in words, a choice.
        deliver(
            one,
            *(make_event(n, f"C{n % 3}", n % 2 == 0, anonymousId=f"D{n}") for n in range(2, 30)),
            received_ms=RECEIVED_MS,
        )
    before = describe(company)
    waiting = count_pending(company.folder)
    break_once(monkeypatch, where)
    with pytest.raises(ParcoursError, match="disk_full"):
        take_over(company)
    assert count_kept(company.folder) == {1: 1}
    assert count_pending(company.folder) == waiting
    assert count_arrivals(company.folder) == before["arrivals"]
    take_over(company)
    take_over(plain)
    assert describe(company) == describe(plain)
    parts = {part.path for part in Manifest(company.folder).parts()}
    assert {f"parts/{path.name}" for path in (company.folder / ".parcours/parts").iterdir()} == parts


def test_what_is_refused_at_the_door_is_kept_as_it_came_and_comes_in_once_it_can(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    good, bad = make_event(1), make_event(2, "C\x01")
    deliver(company, good, bad, make_event(3, properties={"n": 3}, event="Survey Answered"))
    done = take_over(company)
    assert (done.kept, done.quarantined) == (1, 2)
    assert count_aside(company.folder) == {"identifier_unusable": 1, "field_missing": 1}
    kept = {json.dumps(json.loads(body)["batch"][0]) for *_, body in describe(company)["aside"]}
    assert json.dumps(bad) in kept


def test_events_that_are_read_from_rows_are_counted_one_by_one(tmp_path: Path) -> None:
    rows = (
        "source: crm\nconnector: sql\noptions: {url: 'sqlite:///x.db', table: visits, cursor: at, key: id}\n"
        "key: [id]\ntime: {column: at}\nids: {user: client}\nfields: {n: number}\n"
        "events:\n  - Store Visited\n  - {name: Order Completed, when: {column: bought, is: 'yes'}}\n"
    )
    company = make_company(tmp_path, sources=(WEB, rows))
    body = json.dumps(
        [
            {"id": n, "at": "2026-01-20T10:00:00Z", "client": f"C{n}", "number": n, "bought": "yes" if n % 2 else "no"}
            for n in range(10)
        ]
        + ["no row", {"id": 11, "at": "never", "client": "C1", "number": 11, "bought": "no"}]
    ).encode()
    deliver(company, body, source="crm", kind=ROWS)
    done = take_over(company)
    assert (done.kept, done.quarantined, done.events) == (15, 2, 17)
    deliver(company, body, source="crm", kind=ROWS)
    done = take_over(company)
    assert (done.kept, done.duplicates, done.quarantined) == (0, 15, 2)


def test_what_is_told_of_events_stands_in_the_hour_of_their_arrival(tmp_path: Path) -> None:
    company = make_company(tmp_path, sources=(WEB, APP))
    deliver(company, make_event(4, properties={"n": 4, "unheard_of": 5}), received_ms=RECEIVED_MS)
    take_over(company)
    database = open_database(tmp_path / JOURNAL)
    told = {(one.outcome, one.detail): one for one in Arrivals(database).since(0)}
    assert {one.hour for one in told.values()} == {RECEIVED_MS // HOUR_MS}
    assert told["undeclared", "unheard_of"].count == 1
    assert told["kept", ""].count == 1
    assert Arrivals(database).latest() == {"web": RECEIVED_MS}


def test_names_that_nobody_declared_cannot_fill_the_journal(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    for batch in range(3):
        events = [make_event(n, properties={"n": n, f"junk{n}": 1}) for n in range(batch * 150, batch * 150 + 150)]
        deliver(company, *events, received_ms=RECEIVED_MS)
        take_over(company)
    database = open_database(tmp_path / JOURNAL)
    names = {one.detail: one.count for one in Arrivals(database).since(0) if one.outcome == "undeclared"}
    assert len(names) <= 201
    assert sum(names.values()) == 450


def test_nothing_that_waits_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company(tmp_path)
    monkeypatch.setattr(compact, "Compaction", None)
    assert take_over(company) == compact.Compacted()


def test_it_stops_between_two_groups_when_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company(tmp_path)
    monkeypatch.setattr(compact, "MOST_EVENTS", 5)
    for n in range(4):
        deliver(company, *(make_event(10 * n + place) for place in range(5)))
    answers = iter([False, False, True])
    done = flow.collect_live(company, lambda: next(answers, True))
    assert (done.batches, done.kept) == (2, 10)
    assert count_pending(tmp_path) == 2
    assert take_over(company).batches == 2


def test_it_ends_though_events_never_stop_coming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company(tmp_path)
    monkeypatch.setattr(compact, "MOST_EVENTS", 2)
    read = Journal.read

    def read_and_accept(self: Journal, *args: Any, **kwargs: Any) -> Any:
        if self.last_batch_no() < 40:
            deliver(company, make_event(4 * self.last_batch_no()))
        return read(self, *args, **kwargs)

    for n in range(5):
        deliver(company, make_event(4000 + 4 * n))
    monkeypatch.setattr(Journal, "read", read_and_accept)
    done = take_over(company)
    assert (done.batches, done.kept) == (5, 5)
    assert 0 < count_pending(tmp_path) < 10
