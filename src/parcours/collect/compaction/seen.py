"""Each event once, without a time window: its id is looked for among all ids ever taken in of the client's own day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from parcours.collect.compaction.seen_files import Ids, OpenRun, merge_day, write_run
from parcours.collect.rows import Flags, Ints
from parcours.engine.store.manifest import SeenRun
from parcours.engine.store.parts import remove_parts

UNTIMED = -1
"""The day of events whose client told no time, or one before 1970."""

NEW, DUPLICATE, CONFLICT = 0, 1, 2
"""Never seen; seen with the same content; seen with another content."""

FAN_OUT = 8
"""So many files of one level become one of the next: an id is written again once a level."""

OWN_ROWS = 65_536
"""From so many ids on a day has files of its own; below, days share files, so that no clock can make many."""

_DAY_MS = 86_400_000

Verdicts = npt.NDArray[np.int8]


def days_of(original_ms: Ints) -> Ints:
    """Return the day (UTC, since 1970) of each of the client's own times; a negative one stands for none."""
    return np.where(original_ms < 0, UNTIMED, original_ms // _DAY_MS)


class Seen:
    """The ids that were taken in, in immutable sorted files.

    Memory: files are mapped, so that what is looked up often stays in the system's cache; a call takes some 100 bytes
    for each event it is given, a merge some 10 MB for each file. An id takes 16 bytes on disk, and as much again each
    time that its level is merged.

    Args:
        folder: The company folder.
        runs: The files in force (`Manifest.seen_runs`); all that speak of the days asked about must be there.
    """

    def __init__(self, folder: Path, runs: Sequence[SeenRun]) -> None:
        self._folder = folder
        self.runs = tuple(runs)
        self._open: dict[str, OpenRun] = {}

    def sort_out(self, day: Ints, id_hash: Ints, content_hash: Ints) -> Verdicts:
        """Return `NEW`, `DUPLICATE` or `CONFLICT` for each event; of one id inside the call the first counts.

        On a day with a billion ids the chance that a new one has the 64-bit hash of another is 5 in 10^11; it is then
        a `CONFLICT`, which is kept aside and not lost.

        Raises:
            ParcoursError: ``seen_damaged`` names a file that is missing or not what was written.
        """
        verdicts = np.full(len(day), NEW, np.int8)
        order = np.lexsort((id_hash, day))
        days, ids, contents = day[order], id_hash[order], content_hash[order]
        first = _begins(days, ids)
        heads = np.flatnonzero(first)
        found, known = np.zeros(len(heads), bool), contents[heads].copy()
        for number, rows in _by_day(days[heads]):
            self._look_up(number, ids[heads[rows]], found[rows], known[rows])
        same = contents == known[np.cumsum(first) - 1]
        judged = np.where(same, DUPLICATE, CONFLICT).astype(np.int8)
        judged[heads[~found]] = NEW
        verdicts[order] = judged
        return verdicts

    def write(self, day: Ints, id_hash: Ints, content_hash: Ints) -> list[SeenRun]:
        """Write ids that `sort_out` called `NEW`; they are on disk on return, and in force once the manifest has them.

        Raises:
            ParcoursError: ``disk_full``; nothing of this call is then left.
        """
        order = np.lexsort((id_hash, day))
        days, ids, contents = day[order], id_hash[order], content_hash[order]
        first = _begins(days, ids)
        days, ids, contents = days[first], ids[first], contents[first]
        counts = {number: rows.stop - rows.start for number, rows in _by_day(days)}
        places = dict(_by_day(days))
        return self._write(0, counts, lambda number: iter([Ids(number, ids[places[number]], contents[places[number]])]))

    def extended(self, add: Iterable[SeenRun], remove: Iterable[str] = ()) -> Seen:
        """Return what is seen with some files more and some fewer."""
        gone = set(remove)
        seen = Seen(self._folder, [*(run for run in self.runs if run.path not in gone), *add])
        seen._open = {path: run for path, run in self._open.items() if path not in gone}
        return seen

    def with_runs(self, runs: Sequence[SeenRun]) -> Seen:
        """Return what is seen with exactly these files; those that are open already stay open."""
        seen = Seen(self._folder, runs)
        seen._open = {run.path: self._open[run.path] for run in runs if run.path in self._open}
        return seen

    def plan_merges(self, resting_before: int | None = None) -> list[tuple[SeenRun, ...]]:
        """Return groups of files to be merged to one another, each group apart; nothing when all is well.

        ``resting_before`` names a day: those before it get hardly anything any more, and become one file each.
        """
        groups: dict[tuple[int | None, int], list[SeenRun]] = {}
        own: dict[int, list[SeenRun]] = {}
        for run in self.runs:
            shared = run.day != run.last_day or run.rows < OWN_ROWS
            groups.setdefault((None if shared else run.day, run.level), []).append(run)
            if not shared:
                own.setdefault(run.day, []).append(run)
        plans = [tuple(group[:FAN_OUT]) for group in groups.values() if len(group) >= FAN_OUT]
        busy = {run.path for plan in plans for run in plan}
        for day, held in own.items():
            rows = sorted(run.rows for run in held)
            worth = len(held) > 1 and FAN_OUT * sum(rows[:-1]) >= rows[-1]
            if resting_before is not None and day < resting_before and worth and busy.isdisjoint(r.path for r in held):
                plans.append(tuple(held))
        return plans

    def merge(self, group: Sequence[SeenRun]) -> tuple[list[SeenRun], list[str]]:
        """Write the files of ``group`` as fewer; return what comes and what goes, to be put in force at once.

        Raises:
            ParcoursError: ``seen_damaged`` or ``disk_full``; nothing of this call is then left.
        """
        opened = [self._opened(run) for run in group]
        counts: dict[int, int] = {}
        for run in opened:
            for day in run.days.tolist():
                counts[day] = counts.get(day, 0) + len(run.of(day).ids)
        added = self._write(
            1 + max(run.level for run in group),
            dict(sorted(counts.items())),
            lambda day: merge_day(day, opened),
        )
        return added, [run.path for run in group]

    def _look_up(self, day: int, ids: Ints, found: Flags, known: Ints) -> None:
        """Fill in which of ``ids`` are known of ``day``, and with what content."""
        for run in self.runs:
            if not run.day <= day <= run.last_day:
                continue
            here, contents = self._opened(run).find(day, ids)
            here &= ~found
            known[here] = contents[here]
            found |= here

    def _opened(self, run: SeenRun) -> OpenRun:
        if run.path not in self._open:
            self._open[run.path] = OpenRun(self._folder, run)
        return self._open[run.path]

    def _write(self, level: int, counts: dict[int, int], pieces: Callable[[int], Iterator[Ids]]) -> list[SeenRun]:
        """Write the days of ``counts``: a file for each that has many ids, one for all the others together."""
        few = [day for day, rows in counts.items() if rows < OWN_ROWS]
        plans = [[day] for day, rows in counts.items() if rows >= OWN_ROWS]
        written: list[SeenRun] = []
        try:
            for days in [*plans, *([few] if few else [])]:
                capacity = sum(counts[day] for day in days)
                every = (piece for day in days for piece in pieces(day))
                written.append(write_run(self._folder, level, capacity, every))
        except BaseException:
            remove_parts(self._folder, [run.path for run in written])
            raise
        return written


def _begins(days: Ints, ids: Ints) -> Flags:
    """Return where an id begins, in rows sorted by day and id."""
    return np.append(True, (days[1:] != days[:-1]) | (ids[1:] != ids[:-1]))[: len(ids)]


def _by_day(days: Ints) -> Iterator[tuple[int, slice]]:
    """Yield each day of the sorted ``days`` and its rows."""
    numbers, starts = np.unique(days, return_index=True)
    ends = np.append(starts, len(days))[1:]
    for number, start, end in zip(numbers.tolist(), starts.tolist(), ends.tolist(), strict=True):
        yield number, slice(start, end)
