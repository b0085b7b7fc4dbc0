"""Files of seen ids: sorted by day and id, mapped and never loaded, written once and merged in bounded memory."""

from __future__ import annotations

import mmap as mmap_module
import secrets
from collections.abc import Iterable, Iterator, Sequence
from mmap import PROT_READ, mmap
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from parcours.collect.rows import Flags, Ints
from parcours.engine.store.digests import describe, is_intact
from parcours.engine.store.manifest import SeenRun
from parcours.engine.store.tables import sync, writes_told
from parcours.errors import ParcoursError
from parcours.words import Words

SEEN = "seen"
_MAGIC = int.from_bytes(b"seenids1", "little")
_STEP_ROWS = 1 << 18
_STEPS_HELD = 16
_LEAST_ASKED = 1_000
MADV_DONTNEED: int | None = getattr(mmap_module, "MADV_DONTNEED", None)


class Ids(msgspec.Struct, frozen=True):
    """Ids of one day in rising order, each once, and what each one's content comes to."""

    day: int
    ids: Ints
    contents: Ints


class OpenRun:
    """One file, checked and mapped.

    It holds all ids, then all contents, then a footer: the days, how many rows each has, the number of days, where
    contents begin, and a mark; everything in little-endian 64-bit numbers.

    Raises:
        ParcoursError: ``seen_damaged`` when the file is missing or not what was written.
    """

    def __init__(self, folder: Path, run: SeenRun) -> None:
        path = folder / ".parcours" / run.path
        if not is_intact(path, run.bytes, run.sha256):
            raise seen_damaged(path)
        self._run = run
        with path.open("rb") as file:
            self._map = mmap(file.fileno(), 0, prot=PROT_READ)
        whole = np.frombuffer(self._map, "<i8")
        if len(whole) < 3 or whole[-1] != _MAGIC:
            raise seen_damaged(path)
        count, capacity = int(whole[-3]), int(whole[-2])
        footer = whole[-3 - 2 * count : -3]
        self.days = np.array(footer[:count])
        self._ends = np.cumsum(footer[count:])
        if not count or int(self._ends[-1]) != run.rows:
            raise seen_damaged(path)
        self._ids, self._contents = whole[:capacity], whole[capacity : capacity + run.rows]

    def is_sound(self) -> bool:
        """Return whether every day is in rising order, each id once, and within what the manifest says."""
        low, high = self._run.low, self._run.high
        for day in self.days.tolist():
            ids = self.of(day).ids
            for start in range(0, len(ids), _STEP_ROWS):
                piece = ids[start : start + _STEP_ROWS + 1]
                if not (piece[1:] > piece[:-1]).all() or piece[0] < low or piece[-1] > high:
                    return False
                self.let_go()
        return bool((self.days[1:] > self.days[:-1]).all()) and (self.days[0], self.days[-1]) == (
            self._run.day,
            self._run.last_day,
        )

    def of(self, day: int) -> Ids:
        """Return the ids of ``day``, mapped."""
        place = int(np.searchsorted(self.days, day))
        if place == len(self.days) or self.days[place] != day:
            return Ids(day, self._ids[:0], self._contents[:0])
        end = int(self._ends[place])
        start = int(self._ends[place - 1]) if place else 0
        return Ids(day, self._ids[start:end], self._contents[start:end])

    def find(self, day: int, ids: Ints) -> tuple[Flags, Ints]:
        """Return which of ``ids`` (rising) are known of ``day``, and the content of each (0 where it is not)."""
        held = self.of(day)
        found, contents = np.zeros(len(ids), bool), np.zeros(len(ids), np.int64)
        if not len(held.ids):
            return found, contents
        step = max(_LEAST_ASKED, len(ids) * _STEP_ROWS * _STEPS_HELD // len(held.ids))
        for start in range(0, len(ids), step):
            asked = slice(start, start + step)
            places = np.minimum(np.searchsorted(held.ids, ids[asked]), len(held.ids) - 1)
            hit = held.ids[places] == ids[asked]
            found[asked], contents[asked][hit] = hit, held.contents[places[hit]]
            self.let_go()
        return found, contents

    def let_go(self) -> None:
        """Let the system take back the memory of what was read: it stays in its cache and no longer counts as ours."""
        if MADV_DONTNEED is not None:
            self._map.madvise(MADV_DONTNEED)


def write_run(folder: Path, level: int, capacity: int, pieces: Iterable[Ids]) -> SeenRun:
    """Write ``pieces``, by rising day and id and ``capacity`` rows at most, as one file that is on disk on return.

    Raises:
        ParcoursError: ``disk_full``; the file is then removed again.
    """
    path = folder / ".parcours" / SEEN / f"{secrets.token_hex(10)}.ids"
    counts: dict[int, int] = {}
    low, high = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    try:
        with writes_told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb", buffering=0) as file:
                for piece in pieces:
                    done = sum(counts.values())
                    _write_at(file, 8 * done, piece.ids)
                    _write_at(file, 8 * (capacity + done), piece.contents)
                    counts[piece.day] = counts.get(piece.day, 0) + len(piece.ids)
                    low, high = min(low, int(piece.ids[0])), max(high, int(piece.ids[-1]))
                rows = sum(counts.values())
                footer = [*counts, *counts.values(), len(counts), capacity, _MAGIC]
                _write_at(file, 8 * (capacity + rows), np.array(footer, "<i8"))
            sync(path)
            sync(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    size, sha256 = describe(path)
    return SeenRun(
        path=f"{SEEN}/{path.name}",
        day=min(counts),
        last_day=max(counts),
        level=level,
        rows=rows,
        bytes=size,
        sha256=sha256,
        low=low,
        high=high,
    )


def merge_day(day: int, runs: Sequence[OpenRun]) -> Iterator[Ids]:
    """Yield the ids of several files as one, piece after piece; of an id that stands twice the earlier file counts."""
    held = [one for run in runs if len((one := run.of(day)).ids)]
    # No file has more than a step of rows between two fences, so that a piece has a step for each file at most.
    fences = np.unique(np.concatenate([np.empty(0, np.int64), *(one.ids[_STEP_ROWS::_STEP_ROWS] for one in held)]))
    starts = [0] * len(held)
    for fence in [*fences.tolist(), None]:
        ends = [len(one.ids) if fence is None else int(np.searchsorted(one.ids, fence)) for one in held]
        ids = np.concatenate([one.ids[start:end] for one, start, end in zip(held, starts, ends, strict=True)])
        contents = np.concatenate([one.contents[start:end] for one, start, end in zip(held, starts, ends, strict=True)])
        order = np.argsort(ids, kind="stable")
        ids, contents = ids[order], contents[order]
        first = np.append(True, ids[1:] != ids[:-1])[: len(ids)]
        starts = ends
        for run in runs:
            run.let_go()
        if len(ids):
            yield Ids(day, ids[first], contents[first])


def seen_damaged(path: Path) -> ParcoursError:
    """Return the error that names a file of seen ids."""
    return ParcoursError(
        "seen_damaged",
        Words(
            fr=f"Le fichier d'identifiants déjà vus {path.name} manque ou est endommagé.",
            en=f"The file of seen ids {path.name} is missing or damaged.",
        ),
        Words(
            fr="Rétablissez-le depuis une sauvegarde : sans lui, un événement envoyé deux fois compterait deux fois.",
            en="Restore it from a backup: without it an event that is sent twice would count twice.",
        ),
        path,
    )


def _write_at(file: BinaryIO, place: int, values: Ints) -> None:
    file.seek(place)
    left = np.ascontiguousarray(values, "<i8").data.cast("B")
    while left:
        left = left[file.write(left) :]
