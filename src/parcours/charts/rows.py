"""A measure's rows as a table: ids by their labels, units in words, an interval with the digits of its estimate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from parcours.charts import labels as said
from parcours.charts.numbers import MISSING, decimals_for, write_durations, write_value
from parcours.charts.table import Cell, draw_table
from parcours.words import Language, Words

_STANDARD = re.compile(r"(points \(.+\)) per within-(?:site-and-(day|week|month)|period) SD")
_EQUAL = {"day": "à site et jour égaux", "week": "à site et semaine égaux", "month": "à site et mois égaux"}
_UNITS = {"share": Words(fr="part", en="share")}


class Drawable(Protocol):
    """What is drawn: the part of a measure's result that a picture or a table needs, read only."""

    @property
    def measure(self) -> str: ...
    @property
    def question(self) -> Words: ...
    @property
    def period(self) -> tuple[int, int] | None: ...
    @property
    def n(self) -> int: ...
    @property
    def columns(self) -> Sequence[Any]: ...
    @property
    def rows(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def definition(self) -> Words: ...
    @property
    def warnings(self) -> Sequence[Words]: ...


def draw_rows(result: Drawable, labels: Mapping[str, Words], language: Language, currency: str = "EUR") -> str:
    """Return every row and column of ``result`` as a table; ids are said by their labels.

    A label may be kept under ``column:id`` as well, for ids that two kinds of things share.
    """
    columns = [column for column in result.columns if any(row.get(column.name) is not None for row in result.rows)]
    headings = [Cell(column.label.in_language(language), number=column.kind != "text") for column in columns]
    leads = find_leads(columns)
    places = _find_places(leads, result.rows)
    rows = []
    for row in result.rows:
        durations = _write_durations(row, columns, leads, language)
        rows.append(
            [
                Cell(durations[column.name], number=True)
                if column.name in durations
                else _cell(row, column, labels, language, currency, places[leads[column.name], row.get("unit")])
                for column in columns
            ]
        )
    return draw_table(result.question.in_language(language), headings, rows)


def find_leads(columns: Sequence[Any]) -> dict[str, str]:
    """Return, for each column, the one whose digits it takes: the bounds of an interval follow the estimate before."""
    leads: dict[str, str] = {}
    lead = None
    for column in columns:
        bound = column.name in ("low", "high", "at_least", "at_most") or column.name.endswith(("_low", "_high"))
        if not (bound and lead is not None and lead.kind == column.kind):
            lead = column
        leads[column.name] = lead.name
    return leads


def _find_places(leads: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str | None], int]:
    """Return the decimals that suit the middle of a column's numbers, unit by unit, so that the column lines up."""
    found = {}
    for lead in set(leads.values()):
        for unit in {row.get("unit") for row in rows}:
            values = [row.get(lead) for row in rows if row.get("unit") == unit]
            sizes = sorted(abs(value) for value in values if isinstance(value, float) and value)
            found[lead, unit] = decimals_for(sizes[len(sizes) // 2]) if sizes else 0
    return found


def _write_durations(
    row: Mapping[str, Any], columns: Sequence[Any], leads: Mapping[str, str], language: Language
) -> dict[str, str]:
    texts: dict[str, str] = {}
    for lead in dict.fromkeys(leads[column.name] for column in columns if column.kind == "milliseconds"):
        together = [column.name for column in columns if leads[column.name] == lead]
        texts.update(zip(together, write_durations([row.get(name) for name in together], language), strict=True))
    return texts


def _cell(
    row: Mapping[str, Any], column: Any, labels: Mapping[str, Words], language: Language, currency: str, places: int
) -> Cell:
    value = row.get(column.name)
    if column.kind == "text":
        if isinstance(value, Words):
            return Cell(value.in_language(language))
        if isinstance(value, dict) and set(value) <= {"fr", "en"}:
            return Cell(str(value.get(language) or next(iter(value.values()), MISSING)))
        if isinstance(value, dict):
            return Cell(", ".join(f"{key}\u00a0: {part}" for key, part in value.items()))
        if isinstance(value, list | tuple):
            return Cell(", ".join(say_id(column.name, str(part), labels, language) for part in value))
        if isinstance(value, str):
            unit = column.name == "unit"
            return Cell(say_unit(value, language) if unit else say_id(column.name, value, labels, language))
    return Cell(write_value(value, column.kind, language, currency, places), number=column.kind != "text")


def say_id(kind: str, id: str, labels: Mapping[str, Words], language: Language) -> str:
    """Return the label of ``id`` as the column ``kind`` means it, or the words of a grade or a state."""
    known = labels.get(f"{kind}:{id}") or labels.get(id) or said.GRADES.get(id) or said.STATES.get(id)
    return known.in_language(language) if known else said.METRICS.get(id, id)


def say_unit(unit: str, language: Language) -> str:
    """Return the unit of a row in words; one that the blueprint declares is said as it stands there."""
    if unit in _UNITS:
        return _UNITS[unit].in_language(language)
    found = _STANDARD.fullmatch(unit)
    if language == "en" or found is None:
        return unit
    return f"{found[1]} pour un écart-type, {_EQUAL.get(found[2], 'à période égale')}"
