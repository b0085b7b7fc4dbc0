"""What each agreement says for or against two records being one person: match weights in bits, field by field."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.charts import labels
from parcours.charts.chart import Chart
from parcours.charts.numbers import write_number, write_share
from parcours.charts.scale import domain_of, nice_ticks, place
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import line, open_svg, rect, text
from parcours.words import Language

WIDTH = 900.0
LABEL_WIDTH = 330.0
VALUE_WIDTH = 70.0
ROW = 24.0
HEAD = 30.0
AXIS = 44.0


class WeightBar(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which the values of a field may stand to each other, with its weight.

    ``same`` and ``strangers`` are how often they stand so in records of one person, and of two.
    """

    field: str
    level: str
    bits: float
    same: float
    strangers: float


def draw_weights(title: str, bars: Sequence[WeightBar], language: Language) -> Chart:
    """Draw one bar a level, to the right what speaks for one person, grouped by field in the order given."""
    fields = list(dict.fromkeys(bar.field for bar in bars))
    height = 16 + HEAD * len(fields) + ROW * len(bars) + AXIS
    low, high = domain_of([0.0, *(bar.bits for bar in bars)])
    ends = (LABEL_WIDTH + 10, WIDTH - VALUE_WIDTH)
    zero = place(0, (low, high), ends)
    parts = [open_svg(WIDTH, height, title, _summary(bars, language), "weights")]
    for tick in nice_ticks(low, high):
        if low <= tick <= high:
            x = place(tick, (low, high), ends)
            parts.append(line(x, 16, x, height - AXIS + 4, "axis"))
            parts.append(text(x, height - AXIS + 20, write_number(tick, language, signed=True), "small soft", "middle"))
    parts.append(
        text((ends[0] + ends[1]) / 2, height - 6, labels.WEIGHT_BITS.in_language(language), "small soft", "middle")
    )
    y = 16.0
    for field in fields:
        parts.append(text(0, y + 20, field, "bold"))
        y += HEAD
        for bar in (one for one in bars if one.field == field):
            x = place(bar.bits, (low, high), ends)
            css = "for" if bar.bits > 0 else "against"
            parts.append(text(16, y + 15, bar.level, "small"))
            parts.append(rect(min(x, zero), y + 4, max(abs(x - zero), 1.5), ROW - 9, css, 2))
            parts.append(text(WIDTH, y + 15, write_number(bar.bits, language, 1, signed=True), "small", "end"))
            y += ROW
    parts.append(line(zero, 16, zero, height - AXIS + 4, "zero"))
    parts.append("</svg>")
    return Chart("".join(parts), _table(title, bars, language))


def _summary(bars: Sequence[WeightBar], language: Language) -> str:
    if not bars:
        return ""
    most = max(bars, key=lambda bar: bar.bits)
    bits = write_number(most.bits, language, 1)
    if language == "fr":
        return f"Ce qui parle le plus pour une même personne : {most.field}, {most.level} ({bits} bits)."
    return f"What speaks most for one person: {most.field}, {most.level} ({bits} bits)."


def _table(title: str, bars: Sequence[WeightBar], language: Language) -> str:
    words = (labels.FIELD, labels.AGREEMENT, labels.WEIGHT_BITS, labels.OF_ONE_PERSON, labels.OF_STRANGERS)
    headings = [Cell(word.in_language(language), number=place > 1) for place, word in enumerate(words)]
    body = [
        [
            Cell(bar.field),
            Cell(bar.level),
            Cell(write_number(bar.bits, language, 1, signed=True), number=True),
            Cell(write_share(bar.same, language, 1), number=True),
            Cell(write_share(bar.strangers, language, 2), number=True),
        ]
        for bar in bars
    ]
    return draw_table(title, headings, body)
