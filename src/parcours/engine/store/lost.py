"""Batches that could not be taken over, in `journal.db`: which, why, and how many events they said they held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.words import Words

SCHEMA = """
CREATE TABLE IF NOT EXISTS lost (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL, code TEXT NOT NULL, events INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, checksum BLOB);
"""
MISSING = "batch_missing"
DAMAGED = "batch_damaged"
KEYLESS = "hour_key_gone"


class Lost(msgspec.Struct, frozen=True):
    """Batches ``first`` to ``last``: ``code`` is `MISSING`, `DAMAGED` or `KEYLESS`.

    ``events`` is what they said of themselves, 0 where nothing is left to say it; ``at_ms`` when that was found out.
    """

    first: int
    last: int
    code: str
    events: int
    at_ms: int


LOST = Lost.__struct_fields__


class LostBatches:
    """The register over an open ``journal.db``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._db.execute(SCHEMA)
        self._table = CheckedTable(database, "lost", LOST, ("first",))

    def add(self, batches: Iterable[Lost]) -> None:
        """Note batches, in one transaction or in the one that the caller holds."""
        self._table.put(msgspec.structs.astuple(one) for one in batches)

    def all(self) -> list[Lost]:
        """Return every note, by number.

        Raises:
            ParcoursError: ``row_damaged``.
        """
        return [msgspec.convert(dict(zip(LOST, row, strict=True)), Lost) for row in self._table.all("first")]

    def remove(self, first: int) -> None:
        """Drop the note of a batch that could be opened after all."""
        self._table.drop("first = ?", (first,))

    def forget_before(self, at_ms: int) -> None:
        """Drop the notes made before ``at_ms``."""
        self._table.drop("at_ms < ?", (at_ms,))

    def verify(self) -> Iterator[ParcoursError]:
        """Yield an error for each note, and for each that was altered."""
        yield from self._table.verify()
        for one in self.all():
            yield tell_lost(one, self._db)


def tell_lost(one: Lost, database: Database) -> ParcoursError:
    """Return what is told of batches that could not be taken over."""
    number = str(one.first) if one.first == one.last else f"{one.first}–{one.last}"
    if one.code == MISSING:
        sentence = Words(
            fr=f"Le lot {number} du journal a disparu avant d'être traité : ses événements sont perdus.",
            en=f"Batch {number} of the journal went missing before it was taken over: its events are lost.",
        )
        remedy = Words(
            fr="Redemandez à leurs sources les événements reçus alors ; parcours verify cesse de le dire quand le "
            "délai de la quarantaine est passé.",
            en="Ask their sources again for the events received then; parcours verify says so until the days of "
            "quarantine have passed.",
        )
    else:
        sentence = Words(
            fr=f"Le lot {number} du journal ({one.events} événement(s)) ne s'ouvre pas : il attend en quarantaine.",
            en=f"Batch {number} of the journal ({one.events} event(s)) does not open: it waits in quarantine.",
        )
        remedy = Words(
            fr="Si keys.db a été remplacé, rétablissez-le puis rejouez la quarantaine (parcours replay) ; sinon "
            "redemandez ces événements à leurs sources.",
            en="If keys.db was replaced, restore it, then replay the quarantine (parcours replay); otherwise ask "
            "their sources for these events again.",
        )
    return ParcoursError(one.code, sentence, remedy, database.path)
