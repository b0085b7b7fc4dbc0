"""Many small parts into few large ones, with the same rows: few files to open, and each row written a few times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from parcours.collect.compaction.seen import Seen
from parcours.collect.rows import Ints
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import ROW_GROUP_ROWS, Part, part_damaged, remove_parts, verified, write_pieces
from parcours.engine.store.retiring import remove_retired
from parcours.errors import ParcoursError

FAN_OUT = 8
"""So many parts of one level become one of the next."""

LEVEL_ROWS = 4096
"""A part of more than ``LEVEL_ROWS * FAN_OUT ** n`` rows is of level n at least, however it came to be."""

MOST_ROWS = 2_000_000
"""A part of so many rows is not merged any further, so that no merge takes long."""


_BATCH_ROWS = 65_536


class Upkeep(msgspec.Struct, frozen=True):
    """What was made compact: merges of parts and of seen ids, the rows written, and what could not be merged."""

    merges: int = 0
    rows: int = 0
    faults: tuple[ParcoursError, ...] = ()


def keep_compact(
    folder: Path,
    manifest: Manifest,
    resting_before: int | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Upkeep:
    """Merge what has become many, one merge a transaction, and delete what nobody reads any more.

    Whoever calls holds the company lock. Of one source and bucket at most 7 parts stay of each level, and levels are
    as many as the logarithm to base 8 of the parts that were ever written, beside the full parts of `MOST_ROWS` rows;
    a row is written once a level at most.

    Args:
        folder: The company folder.
        manifest: The manifest, open.
        resting_before: The day (UTC, since 1970) before which seen ids hardly change any more.
        stopping: Asked before each merge.
    """
    merges = rows = 0
    faults: dict[str, ParcoursError] = {}
    while not stopping():
        plans, found = plan_merges(folder, manifest.parts())
        faults |= {str(fault): fault for fault in found}
        if not plans:
            break
        rows += merge_parts(folder, manifest, plans[0])
        merges += 1
    try:
        merged, written = _merge_seen(folder, manifest, resting_before, stopping)
    except ParcoursError as fault:
        if fault.code != "seen_damaged":
            raise
        merged, written = 0, 0
        faults[str(fault)] = fault
    remove_retired(folder, manifest)
    return Upkeep(merges + merged, rows + written, tuple(faults.values()))


def plan_merges(folder: Path, parts: Iterable[Part]) -> tuple[list[tuple[Part, ...]], tuple[ParcoursError, ...]]:
    """Return the groups of parts to be merged, each of one source, bucket and level, and what stands in the way.

    The smallest group comes first. A damaged part stays as it is, for a backup to replace it, and does not hold the
    others up. Parts with a column of another type, as after a field became another kind, stay apart.
    """
    groups: dict[tuple[str, int, int], list[Part]] = {}
    for part in sorted(parts, key=lambda part: (part.first_event_no, part.path)):
        if part.rows < MOST_ROWS:
            groups.setdefault((part.source, part.bucket, level_of(part)), []).append(part)
    plans: list[tuple[Part, ...]] = []
    faults: list[ParcoursError] = []
    for group in groups.values():
        if len(group) >= FAN_OUT:
            alike = _part_by_types(folder, group, faults)
            plans += [tuple(one[:FAN_OUT]) for one in alike if len(one) >= FAN_OUT]
    return sorted(plans, key=lambda plan: sum(part.rows for part in plan)), tuple(faults)


def level_of(part: Part) -> int:
    """Return the level of a part: how often its rows were merged, or more when it is large."""
    level = part.level
    while part.rows > LEVEL_ROWS * FAN_OUT ** (level + 1):
        level += 1
    return level


def merge_parts(folder: Path, manifest: Manifest, parts: Sequence[Part]) -> int:
    """Put one part with all rows of ``parts`` in their place, in one transaction; return its rows.

    Raises:
        ParcoursError: ``part_damaged`` or ``disk_full``; everything is then as it was before.
    """
    # A column that was declared later is null in the parts before.
    schema = pa.unify_schemas([_schema_of(path) for path in verified(folder, parts)])
    level = 1 + max(map(level_of, parts))
    pieces = _pieces(folder, parts, schema)
    merged = write_pieces(folder, schema, pieces, parts[0].source, parts[0].bucket, level)
    try:
        if not _holds_the_same(folder, merged, parts, schema):
            raise part_damaged(folder / ".parcours" / merged.path)
        manifest.commit(add=[merged], remove=[part.path for part in parts], same_rows=True)
    except BaseException:
        remove_parts(folder, [merged.path])
        raise
    return merged.rows


def _part_by_types(folder: Path, parts: Sequence[Part], faults: list[ParcoursError]) -> list[list[Part]]:
    """Return the unharmed ones of ``parts`` in groups whose columns have the same types."""
    types: dict[Part, dict[str, str]] = {}
    for part in parts:
        try:
            (path,) = verified(folder, [part])
            types[part] = {field.name: str(field.type) for field in _schema_of(path)}
        except ParcoursError as fault:
            faults.append(fault)
    said: dict[str, set[str]] = {}
    for held in types.values():
        for name, kind in held.items():
            said.setdefault(name, set()).add(kind)
    contested = [name for name, kinds in said.items() if len(kinds) > 1]
    alike: dict[tuple[str | None, ...], list[Part]] = {}
    for part, held in types.items():
        alike.setdefault(tuple(held.get(name) for name in contested), []).append(part)
    return list(alike.values())


@lru_cache(maxsize=4096)
def _schema_of(path: Path) -> pa.Schema:
    return pq.read_schema(path).remove_metadata()


def _pieces(folder: Path, parts: Sequence[Part], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of ``parts`` by event number, `ROW_GROUP_ROWS` at a time; little more is in memory at once."""
    waiting: list[pa.Table] = []
    count = 0
    for rows in _in_order([_batches(path, schema) for path in verified(folder, parts)]):
        waiting.append(rows)
        count += rows.num_rows
        while count >= ROW_GROUP_ROWS:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, ROW_GROUP_ROWS).combine_chunks()
            waiting = [whole.slice(ROW_GROUP_ROWS)]
            count -= ROW_GROUP_ROWS
    if count:
        yield pa.concat_tables(waiting).combine_chunks()


def _batches(path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    for batch in pq.ParquetFile(path).iter_batches(_BATCH_ROWS, use_threads=False):
        columns = [
            batch.column(field.name) if field.name in batch.schema.names else pa.nulls(batch.num_rows, field.type)
            for field in schema
        ]
        yield pa.table(columns, schema=schema)


def _in_order(streams: Sequence[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """Yield the rows of several streams, each by rising event number, as one such stream."""
    heads = [(stream, rows) for stream in streams if (rows := next(stream, None)) is not None]
    while heads:
        # Nothing that is still to come lies below the least of the last numbers in sight.
        limit = min(int(_numbers(rows)[-1]) for _, rows in heads)
        ready, left = [], []
        for stream, rows in heads:
            end = int(np.searchsorted(_numbers(rows), limit, "right"))
            ready.append(rows.slice(0, end))
            rest = rows.slice(end) if end < rows.num_rows else next(stream, None)
            if rest is not None:
                left.append((stream, rest))
        heads = left
        together = pa.concat_tables(ready)
        numbers = _numbers(together)
        yield together if (numbers[1:] > numbers[:-1]).all() else together.take(pa.array(np.argsort(numbers)))


def _numbers(rows: pa.Table) -> Ints:
    return np.asarray(rows.column("event_no"))


def _holds_the_same(folder: Path, merged: Part, parts: Sequence[Part], schema: pa.Schema) -> bool:
    """Return whether ``merged``, read back from its file, holds exactly the rows of ``parts``."""
    pairs = zip_longest(_pieces(folder, [merged], schema), _pieces(folder, parts, schema))
    return all(one is not None and other is not None and _bits(one).equals(_bits(other)) for one, other in pairs)


def _bits(rows: pa.Table) -> pa.Table:
    """Return ``rows`` with doubles as the integers of their bits, for one NaN is not equal to another."""
    columns = []
    for column in rows.columns:
        if pa.types.is_floating(column.type):
            columns.append(pa.chunked_array([chunk.view(pa.int64()) for chunk in column.chunks], pa.int64()))
        else:
            columns.append(column)
    return pa.table(columns, rows.column_names)


def _merge_seen(
    folder: Path, manifest: Manifest, resting_before: int | None, stopping: Callable[[], bool]
) -> tuple[int, int]:
    seen = Seen(folder, manifest.seen_runs())
    merges = rows = 0
    while not stopping() and (plans := seen.plan_merges(resting_before)):
        add, remove = seen.merge(plans[0])
        try:
            manifest.commit(add_seen=add, remove_seen=remove, same_rows=True)
        except BaseException:
            remove_parts(folder, [run.path for run in add])
            raise
        seen = seen.extended(add, remove)
        merges += 1
        rows += sum(run.rows for run in add)
    return merges, rows
