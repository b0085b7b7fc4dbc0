"""What is carried out: the permitted events that a destination asks for, once, with what is declared and no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.boutique import (
    APP,
    IMPROVE,
    NOW_MS,
    PERSONALISE,
    RECEIVED_MS,
    WEB,
    deliver,
    make_company,
    make_event,
    take_over,
    write_time,
)

from parcours import company as companies
from parcours.collect.journal.opening import read_outbox
from parcours.collect.reading import SURVEY_PAGES, delivering_sources
from parcours.company import Company
from parcours.serving.ports import SealedOutbox
from parcours.serving.sending import SendGate

DESTINATION = (
    "destination: NAME\nconnector: webhook\noptions: {url: 'http://127.0.0.1:9/', secret: '${SECRET}'}\n"
    "purpose: PURPOSE\nevents: [EVENTS]\n"
)


def aim(folder: Path, name: str = "partner", purpose: str = "personalise", events: str = "Order Completed") -> Company:
    """Write a destination and open the company anew."""
    (folder / "destinations").mkdir(exist_ok=True)
    text = DESTINATION.replace("NAME", name).replace("PURPOSE", purpose).replace("EVENTS", events)
    (folder / f"destinations/{name}.yaml").write_text(text, "utf-8")
    return companies.open(folder)


def read_parcels(company: Company, name: str = "partner") -> list[dict[str, Any]]:
    table = read_outbox(company.folder)
    try:
        outbox = SealedOutbox(table, company.know.door(), SendGate(company).judge)
        return [json.loads(one.body) for one in outbox.take(name, 1000)]
    finally:
        table.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECRET", "whsec_" + "a" * 32)
    make_company(tmp_path / "shop", IMPROVE + PERSONALISE, sources=(WEB, APP))
    return tmp_path / "shop"


def test_an_event_is_written_as_the_other_side_reads_it(folder: Path) -> None:
    company = aim(folder)
    sent = make_event(5, "C1", True, anonymousId="D1")
    sent["context"] |= {"ip": "203.0.113.9", "traits": {"email": "C1@maison.fr"}}
    sent["properties"] |= {"secret": "declared nowhere", "comment": "a field of the survey"}
    deliver(company, sent, received_ms=RECEIVED_MS)
    take_over(company)
    (parcel,) = read_parcels(company)
    assert len(parcel.pop("messageId")) == 16
    assert parcel == {
        "type": "track",
        "event": "Order Completed",
        "timestamp": sent["timestamp"],
        "receivedAt": write_time(RECEIVED_MS),
        "context": {"source": "web"},
        "userId": "C1",
        "anonymousId": "D1",
        "email": "C1@maison.fr",
        "properties": {
            "n": 5.0,
            "colour": "blue",
            "segment": "s2",
            "amount": 15.0,
            "order_id": "O5",
            "comment": "a field of the survey",
        },
    }


def test_only_what_its_purpose_may_see_and_what_it_asks_for(folder: Path) -> None:
    company = aim(folder)
    aim(folder, "all", "improve", "Order Completed, Page Viewed")
    company = companies.open(folder)
    deliver(company, *(make_event(n, f"C{n % 3}", (True, False, None)[n % 3]) for n in range(12)))
    take_over(company)
    orders = [n for n in range(12) if n % 4 == 1]
    told = [parcel["properties"]["n"] for parcel in read_parcels(company)]
    assert told == [n for n in orders if n % 3 == 0]
    told = [parcel["properties"]["n"] for parcel in read_parcels(company, "all")]
    assert told == [n for n in range(12) if n % 4 in (0, 1)]


def test_a_refusal_counts_for_events_that_come_after_it_and_for_what_waits(folder: Path) -> None:
    company = aim(folder)
    deliver(company, make_event(1, "C1", True))
    take_over(company)
    assert [parcel["properties"]["n"] for parcel in read_parcels(company)] == [1]
    deliver(company, make_event(4, "C1", False), make_event(5, "C1"))
    take_over(company)
    assert read_parcels(company) == []


def test_neither_a_retry_nor_what_is_refused_goes_out(folder: Path) -> None:
    company = aim(folder, purpose="improve")
    for _ in range(2):
        deliver(company, make_event(1), make_event(1), make_event(5, userId={"no": "id"}))
        take_over(company)
    deliver(company, make_event(1, properties={"n": 1, "order_id": "other", "amount": 3}))
    take_over(company)
    assert [parcel["properties"]["n"] for parcel in read_parcels(company)] == [1]


def test_a_destination_gets_what_comes_from_then_on(folder: Path) -> None:
    company = companies.open(folder)
    deliver(company, make_event(1))
    take_over(company)
    company = aim(folder, purpose="improve")
    deliver(company, make_event(5))
    take_over(company)
    assert [parcel["properties"]["n"] for parcel in read_parcels(company)] == [5]


def test_what_waits_cannot_be_read_in_the_file(folder: Path) -> None:
    company = aim(folder, purpose="improve")
    deliver(company, make_event(1, "somebody-in-particular"))
    take_over(company)
    assert len(read_parcels(company)) == 1
    for path in (folder / ".parcours").rglob("*"):
        assert path.is_dir() or b"somebody-in-particular" not in path.read_bytes(), path


def test_who_delivers_to_the_journal(folder: Path) -> None:
    (folder / "past.csv").write_text("id,at,client\n1,2026-01-01T10:00:00Z,C1\n", "utf-8")
    text = "source: past\nfile: past.csv\nkey: [id]\ntime: {column: at}\nids: {user: client}\nevents: [Page Viewed]\n"
    (folder / "sources/past.yaml").write_text(text, "utf-8")
    company = companies.open(folder)
    assert {one.source for one in company.delivering} == {"web", "app", SURVEY_PAGES}
    own = f"source: {SURVEY_PAGES}\nconnector: http\noptions: {{origins: ['https://shop.example']}}\n"
    (folder / f"sources/{SURVEY_PAGES}.yaml").write_text(own, "utf-8")
    found = [one for one in delivering_sources(companies.open(folder).sources) if one.source == SURVEY_PAGES]
    assert len(found) == 1
    assert found[0].options


def test_its_time_is_that_of_the_event(folder: Path) -> None:
    company = aim(folder, purpose="improve")
    deliver(company, make_event(1, timestamp=write_time(NOW_MS - 86_400_000 * 200)))
    take_over(company)
    assert read_parcels(company)[0]["timestamp"] == write_time(NOW_MS - 86_400_000 * 200)
