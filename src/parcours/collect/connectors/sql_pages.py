"""Pages of a table or a query, in the order of its cursor: read-only, each in a transaction of its own."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from parcours.collect.connectors.secrets import Secrets
from parcours.collect.connectors.sql_bookmark import Start
from parcours.collect.connectors.sql_faults import bad_url, column_missing, database_fault, driver_missing

_TIMEOUTS: Final = {"pg8000": "timeout"}
"""The drivers that can be told how long the database may be silent, and what they call it."""

_BUFFERED_ROWS: Final = 1_000

# The pool logs a traceback for each connection that fails to say goodbye; the fault itself is told by us.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


class Selection(msgspec.Struct, frozen=True):
    """What is read: of a table or a query, which columns, in which order."""

    table: str | None
    query: str | None
    cursor: str
    key: str | None


class Row(msgspec.Struct, frozen=True):
    """A row: its cursor value, its key (``None`` without one) and the columns that are wanted."""

    value: Any
    key: Any
    columns: dict[str, Any]


class Database:
    """A database that is read, and never written to."""

    def __init__(self, url: str, timeout_ms: int, secrets: Secrets, selection: Selection) -> None:
        self._secrets = secrets
        self._selection = selection
        self._engine = _open_engine(url, timeout_ms)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a connection for one reading.

        Raises:
            ParcoursError: whatever the database says, without secrets and without values of rows.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise database_fault(error, self._secrets) from None

    def find_columns(self, connection: Connection, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns to read: those wanted, or for ``customer.mail`` the column ``customer``.

        Raises:
            ParcoursError: ``column_missing``, with those that are there.
        """
        nothing = sa.select(sa.text("*")).select_from(self._taken()).where(sa.text("1 = 0"))
        with connection.begin():
            there = tuple(connection.execute(nothing).keys())
        found = []
        for name in (self._selection.cursor, *((self._selection.key,) if self._selection.key else ()), *wanted):
            outer = name if name in there else name.partition(".")[0]
            if outer not in there:
                raise column_missing(name, there, get_close_matches(name, there, n=1, cutoff=0.5))
            if name in wanted:
                found.append(outer)
        return tuple(dict.fromkeys(found))

    def page(self, connection: Connection, columns: tuple[str, ...], start: Start | None, limit: int) -> Generator[Row]:
        """Yield at most ``limit`` rows from ``start`` on, streamed where the driver can."""
        cursor, key = self._selection.cursor, self._selection.key
        named = tuple(dict.fromkeys((*columns, cursor, *((key,) if key else ()))))
        order: list[sa.ColumnClause[Any]] = [sa.column(name) for name in (cursor, key) if name]
        taken: Any = sa.select(*(sa.column(name) for name in named)).select_from(self._taken())
        rows = taken.where(self._from(start)).order_by(*order).limit(limit)
        with connection.begin():
            options = {"stream_results": True, "max_row_buffer": _BUFFERED_ROWS}
            for row in connection.execute(rows, execution_options=options).mappings():
                yield Row(row[cursor], row[key] if key else None, {name: row[name] for name in columns})

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.dispose()

    def _taken(self) -> Any:
        if self._selection.query is not None:
            # A colon in somebody's own SQL is never a parameter.
            own = self._selection.query.strip().rstrip(";").replace(":", r"\:")
            return sa.text(f"({own}) taken")
        schema, _, table = (self._selection.table or "").rpartition(".")
        return sa.table(table, schema=schema or None)

    def _from(self, start: Start | None) -> sa.ColumnElement[bool]:
        cursor: sa.ColumnClause[Any] = sa.column(self._selection.cursor)
        if start is None:
            return cursor.is_not(None)
        at = cursor >= _bind(start.value)
        if not start.after_key or self._selection.key is None:
            return at
        key: sa.ColumnClause[Any] = sa.column(self._selection.key)
        # The first half lets the database use its index; a key that is empty must come up, not fall through.
        return sa.and_(at, sa.or_(cursor > _bind(start.value), key > _bind(start.key), key.is_(None)))


def _bind(value: Any) -> sa.BindParameter[Any]:
    if getattr(value, "tzinfo", None) is not None:
        return sa.bindparam(None, value, sa.DateTime(timezone=True))
    return sa.bindparam(None, value)


def _open_engine(url: str, timeout_ms: int) -> Engine:
    try:
        made = make_url(url)
        driver = made.get_driver_name()
        silence = {_TIMEOUTS[driver]: timeout_ms / 1000} if driver in _TIMEOUTS else {}
        engine = sa.create_engine(made, poolclass=NullPool, hide_parameters=True, connect_args=silence)
    except ModuleNotFoundError as error:
        raise driver_missing(error.name or "?") from None
    except (SQLAlchemyError, ValueError):
        raise bad_url() from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _forbid_writing)
    if engine.dialect.name == "postgresql":
        return engine.execution_options(postgresql_readonly=True)
    return engine


def _forbid_writing(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA query_only = ON")


def is_url(text: str) -> bool:
    """Return whether a text is a SQLAlchemy URL of a database that is known, its driver installed or not."""
    try:
        return make_url(text).get_dialect() is not None
    except (SQLAlchemyError, ValueError):
        return False
