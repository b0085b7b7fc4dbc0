"""The keys of hours: there as long as a batch needs them, then gone for good, and nothing readable left behind."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

import pytest
import zstandard
from tests.boutique import count_kept, deliver, make_company, make_event, take_over

from parcours import company as companies
from parcours import flow
from parcours.collect.compaction import compact
from parcours.collect.journal.delivery import BATCH, Delivery
from parcours.collect.journal.opening import JOURNAL, open_journal
from parcours.collect.journal.sealing import HOUR_MS, Sealer
from parcours.company import Company
from parcours.engine.store.journal import Journal
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError

NOW_MS = time.time_ns() // 1_000_000
NOW = NOW_MS // HOUR_MS


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no hour end while a test of hours runs."""
    monkeypatch.setattr("time.time_ns", lambda: NOW_MS * 1_000_000)


def hours_of(company: Company) -> set[int]:
    """Return the hours that have a key."""
    rows = open_database(company.folder / ".parcours" / "keys.db").execute("SELECT hour FROM hour_keys")
    return {int(str(row[0])) for row in rows}


def test_a_key_goes_once_nothing_needs_it_and_never_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company(tmp_path)
    for back in (0, 1, 2, 3, 30):
        deliver(company, make_event(4 * back), received_ms=NOW_MS - back * HOUR_MS)
    assert hours_of(company) == {NOW - back for back in (0, 1, 2, 3, 30)}
    monkeypatch.setattr(compact, "MOST_EVENTS", 1)
    # Batches are taken over as they came: that of thirty hours ago comes last.
    answers = iter([False] * 3 + [True] * 9)
    flow.collect_live(company, lambda: next(answers))
    assert hours_of(company) == {NOW, NOW - 1, NOW - 3, NOW - 30}
    take_over(company)
    # A request may still be under way that came in the hour before.
    assert hours_of(company) == {NOW, NOW - 1}
    assert len(count_kept(tmp_path)) == 5


def test_keys_go_as_well_when_nothing_more_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company(tmp_path)
    deliver(company, make_event(0))
    take_over(company)
    # The next hours, for which keys are made in advance as well.
    company.know.hour_key(NOW + 1)
    assert hours_of(company) >= {NOW, NOW + 1}
    monkeypatch.setattr("time.time_ns", lambda: (NOW_MS + 3 * HOUR_MS) * 1_000_000)
    take_over(company)
    assert hours_of(company) == set()


def test_a_copy_of_the_old_journal_cannot_be_opened_after_that(tmp_path: Path) -> None:
    company = make_company(tmp_path / "shop")
    deliver(company, make_event(4), received_ms=NOW_MS - 5 * HOUR_MS)
    copy = tmp_path / "journal-of-yesterday.db"
    database = open_database(company.folder / JOURNAL)
    database.truncate_log()
    shutil.copy(company.folder / JOURNAL, copy)
    keys = tmp_path / "keys-of-yesterday.db"
    take_over(company)
    company = companies.open(company.folder)
    (batch,) = Journal(open_database(copy)).pending()
    with pytest.raises(ParcoursError, match="hour_key_gone"):
        Sealer(company.know.door().hour_key).open(batch)
    # Nor with what a tool could find in the files of keys.
    for path in (company.folder / ".parcours").glob("keys.db*"):
        shutil.copy(path, keys.with_name(f"{keys.name}-{path.suffix}"))
        assert b"hour_keys" in path.read_bytes() or path.suffix != ".db"
    assert hours_of(company) == set()


def test_a_key_that_is_made_again_opens_nothing_of_before(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    sealer = Sealer(company.know.hour_key)
    first = sealer.seal([Delivery("web", BATCH, NOW_MS - 9 * HOUR_MS, "", b'{"batch":[]}')], 1)
    journal, close = open_journal(tmp_path)
    journal.append([first])
    (batch,) = journal.pending()
    company.know.door().destroy_hour_keys(NOW, set())
    # The clock was set back: the hour comes again, and has another key.
    second = sealer.seal([Delivery("web", BATCH, NOW_MS - 9 * HOUR_MS, "", b'{"batch":[]}')], 1)
    journal.append([second])
    close()
    with pytest.raises(ParcoursError, match="batch_damaged"):
        Sealer(company.know.hour_key).open(batch)
    assert take_over(company).quarantined == 1
    other = Journal(open_database(tmp_path / JOURNAL))
    assert other.taken() == 2


def test_nothing_that_was_sent_can_be_read_in_the_files(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    secrets = [f"marker{n}of{n * 7919}" for n in range(40)]
    for place, secret in enumerate(secrets):
        event = make_event(4 * place + 3, f"id-{secret}", anonymousId=f"device-{secret}")
        event["traits"] = {"email": f"{secret}@example.org", "other": secret}
        event["properties"] |= {"colour": f"declared{place}", "comment": f"I am {secret}", "undeclared_thing": secret}
        bad = make_event(4 * place + 1000, f"id-{secret}", timestamp="never", properties={"n": secret})
        deliver(company, event, bad, received_ms=NOW_MS - 2 * HOUR_MS)
        if place % 10 == 9:
            take_over(company)
    assert len(count_kept(tmp_path)) == 40
    contents = {path.name: _plain(path) for path in (tmp_path / ".parcours").rglob("*") if path.is_file()}
    assert [secret for secret in secrets for content in contents.values() if secret.encode() in content] == []
    # What the blueprint declares is kept, and would be found.
    assert all(any(b"declared%d" % place in content for content in contents.values()) for place in range(40))


def _plain(path: Path) -> bytes:
    """Return the bytes of a file, and of every Zstandard frame in it as it was before."""
    content = path.read_bytes()
    opened = [content]
    place = content.find(zstandard.FRAME_HEADER)
    while place >= 0:
        with suppress(zstandard.ZstdError):
            opened.append(zstandard.ZstdDecompressor().decompressobj().decompress(content[place:]))
        place = content.find(zstandard.FRAME_HEADER, place + 1)
    return b"".join(opened)
