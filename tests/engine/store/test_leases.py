"""Leases: nothing is deleted under a reader, and a reader that died holds nothing back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from parcours.engine.store.leases import leased, oldest_lease, take_lease
from parcours.engine.store.manifest import KnownRows, Manifest, SeenRun
from parcours.engine.store.parts import write_part
from parcours.engine.store.retiring import remove_retired


def leases(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / ".parcours" / "leases").iterdir())


def start(code: str, folder: Path) -> subprocess.Popen[str]:
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    return reader


HOLD = """
import sys
from pathlib import Path
from parcours.engine.store.leases import take_lease
lease = take_lease(Path(sys.argv[1]), lambda: 7)
print("reading", flush=True)
sys.stdin.read()
"""


def test_the_oldest_living_reader_counts(tmp_path) -> None:
    assert oldest_lease(tmp_path) is None
    with leased(tmp_path, lambda: 4) as generation:
        assert generation == 4
        later = take_lease(tmp_path, lambda: 9)
        assert oldest_lease(tmp_path) == 4
    assert oldest_lease(tmp_path) == 9
    later.release()
    later.release()
    assert oldest_lease(tmp_path) is None
    assert leases(tmp_path) == []


def test_a_lease_goes_with_whatever_held_it(tmp_path) -> None:
    lease = take_lease(tmp_path, lambda: 4)
    assert lease.generation == 4
    del lease
    assert leases(tmp_path) == []


@pytest.mark.parametrize("end", [signal.SIGKILL, None])
def test_a_reader_that_ends_lets_go(tmp_path, end) -> None:
    reader = start(HOLD, tmp_path)
    assert oldest_lease(tmp_path) == 7
    if end:
        reader.send_signal(end)
    reader.communicate()
    assert (oldest_lease(tmp_path), leases(tmp_path)) == (None, [])


def test_a_forked_process_does_not_let_go_of_its_parents_lease(tmp_path) -> None:
    lease = take_lease(tmp_path, lambda: 3)
    child = os.fork()
    if not child:
        lease.release()
        os._exit(0)
    os.waitpid(child, 0)
    assert oldest_lease(tmp_path) == 3
    lease.release()


def test_a_lease_that_cannot_be_read_holds_everything(tmp_path) -> None:
    lease = take_lease(tmp_path, lambda: 8)
    (name,) = leases(tmp_path)
    (tmp_path / ".parcours" / "leases" / name).write_bytes(b"\xff garbled")
    assert oldest_lease(tmp_path) == 0
    lease.release()


def test_a_generation_that_cannot_be_read_leaves_no_lease(tmp_path) -> None:
    def fail() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_lease(tmp_path, fail)
    assert leases(tmp_path) == []


def events(first: int, count: int = 6) -> pa.Table:
    numbers = range(first, first + count)
    return pa.table(
        {
            "event_no": pa.array(numbers, pa.int64()),
            "occurred_ms": pa.array(numbers, pa.int64()),
            "bucket": pa.array([0] * count, pa.int8()),
        }
    )


def test_replaced_files_stay_as_long_as_somebody_may_read_them(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    old = write_part(tmp_path, events(1), "orders")
    manifest.commit(add=old)
    path = tmp_path / ".parcours" / old[0].path
    with manifest.lease():
        new = write_part(tmp_path, events(1), "orders")
        manifest.commit(add=new, remove=[old[0].path])
        assert [file.path for file in manifest.retired()] == [old[0].path]
        with manifest.lease():  # Younger than the change: this reader no longer sees the old part.
            assert remove_retired(tmp_path, manifest) == 1
        assert path.exists()
    assert remove_retired(tmp_path, manifest) == 0
    assert (path.exists(), manifest.retired()) == (False, ())
    assert (tmp_path / ".parcours" / new[0].path).exists()


def test_registers_and_seen_ids_are_retired_like_parts(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    manifest.commit(
        known_rows=KnownRows("orders", "known/a", "", 1), add_seen=[SeenRun("seen/a", 0, 0, 0, 0, 0, "", 0, 0)]
    )
    manifest.commit(known_rows=KnownRows("orders", "known/b", "", 1), remove_seen=["seen/a"])
    assert [file.path for file in manifest.retired()] == ["known/a", "seen/a"]
    assert (manifest.sidecars(), manifest.seen_runs()) == ({"known/b"}, ())


def test_a_crash_between_deleting_and_noting_it_does_not_matter(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    old = write_part(tmp_path, events(1), "orders")
    manifest.commit(add=old)
    manifest.commit(remove=[old[0].path])
    (tmp_path / ".parcours" / old[0].path).unlink()
    assert remove_retired(tmp_path, Manifest(tmp_path)) == 0
    assert manifest.retired() == ()


READ = """
import sys, time
from pathlib import Path
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import read_part
folder = Path(sys.argv[1])
manifest = Manifest(folder)
print("reading", flush=True)
rounds = 0
while not (folder / "stop").exists():
    with manifest.lease():
        parts = manifest.parts()
        time.sleep(0.02)
        assert sum(read_part(folder, part).num_rows for part in parts) == 6, parts
    rounds += 1
print("fine" if rounds else "none")
"""


def test_readers_in_other_processes_never_miss_a_file(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    held = write_part(tmp_path, events(1), "orders")
    manifest.commit(add=held)
    readers = [start(READ, tmp_path) for _ in range(2)]
    for _ in range(60):
        new = write_part(tmp_path, events(1), "orders")
        manifest.commit(add=new, remove=[part.path for part in held])
        held = new
        remove_retired(tmp_path, manifest)
    (tmp_path / "stop").touch()
    assert [reader.communicate()[0].strip() for reader in readers] == ["fine", "fine"]
    assert remove_retired(tmp_path, manifest) == 0
    assert len(list((tmp_path / ".parcours" / "parts").iterdir())) == 1
