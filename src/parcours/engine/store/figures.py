"""Figures over `journal.db`, summed by SQLite for pages that watch collection: counts and moments, nobody's rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from parcours.engine.store.arrivals import ARRIVALS, LATEST
from parcours.engine.store.checked import CheckedTable, define_sound, sound
from parcours.engine.store.journal import TAKEN
from parcours.engine.store.lost import LOST, MISSING
from parcours.engine.store.manifest import FileState
from parcours.engine.store.outbox import CARRIED
from parcours.engine.store.sqlite import Cell, Database, open_database, was_made
from parcours.words import Words

One = TypeVar("One")
JOURNAL = Path(".parcours") / "journal.db"
LATEST_LOTS = 40
"""Lots of one source and fault whose reasons are read: what is wrong now, at a cost that does not grow."""
LATEST_ROWS = 5_000
"""Rows of files in quarantine that are counted by reason: the latest ones; the totals stand with the files."""


class Waits(msgspec.Struct, frozen=True):
    """How much waits, and since when the oldest of it does (epoch milliseconds)."""

    count: int
    oldest_ms: int | None


class Group(msgspec.Struct, frozen=True):
    """What is in quarantine of one source with one fault.

    ``reasons`` are those of the latest, the most frequent first; ``rules`` what they break, none for rows of files.
    """

    source: str
    code: str
    count: int
    first_ms: int
    last_ms: int
    reasons: tuple[Words, ...]
    rules: tuple[str, ...] = ()


class Figures(AbstractContextManager["Figures"]):
    """The figures of one company, all of one moment; a file or a table that is not there yet has none.

    Nothing is ever written through it, so that it never stands in the way of what collects.

    Raises:
        ParcoursError: ``database_damaged``, ``database_busy``, or ``row_damaged`` for a file's state.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._db: Database | None = None

    def __enter__(self) -> Figures:
        if was_made(self._path):
            self._db = open_database(self._path)
            define_sound(self._db)
            self._db.execute("PRAGMA query_only=ON")
            self._db.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._db is not None:
            self._db.close()

    def came(self, since_hour: int) -> list[tuple[str, int, int]]:
        """Return how many events came, by source and hour from ``since_hour`` on, whatever became of them."""
        rows = self._select(
            "arrivals",
            # By source first, as the rows lie: the hours before are then passed over and not read.
            # What was put back came once and is counted twice: when it went to quarantine, and when it was taken over.
            "SELECT source, hour, sum(iif(outcome = 'replayed', -count, count)) "
            "FROM latest CROSS JOIN arrivals USING (source) "
            "WHERE hour >= ? AND outcome IN ('kept', 'duplicate', 'discarded', 'quarantined', 'replayed') AND "
            f"{sound('arrivals', ARRIVALS)} GROUP BY source, hour",
            (since_hour,),
        )
        return [(str(source), int(hour or 0), int(count or 0)) for source, hour, count in rows]

    def outcomes(self, since_hour: int) -> list[tuple[str, str, str, int]]:
        """Return what became of events from ``since_hour`` on: counts by source, outcome and detail."""
        rows = self._select(
            "arrivals",
            "SELECT source, outcome, detail, sum(count) FROM latest CROSS JOIN arrivals USING (source) "
            f"WHERE hour >= ? AND {sound('arrivals', ARRIVALS)} GROUP BY source, outcome, detail",
            (since_hour,),
        )
        return [(str(source), str(outcome), str(detail), int(count or 0)) for source, outcome, detail, count in rows]

    def latest(self) -> dict[str, int]:
        """Return when each source last brought something, in epoch milliseconds."""
        rows = self._select("latest", f"SELECT source, received_ms FROM latest WHERE {sound('latest', LATEST)}")
        return {str(source): int(at or 0) for source, at in rows}

    def backlog(self) -> tuple[int, Waits]:
        """Return how many batches were accepted and not taken over yet, and the events in them."""
        if self._db is None or "checksum" not in self._db.columns_of("taken"):
            return 0, Waits(0, None)
        taken = CheckedTable(self._db, "taken", TAKEN, TAKEN[:1]).all()
        rows = self._select(
            "batches",
            "SELECT count(*), sum(events), min(iif(typeof(received_ms) = 'integer', received_ms, NULL)) "
            "FROM batches WHERE batch_no > ?",
            (taken[0][1] if taken else 0,),
        )
        batches, events, oldest = rows[0] if rows else (0, 0, None)
        return int(batches or 0), Waits(int(events or 0), None if oldest is None else int(oldest))

    def missing(self) -> int:
        """Return how many batches went missing before they were taken over, of late."""
        rows = self._select(
            "lost", f"SELECT sum(last - first + 1) FROM lost WHERE code = ? AND {sound('lost', LOST)}", (MISSING,)
        )
        return int(rows[0][0] or 0) if rows else 0

    def outbox(self) -> dict[str, Waits]:
        """Return what waits to be carried out, by destination."""
        rows = self._select(
            "outbox",
            "SELECT destination, total, at_ms FROM outbox JOIN (SELECT min(number) AS number, count(*) AS total "
            "FROM outbox GROUP BY destination) USING (number)",
        )
        return {str(name): Waits(int(n or 0), int(oldest or 0)) for name, n, oldest in rows}

    def carried(self) -> list[tuple[str, str, str, int]]:
        """Return what was carried out and what was refused: counts by destination, outcome and detail."""
        rows = self._select("carried", f"SELECT {', '.join(CARRIED)} FROM carried WHERE {sound('carried', CARRIED)}")
        return [(str(name), str(outcome), str(detail), int(n or 0)) for name, outcome, detail, n in rows]

    def aside(self) -> list[Group]:
        """Return the events in quarantine by source and fault, the most frequent first."""
        rows = self._select(
            "aside",
            "SELECT source, code, total, received_ms FROM aside JOIN (SELECT min(number) AS number, "
            "sum(events) AS total FROM aside GROUP BY source, code) USING (number) ORDER BY total DESC, source, code",
        )
        return [self._group(str(source), str(code), int(n or 0), int(at or 0)) for source, code, n, at in rows]

    def _group(self, source: str, code: str, count: int, first_ms: int) -> Group:
        rows = self._select(
            "aside",
            "SELECT rule, reason_fr, reason_en, received_ms, events FROM aside WHERE source = ? AND code = ? "
            "ORDER BY number DESC LIMIT ?",
            (source, code, LATEST_LOTS),
        )
        reasons: Counter[Words] = Counter()
        rules: Counter[str] = Counter()
        for rule, fr, en, _, events in rows:
            reasons[Words(str(fr), str(en))] += int(events or 0)
            rules[str(rule)] += int(events or 0)
        moments = [first_ms, *(int(row[3] or 0) for row in rows)]
        return Group(source, code, count, min(moments), max(moments), _frequent(reasons), _frequent(rules))

    def rows_aside(self) -> list[Group]:
        """Return the latest rows of files in quarantine by source and fault, the most frequent first."""
        rows = self._select(
            "quarantine",
            "SELECT source, code, reason_fr, reason_en, count(*), min(at_ms), max(at_ms) "
            "FROM (SELECT * FROM quarantine ORDER BY id DESC LIMIT ?) "
            "GROUP BY source, code, reason_fr, reason_en ORDER BY count(*) DESC, source, code",
            (LATEST_ROWS,),
        )
        found: dict[tuple[str, str], Group] = {}
        for source, code, fr, en, n, first, last in rows:
            key, words = (str(source), str(code)), Words(str(fr), str(en))
            held = found.get(key) or Group(*key, 0, int(first or 0), int(last or 0), ())
            moments = (held.first_ms, held.last_ms, int(first or 0), int(last or 0))
            found[key] = Group(*key, held.count + int(n or 0), min(moments), max(moments), (*held.reasons, words))
        return sorted(found.values(), key=lambda group: -group.count)

    def files(self) -> list[FileState]:
        """Return every file that was loaded, each checked."""
        if self._db is None or "checksum" not in self._db.columns_of("file_states"):
            return []
        names = FileState.__struct_fields__
        table = CheckedTable(self._db, "file_states", names, ("source", "file"))
        found = []
        for row in table.all():
            cells = dict(zip(names, row, strict=True))
            found.append(msgspec.convert({**cells, "counts": msgspec.json.decode(str(cells["counts"]))}, FileState))
        return found

    def _select(self, table: str, sql: str, args: Sequence[Cell] = ()) -> list[tuple[Cell, ...]]:
        # Without checksums it is of an older version, which the next load takes over.
        if self._db is None or "checksum" not in self._db.columns_of(table):
            return []
        return self._db.execute(sql, args)


def _frequent(counted: Counter[One]) -> tuple[One, ...]:
    return tuple(one for one, _ in counted.most_common())
