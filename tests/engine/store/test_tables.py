"""Tests of derived tables: fresh by fingerprint, replaced whole or not at all, nothing left behind."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from parcours.engine.store.tables import Tables
from parcours.errors import ParcoursError


def leftovers(tables: Tables) -> list[str]:
    """Return what lies about beside the pointer and the version in force of every table."""
    found = []
    for home in tables.folder.iterdir():
        found += [path.name for path in home.iterdir() if path.name != "current" and path != tables.place(home.name)]
    return found


def write(tables: Tables, fingerprint: str, content: bytes, name: str = "improve") -> Path:
    with tables.replace(name, fingerprint) as draft:
        (draft / "touches.parquet").write_bytes(content)
    return tables.place(name)


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


def test_a_reader_keeps_its_version_while_others_come_and_go(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    first = write(tables, "a", b"1")
    held = Tables(tmp_path).hold("improve", "a")
    assert held is not None
    second, third = write(tables, "b", b"2"), write(tables, "c", b"3")
    assert [path.exists() for path in (first, second, third)] == [True, False, True]
    assert (held.path / "touches.parquet").read_bytes() == b"1"
    assert Tables(tmp_path).hold("improve", "a") is None
    held.release()
    held.release()
    tables.sweep("improve")
    assert [path.exists() for path in (first, third)] == [False, True]


def test_a_version_is_let_go_with_whatever_held_it(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    first = write(tables, "a", b"1")
    held = tables.hold("improve", "a")
    del held
    write(tables, "b", b"2")
    assert not first.exists()


HOLD = """
import sys
from pathlib import Path
from parcours.engine.store.tables import Tables
held = Tables(Path(sys.argv[1])).hold("improve", "a")
print(held.path, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("killed", [True, False])
def test_a_version_stays_until_its_reader_in_another_process_ends(tmp_path: Path, killed: bool) -> None:
    tables = Tables(tmp_path)
    first = write(tables, "a", b"1")
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    assert reader.stdout.readline().strip() == str(first)
    write(tables, "b", b"2")
    assert first.exists()
    if killed:
        reader.kill()
    reader.communicate()
    tables.sweep("improve")
    assert not first.exists()


READ = """
import sys
from pathlib import Path
from parcours.engine.store.tables import Tables
folder = Path(sys.argv[1])
tables = Tables(folder)
print("reading", flush=True)
rounds = 0
while not (folder / "stop").exists():
    for fingerprint in "ab":
        held = tables.hold("improve", fingerprint)
        if held:
            said = {path.read_text() for path in held.path.iterdir() if path.name != "current"}
            assert said == {fingerprint}, said
            rounds += 1
print("fine" if rounds else "none")
"""


def test_readers_in_another_process_never_see_half_of_two_versions(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    command = [sys.executable, "-c", READ, str(tmp_path)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    reader.stdout.readline()
    for place in range(60):
        with tables.replace("improve", "ab"[place % 2]) as draft:
            for number in range(4):
                (draft / str(number)).write_text("ab"[place % 2])
    (tmp_path / "stop").touch()
    assert reader.communicate()[0].strip() == "fine"
    tables.sweep("improve")
    assert leftovers(tables) == []


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone", "pointer flipped", "pointer cut", "pointer empty"])
def test_a_damaged_table_counts_as_none_and_is_made_anew(tmp_path: Path, harm: str) -> None:
    tables = Tables(tmp_path)
    place = write(tables, "a", b"some content")
    path = tables.folder / "improve" / "current" if harm.startswith("pointer") else place / "touches.parquet"
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        half = len(content) // 2
        flipped = content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
        path.write_bytes({"flipped": flipped, "cut": content[:half], "empty": b""}[harm.rsplit(maxsplit=1)[-1]])
    tables = Tables(tmp_path)
    assert not tables.fresh("improve", "a")
    assert not tables.is_intact("improve")
    assert tables.hold("improve", "a") is None
    write(tables, "a", b"some content")
    assert tables.fresh("improve", "a")
    assert tables.is_intact("improve")
    assert leftovers(tables) == []


def test_the_layout_of_an_older_version_is_swept_away(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    (tables.folder / "improve").mkdir(parents=True)
    (tables.folder / "improve" / "fingerprint").write_text("a")
    (tables.folder / "improve" / "touches.parquet").write_text("old")
    assert not tables.fresh("improve", "a")
    assert not tables.place("improve").exists()
    write(tables, "a", b"1")
    assert leftovers(tables) == []
    assert tables.names() == ["improve"]
