"""Text inside pictures: estimated widths, wrapping, escaping and SVG elements."""

from __future__ import annotations

from html import escape

# Widths of a grotesque face in thousandths of its size (widest of the common system faces, so that text never spills).
_NARROW_LETTERS = dict.fromkeys("ijl.,;:!|'’()[]I \u00a0", 280) | {"\u202f": 200} | dict.fromkeys("frt-", 370)
_WIDE_LETTERS = dict.fromkeys("mwMWŒœÆæ@%", 900) | dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZÀÂÉÈÊÎÔÇ+−=", 690)
_LETTERS = _NARROW_LETTERS | _WIDE_LETTERS
_OTHER = 545


def measure_text(text: str, size: float, bold: bool = False) -> float:
    """Estimate the width of ``text`` set at ``size``, in the same unit; a little generous on purpose."""
    width = sum(_LETTERS.get(letter, _OTHER) for letter in text) * size / 1000
    return width * 1.07 if bold else width


def wrap(text: str, width: float, size: float, lines: int = 3, bold: bool = False) -> list[str]:
    """Break ``text`` into at most ``lines`` lines no wider than ``width``; the last one ends in … when cut.

    Breaks at spaces, after hyphens and slashes; a word that is wider than a line is broken where it must be.
    """
    rows: list[str] = []
    current = ""
    for word in _pieces(text, width, size, bold):
        joined = f"{current}{word}" if current.endswith(("-", "/")) or not current else f"{current} {word}"
        if not current or measure_text(joined, size, bold) <= width:
            current = joined
        else:
            rows.append(current)
            current = word
    if current:
        rows.append(current)
    if len(rows) <= lines:
        return rows
    last = rows[lines - 1]
    while last and measure_text(f"{last}…", size, bold) > width:
        last = last[:-1].rstrip()
    return [*rows[: lines - 1], f"{last}…"]


def _pieces(text: str, width: float, size: float, bold: bool) -> list[str]:
    pieces: list[str] = []
    for word in text.replace("/", "/ ").replace("-", "- ").split(" "):
        rest = word
        while measure_text(rest, size, bold) > width and len(rest) > 1:
            cut = len(rest)
            while cut > 1 and measure_text(rest[:cut] + "-", size, bold) > width:
                cut -= 1
            pieces.append(rest[:cut] + "-")
            rest = rest[cut:]
        if rest:
            pieces.append(rest)
    return pieces


def text(x: float, y: float, content: str, css: str = "", anchor: str = "start") -> str:
    """Return one SVG text element with its baseline at (x, y)."""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    name = f' class="{css}"' if css else ""
    return f'<text x="{round_to(x)}" y="{round_to(y)}"{place}{name}>{escape(content)}</text>'


def lines_of(x: float, y: float, rows: list[str], leading: float, css: str = "", anchor: str = "start") -> str:
    """Return several lines as one SVG text element, so that it is read as one sentence."""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    ends = [" "] * (len(rows) - 1) + [""]
    spans = "".join(
        f'<tspan x="{round_to(x)}" y="{round_to(y + number * leading)}">{escape(row)}{end}</tspan>'
        for number, (row, end) in enumerate(zip(rows, ends, strict=True))
    )
    return f'<text{place} class="{css}">{spans}</text>'


def rect(x: float, y: float, width: float, height: float, css: str, radius: float = 0) -> str:
    """Return one SVG rectangle."""
    corner = f' rx="{round_to(radius)}"' if radius else ""
    return (
        f'<rect x="{round_to(x)}" y="{round_to(y)}" width="{round_to(max(width, 0))}" '
        f'height="{round_to(max(height, 0))}"{corner} class="{css}"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """Return one SVG line."""
    return f'<path d="M{round_to(x1)} {round_to(y1)}L{round_to(x2)} {round_to(y2)}" class="{css}"/>'


def round_to(value: float) -> str:
    """Write a coordinate to a tenth of a pixel, without trailing zeros."""
    return (
        f"{value:.1f}".removesuffix(".0").replace("-0", "0") if abs(value) < 0.05 else f"{value:.1f}".removesuffix(".0")
    )


def open_svg(width: float, height: float, title: str, summary: str, css: str = "", role: str = "img") -> str:
    """Open an SVG with its accessible name and description.

    ``role="img"`` makes the picture one thing for a screen reader (its table twin says the rest); a picture with
    links inside is a ``group`` so that each link stays reachable.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {round_to(width)} {round_to(height)}" '
        f'role="{role}" aria-label="{escape(title)}" class="chart {css}">'
        f"<desc>{escape(summary)}</desc>"
    )
