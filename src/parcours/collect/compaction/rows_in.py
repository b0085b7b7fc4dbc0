"""Rows that connectors deliver, into raw events: through the same mapping as the rows of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction.cells import rows_with_nul
from parcours.collect.compaction.found import Found, Marks
from parcours.collect.compaction.members import Taken, number_items
from parcours.collect.compaction.reasons import (
    KEY_MISSING,
    NO_MAPPING,
    NOT_AN_OBJECT,
    NUL_CHARACTER,
    Reason,
    why_unreadable,
)
from parcours.collect.compaction.sameness import hash_row_events
from parcours.collect.compaction.seen import days_of
from parcours.collect.jsonl_file import read_column
from parcours.collect.mapping import Mapping
from parcours.collect.row_keys import hash_rows
from parcours.collect.rows import Flags, Ints, RawRows
from parcours.collect.source import EventName, Source

_FAULTS = (msgspec.DecodeError, UnicodeError, RecursionError)
_OWN = (
    "source",
    "row_key",
    "line",
    "original_ms",
    "sent_ms",
    "choice_notice",
    "choice_evidence",
    "choice_made_ms",
)
"""Columns that say nothing of what happened."""


class RowsIn:
    """How rows of one source become raw events.

    Args:
        source: The source.
        blueprint: What is declared.
        zone: The zone of local times for which the source names none.
        seed: The company's secret seed of hashes.
        now_ms: The present: what lies ahead has not happened.
    """

    def __init__(self, source: Source, blueprint: Blueprint, zone: str, seed: int, now_ms: int) -> None:
        timed = bool(source.events) and all(source.event_time(event) for event in source.events)
        self.source = source
        self.seed = seed
        self.is_mapped = timed and source.lookup is None
        self.mapping = Mapping(source, blueprint, zone, None, now_ms)
        self.labels = pa.array(_label_events([event.name for event in source.events]), pa.string())

    def read(self, taken: Sequence[Taken]) -> Found:
        """Return the events of deliveries of this source."""
        return _Reading(self, taken).finish()


def span_of(source: Source) -> int:
    """Return how many places in a journal batch a row takes up: one for each event that it may give."""
    return max(1, len(source.events))


class _Reading:
    """Deliveries on their way: rows that could be read, by their number among all, and the faults of the others."""

    def __init__(self, how: RowsIn, taken: Sequence[Taken]) -> None:
        self.how = how
        self.items = [item for one in taken for item in one.parts.items]
        self.of, self.within = number_items(taken)
        starts = np.array([one.place for one in taken], np.int64)
        self.place: Ints = starts[self.of] + self.within * span_of(how.source)
        self.faults: dict[int, Reason] = {}

    def finish(self) -> Found:
        how = self.how
        if not how.is_mapped:
            self.faults = dict.fromkeys(range(len(self.items)), NO_MAPPING)
        rows, numbers = self._open() if how.is_mapped else ([], np.empty(0, np.int64))
        columns = {name: read_column(rows, name) for name in how.source.columns()}
        good = self._check(columns, numbers)
        numbers = numbers[good]
        columns = {name: column.filter(pa.array(good)) for name, column in columns.items()}
        raw = RawRows(self.place[numbers], columns, [], lambda row: bytes(self.items[numbers[row]]))
        return self._map(raw, numbers)

    def _open(self) -> tuple[list[dict[str, Any]], Ints]:
        rows: list[dict[str, Any]] = []
        numbers = []
        for number, item in enumerate(self.items):
            try:
                row = msgspec.json.decode(item)
            except _FAULTS as fault:
                self.faults[number] = why_unreadable(fault, bytes(item))
                continue
            if type(row) is dict:
                rows.append(row)
                numbers.append(number)
            else:
                self.faults[number] = NOT_AN_OBJECT
        return rows, np.array(numbers, np.int64)

    def _check(self, columns: dict[str, pa.Array], numbers: Ints) -> Flags:
        """Return which rows have a key and hold no NUL."""
        good = np.ones(len(numbers), bool)
        for column in columns.values():
            good[list(rows_with_nul(column))] = False
        self.faults |= dict.fromkeys(numbers[~good].tolist(), NUL_CHARACTER)
        if self.how.source.key:
            filled = np.zeros(len(numbers), bool)
            for name in self.how.source.key:
                filled |= np.asarray(pc.fill_null(pc.not_equal(columns[name], ""), False))
            self.faults |= dict.fromkeys(numbers[good & ~filled].tolist(), KEY_MISSING)
            good &= filled
        return good

    def _map(self, raw: RawRows, numbers: Ints) -> Found:
        how = self.how
        if not raw.count:
            empty = np.empty(0, np.int64)
            return self._found(how.mapping.schema.empty_table(), empty, empty, empty, empty, Counter())
        keyed = how.source.key or tuple(raw.columns)
        keys = hash_rows([raw.columns[name] for name in keyed], how.seed)
        mapped = how.mapping.map_rows(raw, keys)
        for row, (code, words) in mapped.faults.items():
            self.faults[int(numbers[row])] = Reason(code, f"rows.{code}", words)
        id_hash = hash_row_events(keys[mapped.rows], how.labels.take(pa.array(mapped.which)), how.seed)
        told = [name for name in mapped.events.column_names if name not in _OWN]
        content_hash = hash_rows([_as_texts(mapped.events.column(name)) for name in told], how.seed)
        silent = raw.count - len(np.unique(mapped.rows)) - len(mapped.faults)
        counts = Counter({"still_ahead": mapped.ahead.events, "no_event": silent})
        place = raw.lines[mapped.rows] + mapped.which
        return self._found(mapped.events, numbers[mapped.rows], place, id_hash, content_hash, counts)

    def _found(
        self, events: pa.Table, rows: Ints, place: Ints, id_hash: Ints, content_hash: Ints, counts: Counter[str]
    ) -> Found:
        events = events.set_column(1, "row_key", pa.array(id_hash)).set_column(2, "line", pa.array(place))
        day = days_of(np.asarray(events.column("occurred_ms")))
        faults = {(int(self.of[row]), int(self.within[row])): reason for row, reason in self.faults.items()}
        marks = Marks(self.of[rows], self.within[rows], place, day, id_hash, content_hash)
        return Found(events.cast(self.how.mapping.schema), marks, faults, +counts)


def _label_events(names: Sequence[EventName]) -> list[str]:
    """Return what tells the events of one row apart, whatever their order in the description."""
    labels: list[str] = []
    for name in names:
        label = msgspec.json.encode(name).decode()
        labels.append(f"{label} {sum(one.startswith(label) for one in labels)}")
    return labels


def _as_texts(column: pa.ChunkedArray) -> pa.Array:
    whole = pc.cast(column, pa.string()).combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
