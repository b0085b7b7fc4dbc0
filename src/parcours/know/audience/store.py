"""What the audience space keeps: views without a name in files of their own, objections, and what people were told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.digests import describe, is_intact
from parcours.engine.store.receipts import Receipt, Receipts
from parcours.engine.store.sqlite import open_database
from parcours.engine.store.tables import sync, writes_told
from parcours.errors import ParcoursError
from parcours.know.pseudonyms import Numbers
from parcours.words import Words

DATABASE, FOLDER = "audience.db", "audience"
VIEWS = pa.schema(
    [
        ("event_no", pa.int64()),
        ("day", pa.int32()),
        ("touchpoint", pa.string()),
        ("channel", pa.string()),
        ("page", pa.string()),
        ("visitor", pa.int64()),
    ]
)
"""One row a view: its number, its UTC day (since 1970), where and which page, and a number for the visitor."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS views (
    path TEXT PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
    first_event_no INTEGER NOT NULL, first_day INTEGER NOT NULL, last_day INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS objections (
    visitor INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, objects INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS informed (
    since_ms INTEGER PRIMARY KEY, fr TEXT NOT NULL, en TEXT NOT NULL, checksum BLOB);
"""


class ViewFile(msgspec.Struct, frozen=True):
    """One file of views; ``path`` is relative to ``.parcours``."""

    path: str
    rows: int
    bytes: int
    sha256: str
    first_event_no: int
    first_day: int
    last_day: int


class AudienceStore:
    """``audience.db`` and the files of views, under ``place`` (the folder ``.parcours``).

    Raises:
        ParcoursError: ``row_damaged``, ``audience_damaged``, ``disk_full`` …
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self.database = open_database(place / DATABASE)
        self.database.execute(_SCHEMA)
        fields = ViewFile.__struct_fields__
        self._files = CheckedTable(self.database, "views", fields, fields[:1])
        self._objections = CheckedTable(self.database, "objections", ("visitor", "at_ms", "objects"), ("visitor",))
        self._informed = CheckedTable(self.database, "informed", ("since_ms", "fr", "en"), ("since_ms",))
        self.receipts = Receipts(self.database)

    def files(self) -> list[ViewFile]:
        """Return the files that hold."""
        return [
            msgspec.convert(dict(zip(ViewFile.__struct_fields__, row, strict=True)), ViewFile)
            for row in self._files.all("first_event_no")
        ]

    def add(self, views: pa.Table, objections: Mapping[int, tuple[int, bool]]) -> None:
        """Keep views, and the latest objection (or its withdrawal) of each visitor, durably."""
        files = [self._write(views)] if views.num_rows else []
        with self.database.transaction():
            self._files.put(map(_cells, files))
            self._objections.put((visitor, at_ms, int(objects)) for visitor, (at_ms, objects) in objections.items())

    def objections(self) -> dict[int, tuple[int, bool]]:
        """Return when each visitor last objected, or took that back."""
        return {
            int(visitor or 0): (int(at_ms or 0), bool(objects)) for visitor, at_ms, objects in self._objections.all()
        }

    def forget_from(self, event_no: int) -> None:
        """Forget the views from event ``event_no`` on: taking them over was cut short, and is done again."""
        gone = [one.path for one in self.files() if one.first_event_no >= event_no]
        with self.database.transaction():
            for path in gone:
                self._files.drop("path = ?", (path,))
        self._sweep()

    def tell(self, information: Words, now_ms: int) -> None:
        """Note what people are told from now on, unless it is what they were told already."""
        held = self.informed()
        if not held or held[-1][1] != information:
            self._informed.put([(now_ms, information.fr, information.en)])

    def informed(self) -> list[tuple[int, Words]]:
        """Return what people were told since when."""
        return [(int(at or 0), Words(str(fr), str(en))) for at, fr, en in self._informed.all("since_ms")]

    def read(self) -> pa.Table:
        """Return every view.

        Raises:
            ParcoursError: ``audience_damaged`` names a file that is missing or not what was written.
        """
        return pa.concat_tables([VIEWS.empty_table(), *(self._read(one) for one in self.files())])

    def expire(self, before_day: int, now_ms: int) -> Receipt | None:
        """Remove the views of days before ``before_day``; return the receipt, nothing when there were none."""
        due = [one for one in self.files() if one.first_day < before_day]
        if not due:
            return None
        rows = pa.concat_tables([self._read(one) for one in due])
        old = np.asarray(rows.column("day")) < before_day
        stay = rows.filter(pa.array(~old))
        fresh = [self._write(stay)] if stay.num_rows else []
        receipt = Receipt(
            receipt_no=0,
            at_ms=now_ms,
            rows=int(old.sum()),
            texts=0,
            field_values=0,
            identifiers=0,
            until_ms=int(np.asarray(rows.column("day"))[old].max()) * 86_400_000,
            purposes={"": int(old.sum())},
            before={one.path: one.sha256 for one in due},
            after={one.path: one.sha256 for one in fresh},
        )
        with self.database.transaction():
            for one in due:
                self._files.drop("path = ?", (one.path,))
            self._files.put(map(_cells, fresh))
            receipt = self.receipts.add(receipt)
        self._sweep()
        return receipt

    def count_visits(self, visitors: Numbers) -> int:
        """Return how many views are known to be of some of ``visitors``."""
        return int(np.isin(np.asarray(self.read().column("visitor").fill_null(-1)), visitors).sum())

    def forget_visitors(self, visitors: Numbers) -> int:
        """Leave the views of ``visitors`` without their number: they count, and nobody's they are. Return how many."""
        count = 0
        for one in self.files():
            rows = self._read(one)
            theirs = np.isin(np.asarray(rows.column("visitor").fill_null(-1)), visitors)
            if not theirs.any():
                continue
            count += int(theirs.sum())
            place = rows.column_names.index("visitor")
            nameless = pc.if_else(pa.array(theirs), pa.scalar(None, pa.int64()), rows.column(place))
            fresh = self._write(rows.set_column(place, VIEWS.field(place), nameless), one.path)
            with self.database.transaction():
                self._files.drop("path = ?", (one.path,))
                self._files.put([_cells(fresh)])
        self._sweep()
        return count

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each row and file that is not what was written."""
        for table in (self._files, self._objections, self._informed, self.receipts.table):
            yield from table.verify()
        for one in self.files():
            if not is_intact(self._place / one.path, one.bytes, one.sha256, again=True):
                yield _damaged(self._place / one.path)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _read(self, one: ViewFile) -> pa.Table:
        if not is_intact(self._place / one.path, one.bytes, one.sha256):
            raise _damaged(self._place / one.path)
        return pq.ParquetFile(self._place / one.path).read().cast(VIEWS)

    def _write(self, views: pa.Table, instead_of: str = "") -> ViewFile:
        """Write views to a file of their own; one that takes the place of another has another name."""
        numbers, days = np.asarray(views.column("event_no")), np.asarray(views.column("day"))
        first = int(numbers.min())
        # A file that was written and never named has this name too: it is written over.
        name = f"{FOLDER}/{first:016d}-{int(numbers.max()):016d}-{views.num_rows}.parquet"
        if name == instead_of:
            name = f"{name.removesuffix('.parquet')}-again.parquet"
        path, draft = self._place / name, self._place / f"{name}.draft"
        with writes_told(path):
            path.parent.mkdir(exist_ok=True)
            pq.write_table(views, draft)
            sync(draft)
            draft.rename(path)
            sync(path.parent)
        size, sha256 = describe(path)
        return ViewFile(name, views.num_rows, size, sha256, first, int(days.min()), int(days.max()))

    def _sweep(self) -> None:
        """Delete the files that nothing names."""
        named = {one.path for one in self.files()}
        for path in sorted((self._place / FOLDER).glob("*")) if (self._place / FOLDER).is_dir() else ():
            if f"{FOLDER}/{path.name}" not in named:
                path.unlink(missing_ok=True)


def _cells(one: ViewFile) -> tuple[str | int, ...]:
    return tuple(getattr(one, name) for name in ViewFile.__struct_fields__)


def _damaged(path: Path) -> ParcoursError:
    return ParcoursError(
        "audience_damaged",
        Words(
            fr=f"Le fichier de mesure d'audience {path.name} manque ou est endommagé.",
            en=f"The file of audience measurement {path.name} is missing or damaged.",
        ),
        Words(fr="Rétablissez-le depuis une sauvegarde.", en="Restore it from a backup."),
        path,
    )
