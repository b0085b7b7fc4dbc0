"""A first look at the files of every source: they are there, they open, and they have the columns that are named."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import msgspec

from parcours.blueprint.yaml_lines import Node, Place
from parcours.collect.csv_file import CsvRows
from parcours.collect.files import PACKAGE, find_files, format_of
from parcours.collect.formats import DEFAULT_KEYS, open_rows
from parcours.collect.rows import WHOLE_ROW, Rows
from parcours.collect.source import Format, Lookup, ReadSource, Source
from parcours.errors import Fault, ParcoursError
from parcours.settings import Settings
from parcours.words import Words

Level = Literal["error", "warning"]


class SourceFile(msgspec.Struct, frozen=True):
    """One file of a source: ``name`` is how the manifest and people call it."""

    path: Path
    name: str
    format: Format
    empty: bool


class Plan(msgspec.Struct, frozen=True):
    """A source ready to be loaded; ``key`` are the columns of its row key, none when the whole row is its key."""

    source: Source
    files: tuple[SourceFile, ...]
    key: tuple[str, ...]
    lookup: Path | None
    node: Node


def inspect_files(
    sources: Sequence[ReadSource], folder: Path, settings: Settings, missing: Level = "error"
) -> tuple[tuple[Plan, ...], list[Fault]]:
    """Open every file of every source that has any; return what to load, and all that is wrong at once.

    Args:
        sources: The sources, free of faults of their own.
        folder: The company folder.
        settings: Its settings.
        missing: How bad a missing file is: `parcours check` may run where the data are not.
    """
    plans, faults = [], []
    for read in sources:
        if read.source.file is None:
            continue
        look = _Look(read, folder, settings, missing)
        plans.append(look.plan())
        faults += look.faults
    return tuple(plans), faults


class _Look:
    """The look at one source."""

    def __init__(self, read: ReadSource, folder: Path, settings: Settings, missing: Level) -> None:
        self.source = read.source
        self.pattern = read.source.file or ""
        self.node = read.node
        self.folder = folder
        self.settings = settings
        self.missing = missing
        self.faults: list[Fault] = []

    def plan(self) -> Plan:
        source = self.source
        files = []
        for path in self._find(self.pattern, ("file",)):
            format = format_of(source.format, path)
            if format is not None:
                files.append(self._file(path, format))
        key = source.key or (DEFAULT_KEYS.get(files[0].format, ()) if files else ())
        lookup = self._lookup(source.lookup) if source.lookup else None
        return Plan(source, tuple(files), key, lookup, self.node)

    def _find(self, pattern: str, place: Place) -> tuple[Path, ...]:
        try:
            found = find_files(pattern, self.folder, self.settings)
        except ParcoursError as error:
            first = error.faults[0]
            self._say(first.code, place, first.sentence, first.remedy, self.missing)
            return ()
        if not found:
            sentence = Words(f"Aucun fichier ne correspond à « {pattern} ».", f"No file matches “{pattern}”.")
            remedy = Words(
                f"Vérifiez le chemin ; il part de {self.folder}.", f"Check the path; it starts from {self.folder}."
            )
            self._say("file_missing", place, sentence, remedy, self.missing)
        return found

    def _file(self, path: Path, format: Format) -> SourceFile:
        name = _name(path, self.folder, self.pattern)
        if path.stat().st_size == 0:
            return SourceFile(path, name, format, True)
        try:
            rows = open_rows(path, format, self.source.csv, tuple(self.source.columns()))
        except ParcoursError as error:
            first = error.faults[0]
            self._say(first.code, ("file",), first.sentence, first.remedy)
            return SourceFile(path, name, format, True)
        if rows.columns:
            self._columns(rows, name, self.source.columns())
            self._encoding(rows, name)
        return SourceFile(path, name, format, not rows.columns)

    def _columns(self, rows: Rows, name: str, wanted: dict[str, Place]) -> None:
        for column, place in wanted.items():
            if column not in rows.columns:
                certain = rows.complete or place[0] in ("key", "time")
                self._column_missing(column, place, name, rows.columns, "error" if certain else "warning")
            elif rows.columns.count(column) > 1:
                sentence = Words(f"{name} a deux colonnes « {column} ».", f"{name} has two columns “{column}”.")
                remedy = Words("Renommez l'une des deux.", "Rename one of them.")
                self._say("column_twice", place, sentence, remedy)

    def _column_missing(self, column: str, place: Place, name: str, there: tuple[str, ...], level: Level) -> None:
        near = get_close_matches(column, there, n=1, cutoff=0.5)
        hint = Words(f"Vouliez-vous dire « {near[0]} » ? ", f"Did you mean “{near[0]}”? ") if near else Words()
        listed = ", ".join(there[:40]) + (", …" if len(there) > 40 else "")
        sentence = Words(f"{name} n'a pas de colonne « {column} ».", f"{name} has no column “{column}”.")
        headless = Words()
        if level == "error" and not set(there) & set(self.source.columns()) and self.source.csv.header == ():
            headless = Words(
                " Si la première ligne n'est pas un en-tête, nommez les colonnes : csv: {header: [...]}.",
                " If the first line is no header, name the columns: csv: {header: [...]}.",
            )
        remedy = Words(f"{hint.fr}Colonnes : {listed}.{headless.fr}", f"{hint.en}Columns: {listed}.{headless.en}")
        self._say("column_missing", place, sentence, remedy, level)

    def _encoding(self, rows: Rows, name: str) -> None:
        if isinstance(rows, CsvRows) and rows.mostly_unreadable:
            encoding = self.source.csv.encoding
            sentence = Words(
                f"{name} n'est pas en {encoding} : la plupart de ses lignes ne se lisent pas.",
                f"{name} is not {encoding}: most of its rows cannot be read.",
            )
            remedy = Words(
                "Essayez csv: {encoding: cp1252} (Excel sous Windows).",
                "Try csv: {encoding: cp1252} (Excel on Windows).",
            )
            self._say("wrong_encoding", ("file",), sentence, remedy)

    def _lookup(self, lookup: Lookup) -> Path | None:
        found = self._find(lookup.file, ("lookup", "file"))
        format = format_of(lookup.format, found[0]) if found else None
        if not found or format is None:
            return None
        wanted: dict[str, Place] = {lookup.key: ("lookup", "key")}
        wanted |= dict.fromkeys(lookup.columns, ("lookup", "columns"))
        try:
            rows = open_rows(found[0], format, lookup.csv, tuple(wanted))
        except ParcoursError as error:
            first = error.faults[0]
            self._say(first.code, ("lookup", "file"), first.sentence, first.remedy)
            return None
        self._columns(rows, found[0].name, wanted)
        return found[0]

    def _say(self, code: str, place: Place, sentence: Words, remedy: Words, level: Level = "error") -> None:
        say = self.node.fault if level == "error" else self.node.warning
        self.faults.append(say(code, place, sentence, remedy))


def wanted_columns(plan: Plan, rows: Rows) -> tuple[str, ...]:
    """Return the columns to read: those that are named, or every one where the whole row is its own key."""
    named = tuple(dict.fromkeys((*plan.key, *plan.source.columns())))
    if plan.key:
        return named
    return tuple(dict.fromkeys((*named, *rows.columns))) if rows.complete else (*named, WHOLE_ROW)


def _name(path: Path, folder: Path, pattern: str) -> str:
    if pattern.startswith(PACKAGE):
        return pattern
    root = folder.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
