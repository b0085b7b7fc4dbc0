"""Rows of one source on their way through the door: drafts of parts, the log of rows, and what goes to quarantine."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.collect.conditions import Unmet
from parcours.collect.door import Door
from parcours.collect.known import LOGGED, Known, RowLog
from parcours.collect.mapping import Ahead, Mapped, Mapping
from parcours.collect.quarantine import Quarantine
from parcours.collect.row_keys import hash_rows
from parcours.collect.rows import Flags, Ints, RawRows
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import Part, write_part
from parcours.words import Words

FLUSH_ROWS = 500_000
_KEY_MISSING = Words("La clé de la ligne est vide.", "The row's key is empty.")


class Drafts:
    """What a load makes of rows before the manifest knows of it.

    Args:
        folder: The company folder.
        source: The source's id.
        key: The columns of the row key; none when the whole row is its key.
        mapping: How rows become raw events.
        known: The rows that need not be read again.
        door: What raw events go through.
        manifest: Where event numbers come from.
        log: Where every good row is noted.
        now_ms: The moment of the load.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        key: tuple[str, ...],
        mapping: Mapping,
        known: Known,
        door: Door,
        manifest: Manifest,
        log: RowLog,
        now_ms: int,
    ) -> None:
        self.parts: list[Part] = []
        self.refused: list[Ints] = []
        self.discarded = 0
        self.ahead: dict[int, Ahead] = {}
        self.unmet = Unmet()
        self.skipped = False
        self._folder, self._source, self._key = folder, source, key
        self._mapping, self._known, self._door = mapping, known, door
        self._manifest, self._log, self._now_ms = manifest, log, now_ms
        self._seed = door.row_seed()
        self._buffer: list[pa.Table] = []
        self._buffered = 0

    def take(self, raw: RawRows, file: int, quarantine: Quarantine) -> None:
        """Take in a batch: bad rows aside, known rows noted, the others through the door."""
        for row in raw.bad:
            quarantine.add(row)
        if not raw.count:
            return
        hashes = hash_rows(list(raw.columns.values()), self._seed)
        keys = hash_rows([raw.columns[name] for name in self._key], self._seed) if self._key else hashes
        good = self._with_key(raw, quarantine)
        found, hashes_known = self._known.find(keys)
        fresh = np.flatnonzero(good & ~(found & (hashes_known == hashes)))
        self.skipped |= len(fresh) < int(good.sum())
        piece = np.zeros(raw.count, LOGGED)
        piece["key"], piece["hash"], piece["file"] = keys, hashes, file
        if len(fresh):
            before = np.where(found, hashes_known, -1)[fresh]
            self._note_ahead(file, self._admit(raw.pick(fresh), before, fresh, piece, good, quarantine))
        self._log.append(piece[good])

    def finish(self) -> None:
        """Write what is left to parts."""
        self._flush()

    def _with_key(self, raw: RawRows, quarantine: Quarantine) -> Flags:
        """Return which rows have a key, and put the others aside."""
        if not self._key:
            return np.ones(raw.count, bool)
        filled = np.zeros(raw.count, bool)
        for name in self._key:
            values = raw.columns[name]
            filled |= np.asarray(pc.fill_null(pc.not_equal(values, ""), False))
        for row in np.flatnonzero(~filled).tolist():
            quarantine.note(int(raw.lines[row]), "key_missing", _KEY_MISSING, partial(raw.original, row))
        return filled

    def _admit(
        self,
        raw: RawRows,
        before: Ints,
        places: Ints,
        piece: np.ndarray[tuple[int], np.dtype[np.void]],
        good: Flags,
        quarantine: Quarantine,
    ) -> Ahead:
        """Let rows through the door; ``places`` are theirs in ``piece`` and ``good``, which are filled in.

        Which events of a row are still ahead belongs to its hash: it is another row once one of them has happened,
        and the same one, known as ``before`` says, as long as none has.
        """
        mapped = self._mapping.map_rows(raw, piece["key"][places])
        piece["hash"][places] ^= mapped.ahead.rows
        same = piece["hash"][places] == before
        if same.any():
            mapped = mapped.without(same)
        quarantine.blame(mapped.blames)
        self.unmet.note(mapped.met)
        aside = dict(mapped.faults)
        counts = np.bincount(mapped.rows, minlength=raw.count)
        firsts = np.cumsum(counts) - counts
        if len(mapped.rows):
            firsts += self._pass(mapped, aside, firsts, counts)
        for row, (code, reason) in sorted(aside.items()):
            quarantine.note(int(raw.lines[row]), code, reason, partial(raw.original, row))
        good[places[list(aside)]] = False
        piece["first"][places] = firsts
        piece["events"][places] = counts
        piece["admitted"][places] = ~same
        return mapped.ahead

    def _note_ahead(self, file: int, found: Ahead) -> None:
        before = self.ahead.get(file, found)
        due_ms = min((due for due in (before.due_ms, found.due_ms) if due), default=0)
        events = found.events + (before.events if file in self.ahead else 0)
        self.ahead[file] = Ahead(found.rows, events, due_ms)

    def _pass(self, mapped: Mapped, aside: dict[int, tuple[str, Words]], firsts: Ints, counts: Ints) -> int:
        """Hand events to the door and return the number of the first; a refused event takes its row's others along."""
        first = self._manifest.reserve_event_nos(len(mapped.rows))
        admission = self._door.admit(mapped.events, first, self._now_ms)
        self.discarded += admission.discarded
        for refusal in admission.refusals:
            row = int(mapped.rows[refusal.row])
            if row not in aside:
                aside[row] = (refusal.code, refusal.reason)
                self.refused.append(first + firsts[row] + np.arange(counts[row]))
        if admission.rows.num_rows:
            self._buffer.append(admission.rows)
            self._buffered += admission.rows.num_rows
        if self._buffered >= FLUSH_ROWS:
            self._flush()
        return first

    def _flush(self) -> None:
        if self._buffer:
            rows = pa.concat_tables(self._buffer)
            self._buffer, self._buffered = [], 0
            self.parts += write_part(self._folder, rows, self._source)
