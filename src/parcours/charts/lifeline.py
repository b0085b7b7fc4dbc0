"""One customer's life with the company, event by event: what they met above the line of visibility, the work below."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from parcours.charts import labels
from parcours.charts.chart import Chart
from parcours.charts.numbers import write_date, write_moment
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import line, lines_of, open_svg, round_to, text, wrap
from parcours.words import Language

WIDTH = 1040.0
LABEL_WIDTH = 190.0
ROW = 30.0
TOP = 40.0
BETWEEN = 34.0
MOST = 60
"""So many of the latest events are drawn; the table has them all."""

LONG_MS = 14 * 86_400_000
_DATE_WIDTH = 64.0


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event: when, on which side of the line, in which lane (a channel, or an operation), what, and about what.

    ``ties`` name the objects that it is about, such as ``order 1``; events with one in common are tied.
    """

    at_ms: int
    behind: bool
    lane: str
    label: str
    ties: tuple[str, ...] = ()
    more: str = ""


def draw_lifeline(title: str, moments: Sequence[Moment], language: Language, zone: str = "UTC") -> Chart:
    """Draw ``moments`` (the latest first) from the left to the right, a step an event, and list them in a table."""
    drawn = sorted(moments[:MOST], key=lambda one: one.at_ms)
    lanes = [_lanes(drawn, behind) for behind in (False, True)]
    visible = TOP + ROW * max(len(lanes[0]), 1) + BETWEEN / 2
    heights = {(False, lane): TOP + ROW * (place + 0.5) for place, lane in enumerate(lanes[0])}
    heights |= {(True, lane): visible + BETWEEN / 2 + 12 + ROW * (place + 0.5) for place, lane in enumerate(lanes[1])}
    height = visible + BETWEEN / 2 + 12 + ROW * len(lanes[1]) + 14
    step = (WIDTH - LABEL_WIDTH - 30) / max(len(drawn), 12)
    places = [
        (LABEL_WIDTH + 20 + step * (number + 0.5), heights[one.behind, one.lane]) for number, one in enumerate(drawn)
    ]
    parts = [open_svg(WIDTH, height, title, _summary(drawn, language), "lifeline")]
    parts.append(_draw_lanes(heights))
    parts.append(_draw_days(drawn, places, height, language, zone))
    parts.append(line(0, visible, WIDTH, visible, "line-visibility"))
    parts.append(text(0, visible - 6, labels.LINE_OF_VISIBILITY.in_language(language), "line-name strong"))
    parts.append(_draw_ties(drawn, places))
    for one, (x, y) in zip(drawn, places, strict=True):
        told = f"<title>{escape(f'{write_moment(one.at_ms, language, zone)} · {one.label}')}</title>"
        if one.behind:
            parts.append(
                f'<rect x="{round_to(x - 5)}" y="{round_to(y - 5)}" width="10" height="10" class="work">{told}</rect>'
            )
        else:
            parts.append(f'<circle cx="{round_to(x)}" cy="{round_to(y)}" r="5.5" class="met">{told}</circle>')
    parts.append("</svg>")
    return Chart("".join(parts), _table(title, moments, language, zone))


def _lanes(moments: Sequence[Moment], behind: bool) -> list[str]:
    """Return the lanes of one side, in the order in which they are first met."""
    return list(dict.fromkeys(one.lane for one in moments if one.behind is behind))


def _draw_lanes(heights: dict[tuple[bool, str], float]) -> str:
    parts = []
    for (_, lane), y in heights.items():
        rows = wrap(lane, LABEL_WIDTH - 10, 12, 2, bold=True)
        parts.append(lines_of(0, y + 4 - 6.5 * (len(rows) - 1), rows, 13, "lane-name"))
        parts.append(line(LABEL_WIDTH + 8, y, WIDTH, y, "axis"))
    return "".join(parts)


def _draw_days(
    moments: Sequence[Moment], places: Sequence[tuple[float, float]], height: float, language: Language, zone: str
) -> str:
    """Draw the dates as far as there is room, and a dotted line where a long time passed without anything."""
    parts, last_x, day = [], -_DATE_WIDTH, ""
    for number, (one, (x, _)) in enumerate(zip(moments, places, strict=True)):
        named = write_date(one.at_ms, language, zone, year=False)
        if named != day and x - last_x >= _DATE_WIDTH:
            parts.append(text(x, 16, named, "small soft", "middle"))
            parts.append(line(x, 20, x, 27, "axis"))
            last_x = x
        if number and one.at_ms - moments[number - 1].at_ms >= LONG_MS:
            between = (x + places[number - 1][0]) / 2
            parts.append(line(between, 24, between, height - 8, "column-rule"))
        day = named
    return "".join(parts)


def _draw_ties(moments: Sequence[Moment], places: Sequence[tuple[float, float]]) -> str:
    by_object: dict[str, list[tuple[float, float]]] = {}
    for one, where in zip(moments, places, strict=True):
        for tie in one.ties:
            by_object.setdefault(tie, []).append(where)
    parts = []
    for tie, points in by_object.items():
        if len(points) > 1:
            way = "L".join(f"{round_to(x)} {round_to(y)}" for x, y in points)
            parts.append(f'<path d="M{way}" class="tie"><title>{escape(tie)}</title></path>')
    return "".join(parts)


def _summary(moments: Sequence[Moment], language: Language) -> str:
    met = sum(not one.behind for one in moments)
    work = len(moments) - met
    if language == "fr":
        return f"{met} contacts au-dessus de la ligne de visibilité, {work} événements de coulisses au-dessous."
    return f"{met} contacts above the line of visibility, {work} events of work below."


def _table(title: str, moments: Sequence[Moment], language: Language, zone: str) -> str:
    words = (labels.WHEN, labels.SIDE, labels.WHERE, labels.WHAT, labels.ABOUT, labels.DETAILS)
    body = [
        [
            Cell(write_moment(one.at_ms, language, zone)),
            Cell((labels.BEHIND if one.behind else labels.SEEN).in_language(language)),
            Cell(one.lane),
            Cell(one.label),
            Cell(", ".join(one.ties)),
            Cell(one.more),
        ]
        for one in moments
    ]
    return draw_table(title, [Cell(word.in_language(language)) for word in words], body)
