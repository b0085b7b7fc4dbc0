"""A batch that is damaged, missing or without its key: named, set aside, told, and what stands behind it goes on."""

from __future__ import annotations

import json
import logging
import shutil
import time
from pathlib import Path

import pytest
from tests.boutique import (
    count_arrivals,
    count_aside,
    count_kept,
    count_pending,
    deliver,
    make_company,
    make_event,
    take_over,
)
from tests.cli.conftest import call, call_json

from parcours import company as companies
from parcours.collect.compaction.expiry import expire
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.journal.sealing import HOUR_MS
from parcours.company import Company
from parcours.engine.store.journal import Journal, Spoilt
from parcours.engine.store.lost import LostBatches
from parcours.engine.store.sqlite import Database, open_database
from parcours.errors import ParcoursError
from parcours.workspaces.pages.sources import read_sources


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A shop in whose journal five batches of two events each wait."""
    company = make_company(tmp_path / "shop")
    for batch in range(5):
        deliver(company, make_event(20 * batch), make_event(20 * batch + 4))
    return company


def journal_of(company: Company) -> Database:
    return open_database(company.folder / JOURNAL)


def codes_of(company: Company) -> list[str]:
    """Return what `parcours verify` finds."""
    done = call("verify", company.folder, "--json", "--quiet")
    assert done.returncode in (0, 1), done.stderr
    told = [fault["code"] for fault in json.loads(done.stdout)["damaged"]]
    assert (done.returncode == 1) == bool(told)
    return told


FLIPS = [
    # Sealed bytes are any bytes: what is put there differs from what stands there.
    "UPDATE batches SET body = CAST(substr(body, 1, 40) || iif(substr(body, 41, 1) = x'00', x'01', x'00') "
    "|| substr(body, 42) AS BLOB) WHERE batch_no = 3",
    "UPDATE batches SET body = CAST(body AS TEXT) WHERE batch_no = 3",
    "UPDATE batches SET events = CAST(x'fffe80' AS TEXT) WHERE batch_no = 3",
    "UPDATE batches SET hour = CAST(x'fffe80' AS TEXT) WHERE batch_no = 3",
    "UPDATE batches SET checksum = CAST(x'fffe80' AS TEXT) WHERE batch_no = 3",
    "UPDATE batches SET body = x'' WHERE batch_no = 3",
    "UPDATE batches SET body = 'text' WHERE batch_no = 3",
    "UPDATE batches SET checksum = x'00' WHERE batch_no = 3",
    "UPDATE batches SET events = 7 WHERE batch_no = 3",
    "UPDATE batches SET events = -1 WHERE batch_no = 3",
    "UPDATE batches SET events = 'many' WHERE batch_no = 3",
    "UPDATE batches SET events = 9000000000000 WHERE batch_no = 3",
    "UPDATE batches SET hour = hour - 1 WHERE batch_no = 3",
    "UPDATE batches SET hour = 'noon' WHERE batch_no = 3",
    "UPDATE batches SET received_ms = received_ms + 1 WHERE batch_no = 3",
]


@pytest.mark.parametrize("flip", FLIPS)
def test_a_damaged_batch_is_set_aside_and_those_behind_it_are_taken_over(
    company: Company, flip: str, caplog: pytest.LogCaptureFixture
) -> None:
    journal_of(company).execute(flip)
    with pytest.raises(ParcoursError, match="journal_damaged"):
        Journal(journal_of(company)).pending()
    assert codes_of(company) == ["journal_damaged"]
    with caplog.at_level(logging.ERROR):
        done = take_over(company)
    assert (done.kept, done.batches, done.missing) == (8, 4, 0)
    assert set(count_kept(company.folder)) == {0, 4, 20, 24, 60, 64, 80, 84}
    assert count_pending(company.folder) == 0
    assert [record.fields["first"] for record in caplog.records] == [3]  # type: ignore[attr-defined]
    (lost,) = LostBatches(journal_of(company)).all()
    assert (lost.first, lost.last) == (3, 3)
    assert lost.code == "batch_damaged"
    assert count_aside(company.folder) == {"batch_damaged": lost.events}
    assert lost.events == (7 if "events = 7" in flip else 1 if "events" in flip else 2)
    assert codes_of(company) == [lost.code]
    assert take_over(company).events == 0


def test_what_is_damaged_cannot_be_replayed_and_stays(company: Company) -> None:
    journal_of(company).execute(FLIPS[0])
    take_over(company)
    assert company.put_back().events == 0
    assert count_aside(company.folder) == {"batch_damaged": 2}
    assert call_json("replay", company.folder)["put_back"] == 0


@pytest.mark.parametrize("gone", [(1,), (3,), (5,), (2, 3), (1, 2, 3, 4, 5), (2, 4)])
def test_a_missing_batch_is_counted_and_told(
    company: Company, gone: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    for number in gone:
        journal_of(company).execute("DELETE FROM batches WHERE batch_no = ?", (number,))
    assert set(codes_of(company)) == {"journal_damaged"}
    with caplog.at_level(logging.ERROR):
        done = take_over(company)
    assert (done.kept, done.missing, done.last_batch_no) == (10 - 2 * len(gone), len(gone), 5)
    assert count_arrivals(company.folder)["lost"] == len(gone)
    assert {record.fields["code"] for record in caplog.records} == {"batch_missing"}  # type: ignore[attr-defined]
    told = LostBatches(journal_of(company)).all()
    assert sorted(n for one in told for n in range(one.first, one.last + 1)) == list(gone)
    assert set(codes_of(company)) == {"batch_missing"}
    page = read_sources(company, "en")
    assert page.headline.startswith(f"{len(gone)} batch")
    # Numbers go on behind the hole.
    assert deliver(company, make_event(200)) == 6
    assert take_over(company).kept == 1


def test_a_hole_found_while_others_go_on_is_told_by_verify_until_the_days_of_quarantine_are_over(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal_of(company).execute("DELETE FROM batches WHERE batch_no = 2")
    journal_of(company).execute(FLIPS[0])
    take_over(company)
    assert set(codes_of(company)) == {"batch_missing", "batch_damaged"}
    now_ns = time.time_ns()
    expire(company.folder, company.settings)
    assert len(codes_of(company)) == 2
    monkeypatch.setattr("parcours.collect.compaction.expiry.time.time_ns", lambda: now_ns + 31 * 24 * HOUR_MS * 10**6)
    expire(company.folder, company.settings)
    assert codes_of(company) == []
    assert count_aside(company.folder) == {}


def test_a_batch_whose_key_is_gone_comes_in_once_the_key_is_back(company: Company) -> None:
    keys = company.folder / ".parcours" / "keys.db"
    hour = journal_of(company).execute("SELECT hour FROM batches LIMIT 1")[0][0]
    database = open_database(keys)
    (before,) = database.execute("SELECT hour, wrapped FROM hour_keys WHERE hour = ?", (hour,))
    database.execute("DELETE FROM hour_keys WHERE hour = ?", (hour,))
    company = companies.open(company.folder)
    done = take_over(company)
    assert (done.kept, done.quarantined) == (0, 10)
    assert count_aside(company.folder) == {"hour_key_gone": 10}
    assert set(codes_of(company)) == {"hour_key_gone"}
    assert call_json("replay", company.folder)["put_back"] == 0
    database.execute("INSERT OR REPLACE INTO hour_keys VALUES (?, ?)", before)
    told = call_json("replay", company.folder, "--code", "hour_key_gone")
    assert (told["put_back"], told["kept"], told["quarantined"]) == (10, 10, 0)
    assert codes_of(company) == []
    assert len(count_kept(company.folder)) == 10


def test_bytes_flipped_in_the_file_itself_are_found(company: Company, tmp_path: Path) -> None:
    take_over(company)
    for batch in range(3):
        deliver(company, *(make_event(1000 + 40 * batch + 4 * n) for n in range(9)))
    bodies = [row[0] for row in journal_of(company).execute("SELECT body FROM batches ORDER BY batch_no")]
    place = Path(shutil.copytree(company.folder, tmp_path / "copy"))
    database = open_database(place / JOURNAL)
    database.truncate_log()
    database.close()
    content = bytearray((place / JOURNAL).read_bytes())
    middle = bodies[1][len(bodies[1]) // 2 :][:24]
    at = content.index(middle)
    content[at + 11] ^= 4
    (place / JOURNAL).write_bytes(content)
    copy = companies.open(place)
    found = Journal(journal_of(copy)).read()
    assert [type(one) for one in found].count(Spoilt) == 1
    done = take_over(copy)
    assert (done.kept, done.quarantined) == (18, 9)
    assert codes_of(copy) == ["batch_damaged"]
