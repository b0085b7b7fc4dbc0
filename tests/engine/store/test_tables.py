"""Tests of derived tables: fresh by fingerprint, replaced whole or not at all, nothing left behind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from parcours.engine.store.tables import Tables
from parcours.errors import ParcoursError


def leftovers(tables: Tables) -> list[str]:
    return sorted(path.name for path in tables.folder.iterdir() if path.name.startswith("."))


def test_a_table_is_fresh_for_its_own_fingerprint_alone(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    assert not tables.fresh("improve", "a")
    with tables.replace("improve", "a") as draft:
        (draft / "touches.parquet").write_bytes(b"1")
    assert tables.fresh("improve", "a")
    assert not tables.fresh("improve", "b")
    with tables.replace("improve", "b") as draft:
        (draft / "touches.parquet").write_bytes(b"2")
    assert tables.fresh("improve", "b")
    assert (tables.place("improve") / "touches.parquet").read_bytes() == b"2"
    assert leftovers(tables) == []


def write_half(tables: Tables, fault: BaseException) -> None:
    with tables.replace("causes", "b") as draft:
        (draft / "result.json").write_bytes(b"half")
        raise fault


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(errno.ENOSPC, "no room")])
def test_an_interrupted_replacement_leaves_what_was_there(tmp_path: Path, fault: BaseException) -> None:
    tables = Tables(tmp_path)
    tables.write_result("causes", "a", b"{}")
    with pytest.raises((KeyboardInterrupt, ParcoursError)):
        write_half(tables, fault)
    assert tables.read_result("causes", "a") == b"{}"
    assert tables.read_result("causes", "b") is None
    assert leftovers(tables) == []


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    with pytest.raises(ParcoursError) as caught, tables.replace("causes", "a"):
        raise OSError(errno.ENOSPC, "no room")
    assert caught.value.code == "disk_full"


def test_a_dropped_result_is_gone(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.write_result("causes", "a", b"{}")
    tables.drop("causes")
    tables.drop("causes")
    assert tables.read_result("causes", "a") is None


@pytest.mark.parametrize("name", ["../parts", "", ".hidden", "a/b"])
def test_a_name_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a table name"):
        Tables(tmp_path).place(name)
