"""The legend of the map, and the sign of who is met."""

from __future__ import annotations

from parcours.charts import labels
from parcours.charts.scale import LEVELS, say_ladders
from parcours.charts.text import lines_of, rect, text, wrap
from parcours.words import Language


def draw_icon(x: float, y: float, human: bool) -> str:
    """A person or a screen, 14 pixels: the second sign, beside the shape of the card, of who is met."""
    if human:
        return (
            f'<g class="icon" transform="translate({x:.1f} {y:.1f})"><circle cx="7" cy="4" r="3"/>'
            '<path d="M1.5 13.5a5.5 5.5 0 0 1 11 0z"/></g>'
        )
    return f'<g class="icon" transform="translate({x:.1f} {y:.1f})"><path d="M1 2h12v8H1zM4.5 12.5h5M7 10v2.5"/></g>'


def draw_broken(right: float, bottom: float, language: Language) -> str:
    """A cross and a word at the bottom right of a card: what is promised there is broken."""
    word = labels.PROMISE.in_language(language).lower()
    x, y = right - 6.7 * len(word) - 12, bottom - 7.5
    return f'<path d="M{x:.1f} {y:.1f}l7 7m0 -7l-7 7" class="cross"/>{text(right, bottom, word, "small", "end")}'


def draw_legend(y: float, left: float, language: Language) -> str:
    """Draw the legend of the map: levels, who is met, edges, and where each level begins."""
    x = left
    heading = wrap(labels.EXPERIENCE.in_language(language), left - 20, 12, 2, bold=True)
    parts = [lines_of(10, y + 12, heading, 15, "lane-name")]
    for number, level in enumerate(LEVELS, start=1):
        word = level.in_language(language)
        parts.append(
            f'<g class="touch x{number}">{rect(x, y, 22, 16, "tile", 3)}</g>{text(x + 29, y + 12.5, word, "small")}'
        )
        x += 42 + 6.4 * len(word) + 12
    word = labels.NOT_MEASURED.in_language(language)
    parts.append(
        f'<g class="touch x0">{rect(x, y, 22, 16, "tile", 3)}'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="22" height="16" rx="3" fill="url(#hatch-{language})" '
        'class="hatched"/></g>' + text(x + 29, y + 12.5, word, "small")
    )
    x += 42 + 6.4 * len(word) + 30
    for human, label in ((True, labels.HUMAN), (False, labels.DIGITAL)):
        word = label.in_language(language)
        parts.append(f'<g class="touch">{draw_icon(x, y + 1, human)}</g>{text(x + 21, y + 12.5, word, "small")}')
        x += 30 + 6.4 * len(word) + 14
    word = labels.PROMISE_BROKEN.in_language(language)
    parts.append(f'<g class="touch"><path d="M{x:.1f} {y + 5:.1f}l7 7m0 -7l-7 7" class="cross"/></g>')
    parts.append(text(x + 14, y + 12.5, word, "small"))
    parts.append(_legend_edges(left, y + 34, language))
    parts.append(text(left, y + 80, say_ladders(language), "small soft"))
    return "".join(parts)


def _legend_edges(x: float, y: float, language: Language) -> str:
    parts = []
    for css, label in (("hurts", labels.HURTS), ("helps", labels.HELPS)):
        word = label.in_language(language)
        parts.append(f'<g class="edge {css}"><path d="M{x:.1f} {y + 8:.1f}h30" stroke-width="3.5"/></g>')
        parts.append(text(x + 38, y + 12.5, word, "small"))
        x += 62 + 5.6 * len(word)
    parts.append(f'<g class="ways"><path d="M{x:.1f} {y + 8:.1f}h30"/></g>')
    parts.append(text(x + 38, y + 12.5, labels.SUPPORTS.in_language(language), "small"))
    return "".join(parts)
