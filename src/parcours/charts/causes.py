"""Effects of operations as a forest plot: estimate, interval, zero line and the evidence behind each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from parcours.charts import labels
from parcours.charts.chart import Chart
from parcours.charts.numbers import write_interval, write_number
from parcours.charts.scale import domain_of, nice_ticks, place
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import line, lines_of, open_svg, text, wrap
from parcours.words import Language, Words

WIDTH = 1040.0
LABEL_WIDTH = 300.0
VALUE_WIDTH = 160.0
ROW = 46.0


class CauseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One operation's effect with its bounds, in the ``unit`` that the chart is given."""

    label: str
    owner: str = ""
    effect: float
    low: float
    high: float
    grade: str = "observed"
    n: int = 0
    less_is_worse: bool = False

    @property
    def direction(self) -> str:
        """``hurts`` or ``helps`` where the interval excludes zero, else nothing."""
        if self.low <= 0 <= self.high:
            return ""
        return "hurts" if (self.effect > 0) is self.less_is_worse else "helps"


def draw_causes(title: str, unit: str, rows: Sequence[CauseRow], language: Language, decimals: int = 1) -> Chart:
    """Draw one line an operation in the order given, and the same as a table."""
    low, high = domain_of([0.0, *(row.low for row in rows), *(row.high for row in rows)])
    ends = (LABEL_WIDTH + 10, WIDTH - VALUE_WIDTH - 10)
    height = 30 + ROW * len(rows) + 44
    zero = place(0, (low, high), ends)
    parts = [open_svg(WIDTH, height, title, unit, "causes")]
    for tick in nice_ticks(low, high):
        if low <= tick <= high:
            x = place(tick, (low, high), ends)
            parts.append(line(x, 26, x, height - 42, "axis"))
            parts.append(
                text(x, height - 26, write_number(tick, language, decimals, signed=True), "small soft", "middle")
            )
    parts.append(line(zero, 18, zero, height - 42, "zero"))
    parts.append(text(zero, 12, labels.NO_EFFECT.in_language(language), "small", "middle"))
    parts.append(text((ends[0] + ends[1]) / 2, height - 6, unit, "small soft", "middle"))
    for number, row in enumerate(rows):
        parts.append(_draw_row(row, 30 + ROW * number, (low, high), ends, language, decimals))
    parts.append("</svg>")
    return Chart("".join(parts), _table(title, unit, rows, language, decimals))


def _draw_row(
    row: CauseRow, y: float, domain: tuple[float, float], ends: tuple[float, float], language: Language, decimals: int
) -> str:
    middle = y + ROW / 2
    x1, x2, x = (place(value, domain, ends) for value in (row.low, row.high, row.effect))
    label = wrap(row.label, LABEL_WIDTH - 16, 13, 2, bold=True)
    under = wrap(row.owner, LABEL_WIDTH - 16, 11.5, 1) if row.owner and len(label) == 1 else []
    top = middle + 4 - 7.5 * (len(label) + len(under) - 1)
    css = row.direction
    return (
        lines_of(0, top, label, 15, "bold")
        + (lines_of(0, top + 15 * len(label), under, 15, "small soft") if under else "")
        + line(x1, middle, x2, middle, f"whisker {css}".strip())
        + line(x1, middle - 5, x1, middle + 5, f"whisker {css}".strip())
        + line(x2, middle - 5, x2, middle + 5, f"whisker {css}".strip())
        + f'<rect x="{x - 5:.1f}" y="{middle - 5:.1f}" width="10" height="10" class="{f"estimate {css}".strip()}">'
        f"<title>{escape(row.label)}</title></rect>"
        + text(WIDTH, middle - 2, write_number(row.effect, language, decimals, signed=True), "bold", "end")
        + text(WIDTH, middle + 13, _interval(row, language, decimals), "small soft", "end")
    )


def _interval(row: CauseRow, language: Language, decimals: int) -> str:
    return write_interval(
        write_number(row.low, language, decimals, signed=True),
        write_number(row.high, language, decimals, signed=True),
        language,
    )


def _table(title: str, unit: str, rows: Sequence[CauseRow], language: Language, decimals: int) -> str:
    words = (labels.OPERATION, labels.OWNER, labels.EFFECT, labels.INTERVAL, labels.COUNT, labels.GRADE)
    headings = [Cell(word.in_language(language), number=word in (labels.EFFECT, labels.COUNT)) for word in words]
    body = [
        [
            Cell(row.label),
            Cell(row.owner),
            Cell(write_number(row.effect, language, decimals, signed=True), number=True),
            Cell(_interval(row, language, decimals)),
            Cell(write_number(row.n, language), number=True),
            Cell(labels.GRADES.get(row.grade, Words(row.grade, row.grade)).in_language(language)),
        ]
        for row in rows
    ]
    return draw_table(f"{title} ({unit})", headings, body)
