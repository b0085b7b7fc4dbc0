"""Rows of a database in, as they appear: over any SQLAlchemy URL, in the order of a cursor column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy.engine import Connection

from parcours.blueprint.form import parse_duration
from parcours.collect.connectors.contract import Inlet, Kind, Options, Outlet, Port, Role, Unreadable, Where
from parcours.collect.connectors.faults import one_way
from parcours.collect.connectors.reading import check_shape, read_options
from parcours.collect.connectors.secrets import Secrets
from parcours.collect.connectors.sql_bookmark import Bookmark, Overlap, Start
from parcours.collect.connectors.sql_faults import bad_url, cursor_inexact, key_unusable
from parcours.collect.connectors.sql_pages import Database, Row, Selection, is_url
from parcours.collect.connectors.sql_rows import digest_row, write_record, write_value
from parcours.collect.source import Source
from parcours.errors import Fault
from parcours.settings import Settings
from parcours.words import Words

MOST_ROWS: Final = 50_000
_SELECT = re.compile(r"^\s*(select|with)\b", re.IGNORECASE)


class SqlOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is read, and how often.

    Attributes:
        url: A SQLAlchemy URL; its password is ``${NAME}``, or all of it is.
        table: A table or view, with its schema if need be; or else ``query``.
        query: A SELECT that gives the columns.
        cursor: The column that rises: when a row was last written, or its number.
        key: A column that tells rows of one cursor value apart: unique, never empty.
        batch: The rows of a page.
        every_ms: How long to wait when there is nothing more.
        overlap: How far back each reading begins anew, for rows that were committed late: a duration for times, a
            number for numbers. By default 1min or 1000; 0 for none.
        timeout_ms: How long the database may be silent, where its driver knows how to tell.
    """

    url: str
    table: str | None = None
    query: str | None = None
    cursor: str
    key: str | None = None
    batch: int = 5_000
    every_ms: int = 30_000
    overlap: int | str | None = None
    timeout_ms: int = 300_000


class SqlInlet:
    """The reading of one table or query, from where it stood.

    Only the columns that the source names are read, and those that tell rows apart when the source has no key.
    """

    kind: Kind = "rows"

    def __init__(self, options: SqlOptions, wanted: tuple[str, ...], url: str, secrets: Secrets) -> None:
        selection = Selection(options.table, options.query, options.cursor, options.key)
        self.pause_s = options.every_ms / 1000
        self._options = options
        self._wanted = wanted
        self._overlap = read_overlap(options.overlap)
        self._database = Database(url, options.timeout_ms, secrets, selection)
        self._columns: tuple[str, ...] | None = None
        self._reads = sha256(msgspec.json.encode([selection, sorted(wanted)])).hexdigest()[:16]

    def bring(self, port: Port) -> None:
        """Read page after page until none is left, delivering what is new of each.

        Raises:
            ParcoursError: ``database_unreachable``, ``query_refused``, ``column_missing``, ``key_not_unique``,
                ``cursor_inexact``, ``overlap_differs`` or ``too_many_remembered``.
        """
        bookmark = Bookmark(self._reads, self._options.key is not None, self._overlap)
        bookmark.recall(port.cursor())
        with self._database.connect() as connection:
            if self._columns is None:
                self._columns = self._database.find_columns(connection, self._wanted)
            start, more = bookmark.start(), True
            while more and not port.stopping():
                start, more = self._page(port, connection, bookmark, start)

    def close(self) -> None:
        """Let go of the database; a page that is under way ends first."""
        self._database.close()

    def _page(
        self, port: Port, connection: Connection, bookmark: Bookmark, start: Start | None
    ) -> tuple[Start | None, bool]:
        """Deliver one page; return where the next begins, and whether there may be one."""
        # Without a key the rows of the first value come again: the page must have room for new ones beside them.
        known = bookmark.seen_at(start.value) if start is not None and self._options.key is None else 0
        limit = self._options.batch + known
        records: list[bytes] = []
        unreadable: list[Unreadable] = []
        last: Row | None = None
        count, more = 0, False
        with closing(self._database.page(connection, self._columns or (), start, limit + 1)) as rows:
            for row in rows:
                self._compare(last, row, start)
                if count == limit:
                    more = True
                    break
                count, last = count + 1, row
                self._take(row, bookmark, records, unreadable)
        if last is None:
            return start, False
        if records or unreadable:
            bookmark.move(last.value, last.key)
            port.deliver(records, bookmark.save(), unreadable)
        return bookmark.after(last.value, last.key), more

    def _take(self, row: Row, bookmark: Bookmark, records: list[bytes], unreadable: list[Unreadable]) -> None:
        value = write_value(row.value)
        record = write_record(row.columns, f"{self._options.cursor} {value}")
        body = record.body if isinstance(record, Unreadable) else record
        if not bookmark.is_new(row.value, digest_row(value, write_value(row.key), body)):
            return
        if isinstance(record, Unreadable):
            unreadable.append(record)
        else:
            records.append(record)

    def _compare(self, last: Row | None, row: Row, start: Start | None) -> None:
        """Raise when rows cannot be told apart as they must: a page could end between two of them."""
        if isinstance(row.value, float):
            raise cursor_inexact(self._options.cursor)
        key = self._options.key
        if key is None:
            return
        if row.key is None:
            raise key_unusable(key, empty=True)
        if last is not None and (last.value, last.key) == (row.value, row.key):
            raise key_unusable(key, empty=False)
        if start is not None and start.after_key and (start.value, start.key) == (row.value, row.key):
            # The database holds it more finely than we read it: every page would begin with the same row.
            raise cursor_inexact(self._options.cursor)


class SqlConnector:
    """The connector ``sql``: in only."""

    name = "sql"
    roles: frozenset[Role] = frozenset({"in"})
    secrets = ("url",)

    def check(self, options: Options, where: Where) -> list[Fault]:
        """Return every fault of the options."""
        read, faults = check_shape(options, where, SqlOptions)
        return [*faults, *_check_rows(read, where), *_check_numbers(read, where)]

    def kind(self, options: Options) -> Kind:
        """Rows: the source's mapping says what they are."""
        return "rows"

    def open_inlet(self, source: Source, options: Options, settings: Settings, folder: Path) -> Inlet:
        """Return the inlet; it connects when it is first asked to bring.

        Raises:
            ParcoursError: ``secret_not_set``, ``bad_url`` or ``library_missing`` (the driver).
        """
        read = read_options(options, SqlOptions)
        secrets = Secrets()
        url = secrets.fill(read.url)
        wanted = tuple(source.columns())
        if not source.key:
            wanted = (*wanted, read.cursor, *((read.key,) if read.key else ()))
        return SqlInlet(read, tuple(dict.fromkeys(wanted)), url, secrets)

    def open_outlet(self, destination: str, options: Options, settings: Settings, folder: Path) -> Outlet:
        """Refuse: nothing is written to a database."""
        raise one_way(self.name, "out")


SQL = SqlConnector()


def read_overlap(overlap: int | str | None) -> Overlap:
    """Return an overlap from its YAML: a number, a duration, or nothing for the default.

    Raises:
        ValueError: it is neither.
    """
    if overlap is None:
        return Overlap()
    if isinstance(overlap, int) or overlap.isdecimal():
        return Overlap(numbers=int(overlap))
    return Overlap(ms=parse_duration(overlap))


def _check_rows(read: SqlOptions, where: Where) -> Iterator[Fault]:
    if (read.table is None) == (read.query is None):
        sentence = Words("Il faut table: ou query:, l'un des deux.", "There must be table: or query:, one of the two.")
        yield where.fault("table_or_query", (), sentence, Words("Gardez l'un des deux.", "Keep one of the two."))
    if read.query is not None and not _SELECT.match(read.query):
        sentence = Words("query: doit être un SELECT.", "query: must be a SELECT.")
        remedy = Words("Commencez par SELECT ou WITH.", "Begin with SELECT or WITH.")
        yield where.fault("bad_query", ("query",), sentence, remedy)
    if read.url and "${" not in read.url and not is_url(read.url):
        error = bad_url().faults[0]
        yield where.fault(error.code, ("url",), error.sentence, error.remedy)


def _check_numbers(read: SqlOptions, where: Where) -> Iterator[Fault]:
    if read.batch < 1 or read.batch > MOST_ROWS:
        sentence = Words(f"batch: doit être entre 1 et {MOST_ROWS}.", f"batch: must be between 1 and {MOST_ROWS}.")
        yield where.fault("out_of_range", ("batch",), sentence, Words("Par exemple 5000.", "For instance 5000."))
    if read.every_ms < 1000:
        sentence = Words("every: doit être d'au moins 1s.", "every: must be at least 1s.")
        yield where.fault("out_of_range", ("every",), sentence, Words("Par exemple 30s.", "For instance 30s."))
    try:
        read_overlap(read.overlap)
    except ValueError:
        sentence = Words(
            f"« {read.overlap} » n'est ni une durée ni un nombre.",
            f"“{read.overlap}” is neither a duration nor a number.",
        )
        remedy = Words("Écrivez 5min, 30s, ou un nombre.", "Write 5min, 30s, or a number.")
        yield where.fault("bad_duration", ("overlap",), sentence, remedy)
