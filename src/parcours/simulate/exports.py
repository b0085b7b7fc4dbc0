"""How the firm's systems export: French CSV, JSON lines and Parquet, byte for byte the same for the same rows."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SLICE = 500_000
"""Rows written at a time."""


class Flaw(msgspec.Struct, frozen=True):
    """A bad row that is planted: in which column what is written, and why it cannot be read."""

    column: str
    value: str
    reason: str


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One file of one system, under ``data/``; its first column is the row's key.

    The ending says the format. ``flaws`` become rows of their own, at the end, copied from the first rows.
    """

    file: str
    columns: dict[str, pa.Array]
    encoding: str = "utf-8"
    flaws: tuple[Flaw, ...] = ()


def write_export(export: Export, folder: Path) -> int:
    """Write one export under ``folder/data`` and return its rows, bad ones included."""
    path = folder / "data" / export.file
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = len(next(iter(export.columns.values()))) + len(export.flaws)
    if path.suffix == ".parquet":
        pq.write_table(pa.table(export.columns), path, compression="zstd", store_schema=False)
        return rows
    csv = export.file.endswith(".csv.gz")
    texts = _spoil({name: _write_cells(column, csv) for name, column in export.columns.items()}, export.flaws)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed:
        if csv:
            packed.write((";".join(texts) + "\n").encode(export.encoding))
        for start in range(0, rows, SLICE):
            part = {name: cells.slice(start, SLICE) for name, cells in texts.items()}
            lines = _join_csv(part) if csv else _join_json(part, export.columns)
            packed.write(_concatenate(lines, export.encoding))
    return rows


def _write_cells(column: pa.Array, csv: bool) -> pa.Array:
    text = column.cast(pa.string())
    if not csv:
        return text
    if pa.types.is_floating(column.type):
        text = pc.replace_substring(text, ".", ",")
    return pc.fill_null(text, "")


def _spoil(texts: dict[str, pa.Array], flaws: tuple[Flaw, ...]) -> dict[str, pa.Array]:
    """Return the cells with one more row a flaw: a good row's copy, under a key of its own, one cell spoilt."""
    if not flaws or not len(next(iter(texts.values()))):
        return texts
    key = next(iter(texts))
    spoilt: dict[str, list[str | None]] = {name: [] for name in texts}
    for number, flaw in enumerate(flaws):
        for name, cells in texts.items():
            value = cells[number % len(cells)].as_py()
            if name == key:
                value = f"{value}-{number + 1}"
            spoilt[name].append(flaw.value if name == flaw.column else value)
    return {name: pa.concat_arrays([cells, pa.array(spoilt[name], pa.string())]) for name, cells in texts.items()}


def _join_csv(texts: dict[str, pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(pc.binary_join_element_wise(*texts.values(), ";"), "\n", "")


def _join_json(texts: dict[str, pa.Array], columns: dict[str, pa.Array]) -> pa.Array:
    pieces: list[pa.Array | str] = []
    for number, (name, cells) in enumerate(texts.items()):
        pieces.append(("{" if number == 0 else ",") + f'"{name}":')
        pieces.append(_quote(cells, columns[name].type))
    return pc.binary_join_element_wise(*pieces, "}\n", "")


def _quote(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        number = pc.match_substring_regex(cells, r"^-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$")
        quoted = pc.if_else(number, cells, pc.binary_join_element_wise('"', cells, '"', ""))
    else:
        safe = pc.replace_substring(pc.replace_substring(cells, "\\", "\\\\"), '"', '\\"')
        quoted = pc.binary_join_element_wise('"', safe, '"', "")
    return pc.fill_null(quoted, "null")


def _concatenate(lines: pa.Array, encoding: str) -> bytes:
    """Return the lines' bytes: Arrow keeps the texts of a fresh array end to end in its last buffer."""
    text: bytes = lines.buffers()[2].to_pybytes()
    return text if encoding == "utf-8" else text.decode().encode(encoding)
