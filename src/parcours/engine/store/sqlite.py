"""One SQLite file: write-ahead log, full sync, secure deletion, and its faults told in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock

import apsw

from parcours.engine.store.log import count_lost_changes, is_open_elsewhere
from parcours.engine.store.restoring import tell_restoring
from parcours.errors import ParcoursError
from parcours.words import Words

Cell = int | float | str | bytes | None

BUSY_MS = 10_000
MADE = "made"
"""The folder beside the databases that remembers which of them were made."""

PAGE_BYTES = 4096
"""A database is one page at least; a shorter file passes for an empty database."""

OUT_OF_ORDER = Words(fr="des lignes ne sont pas dans leur ordre", en="rows are not in their order")
"""What is said of a file in which a page stands in the place of another."""

_examined: set[Path] = set()
_examining = Lock()
_MISREAD = (
    apsw.SQLError,
    apsw.ConstraintError,
    apsw.MismatchError,
    apsw.TooBigError,
    apsw.InternalError,
    apsw.FormatError,
    apsw.NoMemError,
    UnicodeDecodeError,
)
"""What statements that are right give rise to when a file says of its tables or cells what nobody wrote."""


class Database:
    """An open SQLite file: one connection that threads take in turn."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self.path = path
        self._connection = connection
        self._turn = RLock()
        self._place = find_place(path)

    def execute(self, sql: str, args: Sequence[Cell] = ()) -> list[tuple[Cell, ...]]:
        """Run ``sql`` (one or several statements) and return every row.

        Raises:
            ParcoursError: ``disk_full``, ``database_damaged`` or ``database_busy``.
        """
        with self._turn, _faults_told(self.path):
            return list(self._connection.execute(sql, args))

    def executemany(self, sql: str, rows: Iterable[Sequence[Cell]]) -> list[tuple[Cell, ...]]:
        """Run ``sql`` once a row and return every row that it gives; put it inside `transaction` to make it one change.

        Errors as in `execute`.
        """
        with self._turn, _faults_told(self.path):
            return list(self._connection.executemany(sql, rows))

    def read_on(self, sql: str, after: int, most: int) -> Iterator[list[tuple[Cell, ...]]]:
        """Yield the rows of ``sql``, some at a time, by their rising key behind ``after``.

        Args:
            sql: Asks for rows by rising key, which is their first column, and ends in
                ``WHERE key > ? ORDER BY key LIMIT ?``.
            after: The key before the first that is wanted.
            most: How many rows at a time.

        Raises:
            ParcoursError: As in `execute`; ``database_damaged`` too when the keys do not rise, as where a page of the
                file stands in the place of another: one would read on for ever.
        """
        while rows := self.execute(sql, (after, most)):
            last = rows[-1][0]
            if not isinstance(last, int) or last <= after:
                raise database_damaged(self.path, OUT_OF_ORDER)
            yield rows
            after = last

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that runs inside is kept, or none of it; on return it is on disk. An inner one joins the outer one."""
        with self._turn:
            if self._connection.in_transaction:
                yield
                return
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                # A full disk makes SQLite roll back by itself.
                if self._connection.in_transaction:
                    self.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is of one moment, whatever other processes write; write nothing inside."""
        with self._turn:
            if self._connection.in_transaction:
                yield
                return
            self.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self.execute("COMMIT")

    def has_table(self, name: str) -> bool:
        """Return whether there is a table of this name."""
        return bool(self.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def columns_of(self, table: str) -> list[str]:
        """Return the names of the columns of ``table``, in their order; none when there is no such table."""
        return [str(row[1]) for row in self.execute(f"PRAGMA table_info({table})")]

    def add_column(self, table: str, name: str, kind: str) -> bool:
        """Give ``table`` the column ``name`` unless it has it; return whether it was missing."""
        if name in self.columns_of(table):
            return False
        with self.transaction():
            if name in self.columns_of(table):  # Another process was faster.
                return False
            self.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
        return True

    def check_place(self) -> None:
        """Raise `ParcoursError` ``database_gone`` unless the open file is the one that stands at its path."""
        if find_place(self.path) != self._place:
            raise database_gone(self.path)

    def data_version(self) -> int:
        """Return what changes whenever somebody else than this connection has written."""
        return int(self.execute("PRAGMA data_version")[0][0] or 0)

    def define(self, name: str, function: Callable[..., Cell]) -> None:
        """Let statements call ``function``; what it raises goes through."""
        with self._turn, _faults_told(self.path):
            self._connection.create_scalar_function(name, function, deterministic=True)

    def truncate_log(self) -> bool:
        """Move the write-ahead log into the file and empty it, so that deleted rows are in neither.

        Returns whether all of it could be moved: a reader who holds on to the past keeps it from being so.
        """
        return self.execute("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0

    def close(self) -> None:
        """Close the file; closing twice is harmless. Errors as in `execute`: the log is moved into the file first."""
        with _faults_told(self.path):
            self._connection.close()


def open_database(path: Path) -> Database:
    """Open or make the SQLite file at ``path``: WAL, ``synchronous=FULL``, secure deletion, foreign keys.

    Raises:
        ParcoursError: ``database_damaged`` when the file is no SQLite database, is damaged, or is gone though it was
            there once; ``disk_full``, ``database_busy`` when another process holds it.
    """
    # An empty database in the place of a lost one would say that nothing was ever known.
    made = path.parent / MADE / path.name
    if made.exists() and not (path.exists() and path.stat().st_size >= PAGE_BYTES):
        raise database_damaged(path, Words(fr="il manque ou est vide", en="it is missing or empty"))
    _examine_log(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _faults_told(path):
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(BUSY_MS)
        for pragma in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", "cell_size_check=ON"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        # What a damaged header may say, and SQLite would believe, to the harm of every row.
        for pragma, due in (("journal_mode=WAL", "wal"), ("encoding", "UTF-8"), ("auto_vacuum", 0)):
            if connection.execute(f"PRAGMA {pragma}").fetchall() != [(due,)]:
                raise apsw.CorruptError(f"PRAGMA {pragma}")
        if not made.exists():
            _remember(made)
    return Database(path, connection)


def was_made(path: Path) -> bool:
    """Return whether there is a database at ``path``, or was one: opening it then says that it is gone."""
    return path.exists() or (path.parent / MADE / path.name).exists()


def _examine_log(path: Path) -> None:
    """Raise unless what SQLite is about to read from the log of a crash is all that was written there."""
    with _examining:
        # Once open here, its files must not be opened beside it: closing them would let go of SQLite's locks.
        place = path.resolve()
        if place in _examined:
            return
        if not is_open_elsewhere(path) and (lost := count_lost_changes(path)):
            raise database_damaged(
                path,
                Words(
                    fr=f"son journal {path.name}-wal est abîmé, et {lost} modifications qui le suivent sont illisibles",
                    en=f"its log {path.name}-wal is damaged, and {lost} changes behind that place cannot be read",
                ),
            )
        _examined.add(place)


def find_place(path: Path) -> tuple[int, int] | None:
    """Return what tells the file at ``path`` from every other one."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _remember(made: Path) -> None:
    """Note that a database was made."""
    try:
        made.parent.mkdir(exist_ok=True)
        made.touch()
    except OSError as fault:
        raise disk_full(made) from fault


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (apsw.FullError, apsw.IOError) as fault:
        raise disk_full(path) from fault
    except (apsw.NotADBError, apsw.CorruptError, *_MISREAD) as fault:
        raise database_damaged(path, fault) from fault
    except (apsw.ReadOnlyError, apsw.CantOpenError) as fault:
        raise ParcoursError(
            "not_writable",
            Words(fr=f"Parcours n'a pas le droit d'écrire {path}.", en=f"Parcours may not write {path}."),
            Words(
                fr="Donnez à ce compte le droit d'écrire dans le dossier de l'entreprise.",
                en="Give this account the right to write in the company folder.",
            ),
            path,
        ) from fault
    except (apsw.BusyError, apsw.LockedError) as fault:
        raise ParcoursError(
            "database_busy",
            Words(
                fr=f"Un autre programme tient le fichier {path.name}.",
                en=f"Another program holds the file {path.name}.",
            ),
            Words(
                fr="Attendez qu'il ait fini, ou arrêtez-le, puis recommencez.",
                en="Wait until it has finished, or stop it, then try again.",
            ),
            path,
        ) from fault


def database_damaged(path: Path, fault: Words | Exception) -> ParcoursError:
    """Return the error for an SQLite file that cannot be read or does not hold what was written."""
    told = fault if isinstance(fault, Words) else Words(fr=str(fault), en=str(fault))
    return ParcoursError(
        "database_damaged",
        Words(
            fr=f"Le fichier {path.name} est endommagé : {told.fr}.",
            en=f"The file {path.name} is damaged: {told.en}.",
        ),
        tell_restoring(path.name),
        path,
    )


def database_gone(path: Path) -> ParcoursError:
    """Return the error for an SQLite file that was deleted or replaced while it was open."""
    return ParcoursError(
        "database_gone",
        Words(
            fr=f"Le fichier {path.name} a été supprimé ou remplacé pendant qu'il était ouvert.",
            en=f"The file {path.name} was deleted or replaced while it was open.",
        ),
        Words(
            fr="Arrêtez tout, rétablissez le dossier .parcours, puis recommencez.",
            en="Stop everything, restore the .parcours folder, then start again.",
        ),
        path,
    )


def disk_full(path: Path) -> ParcoursError:
    """Return the error for a write at ``path`` that found no room (or no readable disk)."""
    return ParcoursError(
        "disk_full",
        Words(
            fr=f"Le disque est plein ou illisible : {path} n'a pas pu être écrit.",
            en=f"The disk is full or cannot be used: {path} could not be written.",
        ),
        Words(
            fr="Libérez de la place et relancez la même commande ; l'état d'avant est intact.",
            en="Free some room and run the same command again; the previous state is intact.",
        ),
        path,
    )
