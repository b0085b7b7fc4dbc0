"""The table twin of a picture: a real table with a caption and scoped headings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple


class Cell(NamedTuple):
    """A cell: what it says, where it leads, and whether it is a number (set to the right)."""

    text: str
    href: str = ""
    number: bool = False


def draw_table(caption: str, headings: Sequence[Cell], rows: Sequence[Sequence[Cell]], css: str = "") -> str:
    """Return an HTML table; the first cell of each row is its heading.

    The table stands in a group that can be scrolled with the keyboard, so that a wide one never widens the page.
    """
    head = "".join(f'<th scope="col"{_number(cell)}>{escape(cell.text)}</th>' for cell in headings)
    body = "".join(f"<tr>{''.join(_cell(cell, i == 0) for i, cell in enumerate(row))}</tr>" for row in rows)
    return (
        f'<div class="scroll" role="group" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="{css}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(cell: Cell, heading: bool) -> str:
    inner = f'<a href="{escape(cell.href)}">{escape(cell.text)}</a>' if cell.href else escape(cell.text)
    return f'<th scope="row"{_number(cell)}>{inner}</th>' if heading else f"<td{_number(cell)}>{inner}</td>"


def _number(cell: Cell) -> str:
    return ' class="num"' if cell.number else ""
