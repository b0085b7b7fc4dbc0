"""Ten million events in parts: what the gate adds to a scan, by stamp alone and with the consent of this moment."""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from derive import START_MS, TOUCHPOINTS, make_blueprint

from parcours.collect.door import part_schema
from parcours.engine.store.parts import Part, write_part
from parcours.know.gate.admission import Standing, is_stamped
from parcours.know.pseudonyms import BUCKETS, Numbers
from parcours.know.reading import Permission

BATCH, BIT = 1_000_000, 1
AGREED = 0.7


def make_parts(folder: Path, events: int, subjects: Numbers, draw: np.random.Generator) -> tuple[Part, ...]:
    """Write events of ``subjects`` into parts, three in ten of them stamped for another purpose alone."""
    blueprint = make_blueprint()
    schema = part_schema(dict(blueprint.field_kinds()), blueprint.objects)
    names = pa.array([f"Event {number}" for number in range(TOUCHPOINTS)])
    parts: list[Part] = []
    for start in range(0, events, BATCH):
        size = min(BATCH, events - start)
        subject = subjects[draw.integers(0, len(subjects), size)]
        columns = {
            "event_no": pa.array(np.arange(start, start + size)),
            "source": pa.array(["log"] * size),
            "row_key": pa.array(np.arange(start, start + size)),
            "name": names.take(pa.array(draw.integers(0, TOUCHPOINTS, size))),
            "occurred_ms": pa.array(START_MS + 6_000 * np.arange(start, start + size)),
            "received_ms": pa.array(np.full(size, START_MS)),
            "subject": pa.array(subject),
            "permitted": pa.array(np.where(draw.random(size) < AGREED, 3, 1)),
            "bucket": pa.array((subject & (BUCKETS - 1)).astype(np.int8)),
        }
        table = pa.table([columns.get(f.name, pa.nulls(size, f.type)) for f in schema], schema=schema)
        parts += write_part(folder, table, "log")
    return tuple(parts)


def _integers(rows: pa.Table, name: str) -> Numbers:
    return np.asarray(rows.column(name).combine_chunks().fill_null(-1))


Admit = Callable[[pa.Table, Part], "np.ndarray[tuple[int], np.dtype[np.bool_]] | None"]


def scan(folder: Path, parts: tuple[Part, ...], columns: list[str], admit: Admit) -> Numbers:
    """Count events by name and sum up their times, of the rows that ``admit`` lets through."""
    totals = np.zeros((TOUCHPOINTS, 2), np.int64)
    for part in parts:
        file = pq.ParquetFile(folder / ".parcours" / part.path, read_dictionary=["name"])
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns, use_threads=False)
            coded = rows.column("name").combine_chunks()
            coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
            numbers = np.array([int(name.split()[1]) for name in coded.dictionary.to_pylist()], np.int64)
            name, at_ms = numbers[np.asarray(coded.indices)], np.asarray(rows.column("occurred_ms"))
            keep = admit(rows, part)
            if keep is not None:
                rows_kept = np.flatnonzero(keep)
                name, at_ms = name.take(rows_kept), at_ms.take(rows_kept)
            totals[:, 0] += np.bincount(name, minlength=TOUCHPOINTS)
            totals[:, 1] += np.bincount(name, (at_ms - START_MS) // 1000, TOUCHPOINTS).astype(np.int64)
    return totals


def main() -> None:
    """Print what each scan took, and its ratio to the one without a gate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    draw = np.random.default_rng(7)
    print(f"{platform.machine()}, {platform.python_version()}, {asked.events:,} events, {asked.people:,} people")
    subjects = np.unique(draw.integers(1, 2**61, asked.people))
    permission = Permission(
        bit=BIT,
        pseudonyms=subjects,
        person=np.arange(len(subjects), dtype=np.int32),
        allowed=draw.random(len(subjects)) < AGREED,
        since_ms=0,
        restricted=np.zeros(len(subjects), bool),
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        parts = make_parts(folder, asked.events, subjects, draw)
        cpu = time.process_time()
        standing = Standing(permission.pseudonyms, permission.person, permission.allowed)
        print(f"look-up of all identifiers built once a reading: {(time.process_time() - cpu) * 1000:.0f} CPU ms")
        base = ["name", "occurred_ms", "subject"]
        ways: dict[str, tuple[list[str], Admit]] = {
            "no gate": (base, lambda _rows, _part: None),
            "stamp": ([*base, "permitted"], lambda rows, _part: is_stamped(_integers(rows, "permitted"), BIT)),
            "stamp and consent of this moment": (
                [*base, "permitted"],
                lambda rows, part: standing.admit(
                    part.bucket, _integers(rows, "subject"), _integers(rows, "permitted"), BIT
                ),
            ),
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        seen: dict[str, int] = {}
        for _ in range(asked.rounds):
            for way, (columns, admit) in ways.items():
                cpu = time.process_time()
                seen[way] = int(scan(folder, parts, columns, admit)[:, 0].sum())
                times[way].append(time.process_time() - cpu)
        floor = statistics.median(times["no gate"])
        for way, taken in times.items():
            middle = statistics.median(taken)
            print(f"{way}: {middle * 1000:.0f} CPU ms, {middle / floor:.2f} x, {seen[way]:,} events seen")


if __name__ == "__main__":
    main()
