"""Opening `journal.db` for appending: after a fault its old log is moved into the file before anything is added."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from parcours.engine.store.journal import Journal
from parcours.engine.store.outbox import OutboxTable
from parcours.engine.store.sqlite import database_gone, find_place, open_database
from parcours.errors import ParcoursError
from parcours.words import Words

JOURNAL = Path(".parcours") / "journal.db"
LOG_PAGES = 4_000
"""Pages (of 4 KB) that the write-ahead log may hold before they are moved into the file."""


def journal_opener(folder: Path) -> Callable[[], tuple[Journal, Callable[[], None]]]:
    """Return what opens the journal of a company, which has to be the same file each time.

    A folder that was deleted while it was served is not made anew, nor is another one taken for it: nobody would find
    what is written there.
    """
    first: list[object] = []

    def open_it() -> tuple[Journal, Callable[[], None]]:
        place = find_place(folder / JOURNAL)
        if first and place != first[0]:
            raise database_gone(folder / JOURNAL)
        journal = open_journal(folder)
        first[:] = [find_place(folder / JOURNAL)]
        return journal

    return open_it


def open_journal(folder: Path) -> tuple[Journal, Callable[[], None]]:
    """Return the journal of a company, and what closes it.

    What the log holds is written into the file and synced first: after a failed fsync, or a crash, a page may stand in
    memory that never reached the disk, and what is appended behind it would be lost with it.

    Raises:
        ParcoursError: ``disk_full``, ``database_damaged``, ``database_busy`` …
    """
    database = open_database(folder / JOURNAL)
    try:
        database.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")
        if not database.truncate_log():
            raise ParcoursError(
                "database_busy",
                Words(
                    fr="Un autre programme lit journal.db depuis trop longtemps.",
                    en="Another program has been reading journal.db for too long.",
                ),
                Words(fr="Arrêtez-le, puis recommencez.", en="Stop it, then try again."),
                folder / JOURNAL,
            )
        journal = Journal(database)
    except BaseException:
        # What is wrong has been told; that it cannot be closed either says nothing more.
        with suppress(ParcoursError):
            database.close()
        raise
    return journal, database.close


def read_journal(folder: Path) -> Journal:
    """Return the journal for reading; it stays open."""
    return Journal(open_database(folder / JOURNAL))


def read_outbox(folder: Path) -> OutboxTable:
    """Return the outbox for whoever carries parcels out; it stays open."""
    return OutboxTable(open_database(folder / JOURNAL))
