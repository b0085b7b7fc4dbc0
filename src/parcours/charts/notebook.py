"""A measure's result drawn in a notebook: its picture where it has one, its table, its warnings and its making."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files

from parcours.charts.bars import StageBar, draw_stages
from parcours.charts.causes import CauseRow, draw_causes
from parcours.charts.numbers import write_number, write_period
from parcours.charts.rows import Drawable, draw_rows, say_id, say_unit
from parcours.words import Language, Words, language


def result_html(result: Drawable, labels: Mapping[str, Words]) -> str:
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


def _draw_journey(result: Drawable, labels: Mapping[str, Words], language: Language) -> str:
    bars = [
        StageBar(
            label=say_id("stage", str(row["stage"]), labels, language),
            **{key: row.get(key) or 0 for key in ("entered", "moved_on", "left", "under_way")},
            median_ms=row.get("median_ms"),
            low=row.get("low"),
            high=row.get("high"),
        )
        for row in result.rows
    ]
    return draw_stages(result.question.in_language(language), bars, language).svg


def _draw_causes(result: Drawable, labels: Mapping[str, Words], language: Language) -> str:
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
        unit = say_unit(str(own[0]["unit"]), language)
        pictures.append(f"<h4>{escape(name)}</h4>{draw_causes(name, unit, rows, language, 2).svg}")
    return "".join(pictures)


_PICTURES: dict[str, Callable[[Drawable, Mapping[str, Words], Language], str]] = {
    "journey": _draw_journey,
    "causes": _draw_causes,
}
