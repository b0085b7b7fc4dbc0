"""Bars: what became of those who entered each stage, the undecided kept apart, and how scores spread."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from parcours.charts import labels
from parcours.charts.chart import Chart
from parcours.charts.numbers import write_durations, write_interval, write_number, write_share
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import lines_of, open_svg, rect, text, wrap
from parcours.words import Language

WIDTH = 760.0
LABEL_WIDTH = 190.0
ROW = 62.0


class StageBar(msgspec.Struct, frozen=True, kw_only=True):
    """A stage: how many entered, and how many of them moved on, left, or are still under way.

    ``median_ms`` with its bounds is the time until moving on; ``None`` where it can't be told.
    """

    label: str
    entered: int
    moved_on: int
    left: int
    under_way: int
    median_ms: float | None = None
    low: float | None = None
    high: float | None = None


def draw_stages(title: str, stages: Sequence[StageBar], language: Language) -> Chart:
    """Draw one bar a stage, as long as its share of the largest entry, split in three; and its table."""
    most = max((stage.entered for stage in stages), default=0) or 1
    room = WIDTH - LABEL_WIDTH - 8
    height = ROW * len(stages) + 30
    parts = [open_svg(WIDTH, height, title, "", "stages"), _draw_legend(language)]
    for number, stage in enumerate(stages):
        y = 34 + ROW * number
        label = wrap(stage.label, LABEL_WIDTH - 16, 13, 2, bold=True)
        parts.append(lines_of(0, y + 16 - 7.5 * (len(label) - 1), label, 15, "bold"))
        x = LABEL_WIDTH
        for count, css in ((stage.moved_on, "bar"), (stage.under_way, "bar-soft"), (stage.left, "bar-left")):
            width = room * count / most
            parts.append(rect(x, y, max(width - 1.5, 0), 22, css, 2))
            x += width
        parts.append(text(LABEL_WIDTH, y + 39, _say(stage, language), "small"))
    parts.append("</svg>")
    return Chart("".join(parts), _stage_table(title, stages, language))


def _draw_legend(language: Language) -> str:
    x, parts = LABEL_WIDTH, []
    for label, css in ((labels.MOVED_ON, "bar"), (labels.UNDER_WAY, "bar-soft"), (labels.LEFT, "bar-left")):
        word = label.in_language(language)
        parts.append(rect(x, 2, 12, 12, css, 2) + text(x + 18, 12.5, word, "small"))
        x += 50 + 6.4 * len(word)
    return "".join(parts)


def _say(stage: StageBar, language: Language) -> str:
    """Under the bar: entries, and the three shares."""
    comma = "\u00a0: " if language == "fr" else ": "
    entered = f"{write_number(stage.entered, language)} {labels.CUSTOMERS.in_language(language)}"
    shares = [
        f"{label.in_language(language).lower()}{comma}{_share(count, stage.entered, language)}"
        for label, count in (
            (labels.MOVED_ON, stage.moved_on),
            (labels.UNDER_WAY, stage.under_way),
            (labels.LEFT, stage.left),
        )
    ]
    return "  ·  ".join([entered, *shares])


def _share(count: int, of: int, language: Language) -> str:
    return write_share(count / of if of else None, language)


def _stage_table(title: str, stages: Sequence[StageBar], language: Language) -> str:
    words = (
        labels.STAGE,
        labels.ENTERED,
        labels.MOVED_ON,
        labels.LEFT,
        labels.UNDER_WAY,
        labels.MEDIAN,
        labels.INTERVAL,
    )
    headings = [Cell(w.in_language(language), number=w not in (labels.STAGE, labels.INTERVAL)) for w in words]
    rows = []
    for stage in stages:
        counts = (stage.entered, stage.moved_on, stage.left, stage.under_way)
        median, low, high = write_durations((stage.median_ms, stage.low, stage.high), language)
        rows.append(
            [
                Cell(stage.label),
                *(Cell(write_number(count, language), number=True) for count in counts),
                Cell(median, number=True),
                Cell(write_interval(low, high, language)),
            ]
        )
    return draw_table(title, headings, rows)


class Bin(msgspec.Struct, frozen=True):
    """A value of the scale, how many gave it, and the level it is coloured with (0: none)."""

    label: str
    count: int
    level: int = 0


def draw_distribution(title: str, bins: Sequence[Bin], language: Language) -> Chart:
    """Draw how answers spread over the scale, and the same as a table."""
    total = sum(bin.count for bin in bins) or 1
    most = max((bin.count for bin in bins), default=0) or 1
    width, height = 420.0, 220.0
    step = width / max(len(bins), 1)
    parts = [open_svg(width, height, title, "", "distribution")]
    for number, bin in enumerate(bins):
        tall = (height - 58) * bin.count / most
        x, y = number * step + step * 0.12, height - 28 - tall
        parts.append(
            f'<g class="touch x{bin.level}"><title>{escape(bin.label)}</title>'
            f"{rect(x, y, step * 0.76, max(tall, 1), 'tile', 2)}</g>"
        )
        middle = number * step + step / 2
        parts.append(text(middle, y - 6, write_share(bin.count / total, language), "small", "middle"))
        parts.append(text(middle, height - 10, bin.label, "small soft", "middle"))
    parts.append("</svg>")
    words = (labels.SCORE, labels.COUNT, labels.SHARE)
    headings = [Cell(word.in_language(language), number=word is not labels.SCORE) for word in words]
    rows = [
        [
            Cell(bin.label),
            Cell(write_number(bin.count, language), number=True),
            Cell(write_share(bin.count / total, language, 1), number=True),
        ]
        for bin in bins
    ]
    return Chart("".join(parts), draw_table(title, headings, rows))
