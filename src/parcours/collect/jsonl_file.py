"""JSON lines as rows of text; values inside objects are reached by dotted names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from parcours.collect.csv_records import MOST_RECORD_BYTES
from parcours.collect.faults import file_unreadable
from parcours.collect.files import open_bytes
from parcours.collect.rows import WHOLE_ROW, BadRow, RawRows
from parcours.words import Words

BLOCK_BYTES = 8 << 20
MOST_LINE_BYTES = 64 << 20
"""A line this long is one JSON array, or no JSON lines at all; memory would grow with it."""
_HEAD_ROWS = 1000
_NOT_AN_OBJECT = Words("La ligne n'est pas un objet JSON.", "The line is not a JSON object.")
_TOO_LARGE = Words("La ligne est trop longue.", "The line is too long.")


class JsonlRows:
    """One file of JSON lines, gzipped or not; ``columns`` are those of its first thousand rows."""

    complete = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: tuple[str, ...] = ()
        with open_bytes(path) as stream:
            lines = stream.read(1 << 20).removeprefix(b"\xef\xbb\xbf").splitlines()[:_HEAD_ROWS]
        found: dict[str, None] = {}
        for line in lines:
            row = _decode(line)
            if row is not None:
                found.update(dict.fromkeys(_names(row)))
        if not found and any(line.strip() for line in lines):
            raise file_unreadable(path, "no line is a JSON object")
        self.columns = tuple(found)

    def batches(self, wanted: Sequence[str]) -> Iterator[RawRows]:
        """Read the file block by block."""
        first, rest, final = 1, b"", False
        with open_bytes(self.path) as stream:
            while not final:
                block = stream.read(BLOCK_BYTES)
                final = not block
                data = rest + block
                used = len(data) if final else data.rfind(b"\n") + 1
                rest = data[used:]
                if len(rest) > MOST_LINE_BYTES:
                    raise file_unreadable(self.path, f"line > {MOST_LINE_BYTES >> 20} MB", first)
                if used:
                    lines = data[:used].removesuffix(b"\n").split(b"\n")
                    yield _raw_rows(lines, first, wanted, stream.place())
                    first += len(lines)


def _raw_rows(lines: list[bytes], first: int, wanted: Sequence[str], seen: int) -> RawRows:
    if first == 1:
        lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
    filled = [index for index, line in enumerate(lines) if line.strip()]
    texts = [lines[index] for index in filled]
    rows: list[Any] = _decode_all(texts)
    good = [index for index, row in enumerate(rows) if type(row) is dict and len(texts[index]) <= MOST_RECORD_BYTES]
    bad = []
    if len(good) != len(rows):
        for index in sorted(set(range(len(rows))) - set(good)):
            large = len(texts[index]) > MOST_RECORD_BYTES
            code, reason = ("row_too_large", _TOO_LARGE) if large else ("not_an_object", _NOT_AN_OBJECT)
            bad.append(BadRow(first + filled[index], code, reason, texts[index][:MOST_RECORD_BYTES]))
        rows = [rows[index] for index in good]
    numbers = np.array([first + filled[index] for index in good], np.int64)
    columns = {name: _column(rows, name, [texts[index] for index in good]) for name in wanted}
    return RawRows(numbers, columns, bad, lambda row: texts[good[row]], seen)


def _decode_all(texts: list[bytes]) -> list[Any]:
    decoded: list[Any] = []
    try:
        decoded = msgspec.json.Decoder().decode_lines(b"\n".join(texts))
    except (msgspec.DecodeError, UnicodeDecodeError):
        decoded = []
    return decoded if len(decoded) == len(texts) else [_decode(text) for text in texts]


def _decode(text: bytes) -> dict[str, Any] | None:
    try:
        row = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return row if isinstance(row, dict) else None


def _column(rows: list[dict[str, Any]], name: str, texts: list[bytes]) -> pa.Array:
    if name == WHOLE_ROW:
        return pa.array([text.decode("utf-8", "replace") for text in texts], pa.string())
    return read_column(rows, name)


def read_column(rows: Sequence[dict[str, Any]], name: str) -> pa.Array:
    """Return as texts what each of ``rows`` holds under ``name``, or along its dots; null where there is nothing."""
    find = _finder(name)
    values = [find(row) for row in rows]
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        return pa.array([_as_text(value) for value in values], pa.string())


def _finder(name: str) -> Callable[[dict[str, Any]], Any]:
    """Return what finds ``name`` in a row: a key of that very name first, else the way along its dots."""
    if "." not in name:
        return lambda row: row.get(name)
    steps = name.split(".")

    def find(row: dict[str, Any]) -> Any:
        if name in row:
            return row[name]
        value: Any = row
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    return find


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value) if isinstance(value, int | float) else msgspec.json.encode(value).decode()


def _names(row: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
