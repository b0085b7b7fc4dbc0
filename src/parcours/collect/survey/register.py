"""The register of answers: which links have been answered, when, and with what, so that each counts once."""

from __future__ import annotations

import hmac
import struct
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from parcours.engine.store.sqlite import Cell, open_database
from parcours.errors import ParcoursError
from parcours.words import Words

FILE = "surveys.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answered (
    answer BLOB PRIMARY KEY, digest BLOB NOT NULL, moment_ms INTEGER NOT NULL, kept_until_ms INTEGER NOT NULL,
    accepted INTEGER NOT NULL, checksum BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answered_by_end ON answered (kept_until_ms);
"""
_COLUMNS = "answer, digest, moment_ms, kept_until_ms, accepted, checksum"


class Entry(NamedTuple):
    """One answer: its name, the digest of its content, when it was first given, and whether it is safely kept."""

    answer: bytes
    digest: bytes
    moment_ms: int
    kept_until_ms: int
    accepted: bool


class Register:
    """``.parcours/surveys.db``: keyed hashes and times alone, no identifier, no score, no word.

    Several processes may hold it open; each change is on disk before it returns.

    Args:
        folder: The company folder.
        key: Checks every line.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._key = key
        self._database = open_database(folder / ".parcours" / FILE)
        self._database.execute(_SCHEMA)

    def find(self, answer: bytes) -> Entry | None:
        """Return the entry of ``answer``, or nothing.

        Raises:
            ParcoursError: ``survey_register_damaged`` names the line that was altered; ``disk_full``,
                ``database_damaged``, ``database_busy``.
        """
        rows = self._database.execute(f"SELECT {_COLUMNS} FROM answered WHERE answer = ?", (answer,))
        return self._check(rows[0]) if rows else None

    def claim(self, answer: bytes, digest: bytes, now_ms: int, kept_until_ms: int) -> Entry:
        """Enter ``answer`` unless it has been, and return its entry.

        The first content counts. While it is not safely kept it may still be replaced: whoever was told that nothing
        was recorded may come back with another word. The moment stays that of the first attempt, because a message id
        is only ever compared within a day: should the first content have arrived after all, the second meets it there
        and waits in quarantine instead of counting too. Errors as in `find`.
        """
        with self._database.transaction():
            held = self.find(answer)
            if held is not None and (held.accepted or hmac.compare_digest(held.digest, digest)):
                return held
            entry = Entry(answer, digest, held.moment_ms if held else now_ms, kept_until_ms, False)
            self._write(entry)
            return entry

    def settle(self, entry: Entry) -> bool:
        """Note that ``entry`` is safely kept; return whether it stands from now on.

        It does not when another process settled another answer first. Errors as in `find`.
        """
        with self._database.transaction():
            held = self.find(entry.answer)
            if held is not None and held.accepted:
                return hmac.compare_digest(held.digest, entry.digest)
            self._write(entry._replace(accepted=True))
            return True

    def sweep(self, now_ms: int) -> int:
        """Drop what nobody can ask about any more; return how many entries went."""
        with self._database.transaction():
            count = self._database.execute("SELECT count(*) FROM answered WHERE kept_until_ms < ?", (now_ms,))[0][0]
            self._database.execute("DELETE FROM answered WHERE kept_until_ms < ?", (now_ms,))
        return int(count or 0)

    def find_damaged(self) -> list[str]:
        """Read every line; return the names of those whose checksum does not hold."""
        rows = self._database.execute(f"SELECT {_COLUMNS} FROM answered")
        return [_name(row[0]) for row in rows if self._open(row) is None]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _write(self, entry: Entry) -> None:
        row = (entry.answer, entry.digest, entry.moment_ms, entry.kept_until_ms, int(entry.accepted))
        self._database.execute(
            f"INSERT OR REPLACE INTO answered ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", (*row, self._checksum(entry))
        )

    def _check(self, row: tuple[Cell, ...]) -> Entry:
        entry = self._open(row)
        if entry is None:
            raise ParcoursError(
                "survey_register_damaged",
                Words(
                    fr=f"La ligne {_name(row[0])} du registre des réponses a été altérée dans {FILE}.",
                    en=f"Line {_name(row[0])} of the register of answers has been altered in {FILE}.",
                ),
                Words(
                    fr="Rétablissez ce fichier depuis une sauvegarde ; déplacé, il est refait vide, et les liens déjà "
                    "répondus acceptent une autre réponse.",
                    en="Restore this file from a backup; moved aside it is made anew, empty, and links that have been "
                    "answered take another answer.",
                ),
                self._database.path,
            )
        return entry

    def _open(self, row: tuple[Cell, ...]) -> Entry | None:
        answer, digest, moment_ms, kept_until_ms, accepted, checksum = row
        if not (isinstance(answer, bytes) and isinstance(digest, bytes) and isinstance(checksum, bytes)):
            return None
        if not (isinstance(moment_ms, int) and isinstance(kept_until_ms, int) and accepted in (0, 1)):
            return None
        entry = Entry(answer, digest, moment_ms, kept_until_ms, bool(accepted))
        return entry if hmac.compare_digest(self._checksum(entry), checksum) else None

    def _checksum(self, entry: Entry) -> bytes:
        numbers = struct.pack("<IqqB", len(entry.answer), entry.moment_ms, entry.kept_until_ms, entry.accepted)
        return hmac.digest(self._key, numbers + entry.answer + entry.digest, sha256)[:16]


def _name(answer: Cell) -> str:
    return answer.hex() if isinstance(answer, bytes) else repr(answer)
