"""Tests of the keys: wrapped on disk, never made twice, and useless without the master key."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from parcours.engine.store.checked import TAG, Tally
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError
from parcours.know.keys import VARIABLE, open_keys
from parcours.settings import KeySettings, Settings


def code_of(folder: Path, settings: Settings | None = None) -> str:
    with pytest.raises(ParcoursError) as caught:
        open_keys(folder, settings or Settings())
    return caught.value.code


def test_keys_come_back_the_same(tmp_path: Path) -> None:
    keys, warnings = open_keys(tmp_path, Settings())
    made = keys.make([7, 8])
    keys.settle()
    sealed = keys.seal(b"row")
    again, _ = open_keys(tmp_path, Settings())
    assert again.find([7, 8, 9]) == {7: made[0], 8: made[1]}
    assert again.pseudonyms == keys.pseudonyms
    assert again.row_seed() == keys.row_seed() < 2**63
    assert again.unseal(sealed) == b"row"
    assert "PARCOURS_MASTER_KEY" in str(warnings[0])


def test_nothing_readable_lies_in_the_key_file(tmp_path: Path) -> None:
    keys, _ = open_keys(tmp_path, Settings())
    made = keys.make([7])
    keys.settle()
    written = b"".join(path.read_bytes() for path in (tmp_path / ".parcours").glob("keys.db*"))
    assert made[0] not in written
    assert keys.pseudonyms not in written


def test_the_master_key_is_its_owners_alone(tmp_path: Path) -> None:
    open_keys(tmp_path, Settings())
    assert (tmp_path / ".parcours" / "master.key").stat().st_mode & 0o777 == 0o600


def test_a_destroyed_key_is_gone(tmp_path: Path) -> None:
    keys, _ = open_keys(tmp_path, Settings())
    keys.make([7, 8])
    keys.settle()
    keys.destroy([7])
    assert set(keys.find([7, 8])) == {8}


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, base64.b64encode(bytes(range(32))).decode())
    _, warnings = open_keys(tmp_path, Settings())
    assert warnings == ()
    assert not (tmp_path / ".parcours" / "master.key").exists()
    monkeypatch.setenv(VARIABLE, base64.b64encode(bytes(32)).decode())
    assert code_of(tmp_path) == "master_key_wrong"
    monkeypatch.setenv(VARIABLE, "short")
    assert code_of(tmp_path) == "master_key_unreadable"


def test_a_lost_master_key_is_never_made_anew(tmp_path: Path) -> None:
    open_keys(tmp_path, Settings())
    (tmp_path / ".parcours" / "master.key").unlink()
    assert code_of(tmp_path) == "master_key_missing"


def test_a_master_key_elsewhere_brings_no_warning(tmp_path: Path) -> None:
    settings = Settings(keys=KeySettings(master_file=str(tmp_path / "safe" / "master.key")))
    _, warnings = open_keys(tmp_path / "company", settings)
    assert warnings == ()
    assert (tmp_path / "safe" / "master.key").exists()


def test_an_altered_key_is_named(tmp_path: Path) -> None:
    keys, _ = open_keys(tmp_path, Settings())
    keys.make([7])
    keys.settle()
    database = open_database(tmp_path / ".parcours" / "keys.db")
    database.execute("UPDATE identifier_keys SET wrapped = zeroblob(60) WHERE pseudonym = 7")
    with pytest.raises(ParcoursError, match="key_damaged") as caught:
        keys.find([7])
    assert "7" in str(caught.value)


@pytest.mark.parametrize("gone", ["name = 'pseudonyms'", "true"])
def test_a_removed_company_key_is_not_replaced_in_silence(tmp_path: Path, gone: str) -> None:
    open_keys(tmp_path, Settings())
    open_database(tmp_path / ".parcours" / "keys.db").execute(f"DELETE FROM company_keys WHERE {gone}")
    assert code_of(tmp_path) == "row_damaged"


@pytest.mark.parametrize("value", ["5", "'text'", "NULL", "x''", "x'00'"])
def test_a_key_that_is_no_key_is_named(tmp_path: Path, value: str) -> None:
    keys, _ = open_keys(tmp_path, Settings())
    keys.make([7])
    keys.settle()
    database = open_database(tmp_path / ".parcours" / "keys.db")
    database.execute(f"PRAGMA ignore_check_constraints=1; UPDATE OR REPLACE identifier_keys SET wrapped = {value}"
                     if value != "NULL" else "UPDATE identifier_keys SET wrapped = zeroblob(0)")  # fmt: skip
    with pytest.raises(ParcoursError, match="key_damaged"):
        keys.find([7])


def test_the_keys_of_an_older_version_are_taken_over(tmp_path: Path) -> None:
    keys, _ = open_keys(tmp_path, Settings())
    keys.make([7, 8])
    keys.settle()
    database = open_database(tmp_path / ".parcours" / "keys.db")
    database.execute("DROP TABLE tallies")
    again, _ = open_keys(tmp_path, Settings())
    assert len(again.find([7, 8])) == 2
    again.destroy([8])
    Tally(database, "identifier_keys", TAG.format("wrapped")).compare(
        [bytes(row[0])[-16:] for row in database.execute("SELECT wrapped FROM identifier_keys")]  # type: ignore[arg-type]
    )


def test_altered_seals_are_refused(tmp_path: Path) -> None:
    keys, _ = open_keys(tmp_path, Settings())
    sealed = bytearray(keys.seal(b"row"))
    sealed[-1] ^= 1
    with pytest.raises(ParcoursError, match="seal_damaged"):
        keys.unseal(bytes(sealed))
