"""A measure's result drawn in a notebook: its picture where it has one, its table, its warnings and its making."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from parcours.charts import labels as said
from parcours.charts.bars import StageBar, draw_stages
from parcours.charts.causes import CauseRow, draw_causes
from parcours.charts.numbers import MISSING, decimals_for, write_number, write_period, write_value
from parcours.charts.table import Cell, draw_table
from parcours.words import Language, Words, language

if TYPE_CHECKING:
    from typing import Protocol

    class Result(Protocol):
        """What is drawn: the part of a measure's result that a picture needs, read only."""

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


def result_html(result: Result, labels: Mapping[str, Words]) -> str:
    """Return ``result`` as one piece of HTML with its own styles; ids are said by their ``labels``.

    Works in any notebook: no script, nothing fetched. Speaks the language in force.
    """
    spoken = language()
    picture = _PICTURES[result.measure](result, labels, spoken) if result.measure in _PICTURES else ""
    warnings = "".join(f"<li>{escape(warning.in_language(spoken))}</li>" for warning in result.warnings)
    facts = f"n\u202f=\u202f{write_number(result.n, spoken)} · {write_period(result.period, spoken)}"
    return (
        f'<div class="parcours-result" lang="{spoken}"><style>{read_styles()}{_FRAME}</style>'
        f"<p><strong>{escape(result.question.in_language(spoken))}</strong><br>{facts}</p>{picture}"
        f"{draw_rows(result, labels, spoken)}{f'<ul>{warnings}</ul>' if warnings else ''}"
        f"<p>{escape(result.definition.in_language(spoken))}</p></div>"
    )


_FRAME = (
    ".parcours-result{background:var(--paper);color:var(--ink);font-family:var(--sans);padding:16px;max-width:1100px}"
    ".parcours-result table{border-collapse:collapse;font-size:13px}.parcours-result caption{text-align:left}"
    ".parcours-result :is(th,td){padding:4px 10px;text-align:left;border-bottom:1px solid var(--rule)}"
    ".parcours-result .num{text-align:right;font-variant-numeric:tabular-nums}.parcours-result .scroll{overflow:auto}"
    ".parcours-result .chart{max-width:1000px}"
)


def read_styles() -> str:
    """Return the tokens and the styles of pictures, for whatever shows them outside the pages."""
    folder = files("parcours.charts")
    return "".join((folder / name).read_text("utf-8") for name in ("tokens.css", "charts.css"))


def draw_rows(result: Result, labels: Mapping[str, Words], language: Language, currency: str = "EUR") -> str:
    """Return every row and column of ``result`` as a table; ids are said by their labels.

    A label may be kept under ``column:id`` as well, for ids that two kinds of things share.
    """
    columns = [column for column in result.columns if any(row.get(column.name) is not None for row in result.rows)]
    headings = [Cell(column.label.in_language(language), number=column.kind != "text") for column in columns]
    places = {column.name: _find_places(column.name, result.rows) for column in columns}
    rows = [
        [_cell(row.get(column.name), column, labels, language, currency, places[column.name]) for column in columns]
        for row in result.rows
    ]
    return draw_table(result.question.in_language(language), headings, rows)


def _find_places(column: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the decimals that suit the middle of a column's numbers, so that the column lines up."""
    sizes = sorted(abs(row[column]) for row in rows if isinstance(row.get(column), float) and row[column])
    return decimals_for(sizes[len(sizes) // 2]) if sizes else 0


def _cell(value: Any, column: Any, labels: Mapping[str, Words], language: Language, currency: str, places: int) -> Cell:
    if column.kind == "text":
        if isinstance(value, Words):
            return Cell(value.in_language(language))
        if isinstance(value, dict) and set(value) <= {"fr", "en"}:
            return Cell(str(value.get(language) or next(iter(value.values()), MISSING)))
        if isinstance(value, dict):
            return Cell(", ".join(f"{key}\u00a0: {part}" for key, part in value.items()))
        if isinstance(value, list | tuple):
            return Cell(", ".join(_name(column.name, str(part), labels, language) for part in value))
        if isinstance(value, str):
            return Cell(_name(column.name, value, labels, language))
    return Cell(write_value(value, column.kind, language, currency, places), number=column.kind != "text")


def _name(kind: str, id: str, labels: Mapping[str, Words], language: Language) -> str:
    known = labels.get(f"{kind}:{id}") or labels.get(id) or said.GRADES.get(id) or said.STATES.get(id)
    return known.in_language(language) if known else said.METRICS.get(id, id)


def _draw_journey(result: Result, labels: Mapping[str, Words], language: Language) -> str:
    bars = [
        StageBar(
            label=_name("stage", str(row["stage"]), labels, language),
            **{key: row.get(key) or 0 for key in ("entered", "moved_on", "left", "under_way")},
            median_ms=row.get("median_ms"),
            low=row.get("low"),
            high=row.get("high"),
        )
        for row in result.rows
    ]
    return draw_stages(result.question.in_language(language), bars, language).svg


def _draw_causes(result: Result, labels: Mapping[str, Words], language: Language) -> str:
    """One picture a unit: effects on different scales do not share an axis."""
    pictures = []
    known = [row for row in result.rows if None not in (row["effect"], row["low"], row["high"])]
    for touchpoint in dict.fromkeys(row["touchpoint"] for row in known):
        own = [row for row in known if row["touchpoint"] == touchpoint]
        name = labels[touchpoint].in_language(language) if touchpoint in labels else touchpoint
        rows = [
            CauseRow(
                label=labels[row["operation"]].in_language(language)
                if row["operation"] in labels
                else row["operation"],
                effect=row["effect"],
                low=row["low"],
                high=row["high"],
                grade=row["grade"],
                n=row["n"],
            )
            for row in own
        ]
        pictures.append(f"<h4>{escape(name)}</h4>{draw_causes(name, str(own[0]['unit']), rows, language, 2).svg}")
    return "".join(pictures)


_PICTURES: dict[str, Callable[[Result, Mapping[str, Words], Language], str]] = {
    "journey": _draw_journey,
    "causes": _draw_causes,
}
