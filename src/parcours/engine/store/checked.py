"""Tables whose rows carry a checksum each and are counted and summed together: an altered or a lost row is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from hashlib import blake2b
from operator import xor
from pathlib import Path

import msgspec

from parcours.engine.store.restoring import tell_restoring
from parcours.engine.store.sqlite import Cell, Database
from parcours.errors import ParcoursError
from parcours.words import Words

CHECKSUM_BYTES = 16
TAG_BYTES = 16
TAG = f"substr({{}}, -{TAG_BYTES})"
"""The checksum of a row that is sealed, by the name of the column: the tag of its seal."""

_ALL_BITS = (1 << 8 * CHECKSUM_BYTES) - 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tallies (
    name TEXT PRIMARY KEY, rows INTEGER NOT NULL, sum BLOB NOT NULL, checksum BLOB NOT NULL);
"""


class Tally:
    """How many rows a table holds, and the exclusive or of their checksums, kept in the same transactions as the rows.

    A checksum shows that a row was altered; the tally shows that one is missing, double, or older than it should be.

    Args:
        database: Where the table is.
        table: Its name.
        checksum: The SQL expression of a row's checksum: 16 bytes, or an integer.
    """

    def __init__(self, database: Database, table: str, checksum: str = "checksum") -> None:
        self._db = database
        self.table = table
        self.checksum = checksum

    def begin(self, fill: bool) -> None:
        """Start the tally of a table that has none: of nothing, or with ``fill`` of the rows that are there."""
        if self._db.has_table("tallies") and self._db.execute("SELECT 1 FROM tallies WHERE name = ?", (self.table,)):
            return
        with self._db.transaction():
            self._db.execute(_SCHEMA)
            sums = [_number(row[0]) for row in self._db.execute(f"SELECT {self.checksum} FROM {self.table}")]
            # Rows without their tally are not taken at their word: reading them says that it is missing.
            if fill or not sums:
                self._write(len(sums), reduce(xor, sums, 0))

    def note(self, added: Iterable[Cell] = (), removed: Iterable[Cell] = ()) -> None:
        """Note the checksums of rows that come and go, inside the transaction in which they do."""
        come, gone = [*map(_number, added)], [*map(_number, removed)]
        if come or gone:
            rows, total = self._read()
            self._write(rows + len(come) - len(gone), reduce(xor, (*come, *gone), total))

    def rows(self) -> int:
        """Return how many rows there should be."""
        return self._read()[0]

    def compare(self, checksums: Iterable[Cell]) -> None:
        """Raise `ParcoursError` ``row_damaged`` unless these are the checksums of all rows, each once."""
        found = [*map(_number, checksums)]
        self.compare_sum(len(found), reduce(xor, found, 0))

    def compare_sum(self, rows: int, total: int) -> None:
        """Raise `ParcoursError` ``row_damaged`` unless there are so many rows, with this sum of their checksums."""
        if (rows, total & _ALL_BITS) != self._read():
            raise self.damaged()

    def count(self) -> int:
        """Return how many rows there should be."""
        return self._read()[0]

    def compare_counts(self, *indexes: str) -> None:
        """Raise `ParcoursError` ``row_damaged`` unless the table and each of its ``indexes`` hold as many rows as due.

        For look-ups that found less than was asked for: what is missing may have been lost.
        """
        due = self._read()[0]
        # A bare count(*) takes the smallest index whatever it is told.
        for way in ("NOT INDEXED", *(f"INDEXED BY {index}" for index in indexes)):
            if self._db.execute(f"SELECT count(rowid) FROM {self.table} {way}")[0][0] != due:
                raise self.damaged()

    def verify(self, checksums: Iterable[Cell]) -> Iterator[ParcoursError]:
        """Yield the error that `compare` raises."""
        try:
            self.compare(checksums)
        except ParcoursError as fault:
            yield fault

    def drop(self, where: str, each: Iterable[Sequence[Cell]]) -> int:
        """Delete the rows of which ``where`` holds, with the cells of ``each`` in turn; return how many there were."""
        with self._db.transaction():
            sql = f"DELETE FROM {self.table} WHERE {where} RETURNING {self.checksum}"
            gone = self._db.executemany(sql, each)
            self.note(removed=(row[0] for row in gone))
        return len(gone)

    def damaged(self) -> ParcoursError:
        """Return the error that says that rows are missing, double or old."""
        return row_damaged(self._db.path, self.table, None)

    def _read(self) -> tuple[int, int]:
        rows = self._db.execute("SELECT rows, sum, checksum FROM tallies WHERE name = ?", (self.table,))
        if not rows or checksum_of("tallies", (self.table, *rows[0][:2])) != rows[0][2]:
            raise row_damaged(self._db.path, "tallies", self.table)
        return int(rows[0][0] or 0), _number(rows[0][1])

    def _write(self, rows: int, total: int) -> None:
        cells = (self.table, rows, total.to_bytes(CHECKSUM_BYTES, "little"))
        self._db.execute("INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?)", (*cells, checksum_of("tallies", cells)))


class CheckedTable:
    """A table that is written and read through its checksums alone.

    Args:
        database: Where the table is, made already, with or without its column ``checksum``.
        table: Its name.
        columns: The columns that are read, written and covered, all but ``checksum``.
        key: Those of ``columns`` by which a row is known; none where rows are only appended.
        secret: Keys the checksums; plain ones are enough against damage.
    """

    def __init__(
        self, database: Database, table: str, columns: Sequence[str], key: Sequence[str] = (), secret: bytes = b""
    ) -> None:
        self._db = database
        self.table, self.columns, self._key, self._secret = table, tuple(columns), tuple(key), secret
        self.tally = Tally(database, table)
        if "checksum" not in database.columns_of(table):
            self._fill()
        self.tally.begin(fill=False)

    def put(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write rows, each in the place of the one with the same key."""
        written = [tuple(map(_plain, row)) for row in rows]
        sums = [checksum_of(self.table, row, self._secret) for row in written]
        marks = ", ".join("?" * (len(self.columns) + 1))
        with self._db.transaction():
            if self._key and written:
                where = " AND ".join(f"{name} = ?" for name in self._key)
                places = [self.columns.index(name) for name in self._key]
                self.tally.drop(where, ([row[place] for place in places] for row in written))
            self._db.executemany(
                f"INSERT INTO {self.table} ({', '.join(self.columns)}, checksum) VALUES ({marks})",
                ((*row, told) for row, told in zip(written, sums, strict=True)),
            )
            self.tally.note(added=sums)

    def drop(self, where: str, args: Sequence[Cell] = ()) -> int:
        """Delete the rows of which the condition ``where`` holds; return how many there were."""
        return self.tally.drop(where, [args])

    def all(self, order: str = "") -> list[tuple[Cell, ...]]:
        """Return every row, in the ``order`` of some columns.

        Raises:
            ParcoursError: ``row_damaged`` names a row that was altered, or the table where some are missing.
        """
        with self._db.snapshot():
            rows = self._select(f"ORDER BY {order}" if order else "")
            self.tally.compare(row[-1] for row in rows)
        return [row[:-1] for row in rows]

    def some(self, clauses: str, args: Sequence[Cell] = ()) -> list[tuple[Cell, ...]]:
        """Return the rows that ``clauses`` (``WHERE …``) choose, each checked; that none is missing is not."""
        return [row[:-1] for row in self._select(clauses, args)]

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each row that was altered, and one when rows are missing or double."""
        with self._db.snapshot():
            rows = self._db.execute(f"SELECT {', '.join(self.columns)}, checksum FROM {self.table}")
            for row in rows:
                if checksum_of(self.table, row[:-1], self._secret) != row[-1]:
                    yield row_damaged(self._db.path, self.table, self._name(row))
            yield from self.tally.verify(row[-1] for row in rows)

    def _select(self, clauses: str, args: Sequence[Cell] = ()) -> list[tuple[Cell, ...]]:
        rows = self._db.execute(f"SELECT {', '.join(self.columns)}, checksum FROM {self.table} {clauses}", args)
        for row in rows:
            if checksum_of(self.table, row[:-1], self._secret) != row[-1]:
                raise row_damaged(self._db.path, self.table, self._name(row))
        return rows

    def _name(self, row: Sequence[Cell]) -> str:
        named = self._key or self.columns[:3]
        return " ".join(str(row[self.columns.index(name)]) for name in named)

    def _fill(self) -> None:
        """Give the rows of an older version their checksums."""
        with self._db.transaction():
            if "checksum" in self._db.columns_of(self.table):  # Another process was faster.
                return
            self._db.execute(f"ALTER TABLE {self.table} ADD COLUMN checksum BLOB")
            names = self._key or ("rowid",)
            rows = self._db.execute(f"SELECT {', '.join((*names, *self.columns))} FROM {self.table}")
            self._db.executemany(
                f"UPDATE {self.table} SET checksum = ? WHERE {' AND '.join(f'{name} = ?' for name in names)}",
                ((checksum_of(self.table, row[len(names) :], self._secret), *row[: len(names)]) for row in rows),
            )
            self.tally.begin(fill=True)


def define_sound(database: Database) -> None:
    """Let statements over ``database`` ask whether a row is what was written (see `sound`)."""

    def is_sound(table: Cell, checksum: Cell, *cells: Cell) -> int:
        if checksum_of(str(table), cells) != checksum:
            raise row_damaged(database.path, str(table), " ".join(map(str, cells[:3])))
        return 1

    database.define("is_sound", is_sound)


def sound(table: str, columns: Sequence[str]) -> str:
    """Return the SQL condition that holds for every row of a checked table, and names the one that was altered.

    For sums that SQLite makes by itself; call `define_sound` first.
    """
    return f"is_sound('{table}', {table}.checksum, {', '.join(f'{table}.{name}' for name in columns)})"


def checksum_of(table: str, cells: Sequence[Cell], secret: bytes = b"") -> bytes:
    """Return the checksum of one row: 16 bytes of BLAKE2b (RFC 7693) over its cells as MessagePack."""
    return blake2b(
        msgspec.msgpack.encode(cells), digest_size=CHECKSUM_BYTES, key=secret, person=table.encode()[:16]
    ).digest()


def row_damaged(path: Path, table: str, row: object | None) -> ParcoursError:
    """Return the error that names a row of ``table`` (or, without one, the table whose rows are not all there)."""
    sentence = Words(
        fr=f"La ligne « {row} » de la table « {table} » a été altérée dans {path.name}.",
        en=f"Row “{row}” of table “{table}” has been altered in {path.name}.",
    )
    if row is None:
        sentence = Words(
            fr=f"Des lignes de la table « {table} » manquent ou sont en double dans {path.name}.",
            en=f"Rows of table “{table}” are missing or double in {path.name}.",
        )
    restoring = tell_restoring(path.name)
    return ParcoursError(
        "row_damaged",
        sentence,
        Words(
            fr=f"{restoring.fr} parcours verify dit tout ce qui est endommagé.",
            en=f"{restoring.en} parcours verify tells all that is damaged.",
        ),
        path,
    )


def _plain(cell: Cell) -> Cell:
    """Return a cell as SQLite gives it back."""
    return int(cell) if isinstance(cell, bool) else cell


def _number(checksum: Cell) -> int:
    if isinstance(checksum, int):
        return checksum & _ALL_BITS
    return int.from_bytes(checksum, "little") if isinstance(checksum, bytes) else 0
