"""The file formats that sources may be in, one reader each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from parcours.collect.csv_file import CsvRows
from parcours.collect.jsonl_file import JsonlRows
from parcours.collect.parquet_file import ParquetRows
from parcours.collect.rows import Rows
from parcours.collect.source import Csv, Format
from parcours.collect.xes_file import XesRows

FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet", "xes")

DEFAULT_KEYS: dict[Format, tuple[str, ...]] = {"xes": ("case:concept:name", "event:index")}
"""Formats whose rows have a key of their own."""


def open_rows(path: Path, format: Format, csv: Csv, expected: Sequence[str]) -> Rows:
    """Open a file as rows of text.

    Args:
        path: The file.
        format: Its format.
        csv: How it is written, if it is CSV.
        expected: The columns that will be asked for, which help to tell a CSV file's delimiter.

    Raises:
        ParcoursError: ``file_unreadable`` when it is not what it should be.
    """
    if format == "csv":
        return CsvRows(path, csv, expected)
    if format == "jsonl":
        return JsonlRows(path)
    return ParquetRows(path) if format == "parquet" else XesRows(path)
