"""A score through time: the weekly value, its interval as a band, and the promise it is held against."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from parcours.charts import labels
from parcours.charts.chart import Chart
from parcours.charts.numbers import write_date, write_number
from parcours.charts.scale import domain_of, nice_ticks, place, span_of, write_score, write_score_interval
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import line, open_svg, round_to, text
from parcours.words import Language

WIDTH, HEIGHT = 760.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 18.0, 34.0
WEEK_MS = 7 * 86_400_000


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One period: when it starts (epoch ms), the score with its bounds, and the answers it rests on."""

    start_ms: int
    score: float
    low: float
    high: float
    n: int


def draw_trend(
    title: str,
    metric: str,
    points: Sequence[TrendPoint],
    language: Language,
    zone: str = "UTC",
    promise: float | None = None,
    scale: tuple[float, float] | None = None,
) -> Chart:
    """Draw the points in time order; line and band break at a week without a score, which is never a zero."""
    floor, ceiling = span_of(metric, scale)
    values = [p.low for p in points] + [p.high for p in points] + ([] if promise is None else [promise])
    low, high = domain_of(values)
    y_of = _axis((max(low, floor), min(high, ceiling)), (HEIGHT - BOTTOM, TOP))
    x_of = _axis((points[0].start_ms, points[-1].start_ms), (LEFT + 6, WIDTH - RIGHT - 6))
    parts = [open_svg(WIDTH, HEIGHT, title, _summary(metric, points, language, zone), "trend")]
    for tick in nice_ticks(y_of.low, y_of.high, 5):
        if y_of.low - 1e-9 <= tick <= y_of.high + 1e-9:
            parts.append(line(LEFT, y_of(tick), WIDTH - RIGHT, y_of(tick), "axis"))
            parts.append(text(LEFT - 8, y_of(tick) + 4, write_score(metric, tick, language), "small soft", "end"))
    for stretch in _stretches(points):
        parts.append(_draw_stretch(stretch, x_of, y_of))
    if promise is not None:
        parts.append(line(LEFT, y_of(promise), WIDTH - RIGHT, y_of(promise), "promise"))
        parts.append(text(WIDTH - RIGHT, y_of(promise) - 6, _promise(metric, promise, language), "small bold", "end"))
    parts.append(_draw_dates(points, x_of, language, zone))
    parts.append("</svg>")
    return Chart("".join(parts), _table(title, metric, points, language, zone))


class _axis:  # noqa: N801 - reads as a function where it is called
    """A straight scale from values to pixels."""

    def __init__(self, domain: tuple[float, float], ends: tuple[float, float]) -> None:
        self.low, self.high = domain
        self.ends = ends

    def __call__(self, value: float) -> float:
        return place(value, (self.low, self.high), self.ends)


def _stretches(points: Sequence[TrendPoint]) -> list[list[TrendPoint]]:
    """Split where a week is missing; the step is a week, whatever most gaps are, or sparse weeks would be bridged."""
    stretches = [[points[0]]]
    for before, after in pairwise(points):
        if after.start_ms - before.start_ms > 1.5 * WEEK_MS:
            stretches.append([])
        stretches[-1].append(after)
    return stretches


def _draw_stretch(points: Sequence[TrendPoint], x_of: _axis, y_of: _axis) -> str:
    upper = [(x_of(p.start_ms), y_of(p.high)) for p in points]
    lower = [(x_of(p.start_ms), y_of(p.low)) for p in reversed(points)]
    middle = [(x_of(p.start_ms), y_of(p.score)) for p in points]
    if len(points) == 1:
        x = middle[0][0]
        return line(x, upper[0][1], x, lower[0][1], "whisker") + _dots(middle)
    return f'<path d="{_path(upper + lower)}z" class="band"/><path d="{_path(middle)}" class="curve"/>' + (
        _dots(middle) if len(points) <= 30 else _dots(middle[-1:])
    )


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{round_to(x)} {round_to(y)}" for x, y in places)


def _dots(places: Sequence[tuple[float, float]]) -> str:
    return "".join(f'<circle cx="{round_to(x)}" cy="{round_to(y)}" r="3.5" class="point"/>' for x, y in places)


def _draw_dates(points: Sequence[TrendPoint], x_of: _axis, language: Language, zone: str) -> str:
    shown = max(1, -(-len(points) // 7))
    parts, last_x = [], -1e9
    for point in points[::shown]:
        x = x_of(point.start_ms)
        if x - last_x > 70 and x < WIDTH - 20:
            word = write_date(point.start_ms, language, zone, year=False)
            parts.append(text(x, HEIGHT - 10, word, "small soft", "middle"))
            last_x = x
    return "".join(parts)


def _promise(metric: str, promise: float, language: Language) -> str:
    value = write_score(metric, promise, language)
    return f"Promesse\u00a0: {value}" if language == "fr" else f"Promise: {value}"


def _summary(metric: str, points: Sequence[TrendPoint], language: Language, zone: str) -> str:
    first, last = points[0], points[-1]
    scores = [write_score(metric, p.score, language) for p in (first, last)]
    days = [write_date(p.start_ms, language, zone) for p in (first, last)]
    if language == "fr":
        return f"De {scores[0]} la semaine du {days[0]} à {scores[1]} la semaine du {days[1]}."
    return f"From {scores[0]} in the week of {days[0]} to {scores[1]} in the week of {days[1]}."


def _table(title: str, metric: str, points: Sequence[TrendPoint], language: Language, zone: str) -> str:
    words = (labels.WEEK, labels.SCORE, labels.INTERVAL, labels.COUNT)
    headings = [Cell(word.in_language(language), number=word in (labels.SCORE, labels.COUNT)) for word in words]
    rows = [
        [
            Cell(write_date(p.start_ms, language, zone)),
            Cell(write_score(metric, p.score, language), number=True),
            Cell(write_score_interval(metric, p.low, p.high, language)),
            Cell(write_number(p.n, language), number=True),
        ]
        for p in points
    ]
    return draw_table(title, headings, rows)
