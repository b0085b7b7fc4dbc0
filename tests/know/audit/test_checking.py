"""Tests of what the check of the audit log tells: which entry was altered, removed, moved or added, and which root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from parcours.engine.store.checked import checksum_of
from parcours.engine.store.sqlite import Database, open_database
from parcours.know import verify
from parcours.know.audit.entries import CELLS, FILE, hash_entry, link
from parcours.know.audit.log import DAY_MS, Audit
from parcours.know.keys import Keys, open_keys
from parcours.progress import Silent
from parcours.settings import Settings

DAY = 20_000
COUNT = 9


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    opened, _ = open_keys(tmp_path, Settings())
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path, keys: Keys) -> Iterator[Database]:
    """The file of a log with three entries on each of three days."""
    now = [DAY * DAY_MS]
    audit = Audit(tmp_path, keys, lambda: now[0])
    for number in range(COUNT):
        now[0] = (DAY + number // 3) * DAY_MS + number
        audit.note("ana", "see_customer", "profile", number, "done", f"ticket {number}")
    assert list(audit.verify()) == []
    audit.close()
    opened = open_database(tmp_path / ".parcours" / FILE)
    yield opened
    opened.close()


def told(folder: Path, keys: Keys) -> list[tuple[str, str]]:
    audit = Audit(folder, keys)
    faults = [(fault.code, fault.faults[0].sentence.en) for fault in audit.verify()]
    audit.close()
    return faults


@pytest.mark.parametrize("column", [*CELLS[1:], "chain", "checksum"])
def test_an_altered_entry_is_named(file: Database, tmp_path: Path, keys: Keys, column: str) -> None:
    file.execute(f"UPDATE entries SET {column} = ? WHERE entry_no = 4", ("1" if column != "chain" else b"1",))
    faults = told(tmp_path, keys)
    assert faults[0] == ("audit_altered", "Entry 4 of the audit log has been altered.")
    assert all("Entry 4" in sentence or "Entry 5" in sentence for _, sentence in faults)


def test_removed_entries_are_named(file: Database, tmp_path: Path, keys: Keys) -> None:
    file.execute("DELETE FROM entries WHERE entry_no IN (4, 5)")
    assert told(tmp_path, keys)[0] == ("audit_removed", "Entries 4 to 5 of the audit log have been removed.")


@pytest.mark.parametrize(("first", "sentence"), [(COUNT, f"Entry {COUNT} of"), (COUNT - 1, f"Entries {COUNT - 1} to")])
def test_entries_cut_from_the_end_are_named(
    file: Database, tmp_path: Path, keys: Keys, first: int, sentence: str
) -> None:
    file.execute("DELETE FROM entries WHERE entry_no >= ?", (first,))
    code, said = told(tmp_path, keys)[-1]
    assert code == "audit_removed"
    assert said.startswith(sentence)


def test_entries_that_changed_places_are_named(file: Database, tmp_path: Path, keys: Keys) -> None:
    for one, other in ((4, -1), (5, 4), (-1, 5)):
        file.execute("UPDATE entries SET entry_no = ? WHERE entry_no = ?", (other, one))
    assert [sentence for _, sentence in told(tmp_path, keys)][:2] == [
        "Entry 4 of the audit log has been altered.",
        "Entry 5 of the audit log has been altered.",
    ]


def test_removed_and_renumbered_entries_are_named(file: Database, tmp_path: Path, keys: Keys) -> None:
    file.execute("DELETE FROM entries WHERE entry_no = 4")
    file.execute("UPDATE entries SET entry_no = entry_no - 1 WHERE entry_no > 4")
    assert ("audit_altered", "Entry 4 of the audit log has been altered.") in told(tmp_path, keys)


def test_an_end_that_was_put_back_is_named(file: Database, tmp_path: Path, keys: Keys) -> None:
    """The end of the log as it once was, with the entries that came since: as from an older backup."""
    old = file.execute("SELECT * FROM head")
    audit = Audit(tmp_path, keys)
    audit.note("ana", "see_customer", "profile", 1, "done")
    audit.close()
    file.execute("DELETE FROM head")
    file.executemany("INSERT INTO head VALUES (?, ?, ?, ?, ?, ?)", old)
    assert told(tmp_path, keys) != []


def test_an_altered_root_is_named(file: Database, tmp_path: Path, keys: Keys) -> None:
    file.execute("UPDATE roots SET root = ? WHERE day = ?", (b"0" * 32, DAY))
    assert "roots" in told(tmp_path, keys)[0][1]


def rewrite(file: Database, keys: Keys, number: int) -> None:
    """Alter an entry as somebody would who holds the keys: with every checksum and every link after it."""
    secret = keys.derive("audit")
    file.execute("UPDATE entries SET actor = 'bob' WHERE entry_no = ?", (number,))
    rows = file.execute(f"SELECT {', '.join(CELLS)}, chain FROM entries ORDER BY entry_no")
    chain = b""
    for row in rows:
        chain = link(chain, hash_entry(row[:-1])) if row[0] >= number else row[-1]
        told = checksum_of("entries", (*row[:-1], chain), secret)
        file.execute("UPDATE entries SET chain = ?, checksum = ? WHERE entry_no = ?", (chain, told, row[0]))


def test_a_chain_rewritten_with_the_keys_shows_against_the_root_of_its_day(
    file: Database, tmp_path: Path, keys: Keys
) -> None:
    audit = Audit(tmp_path, keys)
    given = audit.root(DAY)
    audit.close()
    rewrite(file, keys, 2)
    assert told(tmp_path, keys) == [
        ("audit_root_wrong", "The root of the audit log of 2024-10-04 does not fit its entries.")
    ]
    assert not Audit(tmp_path, keys).holds(given.entries, given.root)


def test_verify_reads_the_audit_log(file: Database, tmp_path: Path, keys: Keys) -> None:
    assert [fault for fault in verify(tmp_path, Settings(), Silent()).faults if fault.level == "error"] == []
    file.execute("UPDATE entries SET reason = 'none' WHERE entry_no = 2")
    codes = [fault.code for fault in verify(tmp_path, Settings(), Silent()).faults]
    assert "audit_altered" in codes
