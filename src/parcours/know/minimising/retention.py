"""Retention that runs by itself: what no purpose may keep any longer leaves parts and vault, and a receipt stays."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.door import Door
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import Part, read_part, remove_parts, write_pieces
from parcours.engine.store.receipts import Receipt, Receipts
from parcours.engine.store.retiring import remove_retired
from parcours.engine.store.sqlite import Database
from parcours.know.identity.edges import Edges
from parcours.know.keys import Keys
from parcours.know.pseudonyms import NOBODY, Numbers, buckets_of
from parcours.know.vault import Vault

DAY_MS = 86_400_000
NEVER = 10**7
"""Days that nothing is kept for: 27,000 years stand for "as long as the company likes"."""

MOST_PARTS = 64
"""Parts that are written anew in one transaction, under one receipt."""

Mask = npt.NDArray[np.bool_]


class Limits(msgspec.Struct, frozen=True):
    """How many days rows and values are kept: by the bit of each purpose that is declared, for rows about nobody, and
    by field. A row is kept as long as any purpose on its stamp allows; one that is declared no more sets no limit.
    """

    by_bit: dict[int, int]
    nobody: int
    by_field: dict[str, int]

    @property
    def rules(self) -> str:
        """What changes whenever a limit does."""
        return sha256(
            repr((sorted(self.by_bit.items()), self.nobody, sorted(self.by_field.items()))).encode()
        ).hexdigest()[:16]

    @property
    def least(self) -> int:
        """The fewest days after which anything may go."""
        return min([*self.by_bit.values(), self.nobody, *self.by_field.values()], default=NEVER)

    def of(self, permitted: Numbers, about_nobody: Mask) -> Numbers:
        """Return how many days each row is kept."""
        stamps, places = np.unique(permitted, return_inverse=True)
        days = [
            max((self.by_bit.get(bit, NEVER) for bit in range(63) if stamp >> bit & 1), default=NEVER)
            for stamp in stamps.tolist()
        ]
        kept: Numbers = np.where(about_nobody, self.nobody, np.array([*days, NEVER], np.int64)[places])
        return kept


def find_limits(blueprint: Blueprint, purposes: Mapping[int, str]) -> Limits:
    """Return the limits that ``blueprint`` declares; ``purposes`` says whose every bit is."""
    days = {one.id: NEVER if one.retention_days is None else one.retention_days for one in blueprint.purposes}
    by_bit = {bit: days[id] for bit, id in purposes.items() if id in days}
    fields = {one.id: one.retention_days for one in blueprint.fields if one.retention_days is not None}
    return Limits(by_bit, max(days.values(), default=NEVER), fields)


class Thinned(msgspec.Struct):
    """What became of one part: its rows without what is over, and what that was."""

    part: Part
    rows: pa.Table
    removed: pa.Table
    emptied: dict[str, pa.ChunkedArray]
    due_day: int

    @property
    def is_changed(self) -> bool:
        """Whether anything was over."""
        return bool(self.removed.num_rows or self.emptied)


class Retention:
    """One going through the parts; the caller holds the company lock.

    Files that take another's place are written first; then texts and edges go, which a repetition does not mind; then
    parts and receipt change hands in one transaction. Whatever moment it is killed at, the next one goes on.

    Args:
        folder: The company folder.
        limits: How long what is kept.
        purposes: Whose every bit is.
        manifest: The manifest.
        door: Forgets edges and texts.
        state: ``state.db``.
        keys: Whose identifiers' keys are destroyed.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        purposes: Mapping[int, str],
        manifest: Manifest,
        door: Door,
        state: Database,
        keys: Keys,
    ) -> None:
        self._folder, self._limits, self._purposes = folder, limits, purposes
        self._manifest, self._door, self._state, self._keys = manifest, door, state, keys
        self._receipts = Receipts(manifest.database)

    def run(self, now_ms: int | None = None, stopping: Callable[[], bool] = lambda: False) -> tuple[Receipt, ...]:
        """Take out what is over at ``now_ms``; return the receipts, none when nothing was.

        Raises:
            ParcoursError: ``part_damaged`` or ``disk_full``; what was done so far holds.
        """
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        today = now_ms // DAY_MS
        if self._limits.least >= NEVER:
            return ()
        made = []
        while not stopping() and (due := self._find_due(today)):
            receipt = self._take_out(due[:MOST_PARTS], today, now_ms)
            made += [receipt] if receipt else []
        if made:
            remove_retired(self._folder, self._manifest)
        return tuple(made)

    def _find_due(self, today: int) -> list[Part]:
        known = self._receipts.due_days(self._limits.rules)
        least = self._limits.least
        return [
            part for part in self._manifest.parts() if known.get(part.path, part.min_ms // DAY_MS + least + 1) <= today
        ]

    def _take_out(self, due: Sequence[Part], today: int, now_ms: int) -> Receipt | None:
        changed: list[tuple[Thinned, Part | None]] = []
        days: dict[str, int] = {}
        try:
            for part in due:
                thinned = self._thin(part, today)
                stays: Part | None = part
                if thinned.is_changed:
                    stays = self._write(thinned)
                    changed.append((thinned, stays))
                if stays:
                    days[stays.path] = thinned.due_day
            return self._commit(changed, days, now_ms)
        except BaseException:
            remove_parts(self._folder, [fresh.path for _, fresh in changed if fresh])
            raise

    def _thin(self, part: Part, today: int) -> Thinned:
        rows = read_part(self._folder, part)
        occurred = np.asarray(rows.column("occurred_ms")) // DAY_MS
        days = self._limits.of(np.asarray(rows.column("permitted")), np.asarray(rows.column("subject").is_null()))
        over = occurred + days < today
        removed, rows, occurred, days = (
            rows.filter(pa.array(over)),
            rows.filter(pa.array(~over)),
            occurred[~over],
            days[~over],
        )
        due = int((occurred + days).min(initial=NEVER))
        emptied: dict[str, pa.ChunkedArray] = {}
        for field, limit in self._limits.by_field.items():
            for name in {f"field_{field}", f"text_{field}"} & set(rows.column_names):
                column = rows.column(name)
                held = np.asarray(column.is_valid())
                past = held & (occurred + limit < today)
                due = min(due, int((occurred[held & ~past] + limit).min(initial=NEVER)))
                if past.any():
                    place = rows.column_names.index(name)
                    emptied[name] = column.filter(pa.array(past))
                    kept = pc.if_else(pa.array(past), pa.scalar(None, column.type), column)
                    rows = rows.set_column(place, rows.schema.field(place), kept)
        return Thinned(part, rows, removed, emptied, due + 1)

    def _write(self, thinned: Thinned) -> Part | None:
        if not thinned.rows.num_rows:
            return None
        part = thinned.part
        schema = thinned.rows.schema.remove_metadata()
        pieces = [thinned.rows.replace_schema_metadata(None).combine_chunks()]
        return write_pieces(self._folder, schema, pieces, part.source, part.bucket, part.level)

    def _commit(self, changed: list[tuple[Thinned, Part | None]], days: dict[str, int], now_ms: int) -> Receipt | None:
        gone = [thinned.part for thinned, _ in changed]
        if not changed:
            with self._manifest.transaction():
                self._receipts.note_due(self._limits.rules, days, ())
            return None
        after = [fresh for _, fresh in changed if fresh]
        numbers = np.concatenate([np.asarray(thinned.removed.column("event_no")) for thinned, _ in changed])
        refs = [ref for thinned, _ in changed for name, held in thinned.emptied.items() if name.startswith("text_")
                for ref in held.to_pylist()]  # fmt: skip
        Vault(self._state, self._keys).forget_refs(refs)
        identifiers = self._forget_unnamed(numbers, changed, gone, after)
        self._door.withdraw(numbers.tolist())
        with self._manifest.transaction():
            receipt = self._receipts.add(self._write_receipt(changed, gone, after, identifiers, now_ms))
            self._receipts.note_due(self._limits.rules, days, [part.path for part in gone])
            self._manifest.commit(add=after, remove=[part.path for part in gone])
        return receipt

    def _forget_unnamed(
        self, numbers: Numbers, changed: list[tuple[Thinned, Part | None]], gone: list[Part], after: list[Part]
    ) -> int:
        """Forget the identifiers on removed events that no other event, edge or choice names; return how many."""
        edges = Edges(self._state, self._keys).read()
        leaving = np.isin(edges[:, 0], numbers)
        subjects = [np.asarray(thinned.removed.column("subject").drop_null()) for thinned, _ in changed]
        asked = np.unique(np.concatenate([*subjects, edges[leaving, 1:].ravel()])).astype(np.int64)
        choosers = np.array([row[0] for row in self._state.execute(_CHOOSERS) if row[0] is not None], np.int64)
        asked = asked[~np.isin(asked, np.append(edges[~leaving, 1:].ravel(), choosers)) & (asked > NOBODY)]
        paths, buckets = {part.path for part in gone}, set(buckets_of(asked).tolist())
        stay = [part for part in self._manifest.parts() if part.path not in paths]
        for part in (*stay, *after):
            if part.bucket in buckets:
                held = np.asarray(read_part(self._folder, part, ["subject"]).column(0).drop_null())
                asked = asked[~np.isin(asked, held)]
        if not len(asked):
            return 0
        forgotten = Vault(self._state, self._keys).forget_identifiers(asked.tolist())
        # A key without a row is harmless, the other way round it is not.
        self._keys.destroy(asked.tolist())
        return forgotten

    def _write_receipt(
        self,
        changed: list[tuple[Thinned, Part | None]],
        gone: list[Part],
        after: list[Part],
        identifiers: int,
        now_ms: int,
    ) -> Receipt:
        by_purpose: Counter[str] = Counter()
        for thinned, _ in changed:
            by_purpose.update(dict(self._count(thinned.removed)))
        texts = sum(len(column.drop_null()) for thinned, _ in changed for name, column in _texts_of(thinned))
        return Receipt(
            receipt_no=0,
            at_ms=now_ms,
            rows=sum(thinned.removed.num_rows for thinned, _ in changed),
            texts=texts,
            field_values=sum(len(column) for thinned, _ in changed for column in thinned.emptied.values()),
            identifiers=identifiers,
            until_ms=max(
                (int(pc.max(thinned.removed.column("occurred_ms")).as_py() or 0) for thinned, _ in changed), default=0
            ),
            purposes=dict(by_purpose),
            before={part.path: part.sha256 for part in gone},
            after={part.path: part.sha256 for part in after},
        )

    def _count(self, removed: pa.Table) -> Iterator[tuple[str, int]]:
        nobody = np.asarray(removed.column("subject").is_null())
        stamps, counts = np.unique(np.asarray(removed.column("permitted"))[~nobody], return_counts=True)
        for stamp, count in zip(stamps.tolist(), counts.tolist(), strict=True):
            ids = sorted({id for bit, id in self._purposes.items() if stamp >> bit & 1})
            yield ",".join(ids), count
        if nobody.any():
            yield "", int(nobody.sum())


_CHOOSERS = "SELECT DISTINCT principal FROM consent"


def _texts_of(thinned: Thinned) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Yield the references to texts that went: with their events, or alone."""
    removed = thinned.removed
    columns = [(name, removed.column(name)) for name in removed.column_names] + [*thinned.emptied.items()]
    yield from ((name, column) for name, column in columns if name.startswith("text_"))
