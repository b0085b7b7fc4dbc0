"""The write-ahead log: an exact prefix after a power failure, a sentence after damage, peace while others write."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from parcours.engine.store.log import count_lost_changes, is_open_elsewhere
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError

CHANGES = 12
FRAME = 24 + 4096

CRASH = f"""
import os, sys
from pathlib import Path
from parcours.engine.store.sqlite import open_database
database = open_database(Path(sys.argv[1]))
database.execute("PRAGMA wal_autocheckpoint=0")
database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
for number in range({CHANGES}):
    database.execute("INSERT INTO t VALUES (?, ?)", (number, os.urandom(9000)))
os._exit(1)
"""


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose process died: everything is in the log."""
    path = tmp_path_factory.mktemp("crashed") / "state.db"
    subprocess.run([sys.executable, "-c", CRASH, str(path)], check=False)
    return path


@pytest.fixture
def path(crashed: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(crashed.parent, tmp_path / "copy")
    return tmp_path / "copy" / "state.db"


def log_of(path: Path) -> Path:
    return path.with_name("state.db-wal")


def numbers(path: Path) -> list[object]:
    return [row[0] for row in open_database(path).execute("SELECT a FROM t ORDER BY a")]


def test_an_unharmed_log_is_read_whole(path: Path) -> None:
    assert count_lost_changes(path) == 0
    assert numbers(path) == list(range(CHANGES))
    assert count_lost_changes(path.with_name("other.db")) == 0


@pytest.mark.parametrize("cut", [0, 5, 31, 32, 40, 32 + FRAME, 32 + 9 * FRAME + 7, -1, -FRAME])
def test_a_log_that_was_cut_short_gives_an_exact_prefix(path: Path, cut: int) -> None:
    content = log_of(path).read_bytes()
    log_of(path).write_bytes(content[:cut] if cut else b"")
    assert count_lost_changes(path) == 0
    try:
        found = numbers(path)
    except ParcoursError:  # The table itself was not made yet.
        return
    assert found == list(range(len(found)))


@pytest.mark.parametrize("harm", ["flip", "zero", "swap", "double"])
@pytest.mark.parametrize("place", [0.0, 0.01, 0.3, 0.7])
def test_a_change_in_the_middle_is_told_with_what_is_lost(path: Path, harm: str, place: float) -> None:
    content = bytearray(log_of(path).read_bytes())
    frame = 32 + int(place * (len(content) // FRAME)) * FRAME
    if harm == "flip":
        content[int(place * len(content)) + 3] ^= 16
    elif harm == "zero":
        content[frame : frame + 600] = bytes(600)
    elif harm == "swap":
        one, other = content[frame : frame + FRAME], content[frame + FRAME : frame + 2 * FRAME]
        content[frame : frame + 2 * FRAME] = other + one
    else:
        content[frame + FRAME : frame + 2 * FRAME] = content[frame : frame + FRAME]
    log_of(path).write_bytes(content)
    with pytest.raises(ParcoursError) as caught:
        open_database(path)
    assert caught.value.code == "database_damaged"
    assert "state.db-wal" in str(caught.value)


def test_the_change_that_was_being_written_is_no_loss(path: Path) -> None:
    content = bytearray(log_of(path).read_bytes())
    content[-FRAME - 100] ^= 1
    log_of(path).write_bytes(content)
    assert numbers(path) == list(range(CHANGES - 1))


HOLD = """
import sys
from pathlib import Path
from parcours.engine.store.sqlite import open_database
database = open_database(Path(sys.argv[1]))
database.execute("SELECT 1 FROM t")
print("open", flush=True)
sys.stdin.read()
"""


def test_a_database_that_others_have_open_is_left_to_them(path: Path) -> None:
    assert not is_open_elsewhere(path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    assert is_open_elsewhere(path)
    holder.communicate()
    assert not is_open_elsewhere(path)


WRITE = """
import os, sys
from pathlib import Path
from parcours.engine.store.sqlite import open_database
folder = Path(sys.argv[1])
database = open_database(folder / "state.db")
database.execute("PRAGMA wal_autocheckpoint=20")
database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
print("open", flush=True)
while not (folder / "stop").exists():
    database.execute("INSERT INTO t (b) VALUES (?)", (os.urandom(9000),))
"""


def test_a_log_that_is_being_written_is_never_taken_for_damaged(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    assert [count_lost_changes(tmp_path / "state.db") for _ in range(40)] == [0] * 40
    (tmp_path / "stop").touch()
    writer.communicate()
