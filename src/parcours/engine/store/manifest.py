"""The manifest in `journal.db`: which parts and seen ids hold, what every source file gave, and the quarantine."""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.leases import leased
from parcours.engine.store.parts import Part
from parcours.engine.store.sqlite import Cell, Database, open_database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS parts (
    path TEXT PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
    first_event_no INTEGER NOT NULL, last_event_no INTEGER NOT NULL, source TEXT NOT NULL,
    bucket INTEGER NOT NULL, min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL, level INTEGER NOT NULL DEFAULT 0,
    checksum BLOB);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS file_states (
    source TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, mapping TEXT NOT NULL, counts TEXT NOT NULL, number INTEGER NOT NULL,
    loaded_ms INTEGER NOT NULL, checksum BLOB, PRIMARY KEY (source, file));
CREATE TABLE IF NOT EXISTS known_rows (
    source TEXT PRIMARY KEY, path TEXT NOT NULL, sha256 TEXT NOT NULL, rows INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
    code TEXT NOT NULL, reason_fr TEXT NOT NULL, reason_en TEXT NOT NULL, original BLOB NOT NULL,
    at_ms INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS seen_runs (
    path TEXT PRIMARY KEY, day INTEGER NOT NULL, last_day INTEGER NOT NULL, level INTEGER NOT NULL,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
    checksum BLOB);
CREATE TABLE IF NOT EXISTS retired (path TEXT PRIMARY KEY, generation INTEGER NOT NULL, checksum BLOB);
CREATE INDEX IF NOT EXISTS quarantine_file ON quarantine (source, file);
"""


class FileState(msgspec.Struct, frozen=True):
    """A source file as it was when it was last read: its stamp, its mapping, and its row counts.

    ``number`` is the file's own small number among those of its source, as the known rows name it.
    """

    source: str
    file: str
    size: int
    mtime_ns: int
    sha256: str
    mapping: str
    counts: dict[str, int]
    number: int
    loaded_ms: int


class KnownRows(msgspec.Struct, frozen=True):
    """Where the known rows of one source are kept; ``path`` is relative to ``.parcours``."""

    source: str
    path: str
    sha256: str
    rows: int


class SeenRun(msgspec.Struct, frozen=True):
    """One sorted file of ids that were taken in; ``path`` is relative to ``.parcours``.

    It holds ids of the days ``day`` to ``last_day`` (one and the same in all but small files), between ``low`` and
    ``high``; ``level`` counts how often they were written again.
    """

    path: str
    day: int
    last_day: int
    level: int
    rows: int
    bytes: int
    sha256: str
    low: int
    high: int


class Retired(msgspec.Struct, frozen=True):
    """A file that is in force no more since ``generation``; it goes once no older lease is held."""

    path: str
    generation: int


class Quarantined(msgspec.Struct, frozen=True):
    """A row that was kept aside; ``original`` is sealed by the door."""

    source: str
    file: str
    line: int
    code: str
    reason_fr: str
    reason_en: str
    original: bytes
    at_ms: int


class Manifest:
    """The manifest of one company folder. One writer at a time (`company_lock`); any number may read.

    Whatever is read is checked, and every method may raise `ParcoursError` ``row_damaged``, which names the table and
    the row; ``database_damaged``, ``disk_full`` or ``database_busy``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._db = open_database(folder / ".parcours" / "journal.db")
        self._db.execute(_SCHEMA)
        self._counters = CheckedTable(self._db, "counters", ("name", "value"), ("name",))
        self._db.add_column("parts", "level", "INTEGER NOT NULL DEFAULT 0")
        self._parts = self._table("parts", Part, "path")
        self._files = self._table("file_states", FileState, "source", "file")
        self._known = self._table("known_rows", KnownRows, "source")
        self._seen = self._table("seen_runs", SeenRun, "path")
        self._retired = self._table("retired", Retired, "path")
        self._aside = self._table("quarantine", Quarantined)

    @property
    def database(self) -> Database:
        """The open `journal.db`: whatever else changes together with the manifest stands in it."""
        return self._db

    @property
    def version(self) -> str:
        """What changes with every change of the parts, and is never the same in two companies."""
        found = self._counts()
        if "company" not in found:
            return "empty"
        return f"{found['company']:x}-{found.get('version', 0)}"

    @property
    def generation(self) -> int:
        """What grows with every change of what is in force: the age of a lease."""
        return self._counts().get("generation", 0)

    @property
    def settled_to(self) -> int:
        """The number up to which events are in force or never will be: what comes later has this one at least."""
        found = self._counts()
        return found.get("committed_event_no", found.get("event_no", 1))

    @property
    def withdrawals(self) -> int:
        """How often rows were taken out of force."""
        return self._counts().get("withdrawals", 0)

    @contextmanager
    def lease(self) -> Iterator[int]:
        """Keep every file that is in force now on disk while something is read; list the files inside.

        Raises:
            ParcoursError: ``disk_full``, ``not_writable``.
        """
        with leased(self.folder, lambda: self.generation) as generation:
            yield generation

    def parts(self, source: str | None = None) -> tuple[Part, ...]:
        """Return the parts that hold, oldest event first; those of one ``source`` when it is named."""
        parts = _records(Part, self._parts.all("first_event_no, path"))
        return tuple(part for part in parts if source is None or part.source == source)

    def seen_runs(self, days: Iterable[int] | None = None) -> tuple[SeenRun, ...]:
        """Return the files of seen ids that hold, oldest first; those that may speak of ``days`` when these are named.

        Take a lease first (`lease`) unless the company lock is held: a file that is replaced is deleted later on.
        """
        runs = _records(SeenRun, self._seen.all("rowid"))
        if days is None:
            return runs
        asked = sorted(set(days))
        return tuple(run for run in runs if bisect_left(asked, run.day) < bisect_right(asked, run.last_day))

    def retired(self) -> tuple[Retired, ...]:
        """Return the files that are in force no more and are still on disk."""
        return _records(Retired, self._retired.all("generation, path"))

    def forget_retired(self, paths: Iterable[str]) -> None:
        """Note that retired files are gone from the disk."""
        with self._db.transaction():
            for path in paths:
                self._retired.drop("path = ?", (path,))

    @property
    def next_event_no(self) -> int | None:
        """The number that the next event gets, or nothing when none was ever asked for."""
        return self._counts().get("event_no")

    def reserve_event_nos(self, count: int) -> int:
        """Set ``count`` event numbers aside and return the first; a number is never given out twice."""
        with self._db.transaction():
            first = self._counter("event_no", 1)
            self._set_counter("event_no", first + count)
        return first

    def cut_short(self) -> int | None:
        """Return the first event number that a load set aside and never committed, or nothing when every load ended."""
        with self._db.transaction():
            following = self._counter("event_no", 1)
            committed = self._counter("committed_event_no", following)
        return committed if committed < following else None

    def file_states(self, source: str) -> dict[str, FileState]:
        """Return what was read of ``source``, by file."""
        states = _records(FileState, self._files.all("rowid"))
        return {state.file: state for state in states if state.source == source}

    def known_rows(self, source: str) -> KnownRows | None:
        """Return where the known rows of ``source`` are, or nothing before its first load."""
        return next((one for one in self.registers() if one.source == source), None)

    def registers(self) -> tuple[KnownRows, ...]:
        """Return where the known rows of every source are."""
        return _records(KnownRows, self._known.all("source"))

    def sources(self) -> tuple[str, ...]:
        """Return the sources that were ever loaded."""
        return tuple(sorted({state.source for state in _records(FileState, self._files.all())}))

    def sidecars(self) -> set[str]:
        """Return the paths of all files of known rows."""
        return {register.path for register in self.registers()}

    def quarantined(self, source: str | None = None, limit: int = 1000) -> tuple[Quarantined, ...]:
        """Return the rows that were kept aside, in the order of their files and lines."""
        where, args = ("WHERE source = ?", [source]) if source is not None else ("", [])
        return _records(Quarantined, self._aside.some(f"{where} ORDER BY source, file, line LIMIT ?", [*args, limit]))

    def reseal(self, turn: Callable[[bytes], bytes]) -> int:
        """Replace every sealed row of the quarantine by what ``turn`` makes of it; return how many changed.

        Raises:
            ParcoursError: ``row_damaged``.
        """
        with self._db.transaction():
            held = _records(Quarantined, self._aside.all("id"))
            made = [msgspec.structs.replace(row, original=turn(row.original)) for row in held]
            changed = sum(one != other for one, other in zip(held, made, strict=True))
            if changed:
                self._aside.drop("id >= 0")
                self._aside.put(map(_cells, made))
        return changed

    def drop_quarantined(self, goes: Callable[[bytes], bool]) -> int:
        """Drop the rows that were kept aside of whose sealed bytes ``goes`` says so; return how many there were."""
        with self._db.transaction():
            rows = self._db.execute("SELECT id, original FROM quarantine")
            gone = [(number,) for number, original in rows if isinstance(original, bytes) and goes(original)]
            return self._aside.tally.drop("id = ?", gone)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Join several changes of `journal.db` to one: all of them or none, durable on return."""
        with self._db.transaction():
            yield

    def commit(
        self,
        *,
        add: Iterable[Part] = (),
        remove: Iterable[str] = (),
        quarantine: Iterable[Quarantined] = (),
        file_states: Iterable[FileState] = (),
        known_rows: KnownRows | None = None,
        add_seen: Iterable[SeenRun] = (),
        remove_seen: Iterable[str] = (),
        same_rows: bool = False,
    ) -> None:
        """Put a change in force, all of it or nothing.

        The quarantine of every file in ``file_states`` is replaced by what ``quarantine`` says of it. Files that
        leave are retired: `parcours.engine.store.retiring` deletes them once nobody reads them. ``same_rows`` says
        that the parts that come hold exactly the rows of those that leave, so that nothing derived is stale.

        Raises:
            ParcoursError: ``disk_full``; the previous state then holds.
        """
        added, removed = list(add), list(remove)
        seen_added, seen_removed = list(add_seen), list(remove_seen)
        with self._db.transaction():
            left = [*removed, *seen_removed, *self._replaced_register(known_rows)]
            for path in removed:
                self._parts.drop("path = ?", (path,))
            for path in seen_removed:
                self._seen.drop("path = ?", (path,))
            self._parts.put(map(_cells, added))
            self._seen.put(map(_cells, seen_added))
            for state in file_states:
                self._aside.drop("source = ? AND file = ?", (state.source, state.file))
                self._files.put([_cells(state)])
            self._aside.put(map(_cells, quarantine))
            if known_rows:
                self._known.put([_cells(known_rows)])
            if left or added or seen_added:
                self._retire(left)
            self._counter("company", secrets.randbits(62))
            following = self._counter("event_no", 1)
            self._counter("committed_event_no", following)
            self._set_counter("committed_event_no", following)
            moved = bool(added or removed) and not same_rows
            self._set_counter("version", self._counter("version", 0) + moved)
            if removed and not same_rows:
                self._set_counter("withdrawals", self._counter("withdrawals", 0) + 1)

    def note_unchanged(self, source: str, file: str, mtime_ns: int, at_ms: int) -> None:
        """Note the new date of a file whose content is what was read before, so that it is not compared again."""
        with self._db.transaction():
            for state in _records(FileState, self._files.some("WHERE source = ? AND file = ?", (source, file))):
                self._files.put([_cells(msgspec.structs.replace(state, mtime_ns=mtime_ns, loaded_ms=at_ms))])

    def tables(self) -> tuple[CheckedTable, ...]:
        """Return every table, to be verified."""
        return self._counters, self._parts, self._files, self._known, self._seen, self._retired, self._aside

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _table(self, name: str, kind: type[msgspec.Struct], *key: str) -> CheckedTable:
        return CheckedTable(self._db, name, kind.__struct_fields__, key)

    def _retire(self, paths: Iterable[str]) -> None:
        generation = self._counter("generation", 0) + 1
        self._set_counter("generation", generation)
        self._retired.put((path, generation) for path in paths)

    def _replaced_register(self, register: KnownRows | None) -> list[str]:
        before = self.known_rows(register.source) if register else None
        return [before.path] if before else []

    def _counts(self) -> dict[str, int]:
        return {str(name): int(value or 0) for name, value in self._counters.all()}

    def _counter(self, name: str, default: int) -> int:
        held = self._counts()
        if name not in held:
            self._set_counter(name, default)
        return held.get(name, default)

    def _set_counter(self, name: str, value: int) -> None:
        self._counters.put([(name, value)])


Record = TypeVar("Record", bound=msgspec.Struct)


def _records(kind: type[Record], rows: Iterable[tuple[Cell, ...]]) -> tuple[Record, ...]:
    names = kind.__struct_fields__
    told = (dict(zip(names, row, strict=True)) for row in rows)
    return tuple(msgspec.convert({**one, **_decoded(one)}, kind) for one in told)


def _decoded(cells: dict[str, Cell]) -> dict[str, Any]:
    counts = cells.get("counts")
    return {"counts": msgspec.json.decode(counts)} if isinstance(counts, str) else {}


def _cells(record: msgspec.Struct) -> tuple[Cell, ...]:
    values = [getattr(record, name) for name in record.__struct_fields__]
    return tuple(msgspec.json.encode(value).decode() if isinstance(value, dict) else value for value in values)
