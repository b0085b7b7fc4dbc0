"""`access.db`: the people who may sign in, who is signed in, and the addresses that open the pages once."""

from __future__ import annotations

from pathlib import Path

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database, open_database

FILE = "access.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
    person_id INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE, role TEXT NOT NULL, scope TEXT NOT NULL,
    password TEXT NOT NULL, subject TEXT NOT NULL, version INTEGER NOT NULL, made_ms INTEGER NOT NULL,
    signed_in_ms INTEGER, checksum BLOB);
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY, person_id INTEGER NOT NULL, role TEXT NOT NULL, how TEXT NOT NULL,
    made_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL, checksum BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    digest TEXT PRIMARY KEY, person_id INTEGER NOT NULL, made_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL,
    checksum BLOB) WITHOUT ROWID;
"""
_COLUMNS = {
    "people": ("person_id", "login", "role", "scope", "password", "subject", "version", "made_ms", "signed_in_ms"),
    "sessions": ("digest", "person_id", "role", "how", "made_ms", "seen_ms", "ends_ms"),
    "links": ("digest", "person_id", "made_ms", "ends_ms"),
}


def open_access(folder: Path) -> Database:
    """Open ``folder/.parcours/access.db``, making its tables the first time."""
    database = open_database(folder / ".parcours" / FILE)
    if not database.has_table("links"):
        with database.transaction():
            database.execute(_SCHEMA)
            for name in _COLUMNS:
                table_of(database, name)
    return database


def table_of(access: Database, name: str) -> CheckedTable:
    """Return one of the tables: ``people``, ``sessions`` or ``links``."""
    columns = _COLUMNS[name]
    return CheckedTable(access, name, columns, columns[:1])


def tables_of(access: Database) -> tuple[CheckedTable, ...]:
    """Return every table of an open ``access.db``."""
    return tuple(table_of(access, name) for name in _COLUMNS)
