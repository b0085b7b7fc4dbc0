"""The vault's rows: an altered, lost or doubled one is named, and what was forgotten leaves no trace in the tally."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import open_keys
from parcours.know.state import open_state, tally_of
from parcours.know.vault import Vault
from parcours.settings import Settings


def fill(folder: Path) -> Database:
    """Return the state of a folder with three identifiers and three texts."""
    state = open_state(folder)
    vault = Vault(state, open_keys(folder, Settings())[0])
    vault.keep_identifiers([10, 20, 30], [1, 2, 3], ["a", "b", "c"], [1, 2, 3])
    vault.keep_texts([100, 200, 300], [10, 20, 30], [1, 2, 3], ["x", "y", "z"])
    vault.settle()
    return state


def open_vault(folder: Path) -> Vault:
    return Vault(open_state(folder), open_keys(folder, Settings())[0])


def compare_texts(state: Database) -> None:
    rows = state.execute("SELECT substr(sealed, -16) FROM texts")
    tally_of(state, "texts").compare(row[0] for row in rows)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE vault SET first_event_no = first_event_no + 1 WHERE pseudonym = 20",
        "UPDATE vault SET fingerprint = fingerprint + 1 WHERE pseudonym = 20",
        "UPDATE vault SET pseudonym = 21 WHERE pseudonym = 20",
        "UPDATE vault SET fingerprint = 'two' WHERE pseudonym = 20",
        "UPDATE vault SET first_event_no = 9.5 WHERE pseudonym = 20",
        "UPDATE vault SET checksum = NULL WHERE pseudonym = 20",
        "DELETE FROM vault WHERE pseudonym = 20",
        "DELETE FROM vault",
        "DELETE FROM tallies WHERE name = 'vault'",
    ],
)
def test_a_changed_vault_is_told_before_anybody_is_told_apart(tmp_path: Path, change: str) -> None:
    fill(tmp_path).execute(change)
    for read in (Vault.first_seen, lambda vault: vault.fingerprints(np.array([10]))):
        with pytest.raises(ParcoursError) as caught:
            read(open_vault(tmp_path))
        assert caught.value.code in ("state_damaged", "row_damaged")


def test_forgetting_keeps_the_tallies_true(tmp_path: Path) -> None:
    state = fill(tmp_path)
    vault = open_vault(tmp_path)
    vault.forget_texts([1, 7])
    compare_texts(state)
    vault.forget_from(3)
    compare_texts(state)
    assert vault.first_seen()[0].tolist() == [10, 20]
    assert [row[0] for row in state.execute("SELECT ref FROM texts")] == [200]
    vault.keep_identifiers([30, 20], [3, 2], ["c", "b"], [4, 4])
    vault.keep_texts([200, 201], [20, 20], [4, 4], ["y", "again"])
    vault.settle()
    compare_texts(state)
    assert [column.tolist() for column in open_vault(tmp_path).first_seen()] == [[10, 20, 30], [1, 4, 4]]
    assert open_vault(tmp_path).read_texts([200]) == {200: (20, "y")}


def test_a_lost_text_shows(tmp_path: Path) -> None:
    state = fill(tmp_path)
    state.execute("DELETE FROM texts WHERE ref = 200")
    with pytest.raises(ParcoursError, match="row_damaged"):
        compare_texts(state)


@pytest.mark.parametrize(("column", "value"), [("sealed", "7"), ("sealed", "x'01'"), ("subject", "'who'"),
                                               ("event_no", "'when'")])  # fmt: skip
def test_a_text_that_is_none_is_named(tmp_path: Path, column: str, value: str) -> None:
    fill(tmp_path).execute(f"UPDATE texts SET {column} = {value} WHERE ref = 200")
    with pytest.raises(ParcoursError, match="state_damaged") as caught:
        open_vault(tmp_path).read_texts([100, 200])
    assert "200" in str(caught.value)


def test_the_state_of_an_older_version_is_taken_over_once(tmp_path: Path) -> None:
    state = fill(tmp_path)
    state.execute(
        "ALTER TABLE vault DROP COLUMN checksum; ALTER TABLE numbers DROP COLUMN checksum; DROP TABLE tallies"
    )
    assert open_vault(tmp_path).first_seen()[0].tolist() == [10, 20, 30]
    compare_texts(state)
    state.execute("UPDATE vault SET fingerprint = 9 WHERE pseudonym = 20")
    with pytest.raises(ParcoursError, match="state_damaged"):
        open_vault(tmp_path).first_seen()


@pytest.mark.parametrize(
    "change", ["UPDATE texts SET subject = 21 WHERE ref = 200", "DELETE FROM texts WHERE ref = 200"]
)
def test_a_text_that_went_to_nobody_or_away_is_told_where_it_is_asked_for(tmp_path: Path, change: str) -> None:
    fill(tmp_path).execute(change)
    vault = open_vault(tmp_path)
    with pytest.raises(ParcoursError) as caught:
        vault.read_texts([100, 200])
    assert caught.value.code in ("state_damaged", "row_damaged")
    assert caught.value.code in [fault.code for fault in vault.verify()]


def test_a_text_whose_key_was_destroyed_is_absent_and_no_damage(tmp_path: Path) -> None:
    state = fill(tmp_path)
    keys = open_keys(tmp_path, Settings())[0]
    keys.destroy([20])
    vault = Vault(state, keys)
    assert sorted(vault.read_texts([100, 200, 300])) == [100, 300]
    assert list(vault.verify()) == []
