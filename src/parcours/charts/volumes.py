"""How much came, hour by hour: bars for the last seven days, a line for the seven days before them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from parcours.charts import labels
from parcours.charts.chart import Chart
from parcours.charts.numbers import MISSING, write_date, write_number
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import line, open_svg, round_to
from parcours.words import Language

STEP, BAR = 2.0, 1.5
HEIGHT, FLOOR = 52.0, 50.0
HOUR_MS = 3_600_000


def draw_volumes(
    title: str, hours: Sequence[int], before: Sequence[int], last_hour: int, language: Language, zone: str = "UTC"
) -> Chart:
    """Draw counts by hour, the oldest first, both on one scale from zero; the table tells them by day.

    Args:
        title: What is counted, and of what.
        hours: The counts; ``last_hour`` is the number since 1970 (UTC) of the last of them.
        before: The counts of as many hours seven days earlier; empty where there are none.
        last_hour: See ``hours``.
        language: In which it speaks.
        zone: Where days begin.
    """
    most = max((*hours, *before, 1))
    width = STEP * len(hours)
    days = _find_days(len(hours), last_hour, language, zone)
    opened = open_svg(width, HEIGHT, title, _summary(hours, before, language), "volumes")
    # As wide as its place and never taller: there is no text in it that could be drawn out.
    parts = [opened.replace("<svg ", '<svg preserveAspectRatio="none" ', 1)]
    for place in range(1, len(hours)):
        if days[place] != days[place - 1]:
            parts.append(line(place * STEP - 0.25, 0, place * STEP - 0.25, FLOOR, "day"))
    parts.append(line(0, FLOOR + 0.5, width, FLOOR + 0.5, "axis"))
    parts.append(f'<path d="{_bars(hours, most)}" class="bar"/>')
    if before:
        parts.append(f'<path d="{_steps(before, most)}" class="before"/>')
    parts.append("</svg>")
    return Chart("".join(parts), _table(title, hours, before, days, language))


def _bars(hours: Sequence[int], most: int) -> str:
    parts = []
    for place, count in enumerate(hours):
        if count:  # The least that came is seen; nothing is not.
            tall = round_to(max(1.0, FLOOR * count / most))
            parts.append(f"M{round_to(place * STEP)} {round_to(FLOOR)}v-{tall}h{BAR}V{round_to(FLOOR)}z")
    return "".join(parts)


def _steps(before: Sequence[int], most: int) -> str:
    tops = [f"V{round_to(FLOOR - FLOOR * count / most)}h{round_to(STEP)}" for count in before]
    return f"M0 {round_to(FLOOR)}{''.join(tops)}"


@lru_cache(maxsize=16)
def _find_days(count: int, last_hour: int, language: Language, zone: str) -> tuple[str, ...]:
    """Return the day of each hour; every source of a page asks for the same ones."""
    first = last_hour - count + 1
    return tuple(write_date((first + place) * HOUR_MS, language, zone, year=False) for place in range(count))


def _summary(hours: Sequence[int], before: Sequence[int], language: Language) -> str:
    now, then = (write_number(sum(counts), language) for counts in (hours, before))
    if language == "fr":
        return f"{now} en sept jours" + (f", {then} les sept jours d’avant." if before else ".")
    return f"{now} in seven days" + (f", {then} in the seven days before." if before else ".")


def _table(title: str, hours: Sequence[int], before: Sequence[int], days: Sequence[str], language: Language) -> str:
    words = (labels.DAY, labels.EVENTS, labels.WEEK_BEFORE, labels.BUSIEST_HOUR)
    headings = [Cell(word.in_language(language), number=word is not labels.DAY) for word in words]
    rows = []
    for day in dict.fromkeys(days):
        places = [place for place, other in enumerate(days) if other == day]
        counts = [hours[place] for place in places]
        then = write_number(sum(before[place] for place in places), language) if before else MISSING
        figures = (write_number(sum(counts), language), then, write_number(max(counts), language))
        rows.append([Cell(day), *(Cell(figure, number=True) for figure in figures)])
    return draw_table(title, headings, rows)
