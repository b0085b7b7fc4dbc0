"""The registers by which rows and messages are known again, without those of somebody who is erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from parcours.collect.compaction.seen_files import Ids, OpenRun, write_run
from parcours.collect.known import KnownWriter, open_known
from parcours.engine.store.manifest import Manifest, SeenRun
from parcours.engine.store.parts import remove_parts
from parcours.know.pseudonyms import Numbers

Test = Callable[[Numbers], npt.NDArray[np.bool_]]


def forget_known(folder: Path, manifest: Manifest, gone: Test) -> int:
    """Drop rows of files from the registers of known rows; return how many there were.

    Should such a row be read again it is new, and the door discards it.

    Raises:
        ParcoursError: ``known_rows_damaged`` or ``disk_full``.
    """
    count = 0
    for register in manifest.registers():
        known = open_known(folder, register)
        lost = gone(known.keys)
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


def forget_seen(folder: Path, manifest: Manifest, gone: Test) -> int:
    """Drop messages from the files of seen ids; return how many there were. Errors as in `forget_known`."""
    count = 0
    for run in manifest.seen_runs():
        opened = OpenRun(folder, run)
        lost = sum(int(gone(opened.of(day).ids).sum()) for day in opened.days.tolist())
        if not lost:
            continue
        fresh = [write_run(folder, run.level, run.rows, _left(opened, gone))] if lost < run.rows else []
        try:
            manifest.commit(add_seen=fresh, remove_seen=[run.path], same_rows=True)
        except BaseException:
            remove_parts(folder, [one.path for one in fresh])
            raise
        count += lost
    return count


def find_known(folder: Path, manifest: Manifest, sought: Test) -> int:
    """Return how many rows and messages that are ``sought`` the registers know."""
    rows = sum(int(sought(open_known(folder, one).keys).sum()) for one in manifest.registers())
    return rows + sum(_count_seen(folder, run, sought) for run in manifest.seen_runs())


def _count_seen(folder: Path, run: SeenRun, sought: Test) -> int:
    opened = OpenRun(folder, run)
    return sum(int(sought(opened.of(day).ids).sum()) for day in opened.days.tolist())


def _left(opened: OpenRun, gone: Test) -> Iterator[Ids]:
    for day in opened.days.tolist():
        held = opened.of(day)
        stays = ~gone(held.ids)
        if stays.any():
            yield Ids(day, np.asarray(held.ids)[stays], np.asarray(held.contents)[stays])
