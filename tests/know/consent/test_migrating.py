"""Tests of a ledger of an older version: opened, it is chained with nothing lost, unless it was damaged before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from parcours.engine.store.checked import Tally
from parcours.errors import ParcoursError
from parcours.know.consent.ledger import GRANTED, REFUSED
from parcours.know.keys import open_keys
from parcours.know.pseudonyms import checksums
from parcours.know.state import open_state
from parcours.settings import Settings

from .stating import DAY_MS, open_ledger, recorded

OLD = """
DROP TABLE consent;
CREATE TABLE consent (
    entry_no INTEGER PRIMARY KEY AUTOINCREMENT, principal INTEGER NOT NULL, purpose INTEGER NOT NULL,
    choice INTEGER NOT NULL, occurred_ms INTEGER NOT NULL, confirmed_ms INTEGER NOT NULL,
    recorded_ms INTEGER NOT NULL, event_no INTEGER NOT NULL, checksum INTEGER NOT NULL);
"""
LINES = [
    # principal, purpose, choice, occurred, confirmed, recorded, event
    (1, 0, GRANTED, 1 * DAY_MS, 1 * DAY_MS, 7, 1),
    (2, 0, GRANTED, 1 * DAY_MS, 2 * DAY_MS, 7, 2),
    (1, 0, GRANTED, 3 * DAY_MS, 3 * DAY_MS, 8, 3),
    (2, 0, REFUSED, 4 * DAY_MS, 4 * DAY_MS, 8, 4),
    (3, 1, REFUSED, 4 * DAY_MS, 4 * DAY_MS, 8, 5),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A company whose ledger was written by the version before the chain."""
    keys, state = open_keys(tmp_path, Settings())[0], open_state(tmp_path)
    table = np.array(LINES, np.int64)
    sums = checksums(table, keys.checks).tolist()
    state.execute(OLD)
    with state.transaction():
        rows = [(*line, checksum) for line, checksum in zip(LINES, sums, strict=True)]
        state.executemany("INSERT INTO consent VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        Tally(state, "consent").note(added=sums)
    return tmp_path


def test_an_older_ledger_is_chained_when_it_is_opened(folder: Path) -> None:
    ledger = open_ledger(folder)
    assert ledger.catch_up() == len(LINES)
    assert list(ledger.verify()) == []
    assert recorded(ledger, 1, 2) == [GRANTED, REFUSED]
    assert recorded(ledger, 3, purpose=1) == [REFUSED]
    rows = open_state(folder).execute("SELECT principal, choice, event_no, made_ms / ? FROM consent", (DAY_MS,))
    assert rows == [(1, 1, 1, 1), (2, 1, 2, 1), (1, 1, 3, 1), (2, 2, 4, 4), (3, 0, 5, 4)]
    # It is what it was for whoever opens it next.
    again = open_ledger(folder)
    again.catch_up()
    assert again.head == ledger.head


@pytest.mark.parametrize("harm", ["UPDATE consent SET choice = 0 WHERE entry_no = 2", "DELETE FROM consent WHERE true"])
def test_an_older_ledger_that_was_damaged_is_left_as_it_is(folder: Path, harm: str) -> None:
    open_state(folder).execute(harm)
    before = open_state(folder).execute("SELECT * FROM consent")
    with pytest.raises(ParcoursError, match=r"state_damaged|row_damaged"):
        open_ledger(folder)
    assert open_state(folder).execute("SELECT * FROM consent") == before
