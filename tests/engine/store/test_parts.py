"""Parts: split by bucket, checked when read, and no half-written file after a full disk."""

from __future__ import annotations

import os
import subprocess
import sys

import pyarrow as pa
import pytest

from parcours.engine.store.parts import read_part, remove_parts, verified, write_part
from parcours.errors import ParcoursError


def events(count: int) -> pa.Table:
    return pa.table(
        {
            "event_no": pa.array(range(count), pa.int64()),
            "occurred_ms": pa.array([1000 + no for no in range(count)], pa.int64()),
            "bucket": pa.array([no % 3 for no in range(count)], pa.int8()),
            "text": [str(no) * 50 for no in range(count)],
        }
    )


def test_rows_are_split_by_bucket_and_described(tmp_path) -> None:
    parts = write_part(tmp_path, events(10), "orders")
    assert [(part.bucket, part.rows, part.first_event_no, part.last_event_no) for part in parts] == [
        (0, 4, 0, 9),
        (1, 3, 1, 7),
        (2, 3, 2, 8),
    ]
    assert (parts[0].min_ms, parts[0].max_ms) == (1000, 1009)
    assert read_part(tmp_path, parts[1], ["event_no"]).column("event_no").to_pylist() == [1, 4, 7]


def test_no_rows_make_no_part(tmp_path) -> None:
    assert write_part(tmp_path, events(0), "orders") == []


def test_a_damaged_or_missing_part_is_named_and_never_returned(tmp_path) -> None:
    first, second, _ = write_part(tmp_path, events(10), "orders")
    path = tmp_path / ".parcours" / first.path
    assert verified(tmp_path, [first]) == (path,)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(5, 5))
    with pytest.raises(ParcoursError) as caught:
        verified(tmp_path, [first])
    assert caught.value.code == "part_damaged"
    assert path.name in str(caught.value)
    remove_parts(tmp_path, [second.path])
    with pytest.raises(ParcoursError):
        read_part(tmp_path, second)


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root to be mounted")
def test_a_full_disk_is_told_and_leaves_no_file(tmp_path) -> None:
    place = tmp_path / ".parcours"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        with pytest.raises(ParcoursError) as caught:
            write_part(tmp_path, events(20_000), "orders")
        assert caught.value.code == "disk_full"
        assert list((place / "parts").iterdir()) == []
        assert len(write_part(tmp_path, events(10), "orders")) == 3
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_the_file_size_limit_of_the_system_counts_as_a_full_disk(tmp_path) -> None:
    ran = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["disk_full", "0"]


LIMITED = """
import os, resource, signal, sys
from pathlib import Path
import pyarrow as pa
from parcours.engine.store.parts import write_part
from parcours.errors import ParcoursError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))
rows = range(9000)
texts = [os.urandom(8).hex() for _ in rows]
buckets = pa.array([0] * 10 + [1] * 8990, pa.int8())
table = pa.table({"event_no": rows, "occurred_ms": rows, "bucket": buckets, "text": texts})
try:
    write_part(Path(sys.argv[1]), table, "orders")
except ParcoursError as error:
    print(error.code, len(list(Path(sys.argv[1], ".parcours/parts").iterdir())))
"""
