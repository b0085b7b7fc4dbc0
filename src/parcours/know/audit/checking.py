"""Whether the audit log is what was written: every entry in its place, the chain unbroken, every root right."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from parcours.engine.store.checked import checksum_of
from parcours.engine.store.sqlite import Cell
from parcours.errors import ParcoursError
from parcours.know.audit.entries import CELLS, START, LogTables, blob, hash_entry, link
from parcours.know.audit.merkle import Hashes, grow, root_of
from parcours.words import Words

_READ = 10_000
_COLUMNS = ", ".join((*CELLS, "chain", "checksum"))
_REMEDY = Words(
    fr="Gardez ce fichier comme preuve, puis rétablissez audit.db depuis une sauvegarde et comparez-le aux racines "
    "remises à d'autres (parcours audit … held).",
    en="Keep this file as evidence, then restore audit.db from a backup and compare it with the roots that others "
    "were given (parcours audit … held).",
)


def check_log(tables: LogTables) -> Iterator[ParcoursError]:
    """Yield what is wrong with the log: each entry that is, then its end, then the first root that does not hold."""
    broken = False
    for table in (tables.head, tables.roots):
        for fault in table.verify():
            broken = True
            yield fault
    # Only rows that are what was written say where the log ends and what its roots were.
    due = {} if broken else {int(entries or 0): (int(day or 0), root) for day, entries, root in tables.roots.all()}
    path, last, chain = tables.database.path, 0, START
    peaks: Hashes = ()
    for row in _read(tables):
        number, cells = int(row[0] or 0), row[:-2]
        for fault in _check_entry(tables, row, last, chain):
            broken = True
            yield fault
        last, chain = number, blob(row[-2])
        if not broken:
            peaks = grow(peaks, number - 1, hash_entry(cells))
            if number in due and due[number][1] != root_of(peaks):
                broken = True
                yield _root_wrong(path, due[number][0])
    if not broken:
        yield from _check_end(tables, last, chain, peaks)


def _check_entry(tables: LogTables, row: tuple[Cell, ...], last: int, chain: bytes) -> Iterator[ParcoursError]:
    number, path = int(row[0] or 0), tables.database.path
    if number != last + 1:
        yield _removed(path, last + 1, number - 1)
    if checksum_of("entries", row[:-1], tables.secret) != row[-1]:
        yield _altered(path, number)
    elif number == last + 1 and link(chain, hash_entry(row[:-2])) != row[-2]:
        yield _out_of_place(path, number)


def _check_end(tables: LogTables, last: int, chain: bytes, peaks: Hashes) -> Iterator[ParcoursError]:
    head, path = tables.read_head(), tables.database.path
    if head.entries > last:
        yield _removed(path, last + 1, head.entries)
    elif head.entries < last:
        yield _out_of_place(path, head.entries + 1)
    elif head.chain != chain or head.peaks != peaks:
        yield _out_of_place(path, last)
    else:
        yield from tables.entries.tally.verify(row[-1] for row in _read(tables))


def _read(tables: LogTables) -> Iterator[tuple[Cell, ...]]:
    sql = f"SELECT {_COLUMNS} FROM entries WHERE entry_no > ? ORDER BY entry_no LIMIT ?"
    for rows in tables.database.read_on(sql, -1, _READ):
        yield from rows


def log_damaged(path: Path) -> ParcoursError:
    """Return the error for a log of which something that was read is not what was written."""
    sentence = Words(
        fr="Le journal d'audit n'est plus ce qui y a été écrit ; parcours verify dit où.",
        en="The audit log is not what was written to it any more; parcours verify says where.",
    )
    return ParcoursError("audit_altered", sentence, _REMEDY, path)


def _altered(path: Path, number: int) -> ParcoursError:
    sentence = Words(
        fr=f"L'entrée {number} du journal d'audit a été altérée.",
        en=f"Entry {number} of the audit log has been altered.",
    )
    return ParcoursError("audit_altered", sentence, _REMEDY, path)


def _removed(path: Path, first: int, last: int) -> ParcoursError:
    sentence = Words(
        fr=f"Les entrées {first} à {last} du journal d'audit ont été enlevées.",
        en=f"Entries {first} to {last} of the audit log have been removed.",
    )
    if first >= last:
        sentence = Words(
            fr=f"L'entrée {first} du journal d'audit a été enlevée.",
            en=f"Entry {first} of the audit log has been removed.",
        )
    return ParcoursError("audit_removed", sentence, _REMEDY, path)


def _out_of_place(path: Path, number: int) -> ParcoursError:
    sentence = Words(
        fr=f"L'entrée {number} du journal d'audit ne suit pas la précédente : ajoutée, déplacée ou remplacée.",
        en=f"Entry {number} of the audit log does not follow the one before: added, moved or replaced.",
    )
    return ParcoursError("audit_out_of_place", sentence, _REMEDY, path)


def _root_wrong(path: Path, day: int) -> ParcoursError:
    told = time.strftime("%Y-%m-%d", time.gmtime(day * 86_400))
    sentence = Words(
        fr=f"La racine du journal d'audit au {told} ne correspond pas à ses entrées.",
        en=f"The root of the audit log of {told} does not fit its entries.",
    )
    return ParcoursError("audit_root_wrong", sentence, _REMEDY, path)
