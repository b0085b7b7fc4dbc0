"""Tests of the chain: whatever is altered, removed or moved on disk is named, by verify and by whoever reads."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.engine.store.sqlite import PAGE_BYTES
from parcours.errors import ParcoursError
from parcours.know.consent import chain
from parcours.know.consent.chain import Head, append, commit, pack, read_chain
from parcours.know.consent.ledger import GRANTED, REFUSED
from parcours.know.consent.lines import COLUMNS
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.settings import Settings

from .stating import EXAMPLES, keep, open_ledger

LINES = 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ledger = open_ledger(tmp_path)
    keep(ledger, *((number, 10 + number, number % 2) for number in range(1, LINES + 1)))
    ledger.erase(np.array([4]))
    assert named(tmp_path) == []
    return tmp_path


def named(folder: Path) -> list[str]:
    """Return what verify says, and see that reading says the first of it."""
    found = [str(fault.faults[0].sentence.en) for fault in open_ledger(folder).verify()]
    if not found:
        open_ledger(folder).catch_up()
        return found
    with pytest.raises(ParcoursError) as caught:
        open_ledger(folder).catch_up()
    assert str(caught.value.faults[0].sentence.en) in found
    return found


def line(number: int | str) -> str:
    return f"Line {number} of “consent” has been altered in state.db."


@pytest.mark.parametrize("column", [*COLUMNS, "salt", "link"])
def test_an_altered_line_is_named_and_no_other(folder: Path, column: str) -> None:
    change = f"{column} + 1" if column in COLUMNS else f"CAST(substr({column}, 2) || x'00' AS BLOB)"
    open_state(folder).execute(f"UPDATE consent SET {column} = {change} WHERE entry_no = 2")
    found = named(folder)
    # Behind an altered link the next one follows from something else; the sum of all links is wrong too.
    assert found[0] == line(2)
    assert found == [line(2)] or column == "link"


def test_an_altered_commitment_of_an_erased_line_is_named(folder: Path) -> None:
    open_state(folder).execute("UPDATE consent SET commitment = zeroblob(32) WHERE entry_no = 4")
    assert named(folder) == [line(4)]


@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 2), (2, 3), (LINES + 1, LINES + 1), (1, LINES + 1)])
def test_removed_lines_are_named(folder: Path, first: int, last: int) -> None:
    open_state(folder).execute("DELETE FROM consent WHERE entry_no BETWEEN ? AND ?", (first, last))
    behind = last == LINES + 1
    # The last line is the one that says that line 4 was erased.
    expected = [line(4)] if behind and first > 4 else []
    expected.append(line(first if behind or first == last else f"{first}–{last}"))
    assert named(folder)[: len(expected)] == expected


def test_lines_that_change_places_are_named(folder: Path) -> None:
    state = open_state(folder)
    for old, new in ((2, 99), (3, 2), (99, 3)):
        state.execute("UPDATE consent SET entry_no = ? WHERE entry_no = ?", (new, old))
    assert named(folder)[:2] == [line(2), line(3)]


def test_a_line_that_lost_its_contents_without_an_erasure_is_named(folder: Path) -> None:
    state = open_state(folder)
    nothing = ", ".join(f"{column} = NULL" for column in COLUMNS)
    # Even by somebody who knows what its commitment was.
    told = state.execute("SELECT salt, " + ", ".join(COLUMNS) + " FROM consent WHERE entry_no = 2")[0]
    made = commit(pack(told[1:]), bytes(told[0]))  # type: ignore[arg-type]
    state.execute(f"UPDATE consent SET {nothing}, salt = NULL, commitment = ? WHERE entry_no = 2", (made,))
    assert named(folder) == [line(2)]


def test_a_line_put_back_after_its_erasure_is_named(folder: Path) -> None:
    open_state(folder).execute("UPDATE consent SET principal = 4, choice = 1 WHERE entry_no = 4")
    assert named(folder) == [line(4)]


def test_a_ledger_that_lost_every_line_is_named(folder: Path) -> None:
    open_state(folder).execute("DELETE FROM consent")
    assert named(folder)[0] == line(1)


def test_a_line_rewritten_by_somebody_who_has_the_keys_shows_at_the_next_one(folder: Path, tmp_path: Path) -> None:
    """The head that was noted elsewhere stands for every line before it."""
    state, key = open_state(folder), open_keys(folder, Settings())[0].checks
    first = next(read_chain(state, key, Head())).lines[0]
    told = state.execute("SELECT link FROM consent WHERE entry_no = 1")[0][0]
    assert isinstance(told, bytes)
    forged = first.copy()[None, :]
    forged[0, 2] = 1 - forged[0, 2]
    elsewhere = open_state(tmp_path / "elsewhere")
    append(elsewhere, key, Head(1, told), forged)
    row = elsewhere.execute(f"SELECT {', '.join(COLUMNS)}, salt, link FROM consent WHERE entry_no = 2")[0]
    names = ", ".join(f"{name} = ?" for name in (*COLUMNS, "salt", "link"))
    state.execute(f"UPDATE consent SET {names} WHERE entry_no = 2", row)
    assert named(folder)[0] == line(3)


def test_a_page_in_the_place_of_another_is_named_and_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger(tmp_path)
    people = np.arange(100)
    ledger.note(0, people, np.ones(100, np.int8), people + 10, people)
    ledger.settle(10)
    state = open_state(tmp_path)
    (root,) = state.execute("SELECT rootpage FROM sqlite_master WHERE name = 'consent'")[0]
    assert state.truncate_log()
    path = tmp_path / ".parcours" / "state.db"
    content = bytearray(path.read_bytes())
    # The last leaf of the table says again what the first one says (fileformat2.html, 1.6: child pages of the root).
    start = (int(root or 0) - 1) * PAGE_BYTES
    cell = start + int.from_bytes(content[start + 12 : start + 14])
    first, last = (int.from_bytes(content[place : place + 4]) - 1 for place in (cell, start + 8))
    content[last * PAGE_BYTES : (last + 1) * PAGE_BYTES] = content[first * PAGE_BYTES : (first + 1) * PAGE_BYTES]
    path.write_bytes(content)
    monkeypatch.setattr(chain, "_READ_LINES", 1)
    keys = open_keys(tmp_path, Settings())[0]
    found = list(islice(chain.find_faults(open_state(tmp_path), keys.checks), 1000))
    assert len(found) < 1000
    last_found = found[-1]
    assert isinstance(last_found, ParcoursError)
    assert last_found.code == "database_damaged"
    with pytest.raises(ParcoursError):
        open_ledger(tmp_path).catch_up()


def test_equal_choices_have_different_commitments(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    keep(ledger, (1, 10, GRANTED), (1, 10**12, GRANTED), (1, 2 * 10**12, GRANTED))
    ledger.erase(np.array([1]))
    rows = open_state(tmp_path).execute("SELECT commitment FROM consent WHERE commitment IS NOT NULL")
    assert len({row[0] for row in rows}) == len(rows) == 3


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(1, LINES + 1), st.integers(0, 13), st.integers(0, 2**63 - 1))
def test_any_cell_may_be_spoiled_and_is_named(
    tmp_path_factory: pytest.TempPathFactory, entry: int, place: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    ledger = open_ledger(folder)
    keep(ledger, *((number, 10 + number, REFUSED) for number in range(1, LINES + 1)))
    ledger.erase(np.array([2]))
    state = open_state(folder)
    column = [*COLUMNS, "salt", "commitment", "link"][min(place, 12)]
    before = state.execute(f"SELECT {column} FROM consent WHERE entry_no = ?", (entry,))
    spoilt: int | bytes = value if column in COLUMNS else value.to_bytes(32, "little")
    state.execute(f"UPDATE consent SET {column} = ? WHERE entry_no = ?", (spoilt, entry))
    # A commitment beside contents is read by nobody.
    harmless = before == [(spoilt,)] or (column == "commitment" and entry != 2)
    assert named(folder)[:1] == ([] if harmless else [line(entry)])
