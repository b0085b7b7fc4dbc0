"""`state.db`: the vault, the consent ledger, identity edges, and the numbers that purposes and text fields keep."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from parcours.engine.store.checked import TAG, CheckedTable, Tally
from parcours.engine.store.sqlite import Database, open_database
from parcours.errors import ParcoursError
from parcours.know.pseudonyms import quick_checksums
from parcours.words import Words

MOST_NUMBERS = 62
CONSENT = """
CREATE TABLE IF NOT EXISTS consent (
    entry_no INTEGER PRIMARY KEY, principal INTEGER, purpose INTEGER, choice INTEGER, occurred_ms INTEGER,
    confirmed_ms INTEGER, recorded_ms INTEGER, event_no INTEGER, made_ms INTEGER, context INTEGER, evidence INTEGER,
    salt BLOB, commitment BLOB, link BLOB NOT NULL);
"""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vault (
    pseudonym INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL, first_event_no INTEGER NOT NULL, sealed BLOB NOT NULL,
    checksum INTEGER);
CREATE INDEX IF NOT EXISTS vault_by_event ON vault (first_event_no);
CREATE TABLE IF NOT EXISTS texts (
    ref INTEGER PRIMARY KEY, subject INTEGER NOT NULL, event_no INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS texts_by_event ON texts (event_no);
CREATE TABLE IF NOT EXISTS personal (
    subject INTEGER PRIMARY KEY, first_event_no INTEGER NOT NULL, last_event_no INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS consent_contexts (number INTEGER PRIMARY KEY, body BLOB NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS consent_evidence (number INTEGER PRIMARY KEY, text TEXT NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS consent_proofs (
    entry_no INTEGER PRIMARY KEY, holder INTEGER NOT NULL, until_ms INTEGER NOT NULL, sealed BLOB NOT NULL,
    checksum BLOB);
CREATE TABLE IF NOT EXISTS edges (
    block_no INTEGER PRIMARY KEY AUTOINCREMENT, first_event_no INTEGER NOT NULL, last_event_no INTEGER NOT NULL,
    seen INTEGER NOT NULL, body BLOB NOT NULL, checksum BLOB NOT NULL, source TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS scored (
    one INTEGER NOT NULL, other INTEGER NOT NULL, event_no INTEGER NOT NULL, weight_milli INTEGER NOT NULL,
    model_no INTEGER NOT NULL, standing INTEGER NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (one, other));
CREATE INDEX IF NOT EXISTS scored_by_other ON scored (other);
CREATE TABLE IF NOT EXISTS identity_acts (
    act_no INTEGER PRIMARY KEY, decision TEXT NOT NULL, one INTEGER NOT NULL, other INTEGER NOT NULL,
    event_no INTEGER NOT NULL, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, cause TEXT NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS identity_changes (
    change_no INTEGER PRIMARY KEY, act_no INTEGER NOT NULL, identifier INTEGER NOT NULL, old_profile INTEGER NOT NULL,
    new_profile INTEGER NOT NULL, event_no INTEGER NOT NULL, cause TEXT NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS shared_devices (device INTEGER PRIMARY KEY, event_no INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS renamed (pseudonym INTEGER PRIMARY KEY, stands_for INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS link_models (
    model_no INTEGER PRIMARY KEY, made_ms INTEGER NOT NULL, plan TEXT NOT NULL, records INTEGER NOT NULL,
    body TEXT NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS numbers (kind TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, checksum BLOB,
    PRIMARY KEY (kind, name), UNIQUE (kind, number));
CREATE TABLE IF NOT EXISTS purpose_versions (number INTEGER PRIMARY KEY, purpose TEXT NOT NULL, basis TEXT NOT NULL,
    version INTEGER NOT NULL, since_ms INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS masked (day INTEGER NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, checksum BLOB,
    PRIMARY KEY (day, kind));
"""
_TALLIES = {
    "vault": "checksum",
    "texts": TAG.format("sealed"),
    "personal": TAG.format("sealed"),
    "consent": "substr(link, 1, 16)",
    "edges": "checksum",
    "scored": "checksum",
}


def open_state(folder: Path) -> Database:
    """Open ``folder/.parcours/state.db``, making its tables on the first run."""
    database = open_database(folder / ".parcours" / "state.db")
    with database.transaction() if not database.has_table("tallies") else nullcontext():
        older = not database.has_table("tallies")
        database.execute(CONSENT + _SCHEMA)
        if database.add_column("vault", "checksum", "INTEGER"):
            _fill_checksums(database)
        database.add_column("edges", "source", "TEXT NOT NULL DEFAULT ''")
        for table in _TALLIES:
            tally_of(database, table).begin(fill=older)
        numbers_of(database)
    return database


def tally_of(state: Database, table: str) -> Tally:
    """Return the tally of ``table``: how many rows there are, and the sum of their checksums."""
    if table == "consent" and "link" not in state.columns_of(table):
        return Tally(state, table)  # Of an older version: its ledger is not chained yet.
    return Tally(state, table, _TALLIES[table])


def numbers_of(state: Database) -> CheckedTable:
    """Return the table of the numbers that names keep."""
    return CheckedTable(state, "numbers", ("kind", "name", "number"), ("kind", "name"))


def number_names(state: Database, kind: str, names: Sequence[str]) -> dict[str, int]:
    """Return the stable number of each of ``names``; a new name takes the next one, and none is ever given twice.

    Raises:
        ParcoursError: ``too_many_names`` past 62 numbers of one kind.
    """
    numbers = numbers_of(state)
    known = read_numbers(numbers, kind)
    if not known.keys() >= set(names):
        with state.transaction():
            known = read_numbers(numbers, kind)
            for name in names:
                if name not in known:
                    known[name] = max(known.values(), default=-1) + 1
                    if known[name] >= MOST_NUMBERS:
                        raise _too_many(kind)
                    numbers.put([(kind, name, known[name])])
    return {name: known[name] for name in names}


def damaged(table: str, line: object, path: Path) -> ParcoursError:
    """Return the error that names a line of ``table`` whose checksum does not hold."""
    return ParcoursError(
        "state_damaged",
        Words(
            fr=f"La ligne {line} de « {table} » a été altérée dans {path.name}.",
            en=f"Line {line} of “{table}” has been altered in {path.name}.",
        ),
        Words(
            fr="Rétablissez ce fichier depuis une sauvegarde : rien de ce qu'il contient n'est montré d'ici là.",
            en="Restore this file from a backup: nothing that rests on it is shown until then.",
        ),
        path,
    )


def read_numbers(numbers: CheckedTable, kind: str) -> dict[str, int]:
    """Return the number of every name of one ``kind``."""
    return {str(name): int(number or 0) for held, name, number in numbers.all() if held == kind}


def _fill_checksums(database: Database) -> None:
    """Give the vault of an older version the checksums of its rows."""
    rows = database.execute("SELECT pseudonym, fingerprint, first_event_no FROM vault")
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    told = zip(quick_checksums(table).tolist(), table[:, 0].tolist(), strict=True)
    database.executemany("UPDATE vault SET checksum = ? WHERE pseudonym = ?", told)


def _too_many(kind: str) -> ParcoursError:
    return ParcoursError(
        "too_many_names",
        Words(
            fr=f"Plus de {MOST_NUMBERS} noms ont servi ({kind}), anciens compris.",
            en=f"More than {MOST_NUMBERS} names have been in use ({kind}), old ones included.",
        ),
        Words(
            fr="Reprenez un nom qui a déjà servi, ou ouvrez un nouveau dossier d'entreprise.",
            en="Use a name that has served before, or open a new company folder.",
        ),
    )
