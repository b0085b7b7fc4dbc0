"""Where the records of a CSV file begin and end: block by block, in memory that does not grow with the file."""

from __future__ import annotations

import re

import msgspec
import numpy as np

from parcours.collect.rows import Ints

MOST_RECORD_BYTES = 1 << 20
"""A longer record is refused: it is a quote that nobody closed, or no CSV at all."""

NEWLINE, RETURN, QUOTE = 10, 13, 34


class Records(msgspec.Struct):
    """The records of one block: byte ranges without their line end, lines from 1, and those that are malformed."""

    data: bytes
    starts: Ints
    ends: Ints
    lines: Ints
    malformed: dict[int, str]


class Splitter:
    """Cuts successive blocks into records and keeps what is left for the next one."""

    def __init__(self, delimiter: str, line: int = 1) -> None:
        self.line = line
        self.rest = b""
        self._delimiter = ord(delimiter)
        self._record = record_pattern(delimiter)
        self._skipping = False

    def split(self, data: bytes, final: bool) -> Records:
        """Return the whole records of what was left followed by ``data``; ``final`` says that no more will come."""
        data = self._resume(self.rest + data if self.rest else data)
        found = self._split_fast(data, final)
        if found is None:
            found = self._split_slowly(data, final)
        starts, ends, lines, malformed, used = found
        self.rest = data[used:]
        self.line += data.count(b"\n", 0, used)
        return _without_blanks(Records(data, starts, ends, lines, malformed))

    def _resume(self, data: bytes) -> bytes:
        """Pass over the end of a record that was refused for its length."""
        if not self._skipping:
            return data
        end = data.find(b"\n")
        if end < 0:
            return b""
        self._skipping = False
        self.line += 1
        return data[end + 1 :]

    def _split_fast(self, data: bytes, final: bool) -> tuple[Ints, Ints, Ints, dict[int, str], int] | None:
        """Cut with array operations; nothing when a quote or a return stands where RFC 4180 has none."""
        returns = data.count(b"\r") - data.endswith(b"\r")
        if returns and returns != data.count(b"\r\n"):
            return None
        cells = np.frombuffer(data, np.uint8)
        newlines = np.flatnonzero(cells == NEWLINE)
        closing, numbers = newlines, np.arange(len(newlines))
        if b'"' in data:
            quotes = np.flatnonzero(cells == QUOTE)
            numbers = np.flatnonzero(np.searchsorted(quotes, newlines) % 2 == 0)
            closing = newlines[numbers]
            limit = len(data) if final else (int(closing[-1]) if len(closing) else 0)
            if not self._well_quoted(cells, quotes[quotes < limit]):
                return None
        used = int(closing[-1]) + 1 if len(closing) else 0
        if not final and len(data) - used > MOST_RECORD_BYTES:
            return None
        starts = np.concatenate([[0], closing[:-1] + 1]) if len(closing) else np.empty(0, np.int64)
        ends = closing
        lines = self.line + (np.concatenate([[0], numbers[:-1] + 1]) if len(closing) else np.empty(0, np.int64))
        if final and used < len(data):
            starts, ends = np.append(starts, used), np.append(ends, len(data))
            lines = np.append(lines, self.line + (int(numbers[-1]) + 1 if len(numbers) else 0))
            used = len(data)
        if len(starts) and int((ends - starts).max()) > MOST_RECORD_BYTES:
            return None
        return starts.astype(np.int64), ends.astype(np.int64), lines.astype(np.int64), {}, used

    def _well_quoted(self, cells: np.ndarray[tuple[int], np.dtype[np.uint8]], quotes: Ints) -> bool:
        """Say whether every quote opens a field, closes one, or is doubled inside one."""
        if len(quotes) % 2:
            return False
        opening, closing = quotes[::2], quotes[1::2]
        before = np.where(opening > 0, cells[np.maximum(opening - 1, 0)], NEWLINE)
        last = len(cells) - 1
        after = np.where(closing < last, cells[np.minimum(closing + 1, last)], NEWLINE)
        doubled_before = np.zeros(len(opening), bool)
        doubled_before[1:] = closing[:-1] + 1 == opening[1:]
        doubled_after = np.zeros(len(closing), bool)
        doubled_after[:-1] = doubled_before[1:]
        opens = doubled_before | np.isin(before, [self._delimiter, NEWLINE])
        closes = doubled_after | np.isin(after, [self._delimiter, NEWLINE, RETURN])
        return bool(opens.all() and closes.all())

    def _split_slowly(self, data: bytes, final: bool) -> tuple[Ints, Ints, Ints, dict[int, str], int]:
        """Cut record by record; a malformed one ends with its line, so that one bad quote costs one row."""
        starts: list[int] = []
        ends: list[int] = []
        lines: list[int] = []
        malformed: dict[int, str] = {}
        place, line = 0, self.line
        while place < len(data):
            match = self._record.match(data, place)
            whole = match is not None and (final or match.end() < len(data) or data[match.end() - 1] == NEWLINE)
            if not whole and not final and len(data) - place <= MOST_RECORD_BYTES:
                break
            if match is not None and whole and match.end() - place <= MOST_RECORD_BYTES:
                end = match.end()
            else:
                newline = data.find(b"\n", place)
                end = len(data) if newline < 0 else newline + 1
                self._skipping = newline < 0 and not final
                malformed[len(starts)] = _name_fault(data[place:end])
            starts.append(place)
            ends.append(end - 1 if data[end - 1] == NEWLINE else end)
            lines.append(line)
            line += data.count(b"\n", place, end)
            place = end
        return np.array(starts, np.int64), np.array(ends, np.int64), np.array(lines, np.int64), malformed, place


def _name_fault(record: bytes) -> str:
    if len(record) > MOST_RECORD_BYTES:
        return "row_too_large"
    return "quote_unclosed" if b'"' in record else "stray_return"


def record_pattern(delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of one well-formed record with its line end; a quote inside a bare field is a letter."""
    cut = re.escape(delimiter.encode())
    field = rb'(?:"(?:[^"]++|"")*+"|[^"' + cut + rb"\r\n][^" + cut + rb"\r\n]*+|)"
    return re.compile(field + rb"(?:" + cut + field + rb")*+\r?(?:\n|\Z)")


def _without_blanks(records: Records) -> Records:
    """Leave out empty lines: they are no rows."""
    lengths = records.ends - records.starts
    short = np.flatnonzero(lengths <= 1)
    blank = [i for i in short.tolist() if records.data[records.starts[i] : records.ends[i]] in (b"", b"\r")]
    if not blank:
        return records
    keep = np.ones(len(lengths), bool)
    keep[blank] = False
    places = np.cumsum(keep) - 1
    return Records(
        records.data,
        records.starts[keep],
        records.ends[keep],
        records.lines[keep],
        {int(places[index]): code for index, code in records.malformed.items()},
    )
