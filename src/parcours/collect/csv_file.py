"""CSV files as rows: read in blocks by Arrow, looked at row by row only where a row is wrong."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from parcours.collect.csv_records import MOST_RECORD_BYTES, Records, Splitter
from parcours.collect.files import open_bytes
from parcours.collect.rows import BadRow, RawRows
from parcours.collect.source import Csv
from parcours.words import Words

BLOCK_BYTES = 8 << 20
DELIMITERS = (",", ";", "\t", "|")
_UTF8 = ("utf-8", "utf8", "utf-8-sig")

REASONS = {
    "quote_unclosed": Words(
        "Un guillemet ouvert n'est jamais refermé, ou le champ continue après lui.",
        "A quote is opened and never closed, or the field goes on after it.",
    ),
    "stray_return": Words(
        "Un retour chariot se trouve hors guillemets, sans fin de ligne.",
        "A carriage return stands outside quotes, without a line feed.",
    ),
    "row_too_large": Words(
        f"La ligne dépasse {MOST_RECORD_BYTES >> 20} Mo.", f"The row is larger than {MOST_RECORD_BYTES >> 20} MB."
    ),
    "nul_byte": Words("La ligne contient un octet nul.", "The row holds a NUL byte."),
    "not_utf8": Words("La ligne n'est pas lisible dans l'encodage annoncé.", "The row cannot be read as encoded."),
}


class CsvRows:
    """One CSV file, gzipped or not.

    Args:
        path: The file.
        csv: How it is written; without a delimiter, the one that gives the most of ``expected`` in the first line.
        expected: The columns that the source names.
    """

    complete = True

    def __init__(self, path: Path, csv: Csv, expected: Sequence[str] = ()) -> None:
        self.path = path
        self.csv = csv
        with open_bytes(path) as stream:
            head = _Utf8(csv.encoding).decode(stream.read(1 << 16), final=False)
        self.delimiter = csv.delimiter or _guess_delimiter(head, expected)
        self.columns = csv.header or _names(head, self.delimiter)
        self.mostly_unreadable = _mostly_unreadable(head, self.delimiter)

    def batches(self, wanted: Sequence[str]) -> Iterator[RawRows]:
        """Read the file block by block."""
        splitter = Splitter(self.delimiter)
        decoder = _Utf8(self.csv.encoding)
        headed = not self.csv.header
        with open_bytes(self.path) as stream:
            final = False
            while not final:
                block = stream.read(BLOCK_BYTES)
                final = not block
                records = splitter.split(decoder.decode(block, final), final)
                if headed and len(records.starts):
                    records = _without_first(records)
                    headed = False
                if len(records.starts):
                    yield self._parse(records, wanted, stream.place())

    def _parse(self, records: Records, wanted: Sequence[str], seen: int) -> RawRows:
        bad = dict(records.malformed)
        _find_nuls(records, bad)
        _find_not_utf8(records, bad)
        table, ragged = self._parse_good(records, bad, wanted)
        if ragged or table.num_rows != len(_good(records, bad)):
            # Where Arrow sees other records than we do, it does not say which have the wrong number of fields.
            found = {i: "ragged_row" for i, n in self._field_counts(records, bad) if n != len(self.columns)}
            bad.update(found)
            table, ragged = self._parse_good(records, bad, wanted)
        good = _good(records, bad)
        if table.num_rows != len(good):
            table = self._parse_in_python(records, good, wanted)
        starts, ends = records.starts[good], records.ends[good]

        def original(row: int) -> bytes:
            return self._original(records.data[starts[row] : ends[row]])

        return RawRows(
            lines=records.lines[good],
            columns={name: table.column(i).combine_chunks() for i, name in enumerate(wanted)},
            bad=[self._bad_row(records, index, bad[index]) for index in sorted(bad)],
            original=original,
            seen=seen,
        )

    def _parse_good(self, records: Records, bad: dict[int, str], wanted: Sequence[str]) -> tuple[pa.Table, bool]:
        """Parse all but the ``bad`` records; the flag says that some had too few or too many fields."""
        ragged = []

        def skip(row: arrow_csv.InvalidRow) -> str:
            ragged.append(row.actual_columns)
            return "skip"

        names = [str(index) for index in range(len(self.columns))]
        kept = [str(self.columns.index(name)) for name in wanted]
        data = _without(records, bad)
        if not data:
            return pa.table({name: pa.array([], pa.string()) for name in names}).select(kept), False
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=kept,
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
        return table, bool(ragged)

    def _field_counts(self, records: Records, bad: dict[int, str]) -> Iterator[tuple[int, int]]:
        for index in _good(records, bad).tolist():
            yield index, len(self._fields(records.data[records.starts[index] : records.ends[index]]))

    def _fields(self, record: bytes) -> list[str]:
        csv.field_size_limit(MOST_RECORD_BYTES)
        return next(csv.reader(io.StringIO(record.decode("utf-8"), newline=""), delimiter=self.delimiter), [])

    def _parse_in_python(
        self, records: Records, good: np.ndarray[tuple[int], np.dtype[np.int64]], wanted: Sequence[str]
    ) -> pa.Table:
        """Parse record by record, for the rare block where Arrow sees other records than we do."""
        fields = [self._fields(records.data[records.starts[i] : records.ends[i]]) for i in good.tolist()]
        places = [self.columns.index(name) for name in wanted]
        columns = [[row[place] if place < len(row) else "" for row in fields] for place in places]
        return pa.table([pa.array(column, pa.string()) for column in columns], names=[str(p) for p in places])

    def _bad_row(self, records: Records, index: int, code: str) -> BadRow:
        data = records.data[records.starts[index] : records.ends[index]]
        if code == "ragged_row":
            found, wanted = len(self._fields(data)), len(self.columns)
            reason = Words(
                f"La ligne a {found} champs au lieu de {wanted}.", f"The row has {found} fields instead of {wanted}."
            )
        else:
            reason = REASONS[code]
        return BadRow(int(records.lines[index]), code, reason, self._original(data[:MOST_RECORD_BYTES]))

    def _original(self, data: bytes) -> bytes:
        if self.csv.encoding.lower() in _UTF8:
            return data
        return data.decode("utf-8", "surrogateescape").encode(self.csv.encoding, "surrogateescape")


class _Utf8:
    """Turns any encoding into UTF-8; a byte that the encoding does not know stays as it is, and is found later."""

    def __init__(self, encoding: str) -> None:
        self._plain = encoding.lower() in _UTF8
        wide = codecs.lookup(encoding).name.startswith("utf-")
        self._decoder = codecs.getincrementaldecoder(encoding)("replace" if wide else "surrogateescape")
        self._first = True

    def decode(self, data: bytes, final: bool) -> bytes:
        """Return ``data`` in UTF-8, without the byte order mark that may open the file."""
        if not self._plain:
            data = self._decoder.decode(data, final).encode("utf-8", "surrogateescape")
        if self._first and data:
            self._first = False
            data = data.removeprefix(codecs.BOM_UTF8)
        return data


def _first_record(head: bytes, delimiter: str) -> str:
    records = Splitter(delimiter).split(head, final=True)
    if not len(records.starts):
        return ""
    return records.data[records.starts[0] : records.ends[0]].decode("utf-8", "replace")


def _names(head: bytes, delimiter: str) -> tuple[str, ...]:
    fields = next(csv.reader(io.StringIO(_first_record(head, delimiter), newline=""), delimiter=delimiter), [])
    return tuple(name.strip() for name in fields)


def _mostly_unreadable(head: bytes, delimiter: str) -> bool:
    """Say whether most rows at the head of a file are not in its encoding: then the encoding is wrong, not the rows."""
    records = Splitter(delimiter).split(head[: head.rfind(b"\n") + 1], final=True)
    unreadable: dict[int, str] = {}
    if len(records.starts):
        _find_not_utf8(records, unreadable)
    return len(unreadable) > len(records.starts) // 2 and len(unreadable) > 1


def _guess_delimiter(head: bytes, expected: Sequence[str]) -> str:
    wanted = set(expected)

    def score(delimiter: str) -> tuple[int, int]:
        names = _names(head, delimiter)
        return len(wanted & set(names)), len(names)

    return max(DELIMITERS, key=score)


def _without_first(records: Records) -> Records:
    malformed = {index - 1: code for index, code in records.malformed.items() if index}
    return Records(records.data, records.starts[1:], records.ends[1:], records.lines[1:], malformed)


def _good(records: Records, bad: dict[int, str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    keep = np.ones(len(records.starts), bool)
    keep[list(bad)] = False
    return np.flatnonzero(keep)


def _without(records: Records, bad: dict[int, str]) -> bytes:
    """Return the bytes of the block from its first record on, without the ``bad`` ones."""
    if not bad:
        return records.data[int(records.starts[0]) : int(records.ends[-1])]
    pieces = []
    place = int(records.starts[0])
    for index in sorted(bad):
        pieces.append(records.data[place : int(records.starts[index])])
        following = index + 1
        place = int(records.starts[following]) if following < len(records.starts) else int(records.ends[-1])
    pieces.append(records.data[place : int(records.ends[-1])])
    return b"".join(pieces)


def _find_nuls(records: Records, bad: dict[int, str]) -> None:
    place = records.data.find(b"\0")
    while place >= 0:
        index = int(np.searchsorted(records.starts, place, side="right")) - 1
        if index >= 0 and place < records.ends[index]:
            bad.setdefault(index, "nul_byte")
        following = int(records.starts[index + 1]) if index + 1 < len(records.starts) else len(records.data)
        place = records.data.find(b"\0", max(following, place + 1))


def _find_not_utf8(records: Records, bad: dict[int, str]) -> None:
    """Find the records that are not UTF-8; the whole block is tried first."""
    first, last = int(records.starts[0]), int(records.ends[-1])
    try:
        str(memoryview(records.data)[first:last], "utf-8")
        return
    except UnicodeDecodeError:
        pass
    high = np.flatnonzero(np.frombuffer(records.data, np.uint8)[first:last] >= 0x80) + first
    for index in np.unique(np.searchsorted(records.starts, high, side="right") - 1).tolist():
        try:
            records.data[records.starts[index] : records.ends[index]].decode("utf-8")
        except UnicodeDecodeError:
            bad.setdefault(index, "not_utf8")
