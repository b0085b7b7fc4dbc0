"""Parts: immutable Parquet files of events, one bucket each, written durably and checked before they are read."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.engine.store.digests import describe, is_intact
from parcours.engine.store.restoring import tell_restoring
from parcours.engine.store.tables import sync, writes_told
from parcours.errors import ParcoursError
from parcours.words import Words

PARTS = "parts"
ROW_GROUP_ROWS = 262_144


class Part(msgspec.Struct, frozen=True):
    """One part file: ``path`` relative to ``.parcours``, what stands in it, and how often that was merged."""

    path: str
    rows: int
    bytes: int
    sha256: str
    first_event_no: int
    last_event_no: int
    source: str
    bucket: int
    min_ms: int
    max_ms: int
    level: int = 0


def write_part(folder: Path, table: pa.Table, source: str) -> list[Part]:
    """Write rows as one part a bucket, sorted by event number, on disk before this returns.

    Args:
        folder: The company folder.
        table: Rows with at least ``event_no``, ``occurred_ms`` and ``bucket``.
        source: The source that they come from.

    Raises:
        ParcoursError: ``disk_full``; what was written by this call is then removed again.
    """
    place = folder / ".parcours" / PARTS
    written: list[Part] = []
    buckets = np.asarray(table.column("bucket"))
    order = np.lexsort((np.asarray(table.column("event_no")), buckets))
    bounds = np.flatnonzero(np.diff(buckets[order])) + 1
    try:
        with writes_told(place):
            place.mkdir(parents=True, exist_ok=True)
            for rows in np.split(order, bounds) if len(order) else ():
                piece = table.take(pa.array(rows))
                written.append(_write_one(place, piece.schema, [piece], source, int(buckets[rows[0]]), 0))
            sync(place)
    except BaseException:
        remove_parts(folder, [part.path for part in written])
        raise
    return written


def write_pieces(
    folder: Path, schema: pa.Schema, pieces: Iterable[pa.Table], source: str, bucket: int, level: int
) -> Part:
    """Write ``pieces``, at least one row by rising event number, as one part, on disk before this returns.

    Raises:
        ParcoursError: ``disk_full``; the file is then removed again.
    """
    place = folder / ".parcours" / PARTS
    with writes_told(place):
        part = _write_one(place, schema, pieces, source, bucket, level)
        sync(place)
    return part


def _write_one(
    place: Path, schema: pa.Schema, pieces: Iterable[pa.Table], source: str, bucket: int, level: int
) -> Part:
    name = f"{source}-{bucket:02d}-{secrets.token_hex(8)}.parquet"
    path = place / name
    draft = path.with_suffix(".draft")
    rows = 0
    numbers, times = [], []
    try:
        with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for piece in pieces:
                writer.write_table(piece, row_group_size=ROW_GROUP_ROWS)
                rows += piece.num_rows
                numbers += pc.min_max(piece.column("event_no")).as_py().values()
                times += pc.min_max(piece.column("occurred_ms")).as_py().values()
        sync(draft)
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    size, sha256 = describe(path)
    return Part(
        path=f"{PARTS}/{name}",
        rows=rows,
        bytes=size,
        sha256=sha256,
        first_event_no=min(numbers),
        last_event_no=max(numbers),
        source=source,
        bucket=bucket,
        min_ms=min(times),
        max_ms=max(times),
        level=level,
    )


def read_part(folder: Path, part: Part, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of one part, checked. Raises `ParcoursError` ``part_damaged``."""
    (path,) = verified(folder, [part])
    return pq.ParquetFile(path).read(columns=None if columns is None else list(columns))


def verified(folder: Path, parts: Iterable[Part]) -> tuple[Path, ...]:
    """Return the files of ``parts`` after comparing each with its checksum, once a process while it is untouched.

    Raises:
        ParcoursError: ``part_damaged``, naming the first file that is missing or not what was written.
    """
    paths = []
    for part in parts:
        path = folder / ".parcours" / part.path
        if not is_intact(path, part.bytes, part.sha256):
            raise part_damaged(path)
        paths.append(path)
    return tuple(paths)


def remove_parts(folder: Path, paths: Iterable[str]) -> None:
    """Delete part files; those that are gone already do not matter."""
    for path in paths:
        (folder / ".parcours" / path).unlink(missing_ok=True)


def part_damaged(path: Path) -> ParcoursError:
    """Return the error that names an event file."""
    return ParcoursError(
        "part_damaged",
        Words(
            fr=f"Le fichier d'événements {path.name} manque ou est endommagé.",
            en=f"The event file {path.name} is missing or damaged.",
        ),
        tell_restoring(path.name),
        path,
    )
