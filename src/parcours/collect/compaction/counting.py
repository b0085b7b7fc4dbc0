"""What became of every event that was taken over: one outcome each, counted by source and hour of arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from parcours.collect.compaction.reading import Read
from parcours.collect.compaction.seen import CONFLICT, DUPLICATE, Verdicts
from parcours.collect.compaction.undeclared import MOST_NAMES, OTHERS
from parcours.collect.compaction.unreadable import JOURNAL_ITSELF, Unreadable
from parcours.collect.door import Admission
from parcours.collect.journal.sealing import HOUR_MS
from parcours.collect.rows import Ints
from parcours.engine.store.aside import Aside
from parcours.engine.store.lost import MISSING

Outcomes: TypeAlias = npt.NDArray[np.int8]
Counts: TypeAlias = "Counter[tuple[str, int, str, str]]"
KEPT, DUPLICATED, ASIDE, DISCARDED = range(4)
"""It stands in a part; it came before; it waits in quarantine; no purpose has a basis for it."""

_NAMES = {KEPT: "kept", DUPLICATED: "duplicate", DISCARDED: "discarded"}


def find_outcomes(verdicts: Verdicts, fresh: Ints, kept: Ints, admission: Admission) -> Outcomes:
    """Return what became of each event of a reading.

    Args:
        verdicts: Whether it came before, by row of the reading.
        fresh: The rows that went to the door.
        kept: Those of them that became part rows.
        admission: What the door said; its refusals name places in ``fresh``.
    """
    outcomes = np.full(len(verdicts), DISCARDED, np.int8)
    outcomes[verdicts == DUPLICATE] = DUPLICATED
    outcomes[verdicts == CONFLICT] = ASIDE
    outcomes[fresh[[refusal.row for refusal in admission.refusals]]] = ASIDE
    outcomes[kept] = KEPT
    return outcomes


def count_outcomes(
    read: Read, outcomes: Outcomes, aside: Sequence[Aside], now_ms: int
) -> tuple[Counts, dict[str, int]]:
    """Return counts by (source, hour, outcome, detail), and when each source last brought something.

    Every event is counted once, under what became of it: an event in quarantine with its lot, the others by row.
    """
    counts: Counts = Counter()
    latest_ms: dict[str, int] = {}
    sources = read.events.column("source").combine_chunks().dictionary_encode()
    names, codes = sources.dictionary.to_pylist(), np.asarray(sources.indices)
    rows = np.column_stack((codes, read.received_ms // HOUR_MS, outcomes))
    together, times = np.unique(rows, axis=0, return_counts=True)
    for (code, hour, what), count in zip(together.tolist(), times.tolist(), strict=True):
        if what != ASIDE:
            counts[names[code], hour, _NAMES[what], ""] += count
    for code, name in enumerate(names):
        latest_ms[name] = int(read.received_ms[codes == code].max())
    for lot in aside:
        counts[lot.source, lot.received_ms // HOUR_MS, "quarantined", lot.code] += lot.events
        if lot.source != JOURNAL_ITSELF:
            latest_ms[lot.source] = max(latest_ms.get(lot.source, 0), lot.received_ms)
    this_hour = max(latest_ms.values(), default=now_ms) // HOUR_MS
    for (source, code), count in read.counts.items():
        counts[source, this_hour, "told", code] += count
    return counts, latest_ms


def count_lost(unreadable: Sequence[Unreadable], now_ms: int) -> Counts:
    """Return how many batches are missing: how many events they held nobody can say."""
    missing = sum(one.lost.last - one.lost.first + 1 for one in unreadable if one.lost.code == MISSING)
    return Counter({(JOURNAL_ITSELF, now_ms // HOUR_MS, "lost", MISSING): missing} if missing else {})


def count_undeclared(read: Read, known: Mapping[str, Set[str]], hour: int) -> Counts:
    """Return how often names arrive that nobody declared; past `MOST_NAMES` a source and hour they count together.

    Args:
        read: What was read.
        known: The names that were counted in this hour before, by source.
        hour: The hour that they are counted for.
    """
    counts: Counts = Counter()
    told = {source: set(names) for source, names in known.items()}
    for (source, _), undeclared in read.undeclared.items():
        names = told.setdefault(source, set())
        for name, count in undeclared.names.items():
            shown = name if name in names or len(names) < MOST_NAMES else OTHERS
            names.add(shown)
            counts[source, hour, "undeclared", shown] += count
    return counts
