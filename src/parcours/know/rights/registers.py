"""The registers by which rows and messages are known again, without those of somebody who is erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from parcours.collect.compaction.seen_files import Ids, OpenRun, write_run
from parcours.collect.known import KnownWriter, open_known
from parcours.engine.store.manifest import Manifest, SeenRun
from parcours.engine.store.parts import remove_parts
from parcours.know.pseudonyms import Numbers

Test = Callable[[Numbers], npt.NDArray[np.bool_]]


class GoneRows:
    """The keys of the rows that an erasure took away, by source: the same key may be somebody else's in another one."""

    def __init__(self, keys: Mapping[str, Sequence[int]]) -> None:
        self._by_source = {source: only(np.array(held, np.int64)) for source, held in keys.items()}
        self.anywhere = only(np.array([key for held in keys.values() for key in held], np.int64))

    def of(self, source: str) -> Test:
        """Return what tells which keys of one source went."""
        return self._by_source.get(source, only(np.empty(0, np.int64)))


def only(numbers: Numbers) -> Test:
    """Return what tells which numbers are among ``numbers``."""
    held = np.unique(numbers)

    def test(values: Numbers) -> npt.NDArray[np.bool_]:
        if not len(held):
            return np.zeros(len(values), bool)
        found: npt.NDArray[np.bool_] = held[np.minimum(np.searchsorted(held, values), len(held) - 1)] == values
        return found

    return test


def forget_known(folder: Path, manifest: Manifest, gone: GoneRows) -> int:
    """Drop rows of files from the registers of known rows; return how many there were.

    Should such a row be read again it is new, and the door discards it.

    Raises:
        ParcoursError: ``known_rows_damaged`` or ``disk_full``.
    """
    count = 0
    for register in manifest.registers():
        known = open_known(folder, register)
        lost = gone.of(register.source)(known.keys)
        if not lost.any():
            continue
        writer = KnownWriter(folder, register.source)
        writer.write(known.where(~lost))
        fresh = writer.finish()
        try:
            manifest.commit(known_rows=fresh)
        except BaseException:
            remove_parts(folder, [fresh.path])
            raise
        count += int(lost.sum())
    return count


def forget_seen(folder: Path, manifest: Manifest, gone: GoneRows) -> int:
    """Drop messages from the files of seen ids; return how many there were. Errors as in `forget_known`."""
    count = 0
    for run in manifest.seen_runs():
        opened = OpenRun(folder, run)
        lost = sum(int(gone.anywhere(opened.of(day).ids).sum()) for day in opened.days.tolist())
        if not lost:
            continue
        fresh = [write_run(folder, run.level, run.rows, _left(opened, gone.anywhere))] if lost < run.rows else []
        try:
            manifest.commit(add_seen=fresh, remove_seen=[run.path], same_rows=True)
        except BaseException:
            remove_parts(folder, [one.path for one in fresh])
            raise
        count += lost
    return count


def find_known(folder: Path, manifest: Manifest, sought: GoneRows) -> int:
    """Return how many rows and messages that are ``sought`` the registers know."""
    rows = sum(int(sought.of(one.source)(open_known(folder, one).keys).sum()) for one in manifest.registers())
    return rows + sum(_count_seen(folder, run, sought.anywhere) for run in manifest.seen_runs())


def _count_seen(folder: Path, run: SeenRun, sought: Test) -> int:
    opened = OpenRun(folder, run)
    return sum(int(sought(opened.of(day).ids).sum()) for day in opened.days.tolist())


def _left(opened: OpenRun, gone: Test) -> Iterator[Ids]:
    for day in opened.days.tolist():
        held = opened.of(day)
        stays = ~gone(held.ids)
        if stays.any():
            yield Ids(day, np.asarray(held.ids)[stays], np.asarray(held.contents)[stays])
