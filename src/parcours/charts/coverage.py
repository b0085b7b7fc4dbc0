"""Coverage: of all customers met somewhere, how many allow a purpose, and what the others have said or left unsaid."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.charts.chart import Chart
from parcours.charts.numbers import MISSING, write_number, write_share
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import lines_of, open_svg, rect, text, wrap
from parcours.words import Language, Words

WIDTH = 760.0
LABEL_WIDTH = 136.0
SHARE_WIDTH = 58.0
BARS = LABEL_WIDTH + SHARE_WIDTH
"""Shares stand before the bars, where a narrow screen shows them too."""

ROW = 50.0
TOP = 34.0

ALLOWED = Words(fr="Permis", en="Allowed")
SILENT = Words(fr="Sans choix", en="No choice")
EXPIRED = Words(fr="Expiré", en="Expired")
REFUSED = Words(fr="Refusé, retiré ou limité", en="Refused, withdrawn or restricted")
_HEADINGS = (
    Words(fr="Part permise", en="Share allowed"),
    ALLOWED,
    SILENT,
    EXPIRED,
    Words(fr="Refusé", en="Refused"),
    Words(fr="Retiré", en="Withdrawn"),
    Words(fr="Limité", en="Restricted"),
    Words(fr="n", en="n"),
)


class CoverageBar(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, or all of them together: ``n`` customers, of whom so many allow the purpose or do not.

    ``silent``, ``expired``, ``refused``, ``withdrawn`` and ``restricted`` are those whom the purpose may not
    see, by why.
    """

    label: str
    n: int
    allowed: int
    silent: int = 0
    expired: int = 0
    refused: int = 0
    withdrawn: int = 0
    restricted: int = 0


def draw_coverage(title: str, heading: str, bars: Sequence[CoverageBar], language: Language) -> Chart:
    """Draw one bar a channel, all of the same length, split by what customers allow; and its table."""
    room = WIDTH - BARS
    height = TOP + ROW * len(bars)
    parts = [open_svg(WIDTH, height, title, "", "coverage"), _draw_legend(language)]
    for number, bar in enumerate(bars):
        y = TOP + ROW * number
        label = wrap(bar.label, LABEL_WIDTH - 14, 13, 2, bold=number == 0)
        parts.append(lines_of(0, y + 14 - 7.5 * (len(label) - 1), label, 15, "bold" if number == 0 else ""))
        x = BARS
        for count, css in _split(bar):
            width = room * count / bar.n if bar.n else 0
            if width:
                parts.append(rect(x, y, max(width - 1.5, 0.75), 20, css, 2))
            x += width
        share = write_share(bar.allowed / bar.n if bar.n else None, language)
        parts.append(text(BARS - 12, y + 15, share, "strong", "end"))
        parts.append(text(BARS, y + 35, _say(bar, language), "small soft"))
    parts.append("</svg>")
    return Chart("".join(parts), _draw_table(title, heading, bars, language))


def _split(bar: CoverageBar) -> tuple[tuple[int, str], ...]:
    return (
        (bar.allowed, "bar"),
        (bar.silent, "bar-none"),
        (bar.expired, "bar-soft"),
        (bar.refused + bar.withdrawn + bar.restricted, "bar-left"),
    )


def _draw_legend(language: Language) -> str:
    x, parts = BARS, []
    for label, css in ((ALLOWED, "bar"), (SILENT, "bar-none"), (EXPIRED, "bar-soft"), (REFUSED, "bar-left")):
        word = label.in_language(language)
        parts.append(rect(x, 2, 12, 12, css, 2) + text(x + 18, 12.5, word, "small"))
        x += 48 + 6.6 * len(word)
    return "".join(parts)


def _say(bar: CoverageBar, language: Language) -> str:
    """Under the bar: how many of how many."""
    allowed, n = write_number(bar.allowed, language), write_number(bar.n, language)
    return Words(fr=f"{allowed} sur {n} clients", en=f"{allowed} of {n} customers").in_language(language)


def _draw_table(title: str, heading: str, bars: Sequence[CoverageBar], language: Language) -> str:
    headings = [Cell(heading), *(Cell(word.in_language(language), number=True) for word in _HEADINGS)]
    rows = []
    for bar in bars:
        share = write_share(bar.allowed / bar.n, language, 1) if bar.n else MISSING
        counts = (bar.allowed, bar.silent, bar.expired, bar.refused, bar.withdrawn, bar.restricted, bar.n)
        figures = [share, *(write_number(count, language) for count in counts)]
        rows.append([Cell(bar.label), *(Cell(figure, number=True) for figure in figures)])
    return draw_table(title, headings, rows)
