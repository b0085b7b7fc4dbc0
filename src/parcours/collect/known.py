"""The known rows of a source: key, hash and file of each, sorted by key, in a file that is mapped and not loaded."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.collect.rows import Flags, Ints
from parcours.engine.store.digests import is_intact
from parcours.engine.store.manifest import KnownRows
from parcours.engine.store.restoring import tell_restoring
from parcours.engine.store.tables import sync, writes_told
from parcours.errors import ParcoursError
from parcours.words import Words

KNOWN = "known"
SHARDS = 64
_SHARD_BITS = 57
_MEMORY_ROWS = 1_000_000
_ROW_BYTES = 24

LOGGED = np.dtype(
    [("key", "<i8"), ("hash", "<i8"), ("first", "<i8"), ("events", "<i4"), ("file", "<i4"), ("admitted", "?")]
)
"""What is noted of each good row that was read: ``first`` and ``events`` give its event numbers."""


class Known(msgspec.Struct):
    """Rows sorted by key, each key once: their hashes and the numbers of the files that they came from."""

    keys: Ints
    hashes: Ints
    files: Ints

    def between(self, low: int, high: int) -> Known:
        """Return the rows with ``low`` <= key < ``high``."""
        first, last = np.searchsorted(self.keys, [low, high])
        return Known(self.keys[first:last], self.hashes[first:last], self.files[first:last])

    def where(self, rows: Flags) -> Known:
        """Return some of the rows."""
        return Known(self.keys[rows], self.hashes[rows], self.files[rows])

    def find(self, keys: Ints) -> tuple[Flags, Ints]:
        """Return which of ``keys`` are known, and their hashes (0 where they are not)."""
        if not len(self.keys):
            return np.zeros(len(keys), bool), np.zeros(len(keys), np.int64)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found = self.keys[places] == keys
        return found, np.where(found, self.hashes[places], 0)


NONE_KNOWN = Known(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


def open_known(folder: Path, kept: KnownRows | None) -> Known:
    """Return the known rows of a source, mapped from their file after comparing its checksum.

    Raises:
        ParcoursError: ``known_rows_damaged``.
    """
    if kept is None or not kept.rows:
        return NONE_KNOWN
    path = folder / ".parcours" / kept.path
    if not is_intact(path, kept.rows * _ROW_BYTES, kept.sha256, again=True):
        raise known_damaged(path, kept.source)
    rows = np.memmap(path, "<i8", "r", shape=(3, kept.rows))
    return Known(rows[0], rows[1], rows[2])


def known_damaged(path: Path, source: str) -> ParcoursError:
    """Return the error that names the register of a source."""
    return ParcoursError(
        "known_rows_damaged",
        Words(
            f"Le registre des lignes connues de « {source} » manque ou est endommagé.",
            f"The register of known rows of “{source}” is missing or damaged.",
        ),
        tell_restoring(path.name),
        path,
    )


class KnownWriter:
    """Writes known rows, given in the order of their keys, as the next register of a source."""

    def __init__(self, folder: Path, source: str) -> None:
        self.source = source
        self.rows = 0
        self._root = folder / ".parcours"
        self._name = f"{KNOWN}/{source}-{secrets.token_hex(8)}.rows"
        path = self._root / self._name
        self._drafts = [path.with_suffix(f".draft{column}") for column in range(3)]
        with writes_told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._streams = [draft.open("wb") for draft in self._drafts]

    def write(self, rows: Known) -> None:
        """Add rows whose keys are all above those that were written."""
        with writes_told(self._root):
            for stream, column in zip(self._streams, (rows.keys, rows.hashes, rows.files), strict=True):
                stream.write(np.ascontiguousarray(column, "<i8").data)
        self.rows += len(rows.keys)

    def finish(self) -> KnownRows:
        """Put the columns one after the other in one durable file and return its description."""
        path = self._root / self._name
        checksum = hashlib.sha256()
        try:
            with writes_told(path), path.open("wb") as whole:
                for stream, draft in zip(self._streams, self._drafts, strict=True):
                    stream.close()
                    with draft.open("rb") as column:
                        shutil.copyfileobj(column, whole, 1 << 20)
            with path.open("rb") as whole:
                checksum = hashlib.file_digest(whole, "sha256")
            with writes_told(path):
                sync(path)
                sync(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            self.discard()
        return KnownRows(self.source, self._name, checksum.hexdigest(), self.rows)

    def discard(self) -> None:
        """Remove the drafts."""
        for stream, draft in zip(self._streams, self._drafts, strict=True):
            if not stream.closed:
                # What is still in the buffer may have no room to go to, and is not wanted any more.
                with suppress(OSError):
                    stream.close()
            draft.unlink(missing_ok=True)


class RowLog:
    """The rows of a load in the order they were read, kept by key range and moved to disk when they are many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ".parcours" / KNOWN / f".log-{secrets.token_hex(8)}.draft"
        self._pieces: list[npt.NDArray[np.void]] = []
        self._held = 0
        self._spilled = False

    def __enter__(self) -> RowLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, keys: Ints, hashes: Ints, file: int, firsts: Ints, events: Ints, admitted: bool) -> None:
        """Note rows that were read one after the other."""
        piece = np.empty(len(keys), LOGGED)
        piece["key"], piece["hash"], piece["first"], piece["events"] = keys, hashes, firsts, events
        piece["file"], piece["admitted"] = file, admitted
        self.append(piece)

    def append(self, piece: npt.NDArray[np.void]) -> None:
        """Note rows that are in the form of the log already."""
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held > _MEMORY_ROWS:
            self._spill()

    def shards(self) -> Iterator[tuple[int, int, npt.NDArray[np.void]]]:
        """Yield ``(low, high, rows)`` by rising key range; inside one, rows stand in the order they were read."""
        if not self._spilled:
            yield 0, (1 << 63) - 1, self._take()
            return
        self._spill()
        for shard in range(SHARDS):
            path = self._folder / str(shard)
            rows = np.fromfile(path, LOGGED) if path.exists() else np.empty(0, LOGGED)
            high = (1 << 63) - 1 if shard == SHARDS - 1 else (shard + 1) << _SHARD_BITS
            yield shard << _SHARD_BITS, high, rows

    def _take(self) -> npt.NDArray[np.void]:
        rows = np.concatenate([np.empty(0, LOGGED), *self._pieces])
        self._pieces, self._held = [], 0
        return rows

    def _spill(self) -> None:
        rows = self._take()
        self._spilled = True
        shards = rows["key"] >> _SHARD_BITS
        order = np.argsort(shards, kind="stable")
        bounds = np.searchsorted(shards[order], np.arange(SHARDS + 1))
        with writes_told(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            for shard in range(SHARDS):
                piece = rows[order[bounds[shard] : bounds[shard + 1]]]
                with (self._folder / str(shard)).open("ab") as stream:
                    stream.write(piece.tobytes())


class Settlement(msgspec.Struct):
    """What a load comes to: rows by file and class, the event numbers to drop, and the keys that have new rows."""

    new: dict[int, int]
    replaced: dict[int, int]
    unchanged: dict[int, int]
    duplicates: int
    superseded: Ints
    renewed_keys: Ints
    known: KnownRows


def settle_rows(log: RowLog, known: Known, kept: Flags | None, writer: KnownWriter) -> Settlement:
    """Decide what each logged row is, and write the next register of known rows.

    The last row of a key counts. It is new when the key is not known, unchanged when its hash is the known one,
    else replaced; an earlier row of the same key is unchanged when it equals the last one, else replaced.

    Args:
        log: The good rows that were read.
        known: The rows that were known before.
        kept: Which known rows still stand; ``None`` for all. The others were read anew under another mapping.
        writer: Where the known rows go.
    """
    counts: tuple[dict[int, int], dict[int, int], dict[int, int]] = ({}, {}, {})
    superseded, renewed, duplicates = [], [], 0
    for low, high, logged in log.shards():
        before = known.between(low, high)
        base = before
        if kept is not None:
            first = int(np.searchsorted(known.keys, low))
            base = before.where(kept[first : first + len(before.keys)])
        rows = logged[np.argsort(logged["key"], kind="stable")]
        last = np.append(rows["key"][1:] != rows["key"][:-1], True)[: len(rows)]
        winners = rows[last]
        winner_of = np.cumsum(np.append(0, last[:-1]))[: len(rows)]
        found, hashes = before.find(winners["key"])
        same = found & (hashes == winners["hash"]) & ~winners["admitted"]
        classes = np.where(last, np.where(~found, 0, np.where(same, 2, 1))[winner_of], 1)
        classes = np.where(~last & (rows["hash"] == winners["hash"][winner_of]), 2, classes)
        for kind, count in enumerate(counts):
            for file, number in enumerate(np.bincount(rows["file"][classes == kind]).tolist()):
                count[file] = count.get(file, 0) + number
        duplicates += int((~last).sum())
        superseded.append(_event_numbers(rows[~last & rows["admitted"]]))
        renewed.append(winners["key"][~same])
        writer.write(_merge(base, winners))
    return Settlement(
        *counts,
        duplicates=duplicates,
        superseded=np.concatenate(superseded),
        renewed_keys=np.concatenate(renewed),
        known=writer.finish(),
    )


def _event_numbers(rows: npt.NDArray[np.void]) -> Ints:
    """Return all event numbers of ``rows``."""
    counts = rows["events"].astype(np.int64)
    ends = np.cumsum(counts)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
    return np.repeat(rows["first"], counts) + within


def _merge(base: Known, winners: npt.NDArray[np.void]) -> Known:
    stays = ~Known(winners["key"], winners["hash"], winners["file"]).find(base.keys)[0]
    keys = np.concatenate([base.keys[stays], winners["key"]])
    hashes = np.concatenate([base.hashes[stays], winners["hash"]])
    files = np.concatenate([base.files[stays], winners["file"].astype(np.int64)])
    order = np.argsort(keys)
    return Known(keys[order], hashes[order], files[order])
