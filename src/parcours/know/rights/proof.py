"""The proof of an erasure: every column of every file is decoded, and whoever was erased is looked for in all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from parcours.collect.journal.sealing import Sealer
from parcours.engine.store.journal import Batch, Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.sqlite import Cell, Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.rights.copies import count_aside
from parcours.know.rights.notices import is_notice
from parcours.know.rights.receipts import Proof
from parcours.know.rights.registers import GoneRows, find_known
from parcours.know.rights.sought import Sought
from parcours.know.vault import Vault

_ROWS = 1 << 18
_APART = {"tombstones", "retained", "erasures", "tallies", "consent_proofs", "audit", "entries"}
"""Tables that hold what an erasure leaves on purpose, under keys of their own, and nobody in the clear."""

_SEALED = {"batches", "aside", "quarantine", "outbox", "texts", "requests", "personal", "vault"}
_SEALED |= {"identifier_keys", "company_keys", "hour_keys"}
"""Tables whose bytes are sealed: what can be opened is, with what their rows say of themselves."""


class Prover:
    """Reads everything that one company keeps.

    Args:
        folder: The company folder.
        manifest, state: Its open databases.
        keys: What opens what is sealed.
        sought: Who is looked for.
        rows: Tells which row keys are looked for.
        advance: Hears of the bytes that were read.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        state: Database,
        keys: Keys,
        sought: Sought,
        rows: GoneRows,
        advance: Callable[[int], None],
    ) -> None:
        self._folder, self._root = folder, folder / ".parcours"
        self._manifest, self._state, self._keys = manifest, state, keys
        self._sought, self._rows, self._advance = sought, rows, advance
        self._found: Counter[str] = Counter()
        self._mentions: Counter[str] = Counter()
        self._files = self._columns = self._cells = self._arriving = 0

    def run(self, others: dict[str, Database], since_batch_no: int) -> Proof:
        """Read it all; batches after ``since_batch_no`` came in since and wait for the door.

        Raises:
            ParcoursError: ``part_damaged``, ``database_damaged`` …: what cannot be read proves nothing.
        """
        with self._manifest.lease():
            for path in sorted(self._root.rglob("*")):
                if path.is_file():
                    self._read_file(path)
            self._found["registers"] += find_known(self._folder, self._manifest, self._rows)
        for name, database in {"journal.db": self._manifest.database, "state.db": self._state, **others}.items():
            self._read_database(name, database)
        self._read_sealed(since_batch_no)
        self._found["keys"] += len(self._keys.held(self._sought.pseudonyms.tolist()))
        found, mentions = (
            {place: count for place, count in sorted(counts.items()) if count}
            for counts in (self._found, self._mentions)
        )
        return Proof(self._files, self._columns, self._cells, found, mentions, self._arriving)

    def _read_file(self, path: Path) -> None:
        place = str(path.relative_to(self._root))
        # Databases, registers and logs of databases are read through what understands them.
        apart = ".db" in path.name or path.parent.name in ("known", "seen", "made", "leases") or path.suffix == ".key"
        with suppress(FileNotFoundError):  # What was replaced since it was listed.
            size = path.stat().st_size
            self._files += 1
            if path.suffix == ".parquet":
                self._read_parquet(path, place)
            elif path.suffix == ".npy":
                self._note(place, int(self._sought.among(np.load(path, mmap_mode="r").ravel().astype(np.int64)).sum()))
            elif not apart and path.name not in ("lock", "serving", "pages"):
                self._columns += 1
                self._cells += 1
                self._found[place] += self._sought.in_bytes(path.read_bytes())
            self._advance(size)

    def _read_parquet(self, path: Path, place: str) -> None:
        file = pq.ParquetFile(path)
        # A part is named by its source, its bucket and a random number.
        source = path.name.rsplit("-", 2)[0] if path.parent.name == "parts" else ""
        for group in range(file.num_row_groups):
            for name in file.schema_arrow.names:
                column = file.read_row_group(group, [name], use_threads=False).column(0)
                self._look_through(column, source, place, name)

    def _look_through(self, column: pa.ChunkedArray, source: str, place: str, name: str) -> None:
        self._columns += 1
        self._cells += len(column)
        kind = column.type
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        if pa.types.is_int64(kind) or pa.types.is_uint64(kind):
            numbers = np.asarray(column.drop_null())
            self._note(f"{place} {name}", int(self._sought.among(numbers.astype(np.int64)).sum()))
            if source and name == "row_key":
                self._note(f"{place} {name}", int(self._rows.of(source)(numbers).sum()))
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            told = sum(self._sought.in_text(text) for text in pc.unique(column).to_pylist() if text)
            if told:
                # A field of an event that is somebody else's.
                self._mentions[name] += told

    def _note(self, place: str, count: int) -> None:
        if count:
            self._found[place] += count

    def _read_database(self, name: str, database: Database) -> None:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for table in (str(row[0]) for row in tables):
            columns = database.columns_of(table)
            self._columns += len(columns)
            if table in _APART or not columns:
                continue
            self._cells += len(columns) * int(database.execute(f"SELECT count(*) FROM {table}")[0][0] or 0)
            self._note(f"{name} {table}", self._count_numbers(database, table, columns))
            for cells in _read_others(database, table, columns):
                self._note(f"{name} {table}", sum(self._is_in(table, cell) for cell in cells))

    def _count_numbers(self, database: Database, table: str, columns: list[str]) -> int:
        """Return how many cells are one of the pseudonyms; SQLite itself looks through all of them."""
        listed = ", ".join(map(str, self._sought.pseudonyms.tolist())) or "NULL"
        asked = " + ".join(f'coalesce(sum("{column}" IN ({listed})), 0)' for column in columns)
        return int(database.execute(f"SELECT {asked} FROM {table}")[0][0] or 0)

    def _is_in(self, table: str, cell: Cell) -> bool:
        if isinstance(cell, str):
            return self._sought.in_text(cell)
        if not isinstance(cell, bytes) or table in _SEALED:
            return False
        return self._in_blob(cell)

    def _in_blob(self, blob: bytes) -> bool:
        """Look through bytes as they are, and unpacked where they are packed."""
        if len(blob) <= 32:
            return self._sought.holds_pattern(blob)
        for start in (0, 8):
            with suppress(zstandard.ZstdError):
                return self._sought.in_bytes(zstandard.ZstdDecompressor().decompress(blob[start:], 64 << 20))
        return self._sought.in_bytes(blob)

    def _read_sealed(self, since_batch_no: int) -> None:
        """Open what is sealed: quarantine, queues, texts, requests and the batches of the journal."""
        manifest, keys, sought = self._manifest, self._keys, self._sought
        self._found["quarantine"] += count_aside(manifest, keys, sought)
        rows = manifest.database.execute("SELECT original FROM quarantine")
        self._found["quarantine of files"] += sum(sought.in_bytes(keys.unseal(_blob(row[0]))) for row in rows)
        for message_id, body in manifest.database.execute("SELECT message_id, body FROM outbox"):
            if not is_notice(str(message_id)):
                self._found["outbox"] += sought.in_bytes(keys.unseal(_blob(body)))
        for text in Vault(self._state, keys).read_all_texts():
            self._cells += 1
            self._mentions["texts"] += sought.in_text(text)
        self._read_journal(since_batch_no)

    def _read_journal(self, since_batch_no: int) -> None:
        sealer, journal = Sealer(self._keys.hour_key), Journal(self._manifest.database)
        for one in journal.read():
            if not isinstance(one, Batch):
                continue
            with suppress(ParcoursError):  # Without its key nobody can read it.
                held = any(self._sought.in_bytes(delivery.body) for delivery in sealer.open(one))
                self._arriving += held and one.batch_no > since_batch_no
                self._found["journal"] += held and one.batch_no <= since_batch_no


def _read_others(database: Database, table: str, columns: list[str]) -> Iterator[list[Cell]]:
    """Yield the cells that are texts or bytes, some at a time: numbers are counted where they lie."""
    for column in columns:
        other = f"""SELECT "{column}" FROM {table} WHERE typeof("{column}") IN ('text', 'blob')"""
        place = 0
        while rows := database.execute(f"{other} LIMIT ? OFFSET ?", (_ROWS, place)):
            yield [row[0] for row in rows]
            place += len(rows)
            if len(rows) < _ROWS:
                break


def _blob(cell: Cell) -> bytes:
    return cell if isinstance(cell, bytes) else b""
